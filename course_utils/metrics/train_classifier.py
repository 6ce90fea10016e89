"""Train the classifier whose features measure the generated images:

python -m course_utils.metrics.train_classifier mnist          # about a minute on two cores
python -m course_utils.metrics.train_classifier cifar10        # about half an hour on two cores

Run it with the real data in place. It writes course_utils/assets/NAME_classifier.safetensors in half
precision, with the accuracy on the test set and the command in the file's metadata.
"""

import argparse
import time
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils import data
from course_utils.files import save_weights
from course_utils.metrics.classifiers import ARCHITECTURES, Classifier, asset, in_batches
from course_utils.runtime import autocast_dtype, pick_device


class Recipe(NamedTuple):
    """How long and how hard to train. The learning rate rises for a quarter of the steps, then falls."""

    epochs: int
    learning_rate: float
    shift: int  # images are moved by up to this many pixels each way
    flip: bool  # and mirrored, where a mirrored image is still the same thing (a truck is, a 2 is not)
    batch_size: int = 128
    weight_decay: float = 5e-4
    label_smoothing: float = 0.05


RECIPES = {
    "mnist": Recipe(epochs=12, learning_rate=0.1, shift=2, flip=False),
    "cifar10": Recipe(epochs=12, learning_rate=0.2, shift=4, flip=True),
}


def train(
    classifier: Classifier, images: Tensor, labels: Tensor, recipe: Recipe, seed: int = 0
) -> Classifier:
    """Minimise the cross-entropy by SGD with Nesterov momentum on shifted (and mirrored) images.

    Args:
        classifier: network from (N, C, H, W) in [-1, 1] to logits (N, 10).
        images: uint8 (N, C, H, W), N ≥ recipe.batch_size.
        labels: int64 (N,), the class of each image.

    Returns:
        The same classifier, trained, in evaluation mode.
    """
    device = next(classifier.parameters()).device
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(
        classifier.parameters(),
        lr=recipe.learning_rate,
        momentum=0.9,
        nesterov=True,
        weight_decay=recipe.weight_decay,
    )
    steps = len(images) // recipe.batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=recipe.epochs * steps, pct_start=0.25
    )
    dtype = autocast_dtype(device, classifier)
    classifier.train().to(memory_format=torch.channels_last)  # the faster layout for convolutions this small
    for epoch in range(recipe.epochs):
        start, total_loss = time.perf_counter(), 0.0
        for chosen in torch.randperm(len(images), generator=rng).split(recipe.batch_size)[:steps]:
            batch = augment(data.to_model_range(images[chosen]), recipe, rng).to(device)
            with torch.autocast(device.type, dtype=dtype or torch.bfloat16, enabled=dtype is not None):
                logits = classifier(batch)
            loss = F.cross_entropy(
                logits.float(), labels[chosen].to(device), label_smoothing=recipe.label_smoothing
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total_loss += loss.item()
        seconds = time.perf_counter() - start
        print(
            f"epoch {epoch + 1}/{recipe.epochs}: loss {total_loss / steps:.3f}, {seconds:.0f} s", flush=True
        )
    return classifier.eval()


def augment(images: Tensor, recipe: Recipe, rng: torch.Generator) -> Tensor:
    """Move each image by its own random shift, and mirror half of them if the recipe says so."""
    count, _, height, width = images.shape
    padded = F.pad(images, [recipe.shift] * 4, mode="replicate")
    shifts = torch.randint(2 * recipe.shift + 1, (2, count, 1, 1), generator=rng)
    rows = (shifts[0] + torch.arange(height)[:, None])[:, None]  # (N, 1, H, 1)
    columns = (shifts[1] + torch.arange(width))[:, None]  # (N, 1, 1, W)
    if recipe.flip:
        mirrored = torch.rand(count, 1, 1, 1, generator=rng) < 0.5
        columns = torch.where(mirrored, columns.flip(-1), columns)
    numbers, channels = torch.arange(count)[:, None, None, None], torch.arange(images.shape[1])[:, None, None]
    return padded[numbers, channels, rows, columns]


def accuracy(classifier: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Fraction of the images whose largest logit is at their label.

    Args:
        images: uint8 (N, C, H, W).
        labels: int64 (N,).
    """
    device = next(classifier.parameters()).device
    predicted = in_batches(classifier, data.to_model_range(images).to(device)).argmax(1)
    return (predicted.cpu() == labels).double().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="where to write (default: the course's assets)")
    arguments = parser.parse_args()
    name, seed = arguments.name, arguments.seed

    training, test = data.load(name, "train"), data.load(name, "test")
    if training.is_stand_in or test.is_stand_in:
        raise SystemExit(
            f"a classifier for the course needs the real {name}, but there is only: {training.note}"
        )
    torch.manual_seed(seed)
    classifier = ARCHITECTURES[name]().to(pick_device())
    train(classifier, training.images, training.labels, RECIPES[name], seed)

    # what ships is what is scored: weights rounded to half precision
    classifier.load_state_dict({key: value.half().float() for key, value in classifier.state_dict().items()})
    test_accuracy = accuracy(classifier, test.images, test.labels)
    path = arguments.output or asset(name)
    save_weights(
        classifier,
        path,
        {
            "test_accuracy": f"{test_accuracy:.4f}",
            "trained_on": training.note or f"{name}, full training set",
            "command": f"python -m course_utils.metrics.train_classifier {name} --seed {seed}",
        },
        half=True,
    )
    print(f"test accuracy {test_accuracy:.2%}; written to {path} ({path.stat().st_size / 1e6:.2f} MB)")


if __name__ == "__main__":
    main()
