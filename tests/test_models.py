import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.models import (
    ASSETS,
    UPSAMPLING,
    count_parameters,
    dcgan_discriminator,
    dcgan_generator,
    doubling,
    draw_latents,
    largest_singular_value,
    load_generator,
    mlp_discriminator,
    mlp_generator,
    sample,
    spectrally_normalised,
    spherical_walk,
    transposed_by_convolution,
)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
@pytest.mark.parametrize("upsampling", UPSAMPLING)
def test_one_description_serves_both_image_sizes(shape, upsampling):
    generator = dcgan_generator(shape, latent_dim=5, width=4, upsampling=upsampling)
    images = generator(torch.randn(3, generator.latent_dim))
    assert images.shape == (3, *shape)
    assert images.abs().max() <= 1
    assert dcgan_discriminator(shape, width=4)(images).shape == (3,)


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


def test_discriminators_return_logits_not_probabilities():
    images = torch.rand(64, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for discriminator in (dcgan_discriminator(width=4), mlp_discriminator((1, 28, 28))):
        with torch.no_grad():  # a sigmoid or a softmax at the end could not follow this
            for layer in reversed(discriminator):
                if isinstance(layer, torch.nn.Linear):
                    layer.bias += 100
                    break
        assert discriminator(images).min() > 50


def test_the_number_of_weights_is_that_of_the_layers():
    hidden, output = (2 * 3 + 3), (3 * 2 + 2)
    assert count_parameters(mlp_generator((2,), 2, hidden=(3,))) == hidden + output


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
    layer = doubling(3, 4, "transposed").double()
    own = torch.nn.ConvTranspose2d(3, 4, 4, stride=2, padding=1).double()
    own.load_state_dict(layer.state_dict())
    maps = torch.randn(2, 3, 5, 5, dtype=torch.float64)
    for network in (layer, own):
        network(maps).square().sum().backward()
    torch.testing.assert_close(layer.weight.grad, own.weight.grad)
    torch.testing.assert_close(layer.bias.grad, own.bias.grad)


@pytest.mark.parametrize("method", UPSAMPLING)
def test_doubling_doubles(method):
    assert doubling(3, 5, method)(torch.randn(2, 3, 4, 6)).shape == (2, 5, 8, 12)


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


def test_unknown_upsampling_lists_the_known_ones():
    with pytest.raises(ValueError, match="transposed, resize, pixel_shuffle, got 'bilinear'"):
        dcgan_generator(upsampling="bilinear")


@pytest.mark.parametrize("shape", [(28, 28), (1, 30, 28), (0, 28, 28)])
def test_image_shapes_that_cannot_be_halved_twice_are_refused(shape):
    for build in (dcgan_generator, dcgan_discriminator):
        with pytest.raises(ValueError, match="divisible by 4"):
            build(shape)


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match=r"positive integers, got \(0, 128, 128\)"):
        mlp_generator((2,), 0)
    with pytest.raises(ValueError, match="positive integers"):
        dcgan_generator(width=-1)


def test_latents_are_standard_normal_and_follow_their_generator():
    z = draw_latents(4000, 8, torch.Generator().manual_seed(0))
    assert z.shape == (4000, 8)
    assert torch.allclose(z.T @ z / 4000, torch.eye(8), atol=0.1)  # covariance I: each entry varies by 0.02
    assert torch.equal(z, draw_latents(4000, 8, torch.Generator().manual_seed(0)))
    assert not torch.equal(draw_latents(2, 3), draw_latents(2, 3))


def test_a_walk_keeps_the_length_that_a_straight_line_loses():
    start, end = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    walk = spherical_walk(start, end, 5)
    torch.testing.assert_close(walk.norm(dim=1), torch.full((5,), 3.0))
    torch.testing.assert_close(walk[2], torch.tensor([3.0, 3.0]) / 2**0.5)  # halfway: at 45 degrees
    torch.testing.assert_close(torch.stack([walk[0], walk[-1]]), torch.stack([start, end]), atol=1e-5, rtol=0)


def test_a_walk_between_parallel_latents_is_refused():
    with pytest.raises(ValueError, match="one line through the origin"):
        spherical_walk(torch.ones(4), 2 * torch.ones(4), 5)


def test_the_shipped_generator_is_ready_to_sample_and_says_how_it_was_made():
    generator = load_generator("mnist")
    assert not generator.training and not any(weight.requires_grad for weight in generator.parameters())
    assert "MNIST" in generator.made_by
    digits = sample(generator, 8)
    assert digits.shape == (8, 1, 28, 28)
    assert digits.std() > 0.3  # white on black, not grey: its weights are trained ones
    assert load_generator("mnist") is generator


def test_the_shipped_generator_of_colour_is_small_and_says_how_it_was_made():
    generator = load_generator("cifar10")
    images = sample(generator, 64)
    assert images.shape == (64, 3, 32, 32)
    assert images.std(0).mean() > 0.3  # the samples differ from each other
    assert "images in" in generator.made_by
    assert (ASSETS / "cifar10_generator.safetensors").stat().st_size < 3_000_000


def test_unknown_generators_are_told_the_known_ones():
    with pytest.raises(ValueError, match=r"mnist.*got 'faces'"):
        load_generator("faces")
