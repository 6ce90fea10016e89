"""How many threads a training gets: measured, not assumed.

On an idle machine two threads are faster than one. Beside other busy processes they are slower by far: all
threads must meet at the end of each operation, and wait for the one that has no core. So the counts are tried
for a few steps when a run starts, and again when its throughput has fallen by half.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import torch

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


def fixed_threads(threads: int | None = None) -> int | None:
    """The number of threads that is insisted on: the argument, else COURSE_THREADS; None where neither is.

    Raises:
        ValueError: not a positive whole number.
    """
    given = os.environ.get("COURSE_THREADS") if threads is None else threads
    if given in (None, ""):
        return None
    if not str(given).isdecimal() or int(given) < 1:
        name = "COURSE_THREADS" if threads is None else "threads"
        raise ValueError(
            f"{name} must be a positive whole number, got {given!r}; unset it to have it measured"
        )
    return int(given)


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


def usable_cores() -> int:
    """How many cores this process may use; OMP_NUM_THREADS, where somebody has set it, is a limit too."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) else cores


def free_cores(seconds: float = 0.1) -> int:
    """How many of the usable cores nobody is computing on, at least 1; looks for so many seconds."""
    cores = usable_cores()
    if cores == 1:
        return 1
    busy = psutil.cpu_percent(seconds) / 100 * (os.cpu_count() or cores)
    return max(1, min(cores, round((os.cpu_count() or cores) - busy)))


def safe_threads() -> int:
    """What to compute with where nothing is measured: COURSE_THREADS, else the cores that are free now."""
    return fixed_threads() or free_cores()


def _seconds(step: Callable[[], object]) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start
