"""Penalties on the discriminator's gradient: penalty(discriminator, real, fake) -> (), for `GAN(penalty=…)`.

`real` and `fake` are what D is shown: a tuple of samples and what belongs to them.
"""

import torch
from torch import Tensor, nn

from course_utils.training.gan import Penalty, Shown


def r1(gamma: float = 1.0) -> Penalty:
    """γ/2 · E[‖∇ₓ t(x)‖²] on the data  (Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406, R₁).

    The norm is that of all of a sample's numbers together, not of each pixel.

    Args:
        gamma: γ ≥ 0, the strength.

    Raises:
        ValueError: γ is negative.
    """
    if gamma < 0:
        raise ValueError(f"gamma must be at least 0, got {gamma}; a negative penalty rewards steep slopes.")

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        return gamma / 2 * squared_slopes(discriminator, real).mean()

    return penalty


def squared_slopes(discriminator: nn.Module, shown: Shown) -> Tensor:
    """‖∇ₓ t(x)‖² at each sample, (N,), as part of the graph of D's weights."""
    samples, *conditions = shown
    samples = samples.detach().requires_grad_()
    # A sample moves its own logit only, so the slope of the sum holds the slopes of all.
    total = discriminator(samples, *conditions).sum()
    (slopes,) = torch.autograd.grad(total, samples, create_graph=True)
    return slopes.flatten(1).square().sum(1)
