"""Differentiable augmentation: all that the discriminator sees, real or generated, is changed at random.

S. Zhao, Z. Liu, J. Lin, J.-Y. Zhu, S. Han, "Differentiable Augmentation for Data-Efficient GAN Training",
2020, arXiv:2006.10738. Applied to real *and* generated images, by operations that let the generator's
gradients through. Every function takes images (N, C, H, W) and a torch.Generator on their device, which draws
one change for each image.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def augment(images: Tensor, rng: torch.Generator) -> Tensor:
    """translate(flip(colour(x))): a new colour balance, perhaps mirrored, a little out of place.

    Args:
        images: (N, C, H, W), at least 8 pixels high and wide, in [-1, 1]; the result may leave that range.
        rng: on the images' device; `GAN(..., augment=augment)` passes the training's own.

    Returns:
        Images of the same shape, differentiable in the images.

    Raises:
        ValueError: not (N, C, H, W).
    """
    if images.ndim != 4:
        raise ValueError(f"images must be (N, C, H, W), got {tuple(images.shape)}; add the missing axes.")
    return translate(flip(colour(images, rng), rng), rng)


def flip(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each image is mirrored, left for right, with probability ½. (N, C, H, W) → the same."""
    return torch.where(_uniform(images, rng) < 0.5, images.flip(3), images)


def colour(images: Tensor, rng: torch.Generator) -> Tensor:
    """Brightness + U(−½, ½), saturation · U(0, 2), contrast · U(½, 3/2), one draw an image (section 4.1).

    Brightness moves all values together; saturation moves each pixel's colour from (or to) the grey of its
    mean over the channels; contrast stretches about the mean of the whole image. (N, C, H, W) → the same.
    """
    images = images + _uniform(images, rng) - 0.5
    grey = images.mean(1, keepdim=True)
    images = grey + 2 * _uniform(images, rng) * (images - grey)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (0.5 + _uniform(images, rng)) * (images - mean)


def translate(images: Tensor, rng: torch.Generator, fraction: float = 1 / 8) -> Tensor:
    """Each image is moved by up to `fraction` of its size, in all directions; zeros come in from outside.

    Args:
        images: (N, C, H, W).
        rng: on the images' device.
        fraction: 1/8 in the paper: up to 4 of 32 pixels.
    """
    count, channels, height, width = images.shape
    most_down, most_right = round(fraction * height), round(fraction * width)
    padded = F.pad(images, (most_right, most_right, most_down, most_down))
    # A window of the old size into the padded image, at a random place for each image.
    rows = _places(count, most_down, height, rng)[:, None, :, None]
    columns = _places(count, most_right, width, rng)[:, None, None, :]
    windows = rows * padded.shape[3] + columns
    pixels = padded.flatten(2).gather(2, windows.flatten(2).expand(-1, channels, -1))
    return pixels.view(count, channels, height, width)


def flip_and_translate(images: Tensor, rng: torch.Generator) -> Tensor:
    """translate(flip(x)): mirrored or not, a little out of place. (N, C, H, W) → the same."""
    return translate(flip(images, rng), rng)


def _uniform(images: Tensor, rng: torch.Generator) -> Tensor:
    return torch.rand(len(images), 1, 1, 1, generator=rng, device=rng.device)


def _places(count: int, most: int, size: int, rng: torch.Generator) -> Tensor:
    first = torch.randint(0, 2 * most + 1, (count, 1), generator=rng, device=rng.device)
    return first + torch.arange(size, device=rng.device)
