"""Which game trains the class-conditional colour generator best? Candidates, at equal seconds of a processor:

python -m benchmarks.colour projected --seconds 300
python -m benchmarks.colour                            # all of them, 300 seconds each

The seconds are the process's own (`time.process_time`) on one thread, so that a busy machine disturbs little;
scoring does not count. Each record goes to benchmarks/results/colour.json.
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.records import RESULTS, add, circumstances
from course_utils import data
from course_utils.models import (
    ResidualGenerator,
    count_parameters,
    dcgan_generator,
    pytorch_initialised,
    spectrally_normalised,
)
from course_utils.models.projected import ClassHead
from course_utils.runtime import pick_device
from course_utils.training import CIFAR10_CLASSES, GAN, Run, TrainingDiverged, train
from course_utils.training.augmentation import flip
from course_utils.training.gan import conditional
from course_utils.training.penalties import r1_r2
from tools.class_generator import NETWORK, real_images, scores

EVERY = 12_800  # images between two scores


class LabelledDCGAN(nn.Module):
    """The DCGAN generator of "cifar10", with the class as ten numbers beside z."""

    def __init__(self, latent_dim: int = 64):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = pytorch_initialised(
            dcgan_generator((3, 32, 32), latent_dim + 10, width=48, upsampling="pixel_shuffle", extra_convs=1)
        )

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        return self.layers(torch.cat([latents, 2.0 * F.one_hot(labels, 10)], dim=1))


class Halving(nn.Module):
    """skip(h) + down(conv(h)): a residual block without normalisation, to half the height and width."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.down = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)
        self.skip = nn.Conv2d(inputs, outputs, 1)

    def forward(self, maps: Tensor) -> Tensor:
        branch = self.down(F.leaky_relu(self.conv(F.leaky_relu(maps, 0.2)), 0.2))
        return self.skip(F.avg_pool2d(maps, 2)) + branch


def plain_discriminator(width: int = 48) -> nn.Module:
    """The convolutions of "cifar10"'s discriminator, and the projection of the class."""
    convolutions = [
        nn.Conv2d(12, width, 3, padding=1),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
    ]
    layers = [layer for each in convolutions for layer in (each, nn.LeakyReLU(0.2))]
    return ClassHead(nn.Sequential(nn.PixelUnshuffle(2), *layers), 2 * width, classes=10)


def residual_discriminator(widths: tuple[int, int, int] = (64, 128, 192)) -> nn.Module:
    """Two residual blocks from 16×16 to 4×4, and the projection of the class."""
    first, middle, last = widths
    layers = nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(12, first, 3, padding=1),
        Halving(first, middle),
        Halving(middle, last),
        nn.LeakyReLU(0.2),
    )
    return ClassHead(layers, last, classes=10)


def unbranched(discriminator: nn.Module) -> nn.Module:
    """Every block starts as its skip, as networks without normalisation need it (arXiv:1901.09321)."""
    for block in discriminator.modules():
        if isinstance(block, Halving):
            nn.init.zeros_(block.down.weight)
            nn.init.zeros_(block.down.bias)
    return discriminator


def playing(generator: nn.Module, discriminator: nn.Module, rates: tuple[float, float], **more) -> GAN:
    rates = {"generator_lr": rates[0], "discriminator_lr": rates[1]}
    return GAN(generator, discriminator, shown=conditional, augment=flip, **rates, **more)


def residual_hinge() -> GAN:
    """Miyato and Koyama (2018, arXiv:1802.05637), made small."""
    discriminator = spectrally_normalised(residual_discriminator())
    return playing(ResidualGenerator(**NETWORK), discriminator, (1e-3, 1e-3), loss="hinge")


def residual_relativistic() -> GAN:
    """R3GAN's loss and penalties (Huang et al. 2024, arXiv:2501.05441), these in every fourth step."""
    return playing(
        ResidualGenerator(**NETWORK),
        unbranched(residual_discriminator()),
        (1e-3, 1e-3),
        loss="relativistic",
        penalty=r1_r2(0.5),
        penalty_every=4,
    )


def dcgan_projection() -> GAN:
    """The networks of "cifar10" with a class: small, so that it sees the most images in its time."""
    return playing(LabelledDCGAN(), spectrally_normalised(plain_discriminator()), (2e-3, 2e-3))


CANDIDATES: dict[str, Callable[[], GAN]] = {
    "projected": CIFAR10_CLASSES.gan,
    "dcgan_projection": dcgan_projection,
    "residual_hinge": residual_hinge,
    "residual_relativistic": residual_relativistic,
}


def measure(name: str, seconds: float, seed: int = 0) -> dict:
    """Trains a candidate for so many seconds of the process, and scores it every EVERY images."""
    training = real_images("train")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    model, points, clock = CANDIDATES[name](), [], {"spent": 0.0, "since": time.process_time()}

    def look(run: Run) -> None:
        clock["spent"] += time.process_time() - clock["since"]
        if run.images_seen:
            found = {key: round(value, 4) for key, value in scores(run.average).items()}
            points.append({"cpu_seconds": round(clock["spent"], 1), "images": run.images_seen, **found})
            print(name, points[-1], flush=True)
        if clock["spent"] > seconds:
            raise KeyboardInterrupt  # ends the training in good order
        clock["since"] = time.process_time()

    record = {"kind": "colour", "name": name, "seed": seed, "samples": 2_000, "diverged": False}
    try:
        train(
            model,
            data.labelled_sampler(training.images, training.labels),
            images=10**9,
            batch_size=64,
            ema_half_life=5_000,  # shorter than in the long training: these runs are short
            threads=1,
            seed=seed,
            snapshot_every=EVERY,
            snapshot_samples=10,
            on_snapshot=look,
            progress=False,
        )
    except TrainingDiverged:
        record["diverged"] = True
    weights = {key: count_parameters(network) for key, network in model.networks.items()}
    return {**record, "parameters": weights, "points": points, **circumstances(pick_device(), quick=False)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *CANDIDATES], metavar="NAME")
    parser.add_argument("--seconds", type=float, default=300, help="of the processor (300)")
    arguments = parser.parse_args()
    for name in arguments.names or CANDIDATES:
        add(RESULTS / "colour.json", name, measure(name, arguments.seconds))


if __name__ == "__main__":
    main()
