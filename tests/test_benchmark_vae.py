"""The benchmark of VAEs: the peers are what their tutorials publish, and a quick run measures all of them."""

import pytest
import torch

from benchmarks import vae
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
    run = vae.measure(entry, 0.0, 128, torch.zeros(4, 1, 28, 28), torch.zeros(4, 1, 28, 28).byte(), 0)
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
    record = vae.measure(entry, 100.0, 256, test, images, 0)
    assert record["images"] == 256 and record["cpu_seconds"] > 0
    assert record["nats"]["binarised"]["negative"] > 400
    assert set(record["nats"]) == {"binarised", "thresholded"}
