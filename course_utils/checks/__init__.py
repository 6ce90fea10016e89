"""Exercise checkers: `check("1.2", answer)` says what is right or wrong with an answer, and never raises.

The exercises of a notebook stand in `course_utils/exercises/exNN_topic.py`, one function each; the file is
imported when one of its numbers is asked for. `docs/authoring.md` says how to write one.
"""

from course_utils.checks.answers import (
    as_tensor,
    call,
    call_unchanged,
    choose,
    expect_close,
    expect_like,
    expect_same_again,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.checks.progress import remember
from course_utils.checks.variants import show_variant, variant, variant_of
from course_utils.checks.verdict import Part, Verdict, Wrong, exercise, run_check

__all__ = [
    "Part",
    "Verdict",
    "Wrong",
    "as_tensor",
    "call",
    "call_unchanged",
    "check",
    "choose",
    "exercise",
    "expect_close",
    "expect_like",
    "expect_same_again",
    "expect_shape",
    "expect_trainable",
    "expect_varied",
    "matches",
    "moved",
    "run_check",
    "show_variant",
    "shown",
    "variant",
    "weights_of",
]

_NOTHING = object()


def check(number, answer=_NOTHING, otherwise=_NOTHING, **part):
    """Show the verdict on an answer, with hints that unfold one at a time, and remember it when it is right.

    Args:
        number: the exercise as it is headed in the notebook, for example "1.2".
        answer: the function, value or class that the exercise asks for.
        otherwise: what the following cells use while the answer is not right yet.
        **part: in place of `answer`, that to a part of the exercise, by its name: `diagnosis="b"`.

    Returns:
        `answer` where it passed and `otherwise` where it did not; nothing where `otherwise` was not given.
        Where the learner has a variant, `otherwise` too: the notebook goes on with what it prints.

    Raises:
        TypeError: not exactly one answer.
    """
    from IPython.display import display

    if len(part) + (answer is not _NOTHING) != 1:
        raise TypeError(f"check takes one answer, got {[*part] or 'none'}; call it once for each.")
    if part:
        ((name, answer),) = part.items()
        verdict = run_check(number, answer, name)
        display(verdict.with_note(remember(f"{verdict.number} {name}", verdict.status)))
        return None
    # The reference in the answer's place is no answer: a name that an earlier check filled with it.
    verdict = run_check(number, ... if answer is otherwise else answer)
    verdict = verdict.with_note(remember(verdict.number, verdict.status))
    display(verdict)
    if otherwise is _NOTHING:
        return None
    return answer if verdict.status == "right" and variant_of(verdict.number) is None else otherwise
