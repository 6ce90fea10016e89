"""What `train` checks before it starts, so that a mistake is told in the terms of its arguments."""

import torch
from torch import Tensor, nn

from course_utils.data.convention import Sampler, check_images


def check_least(least: int, **numbers: float) -> None:
    """Every number is at least `least`: `check_least(1, images=images, batch_size=batch_size)`."""
    for name, number in numbers.items():
        if not number >= least:
            raise ValueError(f"{name} must be at least {least}, got {number}; choose a larger one.")


def check_seed(seed: int) -> None:
    """A seed is a whole number that fits into 63 bits."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be a whole number from 0 to 2⁶³ − 1, got {seed!r}; choose another one.")


def as_batch(drawn: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """A sampler's answer as a tuple: images alone, or images with what belongs to them (labels, sources)."""
    return drawn if isinstance(drawn, tuple) else (drawn,)


def example_batch(draw_real: Sampler, n: int, device: torch.device) -> tuple[Tensor, ...]:
    """n samples from the sampler, drawn with random numbers of their own, and checked.

    Raises:
        TypeError, ValueError: what is wrong with them, and what to do about it.
    """
    if not callable(draw_real):
        raise TypeError(
            f"draw_real must be a sampler, a function (n, rng) -> samples, got {type(draw_real).__name__}; "
            "for images, pass course_utils.data.image_sampler(images, device)."
        )
    batch = as_batch(draw_real(n, torch.Generator(device).manual_seed(0)))
    for part in batch:
        if not isinstance(part, Tensor) or part.device.type != device.type:
            kind = f"{part.dtype} on {part.device}" if isinstance(part, Tensor) else type(part).__name__
            raise TypeError(
                f"draw_real must return tensors on {device}, got {kind}; convert it, or pass device=…."
            )
        if len(part) != n:
            raise ValueError(f"draw_real({n}, rng) must return {n} samples, got {len(part)}; correct it.")
    samples = batch[0]
    if not samples.is_floating_point():
        raise TypeError(
            f"draw_real must return a float tensor on {device}, got {samples.dtype} on {samples.device}; "
            "convert it, or pass device=…."
        )
    if samples.ndim == 4:
        check_images(samples, name="draw_real's images")
    return batch


def check_samples(fake: Tensor, batch: tuple[Tensor, ...], name: str = "generator") -> None:
    """What the model makes has the shape of the data; `name` is the network that makes it.

    Raises:
        ValueError: it has not.
    """
    if fake.shape != batch[0].shape:
        n = len(batch[0])
        raise ValueError(
            f"draw_real({n}, rng) returned shape {tuple(batch[0].shape)} and the {name} "
            f"{tuple(fake.shape)}; both must be ({n}, …) with the same sample shape: change one of them."
        )


def check_logits(logits: Tensor, n: int) -> None:
    """A discriminator returns n logits: one for each sample, or for each pack of them.

    Raises:
        ValueError: it does not.
    """
    if logits.shape != (n,):
        raise ValueError(
            f"the discriminator must return logits of shape (N,), here ({n},), got {tuple(logits.shape)}; "
            "end it with nn.Flatten(0)."
        )


def check_encoding(encoding: Tensor, n: int, latent_dim: int) -> None:
    """An encoder returns a mean and a log variance for each latent: (n, 2, latent_dim).

    Raises:
        ValueError: it does not.
    """
    if encoding.shape != (n, 2, latent_dim):
        raise ValueError(
            f"the encoder must return means and log variances side by side, (N, 2, latent_dim), "
            f"here {(n, 2, latent_dim)}, got {tuple(encoding.shape)}; "
            "end it with nn.Unflatten(1, (2, latent_dim))."
        )


def check_latent_dim(generator: nn.Module, name: str = "generator") -> int:
    """The `latent_dim` of the generator (or decoder), the size of its input.

    Raises:
        TypeError: it has none.
    """
    latent_dim = getattr(generator, "latent_dim", None)
    if not isinstance(latent_dim, int):
        raise TypeError(f"the {name} needs an integer attribute latent_dim, the size of its input; set it.")
    return latent_dim
