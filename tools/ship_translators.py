"""Train the networks from image to image that ship with the course:

python -m tools.ship_translators                          # all of them: about half an hour of one core
python -m tools.ship_translators --only cifar10_larger_gan

Run it with the real data in place. Each is written, in half precision, to
course_utils/assets/NAME_translator.safetensors as soon as it is trained. Holes in digits are of all kinds
(`data.cut_at_random`); photographs are enlarged from 8×8 pixels, means of 4×4, or coloured from their grey.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from course_utils import data
from course_utils.files import ASSETS, save_weights
from course_utils.metrics import (
    chroma_strength,
    frechet_evaluator,
    mean_squared_error,
    structural_similarity,
)
from course_utils.models import (
    Colouriser,
    Inpainter,
    PatchDiscriminator,
    UNet,
    count_parameters,
    spectrally_normalised,
)
from course_utils.training import Regression, constant_then_linear, pix2pix, train
from course_utils.training.restoration import restored


def smaller(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """8×8 of 32×32."""
    return data.downsample(images, 4)


def without_colour(images: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """The luma alone."""
    return data.grey(images)


class Translator(NamedTuple):
    """What is trained, and how long."""

    of: str  # the data set
    network: dict  # the arguments of `UNet`
    degrade: Callable
    images: int  # to train on
    adversarial: float | None = None  # the weight of the GAN's loss; None for regression alone
    fills: bool = False
    colours: bool = False


DIGITS = {"image_shape": [1, 28, 28], "source_channels": 2, "width": 12}
COLOUR = {"image_shape": [3, 32, 32], "source_channels": 3, "width": 16}
GREY = {**COLOUR, "source_channels": 1}
TRANSLATORS = {
    "mnist_inpainting_regression": Translator("mnist", DIGITS, data.cut_at_random, 100_000, fills=True),
    "mnist_inpainting_gan": Translator(
        "mnist", {**DIGITS, "latent_dim": 8}, data.cut_at_random, 100_000, adversarial=0.1, fills=True
    ),
    "cifar10_larger_regression": Translator("cifar10", COLOUR, smaller, 60_000),
    "cifar10_larger_gan": Translator("cifar10", COLOUR, smaller, 60_000, adversarial=0.05),
    "cifar10_colour_regression": Translator("cifar10", GREY, without_colour, 150_000, colours=True),
    "cifar10_colour_gan": Translator("cifar10", GREY, without_colour, 200_000, adversarial=0.1, colours=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=TRANSLATORS, default=list(TRANSLATORS))
    parser.add_argument("--images", type=int, help="to train on, in place of each one's own number")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.only:
        ship(name, arguments.images or TRANSLATORS[name].images, arguments.seed)


def ship(name: str, images: int, seed: int) -> None:
    """Trains one, scores it on test images, and writes it."""
    what = TRANSLATORS[name]
    training = data.load(what.of)
    if training.is_stand_in:
        raise SystemExit(f"networks for the course need real images, but there are only: {training.note}")
    torch.manual_seed(seed)
    model = build(what)
    paired = what.adversarial is not None and model.latent_dim > 0
    draw = data.translation_sampler(training.images, what.degrade, repeats=2 if paired else 1)
    begin = time.process_time()

    def look(run) -> None:
        print(f"{name}: {run.images_seen:,} images, {model.summary(run.history)}", flush=True)

    run = train(
        model,
        draw,
        images=images,
        batch_size=64,
        ema_half_life=5_000,
        schedule=constant_then_linear,
        device="cpu",
        threads=1,
        seed=seed,
        snapshot_samples=4,
        on_snapshot=look,
        progress=False,
    )
    spent = time.process_time() - begin
    # What ships is what is scored: weights rounded to half precision.
    generator = run.average.half().float()
    test = data.to_model_range(data.load(what.of, "test").images[:2_000])
    found = restored(generator, what.degrade(test, torch.Generator().manual_seed(seed)))
    scores = {
        "psnr": f"{10 * math.log10(4 / mean_squared_error(found, test)):.2f}",
        "ssim": f"{structural_similarity(found, test):.4f}",
        "frechet": f"{frechet_evaluator(what.of)(found):.2f}",
    }
    if what.colours:
        scores["chroma"] = f"{chroma_strength(found):.4f}"
    metadata = {
        "network": json.dumps(what.network),
        "fills": json.dumps(what.fills),
        "made_by": f"python -m tools.ship_translators --only {name} --images {run.images_seen} "
        f"--seed {seed}, on {training.note or what.of.upper() + ', full training set'}",
        "images": str(run.images_seen),
        "cpu_seconds": f"{spent:.0f}",
        "adversarial": json.dumps(what.adversarial),
        **scores,
    }
    if what.colours:
        metadata["luma"] = json.dumps(data.LUMA)
    save_weights(generator, ASSETS / f"{name}_translator.safetensors", metadata, half=True)
    print(name, f"{count_parameters(model.generator):,} weights, {spent:.0f} CPU seconds", scores, flush=True)


def build(what: Translator) -> nn.Module:
    """The model, untrained."""
    network = UNet(**what.network)
    generator = network
    if what.fills:
        generator = Inpainter(network)
    elif what.colours:
        generator = Colouriser(network, data.LUMA)
    if what.adversarial is None:
        return Regression(generator)
    sizes = (what.network["image_shape"], what.network["source_channels"])
    discriminator = spectrally_normalised(PatchDiscriminator(*sizes, width=24, layers=2))
    error = "mean" if network.latent_dim else "squared"
    return pix2pix(generator, discriminator, adversarial=what.adversarial, error=error, betas=(0.5, 0.99))


if __name__ == "__main__":
    main()
