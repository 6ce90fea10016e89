"""Claims: sentences of the course that a program holds against a run.

A cell of a percent script that is tagged "claim" holds calls such as

    # %% tags=["claim"]
    claim("The distance falls to a quarter or less", distances[0] / distances[-1] >= 4, every_seed=True)

Learners never see these cells. `make execute` runs them in place, with the notebook's own variables; their
results are kept in solutions/NN_topic.claims.json and shown on docs/claims.md. docs/authoring.md tells how to
write them. In the scripts `claim` and `about` need no import.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import html
import itertools
import json
import math
import re
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

TAG = "claim"
LEAST_SEEDS = 3  # with so many a claim of every seed must have been tried
RESULTS = "application/vnd.course.claims+json"  # how the kernel hands the results to this side
HEADER = re.compile(r"# %%.*\btags=\[.*\"claim\".*\]")
OF_THIS_RUN = re.compile(
    r"\b(this|these|the|your) (single )?(runs?|seeds?)\b|\bone (run|seed)\b", re.IGNORECASE
)
PREFACE = """# Claims

The sentences of the course that a program holds against a run: {count} so far. Each stands in the notebook's
prose or alternative texts, or in the file named. `make execute` runs them with the notebook and fails where
one does not hold; `make claims` repeats the notebook with other seeds. A sentence of *every seed* must hold
in all runs; one of *the run shown* says so in its paragraph. This page is written by these commands;
[authoring.md](authoring.md#claims) tells how to write a claim."""


class ClaimError(Exception):
    """A claim that cannot be one; names file and line."""


class Claim(NamedTuple):
    """A claim as its author wrote it."""

    sentence: str
    every_seed: bool
    where: str  # the file whose prose holds the sentence, from the checkout's root; "" is the notebook itself
    line: int  # in the script
    condition: str  # the source of everything behind the sentence


# --- in the script ---------------------------------------------------------------------------------------


def cells(text: str) -> list[tuple[int, str]]:
    """The claim cells of a percent script: (number of the first line, source)."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("# %%")] + [len(lines)]
    return [
        (begin + 2, "\n".join(lines[begin + 1 : end]).rstrip())
        for begin, end in itertools.pairwise(starts)
        if HEADER.match(lines[begin])
    ]


def read(script: Path) -> list[Claim]:
    """All claims of a percent script, in order.

    Raises:
        ClaimError: a sentence that is not a plain string, or a condition that is no condition.
    """
    found = []
    for first_line, source in cells(script.read_text(encoding="utf-8")):
        for call in _calls(ast.parse(source)):
            place = f"{script.parent.name}/{script.name}:{first_line + call.lineno - 1}"
            found.append(_claim(call, first_line + call.lineno - 1, place))
    return found


def _calls(tree: ast.AST) -> list[ast.Call]:
    """The calls of `claim`, in the order in which they stand."""
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "claim"
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _claim(call: ast.Call, line: int, place: str) -> Claim:
    if len(call.args) != 2 or not isinstance(getattr(call.args[0], "value", None), str):
        raise ClaimError(
            f'{place}: write claim("a sentence of the prose", a condition), the sentence as it stands.'
        )
    if isinstance(call.args[1], ast.Constant):
        raise ClaimError(f"{place}: the condition is a constant; it must be worked out from the run.")
    options = {option.arg: option.value for option in call.keywords}
    unknown = set(options) - {"every_seed", "where", "values"}
    if unknown:
        raise ClaimError(
            f"{place}: claim takes every_seed, where and values, and no {', '.join(map(str, unknown))}."
        )
    settings = {
        name: getattr(options[name], "value", None) for name in ("every_seed", "where") if name in options
    }
    if not isinstance(settings.get("every_seed", False), bool) or not isinstance(
        settings.get("where", ""), str
    ):
        raise ClaimError(f"{place}: every_seed is True or False, and where a file's name, both written out.")
    behind = [call.args[1], *(option.value for option in call.keywords)]
    condition = "; ".join(ast.unparse(part) for part in behind)
    return Claim(
        call.args[0].value, settings.get("every_seed", False), settings.get("where", ""), line, condition
    )


def digest_text(script: Path) -> str:
    """What the claims of a script compute.

    The same where only sentences, comments, line breaks, or the word on how many seeds they are of differ.
    """
    pieces = []
    for _, source in cells(script.read_text(encoding="utf-8")):
        sentences = [ast.get_source_segment(source, call.args[0]) for call in _calls(ast.parse(source))]
        for sentence in sentences:
            source = source.replace(sentence, "…", 1)
        code = [line for line in source.splitlines() if not line.lstrip().startswith("#")]
        computed = re.sub(r",every_seed=(True|False)", "", "".join("".join(code).split()))
        pieces.append(re.sub(r",(?=[)\]}])", "", computed))
    return "\n".join(pieces)


# --- in the prose ----------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """A text without emphasis, links' addresses, comments and line breaks: what is compared."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"!?\[([^\]]*)\]\([^)\s]*\)", r"\1", text)
    return " ".join(text.replace("*", "").split())


def paragraphs(markdown: str) -> list[str]:
    """The paragraphs of a markdown text, fenced code left out; a heading is one of its own."""
    text = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(#{1,6} .*)$", r"\n\1\n", text, flags=re.MULTILINE)
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def alternative_texts(notebook) -> list[str]:
    """Those that the code of a notebook writes, and those that its outputs have."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        found += [text for _, text in written_alternative_texts(cell.source)]
        for output in cell.get("outputs", []):
            found.append(output.get("metadata", {}).get("image/png", {}).get("alt", ""))
            found += re.findall(r'<img[^>]*\balt="([^"]*)"', str(output.get("data", {}).get("text/html", "")))
    return [html.unescape(text) for text in found if text]


def written_alternative_texts(source: str) -> list[tuple[int, str]]:
    """(line, text) of each argument `alt=` in a code cell; what an f-string works out becomes `…`."""
    found = []
    for node in ast.walk(ast.parse(re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))):
        if isinstance(node, ast.keyword) and node.arg == "alt":
            parts = [getattr(part, "value", None) for part in _string_parts(node.value)]
            text = "".join(part if isinstance(part, str) else "…" for part in parts)
            found.append((node.value.lineno, text))
    return found


def _string_parts(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.JoinedStr):
        return node.values
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _string_parts(node.left) + _string_parts(node.right)
    return [node]


def drifted(script: Path, notebook, root: Path) -> list[str]:
    """A sentence for each claim that does not stand in the prose, or does not say that it is of one run.

    Args:
        script: the percent script.
        notebook: its executed notebook.
        root: of the checkout; `where=` counts from there.
    """
    own = [
        part for cell in notebook.cells if cell.cell_type == "markdown" for part in paragraphs(cell.source)
    ]
    alts = [plain(text) for text in alternative_texts(notebook)]
    complaints = []
    for one in read(script):
        label = f"{script.parent.name}/{script.name}:{one.line}"
        if one.where and not (root / one.where).exists():
            complaints.append(f"{label}: there is no file {one.where}.")
            continue
        prose = paragraphs((root / one.where).read_text(encoding="utf-8")) if one.where else own
        homes = [text for text in map(plain, prose) if plain(one.sentence) in text]
        shown = not one.where and any(plain(one.sentence) in text for text in alts)
        if not homes and not shown:
            place = one.where or "the notebook's prose and alternative texts"
            closest = _closest(plain(one.sentence), [*map(plain, prose), *([] if one.where else alts)])
            complaints.append(f"{label}: {one.sentence!r} stands nowhere in {place}{closest}.")
        elif homes and not one.every_seed and not any(OF_THIS_RUN.search(text) for text in homes):
            complaints.append(
                f"{label}: the paragraph of {one.sentence!r} must say that it is of one run (“in this run”), "
                "or the claim must have every_seed=True."
            )
    return complaints


def _closest(sentence: str, texts: Iterable[str]) -> str:
    sentences = [part for text in texts for part in re.split(r"(?<=[.!?])\s+", text)]
    close = difflib.get_close_matches(sentence, sentences, n=1, cutoff=0.5)
    return f"; the closest is {close[0]!r}" if close else ""


# --- in the kernel ---------------------------------------------------------------------------------------


def about(found, stated: float, rel: float = 0.15) -> bool:
    """Whether a result is what the prose states in round words: within 15 % of it."""
    return abs(float(found) - stated) <= rel * abs(stated)


def kernel_source(script: Path) -> list[str]:
    """For each claim cell of a script, the code that runs it in the notebook's kernel."""
    sources, place = [], 0
    for line, source in cells(script.read_text(encoding="utf-8")):
        sources.append(
            f"__import__('tools.claims').claims.run_cell({source!r}, {str(script)!r}, {line}, {place})"
        )
        place += len(_calls(ast.parse(source)))
    return sources


def run_cell(source: str, script: str, line: int, place: int) -> None:
    """Run a claim cell, in a copy of the notebook's namespace and of its random state, and show the results.

    Args:
        source: the cell's code.
        script, line: where it stands, for error messages.
        place: the number of its first claim among all of the notebook.
    """
    from IPython import get_ipython
    from IPython.display import display

    begin = time.perf_counter()
    tree = ast.parse(source)
    for number, call in enumerate(_calls(tree), start=place):
        call.args[1] = _noting(call.args[1], number)
        call.keywords.append(ast.keyword("place", ast.Constant(number)))
    ast.increment_lineno(ast.fix_missing_locations(tree), line - 1)
    results: dict[int, dict] = {}
    noted: dict[int, dict] = {}

    def note(number: int, name: str, value):
        noted.setdefault(number, {})[name] = value
        return value

    def claim(sentence, holds, *, every_seed=False, where="", values=None, place):
        if getattr(holds, "shape", ()) not in ((), (1,)):
            raise TypeError(
                f"line of {sentence!r}: the condition is no single truth value; reduce it with .all()."
            )
        entering = {**noted.pop(place, {}), **(values or {})}
        former = results.get(place, {"holds": True})
        if former["holds"]:  # of a claim in a loop, the first failure is kept
            readable = {name: _readable(value) for name, value in entering.items()}
            results[place] = {"holds": bool(holds), "values": readable}

    names = {**get_ipython().user_ns, "claim": claim, "about": about, "_note": note}
    torch = sys.modules.get("torch")  # a notebook without it needs no copy of its random state
    with torch.random.fork_rng() if torch else contextlib.nullcontext():
        exec(compile(tree, script, "exec"), names)
    display({RESULTS: {"results": results, "seconds": time.perf_counter() - begin}}, raw=True)


def _noting(node: ast.expr, number: int) -> ast.expr:
    """The same condition, with everything that it compares written down on the way."""
    if isinstance(node, ast.BoolOp):
        node.values = [_noting(part, number) for part in node.values]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        node.operand = _noting(node.operand, number)
    elif isinstance(node, ast.Compare):
        node.left = _noted(node.left, number)
        node.comparators = [_noted(part, number) for part in node.comparators]
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "about":
        node.args[0] = _noted(node.args[0], number)
    return node


def _noted(node: ast.expr, number: int) -> ast.expr:
    if isinstance(node, ast.Constant) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)
    ):
        return node
    arguments = [ast.Constant(number), ast.Constant(ast.unparse(node)), node]
    return ast.Call(ast.Name("_note", ast.Load()), arguments, [])


def _readable(value):
    """A value as the results' file keeps it: numbers with four digits, long tensors by their extent."""
    if hasattr(value, "tolist"):
        shape = tuple(value.shape)
        if math.prod(shape) > 12:
            return f"{shape}, {float(value.min()):.4g} to {float(value.max()):.4g}"
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_readable(part) for part in value] if len(value) <= 12 else f"{len(value)} values"
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else str(value)
    return value if isinstance(value, (bool, int, str)) else str(value)[:80]


def collect(outputs: Iterable[Mapping], claims: Sequence[Claim]) -> tuple[list[dict], float]:
    """Results of all claims, in order, and the seconds that they took, from the claim cells' outputs.

    Raises:
        ClaimError: a claim that was never reached.
    """
    results, seconds = {}, 0.0
    for output in outputs:
        page = output.get("data", {}).get(RESULTS)
        if page:
            results.update({int(place): result for place, result in page["results"].items()})
            seconds += page["seconds"]
    missing = [claims[place].sentence for place in range(len(claims)) if place not in results]
    if missing:
        raise ClaimError(f"{missing[0]!r} was never reached; a claim must run, whatever the run shows.")
    return [results[place] for place in range(len(claims))], seconds


# --- the results that are kept ---------------------------------------------------------------------------


def results_path(script: Path) -> Path:
    return script.with_suffix(".claims.json")


def load(script: Path) -> dict | None:
    """The kept results of a script; None where there are none."""
    path = results_path(script)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def with_run(
    kept: dict | None, claims: Sequence[Claim], digest: str, seed: int, results, ran: Mapping
) -> dict:
    """The kept results with one more run; those of other code are dropped.

    Args:
        kept: what `load` returned.
        claims: the script's.
        digest: identifies the code of notebook and claims.
        seed: COURSE_SEED of the run.
        results: for each claim, holds and values.
        ran: scale, machine and day of the run.
    """
    current = kept is not None and kept["code"] == digest
    runs = dict(kept["runs"]) if current else {}
    runs[str(seed)] = dict(ran)
    entries = []
    for place, (one, result) in enumerate(zip(claims, results, strict=True)):
        former = kept["claims"][place]["results"] if current else {}
        entries.append({**_head(one), "results": {**former, str(seed): result}})
    return {"code": digest, "runs": runs, "claims": entries}


def _head(one: Claim) -> dict:
    return {"sentence": one.sentence, "every_seed": one.every_seed, "where": one.where}


def renewed(kept: dict, claims: Sequence[Claim], digest: str) -> dict:
    """The kept results with the present wording of the sentences; unchanged where other code made them."""
    if kept["code"] != digest:
        return kept
    entries = [
        {**_head(one), "results": old["results"]} for one, old in zip(claims, kept["claims"], strict=True)
    ]
    return {**kept, "claims": entries}


def to_text(kept: dict) -> str:
    return json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def failures(
    label: str, claims: Sequence[Claim], results: Sequence[Mapping], only_every_seed: bool = False
) -> list[str]:
    """A sentence for each claim that does not hold: file, line, sentence, values."""
    return [
        f"{label}:{one.line}: this does not hold: {one.sentence!r} ({_values(result['values'])})"
        for one, result in zip(claims, results, strict=True)
        if not result["holds"] and (one.every_seed or not only_every_seed)
    ]


def stale(script: Path, digest: str) -> list[str]:
    """What is wrong with the kept results of a script; empty where they are those of its claims."""
    kept, label = load(script), f"solutions/{results_path(script).name}"
    if not cells(script.read_text(encoding="utf-8")):
        return [f"{label} has no claims any more; delete it."] if kept else []
    if kept is None or kept["code"] != digest or "0" not in kept["runs"]:
        return [f"{label} does not hold the results of the script's claims; run `make execute`."]
    problems = [
        f"{label}: this does not hold with seed {seed}: {one['sentence']!r}"
        for one in kept["claims"]
        for seed, result in one["results"].items()
        if not result["holds"] and (one["every_seed"] or seed == "0")
    ]
    if len(kept["runs"]) < LEAST_SEEDS:
        problems.append(
            f"{label} has results of {len(kept['runs'])} seed(s) where {LEAST_SEEDS} are the least; "
            f"run `make claims NOTEBOOKS={script.name[:2]} SEEDS={LEAST_SEEDS}`."
        )
    return problems


def _values(values: Mapping) -> str:
    return ", ".join(f"`{name}` = {value}" for name, value in values.items()) or "no values"


def page(solutions: Path) -> str:
    """docs/claims.md: every claimed sentence, with what the run shown found and in how many runs it holds."""
    parts, count = [], 0
    for path in sorted(solutions.glob("[0-9][0-9]_*.claims.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        stem = path.name.removesuffix(".claims.json")
        seeds = sorted(kept["runs"], key=int)
        count += len(kept["claims"])
        parts.append(
            f"## [{stem}](../solutions/{stem}.ipynb)\n\nRuns: "
            + ", ".join(f"seed {seed} ({kept['runs'][seed]['date']})" for seed in seeds)
            + ".\n\n| sentence | of | found in the run shown | holds in |\n| --- | --- | --- | --- |\n"
            + "\n".join(_row(one) for one in kept["claims"])
        )
    return f"{PREFACE.format(count=count)}\n\n" + "\n\n".join(parts) + "\n"


def _row(one: Mapping) -> str:
    results = one["results"]
    sentence = one["sentence"].strip() + (f" ({one['where']})" if one["where"] else "")
    of = "every seed" if one["every_seed"] else "the run shown"
    holding = sum(result["holds"] for result in results.values())
    columns = [
        sentence,
        of,
        _values(results.get("0", {"values": {}})["values"]),
        f"{holding} of {len(results)}",
    ]
    return "| " + " | ".join(column.replace("|", "\\|").replace("\n", " ") for column in columns) + " |"
