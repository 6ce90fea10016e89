"""Exercises with numbers of a learner's own: the learner's name in `COURSE_VARIANT` chooses them.

Solutions stand in the course for everybody to read. Where marks are given, each learner gets an exercise's
variant: the same piece of work with another number in it, so that a copied answer is refused, with a sentence
that says whose it is. Without the variable nothing of this happens.

The variants stand in `course_utils/exercises/variants.py`, which is imported when one is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from course_utils.checks.answers import call, expect_close
from course_utils.checks.verdict import CALLS, EXERCISES, Exercise, Wrong


class Variant(NamedTuple):
    """An exercise that is asked with one of several sets of numbers."""

    number: str  # of the exercise
    question: str  # what is asked otherwise than printed, the numbers' names in braces
    choices: Sequence[Mapping[str, float]]  # the sets of numbers of which a learner gets one
    reference: Callable  # (**numbers) -> the right answer: a function, or a value
    cases: Sequence[tuple]  # arguments on which the answer, where it is a function, must agree with it

    def asked(self, numbers: Mapping[str, float]) -> str:
        """The question with these numbers."""
        return self.question.format(**numbers)

    def numbers_of(self, learner: str) -> Mapping[str, float]:
        """The set of numbers that this learner gets; the same on every machine, whenever it is asked for."""
        digest = hashlib.sha256(f"{learner}/{self.number}".encode()).digest()
        return self.choices[int.from_bytes(digest[:8], "big") % len(self.choices)]

    def check(self, answer, numbers: Mapping[str, float]) -> None:
        """Raises Wrong unless the answer is right with these numbers."""
        right = self.reference(**numbers)
        if not callable(right):
            expect_close(answer, right, name="your number")
            return
        for arguments in self.cases:
            CALLS.clear()  # `expect_close` may ask the answer once more, with what it was called with last
            expect_close(call(answer, *arguments), right(*arguments))


_VARIANTS: dict[str, Variant] = {}


def variant(
    number: str, *, question: str, choices: Sequence[Mapping[str, float]], cases: Sequence[tuple] = ()
):
    """Declare the decorated function to give the right answer to a variant of an exercise.

    Args:
        number: of the exercise, such as "1.2".
        question: what is asked otherwise than printed; `{name}` stands for a number of the choices.
        choices: the sets of numbers; each must have another right answer, and none the printed exercise's.
        cases: arguments to try a function with; none where the answer is a value.

    Raises:
        ValueError: two variants of one exercise, or less than two choices.
    """

    def declare(reference: Callable) -> Callable:
        if number in _VARIANTS and _VARIANTS[number].reference.__qualname__ != reference.__qualname__:
            raise ValueError(f"exercise {number} has two variants; keep one.")
        if len(choices) < 2:
            raise ValueError(f"the variant of exercise {number} needs two choices at least.")
        _VARIANTS[number] = Variant(number, question, tuple(choices), reference, tuple(cases))
        return reference

    return declare


def learner() -> str:
    """Whose variants are asked for: `COURSE_VARIANT`; "" where nobody's are."""
    return os.environ.get("COURSE_VARIANT", "").strip()


def variants() -> dict[str, Variant]:
    """All variants by their exercise's number; imports the module that declares them."""
    importlib.import_module(f"{EXERCISES}.variants")
    return dict(_VARIANTS)


def variant_of(number: str) -> Variant | None:
    """The variant of an exercise, or None where it has none or nobody's variants are asked for."""
    return variants().get(number) if learner() else None


def question_for(name: str, number: str) -> str:
    """What this learner is asked otherwise than printed; "" where the exercise has no variant."""
    known = variants().get(number)
    return known.asked(known.numbers_of(name)) if known else ""


def show_variant(number: str) -> None:
    """Print what the exercise asks of you otherwise than printed, where it does."""
    if not learner():
        print(
            f"Exercise {number} is marked with numbers of your own. Set COURSE_VARIANT to your name, as your "
            "course knows you, before you start Jupyter; until then the check asks for what is printed."
        )
    elif known := variant_of(number):
        print(f"Exercise {number} for {learner()}: {known.asked(known.numbers_of(learner()))}")
        print("(Where the text says what you should get, that is for the printed question.)")


def for_learner(found: Exercise) -> Exercise:
    """The exercise with the learner's own numbers in it, where it has a variant; else as it is."""
    known = variant_of(found.number)
    if known is None:
        return found
    numbers = known.numbers_of(learner())
    question = f"For {learner()}: {known.asked(numbers)}"

    def checker(answer):
        try:
            known.check(answer, numbers)
        except NotImplementedError:  # a stub, or PyTorch's own: `run_check` knows which
            raise
        except Exception as error:
            if whose := _whose(known, numbers, found, answer):
                raise Wrong(f"{whose} {question}") from None
            if isinstance(error, Wrong):
                raise Wrong(f"{error} {question}") from None
            raise
        return "with the numbers that were drawn for you."

    return found._replace(checker=checker, question=question)


def _whose(known: Variant, mine: Mapping[str, float], printed: Exercise, answer) -> str:
    """Which question a wrong answer is right for: the printed one, another learner's, or ""."""

    def passes(check: Callable, *arguments) -> bool:
        CALLS.clear()
        try:
            check(answer, *arguments)
        except Exception:
            return False
        return True

    if passes(printed.checker):
        return "that is right for the exercise as it is printed, and you are asked something else."
    for other in known.choices:
        if other != mine and passes(known.check, other):
            return f"that answers another learner's variant: “{known.asked(other)}”"
    return ""
