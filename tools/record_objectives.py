"""Trains every objective on MNIST with three seeds, and keeps what came out for notebook 08:

nice python -m tools.record_objectives          # about nine minutes on one core

The networks are a small DCGAN, the same for all, on the same number of images. Writes
course_utils/assets/objectives_mnist.json, a record for each objective and seed, as soon as it is made; what
the file has already is not trained again.
"""

import argparse
from pathlib import Path

import torch

from benchmarks.records import add, circumstances, load
from course_utils import data
from course_utils.metrics import class_coverage, frechet_evaluator
from course_utils.models import sample
from course_utils.training import MNIST_DCGAN
from course_utils.training.objectives import OBJECTIVES, RECORDED, compare, small_mnist_dcgan

SEEDS = (0, 1, 2)
SAMPLES = 5_000
IMAGES = 30_000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--only", nargs="+", choices=OBJECTIVES, default=[*OBJECTIVES])
    parser.add_argument("--output", type=Path, default=RECORDED)
    arguments = parser.parse_args()

    device = torch.device("cpu")  # float32 and one thread: the same figures wherever it runs
    torch.set_num_threads(1)
    now = circumstances(device, quick=False)
    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"the comparison needs the real MNIST, but there is only: {mnist.note}")
    evaluate_samples = frechet_evaluator("mnist")

    def evaluate(generator) -> dict[str, float]:
        samples = sample(generator, SAMPLES, seed=0)
        classes = class_coverage(samples, evaluate_samples.classifier)
        return {
            "frechet": evaluate_samples(samples),
            "classes": classes.covered,
            "class_entropy": classes.entropy,
        }

    training = {**MNIST_DCGAN.training, "threads": 1, "device": device, "precision": "float32"}
    for seed in arguments.seeds:
        for name in arguments.only:
            objective = OBJECTIVES[name]
            key = f"{name}/seed {seed}"
            if key in load(arguments.output):
                continue
            (trained,) = compare(
                {name: objective},
                small_mnist_dcgan,
                data.image_sampler(mnist.images, device),
                evaluate,
                seeds=[seed],
                game={part: value for part, value in MNIST_DCGAN.game.items() if part != "loss"},
                images=arguments.images,
                snapshot_every=arguments.images,
                **training,
            )
            record = {
                "objective": name,
                "seed": seed,
                "images": arguments.images,
                "samples": SAMPLES,
                "found": trained.found,
                "cpu_seconds": round(trained.seconds, 2),
                "training_data": mnist.note or "MNIST, full training set",
                **now,
            }
            add(arguments.output, key, record)
            print(key, record["found"], record["cpu_seconds"], flush=True)


if __name__ == "__main__":
    main()
