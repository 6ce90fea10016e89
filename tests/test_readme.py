"""The README says what is so."""

import json
import re
from pathlib import Path

import pytest
from sklearn.datasets import load_digits

from benchmarks.records import load
from course_utils.training.families import RECORDED
from tools.course import COURSE, Notebook
from tools.lint import pages
from tools.readme import (
    MEASURED,
    course_rows,
    families_table,
    in_words,
    measured_times,
    notebook_map,
    with_families,
    with_map,
    with_rows,
    with_running_time,
)
from tools.run import AVERAGE_SECONDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.generated
def test_the_map_is_up_to_date():
    assert with_map(README, notebook_map(ROOT / "solutions")) == README, "call `python -m tools.readme`"


@pytest.mark.generated
def test_the_table_of_the_families_is_what_was_recorded():
    assert with_families(README, load(RECORDED)) == README, "call `python -m tools.readme`"


def test_the_table_of_the_families_has_medians_ranges_and_gaps(monkeypatch, tmp_path):
    monkeypatch.setattr("tools.readme.FAMILIES_PICTURE", tmp_path / "none.png")

    def run(family, seed, found):
        shared = {"part": "families", "seconds": 45.0, "training_data": "digits", "samples": 5_000}
        return {"family": family, "seed": seed, "found": found, **shared}

    numbers = dict.fromkeys(("precision", "recall", "fine_power", "mse", "sampling_seconds"), 0.5)
    found = [{**numbers, "frechet": distance, "bits": None} for distance in (4.0, 3.0, 9.0)]
    runs = [run("GAN", seed, one) for seed, one in enumerate(found)]
    runs.append(run("VAE", 0, None))
    said, _, _, _, gan, vae = families_table(runs).splitlines()
    assert said.startswith("Each trained for at most 45 s on one thread of a CPU, on digits; 5,000 samples")
    assert gan == "| GAN | 4.0 (3.0–9.0) | 0.50 | 0.50 | 0.50 | 0.500 | – | 0.50 |"
    assert vae.startswith("| VAE (1 of 1 diverged) | – | – |")
    readme = "a\n<!-- families: written by tools/readme.py -->\nold\n<!-- end of families -->\nb\n"
    sweeps = {"x": {**runs[0], "part": "sweeps"}}
    assert "Not recorded yet" in with_families(readme, sweeps) and "old" not in with_families(readme, sweeps)
    assert with_families(readme, {"x": runs[0]}).endswith("| 0.50 |\n\n<!-- end of families -->\nb\n")


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


def test_the_stand_in_has_so_many_digits():
    assert len(load_digits().images) == 1797


def test_every_number_of_the_readme_and_the_pages_is_accounted_for():
    assert pages() == []


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
    assert re.findall(r"^# \| (\d\d) ", start, re.MULTILINE) == [notebook.number for notebook in COURSE]
    assert with_rows(start, course_rows(ROOT / "solutions")) == start, "call `python -m tools.readme`"


def test_notebooks_are_numbered_in_their_order():
    assert [int(notebook.number) for notebook in COURSE] == [*range(len(COURSE))]


def test_times_are_summed_and_left_empty_for_what_is_to_come(tmp_path):
    (tmp_path / "03_x.py").write_text(
        "# | Reading time | 20 min, and 15 min more |\n# | Running time | about 40 s |\n"
    )
    course = [Notebook("03_x", "A GAN", "what is it?"), Notebook("04_y", "An MLP", "why?")]
    rows = "# | 03 A GAN | what is it? | 35 min | 40 s |\n# | 04 An MLP | why? | | |\n"
    assert course_rows(tmp_path, course) == rows
    assert with_rows("# | 03 Old | | | |\n# | other |\n", rows) == f"{rows}# | other |\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "5 s"), (23.9, "25 s"), (109, "110 s"), (177, "175 s"), (203, "3.5 min"), (470, "8 min")],
)
def test_running_times_are_printed_within_15_percent_or_5_seconds(seconds, words):
    assert in_words(seconds) == words
    row = "# # T\n# | Running time | about 90 s on two CPU cores; 30 s on a GPU |\n"
    text = with_running_time(row, seconds)
    assert text == f"# # T\n# | Running time | about {words} on two CPU cores; 30 s on a GPU |\n"
    assert with_running_time(text, seconds) == text


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
