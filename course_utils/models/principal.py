"""Principal components: images as few numbers, and a model of these numbers as a model of images."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


class PrincipalSpace(NamedTuple):
    """x = m + B·y + rest, and what of the variance is in the rest (Pearson 1901)."""

    centre: Tensor  # m (D,)
    basis: Tensor  # B (D, d), orthonormal columns, that of the largest variance first
    rest: float  # mean variance in each of the D − d directions left out

    def coordinates(self, points: Tensor) -> Tensor:
        """y = Bᵀ(x − m), (N, ...) of D numbers → (N, d)."""
        return (points.flatten(1) - self.centre) @ self.basis


def principal_space(points: Tensor, dims: int) -> PrincipalSpace:
    """The `dims` orthogonal directions in which these points vary most.

    Args:
        points: (N, ...), of D numbers each.
        dims: d < D.

    Raises:
        ValueError: dims is not between 1 and D − 1.
    """
    points = points.flatten(1)
    if not 0 < dims < points.shape[1]:
        raise ValueError(f"dims must be from 1 to {points.shape[1] - 1}, got {dims}; choose another number.")
    centre = points.mean(0)
    offsets = points - centre
    variances, directions = torch.linalg.eigh((offsets.T @ offsets / len(points)).double())  # ascending
    return PrincipalSpace(centre, directions[:, -dims:].flip(1).to(points), variances[:-dims].mean().item())


class PrincipalImages(nn.Module):
    """A generator of coordinates made one of images: G(z) = m + B·inner(z), clamped to [-1, 1].

    Args:
        inner: a generator of vectors (N, d), with `encode` and `log_prob`: a `GaussianMixture` or a `Flow`.
        space: of the images.
        image_shape: (C, H, W).
    """

    def __init__(self, inner: nn.Module, space: PrincipalSpace, image_shape: Sequence[int]):
        super().__init__()
        self.inner, self.rest, self.image_shape = inner, space.rest, tuple(image_shape)
        # Parameters without gradients: `sample` looks at a generator's parameters for its device.
        self.centre, self.basis = (nn.Parameter(part, requires_grad=False) for part in space[:2])
        self.latent_dim = inner.latent_dim

    @property
    def space(self) -> PrincipalSpace:
        return PrincipalSpace(self.centre, self.basis, self.rest)

    def forward(self, latents: Tensor) -> Tensor:
        """(N, latent_dim) → images. Without the rest, which would be noise in every pixel."""
        images = self.centre + self.inner(latents) @ self.basis.T
        return images.unflatten(1, self.image_shape).clamp(-1, 1)

    def encode(self, images: Tensor) -> Tensor:
        """(N, C, H, W) → latents, which forward takes to the images' projections onto the space."""
        return self.inner.encode(self.space.coordinates(images))

    def log_prob(self, images: Tensor) -> Tensor:
        """log p(x) = log p(y) + log N(rest; 0, s²·I): (N, C, H, W) → (N,) nats, with the rest as noise.

        s² is the rest's mean variance; in this the two together are probabilistic PCA (Tipping and Bishop
        1999), with another density for the coordinates.
        """
        coordinates = self.space.coordinates(images)
        others = self.basis.shape[0] - self.basis.shape[1]
        left = (images.flatten(1) - self.centre).square().sum(1) - coordinates.square().sum(1)
        constant = others * math.log(2 * math.pi * self.rest)
        return self.inner.log_prob(coordinates) - 0.5 * (left / self.rest + constant)
