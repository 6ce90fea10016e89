"""The hole painter: rub out a part of a digit, by mouse or keys, and see two networks fill it in."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from course_utils import plots
from course_utils.data import cut, line_hole
from course_utils.widgets._shell import Accessible, Rendering, Stage, _table
from course_utils.widgets.gan_playground import DrawablePicture, _button, _jpeg

MISSING = (0.90, 0.62, 0.0)  # of the hole in the picture: no grey, so that no pixel looks like it
FIRST_STROKE = ((9.0, 14.0), (19.0, 14.0))  # what is rubbed out at the start

Stroke = Sequence[tuple[float, float]]  # places (x, y) in pixels of the image, from its top left corner


def hole_of(strokes: Sequence[Stroke], image_shape: Sequence[int], width: float) -> Tensor:
    """The pixels that the strokes cover: bool (1, 1, H, W)."""
    hole = torch.zeros(1, 1, *image_shape[1:], dtype=torch.bool)
    for stroke in strokes:
        hole |= line_hole(torch.tensor(stroke, dtype=torch.float32), image_shape, width)
    return hole


@torch.no_grad()
def render(
    regression: nn.Module,
    gan: nn.Module,
    images: Tensor,
    strokes: Sequence[Stroke] = (FIRST_STROKE,),
    digit: int = 0,
    completion: int = 0,
    width: float = 6.0,
    stage: Stage | None = None,
) -> Rendering:
    """A digit with a hole, and the hole filled: by squared error alone, by a GAN, and as it was.

    Args:
        regression: sources of `data.cut` → images.
        gan: the same, with latents.
        images: (N, 1, H, W) in [-1, 1].
        strokes: what is rubbed out, each a line of places.
        digit: which of the images.
        completion: seed of the GAN's latent.
        width: of the strokes, in pixels.
        stage: where to draw; None makes a new figure.

    Returns:
        The figure; and how many pixels are missing, with the mean squared error of both in the hole.
    """
    image = images[digit : digit + 1]
    hole = hole_of(strokes, image.shape[1:], width)
    source = cut(image, hole)
    latents = torch.randn(1, gan.latent_dim, generator=torch.Generator().manual_seed(completion))
    filled = {"regression": regression(source), "gan": gan(source, latents)}

    stage = stage or new_stage(images)
    stage.moving["damaged"].set_data(_with_hole(image, hole))
    for name, picture in {**filled, "true": image}.items():
        stage.moving[name].set_data(_pixels(picture))
    missing = int(hole.sum())
    numbers = {"missing pixels": missing}
    for name, label in (("regression", "error of regression"), ("gan", "error of the GAN")):
        error = (filled[name] - image).square()[hole].mean().item() if missing else 0.0
        numbers[label] = error
    plots.describe(
        stage.figure,
        f"Digit {digit} of the test set in four panels: with a hole of {missing} pixels, orange; filled by "
        f"regression; filled by the GAN, completion {completion}; and as it was. Mean squared error in the "
        f"hole: {numbers['error of regression']:.2f} and {numbers['error of the GAN']:.2f}.",
    )
    return Rendering(stage.figure, numbers)


class HolePainter:
    """Controls around one digit. Display it by leaving it on a cell's last line.

    What is drawn on the left panel is rubbed out, and filled at once.
    """

    def __init__(self, regression: nn.Module, gan: nn.Module, images: Tensor):
        self.regression, self.gan, self.images = regression, gan, images
        self.strokes: list[list[tuple[float, float]]] = [list(FIRST_STROKE)]
        self.open_stroke = False  # whether the last one is still being drawn
        self.controls = _controls(len(images))
        self.another = _button("Another completion", "Draw another latent for the GAN")
        self.clear = _button("Mend the digit", "Forget all holes")
        self.problem, self.numbers = ipywidgets.HTML(), ipywidgets.HTML()
        self._stage = new_stage(images)
        figure_width = round(self._stage.figure.get_figwidth() * plots.CSS_PIXELS_PER_INCH)
        self.picture = DrawablePicture(width=figure_width)
        self.box = ipywidgets.VBox(
            [
                ipywidgets.HBox([*self.controls.values()], layout={"flex_flow": "row wrap"}),
                ipywidgets.HBox([self.another, self.clear], layout={"flex_flow": "row wrap"}),
                self.problem,
                self.picture,
                self.numbers,
                Accessible(),
            ]
        )
        for control in self.controls.values():
            control.observe(self._guarded(lambda _change: self.update()), "value")
        self.another.on_click(self._guarded(lambda _: self._another()))
        self.clear.on_click(self._guarded(lambda _: self._forget()))
        self.picture.on_msg(self._guarded(lambda _widget, content, _buffers: self._rub_out(content)))
        self.update()
        height, width = images.shape[2:]
        (left, top), (right, bottom) = (self._on_the_picture(*corner) for corner in ((0, 0), (width, height)))
        self.picture.area = [left, right, top, bottom]
        self.picture.start = list(self._on_the_picture(width / 2, height / 2))

    def update(self) -> Rendering:
        """Draw the digit as it is now."""
        values = {name: control.value for name, control in self.controls.items()}
        rendering = render(self.regression, self.gan, self.images, self.strokes, **values, stage=self._stage)
        self.problem.value = ""
        with self.picture.hold_sync():
            self.picture.alt = plots.alt_text(rendering.figure)
            self.picture.jpeg = _jpeg(self._stage.pixels())
        self.numbers.value = f'<div role="status">{_table(rendering.numbers)}</div>'
        return rendering

    def _guarded(self, action: Callable) -> Callable:
        """An error is shown above the picture, and raised."""

        def callback(*arguments):
            try:
                action(*arguments)
            except Exception as error:
                message = f"The picture is out of date. {type(error).__name__}: {error}"
                self.problem.value = f'<div role="alert">{html.escape(message)}</div>'
                raise

        return callback

    def _another(self) -> None:
        slider = self.controls["completion"]
        slider.value = (slider.value + 1) % (slider.max + 1)

    def _forget(self) -> None:
        self.strokes, self.open_stroke = [], False
        self.update()

    def _rub_out(self, message: dict) -> None:
        """A part of a stroke, as the page reports it; the next part continues it until it is done."""
        places = [place for place in map(self._on_the_image, message["stroke"]) if place is not None]
        if places and self.open_stroke:
            self.strokes[-1].extend(places)
        elif places:
            self.strokes.append(places)
        self.open_stroke = not message["done"] and (self.open_stroke or bool(places))
        if places:
            self.update()

    def _on_the_image(self, fractions: tuple[float, float]) -> tuple[float, float] | None:
        """Fractions of the picture, from its top left corner, to a place in the image; None outside."""
        across, down = fractions
        pixels = self._stage.figure.transFigure.transform((across, 1 - down))
        x, y = self._stage.moving["damaged"].axes.transData.inverted().transform(pixels) + 0.5
        height, width = self.images.shape[2:]
        return (float(x), float(y)) if 0 <= x <= width and 0 <= y <= height else None

    def _on_the_picture(self, x: float, y: float) -> tuple[float, float]:
        """A place in the image, as fractions of the picture from its top left corner."""
        pixels = self._stage.moving["damaged"].axes.transData.transform((x - 0.5, y - 0.5))
        across, up = self._stage.figure.transFigure.inverted().transform(pixels)
        return float(across), float(1 - up)

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The live widget, and the still picture for pages where no widget can run."""
        rendering = self.update()
        live = self.box._repr_mimebundle_()
        still, metadata = plots.mime_bundle(rendering.figure)
        hint = "A still picture: run this cell in JupyterLab to paint holes of your own."
        still["text/html"] += f"{_table(rendering.numbers)}<p><em>{hint}</em></p>"
        still["text/plain"] = f"Hole painter. {still['text/plain']}"
        return {**live, **still}, metadata


def hole_painter(regression: nn.Module, gan: nn.Module, images: Tensor) -> HolePainter:
    """The widget: rub out a part of a digit and see it filled. Leave it on a cell's last line.

    Args:
        regression, gan, images: as in `render`, on the CPU; `load_translator` has both networks.
    """
    return HolePainter(regression, gan, images)


def new_stage(images: Tensor) -> Stage:
    """The figure: four panels of one image."""
    figure, axes = plots.new_figure(columns=4, width=8.6, height=2.7)
    titles = {
        "damaged": "draw here",
        "regression": "squared error alone",
        "gan": "with a discriminator",
        "true": "as it was",
    }
    moving = {}
    for (name, title), frame in zip(titles.items(), axes, strict=True):
        moving[name] = frame.imshow(_pixels(images[:1]), interpolation="nearest", vmin=0, vmax=1)
        frame.set(xticks=[], yticks=[])
        frame.set_title(title, fontsize=11)
        frame.grid(False)
        frame.spines[:].set_visible(False)
    return Stage(figure, moving, pixels_per_inch=100)


def _pixels(image: Tensor) -> np.ndarray:
    """(1, 1, H, W) in [-1, 1] → (H, W, 3) in [0, 1]."""
    return ((image[0] + 1) / 2).clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).numpy()


def _with_hole(image: Tensor, hole: Tensor) -> np.ndarray:
    pixels = _pixels(image).copy()
    pixels[hole[0, 0].numpy()] = MISSING
    return pixels


def _controls(count: int) -> dict[str, ipywidgets.Widget]:
    shape = {"style": {"description_width": "8em"}, "layout": {"width": "24em"}}
    return {
        "digit": ipywidgets.IntSlider(value=0, min=0, max=count - 1, description="test digit", **shape),
        "completion": ipywidgets.IntSlider(value=0, min=0, max=99, description="GAN's latent", **shape),
        "width": ipywidgets.FloatSlider(
            value=6.0,
            min=2.0,
            max=10.0,
            step=0.5,
            description="width of strokes",
            readout_format=".1f",
            **shape,
        ),
    }
