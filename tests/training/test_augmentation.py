"""Differentiable augmentation: what it may change of an image, and what it may not."""

import pytest
import torch

from course_utils.training.augmentation import augment, colour, flip, translate

OPERATIONS = [flip, colour, translate, augment]


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def images(n=400):
    return torch.rand(n, 3, 16, 16, generator=rng(1)) * 2 - 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_same_seed_same_change_and_another_for_each_image(operation):
    one = images(1).repeat(64, 1, 1, 1)
    changed = operation(one, rng())
    assert torch.equal(changed, operation(one, rng()))
    assert changed.shape == one.shape
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_gradients_reach_the_images(operation):
    x = images(4).requires_grad_()
    operation(x, rng()).square().sum().backward()
    assert x.grad.abs().sum() > 0


def test_half_of_the_images_are_mirrored_left_for_right():
    x = images()
    flipped = flip(x, rng())
    as_it_was = (flipped == x).flatten(1).all(1)
    mirrored = (flipped == x.flip(3)).flatten(1).all(1)
    assert (as_it_was ^ mirrored).all()
    assert abs(mirrored.float().mean() - 0.5) < 0.1  # four standard deviations of a fair coin, 400 times


def test_translation_moves_by_up_to_an_eighth_and_fills_with_zeros():
    x = torch.zeros(2_000, 1, 16, 16)
    x[:, :, 8, 8] = 1  # one white pixel: where does it go?
    moved = translate(x, rng())
    assert moved.sum((1, 2, 3)).eq(1).all()
    places = moved.flatten(1).argmax(1)
    assert set((places // 16).tolist()) == set((places % 16).tolist()) == {6, 7, 8, 9, 10}
    for _, times in zip(*places.unique(return_counts=True), strict=True):
        assert abs(times - 2_000 / 25) < 5 * 80**0.5  # the 25 places are equally likely
    assert (translate(torch.ones(50, 1, 16, 16), rng()) == 0).any()


def test_translation_keeps_channels_together():
    x = images(50)
    moved = translate(x, rng())
    for channel in range(3):
        assert torch.equal(moved[:, channel], translate(x[:, channel : channel + 1], rng())[:, 0])


def test_colour_keeps_hue_order_and_brightness_moves_by_at_most_a_half():
    x = images(2_000)
    changed = colour(x, rng())
    shift = (changed - x).mean((1, 2, 3))  # saturation and contrast leave an image's mean as it is
    assert shift.abs().max() <= 0.5 + 1e-5
    assert shift.min() < -0.4
    assert shift.max() > 0.4
    spread = changed.mean(1).std((1, 2)) / x.mean(1).std((1, 2))  # of the grey image: contrast alone
    assert 0.5 - 1e-4 < spread.min() < 0.55
    assert 1.45 < spread.max() < 1.5 + 1e-4
    vivid = (changed - changed.mean(1, keepdim=True)).flatten(1).norm(dim=1)
    vivid = vivid / (x - x.mean(1, keepdim=True)).flatten(1).norm(dim=1) / spread  # saturation alone
    assert vivid.min() < 0.1
    assert 1.9 < vivid.max() < 2 + 1e-4


def test_a_grey_image_stays_grey():
    grey = images(8)[:, :1].repeat(1, 3, 1, 1)
    changed = colour(grey, rng())
    assert torch.allclose(changed[:, 0], changed[:, 1], atol=1e-6)
    assert torch.allclose(changed[:, 0], changed[:, 2], atol=1e-6)


def test_images_without_a_batch_are_named():
    with pytest.raises(ValueError, match=r"\(N, C, H, W\), got \(3, 16, 16\)"):
        augment(torch.zeros(3, 16, 16), rng())
