"""Digits restored from what is left of them: one network, with more and more of the adversarial loss.

The same network, the same images, and one number that is swept, the weight of the adversarial loss beside
the squared error: distortion against perception (Blau and Michaeli 2018, arXiv:1711.06077).
"""

import json
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils import data
from course_utils.files import ASSETS
from course_utils.metrics import (
    completion_spread,
    fine_power,
    frechet_evaluator,
    load_classifier,
    mean_squared_error,
    structural_similarity,
    style_distance,
)
from course_utils.models import Inpainter, PatchDiscriminator, UNet, spectrally_normalised
from course_utils.training.gan import GAN
from course_utils.training.loop import Run, constant_then_linear, train
from course_utils.training.translation import Regression, pix2pix

RECORDED = ASSETS / "translation_mnist.json"  # by tools/record_translation.py
IMAGE_SHAPE = (1, 28, 28)
IMAGES = 20_000  # of a training: some twenty seconds of one core
WIDTH = 8  # of both networks' first maps: twice as wide is four times as slow
TRAINING = {"batch_size": 64, "ema_half_life": 2_500, "schedule": constant_then_linear, "device": "cpu"}


class Task(NamedTuple):
    """What is taken away from a digit."""

    degrade: Callable[[Tensor, torch.Generator], Tensor]  # (images, rng) → sources
    source_channels: int
    fills: bool = False  # whether only a hole is to be filled


TASKS = {
    "inpainting": Task(data.cut_at_random, source_channels=2, fills=True),
    "super-resolution": Task(lambda images, rng: data.downsample(images, 4), source_channels=1),
    "edges": Task(lambda images, rng: data.edges(images), source_channels=1),
}


def restorer(task: str, latent_dim: int = 0, width: int = WIDTH) -> nn.Module:
    """An untrained U-Net for the task; where a hole is to be filled it fills nothing else."""
    network = UNet(IMAGE_SHAPE, get_task(task).source_channels, latent_dim, width)
    return Inpainter(network) if get_task(task).fills else network


def restoration(task: str, adversarial: float | None = None, latent_dim: int = 0, **game) -> GAN | Regression:
    """Squared error + a · the non-saturating loss, for `train`.

    Args:
        task: of `TASKS`.
        adversarial: a ≥ 0, or None for `Regression`, which has no discriminator. 0 has one that looks on: the
            same aim, as slow as all other weights. The error is a mean over pixels, the loss over patches.
        latent_dim: of the generator. With latents the error is that of the mean (`error_of_mean`), which
            leaves completions free to differ; batches then repeat each pair (`pairs`).
        **game: other arguments of `pix2pix`, or of `Regression`.
    """
    generator = restorer(task, latent_dim)
    if adversarial is None:
        return Regression(generator, **game)
    source_channels = get_task(task).source_channels
    discriminator = PatchDiscriminator(IMAGE_SHAPE, source_channels, width=2 * WIDTH, layers=2)
    how = {"error": "mean" if latent_dim else "squared", "betas": (0.5, 0.99), **game}
    return pix2pix(generator, spectrally_normalised(discriminator), adversarial=adversarial, **how)


def pairs(task: str, images: Tensor, *, repeats: int = 1) -> data.Sampler:
    """Batches of (digit, what is left of it); images uint8 (N, 1, 28, 28)."""
    return data.translation_sampler(images, get_task(task).degrade, repeats=repeats)


def get_task(task: str) -> Task:
    if task not in TASKS:
        raise ValueError(f"task must be one of {', '.join(TASKS)}, got {task!r}; choose one of them.")
    return TASKS[task]


def train_restoration(
    task: str,
    digits: Tensor,
    adversarial: float | None = None,
    *,
    latent_dim: int = 0,
    images: int = IMAGES,
    seed: int = 0,
    **game,
) -> Run:
    """One training, on the CPU; `run.average` is the generator, for `restored`.

    Args:
        task: of `TASKS`.
        digits: uint8 (N, 1, 28, 28).
        adversarial, latent_dim, **game: as in `restoration`.
        images: how many to draw.
        seed: of initialisation and training.
    """
    torch.manual_seed(seed)
    model = restoration(task, adversarial, latent_dim, **game)
    paired = game.get("error", "mean" if latent_dim and adversarial is not None else "") == "mean"
    draw = pairs(task, digits, repeats=2 if paired else 1)
    return train(model, draw, images=images, seed=seed, **TRAINING)


@torch.no_grad()
def restored(generator: nn.Module, source: Tensor, seed: int = 0) -> Tensor:
    """G(source), with a latent of its own for each source where it has any: (N, …) → (N, 1, 28, 28)."""
    rng = torch.Generator().manual_seed(seed)
    latents = torch.randn(len(source), generator.latent_dim, generator=rng)
    parts = zip(source.split(100), latents.split(100), strict=True)
    return torch.cat([generator(some, z) if generator.latent_dim else generator(some) for some, z in parts])


def measure_restoration(
    restore: Callable[[Tensor], Tensor], task: str, *, images: int = 2_000, seed: int = 0
) -> dict[str, float]:
    """How near restored test digits are to the true ones, and how much they look like digits.

    Args:
        restore: sources → images, a generator or a classical method.
        task: of `TASKS`.
        images: so many test digits.
        seed: of holes and latents.

    Returns:
        Distortion: "mse", "psnr" (dB) of that mean error, "ssim". A mean of the images' own PSNR would be
        infinite where one hole hid nothing but background. Perception: "frechet" distance to all test digits,
        "style" distance, "fine_power" as a fraction of the true digits'. And the "spread" of completions, 0
        without latents.
    """
    target = data.to_model_range(data.load_mnist("test").images[:images])
    source = get_task(task).degrade(target, torch.Generator().manual_seed(seed))
    has_latents = getattr(restore, "latent_dim", 0) > 0
    found = restored(restore, source, seed) if isinstance(restore, nn.Module) else restore(source)
    mse = mean_squared_error(found, target)
    return {
        "mse": mse,
        "psnr": 10 * math.log10(4 / mse),
        "ssim": structural_similarity(found, target),
        "frechet": frechet_evaluator("mnist")(found),
        "style": style_distance(load_classifier("mnist"), found, target),
        "fine_power": fine_power(found) / fine_power(target),
        "spread": completion_spread(restore, source[:200], seed=seed) if has_latents else 0.0,
    }


def load_restorations() -> list[dict]:
    """The recorded trainings, in the file's order: see tools/record_translation.py for what is in them."""
    return list(json.loads(RECORDED.read_text(encoding="utf-8"))["records"].values())
