"""The critic's valleys: what a gradient penalty makes of a critic on a line, slope by slope."""

from __future__ import annotations

import numpy as np

from course_utils.plots import COLORS, describe, new_figure
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider

SLOPES = np.linspace(-4, 4, 801)


def render(distance: float = 1.0, log_weight: float = 1.0, stage: Stage | None = None) -> Rendering:
    """L_D(a) = −a·W₁ + λ·(|a| − 1)² for a critic t(x) = a·x on a line: the picture, and its valleys.

    Both penalties are drawn: two-sided (Gulrajani et al. 2017, arXiv:1704.00028), and one-sided, which lets
    slopes below 1 pass. a > 0 leans the right way.

    Args:
        distance: W₁ > 0, the exact distance.
        log_weight: log₁₀ λ.
        stage: where to draw; None makes a new figure.

    Returns:
        The figure, and the numbers by their labels: the estimate a·W₁ in each valley.

    Raises:
        ValueError: the distance is not positive.
    """
    if distance <= 0:
        raise ValueError(f"distance must be positive, got {distance}; two equal heaps have nothing to learn.")
    weight = 10.0**log_weight
    two_sided = -SLOPES * distance + weight * (np.abs(SLOPES) - 1) ** 2
    one_sided = -SLOPES * distance + weight * np.maximum(np.abs(SLOPES) - 1, 0) ** 2
    best, wrong = 1 + distance / (2 * weight), -(1 - distance / (2 * weight))
    stage = stage or _new_stage()
    stage.moving["two-sided"].set_ydata(two_sided)
    stage.moving["one-sided"].set_ydata(one_sided)
    floor = -best * distance + weight * (best - 1) ** 2
    stage.moving["best"].set_data([best], [floor])
    there = wrong < 0
    height = -wrong * distance + weight * (abs(wrong) - 1) ** 2
    stage.moving["wrong"].set_data([wrong] if there else [np.nan], [height] if there else [np.nan])
    numbers = {"W₁": distance, "λ": weight, "estimate, right valley": best * distance}
    numbers["estimate, wrong valley"] = wrong * distance if there else float("nan")
    valleys = f"a second valley at slope {wrong:.2f}" if there else "no second valley"
    describe(
        stage.figure,
        f"The critic's loss against its slope from −4 to 4, for a distance of {distance:.2g} and "
        f"λ = {weight:.2g}. The two-sided penalty has its lowest point at slope {best:.2f} and {valleys}; "
        "the one-sided has only the first.",
    )
    return Rendering(stage.figure, numbers)


def critic_explorer() -> Explorer:
    """The widget: sliders for W₁ and λ, picture, numbers. Leave it on a cell's last line."""
    controls = {
        "distance": slider("distance W₁", 1.0, 0.1, 4),
        "log_weight": slider("log₁₀ of λ", 1.0, -1, 1.5),
    }
    return Explorer(render, _new_stage(), [controls], "Explorer of the critic's valleys")


def _new_stage() -> Stage:
    figure, axes = new_figure(width=7.0, height=3.6)
    zero, moving = np.zeros_like(SLOPES), {}
    axes.axvline(0, color=COLORS["reference"], linewidth=1, linestyle=":")
    (moving["two-sided"],) = axes.plot(SLOPES, zero, color=COLORS["discriminator"], label="two-sided")
    (moving["one-sided"],) = axes.plot(SLOPES, zero, "--", color=COLORS["value"], label="one-sided")
    (moving["best"],) = axes.plot([], [], "o", color=COLORS["optimum"], label="the right valley")
    (moving["wrong"],) = axes.plot([], [], "X", color=COLORS["model"], markersize=9, label="the wrong one")
    axes.set(xlim=(-4, 4), ylim=(-12, 12), xlabel="the critic's slope, a", ylabel="$L_D$ with penalty")
    figure.legend(loc="outside right center")
    return Stage(figure, moving)
