"""The latent map: move through a two-dimensional latent, and drop test digits into it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import ipywidgets
import numpy as np
import torch
from matplotlib.patches import Ellipse
from torch import Tensor

from course_utils.likelihoods import gaussian_kl
from course_utils.models import Autoencoder
from course_utils.plots import COLORS, CYCLE, describe, new_figure
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider

RADIUS = 3.5  # of the map; 99.8 % of the prior's latents lie nearer to the origin
STANDARD_DEVIATIONS = 2  # that the ellipse of a dropped digit reaches out to


@torch.no_grad()
def render(
    autoencoder: Autoencoder,
    images: Tensor,
    labels: Sequence[int],
    z_1: float = 0.0,
    z_2: float = 0.0,
    dropped: int = 0,
    stage: Stage | None = None,
) -> Rendering:
    """What the decoder draws at (z₁, z₂), and where the encoder puts one of the images: q(z|x) as an ellipse.

    Args:
        autoencoder: in evaluation mode, of two latent dimensions.
        images: (N, 1, H, W) in [-1, 1].
        labels: N digits, drawn at the means of q(z|x).
        z_1, z_2: a place of the latent plane.
        dropped: which image to encode.
        stage: where to draw; None makes a new figure.
    """
    image = images[dropped : dropped + 1]
    mean, log_variance = autoencoder.encode(image)
    std = torch.exp(0.5 * log_variance)[0].tolist()
    place = mean[0].tolist()
    drawn = autoencoder(torch.tensor([[z_1, z_2]]))
    stage = stage or new_stage(autoencoder, images, labels)
    stage.moving["here"].set_data([z_1], [z_2])
    ellipse = stage.moving["posterior"]
    ellipse.set_center(place)
    ellipse.set_width(2 * STANDARD_DEVIATIONS * std[0])
    ellipse.set_height(2 * STANDARD_DEVIATIONS * std[1])
    for name, picture in {"drawn": drawn, "digit": image, "reconstruction": autoencoder(mean)}.items():
        stage.moving[name].set_data(_pixels(picture[0]))
    label = labels[dropped]
    describe(
        stage.figure,
        f"On the left the latent plane, digits at their places, a cross at z = ({z_1:.1f}, {z_2:.1f}), and "
        f"an ellipse where the encoder puts the dropped digit, a {label}: around ({place[0]:.1f}, "
        f"{place[1]:.1f}). "
        "On the right what the decoder draws at the cross, the dropped digit, and its reconstruction.",
    )
    rate = gaussian_kl(mean, log_variance).item()
    return Rendering(stage.figure, {"rate of the dropped digit (nats)": rate, "σ₁": std[0], "σ₂": std[1]})


def latent_map(autoencoder: Autoencoder, images: Tensor, labels: Sequence[int]) -> Explorer:
    """The widget: two sliders to move through the plane, one to choose the digit that is dropped.

    Args:
        autoencoder, images, labels: as in `render`, on the CPU; some hundred images.
    """
    dropped = ipywidgets.IntSlider(
        value=0,
        min=0,
        max=len(images) - 1,
        description="drop test digit",
        style={"description_width": "9em"},
        layout={"width": "27em"},
    )
    places = {f"z_{number}": slider(f"z{number}", 0.0, -RADIUS, RADIUS) for number in (1, 2)}
    return Explorer(
        partial(render, autoencoder, images, labels),
        new_stage(autoencoder, images, labels),
        [places, {"dropped": dropped}],
        "Latent map: a plane of digits",
    )


@torch.no_grad()
def new_stage(autoencoder: Autoencoder, images: Tensor, labels: Sequence[int]) -> Stage:
    """The figure: the plane with all digits on the left, three pictures on the right."""
    if autoencoder.latent_dim != 2:
        raise ValueError(
            f"the map needs a latent of 2 dimensions, got {autoencoder.latent_dim}; train another one"
        )
    figure, (plane, *frames) = new_figure(columns=4, width=8.6, height=4.4, width_ratios=[2.4, 1, 1, 1])
    means = autoencoder.encode(images)[0].numpy()
    for digit in sorted(set(labels)):
        of_digit = means[np.asarray(labels) == digit]
        color = CYCLE[digit % len(CYCLE)]
        plane.plot(*of_digit.T, linestyle="", marker=f"${digit}$", markersize=5, color=color)
    (here,) = plane.plot([0], [0], "P", markersize=13, color=COLORS["model"], markeredgecolor="white")
    ellipse = Ellipse((0, 0), 1, 1, fill=False, linewidth=2.5, edgecolor=COLORS["optimum"])
    plane.add_patch(ellipse)
    plane.set(xlim=(-RADIUS, RADIUS), ylim=(-RADIUS, RADIUS), xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
    moving = {"here": here, "posterior": ellipse}
    titles = {"drawn": "drawn at +", "digit": "test digit", "reconstruction": "reconstruction"}
    for (name, title), frame in zip(titles.items(), frames, strict=True):
        moving[name] = frame.imshow(_pixels(images[0]), cmap="gray", interpolation="nearest", vmin=0, vmax=1)
        frame.set(xticks=[], yticks=[], title=title)
        frame.grid(False)
        frame.spines[:].set_visible(False)
    return Stage(figure, moving)


def _pixels(image: Tensor) -> np.ndarray:
    """(1, H, W) in [-1, 1] → (H, W) in [0, 1]."""
    return ((image[0] + 1) / 2).clamp(0, 1).numpy()
