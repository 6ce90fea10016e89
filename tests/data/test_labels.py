"""Wrong and few labels: how many stay right, which are kept, and from where the others come."""

import pytest
import torch

from course_utils.data import few_labels, labelled_modes, ring, spread_labels, two_moons, with_wrong_labels


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 1.0])
def test_of_wrong_labels_one_in_ten_is_right_by_chance(fraction):
    labels = torch.arange(50_000) % 10
    wrong = with_wrong_labels(labels, fraction, rng())
    assert torch.equal(labels, torch.arange(50_000) % 10)  # a new tensor
    right = (wrong == labels).float().mean().item()
    assert right == pytest.approx(1 - fraction + fraction / 10, abs=0.005)
    confusion = torch.bincount(10 * labels + wrong, minlength=100).view(10, 10) / 5_000
    off = confusion[~torch.eye(10, dtype=torch.bool)]
    assert (off - fraction / 10).abs().max() < 0.02  # every class is taken for every other equally often
    assert torch.equal(wrong, with_wrong_labels(labels, fraction, rng()))


def test_a_fraction_and_labels_are_checked():
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 10"):
        with_wrong_labels(torch.arange(10), 10)
    with pytest.raises(ValueError, match="whole numbers"):
        with_wrong_labels(torch.rand(10), 0.1)


def test_few_labels_are_as_many_of_each_class_and_chosen_at_random():
    labels = torch.tensor([0, 1, 2] * 40)
    places = few_labels(labels, per_class=5, rng=rng())
    assert labels[places].tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert places.unique().numel() == 15
    assert not torch.equal(places, few_labels(labels, per_class=5, rng=rng(1)))
    with pytest.raises(ValueError, match="class 0 has 40 samples, fewer than 41"):
        few_labels(labels, per_class=41)


def test_an_image_gets_the_label_of_the_nearest_one_that_has_one():
    grey = torch.tensor([0, 10, 200, 120, 255, 90], dtype=torch.uint8)
    images = grey.view(6, 1, 1, 1).expand(6, 1, 4, 4)
    places, labels = torch.tensor([0, 4]), torch.tensor([7, 3])
    assert spread_labels(images, places, labels).tolist() == [7, 7, 3, 7, 3, 7]
    doubled = torch.cat([images, images[:1]])  # the same image twice, labelled differently
    found = spread_labels(doubled, torch.tensor([0, 6]), torch.tensor([7, 3]))
    assert (found[0], found[6]) == (7, 3)
    with pytest.raises(ValueError, match="label for each place"):
        spread_labels(images, places, labels[:1])


def test_points_come_with_the_mode_they_were_drawn_from():
    density = ring(8)
    points, modes = labelled_modes(density)(20_000, rng())
    assert modes.dtype == torch.int64 and points.shape == (20_000, 2)
    assert (torch.bincount(modes, minlength=8) / 20_000 - 1 / 8).abs().max() < 0.01
    rest = points - density.modes[modes]
    assert (rest.std(0) - density.std).abs().max() < 0.002 and rest.mean(0).abs().max() < 0.003
    with pytest.raises(ValueError, match="two moons has no modes"):
        labelled_modes(two_moons())
