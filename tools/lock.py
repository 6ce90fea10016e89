"""Renew requirements.lock: what constraints.txt pins, for every system, with the sums of all files.

    python -m tools.lock

`make setup STRICT=1` installs from it, and pip then refuses any file whose sum is not there. It is made by uv
(docs.astral.sh/uv), which must be on the PATH; call this after `python -m tools.constraints`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from tools.constraints import INSTALLED_FIRST

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
OLDEST_PYTHON = "3.10"

HEADER = (
    "# What constraints.txt pins, with the sums of the files: `make setup STRICT=1` installs nothing else.\n"
    "# Made by `python -m tools.lock`.\n"
)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    wanted = ["pyproject.toml", "--extra", "dev", "-", "--constraints", "constraints.txt"]
    how = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes", "--only-binary", ":all:"]
    plain = ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet"]
    try:
        done = subprocess.run(
            ["uv", "pip", "compile", *wanted, *how, *plain],
            cwd=ROOT,
            input="\n".join(INSTALLED_FIRST),
            stdout=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError:
        sys.exit("There is no uv on the PATH: install it in an environment of its own, then call again.")
    if done.returncode != 0:
        sys.exit("uv could not make the lock, see above; requirements.lock is as it was.")
    LOCK.write_text(HEADER + done.stdout, encoding="utf-8")


if __name__ == "__main__":
    main()
