"""From latents to samples."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.runtime import pick_device


def draw_latents(n: int, latent_dim: int, rng: torch.Generator | None = None) -> Tensor:
    """z ~ N(0, I): n latents of independent standard normal numbers.

    Args:
        n: how many.
        latent_dim: numbers in each.
        rng: where the randomness comes from, on the CPU; None for PyTorch's own generator.

    Returns:
        float32 on the CPU, (n, latent_dim).
    """
    return torch.randn(n, latent_dim, generator=rng)


def sample(
    generator: nn.Module,
    n: int,
    *,
    labels: Tensor | None = None,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch_size: int = 100,
) -> Tensor:
    """G(z), or G(z, y), z ~ N(0, I): n samples of a generator in evaluation mode, the same for the same seed.

    The latents are drawn on the CPU, so that every device shows the same samples.

    Args:
        generator: maps (N, generator.latent_dim) to samples; its mode is left as it was.
        n: how many.
        labels: (n,) the class of each, for a generator of latents and labels; None for one of latents.
        seed: of the latents.
        device: where to compute; None for where the generator is.
        batch_size: how many at a time, which bounds the memory; 500 at a time take twice as long on a CPU.

    Returns:
        float32 samples on the CPU, (n, ...).
    """
    if device is not None:
        generator = generator.to(pick_device(device))
    where = next(generator.parameters()).device
    latents = draw_latents(n, generator.latent_dim, torch.Generator().manual_seed(seed))
    inputs = (latents,) if labels is None else (latents, labels)
    batches = zip(*(part.to(where).split(batch_size) for part in inputs), strict=True)
    training = generator.training
    generator.eval()
    try:
        with torch.no_grad():
            return torch.cat([generator(*batch).float().cpu() for batch in batches])
    finally:
        generator.train(training)


def slerp(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """z(t) = [sin((1 − t)·ω)·start + sin(t·ω)·end] / sin ω, where ω is the angle between start and end.

    Keeps the lengths of latents that a straight line would shorten (White 2016, arXiv:1609.04468).

    Args:
        start, end: two latents (latent_dim,), not on one line through the origin.
        steps: how many latents, both ends included.

    Returns:
        (steps, latent_dim), from start to end.

    Raises:
        ValueError: start and end lie on one line through the origin, so that no arc is the shortest.
    """
    angle = torch.arccos(F.cosine_similarity(start, end, dim=0).clamp(-1, 1))
    if torch.sin(angle) < 1e-3:
        raise ValueError(
            f"start and end must not lie on one line through the origin, got an angle of {angle:.4f}; "
            "choose another end."
        )
    t = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device)[:, None]
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)
