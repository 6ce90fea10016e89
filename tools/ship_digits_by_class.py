"""Trains the generator of digits that draws the class it is asked for, and ships it with its discriminator:

python -m tools.ship_digits_by_class          # about eight minutes on two cores

Run it with the real data in place. It trains the recipe of notebook 12, only for longer, and writes
course_utils/assets/mnist_classes_generator.safetensors and mnist_classes_discriminator.safetensors, in half
precision.
"""

import argparse
import json
from pathlib import Path

import torch

from course_utils import data
from course_utils.files import ASSETS, save_weights
from course_utils.runtime import pick_device
from course_utils.training import MNIST_CONDITIONAL, train
from course_utils.training.conditions import measure_condition

NETWORK = {"way": "projection", "classes": 10}  # the arguments of `conditional_dcgan` in MNIST_CONDITIONAL


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=400_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ASSETS)
    arguments = parser.parse_args()

    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"a generator for the course needs the real MNIST, but there is only: {mnist.note}")
    torch.manual_seed(arguments.seed)
    run = train(
        MNIST_CONDITIONAL.gan(),
        data.labelled_sampler(mnist.images, mnist.labels, pick_device()),
        images=arguments.images,
        seed=arguments.seed,
        snapshot_every=100_000,
        **MNIST_CONDITIONAL.training,
    )
    if run.interrupted:
        raise SystemExit("stopped before the end; nothing was written")

    # What ships is what is scored: weights rounded to half precision.
    found = measure_condition(run.average.half().float())
    command = f"python -m tools.ship_digits_by_class --images {run.images_seen} --seed {arguments.seed}"
    metadata = {
        "architecture": "conditional_dcgan",
        "network": json.dumps(NETWORK),
        "made_by": f"{command}, on {mnist.note or 'MNIST, full training set'}",
        "images": str(run.images_seen),
        "seed": str(arguments.seed),
        **{name: f"{value:.3f}" for name, value in found.items()},
    }
    for name, network in (("generator", run.average), ("discriminator", run.networks["discriminator"])):
        save_weights(network, arguments.folder / f"mnist_classes_{name}.safetensors", metadata, half=True)
    print(f"{found} after {run.seconds:.0f} s; written to {arguments.folder}")


if __name__ == "__main__":
    main()
