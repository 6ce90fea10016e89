"""What the course uses where the real data is not available. Every figure drawn from these says so."""

import numpy as np

DIGITS_NOTE = "stand-in: scikit-learn's 8×8 digits, upsampled, not MNIST"
SHAPES_NOTE = "stand-in: drawn shapes, not CIFAR-10"
SHAPES = (
    "disc",
    "ring",
    "square",
    "frame",
    "triangle",
    "diamond",
    "cross",
    "bars",
    "crescent",
    "flower",
)
SIZES = {"train": 5_000, "test": 1_000}


StandIn = tuple[np.ndarray, np.ndarray, tuple[str, ...], str]  # images, labels, classes, note


def digits(split: str) -> StandIn:
    """scikit-learn's 1,797 scanned digits, 8×8, enlarged to 20×20 and framed to 28×28 as MNIST's digits are.

    Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998 (CC BY 4.0).

    Args:
        split: "train" (the first 1,500) or "test" (the other 297, by other writers).

    Returns:
        images uint8 (N, 1, 28, 28), labels (N,), the classes' names and the note for figures.
    """
    from sklearn.datasets import load_digits  # imported here: it takes longer than loading all of MNIST

    scans, labels = load_digits(return_X_y=True)
    part = slice(None, 1500) if split == "train" else slice(1500, None)
    scans = scans[part].reshape(-1, 8, 8) / 16  # ink from 0 to 16
    enlarge = _linear_interpolation(8, 20)
    inside = np.einsum("ri,nij,cj->nrc", enlarge, scans, enlarge)
    images = np.zeros((len(scans), 1, 28, 28), dtype=np.uint8)
    images[:, 0, 4:24, 4:24] = np.round(255 * inside)
    return images, labels[part], tuple("0123456789"), DIGITS_NOTE


def shapes(split: str) -> StandIn:
    """Coloured shapes in ten classes, 32×32, each with its own place, size, turn and two colours.

    Args:
        split: "train" (5,000) or "test" (1,000); drawn with different seeds, each class equally often.

    Returns:
        images uint8 (N, 3, 32, 32), labels (N,), the classes' names and the note for figures.
    """
    count = SIZES[split]
    random = np.random.default_rng(0 if split == "train" else 1)
    labels = random.permutation(np.arange(count) % len(SHAPES))
    images = np.empty((count, 3, 32, 32), dtype=np.uint8)
    for label in range(len(SHAPES)):
        images[labels == label] = _draw(label, int((labels == label).sum()), random)
    return images, labels, SHAPES, SHAPES_NOTE


def _draw(label: int, count: int, random: np.random.Generator) -> np.ndarray:
    """``count`` images of one shape. A shape is the set where a distance-like function is negative."""

    def uniform(low: float, high: float) -> np.ndarray:
        return random.uniform(low, high, (count, 1, 1)).astype(np.float32)

    pixel = (np.arange(32, dtype=np.float32) + 0.5) / 16 - 1  # centres of the pixels in [-1, 1]
    radius, turn = uniform(0.45, 0.75), uniform(-0.4, 0.4)
    across, down = pixel[None, None, :] - uniform(-0.2, 0.2), pixel[None, :, None] - uniform(-0.2, 0.2)
    x = (np.cos(turn) * across + np.sin(turn) * down) / radius
    y = (np.cos(turn) * down - np.sin(turn) * across) / radius
    length = np.sqrt(x * x + y * y)
    side = np.maximum(abs(x), abs(y))
    outside = (
        lambda: length - 1,  # disc
        lambda: abs(length - 0.75) - 0.25,  # ring
        lambda: side - 0.8,  # square
        lambda: abs(side - 0.7) - 0.2,  # frame
        lambda: np.maximum(y - 0.6, abs(x) * 0.87 - (y + 1) * 0.5),  # triangle
        lambda: (1.6 * abs(x) + abs(y) - 1) * 0.53,  # diamond: narrower than a turned square
        lambda: np.maximum(side - 0.95, np.minimum(abs(x), abs(y)) - 0.28),  # cross
        lambda: np.maximum(side - 0.9, 0.24 - abs(abs(y) - 0.45)),  # bars
        lambda: np.maximum(length - 1, 0.8 - np.sqrt((x - 0.5) ** 2 + y * y)),  # crescent
        lambda: length - 0.7 - 0.3 * np.cos(5 * np.arctan2(y, x)),  # flower
    )[label]()
    cover = np.clip(0.5 - outside * radius * 16, 0, 1)[:, None]  # smooth over one pixel at the edge

    ink = random.uniform(0, 1, (count, 3, 1, 1)).astype(np.float32)
    paper = random.uniform(0, 1, (count, 3, 1, 1)).astype(np.float32)
    far = np.where(ink > 0.5, ink - 0.5, ink + 0.5)  # so that ink and paper differ in every channel
    paper = far + 0.5 * (paper - 0.5) * np.minimum(far, 1 - far)
    shade = 1 + 0.15 * pixel[:, None] * uniform(-1, 1)[:, None]  # light that falls from above or below
    return np.round(255 * np.clip((paper + cover * (ink - paper)) * shade, 0, 1)).astype(np.uint8)


def _linear_interpolation(size: int, larger: int) -> np.ndarray:
    """The (larger, size) matrix that stretches ``size`` values to ``larger`` ones, linearly."""
    place = np.clip((np.arange(larger) + 0.5) * size / larger - 0.5, 0, size - 1)
    return np.maximum(0, 1 - abs(place[:, None] - np.arange(size)))
