"""The glossary: one source, two pages, and the prose keeps to its spellings."""

import pytest
import yaml

from tools import glossary
from tools.glossary import ROOT, Term

TERMS = glossary.load()


@pytest.mark.generated
@pytest.mark.parametrize("language", glossary.PAGES)
def test_the_pages_are_up_to_date(language):
    path = ROOT / glossary.PAGES[language]
    assert path.read_text(encoding="utf-8") == glossary.page(TERMS, language), (
        "call `python -m tools.glossary`"
    )


def test_glossary_and_prose_agree():
    assert glossary.complaints(TERMS, glossary.all_prose()) == []


def test_there_are_about_120_terms_and_each_has_its_own_anchor_and_chinese_name():
    assert 115 <= len(TERMS) <= 150
    assert len({one.anchor for one in TERMS}) == len({one.zh for one in TERMS}) == len(TERMS)


def term(name="mode collapse", **parts):
    known = {"zh": "模式崩溃", "notebook": "03", "meaning": "Few modes.", "meaning_zh": "模式太少。"}
    return Term(name, **{**known, **parts})


PROSE = {"03_first_gan": "Mode collapse is seen here. The dataset is a ring.", "README.md": "A course."}


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ([term()], ""),
        ([term(), term("batch", notebook="03")], "alphabetical"),
        ([term(meaning="No full stop")], "full stop"),
        ([term(meaning_zh="模式太少,样本单一。")], "Chinese marks"),
        ([term(notebook="05")], "notebook 05, which is to introduce it, does not use it"),
        ([term("ring", never=("dataset",))], "03_first_gan writes 'dataset' for 'ring'"),
        ([term("ring", never=("datasets",))], ""),
    ],
)
def test_what_is_wrong_is_said(terms, said):
    found = "\n".join(glossary.complaints(terms, PROSE))
    assert said in found if said else found == ""


def test_titles_of_papers_spell_as_they_like():
    prose = {"03_first_gan": "A ring. I. Goodfellow, *On the dataset*, 2014."}
    assert glossary.complaints([term("ring", never=("dataset",))], prose) == []


def test_each_term_is_linked_once_the_longer_one_first_and_nothing_else_is_touched():
    terms = [term("batch"), term("batch normalisation", also=("BN",)), term()]
    cells = [
        "# Batch normalisation\n\nA `batch` of $batch$ and [a batch](x.md).\n\n| batch |\n| --- |",
        "Batches, then batch normalisation, and a bn. Mode collapse: a mode-collapse-free batch.",
    ]
    linked = glossary.with_links(cells, terms, "glossary.html")
    assert linked[0] == cells[0]
    assert linked[1] == (
        "[Batches](glossary.html#batch), then [batch normalisation](glossary.html#batch-normalisation), and "
        "a bn. [Mode collapse](glossary.html#mode-collapse): a mode-collapse-free batch."
    )


def test_what_stands_below_a_heading_or_a_table_is_linked_too():
    cells = ["## The batch\n\n| batch |\n| --- |\n\nA batch, and mode collapse."]
    [linked] = glossary.with_links(cells, [term("batch"), term()], "g")
    assert linked == (
        "## The batch\n\n| batch |\n| --- |\n\nA [batch](g#batch), and [mode collapse](g#mode-collapse)."
    )


def test_every_term_is_linked_in_the_notebook_that_introduces_it():
    import jupytext

    for script in sorted((ROOT / "solutions").glob("[0-9][0-9]_*.py")):
        cells = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent").cells
        texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
        linked = "\n".join(glossary.with_links(texts, TERMS, "g"))
        in_tables = ("tensor", "leaky ReLU", "softmax")  # nowhere else in the notebook that introduces them
        own = [one for one in TERMS if one.notebook == script.stem[:2] and one.term not in in_tables]
        assert [one.term for one in own if f"(g#{one.anchor})" not in linked] == [], script.name


def test_links_in_the_real_notebooks_leave_the_text_as_it_is_and_lead_to_entries():
    import re

    import jupytext

    anchors = {one.anchor for one in TERMS}
    for script in sorted((ROOT / "solutions").glob("[0-9][0-9]_*.py")):
        cells = jupytext.reads(script.read_text(encoding="utf-8"), fmt="py:percent").cells
        texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
        linked = glossary.with_links(texts, TERMS, "glossary.html")
        found = re.findall(r"\]\(glossary\.html#([\w-]+)\)", "\n".join(linked))
        assert len(found) == len(set(found)) >= 5
        assert set(found) <= anchors
        assert [re.sub(r"\[([^\]]*)\]\(glossary\.html#[\w-]+\)", r"\1", one) for one in linked] == texts


def test_the_source_is_plain_data_and_the_tooltips_are_complete():
    entries = yaml.safe_load((ROOT / glossary.SOURCE).read_text(encoding="utf-8"))
    tips = glossary.tooltips(TERMS)
    assert [tip["term"] for tip in tips] == [entry["term"] for entry in entries]
    assert all(tip["meaning"] and tip["meaning_zh"] and tip["pattern"] for tip in tips)
