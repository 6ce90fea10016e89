# %% [markdown]
# # Judging generators: what a number sees, and what it does not
#
# You build the metrics that papers report, from two heaps of sand to a classmate with a
# stopwatch. Then you break generators on purpose and look which number notices, and cheat on
# purpose and look which number lets you.
#
# | | |
# | --- | --- |
# | Reading time | 60 min, and 160 min for the exercises |
# | Running time | about 65 s on two CPU cores; a GPU is not needed |
# | You need | notebook 05 (samples, the Fréchet distance as a number); means, covariances and eigenvalues; [notebook 01](01_minimax_objective.ipynb) for KL |
# | You will be able to | derive the Fréchet distance; build every metric that papers report, from KID to SSIM; read a report and name the failure; say how each number can be cheated; measure people |

# %%
import math
import tempfile
import textwrap
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor
from torch.nn import functional as F

from course_utils import data, metrics, plots
from course_utils.checks import check
from course_utils.exercises.ex09_judging_generators import four_sets
from course_utils.metrics import (
    METRICS,
    Answer,
    class_scores,
    classifier_score,
    copying,
    density_coverage,
    evaluate,
    feature_statistics,
    frechet_by_size,
    frechet_distance,
    human_score,
    in_batches,
    kernel_distance,
    load_classifier,
    load_inception,
    mean_squared_error,
    nearest,
    precision_recall,
    quiz_file,
    read_answers,
    record_answer,
    report_table,
    score_table,
    structural_similarity,
    thumbnails,
    wilson_interval,
)
from course_utils.models import load_generator, sample
from course_utils.notebook import show_source
from course_utils.plots.reports import BETTER, SAME, WORSE
from course_utils.runtime import by_scale, seed
from course_utils.training import progress
from course_utils.widgets.quiz import real_or_fake_quiz

# One meaning, one colour: real images blue, generated ones red.
DATA, MODEL, OTHER = (plots.COLORS[name] for name in ("data", "model", "reference"))

# %% [markdown]
# ## What is there to compare?
#
# A generator has no right answer. Nobody can say which digit this latent *should* have become, so
# no sample can be marked right or wrong by itself. What can be compared are two *sets*: many
# generated images, and many real ones that nobody has trained on.
#
# We cut the test digits into three parts. A quarter is the **reference**, to which everything is
# compared. A half plays the part of a perfect generator: **fresh** real images. Whatever a metric
# says of those, a perfect generator would get. The last quarter goes to the training images, for a
# suspect that will have learnt it by heart.

# %%
train, test = data.load_mnist("train"), data.load_mnist("test")
chooser = torch.Generator().manual_seed(seed(0))
order = torch.randperm(len(test.images), generator=chooser)
quarter = len(order) // 4
reference = data.to_model_range(test.images[order[:quarter]])
learnt = data.to_model_range(test.images[order[quarter : 2 * quarter]])
fresh = data.to_model_range(test.images[order[2 * quarter :]])
fresh_labels = test.labels[order[2 * quarter :]]
training = torch.cat([learnt, data.to_model_range(train.images)])

classifier = load_classifier("mnist")
count = by_scale(ci=80, cpu=1_500, gpu=1_500)  # of images in every set that is compared below
generated = sample(load_generator("mnist"), count, seed=seed(0))


def draw(images: Tensor, n: int = count) -> Tensor:
    """n of the images, none twice where there are enough of them."""
    if n <= len(images):
        return images[torch.randperm(len(images), generator=chooser)[:n]]
    return images[torch.randint(len(images), (n,), generator=chooser)]


def with_progress(items, label: str):
    """The items one by one, with a line that says how far it is."""
    with progress(len(items), label, unit="sets") as update:
        for done, item in enumerate(items, 1):
            yield item
            update(done)


def features(images: Tensor) -> Tensor:
    """The 64 numbers that the course's classifier makes of a digit before it decides."""
    return in_batches(classifier.features, images)


reference_features, fresh_features = features(reference), features(draw(fresh))
generated_features = features(generated)
print(f"{len(reference):,} images of reference, {len(fresh):,} fresh ones, {len(training):,} for training")
print(f"one image: {tuple(reference.shape[1:])} pixels, {reference_features.shape[1]} features")
plots.show(
    plots.image_grid(
        torch.cat([fresh[:12], generated[:12]]),
        columns=12,
        row_labels=["fresh, real", "generated"],
        title="Two sets",
        note=test.note,
    )
)

# %% [markdown]
# We do not compare pixels. Two photographs of one scene, a pixel apart, may differ at every pixel.
# A network that has learnt to sort digits has found numbers that change when the digit changes:
# its **features**. All distances of this notebook are distances of features, and all depend on
# *which*. We come back to that.
#
# ## How far is one heap from another?
#
# Begin with a single feature. Each set is then a heap of points on a line. How far is one heap
# from the other? Take a spade: carry each point of the first heap to a point of the second, one
# to each. A move over the distance $m$ costs $m^2$. The distance of the heaps is what the
# *cheapest* way of carrying costs, on average per point.
#
# ### Exercise 9.1 — Move one heap onto the other (●●○, 8 min)
#
# Both heaps have equally many points, in no order. Give the mean cost of the cheapest way to
# carry the points of `a` onto those of `b`.


# %%
def transport_cost(a: Tensor, b: Tensor) -> Tensor:
    """The least mean squared move that carries the points a (N,) onto the points b (N,). Returns a scalar."""
    ### BEGIN SOLUTION
    return (a.sort().values - b.sort().values).square().mean()
    ### END SOLUTION


# %%
transport = check("9.1", transport_cost, otherwise=metrics.transport_cost)

# %% [markdown]
# The point with rank $u$ (a fraction: ½ is the median) goes to the place of the same rank. If the
# heaps are normal distributions, that place has a formula: the point of rank $u$ lies at
# $\mu + \sigma z_u$, where $z_u$ is the same for every normal distribution. So it moves by
#
# $$
# (\mu_a + \sigma_a z_u) - (\mu_b + \sigma_b z_u) = (\mu_a - \mu_b) + (\sigma_a - \sigma_b)\, z_u
# .
# $$
#
# Square that and average over all ranks. $z_u$ has mean 0 and mean square 1, so the mixed term
# drops out:
#
# $$
# d^2 = (\mu_a - \mu_b)^2 + (\sigma_a - \sigma_b)^2 .
# $$
#
# Means and spreads: that is all of the **Fréchet distance** in one dimension. (We call
# $d^2$ so, as everybody does; it is the square of the 2-Wasserstein distance.) Does it hold?

# %%
rng = torch.Generator().manual_seed(seed(1))
points = by_scale(ci=20_000, cpu=200_000, gpu=200_000)
formulas, moved = [], []
for (mean_a, spread_a), (mean_b, spread_b) in [((0, 1), (2, 1)), ((0, 1), (0, 3)), ((-1, 0.5), (1, 2))]:
    a = mean_a + spread_a * torch.randn(points, generator=rng)
    b = mean_b + spread_b * torch.randn(points, generator=rng)
    formulas.append((mean_a - mean_b) ** 2 + (spread_a - spread_b) ** 2)
    moved.append(float(transport(a, b)))
    print(
        f"N({mean_a}, {spread_a}²) → N({mean_b}, {spread_b}²): formula {formulas[-1]:.2f}, points {moved[-1]:.2f}"
    )

# %% tags=["claim"]
claim(
    "Means and spreads: that is all of the **Fréchet distance** in one dimension",
    all(abs(found / formula - 1) < 0.05 for found, formula in zip(moved, formulas, strict=True)),
    every_seed=True,
)

# %% jupyter={"source_hidden": true}
ranks = np.linspace(0.01, 0.99, 99)
scores = torch.distributions.Normal(0, 1).icdf(torch.tensor(ranks)).numpy()
figure, axes = plots.new_figure(height=3.4)
first, second = -1 + 0.5 * scores, 1 + 2 * scores
axes.plot(first, ranks, color=DATA, label="heap a: N(−1, 0.5²)")
axes.plot(second, ranks, color=MODEL, linestyle="--", label="heap b: N(1, 2²)")
for place in (4, 24, 49, 74, 94):
    axes.annotate(
        "", (second[place], ranks[place]), (first[place], ranks[place]), arrowprops={"arrowstyle": "->", "color": OTHER}
    )  # fmt: skip
axes.set(xlabel="place on the line", ylabel="rank $u$", title="Each point goes to the place of its own rank")
axes.legend(loc="lower right")
plots.show(
    plots.describe(
        figure,
        "Two S-shaped curves of rank over place, one steep around −1, one flat around 1. Horizontal arrows lead from "
        "the first to the second at five ranks; they are long at high ranks, short near the lower crossing.",
    )
)

# %% [markdown]
# ### And with 64 features?
#
# If the features are independent of each other, every one is a line of its own, and the costs add
# up: $\sum_i (\mu_{a,i} - \mu_{b,i})^2 + (\sigma_{a,i} - \sigma_{b,i})^2$. Write out the second
# square, and put the variances into diagonal matrices $\Sigma$:
#
# $$
# \sum_i \sigma_{a,i}^2 + \sigma_{b,i}^2 - 2\,\sigma_{a,i}\sigma_{b,i}
# = \operatorname{tr}\bigl(\Sigma_a + \Sigma_b - 2\,(\Sigma_a \Sigma_b)^{1/2}\bigr).
# $$
#
# In this form nothing needs to be diagonal any more. Turn both clouds by the same rotation: no
# move changes its length, and no trace changes either. That the formula holds for *any* two
# covariances was shown by Dowson and Landau (1982). For normal distributions the distance is
#
# $$
# d^2 = |\mu_a - \mu_b|^2 + \operatorname{tr}\bigl(\Sigma_a + \Sigma_b - 2\,(\Sigma_a \Sigma_b)^{1/2}\bigr).
# $$
#
# Heusel et al. (2017) put the features of the Inception network into it and called it the
# *Fréchet Inception Distance*, FID. Like everybody, they report the squared distance, and so do
# we.
#
# ### Exercise 9.2 — The Fréchet distance of two sets of features (●●○, 15 min)
#
# Write it for features `(N, d)` and `(M, d)`. The covariances divide by N − 1. The one piece that
# needs a thought is the trace of the root: $\Sigma_a \Sigma_b$ is not symmetric, and PyTorch has
# no root of a matrix. But a trace of a root is a sum of roots of eigenvalues. Compute in float64,
# and mind sets with fewer samples than features: some eigenvalues are 0 then, or a little below
# by rounding.


# %%
def frechet(real: Tensor, fake: Tensor) -> Tensor:
    """|μ_a − μ_b|² + tr(Σ_a + Σ_b − 2(Σ_a Σ_b)^½) of features (N, d) and (M, d). Returns a scalar."""
    ### BEGIN SOLUTION
    real, fake = real.double(), fake.double()
    a, b = torch.cov(real.T), torch.cov(fake.T)
    values, vectors = torch.linalg.eigh(a)
    half = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    overlap = torch.linalg.eigvalsh(half @ b @ half).clamp(min=0).sqrt().sum()
    return (real.mean(0) - fake.mean(0)).square().sum() + a.trace() + b.trace() - 2 * overlap
    ### END SOLUTION


# %%
distance_of = check("9.2", frechet, otherwise=frechet_distance)

# %% [markdown]
# Held against what is known: the formula for two normal distributions whose covariances are
# given, and many samples of them.

# %%
mixing_a, mixing_b = (torch.randn(5, 5, generator=rng, dtype=torch.float64) for _ in range(2))
cloud_a = torch.randn(points, 5, generator=rng, dtype=torch.float64) @ mixing_a
cloud_b = torch.randn(points, 5, generator=rng, dtype=torch.float64) @ mixing_b + 1
covariance_a, covariance_b = mixing_a.T @ mixing_a, mixing_b.T @ mixing_b
roots = torch.linalg.eigvals(covariance_a @ covariance_b).real.clamp(min=0).sqrt().sum()
closed_form = (5 + covariance_a.trace() + covariance_b.trace() - 2 * roots).item()
by_samples = float(distance_of(cloud_a, cloud_b))
print(f"formula {closed_form:.3f}, from {points:,} samples {by_samples:.3f}")
fresh_distance = float(distance_of(reference_features, fresh_features))
generated_distance = float(distance_of(reference_features, generated_features))
print(f"to the reference: fresh digits {fresh_distance:.2f}, generated digits {generated_distance:.2f}")

# %% tags=["claim"]
claim(
    "Held against what is known: the formula for two normal distributions whose covariances are given",
    abs(by_samples / closed_form - 1) < 0.05,
    every_seed=True,
)

# %% [markdown]
# The fresh digits are not at distance 0, though no generator could be better. Finite sets never
# look quite alike, so even the best score is above 0. That is the **floor**, and it belongs
# beside every distance that you report.

# %% tags=["claim"]
claim("The fresh digits are not at distance 0", fresh_distance > 0.05, every_seed=True)

# %% [markdown]
# ## Is each image clear, and are all kinds there?
#
# The first number in wide use for GANs' images, the **Inception score** (Salimans et al. 2016),
# asks a classifier two things. Is it sure of each image: has $p(k \mid x)$ one high peak? And do
# the images fall into all classes: is the average $p(k) = \mathbb{E}_x\, p(k \mid x)$ flat? Both
# at once means that $p(k \mid x)$ is far from $p(k)$, for most $x$:
#
# $$
# \text{score} = \exp\, \mathbb{E}_x\, \mathrm{KL}\bigl(p(k \mid x) \,\|\, p(k)\bigr).
# $$
#
# With the Inception network's 1,000 classes it is *the* Inception score. With our classifier's
# ten it is an analogue, and we call it the **classifier score**.
# <!-- number 1,000: the classes of ImageNet -->
#
# ### Exercise 9.3 — The classifier score (●●○, 10 min)
#
# Write it for *logits*, as classifiers of this course give them. A classifier that is entirely
# sure must not make it NaN. Before you check: what is the largest score that ten classes allow,
# and which images get it?


# %%
def score_of_logits(logits: Tensor) -> Tensor:
    """exp E KL(p(k | x) ‖ p(k)), from logits (N, K). Returns a scalar."""
    ### BEGIN SOLUTION
    log_p = logits.log_softmax(dim=1)
    p = log_p.exp()
    marginal = p.mean(dim=0)
    entropy_of_mean = -torch.special.xlogy(marginal, marginal).sum()
    mean_entropy = -(p * log_p).sum(dim=1).mean()
    return (entropy_of_mean - mean_entropy).exp()
    ### END SOLUTION


# %%
score = check("9.3", score_of_logits, otherwise=classifier_score)

# %%
with torch.no_grad():
    logits_of = {
        "fresh": classifier.head(fresh_features),
        "generated": classifier.head(generated_features),
        "every digit once": classifier.head(
            features(torch.stack([fresh[fresh_labels == digit][0] for digit in range(10)]))
        ),
    }
scores_of = {name: float(score(logits)) for name, logits in logits_of.items()}
for name, value in scores_of.items():
    print(f"{name:18s} classifier score {value:.2f}")

# %% [markdown]
# The largest score is the number of classes: 10, for images that are sure and evenly spread. Ten
# images, one of each digit, can be repeated for ever and score about what all fresh digits score.
# The score never looks at the real images and never asks how *different* the fours are. (Fresh
# digits stay below ten because this classifier leaves some probability to other classes, even for
# clear ones.)

# %% tags=["claim"]
claim(
    "Ten images, one of each digit, can be repeated for ever and score about what all fresh digits score",
    scores_of["every digit once"] > 0.8 * scores_of["fresh"],
    every_seed=True,
)

# %% [markdown]
# ## What if the clouds are no normal distributions?
#
# The Fréchet distance sees means and covariances, nothing else. Here are two heaps with one mean
# and one spread: a normal distribution, and coins that show −1 or 1. The Fréchet distance of the
# two is 0, or nearly. Is there a number that sees the difference?
#
# Take any function $k(x, y)$ that says how alike two samples are, and compare three averages:
# real with real, fake with fake, real with fake. If the sets come from one distribution, all
# three agree:
#
# $$
# \mathrm{MMD}^2 = \mathbb{E}\, k(x, x') + \mathbb{E}\, k(y, y') - 2\,\mathbb{E}\, k(x, y).
# $$
#
# Here $x$ and $x'$ are two *independent* real samples, $y$ and $y'$ two independent fakes.
# Bińkowski et al. (2018) take $k(x, y) = (x \cdot y / d + 1)^3$, with $d$ for the number of
# features, and call it the *Kernel Inception Distance*, KID. The third power compares means,
# covariances and third moments at once.
#
# ### Exercise 9.4 — The kernel distance, without bias (●●●, 20 min)
#
# Write an estimate of MMD² from `(N, d)` real and `(M, d)` generated features that is
# **unbiased**: its average over many pairs of sets must be the true MMD², even for sets of ten.
# Ask of each of the three averages: over which pairs of samples?


# %%
def kernel_distance_of(real: Tensor, fake: Tensor) -> Tensor:
    """An unbiased estimate of MMD² with k(x, y) = (x·y/d + 1)³, features (N, d) and (M, d). Returns a scalar."""

    ### BEGIN SOLUTION
    def kernel(a: Tensor, b: Tensor) -> Tensor:
        return (a @ b.T / a.shape[1] + 1) ** 3

    def mean_of_different(matrix: Tensor) -> Tensor:
        return (matrix.sum() - matrix.trace()) / (len(matrix) * (len(matrix) - 1))

    real, fake = real.double(), fake.double()
    return (
        mean_of_different(kernel(real, real))
        + mean_of_different(kernel(fake, fake))
        - 2 * kernel(real, fake).mean()
    )
    ### END SOLUTION


# %%
kernel_distance_checked = check("9.4", kernel_distance_of, otherwise=kernel_distance)

# %% [markdown]
# First, without bias? Draw pairs of small sets of fresh and of reference images, and average both
# distances over them.

# %%
rows = by_scale(ci=[25, 50], cpu=[25, 50, 100, 200, 400], gpu=[25, 50, 100, 200, 400])
repeats = by_scale(ci=3, cpu=60, gpu=60)
fresh_all = features(fresh)
small = {"Fréchet distance": [], "kernel distance × 100": []}  # for each n: the mean, and its standard error
for n in rows:
    pairs = [(draw(reference_features, n), draw(fresh_all, n)) for _ in range(repeats)]
    by_frechet = [frechet_distance(*pair) for pair in pairs]
    by_kernel = [100 * float(kernel_distance_checked(*pair)) for pair in pairs]
    for name, found in zip(small, (by_frechet, by_kernel), strict=True):
        small[name].append((np.mean(found), np.std(found, ddof=1) / math.sqrt(repeats)))
print(f"{'n':22s}" + "".join(f"{n:16d}" for n in rows))
for name, found in small.items():
    print(f"{name:22s}" + "".join(f"{f'{mean:.2f} ± {error:.2f}':>16s}" for mean, error in found))

# %% [markdown]
# Both sets are real, so the truth is 0. The Fréchet distance of small sets is far too large, and
# falls as the sets grow. The kernel distance is about 0 at every size, within the error of these
# averages; now and then an average lies below 0, as an unbiased estimate of 0 has to.

# %% tags=["claim"]
claim(
    "The Fréchet distance of small sets is far too large, and falls as the sets grow",
    all(np.diff([mean for mean, _ in small["Fréchet distance"]]) < 0)
    and small["Fréchet distance"][0][0] > 10 * fresh_distance,
    every_seed=True,
)
claim(
    "The kernel distance is about 0 at every size, within the error of these averages",
    all(abs(mean) < 4 * error for mean, error in small["kernel distance × 100"]),
    every_seed=True,
)

# %% [markdown]
# And the coins? A normal distribution with the same mean and spread is symmetric, as they are, so
# even third moments agree. Loaded coins do not: 1 in ten shows 3, the others −⅓.

# %%
size = by_scale(ci=300, cpu=3_000, gpu=3_000)
normal = torch.randn(size, 1, generator=rng)
heads = (torch.rand(size, 1, generator=rng) < 0.5).float()
loaded = (torch.rand(size, 1, generator=rng) < 0.1).float()
coins = {
    "normal, again": torch.randn(size, 1, generator=rng),
    "coins, ±1": 2 * heads - 1,
    "loaded coins, 3 or −⅓": loaded * 3 - (1 - loaded) / 3,
}
coin_distances = {}
for name, heap in coins.items():
    coin_distances[name] = (frechet_distance(normal, heap), kernel_distance(normal, heap))
    print(f"{name:22s} Fréchet {coin_distances[name][0]:6.3f}, kernel {coin_distances[name][1]:7.3f}")

# %% [markdown]
# The Fréchet distance finds all three alike. The kernel distance sees the loaded coins. The fair
# ones, all of whose moments up to the third agree with the normal distribution's, escape it too:
# a polynomial of degree 3 sees three moments. Each of the two sees what it was built from.

# %% tags=["claim"]
claim(
    "The Fréchet distance finds all three alike. The kernel distance sees the loaded coins",
    max(one[0] for one in coin_distances.values()) < 0.1
    and coin_distances["loaded coins, 3 or −⅓"][1] > 1
    and coin_distances["loaded coins, 3 or −⅓"][1] > 3 * abs(coin_distances["normal, again"][1]),
    every_seed=True,
)

# %% [markdown]
# ## Bad images, or missing ones?
#
# One number cannot say *what* is wrong. A generator of perfect sevens and a generator of all
# digits, badly drawn, may have the same distance. Kynkäänniemi et al. (2019) ask two questions.
#
# Around each sample of a set, draw a **ball** that reaches to its $k$-th nearest neighbour in
# that set, itself not counted. The balls together stand for where that set lives: small where it
# is dense, large where it is thin.
#
# - **Precision**: the fraction of generated samples that lie in the ball of at least one real
#   sample.
# - **Recall**: the fraction of real samples that lie in the ball of at least one generated
#   sample.
#
# ### Exercise 9.5 — Precision and recall (●●●, 25 min)
#
# Write both. A sample on the edge of a ball is in it.


# %%
def precision_and_recall(real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(precision, recall) with balls to the k-th nearest neighbour, of features (N, d) and (M, d)."""

    ### BEGIN SOLUTION
    def radii(points: Tensor) -> Tensor:
        distances = torch.cdist(points, points).fill_diagonal_(torch.inf)  # nobody is their own neighbour
        return distances.topk(k, largest=False).values[:, -1]

    distances = torch.cdist(real, fake)
    precision = (distances <= radii(real)[:, None]).any(dim=0).float().mean()
    recall = (distances <= radii(fake)[None, :]).any(dim=1).float().mean()
    return precision, recall
    ### END SOLUTION


# %%
both = check("9.5", precision_and_recall, otherwise=precision_recall)

# %% [markdown]
# On the plane you can see what the two do. Four generators of the same heap of points:

# %% jupyter={"source_hidden": true}
heap = torch.randn(300, 2, generator=rng)
planes = {
    "as the data": torch.randn(300, 2, generator=rng),
    "too narrow": 0.25 * torch.randn(300, 2, generator=rng) + 0.5,
    "too wide": 4.5 * torch.randn(300, 2, generator=rng),
    "narrow, 4 strays": torch.cat(
        [
            0.25 * torch.randn(296, 2, generator=rng) + 0.5,
            torch.tensor([[9.0, 9], [-9, 9], [9, -9], [-9, -9]]),
        ]
    ),
}
figure, panels = plots.new_figure(columns=4, width=7.5, height=3.0, sharex=True, sharey=True)
plane_values = {}
for axes, (name, fakes) in zip(panels, planes.items(), strict=True):
    precision, recall = (float(one) for one in both(heap, fakes, 3))
    density, coverage = density_coverage(heap, fakes, 5)
    plane_values[name] = (precision, recall, density, coverage)
    axes.scatter(*heap.T, s=5, color=DATA, label="real")
    axes.scatter(*fakes.T, s=7, color=MODEL, marker="x", linewidths=0.8, label="generated")
    axes.set(xlim=(-10.5, 10.5), ylim=(-10.5, 10.5), title=name, xlabel="$x_1$")
    axes.set_xticks([-8, 0, 8])
panels[0].set_ylabel("$x_2$")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, markerscale=2)
plots.show(
    plots.describe(
        figure,
        "Four panels of 300 real points around the origin and as many generated ones: spread like the data, in a "
        "narrow heap, in a wide one, and in a narrow heap with four strays far away. "
        + " ".join(f"{n}: precision {v[0]:.2f}, recall {v[1]:.2f}." for n, v in plane_values.items()),
    )
)
print(f"{'':18s}precision  recall  density  coverage")
for name, values in plane_values.items():
    print(f"{name:18s}" + "".join(f"{value:9.2f}" for value in values))

# %% [markdown]
# Too narrow: high precision, low recall. Too wide: the other way round. But look at the last one.
# Four strays far from everything have balls so large that they hold *all* the data: recall says
# that nothing is missing.
#
# Naeem et al. (2020) use balls around *real* samples only. **Density** counts in how many of them
# a fake lies, divided by $k$. **Coverage** is the fraction of real balls with at least one fake
# in them. Strays cannot inflate either.

# %% tags=["claim"]
claim(
    "Too narrow: high precision, low recall. Too wide: the other way round",
    plane_values["too narrow"][0] > 0.75 > 0.45 > plane_values["too narrow"][1]
    and plane_values["too wide"][0] < 0.45 < 0.85 < plane_values["too wide"][1],
    every_seed=True,
)
claim(
    "recall says that nothing is missing",
    plane_values["narrow, 4 strays"][1] > 0.9,
    every_seed=True,
)
claim(
    "Strays cannot inflate either",
    abs(plane_values["narrow, 4 strays"][3] - plane_values["too narrow"][3]) < 0.15
    and plane_values["narrow, 4 strays"][3] < 0.6
    and plane_values["narrow, 4 strays"][2] < plane_values["too narrow"][2] + 0.15,
    every_seed=True,
)

# %% [markdown]
# ## Has it only learnt by heart?
#
# Everything so far compares with the *test* set. A generator that hands out its training images,
# one by one, draws from the data's distribution like nobody else, and gets full marks.
#
# To catch it, look up the nearest *training* image of each sample. That alone says nothing: how
# near is suspicious? So look up those of fresh images too, which nobody can have copied.
# **Copying** is the probability that a generated image is nearer to the training set than a fresh
# one: ½ for honest samples, 1 for copies. (That is the statistic of Mann and Whitney, used for
# this by Meehan, Chaudhuri and Dasgupta, 2020.)
#
# ### Exercise 9.6 — Has it copied? (●●○, 12 min)
#
# Write it for vectors. The nearest is meant by Euclidean distance. Estimate the probability by
# the fraction of *all* pairs of one generated and one fresh vector; where both are equally near,
# the pair counts half.


# %%
def copied_fraction(fake: Tensor, fresh: Tensor, training: Tensor) -> Tensor:
    """P(a fake is nearer to `training` than a fresh one), ties half. (N, d), (M, d), (K, d) in, a scalar out."""
    ### BEGIN SOLUTION
    of_fake, of_fresh = (torch.cdist(side, training).amin(dim=1) for side in (fake, fresh))
    nearer = (of_fake[:, None] < of_fresh).double()
    equally_near = (of_fake[:, None] == of_fresh).double()
    return (nearer + equally_near / 2).mean()
    ### END SOLUTION


# %%
test_of_copying = check("9.6", copied_fraction, otherwise=metrics.copied_fraction)

# %% [markdown]
# First where you know the answer, on the plane: three generators that have seen the same few
# training points. One draws from the data's distribution. One hands the training points out, with
# a little noise on top. One keeps to the middle of the data.

# %%
seen, never_seen = (torch.randn(200, 2, generator=rng) for _ in range(2))
learners = {
    "honest": torch.randn(200, 2, generator=rng),
    "copies and noise": seen + 0.02 * torch.randn(200, 2, generator=rng),
    "keeps to the middle": 0.3 * torch.randn(200, 2, generator=rng),
}
copied_points = {name: float(test_of_copying(made, never_seen, seen)) for name, made in learners.items()}
for name, value in copied_points.items():
    print(f"{name:20s} copying {value:.2f}")

# %% [markdown]
# The copies are found, though none of them is exact. But keeping to the middle looks like copying
# as well: there the training points lie close together, so that everything is near to one of
# them. Copying above ½ is a reason to look at the nearest neighbours, and no proof.

# %% tags=["claim"]
claim(
    "The copies are found, though none of them is exact",
    copied_points["copies and noise"] > 0.85 and abs(copied_points["honest"] - 0.5) < 0.15,
    every_seed=True,
)
claim(
    "keeping to the middle looks like copying as well",
    copied_points["keeps to the middle"] > 0.56,
    every_seed=True,
)

# %% [markdown]
# Now the images. They are compared as vectors of pixels, shrunk to half their height and width;
# the package looks up the neighbours in pieces, which needs less memory.

# %%
training_vectors = thumbnails(training)
looked_up = by_scale(ci=50, cpu=500, gpu=500)
held_out = nearest(thumbnails(reference[:looked_up]), training_vectors).distances


def copying_of(images: Tensor) -> float:
    return copying(nearest(thumbnails(images[:looked_up]), training_vectors).distances, held_out)


suspects = {"fresh": draw(fresh), "generated": generated, "learnt by heart": draw(learnt)}
copied = {name: copying_of(images) for name, images in suspects.items()}
for name, value in copied.items():
    print(f"{name:16s} copying {value:.2f}")

# %% tags=["claim"]
claim(
    "½ for honest samples, 1 for copies",
    abs(copied["fresh"] - 0.5) < 0.1
    and abs(copied["generated"] - 0.5) < 0.1
    and copied["learnt by heart"] > 0.99,
    every_seed=True,
)

# %% [markdown]
# ## Why not simply compare pixels?
#
# Two older numbers compare an image with *one* other image. The **mean squared error** (MSE)
# averages squared differences of pixels. **SSIM** (Wang et al. 2004) slides a window over both
# images and compares, under it, brightness, contrast and pattern:
#
# $$
# \mathrm{SSIM} = \frac{(2\mu_x\mu_y + c_1)(2\sigma_{xy} + c_2)}{(\mu_x^2 + \mu_y^2 + c_1)(\sigma_x^2 + \sigma_y^2 + c_2)},
# $$
#
# which is 1 for equal images. Here $x$ and $y$ are brightnesses from 0 to 1; $c_1 = 0.01^2$ and
# $c_2 = 0.03^2$ keep the fraction from being 0/0 where both are black.
#
# ### Exercise 9.7 — SSIM (●●○, 18 min)
#
# Means, variances and covariance are those *under the window*: of 11 × 11 pixels, with weights
# that fall from its middle like a Gaussian of σ = 1.5 pixels and add up to 1. It slides by one
# pixel, over all places where it lies inside the image. Return the mean over places and pairs.


# %%
def ssim(images: Tensor, targets: Tensor) -> Tensor:
    """The mean SSIM of pairs of grey images in [−1, 1], both (N, 1, H, W). Returns a scalar."""
    ### BEGIN SOLUTION
    steps = torch.arange(-5, 6.0)
    weights = torch.exp(-steps.square() / (2 * 1.5**2))
    window = torch.outer(weights, weights) / weights.sum() ** 2
    x, y = (images + 1) / 2, (targets + 1) / 2
    mean_x, mean_y, mean_xx, mean_yy, mean_xy = (
        F.conv2d(maps, window[None, None]) for maps in (x, y, x * x, y * y, x * y)
    )
    variances, covariance = mean_xx - mean_x**2 + mean_yy - mean_y**2, mean_xy - mean_x * mean_y
    brightness = (2 * mean_x * mean_y + 0.01**2) / (mean_x**2 + mean_y**2 + 0.01**2)
    return (brightness * (2 * covariance + 0.03**2) / (variances + 0.03**2)).mean()
    ### END SOLUTION


# %%
similarity = check("9.7", ssim, otherwise=structural_similarity)

# %% [markdown]
# MSE and SSIM are made for *reconstructions*: a codec or an autoencoder has a target. A generator
# has none. What if you take just any real image as the target?
#
# **Predict.** Each test image is paired with one image of a set, at random. Which set gets the
# *smallest* mean squared error: (a) other real digits, (b) digits of the generator, (c) one grey
# image, the mean of all training digits, 1,500 times?
# <!-- number 1,500: count, in the first cells -->

# %%
targets = draw(reference)
mean_image = training.mean(0, keepdim=True).expand(len(targets), -1, -1, -1)
pairs = {"(a) real digits": draw(fresh), "(b) generated digits": generated, "(c) the mean image": mean_image}
errors = {}
for name, images in pairs.items():
    errors[name] = mean_squared_error(images, targets)
    print(f"{name:22s} MSE {errors[name]:.3f}, SSIM {float(similarity(images, targets)):.2f}")
shifted = torch.roll(targets, 2, dims=3)
errors["shifted"] = mean_squared_error(shifted, targets)
print(f"{'itself, 2 pixels right':22s} MSE {errors['shifted']:.3f}, "
      f"SSIM {float(similarity(shifted, targets)):.2f}")  # fmt: skip

# %% [markdown]
# It is (c), and by far: a blur that is no digit beats real ones. Real and generated digits come
# out alike. And a digit that was moved by two pixels, faultless to you, is farther from itself
# than the blur is. Is there an image that does better still?

# %% tags=["claim"]
claim(
    "It is (c), and by far",
    errors["(c) the mean image"] < 0.7 * min(errors["(a) real digits"], errors["(b) generated digits"]),
    every_seed=True,
)
claim(
    "Real and generated digits come out alike",
    about(errors["(b) generated digits"], errors["(a) real digits"], rel=0.1),
    every_seed=True,
)
claim(
    "is farther from itself than the blur is",
    errors["shifted"] > 1.1 * errors["(c) the mean image"],
    every_seed=True,
    values={"two": 2},
)

# %% [markdown]
# ### Exercise 9.8 — The safest guess (●○○, 6 min)
#
# You are given the targets, and may answer with *one* image for all of them. Which image has the
# least mean squared error, over all targets and pixels, and how large is that error?


# %%
def safest_guess(targets: Tensor) -> tuple[Tensor, Tensor]:
    """(image (C, H, W), its mean squared error ()) of the best single guess at targets (N, C, H, W)."""
    ### BEGIN SOLUTION
    image = targets.mean(dim=0)
    return image, (targets - image).square().mean()
    ### END SOLUTION


# %%
guess_of = check("9.8", safest_guess, otherwise=metrics.safest_guess)

least = float(guess_of(targets)[1])
print(f"these targets: the best single image {least:.3f}, the mean of all training digits "
      f"{errors['(c) the mean image']:.3f}")  # fmt: skip

# %% [markdown]
# The best is the mean of the targets themselves, pixel by pixel: there the derivative of the sum
# of squares, $2\sum_i (c - x_i)$, is 0. The mean of *other* digits is nearly as good. So whoever
# trains or judges by MSE against random targets asks for grey. Keep MSE and SSIM for the
# autoencoders of [notebook 10](10_vae.ipynb#Nats-of-what?), and for generators compare
# distributions.

# %% tags=["claim"]
claim(
    "The mean of *other* digits is nearly as good",
    least <= errors["(c) the mean image"] < 1.05 * least,
    every_seed=True,
)

# %% [markdown]
# ## Which number sees which failure?
#
# Now for the experiment. Take fresh real digits and make ten suspects of them: spoilt, dropped,
# copied, moved, or merely few. Measure all metrics on all of them.


# %%
def blurred(images: Tensor) -> Tensor:
    """A Gaussian blur over about one pixel to each side; what lies outside is black."""
    weights = torch.exp(-(torch.arange(-3, 4.0) ** 2) / 2)
    weights = weights / weights.sum()
    ink = F.conv2d(images + 1, weights[None, None, :, None], padding=(3, 0))
    return F.conv2d(ink, weights[None, None, None, :], padding=(0, 3)) - 1


def noisy(images: Tensor, strength: float = 0.3) -> Tensor:
    return (images + strength * torch.randn(images.shape, generator=chooser)).clamp(-1, 1)


base = draw(fresh)
rubbish = 2 * torch.rand(base.shape, generator=chooser) - 1
few = count // 10
# Of all fresh digits the one that lies nearest to a digit of the reference.
typical = base[torch.cdist(features(base), reference_features).amin(dim=1).argmin()][None]
failures = {
    "blur": blurred(base).clamp(-1, 1),
    "noise on every image": noisy(base),
    "a quarter is rubbish": torch.cat([base[: count - count // 4], rubbish[: count // 4]]),
    "one image, repeated": typical.expand(count, -1, -1, -1),
    "one class dropped": draw(fresh[fresh_labels != 4]),
    "memorised training set": draw(learnt),
    "lower contrast": 0.6 * (base + 1) - 1,
    "two pixels to the right": torch.roll(base, 2, dims=3),
    f"few samples: {few}": base[:few],
    "the course's generator": generated,
}
plots.show(
    plots.image_grid(
        torch.cat([images[torch.linspace(0, len(images) - 1, 12).long()] for images in failures.values()]),
        columns=12,
        row_labels=[textwrap.fill(name, 14) for name in failures],
        title="Ten generators",
        note=test.note,
        width=7.5,
    )
)

# %% [markdown]
# ### Exercise 9.9 — Predict: who sees it? (●○○, 4 min)
#
# Four of these rows, and two metrics: which of the two falls clearly below what fresh digits get?
# Answer with a dictionary of four entries, `predictions = {"noise on every image": "…", …}`. Its
# keys are `"noise on every image"`, `"a quarter is rubbish"`, `"one image, repeated"` and
# `"memorised training set"`; for each write `"precision"`, `"recall"`, `"both"` or `"neither"`.

# %%
### BEGIN SOLUTION
predictions = {
    "noise on every image": "both",
    "a quarter is rubbish": "precision",
    "one image, repeated": "recall",
    "memorised training set": "neither",
}
### END SOLUTION

# %%
check("9.9", predictions)

# %%
COLUMNS = ("frechet", "kernel", "score", "precision", "recall", "density", "coverage", "copying")
reference_statistics = feature_statistics(reference_features)
reference_part = reference_features[:count]


@torch.no_grad()
def measured(images: Tensor) -> dict[str, float]:
    found = features(images)
    return {
        "frechet": frechet_distance(reference_statistics, found),
        "kernel": 1000 * kernel_distance(reference_part, found),
        "score": classifier_score(classifier.head(found)),
        **precision_recall(reference_part, found)._asdict(),
        **density_coverage(reference_part, found)._asdict(),
        "copying": copying_of(images),
    }


def mean_of(several: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.mean([one[key] for one in several])) for key in COLUMNS}


floors = [measured(draw(fresh)) for _ in with_progress(range(by_scale(ci=2, cpu=10, gpu=10)), "fresh digits")]
values = {"fresh digits": mean_of(floors)}

# %%
for name, images in with_progress(list(failures.items()), "failures"):
    # Small sets scatter: what they do on average is what counts, so ten of them are drawn.
    parts = [draw(fresh, len(images)) for _ in range(10)] if len(images) < count else [images]
    values[name] = mean_of([measured(part) for part in parts])

# %% [markdown]
# A metric *sees* a failure if its value is worse than that of fresh digits by more than five
# times their scatter from one draw to the next.

# %% jupyter={"source_hidden": true}
scatter = {key: float(np.std([one[key] for one in floors], ddof=1)) for key in COLUMNS}


def verdict(metric: str, value: float) -> int:
    excess = (value - values["fresh digits"][metric]) / max(scatter[metric], 1e-9)
    if METRICS[metric].better == "higher":
        excess = -excess
    if excess > 5:
        return WORSE
    return BETTER if excess < -5 and metric != "copying" else SAME  # farther than real images: no copies


verdicts = {row: {key: verdict(key, cells[key]) for key in COLUMNS} for row, cells in values.items()}
digits = dict.fromkeys(COLUMNS, 2) | {"kernel": 0}
titles = {"frechet": "Fréchet\ndistance", "kernel": "kernel\n× 1000", "score": "classifier\nscore"}
seen_by = {
    row: [titles.get(key, key).replace("\n", " ") for key in COLUMNS if cells[key] == WORSE]
    for row, cells in verdicts.items()
}
plots.show(
    plots.failure_matrix(
        values,
        verdicts,
        digits=digits,
        titles=titles,
        note=test.note,
        alt="A table of eleven rows and eight metrics. "
        + " ".join(f"{row}: seen by {', '.join(names) or 'none'}." for row, names in seen_by.items()),
    )
)

# %% [markdown]
# You predicted four rows. *Noise on every image*: both. The fakes leave the real balls, and the
# fakes' own balls hold hardly any real digit. *A quarter is rubbish*: precision only; the other
# three quarters still reach what there is. *One image, repeated*: recall only; the one image is a
# fine digit. *Memorised training set*: neither.
#
# Read the matrix by columns. The table names what a metric is there for; the figure has all:
#
# | metric | sees | is blind to |
# | --- | --- | --- |
# | Fréchet and kernel distance | blur, noise, rubbish, one image, a class dropped, contrast, the shift | the memorised training set |
# | classifier score | blur, noise, one image, contrast | the shift: a digit is a digit wherever it stands; the memorised set |
# | precision | rubbish in the set, blur, noise | a class that is missing |
# | recall | what is missing: a class, or all but one image | a quarter of rubbish |
# | copying | the memorised training set | quality and variety; and pale digits come under suspicion, since they are nearer to everything |
#
# And by rows. In this run copying suspects *one image, repeated*, too: it is a kind of digit of
# which the training set has many that are nearly alike. *Few samples* are fresh digits, as good
# as any. The Fréchet distance blames them for their number; the kernel distance does not.
# Coverage blames them too: fewer fakes reach fewer balls.

# %% tags=["claim"]
_seen = lambda row, *metrics: all(verdicts[row][metric] == WORSE for metric in metrics)  # noqa: E731
_blind = lambda row, *metrics: all(verdicts[row][metric] != WORSE for metric in metrics)  # noqa: E731
_few = next(row for row in verdicts if row.startswith("few"))
claim(
    "*Noise on every image*: both",
    _seen("noise on every image", "precision", "recall"),
    every_seed=True,
)
claim(
    "*A quarter is rubbish*: precision only",
    _seen("a quarter is rubbish", "precision") and _blind("a quarter is rubbish", "recall"),
    every_seed=True,
)
claim(
    "*One image, repeated*: recall only",
    values["one image, repeated"]["recall"] < 0.05 and _blind("one image, repeated", "precision"),
    every_seed=True,
)
claim(
    "*Memorised training set*: neither",
    _blind("memorised training set", "precision", "recall"),
    every_seed=True,
)
claim(
    "blur, noise, rubbish, one image, a class dropped, contrast, the shift | the memorised training set",
    all(
        _seen(row, "frechet", "kernel")
        for row in (
            "blur",
            "noise on every image",
            "a quarter is rubbish",
            "one image, repeated",
            "one class dropped",
            "lower contrast",
            "two pixels to the right",
        )
    )
    and _blind("memorised training set", "frechet", "kernel"),
    every_seed=True,
)
claim(
    "blur, noise, one image, contrast | the shift: a digit is a digit wherever it stands; the memorised set",
    all(
        _seen(row, "score")
        for row in ("blur", "noise on every image", "one image, repeated", "lower contrast")
    )
    and _blind("two pixels to the right", "score")
    and _blind("memorised training set", "score"),
    every_seed=True,
)
claim(
    "rubbish in the set, blur, noise | a class that is missing",
    all(_seen(row, "precision") for row in ("a quarter is rubbish", "blur", "noise on every image"))
    and _blind("one class dropped", "precision"),
    every_seed=True,
)
claim(
    "what is missing: a class, or all but one image | a quarter of rubbish",
    values["one class dropped"]["recall"] < values["fresh digits"]["recall"] - 0.03
    and values["one image, repeated"]["recall"] < 0.05
    and abs(values["a quarter is rubbish"]["recall"] - values["fresh digits"]["recall"]) < 0.04,
    every_seed=True,
)
claim(
    "The Fréchet distance blames them for their number; the kernel distance does not",
    _seen(_few, "frechet") and _blind(_few, "kernel"),
    every_seed=True,
)
claim("Coverage blames them too", _seen(_few, "coverage"), every_seed=True)
claim("copying | the memorised training set", _seen("memorised training set", "copying"), every_seed=True)
claim(
    "pale digits come under suspicion, since they are nearer to everything",
    values["lower contrast"]["copying"] > values["fresh digits"]["copying"] + 0.04,
    every_seed=True,
)

# %% [markdown]
# ### Shifted colours
#
# One common failure digits cannot have: a tint. So take photographs. Half of some test images of
# CIFAR-10 is the reference, the other half plays the generator: as it is, with a little more red,
# and with less contrast.

# %%
photographs = data.load_cifar10("test")
colour_classifier = load_classifier("cifar10")
colour_count = by_scale(ci=80, cpu=2_000, gpu=2_000)
chosen = torch.randperm(len(photographs.images), generator=torch.Generator().manual_seed(seed(6)))
real_photographs, others = data.to_model_range(photographs.images[chosen[: 2 * colour_count]]).chunk(2)
tint = torch.tensor([0.2, 0.0, 0.0])[:, None, None]  # of the 2 between black and full red
colour_sets = {
    "fresh photographs": others,
    "red + 0.2": (others + tint).clamp(-1, 1),
    "lower contrast": 0.6 * others,
}
colour_reference = in_batches(colour_classifier.features, real_photographs)
colour_values = {}
for name, images in with_progress(list(colour_sets.items()), "photographs"):
    found = in_batches(colour_classifier.features, images)
    with torch.no_grad():
        colour_score = classifier_score(colour_classifier.head(found))
    colour_values[name] = {
        "frechet": frechet_distance(colour_reference, found),
        "kernel": 1000 * kernel_distance(colour_reference, found),
        "score": colour_score,
        **precision_recall(colour_reference, found)._asdict(),
        **density_coverage(colour_reference, found)._asdict(),
    }
print(f"{'':18s}" + "".join(f"{name:>10s}" for name in colour_values["red + 0.2"]))
for name, row in colour_values.items():
    print(f"{name:18s}" + "".join(f"{value:10.2f}" for value in row.values()))
plots.show(
    plots.image_grid(
        torch.cat([images[:12] for images in colour_sets.values()]),
        columns=12,
        row_labels=[*colour_sets],
        title="The same photographs, as they are and spoilt",
        note=photographs.note,
    )
)
del photographs, real_photographs, others, colour_sets  # the report card below needs the room

# %% [markdown]
# Both distances see the tint and the lost contrast, and the classifier score falls. Precision and
# density see neither: they ask whether a photograph lies near some real one, and a reddish or a
# pale one does. The other two ask from the real side: recall and coverage fall, clearly for
# contrast and a little for the tint.

# %% tags=["claim"]
_photos, _red, _pale = colour_values.values()
claim(
    "Both distances see the tint and the lost contrast, and the classifier score falls",
    all(
        row["frechet"] > 2 * _photos["frechet"]
        and row["kernel"] > _photos["kernel"] + 1
        and row["score"] < _photos["score"] - 0.15
        for row in (_red, _pale)
    ),
    every_seed=True,
)
claim(
    "Precision and density see neither",
    all(row[key] > _photos[key] - 0.02 for row in (_red, _pale) for key in ("precision", "density")),
    every_seed=True,
)
claim(
    "recall and coverage fall, clearly for contrast and a little for the tint",
    all(_pale[key] < _photos[key] - 0.04 and _pale[key] < _red[key] < _photos[key]
        for key in ("recall", "coverage")),
    every_seed=True,
)  # fmt: skip

# %% [markdown]
# ### Exercise 9.10 — Four reports, four diagnoses (●●○, 8 min)
#
# Four sets of images, of which you see nothing but their reports. The course's `evaluate` makes a
# whole report in one call. Which set is which? Answer with a dictionary, `diagnoses = {"A": "…",
# "B": "…", "C": "…", "D": "…"}`, of these four, each once: `"classes missing"`, `"memorised"`,
# `"no failure"` and `"noise"`. Estimates of what is nearly 0, the unlimited distance and the kernel
# distance, may come out below 0.

# %%
report_size = by_scale(ci=60, cpu=1_000, gpu=2_000)
unknown = four_sets(fresh, fresh_labels, data.to_model_range(train.images), report_size, chooser)
reports = {
    letter: evaluate(images, "mnist", samples=report_size)
    for letter, images in with_progress(list(unknown.items()), "reports")
}
print(report_table(reports))

# %%
### BEGIN SOLUTION
diagnoses = {"A": "classes missing", "B": "noise", "C": "memorised", "D": "no failure"}
### END SOLUTION

# %%
named = check("9.10", diagnoses, otherwise=None)

# %% [markdown] tags=["solution"]
# A covers five classes and has the recall of a generator that leaves much out, at full precision.
# B covers all ten, and its precision is low: each image is spoilt. C and D differ by more
# than chance in one row only. Copying is 1 for C.

# %% tags=["claim"]
claim(
    "A covers five classes",
    reports["A"].scores["classes"] <= 6 and reports["B"].scores["classes"] == 10,
    every_seed=True,
)
claim(
    "Copying is 1 for C",
    reports["C"].scores["copying"] > 0.99 and reports["D"].scores["copying"] < 0.6,
    every_seed=True,
    values={"ten": reports["B"].scores["classes"]},
)

# %% [markdown]
# The pictures come last:

# %% jupyter={"source_hidden": true}
if named:
    plots.show(
        plots.image_grid(
            torch.cat([images[:12] for images in unknown.values()]),
            columns=12,
            row_labels=[*unknown],
            title="What the reports were about",
            note=test.note,
        )
    )
else:
    print("They are shown when you have named the four sets: run this cell again then.")

# %% [markdown]
# ## How do you cheat?
#
# The shipped generator does not change any more. In this section its score does. Each of the
# following has been done, most often by accident.
#
# ### Take more samples
#
# Chong and Forsyth (2020) worked out what $N$ samples do to the distance. The mean and the
# covariance of $N$ samples are a little off, at random; squared, that does not average out, and
# the distance is too large by about $b/N$. Worse, $b$ is another for each generator, so that a
# ranking may turn round with $N$.

# %%
many = features(sample(load_generator("mnist"), by_scale(ci=400, cpu=10_000, gpu=10_000), seed=seed(2)))
sizes = [len(many) // part for part in (10, 7, 5, 4, 3, 2, 1)]
smaller = [len(many) // 40, len(many) // 20]


def by_parts(size: int) -> float:
    """The distance of `size` of the samples, on average over five choices of them."""
    one_each = [frechet_by_size(reference_statistics, many, [size], seed=seed(choice)) for choice in range(5)]
    return float(np.mean(one_each))


by_size, by_smaller = [by_parts(size) for size in sizes], [by_parts(size) for size in smaller]
for size, distance in zip([*smaller, *sizes], [*by_smaller, *by_size], strict=True):
    print(f"N = {size:6,}: Fréchet distance {distance:.3f}")

# %% [markdown]
# ### Exercise 9.11 — Infinitely many samples (●●○, 10 min)
#
# If the distance is $d_\infty + b/N$, then $d_\infty$ can be had without infinitely many samples.
# Fit a straight line by least squares, in the right variable, and read it off in the right place.


# %%
def at_infinity(sizes: list[int], distances: list[float]) -> float:
    """d∞ of the least-squares fit distances ≈ d∞ + b / sizes. Lists of equal length."""
    ### BEGIN SOLUTION
    _slope, intercept = np.polyfit(1 / np.array(sizes), distances, deg=1)
    return float(intercept)
    ### END SOLUTION


# %%
extrapolate = check("9.11", at_infinity, otherwise=metrics.extrapolated)

limit = float(extrapolate(sizes, by_size))
print(f"infinitely many samples: {limit:.3f}")

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(height=3.4)
slope = float(np.polyfit(1 / np.array(sizes), by_size, deg=1)[0])
end = 1 / smaller[0]
axes.plot(
    [0, end],
    [limit, limit + slope * end],
    color=OTHER,
    linestyle="--",
    label="straight line through the dots",
)
axes.plot(1 / np.array(sizes), by_size, "o", color=MODEL, label=f"N from {sizes[0]:,} to {sizes[-1]:,}")
axes.plot(1 / np.array(smaller), by_smaller, "o", color=MODEL, fillstyle="none", label="fewer: not fitted")
axes.plot(0, limit, "D", color=plots.COLORS["highlight"], label="read off: infinitely many")
axes.set(
    xlabel="1 / N", ylabel="Fréchet distance", title="The same generator, judged by N samples", ylim=(0, None)
)
axes.legend(loc="upper left")
plots.show(
    plots.describe(
        figure,
        f"Distances over 1/N. From N = {sizes[0]:,} on they lie along a straight line, which is at "
        f"{limit:.2f} where 1/N is 0. The distances of {smaller[1]:,} and {smaller[0]:,} samples, "
        f"{by_smaller[1]:.2f} and {by_smaller[0]:.2f}, are not fitted.",
    )
)

# %% [markdown]
# The law is one for large $N$: the dots lie along the line. The rings of fewer samples were not
# fitted, and need not lie on it. So fit sizes that are well above the number of features, here
# 64, and say which you took.
# <!-- number 64: features, as the first cell prints -->

# %% tags=["claim"]
claim(
    "the dots lie along the line",
    max(abs(limit + slope / n - d) for n, d in zip(sizes, by_size, strict=True)) < 0.1,
    every_seed=True,
    values={"features": reference_features.shape[1]},
)
claim("the distance is too large by about $b/N$", slope > 0 and by_size[0] > 1.15 * limit, every_seed=True)

# %% [markdown]
# ### Shrink, round, choose
#
# **Predict.** Which of these makes the generator's distance *smaller*, though no sample gets any
# better? Shrinking real and generated images to half their size and enlarging them again, as a
# pipeline does that resizes; rounding pixels to 256 steps, as saving to a file does; another set
# of real images; the luckiest of 20 seeds.
# <!-- number 256: the values of a byte -->


# %%
def resized(images: Tensor) -> Tensor:
    """To half the height and width, and back."""
    small = F.interpolate(images, scale_factor=0.5, mode="bilinear", antialias=True)
    return F.interpolate(small, scale_factor=2, mode="bilinear").clamp(-1, 1)


def rounded(images: Tensor) -> Tensor:
    return data.to_model_range(data.to_uint8(images))


plain = frechet_distance(reference_statistics, generated_features)
seeds_tried = by_scale(ci=3, cpu=20, gpu=20)
small_count = count // 4
lucky = [
    frechet_distance(
        reference_statistics, features(sample(load_generator("mnist"), small_count, seed=seed(10 + n)))
    )
    for n in with_progress(range(seeds_tried), "seeds")
]
halves = [frechet_distance(draw(fresh_all, small_count), generated_features) for _ in range(seeds_tried)]
cheats = {
    "as it should be": plain,
    "real and generated images resized": frechet_distance(
        features(resized(reference)), features(resized(generated))
    ),
    "only the generated images resized": frechet_distance(reference_statistics, features(resized(generated))),
    "rounded to 8 bits": frechet_distance(reference_statistics, features(rounded(generated))),
}
for name, value in cheats.items():
    print(f"{name:36s} Fréchet distance {value:8.3f}")
print(
    f"{small_count} samples, {seeds_tried} seeds: from {min(lucky):.3f} to {max(lucky):.3f}, mean {np.mean(lucky):.3f}"
)
print(f"{small_count} real images, {seeds_tried} choices: from {min(halves):.3f} to {max(halves):.3f}")
memoriser = features(learnt)
own = frechet_distance(memoriser, memoriser)
print(f"a memoriser: to its own training images {own:.3f}, to the reference "
      f"{frechet_distance(reference_statistics, memoriser):.3f}")  # fmt: skip
# %% [markdown]
# The answers, one by one. It is the same generator in every line:
#
# | what is done | the generator's distance |
# | --- | --- |
# | real *and* generated images resized | is less than two thirds: the fine detail in which the two differed is gone on both sides |
# | only the generated ones resized | is many times as large: now the blur itself is what differs |
# | rounded to 8 bits | is the same: these features do not notice steps of 2/255 <!-- numbers: 8 bits, and their step --> |
# | another few hundred real images | changes with the choice |
# | the luckiest seed | is below the average one, and nobody can check how many were tried |
# | the training set as reference | is 0 for a memoriser, which to the held-out reference is at a distance like any other |
#
# Resizing and rounding are not always so harmless, or so helpful. Parmar, Zhang and Zhu (2022)
# show how much the choice of a filter, and compression, move the FIDs of papers. A distance is
# comparable only if all of this is the same on both sides: number, size, filter, format,
# reference, and a seed that was chosen beforehand.

# %% tags=["claim"]
claim(
    "is less than two thirds",
    cheats["real and generated images resized"] < 2 / 3 * plain,
    every_seed=True,
)
claim(
    "is many times as large: now the blur itself",
    cheats["only the generated images resized"] > 5 * plain,
    every_seed=True,
)
claim(
    "is the same: these features do not notice steps",
    about(cheats["rounded to 8 bits"], plain, rel=0.02),
    every_seed=True,
)
claim(
    "changes with the choice",
    max(halves) > 1.05 * min(halves),
    every_seed=True,
)
claim(
    "is below the average one",
    min(lucky) < 0.95 * np.mean(lucky),
    every_seed=True,
)
claim(
    "is 0 for a memoriser, which to the held-out reference is at a distance like any other",
    own < 1e-6 < 0.05 < frechet_distance(reference_statistics, memoriser),
    every_seed=True,
)

# %% [markdown]
# ### Add a few strays
#
# On the plane, strays far from everything had balls that held all the data, and recall believed
# them. Does that work with images? Here is a generator of sevens only. Replace six of its images
# by patterns that are no digits, and ask the four fractions again. Two of them you write first.
#
# ### Exercise 9.12 — Density and coverage (●●○, 12 min)
#
# Balls around the real samples only, each to its $k$-th nearest neighbour among the other real
# ones; the edge belongs to the ball. **Density** counts the balls that a fake lies in, on average
# over the fakes, divided by $k$. **Coverage** is the fraction of the balls that hold at least one
# fake.


# %%
def density_and_coverage(real: Tensor, fake: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """(density, coverage) with balls to the k-th nearest neighbour, of features (N, d) and (M, d)."""
    ### BEGIN SOLUTION
    among_real = torch.cdist(real, real).fill_diagonal_(torch.inf)  # nobody is their own neighbour
    radii = among_real.topk(k, largest=False).values[:, -1]
    inside = torch.cdist(real, fake) <= radii[:, None]
    return inside.float().sum(dim=0).mean() / k, inside.any(dim=1).float().mean()
    ### END SOLUTION


# %%
by_real_balls = check("9.12", density_and_coverage, otherwise=density_coverage)

# %%
sevens = fresh[fresh_labels == 7]
stripes = (torch.arange(28) % 2 * 2.0 - 1).expand(1, 28, 28)
bars = (torch.arange(28) // 7 % 2 * 2.0 - 1).expand(1, 28, 28)
strays = torch.stack([torch.ones(1, 28, 28), stripes, bars, rubbish[0], -base[0], -base[1]])
stray_values = {}
for name, images in (("sevens", sevens), ("six strays", torch.cat([sevens[:-6], strays]))):
    found = features(images)
    fractions = [*both(reference_part, found, 3), *by_real_balls(reference_part, found, 5)]
    stray_values[name] = dict(
        zip(("precision", "recall", "density", "coverage"), map(float, fractions), strict=True)
    )
    print(f"{name:12s}" + "".join(f"  {key} {value:.2f}" for key, value in stray_values[name].items()))

# %% [markdown]
# Six images that are no digits raise recall to more than one and a half times what it was.
# Density and coverage stay: a stray lies in no real ball, and balls of its own do not count.

# %% tags=["claim"]
claim(
    "Six images that are no digits raise recall to more than one and a half times what it was",
    stray_values["six strays"]["recall"] > 1.5 * stray_values["sevens"]["recall"],
    every_seed=True,
    values={"strays": len(strays)},
)
claim(
    "Density and coverage stay",
    all(
        abs(stray_values["six strays"][key] - stray_values["sevens"][key]) < 0.03
        for key in ("density", "coverage")
    ),
    every_seed=True,
)

# %% [markdown]
# ### Why our distance is no FID
#
# FID is *this formula on the features of one network*, Inception-v3 with one set of weights, at
# one image size, usually of 50,000 samples. Change the features and you have another number on
# another scale. Here is the same formula in four kinds of features: the course's, twice the
# course's, those of a network with random weights, and plain pixels.
# <!-- number 50,000: by convention, Heusel et al. -->

# %%
torch.manual_seed(seed(0))
untrained = torch.nn.Sequential(
    torch.nn.Conv2d(1, 16, 3, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.AdaptiveAvgPool2d(2),
    torch.nn.Flatten(),
)
extractors = {
    "course": classifier.features,
    "course × 2": lambda images: 2 * classifier.features(images),
    "random weights": untrained,
    "small pixels": lambda images: F.avg_pool2d(images, 4).flatten(1),
}
rows_shown = (
    "blur",
    "noise on every image",
    "one class dropped",
    "two pixels to the right",
    "the course's generator",
)
table = {}
for name, extract in extractors.items():
    real_ones = in_batches(extract, reference)
    for row in rows_shown:
        table[name, row] = frechet_distance(real_ones, in_batches(extract, failures[row]))
print(f"{'':24s}" + "".join(f"{name:>16s}" for name in extractors))
for row in rows_shown:
    print(f"{row:24s}" + "".join(f"{table[name, row]:16.4f}" for name in extractors))
ranking = {name: sorted(rows_shown, key=lambda row: table[name, row]) for name in extractors}
for name, ranked in ranking.items():
    print(f"best to worst by {name}: {' < '.join(ranked)}")

# %% [markdown]
# Features that are twice as large give exactly four times the distance, of the same images.
# Random weights give numbers on yet another scale. And the order changes: a shift by two pixels
# is a small fault to a network that has learnt digits, and the worst of the five in pixels. So a
# Fréchet distance wants its features named, and the word FID belongs to one kind only.

# %% tags=["claim"]
claim(
    "Features that are twice as large give exactly four times the distance",
    all(about(table["course × 2", row], 4 * table["course", row], rel=1e-3) for row in rows_shown),
    every_seed=True,
    values={"times": 2},
)
claim(
    "a shift by two pixels is a small fault to a network that has learnt digits, and the worst of the five in pixels",
    ranking["small pixels"][-1] == "two pixels to the right"
    and table["course", "two pixels to the right"]
    < 0.5 * min(table["course", "blur"], table["course", "noise on every image"]),
    every_seed=True,
    values={"rows": len(rows_shown)},
)

# %% [markdown]
# If torch-fidelity is installed and its weights can be fetched, the real Inception features stand
# behind the same interface. Where not, it says what is missing, and the course goes on without:

# %%
try:
    inception = load_inception()
    few_real, few_made = (in_batches(inception.features, images[:200]) for images in (reference, generated))
    print(
        f"Inception features {tuple(few_real.shape)}: {frechet_distance(few_real, few_made):.1f} for 200 samples"
    )
except RuntimeError as problem:
    print(problem)

# %% [markdown]
# ## Ask people
#
# All of these are stand-ins for what a person sees. So ask one. Zhou et al. (2019) call it HYPE:
# show real and generated images in random order, let people say which is which, and report how
# often they are *wrong*. Half of the time is guessing: they cannot tell. One of their two variants
# looks for the exposure time at which samples begin to pass for real; the other, cheaper one sets
# no limit and counts errors. Ours counts errors, with a time that you choose.
#
# The quiz below shows 20 images, half of them real. Press Enter, then **R** for real or **G** for
# generated, or click. The answers go to a file, so that a teacher can collect those of a class.
# <!-- number 20: the default of the quiz -->

# %%
quiz = real_or_fake_quiz(draw(fresh, 40), generated[:40], subject="mnist", seed=seed(0))
quiz

# %%
answers = read_answers(quiz_file())
if answers:
    print(score_table(class_scores(answers)))
else:
    print("No answers yet: play the quiz above, then run this cell again.")

# %% [markdown]
# Twenty answers are few. How far may the true error rate $p$ be from the fraction $\hat p$ that
# was counted? Of $n$ answers, $\hat p$ has the standard deviation $\sqrt{p(1 - p)/n}$ around $p$.
# Wilson (1927) asks of every $p$: would a $\hat p$ like ours be unusual, more than $z$ standard
# deviations away? The $p$ that it would not surprise form an **interval**. With $z = 1.96$ it
# holds the true rate 95 times in a hundred, or nearly so.
# <!-- number 95: the probability of a normal distribution within 1.96 standard deviations -->
#
# ### Exercise 9.13 — Between which limits? (●●○, 12 min)
#
# The limits are the two $p$ at which $|\hat p - p| = z \sqrt{p(1 - p)/n}$. Note where the $p$
# stands under the root: it is not the counted one. Solve for $p$, and write the function.


# %%
def error_limits(errors: int, answers: int, z: float = 1.96) -> tuple[float, float]:
    """(low, high), the p with |errors/answers − p| = z·√(p(1 − p)/answers)."""
    ### BEGIN SOLUTION
    p, n = errors / answers, answers
    middle = p + z**2 / (2 * n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    ### END SOLUTION


# %%
limits_of = check("9.13", error_limits, otherwise=wilson_interval)

# %% [markdown]
# Beside it the familiar interval, which puts the counted fraction under the root,
# $\hat p \pm 1.96\sqrt{\hat p (1 - \hat p)/n}$:

# %%
intervals = {}
for wrong, asked in ((0, 20), (10, 20), (50, 100), (500, 1_000)):
    # abs: where the lower limit is 0, rounding may leave −1e-17.
    low, high = intervals[wrong, asked] = tuple(abs(float(limit)) for limit in limits_of(wrong, asked))
    p = wrong / asked
    familiar = 1.96 * math.sqrt(p * (1 - p) / asked)
    print(
        f"{wrong:3d} of {asked:5,} wrong: Wilson {low:.2f} to {high:.2f}, the familiar one "
        f"{p - familiar:.2f} to {p + familiar:.2f}"
    )

# %% [markdown]
# No error in twenty is still compatible with an error rate of 16 %; the familiar interval claims
# certainty there. To tell 45 % from 50 % takes a class, not a learner.
# <!-- number 45 %: an example; the third and fourth rows above bear it out -->
#
# A class of machines shows what to do with a folder of files: one that calls everything real, one
# that tosses a coin, and a student, a logistic regression that has studied other images of both
# kinds, and of each image only how large a part of it is brighter than seven shades of grey. They
# are no people. The files are what yours are.


# %%
def brightness(images: Tensor) -> Tensor:
    """The fraction of an image's pixels above each of seven levels, (N, 7)."""
    levels = torch.tensor([-0.99, -0.9, -0.5, 0.0, 0.5, 0.9, 0.99])
    return (images.flatten(1)[:, :, None] > levels).float().mean(dim=1)


shown_each = by_scale(ci=50, cpu=200, gpu=200)
coin = torch.Generator().manual_seed(seed(4))
lesson = {
    "real": brightness(reference[:1_000]),
    "generated": brightness(
        sample(load_generator("mnist"), by_scale(ci=80, cpu=1_000, gpu=1_000), seed=seed(5))
    ),
}
student = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000))
student.fit(torch.cat([*lesson.values()]).numpy(), [kind == "real" for kind in lesson for _ in lesson[kind]])
asked = brightness(torch.cat([draw(fresh, shown_each), draw(generated, shown_each)]))
says = {
    "all are real": [True] * len(asked),
    "coin": (torch.rand(len(asked), generator=coin) < 0.5).tolist(),
    "student": student.predict(asked.numpy()).tolist(),
}
with tempfile.TemporaryDirectory() as folder:
    for player, said in says.items():
        for place, said_real in enumerate(said):
            answer = Answer(player, "mnist", place < shown_each, said_real, exposure=0, shown=0, response=0)
            record_answer(answer, Path(folder) / f"{player}.jsonl")
    machines = class_scores(read_answers(folder))
print(score_table(machines))
grey = {kind: parts.mean(dim=0)[0].item() for kind, parts in lesson.items()}
print(
    f"brighter than black (−0.99): {grey['real']:.1%} of the real pixels, {grey['generated']:.1%} of the generated"
)
plots.show(plots.human_scores(machines, title="How often machines were wrong"))

# %% [markdown]
# In this run the first two are wrong about half of the time, one because it never looks and one
# because it cannot. So an error rate near ½ means "cannot tell" only of those who try.
#
# The student is hardly ever wrong. More of this generator's pixels are a little brighter than
# black. The Fréchet distance hardly weighs such faint differences: rounding to 8 bits, above, left
# it as it was. Did you see them? <!-- number 8: bits of a byte -->

# %% tags=["claim"]
claim(
    "No error in twenty is still compatible with an error rate of 16 %; the familiar interval claims certainty",
    about(intervals[0, 20][1], 0.16),
    every_seed=True,
)
claim(
    "In this run the first two are wrong about half of the time",
    machines["all are real"].error_rate == 0.5 and about(machines["coin"].error_rate, 0.5),
)
claim(
    "The student is hardly ever wrong. More of this generator's pixels are a little brighter",
    machines["student"].error_rate < 0.1 and grey["generated"] > 1.1 * grey["real"],
    every_seed=True,
)

# %% [markdown]
# ## Misconceptions
#
# ### "A smaller distance means better samples"
#
# You have just made it smaller three times, with one and the same generator: by taking more
# samples, by resizing both sides, by choosing the seed. Compare a distance only with one that was
# measured in the same way, and look for the floor beside it.
#
# ### "Distance 0 means that the distributions are equal"
#
# The fair coins above had the means and spreads of a normal distribution, and nothing else of it.
# Here are images to match: for any set of features, normal numbers with the same mean and
# covariance.

# %%
root = torch.linalg.cholesky(torch.cov(fresh_all.double().T) + 1e-6 * torch.eye(64).double())
impostors = torch.randn(
    len(fresh_all), 64, generator=rng, dtype=torch.float64
) @ root.T + fresh_all.double().mean(0)
impostor_distance = frechet_distance(reference_statistics, impostors)
impostor_precision = precision_recall(reference_part, impostors[:count]).precision
print(f"fresh digits: Fréchet distance {frechet_distance(reference_statistics, fresh_all):.2f}, precision "
      f"{values['fresh digits']['precision']:.2f}")  # fmt: skip
print(f"normal noise: Fréchet distance {impostor_distance:.2f}, precision {impostor_precision:.2f}; "
      f"{(impostors < 0).double().mean():.0%} of its features are negative, those of images never")  # fmt: skip

# %% [markdown]
# By the Fréchet distance, noise in the features passes for real digits. Precision is not fooled:
# most such features lie where no image's lie.

# %% tags=["claim"]
claim(
    "By the Fréchet distance, noise in the features passes for real digits. Precision is not fooled",
    impostor_distance < 2 * frechet_distance(reference_statistics, fresh_all)
    and impostor_precision < values["fresh digits"]["precision"] - 0.2,
    every_seed=True,
)

# %% [markdown]
# ### "The generator has good scores, so it has not memorised"
#
# The matrix has said it: the memorised training set passes every test but the one that looks at
# the training set.

# %% tags=["claim"]
claim(
    "the memorised training set passes every test but the one that looks at the training set",
    seen_by["memorised training set"] == ["copying"],
    every_seed=True,
)

# %% [markdown]
# ## The report card
#
# From here on you need one line. `evaluate` takes a generator, or images, or a function that
# draws them; finds the reference and its features; and returns everything that this notebook has
# measured, beside what as many real images get. It is the judge of all notebooks that follow.

# %%
show_source(evaluate)

# %% [markdown]
# Here are the generators that the course ships, each on its own data set: the digits of [notebook
# 05](05_dcgan_mnist.ipynb#The-real-training), and the two colour generators of [notebook
# 06](06_dcgan_cifar10.ipynb#The-real-training), one trained for minutes and one for longer.

# %%
card_size = by_scale(ci=60, cpu=1_500, gpu=5_000)
digits_card = {"digits": evaluate(load_generator("mnist"), "mnist", samples=card_size, seed=seed(0))}
print(report_table(digits_card))

# %%
colour_card = {}
for title, name in with_progress([("minutes", "cifar10_minutes")], "colour, for the first time"):
    colour_card[title] = evaluate(load_generator(name), "cifar10", samples=card_size, seed=seed(0))

# %%
colour_card["longer"] = evaluate(load_generator("cifar10"), "cifar10", samples=card_size, seed=seed(0))
print(report_table(colour_card))

# %%
plots.show(plots.metric_report(digits_card, title="Digits"))
plots.show(plots.metric_report(colour_card, title="Colour"))

# %% [markdown]
# The digits have nearly the variety of real ones: recall is close to the dashed line. They lack
# clearness, and the classifier score says so. In colour, training for longer bought variety above
# all: recall is far higher, while precision was high from the beginning. But neither generator's
# images are clear to the classifier: their scores are far below that of photographs.

# %% tags=["claim"]
_digits, _real_digits = digits_card["digits"].scores, digits_card["digits"].real
_minutes, _longer, _real = (
    colour_card["minutes"].scores,
    colour_card["longer"].scores,
    colour_card["longer"].real,
)
claim(
    "The digits have nearly the variety of real ones: recall is close to the dashed line",
    _digits["recall"] > 0.88 * _real_digits["recall"],
    every_seed=True,
)
claim("They lack clearness", _digits["score"] < 0.92 * _real_digits["score"], every_seed=True)
claim(
    "training for longer bought variety above all: recall is far higher, while precision was high from the beginning",
    _longer["recall"] > 1.4 * _minutes["recall"]
    and min(_longer["precision"], _minutes["precision"]) > _real["precision"] - 0.02,
    every_seed=True,
)
claim(
    "neither generator's images are clear to the classifier: their scores are far below that of photographs",
    max(_longer["score"], _minutes["score"]) < 0.7 * _real["score"],
    every_seed=True,
)

# %%
mine = [one for one in read_answers(quiz_file()) if one.subject == "mnist"]
if mine:
    plots.show(plots.human_scores({"you": human_score(mine)}, title="How often you took one for the other"))
else:
    print("Your own score joins the card when you have played the quiz.")

# %% [markdown]
# ## Summary
#
# - Generators are judged by comparing two sets of samples, in the features of some network. Which
#   network, how many samples, which reference: without these a number means nothing.
# - The Fréchet distance is the cheapest way to carry one normal distribution onto another: means
#   and spreads. It is blind to what has the same means and spreads, and too large for few
#   samples.
# - The kernel distance is unbiased and sees three moments. The classifier score never looks at
#   real images.
# - Precision asks the fakes, recall asks the real images. Density and coverage do it with balls
#   around real images only.
# - Nothing that compares with test images sees copies of training images. Look up nearest
#   neighbours.
# - MSE and SSIM need a target. Generators have none.
# - Ask people, count their errors, and give the interval.
#
# ## Further reading
#
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, *GANs Trained by a Two
#   Time-Scale Update Rule Converge to a Local Nash Equilibrium*, NeurIPS 2017,
#   [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - D. C. Dowson, B. V. Landau, *The Fréchet Distance between Multivariate Normal Distributions*,
#   Journal of Multivariate Analysis 12, 1982,
#   [doi:10.1016/0047-259X(82)90077-X](https://doi.org/10.1016/0047-259X%2882%2990077-X) <!--
#   number 12: the volume -->
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen, *Improved Techniques
#   for Training GANs*, NeurIPS 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498)
# - M. Bińkowski, D. J. Sutherland, M. Arbel, A. Gretton, *Demystifying MMD GANs*, ICLR 2018,
#   [arXiv:1801.01401](https://arxiv.org/abs/1801.01401)
# - T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila, *Improved Precision and Recall
#   Metric for Assessing Generative Models*, NeurIPS 2019,
#   [arXiv:1904.06991](https://arxiv.org/abs/1904.06991)
# - M. F. Naeem, S. J. Oh, Y. Uh, Y. Choi, J. Yoo, *Reliable Fidelity and Diversity Metrics for
#   Generative Models*, ICML 2020, [arXiv:2002.09797](https://arxiv.org/abs/2002.09797)
# - C. Meehan, K. Chaudhuri, S. Dasgupta, *A Non-Parametric Test to Detect Data-Copying in
#   Generative Models*, AISTATS 2020, [arXiv:2004.05675](https://arxiv.org/abs/2004.05675)
# - M. J. Chong, D. Forsyth, *Effectively Unbiased FID and Inception Score and where to find
#   them*, CVPR 2020, [arXiv:1911.07023](https://arxiv.org/abs/1911.07023)
# - G. Parmar, R. Zhang, J.-Y. Zhu, *On Aliased Resizing and Surprising Subtleties in GAN
#   Evaluation*, CVPR 2022, [arXiv:2104.11222](https://arxiv.org/abs/2104.11222)
# - S. Zhou et al., *HYPE: A Benchmark for Human eYe Perceptual Evaluation of Generative Models*,
#   NeurIPS 2019, [arXiv:1904.01121](https://arxiv.org/abs/1904.01121)
# - Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, *Image Quality Assessment: From Error
#   Visibility to Structural Similarity*, IEEE Transactions on Image Processing 13, 2004,
#   [doi:10.1109/TIP.2003.819861](https://doi.org/10.1109/TIP.2003.819861)
# - E. B. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, Journal
#   of the American Statistical Association 22, 1927,
#   [doi:10.1080/01621459.1927.10502953](https://doi.org/10.1080/01621459.1927.10502953) <!--
#   number 22: the volume -->
