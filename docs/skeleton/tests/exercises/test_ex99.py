"""The checkers of notebook 99: right answers in several forms, untouched stubs, typical mistakes."""

import math

import pytest
import torch

from course_utils.checks import run_check


def stub(*arguments):
    raise NotImplementedError("your code here")


RIGHT = [
    ("99.1", lambda x: x.square().mean()),
    ("99.1", lambda x: x @ x / len(x)),
    ("99.2", "b"),
    ("99.3", 2e6),
    ("99.3", torch.tensor(2_000_000)),
    ("99.4", lambda x: (x.mean(), x.std() / math.sqrt(len(x)))),
    ("99.4", lambda x: (x.mean().item(), (x.var(correction=0) / len(x)).sqrt().item())),
]

WRONG = [
    ("99.1", lambda x: x.mean() ** 2, "square of the mean"),
    ("99.1", lambda x: x @ x, "sum of the squares"),
    ("99.1", lambda x: (x @ x / len(x)).item(), "goes on with a PyTorch tensor"),
    ("99.2", "a", "never help"),
    ("99.2", "c", "root of the variance"),
    ("99.3", 2_000, "where is the root"),
    ("99.3", 1e6, "variance of 1"),
    ("99.3", 7, "put your N into"),
    ("99.4", lambda x: x.mean(), "two numbers"),
    ("99.4", lambda x: (x.mean(), x.std()), "scatter of one number"),
    ("99.4", lambda x: (x.mean(), x.var() / len(x)), "variance of the mean"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(("number", "answer"), [("99.1", stub), ("99.2", ...), ("99.3", ...), ("99.4", stub)])
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"
