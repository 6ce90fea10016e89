"""Every notebook runs through with every exercise solved wrongly, and each check says so."""

import nbformat
import pytest

from course_utils.exercises.clinic import REMARK
from tools.notebooks import choose_scripts
from tools.run import ROOT, execute

pytestmark = pytest.mark.slow
NONSENSE = '"nonsense"'


@pytest.mark.parametrize("name", [script.stem for script in choose_scripts([])])
def test_wrong_answers_stop_nothing_and_none_of_them_passes(name):
    folder = ROOT / "notebooks"
    notebook = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    answered = 0
    for cell in notebook.cells:
        if cell.cell_type == "code":
            answered += cell.source.count("your code here")
            cell.source = cell.source.replace(
                'raise NotImplementedError("your code here")', f"return {NONSENSE}"
            ).replace("...  # your code here", NONSENSE)
            cell.source = cell.source.replace(f"# {REMARK}", f"return {NONSENSE}")  # a program to be repaired
    result = execute(notebook, name, folder, scale="ci", seconds_per_cell=180)
    assert answered > 0
    assert result.problem == ""
    verdicts = [
        output.data["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "course-verdict" in output.get("data", {}).get("text/html", "")
    ]
    assert verdicts
    assert [verdict for verdict in verdicts if not verdict.startswith("✘")] == []
