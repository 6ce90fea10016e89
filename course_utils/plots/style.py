"""The course's look: colours, sizes, and how numbers and arrays are read.

Importing this module sets matplotlib's rcParams: sizes legible at 100 %, and a palette that people with
colour-blindness can tell apart.
"""

from __future__ import annotations

import math
import os

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from torch import Tensor

# The palette of Okabe and Ito (2008, "Color Universal Design"), made for colour-blind eyes, without the three
# that are too light for a line on white: brown stands for their orange, their sky blue is darker, there is no
# yellow. All reach a contrast of 3 : 1 (Web Content Accessibility Guidelines 2.2, 1.4.11), and no two of them
# look alike to eyes without red or green cones.
PALETTE = {
    "black": "#000000",
    "brown": "#6E4B00",
    "sky blue": "#3597F4",
    "green": "#009E73",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#666666",
}

# One meaning, one colour, in every figure of the course.
COLORS = {
    "data": PALETTE["blue"],
    "model": PALETTE["vermillion"],
    "discriminator": PALETTE["green"],
    "generator": PALETTE["vermillion"],
    "optimum": PALETTE["black"],
    "value": PALETTE["purple"],
    "highlight": PALETTE["brown"],
    "second": PALETTE["sky blue"],
    "reference": PALETTE["grey"],  # of small text, too: 4.5 : 1 is asked for that
}

# gid of what may be pale, because something strong beside it says the same: the raw curve under its running
# mean, the area under a line, the ground of a cell with text. A test asks 3 : 1 of all other lines and fills.
BACKDROP = "backdrop"

# For the n-th curve of a figure whose curves have no fixed meaning; dashes tell them apart without colour.
CYCLE = [PALETTE[name] for name in ("blue", "vermillion", "green", "purple", "brown", "sky blue", "black")]
DASHES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1))]

# D(x) from 0 to 1: pale vermillion where D says "generated", white where it cannot tell, pale blue: "real"
DISCRIMINATION = LinearSegmentedColormap.from_list("discrimination", ["#EFB58C", "#FFFFFF", "#9CC7E4"])


def text_scale() -> float:
    """How many times larger than usual text and lines are drawn in figures of the usual size: COURSE_TEXT.

    For a projector. From the last row of a room one reads what is at least a 200th of the distance high
    (ANSI/AVIXA V202.01, "Display Image Size for 2D Content"). Where a figure fills the width of a 16:9
    screen, the smallest text of the course, 8 points, reaches 4 of its heights; 6 with COURSE_TEXT=1.5.

    Raises:
        ValueError: it is no number from 1 to 2.
    """
    given = os.environ.get("COURSE_TEXT") or "1"
    try:
        scale = float(given)
    except ValueError:
        scale = math.nan
    if not 1 <= scale <= 2:
        raise ValueError(f"COURSE_TEXT must be a number from 1 to 2, such as 1.5, got {given!r}")
    return scale


# A figure of 7 inches is 700 pixels wide on the page, and is stored finer than that, for sharp text on dense
# screens. With larger text the same pixels are fewer inches, and points keep their size in inches.
TEXT_SCALE = text_scale()
CSS_PIXELS_PER_INCH = 100 * TEXT_SCALE
PNG_PIXELS_PER_INCH = 150 * TEXT_SCALE

matplotlib.rcParams.update(
    {
        "figure.dpi": CSS_PIXELS_PER_INCH,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "font.size": 11,  # points: 15 pixels on the page
        "axes.titlesize": 12,
        "axes.labelsize": 11,
        "xtick.labelsize": 10,
        "ytick.labelsize": 10,
        "legend.fontsize": 10,
        "legend.frameon": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#E3E3E3",
        "axes.axisbelow": True,
        "lines.linewidth": 2.0,
        "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    }
)

RIGHT_LABEL = {
    "ha": "right",
    "va": "bottom",
    "fontsize": 9,
    "color": COLORS["reference"],
    "xytext": (-2, 2),
    "textcoords": "offset points",
}


def short_count(number: float) -> str:
    """1234 → "1.2k", 50000 → "50k", 2000000 → "2M"."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(number) >= size:
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}"


def as_array(values) -> np.ndarray:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values, dtype=float)
