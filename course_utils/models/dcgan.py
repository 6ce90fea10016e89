"""Convolutional networks after DCGAN, each written as the list of its layers."""

from collections.abc import Sequence

from torch import nn

from course_utils.models.normalisation import initialised, pytorch_initialised, spectrally_normalised
from course_utils.models.sizes import positive, quarterable
from course_utils.models.upsampling import upsampling_layer


def dcgan_generator(
    image_shape: Sequence[int] = (1, 28, 28),
    latent_dim: int = 32,
    width: int = 32,
    upsampling: str = "transposed",
    extra_convs: int = 0,
) -> nn.Sequential:
    """A small DCGAN generator: z → a quarter-size map of 2·width channels → doubled twice → an image.

    After Radford, Metz and Chintala (2016, arXiv:1511.06434): no fully connected hidden layer, batch
    normalisation and ReLU after every layer but the last, tanh at the end.

    Args:
        image_shape: (channels, height, width) of the images; height and width divisible by 4, so that (1, 28,
            28) and (3, 32, 32) are two calls of one description.
        latent_dim: size of the latent z.
        width: channels of the half-size maps; everything else follows from it.
        upsampling: how a map is doubled, "transposed", "resize" or "pixel_shuffle" (see `upsampling_layer`).
        extra_convs: 3×3 convolutions on the quarter-size map.

    Returns:
        Network from (N, latent_dim) to (N, *image_shape) in [-1, 1], with the attribute `latent_dim`.

    Raises:
        ValueError: a shape that cannot be halved twice, or an unknown upsampling.
    """
    channels, height, breadth = quarterable(image_shape)
    positive("latent_dim and width", (latent_dim, width))
    h, w = height // 4, breadth // 4
    extra = []
    for _ in range(extra_convs):
        extra += [
            nn.Conv2d(2 * width, 2 * width, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
        ]
    generator = nn.Sequential(  # shapes for (1, 28, 28) and width 32
        nn.Linear(latent_dim, 2 * width * h * w, bias=False),  # 32 → 3136
        nn.Unflatten(1, (2 * width, h, w)),  # 64×7×7
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        *extra,  # 64×7×7
        upsampling_layer(2 * width, width, upsampling, bias=False),  # 32×14×14
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False),  # 32×14×14
        nn.BatchNorm2d(width),
        nn.ReLU(),
        upsampling_layer(width, channels, upsampling),  # 1×28×28
        nn.Tanh(),
    )
    generator.latent_dim = latent_dim
    return initialised(generator)


def dcgan_discriminator(
    image_shape: Sequence[int] = (1, 28, 28), width: int = 32, extra_convs: int = 0
) -> nn.Sequential:
    """A small DCGAN discriminator: an image → halved twice → one logit.

    Args:
        image_shape: (channels, height, width) of the images; height and width divisible by 4.
        width: channels of the half-size maps; everything else follows from it.
        extra_convs: 3×3 convolutions on the quarter-size map.

    Returns:
        Network from (N, *image_shape) to logits (N,).

    Raises:
        ValueError: a shape that cannot be halved twice.
    """
    channels, height, breadth = quarterable(image_shape)
    positive("width", (width,))
    extra = []
    for _ in range(extra_convs):
        extra += [nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.LeakyReLU(0.2)]
    discriminator = nn.Sequential(  # shapes for (1, 28, 28) and width 32
        nn.PixelUnshuffle(2),  # 4×14×14: halves the map without losing a pixel
        nn.Conv2d(4 * channels, width, 3, padding=1),  # 32×14×14
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # 64×7×7
        nn.LeakyReLU(0.2),
        *extra,  # 64×7×7
        nn.Flatten(),
        nn.Linear(2 * width * (height // 4) * (breadth // 4), 1),
        nn.Flatten(0),  # (N, 1) → (N,)
    )
    return initialised(discriminator)


def mnist_dcgan() -> tuple[nn.Sequential, nn.Sequential]:
    """The generator and the discriminator of notebook 05, which train with `training.MNIST_DCGAN`.

    One extra convolution in each, and spectral normalisation of the discriminator (Miyato et al. 2018,
    arXiv:1802.05957). What each choice buys is measured in docs/ablations.md.
    """
    generator = dcgan_generator((1, 28, 28), latent_dim=32, width=32, extra_convs=1)
    discriminator = dcgan_discriminator((1, 28, 28), width=32, extra_convs=1)
    return generator, spectrally_normalised(discriminator)


def cifar10_dcgan() -> tuple[nn.Sequential, nn.Sequential]:
    """The generator and the discriminator of notebook 06, which train with `training.CIFAR10_DCGAN`.

    They start from PyTorch's own initialisation, not from DCGAN's.
    """
    generator = dcgan_generator((3, 32, 32), latent_dim=64, width=48)
    discriminator = dcgan_discriminator((3, 32, 32), width=48)
    return pytorch_initialised(generator), pytorch_initialised(discriminator)
