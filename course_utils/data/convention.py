"""The course's one image convention, and the one place where it is converted.

At rest, images are ``uint8 (N, C, H, W)`` in [0, 255]. In the networks they are ``float32 (N, C, H, W)`` in
[-1, 1], the range of the generator's tanh. What takes images from outside calls :func:`check_images` first.
"""

import math
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
            f"to_model_range takes a uint8 tensor (N, C, H, W) in [0, 255], got {describe(images)}; "
            "images that are float already belong in [-1, 1] and need no conversion."
        )
    # One fused pass, −1 + step·x, that also turns uint8 into float32: faster than three operations.
    # torch.full: torch.tensor(-1.0, device="cuda") would copy from the host, and make it wait.
    return torch.add(torch.full((), -1.0, device=images.device), images, alpha=STEP)


def to_uint8(images: Tensor) -> Tensor:
    """x ↦ round(127.5·(x + 1)): back to pixels; undoes :func:`to_model_range`.

    Args:
        images: floating-point pixels in [-1, 1], any shape (by convention (N, C, H, W)).

    Returns:
        uint8 tensor of the same shape and device, in [0, 255].

    Raises:
        TypeError: the images are not floating point.
        ValueError: the images leave [-1, 1] or are not finite.
    """
    if not isinstance(images, Tensor) or not images.is_floating_point():
        raise TypeError(
            f"to_uint8 takes a float tensor (N, C, H, W) in [-1, 1], got {describe(images)}; "
            "integers are pixels already."
        )
    _check_range(images, "images must be a float tensor (N, C, H, W) in [-1, 1]")
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
        ValueError: not four axes, not the expected (C, H, W), no images, or values outside [-1, 1].
    """
    axes = "(N, C, H, W)" if shape is None else f"(N, {shape[0]}, {shape[1]}, {shape[2]})"
    expected = f"{name} must be a float tensor {axes} in [-1, 1]"
    if not isinstance(images, Tensor):
        raise TypeError(f"{expected}, got {describe(images)}; convert it with torch.as_tensor first.")
    if not images.is_floating_point():
        raise TypeError(
            f"{expected}, got {describe(images)}; "
            "pass uint8 pixels through course_utils.data.to_model_range first."
        )
    if images.ndim != 4:
        raise ValueError(
            f"{expected}, got {describe(images)}; reshape it, or add the missing axis with x[:, None]."
        )
    if shape is not None and tuple(images.shape[1:]) != tuple(shape):
        raise ValueError(
            f"{expected}, got {describe(images)}; choose the data set or the network that matches."
        )
    if images.numel() == 0:
        raise ValueError(f"{expected}, got {describe(images)}; pass at least one image.")
    _check_range(images, expected)
    return images


def image_sampler(images: Tensor, device: torch.device | str = "cpu") -> Sampler:
    """A sampler of uniform draws, with replacement, from images that lie in one tensor on the device.

    There is no per-sample Python work: one index operation on uint8 and one fused conversion make a batch.

    Args:
        images: uint8 (N, C, H, W), for example ``load_mnist().images``.
        device: where the images are kept and the batches appear.

    Returns:
        ``draw(n, rng)`` → float32 (n, C, H, W) in [-1, 1] on ``device``. Same generator state, same batch.

    Raises:
        TypeError: the images are not a uint8 tensor.
        ValueError: the images are not (N, C, H, W), or there are none.
    """
    expected = "image_sampler takes a uint8 tensor (N, C, H, W) in [0, 255]"
    if not isinstance(images, Tensor) or images.dtype != torch.uint8:
        raise TypeError(
            f"{expected}, got {describe(images)}; "
            "pass load_mnist().images, or convert yours with course_utils.data.to_uint8."
        )
    if images.ndim != 4 or images.numel() == 0:
        raise ValueError(
            f"{expected}, at least one, got {describe(images)}; "
            "reshape it, or add the missing axis with x[:, None]."
        )
    images = images.to(device)

    def draw(n: int, rng: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (n,), generator=rng, device=rng.device)
        return to_model_range(images.index_select(0, chosen.to(images.device)))

    return draw


def labelled_sampler(images: Tensor, labels: Tensor, device: torch.device | str = "cpu") -> Sampler:
    """A sampler of uniform draws, with replacement, of images together with their labels.

    Args:
        images: uint8 (N, C, H, W), for example ``load_cifar10().images``.
        labels: whole numbers (N,), the class of each image.
        device: where the images are kept and the batches appear.

    Returns:
        ``draw(n, rng)`` → float32 (n, C, H, W) in [-1, 1] and int64 (n,) on ``device``.

    Raises:
        TypeError, ValueError: as :func:`image_sampler`; or there is not one label for each image.
    """
    image_sampler(images)  # which says what is wrong with the images
    if labels.shape != images.shape[:1] or labels.is_floating_point():
        raise ValueError(
            f"labelled_sampler takes a whole number for each of the {len(images)} images, got "
            f"{describe(labels)}; pass load_cifar10().labels, or choose images and labels alike."
        )
    images, labels = images.to(device), labels.long().to(device)

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (n,), generator=rng, device=rng.device).to(device)
        return to_model_range(images[chosen]), labels[chosen]

    return draw


def stacked_sampler(images: Tensor, device: torch.device | str = "cpu") -> Sampler:
    """A sampler of stacked digits: three grey images, drawn independently, as the channels of one.

    Of ten equally frequent classes it makes 1,000 modes: stacked MNIST  (Metz, Poole, Pfau, Sohl-Dickstein
    2017, arXiv:1611.02163, section 3.3.1).

    Args:
        images: uint8 (N, 1, H, W), for example ``load_mnist().images``.
        device: where the images are kept and the batches appear.

    Returns:
        ``draw(n, rng)`` → float32 (n, 3, H, W) in [-1, 1] on ``device``.

    Raises:
        TypeError, ValueError: as :func:`image_sampler`; or the images are not grey.
    """
    draw_one = image_sampler(images, device)
    if images.shape[1] != 1:
        raise ValueError(f"stacked_sampler takes grey images (N, 1, H, W), got {describe(images)}.")

    def draw(n: int, rng: torch.Generator) -> Tensor:
        return draw_one(3 * n, rng).reshape(n, 3, *images.shape[2:])

    return draw


def describe(value: object) -> str:
    """Shape, dtype and range of a tensor in words, for error messages; of anything else, its type.

    Args:
        value: anything.

    Returns:
        For example ``"uint8 of shape (64, 1, 28, 28) in [0, 255]"``.
    """
    if not isinstance(value, Tensor):
        kind, shape = type(value).__name__, getattr(value, "shape", None)
        return kind if shape is None else f"{kind} of {value.dtype} of shape {tuple(shape)}"
    text = f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    if value.numel() == 0 or value.is_complex():
        return text
    low, high = value.detach().min().item(), value.detach().max().item()  # NaN if any value is
    return f"{text} in [{low:.4g}, {high:.4g}]"


def _check_range(images: Tensor, expected: str) -> None:
    """Raises ValueError, beginning with what was expected, if values are not finite or outside [-1, 1]."""
    if images.numel() == 0:
        return
    low, high = images.detach().min().item(), images.detach().max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(
            f"{expected}, got {describe(images)}; "
            "values that are not finite come from a network that has diverged: lower its learning rate."
        )
    tolerance = 1e-3  # rounding may overshoot by less than this, a forgotten conversion by far more
    if low < -1 - tolerance or high > 1 + tolerance:
        raise ValueError(
            f"{expected}, got {describe(images)}; "
            "make uint8 pixels and pass them through course_utils.data.to_model_range."
        )
