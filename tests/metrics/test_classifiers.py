"""The shipped classifiers: as good as they claim, small, and the same on every call."""

import math

import pytest
import torch

from course_utils import data
from course_utils.metrics import in_batches, load_classifier
from course_utils.metrics.classifiers import ARCHITECTURES, asset
from course_utils.metrics.train_classifier import accuracy

LEAST_ACCURACY = {"mnist": 0.985, "cifar10": 0.80}
TEST_IMAGES = {"mnist": 10_000, "cifar10": 2_000}  # enough to tell; all of CIFAR-10 would take half a minute


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_accuracy_it_ships_with_is_the_accuracy_it_has(name):
    test = data.load(name, "test")
    if test.is_stand_in:
        pytest.skip(f"the real {name} test set is not in the data folder")
    classifier, count = load_classifier(name), TEST_IMAGES[name]
    claimed = classifier.test_accuracy
    measured = accuracy(classifier, test.images[:count], test.labels[:count])
    standard_error = math.sqrt(claimed * (1 - claimed) / count)
    tolerance = 5e-4 if count == len(test.images) else 4 * standard_error
    assert abs(measured - claimed) < tolerance
    assert claimed >= LEAST_ACCURACY[name]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_it_is_small_and_says_where_it_comes_from(name):
    assert asset(name).stat().st_size < 1_000_000
    assert load_classifier(name).trained_on


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_features_are_the_same_on_every_call_and_in_every_batch(name):
    classifier = load_classifier(name)
    images = 2 * torch.rand(12, *classifier.image_shape, generator=torch.Generator().manual_seed(0)) - 1
    features = in_batches(classifier.features, images)
    assert features.shape == (12, classifier.num_features)
    assert not classifier.training and not any(p.requires_grad for p in classifier.parameters())
    assert torch.equal(features, in_batches(classifier.features, images))
    assert torch.allclose(features, in_batches(classifier.features, images, batch_size=5), atol=1e-5)
    assert torch.allclose(classifier(images), classifier.head(features), atol=1e-5)


def test_the_digits_classifier_knows_even_the_stand_in_digits(tmp_path):
    digits = data.load("mnist", "test", folder=tmp_path, download=False)
    assert (
        accuracy(load_classifier("mnist"), digits.images, digits.labels) > 0.7
    )  # drawn by other hands, upsampled


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(ValueError, match="mnist, cifar10, got 'svhn'"):
        load_classifier("svhn")
