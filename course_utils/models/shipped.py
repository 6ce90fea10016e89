"""The generators that the course trained and ships."""

import json
from functools import cache

from torch import nn

from course_utils.files import ASSETS, load_weights, read_metadata
from course_utils.models.dcgan import dcgan_generator


@cache
def load_generator(name: str) -> nn.Sequential:
    """A generator that the course trained and ships: "mnist", "cifar10" or "cifar10_minutes".

    "mnist" has the recipe of notebook 05, trained for longer; those of CIFAR-10 are described in notebook 06.

    The file's metadata says how to build it ("network": the arguments of `dcgan_generator`, as JSON) and how
    it was made ("made_by"). Kept in memory: the second call returns the same network.

    Returns:
        Network in evaluation mode, without gradients, from latents (N, latent_dim) to images in [-1, 1]; its
        attribute `made_by` says from which data and with which command it was trained.

    Raises:
        ValueError: no such generator.
    """
    known = sorted(path.name.removesuffix("_generator.safetensors") for path in ASSETS.glob("*_generator.*"))
    if name not in known:
        raise ValueError(f"generator must be one of {', '.join(known)}, got {name!r}")
    path = ASSETS / f"{name}_generator.safetensors"
    metadata = read_metadata(path)
    generator = load_weights(dcgan_generator(**json.loads(metadata["network"])), path)
    generator.made_by = metadata["made_by"]
    return generator.eval().requires_grad_(False)
