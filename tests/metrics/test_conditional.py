import pytest
import torch

from course_utils.metrics import agreement, diversity_within


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
