"""Settings that were found by measuring, as keyword arguments of `train_gan`."""

# For `course_utils.models.mnist_dcgan`: train_gan(*mnist_dcgan(), draw_real, images=..., **MNIST_DCGAN).
MNIST_DCGAN = {
    "loss": "non_saturating",
    "batch_size": 64,
    "generator_lr": 3e-3,
    "discriminator_lr": 3e-3,
    "betas": (0.0, 0.99),  # β₁ 0.5, as in DCGAN, doubles the Fréchet distance at equal time
    "ema_half_life": 5_000,
}
