"""What a notebook's cells need from the notebook itself."""

from __future__ import annotations

import inspect
import textwrap

_MONOSPACED = '<div style="font-family: var(--jp-code-font-family, monospace), monospace">'


def show_source(*objects) -> None:
    """Show the highlighted source of what a notebook imports: the code taught is the code that runs.

    Args:
        *objects: functions, classes, methods or modules written in Python.

    Raises:
        TypeError: an object without Python source, such as a number or a built-in function.
    """
    from IPython.display import display

    for shown in objects:
        try:
            source = inspect.getsource(inspect.unwrap(shown) if callable(shown) else shown)
        except (TypeError, OSError):
            raise TypeError(
                f"show_source needs a function, class or module written in Python, got {shown!r}; "
                "pass the object itself, without calling it."
            ) from None
        source = textwrap.dedent(source).strip()
        # As Markdown, because the page then highlights it in the colours of its own theme, light or dark. The
        # font is named because nbconvert's pages would otherwise show it in that of the prose.
        page = f"{_MONOSPACED}\n\n~~~~python\n{source}\n~~~~\n\n</div>"
        display({"text/markdown": page, "text/plain": source}, raw=True)
