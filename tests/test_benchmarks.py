"""The benchmark measures what it says: published networks, counted FLOP, an honest clock, lasting results."""

import json
import math
import os
import socket
import sys
from inspect import signature
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks import __main__ as command
from benchmarks import ablations, ceilings, flops, processes, quality, recipes, records, report
from benchmarks.peers import PEERS
from course_utils import data
from course_utils.models import count_parameters
from course_utils.train import RECIPES
from course_utils.training import train_gan

CPU = torch.device("cpu")
PARAMETERS = {  # trainable: (generator, discriminator)
    "tensorflow": (2_305_472, 212_865),  # what Keras's summary prints for the tutorial
    "pytorch_examples": (3_574_656, 2_763_520),  # Σ inputs·outputs·16 + 2·normalised channels, by hand
    "pytorch_gan": (1_049_985, 98_113),
    "mlp": (100 * 128 + 128 + 128 * 128 + 128 + 128 * 784 + 784, 784 * 128 + 128 + 128 * 128 + 128 + 129),
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
    dense = PEERS["mlp"].build()[1][2]
    assert dense.weight.std().item() == pytest.approx((2 / 784) ** 0.5, rel=0.02)


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
    of_g = 2 * g + g + (g - 100 * 128)  # forward twice; gradients of weights, and of inputs but the latents
    of_d = 3 * d + 2 * (d + d - 784 * 128) + 2 * d  # real, fake, G's step; G's step goes down to the pixels
    assert flops.count(lambda: step(real, torch.Generator())) == 4 * 2 * (of_g + of_d)


# --- the clock ---------------------------------------------------------------------------------------------


def test_the_clock_counts_steps_and_nothing_else():
    now = SimpleNamespace(time=0.0)

    def step():
        now.time += 2.0

    def judge():
        now.time += 1_000.0
        return {"frechet": 1.0}

    points = quality.timed(step, (5, 10), judge, clock=lambda: now.time)
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
def a_machine_of_changing_speed(monkeypatch):
    """`train_gan` without training: so many images a second at first, half as many from the fourth run on."""
    runs = []

    def pretend(generator, discriminator, draw, *, images, snapshot_every, on_snapshot=None, **others):
        runs.append(images)
        speed = 1_000 if len(runs) < 4 else 500
        run = SimpleNamespace(generator=generator, images_seen=images, seconds=images / speed)
        if on_snapshot is not None:
            on_snapshot(run)
        return run

    defaults = signature(train_gan)
    monkeypatch.setattr(quality, "train_gan", pretend)
    monkeypatch.setattr(quality, "signature", lambda call: defaults)
    monkeypatch.setattr(quality.Judge, "__call__", lambda self, generator: {"frechet": 3.0})
    return runs


def test_ours_never_takes_longer_than_its_budget(a_machine_of_changing_speed):
    plan = quality.Plan("mnist", "ours", 0, 60, budgets=(15, 30, 60, 120))
    points = quality.run_ours(plan, torch.zeros(10, 1, 28, 28, dtype=torch.uint8), CPU)["points"]
    assert [point["mark"] for point in points] == [15, 30, 60]
    for point in points:
        assert 0.8 * point["mark"] < point["seconds"] <= point["mark"]
        assert point["images"] % 64 == 0
    assert max(a_machine_of_changing_speed) > points[1]["images"]  # one run was too slow, and was repeated


def test_one_run_that_is_real(monkeypatch, tmp_path):
    """A fraction of a second: every number is there, and of the right kind. The stand-in proves nothing."""
    plan = quality.Plan("mnist", "mlp", 0, 0.1, marks=(0.05, 0.1), samples=50, warm_up=1, quick=True)
    record = quality.run(plan)
    assert [point["mark"] for point in record["points"]] == [0.05, 0.1]
    assert record["points"][1]["images"] > record["points"][0]["images"] > 0
    assert all(math.isfinite(point["frechet"]) for point in record["points"])
    assert record["flop_per_image"] == 2_712_832
    assert record["memory_megabytes"]["peak"] >= record["memory_megabytes"]["before"] > 50
    assert record["apart"]["evaluation_seconds"] > 0
    assert record["evaluator"]["samples"] == 50
    assert record["quick"] == records.QUICK
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="needs the real data, but there is only: "):
        quality.run(plan._replace(quick=False))


def test_resizing_there_and_back_costs_nothing_against_the_matched_reference(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))  # the stand-in has fewer images
    judge = quality.frechet_evaluator("mnist")
    real = data.load("mnist", "test").images
    there_and_back = quality.shrunk(data.to_model_range(quality.resized(real, 64)), 28)
    monkeypatch.setattr(quality, "MATCHED", {})
    assert quality.size_matched(judge, 64)(there_and_back) == pytest.approx(0, abs=1e-6)
    assert judge(there_and_back) > 1e-3


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


def test_median_range_and_seeds():
    assert report.spread([3.0, 1.0, 2.0], report.number) == "2.00 (1.00–3.00; 3)"
    assert report.spread([3.0], report.number) == "3.00 (1)"
    assert report.spread([], report.number) == "–"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.9999, "1.00"), (0.0123, "0.0123"), (34.56, "34.6"), (3_456, "3,460"), (0, "0"), (math.inf, "never")],
)
def test_three_digits_that_count(value, shown):
    assert report.number(value) == shown


def test_ratios_say_when_they_are_bounds():
    ours = [a_run([(1, 30), (10, 3)], name="ours")]
    peer = [a_run([(1, 300), (100, 30), (300, 10)])]
    rows = report.ratios("mnist", {"ours": ours, "mlp": peer}).splitlines()
    cells = dict(zip(report.LEVELS["mnist"], rows[2].split(" | ")[1:], strict=True))
    assert cells[50].startswith("> ")  # ours had it before it was first judged
    assert cells[20] == "100 ×"  # 150 s on the peer's line, 1.5 s on ours
    assert cells[5].startswith("> ")  # the peer never had it
    assert cells[2].startswith("–")


# --- results that survive ----------------------------------------------------------------------------------


def test_results_are_merged_and_not_repeated(tmp_path, monkeypatch, capsys):
    path, done = tmp_path / "results" / "mnist.json", []

    def call(what):
        done.append(what)
        if what == "third":
            raise KeyboardInterrupt
        return {"frechet": float(len(done))}

    monkeypatch.setattr(command, "alone", lambda call, *arguments: call(*arguments))
    for what in ("first", "second"):
        command.measure(path, what, False, call, what)
    with pytest.raises(KeyboardInterrupt):
        command.measure(path, "third", False, call, "third")
    assert sorted(records.load(path)) == ["first", "second"]
    command.measure(path, "first", True, call, "first")
    assert done == ["first", "second", "third"]
    assert "measured already" in capsys.readouterr().out
    command.measure(path, "first", False, call, "first")
    assert records.load(path)["first"] == {"frechet": 4.0}
    assert not list(path.parent.glob(".*"))


def test_a_measurement_has_a_process_of_its_own(capfd):
    assert processes.alone(os.getpid) != os.getpid()
    processes.alone(print, "what only learners need")
    with pytest.raises(SystemExit, match="no real data"):
        processes.alone(sys.exit, "no real data")
    assert capfd.readouterr().out == ""


def test_a_damaged_file_is_not_overwritten(tmp_path):
    path = tmp_path / "mnist.json"
    path.write_text('{"records": {')
    with pytest.raises(ValueError, match=r"mnist\.json holds no readable results; delete it, or restore it"):
        records.add(path, "key", {})
    assert path.read_text() == '{"records": {'


def test_a_record_tells_the_machine_but_not_whose_it_is():
    record = records.circumstances(CPU, quick=False)
    text = json.dumps(record)
    assert record["versions"]["torch"] == torch.__version__
    assert record["machine"]["threads"] == torch.get_num_threads()
    assert record["quick"] is None
    assert str(records.ROOT) not in text
    assert socket.gethostname() not in text


def test_the_report_refuses_quick_results(tmp_path):
    records.add(tmp_path / "mnist.json", "mlp/seed 0/cpu", a_run([(1, 3)], quick=records.QUICK))
    with pytest.raises(ValueError, match=r"mnist are quick ones, .*; run .* without --quick"):
        report.write(tmp_path)


def test_the_page_is_what_the_results_say():
    page = (records.ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    results = report.all_records()
    assert report.with_results(page, report.results(results)) == page, "call `python -m benchmarks report`"
    assert report.PICTURE.exists() == bool(results["mnist"] or results["cifar10"])


def test_a_page_from_invented_results(tmp_path, monkeypatch):
    folder, page = tmp_path / "results", tmp_path / "page.md"
    page.write_text(f"before\n{report.BEGIN}old\n{report.END}after\n")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PICTURE", tmp_path / "picture.png")
    for seed, end in enumerate((4.0, 5.0, 6.0)):
        run = a_run([(15, 40.0), (60, end)], seed, "ours", precision="bfloat16")
        records.add(folder / "mnist.json", f"ours/seed {seed}/cpu", run)
    records.add(folder / "mnist.json", "mlp/seed 0/cpu", a_run([(15, 90.0), (60, None)]))
    records.add(folder / "ceilings.json", "cpu", ceilings.run(quick=True) | {"quick": None})
    report.write(folder)
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| ours | 40.0 (40.0–40.0; 3) | – | 5.00 (4.00–6.00; 3) | – | – |" in text
    assert "## MNIST, on a GPU\n\nNot measured." in text
    assert "| GPU | not measured | not measured |" in text
    assert "![Fréchet distance against seconds of training on the CPU. MNIST: ours 5.00 after 60 s" in text
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


# --- ablations ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["05_dcgan_mnist", "06_dcgan_cifar10"])
def test_the_ablations_start_from_the_course_s_own_recipe(name):
    recipe = recipes.RECIPES[name]
    networks, settings = RECIPES[recipe.data]
    torch.manual_seed(0)
    theirs = networks()
    torch.manual_seed(0)
    ours = recipe.build(recipe.options)
    for a, b in zip(ours, theirs, strict=True):
        assert a.state_dict().keys() == b.state_dict().keys()
        assert all(torch.equal(x, y) for x, y in zip(a.parameters(), b.parameters(), strict=True))
    defaults = {key: value.default for key, value in signature(train_gan).parameters.items()}
    assert {**defaults, **recipes.settings(recipe.options)} == {**defaults, **settings}


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_variant_changes_an_option_that_there_is(name):
    recipe = recipes.RECIPES[name]
    known = {*recipe.options, *recipes.PASSED_ON, "schedule", "augment"}
    for variant, changes in ablations.VARIANTS[name].items():
        assert set(changes) <= known, variant
        options = {**recipe.options, **changes}
        assert variant == "base" or options != recipe.options
        generator, discriminator = recipe.build(options)
        logits = discriminator(generator(torch.randn(3, generator.latent_dim)))
        assert logits.shape == (3,)
        assert set(recipes.settings(options)) <= set(signature(train_gan).parameters)


def test_batch_normalisation_follows_every_convolution_but_the_first():
    recipe = recipes.RECIPES["05_dcgan_mnist"]
    _, discriminator = recipe.build({**recipe.options, "normalisation": "batch"})
    kinds = [type(layer).__name__ for layer in discriminator]
    after = [kinds[place + 1] for place, kind in enumerate(kinds) if kind == "Conv2d"]
    assert after == ["LeakyReLU", "BatchNorm2d", "BatchNorm2d"]


def test_one_ablation_that_is_real():
    record = ablations.quality("04_mlp_gan_mnist", "latent 8", 0, 128, 50, None, quick=True)
    assert (record["variant"], record["images"]) == ("latent 8", 128)
    assert math.isfinite(record["frechet"])
    record = ablations.speed("04_mlp_gan_mnist", "hidden layers of 256", 2, 1, None, quick=True)
    assert record["lowest"] <= record["ratio"] <= record["highest"]
    base = ablations.speed("04_mlp_gan_mnist", "no average", 2, 1, None, quick=True)
    assert record["flop_per_image"] > base["flop_per_image"] > 2e6


# --- the command line --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["quality", "--only", "stylegan"],
            "there is no competitor on mnist 'stylegan'; choose from: ours, tensorflow, pytorch_examples, "
            "pytorch_gan, mlp.",
        ),
        (
            ["quality", "--data", "cifar10", "--only", "ours", "mlp"],
            "there is no competitor on cifar10 'mlp'; choose from: ours, sn_cnn.",
        ),
        (["ablations", "beauty"], "there is no part 'beauty'; choose from: quality, speed, drawing."),
        (
            ["ablations", "--recipe", "99"],
            "there is no recipe '99'; choose from: 04_mlp_gan_mnist, 05_dcgan_mnist, 06_dcgan_cifar10.",
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
        command, "measure", lambda path, key, resume, call, plan: plans.append((path.name, key, plan))
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


def test_resuming_measures_again_what_was_cut_shorter(monkeypatch, tmp_path):
    records.add(tmp_path / "mnist.json", "mlp/seed 0/cpu", a_run([(15, 3), (60, 2)]))
    seen = []
    monkeypatch.setattr(command, "measure", lambda path, key, resume, *others: seen.append(resume))
    for seconds in ("60", "120"):
        words = ["quality", "--only", "mlp", "--seeds", "1", "--resume", "--seconds", seconds]
        command.main([*words, "--output", str(tmp_path)])
    assert seen == [True, False]


def test_quick_results_have_a_folder_of_their_own(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(command, "measure", lambda path, *others: seen.append(path))
    monkeypatch.setenv("COURSE_DATA", "changed by the command, restored after the test")
    command.main(["all", "--quick"])
    assert data.load_mnist().is_stand_in
    assert {path.name for path in seen} == {"mnist.json", "cifar10.json", "ablations.json", "ceilings.json"}
    assert all(records.RESULTS not in path.parents for path in seen)
    assert records.QUICK in capsys.readouterr().out
