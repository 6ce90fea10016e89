"""Generate the notebooks from their text: `python -m tools.notebooks build|execute|claims|check [names]`.

    solutions/NN_topic.py            what an author writes: a percent script, answers between markers
    solutions/NN_topic.ipynb         generated: the same cells, executed, outputs kept
    solutions/NN_topic.claims.json   generated: what its claims found (tools/claims.py)
    notebooks/NN_topic.ipynb         generated: answers replaced by stubs, no outputs

`build` writes both notebooks and keeps the outputs of cells whose code did not change; `execute` builds, runs
the solution at the cpu scale with its claims, and keeps its outputs; `claims` runs it again with other seeds,
for its claims alone; `check` writes nothing and says what is out of date.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from tools import claims, readme
from tools.run import ROOT, Result, execute, where_and_when

BEGIN, INSTEAD, END = "### BEGIN SOLUTION", "### INSTEAD", "### END SOLUTION"
LIKE_A_MARKER = re.compile(r"#+\s*((BEGIN|END)\s+SOLUTIONS?|INSTEAD)\s*:?", re.IGNORECASE)
SOLUTION_TAG = "solution"  # a cell with this tag is left out of the learner's notebook
STUB_MESSAGE = "your code here"
RECORDED_VERSIONS = ("torch", "numpy", "matplotlib", "ipywidgets")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


class NotebookError(Exception):
    """The text of a notebook cannot be turned into one; names file and line."""


# --- from text to notebooks -----------------------------------------------------------------------------


def read_script(path: Path, with_claims: bool = False) -> NotebookNode:
    """The notebook that a percent script describes, with ids that depend on the cells' content alone.

    Args:
        path: of the script.
        with_claims: keep the cells tagged "claim", in the form in which a kernel runs them.

    Raises:
        NotebookError: markers that do not pair up.
    """
    text = path.read_text(encoding="utf-8")
    _check_markers(text, path)
    parsed = jupytext.reads(text, fmt="py:percent")
    cells = []
    claiming = iter(claims.kernel_source(path))
    for cell in parsed.cells:
        tags = cell.metadata.get("tags", [])
        if claims.TAG in tags:
            if with_claims:
                cell.source = next(claiming)
            else:
                continue
        new = nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        kept = {name: cell.metadata[name] for name in ("tags", "jupyter") if name in cell.metadata}
        cells.append(new(cell.source, metadata=kept))
    _name_cells(cells)
    return nbformat.v4.new_notebook(cells=cells, metadata=json.loads(json.dumps(METADATA)))


def _name_cells(cells: Sequence[NotebookNode]) -> None:
    """Ids from content: inserting a cell changes no other id. A second cell of the same content gets -2."""
    seen: dict[str, int] = defaultdict(int)
    for cell in cells:
        name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[name] += 1
        cell.id = name if seen[name] == 1 else f"{name}-{seen[name]}"


def _check_markers(text: str, path: Path) -> None:
    """Each BEGIN has its END in its cell, spelt as it must be: a marker gone unseen would leak an answer."""
    opened = 0
    for number, line in enumerate(text.splitlines(), start=1):
        marker = line.strip()
        place = f"{path.parent.name}/{path.name}:{number}"
        if line.startswith("# %%") and opened:
            raise NotebookError(f"{place}: the cell of the `{BEGIN}` in line {opened} ends without `{END}`.")
        if marker == BEGIN:
            if opened:
                raise NotebookError(
                    f"{place}: `{BEGIN}` again, before the one in line {opened} has its `{END}`."
                )
            opened = number
        elif marker == END:
            if not opened:
                raise NotebookError(f"{place}: `{END}` without `{BEGIN}` before it.")
            opened = 0
        elif marker == INSTEAD and not opened:
            raise NotebookError(f"{place}: `{INSTEAD}` without `{BEGIN}` before it.")
        elif marker != INSTEAD and LIKE_A_MARKER.fullmatch(marker):
            raise NotebookError(
                f"{place}: `{marker}` looks like a marker; write `{BEGIN}`, `{INSTEAD}` or `{END}`."
            )
    if opened:
        raise NotebookError(f"{path.parent.name}/{path.name}:{opened}: `{BEGIN}` without `{END}` after it.")


def stub(solution: NotebookNode) -> NotebookNode:
    """The learner's notebook: answers replaced by stubs, cells tagged "solution" left out, no outputs."""
    cells = []
    for cell in solution.cells:
        if SOLUTION_TAG in cell.metadata.get("tags", []):
            continue
        copy = json.loads(json.dumps(cell))
        if cell.cell_type == "code":
            copy.update(source=stub_source(cell.source), outputs=[], execution_count=None)
        cells.append(nbformat.from_dict(copy))
    return nbformat.v4.new_notebook(cells=cells, metadata=json.loads(json.dumps(METADATA)))


def stub_source(source: str) -> str:
    """The code of a cell with each marked block replaced.

    In a function the block becomes `raise NotImplementedError("your code here")`; elsewhere each name that
    it assigns is set to `...`, which the checks read as "not attempted yet". What stands after `### INSTEAD`
    in the block, as comments, takes the block's place where it is there: a line to be repaired.
    """
    if BEGIN not in source:
        return source
    functions = _function_spans(source)
    kept: list[str] = []
    block: list[str] | None = None
    instead: list[str] | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        marker = line.strip()
        if marker == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            inside = any(first < number <= last for first, last in functions)
            block, instead = [], None
        elif marker == INSTEAD:
            instead = []
        elif marker == END:
            stubs = [f'raise NotImplementedError("{STUB_MESSAGE}")'] if inside else _placeholders(block)
            kept += [indent + replacement for replacement in (stubs if instead is None else instead)]
            block = instead = None
        elif instead is not None:
            instead.append(marker.removeprefix("# "))
        elif block is not None:
            block.append(line)
        else:
            kept.append(line)
    return "\n".join(kept)


def _function_spans(source: str) -> list[tuple[int, int]]:
    """First and last line of every function in a cell, with the markers that follow its last statement."""
    lines = source.splitlines()
    spans = []
    for node in ast.walk(_parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            last = node.end_lineno
            while (
                last < len(lines)
                and lines[last].strip() in (BEGIN, END)
                and _depth(lines[last]) > node.col_offset
            ):
                last += 1
            spans.append((node.lineno, last))
    return spans


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _placeholders(block: Sequence[str]) -> list[str]:
    """`name = ...` for each name that a block outside functions binds, in order."""
    names: dict[str, None] = {}
    for node in _statements(_parse(textwrap.dedent("\n".join(block))).body):
        for name in _bound_names(node):
            names[name] = None
    if not names:
        return [f"pass  # {STUB_MESSAGE}"]
    return [f"{name} = ...  # {STUB_MESSAGE}" for name in names]


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """The statements of a block: those inside loops, branches and `with` too, those inside functions not."""
    for node in body:
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for inner in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, inner, []))


def _bound_names(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = getattr(node, "targets", None) or ([node.target] if isinstance(node, ast.AnnAssign) else [])
    return [
        part.id
        for target in targets
        for part in ast.walk(target)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store) and part.id != "_"
    ]


def _parse(source: str) -> ast.Module:
    """The syntax tree, with IPython's magic lines blanked out."""
    return ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))


# --- outputs --------------------------------------------------------------------------------------------


def fingerprint(source: str) -> str:
    """Identifies what a cell computes: equal where only comment lines or blank lines differ."""
    # Of the text, not of its syntax tree: that differs from one Python version to the next.
    lines = [line.rstrip() for line in source.splitlines()]
    code = [line for line in lines if line and not line.lstrip().startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:16]


def code_fingerprint(notebook: NotebookNode) -> str:
    """Identifies what the whole notebook computes."""
    return _digest([fingerprint(cell.source) for cell in notebook.cells if cell.cell_type == "code"])


def outputs_fingerprint(notebook: NotebookNode) -> str:
    """Identifies what the notebook shows, so that outputs edited by hand are noticed."""
    return _digest([cell.outputs for cell in notebook.cells if cell.cell_type == "code"])


def _digest(content) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def with_outputs_of(notebook: NotebookNode, former: NotebookNode | None) -> NotebookNode:
    """Give cells the outputs that a former version of the notebook has for the same code."""
    if former is None:
        return notebook
    known: dict[str, list[NotebookNode]] = defaultdict(list)
    for cell in former.cells:
        if cell.cell_type == "code":
            known[fingerprint(cell.source)].append(cell)
    for cell in notebook.cells:
        if cell.cell_type == "code" and known[fingerprint(cell.source)]:
            match = known[fingerprint(cell.source)].pop(0)
            cell.outputs, cell.execution_count = match.outputs, match.execution_count
    if "course" in former.metadata:
        notebook.metadata["course"] = former.metadata["course"]
    return notebook


def settle_outputs(notebook: NotebookNode, result: Result) -> None:
    """Make an executed notebook fit to be kept: nothing volatile in it, and a note on how it was run."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            # A saved view has no kernel behind it; without the view, the static picture beside it is shown.
            if len(output.get("data", {})) > 1:
                output["data"].pop(WIDGET_VIEW, None)
                output.get("metadata", {}).pop(WIDGET_VIEW, None)
    notebook.metadata = nbformat.from_dict(json.loads(json.dumps(METADATA)))
    versions = {name: importlib.metadata.version(name).split("+")[0] for name in RECORDED_VERSIONS}
    notebook.metadata["course"] = {
        "scale": "cpu",
        "seconds": round(result.seconds, 1),
        "slowest_cell_seconds": round(result.slowest_cell, 1),
        "peak_megabytes": result.peak_megabytes,
        **where_and_when(),
        "versions": {"python": platform.python_version(), **versions},
        "code": code_fingerprint(notebook),
        "outputs": outputs_fingerprint(notebook),
    }


# --- the two folders ------------------------------------------------------------------------------------


def to_text(notebook: NotebookNode) -> str:
    """The file's content; the same bytes for the same notebook."""
    nbformat.validate(notebook)
    plain = json.loads(nbformat.writes(notebook, version=4))
    plain["nbformat"], plain["nbformat_minor"] = 4, 5
    return json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _read(path: Path) -> NotebookNode | None:
    return nbformat.read(path, as_version=4) if path.exists() else None


def generate(script: Path, root: Path = ROOT) -> dict[Path, str]:
    """What the generated files of a script must contain, given the outputs and results kept so far."""
    solution = read_script(script)
    learner = stub(solution)
    twin = script.with_suffix(".ipynb")
    with_outputs_of(solution, _read(twin))
    files = {twin: to_text(solution), root / "notebooks" / twin.name: to_text(learner)}
    kept = claims.load(script)
    if kept is not None:
        renewed = claims.renewed(kept, claims.read(script), claims_digest(script))
        files[claims.results_path(script)] = claims.to_text(renewed)
    return files


def claims_digest(script: Path) -> str:
    """Identifies what a script's claims are held against: its code, and the conditions of the claims."""
    return _digest([code_fingerprint(read_script(script)), claims.digest_text(script)])


def drift(root: Path = ROOT, names: Sequence[str] = ()) -> list[str]:
    """What is out of date, a sentence each; empty where text and notebooks agree."""
    problems = []
    scripts = choose_scripts(names, root)
    for script in scripts:
        for path, content in generate(script, root).items():
            label = f"{path.parent.name}/{path.name}"
            if not path.exists():
                problems.append(f"{label} is missing; run `make notebooks`.")
            elif path.read_text(encoding="utf-8") != content:
                problems.append(
                    f"{label} does not agree with {script.name}; edit the script, run `make notebooks`."
                )
        twin = _read(script.with_suffix(".ipynb"))
        if twin is not None:
            problems += _stale(twin, f"solutions/{script.stem}.ipynb", code_fingerprint(read_script(script)))
        problems += claims.stale(script, claims_digest(script))
    if not names:
        known = {script.stem for script in scripts}
        for path in [*root.glob("solutions/*.ipynb"), *root.glob("notebooks/*.ipynb")]:
            if path.stem not in known:
                problems.append(
                    f"{path.parent.name}/{path.name} has no script solutions/{path.stem}.py; delete it."
                )
    return problems


def _stale(twin: NotebookNode, label: str, code: str) -> list[str]:
    ran = twin.metadata.get("course")
    if ran is None:
        return [f"{label} was never executed; run `make execute`."]
    if ran["code"] != code:
        return [f"{label} was executed from other code than it shows; run `make execute`."]
    if ran["outputs"] != outputs_fingerprint(twin):
        return [f"{label} holds outputs that no run has made; run `make execute`."]
    return []


def choose_scripts(names: Sequence[str], root: Path = ROOT) -> list[Path]:
    """The scripts with the given names or numbers; all of them where none is given.

    Raises:
        SystemExit: a name that no script has; says which ones there are.
    """
    there = {path.stem: path for path in sorted((root / "solutions").glob("[0-9][0-9]_*.py"))}
    chosen = []
    for name in names or there:
        stem = Path(name).name.removesuffix(".ipynb").removesuffix(".py")
        found = [path for known, path in there.items() if stem in (known, known[:2])]
        if not found:
            raise SystemExit(
                f"there is no solutions/{stem}.py; the known ones are {', '.join(there) or 'none'}."
            )
        chosen += found
    return chosen


def build(names: Sequence[str] = (), root: Path = ROOT) -> list[Path]:
    """Write the notebooks that are out of date; returns them."""
    written = []
    for script in choose_scripts(names, root):
        for path, content in generate(script, root).items():
            if not path.exists() or path.read_text(encoding="utf-8") != content:
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8")
                written.append(path)
    return written


def execute_solution(script: Path) -> Result:
    """Run a solution at the cpu scale; keep outputs and claims' results, the former ones where it fails."""
    notebook, result, found = run_with_claims(script, seed=0)
    if not result.problem:
        result.problem = "\n".join(claims.failures(_label(script), claims.read(script), found))
    if not result.problem:
        settle_outputs(notebook, result)
        script.with_suffix(".ipynb").write_text(to_text(notebook), encoding="utf-8")
        _keep_claims(script, 0, found)
    return result


def repeat_claims(script: Path, seed: int) -> Result:
    """Run a solution with another COURSE_SEED and keep nothing of it but what its claims found."""
    _, result, found = run_with_claims(script, seed)
    if not result.problem:
        _keep_claims(script, seed, found)
        broken = claims.failures(_label(script), claims.read(script), found, only_every_seed=True)
        result.problem = "\n".join(broken)
    return result


def run_with_claims(script: Path, seed: int) -> tuple[NotebookNode, Result, list[dict]]:
    """Run a solution at the cpu scale with its claim cells in place.

    Returns:
        The executed notebook without the claim cells, how it ran without their seconds, and their results.
    """
    notebook = read_script(script, with_claims=True)
    environment = {"COURSE_SEED": str(seed), "PYTHONPATH": str(ROOT)}
    result = execute(notebook, script.stem, script.parent, scale="cpu", environment=environment)
    claiming = [cell for cell in notebook.cells if claims.TAG in cell.metadata.get("tags", [])]
    notebook.cells = [cell for cell in notebook.cells if cell not in claiming]
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    found: list[dict] = []
    if not result.problem:
        outputs = [output for cell in claiming for output in cell.outputs]
        found, seconds = claims.collect(outputs, claims.read(script))
        result.seconds -= seconds
    return notebook, result, found


def _keep_claims(script: Path, seed: int, found: Sequence[dict]) -> None:
    written = claims.read(script)
    if written:
        ran = {"scale": "cpu", **where_and_when()}
        kept = claims.with_run(claims.load(script), written, claims_digest(script), seed, found, ran)
        claims.results_path(script).write_text(claims.to_text(kept), encoding="utf-8")


def _label(script: Path) -> str:
    return f"{script.parent.name}/{script.name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 where all is well."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("build", "execute", "claims", "check"))
    parser.add_argument(
        "names", nargs="*", help="notebooks, such as 05_dcgan_mnist or 05; all if none is given"
    )
    parser.add_argument(
        "--seeds", type=int, default=claims.LEAST_SEEDS, metavar="N", help="claims: seeds 0 to N-1"
    )
    parser.add_argument("--again", action="store_true", help="claims: run the seeds that have results, too")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            problems = drift(names=options.names)
            print("\n".join(problems) or "text and notebooks agree.")
            return 1 if problems else 0
        for path in build(options.names):
            print(f"wrote {path.relative_to(ROOT)}")
        scripts = choose_scripts(options.names)
        if options.command == "execute":
            results = [_report(script, "at the cpu scale", execute_solution) for script in scripts]
        elif options.command == "claims":
            results = [
                _report(script, f"with seed {seed}", partial(repeat_claims, seed=seed))
                for script in scripts
                for seed in seeds_to_run(script, options.seeds, options.again)
            ]
            print("\n".join(line for script in scripts for line in claims_table(script)))
        else:
            return 0
        readme.renew()  # the running times that were measured, and the claims
        build()  # the prose of several may have changed with them
        return 1 if any(result.problem for result in results) else 0
    except (NotebookError, claims.ClaimError, SyntaxError) as error:
        print(error, file=sys.stderr)
        return 1


def seeds_to_run(script: Path, seeds: int, again: bool = False) -> list[int]:
    """Those of the seeds 0, 1, … that have no results for the present code; all of them where `again`."""
    if not claims.read(script):
        return []
    kept = claims.load(script)
    done = set(kept["runs"]) if kept and kept["code"] == claims_digest(script) and not again else set()
    return [seed for seed in range(seeds) if str(seed) not in done]


def claims_table(script: Path) -> list[str]:
    """A line for each claim: in how many of the kept runs it holds."""
    kept = claims.load(script) or {"claims": []}
    lines = []
    for one in kept["claims"]:
        holding = sum(result["holds"] for result in one["results"].values())
        of = "every seed" if one["every_seed"] else "the run shown"
        lines.append(f"{script.stem[:2]}  {holding} of {len(one['results'])}  {of:13}  {one['sentence']}")
    return lines


def _report(script: Path, how: str, run: Callable[[Path], Result]) -> Result:
    print(f"{script.stem} {how} …", end=" ", flush=True)
    result = run(script)
    print(result.problem or f"{result.seconds:.0f} s, {result.peak_megabytes} MB", flush=True)
    cores, busy = os.cpu_count() or 1, os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > cores + 1:
        print(
            f"the machine was busy ({busy:.0f} processes on {cores} cores): it takes fewer seconds than that."
        )
    return result


if __name__ == "__main__":
    sys.exit(main())
