"""Does a generator of classes draw what it was asked for, and more than one image of each?"""

from typing import NamedTuple

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from course_utils.metrics.classes import classifier_score
from course_utils.metrics.classifiers import in_batches
from course_utils.metrics.frechet import FrechetEvaluator, frechet_distance


def agreement(logits: Tensor, labels: Tensor) -> float:
    """P(argmaxₖ p(k | x) = y): the fraction of samples that a classifier reads as the class asked for.

    One perfect image of each class would have 1: without `diversity_within` it says nothing.

    Args:
        logits: of the classes, a row for each sample, (N, K).
        labels: (N,) what each sample was asked to be.
    """
    _check(logits, labels)
    return (logits.argmax(1) == labels).double().mean().item()


def diversity_within(features: Tensor, labels: Tensor, real: Tensor, real_labels: Tensor) -> float:
    """Mean over the classes of E‖f − E f‖² of the generated samples, over that of the real ones.

    1 where samples of a class spread like real ones, 0 where each class is one image. It may exceed 1.

    Args:
        features: of the generated samples, (N, d).
        labels: (N,) their classes; at least two samples of each.
        real: features of real samples, (M, d).
        real_labels: (M,) their classes, among them all of `labels`, at least two samples of each.

    Raises:
        ValueError: not one label for each row, or a class with fewer than two samples.
    """
    _check(features, labels)
    _check(real, real_labels)
    ratios = []
    for one in labels.unique().tolist():
        generated, photographed = features[labels == one], real[real_labels == one]
        if min(len(generated), len(photographed)) < 2:
            raise ValueError(
                f"class {one} has {len(generated)} generated and {len(photographed)} real samples; a spread "
                "needs two of each."
            )
        ratios.append(_spread(generated) / _spread(photographed))
    return torch.stack(ratios).mean().item()


class Naming(NamedTuple):
    """What `best_naming` found."""

    agreement: float  # fraction of the samples whose category's name is their class
    names: tuple[int, ...]  # the class that each category is named after


def best_naming(categories: Tensor, classes: Tensor, count: int = 10) -> Naming:
    """max over one-to-one names of P(name(c) = class): found categories held against known classes.

    What was learnt without labels has no names, so it is given the ones that suit it best: the accuracy of
    clustering (Xie, Girshick and Farhadi 2016, arXiv:1511.06335, equation 10), by the Hungarian method. By
    chance it is a little above 1 / count.

    Args:
        categories: (N,) whole numbers below `count`, found without labels.
        classes: (N,) whole numbers below `count`, known.
        count: how many there are of both.
    """
    table = torch.bincount(count * categories + classes, minlength=count**2).view(count, count)
    _, names = linear_sum_assignment(table.numpy(), maximize=True)
    matched = table[torch.arange(count), torch.from_numpy(names)].sum()
    return Naming((matched / len(classes)).item(), tuple(names.tolist()))


def conditional_scores(
    images: Tensor, labels: Tensor, evaluator: FrechetEvaluator, real: Tensor, real_labels: Tensor
) -> dict[str, float]:
    """Four numbers about samples that were asked to be of a class: good, sure, as asked, and diverse?

    Args:
        images: (N, C, H, W) in [-1, 1]; at least two of each class.
        labels: (N,) what each was asked to be. Equally many of each class, for the first two to mean much.
        evaluator: whose classifier reads the images.
        real: features of real images, (M, d), by that classifier.
        real_labels: (M,) their classes.

    Returns:
        "frechet": the Fréchet distance to the evaluator's real images; "inception": exp E KL(p(k|x) ‖ p(k)),
        the analogue of the inception score; "agreement" and "diversity" (`diversity_within`).
    """
    features = in_batches(evaluator.classifier.features, images)
    with torch.no_grad():
        logits = evaluator.classifier.head(features)
    return {
        "frechet": frechet_distance(evaluator.real, features),
        "inception": classifier_score(logits),
        "agreement": agreement(logits, labels),
        "diversity": diversity_within(features, labels, real, real_labels),
    }


def _spread(rows: Tensor) -> Tensor:
    return rows.double().var(0).sum()


def _check(rows: Tensor, labels: Tensor) -> None:
    if rows.ndim != 2 or labels.shape != rows.shape[:1]:
        raise ValueError(
            f"needs a row and a label for each sample, got {tuple(rows.shape)} and {tuple(labels.shape)}."
        )
