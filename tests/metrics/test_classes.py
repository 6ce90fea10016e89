"""Confidence and class coverage, on a classifier whose answers are known."""

import math

import pytest
import torch
from torchmetrics.image.inception import InceptionScore

from course_utils import data
from course_utils.metrics import (
    Classifier,
    class_coverage,
    classifier_confidence,
    classifier_score,
    load_classifier,
    surest_images,
)


@pytest.fixture
def by_brightness():
    """Ten classes by the mean pixel, each named with logit `certainty`."""
    classifier = Classifier((1, 4, 4), torch.nn.Flatten(), num_features=16)
    classifier.certainty = 2.0

    def forward(images):
        classes = ((images.mean((1, 2, 3)) + 1) * 5).long().clamp(0, 9)
        return classifier.certainty * torch.nn.functional.one_hot(classes, 10).float()

    classifier.forward = forward
    return classifier


def grey(*classes):
    return torch.stack([torch.full((1, 4, 4), (k + 0.5) / 5 - 1) for k in classes])


def test_confidence_is_the_largest_softmax_probability(by_brightness):
    expected = math.exp(2) / (math.exp(2) + 9)
    assert classifier_confidence(grey(0, 3, 9), by_brightness) == pytest.approx(expected, rel=1e-6)


def test_a_classifier_that_knows_nothing_has_confidence_one_in_ten(by_brightness):
    by_brightness.certainty = 0.0
    assert classifier_confidence(grey(1, 2), by_brightness) == pytest.approx(0.1)


def test_all_classes_equally_often_have_entropy_log_10(by_brightness):
    found = class_coverage(grey(*range(10), *range(10)), by_brightness)
    assert found.covered == 10
    assert found.entropy == pytest.approx(math.log(10))
    assert found.counts.tolist() == [2] * 10


def test_a_collapsed_generator_covers_one_class_with_entropy_zero(by_brightness):
    found = class_coverage(grey(*[7] * 50), by_brightness)
    assert (found.covered, found.entropy) == (1, 0.0)


def test_a_stray_image_does_not_cover_a_class(by_brightness):
    images = grey(*[7] * 300, 1, 1)
    assert class_coverage(images, by_brightness).covered == 1  # 2 of 302 are fewer than one in a hundred
    assert class_coverage(images, by_brightness, least_fraction=0.005).covered == 2


def test_a_blur_makes_the_digits_classifier_less_sure():
    digits = data.to_model_range(data.load_mnist("test").images[:300])
    blurred = torch.nn.functional.avg_pool2d(digits, 9, stride=1, padding=4)
    classifier = load_classifier("mnist")
    assert classifier_confidence(blurred, classifier) < classifier_confidence(digits, classifier) - 0.05
    assert class_coverage(digits, classifier).covered == 10
    assert class_coverage(digits[:1].repeat(300, 1, 1, 1), classifier).covered == 1


def test_the_surest_image_of_each_class_is_taken_once():
    probabilities = torch.tensor([[0.6, 0.4], [0.9, 0.1], [0.5, 0.5], [0.7, 0.3]])
    assert surest_images([0, 1, 0], probabilities) == [1, 2, 3]
    assert surest_images("10", probabilities) == [2, 1]
    assert surest_images("1111", probabilities) == [2, 0, 3, 1]  # an image taken is out for all that follow


# --- the classifier score ---


def test_it_is_torchmetrics_inception_score_of_the_same_logits():
    logits = 2 * torch.randn(200, 10, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    class Handed(torch.nn.Module):
        """A network whose "logits" are the images themselves."""

        num_features = 10

        def forward(self, images):
            return images.double()[:, :, 0, 0]

    theirs = InceptionScore(feature=Handed(), splits=1)
    theirs.update(logits[:, :, None, None])
    assert classifier_score(logits) == pytest.approx(theirs.compute()[0].item(), rel=1e-4)


def test_it_lies_between_1_and_the_number_of_classes():
    sure = 1_000 * torch.eye(5).repeat(3, 1)
    assert classifier_score(sure) == pytest.approx(5)
    assert classifier_score(sure[:1].repeat(9, 1)) == pytest.approx(1)  # sure, and always the same
    assert classifier_score(torch.zeros(9, 5)) == pytest.approx(1)  # never sure
    assert classifier_score(sure[:5][[0, 1, 0, 1]]) == pytest.approx(2)


def test_what_are_no_logits_is_refused():
    with pytest.raises(ValueError, match=r"finite and \(N, K\)"):
        classifier_score(torch.zeros(5))
    with pytest.raises(ValueError, match="finite"):
        classifier_score(torch.full((3, 2), float("nan")))
