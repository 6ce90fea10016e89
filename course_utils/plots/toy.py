"""A GAN on a line or on the plane: what its players see, drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor, nn

from course_utils.data.toy import Density
from course_utils.losses import GANLoss, get_loss
from course_utils.metrics.cells import RADIUS, Measured, data_cells, measure
from course_utils.metrics.pull import NON_SATURATING, generator_pull
from course_utils.models import sample
from course_utils.plots.display import describe, new_figure
from course_utils.plots.style import BACKDROP, COLORS, DISCRIMINATION, RIGHT_LABEL, as_array
from course_utils.training import GAN, Run

LONGEST_PULL = 0.6  # in units of the plane


class View(NamedTuple):
    """A GAN on the plane at one moment, as arrays to draw."""

    heat: Tensor  # (R, R) D(x) on a square lattice from −RADIUS to RADIUS; first index x₂, second x₁
    real: Tensor  # (N, 2)
    generated: Tensor  # (N, 2)
    pulls: Tensor  # (N, 2), the arrow at each generated point
    latent_grid: Tensor  # (2·lines, P, 2), where the generator puts the lines of a square lattice of latents


def view_plane(
    generator: nn.Module,
    discriminator: nn.Module,
    density: Density,
    *,
    loss: GANLoss = NON_SATURATING,
    points: int = 200,
    resolution: int = 48,
) -> View:
    """What can be seen of a GAN on the plane. Nothing in it changes.

    Where D sees several samples at once (`packed_discriminator`), the heat map shows D(x, …, x): copies.

    Args:
        generator: maps latents (N, 2) to points (N, 2).
        discriminator: maps points to logits, (N / packing,).
        density: the data, of dimension 2.
        loss: whose slope the arrows are (`generator_pull`).
        points: real and generated samples; a multiple of what D sees at once.
        resolution: R, lattice points along a side of the heat map.

    Raises:
        ValueError: the data are not on the plane.
    """
    if density.dim != 2:
        raise ValueError(f"view_plane needs data on the plane, got dimension {density.dim}; use view_line.")
    line = torch.linspace(-RADIUS, RADIUS, resolution)
    lattice = torch.cartesian_prod(line, line).flip(1)  # (R², 2), x₁ runs fastest
    generated = sample(generator, points)
    with torch.no_grad():
        copies = getattr(discriminator, "packing", 1)
        heat = discriminator(lattice.repeat_interleave(copies, 0)).sigmoid()
        latent_grid = generator(latent_lines().reshape(-1, 2)).reshape(2 * LATENT_LINES, -1, 2)
    return View(
        heat.reshape(resolution, resolution),
        density.sample(points, torch.Generator().manual_seed(1)),
        generated,
        generator_pull(discriminator, generated, loss),
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
    """A GAN on the line at one moment."""

    x: Tensor  # (P,) from −RADIUS to RADIUS
    p_data: Tensor  # (P,)
    p_model: Tensor  # (P,)
    discriminator: Tensor  # (P,) D(x)
    latents: Tensor  # (L,) evenly spread quantiles of N(0, 1)
    generated: Tensor  # (L,) where G puts them


def view_line(
    generator: nn.Module, discriminator: nn.Module, density: Density, resolution: int = 301
) -> LineView:
    """What can be seen of a GAN on the line, the generator's density included.

    p_g is where G puts 20,000 latents, evenly spread over the quantiles of N(0, 1), each widened by a
    Gaussian of standard deviation 0.05, about what can be seen.
    """
    x = torch.linspace(-RADIUS, RADIUS, resolution, dtype=torch.float64)
    normal = torch.distributions.Normal(0.0, 1.0)
    with torch.no_grad():
        quantiles = normal.icdf((torch.arange(20_000) + 0.5) / 20_000)
        landed = generator(quantiles[:, None]).squeeze(1).double()
        p_model = torch.zeros_like(x)
        for part in landed.split(2_000):
            p_model += torch.exp(-0.5 * ((x[:, None] - part) / 0.05).square()).sum(1)
        p_model /= len(landed) * 0.05 * (2 * torch.pi) ** 0.5
        latents = normal.icdf((torch.arange(31) + 0.5) / 31)
        generated = generator(latents[:, None]).squeeze(1)
        probabilities = discriminator(x.float()[:, None]).sigmoid()
    p_data = density.log_prob(x[:, None]).exp()
    return LineView(x, p_data, p_model, probabilities, latents, generated)


class Watch:
    """Keeps views and measurements of a GAN on the line or the plane: `train(…, on_snapshot=Watch(…))`.

    Args:
        gan: the players.
        density: the data.
        view_at: rounds after which to take a view, where a snapshot falls on them; 0 is before the first.
        samples: in each measurement; 0 for none.
    """

    def __init__(self, gan: GAN, density: Density, view_at: Sequence[int] = (), samples: int = 10_000):
        self.gan, self.density, self.view_at, self.samples = gan, density, view_at, samples
        self.cells = data_cells(density) if samples else None
        self.views: dict[str, View | LineView] = {}  # "after 100 rounds" → what could be seen
        losses = ("discriminator_loss", "generator_loss")
        self.history: dict[str, list[float]] = {name: [] for name in ("rounds", *losses, *Measured._fields)}

    def __call__(self, run: Run) -> None:
        rounds = len(run.history["images"])
        if rounds in self.view_at:
            players = (run.average, self.gan.discriminator, self.density)
            on_plane = self.density.dim == 2
            view = view_plane(*players, loss=get_loss(self.gan.loss)) if on_plane else view_line(*players)
            self.views[f"after {rounds:,} rounds"] = view
        if self.samples:
            found = measure(sample(run.average, self.samples), self.density, self.cells)
            for name in ("discriminator_loss", "generator_loss"):
                self.history[name].append(run.history[name][-1] if rounds else math.nan)
            for name, number in {"rounds": rounds, **found._asdict()}.items():
                self.history[name].append(number)


def games_on_plane(
    views: Mapping[str, View],
    *,
    columns: int = 3,
    pulls: bool = True,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Games on the plane, side by side: D as a heat map, data, generated points, and where D pulls these.

    Args:
        views: panel title → what `view_plane` saw.
        columns: panels in a row.
        pulls: whether to draw the arrows.
    """
    figure, panels = _plane_panels(len(views), columns, colour_bar=True)
    for panel, (label, view) in zip(panels, views.items(), strict=False):
        artists = draw_plane(panel, pulls=pulls)
        update_plane(artists, view)
        panel.set_title(label)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=3, markerscale=2)
    bar = figure.colorbar(artists["heat"], ax=list(panels), shrink=0.7, ticks=[0, 0.5, 1], pad=0.02)
    bar.set_label("D(x)")
    if title:
        figure.suptitle(title)
    alt_parts = "; ".join(f"{label}: {_view_in_words(view)}" for label, view in views.items())
    return describe(
        figure, alt or f"{title or 'Games on the plane'}, one panel for each moment. {alt_parts}."
    )


def latent_grids(
    views: Mapping[str, View], *, columns: int = 3, title: str | None = None, alt: str | None = None
) -> Figure:
    """The generator as a map: where it puts a square lattice of latents, over points of the data.

    Args:
        views: panel title → what `view_plane` saw.
        columns: panels in a row.
    """
    figure, panels = _plane_panels(len(views), columns)
    for panel, (label, view) in zip(panels, views.items(), strict=False):
        artists = draw_latent_grid(panel)
        update_latent_grid(artists, view)
        panel.set_title(label)
    if title:
        figure.suptitle(title)
    widths = "; ".join(
        f"{label}: the lattice spans {_span(view.latent_grid)}" for label, view in views.items()
    )
    return describe(figure, alt or f"{title or 'The latent grid'}. {widths}.")


def _plane_panels(count: int, columns: int, colour_bar: bool = False) -> tuple[Figure, np.ndarray]:
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    side = 7.6 / max(columns, 2)
    bar = 0.9 if colour_bar else 0.0
    figure, panels = new_figure(
        rows, columns, width=side * columns + bar, height=(side + 0.3) * rows + 0.65, sharex=True, sharey=True
    )
    panels = np.atleast_1d(panels).ravel()
    for panel in panels[count:]:
        panel.set_visible(False)
    return figure, panels


def draw_plane(axes: Axes, radius: float = RADIUS, pulls: bool = True) -> dict:
    """The empty stage of a game on the plane; returns its artists by name, for `update_plane`."""
    artists = {
        "heat": axes.imshow(
            np.full((2, 2), 0.5),
            extent=(-radius, radius, -radius, radius),
            origin="lower",
            cmap=DISCRIMINATION,
            vmin=0,
            vmax=1,
            interpolation="bilinear",
        )
    }
    (artists["real"],) = axes.plot([], [], ".", color=COLORS["data"], markersize=3, label="data")
    (artists["generated"],) = axes.plot([], [], "x", color=COLORS["model"], markersize=4, label="generated")
    if pulls:
        artists["pulls"] = LineCollection(
            [], colors="black", linewidths=0.7, alpha=0.8, label="where D pulls it"
        )
        axes.add_collection(artists["pulls"], autolim=False)
    _plane_axes(axes, radius)
    return artists


def update_plane(artists: Mapping, view: View) -> None:
    """Put what `view_plane` saw into the artists of `draw_plane`."""
    artists["heat"].set_data(as_array(view.heat))
    artists["real"].set_data(*as_array(view.real).T)
    artists["generated"].set_data(*as_array(view.generated).T)
    if "pulls" in artists:
        starts, pulls = as_array(view.generated), as_array(view.pulls)
        chosen = _apart(starts, LONGEST_PULL / 2)  # where points crowd, some arrows speak for all
        starts, pulls = starts[chosen], pulls[chosen]
        strength = np.hypot(*pulls.T)[:, None]
        ends = starts + pulls * LONGEST_PULL / (
            1 + strength
        )  # true direction; length never above LONGEST_PULL
        artists["pulls"].set_segments(_arrows(starts, ends))


def _apart(points: np.ndarray, distance: float) -> list[int]:
    """Places of points, in order, none of them nearer than the distance to an earlier one."""
    chosen: list[int] = []
    for place, point in enumerate(points):
        if not chosen or np.hypot(*(points[chosen] - point).T).min() >= distance:
            chosen.append(place)
    return chosen


def _arrows(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Arrows as lines (N, 5, 2): the shaft, then one half of the head, back to the tip, the other half."""
    back = 0.35 * (starts - ends)
    aside = 0.6 * np.stack([-back[:, 1], back[:, 0]], axis=1)
    return np.stack([starts, ends, ends + back + aside, ends, ends + back - aside], axis=1)


def draw_latent_grid(axes: Axes, radius: float = RADIUS) -> dict:
    """The empty stage for a latent grid; returns its artists by name, for `update_latent_grid`."""
    artists = {}
    (artists["data"],) = axes.plot([], [], ".", color=COLORS["data"], markersize=3)
    artists["lattice"] = LineCollection([], colors=COLORS["model"], linewidths=0.6)
    axes.add_collection(artists["lattice"], autolim=False)
    _plane_axes(axes, radius)
    return artists


def update_latent_grid(artists: Mapping, view: View) -> None:
    """Put what `view_plane` saw into the artists of `draw_latent_grid`."""
    artists["data"].set_data(*as_array(view.real).T)
    artists["lattice"].set_segments(as_array(view.latent_grid))


def _plane_axes(axes: Axes, radius: float) -> None:
    axes.grid(False)
    ticks = [-2, 0, 2]
    axes.set(xlim=(-radius, radius), ylim=(-radius, radius), xticks=ticks, yticks=ticks, aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.label_outer()


def _view_in_words(view) -> str:
    real, generated, heat = as_array(view.real), as_array(view.generated), as_array(view.heat)
    spread = np.hypot(*generated.std(axis=0)) / np.hypot(*real.std(axis=0))
    centre = generated.mean(axis=0)
    return (
        f"generated points around ({centre[0]:.1f}, {centre[1]:.1f}), {spread:.0%} as widely spread as the "
        f"data, D on the plane from {heat.min():.2f} to {heat.max():.2f}"
    )


def _span(folded: Tensor) -> str:
    low, high = as_array(folded).min(axis=(0, 1)), as_array(folded).max(axis=(0, 1))
    return f"{low[0]:.1f} to {high[0]:.1f} across and {low[1]:.1f} to {high[1]:.1f} up"


def games_on_line(
    views: Mapping[str, LineView], *, title: str | None = None, alt: str | None = None
) -> Figure:
    """A game on the line at several moments: the densities, D and D*, and where G puts evenly spread latents.

    After figure 1 of Goodfellow et al. 2014, arXiv:1406.2661.

    Args:
        views: panel title → what `view_line` saw.
    """
    figure, axes = new_figure(
        3,
        len(views),
        width=8.0,
        height=5.6,
        sharex="col",
        sharey="row",
        squeeze=False,
        height_ratios=[3, 2, 1.4],
    )
    alt_parts = []
    for column, (label, view) in enumerate(views.items()):
        above, middle, below = axes[:, column]
        x, p_data, p_model = as_array(view.x), as_array(view.p_data), as_array(view.p_model)
        for density, kind, name, dashes in (
            (p_data, "data", r"$p_\mathrm{data}$", "-"),
            (p_model, "model", "$p_g$", "--"),
        ):
            above.fill_between(x, density, color=COLORS[kind], alpha=0.15, linewidth=0, gid=BACKDROP)
            above.plot(x, density, color=COLORS[kind], linestyle=dashes, label=name)
        above.set(title=label, ylim=(0, 2.2 * p_data.max()))
        with np.errstate(invalid="ignore"):
            optimum = np.where(p_data + p_model > 1e-6, p_data / (p_data + p_model), np.nan)
        middle.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":")
        middle.plot(x, as_array(view.discriminator), color=COLORS["discriminator"], label="D")
        middle.plot(
            x, optimum, color=COLORS["optimum"], linestyle=":", linewidth=1.5, label="$D^*$ for this $p_g$"
        )
        middle.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
        latents, generated = as_array(view.latents), as_array(view.generated)
        below.plot(
            np.stack([latents, generated]),
            [[0], [1]] * np.ones(len(latents)),
            color=COLORS["generator"],
            lw=0.6,
        )
        below.set(ylim=(0, 1), yticks=[0, 1], yticklabels=["z", "G(z)"], xlim=(x[0], x[-1]), xlabel="x and z")
        below.grid(False)
        probabilities = as_array(view.discriminator)
        alt_parts.append(
            f"{label}: generated samples from {generated.min():.1f} to {generated.max():.1f}, D from "
            f"{probabilities.min():.2f} to {probabilities.max():.2f}, "
            f"{np.nanmean(np.abs(optimum - probabilities)):.2f} away from D* on average"
        )
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("D(x)")
    entries = [panel.get_legend_handles_labels() for panel in (axes[0, 0], axes[1, 0])]
    handles, labels = ([*first, *second] for first, second in zip(*entries, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    if title:
        figure.suptitle(title)
    return describe(figure, alt or f"{title or 'A game on the line'}. {'; '.join(alt_parts)}.")


def cell_maps(
    maps: Mapping[str, Tensor], edges: Tensor, *, title: str | None = None, alt: str | None = None
) -> Figure:
    """Probabilities of the cells of a plane, side by side on one scale.

    Args:
        maps: panel title → probabilities (C² + 1,), from `theory.cell_probabilities` or `cell_frequencies`.
        edges: of the cells along each axis, (C + 1,).
    """
    cells = len(edges) - 1
    extent = (float(edges[0]), float(edges[-1])) * 2
    figure, panels = new_figure(columns=len(maps), width=8.5, height=3.3, sharey=True, squeeze=False)
    squares = {label: as_array(values)[:-1].reshape(cells, cells) for label, values in maps.items()}
    top = next(iter(squares.values())).max()
    for panel, (label, square) in zip(panels[0], squares.items(), strict=True):
        picture = panel.imshow(square.T, origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=top)
        _plane_axes(panel, extent[1])
        panel.set_title(label)
    figure.colorbar(picture, ax=list(panels[0]), shrink=0.8, pad=0.02, extend="max").set_label(
        "fraction of the samples"
    )
    if title:
        figure.suptitle(title)
    alt_parts = "; ".join(f"{label}: {(square > 0).sum()} cells above 0" for label, square in squares.items())
    return describe(figure, alt or f"{title or 'Probabilities of the cells'}. {alt_parts}.")


def measured_rounds(
    history: Mapping[str, Sequence[float]],
    modes: int,
    *,
    floor: Mapping[str, float] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """How a game on the plane went: JS and KL on the cells, fractions of covered modes and good samples.

    Args:
        history: `Watch.history`.
        modes: how many the data have.
        floor: "js" and "kl" that real samples reach, drawn as a thin line.
    """
    figure, panels = new_figure(columns=3, width=8.5, height=3.1, sharex=True)
    rounds, alt_parts = as_array(history["rounds"]), []
    for panel, key, label in (
        (panels[0], "js", r"JS$(p_\mathrm{data}, p_g)$"),
        (panels[1], "kl", r"KL$(p_g \Vert p_\mathrm{data})$"),
    ):
        values = as_array(history[key])
        panel.plot(rounds, values, color=COLORS["value"])
        panel.set(title=label, ylabel="nats", xlabel="rounds")
        if floor:
            panel.axhline(floor[key], color=COLORS["reference"], linewidth=1.2, linestyle="--")
            place = {"xycoords": ("axes fraction", "data"), **RIGHT_LABEL}
            panel.annotate("real samples", (1, floor[key]), **place)
        alt_parts.append(f"{key.upper()} from {values[0]:.3g} to {values[-1]:.3g}")
    panels[0].set_ylim(0, 0.72)
    panels[1].set_yscale("log")
    for key, whole, label, dashes in (
        ("covered", modes, "modes covered", "-"),
        ("good_fraction", 1, "good samples", "--"),
    ):
        values = as_array(history[key]) / whole
        colour = COLORS["highlight"] if key == "covered" else COLORS["model"]  # not the data's: both are G's
        panels[2].plot(rounds, values, color=colour, linestyle=dashes, label=label)
        alt_parts.append(f"{label} from {values[0]:.0%} to {values[-1]:.0%}")
    panels[2].set(ylim=(-0.03, 1.05), title="fractions", xlabel="rounds", yticks=[0, 0.5, 1])
    figure.legend(loc="outside lower right", ncols=2)  # below: the curves may run anywhere
    if title:
        figure.suptitle(title)
    return describe(
        figure,
        alt or f"{title or 'A game, measured'}, up to round {rounds[-1]:.0f}: {', '.join(alt_parts)}.",
    )
