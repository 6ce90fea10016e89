"""Images side by side, and samples as training continues."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_utils.data import check_images
from course_utils.plots.display import describe, new_figure
from course_utils.plots.style import COLORS, as_array, short_count


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
        alt: alternative text; by default, title and counts.
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
        figure.get_layout_engine().set(w_pad=FROM_THE_EDGE)
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


def beside_nearest(
    generated: Tensor,
    nearest: Tensor,
    *,
    column_labels: Sequence[str],
    title: str | None = None,
    note: str = "",
    alt: str | None = None,
) -> Figure:
    """Rows of generated images, each above the training images nearest to them: are they copies?

    Args:
        generated: (rows · columns, C, H, W) in [-1, 1], row by row; a column for each class, say.
        nearest: the training image that is nearest to each, of the same shape.
        column_labels: a word above each column; their number is that of the columns.

    Raises:
        ValueError: not one nearest image for each generated one, or rows that are not full.
    """
    columns = len(column_labels)
    if generated.shape != nearest.shape or len(generated) % columns:
        raise ValueError(
            f"needs full rows of {columns} images and as many nearest ones, got {tuple(generated.shape)} and "
            f"{tuple(nearest.shape)}; pass the training image nearest to each generated one"
        )
    pairs = torch.stack(
        [_checked_images(side).unflatten(0, (-1, columns)) for side in (generated, nearest)], 1
    )
    rows = len(generated) // columns
    return image_grid(
        pairs.flatten(0, 2),
        columns=columns,
        row_labels=["generated", "nearest"] * rows,
        column_labels=column_labels,
        title=title,
        note=note,
        alt=alt
        or f"{title or 'Generated images'}: {rows} rows of {columns} generated images, and below each the "
        f"training image nearest to it; columns: {', '.join(column_labels)}.",
        width=7.5,
    )


FROM_THE_EDGE = 0.16  # inches between the words beside the rows and the figure's edge
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
    """What the generator makes of the same latents as training continues.

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
    labels = [short_count(seen) for seen, _ in chosen]
    alt = alt or (
        f"{title or 'Samples as training continues'}: samples from the same latents after "
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
        axes.plot(*as_array(real).T, ".", color=COLORS["data"], markersize=2, label="data")
    if generated is not None:
        axes.plot(*as_array(generated).T, "x", color=COLORS["model"], markersize=2.5, label="generated")
    axes.set_aspect("equal")
    axes.set_xlabel("$x_1$")
    axes.set_ylabel("$x_2$")
    axes.label_outer()


def _picture_axes(axes: Axes) -> None:
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])


def _checked_images(images: Tensor) -> Tensor:
    """(N, 1 or 3, H, W) float32 on the CPU, or an error that says what is wrong."""
    check_images(images)
    if images.shape[1] not in (1, 3):
        raise ValueError(f"pictures have 1 or 3 channels, got {images.shape[1]}; choose which ones to show")
    return images.detach().float().cpu()
