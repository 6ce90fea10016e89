"""Precision, recall, density, coverage: equal to prdc's, and they mean what they are called after."""

import pytest
import torch
from prdc import compute_prdc

from course_utils.data import two_moons
from course_utils.metrics import ball_radii, density_coverage, precision_recall


def cloud(n, d=6, seed=0, scale=1.0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, d, generator=rng, dtype=torch.float64) + shift


@pytest.mark.parametrize(("scale", "shift", "k"), [(1.0, 0.0, 3), (0.5, 0.4, 5), (1.6, 0.0, 2)])
def test_all_four_are_prdcs_on_the_same_features(scale, shift, k, capsys):
    real, fake = cloud(400, seed=1), cloud(300, seed=2, scale=scale, shift=shift)
    theirs = compute_prdc(real.numpy(), fake.numpy(), nearest_k=k)
    ours = {**precision_recall(real, fake, k)._asdict(), **density_coverage(real, fake, k)._asdict()}
    assert ours == pytest.approx({name: float(value) for name, value in theirs.items()}, abs=1e-9)


def test_radii_by_hand_do_not_count_the_point_itself():
    line = torch.tensor([[0.0], [1.0], [3.0], [7.0]])
    assert ball_radii(line, 1).tolist() == [1, 1, 2, 4]
    assert ball_radii(line, 2).tolist() == [3, 2, 3, 6]
    with pytest.raises(ValueError, match="k must be between 1 and 3"):
        ball_radii(line, 4)


def test_a_collapsed_generator_has_high_precision_and_low_recall():
    real = two_moons().sample(1_000, torch.Generator().manual_seed(0)).double()
    collapsed = real[:1] + 0.01 * cloud(1_000, 2, seed=1)
    precision, recall = precision_recall(real, collapsed)
    assert precision > 0.95
    assert recall < 0.05
    density, coverage = density_coverage(real, collapsed)
    assert density > 0.4
    assert coverage < 0.05


def test_a_generator_of_everything_has_low_precision_and_high_recall():
    real, everywhere = cloud(500, 2), cloud(500, 2, seed=1, scale=20)
    precision, recall = precision_recall(real, everywhere)
    assert precision < 0.1
    assert recall > 0.95


def test_one_outlier_raises_recall_but_not_coverage():
    """The reason for which Naeem et al. replaced them: one fake far away has a ball that holds all data."""
    real, fake = cloud(300, 2), cloud(300, 2, seed=1, scale=0.01, shift=3)
    far = torch.cat([fake[:-4], torch.tensor([[50.0, 50], [50, -50], [-50, 50], [-50, -50]])])
    assert precision_recall(real, far).recall > 0.95
    assert density_coverage(real, far).coverage < 0.05


def test_equal_distributions_have_density_1_and_coverage_by_its_formula():
    density, coverage = density_coverage(cloud(2_000, 3, seed=1), cloud(2_000, 3, seed=2), k=5)
    assert density == pytest.approx(1, abs=0.05)
    assert coverage == pytest.approx(1 - 2**-5, abs=0.015)


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="features of one length, got 6 and 3"):
        precision_recall(cloud(20), cloud(20, 3))
