"""As test_further_mistakes, for the notebooks from 07 on: let pass once, or answered with a number only."""

import inspect
import math

import pytest
import torch
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
    (9, "        optimizer.zero_grad()", "encoder"),
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
    from course_utils.exercises.clinic.recording import gradients_that_add_up

    patient = PATIENTS[number]
    assert gradients_that_add_up(patient.cured(), patient.draw, start=0) == []


@pytest.mark.parametrize(("number", "line", "network"), EMPTIED)
def test_networks_whose_gradients_add_up_are_named(number, line, network):
    from course_utils.exercises.clinic.recording import gradients_that_add_up

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
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_without_its_slip_the_answer_is_right(number, answer):
    assert run_check(number, answer).status == "right", run_check(number, answer)
