"""Copying: copies are found, fresh samples are not taken for copies, and a half is a half."""

import pytest
import torch
from scipy.stats import mannwhitneyu

from course_utils.metrics import copied_fraction, copying, nearest, thumbnails


def cloud(n, seed, d=5):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_nearest_by_hand():
    found = nearest(torch.tensor([[0.2], [4.0]]), torch.tensor([[0.0], [1.0], [6.0]]))
    assert found.places.tolist() == [0, 2]
    assert found.distances.tolist() == pytest.approx([0.2, 2.0])


def test_it_is_mann_and_whitneys_u():
    fake, held_out = cloud(40, 0, 1)[:, 0].abs().double(), cloud(25, 1, 1)[:, 0].abs().double()
    u = mannwhitneyu(fake.numpy(), held_out.numpy()).statistic
    assert copying(fake, held_out) == pytest.approx(1 - u / (40 * 25))
    assert copying(torch.zeros(3), torch.tensor([0.0, 1.0])) == pytest.approx(0.75)  # ties count half


def test_copies_are_found_and_fresh_samples_are_not():
    training, held_out = cloud(500, 0), nearest(cloud(400, 1), cloud(500, 0)).distances
    copies = training[:300] + 0.01 * cloud(300, 2)
    assert copying(nearest(copies, training).distances, held_out) > 0.99
    assert copying(nearest(cloud(400, 3), training).distances, held_out) == pytest.approx(0.5, abs=0.06)
    assert copying(nearest(3 * cloud(400, 4), training).distances, held_out) < 0.2


def test_the_fraction_of_vectors_is_that_of_their_distances():
    """On a line: fakes are 1 and 0 away from the training points, held-out vectors 1 and 3."""
    fake, held_out = torch.tensor([[2.0], [5.0]]), torch.tensor([[0.0], [8.0]])
    training = torch.tensor([[1.0], [5.0]])
    assert copied_fraction(fake, held_out, training) == pytest.approx((0.5 + 1 + 1 + 1) / 4)


def test_thumbnails_are_means_of_four_pixels():
    image = torch.arange(16.0).reshape(1, 1, 4, 4) / 16
    assert (thumbnails(image) * 16).tolist() == [[2.5, 4.5, 10.5, 12.5]]
