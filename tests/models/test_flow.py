"""The flow as a generator: order of the methods, the way back, the density, shapes."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from course_utils.models import (
    Flow,
    GaussianCorrected,
    count_parameters,
    integrate,
    mlp_velocity,
    sample,
)
from course_utils.theory import GaussianFlow

GAUSSIAN = GaussianFlow(torch.tensor([1.0, -0.5, 0.2]), torch.tensor([0.5, 2.0, 1.0]))


class Exact(nn.Module):
    """The velocity of a known flow."""

    def __init__(self):
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(()))

    def forward(self, points, times):
        return GAUSSIAN.velocity(points, times) + self.nothing


def noise(n=64, dim=3, seed=0):
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("heun", 2)])
def test_twice_the_steps_divide_the_error_by_two_to_the_order(method, order):
    """dx/dt = x·cos t has the solution x₀·exp(sin t)."""
    start = torch.tensor([[1.0], [-2.0]], dtype=torch.float64)

    def error(steps):
        end = integrate(lambda x, t: x * torch.cos(t)[:, None], start, steps, method)[-1]
        return (end - start * math.exp(math.sin(1))).abs().max().item()

    assert math.log2(error(20) / error(40)) == pytest.approx(order, abs=0.15)


def test_the_path_has_all_points_from_start_to_end():
    path = integrate(lambda x, t: torch.ones_like(x), noise(), steps=4, method="euler")
    assert path.shape == (5, 64, 3)
    torch.testing.assert_close(path[3], noise() + 0.75)


def test_every_velocity_is_asked_at_its_own_time():
    asked = []
    integrate(lambda x, t: asked.append(t[0].item()) or x, torch.zeros(1, 1), 2, "heun", span=(1.0, 0.0))
    assert asked == [1.0, 0.5, 0.5, 0.0]


@pytest.mark.parametrize(
    ("steps", "method", "words"), [(0, "heun", "steps must be"), (2, "rk4", "euler, heun")]
)
def test_no_steps_and_unknown_methods_are_refused(steps, method, words):
    with pytest.raises(ValueError, match=words):
        integrate(lambda x, t: x, torch.zeros(1, 1), steps, method)


def test_a_flow_samples_the_transported_gaussian_and_finds_the_way_back():
    flow = Flow(Exact(), (3,), steps=100, bounded=False)
    assert flow.latent_dim == 3
    made = flow(noise())
    torch.testing.assert_close(made, GAUSSIAN.transport(noise()), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(flow.encode(made), noise(), atol=2e-3, rtol=2e-3)


def test_the_density_is_that_of_the_gaussian():
    flow = Flow(Exact(), (3,), steps=200, bounded=False)
    points = GAUSSIAN.transport(noise(20, seed=1))
    exact = Independent(Normal(GAUSSIAN.mean, GAUSSIAN.std), 1).log_prob(points)
    torch.testing.assert_close(flow.log_prob(points), exact, atol=2e-3, rtol=2e-3)
    assert flow.velocity.nothing.grad is None


def test_hutchinsons_estimate_is_right_on_average_where_the_jacobian_is_not_diagonal():
    """v = A·x carries N(0, I) to N(0, S), S = exp(A)·exp(A)ᵀ; A is not symmetric, one probe is not exact."""
    matrix = torch.tensor([[0.3, 0.8], [-0.2, -0.1]])

    class Linear(nn.Module):
        def forward(self, points, times):
            return points @ matrix.T

    flow = Flow(Linear(), (2,), steps=10, bounded=False)
    points = noise(4, 2, seed=3)
    growth = torch.matrix_exp(matrix)
    exact = torch.distributions.MultivariateNormal(torch.zeros(2), growth @ growth.T).log_prob(points)
    assert (flow.log_prob(points) - exact).abs().min() > 0.5  # r₁·r₂·(a₁₂ + a₂₁) is 0.6 or −0.6
    torch.testing.assert_close(flow.log_prob(points, probes=100), exact, atol=0.25, rtol=0)


def test_images_are_clamped_and_points_are_not():
    far = torch.full((2, 4), 50.0)

    class Still(nn.Module):
        def forward(self, points, times):
            return torch.zeros_like(points)

    assert Flow(Still(), (1, 2, 2))(far).max() == 1
    assert Flow(Still(), (4,), bounded=False)(far).max() == 50


def test_another_number_of_steps_shares_the_weights():
    flow = Flow(mlp_velocity((2,)), (2,), steps=3, method="euler", bounded=False).eval()
    finer = flow.with_steps(7)
    assert (finer.steps, finer.method, finer.bounded) == (7, "heun", False)
    assert finer.velocity is flow.velocity and not finer.training


def test_a_velocity_of_points_has_the_weights_of_its_layers():
    velocity = mlp_velocity((2,), 8, 3)
    assert count_parameters(velocity) == (32 + 1) * 64 + (66 + 1) * 8 + 3 * 9 * 8 + 9 * 2
    assert velocity(torch.zeros(5, 2), torch.rand(5)).shape == (5, 2)


def test_without_a_correction_the_closed_form_is_left():
    """A new `mlp_velocity` returns 0: the flow samples the Gaussian with the data's standard deviations."""
    std = torch.tensor([0.5, 2.0, 1.0])
    velocity = GaussianCorrected(mlp_velocity((3,), 8), std)
    exact = GaussianFlow(torch.zeros(3), std)
    times = torch.rand(64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(velocity(noise(), times), exact.velocity(noise(), times))


@pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
def test_what_the_closed_form_leaves_and_what_the_correction_sees_have_variance_one(time):
    std, seen = torch.tensor([0.5, 2.0, 1.0]), []

    class One(nn.Module):
        def forward(self, points, times):
            seen.append(points)
            return torch.ones_like(points)

    data, other, times = std * noise(100_000), noise(100_000, seed=1), torch.full((100_000,), time)
    points = (1 - time) * other + time * data
    velocity = GaussianCorrected(One(), std)(points, times)
    exact = GaussianFlow(torch.zeros(3), std).velocity(points, times)
    left, allowed = data - other - exact, velocity - exact
    torch.testing.assert_close((left / allowed).std(0), torch.ones(3), atol=0.02, rtol=0)
    torch.testing.assert_close(seen[0].std(0), torch.ones(3), atol=0.02, rtol=0)


def test_a_flow_is_sampled_like_any_generator():
    torch.manual_seed(0)
    flow = Flow(mlp_velocity((1, 4, 4), 8), (1, 4, 4), steps=2)
    nn.init.normal_(flow.velocity.leave.weight)
    images = sample(flow, 6, seed=1)
    assert images.shape == (6, 1, 4, 4) and images.abs().max() <= 1
    assert torch.equal(images, sample(flow, 6, seed=1))
    assert not torch.equal(images, sample(flow, 6, seed=2))
