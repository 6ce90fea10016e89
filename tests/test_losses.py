"""Every loss in closed form: values, gradients, the best discriminator. A loss needs its row here."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import mse_loss

from course_utils.losses import LOSSES, GANLoss, exchanged, get_loss

REAL = torch.linspace(-3, 5, 11, dtype=torch.float64)
FAKE = torch.linspace(-6, 2, 11, dtype=torch.float64).flip(0)
ONE, ZERO = torch.ones_like(REAL), torch.zeros_like(REAL)


class ClosedForm(NamedTuple):
    """What is known of a loss, written by other means than the loss itself."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # the value
    generator: Callable[[Tensor, Tensor], Tensor]
    real_slope: Callable[[Tensor, Tensor], Tensor]  # N times the derivative of D's loss by each real logit
    fake_slope: Callable[[Tensor, Tensor], Tensor]  # the same by each fake logit
    generator_slope: Callable[[Tensor, Tensor], Tensor]  # N times that of G's loss
    undecided: tuple[float, float]  # both losses' values where D says the same of everything
    best_logit: Callable[[float, float], float] | None  # t*(x) where p_data = p, p_g = q; None: unbounded


def sigmoid(t: Tensor) -> Tensor:
    return 1 / (1 + torch.exp(-t))


def log_odds(p: float, q: float) -> float:
    return math.log(p / q)


LOG2 = math.log(2)
CLOSED_FORMS = {
    "minimax": ClosedForm(
        lambda r, f: cross_entropy(r, ONE) + cross_entropy(f, ZERO),
        lambda r, f: -cross_entropy(f, ZERO),
        lambda r, f: sigmoid(r) - 1,
        lambda r, f: sigmoid(f),
        lambda r, f: -sigmoid(f),
        (2 * LOG2, -LOG2),
        log_odds,
    ),
    "non_saturating": ClosedForm(
        lambda r, f: cross_entropy(r, ONE) + cross_entropy(f, ZERO),
        lambda r, f: cross_entropy(f, ONE),
        lambda r, f: sigmoid(r) - 1,
        lambda r, f: sigmoid(f),
        lambda r, f: sigmoid(f) - 1,
        (2 * LOG2, LOG2),
        log_odds,
    ),
    "least_squares": ClosedForm(
        lambda r, f: (mse_loss(r, ONE) + mse_loss(f, ZERO)) / 2,
        lambda r, f: mse_loss(f, ONE) / 2,
        lambda r, f: r - 1,
        lambda r, f: f,
        lambda r, f: f - 1,
        (0.25, 0.125),
        lambda p, q: p / (p + q),
    ),
    "hinge": ClosedForm(
        lambda r, f: (1 - r).clamp(min=0).mean() + (1 + f).clamp(min=0).mean(),
        lambda r, f: -f.mean(),
        lambda r, f: -(r < 1).double(),
        lambda r, f: (f > -1).double(),
        lambda r, f: -ONE,
        (2.0, 0.0),
        lambda p, q: math.copysign(1, p - q),
    ),
    "wasserstein": ClosedForm(
        lambda r, f: f.mean() - r.mean(),
        lambda r, f: -f.mean(),
        lambda r, f: -ONE,
        lambda r, f: ONE,
        lambda r, f: -ONE,
        (0.0, 0.0),
        None,
    ),
    "relativistic": ClosedForm(
        lambda r, f: cross_entropy(r - f, ONE),
        lambda r, f: cross_entropy(f - r, ONE),
        lambda r, f: sigmoid(r - f) - 1,
        lambda r, f: 1 - sigmoid(r - f),
        lambda r, f: sigmoid(f - r) - 1,
        (LOG2, LOG2),
        log_odds,  # up to a constant
    ),
}


def test_every_loss_has_its_closed_form():
    assert CLOSED_FORMS.keys() == LOSSES.keys()


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_gradients_have_their_closed_form(name):
    loss, known = LOSSES[name], CLOSED_FORMS[name]
    real, fake = REAL.clone().requires_grad_(), FAKE.clone().requires_grad_()
    value = loss.discriminator(real, fake)
    torch.testing.assert_close(value, known.discriminator(REAL, FAKE))
    slopes = torch.autograd.grad(value, (real, fake))
    torch.testing.assert_close(slopes[0] * len(REAL), known.real_slope(REAL, FAKE))
    torch.testing.assert_close(slopes[1] * len(FAKE), known.fake_slope(REAL, FAKE))
    value = loss.generator(REAL, fake)
    torch.testing.assert_close(value, known.generator(REAL, FAKE))
    (slope,) = torch.autograd.grad(value, fake)
    torch.testing.assert_close(slope * len(FAKE), known.generator_slope(REAL, FAKE))


@pytest.mark.parametrize("name", LOSSES)
def test_values_where_the_discriminator_says_the_same_of_everything(name):
    loss = LOSSES[name]
    same = torch.full((5,), 0.0 if loss.undecided is None else loss.undecided)
    expected = CLOSED_FORMS[name].undecided
    assert loss.discriminator(same, same).item() == pytest.approx(expected[0])
    assert loss.generator(same, same).item() == pytest.approx(expected[1])


P, Q = (0.5, 0.3, 0.2), (0.1, 0.3, 0.6)  # p_data and p_g on three places


@pytest.mark.parametrize("name", [name for name in LOSSES if CLOSED_FORMS[name].best_logit])
def test_the_best_discriminator_is_the_known_one(name):
    """Found by descent on the logits of three places, each as often as the densities say: 0.1 is a sample."""
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    counts = [[round(10 * density) for density in side] for side in (P, Q)]
    real, fake = (torch.repeat_interleave(torch.arange(3), torch.tensor(side)) for side in counts)
    # All pairs, so that a loss of pairs sees each as often as independent draws would show it.
    pairs = torch.cartesian_prod(real, fake)
    optimizer = torch.optim.LBFGS([logits], lr=0.5, max_iter=500, tolerance_grad=1e-9, tolerance_change=0)

    def closure():
        optimizer.zero_grad()
        value = LOSSES[name].discriminator(logits[pairs[:, 0]], logits[pairs[:, 1]])
        value.backward()
        return value

    optimizer.step(closure)
    best = torch.tensor([CLOSED_FORMS[name].best_logit(p, q) for p, q in zip(P, Q, strict=True)])
    found = logits.detach()
    if LOSSES[name].undecided is None:  # only differences mean something
        best, found = best - best[1], found - found[1]
    if name == "hinge":  # where p = q, every logit between the margins is as good
        best, found = best[[0, 2]], found[[0, 2]]
    torch.testing.assert_close(found, best.double(), atol=1e-3, rtol=0)


def test_the_wasserstein_loss_has_no_best_critic_without_a_bound():
    real, fake = torch.tensor([1.0]), torch.tensor([-1.0])
    values = [
        LOSSES["wasserstein"].discriminator(slope * real, slope * fake).item() for slope in (1, 10, 100)
    ]
    assert values == [-2, -20, -200]


def test_minimax_is_zero_sum_in_the_fake_samples():
    fake = FAKE.clone().requires_grad_()
    (for_discriminator,) = torch.autograd.grad(LOSSES["minimax"].discriminator(REAL, fake), fake)
    (for_generator,) = torch.autograd.grad(LOSSES["minimax"].generator(REAL, fake), fake)
    torch.testing.assert_close(for_discriminator, -for_generator)


@pytest.mark.parametrize("name", LOSSES)
def test_each_player_wants_the_opposite_on_fake_samples(name):
    fake, real = torch.full((4,), 0.3, requires_grad=True), torch.zeros(4)
    (for_discriminator,) = torch.autograd.grad(LOSSES[name].discriminator(real, fake), fake)
    (for_generator,) = torch.autograd.grad(LOSSES[name].generator(real, fake), fake)
    assert (for_discriminator > 0).all() and (for_generator < 0).all()


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_says_whether_its_generator_needs_the_real_logits(name):
    """If not, nobody computes them: the loss is called with None. If so, they move its value."""
    loss = LOSSES[name]
    if not loss.generator_sees_real:
        assert torch.equal(loss.generator(None, FAKE), loss.generator(REAL, FAKE))
    else:
        assert not torch.equal(loss.generator(REAL + 1, FAKE), loss.generator(REAL, FAKE))


@pytest.mark.parametrize("name", LOSSES)
def test_only_differences_count_exactly_where_the_loss_says_so(name):
    loss = LOSSES[name]
    moved = torch.isclose(loss.discriminator(REAL + 7, FAKE + 7), loss.discriminator(REAL, FAKE))
    assert moved.item() == (loss.undecided is None)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_stay_finite_and_usable_at_extreme_logits(name):
    fake = torch.tensor([-1e4, 1e4], requires_grad=True)
    real = torch.tensor([-1e4, 1e4])
    total = LOSSES[name].discriminator(real, fake) + LOSSES[name].generator(real, fake)
    total.backward()
    assert total.isfinite() and fake.grad.isfinite().all()


def test_exchanged_is_the_discriminators_loss_with_real_and_fake_exchanged():
    loss = exchanged(LOSSES["minimax"])
    assert loss.generator_sees_real and loss.discriminator is LOSSES["minimax"].discriminator
    expected = cross_entropy(FAKE, ONE) + cross_entropy(REAL, ZERO)
    torch.testing.assert_close(loss.generator(REAL, FAKE), expected)


def test_get_loss_by_name_or_as_given():
    mine = GANLoss(lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean())
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
        lambda: LOSSES[name].generator(good, bad),
        lambda: LOSSES[name].generator(good, torch.zeros(0)),
    ):
        with pytest.raises(ValueError, match=r"shape \(N,\)"):
            call()


def test_a_loss_of_pairs_needs_pairs():
    with pytest.raises(ValueError, match="compares pairs, got 3 real and 4 fake"):
        LOSSES["relativistic"].discriminator(torch.zeros(3), torch.zeros(4))
