"""What D is shown: labels, pairs and codes reach the networks, and each kind of game learns toy data."""

import pytest
import torch
from torch import nn

from course_utils.losses import LOSSES, exchanged
from course_utils.training import GAN, bidirectional, conditional, train, translation
from course_utils.training.penalties import r1

MODES = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0]])
QUIET = {"progress": False, "device": "cpu", "batch_size": 64}


def layers(inputs: int, outputs: int, width: int = 32) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2),
        nn.Linear(width, outputs),
    )  # fmt: skip


class LabelledGenerator(nn.Module):
    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.net = layers(2 + 3, 2)

    def forward(self, z, y):
        return self.net(torch.cat([z, nn.functional.one_hot(y, 3).float()], 1))


class LabelledDiscriminator(nn.Module):
    def __init__(self, inputs: int = 2 + 3):
        super().__init__()
        self.net = layers(inputs, 1)

    def forward(self, x, y):
        return self.net(torch.cat([x, nn.functional.one_hot(y, 3).float()], 1)).flatten()


def labelled(n, rng):
    labels = torch.randint(0, 3, (n,), generator=rng)
    return MODES[labels] + 0.1 * torch.randn(n, 2, generator=rng), labels


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic"])
def test_a_conditional_game_learns_which_mode_belongs_to_which_label(loss):
    torch.manual_seed(0)
    gan = GAN(
        LabelledGenerator(),
        LabelledDiscriminator(),
        loss=loss,
        shown=conditional,
        penalty=r1(0.1),
        penalty_every=4,
    )
    asked = torch.tensor([0, 1, 2] * 20)
    run = train(gan, labelled, images=64 * 500, snapshot_samples=60, conditions=asked, **QUIET)
    right = [(torch.cdist(samples, MODES).argmin(1) == asked).float().mean() for _, samples in run.snapshots]
    assert right[0] < 0.7 and right[-1] > 0.95  # a snapshot shows what it was asked for
    assert (run.snapshots[-1][1] - MODES[asked]).norm(dim=1).mean() < 0.6


def test_conditions_of_a_snapshot_are_drawn_with_its_data_if_none_are_given():
    gan = GAN(LabelledGenerator(), LabelledDiscriminator(), shown=conditional)
    run = train(gan, labelled, images=64, snapshot_samples=5, **QUIET)
    assert run.snapshots[0][1].shape == (5, 2)


class Translator(nn.Module):
    latent_dim = 0  # all comes from the source

    def __init__(self):
        super().__init__()
        self.net = layers(2, 2)

    def forward(self, source):
        return self.net(source)


class PairDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = layers(4, 1)

    def forward(self, *pair):
        return self.net(torch.cat(pair, 1)).flatten()


def pairs(n, rng):
    """The target is the source, turned by a quarter."""
    source = torch.rand(n, 2, generator=rng) * 2 - 1
    return torch.stack([-source[:, 1], source[:, 0]], 1), source


def test_a_translation_learns_which_target_belongs_to_a_source():
    torch.manual_seed(0)
    gan = GAN(Translator(), PairDiscriminator(), shown=translation, penalty=r1(0.1))
    run = train(gan, pairs, images=64 * 600, snapshot_samples=100, **QUIET)
    target, source = pairs(200, torch.Generator().manual_seed(1))
    error = (run.average(source) - target).norm(dim=1).mean()
    unrelated = (run.average(source) - target.flip(0)).norm(dim=1).mean()
    assert error < 0.3 < 0.8 < unrelated


class Players(nn.Module):
    """G and E, the two that play against D in a bidirectional game."""

    latent_dim = 2

    def __init__(self):
        super().__init__()
        self.decoder, self.encoder = layers(2, 2), layers(2, 2)

    def forward(self, z):
        return self.decoder(z)

    def encode(self, x):
        return self.encoder(x)


def stretched(n, rng):
    return torch.randn(n, 2, generator=rng) @ torch.tensor([[2.0, 0.0], [0.0, 0.5]])


@pytest.mark.slow
def test_in_a_bidirectional_game_generator_and_encoder_become_each_others_inverse():
    torch.manual_seed(0)
    players, discriminator = Players(), PairDiscriminator()
    gan = GAN(players, discriminator, loss=exchanged(LOSSES["non_saturating"]), shown=bidirectional)

    def reconstruction(network):
        x = stretched(500, torch.Generator().manual_seed(1))
        with torch.no_grad():
            return (network(network.encode(x)) - x).square().mean() / x.square().mean()

    before = reconstruction(players)
    run = train(gan, stretched, images=64 * 1500, **QUIET)
    assert reconstruction(run.average) < 0.35 * before
    codes = run.average.encode(stretched(2000, torch.Generator().manual_seed(2)))
    assert codes.std(0).sub(1).abs().max() < 0.4  # codes are spread as latents are


def test_the_encoder_gets_no_gradient_from_a_loss_that_ignores_the_real_logits():
    """Why `exchanged` is needed: the usual loss moves G alone."""
    for loss, moves in ((LOSSES["non_saturating"], False), (exchanged(LOSSES["non_saturating"]), True)):
        torch.manual_seed(0)
        players = Players()
        before = players.encoder[0].weight.clone()
        try:
            train(
                GAN(players, PairDiscriminator(), loss=loss, shown=bidirectional),
                stretched,
                images=64,
                **QUIET,
            )
            moved = not torch.equal(players.encoder[0].weight, before)
        except RuntimeError as error:
            assert "appears to not have been used in the graph" in str(error)
            moved = False
        assert moved == moves


def test_the_discriminators_step_reaches_neither_generator_nor_encoder():
    torch.manual_seed(0)
    players = Players()
    before = [weights.clone() for weights in players.parameters()]
    loss = exchanged(LOSSES["non_saturating"])
    train(
        GAN(players, PairDiscriminator(), loss=loss, shown=bidirectional, generator_lr=0),
        stretched,
        images=640,
        **QUIET,
    )
    assert all(torch.equal(*pair) for pair in zip(before, players.parameters(), strict=True))
