"""Mode coverage: which of the data's hills does the generator find, and how many samples sit on one?"""

from typing import NamedTuple

import torch
from torch import Tensor


class ModeCoverage(NamedTuple):
    """What `mode_coverage` found."""

    covered: int  # modes with enough good samples
    modes: int  # modes that there are
    good_fraction: float  # fraction of the samples that lie on a mode, in [0, 1]
    counts: Tensor  # (modes,) good samples on each


def mode_coverage(
    samples: Tensor, modes: Tensor, std: float, within: float = 3.0, at_least: int = 1
) -> ModeCoverage:
    """A sample is good if it lies within 3σ of its nearest mode; a mode is covered if it has a good sample.

    These are the "high quality samples" and "modes captured" of VEEGAN (Srivastava et al. 2017,
    arXiv:1705.07761). Of a perfect generator's samples on the plane, 1 − exp(−9/2) = 98.9 % are good.

    Args:
        samples: generated points (N, dim), N ≥ 1.
        modes: centres of the data's modes (K, dim), e.g. `ring().modes`.
        std: standard deviation σ of a mode, > 0.
        within: radius of a mode, in standard deviations.
        at_least: good samples that make a mode covered; raise it to ask for more than a stray point.

    Raises:
        ValueError: shapes that do not match, or a standard deviation that is not positive.
    """
    if samples.ndim != 2 or modes.ndim != 2 or samples.shape[1] != modes.shape[1] or not len(samples):
        raise ValueError(
            f"samples (N, dim) and modes (K, dim) must share dim, with N ≥ 1, got {tuple(samples.shape)} and "
            f"{tuple(modes.shape)}; pass one row a point"
        )
    if not std > 0:
        raise ValueError(f"std must be positive, got {std}; take it from the density that has the modes")
    distance, nearest = torch.cdist(samples.detach().double().cpu(), modes.double().cpu()).min(dim=1)
    good = distance <= within * std  # NaN is never good
    counts = torch.bincount(nearest[good], minlength=len(modes))
    return ModeCoverage(
        covered=int((counts >= at_least).sum()),
        modes=len(modes),
        good_fraction=good.double().mean().item(),
        counts=counts,
    )
