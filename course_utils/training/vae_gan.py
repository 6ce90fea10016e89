"""A VAE whose reconstructions are measured by a discriminator, and the GAN that this makes of it."""

from functools import partial

import torch
from torch import Tensor, nn

from course_utils.likelihoods import (
    Likelihood,
    gaussian_kl,
    gaussian_log_likelihood,
    reparameterise,
    unchanged,
)
from course_utils.models import Autoencoder
from course_utils.training.feature_matching import last_features
from course_utils.training.gan import GAN, Shown
from course_utils.training.machine import Batch


def feature_likelihood(discriminator: nn.Module, variance: float = 1.0) -> Likelihood:
    """log N(f(x); f(x̃), σ²·I), f what the discriminator's last linear layer sees; for `VAE(likelihood=…)`.

    The decoder's output is x̃ itself. D stays as it is (use a trained one): a fixed measure of how near two
    images are. It is a density of features, not of pixels, and no bound on log p(x).

    Args:
        discriminator: it is put into evaluation mode and gets no gradients.
        variance: σ² > 0, in the squared unit of the features.
    """
    discriminator.eval().requires_grad_(False)
    return Likelihood(
        partial(_feature_log_likelihood, discriminator=discriminator, variance=variance), unchanged
    )


def _feature_log_likelihood(
    output: Tensor, samples: Tensor, discriminator: nn.Module, variance: float
) -> Tensor:
    features = (last_features(discriminator, (images,)).float() for images in (output, samples))
    return gaussian_log_likelihood(*features, variance)


def priors_and_reconstructions(players: Autoencoder, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """x against one half G(z) with z of the prior and one half G(z) with z of q(z|x).

    Larsen et al. show D both. The codes are detached: the discriminator's opinion moves G, not E.
    """
    real, *_ = batch
    half = (len(real) + 1) // 2  # of a single sample: a reconstruction
    mean, log_variance = players.encode(real[:half])
    codes = reparameterise(mean, log_variance, latents[:half]).detach()
    return (real,), (players(torch.cat([codes, latents[half:]])),)


def feature_elbo(
    discriminator: nn.Module,
    real: Shown,
    fake: Shown,
    *,
    players: Autoencoder,
    reconstruction: float,
    rate: float,
) -> Tensor:
    """λ·½‖f(x) − f(x̃)‖² + β·KL(q(z|x) ‖ p(z)), averaged over the batch, x̃ = G(μ + σ·ε): a term of G's loss.

    f is what the discriminator's last linear layer sees; D itself gets no gradient of it.
    """
    samples, *_ = real
    mean, log_variance = players.encode(samples)
    decoded = players(reparameterise(mean, log_variance, torch.randn_like(mean)))
    difference = last_features(discriminator, (samples,)) - last_features(discriminator, (decoded,))
    distortion = 0.5 * difference.square().flatten(1).sum(1)
    return (reconstruction * distortion + rate * gaussian_kl(mean, log_variance)).mean()


def vae_gan(
    encoder: nn.Module,
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    reconstruction: float = 1.0,
    rate: float = 1.0,
    **game,
) -> GAN:
    """A VAE-GAN: encoder and generator minimise a GAN's loss and a VAE's, with D's features for pixels.

    Larsen, Sønderby, Larochelle and Winther 2016, arXiv:1512.09300. `run.average` is an `Autoencoder`:
    run.average(z), and run.average.encode(x) with mean and log variance.

    Args:
        encoder: samples → (N, 2, latent_dim).
        generator: latents → samples.
        discriminator: samples → logits (N,); the input of its last linear layer are the features.
        reconstruction, rate: the weights λ and β of `feature_elbo`.
        **game: other arguments of `GAN`.
    """
    players = Autoencoder(encoder, generator, unchanged)
    term = partial(feature_elbo, players=players, reconstruction=reconstruction, rate=rate)
    return GAN(players, discriminator, shown=priors_and_reconstructions, generator_term=term, **game)
