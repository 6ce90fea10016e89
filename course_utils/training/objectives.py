"""Objectives side by side: what two networks play for, exchanged, while everything else stays the same."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn

from course_utils.data.convention import Sampler
from course_utils.files import ASSETS
from course_utils.losses import GANLoss
from course_utils.models import (
    dcgan_discriminator,
    dcgan_generator,
    spectrally_normalised,
    weight_clipped,
)
from course_utils.training.gan import GAN, Penalty
from course_utils.training.history import TrainingDiverged
from course_utils.training.loop import Run, train
from course_utils.training.penalties import gradient_penalty, one_sided_gradient_penalty, r1, r1_r2
from course_utils.training.progress import progress as show_progress


class Objective(NamedTuple):
    """What a GAN plays for: the two losses, and what keeps the discriminator's slope in bounds."""

    loss: str | GANLoss
    penalty: Penalty | None = None
    bound: Callable[[nn.Module], nn.Module] | None = None  # changes D in place, before the training

    def gan(self, generator: nn.Module, discriminator: nn.Module, **game) -> GAN:
        """The two networks, playing for it; `game` are the other arguments of `GAN`."""
        bounded = discriminator if self.bound is None else self.bound(discriminator)
        return GAN(generator, bounded, loss=self.loss, penalty=self.penalty, **game)


# Strengths are those of the papers: λ = 10, c = 0.01; γ = 1 is notebook 02's.
OBJECTIVES = {
    "minimax": Objective("minimax"),
    "non-saturating": Objective("non_saturating"),
    "least squares": Objective("least_squares"),
    "hinge": Objective("hinge"),
    "WGAN, clipping": Objective("wasserstein", bound=weight_clipped),
    "WGAN-GP": Objective("wasserstein", gradient_penalty(10.0)),
    "WGAN, one-sided": Objective("wasserstein", one_sided_gradient_penalty(10.0)),
    "spectral norm.": Objective("non_saturating", bound=spectrally_normalised),
    "R1": Objective("non_saturating", r1(1.0)),
    "R1 + R2": Objective("non_saturating", r1_r2(1.0)),
    "relativistic": Objective("relativistic"),
    "relativistic, R1 + R2": Objective("relativistic", r1_r2(1.0)),
}


RECORDED = ASSETS / "objectives_mnist.json"  # by tools/record_objectives.py


def small_mnist_dcgan() -> tuple[nn.Module, nn.Module]:
    """A DCGAN of half of notebook 05's width, without extra convolutions and without normalisation of D."""
    return dcgan_generator((1, 28, 28), 32, width=16), dcgan_discriminator((1, 28, 28), width=16)


class Trained(NamedTuple):
    """One training of a comparison."""

    objective: str
    seed: int
    found: dict[str, float] | None  # what `evaluate` made of it; None where it diverged
    seconds: float  # of computing, on all threads together
    run: Run


def compare(
    objectives: Mapping[str, Objective],
    networks: Callable[[], tuple[nn.Module, nn.Module]],
    draw_real: Sampler,
    evaluate: Callable[[nn.Module], dict[str, float]],
    *,
    seeds: Sequence[int],
    game: Mapping[str, object],
    hidden: bool = False,
    **training,
) -> list[Trained]:
    """Trains the same networks for each objective and each seed, on the same number of images.

    Args:
        objectives: name → objective.
        networks: () -> (generator, discriminator), initialised anew; the seed decides how.
        draw_real: a sampler.
        evaluate: evaluate(generator) → numbers by name; given the averaged generator.
        seeds: of initialisation and training.
        game: all other arguments of `GAN`, the same for each objective.
        hidden: show no progress.
        **training: arguments of `train`, the same for each objective.

    Returns:
        A `Trained` for each objective and seed, in that order. What diverged has `found=None`.
    """
    results = []
    with show_progress(len(objectives) * len(seeds), "trainings", unit="runs", hidden=hidden) as update:
        for name, objective in objectives.items():
            for seed in seeds:
                torch.manual_seed(seed)
                gan = objective.gan(*networks(), **game)
                begin = time.process_time()  # what others compute at the same time does not count
                try:
                    run, diverged = train(gan, draw_real, seed=seed, progress=False, **training), False
                except TrainingDiverged as error:
                    run, diverged = error.run, True
                seconds = time.process_time() - begin
                found = None if diverged else evaluate(run.average)
                results.append(Trained(name, seed, found, seconds, run))
                update(len(results))
    return results
