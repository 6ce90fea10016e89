import pytest
import torch

from course_utils.models import (
    mlp_discriminator,
    mlp_generator,
)


@pytest.mark.parametrize("shape", [(2,), (1, 28, 28)])
def test_mlps_take_points_and_images(shape):
    generator = mlp_generator(shape, latent_dim=7, hidden=(16, 8))
    samples = generator(torch.randn(3, generator.latent_dim))
    assert samples.shape == (3, *shape)
    assert mlp_discriminator(shape, hidden=(8,))(samples).shape == (3,)


def test_images_are_squashed_into_their_range_and_points_are_not():
    big = 1e3 * torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    assert mlp_generator((1, 4, 4), 2)(big).abs().max() <= 1
    assert mlp_generator((2,), 2)(big).abs().max() > 1
