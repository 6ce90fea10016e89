"""Encoders and decoders: shapes, the numbers of weights, and the two as one network."""

import pytest
import torch

from course_utils.likelihoods import bernoulli_mean
from course_utils.models import (
    Autoencoder,
    conv_decoder,
    conv_encoder,
    count_parameters,
    dcgan_generator,
    mlp_decoder,
    mlp_encoder,
    mlp_generator,
    sample,
    without_tanh,
)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 8, 12)])
def test_images_become_means_and_log_variances_and_latents_become_logits(shape):
    images, latents = torch.rand(3, *shape) * 2 - 1, torch.randn(3, 5)
    for encoder, decoder in [
        (mlp_encoder(shape, 5, (16,)), mlp_decoder(shape, 5, (16,))),
        (conv_encoder(shape, 5, 4), conv_decoder(shape, 5, 4)),
    ]:
        assert encoder(images).shape == (3, 2, 5)
        assert decoder(latents).shape == (3, *shape)
        assert decoder(100 * latents).abs().max() > 1  # logits, not pixels
        assert decoder.latent_dim == 5


def test_the_mlp_has_the_weights_of_784_128_128():
    assert count_parameters(mlp_encoder((1, 28, 28), 20)) == 785 * 128 + 129 * 128 + 129 * 40
    assert count_parameters(mlp_decoder((1, 28, 28), 20)) == 21 * 128 + 129 * 128 + 129 * 784
    assert count_parameters(mlp_encoder((3,), 2, hidden=())) == 4 * 4  # linear


def test_the_convolutional_one_has_the_weights_of_its_layers():
    w, latent_dim, features = 8, 6, 2 * 8 * 49
    encoder = 9 * 4 * w + 2 * w + 16 * w * 2 * w + 2 * 2 * w + (features + 1) * 2 * latent_dim
    assert count_parameters(conv_encoder((1, 28, 28), latent_dim, w)) == encoder
    assert count_parameters(conv_decoder((1, 28, 28), latent_dim, w)) == count_parameters(
        dcgan_generator((1, 28, 28), latent_dim, w)
    )


def test_without_tanh_the_generator_returns_what_tanh_had_bounded():
    latents = torch.randn(4, 5)
    for generator in (mlp_generator((1, 8, 8), 5), dcgan_generator((1, 8, 8), 5, 4)):
        generator.eval()
        decoder = without_tanh(generator).eval()
        torch.testing.assert_close(torch.tanh(decoder(latents)), generator(latents))
        assert decoder[0].weight is generator[0].weight


def test_a_convolutional_decoder_hears_its_latent_from_the_start():
    torch.manual_seed(0)
    decoder = conv_decoder((1, 28, 28), 8, 8)
    assert decoder(torch.randn(64, 8)).std(0).mean() > 0.1


def test_an_autoencoder_is_a_generator_of_means_and_knows_both_ways():
    torch.manual_seed(0)
    network = Autoencoder(mlp_encoder((1, 8, 8), 3), mlp_decoder((1, 8, 8), 3), bernoulli_mean)
    images = sample(network, 5)
    assert images.shape == (5, 1, 8, 8) and images.abs().max() <= 1
    mean, log_variance = network.encode(images)
    assert mean.shape == log_variance.shape == (5, 3)
    torch.testing.assert_close(torch.stack([mean, log_variance], 1), network.encoder(images))
    latents = torch.randn(2, 3)
    torch.testing.assert_close(network(latents), 2 * torch.sigmoid(network.decoder(latents)) - 1)


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="positive integers"):
        mlp_encoder((1, 8, 8), 0)
    with pytest.raises(ValueError, match="divisible by 4"):
        conv_encoder((1, 30, 30), 4)
