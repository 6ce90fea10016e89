"""A GAN small enough to be seen whole: its two steps, a game on a line or a plane, what its players see.

A *round* of the game is one or more steps of the discriminator, then one or more steps of the generator.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.data.toy import Density
from course_utils.losses import LOSSES, GANLoss, get_loss
from course_utils.metrics.modes import mode_coverage
from course_utils.models import mlp_discriminator, mlp_generator
from course_utils.theory import cell_frequencies, cell_probabilities, js, kl
from course_utils.training.gan import constant_then_linear
from course_utils.training.interrupt import stop_button
from course_utils.training.progress import progress as show_progress
from course_utils.training.steps import discriminator_step, generator_step

RADIUS = 3.0  # the part of the line or plane that is looked at goes from −3 to 3
CELL_EDGES = torch.linspace(-RADIUS, RADIUS, 31, dtype=torch.float64)  # cells of side 0.2
NON_SATURATING = LOSSES["non_saturating"]


# --- what the generator learns from ----------------------------------------------------------------------


def pull(discriminator: nn.Module, points: Tensor, loss: GANLoss = NON_SATURATING) -> Tensor:
    """−∂ℓ(D(xᵢ))/∂xᵢ at each point: the direction in which D pulls a generated sample.

    ℓ is one sample's part in the generator's loss, L_G = 1/N·Σ ℓ(D(xᵢ)). For the non-saturating loss and the
    logit t(x) the arrow is (1 − D(x))·∇t(x). By the chain rule, these arrows are all that a generator ever
    learns about the data.

    Args:
        discriminator: maps points (N, dim) to logits.
        points: (N, dim).
        loss: the two players' losses.

    Returns:
        Arrows (N, dim).
    """
    points = points.detach().requires_grad_()
    logits = discriminator(points)
    total = len(logits) * loss.generator(logits)  # the sum, not the mean: an arrow must not depend on N
    (slope,) = torch.autograd.grad(total, points)
    return -slope


def packed_discriminator(dim: int, packing: int = 2, hidden: tuple[int, ...] = (64, 64)) -> nn.Sequential:
    """A discriminator that sees m = `packing` samples at once: logits of D(x₁, …, xₘ).

    PacGAN: Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086.

    Args:
        dim: of one sample.
        packing: m, how many samples, all real or all generated, make one input; 1 is the usual case.
        hidden: widths of the hidden layers.

    Returns:
        Network from (N, dim) to logits (N / m,); m must divide N.
    """
    return nn.Sequential(
        nn.Flatten(0),  # (N·dim,): the samples in a row …
        nn.Unflatten(0, (-1, packing * dim)),  # … m to each line: (N / m, m·dim)
        mlp_discriminator((packing * dim,), hidden),
    )


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
    views: dict[str, NamedTuple]  # "after 100 rounds" → what `look` or `look_on_line` saw


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
    see = look if game.density.dim == 2 else look_on_line
    p_data = data_cells(game.density) if measure_every else None
    optimizers = (game.discriminator_optimizer, game.generator_optimizer)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in optimizers]
    names = ("rounds", "discriminator_loss", "generator_loss", *Measured._fields)
    played = Played({name: [] for name in names}, {})
    losses = [float("nan"), float("nan")]

    def watch(done: int) -> None:
        if done in view_at:
            played.views[f"after {done:,} rounds"] = see(game)
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


# --- how good are the samples? -----------------------------------------------------------------------------


class Measured(NamedTuple):
    """What `measure` found."""

    js: float  # JS(p_data, p_g) between the cells, in nats; at most log 2
    kl: float  # KL(p_g ‖ p_data) between the cells, in nats
    covered: int  # modes that were found; 0 for data without modes
    good_fraction: float  # fraction of the samples on a mode; NaN for data without modes


def data_cells(density: Density, edges: Tensor = CELL_EDGES) -> Tensor:
    """The data's probability of each cell: exact where the density is known, else from a million samples."""
    if density.log_prob is None:
        return cell_frequencies(density.sample(1_000_000, torch.Generator().manual_seed(0)), edges)
    return cell_probabilities(density.log_prob, edges, density.dim)


def measure(samples: Tensor, density: Density, p_data: Tensor, edges: Tensor = CELL_EDGES) -> Measured:
    """How close the samples' histogram is to the data's cells; modes covered; fraction of good samples.

    With N samples the histogram is noisy, so that even a perfect generator scores JS ≈ (K − 1) / 8N and
    KL ≈ (K − 1) / 2N, where K is the number of cells that the data reaches.

    Args:
        samples: (N, dim).
        density: the data.
        p_data: what `data_cells` gave for it, with the same edges.
        edges: of the cells, along each axis.
    """
    p_model = cell_frequencies(samples, edges)
    covered, good_fraction = 0, float("nan")
    if density.modes is not None:
        coverage = mode_coverage(samples, density.modes, density.std)
        covered, good_fraction = coverage.covered, coverage.good_fraction
    return Measured(js(p_data, p_model).item(), kl(p_model, p_data).item(), covered, good_fraction)


# --- what the players see ----------------------------------------------------------------------------------


class View(NamedTuple):
    """A game on the plane at one moment, as arrays to draw."""

    heat: Tensor  # (R, R) D(x) on a square lattice from −RADIUS to RADIUS; first index x₂, second x₁
    real: Tensor  # (N, 2)
    generated: Tensor  # (N, 2)
    pulls: Tensor  # (N, 2), the arrow at each generated point
    latent_grid: Tensor  # (2·lines, P, 2), where the generator puts the lines of a square lattice of latents


def look(game: Game, points: int = 200, resolution: int = 48) -> View:
    """What can be seen of a game on the plane. Nothing in the game changes.

    Where D sees several samples at once, the heat map shows D(x, …, x): copies of one point.

    Args:
        game: of dimension 2.
        points: real and generated samples; a multiple of `game.packing`.
        resolution: R, lattice points along a side of the heat map.
    """
    if game.density.dim != 2:
        raise ValueError(
            f"look needs a game on the plane, got dimension {game.density.dim}; use look_on_line."
        )
    line = torch.linspace(-RADIUS, RADIUS, resolution)
    lattice = torch.cartesian_prod(line, line).flip(1)  # (R², 2), x₁ runs fastest
    generated = draw_generated(game, points)
    with torch.no_grad():
        heat = game.discriminator(lattice.repeat_interleave(game.packing, 0)).sigmoid()
        latent_grid = game.generator(latent_lines().reshape(-1, 2)).reshape(2 * LATENT_LINES, -1, 2)
    return View(
        heat.reshape(resolution, resolution),
        game.density.sample(points, torch.Generator().manual_seed(1)),
        generated,
        pull(game.discriminator, generated, game.loss),
        latent_grid,
    )


LATENT_LINES = 17  # in each direction


def latent_lines(points: int = 65) -> Tensor:
    """A lattice of latents as lines (2·LATENT_LINES, points, 2); equal probability between neighbours."""
    normal = torch.distributions.Normal(0.0, 1.0)
    across = normal.icdf(torch.linspace(0.01, 0.99, LATENT_LINES))
    along = normal.icdf(torch.linspace(0.01, 0.99, points))
    one_way = torch.stack(torch.meshgrid(across, along, indexing="ij"), dim=-1)
    return torch.cat([one_way, one_way.flip(-1)])


class LineView(NamedTuple):
    """A game on the line at one moment."""

    x: Tensor  # (P,) from −RADIUS to RADIUS
    p_data: Tensor  # (P,)
    p_model: Tensor  # (P,)
    discriminator: Tensor  # (P,) D(x)
    latents: Tensor  # (L,) evenly spread quantiles of N(0, 1)
    generated: Tensor  # (L,) where G puts them


def look_on_line(game: Game, resolution: int = 301) -> LineView:
    """What can be seen of a game on the line, the generator's density included.

    p_g is where G puts 20,000 latents, evenly spread over the quantiles of N(0, 1), each widened by a
    Gaussian of standard deviation 0.05, about what can be seen.
    """
    x = torch.linspace(-RADIUS, RADIUS, resolution, dtype=torch.float64)
    normal = torch.distributions.Normal(0.0, 1.0)
    with torch.no_grad():
        quantiles = normal.icdf((torch.arange(20_000) + 0.5) / 20_000)
        landed = game.generator(quantiles[:, None]).squeeze(1).double()
        p_model = torch.zeros_like(x)
        for part in landed.split(2_000):
            p_model += torch.exp(-0.5 * ((x[:, None] - part) / 0.05).square()).sum(1)
        p_model /= len(landed) * 0.05 * (2 * torch.pi) ** 0.5
        latents = normal.icdf((torch.arange(31) + 0.5) / 31)
        generated = game.generator(latents[:, None]).squeeze(1)
        probabilities = game.discriminator(x.float()[:, None]).sigmoid()
    p_data = game.density.log_prob(x[:, None]).exp()
    return LineView(x, p_data, p_model, probabilities, latents, generated)
