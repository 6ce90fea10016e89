"""Two-player games with one parameter each (notebook 02): arrows, runs, eigenvalues."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.plots.display import describe, new_figure
from course_utils.plots.style import BACKDROP, COLORS, CYCLE, DASHES, as_array


def dirac_moments(moments: Mapping[str, Tensor], *, alt: str | None = None) -> Figure:
    """The Dirac-GAN at a few moments: the data at 0, the sample at θ, and the discriminator's logit ψ·x.

    Args:
        moments: title → point (θ, ψ), shape (2,).
    """
    figure, axes = new_figure(columns=len(moments), width=7.5, height=2.5, sharey=True)
    x = np.array([-1.6, 1.6])
    alt_parts = []
    for panel, (title, point) in zip(axes, moments.items(), strict=True):
        theta, psi = as_array(point)
        panel.plot(x, psi * x, color=COLORS["discriminator"], label="logit ψx")
        panel.plot(0, 0, "o", color=COLORS["data"], markersize=10, label="data")
        panel.plot(theta, psi * theta, "X", color=COLORS["model"], markersize=10, label="sample")
        panel.axvline(theta, color=COLORS["model"], linewidth=0.8, linestyle=":")
        panel.set(title=title, xlim=x, ylim=(-1.6, 1.6), xlabel="x", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        alt_parts.append(f"{title}: the sample is at {theta:.2f}, the line's slope is {psi:.2f}")
    axes[0].set_ylabel("logit")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return describe(figure, alt or f"The Dirac-GAN at {len(moments)} moments. {'; '.join(alt_parts)}.")


def phase_portraits(
    panels: Mapping[str, tuple[Tensor, Tensor, Mapping[str, Tensor]]],
    *,
    columns: int = 2,
    radius: float = 2.0,
    colors: Mapping[str, str] | None = None,
    alt: str | None = None,
) -> Figure:
    """The arrows of two-player games, and runs on top of them, one game to a panel; the legend is below.

    Args:
        panels: title → (places, arrows, runs): the first two (N, 2) as `game_dynamics.field_on_grid` gives
            them, runs a mapping of label → points (steps + 1, 2).
        columns: panels in a row.
        radius: the square from −radius to radius is shown; what leaves it is cut off.
        colors: label → colour, the same in all figures that show these labels; by default the n-th run of a
            panel has the n-th colour, so let the panels name their runs alike.
        alt: alternative text; by default, where each run starts and ends.
    """
    rows = math.ceil(len(panels) / columns)
    side = 7.5 / max(columns, 2)
    figure, axes = new_figure(
        rows,
        columns,
        width=side * columns,
        height=(side - 0.1) * rows + 0.6 + 0.4 * any(runs for _, _, runs in panels.values()),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    alt_parts = []
    for panel, (title, (places, arrows, runs)) in zip(axes.flat, panels.items(), strict=False):
        draw_field(panel, places, arrows)
        for label, colour, dashes in _looks(runs, colors):
            points = as_array(runs[label])
            panel.plot(*points.T, color=colour, linestyle=dashes, linewidth=1.5, label=label or None)
            panel.plot(*points[0], "o", color=colour, markerfacecolor="white", markersize=7)
            panel.plot(*points[-1], "o", color=colour, markersize=7)
            first, last = np.hypot(*points[0]), np.hypot(*points[-1])
            alt_parts.append(
                f"{title}: the run {label} starts {first:.2g} from the equilibrium, ends {last:.2g} from it"
            )
        panel.set(title=title, xlim=(-radius, radius), ylim=(-radius, radius), aspect="equal")
        panel.set(xlabel="θ (generator)", ylabel="ψ (discriminator)")
        panel.label_outer()
    for panel in axes.flat[len(panels) :]:
        panel.set_visible(False)
    drawn = {}
    for panel in axes.flat:
        drawn.update(zip(*panel.get_legend_handles_labels()[::-1], strict=True))
    if drawn:
        figure.legend(
            drawn.values(), drawn.keys(), loc="outside lower center", ncols=min(len(drawn), 2 * columns)
        )
    return describe(figure, alt or f"Arrows of a game on the plane of θ and ψ. {'. '.join(alt_parts)}.")


def _looks(labels: Iterable[str], colors: Mapping[str, str] | None) -> list[tuple]:
    """(label, colour, dashes) for each label: of its place here, or of its place in `colors`."""
    named = list(colors or ())
    return [
        (label, colors[label], DASHES[named.index(label) % len(DASHES)])
        if label in named
        else (label, CYCLE[place % len(CYCLE)], DASHES[place % len(DASHES)])
        for place, label in enumerate(labels)
    ]


def draw_field(axes: Axes, places: Tensor, arrows: Tensor):
    """Draw arrows (N, 2) at places (N, 2), and a cross at the equilibrium; returns matplotlib's quiver."""
    places, lengths = as_array(places), field_arrows(places, arrows)
    axes.plot(0, 0, "+", color=COLORS["optimum"], markersize=10, markeredgewidth=2, zorder=3)
    return axes.quiver(
        *places.T,
        *lengths.T,
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color=COLORS["reference"],
        width=0.004,
    )


def field_arrows(places: Tensor, arrows: Tensor) -> np.ndarray:
    """Arrows scaled to fit between the places of a square grid; a quarter of the speed, half the length."""
    places, arrows = as_array(places), as_array(arrows)
    spacing = np.ptp(places[:, 0]) / (math.sqrt(len(places)) - 1)
    speed = np.hypot(*arrows.T)[:, None]
    return 0.9 * spacing * arrows / np.sqrt(speed.max() * np.maximum(speed, 1e-12))


def distance_curves(
    runs: Mapping[str, Tensor],
    predicted: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    log: bool = True,
    colors: Mapping[str, str] | None = None,
    alt: str | None = None,
) -> Figure:
    """How far from the equilibrium a run is, step by step.

    Args:
        runs: label → points (steps + 1, 2).
        predicted: label → growth factor per step, drawn as thin black lines from the run's start.
        log: logarithmic distances: a constant factor per step is a straight line.
        colors: label → colour, as in `phase_portraits`.
    """
    figure, axes = new_figure(height=3.6)
    alt_parts = []
    for label, colour, dashes in _looks(runs, colors):
        distance = np.hypot(*as_array(runs[label]).T)
        axes.plot(distance, color=colour, linestyle=dashes, label=label)
        if predicted and label in predicted:
            growth = distance[0] * predicted[label] ** np.arange(len(distance))
            already = "predicted" in axes.get_legend_handles_labels()[1]
            axes.plot(
                growth, color=COLORS["optimum"], linewidth=0.9, label="_again" if already else "predicted"
            )
        alt_parts.append(f"{label}: from {distance[0]:.2g} to {distance[-1]:.2g}")
    if log:
        axes.set_yscale("log")
    axes.set(xlabel="steps", ylabel="distance to the equilibrium")
    if title:
        axes.set_title(title)
    handles, labels = axes.get_legend_handles_labels()
    last = sorted(range(len(labels)), key=lambda place: labels[place] == "predicted")
    axes.legend(
        [handles[place] for place in last],
        [labels[place] for place in last],
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
    alt = alt or f"{title or 'Distance to the equilibrium against steps'}. {'; '.join(alt_parts)}."
    return describe(figure, alt)


def unit_circle(
    eigenvalues: Mapping[str, Sequence[complex]],
    *,
    colors: Mapping[str, str] | None = None,
    alt: str | None = None,
) -> Figure:
    """Eigenvalues of one update in the complex plane: inside the circle a run arrives, outside it leaves.

    Args:
        eigenvalues: label → eigenvalues.
        colors: label → colour, as in `phase_portraits`.
    """
    figure, axes = new_figure(width=7.0, height=4.0)
    angle = np.linspace(0, 2 * np.pi, 400)
    axes.fill(np.cos(angle), np.sin(angle), color=COLORS["second"], alpha=0.15, linewidth=0, gid=BACKDROP)
    axes.plot(np.cos(angle), np.sin(angle), color=COLORS["optimum"], linewidth=1.2)
    alt_parts = []
    for (label, colour, _), marker in zip(_looks(eigenvalues, colors), "os^Dvp*", strict=False):
        values = np.asarray(eigenvalues[label])
        axes.plot(values.real, values.imag, marker, color=colour, markersize=7, label=label)
        alt_parts.append(f"{label} has largest modulus {np.abs(values).max():.3f}")
    axes.set(xlabel="real part", ylabel="imaginary part", aspect="equal", xlim=(-0.3, 1.3), ylim=(-0.7, 0.7))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return describe(
        figure, alt or f"Eigenvalues and the unit circle in the complex plane. {'; '.join(alt_parts)}."
    )
