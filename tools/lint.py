"""What every notebook of the course has in common, as rules that a program can check.

Each rule is a function of a notebook that returns its complaints, a sentence each. `lint` asks for the bones
that every notebook has, `strict` whether what it says is accounted for: claims, numbers, seeds, links.
`python -m tools.lint 05` (`make prose NOTEBOOKS=05`) lists what both say about an executed solution.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
import urllib.parse
from collections.abc import Iterable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import claims, prose_numbers
from tools.course import NAMES
from tools.run import ROOT

# Not yet held to the rules of `strict`: a notebook leaves this list once its prose has its claims.
WRITTEN_BY_PROGRAMS = ("claims.md", "glossary.md", "glossary.zh.md", "references.md", "running_times.md")
UNCONVERTED = ()
TABLE_ROWS = ("reading time", "running time", "you need", "you will be able to")
EXERCISE_HEADING = re.compile(r"Exercise (\d+)\.(\d+) — .+ \([●]{1,3}[○]{0,2}, \d+ min\)")
ARXIV_LINK = re.compile(
    r"\[arXiv:(\d{4}\.\d{4,5})\]\(https://arxiv\.org/(?:abs|pdf)/(\d{4}\.\d{4,5})\)", re.IGNORECASE
)
ARXIV_NUMBER = re.compile(r"(arXiv:|https://arxiv\.org/(abs|pdf)/)\d{4}\.\d{4,5}(?!\d)", re.IGNORECASE)
ABSOLUTE_PATH = re.compile(r"(?<![\w/.:])/(home|root|tmp|work|Users|usr|opt|mnt|var)/[\w.-]+|\b[A-Z]:\\\\?\w")
CHECKED_EXERCISES, SECONDS_PER_CELL, SECONDS_PER_NOTEBOOK, MEGABYTES = 3, 120, 480, 1_500
CLOSE_SHARE, CLOSE_SECONDS = 0.15, 5  # by which a printed running time may be off: the larger of the two
DURATION = re.compile(r"(\d+(?:\.\d+)?|½)(?:\s*[-–]\s*(\d+))?\s*(s\b|seconds?|min)(?:utes?)?")


def lint(notebook: NotebookNode, name: str, exercises: Iterable[str], present: Iterable[str]) -> list[str]:
    """All complaints about a notebook.

    Args:
        notebook: the executed solution, or the learner's notebook.
        name: such as "01_minimax_objective".
        exercises: numbers of the exercises that `course_utils.exercises` declares for this notebook.
        present: names of the notebooks that there are.

    Returns:
        A sentence for each thing that is not as it should be, with the notebook's name.
    """
    number = int(name[:2])
    complaints = [
        *headings(notebook),
        *title_table(notebook),
        *exercise_headings(notebook, number),
        *checks_match(notebook, number, exercises),
        *links(notebook, present),
        *references(notebook),
        *absolute_paths(notebook),
        *cell_ids(notebook),
        *alternative_texts(notebook),
        *errors(notebook),
        *solved(notebook),
        *running_time(notebook),
    ]
    return [f"{name}: {complaint}" for complaint in complaints]


def strict(script: Path, anchors: Mapping[str, Iterable[str]], root: Path = ROOT) -> list[str]:
    """All complaints about what a solution says, and about what it is held against.

    Args:
        script: the percent script; its executed twin and its claims' results lie beside it.
        anchors: name of each notebook of the course that there is -> `heading_anchors` of it.
        root: of the checkout, where claims about other files find them.
    """
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    written = claims.read(script)
    numbers = [
        f"{one.place}: nothing accounts for {one.number!r} in “… {one.context} …”"
        for one in prose_numbers.unaccounted(notebook, written)
    ]
    complaints = [
        *claims.drifted(script, notebook, root),
        *numbers,
        *prose_numbers.hollow(written, claims.load(script)),
        *literal_seeds(notebook),
        *cross_references(notebook, script.stem, anchors),
    ]
    return [f"{script.stem}: {complaint}" for complaint in complaints]


# --- prose ----------------------------------------------------------------------------------------------


def _prose(notebook: NotebookNode) -> str:
    """All markdown of a notebook, fenced code left out."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)


def _headings(notebook: NotebookNode) -> list[tuple[int, str]]:
    return [
        (len(h), text.strip()) for h, text in re.findall(r"^(#{1,6}) (.+)$", _prose(notebook), re.MULTILINE)
    ]


def headings(notebook: NotebookNode) -> list[str]:
    """One title, at the top; below it no level is skipped; a summary and further reading at the end."""
    found = _headings(notebook)
    complaints = []
    titles = [text for level, text in found if level == 1]
    if len(titles) != 1 or found[0][0] != 1:
        complaints.append(f"must begin with its only level-1 heading; it has {titles}.")
    for (above, _), (level, text) in itertools.pairwise(found):
        if level > above + 1:
            complaints.append(f"the heading {text!r} skips from level {above} to {level}.")
    sections = [text.lower() for level, text in found if level == 2]
    for needed in ("misconceptions", "summary", "further reading"):
        if not any(needed in section for section in sections):
            complaints.append(f"has no section {needed!r}.")
    return complaints


def title_table(notebook: NotebookNode) -> list[str]:
    """The first cell: title, a promise in one sentence, and the table with times, needs and aims."""
    first = notebook.cells[0]
    if first.cell_type != "markdown":
        return ["its first cell must be markdown, with title, promise and table."]
    rows = "\n".join(line for line in first.source.lower().splitlines() if line.startswith("|"))
    return [f"the table under the title has no row for {row!r}." for row in TABLE_ROWS if row not in rows]


def links(notebook: NotebookNode, present: Iterable[str]) -> list[str]:
    """Links to notebooks lead to notebooks that there are; every notebook named belongs to the course."""
    complaints = []
    for target in re.findall(r"\]\(([^)\s]+\.ipynb)[^)]*\)", _prose(notebook)):
        stem = target.split("/")[-1].removesuffix(".ipynb")
        if stem not in present:
            complaints.append(f"links to {target}, which is not there; name it without a link until it is.")
    for named in re.findall(r"\b\d\d_[a-z][a-z0-9_]+\b", _prose(notebook)):
        if named not in NAMES and named not in present:
            complaints.append(f"names {named!r}, which the course does not have.")
    return complaints


def heading_anchors(notebook: NotebookNode) -> list[str]:
    """What stands behind # in a link to a heading: its text, a hyphen for each space."""
    return [re.sub(r"[*`]", "", text).replace(" ", "-") for _, text in _headings(notebook)]


def cross_references(notebook: NotebookNode, name: str, anchors: Mapping[str, Iterable[str]]) -> list[str]:
    """Where the prose names another notebook, it links to the heading where the reader finds what it says.

    Such as [notebook 05](05_dcgan_mnist.ipynb#How-do-the-two-learn?). The table under the title, and
    notebooks that are still to come, need no link.
    """
    complaints = []
    cells = [cell.source for cell in notebook.cells[1:] if cell.cell_type == "markdown"]
    prose = re.sub(r"<!--.*?-->|`[^`]*`", "", "\n\n".join(cells), flags=re.DOTALL)
    link = re.compile(r"\[([^\]]*)\]\(([^)\s]*\.ipynb)(?:#([^)\s]*))?\)")
    for text, target, fragment in link.findall(prose):
        stem = target.split("/")[-1].removesuffix(".ipynb")
        known = list(anchors.get(stem, []))
        if fragment and urllib.parse.unquote(fragment) not in known:
            complaints.append(
                f"links to {target}#{fragment}, and {stem} has no such heading; it has {known}."
            )
        elif not fragment and re.search(r"notebook \d\d", text, re.IGNORECASE):
            complaints.append(f"links {text!r} to {target} without a heading: {target}#Its-heading.")
    numbers = {stem[:2] for stem in anchors} - {name[:2]}
    for mention in re.finditer(r".{0,40}\bnotebooks? (\d\d)\b.{0,30}", link.sub("", prose), re.IGNORECASE):
        if mention[1] in numbers:
            complaints.append(
                f"names notebook {mention[1]} without a link to one of its headings: “{mention[0].strip()}”."
            )
    return complaints


def references(notebook: NotebookNode) -> list[str]:
    """Where arXiv is named, a number follows that can be one: arXiv:1406.2661."""
    prose = _prose(notebook)
    complaints = [
        f"cites arXiv:{cited} and links to {linked}."
        for cited, linked in ARXIV_LINK.findall(prose)
        if cited != linked
    ]
    if re.search("arxiv", ARXIV_NUMBER.sub("", ARXIV_LINK.sub("", prose)), re.IGNORECASE):
        complaints.append("names arXiv without a number of the form arXiv:1406.2661.")
    return complaints


def absolute_paths(notebook: NotebookNode) -> list[str]:
    """No path of the machine it was written or executed on, in text, code or outputs."""
    texts = [cell.source for cell in notebook.cells]
    for cell in _code_cells(notebook):
        for output in cell.get("outputs", []):
            texts.append(output.get("text", ""))
            data = output.get("data", {})
            texts += [
                re.sub(r"base64,[^\"']*", "", data.get(kind, "")) for kind in ("text/plain", "text/html")
            ]
    return [
        f"contains the absolute path {found.group()!r}."
        for text in texts
        for found in ABSOLUTE_PATH.finditer(text)
    ]


# --- exercises ------------------------------------------------------------------------------------------


def exercise_headings(notebook: NotebookNode, number: int) -> list[str]:
    """Numbered NN.1, NN.2, … in order, with difficulty and minutes."""
    complaints, numbers = [], []
    for _, text in _headings(notebook):
        if not re.match(r"Exercise\b", text) or text.strip() == "Exercises":
            continue
        match = EXERCISE_HEADING.fullmatch(text)
        if match and len(re.findall("[●○]", text)) == 3:
            numbers.append((int(match[1]), int(match[2])))
        else:
            complaints.append(
                f"the heading {text!r} must look like 'Exercise {number}.1 — title (●○○, 5 min)'."
            )
    expected = [(number, place) for place in range(1, len(numbers) + 1)]
    if numbers != expected:
        complaints.append(f"its exercises must be numbered {number}.1, {number}.2, …, but are {numbers}.")
    return complaints


def checks_match(notebook: NotebookNode, number: int, exercises: Iterable[str]) -> list[str]:
    """Each exercise declared for the notebook has its heading and its check cell, and the other way round."""
    checked = _checked(notebook)
    headed = [match[0] for match in re.findall(r"Exercise ((\d+)\.(\d+)) —", _headings_text(notebook))]
    declared = list(exercises)
    complaints = [
        f"checks {one}, which course_utils.exercises does not declare."
        for one in checked
        if one not in declared
    ]
    complaints += [
        f"exercise {one} is declared, but the notebook never checks it."
        for one in declared
        if one not in checked
    ]
    complaints += [f"exercise {one} is checked, but has no heading." for one in checked if one not in headed]
    complaints += [f"exercise {one} has a heading, but no check." for one in headed if one not in checked]
    least = (
        1 if number == 0 else CHECKED_EXERCISES + 1
    )  # the warm-up; elsewhere three, and one to predict or explain
    if len(set(checked)) < least:
        complaints.append(f"has {len(set(checked))} checked exercises; {least} are the least.")
    if number and not re.search(r"\b(predict|explain)", _prose(notebook), re.IGNORECASE):
        complaints.append("has no exercise that asks to predict or to explain.")
    return complaints


def _headings_text(notebook: NotebookNode) -> str:
    return "\n".join(text for _, text in _headings(notebook))


def _checked(notebook: NotebookNode) -> list[str]:
    """The first arguments of all calls of `check`, in order."""
    numbers = []
    for cell in _code_cells(notebook):
        for node in ast.walk(_parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check" and node.args:
                numbers.append(getattr(node.args[0], "value", None))
    return numbers


# --- outputs --------------------------------------------------------------------------------------------


def alternative_texts(notebook: NotebookNode) -> list[str]:
    """Every picture that is displayed, or put into the prose, says in words what it shows."""
    complaints = []
    for number, cell in enumerate(_code_cells(notebook), start=1):
        for output in cell.get("outputs", []):
            data, metadata = output.get("data", {}), output.get("metadata", {})
            pictures = _pictures(data.get("text/html", ""))
            png_alt = metadata.get("image/png", {}).get("alt", "")
            if "image/png" in data and not (png_alt.strip() or any(pictures)):
                complaints.append(f"code cell {number} shows a picture without alternative text.")
            if not all(pictures):
                complaints.append(f"code cell {number} shows HTML with an <img> that has no alt text.")
            if list(data) == ["application/vnd.jupyter.widget-view+json"]:
                complaints.append(f"code cell {number} shows a widget without a static picture of it.")
    for alt, _ in re.findall(r"!\[([^\]]*)\]\(([^)]*)\)", _prose(notebook)):
        if not alt.strip():
            complaints.append("its prose has a picture without alternative text.")
    if not all(_pictures(_prose(notebook))):
        complaints.append("its prose has an <img> without alternative text.")
    return complaints


class _Images(HTMLParser):
    def __init__(self):
        super().__init__()
        self.alts: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "img":
            self.alts.append((dict(attrs).get("alt") or "").strip())


def _pictures(html: str) -> list[str]:
    """The alternative text of each <img> in a piece of HTML, "" where there is none."""
    parser = _Images()
    parser.feed(html)
    return parser.alts


def errors(notebook: NotebookNode) -> list[str]:
    """No saved output is an error, a traceback or a warning."""
    complaints = []
    for number, cell in enumerate(_code_cells(notebook), start=1):
        for output in cell.get("outputs", []):
            text = output.get("text", "")
            if output["output_type"] == "error":
                complaints.append(f"code cell {number} ended in {output['ename']}: {output['evalue']}.")
            elif "Traceback (most recent call last)" in text or re.search(r"\b\w*Warning: ", text):
                complaints.append(f"code cell {number} prints a traceback or a warning.")
    return complaints


def solved(notebook: NotebookNode) -> list[str]:
    """In an executed solution, every check found the answer right."""
    complaints = []
    for cell in _code_cells(notebook) if "course" in notebook.metadata else []:
        pages = [output.get("data", {}).get("text/html", "") for output in cell.outputs]
        if any("course-verdict" in page and "✔" not in page for page in pages):
            complaints.append(f"the solution's own answer does not pass: {cell.source.strip()!r}.")
    return complaints


def running_time(notebook: NotebookNode) -> list[str]:
    """Printed and measured running time agree within 15 %; time and memory stay in bounds."""
    ran = notebook.metadata.get("course")
    if ran is None:
        return []
    complaints = []
    printed = printed_seconds(notebook)
    if printed is None:
        complaints.append("prints no running time such as 'about 4 minutes' or '30 s' in the table's row.")
    elif abs(printed - ran["seconds"]) > max(CLOSE_SHARE * ran["seconds"], CLOSE_SECONDS):
        complaints.append(
            f"prints a running time of {printed:.0f} s, where {ran['seconds']} s were measured; "
            "run `make notebooks`, which writes it."
        )
    for limit, key, unit in (
        (SECONDS_PER_NOTEBOOK, "seconds", "s"),
        (SECONDS_PER_CELL, "slowest_cell_seconds", "s for a cell"),
        (MEGABYTES, "peak_megabytes", "MB"),
    ):
        if ran[key] > limit:
            complaints.append(f"took {ran[key]} {unit}, where {limit} is the limit.")
    return complaints


def printed_seconds(notebook: NotebookNode) -> float | None:
    """The running time on two CPU cores that the table under the title promises: its row's first duration."""
    row = next((line for line in notebook.cells[0].source.splitlines() if "running time" in line.lower()), "")
    number = DURATION.search(row.split("unning time", 1)[-1])
    if number is None:
        return None
    low = 0.5 if number[1] == "½" else float(number[1])
    value = (low + float(number[2])) / 2 if number[2] else low
    return value * (60 if number[3] == "min" else 1)


# --- random numbers -------------------------------------------------------------------------------------


def literal_seeds(notebook: NotebookNode) -> list[str]:
    """Every seed passes through `seed` of course_utils.runtime, so that `make claims` can choose others.

    Asked of arguments of `manual_seed` and `default_rng`, of arguments `seed=`, and of what is assigned to
    names such as `seeds`. A line that ends in a comment `# fixed: why` is let through.
    """
    complaints = []
    for cell in _code_cells(notebook):
        lines = cell.source.splitlines()
        for node in ast.walk(_parse(cell.source)):
            values = _seeding(node)
            places = {
                id(part.slice) for one in values for part in ast.walk(one) if isinstance(part, ast.Subscript)
            }
            literal = any(
                type(getattr(part, "value", None)) is int and id(part) not in places  # seeds[0] is no literal
                for one in values
                for part in ast.walk(one)
            )
            passed = any(
                getattr(getattr(part, "func", None), "id", "") == "seed"
                for one in values
                for part in ast.walk(one)
            )
            if literal and not passed and "# fixed:" not in lines[values[0].end_lineno - 1]:
                complaints.append(
                    f"`{ast.unparse(values[0])}` is a seed that COURSE_SEED does not reach; write `seed(…)`, "
                    f"or `# fixed: why` behind it: `{lines[values[0].lineno - 1].strip()}`."
                )
    return complaints


def _seeding(node: ast.AST) -> list[ast.expr]:
    """The expressions in a piece of code that become seeds."""
    if isinstance(node, ast.Call):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        first = node.args[:1] if called in ("manual_seed", "default_rng", "manual_seed_all") else []
        return [*first, *(one.value for one in node.keywords if one.arg == "seed")]
    if isinstance(node, ast.Assign) and any(
        re.search(r"(^|_)seeds?$", getattr(part, "id", ""))
        for target in node.targets
        for part in ast.walk(target)
    ):
        return [node.value]
    return []


# --- form -----------------------------------------------------------------------------------------------


def cell_ids(notebook: NotebookNode) -> list[str]:
    """Every cell has an id of its own."""
    ids = [cell.get("id", "") for cell in notebook.cells]
    return (
        ["has cells without an id, or two with the same."] if not all(ids) or len(set(ids)) < len(ids) else []
    )


def without_outputs(notebook: NotebookNode) -> list[str]:
    """For the learner's notebook: nothing was run in it."""
    ran = [cell for cell in _code_cells(notebook) if cell.outputs or cell.execution_count is not None]
    return ["holds outputs."] if ran or "widgets" in notebook.metadata else []


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _parse(source: str) -> ast.Module:
    return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))


def anchors_of_course(root: Path = ROOT) -> dict[str, list[str]]:
    """`heading_anchors` of every notebook that there is."""
    paths = sorted((root / "solutions").glob("[0-9][0-9]_*.ipynb"))
    return {path.stem: heading_anchors(nbformat.read(path, as_version=4)) for path in paths}


def pages(root: Path = ROOT) -> list[str]:
    """A sentence for each number of README.md and of docs/ that nothing accounts for."""
    scripts = sorted((root / "solutions").glob("[0-9][0-9]_*.py"))
    written = [one for script in scripts for one in claims.read(script)]
    complaints = []
    folders = [root / "docs", root / "docs" / "instructor"]
    for path in [root / "README.md", *(page for one in folders for page in sorted(one.glob("*.md")))]:
        if path.name in WRITTEN_BY_PROGRAMS:
            continue
        name = path.relative_to(root).as_posix()
        mine = [one for one in written if one.where == name]
        complaints += [
            f"{name}: nothing accounts for {one.number!r}: … {one.context} …"
            for one in prose_numbers.of_page(path.read_text(encoding="utf-8"), mine, root)
        ]
    return complaints


def main(arguments: Sequence[str] | None = None) -> int:
    """List the complaints about the solutions named; without names, `strict` only where it is asked for."""
    from course_utils.checks.verdict import exercises_of
    from tools.notebooks import choose_scripts

    names = sys.argv[1:] if arguments is None else arguments
    anchors = anchors_of_course()
    complaints = []
    for script in choose_scripts(names):
        notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
        declared = [one.number for one in exercises_of(int(script.stem[:2]))]
        complaints += lint(notebook, script.stem, declared, anchors)
        if names or script.stem not in UNCONVERTED:
            complaints += strict(script, anchors)
    if not names:
        complaints += pages()
    print("\n".join(complaints) or "nothing to complain about.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
