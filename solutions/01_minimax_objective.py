# %% [markdown]
# # The minimax objective
#
# You take the one formula at the heart of every GAN apart, solve it by hand and by computer, see
# where the generator's gradient goes missing, and let two perfect players draw your name.
#
# | | |
# | --- | --- |
# | Reading time | 50 min, and 75 min for the exercises |
# | Running time | about 15 s on two CPU cores; a GPU is not needed |
# | You need | probabilities and averages, the derivative of a logarithm, PyTorch tensors and autograd |
# | You will be able to | say what the minimax objective measures, derive the best discriminator, say what it leaves for the generator to minimise, explain why GANs use the non-saturating loss, and write the whole game of two perfect players |

# %%
import math

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from course_utils import plots, theory
from course_utils.checks import check
from course_utils.data import gaussian, gaussian_mixture
from course_utils.losses import get_loss, minimax_discriminator
from course_utils.models import mlp_discriminator, mlp_generator
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, seed

torch.set_num_threads(1)  # for networks as small as these, a second core only gets in the way

# One meaning, one colour: the data blue, the generator and its losses red, the discriminator
# green, V and JS
# purple. The other measures of distance get colours of their own.
DATA, MODEL, DISCRIMINATOR, VALUE = (
    plots.COLORS[name] for name in ("data", "model", "discriminator", "value")
)
MEASURES = {"forward KL": "#8F6400", "reverse KL": "#767676", "JS": VALUE, "Wasserstein": "black"}

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
#   nats are one bit. A probability is at most 1 and its logarithm at most 0, so neither term is
#   ever positive.
#
# The discriminator wants $V$ large. On real samples it should say a large number, on generated
# ones a small number. The generator wants $V$ small. Hence **minimax**: $\min_G \max_D V(D, G)$.
#
# In most texts the second term reads $\mathbb{E}_{z \sim p_z}[\log(1 - D(G(z)))]$. It is the same
# average: draw noise $z$ from a distribution $p_z$ that you choose once and for all, a normal one
# say, and let the generator turn it into a sample $x = G(z)$. Then $x$ has the distribution $p_g$;
# that is what $p_g$ means.

# %% [markdown]
# ## The value on a die
#
# We begin where everything can be counted. The "data" are the rolls of a loaded die, which shows a
# six half of the time. The "generator" is a fair die. A discriminator is then a list of six
# numbers, one for each face.

# %%
p_data = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)  # loaded
p_model = torch.full((6,), 1 / 6, dtype=torch.float64)  # fair

# %% [markdown]
# For a die, an average is a sum over the faces: $\mathbb{E}_{x \sim p}[f(x)] = \sum_x p(x)\, f(x)$.
#
# ### Exercise 1.1 — The value on a die (●○○, 8 min)
#
# Write $V$ for two dice. `discriminator`, `p_data` and `p_model` are tensors of shape `(6,)`;
# return a scalar tensor. For the discriminator that always says ½, you should get
# $-\log 4 \approx -1.386$. (A term $0 \cdot \log 0$ does not come up.)


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
values = {}
for name, probabilities in players.items():
    values[name] = value_of(torch.tensor(probabilities, dtype=torch.float64), p_data, p_model)
    print(f"{name:24} V = {values[name]:7.4f}")

# %% [markdown]
# The answer: the highest value goes to the one that suspects sixes *a little*, the lowest to the
# one that is certain about them. A six is a hint that the loaded die was rolled, and a
# discriminator that uses the hint a little does better than one that cannot tell. Too much trust
# in it is worse than none. And to be certain costs everything: the fair die rolls sixes too, and
# then $\log(1 - 1) = -\infty$.

# %% tags=["claim"]
claim(
    "the highest value goes to the one that suspects sixes *a little*, the lowest to the one that is certain",
    max(values, key=values.get) == "suspects sixes a little"
    and min(values, key=values.get) == "is certain about sixes",
    every_seed=True,
)
claim(
    "Too much trust in it is worse than none",
    values["suspects sixes a lot"] < values["cannot tell"],
    every_seed=True,
)
claim("to be certain costs everything", values["is certain about sixes"] == -math.inf, every_seed=True)

# %% [markdown]
# In a GAN nobody knows the probabilities. All there is are samples, and the averages are estimated
# from them. How far off is such an estimate? We make each of them 200 times, and look at the
# typical error (the root of the mean square):

# %%
rng = torch.Generator().manual_seed(seed(0))
discriminator = torch.tensor(players["suspects sixes a little"], dtype=torch.float64)
exact = value_of(discriminator, p_data, p_model)
errors = {}
for rolls in (100, 1_000, 10_000):
    real = torch.multinomial(p_data, 200 * rolls, replacement=True, generator=rng).reshape(200, rolls)
    fake = torch.multinomial(p_model, 200 * rolls, replacement=True, generator=rng).reshape(200, rolls)
    estimates = discriminator[real].log().mean(1) + (1 - discriminator[fake]).log().mean(1)
    errors[rolls] = (estimates - exact).square().mean().sqrt()
    print(f"{rolls:6,} rolls of each die: V ≈ {estimates[0]:.4f}   typical error {errors[rolls]:.4f}")
print(f"exactly:                   V = {exact:.4f}")

# %% [markdown]
# That works, and the error shrinks as one over the root of the number of rolls: a hundred times as
# many rolls, a tenth of the error.

# %% tags=["claim"]
claim(
    "a hundred times as many rolls, a tenth of the error",
    about(errors[100] / errors[10_000], 10, rel=0.25),
    every_seed=True,
)

# %% [markdown]
# ## The best discriminator
#
# *The generator stands still. What is the best that the discriminator can say?*
#
# $V$ is a sum over the faces, and $D$ may choose its number for each face freely. So each face can
# be settled on its own. Write $a$ for the data's probability of that face, $b$ for the
# generator's, and $y$ for what $D$ says. The face contributes
#
# $$f(y) = a \log y + b \log(1 - y).$$
#
# **Before you look:** where is the highest point of $f$ for $a = b$? And where does it move when
# $a$ grows?

# %% jupyter={"source_hidden": true}
y = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
pairs = {"a = 0.5, b = 0.17": (0.5, 1 / 6), "a = 0.3, b = 0.3": (0.3, 0.3), "a = 0.1, b = 0.5": (0.1, 0.5)}
contributions = {name: a * y.log() + b * (1 - y).log() for name, (a, b) in pairs.items()}
tops = {name: y[f.argmax()] for name, f in contributions.items()}
answers = {
    f"highest at {tops[name]:.2f}": (tops[name], contribution.max())
    for name, contribution in contributions.items()
}
plots.show(
    plots.lines(
        y,
        contributions,
        points=answers,
        colors={**dict.fromkeys(contributions, VALUE), **dict.fromkeys(answers, DISCRIMINATOR)},
        y_limits=(-1.5, 0),
        x_label="y, what D says about this face",
        y_label="contribution to V",
        title="Each face has one best answer",
        alt="Three curves of a·log y + b·log(1 − y) between 0 and 1, each with a single highest "
        f"point: {'; '.join(f'for {name} at {top:.2f}' for name, top in tops.items())}. "
        "All fall steeply towards both ends.",
    )
)

# %% [markdown]
# The answer: for $a = b$ the top is at ½, and it moves to the right when $a$ grows. Each curve has
# a single top, and falls to $-\infty$ at both ends. At the top the slope is zero:
#
# $$f'(y) = \frac{a}{y} - \frac{b}{1 - y} = 0 .$$
#
# It is a top and nothing else, because $f''(y) = -\frac{a}{y^2} - \frac{b}{(1-y)^2}$ is negative
# everywhere. Solve for $y$, and put $p_\text{data}(x)$ and $p_g(x)$ back in the place of $a$ and
# $b$: this gives the **optimal discriminator** $D^*(x)$.

# %% tags=["claim"]
claim(
    "for $a = b$ the top is at ½, and it moves to the right when $a$ grows",
    tops["a = 0.3, b = 0.3"] == 0.5 and tops["a = 0.5, b = 0.17"] > 0.5 > tops["a = 0.1, b = 0.5"],
    every_seed=True,
)

# %% [markdown]
# ### Exercise 1.2 — The best discriminator (●●○, 8 min)
#
# One thing more than the text above: a batch need not hold as many real samples as generated ones.
# Let a fraction $\pi$ of what $D$ is shown be real. It then climbs
#
# $$V_\pi(D, G) = \pi\, \mathbb{E}_{p_\text{data}}[\log D] + (1 - \pi)\, \mathbb{E}_{p_g}[\log(1 - D)],$$
#
# which is $\tfrac12 V$ for $\pi = \tfrac12$. Find its best discriminator with pencil and paper,
# then write it. It must work for any shape, and for densities too, whose values may exceed 1. With
# as many real rolls as generated ones you should get 0.75 for the six and 0.375 for each other
# face; where only one roll in five is real, about 0.43 for the six. Where both densities are 0,
# nothing is ever shown, and any value will do, NaN too.


# %%
def best_discriminator(
    p_data: torch.Tensor, p_model: torch.Tensor, real_fraction: float = 0.5
) -> torch.Tensor:
    """The discriminator with the highest V_π, π = real_fraction. Same shape in and out, values in [0, 1]."""
    ### BEGIN SOLUTION
    real, fake = real_fraction * p_data, (1 - real_fraction) * p_model
    return real / (real + fake)
    ### END SOLUTION


# %%
optimal_discriminator = check("1.2", best_discriminator, otherwise=theory.optimal_discriminator)

# %% tags=["claim"]
_best = theory.optimal_discriminator(p_data, p_model)
claim(
    "you should get 0.75 for the six and 0.375 for each other face",
    about(_best[5], 0.75, rel=1e-6) and about(_best[:5].min(), 0.375, rel=1e-6),
    every_seed=True,
)
claim(
    "where only one roll in five is real, about 0.43 for the six",
    about(0.2 * p_data[5] / (0.2 * p_data[5] + 0.8 * p_model[5]), 0.43, rel=0.01),
    every_seed=True,
)

# %% [markdown]
# A derivation can go wrong. So we look for the best answer once more, without any calculus: for
# each face, try many values of $y$ and keep the best one.

# %%
contribution = p_data[:, None] * y.log() + p_model[:, None] * (1 - y).log()  # (6 faces, 999 values of y)
found = y[contribution.argmax(dim=1)]
print("formula:", optimal_discriminator(p_data, p_model).numpy().round(3))
print("search: ", found.numpy().round(3))
assert torch.allclose(found, optimal_discriminator(p_data, p_model), atol=0.001)  # the spacing of the values

# %% [markdown]
# Note what $D^*$ is **not**. It is not 1 for a six. It is the *fraction* of real ones among all
# sixes: if both dice are rolled equally often, then of four sixes, three come from the loaded die.

# %% tags=["claim"]
claim(
    "of four sixes, three come from the loaded die",
    p_data[5] / (p_data[5] + p_model[5]) == 3 / 4,
    every_seed=True,
)

# %% [markdown]
# ## From dice to densities
#
# *Real data are not dice. What changes?*
#
# Very little: $x$ becomes a real number, $p(x)$ a **density**, and the sum over faces an integral.
# $V$ is still an average over places $x$, the best answer can still be found for each place on its
# own, and the formula for $D^*$ stays as it is. This is proposition 1 of Goodfellow et al. (2014).
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
        x[shown],
        p_data[shown],
        p_model[shown],
        best[shown],
        title="Where the curves cross, D* is ½",
        alt="Above, the data's density, a narrow hill on the left and a broader one on the right, and the "
        "generator's, one broad hill between them. Below, D*: near 1 on the data's left hill, low in the "
        "valley between the hills, above ½ again on the right hill, and falling to 0 far to the left and "
        "far to the right. It is ½ wherever the two densities cross.",
    )
)

# %% [markdown]
# Follow the lower curve from left to right, and compare it with the upper ones. On the left hill
# the data's density is the higher one, and $D^*$ is near 1. In the valley the generator makes
# samples that the data do not have: $D^*$ falls. Where the densities cross, $D^* = \tfrac12$.
#
# Far to the left and far to the right, $D^*$ falls once more. Both densities are tiny there; but
# what counts is their *ratio*, and the generator's hill is the broader one.

# %% tags=["claim"]


def _at(place):
    return best[(x - place).abs().argmin()]


claim(
    "On the left hill the data's density is the higher one, and $D^*$ is near 1",
    _at(-2.0) > 0.8,
    every_seed=True,
)
claim(
    "In the valley the generator makes samples that the data do not have: $D^*$ falls",
    _at(-0.6) < 0.35,
    every_seed=True,
)
claim(
    "Far to the left and far to the right, $D^*$ falls once more",
    max(_at(-4.9), _at(4.9)) < 0.2,
    every_seed=True,
)
claim(
    "near 1 on the data's left hill, low in the valley between the hills, above ½ again on the right hill, "
    "and falling to 0 far to the left and far to the right",
    _at(-2.0) > 0.8 and _at(-0.6) < 0.35 and _at(1.5) > 0.5 and max(_at(-4.9), _at(4.9)) < 0.2,
    every_seed=True,
)

# %% [markdown]
# ### Found again, by search
#
# The same search as on the die, at each of the 2001 points of the axis:

# %%
candidates = torch.linspace(0.001, 0.999, 999, dtype=torch.float64)
contribution = p_data[:, None] * candidates.log() + p_model[:, None] * (1 - candidates).log()
found = candidates[contribution.argmax(dim=1)]
inside = (best > 0.001) & (best < 0.999)  # the search cannot answer beyond its ends
print(f"{len(x)} points; largest difference from the formula: {(found - best)[inside].abs().max():.5f}")
assert (found - best)[inside].abs().max() < 0.001

# %% [markdown]
# ### Found again, by a network that sees samples only
#
# Now the way of a GAN. A small network gets samples of both kinds, and climbs $V$ by gradient
# steps. It is never told a density.
#
# Networks in this course return a **logit** $t$, any real number, and $D(x) = \sigma(t)$ with the
# sigmoid $\sigma(t) = 1 / (1 + e^{-t})$. There is a reason to write losses with logits:
# $\log \sigma(t)$ can be worked out safely for every $t$, while $\sigma(t)$ rounds to exactly 0 or
# 1 for large ones, and then comes $\log 0$.
#
# ### Exercise 1.3 — The discriminator's loss, from logits (●●○, 12 min)
#
# An optimiser minimises, so the discriminator's loss is $-V$. Write it from the logits of a batch
# of real samples and of a batch of generated ones; means take the place of expectations. Keep the
# gradient: the next cells train with it. It must stay right, and keep its slope, for logits of
# ±300 <!-- number 300: a demand that the check makes -->. For logits that are all 0 you should get
# $\log 4 \approx 1.386$.


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

# %% [markdown]
# You will meet this loss under another name. A classifier for two classes is trained with the
# **binary cross-entropy**, the mean of $-\log D$ over the samples with label 1 and of
# $-\log(1 - D)$ over those with label 0. With "real" as label 1 and "generated" as label 0 that is
# $-V$: **the discriminator is an ordinary classifier of two classes.** PyTorch calls it
# `BCEWithLogitsLoss` (with logits, for the reason above):

# %%
bce = torch.nn.BCEWithLogitsLoss()
real_logits = torch.randn(64, generator=torch.Generator().manual_seed(seed(0))) + 1
fake_logits = torch.randn(64, generator=torch.Generator().manual_seed(seed(1))) - 1
labels = torch.cat([torch.ones(64), torch.zeros(64)])

print(f"−V                                    {loss_of_d(real_logits, fake_logits):.6f}")
apart = bce(real_logits, torch.ones(64)) + bce(fake_logits, torch.zeros(64))
print(f"BCEWithLogitsLoss, real + generated   {apart:.6f}")
together = bce(torch.cat([real_logits, fake_logits]), labels)
print(f"BCEWithLogitsLoss, one joint batch    {together:.6f}")

# %% [markdown]
# The sum of two cross-entropies is $-V$. One cross-entropy over a joint batch is the mean of the
# two halves, $-\tfrac12 V$: the same best discriminator, and half the gradient.

# %% tags=["claim"]
claim(
    "The sum of two cross-entropies is $-V$",
    abs(apart - loss_of_d(real_logits, fake_logits)) < 1e-6,
    every_seed=True,
)
claim(
    "One cross-entropy over a joint batch is the mean of the two halves, $-\\tfrac12 V$",
    abs(together - apart / 2) < 1e-6,
    every_seed=True,
)

# %%
steps = by_scale(ci=50, cpu=1_000, gpu=1_000)

torch.manual_seed(seed(0))
rng = torch.Generator().manual_seed(seed(0))
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

# %% jupyter={"source_hidden": true}
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
        "network's D(x) lies close to the optimal discriminator wherever there are many samples, and "
        "leaves it at the far left.",
    )
)
print(f"V of the network  {theory.value(learned, p_data, p_model, weights):.4f}")
print(f"V of D*           {theory.value(best, p_data, p_model, weights):.4f}")

# %% [markdown]
# The network lies close to $D^*$ wherever many samples fall, and its $V$ is only a little lower.
# It cannot be higher: nothing is above $D^*$. At the far left, where it has seen hardly any
# samples, nobody corrected it, and it goes astray. Keep that in mind for later: **a discriminator
# knows what it was shown.**

# %% tags=["claim"]
_shown_often = (p_data + p_model) / 2 > 0.05
_seldom = (x > -5) & (x < -3.9)
claim(
    "The network lies close to $D^*$ wherever many samples fall",
    (learned - best)[_shown_often].abs().max() < 0.1,
    every_seed=True,
)
claim(
    "its $V$ is only a little lower",
    0
    < theory.value(best, p_data, p_model, weights) - theory.value(learned, p_data, p_model, weights)
    < 0.005,
    every_seed=True,
)
claim(
    "At the far left, where it has seen hardly any samples, nobody corrected it, and it goes astray",
    (learned - best)[_seldom].abs().max() > 2 * (learned - best)[_shown_often].abs().max(),
    every_seed=True,
)

# %% [markdown]
# ### Move the densities
#
# Now play. Drag the sliders, or click one and use the arrow keys. (You will meet the numbers JS and
# Wasserstein below.)
#
# 1. Put the generator's mean on the data's. What becomes of $D^*$ and $V$?
# 2. Leave the means together, and make the generator's spread 2. Why does $D^*$ cross ½ twice?
# 3. Both spreads 1; data's mean 0, two hills 6 apart; generator's mean 3. The right hill is
#    imitated perfectly. Why is $D^*$ not ½ there? <!-- numbers: settings of the sliders -->

# %%
from course_utils.widgets.discriminator_explorer import discriminator_explorer

discriminator_explorer()

# %% [markdown]
# What you can see: (1) $D^*$ is flat at ½, and $V$ is $-1.3863 = -\log 4$. (2) The broad density
# is the higher one on *both* sides. (3) The generator puts all of its samples on a hill where the
# data have only half of theirs: twice the density, so $D^* = \frac{1/2}{1/2 + 1} = \tfrac13$. This
# is how a discriminator notices a **dropped mode**.

# %% tags=["claim"]
_x, _w = theory.quadrature(-20, 20, 1601)


def _hill(mean, std=1.0):
    return gaussian(mean, std).log_prob(_x[:, None]).exp()


_two = 0.5 * _hill(-3.0) + 0.5 * _hill(3.0)
claim(
    "$V$ is $-1.3863 = -\\log 4$",
    about(theory.value(torch.full_like(_x, 0.5), _hill(0.0), _hill(0.0), _w), -1.3863, rel=1e-4),
    every_seed=True,
)
claim(
    "twice the density, so $D^* = \\frac{1/2}{1/2 + 1} = \\tfrac13$",
    abs(theory.optimal_discriminator(_two, _hill(3.0))[(_x - 3).abs().argmin()] - 1 / 3) < 1e-3,
    every_seed=True,
)

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
# $\mathrm{KL}(p \,\Vert\, q) = \mathbb{E}_{x \sim p}\big[\log \frac{p(x)}{q(x)}\big]$. It is never
# negative, and 0 only if $p = q$. Two lines show it. The logarithm is concave: the average of
# logarithms is at most the logarithm of the average (**Jensen's inequality**), and equal to it
# only where the averaged quantity is the same everywhere. So
#
# $$-\mathrm{KL}(p \,\Vert\, q) = \mathbb{E}_{x \sim p}\Big[\log \frac{q(x)}{p(x)}\Big] \le \log \mathbb{E}_{x \sim p}\Big[\frac{q(x)}{p(x)}\Big] = \log \sum_{x:\, p(x) > 0} q(x) \le \log 1 = 0,$$
#
# with equality only where $q/p$ is the same everywhere, that is, where $q = p$.
#
# The mean of the two divergences that stand in $V(D^*, G)$ is the **Jensen–Shannon divergence**
#
# $$\mathrm{JS}(p, q) = \tfrac12 \mathrm{KL}(p \,\Vert\, m) + \tfrac12 \mathrm{KL}(q \,\Vert\, m), \qquad m = \tfrac12 (p + q),$$
#
# and so
#
# $$V(D^*, G) = 2 \cdot \mathrm{JS}(p_\text{data}, p_g) - \log 4 .$$
#
# JS has a ceiling: $m \ge \tfrac12 p$, so neither log ratio exceeds $\log 2$, and nor does JS.
#
# ### Exercise 1.4 — Jensen–Shannon (●●○, 8 min)
#
# Write JS: with the help of `theory.kl(p, q, weights)`, or in a way of your own. The two dice from
# above give 0.0647; two dice without a common face give $\log 2 \approx 0.693$.


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

# %% tags=["claim"]
_loaded = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
_fair = torch.full((6,), 1 / 6, dtype=torch.float64)
claim(
    "The two dice from above give 0.0647", about(theory.js(_loaded, _fair), 0.0647, rel=1e-3), every_seed=True
)
claim("They agree far beyond six digits", abs(left - right) < 1e-8, every_seed=True)

# %% [markdown]
# They agree far beyond six digits. So against a perfect discriminator, **the generator minimises
# the Jensen–Shannon divergence** between the data and what it makes.
#
# ### The equilibrium
#
# JS is never negative, and 0 only where $p_g = p_\text{data}$. So the generator does best by
# copying the data's distribution. Then $D^* = \frac{p}{p + p} = \tfrac12$ everywhere, and
# $V = -\log 4$. Slide a generator over data of its own shape:

# %%
shifts = torch.linspace(-9, 9, 181, dtype=torch.float64)
standard = gaussian(0.0, 1.0).log_prob(x_wide[:, None]).exp()
valley = []
for shift in shifts:
    q = gaussian(shift.item(), 1.0).log_prob(x_wide[:, None]).exp()
    valley.append(theory.value(theory.optimal_discriminator(standard, q), standard, q, weights_wide))
valley = torch.stack(valley)
plots.show(
    plots.lines(
        shifts,
        {"V(D*, G)": valley},
        colors={"V(D*, G)": VALUE},
        levels={"−log 4": -math.log(4)},
        x_label="mean of the generator (the data's mean is 0)",
        y_label="V(D*, G)",
        title="The generator's valley: lowest where it copies the data",
        alt="V(D*, G) against the generator's mean: a valley that touches −log 4 at mean 0, "
        "rises to both sides, and is flat at 0 beyond a distance of about 6.",
    )
)

at_equilibrium = theory.optimal_discriminator(standard, standard)
print(f"lowest V: {valley.min():.6f}, at a mean of {shifts[valley.argmin()].abs():.1f};", end=" ")
print(f"−log 4 = {-math.log(4):.6f}")
print(f"D* at the equilibrium lies between {at_equilibrium.min():.6f} and {at_equilibrium.max():.6f}")
assert abs(valley.min() + math.log(4)) < 1e-6 and (at_equilibrium - 0.5).abs().max() < 1e-6

# %% tags=["claim"]
claim(
    "flat at 0 beyond a distance of about 6",
    valley[shifts.abs() >= 6].min() > -0.02 and valley[shifts.abs() < 4].max() < -0.05,
    every_seed=True,
)
claim(
    "There is one lowest point, and it is where it should be",
    shifts[valley.argmin()].abs() < 1e-9
    and (valley[:90].diff() <= 0).all()
    and (valley[90:].diff() >= 0).all(),
    every_seed=True,
)

# %% [markdown]
# There is one lowest point, and it is where it should be. Game theory has a name for such a pair
# of moves: a **Nash equilibrium** is one from which neither player gains by changing their own
# move alone. Is $(D = \tfrac12,\ p_g = p_\text{data})$ one? We hold one player still and let the
# other try 1,000 moves at random, on the dice:

# %%
rng = torch.Generator().manual_seed(seed(0))
die = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
undecided = torch.full((6,), 0.5, dtype=torch.float64)

other_d = torch.rand(1_000, 6, generator=rng, dtype=torch.float64)
other_g = torch.rand(1_000, 6, generator=rng, dtype=torch.float64)
other_g = other_g / other_g.sum(dim=1, keepdim=True)
d_deviates = torch.stack([theory.value(d, die, die) for d in other_d])
g_deviates = torch.stack([theory.value(undecided, die, g) for g in other_g])
print(f"at the equilibrium                   V = {theory.value(undecided, die, die):.4f}")
print(f"D deviates, and wants V larger:   V from {d_deviates.min():.4f} to {d_deviates.max():.4f}")
print(f"G deviates, and wants V smaller:  V from {g_deviates.min():.4f} to {g_deviates.max():.4f}")

# %% [markdown]
# It is. Every other $D$ gets less, and no other $G$ gets $V$ any smaller: against a discriminator
# that always says ½, *every* generator gets $-\log 4$. So in the equilibrium itself nothing pulls
# the generator; what keeps it there is that $D$ would answer. Whether two players that learn by
# small steps *find* this point is another question: [notebook
# 02](02_game_dynamics.ipynb#The-game-as-arrows-on-a-plane) asks it.
#
# And look at the sides of the valley. From a distance of about 6 on, it is a **plateau**. A
# generator that starts there has no slope to walk down. The next section asks whether another
# measure of distance would help it.

# %% tags=["claim"]
claim("Every other $D$ gets less", d_deviates.max() < -math.log(4), every_seed=True)
claim(
    "*every* generator gets $-\\log 4$",
    (g_deviates + math.log(4)).abs().max() < 1e-9,
    every_seed=True,
)
claim(
    "From a distance of about 6 on, it is a **plateau**",
    valley[shifts.abs() >= 6].min() > -0.02,
    every_seed=True,
)

# %% [markdown]
# ### Why $D^*$ may be held still
#
# A training loop never differentiates through the discriminator's answer: in the generator's step
# $D$ is held still, although the next $D$ will be another. Is the slope then wrong? Let $\theta$
# be the generator's parameters. $D^*$ depends on them, so by the chain rule
#
# $$\frac{d}{d\theta} V(D^*_\theta, G_\theta) = \underbrace{\frac{\partial V}{\partial D}\Big|_{D^*_\theta}}_{=\,0} \cdot \frac{d D^*_\theta}{d\theta} + \frac{\partial V}{\partial \theta}\Big|_{D \text{ held still}} .$$
#
# $D^*$ is a maximum of $V$, and at a maximum the slope in $D$ is zero. Whatever $D^*$ does when
# $\theta$ moves, $V$ does not notice it, to first order. This is the **envelope argument**.
# Autograd agrees:

# %%
theta = torch.tensor([0.5, -0.3, 0.1, 0.0, 0.2, -0.4], dtype=torch.float64, requires_grad=True)
p_g = theta.softmax(dim=0)  # a die whose faces the generator can weight as it likes
moving = theory.optimal_discriminator(die, p_g)
(through,) = torch.autograd.grad(theory.value(moving, die, p_g), theta, retain_graph=True)
(held,) = torch.autograd.grad(theory.value(moving.detach(), die, p_g), theta)
print("slope, differentiated through D*:", through.numpy().round(4))
print("slope, D* held still:            ", held.numpy().round(4))

# %% [markdown]
# The two slopes are the same. This holds for a *perfect* discriminator only: one that lags behind
# is no maximum, and then the first term is there, and is ignored.

# %% tags=["claim"]
claim("The two slopes are the same", (through - held).abs().max() < 1e-12, every_seed=True)

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
# generator is $\mathcal{N}(s, 0.6^2)$, and it moves from $s = 4$ to $s = 8$: twice as far
# away <!-- number twice as: eight is twice four -->. Which measure's **slope** in $s$ is the same
# as before, and not 0? Answer with a letter in quotes.
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

# %% jupyter={"source_hidden": true}
plots.show(
    plots.lines(
        shifts,
        {name: torch.tensor(values) for name, values in distances.items()},
        colors=MEASURES,
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
        colors=MEASURES,
        log=True,
        y_limits=(1e-9, 1e3),
        x_label="shift s",
        y_label="slope: change per unit of s",
        title="Their slopes, on a logarithmic scale",
        alt="Slopes of the four measures, logarithmic. Those of the two KLs grow steadily, that "
        "of Wasserstein is 1 from a shift of about 1 on, that of JS falls ever faster, "
        "below a millionth before s = 10.",
    )
)
for name in measures:
    print(f"slope of {name:12}  at s = 4: {slopes[name][39]:<8.2g}  at s = 8: {slopes[name][79]:.2g}")

# %% [markdown]
# The answer to the prediction is (c). From $s = 4$ to $s = 8$ the slopes of the two KLs double,
# that of Wasserstein stays 1, and JS has run out of slope. JS is a good measure for distributions
# that overlap, and it has only one thing to say about those that do not: "different". The KLs pull
# harder the further away the generator is. Wasserstein says how far, and its slope is 1 as soon as
# the two hills are apart.

# %% tags=["claim"]
claim(
    "the slopes of the two KLs double, that of Wasserstein stays 1, and JS has run out of slope",
    about(slopes["forward KL"][79] / slopes["forward KL"][39], 2, rel=0.01)
    and about(slopes["reverse KL"][79] / slopes["reverse KL"][39], 2, rel=0.01)
    and about(slopes["Wasserstein"][79], 1, rel=0.01)
    and about(slopes["Wasserstein"][39], 1, rel=0.01)
    and slopes["JS"][79] < 1e-4,
    every_seed=True,
)
claim(
    "JS rises to log 2 at about s = 5 and stays there",
    0.97 * math.log(2) < distances["JS"][49] < 0.999 * math.log(2)
    and distances["JS"][99] > 0.999 * math.log(2),
    values={"JS at s = 5": distances["JS"][49]},
    every_seed=True,
)
claim(
    "that of Wasserstein is 1 from a shift of about 1 on",
    slopes["Wasserstein"][4] < 0.95 and min(slopes["Wasserstein"][9:]) > 0.98,
    values={"slope at s = 1": slopes["Wasserstein"][9]},
    every_seed=True,
)
claim(
    "below a millionth before s = 10",
    slopes["JS"][98] < 1e-6,
    values={"slope just before s = 10": slopes["JS"][98]},
    every_seed=True,
)

# %% [markdown]
# ### When supports do not meet
#
# Two Gaussians always overlap a little. The **support** of a distribution is where it has any
# probability at all. Here are two bars of ten outcomes each, one tenth of a unit apart; the second
# is moved to the right until they share nothing.

# %%
positions = torch.arange(60, dtype=torch.float64) / 10


def bar(start: int) -> torch.Tensor:
    """Ten neighbouring outcomes with probability 0.1 each, the first at positions[start]."""
    p = torch.zeros(60, dtype=torch.float64)
    p[start : start + 10] = 0.1
    return p


bars = {}
print("shift   KL     JS       Wasserstein")
for start in (0, 2, 5, 9, 10, 20, 40):
    p, q = bar(0), bar(start)
    bars[start] = theory.kl(p, q), theory.js(p, q), theory.wasserstein_1d(positions, p, q)
    print(f"{start / 10:.1f}     {bars[start][0]:3.0f}    {bars[start][1]:.4f}   {bars[start][2]:.4f}")

# %% [markdown]
# KL is infinite as soon as one outcome is missing. JS is $\log 2$ from the moment on at which
# nothing is shared, however far apart the bars are. Wasserstein is the shift.
#
# Does that matter for images? Arjovsky and Bottou (2017) argue that it does. Photographs are thin
# sheets in a space of thousands of dimensions: almost every point of it is noise. At the start of
# training a generator's images form another thin sheet, and two thin sheets need not meet
# anywhere. Then there is a discriminator that tells them apart without error, $V(D^*, G) = 0$, and
# the slope is zero. The Wasserstein GAN draws the obvious conclusion (Arjovsky, Chintala and
# Bottou 2017); [notebook 08](08_losses_and_penalties.ipynb#What-does-Wasserstein-fix?) builds it.

# %% tags=["claim"]
claim(
    "KL is infinite as soon as one outcome is missing",
    all(math.isinf(kl) == (start > 0) for start, (kl, _, _) in bars.items()),
    every_seed=True,
)
claim(
    "JS is $\\log 2$ from the moment on at which nothing is shared, however far apart the bars are",
    all((abs(jsd - math.log(2)) < 1e-9) == (start >= 10) for start, (_, jsd, _) in bars.items()),
    every_seed=True,
)
claim(
    "Wasserstein is the shift",
    all(abs(w - start / 10) < 1e-9 for start, (_, _, w) in bars.items()),
    every_seed=True,
)

# %% [markdown]
# ### What does a generator do that cannot be perfect?
#
# The four measures agree on what is best, $p_g = p_\text{data}$. They disagree on what is *second*
# best. The data have two hills; the generator can only make one. We try 41 means and 30 spreads,
# and ask each measure for its favourite: once for hills that are close, once for hills that are
# far apart.

# %%
x_hills, weights_hills = theory.quadrature(-14, 14, points=1001)
one_hills = {
    (mean, std): gaussian(mean, std).log_prob(x_hills[:, None]).exp()
    for mean in torch.linspace(-4, 4, 41).tolist()
    for std in torch.linspace(0.3, 3.2, 30).tolist()
}
favourites, chosen = {}, {}
print("hills   measure        its favourite")
for distance in (4, 6):
    two_hills = gaussian_mixture([-distance / 2, distance / 2], 0.6).log_prob(x_hills[:, None]).exp()
    by_measure = {
        "forward KL": {hill: theory.kl(two_hills, q, weights_hills) for hill, q in one_hills.items()},
        "reverse KL": {hill: theory.kl(q, two_hills, weights_hills) for hill, q in one_hills.items()},
        "JS": {hill: theory.js(two_hills, q, weights_hills) for hill, q in one_hills.items()},
        "Wasserstein": {
            hill: theory.wasserstein_1d(x_hills, two_hills, q, weights_hills) for hill, q in one_hills.items()
        },
    }
    for name, distances_to in by_measure.items():
        mean, std = min(distances_to, key=distances_to.get)
        print(f"±{distance / 2:.0f}      {name:12}   mean {round(mean, 1) + 0:4.1f}, spread {std:.1f}")
        chosen[name, distance] = round(mean, 1), round(std, 1)
        favourites[name] = one_hills[mean, std]  # the far hills overwrite the close ones

# %% jupyter={"source_hidden": true}
shown_hills = x_hills.abs() < 7
plots.show(
    plots.lines(
        x_hills[shown_hills],
        {**{name: q[shown_hills] for name, q in favourites.items()}, "data": two_hills[shown_hills]},
        colors={"data": DATA, **MEASURES},
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
# argues that the choice of divergence is not what makes GANs drop modes; runs of
# five losses are compared in
# [notebook 08](08_losses_and_penalties.ipynb#The-harness,-and-five-losses-on-the-plane).

# %% tags=["claim"]
claim(
    "it spreads over both hills and the empty valley between them",
    all(chosen["forward KL", d][0] == 0 and chosen["forward KL", d][1] > d / 2 for d in (4, 6)),
    values={"close": chosen["forward KL", 4], "far": chosen["forward KL", 6]},
    every_seed=True,
)
claim(
    "it sits on one hill and forgets the other",
    all(about(abs(chosen["reverse KL", d][0]), d / 2) and chosen["reverse KL", d][1] < 0.8 for d in (4, 6)),
    values={"close": chosen["reverse KL", 4], "far": chosen["reverse KL", 6]},
    every_seed=True,
)
claim(
    "for the close hills it covers, for the far ones it takes one and drops the other",
    chosen["JS", 4][0] == 0
    and chosen["JS", 4][1] > 1.5
    and about(abs(chosen["JS", 6][0]), 3)
    and chosen["JS", 6][1] < 1,
    values={"close": chosen["JS", 4], "far": chosen["JS", 6]},
    every_seed=True,
)
claim(
    "Forward KL and Wasserstein: broad ones over both. Reverse KL and JS: narrow ones on the left hill",
    all(abs(chosen[name, 6][0]) < 1 and chosen[name, 6][1] > 2 for name in ("forward KL", "Wasserstein"))
    and all(chosen[name, 6][0] < -2 and chosen[name, 6][1] < 1 for name in ("reverse KL", "JS")),
    values={"Wasserstein": chosen["Wasserstein", 6]},
    every_seed=True,
)

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
# Differentiate both losses with respect to the logit $t$, with pencil and paper. Write the two
# derivatives in closed form, and return them as a pair; the cell after the check compares them
# with autograd's. At $t = 0$, where $D = \tfrac12$, both should be $-0.5$. A logit may be of any
# size, so nothing on the way may overflow.


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
    # None: of real samples' logits, which some losses want, these two make no use
    loss = get_loss(name).generator(None, t) * len(t)  # a mean; the sum gives each logit its own slope
    (measured[name],) = torch.autograd.grad(loss, t)

formula = dict(zip(measured, slopes_of(logits), strict=True))
for name in measured:
    print(
        f"{name:15} largest difference of formula and autograd:",
        f"{(measured[name] - formula[name]).abs().max():.0e}",
    )
    assert torch.allclose(measured[name], formula[name], atol=1e-6)

# %% jupyter={"source_hidden": true}
SATURATING, NON_SATURATING = MODEL, "#7A2E00"  # two shades of the generator's red
plots.show(
    plots.lines(
        logits,
        {
            "saturating: D": measured["minimax"].abs(),
            "non-saturating: 1 − D": measured["non_saturating"].abs(),
        },
        colors={"saturating: D": SATURATING, "non-saturating: 1 − D": NON_SATURATING},
        x_label="logit t of a generated sample   (left: D is sure that it is generated)",
        y_label="size of the slope",
        title="How hard each loss pushes the logit up",
        alt="Size of the slope against the logit. The saturating loss goes from 0 on the left "
        "to 1 on the right; the non-saturating one from 1 on the left to 0 on the right. "
        "They cross at ½ where the logit is 0.",
    )
)

# %% [markdown]
# The answer to the prediction: near $D = 0$ the saturating loss is flat and the non-saturating one
# is steep. The sizes of the two slopes always add up to 1. **The saturating loss learns from
# samples that already pass; the non-saturating loss learns from those that fail.** A beginner has
# only the second kind.

# %% tags=["claim"]
claim(
    "At $t = 0$, where $D = \\tfrac12$, both should be $-0.5$",
    about(measured["minimax"][80], -0.5, rel=1e-6)
    and about(measured["non_saturating"][80], -0.5, rel=1e-6)
    and logits[80].abs() < 1e-9,
    every_seed=True,
)
claim(
    "near $D = 0$ the saturating loss is flat and the non-saturating one is steep",
    measured["minimax"][0].abs() < 0.001 and measured["non_saturating"][0].abs() > 0.999,
    every_seed=True,
)
claim(
    "The sizes of the two slopes always add up to 1",
    (measured["minimax"].abs() + measured["non_saturating"].abs() - 1).abs().max() < 1e-9,
    every_seed=True,
)

# %% [markdown]
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
    z = torch.randn(200_000, generator=torch.Generator().manual_seed(seed(0)), dtype=torch.float64)
    parameter = torch.tensor(theta, dtype=torch.float64, requires_grad=True)
    x = z + parameter  # G(z)
    logits = (
        theta**2 / 2 - theta * x
    )  # D* belongs to the generator as it is now: `theta` is a number, no gradient
    (slope,) = torch.autograd.grad(get_loss(loss_name).generator(None, logits), parameter)
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
by_autograd = {
    "saturating, autograd": torch.tensor([measured_slope("minimax", t) for t in some.tolist()]),
    "non-saturating, autograd": torch.tensor([measured_slope("non_saturating", t) for t in some.tolist()]),
}

# %% jupyter={"source_hidden": true}
plots.show(
    plots.lines(
        thetas,
        by_formula,
        points={name: (some, slope) for name, slope in by_autograd.items()},
        colors={
            "saturating, formula": SATURATING,
            "saturating, autograd": SATURATING,
            "non-saturating, formula": NON_SATURATING,
            "non-saturating, autograd": NON_SATURATING,
        },
        log=True,
        x_label="θ: how far the generator is from the data",
        y_label="slope that pulls θ back",
        title="Far away, one loss falls silent and the other pulls harder",
        alt="Slope in θ, logarithmic, against the distance θ from 0.25 to 6. The non-saturating "
        "slope grows with the distance, about in proportion. The saturating one rises to "
        "about 0.47 near θ = 1.5 and then falls to about a hundredth at θ = 6. The dots that "
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
# Autograd's dots come from samples, the curves from an integral; they agree up to the noise of the
# samples. The further away the generator is, the more it would have to move. The saturating loss
# then says nothing, for two reasons that are one and the same: JS has reached its plateau, and $D$
# is near 0 on every sample. The non-saturating loss pulls in proportion to the distance.
#
# But then the non-saturating loss cannot be minimising JS. What does it minimise? Arjovsky and
# Bottou (2017, theorem 2.5) give the answer: with $D^*$ held still, its gradient is that of
# $\mathrm{KL}(p_g \,\Vert\, p_\text{data}) - 2\,\mathrm{JS}$. And the saturating loss has the
# slope of $2\,\mathrm{JS}$, by the envelope argument. Is it true? The left-hand sides are the
# averages from above, the right-hand sides are differentiated by autograd from the divergences
# themselves:

# %% tags=["claim"]
_saturating, _non_saturating = by_formula["saturating, formula"], by_formula["non-saturating, formula"]
_off = [
    (
        (by_autograd[f"{name}, autograd"] - by_formula[f"{name}, formula"][3::4])
        / by_formula[f"{name}, formula"][3::4]
    )
    for name in ("saturating", "non-saturating")
]
claim(
    "they agree up to the noise of the samples",
    _off[0].abs().max() < 0.1 and _off[1].abs().max() < 0.02,
    every_seed=True,
)
claim(
    "The saturating one rises to about 0.47 near θ = 1.5 and then falls to about a hundredth at θ = 6",
    about(_saturating.max(), 0.47, rel=0.02)
    and about(thetas[_saturating.argmax()], 1.5, rel=0.2)
    and thetas[-1] == 6
    and about(_saturating[-1], 0.01, rel=0.3),
    every_seed=True,
)
claim(
    "The non-saturating loss pulls in proportion to the distance",
    about(_non_saturating[-1] / thetas[-1], 1, rel=0.01) and (_non_saturating.diff() > 0).all(),
    every_seed=True,
)

# %%
print("   θ    saturating   d(2·JS)/dθ     non-saturating   d(KL(p_g‖p_data) − 2·JS)/dθ")
p = gaussian(0.0, 1.0).log_prob(x_wide[:, None]).exp()
differences = []
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
    differences += [(saturating - slope_js).abs(), (non_saturating - (slope_kl - slope_js)).abs()]

# %% [markdown]
# True, to all digits shown. A word of warning comes with it: these are statements about a
# *perfect* discriminator. In training it is a network that lags behind, and GANs learn in
# situations where the divergences say that they cannot (Fedus et al. 2018). The divergences tell
# you where the game's equilibrium is. How the two players move, whether they get there at all, is
# the subject of [notebook 02](02_game_dynamics.ipynb#The-game-as-arrows-on-a-plane).

# %% tags=["claim"]
claim("True, to all digits shown", max(differences) < 5e-7, every_seed=True)

# %% [markdown]
# ## The whole game, played by two perfect players
#
# *You have all the pieces. Do they make a generator that learns?*
#
# Take any distribution over finitely many outcomes as the data: a die, or the pixels of a picture.
# The generator has a parameter $\theta_x$ for each outcome, $p_g = \mathrm{softmax}(\theta)$. The
# discriminator answers each move at once with $D^*$. No network, no samples, no luck: what is left
# is the game itself.
#
# ### Exercise 1.7 — The whole game (●●●, 25 min)
#
# Write it, from an empty cell. $\theta$ begins at 0. In each round, $D$ answers with $D^*$, and
# then $\theta$ takes one plain gradient step *down* $V$,
#
# $$\theta \leftarrow \theta - \text{rate} \cdot \frac{\partial V}{\partial \theta}.$$
#
# Return the generator's distribution before the first round and after each, `rounds + 1` rows in
# one tensor. `theory.value` and `theory.optimal_discriminator` are yours to use, and so is
# autograd. Do you have to differentiate through $D^*$? For the loaded die, one round with
# `rate=2.0` takes the six from 0.167 to about 0.213, and a hundred rounds to 0.500.


# %%
def play_the_game(p_data: torch.Tensor, rounds: int, rate: float) -> torch.Tensor:
    """The generator's distributions, (rounds + 1, N), from uniform on. p_data: (N,), sums to 1."""
    ### BEGIN SOLUTION
    theta = torch.zeros_like(p_data)
    history = [theta.softmax(dim=0)]
    for _ in range(rounds):
        theta.requires_grad_()
        p_g = theta.softmax(dim=0)
        answer = theory.optimal_discriminator(p_data, p_g).detach()  # it may be held still
        (slope,) = torch.autograd.grad(theory.value(answer, p_data, p_g), theta)
        theta = (theta - rate * slope).detach()
        history.append(theta.softmax(dim=0))
    return torch.stack(history)
    ### END SOLUTION


# %%
game = check("1.7", play_the_game, otherwise=theory.minimax_game)

# %%
loaded = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
rows = game(loaded, 100, 2.0).detach()
for round_number in (0, 1, 10, 100):
    print(f"after {round_number:3} rounds: p_g = {rows[round_number].numpy().round(3)}")

# %% tags=["claim"]
claim(
    "takes the six from 0.167 to about 0.213, and a hundred rounds to 0.500",
    about(rows[0, 5], 0.167, rel=0.003)
    and about(rows[1, 5], 0.213, rel=0.003)
    and about(rows[100, 5], 0.500, rel=0.001),
    every_seed=True,
)

# %% [markdown]
# ### Your name, drawn by the game
#
# A picture is a die with as many faces as pixels: bright pixels come up often, dark ones never.
# **Put your own name in the place of `GAN`**, and watch the generator, which has never seen it and
# is told nothing but $D^*$, find it in a grey fog. The second row is what $D^*$ says about each
# pixel: from black, "surely generated", to white, "surely real".

# %%
name = "GAN"

rounds = by_scale(ci=20, cpu=600, gpu=600)
width, height = 14 + 16 * len(name), 26
drawing = Image.new("L", (width, height))
font = ImageFont.load_default(size=24)
ImageDraw.Draw(drawing).text((width / 2, height / 2), name, fill=255, font=font, anchor="mm")
pixels = torch.tensor(np.array(drawing), dtype=torch.float64)
target = (pixels / pixels.sum()).flatten()

picture = game(target, rounds, 0.5 * len(target) / 2).detach()
moments = [0, rounds // 200, rounds // 20, rounds]
values = [
    theory.value(theory.optimal_discriminator(target, p_g), target, p_g).item() for p_g in picture[moments]
]
for moment, value in zip(moments, values, strict=True):
    print(f"after {moment:3} rounds: V(D*, G) = {value:.4f}")
print(f"                   −log 4 = {-math.log(4):.4f}")

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(rows=2, columns=5, width=10, height=2.9)
brightest = target.max().item()
shown_pictures = [("the data", target), *((f"round {moment}", picture[moment]) for moment in moments)]
for column, (title, p_g) in enumerate(shown_pictures):
    axes[0, column].imshow(p_g.reshape(height, width), cmap="gray", vmin=0, vmax=brightest)
    axes[0, column].set_title(title, fontsize=11)
    if column:
        says = theory.optimal_discriminator(target, p_g).reshape(height, width)
        axes[1, column].imshow(says, cmap="gray", vmin=0, vmax=1)
for panel in axes.flat:
    panel.set_axis_off()
axes[1, 0].text(0.5, 0.5, "what $D^*$ says", ha="center", va="center", transform=axes[1, 0].transAxes)
plots.show(
    plots.describe(
        figure,
        f"Above, the picture of the word {name}, and what the generator makes of it: an even grey at first, "
        "then the word in a fog, at the end the word as it is. Below, what D* says about each pixel: at first the "
        "word in white on black, at the end the same grey ½ on every bright pixel.",
    )
)

# %% [markdown]
# The word stands there, and $V$ has come close to $-\log 4$: where the letters are, $D^*$ has
# faded to the grey of ½. In the background $D^*$ stays black. There it can be sure, for the data
# never go there; and what little the generator still has there grows ever smaller, and ever more
# slowly. This is a GAN without networks. All that the next notebooks add is what one does when
# nobody can write down $p_\text{data}$: samples, networks, and two players that are not perfect.

# %% tags=["claim"]
_bright = target > 0.5 * target.max()
_last = theory.optimal_discriminator(target, picture[-1])
claim(
    "$V$ has come close to $-\\log 4$",
    -math.log(4) <= values[-1] < -math.log(4) + 0.005,
    every_seed=True,
)
claim(
    "where the letters are, $D^*$ has faded to the grey of ½",
    (_last[_bright] - 0.5).abs().max() < 0.02,
    every_seed=True,
)
claim("In the background $D^*$ stays black", _last[target == 0].max() < 1e-9, every_seed=True)

# %% [markdown]
# ## Misconceptions
#
# Three slips that come easily. Each is refuted by a run.
#
# ### "The discriminator computes $D(x) = p_\text{data}(x) / p_g(x)$"
#
# That is the **density ratio**. It has no upper limit, and $D$ is a probability. On the two dice
# it is even wrong where it looks harmless:

# %%
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

# %% tags=["claim"]
claim("the ratio is $D^*/(1 - D^*)$", (best / (1 - best) - ratio).abs().max() < 1e-12, every_seed=True)
claim(
    "it is even wrong where it looks harmless",
    (ratio[:5] < 1).all() and (ratio[:5] - best[:5]).abs().min() > 0.1,
    every_seed=True,
)

# %% [markdown]
# ### "$G(x) \sim p_g(x)$: the generator gives the probability of $x$"
#
# A generator takes **noise** $z$ and returns a **sample**. It never sees an $x$, and what comes
# out is a place, not a probability. Take $G(z) = 2 + \tfrac12 e^z$:


# %%
def generator(z):
    return 2 + 0.5 * z.exp()


z = torch.randn(200_000, generator=torch.Generator().manual_seed(seed(0)), dtype=torch.float64)
samples = generator(z)

# The density of what comes out, by the change of variables: p_g(x) = p_z(z) / |G'(z)| at the z
# with G(z) = x.
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
        colors={"$p_g(x)$ by formula": MODEL, "samples G(z) near x, counted": "black"},
        y_limits=(0, 1.6),
        x_label="x",
        y_label="density",
        title="G(z) is a place; the density says how often it comes out",
        alt="The density p_g(x) rises steeply at x = 2, peaks near 2.2 and falls slowly. Dots, "
        "counts of samples near x, lie on it.",
    )
)
p_of_samples = torch.exp(-0.5 * z**2) / math.sqrt(2 * math.pi) / (0.5 * z.exp())
print("five samples G(z):            ", samples[:5].numpy().round(2))
print("density p_g at those places:  ", p_of_samples[:5].numpy().round(3))
print(f"p_g is highest at x = {x_out[p_g.argmax()]:.1f}, where it is {p_g.max():.1f}")

# %% [markdown]
# The samples pile up as $p_g$ says. Their *values* have nothing to do with it. And to write $p_g$
# down we had to invert $G$; for a network that is out of reach in general. A GAN's density is
# **implicit**: you can draw from it, and you cannot evaluate it.

# %% tags=["claim"]
_expected = torch.stack([p_g[(x_out - middle).abs().argmin()] for middle in middles])
claim(
    "The samples pile up as $p_g$ says",
    (density_of_samples[4:] - _expected[4:]).abs().max() < 0.05,
    every_seed=True,
)
claim("peaks near 2.2 and falls slowly", about(x_out[p_g.argmax()], 2.2, rel=0.02), every_seed=True)

# %% [markdown]
# ### "A falling generator loss means better samples"
#
# The generator's loss is a mark given by *the present discriminator*. It says how often that one
# is fooled, and nothing else. To see it, we train a small GAN on the two hills, and measure each
# step the Wasserstein distance from generated to real samples, which no player knows. After 300
# steps we **stop training the discriminator**, and the generator goes on. One game could be
# chance, so we play three.
#
# **Predict:** what will the loss do after step 300? And the distance?


# %%
def play(start: int, steps: int) -> tuple[list[float], list[float]]:
    """The generator's losses and its distances over 2 · steps steps; D stands still in the second half."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
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
        g_loss = loss.generator(None, d(g(torch.randn(256, 4, generator=rng))))
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        with torch.no_grad():
            fake_sorted = g(fixed_z).flatten().sort().values
        losses.append(g_loss.item())
        # W₁ of two samples: sort, pair, average
        distances.append((fake_sorted - real_sorted).abs().mean().item())
    return losses, distances


steps = by_scale(ci=20, cpu=300, gpu=300)
games = [play(seed(number), steps) for number in range(3)]
for losses, distances in games:
    for step in (0, steps - 1, 2 * steps - 1):
        print(f"step {step:3}: loss {losses[step]:.3f}, distance {distances[step]:.3f}", end="    ")
    print()

# %% jupyter={"source_hidden": true}
losses, distances = games[0]
plots.show(
    plots.lines(
        torch.arange(2 * steps),
        {"generator's loss": losses, "Wasserstein distance to the data": distances},
        colors={"generator's loss": MODEL, "Wasserstein distance to the data": MEASURES["Wasserstein"]},
        levels={"log 2": math.log(2)},
        y_limits=(0, 3.5),
        x_label=f"generator steps   (from step {steps} on, the discriminator stands still)",
        y_label="nats, and units of x",
        title="The loss and the samples go their own ways",
        alt=f"Two curves over {2 * steps} steps of the first game. Until step {steps} the distance falls "
        f"from {distances[0]:.1f} to {distances[steps - 1]:.2f} while the loss comes back to where it began, "
        f"near log 2. After step {steps} the loss falls to {losses[-1]:.2f} while the distance climbs to "
        f"{distances[-1]:.1f}.",
    )
)

# %% [markdown]
# The answer: the loss *falls*, and the distance *grows*. Read each row, a game, from left to
# right. In the first half the distance falls to a quarter or less, and the loss ends near
# $\log 2$, about where it began: that is the loss against a discriminator that cannot tell, and
# the better the samples become, the better the discriminator has to be to say even that. In the
# second half the loss falls, and the samples are ruined: the generator goes where the frozen
# discriminator happens to say "real", and the data are elsewhere.
#
# To know how good samples are, look at them and measure them with something that is not one of the
# players: [notebook 09](09_judging_generators.ipynb#Which-number-sees-which-failure?) is about that.

# %% tags=["claim"]
_last = 2 * steps - 1
claim(
    "In the first half the distance falls to a quarter or less",
    max(distances[steps - 1] / distances[0] for _, distances in games) <= 1 / 4,
    every_seed=True,
)
claim(
    "the loss ends near $\\log 2$, about where it began",
    max(abs(losses[steps - 1] - math.log(2)) for losses, _ in games) < 0.06
    and max(abs(losses[0] - math.log(2)) for losses, _ in games) < 0.15,
    every_seed=True,
)
claim(
    "In the second half the loss falls, and the samples are ruined",
    max(losses[_last] - losses[steps - 1] for losses, _ in games) < 0
    and min(distances[_last] / distances[steps - 1] for _, distances in games) > 1.5,
    every_seed=True,
)

# %% [markdown]
# ## Summary
#
# - $V(D, G) = \mathbb{E}_{p_\text{data}}[\log D(x)] + \mathbb{E}_{p_g}[\log(1 - D(x))]$: two
#   averages. $D$ climbs it, $G$ descends it. $-V$ is the binary cross-entropy of a classifier.
# - Against a fixed generator the best discriminator is
#   $D^* = p_\text{data} / (p_\text{data} + p_g)$: each $x$ can be settled on its own. A search and
#   a network found the same.
# - $V(D^*, G) = 2 \cdot \mathrm{JS}(p_\text{data}, p_g) - \log 4$. The Nash equilibrium is
#   $p_g = p_\text{data}$, $D = \tfrac12$, $V = -\log 4$. In the generator's step $D^*$ may be held
#   still.
# - Where the two do not overlap, JS is flat at $\log 2$: a perfect discriminator leaves no slope.
#   Wasserstein keeps one.
# - The saturating loss pushes with $D$, the non-saturating one with $1 - D$. Beginners need the
#   second.
# - $D$ is no density ratio, $G(z)$ is no density, and the generator's loss is no measure of
#   quality.
#
# Next: [notebook 02](02_game_dynamics.ipynb#The-game-as-arrows-on-a-plane) lets the two players
# move, and asks why they circle.

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
# - S. Nowozin, B. Cseke, R. Tomioka: *f-GAN: Training Generative Neural Samplers using Variational
#   Divergence Minimization*, NeurIPS 2016, [arXiv:1606.00709](https://arxiv.org/abs/1606.00709).
#   The same derivation for any divergence.
