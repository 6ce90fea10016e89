"""A second evaluator, that nothing is tuned on: classifiers of another architecture and another seed.

Recipes are chosen with `frechet_evaluator`. A recipe could fit its one classifier better than it fits the
images; then this one would not agree. Train its classifiers anew with the real data in place:

python -m course_utils.metrics.referee mnist          # about a minute on one core
python -m course_utils.metrics.referee cifar10        # about ten minutes on one core
"""

import argparse
from functools import cache, lru_cache
from pathlib import Path

import torch
from torch import nn

from course_utils import data
from course_utils.files import ASSETS, load_weights, read_metadata, save_weights
from course_utils.metrics.classifiers import Classifier, in_batches
from course_utils.metrics.frechet import FrechetEvaluator, feature_statistics
from course_utils.metrics.train_classifier import Recipe, accuracy, train

SEED = 1  # the first evaluator's classifiers have 0


def mnist_referee() -> Classifier:
    """28×28 grey → 96 features: strides in the place of pooling, GELU in that of ReLU."""
    layers = nn.Sequential(
        *_convolution(1, 24, kernel_size=5, stride=2, padding=2),  # 24×14×14
        *_convolution(24, 48, kernel_size=3, stride=2, padding=1),  # 48×7×7
        *_convolution(48, 48, kernel_size=3, padding=1),
        nn.Flatten(),
        nn.Linear(48 * 7 * 7, 96),
        nn.ReLU(),
    )
    return Classifier((1, 28, 28), layers, num_features=96)


def cifar10_referee() -> Classifier:
    """32×32 colour → 256 features: a plain network, with maxima where the first one has means."""
    layers = nn.Sequential(
        *_convolution(3, 64, kernel_size=4, stride=2, padding=1),  # 64×16×16
        *_convolution(64, 64, kernel_size=3, padding=1),
        nn.MaxPool2d(2),
        *_convolution(64, 128, kernel_size=3, padding=1),  # 128×8×8
        *_convolution(128, 128, kernel_size=3, padding=1),
        nn.MaxPool2d(2),
        *_convolution(128, 256, kernel_size=3, padding=1),  # 256×4×4
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.ReLU(),
    )
    return Classifier((3, 32, 32), layers, num_features=256)


ARCHITECTURES = {"mnist": mnist_referee, "cifar10": cifar10_referee}
RECIPES = {
    "mnist": Recipe(epochs=6, learning_rate=0.1, shift=2, flip=False),
    "cifar10": Recipe(epochs=10, learning_rate=0.1, shift=4, flip=True),
}


@cache
def load_referee(name: str) -> Classifier:
    """The second evaluator's classifier for "mnist" or "cifar10", in evaluation mode and without gradients.

    Raises:
        ValueError: no such data set.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"referee must be one of {', '.join(ARCHITECTURES)}, got {name!r}")
    metadata = read_metadata(asset(name))
    classifier = load_weights(ARCHITECTURES[name](), asset(name))
    classifier.test_accuracy = float(metadata["test_accuracy"])
    classifier.trained_on = metadata["trained_on"]
    return classifier.eval().requires_grad_(False)


def referee(name: str) -> FrechetEvaluator:
    """The second evaluator for "mnist" or "cifar10": evaluate(generator) → Fréchet distance to test images.

    Statistics of the real images are computed at the first call, in seconds. Its distances compare with
    each other, not with those of `frechet_evaluator`.

    Raises:
        ValueError: no such data set.
    """
    return _referee(name, data.data_folder())


@lru_cache(maxsize=4)
def _referee(name: str, folder: Path) -> FrechetEvaluator:
    classifier = load_referee(name)
    test = data.load(name, "test", folder=folder)
    real = in_batches(classifier.features, data.to_model_range(test.images))
    return FrechetEvaluator(name, feature_statistics(real), classifier, test.note)


def asset(name: str) -> Path:
    """Where the weights lie."""
    return ASSETS / f"{name}_referee.safetensors"


def _convolution(inputs: int, outputs: int, **kernel) -> list[nn.Module]:
    """Convolution, GELU, batch normalisation, in this order."""
    return [nn.Conv2d(inputs, outputs, **kernel), nn.GELU(), nn.BatchNorm2d(outputs)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted(ARCHITECTURES))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, help="where to write (default: the course's assets)")
    arguments = parser.parse_args()
    name, seed = arguments.name, arguments.seed
    training, test = data.load(name, "train"), data.load(name, "test")
    if training.is_stand_in or test.is_stand_in:
        raise SystemExit(f"a referee needs the real {name}, but there is only: {training.note}")
    torch.manual_seed(seed)
    classifier = train(ARCHITECTURES[name](), training.images, training.labels, RECIPES[name], seed)
    # what ships is what is scored: weights rounded to half precision
    classifier.load_state_dict({key: value.half().float() for key, value in classifier.state_dict().items()})
    metadata = {
        "test_accuracy": f"{accuracy(classifier, test.images, test.labels):.4f}",
        "trained_on": training.note or f"{name}, full training set",
        "command": f"python -m course_utils.metrics.referee {name} --seed {seed}",
    }
    save_weights(classifier, arguments.output or asset(name), metadata, half=True)
    print(f"test accuracy {float(metadata['test_accuracy']):.2%}")


if __name__ == "__main__":
    main()
