"""How close samples on a line or a plane are to their data: counted in cells, compared by divergences."""

from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.data.toy import Density
from course_utils.metrics.modes import mode_coverage
from course_utils.theory import cell_frequencies, cell_probabilities, js, kl

RADIUS = 3.0  # the part of the line or plane that is measured and shown goes from −3 to 3
CELL_EDGES = torch.linspace(-RADIUS, RADIUS, 31, dtype=torch.float64)  # cells of side 0.2


class Measured(NamedTuple):
    """What `measure` found."""

    js: float  # JS(p_data, p_g) between the cells, in nats; at most log 2
    kl: float  # KL(p_g ‖ p_data) between the cells, in nats
    covered: int  # modes that were found; 0 for data without modes
    good_fraction: float  # fraction of the samples on a mode; NaN for data without modes


def data_cells(density: Density, edges: Tensor = CELL_EDGES) -> Tensor:
    """The data's probability of each cell: exact where the density is known, else from a million samples."""
    if density.log_prob is None:
        return cell_frequencies(density.sample(1_000_000, torch.Generator().manual_seed(0)), edges)
    return cell_probabilities(density.log_prob, edges, density.dim)


def measure(samples: Tensor, density: Density, p_data: Tensor, edges: Tensor = CELL_EDGES) -> Measured:
    """How close the samples' histogram is to the data's cells; modes covered; fraction of good samples.

    With N samples the histogram is noisy, so that even a perfect generator scores JS ≈ (K − 1) / 8N and
    KL ≈ (K − 1) / 2N, where K is the number of cells that the data reaches.

    Args:
        samples: (N, dim).
        density: the data.
        p_data: what `data_cells` gave for it, with the same edges.
        edges: of the cells, along each axis.
    """
    p_model = cell_frequencies(samples, edges)
    covered, good_fraction = 0, float("nan")
    if density.modes is not None:
        coverage = mode_coverage(samples, density.modes, density.std)
        covered, good_fraction = coverage.covered, coverage.good_fraction
    return Measured(js(p_data, p_model).item(), kl(p_model, p_data).item(), covered, good_fraction)
