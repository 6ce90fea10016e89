"""The D* explorer: move two densities and watch the optimal discriminator, V and the divergences follow."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from course_utils.plots import COLORS, describe, new_figure
from course_utils.plots.style import BACKDROP
from course_utils.theory import js, optimal_discriminator, quadrature, total_variation, value, wasserstein_1d
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider

SHOWN = (
    8.0  # the picture goes from −8 to 8; the integrals go far enough to hold every density the sliders make
)
X, WEIGHTS = quadrature(-20, 20, 1601)
VISIBLE = X.abs() <= SHOWN


def render(
    data_mean: float = -1.5,
    data_std: float = 1.0,
    data_gap: float = 0.0,
    model_mean: float = 1.5,
    model_std: float = 1.0,
    stage: Stage | None = None,
) -> Rendering:
    """D*(x) = p_data(x) / (p_data(x) + p_model(x)) for two densities: the picture and the numbers.

    Args:
        data_mean, data_std: the data's density: mean, and standard deviation of each hill.
        data_gap: 0 for one hill; otherwise two equal hills whose centres are this far apart.
        model_mean, model_std: the generator's density, one hill.
        stage: where to draw; None makes a new figure.

    Returns:
        The figure, and the numbers by their labels.

    Raises:
        ValueError: a spread is not positive, or a density leaves [−20, 20].
    """
    if data_std <= 0 or model_std <= 0:
        raise ValueError(f"spreads must be positive, got {data_std} and {model_std}; choose larger ones.")
    p_data = 0.5 * _hill(data_mean - data_gap / 2, data_std) + 0.5 * _hill(data_mean + data_gap / 2, data_std)
    p_model = _hill(model_mean, model_std)
    discriminator = optimal_discriminator(p_data, p_model)
    numbers = {
        "V(D*, G)": value(discriminator, p_data, p_model, WEIGHTS).item(),
        "JS": js(p_data, p_model, WEIGHTS).item(),
        "2·JS − log 4": 2 * js(p_data, p_model, WEIGHTS).item() - math.log(4),
        "Wasserstein": wasserstein_1d(X, p_data, p_model, WEIGHTS).item(),
        "accuracy of D*": (1 + total_variation(p_data, p_model, WEIGHTS).item()) / 2,
    }

    stage = stage or _new_stage()
    x = X[VISIBLE].numpy()
    for kind, density in (("data", p_data), ("model", p_model)):
        heights = density[VISIBLE].numpy()
        stage.moving[f"{kind} line"].set_ydata(heights)
        stage.moving[f"{kind} area"].set_verts([np.column_stack([[x[0], *x, x[-1]], [0, *heights, 0]])])
    stage.moving["discriminator"].set_ydata(discriminator[VISIBLE].numpy())
    one_hill, two_hills = f"one hill at {data_mean:g}", f"two hills {data_gap:g} apart around {data_mean:g}"
    describe(
        stage.figure,
        f"Above, two densities: the data's, {two_hills if data_gap else one_hill}, spread {data_std:g}; the "
        f"generator's, one hill at {model_mean:g}, spread {model_std:g}. Below, the optimal discriminator: "
        "near 1 where the data's density is the larger, near 0 where the generator's is, ½ where they cross. "
        f"V(D*, G) = {numbers['V(D*, G)']:.3f}, JS = {numbers['JS']:.3f}.",
    )
    return Rendering(stage.figure, numbers)


def discriminator_explorer() -> Explorer:
    """The widget: sliders for both densities, picture, numbers. Leave it on a cell's last line."""
    data = {
        "data_mean": slider("data: mean", -1.5, -4, 4),
        "data_std": slider("data: spread", 1.0, 0.4, 2),
        "data_gap": slider("data: hills apart", 0.0, 0, 6),
    }
    model = {
        "model_mean": slider("generator: mean", 1.5, -4, 4),
        "model_std": slider("generator: spread", 1.0, 0.4, 2),
    }
    return Explorer(render, _new_stage(), [data, model], "Explorer of the optimal discriminator")


def _hill(mean: float, std: float) -> Tensor:
    return torch.exp(-0.5 * ((X - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def _new_stage() -> Stage:
    figure, (above, below) = new_figure(rows=2, width=7.0, height=4.2, sharex=True, height_ratios=[3, 2])
    x = X[VISIBLE].numpy()
    zero = np.zeros_like(x)
    moving = {}
    for kind, label, dashes in (("data", r"$p_\mathrm{data}(x)$", "-"), ("model", "$p_g(x)$", "--")):
        (moving[f"{kind} line"],) = above.plot(x, zero, color=COLORS[kind], linestyle=dashes, label=label)
        moving[f"{kind} area"] = above.fill_between(
            x, zero, color=COLORS[kind], alpha=0.15, linewidth=0, gid=BACKDROP
        )
    above.set(xlim=(-SHOWN, SHOWN), ylim=(0, 1.05), ylabel="density")
    below.axhline(0.5, color=COLORS["reference"], linewidth=1, linestyle=":")
    (moving["discriminator"],) = below.plot(x, zero, color=COLORS["discriminator"], label="$D^*(x)$")
    below.set(ylim=(-0.05, 1.05), yticks=[0, 0.5, 1], xlabel="x", ylabel="probability of “real”")
    for axes in (above, below):
        axes.legend(loc="upper right")
    return Stage(figure, moving)
