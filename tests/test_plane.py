"""A GAN on the plane: who moves in which step, where arrows point, what cells hold, what the eye sees."""

import math
import signal

import pytest
import torch
from torch import nn

from course_utils import plots
from course_utils.data.toy import gaussian, grid, ring, spiral
from course_utils.losses import LOSSES
from course_utils.plane import (
    data_cells,
    discriminator_step,
    discriminator_turn,
    draw_generated,
    generator_step,
    generator_turn,
    latent_lines,
    look,
    look_on_line,
    measure,
    new_game,
    one_thread,
    packed_discriminator,
    play,
    pull,
)
from course_utils.theory import cell_frequencies, cell_probabilities


@pytest.fixture(autouse=True)
def small_networks_on_one_thread():
    with one_thread():
        yield


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


# --- the two steps ---


def test_each_step_moves_one_player_only():
    game = new_game(ring())
    real, latents = game.density.sample(64, rng()), torch.randn(64, 2, generator=rng())
    before = weights(game.generator), weights(game.discriminator)
    discriminator_step(game.generator, game.discriminator, game.discriminator_optimizer, real, latents)
    assert torch.equal(weights(game.generator), before[0])
    assert all(parameter.grad is None for parameter in game.generator.parameters())
    middle = weights(game.discriminator)
    assert not torch.equal(middle, before[1])
    generator_step(game.generator, game.discriminator, game.generator_optimizer, latents)
    assert not torch.equal(weights(game.generator), before[0])
    assert torch.equal(weights(game.discriminator), middle)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_step_is_plain_gradient_descent_on_the_loss(loss):
    game = new_game(ring(), loss=loss)
    real, latents = game.density.sample(64, rng()), torch.randn(64, 2, generator=rng())
    discriminator = game.discriminator
    value = loss.discriminator(discriminator(real), discriminator(game.generator(latents)))
    slopes = torch.autograd.grad(value, [*discriminator.parameters()])
    expected = weights(discriminator) - 0.1 * torch.cat([slope.flatten() for slope in slopes])
    optimizer = torch.optim.SGD(discriminator.parameters(), 0.1)
    for parameter in discriminator.parameters():
        parameter.grad = torch.ones_like(parameter)  # a leftover that the step has to clear
    returned = discriminator_step(game.generator, discriminator, optimizer, real, latents, loss)
    torch.testing.assert_close(weights(discriminator), expected)
    torch.testing.assert_close(returned, value)


def test_pull_is_the_slope_of_one_samples_loss():
    class Plane(nn.Module):  # logit t(x) = a·x + b: everything is known
        def forward(self, x):
            return x @ torch.tensor([1.0, -2.0]) + 0.5

    points = torch.randn(7, 2, generator=rng())
    d = torch.sigmoid(Plane()(points))[:, None]
    slope = torch.tensor([1.0, -2.0])
    torch.testing.assert_close(pull(Plane(), points), (1 - d) * slope)
    torch.testing.assert_close(pull(Plane(), points, LOSSES["minimax"]), d * slope)


def test_pull_leaves_no_gradient_behind():
    game = new_game(ring())
    pull(game.discriminator, torch.randn(4, 2))
    assert all(parameter.grad is None for parameter in game.discriminator.parameters())


def test_a_packed_discriminator_sees_neighbours_at_once():
    discriminator = packed_discriminator(2, packing=2)
    points = torch.randn(6, 2, generator=rng())
    logits = discriminator(points)
    assert logits.shape == (3,)
    torch.testing.assert_close(logits, discriminator[2](points.reshape(3, 4)))
    points[0] += 1
    assert (discriminator(points) != logits).tolist() == [True, False, False]


def test_the_same_seed_plays_the_same_game_whatever_is_looked_at():
    games = [new_game(ring(), seed=3), new_game(ring(), seed=3)]
    for game in games:
        for _ in range(3):
            discriminator_turn(game)
            generator_turn(game)
            if game is games[0]:
                look(game)
                draw_generated(game, 10)
    assert torch.equal(weights(games[0].generator), weights(games[1].generator))
    assert (games[0].discriminator_steps, games[0].generator_steps) == (3, 3)
    assert not torch.equal(weights(new_game(ring(), seed=4).generator), weights(new_game(ring()).generator))


def test_a_batch_that_cannot_be_packed_is_refused():
    with pytest.raises(ValueError, match="divide batch_size"):
        new_game(ring(), packing=3)


# --- cells ---


def test_cell_probabilities_are_differences_of_the_normal_distribution():
    edges = torch.linspace(-1.0, 1.0, 5, dtype=torch.float64)
    one = torch.special.ndtr(edges / 0.3).diff()
    found = cell_probabilities(gaussian(0.0, 0.3).log_prob, edges, dim=1)
    torch.testing.assert_close(found[:-1], one, atol=1e-9, rtol=0)
    assert found[-1].item() == pytest.approx(2 * torch.special.ndtr(torch.tensor(-1 / 0.3)).item(), rel=1e-3)
    plane = cell_probabilities(gaussian([0.0, 0.3], 0.3).log_prob, edges, dim=2)
    other = torch.special.ndtr((edges - 0.3) / 0.3).diff()
    torch.testing.assert_close(plane[:-1].reshape(4, 4), one[:, None] * other, atol=1e-9, rtol=0)
    assert plane.sum().item() == pytest.approx(1, abs=1e-12)


def test_cell_frequencies_count_every_sample_once():
    edges = torch.tensor([0.0, 1.0, 2.0])
    samples = torch.tensor([[0.5, 0.5], [0.5, 1.5], [1.0, 0.0], [2.0, 0.5], [0.5, -0.1], [math.nan, 0.5]])
    counts = 6 * cell_frequencies(samples, edges)
    assert counts.tolist() == pytest.approx([1, 1, 1, 0, 3])  # (row, column) of x₁, x₂; then outside
    with pytest.raises(ValueError, match="one row a sample"):
        cell_frequencies(torch.zeros(3), edges)


@pytest.mark.parametrize("density", [ring(), grid()], ids=["ring", "grid"])
def test_histograms_of_the_data_itself_miss_by_the_known_bias(density):
    p = data_cells(density)
    n, reached = 20_000, (p * 20_000 > 1).sum().item()
    found = measure(density.sample(n, rng(1)), density, p)
    # χ² with K − 1 degrees of freedom: JS ≈ χ²/8N. The rare cells blur what K is, hence the wide bounds.
    assert 0.6 < found.js / ((reached - 1) / (8 * n)) < 1.5
    assert found.covered == len(density.modes)
    assert found.good_fraction == pytest.approx(1 - math.exp(-4.5), abs=0.004)


def test_a_collapsed_generator_scores_badly_by_js_and_well_by_good_samples():
    density = ring()
    collapsed = density.modes[:1] + 0.1 * torch.randn(5_000, 2, generator=rng())
    found = measure(collapsed, density, data_cells(density))
    assert found.covered == 1 and found.good_fraction > 0.97
    # KL(p/8-part ‖ p) = log 8, and the JS of a part with weight 1/8
    assert found.kl == pytest.approx(math.log(8), abs=0.05)
    mix = 9 / 16
    js = 0.5 * (-math.log(mix)) + 0.5 * (1 / 8 * math.log(1 / 8 / mix)) + 0.5 * math.log(2) * 7 / 8
    assert found.js == pytest.approx(js, abs=0.02)


def test_data_without_a_density_are_measured_by_their_samples():
    density = spiral()
    found = measure(density.sample(10_000, rng(2)), density, data_cells(density))
    assert found.js < 0.02
    assert found.covered == 0 and math.isnan(found.good_fraction)


# --- what is seen ---


def test_what_is_seen_is_what_the_networks_say():
    game = new_game(ring(), seed=1)
    view = look(game, points=10, resolution=5)
    left_top = torch.tensor([[-3.0, 3.0]])
    assert view.heat.shape == (5, 5)
    assert view.heat[4, 0].item() == pytest.approx(torch.sigmoid(game.discriminator(left_top)).item())
    torch.testing.assert_close(view.pulls, pull(game.discriminator, view.generated))
    lines = latent_lines()
    torch.testing.assert_close(view.latent_grid[3], game.generator(lines[3]).detach())
    assert (lines[:17, :, 0].diff(dim=1) == 0).all() and (lines[17:, :, 1].diff(dim=1) == 0).all()


def test_a_packed_game_shows_what_d_says_to_copies():
    game = new_game(ring(), packing=2)
    corner = torch.full((2, 2), -3.0)
    assert look(game).heat[0, 0].item() == pytest.approx(torch.sigmoid(game.discriminator(corner)).item())


def test_look_refuses_a_game_on_the_line():
    with pytest.raises(ValueError, match="look_on_line"):
        look(new_game(gaussian()))


def test_on_the_line_the_generators_density_is_that_of_its_samples():
    game = new_game(gaussian(0.0, 0.5))
    with torch.no_grad():  # G(z) = 0.7·z − 0.4 exactly: one ReLU each for z and −z
        for layer in (game.generator[0], game.generator[2], game.generator[4]):
            layer.weight.zero_()
            layer.bias.zero_()
        game.generator[0].weight[:2, 0] = torch.tensor([1.0, -1.0])
        game.generator[2].weight[[0, 1], [0, 1]] = 1.0
        game.generator[4].weight[0, :2] = torch.tensor([0.7, -0.7])
        game.generator[4].bias[:] = -0.4
    view = look_on_line(game)
    expected = gaussian(-0.4, math.hypot(0.7, 0.05)).log_prob(view.x[:, None]).exp()
    torch.testing.assert_close(view.p_model, expected.double(), atol=2e-3, rtol=0)
    torch.testing.assert_close(view.generated, 0.7 * view.latents - 0.4)


def test_figures_of_games_are_described():
    views = {"start": look(new_game(ring())), "other": look(new_game(grid()))}
    for figure in (plots.games_on_plane(views), plots.latent_grids(views)):
        assert "start" in plots.alt_text(figure) and "other" in plots.alt_text(figure)
        assert plots.to_png(figure)
    line = plots.games_on_line({"start": look_on_line(new_game(gaussian()))})
    assert "away from D*" in plots.alt_text(line)


def test_an_arrow_starts_at_its_sample_and_points_along_the_pull():
    view = look(new_game(ring()), points=5)
    _, axes = plots.new_figure()
    artists = plots.draw_plane(axes)
    plots.update_plane(artists, view._replace(pulls=torch.tensor([[3.0, 0.0]] * 5)))
    shaft = torch.tensor(artists["pulls"].get_segments()[0])[:2]
    torch.testing.assert_close(shaft[0].float(), view.generated[0])
    torch.testing.assert_close((shaft[1] - shaft[0]).float(), torch.tensor([0.45, 0.0]))  # 0.6·3/(1 + 3)


def test_the_ring_is_learnt_and_ten_generator_steps_a_round_collapse_it():
    density = ring()
    p = data_cells(density)

    def played(rounds, generator_steps, **settings):
        game = new_game(density, **settings)
        for _ in range(rounds):
            discriminator_turn(game)
            for _ in range(generator_steps):
                generator_turn(game)
        return measure(draw_generated(game, 4_000), density, p)

    fair = played(700, 1)
    collapsed = played(150, 10)
    packed = played(150, 10, packing=2)
    assert fair.covered == 8 and fair.js < 0.4
    assert collapsed.covered <= 3 and collapsed.js > 0.45
    assert packed.covered >= 6


def test_play_is_the_two_turns_in_order_and_keeps_count():
    moves = []

    def note(name, step):
        def noted(*arguments):
            moves.append(name)
            return step(*arguments)

        return noted

    by_hand, game = new_game(ring()), new_game(ring())
    for _ in range(4):
        discriminator_turn(by_hand)
        discriminator_turn(by_hand)
        generator_turn(by_hand)
    steps = (note("D", discriminator_step), note("G", generator_step))
    played = play(game, 4, discriminator_steps=2, view_at=(0, 4), measure_every=2, steps=steps)
    assert "".join(moves) == "DDGDDGDDGDDG"
    assert torch.equal(weights(by_hand.generator), weights(game.generator))
    assert [*played.views] == ["after 0 rounds", "after 4 rounds"]
    assert played.history["rounds"] == [0, 2, 4]
    assert math.isnan(played.history["generator_loss"][0]) and played.history["generator_loss"][1] > 0


def test_learning_rates_fall_only_when_asked_to():
    for decay_lr, last in ((True, 2e-3 * 0.05), (False, 2e-3)):
        game = new_game(ring())
        play(game, 10, decay_lr=decay_lr)
        assert game.generator_optimizer.param_groups[0]["lr"] == pytest.approx(last)


def test_the_stop_button_keeps_what_was_learnt():
    game = new_game(ring())

    def interrupted(*arguments):
        if game.generator_steps == 3:
            signal.raise_signal(signal.SIGINT)
        return generator_step(*arguments)

    play(game, 1_000, steps=(discriminator_step, interrupted))
    assert game.generator_steps == 3
