"""The game explorer: choose a game, an update rule and a step size; the run draws itself on the field."""

from __future__ import annotations

from functools import lru_cache

import ipywidgets
import numpy as np
from torch import Tensor

from course_utils.plots import COLORS, describe, draw_field, field_arrows, new_figure
from course_utils.theory import game_dynamics
from course_utils.theory.game_dynamics import GAMES, RULES, Game
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider

RADIUS = 2.0  # the picture goes from −2 to 2
FAR = 10.0  # a run that is so far out has left; it stops there
MOST_STEPS = 400
HALF_LIFE = 50  # of the moving average, in steps
FIRST_STEPS = (
    150  # drawn when the widget appears, so that there is something to see on a page without a kernel
)


def render(
    game: str = "non-saturating Dirac-GAN",
    rule: str = "alternating",
    step_size: float = 0.2,
    r1: float = 0.0,
    noise_std: float = 0.0,
    average: bool = False,
    steps: int = 0,
    stage: Stage | None = None,
) -> Rendering:
    """The field of a game and `steps` steps of a rule from (θ, ψ) = (1, 1), and the predicted growth max |μ|.

    Args:
        game: a name in `game_dynamics.GAMES`.
        rule: a name in `game_dynamics.RULES`.
        step_size: of both players, > 0.
        r1, noise_std: strength of the penalty, and of the noise, ≥ 0; both need a Dirac-GAN.
        average: draw the moving average of the run too.
        steps: how many steps to show, ≥ 0.
        stage: where to draw; None makes a new figure.

    Returns:
        The figure, and the numbers by their labels.

    Raises:
        ValueError: an unknown game or rule, or a number out of its range.
    """
    for kind, name, known in (("game", game, GAMES), ("rule", rule, RULES)):
        if name not in known:
            raise ValueError(f"unknown {kind} {name!r}; choose one of {', '.join(known)}.")
    if step_size <= 0 or steps < 0:
        raise ValueError(f"step_size must be > 0 and steps ≥ 0, got {step_size} and {steps}; change them.")
    points = _run(game, rule, step_size, r1, noise_std, _round_up(steps))[: steps + 1]
    left = (points.norm(dim=1) > FAR).nonzero()
    points = points[: left[0].item() + 1] if len(left) else points
    places, arrows, real, imaginary, growth = _about(game, rule, step_size, r1, noise_std)
    distance = points.norm(dim=1)

    stage = stage or _new_stage()
    lengths = field_arrows(places, arrows)
    stage.moving["field"].set_UVC(*lengths.T)
    stage.moving["run"].set_data(*points.T.numpy())
    stage.moving["now"].set_data(*points[-1:].T.numpy())
    averaged = game_dynamics.moving_average(points, HALF_LIFE) if average else points[:0]
    stage.moving["average"].set_data(*averaged.T.numpy())
    stage.moving["average now"].set_data(*averaged[-1:].T.numpy())
    stage.moving["distance"].set_data(np.arange(len(points)), distance.numpy())
    all_steps = np.arange(MOST_STEPS + 1)
    # more than a billion times its start is far outside the picture: keep the numbers finite
    stage.moving["predicted"].set_ydata(distance[0].item() * np.minimum(growth**all_steps, 1e9))
    stage.moving["fate"].set_text(f"to first order it\n{fate(growth)}")
    describe(
        stage.figure,
        f"Left, the arrows of the {game} game and {len(points) - 1} {rule} steps of size {step_size:g}, from "
        f"({points[0, 0]:.2g}, {points[0, 1]:.2g}) to ({points[-1, 0]:.2g}, {points[-1, 1]:.2g}). Right, the "
        f"distance to the equilibrium, from {distance[0]:.2g} to {distance[-1]:.2g}. "
        f"Prediction near the equilibrium, to first order: {fate(growth)}.",
    )
    numbers = {
        "step": len(points) - 1,
        "θ": points[-1, 0].item(),
        "ψ": points[-1, 1].item(),
        "distance": distance[-1].item(),
        "Re λ": real,
        "Im λ": imaginary,
        "growth per step, predicted": growth,
    }
    return Rendering(stage.figure, numbers)


def fate(growth: float) -> str:
    """What a growth factor per step means, to first order, in words; at 1 only a linear game keeps to it."""
    if abs(growth - 1) < 1e-6:
        return "circles (|μ| = 1)"
    return f"leaves (|μ| = {growth:.4f})" if growth > 1 else f"arrives (|μ| = {growth:.4f})"


def game_explorer() -> Explorer:
    """The widget: choose game, rule, step size and cures; play, or step. Leave it on a cell's last line."""
    choices = {
        "game": _dropdown("game", GAMES, "non-saturating Dirac-GAN"),
        "rule": _dropdown("update rule", RULES, "simultaneous"),
        "step_size": slider("step size h", 0.2, 0.02, 1.0, step=0.02),
    }
    cures = {
        "r1": slider("R1 strength γ", 0.0, 0.0, 2.0, step=0.05),
        "noise_std": slider("noise σ", 0.0, 0.0, 2.0, step=0.05),
        "average": ipywidgets.Checkbox(
            description=f"moving average (half-life {HALF_LIFE} steps)", indent=False
        ),
        "steps": ipywidgets.IntSlider(
            description="steps taken",
            value=FIRST_STEPS,
            max=MOST_STEPS,
            style={"description_width": "9em"},
            layout={"width": "24em"},
        ),
    }
    for name in ("step_size", "r1", "noise_std"):
        {**choices, **cures}[name].readout_format = ".2f"
    explorer = Explorer(render, _new_stage(), [choices, cures], "Explorer of two-player games on the plane")

    run = ipywidgets.Play(value=FIRST_STEPS, max=MOST_STEPS, interval=60, show_repeat=False)
    ipywidgets.link((run, "value"), (cures["steps"], "value"))
    one_step = ipywidgets.Button(description="One step", tooltip="Take one step more")
    one_step.on_click(lambda _button: _step(cures["steps"]))
    explorer.box.children = (
        explorer.box.children[0],
        ipywidgets.HBox([run, one_step]),
        *explorer.box.children[1:],
    )

    def only_dirac_gans_have_cures(_change=None):
        for name in ("r1", "noise_std"):
            cures[name].disabled = choices["game"].value == "bilinear"

    choices["game"].observe(only_dirac_gans_have_cures, "value")
    explorer.run, explorer.one_step = run, one_step
    return explorer


def _step(steps: ipywidgets.IntSlider) -> None:
    steps.value = min(steps.value + 1, MOST_STEPS)


def _dropdown(label: str, names, value: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(
        options=[*names],
        value=value,
        description=label,
        style={"description_width": "9em"},
        layout={"width": "24em"},
    )


def _make(game: str, r1: float, noise_std: float) -> Game:
    return GAMES[game]() if game == "bilinear" else GAMES[game](r1=r1, noise_std=noise_std)


def _round_up(steps: int) -> int:
    """To the next 25, so that a run that draws itself is computed once in 25 frames."""
    return -(-steps // 25) * 25


@lru_cache(maxsize=64)
def _run(game: str, rule: str, step_size: float, r1: float, noise_std: float, steps: int) -> Tensor:
    return game_dynamics.play(_make(game, r1, noise_std), RULES[rule], step_size, steps, start=(1.0, 1.0))


@lru_cache(maxsize=64)
def _about(game: str, rule: str, step_size: float, r1: float, noise_std: float):
    """What does not depend on the run: places, arrows, real and imaginary part of λ, predicted growth."""
    made = _make(game, r1, noise_std)
    places, arrows = game_dynamics.field_on_grid(made, RADIUS, points=15)
    slowest = max(game_dynamics.eigenvalues(made).tolist(), key=lambda value: (value.real, value.imag))
    growth = game_dynamics.predicted_growth(made, RULES[rule], step_size)
    return places, arrows, slowest.real, slowest.imag, growth


def _new_stage() -> Stage:
    figure, (plane, curve) = new_figure(columns=2, width=7.5, height=4.2, width_ratios=[4, 3])
    places, arrows = game_dynamics.field_on_grid(GAMES["bilinear"](), RADIUS, points=15)
    moving = {"field": draw_field(plane, places, arrows)}
    colour, averaged = COLORS["highlight"], COLORS["second"]  # of both players, so not the model's
    (moving["run"],) = plane.plot([], [], color=colour, linewidth=1.2, label="run")
    (moving["average"],) = plane.plot([], [], "--", color=averaged, linewidth=1.2, label="average")
    (moving["now"],) = plane.plot([], [], "o", color=colour, markersize=8)
    (moving["average now"],) = plane.plot([], [], "s", color=averaged, markersize=7)
    plane.set(xlabel="θ (generator)", ylabel="ψ (discriminator)", title="the plane", aspect="equal")
    plane.set(xlim=(-RADIUS, RADIUS), ylim=(-RADIUS, RADIUS))
    (moving["distance"],) = curve.plot([], [], color=colour, label="run")
    (moving["predicted"],) = curve.plot(
        np.arange(MOST_STEPS + 1),
        np.ones(MOST_STEPS + 1),
        color=COLORS["optimum"],
        linewidth=1,
        linestyle=":",
        label="predicted",
    )
    curve.set(xlabel="steps", title="distance to the equilibrium", yscale="log")
    curve.set(xlim=(0, MOST_STEPS), ylim=(1e-3, FAR))
    white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2}
    figure.legend(
        [moving[name] for name in ("run", "average", "predicted")],
        ["run", "moving average (if switched on)", "prediction, to first order"],
        loc="outside lower center",
        ncols=3,
    )
    moving["fate"] = curve.text(
        0.03, 0.03, "", transform=curve.transAxes, fontsize=11, va="bottom", bbox=white
    )
    return Stage(figure, moving)
