"""What the built pages must hold: links that lead somewhere, pictures with words, formulas that render.

Sphinx sees most of it, raw HTML and MathJax it does not. Formulas are given to MathJax itself, the very files
that the pages load, in the Node that Playwright brings along (or one on the path): no browser is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.parse
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.metadata import distribution
from pathlib import Path

from tools.book_source import Problem, Source

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
VERBATIM = {"code", "pre", "script", "style", "title"}
SKIPPED = {"genindex", "search", "py-modindex"}  # Sphinx's own

RENDER = """
const mathjax = process.argv[1];
const formulas = JSON.parse(require('fs').readFileSync(0));
// the second: no such command
const broken = /<merror data-mjx-error="([^"]*)"|<mtext mathcolor="red">(\\\\[^<]*)</;
async function main() {
    const MathJax = await require(mathjax + '/node-main.js').init({
        loader: {load: ['input/tex'], paths: {mathjax}},
    });
    const errors = [];
    for (const [tex, display] of formulas) {
        const found = broken.exec(await MathJax.tex2mmlPromise(tex, {display}));
        errors.push(found && (found[1] ?? 'no command ' + found[2]));
    }
    process.stdout.write(JSON.stringify(errors));
}
main().catch(error => { console.error(error); process.exit(1); });
"""


class Page(HTMLParser):
    """What a built page links to, shows and defines."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.files: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.formulas: list[tuple[str, bool]] = []  # TeX, and whether it stands alone
        self.dollars: list[str] = []  # words with a $, which a formula has left behind
        self._verbatim = 0  # how many open tags deep within code
        self._math = 0  # how many open tags deep within a formula
        self._tex: list[str] = []
        self._display = False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if found.get("id"):
            self.ids.add(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("img", "script", "iframe", "source") and found.get("src"):
            self.files.append(found["src"])
        if tag == "link" and found.get("href") and found.get("rel") in ("stylesheet", "icon"):
            self.files.append(found["href"])
        if tag == "img":
            self.pictures.append(found)
        self._verbatim += tag in VERBATIM
        if self._math and tag not in VOID:
            self._math += 1
        elif "math" in (found.get("class") or "").split() and tag in ("span", "div"):
            self._math, self._display, self._tex = 1, tag == "div", []

    def handle_endtag(self, tag: str) -> None:
        self._verbatim -= tag in VERBATIM
        if self._math:
            self._math -= 1
            if not self._math:
                tex = "".join(self._tex).strip()
                for opening, closing in ((r"\(", r"\)"), (r"\[", r"\]")):
                    if tex.startswith(opening) and tex.endswith(closing):
                        tex = tex[2:-2]
                self.formulas.append((tex, self._display))

    def handle_data(self, data: str) -> None:
        if self._math:
            self._tex.append(data)
        elif "$" in data and not self._verbatim:
            self.dollars.append(data.strip())


def check(source: Source, folder: Path) -> list[Problem]:
    """What is wrong in the built pages of `folder`."""
    pages = {
        path: Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
        if "_static" not in path.relative_to(folder).parts
    }
    problems = []
    for path, page in pages.items():
        document = path.relative_to(folder).with_suffix("").as_posix()
        if document in SKIPPED:
            continue
        for words, snippet in [*_dead_links(path, page, pages), *_mute_pictures(page), *_dollars(page)]:
            problems.append(_problem(source, document, words, snippet))
    return problems + broken_formulas(source, folder, pages)


def _problem(source: Source, document: str, words: str, snippet: str) -> Problem:
    document = document.removeprefix("slides/")  # which are made from the notebook of that name
    if document not in source.origins:
        return Problem(f"build/book/html/{document}.html", 1, words)
    return Problem(source.origins[document], source.find(document, snippet), words)


def _dead_links(path: Path, page: Page, pages: dict[Path, Page]) -> Iterator[tuple[str, str]]:
    for link in dict.fromkeys([*page.links, *page.files]):
        parts = urllib.parse.urlsplit(link)
        if parts.scheme in ("http", "https", "mailto", "data", "javascript"):
            if link in page.files and parts.scheme != "data":
                yield f"loads {link} from another place; the book must not need a network", link
            continue
        place = os.path.normpath(path.parent / urllib.parse.unquote(parts.path)) if parts.path else path
        target = Path(place)
        if target not in pages and not target.exists():
            yield f"broken link: {link}", link
        elif parts.fragment and target in pages:
            fragment = urllib.parse.unquote(parts.fragment)
            if fragment not in pages[target].ids and parts.fragment not in pages[target].ids:
                yield f"broken link: {link} names no place of that page", parts.fragment


def _dollars(page: Page) -> Iterator[tuple[str, str]]:
    for words in page.dollars:
        yield f"a formula that was not recognised leaves a $ behind: {' '.join(words.split())}", words


def _mute_pictures(page: Page) -> Iterator[tuple[str, str]]:
    for picture in page.pictures:
        place, _, name = (picture.get("src") or "").rpartition("/")
        from_a_cell = "figures" in place.split("/")  # tools/book_source.py has looked at those
        if not (picture.get("alt") or "").strip() and not from_a_cell:
            yield f"a figure without alternative text: {name}", name


def mathjax_folder() -> Path:
    """Where the extra's package keeps MathJax."""
    return (
        Path(distribution("sphinx-mathjax-offline").locate_file("sphinx-mathjax-offline"))
        / "static"
        / "mathjax"
    )


def node() -> str:
    """A Node to run MathJax in.

    Raises:
        FileNotFoundError: there is none, neither Playwright's nor another.
    """
    try:
        own = Path(distribution("playwright").locate_file("playwright")) / "driver" / "node"
    except ImportError:
        own = Path()
    found = str(own) if own.is_file() else shutil.which("node")
    if not found:
        raise FileNotFoundError("formulas are checked in Node: install playwright, or Node itself.")
    return found


def render_errors(formulas: list[tuple[str, bool]]) -> list[str | None]:
    """What MathJax says against each formula; None where it renders.

    Args:
        formulas: TeX, and whether it stands on a line of its own.
    """
    command = [node(), "-e", RENDER, "--", str(mathjax_folder())]
    done = subprocess.run(command, input=json.dumps(formulas), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"MathJax did not run: {done.stderr.strip()}")
    return json.loads(done.stdout)


def broken_formulas(source: Source, folder: Path, pages: dict[Path, Page]) -> list[Problem]:
    """A problem for each formula that MathJax does not render."""
    where = [(path, formula) for path, page in pages.items() for formula in page.formulas]
    problems = []
    for (path, (tex, _)), error in zip(where, render_errors([one for _, one in where]), strict=True):
        if error:
            document = path.relative_to(folder).with_suffix("").as_posix()
            words = f"a formula that does not render ({error}): {' '.join(tex.split())}"
            problems.append(_problem(source, document, words, tex))
    return problems
