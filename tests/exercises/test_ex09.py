"""The checkers of notebook 09: right answers in several forms, untouched stubs, typical mistakes."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.spatial
import scipy.stats
import torch
from sklearn.neighbors import NearestNeighbors
from torch.nn import functional as F
from torchmetrics.functional.image import structural_similarity_index_measure

from course_utils.checks import run_check
from course_utils.metrics import (
    copying,
    density_coverage,
    frechet_distance,
    kernel_distance,
    nearest,
    precision_recall,
    structural_similarity,
)


def stub(*arguments):
    raise NotImplementedError("your code here")


# --- 9.1 ---


def transport(a, b):
    return (a.sort().values - b.sort().values).square().mean()


def transport_by_numpy(a, b):
    return float(np.mean((np.sort(a.numpy()) - np.sort(b.numpy())) ** 2))


def transport_by_assignment(a, b):
    costs = (a[:, None] - b[None, :]).square().numpy()
    rows, columns = scipy.optimize.linear_sum_assignment(costs)
    return costs[rows, columns].mean()


# --- 9.2 ---


def frechet(real, fake, correction=1, root=None, terms=(1, 1, 2), covariance=None):
    covariance = covariance or (lambda x: torch.cov(x.T, correction=correction))
    a, b = covariance(real.double()), covariance(fake.double())
    root = root or frechet_root
    means = (real.mean(0) - fake.mean(0)).square().sum()
    return terms[0] * means + terms[1] * (a.trace() + b.trace()) - terms[2] * root(a, b)


def frechet_root(a, b):
    values, vectors = torch.linalg.eigh(a)
    half = vectors @ torch.diag(values.clamp(min=0).sqrt()) @ vectors.T
    return torch.linalg.eigvalsh(half @ b @ half).clamp(min=0).sqrt().sum()


def frechet_in_float32(real, fake):
    a, b = torch.cov(real.T), torch.cov(fake.T)
    return (real.mean(0) - fake.mean(0)).square().sum() + a.trace() + b.trace() - 2 * frechet_root(a, b)


def frechet_by_scipy(real, fake):
    a, b = np.cov(real.numpy(), rowvar=False), np.cov(fake.numpy(), rowvar=False)
    difference = real.numpy().mean(0) - fake.numpy().mean(0)
    return difference @ difference + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)


def frechet_by_eigenvalues(real, fake):
    return frechet(real, fake, root=lambda a, b: torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum())


def frobenius(real, fake):
    """Right only where the covariances commute."""

    def half(x):
        values, vectors = torch.linalg.eigh(torch.cov(x.double().T))
        return vectors @ torch.diag(values.sqrt()) @ vectors.T

    return (real.mean(0) - fake.mean(0)).square().sum() + (half(real) - half(fake)).square().sum()


# --- 9.3 ---


def score(logits):
    log_p = logits.log_softmax(1)
    p = log_p.exp()
    marginal = p.mean(0)
    return torch.special.xlogy(p, p).sum(1).mean().sub(torch.special.xlogy(marginal, marginal).sum()).exp()


def score_by_kl(logits):
    log_p = logits.double().log_softmax(1)
    p = log_p.exp()
    return (p * (log_p - p.mean(0).clamp(min=1e-300).log())).sum(1).mean().exp().item()


def score_by_numpy(logits):
    p = logits.double().softmax(1).numpy()
    return float(np.exp(scipy.stats.entropy(p, p.mean(0)[None], axis=1).mean()))


def score_of(p, base=math.e):
    p = p.clamp(min=1e-30)
    return torch.tensor(base) ** ((p * (p.log() - p.mean(0).log())).sum(1).mean())


def entropies(logits):
    p = logits.double().softmax(1)
    marginal = p.mean(0)
    return -torch.special.xlogy(p, p).sum(1).mean(), -torch.special.xlogy(marginal, marginal).sum()


# --- 9.4 ---


def cube(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def kid(real, fake, kernel=cube, diagonal=False, mixed=2):
    n, m = len(real), len(fake)
    xx, yy, xy = kernel(real, real), kernel(fake, fake), kernel(real, fake)
    if diagonal:
        return xx.mean() + yy.mean() - mixed * xy.mean()
    inside = (xx.sum() - xx.trace()) / n / (n - 1) + (yy.sum() - yy.trace()) / m / (m - 1)
    return inside - mixed * xy.mean()


def kid_by_loops(real, fake):
    def mean(a, b, same):
        pairs = [
            ((x @ y).item() / len(x) + 1) ** 3
            for i, x in enumerate(a)
            for j, y in enumerate(b)
            if not (same and i == j)
        ]
        return sum(pairs) / len(pairs)

    return mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)


def kid_short_count(real, fake):
    xx, yy = cube(real, real), cube(fake, fake)
    return (
        (xx.sum() - xx.trace()) / len(real) ** 2
        + (yy.sum() - yy.trace()) / len(fake) ** 2
        - 2 * cube(real, fake).mean()
    )


def kid_by_triangles(real, fake):
    xx, yy = cube(real, real).triu(1).sum(), cube(fake, fake).triu(1).sum()
    n, m = len(real), len(fake)
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * cube(real, fake).mean()


def kid_without_mixed_diagonal(real, fake):
    mixed = cube(real, fake)
    off = (mixed.sum() - mixed.diagonal().sum()) / (mixed.numel() - min(mixed.shape))
    return kid(real, fake, mixed=0) - 2 * off


# --- 9.5 ---


def pr(real, fake, k, place=None):
    place = k if place is None else place
    radius_real = torch.cdist(real, real).sort(1).values[:, place]
    radius_fake = torch.cdist(fake, fake).sort(1).values[:, place]
    distances = torch.cdist(real, fake)
    precision = (distances <= radius_real[:, None]).any(0).float().mean()
    recall = (distances <= radius_fake[None]).any(1).float().mean()
    return precision, recall


def pr_strict(real, fake, k):
    radius_real = torch.cdist(real, real).sort(1).values[:, k]
    radius_fake = torch.cdist(fake, fake).sort(1).values[:, k]
    distances = torch.cdist(real, fake)
    inside_real, inside_fake = distances < radius_real[:, None], distances < radius_fake[None]
    return inside_real.any(0).float().mean(), inside_fake.any(1).float().mean()


def pr_by_sklearn(real, fake, k):
    def fraction_inside(centres, others):
        radii = NearestNeighbors(n_neighbors=k).fit(centres.numpy()).kneighbors()[0][:, -1]
        inside = [(np.linalg.norm(centres.numpy() - one.numpy(), axis=1) <= radii).any() for one in others]
        return float(np.mean(inside))

    return fraction_inside(real, fake), fraction_inside(fake, real)


def pr_by_real_balls_only(real, fake, k):
    radius = torch.cdist(real, real).sort(1).values[:, k]
    inside = torch.cdist(real, fake) <= radius[:, None]
    return inside.any(0).float().mean(), inside.any(1).float().mean()


def density_for_precision(real, fake, k):
    radius = torch.cdist(real, real).sort(1).values[:, k]
    inside = torch.cdist(real, fake) <= radius[:, None]
    return inside.float().sum(0).mean() / k, pr(real, fake, k)[1]


def pr_with(radius, p=2.0, reduce=torch.any):
    """Balls of any radius, worked out from a set's distances to itself."""

    def answer(real, fake, k):
        of_real, of_fake = (radius(torch.cdist(side, side, p=p)) for side in (real, fake))
        distances = torch.cdist(real, fake, p=p)
        precision = reduce(distances <= of_real[:, None], dim=0)
        return precision.float().mean(), reduce(distances <= of_fake[None], dim=1).float().mean()

    return answer


# --- 9.6 ---


def copied(fake, fresh, training, ties=0.5, reduce=lambda distances: distances.amin(1), against=None):
    of_fake, of_fresh = (reduce(torch.cdist(side, training, compute_mode=EXACT)) for side in (fake, fresh))
    of_fake, of_fresh = (against or (lambda a, b: (a, b)))(of_fake, of_fresh)
    return ((of_fake[:, None] < of_fresh).double() + ties * (of_fake[:, None] == of_fresh)).mean()


EXACT = "donot_use_mm_for_euclid_dist"


def copied_by_scipy(fake, fresh, training):
    tree = scipy.spatial.KDTree(training.numpy())
    of_fake, of_fresh = (tree.query(side.numpy())[0] for side in (fake, fresh))
    return scipy.stats.mannwhitneyu(of_fresh, of_fake).statistic / len(fake) / len(fresh)


def copied_by_loops(fake, fresh, training):
    def to_nearest(one):
        return min(((one - known) ** 2).sum().item() for known in training)  # squared: the order is the same

    wins = [
        (to_nearest(a) < to_nearest(b)) + (to_nearest(a) == to_nearest(b)) / 2 for a in fake for b in fresh
    ]
    return sum(wins) / len(wins)


def copied_place_by_place(fake, fresh, training):
    of_fake, of_fresh = (torch.cdist(side, training).amin(1) for side in (fake, fresh))
    return (of_fake < of_fresh).double().mean()


def copied_from_fresh(fake, fresh, training):
    between = torch.cdist(fake, fresh)
    return (between.amin(1)[:, None] < torch.cdist(fresh, training).amin(1)).double().mean()


def copied_and_itself(fake, fresh, training):
    return copied(fake, fresh, torch.cat([training, fresh]))


# --- 9.7 ---


def gauss(reach=5, sigma=1.5):
    weights = torch.exp(-(torch.arange(-reach, reach + 1.0) ** 2) / (2 * sigma**2))
    return torch.outer(weights, weights) / weights.sum() ** 2


def ssim(images, targets, window=None, c=(1e-4, 9e-4), bright=lambda side: (side + 1) / 2, local=None):
    window = gauss() if window is None else window
    local = local or (lambda maps: F.conv2d(maps, window[None, None]))
    x, y = bright(images), bright(targets)
    mx, my = local(x), local(y)
    vx, vy, vxy = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
    return ((2 * mx * my + c[0]) * (2 * vxy + c[1]) / (mx**2 + my**2 + c[0]) / (vx + vy + c[1])).mean()


def ssim_by_torchmetrics(images, targets):
    bright, target = ((side.double() + 1) / 2 for side in (images, targets))
    _, places = structural_similarity_index_measure(
        bright, target, data_range=1.0, reduction="none", return_full_image=True
    )
    return places[..., 5:-5, 5:-5].mean()  # where the window lies inside


def ssim_by_patches(images, targets):
    weights = gauss().double().flatten()[:, None]
    x, y = (F.unfold((side.double() + 1) / 2, 11) for side in (images, targets))
    mx, my = ((weights * side).sum(1, keepdim=True) for side in (x, y))
    vx, vy = (weights * (x - mx) ** 2).sum(1), (weights * (y - my) ** 2).sum(1)
    vxy, mx, my = (weights * (x - mx) * (y - my)).sum(1), mx[:, 0], my[:, 0]
    places = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4) * (2 * vxy + 9e-4) / (vx + vy + 9e-4)
    return places.mean().item()


def everywhere(maps):
    return maps.mean((1, 2, 3), keepdim=True)


def padded(maps):
    return F.conv2d(maps, gauss()[None, None], padding=5)


def ssim_with(pattern):
    """The factor of brightness, times another function of (variances, covariance)."""

    def answer(images, targets):
        def local(maps):
            return F.conv2d(maps, gauss()[None, None])

        x, y = (images + 1) / 2, (targets + 1) / 2
        mx, my = local(x), local(y)
        vx, vy, vxy = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
        light = (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
        return pattern(light, vx, vy, vxy).mean()

    return answer


# --- 9.8 ---


def guess(targets, correction=0):
    return targets.mean(0), targets.var(0, correction=correction).mean()


def guess_by_numpy(targets):
    best = np.mean(targets.numpy(), axis=0)
    return best, float(np.mean((targets.numpy() - best) ** 2))


def guess_by_search(targets):
    best = torch.zeros_like(targets[0])
    for step in range(1, len(targets) + 1):
        best = best + (targets[step - 1] - best) / step  # the running mean
    return best, (targets.square().mean() - targets.mean(0).square().mean())


def guess_with(image=None, error=None):
    def answer(targets):
        best = targets.mean(0) if image is None else image(targets)
        return best, guess(targets)[1] if error is None else error(targets)

    return answer


# --- 9.13 ---


def limits(errors, answers, z):
    p, n = errors / answers, answers
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return middle - half, middle + half


def limits_by_scipy(errors, answers, z):
    interval = scipy.stats.binomtest(errors, answers).proportion_ci(1 - 2 * scipy.stats.norm.sf(z), "wilson")
    return [interval.low, interval.high]


def limits_by_roots(errors, answers, z):
    p, zz = errors / answers, z**2 / answers
    return np.sort(np.roots([1 + zz, -2 * p - zz, p * p]).real)


def limits_by_search(errors, answers, z):
    p = torch.linspace(0, 1, 2_000_001).double()
    inside = (p - errors / answers).abs() <= z * (p * (1 - p) / answers).sqrt() + 1e-12
    return torch.stack([p[inside].min(), p[inside].max()])


def limits_with(middle=None, half=None, scale=lambda n, z: 1 + z**2 / n):
    def answer(errors, answers, z):
        p, n = errors / answers, answers
        at = (middle or (lambda p, n, z: p + z**2 / (2 * n)))(p, n, z)
        far = (half or (lambda p, n, z: z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5))(p, n, z)
        return (at - far) / scale(n, z), (at + far) / scale(n, z)

    return answer


def familiar(errors, answers, z):
    p = errors / answers
    return p - z * math.sqrt(p * (1 - p) / answers), p + z * math.sqrt(p * (1 - p) / answers)


def agresti_coull(errors, answers, z):
    p = (errors + z**2 / 2) / (answers + z**2)
    half = z * math.sqrt(p * (1 - p) / (answers + z**2))
    return p - half, p + half


def clopper_pearson(errors, answers, z):
    interval = scipy.stats.binomtest(errors, answers).proportion_ci(1 - 2 * scipy.stats.norm.sf(z), "exact")
    return interval.low, interval.high


# --- 9.11 ---


def infinity(sizes, distances):
    return np.polyfit(1 / np.array(sizes), distances, 1)[1]


def infinity_by_least_squares(sizes, distances):
    columns = torch.stack([torch.ones(len(sizes)).double(), 1 / torch.tensor(sizes).double()], dim=1)
    return torch.linalg.lstsq(columns, torch.tensor(distances).double()[:, None]).solution[0, 0]


# --- 9.12 ---


def dc(real, fake, k, place=None, inside=None):
    radius = torch.cdist(real, real).sort(1).values[:, k if place is None else place]
    inside = (inside or torch.le)(torch.cdist(real, fake), radius[:, None])
    return inside.float().sum(0).mean() / k, inside.any(1).float().mean()


def inside_balls(real, fake, k):
    return torch.cdist(real, fake) <= torch.cdist(real, real).sort(1).values[:, k][:, None]


def dc_by_loops(real, fake, k):
    radii = [sorted((one - other).norm().item() for other in real)[k] for one in real]
    held = [[(y - x).norm().item() <= radius for y in fake] for x, radius in zip(real, radii, strict=True)]
    return sum(map(sum, held)) / len(fake) / k, sum(map(any, held)) / len(real)


def dc_by_sklearn(real, fake, k):
    radii = NearestNeighbors(n_neighbors=k).fit(real.numpy()).kneighbors()[0][:, -1]
    inside = np.linalg.norm(real.numpy()[:, None] - fake.numpy(), axis=2) <= radii[:, None]
    return torch.tensor([inside.sum() / len(fake) / k, inside.any(axis=1).mean()])


def dc_of_changed(real, fake, k):
    result = dc(real, fake, k)
    fake += 1
    return result


STUBS = ("9.1", "9.2", "9.3", "9.4", "9.5", "9.6", "9.7", "9.8", "9.11", "9.12", "9.13")
PREDICTION = {
    "noise on every image": "both",
    "a quarter is rubbish": "precision",
    "one image, repeated": "recall",
    "memorised training set": "neither",
}
DIAGNOSIS = {"A": "classes missing", "B": "noise", "C": "memorised", "D": "no failure"}

RIGHT = [
    ("9.1", transport),
    ("9.1", transport_by_numpy),
    ("9.1", transport_by_assignment),
    ("9.2", frechet),
    ("9.2", frechet_distance),
    ("9.2", frechet_by_scipy),
    ("9.2", frechet_by_eigenvalues),
    ("9.3", score),
    ("9.3", score_by_kl),
    ("9.3", score_by_numpy),
    ("9.4", kid),
    ("9.4", kernel_distance),
    ("9.4", kid_by_loops),
    ("9.5", pr),
    ("9.5", lambda real, fake, k: tuple(precision_recall(real, fake, k))),
    ("9.5", pr_by_sklearn),
    ("9.5", lambda real, fake, k: torch.stack(pr(real, fake, k))),
    ("9.6", copied),
    ("9.6", copied_by_scipy),
    ("9.6", copied_by_loops),
    (
        "9.6",
        lambda fake, fresh, training: copying(
            nearest(fake, training).distances, nearest(fresh, training).distances
        ),
    ),
    ("9.7", ssim),
    ("9.7", structural_similarity),
    ("9.7", ssim_by_torchmetrics),
    ("9.7", ssim_by_patches),
    ("9.8", guess),
    ("9.8", guess_by_numpy),
    ("9.8", guess_by_search),
    ("9.13", limits),
    ("9.13", limits_by_scipy),
    ("9.13", limits_by_roots),
    ("9.13", limits_by_search),
    ("9.9", PREDICTION),
    ("9.11", infinity),
    ("9.11", infinity_by_least_squares),
    ("9.12", dc),
    ("9.12", lambda real, fake, k: tuple(density_coverage(real, fake, k))),
    ("9.12", dc_by_loops),
    ("9.12", dc_by_sklearn),
    ("9.10", DIAGNOSIS),
]

WRONG = [
    ("9.1", lambda a, b: (a - b).square().mean(), "cheaper way to pair"),
    ("9.1", lambda a, b: (a.sort().values - b.sort().values).abs().mean(), "its *square*"),
    ("9.1", lambda a, b: transport(a, b).sqrt(), "root too many"),
    ("9.1", lambda a, b: transport(a, b) * len(a), "sum over all points"),
    ("9.1", lambda a, b: (a.mean() - b.mean()) ** 2, "only the heap's middle"),
    ("9.1", lambda a, b: (a[:, None] - b).square().mean(), "all* pairs"),
    ("9.1", lambda a, b: (a[:, None] - b).square().amin(1).mean(), "filled once"),
    ("9.1", lambda a, b: (a.sort().values - b.sort(descending=True).values).square().mean(), "dearest way"),
    ("9.1", lambda a, b: (a.sort().values - b).square().mean(), "only one of the two"),
    ("9.1", lambda a, b: (a.sort().values - b.sort().values).square(), "one number"),
    ("9.1", lambda a, b: (a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2, "means and spreads only"),
    ("9.1", lambda a, b: (a.sort().values - b.sort().values).square().median(), "median of the squares"),
    ("9.1", lambda a, b: (a.sort().values - b.sort().values).square().max(), "dearest move"),
    ("9.1", lambda a, b: transport(a, b) / 2, "half of what"),
    ("9.1", lambda a, b: transport(a, b) * len(a) / (len(a) - 1), "N − 1"),
    ("9.1", lambda a, b: (a.sort().values - b.sort().values).mean(), "cancel"),
    ("9.1", lambda a, b: (a.argsort() - b.argsort()).double().square().mean(), "`argsort`"),
    ("9.1", lambda a, b: transport(a.abs(), b.abs()), "distance from 0"),
    ("9.2", lambda r, f: frechet_in_float32(r, f), "compute in float64"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.svdvals(a @ b).sqrt().sum()),
        "singular values",
    ),
    ("9.2", lambda r, f: frechet(r, f, covariance=lambda x: x.T @ x / (len(x) - 1)), "not centred"),
    ("9.2", lambda r, f: frechet(r, f, terms=(1, 1, -2)), "last term is subtracted"),
    ("9.2", lambda r, f: frechet(r, f, covariance=lambda x: torch.corrcoef(x.T)), "correlations"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.det(a @ b).abs().sqrt()),
        "determinant",
    ),
    (
        "9.2",
        lambda r, f: (r.mean() - f.mean()) ** 2 + frechet(r, f, terms=(0, 1, 2)),
        "means of *all* numbers",
    ),
    (
        "9.2",
        lambda r, f: (
            (r.mean(0) - f.mean(0)).square().sum() + (torch.cov(r.T) - torch.cov(f.T)).square().sum()
        ),
        "covariances' *entries*",
    ),
    ("9.2", lambda r, f: frechet(r, f) / r.shape[1], "number of features"),
    ("9.2", lambda r, f: frechet(r, f, correction=0), "divided by N"),
    ("9.2", lambda r, f: frechet(r, f, covariance=lambda x: torch.cov(x)), "hand it the transpose"),
    ("9.2", lambda r, f: frechet(r, f, terms=(1, 1, 0)), "last term is missing"),
    ("9.2", lambda r, f: frechet(r, f, terms=(1, 1, 1)), "counts twice"),
    ("9.2", lambda r, f: frechet(r, f, terms=(0, 1, 2)), "the means are missing"),
    ("9.2", lambda r, f: frechet(r, f, terms=(1, 0, 0)), "the means only"),
    ("9.2", lambda r, f: frechet(r, f).sqrt(), "root too many"),
    ("9.2", lambda r, f: frechet(r, f, root=lambda a, b: (a @ b).trace()), "root is missing"),
    ("9.2", lambda r, f: frechet(r, f, root=lambda a, b: (a @ b).trace().sqrt()), "root of the trace"),
    ("9.2", lambda r, f: frechet(r, f, root=lambda a, b: (a @ b).abs().sqrt().trace()), "each *entry*"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: (a * b).abs().sqrt().trace()),
        "single features only",
    ),
    ("9.2", frobenius, "commute"),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.eigvalsh(a @ b).clamp(min=0).sqrt().sum()),
        "takes its matrix for symmetric",
    ),
    (
        "9.2",
        lambda r, f: (r.mean(0) - f.mean(0)).square().sum() + (r.std(0) - f.std(0)).square().sum(),
        "single features only",
    ),
    (
        "9.2",
        lambda r, f: (r.mean(0) - f.mean(0)).norm() + frechet(r, f, terms=(0, 1, 2)),
        "wants its *square*",
    ),
    (
        "9.2",
        lambda r, f: frechet(r, f, root=lambda a, b: torch.linalg.eigvals(a @ b).real.sqrt().sum()),
        "fewer samples than features",
    ),
    ("9.3", lambda x: score(x).log(), "exponential"),
    ("9.3", lambda x: 1 / score(x), "1 / score"),
    ("9.3", lambda x: entropies(x)[1].exp(), "entropy of the *mean*"),
    ("9.3", lambda x: entropies(x)[0].exp(), "mean of the *entropies*"),
    ("9.3", lambda x: sum(entropies(x)).exp(), "subtracted"),
    ("9.3", lambda x: score_of(x.softmax(0)), "softmax runs over the images"),
    ("9.3", lambda x: score_of(x.softmax(1).T), "rows and columns"),
    ("9.3", lambda x: score_of(x.softmax(1), base=2.0), "natural logarithm"),
    ("9.3", lambda x: score_of(x.sigmoid()), "sigmoids do not add up"),
    ("9.3", lambda x: (x * (x.log() - x.mean(0).log())).sum(1).mean().exp(), "softmax first"),
    ("9.3", lambda x: (x.softmax(1) * x.softmax(1).log()).sum(1).mean(), ""),
    ("9.3", lambda x: score_of(x.softmax(1).softmax(1)), "softmax was taken twice"),
    ("9.3", lambda x: score_of(F.one_hot(x.argmax(1), x.shape[1]).double()), "most probable class"),
    ("9.3", lambda x: score(x) / x.shape[1], "number of classes"),
    ("9.3", lambda x: x.softmax(1).amax(1).mean(), "how sure"),
    ("9.3", lambda x: score(x / 2), "scaled before the softmax"),
    ("9.3", lambda x: torch.stack([score(part) for part in x.chunk(10)]).mean(), "parts of the set"),
    ("9.3", lambda x: score_of(x.double().softmax(1).clamp(min=1e-3)), "small number"),
    ("9.4", lambda r, f: kid(r, f).abs(), "without its sign"),
    ("9.4", lambda r, f: kid(r[: len(f)], f[: len(r)]), "cut to the size"),
    ("9.4", lambda r, f: kid(r - r.mean(0), f - f.mean(0)), "centred"),
    ("9.4", lambda r, f: kid(r, f, kernel=lambda a, b: (a @ b.T / len(r) + 1) ** 3), "number of samples"),
    (
        "9.4",
        lambda r, f: kid(r, f, kernel=lambda a, b: ((a @ b.T + 1) / a.shape[1]) ** 3),
        "divided by d, too",
    ),
    ("9.4", lambda r, f: cube(r, r).sum() + cube(f, f).sum() - 2 * cube(r, f).sum(), "those are sums"),
    ("9.4", lambda r, f: (r.mean(0) - f.mean(0)).square().sum(), "distance of the means"),
    ("9.4", kid_by_triangles, "`triu`"),
    ("9.4", kid_without_mixed_diagonal, "*mixed* matrix"),
    ("9.4", lambda r, f: kid(r, f, diagonal=True), "biased"),
    ("9.4", kid_short_count, "N(N − 1) entries"),
    ("9.4", lambda r, f: kid(r, f, mixed=1), "counts *twice*"),
    ("9.4", lambda r, f: kid(r, f, mixed=-2), "subtracted"),
    ("9.4", lambda r, f: -kid(r, f), "sign is turned"),
    ("9.4", lambda r, f: kid(r, f).clamp(min=0), "may be below 0"),
    ("9.4", lambda r, f: kid(r, f, kernel=lambda a, b: (a @ b.T + 1) ** 3), "divides the inner product by d"),
    ("9.4", lambda r, f: kid(r, f, kernel=lambda a, b: (a @ b.T / a.shape[1]) ** 3), "+ 1"),
    ("9.4", lambda r, f: kid(r, f, kernel=lambda a, b: (a @ b.T / a.shape[1] + 1) ** 2), "power is 3"),
    ("9.4", lambda r, f: kid(r, f, kernel=lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2) / 2)), "Gaussian"),
    ("9.4", lambda r, f: cube(r, f), "one number"),
    ("9.5", lambda r, f, k: pr(r, f, 3 if len(f) > 3 else k), "not the one that is handed in"),
    ("9.5", lambda r, f, k: pr_with(lambda d: d[:, k])(r, f, k), "not sorted"),
    ("9.5", lambda r, f, k: pr_with(lambda d: d.sort(1).values[:, 1 : k + 1].mean(1))(r, f, k), "the *mean*"),
    ("9.5", lambda r, f, k: pr_with(lambda d: d.sort(1).values[:, -k])(r, f, k), "*farthest*"),
    ("9.5", lambda r, f, k: pr_with(lambda d: d.sort(1).values[:, k] / 2)(r, f, k), "halved"),
    ("9.5", lambda r, f, k: pr_with(lambda d: d.sort(1).values[:, k], p=1)(r, f, k), "Euclidean"),
    (
        "9.5",
        lambda r, f, k: pr_with(lambda d: d.sort(1).values[:, k], reduce=torch.all)(r, f, k),
        "one is enough",
    ),
    (
        "9.5",
        lambda r, f, k: (pr(r, f, k)[0] * len(f) / len(r), pr(r, f, k)[1] * len(r) / len(f)),
        "*other* set",
    ),
    ("9.5", lambda r, f, k: (pr(r, f, k)[0],) * 2, "precision, twice"),
    ("9.5", lambda r, f, k: dc(r, f, k), "density and coverage"),
    ("9.5", lambda r, f, k: pr(r, f, k)[::-1], "exchanged"),
    ("9.5", lambda r, f, k: pr(r, f, k, place=k - 1), "*itself*"),
    ("9.5", lambda r, f, k: pr(r, f, k, place=k + 1), "one neighbour too many"),
    ("9.5", pr_by_real_balls_only, "by *real* balls"),
    ("9.5", density_for_precision, "density"),
    ("9.5", lambda r, f, k: pr(r, f, k)[0], "two numbers"),
    ("9.5", lambda r, f, k: tuple(1 - one for one in pr(r, f, k)), "*outside*"),
    ("9.5", lambda r, f, k: tuple(100 * one for one in pr(r, f, k)), "percent"),
    ("9.5", lambda r, f, k: pr_strict(r, f, k), "≤, not <"),
    ("9.6", lambda f, r, t: copied(f, r, t, ties=0), "counts *half*"),
    ("9.6", lambda f, r, t: copied(f, r, t, ties=1), "counts *half*"),
    ("9.6", lambda f, r, t: 1 - copied(f, r, t), "comparison is turned"),
    ("9.6", lambda f, r, t: copied(r, f, t), "comparison is turned"),
    ("9.6", lambda f, r, t: copied(f, r, t) * len(f) * len(r), "count of pairs"),
    ("9.6", lambda f, r, t: copied(f, r, t) * 100, "percent"),
    ("9.6", lambda f, r, t: copied(f, r, t, reduce=lambda d: d.amin(0)), "wrong axis"),
    ("9.6", lambda f, r, t: copied(f, r, t, reduce=lambda d: d.mean(1)), "*mean* distance"),
    ("9.6", lambda f, r, t: copied(f, r, t, reduce=lambda d: d.amax(1)), "*farthest*"),
    ("9.6", lambda f, r, t: copied(f, r, t, reduce=lambda d: d.sort(1).values[:, 1]), "*second*"),
    ("9.6", lambda f, r, t: copied(f, r, t, against=lambda a, b: (a.mean()[None], b.mean()[None])), "first"),
    ("9.6", lambda f, r, t: copied(f, r, t, against=lambda a, b: (a, b.median()[None])), "*median*"),
    ("9.6", lambda f, r, t: torch.cdist(f, t).amin(1).mean() / torch.cdist(r, t).amin(1).mean(), "ratio"),
    ("9.6", copied_place_by_place, "place by place"),
    ("9.6", lambda f, r, t: copied_place_by_place(f, r[: len(f)], t), "vector i with vector i"),
    ("9.6", copied_from_fresh, "nearest *fresh* one"),
    ("9.6", copied_and_itself, "*itself*"),
    (
        "9.6",
        lambda f, r, t: (torch.cdist(f, t, compute_mode=EXACT).amin(1) == 0).double().mean(),
        "exact copies",
    ),
    ("9.6", lambda f, r, t: (copied(f, r, t), t.add_(1))[0], "in place"),
    ("9.6", lambda f, r, t: torch.cdist(f, t).amin(1), "what is left to average"),
    ("9.6", lambda f, r, t: 0.5, "a fixed one"),
    (
        "9.6",
        lambda f, r, t: copied(f, r, t, reduce=lambda d: d.argmin(1).double()),
        "*which* training vector",
    ),
    (
        "9.6",
        lambda f, r, t: copied(f, r, t, reduce=lambda d: d.topk(3, largest=False).values.mean(1)),
        "3 nearest",
    ),
    ("9.6", lambda f, r, t: 2 * copied(f, r, t) - 1, "from −1 to 1"),
    ("9.6", lambda f, r, t: copied(f, r, t.mean(0, keepdim=True)), "*mean* of the training"),
    (
        "9.6",
        lambda f, r, t: (torch.cdist(f, t).amin(1) < torch.cdist(f, r).amin(1)).double().mean(),
        "*fresh* vectors",
    ),
    ("9.7", lambda x, y: ssim(x, y, window=gauss(sigma=3)), "not 3"),
    ("9.7", lambda x, y: ssim(x, y, window=gauss(reach=4)), "9×9"),
    ("9.7", lambda x, y: ssim(x, y, local=lambda m: F.avg_pool2d(m, 3, 1)), "3×3"),
    (
        "9.7",
        lambda x, y: ssim(x, y, local=lambda m: F.conv2d(m, gauss()[None, None], stride=2)),
        "more than one",
    ),
    ("9.7", lambda x, y: ssim(x, y, c=(1e-4, 1e-4)), "0.01² and 0.03²"),
    ("9.7", lambda x, y: ssim(x, y, bright=lambda side: (side + 1) * 127.5), "255²"),
    (
        "9.7",
        lambda x, y: ssim_with(lambda m, a, b, ab: m * (2 * ab + 9e-4) / (2 * a + 9e-4))(x, y),
        "one of the two",
    ),
    (
        "9.7",
        lambda x, y: ssim_with(lambda m, a, b, ab: m * (ab + 9e-4) / ((a + b) / 2 + 9e-4))(x, y),
        "are others",
    ),
    ("9.8", guess_with(image=lambda t: t.amax(0)), "brightest"),
    ("9.8", guess_with(image=lambda t: t[-1]), "one of the targets"),
    ("9.8", guess_with(image=lambda t: t.sum(0) / (len(t) - 1)), "N − 1"),
    ("9.8", guess_with(image=lambda t: t.mean(0).sign()), "black or white"),
    ("9.8", guess_with(image=lambda t: (t.mean(0) + 1) / 2), "from 0 to 1"),
    ("9.8", guess_with(error=lambda t: t.std(0).mean()), "standard deviation"),
    ("9.8", guess_with(error=lambda t: (t[0] - t.mean(0)).square().mean()), "one of the targets"),
    ("9.8", guess_with(error=lambda t: (t - t.mean(0)).square().mean(0)), "for each pixel"),
    ("9.8", guess_with(error=lambda t: t.mean(0).square().mean()), "guess itself"),
    ("9.13", lambda x, n, z: limits(x, n, z**2), "another one than was handed in"),
    ("9.13", lambda x, n, z: limits(x, n, 2 * z), "another one than was handed in"),
    ("9.13", limits_with(middle=lambda p, n, z: p - z**2 / (2 * n)), "look at the signs"),
    (
        "9.13",
        limits_with(half=lambda p, n, z: 2 * z * (p * (1 - p) / n + z**2 / 4 / n**2) ** 0.5),
        "twice as large",
    ),
    (
        "9.13",
        limits_with(lambda p, n, z: p, lambda p, n, z: z * (p * (1 - p)) ** 0.5 / n, lambda n, z: 1),
        "outside of the root",
    ),
    ("9.7", lambda x, y: ssim(x, y, window=torch.full((11, 11), 1 / 121)), "weighs the same"),
    ("9.7", lambda x, y: ssim(x, y, window=torch.full((7, 7), 1 / 49)), "7×7"),
    ("9.7", lambda x, y: ssim(x, y, window=gauss(sigma=1.5**0.5)), "not σ²"),
    ("9.7", lambda x, y: ssim(x, y, window=gauss(reach=3)), "11×11 means 5"),
    ("9.7", lambda x, y: ssim(x, y, window=gauss() / gauss().max()), "do not add up to 1"),
    ("9.7", lambda x, y: ssim(x, y, window=gauss().sum(0, keepdim=True)), "one axis only"),
    ("9.7", lambda x, y: ssim(x, y, local=padded), "padding"),
    ("9.7", lambda x, y: ssim(x, y, local=everywhere), "there is no window"),
    ("9.7", lambda x, y: ssim(x, y, c=(0.01, 0.03)), "*squares* of 0.01 and 0.03"),
    ("9.7", lambda x, y: ssim(x, y, c=(0.0, 0.0)), "are missing"),
    ("9.7", lambda x, y: ssim(x, y, c=(9e-4, 1e-4)), "exchanged"),
    ("9.7", lambda x, y: ssim(x, y, c=(4e-4, 36e-4)), "range of 2"),
    ("9.7", lambda x, y: ssim(x, y, bright=lambda side: side), "brightnesses from 0 to 1"),
    (
        "9.7",
        lambda x, y: ssim(x, y, c=(4e-4, 36e-4), bright=lambda side: side),
        "as if they were brightnesses",
    ),
    ("9.7", lambda x, y: ssim(x, y, bright=lambda side: side.clamp(min=0)), "cut off"),
    ("9.7", lambda x, y: 1 - ssim(x, y), "1 − SSIM"),
    ("9.7", lambda x, y: ssim_with(lambda m, a, b, ab: m)(x, y), "brightness only"),
    (
        "9.7",
        lambda x, y: ssim_with(lambda m, a, b, ab: (2 * ab + 9e-4) / (a + b + 9e-4))(x, y),
        "brightness is missing",
    ),
    (
        "9.7",
        lambda x, y: ssim_with(lambda m, a, b, ab: m * (ab + 9e-4) / (a + b + 9e-4))(x, y),
        "covariance counts twice",
    ),
    (
        "9.7",
        lambda x, y: ssim_with(
            lambda m, a, b, ab: m * (2 * ab + 9e-4) / (a.clamp(min=0) ** 0.5 + b.clamp(min=0) ** 0.5 + 9e-4)
        )(x, y),
        "*squares*",
    ),
    (
        "9.7",
        lambda x, y: ssim_with(
            lambda m, a, b, ab: m * (2 * ab * 121 / 120 + 9e-4) / ((a + b) * 121 / 120 + 9e-4)
        )(x, y),
        "divided by 120",
    ),
    ("9.7", lambda x, y: (x - y).square().mean(), "mean squared error"),
    ("9.7", lambda x, y: ssim_with(lambda m, a, b, ab: m)(x, y).expand(len(x)), "one number is asked for"),
    ("9.7", lambda x, y: (ssim(x, y), x.add_(1))[0], "in place"),
    ("9.8", lambda t: (t.median(0).values, guess(t)[1]), "median"),
    ("9.8", lambda t: (t.quantile(0.5, dim=0), guess(t)[1]), "median"),
    ("9.8", guess_with(image=lambda t: t.mean().expand(t.shape[1:])), "one grey"),
    ("9.8", guess_with(image=lambda t: t.mean()), "a single number"),
    ("9.8", guess_with(image=lambda t: t.mean((0, 1))), "one image, of shape"),
    ("9.8", guess_with(image=lambda t: t[0]), "first target"),
    ("9.8", guess_with(image=lambda t: t.mean((1, 2, 3))), "average over which axis"),
    (
        "9.8",
        guess_with(image=lambda t: t[torch.cdist(t.flatten(1), t.flatten(1)).square().mean(1).argmin()]),
        "best of the *targets*",
    ),
    ("9.8", lambda t: guess(t, correction=1), "divided by N − 1"),
    ("9.8", lambda t: (t.mean(0), guess(t)[1].sqrt()), "*root*"),
    ("9.8", lambda t: (t.mean(0), guess(t)[1] * t[0].numel()), "summed over the pixels"),
    ("9.8", lambda t: (t.mean(0), guess(t)[1] * len(t)), "summed over the targets"),
    ("9.8", lambda t: (t.mean(0), guess(t)[1] * t.numel()), "*sum*"),
    ("9.8", lambda t: (t.mean(0), (t - t.mean(0)).abs().mean()), "*absolute* error"),
    ("9.8", lambda t: (t.mean(0), (t - t.mean(0)).square().mean((1, 2, 3))), "for each target"),
    ("9.8", lambda t: (t.mean(0), t.var(correction=0)), "*one* grey"),
    ("9.8", lambda t: guess(t)[::-1], "wrong order"),
    ("9.8", lambda t: t.mean(0), "return two things"),
    ("9.8", lambda t: (t.sub_(t.mean(0)), guess(t)[1])[::-1], "in place"),
    ("9.13", familiar, "familiar interval"),
    ("9.13", lambda x, n, z: [min(max(one, 0.0), 1.0) for one in familiar(x, n, z)], "cut off at 0 and 1"),
    ("9.13", limits_with(middle=lambda p, n, z: p + z / (2 * n)), "not z/2n"),
    ("9.13", limits_with(scale=lambda n, z: 1 + z / n), "missing its square"),
    ("9.13", limits_with(half=lambda p, n, z: z * (p * (1 - p) / n + z / (4 * n**2)) ** 0.5), "z², not z"),
    (
        "9.13",
        limits_with(
            middle=lambda p, n, z: p + z / (2 * n),
            half=lambda p, n, z: z * (p * (1 - p) / n + z / (4 * n**2)) ** 0.5,
            scale=lambda n, z: 1 + z / n,
        ),
        "where z² belongs",
    ),
    ("9.13", limits_with(half=lambda p, n, z: (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5), "lacks its z"),
    ("9.13", limits_with(half=lambda p, n, z: z * (p * (1 - p) / n + z**2 / (4 * n**2))), "root is missing"),
    ("9.13", limits_with(half=lambda p, n, z: z * (p * (1 - p) / n) ** 0.5), "z²/4n² is missing"),
    ("9.13", limits_with(half=lambda p, n, z: z * (p * (1 - p) / n + z**2 / n**2) ** 0.5), "4 is missing"),
    ("9.13", limits_with(scale=lambda n, z: 1), "division by 1 + z²/n is missing"),
    ("9.13", limits_with(middle=lambda p, n, z: p, scale=lambda n, z: 1), "middle is not p̂"),
    ("9.13", agresti_coull, "Agresti and Coull"),
    ("9.13", clopper_pearson, "Clopper and Pearson"),
    ("9.13", lambda x, n, z: limits(x, n, 1.96), "always 1.96"),
    ("9.13", lambda x, n, z: limits(x, n, z)[::-1], "wrong order"),
    ("9.13", lambda x, n, z: limits(n - x, n, z), "*right* answers"),
    ("9.13", lambda x, n, z: [100 * one for one in limits(x, n, z)], "percent"),
    ("9.13", lambda x, n, z: [n * one for one in limits(x, n, z)], "counts"),
    ("9.13", lambda x, n, z: limits(x // n, 1, z), "one slash"),
    (
        "9.13",
        lambda x, n, z: (sum(limits(x, n, z)) / 2, limits(x, n, z)[1] - sum(limits(x, n, z)) / 2),
        "half width",
    ),
    ("9.13", lambda x, n, z: limits(x, n, z)[0], "two numbers"),
    ("9.13", lambda x, n, z: (0.05, 0.36), "whatever the arguments are"),
    ("9.9", {**PREDICTION, "memorised training set": "recall"}, "what could a comparison"),
    ("9.9", {**PREDICTION, "noise on every image": "precision"}, "noise moves each image"),
    ("9.9", {**PREDICTION, "a quarter is rubbish": "both"}, "three quarters"),
    ("9.9", {**PREDICTION, "one image, repeated": "blue"}, 'for "one image, repeated": answer with one of'),
    ("9.9", {"noise": "both"}, "a dictionary whose keys are"),
    ("9.11", lambda n, y: np.polyfit(1 / np.array(n), y, 1)[0], "*slope*"),
    ("9.11", lambda n, y: np.polyfit(np.array(n), y, 1)[1], "at *no* samples"),
    ("9.11", lambda n, y: np.polyfit(np.array(n) ** -0.5, y, 1)[1], "falls like 1/N"),
    ("9.11", lambda n, y: y[-1], "still too large"),
    ("9.11", lambda n, y: max(0.0, infinity(n, y)), "a little below 0"),
    ("9.11", lambda n, y: infinity(sorted(n), y), ""),
    ("9.11", lambda n, y: sum(y) / len(y), "all of it is too large"),
    ("9.11", lambda n, y: (y[-1] * n[-1] - y[0] * n[0]) / (n[-1] - n[0]), "first and the last point only"),
    ("9.11", lambda n, y: np.polyfit(np.log(n), y, 1)[1], "over log N"),
    ("9.11", lambda n, y: np.polyfit(1 / np.array(n), y, 2)[-1], "polynomial of degree 2"),
    ("9.11", lambda n, y: sum(np.polyfit(1 / np.array(n), y, 1)), "at *one* sample"),
    ("9.11", lambda n, y: np.polyfit(1 / np.array(n), y, 1, w=np.array(n))[1], "weighted fit"),
    ("9.11", lambda n, y: np.polyfit(1 / np.array(n) ** 2, y, 1)[1], "over 1/N²"),
    ("9.11", lambda n, y: np.polyval(np.polyfit(1 / np.array(n), y, 1), 1 / max(n)), "at the largest size"),
    ("9.11", lambda n, y: abs(infinity(n, y)), "a little below 0"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0] * k / len(r), dc(r, f, k)[1]), "number of balls"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0] * k / (k + 1), dc(r, f, k)[1]), "by k + 1"),
    (
        "9.12",
        lambda r, f, k: (dc(r, f, k)[0], inside_balls(r, f, k).sum(1).ge(k).float().mean()),
        "yours wants k",
    ),
    ("9.12", lambda r, f, k: (inside_balls(r, f, k).sum(0).max() / k, dc(r, f, k)[1]), "in the most balls"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0], dc(r, f, k)[1] * len(r) / len(f)), "number of fakes"),
    ("9.12", lambda r, f, k: dc(r, f, k)[::-1], "exchanged: density comes first"),
    ("9.12", lambda r, f, k: dc(r, f, k, place=k - 1), "*itself*"),
    ("9.12", lambda r, f, k: dc(r, f, k, place=k + 1), "one neighbour too many"),
    ("9.12", lambda r, f, k: dc(r, f, k, inside=torch.lt), "≤, not <"),
    ("9.12", lambda r, f, k: dc(r, f, k, inside=torch.gt), "comparison is turned"),
    ("9.12", lambda r, f, k: dc(f, r, k), "*real* samples only"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0], pr(r, f, k)[1]), "that is recall"),
    ("9.12", lambda r, f, k: (k * dc(r, f, k)[0], dc(r, f, k)[1]), "not divided by k"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0], dc(r, f, k)[1] / k), "only the density"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0], inside_balls(r, f, k).any(0).float().mean()), "wrong axis"),
    (
        "9.12",
        lambda r, f, k: (inside_balls(r, f, k).float().sum(1).mean() / k, dc(r, f, k)[1]),
        "over the *fakes*",
    ),
    (
        "9.12",
        lambda r, f, k: (inside_balls(r, f, k).float().sum(1).mean() / k, pr(r, f, k)[0]),
        "both axes are exchanged",
    ),
    ("9.12", lambda r, f, k: (pr(r, f, k)[0], dc(r, f, k)[1]), "*how many*"),
    (
        "9.12",
        lambda r, f, k: (inside_balls(r, f, k).float().mean() / k, dc(r, f, k)[1]),
        "sum over the balls",
    ),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0].clamp(max=1), dc(r, f, k)[1]), "may exceed 1"),
    ("9.12", lambda r, f, k: (dc(r, f, k)[0], inside_balls(r, f, k).all(1).float().mean()), "one is enough"),
    ("9.12", lambda r, f, k: dc(r, f, k)[0], "two numbers"),
    ("9.12", dc_of_changed, "in place"),
    ("9.10", {**DIAGNOSIS, "A": "noise", "B": "classes missing"}, "how many classes"),
    ("9.10", {**DIAGNOSIS, "C": "no failure", "D": "memorised"}, "what is 1 there"),
    ("9.10", {**DIAGNOSIS, "B": "too dark"}, "choose for B one of"),
    ("9.10", "ABCD", "a dictionary whose keys are"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict.message
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        *((number, stub) for number in STUBS),
        ("9.9", dict.fromkeys(PREDICTION, ...)),
        ("9.9", ...),
        ("9.10", {**DIAGNOSIS, "C": ...}),
    ],
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"
