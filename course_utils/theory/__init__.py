"""What can be computed without training: divergences and optima of known distributions, games of two numbers.

`game_dynamics` is imported by its name: its games and update rules are a world of their own.
"""

from course_utils.theory.cells import cell_frequencies, cell_probabilities
from course_utils.theory.conditional import (
    class_weights,
    conditional_logit,
    information_bound,
    log_joint,
    mutual_information,
    split_logit,
)
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
from course_utils.theory.gaussian_flow import GaussianFlow
from course_utils.theory.gradients import reparameterised_gradient, score_function_gradient
from course_utils.theory.linear_gaussian import LinearGaussian

__all__ = [
    "LOG_2",
    "GaussianFlow",
    "LinearGaussian",
    "cell_frequencies",
    "cell_probabilities",
    "class_weights",
    "conditional_logit",
    "generator_slopes",
    "information_bound",
    "js",
    "kl",
    "log_joint",
    "minimax_game",
    "mutual_information",
    "optimal_discriminator",
    "quadrature",
    "reparameterised_gradient",
    "score_function_gradient",
    "split_logit",
    "total_variation",
    "value",
    "wasserstein_1d",
]
