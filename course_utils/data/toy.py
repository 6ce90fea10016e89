"""Toy densities on a line and on a plane: everything about them is known, so every claim can be checked.

Each is a :class:`Density`: ``sample(n, rng)`` draws; ``log_prob(x)`` evaluates, where there is a closed form.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.convention import Sampler


class Density(NamedTuple):
    """A density on the line or the plane."""

    name: str
    dim: int
    sample: Sampler  # (n, rng) -> (n, dim), float32, on the generator's device
    log_prob: Callable[[Tensor], Tensor] | None  # (n, dim) -> (n,); None where there is no closed form
    modes: Tensor | None  # (K, dim), the centres of the mass; None where the mass lies along a curve
    std: float  # standard deviation of the noise around a mode or a curve (the largest, where they differ)


def gaussian(mean: float | Sequence[float] = 0.0, std: float = 1.0) -> Density:
    """N(x; μ, σ²I): log p(x) = −‖x − μ‖²/2σ² − d·log(σ√2π).

    Args:
        mean: μ, a number (d = 1) or a sequence of d numbers.
        std: σ > 0, the same along every axis.

    Returns:
        Density of dimension d with one mode.

    Raises:
        ValueError: std is not positive, or the mean is not a number or a vector.
    """
    mean = torch.as_tensor(mean, dtype=torch.float64)
    if mean.ndim > 1:
        raise ValueError(f"mean must be a number or d of them, got shape {tuple(mean.shape)}; flatten it.")
    return gaussian_mixture(mean.reshape(1, -1), std)._replace(name="gaussian")


def gaussian_mixture(
    means: Tensor | Sequence,
    stds: Tensor | Sequence[float] | float = 1.0,
    weights: Tensor | Sequence[float] | None = None,
) -> Density:
    """p(x) = Σₖ wₖ·N(x; μₖ, σₖ²I).

    Args:
        means: μ, (K, d), or K numbers for a mixture on the line (d = 1).
        stds: σ > 0, one for all or K of them.
        weights: w ≥ 0, K of them, scaled to sum to 1; None means equal weights.

    Returns:
        Density of dimension d with K modes.

    Raises:
        ValueError: the shapes do not agree, a std is not positive, or the weights are negative or all zero.
    """
    means = torch.as_tensor(means, dtype=torch.float64)
    means = means[:, None] if means.ndim == 1 else means
    if means.ndim != 2 or means.numel() == 0:
        raise ValueError(
            f"means must be K numbers or have shape (K, d), got {tuple(means.shape)}; reshape them."
        )
    modes, dim = means.shape
    stds = torch.as_tensor(stds, dtype=torch.float64)
    weights = torch.ones(modes) if weights is None else weights
    weights = torch.as_tensor(weights, dtype=torch.float64)
    if stds.shape not in ((), (modes,)) or not bool((stds > 0).all() and stds.isfinite().all()):
        raise ValueError(
            f"stds must be one positive number, or {modes} of them, one for each mean, "
            f"got {stds.tolist()}; correct them."
        )
    if weights.shape != (modes,) or not bool((weights >= 0).all() and 0 < weights.sum() < math.inf):
        raise ValueError(
            f"weights must be {modes} non-negative numbers, one for each mean and not all 0, "
            f"got {weights.tolist()}; correct them, or leave them out for equal weights."
        )
    stds = stds.expand(modes).clone()
    weights = weights / weights.sum()

    def sample(n: int, rng: torch.Generator) -> Tensor:
        mean, std, weight = (value.float().to(rng.device) for value in (means, stds, weights))
        mode = torch.multinomial(weight, n, replacement=True, generator=rng)
        noise = torch.randn(n, dim, generator=rng, device=rng.device)
        return mean[mode] + std[mode, None] * noise

    def log_prob(x: Tensor) -> Tensor:
        _check_points(x, dim)
        mean, std, weight = (value.to(x) for value in (means, stds, weights))
        distance = ((x[:, None, :] - mean) / std[:, None]).square().sum(-1)  # (n, K)
        log_normal = -0.5 * distance - dim * (std.log() + 0.5 * math.log(2 * math.pi))
        return torch.logsumexp(weight.log() + log_normal, dim=1)

    return Density("gaussian mixture", dim, sample, log_prob, means.float(), stds.max().item())


def ring(modes: int = 8, radius: float = 2.0, std: float = 0.1) -> Density:
    """Equal Gaussians on a circle, μₖ = r·(cos 2πk/K, sin 2πk/K): the standard test for dropped modes.

    Source: Metz, Poole, Pfau, Sohl-Dickstein 2017, "Unrolled Generative Adversarial Networks",
    arXiv:1611.02163.

    Args:
        modes: K ≥ 1.
        radius: r > 0.
        std: σ > 0 of each Gaussian.

    Returns:
        Density of dimension 2 with K modes.

    Raises:
        ValueError: modes, radius or std is not positive.
    """
    _check_positive(modes=modes, radius=radius)
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64) / modes
    return gaussian_mixture(radius * torch.stack([angle.cos(), angle.sin()], dim=1), std)._replace(
        name="ring"
    )


def grid(side: int = 5, spacing: float = 1.0, std: float = 0.05) -> Density:
    """Equal Gaussians on a square lattice around 0, side × side of them.

    Source: Dumoulin et al. 2017, "Adversarially Learned Inference", arXiv:1606.00704.

    Args:
        side: how many a side, ≥ 1.
        spacing: distance of neighbours, > 0.
        std: σ > 0 of each Gaussian.

    Returns:
        Density of dimension 2 with side² modes.

    Raises:
        ValueError: side, spacing or std is not positive.
    """
    _check_positive(side=side, spacing=spacing)
    line = spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
    return gaussian_mixture(torch.cartesian_prod(line, line).reshape(-1, 2), std)._replace(name="grid")


def labelled_modes(density: Density) -> Sampler:
    """A sampler of points together with the mode each was drawn from: equal Gaussians, equally often.

    Args:
        density: `ring(…)`, `grid(…)`, or another mixture of Gaussians of equal weights and widths.

    Returns:
        ``draw(n, rng)`` → points float32 (n, d) and modes int64 (n,), below K.

    Raises:
        ValueError: the density has no modes.
    """
    if density.modes is None:
        raise ValueError(f"{density.name} has no modes to choose from; take a ring or a grid.")

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        modes = density.modes.to(rng.device)
        labels = torch.randint(len(modes), (n,), generator=rng, device=rng.device)
        noise = torch.randn(n, density.dim, generator=rng, device=rng.device)
        return modes[labels] + density.std * noise, labels

    return draw


def two_moons(noise: float = 0.1) -> Density:
    """Two half circles of radius 1 that reach into each other, plus N(0, noise²·I).

    The upper moon is (cos t, sin t), the lower (1 − cos t, ½ − sin t), t uniform in [0, π]; both are moved by
    (−½, −¼), so that the mean is 0. Source: scikit-learn's ``make_moons``. The density has no closed form.

    Args:
        noise: σ ≥ 0.

    Returns:
        Density of dimension 2, without log_prob and modes.

    Raises:
        ValueError: the noise is negative.
    """
    _check_noise(noise)

    def sample(n: int, rng: torch.Generator) -> Tensor:
        t = math.pi * torch.rand(n, generator=rng, device=rng.device)
        side = 1 - 2 * torch.randint(2, (n,), generator=rng, device=rng.device)  # +1 upper, -1 lower
        # the lower moon is the upper one turned by half a turn about (½, ¼)
        curve = torch.stack([side * (t.cos() - 0.5), side * (t.sin() - 0.25)], dim=1)
        return curve + noise * torch.randn(n, 2, generator=rng, device=rng.device)

    return Density("two moons", 2, sample, None, None, noise)


def spiral(turns: float = 1.5, noise: float = 0.05, radius: float = 2.0, arms: int = 2) -> Density:
    """Archimedean arms, r(t) = radius·t at angle 2π·(turns·t + k/arms), plus N(0, noise²·I).

    t is the square root of a uniform number, which spreads the mass about evenly along the arm. The density
    has no closed form.

    Args:
        turns: how often an arm winds around 0, > 0.
        noise: σ ≥ 0.
        radius: distance of an arm's end from 0, > 0.
        arms: how many, ≥ 1.

    Returns:
        Density of dimension 2, without log_prob and modes.

    Raises:
        ValueError: a value outside its range.
    """
    _check_positive(turns=turns, radius=radius, arms=arms)
    _check_noise(noise)

    def sample(n: int, rng: torch.Generator) -> Tensor:
        t = torch.rand(n, generator=rng, device=rng.device).sqrt()
        arm = torch.randint(arms, (n,), generator=rng, device=rng.device)
        angle = 2 * math.pi * (turns * t + arm / arms)
        curve = radius * t[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        return curve + noise * torch.randn(n, 2, generator=rng, device=rng.device)

    return Density("spiral", 2, sample, None, None, noise)


def _check_points(x: Tensor, dim: int) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point() or x.ndim != 2 or x.shape[1] != dim:
        given = f"{str(x.dtype)[6:]} of shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(
            f"log_prob takes a float tensor of shape (n, {dim}), got {given}; "
            f"convert it with torch.as_tensor(x).float().reshape(-1, {dim})."
        )


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be positive, got {value}; choose a positive number.")


def _check_noise(noise: float) -> None:
    if not 0 <= noise < math.inf:
        raise ValueError(
            f"noise must be a standard deviation of at least 0, got {noise}; choose such a number."
        )
