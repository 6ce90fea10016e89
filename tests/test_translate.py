"""The course in Chinese: what is shown is what was translated, and what went stale is seen."""

import re
import warnings

import nbformat
import pytest
from babel.messages.catalog import Catalog
from nbconvert.filters import markdown2html

from tools import notebooks, translate
from tools.translate import ROOT


@pytest.mark.generated
def test_catalogues_and_pages_are_up_to_date_and_stale_sentences_are_named():
    for path, text, catalogue in translate.generated():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: call `python -m tools.translate`"
        waiting = translate.stale(catalogue) if path.suffix == ".po" else []
        if waiting:
            warnings.warn(
                f"{path.name}: {len(waiting)} sentences wait for a translator: {waiting}", stacklevel=1
            )


@pytest.mark.parametrize("name", translate.TEXTS)
def test_a_translation_keeps_numbers_links_code_and_formulas(name):
    kept = re.compile(r"\{\d\}|\]\([^)]*\)|`[^`]*`|\$[^$]*\$|(?<![A-Za-z0-9.])\d+(?:[.,]\d+)*")
    for one in translate.load(name):
        if one.id and one.string and not one.fuzzy:
            assert set(kept.findall(one.id)) <= set(kept.findall(one.string)), one.id


@pytest.mark.parametrize("name", translate.TEXTS)
def test_emphasis_is_seen_by_the_page(name):
    """Beside Chinese marks an asterisk may mean nothing to Markdown, and would stand on the page."""
    if name == "README":
        texts = [(ROOT / translate.BUILT[name]).read_text(encoding="utf-8")]
    else:
        cells = nbformat.read(ROOT / translate.BUILT[name], as_version=4).cells
        texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    for text in texts:
        words = re.sub(r"<code>.*?</code>|<[^>]+>|\$[^$]*\$", "", markdown2html(text), flags=re.DOTALL)
        assert "*" not in words, words


def test_the_chinese_notebook_runs_the_same_code_as_the_english_one():
    chinese = nbformat.read(ROOT / translate.BUILT["00_start_here"], as_version=4)
    english = nbformat.read(ROOT / "notebooks" / "00_start_here.ipynb", as_version=4)
    codes = [[cell.source for cell in one.cells if cell.cell_type == "code"] for one in (chinese, english)]
    assert codes[0] == codes[1]
    targets = re.findall(r"\]\(([^)#]+\.ipynb)", notebooks.to_text(chinese))
    assert len(targets) > 5
    assert all((ROOT / "notebooks" / "zh" / target).resolve().exists() for target in targets)


PAGE = """\
# A title

Two words,
on two lines. <!-- number 3: why -->

- one item
  that goes on
- `code`

| name | takes |
| --- | --- |
| CIFAR-10 | about 12 s, `x = 3` |

    make lab
"""


def test_markdown_is_taken_apart_and_put_together_again():
    assert translate.messages([PAGE]) == [
        "A title",
        "Two words, on two lines.",
        "one item that goes on",
        "name",
        "takes",
        "CIFAR-10",
        "about {0} s, `x = 3`",
    ]
    known = {"A title": "标题", "about {0} s, `x = 3`": "约 {0} 秒，`x = 3`", "CIFAR-10": "CIFAR-10"}
    built = translate.translated(PAGE, known.get)
    assert built.splitlines()[0] == "# 标题"
    assert "Two words, on two lines.（尚未翻译）" in built
    assert "| CIFAR-10 | 约 12 秒，`x = 3` |" in built
    assert "    make lab" in built


def write(root, text, catalogue=None):
    (root / "README.md").write_text(text, encoding="utf-8")
    if catalogue is not None:
        (root / translate.CATALOGUES).mkdir(parents=True, exist_ok=True)
        (root / translate.CATALOGUES / "README.po").write_text(translate.to_text(catalogue), encoding="utf-8")


def test_an_altered_sentence_is_stale_until_somebody_has_looked_at_it(tmp_path):
    sentence = "The first call takes a few minutes, mostly for downloads."
    known = Catalog(locale="zh_CN")
    known.add(sentence, "第一次调用需要几分钟，主要花在下载上。")
    write(tmp_path, sentence, known)
    catalogue = translate.updated("README", tmp_path)
    assert translate.stale(catalogue) == []
    assert "第一次调用" in translate.build("README", catalogue, tmp_path)

    altered = sentence.replace("a few", "twenty")
    write(tmp_path, altered)
    catalogue = translate.updated("README", tmp_path)
    assert translate.stale(catalogue) == [altered]
    assert catalogue[altered].fuzzy and catalogue[altered].string.startswith("第一次")  # a help for who looks
    page = translate.build("README", catalogue, tmp_path)
    assert f"{altered}（尚未翻译）" in page and "第一次" not in page

    write(tmp_path, altered, catalogue)
    again = translate.updated("README", tmp_path)
    assert translate.to_text(again) == translate.to_text(catalogue)
    again[altered].flags.discard("fuzzy")
    assert translate.stale(again) == []


def test_a_new_measurement_in_a_table_makes_nothing_stale(tmp_path):
    known = Catalog(locale="zh_CN")
    known.add("about {0} s", "约 {0} 秒")
    write(tmp_path, "| about 12 s |", known)
    assert translate.stale(translate.updated("README", tmp_path)) == []
    write(tmp_path, "| about 13 s |")
    catalogue = translate.updated("README", tmp_path)
    assert translate.stale(catalogue) == [] and "约 13 秒" in translate.build("README", catalogue, tmp_path)
