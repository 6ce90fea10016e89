"""The checkers of notebook 07: right answers in several forms, untouched stubs, typical mistakes."""

import math

import pytest
import torch

from course_utils.checks import run_check
from course_utils.exercises.clinic import PATIENTS
from course_utils.exercises.clinic.exercises import number_of
from course_utils.models import MinibatchStd


def stub(*arguments):
    raise NotImplementedError("your code here")


def by_cdist(samples):
    rows = samples.flatten(1)
    return torch.cdist(rows, rows).sum() / (len(rows) * (len(rows) - 1))


def by_loops(samples):
    distances = [(a - b).norm() for i, a in enumerate(samples) for b in samples[:i]]
    return torch.stack(distances).mean()


def spread_by_moments(features, group):
    groups = features.reshape(-1, group, *features.shape[1:])
    variance = (groups - groups.mean(1, keepdim=True)).square().mean(1)
    spread = (variance + 1e-8).sqrt().mean((1, 2, 3)).repeat_interleave(group)
    maps = spread.reshape(-1, 1, 1, 1) * torch.ones_like(features[:, :1])
    return torch.cat([features, maps], 1)


def spread_of(features, group, reduce):
    """Features with a channel of any wrong spread: reduce(groups) gives a number for each group."""
    groups = features.unflatten(0, (-1, group))
    spread = reduce(groups).repeat_interleave(group).reshape(-1, 1, 1, 1)
    return torch.cat([features, spread.expand(-1, 1, *features.shape[2:])], 1)


def variance(groups):
    return groups.var(1, correction=0).flatten(1)


def spread_within(features, group):
    own = features.flatten(1).std(1, correction=0).reshape(-1, 1, 1, 1)
    return torch.cat([features, own.expand_as(features[:, :1])], 1)


def dealt_out_in_turns(features, group):
    spread = spread_by_moments(features, group)[::group, -1:].repeat(group, 1, 1, 1)
    return torch.cat([features, spread], 1)


def channel_by_channel(digits):
    counts = [torch.bincount(digits[:, channel], minlength=10) / len(digits) for channel in range(3)]
    return by_xlogy(digits)[0], sum(torch.special.xlogy(f, 10 * f).sum() for f in counts)


def nan_where_a_mode_is_missing(digits):
    fractions = counted(digits) / len(digits)
    return int((fractions > 0).sum()), (fractions * (1000 * fractions).log()).sum()


def counted(digits):
    codes = 100 * digits[:, 0] + 10 * digits[:, 1] + digits[:, 2]
    return torch.bincount(codes, minlength=1000)


def by_xlogy(digits):
    counts = counted(digits)
    fractions = counts / len(digits)
    return int((counts > 0).sum()), torch.special.xlogy(fractions, 1000 * fractions).sum()


def by_entropy(digits):
    fractions = counted(digits).double() / len(digits)
    there = fractions[fractions > 0]
    return len(there), math.log(1000) + (there * there.log()).sum().item()


def entropy_only(digits):
    covered, kl = by_entropy(digits)
    return covered, math.log(1000) - kl


def kl_of(fractions):
    return torch.special.xlogy(fractions, 1000 * fractions).sum()


def without_minlength(digits):
    counts = torch.bincount(100 * digits[:, 0] + 10 * digits[:, 1] + digits[:, 2])
    fractions = counts / len(digits)
    return int((counts > 0).sum()), torch.special.xlogy(fractions, len(fractions) * fractions).sum()


RIGHT = [
    ("7.1", by_cdist),
    ("7.1", by_loops),
    ("7.1", lambda samples: torch.pdist(samples.flatten(1)).mean().item()),
    ("7.2", "c"),
    ("7.3", "d"),
    ("7.4", lambda features, group: MinibatchStd(group)(features)),
    ("7.4", spread_by_moments),
    ("7.5", by_xlogy),
    ("7.5", by_entropy),
    *((number_of(patient), patient.cured()) for patient in PATIENTS.values()),  # more of them: test_clinic.py
]

WRONG = [
    ("7.1", lambda x: torch.cdist(x.flatten(1), x.flatten(1)).mean(), "distance of a sample to itself"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).square().mean(), "where is the root"),
    ("7.1", lambda x: (x.flatten(1) - x.flatten(1).mean(0)).norm(dim=1).mean(), "distance to the mean"),
    ("7.1", lambda x: x.flatten(1).std(0).mean(), "standard deviation of each number"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)), "one number"),
    ("7.1", lambda x: torch.pdist(x.flatten(1), p=1).mean(), "length of the difference"),
    ("7.1", lambda x: torch.cdist(x.flatten(1), x.flatten(1)).sum() / len(x), "divide by N"),
    ("7.1", lambda x: by_cdist(x).detach().fill_(2.0), "whatever the arguments are"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).mean() * 2, "each pair twice"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).mean() / 2, "once, or twice"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).square().mean().sqrt(), "root of the mean square"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).median(), "*median*"),
    ("7.1", lambda x: torch.pdist(x.flatten(1)).max(), "largest distance"),
    ("7.1", lambda x: (x[1:] - x[:-1]).flatten(1).norm(dim=1).mean(), "next one in the list"),
    ("7.1", lambda x: x.flatten(1).norm(dim=1).mean(), "distance from 0"),
    ("7.1", lambda x: x.flatten(1).var(0).mean(), "variance of each number"),
    ("7.1", lambda x: torch.cdist(x.flatten(1), x.flatten(1))[0, 1:].mean(), "the first sample"),
    ("7.1", lambda x: torch.pdist(x.flatten(1).T.contiguous()).mean(), "not a column"),
    ("7.1", lambda x: torch.cdist(x.flatten(1), x.flatten(1)).sum() / (len(x) ** 2 - 1), "N² − 1"),
    ("7.1", lambda x: torch.cdist(x, x).sum() / (len(x) * (len(x) - 1)), "lines"),
    ("7.2", "a", "weigh a rejected sample"),
    ("7.2", "b", "other way round"),
    ("7.2", "d", "silence"),
    ("7.3", "a", "stood still"),
    ("7.3", "b", "in all directions"),
    ("7.3", "c", "about half"),
    ("7.4", lambda f, g: spread_by_moments(f, g)[:, -1:], "new channel alone"),
    ("7.4", lambda f, g: spread_by_moments(f, g).roll(1, 1), "comes first"),
    ("7.4", lambda f, g: spread_by_moments(f, len(f)), "whole batch"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: variance(x).mean(1)), "root is missing"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: x.std(1).flatten(1).mean(1)), "group − 1"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: variance(x).mean(1).sqrt()), "under the root"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: variance(x).sqrt().mean(1)), "not finite"),
    ("7.4", lambda f, g: torch.cat([f, spread_by_moments(f, g)[:, -1:].detach()], 1), "cut off"),
    ("7.4", spread_within, "within"),
    ("7.4", dealt_out_in_turns, "wrong samples"),
    ("7.4", lambda f, g: spread_by_moments(2 * f, g), "have changed"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: (variance(x) + 1e-2).sqrt().mean(1)), "ε is 1e-02"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: x.flatten(1).std(1, correction=0)), "*all* numbers"),
    ("7.4", lambda f, g: spread_of(f, g, lambda x: variance(x).sqrt().amax(1)), "*largest*"),
    (
        "7.4",
        lambda f, g: spread_of(f, g, lambda x: (len(x[0]) * variance(x)).sqrt().mean(1)),
        "over the group",
    ),
    (
        "7.4",
        lambda f, g: spread_of(f, g, lambda x: (x - x.mean(1, True)).abs().flatten(1).mean(1)),
        "*absolute*",
    ),
    ("7.4", lambda f, g: spread_by_moments(f, len(f) // g), "should *hold*"),
    ("7.4", lambda f, g: spread_by_moments(f, 4), "whatever `group` is"),
    ("7.5", lambda d: (len(d), by_xlogy(d)[1]), "number of images"),
    ("7.5", lambda d: (len(d.sum(1).unique()), by_xlogy(d)[1]), "same sum"),
    ("7.5", lambda d: by_xlogy(d)[::-1], "wrong order"),
    ("7.5", entropy_only, "entropy of the frequencies"),
    ("7.5", lambda d: (by_xlogy(d)[0], -by_xlogy(d)[1]), "never negative"),
    ("7.5", lambda d: (by_xlogy(d)[0], by_xlogy(d)[1] / math.log(2)), "bits"),
    ("7.5", lambda d: (by_xlogy(d)[0], by_xlogy(d)[1] / 1000), "the mean over the modes"),
    ("7.5", channel_by_channel, "channels' own"),
    ("7.5", lambda d: (by_xlogy(d)[0] / 1000, by_xlogy(d)[1]), "fraction"),
    ("7.5", nan_where_a_mode_is_missing, "NaN"),
    ("7.5", lambda d: (1000 - by_xlogy(d)[0], by_xlogy(d)[1]), "*missing*"),
    ("7.5", lambda d: (int((counted(d) > 1).sum()), by_xlogy(d)[1]), "first image on"),
    ("7.5", lambda d: (len((d @ torch.tensor([10, 1, 1])).unique()), by_xlogy(d)[1]), "which base"),
    ("7.5", lambda d: (len(d[:, :2].unique(dim=0)), by_xlogy(d)[1]), "channels does not count"),
    ("7.5", lambda d: (by_xlogy(d)[0], by_xlogy(d)[1] / math.log(10)), "base 10"),
    ("7.5", lambda d: (by_xlogy(d)[0], kl_of(counted(d) / len(d) + 1e-3)), "small number added"),
    ("7.5", lambda d: (by_xlogy(d)[0], kl_of(counted(d).double())), "those are counts"),
    ("7.5", lambda d: (by_xlogy(d)[0], kl_of(counted(d) / counted(d).max())), "the largest of them"),
    ("7.5", lambda d: (by_xlogy(d)[0], (counted(d) / len(d) - 1e-3).abs().sum() / 2), "total variation"),
    ("7.5", lambda d: (by_xlogy(d)[0], ((counted(d) / len(d) - 1e-3) ** 2 * 1000).sum()), "χ²"),
    ("7.5", lambda d: (by_xlogy(d)[0], -entropy_only(d)[1]), "compares with nothing"),
    ("7.5", without_minlength, "minlength"),
    ("7.5", lambda d: by_xlogy(d)[0], "two things"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(
    ("number", "answer"), [("7.1", stub), ("7.2", ...), ("7.3", ...), ("7.4", stub), ("7.5", stub)]
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"
