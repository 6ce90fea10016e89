"""Labels as they come in life: some of them wrong, or few of them there."""

import torch
from torch import Tensor

from course_utils.data.convention import describe, to_model_range


def with_wrong_labels(
    labels: Tensor, fraction: float, rng: torch.Generator | None = None, classes: int = 10
) -> Tensor:
    """A fraction w of the labels, chosen at random, is replaced by a class drawn uniformly from all K.

    The draw may hit the right one: 1 − w + w/K of the labels stay right, and the confusion is symmetric.

    Args:
        labels: whole numbers (N,), below `classes`.
        fraction: w in [0, 1]; ⌊w·N⌉ labels are replaced.
        rng: what draws; None for PyTorch's own generator.
        classes: K.

    Returns:
        New labels (N,), of the same type.

    Raises:
        ValueError: a fraction outside [0, 1], or labels that are no whole numbers.
    """
    _check(labels)
    if not 0 <= fraction <= 1:
        raise ValueError(f"fraction must lie in [0, 1], got {fraction}; 0.1 is one label in ten.")
    chosen = torch.randperm(len(labels), generator=rng)[: round(fraction * len(labels))]
    drawn = torch.randint(classes, (len(chosen),), generator=rng)
    wrong = labels.clone()
    wrong[chosen.to(labels.device)] = drawn.to(labels)
    return wrong


def few_labels(labels: Tensor, per_class: int = 10, rng: torch.Generator | None = None) -> Tensor:
    """The places of `per_class` samples of each class, chosen at random: those whose labels are kept.

    Args:
        labels: whole numbers (N,).
        per_class: how many of each class.
        rng: what draws; None for PyTorch's own generator.

    Returns:
        Places (classes · per_class,), class after class.

    Raises:
        ValueError: a class has fewer samples than that.
    """
    _check(labels)
    kept = []
    for one in labels.unique().tolist():
        places = (labels == one).nonzero().flatten()
        if len(places) < per_class:
            raise ValueError(f"class {one} has {len(places)} samples, fewer than {per_class}; ask for fewer.")
        kept.append(places[torch.randperm(len(places), generator=rng)[:per_class].to(places.device)])
    return torch.cat(kept)


def spread_labels(images: Tensor, places: Tensor, labels: Tensor) -> Tensor:
    """A label for each image, from few: that of the labelled image nearest to it, pixel by pixel.

    Args:
        images: uint8 (N, C, H, W).
        places: (M,) the places of the labelled ones among them, as `few_labels` chooses them.
        labels: (M,) their labels.

    Returns:
        (N,); the labelled images keep their labels.

    Raises:
        ValueError: not one label for each place.
    """
    if places.shape != labels.shape:
        raise ValueError(
            f"needs a label for each place, got shapes {tuple(labels.shape)} and {tuple(places.shape)}; "
            "pass labels[places]."
        )
    known = to_model_range(images[places]).flatten(1)
    nearest = [torch.cdist(to_model_range(some).flatten(1), known).argmin(1) for some in images.split(1_000)]
    found = labels[torch.cat(nearest)]
    found[places] = labels  # two copies of one image may have different labels
    return found


def _check(labels: Tensor) -> None:
    if labels.ndim != 1 or labels.is_floating_point():
        raise ValueError(f"labels must be whole numbers (N,), got {describe(labels)}; convert them.")
