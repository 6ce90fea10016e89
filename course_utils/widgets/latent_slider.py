"""The latent slider: push a generator's latent along its strongest directions and watch the image follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import ipywidgets
import numpy as np
import torch
from torch import Tensor, nn

from course_utils.plots import COLORS, describe, new_figure
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider

DIGITS = tuple("0123456789")


def strongest_directions(generator: nn.Module) -> Tensor:
    """The latent directions to which the generator's first layer reacts most: the eigenvectors of AᵀA.

    A is the weight of the first linear layer: a step along the first direction moves its output farthest
    (SeFa: Shen and Zhou 2021, arXiv:2007.06600, eq. 4).

    Args:
        generator: its first `nn.Linear` takes the latent, and behind it the class, if it is told one.

    Returns:
        (latent_dim, latent_dim): one direction of length 1 a row, the strongest first.

    Raises:
        ValueError: the generator has no linear layer.
    """
    layer = next((layer for layer in generator.modules() if isinstance(layer, nn.Linear)), None)
    if layer is None:
        raise ValueError(
            f"the generator needs an nn.Linear that takes the latent, got a {type(generator).__name__} "
            "without one; choose directions of your own"
        )
    takes = getattr(generator, "latent_dim", layer.in_features)  # what comes after the latent is the label
    weight = layer.weight.detach()[:, :takes].double().cpu()
    directions = torch.linalg.eigh(weight.T @ weight).eigenvectors.T.flip(0)
    largest = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True))
    return (directions * largest.sign()).float()  # the sign is arbitrary: make the largest entry positive


def steered_latent(generator: nn.Module, start: int, steps: Sequence[float]) -> Tensor:
    """z = z₀ + Σᵢ stepᵢ·directionᵢ, with z₀ ~ N(0, I) drawn from the seed `start`. Shape (1, latent_dim)."""
    latent = torch.randn(generator.latent_dim, generator=torch.Generator().manual_seed(start))
    return (latent + torch.tensor(steps) @ strongest_directions(generator)[: len(steps)])[None]


@torch.no_grad()
def render(
    generator: nn.Module,
    classifier: Callable[[Tensor], Tensor],
    start: int = 0,
    step_1: float = 0.0,
    step_2: float = 0.0,
    step_3: float = 0.0,
    step_4: float = 0.0,
    classes: Sequence[str] = DIGITS,
    stage: Stage | None = None,
) -> Rendering:
    """G(z) for one steered latent, and what a classifier takes it for.

    Args:
        generator: in evaluation mode, from latents (1, latent_dim) to an image (1, C, H, W) in [-1, 1].
        classifier: from images to logits (1, K).
        start: seed of the latent that the steps start from.
        step_1, step_2, step_3, step_4: steps along the strongest directions; chance alone goes about 1 far.
        classes: the names of the K classes.
        stage: where to draw; None makes a new figure.
    """
    latent = steered_latent(generator, start, [step_1, step_2, step_3, step_4])
    image = generator(latent)
    probabilities = classifier(image).softmax(dim=1)[0].tolist()
    confidence = max(probabilities)
    name = classes[probabilities.index(confidence)]

    stage = stage or new_stage(image[0], classes)
    stage.moving["image"].set_data(_pixels(image[0]))
    for one, probability in zip(classes, probabilities, strict=True):
        stage.moving[one].set_width(probability)
        stage.moving[one].set_color(COLORS["highlight"] if one == name else COLORS["second"])
    describe(
        stage.figure,
        f"A generated image, which the classifier takes for {name} with probability {confidence:.2f}, and "
        f"a bar for each class's probability. Start {start}; steps along the four strongest directions: "
        f"{step_1:g}, {step_2:g}, {step_3:g}, {step_4:g}.",
    )
    return Rendering(stage.figure, {"confidence": confidence, "length of z": latent.norm().item()})


def latent_slider(
    generator: nn.Module, classifier: Callable[[Tensor], Tensor], classes: Sequence[str] = DIGITS
) -> Explorer:
    """The widget: a slider for the start, four to push the latent. Leave it on a cell's last line.

    Args:
        generator: in evaluation mode, on the CPU.
        classifier: from images to logits (N, K), e.g. `metrics.load_classifier("mnist")`.
        classes: the names of the K classes.
    """
    start = ipywidgets.IntSlider(
        value=0,
        min=0,
        max=99,
        description="start",
        style={"description_width": "9em"},
        layout={"width": "24em"},
    )
    steps = {f"step_{number}": slider(f"direction {number}", 0.0, -4, 4) for number in (1, 2, 3, 4)}
    with torch.no_grad():
        stage = new_stage(generator(steered_latent(generator, 0, [0.0]))[0], classes)
    return Explorer(
        partial(render, generator, classifier, classes=classes),
        stage,
        [{"start": start}, steps],
        "Latent slider: a generated image, steered",
    )


def new_stage(image: Tensor, classes: Sequence[str]) -> Stage:
    """The figure: the image (C, H, W) on the left, a bar for each class on the right."""
    figure, (left, right) = new_figure(columns=2, width=6.4, height=3.2, width_ratios=[1, 1])
    moving = {"image": left.imshow(_pixels(image), interpolation="nearest", vmin=0, vmax=1)}
    left.set(xticks=[], yticks=[], title="G(z)")
    left.grid(False)
    left.spines[:].set_visible(False)
    bars = right.barh(range(len(classes)), [0.0] * len(classes), height=0.7)
    moving.update(zip(classes, bars, strict=True))
    right.set(xlim=(0, 1), xlabel="probability", title="what the classifier sees")
    right.set_yticks(range(len(classes)), classes)
    right.invert_yaxis()  # the first class on top
    right.grid(axis="y", visible=False)
    return Stage(figure, moving)


def _pixels(image: Tensor) -> np.ndarray:
    """(C, H, W) in [-1, 1] → (H, W, 3) in [0, 1], as imshow takes it."""
    return ((image + 1) / 2).clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).numpy()
