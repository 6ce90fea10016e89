"""Checkpoints: all that a run needs to continue, in a file that is whole or not there."""

import copy
import functools
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.files import replacing

MAGIC = b"GAN course checkpoint 2, sha256 "  # then the digest of all that follows the line


def save_checkpoint(path: str | Path, state: dict) -> None:
    """Writes a run's state (tensors, numbers, strings, lists and dicts of these), with its checksum.

    Raises:
        OSError: the file cannot be written; what stood there before stays.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getbuffer()
    with replacing(path) as partial, open(partial, "wb") as file:
        file.write(MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n")
        file.write(content)


def load_checkpoint(path: str | Path) -> dict:
    """Reads what `save_checkpoint` wrote; executes no code from the file (`weights_only=True`).

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is no checkpoint, a damaged one, or one of another version.
    """
    try:
        header, _, content = Path(path).read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror}); choose another file") from error
    if not header.startswith(MAGIC):
        raise ValueError(
            f"{path} is not a readable checkpoint of this version of the course; delete it to start afresh"
        )
    if hashlib.sha256(content).hexdigest().encode() != header.removeprefix(MAGIC):
        raise ValueError(
            f"{path} is not a readable checkpoint: its content does not have the checksum that it was "
            "written with; delete it to start afresh"
        )
    try:
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen types here, by what is wrong with the file
        raise ValueError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); delete it to start afresh"
        ) from error
    if not isinstance(state, dict):
        raise ValueError(f"{path} is not a readable checkpoint, but a {type(state).__name__}; delete it")
    return state


def load_all(parts: Mapping[str, nn.Module | Optimizer], state: Mapping, path: str | Path) -> None:
    """Fills every part with its state; where one does not fit, all are as before.

    Raises:
        ValueError: the file holds the state of another network or optimiser.
    """
    before = {name: copy.deepcopy(part.state_dict()) for name, part in parts.items()}
    for name, part in parts.items():
        try:
            part.load_state_dict(state[name])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            for other, content in before.items():
                parts[other].load_state_dict(content)
            raise ValueError(
                f"{path} holds the state of another {name}; build the same networks, or delete the file."
            ) from error


def differences(theirs: Mapping[str, object], ours: Mapping[str, object]) -> str:
    """'was made with a=1, this run has a=2', for all settings that differ; "" where none does.

    What one side does not know is None there: a later version may have learnt a setting, and files go on.
    """
    names = [name for name in {**theirs, **ours} if theirs.get(name, "None") != ours.get(name, "None")]
    if not names:
        return ""
    said = [", ".join(f"{name}={side.get(name, 'None')}" for name in names) for side in (theirs, ours)]
    return f"was made with {said[0]}, this run has {said[1]}"


def describe_setting(value: object) -> str:
    """A setting in words that are equal exactly for equal settings: functions by module, name and content.

    A function made inside another (`r1(gamma=1.0)`) differs by what it has enclosed, a lambda by its code.
    """
    if isinstance(value, functools.partial):
        inner = [*map(describe_setting, value.args), *_described(value.keywords)]
        return f"{describe_setting(value.func)}({', '.join(inner)})"
    if isinstance(value, nn.Module):
        return repr(value)
    if isinstance(value, Tensor):
        content = hashlib.sha256(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return f"tensor {tuple(value.shape)} {content.hexdigest()[:8]}"
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return f"{type(value).__name__}({', '.join(_described(value._asdict()))})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(_described(value))}}}"
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(describe_setting, value))})"
    if hasattr(value, "__code__"):
        return _describe_function(value)
    if callable(value) and not isinstance(value, type):
        name = f"{type(value).__module__}.{type(value).__qualname__}"
        return f"{name}({', '.join(_described(getattr(value, '__dict__', {})))})"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))  # an address says nothing in the next process


def _describe_function(function) -> str:
    name = f"{function.__module__}.{function.__qualname__}"
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    enclosed = {
        variable: content
        for variable, content in zip(function.__code__.co_freevars, cells, strict=True)
        if content is not function  # a function that calls itself
    }
    defaults = dict(enumerate(function.__defaults__ or ())) | (function.__kwdefaults__ or {})
    told = _described({**defaults, **enclosed})
    if "<" in name or function.__module__ == "__main__":  # written in place: the name alone says too little
        code = function.__code__
        constants = [constant for constant in code.co_consts if isinstance(constant, (int, float, str))]
        content = repr((code.co_code.hex(), constants, code.co_names)).encode()
        told.append(f"code {hashlib.sha256(content).hexdigest()[:8]}")
    return f"{name}({', '.join(told)})" if told else name


def _described(values: Mapping) -> list[str]:
    return [f"{name}={describe_setting(value)}" for name, value in values.items()]
