"""Colour, edges and spectrum of images whose statistics are known."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from course_utils import data
from course_utils.metrics.spectra import (
    channel_correlations,
    checkerboard_fraction,
    chroma_strength,
    colour_histograms,
    edge_strengths,
    fine_power,
    power_spectrum,
    radial_spectrum,
)


def noise(n=200, channels=3, size=16):
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def wave(cycles_down, cycles_right, size=16):
    """cos(2π(u·row + v·column)/size), one grey image."""
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return torch.cos(2 * math.pi * (cycles_down * rows + cycles_right * columns) / size)[None, None]


def test_histograms_count_each_channel_and_both_ends():
    images = torch.stack([torch.full((4, 4), value) for value in (-1.0, 0.01, 1.0)])[None]
    histograms = colour_histograms(images, bins=4)
    assert histograms.tolist() == [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]


def test_histograms_of_uniform_pixels_are_flat():
    histograms = colour_histograms(noise(2_000), bins=8)
    assert torch.allclose(histograms.sum(1), torch.ones(3))
    assert (histograms - 1 / 8).abs().max() < 5 * (1 / 8 / (2_000 * 256)) ** 0.5


def test_channels_of_a_grey_image_agree_and_of_noise_do_not():
    assert torch.allclose(channel_correlations(noise(20, 1).repeat(1, 3, 1, 1)), torch.ones(3, 3).double())
    between = channel_correlations(noise()) - torch.eye(3)
    assert between.abs().max() < 5 / (200 * 256) ** 0.5


def test_chroma_of_red_by_hand_and_of_grey_is_nothing():
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(2, 3, 4, 4)
    # luma 2·0.299 − 1 = −0.402, so the channels are 1.402, −0.598 and −0.598 from it
    assert chroma_strength(red) == pytest.approx(math.sqrt((1.402**2 + 2 * 0.598**2) / 3), rel=1e-5)
    assert chroma_strength(noise(2, 1).expand(-1, 3, -1, -1)) == pytest.approx(0, abs=1e-6)


def test_chroma_grows_with_the_colours_and_is_that_of_pillows_two_differences():
    images = noise(1) / 2
    pale = data.grey(images) + 0.25 * (images - data.grey(images))
    assert chroma_strength(pale) == pytest.approx(0.25 * chroma_strength(images), rel=1e-4)
    pixels = data.to_uint8(images)[0].permute(1, 2, 0).numpy()
    blue, red = (
        torch.tensor(np.asarray(Image.fromarray(pixels).convert("YCbCr"))).double()[..., 1:].unbind(-1)
    )
    blue, red = (blue - 128) / 127.5, (red - 128) / 127.5
    # the channels less the luma, by the inverse of JPEG's matrix (ITU-T T.871, section 7)
    differences = torch.stack([1.402 * red, -0.344136 * blue - 0.714136 * red, 1.772 * blue])
    assert chroma_strength(images) == pytest.approx(differences.square().mean().sqrt().item(), rel=0.01)


def test_a_mean_of_colours_has_less_chroma_by_exactly_its_squared_error():
    """E‖c‖² = ‖E c‖² + the variance of c, for images with one grey: what regression does to colours."""
    images = noise(50) / 2
    one_grey = images - data.grey(images)
    mean = one_grey.mean(0, keepdim=True)
    lost = chroma_strength(one_grey) ** 2 - chroma_strength(mean) ** 2
    assert lost == pytest.approx((one_grey - mean).square().mean().item(), rel=1e-5)


def test_edges_of_a_step_and_of_a_ramp():
    step = torch.full((1, 3, 6, 6), -1.0)
    step[..., 3:] = 1
    edges = edge_strengths(step)[0]
    assert edges[:, 2].eq(2).all()
    assert edges[:, [0, 1, 3, 4]].eq(0).all()
    ramp = (0.1 * torch.arange(6.0)[:, None] + 0.2 * torch.arange(6.0)[None, :] - 1).expand(1, 3, 6, 6)
    assert torch.allclose(edge_strengths(ramp), torch.tensor(0.05).sqrt())  # √(0.1² + 0.2²)


def test_a_wave_has_all_its_power_at_its_frequency_and_at_the_opposite_one():
    power = power_spectrum(wave(3, 5))
    there = torch.zeros(16, 16, dtype=torch.bool)
    there[8 + 3, 8 + 5] = there[8 - 3, 8 - 5] = True
    assert power[there].sum() / power.sum() > 1 - 1e-6
    assert torch.allclose(power[8 + 3, 8 + 5], power[8 - 3, 8 - 5])


def test_mean_power_is_the_variance():
    images = noise(50, 1)
    variance = images.var((1, 2, 3), correction=0).mean()
    assert torch.allclose(power_spectrum(images).mean(), variance)


def test_the_radial_spectrum_of_noise_is_flat_and_of_a_wave_is_one_ring():
    frequencies, power = radial_spectrum(noise(2_000, 1))
    assert frequencies.tolist() == [k / 16 for k in range(1, 9)]
    assert (power / (1 / 3) - 1).abs().max() < 0.05  # a uniform pixel in [-1, 1] has variance 1/3
    _, power = radial_spectrum(wave(0, 4))
    assert power.argmax() == 3
    assert power[3] > 1e6 * power[[0, 1, 2, 4, 5, 6, 7]].max()


def test_fine_power_counts_fine_waves_alone_and_blur_takes_it_away():
    place = torch.arange(32) / 32
    waves = [torch.cos(2 * math.pi * cycles * place).expand(1, 1, 32, 32) for cycles in (7, 8, 16)]
    low, quarter, finest = (fine_power(wave) for wave in waves)
    assert low < 1e-9 and quarter > 0.1 and finest > 0.1
    noise = torch.randn(200, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert fine_power(noise) == pytest.approx(1, abs=0.02)  # white noise has the same power everywhere
    assert fine_power(3 * noise) == pytest.approx(9 * fine_power(noise), rel=1e-4)
    blurred = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    assert fine_power(blurred) < 0.1


def test_a_checkerboard_is_all_checkerboard_and_noise_has_its_even_fraction():
    assert checkerboard_fraction(wave(8, 8)) == pytest.approx(1)
    assert checkerboard_fraction(wave(8, 0) + wave(0, 8)) == pytest.approx(1)
    assert checkerboard_fraction(wave(1, 2)) < 1e-6
    assert checkerboard_fraction(noise(2_000)) == pytest.approx(3 / 255, rel=0.1)


def test_images_that_are_not_square_are_refused():
    with pytest.raises(ValueError, match="16×8"):
        radial_spectrum(torch.zeros(1, 1, 16, 8))


def test_stored_pixels_are_refused():
    with pytest.raises(TypeError, match="to_model_range"):
        edge_strengths(torch.zeros(1, 3, 4, 4, dtype=torch.uint8))
