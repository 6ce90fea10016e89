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
    _check_strength(gamma=gamma)

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        return gamma / 2 * squared_slopes(discriminator, real).mean()

    return penalty


def r2(gamma: float = 1.0) -> Penalty:
    """γ/2 · E[‖∇ₓ t(G(z))‖²] on the generated samples  (Mescheder et al. 2018, arXiv:1801.04406, R₂).

    Args:
        gamma: γ ≥ 0, the strength.

    Raises:
        ValueError: γ is negative.
    """
    _check_strength(gamma=gamma)

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        return gamma / 2 * squared_slopes(discriminator, fake).mean()

    return penalty


def r1_r2(gamma: float = 1.0) -> Penalty:
    """R₁ + R₂, both with γ: with the relativistic loss, the objective of R3GAN (Huang et al. 2024).

    Y. Huang, A. Gokaslan, V. Kuleshov, J. Tompkin, "The GAN is dead; long live the GAN! A Modern GAN
    Baseline", NeurIPS 2024, arXiv:2501.05441.

    Args:
        gamma: γ ≥ 0, the strength of each.

    Raises:
        ValueError: γ is negative.
    """
    on_data, on_samples = r1(gamma), r2(gamma)

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        return on_data(discriminator, real, fake) + on_samples(discriminator, real, fake)

    return penalty


def gradient_penalty(weight: float = 10.0) -> Penalty:
    """λ·E[(‖∇t(x̂)‖ − 1)²] at x̂ = ε·x + (1 − ε)·G(z), ε ~ U(0, 1)  (Gulrajani et al. 2017, arXiv:1704.00028).

    Each x̂ is a random point between a real and a generated sample, with an ε of its own. What belongs to the
    samples (labels) is taken from the real ones.

    Args:
        weight: λ ≥ 0, the strength.

    Raises:
        ValueError: λ is negative.
    """
    _check_strength(weight=weight)

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        norms = slopes(discriminator, between(real, fake)).norm(dim=1)
        return weight * (norms - 1).square().mean()

    return penalty


def one_sided_gradient_penalty(weight: float = 10.0) -> Penalty:
    """λ·E[max(0, ‖∇t(x̂)‖ − 1)²] at the same points: a critic may be less steep than 1, at no cost.

    H. Petzka, A. Fischer, D. Lukovnikov, "On the Regularization of Wasserstein GANs", ICLR 2018.

    Args:
        weight: λ ≥ 0, the strength.

    Raises:
        ValueError: λ is negative.
    """
    _check_strength(weight=weight)

    def penalty(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        norms = slopes(discriminator, between(real, fake)).norm(dim=1)
        return weight * (norms - 1).clamp(min=0).square().mean()

    return penalty


def between(real: Shown, fake: Shown) -> Shown:
    """x̂ = ε·x + (1 − ε)·G(z), an ε ~ U(0, 1) for each sample, with what belongs to the real ones."""
    (x, *conditions), generated = real, fake[0]
    epsilon = torch.rand(len(x), *[1] * (x.ndim - 1), device=x.device)
    return Shown((epsilon * x.detach() + (1 - epsilon) * generated.detach(), *conditions))


def slopes(discriminator: nn.Module, shown: Shown) -> Tensor:
    """∇ₓ t(x) at each sample, (N, numbers of a sample), as part of the graph of D's weights."""
    samples, *conditions = shown
    samples = samples.detach().requires_grad_()
    # A sample moves its own logit only, so the slope of the sum holds the slopes of all.
    total = discriminator(samples, *conditions).sum()
    (found,) = torch.autograd.grad(total, samples, create_graph=True)
    return found.flatten(1)


def squared_slopes(discriminator: nn.Module, shown: Shown) -> Tensor:
    """‖∇ₓ t(x)‖² at each sample, (N,), as part of the graph of D's weights."""
    return slopes(discriminator, shown).square().sum(1)


def _check_strength(**named: float) -> None:
    for name, strength in named.items():
        if strength < 0:
            raise ValueError(
                f"{name} must be at least 0, got {strength}; a negative penalty rewards steep slopes."
            )
