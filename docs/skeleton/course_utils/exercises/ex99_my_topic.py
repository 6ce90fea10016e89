"""The exercises of notebook 99: a skeleton to copy, see docs/authoring.md."""

import math

import torch

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    choose,
    exercise,
    expect_close,
    expect_like,
    expect_shape,
    matches,
)


@exercise(
    "99.1",
    title="Average the squares",
    difficulty=1,  # ●○○
    minutes=5,
    hints=["What is the square of −3?", "`x.square()` squares each number; `.mean()` averages."],
)
def mean_square(answer):
    for x in (torch.tensor([-3.0, 0.0, 2.0]), torch.tensor([1.0, -1.0])):  # more than the text's example
        result = call(answer, x, name="mean_square")
        if matches(result, x.mean().square()):  # the typical mistakes first, each with its own message
            raise Wrong("that is the square of the mean. Square first, then average.")
        if matches(result, x.square().sum()):
            raise Wrong("that is the sum of the squares. How many are there?")
        expect_shape(result, (), "`mean_square(x)`")
        expect_close(result, x.square().mean(), name="`mean_square(x)`")
        expect_like(result, name="`mean_square(x)`")  # what the next cell does with it is part of the check
    return "of standard normal numbers it is about 1: their variance."


@exercise("99.2", title="Predict the scatter", difficulty=1, minutes=2)
def scatter(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "then more samples would never help. What happens to lucky and unlucky draws in an average?",
            "c": "variances add up, and the scatter is the root of the variance.",
        },
    )
    return "run the next cell to see it."


@exercise(
    "99.3",
    title="How many samples?",
    difficulty=2,
    minutes=3,
    hints=["Solve √(2/N) = 0.001 for N: square both sides."],
)
def samples_needed(answer):
    found = as_tensor(answer, "the number of samples")
    typical = [
        (2 / 0.001, "that solves 2/N = 0.001: where is the root?"),
        (1 / 0.001**2, "that is for a variance of 1. What is the variance of x²?"),
    ]
    for mistake, message in typical:
        if matches(found, mistake):
            raise Wrong(message)
    expect_close(found, 2 / 0.001**2, "put your N into √(2/N): it does not give 0.001.", tolerance=1e-3)
    return "two million, for three decimals."


@exercise(
    "99.4",
    title="An average and its error",
    difficulty=3,
    minutes=10,
    hints=[
        "The variance of an average of N numbers is 1/N of one number's.",
        "`x.std()` is the root of that.",
    ],
)
def mean_and_error(answer):
    for n in (50, 400):
        x = 3 + 2 * torch.randn(n, generator=torch.Generator().manual_seed(n))
        result = call(answer, x, name="mean_and_error")
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong("two numbers are asked for: the mean, and its error.")
        mean, error = (
            as_tensor(one, name) for one, name in zip(result, ("the mean", "the error"), strict=True)
        )
        expect_close(mean, x.mean(), name="the mean")
        if matches(error, x.std(), tolerance=0.02):
            raise Wrong("that is the scatter of one number. An average of N scatters less.")
        if matches(error, x.var() / n, tolerance=1e-3):
            raise Wrong("that is the variance of the mean. The error has the unit of x.")
        expect_close(error / (x.std() / math.sqrt(n)), 1.0, "the error is not σ/√N.", tolerance=0.02)
    return "print it with every average: 1.00 ± 0.01."
