"""The number of threads: fixed where somebody insists, measured otherwise, and again when it gets slow."""

import copy
import os
import subprocess
import sys

import pytest
import torch

from course_utils import runtime
from course_utils.data import ring
from course_utils.models import mlp_discriminator, mlp_generator
from course_utils.runtime import fixed_threads, free_cores
from course_utils.training import GAN, threads, train
from course_utils.training.threads import ThreadChoice, fastest_count

CPU = torch.device("cpu")
RING = ring()
SHORT = {"images": 320, "batch_size": 32, "device": "cpu", "progress": False}


@pytest.fixture(autouse=True)
def nothing_insists(monkeypatch):
    monkeypatch.delenv("COURSE_THREADS", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(runtime, "usable_cores", lambda: 4)


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a step takes by the number of threads, and a clock that they move."""

    class Clock:
        now, costs = 0.0, {1: 1.0, 2: 1.0, 4: 1.0}

        def step(self):
            self.now += self.costs[torch.get_num_threads()]

    clock = Clock()
    monkeypatch.setattr(threads.time, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(threads, "free_cores", lambda: 4)
    return clock


def players():
    torch.manual_seed(0)
    return mlp_generator((2,), 2, hidden=(16,)), mlp_discriminator((2,), hidden=(16,))


@pytest.mark.parametrize(
    ("costs", "best"),
    [
        ({1: 0.02, 2: 0.012, 4: 0.008}, 4),
        ({1: 0.02, 2: 0.014, 4: 0.0135}, 2),  # four are hardly faster than two
        ({1: 0.02, 2: 0.0195, 4: 0.03}, 1),
        ({1: 0.001, 2: 0.1, 4: 0.0001}, 1),  # two are so much slower that four are not tried
    ],
)
def test_the_fewest_threads_that_are_about_the_fastest(clock, costs, best):
    clock.costs = costs
    before = torch.get_num_threads()
    assert fastest_count(clock.step) == (best, pytest.approx(1 / costs[best]))
    assert torch.get_num_threads() == before


def test_no_more_are_tried_than_cores_are_free(clock, monkeypatch):
    clock.costs = {1: 1.0}
    monkeypatch.setattr(threads, "free_cores", lambda: 1)
    assert fastest_count(clock.step) == (1, 0)
    assert clock.now == 0


def test_trying_takes_few_steps_and_fewer_where_they_are_slow(clock):
    for cost, most in ((0.001, 12), (0.05, 12), (10.0, 6)):
        clock.costs, clock.now = dict.fromkeys((1, 2, 4), cost), 0.0
        fastest_count(clock.step)
        assert clock.now <= (most + 0.5) * cost


@pytest.mark.parametrize(("busy", "free"), [(0, 4), (50, 2), (100, 1), (30, 3)])
def test_free_cores_are_those_that_nobody_computes_on(monkeypatch, busy, free):
    monkeypatch.setattr(runtime.psutil, "cpu_percent", lambda seconds: busy)
    monkeypatch.setattr(runtime.os, "cpu_count", lambda: 4)
    assert free_cores() == free


def test_who_insists_is_obeyed(monkeypatch):
    assert fixed_threads() is None
    assert fixed_threads(3) == 3
    monkeypatch.setenv("COURSE_THREADS", "2")
    assert fixed_threads() == 2
    assert fixed_threads(3) == 3
    assert ThreadChoice(CPU).count == 2 and not ThreadChoice(CPU).tries


@pytest.mark.parametrize("wrong", ["0", "two", "-1", "1.5"])
def test_a_number_that_is_none_is_told(monkeypatch, wrong):
    with pytest.raises(ValueError, match=rf"threads must be a positive whole number, got '{wrong}'"):
        train(GAN(*players()), RING.sample, threads=wrong, **SHORT)
    monkeypatch.setenv("COURSE_THREADS", wrong)
    with pytest.raises(ValueError, match=rf"COURSE_THREADS must be a positive whole number, got '{wrong}'"):
        train(GAN(*players()), RING.sample, **SHORT)


def test_a_choice_is_made_anew_when_throughput_has_fallen_by_half(clock):
    choice = ThreadChoice(CPU)
    clock.costs = {1: 0.02, 2: 0.01, 4: 0.01}
    choice.choose(clock.step)
    assert choice.count == 2
    clock.now += 10
    assert not choice.fallen(90.0)
    assert not choice.fallen(60.0)
    assert choice.fallen(40.0)
    clock.costs = {1: 0.02, 2: 0.2, 4: 0.2}
    choice.choose(clock.step)
    assert choice.count == 1
    clock.now += 1
    assert not choice.fallen(0.1)  # just chosen
    clock.now += 10
    assert choice.fallen(0.1)


def test_trying_leaves_no_trace_in_the_training(monkeypatch):
    """Same weights, same random numbers, whether counts were tried or not, at the start and in between."""
    monkeypatch.setattr(threads, "fastest_count", lambda step: (step(), step(), (1, 1.0))[-1])
    monkeypatch.setattr(ThreadChoice, "fallen", lambda self, speed: self.tries)
    found = []
    for fixed in (1, None):
        generator, discriminator = players()
        run = train(GAN(generator, discriminator), RING.sample, threads=fixed, **SHORT)
        found.append([*generator.state_dict().values(), *discriminator.state_dict().values()])
        assert run.threads == 1
    assert all(torch.equal(*pair) for pair in zip(*found, strict=True))


def test_the_threads_of_before_are_back_after_the_training_and_after_an_error():
    before = torch.get_num_threads()
    train(GAN(*players()), RING.sample, threads=before + 1, **SHORT)
    assert torch.get_num_threads() == before

    def broken(n, rng):
        if torch.get_num_threads() == before + 1 and n == 32:
            raise ArithmeticError
        return RING.sample(n, rng)

    with pytest.raises(ArithmeticError):
        train(GAN(*players()), broken, threads=before + 1, **SHORT)
    assert torch.get_num_threads() == before


def test_a_resumed_run_takes_the_number_that_it_had(tmp_path, monkeypatch):
    options = {**SHORT, "checkpoint": tmp_path / "run.pt"}
    monkeypatch.setattr(threads, "fastest_count", lambda step: (2, 1.0))
    assert train(GAN(*players()), RING.sample, **{**options, "images": 160}).threads == 2
    monkeypatch.setattr(threads, "fastest_count", lambda step: (1, 1.0))
    run = train(GAN(*players()), RING.sample, resume=True, **options)
    assert run.threads == 2 and run.images_seen == 320


def test_the_model_that_is_tried_is_a_copy():
    gan = GAN(*players(), loss="hinge", generator_steps=3)
    twin = gan.copy()
    assert twin.settings == gan.settings
    for name, network in gan.networks.items():
        for weights, others in zip(network.parameters(), twin.networks[name].parameters(), strict=True):
            assert torch.equal(weights, others) and weights is not others
    assert copy.deepcopy(gan.settings) == gan.settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, 1), ({"COURSE_THREADS": "3"}, 3), ({"COURSE_THREADS": "many"}, 1), ({"OMP_NUM_THREADS": "2"}, 2)],
)
def test_all_outside_a_training_starts_from_one_thread_unless_somebody_insists(variables, expected):
    """In a process of its own; four on two cores would be many times slower with more."""
    clean = {
        key: value for key, value in os.environ.items() if key not in ("COURSE_THREADS", "OMP_NUM_THREADS")
    }
    code = "import course_utils.metrics, torch; print(torch.get_num_threads())"
    environment = {**clean, **variables}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert int(said.stdout) == expected
