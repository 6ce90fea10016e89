"""Holes filled without a network, and how far a generator's completions of one hole are apart."""

import torch
from torch import Tensor, nn

from course_utils.data import uncut


@torch.no_grad()
def nearest_completion(source: Tensor, training: Tensor) -> tuple[Tensor, Tensor]:
    """The hole, filled from the training image that is nearest in the known pixels.

    argminⱼ Σ over known pixels of (x − tⱼ)², multiplied out, so that all distances are two products of
    matrices.

    Args:
        source: of `data.cut`, (N, C + 1, H, W).
        training: (M, C, H, W) in [-1, 1].

    Returns:
        Images (N, C, H, W), the known pixels as they are; and which training image filled each, (N,).
    """
    images, holes = uncut(source)
    known = (~holes).expand_as(images).flatten(1).to(images.dtype)
    flat, candidates = images.flatten(1), training.flatten(1)
    # Σ known·x² is the same for all candidates; 10,000 of them at a time fit into any memory.
    distances = torch.cat(
        [known @ some.square().T - 2 * (known * flat) @ some.T for some in candidates.split(10_000)], dim=1
    )
    places = distances.argmin(1)
    return torch.where(holes, training[places], images), places


@torch.no_grad()
def completion_spread(generator: nn.Module, source: Tensor, draws: int = 8, seed: int = 0) -> float:
    """Standard deviation over latents of G(source, z), root mean square over pixels and images.

    0 for a generator that ignores its latent. With holes only their pixels are counted: a source with one
    channel more than the image is taken for one of `data.cut`.

    Args:
        generator: in evaluation mode, latent_dim ≥ 1.
        source: (N, ...).
        draws: latents for each source.
        seed: of the latents.
    """
    rng = torch.Generator().manual_seed(seed)
    latents = torch.randn(draws, len(source), generator.latent_dim, generator=rng)
    variance = torch.stack([generator(source, some) for some in latents]).var(0)
    if source.shape[1] == variance.shape[1] + 1:
        _, holes = uncut(source)
        return variance[holes.expand_as(variance)].mean().sqrt().item()
    return variance.mean().sqrt().item()
