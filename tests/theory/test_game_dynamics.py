"""The games on the plane: eigenvalues in closed form, and runs that do what the eigenvalues say."""

import math

import numpy as np
import pytest
import torch

from course_utils.losses import LOSSES
from course_utils.theory.game_dynamics import (
    GAMES,
    RULES,
    alternating,
    alternating_fate,
    bilinear,
    dirac_gan,
    eigenvalues,
    extragradient,
    field_on_grid,
    jacobian,
    measured_growth,
    moving_average,
    moving_average_gain,
    optimistic,
    play,
    predicted_growth,
    running_mean,
    simultaneous,
    update_eigenvalues,
    vector_field,
)


def point(theta, psi):
    return torch.tensor([theta, psi], dtype=torch.float64)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


HAND_DERIVED_FIELDS = {
    "bilinear": lambda theta, psi: (-psi, theta),
    "Dirac-WGAN": lambda theta, psi: (psi, -theta),
    "minimax Dirac-GAN": lambda theta, psi: (psi * sigmoid(psi * theta), -theta * sigmoid(psi * theta)),
    "non-saturating Dirac-GAN": lambda theta, psi: (
        psi * sigmoid(-psi * theta),
        -theta * sigmoid(psi * theta),
    ),
}


@pytest.mark.parametrize("name", GAMES)
def test_field_is_the_one_derived_by_hand(name):
    field = vector_field(GAMES[name]())
    for theta, psi in [(0.7, -1.3), (1.5, 0.4), (-2.0, -0.1)]:
        assert field(point(theta, psi)).tolist() == pytest.approx(HAND_DERIVED_FIELDS[name](theta, psi))


def test_every_game_rests_at_the_origin():
    for make in GAMES.values():
        assert vector_field(make())(point(0.0, 0.0)).tolist() == [0, 0]


def test_grid_holds_the_field_at_each_place():
    game = dirac_gan()
    places, arrows = field_on_grid(game, radius=1.5, points=4)
    assert places.shape == arrows.shape == (16, 2)
    assert places.abs().max() == 1.5
    torch.testing.assert_close(arrows[5], vector_field(game)(places[5]))


@pytest.mark.parametrize(
    ("game", "speed"),
    [(bilinear(), 1), (dirac_gan("wasserstein"), 1), (dirac_gan("minimax"), 0.5), (dirac_gan(), 0.5)],
)
def test_unregularised_games_have_purely_imaginary_eigenvalues(game, speed):
    imaginary = eigenvalues(game).imag.sort().values.tolist()
    assert imaginary == pytest.approx([-speed, speed])
    assert eigenvalues(game).real.abs().max() < 1e-12


@pytest.mark.parametrize("gamma", [0.1, 0.5, 2.0])
def test_r1_moves_the_eigenvalues_to_the_left_as_published(gamma):
    # Mescheder et al. 2018: λ = −γ/2 ± √(γ²/4 − f'(0)²), f'(0) = ½ for the logistic losses
    root = np.emath.sqrt(gamma**2 / 4 - 0.25)
    expected = np.sort_complex([-gamma / 2 - root, -gamma / 2 + root])
    assert np.sort_complex(eigenvalues(dirac_gan(r1=gamma)).numpy()) == pytest.approx(expected)


@pytest.mark.parametrize("std", [0.3, 1.0])
@pytest.mark.parametrize("loss", ["minimax", "non_saturating"])
def test_instance_noise_moves_the_eigenvalues_to_the_left_as_published(loss, std):
    # Mescheder et al. 2018: λ = f''(0)σ² ± √(f''(0)²σ⁴ − f'(0)²), f''(0) = −¼
    root = np.emath.sqrt(std**4 / 16 - 0.25)
    expected = np.sort_complex([-(std**2) / 4 - root, -(std**2) / 4 + root])
    found = np.sort_complex(eigenvalues(dirac_gan(loss, noise_std=std)).numpy())
    assert found == pytest.approx(expected)


def test_instance_noise_does_nothing_to_the_linear_critic():
    quiet, noisy = dirac_gan("wasserstein"), dirac_gan("wasserstein", noise_std=1.0)
    here = point(0.8, -0.6)
    torch.testing.assert_close(vector_field(noisy)(here), vector_field(quiet)(here))


def test_noise_points_stand_for_the_gaussian():
    # against Gauss–Hermite quadrature of the same expectation, away from the equilibrium
    theta, psi, std = 0.8, -1.2, 0.7
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    logits = psi * (theta + std * nodes)
    expected = -(weights * psi / (1 + np.exp(logits))).sum() / weights.sum()  # ∂/∂θ of −E[log σ(ψ(θ + σε))]
    found = vector_field(dirac_gan(noise_std=std))(point(theta, psi))[0].item()
    assert found == pytest.approx(-expected, abs=1e-3)


# --- update rules ---


def test_update_eigenvalues_in_closed_form():
    h = 0.3
    for rule, moduli in {
        simultaneous: [math.sqrt(1 + h**2)] * 2,  # |1 + ih|
        alternating: [1, 1],  # determinant 1, complex pair
        extragradient: [math.sqrt(1 - h**2 + h**4)] * 2,  # |1 + ih − h²|
    }.items():
        found = update_eigenvalues(bilinear(), rule, h).abs().sort(descending=True).values
        assert found.tolist() == pytest.approx([*moduli, 0, 0], abs=1e-9)


def test_optimistic_eigenvalues_solve_their_quadratic():
    h = 0.3
    roots = [root for sign in (1, -1) for root in np.roots([1, -(1 + 2j * sign * h), 1j * sign * h])]
    found = update_eigenvalues(bilinear(), optimistic, h).numpy()
    assert np.sort(np.abs(found)) == pytest.approx(np.sort(np.abs(roots)))


def test_momentum_eigenvalues_solve_their_quadratic():
    h, momentum = 0.1, 0.5
    roots = [root for sign in (1, -1) for root in np.roots([1, -(1 + momentum + 1j * sign * h), momentum])]
    found = update_eigenvalues(bilinear(), RULES["momentum 0.5"], h).numpy()
    assert np.sort(np.abs(found)) == pytest.approx(np.sort(np.abs(roots)))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("game", [*GAMES, "r1", "instance noise"])
def test_the_run_grows_at_the_predicted_rate(game, rule):
    game = {"r1": dirac_gan(r1=0.5), "instance noise": dirac_gan(noise_std=0.7)}.get(game) or GAMES[game]()
    predicted = math.log(predicted_growth(game, RULES[rule], 0.2))
    # a run that leaves starts so near the equilibrium that the game is still linear at its end
    run = play(game, RULES[rule], 0.2, 300, start=(1e-12 if predicted > 0 else 1e-3, 0.0))
    measured = math.log(measured_growth(run))
    assert measured == pytest.approx(predicted, rel=0.05, abs=1e-4)


@pytest.mark.parametrize("step_size", [0.03, 0.1, 0.5])
def test_the_predicted_rate_holds_for_small_and_large_steps(step_size):
    predicted = math.log(predicted_growth(bilinear(), simultaneous, step_size))
    assert predicted == pytest.approx(0.5 * math.log(1 + step_size**2))
    measured = math.log(measured_growth(play(bilinear(), simultaneous, step_size, 200)))
    assert measured == pytest.approx(predicted, rel=0.05)


def test_alternating_circles_and_more_discriminator_steps_do_not_change_that():
    def five_to_one(field, now, before, h):
        return alternating(field, now, before, h, discriminator_steps=5)

    for rule in (alternating, five_to_one):
        assert predicted_growth(bilinear(), rule, 0.3) == pytest.approx(1)
    distance = play(bilinear(), five_to_one, 0.3, 600).norm(dim=1)
    assert 0.3 < distance[-100:].max() < 3


def test_alternating_diverges_beyond_the_published_bound():
    # Mescheder et al. 2018: on the unit circle if and only if h ≤ 2/|f'(0)|
    assert predicted_growth(dirac_gan(), alternating, 3.99) == pytest.approx(1)
    assert predicted_growth(dirac_gan(), alternating, 4.01) > 1.01


def test_alternating_moves_the_discriminator_first():
    after = alternating(vector_field(bilinear()), point(1.0, 0.0), point(1.0, 0.0), 0.1)
    assert after.tolist() == pytest.approx([1 - 0.1 * 0.1, 0.1])  # θ already feels the new ψ


def test_two_step_sizes_act_like_their_geometric_mean():
    both = torch.tensor([0.05, 0.2], dtype=torch.float64)
    assert predicted_growth(bilinear(), simultaneous, both) == pytest.approx(
        predicted_growth(bilinear(), simultaneous, 0.1)
    )


def test_saturating_and_non_saturating_agree_at_the_equilibrium_only():
    torch.testing.assert_close(jacobian(dirac_gan("minimax")), jacobian(dirac_gan("non_saturating")))
    away = point(1.0, 1.0)
    assert not torch.allclose(
        vector_field(dirac_gan("minimax"))(away), vector_field(dirac_gan("non_saturating"))(away)
    )


@pytest.mark.parametrize("h", [0.1, 0.3])
def test_non_saturating_game_settles_on_a_circle_of_radius_root_2h(h):
    run = play(dirac_gan(), simultaneous, h, int(300 / h))
    turns = run[-int(60 / h) :]  # the last time 60, almost five turns of 4π
    assert turns.norm(dim=1).mean().item() == pytest.approx(math.sqrt(2 * h), rel=0.02)


def test_losses_are_the_courses_own():
    theta, psi = point(0.9, -0.4)
    real_logits, fake_logits = torch.zeros(1, dtype=torch.float64), (psi * theta)[None]
    game, loss = dirac_gan("minimax"), LOSSES["minimax"]
    assert game.generator_loss(theta, psi) == loss.generator(real_logits, fake_logits)
    assert game.discriminator_loss(theta, psi) == loss.discriminator(real_logits, fake_logits)


# --- averages ---


def test_running_mean_of_a_circle_shrinks_like_one_over_t():
    means = running_mean(play(bilinear(), alternating, 0.1, 2000))
    assert (
        means[1000:].norm(dim=1) * torch.arange(1000, 2001)
    ).max() < 25  # 2/h = 20, the longest chord of sums


def test_moving_average_leaves_the_predicted_share_of_a_circle():
    h, half_life = 0.1, 100
    angle = math.acos(1 - h**2 / 2)  # trace 2 − h² = 2 cos φ
    run = play(bilinear(), alternating, h, 3000)
    averaged = moving_average(run, half_life)[-1000:].norm(dim=1)
    fraction = averaged.mean() / run[-1000:].norm(dim=1).mean()
    assert fraction.item() == pytest.approx(moving_average_gain(half_life, angle), rel=0.02)


def test_moving_average_forgets_half_in_a_half_life():
    points = torch.zeros(11, 2, dtype=torch.float64)
    points[0] = 1
    assert moving_average(points, half_life=10)[10].tolist() == pytest.approx([0.5, 0.5])


# --- bad input ---


def test_clear_errors():
    with pytest.raises(ValueError, match="≥ 0, got -1"):
        dirac_gan(r1=-1)
    with pytest.raises(ValueError, match="choose one of"):
        dirac_gan("softmax")
    with pytest.raises(ValueError, match="positive number of steps, got 0"):
        moving_average(torch.zeros(3, 2), half_life=0)
    with pytest.raises(ValueError, match="finite"):
        measured_growth(torch.full((5, 2), math.inf))


def test_the_fate_of_a_game_is_predicted_and_measured_alike():
    game = dirac_gan(r1=0.6)
    values, growth = alternating_fate(*game, 0.3)
    assert values.abs().max().item() == pytest.approx(predicted_growth(game, alternating, 0.3))
    assert growth == pytest.approx(values.abs().max().item(), abs=1e-3)
