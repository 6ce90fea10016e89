import pytest
import torch

from course_utils.models import (
    draw_latents,
    slerp,
)


def test_latents_are_standard_normal_and_follow_their_generator():
    z = draw_latents(4000, 8, torch.Generator().manual_seed(0))
    assert z.shape == (4000, 8)
    assert torch.allclose(z.T @ z / 4000, torch.eye(8), atol=0.1)  # covariance I: each entry varies by 0.02
    assert torch.equal(z, draw_latents(4000, 8, torch.Generator().manual_seed(0)))
    assert not torch.equal(draw_latents(2, 3), draw_latents(2, 3))


def test_a_walk_keeps_the_length_that_a_straight_line_loses():
    start, end = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    walk = slerp(start, end, 5)
    torch.testing.assert_close(walk.norm(dim=1), torch.full((5,), 3.0))
    torch.testing.assert_close(walk[2], torch.tensor([3.0, 3.0]) / 2**0.5)  # halfway: at 45 degrees
    torch.testing.assert_close(torch.stack([walk[0], walk[-1]]), torch.stack([start, end]), atol=1e-5, rtol=0)


def test_a_walk_between_parallel_latents_is_refused():
    with pytest.raises(ValueError, match="one line through the origin"):
        slerp(torch.ones(4), 2 * torch.ones(4), 5)
