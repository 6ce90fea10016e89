"""Training loops, and what they need: averaging, checkpoints, progress, the stop button."""

from course_utils.models import sample
from course_utils.training.gan import Run, constant_then_linear, train_gan
from course_utils.training.history import TrainingDiverged
from course_utils.training.progress import progress
from course_utils.training.recipes import CIFAR10_DCGAN, MNIST_DCGAN

__all__ = [
    "CIFAR10_DCGAN",
    "MNIST_DCGAN",
    "Run",
    "TrainingDiverged",
    "constant_then_linear",
    "progress",
    "sample",
    "train_gan",
]
