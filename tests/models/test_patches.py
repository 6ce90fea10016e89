"""Discriminators of patches, and their receptive fields: by formula, by gradient, by hand."""

import pytest
import torch
from torch import nn

from course_utils.models import (
    PatchDiscriminator,
    TwoDiscriminators,
    convolution_sizes,
    count_parameters,
    gradient_window,
    receptive_field,
    receptive_window,
)


@pytest.mark.parametrize(("layers", "field"), [(0, 1), (1, 16), (2, 34), (3, 70)])
def test_the_fields_are_those_that_pix2pix_names(layers, field):
    """Isola et al. 2017 name 1×1, 16×16 and 70×70."""
    network = PatchDiscriminator((3, 256, 256), 3, width=1, layers=layers).layers
    assert receptive_field(convolution_sizes(network)) == field


def test_the_formula_by_hand():
    assert receptive_field([]) == 1
    assert receptive_field([(3, 1)]) == 3
    assert receptive_field([(3, 1), (3, 1)]) == 5
    assert receptive_field([(3, 2), (3, 1)]) == 7  # 3 + 2·2
    assert receptive_field([(4, 2), (4, 1), (4, 1)]) == 4 + 3 * 2 + 3 * 2
    pooled = nn.Sequential(nn.Conv2d(1, 1, 3), nn.MaxPool2d(2), nn.Conv2d(1, 1, 3))
    assert convolution_sizes(pooled) == [(3, 1, 0), (2, 2, 0), (3, 1, 0)]
    assert receptive_field(convolution_sizes(pooled)) == 3 + 1 + 2 * 2


@pytest.mark.parametrize("layers", [0, 1, 2])
@pytest.mark.parametrize("position", [(0, 0), (3, 4), (4, 2)])
def test_the_window_is_where_the_gradient_is(layers, position):
    torch.manual_seed(0)
    network = PatchDiscriminator((1, 28, 28), width=4, layers=layers).layers
    found = gradient_window(network, (1, 28, 28), position)
    inside = [
        min(27, max(0, pixel)) for axis in position for pixel in receptive_window(network, axis)
    ]  # what lies outside the image is padding
    assert list(found) == inside


@pytest.mark.parametrize(
    ("size", "layers", "patches"), [(28, 1, (12, 12)), (32, 1, (14, 14)), (28, 2, (5, 5))]
)
def test_an_image_has_as_many_logits_as_patches(size, layers, patches):
    network = PatchDiscriminator((3, size, size), 1, width=4, layers=layers)
    assert network.patches == patches and network.logits_per_sample == patches[0] * patches[1]
    images, sources = torch.randn(2, 3, size, size), torch.randn(2, 1, size, size)
    logits = network(images, sources)
    assert logits.shape == (2 * network.logits_per_sample,)
    torch.testing.assert_close(logits.chunk(2)[1], network(images[1:], sources[1:]))  # an image's in a row


def test_a_small_source_is_repeated_up_to_the_image():
    network = PatchDiscriminator((1, 28, 28), 1, width=4)
    images, source = torch.randn(2, 1, 28, 28), torch.randn(2, 1, 7, 7)
    large = source.repeat_interleave(4, 2).repeat_interleave(4, 3)
    torch.testing.assert_close(network(images, source), network(images, large))
    assert not torch.allclose(network(images, source), network(images, -source))


def test_weights_by_their_formula():
    network = PatchDiscriminator((3, 32, 32), 1, width=8, layers=2)
    expected = 16 * (4 * 8 + 8 * 16 + 16 * 32 + 32) + 8 + 16 + 32 + 1
    assert count_parameters(network) == expected


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="take fewer layers"):
        PatchDiscriminator((1, 28, 28), layers=4)
    with pytest.raises(ValueError, match="sees the whole map"):
        convolution_sizes(nn.Sequential(nn.Flatten(), nn.Linear(4, 1)))
    with pytest.raises(ValueError, match="square"):
        convolution_sizes(nn.Conv2d(1, 1, (3, 5)))


def test_two_discriminators_each_see_their_own():
    first, second = (
        PatchDiscriminator((1, 28, 28), width=2),
        PatchDiscriminator((1, 28, 28), width=2, layers=2),
    )
    both = TwoDiscriminators(first, second)
    targets, sources = torch.randn(3, 1, 28, 28), torch.randn(3, 1, 28, 28)
    logits = both(targets, sources)
    assert logits.shape == (3 * both.logits_per_sample,) and both.logits_per_sample == 144 + 25
    torch.testing.assert_close(logits[: 3 * 144], first(targets))
    torch.testing.assert_close(logits[3 * 144 :], second(sources))
