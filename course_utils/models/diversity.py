"""Layers that let a discriminator see how alike the samples of a batch are."""

import copy

import torch
from torch import Tensor, nn

from course_utils.models.sizes import positive


class MinibatchStd(nn.Module):
    """Appends to every sample how much the samples of its group differ: one number more for each.

    s = mean over j of √(mean over i of (xᵢⱼ − x̄ⱼ)² + ε): the standard deviation of every feature over the
    samples of a group, averaged over the features  (Karras, Aila, Laine, Lehtinen 2018, arXiv:1710.10196,
    section 3). All samples of a group get the same s. A collapsed generator's is near 0.

    Args:
        group: samples in a group, neighbours in the batch; it must divide the batch, unless that is smaller.
            Karras et al.'s published code takes 4.
        epsilon: keeps the root's slope finite where all samples are the same.
    """

    def __init__(self, group: int = 4, epsilon: float = 1e-8):
        super().__init__()
        positive("group", (group,))
        self.group, self.epsilon = group, epsilon

    def forward(self, features: Tensor) -> Tensor:
        """(N, C) → (N, C + 1); maps (N, C, H, W) → (N, C + 1, H, W), the new channel constant."""
        count, _, *size = features.shape
        group = min(self.group, count)
        if count % group:
            raise ValueError(f"the group must divide the batch, got {group} and {count}; change one of them.")
        groups = features.unflatten(0, (-1, group))  # (N / group, group, C, …)
        variance = groups.var(dim=1, correction=0)
        spread = (variance + self.epsilon).sqrt().flatten(1).mean(dim=1)  # (N / group,)
        spread = spread.repeat_interleave(group).reshape(count, 1, *(1 for _ in size))
        return torch.cat([features, spread.expand(count, 1, *size)], dim=1)


def with_minibatch_std(discriminator: nn.Sequential, group: int = 4) -> nn.Sequential:
    """The discriminator with a `MinibatchStd` before its last linear layer, which gets one input more.

    Args:
        discriminator: ends in nn.Linear and nn.Flatten(0), as those of this course; it stays as it is.
        group: of `MinibatchStd`.

    Returns:
        A new network with copies of the other layers, from samples (N, ...) to logits (N,).

    Raises:
        ValueError: its last layers are others.
    """
    *layers, last, flatten = copy.deepcopy(discriminator)
    if not isinstance(last, nn.Linear):
        raise ValueError(
            f"needs a discriminator whose last layer but one is nn.Linear, got {type(last).__name__}; "
            "put the MinibatchStd into the list of its layers yourself."
        )
    wider = nn.Linear(last.in_features + 1, last.out_features)
    with torch.no_grad():  # what the discriminator says stays what it was; the spread starts without a say
        wider.weight.copy_(torch.cat([last.weight, torch.zeros_like(last.weight[:, :1])], dim=1))
        wider.bias.copy_(last.bias)
    return nn.Sequential(*layers, MinibatchStd(group), wider, flatten)
