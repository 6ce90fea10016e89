"""The exponential moving average of a network's weights, with its half-life in images."""

import copy

import torch
from torch import nn


def tenth_of_images(images_seen: int) -> float:
    """A half-life that grows with the training: a tenth of the images seen so far.

    A fixed one keeps what a young network was thousands of images ago, when it learns most in each of them
    (Karras et al. 2020, arXiv:2006.06676: their code's `ema_rampup`, 0.05).

    Args:
        images_seen: so far.
    """
    return images_seen / 10


def averaged_copy(network: nn.Module) -> nn.Module:
    """A copy to average into: in evaluation mode, without gradients."""
    return copy.deepcopy(network).eval().requires_grad_(False)


@torch.no_grad()
def update_average(
    average: nn.Module, network: nn.Module, images_seen: int, batch_size: int, half_life: float
) -> None:
    """average ← decay·average + (1 − decay)·network, with decay = 2^(−batch_size / half_life).

    Counting the half-life in images makes the average mean the same at every batch size (Karras et al. 2020,
    arXiv:2006.06676, appendix D). Dividing by 1 − decay^steps, as Adam does, removes the untrained weights
    from the average: after the first step it *is* the network. Buffers are averaged as weights are, so that
    the running statistics of batch normalisation belong to the averaged generator; counters (integers) are
    copied.

    Args:
        average: changed in place.
        network: the network as it is after this step.
        images_seen: images seen up to and including this step, ≥ batch_size.
        batch_size: images of this step.
        half_life: after so many images an old state counts half; 0 for no averaging.
    """
    decay = 0.5 ** (batch_size / half_life) if half_life > 0 else 0.0
    weight = (1 - decay) / (1 - decay ** (images_seen / batch_size))
    olds, news = list(average.state_dict().values()), list(network.state_dict().values())
    floating = [new.is_floating_point() for new in news]
    torch._foreach_lerp_(
        [old for old, real in zip(olds, floating, strict=True) if real],
        [new for new, real in zip(news, floating, strict=True) if real],
        weight,
    )
    for old, new, real in zip(olds, news, floating, strict=True):
        if not real:
            old.copy_(new)
