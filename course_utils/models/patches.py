"""Discriminators of patches: many logits an image, each of which sees a part; and how large that is."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.sizes import positive


class PatchDiscriminator(nn.Module):
    """One logit for each of many overlapping patches: images (N, C, H, W) → logits (N·P,).

    The PatchGAN of pix2pix (Isola et al. 2017, arXiv:1611.07004, section 3.2.2): it judges texture and edges,
    and where things are in the image it cannot see. A source, if there is one, is laid beside the image as
    further channels; one with fewer pixels is repeated up to the image's size.

    Args:
        image_shape: (C, H, W).
        source_channels: 0 for images without a source.
        width: channels of the first maps.
        layers: convolutions that halve the map, before two that do not; all are 4×4. A logit sees 1 pixel
            with `layers` 0 (two convolutions of 1×1), 16×16 with 1, 34×34 with 2, 70×70 with 3.

    Raises:
        ValueError: sizes that are no positive whole numbers, or layers that leave no map.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (1, 28, 28),
        source_channels: int = 0,
        width: int = 32,
        layers: int = 1,
    ):
        super().__init__()
        channels, *size = image_shape
        positive("width", (width,))
        self.size = tuple(size)
        self.layers = nn.Sequential(*_convolutions(channels + source_channels, width, layers))
        try:
            with torch.no_grad():
                maps = self.layers(torch.zeros(1, channels + source_channels, *size))
        except RuntimeError as error:
            raise ValueError(
                f"images of {size[0]}×{size[1]} pixels leave no map after {layers} halvings and two "
                "4×4 convolutions; take fewer layers."
            ) from error
        self.patches = tuple(maps.shape[2:])  # rows and columns of logits
        self.logits_per_sample = self.patches[0] * self.patches[1]

    def forward(self, images: Tensor, source: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W), sources (N, source_channels, h, w) → logits (N·P,), an image's P in a row."""
        if source is not None:
            if source.shape[2:] != images.shape[2:]:
                source = F.interpolate(source, size=self.size, mode="nearest")
            images = torch.cat([images, source], 1)
        return self.layers(images).flatten()


def _convolutions(inputs: int, width: int, layers: int) -> list[nn.Module]:
    if layers == 0:
        return [nn.Conv2d(inputs, width, 1), nn.LeakyReLU(0.2), nn.Conv2d(width, 1, 1)]
    convolutions = []
    for _ in range(layers):
        convolutions += [nn.Conv2d(inputs, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        inputs, width = width, 2 * width
    return [
        *convolutions,
        nn.Conv2d(inputs, width, 4, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 1, 4, padding=1),
    ]


class TwoDiscriminators(nn.Module):
    """D of the targets and D of the sources, as one: (targets, sources) → the logits of both, in a row.

    A loss that takes the mean of all logits is then the mean of both players' losses.

    Args:
        of_target, of_source: images (N, C, H, W) → logits.
    """

    def __init__(self, of_target: nn.Module, of_source: nn.Module):
        super().__init__()
        self.of_target, self.of_source = of_target, of_source
        self.logits_per_sample = sum(getattr(one, "logits_per_sample", 1) for one in (of_target, of_source))

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        return torch.cat([self.of_target(targets), self.of_source(sources)])


# --- how much of the image a logit sees --------------------------------------------------------------------


def receptive_field(sizes: Sequence[tuple[int, ...]]) -> int:
    """r = 1 + Σᵢ (kᵢ − 1)·s₁·s₂·…·sᵢ₋₁: how many pixels, along an axis, a number after these layers sees.

    A kernel of size k adds k − 1 of its input's steps, and a stride of s makes the steps of all that follow
    s times as long (Araujo, Norris and Sim 2019, doi:10.23915/distill.00021).

    Args:
        sizes: (kernel, stride) of each layer in turn, the first layer first; more numbers are not looked at.
    """
    field, step = 1, 1
    for kernel, stride, *_ in sizes:
        field += (kernel - 1) * step
        step *= stride
    return field


def convolution_sizes(network: nn.Module) -> list[tuple[int, int, int]]:
    """(kernel, stride, padding) of each convolution and pooling of a network, in the order of its layers.

    Args:
        network: its layers are applied one after the other; square kernels.

    Raises:
        ValueError: a linear layer, which sees everything, or a kernel that is not square.
    """
    sizes = []
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            raise ValueError("a linear layer sees the whole map; take a network of convolutions.")
        if isinstance(layer, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            sizes.append(tuple(map(_square, (layer.kernel_size, layer.stride, layer.padding))))
    return sizes


def receptive_window(network: nn.Module, position: int) -> tuple[int, int]:
    """The first and the last pixel, along an axis, that the number at this position of the map can see.

    Padding moves the windows: they begin p₁ + s₁·p₂ + s₁·s₂·p₃ + … pixels before the image, so that those at
    the edges reach out of it.
    """
    sizes, before, step = convolution_sizes(network), 0, 1
    for _, stride, padding in sizes:
        before += padding * step
        step *= stride
    first = position * step - before
    return first, first + receptive_field(sizes) - 1


def _square(sizes: int | Sequence[int]) -> int:
    several = {sizes} if isinstance(sizes, int) else set(sizes)
    if len(several) > 1:
        raise ValueError(f"kernels, strides and padding must be square, got {tuple(sizes)}.")
    return several.pop()


def gradient_window(
    network: nn.Module, image_shape: Sequence[int], position: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Where the number at this position of the network's map reacts to the image, by its gradient.

    Args:
        network: images (N, C, H, W) → maps, whose first channel is looked at.
        image_shape: (C, H, W).
        position: row and column in the map.

    Returns:
        First and last row, first and last column with ∂number/∂pixel ≠ 0 for some of 8 random images.
    """
    rng = torch.Generator().manual_seed(0)
    images = torch.randn(8, *image_shape, generator=rng).requires_grad_()
    with torch.enable_grad():
        number = network(images)[:, 0, position[0], position[1]].sum()
        (gradient,) = torch.autograd.grad(number, images)
    reacts = gradient.abs().sum((0, 1)) > 0
    rows, columns = (reacts.any(axis).nonzero().flatten() for axis in (1, 0))
    return rows[0].item(), rows[-1].item(), columns[0].item(), columns[-1].item()
