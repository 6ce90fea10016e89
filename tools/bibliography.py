"""The papers of the course: docs/references.bib is the one list, everything else is held against it.

docs/references.md is written from it (`python -m tools.readme`). What a notebook cites under "Further
reading", or as "(Goodfellow et al. 2014)", and every arXiv number anywhere must agree with an entry.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
BIB = ROOT / "docs" / "references.bib"
PAGE = ROOT / "docs" / "references.md"

ENTRY = re.compile(r"@(\w+)\{([\w-]+),\n((?:  \w+ = \{.*\},\n)+)\}")
ARXIV = re.compile(r"\barXiv:(\d{4}\.\d{4,5})")
SURNAME = r"(?:(?:de|der|di|du|van|von)\s+)*[^\W\d_a-z][\w’'-]+"
# Goodfellow et al. 2014 · Lim and Ye (2017) · Mescheder, Geiger, Nowozin 2018 · (White, 2016)
NAMED = re.compile(
    rf"\b(?P<first>{SURNAME})(?P<others>\s+et\s+al\.|(?:,\s+{SURNAME})*(?:,|,?\s+and)\s+{SURNAME}),?\s+"
    rf"\(?(?P<year>(?:19|20)\d\d)(?:(?<=\(\d{{4}})\))?|\((?P<alone>{SURNAME}),?\s+(?P<alone_year>(?:19|20)\d\d)[a-z]?\)"
)
ITEM = re.compile(r"^(?:- |\d+\. )(?P<authors>[^*]+?)[:,.]? \*(?P<title>[^*]+?)\.?\*[.,]?(?P<rest>.*)$")
HEAD = (
    "# References\n\nEverything that the notebooks, the package's docstrings and the other pages cite, "
    "in full. Written by `python -m tools.readme`\nfrom [references.bib](references.bib), which is the one "
    "place to add a paper. Tests hold citations against it.\n\n"
)


class Paper(NamedTuple):
    """One entry of the BibTeX file."""

    key: str
    fields: dict[str, str]
    line: int  # of the file

    @property
    def surnames(self) -> list[str]:
        return [person.partition(",")[0] for person in self.fields["author"].split(" and ")]

    @property
    def year(self) -> str:
        return self.fields.get("year", "")

    @property
    def where(self) -> str:
        """Venue and year: "NeurIPS 2014"."""
        venue = self.fields.get("booktitle") or self.fields.get("journal") or ""
        if "volume" in self.fields:
            venue += f" {self.fields['volume']}"
        return f"{venue} {self.year}".strip()


def read(path: Path = BIB) -> list[Paper]:
    """The entries of a BibTeX file with one field a line: `  title = {…},`.

    Raises:
        ValueError: something in the file is no such entry, a field is missing, or a key or a number stands
            twice; with file and line.
    """
    text = path.read_text(encoding="utf-8")
    papers, end = [], 0
    for found in ENTRY.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if text[end : found.start()].strip():
            raise ValueError(f"{path}:{text.count(chr(10), 0, end) + 2}: not an entry with one field a line")
        end = found.end()
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", found[3], re.MULTILINE))
        if not {"author", "title"} <= fields.keys():
            raise ValueError(f"{path}:{line}: {found[2]} lacks its author or its title")
        papers.append(Paper(found[2], fields, line))
    if text[end:].strip():
        raise ValueError(f"{path}:{text.count(chr(10), 0, end) + 2}: not an entry with one field a line")
    for kind in ("key", "eprint"):
        seen = {}
        for paper in papers:
            value = paper.key if kind == "key" else paper.fields.get("eprint")
            if value and seen.setdefault(value, paper) is not paper:
                raise ValueError(
                    f"{path}:{paper.line}: {value} stands twice, first in line {seen[value].line}"
                )
    return papers


def entry(paper: Paper) -> str:
    """One paper as a line of Markdown."""
    people = ["et al." if person == "others" else person for person in paper.fields["author"].split(" and ")]
    line = f"{', '.join(people)}: *{paper.fields['title'].replace('--', '–')}*."
    if paper.where:
        line += f" {paper.where}"
        line += f", {paper.fields['pages'].replace('--', '–')}." if "pages" in paper.fields else "."
    number, doi, url = (paper.fields.get(name) for name in ("eprint", "doi", "url"))
    if number:
        line += f" [arXiv:{number}](https://arxiv.org/abs/{number})"
    if doi:
        line += f" [doi:{doi}](https://doi.org/{doi.replace('(', '%28').replace(')', '%29')})"
    if url:
        line += f" [{url.removeprefix('https://').partition('/')[0]}]({url})"
    return line


def page(papers: Sequence[Paper], targets: bool = False) -> str:
    """docs/references.md; for the book with a target for links before each entry."""
    ordered = sorted(papers, key=lambda paper: (_plain(paper.fields["author"]), paper.year, paper.key))
    items = [f"({paper.key})=\n{entry(paper)}\n" if targets else f"- {entry(paper)}" for paper in ordered]
    return HEAD + "\n".join(items) + "\n"


def _plain(text: str) -> str:
    """For comparison: no accents, no case, typographic quotes and dashes as typed ones."""
    text = text.translate(str.maketrans("øØıłŁ’“”–", 'oOilL\'""-'))
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()


class Citation(NamedTuple):
    """Something in a text that names a paper."""

    start: int
    end: int
    words: str
    papers: list[Paper]  # that it can mean; none: it is undefined


def citations(text: str, papers: Sequence[Paper]) -> Iterator[Citation]:
    """The arXiv numbers and the "Goodfellow et al. 2014" in a text, in order, with what they can mean."""
    found = []
    for match in ARXIV.finditer(text):
        meant = [paper for paper in papers if paper.fields.get("eprint") == match[1]]
        found.append(Citation(match.start(), match.end(), match[0], meant))
    for match in NAMED.finditer(text):
        first, year = match["first"] or match["alone"], match["year"] or match["alone_year"]
        meant = [paper for paper in papers if paper.year == year and _means(first, paper)]
        others = match["others"] or ""
        if re.search(r"\bet\s+al", others):
            meant = [paper for paper in meant if len(paper.surnames) > 2] or meant
        elif others:
            names = [_plain(name) for name in re.split(r",?\s+and\s+|,\s+", others) if name]
            meant = [paper for paper in meant if [_plain(one) for one in paper.surnames[1:]] == names]
        found.append(Citation(match.start(), match.end(), match[0], meant))
    return iter(sorted(found))


def _means(surname: str, paper: Paper) -> bool:
    return _plain(surname).split()[-1] == _plain(paper.surnames[0]).split()[-1]


def undefined(text: str, papers: Sequence[Paper]) -> list[tuple[int, str]]:
    """(line, sentence) for each citation of a text that no entry explains."""
    return [
        (text.count("\n", 0, one.start) + 1, f"undefined citation: docs/references.bib lacks {one.words!r}")
        for one in citations(text, papers)
        if not one.papers
    ]


def disagreements(item: str, papers: Sequence[Paper]) -> list[str]:
    """What an item of "Further reading" says otherwise than the file.

    Empty where both agree, or no paper is named. Title, year and the first author are compared.
    """
    found = ITEM.match(" ".join(re.sub(r"<!--.*?-->", "", item).split()))
    if not found:
        return []
    number = ARXIV.search(found["rest"])
    title = _plain(found["title"])
    meant = [
        paper
        for paper in papers
        if (number and paper.fields.get("eprint") == number[1]) or _plain(paper.fields["title"]) == title
    ]
    if not meant:
        return [f"docs/references.bib lacks {found['title']!r}"]
    (paper, *_) = meant
    problems = []
    if _plain(paper.fields["title"]) != title:
        problems.append(f"title {found['title']!r}, in docs/references.bib {paper.fields['title']!r}")
    if _plain(paper.surnames[0]) not in _plain(found["authors"]):
        problems.append(f"authors {found['authors']!r}, in docs/references.bib {paper.fields['author']!r}")
    venue = ARXIV.sub("", re.sub(r"\(http\S+\)|doi:\S+", "", found["rest"]))
    years = re.findall(r"\b(?:19|20)\d\d\b", venue)
    if paper.year and years and paper.year not in years:
        problems.append(f"year {years[0]} of {found['title']!r}, in docs/references.bib {paper.year}")
    return problems


def further_reading(script: str) -> list[tuple[int, str]]:
    """(line, item) for each item under "Further reading" in the text of a percent script."""
    lines = script.splitlines()
    if "# ## Further reading" not in lines:
        return []
    items: list[tuple[int, str]] = []
    for number, line in enumerate(
        lines[lines.index("# ## Further reading") :], lines.index("# ## Further reading") + 1
    ):
        text = line.removeprefix("#").removeprefix(" ")
        if line.startswith("# %%"):
            break
        if re.match(r"- |\d+\. ", text):
            items.append((number, text))
        elif items and text.startswith(" "):
            items[-1] = (items[-1][0], f"{items[-1][1]} {text.strip()}")
    return items
