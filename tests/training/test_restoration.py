"""Restorations: every task trains and is measured, and what is recorded says what it should."""

import json

import pytest
import torch

from course_utils import data
from course_utils.training import GAN, Regression
from course_utils.training import restoration as module
from course_utils.training.restoration import (
    RECORDED,
    TASKS,
    load_restorations,
    measure_restoration,
    pairs,
    restoration,
    restored,
    train_restoration,
)
from tools.record_translation import SEEDS, WEIGHTS, jobs

DIGITS = torch.randint(256, (40, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Small batches, one thread, no progress: enough to see that the code runs."""
    small = {"batch_size": 4, "threads": 1, "progress": False, "ema_half_life": 0, "snapshot_samples": 1}
    monkeypatch.setattr(module, "TRAINING", {**module.TRAINING, **small})


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("adversarial", "latent_dim"), [(None, 0), (0.1, 0), (0.1, 3)])
def test_every_task_trains_with_and_without_discriminator_and_latents(task, adversarial, latent_dim):
    run = train_restoration(task, DIGITS, adversarial, latent_dim=latent_dim, images=8)
    target, source = pairs(task, DIGITS)(5, torch.Generator().manual_seed(0))
    images = restored(run.average, source)
    assert images.shape == target.shape and images.abs().max() <= 1
    assert torch.equal(images, restored(run.average, source))
    assert torch.equal(images, restored(run.average, source, seed=1)) == (latent_dim == 0)
    if TASKS[task].fills:
        known, holes = data.uncut(source)
        assert torch.equal(images[~holes], known[~holes])


def test_the_same_seed_is_the_same_network_and_the_weight_counts():
    runs = [train_restoration("super-resolution", DIGITS, a, images=16) for a in (0.0, 0.0, 1.0)]
    weights = [torch.cat([one.flatten() for one in run.average.parameters()]) for run in runs]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])


def test_none_has_no_discriminator_and_latents_change_the_error():
    assert isinstance(restoration("edges"), Regression)
    assert isinstance(restoration("edges", 0.0), GAN)
    with pytest.raises(ValueError, match="one of inpainting, super-resolution, edges, got 'blur'"):
        restoration("blur")
    with pytest.raises(ValueError, match="twice in a row"):  # batches of distinct pairs do not fit
        gan = restoration("edges", 0.1, latent_dim=2)
        target, source = pairs("edges", DIGITS)(4, torch.Generator().manual_seed(0))
        gan.generator_term(None, (target, source), (torch.zeros(4, 1, 28, 28), source))


def test_what_is_measured_of_the_target_itself_of_bicubic_and_of_grey_holes():
    target = data.to_model_range(data.load_mnist("test").images[:300])

    def true(source):
        return (target + 1e-3).clamp(-1, 1)

    ideal = measure_restoration(true, "super-resolution", images=300)
    bicubic = measure_restoration(lambda source: data.enlarge(source, 4), "super-resolution", images=300)
    assert ideal["psnr"] > 50 and ideal["ssim"] > 0.99 and ideal["style"] < 1e-4
    assert ideal["fine_power"] == pytest.approx(1, abs=0.01) and ideal["spread"] == 0
    assert bicubic["psnr"] == pytest.approx(10 * torch.tensor(4 / bicubic["mse"]).log10().item(), abs=1e-4)
    for name in ("psnr", "ssim", "fine_power"):
        assert bicubic[name] < ideal[name]
    for name in ("mse", "frechet", "style"):
        assert bicubic[name] > ideal[name]
    grey = measure_restoration(lambda source: data.uncut(source)[0], "inpainting", images=300)
    assert 0 < grey["mse"] < (target**2).mean()


def test_recorded_trainings_are_complete_and_show_the_price():
    records = load_restorations()
    networks = {key: one for key, one in json.loads(RECORDED.read_text())["records"].items() if "seed" in one}
    assert set(networks) == set(jobs(["super-resolution", "inpainting"], [*SEEDS]))
    assert {one["images"] for one in networks.values()} == {records[-1]["images"]}

    def mean(task, weight, number):
        values = [
            one["found"][number]
            for one in networks.values()
            if (one["task"], one["adversarial"], one["latent_dim"]) == (task, weight, 0)
        ]
        assert len(values) == len(SEEDS)
        return sum(values) / len(values)

    for task in ("super-resolution", "inpainting"):
        best = min(WEIGHTS, key=lambda weight: mean(task, weight, "frechet"))
        assert best > 0 and mean(task, best, "frechet") < 0.8 * mean(task, 0.0, "frechet")
        assert mean(task, best, "psnr") < mean(task, 0.0, "psnr") - 0.2
    spread = {
        error: [
            one["found"]["spread"] for one in networks.values() if one["latent_dim"] and one["error"] == error
        ]
        for error in ("mean", "squared")
    }
    assert min(spread["mean"]) > 2 * max(spread["squared"])
