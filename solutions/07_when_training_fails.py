# %% [markdown]
# # When training fails: a field guide and a clinic
#
# You make GANs fail on purpose, read each failure off one page of curves, compare four cures for
# mode collapse, and then diagnose ten sick programs from their symptoms alone.
#
# | | |
# | --- | --- |
# | Reading time | 75 min, and 170 min for the exercises |
# | Running time | about 75 s on two CPU cores; not measured on a GPU |
# | You need | notebooks 03 and 05: a GAN's loop, mode collapse on the plane, digits by a DCGAN |
# | You will be able to | read a training's state off one dashboard; name the usual failures by their signatures; choose a cure for mode collapse on evidence; find a bug from its symptoms |

# %%
import math
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from course_utils import data, plots
from course_utils.checks import check
from course_utils.metrics import (
    checkerboard_fraction,
    class_coverage,
    kl_to_uniform,
    load_classifier,
    mode_coverage,
    sample_diversity,
    stacked_coverage,
)
from course_utils.models import (
    MinibatchStd,
    dcgan_discriminator,
    dcgan_generator,
    mlp_discriminator,
    mlp_generator,
    pytorch_initialised,
    sample,
)
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, pick_device, seed
from course_utils.training import GAN, TrainingDiverged, toy_gan, train
from course_utils.training.collapse import (
    CURES,
    STACKED_TRAINING,
    grid_game,
    seeing,
    stacked_game,
)
from course_utils.training.feature_matching import feature_matching

device = pick_device()
print(f"computing on: {device}")

# %% [markdown]
# ## One page for every training
#
# A GAN tells you little while it trains. Its losses do not fall as in other trainings, since each
# player's success is the other's failure. So look at several things at once, and learn which of
# them change together. A `Run`, as `train` returns it, holds enough for six panels:
#
# | panel | what it shows | what to look for |
# | --- | --- | --- |
# | losses | of both players, in every step | a level, a drift, a rhythm |
# | D's accuracy | the fraction of real and of generated samples that D puts on their side | the middle between guessing and certainty |
# | length of the gradients | $\lVert g\rVert$ over all weights of a player, in every step, on a logarithmic scale | who is still being told something |
# | diversity of the samples | how far apart the samples of a snapshot are, divided by the same number for the data | 1 |
# | modes covered | where the data have modes or classes that can be counted | all of them |
# | the samples | from the same latents, as training goes on | what no number says |
#
# The first three cost next to nothing: `train` records them anyway. The others are worked out from
# the snapshots. Diversity you write yourself.
#
# ### Exercise 7.1 — How different are the samples? (●●○, 10 min)
#
# Return the mean distance between two *different* samples: Euclidean, over all pairs. A sample may
# be a point, `(N, 2)`, or an image, `(N, C, H, W)`, whose pixels then count as its coordinates. One
# number comes out.


# %%
def diversity(samples: Tensor) -> Tensor:
    """The mean distance between two different samples. Shape (N, …) in, N ≥ 2; one number out."""
    ### BEGIN SOLUTION
    rows = samples.flatten(1)
    distances = torch.cdist(rows, rows)  # (N, N), 0 on the diagonal
    return distances.sum() / (len(rows) * (len(rows) - 1))
    ### END SOLUTION


# %%
diversity_or_ours = check("7.1", diversity, otherwise=sample_diversity)

# %% [markdown]
# ### A healthy run
#
# First something to compare with. The data are eight Gaussians on a ring, from
# [notebook 03](03_first_gan.ipynb#A-GAN-on-a-plane); the two networks are small. A helper trains
# such games, and keeps the run even where a training breaks off.

# %%
ring = data.ring()
ROUND = 256  # points in a batch


def play(game: GAN, points: data.Density, rounds: int, start: int = 0):
    """The run of a game on points of the plane. The networks' first weights are the caller's."""
    try:
        return train(
            game,
            points.sample,
            images=rounds * game.discriminator_steps * ROUND,
            batch_size=ROUND,
            ema_half_life=0,
            device="cpu",
            threads=1,
            seed=seed(start),
            snapshot_every=max(1, rounds // 16) * game.discriminator_steps * ROUND,
            snapshot_samples=256,
        )
    except TrainingDiverged as diverged:
        print(diverged)
        return diverged.run


def on_ring(samples: Tensor):
    """Which of the ring's modes have at least three of these samples."""
    return mode_coverage(samples, ring.modes, ring.std, at_least=3)


def late(run, column: str) -> float:
    """The mean of a column of the history over the last third of a run."""
    values = torch.tensor(run.history[column])
    return values[-max(1, len(values) // 3) :].mean().item()


real_points = ring.sample(256, torch.Generator().manual_seed(seed(0)))
rounds = by_scale(ci=30, cpu=800, gpu=800)
torch.manual_seed(seed(0))
healthy = play(toy_gan(), ring, rounds)
plots.show(plots.dashboard(healthy, real=real_points, coverage=on_ring, title="A healthy run"))
relative = diversity_or_ours(healthy.snapshots[-1][1]) / diversity_or_ours(real_points)
print(f"diversity of the last snapshot, the data's being 1: {relative:.2f}")


# %% [markdown]
# Read it panel by panel. After a short start losses and accuracy are level. D is right a little
# more often than a coin. Neither gradient fades, and in this run both even grow: a GAN does not
# come to rest, its players keep pushing. The diversity is that of the data, and all eight modes
# are covered.
#
# The losses lie near the values of a perfect generator against the best D, 2·log 2 ≈ 1.39 for D
# and log 2 ≈ 0.69 for G (derived in
# [notebook 01](01_minimax_objective.ipynb#The-equilibrium)). Remember these two numbers.
# <!-- numbers: the losses where D says ½ everywhere, 2·log 2 and log 2 -->


# %% tags=["claim"]
claim(
    "D is right a little more often than a coin",
    all(0.5 < late(healthy, f"{kind}_accuracy") < 0.8 for kind in ("real", "fake")),
    every_seed=True,
)
_middle = slice(len(healthy.history["images"]) // 3, 2 * len(healthy.history["images"]) // 3)
claim(
    "Neither gradient fades",
    all(
        late(healthy, f"{player}_gradient")
        > 0.7 * torch.tensor(healthy.history[f"{player}_gradient"])[_middle].mean()
        for player in ("discriminator", "generator")
    ),
    every_seed=True,
)
claim(
    "The diversity is that of the data, and all eight modes are covered",
    0.85 < relative < 1.15 and on_ring(healthy.snapshots[-1][1]).covered == 8,
    every_seed=True,
    values={"eight": 8, "the data's": 1},
)
claim(
    "The losses lie near the values of a perfect generator",
    about(late(healthy, "discriminator_loss"), 2 * math.log(2), rel=0.15)
    and about(late(healthy, "generator_loss"), math.log(2), rel=0.35),
    every_seed=True,
)

# %% [markdown]
# `plots.dashboard(run)` takes any `Run` of yours; `real=` and `coverage=` are optional, and so is
# `beside=`, another run whose curves are drawn in grey. Keep it.
#
# ## A field guide of failures
#
# Now break it, one way at a time. Each failure takes seconds, and is drawn on the same page.

# %% [markdown]
# ### D is always right
#
# Digits are easier to tell apart from noise than points are. Here are two fully connected networks
# on MNIST, as in [notebook 04](04_mlp_gan_mnist.ipynb#The-networks-that-most-people-meet-first). D
# gets five steps for each step of G, and G's learning rate is a quarter of D's. D wins.
#
# We play this lopsided match twice, with the two losses of
# [notebook 01](01_minimax_objective.ipynb#The-generator's-gradient): in the **minimax** game G
# minimises $\log(1 - D(G(z)))$, in the **non-saturating** game $-\log D(G(z))$.
#
# ### Exercise 7.2 — Predict which gradient vanishes (●○○, 4 min)
#
# D is right about nearly every sample, in both matches. What becomes of the length of G's
# gradient?
#
# - (a) It vanishes in both: from a D that is always right, nothing can be learnt.
# - (b) It vanishes in the non-saturating game only.
# - (c) It vanishes in the minimax game only; in the other one it is large.
# - (d) In neither does it vanish.
#
# Answer with a letter in quotes.

# %%
### BEGIN SOLUTION
prediction = "c"
### END SOLUTION

# %%
check("7.2", prediction)

# %%
mnist = data.load_mnist("train")
draw_digits = data.image_sampler(mnist.images, device)
real_digits = data.to_model_range(mnist.images[:500])
classifier = load_classifier("mnist")


def match(images: int, start: int = 0, **game):
    """A run of two fully connected networks on MNIST."""
    torch.manual_seed(seed(start))
    players = mlp_generator((1, 28, 28), latent_dim=32), mlp_discriminator((1, 28, 28))
    return train(
        GAN(*players, **game),
        draw_digits,
        images=images,
        ema_half_life=0,
        device=device,
        seed=seed(start),
        snapshot_every=max(64, images // 8),
    )


def classes(images: Tensor):
    """Which of the ten digits the classifier sees in these images."""
    return class_coverage(images, classifier)


digit_images = by_scale(ci=1_280, cpu=20_000, gpu=20_000)
fair = match(digit_images)
lopsided = {
    loss: match(digit_images, loss=loss, discriminator_steps=5, generator_lr=5e-4)
    for loss in ("minimax", "non_saturating")
}
for loss, run in lopsided.items():
    plots.show(
        plots.dashboard(
            run,
            beside=fair,
            real=real_digits,
            coverage=classes,
            title=f"D is always right: {loss.replace('_', '-')} (grey: one step each)",
            note=mnist.note,
        )
    )
hidden = slice(10, None)  # the first rounds, in which D learns, do not count
loud = {
    loss: torch.tensor(run.history["generator_gradient"])[hidden].median() for loss, run in lopsided.items()
}
for loss, run in lopsided.items():
    right = [torch.tensor(run.history[f"{kind}_accuracy"])[hidden].mean() for kind in ("real", "fake")]
    print(
        f"{loss:15s} D is right about {right[0]:.0%} of the real, {right[1]:.0%} of the fakes; "
        f"median length of G's gradient {loud[loss]:.3g}"
    )

# %% [markdown]
# You predicted what becomes of G's gradient: it is (c). D's curves look alike in both matches: D's
# loss is near 0, and D is right nearly always. (G's own losses cannot be compared: the two games
# give them different formulas.) What G is told is in the third panel. In the minimax game the
# gradient is less than a hundredth as long as in the non-saturating game: a sample that D rejects
# has the weight $D(G(z)) \approx 0$. This is the **vanishing gradient** (Arjovsky and Bottou,
# 2017).
#
# With plain gradient descent G would hardly move now. Adam divides a gradient by its own recent
# size, so that the weights do move, on what is left of the signal; in the last rows the samples
# are still noise.
#
# In the non-saturating game G is being told something, loudly. Its loss is high, its gradient
# long. This is an **overpowering D**, and a different illness: G hears, but what it hears is of
# little use. In both the samples are far less diverse than the data. (The classifier behind the
# fifth panel has to call even noise by some digit, and finds one.)

# %% tags=["claim"]
claim(
    "D's loss is near 0, and D is right nearly always",
    all(
        torch.tensor(run.history[f"{kind}_accuracy"])[hidden].mean() > 0.85
        for run in lopsided.values()
        for kind in ("real", "fake")
    )
    and all(
        torch.tensor(run.history["discriminator_loss"])[hidden].median() < 0.4 for run in lopsided.values()
    ),
    every_seed=True,
)
claim(
    "In the minimax game the gradient is less than a hundredth as long as in the non-saturating game",
    loud["minimax"] < loud["non_saturating"] / 100,
    every_seed=True,
)
claim(
    "Its loss is high",
    torch.tensor(lopsided["non_saturating"].history["generator_loss"])[hidden].median() > 2 * math.log(2),
    every_seed=True,
)
claim(
    "In both the samples are far less diverse than the data",
    all(
        sample_diversity(run.snapshots[-1][1]) < 0.6 * sample_diversity(real_digits)
        for run in lopsided.values()
    ),
    every_seed=True,
)

# %% [markdown]
# ### Two affine players
#
# The next pair could not be simpler: one Gaussian as data, and two players that are affine maps,
# without any hidden layer. D draws a straight line, and G moves and stretches its cloud.
#
# **Predict.** D's accuracy on the fakes: (a) settles at ½, (b) goes to 1, (c) swings between 0
# and 1?

# %%
blob = data.gaussian((1.5, 0.0), 0.3)
swinging_rounds = by_scale(ci=30, cpu=600, gpu=600)
torch.manual_seed(seed(0))
affine = GAN(
    mlp_generator((2,), latent_dim=2, hidden=()),
    mlp_discriminator((2,), hidden=()),
    generator_lr=2e-2,
    discriminator_lr=2e-2,
)
swinging = play(affine, blob, swinging_rounds)
real_blob = blob.sample(256, torch.Generator().manual_seed(seed(0)))
plots.show(plots.dashboard(swinging, real=real_blob, title="Two affine players"))
said_fake = torch.tensor(swinging.history["fake_accuracy"])
turns = int(((said_fake > 0.8).int().diff() == 1).sum())
print(f"D's accuracy on the fakes rises above 0.8 {turns} times")

# %% [markdown]
# The answer is (c). This is **oscillation**: losses, accuracy and gradients share one rhythm. When
# the cloud's centre sits to the left of the data's, D says "left is fake"; the cloud runs past, D
# has to turn round, and the next lap begins. It is the whirl of
# [notebook 02](02_game_dynamics.ipynb#The-game-as-arrows-on-a-plane), and the cures are those that
# you found there: no momentum, smaller steps, a penalty on D's slope.
#
# The losses alone would tell you that the two have nearly arrived: their swings fade, since the
# laps get smaller. D's accuracy does not calm down. And look at the cloud: it has shrunk. A
# straight line compares two means and nothing else, so that this D does not ask for any spread.

# %% tags=["claim"]
claim(
    "The answer is (c)",
    turns >= 4 and (said_fake[100:] < 0.2).any() and (said_fake[100:] > 0.9).any(),
    every_seed=True,
)
_level = sorted(swinging.history["generator_loss"])[len(swinging.history["images"]) // 2]
claim(
    "losses, accuracy and gradients share one rhythm",
    int(((torch.tensor(swinging.history["real_accuracy"]) > 0.7).int().diff() == 1).sum()) >= 3
    and int(((torch.tensor(swinging.history["generator_loss"]) > _level).int().diff() == 1).sum()) >= 4,
    every_seed=True,
)

# %% [markdown]
# ### Everything in one place
#
# You know this one from
# [notebook 03](03_first_gan.ipynb#Too-many-turns-for-one-player): G takes ten steps for each step
# of D. There you watched the points. Now look at the losses.
#
# **Predict.** At the end of this run, are D's and G's losses (a) far above those of the healthy
# run, (b) far below, (c) about the same?

# %%
collapse_rounds = by_scale(ci=10, cpu=300, gpu=300)
torch.manual_seed(seed(0))
greedy = toy_gan(generator_steps=10, generator_lr=1e-3, discriminator_lr=1e-3)
collapsed = play(greedy, ring, collapse_rounds)
plots.show(
    plots.dashboard(collapsed, real=real_points, coverage=on_ring, title="Ten steps of G for one of D")
)
for name, run in (("healthy", healthy), ("collapsed", collapsed)):
    losses = [sum(run.history[f"{who}_loss"][-60:]) / 60 for who in ("discriminator", "generator")]
    spread = sample_diversity(run.snapshots[-1][1]) / sample_diversity(real_points)
    print(
        f"{name:10s} last 60 rounds: D's loss {losses[0]:.2f}, G's loss {losses[1]:.2f}; diversity {spread:.2f}"
    )

# %% [markdown]
# The answer is (c). This is **full mode collapse**, and the losses are calm, as if the match were
# even. What gives it away is the diversity, at a third of the data's or less, and the count of
# modes. If you cannot count modes, plot the diversity: it needs nothing but samples.

# %% tags=["claim"]
_spreads = [sample_diversity(points) / sample_diversity(real_points) for _, points in collapsed.snapshots[8:]]
claim(
    "The answer is (c). This is **full mode collapse**, and the losses are calm",
    about(late(collapsed, "discriminator_loss"), late(healthy, "discriminator_loss"), rel=0.3)
    and about(late(collapsed, "generator_loss"), late(healthy, "generator_loss"), rel=0.4),
    every_seed=True,
)
claim(
    "the diversity, at a third of the data's or less",
    sorted(_spreads)[len(_spreads) // 2] < 1 / 3,
    every_seed=True,
)
claim(
    "and the count of modes",
    max(on_ring(points).covered for _, points in collapsed.snapshots[8:]) <= 4,
    every_seed=True,
)

# %% [markdown]
# ### One mode is missing
#
# Collapse is rarely that complete. To the ring we add a ninth mode, apart from the others, with two
# in a hundred of the data. Everything else is as in the healthy run.
#
# **Predict.** Will you find it (a) in the losses, (b) in the diversity, (c) in neither of them?

# %%
rare = data.gaussian_mixture(
    torch.cat([ring.modes, torch.tensor([[3.5, 3.5]])]), ring.std, [*([0.98 / 8] * 8), 0.02]
)


def on_nine(samples: Tensor):
    """Which of the nine modes have at least one of these samples."""
    return mode_coverage(samples, rare.modes, rare.std)


torch.manual_seed(seed(0))
missing = play(toy_gan(), rare, rounds)
real_nine = rare.sample(256, torch.Generator().manual_seed(seed(0)))
plots.show(
    plots.dashboard(
        missing,
        beside=healthy,
        real=real_nine,
        coverage=on_nine,
        title="A ninth mode, which is rare (grey: without)",
    )
)
seen = on_nine(sample(missing.average, 5_000, seed=seed(0)))
print(
    f"5,000 samples: {seen.covered} of 9 modes; on the rare one {int(seen.counts[8])}, where 98.9 would be fair"
)

# %% [markdown]
# The answer is (c): the curves are those of the healthy run. This is **partial mode collapse**. G
# has hardly any samples near the rare mode, so nothing pulls them there, and D gains little by
# learning about it. Only the count of modes shows it, and you can count only what you know of.
# With images, let a classifier count classes. Two per cent of a data set can go missing without any
# sign in the losses. (98.9 % of a mode's points lie within three standard deviations of its centre,
# which is where they are counted.)

# %% tags=["claim"]
claim(
    "The answer is (c): the curves are those of the healthy run",
    about(late(missing, "discriminator_loss"), late(healthy, "discriminator_loss"), rel=0.1)
    and about(late(missing, "generator_loss"), late(healthy, "generator_loss"), rel=0.25)
    and 0.75 < sample_diversity(missing.snapshots[-1][1]) / sample_diversity(real_nine) < 1.2,
    every_seed=True,
)
claim(
    "Only the count of modes shows it",
    seen.counts[8] < 25,
    values={"fair": 0.02 * 5000 * 0.989, "of": 9},
    every_seed=True,
)

# %% [markdown]
# ### A pattern of two pixels
#
# Two small convolutional generators on digits, after a short training. They differ in one layer:
# one doubles its maps by transposed convolutions, the other by repeating pixels and convolving.

# %%
board_images = by_scale(ci=640, cpu=2_560, gpu=2_560)
boards = {}
for upsampling in ("resize", "transposed"):
    torch.manual_seed(seed(0))
    generator = pytorch_initialised(dcgan_generator((1, 28, 28), width=16, upsampling=upsampling))
    boards[upsampling] = train(
        GAN(generator, dcgan_discriminator((1, 28, 28), width=16)),
        draw_digits,
        images=board_images,
        ema_half_life=0,
        device=device,
        seed=seed(0),
        snapshot_every=board_images // 4,
    )
plots.show(
    plots.dashboard(
        boards["transposed"],
        beside=boards["resize"],
        real=real_digits,
        title="Transposed convolutions (grey: resized maps)",
        note=mnist.note,
    )
)
patterns = {name: checkerboard_fraction(run.snapshots[2][1]) for name, run in boards.items()}
patterns["real digits"] = checkerboard_fraction(real_digits)
for name, fraction in patterns.items():
    print(f"{name:12s} fraction of the power at a period of two pixels, half way: {fraction:.4f}")

# %% [markdown]
# A **checkerboard** has no panel. The losses are of the size of those beside it, in grey; that the
# diversity lags behind could have many reasons. You see it in the samples, and if you know what you
# are looking for you can measure it: the fraction of the power at a period of two pixels, from
# [notebook 06](06_dcgan_cifar10.ipynb#Where-does-a-checkerboard-come-from?), is several times that
# of the other generator. No dashboard replaces looking at the samples.

# %% tags=["claim"]
claim(
    "The losses are of the size of those beside it",
    all(
        1 / 3 < late(boards["transposed"], f"{who}_loss") / late(boards["resize"], f"{who}_loss") < 3
        for who in ("discriminator", "generator")
    ),
    every_seed=True,
)
claim(
    "is several times that of the other generator",
    patterns["transposed"] > 3 * patterns["resize"],
    every_seed=True,
)

# %% [markdown]
# ### Something is wrong, and what?
#
# This time you read first. The data are the ring again; one thing was changed in the healthy run.
# Grey is the healthy run.


# %% jupyter={"source_hidden": true}
def another_discriminator() -> nn.Sequential:
    layers = []
    for inputs in (2, 64):
        layers += [nn.Linear(inputs, 64), nn.BatchNorm1d(64), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(64, 1), nn.Flatten(0))


torch.manual_seed(seed(0))
changed = GAN(mlp_generator((2,), latent_dim=2, hidden=(64, 64)), another_discriminator())
puzzle = play(changed, ring, rounds)
plots.show(
    plots.dashboard(puzzle, beside=healthy, real=real_points, coverage=on_ring, title="What is wrong here?")
)

# %% [markdown]
# ### Exercise 7.3 — Read a dashboard and decide (●●○, 6 min)
#
# What would you do?
#
# - (a) Train on: losses and accuracy are those of the healthy run, it only needs more time.
# - (b) Treat mode collapse: the diversity is far too low.
# - (c) Weaken D: it is so strong that G does not dare to leave the middle.
# - (d) Look for a part of D that cannot see how large a cloud of points is.
#
# Answer with a letter in quotes.

# %%
### BEGIN SOLUTION
decision = "d"
### END SOLUTION

# %%
check("7.3", decision)

# %% [markdown]
# It is (d). The collapsed cell above shows what was changed: D has **batch normalisation**. In
# `train`, as in most loops, D sees a batch of real points and then a batch of fakes, and each batch
# is normalised by its own mean and its own spread. So D compares a ring that was made one unit wide
# with another ring that was made one unit wide. Put it to the test: move all fakes and make them
# three times as large. What does D say to each of them?

# %%
judge = changed.discriminator.train()
fakes = puzzle.snapshots[-1][1]
with torch.no_grad():
    alone = judge(fakes)
    three_times = judge(3 * fakes + 1)
    among_data = judge(torch.cat([fakes, real_points]))[: len(fakes)]
changes = {
    "three times as large, and moved": three_times - alone,
    "in one batch with data": among_data - alone,
}
for what, change in changes.items():
    print(
        f"{what:32s} mean change of a logit {change.abs().mean():.4f}; the logits' own spread {alone.std():.3f}"
    )

# %% [markdown]
# Nothing changes when the fakes are three times as large: this D cannot see size or place. And one
# thing does change its mind about a sample: the company. The same fakes in one batch with data get
# other logits. A verdict that depends on the neighbours in the batch is what **batch normalisation
# leaks** between samples: with real and fake in one batch, between real and fake as well.
#
# DCGAN's authors leave it out of D's first layer, because samples oscillated with it (Radford et
# al., 2016). WGAN-GP leaves it out of D altogether: its penalty is on the slope at each sample by
# itself, and with batch statistics a logit depends on all of them (Gulrajani et al., 2017).

# %% tags=["claim"]
claim(
    "It is (d)",
    sample_diversity(puzzle.snapshots[-1][1]) < 0.6 * sample_diversity(real_points)
    and all(0.4 < late(puzzle, f"{kind}_accuracy") < 0.75 for kind in ("real", "fake")),
    every_seed=True,
)
claim(
    "Nothing changes when the fakes are three times as large",
    changes["three times as large, and moved"].abs().mean() < 0.1 * alone.std(),
    every_seed=True,
    values={"three": 3},
)
claim(
    "The same fakes in one batch with data get other logits",
    changes["in one batch with data"].abs().mean()
    > 5 * changes["three times as large, and moved"].abs().mean(),
    every_seed=True,
)

# %% [markdown]
# ### Steps that are too large
#
# At last, learning rates of 0.3 for both players, 150 times those of the healthy run.
# <!-- number 150: 0.3 / 0.002 -->

# %%
torch.manual_seed(seed(0))
hasty = toy_gan(generator_lr=0.3, discriminator_lr=0.3)
exploding = play(hasty, ring, by_scale(ci=10, cpu=120, gpu=120))
plots.show(plots.dashboard(exploding, real=real_points, coverage=on_ring, title="Learning rates of 0.3"))
peaks = {
    name: max(run.history["discriminator_loss"]) for name, run in (("healthy", healthy), ("hasty", exploding))
}
for name, peak in peaks.items():
    print(f"{name:8s} largest loss of D {peak:,.1f}")

# %% [markdown]
# **Divergence.** The largest loss is more than a hundred times that of the healthy run, and the
# gradients are as wild. It need not end in `nan`: nothing has overflowed here, but the samples
# hardly find a mode any more. Where a number does overflow, `train` stops with
# `TrainingDiverged`, which holds the run up to that step, so that you can draw this page of it.

# %% tags=["claim"]
claim(
    "The largest loss is more than a hundred times that of the healthy run",
    peaks["hasty"] > 100 * peaks["healthy"],
    every_seed=True,
)
claim(
    "the samples hardly find a mode any more",
    max(on_ring(points).covered for _, points in exploding.snapshots[8:]) <= 3,
    every_seed=True,
)

# %% [markdown]
# ### The field guide on one page
#
# Read it from the left: the signature, what may be behind it, what to try first. Each line rests on
# a run above.
#
# | signature | likely causes | what to try |
# | --- | --- | --- |
# | D right nearly always, G's gradient near 0 | **vanishing gradient**: a saturating loss against a good D | the non-saturating loss |
# | D right nearly always, G's loss high, its gradient long | **overpowering D**: more steps, a larger rate, an easier task | fewer steps of D, a smaller rate, augmentation, a penalty on D's slope |
# | losses, accuracy and gradients in one rhythm | **oscillation**: each player runs after the other | no momentum, smaller steps, a penalty on D's slope |
# | losses calm, diversity near 0 | **full collapse**: G moves faster than D follows | fewer steps of G; let D see several samples |
# | losses calm, diversity fine, modes missing | **partial collapse**: rare modes that no sample is near | count modes or classes; the cures below; more of the rare data |
# | a grid in the samples, in no curve | **checkerboard**: an upsampling layer that treats neighbours differently | kernel 4 with stride 2, or resize and convolve; see [notebook 06](06_dcgan_cifar10.ipynb#Where-does-a-checkerboard-come-from?) |
# | curves calm, samples of the wrong size or contrast | **batch normalisation in D**: each batch is judged by its own ruler | D without it; layer or spectral normalisation |
# | losses and gradients jump by orders of magnitude | **divergence**: steps too large | smaller rates; a penalty on D's slope; a look at the data |
# <!-- numbers: settings of the sections above -->

# %% [markdown]
# ## What cures mode collapse?
#
# A single fake on a mode is a perfect fake. To object to collapse, D has to see it, or G has to be
# asked for something that a collapsed generator cannot give. Four ways from the literature:
#
# | cure | the idea | where it enters |
# | --- | --- | --- |
# | **minibatch standard deviation** (Karras et al., 2018) | D is told how much the samples of a group differ | a layer in D |
# | **packing** (Lin et al., 2018) | D judges two samples at once | D's first layer |
# | **feature matching** (Salimans et al., 2016) | G also has to match the *mean* of D's last features: $\lVert \mathbb E f(x) - \mathbb E f(G(z)) \rVert^2$ | a term in G's loss |
# | **R1** (Mescheder et al., 2018) | D's slope at the data is kept small, so that no spot shines so much | a penalty in D's loss |
#
# Packing you wrote in [notebook 03](03_first_gan.ipynb#Repair-two:-let-D-see-two-samples-at-once).
# Feature matching is a few lines: what does D's last linear layer see, on average, of the data and
# of the fakes?

# %%
show_source(feature_matching)

# %% [markdown]
# ### Exercise 7.4 — Minibatch standard deviation (●●●, 25 min)
#
# Write the layer. It gets feature maps `(N, C, H, W)` and returns `(N, C + 1, H, W)`: the same
# maps, and one channel more at the end, in which each sample finds *one* number in all places.
#
# - A group is `group` samples that stand side by side in the batch; `group` divides $N$.
# - For each feature (channel, row, column) take the standard deviation over the samples of the
#   group, $\sqrt{\tfrac1g \sum_i (x_i - \bar x)^2 + \varepsilon}$ with $\varepsilon = 10^{-8}$.
#   What would the root do without $\varepsilon$ where all samples are the same, as those of a
#   collapsed generator are?
# - Average these standard deviations over all features: one number for the group, which all its
#   samples get.
#
# G learns from this number through D. So gradients have to flow through it to every sample.


# %%
def minibatch_std(features: Tensor, group: int) -> Tensor:
    """Maps (N, C, H, W) → (N, C + 1, H, W): the last channel is the spread of the sample's group."""
    ### BEGIN SOLUTION
    groups = features.unflatten(0, (-1, group))  # (N / group, group, C, H, W)
    spread = (groups.var(dim=1, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))  # (N / group,)
    spread = spread.repeat_interleave(group)[:, None, None, None]
    return torch.cat([features, spread.expand(-1, 1, *features.shape[2:])], dim=1)
    ### END SOLUTION


# %%
minibatch_std_or_ours = check(
    "7.4", minibatch_std, otherwise=lambda features, group: MinibatchStd(group)(features)
)

# %% [markdown]
# What does the number say of real digits, and of a generator that has collapsed onto a few?

# %%
groups_of_four = {
    "real digits": real_digits[:64],
    "eight digits, eight times each": real_digits[:8].repeat_interleave(8, 0),
    "one digit, 64 times": real_digits[:1].repeat(64, 1, 1, 1),
}
spreads = {}
for what, images in groups_of_four.items():
    spreads[what] = minibatch_std_or_ours(images, 4)[:, -1].mean().item()
    print(f"{what:32s} mean spread of a group of four: {spreads[what]:.4f}")

# %% [markdown]
# Copies side by side have no spread, and D has only to look at one number. There $\varepsilon$ is
# needed: the root has an infinite slope at 0, and the first batch of copies would turn every
# weight into `nan`. In `course_utils` the layer stands before D's last linear one, as in the
# paper's networks.

# %% tags=["claim"]
claim(
    "Copies side by side have no spread",
    spreads["one digit, 64 times"] < 1e-3
    and spreads["eight digits, eight times each"] < 1e-3
    and spreads["real digits"] > 0.1,
    every_seed=True,
)

# %% [markdown]
# ### Twenty-five Gaussians
#
# The patient: the 5 × 5 grid of [notebook 03](03_first_gan.ipynb#A-harder-one:-25-modes), with a
# generator that takes five steps for each step of D. Each cure is added alone; nothing else is
# changed, and none of the settings was searched for. Three starts each.
#
# **Predict.** Which of the four will bring back the most modes, and which the fewest?

# %%
show_source(grid_game, seeing)

# %%
grid = data.grid()
grid_rounds = by_scale(ci=4, cpu=200, gpu=200)
starts = by_scale(ci=(0,), cpu=(0, 1, 2), gpu=(0, 1, 2))


def on_grid(samples: Tensor):
    """Which of the 25 modes have at least five of these samples."""
    return mode_coverage(samples, grid.modes, grid.std, at_least=5)


on_the_grid = {}
for name, cure in CURES.items():
    for start in starts:
        torch.manual_seed(seed(start))
        run = play(grid_game(cure), grid, grid_rounds, start)
        points = sample(run.average, 2_500, seed=seed(start))
        on_the_grid[name, start] = SimpleNamespace(found=on_grid(points), points=points, run=run)
modes_found, balance = {}, {}
for name in CURES:
    found = [on_the_grid[name, start].found for start in starts]
    modes_found[name] = [one.covered for one in found]
    balance[name] = [kl_to_uniform(one.counts) if one.counts.sum() else math.log(25) for one in found]
    print(
        f"{name:18s} modes covered {modes_found[name]}, KL to uniform "
        f"{', '.join(f'{number:.2f}' for number in balance[name])}"
    )

# %% jupyter={"source_hidden": true}
figure, panels = plots.new_figure(columns=5, width=7.6, height=2.2, sharex=True, sharey=True)
for axes, name in zip(panels, CURES, strict=True):
    plots.scatter(axes, on_the_grid[name, starts[0]].points[:600])
    axes.plot(*grid.modes.T, "o", color=plots.COLORS["data"], markersize=3, fillstyle="none")
    axes.set(title=name, xlim=(-3, 3), ylim=(-3, 3), xlabel="", ylabel="", xticks=[], yticks=[])
    axes.title.set_fontsize(9)
plots.show(
    plots.describe(
        figure,
        "Five planes with the 25 modes as circles and generated points as crosses. "
        + "; ".join(f"{name}: {on_the_grid[name, starts[0]].found.covered} modes covered" for name in CURES)
        + ".",
    )
)

# %% [markdown]
# What you were asked to predict: feature matching brings back the most modes, and R1 the fewest.
# Without a cure G covers a few modes at a time. Feature matching asks for the data's mean features,
# which no single place has; minibatch standard deviation and packing let D see that the fakes are
# alike, and either helps, from some starts more than from others. R1 makes D smoother, which is no
# answer to a G that is too fast: at this strength it brings back none.
#
# The modes are covered, not hit well: this G still takes five steps at once. A cure for collapse is
# not a cure for everything.

# %% tags=["claim"]
_mean = {name: sum(found) / len(found) for name, found in modes_found.items()}
claim(
    "feature matching brings back the most modes, and R1 the fewest",
    max(_mean, key=_mean.get) == "feature matching"
    and min((name for name in _mean if name != "no cure"), key=_mean.get) == "R1",
    every_seed=True,
)
claim("Without a cure G covers a few modes at a time", _mean["no cure"] <= 8, every_seed=True)
claim("at this strength it brings back none", _mean["R1"] <= _mean["no cure"] + 1.5, every_seed=True)
claim(
    "minibatch standard deviation and packing let D see that the fakes are alike, and either helps",
    min(_mean["minibatch std"], _mean["packing two"]) > _mean["no cure"],
    every_seed=True,
)

# %% [markdown]
# ### A thousand modes: stacked MNIST
#
# Put three random digits into the red, the green and the blue channel of one image. The three
# digits make a number from 000 to 999, so these data have 1,000 modes, all equally frequent (Metz
# et al., 2017). A classifier of digits reads what a generator draws, channel by channel.
# <!-- number 999: the largest of a thousand -->

# %%
draw_stacked = data.stacked_sampler(mnist.images, device)
some = draw_stacked(16, torch.Generator(device).manual_seed(seed(0))).cpu()
plots.show(
    plots.image_grid(some, columns=16, title="Stacked MNIST: three digits in three colours", note=mnist.note)
)

# %% [markdown]
# ### Exercise 7.5 — Modes and their balance (●●○, 12 min)
#
# `digits` has shape `(N, 3)`: what the classifier read in each channel, whole numbers from 0 to 9.
# <!-- number 9: the largest digit -->
# Return two things:
#
# 1. how many of the 1,000 modes occur at least once;
# 2. how far the fractions $f$ of all 1,000 modes are from equal ones, $\mathrm{KL}(f \,\Vert\, u)$
#    with $u = 1/1000$, in nats.
#
# Both may be Python's numbers, or tensors of one number each. Before you write: what is the KL if
# all images show the same three digits? And what becomes of $f \log f$ at the modes that are
# missing?


# %%
def modes_and_kl(digits: Tensor) -> tuple[int, float]:
    """(modes covered, KL to uniform in nats) of digits (N, 3), each from 0 to 9."""
    ### BEGIN SOLUTION
    counts = torch.bincount(digits @ torch.tensor([100, 10, 1]), minlength=1_000)
    fractions = counts.double() / len(digits)
    kl = torch.special.xlogy(fractions, 1_000 * fractions).sum()  # 0·log 0 = 0
    return int((counts > 0).sum()), kl.item()
    ### END SOLUTION


# %%
def counted_by_ours(digits: Tensor) -> tuple[int, float]:
    counts = torch.bincount(100 * digits[:, 0] + 10 * digits[:, 1] + digits[:, 2], minlength=1_000)
    return int((counts > 0).sum()), kl_to_uniform(counts)


modes_and_kl_or_ours = check("7.5", modes_and_kl, otherwise=counted_by_ours)

# %% [markdown]
# The scale first: real stacked digits, and as many numbers drawn fairly.

# %%
read_images = by_scale(ci=100, cpu=3_000, gpu=5_000)


def read(images: Tensor) -> Tensor:
    """The three digits that the classifier sees in each image, (N, 3)."""
    found = stacked_coverage(images, classifier)
    codes = torch.repeat_interleave(torch.arange(1_000), found.counts)
    return torch.stack([codes // 100, codes // 10 % 10, codes % 10], dim=1)


rng = torch.Generator(device).manual_seed(seed(1))
scale = {
    "real stacked digits": read(draw_stacked(read_images, rng).cpu()),
    "fair random numbers": torch.randint(
        10, (read_images, 3), generator=torch.Generator().manual_seed(seed(1))
    ),
}
on_scale = {name: modes_and_kl_or_ours(digits) for name, digits in scale.items()}
for name, (covered, kl) in on_scale.items():
    print(f"{name:20s} {read_images:,} of them cover {covered} modes, KL {kl:.2f}")

# %% [markdown]
# Real stacks cover about as many modes as fair numbers do. The KL of neither is 0: chance alone
# makes it about $(K - 1) / 2N$ for $K$ modes and $N$ samples. So compare equal numbers of samples.
#
# Now a game on your own machine. G is a smaller one of the kind that you know from [notebook
# 05](05_dcgan_mnist.ipynb#What-did-DCGAN-get-right?); D has an eighth of G's width. A weak D is
# how Metz et al. made this data set collapse, too.

# %% tags=["claim"]
claim(
    "Real stacks cover about as many modes as fair numbers do",
    about(on_scale["real stacked digits"][0], on_scale["fair random numbers"][0], rel=0.06),
    every_seed=True,
)
claim(
    "chance alone makes it about $(K - 1) / 2N$ for $K$ modes and $N$ samples",
    about(on_scale["fair random numbers"][1], 999 / (2 * read_images), rel=0.2),
    every_seed=True,
    values={"modes": 1_000},
)

# %%
stacked_images = by_scale(ci=256, cpu=32_000, gpu=32_000)
stacked = {}
for name in ("no cure", "minibatch std"):
    torch.manual_seed(seed(0))
    run = train(
        stacked_game(CURES[name]), draw_stacked, images=stacked_images, **STACKED_TRAINING, device=device,
        seed=seed(0), snapshot_every=stacked_images // 8,
    )  # fmt: skip
    images = sample(run.average, read_images, seed=seed(0))
    stacked[name] = SimpleNamespace(run=run, images=images, found=modes_and_kl_or_ours(read(images)))
for name, one in stacked.items():
    print(f"{name:14s} covers {one.found[0]} modes, KL {one.found[1]:.2f}")

# %% jupyter={"source_hidden": true}
plots.show(
    plots.image_grid(
        torch.cat([one.images[:32] for one in stacked.values()]),
        columns=16,
        row_labels=["no cure", "", "minibatch std", ""],
        title="Generated stacks of digits, after a short training",
        note=mnist.note,
        alt=f"Four rows of colourful generated digits. Without a cure many look alike; with minibatch standard "
        f"deviation they differ more: {stacked['no cure'].found[0]} and {stacked['minibatch std'].found[0]} modes.",
    )
)

# %% [markdown]
# In this run the discriminator that is told the spread brings out more modes.
# So short a training makes digits that are hard to read, and the classifier has to give each of
# them some name: take the count as a comparison, not as a number of modes that you would
# recognise.
#
# But one run is an anecdote. All five games from three starts take longer than you want to wait, so
# they were recorded, with as many training images as here and 5,000 generated ones. Each cell has
# the three starts.
# <!-- number 5,000: a test holds the table against the record -->
#
# | cure | modes covered, of 1,000 | KL to uniform <!-- numbers: a test holds them against the record --> |
# | --- | --- | --- |
# | no cure | 59, 226, 115 | 5.63, 3.37, 4.21 |
# | minibatch std | 320, 452, 459 | 2.76, 1.77, 1.65 |
# | packing two | 658, 638, 638 | 1.12, 1.11, 1.09 |
# | feature matching | 58, 589, 440 | 5.75, 1.42, 1.81 |
# | R1 | 160, 245, 71 | 3.47, 3.44, 5.39 |
#
# `python -m tools.record_cures` measures it anew; machine, versions and data stand in
# `course_utils/assets/stacked_mnist_cures.json`.
#
# Each run with packing covers more modes than any run of the others. Feature matching, the best on
# the grid, depends on the start here: from one of the three it covers no more modes than no cure,
# from the others it covers many. So there is no best cure in these two comparisons, only one that
# fits the patient. Try several, from several starts, and count.

# %% tags=["claim"]
claim(
    "In this run the discriminator that is told the spread brings out more modes",
    stacked["minibatch std"].found[0] > stacked["no cure"].found[0],
)

# %% [markdown]
# ## The clinic
#
# Ten programs are ill. Each trains a small model in a second or two, and each has one mistake that
# somebody really published, in a repository that you may well have used. Nobody tells you which.
#
# You proceed as a doctor does: first the symptoms, then the diagnosis, and only then the cure.
#
# 1. **Look at the chart.** It is the recorded run, on the dashboard that you know. In grey, under
#    it, the same program without the mistake: what health looks like. Where you see no grey, it
#    lies under the colour; where a plane shows no samples, it says why.
# 2. **Diagnose**, with one letter in quotes, before you open the program. A wrong letter is
#    answered by what the chart would have shown instead.
# 3. **Cure.** The program is in a folded cell: open it, find the mistake, change it there, run the
#    cell, check. The check runs your program with three seeds, and looks whether the symptom is
#    gone and all networks still learn. Often there is more than one place for a cure: any that
#    cures will do. What else you could improve, leave as it is.
#
# All ten programs are built alike. `draw(n, rng)` gives data, `rounds` says how long, all chance
# comes from `start`, and once a round the program shows its `watch` what it has at hand: the data
# of the round as `real`, what the generator made of it as `fake`. The watch changes nothing; do
# not operate on it.
#
# | patient | trains | complaint | |
# | --- | --- | --- | --- |
# | 1 | WGAN with clipped weights, points | no sample is where the data are | exercise 7.6 |
# | 2 | GAN, points | D takes every fake for real, and G learns all the same | exercise 7.7 |
# | 3 | GAN, points | G's loss is 0, and the samples are gone | exercise 7.8 |
# | 4 | AC-GAN, digits | a classifier that is right, with a loss far too high | exercise 7.9 |
# | 5 | WGAN-GP, digits | both losses run away | exercise 7.10 |
# | 6 | GAN with an average of G, digits | what is saved looks unlike what is trained | exercise 7.11 |
# | 7 | GAN, digits | all samples alike for a long time | exercise 7.12 |
# | 8 | GAN, digits | dark spots where no digit has any | exercise 7.13 |
# | 9 | variational autoencoder, digits | it reconstructs better than it should | exercise 7.14 |
# | 10 | GAN that measures itself, digits | the Fréchet distance gets worse while the samples get better | exercise 7.15 |
#
# The data are points of five hills on a circle of radius 2, or scikit-learn's scanned digits of 8×8
# pixels. In the charts of Wasserstein GANs, D is the critic, and there is no accuracy: a critic's
# values have no zero to be compared with.

# %%
import copy

from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot, softplus

from course_utils.exercises.clinic.chart import chart

# %% [markdown]
# ### Exercise 7.6 — Patient 1: the samples leave (●●○, 10 min)
#
# "I minimise both losses, and both go down, more and more. I have never seen a GAN train so well.
# Only the samples are gone."
#
# Which of these is it?
#
# - (a) D is too strong, and G's gradient has vanished.
# - (b) D and G want the same.
# - (c) Mode collapse.
# - (d) The learning rates are too high: the game oscillates, further and further.

# %% jupyter={"source_hidden": true}
plots.show(chart(1))

# %%
### BEGIN SOLUTION
diagnosis_1 = "b"
### END SOLUTION

# %%
check("7.6", diagnosis=diagnosis_1)


# %% jupyter={"source_hidden": true}
def patient_1(draw, rounds, start, watch):
    """A Wasserstein GAN with clipped weights, on points of the plane."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    g_optimizer = torch.optim.RMSprop(generator.parameters(), lr=1e-3)
    c_optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
    for _ in range(rounds):
        for _ in range(4):
            real, fake = draw(128, rng), generator(torch.randn(128, 2)).detach()
            c_loss = critic(real).mean() - critic(fake).mean()
            c_optimizer.zero_grad()
            c_loss.backward()
            c_optimizer.step()
            for weight in critic.parameters():
                weight.data.clamp_(-0.1, 0.1)

        fake = generator(torch.randn(128, 2))
        ### BEGIN SOLUTION
        g_loss = critic(fake).mean()
        ### INSTEAD
        # g_loss = -critic(fake).mean()
        ### END SOLUTION
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            discriminator=critic,
            generator=generator,
            discriminator_loss=c_loss,
            generator_loss=g_loss,
        )


# %%
check("7.6", patient_1)


# %% [markdown]
# ### Exercise 7.7 — Patient 2: D takes everything for real (●●●, 15 min)
#
# "The samples are fine. But D's accuracy on fakes is 0, and on data it is 1. It has no idea, and
# yet it teaches. The losses should end at 2·log 2 = 1.39 and log 2 = 0.69; mine end at 1.5 and
# 0.4."
# <!-- numbers: the losses where D says ½ everywhere, and those of the chart -->
#
# Which of these is it?
#
# - (a) One-sided label smoothing: D's target for data is 0.9. <!-- number 0.9: a usual setting -->
# - (b) D is too small to tell the two apart.
# - (c) G's backward pass leaves gradients in D, and D steps along with them.
# - (d) G takes several steps for each one of D.

# %% jupyter={"source_hidden": true}
plots.show(chart(2))

# %%
### BEGIN SOLUTION
diagnosis_2 = "c"
### END SOLUTION

# %%
check("7.7", diagnosis=diagnosis_2)


# %% jupyter={"source_hidden": true}
def patient_2(draw, rounds, start, watch):
    """A GAN with the non-saturating loss, on points of the plane."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        real = draw(128, rng)
        fake = generator(torch.randn(128, 2))
        g_loss = softplus(-discriminator(fake)).mean()
        g_loss.backward()
        g_optimizer.step()
        g_optimizer.zero_grad()

        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        ### BEGIN SOLUTION
        d_optimizer.zero_grad()
        ### INSTEAD
        ### END SOLUTION
        d_loss.backward()
        d_optimizer.step()
        d_optimizer.zero_grad()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# %%
check("7.7", patient_2)


# %% [markdown]
# ### Exercise 7.8 — Patient 3: a loss of nothing (●○○, 8 min)
#
# "G has won! Its loss is zero. I wonder why the pictures are empty."
#
# Which of these is it?
#
# - (a) D's weights never move.
# - (b) D overpowers G.
# - (c) Real and fake have changed places in D's loss.
# - (d) Mode collapse.

# %% jupyter={"source_hidden": true}
plots.show(chart(3))

# %%
### BEGIN SOLUTION
diagnosis_3 = "a"
### END SOLUTION

# %%
check("7.8", diagnosis=diagnosis_3)


# %% jupyter={"source_hidden": true}
def patient_3(draw, rounds, start, watch):
    """A GAN with the non-saturating loss, on points of the plane."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    optimizers = {
        "generator": torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99)),
        "discriminator": torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99)),
    }

    def one_round(real, g_optimizer, d_optimizer):
        fake = generator(torch.randn(128, 2))
        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )

    for _ in range(rounds):
        ### BEGIN SOLUTION
        one_round(draw(128, rng), optimizers["generator"], optimizers["discriminator"])
        ### INSTEAD
        # one_round(draw(128, rng), optimizers["generator"], optimizers["generator"])
        ### END SOLUTION


# %%
check("7.8", patient_3)


# %% [markdown]
# ### Exercise 7.9 — Patient 4: right, and still punished (●●○, 10 min)
#
# "The class loss does not go below 1.46, whatever I try: another learning rate, more layers, more
# epochs."
#
# Which of these is it?
#
# - (a) It needs more training: the class loss will fall.
# - (b) The class loss has too small a weight beside the other losses.
# - (c) The labels are shuffled.
# - (d) The class scores are squashed before they reach the loss.

# %% jupyter={"source_hidden": true}
plots.show(chart(4))

# %%
### BEGIN SOLUTION
diagnosis_4 = "d"
### END SOLUTION

# %%
check("7.9", diagnosis=diagnosis_4)


# %% jupyter={"source_hidden": true}
def patient_4(draw, rounds, start, watch):
    """A GAN with labels (AC-GAN), on digits of 8×8 pixels: D tells real from fake, and which digit it is."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16 + 10, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)
    )
    validity = nn.Sequential(nn.Linear(128, 1), nn.Flatten(0))
    ### BEGIN SOLUTION
    classes = nn.Linear(128, 10)
    ### INSTEAD
    # classes = nn.Sequential(nn.Linear(128, 10), nn.Softmax(dim=1))
    ### END SOLUTION
    discriminator = nn.ModuleList([trunk, validity, classes])
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        images, labels = draw(64, rng)
        real = images.float() / 127.5 - 1
        wanted = torch.randint(10, (64,))
        fake = generator(torch.cat([torch.randn(64, 16), one_hot(wanted, 10)], dim=1))

        of_real, of_fake = trunk(real), trunk(fake.detach())
        real_logits, fake_logits = validity(of_real), validity(of_fake)
        scores = classes(of_real)
        class_loss = cross_entropy(scores, labels)
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean() + class_loss
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        of_fake = trunk(fake)
        g_loss = softplus(-validity(of_fake)).mean() + cross_entropy(classes(of_fake), wanted)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
            class_loss=class_loss,
            class_accuracy=(scores.argmax(dim=1) == labels).float().mean(),
        )


# %%
check("7.9", patient_4)


# %% [markdown]
# ### Exercise 7.10 — Patient 5: losses that run away (●●○, 12 min)
#
# "The gradient penalty is small, so the critic is Lipschitz. Then why do both losses lie near −10?"
#
# Which of these is it?
#
# - (a) The penalty has too small a weight.
# - (b) The penalty measures something else than the critic's slope.
# - (c) The critic takes too few steps.
# - (d) The generator is too strong for the critic.

# %% jupyter={"source_hidden": true}
plots.show(chart(5))

# %%
### BEGIN SOLUTION
diagnosis_5 = "b"
### END SOLUTION

# %%
check("7.10", diagnosis=diagnosis_5)


# %% jupyter={"source_hidden": true}
def patient_5(draw, rounds, start, watch):
    """A Wasserstein GAN with gradient penalty, on digits of 8×8 pixels."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    critic = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    c_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
    for _ in range(rounds):
        for _ in range(2):
            real = draw(64, rng)[0].float() / 127.5 - 1
            fake = generator(torch.randn(64, 16)).detach()
            share = torch.rand(64, 1, 1, 1)
            between = (share * real + (1 - share) * fake).requires_grad_()
            (gradients,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            ### BEGIN SOLUTION
            penalty = (gradients.flatten(1).norm(2, dim=1) - 1).square().mean()
            ### INSTEAD
            # penalty = (gradients.norm(2, dim=1) - 1).square().mean()
            ### END SOLUTION
            c_loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
            c_optimizer.zero_grad()
            c_loss.backward()
            c_optimizer.step()

        fake = generator(torch.randn(64, 16))
        g_loss = -critic(fake).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            discriminator=critic,
            generator=generator,
            discriminator_loss=c_loss,
            generator_loss=g_loss,
            penalty=penalty,
        )


# %%
check("7.10", patient_5)


# %% [markdown]
# ### Exercise 7.11 — Patient 6: good in training, grey in the file (●●○, 12 min)
#
# "During training the samples are good. I save those of the averaged generator, as everybody does,
# and they are grey. Does averaging not work for small networks?"
#
# Which of these is it?
#
# - (a) Mode collapse.
# - (b) The average is too slow: it shows a generator of long ago.
# - (c) The average has G's weights, and not its batch statistics.
# - (d) The saved samples are made in training mode.

# %% jupyter={"source_hidden": true}
plots.show(chart(6))

# %%
### BEGIN SOLUTION
diagnosis_6 = "c"
### END SOLUTION

# %%
check("7.11", diagnosis=diagnosis_6)


# %% jupyter={"source_hidden": true}
def patient_6(draw, rounds, start, watch):
    """A GAN that keeps an average of its generator for the samples, on digits of 8×8 pixels."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    for layer in generator[0], generator[3]:
        nn.init.normal_(layer.weight, 0, 0.02)
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    average = copy.deepcopy(generator).eval()
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        real = draw(64, rng)[0].float() / 127.5 - 1
        fake = generator(torch.randn(64, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        with torch.no_grad():
            for mean, latest in zip(average.parameters(), generator.parameters(), strict=True):
                mean.lerp_(latest, 0.05)
            ### BEGIN SOLUTION
            for kept, latest in zip(average.buffers(), generator.buffers(), strict=True):
                kept.copy_(latest)
            ### INSTEAD
            ### END SOLUTION
            saved = average(torch.randn(64, 16))
        watch(
            real=real,
            fake=fake,
            saved=saved,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            average=average,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# %%
check("7.11", patient_6)


# %% [markdown]
# ### Exercise 7.12 — Patient 7: a slow start (●●○, 12 min)
#
# "It gets there in the end. But for the first hundred rounds all samples are nearly the same."
#
# Which of these is it?
#
# - (a) Batch normalisation does not normalise.
# - (b) G's learning rate is too low.
# - (c) D is too strong, and G's gradient has vanished.
# - (d) The latents are scaled too small.

# %% jupyter={"source_hidden": true}
plots.show(chart(7))

# %%
### BEGIN SOLUTION
diagnosis_7 = "a"
### END SOLUTION

# %%
check("7.12", diagnosis=diagnosis_7)


# %% jupyter={"source_hidden": true}
def patient_7(draw, rounds, start, watch):
    """A GAN with DCGAN's initialisation, on digits of 8×8 pixels."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        ### BEGIN SOLUTION
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        ### INSTEAD
        # *(nn.Linear(16, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        # *(nn.Linear(128, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        # *(nn.Linear(128, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        ### END SOLUTION
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    for layer in [*generator, *discriminator]:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        real = draw(64, rng)[0].float() / 127.5 - 1
        fake = generator(torch.randn(64, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# %%
check("7.12", patient_7)


# %% [markdown]
# ### Exercise 7.13 — Patient 8: dark spots (●○○, 8 min)
#
# "Everybody can do digits of 8×8 pixels. Mine have had salt and pepper on them from the first
# minute."
#
# Which of these is it?
#
# - (a) Mode collapse.
# - (b) D overpowers G.
# - (c) It needs more training.
# - (d) Data and samples live in different ranges.

# %% jupyter={"source_hidden": true}
plots.show(chart(8))

# %%
### BEGIN SOLUTION
diagnosis_8 = "d"
### END SOLUTION

# %%
check("7.13", diagnosis=diagnosis_8)


# %% jupyter={"source_hidden": true}
def patient_8(draw, rounds, start, watch):
    """A GAN on digits of 8×8 pixels."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        images, _ = draw(64, rng)
        ### BEGIN SOLUTION
        real = images.float() / 127.5 - 1
        ### INSTEAD
        # real = images.float() / 255
        ### END SOLUTION
        fake = generator(torch.randn(64, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# %%
check("7.13", patient_8)


# %% [markdown]
# ### Exercise 7.14 — Patient 9: better than it should be (●●●, 15 min)
#
# "My reconstructions are better than everybody's, and my KL is smaller, too. Can one have both?"
#
# Which of these is it?
#
# - (a) Posterior collapse: the KL term is too strong.
# - (b) The KL term counts too little.
# - (c) The decoder is too weak.
# - (d) The latents are drawn without noise.

# %% jupyter={"source_hidden": true}
plots.show(chart(9))

# %%
### BEGIN SOLUTION
diagnosis_9 = "b"
### END SOLUTION

# %%
check("7.14", diagnosis=diagnosis_9)


# %% jupyter={"source_hidden": true}
def patient_9(draw, rounds, start, watch):
    """A variational autoencoder with 16 latents, on digits of 8×8 pixels."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 2 * 16))
    decoder = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.Unflatten(1, (1, 8, 8)))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    for _ in range(rounds):
        images, _ = draw(64, rng)
        real = images.float() / 255
        mean, log_variance = encoder(real).chunk(2, dim=1)
        latents = mean + (log_variance / 2).exp() * torch.randn(64, 16)
        logits = decoder(latents)
        reconstruction = (
            binary_cross_entropy_with_logits(logits, real, reduction="none").sum(dim=(1, 2, 3)).mean()
        )
        ### BEGIN SOLUTION
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        ### INSTEAD
        # kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        ### END SOLUTION
        loss = reconstruction + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        with torch.no_grad():
            fake = decoder(torch.randn(64, 16)).sigmoid()
        watch(
            real=real,
            fake=fake,
            encoder=encoder,
            decoder=decoder,
            reconstruction_loss=reconstruction,
            kl_loss=kl,
            spread_of_codes=(log_variance / 2).exp().mean(),
        )


# %%
check("7.14", patient_9)


# %% [markdown]
# ### Exercise 7.15 — Patient 10: far from itself (●●○, 10 min)
#
# "My FID falls at first, then rises. Which picture shall I believe?"
#
# Which of these is it?
#
# - (a) G gets worse.
# - (b) Too few samples: the distance is biased.
# - (c) The distance compares the wrong thing: it depends on which sample is in which row.
# - (d) Pixels are no features: one needs Inception.

# %% jupyter={"source_hidden": true}
plots.show(chart(10))

# %%
### BEGIN SOLUTION
diagnosis_10 = "c"
### END SOLUTION

# %%
check("7.15", diagnosis=diagnosis_10)


# %% jupyter={"source_hidden": true}
def patient_10(draw, rounds, start, watch):
    """A GAN on digits of 8×8 pixels that measures how far its samples are from the data."""
    # One mistake in here made this patient ill.
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)

    def root(matrix):
        values, vectors = torch.linalg.eigh(matrix)
        return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T

    def frechet_distance(one, other):
        one, other = one.flatten(1), other.flatten(1)
        between_means = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
        ### BEGIN SOLUTION
        first, second = torch.cov(one.T), torch.cov(other.T)
        ### INSTEAD
        # first, second = torch.cov(one), torch.cov(other)
        ### END SOLUTION
        mixed = root(root(first) @ second @ root(first))
        return between_means + first.trace() + second.trace() - 2 * mixed.trace()

    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for played in range(rounds):
        real = draw(128, rng)[0].float() / 127.5 - 1
        fake = generator(torch.randn(128, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        if played % 10 == 0:
            others = draw(128, rng)[0].float() / 127.5 - 1
            distance, distance_of_data = frechet_distance(fake.detach(), real), frechet_distance(others, real)
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
            distance=distance,
            distance_of_data=distance_of_data,
        )


# %%
check("7.15", patient_10)


# %% tags=["claim"]
from course_utils.exercises.clinic.data_set import load

_second, _fourth, _fifth, _seventh, _tenth = (load(_n, "ill")[0] for _n in (2, 4, 5, 7, 10))
claim(
    "D's accuracy on fakes is 0, and on data it is 1",
    _second.late("fake_accuracy") < 0.05 and _second.late("real_accuracy") > 0.95,
    every_seed=True,
)
claim(
    "mine end at 1.5 and 0.4",
    about(_second.late("discriminator_loss"), 1.5, rel=0.06) and about(_second.late("generator_loss"), 0.4),
    every_seed=True,
)
claim(
    "The class loss does not go below 1.46",
    1.46 < min(_fourth.history["class_loss"]) < 1.6,
    every_seed=True,
)
claim(
    "both losses lie near −10",
    about(_fifth.late("discriminator_loss"), -10, rel=0.3)
    and about(_fifth.late("generator_loss"), -10, rel=0.3),
    every_seed=True,
)
_data = load(7, "ill")[1].flatten(1)
claim(
    "for the first hundred rounds all samples are nearly the same",
    max(_seventh.history["fake_diversity"][: 100 // 3]) < 0.25 * torch.pdist(_data).mean(),
    every_seed=True,
)
_distances = _tenth.history["distance"]
claim(
    "My FID falls at first, then rises",
    _distances[0] > min(_distances[:50]) + 20 and _tenth.late("distance") > min(_distances[:50]) + 5,
    every_seed=True,
)

# %% [markdown]
# ### Who fell ill
#
# All of these were written by people who know what they do. Each mistake runs without an error,
# most of them train something, and all were found by somebody who looked at a curve or at a line of
# code, and asked.
#
# | patient | mistake | published in |
# | --- | --- | --- |
# | 1 | the sign of G's loss, turned by a fix | [Zeleni9/pytorch-wgan, pull request #53](https://github.com/Zeleni9/pytorch-wgan/pull/53), 2025 |
# | 2 | `zero_grad` after each player's own step only | [pytorch-lightning, issue #591](https://github.com/Lightning-AI/pytorch-lightning/issues/591), 2019 |
# | 3 | one optimiser passed for both | [Lornatang/SRGAN-PyTorch, issue #85](https://github.com/Lornatang/SRGAN-PyTorch/issues/85), 2023 |
# | 4 | softmax before cross-entropy | [eriklindernoren/PyTorch-GAN, pull request #98](https://github.com/eriklindernoren/PyTorch-GAN/pull/98), 2020 |
# | 5 | the norm at each pixel in the gradient penalty | [PyTorch-GAN, issue #20](https://github.com/eriklindernoren/PyTorch-GAN/issues/20), 2018, and [caogang/wgan-gp, issue #25](https://github.com/caogang/wgan-gp/issues/25), 2017 |
# | 6 | an average without batch norm's buffers | [odegeasslbc/FastGAN-pytorch, issue #4](https://github.com/odegeasslbc/FastGAN-pytorch/issues/4), 2021 |
# | 7 | ε = 0.8 where a momentum was meant | [PyTorch-GAN, issue #116](https://github.com/eriklindernoren/PyTorch-GAN/issues/116), 2020 |
# | 8 | images in [0, 1] against tanh | [fchollet/deep-learning-with-python-notebooks, issue #7](https://github.com/fchollet/deep-learning-with-python-notebooks/issues/7), 2017 |
# | 9 | KL averaged over the latents | [keras-team/keras-io, issue #270](https://github.com/keras-team/keras-io/issues/270), 2020 |
# | 10 | covariance of the wrong axis | [lucidrains/denoising-diffusion-pytorch, issue #213](https://github.com/lucidrains/denoising-diffusion-pytorch/issues/213), 2023 |
#
# The recorded runs, ill and cured, are a data set of their own, with a description of every column:
# `course_utils/exercises/clinic/ten_sick_gans/`.

# %% [markdown]
# ## Misconceptions
#
# ### "Mode collapse shows in the losses"
#
# Here are the last losses of the healthy run, and those of the two runs that lost modes:

# %%
three = {"healthy": healthy, "all in one place": collapsed, "one mode missing": missing}
last_losses = {}
for name, run in three.items():
    last_losses[name] = [sum(run.history[f"{who}_loss"][-60:]) / 60 for who in ("discriminator", "generator")]
    print(f"{name:18s} D's loss {last_losses[name][0]:.2f}, G's loss {last_losses[name][1]:.2f}")

# %% [markdown]
# Nobody would call any of the three a failure from these numbers. In this run the collapsed one
# is even nearest to the losses of the equilibrium.


# %% tags=["claim"]
def _distance(name):
    return abs(last_losses[name][0] - 2 * math.log(2)) + abs(last_losses[name][1] - math.log(2))


claim(
    "Nobody would call any of the three a failure from these numbers",
    all(
        about(last_losses[name][0], last_losses["healthy"][0], rel=0.3)
        and about(last_losses[name][1], last_losses["healthy"][1], rel=0.4)
        for name in three
    ),
    every_seed=True,
    values={"three": 3},
)
claim(
    "In this run the collapsed one is even nearest to the losses of the equilibrium",
    min(three, key=_distance) == "all in one place",
)

# %% [markdown]
# ### "D at 50 % means that it is done"
#
# D is right about half of the time when the samples are perfect, and also when D cannot see what is
# wrong with them:

# %%
for name, run in (("healthy", healthy), ("D with batch normalisation", puzzle)):
    right = sum(sum(run.history[f"{kind}_accuracy"][-200:]) / 400 for kind in ("real", "fake"))
    points = run.snapshots[-1][1]
    print(
        f"{name:28s} D is right about {right:.0%}; {on_ring(points).covered} of 8 modes, "
        f"diversity {sample_diversity(points) / sample_diversity(real_points):.2f}"
    )

# %% [markdown]
# The D that cannot see size is about as close to guessing as the healthy one, and its G covers no
# mode at all.


# %% tags=["claim"]
def _right(run):
    return sum(sum(run.history[f"{kind}_accuracy"][-200:]) / 400 for kind in ("real", "fake"))


claim(
    "The D that cannot see size is about as close to guessing as the healthy one, and its G covers no mode at all",
    abs(_right(puzzle) - _right(healthy)) < 0.1 and on_ring(puzzle.snapshots[-1][1]).covered == 0,
    every_seed=True,
)

# %% [markdown]
# ### "The longer G's gradient, the more it learns"
#
# Three matches on digits, after equally many images:

# %%
heard = {
    "one step each": fair,
    "D always right, minimax": lopsided["minimax"],
    "D always right, non-saturating": lopsided["non_saturating"],
}
gained = {}
for name, run in heard.items():
    length = torch.tensor(run.history["generator_gradient"])[hidden].median().item()
    gained[name] = length, sample_diversity(run.snapshots[-1][1]) / sample_diversity(real_digits)
    print(f"{name:32s} median gradient {length:7.3g}, diversity at the end {gained[name][1]:.2f}")

# %% [markdown]
# G learns most in the match whose gradient is neither short nor long. Where D shouts, the gradient
# is many times as long, and the samples are hardly more diverse than where D is silent. A length
# says that something is being told, not that it is of use.

# %% tags=["claim"]
_fair, _silent, _shouting = gained.values()
claim(
    "G learns most in the match whose gradient is neither short nor long",
    _silent[0] < _fair[0] < _shouting[0] and _fair[1] > 1.3 * max(_silent[1], _shouting[1]),
    every_seed=True,
)
claim(
    "the gradient is many times as long, and the samples are hardly more diverse than where D is silent",
    _shouting[0] > 5 * _fair[0] and _shouting[1] < _silent[1] + 0.15,
    every_seed=True,
)

# %% [markdown]
# ## A poster for your wall
#
# All the failures of the field guide on one sheet. Hang it where you train.

# %% jupyter={"source_hidden": true}
on_plane = {
    "healthy": (healthy, real_points),
    "oscillation": (swinging, real_blob),
    "full collapse": (collapsed, real_points),
    "partial collapse": (missing, real_nine),
    "batch normalisation in D": (puzzle, real_points),
    "divergence": (exploding, real_points),
}
in_pixels = {
    "vanishing gradient": lopsided["minimax"].snapshots[-1][1],
    "overpowering D": lopsided["non_saturating"].snapshots[-1][1],
    "checkerboard": boards["transposed"].snapshots[2][1],
}
figure, panels = plots.new_figure(rows=3, columns=3, width=7.5, height=8.0)
for axes, (name, (run, real)) in zip(panels.flat, on_plane.items(), strict=False):
    reach = 1.4 * real.abs().max()
    plots.scatter(axes, run.snapshots[-1][1], real)
    axes.set(
        title=name, xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], xlabel="", ylabel=""
    )
    if name == "oscillation":  # the way of the cloud's centre
        way = torch.stack([points.mean(0) for _, points in run.snapshots])
        axes.plot(*way.T, color=plots.COLORS["optimum"], linewidth=1)
for axes, (name, images) in zip(panels[2], in_pixels.items(), strict=True):
    axes.imshow(plots.tile(images[:9].clamp(-1, 1), 3), interpolation="nearest")
    axes.set(title=name, xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
figure.suptitle("What a GAN looks like when it fails")
plots.show(
    plots.describe(
        figure,
        "Nine small pictures. On the plane: a healthy run covers the ring; the way of a cloud that never rests; all "
        "samples in one place; a ring without its ninth mode; a ring of the wrong size; points that miss the ring. "
        "In pixels: two sheets of noise, and blurs under a grid. " + mnist.note,
    )
)

# %% [markdown]
# ## Summary
#
# - Look at losses, accuracy, both gradients, diversity, modes and samples *together*:
#   `plots.dashboard(run)`. No single one of them tells a good run from a bad one.
# - A D that is always right silences G with the minimax loss, and shouts at it with the
#   non-saturating one. The third panel tells which.
# - Mode collapse is calm: count modes or classes, or at least watch the diversity.
# - What D cannot see, G does not learn: batch normalisation in D hides size and place.
# - Cures enter through D's layers, D's loss or G's loss. To find out what one is worth, count
#   modes, from several starts.
#
# ## Further reading
#
# - M. Arjovsky, L. Bottou, *Towards Principled Methods for Training Generative Adversarial
#   Networks*, ICLR 2017, [arXiv:1701.04862](https://arxiv.org/abs/1701.04862). Why the gradient
#   vanishes, and why the usual remedy is loud.
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford, X. Chen, *Improved Techniques for
#   Training GANs*, NIPS 2016, [arXiv:1606.03498](https://arxiv.org/abs/1606.03498). Feature
#   matching, and other remedies of the first years.
# - L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, *Unrolled Generative Adversarial Networks*, ICLR
#   2017, [arXiv:1611.02163](https://arxiv.org/abs/1611.02163). Stacked MNIST, and a generator that
#   looks ahead.
# - T. Karras, T. Aila, S. Laine, J. Lehtinen, *Progressive Growing of GANs for Improved Quality,
#   Stability, and Variation*, ICLR 2018, [arXiv:1710.10196](https://arxiv.org/abs/1710.10196).
#   Section 3: minibatch standard deviation.
# - Z. Lin, A. Khetan, G. Fanti, S. Oh, *PacGAN: The power of two samples in generative adversarial
#   networks*, NeurIPS 2018, [arXiv:1712.04086](https://arxiv.org/abs/1712.04086)
# - L. Mescheder, A. Geiger, S. Nowozin, *Which Training Methods for GANs do actually Converge?*,
#   ICML 2018, [arXiv:1801.04406](https://arxiv.org/abs/1801.04406). R1.
# - I. Gulrajani, F. Ahmed, M. Arjovsky, V. Dumoulin, A. Courville, *Improved Training of
#   Wasserstein GANs*, NIPS 2017, [arXiv:1704.00028](https://arxiv.org/abs/1704.00028). Section 4:
#   no batch normalisation in the critic.
# - A. Radford, L. Metz, S. Chintala, *Unsupervised Representation Learning with Deep Convolutional
#   Generative Adversarial Networks*, ICLR 2016,
#   [arXiv:1511.06434](https://arxiv.org/abs/1511.06434). Section 3: where batch normalisation is
#   left out.
