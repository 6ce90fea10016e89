"""The two steps of the game, one function each; `train_gan` spells them out again in its loop."""

import torch
from torch import Tensor, nn

from course_utils.losses import LOSSES, GANLoss

NON_SATURATING = LOSSES["non_saturating"]


def discriminator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
    loss: GANLoss = NON_SATURATING,
) -> Tensor:
    """One step of D down its loss, −V(D, G), with G held fixed.

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1.

    Args:
        generator: maps latents to samples; it does not change.
        discriminator: maps samples to logits (N,); it moves.
        optimizer: of the discriminator's weights.
        real: samples of the data (N, ...).
        latents: (N, latent_dim), one for each generated sample.
        loss: the two players' losses.

    Returns:
        The discriminator's loss before the step, a scalar without a graph.
    """
    fake = generator(latents).detach()  # detach: this step must not reach the generator
    value = loss.discriminator(discriminator(real), discriminator(fake))
    optimizer.zero_grad()  # also clears what the generator's step has left in D
    value.backward()
    optimizer.step()
    return value.detach()


def generator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    latents: Tensor,
    loss: GANLoss = NON_SATURATING,
) -> Tensor:
    """One step of G down its loss, through D, with D held fixed.

    Goodfellow et al. 2014, arXiv:1406.2661, algorithm 1.

    Args:
        generator: maps latents to samples; it moves.
        discriminator: maps samples to logits (N,); gradients run through it, but it does not change.
        optimizer: of the generator's weights.
        latents: (N, latent_dim).
        loss: the two players' losses.

    Returns:
        The generator's loss before the step, a scalar without a graph.
    """
    value = loss.generator(discriminator(generator(latents)))  # no detach: D tells each sample where to go
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach()


def training_round(
    generator: nn.Module,
    discriminator: nn.Module,
    generator_optimizer: torch.optim.Optimizer,
    discriminator_optimizer: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
) -> tuple[float, float]:
    """A step of D, then a step of G against the D that has just learnt, both from the same latents.

    Args:
        generator: maps latents to samples.
        discriminator: maps samples to logits (N,).
        generator_optimizer, discriminator_optimizer: each of its own network's weights.
        real: samples of the data (N, ...).
        latents: (N, latent_dim).

    Returns:
        (discriminator's loss, generator's loss), each before its step.
    """
    discriminator_loss = discriminator_step(generator, discriminator, discriminator_optimizer, real, latents)
    generator_loss = generator_step(generator, discriminator, generator_optimizer, latents)
    return discriminator_loss.item(), generator_loss.item()
