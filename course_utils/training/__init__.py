"""Training: one loop, the models on it, and what they need: averages, checkpoints, progress, interruption."""

from course_utils.training.average import tenth_of_images
from course_utils.training.conditional import (
    auxiliary_classifier,
    code_entropy,
    code_information,
    code_log_likelihood,
    coded,
    conditional_gan,
    toy_conditional,
)
from course_utils.training.cycle import CycleErrors, cycle_errors, cyclegan, noisy
from course_utils.training.encoders import bidirectional_gan, invert
from course_utils.training.flow import FlowMatching, flow_matching_loss
from course_utils.training.gan import GAN, Auxiliary, bidirectional, conditional, plain, translation, unpaired
from course_utils.training.history import TrainingDiverged
from course_utils.training.loop import Run, constant_then_linear, train
from course_utils.training.mixture import fit_image_mixture, fit_mixture
from course_utils.training.progress import progress
from course_utils.training.recipes import (
    CIFAR10_CLASSES,
    CIFAR10_DCGAN,
    MNIST_CONDITIONAL,
    MNIST_DCGAN,
    MNIST_MLP,
    MNIST_QUICK,
    MNIST_VAE,
    Recipe,
    toy_gan,
)
from course_utils.training.timed import train_for
from course_utils.training.translation import Regression, pix2pix, reconstruction_term
from course_utils.training.vae import VAE
from course_utils.training.vae_gan import feature_likelihood, vae_gan

__all__ = [
    "CIFAR10_CLASSES",
    "CIFAR10_DCGAN",
    "GAN",
    "MNIST_CONDITIONAL",
    "MNIST_DCGAN",
    "MNIST_MLP",
    "MNIST_QUICK",
    "MNIST_VAE",
    "VAE",
    "Auxiliary",
    "CycleErrors",
    "FlowMatching",
    "Recipe",
    "Regression",
    "Run",
    "TrainingDiverged",
    "auxiliary_classifier",
    "bidirectional",
    "bidirectional_gan",
    "code_entropy",
    "code_information",
    "code_log_likelihood",
    "coded",
    "conditional",
    "conditional_gan",
    "constant_then_linear",
    "cycle_errors",
    "cyclegan",
    "feature_likelihood",
    "fit_image_mixture",
    "fit_mixture",
    "flow_matching_loss",
    "invert",
    "noisy",
    "pix2pix",
    "plain",
    "progress",
    "reconstruction_term",
    "tenth_of_images",
    "toy_conditional",
    "toy_gan",
    "train",
    "train_for",
    "translation",
    "unpaired",
    "vae_gan",
]
