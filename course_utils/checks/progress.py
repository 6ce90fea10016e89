"""Which exercises were solved: a small JSON file, written atomically, that several notebooks may share."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from course_utils.checks.verdict import NOT_ATTEMPTED, RIGHT, WRONG, exercise_modules, exercises_of
from course_utils.folders import personal_folder

_told: set[Path] = set()  # the files of which this process has said that they cannot be written


def progress_file() -> Path:
    """Where progress is kept: `COURSE_PROGRESS`, else `progress.json` in the `personal_folder`."""
    chosen = os.environ.get("COURSE_PROGRESS")
    return Path(os.path.expanduser(chosen)) if chosen else personal_folder() / "progress.json"


def remember(number: str, status: str) -> str:
    """Keep the status of one exercise; "right" stays right. Returns a sentence where saving went wrong.

    A file that cannot be written is told of once: the next check could say no more.
    """
    if status not in (RIGHT, WRONG):
        return ""
    path = progress_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=5):
            solved, note = _read(path, fix=True)
            if solved.get(number, {}).get("status") in (RIGHT, status):
                return note
            solved[number] = {"status": status, "when": datetime.now().isoformat(timespec="seconds")}
            _write(path, solved)
    except Timeout:
        return "Progress was not saved: another notebook held its file for 5 seconds; run this cell again."
    except OSError as error:
        if path in _told:
            return ""
        _told.add(path)
        return (
            f"Progress is not saved: {path} cannot be written ({error.strerror}); verdicts stand. "
            "COURSE_PROGRESS names another file. This is said once."
        )
    return note


def status_of(number: str) -> str:
    """The remembered status of an exercise: "right", "wrong" or "not attempted"."""
    return _read(progress_file(), fix=False)[0].get(number, {}).get("status", NOT_ATTEMPTED)


def report() -> str:
    """What `course progress` prints: the exercises of each notebook, and how many of them are solved."""
    remembered, note = _read(progress_file(), fix=False)
    marks = {RIGHT: "✔", WRONG: "✘"}
    lines, total, done = [], 0, 0
    for notebook, module in exercise_modules().items():
        known = exercises_of(notebook)
        statuses = [remembered.get(one.number, {}).get("status") for one in known]
        lines.append(f"{module[2:].replace('_', ' ')}: {statuses.count(RIGHT)} of {len(known)}")
        for one, status in zip(known, statuses, strict=True):
            dots = "●" * one.difficulty + "○" * (3 - one.difficulty)
            lines.append(f"  {marks.get(status, '·')} {one.number:5} {one.title} ({dots}, {one.minutes} min)")
        total, done = total + len(known), done + statuses.count(RIGHT)
    summary = f"{done} of {total} exercises solved (✔ right, ✘ tried, · not attempted)."
    return "\n".join([*lines, *([note] if note else []), summary])


def _read(path: Path, *, fix: bool) -> tuple[dict, str]:
    """The remembered exercises, and a sentence where the file is broken; `fix` moves a broken one aside."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        solved = content["exercises"]
        if not all(isinstance(entry["status"], str) for entry in solved.values()):
            raise TypeError
        return solved, ""
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        if fix:
            raise
        return {}, f"{path.name} cannot be read ({error.strerror})."
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        if not fix:
            return {}, f"{path.name} is broken; the next check puts it aside and begins a new one."
        aside, count = path.with_name(f"{path.name}.broken"), 1
        while aside.exists():  # an earlier one is kept too
            count += 1
            aside = path.with_name(f"{path.name}.broken-{count}")
        os.replace(path, aside)
        return {}, f"{path.name} was broken: it was put aside as {aside.name}, and a new one was begun."


def _write(path: Path, solved: dict) -> None:
    from course_utils.files import replacing  # imported here: `course progress` need not wait for PyTorch

    with replacing(path) as partial:
        partial.write_text(json.dumps({"exercises": solved}, indent=1, sort_keys=True), encoding="utf-8")
