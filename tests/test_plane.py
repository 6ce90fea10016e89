"""A GAN on the plane: who moves in which step."""

import math
import signal

import pytest
import torch

from course_utils.data.toy import ring
from course_utils.losses import LOSSES
from course_utils.metrics import data_cells, measure
from course_utils.plane import (
    discriminator_step,
    discriminator_turn,
    draw_generated,
    generator_step,
    generator_turn,
    new_game,
    one_thread,
    play,
)
from course_utils.plots import view_plane


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


def test_the_same_seed_plays_the_same_game_whatever_is_looked_at():
    games = [new_game(ring(), seed=3), new_game(ring(), seed=3)]
    for game in games:
        for _ in range(3):
            discriminator_turn(game)
            generator_turn(game)
            if game is games[0]:
                view_plane(game.generator, game.discriminator, game.density)
                draw_generated(game, 10)
    assert torch.equal(weights(games[0].generator), weights(games[1].generator))
    assert (games[0].discriminator_steps, games[0].generator_steps) == (3, 3)
    assert not torch.equal(weights(new_game(ring(), seed=4).generator), weights(new_game(ring()).generator))


def test_a_batch_that_cannot_be_packed_is_refused():
    with pytest.raises(ValueError, match="divide batch_size"):
        new_game(ring(), packing=3)


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
