"""`course pack`: all that a room without a network needs, in one folder for a stick or a share.

gan-course.tar.gz   the course, as it is committed
wheels/             every package of constraints.txt, for the platforms and Pythons asked for
data/               the data sets, laid out as `COURSE_DATA` wants them
book/               the book, where `make book` has made it
set-up.sh           the one command of whoever holds the stick
README.txt          what to call
SHA256SUMS          of every file; written last, so that a folder without it is unfinished
"""

import argparse
import hashlib
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from course_utils.folders import CHECKOUT

COURSE, WHEELS, DATA, BOOK, SET_UP, README, SUMS = (
    "gan-course.tar.gz",
    "wheels",
    "data",
    "book",
    "set-up.sh",
    "README.txt",
    "SHA256SUMS",
)
PARTS = (COURSE, WHEELS, DATA, BOOK, SET_UP, README, SUMS)
BUILT_BOOK = Path("build/book/html")  # in a checkout, after `make book`
FOLDERS = {"mnist": "mnist", "cifar10": "cifar-10-batches-bin"}  # of the data sets, in the data folder
DATA_SETS = tuple(FOLDERS)
SCRIPT = CHECKOUT / "course_utils" / "assets" / "set_up_from_pack.sh"

# What pip calls the platforms, newest first: a package offers a wheel for some of them. PyTorch's wheels want
# glibc 2.28 (Debian 10, Ubuntu 20.04) or macOS 14.
GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2_12", "2_5")
PLATFORMS = {
    "linux-x86_64": (*(f"manylinux_{one}_x86_64" for one in GLIBC), "manylinux2014_x86_64", "linux_x86_64"),
    "linux-arm64": (*(f"manylinux_{one}_aarch64" for one in GLIBC), "manylinux2014_aarch64", "linux_aarch64"),
    "macos-arm64": ("macosx_14_0_arm64",),
}
SYSTEMS = {"linux": "linux", "macos": "darwin"}  # in a platform's name -> sys.platform
THIS_PYTHON = "{}.{}".format(*sys.version_info)


class PackError(Exception):
    """Something cannot be packed; the message says what and what to do."""


def register(commands: argparse._SubParsersAction) -> None:
    """Add `course pack` to the command line."""
    parser = commands.add_parser("pack", help="put all that a room without a network needs into one folder")
    parser.add_argument("folder", type=Path, help="a new or an empty folder, or an earlier pack to complete")
    parser.add_argument(
        "--platform", nargs="+", choices=PLATFORMS, default=[this_platform()], help="by default this one"
    )
    parser.add_argument("--python", nargs="+", default=[THIS_PYTHON], help="such as 3.11 3.12")
    parser.add_argument("--data", nargs="*", choices=DATA_SETS, default=[*DATA_SETS], help="by default both")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        pack(arguments.folder, arguments.platform, arguments.python, arguments.data)
    except (PackError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def pack(
    folder: Path,
    platforms: Sequence[str],
    pythons: Sequence[str],
    data_sets: Sequence[str] = DATA_SETS,
    checkout: Path = CHECKOUT,
) -> None:
    """Fill the folder. Called again after an interruption, it downloads only what is missing.

    Args:
        folder: new, empty, or an earlier pack.
        platforms: keys of `PLATFORMS`.
        pythons: such as "3.12"; a set-up from the pack needs one of them.
        data_sets: of "mnist" and "cifar10".
        checkout: the course to pack.

    Raises:
        PackError: something else is in the folder, or something cannot be had.
    """
    folder = folder.expanduser()
    if folder.is_dir():
        foreign = sorted(path.name for path in folder.iterdir() if path.name not in PARTS)
        if foreign:
            raise PackError(f"{folder} holds {foreign[0]}, which is no part of a pack: name an empty folder.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SUMS).unlink(missing_ok=True)
    pack_course(folder, checkout)
    for platform in platforms:
        for python in pythons:
            pack_wheels(folder / WHEELS, platform, python, checkout)
    for name in data_sets:
        pack_data(folder / DATA, name)
    if (checkout / BUILT_BOOK / "index.html").exists():
        shutil.copytree(checkout / BUILT_BOOK, folder / BOOK, dirs_exist_ok=True)
        print("book: as it was last built")
    else:
        print("book: there is none; `make book` makes it")
    (folder / SET_UP).write_text(
        SCRIPT.read_text(encoding="utf-8").replace("PYTHONS", " ".join(pythons)), encoding="utf-8"
    )
    (folder / README).write_text(README_TEXT, encoding="utf-8")
    files = write_sums(folder)
    size = sum(path.stat().st_size for path in files) / 1e6
    print(f"{folder}: {len(files)} files, {size:,.0f} MB. On the other machines: sh {SET_UP}")


def pack_course(folder: Path, checkout: Path) -> None:
    """The committed files of the checkout, as an archive."""
    git = ["git", "-C", str(checkout)]
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    if changed.returncode != 0:
        raise PackError(
            f"{checkout} is no git checkout, so what belongs to the course is not known: clone it, pack that."
        )
    command = [
        "archive",
        "--format=tar.gz",
        "--prefix=gan-course/",
        f"--output={(folder / COURSE).resolve()}",
    ]
    subprocess.run([*git, *command, "HEAD"], check=True)
    remark = "; what is not committed is not in it" if changed.stdout else ""
    print(f"course: as it is committed{remark}")


# ---- wheels ------------------------------------------------------------------------------------------------


def pack_wheels(folder: Path, platform: str, python: str, checkout: Path) -> None:
    """Download what constraints.txt pins for that platform and Python.

    PyTorch comes from where tools/setup.py takes it from: on Linux the build for the CPU, from its own index.
    """
    pins = pinned(checkout, SYSTEMS[platform.split("-")[0]], python)
    torch = [pin for pin in pins if pin.startswith("torch==")]
    others = [pin for pin in pins if pin not in torch]
    target = ["--python-version", python, "--implementation", "cp"]
    for tag in PLATFORMS[platform]:
        target += ["--platform", tag]
    own = runpy.run_path(str(checkout / "tools" / "setup.py"))["PYTORCH_CPU_INDEX"]
    attempts = [["--index-url", own]] if platform.startswith("linux") else []
    print(f"wheels for {platform}, Python {python}: {len(pins)} packages", flush=True)
    for index in [*attempts, []]:
        failure = _download([*target, *index, *torch], folder)
        if not failure:
            break
    failure = failure or _download([*target, *others], folder)
    if failure:
        raise PackError(f"pip could not get the wheels for {platform}, Python {python}: {failure}")


def _download(arguments: Sequence[str], folder: Path) -> str:
    """pip's last word about what it could not download; "" where it could."""
    # --no-deps, because constraints.txt names everything, and pip reads the conditions of dependencies for
    # the machine that it runs on
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--dest", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
    return "" if done.returncode == 0 else lines[-1]


def pinned(checkout: Path, system: str, python: str) -> list[str]:
    """The lines "name==version" of constraints.txt that hold for a system and a Python.

    Raises:
        PackError: constraints.txt pins nothing for such a Python.
    """
    from packaging.requirements import Requirement

    lines = (checkout / "constraints.txt").read_text(encoding="utf-8").splitlines()
    known = [Requirement(line) for line in lines if line and not line.startswith("#")]
    there = {"sys_platform": system, "python_version": python}
    project = (checkout / "pyproject.toml").read_text(encoding="utf-8")
    oldest = project.partition('requires-python = ">=')[2].partition('"')[0]
    if oldest and _numbers(python) < _numbers(oldest):
        raise PackError(f"the course needs Python {oldest} or newer, got {python}")
    return [f"{one.name}{one.specifier}" for one in known if one.marker is None or one.marker.evaluate(there)]


def _numbers(version: str) -> list[int]:
    if not all(part.isdecimal() for part in version.split(".")):
        raise PackError(f"{version!r} is no version of Python; write 3.12, say")
    return [int(part) for part in version.split(".")]


# ---- data --------------------------------------------------------------------------------------------------


def pack_data(folder: Path, name: str) -> None:
    """A data set's files as `COURSE_DATA` wants them, and its archive, so that `course serve` can offer it.

    Args:
        folder: the pack's data folder.
        name: "mnist" or "cifar10".

    Raises:
        PackError: they are not here and cannot be fetched.
    """
    from course_utils import data
    from course_utils.data.images import DATA_SETS as READERS

    try:
        place = data.fetch(name)
    except (data.DownloadError, data.DataError) as error:
        raise PackError(f"{name} cannot be packed: {error} (`--data` leaves it out)") from error
    target = folder / FOLDERS[name]
    target.mkdir(parents=True, exist_ok=True)
    for file in (file for split in READERS[name].FILES.values() for file in split):
        for path in (place / file, place / f"{file}.gz"):
            if path.exists():
                shutil.copyfile(path, target / path.name)
    print(f"{name}: {sum(path.stat().st_size for path in target.iterdir()) / 1e6:,.0f} MB")
    for source in data.SOURCES[name]:
        _pack_official(source, target if name == "mnist" else folder, name)


def _pack_official(source, folder: Path, name: str) -> None:
    """The file as its authors publish it: the only one that a download takes, by its sum."""
    from course_utils.data import DownloadError
    from course_utils.data.download import download

    path = folder / source.file
    if path.exists() and path.stat().st_size == source.size:
        return
    workplace = folder / ".downloading"
    try:
        if os.environ.get("COURSE_OFFLINE", "0") not in ("", "0"):
            raise DownloadError("COURSE_OFFLINE forbids it.")
        workplace.mkdir(exist_ok=True)
        download(source, folder, workplace)
    except DownloadError as error:
        print(f"  {name} can be copied from the pack, but `course serve` cannot offer {source.file}: {error}")
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


# ---- the rest ----------------------------------------------------------------------------------------------


def files_of(folder: Path) -> Iterator[Path]:
    """Every file of a pack but its list of sums and what is hidden, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden and path != folder / SUMS:
            yield path


def write_sums(folder: Path) -> list[Path]:
    """Write SHA256SUMS as `sha256sum --check` reads it; returns the files that it lists."""
    files = [*files_of(folder)]
    lines = [f"{sha256(path)}  {path.relative_to(folder).as_posix()}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")
    return files


def sha256(path: Path) -> str:
    """The sum of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def this_platform(uname: Sequence[str] | None = None) -> str:
    """The key of `PLATFORMS` for this machine; "linux-x86_64" where it has none.

    Args:
        uname: system and machine, as `os.uname` names them; None asks.
    """
    system, machine = uname or (sys.platform, os.uname().machine if hasattr(os, "uname") else "")
    names: Mapping[tuple[str, bool], str] = {
        ("linux", False): "linux-x86_64",
        ("linux", True): "linux-arm64",
        ("darwin", True): "macos-arm64",
    }
    return names.get((system, machine in ("arm64", "aarch64")), "linux-x86_64")


README_TEXT = """\
The GAN course, for a room without a network.

With this folder at hand (a stick, a share):

    sh set-up.sh                   sets the course up in ~/gan-course
    cd ~/gan-course && make lab    opens it in JupyterLab

Is every file whole?  sha256sum --check --quiet SHA256SUMS    (macOS: shasum -a 256 --check SHA256SUMS)

For those who have no stick, one machine of the room can offer this folder: `course serve` in a course that
is set up, see docs/classroom.md in it.
"""
