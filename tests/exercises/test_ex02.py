"""The checkers of notebook 02: right answers in several forms, untouched stubs, typical mistakes."""

import math

import pytest
import torch

from course_utils.checks import run_check


def stub(*arguments):
    raise NotImplementedError("your code here")


def sigmoid(x):
    return torch.sigmoid(torch.as_tensor(x))


def discriminator_moves(field, w, h, times):
    for _ in range(times):
        w = torch.stack([w[0], w[1] + h * field(w)[1]])
    return w


def generator_moves(field, w, h):
    return torch.stack([w[0] + h * field(w)[0], w[1]])


def training_round(field, w, h, n):
    return generator_moves(field, discriminator_moves(field, w, h, n), h)


def round_in_place(field, w, h, n):
    for _ in range(n):
        w[1] += h * field(w)[1]
    w[0] += h * field(w)[0]
    return w


def round_in_a_copy(field, w, h, n):
    return round_in_place(field, w.clone(), h, n)


def round_by_masks(field, w, h, n):
    for _ in range(n):
        w = w + h * field(w) * torch.tensor([0, 1])
    return w + h * field(w) * torch.tensor([1, 0])


def old_psi(field, w, h, n):
    return torch.stack([w[0] + h * field(w)[0], discriminator_moves(field, w, h, n)[1]])


def generator_first(field, w, h, n):
    return discriminator_moves(field, generator_moves(field, w, h), h, n)


def simultaneous_steps(field, w, h, n):
    for _ in range(n):
        w = w + h * field(w)
    return w


def whole_rounds(field, w, h, n):
    for _ in range(n):
        w = training_round(field, w, h, 1)
    return w


def same_arrow(field, w, h, n):
    return generator_moves(field, torch.stack([w[0], w[1] + n * h * field(w)[1]]), h)


def bounds(e):
    return -2 * e.real / e.abs() ** 2


# --- 2.7: eigenvalues and a run, from two losses -------------------------------------------------------


def slopes(generator_loss, discriminator_loss):
    return torch.func.grad(generator_loss, argnums=0), torch.func.grad(discriminator_loss, argnums=1)


def alternating_step(generator_loss, discriminator_loss, h):
    of_theta, of_psi = slopes(generator_loss, discriminator_loss)

    def step(w):
        theta, psi = w
        psi = psi - h * of_psi(theta, psi)
        return torch.stack([theta - h * of_theta(theta, psi), psi])

    return step


def simultaneous_step(generator_loss, discriminator_loss, h):
    of_theta, of_psi = slopes(generator_loss, discriminator_loss)
    return lambda w: w - h * torch.stack([of_theta(*w), of_psi(*w)])


def values_of(step):
    return torch.linalg.eigvals(torch.func.jacrev(step)(torch.zeros(2, dtype=torch.float64)))


def distances(step, start=1e-6, steps=200):
    w, found = torch.tensor([start, 0.0], dtype=torch.float64), []
    for _ in range(steps):
        w = step(w)
        found.append(w.norm().item())
    return found


def fate(generator_loss, discriminator_loss, h, start=1e-6, steps=200):
    step = alternating_step(generator_loss, discriminator_loss, h)
    found = distances(step, start, steps)
    return values_of(step), (found[-1] / found[len(found) // 4]) ** (1 / (len(found) - 1 - len(found) // 4))


def fate_by_hand(generator_loss, discriminator_loss, h):
    """With autograd's graph, the matrix written down, and the slope of log r by least squares."""

    def field(w):
        theta, psi = (part.clone().requires_grad_() for part in w)
        (of_theta,) = torch.autograd.grad(generator_loss(theta, psi), theta)
        (of_psi,) = torch.autograd.grad(discriminator_loss(theta, psi), psi)
        return torch.stack([-of_theta, -of_psi])

    tiny = 1e-6
    columns = [field(tiny * unit) / tiny for unit in torch.eye(2, dtype=torch.float64)]
    (a, b), (c, d) = torch.stack(columns, dim=1)
    matrix = torch.stack(
        [torch.stack([1 + h * a + h * h * b * c, h * b * (1 + h * d)]), torch.stack([h * c, 1 + h * d])]
    )
    w, logs = torch.tensor([1e-5, 1e-5], dtype=torch.float64), []
    for _ in range(300):
        w = torch.stack([w[0], w[1] + h * field(w)[1]])
        w = torch.stack([w[0] + h * field(w)[0], w[1]])
        logs.append(w.norm().log())
    logs = torch.stack(logs)[150:]
    k = torch.arange(150.0, dtype=torch.float64)
    slope = ((k - k.mean()) * (logs - logs.mean())).sum() / (k - k.mean()).square().sum()
    return torch.linalg.eigvals(matrix), slope.exp()


def values_of_the_field(generator_loss, discriminator_loss, h):
    one = simultaneous_step(generator_loss, discriminator_loss, 1.0)
    return values_of(one) - 1, fate(generator_loss, discriminator_loss, h)[1]


def values_of_simultaneous(generator_loss, discriminator_loss, h):
    step = simultaneous_step(generator_loss, discriminator_loss, h)
    return values_of(step), fate(generator_loss, discriminator_loss, h)[1]


def run_of_simultaneous(generator_loss, discriminator_loss, h):
    found = distances(simultaneous_step(generator_loss, discriminator_loss, h))
    return fate(generator_loss, discriminator_loss, h)[0], (found[-1] / found[0]) ** (1 / 199)


def not_measured(generator_loss, discriminator_loss, h):
    values = values_of(alternating_step(generator_loss, discriminator_loss, h))
    return values, values.abs().max()


def changed(change):
    """The right answer, with another measured growth, or other values."""
    return lambda *arguments: change(*fate(*arguments))


CHOICES = {"A": "out", "B": "circle", "C": "out", "D": "in", "E": "out", "F": "circle"}

RIGHT = [
    ("2.1", lambda t, p: (p * sigmoid(-p * t), -t * sigmoid(p * t))),
    ("2.1", lambda t, p: torch.stack([p / (1 + (p * t).exp()), -t / (1 + (-p * t).exp())])),
    ("2.2", round_in_a_copy),
    ("2.2", round_by_masks),
    ("2.3", lambda e: bounds(e).min().clamp(min=0)),
    ("2.3", lambda e: max(0.0, min(-2 * complex(v).real / abs(complex(v)) ** 2 for v in e))),
    ("2.4", CHOICES),
    ("2.4", {name: f" {choice.upper()} " for name, choice in CHOICES.items()}),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs().max()),
    ("2.5", lambda e, h: max(abs(1 + h * complex(v) * (1 + h * complex(v))) for v in e)),
    ("2.6", 1),
    ("2.6", torch.tensor([0.5]).item() * 2.0),
    ("2.7", fate),
    ("2.7", fate_by_hand),
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
    ("2.2", old_psi, "arrow at the old ψ"),
    ("2.2", generator_first, "generator moved first"),
    ("2.2", simultaneous_steps, "arrow at the old ψ"),
    ("2.2", lambda field, w, h, n: w - h * field(w), "against the arrows"),
    ("2.2", lambda field, w, h, n: w + 2 * h * field(w), "whatever `n` is"),
    (
        "2.2",
        lambda f, w, h, n: discriminator_moves(f, w, h, n) + torch.tensor([0.1, 0]),
        "which place does it look",
    ),
    ("2.3", lambda e: bounds(e).mean(), "mean of the two"),
    ("2.3", lambda e: bounds(e).min().clamp(min=0) * 1.2, "At the bound it is just 1"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs().mean(), "mean of the factors"),
    ("2.5", lambda e, h: (1 + h * e + 3 * (h * e) ** 2).abs().max(), "Along an eigenvector"),
    ("2.2", whole_rounds, "once, at the end"),
    ("2.2", lambda field, w, h, n: training_round(field, w, h, 1), "one step only"),
    ("2.2", lambda field, w, h, n: training_round(field, w, h, n + 1), "too many"),
    (
        "2.2",
        lambda field, w, h, n: training_round(field, w, h, n - 1),
        "half is missing|too few",
    ),
    ("2.2", same_arrow, "same arrow"),
    ("2.2", lambda field, w, h, n: discriminator_moves(field, w, h, n), "generator's half is missing"),
    ("2.2", lambda field, w, h, n: training_round(field, w, -h, n), "Both went backwards"),
    ("2.2", lambda field, w, h, n: w, "has not moved"),
    ("2.2", round_in_place, "changes `w` itself"),
    ("2.2", lambda *arguments: round_by_masks(*arguments).flip(0), "wrong order"),
    ("2.3", bounds, "for each eigenvalue"),
    ("2.3", lambda e: bounds(e).min(), "no step settles"),
    ("2.3", lambda e: bounds(e).max().clamp(min=0), "larger of the two"),
    ("2.3", lambda e: bounds(e)[0].clamp(min=0), "larger of the two|first eigenvalue"),
    ("2.3", lambda e: bounds(e).min().clamp(min=0) / 2, "half of it"),
    ("2.3", lambda e: (-2 / e.real).min().clamp(min=0, max=99), "imaginary part"),
    ("2.3", lambda e: (2 / e.abs()).min(), "where does Im λ enter"),
    ("2.3", lambda e: (-2 * e.real / e.abs()).min().clamp(min=0), "square of the modulus"),
    ("2.3", lambda e: -bounds(e).min(), "sign is wrong"),
    ("2.3", lambda e: 0.2, "whatever the arguments|does not change"),
    ("2.4", CHOICES | {"C": "in"}, "C does something else"),
    ("2.4", CHOICES | {"B": "in"}, "determinant 1"),
    ("2.4", CHOICES | {"E": "in"}, "Does the damping still win"),
    ("2.4", CHOICES | {"F": "in", "A": "circle"}, "4 of 6"),
    ("2.4", CHOICES | {"A": "outwards"}, "you gave 'outwards'"),
    ("2.4", {"A": "out"}, "No prediction for B"),
    ("2.4", ["out"] * 6, "Give a dictionary"),
    ("2.2", lambda field, w, h, n: torch.tensor([1.284965, 0.520003]), "same whatever the arguments"),
    ("2.5", lambda e, h: 0.995, "whatever the arguments|does not change"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs(), "each eigenvalue"),
    ("2.5", lambda e, h: (1 + h * e).abs().max(), "simultaneous step"),
    ("2.5", lambda e, h: ((1 + h * e) ** 2).abs().max(), "two simultaneous steps"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2 / 2).abs().max(), "midpoint"),
    ("2.5", lambda e, h: (1 + (h * e) ** 2).abs().max(), "A term is missing"),
    ("2.5", lambda e, h: (1 + h * (e + e**2)).abs().max(), "so does h"),
    ("2.5", lambda e, h: 1 + (h * e).abs().max() + (h * e).abs().max() ** 2, "modulus at the end"),
    ("2.5", lambda e, h: (1 + h * e.real + (h * e.real) ** 2).abs().max(), "imaginary part"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2)[0].abs(), "first eigenvalue|smallest"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs().min(), "smallest|first eigenvalue"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs().max() ** 2, "take its root"),
    ("2.7", lambda *losses: fate(*losses)[0], "Return two things"),
    ("2.7", changed(lambda values, growth: (values.abs(), growth)), "should be complex"),
    ("2.7", changed(lambda values, growth: (values.abs().max(), growth)), "of shape (2,)"),
    ("2.7", changed(lambda values, growth: (1 / values, growth)), "go backwards|goes backwards"),
    ("2.7", changed(lambda values, growth: (values + 0.3, growth)), "their sum should be"),
    ("2.7", values_of_the_field, "λ of J"),
    ("2.7", values_of_simultaneous, "of a simultaneous step"),
    ("2.7", run_of_simultaneous, "*simultaneous* steps"),
    ("2.7", not_measured, "not measured"),
    ("2.7", changed(lambda values, growth: (values, growth**2)), "is the square"),
    ("2.7", changed(lambda values, growth: (values, math.log(growth))), "its logarithm"),
    ("2.7", changed(lambda values, growth: (values, growth**200)), "Per step it is a root"),
    (
        "2.7",
        lambda *losses: fate(*losses, start=0.5, steps=400),
        "start nearer|Start nearer|starts at a distance|NaN",
    ),
    ("2.1", lambda t, p: (p / 2, -t / 2), "near (0, 0) only"),
    ("2.1", lambda t, p: (p, -t), "the Wasserstein game"),
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
    assert any(part in verdict.message for part in words.split("|")), verdict.message


@pytest.mark.parametrize("number", ["2.1", "2.2", "2.3", "2.5", "2.7"])
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
