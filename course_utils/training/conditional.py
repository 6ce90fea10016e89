"""What a conditional GAN and an InfoGAN ask D beside real or fake: for `GAN(auxiliary=…)`."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.models import CodedGenerator, conditional_mlp
from course_utils.training.gan import GAN, Auxiliary, Shown, conditional
from course_utils.training.machine import Batch
from course_utils.training.validation import check_least


def auxiliary_classifier(weight: float = 1.0, on: Sequence[str] = ("real", "fake")) -> Auxiliary:
    """λ·E[−log P(y | x)], D's answers taken for logits of the classes: AC-GAN, with `shown=conditional`.

    A. Odena, C. Olah, J. Shlens 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML,
    arXiv:1610.09585, equation 3: D learns to classify real and generated samples, G to be classified as what
    was asked for.

    Args:
        weight: λ ≥ 0.
        on: whose answers D learns from. On "fake" alone, D and G may agree on a meaning of the labels that
            is not the data's: only the real samples say which digit is a 7.

    Raises:
        ValueError: λ is negative, or neither "real" nor "fake" is there.
    """
    check_least(0, weight=weight)
    if not on or not {*on} <= {"real", "fake"}:
        raise ValueError(f'on must hold "real", "fake" or both, got {on!r}; choose one of them.')

    def loss(answers: Tensor, shown: Shown) -> Tensor:
        _, labels = shown
        return weight * F.cross_entropy(answers, labels)

    return Auxiliary(loss, tuple(on))


def code_information(classes: int = 10, weight: float = 1.0) -> Auxiliary:
    """λ·E[−log Q(c, u | G(z))], the price of codes that cannot be read back: InfoGAN, with `shown=coded`.

    Chen et al. 2016, arXiv:1606.03657, equation 5: minus this, plus the codes' entropy (`code_entropy`), is a
    lower bound on the mutual information of codes and samples. Q is D's answers: K logits of the category,
    then a mean and a log variance for each of the numbers u, which count as normal.

    Args:
        classes: K.
        weight: λ ≥ 0.

    Raises:
        ValueError: λ is negative.
    """
    check_least(0, weight=weight)

    def loss(answers: Tensor, shown: Shown) -> Tensor:
        _, categories, continuous = shown
        return -weight * code_log_likelihood(answers, categories, continuous).mean()

    return Auxiliary(loss, on=("fake",))


def code_log_likelihood(answers: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
    """log Q(c, u | x) = log softmax(answers)_c + Σⱼ log N(uⱼ; μⱼ, σⱼ²), in nats, for each sample (N,).

    Args:
        answers: (N, K + 2·J): K logits, J means, J log variances.
        categories: c, (N,).
        continuous: u, (N, J).
    """
    numbers = continuous.shape[1]
    logits, means, log_variances = answers.split([answers.shape[1] - 2 * numbers, numbers, numbers], dim=1)
    log_variances = log_variances.clamp(min=MIN_LOG_VARIANCE)
    squares = (continuous - means).square() / log_variances.exp()
    normal = -0.5 * (squares + log_variances + math.log(2 * math.pi)).sum(1)
    return normal - F.cross_entropy(logits, categories, reduction="none")


MIN_LOG_VARIANCE = -6.0  # σ ≥ 0.05: a code read back exactly would be worth infinitely many nats


def code_entropy(classes: int = 10, continuous: int = 2) -> float:
    """H(c) + h(u) = log K + J·log 2, in nats: of a uniform category and J numbers uniform on [−1, 1]."""
    return math.log(classes) + continuous * math.log(2)


def coded(generator: CodedGenerator, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """x against (G(z), c, u): samples with the codes that their latents hold. Labels are not looked at."""
    real, *_ = batch
    return (real,), (generator(latents), *generator.codes(latents))


def toy_conditional(
    way: str = "projection", classes: int = 8, *, hidden: tuple[int, ...] = (64, 64), **game
) -> GAN:
    """A conditional GAN for labelled points of the plane, such as `data.labelled_modes(data.ring())`.

    Args:
        way: of `models.WAYS`.
        classes: K.
        hidden: widths of the hidden layers, of both networks.
        **game: other arguments of `GAN`.
    """
    return conditional_gan(way, conditional_mlp(way, classes, hidden), **game)


def conditional_gan(way: str, networks: tuple[torch.nn.Module, torch.nn.Module], **game) -> GAN:
    """The game of these networks: with the auxiliary loss where the way is an auxiliary classifier."""
    auxiliary = {"auxiliary": auxiliary_classifier()} if way == "auxiliary classifier" else {}
    return GAN(*networks, **{"shown": conditional, **auxiliary, **game})
