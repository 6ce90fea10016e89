"""Slides from the solved notebooks: what a speaker shows of them, with the prose as notes for the speaker.

Nothing is written twice and no script needs a tag: a section gives a slide with its heading and first words;
sentences with **bold** words, formulas that stand alone, lists, questions before a run, exercises and figures
follow, each figure on a slide of its own. A slide that grows too long is continued on another. A cell tagged
"no-slide" gives none.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

from tools.notebooks import SOLUTION_TAG

SKIP_TAG = "no-slide"
MOST_LINES = 11  # of a slide's text, as `height` counts them
LINES_ABOVE_FIGURE = 3.5
CHARACTERS = 58  # in a line of a slide
LEFT_OUT = ("Further reading",)
NUMBER_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)


@dataclass
class Slide:
    """One picture on the wall."""

    title: str  # Markdown
    blocks: list[str] = field(default_factory=list)  # Markdown
    figure: str = ""  # HTML
    caption: str = ""  # Markdown
    notes: list[str] = field(default_factory=list)  # Markdown, for the speaker

    @property
    def height(self) -> float:
        return sum(height(block) for block in self.blocks)


def height(block: str) -> float:
    """About how many lines a block takes on a slide, the space below it included."""
    if block.startswith("$$"):
        rows = block.count("\\\\") + 1
        tall = 1.6 if "\\frac" in block or "\\sum" in block or "\\int" in block else 1.2
        return rows * tall + 0.9
    if block.startswith("|"):
        return sum(1.4 * max(1, len(row) // (CHARACTERS + 12)) for row in block.splitlines()) + 0.5
    lines = 0.0
    for line in block.splitlines():
        plain = re.sub(r"\\[a-z]+|[${}*`]|\]\([^)]*\)", "", line)
        lines += max(1, -(-len(plain) // CHARACTERS))
    return lines + 0.6


def slides(notebook: NotebookNode) -> list[Slide]:
    """The slides of a solved notebook, as the book shows it."""
    found: list[Slide] = []
    title = ""
    for place, cell in enumerate(notebook.cells):
        tags = cell.metadata.get("tags", [])
        if SKIP_TAG in tags or SOLUTION_TAG in tags:
            continue
        if cell.cell_type == "markdown":
            for slide in _of_text(cell.source, title, first=not found):
                found.append(slide)
                title = slide.title
            continue
        for output in cell.outputs:
            page = output.get("data", {}).get("text/html", "")
            if "<img" in page and found and title not in LEFT_OUT:
                caption = _first_sentence_after(notebook.cells, place)
                found.append(Slide(title, figure=page, caption=caption))
    return together([slide for slide in found if slide.title not in LEFT_OUT])


def together(found: Sequence[Slide]) -> list[Slide]:
    """Slides of one title in a row, put together where they are short.

    Words go with the figure that follows, unless they ask: then the room answers before it sees the figure.
    """
    kept: list[Slide] = []
    for slide in found:
        last = kept[-1] if kept else None
        asks = last is not None and any("?" in block or "redict" in block for block in last.blocks)
        most = 0.0 if slide.figure and asks else LINES_ABOVE_FIGURE if slide.figure else MOST_LINES
        alike = last is not None and len(kept) > 1 and last.title == slide.title and not last.figure
        if alike and last.height + slide.height <= most:
            notes = [*last.notes, *slide.notes]
            kept[-1] = Slide(slide.title, last.blocks + slide.blocks, slide.figure, slide.caption, notes)
        else:
            kept.append(slide)
    return kept


def _of_text(source: str, title: str, first: bool) -> Iterator[Slide]:
    """The slides of one cell of prose: a heading begins one; of other text only what stands out is shown."""
    slide: Slide | None = None
    new = False  # whether the slide still waits for the first words below its heading
    for block in blocks(source):
        heading = re.match(r"^#{1,4} +(.+)$", block)
        if heading:
            if slide is not None:
                yield slide
            title, new = heading[1], True
            slide = Slide(title)
            continue
        if title in LEFT_OUT:
            continue
        parts = _shown(block, new)
        new = new and not parts
        if slide is None and parts:
            slide = Slide(title)
        if slide is not None:
            slide.notes.append(block)
        for part in parts:
            if slide.blocks and slide.height + height(part) > MOST_LINES:
                yield slide
                slide = Slide(title)
            slide.blocks.append(part)
    if slide is not None:
        yield slide


def _shown(block: str, first: bool) -> list[str]:
    """What of a block of prose goes on the wall."""
    if block.startswith(("```", "<", "![")):
        return []
    if block.startswith("$$"):
        return [block]
    if block.startswith("|"):
        return [block] if height(block) <= MOST_LINES else []
    if re.match(r"- |\d+\. ", block):
        items = re.split(r"\n(?=- |\d+\. )", block)
        return _pieces([_shortened(" ".join(item.split())) for item in items])
    sentences = split_sentences(" ".join(block.split()))
    if first:
        return [_until(sentences, 2 * CHARACTERS + 40)]
    items = []
    for sentence, following in zip(sentences, [*sentences[1:], ""], strict=True):
        if re.fullmatch(r"\*\*[^*]+[.:]\*\*", sentence) and "**" not in following:  # such as "**Predict.**"
            items.append(f"- {sentence} {following}".rstrip())
        elif "**" in sentence:
            items.append(f"- {sentence}")
    return _pieces(items) if items else []


def _pieces(items: Sequence[str]) -> list[str]:
    """A list cut where a slide would be full."""
    pieces: list[list[str]] = [[]]
    for item in items:
        if pieces[-1] and height("\n".join([*pieces[-1], item])) > MOST_LINES:
            pieces.append([])
        pieces[-1].append(item)
    return ["\n".join(piece) for piece in pieces if piece]


def _shortened(item: str) -> str:
    """An item of a list, to its first sentences."""
    mark, _, words = item.partition(" ")
    return f"{mark} {_until(split_sentences(words), 2 * CHARACTERS)}"


def _until(sentences: Sequence[str], characters: int) -> str:
    """As many sentences as fit, the first in any case."""
    kept = list(sentences[:1])
    for sentence in sentences[1:]:
        if len(" ".join([*kept, sentence])) > characters:
            break
        kept.append(sentence)
    return " ".join(kept)


def split_sentences(text: str) -> list[str]:
    """A paragraph's sentences; nothing is cut within a formula, a link or code."""
    kept: list[str] = []

    def keep(found: re.Match) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    plain = re.sub(r"`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|\b(?:et al|e\.g|i\.e|vs|Fig|eq)\.", keep, text)
    parts = re.split(r"(?<=[.?!])(?<!\d\.)\s+(?=[*\[(]*[A-Z\0½“\"])|(?<=[.?!]\*\*)\s+", plain)
    return [re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], part) for part in parts]


def blocks(markdown: str) -> list[str]:
    """The blocks of a text: headings, paragraphs, formulas, lists, tables, fences."""
    text = NUMBER_COMMENT.sub("", markdown)
    found: list[str] = []
    for part in re.split(r"(^```.*?^```$|\$\$.*?\$\$)", text, flags=re.MULTILINE | re.DOTALL):
        if part.startswith(("```", "$$")):
            found.append(part)
        else:
            found += [block.strip("\n") for block in re.split(r"\n\s*\n", part) if block.strip()]
    whole: list[str] = []
    for block in found:
        lines = block.split("\n")
        while lines and lines[0].startswith("#"):
            whole.append(lines.pop(0))
        if lines:
            whole.append("\n".join(lines))
    return whole


def _first_sentence_after(cells: Sequence[NotebookNode], place: int) -> str:
    """The words below a figure, if they are prose, to their first sentence."""
    if place + 1 >= len(cells) or cells[place + 1].cell_type != "markdown":
        return ""
    first = next(iter(blocks(cells[place + 1].source)), "#")
    if re.match(r"#|```|\$\$|\||<|- |\d+\. ", first):
        return ""
    sentence = split_sentences(" ".join(first.split()))[0]
    return sentence if len(sentence) <= 170 and not sentence.endswith(":") else ""


# --- the page --------------------------------------------------------------------------------------------


@cache
def _markdown() -> MarkdownIt:
    renderer = (
        MarkdownIt("commonmark")
        .enable("table")
        .use(
            dollarmath_plugin,
            double_inline=True,
            renderer=lambda tex, options: (
                rf"\[{html.escape(tex)}\]" if options["display_mode"] else rf"\({html.escape(tex)}\)"
            ),
        )
    )
    return renderer


def _html(markdown: str) -> str:
    """Markdown of a slide. Its links lead to the book; those within the notebook `page` completes."""
    made = _markdown().render(markdown)
    made = re.sub(r'href="([\w.]+)\.(?:ipynb|md)(#[^"]*)?"', r'href="../\1.html\2"', made)
    return re.sub(r'href="#([a-z]+\d{4}[a-z]*)"', r'href="../references.html#\1"', made)


def _inline(markdown: str) -> str:
    return re.sub(r"^<p>|</p>\s*$", "", _html(markdown).strip())


def page(notebook: NotebookNode, name: str) -> str:
    """The slides of a notebook as one HTML page for reveal.js."""
    made = slides(notebook)
    sections = []
    for number, slide in enumerate(made):
        tag = "h1" if number == 0 else "h2"
        content = f"<{tag}>{_inline(slide.title)}</{tag}>"
        content += "".join(_html(block) for block in slide.blocks)
        if slide.figure:
            figure = re.sub(r' (?:width|height)="\d+"| loading="lazy"| style="[^"]*"', "", slide.figure)
            image = re.search(r"<img[^>]*>", figure)[0].replace('src="figures/', 'src="../figures/')
            caption = f"<figcaption>{_inline(slide.caption)}</figcaption>" if slide.caption else ""
            content += f"<figure>{image}{caption}</figure>"
        if slide.notes:
            content += f'<aside class="notes">{"".join(_html(note) for note in slide.notes)}</aside>'
        kind = ' class="figure"' if slide.figure else ""
        sections.append(f"<section{kind}>{content}</section>")
    title = html.escape(re.sub(r"[*`$]", "", made[0].title))
    content = "\n".join(sections).replace('href="#', f'href="../{name}.html#')
    return PAGE.format(title=title, name=name, sections=content)


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: slides</title>
<link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="slides.css">
</head>
<body>
<div class="reveal"><main class="slides">
{sections}
</main></div>
<a class="back" href="../{name}.html">The notebook</a>
<script>
// What is a little too wide or too tall is set smaller, a long formula by itself; a test bounds by how much.
function fit(slide) {{
    const frame = document.querySelector(".slides");
    slide.style.fontSize = "34px";
    for (const formula of slide.querySelectorAll(":scope > .math")) {{
        const share = formula.clientWidth / formula.scrollWidth;
        if (share < 1) formula.style.fontSize = `${{0.98 * share}}em`;
    }}
    const parts = [...slide.querySelectorAll(":scope > :not(.notes)")];
    const over = () => parts.some((part) => part.scrollWidth > part.clientWidth + 1
        || part.getBoundingClientRect().bottom > frame.getBoundingClientRect().bottom);
    for (let size = 34; size >= 24; size--) {{
        slide.style.fontSize = `${{size}}px`;
        if (!over()) return;
    }}
}}
const set = () => MathJax.startup.defaultPageReady().then(() => {{
    fit(Reveal.getCurrentSlide());
    Reveal.on("slidechanged", (event) => fit(event.currentSlide));
    document.body.dataset.ready = "yes";
}});
window.MathJax = {{startup: {{pageReady: set}}}};
</script>
<script src="reveal/reveal.js"></script>
<script src="reveal/notes.js"></script>
<script defer src="../_static/mathjax/tex-chtml.js"></script>
<script>
Reveal.initialize({{width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t",
    transition: "none", controls: true, plugins: [RevealNotes]}});
</script>
</body>
</html>
"""


def write(notebooks: dict[str, NotebookNode], folder: Path, style: Path) -> None:
    """The slides of these notebooks, and reveal.js from the package that brings it along."""
    packed = Path(distribution("sphinx-revealjs").locate_file("sphinx_revealjs")) / "_static" / "revealjs"
    (folder / "reveal").mkdir(parents=True)
    for part in ("dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js", "LICENSE"):
        shutil.copy(packed / part, folder / "reveal")
    shutil.copy(style, folder / "slides.css")
    for name, notebook in notebooks.items():
        (folder / f"{name}.html").write_text(page(notebook, name), encoding="utf-8")
