"""Degradations: closed forms, SciPy's Sobel, Pillow's box filter and luma; batches of (target, source)."""

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from course_utils import data


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise(*shape, seed=0):
    return torch.rand(*shape, generator=seeded(seed)) * 2 - 1


# --- holes


def test_the_centre_hole_is_as_large_as_asked_for_and_in_the_middle():
    hole = data.centre_hole((1, 28, 32), 12)
    assert hole.shape == (1, 1, 28, 32) and hole.dtype == torch.bool and hole.sum() == 144
    rows, columns = (hole[0, 0].any(axis).nonzero().flatten().tolist() for axis in (1, 0))
    assert (rows, columns) == ([*range(8, 20)], [*range(10, 22)])
    with pytest.raises(ValueError, match="between 1 and 28, got 29"):
        data.centre_hole((1, 28, 32), 29)


def test_rectangles_have_all_sizes_and_reach_every_edge():
    holes = data.rectangular_holes(4_000, (3, 20, 24), seeded(), least=3, most=6)
    assert holes.shape == (4_000, 1, 20, 24)
    heights, widths = (holes[:, 0].any(axis).sum(1) for axis in (2, 1))
    assert torch.equal(holes.sum((1, 2, 3)), heights * widths)  # whole rectangles, and nothing else
    for sides in (heights, widths):
        counts = torch.bincount(sides)[3:]
        assert counts.shape == (4,) and counts.min() > 850  # each of 3, 4, 5, 6 about a quarter
    tops = holes[:, 0].any(2).int().argmax(1)[heights == 6]
    counts = torch.bincount(tops, minlength=15)
    assert len(counts) == 15 and counts.min() > 0.5 * counts.max()  # uniform from 0 to 14
    with pytest.raises(ValueError, match="between 1 and 20"):
        data.rectangular_holes(1, (1, 20, 24), seeded(), least=3, most=21)


def test_a_line_covers_what_lies_within_half_its_width():
    hole = data.line_hole(torch.tensor([[2.0, 5.0], [8.0, 5.0]]), (1, 10, 12), 4.0)[0, 0]
    for row in range(10):
        for column in range(12):
            x, y = column + 0.5, row + 0.5
            distance = np.hypot(max(2 - x, x - 8, 0), y - 5)
            assert hole[row, column] == (distance <= 2)
    disc = data.line_hole(torch.tensor([[6.0, 5.0]]), (1, 10, 12), 6.0)
    assert abs(disc.sum() - np.pi * 9) < 5
    standing_still = data.line_hole(torch.tensor([[6.0, 5.0], [6.0, 5.0]]), (1, 10, 12), 6.0)
    assert torch.equal(disc, standing_still)


def test_strokes_differ_from_each_other_and_follow_the_seed():
    holes = data.stroke_holes(50, (1, 28, 28), seeded(), width=6.0)
    assert holes.shape == (50, 1, 28, 28) and len(holes.flatten(1).unique(dim=0)) == 50
    assert 0.1 < holes.float().mean() < 0.4
    assert torch.equal(holes, data.stroke_holes(50, (1, 28, 28), seeded(), width=6.0))


def test_a_cut_image_has_lost_its_hole_and_nothing_else():
    images, holes = noise(5, 3, 8, 8), data.rectangular_holes(5, (3, 8, 8), seeded(), 2, 4)
    source = data.cut(images, holes)
    assert source.shape == (5, 4, 8, 8) and data.check_images(source) is source
    left, found = data.uncut(source)
    assert torch.equal(found, holes)
    assert torch.equal(torch.where(holes, images, left), images)
    assert left[holes.expand_as(left)].abs().max() == 0
    other = torch.where(holes, -images, images)
    assert torch.equal(data.cut(other, holes), source)  # no trace of what was there
    assert torch.equal(data.cut(images, holes[:1]), data.cut(images, holes[:1].expand(5, -1, -1, -1)))
    with pytest.raises(ValueError, match="one for each image"):
        data.cut(images, holes[:3])


# --- resolution, colour, edges


def test_downsampling_is_the_mean_of_a_square_as_pillows_box_filter_is():
    images = noise(3, 1, 28, 28)
    small = data.downsample(images, 4)
    torch.testing.assert_close(small, images.reshape(3, 1, 7, 4, 7, 4).mean((3, 5)))
    pillow = Image.fromarray(images[0, 0].numpy(), mode="F").resize((7, 7), Image.Resampling.BOX)
    np.testing.assert_allclose(small[0, 0], np.asarray(pillow), atol=1e-6)
    torch.testing.assert_close(small.mean(), images.mean())
    with pytest.raises(ValueError, match="must divide"):
        data.downsample(images, 5)


def test_enlarging_undoes_nothing_but_is_the_cubic_convolution():
    """Halfway between two pixels Keys's kernel weighs four of them; torch puts it at a = −3/4."""
    row = noise(1, 1, 1, 9).expand(1, 1, 9, 9) * 0.3
    large = data.enlarge(row, 3)  # the middle of each three is the pixel itself
    torch.testing.assert_close(large[..., 1::3, 1::3], row)
    a = -0.75

    def kernel(x):
        x = abs(x)
        return (a + 2) * x**3 - (a + 3) * x**2 + 1 if x <= 1 else a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a

    expected = sum(kernel(1 / 3 - k) * row[0, 0, 4, 4 + k] for k in (-1, 0, 1, 2))
    torch.testing.assert_close(large[0, 0, 13, 14], expected)
    assert data.enlarge(torch.tensor([[[[-1.0, 1.0], [-1.0, 1.0]]]]), 4).abs().max() == 1  # clamped
    twice = data.blocks(data.blocks(noise(2, 1, 28, 28)))
    torch.testing.assert_close(twice, data.blocks(noise(2, 1, 28, 28)))


def test_grey_is_pillows_luma():
    pixels = torch.randint(256, (1, 3, 9, 9), dtype=torch.uint8, generator=seeded())
    pillow = np.asarray(Image.fromarray(pixels[0].permute(1, 2, 0).numpy()).convert("L"))
    ours = data.to_uint8(data.grey(data.to_model_range(pixels)))[0, 0].numpy()
    assert np.abs(ours.astype(int) - pillow).max() <= 1  # Pillow rounds its weights
    white = torch.ones(1, 3, 2, 2)
    torch.testing.assert_close(data.grey(white), white[:, :1])
    with pytest.raises(ValueError, match="no colours"):
        data.grey(white[:, :1])


def test_edges_are_where_scipys_sobel_is_strong():
    images = noise(4, 1, 12, 12)
    for image, found in zip(images, data.edges(images, threshold=3.0), strict=True):
        slopes = [ndimage.sobel(image[0].double().numpy(), axis, mode="nearest") for axis in (0, 1)]
        np.testing.assert_array_equal(found[0].numpy() > 0, np.hypot(*slopes) > 3.0)
    step = torch.ones(1, 3, 6, 6)
    step[..., :3] = -1
    columns = data.edges(step, threshold=7.9)[0, 0]
    assert torch.equal(columns, torch.tensor([-1.0, -1, 1, 1, -1, -1]).expand(6, 6))
    assert data.edges(step, threshold=8.1).max() == -1


def test_styles_do_what_their_names_say():
    images = noise(3, 1, 8, 8)
    for style in (data.inverted, data.half_turn):
        assert torch.equal(style(style(images)), images) and not torch.equal(style(images), images)
    assert torch.equal(data.half_turn(images), torch.rot90(images, 2, (2, 3)))
    dot = -torch.ones(1, 1, 7, 7)
    dot[0, 0, 3, 2] = 1
    assert (data.thickened(dot) > 0).nonzero()[:, 2:].tolist() == [
        [r, c] for r in (2, 3, 4) for c in (1, 2, 3)
    ]
    grown = ndimage.grey_dilation(images[0, 0].numpy(), size=(5, 5), mode="constant", cval=-np.inf)
    np.testing.assert_array_equal(data.thickened(images, 2)[0, 0].numpy(), grown)


# --- batches

DIGITS = torch.randint(256, (30, 1, 28, 28), dtype=torch.uint8, generator=seeded())


def test_a_source_belongs_to_its_target():
    draw = data.translation_sampler(DIGITS, lambda images, rng: data.downsample(images, 4))
    target, source = draw(8, seeded())
    assert torch.equal(source, data.downsample(target, 4)) and target.shape == (8, 1, 28, 28)
    assert torch.equal(target, data.image_sampler(DIGITS)(8, seeded()))
    again = draw(8, seeded())
    assert torch.equal(again[0], target) and torch.equal(again[1], source)


def test_repeated_pairs_stand_side_by_side_with_the_same_hole():
    draw = data.hole_sampler(DIGITS, repeats=2)
    target, source = draw(8, seeded())
    assert torch.equal(target[::2], target[1::2]) and torch.equal(source[::2], source[1::2])
    assert len(target.flatten(1).unique(dim=0)) > 2
    left, holes = data.uncut(source)
    assert torch.equal(torch.where(holes, target, left), target)
    odd, _ = draw(7, seeded())  # a snapshot may ask for one: the last pair is cut off
    assert torch.equal(odd, target[:7])


def test_random_cuts_are_rectangles_and_strokes():
    images = data.to_model_range(DIGITS[:9])
    _, holes = data.uncut(data.cut_at_random(images, seeded()))
    boxes = holes[:, 0].any(2).sum(1) * holes[:, 0].any(1).sum(1)
    filled = holes.sum((1, 2, 3)) == boxes
    assert filled[:5].all() and not filled[5:].any()


def test_unpaired_draws_are_independent():
    draw = data.unpaired_sampler(data.image_sampler(DIGITS), data.image_sampler(DIGITS[:10]))
    target, source = draw(200, seeded())
    known = data.to_model_range(DIGITS[:10]).flatten(1)
    assert torch.cdist(source.flatten(1), known).min(1).values.max() < 1e-3
    assert (target == source).flatten(1).all(1).float().mean() < 0.2
