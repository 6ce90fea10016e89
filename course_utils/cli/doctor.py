"""What this machine has, what is wrong, and what to do about it: `course doctor`.

Nothing here may fail because something else does. So each examination imports what it needs by itself, and
one that breaks becomes a finding.
"""

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from course_utils.folders import CHECKOUT

GIGABYTE = 1e9
MEMORY_NEEDED = 2.0  # GB: the largest notebook takes 1.5, JupyterLab and the browser the rest
DISK_NEEDED = 1.0  # GB: CIFAR-10's archive, unpacked and while it is unpacked, is 0.4


class Finding(NamedTuple):
    """One line of the doctor's answer."""

    name: str  # what was examined
    value: str  # what was found
    remedy: str = ""  # what to do about it; "" where there is nothing to do
    broken: bool = False  # True: the course does not work as it should until that is done

    def __str__(self) -> str:
        mark = "✘" if self.broken else "!" if self.remedy else "✔"
        line = f"{mark} {self.name:<9} {self.value}"
        return line + (f"\n{'':12}→ {self.remedy}" if self.remedy else "")


class Report(NamedTuple):
    """The doctor's answer: its findings, and all of them as text with `str(report)`."""

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is broken. A stand-in for missing data is not."""
        return not any(finding.broken for finding in self.findings)

    def __str__(self) -> str:
        broken = sum(finding.broken for finding in self.findings)
        hints = sum(bool(finding.remedy) for finding in self.findings) - broken
        summary = f"{broken} to fix (✘)." if broken else "Nothing to fix."
        if hints:
            summary += f" {hints} to know about (!)."
        return "\n".join([*map(str, self.findings), "", summary])


def report() -> Report:
    """Examine Python, packages, device, memory, disk and data.

    Returns:
        Report with one Finding for each. Paths in it are relative to the course's folder or to your home.
    """
    findings = []
    for name, examine in EXAMINATIONS.items():
        try:
            found = list(examine())
        except Exception as error:  # a doctor who falls ill helps nobody
            found = [
                Finding(
                    name, f"could not be examined ({type(error).__name__}: {error})", REINSTALL, broken=True
                )
            ]
        findings += [
            finding._replace(value=_short(finding.value), remedy=_short(finding.remedy)) for finding in found
        ]
    return Report(tuple(findings))


REINSTALL = "install the packages anew: `make clean`, then `make setup`"


def _python() -> Iterator[Finding]:
    where = f"{platform.python_version()} in {sys.prefix}, on {platform.system()} {platform.machine()}"
    too_old = sys.version_info < (3, 10)
    yield Finding(
        "Python", where, "install Python 3.10 or newer, then `make setup`" if too_old else "", too_old
    )


def _packages() -> Iterator[Finding]:
    from packaging.requirements import Requirement

    wanted = [Requirement(line) for line in metadata.requires("gan-course") or []]
    wanted = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    pins = pinned_versions()
    wrong, other = [], []
    for requirement in wanted:
        installed = _version(requirement.name)
        pin = pins.get(_normal(requirement.name))
        if installed is None:
            wrong.append(f"{requirement.name} is missing")
        elif not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} {installed} is not {requirement.specifier}")
        elif pin and installed.partition("+")[0] != pin:  # "2.13.0+cpu" is a build of 2.13.0
            other.append(f"{requirement.name} {installed} instead of {pin}")
    if wrong:
        yield Finding("Packages", "; ".join(wrong), "`make setup` installs what is missing", broken=True)
    elif other:
        remedy = "the course was tested with the others: `make setup` installs them"
        yield Finding("Packages", "; ".join(other), remedy)
    else:
        yield Finding(
            "Packages", f"{len(wanted)} needed, all here" + (" in the versions pinned" if pins else "")
        )


def pinned_versions() -> dict[str, str]:
    """Package name -> version from constraints.txt, for this Python; empty where there is no such file."""
    from packaging.requirements import Requirement

    file = CHECKOUT / "constraints.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    here = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    return {_normal(pin.name): next(iter(pin.specifier)).version for pin in here}


def _torch() -> Iterator[Finding]:
    try:
        import torch
    except ModuleNotFoundError:
        yield Finding("PyTorch", "missing", "`make setup` installs it", broken=True)
        return
    from course_utils import runtime

    build = f"built for CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    if sys.platform == "darwin":
        build = "with Apple's MPS" if torch.backends.mps.is_available() else "CPU only"
    yield Finding("PyTorch", f"{torch.__version__}, {build}", *_unused_gpu(torch))

    try:
        device, scale = runtime.pick_device(), runtime.scale()
    except ValueError as error:  # COURSE_DEVICE or COURSE_SCALE names something that there is not
        yield Finding("Device", str(error), "unset or correct the environment variable", broken=True)
        return
    model = {"cuda": torch.cuda.get_device_name, "mps": lambda _: "Apple GPU", "cpu": lambda _: processor()}[
        device.type
    ](device)
    number_format = "bfloat16 for convolutions" if runtime.has_fast_bfloat16(device) else "float32 throughout"
    yield Finding("Device", f"{device}: {model}; {number_format}; notebooks run at the {scale!r} scale")


def _unused_gpu(torch) -> tuple[str, bool]:
    """Remedy for an NVIDIA GPU that this PyTorch cannot use, and whether something is broken."""
    driver = Path("/proc/driver/nvidia/version").exists() or Path("/usr/lib/wsl/lib/libcuda.so.1").exists()
    if not driver or torch.cuda.is_available():
        return "", False
    if torch.version.cuda is None:
        return (
            "there is an NVIDIA GPU, and this build cannot use it: `make setup` installs the one that can",
            False,
        )
    return "there is an NVIDIA GPU, and its driver is too old for this build: update the driver", False


def processor() -> str:
    """The CPU's name, and how many of its cores this process may use."""
    from course_utils import runtime

    cores = runtime.usable_cores()
    return f"{processor_name()}, {cores} core{'s' if cores != 1 else ''}"


def processor_name() -> str:
    """The CPU's name, as the system gives it; with family and model where it lists them."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    fields = dict(re.findall(r"^(model name|cpu family|model)\s*: (.*)$", text, re.MULTILINE))
    if "model name" not in fields:
        return platform.processor() or platform.machine() or "CPU"
    if "cpu family" not in fields:
        return fields["model name"]
    return f"{fields['model name']} (family {fields['cpu family']}, model {fields['model']})"


def _threads() -> Iterator[Finding]:
    """How many threads a training would choose now: the digits' recipe tries, on noise, for a moment."""
    import torch

    from course_utils import runtime
    from course_utils.training import MNIST_DCGAN, train

    if runtime.pick_device().type != "cpu":
        return
    load = f"{runtime.free_cores()} of {runtime.usable_cores()} cores free"
    if hasattr(os, "getloadavg"):
        load += f", load {os.getloadavg()[0]:.1f}"
    if fixed := runtime.fixed_threads():
        yield Finding("Threads", f"{load}; COURSE_THREADS fixes {fixed} for every training")
        return

    def noise(n: int, rng: torch.Generator) -> torch.Tensor:
        return torch.rand(n, 1, 28, 28, generator=rng) * 2 - 1

    batch = {"images": 64, "snapshot_samples": 1, "progress": False}
    run = train(MNIST_DCGAN.gan(), noise, **batch, **MNIST_DCGAN.training)
    chosen = f"a training would now compute on {run.threads} thread{'s' if run.threads != 1 else ''}"
    busy = runtime.free_cores() < runtime.usable_cores()
    remedy = "other programs compute: trainings take longer than the notebooks say" if busy else ""
    yield Finding("Threads", f"{load}; {chosen}", remedy)


def _memory() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    try:  # a container's limit, which psutil does not know
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        total, free = min(total, limit), min(free, limit - used)
    except (OSError, ValueError):  # no such file, or "max": no limit
        pass
    value = f"{free / GIGABYTE:.1f} GB free of {total / GIGABYTE:.1f}"
    short = free < MEMORY_NEEDED * GIGABYTE
    remedy = "a notebook takes up to 1.5 GB: close other programs, or shut down other notebooks' kernels"
    yield Finding("Memory", value, remedy if short else "")


def _disk() -> Iterator[Finding]:
    folder = Path(os.path.expanduser(os.environ.get("COURSE_DATA") or CHECKOUT))
    while not os.path.isdir(folder):
        folder = folder.parent
    free = shutil.disk_usage(folder).free / GIGABYTE
    remedy = f"the data needs up to {DISK_NEEDED:.0f} GB: free some space" if free < DISK_NEEDED else ""
    yield Finding("Disk", f"{free:.1f} GB free in {folder}", remedy, broken=free < 0.1)


def _data() -> Iterator[Finding]:
    try:
        from course_utils import data
    except ModuleNotFoundError as error:
        yield Finding(
            "Data", f"cannot be read, {error.name} is missing", "`make setup` installs it", broken=True
        )
        return
    for name, title in {"mnist": "MNIST", "cifar10": "CIFAR-10"}.items():
        status = data.status(name)
        if status.state == "found":
            yield Finding(title, status.sentence)
        elif status.state in ("corrupt", "unusable"):
            what, _, remedy = status.sentence.partition("; ")
            yield Finding(title, what, remedy or "remove that file and fetch it again", broken=True)
        else:
            what, _, _ = status.sentence.partition(": ")
            fetch = f"`course data fetch {name}` gets it, as does the first notebook that needs it"
            yield Finding(title, f"{what}; until then a stand-in serves in its place", fetch)


EXAMINATIONS: dict[str, Callable[[], Iterator[Finding]]] = {
    "Python": _python,
    "Packages": _packages,
    "PyTorch": _torch,
    "Threads": _threads,
    "Memory": _memory,
    "Disk": _disk,
    "Data": _data,
}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _normal(name: str) -> str:
    """A package's name as every tool spells it (PEP 503): "Pre_Commit" -> "pre-commit"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _short(text: str) -> str:
    """Paths as people say them: from the course's folder, or from home."""
    text = text.replace(f"{CHECKOUT}{os.sep}", "").replace(str(CHECKOUT), "the course's folder")
    return re.sub(rf"(?<![\w/]){re.escape(str(Path.home()))}(?=/)", "~", text)
