"""The VAE on the training loop: one network, one loss, one step.

max over encoder and decoder of E[ELBO(x)], by stochastic gradients through z = μ(x) + σ(x)·ε
(Kingma and Welling 2014, arXiv:1312.6114; Rezende, Mohamed, Wierstra 2014, arXiv:1401.4082).
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass, fields, replace
from statistics import fmean

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from course_utils.likelihoods import BERNOULLI, Likelihood, gaussian_kl, get_likelihood, reparameterise
from course_utils.models.vae import Autoencoder
from course_utils.training.gan import FULL_PRECISION
from course_utils.training.machine import Batch, Machine
from course_utils.training.validation import check_encoding, check_latent_dim, check_least, check_samples


def negative_elbo_parts(
    encode: Callable[[Tensor], Tensor],
    decode: Callable[[Tensor], Tensor],
    samples: Tensor,
    noise: Tensor,
    likelihood: Likelihood,
) -> tuple[Tensor, Tensor]:
    """Distortion −log p(x|z) at z = μ(x) + σ(x)·ε, and rate KL(q(z|x) ‖ N(0, I)): their sum is −ELBO.

    The names are those of Alemi et al. 2018, arXiv:1711.00464.

    Args:
        encode: samples → (N, 2, latent_dim).
        decode: latents → the parameters of p(x|z).
        samples: x (N, ...).
        noise: ε ~ N(0, I), (N, latent_dim).
        likelihood: of the decoder's output.

    Returns:
        Both (N,), in nats.
    """
    mean, log_variance = encode(samples).float().unbind(1)
    latents = reparameterise(mean, log_variance, noise)
    distortion = -likelihood.log_likelihood(decode(latents).float(), samples)
    return distortion, gaussian_kl(mean, log_variance)


def vae_step(
    encode: Callable[[Tensor], Tensor],
    decode: Callable[[Tensor], Tensor],
    optimizer: Optimizer,
    samples: Tensor,
    noise: Tensor,
    likelihood: Likelihood = BERNOULLI,
    *,
    rate_weight: float = 1.0,
    autocast: AbstractContextManager = FULL_PRECISION,
) -> tuple[Tensor, Tensor]:
    """One step of encoder and decoder down the batch's average of distortion + rate_weight·rate.

    Args:
        encode, decode, samples, noise, likelihood: as in `negative_elbo_parts`.
        optimizer: of the weights of both.
        rate_weight: 1 for −ELBO.
        autocast: the number format of the forward passes.

    Returns:
        Distortion and rate before the step, averaged over the batch.
    """
    with autocast:
        distortion, rate = negative_elbo_parts(encode, decode, samples, noise, likelihood)
    distortion, rate = distortion.mean(), rate.mean()
    optimizer.zero_grad()  # PyTorch adds a new gradient to what an earlier step has left
    (distortion + rate_weight * rate).backward()
    optimizer.step()
    return distortion.detach(), rate.detach()


@dataclass(eq=False)
class VAE:
    """An encoder and a decoder; `train(VAE(encoder, decoder), draw_real)` trains them in place.

    Minimises E[distortion + β·rate]. `run.average` is an `Autoencoder`: called with latents it returns
    samples, its `encode(x)` returns the mean and log variance of q(z|x).

    Args:
        encoder: maps samples to (N, 2, latent_dim), mean and log variance of q(z|x).
        decoder: maps latents (N, decoder.latent_dim) to the parameters of p(x|z).
        likelihood: "bernoulli" (the decoder returns logits), or a Likelihood: `gaussian(variance=0.05)`.
        beta: weight of the rate. 1 is the ELBO; others are not a bound on log p(x) as trained
            (Higgins et al. 2017, β-VAE).
        warm_up: the weight grows in a straight line from 0 to beta over so many images (Bowman et al. 2016,
            arXiv:1511.06349; Sønderby et al. 2016, arXiv:1602.02282); 0 for none.
        lr, betas: Adam's.
    """

    encoder: nn.Module
    decoder: nn.Module
    _: KW_ONLY
    likelihood: str | Likelihood = "bernoulli"
    beta: float = 1.0
    warm_up: int = 0
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)

    averaged = "autoencoder"
    measured = ("negative_elbo", "distortion", "rate")

    def __post_init__(self):
        check_least(0, beta=self.beta, warm_up=self.warm_up, lr=self.lr)
        self.density = get_likelihood(self.likelihood)
        self.autoencoder = Autoencoder(self.encoder, self.decoder, self.density.mean)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"autoencoder": self.autoencoder}

    @property
    def settings(self) -> dict[str, object]:
        """All that decides about the training beside the networks' weights."""
        return {field.name: getattr(self, field.name) for field in fields(self)[2:]}

    @property
    def latent_dim(self) -> int:
        return check_latent_dim(self.decoder, name="decoder")

    def copy(self) -> "VAE":
        """The same model with copies of its networks."""
        return replace(self, encoder=copy.deepcopy(self.encoder), decoder=copy.deepcopy(self.decoder))

    def prepare(self, machine: Machine) -> None:
        """The optimiser, and the networks as the step calls them."""
        self.encode, self.decode = machine.wrap(self.encoder), machine.wrap(self.decoder)
        fused = machine.device.type in ("cpu", "cuda")  # Adam for all weights in one call
        adam = torch.optim.Adam(self.autoencoder.parameters(), self.lr, self.betas, fused=fused)
        self.optimizers = {"autoencoder": adam}

    @torch.no_grad()
    def check(self, batch: Batch, device: torch.device) -> None:
        """One pass of an example through both networks, in evaluation mode; raises where they do not fit."""
        modes = {network: network.training for network in (self.encoder, self.decoder)}
        for network in modes:
            network.eval()
        check_encoding(self.encoder(batch[0]), len(batch[0]), self.latent_dim)
        rng = torch.Generator(device).manual_seed(0)
        latents = torch.randn(len(batch[0]), self.latent_dim, generator=rng, device=device)
        check_samples(self.decoder(latents), batch, name="decoder")
        for network, mode in modes.items():
            network.train(mode)

    def training_step(self, draw: Callable[[], Batch], machine: Machine) -> dict[str, Tensor]:
        """One step down E[distortion + β·rate]. `draw()` gives a batch of the data."""
        weight = self.rate_weight(machine.batches_drawn * machine.batch_size)
        samples, *_ = draw()
        distortion, rate = vae_step(
            self.encode,
            self.decode,
            self.optimizers["autoencoder"],
            samples,
            machine.latents(self.latent_dim),
            self.density,
            rate_weight=weight,
            autocast=machine.autocast(),
        )
        return {"negative_elbo": distortion + rate, "distortion": distortion, "rate": rate}

    def rate_weight(self, images_seen: int) -> float:
        """β, or the part of it that the warm-up has reached after so many images."""
        return self.beta * min(1.0, images_seen / self.warm_up) if self.warm_up else self.beta

    def sample(self, network: nn.Module, latents: Tensor, batch: Batch) -> Tensor:
        """E[x|z] of these latents."""
        return network(latents)

    def summary(self, history: dict[str, list[float]], steps: int = 100) -> str:
        """−ELBO over the last steps, and the rate in it."""
        if not history["images"]:
            return ""
        total, rate = (fmean(history[name][-steps:]) for name in ("negative_elbo", "rate"))
        return f"−ELBO {total:.1f} nats, {rate:.1f} of them rate"
