# %% [markdown]
# # Game dynamics: why two good players go round in circles
#
# After this notebook you can say, before you run it, whether a two-player game spirals out or
# settles near its equilibrium, when this cannot be said, and what to change when it does not
# settle.
#
# | | |
# | --- | --- |
# | Reading time | 55 min, and 90 min for the exercises |
# | Running time | about 30 s on two CPU cores; a GPU is not needed |
# | You need | notebook 01; derivatives and the chain rule; what an eigenvalue is |
# | You will be able to | draw a GAN as arrows on a plane; predict the fate of a run from eigenvalues, and say where they are silent; choose a cure and say why it works; analyse a game of your own |

# %%
import math
from functools import partial
from itertools import pairwise

import torch
from matplotlib import colormaps
from torch import Tensor
from torch.nn.functional import softplus

from course_utils import plots
from course_utils.checks import check
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, seed
from course_utils.theory.game_dynamics import (
    GAMES,
    RULES,
    Game,
    alternating,
    alternating_fate,
    bilinear,
    dirac_gan,
    play,
    simultaneous,
)

torch.set_num_threads(1)  # for games of two numbers, a second core only gets in the way

# In all figures a run of simultaneous steps, or of alternating ones, has its own colour.
SIMULTANEOUS, ALTERNATING = plots.COLORS["highlight"], plots.COLORS["second"]
RULE_COLORS = {
    "simultaneous": SIMULTANEOUS,
    "alternating": ALTERNATING,
    "extragradient": plots.COLORS["value"],
    "optimistic": plots.COLORS["optimum"],
}

# %% [markdown]
# ## How small can a GAN be?
#
# [Notebook 01](01_minimax_objective.ipynb#The-equilibrium) told you where the game ends: the
# generator's samples are distributed like the data, and the discriminator says ½ everywhere. It did
# not say whether training *gets* there. To find out, we shrink the game until all of it fits on a
# page. This is the **Dirac-GAN** of Mescheder, Geiger and Nowozin (2018):
#
# - The data are as simple as can be: every data point is 0.
# - The generator has one number, $\theta$. Every sample it makes is $\theta$.
# - The discriminator has one number too, $\psi$. Its logit is a straight line through the origin,
#   $t(x) = \psi x$, and $D(x) = \sigma(t(x))$ is the probability that it gives to "real". So a
#   positive logit means "real", as in the whole course.
#
# You know the losses from [notebook 01](01_minimax_objective.ipynb#The-generator's-gradient).
# There, $\operatorname{softplus}(t) = \log(1 + e^t)$, so that
# $-\log \sigma(t) = \operatorname{softplus}(-t)$. Data point 0 gets the logit $\psi \cdot 0 = 0$,
# the sample gets $\psi\theta$:
#
# $$
# L_D(\theta, \psi) = \underbrace{\operatorname{softplus}(0)}_{\text{data}} + \underbrace{\operatorname{softplus}(\psi\theta)}_{\text{sample}},
# \qquad
# L_G(\theta, \psi) = \operatorname{softplus}(-\psi\theta).
# $$
#
# The discriminator moves $\psi$ to make $L_D$ small. The generator moves $\theta$ to make $L_G$
# small; this is the non-saturating loss. The game should end at $\theta = 0$ (the samples sit on
# the data) and $\psi = 0$ (the logit is 0 everywhere, so the discriminator says ½). This point is
# the **equilibrium**: there, neither player gains by moving alone.


# %%
def discriminator_loss(theta: Tensor, psi: Tensor) -> Tensor:
    return softplus(torch.zeros_like(theta)) + softplus(psi * theta)


def generator_loss(theta: Tensor, psi: Tensor) -> Tensor:
    return softplus(-psi * theta)


first_game = Game(generator_loss, discriminator_loss)

theta, psi = torch.tensor(0.8), torch.tensor(-0.5)
print(
    f"at θ = 0.8, ψ = −0.5:  L_D = {discriminator_loss(theta, psi):.3f},  L_G = "
    f"{generator_loss(theta, psi):.3f}"
)
zero = torch.tensor(0.0)
print(
    f"at the equilibrium:    L_D = {discriminator_loss(zero, zero):.3f},  L_G = "
    f"{generator_loss(zero, zero):.3f}"
)

# %% [markdown]
# At the equilibrium the losses are $2 \log 2 \approx 1.386$ and $\log 2 \approx 0.693$. Look out
# for these two numbers in training logs.
#
# Now let the two play, in turns, with small steps. The sample starts at $\theta = 1$, the line
# starts flat, $\psi = 0$.
#
# **Predict.** Where is the sample when the line is flat again for the first time: (a) on the data,
# (b) to the left of the data, (c) back where it began?

# %%
chase = play(first_game, alternating, step_size=0.1, steps=126, start=(1.0, 0.0))
plots.show(plots.dirac_moments({f"step {step}": chase[step] for step in (0, 32, 64, 94)}))
for step in (0, 32, 64, 94, 126):
    print(f"step {step:3d}:  θ = {chase[step, 0]:+.2f},  ψ = {chase[step, 1]:+.2f}")

# %% [markdown]
# The answer is (b). Read the four pictures as a story.
#
# 1. The sample lies to the right of the data. So the discriminator tilts its line down to the
#    right: "right is fake".
# 2. The generator follows the line uphill, to the left. When the sample reaches the data, the
#    line is at its steepest. A steep line keeps pushing, and the sample runs past the data.
# 3. The sample now lies to the left. The discriminator has tilted its line back, it is about
#    flat, and it will tilt on: "left is fake".
# 4. The generator runs back to the right. At the data the line is steep again, and the sample
#    will run past again.
#
# At step 126 they have gone round once. The sample is 0.62 from the data instead of 1, and the
# next round begins.
#
# Nobody made a mistake. Each player went down its own loss, at every step. Do they
# arrive, if you wait long enough? Would they with another loss, another order of steps, a smaller
# learning rate? This notebook finds out.

# %% tags=["claim"]
_steepest = chase[:80, 1].argmin().item()
claim("the line is at its steepest", abs(chase[_steepest, 0]) < 0.06, every_seed=True)
claim("The sample now lies to the left", chase[64, 0] < -0.5 and abs(chase[64, 1]) < 0.05, every_seed=True)
claim(
    "At step 126 they have gone round once. The sample is 0.62 from the data instead of 1",
    about(chase[126, 0], 0.62, rel=0.01) and abs(chase[126, 1]) < 0.02,
    every_seed=True,
)

# %% [markdown]
# ## The game as arrows on a plane
#
# The whole state of the game is one point of a plane, $w = (\theta, \psi)$. At each point each
# player wants to go downhill on its own loss. Together these wishes make an arrow, the **vector
# field** of the game:
#
# $$
# v(\theta, \psi) = \begin{pmatrix} v_\theta \\ v_\psi \end{pmatrix}
# = \begin{pmatrix} -\partial L_G / \partial \theta \\ -\partial L_D / \partial \psi \end{pmatrix}.
# $$
#
# Mind the two different losses in it. If both players went downhill on *one* loss, $v$ would be
# minus the gradient of that loss, and following it would simply lead down. Here there is no such
# landscape, and nothing that must fall.

# %% [markdown]
# ### Exercise 2.1 — The field of the Dirac-GAN (●●○, 10 min)
#
# Derive $v_\theta$ and $v_\psi$ by hand, with $L_G = \operatorname{softplus}(-\psi\theta)$ and
# $L_D = \log 2 + \operatorname{softplus}(\psi\theta)$. You need
# $\operatorname{softplus}'(t) = \sigma(t)$; in code, `torch.sigmoid`. At
# $(\theta, \psi) = (0.7, -1.3)$ your arrow should be about $(-0.927, -0.201)$.
# <!-- numbers: the next cell but one works them out -->


# %%
def dirac_field(theta: Tensor, psi: Tensor) -> tuple[Tensor, Tensor]:
    """(v_θ, v_ψ) of the non-saturating Dirac-GAN; θ and ψ are single numbers, as tensors."""
    ### BEGIN SOLUTION
    theta_velocity = psi * torch.sigmoid(-psi * theta)
    psi_velocity = -theta * torch.sigmoid(psi * theta)
    return theta_velocity, psi_velocity
    ### END SOLUTION


# %%
check("2.1", dirac_field)

# %% [markdown]
# From here on, automatic differentiation does this work. `vector_field` takes the two losses of a
# game and returns its arrows; `dirac_gan` builds the game from `course_utils.losses`, the losses
# that train the large networks of [notebook 05](05_dcgan_mnist.ipynb#How-do-the-two-learn?) too.

# %%
from course_utils.theory.game_dynamics import field_on_grid, vector_field

show_source(vector_field)
here = torch.tensor([0.7, -1.3], dtype=torch.float64)
print("from the losses above:         ", vector_field(first_game)(here))
print("from course_utils.losses:      ", vector_field(dirac_gan("non_saturating"))(here))

# %% [markdown]
# Beside it we put an even simpler game, the **bilinear game**: one player minimises $\theta\psi$
# by moving $\theta$, the other maximises it by moving $\psi$. Its field is $v = (-\psi, \theta)$.
# The Dirac-GAN with the Wasserstein loss is the same game in a mirror ($\psi$ with the other
# sign): there the critic minimises $\psi\theta$, and the generator minimises $-\psi\theta$.
#
# **Predict.** The cross marks the equilibrium. Put your finger on $(1, 0)$ and follow the arrows of
# each game for a few turns, as exactly as you can imagine. Which finger comes nearer to the cross:
# (a) both, (b) neither, (c) only the one in the bilinear game, (d) only the one in the Dirac-GAN?

# %%
plots.show(
    plots.phase_portraits(
        {
            "bilinear game": (*field_on_grid(bilinear(), points=13), {}),
            "non-saturating Dirac-GAN": (*field_on_grid(first_game, points=13), {}),
        },
        alt="Two fields of arrows on the plane of θ and ψ. In the bilinear game the arrows go round the "
        "equilibrium counter-clockwise, on circles. In the Dirac-GAN they go round it clockwise, on curves "
        "that look like circles near the middle and are bent far away from it.",
    )
)

# %% [markdown]
# By eye nobody can tell: the arrows go *round* the equilibrium, hardly towards it. So calculate.
# Let a point flow along the arrows, in infinitely small steps, and watch its distance $r$ to the
# equilibrium. With $\tfrac12 r^2 = \tfrac12(\theta^2 + \psi^2)$,
#
# $$
# \frac{d}{dt}\,\tfrac12 r^2 = \theta\, v_\theta + \psi\, v_\psi = \begin{cases}
# -\theta\psi + \psi\theta = 0 & \text{bilinear game} \\[2pt]
# \theta\psi\,\bigl(\sigma(-\psi\theta) - \sigma(\psi\theta)\bigr) = -\theta\psi \tanh(\psi\theta/2) \le 0 & \text{non-saturating Dirac-GAN.}
# \end{cases}
# $$
#
# The answer is (d), because $u \tanh u$ is never negative. The bilinear game flows on exact
# circles, for ever. The Dirac-GAN has a **pull** inwards, but it is tiny near the equilibrium: the
# part of the arrow that points inwards is of third order in $r$ (so the rate above is of fourth),
# while the arrow itself is of first. You will meet this pull again.

# %%
for name, game in (("bilinear", bilinear()), ("Dirac-GAN", first_game)):
    for radius in (1.0, 0.1):
        point = torch.tensor([radius, radius], dtype=torch.float64)
        arrow = vector_field(game)(point)
        print(
            f"{name:10s} at ({radius}, {radius}): length of the arrow {arrow.norm():.4f}, "
            f"d/dt ½r² = {arrow @ point:+.6f}"
        )

# %% [markdown]
# ## From arrows to steps
#
# A computer does not flow, it steps. With the step size $h$ (the learning rate), the plainest way
# is that both players step at once, from the same place. These are **simultaneous** updates:
#
# $$ w^+ = w + h\, v(w). $$
#
# A GAN's training loop does something else: **alternating** updates. The discriminator takes a
# step, or several, while the generator stands still. Then the generator takes one step, *against
# the discriminator as it is now*.

# %% [markdown]
# ### Exercise 2.2 — The steps of a training loop (●●○, 8 min)
#
# Write that, for any number of discriminator steps. `field(point)` returns the arrow
# $(v_\theta, v_\psi)$ at a point; both have shape `(2,)`. Return a new tensor, and leave `point`
# as it is.


# %%
def training_round(field, point: Tensor, step_size: float, discriminator_steps: int) -> Tensor:
    """The point (θ, ψ) after one round of alternating updates, shape (2,)."""
    ### BEGIN SOLUTION
    theta, psi = point
    for _ in range(discriminator_steps):
        psi = psi + step_size * field(torch.stack([theta, psi]))[1]
    theta = theta + step_size * field(torch.stack([theta, psi]))[0]
    return torch.stack([theta, psi])
    ### END SOLUTION


# %%
check("2.2", training_round)

# %% [markdown]
# With one discriminator step the formulas are
#
# $$ \psi^+ = \psi + h\, v_\psi(\theta, \psi), \qquad \theta^+ = \theta + h\, v_\theta(\theta, \psi^+). $$
#
# Here are the course's own rules. They have one argument more, the point *before* this one: two
# rules that come later look back at it.

# %%
show_source(simultaneous, alternating, play)

# %% [markdown]
# **Predict.** Both games start at $(1, 0)$ and take 200 steps of size 0.1. The bilinear game
# *flows* in circles. Its steps: (a) both rules circle too, (b) simultaneous steps spiral out and
# alternating ones circle, (c) simultaneous steps circle and alternating ones spiral in?

# %%
steps = 200
panels = {}
for name, game in (("bilinear game", bilinear()), ("non-saturating Dirac-GAN", first_game)):
    runs = {rule: play(game, RULES[rule], 0.1, steps) for rule in ("simultaneous", "alternating")}
    panels[name] = (*field_on_grid(game, radius=3, points=13), runs)
    for rule, run in runs.items():
        print(f"{name:25s} {rule:13s} distance {run[0].norm():.3f} → {run[-1].norm():.3f}")
plots.show(plots.phase_portraits(panels, radius=3, colors=RULE_COLORS))

# %% [markdown]
# The answer is (b). Simultaneous steps spiral *out*: each arrow points along the tangent, and a
# step along the tangent ends outside the circle, a little further out each time. Alternating
# steps neither leave nor arrive. In the Dirac-GAN both are drawn in by the pull, and
# neither has arrived.
#
# Can you say this beforehand, for any game, rule and step size?

# %% tags=["claim"]
_field, _game = panels["bilinear game"][2], panels["non-saturating Dirac-GAN"][2]
claim(
    "Simultaneous steps spiral *out*",
    (_field["simultaneous"].norm(dim=1).diff() > 0).all(),
    every_seed=True,
)
claim(
    "Alternating steps neither leave nor arrive",
    (_field["alternating"].norm(dim=1) - 1).abs().max() < 0.06,
    every_seed=True,
)
claim(
    "In the Dirac-GAN both are drawn in by the pull, and neither has arrived",
    all(0.5 < run[-1].norm() < 0.7 for run in _game.values()),
    every_seed=True,
)

# %% [markdown]
# ## What eigenvalues tell
#
# Near the equilibrium every smooth field is almost linear: $v(w) \approx J w$, where $J$ is the
# **Jacobian**, the matrix of slopes of $v$ at the equilibrium. By hand, for our two games:
#
# $$
# J_\text{bilinear} = \begin{pmatrix} 0 & -1 \\ 1 & 0 \end{pmatrix}, \qquad
# J_\text{Dirac} = \begin{pmatrix} 0 & \sigma(0) \\ -\sigma(0) & 0 \end{pmatrix} = \begin{pmatrix} 0 & \tfrac12 \\ -\tfrac12 & 0 \end{pmatrix}.
# $$
#
# The eigenvalues solve $\det(J - \lambda I) = 0$: that is $\lambda^2 + 1 = 0$ and
# $\lambda^2 + \tfrac14 = 0$. So
#
# $$ \lambda_\text{bilinear} = \pm i, \qquad \lambda_\text{Dirac} = \pm \tfrac{i}{2}. $$
#
# What an eigenvalue says: along its direction the linear flow behaves like $e^{\lambda t}$. The
# real part of $\lambda$ decides whether that grows (positive) or shrinks (negative). The imaginary
# part decides how fast it turns. Here all real parts are 0: pure turning, to first order.
# Automatic differentiation agrees:

# %%
from course_utils.theory.game_dynamics import (
    eigenvalues,
    jacobian,
    measured_growth,
    predicted_growth,
    update_eigenvalues,
)

for name, game in (("bilinear", bilinear()), ("non-saturating Dirac-GAN", dirac_gan())):
    print(f"{name}: J =\n{jacobian(game).numpy()}\neigenvalues {eigenvalues(game).numpy().round(4)}\n")

# %% [markdown]
# In an ordinary minimisation this cannot happen. There $J$ is minus a matrix of second
# derivatives, which is symmetric, and a symmetric matrix has real eigenvalues only. Turning is
# the mark of a game.
#
# Now the step. Near the equilibrium a simultaneous step multiplies by a matrix,
# $w^+ = (I + hJ)\,w$, whose eigenvalues are $\mu = 1 + h\lambda$. After $k$ steps they stand to
# the power $k$. So everything hangs on the **modulus** $|\mu|$ (the length of the complex number),
# and in the long run on the largest one, the **growth factor**:
#
# | growth factor | what a run near the equilibrium does |
# | --- | --- |
# | above 1 | it leaves the neighbourhood, by this factor a step |
# | below 1 | it arrives, by this factor a step |
# | exactly 1 | a *linear* game neither leaves nor arrives: ours circle, or go round on ellipses; in any other game terms of higher order decide, and the eigenvalues are silent |
#
# (In the last line the two $\mu$ must differ. Where they coincide, even a linear game can leave.)

# %% [markdown]
# ### Exercise 2.3 — Which steps settle? (●●○, 10 min)
#
# A run of simultaneous steps arrives where both $|1 + h\lambda| < 1$. Find the bound $b$ such that
# this holds for every step size $0 < h < b$, and write it as a function of the two $\lambda$.
# Where no step settles, return 0; a $\lambda$ of 0 itself will not come. For
# $\lambda = -0.1 \pm i$ expect about 0.198.
# <!-- number 0.198: claimed below exercise 2.4 -->


# %%
def largest_step(eigenvalues: Tensor) -> Tensor:
    """The bound of the step sizes that settle, one number ≥ 0; eigenvalues λ of J, complex, shape (2,)."""
    ### BEGIN SOLUTION
    # |1 + hλ|² = 1 + 2h·Re λ + h²·|λ|² < 1  ⇔  h < −2·Re λ / |λ|²
    bounds = -2 * eigenvalues.real / eigenvalues.abs() ** 2
    return bounds.min().clamp(min=0)
    ### END SOLUTION


# %%
check("2.3", largest_step)

# %% [markdown]
# For $\lambda = \pm i$ the modulus is $|1 + ih| = \sqrt{1 + h^2}$, above 1 for *every* $h$. With
# real part 0, no step is small enough.
#
# Alternating steps in the bilinear game: $\psi^+ = \psi + h\theta$, and then
# $\theta^+ = \theta - h\psi^+ = (1 - h^2)\,\theta - h\psi$. As a matrix,
#
# $$
# \begin{pmatrix} \theta^+ \\ \psi^+ \end{pmatrix} = \begin{pmatrix} 1 - h^2 & -h \\ h & 1 \end{pmatrix} \begin{pmatrix} \theta \\ \psi \end{pmatrix},
# \qquad \det = (1 - h^2) + h^2 = 1, \qquad \operatorname{trace} = 2 - h^2.
# $$
#
# The determinant is the product of the two eigenvalues. For $h < 2$ they are complex conjugates,
# so their product is $|\mu|^2$, and $|\mu| = 1$ exactly. This game is linear, so it circles,
# whatever the step size below 2. For the logistic Dirac-GANs $|\mu| = 1$ as well, up to $h = 4$,
# because their arrows are half as long; but they are not linear, and whether they circle is
# another question.
#
# `update_eigenvalues` gets the $\mu$ of any rule by differentiating one update. Let us see them
# in the complex plane.

# %%
plots.show(
    plots.unit_circle(
        {
            f"{rule}, h = {h}": update_eigenvalues(bilinear(), RULES[rule], h)[:2].tolist()
            for rule in ("simultaneous", "alternating")
            for h in (0.2, 0.5)
        },
        colors={
            f"{rule}, h = {h}": RULE_COLORS[rule]
            for rule in ("simultaneous", "alternating")
            for h in (0.2, 0.5)
        },
    )
)

# %% [markdown]
# The simultaneous steps' eigenvalues stand straight above and below 1, on the tangent, so they
# are outside the circle for every step size. The alternating ones slide along it.
#
# And does a run do what the eigenvalues say? We measure the growth factor of a run as the slope
# of $\log r$ against the steps. Runs that leave start very near the equilibrium, so that the game
# is still almost linear where they end.

# %%
show_source(measured_growth)
print(f"{'game':26s}{'rule':15s}{'predicted':>11s}{'measured':>11s}")
for name, make in GAMES.items():
    for rule in ("simultaneous", "alternating"):
        predicted = predicted_growth(make(), RULES[rule], 0.2)
        run = play(make(), RULES[rule], 0.2, by_scale(ci=300, cpu=400, gpu=400), start=(1e-9, 0.0))
        measured = measured_growth(run)
        assert abs(math.log(measured) - math.log(predicted)) <= 0.05 * abs(math.log(predicted)) + 1e-4
        print(f"{name:26s}{rule:15s}{predicted:11.5f}{measured:11.5f}")

# %% [markdown]
# Prediction and measurement differ by less than 0.0001. (An alternating run goes round an ellipse,
# so the slope fitted to its distance is a little off.) No game has a growth factor below 1 here,
# with either rule: none settles at a geometric rate.

# %% tags=["claim"]
_rows = [
    (make(), RULES[rule], play(make(), RULES[rule], 0.2, 400, start=(1e-9, 0.0)))
    for make in GAMES.values()
    for rule in ("simultaneous", "alternating")
]
claim(
    "Prediction and measurement differ by less than 0.0001",
    max(abs(predicted_growth(game, rule, 0.2) - measured_growth(run)) for game, rule, run in _rows) < 0.0001,
    every_seed=True,
)
claim(
    "No game has a growth factor below 1 here",
    min(predicted_growth(game, rule, 0.2) for game, rule, _ in _rows) > 1 - 1e-9,
    every_seed=True,
)

# %% [markdown]
# ### Two games, the same eigenvalues
#
# In the table the saturating ("minimax") and the non-saturating Dirac-GAN have the same $\mu$: to
# first order they are the *same game*.
#
# **Predict.** Start both at a distance of 0.1 from the equilibrium, and let them take 1,000
# alternating steps. The growth factor is 1. Which of them ends nearer to the equilibrium than it
# began: (a) neither, (b) both, (c) only the saturating one, (d) only the non-saturating one?

# %%
steps = by_scale(ci=100, cpu=1_000, gpu=1_000)
twins = {
    (loss, rule): play(dirac_gan(loss), RULES[rule], 0.2, steps, start=(0.1, 0.0))
    for loss in ("minimax", "non_saturating")
    for rule in ("alternating", "simultaneous")
}
for (loss, rule), run in twins.items():
    growth = predicted_growth(dirac_gan(loss), RULES[rule], 0.2)
    print(f"{loss:15s} {rule:13s} |μ| = {growth:.5f}   distance {run[0].norm():.3f} → {run[-1].norm():.3f}")

# %% [markdown]
# The answer is (d). The saturating game is still where it began, and the non-saturating one has
# crept in: it has the pull of third order, and where $|\mu| = 1$ nothing of first order drowns it
# out. (The saturating field has no pull: $\theta v_\theta + \psi v_\psi =
# \theta\psi\sigma(\psi\theta) -
# \psi\theta\sigma(\psi\theta) = 0$.)
#
# With simultaneous steps $|\mu| > 1$, and both leave the neighbourhood of the equilibrium, as
# predicted. How far they go is again nothing that eigenvalues know: the saturating game went out to
# about 3, the non-saturating one stopped at about 0.63.

# %% tags=["claim"]
_ends = {name: run[-1].norm().item() for name, run in twins.items()}
claim(
    "The saturating game is still where it began, and the non-saturating one has crept in",
    about(_ends["minimax", "alternating"], 0.1, rel=0.03)
    and about(_ends["non_saturating", "alternating"], 0.09, rel=0.03),
    every_seed=True,
)
claim(
    "the saturating game went out to about 3, the non-saturating one stopped at about 0.63",
    about(_ends["minimax", "simultaneous"], 3, rel=0.1)
    and about(_ends["non_saturating", "simultaneous"], 0.63, rel=0.02)
    and (twins["non_saturating", "simultaneous"][-300:].norm(dim=1) - 0.63).abs().max() < 0.03,
    every_seed=True,
)

# %% [markdown]
# ### Exercise 2.4 — Out, round, or in? (●●○, 8 min)
#
# Predict, with pencil and paper, the fate of six runs near their equilibrium: `"out"`, `"circle"`
# or `"in"`; an ellipse counts as a circle. All these games are linear. Answer with a dictionary,
# such as `{"A": "in", "B": "in", …}`.
#
# - **A** bilinear game, simultaneous steps, $h = 0.1$
# - **B** bilinear game, alternating steps, $h = 0.1$
# - **C** bilinear game, simultaneous steps, $h = 0.01$ ("the learning rate was too large")
# - **D** a damped game with $\lambda = -0.1 \pm i$, simultaneous steps, $h = 0.1$
# - **E** the same damped game, simultaneous steps, $h = 0.5$
# - **F** Dirac-WGAN, alternating steps, $h = 0.1$, five critic steps for each generator step

# %%
### BEGIN SOLUTION
fates = {"A": "out", "B": "circle", "C": "out", "D": "in", "E": "out", "F": "circle"}
### END SOLUTION

# %%
check("2.4", fates)

# %% [markdown]
# Now the runs. The damped game is $\theta\psi + 0.05\,\theta^2$ for one player,
# $-\theta\psi + 0.05\,\psi^2$ for the other: each pays a little for being far from 0.

# %%
damped = Game(
    generator_loss=lambda theta, psi: theta * psi + 0.05 * theta**2,
    discriminator_loss=lambda theta, psi: -theta * psi + 0.05 * psi**2,
)
print("damped game: λ =", eigenvalues(damped).numpy().round(4))
five_to_one = partial(alternating, discriminator_steps=5)
wgan = dirac_gan("wasserstein")
six = {
    "A: simultaneous, h = 0.1": (bilinear(), simultaneous, 0.1, 150),
    "B: alternating, h = 0.1": (bilinear(), alternating, 0.1, 150),
    "C: simultaneous, h = 0.01": (bilinear(), simultaneous, 0.01, 1_500),
    "D: damped, h = 0.1": (damped, simultaneous, 0.1, 150),
    "E: damped, h = 0.5": (damped, simultaneous, 0.5, 12),
    "F: five critic steps": (wgan, five_to_one, 0.1, 150),
}
panels = {}
for name, (game, rule, h, steps) in six.items():
    run = play(game, rule, h, steps)
    label = "simultaneous" if rule is simultaneous else "alternating"
    panels[name] = (*field_on_grid(game, radius=2.5, points=11), {label: run})
    print(
        f"{name:28s} |μ| = {predicted_growth(game, rule, h):.5f}, distance after {steps:4d} steps "
        f"{run[-1].norm():.3f}"
    )
plots.show(plots.phase_portraits(panels, columns=3, radius=2.5, colors=RULE_COLORS))

# %% [markdown]
# You predicted six fates. A, C and E go out, B and F circle, and only D settles. C and E are the
# ones to remember:
#
# | run | why |
# | --- | --- |
# | C | the step is a tenth of that in A; after the same time it has gone round as often, and is further out than it began |
# | E | there is damping, but the step is too large for it: the bound of exercise 2.3 is 0.198 |
# | F | an ellipse: five critic steps move $\psi$ further than one generator step moves $\theta$ |
#
# Your bound of exercise 2.3 was $h < -2 \operatorname{Re}\lambda / |\lambda|^2$: the less damping
# and the faster the turning, the smaller the step must be (Mescheder, Nowozin and Geiger 2017).
# With real part 0 there are three ways out: change the *rule*, change the *game*, or change *what
# you keep* of the run.

# %% tags=["claim"]
_fates = {name[0]: predicted_growth(game, rule, h) for name, (game, rule, h, _) in six.items()}
claim(
    "A, C and E go out, B and F circle, and only D settles",
    min(_fates[name] for name in "ACE") > 1 + 1e-6
    and max(abs(_fates[name] - 1) for name in "BF") < 1e-9
    and _fates["D"] < 1,
    every_seed=True,
)
claim(
    "the bound of exercise 2.3 is 0.198",
    about((-2 * eigenvalues(damped).real / eigenvalues(damped).abs() ** 2).min(), 0.198, rel=0.003),
    every_seed=True,
)

# %% [markdown]
# ## First cure: change the rule
#
# The tangent leads astray. So look where it leads, and use the arrow you find *there*. This is
# the **extragradient** step (Korpelevich 1976; for GANs, Gidel et al. 2019):
#
# $$ w' = w + h\, v(w), \qquad w^+ = w + h\, v(w'). $$

# %% [markdown]
# ### Exercise 2.5 — What does looking ahead do? (●●○, 10 min)
#
# A simultaneous step has $\mu = 1 + h\lambda$. What has an extragradient step? Put the linear
# field $v(w) = Jw$ into both halves, and find the $\mu$ from the $\lambda$. Write the growth
# factor: one number, the factor that decides in the long run. For $\lambda = \pm i$ and $h = 0.1$
# expect about 0.995.


# %%
def looking_ahead(eigenvalues: Tensor, step_size: float) -> Tensor:
    """The growth factor of an extragradient step, one number; eigenvalues λ of J, complex, shape (2,)."""
    ### BEGIN SOLUTION
    ahead = 1 + step_size * eigenvalues  # w′ = (1 + hλ)·w
    return (1 + step_size * eigenvalues * ahead).abs().max()
    ### END SOLUTION


# %%
check("2.5", looking_ahead)

# %% [markdown]
# In the linear case $w^+ = (I + hJ + h^2 J^2)\,w$, so $\mu = 1 + h\lambda + h^2\lambda^2$. With
# $\lambda = i$,
#
# $$ |\mu|^2 = |1 - h^2 + ih|^2 = (1 - h^2)^2 + h^2 = 1 - h^2 + h^4, $$
#
# below 1 for every $h < 1$. The same turning, but now inwards.
#
# Looking ahead costs a second gradient in each step. The **optimistic** step
# (Daskalakis et al. 2018) saves it. It guesses that the arrow will keep changing as it has just
# changed:
#
# $$ w^+ = w + h\,\bigl(v(w) + \underbrace{v(w) - v(w^-)}_{\text{how it changed}}\bigr) = w + 2h\, v(w) - h\, v(w^-), $$
#
# where $w^-$ is the point before. An implementation keeps the last gradient, and needs one new
# gradient a step.

# %%
from course_utils.theory.game_dynamics import extragradient, optimistic

show_source(extragradient, optimistic)

# %%
names = ("simultaneous", "alternating", "extragradient", "optimistic")
runs = {name: play(bilinear(), RULES[name], 0.2, 150) for name in names}
predictions = {name: predicted_growth(bilinear(), RULES[name], 0.2) for name in names}
shown = {name: runs[name] for name in ("extragradient", "optimistic")}
picture = {"bilinear game": (*field_on_grid(bilinear(), 1.5, points=13), shown)}
plots.show(plots.phase_portraits(picture, radius=1.5, columns=1, colors=RULE_COLORS))
plots.show(plots.distance_curves(runs, predictions, title="Bilinear game, h = 0.2", colors=RULE_COLORS))
for name in names:
    print(f"{name:14s} predicted {predictions[name]:.5f}, measured {measured_growth(runs[name]):.5f}")

# %% [markdown]
# Both arrive, at the predicted rate. (The optimistic run lies a little above its line: its first
# step, which has no point before it, is a plain simultaneous one.) Extragradient allows steps up to
# $h = 1$ here; the optimistic rule only up to $1/\sqrt 3 \approx 0.577$. That is the price of the
# saved gradient:

# %%
for h in (0.57, 0.58, 0.99, 1.01):
    factors = [
        f"{rule} {predicted_growth(bilinear(), RULES[rule], h):.4f}"
        for rule in ("extragradient", "optimistic")
    ]
    print(f"h = {h:.2f}:  {',  '.join(factors)}")

# %% tags=["claim"]
claim(
    "Both arrive, at the predicted rate",
    all(abs(measured_growth(runs[name]) - predictions[name]) < 1e-4 for name in shown)
    and max(runs[name][-1].norm() for name in shown) < 0.1,
    every_seed=True,
)
_bound = 1 / math.sqrt(3)
claim(
    "Extragradient allows steps up to $h = 1$ here; the optimistic rule only up to "
    "$1/\\sqrt 3 \\approx 0.577$",
    all(
        predicted_growth(bilinear(), RULES[rule], 0.999 * bound) < 1
        and predicted_growth(bilinear(), RULES[rule], 1.001 * bound) > 1
        for rule, bound in (("extragradient", 1), ("optimistic", _bound))
    ),
    every_seed=True,
    values={"bound": _bound},
)

# %% [markdown]
# ## Second cure: change the game
#
# The circling comes from a discriminator that stays steep although the sample has reached the
# data. So make steepness cost something. The **R1 penalty** adds to $L_D$ the squared slope of
# the logit *on the data*, $\tfrac{\gamma}{2}\, E\bigl[\lVert\nabla_x t(x)\rVert^2\bigr]$.
# Here $t(x) = \psi x$ has the slope $\psi$ everywhere, so
#
# $$
# L_D^{R1} = L_D + \tfrac{\gamma}{2}\psi^2, \qquad
# v_\psi^{R1} = v_\psi - \gamma\psi, \qquad
# J = \begin{pmatrix} 0 & \tfrac12 \\ -\tfrac12 & -\gamma \end{pmatrix}.
# $$
#
# From $\det(J - \lambda I) = \lambda(\lambda + \gamma) + \tfrac14 = 0$ you get
#
# $$ \lambda = -\frac{\gamma}{2} \pm \sqrt{\frac{\gamma^2}{4} - \frac14}. $$
#
# Every $\gamma > 0$ moves both eigenvalues to the left of the imaginary axis: the flow now settles,
# and so do steps that are small enough (exercise 2.3 says how small). The example is from
# Mescheder, Geiger and Nowozin (2018). They also prove, under assumptions, that R1 makes GANs in
# general converge locally.

# %% [markdown]
# ### Exercise 2.6 — How much damping? (●●●, 10 min)
#
# Along the flow, the distance shrinks like $e^{\max \operatorname{Re}(\lambda)\, t}$ in the long
# run. Which $\gamma$ makes the non-saturating Dirac-GAN arrive fastest? A strong penalty is not
# always better: look at what the root does. Give the number.

# %%
### BEGIN SOLUTION
best_gamma = 1.0  # the root vanishes: γ²/4 = 1/4
### END SOLUTION

# %%
check("2.6", best_gamma)

# %% [markdown]
# Now the runs. Measure the rate for several $\gamma$, with the small step
# $h = 0.05$, and compare with $\max \operatorname{Re}\lambda$.

# %% jupyter={"source_hidden": true}
gammas = [0.1, 0.25, 0.5, 0.75, 0.9, 1.25, 1.5, 2.0, 3.0]
h = 0.05
rates = []
for gamma in gammas:
    run = play(dirac_gan(r1=gamma), simultaneous, h, by_scale(ci=300, cpu=800, gpu=800), start=(0.01, 0.0))
    rates.append(math.log(measured_growth(run)) / h)  # per unit of time: h per step

figure, axes = plots.new_figure(height=3.4)
line = [0.02 * k for k in range(1, 160)]
predicted = [eigenvalues(dirac_gan(r1=gamma)).real.max().item() for gamma in line]
axes.plot(
    line, predicted, color=plots.COLORS["optimum"], linewidth=1.2, label="predicted: largest real part of λ"
)
axes.plot(gammas, rates, "o", color=SIMULTANEOUS, markeredgecolor="black", label="measured from runs")
axes.set(xlabel="strength γ of R1", ylabel="rate: log r per unit of time", ylim=(-0.55, 0.02))
axes.legend(loc="lower right")
plots.show(
    plots.describe(
        figure,
        "The largest real part of the eigenvalues against the strength γ of R1. It falls in a straight "
        "line from 0 to −0.5 at γ = 1 and climbs back towards 0 beyond. Points measured from runs lie on "
        "the curve.",
    )
)

# %% [markdown]
# The best is $\gamma = 1$, with the rate $-\tfrac12$. Below it the game turns too long. Above it
# the discriminator can hardly move, so it hardly tells the generator where to go. The number 1
# belongs to this toy.

# %% tags=["claim"]
claim(
    "Points measured from runs lie on the curve",
    max(
        abs(rate - eigenvalues(dirac_gan(r1=gamma)).real.max())
        for gamma, rate in zip(gammas, rates, strict=True)
    )
    < 0.02,
    every_seed=True,
)
claim(
    "It falls in a straight line from 0 to −0.5 at γ = 1 and climbs back towards 0 beyond",
    about(min(predicted), -0.5, rel=1e-3)
    and about(line[predicted.index(min(predicted))], 1, rel=1e-6)
    and about(predicted[12], -line[12] / 2, rel=1e-6)
    and predicted[-1] > -0.1,
    every_seed=True,
)

# %% [markdown]
# ### Noise does the same
#
# Now **instance noise** (Sønderby et al. 2017): add Gaussian noise of standard deviation $\sigma$
# to the data *and* to the samples, before the discriminator sees them. The two clouds overlap, and
# a steep line now misjudges many points of both. What does it do to $J$? Near $\psi = 0$,
# $\operatorname{softplus}$ has the second derivative $\tfrac14$. The discriminator's loss is the
# sum of two averages of it, one over the noisy data $\sigma\varepsilon$, one over the noisy
# samples $\theta + \sigma\varepsilon$. With respect to $\psi$, each has the second derivative
# $\tfrac14 E[(\sigma\varepsilon)^2] = \tfrac14\sigma^2$ at the equilibrium, and there are two, so
#
# $$ \frac{\partial v_\psi}{\partial \psi} = -\frac{\sigma^2}{2}. $$
#
# That is what R1 with $\gamma = \sigma^2/2$ does. To first order noise *is* a penalty on steepness,
# on average over the noise. For the Wasserstein loss it is not: a straight loss has no second
# derivative.

# %%
for loss in ("non_saturating", "wasserstein"):
    print(loss)
    print("  noise σ = 1:    ", eigenvalues(dirac_gan(loss, noise_std=1.0)).numpy().round(4))
    print("  R1 with γ = 0.5:", eigenvalues(dirac_gan(loss, r1=0.5)).numpy().round(4))

# %%
steps = 200
cures = {"no cure": {}, "R1, γ = 0.5": {"r1": 0.5}, "noise, σ = 1": {"noise_std": 1.0}}
cure_colors = dict(zip(cures, (ALTERNATING, plots.COLORS["value"], plots.COLORS["optimum"]), strict=True))
panels = {}
for title, loss in (("non-saturating", "non_saturating"), ("WGAN", "wasserstein")):
    runs = {name: play(dirac_gan(loss, **cure), alternating, 0.1, steps) for name, cure in cures.items()}
    panels[title] = (*field_on_grid(dirac_gan(loss), radius=1.5, points=13), runs)
    for name, run in runs.items():
        print(f"{title:15s} {name:13s} distance after {steps} steps: {run[-1].norm():.5f}")
plots.show(plots.phase_portraits(panels, radius=1.5, colors=cure_colors))

# %% [markdown]
# With the non-saturating loss the run with R1 and the run with noise stay close together, as
# $\gamma = \sigma^2/2$ foretold, and both arrive. For the WGAN, R1 works and noise does nothing
# at all: its run lies exactly on that of no cure.

# %% tags=["claim"]
_logistic, _straight = panels["non-saturating"][2], panels["WGAN"][2]
claim(
    "the run with R1 and the run with noise stay close together",
    (_logistic["R1, γ = 0.5"] - _logistic["noise, σ = 1"]).norm(dim=1).max() < 0.1
    and max(_logistic[name][-1].norm() for name in ("R1, γ = 0.5", "noise, σ = 1")) < 0.01,
    every_seed=True,
)
claim(
    "its run lies exactly on that of no cure",
    (_straight["no cure"] - _straight["noise, σ = 1"]).abs().max() < 1e-9
    and _straight["R1, γ = 0.5"][-1].norm() < 0.01,
    every_seed=True,
)

# %% [markdown]
# ## Third cure: keep the average
#
# Let the players circle, and do not take the last point. Take the average of the points. The
# middle of the circle is the equilibrium. The plain mean,
# $\bar w_t = \frac{1}{t+1}\sum_{k \le t} w_k$, tends to it like $1/t$. Training uses the
# **exponential moving average** (EMA) instead,
#
# $$ \bar w_t = \beta\, \bar w_{t-1} + (1 - \beta)\, w_t, $$
#
# because it forgets the bad early points. After a *half-life* of $n$ steps, with
# $\beta^n = \tfrac12$, a point's weight has halved.
#
# How much of a circle is left? In complex numbers a circle is $w_t = e^{i\varphi t}$, turning by
# $\varphi$ a step. The EMA sums it with weights $(1-\beta)\beta^k$, a geometric series:
#
# $$ \bar w_t = (1 - \beta)\sum_{k \ge 0} \beta^k e^{i\varphi(t-k)} = \frac{1 - \beta}{1 - \beta e^{-i\varphi}}\, e^{i\varphi t}. $$
#
# So the average goes round a smaller circle, smaller by the factor
# $(1 - \beta)/|1 - \beta e^{-i\varphi}|$. As $\beta \to 1$ it vanishes: this is what Yazıcı et
# al. (2019) found.
#
# **Predict.** One turn takes about 63 steps here. Which half-life leaves less than a tenth of the
# circle: (a) 5 steps, (b) 20 steps, (c) 100 steps; or (d) all of them? <!-- number 63: the next
# cell prints it -->

# %%
from course_utils.theory.game_dynamics import moving_average, moving_average_gain, running_mean

h = 0.1
turn = math.acos(1 - h**2 / 2)  # from the trace: 2 cos φ = 2 − h²
circle = play(bilinear(), alternating, h, 1_500)
print(f"one turn: {2 * math.pi / turn:.1f} steps")
for half_life in (5, 20, 100):
    left = moving_average(circle, half_life)[-500:].norm(dim=1).mean() / circle[-500:].norm(dim=1).mean()
    print(
        f"half-life {half_life:3d}: left of the circle: predicted "
        f"{moving_average_gain(half_life, turn):.3f}, measured {left:.3f}"
    )
print(f"plain mean after {len(circle) - 1} steps: {running_mean(circle)[-1].norm():.4f}")

panels = {
    f"half-life {n} steps": (
        *field_on_grid(bilinear(), 1.5, points=13),
        {"alternating run": circle[:700], "its average": moving_average(circle, n)[:700]},
    )
    for n in (20, 100)
}
average_colors = {"alternating run": ALTERNATING, "its average": plots.COLORS["optimum"]}
plots.show(plots.phase_portraits(panels, radius=1.5, colors=average_colors))

# %% [markdown]
# The answer is (c). A half-life well below one turn follows the circle: 5 steps leave 81 % of it. A
# half-life of more than a turn sits near the middle: 100 steps leave 7 %. This is one reason why
# the course's training loop keeps an EMA of the generator ([notebook
# 05](05_dcgan_mnist.ipynb#Why-show-another-generator-than-the-one-that-is-trained?)): where the
# generator circles, the average lies closer to the middle. The players never see it, so it changes
# nothing in the game.
#
# It has a limit: an average cannot tame a spiral. If the points leave, so does their average.

# %% tags=["claim"]
_left = [
    moving_average(circle, n)[-500:].norm(dim=1).mean() / circle[-500:].norm(dim=1).mean() for n in (5, 100)
]
claim(
    "5 steps leave 81 % of it",
    about(_left[0], 0.81, rel=0.01),
    every_seed=True,
    values={"steps": 5, "left": _left[0]},
)
claim(
    "100 steps leave 7 %",
    about(_left[1], 0.07, rel=0.05),
    every_seed=True,
    values={"steps": 100, "left": _left[1]},
)

# %%
spiral = play(bilinear(), simultaneous, h, 1_000)
print(
    f"simultaneous steps: the run is {spiral[-1].norm():.0f} from the equilibrium, its EMA "
    f"{moving_average(spiral, 100)[-1].norm():.0f}"
)

# %% tags=["claim"]
claim(
    "If the points leave, so does their average",
    moving_average(spiral, 100)[-1].norm() > 5,
    every_seed=True,
)

# %% [markdown]
# ## The WGAN and the non-saturating GAN beside each other
#
# To first order both turn, one at the speed 1 and one at ½. The eigenvalues say no more. The terms
# of higher order say the rest: the WGAN has none, and the non-saturating game has its pull inwards,
# $-\theta\psi\tanh(\psi\theta/2)$.
#
# **Predict.** Simultaneous steps push out by a factor, $|1 + ih/2|$ near the equilibrium, and the
# pull of the non-saturating game pulls in. Start one of its runs far out and one near the
# equilibrium. They end (a) both far away, (b) both at the equilibrium, (c) both at the same
# distance in between, (d) each about where it began?

# %%
h, steps = 0.4, 300
panels = {}
for title, loss in (("WGAN", "wasserstein"), ("non-saturating", "non_saturating")):
    runs = {
        f"from {start}": play(dirac_gan(loss), simultaneous, h, steps, (start, 0.0)) for start in (1.5, 0.1)
    }
    panels[title] = (*field_on_grid(dirac_gan(loss), points=13), runs)
    for name, run in runs.items():
        print(
            f"{title:15s} {name}: after 100 steps {run[100].norm():.3f}, after {steps} steps "
            f"{run[-1].norm():.3g}"
        )
start_colors = {"from 1.5": SIMULTANEOUS, "from 0.1": plots.COLORS["optimum"]}
plots.show(plots.phase_portraits(panels, colors=start_colors))

# %% [markdown]
# The answer is (c). The WGAN leaves from both starts. The non-saturating game ends on one and the
# same curve, from outside and from inside, and the curve is nearly a circle: a **limit cycle**. Its
# radius can be computed. One step changes $r^2$ by
#
# $$ |w + hv|^2 - |w|^2 = 2h\, w \cdot v + h^2 |v|^2 \approx -h\,(\theta\psi)^2 + h^2\,\frac{r^2}{4}, $$
#
# with $\tanh(u) \approx u$ and $|v| \approx r/2$ for small $r$. With the angle $\alpha$,
# $(\theta\psi)^2 = r^4 \cos^2\alpha\,\sin^2\alpha$, and over a turn that is $r^4/8$ on average.
# The two balance where $h\, r^4/8 = h^2 r^2/4$, at
#
# $$ r = \sqrt{2h}. $$

# %%
for h in (0.1, 0.2, 0.4):
    run = play(dirac_gan(), simultaneous, h, int(by_scale(ci=80, cpu=200, gpu=200) / h), start=(0.5, 0.0))
    last_turns = run[-int(50 / h) :]
    print(
        f"h = {h:4.2f}: √(2h) = {math.sqrt(2 * h):.3f}, mean radius of the last turns "
        f"{last_turns.norm(dim=1).mean():.3f}"
    )

# %% [markdown]
# The formula holds within 2 %. A smaller learning rate makes the circle smaller, with its square
# root only: a hundredth of the learning rate for a tenth of the circle. <!-- number hundredth: from
# the formula -->
#
# With *alternating* steps nothing pushes out at first order, and the pull is left alone. It moves
# $r^2$ by $-h\,r^4/8$ a step, which solves to $1/r^2 = 1/r_0^2 + hk/8$ after $k$ steps. The run
# creeps in, ever more slowly: in the long run, half the distance takes four times as many steps.
# The WGAN has no pull and does not move in at all.

# %% tags=["claim"]
_cycle = panels["non-saturating"][2]
claim(
    "The WGAN leaves from both starts",
    min(run[-1].norm() for run in panels["WGAN"][2].values()) > 1e3,
    every_seed=True,
)
claim(
    "The non-saturating game ends on one and the same curve, from outside and from inside, and the curve is "
    "nearly a circle",
    all((run[-60:].norm(dim=1) - 0.89).abs().max() < 0.08 for run in _cycle.values()),
    every_seed=True,
)
_radii = {
    step: play(dirac_gan(), simultaneous, step, int(200 / step), start=(0.5, 0.0))[-int(50 / step) :]
    .norm(dim=1)
    .mean()
    for step in (0.2, 0.4)
}
claim(
    "The formula holds within 2 %",
    max(abs(found / math.sqrt(2 * step) - 1) for step, found in _radii.items()) < 0.02,
    every_seed=True,
)

# %%
h, steps = 0.2, by_scale(ci=800, cpu=1_600, gpu=1_600)
runs = {name: play(dirac_gan(name), alternating, h, steps) for name in ("wasserstein", "non_saturating")}
for k in [steps // 16, steps // 4, steps]:
    creeping = 1 / math.sqrt(1 + h * k / 8)
    print(
        f"after {k:4d} steps: WGAN {runs['wasserstein'][k].norm():.3f}, "
        f"non-saturating {runs['non_saturating'][k].norm():.4f} (the formula says {creeping:.4f})"
    )

# %% tags=["claim"]
_far = runs["non_saturating"].norm(dim=1)
claim(
    "in the long run, half the distance takes four times as many steps",
    about(_far[steps // 4] / _far[steps], 2, rel=0.05),
    every_seed=True,
    values={"times": 4},
)
claim(
    "The WGAN has no pull and does not move in at all",
    (runs["wasserstein"].norm(dim=1) - 1).abs().max() < 0.11,
    every_seed=True,
)

# %% [markdown]
# | the Dirac-GAN with | Wasserstein loss | non-saturating loss |
# | --- | --- | --- |
# | eigenvalues $\lambda$ | $\pm i$ | $\pm i/2$ |
# | simultaneous steps | leave, without bound | end on a circle of radius $\sqrt{2h}$ |
# | alternating steps | circle | creep in, $r \approx \sqrt{8/(hk)}$ |
# | R1, small steps | arrives | arrives |
# | instance noise, small steps | no effect | arrives, like R1 with $\gamma = \sigma^2/2$ |
#
# This is a critic with no bound on its slope. A WGAN in practice bounds it, by clipping or by a
# penalty.

# %% [markdown]
# ## Try it yourself
#
# Choose a game, an update rule and a step size. ■ puts the run back to its start, ▶ lets it draw
# itself, "One step" takes one step more. "Start again" puts all controls back. On the right, the
# dotted line is what the eigenvalues predict, to first order. A run that gets ten
# units away has left, and stops. <!-- numbers: the widget's settings -->
#
# Things to try:
#
# - The non-saturating game with simultaneous steps: the prediction says "leaves", and the run goes
#   in. Which curve does it come to, and why is neither wrong?
# - The Dirac-WGAN with alternating steps: turn up the noise, then R1. Which one does anything?
# - Extragradient in the bilinear game: find the step size at which it stops arriving.
# - Switch the moving average on, and find a setting where the run circles and the average sits
#   still.

# %%
from course_utils.widgets.game_explorer import game_explorer

game_explorer()

# %% [markdown]
# ## Misconceptions
#
# Each of these is easily believed. Each is held against a run.
#
# ### "Alternating updates cure it"
#
# In the linear games they turn an outward spiral into a circle. They do not make it settle.

# %%
run = play(wgan, alternating, 0.1, by_scale(ci=500, cpu=2_000, gpu=2_000))
print(
    f"distance at the start {run[0].norm():.3f}; over the last 100 steps {run[-100:].norm(dim=1).mean():.3f}"
)

# %% tags=["claim"]
claim("They do not make it settle", about(run[-100:].norm(dim=1).mean(), 1, rel=0.01), every_seed=True)

# %% [markdown]
# ### "A smaller learning rate makes it converge"
#
# It makes everything slower, the leaving too. Compare runs after the same time $t = hk = 10$,
# more than one turn. The formula for the distance is $(1 + h^2)^{k/2} \approx e^{ht/2}$: it tends
# to 1, the distance at the start, and never falls below it.

# %%
for h in (0.1, 0.01, 0.002):
    steps = round(by_scale(ci=2, cpu=10, gpu=10) / h)
    run = play(bilinear(), simultaneous, h, steps)
    print(
        f"h = {h:5.3f}, {steps:5d} steps: distance {run[-1].norm():.4f}, e^(ht/2) = "
        f"{math.exp(h * h * steps / 2):.4f}"
    )

# %% tags=["claim"]
claim(
    "it tends to 1, the distance at the start, and never falls below it",
    all(
        about(play(bilinear(), simultaneous, step, round(10 / step))[-1].norm(), math.exp(5 * step), rel=0.01)
        for step in (0.1, 0.01)
    )
    and run[-1].norm() > 1,
    every_seed=True,
)

# %% [markdown]
# ### "The losses oscillate, so there must be a bug"
#
# Users of working programs ask about it: "loss does not converge" (JiahuiYu/generative_inpainting,
# issue 16, 2018), "CycleGAN convergence" (junyanz/pytorch-CycleGAN-and-pix2pix, issue 335, 2018).
# "Many GAN losses do not converge at all", an author of the second answers. <!-- numbers: those of
# the issues -->
#
# Here is the training log of a correct program, with alternating steps. What helps one player hurts
# the other, so there is no reason for either loss to keep falling.


# %% jupyter={"source_hidden": true}
def show_losses(game: Game, run: Tensor, title: str) -> None:
    """Draw both players' losses along a run."""
    figure, axes = plots.new_figure(height=3.0)
    for player, loss, dashes in (
        ("discriminator", game.discriminator_loss, "-"),
        ("generator", game.generator_loss, "--"),
    ):
        axes.plot([loss(*point) for point in run], color=plots.COLORS[player], linestyle=dashes, label=player)
    axes.set(xlabel="steps", ylabel="loss", title=title)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    first, last = run[0].norm(), run[-1].norm()
    alt = (
        f"Losses of both players against steps: {title}. "
        f"The run is {first:.2f} from the equilibrium at first, {last:.2f} at last."
    )
    plots.show(plots.describe(figure, alt))


# %%
run = play(first_game, alternating, 0.1, 600, start=(2.0, 0.0))
show_losses(first_game, run, "a correct program: the losses oscillate")
print(f"distance to the equilibrium: {run[0].norm():.2f} at the start, {run[-1].norm():.2f} at the end")

# %% [markdown]
# Both losses oscillate to the end. The oscillation shrinks, because this run creeps in. Look for
# bugs by other means: check, for instance, that no gradient reaches the wrong player ([notebook
# 05](05_dcgan_mnist.ipynb#What-does-a-missing-detach-do?)). Oscillation alone proves nothing.

# %% tags=["claim"]
_log = torch.stack([first_game.generator_loss(*point) for point in run])
claim(
    "Both losses oscillate to the end. The oscillation shrinks, because this run creeps in",
    ((_log[-130:] - math.log(2)).sign().diff() != 0).sum() >= 2
    and _log[-130:].std() < _log[:130].std() / 2
    and run[-1].norm() < run[0].norm() / 2,
    every_seed=True,
)

# %% [markdown]
# ### "The losses have gone flat, so it has converged"
#
# The other way round is as wrong. This is the saturating game with simultaneous steps.

# %%
minimax = dirac_gan("minimax")
run = play(minimax, simultaneous, 0.2, by_scale(ci=700, cpu=1_600, gpu=1_600), start=(1.0, 1.0))
show_losses(minimax, run, "long flat stretches, far from the equilibrium")
quiet = run[by_scale(ci=600, cpu=1_000, gpu=1_000)]
print(
    f"in the flat stretch: θ = {quiet[0]:.2f}, ψ = {quiet[1]:.2f}, distance to the equilibrium "
    f"{quiet.norm():.2f}"
)
print(f"length of the arrow there: {vector_field(minimax)(quiet).norm():.5f}")

# %% [markdown]
# Stop the log at step 1,000 and you would say that it has converged. In truth the run has been
# carried far out, to where the discriminator rejects the sample with near certainty. There the
# saturating losses are flat and the arrows almost nothing, so the players creep; until they come
# round a corner, and both losses jump. Each silence is longer than the one before.
# [Notebook 01](01_minimax_objective.ipynb#The-generator's-gradient)
# showed this from the other side: the gradient of $\log(1 - D)$ vanishes where $D$ is near 0.

# %% tags=["claim"]
_log = torch.stack([minimax.discriminator_loss(*point) for point in run])
_loud = (_log.diff().abs() > 0.02).nonzero().flatten().tolist()
_silences = [later - earlier for earlier, later in pairwise(_loud) if later - earlier > 30]
claim(
    "Stop the log at step 1,000",
    (_log[950:1_000].diff().abs() < 1e-3).all() and run[1_000].norm() > 3,
    every_seed=True,
)
claim(
    "where the discriminator rejects the sample with near certainty",
    torch.sigmoid(run[1_000, 0] * run[1_000, 1]) < 0.01,
    every_seed=True,
)
claim(
    "Each silence is longer than the one before",
    len(_silences) >= 3 and all(later > earlier for earlier, later in pairwise(_silences)),
    every_seed=True,
)

# %% [markdown]
# ### "Give the discriminator more steps, or a larger learning rate, and it settles"
#
# Not in this game. With the step sizes $h_G$ and $h_D$ of the two players, simultaneous steps have
# $|\mu| = \sqrt{1 + h_G h_D}$: raising $h_D$ alone makes it worse, and only the product counts.
# Alternating steps keep $|\mu| = 1$ as long as $h_G h_D < 4$. Several discriminator steps are one
# long step here, because $v_\psi$ does not depend on $\psi$.

# %%
print("simultaneous steps")
for rates in ((0.1, 0.1), (0.1, 0.5), (0.02, 0.5)):
    growth = predicted_growth(wgan, simultaneous, torch.tensor(rates, dtype=torch.float64))
    print(f"  generator {rates[0]:.2f}, discriminator {rates[1]:.2f}:  |μ| = {growth:.5f}")
print("alternating steps, both 0.10")
for discriminator_steps in (1, 5, 25, 500):
    rule = partial(alternating, discriminator_steps=discriminator_steps)
    print(f"  {discriminator_steps:3d} discriminator steps:  |μ| = {predicted_growth(wgan, rule, 0.1):.5f}")

# %% tags=["claim"]
_growth = {
    pair: predicted_growth(wgan, simultaneous, torch.tensor(pair, dtype=torch.float64))
    for pair in ((0.1, 0.1), (0.1, 0.5), (0.02, 0.5))
}
claim(
    "raising $h_D$ alone makes it worse, and only the product counts",
    _growth[0.1, 0.5] > _growth[0.1, 0.1] and about(_growth[0.02, 0.5], _growth[0.1, 0.1], rel=1e-9),
    every_seed=True,
)
claim(
    "Alternating steps keep $|\\mu| = 1$ as long as $h_G h_D < 4$",
    abs(predicted_growth(wgan, partial(alternating, discriminator_steps=399), 0.1) - 1) < 1e-6
    and predicted_growth(wgan, partial(alternating, discriminator_steps=401), 0.1) > 1.05,
    every_seed=True,
    values={"bound": 4},
)

# %% [markdown]
# Why then does [notebook 03](03_first_gan.ipynb#What-does-D-tell-the-generator?) give D a learning
# rate four times as large as G's? For another reason, which this toy does not have. A network has
# to *find* the difference between data and samples before it can point anywhere, and while it lags
# behind, the generator follows old news. Heusel et al. (2017) prove convergence with two such time
# scales, but under assumptions that rule this toy out: for a generator at rest, the discriminator's
# own dynamics must settle. With R1 they do. <!-- number four times: notebook 03's setting -->
#
# ### "Momentum smooths the oscillation out"
#
# Momentum smooths noise. This oscillation is no noise: it is where the arrows point, and momentum
# carries the players further round, and out.

# %%
from course_utils.theory.game_dynamics import heavy_ball

for momentum in (0.0, 0.5, 0.9):
    rule = partial(heavy_ball, momentum=momentum)
    run = play(wgan, rule, 0.1, 40)
    print(
        f"momentum {momentum}: |μ| = {predicted_growth(wgan, rule, 0.1):.4f}, distance after 40 steps "
        f"{run[-1].norm():.2f}"
    )

# %% [markdown]
# This fits what is done in practice. Radford, Metz and Chintala (2016) found that the usual
# momentum of 0.9 in Adam made the training of DCGANs oscillate, and took 0.5; the networks of
# [notebook 05](05_dcgan_mnist.ipynb#How-do-the-two-learn?) are trained with 0. Gidel et al. (2019b)
# go further and show that a *negative* momentum helps. <!-- numbers: Adam's β₁ in the paper cited,
# in a recipe -->

# %% tags=["claim"]
claim(
    "momentum carries the players further round, and out",
    predicted_growth(wgan, simultaneous, 0.1)
    < predicted_growth(wgan, partial(heavy_ball, momentum=0.5), 0.1)
    < predicted_growth(wgan, partial(heavy_ball, momentum=0.9), 0.1),
    every_seed=True,
)

# %% [markdown]
# ## What carries over, and what does not
#
# A real GAN has millions of numbers instead of two. Near an equilibrium it has a Jacobian all the
# same, with many eigenvalues, and one that is badly placed is enough.
#
# What carries over is the diagnosis: turning, not climbing. Berard et al. (2020) measured the
# eigenvalues of trained image GANs, and found imaginary parts and rotation there too. And so do the
# cures: R1, EMA, little momentum, looking ahead.
#
# What does not carry over: the numbers. A real discriminator is no straight line, gradients come
# from minibatches, Adam rescales them, and training starts far from any equilibrium. And an
# equilibrium with perfect samples has to exist at all: the proof for R1 assumes that the generator
# can produce the data's distribution.
#
# ## A game of your own
#
# You have met all the parts. Now put them together, for games that nobody has analysed for you.

# %% [markdown]
# ### Exercise 2.7 — From two losses to a fate (●●●, 35 min)
#
# Write a function that takes any two losses with the equilibrium $(0, 0)$, and says what
# *alternating* steps (one discriminator step, then one generator step) do near it, twice: by
# eigenvalues, and by a run. Use PyTorch only, nothing from `game_dynamics`.
#
# - The eigenvalues $\mu$ of one alternating step at the equilibrium, as a complex tensor of shape
#   `(2,)`, in any order. You need the slopes of the losses, the step, and the step's matrix.
# - The growth per step that a run shows, one number. Start it very near the equilibrium, at a
#   distance of $10^{-6}$, say, and take a few hundred steps, fewer where the run flies apart: far
#   out the growth is another one. How do you get one factor from many
#   distances? <!-- number 6: the exponent of a start -->
#
# The losses take two numbers as tensors, $\theta$ and $\psi$, in float64. For the non-saturating
# Dirac-GAN with R1, $\gamma = 0.5$, and $h = 0.5$, expect two $\mu$ near $0.844 \pm 0.195\,i$, and
# a growth of about 0.866.


# %%
def fate(generator_loss, discriminator_loss, step_size: float) -> tuple[Tensor, float]:
    """(eigenvalues μ of one alternating step at (0, 0), shape (2,); growth per step measured in a run)."""
    ### BEGIN SOLUTION
    generator_slope = torch.func.grad(generator_loss, argnums=0)
    discriminator_slope = torch.func.grad(discriminator_loss, argnums=1)

    def step(point):
        theta, psi = point
        psi = psi - step_size * discriminator_slope(theta, psi)
        theta = theta - step_size * generator_slope(theta, psi)
        return torch.stack([theta, psi])

    matrix = torch.func.jacrev(step)(torch.zeros(2, dtype=torch.float64))
    values = torch.linalg.eigvals(matrix)

    point, distances = torch.tensor([1e-6, 0.0], dtype=torch.float64), []
    for _ in range(300):
        point = step(point)
        distances.append(point.norm().item())
    first, last = distances[100], distances[-1]  # the first turns forget the start
    return values, (last / first) ** (1 / (len(distances) - 1 - 100))
    ### END SOLUTION


# %%
fate_or_reference = check("2.7", fate, otherwise=alternating_fate)

# %% [markdown]
# The prediction and the run agree, in games that need no formula.

# %% tags=["claim"]
_values, _growth = fate_or_reference(*dirac_gan(r1=0.5), 0.5)
claim(
    "expect two $\\mu$ near $0.844 \\pm 0.195\\,i$, and a growth of about 0.866",
    about(_values.real.mean(), 0.844, rel=0.001)
    and about(_values.imag.abs().mean(), 0.195, rel=0.003)
    and about(_growth, 0.866, rel=0.003),
    every_seed=True,
    values={"h": 0.5},
)

# %% [markdown]
# Now a game of your own. Change the two losses below as you like, keep the equilibrium at $(0, 0)$,
# and predict before you run. The example is an oscillator of van der Pol (1926) in the clothes of a
# GAN: near the middle the generator likes to be elsewhere, and far out it does not.


# %%
def my_generator_loss(theta: Tensor, psi: Tensor) -> Tensor:
    return theta * psi - 0.25 * theta**2 + 0.125 * theta**4


def my_discriminator_loss(theta: Tensor, psi: Tensor) -> Tensor:
    return -theta * psi


h = 0.1
values, growth = fate_or_reference(my_generator_loss, my_discriminator_loss, h)
print("eigenvalues of one step:", [f"{value:.4f}" for value in values.tolist()])
print(f"growth per step: predicted {values.abs().max():.4f}, measured {growth:.4f}")

# %% [markdown]
# Here is its portrait, beside two games that you know: a hundred runs each, as the stars draw
# themselves on a plate that is exposed all night. Each run has the colour of the distance from
# which it started.
#
# **Predict.** The growth factor of the example is above 1, so its runs leave the middle. Do they go
# (a) to infinity, (b) round and round at a distance that is the same for all?


# %% jupyter={"source_hidden": true}
def portraits(games: dict[str, Game], step_size: float, steps: int):
    """A figure of a hundred alternating runs in each game, from starts all over the plane."""
    figure, panels = plots.new_figure(columns=len(games), width=9.0, height=3.4)
    figure.set_facecolor("black")
    rng = torch.Generator().manual_seed(seed(0))
    starts = 4.4 * torch.rand(100, 2, generator=rng, dtype=torch.float64) - 2.2
    paint = colormaps["plasma"]
    alt = []
    for panel, (title, game) in zip(panels, games.items(), strict=True):
        field, points = torch.vmap(vector_field(game)), [starts]
        for _ in range(steps):
            points.append(alternating(field, points[-1], points[-1], step_size))
        runs = torch.stack(points, dim=1)  # (100, steps + 1, 2)
        for run in runs:
            panel.plot(*run.T, color=paint(0.2 + run[0].norm().item() / 4), linewidth=0.5, alpha=0.8)
        panel.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal")
        panel.set_axis_off()
        panel.set_title(title, color="white")
        last = runs[:, -1].norm(dim=1)
        alt.append(f"{title}: the runs end {last.min():.2f} to {last.max():.2f} from the equilibrium")
    return plots.describe(figure, f"Bright trails of a hundred runs in each game. {'; '.join(alt)}."), runs


figure, my_runs = portraits(
    {
        "non-saturating Dirac-GAN": first_game,
        "… with R1, γ = 0.2": dirac_gan(r1=0.2),
        "a game of your own": Game(my_generator_loss, my_discriminator_loss),
    },
    step_size=h,
    steps=by_scale(ci=40, cpu=300, gpu=300),
)
plots.show(figure)

# %% [markdown]
# The answer is (b): in the example, all of the hundred runs end between 1.0 and 1.3 from the
# equilibrium, on one closed curve. The eigenvalues told how the runs begin. How they end, only the
# runs told. `figure.savefig("my_game.png", dpi=200)` keeps the picture, to show to somebody. <!--
# number 200: a setting -->

# %% tags=["claim"]
_last = my_runs[:, -60:].norm(dim=2)
claim(
    "all of the hundred runs end between 1.0 and 1.3 from the equilibrium, on one closed curve",
    _last.min() > 1.0 and _last.max() < 1.3 and values.abs().max() > 1,
    every_seed=True,
    values={"runs": len(my_runs)},
)

# %% [markdown]
# ## Summary
#
# - A GAN is not one loss going down but two players on one plane. Their arrows turn: the
#   eigenvalues of $J$ at the equilibrium are imaginary.
# - One update multiplies by $\mu$. Above 1, $|\mu|$ says that a run leaves the neighbourhood of
#   the equilibrium, below 1 that it arrives. At 1 it settles the question in linear games only.
# - Simultaneous steps: $|\mu| = \sqrt{1 + h^2 |\lambda|^2}$ for imaginary $\lambda$, out for every
#   $h$. Alternating steps: $|\mu| = 1$. The WGAN and the saturating game go round, the
#   non-saturating one creeps in.
# - Change the rule: extragradient, $|\mu|^2 = 1 - h^2 + h^4$ for $\lambda = \pm i$; optimistic,
#   the same idea with one gradient a step.
# - Change the game: R1 gives $\lambda = -\gamma/2 \pm \sqrt{\gamma^2/4 - 1/4}$, best at
#   $\gamma = 1$ in this toy. Instance noise acts like $\gamma = \sigma^2/2$, but not on a WGAN.
# - Change what you keep: an EMA with a half-life of more than a turn sits near the middle of the
#   circle.
# - Losses that oscillate prove no bug; losses that are flat prove no convergence.
#
# `course progress` in a terminal shows which exercises you have solved. In
# [notebook 03](03_first_gan.ipynb#A-GAN-on-a-line) two networks play.

# %% [markdown]
# ## Further reading
#
# - L. Mescheder, A. Geiger, S. Nowozin, *Which Training Methods for GANs do actually Converge?*,
#   ICML 2018, arXiv:1801.04406. The Dirac-GAN, R1, instance noise, and more penalties, with
#   proofs. (Their discriminator's sign is the opposite of ours: their $\psi$ is our $-\psi$.)
# - L. Mescheder, S. Nowozin, A. Geiger, *The Numerics of GANs*, NIPS 2017, arXiv:1705.10461.
#   Eigenvalues, step sizes, and another cure (consensus optimisation).
# - I. Goodfellow, *NIPS 2016 Tutorial: Generative Adversarial Networks*, arXiv:1701.00160. The
#   bilinear game as an exercise, with its solution.
# - G. M. Korpelevich, *The extragradient method for finding saddle points and other problems*,
#   Ekonomika i Matematicheskie Metody 12 (1976), 747–756. <!-- numbers: pages -->
# - C. Daskalakis, A. Ilyas, V. Syrgkanis, H. Zeng, *Training GANs with Optimism*, ICLR 2018,
#   arXiv:1711.00141.
# - G. Gidel, H. Berard, G. Vignoud, P. Vincent, S. Lacoste-Julien, *A Variational Inequality
#   Perspective on Generative Adversarial Networks*, ICLR 2019, arXiv:1802.10551. Extragradient
#   and averaging for GANs.
# - G. Gidel, R. Askari Hemmat, M. Pezeshki, R. Le Priol, G. Huang, S. Lacoste-Julien, I.
#   Mitliagkas, *Negative Momentum for Improved Game Dynamics*, AISTATS 2019 ("2019b" above),
#   arXiv:1807.04740.
# - M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, *GANs Trained by a Two
#   Time-Scale Update Rule Converge to a Local Nash Equilibrium*, NIPS 2017, arXiv:1706.08500.
# - H. Berard, G. Gidel, A. Almahairi, P. Vincent, S. Lacoste-Julien, *A Closer Look at the
#   Optimization Landscapes of Generative Adversarial Networks*, ICLR 2020, arXiv:1906.04848.
#   Eigenvalues of GANs that draw images.
# - B. van der Pol, *On "relaxation-oscillations"*, Philosophical Magazine 2 (1926), 978–992. <!--
#   numbers: pages -->
# - C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár, *Amortised MAP Inference for Image
#   Super-resolution*, ICLR 2017, arXiv:1610.04490. Instance noise.
# - A. Radford, L. Metz, S. Chintala, *Unsupervised Representation Learning with Deep
#   Convolutional Generative Adversarial Networks*, ICLR 2016, arXiv:1511.06434.
# - Y. Yazıcı, C.-S. Foo, S. Winkler, K.-H. Yap, G. Piliouras, V. Chandrasekhar, *The Unusual
#   Effectiveness of Averaging in GAN Training*, ICLR 2019, arXiv:1806.04498.
# - V. Nagarajan, J. Z. Kolter, *Gradient descent GAN optimization is locally stable*, NIPS 2017,
#   arXiv:1706.04156. When it does settle, and why the WGAN does not.
