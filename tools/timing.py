"""Minutes for each section of a notebook, from what the notebook says of itself.

A notebook states how long it takes to read, and each exercise how long it takes to do. The reading time is
shared among the sections by their words, code that is folded away left out.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tools import notebooks
from tools.run import ROOT

READING = re.compile(r"^\| Reading time \| (\d+) min", re.MULTILINE)
EXERCISE = re.compile(r"^### Exercise (\d+\.\d+) — (.+) \((●+○*), (\d+) min\)$", re.MULTILINE)
SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
BEFORE = "Title and table"  # what stands above the first section


class TimedExercise(NamedTuple):
    """An exercise as its heading announces it."""

    number: str
    title: str
    dots: str
    minutes: int


class Section(NamedTuple):
    """A section of a notebook, with whole minutes that add up to what the notebook states."""

    title: str
    reading: int  # minutes
    exercises: tuple[TimedExercise, ...]

    @property
    def minutes(self) -> int:
        """To read it and to do all of its exercises."""
        return self.reading + sum(one.minutes for one in self.exercises)


@cache
def sections(number: str, root: Path = ROOT) -> tuple[Section, ...]:
    """The sections of a notebook, in order; the first is what stands above them.

    Args:
        number: of the notebook, such as "05".
    """
    (script,) = notebooks.choose_scripts([number], root)
    titles, words, exercises = [BEFORE], [0], [[]]
    text = ""
    for cell in notebooks.read_script(script).cells:
        if cell.cell_type == "code":
            folded = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            words[-1] += 0 if folded else len(notebooks.stub_source(cell.source).split())
            continue
        text += f"{cell.source}\n\n"
        for place, part in enumerate(re.split(r"^(?=## )", cell.source, flags=re.MULTILINE)):
            heading = SECTION.match(part)
            if heading:
                titles.append(heading[1].strip())
                words.append(0)
                exercises.append([])
            elif place:
                raise AssertionError(f"a part that begins with no heading: {part[:40]!r}")
            words[-1] += len(part.split())
            exercises[-1] += [
                TimedExercise(number, title, dots, int(minutes))
                for number, title, dots, minutes in EXERCISE.findall(part)
            ]
    minutes = shared(int(READING.search(text)[1]), words)
    return tuple(map(Section, titles, minutes, map(tuple, exercises)))


def shared(total: int, weights: list[int]) -> list[int]:
    """Whole numbers in proportion to the weights that add up to the total (by largest remainders)."""
    exact = [total * weight / sum(weights) for weight in weights]
    found = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda place: found[place] - exact[place])
    for place in by_remainder[: total - sum(found)]:
        found[place] += 1
    return found


def section(number: str, title: str) -> Section:
    """The section of a notebook that has this heading.

    Raises:
        KeyError: there is none; says which ones there are.
    """
    known = {one.title: one for one in sections(number)}
    if title not in known:
        raise KeyError(f"notebook {number} has no section {title!r}; it has {[*known]}")
    return known[title]


def measured(number: str, root: Path = ROOT) -> dict:
    """What `make execute` has kept of a notebook's last run: seconds, memory, slowest cell, machine, date."""
    (script,) = notebooks.choose_scripts([number], root)
    twin = json.loads(script.with_suffix(".ipynb").read_text(encoding="utf-8"))
    return {"name": script.stem, **twin["metadata"]["course"]}
