"""Mode coverage: what a perfect, a collapsed and a scattered generator score."""

import math

import pytest
import torch

from course_utils import data
from course_utils.metrics import mode_coverage

STD = 0.1


@pytest.fixture
def ring():
    return data.ring(modes=8, radius=2.0, std=STD)


def drawn(density, count):
    return density.sample(count, torch.Generator().manual_seed(0))


def test_the_data_itself_covers_all_modes_and_989_of_1000_samples_are_good(ring):
    count = 20_000
    found = mode_coverage(drawn(ring, count), ring.modes, STD)
    fraction = 1 - math.exp(-9 / 2)  # |x|²/σ² of a 2-D Gaussian is χ² with two degrees of freedom
    assert found.covered == found.modes == 8
    standard_error = math.sqrt(fraction * (1 - fraction) / count)
    assert abs(found.good_fraction - fraction) < 4 * standard_error
    assert found.counts.sum() == round(found.good_fraction * count)


def test_a_collapsed_generator_is_good_but_covers_one_mode(ring):
    collapsed = ring.modes[2] + 0.01 * torch.randn(1_000, 2, generator=torch.Generator().manual_seed(1))
    found = mode_coverage(collapsed, ring.modes, STD)
    assert (found.covered, found.good_fraction) == (1, 1.0)
    assert found.counts.tolist() == [0, 0, 1_000, 0, 0, 0, 0, 0]


def test_a_scattered_generator_covers_all_but_is_seldom_good(ring):
    scattered = 6 * torch.rand(5_000, 2, generator=torch.Generator().manual_seed(2)) - 3
    found = mode_coverage(scattered, ring.modes, STD)
    assert found.covered == 8
    assert found.good_fraction == pytest.approx(8 * math.pi * (3 * STD) ** 2 / 36, abs=0.02)  # discs / square


def test_a_stray_sample_covers_a_mode_only_if_one_is_enough(ring):
    samples = torch.cat([ring.modes[:1].repeat(99, 1), ring.modes[1:2]])
    assert mode_coverage(samples, ring.modes, STD).covered == 2
    assert mode_coverage(samples, ring.modes, STD, at_least=10).covered == 1


def test_the_radius_is_counted_in_standard_deviations():
    samples, modes = torch.tensor([[0.29, 0.0], [0.31, 0.0]]), torch.zeros(1, 2)
    assert mode_coverage(samples, modes, std=0.1).good_fraction == 0.5
    assert mode_coverage(samples, modes, std=0.1, within=4).good_fraction == 1.0


def test_samples_that_are_not_finite_are_not_good(ring):
    assert mode_coverage(torch.full((10, 2), float("nan")), ring.modes, STD).good_fraction == 0.0


@pytest.mark.parametrize(
    ("samples", "modes", "std", "message"),
    [
        (torch.zeros(5, 3), torch.zeros(8, 2), 0.1, "share dim"),
        (torch.zeros(0, 2), torch.zeros(8, 2), 0.1, "N ≥ 1"),
        (torch.zeros(5, 2), torch.zeros(8, 2), 0.0, "std must be positive, got 0"),
    ],
)
def test_unusable_input_is_refused(samples, modes, std, message):
    with pytest.raises(ValueError, match=message):
        mode_coverage(samples, modes, std)
