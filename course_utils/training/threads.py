"""How many threads a training gets: measured, not assumed.

On an idle machine two threads are faster than one. Beside other busy processes they are slower by far: all
threads must meet at the end of each operation, and wait for the one that has no core. So the counts are tried
for a few steps when a run starts, and again when its throughput has fallen by half.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from course_utils.runtime import fixed_threads, free_cores
from course_utils.training.distributed import world_size

PATIENCE = 0.5  # seconds that trying the counts may take, where a step is not longer than that
MARGIN = 1.1  # more threads must be faster by this factor: they also take cores from others
PAUSE = 2.0  # seconds between two choices, doubled each time


class ThreadChoice:
    """The number of threads of one training, and when to choose it anew.

    Args:
        device: threads are chosen on the CPU only.
        fixed: the number, if the caller insists; None reads COURSE_THREADS and, where that is not set,
            measures.

    Raises:
        ValueError: not a positive whole number.
    """

    def __init__(self, device: torch.device, fixed: int | None = None):
        self.fixed = fixed_threads(fixed)
        self.tries = device.type == "cpu" and self.fixed is None and world_size() == 1
        self.count = self.fixed or torch.get_num_threads()
        self.best = 0.0  # the highest throughput since the choice, in steps a second
        self.chosen_at, self.pause = time.perf_counter(), PAUSE

    def choose(self, step: Callable[[], object]) -> None:
        """Tries the counts with a step that changes nothing, and sets the fastest."""
        self.count, self.best = fastest_count(step)
        torch.set_num_threads(self.count)
        self.chosen_at = time.perf_counter()

    def fallen(self, steps_per_second: float) -> bool:
        """Whether throughput is less than half of the best since the choice: it is then to be made anew."""
        if not self.tries or time.perf_counter() - self.chosen_at < self.pause:
            self.best = max(self.best, steps_per_second)
            return False
        if steps_per_second >= self.best / 2:
            self.best = max(self.best, steps_per_second)
            return False
        self.pause *= 2
        return True


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Inside, torch computes on so many threads; afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def fastest_count(step: Callable[[], object]) -> tuple[int, float]:
    """Tries 1, 2, 4, … threads, up to the cores that are free now.

    Args:
        step: a step of the work, without lasting effect; called up to four times for each count.

    Returns:
        The fastest number, and its steps a second (0 where nothing was tried).
    """
    before, times = torch.get_num_threads(), {}
    counts, free = [1], free_cores()
    while counts[-1] * 2 <= free:
        counts.append(counts[-1] * 2)
    if len(counts) == 1:
        return 1, 0.0  # nothing to compare
    try:
        for count in counts:
            torch.set_num_threads(count)
            first = _seconds(step)  # warms up: buffers are made, kernels chosen
            repeats = max(1, min(3, int(PATIENCE / len(counts) / max(first, 1e-6)) - 1))
            times[count] = min(_seconds(step) for _ in range(repeats))
            if times[count] > 2 * min(times.values()):
                break  # more threads would only be worse
    finally:
        torch.set_num_threads(before)
    quickest = min(times.values())
    count = next(count for count, seconds in times.items() if seconds <= MARGIN * quickest)
    return count, 1 / times[count]


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
