"""Training for so many seconds, instead of so many images: what makes different models comparable."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from torch import nn

from course_utils.data import Sampler
from course_utils.training.loop import Run, Schedule, Trainable, train
from course_utils.training.progress import progress


class TimeIsUp(Exception):
    """Ends a training from inside."""


class Stopwatch:
    """CPU seconds of this process while it runs: a busy machine costs patience, and changes nothing."""

    def __init__(self):
        self.before, self.begun = 0.0, None

    def start(self) -> None:
        self.begun = time.process_time()

    def stop(self) -> None:
        self.before, self.begun = self.seconds, None

    @property
    def seconds(self) -> float:
        return self.before + (0.0 if self.begun is None else time.process_time() - self.begun)


def train_for(
    seconds: float,
    model: Trainable,
    draw_real: Sampler,
    *,
    look: Callable[[Run, float], None] | None = None,
    schedule: Schedule | None = None,
    batch_size: int = 64,
    every: int = 40,
    label: str = "training",
    **training,
) -> tuple[Run, float]:
    """`train` on one thread of the CPU, until the process has computed for so many seconds.

    Args:
        seconds: of training alone: while `look` looks, the clock stands still.
        model, draw_real: as in `train`.
        look: called with the run and the seconds that it took so far, each `every` steps.
        schedule: factor of the learning rates by the fraction of the *seconds*.
        batch_size: samples in a step.
        every: steps between two looks at the clock, by which the end may be late.
        label: what the progress line calls it.
        **training: other arguments of `train`.

    Returns:
        The run, and the seconds that it took.

    Raises:
        TrainingDiverged: as `train`.
    """
    watch, kept = Stopwatch(), []

    def pause(run: Run) -> None:
        watch.stop()
        kept[:] = [run]
        if look is not None:
            look(run, watch.seconds)
        update(min(int(watch.seconds), math.ceil(seconds)))
        if watch.seconds >= seconds:
            raise TimeIsUp
        watch.start()

    paced = schedule and (lambda _: schedule(min(1.0, watch.seconds / seconds)))
    options = {"images": 10**9, "snapshot_every": every * batch_size, "snapshot_samples": 1}
    with progress(math.ceil(seconds), label, unit="CPU seconds") as update, suppress(TimeIsUp):
        train(
            model,
            draw_real,
            on_snapshot=pause,
            schedule=paced,
            batch_size=batch_size,
            device="cpu",
            threads=1,
            progress=False,
            **options,
            **training,
        )
    (run,) = kept
    for network in run.networks.values():
        network.eval()
    return run, watch.seconds


def judged_at(
    marks: Sequence[float], judge: Callable[[nn.Module], object] | None
) -> tuple[Callable[..., None], list[tuple[float, object]]]:
    """A look that judges at these seconds, and the curve that it fills.

    Args:
        marks: seconds after which `look(generator, spent)` judges, once for each; `look(…, final=True)` does
            so unless it just has.
        judge: judge(generator) → what is noted; None judges nothing.

    Returns:
        The look, and the curve [(seconds, judged), …].
    """
    ahead, curve = sorted(marks), []

    def look(generator: nn.Module, spent: float, final: bool = False) -> None:
        due = bool(ahead) and spent >= ahead[0]
        if final:
            due = not (curve and curve[-1][0] == spent)
        if judge is not None and due:
            curve.append((spent, judge(generator)))
            ahead[:] = [mark for mark in ahead if mark > spent]

    return look, curve
