"""A latent-variable model whose evidence and posterior are known: z ~ N(0, I), x = W·z + b + σ·ε.

Probabilistic PCA (Tipping and Bishop 1999, J. R. Stat. Soc. B 61). Here every bound on log p(x) can be held
against log p(x) itself.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from course_utils.likelihoods import gaussian_kl


class LinearGaussian(NamedTuple):
    """p(z) = N(0, I), p(x|z) = N(W·z + b, σ²·I)."""

    weight: Tensor  # W (D, K)
    bias: Tensor  # b (D,)
    variance: float  # σ² > 0

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """x (n, D)."""
        latents = torch.randn(n, self.weight.shape[1], generator=rng, dtype=self.weight.dtype)
        noise = torch.randn(n, self.weight.shape[0], generator=rng, dtype=self.weight.dtype)
        return latents @ self.weight.T + self.bias + self.variance**0.5 * noise

    def log_evidence(self, samples: Tensor) -> Tensor:
        """log p(x) = log N(x; b, W·Wᵀ + σ²·I), (N,)."""
        identity = torch.eye(len(self.bias), dtype=self.weight.dtype)
        covariance = self.weight @ self.weight.T + self.variance * identity
        return MultivariateNormal(self.bias, covariance).log_prob(samples)

    def posterior(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """p(z|x) = N(S·Wᵀ(x − b)/σ², S) with S = (I + WᵀW/σ²)⁻¹: means (N, K) and the covariance (K, K)."""
        identity = torch.eye(self.weight.shape[1], dtype=self.weight.dtype)
        covariance = torch.linalg.inv(identity + self.weight.T @ self.weight / self.variance)
        return (samples - self.bias) @ self.weight @ covariance / self.variance, covariance

    def best_diagonal(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance (N, K) of the diagonal Gaussian q(z|x) with the highest ELBO.

        The posterior's own mean, and as variances one over the diagonal of the posterior's *precision*.
        """
        mean, covariance = self.posterior(samples)
        log_variance = -torch.linalg.inv(covariance).diagonal().log()
        return mean, log_variance.expand_as(mean)

    def elbo(self, samples: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
        """E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)) in closed form, for q(z|x) = N(μ, diag s²).

        E_q‖x − W·z − b‖² = ‖x − W·μ − b‖² + Σⱼ sⱼ²·‖wⱼ‖², with the columns wⱼ of W.

        Args:
            samples: x (N, D).
            mean, log_variance: μ and log s² (N, K).

        Returns:
            (N,), at most `log_evidence`.
        """
        error = (samples - mean @ self.weight.T - self.bias).square().sum(1)
        spread = log_variance.exp() @ self.weight.square().sum(0)
        constant = len(self.bias) * math.log(2 * math.pi * self.variance)
        log_likelihood = -0.5 * ((error + spread) / self.variance + constant)
        return log_likelihood - gaussian_kl(mean, log_variance)
