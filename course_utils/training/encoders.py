"""The encoder that a GAN does not have: found by search for each image, or learnt beside the generator."""

import torch
from torch import Tensor, nn

from course_utils.losses import LOSSES, exchanged
from course_utils.models import draw_latents
from course_utils.models.bidirectional import EncodingGenerator
from course_utils.training.gan import GAN, bidirectional
from course_utils.training.validation import check_latent_dim, check_least


def invert(
    generator: nn.Module,
    images: Tensor,
    *,
    steps: int = 150,
    starts: int = 100,
    lr: float = 0.1,
    prior_weight: float = 1e-3,
    seed: int = 0,
) -> Tensor:
    """argmin over z of ‖G(z) − x‖² / pixels + λ·‖z‖² / D, by Adam, for each image.

    After Zhu et al. 2016, arXiv:1609.03552, who add features to the pixels and no prior. The search begins at
    the best of some random latents; it can end in a local minimum.

    Args:
        generator: in evaluation mode; it is not changed.
        images: x (N, C, H, W).
        steps: of Adam.
        starts: random latents that are tried first; the same for all images.
        lr: Adam's.
        prior_weight: λ ≥ 0. It keeps z where the generator has learnt to draw.
        seed: of the random latents.

    Returns:
        z (N, latent_dim).
    """
    check_least(1, steps=steps, starts=starts)
    check_least(0, lr=lr, prior_weight=prior_weight)
    tried = draw_latents(starts, check_latent_dim(generator), torch.Generator().manual_seed(seed))
    tried = tried.to(images.device)
    with torch.no_grad():
        distances = torch.cdist(images.flatten(1), generator(tried).float().flatten(1))
    latents = tried[distances.argmin(1)].clone().requires_grad_()
    adam = torch.optim.Adam([latents], lr)
    with torch.enable_grad():  # also where the caller needs none
        for step in range(steps):
            adam.param_groups[0]["lr"] = lr * (1 - step / steps)  # to settle at the end
            errors = (generator(latents).float() - images).square().flatten(1).mean(1)
            loss = errors + prior_weight * latents.square().mean(1)
            (latents.grad,) = torch.autograd.grad(loss.sum(), latents)  # the generator's weights get none
            adam.step()
    return latents.detach()


def bidirectional_gan(generator: nn.Module, encoder: nn.Module, discriminator: nn.Module, **game) -> GAN:
    """A GAN of pairs: D tells (x, E(x)) from (G(z), z), and at the optimum E is the inverse of G.

    `run.average` is an `EncodingGenerator`: run.average(z), run.average.encode(x).

    Args:
        generator: latents → samples.
        encoder: samples → latents (N, latent_dim), such as `point_encoder`.
        discriminator: (samples, latents) → logits (N,), such as `PairDiscriminator`.
        **game: other arguments of `GAN`.
    """
    loss = exchanged(LOSSES["non_saturating"])  # moves the encoder too, which stands on the real side
    return GAN(EncodingGenerator(generator, encoder), discriminator, loss=loss, shown=bidirectional, **game)
