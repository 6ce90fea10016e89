"""Renew constraints.txt: the newest versions that work together, for each Python that the course supports.

    python -m tools.constraints python3.10 python3.11

constraints-book.txt, with what `make book` installs besides, is renewed with it, for Python 3.11 and later.

Some packages' newest versions no longer support Python 3.10, so it has versions of its own where it needs
them; what Python 3.11 gets serves every later Python too. Nothing is installed but pip, in a temporary
folder. It needs Python 3.11 itself. Afterwards run `make test` and bring environment.yml up to date: a test
names what differs.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHOSEN_BY_HAND = [
    "torch==2.13.0",  # a new torch is tried out before it is adopted
    "soupsieve==2.10",  # the newest that Python 3.11.2 of Debian 12 may have: later ones want 3.11.5
]
INSTALLED_FIRST = ["pip", "setuptools"]  # by tools/setup.py
ONLY_ON_MACS = 'appnope==0.1.4 ; sys_platform == "darwin"'  # the resolver on Linux does not see it
BROUGHT_BY_TORCH = ("nvidia-", "cuda-", "triton")  # the CUDA build pins these itself

HEADER = (
    "# What is installed, to the version, so that everybody has the same course. "
    "Made by `python -m tools.constraints`.\n"
)


HEADER_BOOK = (
    "# What `make book` installs besides constraints.txt, to the version. "
    "Made by `python -m tools.constraints`.\n"
)


def requirements(extra: str = "dev") -> list[str]:
    """What pyproject.toml asks for, an extra included."""
    import tomllib  # Python 3.11: whoever only wants the names above may have 3.10

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"][extra]


def resolve(interpreter: str, requirements: list[str]) -> dict[str, str]:
    """Package name -> version that pip would install for `interpreter`, dependencies included."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([interpreter, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip", "--quiet"]
        subprocess.run([*pip, "install", "--upgrade", "pip"], check=True)  # --report needs pip >= 22.2
        report = Path(folder) / "report.json"
        dry_run = ["install", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([*pip, *dry_run, *requirements], check=True)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {package["metadata"]["name"]: package["metadata"]["version"] for package in installed}


def constraint_lines(oldest: dict[str, str], others: dict[str, str]) -> list[str]:
    """One line a package where all Pythons get the same version, else one for 3.10 and one for the others."""
    lines = [ONLY_ON_MACS]
    for name in oldest.keys() | others.keys():
        if name.startswith(BROUGHT_BY_TORCH):
            continue
        old, new = oldest.get(name), others.get(name)
        if name == "torch":  # "2.13.0" stands for its CPU build, "2.13.0+cpu", too
            old, new = old.partition("+")[0], new.partition("+")[0]
        if old == new:
            lines.append(f"{name}=={old}")
        else:
            lines += [f'{name}=={old} ; python_version < "3.11"'] if old else []
            lines += [f'{name}=={new} ; python_version >= "3.11"'] if new else []
    return sorted(lines, key=str.lower)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("oldest", help="a Python 3.10")
    parser.add_argument("others", help="a Python 3.11")
    arguments = parser.parse_args()
    wanted = CHOSEN_BY_HAND + INSTALLED_FIRST + requirements()
    others = resolve(arguments.others, wanted)
    lines = constraint_lines(resolve(arguments.oldest, wanted), others)
    (ROOT / "constraints.txt").write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    pinned = [f"{name}=={version}" for name, version in others.items()]
    with_book = resolve(arguments.others, [*pinned, *requirements("book")])
    lines = [f"{name}=={version}" for name, version in with_book.items() if name not in others]
    text = HEADER_BOOK + "\n".join(sorted(lines, key=str.lower)) + "\n"
    (ROOT / "constraints-book.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
