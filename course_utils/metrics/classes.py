"""What a classifier says about generated images: how sure it is, and which classes it sees how often."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.metrics.classifiers import Classifier, in_batches


class ClassCoverage(NamedTuple):
    """What `class_coverage` found."""

    covered: int  # classes that appear often enough
    entropy: float  # of the classes' frequencies, in nats: log(classes) if all are equal, 0 for one class
    counts: Tensor  # (classes,) images in each class


def classifier_confidence(images: Tensor, classifier: Classifier) -> float:
    """Mean of maxₖ p(k | x): how sure the classifier is of what it sees.

    Real test images set the scale. Alone it is no measure of quality: a classifier can be sure of nonsense,
    and one perfect image repeated scores highest.

    Args:
        images: (N, C, H, W) in [-1, 1].

    Returns:
        The mean confidence, between 1/classes and 1.
    """
    return in_batches(classifier, images).softmax(dim=1).amax(dim=1).mean().item()


def class_coverage(images: Tensor, classifier: Classifier, least_fraction: float = 0.01) -> ClassCoverage:
    """Which classes the images fall into, and the entropy −Σₖ f(k) log f(k) of their frequencies f.

    Args:
        images: (N, C, H, W) in [-1, 1].
        least_fraction: fraction of the images that makes a class covered; a stray image should not.
    """
    logits = in_batches(classifier, images)
    counts = torch.bincount(logits.argmax(dim=1), minlength=logits.shape[1])
    frequencies = counts.double() / len(images)
    entropy = -torch.special.xlogy(frequencies, frequencies).sum().item()  # xlogy: 0·log 0 = 0
    return ClassCoverage(
        int((counts >= max(1, math.ceil(least_fraction * len(images)))).sum()), entropy, counts
    )


def classifier_score(logits: Tensor) -> float:
    """exp E KL(p(k | x) ‖ p(k)), with p(k) = E p(k | x)  (Salimans et al. 2016, arXiv:1606.03498).

    Of the Inception network's logits this is the *Inception score*; of another classifier's its analogue,
    and not to be compared with published ones. High where the classifier is sure of each image, and all
    images together fall into all classes alike. Real images come in nowhere.

    Args:
        logits: of the classes, a row for each image, (N, K).

    Returns:
        Between 1 and K.

    Raises:
        ValueError: another shape, or logits that are not finite.
    """
    if logits.ndim != 2 or not logits.isfinite().all():
        raise ValueError(f"logits must be finite and (N, K), a row for each image, got {tuple(logits.shape)}")
    log_p = logits.detach().double().log_softmax(dim=1)
    p = log_p.exp()
    marginal = p.mean(dim=0)
    entropy_of_mean = -torch.special.xlogy(marginal, marginal).sum()  # 0·log 0 = 0
    mean_entropy = -(p * log_p).sum(dim=1).mean()
    return torch.exp(entropy_of_mean - mean_entropy).item()


def surest_images(classes: Sequence[int] | str, probabilities: Tensor) -> list[int]:
    """For each class asked for, the image with the largest p(class | x) that is not taken yet.

    Args:
        classes: which ones, in order, repeated ones too; the figures of a string will do.
        probabilities: (N, K), a row for each image.

    Returns:
        Places of rows, none twice.
    """
    places: list[int] = []
    for one in classes:
        order = probabilities[:, int(one)].argsort(descending=True).tolist()
        places.append(next(place for place in order if place not in places))
    return places
