"""Ways to spend a few minutes on colour: what each trains on, and the table on the page."""

import pytest
import torch

from benchmarks import minutes, records
from course_utils import data


@pytest.fixture
def photographs(monkeypatch):
    """A hundred noisy images of ten classes in the place of the data set."""
    images = torch.randint(0, 256, (100, 3, 32, 32), generator=torch.Generator().manual_seed(0))
    some = data.load("cifar10", "test")._replace(images=images.to(torch.uint8), labels=torch.arange(100) % 10)
    monkeypatch.setattr(minutes, "real_images", lambda split: some)
    minutes.real_features.cache_clear()
    yield
    minutes.real_features.cache_clear()


def test_a_way_trains_on_its_own_classes_and_a_coarse_one_on_coarse_photographs(photographs):
    rng = torch.Generator().manual_seed(0)
    images, labels = minutes.sampler(minutes.WAYS["four_classes"])(200, rng)
    assert set(labels.tolist()) == {0, 1, 7, 8} and images.shape == (200, 3, 32, 32)
    assert set(minutes.sampler(minutes.WAYS["ten_classes"])(200, rng)[1].tolist()) == set(range(10))
    assert minutes.sampler(minutes.WAYS["ten_plain"])(8, rng).shape == (8, 3, 32, 32)
    coarse, _ = minutes.sampler(minutes.WAYS["four_small"])(200, rng)
    assert coarse.var() < images.var() / 2  # noise loses most of its finest part


def test_the_small_generator_s_pictures_have_no_more_detail_than_16_pixels():
    generator = minutes.SmallGenerator().eval()
    made = generator(torch.randn(3, 64), torch.tensor([0, 1, 8]))
    assert made.shape == (3, 3, 32, 32) and made.abs().max() <= 1
    assert torch.allclose(minutes.enlarged(torch.ones(1, 3, 16, 16)), torch.ones(1, 3, 32, 32))


def test_fine_tuning_begins_where_the_ten_classes_ended(photographs, monkeypatch):
    monkeypatch.setattr(minutes, "FINISHED", {})
    record = minutes.measure("ten_classes", 0.0, 0, samples=20)
    assert record["points"] == [] or record["points"][0]["images"] == 0
    (run,) = minutes.FINISHED.values()
    gan = minutes.fine_tuned(0.0, 0)
    assert gan.generator is run.average and all(weight.requires_grad for weight in gan.generator.parameters())
    assert gan.discriminator is run.networks["discriminator"]
    assert not any(weight.requires_grad for weight in gan.discriminator.stages.parameters())


def test_the_table_has_blanks_where_no_class_was_asked_for():
    def point(frechet, **more):
        return {judge: {"frechet": frechet, "among": 1.0, **more} for judge in minutes.JUDGES} | {
            "images": 640
        }

    asked = {"agreement": 0.5, "diversity": 0.9}
    kept = {
        "a": {"name": "ten_plain", "seed": 0, "points": [point(9.0), point(3.0)]},
        "b": {"name": "ten_classes", "seed": 0, "points": [point(2.0, **asked)]},
        "c": {"name": "ten_classes", "seed": 1, "points": [point(1.0, **asked)]},
    }
    plain, classes = minutes.report(kept).splitlines()[2:]
    assert plain.startswith("| DCGAN, ten classes, none asked for | 640 (1) | 3.00 (1) | 3.00 (1) |")
    assert plain.endswith("|  |  |  |  |")
    assert "1.50 (1.00–2.00; 2)" in classes and "0.50 (0.50–0.50; 2)" in classes


@pytest.mark.generated
def test_the_page_has_the_table_of_the_records():
    page, kept = minutes.PAGE.read_text(encoding="utf-8"), records.load(minutes.FILE)
    assert minutes.with_table(page, kept) == page, "call python -m benchmarks.minutes --page"
    ends = {name: some[0]["points"][-1] for name, some in minutes.by_name(kept).items()}
    for judge in minutes.JUDGES:  # what the page says of them
        far = {name: end[judge]["frechet"] for name, end in ends.items()}
        assert far["ten_classes"] < far["ten_plain"], "ahead of the plain DCGAN"
        assert far["four_small"] > 2 * far["four_classes"], "behind"
        assert ends["four_classes"][judge]["agreement"] > ends["ten_classes"][judge]["agreement"] + 0.05
        assert max(far["fine_tuned"], far["from_shipped"]) < far["four_classes"], "ahead in numbers"
    (run,) = minutes.by_name(kept)["from_shipped"]
    first, last = run["points"][0]["course"], run["points"][-1]["course"]
    assert first["frechet"] == pytest.approx(last["frechet"], rel=0.1), "where they were"
    assert 4 < ends["ten_plain"]["images"] / ends["ten_classes"]["images"] < 6, "a fifth of the images"
