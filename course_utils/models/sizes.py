"""Sizes of networks: whether those asked for make sense, and how many weights came of them."""

from collections.abc import Sequence

from torch import nn


def count_parameters(network: nn.Module) -> int:
    """The number of trainable weights."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def positive(name: str, sizes: Sequence[int]) -> tuple[int, ...]:
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"{name} must be positive integers, got {tuple(sizes)}")
    return tuple(sizes)


def quarterable(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or any(side % 4 for side in shape[1:]) or min(shape) < 1:
        raise ValueError(
            "image_shape must be (channels, height, width), height and width divisible by 4, "
            f"got {tuple(shape)}; pad or resize the images."
        )
    return tuple(shape)
