"""Keep times, maps and the page of claims true: `python -m tools.readme` (`make notebooks` calls it).

The order is that of tools/course.py. The times are those that `make execute` measured and noted in the
solutions: the row "Running time" under each notebook's title follows them, the maps of README.md and of
notebook 00 follow titles and rows, and docs/running_times.md and docs/claims.md show what was measured.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.records import load
from course_utils.training.families import RECORDED
from tools import claims
from tools.course import COURSE, Notebook
from tools.lint import DURATION
from tools.run import markdown_table

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "docs" / "running_times.md"
CLAIMS = ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- map: written by tools/readme.py -->\n", "<!-- end of map -->\n"
FAMILIES_BEGIN = "<!-- families: written by tools/readme.py -->\n"
FAMILIES_END = "<!-- end of families -->\n"
FAMILIES_PICTURE = ROOT / "docs" / "images" / "families.png"  # drawn by tools/record_families.py
FAMILIES_IMAGE = (
    "![Fréchet distance against seconds of training on one CPU thread: a line for each family, with the "
    "range of its seeds.](docs/images/families.png)\n\n"
)
COLUMNS = {  # of the README's table: what `measure_family` found → its head, and how it is printed
    "frechet": ("Fréchet distance", "{:.1f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
    "fine_power": ("fine detail, real = 1", "{:.2f}"),
    "mse": ("reconstruction, MSE", "{:.3f}"),
    "bits": ("bits a pixel", "{:.1f}"),
    "sampling_seconds": ("seconds for 1,000 images", "{:.2f}"),
}


def notebook_map(solutions: Path) -> str:
    """The map as a Markdown table: a notebook that is there is linked and timed, the others are to come."""
    rows = ["| | notebook | to read and work | to run |", "| --- | --- | --- | --- |"]
    for notebook in COURSE:
        source = solutions / f"{notebook.name}.py"
        if source.exists():
            text = source.read_text(encoding="utf-8")
            title = re.search(r"^# # (.+)$", text, re.MULTILINE).group(1)
            reading, running = (_cell(text, row) for row in ("Reading time", "Running time"))
            link = f"[{title}](solutions/{notebook.name}.ipynb)"
            rows.append(f"| {notebook.number} | {link} | {reading} | {running} |")
        else:
            rows.append(f"| {notebook.number} | {notebook.title} *(to come)* | | |")
    return "\n".join(rows) + "\n"


def with_map(readme: str, table: str) -> str:
    """The README's text with that table between its two marks."""
    return _between(readme, BEGIN, table, END)


def _between(readme: str, begin: str, table: str, end: str) -> str:
    before, _, rest = readme.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{table}\n{end}{after}"


def with_families(readme: str, recorded: dict[str, dict]) -> str:
    """The README's text with what was recorded of the families, or a word that nothing was yet."""
    runs = [one for one in recorded.values() if one["part"] == "families"]
    table = families_table(runs) if runs else "Not recorded yet: `python -m tools.record_families`.\n"
    return _between(readme, FAMILIES_BEGIN, table, FAMILIES_END)


def families_table(runs: Sequence[dict]) -> str:
    """A row for each family: median and range over its seeds; – where a family has no such number."""
    rows = [["", *(head for head, _ in COLUMNS.values())]]
    rows.append(["---"] * len(rows[0]))
    for family in dict.fromkeys(one["family"] for one in runs):
        found = [one["found"] for one in runs if one["family"] == family]
        row = [family]
        for name, (_, form) in COLUMNS.items():
            values = [one[name] for one in found if one is not None and one[name] is not None]
            row.append(_spread(values, form) if values else "–")
        if None in found:
            row[0] += f" ({found.count(None)} of {len(found)} diverged)"
        rows.append(row)
    seeds, seconds = len({one["seed"] for one in runs}), runs[0]["seconds"]
    said = (
        f"Each trained for at most {seconds:.0f} s on one thread of a CPU, on {runs[0]['training_data']}; "
        f"{runs[0]['samples']:,} samples; median and range of {seeds} seeds."
    )
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{FAMILIES_IMAGE * FAMILIES_PICTURE.exists()}{said}\n\n{table}\n"


def _spread(values: Sequence[float], form: str) -> str:
    low, middle, high = (form.format(value) for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{middle} ({low}–{high})"


def with_rows(start: str, rows: str) -> str:
    """Notebook 00's script with those rows in place of its map's, `# | 03 A first GAN | question | … |`."""
    return re.sub(r"^(# \| \d\d .+\|\n)+", lambda _: rows, start, count=1, flags=re.MULTILINE)


def course_rows(solutions: Path, course: Sequence[Notebook] = COURSE) -> str:
    """A row for each notebook: its question, and the times that it promises where it is there."""
    return "".join(
        f"# | {notebook.number} {notebook.title} | {notebook.question} {_times(solutions, notebook)}\n"
        for notebook in course
    )


def _times(solutions: Path, notebook: Notebook) -> str:
    source = solutions / f"{notebook.name}.py"
    if not source.exists():
        return "| | |"
    text = source.read_text(encoding="utf-8")
    minutes = sum(int(number) for number in re.findall(r"(\d+) min\b", _cell(text, "Reading time")))
    running = DURATION.search(_cell(text, "Running time"))[0]
    return f"| {minutes} min | {running} |"


def in_words(seconds: float) -> str:
    """A running time as it is printed: to 5 seconds below three minutes, to half a minute above."""
    if seconds < 180:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{round(2 * seconds / 60) / 2:g} min"


def with_running_time(text: str, seconds: float) -> str:
    """A script whose row "Running time" begins with the measured time; what else stands there is kept."""

    def row(found: re.Match) -> str:
        return found["name"] + DURATION.sub(in_words(seconds), found["rest"], count=1)

    return re.sub(r"^(?P<name># \| Running time )(?P<rest>.*)$", row, text, count=1, flags=re.MULTILINE)


def _cell(text: str, row: str) -> str:
    """The second cell of the row that begins with those words."""
    return re.search(rf"^# \| {row} \| (.+?) \|$", text, re.MULTILINE).group(1)


def measured_times(solutions: Path) -> str:
    """The page with the last measured seconds and memory of every executed solution."""
    rows = []
    for path in sorted(solutions.glob("[0-9][0-9]_*.ipynb")):
        ran = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("course")
        if ran is not None:
            name = f"[{path.stem}](../solutions/{path.name})"
            rows.append({"notebook": name, "slowest_cell": ran["slowest_cell_seconds"], **ran})
    return (
        "# Running times\n\nThe last measured run of each solution, start of its kernel included. "
        "Written by `make execute`; `make run` measures on your machine and keeps its table in "
        f"`.course/run.md`.\n\n{markdown_table(rows)}"
    )


def renew() -> None:
    """Write the running times, the maps, and the two pages."""
    solutions = ROOT / "solutions"
    for twin in solutions.glob("[0-9][0-9]_*.ipynb"):
        script = twin.with_suffix(".py")
        ran = json.loads(twin.read_text(encoding="utf-8"))["metadata"].get("course")
        if ran is not None and script.exists():
            _rewrite(script, lambda text, seconds=ran["seconds"]: with_running_time(text, seconds))
    _rewrite(ROOT / "README.md", lambda text: with_map(text, notebook_map(solutions)))
    _rewrite(ROOT / "README.md", lambda text: with_families(text, load(RECORDED)))
    _rewrite(solutions / "00_start_here.py", lambda text: with_rows(text, course_rows(solutions)))
    MEASURED.write_text(measured_times(solutions), encoding="utf-8")
    CLAIMS.write_text(claims.page(solutions), encoding="utf-8")


def _rewrite(path: Path, renewed: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    if renewed(text) != text:
        path.write_text(renewed(text), encoding="utf-8")


if __name__ == "__main__":
    renew()
