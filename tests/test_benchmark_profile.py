"""The profile of a round: every operator's time is in one group, and the page says what was found."""

import pytest
import torch
from torch import nn

from benchmarks import profile, records, report


@pytest.mark.parametrize(
    ("operator", "group"),
    [
        ("aten::mkldnn_convolution", "convolutions, forward"),
        ("aten::convolution_backward", "convolutions, backward"),
        ("aten::addmm", "matrix products"),
        ("aten::native_batch_norm_backward", "batch normalisation"),
        ("aten::_fused_adam_", "Adam"),
        ("aten::copy_", "casts and copies"),
        ("aten::leaky_relu_backward", "activations"),
        ("aten::pixel_unshuffle", profile.REST),
    ],
)
def test_an_operator_has_one_group(operator, group):
    assert profile.group_of(operator) == group


def test_most_of_a_convolution_is_a_convolution():
    layer, images = nn.Conv2d(64, 64, 3, padding=1), torch.randn(16, 64, 32, 32)
    groups, _ = profile.shares(lambda: layer(images).sum().backward(), 3)
    convolving = groups["convolutions, forward"] + groups["convolutions, backward"]
    assert convolving > sum(groups.values()) / 2
    assert groups["Adam"] == groups["batch normalisation"] == 0


def test_one_change_at_a_time_is_held_against_the_recipe(monkeypatch):
    calls = []

    def rounds(recipe, name, **change):
        return lambda: calls.append(change)

    monkeypatch.setattr(profile, "rounds", rounds)
    monkeypatch.setattr(profile, "seconds_an_image", lambda play, count, batch: (play(), batch * count)[1])
    found = profile.ratio(None, "mnist", {"batch_size": 128}, count=8, turns=3)
    assert found == {"ratio": 1.0, "lowest": 1.0, "highest": 1.0}  # half as many rounds of twice the images
    assert calls[-2:] == [{}, {"batch_size": 128}]


@pytest.mark.generated
def test_the_page_on_speed_is_what_was_measured():
    kept = records.load(records.RESULTS / "profile.json")
    text = "\n\n".join(report.profile_tables({"profile": kept})) + "\n"
    page = report.SPEED.read_text(encoding="utf-8")
    assert report.with_results(page, text) == page, "call python -m benchmarks report"
    reached = {"05_dcgan_mnist": 0.27, "06_dcgan_cifar10": 0.30}  # docs/benchmarks.md, of the ceiling
    for name in reached.keys() & kept.keys():
        times = kept[name]["microseconds"]
        multiplying = [group for group in times if group.startswith(("convolutions", "matrix"))]
        share = sum(times[group] for group in multiplying) / sum(times.values())
        assert share > 1 / 2, "most of a round is convolutions"
        assert reached[name] / share < 0.4, "stays below 40 %"
    tried = {what: found["ratio"] for what, found in kept["05_dcgan_mnist"]["tried"].items()}
    assert min(tried["torch.compile"], tried["float32"]) > 1.2, "dearer"
    assert tried["channels_last"] == pytest.approx(1, abs=0.05), "next to nothing"
    assert 0.85 < kept["cifar10_classes"]["tried"]["channels_last"]["ratio"] < 0.96, "somewhat less"
    assert all(0.8 < tried[f"batches of {size}"] < 0.95 for size in (128, 256)), "about a tenth cheaper"
