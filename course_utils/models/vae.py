"""Encoders and decoders, and the two as one network.

An encoder maps samples (N, ...) to (N, 2, latent_dim): the mean and the log variance of q(z|x), side by side.
A decoder maps latents (N, latent_dim) to the parameters of p(x|z), of a sample's shape: logits for Bernoulli
pixels, means for Gaussian ones. A generator of the course is a decoder for Gaussian pixels as it is.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from course_utils.models.dcgan import dcgan_generator
from course_utils.models.mlp import mlp_generator
from course_utils.models.normalisation import pytorch_initialised
from course_utils.models.sizes import positive, quarterable


class Autoencoder(nn.Module):
    """Encoder and decoder as one network. It is a generator too: latents (N, latent_dim) → samples (N, ...).

    Args:
        encoder: samples → (N, 2, latent_dim).
        decoder: latents (N, decoder.latent_dim) → (N, ...), the parameters of p(x|z).
        mean: from these to E[x|z], which is what forward returns: no draw from p(x|z),
            whose noise is left out.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, mean: Callable[[Tensor], Tensor]):
        super().__init__()
        self.encoder, self.decoder, self.mean = encoder, decoder, mean

    @property
    def latent_dim(self) -> int:
        return self.decoder.latent_dim

    def encode(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), both (N, latent_dim)."""
        return self.encoder(samples).float().unbind(1)

    def forward(self, latents: Tensor) -> Tensor:
        return self.mean(self.decoder(latents).float())


def mlp_encoder(
    sample_shape: Sequence[int], latent_dim: int, hidden: Sequence[int] = (128, 128)
) -> nn.Sequential:
    """Fully connected encoder: a sample → hidden layers with ReLU → mean and log variance.

    Args:
        sample_shape: (2,) for points of the plane, (1, 28, 28) for images.
        latent_dim: size of the latent z.
        hidden: the widths of the hidden layers; () makes it linear.

    Returns:
        Network from (N, *sample_shape) to (N, 2, latent_dim).
    """
    sizes = positive("sample_shape, latent_dim and hidden", (prod(sample_shape), *hidden, latent_dim))
    layers = []
    for inputs, outputs in pairwise(sizes[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(nn.Flatten(), *layers, *_two_numbers_for_each(latent_dim, sizes[-2]))


def mlp_decoder(
    sample_shape: Sequence[int], latent_dim: int, hidden: Sequence[int] = (128, 128)
) -> nn.Sequential:
    """`mlp_generator` without the tanh: z → hidden layers with ReLU → one unbounded number a dimension."""
    return without_tanh(mlp_generator(sample_shape, latent_dim, hidden))


def conv_encoder(
    image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 32, width: int = 32
) -> nn.Sequential:
    """A small convolutional encoder: an image → halved twice → mean and log variance.

    Args:
        image_shape: (channels, height, width) of the images; height and width divisible by 4.
        latent_dim: size of the latent z.
        width: channels of the half-size maps; everything else follows from it.

    Returns:
        Network from (N, *image_shape) to (N, 2, latent_dim).
    """
    channels, height, breadth = quarterable(image_shape)
    positive("latent_dim and width", (latent_dim, width))
    features = 2 * width * (height // 4) * (breadth // 4)
    return nn.Sequential(  # shapes for (1, 28, 28) and width 32
        nn.PixelUnshuffle(2),  # 4×14×14: halves the map without losing a pixel
        nn.Conv2d(4 * channels, width, 3, padding=1, bias=False),  # 32×14×14
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False),  # 64×7×7
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        nn.Flatten(),  # 3136
        *_two_numbers_for_each(latent_dim, features),  # 2×32
    )


def conv_decoder(
    image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 32, width: int = 32
) -> nn.Sequential:
    """`dcgan_generator` without the tanh, from PyTorch's own initialisation.

    DCGAN's small weights would begin with a decoder that hears nothing of its latent.
    """
    return pytorch_initialised(without_tanh(dcgan_generator(image_shape, latent_dim, width)))


def without_tanh(generator: nn.Sequential) -> nn.Sequential:
    """The generator's layers but the tanh, with its `latent_dim`: a decoder that returns logits.

    The layers are the same objects, not copies.
    """
    decoder = nn.Sequential(*(layer for layer in generator if not isinstance(layer, nn.Tanh)))
    decoder.latent_dim = generator.latent_dim
    return decoder


def _two_numbers_for_each(latent_dim: int, features: int) -> tuple[nn.Module, nn.Module]:
    return nn.Linear(features, 2 * latent_dim), nn.Unflatten(1, (2, latent_dim))
