"""Binder, dev container, Colab, nbgitpuller: what can be tried of them where none of them can be reached."""

import json
import os
import re
import subprocess
import sys
import textwrap
import urllib.parse
from pathlib import Path

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tools import hosted

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "hosted.md").read_text(encoding="utf-8")


@pytest.fixture
def clone(tmp_path):
    """A folder with what Binder sees of the course, and a `course` that only notes how it was called."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (tmp_path / "clone").mkdir()
    (tmp_path / "clone" / "postBuild").write_bytes((ROOT / "postBuild").read_bytes())

    def run(course_succeeds):
        course = commands / "course"
        course.write_text(f'#!/bin/sh\necho "course $*" >>called\nexit {0 if course_succeeds else 1}\n')
        python = commands / "python"
        python.write_text(f"#!/bin/sh\necho {tmp_path}/prefix\n")
        for one in (course, python):
            one.chmod(0o755)
        return subprocess.run(
            ["bash", "postBuild"],
            cwd=tmp_path / "clone",
            env={**os.environ, "PATH": f"{commands}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )

    return tmp_path, run


def test_post_build_lays_out_the_data(clone):
    folder, run = clone
    done = run(course_succeeds=True)
    assert done.returncode == 0, done.stderr
    assert (folder / "clone" / "called").read_text() == "course data fetch\n"
    page = json.loads((folder / "prefix/etc/jupyter/labconfig/page_config.json").read_text())
    assert page == {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    assert os.access(ROOT / "postBuild", os.X_OK)


def test_post_build_goes_on_without_a_network(clone):
    _, run = clone
    done = run(course_succeeds=False)
    assert done.returncode == 0
    assert "could not be fetched now" in done.stdout


def test_the_dev_container_calls_what_there_is():
    described = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert {"name", "image", "postCreateCommand"} <= described.keys()
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    command, target = described["postCreateCommand"].split()
    assert (command, target in targets) == ("make", True)
    version = re.fullmatch(r"python:(3\.\d+)-bookworm", described["image"])[1]
    assert f'python_version < "{version}"' not in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert described["forwardPorts"] == [8888]  # JupyterLab's


def test_the_links_lead_to_a_notebook_that_there_is():
    binder, colab, puller = re.findall(r"^    (https://.*)$", PAGE, re.MULTILINE)
    (opened,) = urllib.parse.parse_qs(urllib.parse.urlsplit(binder).query)["urlpath"]
    assert (ROOT / opened.removeprefix("lab/tree/")).exists()
    start = "https://colab.research.google.com/github/OWNER/REPO/blob/main/"
    assert (ROOT / colab.removeprefix(start)).is_file() and colab.startswith(start)
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(puller).query)
    assert query["repo"] == ["https://github.com/OWNER/REPO"]
    assert (ROOT / query["urlpath"][0].removeprefix("lab/tree/REPO/")).exists()
    assert urllib.parse.urlsplit(puller).path == "/hub/user-redirect/git-pull"


@pytest.mark.slow
@pytest.mark.parametrize("on_colab", [True, False])
def test_the_colab_cell_installs_the_course_and_enables_widgets(on_colab, tmp_path):
    """git and pip only note how they are called; the checkout lies there already, as git would leave it."""
    (source,) = re.findall(r"^```ipython3\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    cell = TransformerManager().transform_cell(source)
    if on_colab:
        (tmp_path / "google" / "colab").mkdir(parents=True)
        enabled = "def enable_custom_widget_manager():\n    print('widgets enabled')\n"
        (tmp_path / "google" / "colab" / "output.py").write_text(enabled)
    program = f"""
import os, subprocess, sys
class IPython:
    def system(self, command):
        print("SYSTEM", command)
        os.symlink({str(ROOT)!r}, "gan-course")
    def run_line_magic(self, name, line):
        print("MAGIC", name, line)
get_ipython = IPython
for _ in range(2):
{textwrap.indent(cell, "    ")}
from course_utils.checks import progress
print(progress.progress_file())
import course_utils
print(course_utils.__file__)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    calls = [line for line in lines if line.startswith(("SYSTEM", "MAGIC"))]
    assert calls[0] == "SYSTEM git clone --quiet --depth 1 https://github.com/OWNER/REPO gan-course"
    assert calls[1:] == ["MAGIC pip install --quiet --editable gan-course"] * 2  # a second run clones nothing
    assert lines.count("widgets enabled") == 2 * on_colab
    assert lines[-2] == str(tmp_path / "progress.json")
    assert Path(lines[-1]).resolve() == ROOT / "course_utils" / "__init__.py"


BINDER = "https://mybinder.org/v2/gh/{}/HEAD?urlpath=lab/tree/notebooks/00_start_here.ipynb"
CITED = """cff-version: 1.2.0
repository-code: "https://github.com/somebody/gan-course"
"""


def links(root, environment):
    """What the launch buttons say, and where they lead; None where that is still asked for."""
    found = re.findall(
        r"<a class=\"button\"[^>]*?(?: href=\"([^\"]*)\")?>([^<]*)</a>", hosted.buttons(root, environment)
    )
    return {words: address or None for address, words in found}


def test_launch_buttons_lead_to_the_repository_that_the_citation_names(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "hosted.md").write_text(PAGE, encoding="utf-8")
    names = ["Binder", "Colab", "your JupyterHub"]
    assert links(tmp_path, {}) == dict.fromkeys(names)
    assert "does not know" in hosted.buttons(tmp_path, {})
    assert links(tmp_path, {"GITHUB_REPOSITORY": "fork/course"})["Binder"] == BINDER.format("fork/course")
    (tmp_path / "CITATION.cff").write_text(CITED, encoding="utf-8")
    shown = links(tmp_path, {"GITHUB_REPOSITORY": "fork/course"})
    assert shown["Binder"] == BINDER.format("somebody/gan-course")
    assert "/github/somebody/gan-course/blob/main/notebooks/00" in shown["Colab"]
    assert shown["your JupyterHub"] is None  # whose address no checkout knows
    assert "does not know" not in hosted.buttons(tmp_path, {"GITHUB_REPOSITORY": "fork/course"})
