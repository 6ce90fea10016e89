import pytest
import torch

from course_utils import data
from course_utils.files import ASSETS, read_metadata
from course_utils.metrics import chroma_strength, fine_power
from course_utils.models import (
    FEATURE_CHANNELS,
    load_autoencoder,
    load_discriminator,
    load_feature_stages,
    load_generator,
    load_translator,
    sample,
)
from course_utils.models.shipped import FEATURES


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


def test_the_shipped_digits_by_class_come_with_the_discriminator_that_they_met():
    generator, discriminator = load_generator("mnist_classes"), load_discriminator("mnist_classes")
    labels = torch.arange(200) % 10
    digits = sample(generator, 200, labels=labels)
    assert digits.shape == (200, 1, 28, 28) and digits.std(0).mean() > 0.3
    assert "tools.ship_digits_by_class" in generator.made_by
    logits = discriminator(digits, labels)
    assert logits.shape == (200,) and logits.abs().mean() < 1  # at the end of a good game D cannot tell
    assert (logits - discriminator(digits, (labels + 1) % 10)).abs().mean() > 0.01  # but it hears the label
    assert not any(weight.requires_grad for weight in discriminator.parameters())
    for name in ("generator", "discriminator"):
        assert (ASSETS / f"mnist_classes_{name}.safetensors").stat().st_size < 1_000_000
    with pytest.raises(ValueError, match=r"must be one of mnist_classes, got 'mnist'"):
        load_discriminator("mnist")


def test_unknown_generators_are_told_the_known_ones():
    with pytest.raises(ValueError, match=r"mnist.*got 'faces'"):
        load_generator("faces")


def test_the_shipped_features_tell_photographs_of_one_class_from_another_better_than_pixels_do():
    """Nearest class mean, fitted on half of some test images and tried on the rest."""
    test = data.load("cifar10", "test")
    images, labels = data.to_model_range(test.images[:600]), test.labels[:600]
    maps = images
    with torch.no_grad():
        for stage in load_feature_stages():
            maps = stage(maps)
    assert maps.shape == (600, FEATURE_CHANNELS[-1], 4, 4)

    def right(vectors):
        means = torch.stack([vectors[:300][labels[:300] == one].mean(0) for one in range(10)])
        return (torch.cdist(vectors[300:], means).argmin(1) == labels[300:]).double().mean()

    assert right(maps.mean((2, 3))) > right(images.flatten(1)) + 0.2
    assert float(read_metadata(FEATURES)["test_accuracy"]) > 0.8


def test_every_call_brings_features_of_its_own_that_nobody_can_train():
    first, second = load_feature_stages(), load_feature_stages()
    assert first is not second
    assert not any(weight.requires_grad for weight in first.parameters())


def test_the_shipped_vae_of_colour_is_small_and_goes_both_ways():
    autoencoder = load_autoencoder("cifar10")
    assert not autoencoder.training and not any(weight.requires_grad for weight in autoencoder.parameters())
    assert "CIFAR-10" in autoencoder.made_by and 0.005 < autoencoder.variance < 0.5
    assert (ASSETS / "cifar10_vae.safetensors").stat().st_size < 3_000_000
    generator = load_generator("cifar10")
    shapes = [
        [weight.shape for weight in network.parameters()] for network in (autoencoder.decoder, generator)
    ]
    assert shapes[0] == shapes[1]  # the same network, with other weights
    images = sample(autoencoder, 16)
    mean, log_variance = autoencoder.encode(images)
    again = autoencoder(mean)
    assert images.shape == again.shape == (16, 3, 32, 32)
    assert (again - images).square().mean() < 0.3 * (images.flip(0) - images).square().mean()
    assert log_variance.mean() < -0.5  # codes are surer than the prior
    assert load_autoencoder("cifar10") is autoencoder


def test_unknown_vaes_are_told_the_known_ones():
    with pytest.raises(ValueError, match=r"cifar10, got 'faces'"):
        load_autoencoder("faces")


@pytest.mark.parametrize(
    ("name", "source", "shape"),
    [
        ("mnist_inpainting_regression", (2, 28, 28), (1, 28, 28)),
        ("mnist_inpainting_gan", (2, 28, 28), (1, 28, 28)),
        ("cifar10_larger_regression", (3, 8, 8), (3, 32, 32)),
        ("cifar10_larger_gan", (3, 8, 8), (3, 32, 32)),
        ("cifar10_colour_regression", (1, 32, 32), (3, 32, 32)),
        ("cifar10_colour_gan", (1, 32, 32), (3, 32, 32)),
    ],
)
def test_shipped_translators_are_small_and_say_how_they_were_made(name, source, shape):
    translator = load_translator(name)
    latents = [torch.randn(2, translator.latent_dim)] if translator.latent_dim else []
    images = translator(torch.rand(2, *source) * 2 - 1, *latents)
    assert images.shape == (2, *shape) and not translator.training
    assert f"--only {name}" in translator.made_by and load_translator(name) is translator
    assert (ASSETS / f"{name}_translator.safetensors").stat().st_size < 1_000_000


def test_colour_made_larger_is_nearer_by_regression_and_finer_by_the_gan():
    target = data.to_model_range(data.load_cifar10("test").images[:200])
    small = data.downsample(target, 4)
    regression, gan = (load_translator(f"cifar10_larger_{kind}")(small) for kind in ("regression", "gan"))
    bicubic = data.enlarge(small, 4)
    errors = [(images - target).square().mean() for images in (regression, gan, bicubic)]
    assert errors[0] < errors[1] and errors[0] < 0.95 * errors[2]
    assert fine_power(gan) > 1.5 * fine_power(regression)


def test_colours_are_paler_by_regression_and_both_networks_keep_the_grey():
    target = data.to_model_range(data.load_cifar10("test").images[:200])
    source = data.grey(target)
    regression, gan = (load_translator(f"cifar10_colour_{kind}")(source) for kind in ("regression", "gan"))
    for images in (regression, gan):
        torch.testing.assert_close(data.grey(images), source, atol=1e-5, rtol=0)
    assert (regression - target).square().mean() < 0.97 * (source - target).square().mean()
    assert chroma_strength(regression) < chroma_strength(gan) < 1.2 * chroma_strength(target)


def test_unknown_translators_are_told_the_known_ones():
    with pytest.raises(ValueError, match=r"mnist_inpainting_gan.*got 'zebra'"):
        load_translator("zebra")
