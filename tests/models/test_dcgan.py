import pytest
import torch

from course_utils.models import (
    UPSAMPLING,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_one_description_serves_both_image_sizes(shape, upsampling):
    generator = dcgan_generator(shape, latent_dim=5, width=4, upsampling=upsampling)
    images = generator(torch.randn(3, generator.latent_dim))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert dcgan_discriminator(shape, width=4)(images).shape == (3,)


def test_discriminators_return_logits_not_probabilities():
    images = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for discriminator in (dcgan_discriminator(width=4), mlp_discriminator((1, 28, 28))):
        with torch.no_grad():  # a sigmoid or a softmax at the end could not follow this
            for layer in reversed(discriminator):
                if isinstance(layer, torch.nn.Linear):
                    layer.bias += 100
                    break
        assert discriminator(images).min() > 50


def test_unknown_upsampling_lists_the_known_ones():
    with pytest.raises(ValueError, match="transposed, resize, pixel_shuffle, got 'bilinear'"):
        dcgan_generator(upsampling="bilinear")


@pytest.mark.parametrize("shape", [(28, 28), (1, 30, 28), (0, 28, 28)])
def test_image_shapes_that_cannot_be_halved_twice_are_refused(shape):
    for build in (dcgan_generator, dcgan_discriminator):
        with pytest.raises(ValueError, match="divisible by 4"):
            build(shape)
