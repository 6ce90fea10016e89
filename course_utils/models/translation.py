"""Generators that take an image and give another: the U-Net, what fills or colours, a pair of both ways."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.sizes import positive, quarterable
from course_utils.models.upsampling import upsampling_layer


class UNet(nn.Module):
    """Halved twice, doubled twice; each doubled map is joined with that of the same size on the way down.

    After Ronneberger, Fischer and Brox (2015, arXiv:1505.04597) and pix2pix (Isola et al. 2017,
    arXiv:1611.07004, section 3.2.1). The skip connections carry where things are past the bottleneck, which
    then only has to know what they are. Convolutions, batch normalisation and ReLU; PyTorch's initialisation.

    Args:
        image_shape: (C, H, W) of the target; H and W divisible by 4.
        source_channels: of the source. A source with fewer pixels is first enlarged, bicubically.
        latent_dim: size of a latent that is added to the bottleneck's maps; 0 for none.
        width: channels of the maps of full size; twice and four times as many further down.
        skips: False leaves the joints out, for comparison: the maps' places are then filled with zeros.

    Raises:
        ValueError: a shape that cannot be halved twice, or sizes that are no positive whole numbers.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        source_channels: int = 1,
        latent_dim: int = 0,
        width: int = 16,
        skips: bool = True,
    ):
        super().__init__()
        channels, height, breadth = quarterable(image_shape)
        positive("source_channels and width", (source_channels, width))
        self.latent_dim, self.skips, self.size = latent_dim, skips, (height, breadth)
        # shapes for (1, 28, 28) and width 16
        self.at_full = rectified(nn.Conv2d(source_channels, width, 3, padding=1, bias=False))  # 16×28×28
        self.at_half = rectified(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False))  # 32×14×14
        self.at_quarter = rectified(
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1, bias=False)
        )  # 64×7×7
        if latent_dim:
            maps = (4 * width, height // 4, breadth // 4)
            self.read = nn.Sequential(
                nn.Linear(latent_dim, 4 * width * maps[1] * maps[2]), nn.Unflatten(1, maps)
            )
        self.bottleneck = rectified(nn.Conv2d(4 * width, 4 * width, 3, padding=1, bias=False))  # 64×7×7
        self.up_to_half = rectified(upsampling_layer(4 * width, 2 * width, bias=False))  # 32×14×14
        self.up_to_full = rectified(
            upsampling_layer(4 * width, width, bias=False)
        )  # (32 + 32)×14×14 → 16×28×28
        self.last = nn.Sequential(
            nn.Conv2d(2 * width, channels, 3, padding=1), nn.Tanh()
        )  # (16 + 16)×28×28 →

    def forward(self, source: Tensor, latents: Tensor | None = None) -> Tensor:
        """Sources (N, source_channels, h, w), latents (N, latent_dim) → (N, *image_shape) in [-1, 1]."""
        full = self.at_full(enlarged_to(source, self.size))
        half = self.at_half(full)
        maps = self.at_quarter(half)
        if self.latent_dim:
            maps = maps + self.read(latents)
        maps = self.up_to_half(self.bottleneck(maps))
        maps = self.up_to_full(torch.cat([maps, self._carried(half)], 1))
        return self.last(torch.cat([maps, self._carried(full)], 1))

    def _carried(self, maps: Tensor) -> Tensor:
        return maps if self.skips else torch.zeros_like(maps)


def rectified(layer: nn.Module) -> nn.Sequential:
    """The layer, batch normalisation and ReLU."""
    return nn.Sequential(layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU())


def enlarged_to(source: Tensor, size: tuple[int, int]) -> Tensor:
    """The source with (H, W) = size: as it is, or enlarged bicubically. (N, C, h, w) → (N, C, H, W)."""
    if tuple(source.shape[2:]) == size:
        return source
    return F.interpolate(source, size=size, mode="bicubic").clamp(-1, 1)


class Inpainter(nn.Module):
    """Fills the hole and leaves the rest as it is: h·G(source) + (1 − h)·image, h = 1 in the hole.

    The network need not learn to copy, and a discriminator cannot tell by the known pixels.

    Args:
        network: sources of `data.cut`, (N, C + 1, H, W), and latents if it has any → images (N, C, H, W).
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    @property
    def latent_dim(self) -> int:
        return self.network.latent_dim

    def forward(self, source: Tensor, *latents: Tensor) -> Tensor:
        """Sources (N, C + 1, H, W), latents (N, latent_dim) → images (N, C, H, W)."""
        return torch.where(source[:, -1:] > 0, self.network(source, *latents), source[:, :-1])


class Colouriser(nn.Module):
    """Colours a grey image and keeps its grey: y + t·(G(y) − grey(G(y))).

    grey is linear, and its weights add up to 1; so the bracket, the *chroma*, has grey 0, and the output has
    the grey y, whatever the network paints. At each pixel t ≤ 1 is the largest number that leaves all
    channels in [-1, 1]: a colour that is too strong for its brightness becomes paler, and is not clipped.

    Args:
        network: sources (N, 1, H, W), and latents if it has any → images (N, 3, H, W).
        luma: weights of red, green and blue, which add up to 1: `data.LUMA`.
    """

    def __init__(self, network: nn.Module, luma: Sequence[float]):
        super().__init__()
        self.network, self.luma = network, tuple(luma)  # no buffer: those are rounded with the weights

    @property
    def latent_dim(self) -> int:
        return self.network.latent_dim

    def forward(self, source: Tensor, *latents: Tensor) -> Tensor:
        """Sources (N, 1, H, W), latents (N, latent_dim) → images (N, 3, H, W)."""
        painted = self.network(source, *latents)
        weights = painted.new_tensor(self.luma).view(1, 3, 1, 1)
        chroma = painted - (painted * weights).sum(1, keepdim=True)
        room = torch.where(chroma > 0, 1 - source, 1 + source)  # to the end of the range on that side
        fits = (room / chroma.abs().clamp(min=1e-6)).amin(1, keepdim=True).clamp(max=1)
        return (source + fits * chroma).clamp(-1, 1)  # the clamp: for rounding alone


class CyclePair(nn.Module):
    """Two generators that go opposite ways, as one network, so that both are averaged.

    Called with sources it returns targets, its `back` takes targets to sources; called with both it goes both
    ways (Zhu et al. 2017, arXiv:1703.10593).

    Args:
        there, back: images (N, C, H, W) → images.
    """

    latent_dim = 0

    def __init__(self, there: nn.Module, back: nn.Module):
        super().__init__()
        self.there, self.back = there, back

    def forward(self, source: Tensor, target: Tensor | None = None) -> Tensor | tuple[Tensor, Tensor]:
        """there(source); with a target too, (there(source), back(target))."""
        return self.there(source) if target is None else (self.there(source), self.back(target))
