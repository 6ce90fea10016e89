"""`show_source`: what learners see is the source that runs."""

import functools
import inspect
import textwrap

import IPython.display
import pytest

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
    assert shown[0]["text/markdown"] == f"~~~~python\n{shown[0]['text/plain']}\n~~~~"


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
