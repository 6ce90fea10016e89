"""What a discriminator tells a generator about each of its samples."""

import torch
from torch import Tensor, nn

from course_utils.losses import LOSSES, GANLoss

NON_SATURATING = LOSSES["non_saturating"]


def generator_pull(discriminator: nn.Module, points: Tensor, loss: GANLoss = NON_SATURATING) -> Tensor:
    """−∂ℓ(D(xᵢ))/∂xᵢ at each point: the direction in which D pulls a generated sample.

    ℓ is one sample's part in the generator's loss, L_G = 1/N·Σ ℓ(D(xᵢ)). For the non-saturating loss and the
    logit t(x) the arrow is (1 − D(x))·∇t(x). By the chain rule, these arrows are all that a generator ever
    learns about the data.

    Args:
        discriminator: maps points (N, dim) to logits.
        points: (N, dim).
        loss: the two players' losses; one whose generator compares with real logits is taken to meet logits
            of 0 there.

    Returns:
        Arrows (N, dim).
    """
    points = points.detach().requires_grad_()
    logits = discriminator(points)
    real_logits = torch.zeros_like(logits) if loss.generator_sees_real else None
    total = len(logits) * loss.generator(real_logits, logits)  # the sum: an arrow must not depend on N
    (slope,) = torch.autograd.grad(total, points)
    return -slope
