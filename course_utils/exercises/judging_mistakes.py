"""What learners of notebook 09 write in place of its metrics: typical mistakes, each with what to say to it.

Every function returns pairs (another value, message), in the same order for every input; the checkers in
`ex09_judging_generators` look which of them explains all that an answer gave.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.functional import normalize

from course_utils.metrics import polynomial_kernel
from course_utils.metrics.frechet import square_root
from course_utils.metrics.neighbours import ball_radii, pairwise_distances


def other_costs(a: Tensor, b: Tensor) -> list:
    """What is not the cost of the cheapest way: (value, message)."""
    moves = a.sort().values - b.sort().values
    squares, n = moves.square(), len(a)
    table = (a[:, None] - b).square()
    by_moments = (
        "means and spreads only: right for normal distributions, as the next section shows. These are "
        "heaps of points."
    )
    by_turns = (
        "one after another the points take the nearest place that is left, and the last go far. There is a "
        "cheaper way."
    )
    quantiles = "that compares some quantiles. Each point is to be moved: sort them all."
    return [
        ((a.mean() - b.mean()).square() + (a.std() - b.std()).square(), by_moments),
        (
            (a.mean() - b.mean()).square() + (a.std(correction=0) - b.std(correction=0)).square(),
            by_moments,
        ),
        (squares.median(), "that is the median of the squares. Take their mean."),
        (squares.max(), "that is the dearest move. Take the mean of all."),
        (squares.sum() / (n - 1), "divided by N − 1: there are N moves."),
        (squares.mean() / 2, "half of what it should be: m² is the cost of a move, not m²/2."),
        (
            table.amin(1).mean() + table.amin(0).mean(),
            "that lets every point take the nearest place, in both directions, even if another has taken "
            "it. Each place is to be filled once.",
        ),
        *((_in_turn(*pair), by_turns) for one, other in ((a, b), (b, a))
          for pair in ((one, other), (one.sort().values, other), (one.sort(descending=True).values, other))),
        (_closest_first(a, b), by_turns),
        *(((one - other).square().mean(), "the places of the one list are used in the other: `a.argsort()` "
           "puts `a` in order, and `b.argsort()` puts `b`.")
          for one, other in ((a[b.argsort()], b[a.argsort()]), (a, b[a.argsort()]), (a[b.argsort()], b),
                             (a[a.argsort().argsort()], b[b.argsort().argsort()]))),
        ((a.mean() - b.mean()).square() + (a.var() + b.var() - 2 * ((a - a.mean()) * (b - b.mean())).mean()),
         by_moments),
        (moves.mean(), "that is the mean of the moves themselves: to the left and to the right cancel. "
         "Square them."),
        (moves.abs().sum(), "that adds up the lengths of the moves. The cost of a move is its *square*; "
         "average."),
        (moves.abs().mean().square(), "first square each move, then average. You squared the average."),
        (
            (a.abs().sort().values - b.abs().sort().values).square().mean(),
            "the points are sorted by their distance from 0. Left and right are different places.",
        ),
        (
            (a.argsort() - b.argsort()).double().square().mean(),
            "those are *places in the list* (`argsort`). The points themselves are wanted in order.",
        ),
        *((moves.var(correction=less), "that is the *variance* of the moves: their mean is taken off, so "
           "that a heap that is only shifted would cost nothing.") for less in (0, 1)),
        (squares.trunc().mean(), "the costs are cut to whole numbers before the mean."),
        (squares.round().mean(), "the costs are rounded to whole numbers before the mean."),
        (moves.norm(), "that is the root of the sum of the squares. Take their mean, and no root."),
        ((a - b).norm(), "that moves each point to whichever stands at its place in the list; and takes a "
         "root."),
        *(
            ((a.quantile(ranks) - b.quantile(ranks)).square().mean(), quantiles)
            for ranks in (torch.linspace(0, 1, steps) for steps in (5, 10, 11, 20, 21, 100, 101))
        ),
    ]  # fmt: skip


def _in_turn(points: Tensor, places: Tensor) -> float:
    """The cost where each point in its turn takes the nearest place that is left."""
    free, cost = places.tolist(), 0.0
    for point in points.tolist():
        place = min(free, key=lambda other: (other - point) ** 2)
        free.remove(place)
        cost += (place - point) ** 2 / len(points)
    return cost


def _closest_first(a: Tensor, b: Tensor) -> float:
    """The cost where the closest pair of all is joined first, then the closest of what is left."""
    table, cost = (a[:, None] - b).square(), 0.0
    for _ in range(len(a)):
        row, column = divmod(int(table.argmin()), len(b))
        cost += table[row, column].item() / len(a)
        table[row], table[:, column] = math.inf, math.inf
    return cost


def other_frechets(real: Tensor, fake: Tensor, means: Tensor, traces: Tensor, overlap: Tensor) -> list:
    """What is not the Fréchet distance: (value, message)."""
    a, b = torch.cov(real.T), torch.cov(fake.T)
    product = a @ b
    root_a, root_b = square_root(a), square_root(b)
    values_a, values_b = torch.linalg.eigvalsh(a).clamp(min=0), torch.linalg.eigvalsh(b).clamp(min=0)
    eye = torch.eye(len(a), dtype=torch.float64)
    cholesky = [torch.linalg.cholesky(side + 1e-9 * eye) for side in (a, b)]
    pooled = torch.cov(torch.cat([real, fake]).T)
    no_root = "a Cholesky factor is no root: L·Lᵀ gives the matrix, L·L does not."

    def formula(first, second, middle=means):
        return middle + first.trace() + second.trace() - 2 * torch.linalg.svdvals(
            square_root(first) @ square_root(second)
        ).sum()  # fmt: skip

    raw_a, raw_b = (side.T @ side / (len(side) - 1) for side in (real, fake))
    singular = "singular values are not eigenvalues: Σ_a Σ_b is not symmetric. Σ_a^½ Σ_b Σ_a^½ is."
    centre = "the covariances are not centred: subtract each feature's mean first, or take `torch.cov`."
    one_mean = (
        "the means of *all* numbers are compared. Each feature has its own mean: average over the samples, "
        "axis 0."
    )
    n, m = len(real), len(fake)
    one_count = "both covariances are divided by *one* set's number. Each set has its own: N − 1 and M − 1."
    return [
        *(
            (means_of.square().sum() + traces - 2 * overlap, "the *medians* are compared. The formula has "
             "means.")
            for means_of in (real.median(0).values - fake.median(0).values,
                             real.quantile(0.5, dim=0) - fake.quantile(0.5, dim=0))
        ),
        (means + traces - 2 * torch.linalg.svdvals(product).sqrt().sum(), singular),
        (means + traces - 2 * torch.linalg.svdvals(product).sum(), f"the root is missing, and {singular}"),
        (formula(raw_a, raw_b), centre),
        (formula(a, b * (m - 1) / (n - 1)), one_count),
        (formula(a * (n - 1) / (m - 1), b), one_count),
        *((of_first(real, fake, few), f"only the first {few} features are used. Take all that there are.")
          for few in (2, 3, 10, 16, 32)),
        (formula(real.T @ real / len(real), fake.T @ fake / len(fake)), centre),
        (means + traces + 2 * overlap, "the last term is subtracted: two equal sets are at distance 0."),
        (-means + traces - 2 * overlap, "the means' squared distance is added."),
        (means - traces + 2 * overlap, "the sign of the second part is turned."),
        (
            means + traces - 2 * square_root(a + b).trace(),
            "that is the root of a *sum*. Under the root stands the product Σ_a Σ_b.",
        ),
        (
            means + traces - 2 * (values_a * values_b).sqrt().sum(),
            "that multiplies the eigenvalues of the one with those of the other, in order of size. The "
            "two clouds have different axes: multiply the matrices first.",
        ),
        (
            means + (values_a.sqrt() - values_b.sqrt()).square().sum(),
            "that compares eigenvalues in order of size. The two clouds have different axes.",
        ),
        ((real.mean() - fake.mean()).square() + traces - 2 * overlap, one_mean),
        (real.shape[1] * (real.mean() - fake.mean()).square() + traces - 2 * overlap, one_mean),
        (
            formula(torch.corrcoef(real.T), torch.corrcoef(fake.T)),
            "those are correlations, divided by the spreads. Covariances are meant.",
        ),
        (
            means + traces - 2 * torch.linalg.det(product).abs().sqrt(),
            "a determinant is the *product* of eigenvalues. The trace of the root is the sum of their roots.",
        ),
        (
            means + traces - 2 * torch.linalg.eigvals(product).real.clamp(min=0).sqrt().mean(),
            "a trace is the *sum* of the eigenvalues, not their mean.",
        ),
        (
            means + traces - 2 * torch.linalg.eigvals(product).real.clamp(min=0).sqrt().max(),
            "that is the largest eigenvalue only; a trace is their sum.",
        ),
        (means + traces - 2 * (cholesky[0] @ cholesky[1].T).trace(), no_root),
        (means + traces - 2 * (cholesky[0].T @ cholesky[1]).trace(), no_root),
        (means + traces - 2 * (cholesky[0].diagonal() * cholesky[1].diagonal()).sum(), no_root),
        *((means + traces - 2 * _by_cholesky(a + first * eye, b + first * eye, shift, power), no_root)
          for shift in (1e-9, 1e-6, 1e-5, 1e-4, 1e-3) for first in (shift, 0.0) for power in (0.5, 1.0)),
        *((means + traces - 2 * other, "the covariance of both sets *together* stands in the place of the "
           "root. Each set has its own, and the root is of their product.")
          for other in (pooled.trace(), pooled.sum(), square_root(pooled).trace(), pooled.trace() / 2)),
        (means + traces - (a + b).trace(), "what is subtracted is the traces again. −2·tr (Σ_a Σ_b)^½ has "
         "the *product* of the two."),
        (means + traces - 2 * (a.trace() * b.trace()).sqrt(), "the two *traces* are multiplied. Multiply the "
         "matrices, then take the root, then the trace."),
        (means + traces - (product + product.T).abs().sqrt().trace(), "that takes the root of each *entry*. "
         "The root of a matrix is the matrix that gives it when multiplied by itself."),
        (means + (a - b).square().sum(), "that is the squared difference of the covariances' *entries*."),
        (means + (a - b).square().sum().sqrt(), "that is the length of the difference of the covariances."),
        (means + (a - b).trace(), "that is the difference of the traces. How far the clouds' shapes are "
         "apart is missing."),
        (means + (root_a - root_b).trace(), "that is the difference of two traces: −2·tr(…) of the product "
         "is missing."),
        ((means + traces - 2 * overlap) / real.shape[1], "divided by the number of features: leave it "
         "whole."),
        (
            formula(torch.cov(torch.cat([real, fake]).T), b),
            "the first covariance is that of both sets together. Each set has its own.",
        ),
        (
            formula(torch.diag(a.diagonal()), torch.diag(b.diagonal())),
            "that uses the variances of single features only, as if no two were correlated.",
        ),
    ]  # fmt: skip


def _by_cholesky(a: Tensor, b: Tensor, shift: float, power: float) -> Tensor:
    """The diagonal of the Cholesky factor of Σ_a Σ_b (Σ_a Σ_b)ᵀ, or its roots, added up."""
    product = a @ b
    square = product @ product.T + shift * torch.eye(len(a), dtype=a.dtype)
    factor, failed = torch.linalg.cholesky_ex(square)
    return torch.tensor(-1.0) if failed else (factor.diagonal() ** power).sum()


def of_first(real: Tensor, fake: Tensor, few: int) -> Tensor:
    """The Fréchet distance by the first few features."""
    real, fake = real[:, :few].double(), fake[:, :few].double()
    a, b = torch.cov(real.T), torch.cov(fake.T)
    overlap = torch.linalg.svdvals(square_root(a) @ square_root(b)).sum()
    return (real.mean(0) - fake.mean(0)).square().sum() + a.trace() + b.trace() - 2 * overlap


def square_root_of_product(product: Tensor) -> Tensor:
    """The principal root of Σ_a Σ_b, whose eigenvalues are not negative though it is not symmetric."""
    values, vectors = torch.linalg.eig(product)
    return (vectors @ torch.diag(values.sqrt()) @ torch.linalg.inv(vectors)).real


def other_scores(logits: Tensor, p: Tensor, information: float) -> list:
    """What is not the classifier score: (value, message)."""
    marginal, classes = p.mean(0), p.shape[1]
    each = (torch.special.xlogy(p, p) - p * marginal.clamp(min=1e-300).log()).sum(1)
    one_hot = torch.nn.functional.one_hot(logits.argmax(1), classes).double()
    of_mean_logits = logits.mean(0).log_softmax(0)
    right = math.exp(information)
    entropy = -torch.special.xlogy(p, p).sum(1).mean()
    against_first = (torch.special.xlogy(p, p) - torch.special.xlogy(p, p[0])).sum(1).mean()
    added = "a small number is added, or probabilities are cut off, lest there be log 0. It moves the score."
    return [
        (score(logits), "that treats logits as probabilities. They want a softmax first."),
        (_score_of_any(logits.clamp(min=1e-12)), "that treats logits as probabilities. They want a softmax "
         "first."),
        (_score_of_any(logits.abs()), "that treats logits as probabilities. They want a softmax first."),
        (math.exp(min(information / math.log(2), 700)), "the KL is in *bits*: exp wants the natural "
         "logarithm."),
        *((number / torch.exp(entropy), f"there are always {number} classes in it, all alike. p(k) is the "
           "average of the rows, of as many classes as there are.") for number in (10, 1000)),
        (torch.exp(against_first), "p(k) is one image's row. It is the average of all rows."),
        *((torch.exp((marginal * (marginal.clamp(min=e).log() - p.clamp(min=e).log())).sum(1).mean()),
           "the KL is the other way round: KL(p(k | x) ‖ p(k)) averages under p(k | x).")
          for e in (1e-16, 1e-12, 1e-10, 1e-8)),
        *((torch.exp((torch.special.xlogy(p, p) - p * one_hot.mean(0).clamp(min=e).log()).sum(1).mean()),
           "p(k) is counted from the most probable classes, one vote for each image. It is the average of "
           "the *rows* p(k | x), in which what an image leaves open counts, too.")
          for e in (1e-300, 1e-16, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)),
        (torch.exp((torch.special.xlogy(one_hot, one_hot) - one_hot * marginal.clamp(min=1e-300).log())
                   .sum(1).mean()),
         "the most probable class alone speaks for an image. KL(p(k | x) ‖ p(k)) takes the whole p(k | x)."),
        (each.median().exp(), "the *median* of the KLs. Take their mean, then exp."),
        (each.max().exp(), "that is the largest KL of all images. Take their mean, then exp."),
        (torch.exp((p * (p - marginal)).sum(1).mean()), "the logarithms are missing in the KL: log p(k | x) "
         "− log p(k)."),
        (torch.exp((p - marginal).square().sum(1).mean()), "that is a squared difference. The score takes "
         "the KL divergence."),
        (each.exp().mean(), "first the mean of the KLs, then exp. You averaged the exponentials."),
        (each.exp().sum(), "first the mean of the KLs, then exp. You added up exponentials."),
        (score(one_hot.clamp(min=1e-300)), "that counts the most probable class only. The score takes the "
         "whole p(k | x): an image of which the classifier is not sure should count less."),
        (torch.exp((torch.special.xlogy(p, p).sum(1) - (p * of_mean_logits).sum(1)).mean()), "p(k) is the "
         "average of the *probabilities*, not the softmax of the average logits."),
        (p.amax(1).mean(), "that is how sure the classifier is on average. Where is the variety?"),
        (right / classes, "divided by the number of classes. The score runs from 1 to K."),
        ((right - 1) / (classes - 1), "scaled to run from 0 to 1. The score runs from 1 to K."),
        (right - 1, "1 is subtracted. The score of images that are all alike is 1."),
        (math.sqrt(right), "a root too many; or is that half of the KL?"),
        (math.log(1 + right), "a logarithm at the end. The score is the exponential itself."),
        (math.expm1(information), "1 is subtracted. The score of images that are all alike is 1."),
        *((score((logits / heat).softmax(1).clamp(min=1e-300)), "the logits are scaled before the softmax.")
          for heat in (0.5, 2.0, 10.0)),
        *((torch.exp((p * ((p + e).log() - (marginal + e).log())).sum(1).mean()), added)
          for e in (0.1, 1e-2, 1e-3, 1e-4)),
        *((score(p.clamp(min=e)), added) for e in (0.1, 1e-2, 1e-3, 1e-4)),
        *((torch.stack([score(part.clamp(min=1e-300)) for part in p.chunk(parts)]).mean(), "that averages "
        "the scores "
           "of parts of the set, as Salimans et al. do with ten. Here all images are one set.")
          for parts in (2, 3, 5, 10)),
    ]  # fmt: skip


def score(p: Tensor) -> Tensor:
    """exp E KL of rows that may be no probabilities; NaN stays NaN."""
    marginal = p.mean(0)
    return torch.exp((p * (p.log() - marginal.log())).sum(1).mean()).nan_to_num(-1.0, 1e300, -1.0)


def _score_of_any(rows: Tensor) -> Tensor:
    """exp E KL, where 0·log 0 is 0."""
    terms = torch.special.xlogy(rows, rows) - torch.special.xlogy(rows, rows.mean(0))
    return torch.exp(terms.sum(1).mean()).nan_to_num(-1.0, 1e300, -1.0)


def other_kernel_distances(x: Tensor, y: Tensor) -> list:
    """What is not KID's unbiased estimate: (value, message)."""
    n, m, d, least = len(x), len(y), x.shape[1], min(len(x), len(y))
    xx, yy, xy = (polynomial_kernel(*pair) for pair in ((x, x), (y, y), (x, y)))

    def inner(matrix):
        return (matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))

    right = inner(xx) + inner(yy) - 2 * xy.mean()
    halves = [side[: len(side) // 2 * 2].reshape(-1, 2, d).transpose(0, 1) for side in (x, y)]
    by_halves = sum(polynomial_kernel(*pair).mean() for pair in halves) - 2 * xy.mean()
    front = [side[: len(side) // 2] for side in (x, y)], [side[len(side) // 2 :] for side in (x, y)]
    by_front = sum(polynomial_kernel(*pair).mean() for pair in zip(*front, strict=True)) - 2 * xy.mean()
    unused = (
        "that is without bias, but compares only some of the pairs within a set. Take all that there are."
    )
    by_value = (
        "pairs are taken out by their *value*, and two samples that are equal go with them. Only the "
        "diagonal, a sample with itself, is to be left out."
    )
    with_diagonal = "`triu` keeps the diagonal, the samples with themselves: `triu(1)` begins beside it."
    centred = "the features are centred before the kernel. KID takes x·y/d of the features as they are."
    pooled, scaled = torch.cat([x, y]).mean(0), torch.cat([x, y]).std(0)
    one_side = "only one of the two diagonals is left out. Both sets are compared with themselves."
    means = (x.mean(0) - y.mean(0)).square()
    return [
        (
            inner(xx) + inner(yy) - 2 * (xy.sum() - xy.diagonal().sum()) / (n * m - least),
            "the diagonal of the *mixed* matrix is left out. There row i and column i are two different "
            "samples.",
        ),
        (
            inner(xx) + inner(yy) - 2 * (xy.sum() - xy.diagonal().sum()) / (n * (m - 1)),
            "the diagonal of the *mixed* matrix is left out. There row i and column i are two different "
            "samples.",
        ),
        (
            xx.triu(1).sum() / (n * (n - 1)) + yy.triu(1).sum() / (m * (m - 1)) - 2 * xy.mean(),
            "half of each square matrix is added up (`triu`), and divided by N(N − 1), which counts both "
            "halves.",
        ),
        (
            inner(xx) + (yy.sum() - yy.trace()) / (n * (n - 1)) - 2 * xy.mean(),
            "both sums are divided by N(N − 1). The second set has M samples.",
        ),
        (unbiased(x, y, lambda a, b: (a @ b.T / len(a) + 1) ** 3), "the kernel divides by d, the number of "
         "*features*; yours divides by the number of samples."),
        (unbiased(x, y, lambda a, b: (a @ b.T / n + 1) ** 3), "the kernel divides by d, the number of "
         "*features*; yours divides by the number of samples."),
        (unbiased(x, y, lambda a, b: ((a @ b.T + 1) / d) ** 3), "the 1 is divided by d, too: x·y/d + 1."),
        (unbiased(x[:least], y[:least], polynomial_kernel), "the larger set is cut to the size of the "
         "smaller. All samples count."),
        (by_halves, unused),
        (by_front, unused),
        (inner(xx) + yy.mean() - 2 * xy.mean(), one_side),
        (xx.mean() + inner(yy) - 2 * xy.mean(), one_side),
        (xx.sum() + yy.sum() - 2 * xy.sum(), "those are sums. Three *averages* are compared."),
        (xx.sum() - xx.trace() + yy.sum() - yy.trace() - 2 * xy.sum(), "those are sums. Three *averages* "
         "are compared."),
        *((_other_samples(xx, left_out(x)) + _other_samples(yy, left_out(y)) - 2 * xy.mean(), by_value)
          for left_out in (_equal_samples, _equal_kernels)),
        (
            (inner(xx) * n * (n - 1) / 2 + xx.trace()) / (n * (n + 1) / 2)
            + (inner(yy) * m * (m - 1) / 2 + yy.trace()) / (m * (m + 1) / 2)
            - 2 * xy.mean(),
            with_diagonal,
        ),
        (
            inner(xx) + inner(yy) + 2 * xx.trace() / (n * (n - 1)) + 2 * yy.trace() / (m * (m - 1))
            - 2 * xy.mean(),
            with_diagonal,
        ),
        (xx.triu().sum() / (n * (n - 1) / 2) + yy.triu().sum() / (m * (m - 1) / 2) - 2 * xy.mean(),
         with_diagonal),
        (xx.triu().mean() + yy.triu().mean() - 2 * xy.mean(), with_diagonal),
        *((unbiased(x - middle, y - middle, polynomial_kernel), centred)
          for middle in (pooled, x.mean(0), y.mean(0))),
        *((unbiased((x - middle) / scale, (y - middle) / scale, polynomial_kernel), "the features are "
           "standardised before the kernel. KID takes x·y/d of the features as they are.")
          for middle, scale in ((pooled, scaled), (x.mean(0), x.std(0)), (0, scaled), (0, x.std(0)))),
        *((unbiased(normalize(x), normalize(y), lambda a, b, plus=plus: (a @ b.T / d + plus) ** 3), "the "
           "features are divided by their lengths first. KID takes x·y/d of the features as they are.")
          for plus in (1, 0)),
        (unbiased(x, y, lambda a, b: -torch.cdist(a, b).square()), "those are squared distances. KID's "
         "kernel is a polynomial of the inner product."),
        (inner(xx) + inner(yy) - 2 * xy.median(), "the median of the mixed kernels. Take their mean."),
        (2 * xy.mean() - xx.mean() - yy.mean(), "the sign is turned, and each sample is compared with "
         "itself."),
        ((xx.sum() - xx.trace()) / (n * (n - 1)) - xy.mean(), "the fakes are not compared with each other: "
         "three averages, the mixed one twice."),
        ((yy.sum() - yy.trace()) / (m * (m - 1)) - xy.mean(), "the real ones are not compared with each "
         "other: three averages, the mixed one twice."),
        (unbiased(x - x.mean(0), y - y.mean(0), polynomial_kernel), "the features are centred, each set by "
         "its own mean: then the means can no longer differ."),
        *((unbiased(x, y, lambda a, b, power=power: (a @ b.T / d + 1) ** power), "the kernel's power is 3.")
          for power in (4, 5)),
        (unbiased(x, y, lambda a, b: a @ b.T), "that is the inner product alone; like that, only means are "
         "compared."),
        (unbiased(x, y, lambda a, b: a @ b.T / d), "the + 1 and the third power are missing; like that, "
         "only means are compared."),
        (means.sum(), "that is the distance of the means. Compare kernels."),
        (means.mean(), "that is the distance of the means. Compare kernels."),
        (unbiased(x, y, lambda a, b: (normalize(a) @ normalize(b).T + 1) ** 3), "that is the cosine of the "
         "features. KID takes x·y/d."),
        (unbiased(x, y, lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2))), "that is a Gaussian kernel. "
         "KID's is a polynomial."),
        (unbiased(x, y, lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2) / d)), "that is a Gaussian "
         "kernel. KID's is a polynomial."),
        (unbiased(x, y, torch.cdist), "those are distances. KID's kernel says how *alike* two samples are."),
        (inner(xx) + inner(yy) - 2 * xy.diagonal().mean(), "the mixed term holds only pairs with one index. "
         "Every real sample meets every fake one."),
        ((xx.sum() - xx.trace()) / n + (yy.sum() - yy.trace()) / m - 2 * xy.mean(), "divided by the number "
         "of samples. Without the diagonal N(N − 1) pairs are left."),
        ((xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean(), "1 is taken off "
         "for each sample. On the diagonal stands k(x, x), which is more than 1."),
        *((unbiased(x, y, lambda a, b, width=width: (a @ b.T / width + 1) ** 3), "the kernel always divides "
           f"by {width}; here d, the number of features, is another one.") for width in (64, 2048, 784)),
        (sum(sign * polynomial_kernel(one.mean(0, keepdim=True), other.mean(0, keepdim=True)).sum()
             for sign, one, other in ((1, x, x), (1, y, y), (-2, x, y))),
         "that compares the two *means* only. First the kernel of each pair, then the average."),
        (-unbiased(x, y, torch.cdist), "that is the energy distance. KID's kernel is a polynomial."),
        (right / 2, "half of what it should be."),
        (100 * right, "papers print it times 100 or 1000, but the function gives it as it is."),
        (
            (xx.sum() - xx.trace()) / (n**2 - 1) + (yy.sum() - yy.trace()) / (m**2 - 1) - 2 * xy.mean(),
            "divided by N² − 1. How many entries has a matrix without its diagonal?",
        ),
        (
            inner(xx) + inner(yy) - 2 * xy.sum() / (n * (m - 1)),
            "the mixed matrix has N·M entries, none of them to be left out.",
        ),
        (
            xx.mean() - xx.diagonal().mean() + yy.mean() - yy.diagonal().mean() - 2 * xy.mean(),
            "the *mean* of each diagonal is subtracted. Take the diagonals out of the sums, then divide by "
            "what is left.",
        ),
    ]  # fmt: skip


def _equal_samples(x: Tensor) -> Tensor:
    """Which rows are equal, the samples with themselves among them, (N, N)."""
    return (x[:, None] == x).all(2)


def _equal_kernels(x: Tensor) -> Tensor:
    """Where the kernel is as large as that of the row's sample with itself, (N, N)."""
    table = polynomial_kernel(x, x)
    return (table - table.diagonal()[:, None]).abs() < 1e-6 * table.diagonal()[:, None]


def _other_samples(table: Tensor, left_out: Tensor) -> Tensor:
    """The mean of the entries that are not left out; -1 where there are none."""
    return table[~left_out].mean().nan_to_num(-1.0)


def unbiased(x: Tensor, y: Tensor, kernel) -> Tensor:
    """MMD² with any kernel, without the diagonals."""
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    inner_x, inner_y = (xx.sum() - xx.trace()) / (n * (n - 1)), (yy.sum() - yy.trace()) / (m * (m - 1))
    return inner_x + inner_y - 2 * kernel(x, y).mean()


def mistaken_balls(real: Tensor, fake: Tensor, k: int) -> list:
    distances = pairwise_distances(real, fake)
    of_real, of_fake = ball_radii(real, k), ball_radii(fake, k)

    def both(radii_real, radii_fake):
        return torch.stack(
            [
                (distances <= radii_real[:, None]).any(0).double().mean(),
                (distances <= radii_fake[None, :]).any(1).double().mean(),
            ]
        )

    def self_counted(features):
        return ball_radii(features, k - 1) if k > 1 else torch.zeros(len(features))

    right = both(of_real, of_fake)
    one_more = both(*(ball_radii(side, k + 1) for side in (real, fake)))
    real_side = (distances <= of_real[:, None]).any(1).double().mean()
    fake_side = (distances <= of_fake[None, :]).any(0).double().mean()
    to_fake = distances.sort(1).values[:, k - 1]
    to_real = distances.sort(0).values[k - 1]
    inside = distances <= of_real[:, None]
    itself = (
        "the k nearest of a sample count the sample *itself*, at distance 0. Ask for the k-th of the others."
    )
    return [
        (
            torch.stack(
                [
                    (distances < of_real[:, None]).any(0).double().mean(),
                    (distances < of_fake[None, :]).any(1).double().mean(),
                ]
            ),
            "a sample that lies exactly on the edge of a ball is in it: ≤, not <.",
        ),
        (
            right.flip(0),
            "precision and recall are exchanged. Precision is a fraction of the *generated* samples.",
        ),
        (both(self_counted(real), self_counted(fake)), itself),
        (one_more, "that takes one neighbour too many: the k-th of the others is meant."),
        (both(of_real.square(), of_fake.square()), "distances and squared distances are mixed."),
        (both(of_real.sqrt(), of_fake.sqrt()), "distances and squared distances are mixed."),
        (
            torch.stack([right[0], real_side]),
            "that is recall by *real* balls (coverage). For recall, the balls lie "
            "around the generated samples.",
        ),
        (torch.stack([fake_side, right[1]]), "for precision the balls lie around the *real* samples."),
        (
            torch.stack([fake_side, real_side]),
            "each ball asks whether anything of the other set is in it. Ask each "
            "sample whether it is in any ball.",
        ),
        (
            torch.stack([real_side, fake_side]),
            "each ball asks whether anything of the other set is in it. Ask each "
            "sample whether it is in any ball.",
        ),
        (
            both(to_fake, to_real),
            "the radii are distances to the *other* set. A ball reaches to the k-th neighbour "
            "within its own.",
        ),
        (
            both(of_real.mean().expand(len(real)), of_fake.mean().expand(len(fake))),
            "one radius for all balls. Each has its own: large where its set is thin.",
        ),
        (
            both(of_real.max().expand(len(real)), of_fake.max().expand(len(fake))),
            "one radius for all balls. Each has its own: large where its set is thin.",
        ),
        (
            torch.stack([inside.double().sum(0).mean() / k, right[1]]),
            "that counts the balls (density). For precision, one ball is enough and two count no more.",
        ),
        (
            torch.stack(
                [inside.all(0).double().mean(), (distances <= of_fake[None, :]).all(1).double().mean()]
            ),
            "a sample need not be in *all* balls; one is enough.",
        ),
        *_other_balls(real, fake, k, distances, both, right),
        (1 - right, "those are the fractions *outside*."),
        (100 * right, "fractions between 0 and 1 are meant, not percent."),
        (
            right * torch.tensor([len(fake), len(real)]),
            "those are counts. Divide each by the number of samples asked.",
        ),
    ]


def to_nearest(queries: Tensor, training: Tensor, p: float = 2.0) -> Tensor:
    """The distance of each query to its nearest training vector, without the rounding of products."""
    differences = queries.double()[:, None] - training.double()[None]
    return differences.norm(p=p, dim=2).amin(dim=1)


def nearer(of_fake: Tensor, of_fresh: Tensor, ties: float = 0.5) -> Tensor:
    """Mann and Whitney's U, divided by the number of pairs."""
    table = (of_fake[:, None] < of_fresh).double() + ties * (of_fake[:, None] == of_fresh).double()
    return table.mean()


def mistaken_copying(fake: Tensor, fresh: Tensor, training: Tensor) -> list:
    of_fake, of_fresh = to_nearest(fake, training), to_nearest(fresh, training)
    right = nearer(of_fake, of_fresh)
    all_fake, all_fresh = pairwise_distances(fake, training), pairwise_distances(fresh, training)
    between = pairwise_distances(fake, fresh)
    others = [
        pairwise_distances(side, side).fill_diagonal_(torch.inf).amin(1) for side in (fake, fresh)
    ]  # within its own set, itself not counted
    ties = "where both are equally near, the pair counts *half*."
    wrong_way = (
        "the smallest is taken along the wrong axis: that is how near each *training* vector has a generated "
        "one. Each generated one looks up its nearest training vector."
    )
    one_number = (
        "the distances of each set are averaged first. Compare every generated vector with every fresh one, "
        "and average the answers."
    )
    few = min(len(fake), len(fresh))
    a, b = of_fake[:few], of_fresh[:few]
    only_partners = (
        "that compares vector i with vector i only. Take *all* pairs of a generated and a fresh one."
    )
    compared = [  # two rows of distances, and what is wrong with them
        ((to_nearest(training, fake), to_nearest(training, fresh)), wrong_way),
        (
            (all_fake.mean(1), all_fresh.mean(1)),
            "that is the *mean* distance to the training vectors. A copy is near to one of them only: "
            "take the nearest.",
        ),
        (
            (all_fake.amax(1), all_fresh.amax(1)),
            "that is the distance to the *farthest* training vector.",
        ),
        (
            (to_nearest(fake, training, 1.0), to_nearest(fresh, training, 1.0)),
            "that adds up |xᵢ − yᵢ| over the coordinates. Take the length of the difference.",
        ),
        (
            (between.amin(1), between.amin(0)),
            "those are distances between generated and fresh vectors: the training vectors never came in.",
        ),
        (
            (between.amin(1), of_fresh),
            "the generated vectors look up their nearest *fresh* one. What could they have copied?",
        ),
        (
            (of_fake, between.amin(0)),
            "the fresh vectors look up their nearest *generated* one. They, too, are held against the "
            "training set.",
        ),
        (others, "each set is compared with itself. Both are to be held against the training set."),
        (
            (of_fake, others[1]),
            "the fresh vectors look up each other. They, too, are held against the training set.",
        ),
        (
            (of_fake, torch.zeros(len(fresh))),
            "the fresh vectors are among those that are looked up, so that each finds *itself*, at distance "
            "0.",
        ),
        (
            (all_fake.kthvalue(2, dim=1).values, all_fresh.kthvalue(2, dim=1).values),
            "that is the *second* nearest training vector. No generated vector is in the training set by "
            "right: the nearest one counts.",
        ),
        (
            ((fake[:, None] - training).sum(2).amin(1), (fresh[:, None] - training).sum(2).amin(1)),
            "the differences of the coordinates are added up with their signs. A distance squares them "
            "first.",
        ),
        (
            (all_fake.argmin(1).double(), all_fresh.argmin(1).double()),
            "`argmin` says *which* training vector is nearest. How near is it?",
        ),
        (
            (to_nearest(fake, training, math.inf), to_nearest(fresh, training, math.inf)),
            "that takes the largest |xᵢ − yᵢ| of the coordinates. Take the length of the difference.",
        ),
        (
            tuple((1 - normalize(side) @ normalize(training).T).amin(1) for side in (fake, fresh)),
            "that compares directions (the cosine). Take the length of the difference.",
        ),
        (
            tuple(-(side @ training.T).amax(1) for side in (fake, fresh)),
            "an inner product is no distance: a long vector is not near to anything for that.",
        ),
        (
            tuple((side - training.mean(0)).norm(dim=1) for side in (fake, fresh)),
            "that is the distance to the *mean* of the training vectors. Take the nearest of them.",
        ),
        (
            tuple(side.median(1).values for side in (all_fake, all_fresh)),
            "that is the median distance to the training vectors. Take the nearest of them.",
        ),
        *(
            (
                tuple(side.sort(1).values[:, :some].mean(1) for side in (all_fake, all_fresh)),
                f"that averages over the {some} nearest training vectors. A copy is near to one: take the "
                f"nearest.",
            )
            for some in (2, 3, 5)
        ),
        (
            (
                to_nearest(fake, torch.cat([training, fresh])),
                to_nearest(fresh, torch.cat([training, fake])),
            ),
            "fresh and generated vectors are among those that are looked up. Only the training vectors may "
            "be copied.",
        ),
    ]
    in_order = (of_fake.sort().values[:few] < of_fresh.sort().values[:few]).double().mean()
    nearer_than_fresh = (of_fake[:, None] < between).all(1).double().mean()
    to_fresh, ranks = between.amin(1), torch.cat([of_fake, of_fresh]).argsort(stable=True).argsort() + 1.0
    by_ranks = ranks[len(fake) :].sum() - len(fresh) * (len(fresh) + 1) / 2
    less, more = ((of_fake[:, None] < of_fresh).sum(), (of_fake[:, None] > of_fresh).sum())
    against_fresh = (
        "that asks whether a generated vector is nearer to the training set than to the *fresh* "
        "vectors. Hold its distance to the training set against theirs."
    )
    return [
        (((of_fake < to_fresh).double() + (of_fake == to_fresh) / 2).mean(), against_fresh),
        (((to_fresh < of_fake).double() + (of_fake == to_fresh) / 2).mean(), against_fresh),
        (
            nearer(to_nearest(fake.unique(dim=0), training), to_nearest(fresh.unique(dim=0), training)),
            "equal vectors are thrown away first. A generator that repeats a copy repeats it: each counts.",
        ),
        (
            nearer(to_nearest(fake.unique(dim=0), training), of_fresh),
            "equal vectors are thrown away first. A generator that repeats a copy repeats it: each counts.",
        ),
        (
            nearer(of_fake.unique(), of_fresh.unique()),
            "equal distances are counted once. Each vector counts.",
        ),
        (
            (less / (less + more)).nan_to_num(-1.0),
            "pairs that are equally near are left out of the count. "
            "They count *half*, and stay among the pairs that are divided by.",
        ),
        (
            by_ranks / (len(fake) * len(fresh)),
            f"`argsort` breaks ties by their place in the list. {ties.capitalize()}",
        ),
        (nearer(of_fake, of_fresh, ties=0), ties),
        (nearer(of_fake, of_fresh, ties=1), ties),
        (1 - right, "that is the probability that the *fresh* one is nearer: the comparison is turned."),
        (nearer(of_fresh, of_fake, ties=0), f"the comparison is turned; and {ties}"),
        (len(fake) * len(fresh) * right, "that is a count of pairs. Divide by how many pairs there are."),
        (len(fake) * right, "that is a sum over the generated vectors; average over them, too."),
        (len(fresh) * right, "that is a sum over the fresh vectors; average over them, too."),
        (100 * right, "a fraction between 0 and 1 is meant, not percent."),
        (
            (of_fake == 0).double().mean(),
            "that counts exact copies only. A copy with a little noise on it is none the less one.",
        ),
        *((nearer(*rows, ties), message) for rows, message in compared for ties in (0.5, 0, 1)),
        ((of_fake < of_fresh.median()).double().mean(), "that compares with the *median* fresh vector only."),
        (
            (of_fake < of_fresh.mean()).double().mean(),
            "that compares with the fresh vectors' *average*. Compare with each of them.",
        ),
        (
            (of_fake < of_fresh.min()).double().mean(),
            "that compares with the nearest of the fresh ones only.",
        ),
        (of_fake.mean() / of_fresh.mean(), f"a ratio of two means is no probability: {one_number}"),
        (of_fake.mean() - of_fresh.mean(), f"a difference of two means is no probability: {one_number}"),
        ((of_fake.mean() < of_fresh.mean()).double(), one_number),
        ((of_fake.median() < of_fresh.median()).double(), one_number),
        (2 * right - 1, "that runs from −1 to 1, with 0 for honest samples. A probability is asked for."),
        (2 * (right - 0.5).abs(), "a probability is asked for: ½ for honest samples, 1 for copies."),
        (
            (of_fresh.mean() - of_fake.mean()) / of_fresh.std(),
            f"a difference of means in units of a spread is no probability: {one_number}",
        ),
        (
            nearer_than_fresh,
            "that asks whether a generated vector is nearer to the training set than to the *fresh* "
            "vectors. Hold its distance to the training set against theirs.",
        ),
        (
            (of_fake <= between.amin(1)).double().mean(),
            "that asks whether a generated vector is nearer to the training set than to the *fresh* "
            "vectors. Hold its distance to the training set against theirs.",
        ),
        (
            (all_fake.flatten()[:, None] < all_fresh.flatten()).double().mean(),
            "*all* distances are compared. First each vector's nearest training vector, then the pairs.",
        ),
        (in_order, "both lists of distances are sorted, and compared place by place. Take *all* pairs."),
        (
            (all_fake.min() < all_fresh.min()).double(),
            "only the very nearest of each set are compared. Compare every generated vector with every "
            "fresh one.",
        ),
        *(
            (
                (of_fake < of_fresh.quantile(level)).double().mean(),
                f"that compares with one quantile of the fresh ones ({level:g}). Compare with each of them.",
            )
            for level in (0.01, 0.05, 0.1, 0.25)
        ),
        (
            (of_fake[:, None] < of_fresh).any(1).double().mean(),
            "`any` asks whether some fresh vector is farther. Count *how many*: the mean over all pairs.",
        ),
        ((a < b).double().mean(), only_partners),
        ((a <= b).double().mean(), only_partners),
        (((a < b).double() + (a == b) / 2).mean(), only_partners),
    ]


REACH, SIGMA = 5, 1.5  # pixels: the window is 11×11, and its weights fall like a Gaussian


def _window(reach: int = REACH, sigma: float = SIGMA, power: int = 2) -> Tensor:
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-(steps.abs() ** power) / (2 * sigma**2))
    return torch.outer(weights, weights) / weights.sum() ** 2


def _leaning(middle: float) -> Tensor:
    """A window whose largest weight lies beside its middle."""
    weights = torch.exp(-((torch.arange(2 * REACH + 1, dtype=torch.float64) - middle) ** 2) / (2 * SIGMA**2))
    return torch.outer(weights, weights) / weights.sum() ** 2


def _of_whole(x: Tensor, y: Tensor) -> list[tuple[Tensor, ...]]:
    """Variances and covariance of whole images, (N, 1, 1, 1), and of all of them, with N or N − 1 below."""
    found = []
    for axes in ((1, 2, 3), (0, 1, 2, 3)):
        dx, dy = (side - side.mean(axes, keepdim=True) for side in (x, y))
        covariance = (dx * dy).mean(axes, keepdim=True)
        numbers = x.numel() // covariance.numel()
        for less, mixed in ((0, 0), (1, 0), (1, 1)):
            variances = (numbers / (numbers - less) * d.square().mean(axes, keepdim=True) for d in (dx, dy))
            found.append((*variances, numbers / (numbers - mixed) * covariance))
    return found


def _off_centre() -> Tensor:
    """A window whose weights begin with the largest: t = 0 … 10."""
    weights = torch.exp(-(torch.arange(2 * REACH + 1, dtype=torch.float64) ** 2) / (2 * SIGMA**2))
    return torch.outer(weights, weights) / weights.sum() ** 2


def _density() -> Tensor:
    """The normal density at t = −5 … 5, whose values add up to nearly 1."""
    weights = torch.exp(-(torch.arange(-REACH, REACH + 1, dtype=torch.float64) ** 2) / (2 * SIGMA**2))
    return torch.outer(weights, weights) / (2 * math.pi * SIGMA**2)


def _bright(images: Tensor) -> Tensor:
    return (images.double() + 1) / 2


def _ssim_parts(x: Tensor, y: Tensor, mean, correction: float = 1.0) -> tuple[Tensor, ...]:
    """μₓ, μᵧ, σₓ², σᵧ², σₓᵧ under any kind of local mean."""
    mean_x, mean_y = mean(x), mean(y)
    return (
        mean_x,
        mean_y,
        correction * (mean(x * x) - mean_x**2),
        correction * (mean(y * y) - mean_y**2),
        correction * (mean(x * y) - mean_x * mean_y),
    )


def _under(window: Tensor, padding: int = 0, stride: int = 1, mode: str = ""):
    def mean(maps: Tensor) -> Tensor:
        if mode:
            maps = F.pad(maps, [window.shape[1] // 2] * 2 + [window.shape[0] // 2] * 2, mode=mode)
        return F.conv2d(maps, window[None, None], padding=padding, stride=stride)

    return mean


C1, C2 = 0.01**2, 0.03**2


def mean_ssim(
    images: Tensor, targets: Tensor, mean=None, c=(C1, C2), to_bright=_bright, correction: float = 1.0
) -> Tensor:
    """SSIM, or with other parts than it has, what a mistake makes of it."""
    parts = _ssim_parts(to_bright(images), to_bright(targets), mean or _under(_window()), correction)
    mean_x, mean_y, variance_x, variance_y, covariance = parts
    likeness = (2 * mean_x * mean_y + c[0]) * (2 * covariance + c[1])
    return (likeness / ((mean_x**2 + mean_y**2 + c[0]) * (variance_x + variance_y + c[1]))).mean()


def mistaken_ssim(images: Tensor, targets: Tensor) -> list:
    def found(**changed):
        return mean_ssim(images, targets, **changed)

    def over(*axes):
        return lambda maps: maps.mean(axes, keepdim=True)

    def as_they_are(side):
        return side.double()

    x, y = _bright(images), _bright(targets)
    mean = _under(_window())
    mean_x, mean_y, variance_x, variance_y, covariance = _ssim_parts(x, y, mean)
    raw_x, raw_y, raw_xy = mean(x * x), mean(y * y), mean(x * y)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    pattern = (2 * covariance + C2) / (variance_x + variance_y + C2)
    right = (luminance * pattern).mean()
    uniform = torch.full((11, 11), 1 / 121, dtype=torch.float64)
    n = images[0].numel()
    window = "the window's weights fall from its middle like a Gaussian, e^(−t²/(2·1.5²)) along each axis"
    whole = "there is no window: mean, variance and covariance are *local*, under a window that slides"
    edges = "the window is taken beyond the images' edges (padding). It stays where all of it lies inside."
    formula = "look at the formula's"
    return [
        (found(mean=_under(uniform)), f"every pixel under your window weighs the same; {window}."),
        (found(mean=_under(uniform[:7, :7] * 121 / 49)), f"that is a 7×7 window of equal weights; {window}."),
        (
            found(mean=_under(uniform[:8, :8] * 121 / 64)),
            f"that is an 8×8 window of equal weights; {window}.",
        ),
        (found(mean=_under(_window(3))), "the window reaches 3 pixels to each side; 11×11 means 5."),
        (found(mean=_under(_window(sigma=math.sqrt(1.5)))), f"1.5 is σ, not σ²; {window}."),
        (found(mean=_under(_window(sigma=1.5 / math.sqrt(2)))), f"the 2 of 2σ² is missing; {window}."),
        (
            found(mean=_under(_window(sigma=math.sqrt(0.75)))),
            f"t² is divided by σ itself, where 2σ² belongs; {window}.",
        ),
        (found(mean=_under(_window(sigma=1.0))), f"σ is 1.5 pixels, not 1; {window}."),
        (found(mean=_under(_window(power=1))), f"the square of t is missing; {window}."),
        (
            found(mean=_under(_window() / _window().max())),
            "the window's weights do not add up to 1, so that its averages are none. Divide by their sum.",
        ),
        (
            found(mean=_under(_window().sum(0, keepdim=True))),
            "the window runs along one axis only; it has 11 rows and 11 columns.",
        ),
        (
            found(mean=_under(_window().sum(1, keepdim=True))),
            "the window runs along one axis only; it has 11 rows and 11 columns.",
        ),
        (found(mean=_under(_window(), padding=5)), edges),
        (found(mean=_under(_window(), mode="reflect")), edges),
        (found(mean=_under(_window(), mode="replicate")), edges),
        (found(mean=_under(_window(), stride=11)), "the windows lie side by side; yours should slide by 1."),
        (found(mean=over(1, 2, 3)), f"{whole}."),
        (found(mean=over(1, 2, 3), correction=n / (n - 1)), f"{whole}."),
        (found(mean=over(0, 1, 2, 3)), f"{whole}; and all pairs went into one."),
        (found(mean=over(0)), f"that averages over the images, place by place. Here {whole}."),
        (
            found(correction=121 / 120),
            "the variances are those of a sample, divided by 120 in place of 121. The weights add up to 1 "
            "already: take the plain weighted mean of the squared deviations.",
        ),
        (
            found(mean=_under(uniform), correction=121 / 120),
            f"the variances are those of a sample, and every pixel weighs the same; {window}.",
        ),
        (found(c=(0.01, 0.03)), "c₁ and c₂ are the *squares* of 0.01 and 0.03."),
        (found(c=(C2, C1)), "c₁ and c₂ are exchanged: the small one stands with the means."),
        (found(c=(1e-12, 1e-12)), "c₁ and c₂ are missing, or next to nothing."),
        (found(c=(4 * C1, 4 * C2)), "c₁ and c₂ are those of a range of 2; brightness runs from 0 to 1."),
        (
            found(c=(C1 * 255**2, C2 * 255**2)),
            "c₁ and c₂ are those of bytes, with a range of 255; brightness runs from 0 to 1.",
        ),
        (
            found(to_bright=as_they_are, c=(4 * C1, 4 * C2)),
            "the images lie in [−1, 1], where means may be negative, and are compared as if they were "
            "brightnesses. Make brightnesses from 0 to 1 of them first.",
        ),
        (
            found(to_bright=as_they_are),
            "the images lie in [−1, 1]. Make brightnesses from 0 to 1 of them first.",
        ),
        (
            found(to_bright=lambda side: side.double() + 1),
            "your brightnesses run from 0 to 2; halve them: c₁ and c₂ are for a range of 1.",
        ),
        (
            found(to_bright=lambda side: side.double().clamp(min=0)),
            "what lies below 0 is cut off. Shift and scale the images from [−1, 1] to [0, 1].",
        ),
        *(
            (
                found(mean=_under(torch.full((side, side), 1 / side**2, dtype=torch.float64))),
                f"that is a {side}×{side} window of equal weights; {window}.",
            )
            for side in (3, 5, 9)
        ),
        (
            found(mean=_under(uniform, padding=5)),
            f"{edges} And every pixel under it weighs the same; {window}.",
        ),
        *(
            (
                found(mean=_under(_window(reach))),
                f"the window has {2 * reach + 1}×{2 * reach + 1} pixels, not 11×11.",
            )
            for reach in (1, 2, 4, 6)
            if 2 * reach < min(images.shape[-2:])
        ),
        *(
            (found(mean=_under(_window(sigma=sigma))), f"σ is 1.5 pixels, not {sigma:g}.")
            for sigma in (0.5, 2.0, 3.0, 5.0)
        ),
        (
            found(mean=_under(_off_centre())),
            "the window's largest weight is at its edge: t runs from −5 to 5.",
        ),
        (
            found(mean=_under(_density())),
            "the weights do not quite add up to 1, as a density's do: divide by their sum.",
        ),
        *(
            (
                found(mean=_under(_leaning(middle))),
                "the window leans to one side: eleven weights, t = −5 … 5, "
                "have their middle at number 5, counted from 0.",
            )
            for middle in (5.5, 4.5, 6.0, 4.0)
        ),
        *(
            (
                (
                    luminance
                    * (2 * (variance_x * variance_y).clamp(min=0).sqrt() * sign + C2)
                    / (variance_x + variance_y + C2)
                ).mean(),
                "the product of the standard deviations stands above. There the *covariance* belongs: it "
                "knows whether the two patterns agree, and is negative for a negative.",
            )
            for sign in (1.0, covariance.sign())
        ),
        *(
            (
                (luminance * (2 * whole_xy + C2) / (whole_x + whole_y + C2)).mean(),
                "the means are local, the variances are those of the whole images. All are taken *under the "
                "window*.",
            )
            for whole_x, whole_y, whole_xy in _of_whole(x, y)
        ),
        *(
            (
                (
                    luminance
                    * (2 * mean((x - at_x) * (y - at_y)) + C2)
                    / (mean((x - at_x) ** 2) + mean((y - at_y) ** 2) + C2)
                ).mean(),
                "the deviations are taken from one mean of the whole image. Under each window they are taken "
                "from the window's *own* mean.",
            )
            for at_x, at_y in (
                (mean_x.mean(), mean_y.mean()),
                (x.mean(), y.mean()),
                *((x.mean(axes, keepdim=True), y.mean(axes, keepdim=True)) for axes in ((1, 2, 3),)),
                (mean_x.mean((1, 2, 3), keepdim=True), mean_y.mean((1, 2, 3), keepdim=True)),
            )
        ),
        (
            ((2 * x.mean() * y.mean() + C1) / (x.mean() ** 2 + y.mean() ** 2 + C1) * pattern).mean(),
            "the variances are local, the means are those of all pixels. All are taken *under the window*.",
        ),
        (
            (
                (2 * x.mean((1, 2, 3)) * y.mean((1, 2, 3)) + C1)
                / (x.mean((1, 2, 3)) ** 2 + y.mean((1, 2, 3)) ** 2 + C1)
                * pattern.mean((1, 2, 3))
            ).mean(),
            "the variances are local, the means are those of the whole images. All are taken *under the "
            "window*.",
        ),
        *(
            (
                found(
                    to_bright=lambda side, low=low, high=high: (
                        (side.double() - low(side)) / (high(side) - low(side)).clamp(min=1e-8)
                    )
                ),
                "each image is stretched to its own range. (x + 1)/2 "
                "is the same for all of them: a fainter image stays fainter.",
            )
            for low, high in (
                (
                    lambda side: side.double().amin((1, 2, 3), keepdim=True),
                    lambda side: side.double().amax((1, 2, 3), keepdim=True),
                ),
                (lambda side: side.double().amin(), lambda side: side.double().amax()),
            )
        ),
        *(
            (found(mean=_under(_window(), stride=step)), "the window slides by more than one pixel.")
            for step in (2, 4, 5)
        ),
        ((luminance * pattern).median(), "that is the median. Take the mean over all places and pairs."),
        ((luminance * pattern).min(), "that is the worst place. Take the mean over all places and pairs."),
        ((luminance * pattern).max(), "that is the best place. Take the mean over all places and pairs."),
        ((luminance * pattern).clamp(min=0).mean(), "SSIM may be negative at a place: leave it."),
        ((luminance * pattern).abs().mean(), "SSIM may be negative at a place: leave it."),
        (
            found(to_bright=lambda side: side.double().abs()),
            "black is −1, not 0: shift and scale the images, (x + 1)/2.",
        ),
        (
            found(to_bright=lambda side: (side.double() + 1) * 127.5),
            "brightnesses from 0 to 255 want c₁ and c₂ times 255².",
        ),
        *(
            (found(c=pair), "c₁ and c₂ are others: 0.01² and 0.03².")
            for pair in (
                (C1, C1),
                (C2, C2),
                (C1, 0.03),
                (0.01, C2),
                (0.02, 0.06),
                (C1, C2 / 2),
                (C1 / 2, C2 / 2),
                (2 * C1, 2 * C2),
            )
        ),
        (
            (luminance * (covariance + C2) / ((variance_x + variance_y) / 2 + C2)).mean(),
            "numerator and denominator are halved, and c₂ is not: 2σₓᵧ + c₂ over σₓ² + σᵧ² + c₂.",
        ),
        (
            ((2 * mean_x * mean_y + C1) * (2 * covariance + C2)).mean()
            / ((mean_x**2 + mean_y**2 + C1) * (variance_x + variance_y + C2)).mean(),
            "numerators and denominators are averaged first. Take the fraction at each place, then the mean.",
        ),
        (
            (
                luminance * (2 * covariance + C2) / (2 * (variance_x * variance_y).clamp(min=0).sqrt() + C2)
            ).mean(),
            "below stands the *sum* of the variances, not twice the product of the standard deviations.",
        ),
        (
            (luminance * (2 * covariance + C2) / (2 * variance_x + C2)).mean(),
            "only one of the two variances is in the denominator.",
        ),
        (
            (luminance * (2 * covariance + C2) / (2 * variance_y + C2)).mean(),
            "only one of the two variances is in the denominator.",
        ),
        (
            (luminance * (2 * covariance + C2) / (121 / 120 * (variance_x + variance_y) + C2)).mean(),
            "the variances are those of a sample, and the covariance is not. Take plain weighted means.",
        ),
        (
            (luminance * (2 * raw_xy + C2) / (raw_x + raw_y + C2)).mean(),
            "σ² and σₓᵧ are of *deviations*: subtract the square of the mean, and the product of the means.",
        ),
        (
            (luminance * (2 * raw_xy + C2) / (variance_x + variance_y + C2)).mean(),
            "σₓᵧ is of deviations: subtract the product of the means.",
        ),
        (
            (luminance * (2 * covariance + C2) / (raw_x + raw_y + C2)).mean(),
            "σ² is of deviations: subtract the square of the mean.",
        ),
        (
            (
                luminance
                * (2 * covariance + C2)
                / (variance_x.clamp(min=0).sqrt() + variance_y.clamp(min=0).sqrt() + C2)
            ).mean(),
            "standard deviations stand where the formula has variances: their *squares*.",
        ),
        (
            ((mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1) * pattern).mean(),
            f"{formula} first factor: the means count twice, 2μₓμᵧ. Of equal images it should be 1.",
        ),
        (
            (luminance * (covariance + C2) / (variance_x + variance_y + C2)).mean(),
            f"{formula} second factor: the covariance counts twice, 2σₓᵧ. Of equal images it should be 1.",
        ),
        (
            ((2 * mean_x * mean_y + C1) / (mean_x + mean_y + C1) * pattern).mean(),
            f"{formula} denominator: the means are *squared* there.",
        ),
        (luminance.mean(), "that compares brightness only: the factor of contrast and pattern is missing."),
        (pattern.mean(), "that compares contrast and pattern only: the factor of brightness is missing."),
        (((luminance + pattern) / 2).mean(), "the two factors are averaged; multiply them, place by place."),
        ((luminance + pattern).mean(), "the two factors are added; multiply them, place by place."),
        (luminance.mean() * pattern.mean(), "first the product at each place, then the mean."),
        (
            (
                luminance * covariance.abs() / (variance_x * variance_y).clamp(min=0).sqrt().clamp(min=1e-12)
            ).mean(),
            "that is the correlation; SSIM has a sum of variances below, not a product.",
        ),
        (1 - right, "that is 1 − SSIM, a *dis*similarity."),
        ((1 - right) / 2, "that is (1 − SSIM)/2, a *dis*similarity."),
        ((luminance * pattern).sum(), "that is the sum over all places and pairs; average."),
        ((luminance * pattern).sum() / len(images), "that is summed over the places; average over them."),
        ((luminance * pattern).mean() * len(images), "that is summed over the pairs; average over them."),
        ((x - y).square().mean(), "that is the mean squared error."),
        ((images - targets).double().square().mean(), "that is the mean squared error."),
    ]


def errors_of(targets: Tensor) -> Tensor:
    """The mean squared error of each of the images to all of them."""
    return (targets[:, None] - targets[None]).square().mean((1, 2, 3, 4))


def _beyond_twins(among: Tensor, k: int) -> Tensor:
    """The distance to the k-th neighbour of those that are not at distance 0."""
    return torch.where(among > 0, among, math.inf).sort(1).values[:, k - 1]


def _of_distinct(real: Tensor, fake: Tensor, k: int) -> Tensor:
    """Precision and recall of sets from which equal samples may be gone; -1 where too few are left."""
    if min(len(real), len(fake)) <= k:
        return -torch.ones(2)
    between = pairwise_distances(real, fake)
    inside = between <= ball_radii(real, k)[:, None], between <= ball_radii(fake, k)[None]
    return torch.stack([inside[0].any(0).double().mean(), inside[1].any(1).double().mean()])


def _other_balls(real: Tensor, fake: Tensor, k: int, distances: Tensor, both, right: Tensor) -> list:
    """Precision and recall with other balls than those to the k-th nearest neighbour: (pair, message)."""
    among_real, among_fake = pairwise_distances(real, real), pairwise_distances(fake, fake)
    order_real, order_fake = among_real.sort(1).values, among_fake.sort(1).values
    of_real, of_fake = order_real[:, k], order_fake[:, k]
    inside_real, inside_fake = distances <= of_real[:, None], distances <= of_fake[None]
    to_fake, to_real = distances.amin(0), distances.amin(1)
    together, size = torch.cat([real, fake]), min(len(real), len(fake))
    exact = (together[:, None] - together).norm(dim=2)  # one rounding for both: a radius ends at a sample
    merged = exact.sort(1).values[:, k]
    held = inside_real & inside_fake
    across = of_real[None] if len(real) == len(fake) else of_real[:, None]
    across_fake = of_fake[:, None] if len(real) == len(fake) else of_fake[None]
    apart = [_beyond_twins(side, k) for side in (among_real, among_fake)]
    columns = (
        "with equally many samples of both kinds the radii run along the wrong axis: ball i has the radius "
        "of ball j. `radii[:, None]` makes a column of them."
    )
    in_all = [pairwise_distances(side, together).sort(1).values[:, k] for side in (real, fake)]
    manhattan, farthest = (
        [torch.cdist(one, other, p=p) for one, other in ((real, fake), (real, real), (fake, fake))]
        for p in (1.0, math.inf)
    )

    def pair(precision, recall):
        return torch.stack([precision.double().mean(), recall.double().mean()])

    def by(table, radii_real, radii_fake):
        return pair((table <= radii_real[:, None]).any(0), (table <= radii_fake[None]).any(1))

    def measured(tables):
        return by(tables[0], tables[1].sort(1).values[:, k], tables[2].sort(1).values[:, k])

    column, least = (min(k, len(real) - 1), min(k, len(fake) - 1)), min(len(real), len(fake))
    fixed = "k is not the one that is handed in."
    return [
        (
            both(*apart),
            "every distance of 0 is left out, and with it the twins of a sample. Only the sample *itself* is "
            "no neighbour: a generator that repeats an image has balls of radius 0.",
        ),
        *((_of_distinct(*sides, k), "equal samples are thrown away first. A generator that repeats an image "
        "has "
           "to pay for it: every sample counts.")
          for sides in ((real.unique(dim=0), fake.unique(dim=0)), (real, fake.unique(dim=0)),
                        (real.unique(dim=0), fake))),
        (pair(held.any(0), held.any(1)), "both balls are asked at once. Precision asks the real samples' "
         "balls alone, recall those of the fakes."),
        (by(exact[: len(real), len(real) :], merged[: len(real)], merged[len(real) :]), "the neighbours are "
         "looked for in both sets together. A ball reaches to the k-th neighbour within its *own* set."),
        (pair((distances <= across).any(0), (distances <= across_fake).any(1)), columns),
        (pair((distances <= across).any(0), inside_fake.any(1)), columns),
        (pair(inside_real.any(0), (distances <= across_fake).any(1)), columns),
        (pair(inside_real.sum(0) >= k, inside_fake.sum(1) >= k), "a sample need not lie in k balls: one is "
         "enough."),
        (pair(inside_real.sum(0) > 1, inside_fake.sum(1) > 1), "a sample need not lie in two balls: one is "
         "enough."),
        (
            pair(inside_real[:size, :size].diagonal(), inside_fake[:size, :size].diagonal()),
            "sample i is held against sample i alone. Each fake is to be asked about the balls of *all* real "
            "samples.",
        ),
        *(
            (both(order_real[:, min(other, len(real) - 1)], order_fake[:, min(other, len(fake) - 1)]), fixed)
            for other in (1, 2, 3, 5)
        ),
        *(
            (both(order_real[:, other], order_fake[:, other]) if least > other else right, fixed)
            for other in (1, 2, 3, 5)
        ),
        (
            both(among_real[:, column[0]], among_fake[:, column[1]]),
            "the distances are not sorted: column k belongs to sample number k, not to the k-th nearest.",
        ),
        (
            both(among_real[:, column[0] - 1], among_fake[:, column[1] - 1]),
            "the distances are not sorted: column k belongs to sample number k, not to the k-th nearest.",
        ),
        (
            both(order_real[:, 1 : k + 1].mean(1), order_fake[:, 1 : k + 1].mean(1)),
            "the radius is the *mean* of the distances to the k nearest. It reaches to the k-th itself.",
        ),
        (
            both(order_real[:, :k].mean(1), order_fake[:, :k].mean(1)),
            "the radius is the mean of the distances to the k nearest, the sample itself among them. It "
            "reaches to the k-th of the others.",
        ),
        (both(order_real[:, : k + 1].sum(1), order_fake[:, : k + 1].sum(1)), "the radius is the *sum* of the "
         "distances to the k nearest. It reaches to the k-th itself."),
        (torch.stack([right[0], 1 - right[0]]), "recall is not 1 − precision: it asks the *real* samples "
         "whether they are in the fakes' balls."),
        (right * torch.tensor([len(fake) / len(real), 1.0]), "the precision's count is divided by the number "
         "of *real* samples. The fakes are asked: divide by theirs."),
        (right * torch.tensor([1.0, len(real) / len(fake)]), "the recall's count is divided by the number of "
         "*generated* samples. The reals are asked: divide by theirs."),
        (both(order_real[:, -k], order_fake[:, -k]), "those are the k *farthest* neighbours."),
        (both(order_real[:, -1], order_fake[:, -1]), "those are the *farthest* neighbours."),
        (both(of_real / 2, of_fake / 2), "the radii are halved: a radius is the whole distance to the "
         "neighbour."),
        (both(2 * of_real, 2 * of_fake), "the radii are doubled: a radius is the distance to the neighbour."),
        (both(of_real.median().expand(len(real)), of_fake.median().expand(len(fake))), "one radius for all "
         "balls. Each has its own: large where its set is thin."),
        (measured(manhattan), "that adds up |xᵢ − yᵢ| over the features. Distances are Euclidean."),
        (measured(farthest), "that takes the largest |xᵢ − yᵢ|. Distances are Euclidean."),
        (
            pair(inside_real, inside_fake),
            "that is the fraction of all *pairs*. A sample is in or out: `any` over the balls first, then "
            "the mean.",
        ),
        (
            pair(to_fake <= of_real[distances.argmin(0)], to_real <= of_fake[distances.argmin(1)]),
            "only the ball of the *nearest* sample is asked. A sample may be in a larger one farther away.",
        ),
        (
            pair(to_fake <= of_fake, to_real <= of_real),
            "each sample's *own* ball is asked. Precision asks the balls of the real samples, recall those "
            "of the fakes.",
        ),
        (both(of_fake.median().expand(len(real)), of_real.median().expand(len(fake))), "one radius for all "
         "balls."),
        (
            right * torch.tensor([len(fake) / len(real), len(real) / len(fake)]),
            "each count is divided by the size of the *other* set. Precision is a fraction of the fakes, "
            "recall one of the real samples.",
        ),
        (both(*in_all), "the neighbours are searched in both sets together. A ball reaches to the k-th "
         "neighbour within its own set."),
        (torch.stack([2 * right.prod() / right.sum().clamp(min=1e-12), right[1]]), "that is the F-score of "
         "the two, in the place of the precision."),
        (right[[0, 0]], "that is the precision, twice. Recall asks the real samples about the fakes' balls."),
        (right[[1, 1]], "that is the recall, twice. Precision asks the fakes about the real balls."),
        (
            torch.stack([inside_real.double().sum(0).mean() / k, inside_real.any(1).double().mean()]),
            "those are density and coverage, which come later. Precision and recall are asked for.",
        ),
        (
            pair(inside_real.any(), inside_fake.any()),
            "that asks whether *any* sample is in a ball. `any` runs along one axis only, then comes the "
            "mean.",
        ),
        (1 - pair(inside_real.any(1), inside_fake.any(0)), "those are the fractions of *empty* balls."),
    ]  # fmt: skip


def other_limits(n: Tensor, y: Tensor) -> list:
    """What is not the limit of the straight line over 1/N: (value, message)."""
    x = 1 / n
    slope, intercept = fitted(x, y)
    swapped_slope, swapped = fitted(y, x)
    weighted = "that is a weighted fit, in which sizes count differently. Least squares, each size alike."
    exchanged = (
        "x and y are exchanged in the fit, so that the sizes, not the distances, are taken for uncertain."
    )
    last = n.argsort()[-2:]
    ends = n.argsort()[[0, -1]]
    firsts = n.argsort()[:2]
    richardson = (n[last[1]] * y[last[1]] - n[last[0]] * y[last[0]]) / (n[last[1]] - n[last[0]])
    return [
        (fitted(n.log(), y)[1], "the line runs over log N. The bias falls like 1/N."),
        (fitted(1 / (n - 1), y)[1], "the line runs over 1/(N − 1). Take 1/N."),
        *((fitted(x[:few], y[:few])[1], f"only the first {few} points are used. Take all that are handed in.")
          for few in (3, 4)),
        (fitted(x**2, y)[1], "the line runs over 1/N². The bias falls like 1/N."),
        (slope + intercept, "that is the line where 1/N is 1: at *one* sample. Where is it 0?"),
        (intercept + slope * x.min(), "that is the line at the largest size. Where is 1/N equal to 0?"),
        (intercept + slope * x.max(), "that is the line at the smallest size. Where is 1/N equal to 0?"),
        (intercept + slope * x.mean(), "that is the line in the middle of the sizes. Where is 1/N equal to "
         "0?"),
        *(
            (_polynomial(x, y, degree), f"that is a polynomial of degree {degree}. The law is a straight "
             f"line.")
            for degree in (2, 3)
        ),
        (fitted(n, n * y)[0], weighted),
        (_weighted(x, y, n**2), weighted),
        (_weighted(x, y, n), weighted),
        (_weighted(x, y, 1 / n), weighted),
        (fitted(x[last], y[last])[1], "that line runs through two of the points only. Use all of them."),
        *((fitted(x[two], y[two])[1], "that line runs through two of the points only, in order of size. Use "
           "all of them: each has its own noise.") for two in (ends, firsts)),
        (richardson, "that line runs through the two largest sizes only. Use all of them."),
        (torch.stack([fitted(x[[i, j]], y[[i, j]])[1] for i in range(len(x)) for j in range(i)]).mean(),
         "that averages the lines through pairs of points. Least squares fits one line to all."),
        (torch.stack([fitted(x[[i, j]], y[[i, j]])[1] for i in range(len(x)) for j in range(i)]).median(),
         "that is the median of the lines through pairs of points. Least squares fits one line to all."),
        (fitted(x[:2], y[:2])[1], "that line runs through two of the points only. Use all of them."),
        (fitted(x[-2:], y[-2:])[1], "that line runs through two of the points only. Use all of them."),
        (swapped, exchanged),
        (-swapped / swapped_slope, exchanged),
        (1 / swapped_slope, exchanged),
        (fitted(n.log(), y.abs().log())[1].exp(), "that is a power law, fitted to logarithms. The law is d∞ "
         "+ b/N."),
        (fitted(n, y.abs().log())[1].exp(), "that is an exponential, fitted to logarithms. The law is d∞ + "
         "b/N."),
        (y[-1], "that is the last distance of the list, which is still too large."),
        (y[0], "that is the first distance of the list, which is still too large."),
        (2 * y[-1] - y[-2], "the last step is taken once more. Fit a line over 1/N to all points."),
        *((fitted(n, y)[1] + fitted(n, y)[0] * far, "the line runs over N, and was followed far out. It "
        "leaves for −∞.")
          for far in (1e4, 1e5, 1e6, 1e9)),
        ((y - slope * x).min(), "that takes the lowest point without its bias. The fit's intercept uses all "
         "of them."),
        (y.min() - slope * x.max(), "that takes the bias of one size from the distance of another."),
    ]  # fmt: skip


def _polynomial(x: Tensor, y: Tensor, degree: int) -> Tensor:
    """The value at 0 of the least-squares polynomial; of lower degree where there are too few points."""
    powers = x[:, None] ** torch.arange(min(degree, len(x) - 1) + 1)
    return torch.linalg.lstsq(powers, y[:, None]).solution[0, 0]


def _weighted(x: Tensor, y: Tensor, weights: Tensor) -> Tensor:
    """The intercept of the weighted least-squares line."""
    columns = torch.stack([torch.ones_like(x), x], dim=1) * weights.sqrt()[:, None]
    return torch.linalg.lstsq(columns, (y * weights.sqrt())[:, None]).solution[0, 0]


def fitted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return slope, y.mean() - slope * x.mean()


def mistaken_density(real: Tensor, fake: Tensor, k: int) -> list:
    distances = pairwise_distances(real, fake)
    radii = ball_radii(real, k)[:, None]

    def both(inside):
        return torch.stack([inside.double().sum(0).mean() / k, inside.any(1).double().mean()])

    def pair(density, coverage):
        return torch.stack([density, coverage])

    inside = distances <= radii
    around_fakes = distances <= ball_radii(fake, k)[None, :]
    fewer = ball_radii(real, k - 1)[:, None] if k > 1 else torch.zeros(len(real), 1)
    right = both(inside)
    density, coverage = right
    precision = inside.any(0).double().mean()
    balls = "the balls lie around the *real* samples only; those around fakes are what strays can blow up."
    return [
        (both(distances < radii), "a sample that lies exactly on the edge of a ball is in it: ≤, not <."),
        (both(distances > radii), "that counts the fakes *outside* the balls: the comparison is turned."),
        (right.flip(0), "density and coverage are exchanged: density comes first."),
        (
            both(distances <= fewer),
            "the k nearest of a sample count the sample *itself*, at distance 0. Ask for the k-th of the "
            "others.",
        ),
        (
            both(distances <= ball_radii(real, k + 1)[:, None]),
            "that takes one neighbour too many: the k-th of the others is meant.",
        ),
        (both(around_fakes), balls),
        (both(around_fakes.T), balls),
        (pair(density, around_fakes.any(1).double().mean()), f"that is recall, not coverage: {balls}"),
        (pair(density * k, coverage), "the density is not divided by k."),
        (pair(density / k, coverage), "the density is divided by k twice."),
        (pair(density, coverage / k), "only the density is divided by k."),
        (right * torch.tensor([k, 1 / k]), "the *density* is divided by k, not the coverage."),
        (
            pair(density, precision),
            "`any` runs along the wrong axis: that is precision, a fraction of the fakes. Coverage is a "
            "fraction of the *balls*.",
        ),
        (
            pair(inside.double().sum(1).mean() / k, coverage),
            "that averages over the balls how many fakes each holds. Density averages over the *fakes* how "
            "many balls each lies in.",
        ),
        (
            pair(inside.double().sum(1).mean() / k, precision),
            "both axes are exchanged: rows are the real balls, columns the fakes.",
        ),
        (
            pair(precision, coverage),
            "that is precision: whether a fake lies in a ball. Density counts in *how many*.",
        ),
        (
            pair(precision / k, coverage),
            "that asks whether a fake lies in a ball. Density counts in *how many*.",
        ),
        (
            pair(inside.double().mean() / k, coverage),
            "that density is averaged over the balls, too. Sum over the balls, average over the fakes.",
        ),
        (
            pair(inside.double().sum() / k, coverage),
            "that density is a sum over all fakes; average over them.",
        ),
        (pair(density, inside.all(1).double().mean()), "a ball need not hold *all* fakes; one is enough."),
        (pair(density, inside.any(1).double().sum()), "that coverage is a count. Divide by how many balls."),
        (pair(density.clamp(max=1), coverage), "a density may exceed 1: leave it as it is."),
        (pair(density, 1 - coverage), "that is the fraction of balls that are *empty*."),
        (100 * right, "fractions are meant, not percent."),
        (both(distances <= radii.square()), "distances and squared distances are mixed."),
        *_other_densities(real, fake, k, distances, radii[:, 0], both),
        (both(distances <= radii.mean()), "one radius for all balls. Each real sample has its own."),
        (both(distances <= radii.max()), "one radius for all balls. Each real sample has its own."),
    ]


def _other_densities(real: Tensor, fake: Tensor, k: int, distances: Tensor, radii: Tensor, both) -> list:
    """Density and coverage with other balls or other averages: (pair, message)."""
    among = pairwise_distances(real, real)
    order = among.sort(1).values
    inside = distances <= radii[:, None]
    density, coverage = both(inside)
    balls_of_each = inside.double().sum(0)

    def pair(first, second):
        return torch.stack([first.double().mean(), second.double().mean()])

    def of(some_radii):
        return both(distances <= some_radii[:, None])

    nearest, hit = distances.argmin(0), distances.amin(0) <= radii[distances.argmin(0)]
    covered = torch.zeros(len(real), dtype=torch.bool)
    covered[nearest[hit]] = True
    exact = (real[:, None] - torch.cat([real, fake])).norm(dim=2)  # one rounding: a radius ends at a sample
    merged = exact.sort(1).values[:, k, None]
    in_both = inside & (distances <= ball_radii(fake, k)[None])
    manhattan = torch.cdist(real, fake, p=1) <= torch.cdist(real, real, p=1).sort(1).values[:, k, None]
    unsorted = "the distances are not sorted: column k belongs to sample number k, not to the k-th nearest."
    only_nearest = "a fake covers only the ball of its *nearest* real sample in yours. It may lie in several."
    return [
        (
            of(_beyond_twins(among, k)),
            "every distance of 0 is left out, and with it the twins of a sample. Only the sample *itself* is "
            "no neighbour: real samples that are equal have balls of radius 0.",
        ),
        (pair((balls_of_each / k).clamp(max=1), coverage), "a fake's density is cut off at 1. A fake in more "
         "than k balls counts more than 1: leave it."),
        (pair(density, covered), only_nearest),
        (pair(hit.double() / k, covered), only_nearest),
        (pair(hit.double() / k, coverage), only_nearest),
        (both(exact[:, len(real) :] <= merged), "the neighbours are looked for in both sets together. A "
         "ball reaches to the k-th neighbour among the *real* samples."),
        (both(in_both), "the fakes' balls are asked as well. Both ask the *real* samples' balls alone."),
        (pair(balls_of_each / len(real), coverage), "the density is divided by the number of balls. Divide "
         "by k."),
        (pair(density, (inside.sum(1) / k).clamp(max=1)), "coverage counts fakes, up to k. A ball is covered "
         "or not: one fake is enough."),
        *(
            (of(order[:, min(other, len(real) - 1)]) * torch.tensor([k / other, 1]), "k is not the one "
             "handed in.")
            for other in (1, 2, 3, 5)
        ),
        (of(among[:, k]), unsorted),
        (of(among[:, k - 1]), unsorted),
        (of(order[:, 1 : k + 1].mean(1)), "the radius is the *mean* of the distances to the k nearest. It "
         "reaches to the k-th itself."),
        (of(order[:, :k].mean(1)), "the radius is the mean of the distances to the k nearest, the sample "
         "itself among them. It reaches to the k-th of the others."),
        (of(order[:, -k]), "those are the k *farthest* neighbours."),
        (of(order[:, -1]), "those are the *farthest* neighbours."),
        (of(radii / 2), "the radii are halved: a radius is the whole distance to the neighbour."),
        (of(radii.square()), "distances and squared distances are mixed."),
        (of(radii.sqrt()), "distances and squared distances are mixed."),
        (of(distances.sort(1).values[:, min(k, len(fake)) - 1]), "the radii are distances to the *fakes*. A "
         "ball reaches to the k-th neighbour among the real samples."),
        (both(manhattan), "that adds up |xᵢ − yᵢ| over the features. Distances are Euclidean."),
        (pair(k * density / len(real), coverage), "the density is divided by the number of balls. Divide by "
         "k."),
        (pair(k * density / (k + 1), coverage), "the density is divided by k + 1."),
        (pair(k * density / (k - 1) if k > 1 else density, coverage), "the density is divided by k − 1."),
        (pair(balls_of_each.max() / k, coverage), "that is the fake in the most balls. Average over the "
         "fakes."),
        (pair(balls_of_each.median() / k, coverage), "that is the median fake. Average over the fakes."),
        (pair(density, inside.sum(1) >= k), "a ball is covered if it holds *one* fake; yours wants k."),
        (pair(density, inside.sum(1) > 1), "a ball is covered if it holds *one* fake; yours wants two."),
        (pair(density, inside.any(1).double().sum() / len(fake)), "the covered balls are divided by the "
         "number of fakes. Coverage is a fraction of the *balls*."),
        (pair(density, inside.double().mean()), "that is the fraction of all pairs. A ball is covered or "
         "not: `any` first, then the mean."),
        (pair(density, inside.double().sum(1).mean()), "that is how many fakes a ball holds on average. A "
         "ball is covered or not."),
        (pair(density, inside.any()), "that asks whether *any* ball is covered. `any` runs along the fakes "
         "only."),
        (
            pair((distances.amin(0) <= radii[distances.argmin(0)]).double().mean() / k, coverage),
            "only the ball of the *nearest* real sample is asked. Density counts all balls that a fake lies "
            "in.",
        ),
        (torch.stack([density, density]), "that is the density, twice."),
        (torch.stack([coverage, coverage]), "that is the coverage, twice."),
    ]  # fmt: skip


def wilson(errors: int, answers: int, z: float) -> Tensor:
    """The roots of (p̂ − p)² = z²·p(1 − p)/n  (Wilson 1927)."""
    p, n = errors / answers, answers
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return torch.tensor([middle - half, middle + half]).double() / (1 + z**2 / n)


def mistaken_limits(errors: int, answers: int, z: float) -> list:
    from scipy import stats  # imported here: it takes longer than the check

    p, n, zz = errors / answers, answers, z**2
    right = wilson(errors, answers, z)

    def pair(middle, half, scale=1.0):
        return torch.tensor([middle - half, middle + half]).double() / scale

    def root(inside):
        return math.sqrt(max(inside, 0.0))

    spread, inner = root(p * (1 - p) / n), root(p * (1 - p) / n + zz / (4 * n**2))
    more = (errors + zz / 2) / (n + zz)  # Agresti and Coull's fraction
    plus_four = (errors + 2) / (n + 4)
    tail = stats.norm.sf(z)
    exact = [
        stats.beta.ppf(tail, errors, n - errors + 1) if errors else 0.0,
        stats.beta.isf(tail, errors + 1, n - errors) if errors < n else 1.0,
    ]
    jeffreys = [
        stats.beta.ppf(tail, errors + 0.5, n - errors + 0.5),
        stats.beta.isf(tail, errors + 0.5, n - errors + 0.5),
    ]
    familiar = (
        "that is the familiar interval, which takes the spread at p̂. It says ±0 where nobody was wrong. "
        "Here the spread is that of the *p* in question: solve for p."
    )
    scale = 1 + zz / n
    middle = p + zz / (2 * n)
    return [
        (right.flip(0), "the limits are in the wrong order: the lower one first."),
        (pair(p, z * spread), familiar),
        (pair(p, z * spread).clamp(0, 1), f"cut off at 0 and 1, {familiar}"),
        (pair(p, z * root(p * (1 - p) / (n - 1))) if n > 1 else right, familiar),
        (
            pair(p, z * root(0.25 / n)),
            "that takes the largest spread that there is, at p = ½. The spread is that of the *p* in "
            "question.",
        ),
        (pair(p + z / (2 * n), z * inner, scale), "in the middle of the two stands z²/2n, not z/2n."),
        (pair(middle, z * root(p * (1 - p) / n + z / (4 * n**2)), scale), "under the root stands z², not z."),
        (pair(middle, z * inner, 1 + z / n), "divide by 1 + z²/n: z² is missing its square."),
        (
            pair(p + z / (2 * n), z * root(p * (1 - p) / n + z / (4 * n**2)), 1 + z / n),
            "z stands where z² belongs. When |p̂ − p| = z·√… is squared, z is, too.",
        ),
        (pair(middle, zz * inner, scale), "the half width has z, not z², before the root."),
        (pair(middle, inner, scale), "the half width lacks its z."),
        (pair(middle, z * inner), "the division by 1 + z²/n is missing: the factor of p² in the equation."),
        (pair(middle / scale, z * inner), "only the middle is divided by 1 + z²/n; the half width is, too."),
        (pair(middle, z * inner / scale), "only the half width is divided by 1 + z²/n; the middle is, too."),
        (pair(p, z * inner, 1.0), "the middle is not p̂: the equation's roots lie nearer to ½."),
        (pair(p, z * inner / scale), "the middle is not p̂: the equation's roots lie nearer to ½."),
        (pair(p + zz / n, z * inner, scale), "in the middle stands z²/2n: the 2 is missing."),
        (
            pair(middle, z * root(p * (1 - p) / n + zz / n**2), scale),
            "under the root stands z²/4n²: the 4 is missing.",
        ),
        (
            pair(middle, z * root(p * (1 - p) / n + zz / (2 * n**2)), scale),
            "under the root stands z²/4n², not z²/2n².",
        ),
        (
            pair(middle, z * root(p * (1 - p) / n + zz / (4 * n)), scale),
            "under the root stands z²/4n², with the square of n.",
        ),
        (pair(middle, z * spread, scale), "under the root z²/4n² is missing: then ±0 where nobody was "
         "wrong."),
        (pair(middle, z * inner**2, scale), "the root is missing."),
        (
            pair(middle, z * root(p * (1 - p) + zz / (4 * n**2)), scale),
            "the variance of a fraction is p(1 − p)/n: the n is missing under the root.",
        ),
        (pair(more, z * root(more * (1 - more) / (n + zz))), "that is Agresti and Coull's approximation: the "
         "familiar interval around Wilson's middle. Solve the equation itself."),
        (pair(plus_four, z * root(plus_four * (1 - plus_four) / (n + 4))), "that is the rule of adding two "
         "errors and two right answers, an approximation for z = 2. Solve the equation itself."),
        (pair(more, z * root(p * (1 - p) / (n + zz))), "the middle is right, and the half width is the "
         "familiar one."),
        (torch.tensor(exact), "that is Clopper and Pearson's interval, from the binomial distribution "
         "itself. Here the equation is asked for."),
        (torch.tensor(jeffreys), "that is Jeffreys' interval. Here the equation is asked for."),
        *_other_intervals(errors, answers, z, pair, right),
        (wilson(errors, answers, 1.96), "z is always 1.96: take the one that is handed in."),
        (wilson(errors, answers, 2.0), "z is always 2: take the one that is handed in."),
        (1 - right.flip(0), "those are the limits of the fraction of *right* answers."),
        (1 - right, "those are the limits of the fraction of *right* answers, the larger one first."),
        (n * right, "those are counts. Limits of the error *rate* are asked for."),
        (100 * right, "fractions between 0 and 1 are meant, not percent."),
        (
            torch.tensor([right.mean(), (right[1] - right[0]) / 2]),
            "that is the middle and the half width; return the two limits.",
        ),
        (
            wilson(errors // answers, 1, z) if errors < answers else right,
            "`errors // answers` is an integer; divide with one slash.",
        ),
    ]  # fmt: skip


def _wilson_of(errors: float, answers: float, z: float) -> Tensor:
    """`wilson`, for numbers that may be no counts."""
    return _wilson_around(errors / answers, answers, z)


def _wilson_around(p: float, n: float, z: float) -> Tensor:
    middle, half = p + z**2 / (2 * n), z * math.sqrt(max(p * (1 - p) / n + z**2 / (4 * n**2), 0.0))
    return torch.tensor([middle - half, middle + half]).double() / (1 + z**2 / n)


def _by_turns(p: float, n: int, z: float, rounds: int) -> Tensor:
    """p̂ ± z·√(p(1 − p)/n), with the limit itself under the root, and again."""
    low = high = p
    for _ in range(rounds):
        low = p - z * math.sqrt(max(low * (1 - low), 0.0) / n)
        high = p + z * math.sqrt(max(high * (1 - high), 0.0) / n)
    return torch.tensor([low, high]).double()


def _other_intervals(errors: int, answers: int, z: float, pair, right: Tensor) -> list:
    """What is not Wilson's interval: (pair, message)."""
    from scipy import stats  # imported here: it takes longer than the check

    p, n, zz = errors / answers, answers, z**2
    spread, inner = math.sqrt(p * (1 - p) / n), math.sqrt(p * (1 - p) / n + zz / (4 * n**2))
    scale, middle = 1 + zz / n, p + zz / (2 * n)
    laplace = (errors + 1) / (n + 2)
    minus = math.sqrt(max(p * (1 - p) / n - zz / (4 * n**2), 0.0))
    corrected = stats.binomtest(errors, answers).proportion_ci(1 - 2 * stats.norm.sf(z), "wilsoncc")
    turns = (
        "the limit is put under the root, and that a few times over: not there yet, and for no errors it "
        "stays at 0. The equation is quadratic: solve it."
    )
    smoothed = (
        "the errors are smoothed before the formula, so that limits are drawn to ½ twice. Take p̂ itself."
    )
    signs = "look at the signs of the quadratic equation: p²(1 + z²/n) − p(2p̂ + z²/n) + p̂² = 0."
    return [
        *((_by_turns(p, n, z, rounds), turns) for rounds in (2, 3, 4, 5, 10, 20, 50)),
        *((_wilson_of(errors + more, answers + (2 * more if below else 0), z), smoothed)
          for more in (0.5, 1, 2, zz / 2) for below in (True, False)),
        *((_wilson_around((errors + more) / (answers + 2 * more), answers, z), smoothed)
          for more in (0.5, 1, 2, zz / 2)),
        (torch.tensor([corrected.low, corrected.high]), "that has a correction for continuity. Solve the "
         "equation as it is."),
        (pair(p, z * spread**2), "the root is missing; and the spread is taken at p̂."),
        (pair(p, z * math.sqrt(p * (1 - p)) / n), "the n stands outside of the root; and the spread is "
         "taken at p̂."),
        (pair(p, z * math.sqrt(p * (1 - p))), "the n is missing: a fraction of many answers spreads less."),
        (pair(laplace, z * math.sqrt(laplace * (1 - laplace) / (n + 2))), "that adds one error and one "
         "right answer, and takes the familiar interval. Solve the equation itself."),
        (pair(laplace, z * math.sqrt(laplace * (1 - laplace) / n)), "that adds one error and one right "
         "answer, and takes the familiar interval. Solve the equation itself."),
        (pair(p - zz / (2 * n), z * inner, scale), signs),
        (pair(middle, z * inner, abs(1 - zz / n) or 1.0), signs),
        (pair(middle, z * inner, 1 - zz / n if n != zz else 1.0), signs),
        (pair(middle, z * minus, scale), signs),
        (pair(middle, z * inner, 1 + 2 * zz / n), "the middle and the half width are divided by 1 + z²/n, "
         "once."),
        (pair(middle, z * inner, scale**2), "the middle and the half width are divided by 1 + z²/n, once."),
        (pair(middle, 2 * z * inner, scale), "the half width is twice as large: is the 2 of the quadratic "
         "formula's denominator missing?"),
        (pair(middle, z * inner / 2, scale), "the half width is halved."),
        *((wilson(errors, answers, other), "z is another one than was handed in.")
          for other in (z / 2, 2 * z, zz, math.sqrt(z), 1.645, 2.576, 1.0)),
        *((right.clamp(low, 1 - low), "the limits are cut off. Error rates run from 0 to 1.")
          for low in (0.01, 0.05, 0.1)),
        *((pair(p, z * math.sqrt(p * (1 - p) / n)).clamp(low, 1 - low), "that is the familiar interval, cut "
        "off.")
          for low in (1e-3, 0.01, 0.05)),
    ]  # fmt: skip
