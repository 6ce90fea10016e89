"""The course's recipes, each once: networks and the settings that they train with, found by measuring.

What each choice buys: see docs/ablations.md.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from course_utils.models import (
    FEATURE_CHANNELS,
    ProjectedDiscriminator,
    ResidualGenerator,
    cifar10_dcgan,
    conditional_dcgan,
    conv_decoder,
    conv_encoder,
    load_feature_stages,
    mlp_discriminator,
    mlp_generator,
    mnist_dcgan,
    packed_discriminator,
)
from course_utils.training.augmentation import flip, flip_and_translate
from course_utils.training.average import tenth_of_images
from course_utils.training.gan import GAN, conditional
from course_utils.training.loop import constant_then_linear
from course_utils.training.vae import VAE


class Recipe(NamedTuple):
    """Networks and settings: `train(recipe.gan(), draw_real, images=…, **recipe.training)`, or `.vae()`."""

    networks: Callable[[], tuple[nn.Module, nn.Module]]  # () -> the two networks, initialised anew
    game: dict  # keyword arguments of `GAN`, or of `VAE`
    training: dict  # keyword arguments of `train`

    def gan(self) -> GAN:
        """New networks and how they play. `torch.manual_seed` before decides about their initialisation."""
        return GAN(*self.networks(), **self.game)

    def vae(self) -> VAE:
        """A new encoder and decoder, and their objective; initialised as in `gan`."""
        return VAE(*self.networks(), **self.game)


def mnist_mlp() -> tuple[nn.Module, nn.Module]:
    """The fully connected generator and discriminator of notebook 04."""
    return mlp_generator((1, 28, 28), latent_dim=32), mlp_discriminator((1, 28, 28))


def mnist_vae() -> tuple[nn.Module, nn.Module]:
    """The convolutional encoder and decoder of notebook 10."""
    sizes = {"image_shape": (1, 28, 28), "latent_dim": 32, "width": 32}
    return conv_encoder(**sizes), conv_decoder(**sizes)


def cifar10_classes() -> tuple[nn.Module, nn.Module]:
    """A generator of ten classes, and a discriminator that sees through the frozen features that ship."""
    return ResidualGenerator(), ProjectedDiscriminator(load_feature_stages(), FEATURE_CHANNELS)


def toy_gan(dim: int = 2, *, hidden: tuple[int, ...] = (64, 64), packing: int = 1, **game) -> GAN:
    """The GAN of notebook 03, for data on a line (dim 1) or a plane (dim 2).

    The latent has as many dimensions as the data, so that the generator can be drawn as a map of the line, or
    the plane, onto itself.

    Args:
        dim: of the data.
        hidden: widths of the hidden layers, of both networks.
        packing: samples that the discriminator sees at once (`packed_discriminator`).
        **game: of `GAN`.
    """
    generator = mlp_generator((dim,), latent_dim=dim, hidden=hidden)
    return GAN(generator, packed_discriminator(dim, packing, hidden), **game)


GAME = {
    "loss": "non_saturating",
    "generator_lr": 2e-3,
    "discriminator_lr": 2e-3,
    "betas": (0.0, 0.99),
}
MNIST_MLP = Recipe(mnist_mlp, GAME, {"batch_size": 64, "ema_half_life": 10_000})  # notebook 04
MNIST_DCGAN = Recipe(mnist_dcgan, GAME, {"batch_size": 64, "ema_half_life": 5_000})  # notebook 05
# Notebook 05's networks for a short time: more steps an image, and an average that does not lag behind.
MNIST_QUICK = Recipe(
    mnist_dcgan, {**GAME, "betas": (0.0, 0.9)}, {"batch_size": 32, "ema_half_life": tenth_of_images}
)  # docs/benchmarks.md
CIFAR10_DCGAN = Recipe(
    cifar10_dcgan, {**GAME, "augment": flip}, {"batch_size": 64, "ema_half_life": 2_500}
)  # notebook 06
# Of batches that `labelled_sampler` draws. The generator that ships learned so, for longer (docs/colour.md).
CIFAR10_CLASSES = Recipe(
    cifar10_classes,
    {
        "loss": "hinge",
        "shown": conditional,
        "augment": flip_and_translate,
        "generator_lr": 5e-4,
        "discriminator_lr": 1e-3,
        "betas": (0.0, 0.99),
    },
    {
        "batch_size": 64,
        "ema_half_life": 2_500,
        "schedule": partial(constant_then_linear, constant=0.5),
    },
)  # docs/colour.md
# Of batches that `labelled_sampler` draws: notebook 05's networks, told the class.
MNIST_CONDITIONAL = Recipe(
    conditional_dcgan, {**GAME, "shown": conditional}, MNIST_DCGAN.training
)  # notebook 12
# Of images that `binarised` draws; all of notebook 10's VAEs train like this one.
MNIST_VAE = Recipe(
    mnist_vae, {"lr": 3e-3}, {"batch_size": 64, "ema_half_life": 2_500, "schedule": constant_then_linear}
)  # notebook 10
