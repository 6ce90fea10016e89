"""Figures of the course: arrays and histories in, matplotlib figures out.

Every function here returns a figure that carries its alternative text; `show` puts both on the page:

    show(image_grid(images, title="Generated digits"))

Importing this module sets the course's look (matplotlib's rcParams): sizes legible at 100 %, and the palette
of Okabe and Ito (2008, "Color Universal Design"), which people with colour-blindness can tell apart.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

from course_utils.data import check_images

OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
}

# One meaning, one colour, in every figure of the course.
COLORS = {
    "data": OKABE_ITO["blue"],
    "model": OKABE_ITO["vermillion"],
    "discriminator": OKABE_ITO["green"],
    "generator": OKABE_ITO["vermillion"],
    "optimum": OKABE_ITO["black"],
    "value": OKABE_ITO["purple"],
    "highlight": OKABE_ITO["orange"],
    "second": OKABE_ITO["sky blue"],
    "reference": "#767676",  # grey that still reaches 4.5 : 1 on white
}

# For the n-th curve of a figure whose curves have no fixed meaning; dashes tell them apart without colour.
CYCLE = [OKABE_ITO[name] for name in ("blue", "vermillion", "green", "purple", "orange", "sky blue", "black")]
DASHES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]

CSS_PIXELS_PER_INCH = 100  # a figure of 7 inches is 700 pixels wide on the page …
PNG_PIXELS_PER_INCH = 150  # … and is stored finer than that, for sharp text on dense screens

matplotlib.rcParams.update(
    {
        "figure.dpi": CSS_PIXELS_PER_INCH,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.size": 11,  # points: 15 pixels on the page
        "axes.titlesize": 12,
        "axes.labelsize": 11,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "legend.fontsize": 10,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E3E3E3",
        "axes.axisbelow": True,
        "lines.linewidth": 2.0,
        "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    }
)


# --- making, describing and showing a figure ---------------------------------------------------------------


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.5, note: str = "", **subplots
) -> tuple[Figure, Axes]:
    """A figure and its axes, like `pyplot.subplots` but outside pyplot: nothing to close, never shown twice.

    Args:
        rows, columns: panels; one panel gives one Axes, several give an array of them.
        width, height: size of the whole figure in inches; one inch is 100 pixels on the page.
        note: where the data came from (`ImageData.note`), written small under the figure.
        subplots: passed on to `Figure.subplots` (`sharex`, `width_ratios`, …).
    """
    figure = Figure(figsize=(width, height))
    axes = figure.subplots(rows, columns, **subplots)
    if note:
        # supxlabel, because the layout keeps room for it; plain `text` would be drawn over the axes
        figure.supxlabel(note, x=0.01, ha="left", fontsize=9, color=COLORS["reference"])
    return figure, axes


def describe(figure: Figure, alt: str) -> Figure:
    """Store the alternative text: what somebody who cannot see the figure needs to know. Returns it."""
    if not alt.strip():
        raise ValueError("the alternative text is empty; say in a sentence or two what the figure shows")
    figure.set_label(" ".join(alt.split()))
    return figure


def alt_text(figure: Figure) -> str:
    """The alternative text that `describe` stored, "" if there is none."""
    return figure.get_label() or ""


def to_picture(figure: Figure) -> Image.Image:
    """The figure as RGB pixels, `PNG_PIXELS_PER_INCH` fine."""
    shown_on, shown_at = figure.canvas, figure.dpi
    canvas = FigureCanvasAgg(figure)
    try:
        figure.dpi = PNG_PIXELS_PER_INCH
        canvas.draw()  # once: `savefig` draws a figure that has a layout twice, to the same pixels
    finally:
        figure.dpi = shown_at
        figure.set_canvas(shown_on)
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    if any(axes.images for axes in figure.axes):
        return picture
    # curves and text need no more than 256 colours, and take a third less room with them
    return picture.quantize(256, dither=Image.Dither.NONE).convert("RGB")


def to_png(figure: Figure) -> bytes:
    """The figure as a small PNG file: 128 colours, a third of the bytes that all of them take."""
    return _small_png(to_picture(figure))


def _small_png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.quantize(128, dither=Image.Dither.NONE).save(buffer, "png", optimize=True)
    return buffer.getvalue()


def _exact_webp(picture: Image.Image) -> bytes:
    """Every pixel, in half the bytes that a PNG takes."""
    buffer = io.BytesIO()
    picture.save(buffer, "webp", lossless=True, quality=75, method=4)  # how hard it tries, not how well
    return buffer.getvalue()


def mime_bundle(figure: Figure) -> tuple[dict[str, str], dict[str, dict]]:
    """The figure as Jupyter display data and metadata, with its alternative text in all places that are read.

    JupyterLab and nbconvert's default template know no alternative text for an `image/png` output, and both
    prefer `text/html` when it is there. So the picture is given twice: as an HTML image with `alt`, exact,
    and as a plain PNG of fewer colours (with `alt` in its metadata) for readers that show no HTML.
    """
    alt = alt_text(figure)
    if not alt:
        raise ValueError(
            "the figure has no alternative text; call describe(figure, 'what it shows') before show"
        )
    return picture_bundle(to_picture(figure), alt, round(figure.get_figwidth() * CSS_PIXELS_PER_INCH))


def picture_bundle(picture: Image.Image, alt: str, width: int) -> tuple[dict[str, str], dict[str, dict]]:
    """`mime_bundle` of pixels: shown `width` pixels wide on the page."""
    exact = base64.b64encode(_exact_webp(picture)).decode("ascii")
    small = base64.b64encode(_small_png(picture)).decode("ascii")
    page_image = (
        f'<img src="data:image/webp;base64,{exact}" alt="{html.escape(alt)}" width="{width}" '
        'style="max-width: 100%; height: auto; background: white">'
    )
    data = {"image/png": small, "text/html": page_image, "text/plain": f"Figure: {alt}"}
    return data, {"image/png": {"alt": alt, "width": width}}


def show(figure: Figure) -> None:
    """Display the figure with its alternative text, and release it. Outside Jupyter, print the text."""
    Live().show(figure)


class Live:
    """A figure that is redrawn in its place while a cell runs:

    live = Live()
    train_gan(..., on_snapshot=lambda run: live.show(loss_curves(run.history)))
    """

    def __init__(self):
        self._handle = None

    def show(self, figure: Figure) -> None:
        """Display the figure, or replace the one this object displayed before."""
        from IPython import get_ipython
        from IPython.display import display

        data, metadata = mime_bundle(figure)
        if get_ipython() is None:
            print(data["text/plain"])
        elif self._handle is None:
            self._handle = display(data, metadata=metadata, raw=True, display_id=True)
        else:
            self._handle.update(data, metadata=metadata, raw=True)
        _release(figure)


def _release(figure: Figure) -> None:
    """Close a figure that was made with pyplot, which would otherwise keep it and show it a second time."""
    if figure.canvas.manager is not None:
        from matplotlib import pyplot

        pyplot.close(figure)


# --- images ------------------------------------------------------------------------------------------------


def image_grid(
    images: Tensor,
    *,
    columns: int = 8,
    title: str | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    note: str = "",
    alt: str | None = None,
    width: float | None = None,
) -> Figure:
    """Images side by side, row by row.

    Args:
        images: (N, C, H, W) with C = 1 (grey) or 3 (colour), values in [-1, 1].
        columns: images in a row.
        row_labels, column_labels: a word beside each row, above each column.
        note: where the images came from, if that needs saying (`ImageData.note`).
        alt: alternative text; without it, title and counts are told.
        width: of the figure in inches; default: by the number of columns.

    Raises:
        ValueError: the shape or the range of `images` is another.
    """
    images = _checked_images(images)
    count, _, image_height, image_width = images.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    if width is None:
        width = min(7.5, 0.62 * columns + 0.3) if columns > 1 else 2.0
    label_width = 0.1 * max((len(label) for label in row_labels), default=0) if row_labels else 0.0
    cell = (width - label_width) / columns
    header = (0.35 if title else 0.05) + (0.25 if column_labels else 0) + (0.25 if note else 0)
    figure, axes = new_figure(
        width=width, height=rows * cell * image_height / image_width + header, note=note
    )
    axes.imshow(tile(images, columns), interpolation="nearest")
    axes.set_anchor("S")  # the room that is left over goes above, to the title
    _picture_axes(axes)
    step_across, step_down = image_width + GAP, image_height + GAP
    if row_labels:
        axes.set_yticks(
            [GAP + row * step_down + image_height / 2 for row in range(len(row_labels))], row_labels
        )
    if column_labels:
        middles = [GAP + column * step_across + image_width / 2 for column in range(len(column_labels))]
        axes.set_xticks(middles, column_labels)
        axes.xaxis.tick_top()
    axes.tick_params(length=0)
    if title:
        axes.set_title(title)
    alt = alt or f"{title or 'Images'}: {count} images of {image_height}×{image_width} pixels in {rows} rows."
    return describe(figure, f"{alt} {note}")


GAP = 2  # white pixels between the images of a grid


def tile(images: Tensor, columns: int) -> np.ndarray:
    """One array from many images: (N, C, H, W) in [-1, 1] → uint8 (rows·(H+2)+2, columns·(W+2)+2, 3)."""
    count, _, height, width = images.shape
    rows = math.ceil(count / columns)
    page = np.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), 255, dtype=np.uint8)
    pixels = ((images + 1) * 127.5).round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()
    for index in range(count):
        top = GAP + (index // columns) * (height + GAP)
        left = GAP + (index % columns) * (width + GAP)
        page[top : top + height, left : left + width] = pixels[index]
    return page


def sample_evolution(
    snapshots: Sequence[tuple[int, Tensor]],
    *,
    columns: int = 8,
    most: int = 6,
    title: str | None = None,
    note: str = "",
    real: Tensor | None = None,
    alt: str | None = None,
) -> Figure:
    """What the generator makes of the same latents as training goes on.

    Args:
        snapshots: pairs (images seen, samples), in order; samples are images (N, C, H, W) or points (N, 2).
        columns: images to a row (images only).
        most: snapshots drawn: the first, the last, and others spread evenly in between.
        real: points of the data (M, 2), drawn behind the generated ones (points only).
    """
    if not snapshots:
        raise ValueError("snapshots is empty; train with snapshot_every set, or for longer")
    chosen = np.unique(np.linspace(0, len(snapshots) - 1, min(most, len(snapshots))).round().astype(int))
    chosen = [snapshots[index] for index in chosen]
    labels = [_count(seen) for seen, _ in chosen]
    alt = alt or (
        f"{title or 'Samples as training goes on'}: samples from the same latents after "
        f"{', '.join(labels)} training samples."
    )
    if chosen[0][1].dim() == 4:
        rows = [_checked_images(samples)[:columns] for _, samples in chosen]
        return image_grid(
            torch.cat(rows),
            columns=len(rows[0]),
            row_labels=labels,
            title=title,
            note=note,
            alt=alt,
            width=7.0,
        )

    figure, axes = new_figure(
        columns=len(chosen),
        width=7.5,
        height=7.5 / max(len(chosen), 3) + 0.5,
        note=note,
        sharex=True,
        sharey=True,
    )
    for panel, label, (_, points) in zip(np.atleast_1d(axes), labels, chosen, strict=True):
        scatter(panel, points, real)
        panel.set_title(f"after {label}")
    panel.legend(loc="upper right")
    if title:
        figure.suptitle(title)
    return describe(figure, f"{alt} {note}")


def scatter(axes: Axes, generated: Tensor | None = None, real: Tensor | None = None) -> None:
    """Draw points of the plane, (N, 2): data as blue dots, generated ones as vermillion crosses."""
    if real is not None:
        axes.plot(*_array(real).T, ".", color=COLORS["data"], markersize=3, alpha=0.35, label="data")
    if generated is not None:
        axes.plot(
            *_array(generated).T, "x", color=COLORS["model"], markersize=3, alpha=0.6, label="generated"
        )
    axes.set_aspect("equal")
    axes.set_xlabel("$x_1$")
    axes.set_ylabel("$x_2$")
    axes.label_outer()


# --- curves ------------------------------------------------------------------------------------------------


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
    told = []
    for player, dashes in (("discriminator", "-"), ("generator", "--")):
        values = history[f"{player}_loss"]
        told.append(_draw_curve(axes, history["images"], values, f"{player} loss", COLORS[player], dashes))
    if equilibrium is not None:
        for player, value in zip(("discriminator", "generator"), equilibrium, strict=True):
            axes.axhline(value, color=COLORS[player], linewidth=1, linestyle=":")
            below = {"va": "top", "xytext": (-2, -2)} if player == "generator" else {}  # its curve runs above
            label = f"{player} at equilibrium"
            axes.annotate(label, (1, value), xycoords=("axes fraction", "data"), **{**_RIGHT, **below})
    return _finish_curves(figure, axes, title, "loss", told, note, alt)


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
    told = []
    for kind, colour, dashes in (("real", "data", "-"), ("fake", "model", "--")):
        values = history[f"{kind}_accuracy"]
        told.append(
            _draw_curve(axes, history["images"], values, f"on {kind} samples", COLORS[colour], dashes)
        )
    axes.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":", label="guessing")
    axes.set_ylim(-0.03, 1.03)
    return _finish_curves(figure, axes, title, "share judged rightly", told, note, alt)


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
    told = [_draw_curve(axes, history["images"], history[key], label, COLORS["value"], "-", smooth=False)]
    if log:
        axes.set_yscale("log")
    return _finish_curves(figure, axes, title, label, told, note, alt)


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
    """
    figure, axes = new_figure(note=note)
    for (label, values), dashes in zip(curves.items(), DASHES, strict=False):
        axes.plot(_array(x), _array(values), linestyle=dashes, label=label)
    for index, (label, (across, up)) in enumerate((points or {}).items()):
        axes.plot(
            _array(across), _array(up), "os^D"[index % 4], color=CYCLE[index], markersize=6, label=label
        )
    for label, height in (levels or {}).items():
        axes.axhline(height, color=COLORS["reference"], linewidth=1, linestyle=":")
        axes.annotate(label, (1, height), xycoords=("axes fraction", "data"), **_RIGHT)
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
        discriminator: probabilities D(x), (N,), called $D^*$; or several by their labels, {"network": …}.
    """
    curves = discriminator if isinstance(discriminator, Mapping) else {"$D^*(x)$": discriminator}
    figure, (above, below) = new_figure(rows=2, height=4.6, note=note, sharex=True, height_ratios=[3, 2])
    x, p_data, p_model = _array(x), _array(p_data), _array(p_model)
    for density, kind, name, dashes in (
        (p_data, "data", r"$p_\mathrm{data}$", "-"),
        (p_model, "model", "$p_g$", "--"),
    ):
        above.fill_between(x, density, color=COLORS[kind], alpha=0.15, linewidth=0)
        above.plot(x, density, color=COLORS[kind], linestyle=dashes, label=name)
    above.set_ylabel("density")
    above.set_ylim(bottom=0)
    above.legend()

    below.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":")
    colours = [COLORS["discriminator"], COLORS["optimum"], COLORS["highlight"], COLORS["value"]]
    for (label, values), colour, dashes in zip(curves.items(), colours, DASHES, strict=False):
        below.plot(x, _array(values), color=colour, linestyle=dashes, label=label)
    below.set_ylim(-0.05, 1.05)
    below.set_yticks([0, 0.5, 1])
    below.set_ylabel("D(x)")
    below.set_xlabel("x")
    below.legend()
    if title:
        above.set_title(title)
    first = _array(next(iter(curves.values())))
    alt = alt or (
        f"{title or 'Two densities and the discriminator'}. Above: the data's density peaks at "
        f"x = {x[p_data.argmax()]:.2g}, the model's at x = {x[p_model.argmax()]:.2g}. Below: the "
        f"discriminator's probability runs between {first.min():.2f} and {first.max():.2f}."
    )
    return describe(figure, f"{alt} {note}")


# --- games on the plane (notebook 02) ----------------------------------------------------------------------


def dirac_moments(moments: Mapping[str, Tensor], *, alt: str | None = None) -> Figure:
    """The Dirac-GAN at a few moments: the data at 0, the sample at θ, and the discriminator's logit ψ·x.

    Args:
        moments: title → point (θ, ψ), shape (2,).
    """
    figure, axes = new_figure(columns=len(moments), width=7.5, height=2.5, sharey=True)
    x = np.array([-1.6, 1.6])
    told = []
    for panel, (title, point) in zip(axes, moments.items(), strict=True):
        theta, psi = _array(point)
        panel.plot(x, psi * x, color=COLORS["discriminator"], label="logit ψx")
        panel.plot(0, 0, "o", color=COLORS["data"], markersize=10, label="data")
        panel.plot(theta, psi * theta, "X", color=COLORS["model"], markersize=10, label="sample")
        panel.axvline(theta, color=COLORS["model"], linewidth=0.8, linestyle=":")
        panel.set(title=title, xlim=x, ylim=(-1.6, 1.6), xlabel="x", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        told.append(f"{title}: the sample is at {theta:.2f}, the line's slope is {psi:.2f}")
    axes[0].set_ylabel("logit")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return describe(figure, alt or f"The Dirac-GAN at {len(moments)} moments. {'; '.join(told)}.")


def phase_portraits(
    panels: Mapping[str, tuple[Tensor, Tensor, Mapping[str, Tensor]]],
    *,
    columns: int = 2,
    radius: float = 2.0,
    alt: str | None = None,
) -> Figure:
    """The arrows of two-player games, and runs on top of them, one game to a panel.

    Args:
        panels: title → (places, arrows, runs): the first two (N, 2) as `dynamics.field_on_grid` gives them,
            runs a mapping of label → points (steps + 1, 2).
        columns: panels in a row.
        radius: the square from −radius to radius is shown; what leaves it is cut off.
        alt: alternative text; without it, where each run starts and ends is told.
    """
    rows = math.ceil(len(panels) / columns)
    side = 7.5 / max(columns, 2)
    figure, axes = new_figure(
        rows,
        columns,
        width=side * columns,
        height=(side - 0.1) * rows + 0.5,
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    told = []
    for panel, (title, (places, arrows, runs)) in zip(axes.flat, panels.items(), strict=False):
        draw_field(panel, places, arrows)
        for (label, points), colour, dashes in zip(runs.items(), CYCLE, DASHES, strict=False):
            points = _array(points)
            panel.plot(*points.T, color=colour, linestyle=dashes, linewidth=1.5, label=label or None)
            panel.plot(*points[0], "o", color=colour, markerfacecolor="white", markersize=7)
            panel.plot(*points[-1], "o", color=colour, markersize=7)
            first, last = np.hypot(*points[0]), np.hypot(*points[-1])
            told.append(
                f"{title}: the run {label} starts {first:.2g} from the equilibrium, ends {last:.2g} from it"
            )
        panel.set(title=title, xlim=(-radius, radius), ylim=(-radius, radius), aspect="equal")
        panel.set(xlabel="θ (generator)", ylabel="ψ (discriminator)")
        panel.label_outer()
        if any(runs):
            panel.legend(loc="upper left", frameon=True, framealpha=0.85, edgecolor="none", borderpad=0.2)
    for panel in axes.flat[len(panels) :]:
        panel.set_visible(False)
    return describe(figure, alt or f"Arrows of a game on the plane of θ and ψ. {'. '.join(told)}.")


def draw_field(axes: Axes, places: Tensor, arrows: Tensor):
    """Draw arrows (N, 2) at places (N, 2), and a cross at the equilibrium; returns matplotlib's quiver."""
    places, lengths = _array(places), field_arrows(places, arrows)
    axes.plot(0, 0, "+", color=COLORS["optimum"], markersize=10, markeredgewidth=2, zorder=3)
    return axes.quiver(
        *places.T,
        *lengths.T,
        angles="xy",
        scale_units="xy",
        scale=1,
        pivot="mid",
        color="#9A9A9A",
        width=0.004,
    )


def field_arrows(places: Tensor, arrows: Tensor) -> np.ndarray:
    """Arrows scaled to fit between the places of a square grid; a quarter of the speed, half the length."""
    places, arrows = _array(places), _array(arrows)
    spacing = np.ptp(places[:, 0]) / (math.sqrt(len(places)) - 1)
    speed = np.hypot(*arrows.T)[:, None]
    return 0.9 * spacing * arrows / np.sqrt(speed.max() * np.maximum(speed, 1e-12))


def distance_curves(
    runs: Mapping[str, Tensor],
    predicted: Mapping[str, float] | None = None,
    *,
    title: str | None = None,
    log: bool = True,
    alt: str | None = None,
) -> Figure:
    """How far from the equilibrium a run is, step by step.

    Args:
        runs: label → points (steps + 1, 2).
        predicted: label → growth factor per step, drawn as thin black lines from the run's start.
        log: logarithmic distances: a constant factor per step is a straight line.
    """
    figure, axes = new_figure(height=3.6)
    told = []
    for (label, points), colour, dashes in zip(runs.items(), CYCLE, DASHES, strict=False):
        distance = np.hypot(*_array(points).T)
        axes.plot(distance, color=colour, linestyle=dashes, label=label)
        if predicted and label in predicted:
            growth = distance[0] * predicted[label] ** np.arange(len(distance))
            axes.plot(growth, color=COLORS["optimum"], linewidth=0.9)
        told.append(f"{label}: from {distance[0]:.2g} to {distance[-1]:.2g}")
    if log:
        axes.set_yscale("log")
    axes.set(xlabel="steps", ylabel="distance to the equilibrium")
    if title:
        axes.set_title(title)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    alt = alt or f"{title or 'Distance to the equilibrium against steps'}. {'; '.join(told)}."
    return describe(figure, alt)


def unit_circle(eigenvalues: Mapping[str, Sequence[complex]], *, alt: str | None = None) -> Figure:
    """Eigenvalues of one update in the complex plane: inside the circle a run arrives, outside it leaves."""
    figure, axes = new_figure(width=5.5, height=4.2)
    angle = np.linspace(0, 2 * np.pi, 400)
    axes.fill(np.cos(angle), np.sin(angle), color=COLORS["second"], alpha=0.15, linewidth=0)
    axes.plot(np.cos(angle), np.sin(angle), color=COLORS["optimum"], linewidth=1.2)
    told = []
    for (label, values), colour, marker in zip(eigenvalues.items(), CYCLE, "os^Dvp*", strict=False):
        values = np.asarray(values)
        axes.plot(values.real, values.imag, marker, color=colour, markersize=7, label=label)
        told.append(f"{label} has largest modulus {np.abs(values).max():.3f}")
    axes.set(xlabel="real part", ylabel="imaginary part", aspect="equal", xlim=(-0.3, 1.3), ylim=(-0.7, 0.7))
    axes.legend(loc="center left")
    return describe(
        figure, alt or f"Eigenvalues and the unit circle in the complex plane. {'; '.join(told)}."
    )


# --- a GAN on a line or a plane ----------------------------------------------------------------------------

# D(x) from 0 to 1: pale vermillion where D says "generated", white where it cannot tell, pale blue: "real"
JUDGEMENT = LinearSegmentedColormap.from_list("judgement", ["#EFB58C", "#FFFFFF", "#9CC7E4"])
LONGEST_PULL = 0.6  # in units of the plane


def games_on_plane(
    views: Mapping[str, object],
    *,
    columns: int = 3,
    pulls: bool = True,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Games on the plane, side by side: D as a heat map, data, generated points, and where D pulls these.

    Args:
        views: panel title → what `course_utils.plane.look` saw.
        columns: panels in a row.
        pulls: whether to draw the arrows.
    """
    figure, panels = _plane_panels(len(views), columns, colour_bar=True)
    for panel, (label, view) in zip(panels, views.items(), strict=False):
        artists = draw_plane(panel, pulls=pulls)
        update_plane(artists, view)
        panel.set_title(label)
    figure.legend(*panel.get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=2)
    bar = figure.colorbar(artists["heat"], ax=list(panels), shrink=0.7, ticks=[0, 0.5, 1], pad=0.02)
    bar.set_label("D(x)")
    if title:
        figure.suptitle(title)
    told = "; ".join(f"{label}: {_tell_view(view)}" for label, view in views.items())
    return describe(figure, alt or f"{title or 'Games on the plane'}, one panel for each moment. {told}.")


def folded_latents(
    views: Mapping[str, object], *, columns: int = 3, title: str | None = None, alt: str | None = None
) -> Figure:
    """The generator as a map: where it puts a square lattice of latents, over points of the data.

    Args:
        views: panel title → what `course_utils.plane.look` saw.
        columns: panels in a row.
    """
    figure, panels = _plane_panels(len(views), columns)
    for panel, (label, view) in zip(panels, views.items(), strict=False):
        artists = draw_folded(panel)
        update_folded(artists, view)
        panel.set_title(label)
    if title:
        figure.suptitle(title)
    widths = "; ".join(f"{label}: the lattice spans {_span(view.folded)}" for label, view in views.items())
    return describe(figure, alt or f"{title or 'The folded lattice of latents'}. {widths}.")


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


def draw_plane(axes: Axes, radius: float = 3.0, pulls: bool = True) -> dict:
    """The empty stage of a game on the plane; returns its artists by name, for `update_plane`."""
    artists = {
        "heat": axes.imshow(
            np.full((2, 2), 0.5),
            extent=(-radius, radius, -radius, radius),
            origin="lower",
            cmap=JUDGEMENT,
            vmin=0,
            vmax=1,
            interpolation="bilinear",
        )
    }
    (artists["real"],) = axes.plot([], [], ".", color=COLORS["data"], markersize=3, label="data")
    (artists["generated"],) = axes.plot([], [], "x", color=COLORS["model"], markersize=4, label="generated")
    if pulls:
        artists["pulls"] = LineCollection([], colors="black", linewidths=0.7, alpha=0.8)
        axes.add_collection(artists["pulls"], autolim=False)
    _plane_axes(axes, radius)
    return artists


def update_plane(artists: Mapping, view) -> None:
    """Put what `course_utils.plane.look` saw into the artists of `draw_plane`."""
    artists["heat"].set_data(_array(view.heat))
    artists["real"].set_data(*_array(view.real).T)
    artists["generated"].set_data(*_array(view.generated).T)
    if "pulls" in artists:
        starts, pulls = _array(view.generated), _array(view.pulls)
        strength = np.hypot(*pulls.T)[:, None]
        ends = starts + pulls * LONGEST_PULL / (
            1 + strength
        )  # true direction; length never above LONGEST_PULL
        artists["pulls"].set_segments(_arrows(starts, ends))


def _arrows(starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Arrows as lines (N, 5, 2): the shaft, then one half of the head, back to the tip, the other half."""
    back = 0.35 * (starts - ends)
    aside = 0.6 * np.stack([-back[:, 1], back[:, 0]], axis=1)
    return np.stack([starts, ends, ends + back + aside, ends, ends + back - aside], axis=1)


def draw_folded(axes: Axes, radius: float = 3.0) -> dict:
    """The empty stage for a folded lattice; returns its artists by name, for `update_folded`."""
    artists = {}
    (artists["data"],) = axes.plot([], [], ".", color=COLORS["data"], markersize=3)
    artists["lattice"] = LineCollection([], colors=COLORS["model"], linewidths=0.6, alpha=0.8)
    axes.add_collection(artists["lattice"], autolim=False)
    _plane_axes(axes, radius)
    return artists


def update_folded(artists: Mapping, view) -> None:
    """Put what `course_utils.plane.look` saw into the artists of `draw_folded`."""
    artists["data"].set_data(*_array(view.real).T)
    artists["lattice"].set_segments(_array(view.folded))


def _plane_axes(axes: Axes, radius: float) -> None:
    axes.grid(False)
    ticks = [-2, 0, 2]
    axes.set(xlim=(-radius, radius), ylim=(-radius, radius), xticks=ticks, yticks=ticks, aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$")
    axes.label_outer()


def _tell_view(view) -> str:
    real, generated, heat = _array(view.real), _array(view.generated), _array(view.heat)
    spread = np.hypot(*generated.std(axis=0)) / np.hypot(*real.std(axis=0))
    centre = generated.mean(axis=0)
    return (
        f"generated points around ({centre[0]:.1f}, {centre[1]:.1f}), {spread:.0%} as widely spread as the "
        f"data, D on the plane from {heat.min():.2f} to {heat.max():.2f}"
    )


def _span(folded: Tensor) -> str:
    low, high = _array(folded).min(axis=(0, 1)), _array(folded).max(axis=(0, 1))
    return f"{low[0]:.1f} to {high[0]:.1f} across and {low[1]:.1f} to {high[1]:.1f} up"


def games_on_line(views: Mapping[str, object], *, title: str | None = None, alt: str | None = None) -> Figure:
    """A game on the line at several moments: the densities, D and D*, and where G puts evenly spread latents.

    After figure 1 of Goodfellow et al. 2014, arXiv:1406.2661.

    Args:
        views: panel title → what `course_utils.plane.look_on_line` saw.
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
    told = []
    for column, (label, view) in enumerate(views.items()):
        above, middle, below = axes[:, column]
        x, p_data, p_model = _array(view.x), _array(view.p_data), _array(view.p_model)
        for density, kind, name, dashes in (
            (p_data, "data", r"$p_\mathrm{data}$", "-"),
            (p_model, "model", "$p_g$", "--"),
        ):
            above.fill_between(x, density, color=COLORS[kind], alpha=0.15, linewidth=0)
            above.plot(x, density, color=COLORS[kind], linestyle=dashes, label=name)
        above.set(title=label, ylim=(0, 2.2 * p_data.max()))
        with np.errstate(invalid="ignore"):
            optimum = np.where(p_data + p_model > 1e-6, p_data / (p_data + p_model), np.nan)
        middle.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":")
        middle.plot(x, _array(view.discriminator), color=COLORS["discriminator"], label="D")
        middle.plot(
            x, optimum, color=COLORS["optimum"], linestyle=":", linewidth=1.5, label="$D^*$ for this $p_g$"
        )
        middle.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1])
        latents, generated = _array(view.latents), _array(view.generated)
        below.plot(
            np.stack([latents, generated]),
            [[0], [1]] * np.ones(len(latents)),
            color=COLORS["generator"],
            lw=0.6,
        )
        below.set(ylim=(0, 1), yticks=[0, 1], yticklabels=["z", "G(z)"], xlim=(x[0], x[-1]), xlabel="x and z")
        below.grid(False)
        judged = _array(view.discriminator)
        told.append(
            f"{label}: generated samples from {generated.min():.1f} to {generated.max():.1f}, D from "
            f"{judged.min():.2f} to {judged.max():.2f}, {np.nanmean(np.abs(optimum - judged)):.2f} away from "
            "D* on average"
        )
    axes[0, 0].set_ylabel("density")
    axes[1, 0].set_ylabel("D(x)")
    entries = [panel.get_legend_handles_labels() for panel in (axes[0, 0], axes[1, 0])]
    handles, labels = ([*first, *second] for first, second in zip(*entries, strict=True))
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    if title:
        figure.suptitle(title)
    return describe(figure, alt or f"{title or 'A game on the line'}. {'; '.join(told)}.")


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
    squares = {label: _array(values)[:-1].reshape(cells, cells) for label, values in maps.items()}
    top = next(iter(squares.values())).max()
    for panel, (label, square) in zip(panels[0], squares.items(), strict=True):
        picture = panel.imshow(square.T, origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=top)
        _plane_axes(panel, extent[1])
        panel.set_title(label)
    figure.colorbar(picture, ax=list(panels[0]), shrink=0.8, pad=0.02, extend="max").set_label("share")
    if title:
        figure.suptitle(title)
    told = "; ".join(f"{label}: {(square > 0).sum()} cells above 0" for label, square in squares.items())
    return describe(figure, alt or f"{title or 'Probabilities of the cells'}. {told}.")


def measured_rounds(
    history: Mapping[str, Sequence[float]],
    modes: int,
    *,
    floor: Mapping[str, float] | None = None,
    title: str | None = None,
    alt: str | None = None,
) -> Figure:
    """How a game on the plane went: JS and KL on the cells, and the shares of covered modes and good samples.

    Args:
        history: `course_utils.plane.Played.history`.
        modes: how many the data have.
        floor: "js" and "kl" that real samples reach, drawn as a thin line.
    """
    figure, panels = new_figure(columns=3, width=8.5, height=3.1, sharex=True)
    rounds, told = _array(history["rounds"]), []
    for panel, key, label in (
        (panels[0], "js", r"JS$(p_\mathrm{data}, p_g)$"),
        (panels[1], "kl", r"KL$(p_g \Vert p_\mathrm{data})$"),
    ):
        values = _array(history[key])
        panel.plot(rounds, values, color=COLORS["value"])
        panel.set(title=label, ylabel="nats", xlabel="rounds")
        if floor:
            panel.axhline(floor[key], color=COLORS["reference"], linewidth=1.2, linestyle="--")
            place = {"xycoords": ("axes fraction", "data"), **_RIGHT}
            panel.annotate("real samples", (1, floor[key]), **place)
        told.append(f"{key.upper()} from {values[0]:.3g} to {values[-1]:.3g}")
    panels[0].set_ylim(0, 0.72)
    panels[1].set_yscale("log")
    for key, whole, label, dashes in (
        ("covered", modes, "modes covered", "-"),
        ("good_share", 1, "good samples", "--"),
    ):
        values = _array(history[key]) / whole
        colour = COLORS["data"] if key == "covered" else COLORS["model"]
        panels[2].plot(rounds, values, color=colour, linestyle=dashes, label=label)
        told.append(f"{label} from {values[0]:.0%} to {values[-1]:.0%}")
    panels[2].set(ylim=(-0.03, 1.05), title="shares", xlabel="rounds", yticks=[0, 0.5, 1])
    figure.legend(loc="outside lower right", ncols=2)  # below: the curves may run anywhere
    if title:
        figure.suptitle(title)
    return describe(
        figure,
        alt or f"{title or 'A game, measured'}, up to round {rounds[-1]:.0f}: {', '.join(told)}.",
    )


# --- what the functions above share ------------------------------------------------------------------------

_RIGHT = {
    "ha": "right",
    "va": "bottom",
    "fontsize": 9,
    "color": COLORS["reference"],
    "xytext": (-2, 2),
    "textcoords": "offset points",
}


def _draw_curve(axes, x, y, label, colour, dashes, smooth=True) -> str:
    """Draw y against x — pale as measured, strong as its running mean — and tell in words where it went."""
    x, y = _array(x), _array(y)
    if smooth and len(y) >= 50:
        axes.plot(x, y, color=colour, linewidth=0.8, alpha=0.3)
        width = len(y) // 25
        smoothed = np.convolve(y, np.ones(width) / width, mode="valid")
        start = (width - 1) // 2
        axes.plot(x[start : start + len(smoothed)], smoothed, color=colour, linestyle=dashes, label=label)
        y = smoothed
    else:
        axes.plot(x, y, color=colour, linestyle=dashes, label=label, marker="o" if len(y) < 12 else None)
    return f"{label} goes from {y[0]:.3g} to {y[-1]:.3g}" if len(y) else f"{label}: nothing yet"


def _finish_curves(figure, axes, title, y_label, told, note, alt) -> Figure:
    axes.set_xlabel("training samples seen")
    axes.set_ylabel(y_label)
    axes.xaxis.set_major_formatter(lambda value, _: _count(value))
    if len(told) > 1:
        axes.legend()
    if title:
        axes.set_title(title)
    alt = (
        alt or f"Line plot{': ' + title if title else ''}. {'; '.join(told)}, against training samples seen."
    )
    return describe(figure, f"{alt} {note}")


def _picture_axes(axes: Axes) -> None:
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])


def _count(number: float) -> str:
    """1234 → "1.2k", 50000 → "50k", 2000000 → "2M"."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def _array(values) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values, dtype=float)


def _checked_images(images: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) float32 on the CPU, or an error that says what is wrong."""
    check_images(images)
    if images.shape[1] not in (1, 3):
        raise ValueError(f"pictures have 1 or 3 channels, got {images.shape[1]}; choose which ones to show")
    return images.detach().float().cpu()
