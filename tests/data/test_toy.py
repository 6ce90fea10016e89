"""Toy densities: samples agree with log_prob, log_prob integrates to 1, curves lie where the formula says."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.datasets import make_moons
from torch import distributions

from course_utils.data import gaussian, gaussian_mixture, grid, ring, spiral, two_moons

LINE = {
    "gaussian": gaussian(1.0, 0.5),
    "mixture": gaussian_mixture([-2.0, 0.0, 1.5], [0.3, 1.0, 0.5], [0.2, 0.5, 0.3]),
}
PLANE = {
    "gaussian": gaussian((1.0, -0.5), 0.7),
    "mixture": gaussian_mixture([[-1.0, 0.0], [1.0, 1.0]], [0.3, 0.6], [3.0, 1.0]),
    "ring": ring(),
    "grid": grid(),
}
EVERY = [*LINE.values(), *PLANE.values(), two_moons(), spiral()]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("density", EVERY, ids=lambda density: f"{density.name} {density.dim}")
def test_samples_are_float32_of_the_right_shape_and_belong_to_the_seed(density):
    x = density.sample(100, rng(3))
    assert x.dtype == torch.float32 and x.shape == (100, density.dim)
    assert torch.equal(x, density.sample(100, rng(3)))
    assert not torch.equal(x, density.sample(100, rng(4)))


@pytest.mark.parametrize("density", LINE.values(), ids=LINE)
def test_densities_on_the_line_integrate_to_one(density):
    x = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    assert torch.trapezoid(density.log_prob(x[:, None]).exp(), x).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("density", PLANE.values(), ids=PLANE)
def test_densities_on_the_plane_integrate_to_one(density):
    line = torch.linspace(-6, 6, 481, dtype=torch.float64)
    cells = torch.cartesian_prod(line, line)
    total = density.log_prob(cells).exp().sum() * (line[1] - line[0]) ** 2
    assert total.item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("density", LINE.values(), ids=LINE)
def test_samples_on_the_line_follow_log_prob(density):
    """Chi-square of 50,000 samples in 40 bins against the integral of exp(log_prob), at 99.9 %."""
    edges = np.linspace(-3.5, 3.5, 41)
    counts = np.histogram(density.sample(50_000, rng()).numpy(), edges)[0]
    fine = torch.linspace(-3.5, 3.5, 40 * 100 + 1, dtype=torch.float64)
    p = density.log_prob(fine[:, None]).exp()
    expected = 50_000 * np.array(
        [torch.trapezoid(p[k : k + 101], fine[k : k + 101]) for k in range(0, 4000, 100)]
    )
    assert chi_square_p_value(counts, expected, 50_000) > 0.001


@pytest.mark.parametrize("density", PLANE.values(), ids=PLANE)
def test_samples_on_the_plane_follow_log_prob(density):
    """Chi-square of 50,000 samples in 24×24 cells against the integral of exp(log_prob), at 99.9 %."""
    side, fine, reach = 24, 20, 2.7
    x, y = density.sample(50_000, rng(1)).numpy().T
    counts = np.histogram2d(x, y, bins=np.linspace(-reach, reach, side + 1))[0]
    step = 2 * reach / (side * fine)
    middle = torch.arange(side * fine, dtype=torch.float64) * step + step / 2 - reach
    p = density.log_prob(torch.cartesian_prod(middle, middle)).exp().reshape(side, fine, side, fine)
    expected = 50_000 * step**2 * p.sum(dim=(1, 3)).numpy()
    assert chi_square_p_value(counts.ravel(), expected.ravel(), 50_000) > 0.001


def chi_square_p_value(counts, expected, n):
    """Cells that expect fewer than 5 samples, and all outside, are one cell."""
    enough = expected >= 5
    counts = np.append(counts[enough], n - counts[enough].sum())
    expected = np.append(expected[enough], n - expected[enough].sum())
    return stats.chi2.sf(((counts - expected) ** 2 / expected).sum(), len(counts) - 1)


def test_log_prob_agrees_with_torch_distributions():
    mixture = PLANE["mixture"]
    independent = distributions.MixtureSameFamily(
        distributions.Categorical(torch.tensor([0.75, 0.25], dtype=torch.float64)),
        distributions.Independent(
            distributions.Normal(
                torch.tensor([[-1.0, 0.0], [1.0, 1.0]], dtype=torch.float64),
                torch.tensor([[0.3, 0.3], [0.6, 0.6]], dtype=torch.float64),
            ),
            1,
        ),
    )
    x = 3 * torch.randn(200, 2, dtype=torch.float64, generator=rng())
    torch.testing.assert_close(mixture.log_prob(x), independent.log_prob(x), rtol=1e-12, atol=1e-12)


def test_log_prob_is_finite_and_differentiable_far_from_the_mass():
    x = torch.tensor([[40.0, -40.0]], requires_grad=True)
    log_p = ring().log_prob(x)
    [slope] = torch.autograd.grad(log_p.sum(), x)
    assert log_p.isfinite().all() and slope.isfinite().all()
    assert slope[0, 0] < 0 < slope[0, 1]  # uphill is back towards 0


def test_modes_are_where_the_names_say():
    eight = ring(modes=8, radius=2.0, std=0.1)
    assert eight.modes.shape == (8, 2) and eight.std == pytest.approx(0.1)
    torch.testing.assert_close(eight.modes.norm(dim=1), torch.full((8,), 2.0))
    neighbours = (eight.modes - eight.modes.roll(1, dims=0)).norm(dim=1)
    torch.testing.assert_close(neighbours, torch.full((8,), 4 * math.sin(math.pi / 8)))
    lattice = grid(side=5, spacing=1.0).modes
    assert {tuple(mode) for mode in lattice.tolist()} == {(i, j) for i in range(-2, 3) for j in range(-2, 3)}


def test_a_weight_of_zero_takes_a_mode_away():
    density = gaussian_mixture([-1.0, 1.0], 0.1, [1, 0])
    assert (density.sample(1000, rng()) < 0).all()
    assert density.log_prob(torch.tensor([[1.0]])).item() < -100


def test_two_moons_without_noise_are_those_of_scikit_learn():
    ours = two_moons(noise=0.0).sample(2_000, rng())
    theirs = torch.tensor(make_moons(2_000)[0], dtype=torch.float32) - torch.tensor([0.5, 0.25])
    distance = torch.cdist(ours, theirs)
    assert distance.min(dim=0).values.max() < 0.05  # every point of either set has one of the other nearby
    assert distance.min(dim=1).values.max() < 0.05


def test_two_moons_have_the_moments_of_their_formula():
    """E x = E y = 0; E x² = 3/4 + σ², E y² = 9/16 − 1/π + σ²; each within 4 standard errors."""
    x = two_moons(noise=0.2).sample(100_000, rng()).double()
    exact = torch.tensor([0, 0, 3 / 4 + 0.04, 9 / 16 - 1 / math.pi + 0.04], dtype=torch.float64)
    values = torch.cat([x, x.square()], dim=1)
    assert ((values.mean(dim=0) - exact).abs() < 4 * values.std(dim=0) / 100_000**0.5).all()


def test_spiral_without_noise_winds_as_its_formula_says():
    turns, radius, arms = 1.5, 2.0, 3
    x = spiral(turns, 0.0, radius, arms).sample(20_000, rng()).double()
    t = x.norm(dim=1) / radius
    arm = arms * (torch.atan2(x[:, 1], x[:, 0]) / (2 * math.pi) - turns * t)  # whole on the curve
    assert ((arm - arm.round()).abs() * t).max() < 1e-4
    assert stats.kstest(t.square().numpy(), "uniform").pvalue > 0.001
    assert stats.chisquare(torch.bincount(arm.round().long() % arms, minlength=arms).numpy()).pvalue > 0.001


@pytest.mark.parametrize("density", [two_moons, spiral])
def test_where_no_closed_form_exists_there_is_no_log_prob(density):
    assert density().log_prob is None and density().modes is None


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: gaussian(0.0, 0.0), "stds must be one positive number.*got 0.0"),
        (lambda: gaussian([[0.0, 1.0]]), r"mean must be a number or d of them, got shape \(1, 2\)"),
        (lambda: gaussian_mixture([0.0, 1.0], [1.0, 1.0, 1.0]), "or 2 of them"),
        (lambda: gaussian_mixture([0.0, 1.0], 1.0, [1.0]), "weights must be 2 non-negative numbers"),
        (lambda: gaussian_mixture([0.0, 1.0], 1.0, [0.0, 0.0]), "not all 0"),
        (lambda: gaussian_mixture([0.0, 1.0], 1.0, [2.0, -1.0]), "non-negative"),
        (lambda: gaussian_mixture(torch.zeros(2, 2, 2)), r"shape \(K, d\), got \(2, 2, 2\)"),
        (lambda: ring(modes=0), "modes must be positive, got 0"),
        (lambda: grid(spacing=-1), "spacing must be positive, got -1"),
        (lambda: two_moons(-0.1), "noise must be a standard deviation"),
        (lambda: spiral(turns=math.nan), "turns must be positive, got nan"),
    ],
)
def test_impossible_parameters_are_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(3, 1), torch.zeros(3, 2).long(), np.zeros((3, 2))])
def test_log_prob_names_the_shape_it_takes(x):
    with pytest.raises(ValueError, match=r"float tensor of shape \(n, 2\), got .*; convert"):
        ring().log_prob(x)
