"""Where what one person did is kept: with the checkout if it is theirs, else in their home."""

import os

import pytest

from course_utils import folders
from course_utils.checks import progress
from course_utils.metrics.people import quiz_file

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="nobody shares a checkout on Windows")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("COURSE_PROGRESS")
    monkeypatch.delenv("COURSE_QUIZ")
    monkeypatch.setattr(folders, "CHECKOUT", tmp_path)
    return tmp_path / "home"


def test_in_a_checkout_of_ones_own_it_stays_there(home, tmp_path):
    assert progress.progress_file() == tmp_path / ".course" / "progress.json"
    assert quiz_file() == tmp_path / ".course" / "quiz.jsonl"


def test_in_a_shared_checkout_everybody_has_a_file_of_their_own(home, monkeypatch, tmp_path):
    paths = set()
    for number, name in ((12345, "ada"), (12346, "ben")):
        monkeypatch.setattr(os, "getuid", lambda number=number: number)
        monkeypatch.setenv("HOME", str(tmp_path / name))
        paths.add(progress.progress_file())
        assert progress.remember("0.1", "right") == ""
    assert paths == {tmp_path / name / ".gan-course" / "progress.json" for name in ("ada", "ben")}
    assert all(path.exists() for path in paths)
    assert not (tmp_path / ".course").exists()


def test_a_read_only_checkout_of_ones_own_counts_as_shared(home, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert progress.progress_file() == home / ".gan-course" / "progress.json"


def test_root_works_in_a_checkout_of_its_own_whoever_owns_it(home, monkeypatch, tmp_path):
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert folders.personal_folder() == tmp_path / ".course"


def test_a_file_that_cannot_be_written_is_told_of_once(home, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    monkeypatch.setattr(progress, "_told", set())
    first = progress.remember("0.1", "right")
    assert "Progress is not saved" in first and "COURSE_PROGRESS" in first
    assert progress.remember("0.1", "right") == progress.remember("0.2", "wrong") == ""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "another.json"))
    assert "another.json" in progress.remember("0.1", "right")
