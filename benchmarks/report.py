"""The course's recipes beside what people run today: training seconds, and the quality that they bought."""

import itertools
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.ablations import VARIANTS
from benchmarks.picture import TITLES, picture
from benchmarks.quality import LABELS, label, names, seconds_to
from benchmarks.records import RESULTS, ROOT, load, number
from course_utils import plots

PAGE = ROOT / "docs" / "benchmarks.md"
ABLATIONS = ROOT / "docs" / "ablations.md"
SPEED = ROOT / "docs" / "speed.md"
PICTURE = ROOT / "docs" / "images" / "benchmark.png"
BEGIN = "<!-- results: written by python -m benchmarks report -->\n"
END = "<!-- end of results -->\n"
SECONDS = (5, 10, 15, 30, 60, 120, 300, 600)  # columns, where something was evaluated
IMAGES = (10_000, 30_000, 100_000, 300_000)
TERAFLOP = (2, 5, 20, 40)
JUDGES = {"frechet": "the course's classifier", "frechet_referee": "the referee"}
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
RECIPE_TITLES = {
    "04_mlp_gan_mnist": "Notebook 04, the fully connected GAN",
    "05_dcgan_mnist": "Notebook 05, the DCGAN on MNIST",
    "quick_dcgan_mnist": "The quick start on MNIST",
    "06_dcgan_cifar10": "Notebook 06, the DCGAN on CIFAR-10",
    "cifar10_classes": "Notebook 06, four or ten classes of CIFAR-10",
}


def write(folder: Path = RESULTS) -> None:
    """Renews the generated parts of the pages of `pages`, and the picture.

    Raises:
        ValueError: there are no results, or quick ones among them.
    """
    records = all_records(folder)
    if not any(records.values()):
        raise ValueError("there are no results to report; run python -m benchmarks quality first.")
    if on_cpu(records):
        PICTURE.write_bytes(plots.to_png(picture(on_cpu(records))))
    for path, text in pages(records).items():
        path.write_text(text, encoding="utf-8")


def pages(records: dict[str, dict[str, dict]]) -> dict[Path, str]:
    """Each page as these results make it."""
    found = {PAGE: results(records)}
    if records["ablations"]:
        found[ABLATIONS] = "\n\n".join(ablation_tables(records["ablations"])) + "\n"
    if records["profile"]:
        found[SPEED] = "\n\n".join(profile_tables(records)) + "\n"
    return {path: with_results(path.read_text(encoding="utf-8"), text) for path, text in found.items()}


def all_records(folder: Path = RESULTS) -> dict[str, dict[str, dict]]:
    """Every file of the folder, by its subject.

    Raises:
        ValueError: among them are quick results.
    """
    subjects = ("mnist", "mnist_1_thread", "cifar10", "minutes", "vae", "ablations", "profile", "ceilings")
    subjects += ("kernels", "scale")
    records = {subject: load(folder / f"{subject}.json") for subject in subjects}
    quick = [subject for subject in subjects if any(one["quick"] for one in records[subject].values())]
    if quick:
        raise ValueError(
            f"the results of {', '.join(quick)} are quick ones, which prove nothing; "
            "run the benchmark without --quick, or choose the other folder with --output."
        )
    shipped = folder / "cifar10_classes.json"  # of tools/class_generator.py
    return {**records, "shipped": json.loads(shipped.read_text()) if shipped.exists() else {}}


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
    measured = {(data, device): by_name(records[data], device) for data in TITLES for device in DEVICES}
    for (data, device), runs in measured.items():
        if "ours" in runs and len(runs) > 1:
            parts += [f"{TITLES[data]}, on the {DEVICES[device]}:", caught_up(runs["ours"], rivals(runs))]
    if any("size-matched" in name for runs in measured.values() for name in rivals(runs)):
        parts += [MATCHED]
    if not any(runs for (_, device), runs in measured.items() if device == "cuda"):
        parts += ["On a GPU nothing was measured."]
    if on_cpu(records):
        parts += [f"![{plots.alt_text(picture(on_cpu(records)))}](images/{PICTURE.name})"]
    if records["scale"]:
        parts += [scale_of(records["scale"])]
    for (data, device), runs in measured.items():
        if runs:
            parts += [f"## {TITLES[data]}, on the {DEVICES[device]}"]
            parts += quality_tables(runs, records["ceilings"].get(device))
    if records.get("mnist_1_thread"):
        parts += [
            "## MNIST, on one thread, by two judges",
            *by_both(by_name(records["mnist_1_thread"], "cpu")),
        ]
    if records.get("minutes"):
        parts += ["## CIFAR-10, class by class", *class_tables(records["minutes"], records["shipped"])]
    if records.get("vae"):
        parts += ["## VAEs, in nats", *vae_table(records["vae"])]
    if records["ceilings"]:
        parts += ["## What the machines can do at best", *ceiling_table(records["ceilings"])]
    if records["kernels"]:
        parts += ["## Several notebooks at once", *kernels_table(records["kernels"]["cpu"])]
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
    """The run's (seconds, images or TFLOP, Fréchet distance), as long as it was finite."""
    finite = [point for point in run["points"] if point["frechet"] is not None]
    if over == "teraflop":
        return [(point["images"] * run["flop_per_image"] / 1e12, point["frechet"]) for point in finite]
    return [(point[over], point["frechet"]) for point in finite]


def judged_by(runs: dict[str, list[dict]], judge: str) -> dict[str, list[dict]]:
    """The same runs with the distances of that judge, of those competitors that it has judged."""
    found = {}
    for name, several in runs.items():
        if all(judge in point for run in several for point in run["points"]):
            points = [[point | {"frechet": point[judge]} for point in run["points"]] for run in several]
            found[name] = [run | {"points": own} for run, own in zip(several, points, strict=True)]
    return found


def distance_at(run: dict, place: float, over: str) -> float | None:
    """The distance after so many images or TFLOP, on the straight line between two marks of the picture.

    None outside of what was evaluated.
    """
    points = curve(run, over)
    for (before, far), (after, near) in itertools.pairwise(points):
        if before <= place <= after:
            part = math.log(place / before) / math.log(after / before) if after > before else 1.0
            return math.exp(math.log(far) + part * math.log(near / far))
    return None


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


def quality_tables(runs: dict[str, list[dict]], ceiling: dict | None) -> list[str]:
    """Quality by seconds, by images and by FLOP; then what the runs cost."""
    parts = [circumstances([run for several in runs.values() for run in several]), lengths(runs)]
    parts += [
        "Fréchet distance after so many seconds of training (median, range; number of seeds):",
        distances(titled(runs)),
        "After so many images, and after so many TFLOP (medians; on the line between two marks):",
        by_images(runs),
    ]
    if "tensorflow" in runs:
        parts += slow_statistics(runs["tensorflow"])
    parts += stuck(runs)
    parts += ["What they compute:", costs(runs, ceiling)]
    return parts


BOTH = (
    "With one thread each, on one core, one after another. Distances of the two judges do not compare with "
    "each other; the recipes were chosen by the first one."
)
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
                run | {"points": [size_matched(point) for point in run["points"]]} for run in several
            ]
    return found


def titled(runs: dict[str, list[dict]]) -> dict[str, list[dict]]:
    """Name in the tables → runs: ours, then the rivals."""
    return ({label("ours"): runs["ours"]} if "ours" in runs else {}) | rivals(runs)


def size_matched(point: dict) -> dict:
    """The point with every judge's size-matched distance in the place of its plain one."""
    return point | {judge: point.get(f"{judge}_size_matched") for judge in JUDGES if judge in point}


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


def caught_up(ours: list[dict], others: dict[str, list[dict]]) -> str:
    """What each peer reached at best, when ours was as good, and how much less it took of everything."""
    rows = []
    for name, several in others.items():
        if not any(curve(run) for run in longest(several)):
            rows.append([name, "diverged", *"––––"])
            continue
        found = [one for one in map(best, longest(several)) if one is not None]
        seconds, level = (median(values) for values in zip(*found, strict=True))
        theirs = f"{number(level)} after {seconds:.0f} s (seeds: {len(found)})"
        if len(found) < len(longest(several)):
            theirs += f", {len(longest(several)) - len(found)} diverged"
        we = median(to_reach(ours, level))
        when = "< " * at_first_mark(ours, level) + f"{number(we)} s" if math.isfinite(we) else "never"
        less = [sooner(ours, several, over) for over in ("seconds", "images", "teraflop")]
        rows.append([name, theirs, when, *less])
    head = ["", "its best distance", "ours has it after", "sooner", "fewer images", "fewer FLOP"]
    return table(head, rows)


def sooner(ours: list[dict], theirs: list[dict], over: str = "seconds") -> str:
    """How many times as much the peer took for its best distance; a bound where ours had it at once."""
    bests = [min(curve(run, over), key=lambda point: point[1]) for run in longest(theirs) if curve(run)]
    place, level = (median(values) for values in zip(*bests, strict=True))
    we = median(to_reach(ours, level, over))
    if math.isinf(we):
        return "–"
    return "> " * at_first_mark(ours, level) + f"{number(place / we)} ×"


def by_both(runs: dict[str, list[dict]]) -> list[str]:
    """Who catches up with whom, and the distances, once by each judge; nothing was chosen by the second."""
    rows = titled(runs)
    parts = [circumstances([run for several in runs.values() for run in several]), BOTH]
    for judge, who in JUDGES.items():
        judged = judged_by(rows, judge)
        for name in runs:
            if name in LABELS and label(name) in judged:
                others = {title: several for title, several in judged.items() if title not in LABELS.values()}
                parts += [f"By {who}, {label(name)}:", caught_up(judged[label(name)], others)]
        parts += [f"Distances by {who} after so many seconds:", distances(judged)]
        ours, quick = (judged.get(label(name), []) for name in ("ours", "ours_quick"))
        if ours and quick and evaluated(ours, 60) and evaluated(ours, 180):
            parts += [fewer_images(ours, quick)]
    return parts


def fewer_images(ours: list[dict], quick: list[dict]) -> str:
    """How many images the quick start takes for what ours has at some marks."""
    found = []
    for mark in (60, 180):
        ends = [point for run in ours for point in run["points"] if point["mark"] == mark]
        images, level = (median(point[what] for point in ends) for what in ("images", "frechet"))
        we = median(to_reach(quick, level, "images"))
        found.append(f"{we:,.0f} images for what ours has after {mark} s ({images:,.0f} images)")
    return f"The quick start takes {', and '.join(found)}."


def distances(rows: dict[str, list[dict]]) -> str:
    """Fréchet distance at each mark, a row for each title and its runs."""
    columns = [
        seconds for seconds in SECONDS if any(evaluated(several, seconds) for several in rows.values())
    ]
    cells = [
        [name, *(spread(evaluated(several, seconds), number) for seconds in columns)]
        for name, several in rows.items()
    ]
    return table(["seconds", *map(str, columns)], cells)


def by_images(runs: dict[str, list[dict]]) -> str:
    """Distances after equally many images, and after equally much computing, whatever the hour."""
    rows = titled(runs)

    def cell(several: list[dict], place: float, over: str) -> str:
        found = [distance_at(run, place, over) for run in several]
        return number(median(found)) if None not in found else "–"

    cells = [
        [
            name,
            *(cell(several, images, "images") for images in IMAGES),
            *(cell(several, teraflop, "teraflop") for teraflop in TERAFLOP),
        ]
        for name, several in rows.items()
    ]
    head = [*(f"{images:,} images" for images in IMAGES), *(f"{teraflop} TFLOP" for teraflop in TERAFLOP)]
    return table(["", *head], cells)


def class_tables(records: dict[str, dict], shipped: dict) -> list[str]:
    """The recipe of the classes beside notebook 06's DCGAN, after the same seconds and as they ship."""
    rows = []
    for name, title in (("ten_plain", "notebook 06's DCGAN"), ("ten_classes", "the recipe of the classes")):
        some = [one for one in records.values() if one["name"] == name]
        if some:
            ends = [one["points"][-1] for one in some]
            found = {judge: [end[judge] for end in ends] for judge in ("course", "referee")}
            images = median(end["images"] for end in ends)
            teraflop = images * some[0]["flop_per_image"] / 1e12
            rows.append([title, f"{some[0]['seconds']:.0f} s", f"{images:,.0f}", number(teraflop)])
            rows[-1] += [
                spread([one[score] for one in several if score in one], lambda value: f"{value:.2f}")
                for score in ("frechet", "agreement")
                for several in found.values()
            ]
    if shipped:
        both = [judge["the generator of ten classes"] for judge in shipped["judges"].values()]
        minutes, images = f"{float(shipped['seconds']) / 60:.0f} min", int(shipped["images"])
        flop = [one["flop_per_image"] for one in records.values() if one["name"] == "ten_classes"]
        rows.append(["the same, as it ships", minutes, f"{images:,}", number(images * flop[0] / 1e12)])
        rows[-1] += [f"{one[score]:.2f}" for score in ("frechet", "agreement") for one in both]
    head = ["", "of one core", "images", "TFLOP", "Fréchet distance", "by the referee"]
    samples = f"{next(iter(records.values()))['samples']:,}"
    said = (
        f"Distances of {samples} samples, of the shipped one of 10,000; those of the two judges do not "
        "compare with each other. [Other ways to spend the seconds](colour.md). "
        + circumstances(list(records.values()))
    )
    return [said, table([*head, "read as asked", "by the referee"], rows)]


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
    head = ["", "batch", "images/s", "MFLOP/image", "GFLOP/s", "format", "of the ceiling", "peak memory"]
    rows = []
    for name, several in runs.items():
        run = longest(several)[0]
        achieved = median(one["images_per_second"] for one in several) * run["flop_per_image"] / 1e9
        fraction = (
            f"{100 * achieved / fastest(ceiling, run['precision']):.0f} %" if ceiling else "not measured"
        )
        peak = median(one["memory_megabytes"]["peak"] for one in several)
        rows.append(
            [
                label(name),
                str(run["batch_size"]),
                spread([one["images_per_second"] for one in several], number),
                number(run["flop_per_image"] / 1e6),
                number(achieved),
                run["precision"],
                fraction,
                f"{peak:,.0f} MB",
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


def profile_tables(records: dict[str, dict[str, dict]]) -> list[str]:
    """Where a round's time goes, and how much longer an image takes with each thing that was tried."""
    own = {name: records["profile"][name] for name in RECIPE_TITLES if name in records["profile"]}
    titles = ["", *(RECIPE_TITLES[name] for name in own)]
    totals = {name: sum(record["microseconds"].values()) for name, record in own.items()}
    groups = list(next(iter(own.values()))["microseconds"])
    rows = [
        [group, *(f"{one['microseconds'][group] / totals[name]:.0%}" for name, one in own.items())]
        for group in groups
    ]
    rows.append(["GFLOP in a round", *(number(record["gflop"]) for record in own.values())])
    tried = [
        [what, *(_tried(record["tried"].get(what)) for record in own.values())]
        for what in next(iter(own.values()))["tried"]
    ]
    return [
        circumstances(list(own.values())),
        "Shares of a round's time:",
        table(titles, rows),
        "Time for an image over that of the recipe as it is (median, range):",
        table(titles, tried),
    ]


def _tried(found: dict | None) -> str:
    if found is None or "failed" in found:
        return "does not run" if found else "–"
    return f"{found['ratio']:.2f} ({found['lowest']:.2f}–{found['highest']:.2f})"


def ablation_tables(records: dict[str, dict]) -> list[str]:
    parts = []
    for recipe, title in RECIPE_TITLES.items():
        own = [record for record in records.values() if record.get("recipe") == recipe]
        parts += [f"## {title}"] * bool(own)
        for device in dict.fromkeys(record["device"] for record in own):
            parts += ablation_table(recipe, [record for record in own if record["device"] == device])
    for record in records.values():
        if record["kind"] == "drawing":
            ways = {
                "one tensor": "one tensor",
                "DataLoader, a transform per image": "DataLoader (num_workers=0), a transform per image",
            }
            rows = [[way, f"{number(record[key])} images/s"] for key, way in ways.items()]
            parts += ["## Drawing batches", circumstances([record]), table(["", record["device"]], rows)]
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
