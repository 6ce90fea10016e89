"""Train the generator of digits that ships with the course, and draw the README's picture with it:

python -m tools.ship_generator          # about four and a half minutes on two cores

Run it with the real data in place. It trains the pair of notebook 05 with the same settings,
only for longer, and writes course_utils/assets/mnist_generator.safetensors (in half precision) and
docs/images/digits.png.
"""

import argparse
import json
from pathlib import Path

import torch
from matplotlib.image import imsave

from course_utils import data, plots
from course_utils.files import ASSETS, load_weights, save_weights
from course_utils.metrics import frechet_evaluator
from course_utils.models import dcgan_generator, sample
from course_utils.runtime import pick_device
from course_utils.training import MNIST_DCGAN, train

# The arguments of `dcgan_generator` in `mnist_dcgan`, for the file.
NETWORK = {"image_shape": [1, 28, 28], "latent_dim": 32, "width": 32, "extra_convs": 1}
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "digits.png"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ASSETS / "mnist_generator.safetensors")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    arguments = parser.parse_args()

    mnist = data.load_mnist()
    if mnist.is_stand_in:
        raise SystemExit(f"a generator for the course needs the real MNIST, but there is only: {mnist.note}")
    torch.manual_seed(arguments.seed)
    run = train(
        MNIST_DCGAN.gan(),
        data.image_sampler(mnist.images, pick_device()),
        images=arguments.images,
        seed=arguments.seed,
        snapshot_every=100_000,
        **MNIST_DCGAN.training,
    )
    if run.interrupted:
        raise SystemExit("stopped before the end; nothing was written")

    # What ships is what is scored: weights rounded to half precision.
    frechet = frechet_evaluator("mnist")(run.average.half().float())
    metadata = {
        "network": json.dumps(NETWORK),
        "made_by": f"python -m tools.ship_generator --images {run.images_seen} --seed {arguments.seed}, on "
        + (mnist.note or "MNIST, full training set"),
        "images": str(run.images_seen),
        "seed": str(arguments.seed),
        "frechet": f"{frechet:.2f}",
    }
    save_weights(run.average, arguments.output, metadata, half=True)
    print(f"Fréchet distance {frechet:.2f} after {run.seconds:.0f} s; written to {arguments.output}")
    draw(load_weights(dcgan_generator(**NETWORK), arguments.output), arguments.picture)


def draw(generator: torch.nn.Module, path: Path, columns: int = 20, rows: int = 6, zoom: int = 2) -> None:
    """The first samples of the generator, none chosen, black on white as on paper."""
    picture = plots.tile(-sample(generator, columns * rows), columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    imsave(path, picture.repeat(zoom, axis=0).repeat(zoom, axis=1))


if __name__ == "__main__":
    main()
