"""The picture of docs/benchmarks.md: Fréchet distance against seconds, a curve for each competitor."""

import math
from collections.abc import Mapping
from statistics import median

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from benchmarks.quality import label
from benchmarks.records import number
from course_utils import plots

TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
TICKS = (5, 10, 15, 30, 60, 120, 300)  # seconds
STYLES = {  # one colour and one dash for each competitor
    "ours": ("vermillion", "-"),
    "ours_quick": ("vermillion", ":"),
    "ours_mlp": ("vermillion", "--"),
    "tensorflow": ("black", "--"),
    "pytorch_examples": ("blue", "-."),
    "pytorch_gan": ("green", (0, (5, 1))),
    "mlp": ("purple", (0, (3, 1, 1, 1))),
    "sn_cnn": ("blue", "--"),
}


def picture(measured: Mapping[str, dict[str, list[dict]]]) -> Figure:
    """Fréchet distance against training seconds, both logarithmic; a panel for each data set.

    Args:
        measured: data set → competitor → its runs.
    """
    figure, axes = plots.new_figure(
        len(measured), 1, width=8.4, height=4.3 * len(measured), squeeze=False, sharex=True
    )
    parts = []
    for panel, (data, runs) in zip(axes[:, 0], measured.items(), strict=True):
        ends = {name: draw_runs(panel, name, several) for name, several in runs.items()}
        ends = {name: end for name, end in ends.items() if end is not None}
        panel.set(xscale="log", yscale="log", ylabel="Fréchet distance (lower is better)")
        panel.set_title(TITLES[data], loc="left", fontweight="bold")
        panel.set_xticks(TICKS, [f"{mark:g}" for mark in TICKS])
        panel.set_yticks([], [], minor=True)
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        direct_labels(panel, ends)
        parts += [
            f"{TITLES[data]}: "
            + ", ".join(
                f"{label(name)} {number(height)} after {place:.0f} s"
                for name, (place, height) in ends.items()
            )
        ]
    axes[-1, 0].set_xlabel("seconds of training, on the CPU")
    return plots.describe(
        figure, "Fréchet distance against seconds of training on the CPU. " + ". ".join(parts) + "."
    )


def draw_runs(panel, name: str, several: list[dict]) -> tuple[float, float] | None:
    """Median line and band of the range; returns where the line ends, if any."""
    colour, dashes = plots.PALETTE[STYLES[name][0]], STYLES[name][1]
    places, lows, middles, highs = [], [], [], []
    for mark in sorted({point["mark"] for run in several for point in run["points"]}):
        at = [point for run in several for point in run["points"] if point["mark"] == mark]
        values = [point["frechet"] for point in at if point["frechet"] is not None]
        if values:
            places.append(median(point["seconds"] for point in at))
            lows.append(min(values))
            middles.append(median(values))
            highs.append(max(values))
    if not places:
        return None
    panel.fill_between(places, lows, highs, color=colour, alpha=0.25, linewidth=0)
    strong = {"linewidth": 2.8, "zorder": 3} if name == "ours" else {"linewidth": 1.8}
    panel.plot(places, middles, color=colour, linestyle=dashes, marker="o", markersize=4, **strong)
    return places[-1], middles[-1]


def direct_labels(panel, ends: dict[str, tuple[float, float]], apart: float = 0.06) -> None:
    """Each curve's name beside its end, moved apart where two would overlap."""
    low, high = (math.log(limit) for limit in panel.get_ylim())
    heights = {name: (math.log(end[1]) - low) / (high - low) for name, end in ends.items()}
    taken = -math.inf
    for name in sorted(heights, key=heights.get):
        taken = max(heights[name], taken + apart)
        panel.annotate(
            label(name),
            (1.0, heights[name]),
            (1.01, taken),
            xycoords="axes fraction",
            color=plots.PALETTE[STYLES[name][0]],
            fontsize=10,
            fontweight="bold" if name == "ours" else "normal",
            va="center",
            annotation_clip=False,
        )
