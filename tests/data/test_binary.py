"""Binarisation: black or white with the grey value as probability, anew at each draw or once."""

import torch

from course_utils.data import binarise, binarised


def test_a_pixel_is_white_as_often_as_it_is_light():
    grey = torch.linspace(-1, 1, 5).repeat(20_000, 1)
    binary = binarise(grey, torch.Generator().manual_seed(0))
    assert set(binary.unique().tolist()) == {-1.0, 1.0} and binary.dtype == torch.float32
    torch.testing.assert_close(binary.mean(0), grey[0], atol=0.03, rtol=0)
    assert (binary[:, 0] == -1).all() and (binary[:, 4] == 1).all()


def test_dynamic_binarisation_draws_anew_and_is_the_same_for_the_same_generator():
    draw = binarised(lambda n, rng: torch.zeros(n, 1, 8, 8))
    rng = torch.Generator().manual_seed(0)
    first, second = draw(4, rng), draw(4, rng)
    assert first.shape == (4, 1, 8, 8) and not torch.equal(first, second)
    assert torch.equal(first, draw(4, torch.Generator().manual_seed(0)))
