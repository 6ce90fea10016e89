"""The critic's valleys, headless: what it says is true, and its controls drive it."""

import math

import numpy as np
import pytest

from course_utils.plots import alt_text
from course_utils.widgets.critic_explorer import SLOPES, critic_explorer, render


@pytest.mark.parametrize(("distance", "log_weight"), [(1.0, 1.0), (2.0, 1.0), (1.5, 0.0), (3.0, 0.0)])
def test_the_valleys_are_where_the_curves_are_lowest(distance, log_weight):
    found = render(distance, log_weight)
    curve = found.figure.axes[0].lines[1].get_ydata()
    right, left = SLOPES > 0, SLOPES < -0.02
    best = SLOPES[right][curve[right].argmin()]
    assert found.numbers["estimate, right valley"] == pytest.approx(best * distance, abs=0.02 * distance)
    inner = curve[left]
    place = inner.argmin()
    if 0 < place < len(inner) - 1:  # a valley, not an end
        wrong = SLOPES[left][place]
        assert found.numbers["estimate, wrong valley"] == pytest.approx(wrong * distance, abs=0.02 * distance)
    else:
        assert math.isnan(found.numbers["estimate, wrong valley"])


def test_the_one_sided_penalty_has_one_valley_the_same_right_one():
    curve = render(1.0, 1.0).figure.axes[0].lines[2].get_ydata()
    assert SLOPES[curve.argmin()] == pytest.approx(1.05, abs=0.02)
    turns = np.sign(np.diff(curve))
    assert (turns[SLOPES[:-1] < 1.0] < 0).all()  # downhill all the way there


def test_the_picture_says_what_it_shows():
    assert "no second valley" in alt_text(render(4.0, 0.0).figure)
    assert "a second valley at slope -0.95" in alt_text(render(1.0, 1.0).figure)


@pytest.mark.parametrize("name", ["distance", "log_weight"])
def test_every_control_drives_the_picture_and_survives_its_ends(name):
    shown = critic_explorer()
    control = shown.controls[name]
    pictures = {shown.picture.value}
    for value in (control.min, control.max):
        control.value = value
        pictures.add(shown.picture.value)
        assert shown.problem.value == ""
    assert len(pictures) == 3


def test_a_distance_of_zero_is_refused():
    with pytest.raises(ValueError, match="must be positive, got 0"):
        render(0.0)
