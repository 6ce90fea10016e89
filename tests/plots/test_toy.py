"""A GAN on a line or a plane: what is seen is what the networks say."""

import math

import pytest
import torch

from course_utils import plots
from course_utils.data.toy import gaussian, grid, ring
from course_utils.metrics import generator_pull
from course_utils.models import mlp_generator, packed_discriminator
from course_utils.plots import view_line, view_plane
from course_utils.plots.toy import latent_lines


def players(density, packing=1, seed=0):
    """Small untrained networks and their data, in the order in which the views take them."""
    torch.manual_seed(seed)
    generator = mlp_generator((density.dim,), latent_dim=density.dim, hidden=(16, 16))
    return generator, packed_discriminator(density.dim, packing, hidden=(16, 16)), density


def test_what_is_seen_is_what_the_networks_say():
    generator, discriminator, density = players(ring(), seed=1)
    view = view_plane(generator, discriminator, density, points=10, resolution=5)
    left_top = torch.tensor([[-3.0, 3.0]])
    assert view.heat.shape == (5, 5)
    assert view.heat[4, 0].item() == pytest.approx(torch.sigmoid(discriminator(left_top)).item())
    torch.testing.assert_close(view.pulls, generator_pull(discriminator, view.generated))
    lines = latent_lines()
    torch.testing.assert_close(view.latent_grid[3], generator(lines[3]).detach())
    assert (lines[:17, :, 0].diff(dim=1) == 0).all() and (lines[17:, :, 1].diff(dim=1) == 0).all()


def test_a_packed_game_shows_what_d_says_to_copies():
    generator, discriminator, density = players(ring(), packing=2)
    view = view_plane(generator, discriminator, density)
    corner = torch.full((2, 2), -3.0)
    assert view.heat[0, 0].item() == pytest.approx(torch.sigmoid(discriminator(corner)).item())


def test_data_on_a_line_have_a_view_of_their_own():
    with pytest.raises(ValueError, match="view_line"):
        view_plane(*players(gaussian()))


def test_on_the_line_the_generators_density_is_that_of_its_samples():
    generator, discriminator, density = players(gaussian(0.0, 0.5))
    with torch.no_grad():  # G(z) = 0.7·z − 0.4 exactly: one ReLU each for z and −z
        for layer in (generator[0], generator[2], generator[4]):
            layer.weight.zero_()
            layer.bias.zero_()
        generator[0].weight[:2, 0] = torch.tensor([1.0, -1.0])
        generator[2].weight[[0, 1], [0, 1]] = 1.0
        generator[4].weight[0, :2] = torch.tensor([0.7, -0.7])
        generator[4].bias[:] = -0.4
    view = view_line(generator, discriminator, density)
    expected = gaussian(-0.4, math.hypot(0.7, 0.05)).log_prob(view.x[:, None]).exp()
    torch.testing.assert_close(view.p_model, expected.double(), atol=2e-3, rtol=0)
    torch.testing.assert_close(view.generated, 0.7 * view.latents - 0.4)


def test_figures_of_games_are_described():
    views = {"start": view_plane(*players(ring())), "other": view_plane(*players(grid()))}
    for figure in (plots.games_on_plane(views), plots.latent_grids(views)):
        assert "start" in plots.alt_text(figure) and "other" in plots.alt_text(figure)
        assert plots.to_png(figure)
    line = plots.games_on_line({"start": view_line(*players(gaussian()))})
    assert "away from D*" in plots.alt_text(line)


def test_where_samples_crowd_some_arrows_speak_for_all_and_the_legend_names_them():
    rng = torch.Generator().manual_seed(0)
    crowd, pulls = torch.randn(2, 200, 2, generator=rng)
    view = view_plane(*players(ring()))._replace(generated=crowd, pulls=pulls)
    figure = plots.games_on_plane({"start": view})
    (arrows,) = (one for one in figure.axes[0].collections if one.get_label() == "where D pulls it")
    tails = torch.stack([torch.tensor(arrow)[0] for arrow in arrows.get_segments()])
    assert 5 < len(tails) < 200
    assert torch.pdist(tails).min() >= 0.3
    assert "where D pulls it" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_an_arrow_starts_at_its_sample_and_points_along_the_pull():
    view = view_plane(*players(ring()), points=5)
    _, axes = plots.new_figure()
    artists = plots.draw_plane(axes)
    plots.update_plane(artists, view._replace(pulls=torch.tensor([[3.0, 0.0]] * 5)))
    shaft = torch.tensor(artists["pulls"].get_segments()[0])[:2]
    torch.testing.assert_close(shaft[0].float(), view.generated[0])
    torch.testing.assert_close((shaft[1] - shaft[0]).float(), torch.tensor([0.45, 0.0]))  # 0.6·3/(1 + 3)
