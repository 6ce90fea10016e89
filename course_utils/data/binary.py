"""Black and white from grey: what a Bernoulli likelihood is a likelihood of."""

import torch
from torch import Tensor

from course_utils.data.convention import Sampler


def binarise(images: Tensor, rng: torch.Generator) -> Tensor:
    """Each pixel becomes 1 with probability (x + 1)/2, else −1  (Salakhutdinov and Murray 2008, ICML).

    Done once, with one seed, it makes a *fixed* binary data set; done anew at each draw (`binarised`) it is
    *dynamic* binarisation. Nats of differently binarised digits are not comparable.

    Args:
        images: (N, ...) in [−1, 1].
        rng: on the device of the images.

    Returns:
        float32 of the same shape, −1 or 1.
    """
    return (torch.rand(images.shape, generator=rng, device=images.device) < (images + 1) / 2).float() * 2 - 1


def binarised(draw: Sampler) -> Sampler:
    """Dynamic binarisation: the sampler's images, binarised anew at every draw."""
    return lambda n, rng: binarise(draw(n, rng), rng)
