"""Samples against their data, in cells."""

import math

import pytest
import torch

from course_utils.data.toy import grid, ring, spiral
from course_utils.metrics import data_cells, measure


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("density", [ring(), grid()], ids=["ring", "grid"])
def test_histograms_of_the_data_itself_miss_by_the_known_bias(density):
    p = data_cells(density)
    n, reached = 20_000, (p * 20_000 > 1).sum().item()
    found = measure(density.sample(n, rng(1)), density, p)
    # χ² with K − 1 degrees of freedom: JS ≈ χ²/8N. The rare cells blur what K is, hence the wide bounds.
    assert 0.6 < found.js / ((reached - 1) / (8 * n)) < 1.5
    assert found.covered == len(density.modes)
    assert found.good_fraction == pytest.approx(1 - math.exp(-4.5), abs=0.004)


def test_a_collapsed_generator_scores_badly_by_js_and_well_by_good_samples():
    density = ring()
    collapsed = density.modes[:1] + 0.1 * torch.randn(5_000, 2, generator=rng())
    found = measure(collapsed, density, data_cells(density))
    assert found.covered == 1 and found.good_fraction > 0.97
    # KL(p/8-part ‖ p) = log 8, and the JS of a part with weight 1/8
    assert found.kl == pytest.approx(math.log(8), abs=0.05)
    mix = 9 / 16
    js = 0.5 * (-math.log(mix)) + 0.5 * (1 / 8 * math.log(1 / 8 / mix)) + 0.5 * math.log(2) * 7 / 8
    assert found.js == pytest.approx(js, abs=0.02)


def test_data_without_a_density_are_measured_by_their_samples():
    density = spiral()
    found = measure(density.sample(10_000, rng(2)), density, data_cells(density))
    assert found.js < 0.02
    assert found.covered == 0 and math.isnan(found.good_fraction)
