"""The D* explorer, headless: what it says is true, its controls drive it, and it is quick enough to drag."""

import math
import time

import pytest
from scipy.stats import norm

from course_utils.plots import alt_text
from course_utils.widgets.discriminator_explorer import discriminator_explorer, render


def test_equal_densities_are_the_equilibrium():
    numbers = render(data_mean=0.5, model_mean=0.5).numbers
    assert numbers["V(D*, G)"] == pytest.approx(-math.log(4))
    assert numbers["JS"] == pytest.approx(0, abs=1e-12)
    assert numbers["accuracy of D*"] == pytest.approx(0.5)


def test_numbers_have_their_closed_forms_for_a_shift():
    numbers = render(data_mean=-1, model_mean=1).numbers
    assert numbers["Wasserstein"] == pytest.approx(2, abs=1e-6)
    assert numbers["accuracy of D*"] == pytest.approx(
        norm.cdf(1), abs=1e-4
    )  # each Gaussian's share on its side of 0
    assert numbers["V(D*, G)"] == pytest.approx(numbers["2·JS − log 4"], abs=1e-9)


def test_two_hills_of_the_data_are_seen_where_they_are():
    stage_figure = render(data_mean=0, data_gap=6, model_mean=3).figure
    (density, _), (discriminator,) = stage_figure.axes[0].lines, stage_figure.axes[1].lines[1:]
    x, heights = density.get_data()
    assert abs(x[heights.argmax()]) == pytest.approx(3, abs=0.05)
    at_missed_hill = discriminator.get_ydata()[abs(x + 3).argmin()]
    at_shared_hill = discriminator.get_ydata()[abs(x - 3).argmin()]
    assert at_missed_hill > 0.99  # the generator never goes there
    assert at_shared_hill == pytest.approx(1 / 3, abs=0.01)  # ½ of the data against all of the generator


@pytest.mark.parametrize("name", ["data_mean", "data_std", "data_gap", "model_mean", "model_std"])
def test_every_control_drives_the_picture_and_survives_its_ends(name):
    shown = discriminator_explorer()
    control = shown.controls[name]
    pictures = {shown.picture.value}
    for value in (control.min, control.max):
        control.value = value
        pictures.add(shown.picture.value)
        assert shown.problem.value == ""
    assert len(pictures) >= 2


def test_all_controls_at_their_worst_ends_still_hold_the_densities():
    shown = discriminator_explorer()
    for end in ("max", "min"):
        for control in shown.controls.values():
            control.value = getattr(control, end)
        assert shown.problem.value == ""


@pytest.mark.parametrize("std", [0.4, 0.5, 0.6])
@pytest.mark.parametrize("gap", [0.0, 3.0, 6.0])
@pytest.mark.parametrize("model_mean", [-4.0, 0.0, 3.0])
def test_narrow_hills_have_finite_numbers(std, gap, model_mean):
    numbers = render(0.0, std, gap, model_mean, std).numbers
    assert all(math.isfinite(number) for number in numbers.values()), numbers
    assert numbers["2·JS − log 4"] == pytest.approx(numbers["V(D*, G)"], abs=1e-6)


def test_controls_are_named_and_the_picture_is_described():
    shown = discriminator_explorer()
    assert all(control.description for control in shown.controls.values())
    assert "two hills 4 apart around 0" in alt_text(render(data_mean=0, data_gap=4).figure)


def test_a_density_outside_the_range_is_refused():
    with pytest.raises(ValueError, match="spreads must be positive"):
        render(data_std=0)
    with pytest.raises(ValueError, match="total probability 1"):
        render(model_mean=25)


def test_a_redraw_is_quick_enough_to_drag():
    shown = discriminator_explorer()
    seconds = []
    for step in range(10):
        start = time.perf_counter()
        shown.controls["model_mean"].value = -3 + 0.1 * step
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # the fastest of ten: a busy machine must not fail the test
