"""What checkers use to take an answer apart: call it, look at its shape, compare it, read a choice.

All of them raise Wrong with a sentence for the learner; none of them trusts the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from course_utils.checks.verdict import STUB_MESSAGE, Wrong


def call(function, *arguments, name: str = "your function", **keywords):
    """Call a learner's function on copies of the arguments, so that an answer may change them in place.

    Args:
        function: the answer.
        *arguments: tensors are copied, everything else is passed as it is.
        name: how the messages call the function.
        **keywords: passed on, tensors copied too.

    Returns:
        What the function returned.

    Raises:
        Wrong: it is no function, or it returns nothing. Errors inside the function are let through.
    """
    if name.isidentifier():
        name = f"`{name}`"
    if not callable(function):
        raise Wrong(f"{name} should be a function, but it is {_a(function)}; hand over the function itself.")
    result = function(*map(_copy, arguments), **{key: _copy(value) for key, value in keywords.items()})
    if result is None:
        raise Wrong(f"{name} returns nothing (`None`). Is there a `return`?")
    if result is ...:
        raise NotImplementedError(STUB_MESSAGE)
    return result


def as_tensor(value, name: str = "your result"):
    """A learner's number, list, array or tensor as a detached float64 tensor on the CPU.

    Raises:
        Wrong: it is not numeric, or it holds NaN or infinite values.
    """
    import torch

    try:
        if isinstance(value, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in value):
            value = torch.stack([torch.as_tensor(part) for part in value])
        tensor = torch.as_tensor(value).detach().cpu().to(torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"{name} should be a number or a tensor of numbers, but it is {_a(value)}.") from None
    if not torch.isfinite(tensor).all():
        broken = "NaN" if tensor.isnan().any() else "infinite values"
        raise Wrong(f"{name} contains {broken}. Is there a division by zero, or the logarithm of 0?")
    return tensor


def expect_shape(value, shape: tuple[int, ...], name: str = "your result", message: str = ""):
    """Raise Wrong unless the value's shape is the expected one; return the value."""
    found = tuple(getattr(value, "shape", ()))
    if found != tuple(shape):
        raise Wrong(message or f"{name} has shape {found}; expected {tuple(shape)}.")
    return value


def expect_close(actual, expected, message: str = "", *, tolerance: float = 1e-4, name: str = "your result"):
    """Raise Wrong unless |actual − expected| ≤ tolerance · max(1, |expected|) everywhere.

    Args:
        actual: the learner's value: a number, list, array or tensor of any numeric type.
        expected: the right one, of the same shape.
        message: what to say where it differs; by default, the first value that does.
        tolerance: relative above 1, absolute below.
        name: how the messages call the value.

    Raises:
        Wrong: not numeric, not finite, another shape, or another value.
    """
    actual, expected = as_tensor(actual, name), as_tensor(expected)
    expect_shape(actual, tuple(expected.shape), name)
    differs = ((actual - expected).abs() > tolerance * expected.abs().clamp(min=1)).flatten()
    if differs.any():
        first = int(differs.nonzero()[0])
        got, wanted = actual.flatten()[first].item(), expected.flatten()[first].item()
        where = _place(first, actual.shape)
        raise Wrong(message or f"{name} is {got:.6g}{where}, where {wanted:.6g} was expected.")


def _place(index: int, shape) -> str:
    """Where the flat index lies, counted from 0 as in Python: " at place 3", " in row 1, column 2", …"""
    import numpy

    place = [int(part) for part in numpy.unravel_index(index, shape)]
    if len(place) == 2:
        return " in row {}, column {}".format(*place)
    return {0: "", 1: f" at place {index}"}.get(len(place), f" at {place}")


def matches(actual, expected, *, tolerance: float = 1e-4) -> bool:
    """Whether `expect_close` would let it pass: for recognising a typical mistake by its value."""
    try:
        expect_close(actual, expected, tolerance=tolerance)
    except Wrong:
        return False
    return True


def choose(answer, right: str, wrong: Mapping[str, str]) -> None:
    """For questions that ask to predict or to explain: raise Wrong unless the right letter was chosen.

    Args:
        answer: the learner's choice; case, surrounding spaces and brackets do not count.
        right: the right letter.
        wrong: every other letter, with what to say to somebody who chose it.

    Raises:
        Wrong: another letter, with its own message; or none of them.
    """
    letter = answer.strip(" ()[]\t\n").lower() if isinstance(answer, str) else answer
    if letter == right.lower():
        return
    messages = {key.lower(): message for key, message in wrong.items()}
    if not isinstance(letter, str) or letter not in messages:
        letters = ", ".join(f'"{key}"' for key in sorted([right.lower(), *messages]))
        raise Wrong(f"Answer with one of {letters}; you gave {answer!r}.")
    raise Wrong(messages[letter])


def _copy(value):
    import torch

    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().clone().requires_grad_(value.requires_grad)


def _a(value) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} `{kind}`"
