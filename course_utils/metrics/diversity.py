"""How different are samples from each other? A collapsed generator's are alike."""

import torch
from torch import Tensor

from course_utils.metrics.classes import ClassCoverage
from course_utils.metrics.classifiers import Classifier, in_batches


def sample_diversity(samples: Tensor) -> float:
    """Mean of ‖xᵢ − xⱼ‖ over all pairs i ≠ j: 0 if all samples are the same.

    It has the data's own value as its scale: compare with as many real samples. For x ~ N(0, σ²·I) in d
    dimensions it is 2σ·Γ((d + 1)/2) / Γ(d/2) on average.

    Args:
        samples: points (N, d) or images (N, C, H, W), N ≥ 2.

    Raises:
        ValueError: fewer than two samples.
    """
    if len(samples) < 2:
        raise ValueError(f"needs at least two samples to compare, got {len(samples)}; draw more.")
    return torch.pdist(samples.detach().flatten(1).double().cpu()).mean().item()


def kl_to_uniform(counts: Tensor) -> float:
    """KL(f ‖ uniform) = Σₖ f(k)·log(K·f(k)) in nats, f the fractions of samples in K classes or modes.

    0 if all are equally frequent, log K if all samples are in one. N samples that are truly uniform have
    about (K − 1)/(2N), not 0, by chance.

    Args:
        counts: samples in each class, (K,), ≥ 0, not all 0.

    Raises:
        ValueError: there is no sample, or a negative count.
    """
    if counts.ndim != 1 or not (counts >= 0).all() or not counts.sum() > 0:
        raise ValueError(f"counts must be (K,), none negative and not all 0, got {counts}; count samples.")
    fractions = counts.double() / counts.sum()
    return torch.special.xlogy(fractions, fractions * len(counts)).sum().item()  # xlogy: 0·log 0 = 0


def stacked_coverage(images: Tensor, classifier: Classifier) -> ClassCoverage:
    """How many of stacked MNIST's 1,000 modes the images cover, as a classifier of digits reads them.

    Each channel is read as a digit, the three digits as a number from 0 to 999  (Metz et al. 2017,
    arXiv:1611.02163, section 3.3.1). One image covers a mode.

    Args:
        images: (N, 3, 28, 28) in [-1, 1], a digit in each channel.
        classifier: of single digits, `load_classifier("mnist")`.
    """
    digits = in_batches(classifier, images.flatten(0, 1)[:, None]).argmax(1).reshape(len(images), 3)
    hundreds, tens, ones = digits.T
    counts = torch.bincount(100 * hundreds + 10 * tens + ones, minlength=1000)
    fractions = counts.double() / len(images)
    entropy = -torch.special.xlogy(fractions, fractions).sum().item()
    return ClassCoverage(int((counts > 0).sum()), entropy, counts)
