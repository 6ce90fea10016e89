"""The U-Net and what is built from it: shapes, what skips and latents reach, what is left untouched."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import data
from course_utils.models import Colouriser, CyclePair, Inpainter, UNet, count_parameters


@pytest.mark.parametrize(
    ("shape", "source"),
    [
        ((1, 28, 28), (2, 28, 28)),
        ((1, 28, 28), (1, 7, 7)),
        ((3, 32, 32), (3, 8, 8)),
        ((3, 32, 32), (1, 32, 32)),
    ],
)
def test_a_source_of_any_size_becomes_an_image(shape, source):
    network = UNet(shape, source[0], width=4)
    images = network(torch.randn(3, *source))
    assert images.shape == (3, *shape) and images.abs().max() <= 1 and network.latent_dim == 0


def test_weights_by_their_formula():
    w, c, s, d = 4, 3, 2, 5
    convolutions = 9 * s * w + 16 * 2 * w * w + 16 * 2 * w * 4 * w + 9 * 16 * w * w  # down, bottleneck
    convolutions += 16 * 4 * w * 2 * w + 16 * 4 * w * w + 9 * 2 * w * c + c  # up
    norms = 2 * (w + 2 * w + 4 * w + 4 * w + 2 * w + w)
    latent = (d + 1) * 4 * w * 8 * 8
    assert count_parameters(UNet((c, 32, 32), s, width=w)) == convolutions + norms
    assert count_parameters(UNet((c, 32, 32), s, d, width=w)) == convolutions + norms + latent


def test_a_small_source_is_enlarged_bicubically():
    network = UNet((1, 28, 28), 1, width=4).eval()
    source = torch.rand(2, 1, 7, 7) * 2 - 1
    large = F.interpolate(source, size=(28, 28), mode="bicubic").clamp(-1, 1)
    torch.testing.assert_close(network(source), network(large))
    torch.testing.assert_close(large, data.enlarge(source, 4))


@pytest.mark.parametrize("skips", [True, False])
def test_skips_carry_the_maps_of_the_way_down(skips):
    network = UNet((1, 28, 28), 1, width=4, skips=skips).eval()
    joined = {}
    for name in ("up_to_full", "last"):
        layer = getattr(network, name)
        layer.register_forward_pre_hook(lambda _, inputs, name=name: joined.update({name: inputs[0]}))
    source = torch.randn(2, 1, 28, 28)
    network(source)
    full = network.at_full(source)
    half = network.at_half(full)
    assert torch.equal(joined["last"][:, 4:], full * skips)
    assert torch.equal(joined["up_to_full"][:, 8:], half * skips)


def test_latents_reach_every_pixel_and_are_told_apart():
    torch.manual_seed(0)
    network = UNet((1, 28, 28), 1, latent_dim=3, width=4).eval()
    source, latents = torch.randn(2, 1, 28, 28), torch.randn(2, 3)
    assert ((network(source, latents) - network(source, -latents)).abs() > 0).float().mean() > 0.99


def test_a_colouriser_keeps_the_grey_and_stays_in_the_range():
    torch.manual_seed(0)
    network = UNet((3, 32, 32), 1, width=4)
    nn.init.normal_(network.last[0].weight, std=2.0)  # colours much too strong for most pixels
    source = torch.rand(4, 1, 32, 32) * 2 - 1
    source[0], source[1] = -1.0, 1.0  # black and white have no room for any colour
    images = Colouriser(network, data.LUMA)(source)
    torch.testing.assert_close(data.grey(images), source, atol=1e-5, rtol=0)
    assert images.abs().max() <= 1 and (images[2:] - source[2:]).abs().mean() > 0.1
    torch.testing.assert_close(images[:2], source[:2].expand(-1, 3, -1, -1), atol=1e-5, rtol=0)


def test_a_colouriser_makes_paler_only_what_does_not_fit():
    painted = torch.tensor([0.4, 0.1, -0.2]).view(1, 3, 1, 1)
    chroma = painted - data.grey(painted)
    colour = Colouriser(lambda source: painted.expand(-1, -1, *source.shape[2:]), data.LUMA)
    source = torch.tensor([0.0, 0.9]).view(1, 1, 1, 2)
    fits, paler = colour(source)[..., :1], colour(source)[..., 1:]
    torch.testing.assert_close(fits, chroma)
    assert paler.max() == 1  # the strongest channel just fits
    torch.testing.assert_close((paler - 0.9) / (paler - 0.9)[0, 0], chroma / chroma[0, 0])  # the same hue


def test_an_inpainter_touches_the_hole_only():
    images = torch.rand(4, 1, 28, 28) * 2 - 1
    holes = data.rectangular_holes(4, (1, 28, 28), torch.Generator().manual_seed(0))
    network = UNet((1, 28, 28), 2, latent_dim=3, width=4)
    inpainter = Inpainter(network)
    assert inpainter.latent_dim == 3
    source, latents = data.cut(images, holes), torch.randn(4, 3)
    filled = inpainter(source, latents)
    assert torch.equal(filled[~holes], images[~holes])
    inpainter.eval(), network.eval()
    assert torch.equal(inpainter(source, latents)[holes], network(source, latents)[holes])


def test_a_pair_goes_both_ways():
    pair = CyclePair(torch.nn.Conv2d(1, 1, 1), torch.nn.Conv2d(1, 1, 1))
    source, target = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 4, 4)
    assert torch.equal(pair(source), pair.there(source)) and pair.latent_dim == 0
    there, back = pair(source, target)
    assert torch.equal(there, pair.there(source)) and torch.equal(back, pair.back(target))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="divisible by 4"):
        UNet((1, 30, 30), 1)
    with pytest.raises(ValueError, match="positive"):
        UNet((1, 28, 28), 0)
