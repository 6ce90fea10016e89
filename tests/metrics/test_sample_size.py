"""The bias of few samples: it falls like 1/N, and the straight line takes it out."""

import pytest
import torch

from course_utils.metrics import (
    FeatureStatistics,
    extrapolated,
    frechet_by_size,
    frechet_distance,
    unlimited_frechet,
)

D = 12


def standard_normal():
    return FeatureStatistics(torch.zeros(D).double(), torch.eye(D).double(), 10**9)


def cloud(n, seed, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(n, D, generator=rng, dtype=torch.float64) + shift


def test_few_samples_make_the_distance_too_large_by_the_formula():
    """For N(0, I) against itself, to first order: d/N from the mean, d(d + 1)/(4N) from the covariance."""
    n = 2_000
    values = [frechet_distance(standard_normal(), cloud(n, seed)) for seed in range(20)]
    assert sum(values) / 20 == pytest.approx(D / n + D * (D + 1) / (4 * n), rel=0.06)


@pytest.mark.parametrize("shift", [0.0, 0.2])
def test_the_line_takes_the_bias_out(shift):
    true = D * shift**2
    few = [cloud(1_000, seed, shift) for seed in range(30)]
    plain = sum(frechet_distance(standard_normal(), one) for one in few) / 30 - true
    corrected = sum(unlimited_frechet(standard_normal(), one) for one in few) / 30 - true
    assert plain > 0.02
    assert abs(corrected) < 0.5 * plain


def test_an_exact_law_is_read_off_exactly():
    sizes = [100, 250, 1_000]
    assert extrapolated(sizes, [0.7 + 30 / size for size in sizes]) == pytest.approx(0.7)


def test_sizes_are_those_asked_for_and_the_whole_is_the_whole():
    real, fake = cloud(500, 0), cloud(300, 1)
    assert frechet_by_size(real, fake, [50, 300], seed=3)[1] == pytest.approx(frechet_distance(real, fake))
    assert frechet_by_size(real, fake, [50], seed=3) == frechet_by_size(real, fake, [50], seed=3)
    with pytest.raises(ValueError, match="at most 300"):
        frechet_by_size(real, fake, [301])
