"""As test_further_mistakes, for the notebooks from 06 on: let pass once, or answered with a number only."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.special import xlogy

from course_utils.checks import run_check

# --- 9.1 ---------------------------------------------------------------------------------------------------


def moves(a, b):
    return a.sort().values - b.sort().values


def in_turn_nearest(a, b):
    left, costs = b.tolist(), []
    for point in a.tolist():
        nearest = int(np.argmin([abs(one - point) for one in left]))
        costs.append((left.pop(nearest) - point) ** 2)
    return torch.tensor(costs).mean()


# --- 9.2 ---------------------------------------------------------------------------------------------------


def covariance(x):
    return torch.cov(x.T)


def eigenvalues(a, b):
    return torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum()


def frechet(real, fake, cov=covariance, root=eigenvalues, middle=lambda x: x.mean(0), times=2):
    if cov is covariance:
        real, fake = real.double(), fake.double()
    a, b = cov(real), cov(fake)
    return (middle(real) - middle(fake)).square().sum() + a.trace() + b.trace() - times * root(a, b)


def sorted_apart(a, b):
    return (torch.linalg.eigvalsh(a) * torch.linalg.eigvalsh(b)).clamp(min=0).sqrt().sum()


def moments(x):
    return x.double().T @ x.double() / (len(x) - 1)


def by_entries(real, fake):
    a, b = covariance(real.double()), covariance(fake.double())
    return (real.mean(0) - fake.mean(0)).square().sum() + (a - b).square().sum()


def in_single_precision(real, fake):
    return frechet(real, fake, cov=lambda x: torch.cov(x.T))


# --- 9.3 ---------------------------------------------------------------------------------------------------


def information(logits, p=None, marginal=None, added=0.0):
    p = logits.softmax(1) if p is None else p
    marginal = p.mean(0) if marginal is None else marginal
    if added:
        return (p * ((p + added).log() - (marginal + added).log())).sum(1)
    return (xlogy(p, p) - xlogy(p, marginal)).sum(1)


# --- 9.4 ---------------------------------------------------------------------------------------------------


def kid(real, fake, width=None, diagonals=(False, False), counts=None, mixed=torch.mean, centred=False):
    x, y = real.double(), fake.double()
    if centred:
        x, y = x - x.mean(0), y - y.mean(0)

    def kernel(a, b):
        return (a @ b.T / (width(a) if width else a.shape[1]) + 1) ** 3

    inner = 0
    for side, whole, count in zip(
        (x, y), diagonals, counts(len(x), len(y)) if counts else (0, 0), strict=True
    ):
        table, n = kernel(side, side), len(side)
        inner = inner + (table.mean() if whole else (table.sum() - table.trace()) / (count or n * (n - 1)))
    return inner - 2 * mixed(kernel(x, y))


# --- 9.5, 9.12 ---------------------------------------------------------------------------------------------


def kth(side, k):
    return torch.cdist(side, side).kthvalue(k + 1, dim=1).values


def balls(real, fake, k, radius=kth, p=2.0):
    real, fake = real.double(), fake.double()
    between = torch.cdist(real, fake, p=p)
    return between <= radius(real, k)[:, None], between <= radius(fake, k)[None]


def precision_recall(real, fake, k, **changed):
    of_real, of_fake = balls(real, fake, k, **changed)
    return of_real.any(0).double().mean(), of_fake.any(1).double().mean()


def density_coverage(real, fake, k, **changed):
    inside = balls(real, fake, k, **changed)[0]
    return inside.double().sum(0).mean() / k, inside.any(1).double().mean()


def nearest_others(side, k):
    return torch.cdist(side, side).sort(1).values[:, 1 : k + 1]


def averaged(side, k):
    return nearest_others(side, k).mean(1)


def summed(side, k):
    return nearest_others(side, k).sum(1)


def farthest(side, k):
    return torch.cdist(side, side).topk(k, dim=1).values[:, -1]


def halved(side, k):
    return kth(side, k) / 2


def city(side, k):
    return torch.cdist(side, side, p=1).kthvalue(k + 1, dim=1).values


def by_pairs(real, fake, k):
    return tuple(one.double().mean() for one in balls(real, fake, k))


def nearest_ball(real, fake, k):
    between = torch.cdist(real.double(), fake.double())
    of_real, of_fake = kth(real.double(), k), kth(fake.double(), k)
    return (
        (between.amin(0) <= of_real[between.argmin(0)]).double().mean(),
        (between.amin(1) <= of_fake[between.argmin(1)]).double().mean(),
    )


def precision_over_reals(real, fake, k):
    of_real, of_fake = balls(real, fake, k)
    return of_real.any(0).double().sum() / len(real), of_fake.any(1).double().mean()


def at_least_k(real, fake, k):
    inside = balls(real, fake, k)[0]
    return inside.double().sum(0).mean() / k, (inside.sum(1) >= k).double().mean()


# --- 9.11 --------------------------------------------------------------------------------------------------


def line(sizes, distances, over=lambda n: 1 / n, at=0.0, degree=1, take=None, **more):
    n, y = np.array(sizes[:take], float), np.array(distances[:take])
    return float(np.polyval(np.polyfit(over(n), y, degree, **more), at))


MISTAKES = [
    ("9.1", lambda a, b: (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2, "two *normal*"),
    ("9.1", lambda a, b: moves(a, b).square().sum() / (len(a) - 1), "divided by N − 1"),
    ("9.1", lambda a, b: moves(a, b).var(correction=0), "*variance* of the moves"),
    ("9.1", in_turn_nearest, "choose in turn"),
    ("9.1", lambda a, b: moves(a, b).square().median(), "*median*"),
    ("9.1", lambda a, b: (a.argsort() - b.argsort()).double().square().mean(), "*indices*"),
    ("9.1", lambda a, b: moves(a, b).square().long().double().mean(), "whole numbers"),
    ("9.2", in_single_precision, "float32"),
    ("9.2", lambda r, f: frechet(r[:, :10], f[:, :10]), "first 10 features"),
    ("9.2", lambda r, f: frechet(r, f, middle=torch.mean), "single numbers"),
    ("9.2", lambda r, f: frechet(r, f, root=sorted_apart), "sorted eigenvalues"),
    ("9.2", lambda r, f: frechet(r, f, times=-2), "sign of the last term"),
    ("9.2", lambda r, f: frechet(r, f, cov=moments), "not centred"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.svdvals(a @ b).sqrt().sum()),
        "*singular",
    ),
    ("9.2", by_entries, "entry by entry"),
    ("9.3", lambda t: information(t).exp().mean(), "exp comes before"),
    ("9.3", lambda t: (information(t).mean() / math.log(2)).exp(), "in *bits*"),
    ("9.3", lambda t: information(t, marginal=t.mean(0).softmax(0)).mean().exp(), "mean *logits*"),
    ("9.3", lambda t: information(t, marginal=t.softmax(1)[0]).mean().exp(), "one image's row"),
    ("9.3", lambda t: information(t, F.one_hot(t.argmax(1), t.shape[1]).double()).mean().exp(), "`argmax`"),
    ("9.3", lambda t: information(t, added=1e-2).mean().exp(), "small number, about 0.01"),
    ("9.3", lambda t: information(t, t.clamp(min=1e-12)).mean().exp(), "as probabilities"),
    ("9.3", lambda t: 10 * (xlogy(t.softmax(1), t.softmax(1)).sum(1).mean()).exp(), "always 10"),
    ("9.4", lambda r, f: kid(r, f, width=len), "number of *samples*"),
    ("9.4", lambda r, f: kid(r, f, width=lambda a: 64), "always divides by 64"),
    ("9.4", lambda r, f: kid(r, f, diagonals=(False, True)), "one of the two sets only"),
    ("9.4", lambda r, f: kid(r, f, diagonals=(True, False)), "one of the two sets only"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: 2 * (n * (n - 1),)), "They are M"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: (n, m)), "by the number of samples"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: (2 * n * (n - 1), 2 * m * (m - 1))), "count half"),
    ("9.4", lambda r, f: kid(r, f, mixed=lambda table: table.diagonal().mean()), "with one index"),
    ("9.4", lambda r, f: kid(r, f, centred=True), "centred first"),
    ("9.4", lambda r, f: kid(r, f).abs(), "Without its sign"),
    ("9.4", lambda r, f: kid(r.mean(0)[None], f.mean(0)[None], diagonals=(True, True)), "two *means*"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=averaged), "*mean* of the k nearest"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=summed), "*sum* of the k nearest"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=farthest), "*farthest*"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=halved), "halved"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=city, p=1), "city-block"),
    ("9.5", lambda r, f, k: precision_recall(r, f, 3), "right for k = 3 only"),
    ("9.5", by_pairs, "over all *pairs*"),
    ("9.5", nearest_ball, "only the *nearest* ball"),
    ("9.5", lambda r, f, k: 2 * precision_recall(r, f, k)[:1], "the precision twice"),
    ("9.5", lambda r, f, k: ((p := precision_recall(r, f, k)[0]), 1 - p), "not 1 − precision"),
    ("9.5", precision_over_reals, "by the number of *real*"),
    ("9.11", lambda n, d: line(n, d, at=1 / max(n)), "at the largest size"),
    ("9.11", lambda n, d: line(n, d, at=1.0), "a single sample"),
    ("9.11", lambda n, d: line(n, d, degree=2), "parabola"),
    ("9.11", lambda n, d: line(n, d, over=np.log), "over log N"),
    ("9.11", lambda n, d: line(n, d, over=lambda n: 1 / (n - 1)), "1/(N − 1)"),
    ("9.11", lambda n, d: line(n, d, w=np.array(n)), "weighted by their sizes"),
    ("9.11", lambda n, d: line(n, d, take=4), "first four points"),
    ("9.11", lambda n, d: float(np.polyfit(d, 1 / np.array(n), 1)[1]), "exchanged"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=averaged), "*mean* of the k nearest"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=farthest), "*farthest*"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=halved), "halved"),
    ("9.12", at_least_k, "at least k of them"),
]


@pytest.mark.parametrize(("number", "answer", "words"), MISTAKES)
def test_each_is_refused_with_words_of_its_own(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("9.1", lambda a, b: moves(a, b).square().mean()),
        ("9.2", frechet),
        ("9.3", lambda t: information(t).mean().exp()),
        ("9.4", kid),
        ("9.5", precision_recall),
        ("9.11", line),
        ("9.12", density_coverage),
    ],
)
def test_what_these_answers_are_without_their_slip_passes(number, answer):
    assert run_check(number, answer).status == "right", run_check(number, answer)
