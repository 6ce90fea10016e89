"""What every test can rely on, the kernels of the notebooks included: they inherit this environment.

Tests never touch the network, train for seconds only, and leave the learner's progress alone.
"""

import os
import tempfile
from pathlib import Path

os.environ["COURSE_OFFLINE"] = "1"
os.environ["COURSE_SCALE"] = "ci"
os.environ["COURSE_DEVICE"] = "cpu"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the workers share the cores
os.environ["COURSE_PROGRESS"] = str(Path(tempfile.mkdtemp(prefix="course-tests-")) / "progress.json")
