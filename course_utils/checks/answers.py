"""What checkers use to take an answer apart: call it, look at its shape and type, compare it, read a choice.

All of them raise Wrong with a sentence for the learner; none of them trusts the answer.
"""

from __future__ import annotations

import copy
import inspect
import reprlib
from collections.abc import Mapping

from course_utils.checks.verdict import CALLS, STUB_MESSAGE, Wrong


def call(function, *arguments, name: str = "your function", **keywords):
    """Call a learner's function on copies of the arguments, so that an answer may change them in place.

    Args:
        function: the answer.
        *arguments: tensors, lists and dictionaries are copied, everything else is passed as it is.
        name: how the messages call the function.
        **keywords: passed on, copied in the same way.

    Returns:
        What the function returned.

    Raises:
        Wrong: it is no function, or it returns nothing. Errors inside the function are let through.
    """
    copies, named = [*map(_copy, arguments)], {key: _copy(value) for key, value in keywords.items()}
    result = _call(function, copies, named, name)
    if not keywords:
        CALLS.append((function, arguments, result))
    return result


def call_unchanged(function, *arguments, name: str = "your function"):
    """`call`, for a function that must leave its arguments alone: the notebook uses them again afterwards.

    Raises:
        Wrong: as `call`; or a tensor, list or dictionary that was handed over is another one afterwards.
    """
    copies = [*map(_copy, arguments)]
    result = _call(function, copies, {}, name)
    CALLS.append((function, arguments, result))
    for place, (before, after) in enumerate(zip(arguments, copies, strict=True)):
        if not _same(before, after):
            which = _name_of_argument(function, place)
            raise Wrong(
                f"{_quoted(name)} changes {which} itself, in place. "
                "Leave it as it was, and make something new."
            )
    return result


def expect_same_again(function, *arguments, name: str = "your function") -> None:
    """Raise Wrong where a second call with the very same objects gives another result, or none.

    What an answer leaves behind in its arguments, such as a gradient that adds up in `.grad`, changes no
    number of theirs, and `call` hands over new copies each time: it shows here. To be asked once the result
    is known to be right.
    """
    copies = [*map(_copy, arguments)]
    first = _call(function, copies, {}, name)
    try:
        same = _same(first, _call(function, copies, {}, name), tolerance=1e-6)
    except Exception as error:
        raise Wrong(
            f"{_quoted(name)} is right once. Asked a second time for the same tensors, it stops with "
            f"`{type(error).__name__}: {str(error)[:120]}`. Leave the arguments as they came, and work on "
            "copies of your own: `….detach().clone()`."
        ) from None
    if not same:
        raise Wrong(
            f"{_quoted(name)} is right once. Asked a second time for the same tensors, it gives another "
            "result: something is left behind in them. Does a gradient add up in their `.grad`? Work on "
            "copies of your own, `….detach().clone().requires_grad_()`, or use `torch.autograd.grad`."
        )


def _call(function, arguments, keywords, name: str):
    name = _quoted(name)
    if not callable(function):
        raise Wrong(f"{name} should be a function, but it is {_a(function)}; hand over the function itself.")
    result = function(*arguments, **keywords)
    if result is None:
        raise Wrong(f"{name} returns nothing (`None`). Is there a `return`?")
    if result is ...:
        raise NotImplementedError(STUB_MESSAGE)
    return result


def _quoted(name: str) -> str:
    return f"`{name}`" if name.isidentifier() else name


def _name_of_argument(function, place: int) -> str:
    try:
        return f"`{list(inspect.signature(function).parameters)[place]}`"
    except Exception:
        return f"its argument number {place + 1}"


def as_tensor(value, name: str = "your result"):
    """A learner's number, list, array or tensor as a detached float64 tensor on the CPU.

    Raises:
        Wrong: it is not numeric, or it holds NaN or infinite values.
    """
    import torch

    try:
        if isinstance(value, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in value):
            value = torch.stack([torch.as_tensor(part) for part in value])
        tensor = torch.as_tensor(value).detach().cpu()
        has_imaginary_part = tensor.is_complex()
        tensor = tensor.real.to(torch.float64)
    except Exception:  # whatever a value raises that was never meant to be a number
        raise Wrong(f"{name} should be a number or a tensor of numbers, but it is {_a(value)}.") from None
    if has_imaginary_part:
        raise Wrong(
            f"{name} is complex, and a real number is asked for: `.abs()` is its modulus, `.real` a part."
        )
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
        if not message:
            expect_varied(name)
            relation = _relation(actual, expected, tolerance)
            message = f"{name} {relation}" if relation else ""
        raise Wrong(message or f"{name} is {got:.6g}{where}, where {wanted:.6g} was expected.")


def expect_varied(name: str = "your result") -> None:
    """Raise Wrong where the latest call's result, known to be wrong, is a fixed, remembered or random one.

    To be asked before the formula is searched for the mistake; `expect_close` asks by itself.
    """
    behaviour = _behaviour()
    if behaviour:
        raise Wrong(f"{name} {behaviour}")


def _relation(actual, expected, tolerance: float) -> str:
    """How a wrong value is related to the right one of the same shape, where a word says it, or ""."""
    import torch

    relations = {
        "is turned in its sign: minus what it should be.": -expected,
        "is the square of what it should be.": expected.square(),
        "is the root of what it should be.": expected.abs().sqrt(),
        "is the exponential of what it should be.": expected.exp(),
        "is the logarithm of what it should be.": expected.abs().log(),
        "is one minus what it should be.": 1 - expected,
        "is one divided by what it should be.": 1 / expected,
        "has lost its sign.": expected.abs(),
        "is in percent.": 100 * expected,
    }
    for factor in (2, 3, 4, 1 / 2, 1 / 3, 1 / 4):
        relations[f"is {factor:.3g} times what it should be."] = factor * expected
    if expected.numel() > 4:
        relations["is divided by the number of its entries."] = expected / expected.numel()
        relations["is multiplied by the number of its entries."] = expected * expected.numel()
    if expected.dim():
        relations["is in reverse order."] = expected.flip(0)
        relations["is in another order."] = (
            expected.flatten().sort().values[actual.flatten().argsort().argsort()]
        )
    for words, other in relations.items():
        if (
            not other.numel()
            or not torch.isfinite(other).all()
            or matches(other, expected.reshape(other.shape))
        ):
            continue  # of a positive number |x| is no other one
        if matches(actual, other.reshape(actual.shape)):
            return words
    wrong = (actual - expected).abs() > tolerance * expected.abs().clamp(min=1)
    difference = actual - expected
    if matches(actual, expected, tolerance=0.02):
        return (
            f"is nearly right, and off by up to {difference.abs().max():.2g}. Is something rounded, cut off, "
            "searched on a grid, or added lest it be 0?"
        )
    if expected.numel() > 2 and matches(difference, difference.mean().expand_as(difference), tolerance=1e-4):
        side = "large" if difference.mean() > 0 else "small"
        return f"is too {side} everywhere, by {difference.mean().abs():.4g}."
    if expected.numel() > 2 and wrong.all() and (difference * difference.flatten()[0] > 0).all():
        low, high = difference.abs().min(), difference.abs().max()
        side = "large" if difference.max() > 0 else "small"
        return f"is too {side} everywhere, by {low:.2g} to {high:.2g}."
    if (actual == actual.round()).all() and not (expected == expected.round()).all():
        return "holds whole numbers only. Is something rounded, or cut off, on the way?"
    if expected.numel() > 2 and wrong.sum() <= wrong.numel() / 2:
        first = int(wrong.flatten().nonzero()[0])
        return (
            f"is right at {int((~wrong).sum())} of {wrong.numel()} places; "
            f"not{_place(first, actual.shape)}, where "
            f"{expected.flatten()[first].item():.4g} belongs and {actual.flatten()[first].item():.4g} stands."
        )
    return ""


def _behaviour() -> str:
    """What the calls of this check tell about an answer whose numbers are wrong, or ""."""
    import torch

    if not CALLS or any(isinstance(one, (torch.nn.Module, torch.Generator)) for one in CALLS[-1][1]):
        return ""  # networks and generators of random numbers may answer differently each time
    function, arguments, result = CALLS[-1]

    def gives_the_same(*others) -> bool | None:
        try:
            return _same(function(*map(_copy, others)), result, tolerance=1e-4)
        except Exception:
            return None

    if not gives_the_same(*arguments):
        return (
            "differs from call to call with the same arguments: is there a random number in it, or something "
            "remembered from the call before?"
        )
    for other, before, earlier in CALLS[:-1]:
        if other is function and not _same(before, arguments) and _same(earlier, result):
            return (
                "does not change when the arguments do. Is it the result of an earlier call, or a fixed one?"
            )
    unused, varied = [], []
    for place, argument in enumerate(arguments):
        others = _others(argument)
        if others:
            varied.append(place)
            if all(gives_the_same(*arguments[:place], one, *arguments[place + 1 :]) for one in others):
                unused.append(place)
    if not unused:
        return ""
    if unused == varied:
        return "is the same whatever the arguments are. Which of them does your function use?"
    return f"is the same whatever {_name_of_argument(function, unused[0])} is. Does your function use it?"


def _others(argument) -> list:
    """A few values like the argument: one near it, and one far off, which also turns its order round.

    A result may be the same for the first alone: a median, an order, what has converged, what is cut off.
    """
    import torch

    if isinstance(argument, torch.Tensor) and argument.numel():
        near = argument * torch.linspace(0.4, 0.9, argument.numel()).reshape(argument.shape)
        far = argument.flatten().flip(0).reshape(argument.shape)
        if (
            not argument.is_floating_point()
        ):  # such as labels, of which only those that there are may be valid
            return [near.to(argument.dtype), far]
        if not (argument > 0).all():
            return [near, 2 - 3 * far]
        if argument.numel() > 1:  # perhaps probabilities, that add up to 1
            near = near * (argument.sum() / near.sum())
            far = far.square() * (argument.sum() / far.square().sum())
        return [near, far]
    if isinstance(argument, (int, float)):
        whole = isinstance(argument, int) and argument > 1
        return [argument + 1, 1 if whole else 3 * argument + 2]
    if isinstance(argument, list) and argument:
        numbers = all(isinstance(one, (int, float)) for one in argument)
        return [argument[:-1], [3 * one + 1 for one in reversed(argument)] if numbers else argument[::-1]]
    return []


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
        expect_close(actual, expected, "another value", tolerance=tolerance)
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
    letter = str.strip(answer, " ()[].:'\"\t\n").lower() if isinstance(answer, str) else None
    if letter == right.lower():
        return
    messages = {key.lower(): message for key, message in wrong.items()}
    if letter not in messages:
        letters = ", ".join(f'"{key}"' for key in sorted([right.lower(), *messages]))
        raise Wrong(f"Answer with one of {letters}; you gave {shown(answer)}.")
    raise Wrong(messages[letter])


def expect_like(
    value, *, dtype=None, device=None, requires_grad: bool | None = None, name: str = "your result"
):
    """Raise Wrong unless the value is a tensor that the next cells can use as they use the reference's.

    Args:
        value: what the answer returned; ask for its numbers first, their mistakes come before its type's.
        dtype, device: what it must have, where given.
        requires_grad: True where something goes backward through it, False where it must be cut off.
        name: how the messages call the value.

    Returns:
        The value.
    """
    import torch

    if isinstance(value, (list, tuple)):
        raise Wrong(
            f"{name} is {_a(value)}, and the notebook goes on with one PyTorch tensor: "
            "`torch.stack(…)` makes one of a list of rows."
        )
    if requires_grad and not getattr(value, "requires_grad", False):
        raise Wrong(
            f"{name} has lost its history, so no gradient flows back: leave out "
            "`detach`, `no_grad`, `.item()`, `.numpy()`, and don't make a new tensor of it."
        )
    if not isinstance(value, torch.Tensor):
        raise Wrong(
            f"{name} is {_a(value)}, and the notebook goes on with a PyTorch "
            "tensor. Stay with torch's functions to the end."
        )
    if requires_grad is False and value.requires_grad:
        raise Wrong(f"{name} still carries its history: `detach` it.")
    if dtype is not None and value.dtype != dtype:
        raise Wrong(
            f"{name} is {_short(value.dtype)}, and the notebook goes on with "
            f"{_short(dtype)}: what is not of one type cannot be put together."
        )
    if device is not None and value.device != torch.device(device):
        raise Wrong(f"{name} lies on {value.device}, and is wanted on {device}.")
    return value


def expect_trainable(network, name: str = "the network") -> None:
    """Raise Wrong where a network is left frozen or in evaluation mode: its next step would suffer."""
    import torch

    if not all(parameter.requires_grad for parameter in network.parameters()):
        raise Wrong(
            f"{name} is left frozen: with `requires_grad_(False)` it cannot learn in its next step. "
            "Set it back, or do without."
        )
    if not all(module.training for module in network.modules()):
        raise Wrong(
            f"{name} is left in evaluation mode, so batch normalisation and dropout would no longer train. "
            "Leave out `eval()`, or call `train()` afterwards."
        )
    for parameter in network.parameters():
        if parameter.dtype != torch.float32:
            raise Wrong(
                f"{name} is left with weights of {_short(parameter.dtype)}, and its next batch is of float32."
            )


def weights_of(network):
    """A copy of all of a network's weights, one after another, shape (number of weights,)."""
    import torch

    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()]).clone()


def moved(before, after) -> bool:
    """Whether any of the weights, as `weights_of` gives them, is another one than before."""
    return not _same(before, after)


def shown(value) -> str:
    """The value as a message may quote it: short, whatever it is."""
    try:
        return _QUOTE.repr(value)
    except Exception:
        return _a(value)


_QUOTE = reprlib.Repr()
_QUOTE.maxstring = _QUOTE.maxother = 60


def _copy(value):
    import torch

    if isinstance(value, (list, dict)):
        return copy.deepcopy(value)
    if not isinstance(value, torch.Tensor):
        return value
    return value.detach().clone().requires_grad_(value.requires_grad)


def _same(one, other, tolerance: float = 0.0) -> bool:
    """Whether two values agree, tensor by tensor; NaN agrees with NaN. What cannot be compared differs."""
    import torch

    if one is other:
        return True
    try:
        if isinstance(one, torch.Tensor):
            one, other = one.detach(), other.detach()
            return one.shape == other.shape and torch.allclose(
                one, other, tolerance, tolerance, equal_nan=True
            )
        if isinstance(one, (list, tuple)):
            return all(_same(*pair, tolerance) for pair in zip(one, other, strict=True))
        return bool(one == other)
    except Exception:
        return False


def _short(dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _a(value) -> str:
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} `{kind}`"
