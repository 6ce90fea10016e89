"""Curves: histories of a training, functions of one variable, densities on a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.plots.display import describe, new_figure
from course_utils.plots.style import BACKDROP, COLORS, CYCLE, DASHES, RIGHT_LABEL, as_array, short_count


def loss_curves(
    history: Mapping[str, Sequence[float]],
    *,
    title: str | None = "Losses",
    equilibrium: tuple[float, float] | None = None,
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """Both players' losses against the number of training samples seen.

    Args:
        history: `run.history`, of which "images", "discriminator_loss" and "generator_loss" are read.
        equilibrium: the two losses where generator and data agree, drawn as thin lines; (2·log 2, log 2) for
            the non-saturating game.
    """
    figure, axes = new_figure(note=note)
    alt_parts = []
    for player, dashes in (("discriminator", "-"), ("generator", "--")):
        values = history[f"{player}_loss"]
        alt_parts.append(
            _draw_curve(axes, history["images"], values, f"{player} loss", COLORS[player], dashes)
        )
    if equilibrium is not None:
        for player, value in zip(("discriminator", "generator"), equilibrium, strict=True):
            axes.axhline(value, color=COLORS[player], linewidth=1, linestyle=":")
            below = {"va": "top", "xytext": (-2, -2)} if player == "generator" else {}  # its curve runs above
            label = f"{player} at equilibrium"
            axes.annotate(label, (1, value), xycoords=("axes fraction", "data"), **{**RIGHT_LABEL, **below})
    return _finish_curves(figure, axes, title, "loss", alt_parts, note, alt)


def accuracy_curves(
    history: Mapping[str, Sequence[float]],
    *,
    title: str | None = "How often the discriminator is right",
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """The discriminator's accuracy on real and on generated samples; ½ is guessing.

    Args:
        history: `run.history`, of which "images", "real_accuracy" and "fake_accuracy" (in [0, 1]) are read.
    """
    figure, axes = new_figure(note=note)
    alt_parts = []
    for kind, colour, dashes in (("real", "data", "-"), ("fake", "model", "--")):
        values = history[f"{kind}_accuracy"]
        alt_parts.append(
            _draw_curve(axes, history["images"], values, f"on {kind} samples", COLORS[colour], dashes)
        )
    axes.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":", label="guessing")
    axes.set_ylim(-0.03, 1.03)
    return _finish_curves(figure, axes, title, "fraction classified correctly", alt_parts, note, alt)


def curve(
    history: Mapping[str, Sequence[float]],
    key: str,
    *,
    label: str,
    title: str | None = None,
    log: bool = False,
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """Any one entry of a history against "images", e.g. a Fréchet distance that falls along."""
    figure, axes = new_figure(note=note)
    alt_parts = [
        _draw_curve(axes, history["images"], history[key], label, COLORS["value"], "-", smooth=False)
    ]
    if log:
        axes.set_yscale("log")
    return _finish_curves(figure, axes, title, label, alt_parts, note, alt)


def lines(
    x: Tensor,
    curves: Mapping[str, Tensor],
    *,
    x_label: str,
    y_label: str,
    alt: str,
    points: Mapping[str, tuple[Tensor, Tensor]] | None = None,
    levels: Mapping[str, float] | None = None,
    y_limits: tuple[float, float] | None = None,
    log: bool = False,
    colors: Mapping[str, str] | None = None,
    title: str | None = None,
    note: str = "",
) -> Figure:
    """Any curves over one axis, told apart by colour and by dashes.

    Args:
        x: (N,), increasing.
        curves: label → values at x, (N,).
        points: label → (x, y), drawn as dots, the first in the colour of the first curve, and so on.
        levels: label → height of a thin horizontal line.
        y_limits: lowest and highest value shown; curves may leave the picture.
        log: whether the vertical axis is logarithmic.
        colors: label → colour, for curves and points that mean the same as in other figures.
    """
    figure, axes = new_figure(note=note)
    colors = colors or {}
    for index, (label, values) in enumerate(curves.items()):
        color = colors.get(label, CYCLE[index])
        axes.plot(as_array(x), as_array(values), color=color, linestyle=DASHES[index], label=label)
    for index, (label, (across, up)) in enumerate((points or {}).items()):
        color = colors.get(label, CYCLE[index])
        axes.plot(as_array(across), as_array(up), "os^D"[index % 4], color=color, markersize=6, label=label)
    for label, height in (levels or {}).items():
        axes.axhline(height, color=COLORS["reference"], linewidth=1, linestyle=":")
        axes.annotate(label, (1, height), xycoords=("axes fraction", "data"), **RIGHT_LABEL)
    axes.set(xlabel=x_label, ylabel=y_label, title=title, yscale="log" if log else "linear")
    if y_limits:
        axes.set_ylim(y_limits)
    if len(curves) + len(points or {}) > 1:
        axes.legend()
    return describe(figure, f"{alt} {note}")


def density_and_discriminator(
    x: Tensor,
    p_data: Tensor,
    p_model: Tensor,
    discriminator: Tensor | Mapping[str, Tensor],
    *,
    title: str | None = None,
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """Two densities on a line above, and below them what a discriminator says about each point.

    Args:
        x: points of the line, (N,), increasing.
        p_data, p_model: the two densities at x, (N,).
        discriminator: probabilities D(x), (N,), called D*; or several by their labels, {"network": …}.
    """
    curves = discriminator if isinstance(discriminator, Mapping) else {"$D^*(x)$": discriminator}
    figure, (above, below) = new_figure(rows=2, height=4.6, note=note, sharex=True, height_ratios=[3, 2])
    x, p_data, p_model = as_array(x), as_array(p_data), as_array(p_model)
    for density, kind, name, dashes in (
        (p_data, "data", r"$p_\mathrm{data}$", "-"),
        (p_model, "model", "$p_g$", "--"),
    ):
        above.fill_between(x, density, color=COLORS[kind], alpha=0.15, linewidth=0, gid=BACKDROP)
        above.plot(x, density, color=COLORS[kind], linestyle=dashes, label=name)
    above.set_ylabel("density")
    above.set_ylim(bottom=0)
    above.legend()

    below.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":")
    colours = [COLORS["discriminator"], COLORS["optimum"], COLORS["highlight"], COLORS["value"]]
    for (label, values), colour, dashes in zip(curves.items(), colours, DASHES, strict=False):
        below.plot(x, as_array(values), color=colour, linestyle=dashes, label=label)
    below.set_ylim(-0.05, 1.05)
    below.set_yticks([0, 0.5, 1])
    below.set_ylabel("D(x)")
    below.set_xlabel("x")
    below.legend()
    if title:
        above.set_title(title)
    first = as_array(next(iter(curves.values())))
    alt = alt or (
        f"{title or 'Two densities and the discriminator'}. Above: the data's density peaks at "
        f"x = {x[p_data.argmax()]:.2g}, the model's at x = {x[p_model.argmax()]:.2g}. Below: the "
        f"discriminator's probability runs between {first.min():.2f} and {first.max():.2f}."
    )
    return describe(figure, f"{alt} {note}")


LEAST_TO_SMOOTH = 50  # shorter curves are drawn as they are


def smoothed(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The running mean of y over a 25th of the curve, and the places of x that it belongs to."""
    if len(y) < LEAST_TO_SMOOTH:
        return x, y
    width = len(y) // 25
    means = np.convolve(y, np.ones(width) / width, mode="valid")
    start = (width - 1) // 2
    return x[start : start + len(means)], means


def _draw_curve(axes, x, y, label, colour, dashes, smooth=True) -> str:
    """Draw y against x, pale as measured, strong as its running mean; return where it went, in words."""
    x, y = as_array(x), as_array(y)
    if smooth and len(y) >= LEAST_TO_SMOOTH:
        axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.3, gid=BACKDROP)
        x, y = smoothed(x, y)
        axes.plot(x, y, color=colour, linestyle=dashes, label=label)
    else:
        axes.plot(x, y, color=colour, linestyle=dashes, label=label, marker="o" if len(y) < 12 else None)
    return f"{label} goes from {y[0]:.3g} to {y[-1]:.3g}" if len(y) else f"{label}: nothing yet"


def _finish_curves(figure, axes, title, y_label, alt_parts, note, alt) -> Figure:
    axes.set_xlabel("training samples seen")
    axes.set_ylabel(y_label)
    axes.xaxis.set_major_formatter(lambda value, _: short_count(value))
    if len(alt_parts) > 1:
        axes.legend()
    if title:
        axes.set_title(title)
    alt = (
        alt
        or f"Line plot{': ' + title if title else ''}. {'; '.join(alt_parts)}, against training samples seen."
    )
    return describe(figure, f"{alt} {note}")
