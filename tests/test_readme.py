"""The README says what is so."""

import json
import re
from pathlib import Path

import pytest

from tools.lint import COURSE
from tools.readme import MEASURED, measured_times, notebook_map, with_map, with_times
from tools.run import AVERAGE_SECONDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.generated
def test_the_map_is_up_to_date():
    assert with_map(README, notebook_map(ROOT / "solutions")) == README, "call `python -m tools.readme`"


def test_the_map_links_and_times_what_is_there_and_announces_the_rest(tmp_path):
    (tmp_path / "10_vae.py").write_text(
        "# %% [markdown]\n# # Inference, amortised\n#\n# | | |\n# | --- | --- |\n"
        "# | Reading time | 30 min |\n# | Running time | about 4 min on two CPU cores |\n"
    )
    rows = notebook_map(tmp_path).splitlines()
    linked = "| 10 | [Inference, amortised](solutions/10_vae.ipynb) | 30 min | about 4 min on two CPU cores |"
    assert linked in rows
    assert [row for row in rows if "(to come)" in row and "| 11 |" in row]
    assert not [row for row in rows if "(to come)" in row and "| 10 |" in row]


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_what_the_readme_shows_and_links_exists(target):
    assert (ROOT / target).exists()


def test_the_commands_in_the_readme_exist():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"make ([a-z]+)(?=[` ]+(?:#|\||NOTEBOOKS|PYTHON))", README))
    assert {"lab", "test", "run", "help"} <= named <= set(targets)


@pytest.mark.generated
def test_notebook_00_maps_the_whole_course_with_the_times_that_the_notebooks_promise():
    start = (ROOT / "solutions" / "00_start_here.py").read_text(encoding="utf-8")
    assert re.findall(r"^# \| (\d\d) ", start, re.MULTILINE) == [name[:2] for name in COURSE]
    assert with_times(start, ROOT / "solutions") == start, "call `python -m tools.readme`"


def test_times_are_summed_filled_in_and_emptied(tmp_path):
    (tmp_path / "03_x.py").write_text(
        "# | Reading time | 20 min, and 15 min more |\n# | Running time | about 40 s |\n"
    )
    start = "# | 03 A GAN | what is it? | | |\n# | 04 An MLP | why? | 9 min | 9 s |\n"
    expected = "# | 03 A GAN | what is it? | 35 min | 40 s |\n# | 04 An MLP | why? | | |\n"
    assert with_times(start, tmp_path) == expected


@pytest.mark.generated
def test_the_measured_times_are_those_of_the_executed_solutions():
    page = measured_times(ROOT / "solutions")
    assert MEASURED.read_text(encoding="utf-8") == page, "call `python -m tools.readme`"
    names = [path.stem for path in sorted((ROOT / "solutions").glob("*.ipynb"))]
    assert re.findall(r"^\| \[(\w+)\]", page, re.MULTILINE) == names


def test_the_solutions_take_five_minutes_on_average_at_most():
    seconds = [
        json.loads(path.read_text(encoding="utf-8"))["metadata"]["course"]["seconds"]
        for path in (ROOT / "solutions").glob("*.ipynb")
    ]
    assert AVERAGE_SECONDS == 300
    assert sum(seconds) / len(seconds) <= AVERAGE_SECONDS
