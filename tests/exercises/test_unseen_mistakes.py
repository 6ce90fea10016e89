"""Mistakes that the checkers once let pass: each stands for a kind, and gets a sentence that names it."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.checks import run_check


def three_surest(number, probabilities):
    places = []
    for figure in number:
        best = probabilities[:, int(figure)].topk(3).indices.tolist()
        places.append(next((place for place in best if place not in places), best[0]))
    return places


def field_in_place(theta, psi):
    velocity = psi * torch.sigmoid(-psi * theta)
    return velocity, theta.neg_() * torch.sigmoid(-psi * theta)


def played(convert):
    def training_round(field, point, h, count):
        now = point.clone()
        for _ in range(count):
            now[1] += h * field(now)[1]
        now[0] += h * field(now)[0]
        return convert(now)

    return training_round


def searched_up_to_two(eigenvalues):
    bound = -2 * eigenvalues.real / eigenvalues.abs() ** 2
    return bound.min().clamp(min=0, max=2)


def factor_in_place(eigenvalues, step_size):
    step = eigenvalues.mul_(step_size)
    return (1 + step + step**2).abs().max()


def pull_by(loss_of_logits):
    def pull(discriminator, points):
        points = points.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss_of_logits(discriminator(points)).sum(), points)
        return -slope

    return pull


def size_by(passes):
    """The rule of exercise 4.4, with another way to see that a size reaches the best."""

    def choose(distances):
        best = min(distances, key=lambda size: sum(distances[size]) / len(distances[size]))
        return passes(distances, best, max(distances[best]))

    return choose


def by_first_run(distances, best, limit):
    return min(size for size in distances if distances[size][0] <= limit)


def down_to_the_first_that_fails(distances, best, limit):
    chosen = best
    for size in sorted((size for size in distances if size < best), reverse=True):
        if min(distances[size]) > limit:
            break
        chosen = size
    return chosen


def round_with(d_loss, g_loss):
    def one_round(generator, discriminator, g_optimizer, d_optimizer, real, latents):
        fake = generator(latents)
        of_d = d_loss(discriminator(real), discriminator(fake.detach()))
        d_optimizer.zero_grad()
        of_d.backward()
        d_optimizer.step()
        of_g = g_loss(discriminator(fake))
        g_optimizer.zero_grad()
        of_g.backward()
        g_optimizer.step()
        return of_d.item(), of_g.item()

    return one_round


def log_of_sigmoid(real, fake):
    return -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()


def average_with_the_first_network():
    kept = {}

    def update_average(average, network, decay):
        if not kept:
            kept.update({name: value.clone() for name, value in network.state_dict().items()})
        for name, old in average.state_dict().items():
            if old.is_floating_point():
                old.lerp_(kept[name], 1 - decay)

    return update_average


WRONG = [
    ("0.5", three_surest, "stands for two figures"),
    ("2.1", field_in_place, "changes `theta` itself"),
    ("2.2", played(lambda point: (point[0], point[1])), "is a `tuple`"),
    ("2.2", played(lambda point: point.float()), "float32"),
    ("2.3", searched_up_to_two, "search end too early"),
    ("2.5", factor_in_place, "changes `eigenvalues` itself"),
    ("3.4", pull_by(lambda t: -t.sigmoid().log()), "where D is sure"),
    ("3.4", pull_by(lambda t: -(t.sigmoid() + 1e-8).log()), "where D is sure"),
    ("4.4", size_by(by_first_run), "first"),
    ("4.4", size_by(down_to_the_first_that_fails), "go down from the best"),
    ("5.2", round_with(log_of_sigmoid, lambda fake: F.softplus(-fake).mean()), "where D is confident"),
    ("5.3", average_with_the_first_network(), "moved on"),
]


@pytest.mark.parametrize(("number", "answer", "says"), WRONG)
def test_what_once_passed_is_told_by_name(number, answer, says):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert says in verdict.message


# What is told by all games or tables together, where a single one would give another mistake's sentence.
TOLD_APART = [
    ("2.3", lambda w: (-2 * w.real / w.abs() ** 2)[0].clamp(min=0), "the first eigenvalue alone"),
    ("2.5", lambda w, h: (1 + h * w + (h * w) ** 2).abs().min(), "the smallest factor"),
    ("2.5", lambda w, h: (1 + h * w + (h * w) ** 2).abs().prod(), "the product of the factors"),
    ("1.4", lambda p, q, weights=1.0: 1e-5 + _js(p, q, weights), "nearly right"),
    ("0.2", lambda n, d: torch.randn(n, d) / d**0.5, "deviation 0.35"),
    ("0.2", lambda n, d: F.normalize(torch.randn(n, d), dim=1), "the same length"),
    ("3.7", lambda samples, packing: samples.long().reshape(len(samples) // packing, -1), "whole numbers"),
    ("5.1", lambda size, k, stride, p: ((size - 1) * stride + k - 2 * p,) * 2, "one number"),
]


def _js(p, q, weights):
    from course_utils.theory import js

    return js(p, q, weights)


@pytest.mark.parametrize(("number", "answer", "says"), TOLD_APART)
def test_mistakes_that_look_alike_in_one_case_are_told_apart(number, answer, says):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert says in verdict.message
