import pytest

from course_utils.models import (
    count_parameters,
    dcgan_generator,
    mlp_generator,
)


def test_the_number_of_weights_is_that_of_the_layers():
    hidden, output = (2 * 3 + 3), (3 * 2 + 2)
    assert count_parameters(mlp_generator((2,), 2, hidden=(3,))) == hidden + output


def test_sizes_must_be_positive():
    with pytest.raises(ValueError, match=r"positive integers, got \(0, 128, 128\)"):
        mlp_generator((2,), 0)
    with pytest.raises(ValueError, match="positive integers"):
        dcgan_generator(width=-1)
