"""Train the CIFAR-10 VAE that ships with the course, beside the GAN's generator:

python -m tools.ship_colour_vae        # ten minutes of one core

Run it with the real data in place. Its decoder is the network of the shipped generator "cifar10", with
Gaussian pixels of a fixed variance; the encoder halves the image twice. It is trained for so many seconds of
the process's CPU, and written, in half precision, to course_utils/assets/cifar10_vae.safetensors.
"""

import argparse
import json
from pathlib import Path

import torch

from course_utils import data
from course_utils.files import ASSETS, read_metadata, save_weights
from course_utils.likelihoods import gaussian
from course_utils.metrics import elbo, frechet_evaluator
from course_utils.models import conv_encoder, dcgan_generator, pytorch_initialised
from course_utils.training import VAE, constant_then_linear, train_for

ENCODER = {"image_shape": [3, 32, 32], "latent_dim": 64, "width": 32}
VARIANCE = 0.04  # about the mean squared error of its reconstructions
TRAINING = {"batch_size": 64, "ema_half_life": 5_000, "schedule": constant_then_linear}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600, help="of the CPU, on one thread (600)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ASSETS / "cifar10_vae.safetensors")
    arguments = parser.parse_args()

    cifar = data.load_cifar10()
    if cifar.is_stand_in:
        raise SystemExit(f"a VAE for the course needs the real CIFAR-10, but there is only: {cifar.note}")
    decoder = json.loads(read_metadata(ASSETS / "cifar10_generator.safetensors")["network"])
    torch.manual_seed(arguments.seed)
    model = VAE(
        conv_encoder(**ENCODER),
        pytorch_initialised(dcgan_generator(**decoder)),
        likelihood=gaussian(VARIANCE),
        lr=2e-3,
    )
    marks = [arguments.seconds * part / 10 for part in range(1, 11)]

    def look(run, spent: float) -> None:
        if marks and spent >= marks[0]:
            marks.pop(0)
            print(
                f"{spent:.0f} CPU seconds, {run.images_seen:,} images, {model.summary(run.history)}",
                flush=True,
            )

    run, spent = train_for(
        arguments.seconds,
        model,
        data.image_sampler(cifar.images),
        look=look,
        seed=arguments.seed,
        **TRAINING,
    )
    # What ships is what is scored: weights rounded to half precision.
    autoencoder = run.average.half().float()
    frechet = frechet_evaluator("cifar10")(autoencoder)
    test = data.to_model_range(data.load_cifar10("test").images[:1_000])
    bound = elbo(autoencoder, test, model.density)
    metadata = {
        "encoder": json.dumps(ENCODER),
        "decoder": json.dumps(decoder),
        "variance": str(VARIANCE),
        "made_by": f"python -m tools.ship_colour_vae --seconds {arguments.seconds:g} "
        f"--seed {arguments.seed}, on {cifar.note or 'CIFAR-10, full training set'}; "
        f"{run.images_seen:,} images",
        "images": str(run.images_seen),
        "cpu_seconds": f"{spent:.0f}",
        "seed": str(arguments.seed),
        "frechet": f"{frechet:.2f}",
        "rate": f"{bound.rate:.1f}",
    }
    save_weights(autoencoder, arguments.output, metadata, half=True)
    print(
        f"Fréchet distance {frechet:.2f}, rate {bound.rate:.1f} nats after {spent:.0f} CPU seconds; "
        f"written to {arguments.output}"
    )


if __name__ == "__main__":
    main()
