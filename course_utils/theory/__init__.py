"""What can be computed without training: divergences and optima of known distributions, games of two numbers.

`game_dynamics` is imported by its name: its games and update rules are a world of their own.
"""

from course_utils.theory.cells import cell_frequencies, cell_probabilities
from course_utils.theory.divergences import (
    LOG_2,
    generator_slopes,
    js,
    kl,
    minimax_game,
    optimal_discriminator,
    quadrature,
    total_variation,
    value,
    wasserstein_1d,
)

__all__ = [
    "LOG_2",
    "cell_frequencies",
    "cell_probabilities",
    "generator_slopes",
    "js",
    "kl",
    "minimax_game",
    "optimal_discriminator",
    "quadrature",
    "total_variation",
    "value",
    "wasserstein_1d",
]
