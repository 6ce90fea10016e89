"""The hole painter, headless: what is drawn is rubbed out, only that is filled, every control is heard."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from course_utils.data import line_hole
from course_utils.models import load_translator
from course_utils.plots import alt_text
from course_utils.widgets.hole_painter import MISSING, hole_of, hole_painter, new_stage, render

IMAGES = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1


class Fill(nn.Module):
    """The hole becomes a brightness, by the latent if there is one."""

    def __init__(self, latent_dim=0):
        super().__init__()
        self.latent_dim = latent_dim

    def forward(self, source, latents=None):
        value = torch.tensor(0.5) if latents is None else latents[0, 0].tanh()
        return torch.where(source[:, 1:] > 0, value, source[:, :1])


@pytest.fixture
def painter():
    return hole_painter(Fill(), Fill(3), IMAGES)


def draw(painter, places, done=True):
    """A stroke over these places of the image, as the browser reports it."""
    points = [list(painter._on_the_picture(*place)) for place in places]
    painter.picture._handle_custom_msg({"stroke": points, "done": done}, [])


def test_the_picture_shows_the_hole_and_what_fills_it():
    stage, strokes = new_stage(IMAGES), [[(5.0, 20.0), (12.0, 20.0)], [(20.0, 5.0)]]
    rendering = render(Fill(), Fill(3), IMAGES, strokes, digit=2, completion=4, width=4.0, stage=stage)
    hole = line_hole(torch.tensor(strokes[0]), (1, 28, 28), 4.0) | line_hole(
        torch.tensor(strokes[1]), (1, 28, 28), 4.0
    )
    inside = hole[0, 0].numpy()
    damaged, true = (np.asarray(stage.moving[name].get_array()) for name in ("damaged", "true"))
    assert np.allclose(damaged[inside], MISSING) and np.allclose(damaged[~inside], true[~inside])
    assert np.allclose(true[..., 0], (IMAGES[2, 0] + 1) / 2, atol=1e-6)
    filled = np.asarray(stage.moving["regression"].get_array())
    assert np.allclose(filled[inside], 0.75) and np.allclose(filled[~inside], true[~inside])
    assert rendering.numbers["missing pixels"] == inside.sum() > 30
    error = (0.5 - IMAGES[2][hole[0]]).square().mean().item()
    assert rendering.numbers["error of regression"] == pytest.approx(error, rel=1e-5)
    assert f"hole of {inside.sum()} pixels" in alt_text(rendering.figure)


def test_strokes_are_drawn_where_the_pointer_was_and_only_there(painter):
    painter.clear.click()
    draw(painter, [(4.0, 4.0), (4.0, 9.0)], done=False)
    draw(painter, [(9.0, 9.0)])
    draw(painter, [(20.0, 22.0)])
    assert len(painter.strokes) == 2
    assert np.allclose(painter.strokes[0], [(4, 4), (4, 9), (9, 9)], atol=1e-4)
    assert np.allclose(painter.strokes[1], [(20, 22)], atol=1e-4)
    outside = [[0.6, 0.5], [0.99, 0.99], [0.0, 0.0]]  # the other panels, and the margin
    painter.picture._handle_custom_msg({"stroke": outside, "done": True}, [])
    assert len(painter.strokes) == 2
    hole = hole_of(painter.strokes, (1, 28, 28), painter.controls["width"].value)
    assert f">{int(hole.sum())}</strong>" in painter.numbers.value


def test_every_control_changes_the_picture(painter):
    for name, value in {"digit": 3, "completion": 7, "width": 9.0}.items():
        before = painter.picture.jpeg
        painter.controls[name].value = value
        assert painter.picture.jpeg != before, name
    before = painter.picture.jpeg
    painter.another.click()
    assert painter.controls["completion"].value == 8 and painter.picture.jpeg != before
    painter.clear.click()
    assert painter.strokes == [] and ">0</strong>" in painter.numbers.value


def test_keys_reach_the_whole_image_and_begin_in_its_middle(painter):
    left, right, top, bottom = painter.picture.area
    corners = [
        painter._on_the_image(one) for one in ((left + 1e-9, top + 1e-9), (right - 1e-9, bottom - 1e-9))
    ]
    assert np.allclose(corners, [(0, 0), (28, 28)], atol=1e-3)
    assert painter._on_the_image(painter.picture.start) == pytest.approx((14, 14), abs=1e-3)


def test_an_error_is_shown_and_the_next_picture_clears_it(painter):
    working, painter.regression = painter.regression, lambda source: 1 / 0
    with pytest.raises(ZeroDivisionError):
        painter.controls["digit"].value = 4
    assert 'role="alert"' in painter.problem.value and "ZeroDivisionError" in painter.problem.value
    painter.regression = working
    painter.controls["digit"].value = 1
    assert painter.problem.value == ""


def test_the_page_without_a_kernel_shows_a_described_picture(painter):
    bundle, metadata = painter._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle and metadata["image/png"]["alt"]
    assert "alt=" in bundle["text/html"] and "still picture" in bundle["text/html"]
    frame = Image.open(io.BytesIO(painter.picture.jpeg))
    assert frame.width == painter.picture.width and np.asarray(frame).std() > 10


def test_the_shipped_networks_fill_holes_as_they_should():
    from course_utils import data

    test = data.load_mnist("test")
    images = data.to_model_range(test.images[:200])
    source = data.cut(images, data.centre_hole((1, 28, 28), 10))
    regression, gan = (load_translator(f"mnist_inpainting_{kind}") for kind in ("regression", "gan"))
    hole = source[:, 1:] > 0
    latents = torch.randn(2, 200, gan.latent_dim, generator=torch.Generator().manual_seed(0))
    by_regression, one, other = regression(source), gan(source, latents[0]), gan(source, latents[1])
    for filled in (by_regression, one, other):
        assert torch.equal(filled[~hole], images[~hole])
    errors = [(filled - images)[hole].square().mean() for filled in (by_regression, one)]
    assert errors[0] < errors[1] < images[hole].var()
    assert (one - other)[hole].std() > 0.02  # the latent says something
