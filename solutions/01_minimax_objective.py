# %% [markdown]
# # The minimax objective
#
# You take the one formula at the heart of every GAN apart, solve it by hand and by computer, and
# see where the generator's gradient goes missing.
#
# | | |
# | --- | --- |
# | Reading time | 50 min, and 50 min for the exercises |
# | Running time | about 15 s on two CPU cores; a GPU is not needed |
# | You need | probabilities and averages, the derivative of a logarithm, PyTorch tensors and autograd |
# | You will be able to | say what the minimax objective measures, derive the best discriminator, say what it leaves for the generator to minimise, explain why GANs use the non-saturating loss, and recognise three mistakes that are in print |

# %%
import math

import torch

from course_utils import plots, theory
from course_utils.checks import check
from course_utils.data import gaussian, gaussian_mixture
from course_utils.losses import get_loss, minimax_discriminator
from course_utils.models import mlp_discriminator, mlp_generator
from course_utils.notebook import show_source
from course_utils.runtime import by_scale

torch.set_num_threads(1)  # for networks as small as these, a second core only gets in the way

# %% [markdown]
# ## Two players, one number
#
# *What do the two networks of a GAN play for?*
#
# A **generator** $G$ makes samples. A **discriminator** $D$ looks at a sample $x$ and says how
# probable it is that $x$ is **real**, that is, that it comes from the data and not from the
# generator. $D(x) = 1$ means "surely real", $D(x) = 0$ means "surely generated", and
# $D(x) = \tfrac12$ means "I cannot tell".
#
# Both play for one number, the **value** (Goodfellow et al. 2014):
#
# $$V(D, G) = \mathbb{E}_{x \sim p_\text{data}}\big[\log D(x)\big] + \mathbb{E}_{x \sim p_g}\big[\log(1 - D(x))\big]$$
#
# - $p_\text{data}$ is the distribution of the data. $p_g$ is the distribution of what the
#   generator makes.
# - $\mathbb{E}_{x \sim p}[\dots]$ is an average: draw many $x$ from $p$, work out the bracket for
#   each, take the mean.
# - Logarithms are natural ones, and what they give is counted in **nats**: $\log 2 \approx 0.693$
#   nats are one bit. Both are of probabilities, so both terms are at most 0.
#
# The discriminator wants $V$ large. On real samples it should say a large number, on generated
# ones a small number. The generator wants $V$ small. Hence **minimax**: $\min_G \max_D V(D, G)$.
#
# In most texts the second term reads $\mathbb{E}_{z \sim p_z}[\log(1 - D(G(z)))]$. It is the same
# average: draw noise $z$ from a distribution $p_z$ that you choose once and for all, a normal one
# say, and let the generator turn it into a sample $x = G(z)$. Then $x$ has the distribution
# $p_g$; that is what $p_g$ means.

# %% [markdown]
# ## The value on a die
#
# We begin where everything can be counted. The "data" are the rolls of a loaded die, which shows
# a six half of the time. The "generator" is a fair die. A discriminator is then a list of six
# numbers, one for each face.

# %%
p_data = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)  # loaded
p_model = torch.full((6,), 1 / 6, dtype=torch.float64)  # fair

# %% [markdown]
# For a die, an average is a sum over the faces:
# $\mathbb{E}_{x \sim p}[f(x)] = \sum_x p(x)\, f(x)$.
#
# ### Exercise 1.1 — The value on a die (●○○, 8 min)
#
# Write $V$ for two dice. `discriminator`, `p_data` and `p_model` are tensors of shape `(6,)`;
# return a scalar tensor. For the discriminator that always says ½, you should get
# $-\log 4 \approx -1.386$.


# %%
def value_on_a_die(discriminator: torch.Tensor, p_data: torch.Tensor, p_model: torch.Tensor) -> torch.Tensor:
    """V = E[log D(x)] over p_data plus E[log(1 − D(x))] over p_model. Three times (6,) in, () out."""
    ### BEGIN SOLUTION
    on_data = (p_data * discriminator.log()).sum()
    on_model = (p_model * (1 - discriminator).log()).sum()
    return on_data + on_model
    ### END SOLUTION


# %%
value_of = check("1.1", value_on_a_die, otherwise=theory.value)

# %% [markdown]
# Here are four discriminators. **Before you run the cell:** which of them gets the highest value?
# Which gets the lowest?

# %%
players = {
    "cannot tell": [0.5, 0.5, 0.5, 0.5, 0.5, 0.5],
    "suspects sixes a little": [0.4, 0.4, 0.4, 0.4, 0.4, 0.6],
    "suspects sixes a lot": [0.1, 0.1, 0.1, 0.1, 0.1, 0.9],
    "is certain about sixes": [0.4, 0.4, 0.4, 0.4, 0.4, 1.0],
}
for name, probabilities in players.items():
    value = value_of(torch.tensor(probabilities, dtype=torch.float64), p_data, p_model)
    print(f"{name:24} V = {value:7.4f}")

# %% [markdown]
# A six is a hint that the loaded die was rolled, and a discriminator that uses the hint a little
# does better than one that cannot tell. Too much trust in it is worse than none. And to be
# *certain* costs everything: the fair die rolls sixes too, and then $\log(1 - 1) = -\infty$.
#
# In a GAN nobody knows the probabilities. All there is are samples, and the averages are
# estimated from them. That works, and the error shrinks as one over the root of the number of
# rolls:

# %%
rng = torch.Generator().manual_seed(0)
discriminator = torch.tensor(players["suspects sixes a little"], dtype=torch.float64)
exact = value_of(discriminator, p_data, p_model)
for rolls in (100, 10_000, 1_000_000):
    real = torch.multinomial(p_data, rolls, replacement=True, generator=rng)
    fake = torch.multinomial(p_model, rolls, replacement=True, generator=rng)
    estimate = discriminator[real].log().mean() + (1 - discriminator[fake]).log().mean()
    print(f"{rolls:9,} rolls of each die: V ≈ {estimate:.4f}   (exactly: {exact:.4f})")

# %% [markdown]
# ## The best discriminator
#
# *The generator stands still. What is the best that the discriminator can say?*
#
# $V$ is a sum over the faces, and $D$ may choose its number for each face freely. So each face
# can be settled on its own. Write $a$ for the data's probability of that face, $b$ for the
# generator's, and $y$ for what $D$ says. The face contributes
#
# $$f(y) = a \log y + b \log(1 - y).$$
#
# **Before you look:** where is the highest point of $f$ for $a = b$? And where does it move when
# $a$ grows?

# %%
y = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
pairs = {"a = 0.5, b = 0.17": (0.5, 1 / 6), "a = 0.3, b = 0.3": (0.3, 0.3), "a = 0.1, b = 0.5": (0.1, 0.5)}
contributions = {name: a * y.log() + b * (1 - y).log() for name, (a, b) in pairs.items()}
tops = {f"highest at {y[f.argmax()]:.2f}": (y[f.argmax()], f.max()) for f in contributions.values()}
plots.show(
    plots.lines(
        y,
        contributions,
        points=tops,
        y_limits=(-1.5, 0),
        x_label="y, what D says about this face",
        y_label="contribution to V",
        title="Each face has one best answer",
        alt="Three curves of a·log y + b·log(1 − y) between 0 and 1, each with a single highest "
        "point: at 0.75 for a = 0.5, b = 0.17, at 0.50 for a = b, at 0.17 for a = 0.1, b = "
        "0.5. All fall steeply towards both ends.",
    )
)

# %% [markdown]
# Each curve has a single top, and falls to $-\infty$ at both ends. At the top the slope is zero:
#
# $$f'(y) = \frac{a}{y} - \frac{b}{1 - y} = 0 .$$
#
# It is a top and nothing else, because $f''(y) = -\frac{a}{y^2} - \frac{b}{(1-y)^2}$ is negative
# everywhere. Solve for $y$, and put $p_\text{data}(x)$ and $p_g(x)$ back in the place of $a$ and
# $b$: this gives the **optimal discriminator** $D^*(x)$.
#
# ### Exercise 1.2 — The best discriminator (●○○, 5 min)
#
# Solve $f'(y) = 0$ with pencil and paper, then write $D^*$. It must work for any shape, and for
# densities too, whose values may exceed 1. For the six you should get 0.75, for each other face
# 0.375.


# %%
def best_discriminator(p_data: torch.Tensor, p_model: torch.Tensor) -> torch.Tensor:
    """The discriminator with the highest V. Same shape in and out, values in [0, 1]."""
    ### BEGIN SOLUTION
    return p_data / (p_data + p_model)
    ### END SOLUTION


# %%
optimal_discriminator = check("1.2", best_discriminator, otherwise=theory.optimal_discriminator)

# %% [markdown]
# A derivation can go wrong. So we look for the best answer once more, without any calculus: for
# each face, try 999 values of $y$ and keep the best one.

# %%
contribution = p_data[:, None] * y.log() + p_model[:, None] * (1 - y).log()  # (6 faces, 999 values of y)
found = y[contribution.argmax(dim=1)]
print("formula:", optimal_discriminator(p_data, p_model).numpy().round(3))
print("search: ", found.numpy().round(3))
assert torch.allclose(found, optimal_discriminator(p_data, p_model), atol=0.001)  # the spacing of the values

# %% [markdown]
# Note what $D^*$ is **not**. It is not 1 for a six. It is the *fraction* of real ones among all
# sixes: if both dice are rolled equally often, then of four sixes, three come from the loaded
# die.

# %% [markdown]
# ## From dice to densities
#
# *Real data are not dice. What changes?*
#
# Very little: $x$ becomes a real number, $p(x)$ a **density**, and the sum over faces an
# integral. $V$ is still an average over places $x$, the best answer can still be found for each
# place on its own, and the formula for $D^*$ stays as it is. This is proposition 1 of Goodfellow
# et al. (2014).
#
# An integral is a sum again once $x$ runs over a fine grid and each point carries a **weight**,
# the width of its piece of the axis. Such a grid with its weights is called a **quadrature**. So
# one set of functions serves dice (weight 1) and densities. This is what the course uses from now
# on:

# %%
show_source(theory.optimal_discriminator, theory.value)

# %% [markdown]
# Our data now have two hills, and the generator makes one broad one.

# %%
x, weights = theory.quadrature(-10, 10, points=2001)
data = gaussian_mixture(means=[-2.0, 1.5], stds=[0.6, 0.9], weights=[0.4, 0.6])
model = gaussian(mean=0.5, std=1.4)
p_data = data.log_prob(x[:, None]).exp()
p_model = model.log_prob(x[:, None]).exp()

best = theory.optimal_discriminator(p_data, p_model)
shown = x.abs() < 5
plots.show(
    plots.density_and_discriminator(
        x[shown], p_data[shown], p_model[shown], best[shown], title="Where the curves cross, D* is ½"
    )
)

# %% [markdown]
# Follow the lower curve from left to right, and compare it with the upper ones. On the left hill
# the data's density is the higher one, and $D^*$ is near 1. In the valley the generator makes
# samples that the data do not have: $D^*$ falls. Where the densities cross, $D^* = \tfrac12$.
#
# Far to the left and far to the right, $D^*$ falls once more. Both densities are tiny there; but
# what counts is their *ratio*, and the generator's hill is the broader one.
#
# ### Found again, by search
#
# The same search as on the die, at each of the 2001 points of the axis:

# %%
candidates = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
contribution = p_data[:, None] * candidates.log() + p_model[:, None] * (1 - candidates).log()
found = candidates[contribution.argmax(dim=1)]
inside = (best > 0.001) & (best < 0.999)  # the search cannot answer beyond its ends
print(f"largest difference from the formula: {(found - best)[inside].abs().max():.5f}")
assert (found - best)[inside].abs().max() < 0.001

# %% [markdown]
# ### Found again, by a network that sees samples only
#
# Now the way of a GAN. A small network gets samples of both kinds, and climbs $V$ by gradient
# steps. It is never told a density.
#
# Networks in this course return a **logit** $t$, any real number, and $D(x) = \sigma(t)$ with the
# sigmoid $\sigma(t) = 1 / (1 + e^{-t})$. There is a reason to write losses with logits:
# $\log \sigma(t)$ can be worked out safely for every $t$, while $\sigma(t)$ rounds to exactly 0
# or 1 for large ones, and then comes $\log 0$.
#
# ### Exercise 1.3 — The discriminator's loss, from logits (●●○, 12 min)
#
# An optimiser minimises, so the discriminator's loss is $-V$. Write it from the logits of a batch
# of real samples and of a batch of generated ones; means take the place of expectations. It must
# stay finite for logits of ±300. For logits that are all 0 you should get $\log 4 \approx 1.386$.


# %%
def discriminator_loss(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> torch.Tensor:
    """−V, estimated from the logits of real samples (N,) and of generated ones (M,). Returns a scalar."""
    ### BEGIN SOLUTION
    # −log σ(t) = log(1 + e⁻ᵗ) = softplus(−t), and −log(1 − σ(t)) = softplus(t)
    softplus = torch.nn.functional.softplus
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()
    ### END SOLUTION


# %%
loss_of_d = check("1.3", discriminator_loss, otherwise=minimax_discriminator)

# %%
steps = by_scale(ci=50, cpu=1_000, gpu=1_000)

torch.manual_seed(0)
rng = torch.Generator().manual_seed(0)
network = mlp_discriminator(sample_shape=(1,), hidden=(64, 64))
optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
# the steps shrink to nothing: at the end only the average over many batches counts
schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
for _ in range(steps):
    real, fake = data.sample(256, rng), model.sample(256, rng)
    loss = loss_of_d(network(real), network(fake))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()

# %%
with torch.no_grad():
    learned = network(x.float()[:, None]).sigmoid().double()
plots.show(
    plots.density_and_discriminator(
        x[shown],
        p_data[shown],
        p_model[shown],
        {"network": learned[shown], "$D^*(x)$": best[shown]},
        title="A network finds D* from samples",
        alt="Above, the data's density with two hills and the generator's with one. Below, the "
        "network's D(x) lies on the optimal discriminator wherever there are samples, and "
        "leaves it at the far left.",
    )
)
print(f"V of the network  {theory.value(learned, p_data, p_model, weights):.4f}")
print(f"V of D*           {theory.value(best, p_data, p_model, weights):.4f}")

# %% [markdown]
# The network lies on $D^*$ wherever samples fall, and its $V$ is only a little lower. It cannot
# be higher: nothing is above $D^*$. On the far left it goes astray. It has seen hardly any
# samples there, so nobody corrected it. Keep that in mind for later: **a discriminator knows what
# it was shown.**
#
# ### Move the densities
#
# Now play. Drag the sliders, or click one and use the arrow keys. (You will meet the numbers JS
# and Wasserstein below.)
#
# 1. Put the generator's mean on the data's. What becomes of $D^*$ and $V$?
# 2. Leave the means together, and make the generator's spread 2. Why does $D^*$ cross ½ twice?
# 3. Both spreads 1; data's mean 0, two hills 6 apart; generator's mean 3. The right hill is
#    imitated perfectly. Why is $D^*$ not ½ there?

# %%
from course_utils.widgets.discriminator_explorer import discriminator_explorer

discriminator_explorer()

# %% [markdown]
# What you can see: (1) $D^*$ is flat at ½, and $V$ is $-1.3863 = -\log 4$. (2) The broad density
# is the higher one on *both* sides. (3) The generator puts all of its samples on a hill where the
# data have only half of theirs: twice the density, so $D^* = \frac{1/2}{1/2 + 1} = \tfrac13$.
# This is how a discriminator notices a **dropped mode**.

# %% [markdown]
# ## What is left for the generator
#
# *The discriminator always answers with $D^*$. What is the generator then minimising?*
#
# Put $D^*$ into $V$ and write $m = \tfrac12 (p_\text{data} + p_g)$ for the half-way distribution,
# so that $D^* = \frac{p_\text{data}}{2m}$ and $1 - D^* = \frac{p_g}{2m}$:
#
# $$V(D^*, G) = \mathbb{E}_{p_\text{data}}\Big[\log \frac{p_\text{data}}{2m}\Big] + \mathbb{E}_{p_g}\Big[\log \frac{p_g}{2m}\Big] = \mathbb{E}_{p_\text{data}}\Big[\log \frac{p_\text{data}}{m}\Big] + \mathbb{E}_{p_g}\Big[\log \frac{p_g}{m}\Big] - 2 \log 2 .$$
#
# Averages of a log ratio have a name, the **Kullback–Leibler divergence**
# $\mathrm{KL}(p \,\Vert\, q) = \mathbb{E}_{x \sim p}\big[\log \frac{p(x)}{q(x)}\big]$. It is 0 if
# $p = q$ and positive otherwise. The mean of the two that stand here is the **Jensen–Shannon
# divergence**
#
# $$\mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \,\Vert\, m) + \tfrac12 \mathrm{KL}(q \,\Vert\, m), \qquad m = \tfrac12 (p + q),$$
#
# and so
#
# $$V(D^*, G) = 2 \cdot \mathrm{JS}(p_\text{data}, p_g) - \log 4 .$$
#
# ### Exercise 1.4 — Jensen–Shannon (●●○, 8 min)
#
# Write JS with the help of `theory.kl(p, q, weights)`. The two dice from above give 0.0647; two
# dice without a common face give $\log 2 \approx 0.693$.


# %%
def jensen_shannon(p: torch.Tensor, q: torch.Tensor, weights: torch.Tensor | float = 1.0) -> torch.Tensor:
    """JS(p, q), in nats. p and q of the same shape; weights of a quadrature, or 1 for dice."""
    ### BEGIN SOLUTION
    middle = (p + q) / 2
    return 0.5 * theory.kl(p, middle, weights) + 0.5 * theory.kl(q, middle, weights)
    ### END SOLUTION


# %%
js = check("1.4", jensen_shannon, otherwise=theory.js)

# %% [markdown]
# Does the equation hold? Let the machine compare its two sides for several generators:

# %%
print("generator            V(D*, G)     2·JS − log 4   difference")
for mean, std in [(0.5, 1.4), (-2.0, 0.6), (3.0, 0.5), (0.0, 3.0), (-6.0, 0.5)]:
    x_wide, weights_wide = theory.quadrature(-25, 25, points=5001)
    p = data.log_prob(x_wide[:, None]).exp()
    q = gaussian(mean, std).log_prob(x_wide[:, None]).exp()
    left = theory.value(theory.optimal_discriminator(p, q), p, q, weights_wide)
    right = 2 * js(p, q, weights_wide) - math.log(4)
    print(f"N({mean:4.1f}, {std:.1f}²)      {left:11.8f}    {right:11.8f}   {abs(left - right):.0e}")
    assert abs(left - right) < 1e-6

# %% [markdown]
# They agree far beyond six digits. So against a perfect discriminator, **the generator minimises
# the Jensen–Shannon divergence** between the data and what it makes.
#
# ### The equilibrium
#
# JS is never negative, and 0 only where $p_g = p_\text{data}$. So the generator's best reply is
# to copy the data's distribution. Then $D^* = \frac{p}{p + p} = \tfrac12$ everywhere, and
# $V = -\log 4$. Slide a generator over data of its own shape:

# %%
shifts = torch.linspace(-9, 9, 181, dtype=torch.float64)
standard = gaussian(0.0, 1.0).log_prob(x_wide[:, None]).exp()
values = []
for shift in shifts:
    q = gaussian(shift.item(), 1.0).log_prob(x_wide[:, None]).exp()
    values.append(theory.value(theory.optimal_discriminator(standard, q), standard, q, weights_wide))
plots.show(
    plots.lines(
        shifts,
        {"V(D*, G)": torch.stack(values)},
        levels={"−log 4": -math.log(4)},
        x_label="mean of the generator (the data's mean is 0)",
        y_label="V(D*, G)",
        title="The generator's valley: lowest where it copies the data",
        alt="V(D*, G) against the generator's mean: a valley that touches −log 4 at mean 0, "
        "rises to both sides, and is flat at 0 beyond a distance of about 6.",
    )
)

at_equilibrium = theory.optimal_discriminator(standard, standard)
print(
    f"lowest V: {min(values):.6f}, at a mean of {shifts[torch.stack(values).argmin()].abs():.1f};",
    f"−log 4 = {-math.log(4):.6f}",
)
print(f"D* at the equilibrium lies between {at_equilibrium.min():.6f} and {at_equilibrium.max():.6f}")
assert abs(min(values) + math.log(4)) < 1e-6 and (at_equilibrium - 0.5).abs().max() < 1e-6

# %% [markdown]
# There is one lowest point, and it is where it should be. But look at the sides. From a distance
# of about 6 on, the valley is a **plateau**. A generator that starts there has no slope to walk
# down. The next section asks whether another measure of distance would help it.

# %% [markdown]
# ## How far apart? Four measures
#
# *KL, reverse KL, JS, Wasserstein: what does each say about two distributions that move apart?*
#
# - $\mathrm{KL}(p_\text{data} \,\Vert\, p_g)$, the **forward** KL: what maximum likelihood
#   minimises. It is infinite if the generator never goes somewhere where there are data.
# - $\mathrm{KL}(p_g \,\Vert\, p_\text{data})$, the **reverse** KL: infinite if the generator goes
#   where no data are.
# - JS: finite always, at most $\log 2$.
# - **Wasserstein** distance $W_1$: think of $p_g$ as a heap of sand that has to be carried to
#   where the data lie. $W_1$ is the least work, mass times distance. In one dimension it is the
#   area between the two cumulative distributions.
#
# ### Exercise 1.5 — Predict: who still has a slope? (●○○, 3 min)
#
# JS has a plateau, as you have just seen. And the others? The data are $\mathcal{N}(0, 1)$, the
# generator is $\mathcal{N}(s, 0.6^2)$, and it moves from $s = 4$ to $s = 8$: twice as far away.
# Which measure's **slope** in $s$ is the same as before, and not 0?
#
# - (a) forward KL
# - (b) reverse KL
# - (c) Wasserstein
# - (d) none of them: like JS, they all flatten
#
# Choose now, before the next cells run.

# %%
### BEGIN SOLUTION
same_slope = "c"
### END SOLUTION

# %%
check("1.5", same_slope)

# %%
x_shift, weights_shift = theory.quadrature(-8, 18, points=2601)
standard = gaussian(0.0, 1.0).log_prob(x_shift[:, None]).exp()
measures = {
    "forward KL": lambda q: theory.kl(standard, q, weights_shift),
    "reverse KL": lambda q: theory.kl(q, standard, weights_shift),
    "JS": lambda q: theory.js(standard, q, weights_shift),
    "Wasserstein": lambda q: theory.wasserstein_1d(x_shift, standard, q, weights_shift),
}
shifts = torch.linspace(0.1, 10, 100, dtype=torch.float64)
distances = {name: [] for name in measures}
slopes = {name: [] for name in measures}
for shift in shifts:
    s = shift.clone().requires_grad_()
    q = torch.exp(-0.5 * ((x_shift - s) / 0.6) ** 2) / (0.6 * math.sqrt(2 * math.pi))
    for name, measure in measures.items():
        distance = measure(q)
        (slope,) = torch.autograd.grad(distance, s, retain_graph=True)  # how it changes as s moves
        distances[name].append(distance.item())
        slopes[name].append(slope.item())

plots.show(
    plots.lines(
        shifts,
        {name: torch.tensor(values) for name, values in distances.items()},
        levels={"log 2": math.log(2)},
        y_limits=(0, 6),
        x_label="shift s",
        y_label="distance",
        title="Two Gaussians move apart",
        alt="Four curves against the shift s from 0 to 10. Forward and reverse KL grow like "
        "parabolas and leave the picture. Wasserstein is a straight line. JS rises to log 2 "
        "at about s = 5 and stays there.",
    )
)
plots.show(
    plots.lines(
        shifts,
        {name: torch.tensor(values) for name, values in slopes.items()},
        log=True,
        y_limits=(1e-9, 1e3),
        x_label="shift s",
        y_label="slope: change per unit of s",
        title="Their slopes, on a logarithmic scale",
        alt="Slopes of the four measures, logarithmic. Those of the two KLs grow steadily, that "
        "of Wasserstein is 1 from a shift of about 2 on, that of JS falls ever faster, "
        "below a millionth before s = 10.",
    )
)
for name in measures:
    print(f"slope of {name:12}  at s = 4: {slopes[name][39]:<8.2g}  at s = 8: {slopes[name][79]:.2g}")

# %% [markdown]
# From $s = 4$ to $s = 8$ the slopes of the two KLs double, that of Wasserstein stays 1, and JS
# has run out of slope. JS is a good measure for distributions that overlap, and it has only one
# thing to say about those that do not: "different". The KLs pull harder the further away the
# generator is. Wasserstein says how far, and its slope is 1 as soon as the two hills are apart.
#
# ### When supports do not meet
#
# Two Gaussians always overlap a little. The **support** of a distribution is where it has any
# probability at all. Here are two bars of ten outcomes each, one tenth of a unit apart; the
# second is moved to the right until they share nothing.

# %%
positions = torch.arange(60, dtype=torch.float64) / 10


def bar(start: int) -> torch.Tensor:
    """Ten neighbouring outcomes with probability 0.1 each, the first at positions[start]."""
    p = torch.zeros(60, dtype=torch.float64)
    p[start : start + 10] = 0.1
    return p


print("shift   KL     JS       Wasserstein")
for start in (0, 2, 5, 9, 10, 20, 40):
    p, q = bar(0), bar(start)
    wasserstein = theory.wasserstein_1d(positions, p, q)
    print(f"{start / 10:.1f}     {theory.kl(p, q):3.0f}    {theory.js(p, q):.4f}   {wasserstein:.4f}")

# %% [markdown]
# KL is infinite as soon as one outcome is missing. JS is log 2 from the moment on at which
# nothing is shared, however far apart the bars are. Wasserstein is the shift.
#
# Does that matter for images? Photographs are thin sheets in a space of thousands of dimensions:
# almost every point of it is noise. At the start of training a generator's images form another
# thin sheet, and two thin sheets need not meet anywhere. Then there is a discriminator that tells
# them apart without error, $V(D^*, G) = 0$, and the slope is zero (Arjovsky and Bottou 2017). The
# Wasserstein GAN draws the obvious conclusion (Arjovsky, Chintala and Bottou 2017); notebook 08
# builds it.
#
# ### What does a generator do that cannot be perfect?
#
# The four measures agree on what is best, $p_g = p_\text{data}$. They disagree on what is
# *second* best. The data have two hills; the generator can only make one. We try 41 means and 30
# spreads, and ask each measure for its favourite: once for hills that are close, once for hills
# that are far apart.

# %%
x_hills, weights_hills = theory.quadrature(-14, 14, points=1001)
one_hills = {
    (mean, std): gaussian(mean, std).log_prob(x_hills[:, None]).exp()
    for mean in torch.linspace(-4, 4, 41).tolist()
    for std in torch.linspace(0.3, 3.2, 30).tolist()
}
favourites = {}
print("hills   measure        its favourite")
for distance in (4, 6):
    two_hills = gaussian_mixture([-distance / 2, distance / 2], 0.6).log_prob(x_hills[:, None]).exp()
    measures = {
        "forward KL": {hill: theory.kl(two_hills, q, weights_hills) for hill, q in one_hills.items()},
        "reverse KL": {hill: theory.kl(q, two_hills, weights_hills) for hill, q in one_hills.items()},
        "JS": {hill: theory.js(two_hills, q, weights_hills) for hill, q in one_hills.items()},
        "Wasserstein": {
            hill: theory.wasserstein_1d(x_hills, two_hills, q, weights_hills) for hill, q in one_hills.items()
        },
    }
    for measure, distances_to in measures.items():
        mean, std = min(distances_to, key=distances_to.get)
        print(f"±{distance / 2:.0f}      {measure:12}   mean {round(mean, 1) + 0:4.1f}, spread {std:.1f}")
        favourites[measure] = one_hills[mean, std]  # the far hills overwrite the close ones

shown = x_hills.abs() < 7
plots.show(
    plots.lines(
        x_hills[shown],
        {"data": two_hills[shown], **{name: q[shown] for name, q in favourites.items()}},
        x_label="x",
        y_label="density",
        title="The best single hill, by four measures",
        alt="The data's two hills at −3 and 3, and four single hills. Forward KL and "
        "Wasserstein: broad ones over both. Reverse KL and JS: narrow ones on the left "
        "hill, which ignore the other.",
    )
)

# %% [markdown]
# The forward KL **covers**: to miss any data is what it punishes, so it spreads over both hills
# and the empty valley between them. The reverse KL **seeks a mode**: to make what is not in the
# data is what it punishes, so it sits on one hill and forgets the other. JS, the objective of the
# GAN, stands between the two: for the close hills it covers, for the far ones it takes one and
# drops the other.
#
# It is tempting to read mode collapse off this picture. Be careful: a real generator is not
# limited to one hill, and a real discriminator is not $D^*$. Goodfellow (2016, section 3.2.5)
# argues that the choice of divergence is not what makes GANs drop modes; notebook 07 looks into
# it with runs.

# %% [markdown]
# ## The generator's gradient
#
# *Which slope does the generator really get?*
#
# In training the discriminator is a network with a logit $t$ for each generated sample,
# $D = \sigma(t)$. The generator has two losses to choose from, and both fall as $D$ rises:
#
# - **saturating** (minimax): $\log(1 - D) = \log(1 - \sigma(t))$, the generator's part of $V$;
# - **non-saturating**: $-\log D = -\log \sigma(t)$, which Goodfellow et al. (2014, section 3)
#   recommend in its place.
#
# **Predict:** early in training the discriminator has it easy, and $D$ is near 0 on generated
# samples. Which of the two losses is steeper there, as a function of $t$?
#
# ### Exercise 1.6 — Two slopes (●●○, 10 min)
#
# Derive both losses by the logit $t$, with pencil and paper. Write the two derivatives in closed
# form, and return them as a pair; the cell after the check compares them with autograd's. At
# $t = 0$, where $D = \tfrac12$, both should be $-0.5$.


# %%
def generator_slopes(logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """d/dt log(1 − σ(t)) and d/dt (−log σ(t)). Shape (N,) in, two of (N,) out."""
    ### BEGIN SOLUTION
    d = logits.sigmoid()
    saturating = -d  # log(1 − σ(t)) = −softplus(t), and softplus' = σ
    non_saturating = -(1 - d)  # −log σ(t) = softplus(−t), and 1 − σ(t) = σ(−t)
    return saturating, non_saturating
    ### END SOLUTION


# %%
slopes_of = check("1.6", generator_slopes, otherwise=theory.generator_slopes)

# %%
logits = torch.linspace(-8, 8, 161, dtype=torch.float64)
measured = {}
for name in ("minimax", "non_saturating"):
    t = logits.clone().requires_grad_()
    loss = get_loss(name).generator(t) * len(t)  # the loss is a mean; the sum gives each logit its own slope
    (measured[name],) = torch.autograd.grad(loss, t)

formula = dict(zip(measured, slopes_of(logits), strict=True))
for name in measured:
    print(
        f"{name:15} largest difference of formula and autograd:",
        f"{(measured[name] - formula[name]).abs().max():.0e}",
    )
    assert torch.allclose(measured[name], formula[name], atol=1e-6)

plots.show(
    plots.lines(
        logits,
        {
            "saturating: D": measured["minimax"].abs(),
            "non-saturating: 1 − D": measured["non_saturating"].abs(),
        },
        x_label="logit t of a generated sample   (left: D is sure that it is generated)",
        y_label="size of the slope",
        title="How hard each loss pushes the logit up",
        alt="Size of the slope against the logit. The saturating loss goes from 0 on the left "
        "to 1 on the right; the non-saturating one from 1 on the left to 0 on the right. "
        "They cross at ½ where the logit is 0.",
    )
)

# %% [markdown]
# The answer to the prediction: near $D = 0$ the saturating loss is flat and the non-saturating
# one is steep. The two always add up to 1. **The saturating loss learns from samples that already
# pass; the non-saturating loss learns from those that fail.** A beginner has only the second
# kind.
#
# ### From the logit to the generator
#
# Now with a whole generator, the simplest there is: $G(z) = z + \theta$ with
# $z \sim \mathcal{N}(0, 1)$, so that $p_g = \mathcal{N}(\theta, 1)$. It has a single parameter.
# The data are $\mathcal{N}(0, 1)$, and the discriminator is the perfect one for the present
# $\theta$. Its logit is the log ratio of the densities,
#
# $$t(x) = \log \frac{D^*(x)}{1 - D^*(x)} = \log \frac{p_\text{data}(x)}{p_g(x)} = \tfrac12 \theta^2 - \theta x .$$
#
# By the chain rule, the slope of the loss in $\theta$ is the average of (slope in the logit) ·
# $t'(x)$, and $t'(x) = -\theta$:
#
# $$\text{saturating: } \theta \cdot \mathbb{E}_{x \sim p_g}[D^*(x)], \qquad \text{non-saturating: } \theta \cdot \mathbb{E}_{x \sim p_g}[1 - D^*(x)].$$
#
# We measure both with autograd, from samples, as a training loop does, and lay the formula under
# them.


# %%
def measured_slope(loss_name: str, theta: float) -> float:
    """∂ loss / ∂θ by autograd, from 200,000 generated samples, with D* held still."""
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parameter = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    x = z + parameter  # G(z)
    logits = (
        theta**2 / 2 - theta * x
    )  # D* belongs to the generator as it is now: `theta` is a number, no gradient
    (slope,) = torch.autograd.grad(get_loss(loss_name).generator(logits), parameter)
    return slope.item()


thetas = torch.linspace(0.25, 6, 24, dtype=torch.float64)
by_formula = {"saturating, formula": [], "non-saturating, formula": []}
for theta in thetas:
    p, q = (gaussian(mean, 1.0).log_prob(x_wide[:, None]).exp() for mean in (0.0, theta.item()))
    average = (weights_wide * q * theory.optimal_discriminator(p, q)).sum()  # the average of D* over p_g
    by_formula["saturating, formula"].append(theta * average)
    by_formula["non-saturating, formula"].append(theta * (1 - average))
by_formula = {name: torch.stack(values) for name, values in by_formula.items()}

some = thetas[3::4]
plots.show(
    plots.lines(
        thetas,
        by_formula,
        points={
            "saturating, autograd": (some, [measured_slope("minimax", t) for t in some.tolist()]),
            "non-saturating, autograd": (some, [measured_slope("non_saturating", t) for t in some.tolist()]),
        },
        log=True,
        x_label="θ: how far the generator is from the data",
        y_label="slope that pulls θ back",
        title="Far away, one loss falls silent and the other pulls harder",
        alt="Slope in θ, logarithmic, against the distance θ from 0.25 to 6. The non-saturating "
        "slope grows with the distance, about in proportion. The saturating one rises to "
        "about 0.5 near θ = 1.5 and then falls to about a hundredth at θ = 6. The dots that "
        "autograd measured lie on both curves.",
    )
)
for theta in (1.0, 3.0, 6.0):
    saturating, non_saturating = measured_slope("minimax", theta), measured_slope("non_saturating", theta)
    print(
        f"θ = {theta:.0f}:  saturating {saturating:.4f}   non-saturating {non_saturating:.4f}",
        f"  ratio {non_saturating / saturating:4.0f}",
    )

# %% [markdown]
# Autograd's dots come from samples, the curves from an integral; they agree up to the noise of
# the samples. The further away the generator is, the more it would have to move. The saturating
# loss then says nothing, for two reasons that are one and the same: JS has reached its plateau,
# and $D$ is near 0 on every sample. The non-saturating loss pulls in proportion to the distance.
#
# But then the non-saturating loss cannot be minimising JS. What does it minimise? Arjovsky and
# Bottou (2017, theorem 2.5) give the answer: with $D^*$ held still, its gradient is that of
# $\mathrm{KL}(p_g \,\Vert\, p_\text{data}) - 2\,\mathrm{JS}$. And the saturating loss has the
# slope of $2\,\mathrm{JS}$, as the last section demands. Is it true? The left-hand sides are the
# averages from above, the right-hand sides are derived by autograd from the divergences
# themselves:

# %%
print("   θ    saturating   d(2·JS)/dθ     non-saturating   d(KL(p_g‖p_data) − 2·JS)/dθ")
p = gaussian(0.0, 1.0).log_prob(x_wide[:, None]).exp()
for index in (3, 11, 23):
    mean = thetas[index].clone().requires_grad_()
    q = torch.exp(-0.5 * (x_wide - mean) ** 2) / math.sqrt(2 * math.pi)
    (slope_js,) = torch.autograd.grad(2 * theory.js(p, q, weights_wide), mean, retain_graph=True)
    (slope_kl,) = torch.autograd.grad(theory.kl(q, p, weights_wide), mean)
    saturating = by_formula["saturating, formula"][index]
    non_saturating = by_formula["non-saturating, formula"][index]
    print(
        f"{mean:.2f}     {saturating:.6f}     {slope_js:.6f}    ",
        f"     {non_saturating:.6f}         {slope_kl - slope_js:.6f}",
    )
    assert abs(saturating - slope_js) < 1e-6 and abs(non_saturating - (slope_kl - slope_js)) < 1e-6

# %% [markdown]
# True, to all digits shown. A word of warning comes with it: these are statements about a
# *perfect* discriminator. In training it is a network that lags behind, and GANs learn in
# situations where the divergences say that they cannot (Fedus et al. 2018). The divergences tell
# you where the game's equilibrium is. How the two players move, whether they get there at all, is
# the subject of notebook 02.

# %% [markdown]
# ## Misconceptions
#
# Each of these stands in published tutorials. Each is refuted by a run.
#
# ### "The discriminator computes $D(x) = p_\text{data}(x) / p_g(x)$"
#
# That is the **density ratio**. It has no upper limit, and $D$ is a probability. On the two dice
# it is even wrong where it looks harmless:

# %%
loaded = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
fair = torch.full((6,), 1 / 6, dtype=torch.float64)
ratio = loaded / fair
print("p_data / p_g:", ratio.numpy().round(2))
try:
    theory.value(ratio, loaded, fair)
except ValueError as error:
    print("as a discriminator:", error)

capped = ratio.clamp(max=0.999)  # what is left of it after squeezing it into [0, 1]
best = theory.optimal_discriminator(loaded, fair)
print(
    f"\ncapped at 0.999, V = {theory.value(capped, loaded, fair):.4f};",
    f"the best is V(D*) = {theory.value(best, loaded, fair):.4f}",
)
print("the ratio, recovered from D*:", (best / (1 - best)).numpy().round(2))

# %% [markdown]
# What is true: the ratio is $D^*/(1 - D^*)$, which is $e^t$ of the logit $t$. A trained
# discriminator *contains* the density ratio; it does not return it.

# %% [markdown]
# ### "$G(x) \sim p_g(x)$: the generator gives the probability of $x$"
#
# A generator takes **noise** $z$ and returns a **sample**. It never sees an $x$, and what comes
# out is a place, not a probability. Take $G(z) = 2 + \tfrac12 e^z$:


# %%
def generator(z):
    return 2 + 0.5 * z.exp()


z = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
samples = generator(z)

# The density of what comes out, by the change of variables:
# p_g(x) = p_z(z) / |G'(z)| at the z with G(z) = x.
x_out = torch.linspace(2.02, 6, 200, dtype=torch.float64)
z_of_x = ((x_out - 2) / 0.5).log()
p_g = torch.exp(-0.5 * z_of_x**2) / math.sqrt(2 * math.pi) / (0.5 * z_of_x.exp())

edges = torch.linspace(2, 6, 41, dtype=torch.float64)
counts = torch.histc(samples, bins=40, min=2, max=6)
density_of_samples = counts / len(samples) / (edges[1] - edges[0])
middles = (edges[:-1] + edges[1:]) / 2
plots.show(
    plots.lines(
        x_out,
        {"$p_g(x)$ by formula": p_g},
        points={"samples G(z) near x, counted": (middles, density_of_samples)},
        y_limits=(0, 1.6),
        x_label="x",
        y_label="density",
        title="G(z) is a place; the density says how often it comes out",
        alt="The density p_g(x) rises steeply at x = 2, peaks near 2.2 and falls slowly. Dots, "
        "counts of samples near x, lie on it.",
    )
)
print("five samples G(z):            ", samples[:5].numpy().round(2))
print(
    "density p_g at those places:  ",
    (torch.exp(-0.5 * z[:5] ** 2) / math.sqrt(2 * math.pi) / (0.5 * z[:5].exp())).numpy().round(3),
)
print(f"G(2.2) = {generator(torch.tensor(2.2)):.2f}, which is no density of anything; p_g(2.2) is near 1.3")

# %% [markdown]
# The samples pile up as $p_g$ says. Their *values* have nothing to do with it. And to write $p_g$
# down we had to invert $G$; for a network nobody can. A GAN's density is **implicit**: you can
# draw from it, and you cannot evaluate it.

# %% [markdown]
# ### "A falling generator loss means better samples"
#
# The generator's loss is a mark given by *the present discriminator*. It says how often that one
# is fooled, and nothing else. To see it, we train a small GAN on the two hills, and measure each
# step the Wasserstein distance from generated to real samples, which no player knows. After 300
# steps we **stop training the discriminator**, and the generator goes on.
#
# **Predict:** what will the loss do after step 300? And the distance?

# %%
steps = by_scale(ci=20, cpu=300, gpu=300)

torch.manual_seed(0)
rng = torch.Generator().manual_seed(0)
loss = get_loss("non_saturating")
g = mlp_generator(sample_shape=(1,), latent_dim=4, hidden=(64, 64))
d = mlp_discriminator(sample_shape=(1,), hidden=(64, 64))
g_optimizer = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.99))
d_optimizer = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.99))
real_sorted = data.sample(4000, rng).flatten().sort().values
fixed_z = torch.randn(4000, 4, generator=rng)

losses, distances = [], []
for step in range(2 * steps):
    if step < steps:  # afterwards the discriminator stands still
        fake = g(torch.randn(256, 4, generator=rng)).detach()  # this step must not reach the generator
        d_loss = loss.discriminator(d(data.sample(256, rng)), d(fake))
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
    g_loss = loss.generator(d(g(torch.randn(256, 4, generator=rng))))
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    with torch.no_grad():
        fake_sorted = g(fixed_z).flatten().sort().values
    losses.append(g_loss.item())
    distances.append(
        (fake_sorted - real_sorted).abs().mean().item()
    )  # W₁ of two samples: sort, pair, average

# %%
plots.show(
    plots.lines(
        torch.arange(2 * steps),
        {"generator's loss": losses, "Wasserstein distance to the data": distances},
        x_label=f"generator steps   (from step {steps} on, the discriminator stands still)",
        y_label="nats, and units of x",
        title="The loss and the samples go their own ways",
        alt="Two curves over 600 steps. Until step 300 the distance falls from 1.6 to about "
        "0.15 while the loss stays near 0.7. After step 300 the loss falls to 0.55 while "
        "the distance climbs to nearly 3.",
    )
)
for step in (0, steps - 1, 2 * steps - 1):
    print(f"step {step:3}: loss {losses[step]:.3f}, distance {distances[step]:.3f}")

# %% [markdown]
# Compare the three lines. From the first to the second the samples become more than ten times
# better, and the loss is *higher*. From the second to the third the loss falls, and the samples
# are ruined: the generator has gone where the frozen discriminator happens to say "real", and the
# data are elsewhere.
#
# The lowest losses belong to ruined samples. To know how good samples are, look at them and
# measure them with something that is not one of the players: notebook 09 is about that.

# %% [markdown]
# ## Summary
#
# - $V(D, G) = \mathbb{E}_{p_\text{data}}[\log D(x)] + \mathbb{E}_{p_g}[\log(1 - D(x))]$: two
#   averages. $D$ climbs it, $G$ descends it.
# - Against a fixed generator the best discriminator is
#   $D^* = p_\text{data} / (p_\text{data} + p_g)$: each $x$ can be settled on its own. A search
#   and a network found the same.
# - $V(D^*, G) = 2 \cdot \mathrm{JS}(p_\text{data}, p_g) - \log 4$. The equilibrium is
#   $p_g = p_\text{data}$, $D = \tfrac12$, $V = -\log 4$.
# - Where the two do not overlap, JS is flat at $\log 2$: a perfect discriminator leaves no slope.
#   Wasserstein keeps one.
# - The saturating loss pushes with $D$, the non-saturating one with $1 - D$. Beginners need the
#   second.
# - $D$ is no density ratio, $G(z)$ is no density, and the generator's loss is no measure of
#   quality.
#
# Next: notebook 02 lets the two players move, and asks why they circle.

# %% [markdown]
# ## Further reading
#
# - I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y.
#   Bengio: *Generative Adversarial Nets*, NeurIPS 2014,
#   [arXiv:1406.2661](https://arxiv.org/abs/1406.2661). Section 4 is this notebook's first half.
# - I. Goodfellow: *NIPS 2016 Tutorial: Generative Adversarial Networks*, 2016,
#   [arXiv:1701.00160](https://arxiv.org/abs/1701.00160). The game, its losses, and which
#   divergence does what.
# - M. Arjovsky, L. Bottou: *Towards Principled Methods for Training Generative Adversarial
#   Networks*, ICLR 2017, [arXiv:1701.04862](https://arxiv.org/abs/1701.04862). Supports that do
#   not meet, and both of the generator's gradients.
# - M. Arjovsky, S. Chintala, L. Bottou: *Wasserstein Generative Adversarial Networks*, ICML 2017,
#   PMLR 70:214–223, [arXiv:1701.07875](https://arxiv.org/abs/1701.07875) (there called
#   *Wasserstein GAN*).
# - W. Fedus, M. Rosca, B. Lakshminarayanan, A. M. Dai, S. Mohamed, I. Goodfellow: *Many Paths to
#   Equilibrium: GANs Do Not Need to Decrease a Divergence At Every Step*, ICLR 2018,
#   [arXiv:1710.08446](https://arxiv.org/abs/1710.08446).
# - S. Nowozin, B. Cseke, R. Tomioka: *f-GAN: Training Generative Neural Samplers using
#   Variational Divergence Minimization*, NeurIPS 2016,
#   [arXiv:1606.00709](https://arxiv.org/abs/1606.00709). The same derivation for any divergence.
