"""Train the CIFAR-10 generator that ships with the course:

python -m tools.ship_colour_generator                                          # about an hour on one core
python -m tools.ship_colour_generator --name cifar10_minutes --images 240000   # about five minutes on two

Run it with the real data in place. For so long a training the networks of notebook 06 get refinements, and
the discriminator spectral normalisation: without it, D ends up right about 95 % of all images. With
`--checkpoint FILE` it can be stopped (Ctrl-C) and goes on from there when it is called again. At the end it
writes course_utils/assets/NAME_generator.safetensors, in half precision.
"""

import argparse
import json
from functools import partial
from pathlib import Path

import torch

from course_utils import data
from course_utils.augment import flip
from course_utils.metrics import frechet_evaluator
from course_utils.models import (
    ASSETS,
    dcgan_discriminator,
    dcgan_generator,
    spectrally_normalised,
)
from course_utils.runtime import pick_device
from course_utils.training import constant_then_linear, save_weights, train_gan

NETWORK = {
    "image_shape": [3, 32, 32],
    "latent_dim": 64,
    "width": 48,
    "upsampling": "pixel_shuffle",
    "refinements": 1,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=2_100_000)
    parser.add_argument("--constant", type=float, default=0.5, help="share of images before the rate falls")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--machine", default="an unnamed machine", help="what it runs on, for the record")
    parser.add_argument("--name", default="cifar10", help="of the file in course_utils/assets")
    arguments = parser.parse_args()

    cifar = data.load_cifar10()
    if cifar.is_stand_in:
        raise SystemExit(f"a generator for the course needs the real CIFAR-10, but there is: {cifar.note}")
    judge = frechet_evaluator("cifar10")
    torch.manual_seed(arguments.seed)
    generator = dcgan_generator(**NETWORK)
    discriminator = dcgan_discriminator(NETWORK["image_shape"], NETWORK["width"], refinements=2)
    for layer in (*generator.modules(), *discriminator.modules()):
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()  # PyTorch's first weights instead of DCGAN's, as in notebook 06
    run = train_gan(
        generator,
        spectrally_normalised(discriminator),
        data.image_sampler(cifar.images, pick_device()),
        images=arguments.images,
        augment=flip,
        ema_half_life=50_000,
        schedule=partial(constant_then_linear, constant=arguments.constant),
        seed=arguments.seed,
        snapshot_every=50_000,
        on_snapshot=lambda run: print(
            f"\n{run.images_seen:,} images, {run.seconds:.0f} s, Fréchet {judge(run.generator, 2_000):.2f}",
            flush=True,
        ),
        checkpoint=arguments.checkpoint,
        resume=True,
    )
    if run.interrupted:
        raise SystemExit("stopped before the end; call again to go on, if there is a checkpoint")

    # What ships is what is scored: weights rounded to half precision.
    frechet = judge(run.generator.half().float())
    command = f"--name {arguments.name} --images {run.images_seen} --constant {arguments.constant}"
    metadata = {
        "network": json.dumps(NETWORK),
        "made_by": f"python -m tools.ship_colour_generator {command} --seed {arguments.seed}, "
        f"on {cifar.note or 'CIFAR-10, full training set'}; "
        f"{run.images_seen:,} images in {run.seconds:.0f} s on {arguments.machine}",
        "images": str(run.images_seen),
        "seconds": f"{run.seconds:.0f}",
        "machine": arguments.machine,
        "seed": str(arguments.seed),
        "frechet": f"{frechet:.2f}",
    }
    output = ASSETS / f"{arguments.name}_generator.safetensors"
    save_weights(run.generator, output, metadata, half=True)
    print(f"Fréchet distance {frechet:.2f} after {run.seconds:.0f} s; written to {output}")


if __name__ == "__main__":
    main()
