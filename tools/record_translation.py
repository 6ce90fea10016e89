"""Restores digits with more and more of the adversarial loss, and keeps what came out for notebook 13:

nice python -m tools.record_translation                        # about a quarter of an hour of one core
nice python -m tools.record_translation --only inpainting

Each task with each weight and three seeds, on the same digits and equally many images; the weight 0 has a
discriminator that looks on, so that all take the same time. Then holes with latents, with the two errors that
use and waste them. Writes course_utils/assets/translation_mnist.json, a record for each training, as soon as
it is made; what the file has already is not trained again. The classical methods are measured beside them.
"""

import argparse
import time
from pathlib import Path

import torch

from benchmarks.records import add, circumstances, load, rounded
from course_utils import data
from course_utils.metrics import nearest_completion
from course_utils.training.restoration import IMAGES, RECORDED, measure_restoration, train_restoration

SEEDS = (0, 1, 2)
WEIGHTS = (0.0, 0.03, 0.1, 0.3, 1.0)  # of the adversarial loss
TASKS = ("super-resolution", "inpainting")
LATENTS = {"latent_dim": 8}
ERRORS = ("mean", "squared")  # of the trainings with latents


def classical(training: torch.Tensor) -> dict[str, tuple]:
    """Name → (task, sources → images): the methods that learn nothing."""
    digits = data.to_model_range(training)
    return {
        "bicubic": ("super-resolution", lambda source: data.enlarge(source, 4)),
        "grey hole": ("inpainting", lambda source: data.uncut(source)[0]),
        "nearest digit": ("inpainting", lambda source: nearest_completion(source, digits)[0]),
    }


def jobs(tasks: list[str], seeds: list[int]) -> dict[str, tuple[str, int, float, dict]]:
    """Key → (task, seed, weight, setting): all weights of a seed before the next one."""
    found = {}
    for seed in seeds:
        for task in tasks:
            for weight in WEIGHTS:
                found[f"{task}, weight {weight:g}/seed {seed}"] = (task, seed, weight, {})
    for seed in seeds[:1] * ("inpainting" in tasks):
        for error in ERRORS:
            key = f"inpainting, latents, {error} error/seed {seed}"  # a contrast: one seed shows it
            found[key] = ("inpainting", seed, 0.1, {**LATENTS, "error": error})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=TASKS)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--output", type=Path, default=RECORDED)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    now = circumstances(torch.device("cpu"), quick=False)
    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"the comparison needs the real MNIST, but there is only: {mnist.note}")
    now["training_data"] = mnist.note or "MNIST, full training set"

    for name, (task, restore) in classical(mnist.images).items():
        if name in load(arguments.output) or task not in arguments.only:
            continue
        found = rounded(measure_restoration(restore, task))
        add(arguments.output, name, {"task": task, "method": name, "found": found, **now})
        print(name, found["psnr"], found["frechet"], flush=True)
    for key, (task, seed, weight, setting) in jobs([*arguments.only], [*arguments.seeds]).items():
        if key in load(arguments.output):
            continue
        begin = time.process_time()
        run = train_restoration(task, mnist.images, weight, images=arguments.images, seed=seed, **setting)
        spent = time.process_time() - begin
        found = rounded(measure_restoration(run.average, task))
        record = {
            "task": task,
            "method": "network",
            "adversarial": weight,
            "latent_dim": run.average.latent_dim,
            "error": setting.get("error", "squared"),
            "seed": seed,
            "images": run.images_seen,
            "cpu_seconds": round(spent, 2),
            "found": found,
            **now,
        }
        add(arguments.output, key, record)
        print(key, record["cpu_seconds"], found["psnr"], found["frechet"], flush=True)


if __name__ == "__main__":
    main()
