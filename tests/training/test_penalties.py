"""Penalties in closed form, on critics whose slope is known."""

import pytest
import torch
from torch import nn

from course_utils.training.penalties import r1, squared_slopes

WEIGHTS = torch.tensor([3.0, -4.0])  # ‖w‖² = 25


class Linear(nn.Module):
    """t(x) = w·x, or, with a label, (1 + y)·w·x."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(WEIGHTS.clone())

    def forward(self, x, y=None):
        logits = x @ self.w
        return logits if y is None else (1 + y) * logits


@pytest.mark.parametrize("gamma", [0.0, 1.0, 10.0])
def test_r1_of_a_linear_critic_is_half_gamma_times_its_squared_norm(gamma):
    critic, real = Linear(), torch.randn(7, 2)
    value = r1(gamma)(critic, (real,), (torch.zeros(7, 2),))
    assert value.item() == pytest.approx(gamma / 2 * 25)
    value.backward()
    torch.testing.assert_close(critic.w.grad, gamma * WEIGHTS)
    assert not real.requires_grad  # the data are left as they were


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
