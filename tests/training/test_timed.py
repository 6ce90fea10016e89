"""Seconds of training: what counts, what does not, and when it ends."""

import time

import pytest
import torch
from torch import nn

from course_utils.data import gaussian
from course_utils.models import mlp_decoder, mlp_encoder
from course_utils.training import VAE, timed, train_for


def model() -> VAE:
    torch.manual_seed(0)
    return VAE(mlp_encoder((1,), 1, (4,)), mlp_decoder((1,), 1, (4,)), lr=1e-2)


class Ticking:
    """A clock that goes on by one second each time that it is read."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_training_ends_when_the_seconds_are_over_and_looking_does_not_count(monkeypatch):
    monkeypatch.setattr(timed.time, "process_time", clock := Ticking())
    looks = []

    def look(run, spent):
        looks.append((run.images_seen, spent))
        clock.now += 1_000  # a long evaluation

    run, spent = train_for(3.0, model(), gaussian().sample, look=look, batch_size=8, every=2)
    # each stretch of two steps reads the clock at its start and at its end: one second
    assert looks == [(0, 0.0), (16, 1.0), (32, 2.0), (48, 3.0)]
    assert (run.images_seen, spent) == (48, 3.0)
    assert not run.networks["autoencoder"].training


def test_the_schedule_follows_the_seconds(monkeypatch):
    monkeypatch.setattr(timed.time, "process_time", Ticking())
    asked = []
    train_for(
        4.0,
        model(),
        gaussian().sample,
        schedule=lambda fraction: asked.append(fraction) or 1.0,
        batch_size=8,
        every=1,
    )
    # the schedule reads the clock too, so each step of one batch takes two seconds: it is asked in between
    assert asked == [0.25, 0.75]


def test_real_seconds_are_seconds_of_the_processor():
    begin = time.process_time()
    run, spent = train_for(0.3, model(), gaussian().sample, batch_size=64, every=5)
    assert 0.3 <= spent <= time.process_time() - begin
    assert run.images_seen >= 320 and run.threads == 1


def test_what_a_looker_raises_comes_through():
    with pytest.raises(RuntimeError, match="seen enough"):
        train_for(1.0, model(), gaussian().sample, look=_raise)


def _raise(run, spent):
    raise RuntimeError("seen enough")


def test_the_same_seed_begins_alike():
    histories = []
    for _ in range(2):
        run, _ = train_for(0.05, model(), gaussian().sample, batch_size=8, every=1, seed=3)
        histories.append(run.history["negative_elbo"][:3])
    assert histories[0] == histories[1] and isinstance(run.average, nn.Module)


def test_a_generator_is_judged_once_at_each_mark_and_once_at_the_end():
    look, curve = timed.judged_at((3.0, 1.0), lambda generator: f"{generator} judged")
    for spent in (0.5, 1.2, 2.0, 3.1, 4.0):
        look("G", spent)
    look("G", 4.5, final=True)
    look("G", 4.5, final=True)
    assert curve == [(spent, "G judged") for spent in (1.2, 3.1, 4.5)]
    look, curve = timed.judged_at((1.0,), None)
    look("G", 2.0, final=True)
    assert curve == []
