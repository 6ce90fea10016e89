"""Are generated images copies of training images? Their nearest neighbours tell, beside held-out images'."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data import check_images


class Nearest(NamedTuple):
    """The nearest training image of each image that was looked up."""

    distances: Tensor  # (N,) in the units of the vectors that were compared
    places: Tensor  # (N,) its place in the training set


def nearest(queries: Tensor, training: Tensor) -> Nearest:
    """The nearest training vector, by Euclidean distance, of each query: (N, d), (M, d) → N of them."""
    places = torch.cat([torch.cdist(some, training).argmin(dim=1) for some in queries.split(100)])
    # Once more for the one that was found: cdist goes by way of products, which leave copies above 0.
    return Nearest((queries - training[places]).double().norm(dim=1), places)


def thumbnails(images: Tensor) -> Tensor:
    """Images as vectors for nearest neighbours: mean over 2×2 pixels, (N, C, H, W) → (N, C·H·W/4).

    A quarter of the numbers, and a copy that was shifted in its finest grain is still near.
    """
    check_images(images)
    return F.avg_pool2d(images.float(), 2).flatten(1)


def copying(fake: Tensor, held_out: Tensor) -> float:
    """P(a generated sample is nearer to the training set than a held-out one) + ½·P(equally near).

    That is Mann and Whitney's U, divided by the number of pairs: the three-sample test for data-copying
    (Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675), without its cells.

    Args:
        fake: distances of the generated samples to their nearest training samples, (N,).
        held_out: the same of real samples that were not trained on, (M,).

    Returns:
        ½ for fresh samples of the data's distribution, 1 for copies, less than ½ for samples that keep
        farther away than real ones, whatever the reason.
    """
    nearer = (fake[:, None] < held_out[None, :]).double().mean()
    equally_near = (fake[:, None] == held_out[None, :]).double().mean()
    return (nearer + equally_near / 2).item()


def copied_fraction(fake: Tensor, held_out: Tensor, training: Tensor) -> float:
    """`copying` of vectors (N, d) and (M, d), by their nearest training vectors (K, d)."""
    return copying(nearest(fake, training).distances, nearest(held_out, training).distances)
