"""The comparison of families: equal weights, one interface, what is measured, what is recorded."""

import json
import math

import pytest
import torch
from torch import nn

from course_utils.models import count_parameters, sample
from course_utils.training import families
from course_utils.training.families import (
    FAMILIES,
    RECORDED,
    bits_per_pixel,
    family_flow,
    family_gan,
    family_vae,
    load_families,
    seconds_to,
    train_family,
)
from tools.record_families import SEEDS, jobs


@pytest.fixture(scope="module")
def digits() -> torch.Tensor:
    """Noise in the shape of digits: enough to see that the code runs."""
    return torch.randint(256, (400, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def trained(digits):
    """Each family after a moment."""
    return {
        name: train_family(name, digits, seconds=0.01, judge=lambda generator: float(generator.latent_dim))
        for name in FAMILIES
    }


def test_networks_have_the_same_number_of_weights_to_within_a_hundredth():
    gan, vae, flow = family_gan(), family_vae(), family_flow(torch.ones(families.DIMS))
    counts = [
        sum(count_parameters(network) for network in model.networks.values()) for model in (gan, vae, flow)
    ]
    assert max(counts) < 1.01 * min(counts)
    dims, components = (FAMILIES["Gaussian mixture"][name] for name in ("dims", "components"))
    mixture = components - 1 + components * (dims + dims * (dims + 1) // 2)
    assert mixture < 1.02 * min(counts)


def test_the_decoder_is_the_generators_network():
    shapes = [
        [tuple(weight.shape) for weight in network.parameters()]
        for network in (family_gan().generator, family_vae().decoder)
    ]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_samples_encodes_and_reconstructs_images(trained, digits, name):
    one = trained[name]
    assert one.family == name and not one.diverged and one.cpu_seconds > 0
    images = sample(one.generator, 3)
    assert images.shape == (3, 1, 28, 28) and images.abs().max() <= 1
    real = digits[:2].float() / 127.5 - 1
    with torch.no_grad():
        latents = one.encode(real)
        assert latents.shape == (2, one.generator.latent_dim)
        assert one.generator(latents).shape == real.shape
    assert (one.nats is None) == (name == "GAN")
    if one.nats is not None:
        assert math.isfinite(one.nats(real))
    assert one.curve[-1] == (one.cpu_seconds, one.generator.latent_dim)
    assert (one.run is None) == (name == "Gaussian mixture")


def test_settings_reach_the_networks(digits):
    assert train_family("GAN", digits, seconds=0.01, latent_dim=5).generator.latent_dim == 5
    assert family_vae(beta=4.0).beta == 4.0


def test_an_unknown_family_is_refused(digits):
    with pytest.raises(ValueError, match=r"GAN, VAE, flow matching, Gaussian mixture, got 'VQ'"):
        train_family("VQ", digits)


def test_a_judge_is_asked_once_for_each_mark_that_was_passed_and_at_the_end(digits):
    asked = []
    one = train_family(
        "flow matching",
        digits,
        seconds=3.0,  # the first step alone may take half a second
        marks=(0.0, 0.1, 0.1001, 5.0),
        judge=lambda generator: asked.append(generator) or float(len(asked)),
    )
    assert [value for _, value in one.curve] == [1.0, 2.0, 3.0]
    times = [spent for spent, _ in one.curve]
    assert times[0] == 0 and 0.1 <= times[1] < times[2] == one.cpu_seconds


def test_bits_of_a_uniform_density_are_eight():
    """Uniform on [−1, 1]: log p(x) = −D·log 2, and a byte a pixel to store it."""
    images = torch.randint(256, (3, 1, 4, 4), dtype=torch.uint8)
    assert bits_per_pixel(lambda images: 16 * math.log(2), images) == pytest.approx(8)


def test_bits_are_asked_of_dequantised_pixels():
    seen = []
    images = torch.tensor([0, 255, 128], dtype=torch.uint8).repeat(100).view(100, 1, 1, 3)
    bits_per_pixel(lambda images: seen.append(images) or 0.0, images)
    low, high, middle = seen[0].flatten(0, 2).T
    assert low.min() >= -1 and low.max() < -1 + 2 / 256 and low.std() > 0
    assert high.min() >= 1 - 2 / 256 and high.max() <= 1 and middle.min() >= 0 and middle.max() < 2 / 256


def test_seconds_to_a_level_lie_on_the_line_between_two_marks():
    curve = [(2.0, 30.0), (4.0, 10.0), (8.0, 12.0), (10.0, 2.0)]
    assert seconds_to(curve, 20.0) == pytest.approx(3.0)
    assert seconds_to(curve, 7.0) == pytest.approx(9.0)
    assert seconds_to(curve, 40.0) == 2.0
    assert seconds_to(curve, 1.0) is None
    assert seconds_to([], 1.0) is None


def test_fine_grain_of_a_generator_is_compared_with_that_of_real_images(monkeypatch, digits):
    """A generator that repeats test images has their spectrum, their classes, and copies of itself back."""
    test = families.data.load_mnist("test").images[:200]

    class Repeats(nn.Module):
        latent_dim = 1

        def __init__(self):
            super().__init__()
            self.nothing = nn.Parameter(torch.zeros(()))

        def forward(self, latents):
            chosen = (latents[:, 0].abs() * 1e4).long() % len(test)
            return families.data.to_model_range(test)[chosen]

    one = families.Trained(
        "GAN", 0, Repeats(), lambda images: torch.zeros(len(images), 1), None, {}, 1.0, 1, [], None, False
    )
    found = families.measure_family(one, samples=200, reconstructed=8)
    assert found["fine_power"] == pytest.approx(1, abs=0.15)
    assert found["bits"] is None and found["sampling_seconds"] > 0 and len(found["spectrum"]) == 14
    assert found["classes"] >= 8 and 0 < found["confidence"] <= 1
    assert found["mse"] > 0.1  # all latents 0: one image for all


@pytest.mark.parametrize("which", ["families", "sweeps"])
def test_what_is_recorded_is_the_whole_plan_on_one_budget(which):
    records = json.loads(RECORDED.read_text(encoding="utf-8"))["records"]
    records = {key: one for key, one in records.items() if one["part"] == which}
    plan = jobs((which,), [*SEEDS])
    assert records.keys() == plan.keys(), f"call `python -m tools.record_families --only {which}`"
    for key, (part, family, seed, seconds, setting) in plan.items():
        one = records[key]
        assert (one["part"], one["family"], one["seed"], one["seconds"]) == (part, family, seed, seconds)
        assert one["quick"] is None and not one["revision"]["changed"]
        assert one["cpu_seconds"] < seconds + 4
        assert one["latent_dim"] == setting.get("latent_dim", one["latent_dim"])
        assert one["found"] is None or 0 < one["found"]["frechet"] < 250
    for shared in ("samples", "training_data", "versions", "device"):
        assert len({json.dumps(one[shared]) for one in records.values()}) == 1
    assert [one for one in load_families() if one["part"] == which] == list(records.values())


def test_the_plan_begins_with_the_comparison_and_has_every_key_once():
    plan = [*jobs(("families", "sweeps"), [0, 1])]
    assert plan[: len(FAMILIES)] == [f"{name}/seed 0" for name in FAMILIES]
    assert len(plan) == 2 * len(FAMILIES) + 11 and "VAE, beta 0.25/seed 0" in plan
    assert all(key.startswith("VAE, beta") or "latent" in key for key in jobs(("sweeps",), [0]))
