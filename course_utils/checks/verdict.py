"""What an exercise is, how an answer to it is checked, and how the verdict looks."""

from __future__ import annotations

import html
import importlib
import pkgutil
import re
import site
import sysconfig
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from course_utils.checks.guard import TookTooLong, undisturbed, within

STUB_MESSAGE = "your code here"  # what an untouched stub raises; tools/notebooks.py writes it there
EXERCISES = "course_utils.exercises"  # a floor above this one, so it is only known by its name
RIGHT, WRONG, NOT_ATTEMPTED, UNKNOWN = "right", "wrong", "not attempted", "unknown exercise"
SECONDS = 20  # what a check may take: all of the course's together take about as long
_MESSAGE, _LINE = 2_000, 300  # characters: what is shown of a message, and of a line of error or code

CALLS: list = []  # (function, arguments, result): what the present check has asked of the answer so far


class Wrong(Exception):
    """Raised by a checker; its message tells the learner what is wrong and points at the next thought."""


class Part(NamedTuple):
    """Something that is asked before the exercise itself, such as a diagnosis before the cure."""

    checker: Callable  # as an exercise's
    hints: tuple[str, ...] = ()


class Exercise(NamedTuple):
    """One exercise: `checker(answer)` raises Wrong, or returns the sentence that a right answer earns."""

    number: str
    title: str
    difficulty: int  # 1 to 3, shown as ●○○ to ●●●
    minutes: int
    hints: tuple[str, ...]
    checker: Callable
    seconds: float = SECONDS
    parts: Mapping[str, Part] = MappingProxyType({})  # what else is checked under this number, by name
    question: str = ""  # what a learner is asked in place of the printed question: checks/variants.py


_EXERCISES: dict[str, Exercise] = {}


def exercise(
    number: str,
    *,
    title: str,
    difficulty: int,
    minutes: int,
    hints: Sequence[str] = (),
    seconds: float = SECONDS,
    parts: Mapping[str, Part] = MappingProxyType({}),
):
    """Declare the decorated function to be the checker of an exercise.

    Args:
        number: notebook and place in it, for example "1.2".
        title: as in the notebook's heading.
        difficulty: 1, 2 or 3.
        minutes: how long a learner is expected to need.
        hints: shown one at a time, from a nudge to nearly the answer.
        seconds: after these an answer is stopped; more for one that has to train.
        parts: what is asked before, by the name it is checked by: `check("7.4", diagnosis="b")`.

    Raises:
        ValueError: a malformed or repeated number, or a difficulty outside 1 to 3.
    """
    if not re.fullmatch(r"\d+\.\d+", number):
        raise ValueError(f"an exercise's number must look like '1.2', got {number!r}; write notebook.place.")
    if difficulty not in (1, 2, 3):
        raise ValueError(
            f"difficulty of exercise {number} must be 1, 2 or 3, got {difficulty!r}; choose one."
        )

    def declare(checker: Callable) -> Callable:
        known = _EXERCISES.get(number)
        if known and (known.checker.__module__, known.checker.__name__) != (
            checker.__module__,
            checker.__name__,
        ):
            raise ValueError(
                f"exercise {number} is declared as {known.title!r} and as {title!r}; renumber one."
            )
        _EXERCISES[number] = Exercise(
            number, title, difficulty, minutes, tuple(hints), checker, seconds, parts
        )
        return checker

    return declare


def exercise_modules() -> dict[int, str]:
    """Notebook number → name of the module with its exercises, in the notebooks' order."""
    names = [module.name for module in pkgutil.iter_modules(importlib.import_module(EXERCISES).__path__)]
    return {int(name[2:4]): name for name in sorted(names) if re.match(r"ex\d\d_", name)}


def exercises_of(notebook: int) -> list[Exercise]:
    """The exercises of one notebook, in order; imports the module that holds them."""
    modules = exercise_modules()
    if notebook in modules:
        importlib.import_module(f"{EXERCISES}.{modules[notebook]}")
    mine = [known for known in _EXERCISES.values() if int(known.number.split(".")[0]) == notebook]
    return sorted(mine, key=lambda known: int(known.number.split(".")[1]))


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: a status, a sentence about it, and the hints that may be asked for."""

    number: str
    status: str  # "right", "wrong", "not attempted" or "unknown exercise"
    message: str
    title: str = ""
    hints: tuple[str, ...] = ()
    code: str = ""  # the line of the answer that an error came from
    note: str = ""

    def with_note(self, note: str) -> Verdict:
        return replace(self, note=note)

    def _headline(self) -> str:
        title = f" ({self.title})" if self.title else ""
        return f"{_LOOKS[self.status].icon} Exercise {self.number}{title}: {_LOOKS[self.status].words}"

    def __repr__(self) -> str:
        lines = [self._headline(), _plain(self.message), f"    {self.code}" if self.code else "", self.note]
        return "\n".join(line for line in lines if line)

    def _repr_html_(self) -> str:
        # Translucent, and no colour for the text: it keeps the theme's own, dark or light.
        look = _LOOKS[self.status]
        pre = '<pre style="margin: 0.4em 0;">'
        code = f"{pre}<code>{html.escape(self.code)}</code></pre>" if self.code else ""
        note = f"<div><em>{_inline(self.note)}</em></div>" if self.note else ""
        return (
            f'<div role="status" class="course-verdict" style="border-left: 5px solid rgb({look.colour}); '
            f'background: rgba({look.colour}, 0.12); padding: 0.5em 1em;">'
            f"<strong>{html.escape(self._headline())}</strong>"
            f"<div>{_inline(self.message)}</div>{code}{_nested_hints(self.hints)}{note}</div>"
        )


class _Look(NamedTuple):
    icon: str
    words: str
    colour: str  # red, green, blue; from the colour-blind-safe palette of Okabe and Ito


_LOOKS = {
    RIGHT: _Look("✔", "right", "0, 158, 115"),
    WRONG: _Look("✘", "not right yet", "213, 94, 0"),
    NOT_ATTEMPTED: _Look("○", "not attempted yet", "86, 180, 233"),
    UNKNOWN: _Look("?", "no such exercise", "230, 159, 0"),
}


_EMPHASIS = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+)(?<=\S)\*(?![\w*])")


def _inline(text: str) -> str:
    """Plain text to HTML, with `code` between backticks and *emphasis* between stars."""
    parts = re.split(r"`([^`]+)`", html.escape(text))  # every second one is code
    parts[0::2] = [_EMPHASIS.sub(r"<em>\1</em>", part) for part in parts[0::2]]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)


def _as_sentence(message: str) -> str:
    """With a capital letter, unless the first word is an identifier or a formula: `optimizer.step()`, x²."""
    word = re.match(r"(a|[a-z][a-z'’-]+)(?=[\s,:;]|$)", message)
    return message[:1].upper() + message[1:] if word else message


def _plain(text: str) -> str:
    """The text for a terminal: *emphasis* loses its stars, `code` stays as it is."""
    parts = re.split(r"(`[^`]+`)", text)
    parts[0::2] = [_EMPHASIS.sub(r"\1", part) for part in parts[0::2]]
    return "".join(parts)


def _nested_hints(hints: Sequence[str], shown: int = 0) -> str:
    """Each hint holds the next one folded inside it, so that they open one at a time."""
    if shown == len(hints):
        return ""
    label = "Hint" if shown == 0 else "Another hint"
    return (
        f"<details><summary>{label} ({shown + 1} of {len(hints)})</summary>"
        f"<div>{_inline(hints[shown])}</div>{_nested_hints(hints, shown + 1)}</details>"
    )


def run_check(number: str, answer, part: str = "") -> Verdict:
    """Check an answer, showing and remembering nothing. Never raises on account of the answer.

    The checker draws the same random numbers each time, and leaves the notebook's surroundings as they were.
    An answer that does not come to an end is stopped.

    Args:
        number: the exercise, for example "1.2".
        answer: the learner's function, value or class; `...`, None, or a stub that raises
            NotImplementedError("your code here") count as not attempted.
        part: what is checked, where it is not the exercise itself; one of its `parts`.

    Returns:
        The verdict: status, message, hints.
    """
    number = str(number)
    try:
        found = _find(number, part)
    except Exception as error:  # a checker that cannot be imported must not stop the notebook
        return Verdict(number, UNKNOWN, f"The checkers could not be loaded: {_last_line(error)}")
    if found is None:
        return Verdict(number, UNKNOWN, _known_sentence(number, part))

    def verdict(status: str, message: str, hints: tuple[str, ...] = found.hints, code: str = "") -> Verdict:
        message, code = _cut(message, _MESSAGE), _cut(code, _LINE)
        return Verdict(number, status, _as_sentence(message), found.title, hints, code)

    CALLS.clear()
    try:
        with undisturbed():
            praise = within(found.seconds, _checked, found, answer)
    except Wrong as wrong:
        return verdict(WRONG, str(wrong))
    except KeyboardInterrupt:  # the stop button is the learner's, and stops what follows, too
        raise
    except TookTooLong as error:
        place, code = _line_of_the_answer(error)
        return verdict(
            WRONG,
            f"Your answer was stopped after {found.seconds:g} seconds{place and ', '}{place}. "
            "Is there a loop that never ends, or one over far too much?",
            code=code,
        )
    except BaseException as error:  # even an answer that leaves by GeneratorExit must not stop the notebook
        if _is_stub(error):
            fill_in = "Fill in your answer above, run its cell, then run this one again."
            return verdict(NOT_ATTEMPTED, f"{found.question} {fill_in}".strip())
        place, code = _line_of_the_answer(error)
        if code:
            return verdict(
                WRONG, f"Your answer stopped with an error, {place}: `{_last_line(error)}`", code=code
            )
        return verdict(WRONG, f"The check could not use what your answer gives: `{_last_line(error)}`")
    finally:
        CALLS.clear()
    return verdict(RIGHT, praise or "", hints=())


def _checked(found: Exercise, answer) -> str | None:
    if _untouched(answer):
        raise NotImplementedError(STUB_MESSAGE)
    return found.checker(answer)


def _find(number: str, part: str = "") -> Exercise | None:
    """The exercise, or a part of it as if it were one."""
    if re.fullmatch(r"\d+\.\d+", number):
        exercises_of(int(number.split(".")[0]))
    found = _EXERCISES.get(number)
    if found is None:
        return None
    if not part:
        from course_utils.checks.variants import for_learner  # it is made with this module's own parts

        return for_learner(found)
    asked = found.parts.get(part)
    return asked and found._replace(title=f"{found.title}: {part}", checker=asked.checker, hints=asked.hints)


def _known_sentence(number: str, part: str = "") -> str:
    if part and number in _EXERCISES:
        parts = ", ".join(_EXERCISES[number].parts) or "none"
        return f"Exercise {number} has no part {part!r}; the known ones: {parts}."
    notebook = number.split(".")[0]
    known = [e.number for e in exercises_of(int(notebook))] if notebook.isdecimal() else []
    if not known:
        known = [e.number for notebook in exercise_modules() for e in exercises_of(notebook)]
    return f"There is no exercise {number!r}; the known ones are {', '.join(known) or 'none yet'}."


def _untouched(answer) -> bool:
    """`...` or None, alone or as any part of a tuple, list or dictionary of answers."""
    if isinstance(answer, dict):
        answer = list(answer.values())
    if isinstance(answer, (tuple, list)) and not hasattr(answer, "_fields"):  # a named one is one value
        return any(part is ... or part is None for part in answer)
    return answer is ... or answer is None


def _is_stub(error: BaseException) -> bool:
    # PyTorch raises NotImplementedError of its own; only the stub's message means that nothing was written.
    return isinstance(error, NotImplementedError) and error.args in ((), (STUB_MESSAGE,))


def _last_line(error: BaseException) -> str:
    return _cut(traceback.format_exception_only(error)[-1].strip(), _LINE)


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else f"{text[:characters]} …"


def _line_of_the_answer(error: BaseException) -> tuple[str, str]:
    """Where the error left the learner's own code: ("in `name`, line 3", the text of it), or ("", "")."""
    if isinstance(error, SyntaxError) and error.text:
        return f"line {error.lineno}", error.text.strip()
    libraries = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), *site.getsitepackages()]
    libraries.append(str(Path(__file__).parents[1]))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.line and not frame.filename.startswith(tuple(libraries)):
            where = "" if frame.name == "<module>" else f"in `{frame.name}`, "
            return f"{where}line {frame.lineno}", frame.line
    return "", ""
