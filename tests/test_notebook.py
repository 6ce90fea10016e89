"""`show_source`: what learners see is the source that runs."""

import functools
import inspect
import re
import textwrap

import IPython.display
import nbconvert
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from course_utils import losses
from course_utils.notebook import show_source


@pytest.fixture
def shown(monkeypatch):
    pages = []
    monkeypatch.setattr(IPython.display, "display", lambda page, raw: pages.append(page))
    return pages


def test_functions_classes_and_modules_are_shown_as_they_stand_in_the_file(shown):
    show_source(losses.get_loss, losses.GANLoss, losses)
    assert [page["text/plain"] for page in shown] == [
        inspect.getsource(one).strip() for one in (losses.get_loss, losses.GANLoss, losses)
    ]
    compile(shown[0]["text/plain"], "shown", "exec")


def test_the_page_is_told_that_it_is_python(shown):
    show_source(losses.get_loss)
    assert f"\n\n~~~~python\n{shown[0]['text/plain']}\n~~~~\n\n" in shown[0]["text/markdown"]


def test_the_source_keeps_its_columns_on_a_page_made_by_nbconvert(shown):
    # nbconvert's style sheet makes the <pre> of an output inherit its font from what is around it.
    show_source(losses.get_loss)
    exporter = nbconvert.HTMLExporter()
    cell = new_code_cell(outputs=[new_output("display_data", data=shown[0])])
    page, _ = exporter.from_notebook_node(new_notebook(cells=[cell]))
    assert re.search(r'<div style="font-family: [^"]*monospace">\s*<div class="highlight"><pre>.*def', page)


def test_a_method_loses_its_indentation_and_a_wrapped_function_its_wrapper(shown):
    class Example:
        def method(self):
            return 1

    show_source(Example.method, functools.wraps(Example.method)(lambda self: 2))
    source = textwrap.dedent(inspect.getsource(Example.method)).strip()
    assert [page["text/plain"] for page in shown] == [source, source]
    assert source.startswith("def method(self):\n    return 1")


@pytest.mark.parametrize("value", [3, "text", len])
def test_what_has_no_python_source_is_refused_in_a_sentence(value):
    with pytest.raises(TypeError, match=r"show_source needs a function, class or module written in Python"):
        show_source(value)
