"""The training loop: draw, step, average, record, pause.

It knows images, seconds and files, no network's role and no loss. What it trains is a `Trainable`: the GAN in
gan.py, other models beside it.
"""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.data.convention import Sampler
from course_utils.files import check_writable
from course_utils.training import checkpoint as files
from course_utils.training.average import averaged_copy, update_average
from course_utils.training.distributed import any_rank, check_divisible, rank
from course_utils.training.history import Recorder, TrainingDiverged
from course_utils.training.interrupt import stop_button
from course_utils.training.machine import Batch, Machine, fast_matmuls, match_layout, own_randomness
from course_utils.training.progress import progress as show_progress
from course_utils.training.threads import on_threads
from course_utils.training.validation import check_least, example_batch

Schedule = Callable[[float], float]  # fraction of the images seen, in [0, 1] -> factor of the learning rates
HalfLife = float | Callable[[int], float]  # in images; or images seen -> half-life


class Trainable(Protocol):
    """What `train` asks of a model."""

    networks: dict[str, nn.Module]  # placed, saved, checked for finite weights
    optimizers: dict[str, Optimizer]  # made in `prepare`
    averaged: str  # the network whose average is kept and sampled, such as "generator"
    measured: Sequence[str]  # the keys of what a training step returns: the history's columns
    settings: dict[str, object]  # all that decides about the training beside the weights
    latent_dim: int  # of the latents that `sample` takes

    def check(self, batch: Batch, device: torch.device) -> None: ...  # do data and networks fit?
    def prepare(self, machine: Machine) -> None: ...  # makes the optimisers; again for a new training
    def training_step(self, draw: Callable[[], Batch], machine: Machine) -> dict[str, Tensor]: ...
    def sample(self, network: nn.Module, latents: Tensor, batch: Batch) -> Tensor: ...
    def summary(self, history: dict[str, list[float]]) -> str: ...  # a few words beside the progress bar
    def copy(self) -> "Trainable": ...  # the same model with copies of its networks


@dataclass
class Run:
    """What training leaves behind. Complete and usable at every snapshot, and after an interruption."""

    average: nn.Module  # the averaged network, in evaluation mode: the one to sample from
    networks: dict[str, nn.Module]  # those that were trained, as they are after the last step
    history: dict[str, list[float]]  # an entry a step: "images", what the model measures, "images_per_second"
    snapshots: list[tuple[int, Tensor]] = field(default_factory=list)  # (images seen, samples), same latents
    images_seen: int = 0  # training images drawn
    seconds: float = 0.0  # spent training; snapshots and callbacks do not count
    threads: int = 1  # that the CPU computed on, at the end
    interrupted: bool = False


def train(
    model: Trainable,
    draw_real: Sampler,
    *,
    images: int = 200_000,
    batch_size: int = 64,
    schedule: Schedule | None = None,
    ema_half_life: HalfLife = 10_000,
    device: str | torch.device | None = None,
    precision: str = "auto",
    compiled: bool | str = False,
    threads: int | None = None,
    seed: int = 0,
    snapshot_every: int = 20_000,
    snapshot_samples: int = 64,
    conditions: Tensor | None = None,
    on_snapshot: Callable[[Run], None] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """Trains the model's networks in place; `run.average` is a running average of the one that makes samples.

    Where `torchrun` has started several processes, each takes its shard of every batch.

    Args:
        model: such as `GAN(generator, discriminator)`.
        draw_real: a sampler; draw_real(n, rng) returns n samples on the device, or a tuple of tensors.
        images: how many to draw, in all.
        batch_size: samples in a batch.
        schedule: factor of the learning rates by the fraction of images seen; None leaves them as they are.
        ema_half_life: half-life of the average, in images; 0 for none. Or a function of the images seen, such
            as `tenth_of_images`.
        device, precision, compiled, threads: where and how to compute, as `Machine` has them.
        seed: of everything random in the training; the networks' initialisation is the caller's.
        snapshot_every: images between two snapshots (and checkpoints); also one at the start, one at the end.
        snapshot_samples: how many fixed latents a snapshot shows.
        conditions: what these are asked for (labels, sources), (snapshot_samples, ...); None draws them.
        on_snapshot: called with the run at every snapshot, while the clock stands still.
        checkpoint: file to keep the state in.
        resume: whether to continue from that file if it exists; the result is the same as without the stop.
        progress: whether to show the progress, with the time left.

    Returns:
        The run. Ctrl-C, or the notebook's stop button, ends training after the current step: the run is
        returned as it is then, with `interrupted` set.

    Raises:
        ValueError, TypeError: networks, data or settings that do not fit together.
        TrainingDiverged: a loss or a weight is no longer finite.
    """
    check_least(1, images=images, batch_size=batch_size, snapshot_every=snapshot_every)
    if not callable(ema_half_life):
        check_least(0, ema_half_life=ema_half_life)
    machine = Machine(device, precision, compiled, threads, batch_size, seed)
    decides = {"schedule": schedule, "ema_half_life": ema_half_life, "seed": seed}
    session = Session(model, draw_real, machine, snapshot_samples, conditions, on_snapshot)
    run, draw = session.run, partial(machine.draw, draw_real)
    with session.open(images, progress, checkpoint, resume, decides) as stopped:
        while run.images_seen < images and not stopped():
            before = run.images_seen
            session.set_learning_rates(1.0 if schedule is None else schedule(before / images))
            numbers = model.training_step(draw, machine)
            run.images_seen = machine.batches_drawn * batch_size
            session.average(ema_half_life, step_size=run.images_seen - before)
            session.record(numbers)
            if run.images_seen // snapshot_every > before // snapshot_every:
                session.pause()
    return run


def constant_then_linear(fraction: float, constant: float = 0.3, final: float = 0.05) -> float:
    """A schedule: 1 for the first 30 % of the images, then a straight line down to 5 %."""
    return 1 - (1 - final) * max(0.0, fraction - constant) / (1 - constant)


class Session:
    """One call of `train`: what stands around its loop. It records, shows, saves, and asks for snapshots."""

    def __init__(
        self,
        model: Trainable,
        draw_real: Sampler,
        machine: Machine,
        snapshot_samples: int,
        conditions: Tensor | None,
        on_snapshot: Callable[[Run], None] | None,
    ):
        check_least(1, snapshot_samples=snapshot_samples)
        check_divisible(machine.batch_size)
        self.model, self.draw_real, self.machine, self.on_snapshot = model, draw_real, machine, on_snapshot
        machine.place(model.networks)
        self.batch = example_batch(draw_real, snapshot_samples, machine.device)
        if conditions is not None:
            self.batch = (self.batch[0], conditions.to(machine.device), *self.batch[2:])
        model.check(self.batch, machine.device)
        latents = (snapshot_samples, model.latent_dim)
        self.latents = torch.randn(latents, generator=machine.rng, device=machine.device)
        model.prepare(machine)
        self.rates = {name: each.param_groups[0]["lr"] for name, each in model.optimizers.items()}
        columns = ("images", *model.measured, "images_per_second")
        average = averaged_copy(model.networks[model.averaged])
        self.run = Run(average, model.networks, {name: [] for name in columns})
        self.recorder = Recorder(self.run.history, model.measured)
        self.checkpoint: Path | None = None

    @contextmanager
    def open(
        self, images: int, progress: bool, checkpoint: str | Path | None, resume: bool, decides: dict
    ) -> Iterator[Callable[[], bool]]:
        """Yields what says whether to stop; a pause before the loop and one after it.

        Args:
            images: how many there will be.
            progress: whether to show how far it is.
            checkpoint, resume: as in `train`.
            decides: the settings of `train` that a resumed run must share.
        """
        machine, run = self.machine, self.run
        hidden = not progress or rank() > 0
        with (
            own_randomness(machine.device, decides["seed"]),
            fast_matmuls(machine.device, machine.precision),
            on_threads(machine.threads.count),
            stop_button() as pressed,
        ):
            resumed = self._keep_in(Path(checkpoint), resume, decides) if checkpoint is not None else False
            if not resumed:
                self._choose_threads()
            self.fetch_is_due = any_rank(self.recorder.due)
            with show_progress(images, "training", start=run.images_seen, hidden=hidden) as self.show:
                try:
                    self.pause()
                    yield any_rank(pressed)
                    run.interrupted = run.images_seen < images
                    self.pause()
                except KeyboardInterrupt:
                    # A second Ctrl-C: a step may be half done, so the checkpoint stays what it was.
                    run.interrupted = True
                    self.fetch()
        for network in self.model.networks.values():
            network.eval()

    def set_learning_rates(self, factor: float) -> None:
        for name, optimizer in self.model.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * factor

    def average(self, half_life: HalfLife, step_size: int) -> None:
        """Moves the average towards the network as it is after this step of `step_size` images."""
        network = self.model.networks[self.model.averaged]
        if callable(half_life):
            half_life = half_life(self.run.images_seen)
        update_average(self.run.average, network, self.run.images_seen, step_size, half_life)

    def record(self, numbers: dict[str, Tensor]) -> None:
        """Notes one step's numbers; about twice a second they are fetched from the device."""
        self.recorder.add(self.run.images_seen, numbers)
        if self.fetch_is_due():
            speed = self.fetch()
            if self.machine.threads.fallen(speed / self.machine.batch_size):
                self._choose_threads()
                self.recorder.restart_clock()

    def fetch(self) -> float:
        """Moves the numbers into the history. Returns the speed since the last time, in images a second."""
        run = self.run
        try:
            run.seconds += self.recorder.fetch(self.model.networks)
        except TrainingDiverged as diverged:
            diverged.run = run
            raise
        self.show(run.images_seen, self._note())
        return run.history["images_per_second"][-1] if run.history["images_per_second"] else 0.0

    def pause(self) -> None:
        """Checkpoint, snapshot and callback, while the clock stands still."""
        run = self.run
        self.fetch()
        if self.checkpoint is not None and run.images_seen and rank() == 0:
            self._save()
        if not run.snapshots or run.snapshots[-1][0] < run.images_seen:
            with torch.no_grad():
                samples = self.model.sample(run.average, self.latents, self.batch)
            run.snapshots.append((run.images_seen, samples.float().cpu()))
            if self.on_snapshot is not None and rank() == 0:
                with own_randomness(self.machine.device):
                    self.on_snapshot(run)
                for network in self.model.networks.values():
                    network.train()
        self.recorder.restart_clock()

    def _note(self) -> str:
        threads = f"{self.run.threads} thread" + "s" * (self.run.threads > 1)
        on_cpu = self.machine.device.type == "cpu"
        return ", ".join(filter(None, [self.model.summary(self.run.history), on_cpu and threads]))

    def _choose_threads(self) -> None:
        """Measures how many are fastest now, on copies of the networks."""
        if self.machine.threads.tries:
            machine, model = self.machine.for_trial(), self.model.copy()
            model.prepare(machine)
            with own_randomness(self.machine.device):
                self.machine.threads.choose(
                    lambda: model.training_step(partial(machine.draw, self.draw_real), machine)
                )
        self.run.threads = self.machine.threads.count

    # --- the checkpoint

    def _keep_in(self, path: Path, resume: bool, decides: dict) -> bool:
        """The state goes to that file; returns whether it came from there."""
        if rank() == 0:
            check_writable(path)
        self.checkpoint = path
        settings = {
            **self.model.settings,
            **decides,
            "batch_size": self.machine.batch_size,
            "snapshot_samples": len(self.latents),
            "precision": str(self.machine.low_precision or torch.float32).removeprefix("torch."),
        }
        self.settings = {name: files.describe_setting(value) for name, value in settings.items()}
        if resume and path.exists():
            self._restore(files.load_checkpoint(path))
            return True
        return False

    def _parts(self) -> dict[str, nn.Module | Optimizer]:
        optimizers = {f"{name}_optimizer": each for name, each in self.model.optimizers.items()}
        return {**self.model.networks, "average": self.run.average, **optimizers}

    def _save(self) -> None:
        run, rng = self.run, self.machine.rng
        state = {
            **{name: part.state_dict() for name, part in self._parts().items()},
            "settings": self.settings,
            "threads": run.threads,
            "rng": rng.get_state(),
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(rng.device) if rng.device.type == "cuda" else None,
            "history": run.history,
            "snapshots": run.snapshots,
            "images_seen": run.images_seen,
            "seconds": run.seconds,
        }
        try:
            files.save_checkpoint(self.checkpoint, state)
        except OSError as error:  # a full disk must not cost the run
            warnings.warn(
                f"the checkpoint {self.checkpoint} could not be written ({error.strerror}); training "
                "continues, and tries again at the next snapshot.",
                stacklevel=2,
            )

    def _restore(self, state: dict) -> None:
        """Everything from the checkpoint, or, where it does not fit, nothing."""
        path, run, rng, parts = self.checkpoint, self.run, self.machine.rng, self._parts()
        known = {*parts, "settings", "threads", "rng", "torch_rng", "cuda_rng"}
        known |= {"history", "snapshots", "images_seen", "seconds"}
        if odd := ", ".join(sorted(known ^ state.keys())):
            raise ValueError(f"{path} is of another kind of run ({odd}); take another file, or delete it.")
        if differing := files.differences(state["settings"], self.settings):
            raise ValueError(
                f"{path} {differing}; take the same settings, or delete the file to start afresh."
            )
        threads = self.machine.threads
        if threads.fixed is not None and threads.fixed != state["threads"]:
            raise ValueError(
                f"{path} was made with threads={state['threads']}, this run has threads={threads.fixed}; "
                "take the same number, or delete the file to start afresh."
            )
        files.load_all(parts, state, path)
        for part in parts.values():
            if isinstance(part, Optimizer):
                match_layout(part)
        rng.set_state(state["rng"])
        torch.set_rng_state(state["torch_rng"])
        if state["cuda_rng"] is not None and rng.device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda_rng"], rng.device)
        steps = len(state["history"]["images"])
        for name, column in run.history.items():  # one that the file does not have was not measured then
            column[:] = state["history"].get(name, [math.nan] * steps)
        run.snapshots[:] = state["snapshots"]
        run.images_seen, run.seconds = state["images_seen"], state["seconds"]
        self.machine.batches_drawn = run.images_seen // self.machine.batch_size
        run.threads = threads.count = state["threads"]
        torch.set_num_threads(threads.count)
