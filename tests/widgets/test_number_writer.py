"""The number writer, headless: what stands where, in whose style, and what is done with other signs."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.models import conditional_dcgan
from course_utils.plots import alt_text
from course_utils.widgets.number_writer import LONGEST, new_stage, number_writer, render


class Grey(nn.Module):
    """Draws each digit as a square whose grey is the digit, and notes the latents."""

    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.first, self.seen = nn.Linear(2, 2), []

    def forward(self, latents, labels):
        self.seen.append(latents)
        return (labels / 10)[:, None, None, None].expand(-1, 1, 28, 28) * 2 - 1


def reader(images):
    """Reads such squares, and a 7 as a 1."""
    digits = (5 * (images.mean((1, 2, 3)) + 1)).round().long()
    return torch.eye(10)[torch.where(digits == 7, 1, digits)]


def test_digits_stand_in_their_order_black_on_white():
    stage = new_stage()
    rendering = render(Grey(), reader, number="3 0-7", stage=stage)
    paper = np.asarray(stage.moving["number"].get_array())
    assert paper.shape == (28, 28 * LONGEST)
    shades = paper.reshape(28, LONGEST, 28).mean((0, 2))
    assert shades == pytest.approx([0.7, 1.0, 0.3, 1, 1, 1, 1, 1], abs=1e-5)
    assert rendering.numbers == {"asked for": "307", "read as": "301", "digits read as asked": 2}
    assert "307" in alt_text(rendering.figure) and "reads 301" in alt_text(rendering.figure)


def test_all_digits_share_one_latent_or_have_one_each():
    generator = Grey()
    render(generator, reader, number="123", style=4, step_1=0.5)
    render(generator, reader, number="123", style=4, step_1=0.5, shared=False)
    same, own = generator.seen
    assert torch.equal(same[0], same[2])
    torch.testing.assert_close(own[0], same[0])  # the first one's style is that of the slider
    assert (own[0] - own[1]).norm() > 0.1 and (own[1] - own[2]).norm() > 0.1
    render(generator, reader, number="1", style=4, step_1=-0.5)
    assert (generator.seen[-1][0] - same[0]).norm() == pytest.approx(1)


@pytest.mark.parametrize(("typed", "asked"), [("", ""), ("no", ""), ("1234567890", "12345678"), ("²٣4", "4")])
def test_any_text_can_be_typed(typed, asked):
    rendering = render(Grey(), reader, number=typed)
    assert rendering.numbers["asked for"] == asked
    if not asked:
        assert "nothing" in alt_text(rendering.figure)


def test_every_control_changes_the_picture():
    torch.manual_seed(0)
    shown = number_writer(conditional_dcgan("projection")[0].eval(), lambda images: images.flatten(1)[:, :10])
    for name, value in {"number": "71", "style": 3, "step_1": 2.0, "step_2": -1.0, "shared": False}.items():
        before = shown.picture.value
        shown.controls[name].value = value
        assert shown.picture.value != before and shown.problem.value == ""
    still = shown._repr_mimebundle_()[0]
    assert "asked for" in still["text/html"] and "71" in still["text/plain"]
