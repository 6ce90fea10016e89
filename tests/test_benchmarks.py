"""The benchmark measures what it says: published networks, counted FLOP, an honest clock, lasting results."""

import json
import math
import os
import socket
import subprocess
import sys
from copy import deepcopy
from functools import partial
from inspect import signature
from statistics import median
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks import __main__ as command
from benchmarks import (
    ablations,
    ceilings,
    flops,
    kernels,
    processes,
    quality,
    recipes,
    records,
    report,
    scale,
)
from benchmarks.peers import PEERS
from course_utils import data
from course_utils.models import count_parameters
from course_utils.runtime import autocast_dtype
from course_utils.training import GAN, MNIST_QUICK, TrainingDiverged, train
from course_utils.training.__main__ import RECIPES

CPU = torch.device("cpu")
PARAMETERS = {  # trainable: (generator, discriminator)
    "tensorflow": (2_305_472, 212_865),  # what Keras's summary prints for the tutorial
    "pytorch_examples": (3_574_656, 2_763_520),  # Σ inputs·outputs·16 + 2·normalised channels, by hand
    "pytorch_gan": (1_049_985, 98_113),
    "mlp": (100 * 128 + 128 + 128 * 128 + 3 * 128 + 128 * 784 + 784, 784 * 128 + 128 + 128 * 128 + 128 + 129),
    "sn_cnn": (
        100 * 8192 + 8192 + 16 * (512 * 256 + 256 * 128 + 128 * 64) + 448 + 2 * 960 + 64 * 3 * 9 + 3,
        9 * (3 * 64 + 128**2 + 256**2 + 512**2) + 16 * (64 * 128 + 128 * 256 + 256 * 512) + 1856 + 8193,
    ),
}
PUBLISHED = {  # batch, image size, latents; what D returns for "undecided"
    "tensorflow": (256, 28, 100),
    "pytorch_examples": (64, 64, 100),
    "pytorch_gan": (64, 32, 100),
    "mlp": (64, 28, 100),
    "sn_cnn": (128, 32, 100),
}


# --- the peers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_the_published_shapes_and_parameters(name):
    peer = PEERS[name]
    generator, discriminator, _ = peer.build()
    channels = {"mnist": 1, "cifar10": 3}[peer.data]
    assert (count_parameters(generator), count_parameters(discriminator)) == PARAMETERS[name]
    assert (peer.batch_size, peer.image_size, generator.latent_dim) == PUBLISHED[name]
    fake = generator(torch.randn(2, generator.latent_dim))
    assert fake.shape == (2, channels, peer.image_size, peer.image_size)
    assert fake.abs().max() <= 1
    assert discriminator(fake).shape == (2,)


@pytest.mark.parametrize("name", PEERS)
def test_a_step_of_a_peer_moves_both_networks(name):
    torch.manual_seed(0)
    peer = PEERS[name]
    generator, discriminator, step = peer.build()
    before = [[weight.clone() for weight in net.parameters()] for net in (generator, discriminator)]
    channels = {"mnist": 1, "cifar10": 3}[peer.data]
    real = torch.rand(4, channels, peer.image_size, peer.image_size) * 2 - 1
    losses = step(real, torch.Generator().manual_seed(0))
    assert all(math.isfinite(loss.item()) for loss in losses)
    for weights, network in zip(before, (generator, discriminator), strict=True):
        pairs = zip(weights, network.parameters(), strict=True)
        moved = [not torch.equal(old, new) for old, new in pairs]
        assert sum(moved) > len(moved) / 2  # a bias before batch normalisation has no gradient


def test_first_weights_are_the_published_ones():
    torch.manual_seed(0)
    generator, discriminator, _ = PEERS["pytorch_examples"].build()
    for layer in (generator[1], discriminator[2]):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
    dense = PEERS["tensorflow"].build()[0][0]
    assert dense.weight.abs().max().item() == pytest.approx((6 / (100 + 12_544)) ** 0.5, rel=1e-3)
    dense = PEERS["mlp"].build()[1][1]
    assert dense.weight.abs().max().item() == pytest.approx(784**-0.5, rel=1e-3)


def test_tensorflow_takes_both_gradients_before_it_moves():
    """G's first step must not depend on how far D steps: Adam's first step is the gradient's sign."""

    def generator_after(rate):
        torch.manual_seed(0)
        generator, discriminator, step = PEERS["tensorflow"].build()
        optimizers = [cell.cell_contents for cell in step.__closure__]
        optimizers = [one for one in optimizers if isinstance(one, torch.optim.Adam)]
        of_d = next(
            one for one in optimizers if one.param_groups[0]["params"][0] is next(discriminator.parameters())
        )
        of_d.param_groups[0]["lr"] = rate
        torch.manual_seed(1)  # dropout's masks
        step(torch.zeros(4, 1, 28, 28), torch.Generator().manual_seed(0))
        return [weight.clone() for weight in generator.parameters()]

    near, far = generator_after(1e-4), generator_after(10.0)
    assert all(torch.equal(a, b) for a, b in zip(near, far, strict=True))


@pytest.mark.parametrize(
    ("name", "published"),  # learning rate, β, ε; Keras's ε is 1e-7, PyTorch's 1e-8
    [
        ("tensorflow", (1e-4, (0.9, 0.999), 1e-7)),
        ("pytorch_examples", (2e-4, (0.5, 0.999), 1e-8)),
        ("pytorch_gan", (2e-4, (0.5, 0.999), 1e-8)),
        ("mlp", (2e-4, (0.5, 0.999), 1e-8)),
        ("sn_cnn", (2e-4, (0.0, 0.9), 1e-8)),
    ],
)
def test_both_optimisers_are_the_published_ones(name, published):
    _, _, step = PEERS[name].build()
    found = [cell.cell_contents for cell in step.__closure__]
    groups = [one.param_groups for one in found if isinstance(one, torch.optim.Adam)]
    assert [(one["lr"], one["betas"], one["eps"]) for (one,) in groups] == [published] * 2


def test_sn_cnn_takes_twice_the_batch_for_g_and_none_of_its_gradients_for_d():
    generator, _, step = PEERS["sn_cnn"].build()
    seen = []
    generator.register_forward_hook(
        lambda network, inputs, fake: seen.append((len(fake), fake.requires_grad))
    )
    step(torch.zeros(3, 3, 32, 32), torch.Generator())
    assert seen == [(3, False), (6, True)]


# --- FLOP --------------------------------------------------------------------------------------------------


def test_flop_of_a_linear_layer_by_hand():
    layer, x = nn.Linear(10, 20), torch.randn(8, 10)
    assert flops.count(lambda: layer(x)) == 2 * 8 * 10 * 20
    assert flops.count(lambda: layer(x).sum().backward()) == 2 * (2 * 8 * 10 * 20)  # weights


def test_flop_of_a_convolution_by_hand():
    layer, x = nn.Conv2d(3, 5, 3, padding=1), torch.randn(2, 3, 8, 8, requires_grad=True)
    forward = 2 * 2 * 8 * 8 * 3 * 5 * 9
    assert flops.count(lambda: layer(x)) == forward
    assert flops.count(lambda: layer(x).sum().backward()) == 3 * forward


def test_flop_of_a_whole_step_of_the_mlp_by_hand():
    peer = PEERS["mlp"]
    _, _, step = peer.build()
    real = torch.zeros(4, 1, 28, 28)
    g, d = 100 * 128 + 128 * 128 + 128 * 784, 784 * 128 + 128 * 128 + 128
    of_g = g + g + (g - 100 * 128)  # forward; gradients of weights, and of inputs but the latents
    of_d = 3 * d + 2 * (d + d - 784 * 128) + 2 * d  # real, fake, G's step; G's step goes down to the pixels
    assert flops.count(lambda: step(real, torch.Generator())) == 4 * 2 * (of_g + of_d)


# --- the clock ---------------------------------------------------------------------------------------------


def test_the_clock_counts_steps_and_nothing_else():
    now = SimpleNamespace(time=0.0)

    def step():
        now.time += 2.0

    def evaluation():
        now.time += 1_000.0
        return {"frechet": 1.0}

    points = quality.timed(step, (5, 10), evaluation, clock=lambda: now.time)
    assert [point["seconds"] for point in points] == [6.0, 10.0]
    assert [point["steps"] for point in points] == [3, 5]


def test_the_device_is_waited_for_inside_the_clock():
    now = SimpleNamespace(time=0.0)

    def step():
        now.time += 1.0

    def wait():
        now.time += 0.5

    (point,) = quality.timed(step, (3,), dict, wait, lambda: now.time)
    assert point["seconds"] == 3.5


@pytest.fixture
def a_thousand_images_a_second(monkeypatch):
    """`train` without training; it diverges when the images in `limit` have been seen."""
    runs, limit = [], []

    def pretend(gan, draw, *, images, snapshot_every, on_snapshot=None, **others):
        runs.append(images)
        run = SimpleNamespace(average=gan.generator, images_seen=0, seconds=0.0)
        while on_snapshot is not None and run.images_seen < images:
            on_snapshot(run)
            run.images_seen += snapshot_every
            if limit and run.images_seen >= limit[0]:
                diverged = TrainingDiverged("the generator loss became nan")
                diverged.run = run  # whose clock has stopped at the look before
                raise diverged
            run.seconds = run.images_seen / 1_000

    monkeypatch.setattr(quality, "train_model", pretend)
    monkeypatch.setattr(quality.Evaluation, "__call__", lambda self, generator: {"frechet": 3.0})
    return SimpleNamespace(runs=runs, limit=limit)


def points_of_ours(**plan) -> list[dict]:
    plan = quality.Plan("mnist", "ours", 0, **plan)
    return quality.run_ours(plan, torch.zeros(10, 1, 28, 28, dtype=torch.uint8), CPU)["points"]


def test_ours_is_one_run_that_is_evaluated_at_the_first_look_after_each_mark(a_thousand_images_a_second):
    points = points_of_ours(seconds=60, marks=(15, 30, 60, 120))
    assert [point["mark"] for point in points] == [15, 30, 60]
    assert [point["images"] for point in points] == [15_360, 30_080, 60_160]  # looks are 640 images apart
    assert [point["seconds"] for point in points] == [15.36, 30.08, 60.16]
    warm_up, run, to_be_counted = [320], [quality.ENDLESS], [64, 128]
    assert a_thousand_images_a_second.runs == [*warm_up, *run, *to_be_counted]


def test_where_ours_diverges_all_later_marks_say_so(a_thousand_images_a_second):
    a_thousand_images_a_second.limit.append(20_000)
    points = points_of_ours(seconds=60, marks=(15, 30))
    assert [point["frechet"] for point in points] == [3.0, None, None]
    assert [point["mark"] for point in points] == [15, 30, 60]
    assert [report.evaluated([a_run([]) | {"points": points}], mark) for mark in (15, 60)] == [[3.0], [None]]


def test_ours_may_diverge_before_the_first_look(a_thousand_images_a_second):
    a_thousand_images_a_second.limit.append(64)
    assert [point["frechet"] for point in points_of_ours(seconds=30, marks=(15, 30))] == [None, None]


def test_one_run_of_ours_that_is_real():
    plan = quality.Plan("mnist", "ours", 0, 0.2, samples=50, warm_up=1, quick=True)
    record = quality.run(plan)
    (point,) = record["points"]
    assert point["mark"] == 0.2 <= point["seconds"]
    assert point["images"] % (10 * record["batch_size"]) == 0 and math.isfinite(point["frechet"])
    recipe = RECIPES["mnist"]
    assert record["precision"] == str(autocast_dtype(CPU, *recipe.networks()) or torch.float32)[6:]
    assert record["batch_size"] == recipe.training["batch_size"] == 64
    # Multiply-adds of the forward passes, by hand; the last layer of G computes 15×15 places of 4 channels.
    first_g, first_d = 32 * 3136, 14 * 14 * 4 * 32 * 9
    g = first_g + 7 * 7 * 64 * (64 * 9 + 32 * 16) + 14 * 14 * 32 * 32 * 9 + 15 * 15 * 32 * 4 * 4
    d = first_d + 7 * 7 * 64 * (32 * 16 + 64 * 9) + 3136
    of_d = 2 * 3 * d - 2 * first_d  # real and fake: forward, weights, inputs; none for the pixels
    of_g = 3 * g - first_g + 2 * d  # the fakes are made once; through D without its weights
    assert record["flop_per_image"] == 2 * (of_d + of_g) == 89_753_600
    assert record["flop_per_step"] == 64 * 89_753_600


def test_one_run_that_is_real(monkeypatch, tmp_path):
    """A fraction of a second: every number is there, and of the right kind. The stand-in proves nothing."""
    plan = quality.Plan("mnist", "mlp", 0, 1.0, marks=(0.3, 1.0), samples=50, warm_up=1, quick=True)
    record = quality.run(plan)
    assert [point["mark"] for point in record["points"]] == [0.3, 1.0]
    assert record["points"][1]["images"] > record["points"][0]["images"] > 0
    assert all(math.isfinite(point["frechet"]) for point in record["points"])
    assert record["flop_per_image"] == 2_453_760
    assert record["memory_megabytes"]["peak"] >= record["memory_megabytes"]["before"] > 50
    assert record["apart"]["evaluation_seconds"] > 0
    assert record["evaluator"]["samples"] == 50
    assert record["quick"] == records.QUICK
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="needs the real data, but there is only: "):
        quality.run(plan._replace(quick=False))


@pytest.mark.parametrize("judge", quality.JUDGES)
def test_resizing_there_and_back_costs_nothing_against_the_matched_reference(monkeypatch, tmp_path, judge):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))  # the stand-in has fewer images
    evaluate = quality.JUDGES[judge]("mnist")
    real = data.load("mnist", "test").images
    there_and_back = quality.shrunk(data.to_model_range(quality.resized(real, 64)), 28)
    monkeypatch.setattr(quality, "MATCHED", {})
    assert quality.size_matched(judge, evaluate, 64)(there_and_back) == pytest.approx(0, abs=1e-6)
    assert evaluate(there_and_back) > 1e-3


# --- time to a distance, median and range ------------------------------------------------------------------

POWER = [(mark, 100 / mark) for mark in (1, 10, 100)]  # distance = 100 / seconds: straight in logarithms


@pytest.mark.parametrize("distance", [50, 10, 3, 1])
def test_time_to_a_distance_on_a_power_law(distance):
    assert quality.seconds_to(POWER, distance) == pytest.approx(100 / distance)


def test_time_to_a_distance_at_the_ends():
    assert quality.seconds_to(POWER, 0.5) is None
    assert quality.seconds_to(POWER, 200) == 1
    assert quality.seconds_to([], 1) is None
    assert quality.seconds_to([(1, 8), (2, 2), (3, 9), (4, 1)], 2) == pytest.approx(2)  # the first time


def a_run(points, seed=0, name="mlp", **changes):
    return {
        "data": "mnist",
        "name": name,
        "seed": seed,
        "batch_size": 64,
        "image_size": 28,
        "precision": "float32",
        "points": [
            {"mark": mark, "seconds": mark, "images": 100 * mark, "frechet": frechet}
            for mark, frechet in points
        ],
        "images_per_second": 100.0,
        "flop_per_image": 1e7,
        "flop_per_step": 64e7,
        "memory_megabytes": {"before": 200.0, "peak": 300.0},
        "apart": {"warm_up_seconds": 1.25, "evaluation_seconds": 8.0},
        "training_data": "invented",
        "evaluator": {"samples": 5_000},
        **records.circumstances(CPU, quick=False),
        **changes,
    }


def test_runs_cut_short_do_not_flatter():
    long = a_run([(10, 50), (100, 5)])
    assert report.to_reach([long, a_run([(10, 40)], seed=1)], 5) == [100]  # the short one says nothing
    short = report.to_reach([long, a_run([(10, 50)], seed=1)], 50)
    assert short == [10, 10]
    assert report.to_reach([long], 1) == [math.inf]
    diverged = a_run([(10, None)], seed=1)
    assert report.to_reach([long, diverged], 5) == [100, math.inf]  # it was not cut short: it never comes


def test_median_range_and_seeds():
    assert report.spread([3.0, 1.0, 2.0], report.number) == "2.00 (1.00–3.00; 3)"
    assert report.spread([3.0], report.number) == "3.00 (1)"
    assert report.spread([], report.number) == "–"
    assert report.spread([3.0, None, 1.0], report.number) == "2.00 (1.00–3.00; 2), 1 diverged"
    assert report.spread([None, None], report.number) == "diverged"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9999, "1.00"), (0.0123, "0.0123"), (34.56, "34.6"), (3_456, "3,460"), (0, "0"), (math.inf, "never")],
)
def test_three_digits_that_count(value, shown):
    assert report.number(value) == shown


def test_ours_catches_up_with_a_peer_s_best_distance_and_not_with_its_last():
    ours = [a_run([(1, 100), (10, 10), (100, 1)], name="ours")]
    others = {
        "peer": [a_run([(10, 90), (100, 5), (300, 80)]), a_run([(10, 50)], seed=1)],
        "early": [a_run([(10, 200), (300, 300)])],
        "partly": [a_run([(100, 2), (300, 3)]), a_run([(100, None), (300, None)], seed=1)],
        "better": [a_run([(300, 0.5)])],
        "lost": [a_run([(300, None)])],
    }
    assert report.caught_up(ours, others).splitlines()[2:] == [
        "| peer | 5.00 after 100 s (seeds: 1) | 20.0 s | 5.00 × | 5.00 × | 5.00 × |",
        "| early | 200 after 10 s (seeds: 1) | < 1.00 s | > 10.0 × | > 10.0 × | > 10.0 × |",
        "| partly | 2.00 after 100 s (seeds: 1), 1 diverged | 50.0 s | 2.00 × | 2.00 × | 2.00 × |",
        "| better | 0.500 after 300 s (seeds: 1) | never | – | – | – |",
        "| lost | diverged | – | – | – | – |",
    ]


def test_images_and_flop_count_for_themselves():
    ours = [a_run([(1, 100), (10, 10)], name="ours")]  # 100 images a second of 10 MFLOP
    peer = [a_run([(10, 10)], flop_per_image=3e7)]
    peer[0]["points"][0]["images"] = 500
    (row,) = report.caught_up(ours, {"peer": peer}).splitlines()[2:]
    assert row == "| peer | 10.0 after 10 s (seeds: 1) | 10.0 s | 1.00 × | 0.500 × | 1.50 × |"


def test_a_distance_between_two_marks_lies_on_the_picture_s_line():
    run = a_run([(1, 100), (100, 1)], flop_per_image=1e10)  # after 100 and after 10,000 images
    assert report.distance_at(run, 1_000, "images") == pytest.approx(10)
    assert report.distance_at(run, 10.0, "teraflop") == pytest.approx(10)
    assert report.distance_at(run, 10_000, "images") == pytest.approx(1)
    assert report.distance_at(run, 50, "images") is report.distance_at(run, 20_000, "images") is None
    runs = {"ours": [run, a_run([(1, 100), (10, 10)], seed=1)], "mlp": [a_run([(300, 7.0)])]}
    row = report.by_images(runs).splitlines()[2].split(" | ")
    assert row[:2] == ["| ours", "–"]  # the second seed was not trained so far


def test_the_referee_has_its_own_ratio_once_both_were_judged_by_it():
    def judged(run, distances, **matched):
        for number, (point, distance) in enumerate(zip(run["points"], distances, strict=True)):
            point["frechet_referee"] = distance
            point.update({name: values[number] for name, values in matched.items()})
        return run

    ours = [judged(a_run([(1, 100), (10, 10), (100, 1)], name="ours"), (1000, 100, 10))]
    matched = {"frechet_size_matched": (80, 4), "frechet_referee_size_matched": (300, 10)}
    larger = judged(a_run([(10, 90), (100, 5)], name="pytorch_gan", image_size=32), (400, 100), **matched)
    text = "\n".join(report.by_both({"ours": ours, "pytorch_gan": [larger]}))
    rows = [line.split(" | ") for line in text.splitlines() if "after 100 s" in line]
    assert [row[3] for row in rows] == ["5.00 ×", "4.00 ×", "10.0 ×", "1.00 ×"]  # the last: ours after 100 s
    assert report.judged_by({"ours": [a_run([(1, 2)])]}, "frechet_referee") == {}
    text = "\n".join(report.by_both({"ours": ours, "ours_quick": ours, "pytorch_gan": [larger]}))
    assert text.count("By the referee, ours") == 2, "each of ours is held against the others"
    assert text.count("after 100 s") == 2 * len(rows), "and not against another of ours"


def test_no_share_of_the_ceiling_is_more_than_all_of_it():
    ceiling = {
        "matrix_gflops": {"float32": 186.0, "bfloat16": 798.0},
        "convolution_gflops": {"float32": 354.0, "bfloat16": 678.0},
    }
    fast = {"images_per_second": 583.0, "flop_per_image": 452e6}  # 263.5 GFLOP/s
    runs = {"mlp": [a_run([(1, 3)], **fast)], "ours": [a_run([(1, 3)], precision="bfloat16", **fast)]}
    rows = [line.split(" | ") for line in report.costs(runs, ceiling).splitlines()]
    assert [row[rows[0].index("of the ceiling")] for row in rows[2:]] == ["74 %", "33 %"]
    assert [row[-1] for row in rows[2:]] == ["300 MB |"] * 2


# --- results that survive ----------------------------------------------------------------------------------


def test_results_are_merged_and_not_repeated(tmp_path, monkeypatch, capsys):
    path, done = tmp_path / "results" / "mnist.json", []

    def call(what):
        done.append(what)
        if what == "third":
            raise KeyboardInterrupt
        return {"frechet": float(len(done))}

    monkeypatch.setattr(command, "alone", lambda call, *details, threads: call(*details))
    for what in ("first", "second"):
        command.measure(path, what, False, None, call, what)
    with pytest.raises(KeyboardInterrupt):
        command.measure(path, "third", False, None, call, "third")
    assert sorted(records.load(path)) == ["first", "second"]
    command.measure(path, "first", True, None, call, "first")
    assert done == ["first", "second", "third"]
    assert "measured already" in capsys.readouterr().out
    command.measure(path, "first", False, None, call, "first")
    assert records.load(path)["first"] == {"frechet": 4.0}
    assert not list(path.parent.glob(".*"))


@pytest.mark.slow
def test_a_measurement_has_a_process_of_its_own(capfd):
    print_and_tell = "print('what only learners need') or __import__('os').getpid()"
    assert processes.alone(eval, print_and_tell) != os.getpid()
    with pytest.raises(SystemExit, match="no real data"):
        processes.alone(sys.exit, "no real data")
    assert capfd.readouterr().out == ""


def test_a_damaged_file_is_not_overwritten(tmp_path):
    path = tmp_path / "mnist.json"
    path.write_text('{"records": {')
    with pytest.raises(ValueError, match=r"mnist\.json holds no readable results; delete it, or restore it"):
        records.add(path, "key", {})
    assert path.read_text() == '{"records": {'


def test_a_record_tells_the_machine_but_not_whose_it_is(monkeypatch):
    for module, name in ((socket, "gethostname"), (records.platform, "node")):
        monkeypatch.setattr(module, name, lambda: "a-name-of-somebody-s-own")
    record = records.circumstances(CPU, quick=False)
    text = json.dumps(record)
    assert record["versions"]["torch"] == torch.__version__
    assert record["machine"]["threads"] == torch.get_num_threads()
    assert set(record["machine"]) == {"processor", "cores", "threads", "memory_gigabytes", "system"}
    assert record["quick"] is None
    assert str(records.ROOT) not in text
    assert "somebody" not in text


def test_the_report_refuses_quick_results(tmp_path):
    records.add(tmp_path / "mnist.json", "mlp/seed 0/cpu", a_run([(1, 3)], quick=records.QUICK))
    with pytest.raises(ValueError, match=r"mnist are quick ones, .*; run .* without --quick"):
        report.write(tmp_path)


@pytest.mark.generated
def test_the_page_is_what_the_results_say():
    results = report.all_records()
    pages = report.pages(results)
    assert {path.name for path in pages} == {"benchmarks.md", "ablations.md", "speed.md"}
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, "call `python -m benchmarks report`"
    assert report.PICTURE.exists() == any(report.on_cpu(results).values())


def test_the_readme_says_what_was_measured():
    runs = report.by_name(report.all_records()["mnist"], "cpu")
    dcgans = [several for name, several in report.rivals(runs).items() if "DCGAN" in name]
    assert dcgans
    for several in dcgans:
        ends, distances = zip(*(report.best(run) for run in report.longest(several)), strict=True)
        assert max(ends) > 240, "five minutes"
        assert median(report.to_reach(runs["ours"], median(distances))) < 12, "about ten seconds"


def test_the_prose_on_the_ablations_says_what_was_measured():
    kept = report.all_records()["ablations"].values()

    def after(images, variant="base", recipe="05_dcgan_mnist", least=3):
        which = ("quality", recipe, variant, images)
        keys = ("kind", "recipe", "variant", "images")
        found = [one["frechet"] for one in kept if tuple(map(one.get, keys)) == which]
        assert len(found) >= least
        return found

    for variant in (
        "D without normalisation",
        "extra convolution in D only",
        "latent 100",
        "learning rates 1e-3",
    ):
        assert min(after(75_000, variant)) < max(after(75_000)), "about level"
        assert min(after(150_000, variant)) > max(after(150_000)), "behind"
    times = {(one["recipe"], one["variant"]): one["ratio"] for one in kept if one["kind"] == "speed"}
    for variant in ("batch 32", "upsampling: resize"):
        assert times["05_dcgan_mnist", variant] == pytest.approx(4 / 3, rel=0.1), "a third longer"
        assert median(after(200_000)) < max(after(150_000, variant)), "as good in as much time"
    quick = partial(after, 10_000, recipe="quick_dcgan_mnist", least=1)
    base = quick("base")
    for variant in ("average over 5,000 images", "batch 64"):
        assert min(quick(variant)) > median(base), "ahead"
    for variant in ("learning rates 4e-3", "loss: minimax"):
        found = quick(variant)
        assert min(found) < max(base) and median(found) == pytest.approx(median(base), rel=0.15), (
            "about level"
        )
    for images in (50_000, 100_000):
        base, without = (after(images, variant, "06_dcgan_cifar10") for variant in ("base", "no average"))
        assert min(base) < max(without) and min(without) < max(base), "level"


def test_the_prose_on_the_quick_start_says_what_was_measured():
    runs = report.by_name(report.all_records()["mnist_1_thread"], "cpu")

    def at(mark, name, judge):
        return report.evaluated(report.judged_by(runs, judge)[name], mark)

    for judge in report.JUDGES:
        for mark in (5, 10, 15, 30, 60):
            assert max(at(mark, "ours_quick", judge)) < min(at(mark, "ours", judge)), "ahead for a minute"
        ours, quick = (at(120, name, judge) for name in ("ours", "ours_quick"))
        assert min(ours) < max(quick) and min(quick) < max(ours), "level after two"
    ours, quick = (at(300, name, "frechet_referee") for name in ("ours", "ours_quick"))
    assert min(quick) > max(ours), "behind after five"


def test_a_page_from_invented_results(tmp_path, monkeypatch):
    folder, page = tmp_path / "results", tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PICTURE", tmp_path / "picture.png")
    for seed, end in enumerate((4.0, 5.0, 6.0)):
        run = a_run([(5, 45.0), (15, 40.0), (60, end)], seed, "ours", precision="bfloat16")
        records.add(folder / "mnist.json", f"ours/seed {seed}/cpu", run)
    records.add(folder / "mnist.json", "mlp/seed 0/cpu", a_run([(15, 90.0), (60, None)]))
    records.add(folder / "mnist.json", "mlp/seed 1/cpu", a_run([(15, 80.0)], 1))
    larger = a_run([(15, 120.0), (60, 50.0)], name="pytorch_gan", image_size=32)
    for point, distance in zip(larger["points"], (100.0, 25.0), strict=True):
        point["frechet_size_matched"] = distance
    records.add(folder / "mnist.json", "pytorch_gan/seed 0/cpu", larger)
    records.add(folder / "mnist.json", "tensorflow/seed 0/cpu", a_run([(60, None)], name="tensorflow"))
    records.add(folder / "ceilings.json", "cpu", ceilings.run(quick=True) | {"quick": None})
    known = {"data": "mnist", "samples": 5_000, "distances": {"real training images": 0.13, "black": 171.0}}
    records.add(folder / "scale.json", "mnist", {**known, **records.circumstances(CPU, quick=False)})
    report.write(folder)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    trained = "Trained: seed 0 for 60 s. ours: seeds 0, 1, 2 for 60 s. "
    trained += "MLP GAN 784-128-128: seed 0 for 60 s; seed 1 for 15 s. Later marks have fewer seeds"
    assert trained in text
    assert "MNIST, 5,000 images each: real training images 0.130, black 171." in text
    for line in (
        "| seconds | 5 | 15 | 60 |",
        "| ours | 45.0 (45.0–45.0; 3) | 40.0 (40.0–40.0; 3) | 5.00 (4.00–6.00; 3) |",
        "| MLP GAN 784-128-128 | – | 85.0 (80.0–90.0; 2) | diverged |",
        "| PyTorch-GAN DCGAN | – | 120 (1) | 50.0 (1) |",
        "| PyTorch-GAN DCGAN, size-matched to 32×32 | – | 100 (1) | 25.0 (1) |",
        "| PyTorch-GAN DCGAN | 50.0 after 60 s (seeds: 1) | < 5.00 s | > 12.0 × | > 12.0 × | > 12.0 × |",
        "| PyTorch-GAN DCGAN, size-matched to 32×32 | 25.0 after 60 s (seeds: 1) | 20.5 s | 2.92 × |",
        "| TensorFlow tutorial's DCGAN | diverged | – | – | – | – |",
    ):
        assert line in text
    assert "On a GPU nothing was measured." in text
    assert "| GPU | not measured | not measured |" in text
    assert "![Fréchet distance against seconds of training on the CPU. MNIST: ours 5.00 after 60 s" in text
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_how_slow_tensorflow_s_statistics_are():
    run = a_run([(60, 400.0)], name="tensorflow", batch_size=256)
    run["points"][0]["images"] = 131 * 256
    (sentence,) = report.slow_statistics([run])
    assert "Its first 60 s are 131 steps, after which 0.99^131 = 27 % of the start is" in sentence
    run["points"][0]["images"] *= 100
    assert report.slow_statistics([run]) == []


def test_the_page_says_which_run_stands_still():
    still, slow = a_run([(5, 9), (15, 7), (30, 7), (60, 7)], 2), a_run([(5, 7), (15, 8), (30, 7), (60, 7)])
    assert report.stuck({"mlp": [slow, a_run([(5, None)]), still]}) == [
        "MLP GAN 784-128-128 stands still from 15 s on (seed 2): its samples no longer change, so later "
        "marks say nothing new."
    ]


def test_results_of_a_gpu_alone_make_a_page_without_a_picture(tmp_path, monkeypatch):
    page, picture = tmp_path / "page.md", tmp_path / "picture.png"
    page.write_text(report.BEGIN + report.END)
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PICTURE", picture)
    records.add(tmp_path / "mnist.json", "mlp/seed 0/cuda", a_run([(60, 3.0)], device="cuda"))
    report.write(tmp_path)
    assert "## MNIST, on the GPU" in page.read_text() and "on the CPU" not in page.read_text()
    assert "On a GPU nothing was measured." not in page.read_text()
    assert "| MLP GAN 784-128-128 | 3.00 (1) |" in page.read_text()
    assert "![" not in page.read_text() and not picture.exists()


# --- ablations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "course"),
    [
        ("05_dcgan_mnist", RECIPES["mnist"]),
        ("quick_dcgan_mnist", MNIST_QUICK),
        ("06_dcgan_cifar10", RECIPES["cifar10"]),
    ],
)
def test_the_ablations_start_from_the_course_s_own_recipe(name, course):
    recipe = recipes.RECIPES[name]
    torch.manual_seed(0)
    theirs = course.networks()
    torch.manual_seed(0)
    ours = recipe.build(recipe.options)
    for a, b in zip(ours, theirs, strict=True):
        assert a.state_dict().keys() == b.state_dict().keys()
        assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    assert recipes.settings(recipe.options) == course.training
    assert recipes.among(recipe.options, GAN) == course.game


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_variant_changes_an_option_that_there_is(name):
    recipe = recipes.RECIPES[name]
    known = {*recipe.options, *signature(train).parameters, *signature(GAN).parameters}
    for variant, changes in ablations.VARIANTS[name].items():
        assert set(changes) <= known, variant
        options = {**recipe.options, **changes}
        assert variant == "base" or options != recipe.options
        generator, discriminator = recipe.build(options)
        logits = discriminator(generator(torch.randn(3, generator.latent_dim)))
        assert logits.shape == (3,)
        assert recipes.gan(recipe, options).settings["loss"] == options["loss"]


def test_batch_normalisation_follows_every_convolution_but_the_first():
    recipe = recipes.RECIPES["05_dcgan_mnist"]
    _, discriminator = recipe.build({**recipe.options, "normalisation": "batch"})
    kinds = [type(layer).__name__ for layer in discriminator]
    after = [kinds[place + 1] for place, kind in enumerate(kinds) if kind == "Conv2d"]
    assert after == ["LeakyReLU", "BatchNorm2d", "BatchNorm2d"]


def test_one_ablation_that_is_real():
    record = ablations.quality("04_mlp_gan_mnist", "latent 8", 0, 128, 50, quick=True)
    assert (record["variant"], record["images"]) == ("latent 8", 128)
    assert math.isfinite(record["frechet"])
    record = ablations.speed("04_mlp_gan_mnist", "hidden layers of 256", 2, 1, quick=True)
    assert record["lowest"] <= record["ratio"] <= record["highest"]
    base = ablations.speed("04_mlp_gan_mnist", "no average", 2, 1, quick=True)
    assert record["flop_per_image"] > base["flop_per_image"] > 2e6


def test_ablations_mix_neither_devices_nor_numbers_of_images():
    def one(device, images, frechet):
        of = {"kind": "quality", "recipe": "05_dcgan_mnist", "variant": "base", "images": images}
        return {**of, **records.circumstances(CPU, quick=False), "device": device, "frechet": frechet}

    kept = [one("cpu", 100, 3.0), one("cpu", 100, None), one("cpu", 2_000, 2.0), one("cuda", 100, 1.0)]
    text = "\n".join(report.ablation_tables(dict(enumerate(kept))))
    assert [line for line in text.splitlines() if line.startswith(("| CPU", "| GPU", "| base"))] == [
        "| CPU | Fréchet distance after 100 images | Fréchet distance after 2,000 images "
        "| time for an image, base 1 | MFLOP/image |",
        "| base | 3.00 (1), 1 diverged | 2.00 (1) | 1 | – |",
        "| GPU | Fréchet distance after 100 images | time for an image, base 1 | MFLOP/image |",
        "| base | 1.00 (1) | 1 | – |",
    ]


def test_another_number_of_images_keeps_what_the_first_one_measured(monkeypatch, tmp_path):
    monkeypatch.setattr(
        command, "measure", lambda path, key, skip, threads, call, *details: records.add(path, key, {})
    )
    for images in ("75000", "150000"):
        words = ["ablations", "quality", "--only", "base", "--seeds", "1", "--images", images]
        command.main([*words, "--output", str(tmp_path)])
    assert [key.split("/")[3] for key in records.load(tmp_path / "ablations.json")] == [
        "150000 images",
        "75000 images",
    ]


# --- the command line --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["quality", "--only", "stylegan"],
            "there is no competitor on mnist 'stylegan'; choose from: ours, ours_quick, ours_mlp, "
            "tensorflow, pytorch_examples, pytorch_gan, mlp.",
        ),
        (
            ["quality", "--data", "cifar10", "--only", "ours", "mlp"],
            "there is no competitor on cifar10 'mlp'; choose from: ours, sn_cnn.",
        ),
        (["ablations", "beauty"], "there is no part 'beauty'; choose from: quality, speed, drawing."),
        (
            ["ablations", "--recipe", "99"],
            "there is no recipe '99'; choose from: 04_mlp_gan_mnist, 05_dcgan_mnist, quick_dcgan_mnist, "
            "06_dcgan_cifar10.",
        ),
        (
            ["ablations", "quality", "--recipe", "04", "--only", "latent 7"],
            "there is no variant of 04_mlp_gan_mnist 'latent 7'; choose from: base, ",
        ),
        (["report"], "there are no results to report; run python -m benchmarks quality first."),
    ],
)
def test_mistakes_are_told_in_one_sentence(words, sentence, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        command.main([*words, "--output", str(tmp_path)])
    assert str(stopped.value).startswith(sentence)


@pytest.mark.parametrize("words", [["--seeds", "0"], ["--seconds", "soon"], ["--threads", "-1"]])
def test_numbers_are_whole_and_at_least_one(words, capsys):
    with pytest.raises(SystemExit):
        command.main(["quality", *words])
    assert f"expected a whole number of at least 1, got {words[1]!r}" in capsys.readouterr().err


def test_later_seeds_may_run_shorter(monkeypatch, tmp_path):
    plans = []
    monkeypatch.setattr(
        command, "measure", lambda path, key, skip, threads, call, plan: plans.append((path.name, key, plan))
    )
    words = ["quality", "--only", "ours", "mlp", "--seeds", "2", "--seconds", "300", "--later-seconds", "60"]
    command.main([*words, "--output", str(tmp_path)])
    seen = [(path, key.rpartition("/")[0], plan.seconds, plan.quick) for path, key, plan in plans]
    assert seen == [
        ("mnist.json", "ours/seed 0", 300, False),
        ("mnist.json", "mlp/seed 0", 300, False),
        ("mnist.json", "ours/seed 1", 60, False),
        ("mnist.json", "mlp/seed 1", 60, False),
    ]


def test_resuming_keeps_what_the_same_code_measured_on_the_same_machine_for_as_long(monkeypatch, tmp_path):
    now = records.circumstances(CPU, quick=False) | {"revision": {"commit": "a", "changed": False}}
    monkeypatch.setattr(command, "circumstances", lambda device, quick: deepcopy(now))
    seen = []
    monkeypatch.setattr(command, "measure", lambda path, key, skip, *others: seen.append(skip))

    def resume(*words, **changes):
        records.add(tmp_path / "mnist.json", "mlp/seed 0/cpu", a_run([(15, 3), (60, 2)], **now | changes))
        words = ["quality", "--only", "mlp", "--seeds", "1", "--output", str(tmp_path), *words]
        command.main(words)
        return seen.pop()

    assert resume("--resume", "--seconds", "60")
    assert not resume("--seconds", "60")  # not asked for
    assert not resume("--resume", "--seconds", "120")
    assert not resume("--resume", "--seconds", "60", "--threads", str(torch.get_num_threads() + 1))
    assert not resume("--resume", "--seconds", "60", revision={"commit": "b", "changed": False})
    assert not resume("--resume", "--seconds", "60", versions={"python": "2.7", "torch": "0.1"})
    now["revision"]["changed"] = True
    assert not resume("--resume", "--seconds", "60")


def test_an_apple_gpu_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "pick_device", lambda: torch.device("mps"))
    for words in (["quality"], ["ceilings"], ["all", "--quick"]):
        with pytest.raises(SystemExit, match="set COURSE_DEVICE=cpu to measure the CPU"):
            command.main([*words, "--output", str(tmp_path)])


def test_the_scale_is_measured_on_known_images(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))  # the stand-in: fewer images
    record = scale.run("mnist", 100, quick=True)
    assert list(record["distances"]) == ["real training images", "blurred", "black"]
    real, blurred, black = record["distances"].values()
    assert real < blurred < black
    assert record["samples"] == 100
    with pytest.raises(SystemExit, match="needs the real data"):
        scale.run("mnist")


def test_quick_results_have_a_folder_of_their_own(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(command, "measure", lambda path, *others: seen.append(path))
    monkeypatch.setenv("COURSE_DATA", "changed by the command, restored after the test")
    command.main(["all", "--quick"])
    assert data.load_mnist().is_stand_in
    subjects = ("mnist", "cifar10", "ablations", "ceilings", "scale")  # kernels is left to itself
    assert {path.name for path in seen} == {f"{subject}.json" for subject in subjects}
    assert all(records.RESULTS not in path.parents for path in seen)
    assert records.QUICK in capsys.readouterr().out


@pytest.mark.slow
def test_a_quick_run_from_the_command_line(tmp_path):
    words = ["quality", "--quick", "--seeds", "1", "--only", "mlp", "--output", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *words],
        cwd=records.ROOT,
        env=os.environ | {"COURSE_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "mnist, mlp/seed 0/cpu: 0.5 s " in done.stdout
    found = records.load(tmp_path / "mnist.json")
    assert list(found) == ["mlp/seed 0/cpu"]
    (record,) = found.values()
    assert record["quick"] == records.QUICK
    assert [point["mark"] for point in record["points"]] == [0.5, 1]
    assert all(math.isfinite(point["frechet"]) for point in record["points"])


# --- several notebooks at once -----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_kernel_trains_for_its_seconds_and_tells_its_speed():
    assert all(speed > 0 for speed in kernels.together(2, "1", 0.2))


def test_the_measured_choice_is_held_against_the_best_fixed_count(monkeypatch):
    speeds = {"measured": 90.0, "1": 100.0, "2": 60.0}
    monkeypatch.setattr(kernels, "usable_cores", lambda: 2)
    monkeypatch.setattr(kernels, "together", lambda number, way, seconds: [speeds[way] / number] * number)
    record = kernels.run(seconds=1, rounds=2)
    assert record["images_per_second"]["4"] == {"measured": 22.5, "1": 25, "2": 15}
    assert record["against_best"] == {"1": 0.9, "2": 0.9, "4": 0.9}
    said, table = report.kernels_table(record)
    assert "| 4 | 22 | 25 | 15 | 90% |" in table
    assert "2 rounds of 1 s" in said


def test_images_for_what_the_other_recipe_has_at_a_mark():
    ours = [a_run([(60, 10), (180, 1)], name="ours")]  # 100 images a second
    quick = [a_run([(10, 10), (300, 1)], name="ours_quick")]
    said = report.fewer_images(ours, quick)
    assert said == (
        "The quick start takes 1,000 images for what ours has after 60 s (6,000 images), "
        "and 30,000 images for what ours has after 180 s (18,000 images)."
    )
