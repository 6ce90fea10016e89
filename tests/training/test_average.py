import copy
import math

import pytest
import torch
from torch import nn

from course_utils.training.average import averaged_copy, tenth_of_images, update_average


def number(value: float) -> nn.Module:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, value)
    return module


def average_of(values: list[float], batch_size: int, half_life: float) -> float:
    average = averaged_copy(number(-99.0))  # what came before training must not count
    for step, value in enumerate(values, 1):
        update_average(average, number(value), step * batch_size, batch_size, half_life)
    return average.weight.item()


def test_an_old_state_counts_half_after_the_half_life():
    """Two states, one half-life apart: weights ½ and 1, so (½·0 + 1·3) / 1½ = 2."""
    assert round(average_of([0.0, 3.0], batch_size=64, half_life=64), 5) == 2.0


def test_the_first_step_is_the_network_itself():
    assert average_of([7.0], batch_size=64, half_life=10_000) == 7.0


def test_it_is_the_weighted_mean_with_halving_weights():
    values = torch.randn(50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    ages = torch.arange(49, -1, -1, dtype=torch.float64) * 32
    weights = 0.5 ** (ages / 200)
    expected = (weights * values).sum() / weights.sum()
    assert abs(average_of(values.tolist(), batch_size=32, half_life=200) - expected) < 1e-5


def test_the_batch_size_changes_nothing():
    """A constant, then a jump: twice the batch in half the steps gives the same average."""
    small = average_of([0.0] * 100 + [1.0] * 20, batch_size=32, half_life=500)
    large = average_of([0.0] * 50 + [1.0] * 10, batch_size=64, half_life=500)
    assert abs(small - large) < 1e-6


def test_an_average_over_a_tenth_of_the_images_is_always_as_far_behind_in_proportion():
    """Of a weight that is its step's number, the average is a fixed part.

    With decay 2^(−b / (n/10)), A(n + b) − A(n) ≈ p·b/n · (n − A(n)), p = 10·log 2, so that A = p/(p + 1)·n.
    """
    average = averaged_copy(number(-99.0))  # what came before training must not count
    behind = []
    for step in range(1, 2_001):
        update_average(average, number(float(step)), 32 * step, 32, tenth_of_images(32 * step))
        behind.append(1 - average.weight.item() / step)
    assert behind[0] == 0
    assert behind[199] == pytest.approx(1 / (10 * math.log(2) + 1), rel=0.05)
    assert behind[1_999] == pytest.approx(1 / (10 * math.log(2) + 1), rel=0.01)


def test_without_a_half_life_it_is_the_last_network():
    assert average_of([1.0, 2.0, 5.0], batch_size=8, half_life=0) == 5.0


def test_buffers_are_averaged_and_counters_copied():
    network = nn.BatchNorm1d(1)
    average = averaged_copy(network)
    for step, mean in enumerate((0.0, 3.0), 1):
        network.running_mean.fill_(mean)
        network.num_batches_tracked.fill_(step)
        update_average(average, network, step * 64, 64, 64)
    torch.testing.assert_close(average.running_mean, torch.tensor([2.0]))
    assert average.num_batches_tracked == 2


def test_the_copy_is_apart_from_the_network():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    before = copy.deepcopy(network.state_dict())
    average = averaged_copy(network)
    network(torch.randn(4, 2)).sum().backward()
    with torch.no_grad():
        network[0].weight += 1
    assert not average.training and network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in average.state_dict().items())
    assert not any(parameter.requires_grad for parameter in average.parameters())


def test_running_statistics_belong_to_the_averaged_network():
    """In evaluation mode the averaged network still brings its own activations to mean 0 and variance 1."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, affine=False))
    average = averaged_copy(network)
    for step in range(1, 301):
        with torch.no_grad():
            network[0].weight += 0.003 * torch.randn_like(network[0].weight)
        network(torch.randn(64, 4))
        update_average(average, network, 64 * step, 64, 64 * 20)
    out = average(torch.randn(5000, 4))
    assert out.mean(0).abs().max() < 0.1
    assert (out.var(0) - 1).abs().max() < 0.2
