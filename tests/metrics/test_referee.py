"""The second evaluator: another network than the first one's, and of the same opinion about what is plain."""

import pytest
import torch

from course_utils import data
from course_utils.files import ASSETS
from course_utils.metrics import load_classifier
from course_utils.metrics.referee import ARCHITECTURES, asset, load_referee, referee

TRAINED = [name for name in sorted(ARCHITECTURES) if asset(name).exists()]


@pytest.mark.parametrize("name", TRAINED)
def test_a_referee_is_another_network_small_and_about_as_good(name):
    first, second = load_classifier(name), load_referee(name)
    shapes = [[tuple(weights.shape) for weights in network.parameters()] for network in (first, second)]
    assert shapes[0] != shapes[1]
    assert second.test_accuracy > first.test_accuracy - 0.05
    assert not second.training and not any(weights.requires_grad for weights in second.parameters())
    features = second.features(torch.rand(2, *second.image_shape) * 2 - 1)
    assert features.shape == (2, second.num_features) and features.min() >= 0
    assert asset(name).parent == ASSETS and asset(name).stat().st_size < 1_500_000


def test_its_distance_grows_with_blur_and_is_least_for_real_images():
    test = data.load("mnist", "test")
    images = data.to_model_range(test.images[:1000])
    blurred = torch.nn.functional.avg_pool2d(images, 5, stride=1, padding=2)
    distance = referee("mnist")
    assert distance(images) < 0.5 * distance(blurred)


def test_an_unknown_referee_is_told_the_known_ones():
    with pytest.raises(ValueError, match="mnist, cifar10, got 'faces'"):
        load_referee("faces")
