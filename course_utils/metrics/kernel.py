"""The kernel distance (KID): how far two clouds of features are apart, without taking them for Gaussians."""

from torch import Tensor

from course_utils.metrics.frechet import checked_features

ROWS = 1_000  # of a kernel matrix at a time: 40 MB for 5,000 columns, whatever the number of samples


def polynomial_kernel(a: Tensor, b: Tensor) -> Tensor:
    """k(x, y) = (x·y/d + 1)³ for all pairs  (Bińkowski et al. 2018, arXiv:1801.01401, section 4).

    Args:
        a, b: features (N, d) and (M, d).

    Returns:
        (N, M).
    """
    base = a @ b.T / a.shape[1] + 1
    return base * base * base  # many times faster than ** 3


def kernel_distance(real: Tensor, fake: Tensor) -> float:
    """MMD² = E k(x, x′) + E k(y, y′) − 2·E k(x, y), unbiased  (Bińkowski et al. 2018, arXiv:1801.01401).

    x and x′ are two *different* real samples, y and y′ two different generated ones: a sample is never
    compared with itself (Gretton et al. 2012, JMLR 13, lemma 6). So the mean over many sets of samples is the
    distance of the distributions, for any number of samples; a single value may be a little below 0. All
    pairs are used, where the paper averages over blocks: the same expectation, with less variance.

    Args:
        real, fake: features (N, d) and (M, d), N and M at least 2.

    Returns:
        The estimate; about 0 where both come from one distribution.

    Raises:
        ValueError: features of two lengths, fewer than two, or not finite.
    """
    real, fake = checked_features(real), checked_features(fake)
    if real.shape[1] != fake.shape[1]:
        raise ValueError(
            f"both sides need features of one length, got {real.shape[1]} and {fake.shape[1]}; "
            "use the same extractor for both"
        )
    return (_mean_of_pairs(real) + _mean_of_pairs(fake) - 2 * _mean_kernel(real, fake)).item()


def _mean_kernel(a: Tensor, b: Tensor) -> Tensor:
    total = sum(polynomial_kernel(rows, b).sum() for rows in a.split(ROWS))
    return total / (len(a) * len(b))


def _mean_of_pairs(a: Tensor) -> Tensor:
    """The mean of k over all pairs of two different rows."""
    n = len(a)
    with_itself = ((a.square().sum(1) / a.shape[1] + 1) ** 3).sum()
    return (_mean_kernel(a, a) * n * n - with_itself) / (n * (n - 1))
