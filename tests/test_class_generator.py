"""The class-conditional generator's command: trained in stretches, shipped from the checkpoint."""

import json

import pytest
import torch

from course_utils import data
from course_utils.files import load_weights, read_metadata
from course_utils.models import ResidualGenerator, sample, shipped
from tools import class_generator as tool


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder, and short stretches on a few images of ten classes."""
    images = torch.randint(0, 256, (200, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    few = data.load("cifar10", "test")._replace(images=images.to(torch.uint8), labels=torch.arange(200) % 10)
    monkeypatch.setattr(tool, "real_images", lambda split: few)
    monkeypatch.setattr(tool, "SNAPSHOT_EVERY", 64)
    monkeypatch.setattr(tool, "SCORE_EVERY", 128)
    monkeypatch.setattr(tool, "scores", lambda *_, **__: dict.fromkeys(tool.SCORES, 1.5))
    monkeypatch.setattr(tool, "judged", lambda generator: {"a judge": {"its samples": {"frechet": 1.5}}})
    monkeypatch.setattr(tool, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(tool, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(tool, "PICTURE", tmp_path / "picture.png")
    (tmp_path / "page.md").write_text(f"Before.\n{tool.BEGIN}old{tool.END}After.\n")
    return tmp_path


def test_the_stages_are_the_layers_of_the_features_with_their_normalisation_folded_in():
    torch.manual_seed(0)
    classifier = tool.feature_network()
    for layer in classifier.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    maps = images = torch.rand(2, 3, 32, 32) * 2 - 1
    sizes = []
    for stage in tool.stages(classifier.eval()):
        maps = stage(maps)
        sizes.append(tuple(maps.shape[1:]))
    assert sizes == [(64, 16, 16), (128, 8, 8), (192, 4, 4)]
    torch.testing.assert_close(maps.mean((2, 3)), classifier.features(images), atol=1e-4, rtol=1e-4)


def test_training_goes_on_where_it_stopped_and_the_curve_with_it(folder):
    first = tool.train_on(folder, images=256, hours=0, seed=0)
    assert first.interrupted and first.images_seen == 64  # out of time at the first checkpoint
    tool.train_on(folder, images=128, hours=1, seed=0)
    second = tool.train_on(folder, images=320, hours=1, seed=0)
    assert second.images_seen == 320 and not second.interrupted
    assert tool.train_on(folder, images=320, hours=1, seed=0, threads=2).threads == 2  # but one until now
    curve = [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]
    assert [point["images"] for point in curve] == [0, 128, 256]  # none twice
    assert curve[0]["cpu_seconds"] <= curve[1]["cpu_seconds"] <= curve[2]["cpu_seconds"]
    assert curve[-1]["frechet"] == 1.5


def test_what_ships_is_the_average_of_the_checkpoint_and_loads_by_its_name(folder, monkeypatch):
    run = tool.train_on(folder, images=128, hours=1, seed=0)
    tool.ship(folder, folder / "classes_generator.safetensors", "a test's machine")
    metadata = read_metadata(folder / "classes_generator.safetensors")
    assert "128 images" in metadata["made_by"]
    page = (folder / "page.md").read_text()
    assert page.startswith("Before.\n") and page.endswith("After.\n") and "old" not in page
    assert "| a judge | its samples | 1.50 |  |" in page
    assert (folder / "classes_generator.safetensors").stat().st_size < 3_000_000

    monkeypatch.setattr(shipped, "ASSETS", folder)
    generator = shipped.load_generator("classes")
    shipped.load_generator.cache_clear()
    labels = torch.arange(20) % 10
    images = sample(generator, 20, labels=labels, seed=1)
    torch.testing.assert_close(images, sample(run.average, 20, labels=labels, seed=1), atol=0.02, rtol=0)
    by_hand = load_weights(ResidualGenerator(**tool.NETWORK), folder / "classes_generator.safetensors")
    assert torch.equal(images, sample(by_hand, 20, labels=labels, seed=1))


def test_the_picture_sets_beside_each_sample_the_training_image_nearest_to_it(folder):
    training = data.to_model_range(tool.real_images("train").images)
    order = torch.tensor([7, 3, 150])
    nearly = (training[order] + 0.05).clamp(-1, 1)
    assert torch.equal(tool.nearest_of(nearly, training), training[order])
    tool.train_on(folder, images=64, hours=1, seed=0)
    tool.picture(folder, rows=1)
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_scores_tell_the_right_class_from_the_wrong_one(monkeypatch):
    """Real test images in the place of the generator's: asked for as what they are, and as the next class."""
    test = data.load("cifar10", "test")
    places = torch.cat([(test.labels == one).nonzero().flatten()[:20] for one in range(10)])
    real, classes = data.to_model_range(test.images[places]), test.labels[places]
    monkeypatch.setattr(tool, "real_images", lambda split: test)
    monkeypatch.setattr(tool, "sample", lambda generator, n, labels, seed: drawn(labels))
    tool.real_features.cache_clear()

    def drawn(labels, shift=0):
        order = torch.cat([(classes == (one + shift) % 10).nonzero().flatten() for one in range(10)])
        return real[order.view(10, 20).T.flatten()]

    right = tool.scores(None, samples=200)
    monkeypatch.setattr(tool, "sample", lambda generator, n, labels, seed: drawn(labels, shift=1))
    wrong = tool.scores(None, samples=200)
    tool.real_features.cache_clear()
    assert right["agreement"] > 0.5 > 0.3 > wrong["agreement"]
    assert 0.7 < right["diversity"] < 1.4
    assert right["frechet"] == pytest.approx(wrong["frechet"], abs=1e-6)
    monkeypatch.setattr(
        tool, "sample", lambda generator, n, labels, seed: drawn(labels)[:10].repeat(20, 1, 1, 1)
    )
    assert tool.scores(None, samples=200)["diversity"] == pytest.approx(0, abs=1e-4)  # one image a class


def test_the_page_says_what_was_measured_when_the_generator_shipped():
    page = tool.PAGE.read_text(encoding="utf-8")
    assert tool.with_results(page, json.loads(tool.RESULTS.read_text())) == page
