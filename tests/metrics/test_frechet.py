"""The Fréchet distance against closed forms, SciPy and torchmetrics; and what it must react to."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from safetensors import safe_open
from scipy.optimize import linear_sum_assignment
from torch import nn

from course_utils import data
from course_utils.files import ASSETS
from course_utils.metrics import (
    FeatureStatistics,
    feature_statistics,
    frechet,
    frechet_distance,
    frechet_evaluator,
    transport_cost,
)
from course_utils.metrics.classifiers import ARCHITECTURES, asset
from course_utils.metrics.frechet import square_root
from course_utils.models import sample


def normal(count, dim, seed, scale=1.0, shift=0.0):
    rng = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=rng, dtype=torch.float64) * scale
    return torch.randn(count, dim, generator=rng, dtype=torch.float64) @ mixing + shift


def test_two_gaussians_with_diagonal_covariances_have_a_closed_form():
    a = FeatureStatistics(
        torch.tensor([0.0, 1.0]).double(), torch.diag(torch.tensor([1.0, 4.0])).double(), 100
    )
    b = FeatureStatistics(
        torch.tensor([3.0, 5.0]).double(), torch.diag(torch.tensor([9.0, 4.0])).double(), 100
    )
    assert frechet_distance(a, b) == pytest.approx((3**2 + 4**2) + (1 - 3) ** 2 + (2 - 2) ** 2, abs=1e-12)


def test_in_one_dimension_it_is_the_difference_of_means_and_deviations():
    a, b = normal(500, 1, seed=0), normal(700, 1, seed=1, scale=3, shift=2)
    expected = (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-12)


def test_covariances_that_do_not_commute_agree_with_scipy():
    a, b = normal(400, 12, seed=2), normal(300, 12, seed=3, scale=0.7, shift=0.5)
    covariance_a, covariance_b = np.cov(a.numpy().T), np.cov(b.numpy().T)
    overlap = np.trace(scipy.linalg.sqrtm(covariance_a @ covariance_b)).real
    means = np.square(a.numpy().mean(0) - b.numpy().mean(0)).sum()
    expected = means + np.trace(covariance_a) + np.trace(covariance_b) - 2 * overlap
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_same_features_same_distance_as_torchmetrics():
    image_metrics = pytest.importorskip("torchmetrics.image.fid")

    class Pixels(nn.Module):  # a feature extractor that any library can share: 16 of the pixels
        num_features = 16

        def forward(self, images):
            return images.flatten(1)[:, :16].double()

    rng = torch.Generator().manual_seed(4)
    real, fake = torch.rand(200, 3, 8, 8, generator=rng), torch.rand(150, 3, 8, 8, generator=rng) ** 2
    peer = image_metrics.FrechetInceptionDistance(feature=Pixels(), normalize=False)
    peer.set_dtype(torch.float64)
    peer.update(real, real=True)
    peer.update(fake, real=False)
    ours = frechet_distance(Pixels()(real), Pixels()(fake))
    assert ours == pytest.approx(peer.compute().item(), rel=1e-6)


@pytest.mark.parametrize("count", [3, 20, 63])
def test_fewer_samples_than_features(count):
    # With centred data X and Y, tr(Σ_a Σ_b)^½ is the nuclear norm of X Yᵀ: no covariance, no square root.
    a, b = normal(count, 64, seed=5), normal(count + 5, 64, seed=6, shift=0.1)
    x, y = a - a.mean(0), b - b.mean(0)
    overlap = torch.linalg.matrix_norm(x @ y.T, "nuc") / math.sqrt((len(x) - 1) * (len(y) - 1))
    spread = x.square().sum() / (len(x) - 1) + y.square().sum() / (len(y) - 1)
    expected = (a.mean(0) - b.mean(0)).square().sum() + spread - 2 * overlap
    assert frechet_distance(a, b) == pytest.approx(expected.item(), rel=1e-9)


@pytest.mark.parametrize("count", [2, 10, 500])
def test_a_cloud_is_at_no_distance_from_itself(count):
    features = 100 * normal(count, 64, seed=7)
    assert frechet_distance(features, features) < 1e-9 * features.square().sum(1).mean().item()


def test_features_that_never_vary_do_not_disturb():
    a, b = normal(200, 5, seed=8), normal(200, 5, seed=9)
    constant = torch.full((200, 3), 7.0, dtype=torch.float64)
    with_constant = frechet_distance(torch.cat([a, constant], 1), torch.cat([b, constant], 1))
    assert with_constant == pytest.approx(frechet_distance(a, b), rel=1e-10)


def test_it_is_symmetric_and_a_shift_costs_its_squared_length():
    a, b = normal(50, 8, seed=10), normal(60, 8, seed=11)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-12)
    assert frechet_distance(a, a + 2) == pytest.approx(8 * 2**2, rel=1e-10)


def test_few_samples_make_the_distance_too_large():
    distances = [
        np.mean([frechet_distance(torch.randn(n, 8), torch.randn(n, 8)) for _ in range(5)]) for n in (50, 500)
    ]
    assert distances[0] > 3 * distances[1]  # of equal distributions: the true distance is 0, the bias ~ 1/n


def test_square_root_squared_is_the_covariance():
    covariance = feature_statistics(normal(9, 20, seed=12)).covariance  # rank 8 of 20
    assert torch.allclose(square_root(covariance) @ square_root(covariance), covariance, atol=1e-10)


def test_single_precision_features_are_not_summed_in_single_precision():
    features = torch.randn(5_000, 4, generator=torch.Generator().manual_seed(0)) + 1e4
    assert torch.allclose(feature_statistics(features).covariance, features.double().T.cov(), rtol=1e-9)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (torch.randn(5), r"\(N, d\)"),
        (torch.randn(1, 5), "at least 2"),
        (torch.tensor([[1.0, 2.0], [float("nan"), 1.0]]), "finite"),
    ],
)
def test_unusable_features_are_refused(features, message):
    with pytest.raises(ValueError, match=message):
        frechet_distance(features, torch.randn(10, 5))


def test_features_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="one length, got 5 and 6"):
        frechet_distance(torch.randn(10, 5), torch.randn(10, 6))


# --- the evaluator ---


@pytest.fixture(scope="module")
def evaluate():
    return frechet_evaluator("mnist")


@pytest.fixture(scope="module")
def digits():
    return data.to_model_range(data.load_mnist("train").images[:600])


def test_every_damage_to_the_digits_is_seen(evaluate, digits):
    rng = torch.Generator().manual_seed(0)
    untouched = evaluate(digits)
    noisy = (digits + 0.4 * torch.randn(digits.shape, generator=rng)).clamp(-1, 1)
    blurred = nn.functional.avg_pool2d(digits, 5, stride=1, padding=2)
    only_one_kind = digits[:1].repeat(600, 1, 1, 1)
    for damaged in (noisy, blurred, only_one_kind, -digits):
        assert evaluate(damaged) > 3 * untouched


def test_fewer_kinds_of_digits_are_worse(evaluate):
    train = data.load_mnist("train")
    distances = []
    for kinds in (10, 5, 2):
        chosen = train.images[train.labels < kinds]
        distances.append(evaluate(data.to_model_range(chosen[:500])))
    assert distances == sorted(distances)


class Repeater(nn.Module):
    """A generator that shows the digit that its first latent names."""

    latent_dim = 4

    def __init__(self, images):
        super().__init__()
        self.images = images
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, latents):
        assert not self.training, "metrics must look at the generator in evaluation mode"
        return self.images[(latents[:, 0] * 1000).long() % len(self.images)]


def test_a_generator_is_scored_by_its_samples_and_left_as_it_was(evaluate, digits):
    generator = Repeater(digits).train()
    score = evaluate(generator, samples=300, seed=3)
    assert generator.training
    assert score == evaluate(sample(generator, 300, seed=3)) == evaluate(generator, samples=300, seed=3)
    assert score != evaluate(generator, samples=300, seed=4)


def test_the_real_statistics_are_computed_once(evaluate):
    assert frechet_evaluator("mnist") is evaluate


def test_on_a_stand_in_the_evaluator_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert frechet_evaluator("mnist").note.startswith("stand-in")


def test_images_of_another_data_set_are_refused(evaluate):
    with pytest.raises(ValueError, match=r"\(N, 1, 28, 28\)"):
        evaluate(torch.zeros(10, 3, 32, 32))
    with pytest.raises(TypeError, match="to_model_range"):
        evaluate(torch.zeros(10, 1, 28, 28, dtype=torch.uint8))
    with pytest.raises(ValueError, match="mnist, cifar10"):
        frechet_evaluator("imagenet")


# --- the real images' statistics ---


def noise(pixels=0, note="placed by hand"):
    """Twenty test images that are in no file; `pixels` of the first one are white."""
    images = torch.randint(256, (20, 1, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    images[0].view(-1)[:pixels] = 255
    return data.ImageData(images, torch.zeros(20).long(), tuple("0123456789"), "mnist", note)


@pytest.fixture
def computed(monkeypatch):
    """The test sets whose statistics were computed, in turn."""
    sets, compute = [], frechet.compute_statistics
    monkeypatch.setattr(frechet, "compute_statistics", lambda test: sets.append(test) or compute(test))
    return sets


def same(a, b):
    return torch.equal(a.mean, b.mean) and torch.equal(a.covariance, b.covariance) and a.count == b.count


def test_computed_statistics_are_kept_in_the_data_folder(tmp_path, computed):
    first = frechet.reference_statistics(noise(), tmp_path)
    again = frechet.reference_statistics(noise(), tmp_path)
    assert len(computed) == 1
    assert same(first, again) and same(first, frechet.compute_statistics(noise()))
    (kept,) = (tmp_path / frechet.KEPT).iterdir()
    assert kept.stat().st_mode & 0o777 == 0o644


def test_another_pixel_or_another_classifier_is_computed_anew(tmp_path, computed, monkeypatch):
    for pixels in (0, 1):
        frechet.reference_statistics(noise(pixels), tmp_path)
    other = tmp_path / "mnist_classifier.safetensors"
    other.write_bytes(asset("mnist").read_bytes() + b" ")
    monkeypatch.setattr(frechet, "asset", lambda name: other)
    frechet.reference_statistics(noise(), tmp_path)
    assert len(computed) == 3


def test_a_file_under_a_name_that_is_not_its_own_is_not_believed(tmp_path, computed):
    frechet.reference_statistics(noise(), tmp_path)
    (kept,) = (tmp_path / frechet.KEPT).iterdir()
    kept.rename(kept.with_name(frechet.statistics_file("mnist", frechet.statistics_source(noise(1)))))
    frechet.reference_statistics(noise(1), tmp_path)
    assert len(computed) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),  # the last bit of the last number
        lambda content: content.replace(b'"covariance"', b'"covarianze"'),
    ],
    ids=["empty", "truncated", "one bit", "a name"],
)
def test_a_damaged_file_is_noticed_and_replaced(tmp_path, computed, damage):
    undamaged = frechet.reference_statistics(noise(), tmp_path)
    (kept,) = (tmp_path / frechet.KEPT).iterdir()
    content = kept.read_bytes()
    kept.write_bytes(damage(content))
    assert kept.read_bytes() != content
    for _ in range(2):
        assert same(frechet.reference_statistics(noise(), tmp_path), undamaged)
    assert len(computed) == 2


def test_nothing_is_kept_of_a_stand_in_or_where_nothing_can_be_written(tmp_path, computed):
    frechet.reference_statistics(noise(note="stand-in: noise"), tmp_path)
    assert not list(tmp_path.iterdir())
    (tmp_path / frechet.KEPT).write_text("a file where the folder should be")
    frechet.reference_statistics(noise(), tmp_path)
    assert len(computed) == 2


def test_a_write_that_fails_leaves_no_file(tmp_path, monkeypatch):
    def fail(tensors, path, metadata):
        path.write_bytes(b"half of i")
        raise OSError("disk full")

    monkeypatch.setattr(frechet, "save_file", fail)
    assert frechet.reference_statistics(noise(), tmp_path).count == 20
    assert not list((tmp_path / frechet.KEPT).iterdir())


@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_shipped_statistics_were_made_with_the_shipped_classifier(name):
    """For official MNIST, and for the copy of CIFAR-10 that the course was made with; no data is needed."""
    classifier = frechet.statistics_source(noise()._replace(name=name))["classifier"]
    shipped = list(ASSETS.glob(f"{name}_statistics_*"))
    assert shipped
    for path in shipped:
        with safe_open(path, framework="pt") as file:
            source = {"images": file.metadata()["images"], "classifier": classifier}
        assert path.name == frechet.statistics_file(name, source), "run python -m tools.ship_statistics"
        assert frechet.read_statistics(path, source).count == 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ARCHITECTURES))
def test_the_shipped_statistics_are_those_that_would_be_computed(name):
    """To 1e-4 of the largest entry: float32 features, which every machine sums in its own order."""
    test = data.load(name, "test")
    source = frechet.statistics_source(test)
    shipped = frechet.read_statistics(ASSETS / frechet.statistics_file(name, source), source)
    if shipped is None:
        pytest.skip(f"statistics of this copy of the test set do not ship ({test.note or 'official files'})")
    computed = frechet.compute_statistics(test)
    for a, b in ((shipped.mean, computed.mean), (shipped.covariance, computed.covariance)):
        assert (a - b).abs().max() < 1e-4 * b.abs().max()
    assert frechet_distance(shipped, computed) < 1e-4


# --- on a line ---


def test_points_move_rank_to_rank():
    a, b = torch.tensor([0.0, 10.0, 2.0]), torch.tensor([11.0, 2.5, 1.0])
    assert transport_cost(a, b) == pytest.approx((1 + 0.25 + 1) / 3)
    costs = (a[:, None] - b[None, :]).square().numpy()
    rows, columns = linear_sum_assignment(costs)
    assert transport_cost(a, b) == pytest.approx(costs[rows, columns].mean())
    with pytest.raises(ValueError, match=r"must be \(N,\) both"):
        transport_cost(a, b[:2])


def test_in_one_dimension_it_is_means_and_spreads():
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(100_000, generator=rng), 3 * torch.randn(100_000, generator=rng) + 1
    assert transport_cost(a, b) == pytest.approx(1 + (3 - 1) ** 2, rel=0.02)
    assert frechet_distance(a[:, None], b[:, None]) == pytest.approx(transport_cost(a, b), rel=0.01)
