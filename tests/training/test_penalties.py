"""Penalties in closed form, on critics whose slope is known."""

import inspect

import pytest
import torch
from torch import nn

from course_utils.training import penalties
from course_utils.training.gan import Penalty
from course_utils.training.penalties import r1, squared_slopes

WEIGHTS = torch.tensor([3.0, -4.0])  # ‖w‖² = 25

# Name → (its value on the linear critic t(x) = w·x at strength γ, its gradient with respect to w).
CLOSED_FORMS = {
    "r1": (lambda gamma: gamma / 2 * 25, lambda gamma: gamma * WEIGHTS),
}


def all_penalties():
    """The functions of the module that return a penalty."""
    functions = inspect.getmembers(penalties, inspect.isfunction)
    return {
        name: function
        for name, function in functions
        if function.__module__ == penalties.__name__ and function.__annotations__.get("return") is Penalty
    }


def test_every_penalty_has_its_closed_form():
    assert CLOSED_FORMS.keys() == all_penalties().keys()


class Linear(nn.Module):
    """t(x) = w·x, or, with a label, (1 + y)·w·x."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(WEIGHTS.clone())

    def forward(self, x, y=None):
        logits = x @ self.w
        return logits if y is None else (1 + y) * logits


@pytest.mark.parametrize("gamma", [0.0, 1.0, 10.0])
@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_penalties_of_a_linear_critic_have_their_closed_form(name, gamma):
    value, slope = CLOSED_FORMS[name]
    critic, real, fake = Linear(), torch.randn(7, 2), torch.randn(7, 2)
    found = all_penalties()[name](gamma)(critic, (real,), (fake,))
    assert found.item() == pytest.approx(value(gamma))
    found.backward()
    torch.testing.assert_close(critic.w.grad, slope(gamma))
    assert not real.requires_grad and not fake.requires_grad  # the samples are left as they were


def test_the_norm_is_that_of_a_whole_image_and_each_sample_has_its_own():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(16, 1, bias=False), nn.Flatten(0))
    nn.init.constant_(critic[1].weight, 0.5)
    slopes = squared_slopes(critic, (torch.randn(5, 1, 4, 4),))
    torch.testing.assert_close(slopes, torch.full((5,), 16 * 0.25))


def test_the_slope_is_taken_at_the_samples_own_label():
    slopes = squared_slopes(Linear(), (torch.randn(3, 2), torch.tensor([0, 1, 2])))
    torch.testing.assert_close(slopes, 25 * torch.tensor([1.0, 4.0, 9.0]))


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match="at least 0, got -1"):
        r1(-1)
