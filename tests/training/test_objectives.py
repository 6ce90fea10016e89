"""The harness: the same networks, data and budget for every objective; what the notebook reads ships."""

import json

import pytest
import torch
from torch import nn

from course_utils.data import ring
from course_utils.losses import LOSSES, GANLoss, get_loss
from course_utils.training.objectives import (
    OBJECTIVES,
    RECORDED,
    Objective,
    compare,
    small_mnist_dcgan,
)
from course_utils.training.recipes import toy_gan

SHORT = {"images": 64, "batch_size": 16, "snapshot_every": 64, "device": "cpu", "threads": 1}


def networks():
    gan = toy_gan(2, hidden=(8,))
    return gan.generator, gan.discriminator


def weights(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def short(objectives, make=networks, evaluate=lambda generator: {}, seeds=(0,), **game):
    return compare(
        objectives,
        make,
        ring().sample,
        evaluate,
        seeds=seeds,
        game=game,
        hidden=True,
        ema_half_life=0,
        **SHORT,
    )


def test_every_loss_of_the_course_is_played_for():
    played = {objective.loss for objective in OBJECTIVES.values()}
    assert played == LOSSES.keys()


def test_a_result_for_each_objective_and_seed_in_order():
    found = short({"a": Objective("hinge"), "b": Objective("minimax")}, seeds=(3, 5))
    assert [(one.objective, one.seed) for one in found] == [("a", 3), ("a", 5), ("b", 3), ("b", 5)]
    assert all(one.run.images_seen == 64 and one.seconds > 0 for one in found)


def test_all_objectives_start_from_the_same_weights_and_another_seed_from_others():
    starts = []

    def noting():
        made = networks()
        starts.append(weights(made[0]))
        return made

    short({"a": Objective("hinge"), "b": OBJECTIVES["WGAN, clipping"]}, make=noting, seeds=(0, 1))
    assert torch.equal(starts[0], starts[2]) and torch.equal(starts[1], starts[3])
    assert not torch.equal(starts[0], starts[1])


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_same_seed_gives_the_same_generator_and_it_has_moved(name):
    one, other = (short({name: OBJECTIVES[name]})[0].run.networks["generator"] for _ in range(2))
    torch.manual_seed(0)
    assert torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(one), weights(networks()[0]))


def test_the_game_is_passed_on_and_the_averaged_generator_judged():
    found = short(
        {"a": Objective("hinge")},
        evaluate=lambda generator: {"weight": weights(generator)[0].item()},
        generator_lr=0.0,
    )
    torch.manual_seed(0)
    assert found[0].found["weight"] == weights(networks()[0])[0].item()


def test_what_diverges_is_a_result_too():
    bad = GANLoss(
        lambda real, fake: (fake.mean() - real.mean()) * float("inf"), lambda real, fake: -fake.mean()
    )
    (found,) = short({"bad": Objective(bad)})
    assert found.found is None and found.run is not None


def test_a_bound_is_put_on_the_discriminator_only():
    gan = OBJECTIVES["WGAN, clipping"].gan(nn.Linear(1, 1), nn.Linear(1, 1))
    assert gan.discriminator._forward_pre_hooks and not gan.generator._forward_pre_hooks


def test_the_recorded_comparison_has_every_objective_with_three_seeds_on_one_budget():
    records = json.loads(RECORDED.read_text(encoding="utf-8"))["records"]
    assert records.keys() == {f"{name}/seed {seed}" for name in OBJECTIVES for seed in (0, 1, 2)}
    for key, one in records.items():
        assert key == f"{one['objective']}/seed {one['seed']}"
        assert one["quick"] is None and not one["revision"]["changed"]
        assert one["found"] is None or 0 < one["found"]["frechet"] < 250
    shared = ("images", "samples", "training_data", "versions", "device")
    for part in shared:
        assert len({json.dumps(one[part]) for one in records.values()}) == 1


def test_the_networks_on_digits_fit_each_other():
    generator, discriminator = small_mnist_dcgan()
    images = generator(torch.randn(4, generator.latent_dim))
    assert images.shape == (4, 1, 28, 28) and discriminator(images).shape == (4,)
    assert get_loss("hinge").generator(None, discriminator(images)).isfinite()
