"""evaluate(generator, "mnist") → a report: all that the course measures about a generator, in one call."""

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils import data
from course_utils.metrics.classes import classifier_score
from course_utils.metrics.classifiers import Classifier, in_batches, load_classifier
from course_utils.metrics.copying import copying, nearest, thumbnails
from course_utils.metrics.frechet import (
    FeatureStatistics,
    feature_statistics,
    frechet_distance,
    reference_statistics,
)
from course_utils.metrics.kernel import kernel_distance
from course_utils.metrics.neighbours import density_coverage, precision_recall
from course_utils.metrics.sample_size import unlimited_frechet
from course_utils.models import sample

SAMPLES = 5_000
LEAST = 0.01  # fraction of the images that makes a class covered, as in `class_coverage`
LOOKED_UP = 500  # whose nearest training images are searched: enough for ±0.02 of a fraction near ½


class Metric(NamedTuple):
    """A row of the report."""

    title: str
    better: str  # "lower", "higher", or "½"
    digits: int


METRICS = {
    "frechet": Metric("Fréchet distance", "lower", 2),
    "unlimited": Metric("Fréchet distance, unlimited", "lower", 2),
    "kernel": Metric("kernel distance × 1000", "lower", 2),
    "score": Metric("classifier score", "higher", 2),
    "classes": Metric("classes covered", "higher", 0),
    "precision": Metric("precision", "higher", 3),
    "recall": Metric("recall", "higher", 3),
    "density": Metric("density", "higher", 3),
    "coverage": Metric("coverage", "higher", 3),
    "copying": Metric("copying", "½", 2),
}


class Report(NamedTuple):
    """What `evaluate` found. `print(report)` shows a table; `plots.metric_report` draws it."""

    name: str  # of the data set
    samples: int  # how many were evaluated
    features: str  # what the distances were measured in
    scores: dict[str, float]  # keys of METRICS → the generator's values
    real: dict[str, float]  # the same of as many real images: what no generator is asked to exceed
    note: str  # where the real images came from, if that needs saying

    def __str__(self) -> str:
        return report_table({"generator": self})


Subject = nn.Module | Tensor | Callable[[int, torch.Generator], Tensor]


def evaluate(
    subject: Subject,
    name: str,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    features: nn.Module | Callable[[Tensor], Tensor] | None = None,
) -> Report:
    """The whole report on a generator: every metric of notebook 09, and what real images get.

    Compare only reports of equally many samples, in the same features. The first call on a data set computes
    the real images' features and values, and keeps them in memory; later calls take a third of its time.

    Args:
        subject: a generator with `latent_dim`; or images (N, C, H, W) in [-1, 1], of which at most `samples`
            are evaluated, chosen at random; or a function (n, rng) → n images, as samplers are.
        name: "mnist" or "cifar10": which real images.
        samples: how many to evaluate, and how many real images to compare with; the Fréchet distance in the
            course's own features is to all test images.
        seed: of the latents, and of every choice of a part.
        features: what to measure distances in: a `Classifier`, which then also says the classes; or something
            with a method `features`, or a function, images (n, C, H, W) → (n, d), for a second opinion. Keep
            one object for all calls: what is kept in memory is found by it. None: the course's classifier.

    Returns:
        The report; its `real` is measured on training images (for copying: on held-out ones).

    Raises:
        ValueError: no such data set, images of another shape, fewer than 50 samples.
    """
    if samples < 50:
        raise ValueError(
            f"samples must be at least 50, got {samples}: less says nothing about a distribution"
        )
    reference = _reference(name, data.data_folder(), samples, features)
    images = _images(subject, samples, seed)
    data.check_images(images, shape=reference.classifier.image_shape)
    if len(images) < 50:
        raise ValueError(f"at least 50 images are needed, got {len(images)}")
    return Report(
        name=name,
        samples=len(images),
        features=reference.label,
        scores=_scores(images, reference, seed),
        real=_real_scores(name, data.data_folder(), samples, features, len(images)),
        note=reference.note,
    )


def report_table(reports: Mapping[str, Report]) -> str:
    """Reports side by side: a row for each metric, a column for each report, the real images' at the end.

    Raises:
        ValueError: no report, or reports that do not compare: other data, samples or features.
    """
    first = comparable(reports)
    columns = {**{title: report.scores for title, report in reports.items()}, "real images": first.real}
    head = f"{'':28s}{'better':>8s}" + "".join(f"{title:>{_width(title)}s}" for title in columns)
    lines = [f"{first.samples:,} samples, {first.name}, features: {first.features}", head]
    for key, metric in METRICS.items():
        values = "".join(
            f"{scores[key]:{_width(title)},.{metric.digits}f}" for title, scores in columns.items()
        )
        lines.append(f"{metric.title:28s}{metric.better:>8s}{values}")
    return "\n".join([*lines, *([first.note] if first.note else [])])


def comparable(reports: Mapping[str, Report]) -> Report:
    """The first of the reports, if all are of one data set, number of samples and features.

    Raises:
        ValueError: they are not, or there is none.
    """
    if not reports:
        raise ValueError("there is no report to show; pass a dictionary of title → evaluate(…)")
    first = next(iter(reports.values()))
    for title, report in reports.items():
        for what in ("name", "samples", "features"):
            if getattr(report, what) != getattr(first, what):
                raise ValueError(
                    f"only reports on one data set, of equally many samples, in the same features compare; "
                    f"{what} of {title!r} is {getattr(report, what)!r}, of the first {getattr(first, what)!r}"
                )
    return first


def feature_function(features) -> Callable[[Tensor], Tensor]:
    """What computes the features: the method `features` where there is one, or else the function itself."""
    return getattr(features, "features", features)


# --- what everything is compared with: computed once for each data set, number of samples and features ---


class _Reference(NamedTuple):
    label: str
    classifier: Classifier  # says the classes
    extract: Callable[[Tensor], Tensor]
    statistics: FeatureStatistics
    real: Tensor  # features of test images (samples, d)
    training: Tensor  # all training images, as vectors
    held_out: Tensor  # distances of LOOKED_UP test images to their nearest training images
    real_copying: float  # the copying of further test images
    note: str


@lru_cache(maxsize=4)
def _reference(name: str, folder, samples: int, features) -> _Reference:
    own = load_classifier(name)
    features = own if features is None else features
    extract = feature_function(features)
    train, test = (data.load(name, split, folder=folder) for split in ("train", "test"))
    chosen = torch.randperm(len(test.images), generator=torch.Generator().manual_seed(0))  # fixed: reference
    test_images = data.to_model_range(test.images[chosen[:samples]])
    real = in_batches(extract, test_images)
    statistics = reference_statistics(test, folder) if features is own else feature_statistics(real)
    # In parts, and into room that is there: CIFAR-10's training images are 600 MB of float32.
    training = torch.empty(len(train.images), math.prod(train.images.shape[1:]) // 4)
    for place in range(0, len(training), 1_000):
        some = train.images[place : place + 1_000]
        training[place : place + 1_000] = thumbnails(data.to_model_range(some))
    halves = test_images[: 2 * LOOKED_UP].tensor_split(2)
    held_out, others = (nearest(thumbnails(half), training).distances for half in halves)
    return _Reference(
        label="the course's classifier" if features is own else _label(features),
        classifier=features if isinstance(features, Classifier) else own,
        extract=extract,
        statistics=statistics,
        real=real,
        training=training,
        held_out=held_out,
        real_copying=copying(others, held_out),
        note=test.note,
    )


@lru_cache(maxsize=8)
def _real_scores(name: str, folder, samples: int, features, count: int) -> dict[str, float]:
    """What `count` training images get, as if a generator had made them; for copying, test images."""
    reference = _reference(name, folder, samples, features)
    train = data.load(name, "train", folder=folder).images
    chosen = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[
        :count
    ]  # fixed: reference
    images = data.to_model_range(train[chosen])
    return _scores(images, reference, seed=0) | {"copying": reference.real_copying}


def _scores(images: Tensor, reference: _Reference, seed: int) -> dict[str, float]:
    found = in_batches(reference.extract, images)
    own = reference.extract == reference.classifier.features  # the features are half of the way to the logits
    logits = reference.classifier.head(found) if own else in_batches(reference.classifier, images)
    fraction = precision_recall(reference.real, found)
    count = density_coverage(reference.real, found)
    covered = torch.bincount(logits.argmax(dim=1), minlength=logits.shape[1]) >= LEAST * len(images)
    looked_up = nearest(thumbnails(images[:LOOKED_UP]), reference.training).distances
    return {
        "frechet": frechet_distance(reference.statistics, found),
        "unlimited": unlimited_frechet(reference.statistics, found, seed=seed),
        "kernel": 1000 * kernel_distance(reference.real, found),
        "score": classifier_score(logits),
        "classes": float(covered.sum()),
        **fraction._asdict(),
        **count._asdict(),
        "copying": copying(looked_up, reference.held_out),
    }


def _images(subject: Subject, samples: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    if isinstance(subject, Tensor):
        return subject[torch.randperm(len(subject), generator=rng)[:samples]].float().cpu()
    if isinstance(subject, nn.Module) and hasattr(subject, "latent_dim"):
        return sample(subject, samples, seed=seed)
    if isinstance(subject, nn.Module) or not callable(subject):
        raise TypeError(
            f"evaluate takes a generator with `latent_dim`, images, or a function (n, rng) → images, got "
            f"{type(subject).__name__}; wrap it: lambda n, rng: …"
        )
    with torch.no_grad():
        return subject(samples, rng).float().cpu()


def _label(features) -> str:
    return getattr(features, "label", "") or getattr(features, "__name__", type(features).__name__)


def _width(title: str) -> int:
    return max(len(title) + 2, 12)
