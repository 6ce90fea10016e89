"""The checkers of notebook 09: right answers in several forms, untouched stubs, typical mistakes."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
import scipy.stats
import torch
from sklearn.neighbors import NearestNeighbors

from course_utils.checks import run_check
from course_utils.metrics import density_coverage, frechet_distance, kernel_distance, precision_recall


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


# --- 9.7 ---


def infinity(sizes, distances):
    return np.polyfit(1 / np.array(sizes), distances, 1)[1]


def infinity_by_least_squares(sizes, distances):
    columns = torch.stack([torch.ones(len(sizes)).double(), 1 / torch.tensor(sizes).double()], dim=1)
    return torch.linalg.lstsq(columns, torch.tensor(distances).double()[:, None]).solution[0, 0]


# --- 9.9 ---


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
    ("9.6", PREDICTION),
    ("9.8", infinity),
    ("9.8", infinity_by_least_squares),
    ("9.9", dc),
    ("9.9", lambda real, fake, k: tuple(density_coverage(real, fake, k))),
    ("9.9", dc_by_loops),
    ("9.9", dc_by_sklearn),
    ("9.7", DIAGNOSIS),
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
    ("9.5", lambda r, f, k: pr(r, f, k)[::-1], "exchanged"),
    ("9.5", lambda r, f, k: pr(r, f, k, place=k - 1), "*itself*"),
    ("9.5", lambda r, f, k: pr(r, f, k, place=k + 1), "one neighbour too many"),
    ("9.5", pr_by_real_balls_only, "by *real* balls"),
    ("9.5", density_for_precision, "density"),
    ("9.5", lambda r, f, k: pr(r, f, k)[0], "two numbers"),
    ("9.5", lambda r, f, k: tuple(1 - one for one in pr(r, f, k)), "*outside*"),
    ("9.5", lambda r, f, k: tuple(100 * one for one in pr(r, f, k)), "percent"),
    ("9.5", lambda r, f, k: pr_strict(r, f, k), "≤, not <"),
    ("9.6", {**PREDICTION, "memorised training set": "recall"}, "what could a comparison"),
    ("9.6", {**PREDICTION, "noise on every image": "precision"}, "noise moves each image"),
    ("9.6", {**PREDICTION, "a quarter is rubbish": "both"}, "three quarters"),
    ("9.6", {**PREDICTION, "one image, repeated": "blue"}, 'for "one image, repeated": answer with one of'),
    ("9.6", {"noise": "both"}, "a dictionary whose keys are"),
    ("9.8", lambda n, y: np.polyfit(1 / np.array(n), y, 1)[0], "*slope*"),
    ("9.8", lambda n, y: np.polyfit(np.array(n), y, 1)[1], "at *no* samples"),
    ("9.8", lambda n, y: np.polyfit(np.array(n) ** -0.5, y, 1)[1], "falls like 1/N"),
    ("9.8", lambda n, y: y[-1], "still too large"),
    ("9.8", lambda n, y: max(0.0, infinity(n, y)), "a little below 0"),
    ("9.8", lambda n, y: infinity(sorted(n), y), ""),
    ("9.8", lambda n, y: sum(y) / len(y), "all of it is too large"),
    ("9.8", lambda n, y: (y[-1] * n[-1] - y[0] * n[0]) / (n[-1] - n[0]), "first and the last point only"),
    ("9.9", lambda r, f, k: dc(r, f, k)[::-1], "exchanged: density comes first"),
    ("9.9", lambda r, f, k: dc(r, f, k, place=k - 1), "*itself*"),
    ("9.9", lambda r, f, k: dc(r, f, k, place=k + 1), "one neighbour too many"),
    ("9.9", lambda r, f, k: dc(r, f, k, inside=torch.lt), "≤, not <"),
    ("9.9", lambda r, f, k: dc(r, f, k, inside=torch.gt), "comparison is turned"),
    ("9.9", lambda r, f, k: dc(f, r, k), "*real* samples only"),
    ("9.9", lambda r, f, k: (dc(r, f, k)[0], pr(r, f, k)[1]), "that is recall"),
    ("9.9", lambda r, f, k: (k * dc(r, f, k)[0], dc(r, f, k)[1]), "not divided by k"),
    ("9.9", lambda r, f, k: (dc(r, f, k)[0], dc(r, f, k)[1] / k), "only the density"),
    ("9.9", lambda r, f, k: (dc(r, f, k)[0], inside_balls(r, f, k).any(0).float().mean()), "wrong axis"),
    (
        "9.9",
        lambda r, f, k: (inside_balls(r, f, k).float().sum(1).mean() / k, dc(r, f, k)[1]),
        "over the *fakes*",
    ),
    (
        "9.9",
        lambda r, f, k: (inside_balls(r, f, k).float().sum(1).mean() / k, pr(r, f, k)[0]),
        "both axes are exchanged",
    ),
    ("9.9", lambda r, f, k: (pr(r, f, k)[0], dc(r, f, k)[1]), "*how many*"),
    ("9.9", lambda r, f, k: (inside_balls(r, f, k).float().mean() / k, dc(r, f, k)[1]), "sum over the balls"),
    ("9.9", lambda r, f, k: (dc(r, f, k)[0].clamp(max=1), dc(r, f, k)[1]), "may exceed 1"),
    ("9.9", lambda r, f, k: (dc(r, f, k)[0], inside_balls(r, f, k).all(1).float().mean()), "one is enough"),
    ("9.9", lambda r, f, k: dc(r, f, k)[0], "two numbers"),
    ("9.9", dc_of_changed, "in place"),
    ("9.7", {**DIAGNOSIS, "A": "noise", "B": "classes missing"}, "how many classes"),
    ("9.7", {**DIAGNOSIS, "C": "no failure", "D": "memorised"}, "what is 1 there"),
    ("9.7", {**DIAGNOSIS, "B": "too dark"}, "choose for B one of"),
    ("9.7", "ABCD", "a dictionary whose keys are"),
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
        *((number, stub) for number in ("9.1", "9.2", "9.3", "9.4", "9.5", "9.8", "9.9")),
        ("9.6", dict.fromkeys(PREDICTION, ...)),
        ("9.6", ...),
        ("9.7", {**DIAGNOSIS, "C": ...}),
    ],
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"
