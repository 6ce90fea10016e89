"""Cells: what a density puts into them, and how samples are counted."""

import math

import pytest
import torch

from course_utils.data.toy import gaussian
from course_utils.theory import cell_frequencies, cell_probabilities


def test_cell_probabilities_are_differences_of_the_normal_distribution():
    edges = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64)
    one = torch.special.ndtr(edges / 0.3).diff()
    found = cell_probabilities(gaussian(0.0, 0.3).log_prob, edges, dim=1)
    torch.testing.assert_close(found[:-1], one, atol=1e-9, rtol=0)
    assert found[-1].item() == pytest.approx(2 * torch.special.ndtr(torch.tensor(-1 / 0.3)).item(), rel=1e-3)
    plane = cell_probabilities(gaussian([0.0, 0.3], 0.3).log_prob, edges, dim=2)
    other = torch.special.ndtr((edges - 0.3) / 0.3).diff()
    torch.testing.assert_close(plane[:-1].reshape(4, 4), one[:, None] * other, atol=1e-9, rtol=0)
    assert plane.sum().item() == pytest.approx(1, abs=1e-12)


def test_cell_frequencies_count_every_sample_once():
    edges = torch.tensor([0.0, 1.0, 2.0])
    samples = torch.tensor([[0.5, 0.5], [0.5, 1.5], [1.0, 0.0], [2.0, 0.5], [0.5, -0.1], [math.nan, 0.5]])
    counts = 6 * cell_frequencies(samples, edges)
    assert counts.tolist() == pytest.approx([1, 1, 1, 0, 3])  # (row, column) of x₁, x₂; then outside
    with pytest.raises(ValueError, match="one row a sample"):
        cell_frequencies(torch.zeros(3), edges)
