"""docs/reliability.md: every fault in it has a test, and that test exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reliability.md"


def rows():
    """The cells of each row of the page's tables, without headings."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [row for row in cells if row[0] != "fault" and not row[0].startswith("---")]


def names_of_tests(folder):
    return {
        node.name
        for file in folder.rglob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_each_fault_says_what_one_sees_and_names_tests_that_exist():
    known = names_of_tests(ROOT / "tests")
    assert len(rows()) > 40
    for row in rows():
        assert len(row) == 3, row
        fault, seen, tests = row
        named = re.findall(r"`(\w+)`", tests)
        assert seen and named, f"no test for: {fault}"
        assert set(named) <= known, f"{fault}: there is no {set(named) - known}"
