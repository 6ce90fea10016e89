"""As test_further_mistakes, for the notebooks from 06 on: let pass once, or answered with a number only."""

import math

import numpy as np
import pytest
import torch
from torch import nn
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


# --- 06, 07, 08, 10 ----------------------------------------------------------------------------------------


def fixed_generator(strides=(2, 2, 2), extra=(1, 1, 1)):
    maps, layers = (256, 128, 64, 3), [nn.Linear(100, 4096), nn.Unflatten(1, (256, 4, 4))]
    for one, other, stride, more in zip(maps[:-1], maps[1:], strides, extra, strict=True):
        layers += [nn.BatchNorm2d(one), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(one, other, 5, stride, padding=2, output_padding=more, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def mirror(images, rng, turned=lambda images: images.flip(3)):
    coins = torch.rand(len(images), 1, 1, 1, generator=rng, device=images.device) < 0.5
    return torch.where(coins, turned(images), images)


def sigma(weight, steps, length=torch.Tensor.norm, measure=lambda u, image: u @ image):
    v = torch.randn(weight.shape[1])
    for _ in range(steps):
        u = weight @ v
        u = u / length(u)
        v = weight.T @ u
        v = v / length(v)
    return measure(u, weight @ v)


def spread(
    features, group, reduce=lambda groups: groups.var(1, correction=0).add(1e-8).sqrt().flatten(1).mean(1)
):
    count, _, height, width = features.shape
    channel = reduce(features.unflatten(0, (-1, group))).repeat_interleave(group)[:, None, None, None]
    return torch.cat([features, channel.expand(count, 1, height, width)], dim=1)


def within(groups):
    return groups.flatten(2).var(dim=2, correction=0).mean(1).sqrt()


def cut_off(groups):
    return groups.var(1, correction=0).clamp(min=1e-2).sqrt().flatten(1).mean(1)


def penalise(critic, real, fake, weight, shape=None, length=lambda slope: slope.norm(dim=1)):
    shape = [1] * (real.ndim - 1) if shape is None else shape
    share = torch.rand(len(real), *shape, device=real.device)
    point = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
    return weight * (length(slope.flatten(1)) - 1).square().mean()


def kl(mean, log_variance, dims=None):
    constant = mean.shape[1] if dims is None else dims
    return 0.5 * ((mean.square() + log_variance.exp() - log_variance).sum(1) - constant)


def step(encoder, decoder, optimizer, images, noise, targets=lambda x: (x + 1) / 2, share=1.0, after=None):
    mean, log_variance = encoder(images).unbind(1)
    logits = decoder(mean + (0.5 * log_variance).exp() * noise)
    each = F.binary_cross_entropy_with_logits(logits, targets(images), reduction="none")
    distortion, rate = each.flatten(1).sum(1).mean(), kl(mean, log_variance).mean()
    optimizer.zero_grad()
    (share * distortion + rate).backward()
    optimizer.step()
    for network in (encoder, decoder) if after else ():
        for weight in network.parameters():
            after(weight.data)
    return distortion.detach(), rate.detach()


def step_with(**changed):
    return lambda *arguments: step(*arguments, **changed)


MISTAKES = [
    ("6.2", lambda: fixed_generator((1, 2, 4), (0, 1, 3)), "last row and the last column"),
    ("6.4", lambda x, rng: mirror(x, rng, lambda x: x[..., torch.arange(31, -1, -1)]), "32×32 pixels only"),
    ("6.4", lambda x, rng: mirror(x, rng, lambda x: -x), "opposites"),
    ("6.4", lambda x, rng: mirror(x, rng, lambda x: -x.flip(3)), "negatives"),
    ("6.5", lambda w, n: 1 / sigma(w, n), "1/σ"),
    ("6.5", lambda w, n: w.norm(dim=1).max(), "longest *row*"),
    ("6.5", lambda w, n: sigma(w, n, length=lambda v: v.abs().sum()), "its measure is not"),
    ("6.5", lambda w, n: sigma(w, n, measure=lambda u, image: (u * image).mean()), "a sum, not a mean"),
    ("7.1", lambda x: (d := torch.pdist(x.flatten(1)))[d > 0].mean(), "copies of a sample"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).mean().floor(), "whole number"),
    ("7.4", lambda f, g: spread(f, g, within), "*within* each sample"),
    ("7.4", lambda f, g: spread(f, g, cut_off), "cut off from below"),
    ("7.4", lambda f, g: torch.cat([f, torch.ones(len(f), 1, 28, 28)], 1), "take its size from the features"),
    ("8.1", lambda r, f: (F.relu(1 - r).mean() + F.relu(1 + f).mean(), -r.mean() - f.mean()), "real logits"),
    ("8.4", lambda *a: penalise(*a, shape=[1]), "right for points"),
    ("10.1", lambda m, v: kl(m, v, 8), "only a constant"),
    ("10.1", lambda m, v: kl(m, v.exp()), "two exponentials"),
    ("10.1", lambda m, v: kl(m, v.clamp(-2, 2)), "cut off at ±2"),
    ("10.3", step_with(targets=lambda x: x / 2), "−½ and ½"),
    ("10.3", step_with(share=0.5), "counts half"),
    ("10.3", step_with(after=lambda weight: weight.clamp_(-0.1, 0.1)), "cut off"),
    ("10.3", step_with(targets=lambda x: x.add_(1).div_(2)), "changed in place"),
    ("10.4", lambda n, w: round(n * w / 2, 3), "is something rounded"),
    ("10.4", lambda n, w: (n - 1) * w / 2, "D − 1"),
    ("10.4", lambda n, w: n * w // 2, "`//`"),
    ("10.5", lambda w: (w - w.amax(0)).exp().mean(0).log().mean(), "not put back"),
    ("10.5", lambda w: (w.logsumexp(0) - math.log(500)).mean(), "divides by 500"),
    ("9.1", lambda a, b: (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2, "means and spreads only"),
    ("9.1", lambda a, b: moves(a, b).square().sum() / (len(a) - 1), "divided by N − 1"),
    ("9.1", lambda a, b: moves(a, b).var(correction=0), "*variance* of the moves"),
    ("9.1", in_turn_nearest, "one after another"),
    ("9.1", lambda a, b: moves(a, b).square().median(), "median of the squares"),
    ("9.1", lambda a, b: (a.argsort() - b.argsort()).double().square().mean(), "argsort"),
    ("9.1", lambda a, b: moves(a, b).square().long().double().mean(), "whole numbers"),
    ("9.2", in_single_precision, "float64 from the beginning"),
    ("9.2", lambda r, f: frechet(r[:, :10], f[:, :10]), "first 10 features"),
    ("9.2", lambda r, f: frechet(r, f, middle=torch.mean), "samples, axis 0"),
    ("9.2", lambda r, f: frechet(r, f, root=sorted_apart), "in order of size"),
    ("9.2", lambda r, f: frechet(r, f, times=-2), "the last term is subtracted"),
    ("9.2", lambda r, f: frechet(r, f, cov=moments), "are not centred"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.svdvals(a @ b).sqrt().sum()),
        "singular values are not",
    ),
    ("9.2", by_entries, "*entries*"),
    ("9.3", lambda t: information(t).exp().mean(), "averaged the exponentials"),
    ("9.3", lambda t: (information(t).mean() / math.log(2)).exp(), "in *bits*"),
    ("9.3", lambda t: information(t, marginal=t.mean(0).softmax(0)).mean().exp(), "average logits"),
    ("9.3", lambda t: information(t, marginal=t.softmax(1)[0]).mean().exp(), "one image's row"),
    (
        "9.3",
        lambda t: information(t, F.one_hot(t.argmax(1), t.shape[1]).double()).mean().exp(),
        "most probable class only",
    ),
    ("9.3", lambda t: information(t, added=1e-2).mean().exp(), "a small number is added"),
    ("9.3", lambda t: information(t, t.clamp(min=1e-12)).mean().exp(), "as probabilities"),
    ("9.3", lambda t: 10 * (xlogy(t.softmax(1), t.softmax(1)).sum(1).mean()).exp(), "always 10 classes"),
    ("9.4", lambda r, f: kid(r, f, width=len), "by the number of samples"),
    ("9.4", lambda r, f: kid(r, f, width=lambda a: 64), "always divides by 64"),
    ("9.4", lambda r, f: kid(r, f, diagonals=(False, True)), "only one of the two diagonals"),
    ("9.4", lambda r, f: kid(r, f, diagonals=(True, False)), "only one of the two diagonals"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: 2 * (n * (n - 1),)), "has M samples"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: (n, m)), "by the number of samples"),
    ("9.4", lambda r, f: kid(r, f, counts=lambda n, m: (2 * n * (n - 1), 2 * m * (m - 1))), "(`triu`)"),
    ("9.4", lambda r, f: kid(r, f, mixed=lambda table: table.diagonal().mean()), "with one index"),
    ("9.4", lambda r, f: kid(r, f, centred=True), "are centred"),
    ("9.4", lambda r, f: kid(r, f).abs(), "Without its sign"),
    ("9.4", lambda r, f: kid(r.mean(0)[None], f.mean(0)[None], diagonals=(True, True)), "two *means*"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=averaged), "the *mean* of the distances"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=summed), "the *sum* of the distances"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=farthest), "*farthest*"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=halved), "halved"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, radius=city, p=1), "are Euclidean"),
    ("9.5", lambda r, f, k: precision_recall(r, f, 3), "k is not the one"),
    ("9.5", by_pairs, "of all *pairs*"),
    ("9.5", nearest_ball, "the *nearest* sample"),
    ("9.5", lambda r, f, k: 2 * precision_recall(r, f, k)[:1], "the precision, twice"),
    ("9.5", lambda r, f, k: ((p := precision_recall(r, f, k)[0]), 1 - p), "not 1 − precision"),
    ("9.5", precision_over_reals, "number of *real*"),
    ("9.11", lambda n, d: line(n, d, at=1 / max(n)), "at the largest size"),
    ("9.11", lambda n, d: line(n, d, at=1.0), "at *one* sample"),
    ("9.11", lambda n, d: line(n, d, degree=2), "degree 2"),
    ("9.11", lambda n, d: line(n, d, over=np.log), "over log N"),
    ("9.11", lambda n, d: line(n, d, over=lambda n: 1 / (n - 1)), "1/(N − 1)"),
    ("9.11", lambda n, d: line(n, d, w=np.array(n)), "weighted fit"),
    ("9.11", lambda n, d: line(n, d, take=4), "first 4 points"),
    ("9.11", lambda n, d: float(np.polyfit(d, 1 / np.array(n), 1)[1]), "exchanged"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=averaged), "the *mean* of the distances"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=farthest), "*farthest*"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, radius=halved), "halved"),
    ("9.12", at_least_k, "yours wants k"),
]


@pytest.mark.parametrize(("number", "answer", "words"), MISTAKES)
def test_each_is_refused_with_words_of_its_own(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("6.2", fixed_generator),
        ("6.4", mirror),
        ("6.5", sigma),
        ("7.4", spread),
        ("8.4", penalise),
        ("10.1", kl),
        ("10.3", step),
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


def test_a_bare_root_has_no_slope_where_the_critic_is_flat():
    verdict = run_check("8.4", lambda *a: penalise(*a, length=lambda slope: slope.square().sum(1).sqrt()))
    assert verdict.status == "wrong" and "where the critic is flat" in verdict.message, verdict
    with_epsilon = run_check(
        "8.4", lambda *a: penalise(*a, length=lambda s: (s.square().sum(1) + 1e-12).sqrt())
    )
    assert with_epsilon.status == "right", with_epsilon


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("6.4", lambda x, rng: torch.where(torch.rand(len(x), 1, 1, 1, generator=rng) < 0.5, x.flip(3), x)),
        ("8.4", lambda c, real, fake, w: penalise_on_the_cpu(c, real, fake, w)),
    ],
)
def test_random_numbers_on_the_cpu_are_told_of_where_the_check_has_no_gpu(number, answer):
    verdict = run_check(number, answer)
    assert "On a machine with a GPU it would fail" in verdict.message or verdict.status == "wrong"


def penalise_on_the_cpu(critic, real, fake, weight):
    share = torch.rand(len(real), *[1] * (real.ndim - 1))
    point = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(point).sum(), point, create_graph=True)
    return weight * (slope.flatten(1).norm(dim=1) - 1).square().mean()
