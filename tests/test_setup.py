"""Setting up: done once, confirmed quickly, completed after an interruption; what goes wrong gets a sentence.

The set-up is run for real, by the real pip, in a checkout of a tiny course. Its packages are made here: there
is no network.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "tools" / "setup.py"
PIP_VERSION = importlib.metadata.version("pip")

specification = importlib.util.spec_from_file_location("set_up", SOURCE)
set_up = importlib.util.module_from_spec(specification)
specification.loader.exec_module(set_up)

MARK = "@pytest.mark." + "generated"

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "tiny-course"
version = "1.0"
dependencies = ["torch", "dice>=1"]
optional-dependencies = { dev = [] }

[tool.linter]
line-length = 80
"""

# Builds the editable install; where there is a file named "pause", it waits inside pip until that is gone.
BACKEND = """\
import os, time, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    open("in-pip", "w").close()
    for _ in range(600):
        if os.path.exists("pause"):
            time.sleep(0.1)
    about = "tiny_course-1.0.dist-info/"
    needs = open("needs").read()
    with zipfile.ZipFile(wheel_directory + "/tiny_course-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny_course.pth", os.getcwd())
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: tiny-course\\n" + needs)
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "RECORD", "")
    return "tiny_course-1.0-py3-none-any.whl"
"""


def write_wheel(folder, name, version, files=None):
    """A wheel that pip installs, with those files (path -> content); by default with one empty module."""
    files = files or {f"{name}.py": b""}
    about = f"{name}-{version}.dist-info"
    files.setdefault(
        f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    )
    files.setdefault(f"{about}/WHEEL", b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in files).encode()
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)


def needs(checkout, *requirements):
    """What the tiny course depends on, in its pyproject.toml and in what its backend builds."""
    array = ", ".join(f'"{requirement}"' for requirement in requirements)
    text = re.sub(r"(?m)^dependencies = .*$", f"dependencies = [{array}]", PYPROJECT)
    (checkout / "pyproject.toml").write_text(text)
    lines = [f"Requires-Dist: {requirement}\n" for requirement in requirements]
    (checkout / "needs").write_text("".join(["Version: 1.0\n", *lines, "Provides-Extra: dev\n"]))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout of the tiny course, not set up yet, and beside it the packages that it installs."""
    folder = tmp_path_factory.mktemp("set-up")
    wheels = folder / "wheels"
    wheels.mkdir()
    for name, version in {"torch": "1.0", "setuptools": "999.0", "dice": "1.0", "cards": "1.0"}.items():
        write_wheel(wheels, name, version)
    pip = importlib.metadata.files("pip")
    modules = [
        path for path in pip if path.suffix != ".pyc" and path.parts[0] != ".." and path.name != "RECORD"
    ]
    write_wheel(wheels, "pip", PIP_VERSION, {str(path): path.read_binary() for path in modules})

    checkout = folder / "course"
    (checkout / "tools").mkdir(parents=True)
    shutil.copy(SOURCE, checkout / "tools")
    (checkout / "backend.py").write_text(BACKEND)
    pins = [f"pip=={PIP_VERSION}", "setuptools==999.0", "torch==1.0", "dice==1.0"]
    (checkout / "constraints.txt").write_text("\n".join(pins) + "\n")
    needs(checkout, "torch", "dice>=1")
    return checkout


@pytest.fixture(scope="module")
def ready(checkout):
    """The tiny course's checkout, set up (by the first test already, unless that was left out)."""
    done = call(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    return checkout


def start(checkout, *options, **environment):
    offline = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(checkout.parent / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.Popen(
        [sys.executable, checkout / "tools" / "setup.py", *options],
        env={**kept, **offline, "PIP_NO_COMPILE": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def call(checkout, *options, **environment):
    process = start(checkout, *options, **environment)
    stdout, stderr = process.communicate(timeout=120)
    return SimpleNamespace(returncode=process.returncode, stdout=stdout, stderr=stderr)


def wait_for(path):
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear within a minute")


def can_import(checkout, module):
    return (
        subprocess.run(
            [checkout / ".venv/bin/python", "-c", f"import {module}"], capture_output=True
        ).returncode
        == 0
    )


@pytest.mark.slow
def test_killed_half_way_it_is_completed_by_the_next_calls_one_at_a_time(checkout):
    (checkout / "pause").touch()
    killed = start(checkout)
    wait_for(checkout / "in-pip")
    killed.kill()
    killed.communicate()

    both = [start(checkout), start(checkout)]  # they wait for the orphaned pip, then one for the other
    time.sleep(1)
    assert [process.poll() for process in both] == [None, None]
    (checkout / "pause").unlink()
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("waiting for it to end" in output for output in outputs) == 2
    assert sum("making it anew" in output for output in outputs) == 1
    assert can_import(checkout, "dice") and can_import(checkout, "backend")
    assert call(checkout).stdout == ""


@pytest.mark.slow
def test_everything_is_installed(ready):
    assert all(
        can_import(ready, module) for module in ("torch", "dice", "backend")
    )  # backend: the course itself
    assert not can_import(ready, "cards")
    page = json.loads((ready / ".venv/etc/jupyter/labconfig/page_config.json").read_text())
    assert page["disabledExtensions"] == {"@jupyterlab/apputils-extension:announcements": True}


@pytest.mark.slow
def test_a_second_call_does_nothing_and_does_it_fast(ready):
    started = time.monotonic()
    done = call(ready, PIP_FIND_LINKS="")  # there would be nothing to install from
    assert time.monotonic() - started < 3
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_it_installs_again_only_what_the_requirements_changed(ready):
    text = (ready / "pyproject.toml").read_text()
    (ready / "pyproject.toml").write_text(text.replace("line-length = 80", "line-length = 100"))
    assert call(ready).stdout == ""  # how the linter is set up is no requirement

    needs(ready, "torch", "dice>=1", "cards")
    done = call(ready)
    assert "[1/1]" in done.stdout and "PyTorch" not in done.stdout
    assert can_import(ready, "cards")
    assert call(ready).stdout == ""


@pytest.mark.slow
def test_what_was_removed_by_hand_is_put_back(ready):
    subprocess.run([ready / ".venv/bin/python", "-m", "pip", "uninstall", "-qy", "dice"], check=True)
    assert call(ready).returncode == 0
    assert can_import(ready, "dice")


@pytest.mark.slow
def test_without_a_network_it_says_so_keeps_what_there_is_and_goes_on_later(ready):
    needs(ready, "torch", "dice>=1", "cards", "tokens")
    unreachable = {"PIP_NO_INDEX": "0", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    done = call(ready, **unreachable)
    assert done.returncode == 1
    assert done.stderr.strip() == set_up.NO_NETWORK
    assert can_import(ready, "dice")

    write_wheel(ready.parent / "wheels", "tokens", "1.0")
    done = call(ready)
    assert "[1/1]" in done.stdout and "Making .venv" not in done.stdout
    assert can_import(ready, "tokens")


def write_index(folder, wheels, **torch):
    """A package index of those wheels, with a torch of its own whose module says where it came from."""
    for wheel in wheels:
        name = wheel.name.partition("-")[0]
        (folder / "simple" / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(wheel, folder / "simple" / name)
    if torch:
        (folder / "simple" / "torch").mkdir(parents=True, exist_ok=True)
        files = {"torch.py": f"came_from = {torch['says']!r}".encode()}
        write_wheel(folder / "simple" / "torch", "torch", torch["version"], files)
    for package in (folder / "simple").iterdir():
        links = "".join(f'<a href="{wheel.name}">{wheel.name}</a>' for wheel in package.iterdir())
        (package / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")


@pytest.fixture
def indexes(ready, tmp_path, monkeypatch):
    """The ordinary index, one beside it that pip's configuration names, and PyTorch's, on this machine."""
    wheels = ready.parent / "wheels"
    others = [wheel for wheel in wheels.iterdir() if not wheel.name.startswith("torch-")]
    write_index(tmp_path / "ordinary", others, version="1.0+other", says="ordinary")  # pip prefers this
    write_index(tmp_path / "beside", [], version="1.0+other", says="beside")
    write_index(tmp_path / "own", [], version="1.0", says="own")
    write_wheel(tmp_path / "own" / "simple" / "torch", "dice", "1.0", {"dice.py": b"came_from = 'own'"})

    asked = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    script = ready / "tools" / "setup.py"
    text = SOURCE.read_text(encoding="utf-8")
    assert text.count(set_up.PYTORCH_CPU_INDEX) == 1

    def own_index_is(url):
        script.write_text(text.replace(set_up.PYTORCH_CPU_INDEX, url), encoding="utf-8")

    own_index_is(f"{address}/own/simple")
    environment = {
        "PIP_NO_INDEX": "0",
        "PIP_FIND_LINKS": "",
        "PIP_INDEX_URL": f"{address}/ordinary/simple",
        "PIP_EXTRA_INDEX_URL": f"{address}/beside/simple",
        "NO_PROXY": "127.0.0.1",
    }
    yield SimpleNamespace(environment=environment, asked=asked, own_index_is=own_index_is)
    server.shutdown()
    server.server_close()
    script.write_text(text, encoding="utf-8")


def torch_came_from(checkout):
    program = "import torch; print(torch.came_from)"
    return subprocess.check_output([checkout / ".venv/bin/python", "-c", program], text=True).strip()


cpu_build = pytest.mark.skipif(
    sys.platform != "linux" or set_up.has_nvidia_driver(),
    reason="asks PyTorch's own index only for the CPU build",
)


def without_torch(checkout):
    needs(checkout, "torch", "dice>=1")
    subprocess.run([checkout / ".venv/bin/python", "-m", "pip", "uninstall", "-qy", "torch"], check=True)


@pytest.mark.slow
@cpu_build
def test_torch_comes_from_its_own_index_alone_and_the_rest_from_the_ordinary_one(ready, indexes):
    without_torch(ready)
    done = call(ready, **indexes.environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert torch_came_from(ready) == "own"
    assert {path.split("/")[3] for path in indexes.asked if path.startswith("/own/")} == {"torch"}
    before_torch = indexes.asked.index(next(path for path in indexes.asked if path.startswith("/own/")))
    of_torch = [path for path in indexes.asked[before_torch:] if "/torch/" in path]
    assert all(path.startswith("/own/") for path in of_torch)


@pytest.mark.slow
@cpu_build
def test_where_torchs_own_index_cannot_be_reached_the_ordinary_one_serves(ready, indexes):
    indexes.own_index_is("http://127.0.0.1:9/simple")
    without_torch(ready)
    done = call(ready, **{**indexes.environment, "PIP_EXTRA_INDEX_URL": ""})
    assert done.returncode == 0, done.stdout + done.stderr
    assert torch_came_from(ready) == "ordinary"
    assert call(ready).stdout == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    "content", ["", "[]", "3", '{"done": 3}', '{"done": {"torch": 1}}', "[" * 100_000, "\0"]
)
def test_a_stamp_that_is_none_counts_as_missing(ready, content):
    stamp = Path(set_up.stamp_path(str(ready)))
    kept = stamp.read_text()
    stamp.write_text(content)
    try:
        assert set_up.read_stamp(str(ready)) is None
    finally:
        stamp.write_text(kept)


def write_lock(checkout, **other_sums):
    """requirements.lock for the tiny course's wheels; `other_sums` name what shall not match."""
    lines = []
    for wheel in sorted((checkout.parent / "wheels").iterdir()):
        name, version = wheel.name.split("-")[:2]
        if name in ("torch", "setuptools", "dice", "pip"):
            digest = other_sums.get(name) or hashlib.sha256(wheel.read_bytes()).hexdigest()
            lines.append(f"{name}=={version} --hash=sha256:{digest}")
    (checkout / "requirements.lock").write_text("\n".join(lines) + "\n")


@pytest.mark.slow
def test_strict_installs_what_the_lock_knows_and_nothing_else(ready):
    needs(ready, "torch", "dice>=1")
    write_lock(ready)
    done = call(ready, "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "making it anew" in done.stdout  # nothing of the former .venv was checked
    assert all(can_import(ready, module) for module in ("torch", "dice", "backend"))
    assert call(ready, "--strict").stdout == call(ready).stdout == ""  # `make test` is content with it

    write_lock(ready, dice="0" * 64)
    done = call(ready, "--strict")
    assert done.returncode == 1
    assert done.stderr.startswith("What the package index gave for dice==1.0 is none of the files that")
    assert not can_import(ready, "dice")
    write_lock(ready)
    assert call(ready, "--strict").returncode == 0

    needs(ready, "torch", "dice>=1", "cards")  # not in the lock
    assert call(ready).returncode == 0
    assert set_up.read_stamp(str(ready), strict=True) is None  # installed without a sum: no longer strict


def test_strict_needs_the_room_of_the_larger_build(checkout, monkeypatch):
    write_lock(checkout)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=5e9))
    with pytest.raises(SystemExit, match="needs about 12"):
        set_up.check_room(str(checkout), set_up.strict_steps(str(checkout), {}))


@pytest.mark.slow
def test_a_venv_that_was_moved_or_whose_python_is_gone_is_made_anew(ready, tmp_path):
    assert set_up.read_stamp(str(ready))["place"] == str(ready)
    moved = tmp_path / "moved"
    (moved / ".venv").mkdir(parents=True)
    shutil.copy(ready / ".venv/course-set-up.json", moved / ".venv")
    (moved / ".venv/bin").symlink_to(ready / ".venv/bin")
    assert set_up.read_stamp(str(moved)) is None

    python = ready / ".venv/bin/python"
    target = python.readlink()
    python.unlink()
    python.symlink_to("/nonexistent/python3")
    try:
        assert set_up.read_stamp(str(ready)) is None
    finally:
        python.unlink()
        python.symlink_to(target)


@pytest.mark.slow
def test_another_python_is_taken_only_when_it_was_asked_for(ready, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    assert set_up.read_stamp(str(ready)) is not None
    assert set_up.read_stamp(str(ready), with_this_python=True) is None


@pytest.mark.slow
def test_interrupted_it_says_so_and_takes_pip_along(ready):
    needs(ready, "torch", "dice>=1")
    (ready / "in-pip").unlink()
    (ready / "pause").touch()
    process = start(ready)
    wait_for(ready / "in-pip")
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert stderr.strip() == "Interrupted: the next call completes the set-up."
    assert set_up.read_stamp(str(ready)) is None  # the next call makes everything anew
    with set_up.locked(str(ready)):  # and pip does not hold the lock any more
        pass


def test_any_python_can_read_the_script():
    """A Python that is too old must get as far as the sentence about it. (3.6 is in Ubuntu 18.04.)"""
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_too_old_a_python_hands_over_to_a_newer_one_or_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "version_info", (3, 8, 10))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SystemExit, match=r"^Python 3\.8 is too old, the course needs 3\.10 or newer: .*PYTHON="
    ):
        set_up.check_python()

    for name, status in {"python3.12": 1, "python3.11": 0}.items():  # the first is there, and does not work
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {status}\n")
        (tmp_path / name).chmod(0o755)
    handed_to = []
    monkeypatch.setattr(os, "execv", lambda path, argv: handed_to.append(path))
    with pytest.raises(SystemExit):  # only because execv returned
        set_up.check_python()
    assert handed_to == [str(tmp_path / "python3.11")]


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_its_venv_module_is_told_so(module, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else found(name))
    with pytest.raises(SystemExit, match=r"lacks its venv module: install it .*python3-venv"):
        set_up.check_python()


def test_without_python_make_says_so():
    done = subprocess.run(
        ["make", "-C", ROOT, "setup", "PYTHON=no-such-python"], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "There is no no-such-python on this machine: install Python 3.10" in done.stderr


def test_too_little_room_is_told_before_anything_is_downloaded(checkout, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=2e9))
    steps = set_up.all_steps(str(checkout), {})
    with pytest.raises(SystemExit, match=r"has 2\.0 GB left and the set-up needs about 3: free some space"):
        set_up.check_room(str(checkout), steps)
    set_up.check_room(
        str(checkout), [step for step in steps if step.name != "torch"]
    )  # an update needs little


NO_ROUTE = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<HTTPSConnection object>: \
Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/numpy/
ERROR: Could not find a version that satisfies the requirement numpy==2.4.6 (from versions: none)
ERROR: No matching distribution found for numpy==2.4.6
"""
NO_BUILD = """\
ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: 2.1.0, 2.2.2)
ERROR: No matching distribution found for torch==2.13.0
"""
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"
UNTRUSTED = (
    "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))\n"
)
STALLED = "ReadTimeoutError: HTTPSConnectionPool(host='files'): Read timed out.\n"
OTHER = "Collecting dice\nERROR: dice has no licence\n"


@pytest.mark.parametrize(
    "output, sentence",
    [
        (NO_ROUTE, "cannot be reached: check the network"),
        (STALLED, "cannot be reached: check the network"),
        (NO_BUILD, "no build of torch==2.13.0 for Python 3"),
        (
            NO_ROUTE.splitlines()[0] + "\n" + NO_BUILD,
            "no build of torch==2.13.0",
        ),  # PyTorch's index alone was off
        (NO_ROUTE + FULL, "disk is full: free"),
        (UNTRUSTED, "certificate is not trusted"),
        (OTHER, "failed (ERROR: dice has no licence): the whole output is in .course/setup.log"),
    ],
)
def test_what_pip_says_becomes_a_sentence(output, sentence):
    answer = set_up.explain(output)
    assert sentence in answer
    assert "\n" not in answer


@pytest.mark.parametrize(
    "platform, driver, installed, build, asks_cpu_index",
    [
        ("linux", False, {}, "CPU", True),
        ("linux", True, {}, "CUDA", False),
        ("linux", True, {"torch": "torch==1.0 CPU"}, "CUDA", False),  # a driver was installed since
        ("linux", False, {"torch": "torch==1.0 CUDA"}, "CUDA", False),  # it works on the CPU too
        ("darwin", False, {}, "CPU", False),
    ],
)
def test_which_build_of_torch(platform, driver, installed, build, asks_cpu_index, checkout, monkeypatch):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(set_up, "has_nvidia_driver", lambda: driver)
    tools, torch, course = set_up.all_steps(str(checkout), installed)
    assert torch.key == f"torch==1.0 {build}"
    first, *then = torch.attempts
    assert (set_up.PYTORCH_CPU_INDEX in first) == asks_cpu_index == bool(then)
    assert not any(set_up.PYTORCH_CPU_INDEX in attempt for attempt in then)  # the ordinary index, alone
    assert all("--no-deps" in attempt for attempt in torch.attempts)  # its index is asked for nothing else
    for attempt in torch.attempts + tools.attempts + course.attempts:
        assert "--extra-index-url" not in attempt
    assert not any(set_up.PYTORCH_CPU_INDEX in attempt for attempt in tools.attempts + course.attempts)


def test_a_learner_sees_what_pip_is_at():
    output = "Collecting torch==2.13.0\n  Downloading torch-2.13.0.whl (200 MB)\nProgress 45 of 100\n"
    assert set_up.doing(output) == "Downloading torch-2.13.0.whl (200 MB) 45%"
    assert (
        set_up.doing(output + "Installing collected packages: torch, dice\n")
        == "Installing collected packages"
    )


def test_the_commit_hooks_run_what_make_lint_runs_and_compare_the_generated_files():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    lint = (
        re.search(r"^lint:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE).group(1).replace("$(BIN)", ".venv/bin")
    )
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0][
        "hooks"
    ]
    entries = [hook["entry"].replace(" --force-exclude", "") for hook in hooks]
    assert entries[:-1] == [line.strip() for line in lint.splitlines()]
    _, _, arguments = entries[-1].partition(" -m pytest ")
    marked = {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_*.py") if MARK in path.read_text()}
    assert set(arguments.split()) == {"-q", "-m", "generated", *marked}


def test_ci_runs_make_test():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert script.read_text(encoding="utf-8").rstrip().endswith("make test")
