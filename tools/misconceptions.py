"""What learners get wrong, read off the checkers: every message that a checker has for a wrong answer.

A checker names typical mistakes, each with a sentence of its own, and most of these end in a question. Taken
together they are a map of misconceptions. Nothing is run: the messages are read in the checkers' source, in
their order, with what is filled in at run time shown as “…”.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from course_utils.checks.verdict import EXERCISES, Exercise

LEAST_WORDS = 4  # a shorter text is a name or a unit, not a message
SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-ZΣÂ`*(\"“])")


class Mistake(NamedTuple):
    """A wrong answer that a checker knows."""

    answer: str  # the answer itself where it is a choice, such as "a"; else ""
    message: str  # what the checker says

    @property
    def statement(self) -> str:
        """What is wrong: the sentences that ask nothing."""
        return " ".join(one for one in sentences(self.message) if not one.endswith("?"))

    @property
    def question(self) -> str:
        """What the checker asks back; "" where it asks nothing."""
        return " ".join(one for one in sentences(self.message) if one.endswith("?"))


def sentences(text: str) -> list[str]:
    """A message's sentences, the first one with a capital letter."""
    text = re.sub(r"\s+", " ", text).strip()
    first = re.match(r"[a-z][a-z'’-]*(?=[\s,:;])", text)
    return SENTENCE.split(text[:1].upper() + text[1:] if first else text)


def mistakes(one: Exercise, part: str = "") -> list[Mistake]:
    """The wrong answers that an exercise's checker knows, or that of one of its parts; each message once."""
    checker = one.parts[part].checker if part else one.checker
    patient = inspect.getclosurevars(checker).nonlocals.get("patient")  # an exercise of the clinic
    if patient is not None and part:
        return [Mistake(letter, message) for letter, message in patient.otherwise.items()]
    starts = [patient.symptom, patient.probe] if patient is not None else [checker]
    found: dict[str, Mistake] = {}
    seen: set[tuple[str, str]] = set()
    for start in starts:
        for mistake in _reachable(start.__module__, start.__name__, seen, praises=patient is None):
            found.setdefault(mistake.message, mistake)
    return list(found.values())


def _reachable(module: str, name: str, seen: set, praises: bool = False) -> Iterator[Mistake]:
    """The messages in a function or a table of a module, and in what it uses of the exercises' modules."""
    if (module, name) in seen or not module.startswith(EXERCISES):
        return
    seen.add((module, name))
    definitions, imports = _names_of(module)
    if name in imports:
        yield from _reachable(*imports[name], seen)
    elif name in definitions:
        node = definitions[name]
        yield from _messages(node, praises)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Attribute) and getattr(inner.value, "id", "") in imports:
                package, submodule = imports[inner.value.id]
                if f"{package}.{submodule}" in sys.modules:  # `training_script.judge`
                    yield from _reachable(f"{package}.{submodule}", inner.attr, seen)
            if isinstance(inner, ast.Name) and inner.id != name and not isinstance(inner.ctx, ast.Store):
                yield from _reachable(module, inner.id, seen)


@cache
def _names_of(module: str) -> tuple[dict[str, ast.AST], dict[str, tuple[str, str]]]:
    """A module's functions and tables by name; and its imports: name -> (module, name there)."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    definitions: dict[str, ast.AST] = {}
    imports = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            definitions[node.targets[0].id] = node
        elif isinstance(node, ast.ImportFrom) and node.module:
            imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return definitions, imports


def _messages(node: ast.AST, praises: bool) -> Iterator[Mistake]:
    """The messages among the texts of a definition: no docstring, no hint, no praise, no name of a value."""
    body = node.body if isinstance(node, ast.FunctionDef) else [node]
    for statement in body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        yield from _texts(statement, praises)


def _texts(node: ast.AST, praises: bool, answer: str = "") -> Iterator[Mistake]:
    if isinstance(node, ast.Return) and praises:
        return  # what a checker returns is said to a right answer
    if isinstance(node, ast.FunctionDef):
        praises = False
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            choice = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            yield from _texts(value, praises, choice)
        return
    if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp)):
        text = _text(node)
        if text is not None:
            words = re.sub(r"[“”…]", "", text).split()
            if len(words) >= LEAST_WORDS and text.rstrip()[-1] in ".?!)":
                yield Mistake(answer, re.sub(r"\s+", " ", re.sub("…+", "…", text)).strip())
            return
    for inner in ast.iter_child_nodes(node):
        yield from _texts(inner, praises, answer)


def _text(node: ast.AST) -> str | None:
    """A text as a reader sees it, "…" for what is filled in; None where the node is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else _filled_in(part) for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left), _text(node.right)
        return None if left is None or right is None else left + right
    return None


def _filled_in(part: ast.FormattedValue) -> str:
    """A choice between two texts is shown as its first one; whatever else is filled in as "…"."""
    value = part.value
    return _text(value.body) or "…" if isinstance(value, ast.IfExp) else "…"


# What to ask back where a checker only states what is wrong: the first whose words its sentence has.
OF_A_CHOICE = "If that were so, what would you see, and what do you see?"
QUESTIONS = (
    (r"^still ill", "Which curve of the chart is still ill, and which lines of the program move it?"),
    (r"\b(in place|changes? (its|`)|leave it as it was)", "Who uses this tensor after you?"),
    (
        r"\b(graph|histor|detach|no_grad|backward|gradient reach)",
        "Which weights should this gradient reach, and which not?",
    ),
    (
        r"\b(zero_grad|optimi[sz]er|weights? moved?|step`|frozen|evaluation mode|training mode)",
        "Whose step is this, and what may be different after it?",
    ),
    (
        r"\b(swapped|changed places|turned|sign|wrong way|opposite|reversed?)\b",
        "Read your line aloud: what grows when things go well for this player?",
    ),
    (
        r"\b(is missing|are missing|only the|only one|left out|is gone|forgot)",
        "Which part of the formula has no line in your code?",
    ),
    (
        r"\b(means?\b|averag|sums?\b|summed|divided?|counts?\b|weighted|times too)",
        "Over what do you sum, and how many of these are there?",
    ),
    (r"\b(sigmoid|logits?)", "Must this number lie between 0 and 1, or may it be anything?"),
    (
        r"\b(shape|rows?|columns?|dimension|side by side|batch|scalar|single number)",
        "How many numbers must come out, and what does each axis stand for?",
    ),
    (
        r"\b(same|fixed|remember|earlier|random|seed|new ones|anew|each call)",
        "Call it twice, with other arguments: what should change, and what does?",
    ),
    (
        r"\b(square|root|power|factor|half|twice|logarithm|log\b|bits|exponent)",
        "Put the simplest numbers in, by hand: which step gives another number than yours?",
    ),
    (
        r"(\brange|0 to 1|−1|255|percent|between 0)",
        "What are the smallest and the largest value, before and after?",
    ),
    (r"\b(type|float|int|list|device|cpu|tensor)", "What does the next cell do with what you return?"),
    (r"\b(NaN|infinite|overflow|zero|small|large|huge|rounded)", "What happens at 0, and far out?"),
)
OTHERWISE = "Work the smallest example by hand: what must come out, and what does yours give?"


def ask_back(mistake: Mistake) -> tuple[str, bool]:
    """The question for a learner who made this mistake; True where it is the checker's own."""
    if mistake.question:
        return mistake.question, True
    if mistake.answer:
        return OF_A_CHOICE, False
    for about, question in QUESTIONS:
        if re.search(about, mistake.message, re.IGNORECASE):
            return question, False
    return OTHERWISE, False
