"""The networks that the course trained and ships: generators, a VAE, and what goes from image to image."""

import json
from functools import cache

from torch import nn

from course_utils.files import ASSETS, load_weights, read_metadata
from course_utils.models.conditional import conditional_dcgan
from course_utils.models.dcgan import dcgan_generator
from course_utils.models.projected import feature_stages
from course_utils.models.residual import ResidualGenerator
from course_utils.models.translation import Colouriser, Inpainter, UNet
from course_utils.models.vae import Autoencoder, conv_encoder

ARCHITECTURES = {
    "dcgan_generator": dcgan_generator,
    "ResidualGenerator": ResidualGenerator,
    "conditional_dcgan": lambda **how: conditional_dcgan(**how)[0],
}


@cache
def load_generator(name: str) -> nn.Module:
    """A generator that the course trained and ships: "mnist", "cifar10" or one of its kin.

    "mnist" has the recipe of notebook 05, trained for longer; "cifar10" and "cifar10_minutes" are described
    in notebook 06. "mnist_classes" and "cifar10_classes" take latents and labels:
    `sample(generator, n, labels=labels)`.

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


@cache
def load_discriminator(name: str) -> nn.Module:
    """The discriminator that a shipped generator met in its training, as it was at the end: "mnist_classes".

    Kept in memory, like the generators.

    Returns:
        Network in evaluation mode, without gradients, from images and labels (N,) to logits (N,).

    Raises:
        ValueError: no such discriminator.
    """
    known = sorted(path.name.removesuffix(DISCRIMINATOR) for path in ASSETS.glob(f"*{DISCRIMINATOR}"))
    if name not in known:
        raise ValueError(f"discriminator must be one of {', '.join(known)}, got {name!r}")
    path = ASSETS / f"{name}{DISCRIMINATOR}"
    _, discriminator = conditional_dcgan(**json.loads(read_metadata(path)["network"]))
    return load_weights(discriminator, path).eval().requires_grad_(False)


DISCRIMINATOR = "_discriminator.safetensors"
FEATURES = ASSETS / "cifar10_features.safetensors"


def load_feature_stages() -> nn.ModuleList:
    """The trained stages of a small classifier of photographs, for a `ProjectedDiscriminator`; a new copy.

    None of the course's judges is this network. Made by `python -m tools.class_generator features`.
    """
    return load_weights(feature_stages(), FEATURES).eval().requires_grad_(False)


@cache
def load_autoencoder(name: str) -> Autoencoder:
    """A VAE that the course trained and ships: "cifar10", beside the generator of that name.

    Its decoder is that generator's network, with weights of its own. Kept in memory, like the generators.

    Returns:
        Network in evaluation mode, without gradients: called with latents (N, latent_dim) it returns images,
        its `encode` the mean and log variance of q(z|x). Its attributes `made_by` and `variance` say how it
        was trained, and σ² of its Gaussian pixels.

    Raises:
        ValueError: no such VAE.
    """
    known = sorted(path.name.removesuffix("_vae.safetensors") for path in ASSETS.glob("*_vae.*"))
    if name not in known:
        raise ValueError(f"autoencoder must be one of {', '.join(known)}, got {name!r}; choose one of them.")
    path = ASSETS / f"{name}_vae.safetensors"
    metadata = read_metadata(path)
    encoder, decoder = (json.loads(metadata[part]) for part in ("encoder", "decoder"))
    untrained = Autoencoder(conv_encoder(**encoder), dcgan_generator(**decoder), nn.Identity())
    autoencoder = load_weights(untrained, path)
    autoencoder.made_by, autoencoder.variance = metadata["made_by"], float(metadata["variance"])
    return autoencoder.eval().requires_grad_(False)


@cache
def load_translator(name: str) -> nn.Module:
    """A generator from image to image that the course trained and ships.

    "mnist_inpainting_regression" and "mnist_inpainting_gan" fill holes in digits, the second with latents;
    "cifar10_larger_regression" and "cifar10_larger_gan" make 32×32 of 8×8 colour, and those of
    "cifar10_colour_…" colour of grey. Kept in memory, like the generators.

    Returns:
        Network in evaluation mode, without gradients: called with sources, and latents where its `latent_dim`
        is not 0, it returns images. Its attribute `made_by` says how it was trained.

    Raises:
        ValueError: no such translator.
    """
    known = sorted(
        path.name.removesuffix("_translator.safetensors") for path in ASSETS.glob("*_translator.*")
    )
    if name not in known:
        raise ValueError(f"translator must be one of {', '.join(known)}, got {name!r}; choose one of them.")
    path = ASSETS / f"{name}_translator.safetensors"
    metadata = read_metadata(path)
    network = UNet(**json.loads(metadata["network"]))
    if json.loads(metadata["fills"]):
        network = Inpainter(network)
    elif "luma" in metadata:
        network = Colouriser(network, json.loads(metadata["luma"]))
    translator = load_weights(network, path)
    translator.made_by = metadata["made_by"]
    return translator.eval().requires_grad_(False)
