"""The course's recipes beside what people run today: training seconds, and the quality that they bought."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.ablations import VARIANTS
from benchmarks.picture import TITLES, picture
from benchmarks.quality import label, names, seconds_to
from benchmarks.records import RESULTS, ROOT, load, number
from course_utils import plots

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "images" / "benchmark.png"
BEGIN = "<!-- results: written by python -m benchmarks report -->\n"
END = "<!-- end of results -->\n"
LEVELS = {"mnist": (100, 20, 10, 5, 3, 2, 1, 0.5), "cifar10": (10, 7, 5, 4, 3, 2.5, 2)}
SECONDS = (15, 20, 30, 60, 120, 180, 300, 600)  # columns, where something was evaluated
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
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
    if on_cpu(records):
        PICTURE.write_bytes(plots.to_png(picture(on_cpu(records))))
    PAGE.write_text(page, encoding="utf-8")


def all_records(folder: Path = RESULTS) -> dict[str, dict[str, dict]]:
    """Every file of the folder, by its subject.

    Raises:
        ValueError: among them are quick results.
    """
    subjects = ("mnist", "cifar10", "vae", "ablations", "ceilings", "kernels", "scale")
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
    if on_cpu(records):
        parts += [f"![{plots.alt_text(picture(on_cpu(records)))}](images/{PICTURE.name})"]
    if records["scale"]:
        parts += [scale_of(records["scale"])]
    for data in TITLES:
        for device, where in (("cpu", "on the CPU"), ("cuda", "on a GPU")):
            runs = by_name(records[data], device)
            parts += [f"## {TITLES[data]}, {where}"]
            ceiling = records["ceilings"].get(device)
            parts += quality_tables(data, runs, ceiling) if runs else ["Not measured."]
    if records.get("vae"):
        parts += ["## VAEs, in nats", *vae_table(records["vae"])]
    if records["ceilings"]:
        parts += ["## What the machines can do at best", *ceiling_table(records["ceilings"])]
    if records["kernels"]:
        parts += ["## Several notebooks at once", *kernels_table(records["kernels"]["cpu"])]
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


def on_cpu(records: dict[str, dict[str, dict]]) -> dict[str, dict[str, list[dict]]]:
    """Data set → competitor → its runs on the CPU, where there are any."""
    measured = {data: by_name(records[data], "cpu") for data in TITLES}
    return {data: runs for data, runs in measured.items() if runs}


def scale_of(records: dict[str, dict]) -> str:
    """What known images score, in a sentence for each data set."""
    sentences = ["The evaluator's scale, against all test images."]
    for data, title in TITLES.items():
        if data in records:
            known = ", ".join(f"{what} {number(far)}" for what, far in records[data]["distances"].items())
            sentences.append(f"{title}, {records[data]['samples']:,} images each: {known}.")
    return " ".join(sentences)


# --- the runs' numbers -------------------------------------------------------------------------------------


def curve(run: dict, over: str = "seconds") -> list[tuple[float, float]]:
    """The run's (seconds or images, Fréchet distance), as long as it was finite."""
    return [(point[over], point["frechet"]) for point in run["points"] if point["frechet"] is not None]


def evaluated(runs: Sequence[dict], seconds: float) -> list[float | None]:
    """The distances at that mark, of the runs that were evaluated there; None for a run that had diverged."""
    return [point["frechet"] for run in runs for point in run["points"] if point["mark"] == seconds]


def best(run: dict) -> tuple[float, float] | None:
    """When the run had its smallest distance, and that distance; None if it never had one."""
    return min(curve(run), key=lambda point: point[1], default=None)


def longest(runs: Sequence[dict]) -> list[dict]:
    end = max(run["points"][-1]["mark"] for run in runs)
    return [run for run in runs if run["points"][-1]["mark"] == end]


def to_reach(runs: Sequence[dict], level: float, over: str = "seconds") -> list[float]:
    """When each run reached that distance; infinite for never.

    Runs that were stopped earlier than the longest ones, before they reached it, say nothing; then the
    longest runs alone are parts, since leaving out only the slow ones would flatter. A run that diverged was
    not stopped: it never reaches what it had not reached.
    """
    places = [seconds_to(curve(run, over), level) for run in runs]
    end = max(run["points"][-1]["mark"] for run in runs)
    stopped = [run["points"][-1]["mark"] < end and run["points"][-1]["frechet"] is not None for run in runs]
    if any(place is None and early for place, early in zip(places, stopped, strict=True)):
        places = [seconds_to(curve(run, over), level) for run in longest(runs)]
    return [math.inf if place is None else place for place in places]


def at_first_mark(runs: Sequence[dict], level: float) -> bool:
    """Whether half of them were as good already when they were first evaluated: then the time is a bound."""
    early = [bool(curve(run)) and curve(run)[0][1] <= level for run in runs]
    return 2 * sum(early) >= len(early)


def spread(values: Sequence[float | None], show: Callable[[float], str]) -> str:
    """Median, range and number of seeds: "3.1 (2.9–3.4; 3)"; None counts as diverged."""
    finite = [value for value in values if value is not None]
    if not finite:
        return "diverged" if values else "–"
    parts = f"{show(finite[0])} (1)"
    if len(finite) > 1:
        low, middle, high = (show(value) for value in (min(finite), median(finite), max(finite)))
        parts = f"{middle} ({low}–{high}; {len(finite)})"
    return parts if len(finite) == len(values) else f"{parts}, {len(values) - len(finite)} diverged"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# --- time to quality ---------------------------------------------------------------------------------------


def quality_tables(data: str, runs: dict[str, list[dict]], ceiling: dict | None) -> list[str]:
    """Ratios first, seconds second, then what the runs cost."""
    parts = [circumstances([run for several in runs.values() for run in several]), lengths(runs)]
    others = rivals(runs)
    if "ours" in runs and others:
        parts += [
            "How many times longer the others train for the same distance:",
            ratios(data, runs["ours"], others),
            "How soon ours is as good as the others were at their best (medians over their longest runs):",
            caught_up(runs["ours"], others),
        ]
    if any("size-matched" in name for name in others):
        parts += [MATCHED]
    parts += [
        "Fréchet distance after so many seconds of training (median, range; number of seeds):",
        distances(runs),
    ]
    if "tensorflow" in runs:
        parts += slow_statistics(runs["tensorflow"])
    parts += stuck(runs)
    parts += ["Seconds of training to reach a distance:", reached(data, runs, "seconds")]
    parts += ["Images to reach it:", reached(data, runs, "images")]
    parts += ["What they compute:", costs(runs, ceiling)]
    return parts


MATCHED = (
    "Size-matched: these networks make larger images than the data has, which are reduced for evaluation. "
    "Here the test images went to that size and back as well, so that resizing itself costs nothing."
)


def rivals(runs: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """Name in the tables → runs, of all but ours; other image sizes a second time, with matched distances."""
    found = {}
    for name, several in runs.items():
        if name == "ours":
            continue
        found[label(name)] = several
        if any("frechet_size_matched" in point for run in several for point in run["points"]):
            size = several[0]["image_size"]
            found[f"{label(name)}, size-matched to {size}×{size}"] = [
                run | {"points": [p | {"frechet": p.get("frechet_size_matched")} for p in run["points"]]}
                for run in several
            ]
    return found


def lengths(runs: dict[str, list[dict]]) -> str:
    """Which seeds ran for how long; whoever ran for other times than most is named."""
    groups: dict[str, list[str]] = {}
    for name, several in runs.items():
        seeds: dict[float, set[int]] = {}
        for run in several:
            seeds.setdefault(run["points"][-1]["mark"], set()).add(run["seed"])
        parts = [
            f"seed{'s' * (len(seeds[end]) > 1)} {', '.join(map(str, sorted(seeds[end])))} for {end:g} s"
            for end in sorted(seeds, reverse=True)
        ]
        groups.setdefault("; ".join(parts), []).append(label(name))
    most, *others = sorted(groups, key=lambda parts: -len(groups[parts]))
    named = "".join(f" {', '.join(groups[parts])}: {parts}." for parts in others)
    shorter = " Later marks have fewer seeds: their number is in each cell." if ";" in "".join(groups) else ""
    return f"Trained: {most}.{named}{shorter}"


def ratios(data: str, ours: list[dict], others: dict[str, list[dict]]) -> str:
    """Seconds of each peer over ours, medians over the seeds; a bound where one of them has no number."""
    rows = []
    for name, several in others.items():
        row = [name]
        if not any(curve(run) for run in several):
            rows.append([name, *["diverged"] * len(LEVELS[data])])
            continue
        for level in LEVELS[data]:
            we, they = (median(to_reach(one, level)) for one in (ours, several))
            end = max(run["points"][-1]["seconds"] for run in several)
            if math.isinf(we):
                row.append("–" if math.isinf(they) else "ours never")
            else:
                more = math.isinf(they) or at_first_mark(ours, level)
                less = at_first_mark(several, level)
                ratio = f"{number(min(they, end) / we)} ×"
                row.append("–" if more and less else "> " * more + "< " * less + ratio)
        rows.append(row)
    return table(["to the distance", *map(str, LEVELS[data])], rows)


def caught_up(ours: list[dict], others: dict[str, list[dict]]) -> str:
    """What each peer reached at best, when, and when ours was as good."""
    rows = []
    for name, several in others.items():
        bests = [best(run) for run in longest(several)]
        found = [one for one in bests if one is not None]
        if not found:
            rows.append([name, "diverged", "–", "–"])
            continue
        seconds, level = (median(values) for values in zip(*found, strict=True))
        theirs = f"{number(level)} after {seconds:.0f} s (seeds: {len(found)})"
        if len(found) < len(bests):
            theirs += f", {len(bests) - len(found)} diverged"
        we = median(to_reach(ours, level))
        row = ["never", "–"]
        if math.isfinite(we):
            early = at_first_mark(ours, level)
            row = ["< " * early + f"{number(we)} s", "> " * early + f"{number(seconds / we)} ×"]
        rows.append([name, theirs, *row])
    return table(["", "its best distance", "ours has it after", "ratio"], rows)


def distances(runs: dict[str, list[dict]]) -> str:
    """Fréchet distance at each mark; matched sizes in rows of their own."""
    rows = {label("ours"): runs["ours"]} if "ours" in runs else {}
    rows |= rivals(runs)
    columns = [
        seconds for seconds in SECONDS if any(evaluated(several, seconds) for several in rows.values())
    ]
    cells = [
        [name, *(spread(evaluated(several, seconds), number) for seconds in columns)]
        for name, several in rows.items()
    ]
    return table(["seconds", *map(str, columns)], cells)


def reached(data: str, runs: dict[str, list[dict]], over: str) -> str:
    def cell(several: list[dict], level: float) -> str:
        places = to_reach(several, level, over)
        if not any(curve(run) for run in several):
            return "diverged"
        if all(map(math.isinf, places)):
            end = max(run["points"][-1]["mark" if over == "seconds" else over] for run in several)
            return f"> {end:,.0f}"
        return "< " * at_first_mark(several, level) + spread(places, number)

    rows = [
        [label(name), *(cell(several, level) for level in LEVELS[data])] for name, several in runs.items()
    ]
    return table(["to the distance", *map(str, LEVELS[data])], rows)


def slow_statistics(runs: list[dict], mark: float = 60) -> list[str]:
    """How much of their start the batch statistics of TensorFlow's tutorial still hold at a mark."""
    images = [point["images"] for run in longest(runs) for point in run["points"] if point["mark"] == mark]
    if not images:
        return []
    steps = round(median(images) / runs[0]["batch_size"])
    if 0.99**steps < 0.01:
        return []
    return [
        f"{label('tensorflow')} keeps 0.99 of its batch statistics in each step. Its first {mark:g} s are "
        f"{steps} steps, after which 0.99^{steps} = {100 * 0.99**steps:.0f} % of the start is still in them."
    ]


def stuck(runs: dict[str, list[dict]]) -> list[str]:
    """A sentence for each competitor whose samples no longer change from some mark on."""
    parts = []
    for name, several in runs.items():
        for run in several:
            heights = [height for _, height in curve(run)]
            since = heights.index(heights[-1]) if heights else 0
            if len(heights) - since > 2 and len(set(heights[since:])) == 1:
                parts += [
                    f"{label(name)} stands still from {run['points'][since]['mark']:g} s on (seed "
                    f"{run['seed']}): its samples no longer change, so later marks say nothing new."
                ]
    return parts


def costs(runs: dict[str, list[dict]], ceiling: dict | None) -> str:
    head = ["", "batch", "images/s", "MFLOP/image", "GFLOP/step", "GFLOP/s", "format", "of the ceiling"]
    head += ["peak memory", "of it training", "warm-up, apart", "evaluation, apart"]
    rows = []
    for name, several in runs.items():
        run = longest(several)[0]
        achieved = median(one["images_per_second"] for one in several) * run["flop_per_image"] / 1e9
        fraction = (
            f"{100 * achieved / fastest(ceiling, run['precision']):.0f} %" if ceiling else "not measured"
        )
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
                fraction,
                f"{peak:,.0f} MB",
                f"{peak - before:,.0f} MB",
                f"{run['apart']['warm_up_seconds']:.1f} s",
                f"{run['apart']['evaluation_seconds']:.1f} s",
            ]
        )
    return table(head, rows)


def fastest(ceiling: dict, precision: str) -> float:
    """GFLOP/s of the fastest matrix product or convolution that was measured in that number format."""
    return max(ceiling[kind][precision] for kind in ("matrix_gflops", "convolution_gflops"))


def circumstances(runs: Sequence[dict]) -> str:
    """Where and with what, in a sentence or two; everything that occurs, if the runs differ."""

    def every(read: Callable[[dict], str]) -> str:
        return " and ".join(dict.fromkeys(read(run) for run in runs))

    def counted(number: int, what: str) -> str:
        return f"{number} {what}{'s' * (number != 1)}"

    def machine(run: dict) -> str:
        one = run["machine"]
        gpu = f"{one['gpu']}; " if "gpu" in one else ""
        return (
            f"{gpu}{one['processor']}, {counted(one['cores'], 'core')}, {counted(one['threads'], 'thread')}, "
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
        text += f" Trained on: {every(lambda run: run['training_data'])}. Evaluated on {evaluator} samples."
    return text


# --- ceilings and ablations --------------------------------------------------------------------------------


def ceiling_table(records: dict[str, dict]) -> list[str]:
    head = ["", "matrix product float32", "bfloat16", "3×3 convolution float32", "bfloat16", "copy"]
    rows = [
        [
            DEVICES.get(device, device),
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


def kernels_table(record: dict) -> list[str]:
    """Images a second of each of several trainings at once, with threads chosen by measuring and fixed."""
    ways = list(next(iter(record["images_per_second"].values())))
    threads = [f"{way} thread{'s' * (way != '1')}" for way in ways[1:]]
    head = ["notebooks at once", "threads measured", *threads, "measured against the best fixed number"]
    rows = [
        [at_once, *(f"{speeds[way]:,.0f}" for way in ways), f"{record['against_best'][at_once]:.0%}"]
        for at_once, speeds in record["images_per_second"].items()
    ]
    said = (
        f"Images a second of each, notebook 05's recipe, medians of {record['rounds']} rounds of "
        f"{record['seconds']:.0f} s. {circumstances([record])}"
    )
    return [said, table(head, rows)]


def vae_table(records: dict[str, dict]) -> list[str]:
    """−ELBO on all test digits, for each way of making pixels binary; a row for each VAE."""
    by_title: dict[str, list[dict]] = {}
    for key, record in records.items():
        by_title.setdefault(key.rpartition(", seed ")[0], []).append(record)
    rows = []
    for title, several in by_title.items():
        nats = [
            spread([run["nats"][pixels]["negative"] for run in several], lambda value: f"{value:.1f}")
            for pixels in ("binarised", "thresholded")
        ]
        cost = [spread([run[what] for run in several], number) for what in ("cpu_seconds", "images")]
        rows.append([title, several[0]["source"], *nats, *cost])
    head = ["", "source", "−ELBO, binarised", "−ELBO, thresholded", "CPU seconds", "images"]
    return [circumstances(list(records.values())), table(head, rows)]


def ablation_tables(records: dict[str, dict]) -> list[str]:
    parts = []
    for recipe, title in RECIPE_TITLES.items():
        own = [record for record in records.values() if record.get("recipe") == recipe]
        parts += [f"### {title}"] * bool(own)
        for device in dict.fromkeys(record["device"] for record in own):
            parts += ablation_table(recipe, [record for record in own if record["device"] == device])
    for record in records.values():
        if record["kind"] == "drawing":
            ways = {
                "one tensor": "one tensor",
                "DataLoader, a transform per image": "DataLoader (num_workers=0), a transform per image",
            }
            rows = [[way, f"{number(record[key])} images/s"] for key, way in ways.items()]
            parts += ["### Drawing batches", circumstances([record]), table(["", record["device"]], rows)]
    return parts


def ablation_table(recipe: str, records: list[dict]) -> list[str]:
    """One device's table, a column for each number of images: only distances in one column compare."""
    quality = [record for record in records if record["kind"] == "quality"]
    speed = {record["variant"]: record for record in records if record["kind"] == "speed"}
    lengths = sorted({record["images"] for record in quality})
    rows = []
    for variant in VARIANTS[recipe]:
        distances = [
            [one["frechet"] for one in quality if (one["variant"], one["images"]) == (variant, images)]
            for images in lengths
        ]
        timed = speed.get(variant)
        ratio, flop = "1" if variant == "base" else "–", "–"
        if timed:
            ratio = f"{timed['ratio']:.2f} ({timed['lowest']:.2f} to {timed['highest']:.2f})"
            flop = number(timed["flop_per_image"] / 1e6)
        if any(distances) or timed:
            rows.append([variant, *(spread(runs, number) for runs in distances), ratio, flop])
    device = DEVICES.get(records[0]["device"], records[0]["device"])
    columns = [f"Fréchet distance after {images:,} images" for images in lengths]
    head = [device, *columns, "time for an image, base 1", "MFLOP/image"]
    return [circumstances(records), table(head, rows)]
