"""Mixtures of Gaussians as generators: no network, an exact likelihood. Fitted by `training.mixture`."""

import math

import torch
from torch import Tensor, nn


class GaussianMixture(nn.Module):
    """p(x) = Σₖ wₖ·N(x; μₖ, LₖLₖᵀ), and a generator of it.

    The latent has d + 1 numbers: Φ of the first, which is uniform, chooses the component; the others are
    whitened coordinates, x = μₖ + Lₖ·z.

    Args:
        weights: w ≥ 0 (K,), adding up to 1.
        means: μ (K, d).
        scales: L (K, d, d), lower triangular with a positive diagonal.

    Raises:
        ValueError: shapes that do not agree, or weights that are no probabilities.
    """

    def __init__(self, weights: Tensor, means: Tensor, scales: Tensor):
        super().__init__()
        components, dim = means.shape
        if weights.shape != (components,) or scales.shape != (components, dim, dim):
            raise ValueError(
                f"means {tuple(means.shape)} need weights {(components,)} and scales "
                f"{(components, dim, dim)}, got {tuple(weights.shape)}, {tuple(scales.shape)}; change them."
            )
        if not ((weights >= 0).all() and abs(weights.sum().item() - 1) < 1e-4):
            raise ValueError(f"weights must be probabilities, got a sum of {weights.sum().item():.4g}.")
        # Parameters without gradients: `sample` looks at a generator's parameters for its device.
        self.weights, self.means, self.scales = (
            nn.Parameter(part, requires_grad=False) for part in (weights, means, scales)
        )
        self.latent_dim = dim + 1

    def forward(self, latents: Tensor) -> Tensor:
        """(N, d + 1) → x (N, d)."""
        edges = self.weights.double().cumsum(0)[:-1]
        chosen = torch.bucketize(torch.special.ndtr(latents[:, 0].double()), edges)
        return self.means[chosen] + (self.scales[chosen] @ latents[:, 1:, None]).squeeze(2)

    @property
    def free_numbers(self) -> int:
        """How many numbers were fitted: K − 1 weights, K means, K symmetric matrices."""
        components, dim = self.means.shape
        return components - 1 + components * dim + components * dim * (dim + 1) // 2

    def joint(self, points: Tensor) -> Tensor:
        """log wₖ + log N(x; μₖ, LₖLₖᵀ), x (N, d) → (N, K)."""
        columns = []
        for weight, mean, scale in zip(self.weights, self.means, self.scales, strict=True):
            whitened = torch.linalg.solve_triangular(scale, (points - mean).T, upper=False)
            log_volume = scale.diagonal().log().sum()
            constant = 0.5 * len(mean) * math.log(2 * math.pi)
            columns.append(weight.log() - 0.5 * whitened.square().sum(0) - log_volume - constant)
        return torch.stack(columns, dim=1)

    def log_prob(self, points: Tensor) -> Tensor:
        """log p(x), exactly: (N, d) → (N,) nats."""
        return self.joint(points).logsumexp(1)

    def responsibilities(self, points: Tensor) -> Tensor:
        """p(k | x), (N, d) → (N, K)."""
        return self.joint(points).softmax(1)

    def encode(self, points: Tensor) -> Tensor:
        """A latent of each point: that of its most probable component. (N, d) → (N, d + 1).

        The first number is the middle of the interval that chooses the component.
        """
        chosen = self.joint(points).argmax(1)
        upper = self.weights.double().cumsum(0)
        middle = (upper - self.weights / 2)[chosen].clamp(1e-9, 1 - 1e-9)
        offset = (points - self.means[chosen])[..., None]
        whitened = torch.linalg.solve_triangular(self.scales[chosen], offset, upper=False).squeeze(2)
        return torch.cat([torch.special.ndtri(middle).to(points)[:, None], whitened], dim=1)
