"""The glossary in both languages, made from docs/glossary.yml: `python -m tools.glossary` writes its pages.

The book takes its tooltips from `tooltips`, and links each notebook's first use of a term by `with_links`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jupytext
import yaml

from tools.course import COURSE
from tools.run import ROOT

SOURCE = "docs/glossary.yml"
PAGES = {"en": "docs/glossary.md", "zh": "docs/glossary.zh.md"}
MADE_BY = "<!-- Written by tools/glossary.py from glossary.yml: edit that. -->"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Term(NamedTuple):
    """One entry of the glossary; the comment at the head of docs/glossary.yml says what its parts are."""

    term: str
    zh: str
    notebook: str
    meaning: str
    meaning_zh: str
    also: tuple[str, ...] = ()
    never: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Of its heading, as GitHub and the book make it."""
        return re.sub(r"[^\w\- ]", "", self.term.lower()).replace(" ", "-")

    @property
    def pattern(self) -> re.Pattern:
        """The term in any of its forms, with a plural's s; abbreviations only in their own capitals."""
        return _any_of((self.term, *self.also))


def _any_of(forms: Sequence[str]) -> re.Pattern:
    parts = [
        re.escape(form) if form.isupper() or CHINESE.search(form) else f"(?i:{re.escape(form)})"
        for form in sorted(forms, key=len, reverse=True)
    ]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(parts)})(?:s|es)?(?![\w-])")


def load(root: Path = ROOT) -> list[Term]:
    """The terms, in the order of the file."""
    entries = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    return [
        Term(**{name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()})
        for entry in entries
    ]


# --- pages ----------------------------------------------------------------------------------------------


def page(terms: Sequence[Term], language: str) -> str:
    """The glossary as a Markdown page: "en" or "zh"."""
    names = {notebook.number: notebook.name for notebook in COURSE}
    if language == "en":
        head = (
            "# Glossary\n\nThe course's terms, with their Chinese names and the notebook that introduces "
            "them. [中文版](glossary.zh.md)\n"
        )
    else:
        head = (
            "# 术语表\n\n本课程的术语，附英文名称以及首次讲解它的笔记本；按英文字母顺序排列。"
            "[English](glossary.md)\n"
        )
    parts = [MADE_BY, head]
    for one in terms:
        link = f"../solutions/{names[one.notebook]}.ipynb"
        if language == "en":
            parts.append(f"### {one.term}\n\n{one.zh}. {one.meaning} [Notebook {one.notebook}]({link})\n")
        else:
            parts.append(f"### {one.zh}\n\n{one.term}。{one.meaning_zh}[笔记本 {one.notebook}]({link})\n")
    return "\n".join(parts)


def tooltips(terms: Sequence[Term]) -> list[dict]:
    """For the book: what to look for in the text, where it leads, and what to show."""
    return [
        {
            "term": one.term,
            "zh": one.zh,
            "pattern": one.pattern.pattern,
            "anchor": one.anchor,
            "meaning": one.meaning,
            "meaning_zh": one.meaning_zh,
        }
        for one in terms
    ]


UNTOUCHED = re.compile(
    r"^#{1,6} [^\n]*$|^\|[^\n]*$|^ *(?:```|~~~).*?^ *(?:```|~~~)|<!--.*?-->|`[^`]*`"
    r"|\$\$.*?\$\$|\$[^$\n]*(?:\n[^$\n]+)?\$"
    r"|!?\[[^\]]*\]\([^)]*\)|<[^>]+>|https?://\S+",
    re.MULTILINE | re.DOTALL,
)


def with_links(texts: Sequence[str], terms: Sequence[Term], target: str) -> list[str]:
    """The markdown cells of a notebook, the first use of each term linked to its entry.

    Headings, tables, code, formulas and links stay as they are; of two terms in one place the longer one
    is linked.

    Args:
        texts: the cells, in order.
        terms: the glossary.
        target: address of the glossary's page, such as "glossary.html".
    """
    wanted: dict[str, Term] = {one.term: one for one in terms}
    linked = []
    for text in texts:
        kept: list[str] = []

        def keep(found: str, kept: list[str] = kept) -> str:
            kept.append(found)
            return f"\0{len(kept) - 1}\0"

        text = UNTOUCHED.sub(lambda found: keep(found[0]), text)
        for one in sorted(wanted.values(), key=lambda one: -len(one.term)):
            found = one.pattern.search(text)
            if found:
                link = keep(f"[{found[0]}]({target}#{one.anchor})")
                text = text[: found.start()] + link + text[found.end() :]
                del wanted[one.term]
        linked.append(re.sub(r"\0(\d+)\0", lambda found, kept=kept: kept[int(found[1])], text))
    return linked


# --- held against the prose -----------------------------------------------------------------------------


def prose_of(script: Path) -> str:
    """A notebook's markdown without code, links' targets and comments."""
    cells = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent").cells
    return plain("\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))


def plain(text: str) -> str:
    """Markdown as a reader hears it, in one line a paragraph: no code, no comments, no addresses."""
    text = re.sub(r"^ *(```|~~~).*?^ *\1", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"<!--.*?-->|`[^`]*`|\]\([^)]*\)|https?://\S+", " ", text, flags=re.DOTALL)
    return re.sub(r"(?<!\n)\n(?!\n)", " ", text)


def complaints(terms: Sequence[Term], prose: Mapping[str, str]) -> list[str]:
    """A sentence for each entry that is not as it should be, and for each spelling that the glossary forbids.

    Args:
        terms: the glossary.
        prose: name of a notebook or page -> its `plain` text; notebooks' names begin with their numbers.
    """
    found = []
    names = [one.term for one in terms]
    if names != sorted(set(names), key=str.casefold):
        wrong = next(a for a, b in zip(names, sorted(set(names), key=str.casefold), strict=False) if a != b)
        found.append(f"the terms are not in alphabetical order, or one is there twice: see {wrong!r}.")
    for one in terms:
        if not one.meaning.endswith(".") or not one.meaning_zh.endswith("。"):
            found.append(f"{one.term}: its meanings must end in a full stop, in either language its own.")
        if re.search(r"[\u4e00-\u9fff][,;:()]|[,;:()][\u4e00-\u9fff]", one.meaning_zh):
            found.append(f"{one.term}: beside Chinese characters stand Chinese marks: ，；：（）.")
        there = next((text for name, text in prose.items() if name[:2] == one.notebook), "")
        if not one.pattern.search(there):
            found.append(f"{one.term}: notebook {one.notebook}, which is to introduce it, does not use it.")
        for spelling in one.never:
            for name, text in prose.items():
                text = re.sub(r"\*[^*\n]+\*", "", text)  # titles of papers spell as they like
                if match := _any_of((spelling,)).search(text):
                    context = text[max(match.start() - 30, 0) : match.end() + 30].strip()
                    found.append(f"{name} writes {match[0]!r} for {one.term!r}: “… {context} …”.")
    return found


def all_prose(root: Path = ROOT) -> dict[str, str]:
    """The plain text of every notebook and of the English pages."""
    texts = {script.stem: prose_of(script) for script in sorted((root / "solutions").glob("[0-9][0-9]_*.py"))}
    for path in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        if not CHINESE.search(path.read_text(encoding="utf-8")[:400]):
            texts[path.relative_to(root).as_posix()] = plain(path.read_text(encoding="utf-8"))
    return texts


def main() -> int:
    """Write both pages; say what the glossary and the prose disagree about."""
    terms = load()
    for language, path in PAGES.items():
        (ROOT / path).write_text(page(terms, language), encoding="utf-8")
    wrong = complaints(terms, all_prose())
    print("\n".join(wrong) or f"{len(terms)} terms; glossary and prose agree.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
