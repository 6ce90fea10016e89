"""The quiz, headless: half of the images are real, answers are kept, the page hides the solution."""

import io
import re

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils.metrics import Answer, read_answers, wilson_interval
from course_utils.plots import alt_text
from course_utils.widgets.quiz import real_or_fake_quiz, render, shuffled

REAL, FAKE = torch.ones(30, 1, 12, 12), -torch.ones(20, 1, 12, 12)  # white ones are real


@pytest.fixture
def quiz(tmp_path):
    return real_or_fake_quiz(
        REAL, FAKE, subject="black", trials=8, file=tmp_path / "quiz.jsonl", player="Zoë"
    )


def say(quiz, said_real, place=None):
    place = quiz.timed.place if place is None else place
    quiz.answer({"place": place, "said_real": said_real, "shown": 501.26, "response": 812.3})


def shown(quiz) -> bool:
    """Whether the picture on the page is a real one."""
    return bool(np.asarray(Image.open(io.BytesIO(quiz.timed.png))).mean() > 127)


def test_half_are_real_and_the_order_is_the_seeds():
    images, are_real = shuffled(REAL, FAKE, 40, seed=0)
    assert sum(are_real) == 20
    assert ((images.mean((1, 2, 3)) > 0) == torch.tensor(are_real)).all()
    assert shuffled(REAL, FAKE, 40, seed=0)[1] == are_real
    assert shuffled(REAL, FAKE, 40, seed=1)[1] != are_real
    distinct = torch.arange(30.0)[:, None, None, None].expand(30, 1, 2, 2) / 30
    assert len(shuffled(distinct, -distinct, 30, seed=3)[0].unique(dim=0)) >= 29  # 0 is in both


@pytest.mark.parametrize("trials", [0, 7, 42])
def test_too_many_or_odd_trials_are_refused(trials):
    with pytest.raises(ValueError, match="trials must be even and at most twice the smaller set \\(20"):
        shuffled(REAL, FAKE, trials, seed=0)


def test_a_quiz_answered_rightly_has_no_errors_and_is_kept(quiz):
    for place in range(8):
        assert quiz.timed.message == f"Image {place + 1} of 8"
        say(quiz, shown(quiz))
    assert quiz.timed.place == 8
    assert "Done" in quiz.timed.message
    assert quiz.render().numbers["wrong"] == 0
    kept = read_answers(quiz.file)
    assert kept == quiz.answers
    assert kept[0] == Answer("Zoë", "black", quiz.are_real[0], quiz.are_real[0], 500, 501.3, 812.3)
    assert "<img" in quiz.result.value


def test_errors_are_counted_with_wilsons_interval(quiz):
    for place in range(8):
        say(quiz, shown(quiz) if place < 5 else not shown(quiz))
    numbers = quiz.render().numbers
    assert (numbers["answers"], numbers["wrong"], numbers["error rate"]) == (8, 3, 3 / 8)
    assert (numbers["from"], numbers["to"]) == wilson_interval(3, 8)
    alt = alt_text(quiz.render().figure)
    assert alt.count(", wrong") == 3
    assert "38%" in alt


def test_an_answer_that_comes_twice_or_late_counts_once(quiz):
    say(quiz, True)
    say(quiz, False, place=0)
    say(quiz, False, place=5)
    assert len(quiz.answers) == 1
    assert quiz.timed.place == 1


def test_a_new_quiz_begins_at_the_first_image_with_other_images(quiz):
    before, rounds = quiz.are_real, quiz.timed.round
    say(quiz, True)
    quiz.again.click()
    assert (quiz.timed.place, quiz.answers, quiz.timed.round) == (0, [], rounds + 1)
    assert quiz.are_real != before
    assert len(read_answers(quiz.file)) == 1  # what was answered stays


def test_the_exposure_reaches_the_page_and_the_record(quiz):
    quiz.exposure.value = 100
    assert quiz.timed.exposure == 100
    say(quiz, True)
    assert quiz.answers[0].exposure == 100


def test_a_file_that_cannot_be_written_does_not_stop_the_quiz(tmp_path):
    quiz = real_or_fake_quiz(REAL, FAKE, subject="x", trials=2, file=tmp_path)  # a folder
    say(quiz, True)
    assert "not kept" in quiz.problem.value
    assert quiz.timed.place == 1


def test_a_page_without_a_kernel_has_a_sheet_and_hides_the_solution(quiz):
    data, _ = quiz._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<details><summary>Answer</summary>" in data["text/html"]
    real = [int(place) for place in re.search(r"row by row: ([\d, ]+)\.", data["text/html"])[1].split(", ")]
    assert real == [place for place, one in enumerate(quiz.are_real, 1) if one]
    assert "without answers" in data["text/plain"]


def test_the_picture_marks_every_wrong_answer_with_a_frame():
    images, are_real = shuffled(REAL, FAKE, 12, seed=0)
    answers = [Answer("a", "b", real, True, 0, 1.0, 1.0) for real in are_real]
    top = render(images, answers).figure.axes[0]
    assert len(top.lines) == 6  # the six generated ones
    assert [text.get_text() for text in top.texts] == ["R" if real else "G" for real in are_real]
