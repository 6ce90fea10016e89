"""The command line: python -m benchmarks COMMAND, one of those at the end of this file (`make bench`)."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import benchmarks
from benchmarks import ablations, ceilings, kernels, quality, scale
from benchmarks.processes import alone
from benchmarks.recipes import RECIPES
from benchmarks.records import QUICK, RESULTS, ROOT, add, circumstances, load
from course_utils.runtime import pick_device

DATA = ("mnist", "cifar10")
PARTS = ("quality", "speed", "drawing")


def parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--quick", action="store_true", help=QUICK)
    shared.add_argument("--resume", action="store_true", help="skip what this very code has measured here")
    shared.add_argument("--threads", type=positive, help="of torch; its own choice otherwise")
    shared.add_argument("--output", type=Path, help="folder of the results (benchmarks/results)")
    seeds = argparse.ArgumentParser(add_help=False)
    seeds.add_argument("--seeds", type=positive, default=3, help="how many (3)")
    seeds.add_argument("--only", nargs="+", metavar="NAME", help="leave out all others")

    main = argparse.ArgumentParser(prog="python -m benchmarks", description=benchmarks.__doc__)
    commands = main.add_subparsers(dest="command", required=True)
    command = commands.add_parser(
        "quality", parents=[shared, seeds], help="distance against seconds, all peers"
    )
    command.add_argument("--data", choices=DATA, default="mnist")
    command.add_argument("--seconds", type=positive, default=300, help="of training, of the first seed (300)")
    command.add_argument("--later-seconds", type=positive, help="of all other seeds; as many otherwise")
    command = commands.add_parser(
        "ablations", parents=[shared, seeds], help="each choice of a recipe, changed alone"
    )
    command.add_argument("part", nargs="?", help=f"one of {', '.join(PARTS)}; all otherwise")
    command.add_argument("--recipe", default="05", help="a notebook's name or number (05)")
    command.add_argument("--images", type=positive, help="to train on, the same number for each variant")
    commands.add_parser("ceilings", parents=[shared], help="what the machine can do at best")
    commands.add_parser(
        "kernels", parents=[shared], help="several trainings at once, threads measured or fixed"
    )
    commands.add_parser("scale", parents=[shared], help="what the evaluator's numbers mean")
    command = commands.add_parser("report", help="docs/benchmarks.md and its picture, from the results")
    command.add_argument("--output", type=Path, help="folder of the results (benchmarks/results)")
    commands.add_parser("all", parents=[shared], help="everything, then the report")
    return main


def positive(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def chosen(given: Sequence[str] | None, known: Sequence[str], what: str) -> list[str]:
    """Those names, in the order of the known ones; all of them where none is given."""
    unknown = [name for name in given or () if name not in known]
    if unknown:
        sys.exit(f"there is no {what} {', '.join(map(repr, unknown))}; choose from: {', '.join(known)}.")
    return [name for name in known if not given or name in given]


def measured(
    arguments: argparse.Namespace, path: Path, key: str, enough: Callable[[dict], bool] = bool
) -> bool:
    """Whether --resume may keep the record: of this machine, these versions and threads, this code."""
    record = load(path).get(key)
    if record is None or not arguments.resume:
        return False
    now = circumstances(pick_device(), arguments.quick)
    if arguments.threads:
        now["machine"]["threads"] = arguments.threads
    same = all(record[part] == now[part] for part in ("machine", "versions", "revision"))
    return same and not now["revision"]["changed"] and enough(record)


def measure(path: Path, key: str, skip: bool, threads: int | None, call: Callable, *details) -> None:
    """One measurement, kept as soon as it is made, in the place of an older one."""
    if skip:
        print(f"{path.stem}, {key}: measured already", flush=True)
        return
    begin = time.perf_counter()
    record = alone(call, *details, threads=threads)
    add(path, key, record)
    print(f"{path.stem}, {key}: {summary(record)}  ({time.perf_counter() - begin:.0f} s)", flush=True)


def summary(record: dict) -> str:
    if "points" in record:
        return ", ".join(f"{point['seconds']:.1f} s {shown(point['frechet'])}" for point in record["points"])
    if "distances" in record:
        return ", ".join(f"{what} {shown(distance)}" for what, distance in record["distances"].items())
    if "matrix_gflops" in record:
        products = record["matrix_gflops"].items()
        return ", ".join(f"{precision} {shown(best)} GFLOP/s" for precision, best in products)
    if "against_best" in record:
        ratios = record["against_best"].items()
        return ", ".join(f"{number} at once: {ratio:.0%} of the best fixed count" for number, ratio in ratios)
    shown_names = ("frechet", "ratio", "one tensor", "DataLoader, a transform per image")
    return ", ".join(f"{name} {shown(record[name])}" for name in shown_names if name in record)


def shown(value: float | None) -> str:
    return "diverged" if value is None else f"{value:.3g}"


def run_quality(arguments: argparse.Namespace) -> None:
    device = pick_device().type
    for seed in range(arguments.seeds):
        seconds = arguments.seconds if seed == 0 else arguments.later_seconds or arguments.seconds
        for name in chosen(arguments.only, quality.names(arguments.data), f"competitor on {arguments.data}"):
            plan = quality.Plan(arguments.data, name, seed, seconds)
            if arguments.quick:
                plan = plan._replace(seconds=1, marks=(0.5, 1), samples=100, warm_up=1, quick=True)
            suffix = "_1_thread" if arguments.threads == 1 else ""  # a subject of its own
            path = arguments.output / f"{arguments.data}{suffix}.json"
            key = quality.key(plan, device)
            skip = measured(arguments, path, key, partial(lasted, seconds=plan.seconds))
            measure(path, key, skip, arguments.threads, quality.run, plan)


def lasted(record: dict, seconds: float) -> bool:
    return record["points"][-1]["mark"] >= seconds


def run_ablations(arguments: argparse.Namespace) -> None:
    (part,) = chosen([arguments.part], PARTS, "part") if arguments.part else (None,)
    matching = [name for name in RECIPES if arguments.recipe in (name, name[:2])]
    (recipe,) = matching or chosen([arguments.recipe], list(RECIPES), "recipe")
    names = chosen(arguments.only, ablations.variants(recipe), f"variant of {recipe}")
    device, quick, threads = pick_device().type, arguments.quick, arguments.threads
    path = arguments.output / "ablations.json"
    images = 128 if quick else arguments.images or ablations.IMAGES[recipe]
    samples = 100 if quick else 5_000
    if part in (None, "quality"):
        for seed in range(arguments.seeds):
            for name in names:
                key = f"quality/{recipe}/{name}/{images} images/seed {seed}/{device}"
                details = (recipe, name, seed, images, samples, quick)
                skip = measured(arguments, path, key)
                measure(path, key, skip, threads, ablations.quality, *details)
    if part in (None, "speed"):
        steps, rounds = (2, 1) if quick else (30, 7)
        for name in names:
            if name != "base":
                key = f"speed/{recipe}/{name}/{device}"
                details = (recipe, name, steps, rounds, quick)
                skip = measured(arguments, path, key)
                measure(path, key, skip, threads, ablations.speed, *details)
    if part == "drawing" or (part is None and recipe == "05_dcgan_mnist"):
        key = f"drawing/{device}"
        measure(path, key, measured(arguments, path, key), threads, ablations.drawing, quick)


def run_ceilings(arguments: argparse.Namespace) -> None:
    path, key = arguments.output / "ceilings.json", pick_device().type
    skip = measured(arguments, path, key)
    measure(path, key, skip, arguments.threads, ceilings.run, arguments.quick)


def run_kernels(arguments: argparse.Namespace) -> None:
    path = arguments.output / "kernels.json"
    skip = measured(arguments, path, "cpu")
    measure(path, "cpu", skip, arguments.threads, kernels.run, *((0.5, 1, True) if arguments.quick else ()))


def run_scale(arguments: argparse.Namespace) -> None:
    path, samples = arguments.output / "scale.json", 100 if arguments.quick else 5_000
    for name in DATA:
        skip = measured(arguments, path, name)
        measure(path, name, skip, arguments.threads, scale.run, name, samples, arguments.quick)


def run_all(arguments: argparse.Namespace) -> None:
    run_ceilings(arguments)
    if not arguments.quick:  # it starts many processes
        run_kernels(arguments)
    run_scale(arguments)
    quick = ["--seeds", "1"] if arguments.quick else []
    for name in DATA:
        run_quality(repeated(arguments, "quality", "--data", name, *quick))
    for recipe in RECIPES:
        only = ["--only", "base", "latent 32" if recipe[:2] == "06" else "no average"] * arguments.quick
        run_ablations(repeated(arguments, "ablations", "--recipe", recipe, *quick, *only))
    if not arguments.quick:
        run_report(arguments)


def repeated(arguments: argparse.Namespace, *words: str) -> argparse.Namespace:
    """Another command's arguments, with the choices that all share."""
    return argparse.Namespace(**{**vars(parser().parse_args(words)), **vars(arguments)})


def run_report(arguments: argparse.Namespace) -> None:
    from benchmarks import report  # not above: every measuring process would import matplotlib

    try:
        report.write(arguments.output)
    except ValueError as error:
        sys.exit(str(error))


COMMANDS = {
    "quality": run_quality,
    "ablations": run_ablations,
    "ceilings": run_ceilings,
    "kernels": run_kernels,
    "scale": run_scale,
    "report": run_report,
    "all": run_all,
}


def main(words: Sequence[str] | None = None) -> None:
    arguments = parser().parse_args(words)
    if arguments.command != "report" and pick_device().type == "mps":
        sys.exit("The clock does not wait for an Apple GPU yet: set COURSE_DEVICE=cpu to measure the CPU.")
    quick = getattr(arguments, "quick", False)
    # Quick results have a folder of their own, so that they never come between real ones.
    arguments.output = arguments.output or (ROOT / ".course" / "bench-quick" if quick else RESULTS)
    if quick:
        print(QUICK)
        # The stand-ins are smaller, and need no network; a measuring process inherits the environment.
        os.environ.update(COURSE_OFFLINE="1", COURSE_DATA=str(arguments.output / "no data"))
    COMMANDS[arguments.command](arguments)


if __name__ == "__main__":
    main()
