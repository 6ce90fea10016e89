"""How near an image is to *one* given image: for reconstructions, not for samples of a generator."""

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data import check_images

SIGMA, REACH = (
    1.5,
    5,
)  # pixels: the window's standard deviation, and how far it reaches; Wang et al. use 11×11
PART = 250  # images at a time: a dozen maps of each are held, in double precision
SMALL = (0.01, 0.03)  # of the range of values: keep the two fractions from dividing by nothing


def mean_squared_error(images: Tensor, targets: Tensor) -> float:
    """mean (x − y)² over all pixels of all pairs, between 0 and 4. Shapes (N, C, H, W), both in [-1, 1]."""
    _check_pairs(images, targets)
    return (images - targets).square().mean().item()


def peak_signal_to_noise(images: Tensor, targets: Tensor) -> float:
    """PSNR = 10·log₁₀(2² / mean (x − y)²) in decibels, the mean over the pairs.

    2 is the range of the values, whose square the error of an image is compared with. The mean of logarithms:
    a pair that agrees well counts for more than in the logarithm of the mean error. Shapes (N, C, H, W), both
    in [-1, 1]; infinite where an image equals its target.
    """
    _check_pairs(images, targets)
    errors = (images - targets).double().square().flatten(1).mean(1)
    return (10 * torch.log10(4 / errors)).mean().item()


def safest_guess(targets: Tensor) -> tuple[Tensor, float]:
    """The image with the least mean squared error to all targets (N, C, H, W), their mean; and that error.

    The derivative of Σᵢ (c − xᵢ)² with respect to c is 0 at the mean; what is left is the variance.
    """
    check_images(targets)
    image = targets.mean(dim=0)
    return image, (targets - image).square().mean().item()


def structural_similarity(images: Tensor, targets: Tensor) -> float:
    """SSIM = (2μₓμᵧ + c₁)(2σₓᵧ + c₂) / [(μₓ² + μᵧ² + c₁)(σₓ² + σᵧ² + c₂)]  (Wang et al. 2004, eq. 13).

    Means, variances and covariance are local: under a Gaussian window of 11×11 pixels that slides over both
    images. The mean over all of its places that lie inside, over channels and pairs; x and y are brightnesses
    from 0 to 1.

    Args:
        images, targets: (N, C, H, W), H and W at least 11, values in [-1, 1]; image i belongs to target i.

    Returns:
        Between -1 and 1; 1 only for equal images.

    Raises:
        ValueError: two shapes, images smaller than the window, or values outside [-1, 1].
    """
    _check_pairs(images, targets)
    if min(images.shape[-2:]) < 2 * REACH + 1:
        raise ValueError(
            f"images must be at least {2 * REACH + 1} pixels wide and high, as the window is, got "
            f"{tuple(images.shape[-2:])}"
        )
    total, places = 0.0, 0
    for x, y in zip(images.split(PART), targets.split(PART), strict=True):
        likeness = _likeness(x, y)
        total, places = total + likeness.sum().item(), places + likeness.numel()
    return total / places


def _likeness(images: Tensor, targets: Tensor) -> Tensor:
    """SSIM at each place of the window."""
    # Brightness from 0 to 1: the formula's fractions of means want numbers that are not negative.
    x, y = ((side.double() + 1).flatten(0, 1)[:, None] / 2 for side in (images, targets))
    mean_x, mean_y = _local_mean(x), _local_mean(y)
    variance_x = _local_mean(x * x) - mean_x**2
    variance_y = _local_mean(y * y) - mean_y**2
    covariance = _local_mean(x * y) - mean_x * mean_y
    c1, c2 = (small**2 for small in SMALL)
    likeness = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    return likeness / ((mean_x**2 + mean_y**2 + c1) * (variance_x + variance_y + c2))


def _local_mean(maps: Tensor) -> Tensor:
    """Weighted mean under the window, at all places where it fits: (N, 1, H, W) → (N, 1, H − 10, W − 10)."""
    steps = torch.arange(-REACH, REACH + 1, dtype=maps.dtype)
    weights = torch.exp(-steps.square() / (2 * SIGMA**2))
    weights = weights / weights.sum()
    return F.conv2d(F.conv2d(maps, weights[None, None, :, None]), weights[None, None, None, :])


def _check_pairs(images: Tensor, targets: Tensor) -> None:
    check_images(images)
    check_images(targets)
    if images.shape != targets.shape:
        raise ValueError(
            f"image i is compared with target i, so both need one shape; got {tuple(images.shape)} and "
            f"{tuple(targets.shape)}"
        )
