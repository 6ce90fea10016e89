"""The small classifiers whose features measure images: a network that sorts digits knows what makes a digit.

They ship with the course (course_utils/assets); `course_utils.metrics.train_classifier` trains them anew.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from course_utils.data import check_images
from course_utils.files import ASSETS, load_weights, read_metadata


class Classifier(nn.Module):
    """logits(x) = head(features(x)): what the metrics need of a network.

    `image_shape` is (C, H, W) of its images, `num_features` the length of its feature vector. A
    shipped one also has its `test_accuracy` (fraction of the test images that it gets right) and what it
    was `trained_on`.
    """

    test_accuracy = float("nan")
    trained_on = ""

    def __init__(self, image_shape: tuple[int, int, int], layers: nn.Module, num_features: int):
        super().__init__()
        self.image_shape = image_shape
        self.num_features = num_features
        self.layers = layers
        self.head = nn.Linear(num_features, 10)

    def features(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] → feature vectors (N, num_features), all ≥ 0."""
        return self.layers(images)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H, W) in [-1, 1] → logits (N, 10)."""
        return self.head(self.features(images))


class Residual(nn.Module):
    """relu(x + layers(x))  (He et al. 2016, arXiv:1512.03385)."""

    def __init__(self, layers: nn.Module):
        super().__init__()
        self.layers = layers

    def forward(self, maps: Tensor) -> Tensor:
        return torch.relu(maps + self.layers(maps))


def mnist_classifier() -> Classifier:
    """28×28 grey → 64 features. The last map is flattened, not averaged: where a stroke lies must count."""
    layers = nn.Sequential(
        *convolution(1, 16),  # 16×28×28
        nn.MaxPool2d(2),
        *convolution(16, 32),  # 32×14×14
        nn.MaxPool2d(2),
        *convolution(32, 64),  # 64×7×7
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 64),
        nn.ReLU(),
    )
    return Classifier((1, 28, 28), layers, num_features=64)


def cifar10_classifier() -> Classifier:
    """32×32 colour → 128 features: a residual network of seven convolutions, averaged over the last map."""
    layers = nn.Sequential(
        *convolution(3, 32),  # 32×32×32
        *convolution(32, 64, stride=2),  # 64×16×16
        Residual(nn.Sequential(*convolution(64, 64), *convolution(64, 64)[:-1])),
        *convolution(64, 128, stride=2),  # 128×8×8
        Residual(nn.Sequential(*convolution(128, 128), *convolution(128, 128)[:-1])),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return Classifier((3, 32, 32), layers, num_features=128)


ARCHITECTURES = {"mnist": mnist_classifier, "cifar10": cifar10_classifier}


@cache
def load_classifier(name: str) -> Classifier:
    """The course's trained classifier for "mnist" or "cifar10", in evaluation mode and without gradients.

    Kept in memory: the second call returns the same network.

    Raises:
        ValueError: no such data set.
    """
    if name not in ARCHITECTURES:
        raise ValueError(f"classifier must be one of {', '.join(ARCHITECTURES)}, got {name!r}")
    classifier = load_weights(ARCHITECTURES[name](), asset(name))
    metadata = read_metadata(asset(name))
    classifier.test_accuracy = float(metadata["test_accuracy"])
    classifier.trained_on = metadata["trained_on"]
    return classifier.eval().requires_grad_(False)


def asset(name: str) -> Path:
    """Where the weights of the classifier for a data set lie."""
    return ASSETS / f"{name}_classifier.safetensors"


@torch.no_grad()
def in_batches(function, images: Tensor, batch_size: int = 100) -> Tensor:
    """function(images), computed batch by batch so that ten thousand images fit into memory.

    Small batches are the faster ones on a CPU: in batches of 500, a layer's maps are so large that the system
    hands out their memory anew for each of them, and CIFAR-10's features take twice as long.

    Args:
        function: of images (n, C, H, W), e.g. a `Classifier` or its `features`.
        images: (N, C, H, W) in [-1, 1].
    """
    check_images(images)
    return torch.cat([function(batch) for batch in images.float().split(batch_size)])


def convolution(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    """3×3 convolution, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
