"""A class-conditional generator of residual blocks, and the normalisation that tells it the class."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.sizes import positive


class ClassBatchNorm(nn.Module):
    """γ_y · (h − mean) / std + β_y: batch normalisation with a scale and a shift for each class.

    H. de Vries et al. 2017, arXiv:1707.00683; in a GAN: Miyato and Koyama 2018, arXiv:1802.05637. All classes
    share the mean and the standard deviation of the batch.

    Args:
        channels: of the maps.
        classes: how many there are; labels are 0 … classes − 1.
    """

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.normalise = nn.BatchNorm2d(channels, affine=False)
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)  # at the start all classes are treated alike
        nn.init.zeros_(self.shift.weight)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Maps (N, channels, H, W) and labels (N,) → maps of the same shape and number format."""
        maps = self.normalise(maps)
        scale, shift = (table(labels).to(maps.dtype)[:, :, None, None] for table in (self.scale, self.shift))
        return torch.addcmul(shift, maps, scale)


class UpBlock(nn.Module):
    """h ↦ double(skip(h)) + branch(h): a residual block that doubles height and width by repeating pixels.

    After He et al. (2016, arXiv:1603.05027): normalisation and activation come before each convolution, and
    nothing comes after the sum. The first convolution works on the small map, the second smooths the doubled
    one: a third of the time of a first convolution on the doubled map. `skip` is a 1×1 convolution.
    """

    def __init__(self, inputs: int, outputs: int, classes: int):
        super().__init__()
        self.norm1, self.norm2 = ClassBatchNorm(inputs, classes), ClassBatchNorm(outputs, classes)
        self.conv1 = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(outputs, outputs, kernel_size=3, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, kernel_size=1)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Maps (N, inputs, H, W) and labels (N,) → maps (N, outputs, 2H, 2W)."""
        branch = double(self.conv1(F.leaky_relu(self.norm1(maps, labels), 0.2)))
        branch = self.conv2(F.leaky_relu(self.norm2(branch, labels), 0.2))
        return double(self.skip(maps)) + branch


def double(maps: Tensor) -> Tensor:
    """Every pixel becomes 2×2: (N, C, H, W) → (N, C, 2H, 2W)."""
    return F.interpolate(maps, scale_factor=2)


class ResidualGenerator(nn.Module):
    """(z, y) → a 4×4 map → doubled by residual blocks → an image of 32×32 pixels.

    The class enters twice: as a vector beside z, and in every normalisation. The last doubling is a
    `pixel_shuffle`, so that no layer works at the full size: that is where the time would go.

    Args:
        latent_dim: size of the latent z.
        classes: how many there are.
        widths: channels of the maps of 4×4, 8×8 and 16×16 pixels.
        label_dim: size of the class's vector beside z.
    """

    def __init__(
        self,
        latent_dim: int = 64,
        classes: int = 10,
        widths: tuple[int, int, int] = (256, 192, 64),
        label_dim: int = 32,
    ):
        super().__init__()
        positive("latent_dim, classes, label_dim and widths", (latent_dim, classes, label_dim, *widths))
        self.latent_dim, self.classes = latent_dim, classes
        small, middle, large = widths
        self.label = nn.Embedding(classes, label_dim)
        self.first = nn.Linear(latent_dim + label_dim, small * 4 * 4)
        self.blocks = nn.ModuleList([UpBlock(small, middle, classes), UpBlock(middle, large, classes)])
        self.norm = ClassBatchNorm(large, classes)
        self.last = nn.Conv2d(large, 4 * 3, kernel_size=3, padding=1)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, latent_dim) and labels (N,) → images (N, 3, 32, 32) in [-1, 1]."""
        maps = self.first(torch.cat([latents, self.label(labels)], dim=1)).unflatten(1, (-1, 4, 4))
        for block in self.blocks:
            maps = block(maps, labels)
        maps = self.last(F.leaky_relu(self.norm(maps, labels), 0.2))
        return torch.tanh(F.pixel_shuffle(maps, 2))
