"""Every variable that the course reads stands in one table, and the table names no other."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "environment_variables.md"
VARIABLE = re.compile(r"\bCOURSE_[A-Z]+\b")


def test_the_table_names_every_variable_that_the_code_reads_and_no_other():
    files = [ROOT / "Makefile", ROOT / "conftest.py"]
    for folder, kinds in {"course_utils": ("py", "sh", "js"), "tools": ("py",), "solutions": ("py",)}.items():
        files += [path for kind in kinds for path in (ROOT / folder).rglob(f"*.{kind}")]
    assert len(files) > 100
    read = {name for path in files for name in VARIABLE.findall(path.read_text(encoding="utf-8"))}
    rows = re.findall(r"^\| `(COURSE_[A-Z]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == sorted(read)
