"""The ELBO's parts, one definition each: log likelihoods of a decoder's output, KL divergences of Gaussians.

    log p(x) ≥ ELBO(x) = E_q(z|x)[log p(x|z)] − KL(q(z|x) ‖ p(z))  (Kingma and Welling 2014, arXiv:1312.6114)

All in nats, *summed* over the dimensions of a sample, so that they are logarithms of a density or probability
of all of it. The average over a batch is the caller's: one number a sample comes back, shape (N,).
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus


class Likelihood(NamedTuple):
    """What a decoder's output says about samples. The output has the samples' shape (N, ...)."""

    log_likelihood: Callable[[Tensor, Tensor], Tensor]  # (output, samples) -> log p(x|z), (N,)
    mean: Callable[[Tensor], Tensor]  # output -> E[x|z] (N, ...): what is shown as a sample


# --- log p(x|z) --------------------------------------------------------------------------------------------


def bernoulli_log_likelihood(logits: Tensor, samples: Tensor) -> Tensor:
    """Σ [b·log σ(t) + (1 − b)·log(1 − σ(t))] = Σ [b·t − softplus(t)], with b = (x + 1)/2 and logits t.

    The pixels of the course lie in [−1, 1]: −1 is b = 0, 1 is b = 1. Only for these two is it the logarithm
    of a probability. For grey pixels in between it is a cross-entropy, which is no likelihood of anything.

    Args:
        logits: the decoder's output (N, ...).
        samples: (N, ...), in [−1, 1].

    Returns:
        (N,), ≤ 0.
    """
    _check_shapes(logits, samples)
    bits = (samples + 1) / 2
    return (bits * logits - softplus(logits)).flatten(1).sum(1)


def gaussian_log_likelihood(mean: Tensor, samples: Tensor, variance: float) -> Tensor:
    """log N(x; μ, σ²·I) = −½ Σ [(x − μ)²/σ² + log(2πσ²)].

    A density: it depends on the scale of x. The same images in [0, 1] instead of [−1, 1] have half the
    distances, and log 2 more nats for each of their dimensions at a quarter of the variance.

    Args:
        mean: the decoder's output (N, ...).
        samples: (N, ...).
        variance: σ² > 0, in the squared unit of the samples.

    Returns:
        (N,); it may be positive.

    Raises:
        ValueError: the variance is not positive, or shapes differ.
    """
    _check_shapes(mean, samples)
    _check_variance(variance)
    squares = (samples - mean).square() / variance + math.log(2 * math.pi * variance)
    return -0.5 * squares.flatten(1).sum(1)


def bernoulli_mean(logits: Tensor) -> Tensor:
    """E[x|z] = 2·σ(t) − 1 = tanh(t/2), in [−1, 1]."""
    return torch.tanh(logits / 2)


def unchanged(mean: Tensor) -> Tensor:
    """E[x|z] of a Gaussian is the decoder's output itself."""
    return mean


BERNOULLI = Likelihood(bernoulli_log_likelihood, bernoulli_mean)


def gaussian(variance: float) -> Likelihood:
    """p(x|z) = N(x; decoder(z), σ²·I): a squared error *with* its variance, for `VAE(…, likelihood=…)`.

    Args:
        variance: σ² > 0, in the squared unit of the samples: of pixels in [−1, 1], so 4 times as large as for
            the same images in [0, 1].

    Raises:
        ValueError: the variance is not positive.
    """
    _check_variance(variance)
    return Likelihood(partial(gaussian_log_likelihood, variance=variance), unchanged)


def variance_of_mse(pixels: int, kl_weight: float) -> float:
    """σ² = D·w/2: the variance that `mse_loss(output, samples) + w·KL` stands for without stating it.

    D/(2σ²) of the mean of squares is −log N(x; μ, σ²·I) up to a constant, and the KL then has the weight 1.

    Args:
        pixels: D, the numbers in a sample, over which mse_loss averages.
        kl_weight: w > 0, of the KL summed over the latent dimensions.

    Returns:
        σ², in the squared unit of the samples.
    """
    return pixels * kl_weight / 2


def get_likelihood(likelihood: str | Likelihood) -> Likelihood:
    """The likelihood named "bernoulli"; a Likelihood such as `gaussian(variance=0.05)` is returned as it is.

    Raises:
        ValueError: another name. "gaussian" is one: without a variance it says nothing.
    """
    if isinstance(likelihood, Likelihood):
        return likelihood
    if likelihood == "bernoulli":
        return BERNOULLI
    raise ValueError(
        f'likelihood must be "bernoulli" or a Likelihood, got {likelihood!r}; a Gaussian needs its variance: '
        "pass course_utils.likelihoods.gaussian(variance=…)."
    )


# --- q(z|x) and p(z) ---------------------------------------------------------------------------------------


def gaussian_kl(
    mean: Tensor,
    log_variance: Tensor,
    to_mean: Tensor | float = 0.0,
    to_log_variance: Tensor | float = 0.0,
) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(m, diag s²)) = ½ Σ [(σ² + (μ − m)²)/s² − 1 − log σ² + log s²].

    To the standard normal, the default, it is ½ Σ [σ² + μ² − 1 − log σ²] (Kingma and Welling 2014,
    arXiv:1312.6114, appendix B).

    Args:
        mean, log_variance: μ and log σ² (N, D).
        to_mean, to_log_variance: m and log s² (N, D), or what broadcasts to that.

    Returns:
        (N,), ≥ 0; 0 where the two are the same.
    """
    _check_shapes(mean, log_variance)
    log_ratio = log_variance - to_log_variance
    scale = torch.exp(-torch.as_tensor(to_log_variance, dtype=mean.dtype, device=mean.device))
    return 0.5 * (log_ratio.exp() + (mean - to_mean).square() * scale - 1 - log_ratio).sum(-1)


def gaussian_log_density(
    points: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0
) -> Tensor:
    """log N(z; μ, diag σ²) = −½ Σ [(z − μ)²/σ² + log σ² + log 2π]; of the standard normal by default.

    Args:
        points: z (..., D).
        mean, log_variance: μ and log σ², what broadcasts to (..., D).

    Returns:
        (...,).
    """
    log_variance = torch.as_tensor(log_variance, dtype=points.dtype, device=points.device)
    squares = (points - mean).square() * torch.exp(-log_variance) + log_variance + math.log(2 * math.pi)
    return -0.5 * squares.sum(-1)


def reparameterise(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """z = μ + σ·ε: with ε ~ N(0, I) a sample of N(μ, diag σ²), through which gradients reach μ and σ.

    Args:
        mean, log_variance: μ and log σ² (N, D).
        noise: ε (..., N, D).

    Returns:
        z, of the noise's shape.
    """
    return mean + torch.exp(0.5 * log_variance) * noise


def aggregate_posterior(mean: Tensor, log_variance: Tensor, n: int, rng: torch.Generator) -> Tensor:
    """n draws of q(z) = (1/N) Σᵢ N(μᵢ, diag σᵢ²): an image by chance, then a latent of its q(z|x).

    (Makhzani et al. 2016, arXiv:1511.05644: "aggregated posterior".) On average over the data the rate of the
    ELBO is E KL(q(z|x) ‖ q(z)) + KL(q(z) ‖ p(z)) (Hoffman and Johnson 2016).

    Args:
        mean, log_variance: μ and log σ² of N images, (N, D), on the CPU.
        n: how many.
        rng: on the CPU.

    Returns:
        z (n, D).
    """
    _check_shapes(mean, log_variance)
    chosen = torch.randint(len(mean), (n,), generator=rng)
    noise = torch.randn(n, mean.shape[1], generator=rng)
    return reparameterise(mean[chosen], log_variance[chosen], noise)


def _check_shapes(output: Tensor, samples: Tensor) -> None:
    if output.shape != samples.shape or output.ndim < 2:
        raise ValueError(
            f"both must have one shape (N, ...), got {tuple(output.shape)} and {tuple(samples.shape)}; "
            "change one of them: broadcasting would sum too often."
        )


def _check_variance(variance: float) -> None:
    if not 0 < variance < math.inf:
        raise ValueError(f"variance must be a positive number, got {variance}; choose a larger one.")
