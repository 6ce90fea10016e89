"""The theory floor against closed forms and SciPy."""

import math

import pytest
import torch
from scipy.special import rel_entr
from scipy.stats import norm, wasserstein_distance
from torch.distributions import Normal, kl_divergence

from course_utils.losses import get_loss
from course_utils.theory import (
    generator_slopes,
    js,
    kl,
    minimax_game,
    optimal_discriminator,
    quadrature,
    total_variation,
    value,
    wasserstein_1d,
)

FAIR = torch.full((6,), 1 / 6, dtype=torch.float64)
LOADED = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
X, WEIGHTS = quadrature(-20, 20, 4001)


def gaussian(mean: float, std: float) -> torch.Tensor:
    return torch.tensor(norm.pdf(X.numpy(), mean, std))


def random_dice(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return torch.rand(2, 6, generator=rng, dtype=torch.float64).softmax(1).unbind()


def test_quadrature_integrates_a_parabola_and_a_gaussian():
    x, weights = quadrature(0, 3, 3001)
    assert (weights * x.square()).sum().item() == pytest.approx(9, abs=1e-5)
    assert (WEIGHTS * gaussian(0.3, 0.5)).sum().item() == pytest.approx(1, abs=1e-13)


def test_optimal_discriminator_on_a_die_by_hand():
    # For the six: 0.5 / (0.5 + 1/6) = 3/4; for the others: 0.1 / (0.1 + 1/6) = 3/8.
    expected = torch.tensor([3 / 8] * 5 + [3 / 4], dtype=torch.float64)
    torch.testing.assert_close(optimal_discriminator(LOADED, FAIR), expected)


def test_optimal_discriminator_is_undefined_where_nobody_goes():
    answer = optimal_discriminator([0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0])
    assert answer[:3].tolist() == [1.0, 0.5, 0.0]
    assert answer[3].isnan()


@pytest.mark.parametrize("seed", range(5))
def test_no_other_discriminator_reaches_the_optimal_value(seed):
    p, q = random_dice(seed)
    best = value(optimal_discriminator(p, q), p, q)
    rng = torch.Generator().manual_seed(100 + seed)
    for other in torch.rand(200, 6, generator=rng, dtype=torch.float64):
        assert value(other, p, q) < best


@pytest.mark.parametrize("seed", range(5))
def test_value_at_the_optimum_is_twice_js_minus_log_4_on_dice(seed):
    p, q = random_dice(seed)
    best = value(optimal_discriminator(p, q), p, q)
    assert best.item() == pytest.approx(2 * js(p, q).item() - math.log(4), abs=1e-12)


@pytest.mark.parametrize(("mean", "std"), [(0, 1), (1, 1), (-2, 0.5), (6, 2)])
def test_value_at_the_optimum_is_twice_js_minus_log_4_on_densities(mean, std):
    p, q = gaussian(0, 1), gaussian(mean, std)
    best = value(optimal_discriminator(p, q), p, q, WEIGHTS)
    assert best.item() == pytest.approx(2 * js(p, q, WEIGHTS).item() - math.log(4), abs=1e-9)


def test_equilibrium_is_one_half_and_minus_log_4():
    p = gaussian(0.5, 1.5)
    torch.testing.assert_close(optimal_discriminator(p, p), torch.full_like(p, 0.5))
    assert value(optimal_discriminator(p, p), p, p, WEIGHTS).item() == pytest.approx(-math.log(4), abs=1e-12)


def test_value_takes_the_optimal_discriminator_even_where_both_densities_vanish():
    p, q = [0.5, 0.5, 0.0, 0.0], [0.0, 0.5, 0.5, 0.0]
    best = value(optimal_discriminator(p, q), p, q)
    assert best.item() == pytest.approx(2 * js(p, q).item() - math.log(4))


def test_rounding_of_a_near_certain_discriminator_costs_nothing():
    p, q = gaussian(0, 1), gaussian(8, 0.3)  # at −20 the model is too rare for a float than the data
    assert (optimal_discriminator(p, q) == 1).any()
    assert value(optimal_discriminator(p, q), p, q, WEIGHTS).item() == pytest.approx(0, abs=1e-8)


def test_a_certain_and_wrong_discriminator_has_value_minus_infinity():
    assert value([1.0, 1.0], [0.5, 0.5], [0.5, 0.5]).item() == -math.inf


def test_value_gradient_vanishes_at_the_optimum():
    discriminator = optimal_discriminator(LOADED, FAIR).requires_grad_()
    value(discriminator, LOADED, FAIR).backward()
    assert discriminator.grad.abs().max() < 1e-12


def test_kl_of_two_gaussians_has_its_closed_form():
    p, q = gaussian(1, 0.8), gaussian(-0.5, 1.7)
    expected = kl_divergence(Normal(1.0, 0.8), Normal(-0.5, 1.7)).item()
    assert kl(p, q, WEIGHTS).item() == pytest.approx(expected, abs=1e-6)
    assert kl(q, p, WEIGHTS).item() != pytest.approx(expected, abs=0.1)  # the order of the arguments matters


def test_kl_agrees_with_scipy_on_dice_and_is_infinite_outside_the_support():
    assert kl(LOADED, FAIR).item() == pytest.approx(rel_entr(LOADED.numpy(), FAIR.numpy()).sum())
    assert kl([0.5, 0.5], [1.0, 0.0]).item() == math.inf
    assert kl([1.0, 0.0], [0.5, 0.5]).item() == pytest.approx(math.log(2))


def test_js_is_symmetric_zero_for_equals_and_log_2_for_strangers():
    p, q = random_dice(0)
    assert js(p, q).item() == pytest.approx(js(q, p).item())
    assert js(p, p).item() == pytest.approx(0, abs=1e-15)
    assert js([1.0, 0.0], [0.0, 1.0]).item() == pytest.approx(math.log(2))


def test_js_counts_a_probability_too_small_to_be_halved_as_nothing():
    assert js([1.0, 5e-324], [1.0, 0.0]).item() == 0
    # Two far hills p = ½A + ½B and one of them, q = A: p/m is 2/3 on A and 2 on B, q/m is 4/3.
    p = 0.5 * gaussian(-3, 0.4) + 0.5 * gaussian(3, 0.4)
    expected = 0.5 * (0.5 * math.log(2 / 3) + 0.5 * math.log(2) + math.log(4 / 3))
    assert js(p, gaussian(3, 0.4), WEIGHTS).item() == pytest.approx(expected, abs=1e-9)


def test_js_of_equals_is_exactly_zero_and_never_shown_as_minus_zero():
    for std in (0.4, 0.7, 1.0, 1.9):
        assert f"{js(gaussian(0.3, std), gaussian(0.3, std), WEIGHTS).item():.4f}" == "0.0000"


def test_generator_slopes_are_the_derivatives_by_the_logit_and_survive_large_ones():
    logits = torch.tensor([-800.0, -3.0, 0.0, 0.7, 800.0], dtype=torch.float64, requires_grad=True)
    for name, slope in zip(("minimax", "non_saturating"), generator_slopes(logits), strict=True):
        loss = get_loss(name).generator(None, logits) * len(logits)  # of each logit: the loss is a mean
        (by_autograd,) = torch.autograd.grad(loss, logits)
        assert torch.allclose(slope, by_autograd, atol=1e-15)


def test_total_variation_of_shifted_gaussians_has_its_closed_form():
    # TV(N(0,1), N(m,1)) = 2Φ(m/2) − 1
    measured = total_variation(gaussian(0, 1), gaussian(1.5, 1), WEIGHTS)
    assert measured.item() == pytest.approx(2 * norm.cdf(0.75) - 1, abs=1e-5)
    assert total_variation([1.0, 0.0], [0.0, 1.0]).item() == 1


def test_wasserstein_of_shifted_densities_is_the_shift():
    assert wasserstein_1d(X, gaussian(-2, 1), gaussian(5, 1), WEIGHTS).item() == pytest.approx(7, abs=1e-6)


def test_wasserstein_agrees_with_scipy_on_uneven_dice():
    faces = torch.tensor([0.0, 0.5, 2.0, 3.0, 7.0, 8.0], dtype=torch.float64)
    p, q = random_dice(3)
    assert wasserstein_1d(faces, p, q).item() == pytest.approx(wasserstein_distance(faces, faces, p, q))


def test_js_stands_still_where_wasserstein_still_points_the_way():
    x, weights = quadrature(-20, 20, 8001)
    narrow = [torch.tensor(norm.pdf(x.numpy(), mean, 0.1)) for mean in (0, 4, 8)]
    assert abs(js(narrow[0], narrow[1], weights) - js(narrow[0], narrow[2], weights)) < 1e-12
    near, far = (wasserstein_1d(x, narrow[0], other, weights) for other in narrow[1:])
    assert (far - near).item() == pytest.approx(4, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kl([0.5, 0.5], [1.0]), "same shape"),
        (lambda: kl([0.5, 0.6], [0.5, 0.5]), "total probability 1, got 1.1"),
        (lambda: js([1.5, -0.5], [0.5, 0.5]), "non-negative"),
        (lambda: js([float("nan"), 1.0], [0.5, 0.5]), "finite"),
        (lambda: optimal_discriminator([-1.0], [1.0]), "non-negative"),
        (lambda: value([2.0, 0.5], [0.5, 0.5], [0.5, 0.5]), "sigmoid"),
        (lambda: value([0.5], [0.5, 0.5], [0.5, 0.5]), "shape"),
        (lambda: value([float("nan"), 0.5], [0.5, 0.5], [0.5, 0.5]), "probability"),
        (lambda: wasserstein_1d([1.0, 0.0], [0.5, 0.5], [0.5, 0.5]), "increasing"),
        (lambda: total_variation(gaussian(0, 1), gaussian(0, 1)), "quadrature"),
        (lambda: quadrature(1, 0), "low < high"),
        (lambda: quadrature(0, 1, 1), "2 points"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_two_perfect_players_end_at_the_data_and_V_falls_all_the_way():
    history = minimax_game(LOADED, rounds=200, rate=2.0)
    assert history.shape == (201, 6)
    torch.testing.assert_close(history[0], FAIR)
    torch.testing.assert_close(history[-1], LOADED, atol=1e-6, rtol=0)
    values = torch.stack([value(optimal_discriminator(LOADED, p), LOADED, p) for p in history])
    assert (values.diff() <= 1e-12).all()
    assert abs(values[-1] + math.log(4)) < 1e-9


def test_the_generators_first_step_by_hand():
    """∂V/∂θ_i = p_i · (log(1 − D*_i) − E_p[log(1 − D*)]), the envelope argument included."""
    cost = (FAIR / (LOADED + FAIR)).log()
    theta = -0.7 * FAIR * (cost - (FAIR * cost).sum())
    torch.testing.assert_close(minimax_game(LOADED, rounds=1, rate=0.7)[1], theta.softmax(0))
