"""The image convention: one conversion, one check, and samplers that do no per-sample work."""

import time

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from course_utils.data import check_images, image_sampler, labelled_sampler, to_model_range, to_uint8

PIXELS = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)


def test_to_model_range_is_two_x_over_255_minus_1_and_never_leaves_the_interval():
    converted = to_model_range(PIXELS)
    assert converted.dtype == torch.float32
    assert converted.min().item() == -1.0
    assert converted.max().item() <= 1.0
    exact = 2 * np.arange(256, dtype=np.float64) / 255 - 1
    np.testing.assert_allclose(converted.flatten().numpy(), exact, atol=2e-7)


def test_to_uint8_undoes_to_model_range():
    assert torch.equal(to_uint8(to_model_range(PIXELS)), PIXELS)
    assert to_uint8(torch.tensor([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]


@pytest.mark.parametrize(
    "images, kind, words",
    [
        (PIXELS, TypeError, ["uint8", "(1, 1, 16, 16)", "[0, 255]", "to_model_range"]),
        (PIXELS.float(), ValueError, ["float32", "(1, 1, 16, 16)", "[0, 255]", "to_model_range"]),
        (PIXELS.numpy(), TypeError, ["ndarray of uint8", "(1, 1, 16, 16)", "torch.as_tensor"]),
        (torch.zeros(5, 28, 28), ValueError, ["float32", "(5, 28, 28)", "[0, 0]", "x[:, None]"]),
        (torch.zeros(0, 1, 28, 28), ValueError, ["(0, 1, 28, 28)", "at least one"]),
        (torch.full((2, 1, 4, 4), torch.nan), ValueError, ["nan", "diverged"]),
        (torch.tensor([[[[0.0, torch.inf]]]]), ValueError, ["[0, inf]", "diverged"]),
        ([1, 2], TypeError, ["list"]),
    ],
)
def test_check_images_names_what_came_what_was_expected_and_what_to_do(images, kind, words):
    with pytest.raises(kind) as caught:
        check_images(images, name="real images")
    message = str(caught.value)
    assert message.startswith("real images must be a float tensor (N, C, H, W) in [-1, 1], got ")
    for word in words:
        assert word in message
    assert message.endswith(".") and "\n" not in message


def test_check_images_names_the_shape_it_expected():
    images = torch.zeros(2, 1, 28, 28)
    assert check_images(images, shape=(1, 28, 28)) is images
    with pytest.raises(ValueError, match=r"\(N, 3, 32, 32\).*got float32 of shape \(2, 1, 28, 28\)"):
        check_images(images, shape=(3, 32, 32))


def test_check_images_lets_rounding_pass_and_nothing_more():
    check_images(torch.full((1, 1, 2, 2), 1 + 5e-4))
    with pytest.raises(ValueError):
        check_images(torch.full((1, 1, 2, 2), 1.01))


def test_conversions_refuse_the_other_kind():
    with pytest.raises(
        TypeError, match=r"takes a uint8 tensor .* got float32 of shape \(3,\) in \[0, 1\]; images"
    ):
        to_model_range(torch.tensor([0.0, 0.5, 1.0]))
    with pytest.raises(TypeError, match=r"takes a float tensor .* got uint8"):
        to_uint8(PIXELS)
    with pytest.raises(ValueError, match=r"\[-1, 1\], got float32 of shape \(1, 1, 16, 16\) in \[0, 255\]"):
        to_uint8(PIXELS.float())


def test_a_sampler_draws_every_image_equally_often():
    images = torch.arange(20, dtype=torch.uint8).reshape(20, 1, 1, 1)
    draw = image_sampler(images)
    drawn = to_uint8(draw(20_000, torch.Generator().manual_seed(0))).flatten()
    assert chisquare(torch.bincount(drawn, minlength=20).numpy()).pvalue > 0.001


def test_a_sampler_returns_the_images_themselves_in_model_range():
    images = torch.randint(
        0, 256, (50, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    batch = image_sampler(images)(10, torch.Generator().manual_seed(0))
    assert batch.dtype == torch.float32 and batch.shape == (10, 3, 8, 8)
    for image in to_uint8(batch):
        assert (images == image).flatten(1).all(dim=1).any()


def test_a_sampler_depends_on_its_generator_alone():
    draw = image_sampler(torch.arange(200, dtype=torch.uint8).reshape(200, 1, 1, 1))
    torch.manual_seed(0)
    first = draw(30, torch.Generator().manual_seed(7))
    torch.manual_seed(1)
    assert torch.equal(first, draw(30, torch.Generator().manual_seed(7)))
    assert not torch.equal(first, draw(30, torch.Generator().manual_seed(8)))


@pytest.mark.parametrize(
    "images, kind", [(torch.zeros(4, 1, 2, 2), TypeError), (PIXELS[0], ValueError), (PIXELS[:0], ValueError)]
)
def test_a_sampler_refuses_what_are_not_stored_images(images, kind):
    with pytest.raises(
        kind, match=r"image_sampler takes a uint8 tensor \(N, C, H, W\) in \[0, 255\].*, got "
    ):
        image_sampler(images)


def test_a_sampler_does_no_work_per_sample_in_python():
    """Per-sample transforms reach 16 to 28 thousand images/s on two cores; one index operation, a million."""
    draw = image_sampler(torch.zeros(10_000, 1, 28, 28, dtype=torch.uint8))
    rng = torch.Generator().manual_seed(0)
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(10):
            draw(128, rng)
        seconds.append(time.perf_counter() - start)
    assert 1280 / min(seconds) > 100_000


def test_labels_come_with_their_images_and_the_same_seed_draws_the_same():
    images = torch.arange(5, dtype=torch.uint8)[:, None, None, None].expand(5, 3, 4, 4) * 50
    draw = labelled_sampler(images, torch.arange(5))
    drawn, labels = draw(100, torch.Generator().manual_seed(1))
    assert drawn.shape == (100, 3, 4, 4) and labels.shape == (100,)
    torch.testing.assert_close(drawn[:, 0, 0, 0], labels * 50 / 127.5 - 1)
    assert set(labels.tolist()) == set(range(5))
    again = draw(100, torch.Generator().manual_seed(1))
    assert torch.equal(again[0], drawn) and torch.equal(again[1], labels)


def test_a_label_is_needed_for_each_image():
    images = torch.zeros(5, 3, 4, 4, dtype=torch.uint8)
    for labels in (torch.arange(4), torch.zeros(5)):
        with pytest.raises(ValueError, match="a whole number for each of the 5 images"):
            labelled_sampler(images, labels)
