import pytest
import torch
from torch.nn import functional as F

from course_utils.models import (
    UPSAMPLING,
    transposed_by_convolution,
    upsampling_layer,
)


@pytest.mark.parametrize("bias", [True, False])
def test_a_transposed_convolution_is_a_convolution_and_an_interleave(bias):
    rng = torch.Generator().manual_seed(0)
    maps = torch.randn(2, 3, 5, 7, generator=rng, dtype=torch.float64)
    weight = torch.randn(3, 4, 4, 4, generator=rng, dtype=torch.float64)
    bias = torch.randn(4, generator=rng, dtype=torch.float64) if bias else None
    expected = F.conv_transpose2d(maps, weight, bias, stride=2, padding=1)
    torch.testing.assert_close(transposed_by_convolution(maps, weight, bias), expected, rtol=0, atol=1e-13)


def test_the_equality_is_exact_where_sums_do_not_round():
    rng = torch.Generator().manual_seed(0)
    maps = torch.randint(-9, 10, (2, 3, 5, 7), generator=rng).float()
    weight = torch.randint(-9, 10, (3, 4, 4, 4), generator=rng).float()
    expected = F.conv_transpose2d(maps, weight, stride=2, padding=1)
    assert torch.equal(transposed_by_convolution(maps, weight), expected)


def test_the_layer_is_torchs_own_with_its_gradients():
    layer = upsampling_layer(3, 4, "transposed").double()
    own = torch.nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1).double()
    own.load_state_dict(layer.state_dict())
    maps = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    for network in (layer, own):
        network(maps).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, own.weight.grad)
    torch.testing.assert_close(layer.bias.grad, own.bias.grad)


@pytest.mark.parametrize("method", UPSAMPLING)
def test_upsampling_doubles(method):
    assert upsampling_layer(3, 5, method)(torch.randn(2, 3, 4, 6)).shape == (2, 5, 8, 12)
