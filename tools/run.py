"""Execute notebooks without a browser: `python -m tools.run [--scale cpu] [--solved] [names]`.

A line for each notebook as it goes, then a table. The exit status is 0 only where every notebook ran to its
end without an error, errors inside widgets included. A learner's own progress file is left alone.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
SCALES = ("ci", "cpu", "gpu")
SECONDS_PER_CELL = 900  # a cell should take under 120 s; a slow or busy machine gets some patience
TABLE = ROOT / ".course" / "run.json"  # the last figures; beside it run.md, the same to read
AVERAGE_SECONDS = 300  # what the notebooks may take at the cpu scale on two cores, on average


@dataclass
class Result:
    """How one notebook ran; `problem` is empty where all went well."""

    notebook: str
    cells: int = 0
    seconds: float = 0.0
    slowest_cell: float = 0.0  # seconds
    peak_megabytes: int = 0  # resident memory of the kernel and its children
    problem: str = ""
    cell_seconds: dict[int, float] = field(default_factory=dict)  # by the cell's place among all cells


def execute(
    notebook: NotebookNode,
    name: str,
    folder: Path,
    *,
    scale: str | None = None,
    seconds_per_cell: float = SECONDS_PER_CELL,
    environment: Mapping[str, str] | None = None,
    on_wait: Callable[[Result], None] = lambda result: None,
) -> Result:
    """Run all cells of a notebook in a fresh kernel, filling in their outputs.

    Args:
        notebook: changed in place.
        name: for the result.
        folder: the kernel's working directory.
        scale: "ci", "cpu" or "gpu"; None leaves the choice to the environment and the device.
        seconds_per_cell: after which a cell counts as hanging.
        environment: further variables of the kernel's environment.
        on_wait: called about five times a second with what is known so far.

    Returns:
        The result. A failing notebook is a result, not an exception.

    Raises:
        KeyboardInterrupt: after the kernel has been stopped.
    """
    # Imported here: a list of names or a usage error should not wait for them.
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    result = Result(name, cells=sum(cell.cell_type == "code" for cell in notebook.cells))
    started: dict[int, float] = {}
    failure: list[BaseException] = []

    def on_cell_execute(cell: NotebookNode, cell_index: int) -> None:
        started[cell_index] = time.perf_counter()

    def on_cell_executed(cell: NotebookNode, cell_index: int, execute_reply: dict) -> None:
        result.cell_seconds[cell_index] = time.perf_counter() - started[cell_index]
        result.slowest_cell = max(result.slowest_cell, result.cell_seconds[cell_index])

    # No kernel folders: the kernel is this Python, whatever kernels are installed under the same name.
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=seconds_per_cell,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        shutdown_kernel="immediate",
        on_cell_execute=on_cell_execute,
        on_cell_executed=on_cell_executed,
    )
    with tempfile.TemporaryDirectory() as temporary:
        variables = {**os.environ, **(environment or {})}
        variables["COURSE_PROGRESS"] = str(Path(temporary) / "progress.json")
        variables["COURSE_QUIZ"] = str(Path(temporary) / "quiz.jsonl")
        if scale:
            variables["COURSE_SCALE"] = scale

        def run() -> None:
            try:
                client.execute(cwd=str(folder), env=variables, cleanup_kc=True)
            except BaseException as error:
                failure.append(error)

        # In a thread of its own: this one watches the kernel's memory and takes the user's Ctrl-C.
        begin = time.perf_counter()
        worker = threading.Thread(target=run, daemon=True)
        worker.start()
        process = None
        try:
            while worker.is_alive():
                worker.join(timeout=0.2)
                process = process or _kernel_process(manager)
                result.peak_megabytes = max(result.peak_megabytes, _resident_megabytes(process))
                result.seconds = time.perf_counter() - begin
                on_wait(result)
        except KeyboardInterrupt:
            _kill(process)
            worker.join(timeout=5)
            raise
        _kill(process)
    result.problem = _explain(failure[0], len(started), result, seconds_per_cell) if failure else ""
    if not result.problem:
        result.problem = "; ".join(swallowed_errors(notebook))
    return result


def swallowed_errors(notebook: NotebookNode) -> list[str]:
    """Errors in spite of which a cell counts as executed: in its outputs, in a widget, in a thread."""
    found = []
    for number, cell in enumerate(_code_cells(notebook), start=1):
        found += [f"cell {number} shows {error}" for error in _errors_among(cell.get("outputs", []))]
    views = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    for model in views.get("state", {}).values():
        outputs = model.get("state", {}).get("outputs", [])
        found += [f"a widget shows {error}" for error in _errors_among(outputs)]
    return found


def _errors_among(outputs: Sequence[dict]) -> list[str]:
    errors = []
    for output in outputs:
        if output["output_type"] == "error":
            errors.append(f"{output['ename']}: {output['evalue']}")
        elif output["output_type"] == "stream" and "Traceback (most recent call last)" in output["text"]:
            errors.append(_plain(output["text"]).strip().splitlines()[-1])
    return errors


def _explain(error: BaseException, cells_begun: int, result: Result, seconds_per_cell: float) -> str:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    where = f"in cell {cells_begun}" if cells_begun else "before the first cell"
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {_plain(error.evalue)} {where}\n{_plain(error.traceback).rstrip()}"
    if isinstance(error, CellTimeoutError):
        return f"cell {cells_begun} did not end within {seconds_per_cell:g} s"
    if isinstance(error, DeadKernelError):
        return f"the kernel died {where}, at up to {result.peak_megabytes} MB of memory"
    return f"{type(error).__name__}: {error} {where}"


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text or "")


def _kernel_process(manager) -> psutil.Process | None:
    pid = getattr(manager.provisioner, "pid", None)
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid) if pid else None


def _family(process: psutil.Process | None) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return [process, *process.children(recursive=True)] if process else []
    return []


def _resident_megabytes(process: psutil.Process | None) -> int:
    total = 0
    for one in _family(process):
        with contextlib.suppress(psutil.Error):
            total += one.memory_info().rss
    return total // 10**6


def _kill(process: psutil.Process | None) -> None:
    for one in _family(process):
        with contextlib.suppress(psutil.Error):
            one.kill()


def choose(names: Sequence[str], folder: Path) -> list[Path]:
    """The notebooks of a folder whose names, or numbers, are given; all of them where none is.

    Raises:
        SystemExit: a name that no notebook has; says which ones there are.
    """
    there = {path.stem: path for path in sorted(folder.glob("[0-9][0-9]_*.ipynb"))}
    if not names:
        return list(there.values())
    chosen = []
    for name in names:
        stem = Path(name).name.removesuffix(".ipynb")
        found = [path for known, path in there.items() if stem in (known, known[:2])]
        if not found:
            known = ", ".join(there) or "none: run `python -m tools.notebooks build` first"
            raise SystemExit(f"there is no notebook {name!r} in {folder.name}/; the known ones are {known}.")
        chosen += found
    return chosen


def _table(results: Sequence[Result]) -> str:
    width = max(len("notebook"), *(len(result.notebook) for result in results))
    lines = [f"{'notebook':{width}}  cells  seconds  slowest cell  peak memory  result"]
    for result in results:
        verdict = f"FAILED: {result.problem.splitlines()[0]}" if result.problem else "ok"
        lines.append(
            f"{result.notebook:{width}}  {result.cells:5}  {result.seconds:7.1f}  "
            f"{result.slowest_cell:10.1f} s  {result.peak_megabytes:8} MB  {verdict}"
        )
    count = f"{len(results)} notebook{'s' if len(results) > 1 else ''}"
    failed = sum(bool(result.problem) for result in results)
    total = sum(result.seconds for result in results)
    average = f"{total:.0f} s, {total / len(results):.0f} s on average"
    lines.append(f"{count} in {average}, {failed} failed" if failed else f"{count} in {average}, all ran")
    return "\n".join(lines)


def _keep(results: Sequence[Result], scale: str, solved: bool) -> None:
    """Merge the seconds into the table of the last runs; a folder that cannot be written is no failure."""
    try:
        kept = {
            key: row for key, row in json.loads(TABLE.read_text(encoding="utf-8")).items() if _is_row(row)
        }
    except (OSError, ValueError, AttributeError, RecursionError):
        kept = {}
    for result in results:
        row = {**asdict(result), "scale": scale, "solved": solved, **where_and_when()}
        row["seconds"], row["slowest_cell"] = round(result.seconds, 1), round(result.slowest_cell, 1)
        del row["cell_seconds"]
        row["problem"] = result.problem.splitlines()[0] if result.problem else ""
        kept[f"{'solutions' if solved else 'notebooks'}/{result.notebook} at {scale}"] = row
    rows = [{**kept[key], "notebook": key.split(" at ")[0]} for key in sorted(kept)]
    with contextlib.suppress(OSError):
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        TABLE.with_suffix(".md").write_text(markdown_table(rows), encoding="utf-8")


def _is_row(row: object) -> bool:
    """Whether this, from a file that anybody may have changed, is a row of the table."""
    try:
        markdown_table([row])
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def where_and_when() -> dict[str, str]:
    """What belongs to every measured second: the machine, with the cores that could be used, and the day."""
    from course_utils.cli.doctor import processor

    return {"machine": processor(), "date": datetime.date.today().isoformat()}


def markdown_table(rows: Iterable[Mapping]) -> str:
    """The table of the last runs, to read: a row for each, and the average at each scale.

    Args:
        rows: with notebook, scale, seconds, slowest_cell, peak_megabytes; and, where they are known, problem,
            machine and date.
    """
    lines = [
        "| notebook | scale | seconds | slowest cell | peak memory | machine | measured on |",
        "| --- | --- | ---: | ---: | ---: | --- | --- |",
    ]
    seconds: dict[str, list[float]] = {}
    for row in rows:
        failed = f" (failed: {row['problem']})" if row.get("problem") else ""
        lines.append(
            f"| {row['notebook']} | {row['scale']} "
            f"| {row['seconds']:.0f}{failed} | {row['slowest_cell']:.0f} s "
            f"| {row['peak_megabytes']} MB | {row.get('machine', '')} | {row.get('date', '')} |"
        )
        if not failed:
            seconds.setdefault(row["scale"], []).append(row["seconds"])
    lines.append("")
    for scale, measured in sorted(seconds.items()):
        goal = f"; the goal is at most {AVERAGE_SECONDS} s" if scale == "cpu" else ""
        average = sum(measured) / len(measured)
        lines += [f"At the `{scale}` scale {average:.0f} s a notebook on average{goal}.", ""]
    return "\n".join(lines[:-1]) + "\n"


def _current_scale() -> str:
    from course_utils.runtime import scale

    return scale()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen notebooks; 0 where all of them ran, 1 where one failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tools.run", description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="notebooks, such as 05_dcgan_mnist or 05; all if none is given"
    )
    parser.add_argument(
        "--scale", choices=SCALES, help="how long things train; by default, what the device allows"
    )
    parser.add_argument("--solved", action="store_true", help="run solutions/ instead of notebooks/")
    parser.add_argument("--seconds-per-cell", type=float, default=SECONDS_PER_CELL, metavar="N")
    parser.add_argument("--folder", type=Path, help="where the notebooks are, if not in the course")
    options = parser.parse_args(arguments)

    folder = options.folder or ROOT / ("solutions" if options.solved else "notebooks")
    chosen = choose(options.names, folder)
    if not chosen:
        print(f"there are no notebooks in {folder.name}/; run `python -m tools.notebooks build` first.")
        return 1
    try:
        scale = options.scale or _current_scale()
    except ValueError as error:  # COURSE_SCALE or COURSE_DEVICE names something that there is not
        parser.error(f"{error}; unset or correct the environment variable.")
    results: list[Result] = []
    try:
        for place, path in enumerate(chosen, start=1):
            label = f"[{place}/{len(chosen)}] {path.stem} at the {scale} scale"
            try:
                notebook = nbformat.read(path, as_version=4)
                nbformat.validate(notebook)
            except Exception as error:  # nbformat raises all kinds of them
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                results.append(Result(path.stem, problem=f"it is no notebook that can be read ({reason})"))
            else:
                results.append(
                    execute(
                        notebook,
                        path.stem,
                        folder,
                        scale=scale,
                        seconds_per_cell=options.seconds_per_cell,
                        on_wait=lambda result, label=label: _tick(f"{label} … {result.seconds:.0f} s"),
                    )
                )
            result = results[-1]
            _tick("")
            verdict = "FAILED" if result.problem else "ok"
            print(f"{label}: {verdict}, {result.cells} cells in {result.seconds:.1f} s", flush=True)
            if result.problem:
                print(_indent(result.problem), flush=True)
    except KeyboardInterrupt:
        _tick("")
        print(f"stopped during {chosen[len(results)].stem}; its kernel was shut down.")
    if results:
        print(_table(results))
        if folder in (ROOT / "notebooks", ROOT / "solutions"):
            _keep(results, scale, options.solved)
            print("kept in .course/run.md")
    if len(results) < len(chosen):
        return 130
    return 1 if any(result.problem for result in results) else 0


def _tick(line: str) -> None:
    """Rewrite the terminal's last line; nothing where the output goes to a file."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{line}", end="", flush=True)


def _indent(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


if __name__ == "__main__":
    sys.exit(main())
