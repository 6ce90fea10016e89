"""The shell around every widget: fast frames equal slow ones, errors surface, a picture without a kernel."""

import io

import numpy as np
import pytest
from PIL import Image

from course_utils.plots import describe, new_figure
from course_utils.widgets._shell import Explorer, Rendering, Stage, slider


def line_stage() -> Stage:
    figure, axes = new_figure(width=3, height=2)
    (line,) = axes.plot([0, 1], [0, 0])
    axes.set(xlim=(0, 1), ylim=(-1, 1), xlabel="x", ylabel="y")
    return Stage(figure, {"line": line})


def render(height: float, stage: Stage) -> Rendering:
    if height > 0.9:
        raise ValueError("height must be at most 0.9")
    stage.moving["line"].set_ydata([0, height])
    return Rendering(describe(stage.figure, f"a line that rises to {height:g}"), {"height": height})


def explorer() -> Explorer:
    return Explorer(render, line_stage(), [{"height": slider("height", 0.5, -1, 1)}], "A line")


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def test_a_fast_frame_equals_a_full_drawing():
    stage = line_stage()
    render(-0.8, stage)
    stage.png()  # the still part is made here, and must not keep this line
    render(0.7, stage)
    fast = pixels(stage.png())
    stage.canvas.draw()
    slow = np.asarray(stage.canvas.buffer_rgba())[..., :3].astype(int)
    assert (abs(fast - slow).max(axis=2) > 8).mean() < 0.001  # only where the line crosses the frame


def test_moving_a_control_changes_picture_numbers_and_alternative_text():
    shown = explorer()
    before = shown.picture.value
    assert 'alt="a line that rises to 0.5"' in before and "0.5000" in shown.numbers.value
    shown.controls["height"].value = -0.5
    assert shown.picture.value != before
    assert 'alt="a line that rises to -0.5"' in shown.picture.value and "−0.5000" in shown.numbers.value


def test_an_error_in_a_callback_is_raised_and_shown_until_it_is_mended():
    shown = explorer()
    with pytest.raises(ValueError, match=r"at most 0\.9"):
        shown.controls["height"].value = 1.0
    assert 'role="alert"' in shown.problem.value and "at most 0.9" in shown.problem.value
    shown.controls["height"].value = 0.0
    assert shown.problem.value == ""


def test_start_again_puts_everything_back():
    shown = explorer()
    at_first = shown.picture.value
    shown.controls["height"].value = -0.7
    shown.reset.click()
    assert shown.values() == {"height": 0.5} and shown.picture.value == at_first


def test_where_no_widget_runs_there_is_a_still_picture_with_alternative_text_and_numbers():
    data, metadata = explorer()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert 'alt="a line that rises to 0.5"' in data["text/html"] and "0.5000" in data["text/html"]
    assert "rises to 0.5" in data["text/plain"]
    assert metadata["image/png"]["alt"] == "a line that rises to 0.5"
