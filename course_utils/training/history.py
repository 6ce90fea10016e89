"""What happened in every step, collected without making the device wait; the alarm when it is no number."""

import math
import time
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from course_utils.training.distributed import mean_over_ranks


class TrainingDiverged(RuntimeError):
    """A loss or a weight became infinite or not a number. `run` holds the history up to that step."""

    run = None


class Recorder:
    """Keeps the steps' numbers on the device until `fetch` is called, about twice a second.

    Reading a number from a GPU in every step would make the processor wait for it, and the GPU for the
    processor.

    Args:
        history: a list for each of "images", `measured` and "images_per_second".
        measured: what a step reports, by name.
        every: seconds between two fetches.
    """

    def __init__(self, history: dict[str, list[float]], measured: Sequence[str], every: float = 0.5):
        self.history = history
        self.measured = tuple(measured)
        self.every = every
        self.pending: list[tuple[int, Tensor]] = []
        self.fetched_at = time.perf_counter()

    def add(self, images_seen: int, numbers: Mapping[str, Tensor]) -> None:
        """Notes one step: a scalar tensor for each name in `measured`."""
        self.pending.append((images_seen, torch.stack([numbers[name].detach() for name in self.measured])))

    def due(self) -> bool:
        return time.perf_counter() - self.fetched_at >= self.every

    def fetch(self, networks: Mapping[str, nn.Module]) -> float:
        """Moves what is pending into the history, and checks that it and the networks' weights are finite.

        Returns:
            The seconds since the last fetch.

        Raises:
            TrainingDiverged: something is not.
        """
        if not self.pending:
            return 0.0
        steps = [images for images, _ in self.pending]
        rows = mean_over_ranks(torch.stack([numbers for _, numbers in self.pending])).tolist()
        now = time.perf_counter()  # what follows counts as training, in the next interval
        seconds, self.fetched_at = now - self.fetched_at, now
        before = self.history["images"][-1] if self.history["images"] else 0
        speed = (steps[-1] - before) / max(seconds, 1e-9)
        for images, row in zip(steps, rows, strict=True):
            self.history["images"].append(images)
            self.history["images_per_second"].append(speed)
            for name, number in zip(self.measured, row, strict=True):
                self.history[name].append(number)
                if not math.isfinite(number):
                    raise TrainingDiverged(self._alarm(f"the {name.replace('_', ' ')} became {number}"))
        for name, network in networks.items():
            if not torch.stack([weights.isfinite().all() for weights in network.parameters()]).all():
                raise TrainingDiverged(self._alarm(f"the {name}'s weights are no longer finite"))
        self.pending.clear()
        return seconds

    def restart_clock(self) -> None:
        """Starts the clock again: what happened since the last fetch was not training."""
        self.fetched_at = time.perf_counter()

    def _alarm(self, what: str) -> str:
        step, images = len(self.history["images"]), self.history["images"][-1]
        return (
            f"training diverged: {what} at step {step:,} ({images:,} images seen); try lower learning "
            "rates, a penalty on the discriminator's gradient, or precision='float32', and look for bad data."
        )
