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
    latents = draw_latents(n, generator.latent_dim, torch.Generator().manual_seed(seed))
    return generate(generator, latents, labels, batch_size)


@torch.no_grad()
def generate(
    generator: nn.Module, latents: Tensor, labels: Tensor | None = None, batch_size: int = 100
) -> Tensor:
    """G(z), or G(z, y), of these latents, batch by batch, in evaluation mode.

    Args:
        generator: its mode is left as it was; it computes where it is.
        latents: (N, generator.latent_dim).
        labels: (N,) the class of each, or None.
        batch_size: how many at a time.

    Returns:
        float32 samples on the CPU, (N, ...).
    """
    where = next(generator.parameters()).device
    inputs = (latents,) if labels is None else (latents, labels)
    batches = zip(*(part.to(where).split(batch_size) for part in inputs), strict=True)
    training = generator.training
    generator.eval()
    try:
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


def truncated_latents(
    n: int, latent_dim: int, threshold: float, rng: torch.Generator | None = None
) -> Tensor:
    """z ~ N(0, I), every number beyond ±threshold drawn again until it is not: the truncation trick.

    Brock, Donahue and Simonyan 2019, arXiv:1809.11096, section 3.1: a generator does best what it was shown
    most often, so samples become better and more alike.

    Args:
        n: how many.
        latent_dim: numbers in each.
        threshold: > 0; infinity changes nothing.
        rng: where the randomness comes from, on the CPU; None for PyTorch's own generator.

    Returns:
        float32 on the CPU, (n, latent_dim), in [−threshold, threshold].

    Raises:
        ValueError: the threshold is not positive.
    """
    if not threshold > 0:
        raise ValueError(f"threshold must be positive, got {threshold}; 1 keeps two thirds of the numbers.")
    # The inverse of the cumulative distribution given |z| ≤ t: drawing again and again would give the same.
    least = torch.special.ndtr(torch.tensor(-threshold, dtype=torch.float64))
    uniform = torch.rand(n, latent_dim, generator=rng, dtype=torch.float64)
    drawn = torch.special.ndtri(least + (1 - 2 * least) * uniform)
    return drawn.clamp(-threshold, threshold).float()


@torch.no_grad()
def rejection_sample(
    generator: nn.Module,
    discriminator: nn.Module,
    n: int,
    *,
    labels: Tensor | None = None,
    percentile: float = 100.0,
    sharpness: float = 1.0,
    pilot: int = 1_000,
    seed: int = 0,
    batch_size: int = 100,
) -> tuple[Tensor, float]:
    """n samples, each accepted with probability min(1, exp(s·(t(x) − t_M))), t the discriminator's logit.

    The simple form of discriminator rejection sampling (Azadi et al. 2019, arXiv:1810.06758): a perfect D of
    the non-saturating game has exp(t) = p_data / p_g, and where t_M is its largest value, what is accepted
    is, with s = 1, distributed as the data. With a lower t_M more is accepted, and good samples no longer
    weigh by how good they are. With a larger s the choice is harder: a spectrally normalised D speaks too
    softly for s = 1 to choose much.

    Args:
        generator, discriminator: of one training; put into evaluation mode.
        n: how many to return.
        labels: (n,) the class of each, for networks that take labels; None for ones that do not.
        percentile: t_M is this percentile of the logits of `pilot` samples; 100 for the largest.
        sharpness: s ≥ 0; 0 accepts everything.
        pilot: how many samples are looked at to find it.
        seed: of all that is random.
        batch_size: how many candidates at a time.

    Returns:
        float32 samples on the CPU, (n, ...), and the fraction of the candidates that was accepted.
    """
    generator.eval(), discriminator.eval()
    rng = torch.Generator().manual_seed(seed)

    def drawn(places: Tensor) -> tuple[Tensor, Tensor]:
        told = () if labels is None else (labels[places],)
        samples = generator(draw_latents(len(places), generator.latent_dim, rng), *told)
        return samples.float(), discriminator(samples, *told).float()

    looked_at = (torch.arange(pilot) % n).split(batch_size)
    limit = torch.quantile(torch.cat([drawn(places)[1] for places in looked_at]), percentile / 100)
    chosen, waiting, tried = {}, torch.arange(n), 0
    while len(waiting):
        tried += len(waiting)
        rejected = []
        for places in waiting.split(batch_size):
            samples, logits = drawn(places)
            accepted = torch.rand(len(places), generator=rng) < (sharpness * (logits - limit)).exp()
            chosen.update(zip(places[accepted].tolist(), samples[accepted], strict=True))
            rejected.append(places[~accepted])
        waiting = torch.cat(rejected)
    return torch.stack([chosen[place] for place in range(n)]), n / tried
