"""Keep times, maps and the page of claims true: `python -m tools.readme` (`make notebooks` calls it).

The order is that of tools/course.py. The times are those that `make execute` measured and noted in the
solutions: the row "Running time" under each notebook's title follows them, the maps of README.md and of
notebook 00 follow titles and rows, docs/running_times.md and docs/claims.md show what was measured, and
docs/references.md is written from docs/references.bib.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from tools import bibliography, claims
from tools.course import COURSE, Notebook
from tools.lint import DURATION
from tools.run import markdown_table

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "docs" / "running_times.md"
CLAIMS = ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- map: written by tools/readme.py -->\n", "<!-- end of map -->\n"


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
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


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
    """Write the running times, the maps, and the three pages."""
    solutions = ROOT / "solutions"
    for twin in solutions.glob("[0-9][0-9]_*.ipynb"):
        script = twin.with_suffix(".py")
        ran = json.loads(twin.read_text(encoding="utf-8"))["metadata"].get("course")
        if ran is not None and script.exists():
            _rewrite(script, lambda text, seconds=ran["seconds"]: with_running_time(text, seconds))
    _rewrite(ROOT / "README.md", lambda text: with_map(text, notebook_map(solutions)))
    _rewrite(solutions / "00_start_here.py", lambda text: with_rows(text, course_rows(solutions)))
    MEASURED.write_text(measured_times(solutions), encoding="utf-8")
    CLAIMS.write_text(claims.page(solutions), encoding="utf-8")
    bibliography.PAGE.write_text(bibliography.page(bibliography.read()), encoding="utf-8")


def _rewrite(path: Path, renewed: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    if renewed(text) != text:
        path.write_text(renewed(text), encoding="utf-8")


if __name__ == "__main__":
    renew()
