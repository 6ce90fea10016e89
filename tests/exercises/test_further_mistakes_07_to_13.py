"""As test_further_mistakes, for the notebooks from 07 on: let pass once, or answered with a number only."""

import inspect
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import softplus

from course_utils.checks import run_check
from course_utils.exercises.clinic import PATIENTS
from course_utils.exercises.clinic.exercises import number_of

# --- the clinic: gradients that nobody empties -------------------------------------------------------------


def without(number, *lines):
    """A patient in health, with some lines left out."""
    patient = PATIENTS[number]
    return patient._replace(cure={**patient.cure, **dict.fromkeys(lines, "pass")}).cured()


EMPTIED = [  # a line that empties gradients, and whose they are
    *((number, "g_optimizer.zero_grad()", "generator") for number in (1, 2, 3, 4, 5, 6, 7, 8, 10)),
    *((number, "d_optimizer.zero_grad()", "discriminator") for number in (3, 4, 6, 7, 8, 10)),
    *((number, "c_optimizer.zero_grad()", "discriminator") for number in (1, 5)),
    (9, "optimizer.zero_grad()", "encoder"),
]


def test_each_line_that_empties_gradients_is_left_out_once():
    lines = {number: inspect.getsource(patient.program) for number, patient in PATIENTS.items()}
    assert all(line in lines[number] for number, line, _ in EMPTIED)
    assert {number for number, _, _ in EMPTIED} == set(PATIENTS)


@pytest.mark.parametrize(
    ("number", "line", "network"),
    [case if case[0] == 2 else pytest.param(*case, marks=pytest.mark.slow) for case in EMPTIED],
)
def test_a_cure_that_forgets_to_empty_gradients_is_refused(number, line, network):
    verdict = run_check(number_of(PATIENTS[number]), without(number, line))
    assert verdict.status == "wrong", verdict
    if number == 2:  # elsewhere, the symptom may show again
        assert f"the {network}'s gradients of all rounds add up" in verdict.message


@pytest.mark.parametrize("number", PATIENTS)
def test_no_cured_patient_adds_gradients_up(number):
    from course_utils.exercises.clinic.leftovers import gradients_that_add_up

    patient = PATIENTS[number]
    assert gradients_that_add_up(patient.cured(), patient.draw, start=0) == []


@pytest.mark.parametrize(("number", "line", "network"), EMPTIED)
def test_networks_whose_gradients_add_up_are_named(number, line, network):
    from course_utils.exercises.clinic.leftovers import gradients_that_add_up

    patient = PATIENTS[number]
    assert network in gradients_that_add_up(without(number, line), patient.draw, start=0)


# --- 7.4, 7.5 ----------------------------------------------------------------------------------------------


def spread(deviation):
    def minibatch_std(features, group):
        groups = features.unflatten(0, (-1, group))
        number = deviation(groups).mean((1, 2, 3)).repeat_interleave(group)[:, None, None, None]
        return torch.cat([features, number.expand(-1, 1, *features.shape[2:])], 1)

    return minibatch_std


def modes(added, divided=lambda f: f):
    def modes_and_kl(digits):
        counts = torch.bincount(digits @ torch.tensor([100, 10, 1]), minlength=1000) + added
        f = divided(counts / counts.sum())
        return int((f > 0).sum()), torch.special.xlogy(f, 1000 * f).sum()

    return modes_and_kl


# --- 8.1, 8.2 ----------------------------------------------------------------------------------------------


def margins(of_fakes):
    def margin_losses(real, fake):
        return F.relu(1 - real).mean() + F.relu(of_fakes(fake)).mean(), -fake.mean()

    return margin_losses


def pairs(log_of):
    def pair_losses(real, fake):
        return -log_of(real - fake).mean(), -log_of(fake - real).mean()

    return pair_losses


# --- 9.2, 9.7 ----------------------------------------------------------------------------------------------


def frechet(overlap):
    def distance(real, fake):
        a, b = real.double(), fake.double()
        first, second = a.T.cov(), b.T.cov()
        means = (a.mean(0) - b.mean(0)).square().sum()
        return means + first.trace() + second.trace() - 2 * overlap(first, second)

    return distance


def by_cholesky(first, second):
    return torch.linalg.svdvals(torch.linalg.cholesky(first).T @ torch.linalg.cholesky(second)).sum()


def by_eigenvalues(first, second):
    values, vectors = torch.linalg.eigh(first)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    return torch.linalg.eigvalsh(root @ second @ root).clamp(min=0).sqrt().sum()


def ssim(divisor):
    def mean_ssim(images, targets):
        axis = torch.exp(-((torch.arange(11.0) - 5) ** 2) / divisor)
        window = torch.outer(axis, axis)[None, None] / axis.sum() ** 2
        x, y = (images + 1) / 2, (targets + 1) / 2
        mx, my = F.conv2d(x, window), F.conv2d(y, window)
        vx, vy = F.conv2d(x * x, window) - mx**2, F.conv2d(y * y, window) - my**2
        both = F.conv2d(x * y, window) - mx * my
        brightness = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        return (brightness * (2 * both + 9e-4) / (vx + vy + 9e-4)).mean()

    return mean_ssim


# --- 11.4 --------------------------------------------------------------------------------------------------


def search(backward, before=lambda generator: None):
    def find_latents(generator, images, start, steps, lr):
        before(generator)
        latents = start.clone().requires_grad_()
        adam = torch.optim.Adam([latents], lr)
        for _ in range(steps):
            adam.zero_grad()
            backward((generator(latents) - images).square().sum(), latents)
            adam.step()
        return latents.detach()

    return find_latents


# --- 0.1, 3.4 ----------------------------------------------------------------------------------------------


def pull(arranged):
    def arrows(discriminator, points):
        x = points.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(softplus(-discriminator(x)).sum(), x)
        return arranged(-slope)

    return arrows


# --- 12.3, 12.5 --------------------------------------------------------------------------------------------


def projection(handed):
    class Projection(nn.Module):
        def __init__(self, features, width, classes):
            super().__init__()
            self.features, self.last = features, nn.Linear(width, 1)
            self.table = nn.Embedding(classes, width)

        def forward(self, samples, labels):
            phi = self.features(handed(samples))
            return self.last(phi).squeeze(1) + (self.table(labels) * phi).sum(1)

    return Projection


def within(ratio, classes=lambda labels, real_labels: labels.unique(), of_real=None):
    def spread_of_classes(features, labels, real, real_labels):
        chosen = labels if of_real else real_labels
        ratios = [ratio(features[labels == one], real[chosen == one]) for one in classes(labels, real_labels)]
        return torch.stack(ratios).mean()

    return spread_of_classes


def of_variances(made, true):
    return made.var(0, correction=0).sum() / true.var(0, correction=0).sum()


@pytest.mark.parametrize("classes", [lambda y, ry: ry.unique(), lambda y, ry: range(int(y.max()) + 1)])
def test_a_class_without_samples_is_told_of(classes):
    verdict = run_check("12.5", within(of_variances, classes))
    assert verdict.status == "right" and "makes NaN of all" in verdict.message, verdict
    assert "NaN" not in run_check("12.5", within(of_variances)).message


def test_who_divides_by_one_less_is_told_so():
    """As the course's own measure does."""
    verdict = run_check("12.5", within(lambda made, true: made.var(0).sum() / true.var(0).sum()))
    assert verdict.status == "right" and "divides by n − 1" in verdict.message, verdict
    assert "n − 1" not in run_check("12.5", within(of_variances)).message


# --- 13.1, 13.2: n network, x images, h hole; w weights, d the damaged image -------------------------------


def by_brackets(mask):
    def complete(n, x, h):
        filled = x * ~h
        painted = n(torch.cat([filled, 2.0 * h - 1], 1))
        filled[mask(h, x)] = painted[mask(h, x)]
        return filled

    return complete


def safest(choose):
    def completion(x, w, d, h):
        fits = (torch.where(h, 0.0, x) == d).flatten(1).all(1)
        return choose(x, w, d, h, x[fits], w[fits] / w[fits].sum())

    return completion


def best_possible(x, w, d, h, some, odds):
    return some[((some[:, None] - some[None]).square().flatten(2).sum(2) @ odds).argmin()]


def weighted_median(x, w, d, h, some, odds):
    values, order = some.sort(0)
    return values.gather(0, (odds[order].cumsum(0) < 0.5).sum(0, keepdim=True))[0]


def mean_of(images, weights):
    return torch.einsum("k,kchw->chw", weights, images)


# --- 13.4, 13.7, 13.8, 13.9 --------------------------------------------------------------------------------


def curve(spread):
    def least_distortion(p, c):
        s = spread(p, c)
        return 1 + s**2 - 2 * c * s

    return least_distortion


def field(kernel_of):
    def receptive_field(layers):
        side = 1
        for kernel, stride in reversed(layers):
            side = (side - 1) * stride + kernel_of(kernel, stride)
        return side

    return receptive_field


def field_from_the_first(layers):
    (kernel, stride), *rest = layers
    return (field_from_the_first(rest) - 1) * stride + kernel if rest else kernel


def fresh_noise(points, forward):
    noise = torch.randn_like(points)
    return noise + points.new_tensor([4.0, 0.0]) if forward else noise


# --- 13.6 --------------------------------------------------------------------------------------------------


def unet(channels=lambda w: (w, 2 * w, 4 * w), kept=False, sizes=(None, None)):
    class Net(nn.Module):
        def __init__(self, inputs, outputs, width):
            super().__init__()
            one, two, three = channels(width)
            self.one, self.two, self.three = (
                nn.Conv2d(*pair, 3, padding=1) for pair in ((inputs, one), (one, two), (two, three))
            )
            self.four = nn.Conv2d(three + two, 2 * width, 3, padding=1)
            self.five = nn.Conv2d(2 * width + one, width, 3, padding=1)
            self.last = nn.Conv2d(width, outputs, 3, padding=1)
            self.maps = []

        def forward(self, source):
            maps = self.maps if kept else []
            x = self.one(source).relu()
            maps.append(x)
            x = self.two(F.max_pool2d(x, 2)).relu()
            maps.append(x)
            x = self.three(F.max_pool2d(x, 2)).relu()
            for layer, skip, size in ((self.four, maps[1], sizes[0]), (self.five, maps[0], sizes[1])):
                larger = F.interpolate(x, size=size) if size else F.interpolate(x, scale_factor=2)
                x = layer(torch.cat([larger, skip], 1)).relu()
            return self.last(x).tanh()

    return Net


WRONG = [
    ("0.1", lambda x: (x.float() / 127.5 - 1).reshape(-1, 1, 28, 28), "another size written into"),
    ("3.4", pull(lambda arrows: arrows.T.reshape(-1, 2)), "coordinates got mixed up"),
    ("7.4", spread(lambda groups: groups.var(1, correction=0).sqrt()), "infinite slope at 0"),
    ("7.5", modes(1), "is a small number added to the counts"),
    ("7.5", modes(0, lambda f: f + 1e-4), "is a small number added to the counts"),
    ("8.1", margins(lambda fake: fake.add_(1)), "written into the logits"),
    ("8.2", pairs(lambda gap: gap.sigmoid().log()), "a σ becomes 0"),
    ("8.2", pairs(lambda gap: -(1 + (-gap).exp()).log()), "an exponential is too large"),
    ("9.2", frechet(by_cholesky), "Cholesky's factors want eigenvalues above 0"),
    ("9.7", ssim(1.5), "t² is divided by σ itself"),
    ("10.5", lambda log_w: log_w.logsumexp(0).sum() - math.log(len(log_w)), "log K is taken off once"),
    ("11.4", search(lambda error, z: error.backward()), "leaves gradients in the generator's weights"),
    ("11.6", 784 * math.log(100), "once for every pixel"),
    ("12.3", projection(lambda samples: samples.flatten(1)), "hand them on as they come"),
    (
        "12.5",
        within(lambda made, true: (made.var(0, correction=0) / true.var(0, correction=0)).mean()),
        "a ratio for each feature",
    ),
    ("12.5", within(of_variances, of_real="by the labels of the others"), "by the labels of others"),
    ("13.1", by_brackets(lambda h, x: h), "right for grey images"),
    ("13.2", safest(best_possible), "need not be one of them"),
    ("13.2", safest(weighted_median), "median, weighted"),
    (
        "13.2",
        safest(lambda x, w, d, h, some, odds: torch.where(h, mean_of(some, odds).sign(), d)),
        "mean is rounded",
    ),
    (
        "13.2",
        safest(lambda x, w, d, h, some, odds: torch.where(h, mean_of(x, w), d)),
        "the mean over all images, those included",
    ),
    ("13.4", curve(lambda p, c: (1 - p.sqrt()).clamp(min=c)), "*square* of the distance be P"),
    ("13.4", curve(lambda p, c: (1 - p**2).clamp(min=c)), "distance be P²"),
    ("13.4", curve(lambda p, c: (1 - p).clamp(max=c)), "kept below ρ"),
    ("13.4", lambda p, c: 1 - 2 * c**2 + (1 - p).clamp(min=c) ** 2, "adds noise"),
    ("13.4", lambda p, c: 1 - c**2 + (1 - c - p).clamp(min=0), "enters by its *square*"),
    ("13.4", lambda p, c: 1 - c**2 + (1 - c**2 - p).clamp(min=0) ** 2, "is ρ, not ρ²"),
    ("13.6", unet(lambda w: (w, w, w)), "has 8 channels. On the way down"),
    ("13.6", unet(lambda w: (2 * w, 2 * w, 4 * w)), "joined at 28×28 has 16 channels"),
    ("13.6", unet(lambda w: (w, 2 * w, 2 * w)), "at 7×7 the maps have 16 channels at most"),
    ("13.6", unet(kept=True), "a list that every call adds to"),
    ("13.6", unet(sizes=(14, 28)), "is a size written into it"),
    ("13.7", lambda layers: math.prod(s for _, s in layers) * layers[-1][0], "the last layer's kernel"),
    ("13.7", field(lambda kernel, stride: kernel - 2 * (stride > 1)), "the padding is taken off"),
    ("13.8", fresh_noise, "at each call"),
    (
        "13.9",
        lambda x: (
            x.reshape(len(x), -1, x.shape[1]).mT @ x.reshape(len(x), -1, x.shape[1]) / x.shape[2:].numel()
        ),
        "moves no axis",
    ),
    ("13.9", lambda x: torch.einsum("nchw,ndhw->ncd", x, x) / x.shape[3] ** 2, "width squared"),
    ("13.9", lambda x: x.mean((2, 3))[:, :, None] * x.mean((2, 3))[:, None], "multiplies the *means*"),
]


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_a_further_mistake_is_told_by_name(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict.message


RIGHT = [
    ("0.1", lambda x: (x.flatten().float() / 127.5 - 1).view(x.shape)),
    ("3.4", pull(lambda arrows: arrows)),
    ("7.4", spread(lambda groups: groups.std(1, correction=0))),  # `std` has the slope 0 where all are alike
    ("7.4", spread(lambda groups: (groups.var(1, correction=0) + 1e-8).sqrt())),
    ("7.5", modes(0)),
    ("8.1", margins(lambda fake: fake + 1)),
    ("8.2", pairs(F.logsigmoid)),
    ("9.2", frechet(by_eigenvalues)),
    ("9.7", ssim(2 * 1.5**2)),
    ("10.5", lambda log_w: (log_w.logsumexp(0) - math.log(len(log_w))).mean()),
    ("11.4", search(lambda error, z: error.backward(inputs=[z]))),
    ("11.6", math.log(100)),
    ("12.3", projection(lambda samples: samples)),
    ("12.5", within(of_variances)),
    ("13.1", by_brackets(lambda h, x: h.expand_as(x))),
    ("13.2", safest(lambda x, w, d, h, some, odds: mean_of(some, odds))),
    ("13.4", curve(lambda p, c: (1 - p).clamp(min=c))),
    ("13.6", unet()),
    ("13.7", field(lambda kernel, stride: kernel)),
    ("13.7", field_from_the_first),  # has no answer for no layers at all, which no text asks for
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_without_its_slip_the_answer_is_right(number, answer):
    assert run_check(number, answer).status == "right", run_check(number, answer)
