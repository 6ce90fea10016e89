"""The closed form of flow matching for Gaussians, against simulation and the differential equation."""

import pytest
import torch

from course_utils.models import integrate
from course_utils.theory import GaussianFlow

FLOW = GaussianFlow(
    torch.tensor([1.0, -2.0], dtype=torch.float64), torch.tensor([0.3, 2.0], dtype=torch.float64)
)


@pytest.mark.parametrize("time", [0.1, 0.5, 0.8])
def test_the_velocity_is_the_regression_of_the_paths_own_velocities(time):
    """Least squares of x − ε on (1, x_t), over half a million simulated paths, by numpy's way of it."""
    rng = torch.Generator().manual_seed(0)
    noise, other = (torch.randn(500_000, 2, generator=rng, dtype=torch.float64) for _ in range(2))
    data = FLOW.transport(other)
    points = (1 - time) * noise + time * data
    for dim in range(2):
        columns = torch.stack([torch.ones(len(points), dtype=torch.float64), points[:, dim]], dim=1)
        fitted = torch.linalg.lstsq(columns, (data - noise)[:, dim, None]).solution
        grid = torch.zeros(3, 2, dtype=torch.float64)
        grid[:, dim] = torch.tensor([-1.0, 0.0, 2.0])
        velocity = FLOW.velocity(grid, torch.full((3,), time, dtype=torch.float64))[:, dim]
        expected = fitted[0] + fitted[1] * grid[:, dim]
        torch.testing.assert_close(velocity, expected, atol=0.02, rtol=0.01)


def test_following_the_velocity_is_the_transport():
    noise = torch.randn(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    end = integrate(FLOW.velocity, noise, steps=400)[-1]
    torch.testing.assert_close(end, FLOW.transport(noise), atol=1e-4, rtol=1e-4)


def test_on_the_way_points_are_spread_as_the_marginal_says():
    noise = torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    path = integrate(FLOW.velocity, noise, steps=100)
    for step in (0, 30, 75, 100):
        mean, std = FLOW.marginal(step / 100)
        torch.testing.assert_close(path[step].mean(0), mean, atol=0.03, rtol=0.01)
        torch.testing.assert_close(path[step].std(0), std, atol=0.01, rtol=0.01)


def test_the_least_loss_is_what_the_best_velocity_leaves_and_another_leaves_more():
    rng = torch.Generator().manual_seed(0)
    noise, other = (torch.randn(200_000, 2, generator=rng, dtype=torch.float64) for _ in range(2))
    data, times = FLOW.transport(other), torch.full((200_000,), 0.6, dtype=torch.float64)
    points = 0.4 * noise + 0.6 * data
    error = (FLOW.velocity(points, times) - (data - noise)).square().mean()
    assert error.item() == pytest.approx(FLOW.least_loss(0.6).item(), rel=0.01)
    assert ((FLOW.velocity(points, times) + 0.3 - (data - noise)).square().mean() > error + 0.08).item()
