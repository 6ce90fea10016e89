"""How good are the samples? One file for each family of answers."""

from course_utils.metrics.bounds import (
    ELBO,
    Bound,
    active_units,
    elbo,
    iwae_bound,
    log_importance_weights,
    unit_activity,
)
from course_utils.metrics.cells import CELL_EDGES, Measured, data_cells, measure
from course_utils.metrics.classes import ClassCoverage, class_coverage, classifier_confidence, surest_images
from course_utils.metrics.classifiers import Classifier, in_batches, load_classifier
from course_utils.metrics.diversity import kl_to_uniform, sample_diversity, stacked_coverage
from course_utils.metrics.frechet import (
    FeatureStatistics,
    FrechetEvaluator,
    feature_statistics,
    frechet_distance,
    frechet_evaluator,
)
from course_utils.metrics.modes import ModeCoverage, mode_coverage
from course_utils.metrics.pull import generator_pull
from course_utils.metrics.spectra import (
    channel_correlations,
    checkerboard_fraction,
    colour_histograms,
    edge_strengths,
    power_spectrum,
    radial_spectrum,
)

__all__ = [
    "CELL_EDGES",
    "ELBO",
    "Bound",
    "ClassCoverage",
    "Classifier",
    "FeatureStatistics",
    "FrechetEvaluator",
    "Measured",
    "ModeCoverage",
    "active_units",
    "channel_correlations",
    "checkerboard_fraction",
    "class_coverage",
    "classifier_confidence",
    "colour_histograms",
    "data_cells",
    "edge_strengths",
    "elbo",
    "feature_statistics",
    "frechet_distance",
    "frechet_evaluator",
    "generator_pull",
    "in_batches",
    "iwae_bound",
    "kl_to_uniform",
    "load_classifier",
    "log_importance_weights",
    "measure",
    "mode_coverage",
    "power_spectrum",
    "radial_spectrum",
    "sample_diversity",
    "stacked_coverage",
    "surest_images",
    "unit_activity",
]
