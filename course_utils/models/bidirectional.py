"""A generator with an encoder beside it, and a discriminator of pairs: the networks of a bidirectional GAN.

Donahue, Krähenbühl and Darrell 2017, arXiv:1605.09782; Dumoulin et al. 2017, arXiv:1606.00704.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.dcgan import dcgan_discriminator
from course_utils.models.sizes import positive
from course_utils.models.vae import conv_encoder


class EncodingGenerator(nn.Module):
    """G and E as one network, so that both are averaged: called with latents it is G, its `encode` is E.

    Args:
        generator: latents (N, generator.latent_dim) → samples (N, ...).
        encoder: samples (N, ...) → latents (N, latent_dim).
    """

    def __init__(self, generator: nn.Module, encoder: nn.Module):
        super().__init__()
        self.generator, self.encoder = generator, encoder

    @property
    def latent_dim(self) -> int:
        return self.generator.latent_dim

    def encode(self, samples: Tensor) -> Tensor:
        """E(x), (N, ...) → (N, latent_dim)."""
        return self.encoder(samples)

    def forward(self, latents: Tensor) -> Tensor:
        return self.generator(latents)


def point_encoder(
    image_shape: Sequence[int] = (1, 28, 28), latent_dim: int = 32, width: int = 32
) -> nn.Sequential:
    """`conv_encoder` that returns one latent for each image, no mean and variance: (N, C, H, W) → (N, D)."""
    *layers, last, _ = conv_encoder(image_shape, latent_dim, width)
    return nn.Sequential(*layers, nn.Linear(last.in_features, latent_dim))


class PairDiscriminator(nn.Module):
    """Does this latent belong to this image? (images (N, C, H, W), latents (N, D)) → logits (N,).

    The image goes through the layers of `dcgan_discriminator`; what comes out and a projection of the latent
    meet in one hidden layer.

    Args:
        image_shape, width, extra_convs: as in `dcgan_discriminator`.
        latent_dim: D.
        hidden: width of the layer where they meet.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        latent_dim: int = 32,
        width: int = 32,
        extra_convs: int = 0,
        hidden: int = 128,
    ):
        super().__init__()
        positive("latent_dim and hidden", (latent_dim, hidden))
        *layers, last, _ = dcgan_discriminator(image_shape, width, extra_convs)
        self.see = nn.Sequential(*layers, nn.Linear(last.in_features, hidden))
        self.read = nn.Linear(latent_dim, hidden)
        self.compare, self.decide = nn.Linear(hidden, hidden), nn.Linear(hidden, 1)

    def forward(self, images: Tensor, latents: Tensor) -> Tensor:
        together = F.leaky_relu(self.see(images) + self.read(latents), 0.2)
        return self.decide(F.leaky_relu(self.compare(together), 0.2)).squeeze(1)
