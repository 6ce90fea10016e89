"""From the course's own files to what Sphinx reads: solved notebooks and pages, with their links made whole.

Nothing is written twice: notebooks come from solutions/, pages from docs/ and book/, the front page's words
and its map from README.md. What is wrong is reported with the file and line that an author edits: for a
notebook those of its percent script.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import html
import json
import os
import re
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode
from PIL import Image

from tools import bibliography, book_api, hosted
from tools.course import COURSE, NAMES
from tools.notebooks import BEGIN, END, INSTEAD, SOLUTION_TAG, stub_source

SLIDES = tuple(notebook.name for notebook in COURSE[:7])  # the notebooks that have slides

EXPLORERS = {  # what a cell's last line calls -> what the page draws in its place
    "discriminator_explorer": "discriminator",
    "game_explorer": "game",
    "latent_slider": "latent",
    "gan_playground": "playground",
}
LINK = re.compile(
    r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<target>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)"
)
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<target>[^()\s]+)\)")
FENCE = re.compile(r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*?$", re.MULTILINE | re.DOTALL)
CODE = re.compile(FENCE.pattern + r"|`+[^`\n]+`+", re.MULTILINE | re.DOTALL)
MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+(?:\n[^$\n]+)?\$", re.DOTALL)


@dataclass
class Problem:
    """Something that the book must not have, and where an author finds it."""

    path: str  # from the root of the checkout
    line: int
    words: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.words}"


@dataclass
class Source:
    """Where each document of the book comes from, and what was found wrong on the way."""

    root: Path
    origins: dict[str, str] = field(default_factory=dict)  # document -> file of the checkout
    cells: dict[str, list[int]] = field(default_factory=dict)  # notebook -> first line of each cell
    notebooks: dict[str, NotebookNode] = field(default_factory=dict)  # as the slides show them
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, document: str, number: int) -> int:
        """The author's line for one that Sphinx names; in notebooks it counts cell · 10000 + line."""
        if document not in self.cells:
            return number
        starts = self.cells[document]
        cell, line = divmod(number, 10_000)
        return starts[min(max(cell - 1, 0), len(starts) - 1)] + max(line - 1, 0)

    def find(self, document: str, words: str) -> int:
        """The line of a document's file in which these words begin; 1 if nowhere."""
        path = self.root / self.origins[document]
        if not path.is_file():  # a page about several files
            return 1
        text = path.read_text(encoding="utf-8")
        first = next((line.strip() for line in words.splitlines() if line.strip()), "")
        place = text.find(first) if first else -1
        return text.count("\n", 0, place) + 1 if place >= 0 else 1


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it: lower case, hyphens, no punctuation."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", MATH.sub("", heading))
    plain = re.sub(r"[*`]", "", plain).strip().lower().replace(" ", "-")
    return re.sub(r"[^\w\- ]", "", plain)


def headings(markdown: str) -> list[str]:
    """The headings of a text, blocks of code left out."""
    return re.findall(r"^#{1,6} +(.+?)\s*$", FENCE.sub("", markdown), re.MULTILINE)


def outside(text: str, change: Callable[[str, int], str], *leave: re.Pattern) -> str:
    """A text with `change(part, where it begins)` for the parts that no pattern of `leave` covers."""
    spans = sorted(match.span() for pattern in leave for match in pattern.finditer(text))
    done, end = [], 0
    for first, last in spans:
        if first < end:
            continue
        done += [change(text[end:first], end), text[first:last]]
        end = last
    return "".join([*done, change(text[end:], end)])


# --- links and citations ---------------------------------------------------------------------------------


class Links:
    """Makes the links of the course's files links of the book."""

    def __init__(self, source: Source, pages: Mapping[Path, str], anchors: Mapping[str, Mapping[str, str]]):
        self.source = source
        self.pages = pages  # file of the checkout -> document of the book
        self.anchors = anchors  # document -> anchor as written in the file -> anchor in the book
        self.papers = bibliography.read(source.root / "docs" / "references.bib")

    def mend(self, text: str, path: Path, line: int) -> str:
        """A Markdown text of a file, beginning in that line, with links and citations of the book."""

        def links(part: str, start: int) -> str:
            before = line + text.count("\n", 0, start)
            part = IMAGE.sub(lambda found: self._image(found, path), part)
            return LINK.sub(lambda found: self._link(found, path, before, part), part)

        def citing(part: str, start: int) -> str:
            done, end = [], 0
            for one in bibliography.citations(part, self.papers):
                if not one.papers:
                    place = line + mended.count("\n", 0, start + one.start)
                    words = f"undefined citation: docs/references.bib lacks {one.words!r}"
                    self.complain(path, place, words)
                elif one.start >= end:
                    done += [part[end : one.start], self._citation(one)]
                    end = one.end
            return "".join([*done, part[end:]])

        mended = outside(text, links, CODE, MATH)
        titles = re.compile(r"^#+ .*$", re.MULTILINE)
        comments = re.compile(r"<!--.*?-->|<[a-z][^>]*>", re.DOTALL)
        return outside(mended, citing, CODE, MATH, LINK, IMAGE, titles, comments)

    def _citation(self, one: bibliography.Citation) -> str:
        before, words = ("(", one.words[1:]) if one.words.startswith("(") else ("", one.words)
        after = ")" if words.count(")") > words.count("(") else ""  # not that of "Radford et al. (2016)"
        words = words.removesuffix(after)
        return f"{before}[{words}](#{one.papers[0].key}){after}"

    def _image(self, found: re.Match, path: Path) -> str:
        """Pictures of docs/images/ lie beside every page."""
        file = Path(os.path.normpath(path.parent / found["target"]))
        return f"![{found['alt']}](images/{file.name})" if file.parent.name == "images" else found[0]

    def _link(self, found: re.Match, path: Path, line: int, part: str) -> str:
        line += part.count("\n", 0, found.start())
        text, target = found["text"], found["target"]
        if re.match(r"[a-z]+:", target):
            return found[0]
        place, _, fragment = urllib.parse.unquote(target).partition("#")
        file = Path(os.path.normpath(path.parent / place)) if place else path
        document = self.pages.get(file)
        if document is None:
            if not file.exists():
                self.complain(path, line, f"broken link: there is no {place!r}")
            return text  # a file of the checkout that is no page of the book
        if fragment:
            anchor = self.anchors[document].get(fragment)
            if anchor is None:
                self.complain(path, line, f"broken link: {place or path.name} has no heading {fragment!r}")
                return text
            return f"[{text}](#{anchor})" if file == path else f"[{text}]({self._name(document)}#{anchor})"
        return f"[{text}]({self._name(document)})"

    def _name(self, document: str) -> str:
        return document + (".ipynb" if document in self.source.cells else ".md")

    def complain(self, path: Path, line: int, words: str) -> None:
        self.source.problems.append(Problem(path.relative_to(self.source.root).as_posix(), line, words))


# --- notebooks -------------------------------------------------------------------------------------------


def cell_lines(script: str) -> list[int]:
    """The line in which each cell of a percent script begins; claims, which readers never see, left out."""
    lines = script.splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line.startswith("# %%")]
    shown = [start for start in starts if '"claim"' not in lines[start - 1]]
    return [_first_full(lines, start + 1) for start in shown]


def _first_full(lines: Sequence[str], number: int) -> int:
    while number < len(lines) and not lines[number - 1].strip("# "):
        number += 1
    return number


def book_notebook(notebook: NotebookNode, starts: Sequence[int], figures: Path, complain: Callable) -> tuple:
    """A solved notebook as the book shows it, and the line that each of its cells comes from.

    Answers are folded below the stub that a learner finds; code that only draws a figure is folded; pictures
    become files; where the page can draw for itself, the still picture waits for it.
    """
    cells, lines = [], []

    def add(cell: NotebookNode, line: int) -> None:
        cells.append(cell)
        lines.append(line)

    for cell, line in zip(notebook.cells, starts, strict=True):
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            if SOLUTION_TAG in tags:
                cell.source = f"<details><summary>The answer</summary>\n\n{cell.source}\n\n</details>"
            add(cell, line)
            continue
        cell.outputs = [
            page_output(one, figures, lambda words, at=line: complain(at, words)) for one in cell.outputs
        ]
        explorer = (
            EXPLORERS.get(re.split(r"\(", cell.source.strip().splitlines()[-1])[0]) if cell.source else None
        )
        if explorer:
            for output in cell.outputs:
                make_live(output, explorer)
        if BEGIN in cell.source:
            question = stub_source(cell.source)
            add(nbformat.v4.new_code_cell(question, id=f"{cell.id}-stub", metadata={"tags": ["stub"]}), line)
            kept = [text for text in cell.source.splitlines() if text.strip() not in (BEGIN, END)]
            cell.source = "\n".join(_without_instead(kept))
            cell.metadata["tags"] = ["hide-input", "answer"]
            cell.metadata["mystnb"] = {
                "code_prompt_show": "Show an answer",
                "code_prompt_hide": "Hide the answer",
            }
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = ["hide-input"]
            cell.metadata["mystnb"] = {"code_prompt_show": "Show the code of this figure"}
        add(cell, line)
    plain = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": notebook.metadata["kernelspec"]})
    return plain, lines


def _without_instead(lines: Sequence[str]) -> list[str]:
    """An answer without what a learner finds in its place."""
    kept, skipping = [], False
    for line in lines:
        if line.strip() == INSTEAD:
            skipping = True
        elif skipping and not line.strip().startswith("#"):
            skipping = False
        if not skipping:
            kept.append(line)
    return kept


PICTURE = re.compile(r'<img src="data:image/(?P<kind>\w+);base64,(?P<data>[^"]+)"(?P<rest>[^>]*)>')


def page_output(output: NotebookNode, figures: Path, complain: Callable[[str], None]) -> NotebookNode:
    """An output whose pictures are files of the book, not text within the page."""
    data = output.get("data", {})
    if "text/html" not in data:
        if any(kind.startswith("image/") for kind in data):
            complain("a figure without alternative text")
        return output

    def as_file(found: re.Match) -> str:
        content = base64.b64decode(found["data"])
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{found['kind']}"
        (figures / name).parent.mkdir(parents=True, exist_ok=True)
        if not (figures / name).exists():
            (figures / name).write_bytes(content)
        width, height = Image.open(BytesIO(content)).size
        rest = found["rest"]
        shown = re.search(r'width="(\d+)"', rest)
        if width > 1.6 * height:  # on a phone its letters would be too small: it scrolls there
            rest += ' class="wide"'
        if shown:
            rest += f' height="{round(int(shown[1]) * height / width)}"'
        return f'<img src="{figures.parent.name}/{figures.name}/{name}"{rest} loading="lazy">'

    page = PICTURE.sub(as_file, data["text/html"])
    if any(not re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img[^>]*>", page)):
        complain("a figure without alternative text")
    output["data"] = nbformat.from_dict({"text/html": page})
    output["metadata"] = nbformat.from_dict({})
    return output


def make_live(output: NotebookNode, explorer: str) -> None:
    """Where the page can draw for itself, it does so in the place of the still picture."""
    if "text/html" in output.get("data", {}):
        still = re.sub(r"<p><em>A still picture:.*?</em></p>", "", output["data"]["text/html"])
        output["data"]["text/html"] = (
            f'<div class="live" data-explorer="{explorer}"><div class="still">{still}</div></div>'
        )


# --- the whole book --------------------------------------------------------------------------------------

CHINESE = ".zh"  # ends the names of the documents in Chinese


class Chapter(NamedTuple):
    """A notebook of the book."""

    document: str  # its name
    path: Path  # the file that an author edits
    notebook: NotebookNode  # solved, with the outputs that were kept
    lines: list[int]  # of `path`, in which its cells begin


def chapters(root: Path) -> list[Chapter]:
    """The solved notebooks, and after them those that there are in Chinese."""
    found = []
    for name in NAMES:
        script = root / "solutions" / f"{name}.py"
        if not script.with_suffix(".ipynb").exists():
            continue
        notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
        lines = cell_lines(script.read_text(encoding="utf-8"))
        if len(lines) != len(notebook.cells):
            raise SystemExit(f"{name}.ipynb does not agree with its script: `make notebooks`, then again.")
        found.append(Chapter(name, script, notebook, lines))
    solved = {chapter.document: chapter.notebook for chapter in found}
    for path in sorted((root / "notebooks" / "zh").glob("*.ipynb")):
        found.append(in_chinese(path, solved[path.stem]))
    return found


def in_chinese(path: Path, solved: NotebookNode) -> Chapter:
    """A translated notebook, which learners get, with the answers and the outputs of the solved one."""
    text = path.read_text(encoding="utf-8")
    translated = nbformat.reads(text, as_version=4)
    words = {cell.id: cell.source for cell in translated.cells if cell.cell_type == "markdown"}
    if [cell.id for cell in translated.cells] != [cell.id for cell in solved.cells]:
        raise SystemExit(
            f"{path.name} in Chinese does not agree with the English: `make notebooks`, then again."
        )
    notebook = copy.deepcopy(solved)
    for cell in notebook.cells:
        if SOLUTION_TAG not in cell.metadata.get("tags", []):
            cell.source = words.get(cell.id, cell.source)
    lines = [text.count("\n", 0, text.index(f'"id": "{cell.id}"')) + 1 for cell in notebook.cells]
    return Chapter(path.stem + CHINESE, path, notebook, lines)


def markdown_pages(root: Path) -> dict[Path, str]:
    """The Markdown files that are pages, and their documents' names, which all lie in one folder."""
    pages = {path: path.stem for folder in ("book", "docs") for path in sorted((root / folder).glob("*.md"))}
    teaching = root / "docs" / "instructor"
    for path in sorted(teaching.glob("*.md")):
        pages[path] = "teaching" if path.stem == "README" else f"teaching_{path.stem}"
    for path in sorted((teaching / "sheets").glob("*.md")):
        pages[path] = f"sheet_{path.stem}"
    if (root / "README.zh-CN.md").exists():
        pages[root / "README.zh-CN.md"] = "index" + CHINESE
    return pages


def assemble(root: Path, folder: Path) -> Source:
    """Write what Sphinx reads into `folder`, and say where it all comes from."""
    source = Source(root)
    notebooks, markdown = chapters(root), markdown_pages(root)

    pages: dict[Path, str] = {root / "README.md": "index", **markdown}
    anchors: dict[str, dict[str, str]] = {"index": {}}
    for chapter in notebooks:
        document = chapter.document
        source.origins[document] = chapter.path.relative_to(root).as_posix()
        source.cells[document] = chapter.lines  # so that links know it for a notebook
        pages[chapter.path] = document
        if not document.endswith(CHINESE):
            for place in ("solutions", "notebooks", "book"):
                pages[root / place / f"{document}.ipynb"] = document
        text = "\n\n".join(cell.source for cell in chapter.notebook.cells if cell.cell_type == "markdown")
        written = [re.sub(r"[*`]", "", heading).replace(" ", "-") for heading in headings(text)]
        anchors[document] = dict(zip(written, map(slug, headings(text)), strict=True))
    for path, document in markdown.items():
        source.origins[document] = path.relative_to(root).as_posix()
        if path.parent == root / "docs":
            pages[root / "book" / path.name] = document
        anchors[document] = {slug(one): slug(one) for one in headings(path.read_text(encoding="utf-8"))}

    links = Links(source, pages, anchors)
    for chapter in notebooks:
        _write_notebook(chapter, links, folder)
    reference = book_api.pages(root / "course_utils")
    reference["api"] = book_api.overview(root / "course_utils", sorted(reference))
    for name, text in reference.items():
        source.origins[name] = (
            f"course_utils/{name.removeprefix('api_')}" if name != "api" else "course_utils"
        )
        _write(folder / f"{name}.md", text)
    pages[root / "course_utils"] = "api"
    for path, document in markdown.items():
        _write(folder / f"{document}.md", _chains(_page(path, document, links)))
    for picture in (root / "docs" / "images").glob("*"):
        for place in (folder, folder / "_extra"):  # for Markdown, and for the front page's HTML
            _write(place / "images" / picture.name, picture.read_bytes())
    return source


def _write_notebook(chapter: Chapter, links: Links, folder: Path) -> None:
    """A notebook for Sphinx to read; where slides want it, also for them."""

    document, source = chapter.document, links.source

    def complain(line: int, words: str) -> None:
        if not document.endswith(CHINESE):  # which has the same outputs
            links.complain(chapter.path, line, words)

    figures = folder / "_extra" / "figures" / document[:2]
    made, source.cells[document] = book_notebook(chapter.notebook, chapter.lines, figures, complain)
    for cell, line in zip(made.cells, source.cells[document], strict=True):
        if cell.cell_type == "markdown":
            cell.source = links.mend(cell.source, chapter.path, line)
    source.notebooks[document] = copy.deepcopy(made)  # for slides, which explain no terms
    if not document.endswith(CHINESE):
        prose = [cell for cell in made.cells if cell.cell_type == "markdown"]
        linked = glossary_links(source.root, [cell.source for cell in prose])
        for cell, text in zip(prose, linked, strict=True):
            cell.source = text
    _write(folder / f"{document}.ipynb", json.dumps(made, ensure_ascii=False, sort_keys=True))


def _page(path: Path, document: str, links: Links) -> str:
    """A page of Markdown for Sphinx to read."""
    root = links.source.root
    text = path.read_text(encoding="utf-8")
    if path == root / "docs" / "references.md":
        text = bibliography.page(links.papers, targets=True)
    mended = links.mend(text, path, 1)
    if document == "index":
        words = front_page(root, links)
        return re.sub(r"\{\{ ([\w ]+) \}\}", lambda found: words[found[1]], mended)
    if document == "teaching":  # its own pages stand below it, in the order in which it names them
        below = {name: page for page, name in links.pages.items() if name.startswith(("teaching_", "sheet_"))}
        places = {name: text.find(page.relative_to(path.parent).as_posix()) for name, page in below.items()}
        mended += toctree("", sorted(below, key=lambda name: places[name] % (len(text) + 1)))
    return mended


def glossary_links(root: Path, texts: Sequence[str]) -> Sequence[str]:
    """A notebook's prose, the first use of each term linked to the glossary; its meaning is the tooltip."""
    if not (root / "docs" / "glossary.yml").exists() or find_spec("tools.glossary") is None:
        return texts  # a course without a glossary
    from tools import glossary

    terms = glossary.load(root)
    meanings = {one.anchor: one.meaning.replace('"', "'").replace("\n", " ") for one in terms}

    def with_tooltip(found: re.Match) -> str:
        return f'](glossary.md#{found[1]} "{meanings[found[1]]}")'

    linked = glossary.with_links(texts, terms, "glossary.md")
    return [re.sub(r"\]\(glossary\.md#([^)\s]+)\)", with_tooltip, text) for text in linked]


def front_page(root: Path, links: Links) -> dict[str, str]:
    """README.md's parts for the front page, and the book's order; by the names that book/index.md uses."""
    path = root / "README.md"
    readme = path.read_text(encoding="utf-8")

    def part(pattern: str) -> str:
        found = re.search(pattern, readme, re.MULTILINE | re.DOTALL)
        if found is None:
            raise SystemExit(
                f"README.md has no place that fits {pattern!r}, which the book's front page shows."
            )
        line = readme.count("\n", 0, found.start(1)) + 1
        return links.mend(found[1].strip("\n"), path, line)

    alt = part(r"^!\[([^\]]*)\]\(docs/images/benchmark\.png\)")
    slides = [notebook for notebook in COURSE if notebook.name in SLIDES]
    return {
        "intro": part(r"^(A course in .*?)\n\n"),
        "apart": part(r"^(What sets this course apart.*?)\n\n"),
        "commands": part(r"\n\n((?:    [^\n]*\n)+)"),
        "map": part(r"<!-- map: [^\n]*\n(.*?)<!-- end of map -->"),
        "benchmark": part(r"^!\[[^\]]*\]\(docs/images/benchmark\.png\)\n\n(.*?)\n\n"),
        "benchmark alt": html.escape(alt),
        "starts": hosted.buttons(root) if root / "docs" / "hosted.md" in links.pages else "",
        "slides": ", ".join(f'<a href="slides/{one.name}.html">{one.number}</a>' for one in slides),
        "toctrees": _toctrees(links),
    }


CONTENTS = {  # the pages beside the notebooks, in their order; a page that is not listed comes last
    "Play": ["play"],
    "Look up": ["glossary", "references", "api"],
    "What was measured": ["benchmarks", "claims", "running_times", "colour", "hardware", "reliability"],
    "Teach": ["teaching", "classroom", "hosted", "environment_variables"],
    "Chinese (中文)": ["index.zh", "00_start_here.zh", "glossary.zh"],
    "Behind the course": ["architecture", "extending", "authoring", "book"],
}


def toctree(caption: str, entries: Sequence[str]) -> str:
    """A list of pages that the theme shows at the side; nothing where there is no page."""
    lines = "\n".join(entries)
    head = f":hidden:\n:caption: {caption}" if caption else ":hidden:"
    return f"\n\n```{{toctree}}\n{head}\n\n{lines}\n```\n" if entries else ""


def _toctrees(links: Links) -> str:
    documents = [*links.pages.values()]
    listed = {"index", *links.source.cells, *(name for names in CONTENTS.values() for name in names)}
    rest = [
        name
        for name in dict.fromkeys(documents)
        if name not in listed and not name.startswith(("teaching_", "sheet_"))
    ]
    groups = {
        "The notebooks": [f"{one.number} {one.title} <{one.name}>" for one in COURSE if one.name in documents]
    }
    for caption, names in CONTENTS.items():
        groups[caption] = [name for name in names if name in documents]
    groups["Behind the course"] += rest
    return "".join(toctree(caption, entries) for caption, entries in groups.items())


def _chains(text: str) -> str:
    """A chain of boxes in the place of a flow chart that needs a program to be drawn: `a --> b --> c & d`."""

    def boxes(found: re.Match) -> str:
        steps = [html.escape(step.strip()) for step in found["chain"].split("-->")]
        items = "".join(f"<li>{step.replace(' &amp; ', ', ')}</li>" for step in steps)
        return f'<ol class="chain">{items}</ol>'

    return re.sub(
        r"^```mermaid\nflowchart TD\n(?P<chain>.*?)\n```$", boxes, text, flags=re.MULTILINE | re.DOTALL
    )


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
