"""MSE and SSIM: torchmetrics' values, and what they say of a shift, of noise and of blur."""

import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from course_utils.metrics import (
    mean_squared_error,
    peak_signal_to_noise,
    safest_guess,
    structural_similarity,
)


def pictures(n=4, channels=1, size=28, seed=0):
    smooth = torch.rand(n, channels, size // 4, size // 4, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(smooth, size=size, mode="bilinear") * 2 - 1


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32)])
def test_ssim_is_torchmetrics(channels, size):
    images = pictures(channels=channels, size=size)
    noisy = (images + 0.3 * torch.randn(images.shape, generator=torch.Generator().manual_seed(1))).clamp(
        -1, 1
    )
    bright, target = ((side.double() + 1) / 2 for side in (noisy, images))
    _, everywhere = structural_similarity_index_measure(
        bright, target, data_range=1.0, reduction="none", return_full_image=True
    )
    inside = everywhere[
        ..., 5:-5, 5:-5
    ]  # torchmetrics reflects the images at their edges; Wang et al. stay inside
    assert structural_similarity(noisy, images) == pytest.approx(inside.mean().item(), abs=1e-6)
    assert structural_similarity(noisy, images) == pytest.approx(structural_similarity(images, noisy))


def test_equal_images_are_at_the_ends_of_both_scales():
    images = pictures()
    assert mean_squared_error(images, images) == 0
    assert structural_similarity(images, images) == pytest.approx(1)
    assert mean_squared_error(-torch.ones(1, 1, 12, 12), torch.ones(1, 1, 12, 12)) == 4


def test_ssim_forgives_brightness_and_mse_does_not():
    images = pictures() / 2
    brighter = images + 0.2
    noisy = images + 0.2 * torch.randn(images.shape, generator=torch.Generator().manual_seed(2)).sign()
    assert mean_squared_error(brighter, images) == pytest.approx(
        mean_squared_error(noisy.clamp(-1, 1), images), rel=0.02
    )
    assert structural_similarity(brighter, images) > structural_similarity(noisy.clamp(-1, 1), images) + 0.2


def test_no_image_is_nearer_to_all_targets_than_the_safest_guess():
    targets = pictures(n=6, channels=3)
    image, error = safest_guess(targets)
    assert error == pytest.approx(mean_squared_error(image.expand_as(targets), targets))
    assert error == pytest.approx(targets.var(dim=0, correction=0).mean().item())
    rng = torch.Generator().manual_seed(3)
    for _ in range(20):
        other = (image + 0.05 * torch.randn(image.shape, generator=rng)).clamp(-1, 1)
        assert mean_squared_error(other.expand_as(targets), targets) > error


def test_pairs_must_be_pairs():
    with pytest.raises(ValueError, match="both need one shape"):
        mean_squared_error(pictures(4), pictures(3))
    with pytest.raises(ValueError, match="at least 11 pixels"):
        structural_similarity(pictures(size=8), pictures(size=8))


def test_psnr_is_torchmetrics_image_by_image():
    images = pictures(channels=3)
    noisy = (
        images + torch.tensor([0.05, 0.1, 0.2, 0.4]).view(4, 1, 1, 1) * pictures(channels=3, seed=9)
    ).clamp(-1, 1)
    expected = peak_signal_noise_ratio(
        noisy, images, data_range=2.0, reduction="elementwise_mean", dim=(1, 2, 3)
    )
    assert peak_signal_to_noise(noisy, images) == pytest.approx(expected.item(), abs=1e-4)
    grey = torch.zeros(1, 1, 4, 4)
    assert peak_signal_to_noise(grey + 0.2, grey) == pytest.approx(20)  # 10·log₁₀(4/0.04)
    assert peak_signal_to_noise(grey, grey) == float("inf")
