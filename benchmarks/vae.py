"""Test −ELBO after the same seconds: the course's VAE beside two tutorials'. `python -m benchmarks.vae`.

All are measured on the same test digits, by the same estimator, on two sets of pixels: binarised once by
chance, and thresholded at one half, as the tutorial of TensorFlow has it. Seconds are those of the process's
CPU, on one thread, so that a busy machine costs patience and changes little; nothing but training is counted.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from benchmarks.records import QUICK, RESULTS, add, circumstances
from course_utils import data
from course_utils.metrics import elbo
from course_utils.training import MNIST_VAE, VAE, train_for


class Entry(NamedTuple):
    """One VAE: its networks, what it sees, how it trains."""

    source: str
    build: Callable[[], VAE]
    see: Callable[[data.Sampler], data.Sampler]  # from grey digits to those that it is trained on
    training: dict  # keyword arguments of `train`


def pytorch_examples() -> VAE:
    """784-400-20-400-784; 20 latents. Its loss: summed cross-entropy on grey pixels + KL."""
    encoder = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40), nn.Unflatten(1, (2, 20))
    )
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784), nn.Unflatten(1, (1, 28, 28)))
    decoder.latent_dim = 20
    return VAE(encoder, decoder, lr=1e-3)


def tensorflow_cvae() -> VAE:
    """Two strided convolutions and their mirror image; two latents, thresholded pixels. Glorot's weights."""
    encoder = nn.Sequential(
        nn.Conv2d(1, 32, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, stride=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 6 * 6, 4),
        nn.Unflatten(1, (2, 2)),
    )
    decoder = nn.Sequential(
        nn.Linear(2, 7 * 7 * 32),
        nn.ReLU(),
        nn.Unflatten(1, (32, 7, 7)),
        nn.ConvTranspose2d(32, 64, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 3, stride=2, padding=1, output_padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(32, 1, 3, padding=1),
    )
    decoder.latent_dim = 2
    for layer in (*encoder, *decoder):
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return VAE(encoder, decoder, lr=1e-4)


def thresholded(draw: data.Sampler) -> data.Sampler:
    return lambda n, rng: threshold(draw(n, rng))


def threshold(images: Tensor) -> Tensor:
    """1 above grey value one half, else −1."""
    return (images > 0).float() * 2 - 1


ENTRIES = {
    "Notebook 10, convolutional VAE": Entry(
        "course_utils", MNIST_VAE.vae, data.binarised, MNIST_VAE.training
    ),
    "pytorch/examples VAE": Entry(
        "PyTorch, pytorch/examples, vae/main.py",
        pytorch_examples,
        lambda draw: draw,
        {"batch_size": 128, "ema_half_life": 0},
    ),
    "TensorFlow tutorial's CVAE": Entry(
        "The TensorFlow Authors, Convolutional Variational Autoencoder, tensorflow.org/tutorials",
        tensorflow_cvae,
        thresholded,
        {"batch_size": 32, "ema_half_life": 0},
    ),
}


def measure(entry: Entry, seconds: float, test: Tensor, train_images: Tensor, seed: int) -> dict:
    """Trains for so many CPU seconds, and evaluates."""
    torch.manual_seed(seed)
    draw = entry.see(data.image_sampler(train_images))
    run, spent = train_for(seconds, entry.build(), draw, seed=seed, **entry.training)
    pixels = {
        "binarised": data.binarise(test, torch.Generator().manual_seed(0)),
        "thresholded": threshold(test),
    }
    nats = {name: elbo(run.average, images, draws=4)._asdict() for name, images in pixels.items()}
    return {"cpu_seconds": spent, "images": run.images_seen, "threads": run.threads, "nats": nats}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vae", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="of the CPU, for each (60)")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help=QUICK)
    options = parser.parse_args()
    digits, test = data.load_mnist("train").images, data.to_model_range(data.load_mnist("test").images)
    if options.quick:
        options.seconds, test = 1.0, test[:100]
    for seed in range(options.seeds):
        for name, entry in ENTRIES.items():
            record = measure(entry, options.seconds, test, digits, seed)
            record |= {"source": entry.source, **circumstances(torch.device("cpu"), options.quick)}
            if not options.quick:
                add(RESULTS / "vae.json", f"{name}, seed {seed}", record)
            binarised, sharp = (record["nats"][pixels]["negative"] for pixels in ("binarised", "thresholded"))
            print(
                f"{name:32s} seed {seed}: {record['cpu_seconds']:5.1f} CPU seconds, "
                f"{record['images']:9,} images; −ELBO {binarised:6.2f} nats (binarised), "
                f"{sharp:6.2f} (thresholded)",
                flush=True,
            )


if __name__ == "__main__":
    main()
