"""The checkers of notebook 10: right answers pass in any form, each typical mistake gets its own message."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.nn import functional as F

from course_utils.checks import run_check
from course_utils.likelihoods import BERNOULLI
from course_utils.training.vae import negative_elbo_parts


def stub(*_arguments):
    raise NotImplementedError("your code here")


# --- 10.1 ---


def kl(m, v):
    return 0.5 * (v.exp() + m.square() - 1 - v).sum(1)


def kl_of_distributions(m, v):
    q, p = Normal(m, (v / 2).exp()), Normal(torch.zeros_like(m), torch.ones_like(m))
    return kl_divergence(Independent(q, 1), Independent(p, 1))


def kl_in_place(m, v):
    m.data.add_(1)
    return kl(m - 1, v)


# --- 10.3: e encoder, d decoder, o optimiser, x images, n noise ---


def step_ours(e, d, o, x, n):
    distortion, rate = (part.mean() for part in negative_elbo_parts(e, d, x, n, BERNOULLI))
    o.zero_grad()
    (distortion + rate).backward()
    o.step()
    return distortion, rate


def parts(e, d, x, n, targets=None, z=None, logits=lambda t: t):
    m, v = e(x).unbind(1)
    z = m + (0.5 * v).exp() * n if z is None else z(m, v, n)
    b = (x + 1) / 2 if targets is None else targets(x)
    pixels = F.binary_cross_entropy_with_logits(logits(d(z)), b, reduction="none")
    return pixels.flatten(1).sum(1), kl(m, v)


def step(
    loss=lambda dist, rate: (dist + rate).mean(), back=lambda dist, rate: (dist.mean(), rate.mean()), **how
):
    """A step down loss(distortion, rate), each (N,)."""

    def answer(e, d, o, x, n):
        distortion, rate = parts(e, d, x, n, **how)
        o.zero_grad()
        loss(distortion, rate).backward()
        o.step()
        return back(distortion.detach(), rate.detach())

    return answer


def step_by_sums(e, d, o, x, n):
    """Another form: everything summed, divided by the number of images."""
    for parameter in [*e.parameters(), *d.parameters()]:
        parameter.grad = None
    out = e(x)
    m, v = out[:, 0], out[:, 1]
    p = d(m + v.exp().sqrt() * n).sigmoid()
    distortion = F.binary_cross_entropy(p, x.clamp(min=0), reduction="sum") / len(x)
    rate = -0.5 * (1 + v - m**2 - v.exp()).sum() / len(x)
    (distortion + rate).backward()
    o.step()
    return [distortion.item(), rate.item()]


def step_without_zero_grad(e, d, o, x, n):
    distortion, rate = parts(e, d, x, n)
    (distortion + rate).mean().backward()
    o.step()
    return distortion.mean(), rate.mean()


def step_first(e, d, o, x, n):
    distortion, rate = parts(e, d, x, n)
    o.step()
    o.zero_grad()
    (distortion + rate).mean().backward()
    return distortion.mean(), rate.mean()


def step_forgotten(e, d, o, x, n):
    distortion, rate = parts(e, d, x, n)
    o.zero_grad()
    (distortion + rate).mean().backward()
    return distortion.mean(), rate.mean()


def step_cut(e, d, o, x, n):
    with torch.no_grad():
        distortion, rate = parts(e, d, x, n)
    o.zero_grad()
    (distortion + rate).mean().backward()
    o.step()
    return distortion.mean(), rate.mean()


def step_of_two(e, d, o, x, n):
    distortion, rate = parts(e, d, x, n)
    o.zero_grad()
    distortion.mean().backward()
    (distortion + rate).mean().backward()
    o.step()
    return distortion.mean(), rate.mean()


def step_with_detached_latents(e, d, o, x, n):
    m, v = e(x).unbind(1)
    z = (m + (0.5 * v).exp() * n).detach()
    distortion = F.binary_cross_entropy_with_logits(d(z), (x + 1) / 2, reduction="none").flatten(1).sum(1)
    o.zero_grad()
    distortion.mean().backward()
    o.step()
    return distortion.mean(), kl(m, v).mean()


def adam(encoder, decoder):
    return torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 0.01)


RIGHT = [
    ("10.1", kl),
    ("10.1", kl_of_distributions),
    ("10.1", lambda m, v: -0.5 * torch.sum(1 + v - m**2 - torch.exp(v), dim=-1)),
    ("10.2", "b"),
    ("10.2", " B "),
    ("10.3", step_ours),
    ("10.3", step()),
    ("10.3", step_by_sums),
    ("10.3", step(back=lambda d, r: torch.stack([d.mean(), r.mean()]))),
    ("10.4", lambda pixels, weight: pixels * weight / 2),
    ("10.4", lambda pixels, weight: torch.tensor(0.5 * weight * pixels)),
    ("10.5", lambda w: (w.logsumexp(0) - math.log(len(w))).mean()),
    ("10.5", lambda w: (w.max(0).values + (w - w.max(0).values).exp().mean(0).log()).mean()),
    ("10.5", lambda w: float((torch.logsumexp(w.T, 1) - math.log(w.shape[0])).mean())),
]


def n_pixels(loss):
    """A loss that knows the numbers of pixels and latents, by the size of the checker's two batches."""
    return lambda dist, rate: loss(dist, rate, *((16, 3) if len(dist) == 6 else (32, 2)))


WRONG = [
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - 1 - v), "what becomes of their KLs"),
    ("10.1", lambda m, v: kl(m, v).mean(), "one number for the whole batch"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - 1 - v).mean(1), "*average* over the dimensions"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - 1 - v).sum(0), "summed over the batch"),
    ("10.1", lambda m, v: -kl(m, v), "never negative"),
    ("10.1", lambda m, v: 2 * kl(m, v), "½ in its exponent"),
    ("10.1", lambda m, v: 0.5 * ((v / 2).exp() + m.square() - 1 - v).sum(1), "σ stands where σ²"),
    (
        "10.1",
        lambda m, v: 0.5 * ((2 * v).exp() + m.square() - 1 - 2 * v).sum(1),
        "it is the variance already",
    ),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - v).sum(1), "a constant is missing"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m - 1 - v).sum(1), "squared"),
    ("10.1", lambda m, v: 0.5 * (v.exp() - 1 - v).sum(1), "only the variances"),
    ("10.1", lambda m, v: 0.5 * ((1 + m**2) / v.exp() - 1 + v).sum(1), "KL(p ‖ q)"),
    ("10.1", lambda m, v: kl(m, v).detach(), "lost its history"),
    ("10.1", lambda m, v: kl(m, v) + 0.1 * m.sum(1), "½ Σ μ² is left there"),
    ("10.1", kl_in_place, "in place"),
    ("10.1", lambda m, v: kl(m.detach(), v), "with respect to `mean`"),
    ("10.1", lambda m, v: kl(m, v.detach()), "with respect to `log_variance`"),
    ("10.1", lambda m, v: torch.tensor(kl(m, v).detach().numpy(), requires_grad=True), "cut off"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.abs() - 1 - v).sum(1), "not |μ|"),
    ("10.1", lambda m, v: 0.5 * ((v.exp() + m.square() - v).sum(1) - 1), "every dimension"),
    ("10.1", lambda m, v: kl(m, v).mean().expand(len(m)), "again and again"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - 1 + v).sum(1), "log σ² counts negative"),
    ("10.1", lambda m, v: 0.5 * (v.exp() + m.square() - 1 - v / 2).sum(1), "½·log σ² is log σ"),
    ("10.1", lambda m, v: (v.exp() + 0.5 * m.square() - 1 - v).sum(1), "all four terms"),
    ("10.1", lambda m, v: kl(m, v) / math.log(2), "in bits"),
    ("10.1", lambda m, v: kl(v, m), "changed places"),
    ("10.1", lambda m, v: kl(m, v).clamp(min=1.0), "cut off"),
    ("10.1", lambda m, v: (0.5 * (v.exp() + m.square() - 1 - v))[:, 0], "first dimension"),
    ("10.2", "a", "whole* f(z)"),
    ("10.2", "c", "who else has a say"),
    ("10.2", "d", "other way round"),
    ("10.3", step(n_pixels(lambda d, r, p, k: d.mean() / p + r.mean())), "averaged over the pixels"),
    ("10.3", step(n_pixels(lambda d, r, p, k: d.mean() + r.mean() / k)), "Which β is that"),
    ("10.3", step(n_pixels(lambda d, r, p, k: d.mean() / p + r.mean() / k)), "both are averaged"),
    ("10.3", step(lambda d, r: (d - r).mean()), "*away* from the prior"),
    ("10.3", step(lambda d, r: (d + r).sum()), "grows with the number of images"),
    ("10.3", step(lambda d, r: d.sum() + r.mean()), "hardly counts"),
    ("10.3", step(lambda d, r: d.mean()), "takes no part in the step: that is an autoencoder"),
    ("10.3", step(lambda d, r: r.mean()), "likelihood takes no part"),
    ("10.3", step(lambda d, r: -(d + r).mean()), "climbs"),
    ("10.3", step(lambda d, r: 3 * (d + r).mean()), "3 times as far"),
    ("10.3", step(lambda d, r: (d + 2.5 * r).mean()), "not along the gradient"),
    ("10.3", step(z=lambda m, v, n: m), "no noise"),
    ("10.3", step(z=lambda m, v, n: n), "never hears of the image"),
    ("10.3", step(z=lambda m, v, n: m + v.exp() * n), "multiplied by the variance"),
    ("10.3", step(targets=lambda x: x), "convert the targets"),
    ("10.3", step(logits=torch.sigmoid), "a sigmoid too many"),
    ("10.3", step(back=lambda d, r: (d + r).mean()), "Return two numbers"),
    ("10.3", step(lambda d, r: d.mean() + r.sum()), "as many times too much as there are images"),
    ("10.3", step(targets=lambda x: (1 - x) / 2), "turned round"),
    ("10.3", step(z=lambda m, v, n: (m + (v / 2).exp() * n).detach()), "hears only of the rate"),
    ("10.3", step(back=lambda d, r: (r.mean(), d.mean())), "distortion first"),
    ("10.3", step(back=lambda d, r: (d, r)), "as one number"),
    ("10.3", step(back=lambda d, r: (d.sum(), r.mean())), "sum over the batch"),
    ("10.3", step(z=lambda m, v, n: m + (v / 2).exp() * torch.randn_like(n)), "noise of your own"),
    ("10.3", step(z=lambda m, v, n: m + v * n), "multiplied by log σ²"),
    ("10.3", step(z=lambda m, v, n: m - (v / 2).exp() * n), "subtracted"),
    ("10.3", step(z=lambda m, v, n: (v / 2).exp() * n), "μ is missing"),
    ("10.3", step(z=lambda m, v, n: m + n), "σ is missing"),
    ("10.3", step(z=lambda m, v, n: m.detach() + (v / 2).exp() * n), "μ is detached"),
    ("10.3", step(z=lambda m, v, n: m + (v / 2).exp().detach() * n), "σ is detached"),
    ("10.3", step(z=lambda m, v, n: m + (v / 2).exp() * n.flip(0)), "image i"),
    ("10.3", step(lambda d, r: d.mean() / 784 + r.mean()), "divided by 784"),
    ("10.3", step(n_pixels(lambda d, r, p, k: 784 * d.mean() / p + r.mean())), "784 pixels are written"),
    ("10.3", step(lambda d, r: (d + 2 * r).mean()), "β-VAE"),
    ("10.3", step(lambda d, r: (r - d).mean()), "*worse*"),
    ("10.3", step(lambda d, r: (d + r).max()), "worst image"),
    ("10.3", step(targets=lambda x: 0.4 * x + 0.5), "smoothed"),
    ("10.3", step(logits=torch.tanh), "a tanh too many"),
    ("10.3", step(logits=lambda t: t.sigmoid().clamp(0.1, 0.9).logit()), "clamped"),
    ("10.3", lambda e, d, o, x, n: (step()(e, d, o, x, n), step()(e, d, o, x, n))[0], "two steps were taken"),
    ("10.3", step(back=lambda d, r: ((d + r).mean(), r.mean())), "their sum and the rate"),
    ("10.3", step(back=lambda d, r: (-d.mean(), r.mean())), "*minus* that"),
    ("10.3", lambda e, d, o, x, n: step()(e, d, adam(e, d), x, n), "first step of Adam"),
    ("10.3", step_without_zero_grad, "clear them first"),
    ("10.3", step_first, "*old* gradient"),
    ("10.3", step_forgotten, "no weight has moved"),
    ("10.3", step_cut, "cut the graph"),
    ("10.3", step_of_two, "go back once"),
    ("10.3", step_with_detached_latents, "encoder has not moved"),
    ("10.4", lambda p, w: math.sqrt(p * w / 2), "standard deviation"),
    ("10.4", lambda p, w: p * w, "½ in the exponent"),
    ("10.4", lambda p, w: w / 2, "*summed* squares"),
    ("10.4", lambda p, w: 2 / (p * w), "upside down"),
    ("10.4", lambda p, w: p / (2 * w), "should mean a *larger* variance"),
    ("10.4", lambda p, w: w / (2 * p), "*cheaper*"),
    ("10.4", lambda p, w: p * w / 2 + 1, "1 is added"),
    ("10.4", lambda p, w: 2 * p * w, "four times too much"),
    ("10.4", lambda p, w: -p * w / 2, "not negative"),
    ("10.4", lambda p, w: p * w * w / 2, "weight counts twice"),
    ("10.4", lambda p, w: p / w, "should mean a *larger* variance"),
    ("10.5", lambda w: w.mean(), "that is the ELBO"),
    ("10.5", lambda w: (w.exp().mean(0) + 1e-12).log().mean(), "adding a small number"),
    ("10.5", lambda w: w.exp().mean(0).log().nan_to_num(neginf=-1e4).mean(), "adding a small number"),
    ("10.5", lambda w: (w.logsumexp(0) - math.log(w.shape[1])).mean(), "log N is subtracted"),
    ("10.5", lambda w: (w.logsumexp(0) + math.log(len(w))).mean(), "wrong sign"),
    ("10.5", lambda w: (w.logsumexp(0) / len(w)).mean(), "outside of the logarithm"),
    ("10.5", lambda w: (w.logsumexp(0) - math.log(len(w))).median(), "*median*"),
    ("10.5", lambda w: w[0].mean(), "first draw"),
    ("10.5", lambda w: w.logsumexp(0).mean(), "*sum* of the weights"),
    ("10.5", lambda w: w.logsumexp(0) - math.log(len(w)), "for each image"),
    ("10.5", lambda w: w.flatten().logsumexp(0) - math.log(w.numel()), "one average of weights"),
    ("10.5", lambda w: (w.logsumexp(1) - math.log(w.shape[1])).mean(), "wrong axis"),
    ("10.5", lambda w: (w.logsumexp(0) - math.log(len(w))).sum(), "summed over the images"),
    ("10.5", lambda w: -(w.logsumexp(0) - math.log(len(w))).mean(), "sign is turned"),
    ("10.5", lambda w: w.exp().mean(0).log().mean(), "exp(−1500) is 0"),
    ("10.5", lambda w: w.exp().mean(0).mean(), "estimate of p(x)"),
    ("10.5", lambda w: ((w - w.max()).exp().mean(0).log() + w.max()).mean(), "exp(−1500) is 0"),
    ("10.5", lambda w: ((w - w.mean(0)).exp().mean(0).log() + w.mean(0)).mean(), "exp(−1500) is 0"),
    ("10.5", lambda w: w.max(0).values.mean(), "largest weight"),
    ("10.5", lambda w: w.logsumexp(0).pow(3).mean(), "not the average over the images"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict.message
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(
    ("number", "answer"), [("10.1", stub), ("10.2", ...), ("10.3", stub), ("10.4", stub), ("10.5", stub)]
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"
