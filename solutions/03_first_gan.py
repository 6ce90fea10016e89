# %% [markdown]
# # A first GAN, all of it visible
#
# You write the two steps that make a GAN, watch a whole one learn on a line and on a plane, break
# it on purpose, and repair it.
#
# | | |
# | --- | --- |
# | Reading time | 45 min, and 50 min for the exercises |
# | Running time | about 45 s on two CPU cores; a GPU is not needed |
# | You need | notebook 01 (the objective, the non-saturating loss, KL and JS); notebook 02 helps; what an optimiser step is in PyTorch |
# | You will be able to | write D's step and G's step; read what D tells G; measure how close samples are to the data; recognise mode collapse, cause it and cure it |

# %%
import math

import torch
from course_utils.plane import (
    discriminator_turn,
    draw_generated,
    draw_latents,
    generator_turn,
    new_game,
    play,
)
from torch import Tensor, nn

from course_utils import plots
from course_utils.checks import check
from course_utils.data import gaussian_mixture, grid, ring
from course_utils.losses import GANLoss
from course_utils.metrics import CELL_EDGES, data_cells, generator_pull, measure, mode_coverage
from course_utils.models import packed_discriminator
from course_utils.notebook import show_source
from course_utils.runtime import by_scale
from course_utils.theory import cell_frequencies
from course_utils.training import steps

torch.set_num_threads(1)  # networks this small run faster on one thread than on many

# %% [markdown]
# ## A GAN on a line
#
# Image GANs hide everything: a million weights, samples in 784 dimensions, densities that nobody
# can write down. So we start where you can see all of it. The data are numbers on a line, from
# two hills of equal weight:
#
# $$p_\mathrm{data}(x) = \tfrac12\,\mathcal N(x;\,-1.2,\,0.35^2) + \tfrac12\,\mathcal N(x;\,1.2,\,0.35^2).$$
#
# The generator is a small network from one number $z \sim \mathcal N(0, 1)$ to one number $G(z)$.
# The discriminator is a small network from a number $x$ to a **logit** $t(x)$; the probability
# that $x$ is real is $D(x) = \sigma(t(x))$.
#
# `new_game` makes both networks and an Adam optimiser for each. Adam comes without momentum
# ($\beta_1 = 0$): notebook 02 showed what momentum does to a game.

# %%
line_data = gaussian_mixture([-1.2, 1.2], 0.35)
game = new_game(line_data, seed=1)
print(game.generator)

latents = draw_latents(game, 5)
fake = game.generator(latents)
print(
    f"latents {tuple(latents.shape)} → samples {tuple(fake.shape)} → logits "
    f"{tuple(game.discriminator(fake).shape)}"
)

# %% [markdown]
# ## Two steps, and that is all
#
# Training repeats two steps. Each moves one player and leaves the other alone.
#
# - **D's step.** Take a batch of data and a batch of fakes. Move D's weights downhill on
#   $L_D = -V(D, G)$, so that it tells the two batches apart a little better.
# - **G's step.** Make a batch of fakes. Move G's weights downhill on $L_G$, so that D takes them
#   for real a little more often.
#
# The losses come as a pair, as in notebook 01: `loss.discriminator(real_logits, fake_logits)` and
# `loss.generator(fake_logits)`. Both are to be *minimised*. Which pair it is shall not matter to
# your steps.

# %% [markdown]
# ### Exercise 3.1 — The discriminator's step (●●○, 12 min)
#
# Write one step of D. Return the loss as it was before the step. Two traps wait here. PyTorch
# *adds* a new gradient to what an earlier step has left. And the fakes come out of the generator,
# so a gradient would run on into the generator's weights, unless you cut it off.


# %%
def discriminator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    real: Tensor,
    latents: Tensor,
    loss: GANLoss,
) -> Tensor:
    """One step of D down its loss. Returns the loss before the step.

    optimizer: of the discriminator's weights;  real: data (N, dim);  latents: (N, latent_dim).
    """
    ### BEGIN SOLUTION
    fake = generator(latents).detach()
    value = loss.discriminator(discriminator(real), discriminator(fake))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach()
    ### END SOLUTION


# %%
d_step = check("3.1", discriminator_step, otherwise=steps.discriminator_step)

# %% [markdown]
# ### Exercise 3.2 — The generator's step (●●○, 8 min)
#
# Now one step of G. **Predict** before you write: does `detach` belong here too?


# %%
def generator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    latents: Tensor,
    loss: GANLoss,
) -> Tensor:
    """One step of G down its loss, through D. Returns the loss before the step.

    optimizer: of the generator's weights;  latents: (N, latent_dim).
    """
    ### BEGIN SOLUTION
    value = loss.generator(discriminator(generator(latents)))
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value.detach()
    ### END SOLUTION


# %%
g_step = check("3.2", generator_step, otherwise=steps.generator_step)

# %% [markdown]
# No `detach` here. The generator never sees the data; all it knows comes to it as a gradient
# *through* D. On that way D's weights collect gradients too. They are not used, since G's
# optimiser holds only G's weights, and D's next step clears them. This is a second reason for
# `zero_grad` at the start of D's step; the first is D's own last gradient.
#
# The rest of a training loop is three lines. A **round** is one step of D, then one of G, each on
# a fresh batch of 256:

# %%
for _ in range(20):
    discriminator_loss = discriminator_turn(game, d_step)  # draws a batch and calls your step
    generator_loss = generator_turn(game, g_step)
print(f"after 20 rounds: L_D = {discriminator_loss:.3f}, L_G = {generator_loss:.3f}")

# %% [markdown]
# From here on we let the course's `play` run that loop. It adds a progress bar, listens to the
# stop button, and looks at the game on the way. The steps are still yours, if they passed.
# `decay_lr=True` lets both learning rates fall to 5 % of their value over the last 70 % of the
# rounds, so that the circling of notebook 02 dies down.
#
# **Predict.** The generator starts with all samples near 0, between the hills. When the game has
# been played for long: what does $D(x)$ look like?

# %%
line_rounds = by_scale(ci=20, cpu=2_000, gpu=2_000)
game = new_game(line_data, seed=1)
moments = (0, line_rounds // 40, line_rounds // 4, line_rounds)
on_the_line = play(
    game,
    line_rounds,
    view_at=moments,
    measure_every=line_rounds // 10,
    decay_lr=True,
    steps=(d_step, g_step),
    label="a GAN on the line",
)
plots.show(plots.games_on_line(on_the_line.views, title="A GAN learns two hills"))
history = on_the_line.history
print(
    f"losses at the end: L_D = {history['discriminator_loss'][-1]:.3f}, L_G = "
    f"{history['generator_loss'][-1]:.3f}"
)
print(f"at equilibrium:    L_D = {2 * math.log(2):.3f}, L_G = {math.log(2):.3f}")

# %% [markdown]
# Read a column from the bottom up. Below, each line leads from a latent $z$ to the sample $G(z)$;
# the latents are spread so that equal probability lies between neighbours. Where the lines crowd
# together, $p_g$ is high. Above it stand the two densities. In the middle is D, and dotted the
# $D^* = p_\mathrm{data} / (p_\mathrm{data} + p_g)$ of notebook 01 for the $p_g$ of that moment.
#
# - Early, D bends towards $D^*$: up on the hills, down in the gap. That slope is what pushes the
#   samples apart.
# - Look at the gap between the hills. The generator is a *continuous* function of $z$, so on its
#   way from one hill to the other it has to cross the gap. It can only hurry: steep there, flat
#   on the hills.
# - At the end D is close to ½ wherever samples fall. It cannot tell any more, and both losses are
#   close to their values at equilibrium.
# - D is never quite $D^*$. It is a small and smooth network, takes one step a round, and runs
#   after a generator that moves. The bumps of $p_g$ at the end are too narrow for it to see.
#   Where neither data nor samples fall, nothing constrains D, and it may say anything.

# %% [markdown]
# ## A GAN on a plane
#
# Now two dimensions, and a classic. Eight Gaussians on a ring (Metz et al. 2017) have become the
# field's standard test, since you see at once which of the eight **modes** a generator has found.
# Each has standard deviation 0.1, on a circle of radius 2. The latent is a point of a plane too,
# $z \sim \mathcal N(0, I)$, so the generator maps a plane onto a plane.

# %%
ring_data = ring()
game = new_game(ring_data)
print(
    f"{len(ring_data.modes)} modes, the first three at "
    f"{[[round(v, 2) for v in mode] for mode in ring_data.modes[:3].tolist()]}"
)

# %% [markdown]
# ### What does D tell the generator?
#
# Write $\ell(x) = -\log D(x)$ for one sample's part in the non-saturating loss. By the chain
# rule, the gradient of $L_G$ with respect to a weight $\theta$ of the generator is
#
# $$
# \frac{\partial L_G}{\partial \theta} = \frac1N \sum_i \frac{\partial \ell(x_i)}{\partial x_i} \cdot \frac{\partial G(z_i)}{\partial \theta}.
# $$
#
# The left factor is the only one that knows of D, and so of the data. It is an arrow at each
# sample: $-\partial \ell / \partial x$ shows where D pulls it. If you draw these arrows, you see
# all that the generator ever learns.

# %% [markdown]
# ### Exercise 3.3 — Where D pulls (●●○, 10 min)
#
# Return the arrow $-\partial \ell(x_i)/\partial x_i$ at each point, with
# $\ell = -\log D = \operatorname{softplus}(-t)$. An arrow must not depend on how many other
# points there are. Expect $(1 - D(x))\,\nabla t(x)$: the weight is near 1 where D is sure that
# the sample is generated. The logits have shape `(N,)`, the slopes `(N, 2)`.


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
arrows = check("3.3", pull, otherwise=generator_pull)

# %% [markdown]
# Do these arrows tell the truth? Move each sample a little along its arrow; D should now take it
# for real a little more.

# %%
for _ in range(by_scale(ci=20, cpu=100, gpu=100)):
    discriminator_turn(game)
    generator_turn(game)
points = draw_generated(game, 1_000)
moved = points + 0.01 * arrows(game.discriminator, points)
before, after = game.discriminator(points).sigmoid(), game.discriminator(moved).sigmoid()
print(f"D(x) rose for {(after > before).double().mean():.1%} of the samples")

# %% [markdown]
# Now play, and look four times. D learns four times as fast as G here, so that it keeps up
# (Heusel et al. 2017 say why that helps). Blue is where D says "real", orange where it says
# "generated", white is ½. The arrows are shortened where they are long; their directions are
# true.
#
# **Predict.** Halfway, when samples already lie around the ring: will D be blue at the modes, or
# white?

# %%
ring_rounds = by_scale(ci=20, cpu=4_000, gpu=4_000)
game = new_game(ring_data, discriminator_lr=4e-3, generator_lr=1e-3)
moments = (0, ring_rounds // 40, ring_rounds // 8, ring_rounds)
on_the_ring = play(
    game, ring_rounds, view_at=moments, measure_every=ring_rounds // 20, decay_lr=True, label="ring of eight"
)
plots.show(plots.games_on_plane(on_the_ring.views, columns=2, title="What D says, and where it pulls"))

# %% [markdown]
# The first arrows lead out of the middle, where too many samples lie. Soon a ring of samples
# forms, and then arrows run *along* the ring, towards the modes. At a mode that has enough
# samples, D turns white: there are as many fakes as data, and the answer is ½, whatever the
# density. It is blue only at those that draw too few. So the heat map is no map of the data. It
# is a map of what is *missing*.
#
# ### The generator is a folded sheet
#
# The same four moments, from the generator's side. Take a square lattice of latents, spread so
# that each cell of it carries the same probability, and draw where G puts its lines.

# %%
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
# On a plane nothing has to be assessed by eye. Two questions have simple answers.
#
# - **Good samples**: the fraction that lies within three standard deviations of the nearest mode.
# - **Modes covered**: how many modes have at least one good sample.
#
# This is the count that Srivastava et al. (2017) use on the same ring, and many papers after
# them.

# %% [markdown]
# ### Exercise 3.4 — Count the modes (●●○, 10 min)
#
# Return the number of covered modes and the fraction of good samples, in that order.


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


count = check("3.4", count_modes, otherwise=count_reference)

# %%
rng = torch.Generator().manual_seed(0)
for name, samples in {
    "real samples": ring_data.sample(10_000, rng),
    "the trained generator": draw_generated(game, 10_000),
    "one mode, again and again": ring_data.modes[:1] + 0.1 * torch.randn(10_000, 2, generator=rng),
}.items():
    covered, good = count(samples, ring_data.modes, ring_data.std)
    print(f"{name:26s} {covered} of 8 modes, {good:6.1%} good")

# %% [markdown]
# Two things to keep in mind. Real samples are not 100 % good either: a Gaussian on the plane has
# $e^{-9/2} = 1.1\,\%$ of its mass outside three standard deviations. And the last row has the
# best fraction of good samples one can have, with a generator that is useless. Ask both
# questions, always.

# %% [markdown]
# ## How good is it? KL and JS, exactly
#
# Counting is coarse: it does not see whether the modes get equal fractions of the samples, or
# have the right shape. Notebook 01 had exact divergences, because it had densities. The
# generator's density is out of reach even here. But on a plane we can cut the square from −3 to 3
# into 30 × 30 **cells**, with one more for everything outside, and compare two distributions over
# these 901 cells:
#
# - the data's probability of each cell, exactly: the integral of $p_\mathrm{data}$ over the cell;
# - the fraction of generated samples that fall into it: a histogram of 10,000 samples.
#
# On these, KL and JS are finite sums, the same functions that served the die of notebook 01.

# %%
p_data = data_cells(ring_data)
p_model = cell_frequencies(draw_generated(game, 10_000), CELL_EDGES)
p_real = cell_frequencies(ring_data.sample(10_000, rng), CELL_EDGES)
plots.show(
    plots.cell_maps(
        {"data, exact": p_data, "10,000 real samples": p_real, "10,000 generated": p_model},
        CELL_EDGES,
        title="Probabilities of the cells",
    )
)

# %% [markdown]
# The generated squares are darker in places: each mode's samples are packed too closely. The eye
# hardly sees it in a cloud of points; JS will.
#
# ### What does a perfect generator score?
#
# A histogram is noisy, and noise looks like a difference. So real samples do not score 0. With
# $N$ samples in $K$ cells, a second-order expansion of both sums around $p_\mathrm{data}$ gives
#
# $$
# \mathbb E[\mathrm{KL}(\hat p \,\Vert\, p)] \approx \frac{K - 1}{2N}, \qquad \mathbb E[\mathrm{JS}(\hat p, p)] \approx \frac{K - 1}{8N}.
# $$
#
# **Predict.** By how much does this floor sink when you take ten times as many samples? Check it
# with real samples against the exact cells:

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
# About ten times lower each time. Averaged over many runs, the formula explains about 70 % of
# this floor at every $N$; a single run, like the one printed, scatters (by some 14 % at
# $N = 1{,}000$). We let $K$ count the cells in which at least one sample is to be expected; the
# rarer ones, for which the expansion fails, add the rest. So with 10,000 samples a JS of 0.002
# means "no difference that this measure can see". Always compare with the floor *for the same
# number of samples*.
#
# What of the other direction, $\mathrm{KL}(p_\mathrm{data} \Vert p_g)$? It is infinite as soon as
# one cell that the data can reach gets no sample. With 10,000 *real* samples that happens
# already, in the far tails. A measure that calls real samples infinitely bad is of no use here,
# so we watch the two others. Note what each is sensitive to:
#
# - $\mathrm{KL}(p_g \Vert p_\mathrm{data})$ punishes samples where there are no data, heavily. It
#   forgives missing modes: one perfect mode of eight costs only $\log 8 = 2.08$.
# - $\mathrm{JS}$ sees both, and ends at $\log 2 = 0.69$ when the two do not meet at all.

# %%
plots.show(
    plots.measured_rounds(
        on_the_ring.history,
        modes=8,
        floor=floor[10_000]._asdict(),
        title="The ring of eight, measured while it learns",
    )
)
last = measure(draw_generated(game, 10_000), ring_data, p_data)
print(
    f"at the end: JS = {last.js:.3f}, KL = {last.kl:.2f}, {last.covered} of 8 modes, "
    f"{last.good_fraction:.1%} good samples"
)
print(f"real samples: JS = {floor[10_000].js:.4f}, KL = {floor[10_000].kl:.4f}")

# %% [markdown]
# All modes are found within the first few hundred rounds. After that the counts have little left
# to tell, while JS keeps falling, not evenly, and is still far above the floor at the end. The
# picture looks done long before the distribution is right. Remember this when you assess digits
# by eye.

# %% [markdown]
# ## A harder one: 25 modes
#
# A 5 × 5 grid has modes on the inside, too; the sheet has to be folded in both directions. The
# modes are half as wide. We take wider networks and double G's learning rate; both rates fall
# towards the end, as before.

# %%
grid_data = grid()
grid_rounds = by_scale(ci=20, cpu=4_000, gpu=4_000)
game = new_game(grid_data, discriminator_lr=4e-3, generator_lr=2e-3, hidden=(128, 128))
on_the_grid = play(
    game,
    grid_rounds,
    view_at=(grid_rounds // 20, grid_rounds // 4, grid_rounds),
    measure_every=grid_rounds // 20,
    decay_lr=True,
    label="5 × 5 grid",
)
plots.show(plots.games_on_plane(on_the_grid.views, pulls=False, title="25 modes"))
plots.show(plots.latent_grids(on_the_grid.views, title="The sheet, folded onto 25 modes"))
plots.show(plots.measured_rounds(on_the_grid.history, modes=25, title="The grid, measured while it learns"))
last = measure(draw_generated(game, 10_000), grid_data, data_cells(grid_data))
print(
    f"at the end: JS = {last.js:.3f}, KL = {last.kl:.2f}, {last.covered} of 25 modes, "
    f"{last.good_fraction:.1%} good samples"
)

# %% [markdown]
# The same two steps and the same loss. Again the modes are found long before the samples between
# them are gone.

# %% [markdown]
# ## Mode collapse, on purpose
#
# So far the two players took turns, one step each. What if the generator gets *ten* steps in each
# round, and D still one? More training for the player that we want in the end: it sounds like a
# good idea.

# %% [markdown]
# ### Exercise 3.5 — Predict what ten steps do (●○○, 3 min)
#
# With ten G steps to one D step, starting anew on the ring:
#
# - (a) the generator learns the ring as before, in fewer rounds;
# - (b) it sends nearly all samples to one place, and later to another;
# - (c) D becomes sure of itself, the arrows vanish, and nothing moves any more;
# - (d) the samples spread over the whole plane.
#
# Answer with the letter, such as `"a"`.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("3.5", prediction)

# %%
rounds = by_scale(ci=12, cpu=400, gpu=400)
rates = {"generator_lr": 1e-3, "discriminator_lr": 1e-3}
greedy = new_game(ring_data, **rates)
collapse = play(
    greedy,
    rounds,
    generator_steps=10,
    view_at=[rounds * part // 6 for part in range(1, 7)],
    measure_every=rounds // 12,
    label="ten G steps a round",
)
plots.show(plots.games_on_plane(collapse.views, title="Ten steps of G for one of D"))
for after, covered, good, js in zip(
    *(collapse.history[key] for key in ("rounds", "covered", "good_fraction", "js")), strict=True
):
    print(f"after {after:3d} rounds: {covered} of 8 modes covered, {good:6.1%} good samples, JS = {js:.3f}")

# %% [markdown]
# This is **mode collapse**. All samples huddle in one spot. The spot is sometimes a mode; then
# most samples are good, and they are all of one kind. Then the crowd moves on.
#
# Why? While D stands still, look at what is best for the generator: to send *every* sample to the
# one place where $D(x)$ is largest. Nothing in $L_G$ asks for variety; each sample follows its
# own arrow, and all arrows lead to the same spot. D then learns that this spot is full of fakes,
# its largest value moves elsewhere, and the crowd follows. The objective of notebook 01 was
# $\min_G \max_D V$: for each G, D first finds its best answer. Ten steps of G against a D that
# stands still play another game, $\max_D \min_G V$, and in that one a single point is the best
# answer.
#
# The balance of the two is a cause that you can set. Collapse also comes by itself, when D is too
# weak, learns too slowly, or forgets.

# %% [markdown]
# ## Repair one: give D its turn
#
# If that is the reason, then the same, collapsed networks should recover as soon as D keeps up.
# Nothing else is changed; we continue from where we are.

# %%
recovery_rounds = by_scale(ci=12, cpu=2_000, gpu=2_000)
recovery = play(
    greedy,
    recovery_rounds,
    view_at=(recovery_rounds // 40, recovery_rounds // 8, recovery_rounds),
    measure_every=recovery_rounds // 4,
    label="one G step a round",
)
plots.show(plots.games_on_plane(recovery.views, title="The same networks, one step each"))
for after, covered, good, js in zip(
    *(recovery.history[key] for key in ("rounds", "covered", "good_fraction", "js")), strict=True
):
    print(
        f"after {after:5,d} more rounds: {covered} of 8 modes covered, {good:6.1%} good samples, JS = "
        f"{js:.3f}"
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
# ### Exercise 3.6 — Pack two samples (●○○, 5 min)
#
# Turn `(N, dim)` samples into `(N / m, m·dim)`: each row holds `m` different samples, side by
# side, and each sample is used once. $N$ is divisible by $m$.


# %%
def pack(samples: Tensor, packing: int) -> Tensor:
    """Rows of `packing` samples. samples: (N, dim);  returns (N / packing, packing · dim)."""
    ### BEGIN SOLUTION
    return samples.reshape(len(samples) // packing, -1)
    ### END SOLUTION


# %%
check("3.6", pack)

# %% [markdown]
# That is all there is to it; the two steps do not change by a letter:

# %%
show_source(packed_discriminator)

# %% [markdown]
# **Predict.** We leave the fault in: ten steps of G for one of D. Only D now sees two samples at
# once. Will the generator cover more modes?
#
# One run proves little, so we play both games from three seeds. "Covered" is the average over the
# second half of the rounds.

# %%
seeds = by_scale(ci=(0,), cpu=(0, 1, 2), gpu=(0, 1, 2))
for packing in (1, 2):
    for seed in seeds:
        packed = new_game(ring_data, packing=packing, seed=seed, **rates)
        played = play(
            packed,
            rounds,
            generator_steps=10,
            view_at=(rounds,),
            measure_every=rounds // 12,
            label=f"D sees {packing}, seed {seed}",
        )
        late = played.history["covered"][len(played.history["covered"]) // 2 :]
        print(
            f"D sees {packing} at once, seed {seed}: {sum(late) / len(late):.1f} of 8 modes covered, at "
            f"least {min(late)}, at most {max(late)}"
        )
plots.show(plots.games_on_plane(played.views, title="Ten G steps a round, D sees two at once", columns=1))

# %% [markdown]
# The generator is as greedy as before, and yet the samples spread over nearly all modes, from
# each seed. They are not good yet; ten steps against one remain a bad way to play. Packing does
# not cure everything. It cures what it is made for.
#
# The heat map of a packed D shows $D(x, x)$: what it says to two *copies* of a point. Even at the
# modes it lies below ½: twice the same is more likely generated.
#
# Both repairs together, and more of them, return in notebook 07.

# %% [markdown]
# ## The playground
#
# Your turn. Choose the data, or **draw** them: press the mouse button on the left picture and
# move. Run and pause with the first button. "One D step" and "One G step" let you play the game
# by hand: look at the colours after a D step, and at the crosses after a G step. Some things to
# try:
#
# 1. Take ten single G steps in a row, from a fresh game. Then one D step. Where do the arrows
#    point now?
# 2. While it runs, set "G steps per round" to 10, wait for the collapse, then set it back to 1.
# 3. Do the same with "D sees two samples at once".
# 4. Choose the `minimax` loss and start again. Are the first arrows longer or shorter?
# 5. Draw something that no sheet can be folded onto well. What does the generator do?

# %%
from course_utils.widgets.gan_playground import gan_playground

gan_playground()

# %% [markdown]
# ## Misconceptions
#
# **"D is near ½ everywhere, so the generator is perfect."** ½ means that D cannot tell. A D that
# has learnt nothing cannot tell either. Here D learns a thousand times too slowly:

# %%
lazy = new_game(ring_data, discriminator_lr=1e-6)
play(lazy, by_scale(ci=10, cpu=300, gpu=300), label="a lazy D")
view = plots.view_plane(lazy.generator, lazy.discriminator, ring_data)
found = measure(view.generated, ring_data, p_data)
print(
    f"D lies between {view.heat.min():.2f} and {view.heat.max():.2f}, JS = {found.js:.3f}, "
    f"{found.covered} of 8 modes"
)

# %% [markdown]
# **"Most samples are good, so the generator is good."** Look for the moment of the collapse with
# the best samples:

# %%
best = max(range(len(collapse.history["rounds"])), key=lambda index: collapse.history["good_fraction"][index])
print(
    f"after {collapse.history['rounds'][best]} rounds: {collapse.history['good_fraction'][best]:.0%} "
    f"good samples, {collapse.history['covered'][best]} of 8 modes, JS = {collapse.history['js'][best]:.3f}"
)

# %% [markdown]
# **"A collapsed generator is stuck."** It is the opposite: it cannot stay, as long as D keeps
# learning. Where is the middle of all samples, from one moment of the collapse to the next?

# %%
for after, view in collapse.views.items():
    x, y = view.generated.mean(dim=0).tolist()
    print(
        f"{after:17s} the middle of all samples is at ({x:+.1f}, {y:+.1f}), their spread around it is "
        f"{view.generated.std(dim=0).norm():.2f}"
    )

# %% [markdown]
# **"D learns where the data are."** Then its heat map, after training, would be high at the modes
# and low elsewhere. Compare D at the modes of the ring with the bluest places of the plane at the
# end:

# %%
final = [*on_the_ring.views.values()][-1]
line = torch.linspace(-3, 3, len(final.heat))
lattice = torch.cartesian_prod(line, line).flip(1)
far = torch.cdist(lattice, ring_data.modes).min(dim=1).values > 5 * ring_data.std
nearest = torch.cdist(ring_data.modes, lattice).argmin(dim=1)
heat = final.heat.flatten()
print(f"D at the eight modes: {heat[nearest].min():.2f} to {heat[nearest].max():.2f}")
print(f"D more than 5σ away from every mode, where there are no data: up to {heat[far].max():.2f}")

# %% [markdown]
# At the modes D says about ½, since fakes lie there as well. What it says where neither falls,
# nobody has ever corrected.
#
# **"Train longer, and the last samples between the modes will go."** Their fraction falls, and
# more slowly each time. Here is the ring again, with what real samples have:

# %%
for part in (4, 2, 1):
    index = (len(on_the_ring.history["rounds"]) - 1) // part
    after, good = on_the_ring.history["rounds"][index], on_the_ring.history["good_fraction"][index]
    print(f"after {after:5,d} rounds: {1 - good:.1%} of the samples lie on no mode")
print(f"real samples:       {1 - floor[10_000].good_fraction:.1%}")

# %% [markdown]
# A sheet that is stretched thinner and thinner never tears. A generator that could jump would
# need more than one sheet, or a latent that comes in pieces.

# %% [markdown]
# ## Summary
#
# - A GAN is two steps. D's step cuts the graph to the generator (`detach`); G's step must not.
#   Each begins with cleared gradients.
# - All that G learns are arrows: $-\partial\ell/\partial x$ at its samples. They know what D says
#   *now*, nothing else.
# - D's map shows where data are *missing* among the samples, not where data are.
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
#   Networks*, ICLR 2017, arXiv:1611.02163. The ring of eight, collapse, and a generator that
#   looks ahead at D's answers.
# - Akash Srivastava et al., *VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational
#   Learning*, NIPS 2017, arXiv:1705.07761. Modes captured and high-quality samples, as counted
#   here.
# - Zinan Lin, Ashish Khetan, Giulia Fanti, Sewoong Oh, *PacGAN: The power of two samples in
#   generative adversarial networks*, NeurIPS 2018, arXiv:1712.04086.
# - Martin Heusel et al., *GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
#   Equilibrium*, NIPS 2017, arXiv:1706.08500.
# - Minsuk Kahng et al., *GAN Lab: Understanding Complex Deep Generative Models using Interactive
#   Visual Experimentation*, IEEE TVCG 2019, arXiv:1809.01587. A playground in the browser, after
#   whose example ours was made.
