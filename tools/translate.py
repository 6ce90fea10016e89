"""The course in Chinese: `python -m tools.translate` renews its catalogues and what is built from them.

    translations/zh_CN/README.po            sentences of README.md and their translations (gettext)
    translations/zh_CN/00_start_here.po     those of notebook 00's text
    README.zh-CN.md, notebooks/zh/00_start_here.ipynb        generated

A sentence whose English has changed is marked "fuzzy" in its catalogue. Until somebody has looked at it, the
page shows the English, and says that it is not translated yet: stale sentences are seen, never believed.
Numbers in tables stand as {0}, {1} in the catalogues, so that new measurements need no translator.
"""

from __future__ import annotations

import datetime
import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog

from tools import notebooks
from tools.run import ROOT

LOCALE = "zh_CN"
CATALOGUES = "translations/zh_CN"
NOT_YET = "（尚未翻译）"
TEXTS = {
    "README": "README.md",
    "00_start_here": "solutions/00_start_here.py",
}  # catalogue -> what it translates
BUILT = {"README": "README.zh-CN.md", "00_start_here": "notebooks/zh/00_start_here.ipynb"}
NUMBER = re.compile(r"(?<![\w-])\d+(?:[.,]\d+)*")  # not that of CIFAR-10
LETTERS = re.compile(r"[^\W\d_]{2,}")
# A block: a heading, an item of a list with the lines that continue it, or a paragraph
HEAD = re.compile(r"^(#{1,6} |(?:[-*]|\d+\.) )", re.MULTILINE)


# --- from text to messages and back ---------------------------------------------------------------------


def translated(text: str, look_up: Callable[[str], str | None]) -> str:
    """Markdown with every sentence replaced by what `look_up` returns for it; None leaves it, and says so."""
    text = re.sub(r" *<!--.*?-->", "", text, flags=re.DOTALL)
    return "\n\n".join(filter(None, (_block(block, look_up) for block in re.split(r"\n\s*\n", text))))


def _block(block: str, look_up: Callable[[str], str | None]) -> str:
    block = block.strip("\n")
    if not LETTERS.search(block) or block.startswith(("    ", "```", "$$")):
        return block
    if block.startswith("|"):
        return "\n".join(_row(row, look_up) for row in block.splitlines())
    parts = HEAD.split("\n" + block) if HEAD.search(block) else [block]
    if len(parts) == 1:
        return _sentence(block, look_up)
    first = [_sentence(parts[0], look_up)] if parts[0].strip() else []
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return "\n".join(first + [head + _sentence(rest, look_up) for head, rest in pairs])


def _sentence(text: str, look_up: Callable[[str], str | None]) -> str:
    message = " ".join(text.split())
    if not LETTERS.search(re.sub(r"`[^`]*`", "", message)):
        return message
    known = look_up(message)
    return f"{message}{NOT_YET}" if known is None else known


def _row(row: str, look_up: Callable[[str], str | None]) -> str:
    if not LETTERS.search(row):
        return row
    cells = [cell.strip() for cell in row.strip().strip("|").split(" | ")]
    return f"| {' | '.join(_cell(cell, look_up) for cell in cells)} |"


def _cell(cell: str, look_up: Callable[[str], str | None]) -> str:
    if not LETTERS.search(re.sub(r"`[^`]*`", "", cell)):
        return cell
    # numbers in code and in addresses are names
    parts = re.split(r"(`[^`]*`|\]\([^)]*\))", cell)
    numbers: list[str] = []

    def place(found: re.Match) -> str:
        numbers.append(found[0])
        return f"{{{len(numbers) - 1}}}"

    message = "".join(
        part if place_no % 2 else NUMBER.sub(place, part) for place_no, part in enumerate(parts)
    )
    known = look_up(message)
    text = message if known is None else known
    for number, digits in enumerate(numbers):
        text = text.replace(f"{{{number}}}", digits)
    return text


def messages(texts: list[str]) -> list[str]:
    """All that is to be translated in some pieces of markdown, each once, in order."""
    found: dict[str, None] = {}

    def note(message: str) -> str:
        found[message] = None
        return message

    for text in texts:
        translated(text, note)
    return [*found]


# --- catalogues -----------------------------------------------------------------------------------------


def markdown_of(name: str, root: Path = ROOT) -> list[str]:
    """The pieces of markdown that a catalogue translates: a page, or the cells of a learner's notebook."""
    path = root / TEXTS[name]
    if path.suffix == ".md":
        return [page_text(path)]
    cells = notebooks.stub(notebooks.read_script(path)).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def page_text(path: Path) -> str:
    """An English page without its link to the Chinese one."""
    return re.sub(r"\n\[简体中文\]\(.*\)\n", "", path.read_text(encoding="utf-8"))


def load(name: str, root: Path = ROOT) -> Catalog:
    """The catalogue as it was written; an empty one where there is none yet."""
    path = root / CATALOGUES / f"{name}.po"
    if not path.exists():
        return Catalog(locale=LOCALE)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=LOCALE)


def updated(name: str, root: Path = ROOT) -> Catalog:
    """The catalogue with today's sentences: new ones empty, altered ones fuzzy, those gone left out."""
    catalogue, template = load(name, root), Catalog(locale=LOCALE)
    for message in messages(markdown_of(name, root)):
        template.add(message)
    catalogue.update(template)
    catalogue.obsolete.clear()
    return catalogue


def to_text(catalogue: Catalog) -> str:
    """The .po file; the same bytes for the same sentences."""
    day = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
    fixed = Catalog(
        locale=LOCALE,
        project="gan-course",
        version="1",
        copyright_holder="the authors",
        msgid_bugs_address="the course's issues",
        last_translator="the authors",
        language_team="none",
        creation_date=day,
        revision_date=day,
        fuzzy=False,
    )
    fixed.header_comment = "# The GAN course in Chinese. Renewed by `python -m tools.translate`."
    for one in catalogue:
        if one.id:
            fixed.add(one.id, one.string, flags=one.flags)
    file = io.BytesIO()
    pofile.write_po(file, fixed, width=0)
    return re.sub(r'"Generated-By: .*"\n', "", file.getvalue().decode("utf-8"))  # every version its own


def stale(catalogue: Catalog) -> list[str]:
    """The sentences without a translation that somebody has looked at."""
    return [one.id for one in catalogue if one.id and (one.fuzzy or not one.string)]


def look_up_in(catalogue: Catalog) -> Callable[[str], str | None]:
    known = {one.id: one.string for one in catalogue if one.id and one.string and not one.fuzzy}
    return known.get


# --- what is built --------------------------------------------------------------------------------------


def build(name: str, catalogue: Catalog, root: Path = ROOT) -> str:
    """The page or the notebook in Chinese."""
    look_up = look_up_in(catalogue)
    path = root / TEXTS[name]
    if path.suffix == ".md":
        made_by = f"<!-- Written by tools/translate.py from {TEXTS[name]} and {CATALOGUES}/{name}.po. -->"
        text = translated(page_text(path), look_up)
        return f"{made_by}\n\n[English]({TEXTS[name]})\n\n{text}\n"
    notebook = notebooks.stub(notebooks.read_script(path))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((?=\d\d_)", "](../", translated(cell.source, look_up))
    return notebooks.to_text(notebook)


def generated(root: Path = ROOT) -> Iterator[tuple[Path, str, Catalog]]:
    """Every file that this module writes: where, what, and from which catalogue."""
    for name in TEXTS:
        catalogue = updated(name, root)
        yield root / CATALOGUES / f"{name}.po", to_text(catalogue), catalogue
        yield root / BUILT[name], build(name, catalogue, root), catalogue


def main() -> int:
    """Renew all of it; list what waits for a translator."""
    for path, text, catalogue in generated():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
        if path.suffix == ".po":
            for sentence in stale(catalogue):
                print(f"{path.name}: not translated: {sentence[:90]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
