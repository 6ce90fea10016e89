"""Imports: none goes up a floor, and nobody waits for what is not used."""

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

from importlinter.api import read_configuration
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "course_utils"
FLOORS, HEADLESS = read_configuration(str(ROOT / "pyproject.toml"))["contracts_options"]

MOST_SECONDS = 0.1
FOR_PICTURES = {"matplotlib", "PIL", "ipywidgets", "anywidget", "IPython"}
SELDOM_USED = {
    "scipy",
    "sklearn",
    "pandas",
    "requests",
    "pooch",
    "urllib3",
    "torch._dynamo",
    "torch._inductor",
}
COMPUTING = [name.removeprefix("course_utils.") for name in reversed(HEADLESS["source_modules"])]
NOTEBOOK = ["plots", "checks", "notebook"]  # and what computes: the first cell of most notebooks


def rooms():
    """The folders and modules of the package, by name."""
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    return modules | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def floors():
    """The rooms of each floor, from the top."""
    return [[room.strip("( )") for room in re.split("[|:]", floor)] for floor in FLOORS["layers"]]


def test_no_import_goes_up_a_floor_and_what_computes_draws_nothing(capsys):
    """The contracts of pyproject.toml. What import-linter prints names the import that breaks one."""
    kept = lint_imports(str(ROOT / "pyproject.toml"), no_cache=True, no_logo=True)
    assert kept == 0, capsys.readouterr().out


def test_training_and_all_below_it_is_what_computes():
    order = [room for floor in floors() for room in floor]
    below = order[order.index("training") :]
    assert sorted(COMPUTING) == sorted(below)


def test_the_page_on_the_architecture_describes_every_room_in_the_order_of_the_floors():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `(\w+)` \| \S", page, re.MULTILINE)
    assert described == [room for floor in floors() for room in floor]
    assert set(described) == rooms()
    (picture,) = re.findall(r"^    (cli -->.*)$", page, re.MULTILINE)
    assert [floor.split(" & ") for floor in picture.split(" --> ")] == floors()


def seconds(code):
    """From the start to the end of a new interpreter."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def test_the_package_itself_is_there_at_once():
    for _ in range(3):  # a machine busy with other things gets another try
        longer = statistics.median(seconds("import course_utils") - seconds("pass") for _ in range(5))
        if longer < MOST_SECONDS:
            break
    assert longer < MOST_SECONDS


def test_the_package_itself_loads_nothing_heavy():
    code = "import course_utils, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "numpy", *FOR_PICTURES, *SELDOM_USED} & set(loaded.split())


def test_no_module_loads_what_it_does_not_use():
    """One module after the other, from the lowest floor, so that the first that loads it is named."""
    code = (
        "import importlib, sys, torch\n"
        "for name in sys.argv[1:]:\n"
        "    before = set(sys.modules)\n"
        "    importlib.import_module('course_utils.' + name)\n"
        "    print(name, *sorted(set(sys.modules) - before))\n"
    )
    command = [sys.executable, "-c", code, *COMPUTING, *NOTEBOOK]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    loaded = {line.split()[0]: set(line.split()[1:]) for line in lines}
    assert list(loaded) == [*COMPUTING, *NOTEBOOK]
    for name, modules in loaded.items():
        unwanted = SELDOM_USED | FOR_PICTURES if name in COMPUTING else SELDOM_USED | {"ipywidgets"}
        assert not unwanted & modules, name
