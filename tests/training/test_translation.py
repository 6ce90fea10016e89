"""From image to image with pairs: closed forms of the errors, the weight 0, and what latents are used for."""

import pytest
import torch
from torch import nn

from course_utils.losses import LOSSES, weighted
from course_utils.models import Inpainter, PatchDiscriminator, UNet
from course_utils.training import GAN, Regression, pix2pix, reconstruction_term, train
from course_utils.training.gan import Shown
from course_utils.training.translation import ERRORS, error_of_mean

QUIET = {"progress": False, "device": "cpu", "threads": 1, "batch_size": 64, "ema_half_life": 0}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_errors_by_their_formulas():
    images, targets = torch.tensor([[1.0, 3.0], [0.0, -1.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert ERRORS["absolute"](images, targets) == pytest.approx((1 + 2 + 0 + 2) / 4)
    assert ERRORS["squared"](images, targets) == pytest.approx((1 + 4 + 0 + 4) / 4)
    assert ERRORS["mean"](images, targets) == pytest.approx((1 * 0 + 2 * -2) / 2)
    with pytest.raises(ValueError, match="twice in a row"):
        error_of_mean(images, images)
    with pytest.raises(ValueError, match="one of absolute, squared, mean, got 'l1'"):
        reconstruction_term(1.0, "l1")


def test_the_error_of_the_mean_is_unbiased_and_the_squared_error_is_not():
    """G ~ N(m, s²), y ~ N(0, 1): (E G − E y)² + Var y = m² + 1, whatever s is; the other adds s²."""
    targets = normal(200_000, 1).repeat_interleave(2, 0)
    for m, s in ((0.5, 0.0), (0.5, 2.0)):
        images = m + s * normal(400_000, 1, seed=1)
        assert error_of_mean(images, targets).item() == pytest.approx(m**2 + 1, abs=0.03)
        assert ERRORS["squared"](images, targets).item() == pytest.approx(m**2 + 1 + s**2, abs=0.04)


def test_the_term_is_weighted_and_pulls_the_translation_towards_the_target():
    real, fake = (
        Shown([normal(4, 2), normal(4, 1)]),
        Shown([normal(4, 2, seed=1).requires_grad_(), normal(4, 1)]),
    )
    term = reconstruction_term(3.0, "squared")(nn.Identity(), real, fake)
    torch.testing.assert_close(term, 3 * (fake[0] - real[0]).square().mean())
    (slope,) = torch.autograd.grad(term, fake[0])
    torch.testing.assert_close(slope, 3 * 2 / 8 * (fake[0] - real[0]).detach())


def test_a_weighted_loss_changes_the_generators_side_alone():
    real, fake = normal(5), normal(5, seed=1)
    for loss in LOSSES.values():
        half = weighted(loss, 0.5)
        torch.testing.assert_close(half.generator(real, fake), 0.5 * loss.generator(real, fake))
        assert half.discriminator is loss.discriminator and half.undecided == loss.undecided
    with pytest.raises(ValueError, match="at least 0"):
        weighted(LOSSES["hinge"], -1.0)


class Line(nn.Module):
    """source ↦ W·source + b, and V·latents where there are any."""

    def __init__(self, latent_dim=0):
        super().__init__()
        self.latent_dim, self.see = latent_dim, nn.Linear(2, 2)
        if latent_dim:
            self.read = nn.Linear(latent_dim, 2)

    def forward(self, source, latents=None):
        return self.see(source) + (self.read(latents) if self.latent_dim else 0)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1)
        )

    def forward(self, *pair):
        return self.net(torch.cat(pair, 1)).flatten()


def pairs(n, rng):
    """The target is the source turned by a quarter, plus noise of standard deviation ½."""
    source = torch.randn(n, 2, generator=rng)
    turned = torch.stack([-source[:, 1], source[:, 0]], 1)
    return turned + 0.5 * torch.randn(n, 2, generator=rng), source


def twice(n, rng):
    return tuple(part.repeat_interleave(2, 0) for part in pairs(n // 2, rng))


@pytest.mark.parametrize("error", ["absolute", "squared"])
def test_weight_zero_is_regression_bit_for_bit(error):
    weights = []
    for build in (
        lambda: pix2pix(Line(), Critic(), adversarial=0.0, error=error),
        lambda: Regression(Line(), error=error, betas=(0.0, 0.99)),
    ):
        torch.manual_seed(0)
        run = train(build(), pairs, images=64 * 20, **QUIET)
        weights.append(torch.cat([one.flatten() for one in run.networks["generator"].parameters()]))
    assert torch.equal(*weights)


def test_regression_finds_the_mean_of_what_fits_a_source_and_ignores_its_latents():
    torch.manual_seed(0)
    run = train(Regression(Line(latent_dim=2), lr=2e-2), pairs, images=64 * 600, **QUIET)
    quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    assert (run.average.see.weight - quarter).abs().max() < 0.1
    assert run.average.read.weight.abs().max() < 0.1
    assert sum(run.history["error"][-100:]) / 100 == pytest.approx(0.25, abs=0.03)  # the noise's variance
    assert "squared error 0.2" in Regression(Line()).summary(run.history)


@pytest.mark.slow
def test_with_the_error_of_the_mean_latents_make_the_spread_of_the_targets():
    """With the squared error itself they hardly do: it pays for every spread."""
    spreads = {}
    for error in ("mean", "squared"):
        torch.manual_seed(0)
        gan = pix2pix(
            Line(latent_dim=2), Critic(), adversarial=0.3, reconstruction=3.0, error=error, generator_lr=5e-3
        )
        run = train(gan, twice, images=64 * 800, **{**QUIET, "ema_half_life": 5_000})
        read = run.average.read.weight
        spreads[error] = (read @ read.T).diagonal().sqrt().mean().item()
        quarter = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
        assert (run.average.see.weight - quarter).abs().max() < 0.25
    assert spreads["mean"] == pytest.approx(0.5, abs=0.15)
    assert spreads["squared"] < 0.5 * spreads["mean"]


def test_images_of_any_source_train_with_a_patch_discriminator():
    def draw(n, rng):
        source = torch.rand(n, 2, 8, 8, generator=rng) * 2 - 1
        return source[:, :1].clone(), source

    torch.manual_seed(0)
    generator = Inpainter(UNet((1, 8, 8), 2, latent_dim=3, width=2))
    gan = pix2pix(generator, PatchDiscriminator((1, 8, 8), 2, width=4), adversarial=0.1)
    assert isinstance(gan, GAN) and gan.latent_dim == 3
    run = train(gan, draw, images=64 * 2, snapshot_samples=6, **QUIET)
    assert run.snapshots[-1][1].shape == (6, 1, 8, 8) and len(run.history["generator_loss"]) == 2


def test_a_network_of_another_shape_is_refused_before_the_training():
    with pytest.raises(ValueError, match="same sample shape"):
        train(
            Regression(UNet((1, 12, 12), 1, width=2)), lambda n, rng: (torch.zeros(n, 1, 8, 8),) * 2, **QUIET
        )
