"""The exercises of notebook 09: metrics of generators, and what they do and do not see."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from course_utils.checks import (
    Wrong,
    as_tensor,
    call_unchanged,
    choose,
    exercise,
    expect_close,
    expect_shape,
    matches,
    shown,
)
from course_utils.metrics import (
    classifier_score,
    density_coverage,
    feature_statistics,
    kernel_distance,
    polynomial_kernel,
    precision_recall,
)
from course_utils.metrics.frechet import square_root
from course_utils.metrics.neighbours import ball_radii, pairwise_distances


def _normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def _tell(found, right, mistakes, name, tolerance=1e-3) -> None:
    """Raise Wrong unless found is right; `mistakes`: pairs of another value and what to say to it."""
    if matches(found, right, tolerance=tolerance):
        return
    for value, message in mistakes:
        if matches(found, value, tolerance=tolerance) and not matches(value, right, tolerance=tolerance):
            raise Wrong(message)
    expect_close(found, right, name=name, tolerance=tolerance)


def _tell_all(cases, ask, name: str, tolerance: float = 1e-3) -> None:
    """`_tell` for several cases at once: a mistake is named only if it explains all of them.

    Args:
        cases: argument tuples.
        ask: (*case) -> (found, right, mistakes), the mistakes in the same order for every case.
    """
    asked: list[tuple] = []

    def all_right() -> bool:
        return all(matches(found, right, tolerance=tolerance) for found, right, _ in asked)

    for case in cases:
        try:
            asked.append(ask(*case))
        except Exception:
            if all_right():
                raise
            break  # what is wrong so far comes first
    if all_right():
        return
    for place, (_, message) in enumerate(asked[0][2]):
        values = [(found, right, mistakes[place][0]) for found, right, mistakes in asked]
        if all(matches(found, value, tolerance=tolerance) for found, _, value in values) and not all(
            matches(value, right, tolerance=tolerance) for _, right, value in values
        ):
            raise Wrong(message)
    for found, right, _ in asked:
        expect_close(found, right, name=name, tolerance=tolerance)


def _number(result, name: str) -> Tensor:
    found = as_tensor(result, name)
    expect_shape(
        found,
        (),
        name,
        f"{name} is one number; yours has shape {tuple(found.shape)}. What is left to average?",
    )
    return found


@exercise(
    "9.1",
    title="Move one heap onto the other",
    difficulty=2,
    minutes=8,
    hints=[
        "Take two points of each heap, on paper: who should go where? Can paths that cross ever be the "
        "cheapest?",
        "If no paths cross, the smallest goes to the smallest, the second to the second, …",
        "`torch.sort(a).values` is `a` in order. The cost of one move is the *square* of its length.",
    ],
)
def transport_cost(answer):
    cases = [
        (torch.tensor([0.0, 10.0, 2.0, 5.0]), torch.tensor([4.0, 11.0, 1.0, 2.5])),
        (_normal(40, 1, 0)[:, 0], 2 * _normal(40, 1, 1)[:, 0] + 1),
        (_normal(7, 1, 2)[:, 0] - 5, _normal(7, 1, 3)[:, 0]),
    ]

    def ask(a, b):
        found = _number(call_unchanged(answer, a, b, name="transport_cost"), "the cost")
        ordered_a, ordered_b = a.sort().values, b.sort().values
        moves = ordered_a - ordered_b
        mistakes = [
            (
                (a - b).square().mean(),
                "that moves each point to whichever happens to stand at its place in the list. "
                "There is a cheaper way to pair them.",
            ),
            (
                moves.abs().mean(),
                "that averages the lengths of the moves; the cost of a move is its *square*.",
            ),
            (moves.square().sum(), "that is the sum over all points; divide by how many there are."),
            (moves.square().mean().sqrt(), "a root too many: the cost is the mean of the squares itself."),
            (
                (a.mean() - b.mean()).square(),
                "that moves only the heap's middle. Two heaps with one middle and two "
                "widths would cost nothing.",
            ),
            (
                (a[:, None] - b[None, :]).square().mean(),
                "that averages over *all* pairs, as if each point went "
                "everywhere. Each point goes to one place.",
            ),
            (
                (a[:, None] - b[None, :]).square().amin(1).mean(),
                "that lets every point take the nearest place, even "
                "if another has taken it. Each place is to be filled once.",
            ),
            (
                (ordered_a - ordered_b.flip(0)).square().mean(),
                "that pairs the smallest with the largest: the dearest way of all.",
            ),
            (
                (a.mean() - b.mean()).square() + (a.std() - b.std()).square(),
                "that is the formula for two *normal* distributions, which looks at means and spreads only. "
                "These heaps have shapes of their own: move their points.",
            ),
            (
                (a.mean() - b.mean()).square() + (a.std(correction=0) - b.std(correction=0)).square(),
                "that is the formula for two *normal* distributions, which looks at means and spreads only. "
                "These heaps have shapes of their own: move their points.",
            ),
            (
                moves.square().sum() / (len(a) - 1),
                "the sum is divided by N − 1: that is for a variance. Here it is a plain mean over N points.",
            ),
            (
                moves.var(correction=0),
                "that is the *variance* of the moves: their mean is taken off, so that a heap that is only "
                "shifted costs nothing.",
            ),
            (
                moves.var(),
                "that is the *variance* of the moves: their mean is taken off, so that a heap that is only "
                "shifted costs nothing.",
            ),
            (moves.square().median(), "that is the *median* of the costs. Take their mean."),
            (
                _greedy(a, b),
                "that lets the points choose in turn, each the nearest place that is left: the last ones pay "
                "for it. Look for the way that is cheapest for all together.",
            ),
            (
                (a.argsort() - b.argsort()).double().square().mean(),
                "those are differences of *indices*, not of places: `torch.sort` returns values and indices.",
            ),
            (moves.square().trunc().mean(), "the costs are cut to whole numbers before the mean."),
            (moves.square().round().mean(), "the costs are rounded to whole numbers before the mean."),
            (moves.square().max(), "that is the dearest move alone; average over all."),
            ((ordered_a - b).square().mean(), "only one of the two is in order."),
            ((a - ordered_b).square().mean(), "only one of the two is in order."),
        ]
        return found, moves.square().mean(), mistakes

    _tell_all(cases, ask, "the cost", tolerance=1e-4)
    return "smallest to smallest: paths that cross are never cheaper."


def _greedy(a: Tensor, b: Tensor) -> float:
    """The mean cost where each point of `a`, in the order of the list, takes the nearest place left."""
    left, cost = b.tolist(), 0.0
    for point in a.tolist():
        place = min(left, key=lambda one: abs(one - point))
        left.remove(place)
        cost += (place - point) ** 2
    return cost / len(a)


@exercise(
    "9.2",
    title="The Fréchet distance of two sets of features",
    difficulty=2,
    minutes=15,
    hints=[
        "Three pieces: the means' squared distance, the two traces, and twice the trace of the root.",
        "`torch.cov` wants one *feature* a row, so that it needs the transpose of the features.",
        "The product Σ_a Σ_b is not symmetric. Σ_a^½ Σ_b Σ_a^½ is, and has the same eigenvalues: the "
        "trace of its root is the sum of the roots of `torch.linalg.eigvalsh(...)`; clamp what rounding "
        "made negative.",
    ],
)
def frechet(answer):
    cases = []
    for seed, n, m, d in ((0, 30, 40, 4), (1, 12, 12, 3), (2, 25, 60, 6), (3, 5, 40, 8)):
        cases.append((_normal(n, d, seed) @ _normal(d, d, 10 + seed), _normal(m, d, 20 + seed) + 0.7))
    cases.append((_normal(10, 40, 4), _normal(120, 40, 5)))  # 31 eigenvalues of 0

    def ask(real, fake):
        try:
            result = call_unchanged(answer, real, fake, name="frechet")
        except RuntimeError as error:
            if "must match" in str(error) or "shapes cannot be multiplied" in str(error):
                raise Wrong(
                    "two matrices do not fit together. Is the covariance (d, d), one row for each *feature*? "
                    "`torch.cov` takes features as rows: hand it the transpose."
                ) from None
            raise
        if len(real) <= real.shape[1] and math.isnan(float(result)):
            raise Wrong(
                "with fewer samples than features, the distance is NaN. Some eigenvalue is 0 then, and "
                "rounding puts it a little below: set what is negative to 0 before the root."
            )
        found = _number(result, "the distance")
        a, b = feature_statistics(real), feature_statistics(fake)
        n, m = len(real), len(fake)
        means = (a.mean - b.mean).square().sum()
        traces = a.covariance.trace() + b.covariance.trace()
        root_a, root_b = square_root(a.covariance), square_root(b.covariance)
        overlap = torch.linalg.svdvals(root_a @ root_b).sum()
        right = means + traces - 2 * overlap
        population = torch.linalg.svdvals(root_a @ root_b).sum() * math.sqrt((n - 1) / n * (m - 1) / m)
        product = a.covariance @ b.covariance
        entrywise = (a.covariance * b.covariance).abs().sqrt().trace()
        product_of_singular = torch.linalg.svdvals(product).sqrt().sum()
        separate = (torch.linalg.eigvalsh(a.covariance) * torch.linalg.eigvalsh(b.covariance)).clamp(min=0)
        moments_a, moments_b = real.double().T @ real.double(), fake.double().T @ fake.double()
        mistakes = [
            (
                means
                + a.covariance.trace() * (n - 1) / n
                + b.covariance.trace() * (m - 1) / m
                - 2 * population,
                "the covariances are divided by N. Divide by N − 1, as `torch.cov` does: with N they come "
                "out too small, the more so the fewer samples there are.",
            ),
            (
                means + traces - 2 * torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum(),
                "`eigvalsh` takes its matrix for symmetric, and Σ_a Σ_b is not: it looks at one half only.",
            ),
            (means + traces - overlap, "the root's trace counts twice: −2·tr(…)."),
            (means + traces, "the last term is missing: −2·tr (Σ_a Σ_b)^½."),
            (
                means,
                "those are the means only. Two sets with one mean and two spreads would be at distance 0.",
            ),
            (traces - 2 * overlap, "the means are missing."),
            (means.sqrt() + traces - 2 * overlap, "the distance of the means wants its *square*."),
            (right.clamp(min=0).sqrt(), "a root too many: papers report the squared distance."),
            (
                means + traces - 2 * product.trace(),
                "the root is missing: the trace of Σ_a Σ_b itself was taken.",
            ),
            (
                means + traces - 2 * product.trace().sqrt(),
                "the root of the trace is not the trace of the root: first "
                "the root of each eigenvalue, then the sum.",
            ),
            (
                means + traces - 2 * entrywise,
                "that uses the variances of single features only, as if no two were correlated; a root of "
                "each *entry* does that. The root of a matrix is the matrix that gives it when multiplied by "
                "itself.",
            ),
            (
                means + traces - 2 * product.abs().sqrt().trace(),
                "that takes the root of each *entry*. The root of a "
                "matrix is the matrix that gives it when multiplied by itself.",
            ),
            (
                means + (root_a - root_b).square().sum(),
                "that is |Σ_a^½ − Σ_b^½|², right only where the two "
                "covariances commute, such as diagonal ones. These do not.",
            ),
            (
                means + (a.covariance + b.covariance - 2 * square_root_of_product(product)).sum(),
                "that sums over the whole matrices. A trace sums the diagonal only.",
            ),
            (means + traces + 2 * overlap, "the sign of the last term is turned: −2·tr (Σ_a Σ_b)^½."),
            (
                (a.mean.mean() - b.mean.mean()).square() + traces - 2 * overlap,
                "the means are single numbers: the mean over the samples, `mean(0)`, has one a *feature*.",
            ),
            (
                means + traces - 2 * separate.sqrt().sum(),
                "that multiplies the sorted eigenvalues of the two covariances, as if both had the same "
                "axes. Take the eigenvalues of the *product* of the matrices.",
            ),
            (
                means + traces - 2 * product_of_singular,
                "those are the *singular values* of Σ_a Σ_b. It is not symmetric, so its eigenvalues are "
                "others: the root's trace is the sum of the roots of the eigenvalues.",
            ),
            *(
                (
                    _of_first(real, fake, few),
                    f"only the first {few} features are used. Take all of them, however many there are.",
                )
                for few in (2, 3, 10, 16)
            ),
            *(
                (
                    means + _spread_term(moments_a / count_a, moments_b / count_b),
                    "the covariances are not centred: subtract each set's mean before you multiply.",
                )
                for count_a, count_b in ((n - 1, m - 1), (n, m))
            ),
            (
                means + _spread_term(a.covariance, b.covariance * (m - 1) / (n - 1)),
                "both covariances are divided by the *first* set's N − 1. The second has its own number.",
            ),
            (
                means + _spread_term(a.covariance * (n - 1) / (m - 1), b.covariance),
                "both covariances are divided by the *second* set's M − 1. The first has its own number.",
            ),
            (
                means + (a.covariance - b.covariance).square().sum(),
                "that is the squared difference of the covariances, entry by entry. It is in another unit "
                "than the means: the formula has tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½).",
            ),
            (
                (a.mean - b.mean).square().mean() + traces - 2 * overlap,
                "the squared distance of the means is a *sum* over the features, not their mean.",
            ),
        ]
        return found, right, mistakes

    _tell_all(cases, ask, "the distance")
    _expect_double(answer, *cases[-1])
    return "the distance that every paper reports, in whatever features you hand it."


def _spread_term(a: Tensor, b: Tensor) -> Tensor:
    """tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½)."""
    return a.trace() + b.trace() - 2 * torch.linalg.svdvals(square_root(a) @ square_root(b)).sum()


def _of_first(real: Tensor, fake: Tensor, few: int) -> Tensor:
    """The distance by the first few features."""
    a, b = feature_statistics(real[:, :few]), feature_statistics(fake[:, :few])
    return (a.mean - b.mean).square().sum() + _spread_term(a.covariance, b.covariance)


def _expect_double(answer, real: Tensor, fake: Tensor) -> None:
    """With many eigenvalues of 0 float32 is off by their number times the root of its rounding."""
    a, b = feature_statistics(real), feature_statistics(fake)
    right = (a.mean - b.mean).square().sum() + _spread_term(a.covariance, b.covariance)
    found = as_tensor(call_unchanged(answer, real, fake, name="frechet"), "the distance")
    if not (found - right).abs() <= 2e-5 * (a.covariance.trace() + b.covariance.trace()):
        raise Wrong(
            "right to three digits only: with more features than samples it is off by "
            f"{(found - right).abs().item():.2g}. An eigenvalue of 0 comes out as 10⁻⁷ in float32, and its "
            "root as 3·10⁻⁴, once for each. Convert the *features* to float64."
        )


def square_root_of_product(product: Tensor) -> Tensor:
    """The principal root of Σ_a Σ_b, whose eigenvalues are not negative though it is not symmetric."""
    values, vectors = torch.linalg.eig(product)
    return (vectors @ torch.diag(values.sqrt()) @ torch.linalg.inv(vectors)).real


@exercise(
    "9.3",
    title="The classifier score",
    difficulty=2,
    minutes=10,
    hints=[
        "Logits are no probabilities yet. Which function makes them, and along which axis?",
        "p(k) is the average of the rows. KL(p(k | x) ‖ p(k)) is a sum over the classes, one number for "
        "each image.",
        "`log_softmax` gives log p(k | x) without ever taking the logarithm of 0. At the end: mean, then "
        "exp.",
    ],
)
def score_of_logits(answer):
    cases = [2 * _normal(50, 5, 0), 3 * _normal(30, 10, 1) + torch.arange(10.0) / 3]
    sure = torch.full((12, 4), -300.0)
    sure[torch.arange(12), torch.arange(12) % 3] = 300.0  # one-hot after softmax: 0·log 0

    def ask(logits):
        result = call_unchanged(answer, logits, name="score_of_logits")
        if isinstance(result, Tensor) and result.isnan().any():
            raise Wrong(
                "with a classifier that is entirely sure, your score is NaN: 0·log 0. Where a probability "
                "is 0 its term is 0; `log_softmax` or `torch.special.xlogy` see to that."
                if logits is sure
                else "the score is NaN: a logarithm of something negative? Logits want a softmax first."
            )
        found = _number(result, "the score")
        p = logits.double().softmax(1)
        marginal = p.mean(0)
        information = math.log(classifier_score(logits))
        information_of_each = torch.special.xlogy(p, p).sum(1) - torch.special.xlogy(p, marginal).sum(1)
        mean_entropy = -torch.special.xlogy(p, p).sum(1).mean()
        entropy_of_mean = -torch.special.xlogy(marginal, marginal).sum()
        certain = F.one_hot(logits.argmax(1), p.shape[1]).double()
        columns = logits.double().softmax(0)
        sigmoids = logits.double().sigmoid()
        turned = [  # by what keeps the logarithms finite
            (marginal * (marginal.clamp(min=tiny).log() - p.clamp(min=tiny).log())).sum(1).mean()
            for tiny in (1e-30, 1e-16, 1e-12, 1e-10, 1e-8)
        ]
        even = math.log(p.shape[1])
        mistakes = [
            (information, "that is the mean of the KLs; the score is its *exponential*."),
            (-information, "the sign is turned, and the exponential is missing."),
            (math.exp(-information), "the sign of the logarithms' difference is turned: this is 1 / score."),
            (
                torch.exp(entropy_of_mean),
                "that is exp of the entropy of the *mean* only: it rewards variety, and "
                "does not ask whether single images are clear.",
            ),
            (
                torch.exp(mean_entropy),
                "that is exp of the mean of the *entropies*: small for clear images. The score "
                "compares it with the entropy of the mean.",
            ),
            (
                torch.exp(mean_entropy - entropy_of_mean),
                "the two entropies are exchanged: this is 1 / score.",
            ),
            (torch.exp(mean_entropy + entropy_of_mean), "the two entropies are to be subtracted."),
            (math.exp(information / p.shape[1]), "the KL is a *sum* over the classes, not their mean."),
            (
                math.exp(min(information * len(p), 700)),
                "the KLs are to be averaged over the images, not summed.",
            ),
            (2**information, "exp with the natural logarithm: 2 to the power of it was taken."),
            (
                torch.exp(even - mean_entropy),
                "that compares with all classes alike. p(k) is the average of the rows: "
                "which classes the images really fall into.",
            ),
            *(
                (
                    torch.exp(reversed_kl),
                    "the KL is the other way round: KL(p(k | x) ‖ p(k)) averages log p(k | x) − "
                    "log p(k) under p(k | x).",
                )
                for reversed_kl in turned
            ),
            (
                _score(columns),
                "the softmax runs over the images. It belongs along the classes, the second axis.",
            ),
            (
                _score(columns.T),
                "the softmax runs over the images. It belongs along the classes, the second axis.",
            ),
            (_score(p.T), "rows and columns are exchanged: an image is a row."),
            (_score(sigmoids), "sigmoids do not add up to 1. Several classes want a softmax."),
            (_score(p.log_softmax(1).exp()), "softmax was taken twice."),
            (
                torch.exp(information_of_each).mean(),
                "exp comes before the mean. First average the KLs over the images, then take exp.",
            ),
            (
                math.exp(min(information / math.log(2), 700)),
                "the KL is in *bits*: exp wants the natural logarithm.",
            ),
            (
                _against(p, logits.double().mean(0).softmax(0)),
                "p(k) is the softmax of the mean *logits*. Average the probabilities.",
            ),
            (
                _against(p, p[0]),
                "p(k) is one image's row. It is the average of all rows.",
            ),
            (
                _against(certain, certain.mean(0)),
                "`argmax` makes every image a sure one. The classifier's probabilities say how clear it is.",
            ),
            (
                10 / torch.exp(mean_entropy),
                "the number of classes is always 10 in it, and each as frequent as any other. p(k) is the "
                "average of the rows, of as many classes as there are.",
            ),
            *(
                (
                    torch.exp((p * ((p + e).log() - (marginal + e).log())).sum(1).mean()),
                    f"a small number, about {e:g}, is added inside the logarithms, and it tells in the "
                    "score. `log_softmax` or `torch.special.xlogy` need none.",
                )
                for e in (0.1, 1e-2, 1e-3)
            ),
            *(
                (_score(one), "that treats logits as probabilities. They want a softmax first.")
                for one in (logits.double(), logits.double().clamp(min=1e-12), logits.double().abs())
            ),
        ]
        return found, math.exp(information), mistakes

    _tell_all([(logits,) for logits in [*cases, sure]], ask, "the score")
    return "between 1 and the number of classes, and the real images never came in."


def _against(p: Tensor, marginal: Tensor) -> Tensor:
    """exp E KL(p(k | x) ‖ another p(k))."""
    return torch.exp((torch.special.xlogy(p, p) - torch.special.xlogy(p, marginal)).sum(1).mean())


def _score(p: Tensor) -> Tensor:
    """exp E KL of rows that may be no probabilities; NaN stays NaN."""
    marginal = p.mean(0)
    return torch.exp((p * (p.log() - marginal.log())).sum(1).mean()).nan_to_num(-1.0, 1e300, -1.0)


@exercise(
    "9.4",
    title="The kernel distance, without bias",
    difficulty=3,
    minutes=20,
    hints=[
        "Three kernel matrices: real with real, fake with fake, real with fake.",
        "E k(x, x′) is over two *different* samples. What stands on the diagonal of the first matrix?",
        "Sum of a matrix without its diagonal: `K.sum() - K.trace()`. How many entries is that?",
    ],
)
def kernel_distance_of(answer):
    cases = [
        (_normal(12, 4, 0), _normal(12, 4, 1) + 0.8),
        (_normal(9, 7, 2) - 0.5, 1.5 * _normal(20, 7, 3)),
        (_normal(30, 3, 4), _normal(15, 3, 5)),
    ]

    def ask(real, fake):
        found = _number(call_unchanged(answer, real, fake, name="kernel_distance_of"), "the distance")
        right = kernel_distance(real, fake)
        x, y = real.double(), fake.double()
        n, m, d = len(x), len(y), x.shape[1]

        xx, yy, xy = (polynomial_kernel(*pair) for pair in ((x, x), (y, y), (x, y)))
        inner_x, inner_y = (xx.sum() - xx.trace()) / (n * (n - 1)), (yy.sum() - yy.trace()) / (m * (m - 1))
        short = (xx.sum() - xx.trace()) / n**2 + (yy.sum() - yy.trace()) / m**2 - 2 * xy.mean()
        long = xx.sum() / (n * (n - 1)) + yy.sum() / (m * (m - 1)) - 2 * xy.mean()
        few = min(n, m)
        mean_x, mean_y = x.mean(0, keepdim=True), y.mean(0, keepdim=True)
        to_itself = (
            polynomial_kernel(mean_x, mean_x)
            + polynomial_kernel(mean_y, mean_y)
            - 2 * polynomial_kernel(mean_x, mean_y)
        ).sum()
        one_sided = "is unbiased for one of the two sets only: leave out the other set's diagonal as well."
        mistakes = [
            (
                xx.mean() + yy.mean() - 2 * xy.mean(),
                "that is the *biased* estimate: each sample is compared with "
                "itself too, and the diagonal makes the distance too large. Leave the diagonals out.",
            ),
            (
                short,
                "the diagonals are left out, but counted: without them there are N(N − 1) entries, not N².",
            ),
            (long, "divided by N(N − 1), but the diagonals are still in the sums."),
            (inner_x + inner_y - xy.mean(), "the mixed term counts *twice*."),
            (inner_x + inner_y + 2 * xy.mean(), "the mixed term is to be subtracted."),
            (
                -torch.tensor(right),
                "the sign is turned: like with like counts positive, the mixed term negative.",
            ),
            (abs(right) ** 0.5, "a root too many; KID is MMD², and may be a little below 0."),
            (
                max(right, 0.0),
                "an unbiased estimate may be below 0. Cut off there, its mean would be too large again.",
            ),
            (1000 * right, "papers print it times 1000, but the function gives it as it is."),
            (inner_x + yy.mean() - 2 * xy.mean(), f"that {one_sided}"),
            (xx.mean() + inner_y - 2 * xy.mean(), f"that {one_sided}"),
            (
                inner_x + inner_y - 2 * xy.diagonal().mean(),
                "the mixed term holds only pairs with one index. Every real sample meets every fake one.",
            ),
            (
                inner_x + (yy.sum() - yy.trace()) / (n * (n - 1)) - 2 * xy.mean(),
                "the fakes' sum is divided by N(N − 1), too. They are M.",
            ),
            (
                (xx.sum() - xx.trace()) / (m * (m - 1)) + inner_y - 2 * xy.mean(),
                "the reals' sum is divided by M(M − 1), too. They are N.",
            ),
            (
                (xx.sum() - xx.trace()) / n + (yy.sum() - yy.trace()) / m - 2 * xy.mean(),
                "divided by the number of samples. Without the diagonal N(N − 1) pairs are left.",
            ),
            (
                (xx.sum() - n) / (n * (n - 1)) + (yy.sum() - m) / (m * (m - 1)) - 2 * xy.mean(),
                "1 is taken off for each sample. On the diagonal stands k(x, x), which is more than 1.",
            ),
            (
                (inner_x + inner_y) / 2 - 2 * xy.mean(),
                "the inner terms count half: is each pair summed once, and counted twice when you divide?",
            ),
            (
                _unbiased(x - mean_x, y - mean_y, polynomial_kernel),
                "each set is centred first, so that two sets that differ by their means are at distance 0.",
            ),
            (
                to_itself,
                "that compares the two *means* only. First the kernel of each pair, then the average.",
            ),
            (
                abs(right),
                "an unbiased estimate may be a little below 0. Without its sign its mean is too large.",
            ),
            *(
                (
                    _unbiased(x, y, lambda a, b, width=width: (a @ b.T / width + 1) ** 3),
                    f"the kernel always divides by {width}; here d, the number of features, is another one.",
                )
                for width in (64, 2048, 784)
            ),
            (
                _unbiased(x, y, lambda a, b: (a @ b.T / len(a) + 1) ** 3),
                "the kernel divides by the number of *samples*; d is the number of features.",
            ),
            (
                _unbiased(x[:few], y[:few], polynomial_kernel),
                "only as many samples as the smaller set has take part. Use all of both.",
            ),
            (
                _unbiased(x, y, lambda a, b: (a @ b.T + 1) ** 3),
                "the kernel divides the inner product by d, the number of features.",
            ),
            (_unbiased(x, y, lambda a, b, d=d: (a @ b.T / d) ** 3), "the kernel has a + 1 inside."),
            (_unbiased(x, y, lambda a, b, d=d: (a @ b.T / d + 1) ** 2), "the kernel's power is 3."),
            (
                _unbiased(x, y, lambda a, b, d=d: a @ b.T / d + 1),
                "the kernel's third power is missing; like that, only means are compared.",
            ),
            (_unbiased(x, y, lambda a, b, d=d: (a @ b.T / d) ** 3 + 1), "the + 1 belongs inside the power."),
            (
                _unbiased(x, y, lambda a, b, d=d: (a @ b.T / math.sqrt(d) + 1) ** 3),
                "the kernel divides by d, not by its root.",
            ),
            (
                _unbiased(x, y, lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2) / 2)),
                "that is a Gaussian kernel. KID's is a polynomial.",
            ),
        ]
        return found, right, mistakes

    _tell_all(cases, ask, "the distance")
    return "its mean over many sets is right, for any number of samples."


@exercise(
    "9.5",
    title="Precision and recall",
    difficulty=3,
    minutes=25,
    hints=[
        "`torch.cdist(a, b)` has the distances of all pairs. The radius of a ball comes from one set alone.",
        "In a set's distances to itself each row holds a 0, its own. The k-th nearest *other* one is at "
        "place k of the sorted row, counted from 0.",
        "A fake is in the ball of the real x if its distance to x is at most x's radius. `any` over the "
        "reals, then the mean over the fakes; for recall the two sets change roles.",
    ],
)
def precision_and_recall(answer):
    near = torch.cat([0.3 * _normal(20, 2, 3), _normal(8, 2, 4) + 6])
    cases = [
        (_normal(40, 2, 0), 0.4 * _normal(30, 2, 1) + 0.5, 3),
        (_normal(25, 3, 2), 1.8 * _normal(25, 3, 5), 2),
        (_normal(30, 2, 6), near, 1),
        (_normal(36, 2, 7), 1.3 * _normal(20, 2, 8) + 0.6, 4),
        (torch.tensor([[0.0, 0], [2, 0], [0, 2], [7, 7]]), torch.tensor([[0.0, -2], [-1, -2], [9, -9]]), 1),
    ]

    def ask(real, fake, k):
        result = call_unchanged(answer, real, fake, k, name="precision_and_recall")
        if not isinstance(result, (tuple, list)) and not (
            isinstance(result, Tensor) and result.shape == (2,)
        ):
            raise Wrong("return two numbers: `precision, recall`.")
        if len(result) != 2:
            raise Wrong(f"return two numbers: `precision, recall`; yours are {len(result)}.")
        found = torch.stack(
            [_number(one, name) for one, name in zip(result, ("the precision", "the recall"), strict=True)]
        )
        return found, precision_recall(real, fake, k), _mistaken(real.double(), fake.double(), k)

    _tell_all(cases, ask, "(precision, recall)")
    return "one number for quality, one for variety."


def _unbiased(x: Tensor, y: Tensor, kernel) -> Tensor:
    """MMD² with any kernel, without the diagonals."""
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    inner_x, inner_y = (xx.sum() - xx.trace()) / (n * (n - 1)), (yy.sum() - yy.trace()) / (m * (m - 1))
    return inner_x + inner_y - 2 * kernel(x, y).mean()


def _kth(distances: Tensor, k: int) -> Tensor:
    """The k-th smallest of each row."""
    return distances.kthvalue(k, dim=1).values


def _nearest_others(side: Tensor, k: int) -> Tensor:
    """The distances to the k nearest others, (N, k)."""
    return pairwise_distances(side, side).sort(1).values[:, 1 : k + 1]


_FARTHEST = (
    "the radius reaches to the *farthest* neighbours: `topk` takes the largest, unless told otherwise."
)
_KTH = "It is the distance of the k-th."
_OTHER_RADII = [  # (features, k) -> radii, and what is wrong with them
    (lambda side, k: _nearest_others(side, k).mean(1), f"the radius is the *mean* of the k nearest. {_KTH}"),
    (lambda side, k: _nearest_others(side, k).sum(1), f"the radius is the *sum* of the k nearest. {_KTH}"),
    (lambda side, k: _nearest_others(side, k).median(1).values, f"the radius is a *median* distance. {_KTH}"),
    (lambda side, k: _nearest_others(side, k)[:, 0], f"the radius reaches to the first neighbour. {_KTH}"),
    (lambda side, k: _kth(-pairwise_distances(side, side), k).neg(), _FARTHEST),
    (lambda side, k: _kth(-pairwise_distances(side, side), k + 1).neg(), _FARTHEST),
    (lambda side, k: pairwise_distances(side, side).amax(1), _FARTHEST),
]


def pairwise_city(x: Tensor, y: Tensor) -> Tensor:
    return (x[:, None] - y[None]).abs().sum(2)


def city_radii(side: Tensor, k: int) -> Tensor:
    return _kth(pairwise_city(side, side), k + 1)


def _mistaken(real: Tensor, fake: Tensor, k: int) -> list:
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
    right_way = [inside, distances <= of_fake[None, :]]
    city = pairwise_city(real, fake)
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
        *((both(*(radius(side, k) for side in (real, fake))), message) for radius, message in _OTHER_RADII),
        (both(of_real / 2, of_fake / 2), "the radius is halved: it reaches *to* the k-th neighbour."),
        (
            both(
                *(
                    _kth(torch.cat([distances, own], 1), k + 1)
                    for distances, own in (
                        (distances, pairwise_distances(real, real)),
                        (distances.T, pairwise_distances(fake, fake)),
                    )
                )
            ),
            "the radii are distances to neighbours of *both* sets together. A ball reaches to the k-th "
            "neighbour within its own.",
        ),
        (
            torch.stack(
                [
                    (city <= city_radii(real, k)[:, None]).any(0).double().mean(),
                    (city <= city_radii(fake, k)[None, :]).any(1).double().mean(),
                ]
            ),
            "those are city-block distances, sums of |xᵢ − yᵢ|. Take the length of the difference.",
        ),
        (
            torch.stack([one.double().mean() for one in right_way]),
            "that averages over all *pairs*. Ask each sample whether it is in *any* ball, then average.",
        ),
        (
            torch.stack(
                [
                    (distances.amin(0) <= of_real[distances.argmin(0)]).double().mean(),
                    (distances.amin(1) <= of_fake[distances.argmin(1)]).double().mean(),
                ]
            ),
            "only the *nearest* ball is asked. A larger one further off may hold the sample, too.",
        ),
        (right[:1].expand(2), "that is the precision twice."),
        (right[1:].expand(2), "that is the recall twice."),
        (
            torch.stack([right[0], 1 - right[0]]),
            "recall is not 1 − precision: it asks the *real* samples whether they are in the fakes' balls.",
        ),
        (
            torch.stack([right[0] * len(fake) / len(real), right[1]]),
            "precision is divided by the number of *real* samples. The fakes are asked: divide by theirs.",
        ),
        (
            torch.stack([right[0], right[1] * len(real) / len(fake)]),
            "recall is divided by the number of *generated* samples. The reals are asked: divide by theirs.",
        ),
        *(
            (
                both(*(ball_radii(side, min(always, len(side) - 1)) for side in (real, fake))),
                f"that is right for k = {always} only: take the `k` that is handed in.",
            )
            for always in (1, 2, 3, 5, 10)
        ),
        (1 - right, "those are the fractions *outside*."),
        (100 * right, "fractions between 0 and 1 are meant, not percent."),
        (
            right * torch.tensor([len(fake), len(real)]),
            "those are counts. Divide each by the number of samples asked.",
        ),
    ]


@exercise(
    "9.6",
    title="Has it copied?",
    difficulty=2,
    minutes=12,
    hints=[
        "First one number for each vector: `torch.cdist(vectors, training)` has all its distances. Along "
        "which axis is the smallest?",
        "Then all pairs of a generated and a fresh vector: comparing a column with a row, `a[:, None] < b`, "
        "makes a table with one truth for each pair.",
        "The mean of that table, and half of the mean of the table of ties.",
    ],
)
def copied_fraction(answer):
    def ask(fake, fresh, training):
        try:
            result = call_unchanged(answer, fake, fresh, training, name="copied_fraction")
        except RuntimeError as error:
            if "must match the size" in str(error):
                raise Wrong(
                    "the sets have different sizes, so they cannot be compared place by place: every "
                    "generated vector meets every fresh one."
                ) from None
            raise
        found = _number(result, "the fraction")
        of_fake, of_fresh = (_to_nearest(side, training) for side in (fake, fresh))
        mistakes = _mistaken_copying(fake.double(), fresh.double(), training.double())
        return found, _nearer(of_fake, of_fresh), mistakes

    _tell_all(_copying_cases(), ask, "the fraction")
    return "½ says that nothing was copied, and nothing of how good the samples are."


def _copying_cases() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Generated, fresh and training vectors; the last two cases have copies and ties, in exact numbers."""
    rng = torch.Generator().manual_seed(9)
    whole = torch.randint(-3, 4, (45, 3), generator=rng).float()
    return [
        (_normal(14, 2, 3), 1.2 * _normal(23, 2, 4), _normal(31, 2, 5)),
        (0.7 * _normal(25, 3, 0) + 0.3, _normal(25, 3, 1), _normal(40, 3, 2)),
        (torch.cat([whole[:6], whole[-5:] + 1]), whole[20:33] + 2, whole),
        (whole[:7], torch.cat([whole[3:6], whole[10:15] + 4]), whole),
    ]


def _to_nearest(queries: Tensor, training: Tensor, p: float = 2.0) -> Tensor:
    """The distance of each query to its nearest training vector, without the rounding of products."""
    differences = queries.double()[:, None] - training.double()[None]
    return differences.norm(p=p, dim=2).amin(dim=1)


def _nearer(of_fake: Tensor, of_fresh: Tensor, ties: float = 0.5) -> Tensor:
    """Mann and Whitney's U, divided by the number of pairs."""
    table = (of_fake[:, None] < of_fresh).double() + ties * (of_fake[:, None] == of_fresh).double()
    return table.mean()


def _mistaken_copying(fake: Tensor, fresh: Tensor, training: Tensor) -> list:
    of_fake, of_fresh = _to_nearest(fake, training), _to_nearest(fresh, training)
    right = _nearer(of_fake, of_fresh)
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
        ((_to_nearest(training, fake), _to_nearest(training, fresh)), wrong_way),
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
            (_to_nearest(fake, training, 1.0), _to_nearest(fresh, training, 1.0)),
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
    ]
    return [
        (_nearer(of_fake, of_fresh, ties=0), ties),
        (_nearer(of_fake, of_fresh, ties=1), ties),
        (1 - right, "that is the probability that the *fresh* one is nearer: the comparison is turned."),
        (_nearer(of_fresh, of_fake, ties=0), f"the comparison is turned; and {ties}"),
        (len(fake) * len(fresh) * right, "that is a count of pairs. Divide by how many pairs there are."),
        (len(fake) * right, "that is a sum over the generated vectors; average over them, too."),
        (len(fresh) * right, "that is a sum over the fresh vectors; average over them, too."),
        (100 * right, "a fraction between 0 and 1 is meant, not percent."),
        (
            (of_fake == 0).double().mean(),
            "that counts exact copies only. A copy with a little noise on it is none the less one.",
        ),
        *((_nearer(*rows, ties), message) for rows, message in compared for ties in (0.5, 0, 1)),
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
        ((a < b).double().mean(), only_partners),
        ((a <= b).double().mean(), only_partners),
        (((a < b).double() + (a == b) / 2).mean(), only_partners),
    ]


REACH, SIGMA = 5, 1.5  # pixels: the window is 11×11, and its weights fall like a Gaussian


@exercise(
    "9.7",
    title="SSIM",
    difficulty=2,
    minutes=18,
    hints=[
        "Weights for one axis: e^(−t²/(2·1.5²)) for t = −5 … 5, divided by their sum. The window is their "
        "outer product.",
        "A weighted mean under a window at every place is a convolution: `F.conv2d(x, window[None, None])`, "
        "without padding. What has to be averaged to get σₓ², and what for σₓᵧ?",
        "The mean of x² under the window, minus the square of the mean, is σₓ². The mean of x·y, minus the "
        "product of the means, is σₓᵧ.",
    ],
)
def ssim(answer):
    def ask(images, targets):
        result = call_unchanged(answer, images, targets, name="ssim")
        if isinstance(result, Tensor) and result.isnan().any():
            raise Wrong(
                "where both images are black the fraction is 0/0, and your result NaN. That is what c₁ and "
                "c₂ are for; or is there a root of something that rounding has put below 0?"
            )
        found = as_tensor(result, "the SSIM")
        if found.shape[:1] == images.shape[:1] and found.dim() in (1, 4):
            raise Wrong("one number is asked for: the mean over all places and over all pairs.")
        return _number(result, "the SSIM"), _ssim(images, targets), _mistaken_ssim(images, targets)

    _tell_all(_ssim_cases(), ask, "the SSIM", tolerance=2e-4)
    same = _ssim_cases()[0][0]
    value = _number(call_unchanged(answer, same, same, name="ssim"), "the SSIM")
    if not matches(value, 1.0):
        raise Wrong(f"of an image and itself it should be 1, and yours is {value.item():.4g}.")
    return "1 for equal images, and one number for all that differs."


def _ssim_cases() -> list[tuple[Tensor, Tensor]]:
    """Grey images in [−1, 1] with strokes, shades and much black, and spoilt ones."""
    cases = []
    for seed, n, height, width in ((0, 3, 18, 22), (1, 2, 15, 14)):
        rng = torch.Generator().manual_seed(seed)
        blocks = torch.rand(n, 1, 5, 6, generator=rng)
        bright = F.interpolate((1.6 * blocks - 0.6).clamp(min=0), size=(height, width), mode="bilinear")
        noise = 0.25 * torch.randn(bright.shape, generator=rng) * (bright > 0)
        spoilt = (0.8 * bright + noise + 0.05).clamp(0, 1)
        spoilt[..., : width // 3] = 0
        bright[..., : width // 4] = 0  # both black there, over more than a window at the edge
        cases.append((2 * bright - 1, 2 * spoilt - 1))
    faint = 0.35 + 0.03 * torch.randn(
        2, 2, 1, 14, 16, generator=torch.Generator().manual_seed(2)
    )  # as weak as c₂
    dark = -torch.ones(2, 1, 13, 17)  # all black, but for one bright spot
    spot = dark.clone()
    spot[0, :, 1, 2] = 1.0
    return [*cases, (2 * faint[0] - 1, 2 * faint[1] - 1), (spot, dark)]


def _window(reach: int = REACH, sigma: float = SIGMA, power: int = 2) -> Tensor:
    steps = torch.arange(-reach, reach + 1, dtype=torch.float64)
    weights = torch.exp(-(steps.abs() ** power) / (2 * sigma**2))
    return torch.outer(weights, weights) / weights.sum() ** 2


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


def _ssim(
    images: Tensor, targets: Tensor, mean=None, c=(C1, C2), to_bright=_bright, correction: float = 1.0
) -> Tensor:
    """SSIM, or with other parts than it has, what a mistake makes of it."""
    parts = _ssim_parts(to_bright(images), to_bright(targets), mean or _under(_window()), correction)
    mean_x, mean_y, variance_x, variance_y, covariance = parts
    likeness = (2 * mean_x * mean_y + c[0]) * (2 * covariance + c[1])
    return (likeness / ((mean_x**2 + mean_y**2 + c[0]) * (variance_x + variance_y + c[1]))).mean()


def _mistaken_ssim(images: Tensor, targets: Tensor) -> list:
    def found(**changed):
        return _ssim(images, targets, **changed)

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


@exercise(
    "9.8",
    title="The safest guess",
    difficulty=1,
    minutes=6,
    hints=[
        "One pixel first: which number c has the least mean of (x − c)² over given x? Set the derivative "
        "with respect to c to 0.",
        "Each pixel of the image may be chosen by itself.",
        "The error is the mean of the squared differences, over the targets and over the pixels.",
    ],
)
def safest_guess(answer):
    for n, shape, seed in ((5, (1, 3, 4), 0), (9, (3, 2, 5), 1), (4, (1, 6, 6), 2)):
        targets = (0.6 * _normal(n, math.prod(shape), seed).exp() - 1).clamp(-1, 1).reshape(n, *shape)
        result = call_unchanged(answer, targets, name="safest_guess")
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise Wrong("return two things: the image, and its error: `image, error`.")
        image, error = as_tensor(result[0], "the image"), as_tensor(result[1], "the error")
        if image.dim() == 0 and error.dim() > 0:
            raise Wrong("the two are in the wrong order: first the image, then the error.")
        if image.shape == (1, *shape):
            image = image[0]
        wide = targets.double()
        best = wide.mean(0)
        _check_guess(image, wide, best)
        _check_error(error, wide, best)
    return "no image is nearer to all of them, and it is none of them."


def _check_guess(image: Tensor, targets: Tensor, best: Tensor) -> None:
    if image.dim() == 0:
        raise Wrong("the guess is one *image*, with a value for every pixel; yours is a single number.")
    if image.shape != best.shape and image.shape == targets.mean((1, 2, 3)).shape:
        raise Wrong("that is one number for each target. The guess is one image: average over which axis?")
    expect_shape(
        image,
        tuple(best.shape),
        "the image",
        f"the guess is one image, of shape {tuple(best.shape)}; yours has shape {tuple(image.shape)}.",
    )
    channels, errors = best.mean((1, 2), keepdim=True), _errors(targets)
    mistakes = [
        (
            targets.median(0).values,
            "that is the median, which has the least *absolute* error. Whose squares are least?",
        ),
        (
            targets.quantile(0.5, dim=0),
            "that is the median, which has the least *absolute* error. Whose squares are least?",
        ),
        (best.mean().expand_as(best), "that is one grey for all pixels. Each pixel may have its own."),
        (channels.expand_as(best), "that is one colour for all pixels. Each pixel may have its own."),
        (
            best.mean(0, keepdim=True).expand_as(best),
            "the channels are averaged, too. Each of them may have its own value.",
        ),
        (
            targets[errors.argmin()],
            "that is the best of the *targets*. The guess need not be one of them: is there a better one?",
        ),
        (targets[0], "that is the first target. Another image may be nearer to all the others."),
        (torch.zeros_like(best), "that is the middle of [−1, 1], whatever the targets are."),
        ((targets.amax(0) + targets.amin(0)) / 2, "that is the middle between the extremes of each pixel."),
        (targets.sum(0), "that is the *sum* of the targets: it leaves [−1, 1]."),
        (targets.std(0), "that is the targets' spread. Where is their middle?"),
        (targets.square().mean(0).sqrt(), "that is the root of the mean *square* of each pixel."),
    ]
    for value, message in mistakes:
        if matches(image, value) and not matches(value, best):
            raise Wrong(message)
    expect_close(image, best, name="the image")


def _errors(targets: Tensor) -> Tensor:
    """The mean squared error of each of the images to all of them."""
    return (targets[:, None] - targets[None]).square().mean((1, 2, 3, 4))


def _check_error(error: Tensor, targets: Tensor, best: Tensor) -> None:
    squares = (targets - best).square()
    n, pixels = len(targets), best.numel()
    if tuple(error.shape) == (n,):
        raise Wrong("that is an error for each target. Average over the targets, too.")
    expect_shape(error, (), "the error", "the error is one number, averaged over the targets and the pixels.")
    mistakes = [
        (squares.sum() / (n - 1) / pixels, "the error is divided by N − 1. The mean squared error is a plain "
         "mean over the N targets."),
        (squares.sum() / (n * pixels - 1), "the error is divided by one less than the number of values. The "
         "mean squared error is a plain mean."),
        (squares.sum(), "the error is a *sum*: average over the targets and over the pixels."),
        (squares.sum() / n, "the error is summed over the pixels: average over them, too."),
        (squares.sum() / pixels, "the error is summed over the targets: average over them, too."),
        (squares.mean().sqrt(), "that is the *root* of the mean squared error."),
        ((targets - best).abs().mean(), "that is the mean *absolute* error."),
        ((targets - best).mean(), "that is the mean of the differences, without the square: they cancel."),
        (squares.mean() / 4, "that is the error of brightnesses from 0 to 1; the images lie in [−1, 1]."),
        (_errors(targets).mean(), "that is the error of one target to another, twice that of the guess."),
        (_errors(targets).min(), "that is the error of the best of the *targets*. The guess is better."),
        (targets.var(correction=0), "that is the spread of all values about *one* grey; the guess has a "
         "value for each pixel."),
        (targets.square().mean(), "that is the error of an image of zeros."),
    ]  # fmt: skip
    _tell(error, squares.mean(), mistakes, "the error")


PREDICTIONS = {
    "noise on every image": "both",
    "a quarter is rubbish": "precision",
    "one image, repeated": "recall",
    "memorised training set": "neither",
}
WHY = {
    "noise on every image": "noise moves each image away from everything real. What becomes of the fakes "
    "in the real balls, and of the real images in the fakes' balls?",
    "a quarter is rubbish": "three quarters are real images. Do they still reach all the kinds that there "
    "are? And what does the last quarter do to a fraction of the *fakes*?",
    "one image, repeated": "the one that is drawn is faultless. Which of the two notices what "
    "is never drawn?",
    "memorised training set": "copies of training images are images of the data's distribution, of all "
    "kinds. What could a comparison with the *test* set object to?",
}


@exercise(
    "9.9",
    title="Predict: who sees it?",
    difficulty=1,
    minutes=4,
    hints=["Precision asks the fakes, one by one: are you near real images? Recall asks the real ones."],
)
def who_sees_it(answer):
    if not isinstance(answer, dict) or set(answer) != set(PREDICTIONS):
        raise Wrong(
            f"answer with a dictionary whose keys are {', '.join(PREDICTIONS)}; you gave {shown(answer)}."
        )
    wrong = []
    for failure, right in PREDICTIONS.items():
        try:
            others = {"precision", "recall", "both", "neither"} - {right}
            choose(answer[failure], right, dict.fromkeys(others, "no"))
        except Wrong as problem:
            if str(problem) != "no":
                raise Wrong(f'for "{failure}": {problem}') from None
            wrong.append(failure)
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise Wrong(f'"{wrong[0]}"{more}: {WHY[wrong[0]]}')
    return "the matrix below puts it to the test."


@exercise(
    "9.11",
    title="Infinitely many samples",
    difficulty=2,
    minutes=10,
    hints=[
        "If distance ≈ true + b/N, in which variable is it a straight line?",
        "1/N = 0 is infinitely many samples. What of the line do you read there?",
        "`numpy.polyfit(x, y, deg=1)` gives slope and intercept, in this order.",
    ],
)
def at_infinity(answer):
    rng = torch.Generator().manual_seed(0)
    cases = []
    for sizes, true, b in (
        ([100, 200, 500, 1000], 0.8, 60.0),
        ([500, 1000, 1500, 2000, 5000], 2.5, 900.0),
        ([50, 400, 800], 0.1, 12.0),
        ([1000, 100, 300], -0.2, 40.0),  # in no order, and a little below 0, as extrapolations may be
    ):
        noise = 0.01 * torch.randn(len(sizes), generator=rng).double()
        cases.append((sizes, (true + b / torch.tensor(sizes).double() + noise).tolist()))

    def ask(sizes, distances):
        found = _number(call_unchanged(answer, sizes, distances, name="at_infinity"), "the distance")
        n, y = torch.tensor(sizes).double(), torch.tensor(distances).double()
        slope, intercept = _line(1 / n, y)
        over_n, over_root = _line(n, y), _line(n**-0.5, y)
        mistakes = [
            (slope, "that is the line's *slope*. How large is the distance where 1/N is 0?"),
            (
                over_n[1],
                "the line runs over N, and was read off at N = 0: at *no* samples. Which variable is 0 for "
                "infinitely many?",
            ),
            (over_n[0], "the line runs over N, and this is its slope."),
            (over_root[1], "the line runs over 1/√N. The bias falls like 1/N."),
            (y[n.argmax()], "that is the distance with the most samples, which is still too large."),
            (y.min(), "that is the smallest distance that was measured, which is still too large."),
            (y.mean(), "that is the mean of what was measured; all of it is too large."),
            ((y * n).mean() / n.mean(), "that is a weighted mean of distances that are all too large."),
            (
                (y / n).sum() / (1 / n).square().sum(),
                "that line goes through the origin. It needs an intercept: it is what you are after.",
            ),
        ]
        weighted = {power: _line(1 / n, y, n**power)[1] for power in (0.5, 1, 2)}
        mistakes += [
            (intercept + slope / n.max(), "that is the line's height at the largest size, not at 1/N = 0."),
            (intercept + slope, "that is the line's height at 1/N = 1, a single sample. Where is 1/N = 0?"),
            (_parabola(1 / n, y), "that is a parabola's height. Fit a straight line in 1/N."),
            (
                _line(n.log(), y)[1],
                "the line runs over log N. The bias falls like 1/N: in that it is a straight line.",
            ),
            (_line(1 / (n - 1), y)[1], "the line runs over 1/(N − 1). Take 1/N."),
            (_line(n**-2, y)[1], "the line runs over 1/N². The bias falls like 1/N."),
            (
                _line(y, 1 / n)[1],
                "the two are exchanged: 1/N goes along, the distance up. (`polyfit` takes x first.)",
            ),
            (_line(y, n)[1], "the two are exchanged: 1/N goes along, the distance up."),
            *(
                (value, "the points are weighted by their sizes. Plain least squares: each counts the same.")
                for value in weighted.values()
            ),
            (_line(1 / n[:4], y[:4])[1], "only the first four points are used. Take all that are handed in."),
            (
                _line(1 / n[:3], y[:3])[1],
                "only the first three points are used. Take all that are handed in.",
            ),
            (
                _line(1 / n[-2:], y[-2:])[1],
                "that line runs through the last two points only. Use all of them.",
            ),
        ]
        mistakes.append(
            (intercept.clamp(min=0), "an extrapolated distance may lie a little below 0: leave it.")
        )
        x1, x2, y1, y2 = 1 / n[0], 1 / n[-1], y[0], y[-1]
        mistakes.append(
            (
                (y2 * x1 - y1 * x2) / (x1 - x2),
                "that line runs through the first and the last point only. Use all of "
                "them: each has its own noise.",
            )
        )
        return found, intercept, mistakes

    _tell_all(cases, ask, "the distance", tolerance=1e-4)
    return "what Chong and Forsyth call FID∞."


def _line(x: Tensor, y: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Slope and intercept of least squares; the weights multiply what is squared, as numpy.polyfit's do."""
    squared = torch.ones_like(x) if weights is None else weights.square()
    middle_x, middle_y = ((squared * one).sum() / squared.sum() for one in (x, y))
    slope = (squared * (x - middle_x) * (y - middle_y)).sum() / (squared * (x - middle_x).square()).sum()
    return slope, middle_y - slope * middle_x


def _parabola(x: Tensor, y: Tensor) -> Tensor:
    """The height at 0 of the parabola of least squares."""
    unit = x / x.max()
    return torch.linalg.lstsq(torch.stack([unit**0, unit, unit**2], 1), y[:, None]).solution[0, 0]


@exercise(
    "9.12",
    title="Density and coverage",
    difficulty=2,
    minutes=12,
    hints=[
        "The balls are those of your precision: around the real samples, to the k-th nearest *other* one.",
        "One table of (N, M) truths says it all: is fake j in the ball of real i? Rows are balls, columns "
        "are fakes.",
        "Density: the sum of each column, its mean over the columns, divided by k. Coverage: `any` along "
        "each row, then the mean over the rows.",
    ],
)
def density_and_coverage(answer):
    thick = torch.cat([0.4 * _normal(30, 2, 1) + 0.5, torch.tensor([[9.0, 9]])])  # and one stray
    cases = [
        (_normal(40, 2, 0), thick, 3),
        (_normal(25, 3, 2), 1.8 * _normal(35, 3, 5), 2),
        (_normal(36, 2, 7), 1.3 * _normal(20, 2, 8) + 0.6, 4),
        (torch.tensor([[0.0, 0], [2, 0], [0, 2], [7, 7]]), torch.tensor([[0.0, -2], [-1, -2], [9, -9]]), 1),
    ]

    def ask(real, fake, k):
        result = call_unchanged(answer, real, fake, k, name="density_and_coverage")
        if not isinstance(result, (tuple, list)) and not (
            isinstance(result, Tensor) and result.shape == (2,)
        ):
            raise Wrong("return two numbers: `density, coverage`.")
        if len(result) != 2:
            raise Wrong(f"return two numbers: `density, coverage`; yours are {len(result)}.")
        found = torch.stack(
            [_number(one, name) for one, name in zip(result, ("the density", "the coverage"), strict=True)]
        )
        return found, density_coverage(real, fake, k), _mistaken_density(real.double(), fake.double(), k)

    _tell_all(cases, ask, "(density, coverage)")
    return "both ask the real balls, so no fake can bring a ball of its own."


def _mistaken_density(real: Tensor, fake: Tensor, k: int) -> list:
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
        *((both(distances <= radius(real, k)[:, None]), message) for radius, message in _OTHER_RADII),
        (both(distances <= radii / 2), "the radius is halved: it reaches *to* the k-th neighbour."),
        (
            both(
                distances <= _kth(torch.cat([distances, pairwise_distances(real, real)], 1), k + 1)[:, None]
            ),
            "the radii are distances to neighbours of *both* sets together. A ball reaches to the k-th "
            "neighbour among the real ones.",
        ),
        (
            both(pairwise_city(real, fake) <= city_radii(real, k)[:, None]),
            "those are city-block distances, sums of |xᵢ − yᵢ|. Take the length of the difference.",
        ),
        (
            pair(density, (inside.sum(1) >= k).double().mean()),
            "coverage asks for *any* fake in the ball; yours for at least k of them.",
        ),
        (
            pair(density, (inside.sum(1) > 1).double().mean()),
            "coverage asks for *any* fake in the ball; yours for more than one.",
        ),
        *(
            (
                pair(
                    (distances <= ball_radii(real, min(always, len(real) - 1))[:, None])
                    .double()
                    .sum(0)
                    .mean()
                    / divisor,
                    (distances <= ball_radii(real, min(always, len(real) - 1))[:, None])
                    .any(1)
                    .double()
                    .mean(),
                ),
                f"that is right for k = {always} only: take the `k` that is handed in.",
            )
            for always in (1, 2, 3, 5, 10)
            for divisor in (always, k)
        ),
        (pair(density.clamp(max=1), coverage), "a density may exceed 1: leave it as it is."),
        (pair(density, 1 - coverage), "that is the fraction of balls that are *empty*."),
        (100 * right, "fractions are meant, not percent."),
        (both(distances <= radii.square()), "distances and squared distances are mixed."),
        (both(distances <= radii.mean()), "one radius for all balls. Each real sample has its own."),
        (both(distances <= radii.max()), "one radius for all balls. Each real sample has its own."),
    ]


def four_sets(
    fresh: Tensor, fresh_labels: Tensor, training: Tensor, size: int, rng: torch.Generator
) -> dict[str, Tensor]:
    """The sets A to D of exercise 9.10, `size` images each. Whoever reads on has nothing left to find out."""

    def draw(images):
        return images[torch.randperm(len(images), generator=rng)[:size]]

    even = draw(fresh[fresh_labels % 2 == 0])
    clean = draw(fresh)
    noisy = (clean + 0.25 * torch.randn(clean.shape, generator=rng)).clamp(-1, 1)
    return {"A": even, "B": noisy, "C": draw(training), "D": draw(fresh)}


DIAGNOSES = {"A": "classes missing", "B": "noise", "C": "memorised", "D": "no failure"}
SYMPTOMS = {
    "A": "A's fakes lie among the data, and much of the data has no fake near it. How many classes are "
    "covered?",
    "B": "B covers all classes, and yet few of its fakes lie where real images lie. Which failure spoils "
    "every image and leaves all kinds in place?",
    "C": "C would be faultless, if it were not for the last row. What is 1 there, and ½ for real images?",
    "D": "D is like the real images in every row.",
}


@exercise(
    "9.10",
    title="Four reports, four diagnoses",
    difficulty=2,
    minutes=8,
    hints=[
        "Begin with the column that looks most like the real images, and with the one where a single row "
        "stands out.",
        "High precision and low recall: good, and all of one kind. Low precision with all classes: kinds "
        "all there, images spoilt.",
    ],
)
def four_reports(answer):
    choices = set(DIAGNOSES.values())
    if not isinstance(answer, dict) or set(answer) != set(DIAGNOSES):
        raise Wrong(f"answer with a dictionary whose keys are A, B, C and D; you gave {shown(answer)}.")
    for letter in DIAGNOSES:
        given = answer[letter]
        if not isinstance(given, str) or given.strip().lower() not in choices:
            quoted = ", ".join(f'"{one}"' for one in sorted(choices))
            raise Wrong(f"choose for {letter} one of {quoted}; you gave {shown(given)}.")
    wrong = [letter for letter, right in DIAGNOSES.items() if answer[letter].strip().lower() != right]
    if wrong:
        raise Wrong(SYMPTOMS[wrong[0]])
    return "read off ten numbers, without a look at one image."


@exercise(
    "9.13",
    title="Between which limits?",
    difficulty=2,
    minutes=12,
    hints=[
        "Square |p̂ − p| = z·√(p(1 − p)/n). Which kind of equation in p is that?",
        "Ordered by powers of p: (1 + z²/n)·p² − (2p̂ + z²/n)·p + p̂² = 0.",
        "The two roots lie around their middle, (p̂ + z²/2n) / (1 + z²/n), at equal distances.",
    ],
)
def error_limits(answer):
    for errors, answers, z in ((3, 20, 1.96), (0, 12, 1.96), (47, 60, 2.576), (7, 7, 1.0)):
        result = call_unchanged(answer, errors, answers, z, name="error_limits")
        found = as_tensor(result, "the pair of limits")
        if tuple(found.shape) != (2,):
            raise Wrong(
                "return two numbers: `low, high`."
                if found.dim()
                else "return two numbers, `low, high`; yours is one."
            )
        right = _wilson(errors, answers, z)
        _tell(found, right, _mistaken_limits(errors, answers, z), "the pair of limits", tolerance=2e-4)
    return "this is Wilson's interval. It stays within 0 and 1, even where nobody was wrong."


def _wilson(errors: int, answers: int, z: float) -> Tensor:
    """The roots of (p̂ − p)² = z²·p(1 − p)/n  (Wilson 1927)."""
    p, n = errors / answers, answers
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return torch.tensor([middle - half, middle + half]).double() / (1 + z**2 / n)


def _mistaken_limits(errors: int, answers: int, z: float) -> list:
    from scipy import stats  # imported here: it takes longer than the check

    p, n, zz = errors / answers, answers, z**2
    right = _wilson(errors, answers, z)

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
        (_wilson(errors, answers, 1.96), "z is always 1.96: take the one that is handed in."),
        (_wilson(errors, answers, 2.0), "z is always 2: take the one that is handed in."),
        (1 - right.flip(0), "those are the limits of the fraction of *right* answers."),
        (1 - right, "those are the limits of the fraction of *right* answers, the larger one first."),
        (n * right, "those are counts. Limits of the error *rate* are asked for."),
        (100 * right, "fractions between 0 and 1 are meant, not percent."),
        (
            torch.tensor([right.mean(), (right[1] - right[0]) / 2]),
            "that is the middle and the half width; return the two limits.",
        ),
        (
            _wilson(errors // answers, 1, z) if errors < answers else right,
            "`errors // answers` is an integer; divide with one slash.",
        ),
    ]  # fmt: skip
