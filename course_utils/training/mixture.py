"""Fitting mixtures of Gaussians: expectation and maximisation in turns, without gradients.

(Dempster, Laird and Rubin 1977, J. R. Stat. Soc. B 39.)
"""

from collections.abc import Callable

import torch
from torch import Tensor

from course_utils.data import to_model_range
from course_utils.models.mixture import GaussianMixture
from course_utils.models.principal import PrincipalImages, principal_space
from course_utils.training.validation import check_least

Watcher = Callable[[GaussianMixture, float], object]  # (mixture, mean log p of the fitted points); True: stop


def maximised(points: Tensor, responsibilities: Tensor, floor: float) -> GaussianMixture:
    """The mixture of highest expected log likelihood, given who is responsible for which point.

    wₖ = Nₖ/N, μₖ = Σᵢ rᵢₖ·xᵢ / Nₖ, Σₖ = Σᵢ rᵢₖ·(xᵢ − μₖ)(xᵢ − μₖ)ᵀ / Nₖ + floor·I, with Nₖ = Σᵢ rᵢₖ.

    Args:
        points: x (N, d).
        responsibilities: r (N, K), rows adding up to 1.
        floor: added to each variance, so that no component can shrink to one point.
    """
    counts = responsibilities.sum(0).clamp_min(1e-6)
    means = (responsibilities.T @ points) / counts[:, None]
    scales = []
    for mean, count, share in zip(means, counts, responsibilities.T, strict=True):
        offsets = points - mean
        covariance = (offsets * share[:, None]).T @ offsets / count
        scales.append(torch.linalg.cholesky(covariance + floor * torch.eye(len(mean)).to(points)))
    return GaussianMixture(counts / counts.sum(), means, torch.stack(scales))


def fit_mixture(
    points: Tensor,
    components: int,
    *,
    iterations: int = 50,
    floor: float = 1e-3,
    tolerance: float = 1e-3,
    seed: int = 0,
    watch: Watcher | None = None,
) -> GaussianMixture:
    """EM from random points as first means, with the points' whole covariance around each.

    Without a floor the log likelihood never falls from one iteration to the next.

    Args:
        points: (N, d), floating point.
        components: K.
        iterations: at most.
        floor: added to each variance in each step.
        tolerance: EM ends when the mean log likelihood rises by less than this, in nats.
        seed: of the first means.
        watch: called after each iteration with the mixture and the mean log p(x) that it was made from;
            True ends the fit.

    Raises:
        ValueError: fewer points than components, or not (N, d).
    """
    check_least(1, components=components, iterations=iterations)
    if points.ndim != 2 or len(points) < components:
        raise ValueError(
            f"points must be (N, d) with at least as many points as the {components} components, "
            f"got {tuple(points.shape)}; reshape them, or take fewer components."
        )
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:components]
    spread = maximised(points, torch.ones(len(points), 1).to(points), floor).scales
    weights = torch.full((components,), 1 / components).to(points)
    mixture = GaussianMixture(weights, points[chosen], spread.repeat(components, 1, 1))
    last = -torch.inf
    for _ in range(iterations):
        joint = mixture.joint(points)
        reached = joint.logsumexp(1).mean().item()
        mixture = maximised(points, joint.softmax(1), floor)
        if (watch is not None and watch(mixture, reached)) or reached - last < tolerance:
            break
        last = reached
    return mixture


def fit_image_mixture(
    images: Tensor,
    *,
    dims: int = 100,
    components: int = 50,
    seed: int = 0,
    watch: Callable[[PrincipalImages, float], object] | None = None,
    **fit,
) -> PrincipalImages:
    """A mixture in the space of the images' principal components.

    Richardson and Weiss 2018, arXiv:1805.12462, compare such mixtures with GANs (theirs are of factor
    analysers).

    Args:
        images: uint8 (N, C, H, W).
        dims: principal components.
        components: of the mixture.
        seed: of its first means.
        watch: as in `fit_mixture`, but called with the generator of images.
        **fit: other arguments of `fit_mixture`.
    """
    pixels = to_model_range(images)
    space = principal_space(pixels, dims)

    def of_images(mixture: GaussianMixture) -> PrincipalImages:
        return PrincipalImages(mixture, space, images.shape[1:])

    told = watch and (lambda mixture, reached: watch(of_images(mixture), reached))
    points = space.coordinates(pixels)
    return of_images(fit_mixture(points, components, seed=seed, watch=told, **fit))
