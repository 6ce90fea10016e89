"""Trains GANs that are told the class on MNIST, and keeps what came out for notebook 12:

nice python -m tools.record_conditional                  # all of it: about half an hour of one core
nice python -m tools.record_conditional --only ways      # the comparison alone

Four parts, each training for 60 CPU seconds on one thread. "ways": the same networks told the class in four
ways, and the recipe of notebook 05, which is told none, with three seeds. "codes": InfoGAN. "labels": the
best way with wrong or few labels. "knobs": truncation and rejection with the generator that ships; nothing is
trained. Writes course_utils/assets/conditional_mnist.json, a record for each training or setting, as soon as
it is made; what the file has already is not made again.
"""

import argparse
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.records import add, circumstances, load, rounded
from course_utils import data
from course_utils.metrics import frechet_evaluator
from course_utils.models import WAYS, load_discriminator, load_generator
from course_utils.training.conditions import (
    BEST,
    LABELS,
    RECORDED,
    SECONDS,
    knob_curve,
    labels_of,
    measure_condition,
    measure_infogan,
    train_condition,
)

SEEDS = {"ways": (0, 1, 2), "labels": (0, 1, 2), "codes": (0, 1, 2)}
SAMPLES = 5_000
MARKS = (30.0,)  # seconds after which the generators of "ways" are judged, beside the end
PARTS = ("ways", "codes", "labels", "knobs")
KNOBS = {
    "thresholds": (0.2, 0.5, 0.8, 1.2, 1.6, 2.0, 3.0),
    "sharpnesses": (0.0, 3.0, 6.0, 10.0),
}


def jobs(parts: tuple[str, ...], seeds: dict[str, tuple[int, ...]]) -> dict[str, tuple[str, str, str, int]]:
    """Key → (part, way, labels, seed) of each training of these parts, in the order of their importance."""
    plan = [("ways", way, "all right", seed) for seed in seeds["ways"] for way in ("unconditional", *WAYS)]
    plan += [("codes", "InfoGAN", "none", seed) for seed in seeds["codes"]]
    plan += [("labels", BEST, labels, seed) for seed in seeds["labels"] for labels in LABELS[1:]]
    found = {}
    for part, way, labels, seed in plan:
        title = f"{way}, {labels}" if part == "labels" else way
        found[f"{title}/seed {seed}"] = (part, way, labels, seed)
    return {key: job for key, job in found.items() if job[0] in parts}


def measure(way: str, generator: nn.Module, discriminator: nn.Module | None = None) -> dict[str, float]:
    """What is measured of each way: one that is not told the class cannot be asked for it."""
    if way == "unconditional":
        return {"frechet": frechet_evaluator("mnist")(generator, SAMPLES)}
    if way == "InfoGAN":
        return measure_infogan(generator, discriminator, SAMPLES)
    return measure_condition(generator, SAMPLES)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", help="of every part (default: those of SEEDS)")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--output", type=Path, default=RECORDED)
    arguments = parser.parse_args()

    seeds = {part: arguments.seeds or SEEDS[part] for part in SEEDS}
    torch.set_num_threads(1)
    now = circumstances(torch.device("cpu"), quick=False)
    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"the comparison needs the real MNIST, but there is only: {mnist.note}")
    shared = {"samples": SAMPLES, "training_data": mnist.note or "MNIST, full training set", **now}

    for key, (part, way, which, seed) in jobs(arguments.only, seeds).items():
        if key in load(arguments.output):
            continue
        images, labels = (mnist.images, mnist.labels) if which == "none" else labels_of(which, mnist, seed)
        judged = {"marks": MARKS, "judge": partial(measure, way)} if part == "ways" else {}
        trained = train_condition(way, images, labels, seed=seed, **judged)
        record = {
            "part": part,
            "way": way,
            "labels": which,
            "right_labels": (labels == mnist.labels).double().mean().item() if len(labels) > 100 else 1.0,
            "seed": seed,
            "seconds": SECONDS,
            "cpu_seconds": trained.cpu_seconds,
            "images": trained.images,
            "curve": [[spent, found["frechet"], found.get("agreement")] for spent, found in trained.curve],
            "found": measure(way, trained.generator, trained.discriminator),
            **shared,
        }
        add(arguments.output, key, rounded(record))
        print(key, record["images"], record["found"], flush=True)

    if "knobs" in arguments.only:
        networks = load_generator("mnist_classes"), load_discriminator("mnist_classes")
        for knob, settings in KNOBS.items():
            for setting in settings:
                key = f"{knob} {setting:g}"
                if key not in load(arguments.output):
                    (found,) = knob_curve(*networks, samples=SAMPLES, **{knob: [setting]})
                    add(arguments.output, key, rounded({"part": "knobs", **found, **shared}))
                    print(key, found, flush=True)


if __name__ == "__main__":
    main()
