"""Variants: a learner's own numbers in an exercise, the same everywhere, and nobody else's answer passes."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import torch

from course_utils.checks import check, run_check, show_variant, variant
from course_utils.checks.variants import question_for, variants
from tools.run import ROOT, execute

VARIANTS = variants()
FOLDER = Path(__file__).parents[1] / "exercises"


def stub(*arguments):
    raise NotImplementedError("your code here")


def printed_answers():
    """Exercise number -> a right answer to the printed question, from the exercises' own tests."""
    found = {}
    for notebook in sorted({number.split(".")[0] for number in VARIANTS}):
        path = FOLDER / f"test_ex{int(notebook):02}.py"
        module = importlib.util.module_from_spec(
            spec := importlib.util.spec_from_file_location(path.stem, path)
        )
        spec.loader.exec_module(module)
        for number, answer in module.RIGHT:
            found.setdefault(number, answer)
    return found


PRINTED = printed_answers()


@pytest.fixture
def ada(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_VARIANT", "ada")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


def one_of_each(number):
    """A name for every choice of an exercise's variant."""
    known, names = VARIANTS[number], {}
    for count in range(1_000):
        name = f"learner {count}"
        names.setdefault(known.choices.index(known.numbers_of(name)), name)
        if len(names) == len(known.choices):
            return [names[place] for place in range(len(known.choices))]
    raise AssertionError("some choice is never drawn")


def test_ten_exercises_or_more_have_one_and_each_of_them_exists(ada):
    assert len(VARIANTS) >= 10
    assert all(run_check(number, ...).status == "not attempted" for number in VARIANTS)


@pytest.mark.parametrize("number", VARIANTS)
def test_the_right_answer_passes_for_its_learner_and_for_nobody_else(number, monkeypatch):
    known, names = VARIANTS[number], one_of_each(number)
    assert len(known.choices) >= 8
    for mine, name in enumerate(names):
        monkeypatch.setenv("COURSE_VARIANT", name)
        verdict = run_check(number, known.reference(**known.choices[mine]))
        assert (verdict.status, verdict.message) == ("right", "With the numbers that were drawn for you.")
        other = known.choices[mine - 1]
        verdict = run_check(number, known.reference(**other))
        assert verdict.status == "wrong"
        assert f"That answers another learner's variant: “{known.asked(other)}”" in verdict.message
        assert f"For {name}: {known.asked(known.choices[mine])}" in verdict.message


@pytest.mark.parametrize("number", VARIANTS)
def test_no_choice_has_the_answer_of_another(number, monkeypatch):
    known = VARIANTS[number]
    for mine in known.choices:
        answer = known.reference(**mine)
        passing = []
        for other in known.choices:
            try:
                known.check(answer, other)
            except Exception:
                continue
            passing.append(other)
        assert passing == [mine]


@pytest.mark.parametrize("number", VARIANTS)
def test_the_published_solution_is_refused_as_the_printed_exercises(number, monkeypatch):
    assert run_check(number, PRINTED[number]).status == "right"
    for name in one_of_each(number):
        monkeypatch.setenv("COURSE_VARIANT", name)
        verdict = run_check(number, PRINTED[number])
        assert verdict.status == "wrong"
        assert (
            "That is right for the exercise as it is printed, and you are asked something" in verdict.message
        )


def test_without_a_learner_nothing_changes(monkeypatch):
    monkeypatch.delenv("COURSE_VARIANT", raising=False)
    own = VARIANTS["0.4"].reference(says=0.2)
    assert run_check("0.4", own).status == "wrong"
    assert "variant" not in run_check("0.4", own).message
    monkeypatch.setenv("COURSE_VARIANT", "  ")
    assert run_check("0.4", PRINTED["0.4"]).status == "right"


def test_an_untouched_stub_is_told_the_question(ada):
    verdict = run_check("1.1", stub)
    assert verdict.status == "not attempted"
    fill_in = "Fill in your answer above, run its cell, then run this one again."
    assert verdict.message == f"For ada: {question_for('ada', '1.1')} {fill_in}"


def test_a_wrong_answer_keeps_its_own_message_and_gets_the_question(ada):
    verdict = run_check("1.1", lambda d, p, q: torch.zeros(3))
    assert verdict.status == "wrong"
    assert "has shape (3,)" in verdict.message and verdict.message.endswith(question_for("ada", "1.1"))


def test_the_notebook_goes_on_with_the_printed_reference(ada):
    known = VARIANTS["1.1"]
    own, reference = known.reference(**known.numbers_of("ada")), object()
    assert check("1.1", own, otherwise=reference) is reference
    own = PRINTED["1.5"]
    assert check("1.5", own, otherwise=reference) is own  # it has no variant


def test_exercises_without_a_variant_and_parts_are_as_ever(ada):
    assert run_check("1.5", PRINTED["1.5"]).status == "right"
    assert run_check("7.6", "b", "diagnosis").status == "right"


def test_the_numbers_are_the_same_in_every_process():
    program = "from course_utils.checks.variants import question_for; print(question_for('ada', '5.1'))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == question_for("ada", "5.1")


def test_learners_are_spread_over_the_choices():
    known = VARIANTS["1.4"]
    drawn = [known.choices.index(known.numbers_of(f"student{count}")) for count in range(200)]
    counts = [drawn.count(place) for place in range(len(known.choices))]
    assert min(counts) >= 5  # of 20 on average: fewer has a probability below 1e-4
    pairs = {(question_for(name, "1.1"), question_for(name, "1.3")) for name in map(str, range(200))}
    assert len(pairs) > 50  # of 100: who shares one number need not share the next


def test_show_variant_says_whose_and_what(ada, monkeypatch, capsys):
    show_variant("0.4")
    assert capsys.readouterr().out.startswith(f"Exercise 0.4 for ada: {question_for('ada', '0.4')}\n")
    show_variant("0.3")
    assert capsys.readouterr().out == ""
    monkeypatch.delenv("COURSE_VARIANT")
    show_variant("0.4")
    assert "Set COURSE_VARIANT to your name" in capsys.readouterr().out


def test_a_second_variant_of_an_exercise_is_refused():
    with pytest.raises(ValueError, match=r"exercise 1\.1 has two variants"):
        variant("1.1", question="{a}", choices=[{"a": 1}, {"a": 2}])(lambda a: a)
    with pytest.raises(ValueError, match="needs two choices"):
        variant("90.1", question="{a}", choices=[{"a": 1}])(lambda a: a)


@pytest.mark.parametrize("number", ["5.1", "6.1"])
def test_sizes_are_pytorchs(number):
    for numbers in VARIANTS[number].choices:
        dilation, extra = numbers["dilation"], numbers.get("extra", 0)
        size, kernel, stride, padding = 7, 4, 2, 1
        layer = torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding, extra, dilation=dilation)
        answer = VARIANTS[number].reference(**numbers)
        found = answer(7, 4, 2, 1) if number == "5.1" else answer(7, [(4, 2, 1, 0)])
        assert found == layer(torch.zeros(1, 1, size)).shape[-1]


def test_formulas_by_other_ways():
    """What is derived by hand in a variant, against autograd, search or a library."""
    t = torch.tensor([0.3, -1.7], dtype=torch.float64, requires_grad=True)
    for numbers in VARIANTS["1.6"].choices:
        slopes = VARIANTS["1.6"].reference(**numbers)(t.detach())
        logit = t / numbers["temperature"]
        for slope, loss in zip(slopes, (torch.log(1 - logit.sigmoid()), -logit.sigmoid().log()), strict=True):
            assert torch.allclose(slope, torch.autograd.grad(loss.sum(), t, retain_graph=True)[0])

    for numbers in VARIANTS["2.1"].choices:
        theta, psi = (torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.7, -1.3))
        generator = torch.nn.functional.softplus(-psi * theta)
        discriminator = torch.nn.functional.softplus(-psi * numbers["place"]) + torch.nn.functional.softplus(
            psi * theta
        )
        by_autograd = (
            -torch.autograd.grad(generator, theta)[0],
            -torch.autograd.grad(discriminator, psi)[0],
        )
        found = VARIANTS["2.1"].reference(**numbers)(theta.detach(), psi.detach())
        assert torch.allclose(torch.stack(found), torch.stack(by_autograd))

    y = torch.linspace(1e-4, 1 - 1e-4, 9_999, dtype=torch.float64)
    for numbers in VARIANTS["1.2"].choices:
        p, q, real, label = 0.5, 0.2, 0.7, numbers["label"]
        climbs = real * p * (label * y.log() + (1 - label) * (1 - y).log()) + (1 - real) * q * (1 - y).log()
        found = VARIANTS["1.2"].reference(**numbers)(p, q, real)
        assert abs(found - y[climbs.argmax()].item()) < 2e-4

    for numbers in VARIANTS["2.6"].choices:
        s = numbers["scale"]

        def rate(gamma, s=s):
            jacobian = torch.tensor([[0, s / 2], [-s / 2, -gamma * s**2]], dtype=torch.float64)
            return torch.linalg.eigvals(jacobian).real.max().item()

        best = VARIANTS["2.6"].reference(**numbers)
        assert rate(best) < min(rate(best * 0.9), rate(best * 1.1))

    from torch.distributions import Normal, kl_divergence

    for numbers in VARIANTS["10.1"].choices:
        ((mean, log_variance),) = VARIANTS["10.1"].cases
        prior = Normal(torch.zeros_like(mean), numbers["std"])
        expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), prior).sum(1)
        assert torch.allclose(VARIANTS["10.1"].reference(**numbers)(mean, log_variance), expected)

    for numbers in VARIANTS["2.5"].choices:
        jacobian = torch.tensor([[-0.3, 0.8], [-0.8, -0.3]], dtype=torch.float64)
        one = torch.eye(2, dtype=torch.float64)
        step = one + 0.5 * jacobian @ (one + numbers["ahead"] * 0.5 * jacobian)
        expected = torch.linalg.eigvals(step).abs().max()
        found = VARIANTS["2.5"].reference(**numbers)(torch.linalg.eigvals(jacobian), 0.5)
        assert torch.allclose(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("solutions", "00_start_here"),
        ("solutions", "01_minimax_objective"),
        ("solutions", "09_judging_generators"),
        ("notebooks", "01_minimax_objective"),
    ],
)
def test_a_notebook_runs_to_its_end_solved_and_unsolved(folder, name):
    """With variants in force its own solutions are refused, and what follows does without them."""
    notebook = nbformat.read(ROOT / folder / f"{name}.ipynb", as_version=4)
    result = execute(notebook, name, ROOT / folder, scale="ci", environment={"COURSE_VARIANT": "ada"})
    assert result.problem == ""
    shown = [
        output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "course-verdict" in output.get("data", {}).get("text/html", "")
    ]
    mark = "✘" if folder == "solutions" else "○"
    for verdict in shown:
        number = re.match(r". Exercise ([\d.]+)", verdict)[1]
        assert verdict.startswith(mark if number in VARIANTS or folder == "notebooks" else "✔"), verdict
        assert ("For ada: " in verdict) == (number in VARIANTS)
    assert shown
