"""A run continues only as what it was: other settings are refused by name, and a refusal costs nothing."""

import copy
import os
import warnings
from pathlib import Path

import pytest
import torch

from course_utils.data import ring
from course_utils.losses import LOSSES
from course_utils.models import AnsweringDiscriminator, features_of, mlp_discriminator, mlp_generator
from course_utils.training import GAN, auxiliary_classifier, constant_then_linear, tenth_of_images, train
from course_utils.training import checkpoint as files
from course_utils.training.checkpoint import load_checkpoint, save_checkpoint
from course_utils.training.feature_matching import feature_matching
from course_utils.training.machine import Machine
from course_utils.training.penalties import r1
from tests.training.games import train_gan

RING = ring()
SHORT = {"images": 128, "batch_size": 32, "snapshot_every": 64, "snapshot_samples": 8, "device": "cpu"}
SHORT = {**SHORT, "progress": False, "threads": 1}


def players():
    torch.manual_seed(0)
    features = features_of(mlp_discriminator((2,), hidden=(16,)))
    return mlp_generator((2,), 2, hidden=(16,)), AnsweringDiscriminator(*features, answers=3)


def shift(samples, rng):
    return samples + torch.rand(len(samples), 1, generator=rng)


OTHERS = {
    "loss": ["hinge", LOSSES["hinge"]._replace(undecided=0.1)],
    "penalty": [r1(1.0), r1(2.0)],
    "penalty_every": [4],
    "augment": [shift],
    "generator_term": [feature_matching(1.0), feature_matching(0.5)],
    "auxiliary": [auxiliary_classifier(1.0), auxiliary_classifier(0.5), auxiliary_classifier(on=["fake"])],
    "generator_steps": [2],
    "discriminator_steps": [2],
    "generator_lr": [1e-3],
    "discriminator_lr": [1e-3],
    "betas": [(0.5, 0.99)],
    "schedule": [constant_then_linear],
    "batch_size": [16],
    "ema_half_life": [0, tenth_of_images],
    "snapshot_samples": [4],
    "seed": [1],
    "precision": ["bfloat16"],
    "threads": [2],
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_run_with_another_setting_is_refused_by_name_and_the_networks_stay(tmp_path, name):
    path = tmp_path / "run.pt"
    train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    kept = path.read_bytes()
    for other in OTHERS[name]:
        generator, discriminator = players()
        before = copy.deepcopy(generator.state_dict())
        with pytest.raises(
            ValueError, match=rf"run\.pt was made with {name}=.*, this run has {name}=.*; take"
        ):
            options = {**SHORT, name: other}
            train_gan(generator, discriminator, RING.sample, checkpoint=path, resume=True, **options)
        assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())
        assert path.read_bytes() == kept


def test_a_custom_setting_that_is_the_same_continues(tmp_path):
    options = {**SHORT, "checkpoint": tmp_path / "run.pt", "penalty": None}
    for images in (64, 128):
        options = {**options, "images": images, "penalty": r1(0.5), "augment": shift}
        run = train_gan(*players(), RING.sample, resume=True, **options)
    assert run.images_seen == 128 and len(run.history["images"]) == 4


def test_every_setting_of_a_game_is_among_those_that_are_compared():
    assert set(GAN(*players()).settings) <= set(OTHERS) | {"shown"}


def test_a_lazy_penalty_continues_at_the_step_where_it_was(tmp_path):
    """Every third of 5 + 4 steps: the stop must not start the count anew."""

    def trained(*lengths):
        for images in lengths:
            run = train_gan(
                *players(),
                RING.sample,
                penalty=r1(1.0),
                penalty_every=3,
                checkpoint=tmp_path / f"{len(lengths)}.pt",
                resume=True,
                **{**SHORT, "images": images, "snapshot_every": 32},
            )
        return run

    straight, stopped = trained(288), trained(160, 288)
    assert straight.history["discriminator_loss"] == stopped.history["discriminator_loss"]


@pytest.mark.parametrize("every", [1, 4])
def test_a_lazy_penalty_is_computed_in_every_kth_step_and_counts_k_times(every):
    calls = []

    def five(discriminator, real, fake):
        calls.append(len(real[0]))
        return 5 + 0 * sum(weights.sum() for weights in discriminator.parameters())

    gan = GAN(*players(), penalty=five, penalty_every=every)
    train(gan, RING.sample, **{**SHORT, "images": 8 * 32})
    assert calls == [32] * (8 // every)
    machine = Machine("cpu")
    machine.batches_drawn = every
    added = gan._penalty_of_this_step(machine)
    assert added((torch.zeros(3, 2),), (torch.zeros(3, 2),)).item() == 5 * every


def test_a_refused_file_of_other_networks_leaves_all_parts_as_they_were(tmp_path):
    path = tmp_path / "run.pt"
    train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    generator, discriminator = players()[0], mlp_discriminator((2,), hidden=(8,))  # D differs, G fits
    before = copy.deepcopy(generator.state_dict())
    with pytest.raises(ValueError, match=r"holds the state of another discriminator"):
        train_gan(generator, discriminator, RING.sample, checkpoint=path, resume=True, **SHORT)
    assert all(torch.equal(before[key], value) for key, value in generator.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("average"), "average"),
        (lambda state: state.update(momentum=1), "momentum"),
        (lambda state: state["settings"].update(curriculum="'easy first'"), "curriculum='easy first'"),
    ],
    ids=["lacks a part", "has a part too many", "has a setting too many"],
)
def test_a_checkpoint_of_another_kind_or_of_a_newer_version_is_refused(tmp_path, change, message):
    path = tmp_path / "run.pt"
    train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    state = load_checkpoint(path)
    change(state)
    save_checkpoint(path, state)
    with pytest.raises(ValueError, match=message):
        train_gan(*players(), RING.sample, checkpoint=path, resume=True, **SHORT)


# --- files that cannot be written ----------------------------------------------------------------------


def test_a_place_that_cannot_be_written_is_told_before_the_first_step(tmp_path):
    drawn = []

    def draw(n, rng):
        drawn.append(n)
        return RING.sample(n, rng)

    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path, tmp_path / "file" / "run.pt", Path("/proc/none/run.pt")):
        with pytest.raises(ValueError, match=r"is a folder; name a file|cannot be written"):
            train_gan(*players(), draw, checkpoint=path, **SHORT)
    assert drawn == [8, 8, 8]  # the examples, no batch


def test_a_checkpoint_that_cannot_be_written_is_a_warning_and_training_continues(tmp_path, monkeypatch):
    save, calls = files.save_checkpoint, []

    def full_at_first(path, state):
        calls.append(state["images_seen"])
        if len(calls) == 1:
            raise OSError(28, os.strerror(28))
        save(path, state)

    monkeypatch.setattr(files, "save_checkpoint", full_at_first)
    with pytest.warns(
        UserWarning, match=r"run\.pt could not be written \(No space left on device\); training"
    ):
        run = train_gan(*players(), RING.sample, checkpoint=tmp_path / "run.pt", **SHORT)
    assert not run.interrupted and calls == [64, 128, 128]
    assert load_checkpoint(tmp_path / "run.pt")["images_seen"] == 128


@pytest.mark.parametrize("seed", [2**64, -1, 1.5, True])
def test_a_seed_that_no_generator_takes_is_refused(seed):
    with pytest.raises(ValueError, match="seed must be a whole number from 0"), warnings.catch_warnings():
        train_gan(*players(), RING.sample, **{**SHORT, "seed": seed})


def test_a_file_from_before_a_setting_or_a_column_existed_continues(tmp_path):
    """Later versions learn settings that are None by default, and measure more."""
    path = tmp_path / "run.pt"
    train_gan(*players(), RING.sample, checkpoint=path, **SHORT)
    state = load_checkpoint(path)
    assert state["settings"].pop("penalty") == "None"
    steps = len(state["history"].pop("generator_loss"))
    save_checkpoint(path, state)

    run = train_gan(*players(), RING.sample, checkpoint=path, resume=True, **{**SHORT, "images": 192})
    column = torch.tensor(run.history["generator_loss"])
    assert column.isnan().tolist() == [True] * steps + [False] * 2

    state["settings"]["penalty"] = "unknown"  # a setting that was not None still counts
    save_checkpoint(path, state)
    with pytest.raises(ValueError, match="was made with penalty=unknown, this run has penalty=None"):
        train_gan(*players(), RING.sample, checkpoint=path, resume=True, **SHORT)
