"""Keep the maps of README.md and of notebook 00 true: `python -m tools.readme` (`make notebooks` calls it).

The order is that of tools/course.py. Times, and the titles of the notebooks that are there, are taken from
the head of each notebook, so that they are said in one place. The times that were measured, in
docs/running_times.md, are those that `make execute` noted in the solutions.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from tools.course import COURSE, Notebook
from tools.run import markdown_table

ROOT = Path(__file__).resolve().parents[1]
MEASURED = ROOT / "docs" / "running_times.md"
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
    running = re.search(r"\d+ (?:s|min)\b", _cell(text, "Running time"))[0]
    return f"| {minutes} min | {running} |"


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
    """Write the maps and the measured times."""
    solutions = ROOT / "solutions"
    for path, renewed in (
        (ROOT / "README.md", lambda text: with_map(text, notebook_map(solutions))),
        (solutions / "00_start_here.py", lambda text: with_rows(text, course_rows(solutions))),
    ):
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    MEASURED.write_text(measured_times(solutions), encoding="utf-8")


if __name__ == "__main__":
    renew()
