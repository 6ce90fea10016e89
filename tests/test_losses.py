"""The losses against torch's binary cross-entropy, their values at equilibrium, and their gradients."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import mse_loss

from course_utils.losses import LOSSES, GANLoss, get_loss

REAL = torch.linspace(-3, 5, 17, dtype=torch.float64)
FAKE = torch.linspace(-6, 2, 11, dtype=torch.float64)


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_discriminator_loss_is_binary_cross_entropy(name):
    expected = cross_entropy(REAL, torch.ones_like(REAL)) + cross_entropy(FAKE, torch.zeros_like(FAKE))
    torch.testing.assert_close(LOSSES[name].discriminator(REAL, FAKE), expected)


def test_generator_losses_are_binary_cross_entropy_with_one_label_or_the_other():
    torch.testing.assert_close(
        LOSSES["minimax"].generator(FAKE), -cross_entropy(FAKE, torch.zeros_like(FAKE))
    )
    torch.testing.assert_close(
        LOSSES["non_saturating"].generator(FAKE),
        cross_entropy(FAKE, torch.ones_like(FAKE)),
    )


def test_least_squares_is_half_the_mean_squared_error():
    loss = LOSSES["least_squares"]
    expected = 0.5 * mse_loss(REAL, torch.ones_like(REAL)) + 0.5 * mse_loss(FAKE, torch.zeros_like(FAKE))
    torch.testing.assert_close(loss.discriminator(REAL, FAKE), expected)
    torch.testing.assert_close(loss.generator(FAKE), 0.5 * mse_loss(FAKE, torch.ones_like(FAKE)))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [("minimax", math.log(4), -math.log(2)), ("non_saturating", math.log(4), math.log(2))],
)
def test_values_where_the_discriminator_cannot_tell(name, discriminator, generator):
    zeros = torch.zeros(5)
    assert LOSSES[name].discriminator(zeros, zeros).item() == pytest.approx(discriminator)
    assert LOSSES[name].generator(zeros).item() == pytest.approx(generator)


@pytest.mark.parametrize(("name", "slope"), [("minimax", lambda d: -d), ("non_saturating", lambda d: d - 1)])
def test_generator_gradients_have_their_closed_form(name, slope):
    logits = FAKE.clone().requires_grad_()
    LOSSES[name].generator(logits).backward()
    torch.testing.assert_close(logits.grad * len(logits), slope(logits.detach().sigmoid()))


def test_minimax_is_zero_sum_in_the_fake_samples():
    fake = FAKE.clone().requires_grad_()
    (for_discriminator,) = torch.autograd.grad(LOSSES["minimax"].discriminator(REAL, fake), fake)
    (for_generator,) = torch.autograd.grad(LOSSES["minimax"].generator(fake), fake)
    torch.testing.assert_close(for_discriminator, -for_generator)


@pytest.mark.parametrize("name", LOSSES)
def test_each_player_wants_the_opposite_on_fake_samples(name):
    fake = torch.full((4,), 0.3, requires_grad=True)
    (for_discriminator,) = torch.autograd.grad(LOSSES[name].discriminator(torch.zeros(4), fake), fake)
    (for_generator,) = torch.autograd.grad(LOSSES[name].generator(fake), fake)
    assert (for_discriminator > 0).all() and (for_generator < 0).all()


@pytest.mark.parametrize("name", ["minimax", "non_saturating"])
def test_losses_stay_finite_and_usable_at_extreme_logits(name):
    fake = torch.tensor([-1e4, 1e4], requires_grad=True)
    total = LOSSES[name].discriminator(torch.tensor([-1e4, 1e4]), fake) + LOSSES[name].generator(fake)
    total.backward()
    assert total.isfinite() and fake.grad.isfinite().all()


def test_get_loss_by_name_or_as_given():
    mine = GANLoss(lambda real, fake: fake.mean() - real.mean(), lambda fake: -fake.mean())
    assert get_loss("least_squares") is LOSSES["least_squares"]
    assert get_loss(mine) is mine
    with pytest.raises(ValueError, match=r"'wgan'.*minimax, non_saturating, least_squares"):
        get_loss("wgan")


@pytest.mark.parametrize("name", LOSSES)
def test_logits_of_the_wrong_shape_are_refused(name):
    good, bad = torch.zeros(4), torch.zeros(4, 1)
    for call in (
        lambda: LOSSES[name].discriminator(bad, good),
        lambda: LOSSES[name].discriminator(good, bad),
        lambda: LOSSES[name].generator(bad),
        lambda: LOSSES[name].generator(torch.zeros(0)),
    ):
        with pytest.raises(ValueError, match=r"shape \(N,\)"):
            call()
