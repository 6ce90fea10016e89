"""Which samples lie where there are data, and which data the samples reach: four fractions from k-NN balls.

A *ball* lies around each sample of one set, and reaches to its k-th nearest neighbour within that set, the
sample itself not counted. The union of the balls stands for where the set's distribution lives.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.metrics.frechet import checked_features


class PrecisionRecall(NamedTuple):
    """Two fractions between 0 and 1."""

    precision: float  # of the generated samples: those that lie in the ball of a real one
    recall: float  # of the real samples: those that lie in the ball of a generated one


class DensityCoverage(NamedTuple):
    """What Naeem et al. put in the place of precision and recall."""

    density: float  # real balls that a generated sample lies in, on average, divided by k: may exceed 1
    coverage: float  # of the real balls: the fraction with a generated sample in them, between 0 and 1


def ball_radii(features: Tensor, k: int) -> Tensor:
    """Distance of each sample to its k-th nearest neighbour among the others: (N, d) → (N,).

    Raises:
        ValueError: k is not between 1 and N − 1.
    """
    if not 1 <= k < len(features):
        raise ValueError(f"k must be between 1 and {len(features) - 1}, the number of other samples, got {k}")
    distances = pairwise_distances(features, features).fill_diagonal_(torch.inf)  # not its own neighbour
    return distances.topk(k, dim=1, largest=False).values[:, -1]


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall  (Kynkäänniemi et al. 2019, arXiv:1904.06991).

    Precision: the fraction of fakes y with |y − x| ≤ radius(x) for at least one real x. Recall: the fraction
    of real x with |x − y| ≤ radius(y) for at least one fake y. Both depend on the numbers of samples: with
    more of them the balls shrink. Compare equal numbers.

    Args:
        real, fake: features (N, d) and (M, d).
        k: neighbours that a ball reaches over; 3 in the paper.

    Raises:
        ValueError: k does not fit, or features that `checked_features` refuses.
    """
    real, fake = checked_features(real), checked_features(fake)
    distances = pairwise_distances(real, fake)
    precision = (distances <= ball_radii(real, k)[:, None]).any(dim=0).double().mean()
    recall = (distances <= ball_radii(fake, k)[None, :]).any(dim=1).double().mean()
    return PrecisionRecall(precision.item(), recall.item())


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> DensityCoverage:
    """Density and coverage  (Naeem et al. 2020, arXiv:2002.09797).

    Both use balls around the *real* samples only, so that a few wild fakes with huge balls of their own
    cannot raise them. Density counts in how many balls a fake lies, not whether; for two equal distributions
    it is about 1, and coverage about 1 − 2⁻ᵏ with equally many samples.

    Args:
        real, fake: features (N, d) and (M, d).
        k: neighbours that a ball reaches over; 5 in the paper.

    Raises:
        ValueError: k does not fit, or features that `checked_features` refuses.
    """
    real, fake = checked_features(real), checked_features(fake)
    inside = pairwise_distances(real, fake) <= ball_radii(real, k)[:, None]
    density = inside.double().sum(dim=0).mean() / k
    coverage = inside.any(dim=1).double().mean()
    return DensityCoverage(density.item(), coverage.item())


def pairwise_distances(a: Tensor, b: Tensor) -> Tensor:
    """|x − y| for all pairs: (N, d), (M, d) → (N, M)."""
    if a.shape[1] != b.shape[1]:
        raise ValueError(
            f"both sides need features of one length, got {a.shape[1]} and {b.shape[1]}; "
            "use the same extractor for both"
        )
    return torch.cdist(a, b)
