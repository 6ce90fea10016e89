"""The machinery of the checks: verdicts, hints, and the file that remembers them."""

import json
import multiprocessing
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from course_utils.checks import (
    Part,
    Wrong,
    as_tensor,
    call,
    check,
    choose,
    exercise,
    expect_close,
    expect_varied,
    matches,
    progress,
    run_check,
)
from course_utils.training.objectives import Objective


@pytest.fixture(autouse=True)
def squaring(monkeypatch, tmp_path):
    """Exercise 90.1, a progress file of its own, and no trace of either afterwards."""
    monkeypatch.setattr("course_utils.checks.verdict._EXERCISES", {})
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))

    @exercise("90.1", title="Square <it>", difficulty=2, minutes=5, hints=["use `x * x`", "a < b", "third"])
    def square(answer):
        x = torch.tensor([-3.0, 0.0, 2.0])
        result = call(answer, x, name="square")
        if matches(result, 2 * x):
            raise Wrong("that doubles x.")
        expect_close(result, torch.tensor([9.0, 0.0, 4.0]))
        return "never negative."

    return tmp_path / "progress.json"


def stub(x):
    raise NotImplementedError("your code here")


def stops_on_line_two(x):
    wide = x.reshape(7, 7)
    return wide


# --- verdicts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer", [lambda x: x * x, lambda x: x**2, lambda x: (x * x).tolist(), lambda x: np.square(x.numpy())]
)
def test_right_in_any_form(answer):
    verdict = run_check("90.1", answer)
    assert (verdict.status, verdict.message, verdict.hints) == ("right", "Never negative.", ())


@pytest.mark.parametrize("answer", [stub, ..., None, (1, ...), {"a": None, "b": 2}, lambda x: ...])
def test_untouched_stubs_are_not_attempted(answer):
    assert run_check("90.1", answer).status == "not attempted"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: 2 * x, "That doubles x."),
        (lambda x: x, "is -3 at place 0, where 9 was expected"),
        (lambda x: None, "Is there a `return`?"),
        (lambda x: x.sum(), "has shape (); expected (3,)"),
        (lambda x: x / 0, "contains NaN"),
        (lambda x: x.abs().log(), "contains infinite values"),
        (lambda x: "nine", "should be a number or a tensor of numbers, but it is a `str`"),
        (lambda x: object(), "but it is an `object`"),
        (9, "should be a function, but it is an `int`"),
        (lambda: 9, "TypeError"),
        (lambda x: sys.exit(3), "SystemExit"),
    ],
)
def test_each_wrong_answer_has_its_message(answer, message):
    verdict = run_check("90.1", answer)
    assert verdict.status == "wrong"
    assert message in verdict.message


def test_an_error_shows_its_last_line_and_the_line_of_the_answer():
    verdict = run_check("90.1", stops_on_line_two)
    assert verdict.status == "wrong"
    assert "RuntimeError: shape '[7, 7]' is invalid" in verdict.message
    assert "in `stops_on_line_two`" in verdict.message
    assert verdict.code == "wide = x.reshape(7, 7)"


def test_an_error_inside_a_library_is_traced_to_the_answer():
    def answer(x):
        return np.linalg.inv(x.numpy())

    assert run_check("90.1", answer).code == "return np.linalg.inv(x.numpy())"


def test_pytorchs_own_not_implemented_error_is_an_attempt():
    module = torch.nn.Module()  # without forward, calling it raises NotImplementedError
    assert run_check("90.1", module).status == "wrong"


def test_a_named_tuple_with_an_empty_field_is_an_attempt():
    assert run_check("90.1", Objective("hinge")).status == "wrong"  # its penalty is None


def test_answers_that_change_their_input_are_judged_by_their_result():
    assert run_check("90.1", lambda x: x.mul_(x)).status == "right"
    x = torch.ones(2)
    assert torch.equal(call(lambda y: y.mul_(3), x), 3 * torch.ones(2))
    assert torch.equal(x, torch.ones(2))  # the checker's own tensor is as it was


def test_unknown_numbers_are_told_the_known_ones():
    verdict = run_check("90.7", 1)
    assert verdict.status == "unknown exercise"
    assert "90.1" in verdict.message
    for number in ("", "abc", 90.1, None, "1.2.3"):
        assert run_check(number, 1).status in ("unknown exercise", "wrong")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("that doubles x.", "That doubles x."),
        ("a minus is missing.", "A minus is missing."),
        ("value_on_a_die is wrong.", "value_on_a_die is wrong."),
        ("optimizer.step() is missing.", "optimizer.step() is missing."),
        ("x² is never negative.", "x² is never negative."),
        ("h is too large.", "h is too large."),
    ],
)
def test_a_message_begins_like_a_sentence_but_identifiers_keep_their_case(message, shown):
    def checker(answer):
        raise Wrong(message)

    exercise("90.3", title="Messages", difficulty=1, minutes=1)(checker)
    assert run_check("90.3", 1).message == shown


def test_a_function_that_returns_nothing_is_named_as_the_learner_wrote_it():
    with pytest.raises(Wrong, match=r"^`value_on_a_die` returns nothing"):
        call(lambda: None, name="value_on_a_die")
    with pytest.raises(Wrong, match=r"^your function returns nothing"):
        call(lambda: None)


def test_a_checker_that_cannot_be_imported_stops_nothing(monkeypatch):
    monkeypatch.setattr("course_utils.checks.verdict.exercise_modules", lambda: {90: "ex90_missing"})
    verdict = run_check("90.1", 1)
    assert verdict.status == "unknown exercise"
    assert "ModuleNotFoundError" in verdict.message


def test_a_check_neither_uses_nor_changes_the_notebooks_random_state():
    drawn = []

    @exercise("90.2", title="Random", difficulty=1, minutes=1)
    def draws(answer):
        drawn.append((torch.rand(()).item(), np.random.rand(), random.random()))  # noqa: NPY002

    torch.manual_seed(5), np.random.seed(5), random.seed(5)  # noqa: NPY002
    expected = (torch.rand(()).item(), np.random.rand(), random.random())  # noqa: NPY002
    torch.manual_seed(5), np.random.seed(5), random.seed(5)  # noqa: NPY002
    run_check("90.2", 1)
    assert (torch.rand(()).item(), np.random.rand(), random.random()) == expected  # noqa: NPY002
    run_check("90.2", 1)
    assert drawn[0] == drawn[1]


def test_declarations_are_looked_over():
    with pytest.raises(ValueError, match="write notebook"):
        exercise("one", title="", difficulty=1, minutes=1)
    with pytest.raises(ValueError, match="must be 1, 2 or 3"):
        exercise("90.3", title="", difficulty=4, minutes=1)
    with pytest.raises(ValueError, match="renumber one"):

        @exercise("90.1", title="Again", difficulty=1, minutes=1)
        def another(answer):
            return ""


# --- helpers --------------------------------------------------------------------------------------------


def test_closeness_is_relative_above_one_and_absolute_below():
    expect_close(1_000_000, 1_000_050, tolerance=1e-4)
    assert not matches(1_000_000, 1_000_150, tolerance=1e-4)
    assert not matches(0.0, 0.01, tolerance=1e-3)
    assert matches(1e-5, 0.0, tolerance=1e-4)
    assert matches(np.float16(0.5), 0.5)
    assert matches(torch.tensor(2, dtype=torch.int8), 2)
    assert matches(torch.tensor([1.0], requires_grad=True, dtype=torch.bfloat16), [1.0])
    assert matches([torch.tensor(1.0), 2], torch.tensor([1.0, 2.0]))
    assert not matches("x", 1.0)


def test_a_choice_is_recognised_and_each_other_one_answered():
    for answer in (" B", "(b)", " (B) ", "b)", "[b]"):
        choose(answer, right="b", wrong={"a": "no"})
    with pytest.raises(Wrong, match="look again"):
        choose("A", right="b", wrong={"a": "look again"})
    for answer in ("d", 2, ["b"]):
        with pytest.raises(Wrong, match='"a", "b"'):
            choose(answer, right="b", wrong={"a": "no"})


@pytest.mark.parametrize(
    ("shape", "where"),
    [((), ""), ((6,), " at place 4"), ((2, 3), " in row 1, column 1"), ((1, 2, 3), " at [0, 1, 1]")],
)
def test_a_difference_is_located_as_the_learner_would_index_it(shape, where):
    expected = torch.zeros(6 if shape else 1)
    actual = expected.clone()
    actual[-2 if shape else 0] = 7
    with pytest.raises(Wrong) as wrong:
        expect_close(actual.reshape(shape), expected.reshape(shape), name="x")
    if shape:
        assert str(wrong.value).endswith(f"not{where}, where 0 belongs and 7 stands.")
    else:
        assert str(wrong.value) == "x is 7, where 0 was expected."


def test_copies_keep_requiring_gradients():
    x = torch.ones(2, requires_grad=True)
    (gradient,) = call(lambda y: torch.autograd.grad(y.square().sum(), y), x)
    assert torch.equal(gradient, torch.tensor([2.0, 2.0]))
    assert as_tensor(x).requires_grad is False


# --- what the learner sees ------------------------------------------------------------------------------


def test_hints_unfold_one_inside_the_other():
    page = run_check("90.1", 3)._repr_html_()
    assert page.count("<details>") == 3
    first, second, third = (
        page.index(text) for text in ("Hint (1 of 3)", "Another hint (2 of 3)", "(3 of 3)")
    )
    assert first < second < third
    assert page.endswith(
        "</details></details></details></div>"
    )  # nested: the second is folded inside the first
    assert "<details open" not in page


def test_the_verdict_is_told_by_words_and_icon_and_escapes_what_it_quotes():
    def answer(x):
        raise ValueError("<script>")

    page = run_check("90.1", answer)._repr_html_()
    assert "✘ Exercise 90.1 (Square &lt;it&gt;): not right yet" in page
    assert "<script>" not in page
    assert "raise ValueError(&quot;&lt;script&gt;&quot;)" in page
    assert "<code>ValueError: &lt;script&gt;</code>" in page
    assert "color:" not in page.replace("background: ", "")  # the text keeps the colour of the theme
    assert "✔ Exercise 90.1" in run_check("90.1", lambda x: x * x)._repr_html_()
    assert "○ Exercise 90.1" in run_check("90.1", ...)._repr_html_()


def test_stars_are_emphasis_on_the_page_and_nothing_in_a_terminal():
    @exercise("90.2", title="Stars", difficulty=1, minutes=1, hints=["the *second* `a*b*c`, *very much so*"])
    def stars(answer):
        raise Wrong("the mean of two *images*, not 2 * 3 * 4 or `x*y*z`")

    verdict = run_check("90.2", 1)
    page = verdict._repr_html_()
    assert "two <em>images</em>, not 2 * 3 * 4 or <code>x*y*z</code>" in page
    assert "the <em>second</em> <code>a*b*c</code>, <em>very much so</em>" in page
    assert repr(verdict).endswith("two images, not 2 * 3 * 4 or `x*y*z`")


def test_in_a_terminal_the_verdict_is_text():
    code = "from course_utils.checks import check; check('90.1', 3)"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.startswith("? Exercise 90.1: no such exercise\nThere is no exercise '90.1'")


def test_check_hands_on_the_answer_only_where_it_is_right(capsys):
    def right(x):
        return x * x

    def wrong(x):
        return x

    reference = torch.square
    assert check("90.1", wrong, otherwise=reference) is reference
    assert check("90.1", stub, otherwise=reference) is reference
    assert check("90.1", right, otherwise=reference) is right
    assert check("90.1", right) is None
    assert check("91.1", right, otherwise=reference) is reference
    assert "✔ Exercise 90.1" in capsys.readouterr().out


def test_the_reference_in_place_of_an_answer_does_not_count(squaring):
    answer = check(
        "90.1", stub, otherwise=torch.square
    )  # a cell that keeps the result under the answer's name …
    check("90.1", answer, otherwise=torch.square)  # … and is run a second time
    assert progress.status_of("90.1") == "not attempted"
    assert not squaring.exists()


# --- parts ----------------------------------------------------------------------------------------------


@pytest.fixture
def in_two_parts():
    def guess(answer):
        choose(answer, "b", {"a": "that would be odd."})
        return "then write it."

    parts = {"guess": Part(guess, ("think of signs",))}

    @exercise("90.2", title="Twice", difficulty=1, minutes=1, hints=["`2 * x`"], parts=parts)
    def twice(answer):
        expect_close(call(answer, 3.0), 6.0)


def test_a_part_has_a_verdict_and_hints_of_its_own(in_two_parts):
    verdict = run_check("90.2", "a", "guess")
    assert (verdict.status, verdict.message) == ("wrong", "That would be odd.")
    assert (verdict.title, verdict.hints) == ("Twice: guess", ("think of signs",))
    assert run_check("90.2", " (B) ", "guess").status == "right"
    assert run_check("90.2", ..., "guess").status == "not attempted"
    assert run_check("90.2", lambda x: x + x).status == "right"
    assert run_check("90.2", "b").status == "wrong"  # a guess is not the answer


def test_a_part_alone_does_not_solve_the_exercise(in_two_parts, capsys):
    check("90.2", guess="b")
    assert "✔ Exercise 90.2 (Twice: guess): right" in capsys.readouterr().out
    assert progress.status_of("90.2") == "not attempted"
    assert progress.status_of("90.2 guess") == "right"
    check("90.2", lambda x: 2 * x)
    assert progress.status_of("90.2") == "right"


def test_parts_that_there_are_not_are_told_the_known_ones(in_two_parts):
    assert "no part 'proof'; the known ones: guess" in run_check("90.2", 1, "proof").message
    assert "no part 'proof'; the known ones: none" in run_check("90.1", 1, "proof").message
    assert "no exercise '91.1'" in run_check("91.1", 1, "guess").message


@pytest.mark.parametrize(("answers", "parts"), [((), {}), ((1,), {"guess": "b"}), ((), {"a": 1, "b": 2})])
def test_check_takes_one_answer(answers, parts):
    with pytest.raises(TypeError, match="one answer"):
        check("90.1", *answers, **parts)


# --- progress -------------------------------------------------------------------------------------------


def test_right_answers_are_remembered_and_stay_right(squaring):
    check("90.1", lambda x: x)
    assert progress.status_of("90.1") == "wrong"
    check("90.1", lambda x: x * x)
    check("90.1", lambda x: x)
    check("90.1", stub)
    assert progress.status_of("90.1") == "right"
    assert json.loads(squaring.read_text())["exercises"]["90.1"]["status"] == "right"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"exercises": 3}', '{"exercises": {"1.1": 2}}', "\x00\xff", "[" * 100_000, "9" * 5_000],
    ids=lambda content: content[:20],
)
def test_a_broken_file_is_put_aside_and_said_so(squaring, content, capsys):
    squaring.write_text(content, encoding="latin-1")
    assert "broken" in progress.report()
    check("90.1", lambda x: x * x)
    assert "was broken: it was put aside as progress.json.broken" in capsys.readouterr().out
    assert squaring.with_name("progress.json.broken").read_text(encoding="latin-1") == content
    assert progress.status_of("90.1") == "right"


def test_a_second_broken_file_does_not_overwrite_the_copy_of_the_first(squaring, capsys):
    for content in ("first", "second", "third"):
        squaring.write_text(content)
        check("90.1", lambda x: x * x)
    copies = [squaring.with_name(f"progress.json.broken{which}") for which in ("", "-2", "-3")]
    assert [copy.read_text() for copy in copies] == ["first", "second", "third"]
    assert "put aside as progress.json.broken-3" in capsys.readouterr().out


def test_what_a_killed_process_left_half_written_is_removed(squaring):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    leftover = squaring.with_name(f".progress.json.{ended.pid}.partial")
    leftover.write_text("{")
    check("90.1", lambda x: x * x)
    assert not leftover.exists()


def test_where_nothing_can_be_written_the_verdict_stands(squaring, monkeypatch, capsys):
    squaring.write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_PROGRESS", str(squaring / "progress.json"))
    check("90.1", lambda x: x * x)
    output = capsys.readouterr().out
    assert "✔ Exercise 90.1" in output
    assert "Progress is not saved" in output
    assert "0 of " in progress.report()


def _remember_many(path, first):
    import os

    os.environ["COURSE_PROGRESS"] = path
    for place in range(first, first + 20):
        assert progress.remember(f"90.{place}", "right") == ""


def test_two_kernels_at_once_lose_nothing(squaring):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    kernels = [context.Process(target=_remember_many, args=(str(squaring), first)) for first in (100, 200)]
    for kernel in kernels:
        kernel.start()
    for kernel in kernels:
        kernel.join(60)
        assert kernel.exitcode == 0
    assert len(json.loads(squaring.read_text())["exercises"]) == 40
    assert not list(squaring.parent.glob(".*.partial"))


def test_the_report_counts_by_notebook(monkeypatch):
    exercise("90.2", title="Second", difficulty=3, minutes=9)(lambda answer: "")
    monkeypatch.setattr(progress, "exercise_modules", lambda: {90: "ex90_squares_and_more"})
    check("90.1", lambda x: x * x)
    lines = progress.report().splitlines()
    assert lines[0] == "90 squares and more: 1 of 2"
    assert lines[1].split() == ["✔", "90.1", "Square", "<it>", "(●●○,", "5", "min)"]
    assert lines[2].split() == ["·", "90.2", "Second", "(●●●,", "9", "min)"]
    assert lines[3].startswith("1 of 2 exercises solved")


def test_importing_the_checks_loads_no_torch():
    code = (
        "import sys; import course_utils.checks; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("answer", "argument"),
    [
        (
            lambda a: a.argsort().double() @ torch.arange(5.0).double(),
            torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]),
        ),
        (lambda a: a.median().clamp(min=-1), torch.tensor([1.0, -2.0, 0.0, 3.0, -5.0])),
        (lambda n: 1 - 0.5**n, 200),
        (lambda numbers: sum(numbers[:4]), [1.0, 2.0, 3.0, 4.0, 5.0]),
    ],
)
def test_an_argument_that_counts_is_not_called_unused(answer, argument):
    call(answer, argument)
    expect_varied("it")  # it would raise Wrong
