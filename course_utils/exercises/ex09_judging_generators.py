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
    expect_varied,
    matches,
    shown,
)
from course_utils.exercises.judging_mistakes import (
    errors_of,
    fitted,
    mean_ssim,
    mistaken_balls,
    mistaken_copying,
    mistaken_density,
    mistaken_limits,
    mistaken_ssim,
    nearer,
    other_costs,
    other_frechets,
    other_kernel_distances,
    other_limits,
    other_scores,
    score,
    square_root_of_product,
    to_nearest,
    unbiased,
    wilson,
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


def _normal(n: int, d: int, seed: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def _with_twins(samples: Tensor) -> Tensor:
    """The samples, and some of them again, as those of a generator that repeats itself."""
    return torch.cat([samples, samples[:1].repeat(3, 1), samples[2:4]])


def _on_edges_and_twins() -> list[tuple[Tensor, Tensor, int]]:
    """Real and generated points, and k: some on the edge of a ball, some equal."""
    return [
        (torch.tensor([[0.0, 0], [2, 0], [0, 2], [7, 7]]), torch.tensor([[0.0, -2], [-1, -2], [9, -9]]), 1),
        (_with_twins(_normal(9, 2, 18)), _with_twins(_normal(7, 2, 19)), 2),
        (_with_twins(_normal(6, 3, 20)), _with_twins(_normal(11, 3, 21)), 1),
    ]


def _smallest_example(answer, right, names: tuple[str, str]) -> str:
    """The simplest points of a line for which one of two fractions is wrong, in words."""
    for places in ([0.0, 1, 3, 7], [0.0, 2, 3, 8, 9]):
        for fakes in ([1.5], [4.0, 20], [2.5, 5, 30], [0.5, 1, 1.5, 2]):
            for k in (1, 2):
                if len(fakes) <= k:
                    continue
                real, fake = torch.tensor(places)[:, None], torch.tensor(fakes)[:, None]
                for found, wanted, name in zip(
                    answer(real, fake, k), right(real, fake, k), names, strict=True
                ):
                    if not matches(float(found), float(wanted)):
                        reach = (real - real.T).abs().sort(1).values[:, k].tolist()
                        return (
                            f"an example on a line, with k = {k}: real samples at {_listed(places)} "
                            f"have balls of radius {_listed(reach)}; with generated ones at "
                            f"{_listed(fakes)} the {name} is {float(wanted):.3g}, and you find "
                            f"{float(found):.3g}. Draw it: which ball, or "
                            "which sample, do you count otherwise?"
                        )
    return (
        "right for a few points on a line, and not for more of them: are there other samples, or other "
        "balls, "
        "that you leave out where there are many, or has a sample to lie in more than one?"
    )


def _listed(numbers) -> str:
    return ", ".join(f"{number:g}" for number in numbers)


def _tell(found, right, mistakes, name, tolerance=1e-3, close=True) -> None:
    """Raise Wrong unless found is right; `mistakes`: pairs of another value and what to say to it.

    Without `close`, what is none of them is let through.
    """
    if matches(found, right, tolerance=tolerance):
        return
    for value, message in mistakes:
        if matches(found, value, tolerance=tolerance) and not matches(value, right, tolerance=tolerance):
            raise Wrong(message)
    if close:
        expect_close(found, right, name=name, tolerance=tolerance)


def _tell_all(cases, ask, name: str, tolerance: float = 1e-3, otherwise=None) -> None:
    """`_tell` for several cases at once: a mistake is named only if it explains all of them.

    Args:
        cases: argument tuples.
        ask: (*case) -> (found, right, mistakes), the mistakes in the same order for every case.
        otherwise: () -> what simple inputs tell of an answer that makes none of these mistakes, or "".
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
    if otherwise:
        expect_varied(name)
        try:
            message = otherwise()
        except Exception:  # an answer may fail on inputs so simple
            message = ""
        if message:
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
        (torch.tensor([3.0, 1, 3, 0, 1, 3]), torch.tensor([2.0, 2, 5, 2, 4, 1])),  # some stand on one place
        (_normal(40, 1, 0)[:, 0], 2 * _normal(40, 1, 1)[:, 0] + 1),
        (_normal(7, 1, 2)[:, 0] - 5, _normal(7, 1, 3)[:, 0]),
    ]
    costs = []

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
            ((ordered_a - b).square().mean(), "only one of the two is in order."),
            ((a - ordered_b).square().mean(), "only one of the two is in order."),
        ]
        costs.append((found.item(), moves.square().mean().item()))
        return found, moves.square().mean(), [*mistakes, *other_costs(a, b)]

    def otherwise():
        one = float(answer(torch.tensor([1.0]), torch.tensor([4.0])))
        if not matches(one, 9.0):
            return f"a single point that moves from 1 to 4 costs 3² = 9, and costs {one:.4g} in yours."
        a, b = cases[-1]
        if not matches(float(answer(a.flip(0), b)), costs[-1][0]):
            return (
                "your cost changes where the points of a heap are listed in another order. Which goes where "
                "should depend on where they lie alone."
            )
        found, least = max(costs, key=lambda pair: abs(pair[0] - pair[1]))
        if found < least:
            return (
                f"you find {found:.4g}, which is less than the cheapest way costs, {least:.4g}. Is a place "
                "filled twice, or a point forgotten?"
            )
        return (
            f"you pay {found:.4g} where {least:.4g} is enough. Do two of your paths cross? Exchange their "
            "ends, "
            "and both become shorter. Or does not every point count alike?"
        )

    _tell_all(cases, ask, "the cost", tolerance=1e-4, otherwise=otherwise)
    return "smallest to smallest: paths that cross are never cheaper."


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

    wide = _normal(30, 64, 30) @ _normal(64, 64, 31)  # nearly equal sets with fewer samples than features
    cases.append((wide, wide + 0.1 * _normal(30, 64, 32)))

    def ask(real, fake):
        try:
            result = call_unchanged(answer, real, fake, name="frechet")
        except RuntimeError as error:
            if "must match" in str(error) or "shapes cannot be multiplied" in str(error):
                raise Wrong(
                    "two matrices do not fit together. Is the covariance (d, d), one row for each *feature*? "
                    "`torch.cov` takes features as rows: hand it the transpose."
                ) from None
            if "positive-definite" in str(error):
                raise Wrong(
                    f"Cholesky's factors want eigenvalues above 0. Of {len(real)} samples with "
                    f"{real.shape[1]} features some are 0, or a little below by rounding. A symmetric root "
                    "by `torch.linalg.eigh`, with what is negative set to 0, has no such wish."
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
            (
                (a.mean - b.mean).square().mean() + traces - 2 * overlap,
                "the squared distance of the means is a *sum* over the features, not their mean.",
            ),
        ]
        mistakes += other_frechets(real.double(), fake.double(), means, traces, overlap)
        few = [value for value, message in mistakes if "only the first" in message]
        if (
            real is wide
            and not any(matches(found, value, tolerance=1e-3) for value in [right, *few])
            and abs(found - right) < 20
        ):
            raise Wrong(
                f"right for few features; with 30 samples of 64 features it is {found:.3g}, and should be "
                f"{right:.3g}. "
                "Many eigenvalues are 0 there, and rounding puts them a little beside, which a root makes "
                "large: compute in float64 from the beginning, and add nothing to the diagonal."
            )
        return found, right, mistakes

    def otherwise():
        real, fake = _normal(30, 3, 40) @ _normal(3, 3, 41), _normal(20, 3, 43).exp()
        centred = float(answer(real - real.mean(0), fake - fake.mean(0)))
        by_means, should = (
            float(answer(real, fake)) - centred,
            (real.mean(0) - fake.mean(0)).square().sum().item(),
        )
        if not matches(by_means, should, tolerance=1e-2):
            return (
                "two sets that are shifted to one mean come nearer by |μ_a − μ_b|², here "
                f"{should:.4g}; in yours by {by_means:.4g}. Look at the means: of each feature, over the "
                "samples, "
                "their squared differences added up."
            )
        shift = torch.tensor([1.0, -2.0, 0.5])
        apart, wide = float(answer(real, real + shift)), float(answer(real, 3 * (real - real.mean(0))))
        if not matches(apart, 5.25, tolerance=1e-2):
            return (
                "two sets that differ by a shift of (1, −2, ½) only have the distance 1 + 4 + ¼ = 5.25, and "
                f"you find {apart:.4g}. What should the three traces cancel to, where the covariances agree?"
            )
        means, spread = real.mean(0).square().sum().item(), 4 * real.var(0).sum().item()
        if not matches(wide, means + spread, tolerance=1e-2):
            return (
                "of two sets with covariances Σ and 9Σ, the root of the product is 3Σ, so the traces give "
                f"(1 + 9 − 6)·tr Σ = {spread:.4g}; you find {wide - means:.4g}. What is the root of a matrix "
                "product?"
            )
        return (
            "right where the covariances are multiples of each other, and wrong where they have other axes: "
            "the mistake is in tr (Σ_a Σ_b)^½. Is the root that of the product itself?"
        )

    _tell_all(cases, ask, "the distance", otherwise=otherwise)
    return "the distance that every paper reports, in whatever features you hand it."


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
        mean_entropy = -torch.special.xlogy(p, p).sum(1).mean()
        entropy_of_mean = -torch.special.xlogy(marginal, marginal).sum()
        columns = logits.double().softmax(0)
        sigmoids = logits.double().sigmoid()
        tiny = p.clamp(min=1e-30)
        reversed_kl = (marginal * (marginal.clamp(min=1e-30).log() - tiny.log())).sum(1).mean()
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
            (
                torch.exp(reversed_kl),
                "the KL is the other way round: KL(p(k | x) ‖ p(k)) averages log p(k | x) − "
                "log p(k) under p(k | x).",
            ),
            (
                score(columns),
                "the softmax runs over the images. It belongs along the classes, the second axis.",
            ),
            (
                score(columns.T),
                "the softmax runs over the images. It belongs along the classes, the second axis.",
            ),
            (score(p.T), "rows and columns are exchanged: an image is a row."),
            (score(sigmoids), "sigmoids do not add up to 1. Several classes want a softmax."),
            (score(p.log_softmax(1).exp()), "softmax was taken twice."),
        ]
        mistakes += other_scores(logits.double(), p, information)
        return found, math.exp(information), mistakes

    def otherwise():
        even, alike = float(answer(20.0 * torch.eye(4))), float(answer(_normal(1, 4, 6).repeat(5, 1)))
        if not matches(even, 4.0, tolerance=1e-2):
            return (
                "four images, each surely of another class, should score 4; yours score "
                f"{even:.4g}. Each KL is log 4 there. What becomes of it?"
            )
        if not matches(alike, 1.0, tolerance=1e-2):
            return (
                "five equal images should score 1, since p(k | x) is p(k) for each; yours score "
                f"{alike:.4g}. Which p(k) do you compare with?"
            )
        return (
            "right for images that are all alike, and for sure images of all classes; wrong where the "
            "classifier wavers. Are p(k | x) and p(k) the plain softmax and its average over the images?"
        )

    _tell_all([(logits,) for logits in [*cases, sure]], ask, "the score", otherwise=otherwise)
    return "between 1 and the number of classes, and the real images never came in."


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
        (_with_twins(2 * _normal(8, 3, 6).round()), _with_twins(_normal(6, 3, 7).round())),  # exact, so equal
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
            (
                abs(right),
                "an unbiased estimate may be below 0. Without its sign, its mean would be too large again.",
            ),
            (inner_x + inner_y - xy.mean(), "the mixed term counts *twice*."),
            (inner_x + inner_y + 2 * xy.mean(), "the mixed term is to be subtracted."),
            (
                -torch.tensor(right),
                "the sign is turned: like with like counts positive, the mixed term negative.",
            ),
            (abs(right) ** 0.5, "a root too many; KID is MMD², and may be a little below 0."),
            (max(right, 0.0) ** 0.5, "a root too many; KID is MMD², and may be a little below 0."),
            (
                max(right, 0.0),
                "an unbiased estimate may be below 0. Cut off there, its mean would be too large again.",
            ),
            (1000 * right, "papers print it times 1000, but the function gives it as it is."),
            (
                unbiased(x, y, lambda a, b: (a @ b.T + 1) ** 3),
                "the kernel divides the inner product by d, the number of features.",
            ),
            (unbiased(x, y, lambda a, b, d=d: (a @ b.T / d) ** 3), "the kernel has a + 1 inside."),
            (unbiased(x, y, lambda a, b, d=d: (a @ b.T / d + 1) ** 2), "the kernel's power is 3."),
            (
                unbiased(x, y, lambda a, b, d=d: a @ b.T / d + 1),
                "the kernel's third power is missing; like that, only means are compared.",
            ),
            (unbiased(x, y, lambda a, b, d=d: (a @ b.T / d) ** 3 + 1), "the + 1 belongs inside the power."),
            (
                unbiased(x, y, lambda a, b, d=d: (a @ b.T / math.sqrt(d) + 1) ** 3),
                "the kernel divides by d, not by its root.",
            ),
            (
                unbiased(x, y, lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2) / 2)),
                "that is a Gaussian kernel. KID's is a polynomial.",
            ),
        ]
        return found, right, [*mistakes, *other_kernel_distances(x, y)]

    def otherwise():
        x, nothing = _normal(6, 3, 42), torch.zeros(5, 3)
        empty, two = float(answer(nothing, nothing[:3])), torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 1.0]])
        if not matches(empty, 0.0, tolerance=1e-3):
            return (
                "where all features are 0 every kernel is 1, and 1 + 1 − 2·1 = 0; you find "
                f"{empty:.4g}. One of your three averages adds up another number of kernels than it divides "
                "by."
            )
        pair = float(answer(two, nothing))
        if not matches(pair, (2 / 3 + 1) ** 3 - 1, tolerance=1e-3):
            return (
                "of two real samples, (1, 2, 0) and (0, 1, 1), and generated ones of zeros, the distance is "
                f"k − 1 with the one kernel (2/3 + 1)³ = 4.63, that is 3.63; you find {pair:.4g}. Work out k."
            )
        table = polynomial_kernel(x.double(), x.double())
        inner = ((table.sum() - table.trace()) / 30).item()
        sides = (("real", float(answer(x, nothing))), ("generated", float(answer(nothing, x))))
        for side, found in sides:  # the kernel with zeros is 1
            if not matches(found, inner - 1, tolerance=1e-2):
                return (
                    "with features of zeros on the other side the kernel is 1 in two of the averages, and "
                    f"the distance is the average over *different* {side} samples − 1, here "
                    f"{inner - 1:.4g}. You "
                    f"find {found:.4g}: look at that average, and at the kernel."
                )
        return (
            "the averages within the real and within the generated samples are right. The mixed one is not: "
            "over which pairs does it run, and how often does it count?"
        )

    _tell_all(cases, ask, "the distance", otherwise=otherwise)
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
        *_on_edges_and_twins(),
        (_normal(36, 2, 7), 1.3 * _normal(20, 2, 8) + 0.6, 4),
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
        right = precision_recall(real, fake, k)
        return found, torch.tensor(right), mistaken_balls(real.double(), fake.double(), k)

    def otherwise():
        return _smallest_example(answer, precision_recall, ("precision", "recall"))

    _tell_all(cases, ask, "(precision, recall)", otherwise=otherwise)
    return "one number for quality, one for variety."


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
        of_fake, of_fresh = (to_nearest(side, training) for side in (fake, fresh))
        mistakes = mistaken_copying(fake.double(), fresh.double(), training.double())
        between = (nearer(of_fake, of_fresh, ties) for ties in (0, 1))
        of_ties = "right where no two are equally near. Where both are, the pair counts *half*."
        return found, nearer(of_fake, of_fresh), [*mistakes, (found.clamp(*between), of_ties)]

    def otherwise():
        made, new, known = (torch.tensor(places)[:, None] for places in ([1.0, 8], [1.5, 4], [0.0, 10]))
        found = float(answer(made, new, known))
        if matches(found, 0.75):
            return (
                "right for two vectors of each kind, and not for more. Is a neighbour looked up in the wrong "
                "set, or are vectors compared only at the same place in their lists?"
            )
        return (
            "an example on a line: generated 1 and 8, fresh 1.5 and 4, training 0 and 10. The generated ones "
            "have their nearest training vector 1 and 2 away, the fresh ones 1.5 and 4; so in 3 of 4 pairs "
            "the "
            f"generated one is nearer, 0.75, and you find {found:.3g}."
        )

    _tell_all(_copying_cases(), ask, "the fraction", otherwise=otherwise)
    return "½ says that nothing was copied, and nothing of how good the samples are."


def _copying_cases() -> list[tuple[Tensor, Tensor, Tensor]]:
    """Generated, fresh and training vectors; the first two cases have copies and ties, in exact numbers."""
    rng = torch.Generator().manual_seed(9)
    whole = torch.randint(-3, 4, (45, 3), generator=rng).float()
    return [
        (torch.cat([whole[:6], whole[:1], whole[:1], whole[-5:] + 1]), whole[20:34] + 2, whole),
        (whole[:7], torch.cat([whole[3:6], whole[10:15] + 4]), whole),
        (_normal(14, 2, 3), 1.2 * _normal(23, 2, 4), _normal(31, 2, 5)),
        (0.7 * _normal(25, 3, 0) + 0.3, _normal(25, 3, 1), _normal(40, 3, 2)),
    ]


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
        return _number(result, "the SSIM"), mean_ssim(images, targets), mistaken_ssim(images, targets)

    def otherwise():
        even = [torch.full((1, 1, 12, 12), 2 * grey - 1) for grey in (0.2, 0.6)]
        found, wanted = float(answer(*even)), mean_ssim(*even).item()
        if not matches(found, wanted, tolerance=1e-3):
            return (
                "two even grey images, of brightness 0.2 and 0.6, have no pattern: there it is "
                f"(2·0.2·0.6 + c₁)/(0.2² + 0.6² + c₁) = {wanted:.3f}, and you find {found:.3f}. Look at the "
                "brightness, the weights' sum and the factor of the means."
            )
        return (
            "right for even images: brightness and means are in order. The second factor is not: under the "
            "window, σₓ² is the mean of squares minus the square of the mean, σₓᵧ the mean of products minus "
            "the product of the means."
        )

    _tell_all(_ssim_cases(), ask, "the SSIM", tolerance=2e-4, otherwise=otherwise)
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
            raise Wrong(
                f"the image has an axis too many, {tuple(image.shape)}: it is one image, {shape}. Leave out "
                "`keepdim`, or take `image[0]`."
            )
        wide = targets.double()
        best = wide.mean(0)
        _check_guess(image, wide, best, answer)
        _check_error(error, wide, best)
    return "no image is nearer to all of them, and it is none of them."


def _check_guess(image: Tensor, targets: Tensor, best: Tensor, answer) -> None:
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
    channels, errors = best.mean((1, 2), keepdim=True), errors_of(targets)
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
        (targets.sum(0) / (len(targets) - 1), "the sum is divided by N − 1. A mean divides by N."),
        (targets.amax(0), "that is the brightest value of each pixel."),
        (targets.amin(0), "that is the darkest value of each pixel."),
        (targets.sort(0).values[1:-1].mean(0), "the extremes are left out. In a mean of squares they count."),
        *(
            (targets[place], "that is one of the targets. Another image may be nearer to all the others.")
            for place in range(len(targets))
        ),
        (best.clamp(min=0), "what lies below 0 is cut off. Pixels run from −1 to 1."),
        (best.sign(), "the guess is black or white. A grey between may be nearer."),
        (best.round(), "the guess is rounded. A grey between may be nearer."),
        (best / best.abs().max(), "the guess is stretched to the full range. Leave it as it is."),
        ((best + 1) / 2, "that is in brightnesses from 0 to 1; the targets lie in [−1, 1]."),
        (
            best.mean(1, keepdim=True).expand_as(best),
            "rows are averaged, too. Each pixel may have its own value.",
        ),
        (
            best.mean(2, keepdim=True).expand_as(best),
            "columns are averaged, too. Each pixel may have its own value.",
        ),
        (
            targets.abs().clamp(min=1e-12).log().mean(0).exp(),
            "that is a geometric mean, of values without their sign.",
        ),
        (targets.std(0), "that is the targets' spread. Where is their middle?"),
        (targets.square().mean(0).sqrt(), "that is the root of the mean *square* of each pixel."),
    ]
    for value, message in mistakes:
        if matches(image, value) and not matches(value, best):
            raise Wrong(message)
    if matches(image, best):
        return
    share = ((image * best).sum() / best.square().sum()).item()
    if 0.02 < share < 0.999 and matches(image, share * best, tolerance=1e-3):
        raise Wrong(
            f"the image stands {share:.0%} of the way from grey, 0, to the best one: is that a descent that "
            "ends too early? Where the derivative is 0 can be worked out."
        )
    _expect_equal_weights(answer, targets)
    if ((image >= targets.amin(0) - 1e-6) & (image <= targets.amax(0) + 1e-6)).all():
        expect_varied("the image")
        raise Wrong(
            "each pixel lies between the darkest and the brightest of its targets, and is another average "
            "than the one with the least *squares*. Where is the derivative of Σ (c − xᵢ)² equal to 0?"
        )
    expect_close(image, best, name="the image")


def _expect_equal_weights(answer, targets: Tensor) -> None:
    """Raise Wrong where a brighter pixel of one target does not move the guess there alone, by 1/N."""
    targets = targets.float() * 0.5
    try:
        before, moves, elsewhere = answer(targets)[0], [], 0.0
        for place in range(len(targets)):
            other = targets.clone()
            other[place, 0, 1, 1] += 0.2
            change = (torch.as_tensor(answer(other)[0]) - torch.as_tensor(before)).abs() / 0.2
            moves.append(change[0, 1, 1].item())
            change[0, 1, 1] = 0
            elsewhere = max(elsewhere, change.max().item())
    except Exception:  # an answer may give something else than tensors
        return
    if elsewhere > 1e-3:
        raise Wrong(
            "a brighter pixel of one target changes the guess at *other* pixels, too. Each pixel has its own "
            "squared errors, and can be chosen by itself."
        )
    idle = [place for place, move in enumerate(moves) if move < 1e-4]
    if idle:
        raise Wrong(
            f"target number {idle[0]} of {len(moves)}, counted from 0, has no say in the guess: a brighter "
            "pixel "
            "there changes nothing. All squares count."
        )
    if max(moves) > 1.05 * min(moves):
        raise Wrong(
            f"the targets do not count alike: a pixel brighter by 1 moves the guess by {min(moves):.2g} to "
            f"{max(moves):.2g}, depending on the target, and should by 1/{len(moves)}. What weighs them?"
        )


def _check_error(error: Tensor, targets: Tensor, best: Tensor) -> None:
    squares = (targets - best).square()
    n, pixels = len(targets), best.numel()
    if tuple(error.shape) == (n,):
        raise Wrong("that is an error for each target. Average over the targets, too.")
    if tuple(error.shape) == tuple(best.shape):
        raise Wrong("that is an error for each pixel. Average over the pixels, too.")
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
        (errors_of(targets).mean(), "that is the error of one target to another, twice that of the guess."),
        (errors_of(targets).min(), "that is the error of the best of the *targets*. The guess is better."),
        (targets.var(correction=0), "that is the spread of all values about *one* grey; the guess has a "
         "value for each pixel."),
        (targets.square().mean(), "that is the error of an image of zeros."),
        (targets.var(), "that is the spread of all values about *one* grey; the guess has a value for each "
         "pixel."),
        (targets.std(0).mean(), "that is a standard deviation. The error averages *squares*."),
        (targets.std(0, correction=0).mean(), "that is a standard deviation. The error averages *squares*."),
        (squares.max(), "that is the largest error. Average over targets and pixels."),
        (squares.flatten(1).mean(1).max(), "that is the error to the worst target. Average over the "
         "targets."),
        *((squares[place].mean(), "that is the error to one of the targets. Average over all of them.")
          for place in range(n)),
        (best.square().mean(), "that is the size of the guess itself. How far are the targets from it?"),
        (squares.mean() / 2, "half of what it should be."),
        ((targets - best).flatten(1).norm(dim=1).mean(), "those are lengths of differences, averaged. "
         "Average squares."),
        ((targets - best).norm(), "that is the root of the sum of squares. Take the mean, and no root."),
        (-10 * squares.mean().log10(), "that is in decibels. The error itself is asked for."),
    ]  # fmt: skip
    _tell(error, squares.mean(), mistakes, "the error", close=False)
    if not matches(error, squares.mean(), tolerance=1e-3):
        more = "more" if error > squares.mean() else "less"
        raise Wrong(
            f"the error is {error.item():.4g}, and your image has {squares.mean().item():.4g}: that is "
            f"{more}. Is "
            "it measured with another image than the one that you return, or with another average?"
        )


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
        slope, intercept = fitted(1 / n, y)
        over_n, over_root = fitted(n, y), fitted(n**-0.5, y)
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
        mistakes.append(
            (intercept.clamp(min=0), "an extrapolated distance may lie a little below 0: leave it.")
        )
        mistakes.append((intercept.abs(), "an extrapolated distance may lie a little below 0: leave it."))
        x1, x2, y1, y2 = 1 / n[0], 1 / n[-1], y[0], y[-1]
        mistakes.append(
            (
                (y2 * x1 - y1 * x2) / (x1 - x2),
                "that line runs through the first and the last point only. Use all of "
                "them: each has its own noise.",
            )
        )
        return found, intercept, [*mistakes, *other_limits(n, y)]

    def otherwise():
        sizes = [100, 400, 1000, 2500]
        exact = [1 + 60 / size for size in sizes]
        found = float(answer(sizes, exact))
        if not matches(found, 1.0, tolerance=1e-6):
            return (
                "distances that lie exactly on 1 + 60/N have the limit 1 for infinitely many samples, and "
                "you find "
                f"{found:.6g}. Over which variable is that a straight line, and where do you read it off?"
            )
        for place, size in enumerate(sizes):
            moved = [one + 0.1 * (number == place) for number, one in enumerate(exact)]
            if matches(float(answer(sizes, moved)), found, tolerance=1e-6):
                return (
                    f"the distance with {size} samples has no say in your limit. Least squares uses all "
                    "points: "
                    "each has its own noise."
                )
        return (
            "right for points that lie on a line, and not for others: the points do not weigh as they do in "
            "least squares of the distances. Is the fit another one, or is something done to its result?"
        )

    _tell_all(cases, ask, "the distance", tolerance=1e-4, otherwise=otherwise)
    return "what Chong and Forsyth call FID∞."


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
        *_on_edges_and_twins(),
        (_normal(36, 2, 7), 1.3 * _normal(20, 2, 8) + 0.6, 4),
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
        right = density_coverage(real, fake, k)
        return found, torch.tensor(right), mistaken_density(real.double(), fake.double(), k)

    def otherwise():
        return _smallest_example(answer, density_coverage, ("density", "coverage"))

    _tell_all(cases, ask, "(density, coverage)", otherwise=otherwise)
    return "both ask the real balls, so no fake can bring a ball of its own."


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
        right = wilson(errors, answers, z)
        if not matches(found, right, tolerance=2e-4):
            _tell(found, right, mistaken_limits(errors, answers, z), "the pair of limits", 2e-4, close=False)
            _put_into_equation(found, right, errors, answers, z)
        expect_close(found, right, name="the pair of limits", tolerance=2e-4)
    return "this is Wilson's interval. It stays within 0 and 1, even where nobody was wrong."


def _put_into_equation(found, right, errors: int, answers: int, z: float) -> None:
    """Raise Wrong: the worse of two limits does not solve |p̂ − p| = z·√(p(1 − p)/n)."""
    expect_varied("the pair of limits")
    if matches(found, right, tolerance=0.02) and abs(found - right).max() < 2e-3:
        return  # nearly right: `expect_close` says so
    worse = int((found - right).abs().argmax())
    limit, share = found[worse].item(), errors / answers
    if not 0 <= limit <= 1:
        raise Wrong(
            f"of {errors} errors in {answers} answers your {('lower', 'upper')[worse]} limit is {limit:.4g}, "
            "which is no error rate. The equation's roots lie within 0 and 1."
        )
    left, spread = abs(share - limit), z * math.sqrt(limit * (1 - limit) / answers)
    raise Wrong(
        f"put your {('lower', 'upper')[worse]} limit for {errors} errors in {answers} answers, {limit:.4g}, "
        f"into the equation: |p̂ − p| is {left:.4g}, and z·√(p(1 − p)/n) is {spread:.4g}. Square both sides, "
        "and solve for p."
    )
