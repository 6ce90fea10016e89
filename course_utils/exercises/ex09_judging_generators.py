"""The exercises of notebook 09: metrics of generators, and what they do and do not see."""

import math

import torch
from torch import Tensor

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
    for a, b in cases:
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
        _tell(found, moves.square().mean(), mistakes, "the cost", tolerance=1e-4)
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
    for real, fake in cases:
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
        _tell(found, right, mistakes, "the distance")
    return "the distance that every paper reports, in whatever features you hand it."


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
    for logits in [*cases, sure]:
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
        ]
        _tell(found, math.exp(information), mistakes, "the score")
        raw = _score(logits.double())
        if not matches(found, math.exp(information)) and matches(found, raw):
            raise Wrong("that treats logits as probabilities. They want a softmax first.")
    return "between 1 and the number of classes, and the real images never came in."


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
    for real, fake in cases:
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
        _tell(found, right, mistakes, "the distance")
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
    for real, fake, k in cases:
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
        _tell(found, right, _mistaken(real.double(), fake.double(), k), "(precision, recall)")
    return "one number for quality, one for variety."


def _unbiased(x: Tensor, y: Tensor, kernel) -> Tensor:
    """MMD² with any kernel, without the diagonals."""
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    inner_x, inner_y = (xx.sum() - xx.trace()) / (n * (n - 1)), (yy.sum() - yy.trace()) / (m * (m - 1))
    return inner_x + inner_y - 2 * kernel(x, y).mean()


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
        (1 - right, "those are the fractions *outside*."),
        (100 * right, "fractions between 0 and 1 are meant, not percent."),
        (
            right * torch.tensor([len(fake), len(real)]),
            "those are counts. Divide each by the number of samples asked.",
        ),
    ]


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
    "9.6",
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
    "9.8",
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
    for sizes, distances in cases:
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
        _tell(found, intercept, mistakes, "the distance", tolerance=1e-4)
    return "what Chong and Forsyth call FID∞."


def _line(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return slope, y.mean() - slope * x.mean()


@exercise(
    "9.9",
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
    for real, fake, k in cases:
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
        _tell(found, right, _mistaken_density(real.double(), fake.double(), k), "(density, coverage)")
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
        (pair(density.clamp(max=1), coverage), "a density may exceed 1: leave it as it is."),
        (pair(density, 1 - coverage), "that is the fraction of balls that are *empty*."),
        (100 * right, "fractions are meant, not percent."),
        (both(distances <= radii.square()), "distances and squared distances are mixed."),
        (both(distances <= radii.mean()), "one radius for all balls. Each real sample has its own."),
        (both(distances <= radii.max()), "one radius for all balls. Each real sample has its own."),
    ]


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
    "9.7",
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
