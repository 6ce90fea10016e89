"""Train the CIFAR-10 generators that ship with the course:

python -m tools.ship_colour_generator cifar10_minutes    # about five minutes on one core
python -m tools.ship_colour_generator cifar10            # about an hour on one core

Run it with the real data in place. The first is the training of notebook 06, only longer. For the second, G
doubles its maps by pixel shuffle, the networks get extra convolutions, the discriminator spectral
normalisation, the learning rate falls in the second half, and the average is longer. With `--checkpoint FILE`
it can be stopped (Ctrl-C) and continues from there when it is called again. At the end it writes
course_utils/assets/NAME_generator.safetensors, in half precision.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from course_utils import data
from course_utils.files import ASSETS, save_weights
from course_utils.metrics import frechet_evaluator
from course_utils.models import (
    dcgan_discriminator,
    dcgan_generator,
    pytorch_initialised,
    spectrally_normalised,
)
from course_utils.runtime import pick_device
from course_utils.training import CIFAR10_DCGAN, GAN, constant_then_linear, train


class Training(NamedTuple):
    images: int
    generator: dict  # arguments of `dcgan_generator` beside NETWORK
    discriminator_extra_convs: int
    spectral: bool  # whether the discriminator is spectrally normalised
    settings: dict  # arguments of `train`


NETWORK = {"image_shape": [3, 32, 32], "latent_dim": 64, "width": 48}
TRAININGS = {
    "cifar10_minutes": Training(280_000, {}, 0, False, CIFAR10_DCGAN.training),
    "cifar10": Training(
        2_100_000,
        {"upsampling": "pixel_shuffle", "extra_convs": 1},
        2,
        True,
        {
            **CIFAR10_DCGAN.training,
            "ema_half_life": 50_000,
            "schedule": partial(constant_then_linear, constant=0.5),
        },
    ),
}


def networks(training: Training) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator, with PyTorch's initialisation."""
    generator = pytorch_initialised(dcgan_generator(**NETWORK, **training.generator))
    discriminator = pytorch_initialised(
        dcgan_discriminator(
            NETWORK["image_shape"], NETWORK["width"], extra_convs=training.discriminator_extra_convs
        )
    )
    return generator, spectrally_normalised(discriminator) if training.spectral else discriminator


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=TRAININGS, help="of the generator that `load_generator` finds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--machine", default="an unnamed machine", help="what it runs on, for the record")
    arguments = parser.parse_args()
    training = TRAININGS[arguments.name]

    cifar = data.load_cifar10()
    if cifar.is_stand_in:
        raise SystemExit(f"a generator for the course needs the real CIFAR-10, but there is: {cifar.note}")
    evaluate = frechet_evaluator("cifar10")
    torch.manual_seed(arguments.seed)
    run = train(
        GAN(*networks(training), **CIFAR10_DCGAN.game),
        data.image_sampler(cifar.images, pick_device()),
        images=training.images,
        seed=arguments.seed,
        snapshot_every=50_000,
        on_snapshot=lambda run: print(
            f"\n{run.images_seen:,} images, {run.seconds:.0f} s, Fréchet {evaluate(run.average, 2_000):.2f}",
            flush=True,
        ),
        checkpoint=arguments.checkpoint,
        resume=True,
        **training.settings,
    )
    if run.interrupted:
        raise SystemExit("stopped before the end; call again to continue, if there is a checkpoint")

    # What ships is what is scored: weights rounded to half precision.
    frechet = evaluate(run.average.half().float())
    metadata = {
        "network": json.dumps({**NETWORK, **training.generator}),
        "made_by": f"python -m tools.ship_colour_generator {arguments.name} --seed {arguments.seed}, "
        f"on {cifar.note or 'CIFAR-10, full training set'}; "
        f"{run.images_seen:,} images in {run.seconds:.0f} s on {arguments.machine}",
        "images": str(run.images_seen),
        "seconds": f"{run.seconds:.0f}",
        "machine": arguments.machine,
        "seed": str(arguments.seed),
        "frechet": f"{frechet:.2f}",
    }
    output = ASSETS / f"{arguments.name}_generator.safetensors"
    save_weights(run.average, output, metadata, half=True)
    print(f"Fréchet distance {frechet:.2f} after {run.seconds:.0f} s; written to {output}")


if __name__ == "__main__":
    main()
