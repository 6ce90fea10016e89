"""The training loop of a GAN: a step of the discriminator, a step of the generator, and again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean as mean

import torch
from torch import Tensor, nn

from course_utils.data.convention import Sampler
from course_utils.losses import GANLoss, get_loss
from course_utils.runtime import autocast_dtype, pick_device
from course_utils.training.boundary import check_game, check_least
from course_utils.training.checkpoint import load_checkpoint, save_checkpoint
from course_utils.training.device_path import callables, fast_matmuls, match_layout, placed, placed_samples
from course_utils.training.distributed import agreed, augment_share, check_divisible, rank, share
from course_utils.training.ema import averaged_copy, update_average
from course_utils.training.history import MEASURED, Recorder, TrainingDiverged
from course_utils.training.interrupt import stop_button
from course_utils.training.progress import progress as show_progress

Penalty = Callable[[nn.Module, Tensor, Tensor], Tensor]  # (discriminator, real, fake) -> ()
Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # (images, rng) -> images


@dataclass
class Run:
    """What training leaves behind. Complete and usable at every snapshot, and after an interruption."""

    generator: nn.Module  # the averaged generator, in evaluation mode: the one to sample from
    discriminator: nn.Module
    history: dict[str, list[float]] = field(  # one entry a step
        default_factory=lambda: {name: [] for name in ("images", *MEASURED, "images_per_second")}
    )
    snapshots: list[tuple[int, Tensor]] = field(
        default_factory=list
    )  # (images seen, samples of the fixed latents)
    images_seen: int = 0  # real images that the discriminator has been shown
    seconds: float = 0.0  # spent training; snapshots and callbacks do not count
    interrupted: bool = False


def constant_then_linear(share: float, constant: float = 0.3, final: float = 0.05) -> float:
    """The learning rate's factor: 1 for the first 30 % of the images, then a straight line down to 5 %."""
    return 1 - (1 - final) * max(0.0, share - constant) / (1 - constant)


def train_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    draw_real: Sampler,
    *,
    images: int = 200_000,
    batch_size: int = 64,
    loss: str | GANLoss = "non_saturating",
    generator_lr: float = 2e-3,
    discriminator_lr: float = 2e-3,
    betas: tuple[float, float] = (0.0, 0.99),
    schedule: Callable[[float], float] | None = None,
    discriminator_steps: int = 1,
    penalty: Penalty | None = None,
    augment: Augmentation | None = None,
    ema_half_life: float = 10_000,
    device: str | torch.device | None = None,
    precision: str = "auto",
    compiled: bool | str = False,
    seed: int = 0,
    snapshot_every: int = 20_000,
    snapshot_samples: int = 64,
    on_snapshot: Callable[[Run], None] | None = None,
    checkpoint: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """min over G of max over D of V(D, G), by alternating steps  (Goodfellow et al. 2014, arXiv:1406.2661).

    Both networks are trained in place; `run.generator` is a running average of the generator. Where
    `torchrun` has started several processes, each takes its share of every batch.

    Args:
        generator: maps latents (N, generator.latent_dim) to samples.
        discriminator: maps samples to logits (N,).
        draw_real: a sampler; draw_real(n, rng) returns n real samples on the device.
        images: how many real images to show to the discriminator, in all.
        batch_size: real images (and as many fakes) in one step of the discriminator.
        loss: a name in `course_utils.losses.LOSSES`, or a GANLoss.
        generator_lr: Adam's learning rate.
        discriminator_lr: the same for the discriminator.
        betas: Adam's decay rates; the first is 0, since momentum makes the game circle.
        schedule: maps the share of images seen, in [0, 1], to a factor of both learning rates, e.g.
            `constant_then_linear`; None leaves them as they are.
        discriminator_steps: steps of the discriminator for one of the generator.
        penalty: penalty(discriminator, real, fake) is added to the discriminator's loss; computed in float32.
        augment: augment(images, rng) is applied to all that the discriminator sees, real and fake,
            differentiably.
        ema_half_life: half-life of the generator's average, in images; 0 for none.
        device: where to train; None chooses.
        precision: "auto" (bfloat16 where it is faster), "float32" or "bfloat16".
        compiled: whether to run both networks through `torch.compile`, but not the penalty, whose double
            backward pass it does not support; or the name of a backend.
        seed: of everything random in the training; the networks' first weights are the caller's.
        snapshot_every: images between two snapshots (and checkpoints); there is one at the start and one at
            the end.
        snapshot_samples: how many fixed latents a snapshot shows.
        on_snapshot: called with the run at every snapshot, while the clock stands still.
        checkpoint: file to keep the state in.
        resume: whether to go on from that file if it exists; the result is the same as without the stop.
        progress: whether to show the progress, with the time left.

    Returns:
        The run. Ctrl-C, or the notebook's stop button, ends training after the current step: the run is
        returned as it is then, with `interrupted` set.

    Raises:
        ValueError, TypeError: networks, data or settings that do not fit together.
        TrainingDiverged: a loss or a weight is no longer finite.
    """
    device = pick_device(device)
    objective = get_loss(loss)
    check_least(1, images=images, batch_size=batch_size, discriminator_steps=discriminator_steps)
    check_least(1, snapshot_every=snapshot_every, snapshot_samples=snapshot_samples)
    check_least(0, generator_lr=generator_lr, discriminator_lr=discriminator_lr, ema_half_life=ema_half_life)
    check_divisible(batch_size)
    generator, discriminator = placed(generator, device), placed(discriminator, device)
    check_game(generator, discriminator, draw_real, device)
    draw_real = placed_samples(draw_real, device)
    augment = augment and augment_share(augment)
    generate, discriminate = callables(generator, discriminator, device, compiled)  # what the loop calls

    rng = torch.Generator(device).manual_seed(seed)
    fixed_latents = torch.randn(snapshot_samples, generator.latent_dim, generator=rng, device=device)
    fused = device.type in ("cpu", "cuda")  # Adam for all weights in one call
    generator_optimizer = torch.optim.Adam(generator.parameters(), generator_lr, betas, fused=fused)
    discriminator_optimizer = torch.optim.Adam(
        discriminator.parameters(), discriminator_lr, betas, fused=fused
    )
    generator_weights = list(generator.parameters())
    low_precision = autocast_dtype(device, generator, discriminator, precision=precision)

    run = Run(averaged_copy(generator), discriminator)
    recorder = Recorder(run.history)
    parts = {
        "generator": generator,
        "discriminator": discriminator,
        "average": run.generator,
        "generator_optimizer": generator_optimizer,
        "discriminator_optimizer": discriminator_optimizer,
    }
    settings = {
        "loss": loss if isinstance(loss, str) else "custom",
        "batch_size": batch_size,
        "generator_lr": generator_lr,
        "discriminator_lr": discriminator_lr,
        "betas": list(betas),
        "discriminator_steps": discriminator_steps,
        "ema_half_life": ema_half_life,
        "seed": seed,
    }

    def autocast():
        return torch.autocast(device.type, low_precision, enabled=low_precision is not None)

    def judge(samples: Tensor) -> Tensor:
        return discriminate(samples if augment is None else augment(samples, rng)).float()

    def play_round() -> None:
        # The discriminator's step: logits of real samples up, of fakes down.
        for _ in range(discriminator_steps):
            real = draw_real(batch_size, rng)
            latents = share(torch.randn(batch_size, generator.latent_dim, generator=rng, device=device))
            with autocast():
                fake = generate(latents).float()
                real_logits = judge(real)
                fake_logits = judge(fake.detach())  # detach: this step must not reach the generator
            discriminator_loss = objective.discriminator(real_logits, fake_logits)
            penalised = discriminator_loss
            if penalty is not None:
                penalised = discriminator_loss + penalty(discriminator, real, fake.detach())
            discriminator_optimizer.zero_grad()
            penalised.backward()
            discriminator_optimizer.step()

        # The generator's step: the same fakes, before the discriminator that has just learnt.
        with autocast():
            generator_loss = objective.generator(judge(fake))
        generator_optimizer.zero_grad()
        generator_loss.backward(inputs=generator_weights)  # the discriminator's weights need no gradient here
        generator_optimizer.step()

        run.images_seen += discriminator_steps * batch_size
        real_accuracy = (real_logits > objective.undecided).float().mean()
        fake_accuracy = (fake_logits < objective.undecided).float().mean()
        recorder.add(run.images_seen, discriminator_loss, generator_loss, real_accuracy, fake_accuracy)

    def fetch() -> None:
        try:
            run.seconds += recorder.fetch(generator=generator, discriminator=discriminator)
        except TrainingDiverged as diverged:
            diverged.run = run
            raise
        show(run.images_seen, _summary(run.history))

    def pause() -> None:
        """Checkpoint, snapshot and callback, while the clock stands still."""
        fetch()
        if checkpoint is not None and run.images_seen and rank() == 0:
            save_checkpoint(checkpoint, _state(parts, settings, rng, run))
        if not run.snapshots or run.snapshots[-1][0] < run.images_seen:
            run.snapshots.append((run.images_seen, run.generator(fixed_latents).float().cpu()))
            if on_snapshot is not None and rank() == 0:
                with own_randomness(device):
                    on_snapshot(run)
                discriminator.train()
        recorder.restart_clock()

    with own_randomness(device, seed), fast_matmuls(device, precision), stop_button() as pressed:
        stopped, fetch_is_due = agreed(pressed), agreed(recorder.due)
        if resume and checkpoint is not None and Path(checkpoint).exists():
            _restore(load_checkpoint(checkpoint), checkpoint, parts, settings, rng, run)
        hidden = not progress or rank() > 0
        with show_progress(images, "training", start=run.images_seen, hidden=hidden) as show:
            try:
                pause()
                while run.images_seen < images and not stopped():
                    before = run.images_seen
                    factor = 1.0 if schedule is None else schedule(before / images)
                    set_learning_rate(generator_optimizer, generator_lr * factor)
                    set_learning_rate(discriminator_optimizer, discriminator_lr * factor)
                    play_round()
                    update_average(
                        run.generator, generator, run.images_seen, run.images_seen - before, ema_half_life
                    )
                    if fetch_is_due():
                        fetch()
                    if run.images_seen // snapshot_every > before // snapshot_every:
                        pause()
                run.interrupted = run.images_seen < images
                pause()
            except KeyboardInterrupt:
                # A second Ctrl-C: a step may be half done, so the checkpoint stays what it was.
                run.interrupted = True
                fetch()
    generator.eval()
    discriminator.eval()
    return run


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


@contextmanager
def own_randomness(device: torch.device, seed: int | None = None) -> Iterator[None]:
    """torch's own random numbers (dropout's) inside do not depend on those outside, nor disturb them."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def _state(parts: dict, settings: dict, rng: torch.Generator, run: Run) -> dict:
    return {
        **{name: part.state_dict() for name, part in parts.items()},
        "settings": settings,
        "rng": rng.get_state(),
        "torch_rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state(rng.device) if rng.device.type == "cuda" else None,
        "history": run.history,
        "snapshots": run.snapshots,
        "images_seen": run.images_seen,
        "seconds": run.seconds,
    }


def _restore(
    state: dict, path: str | Path, parts: dict, settings: dict, rng: torch.Generator, run: Run
) -> None:
    made_with = state.get("settings", {})
    differing = [name for name, value in settings.items() if made_with.get(name) != value]
    if differing:
        theirs = ", ".join(f"{name}={made_with.get(name)!r}" for name in differing)
        ours = ", ".join(f"{name}={settings[name]!r}" for name in differing)
        raise ValueError(
            f"{path} was made with {theirs}, this run has {ours}; "
            "take the same settings, or delete the file to start afresh."
        )
    for name, part in parts.items():
        try:
            part.load_state_dict(state[name])
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{path} holds the state of another {name}; build the same networks, or delete the file."
            ) from error
        if isinstance(part, torch.optim.Optimizer):
            match_layout(part)
    rng.set_state(state["rng"])
    torch.set_rng_state(state["torch_rng"])
    if state["cuda_rng"] is not None:
        torch.cuda.set_rng_state(state["cuda_rng"], rng.device)
    run.history.update(state["history"])
    run.snapshots[:] = state["snapshots"]
    run.images_seen, run.seconds = state["images_seen"], state["seconds"]


def _summary(history: dict[str, list[float]], steps: int = 100) -> str:
    """D's accuracy over the last steps: the one number that says how the game stands."""
    if not history["images"]:
        return ""
    real, fake = (mean(history[side][-steps:]) for side in ("real_accuracy", "fake_accuracy"))
    return f"D is right about {real:.0%} of the real, {fake:.0%} of the fakes"
