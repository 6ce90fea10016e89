"""Ways to tell a GAN the class, side by side: the same networks, digits, seconds and judges.

The last of these comparisons is not of ways but of labels: right, wrong by a fraction, or few.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils import data
from course_utils.files import ASSETS
from course_utils.metrics import agreement, conditional_scores, frechet_evaluator, in_batches
from course_utils.metrics.referee import load_referee
from course_utils.models import WAYS, conditional_dcgan, infogan_dcgan, sample
from course_utils.training.conditional import code_information, coded, conditional_gan
from course_utils.training.gan import GAN
from course_utils.training.loop import Run
from course_utils.training.recipes import MNIST_DCGAN
from course_utils.training.timed import train_for

RECORDED = ASSETS / "conditional_mnist.json"  # by tools/record_conditional.py
SECONDS = 60.0  # of training, for each
COMPARED = ("unconditional", *WAYS, "InfoGAN")


class Trained(NamedTuple):
    """One training of the comparison."""

    way: str  # of COMPARED
    seed: int
    generator: nn.Module  # the averaged one
    discriminator: nn.Module
    cpu_seconds: float  # of training alone
    images: int  # training images drawn
    curve: list[tuple[float, dict[str, float]]]  # (CPU seconds, what `judge` said of the generator then)
    run: Run


def condition_game(way: str) -> GAN:
    """The networks of notebook 05 and how they play, told the class in this way: one of `COMPARED`.

    Raises:
        ValueError: no such way.
    """
    if way not in COMPARED:
        raise ValueError(f"way must be one of {', '.join(COMPARED)}, got {way!r}; choose one of them.")
    if way == "unconditional":
        return MNIST_DCGAN.gan()
    if way == "InfoGAN":
        return GAN(*infogan_dcgan(), shown=coded, auxiliary=code_information(), **MNIST_DCGAN.game)
    return conditional_gan(way, conditional_dcgan(way), **MNIST_DCGAN.game)


def train_condition(
    way: str,
    images: Tensor,
    labels: Tensor,
    *,
    seconds: float = SECONDS,
    seed: int = 0,
    marks: Sequence[float] = (),
    judge: Callable[[nn.Module], dict[str, float]] | None = None,
) -> Trained:
    """Trains on these images and labels, for so many CPU seconds on one thread.

    Args:
        way: one of `COMPARED`; the first and the last of them do not look at the labels.
        images: uint8 (N, 1, 28, 28).
        labels: (N,), below 10.
        seconds: of training.
        seed: of initialisation and training.
        marks: seconds after which the generator is judged, beside the end.
        judge: judge(generator) → numbers by name; the clock does not count it.
    """
    torch.manual_seed(seed)
    game = condition_game(way)
    draw = data.image_sampler(images) if way == "unconditional" else data.labelled_sampler(images, labels)
    ahead, curve = sorted(marks), []

    def look(run: Run, spent: float) -> None:
        if judge is not None and ahead and spent >= ahead[0]:
            curve.append((spent, judge(run.average)))
            ahead[:] = [mark for mark in ahead if mark > spent]

    run, spent = train_for(seconds, game, draw, look=look, seed=seed, label=way, **MNIST_DCGAN.training)
    if judge is not None and not (curve and curve[-1][0] == spent):
        curve.append((spent, judge(run.average)))
    networks = run.average, run.networks["discriminator"]
    return Trained(way, seed, *networks, spent, run.images_seen, curve, run)


def measure_condition(generator: nn.Module, samples: int = 5_000, seed: int = 0) -> dict[str, float]:
    """What classifiers say about equally many samples of each class.

    Args:
        generator: of latents and labels.
        samples: how many.
        seed: of the latents.

    Returns:
        `conditional_scores`, and "second": the agreement that a second classifier finds.
    """
    labels = torch.arange(samples) % 10
    return measure_samples(sample(generator, samples, labels=labels, seed=seed), labels)


def measure_samples(images: Tensor, labels: Tensor) -> dict[str, float]:
    """The same of images that are there, (N, 1, 28, 28) in [-1, 1], asked to be of the classes `labels`."""
    evaluator = frechet_evaluator("mnist")
    return {
        **conditional_scores(images, labels, evaluator, *_real_features(data.data_folder())),
        "second": agreement(in_batches(load_referee("mnist"), images), labels),
    }


@lru_cache(maxsize=2)
def _real_features(folder: Path) -> tuple[Tensor, Tensor]:
    """The test images' features, and their labels."""
    test = data.load("mnist", "test", folder=folder)
    classifier = frechet_evaluator("mnist").classifier
    return in_batches(classifier.features, data.to_model_range(test.images)), test.labels


def load_conditions() -> list[dict]:
    """The recorded trainings, in the file's order: see tools/record_conditional.py for what is in them."""
    return list(json.loads(RECORDED.read_text(encoding="utf-8"))["records"].values())
