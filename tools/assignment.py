"""Notebooks to hand out, collect and mark with nbgrader: `course assignment 01 [--out DIR] [--variants]`.

    DIR/source/NN_topic/NN_topic.ipynb   nbgrader's source: solutions, and a marked cell after each check
    DIR/nbgrader_config.py               how nbgrader leaves stubs and runs submissions
    DIR/kernels/                         the kernel that runs them: this course's Python

`check` shows a verdict and never raises, so it cannot give marks. A marked cell behind it asks the checker
once more, out of the learner's sight, and raises unless the answer is right.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from tools import notebooks
from tools.run import ROOT

OUT = ROOT / "build" / "nbgrader"
CONFIGURATION = ROOT / "docs" / "instructor" / "nbgrader_config.py"
POINTS_OF_A_PART = 1
EXERCISE = re.compile(r"^### Exercise (\d+\.\d+) ", re.MULTILINE)

# What is asked in secret. It is asked of the checkers as they stand on the disk, not of what is loaded: an
# answer may have laid hands on that. What it prints goes nowhere: nbgrader takes stderr for an error.
MARK = """\
# Exercise {name}: {points} point{s}. The check above shows the verdict that is marked here.
### BEGIN HIDDEN TESTS
def _mark():
    import contextlib, importlib, io, sys
    rooms = ("course_utils.checks", "course_utils.exercises")
    loaded = {{name: module for name, module in sys.modules.items() if name.startswith(rooms)}}
    for name in loaded:
        del sys.modules[name]
    try:
        run_check = importlib.import_module("course_utils.checks").run_check
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return run_check({number!r}, {answer}{part}).status
    finally:
        for name in [name for name in sys.modules if name.startswith(rooms)]:
            del sys.modules[name]
        sys.modules.update(loaded)
assert _mark() == "right"
### END HIDDEN TESTS"""


class Asked(NamedTuple):
    """A call of `check` in a cell."""

    number: str  # of the exercise
    answer: str  # the expression that is checked
    part: str  # of the exercise, or ""

    @property
    def name(self) -> str:
        return f"{self.number} {self.part}".strip()


def calls_of_check(source: str) -> list[Asked]:
    """The calls `check("1.2", answer, …)` and `check("7.6", diagnosis=answer)` in a cell, in order."""
    found = []
    for node in ast.walk(notebooks._parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check":
            part, answer = "", node.args[1] if len(node.args) > 1 else None
            for keyword in node.keywords:
                if keyword.arg == "answer":
                    answer = keyword.value
                elif keyword.arg != "otherwise":
                    part, answer = keyword.arg, keyword.value
            found.append(Asked(node.args[0].value, ast.unparse(answer), part))
    return found


def assignment(script: Path, variants: bool = False) -> NotebookNode:
    """nbgrader's source of a notebook.

    Args:
        script: its percent script.
        variants: show and mark each learner's own numbers, where an exercise has a variant.
    """
    from course_utils.checks.variants import variants as all_variants
    from course_utils.checks.verdict import exercises_of

    points = {one.number: one.difficulty for one in exercises_of(int(script.name[:2]))}
    varied = set(all_variants()) if variants else set()
    cells = []
    for cell in notebooks.read_script(script).cells:
        if notebooks.SOLUTION_TAG in cell.metadata.get("tags", []):
            continue
        if cell.cell_type == "code" and notebooks.BEGIN in cell.source:
            cell.metadata["nbgrader"] = _metadata(f"answer-{cell.id}", solution=True)
            cell.metadata["course_stub"] = notebooks.stub_source(cell.source)
        cells.append(cell)
        if cell.cell_type == "code":
            cells += [
                _marked(asked, POINTS_OF_A_PART if asked.part else points[asked.number])
                for asked in calls_of_check(cell.source)
            ]
        for number in EXERCISE.findall(cell.source if cell.cell_type == "markdown" else ""):
            if number in varied:
                shown = f'from course_utils.checks import show_variant\n\nshow_variant("{number}")'
                cells.append(nbformat.v4.new_code_cell(shown, id=f"variant-{number.replace('.', '-')}"))
    metadata = {**json.loads(json.dumps(notebooks.METADATA)), "course_variants": variants}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _marked(asked: Asked, points: int) -> NotebookNode:
    name = re.sub(r"\W", "-", asked.name)
    source = MARK.format(
        name=asked.name,
        points=points,
        s="" if points == 1 else "s",
        number=asked.number,
        answer=asked.answer,
        part=f", {asked.part!r}" if asked.part else "",
    )
    metadata = {"nbgrader": _metadata(f"exercise-{name}", grade=True, points=points)}
    return nbformat.v4.new_code_cell(source, id=f"exercise-{name}", metadata=metadata)


def _metadata(
    grade_id: str, *, solution: bool = False, grade: bool = False, points: int | None = None
) -> dict:
    kind = {"grade": grade, "solution": solution, "locked": grade, "task": False, "schema_version": 3}
    return {"grade_id": grade_id, **kind, **({"points": points} if grade else {})}


def kernel() -> dict:
    """The kernel that runs submissions: this Python, at the smallest scale."""
    return {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "The GAN course",
        "language": "python",
        "env": {"COURSE_SCALE": "ci", "COURSE_DEVICE": "cpu", "PYTHONPATH": str(ROOT)},
    }


def write(names: Sequence[str], out: Path, variants: bool = False) -> list[Path]:
    """Write the sources of the notebooks named, and what nbgrader needs beside them; returns the sources."""
    written = []
    for script in notebooks.choose_scripts(names):
        path = out / "source" / script.stem / f"{script.stem}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebooks.to_text(assignment(script, variants)), encoding="utf-8")
        written.append(path)
    folder = out / "kernels" / "python3"
    folder.mkdir(parents=True, exist_ok=True)
    spec = kernel()
    spec["env"] |= {f"COURSE_{name}": str(out / f"{name.lower()}.json") for name in ("PROGRESS", "QUIZ")}
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1) + "\n", encoding="utf-8")
    shutil.copyfile(CONFIGURATION, out / CONFIGURATION.name)
    return written


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the assignments and say what to call next."""
    parser = argparse.ArgumentParser(prog="course assignment", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="NOTEBOOK", help="such as 01 or 01_minimax_objective")
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="DIR", help="nbgrader's folder for the course"
    )
    parser.add_argument(
        "--variants", action="store_true", help="each learner is asked, and marked, with numbers of their own"
    )
    options = parser.parse_args(arguments)
    out = options.out.expanduser().resolve()
    for path in write(options.names, out, options.variants):
        notebook = nbformat.read(path, as_version=4)
        marked = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        points = sum(one.get("points", 0) for one in marked)
        count = sum(one["grade"] for one in marked)
        print(f"{path.stem}: {count} answers, {points} points")
    print(f"Written to {options.out}. There, with nbgrader: `nbgrader generate_assignment NOTEBOOK`.")
    print("How to hand out, collect and mark: docs/instructor/grading.md.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
