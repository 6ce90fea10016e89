"""The latent slider, headless: its directions are the strongest, its controls steer, it is quick to drag."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.models import ConcatenatedGenerator, dcgan_generator, mlp_generator
from course_utils.plots import alt_text
from course_utils.widgets.latent_slider import latent_slider, render, steered_latent, strongest_directions


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return dcgan_generator(latent_dim=8, width=4).eval()


def brightness(images):
    """Two classes, "dark" and "bright"."""
    mean = images.mean((1, 2, 3))
    return torch.stack([-mean, mean], dim=1) * 100


CLASSES = ("dark", "bright")


def test_the_first_direction_moves_the_first_layer_farthest():
    generator = mlp_generator((2,), latent_dim=3)
    with (
        torch.no_grad()
    ):  # the first layer stretches the third coordinate by 5, the first by 2, the second by 1
        generator[0].weight.zero_()
        generator[0].weight[:3] = torch.tensor([[0.0, 0, 5], [2, 0, 0], [0, 1, 0]])
    expected = torch.eye(3)[[2, 0, 1]]
    assert torch.allclose(strongest_directions(generator), expected, atol=1e-6)


def test_directions_are_orthonormal_and_never_flip(generator):
    directions = strongest_directions(generator)
    assert torch.allclose(directions @ directions.T, torch.eye(8), atol=1e-5)
    strengths = (generator[0].weight @ directions.T).norm(dim=0)
    assert (strengths.diff() <= 1e-5).all()
    assert (directions.gather(1, directions.abs().argmax(1, keepdim=True)) > 0).all()


def test_of_a_generator_of_classes_the_directions_are_those_of_the_latent_alone():
    """What the first layer takes behind the latent is the class: no direction leads there."""
    generator = ConcatenatedGenerator(mlp_generator((2,), latent_dim=3 + 2), classes=2)
    with torch.no_grad():
        generator.generator[0].weight.zero_()
        generator.generator[0].weight[:3] = torch.tensor(
            [[0.0, 0, 5, 9, 9], [2, 0, 0, 9, 0], [0, 1, 0, 0, 9]]
        )
    assert torch.allclose(strongest_directions(generator), torch.eye(3)[[2, 0, 1]], atol=1e-6)


def test_a_step_moves_the_latent_by_its_length(generator):
    start, moved = steered_latent(generator, 3, [0.0]), steered_latent(generator, 3, [0.0, 2.5])
    assert start.shape == (1, 8)
    assert torch.allclose(moved - start, 2.5 * strongest_directions(generator)[1], atol=1e-6)
    assert torch.equal(start, steered_latent(generator, 3, [0.0]))
    assert not torch.equal(start, steered_latent(generator, 4, [0.0]))


def test_the_picture_is_the_generators_and_the_bars_are_the_classifiers(generator):
    rendering = render(generator, brightness, start=5, step_2=1.5, classes=CLASSES)
    latent = steered_latent(generator, 5, [0.0, 1.5])
    with torch.no_grad():
        image = generator(latent)
    left, right = rendering.figure.axes
    assert np.allclose(left.images[0].get_array()[..., 0], (image[0, 0] + 1) / 2, atol=1e-6)
    probabilities = brightness(image).softmax(1)[0]
    assert [bar.get_width() for bar in right.patches] == pytest.approx(probabilities.tolist())
    assert rendering.numbers["confidence"] == pytest.approx(probabilities.max().item())
    assert CLASSES[probabilities.argmax()] in alt_text(rendering.figure)


@pytest.mark.parametrize("name", ["start", "step_1", "step_2", "step_3", "step_4"])
def test_every_control_changes_the_picture_and_survives_its_ends(generator, name):
    shown = latent_slider(generator, brightness, CLASSES)
    control = shown.controls[name]
    pictures = {shown.picture.value}
    for value in (control.min + 1, control.max):
        control.value = value
        pictures.add(shown.picture.value)
        assert shown.problem.value == ""
    assert len(pictures) == 3


def test_a_generator_without_a_linear_layer_is_refused():
    with pytest.raises(ValueError, match=r"nn.Linear that takes the latent, got a Sequential"):
        strongest_directions(nn.Sequential(nn.Tanh()))


def test_a_redraw_is_quick_enough_to_drag():
    shown = latent_slider(dcgan_generator().eval(), brightness, CLASSES)  # the size that the course ships
    seconds = []
    for step in range(10):
        start = time.perf_counter()
        shown.controls["step_1"].value = -3 + 0.1 * step
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.1  # the fastest of ten: a busy machine must not fail the test
