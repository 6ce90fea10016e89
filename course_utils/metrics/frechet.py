"""The Fréchet distance: how far two clouds of feature vectors are apart, if each is taken for a Gaussian."""

import contextlib
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from course_utils import data
from course_utils.data.convention import describe
from course_utils.files import ASSETS, replacing
from course_utils.metrics.classifiers import Classifier, asset, in_batches, load_classifier
from course_utils.models import sample

KEPT = "statistics"  # the folder, in the data folder, of what had to be computed


class FeatureStatistics(NamedTuple):
    """Mean and covariance of N feature vectors of length d."""

    mean: Tensor  # (d,) float64
    covariance: Tensor  # (d, d) float64
    count: int  # N


def feature_statistics(features: Tensor) -> FeatureStatistics:
    """μ = mean of the features, Σ = (X − μ)ᵀ(X − μ) / (N − 1), in float64.

    Args:
        features: (N, d), N ≥ 2, any finite values.

    Raises:
        ValueError: another shape, fewer than two vectors, or values that are not finite.
    """
    features = checked_features(features)
    mean = features.mean(0)
    centred = features - mean
    return FeatureStatistics(mean, centred.T @ centred / (len(features) - 1), len(features))


def checked_features(features: Tensor) -> Tensor:
    """The features in float64 on the CPU, without history.

    Args:
        features: (N, d), N ≥ 2, any finite values.

    Raises:
        ValueError: another shape, fewer than two vectors, or values that are not finite.
    """
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) < 2:
        raise ValueError(
            f"features must be (N, d) with N at least 2, got {describe(features)}; pass one row a sample"
        )
    features = features.detach().double().cpu()
    if not features.isfinite().all():
        raise ValueError(
            f"features must be finite, got {(~features.isfinite()).sum()} values that are not; "
            "has the generator diverged?"
        )
    return features


def transport_cost(a: Tensor, b: Tensor) -> float:
    """The least mean squared move that carries the points a onto the points b, on a line: rank to rank.

    The squared 2-Wasserstein distance of two heaps of equally many points. For many points of two normal
    distributions it is (μ_a − μ_b)² + (σ_a − σ_b)², the Fréchet distance in one dimension.

    Args:
        a, b: (N,) each, in any order.

    Raises:
        ValueError: two shapes, or more than one axis.
    """
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"a and b must be (N,) both, got {tuple(a.shape)} and {tuple(b.shape)}")
    return (a.double().sort().values - b.double().sort().values).square().mean().item()


def frechet_distance(a: Tensor | FeatureStatistics, b: Tensor | FeatureStatistics) -> float:
    """|μ_a − μ_b|² + tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½)  (Heusel et al. 2017, arXiv:1706.08500).

    That is the squared 2-Wasserstein distance of two Gaussians (Dowson and Landau 1982). tr (Σ_a Σ_b)^½ is
    computed as the sum of the singular values of Σ_a^½ Σ_b^½: symmetric in a and b, no complex numbers, and
    it holds where there are fewer samples than features. Few samples make the distance *too large*: compare
    only equal numbers.

    Args:
        a, b: features (N, d) and (M, d), or their statistics. N and M may differ and may be smaller than d.

    Returns:
        The distance, ≥ 0; 0 only for equal means and covariances.

    Raises:
        ValueError: features of two lengths, or not acceptable to `feature_statistics`.
    """
    a, b = (side if isinstance(side, FeatureStatistics) else feature_statistics(side) for side in (a, b))
    if a.mean.shape != b.mean.shape:
        raise ValueError(
            f"both sides need features of one length, got {len(a.mean)} and {len(b.mean)}; "
            "use the same extractor for both"
        )
    overlap = torch.linalg.svdvals(square_root(a.covariance) @ square_root(b.covariance)).sum()
    distance = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * overlap
    return max(distance.item(), 0.0)  # rounding can leave −1e-13


def square_root(covariance: Tensor) -> Tensor:
    """Σ^½ of a symmetric positive semi-definite matrix (d, d), by its eigenvalues.

    Eigenvalues below rounding are zero: without that, the square root would blow 1e-16 up to 1e-8.
    """
    values, vectors = torch.linalg.eigh(covariance)
    rounding = len(values) * torch.finfo(values.dtype).eps * values[-1].clamp(min=0)
    values = torch.where(values > rounding, values, 0.0)
    return (vectors * values.sqrt()) @ vectors.T


class FrechetEvaluator(NamedTuple):
    """evaluate(generator) or evaluate(images) → Fréchet distance to the real test images. Lower is better."""

    name: str
    real: FeatureStatistics
    classifier: Classifier
    note: str  # where the real images came from, if that needs saying

    def __call__(self, subject: nn.Module | Tensor, samples: int = 10_000, seed: int = 0) -> float:
        """Distance of a generator's samples, or of given images, to the real ones.

        Args:
            subject: a generator with `latent_dim`, or images (N, C, H, W) in [-1, 1].
            samples: how many images to draw from a generator; the distance falls with it, so keep it fixed.
            seed: of the latents.

        Raises:
            ValueError: the images have another shape than the data set's.
        """
        images = subject if isinstance(subject, Tensor) else sample(subject, samples, seed=seed)
        data.check_images(images, shape=self.classifier.image_shape)
        return frechet_distance(self.real, in_batches(self.classifier.features, images.cpu()))


def frechet_evaluator(name: str) -> FrechetEvaluator:
    """The course's evaluator for "mnist" or "cifar10": its classifier's features, against all test images.

    The real images' statistics come from `reference_statistics` at the first call and are kept in memory.
    Where the real data is missing they are those of the stand-in, and `note` says so: such distances compare
    with nothing measured elsewhere.

    Raises:
        ValueError: no such data set.
    """
    return _evaluator(name, data.data_folder())


@lru_cache(maxsize=4)
def _evaluator(name: str, folder) -> FrechetEvaluator:
    classifier = load_classifier(name)
    test = data.load(name, "test", folder=folder)
    return FrechetEvaluator(name, reference_statistics(test, folder), classifier, test.note)


# --- the real images' statistics: a file for each test set ---


def reference_statistics(test: data.ImageData, folder: Path) -> FeatureStatistics:
    """Statistics of a test set's features: read, where there is a file made from these images, else computed.

    The course ships those of the test sets that it was made with (`python -m tools.ship_statistics`). Others
    are computed once and kept in the data folder; those of a stand-in, which take no time, are not.

    Args:
        test: all images of the set; its name chooses the classifier.
        folder: the data folder. It need not exist, and where it cannot be written to nothing is kept.
    """
    source = statistics_source(test)
    path = folder / KEPT / statistics_file(test.name, source)
    statistics = read_statistics(ASSETS / path.name, source) or read_statistics(path, source)
    if statistics is None:
        statistics = compute_statistics(test)
        if not test.is_stand_in:
            with contextlib.suppress(OSError, SafetensorError):
                write_statistics(path, statistics, source)
    return statistics


def compute_statistics(images: data.ImageData) -> FeatureStatistics:
    """Statistics of the features that the set's own classifier finds; 10,000 images take it seconds."""
    features = load_classifier(images.name).features
    return feature_statistics(in_batches(features, data.to_model_range(images.images)))


def statistics_source(images: data.ImageData) -> dict[str, str]:
    """What the statistics depend on, by its sha256: every pixel in its order, and the classifier's file."""
    pixels = hashlib.sha256(str(tuple(images.images.shape)).encode())
    pixels.update(images.images.contiguous().numpy())
    return {
        "images": pixels.hexdigest(),
        "classifier": hashlib.sha256(asset(images.name).read_bytes()).hexdigest(),
    }


def statistics_file(name: str, source: dict[str, str]) -> str:
    """The file's name. It has the beginnings of both sums: files of several copies may lie side by side."""
    return f"{name}_statistics_{source['images'][:8]}_{source['classifier'][:8]}.safetensors"


def write_statistics(path: Path, statistics: FeatureStatistics, source: dict[str, str]) -> None:
    """Write statistics and their source; the file appears whole or not at all, whoever else writes it.

    Raises:
        OSError, SafetensorError: the folder cannot be written to.
    """
    tensors = statistics._asdict() | {"count": torch.tensor(statistics.count)}
    with replacing(path) as partial:
        save_file(tensors, partial, source | {"content": _content_sum(tensors)})
        partial.chmod(0o644)  # safetensors writes files that only their owner may read


def read_statistics(path: Path, source: dict[str, str]) -> FeatureStatistics | None:
    """The statistics in the file; None where there is none, or it is damaged or made from something else."""
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in FeatureStatistics._fields}
            metadata = file.metadata()
    except (OSError, SafetensorError):
        return None
    if metadata != source | {"content": _content_sum(tensors)}:
        return None
    return FeatureStatistics(tensors["mean"], tensors["covariance"], int(tensors["count"]))


def _content_sum(tensors: dict[str, Tensor]) -> str:
    content = b"".join(tensors[key].numpy().tobytes() for key in FeatureStatistics._fields)
    return hashlib.sha256(content).hexdigest()
