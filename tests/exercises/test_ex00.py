"""The checkers of notebook 00: right answers in several forms, untouched stubs, typical mistakes."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from course_utils.checks import run_check
from course_utils.data import to_model_range
from course_utils.models import draw_latents


def stub(*arguments):
    raise NotImplementedError("your code here")


def in_place(pixels):
    result = pixels.float()
    result *= 2 / 255
    result -= 1
    return result


def by_darkest_and_brightest(pixels):
    pixels = pixels.float()
    return 2 * (pixels - pixels.min()) / (pixels.max() - pixels.min()) - 1


def masked(number, probabilities):
    left, places = probabilities.clone(), []
    for figure in number:
        places.append(int(left[:, int(figure)].argmax()))
        left[places[-1]] = -1
    return places


def sorted_down(number, probabilities):
    places = []
    for figure in number:
        order = probabilities[:, int(figure)].argsort(descending=True).tolist()
        places.append(next(place for place in order if place not in places))
    return torch.tensor(places)


def by_hand(number, probabilities):
    places = []
    for figure in number:
        rows = [row for row in range(len(probabilities)) if row not in places]
        places.append(max(rows, key=lambda row: probabilities[row][int(figure)]))
    return np.array(places)


def masked_in_place(number, probabilities):
    places = []
    for figure in number:
        places.append(int(probabilities[:, int(figure)].argmax()))
        probabilities[places[-1]] = -1
    return places


def only_its_column_masked(number, probabilities):
    left, places = probabilities.clone(), []
    for figure in number:
        places.append(int(left[:, int(figure)].argmax()))
        left[places[-1], int(figure)] = -1
    return places


def first_that_shows_it(number, probabilities):
    shown = probabilities.argmax(dim=1).tolist()
    places = []
    for figure in number:
        fits = [place for place, one in enumerate(shown) if one == int(figure) and place not in places]
        places.append((fits or [next(place for place in range(len(shown)) if place not in places)])[0])
    return places


RIGHT = [
    ("0.1", to_model_range),
    ("0.1", lambda pixels: pixels.float() / 255 * 2 - 1),
    ("0.1", lambda pixels: (pixels - 127.5) / 127.5),
    ("0.1", lambda pixels: pixels.double() / 127.5 - 1),
    ("0.1", in_place),
    ("0.2", torch.randn),
    ("0.2", draw_latents),
    ("0.2", lambda n, dim: torch.normal(0.0, 1.0, (n, dim))),
    ("0.2", lambda n, dim: torch.distributions.Normal(0, 1).sample((n, dim))),
    ("0.3", "b"),
    ("0.3", " B "),
    ("0.4", math.log(2)),
    ("0.4", -torch.log(torch.tensor(0.5))),
    ("0.4", torch.nn.functional.binary_cross_entropy_with_logits(torch.zeros(4), torch.ones(4))),
    ("0.4", 0.693),
    ("0.5", masked),
    ("0.5", sorted_down),
    ("0.5", by_hand),
]

WRONG = [
    ("0.1", lambda pixels: pixels / 255, "[0, 1]"),
    ("0.1", lambda pixels: pixels / 127.5, "wrong place"),
    ("0.1", lambda pixels: 1 - pixels / 127.5, "changed places"),
    ("0.1", lambda pixels: pixels - 127.5, "divide"),
    ("0.1", lambda pixels: (pixels / 255 - 0.1307) / 0.3081, "mean and deviation"),
    ("0.1", lambda pixels: pixels * 2 / 255 - 1, "overflowed"),
    ("0.1", lambda pixels: pixels / 128 - 1, "nearly: 255 becomes 0.9922"),
    ("0.1", lambda pixels: pixels / 127 - 1, "nearly: 255 becomes 1.0079"),
    ("0.1", lambda pixels: (pixels / 127.5 - 1).long(), "no place for −0.5"),
    ("0.1", lambda pixels: (pixels / 127.5 - 1).flatten(), "change values only"),
    ("0.1", lambda pixels: None, "return"),
    ("0.1", by_darkest_and_brightest, "darkest and brightest"),
    ("0.2", lambda n, dim: torch.randn(dim, n), "swapped"),
    ("0.2", lambda n, dim: torch.randn(dim), "one row of 8 numbers"),
    ("0.2", lambda n, dim: torch.rand(n, dim), "between 0 and 1"),
    ("0.2", lambda n, dim: 2 * torch.rand(n, dim) - 1, "between −1 and 1"),
    ("0.2", lambda n, dim: torch.randn(1, dim).repeat(n, 1), "all rows are the same"),
    ("0.2", lambda n, dim: 2 * torch.randn(n, dim), "deviation 2"),
    ("0.2", lambda n, dim: torch.randn(n, dim) + 2, "deviation 1.00"),
    ("0.2", lambda n, dim: torch.randn(n, dim, generator=torch.Generator().manual_seed(0)), "seed inside"),
    ("0.2", lambda n, dim: torch.randn(n, 1).repeat(1, dim), "move together"),
    ("0.2", lambda n, dim: (torch.rand(n, dim) - 0.5) * math.sqrt(12), "beyond ±2"),
    ("0.2", lambda n, dim: math.sqrt(dim) * normalize(torch.randn(n, dim)), "same length"),
    ("0.2", lambda n, dim: torch.randn(n, dim, 1, 1), "(4000, 8)"),
    ("0.3", "a", "two *images*"),
    ("0.3", "c", "strokes of nearly every z"),
    ("0.3", "d", "cannot jump"),
    ("0.3", "e", "Answer with one of"),
    ("0.4", -math.log(2), "sign"),
    ("0.4", 0.5, "probability"),
    ("0.4", math.log10(2), "base 10"),
    ("0.4", 1.0, "bit"),
    ("0.4", math.log(4), "two images"),
    ("0.4", 0.0, "right and sure"),
    ("0.4", torch.full((3,), 0.6931), "one number"),
    ("0.5", lambda number, p: [int(p[:, int(one)].argmax()) for one in number], "a figure comes again"),
    ("0.5", lambda number, p: [int(p[:, int(one)].argmin()) for one in number], "least"),
    ("0.5", lambda number, p: [int(p[int(one)].argmax()) for one in number], "down a column"),
    ("0.5", lambda number, p: [p[:, int(one)].max().item() for one in number], "largest probabilities"),
    ("0.5", lambda number, p: masked(number, p)[0], "4 figures"),
    ("0.5", lambda number, p: [int(one) for one in number], "for the figure 2"),
    ("0.5", lambda number, p: [place + 1 for place in masked(number, p)], "counted from 1"),
    ("0.5", lambda number, p: [1000 + place for place in masked(number, p)], "from 0 to 39"),
    ("0.5", first_that_shows_it, "not used yet has"),
    ("0.5", only_its_column_masked, "another figure has got is out"),
    ("0.5", masked_in_place, "changes"),
    ("0.5", lambda number, p: [0] * len(number), "for the figure 2"),
    ("0.1", lambda pixels: torch.tanh(pixels / 127.5 - 1), "go through tanh"),
    ("0.1", lambda pixels: 2 * (pixels / 255) ** 2.2 - 1, "no straight line: 128 becomes"),
    ("0.2", lambda n, dim: torch.randn(4000, 8), "Use both arguments"),
    ("0.4", 3.0, "0.0498 to the truth"),
    ("0.4", -3.0, "never negative"),
    ("0.1", lambda pixels: to_model_range(pixels).numpy(), "`ndarray`"),
    ("0.2", lambda n, dim: torch.randn(n, dim, dtype=torch.float64), "float64"),
    ("0.2", lambda n, dim: torch.randn(n, dim).numpy(), "`ndarray`"),
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


@pytest.mark.parametrize(
    ("number", "answer"), [("0.1", stub), ("0.2", stub), ("0.3", ...), ("0.4", None), ("0.5", stub)]
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


@pytest.mark.parametrize("number", ["0.1", "0.2", "0.4"])
def test_no_two_mistakes_share_a_message(number):
    messages = [run_check(number, answer).message for n, answer, _ in WRONG if n == number]
    assert len(set(messages)) == len(messages)


def test_the_verdict_on_guessing_tells_one_image_from_a_training_loss():
    message = run_check("0.4", math.log(2)).message
    assert "0.693 on one image" in message and "1.386" in message
