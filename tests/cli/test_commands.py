"""The `course` command."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import course_utils
from course_utils import cli, data


def test_importing_the_package_or_showing_help_loads_nothing_heavy():
    program = (
        "import sys, course_utils, course_utils.cli\n"
        "try: course_utils.cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'matplotlib', 'IPython', 'ipywidgets', 'requests'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(command in done.stdout for command in ("doctor", "progress", "data"))


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "data", "svhn"], capture_output=True, text=True
    )
    assert done.returncode == 2, done.stderr  # argparse's: neither an action nor a data set
    assert "invalid choice: 'svhn'" in done.stderr


def test_the_command_of_a_copied_checkout_does_not_run_the_original_course(tmp_path):
    """A copied .venv/bin/course still names the original's Python, and with it the original's package."""
    command = tmp_path / "copy" / ".venv" / "bin" / "course"
    command.parent.mkdir(parents=True)
    command.write_text(
        f"#!{sys.executable}\nimport sys\nfrom course_utils.cli import main\nsys.exit(main())\n"
    )
    command.chmod(0o755)
    original = str(Path(course_utils.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": original}
    done = subprocess.run([command, "progress"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr  # no checkout, but a venv somewhere else

    (tmp_path / "copy" / "course_utils").mkdir()
    for called in (command, "../copy/.venv/bin/course"):
        done = subprocess.run(
            [called, "progress"], env=environment, capture_output=True, text=True, cwd=tmp_path / "copy"
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert f"stands in {tmp_path / 'copy'}, but its .venv was copied" in done.stderr
        assert original in done.stderr and "call `make setup`" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="closes standard output as a POSIX shell does")
def test_a_closed_standard_output_is_no_traceback():
    command = ["sh", "-c", '"$@" >&-', "sh", sys.executable, "-m", "course_utils", "progress"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_progress_lists_the_exercises(capsys):
    assert cli.main(["progress"]) == 0
    assert "exercises solved" in capsys.readouterr().out


def test_data_shows_what_is_missing(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert cli.main(["data"]) == 0
    shown = capsys.readouterr().out
    assert "mnist: missing." in shown
    assert "cifar10: missing." in shown


def test_data_that_cannot_be_fetched_is_said_in_a_sentence(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert cli.main(["data", "fetch", "mnist"]) == 1
    answer = capsys.readouterr()
    assert "COURSE_OFFLINE" in answer.err
    assert "cifar10" not in answer.out  # only what was asked for


def test_broken_data_makes_the_exit_status_1(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    for stem in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / "mnist" / f"{stem}-ubyte").write_bytes(b"<html>not found</html>")
    assert cli.main(["data", "show", "mnist"]) == 1
    assert "mnist: corrupt." in capsys.readouterr().out


def test_an_unknown_data_set_gets_the_list_of_known_ones(capsys):
    assert cli.main(["data", "fetch", "svhn"]) == 1
    assert "'svhn'; the course has mnist, cifar10" in capsys.readouterr().err


@pytest.mark.parametrize(
    "error, said", [(KeyboardInterrupt, "Interrupted"), (ModuleNotFoundError, "make setup")]
)
def test_an_interruption_or_a_missing_package_ends_in_a_sentence(error, said, capsys, monkeypatch):
    def fail(name):
        raise error(name="torch") if error is ModuleNotFoundError else error

    monkeypatch.setattr(data, "status", fail)
    assert cli.main(["data"]) == 1
    assert said in capsys.readouterr().err
