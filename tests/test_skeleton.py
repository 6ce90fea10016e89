"""The skeleton that authors copy is a notebook like the others: it builds, runs, and keeps all rules."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from tools import claims, notebooks
from tools.lint import heading_anchors, lint, strict, without_outputs
from tools.run import ROOT, execute

pytestmark = pytest.mark.slow  # three kernels and processes

SKELETON = ROOT / "docs" / "skeleton"
NAME = "99_my_topic"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course with the skeleton put in its places, as an author does, and executed."""
    root = tmp_path_factory.mktemp("course")
    for package in ("course_utils", "tools"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(SKELETON, root, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "ROOT", root)  # whose package the kernel imports
        result = notebooks.execute_solution(root / "solutions" / f"{NAME}.py")  # seconds, at the cpu scale
    assert result.problem == ""
    notebooks.build(root=root)
    return root


def read(course, folder):
    return nbformat.read(course / folder / f"{NAME}.ipynb", as_version=4)


def declared(course):
    """Number → (title, difficulty, minutes) of the exercises in the skeleton's file."""
    text = (course / "course_utils" / "exercises" / "ex99_my_topic.py").read_text(encoding="utf-8")
    found = re.findall(
        r'"(99\.\d)",\s*title="(.+?)",\s*difficulty=(\d),.*?minutes=(\d+)', text, flags=re.DOTALL
    )
    return {number: (title, int(difficulty), int(minutes)) for number, title, difficulty, minutes in found}


def test_it_keeps_the_rules_of_every_notebook(course):
    assert len(declared(course)) == 4
    for folder in ("solutions", "notebooks"):
        notebook = read(course, folder)
        if folder == "solutions":
            notebook.metadata["course"]["seconds"] = 5.0  # on a quiet machine; this one may be busy
        assert lint(notebook, NAME, declared(course), [NAME]) == []
    assert without_outputs(read(course, "notebooks")) == []


def test_its_headings_say_what_its_checkers_declare(course):
    text = (course / "solutions" / f"{NAME}.py").read_text(encoding="utf-8")
    for number, (title, difficulty, minutes) in declared(course).items():
        dots = "●" * difficulty + "○" * (3 - difficulty)
        assert f"# ### Exercise {number} — {title} ({dots}, {minutes} min)\n" in text


def test_what_it_says_is_accounted_for(course):
    script = course / "solutions" / f"{NAME}.py"
    assert claims.read(script)
    assert strict(script, {NAME: heading_anchors(read(course, "solutions"))}, course) == []
    (left,) = notebooks.drift(root=course)  # other seeds are run by an author, not by this test
    assert "has results of 1 seed(s)" in left


def test_the_learners_notebook_runs_unsolved(course):
    result = execute(
        read(course, "notebooks"),
        NAME,
        course / "notebooks",
        scale="ci",
        environment={"PYTHONPATH": str(course), "COURSE_PROGRESS": str(course / "progress.json")},
    )
    assert result.problem == ""


def test_its_own_tests_pass(course):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib"]
    run = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", ".", "tests/exercises/test_ex99.py"],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(course), "COURSE_PROGRESS": str(course / "progress.json")},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\d\d passed", run.stdout)


def test_the_guide_names_the_files_that_there_are():
    guide = (ROOT / "docs" / "authoring.md").read_text(encoding="utf-8")
    for path in SKELETON.rglob("*.py"):
        assert f"(skeleton/{path.relative_to(SKELETON).as_posix()})" in guide
