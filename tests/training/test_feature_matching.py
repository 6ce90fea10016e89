"""Feature matching: the closed form of its term, what it moves, and the games of the comparison."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from course_utils import data
from course_utils.models import dcgan_discriminator, mlp_generator, packed_discriminator
from course_utils.training import GAN, train
from course_utils.training.collapse import CURES, RECORD, Cure, grid_game, recorded, seeing, stacked_game
from course_utils.training.feature_matching import feature_matching, last_features
from course_utils.training.gan import Shown
from tools.record_cures import markdown_table

ROOT = Path(__file__).parents[2]
QUIET = {"progress": False, "device": "cpu", "threads": 1, "ema_half_life": 0}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_term_of_a_linear_feature_is_the_squared_distance_of_the_means():
    """f(x) = Wx: ‖W·(mean of x − mean of G(z))‖²."""
    features = nn.Linear(2, 3, bias=False)
    discriminator = nn.Sequential(features, nn.Linear(3, 1), nn.Flatten(0))
    real, fake = normal(10, 2), normal(6, 2, seed=1).requires_grad_()
    found = feature_matching(2.0)(discriminator, Shown([real]), Shown([fake]))
    difference = real.mean(0) - fake.mean(0)
    torch.testing.assert_close(found, 2 * (features.weight @ difference).square().sum())
    (slope,) = torch.autograd.grad(found, fake)
    torch.testing.assert_close(slope[0], -4 / 6 * features.weight.T @ features.weight @ difference)
    with pytest.raises(ValueError, match="at least 0"):
        feature_matching(-1.0)


def test_features_are_what_the_last_linear_layer_sees_and_leave_no_hook_behind():
    discriminator = dcgan_discriminator((1, 8, 8), width=4)
    images = normal(5, 1, 8, 8)
    torch.testing.assert_close(last_features(discriminator, Shown([images])), discriminator[:-2](images))
    assert not discriminator[-2]._forward_pre_hooks


def test_with_no_other_loss_it_brings_the_means_together():
    """G alone follows the term: its mean moves to the data's, where D's features are a fixed random map."""
    torch.manual_seed(0)
    blob = data.gaussian((2.0, -1.0), 0.1)
    silent = (lambda real, fake: 0 * (real.sum() + fake.sum()), lambda real, fake: 0 * fake.sum())
    gan = GAN(
        mlp_generator((2,), 2, hidden=(16,)),
        packed_discriminator(2, 1, hidden=(16,)),
        loss=_loss(*silent),
        generator_term=feature_matching(1.0),
    )
    run = train(gan, blob.sample, images=64 * 300, batch_size=64, snapshot_samples=200, **QUIET)
    before, after = run.snapshots[0][1].mean(0), run.snapshots[-1][1].mean(0)
    assert (after - torch.tensor([2.0, -1.0])).norm() < 0.3 < (before - torch.tensor([2.0, -1.0])).norm()


def _loss(discriminator, generator):
    from course_utils.losses import GANLoss

    return GANLoss(discriminator, generator)


@pytest.mark.parametrize("shape", [(2,), (3, 8, 8)])
def test_a_packed_discriminator_sees_neighbours_as_channels(shape):
    seen = []

    def build(packed):
        assert packed == (2 * shape[0], *shape[1:])
        return nn.Sequential(_Note(seen), nn.Flatten(1), nn.LazyLinear(1), nn.Flatten(0))

    samples = normal(6, *shape)
    logits = seeing(Cure(packing=2), shape, build)(samples)
    assert logits.shape == (3,)
    torch.testing.assert_close(seen[0][1], torch.cat([samples[2], samples[3]]))


class _Note(nn.Module):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, samples):
        self.seen.append(samples)
        return samples


@pytest.mark.parametrize("name", CURES)
def test_every_cure_trains_in_both_games(name):
    draw = data.stacked_sampler(torch.randint(256, (20, 1, 28, 28), dtype=torch.uint8))
    for game, sampler in ((grid_game, data.grid().sample), (stacked_game, draw)):
        torch.manual_seed(0)
        run = train(game(CURES[name]), sampler, images=32, batch_size=16, **QUIET)
        assert run.images_seen == 32


def test_the_record_holds_every_cure_from_three_starts_with_its_circumstances():
    records = recorded()
    assert sorted((one["cure"], one["seed"]) for one in records) == sorted(
        (cure, seed) for cure in CURES for seed in (0, 1, 2)
    )
    assert json.loads(RECORD.read_text(encoding="utf-8"))["made_by"] == "python -m tools.record_cures"
    assert len({(one["images"], one["samples"]) for one in records}) == 1
    for one in records:
        assert 0 < one["covered"] <= 1_000 and 0 <= one["kl"] <= 6.91
        assert one["machine"] and one["versions"]["torch"] and one["date"]


def test_notebook_07_shows_the_record():
    prose = (ROOT / "solutions" / "07_when_training_fails.py").read_text(encoding="utf-8")
    table = "\n".join(f"# {row}" for row in markdown_table(recorded()).splitlines())
    assert table in prose, "copy what `python -m tools.record_cures` prints"


def test_what_notebook_07_says_of_the_record_is_so():
    covered = {name: [one["covered"] for one in recorded() if one["cure"] == name] for name in CURES}
    others = [count for name, counts in covered.items() if name != "packing two" for count in counts]
    assert min(covered["packing two"]) > max(others)
    least, *more = sorted(covered["feature matching"])
    assert least <= min(covered["no cure"]) and min(more) > max(covered["no cure"])
