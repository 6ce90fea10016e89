"""Set up the course: make .venv, install what constraints.txt pins, then the course itself.

    python3 tools/setup.py        # `make lab` and `make test` call it first

Where everything is in place already, it returns at once. A set-up that was interrupted, at whatever moment,
is completed by the next call. Only the standard library, and syntax that Python 3.6 can read: with too old a
Python one gets a sentence to act on, not a SyntaxError.
"""

import argparse
import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST_PYTHON = (3, 10)
NEWER_PYTHONS = ["python3.13", "python3.12", "python3.11", "python3.10"]
# CPU: measured 1.7, and as much again while pip unpacks. CUDA: an estimate.
GIGABYTES_NEEDED = {"CPU": 3, "CUDA": 12}
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # elsewhere, Linux gets the CUDA build

LOCK = "requirements.lock"  # what constraints.txt pins, with the sums of the files

# What decides about a step is its `key`: a step whose key was recorded as done is not done again. `attempts`
# are pip's arguments, each asking one index: where the first cannot do it, the next is tried.
Step = namedtuple("Step", "name label key attempts")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--with-this-python", action="store_true", help="make .venv anew if another Python version made it"
    )
    parser.add_argument(
        "--strict", action="store_true", help=f"into an empty .venv, and only files whose sums {LOCK} knows"
    )
    arguments = parser.parse_args()
    check_python()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like Ctrl-C does: pip ends too
    try:
        set_up(ROOT, arguments.with_this_python, arguments.strict)
    except KeyboardInterrupt:
        sys.exit("\nInterrupted: the next call completes the set-up.")
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        sys.exit(DISK_FULL if full else f"The set-up cannot write in {ROOT}: {error}.")


def set_up(root, with_this_python=False, strict=False):
    """Bring root/.venv to where pyproject.toml, constraints.txt and, if strict, requirements.lock want it."""
    if pending_steps(root, read_stamp(root, with_this_python, strict), strict) == []:
        return
    started = time.time()
    with locked(root) as lock:
        stamp = read_stamp(root, with_this_python, strict)  # another call may have done it all meanwhile
        steps = pending_steps(root, stamp, strict)
        if not steps:
            return
        check_room(root, steps)
        print("Setting up the course in .venv: a few minutes the first time, mostly downloads.", flush=True)
        if stamp is None:
            make_venv(root, lock)
            stamp = {"place": root, "done": {}}
        if not strict:  # what is installed now is not checked
            stamp["done"].pop("lock", None)
        for number, step in enumerate(steps, start=1):
            install(root, step, stamp, f"[{number}/{len(steps)}] {step.label}", lock)
    print(f"Set up in {time.time() - started:.0f} s.", flush=True)


# ---- what there is, and what is wanted ---------------------------------------------------------------------


def read_stamp(root, with_this_python=False, strict=False):
    """What is known to be installed, or None where .venv is missing, unfinished, broken or moved.

    If strict, None also where something in it was not checked by requirements.lock as it is now.

    The stamp is taken away before pip changes anything and put back afterwards. So a .venv without a stamp is
    one in which something was cut off half-way, and nothing in it can be relied on.
    """
    try:
        with open(stamp_path(root), encoding="utf-8") as file:
            stamp = json.load(file)
        version, packages = packages_in(root)
        noted = {str(name) for name in stamp.get("packages", [])}
        done = {str(name): str(key) for name, key in stamp["done"].items()}
    except (OSError, subprocess.CalledProcessError):
        return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):  # it is no stamp
        return None
    if stamp.get("place") != root:  # a copied or moved folder: what is in .venv/bin points to the old place
        return None
    if with_this_python and version != "{}.{}".format(*sys.version_info):
        return None
    if not noted <= packages:  # something was removed or replaced by hand
        done = {}
    if strict and done.get("lock") != lock_key(root):
        return None
    return {"place": root, "done": done, "packages": sorted(noted)}


def pending_steps(root, stamp, strict=False):
    """The steps that are still to do."""
    done = stamp["done"] if stamp else {}
    steps = strict_steps(root, done) if strict else all_steps(root, done)
    return [step for step in steps if done.get(step.name) != step.key]


def all_steps(root, done):
    with open(os.path.join(root, "constraints.txt"), encoding="utf-8") as file:
        constraints = file.read()
    with open(os.path.join(root, "pyproject.toml"), encoding="utf-8") as file:
        project = file.read().split("\n[tool.", 1)[0]  # how the linters are set up changes nothing here

    tools = [pinned("pip", constraints), pinned("setuptools", constraints)]
    torch = pinned("torch", constraints)
    # Once installed, the CUDA build stays: it runs on the CPU too, and nodes of a cluster differ.
    build = "CUDA" if has_nvidia_driver() or done.get("torch", "").endswith("CUDA") else "CPU"
    ordinary = ["--force-reinstall", "--no-deps", torch, "--progress-bar", "raw"]
    attempts = [ordinary]
    if build == "CPU" and sys.platform == "linux":
        # PyTorch comes from its own index alone and everything else from the ordinary one: of two that are
        # asked together, either could supply a pinned version. Where PyTorch's own cannot be reached, the
        # ordinary one serves, alone too.
        own = ["--index-url", PYTORCH_CPU_INDEX, "--timeout", "15", "--retries", "2"]
        attempts = [ordinary + own, ordinary]
    torch_key = torch + " " + build
    everything = hashlib.sha256("\n".join([project, constraints, torch_key]).encode()).hexdigest()
    return [
        Step("tools", "pip", " ".join(tools), [["--upgrade", *tools]]),
        Step("torch", f"PyTorch, {build} build", torch_key, attempts),
        Step(
            "course",
            "JupyterLab, the other packages and the course itself",
            everything,
            [["-c", "constraints.txt", "--no-build-isolation", "-e", ".[dev]", "--progress-bar", "raw"]],
        ),
    ]


def strict_steps(root, done):
    """The same with every sum checked: all packages at once from requirements.lock, then the course."""
    locked = [
        "--require-hashes",
        "--only-binary",
        ":all:",
        "-r",
        LOCK,
    ]  # for the pip that Python brings along
    course = ["--no-index", "--no-deps", "--no-build-isolation", "-e", "."]
    attempts = {"tools": [], "torch": [], "course": [course]}  # the first two come with the lock
    lock = Step("lock", f"everything that {LOCK} names", lock_key(root), [locked])
    return [lock] + [step._replace(attempts=attempts[step.name]) for step in all_steps(root, done)]


def lock_key(root):
    with open(os.path.join(root, LOCK), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def pinned(name, constraints):
    """The requirement "name==version" from the text of constraints.txt."""
    return re.search(rf"^{name}==\S+", constraints, re.MULTILINE).group()


def has_nvidia_driver():
    return os.path.exists("/proc/driver/nvidia/version") or os.path.exists("/usr/lib/wsl/lib/libcuda.so.1")


def packages_in(root):
    """Python's version in .venv, as "3.12", and the set of what it has, as "numpy-2.4.6.dist-info"."""
    program = (
        "import os, sys, sysconfig; print(*sys.version_info[:2], *os.listdir(sysconfig.get_path('purelib')))"
    )
    words = subprocess.check_output([venv_python(root), "-I", "-c", program]).decode().split()
    return ".".join(words[:2]), {word for word in words if word.endswith(".dist-info")}


def venv_python(root):
    return os.path.join(root, ".venv", "bin", "python")


def stamp_path(root):
    return os.path.join(root, ".venv", "course-set-up.json")


def write_stamp(root, stamp):
    with open(stamp_path(root) + ".part", "w", encoding="utf-8") as file:
        json.dump(stamp, file, indent=1)
    os.replace(stamp_path(root) + ".part", stamp_path(root))


# ---- doing it ----------------------------------------------------------------------------------------------


def make_venv(root, lock):
    folder = os.path.join(root, ".venv")
    if os.path.lexists(folder):
        print(
            "The .venv that is there is unfinished, unchecked or was made elsewhere: making it anew.",
            flush=True,
        )
        if os.path.islink(folder):
            os.remove(folder)
        else:
            shutil.rmtree(folder)
    base = getattr(sys, "_base_executable", sys.executable)  # not that of the .venv that was just removed
    code, output = run([base, "-m", "venv", folder], "Making .venv", root, lock)
    if code != 0:
        sys.exit(explain(output))
    silence_news(root)


def install(root, step, stamp, label, lock):
    """pip install for one step. While it changes .venv there is no stamp; then the stamp knows the step."""
    if os.path.exists(stamp_path(root)):
        os.remove(stamp_path(root))
    for arguments in step.attempts:
        code, output = run([venv_python(root), "-m", "pip", "install", *arguments], label, root, lock)
        untouched = "Installing collected packages" not in output  # pip gave up before it changed anything
        if code == 0 or not untouched:
            break
        label += ", from the ordinary index"
    if step.attempts and code != 0:
        if untouched:
            write_stamp(root, stamp)
        sys.exit(explain(output))
    stamp["done"][step.name] = step.key
    stamp["packages"] = sorted(packages_in(root)[1])
    write_stamp(root, stamp)


def run(command, label, root, lock):
    """Run a command, showing that it is alive; return its exit status and output (also in .course/setup.log).

    The command inherits the lock: should this process be killed, the next call waits for the orphan's end.
    """
    environment = dict(os.environ, PYTHONUNBUFFERED="1", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    environment["PIP_USER"] = "0"  # somebody's pip configuration may ask for --user, which fails in .venv
    if (
        PYTORCH_CPU_INDEX in command
    ):  # alone: this replaces what pip's configuration names beside the ordinary one
        environment["PIP_EXTRA_INDEX_URL"] = PYTORCH_CPU_INDEX
    environment.pop("PYTHONHOME", None)
    environment.pop("PYTHONPATH", None)
    started = time.time()
    shown = Status(label)
    with open(os.path.join(root, ".course", "setup.log"), "w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
        )
        try:
            with open(log.name, encoding="utf-8", errors="replace") as output:
                text = ""
                while process.poll() is None:
                    time.sleep(0.1)
                    text += output.read()
                    shown.update(time.time() - started, doing(text))
                text += output.read()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    shown.finish(time.time() - started, process.returncode == 0)
    return process.returncode, text


def doing(output):
    """What pip is at, in a few words, from what it printed so far."""
    lines = output[-20000:].splitlines()
    words, done = "", ""
    for line in lines:
        progress = re.match(r"Progress (\d+) of (\d+)", line)
        if progress and int(progress.group(2)):
            done = f" {int(progress.group(1)) / int(progress.group(2)):.0%}"
        elif re.match(r"\s*(Downloading|Installing|Building|Collecting)\b", line):
            words, done = line.strip().split(": ")[0], ""
    return words + done


class Status:
    """One line that is kept up to date in a terminal; elsewhere a line now and then."""

    def __init__(self, label):
        self.label, self.live, self.last = label, sys.stdout.isatty(), 0.0
        if not self.live:
            print(label, flush=True)

    def update(self, seconds, words):
        if self.live and seconds - self.last > 0.2:
            line = f"{self.label} · {seconds:.0f} s · {words}"
            print("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
            self.last = seconds
        elif not self.live and seconds - self.last > 20:
            print(f"  {seconds:.0f} s · {words}", flush=True)
            self.last = seconds

    def finish(self, seconds, well):
        line = "{} · {} after {:.0f} s".format(self.label, "done" if well else "failed", seconds)
        print("\r\x1b[K" + line if self.live else "  " + line.split(" · ")[-1], flush=True)


@contextlib.contextmanager
def locked(root):
    """Hold root/.course/setup.lock, so that one call at a time installs. A killed process lets it go."""
    os.makedirs(os.path.join(root, ".course"), exist_ok=True)
    with open(os.path.join(root, ".course", "setup.lock"), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up is at work in this folder: waiting for it to end.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def silence_news(root):
    """JupyterLab shall not ask, at the first start, whether it may fetch news."""
    folder = os.path.join(root, ".venv", "etc", "jupyter", "labconfig")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "page_config.json"), "w", encoding="utf-8") as file:
        json.dump({"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}, file)


# ---- what can go wrong, in a sentence each -----------------------------------------------------------------

DISK_FULL = "The disk is full: free about 3 GB (12 GB with an NVIDIA GPU) and call again."
NO_NETWORK = (
    "The package index cannot be reached: check the network (or HTTPS_PROXY, behind a proxy) and call again."
)
NO_TRUST = (
    "The package index's certificate is not trusted here: "
    "behind a company's proxy, point PIP_CERT to its certificate and call again."
)
OTHER_SUM = (
    "What the package index gave for {} is none of the files that requirements.lock knows: it was not "
    "installed. Ask who runs the index; if the lock is out of date, `python -m tools.lock` renews it."
)
NOT_REACHED = [
    "(from versions: none)",  # of packages that are known to exist
    "Failed to establish a new connection",
    "name resolution",
    "Name or service not known",
    "nodename nor servname",
    "Network is unreachable",
    "Connection refused",
    "Connection reset",
    "ProxyError",
    "timed out",
    "IncompleteRead",
    "IncompleteDownload",
    "incomplete-download",
    "Connection broken",
]


def check_python():
    """Go on with a newer Python where this one is too old and there is one; else say what to do."""
    if sys.version_info < OLDEST_PYTHON:
        for name in NEWER_PYTHONS:
            path = shutil.which(name)
            if path and subprocess.call([path, "-c", ""], stderr=subprocess.DEVNULL) == 0:
                os.execv(path, [path, os.path.abspath(__file__), *sys.argv[1:]])
        sys.exit(
            "Python {}.{} is too old, the course needs 3.10 or newer: install one (python.org/downloads), "
            "then `make lab PYTHON=/path/to/python3`.".format(*sys.version_info)
        )
    if fcntl is None:
        sys.exit(
            "On Windows the course runs in WSL (learn.microsoft.com/windows/wsl): call `make lab` there."
        )
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        sys.exit(
            f"This Python ({sys.executable}) lacks its venv module: install it (Debian and Ubuntu: "
            "`apt install python3-venv`) or take another with `make lab PYTHON=/path/to/python3`."
        )


def check_room(root, steps):
    gigabytes = shutil.disk_usage(root).free / 1e9
    for step in steps:
        needed = GIGABYTES_NEEDED[step.key.split()[-1]] if step.name == "torch" else 0
        if step.name == "lock" and sys.platform == "linux":  # the ordinary index's build is the one for CUDA
            needed = GIGABYTES_NEEDED["CUDA"]
        if gigabytes < needed:
            sys.exit(
                f"The disk of {root} has {gigabytes:.1f} GB left and the set-up needs about {needed}: "
                "free some space and call again."
            )


def explain(output):
    """pip's (or venv's) output -> the sentence that says what to do."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return DISK_FULL
    if "CERTIFICATE_VERIFY_FAILED" in output:
        return NO_TRUST
    if "DO NOT MATCH THE HASHES" in output:
        other = re.search(r"^\s*(\S+==\S+).*:\n\s*Expected sha256", output, re.MULTILINE)
        return OTHER_SUM.format(other.group(1) if other else "a file")
    versions = re.search(r"requirement (\S+) .*\(from versions: (.*)\)", output)
    if versions and versions.group(2) != "none":  # the index was reached; it has no build for this machine
        return (
            "There is no build of {} for Python {}.{} on this machine: use a 64-bit Python 3.10 to 3.13 "
            "on Linux or on a Mac with Apple silicon.".format(versions.group(1), *sys.version_info)
        )
    if any(sign in output for sign in NOT_REACHED):
        return NO_NETWORK
    errors = [line for line in output.splitlines() if line.strip()] or ["no output"]
    worst = [line for line in errors if line.startswith("ERROR")] or errors
    return f"The set-up failed ({worst[-1].strip()}): the whole output is in .course/setup.log."


if __name__ == "__main__":
    main()
