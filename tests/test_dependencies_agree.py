"""pyproject.toml, constraints.txt and environment.yml name the same packages, in versions that agree."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
CONDA_NAMES = {"torch": "pytorch"}  # PyPI's name -> conda-forge's, where they differ
IMPORT_NAMES = {
    "importlinter": "import-linter",
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


def pins(python):
    """Package name -> version that constraints.txt gives to that Python on Linux."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    requirements = [Requirement(line) for line in lines if not line.startswith("#")]
    on = {"python_version": python, "sys_platform": "linux"}
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


@pytest.mark.parametrize("python", PYTHONS)
def test_every_requirement_is_pinned_to_a_version_that_it_allows(python):
    pinned = pins(python)
    for name, requirement in (CORE | DEVELOPMENT).items():
        assert name in pinned, f"constraints.txt lacks {name} for Python {python}"
        assert requirement.specifier.contains(pinned[name]), f"{requirement} forbids {pinned[name]}"


def test_what_the_set_up_installs_first_is_pinned_for_every_python():
    build = Requirement(lists_of("requires")[0])
    for python in PYTHONS:
        assert build.specifier.contains(pins(python)["setuptools"])
        assert {"pip", "torch"} <= pins(python).keys()


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
        ("tools", CORE | DEVELOPMENT),
        ("benchmarks", CORE | DEVELOPMENT),
        ("tests", CORE | DEVELOPMENT),
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
