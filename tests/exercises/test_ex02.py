"""The checkers of notebook 02: right answers in several forms, untouched stubs, typical mistakes."""

import pytest
import torch

from course_utils.checks import run_check


def stub(*arguments):
    raise NotImplementedError("your code here")


def sigmoid(x):
    return torch.sigmoid(torch.as_tensor(x))


def generator_first(field, point, h):
    point = torch.stack([point[0] + h * field(point)[0], point[1]])
    return torch.stack([point[0], point[1] + h * field(point)[1]])


def alternating_in_place(field, point, h):
    point[1] += h * field(point)[1]
    point[0] += h * field(point)[0]
    return point


def alternating_in_a_copy(field, point, h):
    return alternating_in_place(field, point.clone(), h)


def alternating_by_masks(field, point, h):
    point = point + h * field(point) * torch.tensor([0, 1])
    return point + h * field(point) * torch.tensor([1, 0])


def twice(field, point, h):
    point = point + h * field(point)
    return point + h * field(point)


CHOICES = {"A": "out", "B": "circle", "C": "out", "D": "in", "E": "out", "F": "circle"}

RIGHT = [
    ("2.1", lambda t, p: (p * sigmoid(-p * t), -t * sigmoid(p * t))),
    ("2.1", lambda t, p: torch.stack([p / (1 + (p * t).exp()), -t / (1 + (-p * t).exp())])),
    ("2.2", alternating_in_a_copy),
    ("2.2", alternating_by_masks),
    ("2.3", lambda e, h: (1 + h * e).abs().max()),
    ("2.3", lambda e, h: max(abs(1 + h * complex(value)) for value in e)),
    ("2.4", CHOICES),
    ("2.4", {name: f" {choice.upper()} " for name, choice in CHOICES.items()}),
    ("2.5", lambda field, w, h: w + h * field(w + h * field(w))),
    ("2.5", lambda field, w, h: [*(w + h * field(h * field(w) + w))]),
    ("2.6", 1),
    ("2.6", torch.tensor([0.5]).item() * 2.0),
]

WRONG = [
    ("2.1", lambda t, p: (-p * sigmoid(-p * t), t * sigmoid(p * t)), "uphill"),
    ("2.1", lambda t, p: (p * sigmoid(-p * t), t * sigmoid(p * t)), "arrow of ψ climbs"),
    ("2.1", lambda t, p: (-p * sigmoid(-p * t), -t * sigmoid(p * t)), "arrow of θ climbs"),
    ("2.1", lambda t, p: (p * sigmoid(p * t), -t * sigmoid(p * t)), "saturating generator"),
    ("2.1", lambda t, p: (sigmoid(-p * t), -sigmoid(p * t)), "inner derivative"),
    ("2.1", lambda t, p: (t * sigmoid(-p * t), -p * sigmoid(p * t)), "other player's number"),
    ("2.1", lambda t, p: (-t * sigmoid(p * t), p * sigmoid(-p * t)), "order"),
    ("2.1", lambda t, p: (p, -t * sigmoid(p * t)), "velocity of ψ is right, but the velocity of θ"),
    ("2.1", lambda t, p: p * sigmoid(-p * t), "two numbers"),
    ("2.2", lambda field, w, h: w + h * field(w), "simultaneous step"),
    ("2.2", generator_first, "generator moved first"),
    ("2.2", twice, "moved twice"),
    ("2.2", lambda field, w, h: w + h * field(w) * torch.tensor([0, 1]), "generator's half is missing"),
    ("2.2", lambda field, w, h: w, "has not moved"),
    ("2.2", alternating_in_place, "changes `point` itself"),
    ("2.2", lambda *arguments: alternating_by_masks(*arguments).flip(0), "wrong order"),
    ("2.3", lambda e, h: e.abs().max(), "of the field"),
    ("2.3", lambda e, h: (1 + h * e.real).abs().max(), "imaginary part"),
    ("2.3", lambda e, h: 1 + h * e.abs().max(), "whole 1 + h·λ"),
    ("2.3", lambda e, h: (1 + e).abs().max(), "step size is missing"),
    ("2.3", lambda e, h: (h * e.real).exp().max(), "growth of the flow"),
    ("2.3", lambda e, h: (1 + h * e).abs().min(), "smallest factor"),
    ("2.3", lambda e, h: (1 + h * e[0]).abs(), "first eigenvalue"),
    ("2.3", lambda e, h: (1 + h * e).abs(), "each eigenvalue"),
    ("2.3", lambda e, h: (1 + h * e).abs().max() ** 2, "take its root"),
    ("2.4", CHOICES | {"C": "in"}, "C does something else"),
    ("2.4", CHOICES | {"B": "in"}, "determinant 1"),
    ("2.4", CHOICES | {"E": "in"}, "Does the damping still win"),
    ("2.4", CHOICES | {"F": "in", "A": "circle"}, "4 of 6"),
    ("2.4", CHOICES | {"A": "outwards"}, "you gave 'outwards'"),
    ("2.4", {"A": "out"}, 'keys A–F, such as {"A": "in"'),
    ("2.4", ["out"] * 6, "Give a dictionary"),
    ("2.1", lambda t, p: (p / 2, -t / 2), "right only where ψθ = 0"),
    ("2.1", lambda t, p: (p, -t), "at (1, 0) it is (0, -1)"),
    ("2.2", lambda field, w, h: w - h * field(w), "against the arrows"),
    ("2.2", lambda field, w, h: w + 2 * h * field(w), "First ψ moves by"),
    ("2.3", lambda e, h: (1 + h * e).abs().mean(), "mean of the factors"),
    ("2.5", lambda field, w, h: w + h * field(w + 2 * h * field(w)), "The arrow one step ahead"),
    ("2.2", lambda field, w, h: torch.tensor([1.284965, 0.520003]), "same whatever the arguments"),
    ("2.5", lambda field, w, h: torch.tensor([0.76, 0.755]), "does not change when the arguments do"),
    ("2.5", lambda field, w, h: w + h * field(w), "where you look"),
    ("2.5", twice, "stepped on from"),
    ("2.5", lambda field, w, h: w + h / 2 * (field(w) + field(w + h * field(w))), "Heun"),
    ("2.5", lambda field, w, h: w + h * field(w + h / 2 * field(w)), "half a step ahead"),
    ("2.5", lambda field, w, h: w - h * field(w + h * field(w)), "backwards"),
    ("2.6", 2, "best for the WGAN"),
    ("2.6", 0.5, "up to where"),
    ("2.6", 10, "too much damping"),
    ("2.6", 0, "for ever"),
    ("2.6", -1, "rewards steep"),
    ("2.6", "one", "`best_gamma`"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_typical_mistakes_get_their_own_message(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message


@pytest.mark.parametrize("number", ["2.1", "2.2", "2.3", "2.5"])
def test_untouched_functions_are_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


@pytest.mark.parametrize(("number", "answer"), [("2.4", dict.fromkeys(CHOICES, ...)), ("2.6", ...)])
def test_untouched_values_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


def test_the_predictions_are_what_the_eigenvalues_say():
    from course_utils.exercises.ex02_game_dynamics import PREDICTIONS
    from course_utils.theory.game_dynamics import (
        Game,
        alternating,
        bilinear,
        dirac_gan,
        predicted_growth,
        simultaneous,
    )

    def five_to_one(field, now, before, h):
        return alternating(field, now, before, h, discriminator_steps=5)

    damped = Game(
        lambda theta, psi: theta * psi + 0.05 * theta**2,
        lambda theta, psi: -theta * psi + 0.05 * psi**2,
    )
    growth = {
        "A": predicted_growth(bilinear(), simultaneous, 0.1),
        "B": predicted_growth(bilinear(), alternating, 0.1),
        "C": predicted_growth(bilinear(), simultaneous, 0.01),
        "D": predicted_growth(damped, simultaneous, 0.1),
        "E": predicted_growth(damped, simultaneous, 0.5),
        "F": predicted_growth(dirac_gan("wasserstein"), five_to_one, 0.1),
    }
    for name, factor in growth.items():
        fate = "circle" if abs(factor - 1) < 1e-9 else "out" if factor > 1 else "in"
        assert fate == PREDICTIONS[name][0], name
