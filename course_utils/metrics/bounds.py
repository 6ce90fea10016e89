"""Bounds on the log likelihood of test samples, and how much of the latent is in use."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from course_utils.likelihoods import (
    BERNOULLI,
    Likelihood,
    gaussian_kl,
    gaussian_log_density,
    get_likelihood,
    reparameterise,
)
from course_utils.models import Autoencoder


class Bound(NamedTuple):
    """A bound on E[log p(x)] over test samples, in nats a sample."""

    nats: float
    standard_error: float  # of the mean over samples


class ELBO(NamedTuple):
    """−ELBO = distortion + rate, each in nats, averaged over test samples."""

    negative: float
    distortion: float  # −E_q[log p(x|z)]
    rate: float  # KL(q(z|x) ‖ p(z)), in closed form
    standard_error: float  # of the negative ELBO's mean over samples


@torch.no_grad()
def elbo(
    autoencoder: Autoencoder,
    samples: Tensor,
    likelihood: str | Likelihood = BERNOULLI,
    *,
    draws: int = 1,
    seed: int = 0,
    batch_size: int = 500,
) -> ELBO:
    """−ELBO of these samples, by so many draws of z each, and its two parts.

    Args:
        autoencoder: in evaluation mode, such as `run.average`.
        samples: (N, ...).
        likelihood: of the decoder's output, the one that it was trained with.
        draws: of z, for the distortion.
        seed: of the draws.
        batch_size: samples encoded at a time.

    Returns:
        The averages over the samples.
    """
    density = get_likelihood(likelihood)
    rng = torch.Generator().manual_seed(seed)
    distortions, rates = [], []
    for part in samples.split(batch_size):
        mean, log_variance = autoencoder.encode(part)
        log_likelihoods = [
            density.log_likelihood(autoencoder.decoder(latents).float(), part)
            for latents in reparameterise(mean, log_variance, _noise(draws, mean, rng))
        ]
        distortions.append(-torch.stack(log_likelihoods).mean(0))
        rates.append(gaussian_kl(mean, log_variance))
    distortion, rate = torch.cat(distortions), torch.cat(rates)
    negative = distortion + rate
    return ELBO(
        negative.mean().item(),
        distortion.mean().item(),
        rate.mean().item(),
        (negative.std() / len(negative) ** 0.5).item(),
    )


@torch.no_grad()
def log_importance_weights(
    autoencoder: Autoencoder,
    samples: Tensor,
    likelihood: str | Likelihood = BERNOULLI,
    *,
    draws: int = 500,
    seed: int = 0,
    batch_size: int = 500,
) -> Tensor:
    """log w = log p(x|z) + log p(z) − log q(z|x) at draws z of q(z|x): E_q[w] = p(x).

    Args:
        autoencoder, samples, likelihood, seed: as in `elbo`.
        draws: of z, for each sample.
        batch_size: latents decoded at a time.

    Returns:
        (draws, N).
    """
    density = get_likelihood(likelihood)
    rng = torch.Generator().manual_seed(seed)
    columns = []
    for part in samples.split(max(1, batch_size // draws)):
        mean, log_variance = autoencoder.encode(part)
        latents = reparameterise(mean, log_variance, _noise(draws, mean, rng))  # (draws, n, D)
        repeated = part.expand(draws, *part.shape).flatten(0, 1)
        log_likelihood = density.log_likelihood(autoencoder.decoder(latents.flatten(0, 1)).float(), repeated)
        log_ratio = gaussian_log_density(latents) - gaussian_log_density(latents, mean, log_variance)
        columns.append(log_likelihood.unflatten(0, (draws, -1)) + log_ratio)
    return torch.cat(columns, dim=1)


def iwae_bound(log_weights: Tensor, k: int) -> Bound:
    """E[log 1/k·Σ wᵢ]: the bound of k importance samples  (Burda et al. 2016, arXiv:1509.00519).

    k = 1 is the ELBO; the bound rises with k, to log p(x). The draws are used in groups of k, so that the
    bounds of one set of weights rise exactly where one k divides the next (Jensen, group by group).

    Args:
        log_weights: log w (draws, N), as `log_importance_weights` has them.
        k: divides the number of draws.

    Raises:
        ValueError: k does not divide the number of draws.
    """
    draws = len(log_weights)
    if k < 1 or draws % k:
        raise ValueError(f"k must divide the {draws} draws, got {k}; choose another k, or more draws.")
    groups = log_weights.double().unflatten(0, (draws // k, k))
    bounds = (groups.logsumexp(1) - math.log(k)).mean(0)  # (N,)
    return Bound(bounds.mean().item(), (bounds.std() / len(bounds) ** 0.5).item())


def unit_activity(means: Tensor) -> Tensor:
    """Var_x(μⱼ(x)): how far the posterior's mean in each latent dimension moves with the sample.

    Burda et al. 2016, arXiv:1509.00519, section 5.2. A unit of posterior collapse has about 0: its q(z|x) is
    the prior, whatever x.

    Args:
        means: the encoder's means (N, D).

    Returns:
        (D,).
    """
    return means.var(0)


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """How many latent dimensions have an activity above the threshold; 0.01 is that of the paper."""
    return int((unit_activity(means) > threshold).sum())


def _noise(draws: int, mean: Tensor, rng: torch.Generator) -> Tensor:
    """ε (draws, N, D), drawn on the CPU, so that every device sees the same."""
    return torch.randn(draws, *mean.shape, generator=rng).to(mean.device)
