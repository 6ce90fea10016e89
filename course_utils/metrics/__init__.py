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
from course_utils.metrics.classes import (
    ClassCoverage,
    class_coverage,
    classifier_confidence,
    classifier_score,
    surest_images,
)
from course_utils.metrics.classifiers import Classifier, in_batches, load_classifier
from course_utils.metrics.completion import completion_spread, nearest_completion
from course_utils.metrics.conditional import (
    Naming,
    agreement,
    best_naming,
    conditional_scores,
    diversity_within,
)
from course_utils.metrics.copying import Nearest, copied_fraction, copying, nearest, thumbnails
from course_utils.metrics.diversity import kl_to_uniform, sample_diversity, stacked_coverage
from course_utils.metrics.evaluate import METRICS, Metric, Report, evaluate, report_table
from course_utils.metrics.frechet import (
    FeatureStatistics,
    FrechetEvaluator,
    feature_statistics,
    frechet_distance,
    frechet_evaluator,
    transport_cost,
)
from course_utils.metrics.inception import Inception, load_inception
from course_utils.metrics.kernel import kernel_distance, polynomial_kernel
from course_utils.metrics.modes import ModeCoverage, mode_coverage
from course_utils.metrics.neighbours import (
    DensityCoverage,
    PrecisionRecall,
    ball_radii,
    density_coverage,
    precision_recall,
)
from course_utils.metrics.people import (
    Answer,
    HumanScore,
    class_scores,
    human_score,
    quiz_file,
    read_answers,
    record_answer,
    score_table,
    wilson_interval,
)
from course_utils.metrics.pull import generator_pull
from course_utils.metrics.reconstruction import (
    mean_squared_error,
    peak_signal_to_noise,
    safest_guess,
    structural_similarity,
)
from course_utils.metrics.sample_size import extrapolated, frechet_by_size, unlimited_frechet
from course_utils.metrics.spectra import (
    channel_correlations,
    checkerboard_fraction,
    chroma_strength,
    colour_histograms,
    edge_strengths,
    fine_power,
    power_spectrum,
    radial_spectrum,
)
from course_utils.metrics.style import feature_maps, gram_matrix, style_distance

__all__ = [
    "CELL_EDGES",
    "ELBO",
    "METRICS",
    "Answer",
    "Bound",
    "ClassCoverage",
    "Classifier",
    "DensityCoverage",
    "FeatureStatistics",
    "FrechetEvaluator",
    "HumanScore",
    "Inception",
    "Measured",
    "Metric",
    "ModeCoverage",
    "Naming",
    "Nearest",
    "PrecisionRecall",
    "Report",
    "active_units",
    "agreement",
    "ball_radii",
    "best_naming",
    "channel_correlations",
    "checkerboard_fraction",
    "chroma_strength",
    "class_coverage",
    "class_scores",
    "classifier_confidence",
    "classifier_score",
    "colour_histograms",
    "completion_spread",
    "conditional_scores",
    "copied_fraction",
    "copying",
    "data_cells",
    "density_coverage",
    "diversity_within",
    "edge_strengths",
    "elbo",
    "evaluate",
    "extrapolated",
    "feature_maps",
    "feature_statistics",
    "fine_power",
    "frechet_by_size",
    "frechet_distance",
    "frechet_evaluator",
    "generator_pull",
    "gram_matrix",
    "human_score",
    "in_batches",
    "iwae_bound",
    "kernel_distance",
    "kl_to_uniform",
    "load_classifier",
    "load_inception",
    "log_importance_weights",
    "mean_squared_error",
    "measure",
    "mode_coverage",
    "nearest",
    "nearest_completion",
    "peak_signal_to_noise",
    "polynomial_kernel",
    "power_spectrum",
    "precision_recall",
    "quiz_file",
    "radial_spectrum",
    "read_answers",
    "record_answer",
    "report_table",
    "safest_guess",
    "sample_diversity",
    "score_table",
    "stacked_coverage",
    "structural_similarity",
    "style_distance",
    "surest_images",
    "thumbnails",
    "transport_cost",
    "unit_activity",
    "unlimited_frechet",
    "wilson_interval",
]
