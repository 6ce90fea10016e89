import pytest

from course_utils.files import ASSETS
from course_utils.models import (
    load_generator,
    sample,
)


def test_the_shipped_generator_is_ready_to_sample_and_says_how_it_was_made():
    generator = load_generator("mnist")
    assert not generator.training and not any(weight.requires_grad for weight in generator.parameters())
    assert "MNIST" in generator.made_by
    digits = sample(generator, 8)
    assert digits.shape == (8, 1, 28, 28)
    assert digits.std() > 0.3  # white on black, not grey: its weights are trained ones
    assert load_generator("mnist") is generator


def test_the_shipped_generator_of_colour_is_small_and_says_how_it_was_made():
    generator = load_generator("cifar10")
    images = sample(generator, 64)
    assert images.shape == (64, 3, 32, 32)
    assert images.std(0).mean() > 0.3  # the samples differ from each other
    assert "images in" in generator.made_by
    assert (ASSETS / "cifar10_generator.safetensors").stat().st_size < 3_000_000


def test_unknown_generators_are_told_the_known_ones():
    with pytest.raises(ValueError, match=r"mnist.*got 'faces'"):
        load_generator("faces")
