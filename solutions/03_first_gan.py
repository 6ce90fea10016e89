# %% [markdown]
# # A first GAN, all of it visible
#
# You write the two steps that make a GAN, then a whole one from an empty cell; you watch it learn
# on a line and on a plane, break it on purpose, and repair it.
#
# | | |
# | --- | --- |
# | Reading time | 50 min, and 80 min for the exercises |
# | Running time | about 55 s on two CPU cores; a GPU is not needed |
# | You need | notebook 01 (the objective, the non-saturating loss, KL and JS); notebook 02 helps; what an optimiser step is in PyTorch |
# | You will be able to | write a GAN from nothing; read what D tells G; measure how close samples are to the data; recognise mode collapse, cause it and cure it |

# %%
import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from course_utils import plots
from course_utils.checks import check
from course_utils.data import Density, gaussian_mixture, grid, ring
from course_utils.losses import LOSSES, GANLoss
from course_utils.metrics import CELL_EDGES, data_cells, generator_pull, measure, mode_coverage
from course_utils.models import packed_discriminator, sample
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, seed
from course_utils.theory import cell_frequencies
from course_utils.training import GAN, constant_then_linear, toy_gan, train
from course_utils.training import gan as course_steps

torch.set_num_threads(1)  # networks this small run faster on one thread than on many

# %% [markdown]
# ## A GAN on a line
#
# Image GANs hide everything: a million weights, samples in 784 dimensions, densities that nobody
# can write down. So we start where you can see all of it. The data are numbers on a line, from two
# hills of equal weight:
#
# $$p_\mathrm{data}(x) = \tfrac12\,\mathcal N(x;\,-1.2,\,0.35^2) + \tfrac12\,\mathcal N(x;\,1.2,\,0.35^2).$$
#
# The **generator** is a small network from one number $z \sim \mathcal N(0, 1)$ to one number
# $G(z)$. The **discriminator** is a small network from a number $x$ to a **logit** $t(x)$; the
# probability that $x$ is real is $D(x) = \sigma(t(x))$.

# %%
line_data = gaussian_mixture([-1.2, 1.2], 0.35)
torch.manual_seed(seed(1))
players = toy_gan(dim=1)  # both networks, not trained yet
generator, discriminator = players.generator, players.discriminator
print(generator)

latents = torch.randn(5, 1)
fake = generator(latents)
print(
    f"latents {tuple(latents.shape)} → samples {tuple(fake.shape)} → logits {tuple(discriminator(fake).shape)}"
)

# %% [markdown]
# ## Two steps, and that is all
#
# Training repeats two steps. Each moves one player and leaves the other alone.
#
# - **D's step.** Take a batch of data and a batch of fakes. Move D's weights downhill on
#   $L_D = -V(D, G)$, so that it tells the two batches apart a little better.
# - **G's step.** Take the same fakes. Move G's weights downhill on $L_G$, so that D takes them for
#   real a little more often.
#
# The losses come as a pair, as in [notebook 01](01_minimax_objective.ipynb#The-value-on-a-die):
# `loss.discriminator(real_logits, fake_logits)` and `loss.generator(real_logits, fake_logits)`.
# Both are to be *minimised*. Most generators' losses, such as $-\log D(G(z))$, do not look at the
# real logits; a few compare the two. Your steps should work with any pair, so hand over both.
#
# The fakes are made once and serve both steps. They arrive with their history: PyTorch still knows
# how each came out of the generator's weights.

# %% [markdown]
# ### Exercise 3.1 — The discriminator's step (●●○, 12 min)
#
# Write one step of D. Return three tensors, with or without their history, all as they were before
# the step: the loss, D's logits of the data, D's logits of the fakes.
#
# Two traps wait here. PyTorch *adds* a new gradient to what an earlier step has left. And the
# fakes come with their history, so a gradient would run on into the generator's weights, and use
# that history up, unless you cut it off.


# %%
def discriminator_step(
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    fake: Tensor,
    loss: GANLoss,
) -> tuple[Tensor, Tensor, Tensor]:
    """One step of D down its loss, with G held fixed. Returns the loss, the real logits, the fake logits.

    optimizer: of the discriminator's weights;  real, fake: (N, dim), the fakes part of the generator's graph.
    """
    ### BEGIN SOLUTION
    real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
    value = loss.discriminator(real_logits, fake_logits)
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()
    ### END SOLUTION


# %%
d_step = check("3.1", discriminator_step, otherwise=course_steps.discriminator_step)

# %% [markdown]
# ### Exercise 3.2 — The generator's step (●●○, 8 min)
#
# Now one step of G. Return its loss as it was before the step. **Predict** before you write: does
# `detach` belong here too?


# %%
def generator_step(
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    fake: Tensor,
    loss: GANLoss,
) -> Tensor:
    """One step of G down its loss, through D, with D held fixed. Returns the loss before the step.

    optimizer: of the generator's weights;  real, fake: (N, dim), the fakes part of the generator's graph.
    """
    ### BEGIN SOLUTION
    value = loss.generator(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach()
    ### END SOLUTION


# %%
g_step = check("3.2", generator_step, otherwise=course_steps.generator_step)

# %% [markdown]
# The answer: no, `detach` has no place here. The generator never sees the data; all it knows comes
# to it as a gradient *through* D, and `detach` would cut exactly that.
#
# On its way the gradient may pass D's weights too, and leave something there. It is not used,
# since G's optimiser holds only G's weights, and D's next step clears it. This is a second reason
# for `zero_grad` in D's step; the first is D's own last gradient.

# %% [markdown]
# ## The loop around them
#
# A **round** is one step of D, then one of G, on a fresh batch of 256. Here is all of it, with
# your two steps inside, if they passed. Each player has its own optimiser, and both have the same
# learning rate: a larger one for D alone is no cure, says [notebook
# 02](02_game_dynamics.ipynb#Misconceptions). Adam comes without momentum ($\beta_1 = 0$), for what
# momentum does to a game stands there too.
#
# **Predict.** The generator starts with all samples near 0, between the hills. When the game has
# been played for long, what does $D(x)$ look like?
#
# - (a) near 1 on the hills and near 0 elsewhere;
# - (b) close to ½ wherever samples fall;
# - (c) near 0 on the hills: the fakes are there now.

# %%
loss = LOSSES["non_saturating"]
d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))
g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.99))
rng = torch.Generator().manual_seed(seed(1))

rounds = by_scale(ci=20, cpu=1_000, gpu=1_000)
moments = (0, rounds // 10, rounds // 2, rounds)
on_the_line, d_losses, g_losses = {}, [], []
for played in range(rounds + 1):
    if played in moments:
        on_the_line[f"after {played:,} rounds"] = plots.view_line(generator, discriminator, line_data)
    real = line_data.sample(256, rng)
    fake = generator(torch.randn(256, 1, generator=rng))  # made once, for both steps
    d_loss, *_ = d_step(discriminator, d_optimizer, real, fake, loss)
    g_loss = g_step(discriminator, g_optimizer, real, fake, loss)
    d_losses.append(float(d_loss))
    g_losses.append(float(g_loss))

plots.show(plots.games_on_line(on_the_line, title="A GAN learns two hills"))
last_losses = [sum(losses[-100:]) / len(losses[-100:]) for losses in (d_losses, g_losses)]
print(f"losses, mean of the last 100 rounds: L_D = {last_losses[0]:.3f}, L_G = {last_losses[1]:.3f}")
print(f"at equilibrium:                      L_D = {2 * math.log(2):.3f}, L_G = {math.log(2):.3f}")

# %% [markdown]
# You predicted what D looks like in the end: it is (b), close to ½ wherever samples fall. The
# fakes lie where the data lie, so D cannot tell any more, and both losses are close to their
# values at equilibrium.
#
# Read a column from the bottom up. Below, each line leads from a latent $z$ to the sample $G(z)$;
# the latents are spread so that equal probability lies between neighbours. Where the lines crowd
# together, $p_g$ is high. Above it is D, and dotted the
# $D^* = p_\mathrm{data} / (p_\mathrm{data} + p_g)$ of [notebook
# 01](01_minimax_objective.ipynb#The-best-discriminator) for the $p_g$ of that moment. At the top
# stand the two densities.
#
# - Early, D bends towards $D^*$: up on the hills, down in the gap. That slope pushes samples out
#   of the gap.
# - The generator is a *continuous* function of $z$, so on its way from one hill to the other it
#   has to cross the gap. It can only hurry: steep there, flat on the hills.
# - D is never quite $D^*$. It is a small and smooth network, takes one step a round, and runs
#   after a generator that moves. Where neither data nor samples fall, nothing constrains D, and it
#   may say anything.

# %% tags=["claim"]
_views = [*on_the_line.values()]


def _says(view, place):
    return view.discriminator[(view.x - place).abs().argmin()]


_last = _views[-1]
_landed = (_last.p_model > 0.1) & (_last.p_data > 0.1)
claim(
    "it is (b), close to ½ wherever samples fall",
    (_last.discriminator[_landed] - 0.5).abs().mean() < 0.1,
    every_seed=True,
)
claim(
    "both losses are close to their values at equilibrium",
    max(abs(last_losses[0] / (2 * math.log(2)) - 1), abs(last_losses[1] / math.log(2) - 1)) < 0.05,
    every_seed=True,
)
claim(
    "up on the hills, down in the gap",
    _says(_views[1], 0.0) < min(_says(_views[1], -1.2), _says(_views[1], 1.2)),
    every_seed=True,
)
_slopes = _last.generated.diff().abs() / _last.latents.diff()
_between = (_last.generated[1:] + _last.generated[:-1]) / 2
claim(
    "It can only hurry: steep there, flat on the hills",
    _slopes[_between.abs() < 0.8].max() > 2 * _slopes[(_between.abs() - 1.2).abs() < 0.35].median(),
    every_seed=True,
)

# %% [markdown]
# ### Exercise 3.3 — The whole GAN, from an empty cell (●●●, 30 min)
#
# Now without the course. Write a GAN that learns any data on a line or on a plane, with nothing
# but PyTorch: both networks, their losses, the optimisers, the loop. About thirty lines.
#
# | | what is asked for |
# | --- | --- |
# | `draw(n, rng)` | gives `n` data, `(n, dim)`; `rng` is a `torch.Generator`, which you make |
# | generator | latents $z \sim \mathcal N(0, I)$, `(N, dim)`, to samples, `(N, dim)`; they may lie anywhere |
# | discriminator | points, `(N, dim)`, to logits, `(N,)` |
# | a round | a fresh batch of 256, a step of D, a step of G; with `rounds` = 0 both networks come back untrained |
# | `start` | all chance comes from this number: weights, data, latents; same `start`, same networks |
# | at the end | return the generator, then the discriminator, ready to be trained further |
#
# Sizes and rates are yours to choose; what decides is Adam's momentum. With a first `beta` of 0, as
# in this notebook, or of 0.5 the players settle; with PyTorch's default of 0.9 they hardly do.
# <!-- numbers: settings of Adam -->
#
# The check lets yours learn data that this text does not show.


# %%
def whole_gan(draw, dim: int, rounds: int, start: int) -> tuple[nn.Module, nn.Module]:
    """Trains a GAN from nothing. Returns (generator, discriminator)."""
    ### BEGIN SOLUTION
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))
    discriminator = nn.Sequential(
        nn.Linear(dim, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 64),
        nn.LeakyReLU(0.2),
        nn.Linear(64, 1),
        nn.Flatten(0),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.0, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.0, 0.99))
    for _ in range(rounds):
        real = draw(256, rng)
        fake = generator(torch.randn(256, dim, generator=rng))

        d_loss = softplus(-discriminator(real)).mean() + softplus(discriminator(fake.detach())).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
    return generator, discriminator
    ### END SOLUTION


# %%
def course_gan(draw, dim, rounds, start):
    """The same with the course's tools."""
    torch.manual_seed(start)
    gan = toy_gan(dim)
    settings = {"batch_size": 256, "ema_half_life": 0, "threads": 1, "device": "cpu", "progress": False}
    train(gan, draw, images=256 * rounds, snapshot_every=256 * rounds, seed=start, **settings)
    return gan.generator, gan.discriminator


my_gan = check("3.3", whole_gan, otherwise=course_gan)

# %% [markdown]
# ## A GAN on a plane
#
# Now two dimensions, and a classic. Eight Gaussians on a ring (Metz et al. 2017) have become a
# standard test, since you see at once which of the eight **modes** a generator has found. Ours
# have standard deviation 0.1, on a circle of radius 2. In the code that one of that paper's
# authors published (github.com/poolio/unrolled_gan, 2017) the ring is five times tighter for its
# size: 0.01 on radius 1. Ours is wide enough for you to see what happens inside a mode. The latent
# is a point of a plane too, $z \sim \mathcal N(0, I)$, so the generator maps a plane onto a plane.

# %%
ring_data = ring()
print(
    f"{len(ring_data.modes)} modes, the first three at "
    f"{[[round(v, 2) for v in mode] for mode in ring_data.modes[:3].tolist()]}"
)

# %% tags=["claim"]
claim(
    "the ring is five times tighter for its size: 0.01 on radius 1",
    about(ring_data.std / ring_data.modes.norm(dim=1).max() / (0.01 / 1), 5, rel=1e-3),
    every_seed=True,
)


# %% [markdown]
# ### What does D tell the generator?
#
# Write $\ell(x) = -\log D(x)$ for one sample's part in the non-saturating loss. By the chain rule,
# the gradient of $L_G$ with respect to a weight $\theta$ of the generator is
#
# $$
# \frac{\partial L_G}{\partial \theta} = \frac1N \sum_i \frac{\partial \ell(x_i)}{\partial x_i} \cdot \frac{\partial G(z_i)}{\partial \theta}.
# $$
#
# The left factor is the only one that knows of D, and so of the data. It is an arrow at each
# sample: $-\partial \ell / \partial x$ shows where D pulls it. If you draw these arrows, you see
# all that the generator ever learns.

# %% [markdown]
# ### Exercise 3.4 — Where D pulls (●●○, 10 min)
#
# Return the arrow $-\partial \ell(x_i)/\partial x_i$ at each point, with
# $\ell = -\log D = \operatorname{softplus}(-t)$. An arrow must not depend on how many other points
# there are. Expect $(1 - D(x))\,\nabla t(x)$: the weight is near 1 where D is sure that the sample
# is generated, however sure that is: a logit of −300 as well. The logits have shape `(N,)`, the
# slopes `(N, 2)`. <!-- number 300: an example -->


# %%
def pull(discriminator: nn.Module, points: Tensor) -> Tensor:
    """−∂ℓ(xᵢ)/∂xᵢ for the non-saturating loss. points: (N, 2);  returns (N, 2)."""
    ### BEGIN SOLUTION
    points = points.detach().requires_grad_()
    total = nn.functional.softplus(-discriminator(points)).sum()
    (slope,) = torch.autograd.grad(total, points)
    return -slope
    ### END SOLUTION


# %%
arrows = check("3.4", pull, otherwise=generator_pull)

# %% [markdown]
# Do these arrows tell the truth? Your GAN plays 100 rounds on the ring. Then each sample moves a
# little along its arrow; D should now take it for real a little more.

# %%
young, its_judge = my_gan(ring_data.sample, 2, by_scale(ci=20, cpu=100, gpu=100), seed(0))
with torch.no_grad():
    points = young(torch.randn(1_000, 2, generator=rng))
moved = points + 0.01 * arrows(its_judge, points)
before, after = its_judge(points).sigmoid(), its_judge(moved).sigmoid()
rose = (after > before).double().mean().item()
print(f"D(x) rose for {rose:.1%} of the samples")

# %% [markdown]
# It does, for nearly all of them.

# %% tags=["claim"]
claim("It does, for nearly all of them", rose > 0.97, every_seed=True)

# %% [markdown]
# From here on the course's `train` runs the loop. It plays the round that you have written, and
# around it stand a progress bar, the stop button, and a `Watch` that looks at the game now and
# then. With `schedule=constant_then_linear` both learning rates fall to 5 % of their value over
# the last 70 % of the rounds <!-- numbers: the schedule's defaults -->, so that the circling of
# [notebook 02](02_game_dynamics.ipynb#Misconceptions) dies down.


# %%
def play(gan: GAN, data: Density, rounds: int, looks: int, view_at=(), schedule=None) -> plots.Watch:
    """`rounds` rounds of 256 samples; returns what was seen at so many looks, spread evenly."""
    watch = plots.Watch(gan, data, view_at=view_at)
    train(
        gan,
        data.sample,
        images=256 * rounds,
        batch_size=256,
        schedule=schedule,
        ema_half_life=0,  # the generator itself, no average of earlier ones
        seed=seed(0),
        device="cpu",
        threads=1,
        snapshot_every=256 * (rounds // looks),
        on_snapshot=watch,
    )
    return watch


# %% [markdown]
# Now play on the ring, and look four times. Blue is where D says "real", orange where it says
# "generated", white is ½. The arrows are shortened where they are long; their directions are true.
#
# **Predict.** In the end samples lie at all eight modes. What will D's map look like?
#
# - (a) blue at the modes: that is where the data are;
# - (b) white at the modes, orange between them;
# - (c) orange at the modes: that is where the fakes are.

# %%
ring_rounds = by_scale(ci=20, cpu=3_000, gpu=3_000)
moments = (0, ring_rounds // 20, ring_rounds // 4, ring_rounds)
torch.manual_seed(seed(0))
ring_gan = toy_gan(dim=2)
on_the_ring = play(ring_gan, ring_data, ring_rounds, 20, moments, constant_then_linear)
plots.show(plots.games_on_plane(on_the_ring.views, columns=2, title="What D says, and where it pulls"))

# %% [markdown]
# You predicted D's map: it is (b). At a mode there are as many fakes as data, and the answer is ½,
# whatever the density. Between the modes fall only fakes, and D has learnt to say so. So the heat
# map is no map of the data, which lie where it is white. It shows where the samples *differ* from
# the data: orange where there are too many of them, blue where there are too few.
#
# The arrows say the same. In the second panel those of the samples inside the ring lead outwards.
# In the third a ring of samples has formed, and nearly all that lie beside a mode are pulled
# towards the nearest one.

# %% tags=["claim"]
_views = [*on_the_ring.views.values()]
_line = torch.linspace(-3, 3, len(_views[0].heat))
_middles = 2 * nn.functional.normalize(
    ring_data.modes + ring_data.modes.roll(-1, 0)
)  # on the ring, between modes


def _heat_at(view, points):
    return view.heat[
        (points[:, 1, None] - _line).abs().argmin(1), (points[:, 0, None] - _line).abs().argmin(1)
    ]


claim(
    "At a mode there are as many fakes as data, and the answer is ½",
    (_heat_at(_views[-1], ring_data.modes) - 0.5).abs().max() < 0.1,
    every_seed=True,
)
claim(
    "Between the modes fall only fakes, and D has learnt to say so",
    _heat_at(_views[-1], _middles).max() < 0.45,
    every_seed=True,
)
_inside = _views[1].generated.norm(dim=1) < 1.2
claim(
    "those of the samples inside the ring lead outwards",
    ((_views[1].pulls * _views[1].generated).sum(1)[_inside] > 0).double().mean() > 0.9,
    every_seed=True,
)
_distance, _nearest = torch.cdist(_views[2].generated, ring_data.modes).min(1)
_towards = ((ring_data.modes[_nearest] - _views[2].generated) * _views[2].pulls).sum(1) > 0
claim(
    "nearly all that lie beside a mode are pulled towards the nearest one",
    _towards[_distance > 0.3].double().mean() > 0.9,
    every_seed=True,
)

# %% [markdown]
# ### The generator is a folded sheet
#
# The same four moments, from the generator's side. Take a square lattice of latents, spread so
# that each cell of it carries the same probability, and draw where G puts its lines.

# %% jupyter={"source_hidden": true}
plots.show(
    plots.latent_grids(on_the_ring.views, columns=2, title="The plane of latents, folded onto the data")
)

# %% [markdown]
# It is one sheet, stretched and folded, never torn. Most of it is gathered at the modes. Thin
# threads connect them, and they have to: as on the line, a continuous map cannot jump. So a few
# samples always fall between the modes.

# %% [markdown]
# ## How good is it? Count
#
# On a plane nothing has to be judged by eye. Two questions have simple answers.
#
# - **Good samples**: the fraction that lies within three standard deviations of the nearest mode.
# - **Modes covered**: how many modes have at least one good sample.
#
# These are the "high quality samples" and the "modes captured" of Srivastava et al. (2017), and of
# many papers after them.

# %% [markdown]
# ### Exercise 3.5 — Count the modes (●●○, 10 min)
#
# Return the number of covered modes and the fraction of good samples, in that order. A mode is
# covered where a good sample is nearest to it: where modes overlap, a sample counts for one of
# them.


# %%
def count_modes(samples: Tensor, modes: Tensor, std: float) -> tuple[int, float]:
    """(covered modes, fraction of good samples). samples: (N, 2);  modes: (K, 2);  std: of each mode."""
    ### BEGIN SOLUTION
    distance, nearest = torch.cdist(samples, modes).min(dim=1)
    good = distance <= 3 * std
    return nearest[good].unique().numel(), good.double().mean().item()
    ### END SOLUTION


# %%
def count_reference(samples, modes, std):
    found = mode_coverage(samples, modes, std)
    return found.covered, found.good_fraction


count = check("3.5", count_modes, otherwise=count_reference)

# %%
counted = {}
for name, samples in {
    "real samples": ring_data.sample(10_000, rng),
    "the trained generator": sample(ring_gan.generator, 10_000, seed=seed(0)),
    "one mode, again and again": ring_data.modes[:1] + 0.1 * torch.randn(10_000, 2, generator=rng),
}.items():
    counted[name] = covered, good = count(samples, ring_data.modes, ring_data.std)
    print(f"{name:26s} {covered} of 8 modes, {good:6.1%} good")

# %% [markdown]
# Two things to keep in mind. Real samples are not 100 % good either: a Gaussian on the plane has
# $e^{-9/2} = 1.1\,\%$ of its mass outside three standard deviations. And the last row has as many
# good samples as the data have, from a generator that is useless. Ask both questions, always.

# %% tags=["claim"]
claim(
    "Real samples are not 100 % good either",
    0.98 < counted["real samples"][1] < 1.00,
    values={"100 %": 1.00},
    every_seed=True,
)
claim(
    "the last row has as many good samples as the data have",
    abs(counted["one mode, again and again"][1] - counted["real samples"][1]) < 0.006
    and counted["one mode, again and again"][0] == 1,
    every_seed=True,
)

# %% [markdown]
# ## How good is it? KL and JS, exactly
#
# Counting is coarse: it does not see whether the modes get equal fractions of the samples, or have
# the right shape. [Notebook 01](01_minimax_objective.ipynb#From-dice-to-densities) had exact
# divergences, because it had densities. The generator's density is out of reach even here. But on
# a plane we can cut the square from −3 to 3 into 30 × 30 **cells**, with one more for everything
# outside, and compare two distributions over these 901 cells:
# <!-- numbers: the cells of CELL_EDGES -->
#
# - the data's probability of each cell, exactly: the integral of $p_\mathrm{data}$ over the cell;
# - the fraction of generated samples that fall into it: a histogram of 10,000 samples.
#
# On these, KL and JS are finite sums, the same functions that served
# [the die of notebook 01](01_minimax_objective.ipynb#The-value-on-a-die).

# %%
p_data = data_cells(ring_data)
generated = sample(ring_gan.generator, 10_000, seed=seed(0))
p_model = cell_frequencies(generated, CELL_EDGES)
p_real = cell_frequencies(ring_data.sample(10_000, rng), CELL_EDGES)
plots.show(
    plots.cell_maps(
        {"data, exact": p_data, "10,000 real samples": p_real, "10,000 generated": p_model},
        CELL_EDGES,
        title="Probabilities of the cells",
    )
)

# %% [markdown]
# Some of the generated modes are too dark in the middle: their samples are packed too closely. The
# eye hardly sees it in a cloud of points; JS will.

# %% tags=["claim"]
claim(
    "Some of the generated modes are too dark in the middle",
    p_model[:-1].max() > 1.3 * p_data[:-1].max() and len(p_model) == 901,
    every_seed=True,
)

# %% [markdown]
# ### What does a perfect generator score?
#
# A histogram is noisy, and noise looks like a difference. So real samples do not score 0. With $N$
# samples in $K$ cells, a second-order expansion of both sums around $p_\mathrm{data}$ gives
#
# $$
# \mathbb E[\mathrm{KL}(\hat p \,\Vert\, p)] \approx \frac{K - 1}{2N}, \qquad \mathbb E[\mathrm{JS}(\hat p, p)] \approx \frac{K - 1}{8N}.
# $$
#
# **Predict.** By how much does this floor sink when you take ten times as many
# samples <!-- numbers: the sizes below -->? Check it with real samples against the exact cells:

# %%
floor = {}
for n in (1_000, 10_000, 100_000):
    floor[n] = measure(ring_data.sample(n, rng), ring_data, p_data)
    reached = int((p_data * n > 1).sum())  # cells that get a sample at all
    print(
        f"{n:7,} real samples:  JS = {floor[n].js:.5f}  (K−1)/8N = {(reached - 1) / (8 * n):.5f}    "
        f"KL = {floor[n].kl:.5f}  (K−1)/2N = {(reached - 1) / (2 * n):.5f}"
    )

# %% [markdown]
# The answer: roughly ten times lower each time, as $1/N$ says; less on average, because with more
# samples more cells are reached, and a single draw scatters besides.
#
# Here $K$ counts the cells in which at least one sample is to be expected. The rarer ones, for
# which the expansion fails, add the rest: averaged over many draws, the formula explains about 70
# % of the floor.
#
# So with 10,000 samples a JS of 0.002 means "no difference that this measure can see". Always
# compare with the floor *for the same number of samples*.

# %% tags=["claim"]
claim(
    "roughly ten times lower each time",
    about(floor[1_000].js / floor[10_000].js, 10, rel=0.45)
    and about(floor[10_000].js / floor[100_000].js, 10, rel=0.45),
    every_seed=True,
)
_explained = []
for _n in (1_000, 10_000):
    _draws = [measure(ring_data.sample(_n, rng), ring_data, p_data).js for _ in range(50)]
    _explained.append((int((p_data * _n > 1).sum()) - 1) / (8 * _n) / (sum(_draws) / len(_draws)))
claim(
    "averaged over many draws, the formula explains about 70 % of the floor",
    about(_explained[0], 0.70, rel=0.1) and about(_explained[1], 0.70, rel=0.1),
    every_seed=True,
)
claim("with 10,000 samples a JS of 0.002", about(floor[10_000].js, 0.002, rel=0.3), every_seed=True)

# %% [markdown]
# What of the other direction, $\mathrm{KL}(p_\mathrm{data} \Vert p_g)$? It is infinite as soon as
# one cell that the data can reach gets no sample. With 10,000 *real* samples that happens already,
# in the far tails. A measure that calls real samples infinitely bad is of no use here, so we watch
# the two others. Note what each is sensitive to:
#
# - $\mathrm{KL}(p_g \Vert p_\mathrm{data})$ punishes samples where there are no data, heavily. It
#   forgives missing modes: one perfect mode of eight costs only $\log 8 = 2.08$.
# - $\mathrm{JS}$ sees both, and ends at $\log 2 = 0.69$ when the two do not meet at all.

# %% tags=["claim"]
claim(
    "With 10,000 *real* samples that happens already",
    bool(((p_data > 0) & (p_real == 0)).any()),
    values={"10,000": 10_000},
    every_seed=True,
)

# %%
plots.show(
    plots.measured_rounds(
        on_the_ring.history,
        modes=8,
        floor=floor[10_000]._asdict(),
        title="The ring of eight, measured while it learns",
    )
)
last = measure(generated, ring_data, p_data)
print(
    f"at the end: JS = {last.js:.3f}, KL = {last.kl:.2f}, {last.covered} of 8 modes, {last.good_fraction:.1%} good"
)
print(f"real samples: JS = {floor[10_000].js:.4f}, KL = {floor[10_000].kl:.4f}")

# %% [markdown]
# The *number of modes* has little to tell: nearly from the first look on it is eight. The *good
# samples* go on to the end, and so does JS, which falls unevenly and at the end is still more than
# ten times the floor. The picture looks done long before the distribution is right. Remember this
# when you judge digits by eye.

# %% tags=["claim"]
_seen = on_the_ring.history
claim(
    "nearly from the first look on it is eight",
    min(_seen["covered"][2:]) == 8 and _seen["rounds"][2] <= 300,
    values={"eight": 8},
    every_seed=True,
)
claim(
    "The *good samples* go on to the end",
    _seen["good_fraction"][-1] > _seen["good_fraction"][10] > _seen["good_fraction"][2],
    every_seed=True,
)
claim("at the end is still more than ten times the floor", last.js / floor[10_000].js > 10, every_seed=True)

# %% [markdown]
# ## A harder one: 25 modes
#
# A 5 × 5 grid has modes on the inside, too; the sheet has to be folded in both directions. The
# modes are half as wide. We take wider networks; all else stays as it was.

# %%
grid_data = grid()
grid_rounds = by_scale(ci=20, cpu=3_000, gpu=3_000)
torch.manual_seed(seed(0))
grid_gan = toy_gan(dim=2, hidden=(128, 128))
moments = (grid_rounds // 20, grid_rounds // 2, grid_rounds)
on_the_grid = play(grid_gan, grid_data, grid_rounds, 20, moments, constant_then_linear)
plots.show(plots.games_on_plane(on_the_grid.views, pulls=False, title="25 modes"))
plots.show(plots.latent_grids(on_the_grid.views, title="The sheet, folded onto 25 modes"))
plots.show(plots.measured_rounds(on_the_grid.history, modes=25, title="The grid, measured while it learns"))
last = measure(sample(grid_gan.generator, 10_000, seed=seed(0)), grid_data, data_cells(grid_data))
print(
    f"at the end: JS = {last.js:.3f}, KL = {last.kl:.2f}, {last.covered} of 25 modes, {last.good_fraction:.1%} good"
)

# %% [markdown]
# The same two steps, and the same loss. Again the count of modes is high early, for at first the
# samples are spread over everything. For a thousand rounds most of them lie on no mode; they
# settle in the second half, while the learning rates fall.

# %% tags=["claim"]
_seen = on_the_grid.history
claim("Again the count of modes is high early", max(_seen["covered"][1:4]) >= 23, every_seed=True)
claim(
    "For a thousand rounds most of them lie on no mode",
    max(
        good
        for played, good in zip(_seen["rounds"], _seen["good_fraction"], strict=True)
        if 0 < played <= 1_000
    )
    < 0.5,
    values={"a thousand": 1_000},
    every_seed=True,
)
claim(
    "they settle in the second half",
    _seen["good_fraction"][-1] > max(0.5, 1.5 * _seen["good_fraction"][10]),
    every_seed=True,
)

# %% [markdown]
# ## Too many turns for one player
#
# So far the two players took turns, one step each. What if the generator gets *ten* steps in each
# round, and D still one? More training for the player that we want in the end: it sounds like a
# good idea.

# %% [markdown]
# ### Exercise 3.6 — Predict what ten steps do (●○○, 3 min)
#
# With ten G steps to one D step, starting anew on the ring:
#
# - (a) the generator learns the ring as before, in fewer rounds;
# - (b) it sends nearly all samples to one place, and later to another;
# - (c) D becomes sure of itself, the arrows vanish, and nothing moves any more;
# - (d) the samples spread over the whole plane.
#
# Answer with a letter in quotes, such as `"a"`.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("3.6", prediction)

# %%
rounds = by_scale(ci=12, cpu=300, gpu=300)
slower = {
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-3,
}  # half as fast as before: there is something to watch
torch.manual_seed(seed(0))
greedy = toy_gan(dim=2, generator_steps=10, **slower)
collapse = play(greedy, ring_data, rounds, 12, [rounds * part // 6 for part in range(1, 7)])
plots.show(plots.games_on_plane(collapse.views, title="Ten steps of G for one of D"))
columns = ("rounds", "covered", "good_fraction", "js")
for after, covered, good, js in zip(*(collapse.history[key] for key in columns), strict=True):
    print(f"after {after:3d} rounds: {covered} of 8 modes covered, {good:6.1%} good samples, JS = {js:.3f}")

# %% [markdown]
# The prediction: it is (b). This is **mode collapse**. All samples huddle in one spot, on a mode
# or beside one. Then the crowd moves on.
#
# Why? While D stands still, look at what is best for the generator: to send *every* sample to the
# one place where $D(x)$ is largest. Nothing in $L_G$ asks for variety; each sample follows its own
# arrow, and all arrows lead to the same spot. D then learns that this spot is full of fakes, its
# largest value moves elsewhere, and the crowd follows.
#
# The objective of [notebook 01](01_minimax_objective.ipynb#Two-players,-one-number) was
# $\min_G \max_D V$: for each G, D first finds its best answer. Ten steps of G against a D that
# stands still lean towards another game, $\max_D \min_G V$, and in that one a single point is a
# best answer.
#
# The balance of the two is a cause that you can set. Collapse also comes by itself, when D is too
# weak, learns too slowly, or forgets.

# %% tags=["claim"]
_late = [*collapse.views.values()][2:]
_spread = max(view.generated.std(dim=0).norm() for view in _late)
claim("All samples huddle in one spot", _spread < 1.0, every_seed=True)
claim(
    "Then the crowd moves on",
    max((a.generated.mean(0) - b.generated.mean(0)).norm() for a in _late for b in _late) > 1.5,
    every_seed=True,
)

# %% [markdown]
# ## Repair one: give D its turn
#
# If that is the reason, then the same, collapsed networks should recover as soon as D keeps up.
# Nothing else is changed; we continue from where we are, with new optimisers.

# %%
recovery_rounds = by_scale(ci=8, cpu=2_000, gpu=2_000)
greedy.generator_steps = 1
moments = (recovery_rounds // 8, recovery_rounds // 2, recovery_rounds)
recovery = play(greedy, ring_data, recovery_rounds, 8, moments)
plots.show(plots.games_on_plane(recovery.views, title="The same networks, one step each"))
for after, covered, good, js in zip(*(recovery.history[key] for key in columns), strict=True):
    print(f"after {after:5,d} more rounds: {covered} of 8 modes, {good:6.1%} good samples, JS = {js:.3f}")

# %% [markdown]
# They do recover, and they take their time. After 250 rounds the samples still pass most modes by.
# Halfway all eight modes are covered, and from there on the fraction of good samples grows.

# %% tags=["claim"]
_seen = recovery.history
claim(
    "After 250 rounds the samples still pass most modes by",
    _seen["covered"][1] <= 3 and _seen["rounds"][1] == 250,
    every_seed=True,
)
claim(
    "Halfway all eight modes are covered",
    min(_seen["covered"][4:]) == 8,
    values={"eight": 8},
    every_seed=True,
)
claim(
    "from there on the fraction of good samples grows",
    _seen["good_fraction"][-1] > 1.2 * _seen["good_fraction"][4],
    every_seed=True,
)

# %% [markdown]
# ## Repair two: let D see two samples at once
#
# There is a deeper reason. D sees one sample at a time. To one sample it cannot object "I have
# seen exactly this a moment ago": a single fake on a mode looks perfect. Lack of variety is a
# property of *several* samples.
#
# So hand them over in packs. **PacGAN** (Lin et al. 2018) shows D $m$ samples in one input, all
# real or all generated: its first layer takes $m \cdot 2$ numbers instead of 2. Two real samples
# are rarely close to each other; two samples of a collapsed generator always are. Now D has
# something to see, and its arrows push samples *apart*.

# %% [markdown]
# ### Exercise 3.7 — Pack two samples (●○○, 5 min)
#
# Turn `(N, dim)` samples into `(N / m, m·dim)`: each row holds `m` different samples, side by
# side, and each sample is used once. Which ones share a row is up to you; G will learn through it.
# $N$ is divisible by $m$.


# %%
def pack(samples: Tensor, packing: int) -> Tensor:
    """Rows of `packing` samples. samples: (N, dim);  returns (N / packing, packing · dim)."""
    ### BEGIN SOLUTION
    return samples.reshape(len(samples) // packing, -1)
    ### END SOLUTION


# %%
check("3.7", pack)

# %% [markdown]
# That is all there is to it; the two steps do not change by a letter:

# %%
show_source(packed_discriminator)

# %% [markdown]
# **Predict.** We leave the fault in: ten steps of G for one of D. Only D now sees two samples at
# once. Will the generator cover more modes?
#
# One run proves little, so we play both games from three starts. "Covered" is the average over the
# second half of the rounds.

# %%
starts = [seed(number) for number in by_scale(ci=(0,), cpu=(0, 1, 2), gpu=(0, 1, 2))]
greedy_games = {1: [], 2: []}
for packing, games in greedy_games.items():
    for start in starts:
        torch.manual_seed(start)
        packed = toy_gan(dim=2, packing=packing, generator_steps=10, **slower)
        games.append(play(packed, ring_data, rounds, 12, view_at=(rounds,)))
        late = games[-1].history["covered"][-6:]
        print(
            f"D sees {packing} at once, start {start}: {sum(late) / len(late):.1f} of 8 modes covered, "
            f"at least {min(late)}, at most {max(late)}"
        )

# %% jupyter={"source_hidden": true}
last_views = {
    f"D sees {packing} at once": [*games[-1].views.values()][-1] for packing, games in greedy_games.items()
}
plots.show(plots.games_on_plane(last_views, columns=2, title="Ten steps of G a round"))

# %% [markdown]
# The answer: yes. The generator is as greedy as before, and yet the samples spread over most
# modes, from each start. They are not good yet; ten steps against one remain a bad way to play.
# Packing does not cure everything. It cures what it is made for.
#
# The heat map of a packed D shows $D(x, x)$: what it says to two *copies* of a point. On average
# over the modes it lies a little below ½.
#
# Packing, and other cures, return in
# [notebook 07](07_when_training_fails.ipynb#What-cures-mode-collapse?).

# %% tags=["claim"]
_covered = {
    packing: [sum(game.history["covered"][-6:]) / 6 for game in games]
    for packing, games in greedy_games.items()
}
claim(
    "the samples spread over most modes, from each start",
    min(_covered[2]) > 6.5 and max(_covered[1]) < 2,
    every_seed=True,
)
_heat = last_views["D sees 2 at once"].heat
_line = torch.linspace(-3, 3, len(_heat))
_at_modes = _heat[
    (ring_data.modes[:, 1, None] - _line).abs().argmin(1),
    (ring_data.modes[:, 0, None] - _line).abs().argmin(1),
]
claim("On average over the modes it lies a little below ½", _at_modes.mean() < 0.5, every_seed=True)

# %% [markdown]
# ## The playground
#
# Your turn. Choose the data, or **draw** them: press the mouse button on the left picture and
# move. Run and pause with the first button. "One D step" and "One G step" let you play the game by
# hand: look at the colours after a D step, and at the crosses after a G step. Some things to try:
#
# 1. Take ten single G steps in a row, from a fresh game. Then one D step. Where do the arrows
#    point now?
# 2. While it runs, set "G steps per round" to `10`, wait for the collapse, then set it back to 1.
# 3. Do the same with "D sees two samples at once".
# 4. Choose the `minimax` loss and start again. Are the first arrows longer or shorter?
# 5. Draw something that no sheet can be folded onto well. What does the generator do?

# %%
from course_utils.widgets.gan_playground import gan_playground

gan_playground()

# %% [markdown]
# ## Misconceptions
#
# ### "D is near ½ everywhere, so the generator is perfect"
#
# ½ means that D cannot tell. A D that has learnt nothing cannot tell either. Here D learns two
# thousand times too slowly:

# %%
torch.manual_seed(seed(0))
lazy = toy_gan(dim=2, discriminator_lr=1e-6)
lazy_rounds = by_scale(ci=10, cpu=200, gpu=200)
play(lazy, ring_data, lazy_rounds, 1)
view = plots.view_plane(lazy.generator, lazy.discriminator, ring_data)
found = measure(sample(lazy.generator, 10_000, seed=seed(0)), ring_data, p_data)
print(f"D lies between {view.heat.min():.2f} and {view.heat.max():.2f}, JS = {found.js:.3f} (at most 0.693)")

# %% tags=["claim"]
claim(
    "A D that has learnt nothing cannot tell either",
    view.heat.min() > 0.25 and view.heat.max() < 0.75 and found.js > 0.6,
    every_seed=True,
)
claim("Here D learns two thousand times too slowly", about(2e-3 / 1e-6, 2_000, rel=1e-6), every_seed=True)

# %% [markdown]
# ### "Most samples are good, so the generator is good"
#
# Look, in the three collapsed games without packing, for the moment with the most good samples:

# %%
best_moments = []
for start, game in zip(starts, greedy_games[1], strict=True):
    seen = game.history
    best = max(range(len(seen["rounds"])), key=seen["good_fraction"].__getitem__)
    best_moments.append({key: seen[key][best] for key in columns})
    print(
        f"start {start}, after {seen['rounds'][best]} rounds: {seen['good_fraction'][best]:.0%} good samples, "
        f"{seen['covered'][best]} of 8 modes, JS = {seen['js'][best]:.3f}"
    )

# %% [markdown]
# The best moments of a collapse are those at which much of the crowd has come to sit on a mode. In
# the best of these runs most samples are good, and never is a second mode covered with it. JS is
# not deceived.

# %% tags=["claim"]
claim(
    "never is a second mode covered with it",
    max(moment["covered"] for moment in best_moments) <= 1,
    values={"one": 1},
    every_seed=True,
)
claim(
    "In the best of these runs most samples are good",
    max(moment["good_fraction"] for moment in best_moments) > 0.5,
)
claim("JS is not deceived", min(moment["js"] for moment in best_moments) > 0.5, every_seed=True)

# %% [markdown]
# ### "A collapsed generator is stuck"
#
# It is the opposite: as long as D keeps learning, it does not stay for long. Where is the middle
# of all samples, from one moment of the collapse to the next?

# %%
for after, view in collapse.views.items():
    x, y = view.generated.mean(dim=0).tolist()
    print(
        f"{after:17s} the middle of all samples is at ({x:+.1f}, {y:+.1f}), their spread around it is "
        f"{view.generated.std(dim=0).norm():.2f}"
    )

# %% [markdown]
# ### "D learns where the data are"
#
# Then D would say the same at every mode of the ring, whatever the generator does: the data have
# equally many samples at each. We let a fresh D learn, with your `d_step`, against a generator
# that does not move: it puts all its samples on the four modes with even numbers, perfectly. Three
# times, from three starts:

# %%
lopsided = gaussian_mixture(ring_data.modes[::2], 0.1)
opinions = []
for number in range(3):
    torch.manual_seed(seed(number))
    rng = torch.Generator().manual_seed(seed(number))
    judge = toy_gan(dim=2).discriminator
    optimizer = torch.optim.Adam(judge.parameters(), lr=2e-3, betas=(0.0, 0.99))
    for _ in range(by_scale(ci=10, cpu=400, gpu=400)):
        d_step(judge, optimizer, ring_data.sample(256, rng), lopsided.sample(256, rng), loss)
    with torch.no_grad():
        opinions.append(judge(ring_data.modes).sigmoid())
    print("D at the eight modes:", " ".join(f"{value:.2f}" for value in opinions[-1].tolist()))

# %% [markdown]
# The data are the same at all eight. Where the generator is, D says about ⅓ on average; single
# values scatter around it, for D learns from small batches. Where the generator is not, D says
# almost 1.
#
# At the former, two fakes meet one real sample, so that $D^* = \frac{1/8}{1/8 + 1/4} = \frac13$. D
# learns what the fakes lack and what they have too much of; with another generator, the same data
# look different.

# %% tags=["claim"]
claim(
    "Where the generator is, D says about ⅓ on average",
    max(abs(says[::2].mean() - 1 / 3) for says in opinions) < 0.07,
    every_seed=True,
)
claim(
    "Where the generator is not, D says almost 1",
    min(says[1::2].min() for says in opinions) > 0.95,
    every_seed=True,
)


# %% [markdown]
# ### "After enough training, every sample lies on a mode"
#
# The fraction of stray samples does fall as long as one trains. It cannot reach 0. Take a latent
# whose sample lies on a mode, and one whose sample lies on another, and walk from the first to the
# second in a straight line, in 2,000 small steps: $G$ is continuous, so its samples have to cross
# the space between the modes. Here are 200 such walks, through the trained generator of the ring:

# %%
rng = torch.Generator().manual_seed(seed(3))
ends = torch.randn(4_000, 2, generator=rng)
with torch.no_grad():
    distance, mode = torch.cdist(ring_gan.generator(ends), ring_data.modes).min(dim=1)
on_a_mode = distance <= 3 * ring_data.std
first, second = ends[:2_000], ends[2_000:]
apart = on_a_mode[:2_000] & on_a_mode[2_000:] & (mode[:2_000] != mode[2_000:])
first, second = first[apart][:200], second[apart][:200]
steps = torch.linspace(0, 1, 2_000)[:, None, None]
with torch.no_grad():
    walks = ring_gan.generator(((1 - steps) * first + steps * second).reshape(-1, 2))
stray = (torch.cdist(walks, ring_data.modes).min(dim=1).values > 3 * ring_data.std).reshape(2_000, -1)
print(f"walks that leave the modes on their way: {int(stray.any(dim=0).sum())} of {stray.shape[1]}")
print(f"part of the way that lies on no mode:    {stray.double().mean():.1%} on average")

# %% [markdown]
# All of them. A sheet that is stretched thinner and thinner never tears. A generator that could
# jump would need more than one sheet, or a latent that comes in pieces.

# %% tags=["claim"]
claim(
    "All of them. A sheet that is stretched",
    bool(stray.any(dim=0).all()) and stray.shape[1] == 200,
    every_seed=True,
)

# %% [markdown]
# ## A picture to take home
#
# A sheet folds best onto something that is in one piece. So let the GAN that you wrote in exercise
# 3.3 make something for somebody: each latent has a colour, by its direction from the centre, and
# keeps it on its way through your generator. **Put your own shape in the place of the heart.**


# %%
def heart(n: int, rng: torch.Generator) -> Tensor:
    """n points in a heart."""
    t = 2 * math.pi * torch.rand(n, 1, generator=rng)
    x = 16 * t.sin() ** 3
    y = 13 * t.cos() - 5 * (2 * t).cos() - 2 * (3 * t).cos() - (4 * t).cos()
    inwards = torch.rand(n, 1, generator=rng).sqrt()  # the root, so that the middle is not too full
    return inwards * torch.cat([x, y], dim=1) / 7 + torch.tensor([[0.0, 0.3]])


artist, critic = my_gan(heart, 2, by_scale(ci=20, cpu=1_500, gpu=1_500), seed(0))
latents = torch.randn(20_000, 2, generator=torch.Generator().manual_seed(seed(0)))
with torch.no_grad():
    drawn = artist(latents)

# %% jupyter={"source_hidden": true}
figure, panels = plots.new_figure(columns=2, width=8.5, height=4.8)
direction = torch.atan2(latents[:, 1], latents[:, 0]).numpy()
for panel, points, title in zip(
    panels, (latents, drawn), ("noise", "what your GAN makes of it"), strict=True
):
    panel.set_facecolor("black")
    panel.grid(False)
    panel.scatter(*points.T.numpy(), c=direction, cmap="hsv", s=3, linewidths=0)
    panel.set(xlim=(-3, 3), ylim=(-3, 3), aspect="equal", xticks=[], yticks=[], title=title)
plots.show(
    plots.describe(
        figure,
        "Two black squares with coloured dots. Left, a round cloud of noise, each dot coloured by its direction "
        "from the centre, a rainbow around the circle. Right, the same dots after the generator: they fill a "
        "heart, and the rainbow runs around inside it.",
    )
)

# %% [markdown]
# ## Summary
#
# - A GAN is two steps and a loop. D's step cuts the graph to the generator (`detach`); G's step
#   must not. Each clears the gradients first.
# - All that G learns are arrows: $-\partial\ell/\partial x$ at its samples. They know what D says
#   *now*, nothing else.
# - D's map shows where samples and data differ, not where the data are.
# - The generator folds one sheet onto the data. Threads between modes remain.
# - Count modes *and* good samples; measure JS on cells; know the floor that real samples reach
#   with the same $N$.
# - Mode collapse: against a D that stands still, one point is the generator's best answer. It is
#   not a rest but a chase. A D that keeps up prevents it, and so does a D that sees several
#   samples at once.
#
# ## Further reading
#
# - Ian Goodfellow et al., *Generative Adversarial Nets*, NIPS 2014, arXiv:1406.2661. Algorithm 1
#   is the loop of this notebook, figure 1 the picture of the line.
# - Luke Metz, Ben Poole, David Pfau, Jascha Sohl-Dickstein, *Unrolled Generative Adversarial
#   Networks*, ICLR 2017, arXiv:1611.02163. The ring of eight, collapse, and a generator that looks
#   ahead at D's answers.
# - Akash Srivastava, Lazar Valkov, Chris Russell, Michael U. Gutmann, Charles Sutton, *VEEGAN:
#   Reducing Mode Collapse in GANs using Implicit Variational Learning*, NIPS 2017,
#   arXiv:1705.07761. Modes captured and high-quality samples, as counted here.
# - Zinan Lin, Ashish Khetan, Giulia Fanti, Sewoong Oh, *PacGAN: The power of two samples in
#   generative adversarial networks*, NeurIPS 2018, arXiv:1712.04086.
# - Minsuk Kahng et al., *GAN Lab: Understanding Complex Deep Generative Models using Interactive
#   Visual Experimentation*, IEEE TVCG 2019, arXiv:1809.01587. A playground in the browser, after
#   whose example ours was made.
