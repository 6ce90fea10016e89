"""Build the book: `python -m tools.book` (`make book`). It lies in build/book/html then; open its index.html.

Nothing is executed: the solved notebooks' kept outputs are shown. A broken link, an undefined citation, a
formula that does not render or a figure without alternative text ends the build, with file and line. What
is needed for it is the extra "book" of pyproject.toml, which no learner installs.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from tools import book_check, book_data, slides
from tools.book_source import SLIDES, Problem, Source, assemble

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "book"


def build(root: Path = ROOT, folder: Path = FOLDER) -> list[Problem]:
    """The book of a checkout in `folder`/html; what is wrong with it, nothing if all is well."""
    shutil.rmtree(folder, ignore_errors=True)
    source = assemble(root, folder / "source")
    problems = source.problems + run_sphinx(source, root, folder)
    if (folder / "html" / "index.html").exists():
        copy_mathjax(folder / "html" / "_static" / "mathjax")
        shown = {name: source.notebooks[name] for name in SLIDES if name in source.notebooks}
        slides.write(shown, folder / "html" / "slides", root / "book" / "slides.css")
        problems += book_check.check(source, folder / "html")
    return list({str(one): one for one in problems}.values())


def copy_mathjax(target: Path) -> None:
    """What the pages load of MathJax: a tenth of what the package holds."""
    origin = book_check.mathjax_folder()
    for part in ("output/chtml/fonts", "input/tex/extensions"):
        shutil.copytree(origin / part, target / part)
    shutil.copy(origin / "tex-chtml.js", target)


def run_sphinx(source: Source, root: Path, folder: Path) -> list[Problem]:
    """Call Sphinx; its warnings with the author's files and lines."""
    from sphinx.cmd.build import main as sphinx_build

    shutil.copy(root / "book" / "conf.py", folder / "source" / "conf.py")
    shutil.copytree(root / "book" / "static", folder / "source" / "static")
    book_data.write(folder / "source" / "static")
    warnings = folder / "warnings.txt"
    options = ["-q", "-j", "auto", "-b", "html", "-d", str(folder / "doctrees"), "-w", str(warnings)]
    status = sphinx_build([*options, str(folder / "source"), str(folder / "html")])
    found = [as_problem(source, folder, line) for line in warnings.read_text(encoding="utf-8").splitlines()]
    problems = [one for one in found if one is not None]
    if status and not problems:
        problems.append(Problem("book/conf.py", 1, f"Sphinx ended with status {status}"))
    return problems


def as_problem(source: Source, folder: Path, warning: str) -> Problem | None:
    """A line of Sphinx's warnings with the author's file and line."""
    warning = re.sub(r"\x1b\[[0-9;]*m", "", warning)
    found = re.match(
        r"(?P<path>[^:]+?)(?::(?P<line>\d+))?: (?:WARNING|ERROR|CRITICAL): (?P<words>.*)", warning
    )
    if not found:
        loose = re.match(r"(?:WARNING|ERROR|CRITICAL): (.*)", warning)
        return Problem("book/conf.py", 1, loose[1]) if loose else None
    document = Path(found["path"]).stem
    line = int(found["line"] or 1)
    if document in source.origins:
        return Problem(source.origins[document], source.line_of(document, line), found["words"])
    return Problem(found["path"], line, found["words"])


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    started = time.perf_counter()
    if sys.version_info < (3, 11):
        sys.exit("The book is built with Python 3.11 or newer: `make book PYTHON=python3.12`.")
    if find_spec("myst_nb") is None:
        sys.exit("The book's packages are missing: `make book` installs them.")
    problems = build()
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"The book has {len(problems)} faults.", file=sys.stderr)
        return 1
    print(f"The book is in {FOLDER.relative_to(ROOT)}/html, after {time.perf_counter() - started:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
