"""Two games that collapse, and four cures: the comparison of notebook 07, of which each game is one call.

Every cure enters through what `GAN` and the discriminator offer to anybody; nothing here is a loop.
"""

import json
from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import NamedTuple

from torch import nn

from course_utils.files import ASSETS
from course_utils.models import (
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
    with_minibatch_std,
)
from course_utils.training.feature_matching import feature_matching
from course_utils.training.gan import GAN
from course_utils.training.penalties import r1

RECORD = ASSETS / "stacked_mnist_cures.json"  # made by `python -m tools.record_cures`


class Cure(NamedTuple):
    """Where a cure enters: D's layers, how many samples D sees at once, or the game's settings."""

    minibatch_std: bool = False
    packing: int = 1
    game: Mapping[str, object] = MappingProxyType({})  # of `GAN`


CURES = {
    "no cure": Cure(),
    "minibatch std": Cure(minibatch_std=True),
    "packing two": Cure(packing=2),
    "feature matching": Cure(game={"generator_term": feature_matching(1.0)}),
    "R1": Cure(game={"penalty": r1(0.1)}),
}


def grid_game(cure: Cure) -> GAN:
    """For the 25 Gaussians of `data.grid()`: a generator that takes five steps for one of D."""
    generator = mlp_generator((2,), latent_dim=2, hidden=(64, 64))
    discriminator = seeing(cure, (2,), lambda shape: mlp_discriminator(shape, hidden=(64, 64)))
    rates = {"generator_lr": 1e-3, "discriminator_lr": 1e-3}
    return GAN(generator, discriminator, generator_steps=5, **rates, **cure.game)


def stacked_game(cure: Cure) -> GAN:
    """For stacked MNIST: a discriminator with an eighth of the generator's width.

    Weakening D is how Metz et al. made this data set collapse, too (2017, arXiv:1611.02163, section 3.3.1).
    """
    generator = dcgan_generator((3, 28, 28), latent_dim=32, width=16)
    discriminator = seeing(cure, (3, 28, 28), lambda shape: dcgan_discriminator(shape, width=2))
    return GAN(generator, discriminator, **cure.game)


STACKED_TRAINING = {"batch_size": 64, "ema_half_life": 5_000}


def seeing(cure: Cure, shape: tuple[int, ...], build: Callable[[tuple[int, ...]], nn.Sequential]):
    """A discriminator that sees what the cure lets it see.

    Args:
        cure: whose `packing` and `minibatch_std` count here.
        shape: of one sample, the channels first.
        build: makes a discriminator for samples of a shape.

    Returns:
        Network from samples (N, *shape) to logits (N / packing,).
    """
    packed = (cure.packing * shape[0], *shape[1:])  # the channels of several samples, one above the other
    discriminator = build(packed)
    if cure.minibatch_std:
        discriminator = with_minibatch_std(discriminator)
    if cure.packing == 1:
        return discriminator
    discriminator = nn.Sequential(
        nn.Flatten(0), nn.Unflatten(0, (-1, prod(packed))), nn.Unflatten(1, packed), discriminator
    )
    discriminator.packing = cure.packing
    return discriminator


def recorded() -> list[dict]:
    """What was measured on stacked MNIST, one record for each cure and seed, with its circumstances."""
    return json.loads(RECORD.read_text(encoding="utf-8"))["records"]
