"""The state of a training on one page: what its history and its snapshots tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter
from torch import Tensor

from course_utils.metrics import ClassCoverage, ModeCoverage, sample_diversity
from course_utils.plots.curves import smoothed
from course_utils.plots.display import describe, new_figure
from course_utils.plots.images import tile
from course_utils.plots.style import BACKDROP, COLORS, as_array, short_count

Coverage = Callable[[Tensor], ModeCoverage | ClassCoverage]  # of the samples of one snapshot


class HasHistory(Protocol):
    """What the dashboard reads: a `Run`, or anything recorded that has the same two attributes."""

    history: dict[str, list[float]]  # "images", and a column for each thing measured in every step
    snapshots: Sequence[tuple[int, Tensor]]  # (images seen, samples of the same latents)


class Curve(NamedTuple):
    """One line of a panel."""

    label: str
    x: np.ndarray
    y: np.ndarray
    colour: str
    dashes: str = "-"


class Panel(NamedTuple):
    """One of the dashboard's small pictures, before it is drawn."""

    title: str
    curves: list[Curve]
    log: bool = False
    raw: bool = True  # whether the curves are shown as measured, too, pale
    limits: tuple[float | None, float | None] | None = None
    whole: bool = False  # whether only whole numbers mean something
    level: tuple[float, str] | None = None  # a thin line: its height, and what it says


def dashboard(
    run: HasHistory,
    *,
    beside: HasHistory | None = None,
    real: Tensor | None = None,
    coverage: Coverage | None = None,
    extra: Callable[[HasHistory], Sequence[Panel]] | None = None,
    title: str | None = None,
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """Losses, D's accuracy, both gradients' lengths, diversity and coverage of the samples, and the samples.

    What there is no data for is left out. Curves are pale as measured, strong as their running mean.

    Args:
        run: a `Run`, or anything with its `history` and `snapshots`.
        beside: another one, such as a healthy run, whose curves are drawn in grey.
        real: samples of the data, as many as a snapshot has or more: the scale of the diversity, and the
            background of points on the plane, a last row of images.
        coverage: counts modes in a snapshot's samples, such as
            `lambda samples: mode_coverage(samples, ring.modes, ring.std)`.
        extra: makes panels of your own from `run`, and from `beside`.
        title, note, alt: as in all figures of the course.
    """
    panels = [*_panels(run, real, coverage), *(extra(run) if extra else [])]
    others = [*_panels(beside, real, coverage), *(extra(beside) if extra else [])] if beside else []
    grey = {panel.title: panel for panel in others}
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    height_above, height_below = 1.75 * rows, _height_of_samples(run, real)
    figure, _ = new_figure(
        width=7.6, height=height_above + height_below + (0.35 if title else 0.1), note=note
    )
    figure.clear()
    if note:
        figure.supxlabel(note, x=0.01, ha="left", fontsize=9, color=COLORS["reference"])
    above, below = figure.subfigures(2, 1, height_ratios=[height_above, max(height_below, 0.01)])
    every_axes = np.atleast_1d(above.subplots(rows, columns, sharex=True)).ravel()
    for axes, panel in zip(every_axes, panels, strict=False):
        _draw(axes, panel, grey.get(panel.title))
    _finish(above, every_axes, len(panels), columns)
    points = _draw_samples(below, run.snapshots, real)
    _explain(above, every_axes[len(panels) :], [*points, *([_GREY] if beside else [])])
    if title:
        figure.suptitle(title, fontsize=12)
    return describe(figure, f"{alt or in_words(panels, title)}{_unseen_in_words(run.snapshots, real)} {note}")


def in_words(panels: Sequence[Panel], title: str | None) -> str:
    """Where each curve goes, for those who cannot see it."""
    parts = []
    for panel in panels:
        for curve in panel.curves:
            y = curve.y[np.isfinite(curve.y)]
            if len(y):
                first, last = (f"{number:.2g}" for number in (y[: max(1, len(y) // 20)].mean(), y[-1]))
                name = ", ".join(part for part in (panel.title, curve.label) if part)
                parts.append(f"{name}: from {first} to {last}")
    return f"Dashboard{': ' + title if title else ''}. {'; '.join(parts)}."


def _panels(run: HasHistory, real: Tensor | None, coverage: Coverage | None) -> list[Panel]:
    history, found = run.history, []
    x = np.asarray(history.get("images", []), dtype=float)

    def curves(*columns: tuple[str, str, str, str]) -> list[Curve]:
        there = [(label, history.get(name, []), colour, dashes) for name, label, colour, dashes in columns]
        return [  # the last step of a run that diverged may lack some of its numbers
            Curve(label, x[: len(values)], np.asarray(values, dtype=float), COLORS[colour], dashes)
            for label, values, colour, dashes in there
            if len(values)
        ]

    losses = curves(
        ("discriminator_loss", "D", "discriminator", "-"), ("generator_loss", "G", "generator", "--")
    )
    accuracies = curves(("real_accuracy", "real", "data", "-"), ("fake_accuracy", "fake", "model", "--"))
    gradients = curves(
        ("discriminator_gradient", "D", "discriminator", "-"), ("generator_gradient", "G", "generator", "--")
    )
    if losses:
        found.append(Panel("losses", losses))
    if accuracies:
        found.append(Panel("D's accuracy", accuracies, raw=False, limits=(-0.03, 1.03), level=(0.5, "")))
    if gradients:
        found.append(Panel("length of the gradients", gradients, log=True))
    found += _panels_of_samples(run.snapshots, real, coverage)
    return found


def _panels_of_samples(
    snapshots: Sequence[tuple[int, Tensor]], real: Tensor | None, coverage: Coverage | None
) -> list[Panel]:
    if not snapshots or len(snapshots[0][1]) < 2:
        return []
    x = np.array([seen for seen, _ in snapshots], dtype=float)
    diversity = np.array([sample_diversity(samples) for _, samples in snapshots])
    level = None
    if real is not None:
        diversity = diversity / sample_diversity(real[:1_000])
        level = (1.0, "data")
    title = "diversity of the samples"
    found = [Panel(title, [Curve("G", x, diversity, COLORS["value"])], limits=(0, None), level=level)]
    if coverage is not None:
        counted = [coverage(samples) for _, samples in snapshots]
        modes = len(counted[0].counts)
        covered = np.array([one.covered for one in counted], dtype=float)
        limits = (-0.03 * modes, 1.05 * modes)
        found.append(
            Panel(
                f"modes covered, of {modes}",
                [Curve("G", x, covered, COLORS["value"])],
                limits=limits,
                whole=True,
            )
        )
    return found


FAR_OFF = 100  # where a curve reaches further, its axis is logarithmic on both sides of ±1


def _draw(axes: Axes, panel: Panel, grey: Panel | None) -> None:
    for curve in grey.curves if grey else []:
        x, y = smoothed(curve.x, curve.y)
        axes.plot(x, y, color=COLORS["reference"], linestyle=curve.dashes, linewidth=1)
    for curve in panel.curves:
        x, y = smoothed(curve.x, curve.y)
        if panel.raw and len(y) < len(curve.y):
            axes.plot(curve.x, curve.y, color=curve.colour, linewidth=0.6, alpha=0.25, gid=BACKDROP)
        dots = "o" if len(y) < 12 else None
        axes.plot(
            x, y, color=curve.colour, linestyle=curve.dashes, label=curve.label, marker=dots, markersize=3
        )
    if panel.level is not None:
        height, word = panel.level
        axes.axhline(height, color=COLORS["reference"], linewidth=1, linestyle=":")
        if word:
            axes.annotate(
                word, (1, height), xycoords=("axes fraction", "data"), xytext=(-2, 2), ha="right", fontsize=8,
                textcoords="offset points", color=COLORS["reference"],
            )  # fmt: skip
    positive = any((curve.y > 0).any() for curve in panel.curves)
    largest = max((np.abs(curve.y[np.isfinite(curve.y)]).max(initial=0) for curve in panel.curves), default=0)
    if panel.log and positive:
        axes.set_yscale("log")
    elif largest > FAR_OFF:
        axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_minor_formatter(NullFormatter())  # 2·10⁻¹, 3·10⁻¹, … would lie on each other
    if panel.limits is not None:
        bottom, top = panel.limits
        axes.set_ylim(bottom, 1.12 * axes.get_ylim()[1] if top is None else top)  # room for a level's word
    if panel.whole:
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_title(panel.title, fontsize=10)
    axes.tick_params(labelsize=8)
    axes.xaxis.set_major_formatter(lambda value, _: short_count(value))
    axes.xaxis.set_major_locator(MaxNLocator(3))
    if len(panel.curves) > 1:
        axes.legend(
            fontsize=8, ncols=3, columnspacing=1, handlelength=1.6, loc="lower left",
            bbox_to_anchor=(0, 0.98), borderaxespad=0,
        )  # fmt: skip
        axes.set_title(panel.title, fontsize=10, pad=16)


def _finish(figure: SubFigure, every_axes: Sequence[Axes], panels: int, columns: int) -> None:
    """The lowest panel of each column shows the numbers on the shared axis."""
    for axes in every_axes[max(0, panels - columns) : panels]:
        axes.tick_params(labelbottom=True)
    for axes in every_axes[panels:]:
        axes.axis("off")
    figure.supxlabel("training samples seen", fontsize=10)


_GREY = Line2D([], [], color=COLORS["reference"], linewidth=1, label="the run beside it")


def _explain(figure: SubFigure, free: Sequence[Axes], handles: Sequence[Line2D]) -> None:
    """What points and grey lines are, where a panel's place is free; else above all of them."""
    if handles and len(free):
        free[0].legend(handles=handles, loc="center", fontsize=9)
    elif handles:
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=9)


MOST_SNAPSHOTS, IMAGES_IN_A_ROW = 4, 16


def _chosen(snapshots: Sequence[tuple[int, Tensor]]) -> list[tuple[int, Tensor]]:
    """The first, the last, and others spread evenly in between."""
    count = min(MOST_SNAPSHOTS, len(snapshots))
    places = np.unique(np.linspace(0, len(snapshots) - 1, count).round().astype(int)) if count else []
    return [snapshots[place] for place in places]


def _height_of_samples(run: HasHistory, real: Tensor | None) -> float:
    if not run.snapshots:
        return 0.0
    images = run.snapshots[0][1].dim() == 4
    rows = len(_chosen(run.snapshots)) + (real is not None)
    return 0.44 * rows + 0.2 if images else 1.9


def _draw_samples(
    figure: SubFigure, snapshots: Sequence[tuple[int, Tensor]], real: Tensor | None
) -> list[Line2D]:
    """Images: a row for each of a few snapshots, and one of data. Points: a small plane for each.

    Returns what is on the planes.
    """
    chosen = _chosen(snapshots)
    if not chosen:
        return []
    if chosen[0][1].dim() == 4:
        axes = figure.subplots()
        rows = [samples[:IMAGES_IN_A_ROW].clamp(-1, 1) for _, samples in chosen]
        labels = [f"after {short_count(seen)}" for seen, _ in chosen]
        if real is not None:
            rows.append(real[: len(rows[0])].clamp(-1, 1).cpu())
            labels.append("data")
        columns, height = len(rows[0]), rows[0].shape[2] + 2
        axes.imshow(tile(torch.cat(rows), columns), interpolation="nearest")
        axes.set_yticks(
            [height * (row + 0.5) for row in range(len(rows))],
            labels,
            fontsize=9,
        )
        axes.set_xticks([])
        axes.tick_params(length=0, pad=4)
        axes.grid(False)
        axes.spines[:].set_visible(False)
        return []
    panels = np.atleast_1d(figure.subplots(1, len(chosen), sharex=True, sharey=True))
    reach = _reach(chosen, real)
    for axes, (seen, points) in zip(panels, chosen, strict=True):
        drawn = []
        if real is not None:
            drawn += axes.plot(
                *as_array(real[:300]).T, ".", color=COLORS["data"], markersize=1.5, label="data"
            )
        drawn += axes.plot(*as_array(points).T, "x", color=COLORS["model"], markersize=2.5, label="generated")
        unseen = _unseen(points, reach).replace(" lie", "\nlie")
        axes.set_xlabel(unseen, fontsize=8, color=COLORS["model"])
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        axes.set_title(f"after {short_count(seen)}", fontsize=9)
    return drawn


def _unseen(points: Tensor, reach: float) -> str:
    """Why a plane shows half of its samples or fewer: they are not numbers, or outside; else nothing."""
    points = as_array(points)
    not_numbers = ~np.isfinite(points).all(axis=1)
    outside = ~not_numbers & (np.abs(points) > reach).any(axis=1)
    for unseen, where in ((not_numbers, "are NaN"), (outside, "lie outside this frame")):
        if unseen.mean() >= 0.5:
            how_many = "all" if unseen.all() else f"{unseen.sum()} of"
            return f"{how_many} {len(points)} samples {where}"
    return ""


def _unseen_in_words(snapshots: Sequence[tuple[int, Tensor]], real: Tensor | None) -> str:
    chosen = _chosen(snapshots)
    if not chosen or chosen[0][1].dim() == 4:
        return ""
    reach = _reach(chosen, real)
    said = [(seen, _unseen(points, reach)) for seen, points in chosen]
    return "".join(f" After {short_count(seen)}, {unseen}." for seen, unseen in said if unseen)


def _reach(chosen: Sequence[tuple[int, Tensor]], real: Tensor | None) -> float:
    """How far the planes reach: to the data and a bit, or to the samples where there are no data."""
    points = real if real is not None else torch.cat([samples for _, samples in chosen])
    return 1.25 * points.abs().max().item()
