"""The course's recipes beside what people run today: training seconds, and the quality that they bought."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from matplotlib.ticker import LogLocator

from benchmarks.ablations import VARIANTS
from benchmarks.quality import label, names, seconds_to
from benchmarks.records import RESULTS, ROOT, load
from course_utils import plots

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "images" / "benchmark.png"
BEGIN = "<!-- results: written by python -m benchmarks report -->\n"
END = "<!-- end of results -->\n"
TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
LEVELS = {"mnist": (100, 50, 20, 10, 5, 3, 2), "cifar10": (20, 10, 7, 5, 4, 3)}
SECONDS = (15, 30, 60, 120, 300)
RECIPE_TITLES = {
    "04_mlp_gan_mnist": "Notebook 04, the fully connected GAN",
    "05_dcgan_mnist": "Notebook 05, the DCGAN on MNIST",
    "06_dcgan_cifar10": "Notebook 06, the DCGAN on CIFAR-10",
}


def write(folder: Path = RESULTS) -> None:
    """Renews the generated part of docs/benchmarks.md, and the picture.

    Raises:
        ValueError: there are no results, or quick ones among them.
    """
    records = all_records(folder)
    if not any(records.values()):
        raise ValueError("there are no results to report; run python -m benchmarks quality first.")
    page = with_results(PAGE.read_text(encoding="utf-8"), results(records))
    if records["mnist"] or records["cifar10"]:
        PICTURE.write_bytes(plots.to_png(picture(records)))
    PAGE.write_text(page, encoding="utf-8")


def all_records(folder: Path = RESULTS) -> dict[str, dict[str, dict]]:
    """Every file of the folder, by its subject.

    Raises:
        ValueError: among them are quick results.
    """
    subjects = ("mnist", "cifar10", "ablations", "ceilings")
    records = {subject: load(folder / f"{subject}.json") for subject in subjects}
    quick = [subject for subject in subjects if any(one["quick"] for one in records[subject].values())]
    if quick:
        raise ValueError(
            f"the results of {', '.join(quick)} are quick ones, which prove nothing; "
            "run the benchmark without --quick, or choose the other folder with --output."
        )
    return records


def with_results(page: str, table: str) -> str:
    """The page with those results between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


def results(records: dict[str, dict[str, dict]]) -> str:
    """All tables, as Markdown."""
    if not any(records.values()):
        return "Not measured yet.\n"
    parts = []
    if records["mnist"] or records["cifar10"]:
        parts += [f"![{plots.alt_text(picture(records))}](images/{PICTURE.name})"]
    for data in TITLES:
        for device, where in (("cpu", "on the CPU"), ("cuda", "on a GPU")):
            runs = by_name(records[data], device)
            parts += [f"## {TITLES[data]}, {where}"]
            ceiling = records["ceilings"].get(device)
            parts += quality_tables(data, runs, ceiling) if runs else ["Not measured."]
    if records["ceilings"]:
        parts += ["## What the machines can do at best", *ceiling_table(records["ceilings"])]
    if records["ablations"]:
        parts += ["## Each choice, changed alone", *ablation_tables(records["ablations"])]
    return "\n\n".join(parts) + "\n"


def by_name(records: dict[str, dict], device: str) -> dict[str, list[dict]]:
    """Competitor → its runs on that device, in the order of their seeds; competitors in a fixed order."""
    found: dict[str, list[dict]] = {}
    for record in sorted(records.values(), key=lambda one: one["seed"]):
        if record["device"] == device:
            found.setdefault(record["name"], []).append(record)
    order = [name for data in TITLES for name in names(data)]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0])))


# --- the runs' numbers -------------------------------------------------------------------------------------


def curve(run: dict, over: str = "seconds") -> list[tuple[float, float]]:
    """The run's (seconds or images, Fréchet distance), as long as it was finite."""
    return [(point[over], point["frechet"]) for point in run["points"] if point["frechet"] is not None]


def after(run: dict, seconds: float, distance: str = "frechet") -> float | None:
    """The distance at that mark; None if the run was not judged there."""
    found = [point.get(distance) for point in run["points"] if point["mark"] == seconds]
    return found[0] if found else None


def to_reach(runs: Sequence[dict], level: float, over: str = "seconds") -> list[float]:
    """When each run reached that distance; infinite for never.

    Runs that were stopped earlier than the longest ones, before they reached it, say nothing; then the
    longest runs alone are told, since leaving out only the slow ones would flatter.
    """
    places = [seconds_to(curve(run, over), level) for run in runs]
    lengths = [run["points"][-1]["mark"] for run in runs]
    cut_short = any(
        place is None and length < max(lengths) for place, length in zip(places, lengths, strict=True)
    )
    return [
        math.inf if place is None else place
        for place, length in zip(places, lengths, strict=True)
        if not cut_short or length == max(lengths)
    ]


def at_first_mark(runs: Sequence[dict], level: float) -> bool:
    """Whether half of them were as good already when they were first judged: then the time is a bound."""
    early = [bool(curve(run)) and curve(run)[0][1] <= level for run in runs]
    return 2 * sum(early) >= len(early)


def spread(values: Sequence[float], show: Callable[[float], str]) -> str:
    """Median, range and number of seeds: "3.1 (2.9–3.4; 3)"."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{show(values[0])} (1)"
    low, middle, high = (show(value) for value in (min(values), median(values), max(values)))
    return f"{middle} ({low}–{high}; {len(values)})"


def number(value: float | None) -> str:
    """Three digits that count: 0.912, 3.46, 34.6, 346, 3,460."""
    if value is None:
        return "diverged"
    if math.isinf(value):
        return "never"
    rounded = float(f"{value:.3g}")
    digits = 2 - math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{rounded:,.{max(0, digits)}f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# --- time to quality ---------------------------------------------------------------------------------------


def quality_tables(data: str, runs: dict[str, list[dict]], ceiling: dict | None) -> list[str]:
    """Ratios first, seconds second, then what the runs cost."""
    parts = [circumstances([run for several in runs.values() for run in several])]
    if "ours" in runs and len(runs) > 1:
        parts += ["How many times longer the others train for the same distance:", ratios(data, runs)]
        parts += ["How soon ours is as good as the others at their end:", caught_up(runs)]
    parts += [
        "Fréchet distance after so many seconds of training (median, range; number of seeds):",
        distances(runs),
    ]
    if "ours" in runs:
        longest = max(runs["ours"], key=lambda run: run["points"][-1]["mark"])
        spent = ", ".join(f"{point['seconds']:.1f}" for point in longest["points"])
        parts += [f"Each column of ours is a run of its own, which took {spent} s (seed {longest['seed']})."]
    matched = matched_sizes(runs)
    if matched:
        parts += [
            "Larger samples are reduced for judging. Against test images that went to that size and back:",
            matched,
        ]
    parts += ["Seconds of training to reach a distance:", reached(data, runs, "seconds")]
    parts += ["Images to reach it:", reached(data, runs, "images")]
    parts += ["What they compute:", costs(runs, ceiling)]
    return parts


def ratios(data: str, runs: dict[str, list[dict]]) -> str:
    """Seconds of each peer over ours, medians over the seeds; a bound where one of them has no number."""
    rows = []
    for name, several in runs.items():
        if name == "ours":
            continue
        row = [label(name)]
        for level in LEVELS[data]:
            ours, theirs = (median(to_reach(one, level)) for one in (runs["ours"], several))
            end = max(run["points"][-1]["seconds"] for run in several)
            if math.isinf(ours):
                row.append("–" if math.isinf(theirs) else "ours never")
            else:
                more = math.isinf(theirs) or at_first_mark(runs["ours"], level)
                less = at_first_mark(several, level)
                ratio = f"{number(min(theirs, end) / ours)} ×"
                row.append("–" if more and less else "> " * more + "< " * less + ratio)
        rows.append(row)
    return table(["to the distance", *map(str, LEVELS[data])], rows)


def caught_up(runs: dict[str, list[dict]]) -> str:
    rows = []
    for name, several in runs.items():
        if name == "ours":
            continue
        longest = max(several, key=lambda run: run["points"][-1]["mark"])
        end, level = curve(longest)[-1] if curve(longest) else (longest["points"][-1]["seconds"], math.inf)
        ours = median(to_reach(runs["ours"], level))
        row = ["never", "–"]
        if math.isfinite(ours):
            early = at_first_mark(runs["ours"], level)
            row = ["< " * early + f"{number(ours)} s", "> " * early + f"{number(end / ours)} ×"]
        rows.append([label(name), f"{number(level)} at {end:.0f} s", *row])
    return table(["", "its distance", "ours has it after", "ratio"], rows)


def distances(runs: dict[str, list[dict]]) -> str:
    def cell(several: list[dict], seconds: float) -> str:
        values = [after(run, seconds) for run in several]
        return spread([value for value in values if value is not None], number)

    rows = [[label(name), *(cell(several, seconds) for seconds in SECONDS)] for name, several in runs.items()]
    return table(["seconds", *map(str, SECONDS)], rows)


def matched_sizes(runs: dict[str, list[dict]]) -> str:
    rows = []
    for name, several in runs.items():
        values = [[after(run, seconds, "frechet_size_matched") for run in several] for seconds in SECONDS]
        finite = [[value for value in column if value is not None] for column in values]
        if any(finite):
            size = several[0]["image_size"]
            rows.append([f"{label(name)}, {size}×{size}", *(spread(column, number) for column in finite)])
    return table(["seconds", *map(str, SECONDS)], rows) if rows else ""


def reached(data: str, runs: dict[str, list[dict]], over: str) -> str:
    def cell(several: list[dict], level: float) -> str:
        places = to_reach(several, level, over)
        if all(map(math.isinf, places)):
            end = max(run["points"][-1]["mark" if over == "seconds" else over] for run in several)
            return f"> {end:,.0f}"
        return "< " * at_first_mark(several, level) + spread(places, number)

    rows = [
        [label(name), *(cell(several, level) for level in LEVELS[data])] for name, several in runs.items()
    ]
    return table(["to the distance", *map(str, LEVELS[data])], rows)


def costs(runs: dict[str, list[dict]], ceiling: dict | None) -> str:
    head = ["", "batch", "images/s", "MFLOP/image", "GFLOP/step", "GFLOP/s", "format"]
    head += ["of the matrix ceiling", "of the convolution ceiling", "peak memory", "of it training"]
    rows = []
    for name, several in runs.items():
        run = several[0]
        speed = median(one["images_per_second"] for one in several)
        achieved = speed * run["flop_per_image"] / 1e9
        shares = ["not measured", "not measured"]
        if ceiling:
            best = (ceiling[kind][run["precision"]] for kind in ("matrix_gflops", "convolution_gflops"))
            shares = [f"{achieved / one:.0%}" for one in best]
        peak = median(one["memory_megabytes"]["peak"] for one in several)
        before = median(one["memory_megabytes"]["before"] for one in several)
        rows.append(
            [
                label(name),
                str(run["batch_size"]),
                spread([one["images_per_second"] for one in several], number),
                number(run["flop_per_image"] / 1e6),
                number(run["flop_per_step"] / 1e9),
                number(achieved),
                run["precision"],
                *shares,
                f"{peak:,.0f} MB",
                f"{peak - before:,.0f} MB",
            ]
        )
    return table(head, rows)


def circumstances(runs: Sequence[dict]) -> str:
    """Where and with what, in a sentence or two; everything that occurs, if the runs differ."""

    def every(read: Callable[[dict], str]) -> str:
        return " and ".join(dict.fromkeys(read(run) for run in runs))

    def machine(run: dict) -> str:
        one = run["machine"]
        gpu = f"{one['gpu']}; " if "gpu" in one else ""
        return (
            f"{gpu}{one['processor']}, {one['cores']} cores, {one['threads']} threads, "
            f"{one['memory_gigabytes']:.0f} GB"
        )

    def commit(run: dict) -> str:
        changed = " with changes" if run["revision"]["changed"] else ""
        return f"{run['revision']['commit']}{changed}"

    text = (
        f"{every(machine)}; Python {every(lambda run: run['versions']['python'])}, "
        f"PyTorch {every(lambda run: run['versions']['torch'])}; code {every(commit)}; "
        f"{every(lambda run: run['date'])}."
    )
    if "training_data" in runs[0]:
        evaluator = every(lambda run: f"{run['evaluator']['samples']:,}")
        text += f" Trained on: {every(lambda run: run['training_data'])}. Judged on {evaluator} samples."
    return text


# --- ceilings and ablations --------------------------------------------------------------------------------


def ceiling_table(records: dict[str, dict]) -> list[str]:
    head = ["", "matrix product float32", "bfloat16", "3×3 convolution float32", "bfloat16", "copy"]
    rows = [
        [
            {"cpu": "CPU", "cuda": "GPU"}.get(device, device),
            *(
                f"{number(record[kind][precision])} GFLOP/s"
                for kind in ("matrix_gflops", "convolution_gflops")
                for precision in ("float32", "bfloat16")
            ),
            f"{number(record['copy_gigabytes_per_second'])} GB/s",
        ]
        for device, record in records.items()
    ]
    if "cuda" not in records:
        rows.append(["GPU", *["not measured"] * 5])
    return [circumstances(list(records.values())), table(head, rows)]


def ablation_tables(records: dict[str, dict]) -> list[str]:
    parts = []
    for recipe, title in RECIPE_TITLES.items():
        own = [record for record in records.values() if record.get("recipe") == recipe]
        if own:
            parts += [f"### {title}", *ablation_table(recipe, own)]
    for record in records.values():
        if record["kind"] == "drawing":
            ways = ("one tensor", "DataLoader, a transform per image")
            rows = [[way, f"{number(record[way])} images/s"] for way in ways]
            parts += ["### Drawing batches", circumstances([record]), table(["", record["device"]], rows)]
    return parts


def ablation_table(recipe: str, records: list[dict]) -> list[str]:
    quality = [record for record in records if record["kind"] == "quality"]
    speed = {record["variant"]: record for record in records if record["kind"] == "speed"}
    rows = []
    for variant in VARIANTS[recipe]:
        runs = [record for record in quality if record["variant"] == variant]
        finite = [record["frechet"] for record in runs if record["frechet"] is not None]
        cell = spread(finite, number) if finite else ("diverged" if runs else "not measured")
        if finite and len(finite) < len(runs):
            cell += f", {len(runs) - len(finite)} diverged"
        timed = speed.get(variant)
        ratio = f"{timed['ratio']:.2f} ({timed['lowest']:.2f} to {timed['highest']:.2f})" if timed else "–"
        flop = f"{number(timed['flop_per_image'] / 1e6)}" if timed else "–"
        if runs or timed:
            rows.append([variant, cell, "1" if variant == "base" else ratio, flop])
    images = " and ".join(dict.fromkeys(f"{record['images']:,}" for record in quality))
    head = ["", f"Fréchet distance after {images} images" if images else "Fréchet distance"]
    return [circumstances(records), table([*head, "time for an image, base 1", "MFLOP/image"], rows)]


# --- the picture -------------------------------------------------------------------------------------------

TICKS = (1, 2, 5, 10, 30, 60, 120, 300)  # seconds
STYLES = {  # one colour and one dash for each competitor
    "ours": ("vermillion", "-"),
    "tensorflow": ("black", "--"),
    "pytorch_examples": ("blue", "-."),
    "pytorch_gan": ("green", (0, (5, 1))),
    "mlp": ("purple", (0, (3, 1, 1, 1))),
    "sn_cnn": ("blue", "--"),
}


def picture(records: dict[str, dict[str, dict]]):
    """Fréchet distance against training seconds, both logarithmic; a panel for each data set measured."""
    measured = {data: by_name(records[data], "cpu") for data in TITLES}
    measured = {data: runs for data, runs in measured.items() if runs}
    figure, axes = plots.new_figure(
        len(measured), 1, width=8.4, height=4.3 * len(measured), squeeze=False, sharex=True
    )
    told = []
    for panel, (data, runs) in zip(axes[:, 0], measured.items(), strict=True):
        ends = {name: draw_runs(panel, name, several) for name, several in runs.items()}
        panel.set(xscale="log", yscale="log", ylabel="Fréchet distance (lower is better)")
        panel.set_title(TITLES[data], loc="left", fontweight="bold")
        panel.set_xticks(TICKS, [f"{mark:g}" for mark in TICKS])
        panel.set_yticks([], [], minor=True)
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        direct_labels(panel, ends)
        told += [
            f"{TITLES[data]}: "
            + ", ".join(
                f"{label(name)} {number(height)} after {place:.0f} s"
                for name, (place, height) in ends.items()
            )
        ]
    axes[-1, 0].set_xlabel("seconds of training, on the CPU")
    return plots.describe(
        figure, "Fréchet distance against seconds of training on the CPU. " + ". ".join(told) + "."
    )


def draw_runs(panel, name: str, several: list[dict]) -> tuple[float, float]:
    """Median line, band of the range, and the runs' own way there; returns where the line ends."""
    colour, dashes = plots.OKABE_ITO[STYLES[name][0]], STYLES[name][1]
    places, lows, middles, highs = [], [], [], []
    for mark in dict.fromkeys(point["mark"] for run in several for point in run["points"]):
        at = [point for run in several for point in run["points"] if point["mark"] == mark]
        values = [point["frechet"] for point in at if point["frechet"] is not None]
        if values:
            places.append(median(point["seconds"] for point in at))
            lows.append(min(values))
            middles.append(median(values))
            highs.append(max(values))
    for run in several:
        for point in run["points"]:
            way = [*point.get("path", []), point]
            seconds, heights = [one["seconds"] for one in way], [one["frechet"] for one in way]
            if len(way) > 1:
                panel.plot(seconds, heights, color=colour, linewidth=0.7, alpha=0.3)
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
            color=plots.OKABE_ITO[STYLES[name][0]],
            fontsize=10,
            fontweight="bold" if name == "ours" else "normal",
            va="center",
            annotation_clip=False,
        )
