"""Holes filled from training images, and how far completions are apart."""

import pytest
import torch
from torch import nn

from course_utils import data
from course_utils.metrics import completion_spread, nearest_completion


def test_the_nearest_image_is_that_of_a_search_over_the_known_pixels():
    rng = torch.Generator().manual_seed(0)
    training = torch.rand(50, 1, 8, 8, generator=rng) * 2 - 1
    images = torch.rand(6, 1, 8, 8, generator=rng) * 2 - 1
    holes = data.rectangular_holes(6, (1, 8, 8), rng, 2, 6)
    filled, places = nearest_completion(data.cut(images, holes), training)
    for image, hole, place, found in zip(images, holes, places, filled, strict=True):
        distances = [(image - one)[~hole].square().sum() for one in training]
        assert place == int(torch.stack(distances).argmin())
        assert torch.equal(found[~hole], image[~hole])
        assert torch.equal(found[hole], training[place][hole])


def test_a_training_image_finds_itself_whatever_its_hole_hides():
    training = torch.rand(30, 3, 8, 8) * 2 - 1
    holes = data.centre_hole((3, 8, 8), 4)
    filled, places = nearest_completion(data.cut(training[10:14], holes), training)
    assert places.tolist() == [10, 11, 12, 13]
    torch.testing.assert_close(filled, training[10:14])


class Noise(nn.Module):
    """The source's image plus s · the first latent in the hole; elsewhere three times as much."""

    latent_dim = 2

    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, source, latents):
        images, holes = source[:, :1], source[:, -1:] > 0
        return images + self.scale * torch.where(holes, 1.0, 3.0) * latents[:, :1, None, None]


def test_the_spread_is_the_standard_deviation_in_the_hole():
    images = torch.zeros(400, 1, 6, 6)
    source = data.cut(images, data.centre_hole((1, 6, 6), 2))
    assert completion_spread(Noise(0.5), source) == pytest.approx(0.5, abs=0.03)
    assert completion_spread(Noise(0.0), source) == 0
    everywhere = completion_spread(Noise(0.5), images)  # no channel for a hole: −1 … nothing is missing
    assert everywhere == pytest.approx(1.5, abs=0.1)
