"""The benchmark of VAEs: the peers are what their tutorials publish, and a quick run measures all of them."""

import pytest
import torch

from benchmarks import report, vae
from course_utils import data
from course_utils.models import count_parameters


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("pytorch/examples VAE", 785 * 400 + 401 * 40 + 21 * 400 + 401 * 784),
        (
            "TensorFlow tutorial's CVAE",
            320 + 18_496 + 2_305 * 4 + 3 * 1_568 + 18_496 + 18_464 + 289,
        ),
    ],
)
def test_the_peers_have_the_weights_of_their_tutorials(name, weights):
    entry = vae.ENTRIES[name]
    model = entry.build()
    assert count_parameters(model.autoencoder) == weights
    run = vae.measure(entry, 0.0, torch.zeros(4, 1, 28, 28), torch.zeros(4, 1, 28, 28).byte(), 0)
    assert run["images"] == 0 and run["cpu_seconds"] == 0


def test_each_trains_on_its_own_pixels():
    grey = data.image_sampler(torch.full((2, 1, 28, 28), 200, dtype=torch.uint8))
    seen = {
        name: entry.see(grey)(3, torch.Generator().manual_seed(0)).unique().tolist()
        for name, entry in vae.ENTRIES.items()
    }
    assert seen["Notebook 10, convolutional VAE"] == [-1, 1]
    assert seen["TensorFlow tutorial's CVAE"] == [1]
    assert seen["pytorch/examples VAE"] == pytest.approx([2 * 200 / 255 - 1])


def test_nothing_but_training_is_counted_and_what_comes_out_is_measured():
    images = torch.randint(256, (64, 1, 28, 28), dtype=torch.uint8)
    test = data.to_model_range(images[:8])
    entry = vae.ENTRIES["Notebook 10, convolutional VAE"]
    record = vae.measure(entry, 0.01, test, images, 0)
    assert record["images"] == 40 * 64 and record["cpu_seconds"] > 0.01
    assert record["nats"]["binarised"]["negative"] > 400
    assert set(record["nats"]) == {"binarised", "thresholded"}


def test_the_reports_table_has_median_and_range_of_each_vae():
    def record(nats, seconds=60.0):
        return {
            "source": "a tutorial",
            "cpu_seconds": seconds,
            "images": 80_000,
            "nats": {"binarised": {"negative": nats}, "thresholded": {"negative": nats - 10}},
            "machine": {"processor": "P", "cores": 2, "threads": 1, "memory_gigabytes": 8.0},
            "versions": {"python": "3", "torch": "2"},
            "revision": {"commit": "c", "changed": False},
            "date": "2026-01-01",
        }

    records = {"A VAE, seed 0": record(103.0), "A VAE, seed 1": record(101.0), "B, seed 0": record(150.0)}
    said, table = report.vae_table(records)
    assert said.startswith("P, 2 cores, 1 thread")
    lines = table.splitlines()
    nats = "102.0 (101.0–103.0; 2) | 92.0 (91.0–93.0; 2)"
    assert lines[2].startswith(f"| A VAE | a tutorial | {nats} | 60.0 (60.0–60.0; 2) | 80,000 (")
    assert lines[3].startswith("| B | a tutorial | 150.0 (1) | 140.0 (1) | 60.0 (1)")
