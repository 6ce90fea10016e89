"""Two generators that undo each other: the term in closed form, what it ensures and what it does not."""

import pytest
import torch
from torch import nn

from course_utils import data
from course_utils.models import CyclePair, PatchDiscriminator, TwoDiscriminators, UNet
from course_utils.training import cycle_errors, cyclegan, noisy, train
from course_utils.training.cycle import cycle_term
from course_utils.training.gan import Shown

QUIET = {"progress": False, "device": "cpu", "threads": 1}


class Times(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))

    def forward(self, images):
        return self.factor * images


def test_the_term_by_its_formula():
    """G = 2s, F = t/4: F(G(s)) − s = −s/2, G(F(t)) − t = −t/2; G(t) − t = t, F(s) − s = −¾ s."""
    target, source = torch.rand(3, 1, 2, 2), torch.rand(3, 1, 2, 2)
    pair = CyclePair(Times(2.0), Times(0.25))
    fake = Shown(pair(source, target))
    found = cycle_term(nn.Identity(), Shown([target, source]), fake, pair=pair, cycle=10.0, identity=4.0)
    t, s = target.mean(), source.mean()
    torch.testing.assert_close(found, 10 * (s / 2 + t / 2) + 4 * (t + 0.75 * s))
    found.backward()
    # d/dg of 10·(|f·g·s − s| + |g·f·t − t|) + 4·|g·t − t|: both brackets reach G
    torch.testing.assert_close(pair.there.factor.grad, -10 * 0.25 * (s + t) + 4 * t)


def blobs(centres):
    def draw(n, rng):
        chosen = torch.randint(len(centres), (n,), generator=rng)
        return torch.tensor(centres)[chosen, None] + 0.05 * torch.randn(n, 1, generator=rng)

    return draw


class Small(nn.Module):
    latent_dim = 0

    def __init__(self, flat):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1), *[nn.Flatten(0)] * flat)

    def forward(self, x):
        return self.net(x)


def test_both_ways_are_learnt_and_undo_each_other():
    torch.manual_seed(0)
    gan = cyclegan(Small(False), Small(False), Small(True), Small(True), cycle=1.0)
    draw = data.unpaired_sampler(blobs([2.0]), blobs([-1.0]))
    run = train(gan, draw, images=64 * 500, batch_size=64, snapshot_samples=50, **QUIET)
    source = blobs([-1.0])(200, torch.Generator().manual_seed(1))
    there = run.average(source)
    assert there.mean().item() == pytest.approx(2.0, abs=0.2)
    assert (run.average.back(there) - source).abs().mean() < 0.15
    assert run.snapshots[-1][1].shape == (50, 1)


def test_a_wrong_correspondence_is_as_closed_as_the_true_one():
    """Of sixes and nines turned upside down and inverted: leaving a digit as it stands is no worse."""
    digits = torch.rand(5, 1, 28, 28) * 2 - 1

    class Style(nn.Module):
        def __init__(self, style):
            super().__init__()
            self.style = style

        def forward(self, images):
            return self.style(images)

    def truth(images):
        return data.half_turn(data.inverted(images))

    right = cycle_errors(CyclePair(Style(truth), Style(truth)), digits, truth)
    wrong = cycle_errors(CyclePair(Style(data.inverted), Style(data.inverted)), digits, truth)
    assert right == (0, 0, 0)
    assert wrong.cycle == 0 and wrong.truth > 0.3


def test_what_is_hidden_is_lost_in_noise():
    """G writes the image's fine half into the last digits of its coarse half; F reads it there."""

    class Hide(nn.Module):
        def forward(
            self, x
        ):  # brightness rounded to tenths, what was cut off stored a thousand times smaller
            coarse = (x * 10).round() / 10
            return coarse + (x - coarse) / 1000

    class Find(nn.Module):
        def forward(self, x):
            coarse = (x * 10).round() / 10
            return coarse + (x - coarse) * 1000

    images = (torch.rand(4, 1, 8, 8, dtype=torch.float64) * 2 - 1) * 0.9
    found = cycle_errors(CyclePair(Hide(), Find()), images, lambda s: (s * 10).round() / 10, noisy(0.01))
    assert found.cycle < 1e-9 and found.truth < 1e-4 and found.disturbed > 1


def test_images_train_resume_and_copy_with_their_own_players():
    def style(n, rng):
        return torch.rand(n, 1, 8, 8, generator=rng) * 2 - 1

    nets = [UNet((1, 8, 8), 1, width=2), UNet((1, 8, 8), 1, width=2)]
    nets += [PatchDiscriminator((1, 8, 8), width=2), PatchDiscriminator((1, 8, 8), width=2)]
    gan = cyclegan(*nets, identity=5.0)
    copied = gan.copy()
    assert copied.generator_term.keywords["pair"] is copied.generator is not gan.generator
    assert isinstance(gan.discriminator, TwoDiscriminators)
    before = [weights.clone() for weights in gan.generator.parameters()]
    train(gan, data.unpaired_sampler(style, style), images=32, batch_size=16, **QUIET)
    assert all(not torch.equal(*both) for both in zip(before, gan.generator.parameters(), strict=True))
