"""Cells of a line or plane: how much of a density lies in each, and how many of some samples."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def cell_probabilities(log_prob: Callable[[Tensor], Tensor], edges: Tensor, dim: int = 1) -> Tensor:
    """P(cell) = ∫ over the cell of exp(log_prob(x)) dx, for the cells of a lattice and for what lies outside.

    Gauss–Legendre quadrature with 8 points along each axis of a cell: for a Gaussian whose standard deviation
    is at least half a cell's width, exact to about seven digits.

    Args:
        log_prob: log-density, from points (N, dim) to (N,).
        edges: of the cells along each axis, increasing, shape (C + 1,).
        dim: 1 for a line, 2 for a plane.

    Returns:
        Probabilities (C^dim + 1,), float64, summing to 1; the last one is of everything outside the lattice,
        and at least 1e-16: what rounding leaves of it.
    """
    edges = torch.as_tensor(edges, dtype=torch.float64)
    nodes, node_weights = map(torch.from_numpy, np.polynomial.legendre.leggauss(8))
    width = edges.diff()[:, None]
    x = (edges[:-1, None] + width * (nodes + 1) / 2).flatten()  # (8·C,)
    weights = (width * node_weights / 2).flatten()
    points = torch.cartesian_prod(*[x] * dim).reshape(-1, dim)
    volumes = torch.cartesian_prod(*[weights] * dim).reshape(-1, dim).prod(1)
    density = torch.cat([log_prob(part).exp() for part in points.split(2_000)])
    cells = (density * volumes).reshape([len(edges) - 1, 8] * dim)
    inside = cells.sum(dim=tuple(range(1, 2 * dim, 2))).flatten()
    outside = (1 - inside.sum()).clamp(min=1e-16)
    return torch.cat([inside, outside[None]])


def cell_frequencies(samples: Tensor, edges: Tensor) -> Tensor:
    """Fraction of samples in each cell of a lattice, and outside; the counterpart of `cell_probabilities`.

    Args:
        samples: (N, dim), N ≥ 1.
        edges: of the cells along each axis, increasing, shape (C + 1,).

    Returns:
        Frequencies (C^dim + 1,), float64, summing to 1; the last one is of the samples outside, NaN included.

    Raises:
        ValueError: the samples are not of shape (N, dim).
    """
    if samples.ndim != 2 or not len(samples):
        raise ValueError(
            f"samples must have shape (N, dim) with N ≥ 1, got {tuple(samples.shape)}; pass one row a sample."
        )
    samples, edges = samples.detach().double().cpu(), torch.as_tensor(edges, dtype=torch.float64)
    cells = len(edges) - 1
    inside = ((samples >= edges[0]) & (samples < edges[-1])).all(dim=1)
    place = torch.bucketize(samples, edges, right=True) - 1  # (N, dim), each in 0 … C − 1 where inside
    index = torch.zeros(len(samples), dtype=torch.int64)
    for axis in range(samples.shape[1]):
        index = index * cells + place[:, axis]
    index[~inside] = cells ** samples.shape[1]
    return torch.bincount(index, minlength=cells ** samples.shape[1] + 1).double() / len(samples)
