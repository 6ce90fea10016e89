# %% [markdown]
# # From image to image: repair, enlarge, translate
#
# A digit has a hole, a photograph is too small, a sketch wants to become a picture. In each case
# many answers fit. You find out what a network does that may give only one, what a discriminator
# adds to it, what that costs, and what it makes up.
#
# | | |
# | --- | --- |
# | Reading time | 60 min, and 127 min for the exercises |
# | Running time | about 6 min on two CPU cores; not measured on a GPU |
# | You need | notebook 05 (a GAN's round), notebook 09 (Fréchet distance) |
# | You will be able to | fill holes, enlarge, colour and translate images by regression and by a GAN; say what the least squared error does to an answer, and what a sample costs; build a U-Net; compute how far a PatchGAN sees; tell why a cycle that closes proves nothing; judge a restored image as evidence |

# %%
import math
from functools import partial
from statistics import median

import torch
from torch import Tensor, nn

from course_utils import data, plots
from course_utils.checks import check
from course_utils.metrics import (
    chroma_strength,
    frechet_evaluator,
    in_batches,
    load_classifier,
    mean_squared_error,
    nearest,
    structural_similarity,
)
from course_utils.metrics.completion import completion_spread, nearest_completion
from course_utils.metrics.style import feature_maps
from course_utils.metrics.style import gram_matrix as reference_gram
from course_utils.models import (
    Colouriser,
    Inpainter,
    PatchDiscriminator,
    load_generator,
    load_translator,
)
from course_utils.models import (
    UNet as ReferenceUNet,
)
from course_utils.models.patches import convolution_sizes, gradient_window
from course_utils.models.patches import receptive_field as reference_field
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, seed
from course_utils.training import progress, train
from course_utils.training.cycle import cycle_errors, cyclegan, noisy
from course_utils.training.inverse import nearest_latents
from course_utils.training.restoration import (
    TRAINING,
    load_restorations,
    pairs,
    restored,
    train_restoration,
)
from course_utils.training.translation import Regression, pix2pix
from course_utils.widgets.hole_painter import hole_painter

# One meaning, one colour: the truth blue, what D has had a say in vermillion, regression green.
TRUTH = plots.COLORS["data"]
OF_REGRESSION, OF_GAN = plots.PALETTE["green"], plots.COLORS["model"]

# %% [markdown]
# ## What is lost, and what is asked
#
# Something takes an image $x$ and leaves less of it, $y$: a hole, few pixels, grey instead of
# colour, edges alone. The **source** $y$ is what a network sees. The **target** $x$ is what it is
# asked for.

# %%
mnist, test = data.load_mnist("train"), data.load_mnist("test")
classifier, evaluate_samples = load_classifier("mnist"), frechet_evaluator("mnist")
rng = torch.Generator().manual_seed(seed(0))
order = torch.randperm(len(test.images), generator=rng)
judged = by_scale(ci=60, cpu=2_000, gpu=5_000)
target = data.to_model_range(test.images[order[:judged]])
labels = test.labels[order[:judged]]
damaged = data.cut_at_random(target, rng)  # the image, 0 where it is missing, and one channel for the hole
with_holes, holes = data.uncut(damaged)
small = data.downsample(target, 4)
shown = 12
plots.show(
    plots.image_grid(
        torch.cat(
            [
                target[:shown],
                with_holes[-shown:] if judged < shown else with_holes[:shown],
                data.enlarge(small[:shown], 4, "nearest"),
                data.edges(target[:shown]),
            ]
        ),
        columns=shown,
        row_labels=["test digit", "with a hole", "7×7 pixels", "edges"],
        title="One target, three sources",
        note=test.note,
        alt="Four rows of twelve: test digits; the same with a grey rectangle where the image is missing; as 7×7 "
        "large pixels; and white outlines on black.",
    )
)

# %% [markdown]
# A network that fills holes should leave alone what is known. That is easier to build in than to
# learn.
#
# ### Exercise 13.1 — Paint only what is missing (●○○, 8 min)
#
# `hole` is True where a pixel is to be missing; the images come whole. Show the network the images
# with 0 in their holes, and as one more channel, the last one, where the hole is: 1 where pixels
# are missing, −1 where they are known. What it paints goes into the holes, and nowhere else.
# Training goes through this function, too.


# %%
def complete(network: nn.Module, images: Tensor, hole: Tensor) -> Tensor:
    """Images (N, C, H, W) with their holes, bool (N, 1, H, W), filled by network: (N, C + 1, H, W) → (N, C, H, W)."""
    ### BEGIN SOLUTION
    source = torch.cat([images * ~hole, 2.0 * hole - 1], dim=1)
    return torch.where(hole, network(source), images)
    ### END SOLUTION


# %%
fill = check(
    "13.1",
    complete,
    otherwise=lambda network, images, hole: Inpainter(network)(data.cut(images, hole)),
)

# %% [markdown]
# ## The safest answer
#
# Many images fit one source. Before we train anything, look at a world that is small enough to
# know: the ten digits of a pocket calculator, each with a probability of its own. A scratch covers
# three of the seven bars.

# %%
BARS = {  # rows, columns
    "a": (slice(0, 1), slice(1, 6)), "b": (slice(1, 5), slice(6, 7)), "c": (slice(6, 10), slice(6, 7)),
    "d": (slice(10, 11), slice(1, 6)), "e": (slice(6, 10), slice(0, 1)), "f": (slice(1, 5), slice(0, 1)),
    "g": (slice(5, 6), slice(1, 6)),
}  # fmt: skip
LIT = ["abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg"]
world = torch.full((10, 1, 11, 7), -1.0)
for digit, bars in enumerate(LIT):
    for bar in bars:
        world[(digit, 0, *BARS[bar])] = 1.0
world = nn.functional.pad(world, (1, 1, 1, 1), value=-1.0)  # a dark rim
odds = torch.arange(1.0, 11.0) / 55  # from 1/55 for a 0 to 10/55 for a 9
scratch = torch.zeros(1, 11, 7, dtype=torch.bool)
for bar in "beg":
    scratch[(0, *BARS[bar])] = True
scratch = nn.functional.pad(scratch, (1, 1, 1, 1))

# %% [markdown]
# ### Exercise 13.2 — The safest completion (●●○, 15 min)
#
# You may give one image for each scratched one. It will be compared with the truth, by squared
# error. Which image has the smallest *expected* squared error? `images` are all that there are,
# `weights` their probabilities, `damaged` is one of them with 0 in the hole, and `hole` (1, H, W)
# is True where a pixel is missing.


# %%
def safest_completion(images: Tensor, weights: Tensor, damaged: Tensor, hole: Tensor) -> Tensor:
    """argmin over c of E[(c − X)² | what is known].

    Images (K, C, H, W), weights (K,), damaged (C, H, W) in; (C, H, W) out.
    """
    ### BEGIN SOLUTION
    fits = (torch.where(hole, 0.0, images) == damaged).flatten(1).all(1)
    posterior = weights * fits
    posterior = posterior / posterior.sum()
    return (posterior[:, None, None, None] * images).sum(0)
    ### END SOLUTION


# %%
def mean_of_what_fits(images: Tensor, weights: Tensor, damaged: Tensor, hole: Tensor) -> Tensor:
    """The reference: E[X | what is known]."""
    chances = weights * (torch.where(hole, 0.0, images) == damaged).flatten(1).all(1)
    return torch.einsum("k,kchw->chw", chances / chances.sum(), images)


safest = check("13.2", safest_completion, otherwise=mean_of_what_fits)

# %%
scratched = torch.where(scratch, 0.0, world)
answers = torch.stack([safest(world, odds, one, scratch) for one in scratched])
plots.show(
    plots.image_grid(
        torch.cat([world, scratched, answers]),
        columns=10,
        row_labels=["truth", "scratched", "safest"],
        title="What is the least squared error made of?",
        alt="Three rows of ten calculator digits: the true ones; the same with three bars grey, which makes "
        "half of them look alike; and the safest completions, where bars of that half are shades of grey.",
    )
)

# %% [markdown]
# The scratched 0, 5, 6, 8 and 9 are one and the same image, so all five get the same answer: the
# **conditional mean** $\mathbb E[X \mid y]$. For one pixel, let $p_i$ be the probability of image
# $i$, given what is known. The derivative of $\sum_i p_i\,(c - x_i)^2$ with respect to $c$ is
# $2(c - \sum_i p_i x_i)$, and it is 0 at the mean. No digit looks like that. *The answer with the
# least expected squared error need not be a possible answer.*
#
# A network that is trained by squared error is on its way to this mean. The grey is not a weakness
# of the network. It is what it was asked for.

# %% tags=["claim"]
_same = scratched[[0, 5, 6, 8, 9]]
claim(
    "The scratched 0, 5, 6, 8 and 9 are one and the same image, so all five get the same answer",
    (_same == _same[0]).all() and (answers[[0, 5, 6, 8, 9]] - answers[0]).abs().max() < 1e-6,
    every_seed=True,
    values={"digits": [0, 5, 6, 8, 9], "five": 5},
)
claim(
    "No digit looks like that",
    (answers[0] - world).abs().flatten(1).amax(1).min() > 0.3,
    every_seed=True,
)

# %% [markdown]
# ## A hole in a digit
#
# Now real digits. Two answers that give one image for each hole:
#
# - **the nearest training digit**: of all training digits the one that agrees best with the known
#   pixels fills the hole. The classical way, without a network;
# - **regression**: a network with your `complete` around it, trained by the squared error (the
#   reconstruction loss of context encoders; Pathak et al., 2016).
#
# And one that plays: a generator $G(y, z)$ with a latent, and a discriminator that is shown
# *pairs*, $(x, y)$ as real and $(G(y, z), y)$ as fake. It asks: could this be what was there? On
# the course's loop that is one line, `translation`, and a term that keeps $G$ near the truth.

# %%
show_source(pix2pix)

# %%
IMAGES = by_scale(ci=128, cpu=30_000, gpu=200_000)  # drawn in a training
WEIGHT = 0.1  # of the adversarial loss, beside a squared error that is a mean over pixels
runs = {"regression": train_restoration("inpainting", mnist.images, images=IMAGES, seed=seed(0))}

# %%
runs["GAN"] = train_restoration("inpainting", mnist.images, WEIGHT, latent_dim=8, images=IMAGES, seed=seed(0))

# %% [markdown]
# How near is an answer to the truth? Two numbers are in nearly every paper on restoration:
#
# | | | better |
# | --- | --- | --- |
# | PSNR | $10 \log_{10}(2^2 / \text{squared error})$ decibels; our pixels range from −1 to 1 | high |
# | SSIM | agreement of local means, variances and covariances (Wang et al., 2004) | high |
#
# Both compare with *the* truth: **distortion**. The Fréchet distance of [notebook
# 09](09_judging_generators.ipynb#How-far-is-one-heap-from-another?) compares two heaps of images,
# and asks no completion to be the right one: **perception**.

# %%
known_digits = data.to_model_range(mnist.images[: by_scale(ci=500, cpu=60_000, gpu=60_000)])
filled = {
    "grey hole": with_holes,
    "nearest": torch.cat([nearest_completion(part, known_digits)[0] for part in damaged.split(200)]),
    "regression": restored(runs["regression"].average, damaged),
    "GAN": restored(runs["GAN"].average, damaged, seed=seed(1)),
}


def decibels(images: Tensor) -> float:
    """PSNR of the mean squared error over all test digits: single ones may be restored exactly."""
    return 10 * math.log10(4 / max(mean_squared_error(images, target), 1e-10))


def grey_part(images: Tensor) -> float:
    """The part of the missing pixels that are neither nearly black nor nearly white."""
    return (images[holes].abs() < 0.7).float().mean().item()


def measured(images: Tensor) -> dict[str, float]:
    """Distortion from the test digits, perception, and whether the classifier reads the right digit."""
    return {
        "psnr": decibels(images),
        "ssim": structural_similarity(images, target),
        "frechet": evaluate_samples(images),
        "read": (in_batches(classifier, images).argmax(1) == labels).float().mean().item(),
    }


filling = {name: measured(images) for name, images in filled.items()}
filling["true digits"] = {**measured(target), "psnr": math.inf}
greys = {name: grey_part(images) for name, images in {**filled, "true digits": target}.items()}
print("               PSNR (dB)   SSIM   Fréchet distance   read as the true digit   grey in the hole")
for name, row in filling.items():
    print(
        f"{name:14s} {row['psnr']:9.1f} {row['ssim']:6.2f} {row['frechet']:18.2f} {row['read']:24.0%} "
        f"{greys[name]:18.0%}"
    )

# %%
hardest = (filled["regression"] - target).square().flatten(1).sum(1).argsort(descending=True)
some = hardest[torch.linspace(0, len(hardest) // 3, shown).long()]  # of the harder third
plots.show(
    plots.image_grid(
        torch.cat([target[some], *(images[some] for images in filled.values())]),
        columns=shown,
        row_labels=["test digit", *filled],
        title="One hole, three ways to fill it: the harder third for regression",
        note=test.note,
        alt="Five rows of twelve: test digits, the same with holes, and the holes filled by the "
        "nearest training digit, "
        "by regression, and by the GAN. Where much is missing, regression paints grey smears, the GAN strokes.",
    )
)

# %% [markdown]
# Regression is nearest to the truth: it has the highest PSNR. Look into its holes (they are from
# the third that it found hardest). Where a stroke may run here or there it paints grey, as on the
# calculator.
#
# The nearest training digit has by far the smallest Fréchet distance, since its pixels are those of
# real digits. But they are another digit's.
#
# The GAN decides where regression hedges: it leaves as little grey as true digits have. It pays for
# that in PSNR, and after so few seconds it does not get its money's worth: its strokes are often
# the wrong ones, and the nearest digit, without any training, beats it by PSNR, by SSIM, by Fréchet
# distance, and is read rightly more often.
#
# Is all of the price a weakness of a short training? The next section shows that there *has* to be
# one.

# %% tags=["claim"]
claim(
    "Regression is nearest to the truth: it has the highest PSNR",
    filling["regression"]["psnr"] > max(filling[name]["psnr"] for name in ("nearest", "GAN")) + 0.5,
    every_seed=True,
)
claim(
    "The nearest training digit has by far the smallest Fréchet distance",
    filling["nearest"]["frechet"] < 0.6 * min(filling[name]["frechet"] for name in ("regression", "GAN")),
    every_seed=True,
)
claim(
    "The GAN decides where regression hedges: it leaves as little grey as true digits have",
    greys["GAN"] < 0.5 * greys["regression"] and about(greys["GAN"], greys["true digits"], rel=0.3),
    every_seed=True,
)
claim(
    "the nearest digit, without any training, beats it by PSNR, by SSIM, by Fréchet distance, and is read rightly "
    "more often",
    all(filling["nearest"][key] > filling["GAN"][key] for key in ("psnr", "ssim", "read"))
    and filling["nearest"]["frechet"] < filling["GAN"]["frechet"],
    every_seed=True,
)

# %% [markdown]
# ## The price
#
# ### Exercise 13.3 — The price of a sample (●●○, 10 min)
#
# Suppose a perfect generator: given the source, it draws from exactly the distribution that the
# truth has, $p(x \mid y)$. Nobody could ever tell its answers from true ones. By how many decibels
# is its PSNR below that of the conditional mean? (Take the PSNR of the expected squared errors.)
# Give the number, above 0 and with a decimal or two.

# %%
### BEGIN SOLUTION
price = 10 * math.log10(2)
### END SOLUTION

# %%
check("13.3", price)

# %% [markdown]
# In the world of the calculator it can be counted, over all ten digits and all answers.

# %%
fits = (scratched[:, None] == scratched[None]).flatten(2).all(2)  # [true digit, candidate]
posterior = (fits * odds) / (fits * odds).sum(1, keepdim=True)
apart = (world[:, None] - world[None]).square().flatten(2).mean(2)
error_of_mean = (odds * (answers - world).square().flatten(1).mean(1)).sum().item()
error_of_draw = (odds[:, None] * posterior * apart).sum().item()
in_decibels = 10 * math.log10(error_of_draw / error_of_mean)
print(f"expected squared error of the mean {error_of_mean:.4f}, of a draw {error_of_draw:.4f}")
print(f"the draw's PSNR is lower by {in_decibels:.4f} dB")

# %% [markdown]
# Twice the error, whatever the distribution: given $y$, truth and draw are independent with the
# same mean and the same variance, so $\mathbb E(\hat X - X)^2 = 2 \operatorname{Var}(X \mid y)$,
# and the mean's error is $\operatorname{Var}(X \mid y)$ alone. That is the price of perfect looks,
# and it is never more than these 3 dB (Blau and Michaeli, 2018): the draw achieves it. It may be
# less.
#
# Are we anywhere near that? Two networks ship with the course that were trained on holes for longer
# than we have time here, one by regression, one as a GAN.

# %%
shipped = {name: load_translator(f"mnist_inpainting_{name}") for name in ("regression", "gan")}
completed = {
    "regression": restored(shipped["regression"], damaged),
    "gan": restored(shipped["gan"], damaged, seed=seed(1)),
}
in_hole = {name: (images - target)[holes].square().mean().item() for name, images in completed.items()}
ratio = in_hole["gan"] / in_hole["regression"]
print(
    f"squared error in the hole: regression {in_hole['regression']:.3f}, GAN {in_hole['gan']:.3f}, ratio {ratio:.2f}"
)
print(
    f"grey in the hole: {grey_part(completed['regression']):.0%} and {grey_part(completed['gan']):.0%}, "
    f"of true digits {grey_part(target):.0%}"
)

# %% [markdown]
# Startlingly near: about twice the error, and as little grey as in true digits. (A little more than
# twice: neither is regression quite at the mean, nor the GAN at a draw.) Regression leaves more
# than twice as much grey.

# %% tags=["claim"]
claim(
    "about twice the error, and as little grey as in true digits",
    about(ratio, 2, rel=0.25) and about(grey_part(completed["gan"]), grey_part(target), rel=0.3),
    every_seed=True,
    values={"twice": 2},
)
claim("A little more than twice", 2.0 < ratio < 2.5, every_seed=True, values={"twice": 2})
claim(
    "Regression leaves more than twice as much grey",
    grey_part(completed["regression"]) > 2 * grey_part(target),
    every_seed=True,
    values={"twice": 2},
)

# %% [markdown]
# Blau and Michaeli ask for all prices between. Let $\Delta$ be the expected distortion and $d$ any
# divergence between the distributions of the answers and of true images. What is the least
# distortion that can be had if the divergence may be $P$ at most?
#
# $$D(P) = \min_{p(\hat x \mid y)} \mathbb E\,[\Delta(X, \hat X)] \quad \text{where} \quad
# d(p_X, p_{\hat X}) \le P.$$
#
# **Theorem** (Blau and Michaeli, 2018). $D(P)$ never rises with $P$; and if $d$ is convex in its
# second argument, $D(P)$ is convex. So wherever it falls, better looks cost distortion, for *any*
# distortion, and near $P = 0$ the last bit is the dearest.
#
# The first half is nearly free: a larger $P$ allows all that a smaller one did. The second: mix the
# best answers for two values of $P$ by the toss of a coin. The distortion is then the mean of both,
# the divergence at most the mean of both.
#
# ### Exercise 13.4 — The least distortion for a given distance (●●○, 20 min)
#
# Find the curve where it can be found: $X \sim \mathcal N(0, 1)$, and a noisy
# $Y \sim \mathcal N(0, 1)$ that has the correlation $\rho \ge 0$ with it. Answer with Gaussians
# $\hat X$ of mean 0 and deviation $s$, made of $Y$, of noise of your own, or of both. Their
# Wasserstein distance $W_2$ to $X$ is $|1 - s|$. What is the least $\mathbb E(\hat X - X)^2$ if
# that may be `perception` at most?


# %%
def least_distortion(perception: Tensor, correlation: float) -> Tensor:
    """min E(X̂ − X)² over Gaussian answers with |1 − s| ≤ P. P (K,) between 0 and 1 in, (K,) out."""
    ### BEGIN SOLUTION
    spread = (1 - perception).clamp(min=correlation)  # ρ is best; where it is too far from 1, the nearest
    return 1 + spread.square() - 2 * correlation * spread
    ### END SOLUTION


# %%
curve_of = check(
    "13.4",
    least_distortion,
    otherwise=lambda perception, correlation: (
        1 - correlation**2 + (1 - correlation - perception).clamp(min=0).square()
    ),
)

# %% [markdown]
# Hold it against runs that know nothing of it. An answer $\hat X = a\,Y + b\,\xi$ has two numbers,
# and gradient descent looks for those with the least $\mathbb E(\hat X - X)^2 + \lambda\,W_2^2$, on
# samples. On a line $W_2$ needs no discriminator: sort both samples, and compare in order. The
# weight $\lambda$ is swept, as the weight of an adversarial loss will be.

# %%
correlation, many = 0.6, by_scale(ci=2_000, cpu=20_000, gpu=20_000)
line = torch.Generator().manual_seed(seed(2))
truth, own, noise = torch.randn(3, many, generator=line)
seen = correlation * truth + math.sqrt(1 - correlation**2) * noise
sorted_truth = truth.sort().values


def distance_on_line(samples: Tensor) -> Tensor:
    """W₂ between two samples of equally many numbers."""
    return (samples.sort().values - sorted_truth).square().mean().sqrt()


found = {}
for weight in (0.0, 0.5, 1.0, 2.0, 5.0, 20.0):
    numbers = torch.tensor([0.3, 0.3], requires_grad=True)  # a and b
    optimizer = torch.optim.Adam([numbers], 0.05)
    for _ in range(by_scale(ci=60, cpu=200, gpu=200)):
        answer = numbers[0] * seen + numbers[1] * own
        loss = (answer - truth).square().mean() + weight * distance_on_line(answer).square()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    answer = (numbers[0] * seen + numbers[1] * own).detach()
    found[weight] = (distance_on_line(answer).item(), (answer - truth).square().mean().item())
drawn = correlation * seen + math.sqrt(1 - correlation**2) * own  # from p(x|y)
draw = (distance_on_line(drawn).item(), (drawn - truth).square().mean().item())
perception = torch.linspace(0, 1, 101)
off_curve = max(
    abs(error - curve_of(torch.tensor([distance]), correlation).item()) for distance, error in found.values()
)
for weight, (distance, error) in found.items():
    print(f"λ = {weight:4.1f}: W₂ {distance:.3f}, squared error {error:.3f}")
print(f"a draw:   W₂ {draw[0]:.3f}, squared error {draw[1]:.3f}")

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(height=3.8)
axes.plot(
    perception, curve_of(perception, correlation), color=plots.COLORS["optimum"], label="least possible"
)
axes.fill_between(
    perception,
    0,
    curve_of(perception, correlation),
    color=plots.COLORS["reference"],
    alpha=0.15,
    label="impossible",
)
axes.plot(*zip(*found.values(), strict=True), "o", color=OF_GAN, label="found by descent, λ from 0 to 20")
axes.plot(*draw, "D", color=TRUTH, label="a draw from p(x|y)")
axes.set(
    xlabel="distance W₂ to the truth's distribution", ylabel="squared error", xlim=(-0.02, 1), ylim=(0.5, 1.4)
)
axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
plots.show(
    plots.describe(
        figure,
        "Squared error over distance. A falling, convex curve, flat from 0.4 on; the answers "
        "found by descent lie on it, "
        "the draw from the posterior lies above its left end.",
    )
)

# %% [markdown]
# All six lie on the curve, and nothing lies below it. From $P = 1 - \rho$ on there is nothing left
# to gain. In this game the curve is $D(P) = (1 - \rho^2) + (1 - \rho - P)^2$ up to there: the error
# of the mean, plus the square of how much nearer than the mean you come. That this square is all
# there is to it holds for *every* distribution, if perception is measured by $W_2$ (Freirich,
# Michaeli and Meir, 2021).
#
# The draw lies above the curve's end: it pays the full 3 dB. The cheapest perfect answer here is
# $\hat X = Y$, the mean, stretched until it has the right deviation. It has no latent at all. So
# perfect looks do not need random answers. But they cost a larger error than the mean's.

# %% tags=["claim"]
claim(
    "All six lie on the curve, and nothing lies below it",
    off_curve < 0.03
    and all(e > curve_of(torch.tensor([p]), correlation).item() - 0.03 for p, e in [*found.values(), draw]),
    every_seed=True,
    values={"six": len(found)},
)
claim(
    "The draw lies above the curve's end: it pays the full 3 dB",
    about(10 * math.log10(draw[1] / found[0.0][1]), 3.01, rel=0.05) and draw[1] > found[20.0][1] + 0.2,
    every_seed=True,
    values={"decibels": 3.01},
)

# %% [markdown]
# For digits nobody knows the curve. But you can walk along it: the same network, equally many
# images, and the weight of the adversarial loss beside the squared error from 0 upwards. That was
# recorded (`python -m tools.record_translation`); the table has medians over its seeds, and methods
# without a network beside them:

# %% jupyter={"source_hidden": true}
records = load_restorations()


def recorded(task: str, key: str) -> dict[float, list[float]]:
    """Weight of the adversarial loss → the values of all seeds, of networks without latents."""
    found: dict[float, list[float]] = {}
    for one in records:
        if one["task"] == task and one["method"] == "network" and not one["latent_dim"]:
            found.setdefault(one["adversarial"], []).append(one["found"][key])
    return dict(sorted(found.items()))


def classical(task: str) -> dict[str, dict]:
    """Methods without a network."""
    return {
        one["method"]: one["found"] for one in records if one["task"] == task and one["method"] != "network"
    }


CURVES = ("inpainting", "super-resolution")
for task in CURVES:
    known = classical(task)
    names = [f"weight {weight:g}" for weight in recorded(task, "mse")] + [*known]
    print(f"{task:17s}" + "".join(f"{name:>14s}" for name in names))
    for key, name, digits in (
        ("psnr", "PSNR (dB)", 2),
        ("ssim", "SSIM", 3),
        ("frechet", "Fréchet distance", 2),
    ):
        values = [median(one) for one in recorded(task, key).values()] + [one[key] for one in known.values()]
        print(f"{name:17s}" + "".join(f"{value:14.{digits}f}" for value in values))

# %% jupyter={"source_hidden": true}
figure, panels = plots.new_figure(columns=2, width=7.5, height=4.2, note=test.note)
for axes, task in zip(panels, CURVES, strict=True):
    errors, distances = recorded(task, "mse"), recorded(task, "frechet")
    middle = [median(values) for values in distances.values()], [median(values) for values in errors.values()]
    axes.plot(*middle, color=plots.COLORS["reference"], linewidth=1)
    for weight in errors:
        marker, color, label = (
            ("s", OF_REGRESSION, "regression") if weight == 0 else ("o", OF_GAN, "with a GAN's loss")
        )
        axes.plot(distances[weight], errors[weight], marker, color=color, markersize=5, label=label)
    for weight, *place in zip(errors, *middle, strict=True):
        axes.annotate(f"{weight:g}", place, fontsize=9, xytext=(6, 4), textcoords="offset points")
    axes.set(title=task, xlabel="Fréchet distance", ylabel="squared error")
    axes.margins(0.15)
handles, names = panels[0].get_legend_handles_labels()
unique = dict(zip(names, handles, strict=True))
figure.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=2)
plots.show(
    plots.describe(
        figure,
        "Two panels, holes and enlargement: squared error over Fréchet distance, each point a "
        "training, with the weight "
        "of the adversarial loss beside it. From regression, at the lower right, the points lead to the upper left.",
    )
)

# %% [markdown]
# Regression, with weight 0, has the least error and the largest distance of all networks. With
# more weight the distance falls and the error grows, up to a point where more weight buys nothing:
# in each task, with every seed, the best PSNR belongs to regression and the best Fréchet distance
# to a network that played. A method that comes without its place in this plane has told you half
# of what it does. "Our PSNR is higher" may mean "our answers are greyer".
#
# The table has a strong opponent: the nearest digit beats all networks by Fréchet distance, and the
# one with weight 1 by PSNR, too. Copying is hard to beat where images are small and thousands of
# them are known.
#
# SSIM counts as a distortion, and does not quite follow: it even rises with the first weight. It
# compares local contrast, and a grey stroke has too little. The theorem speaks of the bound. None
# of these networks is on it, so some can gain in both.

# %% tags=["claim"]
claim(
    "in each task, with every seed, the best PSNR belongs to regression and the best Fréchet distance to a network "
    "that played",
    all(
        min(recorded(task, "psnr")[0.0])
        > max(max(values) for weight, values in recorded(task, "psnr").items() if weight >= 0.1)
        and min(recorded(task, "frechet")[0.0])
        > min(max(values) for weight, values in recorded(task, "frechet").items() if weight > 0)
        for task in CURVES
    ),
    every_seed=True,
)
claim(
    "the nearest digit beats all networks by Fréchet distance, and the one with weight 1 by PSNR, too",
    classical("inpainting")["nearest digit"]["frechet"]
    < min(median(values) for values in recorded("inpainting", "frechet").values())
    and classical("inpainting")["nearest digit"]["psnr"] > median(recorded("inpainting", "psnr")[1.0]),
    every_seed=True,
    values={"weight": 1},
)
claim(
    "it even rises with the first weight",
    all(median(recorded(task, "ssim")[0.03]) > median(recorded(task, "ssim")[0.0]) for task in CURVES),
    every_seed=True,
)

# %% [markdown]
# ## Several answers
#
# The GAN above has a latent, so it can be asked again. Its error was a special one. How does it do
# with the plain squared error, the term that everybody takes first?
#
# ### Exercise 13.5 — Predict what becomes of the latent (●○○, 5 min)
#
# Train a $G(y, z)$ with the adversarial loss and a squared error $\mathbb E\,(G(y, z) - x)^2$. Then
# ask for several completions of one hole, with several latents. What do you get?
#
# - (a) Different strokes, each a plausible digit: nothing in the data says which.
# - (b) One stroke, and noise that differs from pixel to pixel.
# - (c) Nearly the same completion each time: $G$ hardly looks at its latent.
# - (d) The more weight the squared error has, the more different ones.
#
# Answer with a letter in quotes.

# %%
### BEGIN SOLUTION
prediction = "c"
### END SOLUTION

# %%
check("13.5", prediction)

# %%
runs["GAN, squared error"] = train_restoration(
    "inpainting", mnist.images, WEIGHT, latent_dim=8, error="squared", images=IMAGES, seed=seed(0)
)

# %%
spread = {
    name: completion_spread(runs[name].average, damaged[: min(200, judged)], seed=seed(2))
    for name in ("GAN, squared error", "GAN")
}
for name, value in spread.items():
    print(f"{name:20s} deviation over latents {value:.3f}, of a range of 2")
asked = some[[0, 2, 4, 6]] if len(some) > 6 else some[:4]
draws = 5
latents = torch.randn(draws, 1, 8, generator=torch.Generator().manual_seed(seed(3)))
rows, row_labels = [], []
with torch.no_grad():
    for index in asked:
        for name in spread:
            source = damaged[index : index + 1]
            answers_of = [runs[name].average(source, latent) for latent in latents]
            rows += [target[index : index + 1], with_holes[index : index + 1], *answers_of]
            row_labels.append("squared error" if name.endswith("error") else "error of mean")
plots.show(
    plots.image_grid(
        torch.cat(rows),
        columns=2 + draws,
        row_labels=row_labels,
        column_labels=["truth", "hole", *map(str, range(1, draws + 1))],
        title="One hole, five latents",
        note=test.note,
        width=6.2,
        alt="Four holes, two rows each: the true digit, the hole, and five completions. In the "
        "rows of the plain squared "
        "error the five look alike; in the others strokes differ.",
    )
)

# %% [markdown]
# It is (c). Split the error of one source by the mean over latents,
# $\bar G = \mathbb E_z\,G(y, z)$:
#
# $$\mathbb E_z\,(G(y, z) - x)^2 = (\bar G - x)^2 + \operatorname{Var}_z G(y, z).$$
#
# The mixed term has the factor $\mathbb E_z\,(G - \bar G) = 0$. So a squared error charges every
# variance at its full price, and the cheapest use of a latent is none. An absolute error charges
# for spread as well: pix2pix's generator, which has one, learned to ignore the noise (Isola et al.,
# 2017). That *one* source should have many targets then became a question of its own (Zhu et al.,
# *Toward Multimodal Image-to-Image Translation*, 2017).
#
# The remedy stands in the same line: charge the first term, leave out the second. Draw *two*
# latents for each source and take the product $(G(y, z_1) - x)\,(G(y, z_2) - x)$. Given $x$ and
# $y$ the factors are independent, so its expectation is $(\bar G - x)^2$. It asks the *mean* of
# the completions to be right, and leaves it to $D$ how far they lie apart. That is what the first
# GAN was trained with.

# %% tags=["claim"]
claim(
    "a squared error charges every variance at its full price, and the cheapest use of a latent is none",
    spread["GAN, squared error"] < 0.5 * spread["GAN"],
    every_seed=True,
)

# %% [markdown]
# ## Enlarge, and enhance?
#
# In films somebody says "enhance", and a number plate appears. Enlarging is the same problem as a
# hole: $y$ is the mean of blocks of pixels, and every $x$ with these means fits.
#
# A search shows what fits. Take the digits' generator that ships with the course, and look for
# latents whose *downsampled* samples agree with a downsampled test digit. This is the idea of PULSE
# (Menon et al., 2020), at 28 pixels. <!-- number 28: a digit's side --> There are only 4×4 pixels
# to go by.

# %%
generator = load_generator("mnist")
searched, starts = by_scale(ci=3, cpu=20, gpu=100), by_scale(ci=3, cpu=8, gpu=16)
coarse = data.downsample(target[:searched], 7)
wanted = coarse.repeat_interleave(starts, 0)
begin = torch.randn(len(wanted), generator.latent_dim, generator=torch.Generator().manual_seed(seed(4)))
steps = by_scale(ci=2, cpu=50, gpu=100)
with progress(3, "searches", unit="rounds") as update:
    for done in range(1, 4):
        begin = nearest_latents(lambda z: data.downsample(generator(z), 7), wanted, begin, steps, 0.1)
        update(done)
with torch.no_grad():
    candidates = generator(begin)
chances = in_batches(classifier, candidates).softmax(1)
agrees = (data.downsample(candidates, 7) - wanted).square().flatten(1).mean(1).sqrt() < by_scale(
    ci=9, cpu=0.05, gpu=0.05
)
accepted = (agrees & (chances.amax(1) > by_scale(ci=0, cpu=0.9, gpu=0.9))).unflatten(0, (searched, starts))
read_as = chances.argmax(1).unflatten(0, (searched, starts))
other_digit = ((read_as != labels[:searched, None]) & accepted).sum().item() / max(1, accepted.sum().item())
several = [row for row in range(searched) if len(set(read_as[row][accepted[row]].tolist())) > 1]
print(f"{accepted.sum()} enlargements agree with their 4×4 pixels and are read as a digit with over 90 %;")
print(
    f"{other_digit:.0%} of them are read as another digit than the true one, at {len(several)} of {searched} digits"
)

# %% jupyter={"source_hidden": true}
rows, column_labels, most = [], ["truth", "4×4", "fits", "fits", "fits", "fits"], 4
for row in (several or range(searched))[:5]:
    kept, classes = [], set()
    by_agreement = sorted(range(starts), key=lambda place: not accepted[row, place].item())
    for place in by_agreement:  # one of each class first, then more
        if read_as[row, place].item() not in classes:
            classes.add(read_as[row, place].item())
            kept.insert(len(classes) - 1, place)
        else:
            kept.append(place)
    kept = [place for place in kept if accepted[row, place]][:most]
    enlarged = [candidates[row * starts + place][None] for place in kept]
    blank = torch.ones(1, 1, 28, 28)
    rows += [
        target[row : row + 1],
        data.enlarge(coarse[row : row + 1], 7, "nearest"),
        *enlarged,
        *[blank] * (most - len(enlarged)),
    ]
plots.show(
    plots.image_grid(
        torch.cat(rows),
        columns=2 + most,
        column_labels=column_labels,
        title="All of them have the same 4×4 pixels",
        note=test.note,
        width=5.0,
        alt="Rows of a test digit, its sixteen large pixels, and up to four clear digits of the "
        "generator that have these "
        "pixels too; in each row some of them are other digits than the true one.",
    )
)

# %% [markdown]
# Every one of these is sharp, looks like a digit, and agrees with all that is known, as nearly as
# you can see. (The figure shows digits for which the search found more than one class.) More than a
# tenth of all enlargements that fit are *another digit*. So agreement with the source proves
# nothing about what the source does not hold. Sharpness is no evidence: it comes from the
# generator, and it would be as sharp for any other answer.

# %% tags=["claim"]
claim(
    "More than a tenth of all enlargements that fit are *another digit*", other_digit > 0.1, every_seed=True
)

# %% [markdown]
# With 7×7 pixels less is open. Bicubic interpolation knows no digits; the two networks do.

# %%
enlarged_by = {"bicubic": data.enlarge(small, 4)}
runs["enlarged by regression"] = train_restoration(
    "super-resolution", mnist.images, images=IMAGES, seed=seed(0)
)
runs["enlarged by a GAN"] = train_restoration(
    "super-resolution", mnist.images, 0.3, images=IMAGES, seed=seed(0)
)
enlarged_by["regression"] = restored(runs["enlarged by regression"].average, small)
enlarged_by["GAN"] = restored(runs["enlarged by a GAN"].average, small)
enlarging = {name: measured(images) for name, images in enlarged_by.items()}
for name, row in enlarging.items():
    print(
        f"{name:12s} PSNR {row['psnr']:5.1f} dB, SSIM {row['ssim']:.2f}, Fréchet distance {row['frechet']:6.1f}"
    )
plots.show(
    plots.image_grid(
        torch.cat(
            [
                target[:shown],
                data.enlarge(small[:shown], 4, "nearest"),
                *(one[:shown] for one in enlarged_by.values()),
            ]
        ),
        columns=shown,
        row_labels=["test digit", "7×7 pixels", *enlarged_by],
        title="Enlarged four times",
        note=test.note,
        alt="Five rows of twelve: test digits, their 7×7 pixels, and what bicubic "
        "interpolation, regression and the GAN "
        "make of these. Bicubic is blurred, regression soft, the GAN has clear strokes.",
    )
)

# %% tags=["claim"]
claim(
    "Bicubic is blurred, regression soft, the GAN has clear strokes",
    enlarging["GAN"]["frechet"] < enlarging["regression"]["frechet"] < enlarging["bicubic"]["frechet"]
    and enlarging["regression"]["psnr"] > max(enlarging[name]["psnr"] for name in ("bicubic", "GAN")),
    every_seed=True,
)
claim(
    "Of the two networks regression has the higher PSNR, and the GAN less than half of its Fréchet distance",
    enlarging["GAN"]["psnr"] < enlarging["regression"]["psnr"]
    and enlarging["GAN"]["frechet"] < 0.5 * enlarging["regression"]["frechet"],
    every_seed=True,
    values={"half": 0.5},
)

# %% [markdown]
# Bicubic interpolation is far from any digit. Of the two networks regression has the higher PSNR,
# and the GAN less than half of its Fréchet distance: the trade of the last section, once more. That
# a network may enlarge with a discriminator at its side was shown for photographs by SRGAN (Ledig
# et al., 2017).
#
# Photographs leave more open. For 8×8 pixels in, 32×32 out, training takes longer than a notebook
# should; so two networks that ship are shown, one by regression, one with a GAN's loss beside it.

# %%
photographs = data.load_cifar10("test")
sharp = data.to_model_range(photographs.images[: by_scale(ci=32, cpu=2_000, gpu=2_000)])
coarse_photographs = data.downsample(sharp, 4)
in_colour = {"bicubic": data.enlarge(coarse_photographs, 4)}
for name, kind in (("regression", "regression"), ("GAN", "gan")):
    in_colour[name] = restored(load_translator(f"cifar10_larger_{kind}"), coarse_photographs)
distance_to_photographs = frechet_evaluator("cifar10")


def measured_photographs(images: Tensor) -> dict[str, float]:
    """Distortion from the test photographs, and perception."""
    return {
        "psnr": 10 * math.log10(4 / max(mean_squared_error(images, sharp), 1e-10)),
        "ssim": structural_similarity(images, sharp),
        "frechet": distance_to_photographs(images),
    }


colour_scores = {}
for name, images in in_colour.items():
    colour_scores[name] = row = measured_photographs(images)
    print(
        f"{name:12s} PSNR {row['psnr']:5.1f} dB, SSIM {row['ssim']:.2f}, Fréchet distance {row['frechet']:5.2f}"
    )
of_each = torch.stack([(photographs.labels == k).nonzero()[0, 0] for k in range(10)])
of_each = of_each[of_each < len(sharp)]
plots.show(
    plots.image_grid(
        torch.cat(
            [
                sharp[of_each],
                data.enlarge(coarse_photographs[of_each], 4, "nearest"),
                *(one[of_each] for one in in_colour.values()),
            ]
        ),
        columns=len(of_each),
        row_labels=["photograph", "8×8 pixels", *in_colour],
        title="The first test photograph of each class, from 8×8 pixels",
        note=photographs.note,
        alt="Five rows: ten test photographs, their 8×8 pixels, and what bicubic interpolation, regression and the GAN "
        "make of these. Bicubic and regression are blurred; the GAN adds texture.",
    )
)

# %% [markdown]
# The trade of the theorem, in colour. Regression has the higher PSNR, and here the higher SSIM too;
# the GAN has less than half of its Fréchet distance. What it adds is texture, and none of it was in
# the 8×8 pixels.

# %% tags=["claim"]
claim(
    "Regression has the higher PSNR, and here the higher SSIM too",
    colour_scores["regression"]["psnr"] > colour_scores["GAN"]["psnr"]
    and colour_scores["regression"]["ssim"] > colour_scores["GAN"]["ssim"],
    every_seed=True,
)
claim(
    "the GAN has less than half of its Fréchet distance",
    colour_scores["GAN"]["frechet"] < 0.5 * colour_scores["regression"]["frechet"],
    every_seed=True,
    values={"half": 0.5},
)

# %% [markdown]
# ## From edges to digits
#
# Where source and target have the same shape, much of the answer is *where* things are, and the
# source knows that to the pixel. A network that squeezes the image through a few small maps has to
# carry all of these places through them, and put them out again. The **U-Net** (Ronneberger,
# Fischer and Brox, 2015) lets them pass beside the bottleneck.
#
# ### Exercise 13.6 — Build the U-Net (●●●, 35 min)
#
# Write the network. The maps are halved twice, to a quarter of the side, and doubled twice. On the
# way down their channels are `width`, 2·`width` and 4·`width`, on the way up they go back to
# `width`, in steps of your choice. Before each of the two blocks on the way up, the doubled map is
# joined by `torch.cat`, along the channels, with the map of the same size that the way down had
# *before* it was halved.
#
# How you halve, double and normalise is up to you. Between two convolutions stands something that
# is not linear; the last layer is a tanh. Sides are divisible by 4, as
# 28 and 32 are. <!-- numbers: sizes of digits and photographs --> (Do not call
# a layer `half` or `double`: `nn.Module` has methods of these names, for types of numbers.)


# %%
class UNet(nn.Module):
    """Sources (N, in_channels, H, W) → images (N, out_channels, H, W) in [-1, 1], with two skip connections."""

    def __init__(self, in_channels: int, out_channels: int, width: int):
        super().__init__()
        ### BEGIN SOLUTION

        def block(inputs: int, outputs: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU())

        self.first, self.second = block(in_channels, width), block(width, 2 * width)
        self.bottom = block(2 * width, 4 * width)
        self.above, self.top = block(6 * width, 2 * width), block(3 * width, width)
        self.last = nn.Conv2d(width, out_channels, 3, padding=1)
        self.shrink, self.enlarge = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
        ### END SOLUTION

    def forward(self, source: Tensor) -> Tensor:
        ### BEGIN SOLUTION
        full = self.first(source)
        middle = self.second(self.shrink(full))
        maps = self.bottom(self.shrink(middle))
        maps = self.above(torch.cat([self.enlarge(maps), middle], dim=1))
        maps = self.top(torch.cat([self.enlarge(maps), full], dim=1))
        return torch.tanh(self.last(maps))
        ### END SOLUTION


# %%
build = check(
    "13.6",
    UNet,
    otherwise=lambda in_channels, out_channels, width: ReferenceUNet(
        (out_channels, 28, 28), in_channels, width=width
    ),
)

# %% [markdown]
# What are the skips good for? The reference network with them and without them (zeros are joined
# in place of the maps), regression on the same images:

# %%
outlines = data.edges(target)
draw_edges = pairs("edges", mnist.images)
without = {}
for name, skips in (("with skips", True), ("without", False)):
    torch.manual_seed(seed(5))
    network = ReferenceUNet((1, 28, 28), 1, width=8, skips=skips)
    run = train(Regression(network), draw_edges, images=IMAGES // 3, seed=seed(5), **TRAINING)
    without[name] = restored(run.average, outlines)
lost = {name: mean_squared_error(images, target) for name, images in without.items()}
for name, error in lost.items():
    print(f"{name:11s} squared error {error:.4f}")

# %% [markdown]
# Now your network plays, against a discriminator that sees pairs of image and source.

# %%
torch.manual_seed(seed(6))
translator = build(1, 1, 8)
translator.latent_dim = 0  # it takes none
judge = PatchDiscriminator((1, 28, 28), source_channels=1, width=16, layers=1)
model = pix2pix(translator, judge, adversarial=WEIGHT, error="squared", betas=(0.5, 0.99))
run = train(model, draw_edges, images=IMAGES // 2, seed=seed(6), **TRAINING)
drawings = {**without, "U-Net, GAN": restored(run.average, outlines)}
print(f"with a GAN's loss: squared error {mean_squared_error(drawings['U-Net, GAN'], target):.4f}")
plots.show(
    plots.image_grid(
        torch.cat([outlines[:shown], target[:shown], *(images[:shown] for images in drawings.values())]),
        columns=shown,
        row_labels=["edges", "test digit", "with skips", "without", "with a GAN"],
        title="From edges to digits",
        note=test.note,
        alt="Five rows of twelve: outlines, the digits they came from, regression with skip connections, without, and "
        "the GAN. Without skips the strokes are softer.",
    )
)

# %% [markdown]
# Without its skips the same network is farther off, after the same images. Its 32 maps of 7×7
# <!-- number 32: four times the width of 8 --> would be enough numbers for a digit; but it has to
# learn to code every place in them, and to read it again. The row of the GAN hardly differs from
# regression's: an outline leaves little open, and where nothing is open a discriminator has nothing
# to add.

# %% tags=["claim"]
claim(
    "Without its skips the same network is farther off",
    lost["without"] > 1.05 * lost["with skips"],
    every_seed=True,
)

# %% [markdown]
# ## From grey to colour
#
# The second example of the paper. A grey photograph knows every edge and every shade. What is lost
# is the **chroma**: the difference of a pixel's colour from its grey, which is here
# $0.299\,R + 0.587\,G + 0.114\,B$ (the luma of ITU-R BT.601). Was the car red or blue?
#
# The grey is known, so the network need not give it back. It paints, and of what it paints only the
# chroma is used. Where a colour is too strong for its brightness it is made paler:

# %%
show_source(Colouriser)

# %% [markdown]
# Four answers for test photographs: leave them grey; take the chroma of the training photograph
# whose grey is nearest; regression, and a GAN whose $D$ sees colours and grey as a pair. Both
# networks ship with the course.
#
# **Predict** before you run the next cell: whose colours are paler than those of the photographs?

# %%
grey_photographs = data.grey(sharp)
known_photographs = data.load_cifar10("train").images[: by_scale(ci=100, cpu=10_000, gpu=10_000)].clone()


def nearest_colours(greys: Tensor, known: Tensor) -> Tensor:
    """Greys (N, 1, H, W) with the chroma of the known photograph, uint8 (M, 3, H, W), whose grey is nearest."""
    known_greys = torch.cat([data.grey(data.to_model_range(part)) for part in known.split(500)])
    found = data.to_model_range(known[nearest(greys.flatten(1), known_greys.flatten(1)).places])
    return (greys + found - data.grey(found)).clamp(-1, 1)


colourings = {
    "grey": grey_photographs.expand(-1, 3, -1, -1),
    "nearest": nearest_colours(grey_photographs, known_photographs),
    "regression": restored(load_translator("cifar10_colour_regression"), grey_photographs),
    "GAN": restored(load_translator("cifar10_colour_gan"), grey_photographs),
}
coloured = {
    name: {**measured_photographs(images), "chroma": chroma_strength(images)}
    for name, images in {**colourings, "photographs": sharp}.items()
}
coloured["photographs"]["psnr"] = math.inf
lost_to_mean = mean_squared_error(colourings["regression"], sharp)
left_to_mean = math.sqrt(coloured["photographs"]["chroma"] ** 2 - lost_to_mean)
print("              PSNR (dB)    SSIM   Fréchet distance   chroma")
for name, row in coloured.items():
    print(f"{name:12s} {row['psnr']:10.1f} {row['ssim']:7.3f} {row['frechet']:18.3f} {row['chroma']:8.3f}")
print(f"what the squared error of regression leaves of the photographs' chroma: {left_to_mean:.3f}")

# %% jupyter={"source_hidden": true}
plots.show(
    plots.image_grid(
        torch.cat([part[of_each] for part in (*colourings.values(), sharp)]),
        columns=len(of_each),
        row_labels=[*colourings, "photograph"],
        title="The first test photograph of each class, from its grey",
        note=photographs.note,
        alt="Five rows of ten: photographs without colour, with the colours of the nearest training photograph, by "
        "regression, by the GAN, and as they were. The second row has strong colours in wrong places, the third is "
        "brownish and pale, the fourth less pale.",
    )
)

# %% [markdown]
# The palest colours, after none, are those of regression. It is on its way to the mean of all
# colours that fit, and the mean of red and blue is neither. How pale, the step from exercise 13.3
# can say. Let $c$ be the chroma; its grey is given, so all error is in it, and
#
# $$\mathbb E\,\|c\|^2 = \mathbb E\,\|\mathbb E[c \mid y]\|^2 + \mathbb E\,\|c - \mathbb E[c \mid y]\|^2.$$
#
# The squared chroma of the photographs is that of their mean, plus the mean's squared error. So
# take regression's squared error from the left side: what is left is the last number above, and
# about as much chroma is in regression's row. What it cannot know, it pays in colour.
#
# The nearest photograph has more chroma than the true ones, and the lowest PSNR of all, lower than
# no colour: its colours belong to another picture. The GAN's are stronger than regression's, and
# its Fréchet distance is the smallest of the four; that costs PSNR, once more. But its colours are
# still a guess: the green frog has turned red, and nothing in the picture tells you so.
#
# Both networks keep the grey, and that is why PSNR and SSIM hardly tell the rows apart: SSIM is
# above 0.9 even for no colour at all. They ask for the wrong thing here. <!-- number 0.9: the
# claim's -->

# %% tags=["claim"]
claim(
    "The palest colours, after none, are those of regression",
    coloured["regression"]["chroma"] < 0.9 * min(coloured[name]["chroma"] for name in ("nearest", "GAN")),
    every_seed=True,
)
claim(
    "about as much chroma is in regression's row",
    about(coloured["regression"]["chroma"], left_to_mean, rel=0.15),
    every_seed=True,
)
claim(
    "The nearest photograph has more chroma than the true ones, and the lowest PSNR of all, lower than no colour",
    coloured["nearest"]["chroma"] > coloured["photographs"]["chroma"]
    and coloured["nearest"]["psnr"]
    < min(coloured[name]["psnr"] for name in ("grey", "regression", "GAN")) - 1,
    every_seed=True,
)
claim(
    "The GAN's are stronger than regression's, and its Fréchet distance is the smallest of the four; that costs PSNR",
    coloured["regression"]["chroma"] < coloured["GAN"]["chroma"] < coloured["photographs"]["chroma"]
    and coloured["GAN"]["frechet"]
    < 0.9 * min(coloured[name]["frechet"] for name in ("grey", "nearest", "regression"))
    and coloured["GAN"]["psnr"] < coloured["regression"]["psnr"] - 0.2,
    every_seed=True,
)
_frog = of_each[6]
claim(
    "the green frog has turned red",
    (sharp[_frog, 1] - sharp[_frog, 0]).mean() > 0.02
    and (colourings["GAN"][_frog, 0] - colourings["GAN"][_frog, 1]).mean() > 0.02,
    every_seed=True,
)
claim(
    "Both networks keep the grey",
    all(
        (data.grey(colourings[name]) - grey_photographs).abs().max() < 1e-4 for name in ("regression", "GAN")
    ),
    every_seed=True,
)
claim(
    "SSIM is above 0.9 even for no colour at all",
    coloured["grey"]["ssim"] > 0.9,
    every_seed=True,
)

# %% [markdown]
# ## A judge of patches
#
# The discriminator that you just played against returns not one logit for an image but many, each
# of which sees a part: a **PatchGAN** (Isola et al., 2017). It judges strokes and textures, and
# leaves the large shape to the other term of the loss. How large is that part, the logit's
# **receptive field**?
#
# ### Exercise 13.7 — How far does one logit see? (●●○, 12 min)
#
# `layers` are the convolutions of a discriminator, from the image to the logits, each as (kernel,
# stride). How many pixels, along one axis, does one logit depend on? (Padding moves the window, and
# does not change its size.) pix2pix's has `[(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)]`.


# %%
def receptive_field(layers: list[tuple[int, int]]) -> int:
    """The side of the square of pixels that one logit sees."""
    ### BEGIN SOLUTION
    side = 1  # of the last map: one place
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side
    ### END SOLUTION


# %%
field_of = check("13.7", receptive_field, otherwise=reference_field)

# %% [markdown]
# A gradient finds it without arithmetic: which pixels can move the logit in the middle?

# %%
seen_by = {}
for halvings in (0, 1, 2, 3):
    judge = PatchDiscriminator((1, 96, 96), width=4, layers=halvings)
    sizes = [(kernel, stride) for kernel, stride, _ in convolution_sizes(judge.layers)]
    middle = tuple(side // 2 for side in judge.patches)
    top, bottom, *_ = gradient_window(judge.layers, (1, 96, 96), middle)
    seen_by[halvings] = (int(field_of(sizes)), bottom - top + 1)
    print(
        f"{halvings} halvings: computed {seen_by[halvings][0]:2d} pixels, found by gradient {seen_by[halvings][1]:2d}"
    )

# %% [markdown]
# Both ways agree. The one with three halvings is pix2pix's, and 70 pixels are what the paper says.
# On our digits, 28 pixels wide, one halving gives 16: about half a digit. <!-- number 28: their
# size -->

# %% tags=["claim"]
claim(
    "Both ways agree",
    all(computed == by_gradient for computed, by_gradient in seen_by.values()),
    every_seed=True,
)
claim(
    "70 pixels are what the paper says",
    seen_by[3] == (70, 70),
    every_seed=True,
    values={"pixels": 70, "three": 3},
)

# %% [markdown]
# ## Without pairs
#
# Horses and zebras, photographs and paintings: nobody has pairs. There are two heaps of images, A
# and B. **CycleGAN** (Zhu et al., 2017) plays two games at once. $G$ takes A to B, and one
# discriminator compares with B; $F$ takes B to A, and another compares with A. One term ties them
# together: there and back again, $F(G(a))$ should be $a$, and $G(F(b))$ should be $b$.
#
# It sounds as if that left only the true translation. Does it?
#
# ### Exercise 13.8 — Consistent, and wrong (●●○, 12 min)
#
# On the plane, A is a round cloud, $\mathcal N(0, I)$. B is the same cloud shifted to $(4, 0)$, and
# the true partner of $a$ is $a + (4, 0)$. Write a pair of translators that nobody can object to:
# what comes from A is distributed as B is, and the other way round; there and back again ends
# where it began, exactly. Each sees one point at a time. But nearly every point gets a *wrong*
# partner, on average half a unit or more from the true one. `forward` is True for the way from A to
# B, and False for the way back.


# %%
def impostor(points: Tensor, forward: bool) -> Tensor:
    """Points (N, 2) of A to B, or back: consistent, and wrong."""
    ### BEGIN SOLUTION
    return torch.tensor([4.0, 0.0], device=points.device) - points
    ### END SOLUTION


# %%
wrong_pair = check("13.8", impostor, otherwise=lambda points, forward: points.new_tensor([4.0, 0.0]) - points)

# %%
cloud = torch.randn(
    by_scale(ci=200, cpu=2_000, gpu=2_000), 2, generator=torch.Generator().manual_seed(seed(7))
)
partners = wrong_pair(cloud, True)
closed = (wrong_pair(partners, False) - cloud).norm(dim=1).mean().item()
missed = (partners - cloud - torch.tensor([4.0, 0.0])).norm(dim=1).mean().item()
print(f"there and back again: {closed:.6f} away; from the true partner: {missed:.2f} away")

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(width=6.5, height=3.4)
few = 25
for start, end in zip(cloud[:few].tolist(), partners[:few].tolist(), strict=True):
    axes.plot([start[0], end[0]], [start[1], end[1]], color=plots.COLORS["reference"], linewidth=0.6)
axes.plot(*cloud[:300].T, ".", color=TRUTH, markersize=4, label="A")
axes.plot(*partners[:300].T, ".", color=OF_GAN, markersize=4, label="A, translated")
axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
plots.show(
    plots.describe(
        figure,
        "Two round clouds side by side, A and its translation; thin lines join points to their "
        "partners, and they cross "
        "each other.",
    )
)

# %% [markdown]
# What two discriminators and a cycle ask for is a one-to-one map between two *distributions*. Put
# any one-to-one map of A onto itself that keeps its distribution before the true translation, and
# nothing changes for them. Which of all these maps a training finds is decided by what its networks
# find easy (Galanti, Wolf and Benaim, 2018).
#
# On digits we know the truth, if we make B ourselves. Three ways to make it, each from *other*
# digits than A's:
#
# | B | the true translation |
# | --- | --- |
# | thick digits | every stroke grows by a pixel on each side |
# | digits upside down | half a turn |
# | digits as large pixels, 7×7 | means of blocks; there is no way back |
#
# A third term is the paper's own, for paintings: what lies in B already $G$ should leave alone, and
# $F$ what lies in A. (Without it, in a training of ours that is not shown, digits went to their
# negatives and back, which is a closed cycle, too.) Keep an eye on what that term pays for.

# %%
show_source(cyclegan)

# %%
STYLES = {"thick": data.thickened, "upside down": data.half_turn, "large pixels": data.blocks}
half = len(mnist.images) // 2
draw_plain, draw_others = data.image_sampler(mnist.images[:half]), data.image_sampler(mnist.images[half:])


def train_cycle(name: str):
    """A CycleGAN from digits to digits of that style; returns its run."""
    torch.manual_seed(seed(8))
    networks = [ReferenceUNet(width=8), ReferenceUNet(width=8)]
    layers = 1 if name == "large pixels" else 2  # of blocks one need not see far
    judges = [PatchDiscriminator(width=16, layers=layers), PatchDiscriminator(width=16, layers=layers)]
    game = cyclegan(*networks, *judges, cycle=10.0, identity=5.0, betas=(0.5, 0.99))
    draw = data.unpaired_sampler(lambda n, rng: STYLES[name](draw_others(n, rng)), draw_plain)
    settings = {"batch_size": 32, "ema_half_life": 2_000, "device": "cpu"}
    return train(game, draw, images=IMAGES // 3, seed=seed(8), **settings)


cycles = {"thick": train_cycle("thick")}

# %%
cycles["upside down"] = train_cycle("upside down")

# %%
cycles["large pixels"] = train_cycle("large pixels")

# %% [markdown]
# **Predict** before you run the next cell: in which of the three does the cycle close, and in which
# is the translation the true one?

# %%
little = {name: noisy(0.1, seed=seed(9)) for name in cycles} | {"large pixels": data.blocks}
ways = {name: cycle_errors(run.average, target, STYLES[name], little[name]) for name, run in cycles.items()}
with torch.no_grad():
    translated = {
        name: torch.cat([run.average(part) for part in target.split(500)]) for name, run in cycles.items()
    }
nothing = {name: (style(target) - target).abs().mean().item() for name, style in STYLES.items()}
moved = {name: (images - target).abs().mean().item() for name, images in translated.items()}
print("mean absolute      there and   from the true   of doing   from the   back, after a")
print("error of pixels         back     translation    nothing     source   little change")
for name, errors in ways.items():
    print(
        f"{name:15s} {errors.cycle:12.3f} {errors.truth:15.3f} {nothing[name]:10.3f} {moved[name]:10.3f} "
        f"{errors.disturbed:15.3f}"
    )
unturned = in_batches(classifier, data.half_turn(translated["upside down"])).argmax(1)
right_way = (unturned == labels).float().mean().item()
sixes = (unturned == labels)[(labels == 6) | (labels == 9)].float().mean().item()
print(
    f"upside down: turned back, {right_way:.0%} are read as the digit that they came from; {sixes:.0%} of 6 and 9"
)

# %% jupyter={"source_hidden": true}
plots.show(
    plots.image_grid(
        torch.cat(
            [
                part
                for name in STYLES
                for part in (target[:shown], STYLES[name](target[:shown]), translated[name][:shown])
            ]
        ),
        columns=shown,
        row_labels=[label for name in STYLES for label in ("A", "true", name)],
        title="Translated without a single pair",
        note=test.note,
        alt="Three groups of three rows: digits, their true translations, and those of the CycleGAN. Thick digits are "
        "right; those meant to be upside down stand as they did; the last row lies "
        "between a digit and its large pixels.",
    )
)

# %% [markdown]
# The cycle closes in all three: what comes back differs little from what was sent. With thick
# digits the translation is much nearer to the true one than doing nothing would be. The other two
# fail in different ways.
#
# **Upside down**: look at the rows. $G$ does next to nothing, and ends as far from the true
# translation as doing nothing is. A 0, a 1 or an 8 passes for its own half turn, and a 6 for that
# of a 9. A 7 does not; but of the three terms two are as content as they can be. The cycle is
# closed because nothing was moved, and what lies in B was to be left alone. Nobody asked for half a
# turn. <!-- numbers: digits --> This is worse than the impostor of the plane, whose points were at
# least distributed as B's are.
#
# **Large pixels**: in this run, by the number of the second column, this is a good translation;
# with another seed it was hardly nearer than doing nothing. But real ones hold one number for a
# block, and from these no $F$ could find *every* stroke. Yet the way back closes. Look closely at
# the last row: within the blocks strokes are left, fainter than in A, and $F$ reads them. Take the
# mean of every block once more, and the way back ends somewhere else. The cycle pays $G$ for
# carrying along what B should not hold, as little seen by $D$ as possible. On maps and aerial
# photographs it was next to invisible: **steganography** (Chu, Zhmoginov and Sandler, 2017).

# %% tags=["claim"]
claim(
    "The cycle closes in all three: what comes back differs little from what was sent",
    max(errors.cycle for errors in ways.values()) < 0.13,
    every_seed=True,
)
claim(
    "With thick digits the translation is much nearer to the true one than doing nothing would be",
    ways["thick"].truth < 0.6 * nothing["thick"],
    every_seed=True,
)
claim(
    "$G$ does next to nothing, and ends as far from the true translation as doing nothing is",
    moved["upside down"] < 0.35 * nothing["upside down"]
    and about(ways["upside down"].truth, nothing["upside down"], rel=0.15)
    and right_way < 0.7
    and sixes < 0.5,
    every_seed=True,
)
claim(
    "in this run, by the number of the second column, this is a good translation",
    ways["large pixels"].truth < 0.6 * nothing["large pixels"],
)
claim(
    "Take the mean of every block once more, and the way back ends somewhere else",
    ways["large pixels"].disturbed > 1.7 * ways["large pixels"].cycle
    and (translated["large pixels"] - data.blocks(translated["large pixels"])).abs().mean() > 0.02,
    every_seed=True,
)

# %% [markdown]
# ## What is style?
#
# "The same digit in another style" was thick, or upside down, or coarse, as we liked. Is there a
# measure of style that needs no discriminator? Gatys, Ecker and Bethge (2016) took one from a
# classifier. Its feature maps say *what* is *where*. Ask only which features occur together,
# wherever that is:
#
# ### Exercise 13.9 — What fires together (●●○, 10 min)
#
# For each image, and for every two channels: the product of the two maps, averaged over all
# places. These are the **Gram matrices**. Gradients should get through.


# %%
def gram_matrix(features: Tensor) -> Tensor:
    """Mean over places of f_c · f_d for all pairs of channels. (N, C, H, W) in, (N, C, C) out."""
    ### BEGIN SOLUTION
    flat = features.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]
    ### END SOLUTION


# %%
gram = check("13.9", gram_matrix, otherwise=reference_gram)

# %% [markdown]
# Compare what it sees with what pixels see. The same 500 thick digits are changed in four ways. How
# far is each from the *other* 500 thick digits, by mean Gram matrices; and how far from itself, by
# pixels? The quarters of an image are exchanged, always in the same way, which leaves strokes
# and destroys digits. <!-- numbers: half of those judged; the cell's -->

# %%
one, other = data.thickened(target[: min(500, judged // 2)]), data.thickened(target[-min(500, judged // 2) :])


def exchange_quarters(images: Tensor) -> Tensor:
    """The four quarters of 14×14 pixels, each image's in the order 3, 0, 1, 2."""
    top, bottom = images.split(14, dim=2)
    a, b, c, d = (*top.split(14, dim=3), *bottom.split(14, dim=3))
    return torch.cat([torch.cat([d, a], 3), torch.cat([b, c], 3)], 2)


def style_gap(images: Tensor) -> float:
    """‖mean Gram − that of the other thick digits‖² / ‖that‖², averaged over the layers."""
    gaps = []
    for mine, theirs in zip(feature_maps(classifier, images), feature_maps(classifier, other), strict=True):
        own, wanted_gram = gram(mine).mean(0), gram(theirs).mean(0)
        gaps.append(((own - wanted_gram).square().sum() / wanted_gram.square().sum()).item())
    return sum(gaps) / len(gaps)


changes = {
    "as they are": one,
    "quarters exchanged": exchange_quarters(one),
    "upside down": data.half_turn(one),
    "thin": target[: len(one)],
    "inverted": data.inverted(one),
}
styled = {name: (style_gap(images), mean_squared_error(images, one)) for name, images in changes.items()}
print("thick digits …        gap of style   squared error of pixels")
for name, (gap, error) in styled.items():
    print(f"{name:20s} {gap:13.4f} {error:25.3f}")

# %% [markdown]
# To pixels, exchanged quarters are far worse than thin digits. To Gram matrices it is the other way
# round: they find the quarters nearly right, and thin digits far off. They see strokes and how
# thick they are, and no digit. That is also roughly what a discriminator of patches judges, and why
# both need a partner that looks after the content: a term that keeps near the source, or pairs.

# %% tags=["claim"]
claim(
    "To pixels, exchanged quarters are far worse than thin digits. To Gram matrices it is the other way round",
    styled["thin"][0] > 1.5 * styled["quarters exchanged"][0]
    and styled["thin"][1] < 0.5 * styled["quarters exchanged"][1],
    every_seed=True,
)

# %% [markdown]
# And what does a discriminator itself call style? The CycleGANs have left three of them, each of
# which has compared B with translations for a whole training. What counts for the loss is the mean
# over all patches, so let $D$'s eye be what its last layer reads, averaged over places: like a Gram
# matrix, it forgets where. Take digits and change their style; and compare how far that moves them
# with how far it is to *another digit* of the same style. A ratio of squared distances above 1 says
# that style weighs more than content, for this eye.

# %%
compared = target[:500]


def gram_of(images: Tensor) -> list[Tensor]:
    """Gram matrices of the classifier's layers."""
    return [gram(maps) for maps in feature_maps(classifier, images)]


@torch.no_grad()
def read_by(judges: list[PatchDiscriminator], images: Tensor) -> list[Tensor]:
    """What the last layer of each discriminator reads, averaged over places: (N, C)."""
    return [judge.layers[:-1](images).mean((2, 3)) for judge in judges]


def style_over_content(eye, change) -> float:
    """E‖e(change(x)) − e(x)‖² / E‖e(x) − e(x′)‖², x′ another digit of the same style; the mean over e's parts."""
    ratios = []
    for plain, changed in zip(eye(compared), eye(change(compared)), strict=True):
        style = (plain - changed).square().sum()
        content = [(some - some.roll(1, 0)).square().sum() for some in (plain, changed)]
        ratios.append((2 * style / sum(content)).item())
    return sum(ratios) / len(ratios)


torch.manual_seed(seed(8))
eyes = {
    "pixels": lambda images: [images],
    "classifier's features": lambda images: [in_batches(classifier.features, images)],
    "classifier's Gram matrices": gram_of,
    "five untrained D": partial(read_by, [PatchDiscriminator(width=16, layers=2) for _ in range(5)]),
}
for name, run in cycles.items():
    eyes[f"D of {name}"] = partial(read_by, [run.networks["discriminator"].of_target])
weights_of_style = {
    eye: {name: style_over_content(read, change) for name, change in STYLES.items()}
    for eye, read in eyes.items()
}
print("style over content          " + "".join(f"{name:>14s}" for name in STYLES))
for eye, row in weights_of_style.items():
    print(f"{eye:28s}" + "".join(f"{value:14.2f}" for value in row.values()))

# %% [markdown]
# To pixels, and to the classifier's features, another digit is farther than the same one made
# thick: they see content. To the Gram matrices it is the other way round, and to $D$ as well. Part
# of that needs no training: small filters and a mean over places weigh style already in a $D$ that
# has seen nothing. The game adds to it: the $D$ that has compared thick digits with thin ones
# weighs thickness more than untrained ones do, and more than the Gram matrices.
#
# Now read the column "upside down". For every eye half a turn is less than another digit, and what
# the game has added for thickness it has not added for half a turn. A style that $D$ hardly sees is
# a style that it cannot ask for: that is the other half of why that CycleGAN did nothing.

# %% tags=["claim"]
_of = weights_of_style
claim(
    "To pixels, and to the classifier's features, another digit is farther than the same one made thick",
    max(_of[eye]["thick"] for eye in ("pixels", "classifier's features")) < 0.9,
    every_seed=True,
)
claim(
    "To the Gram matrices it is the other way round, and to $D$ as well",
    _of["classifier's Gram matrices"]["thick"] > 1 and _of["D of thick"]["thick"] > 1.5,
    every_seed=True,
)
claim(
    "small filters and a mean over places weigh style already in a $D$ that has seen nothing",
    _of["five untrained D"]["thick"] > 1,
    every_seed=True,
)
claim(
    "weighs thickness more than untrained ones do, and more than the Gram matrices",
    _of["D of thick"]["thick"]
    > 1.1 * max(_of["five untrained D"]["thick"], _of["classifier's Gram matrices"]["thick"]),
    every_seed=True,
)
claim(
    "For every eye half a turn is less than another digit",
    max(row["upside down"] for row in _of.values()) < 1,
    every_seed=True,
)
claim(
    "what the game has added for thickness it has not added for half a turn",
    _of["D of upside down"]["upside down"] - _of["five untrained D"]["upside down"]
    < 0.5 * (_of["D of thick"]["thick"] - _of["five untrained D"]["thick"]),
    every_seed=True,
)

# %% [markdown]
# ## Out in the world
#
# All of this is in use, where it matters what an image shows. Each of these failures was published.
#
# | where | what is made from what | what went wrong |
# | --- | --- | --- |
# | faces | portraits of 1024×1024 pixels from 16×16, by search in a face generator (PULSE; Menon et al., 2020) | a pixelated portrait of Barack Obama became the face of a white man; the authors then wrote that their method seems to produce white faces much more often than others |
# | tumours | one kind of brain scan from another, unpaired | tumours vanish if the target's heap has none, and appear if it has many: $D$ compares distributions, and the distribution had them. "Should not be used for direct interpretation" (Cohen, Luck and Honari, 2018) |
# | scanners | images of the brain from a quarter or an eighth of the measurements | submissions to the fastMRI challenge show structures that look like anatomy and are none; radiologists saw them, while SSIM, which chose the finalists, does not ask for that (Muckley et al., 2020) |
# | maps | maps from aerial photographs and back | the photograph's details were hidden in the map, and came back from there (Chu, Zhmoginov and Sandler, 2017) |
# | satellites | aerial views of one city in the style of another | places that do not exist, hard to tell from real ones: here it was the point, to show that it can be done (Zhao et al., 2021) |
# <!-- numbers: of the papers cited -->
#
# None of these is a bug. Each does what you have seen here: an answer is drawn from what fits, and
# what fits is decided by training data. So ask of a restored image:
#
# 1. **What was measured?** Only that is evidence. Does the answer, degraded again, give the
#    source? Even then, see above, it may be another digit.
# 2. **What else would have fitted?** A method that gives one answer hides the others. Ask for
#    several.
# 3. **Whose images were learnt?** What is rare there is repaired away.
# 4. **Who sees it?** For an old family photograph plausible may be enough. For a diagnosis, a
#    court, a map it is not.
#
# ## Misconceptions
#
# ### "The higher the PSNR, the better the image"
#
# Compare two images with each true digit: the digit itself, shifted to the right by one pixel; and
# the digit, blurred twice.

# %%
blurred = target
for _ in range(2):
    blurred = nn.functional.avg_pool2d(blurred, 3, stride=1, padding=1, count_include_pad=False)
contest = {"shifted by one pixel": target.roll(1, dims=3), "blurred": blurred}
against = {name: (decibels(images), evaluate_samples(images)) for name, images in contest.items()}
for name, (psnr, distance) in against.items():
    print(f"{name:21s} PSNR {psnr:5.1f} dB, Fréchet distance {distance:6.1f}")

# %% [markdown]
# The blurred digits win by PSNR, and nobody would take them for digits of the test set. PSNR asks
# whether each pixel is near *its* pixel. An answer that hedges is.

# %% tags=["claim"]
claim(
    "The blurred digits win by PSNR",
    against["blurred"][0] > against["shifted by one pixel"][0] + 0.5
    and against["blurred"][1] > 3 * against["shifted by one pixel"][1],
    every_seed=True,
)

# %% [markdown]
# ### "The network recovers what was there"
#
# You saw digits that agree with all that is known and are others than the true one. A network
# cannot recover what its source does not hold. It can say what is usual.
#
# ### "If there and back again returns the image, the translation is right"
#
# On the plane and upside down you saw cycles that close around a wrong translation, and on large
# pixels one that closes because the image is smuggled through.
#
# ### "A latent makes the answers vary"
#
# Only if the loss leaves room for it. Beside a plain squared error the latent was nearly ignored.
#
# ## Paint a hole
#
# Take the mouse, or the keys, and paint a hole into a digit. Two networks that ship with the course
# fill it while you paint: one was trained by regression, one by a GAN with a latent. Press for new
# latents: where the digit is decided by what is left, the GAN's answers agree. Where it is not, you
# see what was possible.

# %%
hole_painter(shipped["regression"], shipped["gan"], target[:10])

# %% [markdown]
# Cover half of a 3, and ask yourself what it was. <!-- number 3: a digit -->
#
# ## Summary
#
# - What is lost leaves many answers. The least expected squared error belongs to their mean, and
#   the mean need not be a possible image: that is where the grey comes from, and pale colours.
# - A discriminator asks for possible images. They cost distortion: 3 dB of PSNR if they are drawn
#   from the posterior, and never more than that if it is done in the cheapest way, on a curve that
#   falls and is convex (Blau and Michaeli). Report both sides. <!-- number 3: exercise 13.3 -->
# - A plain squared error makes a generator ignore its latent; an error of the mean does not.
# - A U-Net lets places pass beside the bottleneck. A PatchGAN judges as far as its receptive
#   field.
# - Two discriminators and a closed cycle ask for a one-to-one map of distributions. Many maps are,
#   and one of them is the true translation.
# - A restored image is a plausible answer, not evidence of what was there.
#
# ## Further reading
#
# - D. Pathak, P. Krähenbühl, J. Donahue, T. Darrell, A. A. Efros, *Context Encoders: Feature
#   Learning by Inpainting*, CVPR 2016, [arXiv:1604.07379](https://arxiv.org/abs/1604.07379)
# - C. Ledig, L. Theis, F. Huszár, J. Caballero, A. Cunningham, A. Acosta, A. Aitken, A. Tejani, J.
#   Totz, Z. Wang, W. Shi, *Photo-Realistic Single Image Super-Resolution Using a Generative
#   Adversarial Network*, CVPR 2017, [arXiv:1609.04802](https://arxiv.org/abs/1609.04802)
# - Y. Blau, T. Michaeli, *The Perception-Distortion Tradeoff*, CVPR 2018,
#   [arXiv:1711.06077](https://arxiv.org/abs/1711.06077)
# - D. Freirich, T. Michaeli, R. Meir, *A Theory of the Distortion-Perception Tradeoff in
#   Wasserstein Space*, NeurIPS 2021, [arXiv:2107.02555](https://arxiv.org/abs/2107.02555)
# - P. Isola, J.-Y. Zhu, T. Zhou, A. A. Efros, *Image-to-Image Translation with Conditional
#   Adversarial Networks*, CVPR 2017, [arXiv:1611.07004](https://arxiv.org/abs/1611.07004)
# - J.-Y. Zhu, R. Zhang, D. Pathak, T. Darrell, A. A. Efros, O. Wang, E. Shechtman, *Toward
#   Multimodal Image-to-Image Translation*, NeurIPS 2017,
#   [arXiv:1711.11586](https://arxiv.org/abs/1711.11586)
# - O. Ronneberger, P. Fischer, T. Brox, *U-Net: Convolutional Networks for Biomedical Image
#   Segmentation*, MICCAI 2015, [arXiv:1505.04597](https://arxiv.org/abs/1505.04597)
# - J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, *Unpaired Image-to-Image Translation using
#   Cycle-Consistent Adversarial Networks*, ICCV 2017,
#   [arXiv:1703.10593](https://arxiv.org/abs/1703.10593)
# - T. Galanti, L. Wolf, S. Benaim, *The Role of Minimal Complexity Functions in Unsupervised
#   Learning of Semantic Mappings*, ICLR 2018, [arXiv:1709.00074](https://arxiv.org/abs/1709.00074)
# - C. Chu, A. Zhmoginov, M. Sandler, *CycleGAN, a Master of Steganography*, 2017,
#   [arXiv:1712.02950](https://arxiv.org/abs/1712.02950)
# - L. A. Gatys, A. S. Ecker, M. Bethge, *Image Style Transfer Using Convolutional Neural
#   Networks*, CVPR 2016
# - Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, *Image Quality Assessment: From Error
#   Visibility to Structural Similarity*, IEEE Transactions on Image Processing 2004
# - S. Menon, A. Damian, S. Hu, N. Ravi, C. Rudin, *PULSE: Self-Supervised Photo Upsampling via
#   Latent Space Exploration of Generative Models*, CVPR 2020,
#   [arXiv:2003.03808](https://arxiv.org/abs/2003.03808)
# - J. P. Cohen, M. Luck, S. Honari, *Distribution Matching Losses Can Hallucinate Features in
#   Medical Image Translation*, MICCAI 2018, [arXiv:1805.08841](https://arxiv.org/abs/1805.08841)
# - M. J. Muckley et al., *Results of the 2020 fastMRI Challenge for Machine Learning MR Image
#   Reconstruction*, 2020, [arXiv:2012.06318](https://arxiv.org/abs/2012.06318)
# - B. Zhao, S. Zhang, C. Xu, Y. Sun, C. Deng, *Deep fake geography? When geospatial data encounter
#   Artificial Intelligence*, Cartography and Geographic Information Science 2021
