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
from course_utils.metrics import (
    agreement,
    best_naming,
    conditional_scores,
    frechet_evaluator,
    in_batches,
    precision_recall,
)
from course_utils.metrics.referee import load_referee
from course_utils.models import (
    WAYS,
    conditional_dcgan,
    draw_latents,
    generate,
    infogan_dcgan,
    rejection_sample,
    sample,
    truncated_latents,
)
from course_utils.training.conditional import (
    code_entropy,
    code_information,
    code_log_likelihood,
    coded,
    conditional_gan,
)
from course_utils.training.gan import GAN
from course_utils.training.loop import Run
from course_utils.training.recipes import MNIST_DCGAN
from course_utils.training.timed import judged_at, train_for

RECORDED = ASSETS / "conditional_mnist.json"  # by tools/record_conditional.py
SECONDS = 60.0  # of training, for each
COMPARED = ("unconditional", *WAYS, "InfoGAN")
BEST = "projection"  # of WAYS, by what is recorded


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
    judged, curve = judged_at(marks, judge)

    def look(run: Run, spent: float) -> None:
        judged(run.average, spent)

    run, spent = train_for(seconds, game, draw, look=look, seed=seed, label=way, **MNIST_DCGAN.training)
    judged(run.average, spent, final=True)
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


def measure_infogan(generator: nn.Module, discriminator: nn.Module, samples: int = 5_000) -> dict[str, float]:
    """What the codes of an InfoGAN mean, and how well D reads them.

    Args:
        generator, discriminator: as `infogan_dcgan` builds them, trained.
        samples: how many are drawn, and how many test digits are read.

    Returns:
        "frechet"; "naming", the agreement of categories with the classes that a classifier sees, after
        `best_naming`; "reading", the same of D's answers on real test digits with their labels; "bound", on
        the mutual information of codes and samples, in nats.
    """
    evaluator, test = frechet_evaluator("mnist"), data.load_mnist("test")
    latents = draw_latents(samples, generator.latent_dim, torch.Generator().manual_seed(0))
    categories, numbers = generator.eval().codes(latents)
    discriminator.eval()

    def answer(images: Tensor) -> Tensor:
        return discriminator.answers(images)[1]

    images = generate(generator, latents)
    seen = in_batches(evaluator.classifier, images).argmax(1)
    read = in_batches(answer, data.to_model_range(test.images[:samples]))[:, : generator.classes].argmax(1)
    known = code_log_likelihood(in_batches(answer, images), categories, numbers).mean().item()
    return {
        "frechet": evaluator(images),
        "naming": best_naming(categories, seen).agreement,
        "reading": best_naming(read, test.labels[:samples]).agreement,
        "bound": known + code_entropy(generator.classes, numbers.shape[1]),
    }


def labels_of(which: str, mnist: data.ImageData, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images and labels to train on, under the name of `LABELS` that says how good the labels are.

    Args:
        which: one of `LABELS`.
        mnist: the training digits.
        seed: of the choice of the wrong or the kept ones.

    Returns:
        Images (N, 1, 28, 28) uint8, and as many labels.

    Raises:
        ValueError: no such name.
    """
    if which not in LABELS:
        raise ValueError(f"labels must be one of {', '.join(LABELS)}, got {which!r}; choose one of them.")
    rng = torch.Generator().manual_seed(seed)
    if which == "all right":
        return mnist.images, mnist.labels
    if which.endswith("% wrong"):
        fraction = int(which.removesuffix("% wrong")) / 100
        return mnist.images, data.with_wrong_labels(mnist.labels, fraction, rng)
    places = data.few_labels(mnist.labels, 10, rng)
    if which == "100 digits":
        return mnist.images[places], mnist.labels[places]
    return mnist.images, data.spread_labels(mnist.images, places, mnist.labels[places])


LABELS = ("all right", "10% wrong", "50% wrong", "100 digits", "100 labels, spread")


def knob_curve(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    thresholds: Sequence[float] = (),
    sharpnesses: Sequence[float] = (),
    samples: int = 5_000,
    seed: int = 0,
) -> list[dict[str, float]]:
    """Quality against diversity, turned by truncation and by rejection.

    Args:
        generator, discriminator: of one training, with labels.
        thresholds: of `truncated_latents`.
        sharpnesses: of `rejection_sample`, with t_M the 95th percentile.
        samples: for each setting.
        seed: of the latents.

    Returns:
        For each setting "knob" ("truncation" or "rejection"), "setting", "accepted" (the fraction of the
        candidates), precision and recall, and the numbers of `measure_samples`.
    """
    labels = torch.arange(samples) % 10
    real = _real_features(data.data_folder())[0][:samples]
    rows = []

    def measured(knob: str, setting: float, images: Tensor, accepted: float) -> None:
        found = in_batches(frechet_evaluator("mnist").classifier.features, images)
        row = {"knob": knob, "setting": setting, "accepted": accepted, **measure_samples(images, labels)}
        rows.append({**row, **precision_recall(real, found)._asdict()})

    for threshold in thresholds:
        rng = torch.Generator().manual_seed(seed)
        latents = truncated_latents(samples, generator.latent_dim, threshold, rng)
        measured("truncation", threshold, generate(generator, latents, labels), 1.0)
    for sharpness in sharpnesses:
        found = rejection_sample(
            generator, discriminator, samples, labels=labels, percentile=95, sharpness=sharpness, seed=seed
        )
        measured("rejection", sharpness, *found)
    return rows


@lru_cache(maxsize=2)
def _real_features(folder: Path) -> tuple[Tensor, Tensor]:
    """The test images' features, and their labels."""
    test = data.load("mnist", "test", folder=folder)
    classifier = frechet_evaluator("mnist").classifier
    return in_batches(classifier.features, data.to_model_range(test.images)), test.labels


def load_conditions() -> list[dict]:
    """The recorded trainings, in the file's order: see tools/record_conditional.py for what is in them."""
    return list(json.loads(RECORDED.read_text(encoding="utf-8"))["records"].values())
