"""The watch that a program of the clinic reports to: what it is shown becomes a history and snapshots."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_utils.metrics import sample_diversity

Measure = Callable[[Mapping], float]  # of all that the program showed in one round, and "judged"
LATEST = 4  # inputs, and outputs, of each network that are remembered


@dataclass
class Recording:
    """A watched run. `history` and `snapshots` are those of a `Run`, so that `plots.dashboard` shows it."""

    history: dict[str, list[float]] = field(
        default_factory=dict
    )  # "images", and a column for each thing shown
    snapshots: list[tuple[int, Tensor]] = field(default_factory=list)  # (images seen, samples)
    rounds: int = 0  # how often the program called its watch
    steps: dict[str, int] = field(
        default_factory=dict
    )  # network → steps that an optimiser took with its weights
    shown: dict = field(default_factory=dict)  # what the latest call handed over
    foreign: int = 0  # entries of the history whose `fake` did not come from the generator

    def late(self, column: str, fraction: float = 0.25) -> float:
        """The mean of the last quarter of a column; NaN where there is no such column."""
        values = self.history.get(column, [])
        last = values[-max(1, round(fraction * len(values))) :]
        return sum(last) / len(last) if last else math.nan

    def last(self, column: str) -> float:
        return self.history.get(column, [math.nan])[-1]

    def is_finite(self) -> bool:
        return all(math.isfinite(value) for values in self.history.values() for value in values)


class Watch:
    """Called by a program once a round: `watch(real=…, fake=…, generator=…, generator_loss=…, …)`.

    What is handed over becomes columns of the recording's history, by what it is:

    - a number: a column of its name;
    - `real_logits`, `fake_logits`: how often they are right ("real_accuracy"), their mean ("real_output");
    - a network: the length of the gradient that its optimiser stepped with, the longest of several steps
      ("generator_gradient"), and how far its weights are from where they were in the first round, in units of
      their length ("generator_moved");
    - `fake`, or `saved` where the program keeps other samples than those it trains with: the diversity, and
      now and then a snapshot.

    Args:
        every: rounds from one entry of the history to the next.
        snapshots_at: the rounds that a snapshot is taken in.
        samples: how many samples a snapshot keeps.
        measures: further columns, each worked out from all that is handed over, and from "judged", the list
            of what the discriminator was called with latest.
    """

    def __init__(
        self,
        every: int = 1,
        snapshots_at: Sequence[int] = (),
        samples: int = 24,
        measures: Mapping[str, Measure] | None = None,
    ):
        self.every, self.snapshots_at, self.samples = every, set(snapshots_at), samples
        self.measures = dict(measures or {})
        self.recording = Recording()
        self.images = 0
        self._start: dict[str, Tensor] = {}  # network → its weights in the first round
        self._gradients: dict[
            int, float
        ] = {}  # id of a weight → length of its optimiser's gradients, this round
        self._steps: dict[int, int] = {}  # id of a weight → steps of its optimiser
        self._inputs: dict[int, deque] = defaultdict(
            lambda: deque(maxlen=LATEST)
        )  # id of a network → what it got
        self._outputs: dict[int, deque] = defaultdict(
            lambda: deque(maxlen=LATEST)
        )  # id of a network → what it gave

    @contextmanager
    def listening(self) -> Iterator[Watch]:
        """Inside, the steps of all optimisers and the inputs of all networks are noted."""
        hooks = [
            register_optimizer_step_pre_hook(self._note_step),
            register_module_forward_pre_hook(self._note_input),
            register_module_forward_hook(self._note_output),
        ]
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()

    def __call__(self, **shown) -> None:
        recording = self.recording
        recording.rounds, recording.shown = recording.rounds + 1, shown
        self.images += len(shown["real"])
        networks = {name: value for name, value in shown.items() if isinstance(value, nn.Module)}
        for name, network in networks.items():
            self._start.setdefault(name, _weights(network))
            recording.steps[name] = self._steps.get(id(next(network.parameters())), 0)
        if recording.rounds == 1 or recording.rounds % self.every == 0:
            self._note_round(shown, networks)
        self._gradients.clear()
        if recording.rounds in self.snapshots_at:
            kept = shown.get("saved", shown["fake"])[: self.samples]
            recording.snapshots.append((self.images, kept.detach().clone()))

    def _note_round(self, shown: Mapping, networks: Mapping[str, nn.Module]) -> None:
        columns: dict[str, float] = {"images": self.images}
        for name, value in shown.items():
            if name.endswith("_logits"):
                columns |= _answers(name.removesuffix("_logits"), value.detach())
            elif isinstance(value, (int, float)) or (isinstance(value, Tensor) and value.numel() == 1):
                columns[name] = _number(value)
        for name, network in networks.items():
            first, weights = next(network.parameters()), _weights(network)
            columns[f"{name}_gradient"] = self._gradients.get(
                id(first), _length_of_gradients([*network.parameters()])
            )
            columns[f"{name}_moved"] = float((weights - self._start[name]).norm() / self._start[name].norm())
        for name in ("fake", "saved"):
            if name in shown:
                columns[f"{name}_diversity"] = sample_diversity(shown[name][:128])
        self.recording.foreign += self._is_foreign(shown)
        judged = list(self._inputs[id(shown.get("discriminator"))])
        for name, measure in self.measures.items():
            columns[name] = _number(measure({**shown, "judged": judged}))
        for name, value in columns.items():
            self.recording.history.setdefault(name, []).append(value)

    def _note_step(self, optimizer: Optimizer, arguments: tuple, keywords: dict) -> None:
        weights = [weight for group in optimizer.param_groups for weight in group["params"]]
        length = _length_of_gradients(weights)
        for weight in weights:
            self._gradients[id(weight)] = max(length, self._gradients.get(id(weight), 0.0))
            self._steps[id(weight)] = self._steps.get(id(weight), 0) + 1

    def _note_input(self, network: nn.Module, arguments: tuple) -> None:
        if arguments and isinstance(arguments[0], Tensor) and any(network.children()):
            self._inputs[id(network)].append(arguments[0].detach())

    def _note_output(self, network: nn.Module, arguments: tuple, result) -> None:
        if isinstance(result, Tensor) and any(network.children()):
            self._outputs[id(network)].append(result.detach())

    def _is_foreign(self, shown: Mapping) -> bool:
        """Whether `fake` is neither a late output of the generator nor computed from one."""
        maker, fake = shown.get("generator"), shown.get("fake")
        if not isinstance(maker, nn.Module) or not isinstance(fake, Tensor):
            return False
        fresh = any(torch.equal(fake, one) for one in self._outputs[id(maker)])
        return not fresh and not _reaches(fake, maker)


def _reaches(value: Tensor, network: nn.Module) -> bool:
    """Whether the network's weights are among what the value was computed from."""
    weights = {id(weight) for weight in network.parameters()}
    waiting, known = [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in known:
            continue
        known.add(node)
        if id(getattr(node, "variable", None)) in weights:
            return True
        waiting += [before for before, _ in node.next_functions]
    return False


def record(program: Callable, draw: Callable, rounds: int, start: int, **settings) -> Recording:
    """Runs program(draw, rounds, start, watch) under a `Watch` of those settings; returns what it noted."""
    watch = Watch(**settings)
    with watch.listening():
        program(draw, rounds, start, watch)
    return watch.recording


def _number(value) -> float:
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def _answers(side: str, logits: Tensor) -> dict[str, float]:
    right = logits > 0 if side == "real" else logits < 0
    return {f"{side}_accuracy": right.float().mean().item(), f"{side}_output": logits.mean().item()}


def _weights(network: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()]).clone()


def _length_of_gradients(weights: Sequence[Tensor]) -> float:
    return math.sqrt(sum(weight.grad.square().sum().item() for weight in weights if weight.grad is not None))
