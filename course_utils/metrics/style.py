"""Style as a classifier's features see it: which of them occur together, wherever in the image that is.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", CVPR 2016.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from course_utils.data import check_images
from course_utils.metrics.classifiers import Classifier


@torch.no_grad()
def feature_maps(classifier: Classifier, images: Tensor) -> list[Tensor]:
    """The maps after each ReLU of the classifier, the finest first: images → a list of (N, C, H, W)."""
    check_images(images, shape=classifier.image_shape)
    maps, seen = images.float(), []
    for layer in classifier.layers:
        maps = layer(maps)
        if maps.ndim == 4 and not isinstance(layer, nn.AdaptiveAvgPool2d) and _rectifies(layer):
            seen.append(maps)
    return seen


def _rectifies(layer: nn.Module) -> bool:
    """A ReLU, or a block that ends in one: what else there is has no children."""
    return isinstance(layer, nn.ReLU) or any(True for _ in layer.children())


def gram_matrix(maps: Tensor) -> Tensor:
    """G_ij = Σ over places of f_i·f_j / (H·W): (N, C, H, W) → (N, C, C).

    Sums over all places forget where things are. Without the division it is the paper's matrix.
    """
    flat = maps.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def style_distance(
    classifier: Classifier, images: Tensor, targets: Tensor, weights: Sequence[float] | None = None
) -> float:
    """Σₗ wₗ·‖E G(images) − E G(targets)‖² / ‖E G(targets)‖², over the layers l of the classifier.

    The mean Gram matrices of two *sets* of images, so that none has to belong to another; divided by the
    targets' own, so that each layer counts alike.

    Args:
        classifier: such as `load_classifier("mnist")`.
        images, targets: (N, C, H, W) and (M, C, H, W) in [-1, 1].
        weights: of the layers; equal ones, which add up to 1, if None.

    Returns:
        At least 0; 0 where the sets have the same mean matrices.
    """
    means = [
        [
            sum(gram_matrix(maps).sum(0) for maps in per_layer) / len(side)
            for per_layer in zip(*(feature_maps(classifier, some) for some in side.split(200)), strict=True)
        ]
        for side in (images, targets)
    ]
    layers = len(means[0])
    weights = [1 / layers] * layers if weights is None else weights
    ratios = [
        ((ours - theirs).square().sum() / theirs.square().sum()).item()
        for ours, theirs in zip(*means, strict=True)
    ]
    return sum(weight * ratio for weight, ratio in zip(weights, ratios, strict=True))
