"""What an answer that trains networks does inside: who is called how, whose gradients feed which step.

    with watching() as seen:
        generator, discriminator = answer(images)
    seen.calls, seen.steps

Nothing is changed on the way. It is for checkers of whole training loops, whose mistakes show in no result.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as modules
from torch.optim import Optimizer
from torch.optim import optimizer as optimizers

from course_utils.checks.verdict import Wrong

WANT_LOGITS = ("BinaryCrossEntropyWithLogits", "Softplus", "LogSigmoid")  # losses, as the graph names them
RESHAPING = ("View", "Reshape", "Squeeze", "Unsqueeze", "Neg", "Flatten", "Cat", "Select", "Slice", "Alias")


class Call(NamedTuple):
    """A network was called."""

    network: nn.Module
    training: bool  # its mode
    graph: bool  # whether gradients were recorded
    inputs: Tensor  # its first argument
    steps: int  # taken before, by all optimisers


class Step(NamedTuple):
    """An optimiser took a step."""

    weights: dict[int, Tensor]  # id -> what had a gradient; in the first 100 steps as it was before
    without: set[int]  # ids of those that it holds, and that had none
    sources: dict[int, frozenset[int]]  # id -> the backward passes (1, 2, …) that this gradient is a sum of
    stale: set[int]  # ids of weights whose gradient holds what an earlier step has used already
    passes: int  # backward passes before this step


@dataclass
class Seen:
    """All that was seen, in order."""

    calls: list[Call] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    passes: int = 0
    # For each backward pass: ids of the weights that got a gradient, and of all that the loss is made with.
    reached: list[set[int]] = field(default_factory=list)
    through: list[set[int]] = field(default_factory=list)
    sigmoid_twice: bool = False  # a sigmoid's output went into a loss that applies one itself
    sources: dict[int, set[int]] = field(default_factory=dict)
    used: dict[int, set[int]] = field(default_factory=dict)

    def steps_of(self, network: nn.Module) -> list[Step]:
        """The steps in which the network's weights had a gradient."""
        mine = {id(weight) for weight in network.parameters()}
        return [step for step in self.steps if mine & set(step.weights)]

    def calls_of(self, network: nn.Module) -> list[Call]:
        return [call for call in self.calls if call.network is network]


@contextlib.contextmanager
def watching() -> Iterator[Seen]:
    """Watches what is called, differentiated and stepped inside the block."""
    seen, depth = Seen(), [0]

    def before_call(network: nn.Module, arguments: tuple) -> None:
        outermost = depth[0] == 0
        depth[0] += 1
        if (outermost or any(network.children())) and arguments and isinstance(arguments[0], Tensor):
            inputs = arguments[0].detach()
            seen.calls.append(
                Call(network, network.training, torch.is_grad_enabled(), inputs, len(seen.steps))
            )

    def after_call(network: nn.Module, arguments: tuple, result) -> None:
        depth[0] -= 1

    def before_step(optimizer: Optimizer, arguments: tuple, keywords: dict) -> None:
        held = [weight for group in optimizer.param_groups for weight in group["params"]]
        moving = [weight for weight in held if weight.grad is not None]
        sources = {id(weight): frozenset(seen.sources.get(id(weight), ())) for weight in moving}
        stale = {name for name, some in sources.items() if some & seen.used.get(name, set())}
        for name, some in sources.items():
            seen.used.setdefault(name, set()).update(some)
        early = len(seen.steps) < 100
        seen.steps.append(
            Step(
                {id(weight): weight.detach().clone() if early else weight for weight in moving},
                {id(weight) for weight in held if weight.grad is None},
                sources,
                stale,
                seen.passes,
            )
        )

    original, original_grad = torch.autograd.backward, torch.autograd.grad

    def count(roots, only=None) -> list[Tensor]:
        """One pass more; returns the leaves whose gradient it works out."""
        leaves = _leaves(roots, seen)
        seen.through.append({id(leaf) for leaf in leaves})
        leaves = leaves if only is None else only
        seen.passes += 1
        seen.reached.append({id(leaf) for leaf in leaves})
        return leaves

    def backward(tensors, *arguments, **keywords):
        if keywords.get("inputs") is not None:
            keywords["inputs"] = _listed(keywords["inputs"])
        for leaf in count(_listed(tensors), keywords.get("inputs")):
            if leaf.grad is None or not leaf.grad.any():
                seen.sources[id(leaf)] = set()  # cleared since
            seen.sources[id(leaf)].add(seen.passes)
        return original(tensors, *arguments, **keywords)

    def grad(outputs, inputs, *arguments, **keywords):
        """Its results are put into `.grad` by hand, in the place of what was there."""
        inputs = _listed(inputs)  # once: it may be a generator, as `parameters()` is
        if any(isinstance(one, nn.Parameter) for one in inputs):
            for leaf in count(_listed(outputs), inputs):
                seen.sources[id(leaf)] = {seen.passes}
        return original_grad(outputs, inputs, *arguments, **keywords)

    hooks = [
        modules.register_module_forward_pre_hook(before_call),
        modules.register_module_forward_hook(after_call, always_call=True),
        optimizers.register_optimizer_step_pre_hook(before_step),
    ]
    torch.autograd.backward, torch.autograd.grad = backward, grad
    try:
        yield seen
    finally:
        torch.autograd.backward, torch.autograd.grad = original, original_grad
        for hook in hooks:
            hook.remove()


def _listed(tensors) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _leaves(roots: Sequence[Tensor], seen: Seen) -> list[Tensor]:
    """The weights that a backward pass from there reaches; notes a second sigmoid on the way."""
    found, known, waiting = [], set(), [root.grad_fn for root in roots if root.grad_fn is not None]
    while waiting:
        node = waiting.pop()
        if node in known:
            continue
        known.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        if node.name().startswith(WANT_LOGITS):
            seen.sigmoid_twice |= _comes_from_sigmoid(node)
        waiting += [after for after, _ in node.next_functions if after is not None]
    return found


def _comes_from_sigmoid(node) -> bool:
    for after, _ in node.next_functions:
        if after is not None and after.name().startswith("Sigmoid"):
            return True
        if after is not None and after.name().startswith(RESHAPING) and _comes_from_sigmoid(after):
            return True
    return False


def expect_new_latents(seen: Seen, generator: nn.Module) -> None:
    """Raise Wrong where all rounds have the same latents, or some that are not from N(0, I)."""
    latents = [one.inputs for one in seen.calls_of(generator) if one.graph and one.steps < len(seen.steps)]
    if len(latents) > 2 and latents[0].shape == latents[-1].shape and torch.equal(latents[0], latents[-1]):
        raise Wrong(
            "the latents are the same in each round, so only these are trained: draw them in the loop."
        )
    numbers = torch.cat([one.flatten().double() for one in latents]) if latents else torch.empty(0)
    if numbers.numel() < 10_000:  # of so many the deviation varies by 0.7 %
        return
    if numbers.min() >= 0:
        raise Wrong("no latent is ever negative: `torch.rand` draws from [0, 1), `torch.randn` from N(0, 1).")
    if numbers.mean().abs() > 0.1 or (numbers.std() - 1).abs() > 0.1 or numbers.abs().max() < 2:
        raise Wrong(
            f"the latents have the mean {numbers.mean():.2f} and the deviation {numbers.std():.2f}, none of "
            "them "
            f"larger than {numbers.abs().max():.2f}: N(0, 1) has 0 and 1, and now and then a 3."
        )


def _ids(network: nn.Module) -> set[int]:
    return {id(weight) for weight in network.parameters()}


def used_by(seen: Seen, network: nn.Module) -> set[int]:
    """The backward passes whose gradients were in the network's steps."""
    mine = _ids(network)
    return {one for step in seen.steps for name in mine & set(step.sources) for one in step.sources[name]}


def expect_own_gradients(seen: Seen, generator: nn.Module, discriminator: nn.Module) -> None:
    """Raise Wrong where a player steps along old gradients, or along some of the other's loss."""
    for network, name in ((discriminator, "the discriminator"), (generator, "the generator")):
        for step, later in itertools.pairwise(seen.steps_of(network)):
            if step.passes == later.passes and _ids(network) & set(step.weights) & set(later.weights):
                raise Wrong(
                    f"{name} takes two steps along one and the same gradient. Each step wants a `backward()` "
                    "of its own before it; one step of each player makes a round."
                )
        if any(_ids(network) & step.stale for step in seen.steps_of(network)):
            raise Wrong(
                f"{name} steps with gradients of earlier rounds: PyTorch adds a new gradient to what is "
                f"there. `zero_grad()` belongs before the `backward()` of each of {name}'s steps."
            )
    shared = used_by(seen, generator) & used_by(seen, discriminator)
    if not shared:
        return
    one = min(shared)
    of_generator, of_discriminator = (
        next(step.passes for step in seen.steps_of(network) if _uses(step, network, one))
        for network in (generator, discriminator)
    )
    if of_generator == of_discriminator:
        raise Wrong(
            "both players step with the gradients of one and the same `backward()` (bug 3 of notebook 04): "
            "each gets the other's loss, too. Two losses, two `backward()`, and `zero_grad()` before each."
        )
    if of_discriminator < of_generator:
        raise Wrong(
            "the discriminator's loss is in the generator's step (bug 4 of notebook 04): "
            "the fakes of D's step were not detached, and the generator's gradients not cleared before "
            "its own `backward()`."
        )
    raise Wrong(
        "the generator's loss is in the discriminator's step: its `backward()` runs through D and leaves "
        "gradients there. Clear D's gradients right before D's own `backward()`."
    )


def _uses(step: Step, network, source: int) -> bool:
    return any(source in step.sources[name] for name in _ids(network) & set(step.sources))
