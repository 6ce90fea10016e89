import pytest
import torch

from course_utils.models import mlp_discriminator, mlp_generator, packed_discriminator


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


def test_a_packed_discriminator_sees_neighbours_at_once():
    discriminator = packed_discriminator(2, packing=2)
    points = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    logits = discriminator(points)
    assert logits.shape == (3,)
    torch.testing.assert_close(logits, discriminator[2](points.reshape(3, 4)))
    points[0] += 1
    assert (discriminator(points) != logits).tolist() == [True, False, False]
