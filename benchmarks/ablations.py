"""Each choice of a recipe, changed alone: what it does to the quality, and what to the time of a step.

Quality is compared after equal numbers of images, so it can be measured on a busy machine. Speed is compared
in turns, base and variant in one process, and wants a quiet one.
"""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from benchmarks import flops
from benchmarks.quality import LATENTS_SEED, training_images
from benchmarks.recipes import RECIPES, gan, settings
from benchmarks.records import circumstances
from course_utils import data
from course_utils.metrics import frechet_evaluator
from course_utils.runtime import has_fast_bfloat16, pick_device
from course_utils.training import TrainingDiverged, constant_then_linear, tenth_of_images
from course_utils.training import train as train_model
from course_utils.training.augmentation import augment

IMAGES = {
    "04_mlp_gan_mnist": 300_000,
    "05_dcgan_mnist": 75_000,
    "quick_dcgan_mnist": 10_000,
    "06_dcgan_cifar10": 50_000,
}


def both(rate: float) -> dict:
    return {"generator_lr": rate, "discriminator_lr": rate}


EVERYWHERE = {
    "base": {},
    "learning rates 1e-3": both(1e-3),
    "learning rates 4e-3": both(4e-3),
    "betas (0.5, 0.999)": {"betas": (0.5, 0.999)},
    "batch 32": {"batch_size": 32},
    "batch 128": {"batch_size": 128},
    "no average": {"ema_half_life": 0},
    "learning rates that fall": {"schedule": constant_then_linear},
}
CONVOLUTIONAL = {
    "average over 10,000 images": {"ema_half_life": 10_000},
    "float32": {"precision": "float32"},
    "bfloat16": {"precision": "bfloat16"},
    "channels_last": {"memory": "channels_last"},
    "upsampling: resize": {"upsampling": "resize"},
    "upsampling: pixel_shuffle": {"upsampling": "pixel_shuffle"},
}
VARIANTS: dict[str, dict[str, dict]] = {
    "04_mlp_gan_mnist": {
        **EVERYWHERE,
        "learning rates 5e-4": both(5e-4),
        "average over 2,500 images": {"ema_half_life": 2_500},
        "latent 8": {"latent_dim": 8},
        "latent 100": {"latent_dim": 100},
        "hidden layers of 64": {"hidden": 64},
        "hidden layers of 256": {"hidden": 256},
        "bfloat16": {"precision": "bfloat16"},
    },
    "05_dcgan_mnist": {
        **EVERYWHERE,
        **CONVOLUTIONAL,
        "learning rates 3e-3": both(3e-3),
        "no extra convolutions": {"generator_extra_convs": 0, "discriminator_extra_convs": 0},
        "extra convolution in G only": {"discriminator_extra_convs": 0},
        "extra convolution in D only": {"generator_extra_convs": 0},
        "D without normalisation": {"normalisation": "none"},
        "D with batch normalisation": {"normalisation": "batch"},
        "latent 100": {"latent_dim": 100},
        "loss: least squares": {"loss": "least_squares"},
        "loss: minimax": {"loss": "minimax"},
        "PyTorch's initialisation": {"initialisation": "pytorch"},
        "two steps of D": {"discriminator_steps": 2},
        "average over a tenth of the images": {"ema_half_life": tenth_of_images},
    },
    "quick_dcgan_mnist": {
        "base": {},
        "average over 5,000 images": {"ema_half_life": 5_000},
        "average over 1,000 images": {"ema_half_life": 1_000},
        "no average": {"ema_half_life": 0},
        "batch 16": {"batch_size": 16},
        "batch 64": {"batch_size": 64},
        "betas (0, 0.99)": {"betas": (0.0, 0.99)},
        "learning rates 4e-3": both(4e-3),
        "no extra convolutions": {"generator_extra_convs": 0, "discriminator_extra_convs": 0},
        "extra convolution in D only": {"generator_extra_convs": 0},
        "D without normalisation": {"normalisation": "none"},
        "loss: minimax": {"loss": "minimax"},
        "loss: hinge": {"loss": "hinge"},
        "channels_last": {"memory": "channels_last"},
        "upsampling: pixel_shuffle": {"upsampling": "pixel_shuffle"},
    },
    "06_dcgan_cifar10": {
        **EVERYWHERE,
        **CONVOLUTIONAL,
        "no augmentation": {"augment": None},
        "flip, colour, translate": {"augment": augment},
        "D spectrally normalised": {"normalisation": "spectral"},
        "extra convolution in D": {"discriminator_extra_convs": 1},
        "extra convolution in G": {"generator_extra_convs": 1},
        "extra convolutions, D spectrally normalised": {
            "generator_extra_convs": 1,
            "discriminator_extra_convs": 1,
            "normalisation": "spectral",
        },
        "latent 32": {"latent_dim": 32},
        "latent 128": {"latent_dim": 128},
        "DCGAN's initialisation": {"initialisation": "dcgan"},
    },
}


def train(recipe_name: str, variant: str, images: int, seed: int, draw, device: torch.device, **more):
    """One training with a recipe's options, some of them changed."""
    recipe = RECIPES[recipe_name]
    options = {**recipe.options, **VARIANTS[recipe_name][variant]}
    torch.manual_seed(seed)
    return train_model(
        gan(recipe, options),
        draw,
        images=images,
        seed=seed,
        device=device,
        snapshot_every=images,
        snapshot_samples=1,
        progress=False,
        threads=torch.get_num_threads(),
        **{**settings(options), **more},
    )


def sampler(recipe_name: str, device: torch.device, quick: bool):
    return data.image_sampler(training_images(RECIPES[recipe_name].data, quick).images, device)


def quality(recipe_name: str, variant: str, seed: int, images: int, samples: int, quick: bool) -> dict:
    """The Fréchet distance of a variant after so many images; None where its training diverged."""
    device = pick_device()
    now = circumstances(device, quick)
    record = {"kind": "quality", "recipe": recipe_name, "variant": variant, "seed": seed, "samples": samples}
    try:
        trained = train(recipe_name, variant, images, seed, sampler(recipe_name, device, quick), device)
        evaluate = frechet_evaluator(RECIPES[recipe_name].data)
        record["frechet"] = evaluate(trained.average, samples=samples, seed=LATENTS_SEED)
        record["seconds"] = trained.seconds
    except TrainingDiverged:
        record["frechet"] = record["seconds"] = None
    return {**record, "images": images, **now}


def speed(recipe_name: str, variant: str, steps: int, rounds: int, quick: bool) -> dict:
    """How much longer an image takes than in the base: base, variant, base, …; the median of ratios."""
    device = pick_device()
    now = circumstances(device, quick)
    draw = sampler(recipe_name, device, quick)
    images = steps * RECIPES[recipe_name].options["batch_size"]

    def seconds_an_image(name: str) -> float:
        trained = train(recipe_name, name, images, 0, draw, device)
        return trained.seconds / trained.images_seen

    seconds_an_image("base"), seconds_an_image(variant)  # first calls do not count
    pairs = [(seconds_an_image("base"), seconds_an_image(variant)) for _ in range(rounds)]
    ratios = sorted(changed / base for base, changed in pairs)
    per_round = VARIANTS[recipe_name][variant].get("discriminator_steps", 1)  # images, in batches of one
    one, two = (
        flops.count(lambda n=n: train(recipe_name, variant, n, 0, draw, device, batch_size=1))
        for n in (per_round, 2 * per_round)
    )
    return {
        "kind": "speed",
        "recipe": recipe_name,
        "variant": variant,
        "ratio": median(ratios),
        "lowest": ratios[0],
        "highest": ratios[-1],
        "milliseconds_per_image": 1e3 * median(changed for _, changed in pairs),
        "flop_per_image": (two - one) / per_round,
        "rounds": rounds,
        **now,
    }


def drawing(quick: bool = False) -> dict:
    """Images a second that each way of drawing batches delivers, with no training at all."""
    device = pick_device()
    now = circumstances(device, quick)
    images = data.load_mnist().images
    seconds = 0.2 if quick else 3.0
    rng = torch.Generator(device).manual_seed(0)
    draw = data.image_sampler(images, device)
    loader = DataLoader(PerImage(images), batch_size=64, shuffle=True)

    def endless():
        while True:
            yield from loader

    batches = endless()
    return {
        "kind": "drawing",
        "one tensor": rate(lambda: draw(64, rng), seconds),
        "DataLoader, a transform per image": rate(lambda: next(batches), seconds),
        **now,
    }


class PerImage(Dataset):
    """What most loops do: Python code for every image, PIL included."""

    def __init__(self, images: Tensor):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        from PIL import Image

        picture = Image.fromarray(self.images[index, 0].numpy())
        pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).view(1, *picture.size)
        return (pixels.float() / 255 - 0.5) / 0.5


def rate(draw: Callable[[], object], seconds: float, batch_size: int = 64) -> float:
    """Images a second."""
    draw()
    batches, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        draw()
        batches += 1
    return batches * batch_size / (time.perf_counter() - begin)


def variants(recipe_name: str) -> list[str]:
    """The variants that say something here: a precision that is the default already does not."""
    default = "bfloat16" if has_fast_bfloat16(pick_device()) else "float32"
    convolutional = recipe_name != "04_mlp_gan_mnist"
    return [name for name in VARIANTS[recipe_name] if not (convolutional and name == default)]
