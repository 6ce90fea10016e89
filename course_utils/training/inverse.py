"""Two ways to an encoder for a generator, as small as notebook 11 asks for them: a search, a round of play.

`training.encoders` has them ready for use: `invert`, with good starting points, and `bidirectional_gan`.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from course_utils.losses import LOSSES, exchanged
from course_utils.training.gan import Shown, discriminator_step, generator_step


def nearest_latents(
    generator: Callable[[Tensor], Tensor], images: Tensor, start: Tensor, steps: int, lr: float
) -> Tensor:
    """argmin over z of ‖G(z) − x‖² for each image, by Adam from `start`  (Zhu et al. 2016, arXiv:1609.03552).

    Args:
        generator: in evaluation mode; nothing of it changes, and its weights get no gradients.
        images: x (N, ...).
        start: the first latents (N, D), left as they are.
        steps, lr: of Adam.

    Returns:
        z (N, D), without history: a local minimum near the start, no more.
    """
    latents = start.clone().requires_grad_()
    optimizer = torch.optim.Adam([latents], lr)
    for _ in range(steps):
        error = (generator(latents) - images).square().sum()
        optimizer.zero_grad()
        error.backward(inputs=[latents])
        optimizer.step()
    return latents.detach()


def bidirectional_round(
    generator: Callable[[Tensor], Tensor],
    encoder: Callable[[Tensor], Tensor],
    discriminator: Callable[[Tensor, Tensor], Tensor],
    players_optimizer: Optimizer,
    discriminator_optimizer: Optimizer,
    images: Tensor,
    latents: Tensor,
) -> tuple[Tensor, Tensor]:
    """A step of D on (x, E(x)) against (G(z), z), then one of G and E together against the new D.

    Donahue, Krähenbühl and Darrell 2017, arXiv:1605.09782; Dumoulin et al. 2017, arXiv:1606.00704. Both sides
    with the non-saturating loss: the players minimise D's loss with real and fake exchanged.

    Args:
        generator, encoder: latents (N, D) → images (N, ...), and back.
        discriminator: (images, latents) → logits (N,).
        players_optimizer: of the weights of G and E.
        discriminator_optimizer: of D's.
        images, latents: x (N, ...) and z (N, D), a batch of each.

    Returns:
        D's loss and the players', each before its step.
    """
    real, fake = Shown((images, encoder(images))), Shown((generator(latents), latents))
    loss = exchanged(LOSSES["non_saturating"])

    def discriminate(pair: Shown) -> Tensor:
        return discriminator(*pair)

    first, *_ = discriminator_step(discriminate, discriminator_optimizer, real, fake, loss)
    return first, generator_step(discriminate, players_optimizer, real, fake, loss)
