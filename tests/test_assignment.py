"""Assignments: what nbgrader is given, and the marks that right, wrong, untouched and sly submissions get.

The last tests call a real nbgrader, in an environment of its own: `make grading` makes it.
"""

import csv
import json
import os
import re
import subprocess
from pathlib import Path

import nbformat
import pytest

from course_utils import theory
from course_utils.exercises.clinic import REMARK
from tools import assignment
from tools.assignment import Asked, calls_of_check
from tools.notebooks import BEGIN, choose_scripts, read_script, stub
from tools.run import ROOT

NBGRADER = Path(os.environ.get("COURSE_GRADING") or ROOT / ".venv-grading") / "bin" / "nbgrader"
SCRIPTS = {script.stem: script for script in choose_scripts([])}
TAMPERED = """
import course_utils.checks, course_utils.checks.verdict as verdict
from course_utils.checks.verdict import Verdict
course_utils.checks.run_check = verdict.run_check = lambda number, *rest: Verdict(str(number), "right", "")
run_check = check = lambda number, *rest, otherwise=None, **part: otherwise
for known, one in list(verdict._EXERCISES.items()):
    verdict._EXERCISES[known] = one._replace(checker=lambda answer: None)
"""


def stub_answer(*arguments):
    raise NotImplementedError("your code here")


# --- what nbgrader is given --------------------------------------------------------------------------------


def test_calls_of_check_are_found_with_their_answers_and_parts():
    source = (
        'my = check("4.4", choose, otherwise=None)\ncheck("7.6", diagnosis=diagnosis_1)\n'
        'a = check(\n    "8.1",\n    answer=losses,\n    otherwise=lambda real: (1, 2),\n)'
    )
    assert calls_of_check(source) == [
        Asked("4.4", "choose", ""),
        Asked("7.6", "diagnosis_1", "diagnosis"),
        Asked("8.1", "losses", ""),
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_an_assignment_is_the_learners_notebook_with_a_mark_behind_each_check(name):
    made = assignment.assignment(SCRIPTS[name])
    ours = [cell for cell in made.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    texts = [cell.metadata.get("course_stub", cell.source) for cell in ours]
    assert texts == [cell.source for cell in stub(read_script(SCRIPTS[name])).cells]
    for cell in ours:
        has_answer = cell.cell_type == "code" and BEGIN in cell.source
        assert cell.metadata.get("nbgrader", {}).get("solution", False) == has_answer

    asked = [one for cell in ours if cell.cell_type == "code" for one in calls_of_check(cell.source)]
    marks = [cell for cell in made.cells if cell not in ours]
    assert [re.search(r"run_check\('([\d.]+)', (.+)\)", cell.source)[1] for cell in marks] == [
        one.number for one in asked
    ]
    assert len({cell.metadata.nbgrader.grade_id for cell in marks}) == len(marks)
    assert all(cell.metadata.nbgrader.locked and cell.metadata.nbgrader.points >= 1 for cell in marks)


def mark(number, answer, part=""):
    """Run a marked cell on an answer, as nbgrader's kernel does."""
    exec(assignment._marked(Asked(number, "answer", part), 1).source, {"answer": answer})


def test_a_mark_is_an_error_unless_the_answer_is_right(monkeypatch):
    mark("1.1", theory.value)
    mark("7.6", "b", "diagnosis")
    for wrong in (lambda d, p, q: -theory.value(d, p, q), stub_answer, ..., "nonsense"):
        with pytest.raises(AssertionError):
            mark("1.1", wrong)
    with pytest.raises(AssertionError):
        mark("7.6", "a", "diagnosis")


def test_a_mark_is_deaf_to_an_answer_that_lays_hands_on_the_checkers(monkeypatch):
    from course_utils.checks import run_check, verdict

    run_check("1.1", theory.value)  # they are loaded
    monkeypatch.setattr("course_utils.checks.run_check", lambda *rest: verdict.Verdict("1.1", "right", ""))
    one = verdict._EXERCISES["1.1"]
    monkeypatch.setitem(verdict._EXERCISES, "1.1", one._replace(checker=lambda answer: None))
    assert run_check("1.1", "nonsense").status == "right"
    with pytest.raises(AssertionError):
        mark("1.1", "nonsense")
    assert run_check("1.1", "nonsense").status == "right"  # and what the notebook had loaded is as it was


def test_what_an_answer_prints_is_no_error(capfd):
    def talkative(d, p, q):
        import sys
        import warnings

        print("a warning", file=sys.stderr)
        warnings.warn("another one", stacklevel=1)
        return theory.value(d, p, q)

    mark("1.1", talkative)
    assert capfd.readouterr() == ("", "")


def test_with_variants_learners_are_shown_and_marked_with_their_own_numbers(monkeypatch):
    from course_utils.checks.variants import variants

    made = assignment.assignment(SCRIPTS["01_minimax_objective"], variants=True)
    shown = [cell.source for cell in made.cells if "show_variant" in cell.source]
    mine = [number for number in variants() if number.startswith("1.")]
    assert [re.search(r'show_variant\("([\d.]+)"\)', source)[1] for source in shown] == mine
    monkeypatch.setenv("COURSE_VARIANT", "ada")
    with pytest.raises(AssertionError):
        mark("1.1", theory.value)
    known = variants()["1.1"]
    mark("1.1", known.reference(**known.numbers_of("ada")))


def test_the_command_writes_what_nbgrader_needs(tmp_path, capsys):
    from course_utils.cli import main

    assert main(["assignment", "00", "--out", str(tmp_path)]) == 0
    assert "00_start_here: 5 answers, 6 points" in capsys.readouterr().out
    nbformat.validate(
        nbformat.read(tmp_path / "source" / "00_start_here" / "00_start_here.ipynb", as_version=4)
    )
    spec = json.loads((tmp_path / "kernels" / "python3" / "kernel.json").read_text(encoding="utf-8"))
    assert Path(spec["argv"][0]).exists() and spec["env"]["COURSE_SCALE"] == "ci"
    assert spec["env"]["COURSE_PROGRESS"].startswith(str(tmp_path))
    compile((tmp_path / "nbgrader_config.py").read_text(encoding="utf-8"), "nbgrader_config.py", "exec")


# --- a real nbgrader ---------------------------------------------------------------------------------------

needs_nbgrader = pytest.mark.skipif(
    not NBGRADER.exists(),
    reason="there is no nbgrader: `make grading` puts one into .venv-grading, or name its environment in "
    "COURSE_GRADING",
)


def nbgrader(folder, *words):
    """Call nbgrader in its own environment, which does not know the course."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [NBGRADER, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=3_000
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def answers(source, change):
    """The released notebook with each answer changed: `change(stub, solution)`."""

    def submission(released):
        solutions = {cell.metadata.nbgrader.grade_id: cell.source for cell in source.cells if marked(cell)}
        for cell in released.cells:
            if marked(cell) and cell.metadata.nbgrader.solution:
                cell.source = change(cell.source, solutions[cell.metadata.nbgrader.grade_id])
        return released

    return submission


def marked(cell):
    return "nbgrader" in cell.metadata


def nonsense(left, _solution):
    """What `tests/test_wrong_answers.py` gives for every answer."""
    left = left.replace('raise NotImplementedError("your code here")', 'return "nonsense"')
    return left.replace("...  # your code here", '"nonsense"').replace(f"# {REMARK}", 'return "nonsense"')


def scores(folder, name, submissions, variants=False):
    """Points of each submission, and of a perfect one, by the whole way from source to marks."""
    (path,) = assignment.write([name], folder, variants)
    source = nbformat.read(path, as_version=4)
    nbgrader(folder, "generate_assignment", name)
    released = folder / "release" / name / path.name
    text = released.read_text(encoding="utf-8")
    for secret in ("HIDDEN", "run_check(", "BEGIN SOLUTION", "course_stub"):
        assert secret not in text
    for learner, submission in submissions.items():
        theirs = folder / "submitted" / learner / name / path.name
        theirs.parent.mkdir(parents=True)
        nbformat.write(submission(source)(nbformat.read(released, as_version=4)), theirs)
    nbgrader(folder, "autograde", name)
    nbgrader(folder, "export")
    with open(folder / "grades.csv", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["assignment"] == name]
    return {row["student_id"]: float(row["score"] or 0) for row in rows}, float(rows[0]["max_score"])


def right(source):
    return answers(source, lambda left, solution: solution)


def wrong(source):
    return answers(source, nonsense)


def untouched(source):
    return answers(source, lambda left, solution: left)


def tampered(source):
    """Every answer is nonsense, and the checkers are told to like it; the marks' own cells are emptied."""

    def submission(released):
        released = wrong(source)(released)
        for cell in released.cells:
            if marked(cell) and cell.metadata.nbgrader.grade:
                cell.source = "pass"
        released.cells.insert(1, nbformat.v4.new_code_cell(TAMPERED))
        return released

    return submission


@needs_nbgrader
@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("name", ["01_minimax_objective", "03_first_gan", "07_when_training_fails"])
def test_right_gets_all_points_and_wrong_untouched_and_tampered_none(name, tmp_path):
    submissions = {"right": right, "wrong": wrong, "untouched": untouched, "tampered": tampered}
    found, most = scores(tmp_path, name, submissions)
    assert found == {"right": most, "wrong": 0, "untouched": 0, "tampered": 0}
    assert most == sum(
        cell.metadata.nbgrader.get("points", 0)
        for cell in assignment.assignment(SCRIPTS[name]).cells
        if marked(cell)
    )


@needs_nbgrader
@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_with_variants_only_the_learners_own_answers_count(tmp_path):
    """Ada answers her own question of 0.4; Bob copies hers, and says in his notebook that he is Ada."""
    from course_utils.checks.variants import variants

    known = variants()["0.4"]
    ada, bob = (
        "ada",
        next(name for name in ("bob", "ben", "bill") if known.numbers_of(name) != known.numbers_of("ada")),
    )
    own = known.reference(**known.numbers_of(ada))

    def answered(source):
        return answers(
            source, lambda left, solution: left.replace("loss_of_guessing = ...", f"loss_of_guessing = {own}")
        )

    def copied(source):
        def submission(released):
            released = answered(source)(released)
            lie = nbformat.v4.new_code_cell("import os\nos.environ['COURSE_VARIANT'] = 'ada'")
            released.cells.insert(1, lie)
            return released

        return submission

    found, _ = scores(
        tmp_path, "00_start_here", {ada: answered, bob: copied, "printed": right}, variants=True
    )
    assert (found[ada], found[bob]) == (1, 0)
    assert found["printed"] == 4  # what has no variant: 0.2, 0.3 and 0.5
