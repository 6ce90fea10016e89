"""Penalties in closed form, on critics whose slope is known."""

import inspect

import pytest
import torch
from torch import nn

from course_utils.training import penalties
from course_utils.training.gan import Penalty
from course_utils.training.penalties import (
    gradient_penalty,
    one_sided_gradient_penalty,
    r1,
    r2,
    slopes,
    squared_slopes,
)

WEIGHTS = torch.tensor([3.0, -4.0])  # ‖w‖² = 25

# Name → (its value on the linear critic t(x) = w·x at strength γ, its gradient with respect to w).
CLOSED_FORMS = {
    "r1": (lambda gamma: gamma / 2 * 25, lambda gamma: gamma * WEIGHTS),
    "r2": (lambda gamma: gamma / 2 * 25, lambda gamma: gamma * WEIGHTS),
    "r1_r2": (lambda gamma: gamma * 25, lambda gamma: 2 * gamma * WEIGHTS),
    "gradient_penalty": (lambda weight: weight * 16, lambda weight: 2 * weight * 4 * WEIGHTS / 5),
    "one_sided_gradient_penalty": (lambda weight: weight * 16, lambda weight: 2 * weight * 4 * WEIGHTS / 5),
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


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_a_negative_strength_is_refused(name):
    with pytest.raises(ValueError, match="at least 0, got -1"):
        all_penalties()[name](-1)


class Bowl(nn.Module):
    """t(x) = ½·‖x‖²: the slope at x is x itself, so that it tells where it was asked for."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.asked = []

    def forward(self, x):
        self.asked.append(x.detach())
        return self.scale * 0.5 * x.flatten(1).square().sum(1)


REAL, FAKE = torch.full((3, 1, 2, 2), 3.0), torch.full((3, 1, 2, 2), -1.0)  # squared lengths 36 and 4


def test_r1_looks_at_the_data_and_r2_at_the_samples():
    assert r1(1.0)(Bowl(), (REAL,), (FAKE,)).item() == pytest.approx(18)
    assert r2(1.0)(Bowl(), (REAL,), (FAKE,)).item() == pytest.approx(2)


def test_the_gradient_penalty_looks_at_random_points_between_an_epsilon_for_each_image():
    torch.manual_seed(0)
    real, fake = torch.randn(2_000, 1, 3, 3) + 4, torch.randn(2_000, 1, 3, 3) - 4
    critic = Bowl()
    value = gradient_penalty(10.0)(critic, (real,), (fake,))
    (between,) = critic.asked
    epsilon = ((between - fake) / (real - fake)).flatten(1)
    torch.testing.assert_close(epsilon, epsilon[:, :1].expand_as(epsilon), atol=1e-4, rtol=0)  # on a line
    shares = torch.histc(epsilon[:, 0], 10, 0, 1) / 2_000
    assert epsilon.min() >= -1e-4 and epsilon.max() <= 1 + 1e-4
    assert (shares - 0.1).abs().max() < 4 * (0.1 * 0.9 / 2_000) ** 0.5  # uniform: 4 standard deviations
    norms = between.flatten(1).norm(dim=1)
    torch.testing.assert_close(value, 10 * (norms - 1).square().mean())
    gradient_penalty(10.0)(critic, (real,), (fake,))
    assert not torch.equal(critic.asked[0], critic.asked[1])  # drawn anew at each call


@pytest.mark.parametrize(
    ("penalty", "value"), [(gradient_penalty, 10 * 0.75**2), (one_sided_gradient_penalty, 0.0)]
)
def test_a_slope_below_one_costs_something_on_two_sides_only(penalty, value):
    critic = Linear()
    with torch.no_grad():
        critic.w.mul_(0.05)  # of length ¼
    found = penalty(10.0)(critic, (torch.randn(4, 2),), (torch.randn(4, 2),))
    assert found.item() == pytest.approx(value)


def test_a_critic_without_any_slope_gets_a_finite_gradient():
    critic = Linear()
    nn.init.zeros_(critic.w)
    gradient_penalty(10.0)(critic, (torch.randn(4, 2),), (torch.randn(4, 2),)).backward()
    assert critic.w.grad.isfinite().all()


def test_the_gradient_penalty_takes_the_labels_of_the_real_samples():
    real, fake = (torch.randn(3, 2), torch.tensor([1, 1, 1])), (torch.randn(3, 2), torch.tensor([0, 0, 0]))
    assert gradient_penalty(1.0)(Linear(), real, fake).item() == pytest.approx((2 * 5 - 1) ** 2)


def test_slopes_are_flat_one_row_for_each_sample():
    assert slopes(Bowl(), (REAL,)).shape == (3, 4)
