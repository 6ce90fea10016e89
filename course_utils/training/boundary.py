"""What `train_gan` checks before it starts, so that a mistake is told in the terms of its arguments."""

import torch
from torch import Tensor, nn

from course_utils.data.convention import Sampler, check_images


def check_least(least: int, **numbers: float) -> None:
    """Every number is at least `least`: `check_least(1, images=images, batch_size=batch_size)`."""
    for name, number in numbers.items():
        if not number >= least:
            raise ValueError(f"{name} must be at least {least}, got {number}; choose a larger one.")


@torch.no_grad()
def check_game(
    generator: nn.Module, discriminator: nn.Module, draw_real: Sampler, device: torch.device
) -> None:
    """Draws three samples and judges them, in evaluation mode, and checks the types, shapes and ranges.

    It has random numbers of its own, and leaves the networks as they were, in training mode.

    Raises:
        TypeError, ValueError: what does not fit, and what to do about it.
    """
    if not isinstance(getattr(generator, "latent_dim", None), int):
        raise TypeError("the generator needs an integer attribute latent_dim, the size of its input; set it.")
    if not callable(draw_real):
        raise TypeError(
            f"draw_real must be a sampler, a function (n, rng) -> samples, got {type(draw_real).__name__}; "
            "for images, pass course_utils.data.image_sampler(images, device)."
        )
    n = 3
    rng = torch.Generator(device).manual_seed(0)
    real = draw_real(n, rng)
    fake = generator.eval()(torch.randn(n, generator.latent_dim, generator=rng, device=device))
    if not isinstance(real, Tensor) or real.device.type != device.type or not real.is_floating_point():
        kind = f"{real.dtype} on {real.device}" if isinstance(real, Tensor) else type(real).__name__
        raise TypeError(
            f"draw_real must return a float tensor on {device}, got {kind}; convert it, or pass device=…."
        )
    if real.shape != fake.shape:
        raise ValueError(
            f"draw_real({n}, rng) returned shape {tuple(real.shape)} and the generator {tuple(fake.shape)}; "
            f"both must be ({n}, …) with the same sample shape: change one of them."
        )
    if real.ndim == 4:
        check_images(real, name="draw_real's images")
    logits = discriminator.eval()(real)
    if logits.shape != (n,):
        raise ValueError(
            f"the discriminator must return logits of shape (N,), here ({n},), got {tuple(logits.shape)}; "
            "end it with nn.Flatten(0)."
        )
    generator.train()
    discriminator.train()
