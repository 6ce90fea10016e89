"""The book's build finds what readers would stumble over, and names the file and line to edit."""

import base64
import io
import shutil

import nbformat
import pytest
from PIL import Image

pytest.importorskip("myst_nb", reason="the extra for the book is not installed: make book")
pytest.importorskip("furo")

from tools import book, book_api, slides
from tools.book_check import Page, render_errors
from tools.book_source import cell_lines, headings, slug
from tools.notebooks import read_script, stub_source
from tools.run import ROOT

README = """# A course

A course in its first words.

    make lab      # opens it
    make test     # tests it

What sets this course apart: it is small.

<!-- map: written by hand -->

| | notebook |
| --- | --- |
| 00 | [Start](solutions/00_start_here.ipynb) |

<!-- end of map -->

![Two curves.](docs/images/benchmark.png)

It is fast: [a page](docs/page.md).

"""
INDEX = "# A course\n\n{{ intro }}\n\n{{ commands }}\n\n{{ map }}\n\n{{ benchmark }}\n\n{{ toctrees }}\n"
PAPER = """@inproceedings{goodfellow2014generative,
  author = {Goodfellow, I. and Pouget-Abadie, J. and Mirza, M.},
  title = {Generative Adversarial Nets},
  year = {2014},
  eprint = {1406.2661},
}
"""
SCRIPT = """# %% [markdown]
# # Start
#
# Words, a formula $a^2$, a source (Goodfellow et al. 2014) and a link:
# [what follows](#Where-to?).
#
# ## Where to?
#
# $$\\frac12$$

# %% tags=["claim"]
claim("never shown", True)


# %%
def answer():
    ### BEGIN SOLUTION
    return 42
    ### END SOLUTION


# %% jupyter={"source_hidden": true}
draw()

# %% [markdown]
# ## At the end
#
# See [the page](../docs/page.md#of-its-own) and arXiv:1406.2661, as Goodfellow et al. (2014) say.
"""
LATER = """# %% [markdown]
# # A notebook that arrived
#
# With words.
#
# - An item, and its formula:
#   $$b^2$$
"""
SHEET = """# 00 Start

Back to [all](../README.md), on to [the notebook](../../../solutions/00_start_here.ipynb#Where-to?).
"""
CHINESE = """# 课程

[English](README.md)

![两条曲线。](docs/images/benchmark.png)
"""
PAGE = """# A page

![Two curves.](images/benchmark.png)

## Of its own

As [the notebook](../solutions/00_start_here.ipynb) says.
"""
CODE = '''"""Losses."""


def loss(x: float) -> float:
    """x² *as* [it] is.

    Args:
        x: a number.
    """
    return x * x
'''


def picture():
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), "white").save(buffer, "webp")
    return base64.b64encode(buffer.getvalue()).decode()


def checkout(root, changes=()):
    """A small course in `root`, each (file, old, new) of the changes made in it."""
    texts = {
        "README.md": README,
        "docs/page.md": PAGE,
        "docs/references.bib": PAPER,
        "docs/references.md": "",
        "book/index.md": INDEX,
        "solutions/00_start_here.py": SCRIPT,
        "solutions/12_asking_for_a_digit.py": LATER,
        "docs/instructor/README.md": "# Teaching\n\n[A sheet](sheets/00_start_here.md).\n",
        "docs/instructor/sheets/00_start_here.md": SHEET,
        "README.zh-CN.md": CHINESE,
        "course_utils/__init__.py": '"""A package."""\n',
        "course_utils/losses.py": CODE,
    }
    alt = 'alt="A white field."'
    for file, old, new in changes:
        if file == "picture":
            alt = new
            continue
        assert old in texts[file], (file, old)
        texts[file] = texts[file].replace(old, new)
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "docs" / "images").mkdir()
    Image.new("RGB", (20, 10)).save(root / "docs" / "images" / "benchmark.png")
    shutil.copy(ROOT / "book" / "conf.py", root / "book")
    shutil.copy(ROOT / "book" / "slides.css", root / "book")
    shutil.copytree(ROOT / "book" / "static", root / "book" / "static")
    script = root / "solutions" / "00_start_here.py"
    notebook = read_script(script)
    image = f'<img src="data:image/webp;base64,{picture()}" {alt} width="20">'
    drawn = next(cell for cell in notebook.cells if cell.source == "draw()")
    drawn.outputs = [nbformat.v4.new_output("display_data", {"text/html": image, "text/plain": "x"})]
    nbformat.write(notebook, script.with_suffix(".ipynb"))
    later = root / "solutions" / "12_asking_for_a_digit.py"
    nbformat.write(read_script(later), later.with_suffix(".ipynb"))
    (root / "notebooks" / "zh").mkdir(parents=True)
    unchanged = root / "unchanged.py"
    unchanged.write_text(
        SCRIPT.replace("../docs", "../../docs").replace("# # Start", "# # 从这里开始"), encoding="utf-8"
    )
    translated = read_script(unchanged)
    for cell, solved in zip(translated.cells, notebook.cells, strict=True):
        cell.id = solved.id
        if cell.cell_type == "code":
            cell.source = stub_source(cell.source)
    nbformat.write(translated, root / "notebooks" / "zh" / "00_start_here.ipynb")
    return root


@pytest.fixture(autouse=True)
def no_data(monkeypatch):
    """The explorers' data take seconds, and these books have no explorer."""
    monkeypatch.setattr(book.book_data, "write", lambda folder: None)


def test_a_sound_course_gives_a_book(tmp_path):
    assert book.build(checkout(tmp_path / "course"), tmp_path / "book") == []
    page = (tmp_path / "book" / "html" / "00_start_here.html").read_text(encoding="utf-8")
    assert "never shown" not in page
    # below the stub that a learner finds, the answer, folded; the code of a figure too
    assert page.index("NotImplementedError") < page.index("Show an answer") < page.index(">42<")
    assert "Show the code of this figure" in page
    assert "BEGIN SOLUTION" not in page
    # pictures are files with their words; citations and links lead to the book's own pages
    assert 'alt="A white field."' in page
    assert "data:image" not in page
    assert page.count('href="references.html#goodfellow2014generative"') == 3
    without_spans = page.replace("</span>", "")
    assert ">Goodfellow et al. 2014</a>)" in without_spans
    assert ">Goodfellow et al. (2014)</a> say" in without_spans
    assert 'href="page.html#of-its-own"' in page
    assert 'href="#where-to"' in page
    front = (tmp_path / "book" / "html" / "index.html").read_text(encoding="utf-8")
    assert "A course in its first words." in front
    assert 'href="00_start_here.html"' in front
    # a notebook that arrives is taken in; pages for instructors; what is in Chinese, with answers and figures
    assert 'href="12_asking_for_a_digit.html"' in front
    assert (
        "A notebook that arrived" in (tmp_path / "book" / "html" / "12_asking_for_a_digit.html").read_text()
    )
    teaching = (tmp_path / "book" / "html" / "teaching.html").read_text(encoding="utf-8")
    assert teaching.count('href="sheet_00_start_here.html"') >= 2  # in the text, and beside it
    sheet = (tmp_path / "book" / "html" / "sheet_00_start_here.html").read_text(encoding="utf-8")
    assert 'href="00_start_here.html#where-to"' in sheet and 'href="teaching.html"' in sheet
    chinese = (tmp_path / "book" / "html" / "00_start_here.zh.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in chinese and "从这里开始" in chinese
    assert (
        ">42<" in chinese and 'alt="A white field."' in chinese and 'href="page.html#of-its-own"' in chinese
    )
    first = (tmp_path / "book" / "html" / "index.zh.html").read_text(encoding="utf-8")
    assert 'alt="两条曲线。"' in first and 'href="index.html"' in first
    assert "x² *as* [it] is." in (tmp_path / "book" / "html" / "api_losses.html").read_text(encoding="utf-8")
    slide = (tmp_path / "book" / "html" / "slides" / "00_start_here.html").read_text(encoding="utf-8")
    assert slide.count("<section") == 3  # the title, "Where to?" with its formula and figure, "At the end"


SCRIPT_FILE = "solutions/00_start_here.py"
FAULTS = {
    "a link to a page that is not there": (
        (SCRIPT_FILE, "../docs/page.md#", "../docs/pages.md#"),
        f"{SCRIPT_FILE}:28: broken link: there is no '../docs/pages.md'",
    ),
    "a link to a heading that is not there": (
        (SCRIPT_FILE, "#Where-to?", "#Where-now?"),
        f"{SCRIPT_FILE}:5: broken link: 00_start_here.py has no heading 'Where-now?'",
    ),
    "a link in a page of docs": (
        ("docs/page.md", "../solutions/00_start", "../solutions/01_start"),
        "docs/page.md:7: broken link: there is no '../solutions/01_start_here.ipynb'",
    ),
    "a link in the README's part of the front page": (
        ("README.md", "docs/page.md", "docs/gone.md"),
        "README.md:20: broken link: there is no 'docs/gone.md'",
    ),
    "a link in HTML": (
        ("docs/page.md", "As [", 'As <a href="gone.html">x</a> ['),
        "docs/page.md:7: broken link: gone.html",
    ),
    "a citation by name": (
        (SCRIPT_FILE, "Goodfellow et al. 2014", "Badfellow et al. 2014"),
        f"{SCRIPT_FILE}:4: undefined citation: docs/references.bib lacks 'Badfellow et al. 2014'",
    ),
    "a citation by number": (
        (SCRIPT_FILE, "arXiv:1406.2661", "arXiv:1406.2662"),
        f"{SCRIPT_FILE}:28: undefined citation: docs/references.bib lacks 'arXiv:1406.2662'",
    ),
    "a formula that stands alone": (
        (SCRIPT_FILE, r"\frac12", r"\frac{1"),
        f"{SCRIPT_FILE}:9: a formula that does not render (Missing close brace): \\frac{{1",
    ),
    "a formula with a command that is none": (
        (SCRIPT_FILE, "$a^2$", r"$\alhpa^2$"),
        rf"{SCRIPT_FILE}:4: a formula that does not render (no command \alhpa): \alhpa^2",
    ),
    "a formula that is none": (
        ("docs/page.md", " says.", " says.\n\nA $ alone."),
        "docs/page.md:9: a formula that was not recognised leaves a $ behind: A $ alone.",
    ),
    "a figure of a notebook": (
        ("picture", "", 'alt=""'),
        f"{SCRIPT_FILE}:23: a figure without alternative text",
    ),
    "a figure of a page": (
        ("docs/page.md", "![Two curves.]", "![]"),
        "docs/page.md:3: a figure without alternative text: benchmark.png",
    ),
}


def test_all_faults_of_a_course_are_named_with_file_and_line(tmp_path):
    changes = [change for change, _ in FAULTS.values()]
    found = {str(one) for one in book.build(checkout(tmp_path / "course", changes), tmp_path / "book")}
    assert found == {words for _, words in FAULTS.values()}


def test_a_book_with_faults_ends_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(book, "build", lambda: [book.Problem("docs/page.md", 3, "broken link: x")])
    monkeypatch.setattr("sys.argv", ["book"])
    assert book.main() == 1
    assert "docs/page.md:3: broken link: x" in capsys.readouterr().err
    monkeypatch.setattr(book, "build", list)
    assert book.main() == 0


def test_mathjax_names_what_it_cannot_render():
    errors = render_errors([(r"\frac12", False), (r"\left( x", True), (r"\nosuch x", False)])
    assert errors == [None, r"Extra \left or missing \right", r"no command \nosuch"]


def test_a_formula_within_an_item_is_one_on_a_slide_too():
    assert r"\[b^2\]" in slides._html("- An item:\n  $$b^2$$")


def test_anchors_are_those_of_the_pages():
    text = "# One `code` thing\n\n```\n# not this\n```\n\n### What's $x$, then?\n"
    assert headings(text) == ["One `code` thing", "What's $x$, then?"]
    assert slug("One `code` thing") == "one-code-thing"
    assert slug("Exercise 1.1 — Value (●○○, 8 min)") == "exercise-11--value--8-min"


def test_cells_begin_where_their_words_begin():
    assert cell_lines(SCRIPT) == [2, 16, 23, 26]


def test_the_parser_of_pages_sees_links_pictures_and_formulas():
    page = Page(
        '<p id="a"><a href="b.html#c">x</a><img src="d.png" alt=""><span class="math">\\(x\\)</span></p>'
        "<pre>$HOME</pre> <p>$x</p>"
    )
    assert page.ids == {"a"}
    assert page.links == ["b.html#c"]
    assert page.pictures == [{"src": "d.png", "alt": ""}]
    assert page.formulas == [("x", False)]
    assert page.dollars == ["$x"]


def test_signatures_stand_as_they_are_written(tmp_path):
    room = tmp_path / "package"
    room.mkdir()
    (room / "one.py").write_text(
        '"""Room."""\n\nclass A:\n    """An A_b."""\n    def __init__(self, x: int = 3): ...\n'
        '    def go(self, *, fast: bool = True) -> str:\n        """Goes."""\n\ndef _own(): ...\n'
    )
    page = book_api.pages(room)["api_one"]
    assert "{py:class} package.one.A(x: int=3)" in page
    assert "{py:method} go(*, fast: bool=True) -> str" in page
    assert r"An A\_b." in page
    assert "_own" not in page


def test_short_slides_are_put_together_but_a_question_waits_for_its_figure():
    def slide(words, title="One", **more):
        return slides.Slide(title, blocks=[words] if words else [], notes=[words], **more)

    def figure():
        return slide("", figure="<img>")

    def together(*found):
        return slides.together([slide("The title stands alone."), *found])[1:]

    made = together(slide("- a"), slide("- b"), figure())
    assert [(one.blocks, bool(one.figure)) for one in made] == [(["- a", "- b"], True)]
    assert made[0].notes == ["- a", "- b", ""]
    made = together(slide("Which of the two?"), figure(), slide("- after"), slide("- other", "Two"))
    assert [one.blocks for one in made] == [["Which of the two?"], [], ["- after"], ["- other"]]
    assert slides._shown("Words. **Predict.** Which one? Then.", first=False) == ["- **Predict.** Which one?"]
    long = "- " + "word " * 90
    assert len(together(slide(long), slide(long))) == 2


def test_a_slide_that_grows_too_long_is_continued():
    text = "## Long\n\nFirst words.\n\n" + "\n\n".join(f"**Bold {n}** " + "word " * 25 for n in range(9))
    made = list(slides._of_text(text, "", first=True))
    assert len(made) > 2
    assert all(slide.title == "Long" and slide.height <= slides.MOST_LINES for slide in made)
    assert made[0].blocks[0] == "First words."
    assert slides.split_sentences("A $x. Y$ b. Then (Lin et al. 2018) it is. **End.** Of it.") == [
        "A $x. Y$ b.", "Then (Lin et al. 2018) it is.", "**End.**", "Of it.",
    ]  # fmt: skip
