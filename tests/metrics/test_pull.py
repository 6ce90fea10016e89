"""The arrows that a discriminator gives a generator."""

import torch
from torch import nn

from course_utils.losses import LOSSES
from course_utils.metrics import generator_pull
from course_utils.models import mlp_discriminator


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_pull_is_the_slope_of_one_samples_loss():
    class Plane(nn.Module):  # logit t(x) = a·x + b: everything is known
        def forward(self, x):
            return x @ torch.tensor([1.0, -2.0]) + 0.5

    points = torch.randn(7, 2, generator=rng())
    d = torch.sigmoid(Plane()(points))[:, None]
    slope = torch.tensor([1.0, -2.0])
    torch.testing.assert_close(generator_pull(Plane(), points), (1 - d) * slope)
    torch.testing.assert_close(generator_pull(Plane(), points, LOSSES["minimax"]), d * slope)


def test_pull_leaves_no_gradient_behind():
    discriminator = mlp_discriminator((2,), hidden=(8,))
    generator_pull(discriminator, torch.randn(4, 2))
    assert all(parameter.grad is None for parameter in discriminator.parameters())
