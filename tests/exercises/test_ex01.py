"""The checkers of notebook 01: right answers in several forms, untouched stubs, typical mistakes."""

import math
import re

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import logsigmoid, softplus

from course_utils.checks import run_check
from course_utils.theory import generator_slopes, kl, minimax_game, value


def stub(*arguments):
    raise NotImplementedError("your code here")


def value_with_a_loop(d, p, q):
    total = 0.0
    for face in range(len(p)):
        total += p[face].item() * math.log(d[face]) + q[face].item() * math.log(1 - d[face])
    return total


def value_with_a_loop_of_tensors(d, p, q):
    total = 0.0
    for face in range(len(p)):
        total = total + p[face] * d[face].log() + q[face] * (1 - d[face]).log()
    return total


def value_in_place(d, p, q):
    result = value(d, p, q)
    p.mul_(d.log())
    return result


def half_detached(real, fake):
    return softplus(-real).mean() + softplus(fake.detach()).mean()


def slopes_of_the_first_call():
    first = []

    def slopes(logits):
        first.append(generator_slopes(logits))
        return first[0]

    return slopes


def cross_entropy_loss(real, fake):
    return cross_entropy(real, torch.ones_like(real)) + cross_entropy(fake, torch.zeros_like(fake))


def js_by_hand(p, q, weights=1.0):
    m = (p + q) / 2
    return 0.5 * (weights * (torch.xlogy(p, p / m) + torch.xlogy(q, q / m))).sum()


def js_of_positive_dice(p, q, weights=1.0):
    m = (p + q) / 2
    return 0.5 * (weights * (p * (p / m).log() + q * (q / m).log())).sum()


def middle_kl(p, q, weights=1.0):
    return 0.5 * kl(p, (p + q) / 2, weights) + 0.5 * kl(q, (p + q) / 2, weights)


def slopes_by_autograd(logits):
    logits = logits.clone().requires_grad_()
    (saturating,) = torch.autograd.grad(-softplus(logits).sum(), logits)
    (non_saturating,) = torch.autograd.grad(softplus(-logits).sum(), logits)
    return saturating, non_saturating


def game(p, rounds, rate, *, held=True, once=False, as_list=False, loss=None):
    theta, rows, answer = torch.zeros_like(p), [], None
    for _ in range(rounds + 1):
        theta = theta.detach().requires_grad_()
        q = theta.softmax(0)
        rows.append(q.detach())
        if answer is None or not once:
            answer = p / (p + (q.detach() if held else q))
        v = loss(answer, q) if loss else value(answer, p, q)
        (slope,) = torch.autograd.grad(v, theta)
        theta = theta - rate * slope
    return rows if as_list else torch.stack(rows)


def value_without_care(p):
    return lambda d, q: (p * d.log()).sum() + (q * (1 - d).log()).sum()


def game_by_hand(p, rounds, rate):
    """Without autograd: the slope of V in θ by pencil and paper."""
    theta = torch.zeros_like(p)
    rows = [theta.softmax(0)]
    for _ in range(rounds):
        q = rows[-1]
        slope = (q / (p + q)).log()
        theta = theta - rate * q * (slope - q @ slope)
        rows.append(theta.softmax(0))
    return torch.stack(rows)


RIGHT = [
    ("1.1", value),
    ("1.1", value_with_a_loop_of_tensors),
    ("1.1", lambda d, p, q: p.float() @ d.float().log() + q.float() @ (1 - d.float()).log()),
    ("1.2", lambda p, q, share=0.5: share * p / (share * p + (1 - share) * q)),
    ("1.2", lambda p, q, share=0.5: 1 / (1 + (1 / share - 1) * q / p)),
    ("1.2", lambda p, q, share=0.5: torch.sigmoid((share * p).log() - ((1 - share) * q).log())),
    ("1.3", cross_entropy_loss),
    ("1.3", lambda r, f: -logsigmoid(r).mean() - logsigmoid(-f).mean()),
    ("1.3", lambda r, f: softplus(-r).mean() + softplus(f).mean()),
    ("1.4", middle_kl),
    ("1.4", js_by_hand),
    ("1.5", "c"),
    ("1.5", " C "),
    ("1.6", lambda t: (-t.sigmoid(), t.sigmoid() - 1)),
    ("1.6", lambda t: [-1 / (1 + (-t).exp()), -torch.sigmoid(-t)]),
    ("1.6", slopes_by_autograd),
    ("1.6", generator_slopes),
    ("1.7", minimax_game),
    ("1.7", game_by_hand),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate, held=False)),
    ("1.7", lambda p, rounds, rate: game_by_hand(p, rounds, rate).float()),
]

WRONG = [
    ("1.1", lambda d, p, q: -value(d, p, q), "sign is turned"),
    ("1.1", lambda d, p, q: (p * (1 - d).log() + q * d.log()).sum(), "swapped"),
    ("1.1", lambda d, p, q: ((p + q) * d.log()).sum(), "both terms use log D"),
    ("1.1", lambda d, p, q: (p * d.log() + p * (1 - d).log()).sum(), "averaged over the data"),
    ("1.1", lambda d, p, q: (d.log() + (1 - d).log()).sum(), "not weighted"),
    ("1.1", lambda d, p, q: d.log().mean() + (1 - d).log().mean(), "plain mean"),
    ("1.1", lambda d, p, q: (p * d.log() + q * (1 - d).log()).mean(), "number of faces"),
    ("1.1", lambda d, p, q: (p * d.log2() + q * (1 - d).log2()).sum(), "in bits"),
    ("1.1", lambda d, p, q: (p * d.log()).sum(), "generator's is missing"),
    ("1.1", lambda d, p, q: (q * (1 - d).log()).sum(), "data's is missing"),
    ("1.1", lambda d, p, q: p * d.log() + q * (1 - d).log(), "single number"),
    ("1.1", lambda d, p, q: None, "return"),
    ("1.1", value_with_a_loop, "`math.log\\(0\\)` is an error"),
    ("1.1", lambda d, p, q: value(d.clamp(1e-6, 1 - 1e-6), p, q), "is something clipped"),
    ("1.1", lambda d, p, q: (p * d.log() + q * (1 - d + 1e-12).log()).sum(), "is something clipped"),
    ("1.1", value_in_place, "changes `p` itself"),
    ("1.1", lambda d, p, q: torch.tensor(-1.3862943611), "same whatever the arguments"),
    ("1.1", lambda d, p, q: (p * d.log() - q * (1 - d).log()).sum(), "is subtracted"),
    ("1.1", lambda d, p, q: (p * d.log10() + q * (1 - d).log10()).sum(), "in log₁₀"),
    ("1.1", lambda d, p, q: (p * d).sum().log() + (q * (1 - d)).sum().log(), "logarithms of averages"),
    ("1.2", lambda p, q: p / q, "density ratio"),
    ("1.2", lambda p, q: (p / q).clamp(max=1), "density ratio, capped"),
    ("1.2", lambda p, q: (p / q).clamp(max=0.999), "density ratio, capped"),
    ("1.2", lambda p, q: q / (p + q), "labels are swapped"),
    ("1.2", lambda p, q: (p > q).float(), "verdict"),
    ("1.2", lambda p, q: p, "data alone"),
    ("1.2", lambda p, q: p / p + q, "parentheses"),
    ("1.2", lambda p, q: (p - q) / (p + q), "from −1 to 1"),
    ("1.2", lambda p, q: torch.sigmoid(p - q), "sigmoid of the difference"),
    ("1.2", lambda p, q: (p / (p + q)).sum(), "one number for each place"),
    ("1.2", lambda p, q: 3 * p, r"leaves \[0, 1\]"),
    ("1.2", lambda p, q: p / (p + q + 0.5), "slope a/y − b/\\(1 − y\\) is still 0.575"),
    ("1.2", lambda p, q, share=0.5: share * p / (p + q), "half of it"),
    ("1.2", lambda p, q, share=0.5: p / (p + q), "does not look at `real_fraction`"),
    (
        "1.2",
        lambda p, q, share=0.5: (1 - share) * p / ((1 - share) * p + share * q),
        "fraction of the real ones",
    ),
    ("1.2", lambda p, q, share=0.5: p / (p + q) if share == 0.5 else share * p / (share * p + q), "1 − π"),
    ("1.2", lambda p, q, share=0.5: 2 * share * p / (p + q), "sum below"),
    ("1.3", lambda r, f: -cross_entropy_loss(r, f), "turn the sign"),
    ("1.3", lambda r, f: softplus(r).mean() + softplus(-f).mean(), "labels are swapped"),
    ("1.3", lambda r, f: cross_entropy_loss(r, f) / 2, "half of −V"),
    ("1.3", lambda r, f: torch.cat([softplus(-r), softplus(f)]).mean(), "one mean over both"),
    ("1.3", lambda r, f: softplus(-r).sum() + softplus(f).sum(), "sum over the samples"),
    ("1.3", lambda r, f: cross_entropy_loss(r.sigmoid(), f.sigmoid()), "sigmoid too many"),
    ("1.3", lambda r, f: -r.log().mean() - (1 - f).log().mean(), "log of a logit"),
    ("1.3", lambda r, f: -r.sigmoid().log().mean() - (1 - f.sigmoid()).log().mean(), "300"),
    ("1.3", lambda r, f: softplus(-r).mean(), "generated ones are missing"),
    ("1.3", lambda r, f: softplus(f).mean(), "real ones are missing"),
    ("1.3", lambda r, f: softplus(-r).mean() + softplus(-f).mean(), "treated as real"),
    ("1.3", lambda r, f: softplus(-r) + softplus(f[:1]), "take the mean"),
    ("1.3", lambda r, f: cross_entropy_loss(r, f).detach(), "lost its history"),
    ("1.3", lambda r, f: cross_entropy_loss(r, f).item(), "lost its history"),
    (
        "1.3",
        lambda r, f: 0.5 * softplus(-r).mean() + softplus(f).mean(),
        "part of the generated samples is right",
    ),
    ("1.3", lambda r, f: (r - 1).square().mean() + f.square().mean(), "as in least squares"),
    ("1.3", lambda r, f: cross_entropy_loss(r, f) + 0.1, "fixed number is added"),
    ("1.3", half_detached, "gradient for the logits of the generated samples"),
    ("1.4", lambda p, q: (kl(p, q) + kl(q, p)) / 2, "without the half-way"),
    ("1.4", lambda p, q: 2 * middle_kl(p, q), "twice too large"),
    ("1.4", lambda p, q: kl((p + q) / 2, p) / 2 + kl((p + q) / 2, q) / 2, "order is turned"),
    ("1.4", lambda p, q: kl(p, (p + q) / 2), "only p's half"),
    ("1.4", lambda p, q: kl(q, (p + q) / 2), "only q's half"),
    ("1.4", lambda p, q: middle_kl(p, q) / math.log(2), "in bits"),
    ("1.4", lambda p, q: middle_kl(p, q).sqrt(), "root"),
    ("1.4", lambda p, q: 2 * middle_kl(p, q) - math.log(4), "already"),
    ("1.4", lambda p, q: kl(p, p + q) + kl(q, p + q), "half of that"),
    ("1.4", lambda p, q, weights=1.0: middle_kl(p, q, weights) + 0.1, "divergence 0"),
    ("1.4", lambda p, q, weights=1.0: (weights * (p.sqrt() - q.sqrt()) ** 2).sum() / 2, "Hellinger"),
    ("1.4", lambda p, q, weights=1.0: middle_kl(p, q, weights) ** 2, "square of JS"),
    ("1.4", js_of_positive_dice, "share none"),
    ("1.4", lambda p, q, weights=1.0: middle_kl(p, q), "not for densities"),
    ("1.4", lambda p, q, weights=1.0: js_by_hand(p, q), "not for densities"),
    ("1.5", "a", "0.6 instead of 1"),
    ("1.5", "b", "square of s"),
    ("1.5", "d", "has a ceiling"),
    ("1.5", "e", "Answer with one of"),
    ("1.6", lambda t: (t.sigmoid() - 1, -t.sigmoid()), "swapped"),
    ("1.6", lambda t: (t.sigmoid(), 1 - t.sigmoid()), "sign is turned"),
    ("1.6", lambda t: (-1 / (1 - t.sigmoid()), -1 / t.sigmoid()), "by the logit"),
    ("1.6", lambda t: (-t.sigmoid(), 1 - t.sigmoid()), "inner derivative"),
    ("1.6", lambda t: (-softplus(t), softplus(-t)), "losses themselves"),
    ("1.6", lambda t: (-t.sigmoid() * t.sigmoid().neg().add(1),) * 2, "sigmoid alone"),
    ("1.6", lambda t: -t.sigmoid(), "as a pair"),
    ("1.6", lambda t: [slope.numpy() for slope in generator_slopes(t)], "`ndarray`"),
    ("1.6", lambda t: generator_slopes(t.float()), "float32"),
    ("1.6", slopes_of_the_first_call(), r"shape \(6,\)"),
    ("1.6", lambda t: (-t.sigmoid(), -1 - t.sigmoid()), "non-saturating slope"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate, held=False, loss=value_without_care(p)), "0·log 0"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, -rate), "climbs V"),
    (
        "1.7",
        lambda p, rounds, rate: game(p, rounds, rate, loss=lambda d, q: -(q * d.log()).sum()),
        "non-saturating",
    ),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate, loss=lambda d, q: (q * d.log()).sum()), "pushes D"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate, once=True), "answers once"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate / 2), "half as long"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, 2 * rate), "twice as long"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, 1.0), "do not depend on `rate`"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, 0.0), "never moves"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, 0.9 * rate), "0.9 times as long"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate, as_list=True), "torch.stack"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate)[1:], "13 rows"),
    ("1.7", lambda p, rounds, rate: game(p, rounds, rate)[-1], "one distribution"),
    ("1.7", lambda p, rounds, rate: p.expand(rounds + 1, -1), "jumps to the data"),
    (
        "1.7",
        lambda p, rounds, rate: torch.cat([torch.full_like(p, 1 / len(p))[None], p.expand(rounds, -1)]),
        "at once",
    ),
    (
        "1.7",
        lambda p, rounds, rate: game(p, rounds, rate).cumsum(0) / len(p) * 6,
        "before the first|no distributions",
    ),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass_in_any_form(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message
    assert verdict.message


@pytest.mark.parametrize(("number", "answer", "says"), WRONG)
def test_each_typical_mistake_gets_its_own_message(number, answer, says):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert re.search(says, verdict.message, re.IGNORECASE), verdict.message
    assert verdict.hints


@pytest.mark.parametrize("number", [f"1.{place}" for place in range(1, 8)])
def test_an_untouched_answer_is_not_attempted(number):
    untouched = [...] if number == "1.5" else [stub, ...]
    for answer in untouched:
        assert run_check(number, answer).status == "not attempted"
