"""What every test can rely on, the kernels of the notebooks included: they inherit this environment.

Tests never touch the network, train for seconds only, and leave the learner's progress alone.
"""

import atexit
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

_FOLDER = tempfile.mkdtemp(prefix="course-tests-")
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

os.environ["COURSE_OFFLINE"] = "1"
os.environ["COURSE_SCALE"] = "ci"
os.environ["COURSE_DEVICE"] = "cpu"
os.environ["COURSE_THREADS"] = "1"  # not measured: same bits on every machine
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores
os.environ["COURSE_PROGRESS"] = str(Path(_FOLDER) / "progress.json")
os.environ["COURSE_QUIZ"] = str(Path(_FOLDER) / "quiz.jsonl")


def pytest_configure(config):
    """Started in the background (`make test &`), a shell lets Python ignore Ctrl-C; the tests press it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items):
    """Marks what starts kernels or several processes as slow, and leaves the GPU to one process.

    Several workers would share the GPU, and the tests that measure its speed would measure the others.
    """
    for item in items:
        if item.path.suffix == ".ipynb" or item.path.name == "test_distributed.py":
            item.add_marker(pytest.mark.slow)
    if "PYTEST_XDIST_WORKER" in os.environ:
        alone = pytest.mark.skip(reason="wants the GPU for itself: python -m pytest -m gpu tests")
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(alone)
