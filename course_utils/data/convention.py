"""The course's one image convention, and the one place where it is converted.

At rest, images are ``uint8 (N, C, H, W)`` in [0, 255]. In the networks they are ``float32 (N, C, H, W)`` in [-1, 1],
the range of the generator's tanh. Everything that takes images from outside calls :func:`check_images` first.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

Sampler = Callable[[int, torch.Generator], Tensor]
"""``draw(n, rng)`` returns n samples, drawn with the generator ``rng`` and on its device."""

# 2/255 rounded *down* to float32: rounded to nearest, 255 would become 1.0000001, just outside [-1, 1].
STEP = float(np.nextafter(np.float32(2 / 255), np.float32(0)))


def to_model_range(images: Tensor) -> Tensor:
    """x ↦ 2x/255 − 1: from stored pixels to what the networks see.

    Args:
        images: uint8 pixels in [0, 255], any shape (by convention (N, C, H, W)).

    Returns:
        float32 tensor of the same shape and device, in [-1, 1].

    Raises:
        TypeError: the images are not uint8.
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise TypeError(
            f"to_model_range takes a uint8 tensor with pixels in [0, 255], got {describe(images)}; "
            "images that are float already belong in [-1, 1] and need no conversion."
        )
    # One fused pass, −1 + step·x, which also converts uint8 to float32: 1.5 to 2 times faster than three operations.
    return torch.add(torch.tensor(-1.0, device=images.device), images, alpha=STEP)


def to_uint8(images: Tensor) -> Tensor:
    """x ↦ round(127.5·(x + 1)): from what the networks see back to pixels, the inverse of :func:`to_model_range`.

    Args:
        images: floating-point pixels in [-1, 1], any shape.

    Returns:
        uint8 tensor of the same shape and device, in [0, 255].

    Raises:
        TypeError: the images are not floating point.
        ValueError: the images leave [-1, 1] or are not finite.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        raise TypeError(
            f"to_uint8 takes a floating-point tensor in [-1, 1], got {describe(images)}; uint8 images are converted already."
        )
    _check_range(images, "images")
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def check_images(
    images: Tensor, *, shape: tuple[int, int, int] | None = None, name: str = "images"
) -> Tensor:
    """The one check at every public boundary that takes images: float, (N, C, H, W), in [-1, 1].

    Args:
        images: the tensor to check.
        shape: the expected (C, H, W); None accepts any.
        name: what the caller calls the images, for the message.

    Returns:
        The same tensor, so that the check can stand in an expression.

    Raises:
        TypeError: not a floating-point tensor.
        ValueError: not four dimensions, not the expected (C, H, W), no images at all, or values outside [-1, 1].
    """
    expected = "(N, C, H, W)" if shape is None else f"(N, {shape[0]}, {shape[1]}, {shape[2]})"
    wanted = f"{name} must be a float tensor {expected} in [-1, 1]"
    if not isinstance(images, Tensor):
        raise TypeError(f"{wanted}, got {describe(images)}; convert it with torch.as_tensor first.")
    if images.dtype == torch.uint8:
        raise TypeError(
            f"{wanted}, got {describe(images)}; pass them through course_utils.data.to_model_range first."
        )
    if not images.is_floating_point():
        raise TypeError(
            f"{wanted}, got {describe(images)}; convert pixels with course_utils.data.to_model_range."
        )
    if images.ndim != 4:
        raise ValueError(
            f"{wanted}, got {describe(images)}; reshape them, or add the missing axis with x[:, None]."
        )
    if shape is not None and tuple(images.shape[1:]) != tuple(shape):
        raise ValueError(f"{wanted}, got {describe(images)}; choose the data set or network that matches.")
    if images.shape[0] == 0:
        raise ValueError(f"{wanted} with N at least 1, got {describe(images)}; there is nothing to work on.")
    _check_range(images, name)
    return images


def image_sampler(images: Tensor, device: torch.device | str = "cpu") -> Sampler:
    """A sampler of uniform draws, with replacement, from images that lie in one tensor on the device.

    There is no per-sample Python work: one index operation on uint8 and one fused conversion give a batch.

    Args:
        images: uint8 (N, C, H, W), for example ``load_mnist().images``.
        device: where the images are kept and the batches appear.

    Returns:
        ``draw(n, rng)`` → float32 (n, C, H, W) in [-1, 1] on ``device``. Same generator state, same batch.

    Raises:
        TypeError: the images are not a uint8 tensor.
        ValueError: the images are not (N, C, H, W), or there are none.
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise TypeError(
            f"image_sampler takes uint8 images (N, C, H, W) in [0, 255], got {describe(images)}; "
            "pass load_mnist().images, or convert yours with course_utils.data.to_uint8."
        )
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(
            f"image_sampler takes uint8 images (N, C, H, W) in [0, 255] with N at least 1, got {describe(images)}; "
            "reshape them, or add the missing axis with x[:, None]."
        )
    images = images.to(device)

    def draw(n: int, rng: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (n,), generator=rng, device=rng.device)
        return to_model_range(images.index_select(0, chosen.to(images.device)))

    return draw


def describe(value: object) -> str:
    """Shape, dtype and range of a tensor in words, for error messages; of anything else, its type."""
    if not isinstance(value, Tensor):
        shape = getattr(value, "shape", None)
        return type(value).__name__ if shape is None else f"{type(value).__name__} of shape {tuple(shape)}"
    text = f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    if value.numel() == 0 or value.is_complex():
        return text
    low, high = value.detach().aminmax() if value.dtype != torch.bool else (value.min(), value.max())
    return f"{text} in [{low.item():.4g}, {high.item():.4g}]"


def _check_range(images: Tensor, name: str) -> None:
    if images.numel() == 0:
        return
    low, high = (bound.item() for bound in images.detach().aminmax())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(
            f"{name} must be finite and lie in [-1, 1], got {describe(images)}; "
            "the network that made them has diverged: lower its learning rate."
        )
    tolerance = (
        1e-3  # bfloat16 and resampling may overshoot by a rounding error, a forgotten conversion by far more
    )
    if low < -1 - tolerance or high > 1 + tolerance:
        raise ValueError(
            f"{name} must lie in [-1, 1], got {describe(images)}; "
            "pass uint8 pixels through course_utils.data.to_model_range first."
        )
