"""What the number of samples does to the Fréchet distance, and how to take it out again."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from course_utils.metrics.frechet import FeatureStatistics, feature_statistics, frechet_distance


def frechet_by_size(
    real: Tensor | FeatureStatistics, fake: Tensor, sizes: Sequence[int], seed: int = 0
) -> list[float]:
    """The Fréchet distance of random parts of the samples, one part for each size.

    Args:
        real: features of real images, or their statistics: the same for all sizes.
        fake: features of generated images (N, d).
        sizes: how many of them to take, each at most N.
        seed: which ones.

    Raises:
        ValueError: a size is larger than N.
    """
    if max(sizes) > len(fake):
        raise ValueError(
            f"sizes must be at most {len(fake)}, the number of samples, got {max(sizes)}; draw more"
        )
    real = real if isinstance(real, FeatureStatistics) else feature_statistics(real)
    rng = torch.Generator().manual_seed(seed)
    return [frechet_distance(real, fake[torch.randperm(len(fake), generator=rng)[:size]]) for size in sizes]


def unlimited_frechet(
    real: Tensor | FeatureStatistics, fake: Tensor, parts: int = 15, seed: int = 0
) -> float:
    """FID∞: the distance that infinitely many samples would have  (Chong and Forsyth 2020, arXiv:1911.07023).

    N samples make the distance too large by about b/N. So a straight line through the distances of parts of
    several sizes, over 1/N, is read off at 1/N = 0. The bias of the finite number of *real* images stays in.

    Args:
        real: features of real images, or their statistics.
        fake: features of generated images (N, d).
        parts: how many sizes, evenly from N/10 to N.
        seed: which samples are in a part.

    Returns:
        The extrapolated distance; it may lie a little below 0.
    """
    sizes = np.linspace(len(fake) / 10, len(fake), parts).astype(int).tolist()
    return extrapolated(sizes, frechet_by_size(real, fake, sizes, seed))


def extrapolated(sizes: Sequence[int], distances: Sequence[float]) -> float:
    """d∞ of the least-squares fit distance ≈ d∞ + b / size."""
    _slope, intercept = np.polyfit(1 / np.array(sizes), distances, deg=1)
    return float(intercept)
