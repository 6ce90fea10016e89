"""docs/references.bib is the one list of papers: what is cited stands there, and the pages agree with it."""

import re
from pathlib import Path

import pytest

from tools import bibliography

ROOT = Path(__file__).parents[1]
PAPERS = bibliography.read()
SCRIPTS = sorted((ROOT / "solutions").glob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = [file for folder in ("course_utils", "benchmarks", "tools") for file in (ROOT / folder).rglob("*.py")]

PAPER = """@inproceedings{goodfellow2014generative,
  author = {Goodfellow, I. and Pouget-Abadie, J. and Mirza, M.},
  title = {Generative Adversarial Nets},
  booktitle = {NeurIPS},
  year = {2014},
  eprint = {1406.2661},
}
"""


@pytest.mark.generated
def test_the_page_is_written_from_the_file():
    page = bibliography.page(PAPERS)
    assert bibliography.PAGE.read_text(encoding="utf-8") == page, "call `python -m tools.readme`"


@pytest.mark.parametrize("path", [*SCRIPTS, *PAGES, *CODE], ids=lambda path: path.name)
def test_what_is_cited_is_in_the_file(path):
    text = re.sub(r"^# ?", "  ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert bibliography.undefined(text, PAPERS) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_what_a_notebook_lists_under_further_reading_agrees_with_the_file(path):
    items = bibliography.further_reading(path.read_text(encoding="utf-8"))
    assert len(items) >= 2
    found = [(line, problem) for line, item in items for problem in bibliography.disagreements(item, PAPERS)]
    assert found == []


def test_every_paper_of_the_file_is_cited():
    everything = "\n".join(path.read_text(encoding="utf-8") for path in [*SCRIPTS, *PAGES[:1], *CODE])
    cited = {paper.key for one in bibliography.citations(everything, PAPERS) for paper in one.papers}
    plain = " ".join(re.sub(r"\n# +", " ", everything).split())
    unused = [p.key for p in PAPERS if p.key not in cited and p.fields["title"] not in plain]
    assert unused == []


def test_a_particle_belongs_to_the_name():
    [one] = bibliography.citations("as there (normalisation: de Vries et al., 2017), and", PAPERS)
    assert one.words == "de Vries et al., 2017"
    assert one.papers[0].fields["title"] == "Modulating early visual processing by language"


def test_citations_that_the_file_does_not_have_are_found_with_their_line(tmp_path):
    path = tmp_path / "one.bib"
    path.write_text(PAPER, encoding="utf-8")
    papers = bibliography.read(path)
    fine, not_fine = "(Goodfellow et al. 2014, arXiv:1406.2661)", "(Badfellow et al., 2014), arXiv:9999.00001"
    text = f"Fine {fine}.\nNot fine {not_fine}."
    assert bibliography.undefined(text, papers) == [
        (2, "undefined citation: docs/references.bib lacks 'Badfellow et al., 2014'"),
        (2, "undefined citation: docs/references.bib lacks 'arXiv:9999.00001'"),
    ]
    assert bibliography.undefined("Pouget-Abadie and Mirza 2014; Goodfellow et al. 2015", papers) != []
    assert bibliography.undefined("Goodfellow, Pouget-Abadie,\nMirza (2014); in 2014, Nobody", papers) == []


@pytest.mark.parametrize(
    "item, problem",
    [
        ("- I. Goodfellow et al., *Generative Adversarial Nets*, NIPS 2014, arXiv:1406.2661.", ""),
        ("- I. Goodfellow et al., *Generative Adversarial Networks*, NIPS 2014, arXiv:1406.2661.", "title"),
        ("1. J. Badfellow. *Generative Adversarial Nets.* NIPS 2014. arXiv:1406.2661.", "authors"),
        ("- I. Goodfellow: *Generative Adversarial Nets*, NIPS 2016.", "year 2016"),
        ("- I. Goodfellow: *Something Else*, 2014.", "lacks 'Something Else'"),
    ],
)
def test_further_reading_that_disagrees_is_found(tmp_path, item, problem):
    path = tmp_path / "one.bib"
    path.write_text(PAPER, encoding="utf-8")
    found = bibliography.disagreements(item, bibliography.read(path))
    assert (found == []) if not problem else (len(found) == 1 and problem in found[0])


@pytest.mark.parametrize(
    "text, words",
    [
        (PAPER + PAPER, "one.bib:9: goodfellow2014generative stands twice"),
        (PAPER + PAPER.replace("{goodfellow2014", "{again2014"), "one.bib:9: 1406.2661 stands twice"),
        (PAPER + "\n@book{x, title={y}}\n", "one.bib:8: not an entry"),
        (PAPER.replace("author", "editor"), "one.bib:1: goodfellow2014generative lacks"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(tmp_path, text, words):
    path = tmp_path / "one.bib"
    path.write_text(text.replace("}\n@in", "}\n\n@in"), encoding="utf-8")
    with pytest.raises(ValueError, match=re.escape(words)):
        bibliography.read(path)
