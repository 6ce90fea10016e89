"""Training: one loop, the models on it, and what they need: averages, checkpoints, progress, interruption."""

from course_utils.training.gan import GAN, bidirectional, conditional, plain, translation
from course_utils.training.history import TrainingDiverged
from course_utils.training.loop import Run, constant_then_linear, train
from course_utils.training.progress import progress
from course_utils.training.recipes import (
    CIFAR10_CLASSES,
    CIFAR10_DCGAN,
    MNIST_DCGAN,
    MNIST_MLP,
    MNIST_VAE,
    Recipe,
    toy_gan,
)
from course_utils.training.vae import VAE

__all__ = [
    "CIFAR10_CLASSES",
    "CIFAR10_DCGAN",
    "GAN",
    "MNIST_DCGAN",
    "MNIST_MLP",
    "MNIST_VAE",
    "VAE",
    "Recipe",
    "Run",
    "TrainingDiverged",
    "bidirectional",
    "conditional",
    "constant_then_linear",
    "plain",
    "progress",
    "toy_gan",
    "train",
    "translation",
]
