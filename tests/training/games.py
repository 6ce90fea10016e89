"""What the tests of the training loop share: a GAN trained in one call, its settings and the loop's mixed."""

from dataclasses import fields

from course_utils.training import GAN, Run, train

GAME = [field.name for field in fields(GAN)[2:]]


def train_gan(generator, discriminator, draw, **options) -> Run:
    """`train(GAN(generator, discriminator, …), draw, …)`: each option goes where it belongs."""
    game = {name: options.pop(name) for name in GAME if name in options}
    return train(GAN(generator, discriminator, **game), draw, **options)
