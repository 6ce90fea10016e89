# %% [markdown]
# # Game dynamics: why two good players go round in circles
#
# After this notebook you can say, before you run it, whether a two-player game spirals out,
# circles or settles, and you know what to change when it does not settle.
#
# | | |
# | --- | --- |
# | Reading time | 50 min, and 45 min for the exercises |
# | Running time | about 20 s on two CPU cores; a GPU is not needed |
# | You need | notebook 01; derivatives and the chain rule; what an eigenvalue is |
# | You will be able to | draw a GAN as arrows on a plane; predict the fate of a run from eigenvalues; choose a cure and say why it works |

# %%
import math
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from course_utils import plots
from course_utils.checks import check
from course_utils.notebook import show_source
from course_utils.runtime import by_scale
from course_utils.theory.game_dynamics import (
    GAMES,
    RULES,
    Game,
    alternating,
    bilinear,
    dirac_gan,
    play,
    simultaneous,
)

# %% [markdown]
# ## How small can a GAN be?
#
# Notebook 01 told you where the game ends: the generator's samples are distributed like the data,
# and the discriminator says ½ everywhere. It did not say whether training *gets* there. To find
# out, we shrink the game until all of it fits on a page. This is the **Dirac-GAN** of Mescheder,
# Geiger and Nowozin (2018):
#
# - The data are as simple as can be: every data point is 0.
# - The generator has one number, $\theta$. Every sample it makes is $\theta$.
# - The discriminator has one number too, $\psi$. Its logit is a straight line through the origin,
#   $D(x) = \psi x$. As in the whole course, a positive logit means "real".
#
# You know the losses from notebook 01. There, $\operatorname{softplus}(t) = \log(1 + e^t)$, so
# that $-\log \sigma(t) = \operatorname{softplus}(-t)$. Data point 0 gets the logit
# $\psi \cdot 0 = 0$, the sample gets $\psi\theta$:
#
# $$
# L_D(\theta, \psi) = \underbrace{\operatorname{softplus}(0)}_{\text{data}} + \underbrace{\operatorname{softplus}(\psi\theta)}_{\text{sample}},
# \qquad
# L_G(\theta, \psi) = \operatorname{softplus}(-\psi\theta).
# $$
#
# The discriminator moves $\psi$ to make $L_D$ small. The generator moves $\theta$ to make $L_G$
# small; this is the non-saturating loss. The game should end at $\theta = 0$ (the samples sit on
# the data) and $\psi = 0$ (the logit is 0 everywhere, so the discriminator says ½). We call this
# point the **equilibrium**: there, neither player gains by moving alone.


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
# Now let the two play. The sample starts at $\theta = 1$, the line starts flat, $\psi = 0$.
#
# **Predict.** Which way does the line tilt first? Then which way does the sample move? And where
# is the sample when the line is flat again?

# %%
chase = play(first_game, alternating, step_size=0.1, steps=126, start=(1.0, 0.0))
plots.show(plots.dirac_moments({f"step {step}": chase[step] for step in (0, 32, 64, 94)}))
for step in (0, 32, 64, 94, 126):
    print(f"step {step:3d}:  θ = {chase[step, 0]:+.2f},  ψ = {chase[step, 1]:+.2f}")

# %% [markdown]
# Read the four pictures as a story.
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
# next round has begun.
#
# Nobody made a mistake. Each player always did what was best for it at that moment. Do they
# arrive, if you wait long enough? Would they with another loss, another order of steps, a smaller
# learning rate? This notebook finds out.

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
# game and returns its arrows; `dirac_gan` builds the game from the losses in
# `course_utils.losses`, the same that train the DCGAN in notebook 05.

# %%
from course_utils.theory.game_dynamics import field_on_grid, vector_field

show_source(vector_field)
here = torch.tensor([0.7, -1.3], dtype=torch.float64)
print("from the losses above:         ", vector_field(first_game)(here))
print("from course_utils.losses:      ", vector_field(dirac_gan("non_saturating"))(here))

# %% [markdown]
# Beside it we put an even simpler game, the **bilinear game**: one player minimises $\theta\psi$
# by moving $\theta$, the other maximises it by moving $\psi$. Its field is $v = (-\psi, \theta)$.
# It is the Dirac-GAN with the Wasserstein loss in other words: there the critic minimises
# $\psi\theta$ and the generator minimises $-\psi\theta$, which is the bilinear game seen in a
# mirror.
#
# **Predict.** The cross marks the equilibrium. Put your finger on $(1, 0)$ and follow the arrows.
# Do they lead to the cross?

# %%
plots.show(
    plots.phase_portraits(
        {
            "bilinear game": (*field_on_grid(bilinear()), {}),
            "non-saturating Dirac-GAN": (*field_on_grid(first_game), {}),
        },
        alt="Two fields of arrows on the plane of θ and ψ. In the bilinear game the arrows go round the "
        "equilibrium "
        "counter-clockwise, on circles. In the Dirac-GAN they go round it clockwise, on curves that look "
        "like "
        "circles near the middle and are bent far away from it.",
    )
)

# %% [markdown]
# The arrows go *round* the equilibrium, hardly towards it. How hardly? Let a point flow along the
# arrows, in infinitely small steps, and watch its distance $r$ to the equilibrium. With
# $\tfrac12 r^2 = \tfrac12(\theta^2 + \psi^2)$,
#
# $$
# \frac{d}{dt}\,\tfrac12 r^2 = \theta\, v_\theta + \psi\, v_\psi = \begin{cases}
# -\theta\psi + \psi\theta = 0 & \text{bilinear game} \\[2pt]
# \theta\psi\,\bigl(\sigma(-\psi\theta) - \sigma(\psi\theta)\bigr) = -\theta\psi \tanh(\psi\theta/2) \le 0 & \text{non-saturating Dirac-GAN.}
# \end{cases}
# $$
#
# The bilinear game flows on exact circles, for ever. The Dirac-GAN has a pull inwards, but it is
# tiny near the equilibrium: the part of the arrow that points inwards is of third order in $r$
# (so the rate above is of fourth), while the arrow itself is of first. We shall meet this pull
# again.

# %%
for name, game in (("bilinear", bilinear()), ("Dirac-GAN", first_game)):
    for radius in (1.0, 0.1):
        point = torch.tensor([radius, radius], dtype=torch.float64)
        arrow = vector_field(game)(point)
        print(
            f"{name:10s} at ({radius}, {radius}): length of the arrow {arrow.norm():.4f}, pull "
            f"{arrow @ point:+.6f}"
        )

# %% [markdown]
# ## From arrows to steps
#
# A computer does not flow, it steps. With the step size $h$ (the learning rate), the plainest way
# is that both players step at once, from the same place. These are **simultaneous** updates:
#
# $$ w^+ = w + h\, v(w). $$
#
# A GAN's training loop does something else. It updates the discriminator first; then the
# generator is updated *against the new discriminator*. These are **alternating** updates:
#
# $$ \psi^+ = \psi + h\, v_\psi(\theta, \psi), \qquad \theta^+ = \theta + h\, v_\theta(\theta, \psi^+). $$

# %% [markdown]
# ### Exercise 2.2 — One alternating step (●○○, 5 min)
#
# Write it. `field(point)` returns the arrow $(v_\theta, v_\psi)$ at a point; both have shape
# `(2,)`. Return a new tensor, and leave `point` as it is.


# %%
def alternating_step(field, point: Tensor, step_size: float) -> Tensor:
    """The next point (θ⁺, ψ⁺), shape (2,): the discriminator moves first, the generator answers."""
    ### BEGIN SOLUTION
    theta, psi = point
    psi = psi + step_size * field(point)[1]
    theta = theta + step_size * field(torch.stack([theta, psi]))[0]
    return torch.stack([theta, psi])
    ### END SOLUTION


# %%
check("2.2", alternating_step)

# %% [markdown]
# The course's rules have one argument more, the point *before* this one. Two rules that come
# later look back at it.

# %%
show_source(simultaneous, alternating, play)

# %% [markdown]
# **Predict.** Both games start at $(1, 0)$ and take 200 steps of size 0.1. The flow goes round.
# What do simultaneous steps do, what do alternating steps do?

# %%
steps = 200
panels = {}
for name, game in (("bilinear game", bilinear()), ("non-saturating Dirac-GAN", first_game)):
    runs = {rule: play(game, RULES[rule], 0.1, steps) for rule in ("simultaneous", "alternating")}
    panels[name] = (*field_on_grid(game, radius=3), runs)
    for rule, run in runs.items():
        print(f"{name:25s} {rule:13s} distance {run[0].norm():.3f} → {run[-1].norm():.3f}")
plots.show(plots.phase_portraits(panels, radius=3))

# %% [markdown]
# In the bilinear game simultaneous steps spiral *out*: each arrow points along the tangent, and a
# step along the tangent ends outside the circle, a little further out each time. Alternating
# steps neither leave nor arrive. In the Dirac-GAN both are drawn in a little by the pull, and
# neither has arrived.
#
# Can you say this beforehand, for any game, rule and step size?

# %% [markdown]
# ## Eigenvalues decide how it ends
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
# What an eigenvalue says: along its direction the flow behaves like $e^{\lambda t}$. The real
# part of $\lambda$ decides whether that grows (positive) or shrinks (negative). The imaginary
# part decides how fast it turns. Here all real parts are 0: pure turning. Automatic
# differentiation agrees:

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
# the power $k$. So everything hangs on the **modulus** $|\mu|$ (the length of the complex
# number): above 1 the run leaves, below 1 it arrives, at 1 it circles.

# %% [markdown]
# ### Exercise 2.3 — How much does one step grow? (●●○, 8 min)
#
# Write the growth factor per simultaneous step, given the eigenvalues $\lambda$ of $J$ and the
# step size. It is one number, the factor that decides in the long run. For $\lambda = \pm i$ and
# $h = 0.1$ expect about 1.005.


# %%
def growth_factor(eigenvalues: Tensor, step_size: float) -> Tensor:
    """The factor on distances per simultaneous step, in the long run; eigenvalues are complex, shape (2,)."""
    ### BEGIN SOLUTION
    return (1 + step_size * eigenvalues).abs().max()
    ### END SOLUTION


# %%
check("2.3", growth_factor)

# %% [markdown]
# For $\lambda = \pm i$ the answer is $|1 + ih| = \sqrt{1 + h^2}$. It is above 1 for *every* $h$.
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
# so their product is $|\mu|^2$, and $|\mu| = 1$ exactly. Alternating updates circle, whatever the
# step size below 2. (For the Dirac-GAN the bound is 4, because its arrows are half as long.)
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
        }
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
# Prediction and measurement agree to four decimals. (An alternating run goes round an ellipse, so
# the fitted slope of its distance is off in the fifth.) Two things to keep:
#
# - Near the equilibrium the saturating ("minimax") and the non-saturating loss are the *same
#   game*: same $J$, same fate. They differ far from it only.
# - No unregularised game here has a growth factor below 1. None settles at a geometric rate.

# %% [markdown]
# ### Exercise 2.4 — Out, round, or in? (●●○, 8 min)
#
# Predict, with pencil and paper, the fate of six runs near their equilibrium: `"out"`, `"circle"`
# or `"in"`; an ellipse counts as a circle. Answer with a dictionary of all six, such as
# `{"A": "in", "B": "in", …}`.
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
    panels[name] = (*field_on_grid(game, radius=2.5, points=13), {"": run})
    print(
        f"{name:28s} |μ| = {predicted_growth(game, rule, h):.5f}, distance after {steps:4d} steps "
        f"{run[-1].norm():.3f}"
    )
plots.show(plots.phase_portraits(panels, columns=3, radius=2.5))

# %% [markdown]
# C and E are the ones to remember. In C the step is a tenth of that in A. After the same time it
# has gone round as often, and is further out than it began. In E there is damping, and the step
# is too large for it. F goes round on an ellipse, because five critic steps move $\psi$ further
# than one generator step moves $\theta$. The condition for simultaneous steps is
# $(1 + h \operatorname{Re}\lambda)^2 + (h \operatorname{Im}\lambda)^2 < 1$, that is
#
# $$ h < \frac{-2 \operatorname{Re}\lambda}{|\lambda|^2}. $$
#
# The less damping and the faster the turning, the smaller the step must be (Mescheder, Nowozin
# and Geiger 2017). With real part 0, no step is small enough. So there are three ways out: change
# the *rule*, change the *game*, or change *what you keep* of the run.

# %% [markdown]
# ## First cure: change the rule
#
# The tangent leads astray. So look where it leads, and use the arrow you find *there*. This is
# the **extragradient** step (Korpelevich 1976; for GANs, Gidel et al. 2019):
#
# $$ w' = w + h\, v(w), \qquad w^+ = w + h\, v(w'). $$

# %% [markdown]
# ### Exercise 2.5 — Look a step ahead (●○○, 5 min)
#
# Write it. In the bilinear game, from $(1, 0.5)$ with $h = 0.3$, expect $(0.76, 0.755)$.


# %%
def extragradient_step(field, point: Tensor, step_size: float) -> Tensor:
    """The next point, shape (2,): step from here, with the arrow found one step ahead."""
    ### BEGIN SOLUTION
    ahead = point + step_size * field(point)
    return point + step_size * field(ahead)
    ### END SOLUTION


# %%
check("2.5", extragradient_step)

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
plots.show(plots.phase_portraits({"bilinear game": (*field_on_grid(bilinear(), 1.5), shown)}, radius=1.5))
plots.show(plots.distance_curves(runs, predictions, title="Bilinear game, h = 0.2"))
for name in names:
    print(f"{name:14s} predicted {predictions[name]:.5f}, measured {measured_growth(runs[name]):.5f}")

# %% [markdown]
# Both arrive, at the predicted rate: the thin black lines are the predictions. Extragradient
# allows steps up to $h = 1$ here; the optimistic rule only up to $1/\sqrt 3 \approx 0.577$. That
# is what the saved gradient costs:

# %%
for h in (0.57, 0.58, 0.99, 1.01):
    factors = [
        f"{rule} {predicted_growth(bilinear(), RULES[rule], h):.4f}"
        for rule in ("extragradient", "optimistic")
    ]
    print(f"h = {h:.2f}:  {',  '.join(factors)}")

# %% [markdown]
# ## Second cure: change the game
#
# The circling comes from a discriminator that stays steep although the sample has reached the
# data. So make steepness cost something. The **R1 penalty** adds to $L_D$ the squared slope of
# the discriminator *on the data*, $\tfrac{\gamma}{2}\, E\bigl[\lVert\nabla_x D(x)\rVert^2\bigr]$.
# Here $D(x) = \psi x$ has the slope $\psi$ everywhere, so
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
# Every $\gamma > 0$ moves both eigenvalues to the left of the imaginary axis: the game now
# settles. This is how Mescheder, Geiger and Nowozin (2018) show that R1 makes a GAN converge
# locally.

# %% [markdown]
# ### Exercise 2.6 — How much damping? (●●●, 10 min)
#
# Along the flow, the distance shrinks like $e^{\max \operatorname{Re}(\lambda)\, t}$. Which
# $\gamma$ makes the non-saturating Dirac-GAN arrive fastest? A strong penalty is not always
# better: look at what the root does. Give the number.

# %%
### BEGIN SOLUTION
best_gamma = 1.0  # the root vanishes: γ²/4 = 1/4
### END SOLUTION

# %%
check("2.6", best_gamma)

# %% [markdown]
# The run agrees. We measure the rate for several $\gamma$, from runs with the small step
# $h = 0.05$, and compare with $\max \operatorname{Re}\lambda$.

# %%
gammas = [0.1, 0.25, 0.5, 0.75, 0.9, 1.25, 1.5, 2.0, 3.0]
h = 0.05
rates = []
for gamma in gammas:
    run = play(dirac_gan(r1=gamma), simultaneous, h, by_scale(ci=300, cpu=800, gpu=800), start=(0.01, 0.0))
    rates.append(math.log(measured_growth(run)) / h)  # per unit of time: h per step

figure, axes = plots.new_figure(height=3.4)
line = [0.04 * k for k in range(1, 80)]
predicted = [eigenvalues(dirac_gan(r1=gamma)).real.max().item() for gamma in line]
axes.plot(
    line, predicted, color=plots.COLORS["optimum"], linewidth=1.2, label="predicted: largest real part of λ"
)
axes.plot(gammas, rates, "o", color=plots.COLORS["discriminator"], label="measured from runs")
axes.set(xlabel="strength γ of R1", ylabel="rate of approach", ylim=(-0.55, 0.02))
axes.legend(loc="lower right")
plots.show(
    plots.describe(
        figure,
        "The largest real part of the eigenvalues against the strength γ of R1. It falls in a straight "
        "line from 0 to "
        "−0.5 at γ = 1 and climbs back towards 0 beyond. Points measured from runs lie on the curve.",
    )
)

# %% [markdown]
# The best is $\gamma = 1$, with the rate $-\tfrac12$. Below it the game turns too long. Above it
# the discriminator can hardly move, so it hardly tells the generator where to go. The number 1
# belongs to this toy; that there is a best strength, and a too much, carries over.
#
# Now **instance noise** (Sønderby et al. 2017): add Gaussian noise of standard deviation $\sigma$
# to the data *and* to the samples, before the discriminator sees them. The two clouds overlap,
# and a steep line now misjudges many points of both. What does it do to $J$? Near $\psi = 0$,
# $\operatorname{softplus}$ has the second derivative $\tfrac14$. The discriminator's loss
# averages two of them, one over the noisy data $\sigma\varepsilon$, one over the noisy samples
# $\theta + \sigma\varepsilon$. Each has the second derivative
# $\tfrac14 E[(\sigma\varepsilon)^2] = \tfrac14\sigma^2$ by $\psi$ at the equilibrium, so
#
# $$ \frac{\partial v_\psi}{\partial \psi} = -\frac{\sigma^2}{2}. $$
#
# That is what R1 with $\gamma = \sigma^2/2$ does. Near the equilibrium noise *is* a penalty on
# steepness. For the Wasserstein loss it is not: a straight loss has no second derivative.

# %%
for loss in ("non_saturating", "wasserstein"):
    print(loss)
    print("  noise σ = 1:    ", eigenvalues(dirac_gan(loss, noise_std=1.0)).numpy().round(4))
    print("  R1 with γ = 0.5:", eigenvalues(dirac_gan(loss, r1=0.5)).numpy().round(4))

# %%
steps = 200
cures = {"no cure": {}, "R1, γ = 0.5": {"r1": 0.5}, "noise, σ = 1": {"noise_std": 1.0}}
panels = {}
for title, loss in (("non-saturating", "non_saturating"), ("WGAN", "wasserstein")):
    runs = {name: play(dirac_gan(loss, **cure), alternating, 0.1, steps) for name, cure in cures.items()}
    panels[title] = (*field_on_grid(dirac_gan(loss), radius=1.5), runs)
    for name, run in runs.items():
        print(f"{title:15s} {name:13s} distance after {steps} steps: {run[-1].norm():.5f}")
plots.show(plots.phase_portraits(panels, radius=1.5))

# %% [markdown]
# With the non-saturating loss the run with R1 and the run with noise stay close together, as
# $\gamma = \sigma^2/2$ foretold, and both arrive. For the WGAN, R1 works and noise does nothing
# at all: its run lies exactly on that of no cure.

# %% [markdown]
# ## Third cure: keep the average
#
# Let the players circle, and do not take the last point. Take the average of the points. The
# middle of a circle is the equilibrium. The plain mean,
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
# **Predict.** One turn takes about 63 steps here. Is a half-life of 5 steps of much use? One of
# 100?

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

shown = {
    "run": circle,
    "EMA, half-life 20": moving_average(circle, 20),
    "EMA, half-life 100": moving_average(circle, 100),
}
plots.show(
    plots.phase_portraits(
        {"bilinear game, alternating": (*field_on_grid(bilinear(), 1.5), shown)}, radius=1.5
    )
)

# %% [markdown]
# A half-life well below one turn follows the circle; a half-life of more than a turn sits in the
# middle. That is why the course's training loop samples from an EMA of the generator (notebook
# 05): the generator keeps circling, the average lies closer to the middle. The average costs
# nothing in the game, because the players never see it.
#
# It has a limit: an average cannot tame a spiral. If the points leave, so does their average.

# %%
spiral = play(bilinear(), simultaneous, h, 1_000)
print(
    f"simultaneous steps: the run is {spiral[-1].norm():.0f} from the equilibrium, its EMA "
    f"{moving_average(spiral, 100)[-1].norm():.0f}"
)

# %% [markdown]
# ## The WGAN and the non-saturating GAN beside each other
#
# Near the equilibrium both turn, one at the speed 1 and one at ½. The eigenvalues say no more.
# Far away, the arrows differ: the WGAN's grow with the distance without bound, and the
# non-saturating ones have that pull inwards, $-\theta\psi\tanh(\psi\theta/2)$.
#
# **Predict.** Simultaneous steps push out by a factor, $|1 + ih/2|$ near the equilibrium, and the
# pull of the non-saturating game pulls in. Start one run far out and one near the equilibrium.
# Where does each end?

# %%
h, steps = 0.4, 300
panels = {}
for title, loss in (("WGAN", "wasserstein"), ("non-saturating", "non_saturating")):
    runs = {
        f"from {start}": play(dirac_gan(loss), simultaneous, h, steps, (start, 0.0)) for start in (1.5, 0.1)
    }
    panels[title] = (*field_on_grid(dirac_gan(loss)), runs)
    for name, run in runs.items():
        print(
            f"{title:15s} {name}: after 100 steps {run[100].norm():.3f}, after {steps} steps "
            f"{run[-1].norm():.3g}"
        )
plots.show(plots.phase_portraits(panels))

# %% [markdown]
# The WGAN leaves from everywhere. The non-saturating game ends on one and the same circle, from
# outside and from inside: a **limit cycle**. Its radius can be computed. One step changes $r^2$
# by
#
# $$ |w + hv|^2 - |w|^2 = 2h\, w \cdot v + h^2 |v|^2 \approx -h\,(\theta\psi)^2 + h^2\,\frac{r^2}{4}, $$
#
# with $\tanh(u) \approx u$ and $|v| \approx r/2$ for small $r$. Over a turn,
# $(\theta\psi)^2 = r^4 \cos^2\alpha\,\sin^2\alpha$ is $r^4/8$ on average. The two balance where
# $h\, r^4/8 = h^2 r^2/4$, at
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
# A smaller learning rate makes the circle smaller, with its square root only: a hundredth of the
# learning rate for a tenth of the circle.
#
# With *alternating* steps nothing pushes out at first order, and the pull is left alone. It moves
# $r^2$ by $-h\,r^4/8$ a step, which solves to $1/r^2 = 1/r_0^2 + hk/8$ after $k$ steps. The run
# creeps in, ever more slowly: for half the distance it takes four times as long. The WGAN has no
# pull and does not move in at all.

# %%
h, steps = 0.2, by_scale(ci=800, cpu=1_600, gpu=1_600)
runs = {name: play(dirac_gan(name), alternating, h, steps) for name in ("wasserstein", "non_saturating")}
for k in [steps // 16, steps // 4, steps]:
    creeping = 1 / math.sqrt(1 + h * k / 8)
    print(
        f"after {k:4d} steps: WGAN {runs['wasserstein'][k].norm():.3f}, "
        f"non-saturating {runs['non_saturating'][k].norm():.4f} (the formula says {creeping:.4f})"
    )

# %% [markdown]
# | near the equilibrium | WGAN | non-saturating GAN |
# | --- | --- | --- |
# | eigenvalues $\lambda$ | $\pm i$ | $\pm i/2$ |
# | simultaneous steps | leave, without bound | end on a circle of radius $\sqrt{2h}$ |
# | alternating steps | circle | creep in, $r \approx \sqrt{8/(hk)}$ |
# | R1 | arrives | arrives |
# | instance noise | no effect | arrives, like R1 with $\gamma = \sigma^2/2$ |
#
# This is a critic with no bound on its slope. A WGAN in practice bounds it, by clipping or by a
# penalty; notebook 08 shows what that changes.

# %% [markdown]
# ## Try it yourself
#
# Choose a game, an update rule and a step size. ■ puts the run back to its start, ▶ lets it draw
# itself, "One step" takes one step more. "Start again" puts all controls back. On the right, the
# dotted line is what the eigenvalues predict; it holds near the equilibrium. A run that gets ten
# units away has left, and stops.
#
# Things to try:
#
# - The non-saturating game with simultaneous steps: the prediction says "leaves". The run starts
#   outside the limit cycle, and goes in to it.
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
# Each of these is said and written often. Each is refuted by a run.
#
# ### "Alternating updates cure it"
#
# They turn an outward spiral into a circle. They do not make it settle.

# %%
run = play(wgan, alternating, 0.1, by_scale(ci=500, cpu=2_000, gpu=2_000))
print(
    f"distance at the start {run[0].norm():.3f}; over the last 100 steps {run[-100:].norm(dim=1).mean():.3f}"
)

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

# %% [markdown]
# ### "The losses oscillate, so there must be a bug"
#
# Here is the training log of a correct program, with alternating steps. Both losses go up and
# down for as long as you like. What helps one player hurts the other here, so there is no reason
# for either loss to keep falling.


# %%
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


run = play(first_game, alternating, 0.1, 600, start=(2.0, 0.0))
show_losses(first_game, run, "a correct program: the losses oscillate")
print(f"distance to the equilibrium: {run[0].norm():.2f} at the start, {run[-1].norm():.2f} at the end")

# %% [markdown]
# The oscillation even shrinks here, because this run creeps in. Look for bugs by other means:
# check, for instance, that no gradient reaches the wrong player (notebook 05). Oscillation alone
# proves nothing.
#
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
# round a corner, and both losses jump. Each silence is longer than the one before. Notebook 01
# showed this from the other side: the gradient of $\log(1 - D)$ vanishes where $D$ is near 0.
#
# ### "Give the discriminator more steps, or a larger learning rate"
#
# Neither changes the growth factor. Five steps, or a step five times as long, act on this
# discriminator like a larger $h$; two different step sizes act like their geometric mean.

# %%
for discriminator_steps in (1, 5, 25):
    rule = partial(alternating, discriminator_steps=discriminator_steps)
    print(
        f"{discriminator_steps:2d} discriminator steps, alternating:  |μ| = "
        f"{predicted_growth(wgan, rule, 0.1):.6f}"
    )
print(
    "\nboth step sizes 0.1, simultaneous:                 |μ| = "
    f"{predicted_growth(wgan, simultaneous, 0.1):.6f}"
)
two_speeds = torch.tensor(
    [0.02, 0.5], dtype=torch.float64
)  # generator's, discriminator's; their product is 0.1²
print(
    "generator 0.02, discriminator 0.5, simultaneous:   |μ| = "
    f"{predicted_growth(wgan, simultaneous, two_speeds):.6f}"
)

# %% [markdown]
# In a big network the two speeds *can* matter, for other reasons: the discriminator has to keep
# up with the generator before any of this applies.
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
# momentum of 0.9 in Adam made DCGANs oscillate, and took 0.5; the DCGAN of notebook 05 takes 0.
# Gidel et al. (2019b) go further and show that a *negative* momentum helps.

# %% [markdown]
# ## What carries over, and what does not
#
# A real GAN has millions of numbers instead of two. Near an equilibrium it has a Jacobian all the
# same, with many eigenvalues, and one that is badly placed is enough. What carries over is the
# diagnosis (turning, not climbing) and the cures: R1, EMA, little momentum, looking ahead.
#
# What does not: the numbers. A real discriminator is no straight line, gradients come from
# mini-batches, Adam rescales them, and training starts far from any equilibrium. And an
# equilibrium with perfect samples has to exist at all: the proof for R1 assumes that the
# generator can produce the data's distribution.
#
# ## Summary
#
# - A GAN is not one loss going down but two players on one plane. Their arrows turn: the
#   eigenvalues of $J$ at the equilibrium are imaginary.
# - One update multiplies by $\mu$. Simultaneous: $|\mu| = \sqrt{1 + h^2 |\lambda|^2}$ for
#   imaginary $\lambda$, out for every $h$. Alternating: $|\mu| = 1$, round.
# - Change the rule: extragradient, $|\mu|^2 = 1 - h^2 + h^4$ for $\lambda = \pm i$; optimistic,
#   the same idea with one gradient a step.
# - Change the game: R1 gives $\lambda = -\gamma/2 \pm \sqrt{\gamma^2/4 - 1/4}$, best at
#   $\gamma = 1$ in this toy. Instance noise acts like $\gamma = \sigma^2/2$, but not on a WGAN.
# - Change what you keep: an EMA with a half-life of more than a turn sits near the middle of the
#   circle.
# - Losses that oscillate prove no bug; losses that are flat prove no convergence.
#
# `course progress` in a terminal shows which exercises you have solved. In notebook 03 you meet a
# GAN with real networks, and the same turning.

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
#   Ekonomika i Matematicheskie Metody 12 (1976), 747–756.
# - C. Daskalakis, A. Ilyas, V. Syrgkanis, H. Zeng, *Training GANs with Optimism*, ICLR 2018,
#   arXiv:1711.00141.
# - G. Gidel, H. Berard, G. Vignoud, P. Vincent, S. Lacoste-Julien, *A Variational Inequality
#   Perspective on Generative Adversarial Networks*, ICLR 2019, arXiv:1802.10551. Extragradient
#   and averaging for GANs.
# - G. Gidel, R. Askari Hemmat, M. Pezeshki, R. Le Priol, G. Huang, S. Lacoste-Julien, I.
#   Mitliagkas, *Negative Momentum for Improved Game Dynamics*, AISTATS 2019 ("2019b" above),
#   arXiv:1807.04740.
# - C. K. Sønderby, J. Caballero, L. Theis, W. Shi, F. Huszár, *Amortised MAP Inference for Image
#   Super-resolution*, ICLR 2017, arXiv:1610.04490. Instance noise.
# - A. Radford, L. Metz, S. Chintala, *Unsupervised Representation Learning with Deep
#   Convolutional Generative Adversarial Networks*, ICLR 2016, arXiv:1511.06434.
# - Y. Yazıcı, C.-S. Foo, S. Winkler, K.-H. Yap, G. Piliouras, V. Chandrasekhar, *The Unusual
#   Effectiveness of Averaging in GAN Training*, ICLR 2019, arXiv:1806.04498.
# - V. Nagarajan, J. Z. Kolter, *Gradient descent GAN optimization is locally stable*, NIPS 2017,
#   arXiv:1706.04156. When it does settle, and why the WGAN does not.
