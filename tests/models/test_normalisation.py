import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models import (
    UPSAMPLING,
    convolution_norm,
    dcgan_discriminator,
    dcgan_generator,
    largest_singular_value,
    spectrally_normalised,
    weight_clipped,
)


@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_building_a_dcgan_initialises_all_of_it(upsampling):
    """A sample's standard deviation is off by 1/√(2n), relatively; four times that in one layer of 16,000."""
    torch.manual_seed(0)
    for network in (dcgan_generator(upsampling=upsampling), dcgan_discriminator()):
        weighted = [
            layer for layer in network.modules() if isinstance(getattr(layer, "weight", None), nn.Parameter)
        ]
        weighted = [layer for layer in weighted if not isinstance(layer, nn.BatchNorm2d)]
        assert len(weighted) >= 3
        for layer in weighted:
            tolerance = 4 * 0.02 / (2 * layer.weight.numel()) ** 0.5
            assert layer.weight.std().item() == pytest.approx(0.02, abs=tolerance)
            assert layer.bias is None or not layer.bias.any()


def test_spectral_normalisation_makes_the_largest_singular_value_one_everywhere():
    torch.manual_seed(0)
    network = spectrally_normalised(dcgan_discriminator((3, 32, 32), width=4))
    with torch.no_grad():
        for _ in range(100):  # each forward pass in training mode is one step of power iteration
            network(torch.randn(1, 3, 32, 32))
    weighted = [layer.weight for layer in network if hasattr(layer, "weight")]
    assert len(weighted) == 3
    for weight in weighted:
        assert torch.linalg.svdvals(weight.detach().flatten(1))[0] == pytest.approx(1, abs=1e-3)


def test_power_iteration_finds_the_largest_singular_value_from_below():
    rng = torch.Generator().manual_seed(0)
    left, _ = torch.linalg.qr(torch.randn(6, 6, generator=rng, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(9, 6, generator=rng, dtype=torch.float64))
    weight = left @ torch.diag(torch.tensor([3.0, 2.7, 2, 1, 0.5, 0.1], dtype=torch.float64)) @ right.T
    after = [largest_singular_value(weight, steps, rng=rng.manual_seed(1)).item() for steps in (1, 5, 100)]
    assert after[0] < after[1] < after[2] <= 3 + 1e-9
    assert after[0] < 2.9 and after[2] == pytest.approx(3, abs=1e-6)
    assert largest_singular_value(torch.zeros(2, 3), 1) == 0
    for given, steps in ((torch.zeros(2, 3, 4, 4), 1), (weight, 0)):
        with pytest.raises(ValueError, match="a matrix and at least 1 step"):
            largest_singular_value(given, steps)


# --- weight clipping ---


def test_no_forward_pass_sees_a_weight_outside_the_box():
    torch.manual_seed(0)
    network = weight_clipped(nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1)), 0.1)
    seen = []
    network[0].register_forward_hook(
        lambda layer, inputs, output: seen.append(layer.weight.abs().max().item())
    )
    optimizer = torch.optim.SGD(network.parameters(), 5.0)
    for _ in range(3):
        loss = network(torch.randn(8, 3)).mean() - network(torch.randn(8, 3)).mean()  # two passes, then back
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network(torch.zeros(1, 3))
    assert len(seen) == 7 and max(seen) <= 0.1 + 1e-7
    assert all(weights.abs().max() <= 0.1 + 1e-7 for weights in network.parameters())


def test_clipping_is_a_projection_after_each_step_as_in_the_paper():
    def play(network, clip):
        optimizer = torch.optim.Adam(network.parameters(), 0.05)
        for step in range(5):
            batch = torch.randn(16, 3, generator=torch.Generator().manual_seed(step))
            loss = network(batch).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            clip(network)
        network(batch)
        return torch.cat([weights.detach().flatten() for weights in network.parameters()])

    def by_hand(network):
        with torch.no_grad():
            for weights in network.parameters():
                weights.clamp_(-0.1, 0.1)

    torch.manual_seed(1)
    start = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    by_hand(start)
    clipped = weight_clipped(copy.deepcopy(start), 0.1)
    assert torch.equal(play(clipped, lambda network: None), play(start, by_hand))


def test_a_copy_of_a_clipped_network_clips_itself():
    network = copy.deepcopy(weight_clipped(nn.Linear(2, 1), 0.01))
    nn.init.constant_(network.weight, 5.0)
    network(torch.zeros(1, 2))
    assert network.weight.abs().max() <= 0.01 + 1e-9


def test_a_box_needs_a_size():
    with pytest.raises(ValueError, match="bound must be positive, got 0"):
        weight_clipped(nn.Linear(2, 1), 0)


# --- the norm of a convolution ---


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(3, 1, 1), (4, 2, 1), (5, 2, 0)])
def test_the_norm_of_a_convolution_is_that_of_the_matrix_that_it_is(kernel, stride, padding):
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 3, kernel, stride, padding).double()
    size = 7
    pixels = torch.eye(2 * size * size, dtype=torch.float64).reshape(-1, 2, size, size)
    columns = F.conv2d(pixels, layer.weight, stride=stride, padding=padding).flatten(1).T  # without the bias
    exact = torch.linalg.matrix_norm(columns.detach(), ord=2)
    found = convolution_norm(layer, (2, size, size), steps=2_000)
    torch.testing.assert_close(found, exact, rtol=1e-4, atol=0)
    as_matrix = torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
    assert found <= math.ceil(kernel / stride) * as_matrix * (1 + 1e-6)


def test_a_convolution_can_stretch_three_times_as_far_as_its_kernel_taken_as_a_matrix():
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    nn.init.constant_(layer.weight, 1 / 3)  # as a matrix of one row: norm 1
    assert torch.linalg.svdvals(layer.weight.detach().flatten(1))[0].item() == pytest.approx(1, abs=1e-6)
    assert 2.9 < convolution_norm(layer, (1, 40, 40), steps=300).item() <= 3 + 1e-5
