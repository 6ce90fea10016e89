"""The number writer: type a number, and a generator of classes writes it, all digits in one hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from course_utils.models import draw_latents
from course_utils.plots import describe, new_figure
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider
from course_utils.widgets.latent_slider import steered_latent

LONGEST = 8  # digits that fit beside each other


@torch.no_grad()
def render(
    generator: nn.Module,
    classifier: Callable[[Tensor], Tensor],
    number: str = "2026",
    style: int = 0,
    step_1: float = 0.0,
    step_2: float = 0.0,
    shared: bool = True,
    stage: Stage | None = None,
) -> Rendering:
    """G(z, y) for each digit y of a number, z the same for all of them, and what a classifier reads.

    Args:
        generator: in evaluation mode, of latents (N, latent_dim) and labels (N,).
        classifier: from images to logits (N, 10).
        number: what to write; other signs than digits are left out, and so is what comes after the eighth.
        style: seed of the latent z.
        step_1, step_2: steps along the directions to which the generator's first layer reacts most.
        shared: whether all digits have one z; if not, each has its own, drawn after the first one's.
        stage: where to draw; None makes a new figure.
    """
    digits = [int(sign) for sign in number if sign in "0123456789"][:LONGEST]
    latents = steered_latent(generator, style, [step_1, step_2]).repeat(len(digits), 1)
    if not shared:
        others = draw_latents(LONGEST, generator.latent_dim, torch.Generator().manual_seed(style))
        latents += others[: len(digits)] - others[:1]
    strip, read = -torch.ones(28, 28 * LONGEST), ""  # black: nothing is written yet
    if digits:
        images = generator(latents, torch.tensor(digits))
        strip[:, : 28 * len(digits)] = torch.cat([*images[:, 0]], dim=1)
        read = "".join(map(str, classifier(images).argmax(1).tolist()))
    stage = stage or new_stage()
    stage.moving["number"].set_data(_ink(strip))
    asked = "".join(map(str, digits))
    whose = "all in style" if shared else "each in a style of its own, beginning with"
    describe(
        stage.figure,
        f"The number {asked or '(nothing)'}, written by the generator, {whose} {style}; steps along its two "
        f"strongest directions: {step_1:g}, {step_2:g}. The classifier reads {read or 'nothing'}.",
    )
    right = sum(one == other for one, other in zip(asked, read, strict=True))
    return Rendering(stage.figure, {"asked for": asked, "read as": read, "digits read as asked": right})


def number_writer(
    generator: nn.Module, classifier: Callable[[Tensor], Tensor], number: str = "2026"
) -> Explorer:
    """The widget: a field for the number, a slider for the style, two that push it. Leave it on a last line.

    Args:
        generator: in evaluation mode, on the CPU, e.g. `load_generator("mnist_classes")`.
        classifier: from images to logits (N, 10), e.g. `metrics.load_classifier("mnist")`.
        number: to begin with.
    """
    wide = {"style": {"description_width": "8.5em"}, "layout": {"width": "27em"}}
    field = ipywidgets.Text(
        value=number,
        description="number",
        placeholder=f"up to {LONGEST} digits",
        continuous_update=True,
        **wide,
    )
    style = ipywidgets.IntSlider(value=0, min=0, max=99, description="style", **wide)
    shared = ipywidgets.Checkbox(value=True, description="one style for all digits", indent=False)
    steps = {f"step_{number}": slider(f"direction {number}", 0.0, -4, 4) for number in (1, 2)}
    return Explorer(
        partial(render, generator, classifier),
        new_stage(),
        [{"number": field, "style": style, "shared": shared}, steps],
        "Number writer: type a number, and see it written",
    )


def new_stage() -> Stage:
    """The figure: a strip of paper with room for eight digits."""
    figure, axes = new_figure(width=7.2, height=1.3)
    blank = _ink(-torch.ones(28, 28 * LONGEST))
    paper = axes.imshow(blank, cmap="gray", interpolation="bilinear", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    return Stage(figure, {"number": paper})


def _ink(strip: Tensor) -> np.ndarray:
    """White on black in [-1, 1] → black on white in [0, 1]."""
    return ((1 - strip) / 2).clamp(0, 1).numpy()
