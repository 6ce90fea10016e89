"""What the patients learn: points of five hills on the plane, and scanned digits of 8×8 pixels."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from course_utils.data.toy import ring

HILLS = ring(5, radius=2.0, std=0.25)


def points(n: int, rng: torch.Generator) -> Tensor:
    """Points of five equal Gaussians on a circle, (n, 2)."""
    return HILLS.sample(n, rng)


def digits(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Images of digits as they are stored, uint8 (n, 1, 8, 8) from 0 to 255, and their labels (n,).

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (CC BY 4.0), as
    scikit-learn ships it.
    """
    images, labels = _all_digits()
    places = torch.randint(len(images), (n,), generator=rng)
    return images[places], labels[places]


@cache
def _all_digits() -> tuple[Tensor, Tensor]:
    from sklearn.datasets import load_digits  # imported here: it takes a second

    scans, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(np.round(scans * 255 / 16).astype(np.uint8))  # ink from 0 to 16
    return images.reshape(-1, 1, 8, 8), torch.from_numpy(labels).long()
