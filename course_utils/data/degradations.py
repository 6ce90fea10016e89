"""What is taken away from an image, for a network to give it back: holes, resolution, colour, all but edges.

The image is then the *target* of a translation, and what is left of it the *source*. Every function takes
images (N, C, H, W) in [-1, 1] and returns images in [-1, 1], of any shape.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.data.convention import Sampler, check_images, image_sampler

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue: ITU-R BT.601

# --- holes: bool (N, 1, H, W), True where the image is missing ----------------------------------------------


def centre_hole(image_shape: Sequence[int], size: int = 12) -> Tensor:
    """A square hole of size × size pixels in the middle: (C, H, W) → bool (1, 1, H, W).

    Raises:
        ValueError: it is larger than the image.
    """
    _, height, width = image_shape
    if not 1 <= size <= min(height, width):
        raise ValueError(f"size must be between 1 and {min(height, width)}, got {size}; choose another one.")
    hole = torch.zeros(1, 1, height, width, dtype=torch.bool)
    top, left = (height - size) // 2, (width - size) // 2
    hole[..., top : top + size, left : left + size] = True
    return hole


def rectangular_holes(
    n: int, image_shape: Sequence[int], rng: torch.Generator, least: int = 8, most: int = 16
) -> Tensor:
    """A rectangle for each image: sides uniform from `least` to `most` pixels, at a place uniform inside.

    Args:
        n: how many.
        image_shape: (C, H, W).
        rng: draws sizes and places, on its device.
        least, most: of both sides, in pixels.

    Returns:
        bool (n, 1, H, W).

    Raises:
        ValueError: sides that do not fit into the image.
    """
    _, height, width = image_shape
    if not 1 <= least <= most <= min(height, width):
        raise ValueError(
            f"sides must be between 1 and {min(height, width)}, got {least} to {most}; choose other ones."
        )
    inside = torch.ones(n, 1, height, width, dtype=torch.bool, device=rng.device)
    for size, axis in ((height, 2), (width, 3)):
        side = torch.randint(least, most + 1, (n, 1), generator=rng, device=rng.device)
        # uniform among the places from 0 to size − side, both included
        first = (torch.rand(n, 1, generator=rng, device=rng.device) * (size - side + 1)).long()
        place = torch.arange(size, device=rng.device)
        covered = (first <= place) & (place < first + side)  # (n, size)
        inside &= covered[:, None, :, None] if axis == 2 else covered[:, None, None, :]
    return inside


def stroke_holes(
    n: int, image_shape: Sequence[int], rng: torch.Generator, width: float = 6.0, corners: int = 4
) -> Tensor:
    """A broken line for each image, as somebody would scribble it: corners uniform in the image.

    Args:
        n: how many.
        image_shape: (C, H, W).
        rng: draws the corners, on its device.
        width: of the line, in pixels.
        corners: of the line, its ends among them.

    Returns:
        bool (n, 1, H, W).
    """
    _, height, breadth = image_shape
    sizes = torch.tensor([breadth, height], device=rng.device)
    points = torch.rand(n, corners, 2, generator=rng, device=rng.device) * sizes
    return torch.cat([line_hole(line, image_shape, width) for line in points])


def line_hole(points: Tensor, image_shape: Sequence[int], width: float) -> Tensor:
    """The pixels whose centre lies within width/2 of a broken line; one point makes a disc.

    Args:
        points: (K, 2), K ≥ 1: x to the right and y down, in pixels from the image's top left corner; the
            centre of the first pixel is (½, ½).
        image_shape: (C, H, W).
        width: in pixels.

    Returns:
        bool (1, 1, H, W).
    """
    _, height, breadth = image_shape
    y, x = torch.meshgrid(
        torch.arange(height, device=points.device) + 0.5,
        torch.arange(breadth, device=points.device) + 0.5,
        indexing="ij",
    )
    centres = torch.stack([x, y], -1).reshape(-1, 1, 2)  # (H·W, 1, 2)
    starts, ends = points[:-1], points[1:]
    if len(points) == 1:
        starts = ends = points
    along = ends - starts
    # The nearest place of each segment: a fraction of it, between its ends.
    fraction = ((centres - starts) * along).sum(-1) / along.square().sum(-1).clamp(min=1e-12)
    nearest = starts + fraction.clamp(0, 1)[..., None] * along
    distances = (centres - nearest).norm(dim=-1).min(dim=1).values
    return (distances <= width / 2).reshape(1, 1, height, breadth)


def cut(images: Tensor, holes: Tensor) -> Tensor:
    """The image without its hole, and where the hole is: missing pixels 0, one more channel for the hole.

    Args:
        images: (N, C, H, W).
        holes: bool (N, 1, H, W), or (1, 1, H, W) for the same hole in all.

    Returns:
        (N, C + 1, H, W); the last channel is +1 where the image is missing and −1 where it is known.

    Raises:
        ValueError: holes of another shape.
    """
    if holes.dtype != torch.bool or holes.shape not in (
        (len(images), 1, *images.shape[2:]),
        (1, 1, *images.shape[2:]),
    ):
        raise ValueError(
            f"holes must be bool ({len(images)}, 1, {images.shape[2]}, {images.shape[3]}), got {holes.dtype} "
            f"{tuple(holes.shape)}; one for each image."
        )
    left = images.masked_fill(holes, 0.0)
    channel = (2.0 * holes - 1).to(images.dtype).expand(len(images), -1, -1, -1)
    return torch.cat([left, channel], dim=1)


def uncut(source: Tensor) -> tuple[Tensor, Tensor]:
    """What `cut` put together: the image (N, C, H, W), 0 in the hole, and the hole, bool (N, 1, H, W)."""
    return source[:, :-1], source[:, -1:] > 0


# --- resolution, colour, edges -----------------------------------------------------------------------------


def downsample(images: Tensor, factor: int) -> Tensor:
    """The mean of each factor × factor pixels: (N, C, H, W) → (N, C, H/factor, W/factor).

    What a sensor with larger pixels would measure. Taking every k-th pixel instead would turn detail finer
    than two of the new pixels into patterns that are not there (aliasing).

    Raises:
        ValueError: the sizes are not divisible by the factor.
    """
    if factor < 1 or images.shape[2] % factor or images.shape[3] % factor:
        raise ValueError(
            f"factor must divide the image's sizes {tuple(images.shape[2:])}, got {factor}; crop the images."
        )
    return F.avg_pool2d(images, factor)


def enlarge(images: Tensor, factor: int, mode: str = "bicubic") -> Tensor:
    """`factor` times as many pixels each way, without a network: (N, C, H, W) → (N, C, k·H, k·W).

    Args:
        images: (N, C, H, W).
        factor: k.
        mode: "bicubic" (Keys 1981, doi:10.1109/TASSP.1981.1163711, a = −¾), "bilinear" or "nearest". The
            bicubic kernel has negative lobes and overshoots at edges; what leaves [-1, 1] is clamped.
    """
    return F.interpolate(images, scale_factor=factor, mode=mode).clamp(-1, 1)


def grey(images: Tensor) -> Tensor:
    """0.299·R + 0.587·G + 0.114·B, the luma of ITU-R BT.601: (N, 3, H, W) → (N, 1, H, W).

    Raises:
        ValueError: there are not three channels.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be (N, 3, H, W), got {tuple(images.shape)}; these have no colours.")
    weights = images.new_tensor(LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def edges(images: Tensor, threshold: float = 4.0) -> Tensor:
    """+1 where the brightness changes by more than the threshold, −1 elsewhere: (N, C, H, W) → (N, 1, H, W).

    |∇| = √(g_x² + g_y²) with Sobel's two 3×3 kernels [1 2 1]ᵀ·[−1 0 1] and its transpose; the border's pixels
    are repeated outwards. Brightness is the mean of the channels. A step from −1 to 1 has |∇| = 8.

    Args:
        images: (N, C, H, W) in [-1, 1].
        threshold: of |∇|.
    """
    brightness = F.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    smooth, slope = images.new_tensor([1.0, 2.0, 1.0]), images.new_tensor([-1.0, 0.0, 1.0])
    across = torch.outer(smooth, slope)  # differences along x, smoothed along y
    kernels = torch.stack([across, across.T])[:, None]
    strength = F.conv2d(brightness, kernels).norm(dim=1, keepdim=True)
    return torch.where(strength > threshold, 1.0, -1.0)


# --- styles: the same digits drawn otherwise ---------------------------------------------------------------


def inverted(images: Tensor) -> Tensor:
    """−x: black on white in place of white on black. Its own inverse."""
    return -images


def thickened(images: Tensor, radius: int = 1) -> Tensor:
    """The largest value within `radius` pixels each way: bright strokes grow by `radius` on both sides."""
    return F.max_pool2d(images, 2 * radius + 1, stride=1, padding=radius)


def half_turn(images: Tensor) -> Tensor:
    """Rotated by 180°. Its own inverse; of a 6 it makes what looks like a 9."""
    return images.flip(2, 3)


def blocks(images: Tensor, factor: int = 4) -> Tensor:
    """The image as large pixels of factor × factor, each their mean. Applied twice it changes no more."""
    return enlarge(downsample(images, factor), factor, mode="nearest")


# --- batches -----------------------------------------------------------------------------------------------


def translation_sampler(
    images: Tensor,
    degrade: Callable[[Tensor, torch.Generator], Tensor],
    device: torch.device | str = "cpu",
    *,
    repeats: int = 1,
) -> Sampler:
    """A sampler of (target, source): images, and what is left of them.

    Args:
        images: uint8 (N, C, H, W).
        degrade: (images in [-1, 1], rng) → sources, such as `lambda images, rng: downsample(images, 4)`.
        device: where the images are kept and the batches appear.
        repeats: how often each pair comes, in a row; the last one less often where n is not divisible by it.

    Returns:
        ``draw(n, rng)`` → (targets (n, C, H, W), sources (n, ...)).

    Raises:
        TypeError, ValueError: as `image_sampler`.
    """
    draw_images = image_sampler(images, device)

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        targets = draw_images(math.ceil(n / repeats), rng)
        sources = degrade(targets, rng)
        return targets.repeat_interleave(repeats, 0)[:n], sources.repeat_interleave(repeats, 0)[:n]

    return draw


def unpaired_sampler(draw_targets: Sampler, draw_sources: Sampler) -> Sampler:
    """A sampler of (target, source) that have nothing to do with each other: one draw from each sampler."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        return draw_targets(n, rng), draw_sources(n, rng)

    return draw


def hole_sampler(images: Tensor, device: torch.device | str = "cpu", *, repeats: int = 1) -> Sampler:
    """`translation_sampler` of images with a hole: rectangles in one half of each batch, else strokes.

    Args, Returns, Raises: as there; the sources are `cut`'s, (n, C + 1, H, W).
    """
    return translation_sampler(images, cut_at_random, device, repeats=repeats)


def cut_at_random(images: Tensor, rng: torch.Generator) -> Tensor:
    """`cut` with a hole for each image: rectangles in the first half, strokes in the second."""
    check_images(images)
    rectangles = (len(images) + 1) // 2
    shape = tuple(images.shape[1:])
    holes = [rectangular_holes(rectangles, shape, rng)]
    if len(images) > rectangles:
        holes.append(stroke_holes(len(images) - rectangles, shape, rng))
    return cut(images, torch.cat(holes))
