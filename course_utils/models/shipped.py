"""The generators that the course trained and ships."""

import json
from functools import cache

from torch import nn

from course_utils.files import ASSETS, load_weights, read_metadata
from course_utils.models.dcgan import dcgan_generator
from course_utils.models.projected import feature_stages
from course_utils.models.residual import ResidualGenerator

ARCHITECTURES = {"dcgan_generator": dcgan_generator, "ResidualGenerator": ResidualGenerator}


@cache
def load_generator(name: str) -> nn.Module:
    """A generator that the course trained and ships: "mnist", "cifar10" or one of its kin.

    "mnist" has the recipe of notebook 05, trained for longer; "cifar10" and "cifar10_minutes" are described
    in notebook 06. "cifar10_classes" takes latents and labels: `sample(generator, n, labels=labels)`.

    The file's metadata says how to build it ("architecture", `dcgan_generator` where it says none, and
    "network", its arguments as JSON) and how it was made ("made_by"). Kept in memory: the second call returns
    the same network.

    Returns:
        Network in evaluation mode, without gradients, from latents (N, latent_dim), or from latents and
        labels (N,), to images in [-1, 1]; its attribute `made_by` says from which data and with which
        command it was trained.

    Raises:
        ValueError: no such generator.
    """
    known = sorted(path.name.removesuffix("_generator.safetensors") for path in ASSETS.glob("*_generator.*"))
    if name not in known:
        raise ValueError(f"generator must be one of {', '.join(known)}, got {name!r}")
    path = ASSETS / f"{name}_generator.safetensors"
    metadata = read_metadata(path)
    build = ARCHITECTURES[metadata.get("architecture", "dcgan_generator")]
    generator = load_weights(build(**json.loads(metadata["network"])), path)
    generator.made_by = metadata["made_by"]
    return generator.eval().requires_grad_(False)


FEATURES = ASSETS / "cifar10_features.safetensors"


def load_feature_stages() -> nn.ModuleList:
    """The trained stages of a small classifier of photographs, for a `ProjectedDiscriminator`; a new copy.

    None of the course's judges is this network. Made by `python -m tools.class_generator features`.
    """
    return load_weights(feature_stages(), FEATURES).eval().requires_grad_(False)
