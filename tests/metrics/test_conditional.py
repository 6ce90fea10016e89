from itertools import permutations

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import accuracy_score

from course_utils.metrics import (
    FrechetEvaluator,
    agreement,
    best_naming,
    conditional_scores,
    diversity_within,
    feature_statistics,
    frechet_distance,
)
from course_utils.metrics.classifiers import Classifier


def test_agreement_is_the_fraction_read_as_what_was_asked_for():
    logits = torch.eye(4)[[0, 1, 2, 3, 0]]
    assert agreement(logits, torch.tensor([0, 1, 2, 0, 1])) == pytest.approx(0.6)


def test_twice_as_far_apart_is_four_times_the_diversity_wherever_the_classes_lie():
    rng = torch.Generator().manual_seed(0)
    labels = torch.arange(4_000) % 4
    real = torch.randn(4_000, 3, generator=rng) + 10.0 * labels[:, None]
    wide = 2 * torch.randn(4_000, 3, generator=rng) - 50.0 * labels[:, None]
    assert diversity_within(wide, labels, real, labels) == pytest.approx(4, rel=0.05)
    assert diversity_within(real, labels, real, labels) == 1


def test_one_image_a_class_has_no_diversity_however_different_the_classes_are():
    labels = torch.arange(40) % 4
    real = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    assert diversity_within(5.0 * labels[:, None].expand(-1, 3), labels, real, labels) == 0


def test_each_class_counts_alike():
    """Class 0 has as much spread as the real one, class 1 none: one half."""
    labels = torch.tensor([0] * 4 + [1] * 12)
    real, real_labels = torch.tensor([[0.0], [1], [2], [3]]).repeat(2, 1), torch.tensor([0] * 4 + [1] * 4)
    generated = torch.cat([real[:4], torch.zeros(12, 1)])
    assert diversity_within(generated, labels, real, real_labels) == pytest.approx(0.5)


def test_what_cannot_be_compared_is_said_in_a_sentence():
    rows, labels = torch.randn(4, 3), torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match="a row and a label for each sample"):
        agreement(rows, labels[:3])
    with pytest.raises(ValueError, match="class 1 has 2 generated and 1 real"):
        diversity_within(rows, labels, rows[:3], labels[:3])


def test_the_best_names_are_found_among_all_permutations():
    rng = torch.Generator().manual_seed(0)
    for _ in range(5):
        categories, classes = torch.randint(4, (2, 60), generator=rng)
        found = best_naming(categories, classes, 4)
        tried = {
            names: accuracy_score(classes, torch.tensor(names)[categories])
            for names in permutations(range(4))
        }
        assert found.agreement == pytest.approx(max(tried.values()))
        assert tried[found.names] == pytest.approx(found.agreement)


def test_renamed_classes_agree_wholly_and_one_category_for_all_no_better_than_its_commonest_class():
    classes = torch.arange(1_000) % 10
    found = best_naming((classes + 3) % 10, classes)
    assert found.agreement == 1
    assert [found.names[(one + 3) % 10] for one in range(10)] == [*range(10)]
    assert best_naming(torch.zeros(1_000, dtype=torch.long), classes).agreement == pytest.approx(0.1)


def test_the_four_scores_are_those_of_the_single_functions():
    torch.manual_seed(0)
    classifier = Classifier((1, 2, 2), torch.nn.Flatten(), num_features=4).eval()
    images, labels = torch.rand(60, 1, 2, 2) * 2 - 1, torch.arange(60) % 3
    real, real_labels = torch.rand(90, 4), torch.arange(90) % 3
    evaluator = FrechetEvaluator("toy", feature_statistics(real), classifier, "")
    found = conditional_scores(images, labels, evaluator, real, real_labels)
    with torch.no_grad():
        logits = classifier(images)
    assert found["agreement"] == agreement(logits, labels)
    assert found["diversity"] == pytest.approx(diversity_within(images.flatten(1), labels, real, real_labels))
    assert found["frechet"] == pytest.approx(frechet_distance(evaluator.real, images.flatten(1)))
    shares = logits.softmax(1).numpy()
    divergences = entropy(shares, shares.mean(0, keepdims=True), axis=1)
    assert found["inception"] == pytest.approx(np.exp(divergences.mean()), rel=1e-4)
