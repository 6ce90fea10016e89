"""Fully connected networks, for points of the plane and for images."""

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import nn

from course_utils.models.sizes import positive


def mlp_generator(
    sample_shape: Sequence[int], latent_dim: int, hidden: Sequence[int] = (128, 128)
) -> nn.Sequential:
    """Fully connected generator: z → hidden layers with ReLU → a sample.

    Args:
        sample_shape: (2,) for points of the plane, (1, 28, 28) for images; images end in tanh, points do not.
        latent_dim: size of the latent z.
        hidden: the widths of the hidden layers.

    Returns:
        Network from (N, latent_dim) to (N, *sample_shape), with the attribute `latent_dim`.
    """
    sizes = positive("latent_dim and hidden", (latent_dim, *hidden))
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    layers += [nn.Linear(sizes[-1], prod(sample_shape))]
    if len(sample_shape) == 3:
        layers += [nn.Tanh()]
    generator = nn.Sequential(*layers, nn.Unflatten(1, tuple(sample_shape)))
    generator.latent_dim = latent_dim
    return generator


def mlp_discriminator(sample_shape: Sequence[int], hidden: Sequence[int] = (128, 128)) -> nn.Sequential:
    """Fully connected discriminator: a sample → hidden layers with LeakyReLU(0.2) → one logit.

    Args:
        sample_shape: (2,) for points of the plane, (1, 28, 28) for images.
        hidden: the widths of the hidden layers.

    Returns:
        Network from (N, *sample_shape) to logits (N,).
    """
    sizes = positive("sample_shape and hidden", (prod(sample_shape), *hidden))
    layers = [nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 1), nn.Flatten(0))


def packed_discriminator(dim: int, packing: int = 2, hidden: tuple[int, ...] = (64, 64)) -> nn.Sequential:
    """A discriminator that sees m = `packing` samples at once: logits of D(x₁, …, xₘ).

    PacGAN: Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086.

    Args:
        dim: of one sample.
        packing: m, how many samples, all real or all generated, make one input; 1 is the usual case.
        hidden: widths of the hidden layers.

    Returns:
        Network from (N, dim) to logits (N / m,), with the attribute `packing`; m must divide N.
    """
    positive("packing", (packing,))
    discriminator = nn.Sequential(
        nn.Flatten(0),  # (N·dim,): the samples in a row …
        nn.Unflatten(0, (-1, packing * dim)),  # … m to each line: (N / m, m·dim)
        mlp_discriminator((packing * dim,), hidden),
    )
    discriminator.packing = packing
    return discriminator
