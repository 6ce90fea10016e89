"""A GAN small enough to be seen whole: a game on a line or a plane.

A *round* of the game is one or more steps of the discriminator, then one or more steps of the generator.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.data.toy import Density
from course_utils.losses import GANLoss, get_loss
from course_utils.metrics.cells import Measured, data_cells, measure
from course_utils.models import mlp_generator, packed_discriminator
from course_utils.plots import view_line, view_plane
from course_utils.training.gan import constant_then_linear
from course_utils.training.interrupt import stop_button
from course_utils.training.progress import progress as show_progress
from course_utils.training.steps import discriminator_step, generator_step

# --- the game ----------------------------------------------------------------------------------------------


@dataclass
class Game:
    """Two networks, their optimisers, the data they play for, and how often each has moved."""

    density: Density
    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    loss: GANLoss
    packing: int  # samples that the discriminator sees at once
    batch_size: int
    rng: torch.Generator
    generator_steps: int = 0
    discriminator_steps: int = 0


def new_game(
    density: Density,
    *,
    loss: str | GANLoss = "non_saturating",
    generator_lr: float = 2e-3,
    discriminator_lr: float = 2e-3,
    hidden: tuple[int, ...] = (64, 64),
    packing: int = 1,
    batch_size: int = 256,
    seed: int = 0,
) -> Game:
    """Untrained networks and everything they need; same seed, same game.

    The latent has as many dimensions as the data, so that the generator can be drawn as a map of the line, or
    the plane, onto itself. Adam runs without momentum (β₁ = 0), which makes a game circle.

    Args:
        density: the data, of dimension 1 or 2.
        loss: a name in `course_utils.losses.LOSSES`, or a GANLoss.
        generator_lr, discriminator_lr: Adam's learning rates.
        hidden: widths of the hidden layers, of both networks.
        packing: samples that the discriminator sees at once (`packed_discriminator`).
        batch_size: samples in one step; `packing` must divide it.
        seed: of the initial weights and of everything drawn afterwards.

    Raises:
        ValueError: an unknown loss, or a batch that cannot be packed.
    """
    if packing < 1 or batch_size % packing:
        raise ValueError(
            f"packing must be at least 1 and divide batch_size, got {packing} and {batch_size}; "
            "choose 1, 2 or 4."
        )
    loss = get_loss(loss)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        generator = mlp_generator((density.dim,), latent_dim=density.dim, hidden=hidden)
        discriminator = packed_discriminator(density.dim, packing, hidden)
    return Game(
        density,
        generator,
        discriminator,
        torch.optim.Adam(generator.parameters(), generator_lr, betas=(0.0, 0.99), fused=True),
        torch.optim.Adam(discriminator.parameters(), discriminator_lr, betas=(0.0, 0.99), fused=True),
        loss,
        packing,
        batch_size,
        torch.Generator().manual_seed(seed),
    )


def discriminator_turn(game: Game, step=discriminator_step) -> float:
    """Draw a batch and let D take one step on it; returns its loss. `step` may be your own."""
    real = game.density.sample(game.batch_size, game.rng)
    latents = draw_latents(game, game.batch_size)
    game.discriminator_steps += 1
    return float(
        step(game.generator, game.discriminator, game.discriminator_optimizer, real, latents, game.loss)
    )


def generator_turn(game: Game, step=generator_step) -> float:
    """Draw latents and let G take one step on them; returns its loss. `step` may be your own."""
    latents = draw_latents(game, game.batch_size)
    game.generator_steps += 1
    return float(step(game.generator, game.discriminator, game.generator_optimizer, latents, game.loss))


def draw_latents(game: Game, n: int, rng: torch.Generator | None = None) -> Tensor:
    """z ~ N(0, I), shape (n, latent_dim); from the game's own random numbers unless others are given."""
    return torch.randn(n, game.generator.latent_dim, generator=rng or game.rng)


@torch.no_grad()
def draw_generated(game: Game, n: int, seed: int = 0) -> Tensor:
    """G(z) for n latents, (n, dim). Always the same latents; the game's own random numbers stay untouched."""
    return game.generator(draw_latents(game, n, torch.Generator().manual_seed(seed)))


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch computes on one thread: small networks lose more by sharing the work than they win."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class Played(NamedTuple):
    """What `play` leaves behind."""

    history: dict[str, list[float]]  # "rounds", "js", "kl", "covered", "good_fraction" and both losses
    views: dict[str, NamedTuple]  # "after 100 rounds" → what `view_plane` or `view_line` saw


def play(
    game: Game,
    rounds: int,
    *,
    discriminator_steps: int = 1,
    generator_steps: int = 1,
    view_at: Sequence[int] = (),
    measure_every: int = 0,
    decay_lr: bool = False,
    steps: tuple[Callable, Callable] = (discriminator_step, generator_step),
    label: str = "playing",
) -> Played:
    """Rounds of the game, each of some steps of D and then some steps of G.

    The stop button ends it after the current round; the game keeps what it has learnt and can be played on.

    Args:
        game: it changes.
        rounds: how many.
        discriminator_steps, generator_steps: in one round.
        view_at: rounds after which to take a view; 0 is before the first one.
        measure_every: rounds between two measurements on 10,000 samples; 0 for none.
        decay_lr: whether the learning rates fall after 30 % of the rounds (`constant_then_linear`).
        steps: the two players' steps; hand over your own.
        label: beside the progress bar.

    Returns:
        History and views.
    """
    players = (game.generator, game.discriminator, game.density)
    p_data = data_cells(game.density) if measure_every else None
    optimizers = (game.discriminator_optimizer, game.generator_optimizer)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    names = ("rounds", "discriminator_loss", "generator_loss", *Measured._fields)
    played = Played({name: [] for name in names}, {})
    losses = [float("nan"), float("nan")]

    def watch(done: int) -> None:
        if done in view_at:
            played.views[f"after {done:,} rounds"] = (
                view_plane(*players, game.packing, loss=game.loss)
                if game.density.dim == 2
                else view_line(*players)
            )
        if measure_every and done % measure_every == 0:
            found = measure(draw_generated(game, 10_000), game.density, p_data)
            for name, number in zip(names, (done, *losses, *found), strict=True):
                played.history[name].append(number)

    with show_progress(rounds, label, unit="rounds") as update, stop_button() as stopped, one_thread():
        watch(0)
        for done in range(1, rounds + 1):
            if decay_lr:
                for optimizer, rate in zip(optimizers, rates, strict=True):
                    optimizer.param_groups[0]["lr"] = rate * constant_then_linear(done / rounds)
            for _ in range(discriminator_steps):
                losses[0] = discriminator_turn(game, steps[0])
            for _ in range(generator_steps):
                losses[1] = generator_turn(game, steps[1])
            watch(done)
            update(done)
            if stopped():
                break
    return played
