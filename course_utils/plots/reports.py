"""Reports on generators as pictures: one generator beside others, and which metric sees which failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from course_utils.metrics.evaluate import METRICS, Report, comparable
from course_utils.metrics.people import HumanScore
from course_utils.plots.display import describe, new_figure
from course_utils.plots.style import BACKDROP, COLORS, CYCLE

ARROWS = {"lower": "← better", "higher": "better →", "½": "½: no copies"}
DRAWN = tuple(
    key for key in METRICS if key != "classes"
)  # nine panels; the classes are in the alternative text

BEHIND = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.5}  # numbers, where a line passes

# What a metric says of a failure: colour and hatch of a cell, and the word in the legend.
WORSE, SAME, BETTER = 1, 0, -1
VERDICTS = {
    WORSE: ("#F3C6A0", "● sees it: worse than fresh"),
    SAME: ("#FFFFFF", "does not see it"),
    BETTER: ("#B5D6EE", "▲ fooled: better than fresh"),
}


def metric_report(
    reports: Mapping[str, Report], *, title: str | None = None, alt: str | None = None
) -> Figure:
    """A panel for each metric, a bar for each report, and a dashed line where real images lie.

    Args:
        reports: title → report, as `report_table` takes them.

    Raises:
        ValueError: reports that do not compare.
    """
    first = comparable(reports)
    names = [*reports]
    figure, panels = new_figure(3, 3, width=7.5, height=3.6 + 0.6 * len(names), note=first.note, sharey=True)
    for key, axes in zip(DRAWN, panels.flatten(), strict=True):
        metric = METRICS[key]
        values = [report.scores[key] for report in reports.values()]
        colours = [CYCLE[1 + place % (len(CYCLE) - 1)] for place in range(len(names))]
        axes.barh(range(len(names)), values, color=colours, height=0.6)
        axes.axvline(first.real[key], color=COLORS["data"], linestyle="--", linewidth=1.5)
        largest = max(*values, first.real[key], 1e-9)
        axes.set_xlim(min(0.0, *values, first.real[key]), 1.38 * largest)  # room for the numbers
        for place, value in enumerate(values):
            words = f"{value:.{metric.digits}f}"
            axes.text(max(value, 0) + 0.03 * largest, place, words, va="center", fontsize=9, bbox=BEHIND)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=3)
        axes.set_title(metric.title.replace("Fréchet distance, u", "Fréchet, u"), fontsize=10.5)
        axes.set_xlabel(ARROWS[metric.better], fontsize=9)
    figure.suptitle(
        f"{title or 'Report card'}: {first.samples:,} samples of each; dashed: as many real images",
        fontsize=11,
    )
    parts = [f"Bars for {', '.join(names)} in nine panels, a dashed line for real images."]
    parts += [
        f"{metric.title}: "
        + ", ".join(f"{name} {report.scores[key]:.{metric.digits}f}" for name, report in reports.items())
        + f", real {first.real[key]:.{metric.digits}f}."
        for key, metric in METRICS.items()
    ]
    return describe(figure, alt or " ".join(parts))


def failure_matrix(
    values: Mapping[str, Mapping[str, float]],
    verdicts: Mapping[str, Mapping[str, int]],
    *,
    digits: Mapping[str, int],
    titles: Mapping[str, str] | None = None,
    title: str | None = None,
    note: str = "",
    alt: str = "",
) -> Figure:
    """A table whose cells are coloured by what the metric (column) says of the failure (row).

    Args:
        values: failure → metric → value, written into the cell.
        verdicts: failure → metric → WORSE, SAME or BETTER, with the same keys.
        digits: metric → digits after the point.
        titles: metric → what stands above the column; line breaks allowed.
    """
    rows, columns = [*values], [*next(iter(values.values()))]
    figure, axes = new_figure(width=7.5, height=1.3 + 0.36 * len(rows), note=note)
    for row, failure in enumerate(rows):
        for column, metric in enumerate(columns):
            colour, words = VERDICTS[verdicts[failure].get(metric, SAME)]
            mark = words[:2] if words[1] == " " else ""  # so that it can be told without colour
            axes.add_patch(_cell(column, row, colour))
            text = f"{mark}{values[failure][metric]:.{digits[metric]}f}"
            axes.text(column, row, text.replace("-", "−"), ha="center", va="center", fontsize=9)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), [(titles or {}).get(one, one) for one in columns], fontsize=9)
    axes.set_yticks(range(len(rows)), rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    handles = [
        Patch(facecolor=colour, edgecolor=COLORS["reference"], label=words)
        for colour, words in VERDICTS.values()
    ]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, fontsize=9)
    if title:
        axes.set_title(title)
    return describe(figure, f"{alt} {note}")


def human_scores(
    scores: Mapping[str, HumanScore], *, title: str = "How often people were wrong", alt: str | None = None
) -> Figure:
    """Error rates with their Wilson intervals, a row for each name, and a line at ½: cannot tell."""
    names = [*scores]
    figure, axes = new_figure(height=1.3 + 0.4 * len(names))
    for place, score in enumerate(scores.values()):
        axes.plot([score.low, score.high], [place, place], color=COLORS["second"], linewidth=5)
        axes.plot(score.error_rate, place, "o", color=COLORS["highlight"], markersize=8)
    axes.axvline(0.5, color=COLORS["reference"], linestyle="--", linewidth=1.5, label="guessing")
    axes.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel="fraction of wrong answers", title=title)
    axes.set_yticks(range(len(names)), [f"{name} ({score.answers})" for name, score in scores.items()])
    axes.grid(axis="y", visible=False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    said: Sequence[str] = [
        f"{name}: {score.errors} of {score.answers} wrong, {score.error_rate:.0%}, interval "
        f"{score.low:.0%} to {score.high:.0%}."
        for name, score in scores.items()
    ]
    return describe(figure, alt or f"{title}, with 95 % intervals. " + " ".join(said))


def _cell(column: int, row: int, colour: str) -> Rectangle:
    return Rectangle(
        (column - 0.5, row - 0.5),
        1,
        1,
        facecolor=colour,
        edgecolor=COLORS["reference"],
        gid=BACKDROP,
        linewidth=0.8,
    )
