"""What the widgets share: fast redraws of one figure, and a shell of controls around it.

A widget is a `render` function, which needs no ipywidgets, and an `Explorer` that calls it.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import anywidget
import ipywidgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from course_utils import plots
from course_utils.files import ASSETS


class Rendering(NamedTuple):
    """What a render function returns: the picture, described, and what there is to read beside it."""

    figure: Figure
    numbers: Mapping[str, float]  # label -> value, in the order in which they are shown


class Stage:
    """A figure whose axes stand still while a few artists move; only those are drawn again.

    Drawing axes, labels and legends takes most of matplotlib's time. So they are drawn once, and each later
    frame starts from that picture. The limits of the axes must therefore be fixed.
    """

    def __init__(self, figure: Figure, moving: Mapping[str, Artist], pixels_per_inch: int = 120):
        self.figure, self.moving = figure, dict(moving)
        figure.set_dpi(pixels_per_inch * plots.TEXT_SCALE)
        self.canvas = FigureCanvasAgg(figure)
        self._still = None

    def pixels(self) -> np.ndarray:
        """The figure as it is now, uint8 (height, width, 3)."""
        if self._still is None:
            self._still = self._without_moving()
        renderer = self.canvas.get_renderer()
        renderer.restore_region(self._still)
        for artist in self.moving.values():
            artist.axes.draw_artist(artist)
        return np.asarray(renderer.buffer_rgba())[..., :3]

    def png(self) -> bytes:
        """The figure as it is now, as a PNG file."""
        buffer = io.BytesIO()
        # Twice as large as it could be and five times as fast: it only goes to the browser.
        Image.fromarray(self.pixels()).save(buffer, "png", compress_level=1)
        return buffer.getvalue()

    def _without_moving(self):
        for artist in self.moving.values():
            artist.set_visible(False)
        self.canvas.draw()
        for artist in self.moving.values():
            artist.set_visible(True)
        return self.canvas.copy_from_bbox(self.figure.bbox)


class Accessible(anywidget.AnyWidget):
    """Shows nothing; makes the controls in its box usable by keys and screen readers (see the script)."""

    _esm = ASSETS / "accessible.js"


class Explorer:
    """Controls, and a picture with numbers that follow them. Display it by leaving it on a cell's last line.

    Where no kernel runs (a static page, a preview), the page shows a still picture with the same numbers.

    Args:
        render: called with the controls' values by name, and with `stage`; draws and returns a Rendering.
        stage: the figure that `render` draws on.
        columns: one mapping of name to control for each column of controls.
        title: for people who cannot see the picture: what the group of controls is for.
    """

    def __init__(
        self,
        render: Callable[..., Rendering],
        stage: Stage,
        columns: Sequence[Mapping[str, ipywidgets.Widget]],
        title: str,
    ):
        self._render, self._stage, self._title = render, stage, title
        self.controls = {name: control for column in columns for name, control in column.items()}
        self._start = {name: control.value for name, control in self.controls.items()}
        self.picture = ipywidgets.HTML()
        self.numbers = ipywidgets.HTML()
        self.problem = ipywidgets.HTML()
        self.reset = ipywidgets.Button(description="Start again", tooltip="Put all controls back")
        self.reset.on_click(self._put_back)
        boxes = [ipywidgets.VBox([*column.values()], layout={"margin": "0 2em 0 0"}) for column in columns]
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox(boxes, layout={"flex_flow": "row wrap"}),
                self.reset,
                self.problem,
                self.picture,
                self.numbers,
                Accessible(),
            ]
        )
        for control in self.controls.values():
            control.observe(self._changed, "value")
        self._resetting = False
        self.update()

    def values(self) -> dict:
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def update(self) -> Rendering:
        """Draw for the controls' values. An error is shown above the picture, and raised."""
        try:
            rendering = self._render(**self.values(), stage=self._stage)
            png = self._stage.png()
        except Exception as error:
            message = f"The picture is out of date. {type(error).__name__}: {error}"
            self.problem.value = f'<div role="alert">{html.escape(message)}</div>'
            raise
        self.problem.value = ""
        self.picture.value = _image(rendering.figure, png)
        self.numbers.value = f'<div role="status">{_table(rendering.numbers)}</div>'
        return rendering

    def _changed(self, _change) -> None:
        if not self._resetting:
            self.update()

    def _put_back(self, _button) -> None:
        self._resetting = True  # one redraw for all of them
        try:
            for name, value in self._start.items():
                self.controls[name].value = value
        finally:
            self._resetting = False
        self.update()

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The live widget, and the still picture for pages where no widget can run."""
        rendering = self.update()
        live = self.box._repr_mimebundle_()
        still, metadata = plots.mime_bundle(rendering.figure)
        numbers = ", ".join(f"{label} {_number(value)}" for label, value in rendering.numbers.items())
        hint = "A still picture: run this cell in JupyterLab to move the controls."
        still["text/html"] += f"{_table(rendering.numbers)}<p><em>{hint}</em></p>"
        still["text/plain"] = f"{self._title}. {still['text/plain']} {numbers}"
        return {**live, **still}, metadata


def slider(label: str, value: float, low: float, high: float, step: float = 0.1) -> ipywidgets.FloatSlider:
    """A slider that reports while it is dragged; arrow keys move it by one step."""
    return ipywidgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=step,
        description=label,
        tooltip=label,
        continuous_update=True,
        readout_format=".1f",
        style={"description_width": "8.5em"},
        layout={"width": "27em"},
    )


def _image(figure: Figure, png: bytes) -> str:
    width, height = (round(inches * plots.CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
    source = base64.b64encode(png).decode("ascii")
    return (
        f'<img src="data:image/png;base64,{source}" alt="{html.escape(plots.alt_text(figure))}" '
        f'width="{width}" height="{height}" decoding="sync" style="max-width: 100%; height: auto">'
    )


def _table(numbers: Mapping[str, float]) -> str:
    cells = "".join(
        f'<span style="display: inline-block; margin-right: 2em">{html.escape(label)} '
        f'<strong style="font-variant-numeric: tabular-nums">{_number(value)}</strong></span>'
        for label, value in numbers.items()
    )
    return f"<div>{cells}</div>"


def _number(value: float) -> str:
    return (f"{value:.4f}" if isinstance(value, float) else str(value)).replace("-", "−")
