"""Settings that were found by measuring, as keyword arguments of `train_gan`.

What each choice buys: see docs/benchmarks.md.
"""

from course_utils.training.augmentation import flip

DCGAN = {
    "loss": "non_saturating",
    "batch_size": 64,
    "generator_lr": 2e-3,
    "discriminator_lr": 2e-3,
    "betas": (0.0, 0.99),
}

# For `course_utils.models.mnist_dcgan`: train_gan(*mnist_dcgan(), draw_real, images=..., **MNIST_DCGAN).
MNIST_DCGAN = {**DCGAN, "ema_half_life": 5_000}

# For `course_utils.models.cifar10_dcgan`.
CIFAR10_DCGAN = {**DCGAN, "augment": flip, "ema_half_life": 2_500}
