"""Statistics of images that need no classifier: the colours they have, their edges, their spectrum."""

import torch
from torch import Tensor

from course_utils.data import check_images, grey


def colour_histograms(images: Tensor, bins: int = 32) -> Tensor:
    """The fraction of pixels in each interval of brightness, for each channel.

    Args:
        images: (N, C, H, W) in [-1, 1].
        bins: intervals of equal width that cover [-1, 1].

    Returns:
        (C, bins), each row adds up to 1.
    """
    check_images(images)
    channels = images.shape[1]
    place = ((images + 1) / 2 * bins).long().clamp(0, bins - 1)
    rows = place.transpose(0, 1).reshape(channels, -1)
    return torch.stack([row.bincount(minlength=bins) for row in rows]) / rows.shape[1]


def channel_correlations(images: Tensor) -> Tensor:
    """Pearson's correlation between the channels, over all pixels: (N, C, H, W) → (C, C)."""
    check_images(images)
    return torch.corrcoef(images.transpose(0, 1).flatten(1).double())


def chroma_strength(images: Tensor) -> float:
    """√E(x − grey(x))²: how far colours are from their grey; root mean square over pixels and channels.

    Grey is the luma of `data.grey`. Of images with the same grey, the mean of several has less chroma than
    they have: E‖c‖² = ‖E c‖² + the variance of c.

    Args:
        images: (N, 3, H, W) in [-1, 1].

    Returns:
        At least 0; 0 for grey images.
    """
    check_images(images)
    return (images - grey(images)).square().mean().sqrt().item()


def edge_strengths(images: Tensor) -> Tensor:
    """|∇| = √(∂x² + ∂y²) of the brightness, by differences of neighbouring pixels.

    Args:
        images: (N, C, H, W) in [-1, 1]; brightness is the mean of the channels.

    Returns:
        (N, H − 1, W − 1), from 0 (flat) to 2√2.
    """
    check_images(images)
    brightness = images.mean(1)
    down = brightness[:, 1:, :-1] - brightness[:, :-1, :-1]
    right = brightness[:, :-1, 1:] - brightness[:, :-1, :-1]
    return (down.square() + right.square()).sqrt()


def power_spectrum(images: Tensor) -> Tensor:
    """E |F(x − mean x)|² / (H·W), the mean power at each frequency, zero frequency in the middle.

    F is the two-dimensional discrete Fourier transform of the brightness (the mean of the channels). By
    Parseval's theorem the mean over all frequencies is the mean variance of an image, when its own mean is
    taken away first.

    Args:
        images: (N, C, H, W), floating point. Any range: feature maps have spectra too.

    Returns:
        (H, W). Row H//2, column W//2 is frequency 0; row 0, column 0 is −½ cycle a pixel in both directions
        (H and W even): the checkerboard.
    """
    brightness = images.float().mean(1)
    brightness = brightness - brightness.mean((1, 2), keepdim=True)
    power = torch.fft.fft2(brightness, norm="ortho").abs().square().mean(0)
    return torch.fft.fftshift(power)


def radial_spectrum(images: Tensor) -> tuple[Tensor, Tensor]:
    """The power spectrum, averaged over all directions: how much of each fineness there is.

    Args:
        images: (N, C, H, W) with H = W.

    Returns:
        Frequencies 1/H, 2/H, … ½ in cycles a pixel, and the mean power in a ring of width 1/H around each.

    Raises:
        ValueError: the images are not square.
    """
    height, width = images.shape[-2:]
    if height != width:
        raise ValueError(f"images must be square, got {height}×{width}; crop them first.")
    power = power_spectrum(images)
    steps = torch.arange(height) - height // 2
    ring = (steps[:, None] ** 2 + steps[None, :] ** 2).sqrt().round().long()
    total = torch.bincount(ring.flatten(), weights=power.flatten())
    rings = total / torch.bincount(ring.flatten())
    return torch.arange(1, height // 2 + 1) / height, rings[1 : height // 2 + 1]


def fine_power(images: Tensor, least: float = 0.25) -> float:
    """The mean power at `least` cycles a pixel and above, in all directions: what blur takes away first.

    Beside that of real images it says how sharp images are. More than theirs is noise, or a checkerboard.
    Images (N, C, H, W) with H = W → a number ≥ 0.
    """
    frequencies, power = radial_spectrum(images)
    return power[frequencies >= least].mean().item()


def checkerboard_fraction(images: Tensor) -> float:
    """The fraction of an image's power at the three frequencies that a grid of period 2 consists of.

    Rows, columns, and both: (½, 0), (0, ½) and (½, ½) cycles a pixel. White noise has a fraction of
    3/(H·W − 1), and smooth images less. Images (N, C, H, W), H and W even → a number in [0, 1].
    """
    power = power_spectrum(images)
    middle, centre = power.shape[0] // 2, power.shape[1] // 2
    at_period_two = power[0, 0] + power[0, centre] + power[middle, 0]
    return (at_period_two / power.sum()).item()
