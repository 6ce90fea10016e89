"""The whole checkout, the notebooks' scripts included, passes the linter and is formatted."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_has_nothing_to_say(command):
    result = subprocess.run(
        [sys.executable, "-m", "ruff", *command], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("script", sorted((ROOT / "solutions").glob("*.py")), ids=lambda path: path.stem)
def test_lines_of_the_notebooks_scripts_are_short_enough_for_a_diff(script):
    """Prose is at most 100 characters wide, code 110, and a text that it prints 120.

    Tables, formulas, links, and remarks for the linter of numbers cannot be wrapped.
    """
    cannot_be_wrapped = re.compile(r"# \||.*\\[a-zA-Z]|# .*\S{60}|# .*<!--")
    text = re.compile(r"\s+(\w+=)?f?\"")
    too_long = [
        f"{number}: {line}"
        for number, line in enumerate(script.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > (100 if line.startswith("# ") else 120 if text.match(line) else 110)
        and not cannot_be_wrapped.match(line)
    ]
    assert too_long == []
