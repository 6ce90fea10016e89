"""The playground: a GAN on the plane to run, pause and step, on data that you choose or draw."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import anywidget
import ipywidgets
import numpy as np
import torch
import traitlets
from PIL import Image
from torch import Tensor

from course_utils import plots
from course_utils.data.toy import Density, gaussian_mixture, grid, ring, spiral, two_moons
from course_utils.files import ASSETS
from course_utils.losses import LOSSES, get_loss
from course_utils.metrics.cells import RADIUS, data_cells, measure
from course_utils.models import sample
from course_utils.training import GAN, toy_gan
from course_utils.training.machine import Machine
from course_utils.training.threads import on_threads
from course_utils.widgets._shell import Accessible, Rendering, Stage, _number, _table

DATA = {"ring of eight": ring, "5 × 5 grid": grid, "two moons": two_moons, "spiral": spiral}
DRAWN = "your drawing"
PEN = 0.08  # standard deviation of the data around a drawn point
MOST_POINTS = 600  # of a drawing; the oldest are forgotten
MEASURED_ON = 4_000  # samples in each frame's histogram
INTERVAL = 20  # milliseconds: how often the browser asks whether it may have the next frame


@dataclass
class Game:
    """A GAN on data of the plane that is played by hand, and how often each player has moved."""

    density: Density
    gan: GAN
    machine: Machine
    discriminator_steps: int = 0
    generator_steps: int = 0

    def move_discriminator(self) -> None:
        self.gan.move_discriminator(*self._show(), self.machine)
        self.discriminator_steps += 1

    def move_generator(self) -> None:
        self.gan.move_generator(*self._show(), self.machine)
        self.generator_steps += 1

    def _show(self):
        return self.gan.show(self.machine.draw(self.density.sample), self.machine)


def new_game(density: Density, *, packing: int = 1, seed: int = 0) -> Game:
    """Untrained networks and everything they need; same seed, same game."""
    machine = Machine("cpu", threads=1, batch_size=256, seed=seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gan = toy_gan(density.dim, packing=packing)
    gan.prepare(machine)
    return Game(density, gan, machine)


def render(game: Game, p_data: Tensor, pulls: bool = True, stage: Stage | None = None) -> Rendering:
    """A game on the plane as a picture (left D, samples, arrows; right the latent grid) and as numbers.

    Args:
        game: of dimension 2.
        p_data: the data's cell probabilities, from `data_cells(game.density)`.
        pulls: whether to draw the arrows along which D pulls the samples.
        stage: where to draw; None makes a new figure.

    Returns:
        The figure, and the numbers by their labels.

    Raises:
        FloatingPointError: the networks hold NaN or infinity.
    """
    gan = game.gan
    view = plots.view_plane(gan.generator, gan.discriminator, game.density, loss=gan.objective)
    if not (view.heat.isfinite().all() and view.latent_grid.isfinite().all()):
        raise FloatingPointError(
            "the networks' weights are no longer finite; lower the learning rates and start again."
        )
    found = measure(sample(gan.generator, MEASURED_ON), game.density, p_data)
    numbers = {"D steps": game.discriminator_steps, "G steps": game.generator_steps, "JS on cells": found.js}
    if game.density.modes is not None:
        numbers["modes covered"] = f"{found.covered} of {len(game.density.modes)}"
        numbers["good samples"] = f"{found.good_fraction:.0%}"

    stage = stage or _new_stage()
    plots.update_plane(stage.moving, view)
    plots.update_latent_grid(stage.moving, view)
    if not pulls:
        stage.moving["pulls"].set_segments([])
    alt_parts = ", ".join(f"{label} {_number(value)}" for label, value in numbers.items())
    plots.describe(
        stage.figure,
        f"A GAN on the plane, data: {game.density.name}. Left, D as a heat map, data and generated points; "
        f"right, where the generator puts a lattice of latents. {alt_parts}.",
    )
    return Rendering(stage.figure, numbers)


class DrawablePicture(anywidget.AnyWidget):
    """A picture on the page; what is drawn on it comes back as messages (see the script)."""

    _esm = ASSETS / "drawable_picture.js"
    jpeg = traitlets.Bytes().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    width = traitlets.Int().tag(sync=True)
    area = traitlets.List([0.0, 1.0, 0.0, 1.0]).tag(sync=True)  # left, right, top, bottom, as fractions
    start = traitlets.List([0.5, 0.5]).tag(sync=True)  # of the pen that the keys move


class Playground:
    """Controls around one game. Display it by leaving it on a cell's last line.

    The browser sets the pace: it asks for the next frame when it has received the last one, so that slow
    machines show fewer frames and never fall behind, and a closed page stops the game.
    """

    def __init__(self, seed: int = 0):
        self.seed = seed
        self.drawn: list[tuple[float, float]] = []
        self.controls = _controls()
        self.play = ipywidgets.Play(max=10**9, interval=INTERVAL, show_repeat=False)
        self.discriminator_button = _button("One D step", "Let the discriminator take one step")
        self.generator_button = _button("One G step", "Let the generator take one step")
        self.reset = _button("Start again", "New networks, from the same initialisation")
        self.clear = _button("Clear drawing", "Forget what you have drawn")
        self.problem = ipywidgets.HTML()
        self.numbers = ipywidgets.HTML()
        self._stage = _new_stage()
        width = round(self._stage.figure.get_figwidth() * plots.CSS_PIXELS_PER_INCH)
        self.picture = DrawablePicture(width=width)
        self.box = self._lay_out()

        self.play.observe(self._guarded(lambda _change: self._rounds()), "value")
        self.discriminator_button.on_click(self._guarded(lambda _: self._step(Game.move_discriminator)))
        self.generator_button.on_click(self._guarded(lambda _: self._step(Game.move_generator)))
        self.reset.on_click(self._guarded(lambda _: self._start()))
        self.clear.on_click(self._guarded(lambda _: self._forget_drawing()))
        self.picture.on_msg(self._guarded(lambda _widget, content, _buffers: self._draw(content)))
        changes = {
            "data": self._choose_data,
            "packing": self._start,
            "loss": self._apply_settings,
            "generator_lr": self._apply_settings,
            "discriminator_lr": self._apply_settings,
            "pulls": self.update,
        }
        for name, action in changes.items():
            self.controls[name].observe(self._guarded(lambda _change, action=action: action()), "value")
        with on_threads(1):
            self._start()
        (left, top), (right, bottom) = (self._on_the_picture(k, -k) for k in (-RADIUS, RADIUS))
        self.picture.area = [left, right, top, bottom]
        self.picture.start = list(self._on_the_picture(0, 0))

    def update(self) -> Rendering:
        """Draw the game as it is."""
        rendering = render(self.game, self.p_data, self.controls["pulls"].value, self._stage)
        self.problem.value = ""
        with self.picture.hold_sync():
            self.picture.alt = plots.alt_text(rendering.figure)
            self.picture.jpeg = _jpeg(self._stage.pixels())
        self.numbers.value = _table(rendering.numbers)
        return rendering

    def _guarded(self, action: Callable) -> Callable:
        """An error stops the run, is shown above the picture, and is raised.

        ipywidgets raises what a slider's or a menu's callback raises, and only logs what a button's does.
        """

        def callback(*arguments):
            try:
                with on_threads(1):
                    action(*arguments)
            except Exception as error:
                self.play.playing = False
                message = f"The game has stopped. {type(error).__name__}: {error}"
                self.problem.value = f'<div role="alert">{html.escape(message)}</div>'
                raise

        return callback

    def _start(self) -> None:
        density = self._density()
        self.game = new_game(density, packing=self.controls["packing"].value, seed=self.seed)
        self.p_data = _cells(density)
        self._apply_settings()
        self.update()

    def _apply_settings(self) -> None:
        self.game.gan.objective = get_loss(self.controls["loss"].value)
        for name, optimizer in self.game.gan.optimizers.items():
            optimizer.param_groups[0]["lr"] = self.controls[f"{name}_lr"].value

    def _rounds(self) -> None:
        for _ in range(self.controls["rounds"].value):
            for _ in range(self.controls["discriminator_steps"].value):
                self.game.move_discriminator()
            for _ in range(self.controls["generator_steps"].value):
                self.game.move_generator()
        self.update()

    def _step(self, move: Callable[[Game], None]) -> None:
        move(self.game)
        self.update()

    # the data: chosen, or drawn

    def _density(self) -> Density:
        name = self.controls["data"].value
        if name != DRAWN:
            return DATA[name]()
        points = self.drawn or [(0.0, 0.0)]
        # without log_prob the cells are counted: faster than integrating over hundreds of hills
        return gaussian_mixture(torch.tensor(points), PEN)._replace(name=DRAWN, modes=None, log_prob=None)

    def _choose_data(self) -> None:
        self.game.density = self._density()
        self.p_data = _cells(self.game.density)
        self.update()

    def _draw(self, message: dict) -> None:
        new = [point for point in map(self._on_the_plane, message["stroke"]) if point is not None]
        self.drawn = (self.drawn + new)[-MOST_POINTS:]
        if not self.drawn:
            return
        if self.controls["data"].value != DRAWN:
            self.controls["data"].value = DRAWN  # continues in _choose_data
        elif message["done"]:
            self._choose_data()
        else:  # the cells can wait until the stroke is done
            self.game.density = self._density()
            self.update()

    def _on_the_plane(self, fractions: tuple[float, float]) -> tuple[float, float] | None:
        """Fractions of the picture, from its top left corner, to a point of the left panel; None outside."""
        across, down = fractions
        pixels = self._stage.figure.transFigure.transform((across, 1 - down))
        x, y = self._stage.moving["heat"].axes.transData.inverted().transform(pixels)
        return (float(x), float(y)) if max(abs(x), abs(y)) <= RADIUS else None

    def _on_the_picture(self, x: float, y: float) -> tuple[float, float]:
        """A point of the left panel, as fractions of the picture from its top left corner."""
        pixels = self._stage.moving["heat"].axes.transData.transform((x, y))
        across, up = self._stage.figure.transFigure.inverted().transform(pixels)
        return float(across), float(1 - up)

    def _forget_drawing(self) -> None:
        self.drawn = []
        if self.controls["data"].value == DRAWN:
            self._choose_data()

    def _lay_out(self) -> ipywidgets.VBox:
        names = [*self.controls]
        columns = [ipywidgets.VBox([self.controls[name] for name in part]) for part in (names[:5], names[5:])]
        buttons = [self.play, self.discriminator_button, self.generator_button, self.reset, self.clear]
        row = {"flex_flow": "row wrap"}
        return ipywidgets.VBox(
            [
                ipywidgets.HBox(columns, layout=row),
                ipywidgets.HBox(buttons, layout=row),
                self.problem,
                self.picture,
                self.numbers,
                Accessible(),
            ]
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The live widget, and the still picture for pages where no widget can run."""
        with on_threads(1):
            rendering = self.update()
        live = self.box._repr_mimebundle_()
        still, metadata = plots.mime_bundle(rendering.figure)
        hint = "A still picture: run this cell in JupyterLab to play."
        still["text/html"] += f"{_table(rendering.numbers)}<p><em>{hint}</em></p>"
        still["text/plain"] = f"Playground for a GAN on the plane. {still['text/plain']}"
        return {**live, **still}, metadata


def gan_playground(seed: int = 0) -> Playground:
    """The widget: choose or draw the data, then run, pause, step. Leave it on a cell's last line."""
    return Playground(seed)


@lru_cache(maxsize=8)
def _named_cells(name: str) -> Tensor:
    return data_cells(DATA[name]())


def _cells(density: Density) -> Tensor:
    known = {made().name: name for name, made in DATA.items()}
    return _named_cells(known[density.name]) if density.name in known else data_cells(density)


def _jpeg(pixels: np.ndarray) -> bytes:
    """A frame to send: with colour gradients, faster to make than a PNG, and smaller."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "jpeg", quality=92, subsampling=0)
    return buffer.getvalue()


def _controls() -> dict[str, ipywidgets.Widget]:
    """By name; the first five make the left column, the others the right one."""
    shape = {"style": {"description_width": "9em"}, "layout": {"width": "26em"}}
    log = {"base": 10, "min": -5, "max": -1.5, "step": 0.1, "readout_format": ".1e", **shape}
    return {
        "data": ipywidgets.Dropdown(options=[*DATA, DRAWN], description="data", **shape),
        "loss": ipywidgets.Dropdown(options=[*LOSSES], value="non_saturating", description="loss", **shape),
        "packing": ipywidgets.Dropdown(
            options=[("one sample at a time", 1), ("two samples at once", 2)], description="D sees", **shape
        ),
        "rounds": ipywidgets.IntSlider(value=4, min=1, max=25, description="rounds per frame", **shape),
        "pulls": ipywidgets.Checkbox(value=True, description="arrows: where D pulls", **shape),
        "discriminator_lr": ipywidgets.FloatLogSlider(value=2e-3, description="D learning rate", **log),
        "generator_lr": ipywidgets.FloatLogSlider(value=2e-3, description="G learning rate", **log),
        "discriminator_steps": ipywidgets.IntSlider(
            value=1, min=0, max=10, description="D steps per round", **shape
        ),
        "generator_steps": ipywidgets.IntSlider(
            value=1, min=0, max=20, description="G steps per round", **shape
        ),
    }


def _button(label: str, tooltip: str) -> ipywidgets.Button:
    return ipywidgets.Button(description=label, tooltip=tooltip)


def _new_stage() -> Stage:
    figure, (plane, latent_grid) = plots.new_figure(columns=2, width=7.6, height=4.6, sharey=True)
    moving = {**plots.draw_plane(plane), **plots.draw_latent_grid(latent_grid)}
    plane.set_title("D: blue for real, orange for generated", fontsize=11)
    latent_grid.set_title("G: the latent grid", fontsize=11)
    figure.legend(*plane.get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=2)
    return Stage(figure, moving, pixels_per_inch=100)
