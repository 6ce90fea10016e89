"""The kernel distance: equal to torchmetrics' on the same features, and unbiased."""

import pytest
import torch
from torchmetrics.image.kid import poly_mmd

from course_utils.metrics import kernel_distance, polynomial_kernel


def features(n, d=8, seed=0, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_it_is_torchmetrics_distance_of_the_same_features():
    for shift, d in ((0.0, 8), (0.7, 8), (0.3, 64)):
        real, fake = features(300, d, 1), features(300, d, 2, shift)
        assert kernel_distance(real, fake) == pytest.approx(float(poly_mmd_of(real, fake)), abs=1e-9)


def poly_mmd_of(real, fake):
    from torchmetrics.image.kid import poly_kernel

    kernels = [poly_kernel(*pair) for pair in ((real, real), (real, fake), (fake, fake))]
    assert torch.allclose(kernels[1], polynomial_kernel(real, fake))
    from torchmetrics.image.kid import maximum_mean_discrepancy

    return maximum_mean_discrepancy(*kernels)


def test_torchmetrics_own_polynomial_distance_agrees_too():
    real, fake = features(200, 5, 3), features(200, 5, 4, 0.5)
    assert kernel_distance(real, fake) == pytest.approx(float(poly_mmd(real, fake)), abs=1e-9)


def test_two_points_each_by_hand():
    # In one dimension with k(x, y) = (xy + 1)³: k(0, 1) = 1, k(2, 3) = 7³;
    # across: k(0, 2) = k(0, 3) = 1, k(1, 2) = 27, k(1, 3) = 64.
    real, fake = torch.tensor([[0.0], [1.0]]), torch.tensor([[2.0], [3.0]])
    assert kernel_distance(real, fake) == pytest.approx(1 + 343 - 2 * (1 + 1 + 27 + 64) / 4)


def test_its_mean_over_many_small_sets_is_zero_for_one_distribution():
    values = torch.tensor(
        [kernel_distance(features(20, 3, s), features(30, 3, 1000 + s)) for s in range(400)]
    )
    assert (
        values.mean().abs() < 3 * values.std() / 400**0.5
    )  # the biased estimate is at some 0.4, 20 of these
    assert values.std() / 400**0.5 < 0.05
    assert values.min() < 0


def test_unequal_numbers_and_blocks_of_rows(monkeypatch):
    real, fake = features(50, 4, 1), features(31, 4, 2, 0.4)
    whole = kernel_distance(real, fake)
    monkeypatch.setattr("course_utils.metrics.kernel.ROWS", 7)
    assert kernel_distance(real, fake) == pytest.approx(whole, rel=1e-9)


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="features of one length, got 4 and 5"):
        kernel_distance(features(9, 4), features(9, 5))
    with pytest.raises(ValueError, match="N at least 2"):
        kernel_distance(features(1, 4), features(9, 4))
