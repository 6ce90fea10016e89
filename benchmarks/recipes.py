"""Our own recipes, as a dictionary of options: what the notebooks train, and what the ablations change."""

from collections.abc import Callable
from inspect import signature
from typing import NamedTuple

import torch
from torch import nn

from course_utils.models import (
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
    pytorch_initialised,
    spectrally_normalised,
)
from course_utils.training import CIFAR10_DCGAN, GAN, MNIST_DCGAN, MNIST_MLP, MNIST_QUICK, train


class Recipe(NamedTuple):
    """What a notebook trains: `build(options)` makes networks; the other options go to `GAN` and `train`."""

    data: str
    options: dict
    build: Callable[[dict], tuple[nn.Module, nn.Module]]


def convolutional(options: dict) -> tuple[nn.Module, nn.Module]:
    """The DCGAN of notebooks 05 and 06, with its options."""
    generator = dcgan_generator(
        options["image_shape"],
        latent_dim=options["latent_dim"],
        width=options["width"],
        upsampling=options["upsampling"],
        extra_convs=options["generator_extra_convs"],
    )
    discriminator = dcgan_discriminator(
        options["image_shape"], width=options["width"], extra_convs=options["discriminator_extra_convs"]
    )
    if options["initialisation"] == "pytorch":
        pytorch_initialised(generator), pytorch_initialised(discriminator)
    if options["normalisation"] == "batch":
        discriminator = batch_normalised(discriminator)
    if options["normalisation"] == "spectral":
        spectrally_normalised(discriminator)
    if options["memory"] == "channels_last":
        generator.to(memory_format=torch.channels_last)
        discriminator.to(memory_format=torch.channels_last)
    return generator, discriminator


def batch_normalised(discriminator: nn.Sequential) -> nn.Sequential:
    """Batch normalisation after every convolution but the first, as in DCGAN."""
    layers = []
    for layer in discriminator:
        layers.append(layer)
        if isinstance(layer, nn.Conv2d) and any(isinstance(other, nn.Conv2d) for other in layers[:-1]):
            layers.append(nn.BatchNorm2d(layer.out_channels))
    return nn.Sequential(*layers)


def fully_connected(options: dict) -> tuple[nn.Module, nn.Module]:
    """The networks of notebook 04."""
    hidden = (options["hidden"],) * 2
    return (
        mlp_generator((1, 28, 28), latent_dim=options["latent_dim"], hidden=hidden),
        mlp_discriminator((1, 28, 28), hidden=hidden),
    )


def gan(recipe: Recipe, options: dict) -> GAN:
    """The recipe's game with these options: new networks, and the keyword arguments of `GAN` among them."""
    return GAN(*recipe.build(options), **among(options, GAN))


def settings(options: dict) -> dict:
    """The keyword arguments of `train` among the options; what is not named is left at its default."""
    return among(options, train)


def among(options: dict, function: Callable) -> dict:
    """The options that are arguments of the function."""
    return {name: options[name] for name in signature(function).parameters if name in options}


MNIST_NETWORKS = {
    "image_shape": (1, 28, 28),
    "latent_dim": 32,
    "width": 32,
    "upsampling": "transposed",
    "generator_extra_convs": 1,
    "discriminator_extra_convs": 1,
    "normalisation": "spectral",
    "initialisation": "dcgan",
    "memory": "contiguous",
}
RECIPES = {
    "04_mlp_gan_mnist": Recipe(
        "mnist", {"latent_dim": 32, "hidden": 128, **MNIST_MLP.game, **MNIST_MLP.training}, fully_connected
    ),
    "05_dcgan_mnist": Recipe(
        "mnist", {**MNIST_NETWORKS, **MNIST_DCGAN.game, **MNIST_DCGAN.training}, convolutional
    ),
    "quick_dcgan_mnist": Recipe(
        "mnist", {**MNIST_NETWORKS, **MNIST_QUICK.game, **MNIST_QUICK.training}, convolutional
    ),
    "06_dcgan_cifar10": Recipe(
        "cifar10",
        {
            "image_shape": (3, 32, 32),
            "latent_dim": 64,
            "width": 48,
            "upsampling": "transposed",
            "generator_extra_convs": 0,
            "discriminator_extra_convs": 0,
            "normalisation": "none",
            "initialisation": "pytorch",
            "memory": "contiguous",
            **CIFAR10_DCGAN.game,
            **CIFAR10_DCGAN.training,
        },
        convolutional,
    ),
}
