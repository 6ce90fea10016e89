"""Every paper that the package names stands in full somewhere: in a notebook, or on the references page."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBER = re.compile(r"\d{4}\.\d{4,5}")
CITED = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def numbers(pattern, files):
    return {number for file in files for number in pattern.findall(file.read_text(encoding="utf-8"))}


def test_every_paper_of_the_docstrings_stands_in_full_in_a_notebook_or_on_the_page():
    cited = numbers(CITED, (ROOT / "course_utils").rglob("*.py"))
    assert len(cited) > 20
    in_notebooks = numbers(NUMBER, (ROOT / "solutions").glob("*.py"))
    page = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    entry = r"^- \S.+: \*.+\*\. (?:[A-Z]\w+ )?\d{4}\. \[arXiv:(\S+)\]\(https://arxiv\.org/abs/\1\)$"
    on_page = set(re.findall(entry, page, re.MULTILINE))
    assert len(on_page) == page.count("\n- ")  # each entry has authors, title, year and a link that fits
    assert cited - in_notebooks == on_page
