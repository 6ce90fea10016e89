"""pyproject.toml, constraints.txt and environment.yml name the same packages, in versions that agree."""

import ast
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tools.constraints import BROUGHT_BY_TORCH

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CONDA_NAMES = {"torch": "pytorch"}  # PyPI's name -> conda-forge's, where they differ
IMPORT_NAMES = {
    "importlinter": "import-linter",
    "markdown_it": "markdown-it-py",
    "mdit_py_plugins": "mdit-py-plugins",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "pyyaml",
}  # import's name -> PyPI's


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def lists_of(table):
    """The strings of pyproject.toml's array `table`. (tomllib is not there in Python 3.10.)"""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    array = re.search(rf"^{table} = (\[.*?\])$", text, re.MULTILINE | re.DOTALL).group(1)
    return ast.literal_eval(array)


CORE = {normal(one.name): one for one in map(Requirement, lists_of("dependencies"))}
DEVELOPMENT = {normal(one.name): one for one in map(Requirement, lists_of("dev"))}
BOOK = {normal(one.name): one for one in map(Requirement, lists_of("book"))}


def pins(python, system="linux"):
    """Package name -> version that constraints.txt gives to that Python on that system."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    on = {"python_version": python, "sys_platform": system}
    chosen = [one for one in requirements if one.marker is None or one.marker.evaluate(on)]
    names = [normal(one.name) for one in chosen]
    assert len(set(names)) == len(names), "a package is pinned twice"
    return {normal(one.name): str(one.specifier).removeprefix("==") for one in chosen}


def conda():
    """Package name -> version in environment.yml, and its pip section."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    packages = dict(
        entry.split("=") if "=" in entry else (entry, "") for entry in entries if isinstance(entry, str)
    )
    return packages, next(entry["pip"] for entry in entries if isinstance(entry, dict))


def test_what_only_the_book_needs_is_pinned_in_a_file_of_its_own_and_nowhere_else():
    """`make setup` stays as fast as it is: neither constraints.txt nor the lock names these packages."""
    lines = (ROOT / "constraints-book.txt").read_text(encoding="utf-8").splitlines()
    pinned = {normal(one.name): one for one in map(Requirement, (line for line in lines if line[0] != "#"))}
    for python in PYTHONS:
        assert not pinned.keys() & pins(python).keys()
    assert not BOOK.keys() & {*CORE, *DEVELOPMENT}
    versions = pins("3.11") | {name: str(one.specifier)[2:] for name, one in pinned.items()}
    for name, requirement in BOOK.items():
        assert requirement.specifier.contains(versions[name]), f"{requirement} forbids {versions[name]}"


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(python):
    pinned = pins(python)
    for name, requirement in (CORE | DEVELOPMENT).items():
        assert name in pinned, f"constraints.txt lacks {name} for Python {python}"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} forbids {pinned[name]}"


def test_no_pin_wants_a_later_patch_release_of_python():
    """Debian 12's Python is 3.11.2: a package that wants 3.11.5 would end the set-up there."""
    first_release = "{}.{}.0".format(*sys.version_info)
    for name, version in pins("{}.{}".format(*sys.version_info)).items():
        try:
            installed = metadata(name)
        except PackageNotFoundError:  # for another system
            continue
        if installed["Version"].partition("+")[0] == version:
            wanted = SpecifierSet(installed.get("Requires-Python", ""))
            assert wanted.contains(first_release), f"{name}=={version} wants Python {wanted}"


def test_what_the_set_up_installs_first_is_pinned_for_every_python():
    build = Requirement(lists_of("requires")[0])
    for python in PYTHONS:
        assert build.specifier.contains(pins(python)["setuptools"])
        assert {"pip", "torch"} <= pins(python).keys()


def locked(python, system):
    """Package name -> version that requirements.lock gives to that Python there; each line has its sums."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    on = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "platform_machine": {"linux": "x86_64", "darwin": "arm64"}[system],
        "os_name": "posix",
    }
    found = {}
    for line in lines:
        requirement, *sums = line.split(" --hash=")
        assert sums and all(re.fullmatch(r"sha256:[0-9a-f]{64}", one.strip()) for one in sums), requirement
        one = Requirement(requirement)
        if one.marker is None or one.marker.evaluate(on):
            assert normal(one.name) not in found, f"{one.name} is locked twice"
            found[normal(one.name)] = str(one.specifier).removeprefix("==")
    return found


@pytest.mark.parametrize("system", ["linux", "darwin"])
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_is_what_is_pinned_with_sums(python, system):
    in_the_lock = locked(python, system)
    ours = {name: version for name, version in in_the_lock.items() if not name.startswith(BROUGHT_BY_TORCH)}
    pinned = pins(python, system)
    assert ours == {name: pinned.get(name) for name in ours}
    assert {*CORE, *DEVELOPMENT, "pip", "setuptools"} <= ours.keys()


def test_everything_that_is_pinned_is_locked_for_some_python():
    """Not for each: an older Python needs packages that a newer one has built in."""
    somewhere = {
        name for python in PYTHONS for system in ("linux", "darwin") for name in locked(python, system)
    }
    assert {name for python in PYTHONS for name in pins(python)} <= somewhere


def test_the_lock_names_no_index():
    """Where packages come from is pip's configuration."""
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_conda_gets_the_same_packages():
    packages, from_pip = conda()
    assert packages.keys() - {"python", "pip"} == {CONDA_NAMES.get(name, name) for name in CORE}
    assert from_pip == ["-e ."]  # the course itself, with its `course` command


def test_conda_gets_the_same_versions():
    packages, _ = conda()
    pinned = pins(packages["python"])
    for name in CORE:
        wanted = packages[CONDA_NAMES.get(name, name)]
        assert f"{pinned[name]}.".startswith(f"{wanted}."), (
            f"{name} is {pinned[name]} with pip, {wanted} with conda"
        )


def test_conda_gets_a_python_that_the_course_supports():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest = re.search(r'^requires-python = ">=(.*)"$', text, re.MULTILINE).group(1)
    assert oldest == PYTHONS[0]
    assert Version(conda()[0]["python"]) >= Version(oldest)


def test_every_python_that_versions_are_pinned_for_is_tested_on_github():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == list(PYTHONS)


@pytest.mark.parametrize(
    "folder, declared",
    [
        ("course_utils", CORE),
        ("tools", CORE | DEVELOPMENT | BOOK),
        ("benchmarks", CORE | DEVELOPMENT),
        ("tests", CORE | DEVELOPMENT | BOOK),
        ("solutions", CORE),
    ],
)
def test_what_is_imported_is_declared(folder, declared):
    ours = {"benchmarks", "course_utils", "tools", "tests", "conftest"}
    missing = {}
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
            for top in {name.partition(".")[0] for name in names} - ours - sys.stdlib_module_names:
                if normal(IMPORT_NAMES.get(top, top)) not in declared:
                    missing.setdefault(top, file.name)
    assert missing == {}, "imported, but neither in pyproject.toml's dependencies nor in its extra"
