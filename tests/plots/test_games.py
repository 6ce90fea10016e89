"""The figures of games on the plane: what they draw, and what their alternative texts say."""

import math

import pytest
import torch

from course_utils import plots
from course_utils.theory.game_dynamics import bilinear, extragradient, field_on_grid, play

PLACES, ARROWS = field_on_grid(bilinear(), radius=2.0, points=5)


def test_arrows_point_along_the_field_and_fit_between_the_places():
    drawn = torch.as_tensor(plots.field_arrows(PLACES, ARROWS))
    turned = drawn[:, 0] * ARROWS[:, 1] - drawn[:, 1] * ARROWS[:, 0]
    assert turned.abs().max() < 1e-12  # parallel
    assert (drawn * ARROWS).sum(dim=1).min() >= 0  # and not the other way
    assert drawn.norm(dim=1).max() == pytest.approx(0.9)  # places are 1 apart
    speeds = {tuple(place.tolist()): length for place, length in zip(PLACES, drawn.norm(dim=1), strict=True)}
    assert speeds[(2.0, 0.0)] / speeds[(1.0, 0.0)] == pytest.approx(math.sqrt(2))  # twice the speed


def test_phase_portraits_draw_each_run_and_tell_where_it_ends():
    run = play(bilinear(), extragradient, 0.2, 50)
    figure = plots.phase_portraits(
        {"one": (PLACES, ARROWS, {"inward": run}), "two": (PLACES, ARROWS, {})}, columns=2
    )
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("one", "two")
    line = next(line for line in first.lines if line.get_label() == "inward")
    assert torch.as_tensor(line.get_xydata()).allclose(run)
    assert first.get_xlabel() == "θ (generator)"
    assert f"ends {run[-1].norm():.2g} from it" in plots.alt_text(figure)


def test_predictions_start_where_the_run_starts():
    run = play(bilinear(), extragradient, 0.2, 50, start=(3.0, 0.0))
    figure = plots.distance_curves({"inward": run}, {"inward": 0.5})
    measured, predicted = figure.axes[0].lines
    assert measured.get_ydata()[0] == predicted.get_ydata()[0] == 3
    assert predicted.get_ydata()[1] == 1.5
    assert "inward: from 3 to" in plots.alt_text(figure)


def test_eigenvalues_stand_in_the_complex_plane():
    figure = plots.unit_circle({"out": [1 + 0.5j, 1 - 0.5j]})
    points = next(line for line in figure.axes[0].lines if line.get_label() == "out")
    assert points.get_xydata().tolist() == [[1, 0.5], [1, -0.5]]
    assert f"{abs(1 + 0.5j):.3f}" in plots.alt_text(figure)


def test_moments_show_sample_and_slope():
    moments = {"a": torch.tensor([1.0, -0.5]), "b": torch.tensor([0.2, 0.0])}
    figure = plots.dirac_moments(moments)
    line, _data, sample, _guide = figure.axes[0].lines
    assert sample.get_xydata().tolist() == [[1.0, -0.5]]
    slope = (line.get_ydata()[1] - line.get_ydata()[0]) / (line.get_xdata()[1] - line.get_xdata()[0])
    assert slope == pytest.approx(-0.5)
    assert "b: the sample is at 0.20" in plots.alt_text(figure)
