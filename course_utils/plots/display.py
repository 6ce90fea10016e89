"""Making a figure, describing it in words, and showing it on the page."""

from __future__ import annotations

import base64
import html
import io
import struct
import zlib

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots.style import COLORS, CSS_PIXELS_PER_INCH, PNG_PIXELS_PER_INCH, TEXT_SCALE


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = 7.0, height: float = 3.5, note: str = "", **subplots
) -> tuple[Figure, Axes]:
    """A figure and its axes, like `pyplot.subplots` but outside pyplot: nothing to close, never shown twice.

    Args:
        rows, columns: panels; one panel gives one Axes, several give an array of them.
        width, height: size of the whole figure in inches, of 100 pixels each on the page. (With larger text,
            see `style.text_scale`, the figure has fewer inches and as many pixels.)
        note: where the data came from (`ImageData.note`), written small under the figure.
        subplots: passed on to `Figure.subplots` (`sharex`, `width_ratios`, …).
    """
    figure = Figure(figsize=(width / TEXT_SCALE, height / TEXT_SCALE))
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
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    # Edges and gradients have all shades. Multiples of 5 take a third less room for lines and text, multiples
    # of 3 a quarter less for what is shaded: at most 1 of 255 off, which nobody sees.
    step = 3 if _is_shaded(figure) else 5
    return Image.fromarray(((pixels.astype(np.uint16) + step // 2) // step * step).astype(np.uint8))


def _is_shaded(figure: Figure) -> bool:
    """Whether a figure holds images, heat maps or anything else whose colours are values."""
    drawn = [one for axes in figure.axes for one in (*axes.images, *axes.collections)]
    return any(one.get_array() is not None for one in drawn)


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file of all its colours: with a palette, heat maps would get bands."""
    return _png(to_picture(figure))


def _png(picture: Image.Image) -> bytes:
    """A PNG whose rows are stored as they are: Pillow's choice of filters takes a third more for lines."""
    rows = np.asarray(picture)
    height, width, _ = rows.shape
    unfiltered = np.zeros((height, 1), np.uint8)  # the filter's number, before each row
    content = np.concatenate([unfiltered, rows.reshape(height, -1)], axis=1).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits for each of red, green and blue
    chunks = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(content)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _exact_webp(picture: Image.Image) -> bytes:
    """Every pixel, in half the bytes that a PNG takes."""
    buffer = io.BytesIO()
    picture.save(buffer, "webp", lossless=True, quality=75, method=4)  # how hard it tries, not how well
    return buffer.getvalue()


def mime_bundle(figure: Figure) -> tuple[dict[str, str], dict[str, dict]]:
    """The figure as Jupyter display data and metadata, with its alternative text in all places that are read.

    JupyterLab and nbconvert's default template know no alternative text for an `image/png` output, and both
    prefer `text/html` when it is there. So the picture is given twice: as an HTML image with `alt`, in a
    format that takes half the bytes, and as a PNG (with `alt` in its metadata) for readers that show no HTML.
    """
    alt = alt_text(figure)
    if not alt:
        raise ValueError(
            "the figure has no alternative text; call describe(figure, 'what it shows') before show"
        )
    return picture_bundle(to_picture(figure), alt, round(figure.get_figwidth() * CSS_PIXELS_PER_INCH))


def picture_bundle(picture: Image.Image, alt: str, width: int) -> tuple[dict[str, str], dict[str, dict]]:
    """`mime_bundle` of pixels: shown `width` pixels wide on the page."""
    small = base64.b64encode(_exact_webp(picture)).decode("ascii")
    plain = base64.b64encode(_png(picture)).decode("ascii")
    page_image = (
        f'<img src="data:image/webp;base64,{small}" alt="{html.escape(alt)}" width="{width}" '
        'style="max-width: 100%; height: auto; background: white">'
    )
    data = {"image/png": plain, "text/html": page_image, "text/plain": f"Figure: {alt}"}
    return data, {"image/png": {"alt": alt, "width": width}}


def show(figure: Figure) -> None:
    """Display the figure with its alternative text, and release it. Outside Jupyter, print the text."""
    Live().show(figure)


class Live:
    """A figure that is redrawn in its place while a cell runs:

    live = Live()
    train(..., on_snapshot=lambda run: live.show(loss_curves(run.history)))
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
