"""The two steps, and games on the plane: who moves in which step, and along which slope."""

import pytest
import torch

from course_utils.data.toy import ring
from course_utils.losses import LOSSES
from course_utils.metrics import data_cells, measure
from course_utils.models import mlp_discriminator, mlp_generator, sample
from course_utils.plots import Watch
from course_utils.training import GAN, constant_then_linear, toy_gan, train
from course_utils.training.gan import Shown, discriminator_step, generator_step

RING = ring()
QUIET = {"progress": False, "device": "cpu", "threads": 1, "batch_size": 256, "ema_half_life": 0}
RATE = 0.1


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def slope(value, network):
    slopes = torch.autograd.grad(value, [*network.parameters()], retain_graph=True)
    return torch.cat([slope.flatten() for slope in slopes])


def players():
    torch.manual_seed(0)
    generator, discriminator = mlp_generator((2,), 2, hidden=(16,)), mlp_discriminator((2,), hidden=(16,))
    optimizers = []
    for network in (generator, discriminator):
        for parameter in network.parameters():
            parameter.grad = torch.ones_like(parameter)  # a leftover that the step has to clear
        optimizers.append(torch.optim.SGD(network.parameters(), RATE))
    real, latents = RING.sample(64, torch.Generator().manual_seed(0)), torch.randn(64, 2)
    return generator, discriminator, *optimizers, real, generator(latents)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_discriminators_step_is_plain_descent_on_its_loss_and_moves_nobody_else(loss):
    generator, discriminator, _, optimizer, real, fake = players()
    value = loss.discriminator(discriminator(real), discriminator(fake))
    expected = weights(discriminator) - RATE * slope(value, discriminator)
    before, gradient = weights(generator), generator[0].weight.grad
    returned, real_logits, fake_logits = discriminator_step(discriminator, optimizer, real, fake, loss)
    torch.testing.assert_close(weights(discriminator), expected)
    torch.testing.assert_close(returned, value.detach())
    assert real_logits.shape == fake_logits.shape == (64,)
    assert not any(tensor.requires_grad for tensor in (returned, real_logits, fake_logits))
    assert torch.equal(weights(generator), before)
    assert generator[0].weight.grad is gradient and (gradient == 1).all()


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_the_generators_step_is_plain_descent_on_its_loss_and_moves_nobody_else(loss):
    generator, discriminator, optimizer, _, real, fake = players()
    value = loss.generator(discriminator(real), discriminator(fake))
    expected = weights(generator) - RATE * slope(value, generator)
    before, gradient = weights(discriminator), discriminator[1].weight.grad
    returned = generator_step(discriminator, optimizer, real, fake, loss)
    torch.testing.assert_close(weights(generator), expected)
    torch.testing.assert_close(returned, value.detach())
    assert not returned.requires_grad
    assert torch.equal(weights(discriminator), before)
    assert discriminator[1].weight.grad is gradient and (gradient == 1).all()  # D collects nothing


def test_both_steps_in_turn_play_on_the_same_fakes():
    _, discriminator, g_optimizer, d_optimizer, real, fake = players()
    discriminator_step(discriminator, d_optimizer, real, fake)
    generator_step(discriminator, g_optimizer, real, fake)  # the graph of the fakes is still there


def test_a_penalty_moves_the_discriminator_and_is_not_in_the_loss_that_is_returned():
    _, discriminator, _, optimizer, real, fake = players()
    plain = discriminator_step(discriminator, torch.optim.SGD(discriminator.parameters(), 0.0), real, fake)[0]

    def penalty(real, fake):
        assert not fake.requires_grad
        return 10 * sum(parameter.square().sum() for parameter in discriminator.parameters())

    before = weights(discriminator).norm()
    returned, _, _ = discriminator_step(discriminator, optimizer, real, fake, penalty=penalty)
    assert torch.equal(returned, plain)
    assert weights(discriminator).norm() != before


def test_labels_stay_whole_numbers_where_samples_become_float32():
    shown = Shown((torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True), torch.tensor([4, 5])))
    assert [part.dtype for part in shown.float()] == [torch.float32, torch.int64]
    assert not shown.detach()[0].requires_grad and shown[0].requires_grad


# --- games on the plane --------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_ring_is_learnt_and_ten_generator_steps_a_round_collapse_it():
    cells = data_cells(RING)

    def played(rounds, generator_steps, packing=1):
        torch.manual_seed(0)
        gan = toy_gan(2, generator_steps=generator_steps, packing=packing)
        run = train(gan, RING.sample, images=256 * rounds, **QUIET)
        return measure(sample(run.average, 4_000), RING, cells)

    fair = played(700, 1)
    collapsed = played(150, 10)
    packed = played(150, 10, packing=2)
    assert fair.covered == 8 and fair.js < 0.4
    assert collapsed.covered <= 3 and collapsed.js > 0.45
    assert packed.covered >= 6


def test_several_generator_steps_play_on_new_latents_of_the_same_batch():
    drawn, made = [], []

    def draw(n, rng):
        drawn.append(n)
        return RING.sample(n, rng)

    torch.manual_seed(0)
    gan = toy_gan(2, generator_steps=3, discriminator_steps=2)
    gan.generator.register_forward_hook(lambda net, inputs, output: made.append(inputs[0].clone()))
    run = train(gan, draw, images=2 * 256 * 4, **QUIET, snapshot_samples=4)
    assert drawn == [4] + [256] * 8  # an example, then two batches a round
    batches = [latents for latents in made if len(latents) == 256]
    assert len(batches) == 4 * (2 + 2)  # for each step of D, and for each but the first of G
    assert len({latents.sum().item() for latents in batches}) == len(batches)
    assert len(run.history["images"]) == 4


def test_a_batch_that_cannot_be_packed_is_refused():
    with pytest.raises(ValueError, match="packing must divide batch_size, got 3 and 256"):
        train(toy_gan(2, packing=3), RING.sample, images=256, **QUIET)


def test_a_watch_keeps_views_and_measurements_and_changes_nothing():
    found = []
    for watched in (True, False):
        torch.manual_seed(0)
        gan = toy_gan(2)
        watch = Watch(gan, RING, view_at=(0, 4), samples=500)
        options = {"schedule": constant_then_linear, "snapshot_every": 512, "images": 1024}
        train(gan, RING.sample, on_snapshot=watch if watched else None, **options, **QUIET)
        found.append(weights(gan.generator))
        if watched:
            assert [*watch.views] == ["after 0 rounds", "after 4 rounds"]
            assert watch.history["rounds"] == [0, 2, 4]
            assert len(watch.history["js"]) == 3 and watch.history["generator_loss"][1] > 0
    assert torch.equal(*found)


@pytest.mark.parametrize("setting", ["generator_steps", "discriminator_steps", "penalty_every"])
def test_counts_below_one_are_refused(setting):
    with pytest.raises(ValueError, match=rf"{setting} must be at least 1, got 0"):
        GAN(*players()[:2], **{setting: 0})


def test_a_term_moves_the_generator_alone_and_is_not_in_the_loss_that_is_returned():
    generator, discriminator, optimizer, _, real, fake = players()

    def term(real, fake):
        assert fake.requires_grad
        return (fake - real).square().mean()

    value = LOSSES["non_saturating"].generator(None, discriminator(fake))
    expected = weights(generator) - RATE * slope(value + term(real, fake), generator)
    before = weights(discriminator)
    returned = generator_step(discriminator, optimizer, real, fake, term=term)
    torch.testing.assert_close(weights(generator), expected)
    torch.testing.assert_close(returned, value.detach())
    assert torch.equal(weights(discriminator), before)


def test_the_history_holds_the_length_of_both_gradients():
    """One round with known weights: the root of the sum of all squares, as autograd gives them."""
    torch.manual_seed(0)
    gan = toy_gan(hidden=(8,))
    generator, discriminator = gan.generator, gan.discriminator
    torch.manual_seed(0)
    twin = toy_gan(hidden=(8,))
    run = train(gan, RING.sample, images=256, snapshot_samples=1, **QUIET)
    rng = torch.Generator().manual_seed(0)
    torch.randn(1, 2, generator=rng)  # the snapshot's latents
    real, latents = RING.sample(256, rng), torch.randn(256, 2, generator=rng)
    loss = LOSSES["non_saturating"]
    fake = twin.generator(latents)
    expected = slope(
        loss.discriminator(twin.discriminator(real), twin.discriminator(fake)), twin.discriminator
    )
    assert run.history["discriminator_gradient"] == pytest.approx([expected.norm().item()], rel=1e-5)
    expected = slope(loss.generator(None, discriminator(fake)), twin.generator)  # D has moved before G
    assert run.history["generator_gradient"] == pytest.approx([expected.norm().item()], rel=1e-5)
    assert generator is run.networks["generator"]
