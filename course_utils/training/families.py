"""Families of generative models side by side: the same data, the same seconds, the same measurements.

Every family leaves a generator, which maps latents z ~ N(0, I) to images, and something that goes back. So
one function measures all of them.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils import data
from course_utils.files import ASSETS
from course_utils.likelihoods import gaussian
from course_utils.metrics import (
    classifier_confidence,
    elbo,
    evaluate,
    fine_power,
    load_classifier,
    mean_squared_error,
    radial_spectrum,
    structural_similarity,
)
from course_utils.models import (
    GaussianCorrected,
    PrincipalImages,
    conv_encoder,
    count_parameters,
    dcgan_discriminator,
    dcgan_generator,
    mlp_velocity,
    principal_space,
    pytorch_initialised,
    sample,
    spectrally_normalised,
)
from course_utils.training.encoders import invert
from course_utils.training.flow import FlowMatching
from course_utils.training.gan import GAN
from course_utils.training.history import TrainingDiverged
from course_utils.training.loop import Run, Trainable, constant_then_linear
from course_utils.training.mixture import fit_image_mixture
from course_utils.training.progress import progress
from course_utils.training.recipes import MNIST_DCGAN, MNIST_VAE
from course_utils.training.timed import Stopwatch, judged_at, train_for
from course_utils.training.vae import VAE

RECORDED = ASSETS / "families_mnist.json"  # by tools/record_families.py
IMAGE_SHAPE, LATENT_DIM = (1, 28, 28), 32
SECONDS = 45.0  # of training, for each family
VARIANCE = 0.05  # σ² of the VAE's pixels, in units of [-1, 1]
DIMS = 100  # principal components that the flow and the mixture work on


class Trained(NamedTuple):
    """One family after its training."""

    family: str
    seed: int
    generator: nn.Module  # latents (N, latent_dim) → images
    encode: Callable[[Tensor], Tensor]  # images → latents, from which the generator reconstructs
    nats: Callable[[Tensor], float] | None  # −log p(x) of images, on average, or a bound; None: has none
    weights: dict[str, int]  # trained numbers, by network
    cpu_seconds: float  # of training alone
    images: int  # training images drawn
    curve: list[tuple[float, float]]  # (CPU seconds, what `judge` said of the generator then)
    run: Run | None  # None for the mixture, which needs no gradients
    diverged: bool


# --- the families ------------------------------------------------------------------------------------------


def same_generator(latent_dim: int = LATENT_DIM) -> nn.Sequential:
    """Notebook 05's generator: of the GAN as it is, of the VAE as its decoder (means of Gaussian pixels)."""
    return dcgan_generator(IMAGE_SHAPE, latent_dim, width=32, extra_convs=1)


def family_gan(latent_dim: int = LATENT_DIM) -> GAN:
    """Notebook 05's GAN."""
    discriminator = spectrally_normalised(dcgan_discriminator(IMAGE_SHAPE, width=32, extra_convs=1))
    return GAN(same_generator(latent_dim), discriminator, **MNIST_DCGAN.game)


def family_vae(latent_dim: int = LATENT_DIM, beta: float = 1.0) -> VAE:
    """The same generator as decoder, and an encoder with as many weights as the GAN's discriminator has."""
    decoder = pytorch_initialised(same_generator(latent_dim))
    encoder = conv_encoder(IMAGE_SHAPE, latent_dim, width=11)
    return VAE(encoder, decoder, likelihood=gaussian(VARIANCE), beta=beta, **MNIST_VAE.game)


def family_flow(std: Tensor) -> FlowMatching:
    """A flow of principal components with these standard deviations; as many weights as G and D together."""
    velocity = GaussianCorrected(mlp_velocity(std.shape, width=294), std)
    return FlowMatching(velocity, tuple(std.shape), lr=2e-3)


# Keyword arguments of `train`, and of `fit_image_mixture`.
FAMILIES = {
    "GAN": MNIST_DCGAN.training,
    "VAE": MNIST_VAE.training,
    "flow matching": {"batch_size": 256, "ema_half_life": 20_000, "schedule": constant_then_linear},
    "Gaussian mixture": {"dims": DIMS, "components": 50},
}


def train_family(
    name: str,
    images: Tensor,
    *,
    seconds: float = SECONDS,
    seed: int = 0,
    marks: Sequence[float] = (),
    judge: Callable[[nn.Module], float] | None = None,
    **setting,
) -> Trained:
    """Trains one family on these images, for so many CPU seconds on one thread.

    Args:
        name: of `FAMILIES`.
        images: uint8 (N, 1, 28, 28).
        seconds: of training.
        seed: of initialisation and training.
        marks: seconds after which the generator is judged, beside the end.
        judge: judge(generator) → number, such as a Fréchet distance; the clock does not count it.
        **setting: `latent_dim` of the GAN and the VAE, `beta` of the VAE.

    Raises:
        ValueError: no such family.
    """
    if name not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, got {name!r}; choose one of them.")
    look, curve = judged_at(marks, judge)
    torch.manual_seed(seed)
    if name == "Gaussian mixture":
        return _fit_mixture(name, images, seconds, seed, look, curve)
    draw, finished = data.image_sampler(images), lambda network: network
    if name == "flow matching":
        pixels = data.to_model_range(images)
        space = principal_space(pixels, DIMS)
        points = space.coordinates(pixels)
        model = family_flow(points.std(0))
        draw = lambda n, rng: points[torch.randint(len(points), (n,), generator=rng)]  # noqa: E731
        finished = partial(PrincipalImages, space=space, image_shape=images.shape[1:])
    else:
        model = {"GAN": family_gan, "VAE": family_vae}[name](**setting)
    weights = {part: count_parameters(network) for part, network in model.networks.items()}
    last, diverged = [], False

    def noted(run: Run, spent: float) -> None:
        last[:] = [run, spent]
        look(finished(run.average), spent)

    try:
        run, spent = train_for(seconds, model, draw, look=noted, seed=seed, label=name, **FAMILIES[name])
    except TrainingDiverged:
        (run, spent), diverged = last, True
    generator = finished(run.average)
    if not diverged:
        look(generator, spent, final=True)
    encode, nats = _inference(model, generator)
    return Trained(name, seed, generator, encode, nats, weights, spent, run.images_seen, curve, run, diverged)


def _inference(model: Trainable, generator: nn.Module) -> tuple[Callable, Callable | None]:
    """The way back from images to latents, and −log p(x) or a bound on it."""
    if isinstance(model, VAE):
        return (
            lambda images: generator.encode(images)[0],
            lambda images: elbo(generator, images, model.density, draws=4).negative,
        )
    if isinstance(model, FlowMatching):
        finer = PrincipalImages(generator.inner.with_steps(64), generator.space, generator.image_shape)
        return generator.encode, lambda images: -finer.log_prob(images).mean().item()
    return (lambda images: invert(generator, images)), None


def _fit_mixture(name: str, images: Tensor, seconds: float, seed: int, look, curve) -> Trained:
    """EM until the seconds are over, or until it rises no more."""
    watch = Stopwatch()

    def pause(mixture: PrincipalImages, reached: float) -> bool:
        watch.stop()
        look(mixture, watch.seconds)
        update(min(int(watch.seconds), math.ceil(seconds)))
        over = watch.seconds >= seconds
        watch.start()
        return over

    with progress(math.ceil(seconds), name, unit="CPU seconds") as update:
        watch.start()
        mixture = fit_image_mixture(images, seed=seed, watch=pause, **FAMILIES[name])
        watch.stop()
    look(mixture, watch.seconds, final=True)
    return Trained(
        name,
        seed,
        mixture,
        mixture.encode,
        lambda images: -mixture.log_prob(images).mean().item(),
        {"mixture": mixture.inner.free_numbers},
        watch.seconds,
        len(images),
        curve,
        run=None,
        diverged=False,
    )


# --- the measurements --------------------------------------------------------------------------------------


def measure_family(
    trained: Trained, *, samples: int = 5_000, reconstructed: int = 64, likely: int = 64
) -> dict[str, object]:
    """Everything that the course measures about a generator, about the way back, and about its cost.

    Args:
        trained: what `train_family` returned.
        samples: evaluated, and as many real images.
        reconstructed: test images that are encoded and made again.
        likely: test images whose −log p(x) is computed.

    Returns:
        The scores of `evaluate`, and: "confidence" of the classifier; "fine_power" at ¼ cycle a pixel and
        above, as a fraction of that of real images, and the whole "spectrum"; "mse" and "ssim" of the
        reconstructions; "bits" a pixel, None for what has no likelihood; "sampling_seconds" of the CPU for
        1,000 images.
    """
    test = data.load_mnist("test").images
    classifier = load_classifier("mnist")
    drawn = sample(trained.generator, samples)
    real = data.to_model_range(test[:samples])
    chosen = real[:reconstructed]
    with torch.no_grad():
        again = trained.generator(trained.encode(chosen)).float().clamp(-1, 1)
    return {
        **evaluate(drawn, "mnist", samples=samples).scores,
        "confidence": classifier_confidence(drawn, classifier),
        "fine_power": fine_power(drawn) / fine_power(real),
        "spectrum": radial_spectrum(drawn)[1].tolist(),
        "mse": mean_squared_error(again, chosen),
        "ssim": structural_similarity(again, chosen),
        "bits": None if trained.nats is None else bits_per_pixel(trained.nats, test[:likely]),
        "sampling_seconds": sampling_seconds(trained.generator),
    }


def bits_per_pixel(nats: Callable[[Tensor], float], images: Tensor, seed: int = 0) -> float:
    """−log₂ p(x) / D + log₂(256/2): what it costs to store an image without loss, for each pixel.

    The density is of pixels x = −1 + 2·(k + u)/256, grey value k plus u uniform in [0, 1): its mean logarithm
    is at most that of the probability of k (Theis et al. 2016, arXiv:1511.01844).

    Args:
        nats: images → mean −log p(x).
        images: uint8 (N, C, H, W).
        seed: of u.
    """
    rng = torch.Generator().manual_seed(seed)
    dequantised = (images + torch.rand(images.shape, generator=rng)) / 128 - 1
    return nats(dequantised) / (images[0].numel() * math.log(2)) + math.log2(128)


def sampling_seconds(generator: nn.Module, images: int = 1_000) -> float:
    """CPU seconds for so many images."""
    begin = time.process_time()
    sample(generator, images)
    return time.process_time() - begin


def seconds_to(curve: Sequence[tuple[float, float]], level: float) -> float | None:
    """When the curve of (seconds, distance) first comes down to the level, on straight lines between its
    points; None where it never does. At the first point it is no later than that point's seconds."""
    before = None
    for seconds, distance in curve:
        if distance <= level:
            if before is None:
                return seconds
            fraction = (before[1] - level) / (before[1] - distance)
            return before[0] + fraction * (seconds - before[0])
        before = seconds, distance
    return None


def load_families() -> list[dict]:
    """The recorded trainings, in the file's order: see tools/record_families.py for what is in them."""
    return list(json.loads(RECORDED.read_text(encoding="utf-8"))["records"].values())
