"""`python -m tools.run`: runs notebooks without a browser, and no failure goes unnoticed."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import run
from tools.run import ROOT, swallowed_errors

HARMLESS = ["x = 1 + 1", "print(x)"]


def write(folder, name, *sources):
    nbformat.write(
        new_notebook(cells=[new_code_cell(source) for source in sources]), folder / f"{name}.ipynb"
    )


@pytest.mark.slow
def test_every_kind_of_failure_is_told_and_the_others_still_run(tmp_path, capsys):
    write(tmp_path, "01_fine", *HARMLESS)
    write(tmp_path, "02_error", "x = 1", "x / 0", "never = 'reached'")
    write(tmp_path, "03_dies", "x = 1", "import os; os._exit(1)")
    write(tmp_path, "04_hangs", "import time; time.sleep(60)")
    write(tmp_path, "05_in_a_widget", "import ipywidgets as w", "with w.Output():\n    [][1]")
    callback = "def f(n):\n    raise KeyError(n)\nw.interact(f, n=(0, 3));"
    write(tmp_path, "06_in_a_callback", "import ipywidgets as w", callback)
    thread = "import threading\nt = threading.Thread(target=lambda: 1 / 0)\nt.start()\nt.join()"
    write(tmp_path, "07_in_a_thread", thread)

    status = run.main(["--folder", str(tmp_path), "--scale", "ci", "--seconds-per-cell", "4"])

    assert status == 1
    printed = capsys.readouterr().out
    table = {line.split()[0]: line for line in printed.splitlines() if line[:2].isdigit()}
    assert table["01_fine"].endswith(" ok")
    assert int(table["01_fine"].split()[1]) == 2  # cells
    assert "ZeroDivisionError: division by zero in cell 2" in table["02_error"]
    assert "the kernel died in cell 2" in table["03_dies"]
    assert "cell 1 did not end within 4 s" in table["04_hangs"]
    assert "FAILED: a widget shows IndexError" in table["05_in_a_widget"]
    assert "FAILED: a widget shows KeyError" in table["06_in_a_callback"]
    assert "FAILED: cell 1 shows ZeroDivisionError" in table["07_in_a_thread"]
    assert re.search(r"7 notebooks in \d+ s, \d+ s on average, 6 failed", printed)


@pytest.mark.slow
def test_the_kernel_gets_the_scale_and_a_progress_file_of_its_own(tmp_path, monkeypatch, capsys):
    mine = tmp_path / "progress.json"
    mine.write_text('{"exercises": {}}')
    monkeypatch.setenv("COURSE_PROGRESS", str(mine))
    environment = (
        'import os, sys\nassert os.environ["COURSE_SCALE"] == "gpu"\n'
        f'assert sys.executable == {sys.executable!r}\nassert os.environ["COURSE_PROGRESS"] != {str(mine)!r}'
    )
    solve = "from course_utils.checks.progress import remember\nassert remember('1.1', 'right') == ''"
    write(tmp_path, "01_probe", environment, solve)
    assert run.main(["--folder", str(tmp_path), "--scale", "gpu"]) == 0
    assert mine.read_text() == '{"exercises": {}}'


@pytest.mark.slow
def test_peak_memory_and_slowest_cell_are_measured(tmp_path):
    notebook = new_notebook(
        cells=[new_code_cell("import time; b = bytearray(300_000_000); time.sleep(0.7); del b")]
    )
    result = run.execute(notebook, "01_memory", tmp_path)
    assert result.problem == ""
    assert 300 < result.peak_megabytes < 600
    assert 0.7 < result.slowest_cell < result.seconds < 60


def test_a_traceback_among_outputs_is_found_in_an_executed_notebook():
    state = {
        "model": {"state": {"outputs": [{"output_type": "error", "ename": "KeyError", "evalue": "'a'"}]}}
    }
    notebook = new_notebook(
        cells=[new_code_cell("f()", outputs=[new_output("stream", text="all is well\n")])]
    )
    assert swallowed_errors(notebook) == []
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": state}}
    assert swallowed_errors(nbformat.from_dict(notebook)) == ["a widget shows KeyError: 'a'"]


def test_notebooks_are_chosen_by_name_number_or_path(tmp_path):
    for name in ("01_one", "02_two", "notes"):
        write(tmp_path, name, "1")
    assert [path.stem for path in run.choose([], tmp_path)] == ["01_one", "02_two"]
    assert [path.stem for path in run.choose(["02"], tmp_path)] == ["02_two"]
    assert [path.stem for path in run.choose(["x/02_two.ipynb", "01_one"], tmp_path)] == ["02_two", "01_one"]
    with pytest.raises(SystemExit, match=r"no notebook .3. in .*; the known ones are 01_one, 02_two"):
        run.choose(["3"], tmp_path)


def test_works_from_any_folder_and_refuses_unknown_scales(tmp_path):
    command = [sys.executable, str(ROOT / "tools" / "run.py"), "nonsense"]
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert outcome.returncode == 1
    assert "there is no notebook 'nonsense' in notebooks/" in outcome.stderr
    outcome = subprocess.run([*command, "--scale", "huge"], cwd=tmp_path, capture_output=True, text=True)
    assert outcome.returncode == 2
    assert all(scale in outcome.stderr for scale in ("ci", "cpu", "gpu"))


@pytest.mark.parametrize(
    "variable, known", [("COURSE_SCALE", "ci, cpu, gpu"), ("COURSE_DEVICE", "cuda, mps, cpu")]
)
def test_a_variable_with_an_unknown_value_is_one_sentence(tmp_path, variable, known):
    write(tmp_path, "01_one", "1")
    kept = {
        name: value for name, value in os.environ.items() if name not in ("COURSE_SCALE", "COURSE_DEVICE")
    }
    command = [sys.executable, "-m", "tools.run", "--folder", str(tmp_path)]
    outcome = subprocess.run(
        command, cwd=ROOT, env={**kept, variable: "nonsense"}, capture_output=True, text=True
    )
    assert outcome.returncode == 2 and outcome.stdout == ""
    assert known in outcome.stderr and "'nonsense'" in outcome.stderr and "Traceback" not in outcome.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', "\0", "[" * 100_000], ids=lambda c: c[:8])
def test_a_notebook_that_is_none_is_a_failure_like_others(tmp_path, content, capsys):
    (tmp_path / "01_broken.ipynb").write_text(content)
    write(tmp_path, "02_fine", *HARMLESS)
    assert run.main(["--folder", str(tmp_path), "--scale", "ci"]) == 1
    printed = capsys.readouterr().out
    assert re.search(r"01_broken .* FAILED: it is no notebook that can be read \(", printed)
    assert re.search(r"02_fine .* ok", printed)


@pytest.mark.parametrize("content", ["[]", '{"old": 3}', '{"old": {"scale": "cpu"}}', "\0", "[" * 100_000])
def test_a_table_that_is_none_is_replaced(tmp_path, monkeypatch, content):
    monkeypatch.setattr(run, "TABLE", tmp_path / "run.json")
    run.TABLE.write_text(content)
    run._keep([run.Result("01_one")], "cpu", solved=False)
    assert list(json.loads(run.TABLE.read_text())) == ["notebooks/01_one at cpu"]


def test_seconds_are_kept_and_a_broken_table_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "TABLE", tmp_path / ".course" / "run.json")
    run._keep([run.Result("01_one", seconds=3.0)], "cpu", solved=False)
    run._keep([run.Result("02_two", problem="bad\nlong traceback")], "ci", solved=True)
    kept = json.loads(run.TABLE.read_text())
    assert kept["notebooks/01_one at cpu"]["seconds"] == 3.0
    assert kept["notebooks/01_one at cpu"]["machine"] and kept["notebooks/01_one at cpu"]["date"]
    assert kept["solutions/02_two at ci"]["problem"] == "bad"
    page = run.TABLE.with_suffix(".md").read_text()
    assert "| notebooks/01_one | cpu | 3 |" in page
    assert "| solutions/02_two | ci | 0 (failed: bad) |" in page
    assert "At the `cpu` scale 3 s a notebook on average; the goal is at most 300 s." in page
    assert "`ci` scale" not in page  # what failed says nothing about the time
    run._keep([run.Result("03_three", seconds=8.0)], "cpu", solved=False)
    assert "`cpu` scale 6 s" in run.TABLE.with_suffix(".md").read_text()
    run.TABLE.write_text("{")
    run._keep([run.Result("01_one")], "cpu", solved=False)
    assert list(json.loads(run.TABLE.read_text())) == ["notebooks/01_one at cpu"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")
def test_ctrl_c_stops_the_kernel_and_says_so(tmp_path):
    write(tmp_path, "01_long", f"open({str(tmp_path / 'begun')!r}, 'w').close()\nimport time; time.sleep(60)")
    command = [sys.executable, "-m", "tools.run", "--folder", str(tmp_path), "--scale", "ci"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    kernels = psutil.Process(process.pid).children(recursive=True)
    assert kernels
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped during 01_long; its kernel was shut down." in stdout
    assert "Traceback" not in stderr
    assert not psutil.wait_procs(kernels, timeout=10)[1]
