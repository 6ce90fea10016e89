"""Whether an answer would still run with its arguments on a GPU, asked without one.

On a GPU every tensor of an operation has to lie there. What an answer makes itself, by `torch.ones(n)` say,
lies on the CPU, unless it says `device=`, and the mistake shows on the learner's GPU alone.
"""

from __future__ import annotations

import copy

import torch
from torch.overrides import TorchFunctionMode

from course_utils.checks.answers import call
from course_utils.checks.verdict import Wrong
from course_utils.runtime import pick_device

NAMES = (
    "zeros ones empty full tensor as_tensor from_numpy eye arange linspace logspace "
    "rand randn randint randperm normal bernoulli multinomial"
)
MAKERS = {getattr(torch, name) for name in NAMES.split()}
# These take a second tensor from the CPU: places to look at, something to copy.
TAKE_BOTH = {torch.Tensor.__getitem__, torch.Tensor.__setitem__, torch.Tensor.copy_}


class _Homes(TorchFunctionMode):
    """Notes which tensors an answer has made on the CPU by itself, and what they first meet."""

    def __init__(self):
        super().__init__()
        self.made: dict[
            int, tuple[torch.Tensor, str]
        ] = {}  # id → the tensor, which has to live on, and its maker
        self.meeting = ""

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        handed = list(_tensors([*arguments, *keywords.values()]))
        makers = [self.made[id(one)][1] for one in handed if id(one) in self.made]
        result = function(*arguments, **keywords)
        name = getattr(function, "__name__", str(function))
        if function in MAKERS and not handed:
            if keywords.get("device") in (None, "cpu"):
                self._note(result, f"what `torch.{name}` makes")
        elif name in ("to", "type_as", "cuda") and _goes_elsewhere(arguments[1:], keywords, name):
            self.made.pop(id(result), None)
        elif makers and len(makers) == len(handed):
            self._note(result, makers[0])
        elif any(one.dim() for one in handed if id(one) in self.made) and function not in TAKE_BOTH:
            # Without an axis it may come from anywhere: operations take a single number along.
            self.meeting = self.meeting or f"{makers[0]} lies on the CPU, and `{name}` puts it together"
        return result

    def _note(self, result, maker: str) -> None:
        for one in _tensors([result]):
            self.made[id(one)] = one, maker


def _tensors(values):
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _goes_elsewhere(arguments, keywords, name: str) -> bool:
    """Whether `to` names a device, or a tensor whose device it takes."""
    places = (torch.device, torch.Tensor)
    return name != "to" or "device" in keywords or any(isinstance(one, places) for one in arguments)


def call_anywhere(function, *arguments, hint: str = "`device=`", name: str = "your function") -> str:
    """`call`, for a function that the notebook calls with tensors or networks on a GPU, where there is one.

    Args:
        function, *arguments, name: as for `call`.
        hint: how the function may learn of the right device.

    Returns:
        "", or what to add to the praise: on a GPU it would fail.

    Raises:
        Wrong: as `call`; or on this machine the notebook computes on a GPU, and it would fail.
    """
    homes = _Homes()
    with homes:
        result = call(function, *arguments, name=name)
    left = [homes.made[id(one)][1] for one in _tensors([result]) if id(one) in homes.made]
    if homes.meeting:
        return _told(f"{homes.meeting} with what was handed over. Make it with {hint}.")
    return _told(f"{left[0]} lies on the CPU, and the result with it. Make it with {hint}.") if left else ""


def try_elsewhere(network, *inputs, name: str = "the network") -> str:
    """Whether a network works on a GPU, after `network.to(device)`.

    Args:
        network: one that works on the CPU.
        *inputs: that it takes.
        name: how the message calls it.

    Returns, raises: as `call_anywhere`.
    """
    homes, network = _Homes(), copy.deepcopy(network)
    weights = {id(one) for one in [*network.parameters(), *network.buffers()]}
    for module in network.modules():  # a tensor that is a plain attribute does not move with the network
        for key, value in vars(module).items():
            if isinstance(value, torch.Tensor) and id(value) not in weights:
                homes.made[id(value)] = value, f"`self.{key}`"
    with homes, torch.no_grad():
        network(*inputs)
    if not homes.meeting:
        return ""
    return _told(
        f"in {name} {homes.meeting} with what `.to(device)` moves. Keep constants by `register_buffer`, and "
        "make "
        "other tensors with `device=`."
    )


def _told(what: str) -> str:
    if pick_device().type != "cpu":
        raise Wrong(f"right on the CPU, but this notebook computes on a GPU, and there it fails: {what}")
    return f" (On a machine with a GPU it would fail: {what})"
