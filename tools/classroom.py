"""A class on trial: so many learners' kernels work a notebook at once, `course class 05 --kernels 30`.

Everybody presses Run All in the same moment, which is the worst that a room does to a machine. Printed are
the throughput, the memory and the slowest cell. `--keep` writes them into docs/instructor/room.json, which
`python -m tools.instructor` makes the room sheet from.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbformat import NotebookNode

from tools.run import ROOT, SCALES, Result, choose, execute, where_and_when

KEPT = ROOT / "docs" / "instructor" / "room.json"
FOLDER = ROOT / "solutions"  # solved: an answer costs time and memory too
PAUSE = 0.5  # seconds between two looks at the kernels


class Load(NamedTuple):
    """What some kernels have taken of the machine."""

    together: int  # megabytes at most at one moment; what kernels share counts once
    own: int  # megabytes of the largest kernel that it shares with nobody
    resident: int  # megabytes of the largest kernel, with what it shares
    cpu_seconds: float  # of all kernels together


class Meter:
    """Watches the kernels that this process has started, in a thread, from `with` to the end of the block.

    The operating system lends kernels the same pages of PyTorch's libraries, so the sum of resident memory is
    more than the room needs. Linux tells each process's fair part (PSS) and what is its own (USS).
    """

    def __init__(self):
        self.together = self.own = self.resident = 0
        self._cpu: dict[int, float] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Meter:
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._over.set()
        self._thread.join()

    @property
    def load(self) -> Load:
        megabytes = (size // 10**6 for size in (self.together, self.own, self.resident))
        return Load(*megabytes, sum(self._cpu.values()))

    def _watch(self) -> None:
        while not self._over.wait(PAUSE):
            together = 0
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    times, memory = process.cpu_times(), process.memory_full_info()
                    self._cpu[process.pid] = times.user + times.system
                    together += getattr(memory, "pss", memory.rss)
                    self.own = max(self.own, memory.uss)
                    self.resident = max(self.resident, memory.rss)
            self.together = max(self.together, together)


def sections(notebook: NotebookNode) -> list[str]:
    """The section that each cell stands in: its last heading of level 2, "" above the first."""
    found, current = [], ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^## (.+)$", cell.source, re.MULTILINE)
            current = headings[-1].strip() if headings else current
        found.append(current)
    return found


def quiet(row: Mapping) -> bool:
    """Whether nothing else computed when a class began: only then do its seconds mean something."""
    return row["free_cores"] >= int(re.search(r"(\d+) cores?$", row["machine"])[1])


def hold(path: Path, kernels: int, scale: str, threads: int | None = None) -> dict:
    """Let so many kernels work a notebook at once.

    Args:
        path: of the notebook; each kernel gets it as it lies there.
        kernels: how many.
        scale: "ci", "cpu" or "gpu".
        threads: what every training must compute on; None leaves it to the course.

    Returns:
        What `--keep` keeps: seconds, memory in megabytes, the slowest cell, seconds by section, the machine.
    """
    from course_utils.runtime import free_cores

    copies = [nbformat.read(path, as_version=4) for _ in range(kernels)]
    places = sections(copies[0])
    environment = {} if threads is None else {"COURSE_THREADS": str(threads)}

    def work(notebook: NotebookNode) -> Result:
        return execute(notebook, path.stem, path.parent, scale=scale, environment=environment)

    free = free_cores()
    begin = time.perf_counter()
    with Meter() as meter, ThreadPoolExecutor(kernels) as pool:
        results = list(pool.map(work, copies))
    seconds = time.perf_counter() - begin

    slowest = max(results, key=lambda result: result.slowest_cell)
    cell = max(slowest.cell_seconds, key=slowest.cell_seconds.get, default=0)
    by_section = dict.fromkeys(places, 0.0)
    for place, duration in slowest.cell_seconds.items():
        by_section[places[place]] += duration
    load = meter.load
    return {
        "notebook": path.stem,
        "scale": scale,
        "kernels": kernels,
        "threads": threads,
        "free_cores": free,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(load.cpu_seconds / kernels, 1),
        "megabytes_together": load.together,
        "megabytes_own": load.own,
        "megabytes_resident": load.resident,
        "slowest_cell_seconds": round(slowest.slowest_cell, 1),
        "slowest_cell_in": places[cell],
        "section_seconds": {name: round(duration, 1) for name, duration in by_section.items()},
        "problems": [result.problem.splitlines()[0] for result in results if result.problem],
        **where_and_when(),
    }


def told(row: Mapping) -> str:
    """What the command prints of a class."""
    per_hour = 3600 * row["kernels"] / row["seconds"]
    threads = f", {row['threads']} thread(s) each" if row["threads"] else ""
    slowest = row["slowest_cell_in"] or "the beginning"
    lines = [
        f"{row['kernels']} × {row['notebook']} at the {row['scale']} scale{threads}, on {row['machine']}:",
        f"  throughput    all done after {row['seconds']:.0f} s, {per_hour:.0f} notebooks an hour; "
        f"{row['cpu_seconds']:.0f} s of a core each",
        f"  memory        {row['megabytes_together'] / 1000:.2f} GB together at most; the largest kernel "
        f"{row['megabytes_resident']} MB, {row['megabytes_own']} MB of them its own",
        f"  slowest cell  {row['slowest_cell_seconds']:.0f} s, in “{slowest}”",
    ]
    if not quiet(row):
        lines.append(
            f"  (free cores when it began: {row['free_cores']}. Other programs computed: mind the seconds)"
        )
    lines += [f"  FAILED        {problem}" for problem in row["problems"]] or ["  all ran"]
    return "\n".join(lines)


def keep(rows: Sequence[Mapping], path: Path = KEPT) -> None:
    """Put the figures beside those kept before; the same class again takes its former one's place."""

    def identity(row: Mapping) -> tuple:
        return row["notebook"], row["scale"], row["kernels"], row["threads"] or 0

    kept = {identity(row): row for row in load(path)} | {identity(row): row for row in rows}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([kept[key] for key in sorted(kept)], indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def load(path: Path = KEPT) -> list[dict]:
    """The figures kept so far."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def main(arguments: Sequence[str] | None = None) -> int:
    """Hold the classes asked for; 0 where every kernel ran to its end."""
    from course_utils.runtime import scale as current_scale

    parser = argparse.ArgumentParser(prog="course class", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NOTEBOOK", help="such as 05; by default all, one by one")
    parser.add_argument("--kernels", type=int, nargs="+", default=[30], metavar="N", help="30 by default")
    parser.add_argument("--scale", choices=SCALES, help="by default what the device allows")
    parser.add_argument("--threads", type=int, metavar="N", help="of every training: COURSE_THREADS")
    parser.add_argument("--keep", action="store_true", help=f"write the figures into {KEPT.name}")
    options = parser.parse_args(arguments)
    if min(options.kernels) < 1:
        parser.error(f"a class has one kernel at least, not {min(options.kernels)}.")

    failed = False
    for path in choose(options.names, FOLDER):
        for kernels in options.kernels:
            row = hold(path, kernels, options.scale or current_scale(), options.threads)
            print(told(row), flush=True)
            failed = failed or bool(row["problems"])
            if options.keep and not row["problems"]:
                keep([row])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
