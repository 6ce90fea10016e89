"""Numbers in the prose that nothing accounts for.

A number in a paragraph below an output, or in an alternative text that an author wrote, is accounted for by

- a claim whose sentence holds it (which must also look at it: `hollow`);
- a number in the outputs above it, in the same section, rounded as the prose rounds it; in a section without
  outputs, such as the summary, in any output above;
- a number in the code cell above or below it: a setting;
- `<!-- number 0.15: why -->` in the paragraph, or `<!-- numbers: why -->` for all of them.

A number of README.md or of a page in docs/ is accounted for by a claim with `where=` that page, by what is
generated on the page, by a test that its paragraph or its row of a table names, or by a comment
`<!-- number 20: course_utils/checks/verdict.py -->`: a file that is named there has to hold the number.

"Ten times" and "twice as" are numbers, too. Formulas, code, references, years, shapes such as 28×28, numbers
of exercises, list marks, 0 and 1 are not asked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from nbformat import NotebookNode

from tools.claims import Claim, paragraphs, plain, written_alternative_texts

ROOT = Path(__file__).resolve().parents[1]
FREE = {0.0, 1.0}
SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
NAMED = (
    "notebook section exercise theorem proposition lemma equation figure table chapter algorithm version page"
)
BEFORE_A_NUMBER = rf"(?:{'|'.join(f'{word}s?' for word in NAMED.split())}|eq\.|appendix|volume|python)"
NO_NUMBERS = re.compile(
    "|".join(
        [
            r"```.*?```|`[^`]*`",  # code
            r"\$\$.*?\$\$",  # formulas
            r"\$(?=[^$]*[A-Za-z\\])[^$]*\$",
            r"https?://\S+",
            r"arXiv:\S+|PMLR \S+|doi:\S+",
            rf"\b{BEFORE_A_NUMBER}\s+\d[\d.]*(?:(?:\s*[-–,/]\s*|,?\s+(?:and|to|or)\s+)\d[\d.]*)*",
            r"\b(?:19|20)\d\d\b(?![\d,.]*\d)",  # years
            r"\b\d+(?:\s?×\s?\d+)+\b",  # shapes
            r"\b[^\W\d_][\w-]*\d[\w-]*|\b\d+-?[^\W\d_]\w*",  # CIFAR-10, float32, 2d
            r"\blog \d+",
            r"^\s*\d+\.\s|\(\d\)",  # list marks
            r"^#.*$",  # headings
        ]
    ),
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
NUMBER = re.compile(
    r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?:e(?P<exponent>[-+]?\d+)|(?P<power>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+))?(?P<percent>\s?%)?"
)
WORDS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "eight": 8,
    "ten": 10,
    "twenty": 20,
    "hundred": 100,
}
TIMES = re.compile(rf"\b({'|'.join(WORDS)})\s+times\b|\b(twice)\s+as\b", re.IGNORECASE)
ESCAPE = re.compile(r"<!--\s*number\s+([^:]+):\s*\w.*?-->", re.DOTALL)
ESCAPE_WITH_WHY = re.compile(r"<!--\s*number\s+([^:]+):\s*(.*?)\s*-->", re.DOTALL)
ESCAPE_ALL = re.compile(r"<!--\s*numbers:\s*\w.*?-->", re.DOTALL)


class Number(NamedTuple):
    """A number as the prose prints it."""

    text: str
    value: float
    unit: float  # of its last digit: 0.01 in 0.50, 100 in 1,700

    def accounts(self, exact: float) -> bool:
        """Whether an exact number, rounded as this one is, gives this one. Signs do not count."""
        return abs(abs(exact) - self.value) <= 0.5001 * self.unit


class Unaccounted(NamedTuple):
    """A number, the sentence around it, and what to call its place."""

    number: str
    context: str
    place: str


def numbers(text: str) -> list[Number]:
    """The numbers of a text that are printed as results: see the head of this file."""
    masked = _masked(text)
    found = [_number(match) for match in NUMBER.finditer(masked)]
    for match in TIMES.finditer(masked):
        found.append(Number(match.group(), float(WORDS.get((match[1] or "two").lower(), 2)), 1.0))
    return [one for one in found if one.value not in FREE]


def _masked(text: str) -> str:
    return NO_NUMBERS.sub(lambda gone: " " * len(gone.group()), text)


def _number(match: re.Match) -> Number:
    digits = match["digits"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    unit = 10.0**-decimals
    if not decimals and len(digits) >= 3:  # 1,700 is 1,684, rounded; 20 is 20
        unit = 10.0 ** (len(digits) - len(digits.rstrip("0")))
    value = float(digits)
    if match["power"]:  # 10⁻³
        value = value ** int(match["power"].translate(SUPERSCRIPTS))
        unit = 0.0
    elif match["exponent"]:
        value, unit = value * 10.0 ** int(match["exponent"]), unit * 10.0 ** int(match["exponent"])
    if match["percent"]:
        value, unit = value / 100, unit / 100
    return Number(match.group().strip(), value, unit)


def exact_numbers(text: str) -> list[float]:
    """All numbers of an output, for comparison."""
    return [_number(match).value for match in NUMBER.finditer(text)]


def unaccounted(notebook: NotebookNode, claims: Sequence[Claim] = ()) -> list[Unaccounted]:
    """The numbers of an executed notebook that nothing accounts for.

    Args:
        notebook: executed.
        claims: those of its script.
    """
    claimed = [plain(one.sentence) for one in claims]
    all_above: list[float] = []  # what the outputs show, alternative texts included …
    complaints: list[Unaccounted] = []
    for section in _sections(notebook):
        here: list[float] = []
        printed: list[float] = []  # … and without them: a text written by hand does not account for itself
        shows = False
        for place, cell in enumerate(section):
            if cell.cell_type == "code":
                shows = shows or bool(cell.get("outputs"))
                text = " ".join(map(_text, cell.get("outputs", [])))
                alts = " ".join(map(_alternative_text, cell.get("outputs", [])))
                printed += exact_numbers(text)
                here += exact_numbers(f"{text} {alts}")
                all_above += exact_numbers(f"{text} {alts}")
                for _, alt in written_alternative_texts(cell.source):
                    complaints += _ask(
                        alt, claimed, [*_settings(section, place), *printed], "alternative text"
                    )
            elif all_above:
                known = [*_settings(section, place), *(here if shows else all_above)]
                for text in paragraphs(cell.source):
                    complaints += _ask(text, claimed, known, "prose")
    return complaints


def of_page(text: str, claims: Sequence[Claim] = (), root: Path = ROOT) -> list[Unaccounted]:
    """The numbers of README.md or of a page of docs/ that nothing accounts for.

    Args:
        text: of the page.
        claims: those with `where=` this page.
        root: from where the files count that comments name.
    """
    generated = re.compile(r"<!-- (?:map|results|families): .*?<!-- end of .*? -->", re.DOTALL)
    known = exact_numbers(" ".join(generated.findall(text)))
    claimed = [plain(one.sentence) for one in claims]
    complaints = []
    for paragraph in paragraphs(generated.sub("", text)):
        escaped = dict(ESCAPE_WITH_WHY.findall(paragraph))
        for part in paragraph.splitlines() if paragraph.startswith("|") else [paragraph]:
            if not re.search(r"`test_\w+`", part):
                comments = "".join(f"<!-- number {number}: {why} -->" for number, why in escaped.items())
                complaints += _ask(part + comments, claimed, known, "page")
        for number, why in escaped.items():
            for name in re.findall(r"[\w./]+\.(?:py|json|md|toml)", why):
                (stated,) = numbers(number) or [Number(number, float(number), 1.0)]
                held = (root / name).read_text(encoding="utf-8") if (root / name).exists() else ""
                if not _among(stated, exact_numbers(held.replace("_", ""))):
                    complaints.append(Unaccounted(number, f"{name} does not hold it", "page"))
    return complaints


def hollow(claims: Sequence[Claim], kept: dict | None) -> list[str]:
    """Claims that state a number which neither their condition nor their values have; a sentence each."""
    complaints = []
    for place, one in enumerate(claims):
        known = exact_numbers(one.condition)
        of_this = kept["claims"][place] if kept and place < len(kept["claims"]) else {"results": {}}
        result = of_this["results"].get("0", {})
        known += exact_numbers(" ".join(map(str, result.get("values", {}).values())))
        missing = [number.text for number in numbers(plain(one.sentence)) if not _among(number, known)]
        if missing:
            complaints.append(
                f"line {one.line}: the claim {one.sentence!r} never looks at its number {', '.join(missing)}."
            )
    return complaints


def _sections(notebook: NotebookNode) -> list[list[NotebookNode]]:
    """The cells between two headings of level 1 or 2."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and re.match(r"##? ", cell.source):
            sections.append([])
        sections[-1].append(cell)
    return sections


def _ask(text: str, claimed: Sequence[str], known: Sequence[float], place: str) -> list[Unaccounted]:
    if ESCAPE_ALL.search(text):
        return []
    escaped = {one.strip() for one in ESCAPE.findall(text)}
    prose = plain(text) if not re.match(r"#|\d+\. |\|", text) else "\n".join(map(plain, text.splitlines()))
    for sentence in claimed:
        prose = prose.replace(sentence, "…")
    return [
        Unaccounted(one.text, _around(one.text, prose), place)
        for one in numbers(prose)
        if one.text not in escaped and not _among(one, known)
    ]


def _among(number: Number, known: Iterable[float]) -> bool:
    return any(
        number.accounts(value) or ("%" in number.text and number.accounts(value / 100)) for value in known
    )


def _around(number: str, text: str) -> str:
    at = re.search(rf"(?<![\w.]){re.escape(number)}", text)
    begin = at.start() if at else 0
    return text[max(0, begin - 60) : begin + len(number) + 40].strip()


def _settings(section: Sequence[NotebookNode], place: int) -> list[float]:
    """The numbers in the nearest code cells above and below a place of a section."""
    above = [cell for cell in section[:place] if cell.cell_type == "code"][-1:]
    below = [cell for cell in section[place:] if cell.cell_type == "code"][:1]
    return [value for cell in above + below for value in _literals(cell)]


def _literals(cell: NotebookNode) -> list[float]:
    tree = ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", cell.source, flags=re.MULTILINE))
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return [float(value) for value in constants if type(value) in (int, float)]


def _text(output: NotebookNode) -> str:
    data = output.get("data", {})
    if "image/png" in data:  # its text/plain repeats the alternative text
        return ""
    page = re.sub(r"<[^>]*>", " ", data.get("text/html", ""))
    return f"{output.get('text', '')} {data.get('text/plain', '')} {page}"


def _alternative_text(output: NotebookNode) -> str:
    alts = re.findall(r'<img[^>]*\balt="([^"]*)"', output.get("data", {}).get("text/html", ""))
    return " ".join([output.get("metadata", {}).get("image/png", {}).get("alt", ""), *alts])
