"""What an import costs: nobody waits for what is not used."""

import statistics
import subprocess
import sys
import time

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
COMPUTING = "runtime files data models losses theory metrics training"
NOTEBOOK = "plots checks notebook"  # and what computes: the first cell of most notebooks


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
    """Told one module after the other, so that the first that loads it is named."""
    code = (
        "import importlib, sys, torch\n"
        "for name in sys.argv[1:]:\n"
        "    before = set(sys.modules)\n"
        "    importlib.import_module('course_utils.' + name)\n"
        "    print(name, *sorted(set(sys.modules) - before))\n"
    )
    command = [sys.executable, "-c", code, *COMPUTING.split(), *NOTEBOOK.split()]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    loaded = {line.split()[0]: set(line.split()[1:]) for line in lines}
    assert list(loaded) == [*COMPUTING.split(), *NOTEBOOK.split()]
    for name, modules in loaded.items():
        unwanted = SELDOM_USED | FOR_PICTURES if name in COMPUTING.split() else SELDOM_USED | {"ipywidgets"}
        assert not unwanted & modules, name
