"""The notebooks: generated from their scripts without drift, alike in their bones, run by nbval."""

import copy
import json
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_utils.checks.verdict import exercises_of
from tools import notebooks
from tools.course import NAMES
from tools.lint import lint, printed_seconds, without_outputs
from tools.notebooks import NotebookError, build, drift, generate, read_script, stub, stub_source
from tools.run import ROOT, Result

PRESENT = [script.stem for script in notebooks.choose_scripts([])]


# --- the course's own notebooks -------------------------------------------------------------------------


def test_the_notebooks_that_there_are_belong_to_the_course():
    assert PRESENT
    assert set(PRESENT) <= set(NAMES)


@pytest.mark.generated
@pytest.mark.parametrize("name", PRESENT)
def test_notebook_agrees_with_its_script(name):
    assert drift(names=[name]) == []


@pytest.mark.generated
def test_no_notebook_is_without_a_script():
    assert [problem for problem in drift() if "has no script" in problem] == []


@pytest.mark.parametrize("name", PRESENT)
@pytest.mark.parametrize("folder", ["solutions", "notebooks"])
def test_notebook_keeps_the_rules(folder, name):
    notebook = nbformat.read(ROOT / folder / f"{name}.ipynb", as_version=4)
    declared = [one.number for one in exercises_of(int(name[:2]))]
    assert lint(notebook, name, declared, PRESENT) == []
    if folder == "notebooks":
        assert without_outputs(notebook) == []


@pytest.mark.parametrize("name", PRESENT)
def test_headings_of_exercises_say_what_the_checkers_declare(name):
    text = (ROOT / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    for one in exercises_of(int(name[:2])):
        dots = "●" * one.difficulty + "○" * (3 - one.difficulty)
        heading = f"### Exercise {one.number} — {one.title} ({dots}, {one.minutes} min)"
        assert heading.lower() in text.lower()


@pytest.mark.parametrize("name", PRESENT)
def test_solution_stays_small_enough_to_be_read_online(name):
    megabytes = (ROOT / "solutions" / f"{name}.ipynb").stat().st_size / 2**20
    assert megabytes < 5, "show fewer or smaller pictures"


@pytest.mark.parametrize("name", PRESENT)
def test_no_answer_is_left_in_the_learners_notebook(name):
    script = ROOT / "solutions" / f"{name}.py"
    learner = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert_no_leak(script.read_text(encoding="utf-8"), learner)


def assert_no_leak(script, learner):
    code = [cell.source for cell in learner.cells if cell.cell_type == "code"]
    blocks = re.findall(r"### BEGIN SOLUTION\n(.*?)\n\s*### END SOLUTION", script, re.DOTALL)
    assert script.count("### BEGIN SOLUTION") == len(blocks)
    for block in blocks:
        assert not any(block in cell for cell in code), f"a learner can read {block!r}"
    assert not any("BEGIN SOLUTION" in cell or "END SOLUTION" in cell for cell in code)


@pytest.mark.slow
def test_nbval_collects_every_cell():
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", "-o", "addopts="]
    command += ["--nbval-lax", "--nbval-current-env", "notebooks", "solutions"]
    collected = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    paths = [ROOT / folder / f"{name}.ipynb" for folder in ("notebooks", "solutions") for name in PRESENT]
    paths += sorted((ROOT / "notebooks" / "zh").glob("*.ipynb"))
    cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells]
    assert (
        len(re.findall(r"\.ipynb::Cell \d+", collected))
        == sum(cell.cell_type == "code" for cell in cells)
        > 0
    )


def test_a_bare_pytest_runs_the_notebooks_too(pytestconfig):
    assert pytestconfig.option.nbval_lax
    assert {"tests", "notebooks", "solutions"} <= set(pytestconfig.getini("testpaths"))


@pytest.mark.slow
def test_nbval_passes_the_tests_environment_on_and_fails_on_an_error_in_a_widget(tmp_path):
    environment = (
        'import os\nassert os.environ["COURSE_SCALE"] == "ci" and os.environ["COURSE_OFFLINE"] == "1"'
    )
    swallowed = "import ipywidgets\noutput = ipywidgets.Output()\nwith output:\n    1 / 0"
    notebook = new_notebook(cells=[new_code_cell(environment), new_code_cell(swallowed)])
    nbformat.write(notebook, tmp_path / "probe.ipynb")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "-c",
        "pyproject.toml",
        "--rootdir",
        str(ROOT),
    ]
    command += ["-p", "no:cacheprovider", "-rA", str(tmp_path / "probe.ipynb")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "1 failed, 1 passed" in run.stdout
    assert "ZeroDivisionError" in run.stdout
    assert run.returncode == 1


# --- from script to notebooks ---------------------------------------------------------------------------

SCRIPT = '''# %% [markdown]
# # A title

# %%
def double(x):
    """2x."""
    ### BEGIN SOLUTION
    return x + x
    ### END SOLUTION

# %%
print(1)

# %%
print(1)

# %% [markdown] tags=["solution"]
# The answer, discussed.
'''


@pytest.fixture
def course(tmp_path):
    """A small course whose solution counts as executed."""
    script = tmp_path / "solutions" / "01_minimax_objective.py"
    script.parent.mkdir()
    script.write_text(SCRIPT, encoding="utf-8")
    pretend_to_execute(script)
    build(root=tmp_path)
    return tmp_path


def pretend_to_execute(script):
    notebook = read_script(script)
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        cell.outputs = [new_output("stream", name="stdout", text=f"output {number}\n")]
    notebooks.settle_outputs(notebook, Result(script.stem, seconds=3.0))
    script.with_suffix(".ipynb").write_text(notebooks.to_text(notebook), encoding="utf-8")


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_just_built_has_no_drift_and_is_not_written_again(course):
    assert drift(course) == []
    assert build(root=course) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "complaints"),
    [
        ("solutions/{}.py", "x + x", "3 * x", ["does not agree", "executed from other code"]),
        ("solutions/{}.py", "A title", "Another", ["does not agree", "does not agree"]),
        ("solutions/{}.py", "print(1)", "# a comment\n\nprint(1)", ["does not agree", "does not agree"]),
        ("solutions/{}.ipynb", "x + x", "3 * x", ["solutions/01_minimax_objective.ipynb does not agree"]),
        ("solutions/{}.ipynb", "A title", "Another", ["solutions/01_minimax_objective.ipynb does not agree"]),
        ("solutions/{}.ipynb", "output 2", "output 9", ["outputs that no run has made"]),
        (
            "solutions/{}.ipynb",
            '"python3"',
            '"mine"',
            ["solutions/01_minimax_objective.ipynb does not agree"],
        ),
        (
            "notebooks/{}.ipynb",
            "your code here",
            "mine",
            ["notebooks/01_minimax_objective.ipynb does not agree"],
        ),
        (
            "notebooks/{}.ipynb",
            '"outputs": []',
            '"outputs": [1]',
            ["notebooks/01_minimax_objective.ipynb does"],
        ),
        ("notebooks/{}.ipynb", "\n", "\n\n", ["notebooks/01_minimax_objective.ipynb does not agree"]),
    ],
)
def test_an_edit_on_any_side_is_drift(course, file, old, new, complaints):
    edit(course / file.format("01_minimax_objective"), old, new)
    found = drift(course)
    assert len(found) >= len(complaints)
    for complaint in complaints:
        assert any(complaint in problem for problem in found), found


def test_missing_and_left_over_notebooks_are_drift(course):
    (course / "notebooks" / "01_minimax_objective.ipynb").rename(course / "notebooks" / "02_gone.ipynb")
    found = drift(course)
    assert any("notebooks/01_minimax_objective.ipynb is missing" in problem for problem in found)
    assert any("notebooks/02_gone.ipynb has no script" in problem for problem in found)


def test_build_mends_edits_of_generated_files_and_never_an_unexecuted_change(course):
    script = course / "solutions" / "01_minimax_objective.py"
    edit(course / "notebooks" / "01_minimax_objective.ipynb", "A title", "Mine")
    edit(script.with_suffix(".ipynb"), "A title", "Mine")
    build(root=course)
    assert drift(course) == []
    edit(script, "x + x", "3 * x")
    build(root=course)
    assert drift(course) == [
        "solutions/01_minimax_objective.ipynb was executed from other code than it shows; run `make execute`."
    ]


def test_outputs_stay_with_the_code_that_made_them(course):
    script = course / "solutions" / "01_minimax_objective.py"
    edit(script, "print(1)", "print(2)\n\n# %%\n# a remark\nprint(1)")
    build(root=course)
    cells = nbformat.read(script.with_suffix(".ipynb"), as_version=4).cells
    texts = {
        cell.source: [output.text for output in cell.outputs] for cell in cells if cell.cell_type == "code"
    }
    assert texts["print(2)"] == []
    assert texts["# a remark\nprint(1)"] == ["output 2\n"]
    assert texts["print(1)"] == ["output 3\n"]


def test_ids_depend_on_content_and_not_on_place(course):
    script = course / "solutions" / "01_minimax_objective.py"
    before = [cell.id for cell in read_script(script).cells]
    edit(script, "# %%\n", "# %% [markdown]\n# New.\n\n# %%\n")
    after = [cell.id for cell in read_script(script).cells]
    assert len(set(after)) == len(after) == len(before) + 1
    assert set(before) < set(after)
    assert before[3] == f"{before[2]}-2"  # two cells of the same content


def test_the_same_script_gives_the_same_bytes(course):
    script = course / "solutions" / "01_minimax_objective.py"
    assert generate(script, course) == generate(script, course)


def test_the_learners_notebook_has_stubs_and_nothing_of_the_solution(course):
    text = (course / "notebooks" / "01_minimax_objective.ipynb").read_text(encoding="utf-8")
    learner = nbformat.reads(text, as_version=4)
    assert_no_leak(SCRIPT, learner)
    assert "The answer, discussed" not in text
    assert without_outputs(learner) == []
    assert learner.metadata == notebooks.METADATA
    unchanged = nbformat.read(course / "solutions" / "01_minimax_objective.ipynb", as_version=4)
    with pytest.raises(AssertionError, match="a learner can read"):
        assert_no_leak(SCRIPT, unchanged)


def test_settled_outputs_hold_nothing_volatile(course):
    notebook = read_script(course / "solutions" / "01_minimax_objective.py")
    cell = notebook.cells[1]
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "image/png": "AAAA"}
    cell.outputs = [new_output("display_data", data=view)]
    notebook.metadata["widgets"] = {"state": 1}
    notebooks.settle_outputs(notebook, Result("01", seconds=3.21, slowest_cell=2.0, peak_megabytes=300))
    assert cell.metadata == {}
    assert list(cell.outputs[0].data) == ["image/png"]
    assert "widgets" not in notebook.metadata
    ran = notebook.metadata["course"]
    assert (ran["scale"], ran["seconds"], ran["peak_megabytes"]) == ("cpu", 3.2, 300)
    assert set(ran["versions"]) == {"python", "torch", "numpy", "matplotlib", "ipywidgets"}
    assert re.search(r"\w.*, \d+ cores?", ran["machine"]) and re.fullmatch(r"\d{4}-\d\d-\d\d", ran["date"])


# --- stubs ----------------------------------------------------------------------------------------------

RAISE = 'raise NotImplementedError("your code here")'


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    # [\n    return 1\n    # ]", f"def f():\n    {RAISE}"),
        (
            "def f(x):\n    y = 1\n    # [\n    y += x\n    # ]\n    return y",
            f"def f(x):\n    y = 1\n    {RAISE}\n    return y",
        ),
        (
            "class A:\n  def f(s):\n    for i in s:\n      # [\n      yield i\n      # ]",
            f"class A:\n  def f(s):\n    for i in s:\n      {RAISE}",
        ),
        (
            "# [\na = 1\nb, (c, *d) = 2, (3, 4)\n# ]\nprint(a)",
            "a = ...  #\nb = ...  #\nc = ...  #\nd = ...  #\nprint(a)",
        ),
        ("# [\na: int = 1\na = 2\n# ]", "a = ...  #"),
        ("# [\ndef g(x):\n    inner = x\n    return inner\n# ]", "g = ...  #"),
        ("for i in range(3):\n    # [\n    total = i\n    # ]", "for i in range(3):\n    total = ...  #"),
        ("# [\nif x:\n    a = 1\nelse:\n    b = 2\n# ]", "a = ...  #\nb = ...  #"),
        ("with x:\n    # [\n    step()\n    # ]", "with x:\n    pass  #"),
        (
            "%matplotlib inline\ndef f():\n    # [\n    return 1\n    # ]\nf",
            f"%matplotlib inline\ndef f():\n    {RAISE}\nf",
        ),
        ("f = 1\n# [\nx.y = 3\n_ = 4\n# ]", "f = 1\npass  #"),
        ("no_answer = 1", "no_answer = 1"),
        (
            "def f(x):\n    # [\n    y = -x\n    # |\n    # if x:\n    #     y = x\n    # ]\n    return y",
            "def f(x):\n    if x:\n        y = x\n    return y",
        ),
        ("def f(x):\n    # [\n    clear(x)\n    # |\n    # ]\n    x.go()", "def f(x):\n    x.go()"),
    ],
)
def test_stub_of(source, expected):
    marked = source.replace("# [", "### BEGIN SOLUTION").replace("# ]", "### END SOLUTION")
    marked = marked.replace("# |", "### INSTEAD")
    result = stub_source(marked)
    assert result == re.sub(r"  #$", "  # your code here", expected, flags=re.MULTILINE)
    compile(result.replace("%matplotlib inline", ""), "stub", "exec")


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("### BEGIN SOLUTION\na = 1", 3, "without `### END SOLUTION`"),
        ("a = 1\n### END SOLUTION", 4, "without `### BEGIN SOLUTION`"),
        ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", 4, "again, before the one in line 3"),
        (
            "### BEGIN SOLUTION\na = 1\n\n# %%\n### END SOLUTION",
            6,
            "the cell of the `### BEGIN SOLUTION` in line 3",
        ),
        ("## BEGIN SOLUTION\na = 1\n## END SOLUTION", 3, "looks like a marker"),
        ("### Begin solution\na = 1\n### END SOLUTION", 3, "looks like a marker"),
        ("a = 1\n### INSTEAD\n# a = 2", 4, "without `### BEGIN SOLUTION`"),
        ("### BEGIN SOLUTION\na = 1\n## INSTEAD\n# a = 2\n### END SOLUTION", 5, "looks like a marker"),
    ],
)
def test_markers_that_do_not_pair_up_are_refused_with_file_and_line(tmp_path, body, line, message):
    script = tmp_path / "01_x.py"
    script.write_text(f"\n# %%\n{body}\n", encoding="utf-8")
    with pytest.raises(NotebookError, match=re.escape(f"01_x.py:{line}: ")) as error:
        read_script(script)
    assert message in str(error.value)


def test_unknown_names_are_told_the_known_ones(course):
    with pytest.raises(SystemExit, match="the known ones are 01_minimax_objective"):
        build(["07"], root=course)
    assert len(generate(notebooks.choose_scripts(["1_", "01"][1:], course)[0], course)) == 2


# --- the rules, each of them broken once ----------------------------------------------------------------


def good_notebook():
    title = """# A title

You will know it.

| | |
| --- | --- |
| Reading time | 30 min |
| Running time | about 2 min on two CPU cores, 30 s on a GPU |
| You need | notebook 00 |
| You will be able to | tell |
"""
    cells = [new_markdown_cell(title), new_markdown_cell("## Section\n\nRead [first](00_start_here.ipynb).")]
    for place in range(1, 5):
        cells.append(new_markdown_cell(f"### Exercise 1.{place} — Do it (●●○, 10 min)\n\nPredict."))
        verdict = '<div class="course-verdict">✔ right</div>'
        cells.append(new_code_cell(f'check("1.{place}", answer)', outputs=[display({"text/html": verdict})]))
    cells.append(
        new_code_cell("plots.show(figure)", outputs=[display({"image/png": "AAAA"}, alt="A curve falls.")])
    )
    cells.append(
        new_markdown_cell(
            "## Misconceptions\n\n## Summary\n\nBefore 02_game_dynamics.\n\n## Further reading\n\n"
        )
    )
    cells.append(
        new_markdown_cell(
            "Goodfellow et al. 2014, [arXiv:1406.2661](https://arxiv.org/abs/1406.2661); arXiv:1801.04406."
        )
    )
    ran = {"seconds": 115.0, "slowest_cell_seconds": 50.0, "peak_megabytes": 700}
    notebook = new_notebook(cells=cells, metadata={"course": ran})
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    return notebook


def display(data, alt=""):
    return new_output("display_data", data=data, metadata={"image/png": {"alt": alt}} if alt else {})


def complaints(notebook):
    return lint(
        notebook,
        "01_minimax_objective",
        ["1.1", "1.2", "1.3", "1.4"],
        ["00_start_here", "01_minimax_objective"],
    )


def test_the_good_notebook_is_good():
    assert complaints(good_notebook()) == []


def replaced(old, new):
    def change(notebook):
        text = json.dumps(notebook)
        assert json.dumps(old)[1:-1] in text
        return nbformat.from_dict(json.loads(text.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1])))

    return change


def with_output(output):
    def change(notebook):
        notebook.cells.append(new_code_cell("f()", id="more", outputs=[output]))
        return notebook

    return change


def with_metadata(**measured):
    def change(notebook):
        notebook.metadata["course"].update(measured)
        return notebook

    return change


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (replaced("## Section", "# Section"), "only level-1 heading"),
        (replaced("# A title\n", "A title\n"), "only level-1 heading"),
        (replaced("## Section", "## Section\n\n#### Deep"), "skips from level 2 to 4"),
        (replaced("## Misconceptions", "## Mistakes"), "no section 'misconceptions'"),
        (replaced("| Running time |", "| Time |"), "no row for 'running time'"),
        (replaced("(00_start_here.ipynb)", "(02_game_dynamics.ipynb)"), "links to 02_game_dynamics.ipynb"),
        (replaced("Before 02_game_dynamics", "Before 02_games"), "names '02_games'"),
        (replaced("; arXiv:1801.04406", "; arXiv 1801"), "names arXiv without a number"),
        (replaced("arXiv:1406.2661]", "arXiv:14062661]"), "names arXiv without a number"),
        (replaced("arXiv:1406.2661]", "arXiv:1406.2662]"), "cites arXiv:1406.2662 and links to 1406.2661"),
        (replaced("You will know it.", "See /home/me/notes.txt"), "absolute path '/home/me"),
        (
            with_output(new_output("stream", text="saved to /home/me/x.png\n")),
            "absolute path '/home/me'",
        ),
        (replaced("Exercise 1.3 —", "Exercise 1.5 —"), "must be numbered 1.1, 1.2"),
        (replaced("Exercise 1.3 — Do it (●●○, 10 min)", "Exercise 1.3 — Do it"), "must look like"),
        (
            replaced("Exercise 1.3 — Do it (●●○, 10 min)", "Exercise 1.3 — Do it (●●, 10 min)"),
            "must look like",
        ),
        (
            replaced('check("1.3", answer)', 'check("1.9", answer)'),
            "checks 1.9, which course_utils.exercises does not",
        ),
        (
            replaced('check("1.3", answer)', "pass"),
            "exercise 1.3 is declared, but the notebook never checks it",
        ),
        (replaced("Predict.", "Do."), "predict or to explain"),
        (with_output(display({"image/png": "AAAA"})), "picture without alternative text"),
        (with_output(display({"image/png": "AAAA"}, alt=" ")), "picture without alternative text"),
        (with_output(display({"text/html": "<img src='x'>"})), "<img> that has no alt text"),
        (with_output(display({"text/html": "<img src='x' alt=''>"})), "<img> that has no alt text"),
        (
            with_output(display({"application/vnd.jupyter.widget-view+json": {}})),
            "widget without a static picture",
        ),
        (replaced("You will know it.", "![](picture.png)"), "prose has a picture without"),
        (with_output(new_output("error", ename="ValueError", evalue="bad")), "ended in ValueError: bad"),
        (with_output(new_output("stream", name="stderr", text="x.py:3: UserWarning: odd")), "or a warning"),
        (replaced("✔ right", "✘ not right yet"), "own answer does not pass"),
        (with_metadata(seconds=150.0), "running time of 120 s, where 150.0 s were measured"),
        (with_metadata(seconds=100.0), "running time of 120 s, where 100.0 s were measured"),
        (replaced("about 2 min on two", "soon, on two"), "running time of 30 s"),
        (replaced("about 2 min on two CPU cores, 30 s", "soon"), "prints no running time"),
        (with_metadata(slowest_cell_seconds=130.0), "took 130.0 s for a cell, where 120"),
        (with_metadata(peak_megabytes=1600), "took 1600 MB, where 1500"),
        (replaced("cell-3", "cell-2"), "two with the same"),
    ],
)
def test_a_broken_rule_is_named(change, complaint):
    found = complaints(change(copy.deepcopy(good_notebook())))
    assert any(complaint in one for one in found), found


def test_fewer_exercises_than_the_course_promises():
    notebook = good_notebook()
    notebook.cells = [cell for cell in notebook.cells if "1.4" not in cell.source]
    found = lint(notebook, "01_minimax_objective", ["1.1", "1.2", "1.3"], ["00_start_here"])
    assert found == ["01_minimax_objective: has 3 checked exercises; 4 are the least."]


@pytest.mark.parametrize(
    ("row", "seconds"),
    [
        ("about 4 minutes", 240),
        ("30 s", 30),
        ("1–3 min", 120),
        ("1.5 min on two cores, 20 s on a GPU", 90),
        ("short", None),
    ],
)
def test_printed_times_are_read(row, seconds):
    notebook = new_notebook(cells=[new_markdown_cell(f"# T\n\n| Running time | {row} |")])
    assert printed_seconds(notebook) == seconds


def test_tiny_notebooks_may_be_off_by_seconds():
    notebook = replaced("about 2 min", "about 5 s")(good_notebook())
    notebook.metadata["course"]["seconds"] = 9.5
    assert complaints(notebook) == []
    notebook.metadata["course"]["seconds"] = 10.5
    assert ["of 5 s, where 10.5 s" in complaint for complaint in complaints(notebook)] == [True]


def test_a_stub_run_by_somebody_is_noticed():
    learner = stub(good_notebook())
    assert without_outputs(learner) == []
    learner.cells[-3].execution_count = 1
    assert without_outputs(learner) == ["holds outputs."]
