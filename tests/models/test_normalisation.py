import pytest
import torch
from torch import nn

from course_utils.models import (
    UPSAMPLING,
    dcgan_discriminator,
    dcgan_generator,
    largest_singular_value,
    spectrally_normalised,
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
