# %% [markdown]
# # A fully connected GAN on MNIST: first digits, and five bugs in circulation
#
# You train the GAN that most people meet first, get digits within seconds, learn to recognise its
# classic bugs by what they do to the samples, and choose the size of the latent by measuring.
#
# | | |
# | --- | --- |
# | Reading time | 40 min, and 40 min for the exercises |
# | Running time | about 100 s on two CPU cores |
# | You need | notebook 01 (the objective, the non-saturating loss); notebook 03 helps (the two steps of the game); what an optimiser step is in PyTorch |
# | You will be able to | set up an image GAN correctly; name the bug behind a bad picture; choose the size of the latent by data; say what a fully connected network cannot know about an image |

# %%
import math
import time

import torch
from course_utils.training.ema import averaged_copy, update_average
from course_utils.training.steps import discriminator_step, generator_step, training_round
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils import data, plots
from course_utils.checks import check
from course_utils.metrics import class_coverage, frechet_evaluator
from course_utils.models import (
    count_parameters,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
    sample,
)
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, pick_device
from course_utils.training import progress, train_gan

device = pick_device()
print(f"computing on: {device}")

# %% [markdown]
# ## What is a batch of images?
#
# A digit of MNIST is 28×28 bytes: 0 is black, 255 is white. All images lie in memory as one
# tensor, and their labels (which digit it is) as another. A GAN as we train it here never sees
# the labels; you will want them as soon as you ask for a certain digit.

# %%
mnist = data.load_mnist("train")
print(f"images: {mnist.images.dtype}, shape {tuple(mnist.images.shape)}")
print(f"labels: {mnist.labels.dtype}, shape {tuple(mnist.labels.shape)}")

# %% [markdown]
# ### Exercise 4.1 — Draw a batch (●○○, 8 min)
#
# Draw `n` images at random, with their labels. The networks of this course see pixels as
# floating-point numbers from −1 (black) to 1 (white), because the generator ends in a tanh. Take
# all random numbers from `rng`, so that a run can be repeated. An image may be drawn twice.


# %%
def draw_batch(images: Tensor, labels: Tensor, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """n random images, float in [-1, 1], (n, 1, 28, 28), and their labels (n,).

    images: uint8 (N, 1, 28, 28) in [0, 255];  labels: int64 (N,).
    """
    ### BEGIN SOLUTION
    places = torch.randint(len(images), (n,), generator=rng)
    return images[places].float() / 127.5 - 1, labels[places]
    ### END SOLUTION


# %%
check("4.1", draw_batch)

# %% [markdown]
# From here on the course's sampler does the same, without labels:

# %%
draw_real = data.image_sampler(mnist.images, device)  # draw_real(n, rng): n random images in [-1, 1]
rng = torch.Generator(device).manual_seed(0)
some_real = draw_real(32, rng).cpu()
plots.show(plots.image_grid(some_real, columns=16, title="Real digits", note=mnist.note))

# %% [markdown]
# ## The networks of the first tutorials
#
# The first GANs (Goodfellow et al. 2014) drew their MNIST digits with fully connected networks,
# and most tutorials still begin there. The discriminator takes the image as one row of 784
# numbers, through two hidden layers of 128, to one logit. The generator goes the other way:
# latent → 128 → 128 → 784.

# %%
show_source(mlp_generator, mlp_discriminator)

# %%
generator, discriminator = mlp_generator((1, 28, 28), latent_dim=32), mlp_discriminator((1, 28, 28))
print(f"generator:     {count_parameters(generator):7,} weights")
print(f"discriminator: {count_parameters(discriminator):7,} weights")

latents = torch.randn(4, 32)
fake = generator(latents)
print(
    f"latents {tuple(latents.shape)} → images {tuple(fake.shape)} → logits {tuple(discriminator(fake).shape)}"
)

# %% [markdown]
# Three agreements hold between the parts. Most bugs below break one of them.
#
# - Real images lie in [−1, 1], and so do the generator's, by its tanh.
# - The discriminator returns a **logit** $t$, any number. The probability is $D = \sigma(t)$; the
#   losses take $t$ and do that themselves.
# - A batch is `(N, 1, 28, 28)`, logits are `(N,)`: one for each image.

# %% [markdown]
# ## How do we measure digits?
#
# By eye, and with two numbers. Both come from a small classifier that the course ships; it reads
# digits.
#
# - The **Fréchet distance** compares what the classifier sees in generated and in real images. It
#   is 0 when both are alike; lower is better. Notebook 05 derives it. For now you need to know
#   one rule: compare only distances of equally many samples.
# - The **classes covered**: how many of the ten digits make up at least 1 % of the samples.
#   Beside it the **entropy** of the ten fractions. It is 0 if all samples are the same digit, and
#   $\log 10 \approx 2.30$ if all ten are equally frequent.
#
# First look at their scale, on images whose quality you know:

# %%
evaluate = frechet_evaluator("mnist")
sample_count = by_scale(ci=100, cpu=1_000, gpu=10_000)  # samples for each distance


def report(name: str, images: Tensor) -> tuple[float, float]:
    """Print and return the Fréchet distance and the entropy of the classes."""
    distance, coverage = evaluate(images), class_coverage(images, evaluate.classifier)
    print(
        f"{name:32s} Fréchet distance {distance:6.1f}   classes {coverage.covered:2d}   entropy "
        f"{coverage.entropy:.2f}"
    )
    return distance, coverage.entropy


real_images = draw_real(sample_count, rng).cpu()
report("real digits", real_images)
report("one real digit, many times", real_images[:1].expand(sample_count, -1, -1, -1))
report("the untrained generator", sample(generator, sample_count))
# %% [markdown]
# ## Digits, in under 40 seconds
#
# Training alternates two steps. The discriminator moves down $-\log D(x) - \log(1 - D(G(z)))$,
# the generator down $-\log D(G(z))$. Here are both, as notebook 03 introduced them:

# %%
show_source(discriminator_step, generator_step)

# %% [markdown]
# `train_gan` repeats them, and keeps a running average of the generator's weights, which draws
# better than the weights of any one round (notebook 05 shows it).
#
# **Predict.** The networks are tiny and know nothing of images. How long until you can read the
# first digit?

# %%
torch.manual_seed(0)
generator, discriminator = mlp_generator((1, 28, 28), latent_dim=32), mlp_discriminator((1, 28, 28))
images = by_scale(ci=640, cpu=200_000, gpu=1_000_000)  # the one knob: how many images to train on
samples_so_far = plots.Live()


def look(run):
    """Called at every snapshot, while training waits."""
    title = f"After {run.images_seen:,} images and {run.seconds:.0f} s of training"
    samples_so_far.show(plots.image_grid(run.snapshots[-1][1], columns=16, title=title, note=mnist.note))


run = train_gan(
    generator, discriminator, draw_real, images=images, snapshot_every=images // 10, on_snapshot=look, seed=0
)

# %%
print(
    f"{run.images_seen:,} images in {run.seconds:.0f} s: {run.images_seen / max(run.seconds, 1e-9):,.0f} "
    "images a second"
)
report("the trained generator", sample(run.generator, sample_count))
first_seconds = plots.sample_evolution(
    run.snapshots, columns=12, title="The same latents as training continues", note=mnist.note
)
plots.show(first_seconds)

# %% [markdown]
# Many are digits that you can read, and all ten digits are there. Look closer: strokes have
# ragged edges, and white specks stand in the black. Keep that in mind; the last section asks
# where they come from.
#
# ## Five bugs, a run each
#
# The code above looks short and harmless. Yet many loops in circulation get one piece or another
# wrong, and the samples do not say which. So break it, one piece at a time, and learn the
# symptoms. Each bug gets the same initial weights and the same number of rounds. The code without
# a bug runs twice, from two seeds, so that you see how much chance alone makes.
#
# The loop is as plain as it can be, with the running average of the generator in it; only the
# round and the data are exchanged:


# %%
def play(round_of_game, draw, seed: int, rounds: int) -> tuple[nn.Module, nn.Module]:
    """Train from the seed's initial weights; returns the averaged generator and the discriminator."""
    torch.manual_seed(seed)
    generator = mlp_generator((1, 28, 28), latent_dim=32).to(device)
    discriminator = mlp_discriminator((1, 28, 28)).to(device)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.99), fused=True)
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.0, 0.99), fused=True)
    average = averaged_copy(generator)
    rng = torch.Generator(device).manual_seed(seed)
    for done in range(1, rounds + 1):
        latents = torch.randn(64, 32, generator=rng, device=device)
        round_of_game(generator, discriminator, g_optimizer, d_optimizer, draw(64, rng), latents)
        update_average(average, generator, images_seen=64 * done, batch_size=64, half_life=10_000)
    return average, discriminator


# %% [markdown]
# ### Bug 1: a sigmoid before a loss that expects logits
#
# The discriminator ends in a sigmoid, and its output goes into
# `binary_cross_entropy_with_logits`, which applies a sigmoid of its own. Nothing complains.
# **Predict:** which probabilities can the loss still see?


# %%
def sigmoid_round(
    generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents
) -> None:
    def twice_squashed(images):
        return torch.sigmoid(discriminator(images))  # the bug: a probability, where a logit is expected

    training_round(generator, twice_squashed, generator_optimizer, discriminator_optimizer, real, latents)


lowest, highest = torch.sigmoid(torch.tensor([0.0, 1.0])).tolist()
print(f"the loss sees probabilities between {lowest:.3f} and {highest:.3f}")
print(
    f"the discriminator's lowest possible loss: {-math.log(highest) - math.log(1 - lowest):.3f}, instead of 0"
)
print(f"at equilibrium it would be {2 * math.log(2):.3f}")

# %% [markdown]
# The discriminator cannot call anything fake: the lowest probability is ½. And the sharper it is,
# the flatter the extra sigmoid, so the less slope reaches the generator.
#
# ### Bug 2: data in [0, 1] against a tanh
#
# Pixels were divided by 255, as for many classifiers, and the generator ends in a tanh. Black is
# now 0, which a tanh gives only when its input is exactly 0, in the steepest part of its curve.
# White is at 1 as before.


# %%
def draw_unit(n: int, rng: torch.Generator) -> Tensor:
    return (draw_real(n, rng) + 1) / 2  # the bug: [0, 1]


# %% [markdown]
# ### Bug 3: one loss for two players
#
# Somebody adds both losses up, calls `backward()` once and lets one optimiser step on all weights
# (two Adams on the same gradients do the same), so the same gradients are applied to both
# networks.
#
# The code writes logarithms of D by one function of the logit $t$:
# $\operatorname{softplus}(t)=\log(1+e^t)$, so $-\log\sigma(t)=\operatorname{softplus}(-t)$ and
# $-\log(1-\sigma(t))=\operatorname{softplus}(t)$.


# %%
def common_round(
    generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents
) -> None:
    fake_logits = discriminator(generator(latents))
    discriminator_loss = F.softplus(-discriminator(real)).mean() + F.softplus(fake_logits).mean()
    generator_loss = F.softplus(-fake_logits).mean()
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    (discriminator_loss + generator_loss).backward()  # the bug: each player gets the other's gradient too
    generator_optimizer.step()
    discriminator_optimizer.step()


# %% [markdown]
# ### Exercise 4.2 — Explain what a common loss wants (●●○, 5 min)
#
# Write $t$ for the logit of a fake. The sum of both losses contains it twice:
# $\operatorname{softplus}(t)$ from the discriminator's loss, $\operatorname{softplus}(-t)$ from
# the generator's. Both networks move down that sum. Where do they want $t$?
#
# - (a) The discriminator wants it low, the generator wants it high, as ever.
# - (b) Both want it at 0, that is, D = ½ on fakes.
# - (c) Both want it high.
# - (d) Both want it low.

# %%
### BEGIN SOLUTION
both_want = "b"
### END SOLUTION

# %%
check("4.2", both_want)

# %% [markdown]
# ### Bug 4: the discriminator's loss reaches the generator
#
# The fakes are not detached, and both gradients are cleared at the top of the round only. The
# generator then steps along the sum of its own gradient and the discriminator's.


# %%
def leaking_round(
    generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents
) -> None:
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    fake = generator(latents)  # the bug: no detach …
    (F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()).backward()
    discriminator_optimizer.step()
    F.softplus(-discriminator(generator(latents))).mean().backward()  # … and not cleared in between
    generator_optimizer.step()


# %% [markdown]
# ### Bug 5: one image instead of a batch
#
# A loop in circulation draws its batch with `images[i, :128]`. Look at what that is:

# %%
everything = data.to_model_range(mnist.images)
print(f"images[3, :128] has shape {tuple(everything[3, :128].shape)}")
print(f"logits for it:  {tuple(mlp_discriminator((1, 28, 28))(everything[3, :128]).shape)}")

# %% [markdown]
# The first index picks *one image*. The slice then asks for the first 128 of its channels (here:
# of 1; of its 28 rows, where images are stored without channels), and Python slices beyond the
# end without complaint. What was meant is `images[128 * i : 128 * (i + 1)]`. The discriminator
# flattens it all to a batch of one, the mean over one logit is a number, and the loop runs.


# %%
def draw_one(n: int, rng: torch.Generator) -> Tensor:
    i = torch.randint(len(everything), (1,), generator=rng, device=device).item()
    return everything[i, :n].to(device)  # the bug: one image, not n


# %% [markdown]
# **Predict**, before you run them: which of the five is the worst? Is there one that you would
# not notice?

# %%
bugs = {
    "no bug": (training_round, draw_real),
    "no bug, other seed": (training_round, draw_real),
    "1: sigmoid twice": (sigmoid_round, draw_real),
    "2: data in [0, 1]": (training_round, draw_unit),
    "3: one loss for both": (common_round, draw_real),
    "4: D's loss in G": (leaking_round, draw_real),
    "5: batch of one": (training_round, draw_one),
}
rounds = by_scale(ci=4, cpu=800, gpu=5_000)
shown, outcomes = {}, {}
with progress(len(bugs), "bugs", unit="runs") as update:
    for done, (name, (round_of_game, draw)) in enumerate(bugs.items(), start=1):
        trained, its_discriminator = play(round_of_game, draw, seed=int("other" in name), rounds=rounds)
        made = {name: sample(trained, sample_count)}
        with torch.no_grad():
            real = (draw_real if draw is draw_one else draw)(1_000, rng)
            on_real = its_discriminator(real).sigmoid().mean().item()
            on_fake = its_discriminator(made[name].to(device)).sigmoid().mean().item()
        if draw is draw_unit:  # what its author sees, for whom 0 is black
            made["2, mapped back"] = (2 * made[name] - 1).clamp(-1, 1)
        for version, its_images in made.items():
            covered = class_coverage(its_images, evaluate.classifier).covered
            outcomes[version] = (evaluate(its_images), covered, on_real, on_fake)
            shown[version] = its_images[:12]
        update(done, name)

print(f"{'':24s}Fréchet distance   classes   mean D on real, on fake")
for name, (distance, covered, on_real, on_fake) in outcomes.items():
    print(f"{name:24s}{distance:10.1f}           {covered:2d}            {on_real:.2f}  {on_fake:.2f}")
plots.show(
    plots.image_grid(
        torch.cat(list(shown.values())),
        columns=12,
        row_labels=list(shown),
        title=f"After {rounds:,} rounds, from the same latents",
        note=mnist.note,
    )
)
out_of_range = (shown["2: data in [0, 1]"] < -0.02).float().mean()
print(f"bug 2: {out_of_range:.0%} of the pixels are below 0, darker than any of its data")

# %% [markdown]
# ### What we saw
#
# Begin with the two runs without a bug. After so few rounds their digits are still faint. What
# lies between their two distances, chance alone has made; a bug has to do more than that.
#
# - **1, sigmoid twice.** One shape for nearly all latents, full of specks. The discriminator is
#   certain of the real images, and its flat loss passes hardly any slope on to the generator.
# - **2, data in [0, 1].** The digits stand on grey. The evaluator expects black at −1 and takes
#   them for no digits at all. Mapped to [−1, 1] they are about as good as without a bug: [0, 1]
#   lies within tanh's range, so the generator learns that range too. The bug is the
#   *disagreement*. Everything that trusts the agreement is silently wrong afterwards, and many
#   pixels have values that no image has. The other way round there is no way out: a generator
#   that ends in a sigmoid never reaches −1, and one black pixel gives it away.
# - **3, one loss for both.** Not a trace of a digit. D recognises the real images perfectly and
#   says ½ on the fakes, as exercise 4.2 predicts; so nothing tells the generator where to go.
# - **4, D's loss reaches G.** Faint blobs. Near D = ½, the discriminator's gradient points
#   against the generator's own and cancels most of it. Notebook 05 measures the angle between the
#   two.
# - **5, one image a batch.** Blurs of one kind. D sees 64 fakes for one real image, and that
#   image is another one in each round: it learns what a digit is only slowly, and answers about ½
#   to all.
#
# Only the third has nothing of a digit. The others give grey, blurred or repeated shapes, which a
# patient author calls "not trained for long enough". So do not assess a loop by whether something
# like digits appears. Check its parts, as in the next exercise.
#
# ### Exercise 4.3 — Three bugs in one loss (●●○, 12 min)
#
# Here is a loss for the discriminator's step, put together from code in circulation. It holds
# three bugs at once:
#
# ```python
# def broken_loss(generator, discriminator, real, latents):
#     fake = generator(latents)
#     real_score = torch.sigmoid(discriminator(real))
#     fake_score = torch.sigmoid(discriminator(fake))
#     labels = torch.ones_like(real_score)
#     real_loss = F.binary_cross_entropy_with_logits(real_score, labels)
#     fake_loss = F.binary_cross_entropy_with_logits(fake_score, labels)
#     return real_loss + fake_loss
# ```
#
# Write it as it should be: the discriminator returns logits, the loss is
# $-\frac1N\sum\log D(x_i) - \frac1N\sum\log(1 - D(G(z_i)))$, and its `backward()` must not reach
# the generator.


# %%
def fixed_loss(generator: nn.Module, discriminator: nn.Module, real: Tensor, latents: Tensor) -> Tensor:
    """The discriminator's loss on a batch, a scalar with a graph that ends at the discriminator."""
    ### BEGIN SOLUTION
    fake = generator(latents).detach()
    real_logits, fake_logits = discriminator(real), discriminator(fake)
    real_loss = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    fake_loss = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return real_loss + fake_loss
    ### END SOLUTION


# %%
check("4.3", fixed_loss)

# %% [markdown]
# ### A sixth one, for your patience: plotting inside the loop
#
# It does no harm to the samples. **Predict:** how many rounds could be trained in the time of one
# picture?

# %%
torch.manual_seed(0)
start = time.perf_counter()
timed_rounds = by_scale(ci=5, cpu=200, gpu=200)
timed_generator, _ = play(training_round, draw_real, seed=0, rounds=timed_rounds)
seconds_a_round = (time.perf_counter() - start) / timed_rounds

start = time.perf_counter()
for _ in range(3):
    plots.to_png(plots.image_grid(sample(timed_generator, 64)))
seconds_a_picture = (time.perf_counter() - start) / 3
print(
    f"a round takes {1_000 * seconds_a_round:.1f} ms, a picture of 64 samples "
    f"{1_000 * seconds_a_picture:.0f} ms"
)
print(f"a picture costs {seconds_a_picture / seconds_a_round:.0f} rounds")

# %% [markdown]
# A loop with a picture in every round spends nearly all of its time in drawing. That is why
# `train_gan` takes snapshots every so many images, and why its clock stands still meanwhile.
#
# ## How large should the latent be?
#
# Tutorials write `z_dim = 100` and move on. What does the size do? With 2 numbers, the generator
# has to fold a plane through all digits. With more, it has room. But room that is not needed may
# also stay unused.
#
# **Predict:** is quality best at 2, at 100, or in between? And diversity?
#
# Measure instead of guessing: four sizes, and more than one seed of each. A seed changes initial
# weights, latents and batches, in short, all that should not matter. How far the seeds of *one*
# size lie apart tells how small a difference between *two* sizes means nothing. As a measure of
# diversity we take the entropy of the ten fractions, and the mean distance between two samples,
# in pixels, beside that between two real digits.

# %%
images_a_run, seeds = (
    by_scale(ci=320, cpu=96_000, gpu=500_000),
    by_scale(ci=(0, 1), cpu=(0, 1), gpu=(0, 1, 2)),
)
sizes = (2, 8, 32, 100)
distances, entropies, spreads, rows = {}, {}, {}, []
with progress(len(sizes) * len(seeds), "sizes of the latent", unit="runs") as update:
    for place, size in enumerate(sizes):
        for number, seed in enumerate(seeds):
            torch.manual_seed(seed)
            trained = train_gan(
                mlp_generator((1, 28, 28), latent_dim=size),
                mlp_discriminator((1, 28, 28)),
                draw_real,
                images=images_a_run,
                snapshot_every=images_a_run,
                seed=seed,
                progress=False,
            )
            made = sample(trained.generator, sample_count)
            distances.setdefault(size, []).append(evaluate(made))
            entropies.setdefault(size, []).append(class_coverage(made, evaluate.classifier).entropy)
            spreads.setdefault(size, []).append(torch.pdist(made[:500].flatten(1)).mean().item())
            if number == 0:
                rows.append(made[:12])
            update(place * len(seeds) + number + 1, f"z_dim {size}, seed {seed}")


def listed(values: list[float], digits: int) -> str:
    return "  ".join(f"{value:.{digits}f}" for value in values)


print("z_dim   Fréchet distance       entropy             distance of two samples")
for size in sizes:
    print(
        f"{size:5d}   {listed(distances[size], 1):20s}   {listed(entropies[size], 2):18s}  "
        f"{listed(spreads[size], 1)}"
    )
real_spread = torch.pdist(real_images[:500].flatten(1)).mean()
print(
    f" real   {'':20s}   {class_coverage(real_images, evaluate.classifier).entropy:.2f}{'':16s}"
    f"{real_spread:.1f}"
)

# %%
figure, panels = plots.new_figure(columns=2, width=7.5, height=3.3, note=mnist.note)
for axes, measured, label in zip(
    panels,
    (distances, spreads),
    ("Fréchet distance (lower is better)", "distance of two samples"),
    strict=True,
):
    for size in sizes:
        axes.plot([size] * len(seeds), measured[size], "o", color=plots.COLORS["model"], alpha=0.8)
    axes.plot(sizes, [sum(measured[size]) / len(seeds) for size in sizes], "-", color=plots.COLORS["model"])
    axes.set_xscale("log")
    axes.set_xticks(sizes, sizes)
    axes.minorticks_off()
    axes.set(xlabel="size of the latent", ylabel=label)
panels[1].axhline(real_spread, color=plots.COLORS["data"], linestyle="--", label="two real digits")
panels[1].legend()
alt_parts = "; ".join(f"size {size}: {listed(distances[size], 1)}" for size in sizes)
plots.show(
    plots.describe(
        figure,
        "Two panels over the size of the latent, a dot for each seed, a line through the means. Left, "
        f"Fréchet distance: {alt_parts}. "
        "Right, mean distance of two samples, with that of two real digits as a dashed line.",
    )
)
plots.show(
    plots.image_grid(
        torch.cat(rows),
        columns=12,
        row_labels=[f"z_dim {size}" for size in sizes],
        title="One seed of each size",
        note=mnist.note,
    )
)  # fmt: skip

# %% [markdown]
# ### Exercise 4.4 — Choose z_dim by data (●●○, 10 min)
#
# Write the rule down. Find the size with the best mean distance. Then take the *smallest* size
# whose range of distances reaches into the range of the best: whose best run is no worse than the
# best size's worst run. You cannot tell those two apart with the runs you have, and a small
# latent is easier to search, to walk in and to understand.


# %%
def choose_latent_dim(distances: dict[int, list[float]]) -> int:
    """The smallest size of the latent that the runs cannot distinguish from the best.

    distances: size → Fréchet distances of its runs, one for each seed; in any order.
    """
    ### BEGIN SOLUTION
    best = min(distances, key=lambda size: sum(distances[size]) / len(distances[size]))
    return min(size for size in distances if min(distances[size]) <= max(distances[best]))
    ### END SOLUTION


# %%
my_choice = check("4.4", choose_latent_dim, otherwise=None)

# %%
if my_choice is None:
    print("once your rule passes its check, it chooses here from the runs above")
else:
    print(f"from the runs above, your rule chooses z_dim = {my_choice(distances)}")

# %% [markdown]
# **What we saw.** With 2 numbers the distance is nearly twice as high, and the digits are drawn
# less evenly: a plane cannot be folded through all digits without passing through a lot of
# nonsense. From 8 numbers on, the seeds of one size lie about as far apart as the sizes do, so
# these runs give you no reason to take 100. "How do I choose z_dim?" Start small, double it,
# repeat with other seeds, and stop when the gain is no larger than their spread. Look at what is
# missing here, too: two seeds are few, and these runs are short. Real digits lie further apart
# than any samples, not least because faint strokes differ by less than white ones.
#
# ## What can a fully connected network not know?
#
# Look at the large picture of digits again. What is missing? Shuffle the pixels of all images,
# every image in the same way. No human can read a digit then:

# %%
shuffle = torch.randperm(784, generator=torch.Generator().manual_seed(0))
unshuffle = shuffle.argsort()


def reorder(images: Tensor, order: Tensor) -> Tensor:
    """The same pixels in another order, for each image alike."""
    return images.flatten(1)[:, order].view_as(images)


assert torch.equal(reorder(reorder(some_real, shuffle), unshuffle), some_real)
plots.show(
    plots.image_grid(
        torch.cat([some_real[:12], reorder(some_real[:12], shuffle)]),
        columns=12,
        row_labels=["in order", "shuffled"],
        title="Real digits, and the same pixels shuffled",
        note=mnist.note,
    )
)

# %% [markdown]
# ### Exercise 4.5 — Predict what shuffled pixels do (●○○, 4 min)
#
# You train two GANs on the shuffled images: the fully connected one, and a convolutional one,
# whose filters look at small neighbourhoods (the DCGAN of notebook 05). Then you put the pixels
# of their samples back in order and evaluate them. Compared with training on the images in order,
#
# - (a) both get much worse: digits without order are not digits.
# - (b) the fully connected one gets much worse, the convolutional one does not.
# - (c) the convolutional one gets much worse, the fully connected one does not.
# - (d) neither gets much worse: training will find the order.

# %%
### BEGIN SOLUTION
prediction = "c"
### END SOLUTION

# %%
check("4.5", prediction)

# %% [markdown]
# Reason first. A hidden unit of the discriminator computes $w \cdot x$, a sum over all pixels.
# Shuffle the pixels of $x$ and the weights of $w$ alike, and it is the same sum, its terms in
# another order. The generator's last layer can be shuffled in the same way. So for each network
# there is another one that does on shuffled images what the first does on images in order:

# %%
discriminator_in_order, generator_in_order = discriminator.cpu(), run.generator.cpu()
discriminator_shuffled = mlp_discriminator((1, 28, 28))
discriminator_shuffled.load_state_dict(discriminator_in_order.state_dict())
generator_shuffled = mlp_generator((1, 28, 28), latent_dim=32)
generator_shuffled.load_state_dict(generator_in_order.state_dict())
with torch.no_grad():
    first_layer, last_layer = discriminator_shuffled[1], generator_shuffled[4]
    first_layer.weight.copy_(first_layer.weight[:, shuffle])
    last_layer.weight.copy_(last_layer.weight[shuffle])
    last_layer.bias.copy_(last_layer.bias[shuffle])
    difference = discriminator_in_order(some_real) - discriminator_shuffled(reorder(some_real, shuffle))
    made_in_order, made_shuffled = sample(generator_in_order, 100), sample(generator_shuffled, 100)
print(f"largest difference of a logit: {difference.abs().max():.0e}")
print(f"largest difference of a pixel: {(reorder(made_in_order, shuffle) - made_shuffled).abs().max():.0e}")
assert difference.abs().max() < 1e-3

# %% [markdown]
# The initial weights are drawn at random, each like its neighbours, so the shuffled network is
# exactly as likely a start as the other. For a fully connected GAN the two data sets are *the
# same problem*. Any difference of its two distances below is the difference that another seed
# would make.
#
# And the convolutional one? Train both kinds on both data sets, each for about the same number of
# seconds:

# %%
draw_shuffled = data.image_sampler(reorder(mnist.images, shuffle), device)
kinds = {
    "fully connected": (
        lambda: (mlp_generator((1, 28, 28), latent_dim=32), mlp_discriminator((1, 28, 28))),
        by_scale(ci=320, cpu=300_000, gpu=300_000),
    ),
    "convolutional": (
        lambda: (dcgan_generator(), dcgan_discriminator()),
        by_scale(ci=320, cpu=30_000, gpu=200_000),
    ),
}
made_by, trained_for, done = {}, {}, 0
with progress(2 * len(kinds), "in order and shuffled", unit="runs") as update:
    for kind, (networks, number) in kinds.items():
        for order, draw in {"in order": draw_real, "shuffled": draw_shuffled}.items():
            torch.manual_seed(0)
            trained = train_gan(
                *networks(), draw, images=number, snapshot_every=number, seed=0, progress=False
            )
            made = sample(trained.generator, sample_count)
            made_by[kind, order] = made if order == "in order" else reorder(made, unshuffle)
            trained_for[kind, order] = trained.seconds
            done += 1
            update(done, f"{kind}, {order}")

for (kind, order), made in made_by.items():
    report(f"{kind}, {order}, {trained_for[kind, order]:.0f} s", made)
plots.show(
    plots.image_grid(
        torch.cat([made[:12] for made in made_by.values()]),
        columns=12,
        row_labels=["MLP, in order", "MLP, shuffled", "DCGAN, in order", "DCGAN, shuffled"],
        title="Trained on images in order or shuffled, put back in order",
        note=mnist.note,
    )
)

# %% [markdown]
# The upper two rows are about alike, and so are their distances: the order of the pixels does not
# matter. The convolutional network falls apart without it. Its filters look for edges and strokes
# between neighbours, and shuffled pixels have no neighbours worth looking at.
#
# That is its strength, not its weakness. It *assumes* that near pixels belong together and that a
# stroke is a stroke wherever it stands. In images in order that is true, so it need not be
# learnt. A fully connected network assumes nothing, and has to learn the same stroke again at
# every place. Compare the two rows in order. In these few seconds the fully connected network has
# seen ten times as many images, since they cost it so little, and is a little ahead. The
# convolutional one has got this far with a tenth of them. And it is not done: notebook 05 trains
# it for longer, so compare the distance that it reaches with the one that you got from the fully
# connected network above.
#
# ### Where do the specks come from?
#
# A fully connected generator makes each pixel from its own 128 weights. That neighbours should be
# alike, it has to learn for each pair of them. What it has not learnt stays behind as specks,
# which change from pixel to pixel. Make them visible: split each image into waves (a Fourier
# transform) and ask how much power stands in waves of each length. Strokes are long waves; specks
# are short ones.


# %%
def power_of_waves(images: Tensor) -> Tensor:
    """Mean power of the waves with 0, 1, …, 14 periods across the image. (N, 1, 28, 28) → (15,)."""
    waves = torch.fft.fft2(images[:, 0]).abs().square().mean(0)
    frequency = torch.fft.fftfreq(28) * 28  # periods across the image, along one axis
    periods = (frequency[:, None].square() + frequency.square()).sqrt().round().long()
    power = torch.bincount(periods.flatten(), waves.flatten())
    return (power / torch.bincount(periods.flatten()))[:15]


spectra = {
    "real digits": power_of_waves(real_images),
    "fully connected": power_of_waves(made_by["fully connected", "in order"]),
    "convolutional": power_of_waves(made_by["convolutional", "in order"]),
}
print("power of the shortest waves (10 to 14 periods), as a multiple of the real digits':")
for name, power in spectra.items():
    print(f"{name:16s} {(power[10:] / spectra['real digits'][10:]).mean():6.2f}")
plots.show(
    plots.lines(
        torch.arange(1, 15),
        {name: power[1:] for name, power in spectra.items()},
        x_label="periods across the image",
        y_label="mean power",
        log=True,
        title="Short waves are specks",
        note=mnist.note,
        alt="Power against the number of periods across the image, on a logarithmic axis. All three "
        "curves fall; "
        "towards short waves the fully connected generator's lies above that of real digits.",
    )
)

# %% [markdown]
# Towards the short waves, real digits have ever less power. The fully connected generator's curve
# goes flat instead: a floor of noise, with the same power at every short wave. That is what
# independent specks look like in a spectrum. The convolutional generator has no such floor. Where
# it differs, between about 7 and 12 periods, it has too little power rather than too much: its
# strokes are a bit too smooth.
#
# ## Misconceptions
#
# ### "D says ½, so the generator is done"
#
# At equilibrium D is ½ everywhere (notebook 01). The reverse does not hold: D is also ½ when it
# has been told not to care. Compare the run with one loss for both with the run without a bug:

# %%
for name in ("3: one loss for both", "no bug"):
    distance, _, on_real, on_fake = outcomes[name]
    print(f"{name:22s} mean D on real {on_real:.2f}, on fake {on_fake:.2f};  Fréchet distance {distance:.1f}")

# %% [markdown]
# ### "It runs, so the shapes fit"
#
# A mean over one logit is a number, and so is a mean over 64. An assertion costs nothing, and it
# would have found bug 5 before its first round:

# %%
for name, draw in {
    "no bug": draw_real,
    "5: batch of one": draw_one,
    "2: data in [0, 1]": draw_unit,
}.items():
    drawn = draw(64, rng)
    fits = drawn.shape == (64, 1, 28, 28) and drawn.min() < -0.9
    print(
        f"{name:22s} shape {tuple(drawn.shape)!s:16s} lowest {drawn.min():+.0f}   "
        f"{'fits' if fits else 'stop here'}"
    )

# %% [markdown]
# ### "More latent numbers, more diversity"

# %%
for size in sizes:
    print(
        f"z_dim {size:3d}: entropy {sum(entropies[size]) / len(seeds):.2f}, distance of two samples "
        f"{sum(spreads[size]) / len(seeds):.1f}"
    )

# %% [markdown]
# From 2 to 8 numbers the kinds of digits get more even. Beyond 8 the entropy gains nothing more,
# it only goes up and down as with the seeds: the size of the latent is an upper limit on what
# *could* vary, and training decides what does.
#
# ## Summary
#
# - A batch is drawn by *one* set of places, converted to the generator's range, and has one logit
#   an image. Look at shapes and ranges before you train: most bugs run without an error.
# - A discriminator returns logits, and the loss applies the sigmoid. Each player has its own
#   loss, its own optimiser, its own gradients.
# - Break a thing on purpose, once, and you will recognise it: grey behind the digits, one shape
#   for all, D at ½ on the fakes.
# - Repeat runs with several seeds before you call one better. Choose the smallest latent that
#   your runs cannot distinguish from the best.
# - A fully connected network does not know which pixels are neighbours. Convolutions do, and in
#   notebook 05 you build a generator from them.
#
# ## Further reading
#
# - I. Goodfellow et al., *Generative Adversarial Nets*, NeurIPS 2014,
#   [arXiv:1406.2661](https://arxiv.org/abs/1406.2661)
# - S. Chintala, E. Denton, M. Arjovsky, M. Mathieu, *How to Train a GAN? Tips and tricks to make
#   GANs work*, 2016, [github.com/soumith/ganhacks](https://github.com/soumith/ganhacks)
# - M. Lucic, K. Kurach, M. Michalski, S. Gelly, O. Bousquet, *Are GANs Created Equal? A
#   Large-Scale Study*, NeurIPS 2018, [arXiv:1711.10337](https://arxiv.org/abs/1711.10337)
# - M. Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
#   Equilibrium*, NeurIPS 2017, [arXiv:1706.08500](https://arxiv.org/abs/1706.08500)
# - R. Durall, M. Keuper, J. Keuper, *Watch your Up-Convolution: CNN Based Generative Deep Neural
#   Networks are Failing to Reproduce Spectral Distributions*, CVPR 2020,
#   [arXiv:2003.01826](https://arxiv.org/abs/2003.01826)
