# %% [markdown]
# # Variational autoencoders: a likelihood with a bound
#
# A GAN is judged by its opponent. Here you train a generator by what it says of the data: a lower
# bound on log p(x), in nats. You derive it, check it where the truth is known, write the training
# step, find out what losses in circulation silently assume, and end in a plane full of digits.
#
# | | |
# | --- | --- |
# | Reading time | 60 min, and 70 min for the exercises |
# | Running time | about 110 s on two CPU cores; not measured on a GPU |
# | You need | notebook 05 (convolutions, the average of a network); Gaussians, expectations, the KL divergence of notebook 01 |
# | You will be able to | derive the ELBO and say what its gap is; write a VAE's training step; read from any VAE's loss which variance and which β it stands for; see posterior collapse and cure it; bound log p(x) more tightly |

# %%
import math
from itertools import pairwise

import torch
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from course_utils import data, plots
from course_utils.checks import check
from course_utils.likelihoods import (
    BERNOULLI,
    gaussian,
    gaussian_kl,
    gaussian_log_density,
    reparameterise,
    variance_of_mse,
)
from course_utils.metrics import (
    active_units,
    elbo,
    frechet_evaluator,
    iwae_bound,
    log_importance_weights,
    unit_activity,
)
from course_utils.models import count_parameters, mlp_decoder, mlp_encoder, sample
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, pick_device, seed
from course_utils.theory import LinearGaussian, reparameterised_gradient, score_function_gradient
from course_utils.training import MNIST_VAE, VAE, constant_then_linear, train
from course_utils.training.vae import negative_elbo_parts, vae_step
from course_utils.widgets.latent_map import latent_map

device = pick_device()
print(f"computing on: {device}")

# One meaning, one colour: what is true or exact black, the data blue, what the model makes red.
EXACT, DATA, MODEL, RATE = (plots.COLORS[name] for name in ("optimum", "data", "model", "value"))

# %% [markdown]
# ## How probable is a digit?
#
# A generator that is trained by likelihood has to say how probable each image is. So first: what is
# an image? MNIST's pixels are grey. A **Bernoulli** variable is black or white, nothing in between;
# so we let chance decide, a pixel becomes white with its grey value as probability. That is
# **binarisation** (Salakhutdinov and Murray, 2008), and there are two kinds:
#
# | | when | what for |
# | --- | --- | --- |
# | dynamic | anew at each draw | training: the same digit never looks the same twice |
# | fixed | once, with one seed | testing: everybody is measured on the same pixels |
#
# All nats of this notebook, unless it says otherwise, are of test digits that were binarised once.

# %%
mnist, test = data.load_mnist("train"), data.load_mnist("test")
draw_grey = data.image_sampler(mnist.images, device)
draw_binary = data.binarised(draw_grey)  # dynamic: draw_binary(n, rng) binarises at each call

test_count = by_scale(ci=200, cpu=10_000, gpu=10_000)
test_grey = data.to_model_range(test.images[:test_count])
test_binary = data.binarise(test_grey, torch.Generator().manual_seed(0))  # fixed: one test set for all runs
test_labels = test.labels[:test_count].tolist()
print(f"{len(mnist.images):,} training digits, {len(test_binary):,} test digits")

rng = torch.Generator().manual_seed(seed(0))
twice = [data.binarise(test_grey[:12], rng) for _ in range(2)]
plots.show(
    plots.image_grid(
        torch.cat([test_grey[:12], *twice]),
        columns=12,
        row_labels=["grey", "binarised", "and again"],
        title="One digit, many binary images",
        note=test.note,
    )
)

# %% [markdown]
# ## A bound that can be computed
#
# The generator's story is the one you know: draw $z \sim \mathcal N(0, I)$, send it through a
# network, the **decoder**. New is that the decoder's output is not yet the image. It holds the
# parameters of a distribution $p(x \mid z)$: here a logit for each pixel. The probability of an
# image is then the average over all latents,
#
# $$ p(x) = \int p(x \mid z)\, p(z)\, dz . $$
#
# It is called the **evidence**. Nobody can compute this integral for a network: almost all $z$
# draw another digit, and contribute nothing. We need those few $z$ that could have made *this*
# $x$. So a second network, the **encoder**, proposes them: from $x$ it computes a mean $\mu(x)$
# and a variance $\sigma^2(x)$ for each latent dimension,
# $q(z \mid x) = \mathcal N(\mu(x), \operatorname{diag} \sigma^2(x))$.
#
# **First derivation: Jensen.** Multiply and divide by $q$, and the integral is an average over
# draws of $q$. The logarithm is concave: the logarithm of an average is at least the average of
# the logarithms. (A chord of a concave curve lies below it.)
#
# $$
# \log p(x) = \log \mathbb E_q\!\left[\frac{p(x \mid z)\,p(z)}{q(z \mid x)}\right]
# \;\ge\; \mathbb E_q\!\left[\log \frac{p(x \mid z)\,p(z)}{q(z \mid x)}\right] =: \text{ELBO}(x)
# $$
#
# **Second derivation: how much is lost?** Bayes' rule says
# $p(x \mid z)\,p(z) = p(z \mid x)\,p(x)$. Put that into the ELBO; $\log p(x)$ does not depend on
# $z$ and leaves the expectation:
#
# $$
# \text{ELBO}(x) = \log p(x) - \underbrace{\mathbb E_q\!\left[\log \frac{q(z \mid x)}{p(z \mid x)}\right]}_{\mathrm{KL}(q(z \mid x)\,\|\,p(z \mid x)) \,\ge\, 0}
# $$
#
# So the **evidence lower bound** falls short by exactly the KL divergence from $q$ to the true
# posterior. And splitting the logarithm differently gives the form that one can compute:
#
# $$
# -\text{ELBO}(x) = \underbrace{\mathbb E_q[-\log p(x \mid z)]}_{\text{distortion}} + \underbrace{\mathrm{KL}(q(z \mid x)\,\|\,p(z))}_{\text{rate}}
# $$
#
# The **distortion** is what it costs to describe $x$ to somebody who has $z$; the **rate** is what
# it costs to send $z$ to somebody who knows only the prior (the names are those of Alemi et al.,
# 2018).
#
# ### Where the truth is known
#
# Let everything be linear and Gaussian: $x = Wz + b + \sigma\varepsilon$. Then $p(x)$ is a
# Gaussian, the posterior is one too, and the bound can be held against what it bounds.

# %%
rng = torch.Generator().manual_seed(seed(1))
weight = torch.tensor([[1.0, 0.8], [0.5, 0.9], [-0.7, -0.5], [0.2, 0.4], [0.9, 0.6]], dtype=torch.float64)
truth = LinearGaussian(weight, torch.zeros(5, dtype=torch.float64), variance=0.5)
x = truth.sample(1, rng)
mean, covariance = truth.posterior(x)
evidence = truth.log_evidence(x).item()
print(f"log p(x) = {evidence:.4f}")

offset = torch.randn(1, 2, generator=rng, dtype=torch.float64)
log_variance = torch.full_like(mean, -1.0)
bound = truth.elbo(x, mean + offset, log_variance).item()
posterior = torch.distributions.MultivariateNormal(mean, covariance)
q = torch.distributions.MultivariateNormal(mean + offset, torch.diag_embed(log_variance.exp()))
gap = kl_divergence(q, posterior).item()
print(f"for some other q: ELBO = {bound:.4f}, KL(q ‖ posterior) = {gap:.4f}, their sum = {bound + gap:.4f}")
assert abs(bound + gap - evidence) < 1e-8

# %% [markdown]
# The second derivation holds to the last digit. Now search for the best $q$.
#
# **Predict.** The columns of $W$ are not orthogonal here, so the two latents are correlated in the
# posterior. $q$ has to be diagonal. Can the ELBO reach log p(x): (a) yes, with the right means and
# variances, (b) no, however they are chosen?

# %%
best_mean, best_log_variance = truth.best_diagonal(x)
best = truth.elbo(x, best_mean, best_log_variance).item()
scales = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64)
by_variance = torch.stack([truth.elbo(x, best_mean, best_log_variance + scale)[0] for scale in scales])
by_mean = torch.stack(
    [
        truth.elbo(x, best_mean + scale * covariance.diagonal().sqrt(), best_log_variance)[0]
        for scale in scales
    ]
)
correlation = (covariance[0, 1] / covariance.diagonal().prod().sqrt()).item()
diagonal_gap = -0.5 * math.log(1 - correlation**2)
print(f"correlation of the two latents in the posterior: {correlation:.3f}")
print(
    f"best diagonal q: {evidence - best:.4f} nats are missing; −½·log(1 − correlation²) = {diagonal_gap:.4f}"
)
plots.show(
    plots.lines(
        scales,
        {"means moved (in posterior standard deviations)": by_mean, "log variances moved": by_variance},
        levels={"log p(x)": evidence},
        x_label="how far from the best diagonal q",
        y_label="ELBO (nats)",
        y_limits=(evidence - 4, evidence + 1.6),
        colors={"means moved (in posterior standard deviations)": MODEL, "log variances moved": RATE},
        alt="Two curves of the ELBO over the distance from the best diagonal q, one for the means, one for the "
        "variances. Both have their maximum at 0 and stay below the line of log p(x).",
    )
)

# %% [markdown]
# The answer is (b): a diagonal $q$ cannot follow a correlation. What stays missing
# is $-\tfrac12 \log(1 - \rho^2)$, with the correlation $\rho$ of the two latents in the
# posterior. A bound that is not tight is still a bound: both curves stay below the line.

# %% tags=["claim"]
claim(
    "What stays missing is $-\\tfrac12 \\log(1 - \\rho^2)$",
    abs(evidence - best - diagonal_gap) < 1e-6,
    every_seed=True,
)
claim(
    "both curves stay below the line",
    by_mean.max() < evidence and by_variance.max() < evidence,
    every_seed=True,
)

# %% [markdown]
# ## The rate, three ways
#
# ### Exercise 10.1 — How far from the prior? (●●○, 12 min)
#
# The rate needs no draws: between two Gaussians the KL divergence is a formula. Work it out from
# its definition, $\mathrm{KL}(q \,\|\, p) = \mathbb E_q[\log q(z) - \log p(z)]$, for
# $q = \mathcal N(\mu, \operatorname{diag} \sigma^2)$ and $p = \mathcal N(0, I)$. You need two
# expectations under $q$: that of $(z - \mu)^2$ and that of $z^2$.
#
# The network gives `log_variance` ($\log \sigma^2$), because it can be any number. Return one KL
# for each sample, in nats, with its history: training goes through it. For a mean of 2 and a
# variance of 1 in one dimension you should get 2.
# <!-- numbers: of the question; the checker works them out -->


# %%
def kl_to_prior(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(μ, diag σ²) ‖ N(0, I)). Shapes (N, D) in, (N,) out."""
    ### BEGIN SOLUTION
    return 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1)
    ### END SOLUTION


# %%
kl = check("10.1", kl_to_prior, otherwise=gaussian_kl)

# %% [markdown]
# Hold the formula against two independent ways: PyTorch's own, and draws.

# %%
rng = torch.Generator().manual_seed(seed(2))
mean, log_variance = torch.randn(1, 8, generator=rng), torch.randn(1, 8, generator=rng)
closed_form = kl(mean, log_variance).item()
prior = Independent(Normal(torch.zeros(1, 8), torch.ones(1, 8)), 1)
by_torch = kl_divergence(Independent(Normal(mean, (log_variance / 2).exp()), 1), prior).item()
print(f"closed form          {closed_form:.4f}\ntorch.distributions  {by_torch:.4f}")
monte_carlo = {}
for draws in (100, 1_000, 100_000):
    z = reparameterise(mean, log_variance, torch.randn(draws, 1, 8, generator=rng))
    log_ratio = gaussian_log_density(z, mean, log_variance) - gaussian_log_density(z)
    monte_carlo[draws] = (log_ratio.mean().item(), (log_ratio.std() / draws**0.5).item())
    print(f"{draws:7,} draws        {monte_carlo[draws][0]:.4f} ± {monte_carlo[draws][1]:.4f}")

# %% [markdown]
# All three agree. The draws need patience for what the formula gives at once, and without noise;
# so training uses the formula. The draws come back where there is no formula.

# %% tags=["claim"]
claim(
    "All three agree",
    abs(closed_form - by_torch) < 1e-4
    and all(abs(value - closed_form) < 4.5 * error for value, error in monte_carlo.values()),
    every_seed=True,
)

# %% [markdown]
# ## A gradient through a draw
#
# The distortion has no formula: it is an expectation over draws of $q$, and the encoder decides
# what $q$ is. How do you differentiate $\mathbb E_{z \sim q}[f(z)]$ with respect to $q$'s own mean
# $\mu$ and standard deviation $\sigma$? Two ways, both right on average:
#
# - The **score-function estimator** (REINFORCE; Williams, 1992) differentiates the density:
#   $\nabla\, \mathbb E_q[f] = \mathbb E_q[f(z)\, \nabla \log q(z)]$. For the mean,
#   $f(z)\,\varepsilon/\sigma$. It needs only values of $f$.
# - The **reparameterisation trick** (Kingma and Welling, 2014; Rezende, Mohamed and
#   Wierstra, 2014) moves the randomness out: $z = \mu + \sigma\varepsilon$ with
#   $\varepsilon \sim \mathcal N(0, I)$. Now $z$ is a differentiable function of $\mu$ and
#   $\sigma$, and the chain rule does the rest. For the mean, $f'(z)$. It needs the slope of $f$.

# %%
show_source(reparameterised_gradient, score_function_gradient)

# %% [markdown]
# ### Exercise 10.2 — Predict the noise of two gradients (●○○, 3 min)
#
# Take $f(z) = \sum_j z_j^2$ in $D$ dimensions, and estimate the derivative with respect to the
# *first* mean. Its true value, $2\mu_1$, does not depend on $D$. What happens to the variance of
# one draw's estimate as $D$ grows?
#
# - (a) both estimators' variances grow
# - (b) the score function's grows, the other one stays
# - (c) both stay
# - (d) the reparameterised one's grows, the other one stays
#
# Answer with a letter in quotes.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("10.2", prediction)

# %%
dimensions, draws = [1, 2, 4, 8, 16, 32, 64], 20_000
variances = {"score function": [], "score function, baseline": [], "reparameterised": []}
averages = {name: [] for name in variances}
for dims in dimensions:
    mean, log_std = torch.full((dims,), 0.5), torch.zeros(dims)
    noise = torch.randn(draws, dims, generator=torch.Generator().manual_seed(seed(3)))
    baseline = 1.25 * dims  # E[f]; in many dimensions no constant does much better
    estimates = {
        "score function": score_function_gradient(lambda z: z.square().sum(1), mean, log_std, noise),
        "score function, baseline": score_function_gradient(
            lambda z: z.square().sum(1), mean, log_std, noise, baseline
        ),
        "reparameterised": reparameterised_gradient(lambda z: z.square().sum(1), mean, log_std, noise),
    }
    for name, values in estimates.items():
        variances[name].append(values[:, 0, 0].var().item())
        averages[name].append(values[:, 0, 0].mean().item())
for name in variances:
    print(
        f"{name:25s} average {averages[name][0]:.2f} … {averages[name][-1]:.2f}, variance "
        f"{variances[name][0]:.1f} (D = 1) … {variances[name][-1]:.1f} (D = {dimensions[-1]})"
    )

# %% jupyter={"source_hidden": true}
plots.show(
    plots.lines(
        torch.tensor(dimensions).log2(),
        {name: torch.tensor(values) for name, values in variances.items()},
        colors={
            "score function": plots.COLORS["highlight"],
            "score function, baseline": plots.COLORS["second"],
            "reparameterised": MODEL,
        },
        x_label="dimensions D (log₂)",
        y_label="variance of one draw's estimate",
        log=True,
        alt="On logarithmic axes the variance of the score-function estimator rises steeply with the number of "
        "dimensions, with a baseline less so, and that of the reparameterised estimator stays level.",
    )
)

# %% [markdown]
# The answer is (b). The reparameterised estimate is $2z_1$: the other dimensions
# have no part in it. The score function multiplies $\varepsilon_1$ by *all* of $f$, so every
# dimension's luck is in it. A baseline takes the average of $f$ out, and its scatter stays.
#
# At 64 dimensions the score function needs more than a thousand times as many draws for the same
# error, and with this baseline still more than thirty times as many. It remains the tool where $f$
# has no slope: discrete latents, rewards, steps.

# %% tags=["claim"]
claim(
    "The reparameterised estimate is $2z_1$: the other dimensions have no part in it",
    max(variances["reparameterised"]) / min(variances["reparameterised"]) < 1.2,
    every_seed=True,
)
claim(
    "A baseline takes the average of $f$ out, and its scatter stays",
    variances["score function, baseline"][-1] > 4 * variances["reparameterised"][-1]
    and variances["score function, baseline"][-1] < variances["score function"][-1] / 3,
    every_seed=True,
)
claim(
    "At 64 dimensions the score function needs more than a thousand times as many draws for the same error",
    variances["score function"][-1] / variances["reparameterised"][-1] > 1_000,
    every_seed=True,
    values={"dimensions": dimensions[-1], "times": 1_000},
)
claim(
    "with this baseline still more than thirty times as many",
    variances["score function, baseline"][-1] / variances["reparameterised"][-1] > 30,
    every_seed=True,
    values={"times": 30},
)

# %% [markdown]
# ## The whole step
#
# ### Exercise 10.3 — The whole training step (●●●, 25 min)
#
# You have all the parts. Write one step of training, for one batch:
#
# | name | what it is |
# | --- | --- |
# | `encoder(images)` | (N, 2, latent_dim): mean and log variance of $q(z \mid x)$, side by side |
# | `decoder(latents)` | logits, of the images' shape |
# | `images` | black (−1) and white (1) pixels |
# | `noise` | $\varepsilon \sim \mathcal N(0, I)$, (N, latent_dim): use this one, draw none |
# | `optimizer` | holds the weights of both networks; gradients of an earlier step may be left in them |
#
# Take one step of the optimiser down $-\text{ELBO}$, averaged over the batch, and return
# distortion and rate as they were before the step: two numbers, in nats a digit, with or without
# their history. What is summed, and what is averaged? A pixel's $-\log p$ with logits is
# `F.binary_cross_entropy_with_logits`, in `torch.nn.functional`; mind its range of targets and its
# `reduction`.


# %%
def take_step(encoder, decoder, optimizer, images: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """One step down −ELBO. Returns (distortion, rate) before the step, averaged over the batch."""
    ### BEGIN SOLUTION
    mean, log_variance = encoder(images).unbind(1)
    latents = mean + torch.exp(0.5 * log_variance) * noise
    pixels = torch.nn.functional.binary_cross_entropy_with_logits(
        decoder(latents), (images + 1) / 2, reduction="none"
    )
    distortion = pixels.flatten(1).sum(1).mean()
    rate = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1).mean()
    optimizer.zero_grad()
    (distortion + rate).backward()
    optimizer.step()
    return distortion.detach(), rate.detach()
    ### END SOLUTION


# %%
step = check("10.3", take_step, otherwise=vae_step)

# %% [markdown]
# A loop around it, and that is a VAE. Its networks are those of many first tutorials, 784 pixels,
# two hidden layers of 128, and back. <!-- numbers: sizes of the networks -->

# %%
torch.manual_seed(seed(0))
shape, latent_dim = (1, 28, 28), 20
encoder, decoder = (build(shape, latent_dim).to(device) for build in (mlp_encoder, mlp_decoder))
optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
rng = torch.Generator(device).manual_seed(seed(0))
steps = by_scale(ci=4, cpu=400, gpu=400)
for number in range(1, steps + 1):
    noise = torch.randn(64, latent_dim, generator=rng, device=device)
    distortion, rate = step(encoder, decoder, optimizer, draw_binary(64, rng), noise)
    if number in (1, steps // 4, steps):
        print(f"step {number:4d}: distortion {float(distortion):6.1f} + rate {float(rate):5.2f}")

# %% [markdown]
# At the first step the distortion is about $784 \log 2 \approx 543$: the decoder knows nothing, and
# each pixel costs a coin flip. <!-- number 543: 784 log 2 -->
#
# From here on the course's own loop does it: the one that trains the GANs. It knows no loss. `VAE`
# gives it a step to take; average, threads, progress, the stop button and checkpoints come with the
# loop.

# %%
show_source(negative_elbo_parts, vae_step)

# %%
TRAINING = {
    "batch_size": 64,
    "ema_half_life": 2_500,
    "schedule": constant_then_linear,
    "device": device,
    "seed": seed(0),
}


def trained(images: int, draw=draw_binary, latent_dim: int = 20, decoder_layers: int = 2, **model):
    """An MLP VAE after so many images; `model` are settings of `VAE`."""
    torch.manual_seed(seed(0))
    networks = mlp_encoder(shape, latent_dim), mlp_decoder(shape, latent_dim, (128,) * decoder_layers)
    vae = VAE(*networks, lr=2e-3, **model)
    return train(vae, draw, images=images, snapshot_every=images, **TRAINING)


def measured(run, likelihood=BERNOULLI, images: Tensor = test_binary):
    """−ELBO and its parts on test digits."""
    return elbo(run.average, images.to(device), likelihood)


mlp_images = by_scale(ci=640, cpu=150_000, gpu=1_000_000)
mlp = trained(mlp_images)
mlp_elbo = measured(mlp)
print(
    f"MLP: {mlp.seconds:.0f} s; on test digits −ELBO {mlp_elbo.negative:.1f} ± {mlp_elbo.standard_error:.1f} nats "
    f"= distortion {mlp_elbo.distortion:.1f} + rate {mlp_elbo.rate:.1f}"
)

# %% jupyter={"source_hidden": true}
seen = torch.tensor(mlp.history["images"])


def smoothed(values: list[float], width: int = 50) -> Tensor:
    """Averages over neighbouring steps."""
    values = torch.tensor(values)
    return values.unfold(0, min(width, len(values)), 1).mean(1)


curves = {name: smoothed(mlp.history[name]) for name in ("negative_elbo", "distortion", "rate")}
plots.show(
    plots.lines(
        seen[-len(curves["rate"]) :] / 1_000,
        {"−ELBO": curves["negative_elbo"], "distortion": curves["distortion"], "rate": curves["rate"]},
        colors={"−ELBO": EXACT, "distortion": MODEL, "rate": RATE},
        y_limits=(0, 260),
        x_label="images seen (thousands)",
        y_label="nats a digit",
        note=mnist.note,
        alt="Three curves over training. Distortion falls from over 200 nats steeply, then slowly; the rate rises "
        "from near 0; their sum, −ELBO, falls throughout.",
    )
)

# %% [markdown]
# In the beginning the rate is near 0: the decoder hears nothing of $z$ that would be worth its
# price. Then it rises, and buys back several times its cost in distortion.
#
# ## How good can it be in a minute?
#
# The encoder and decoder of the recipe `MNIST_VAE` are convolutional. The decoder is the generator
# of [notebook 05](05_dcgan_mnist.ipynb#What-did-DCGAN-get-right?) without its extra convolution
# and without the tanh at its end, because it has to return logits. The aim was set before: at most
# 102 nats on the test digits, after at most 60 s of training on two cores.
# <!-- numbers: the aim; the claims below hold the run against it -->

# %%
conv_images = by_scale(ci=320, cpu=100_000, gpu=700_000)
torch.manual_seed(seed(0))
conv = train(
    MNIST_VAE.vae(),
    draw_binary,
    images=conv_images,
    **MNIST_VAE.training,
    device=device,
    seed=seed(0),
    snapshot_every=conv_images,
)
conv_elbo = measured(conv)
evaluate = frechet_evaluator("mnist")
sample_count = by_scale(ci=100, cpu=1_000, gpu=10_000)
print("                         weights   seconds   −ELBO (test, fixed binarisation)   Fréchet distance")
distances = {}
for name, run, bound in (("MLP", mlp, mlp_elbo), ("convolutional", conv, conv_elbo)):
    size = count_parameters(run.networks["autoencoder"])
    distances[name] = evaluate(run.average, samples=sample_count)
    print(
        f"{name:22s} {size:9,} {run.seconds:9.0f}   {bound.negative:7.2f} ± {bound.standard_error:.2f} nats"
        f" {distances[name]:26.1f}"
    )

# %%
with torch.no_grad():
    means = conv.average.encode(test_binary[:12].to(device))[0]
    reconstructions = conv.average(means).cpu()
plots.show(
    plots.image_grid(
        torch.cat([test_binary[:12], reconstructions, sample(conv.average, 24, seed=seed(5))]),
        columns=12,
        row_labels=["test digit", "reconstruction", "sample", "sample"],
        title="Reconstructions, and samples of the prior",
        note=test.note,
        alt="Four rows of twelve. Binary test digits; their reconstructions, smooth and close to them; and two rows "
        "of samples: some are digits, others are strokes that form none.",
    )
)

# %% [markdown]
# The convolutional VAE gets below the 102 nats of the aim. It has seen fewer images than the MLP,
# is far better, and its samples are nearer to the data. The seconds in the table are those of the
# run shown, on a machine that may have been busy; `python -m benchmarks.vae` measures CPU seconds,
# beside two tutorials' VAEs. What is shown of $p(x \mid z)$ is its mean, not a draw: the grey of a
# pixel is its probability to be white.
#
# A reconstruction is close to its digit; many a sample is not a digit at all. Remember the
# difference: the decoder is trained on latents that the encoder proposes, and is sampled from
# latents of the prior.

# %% tags=["claim"]
claim(
    "The convolutional VAE gets below the 102 nats of the aim",
    conv_elbo.negative < 102,
    every_seed=True,
    values={"nats": 102},
)
claim(
    "It has seen fewer images than the MLP, is far better, and its samples are nearer to the data",
    conv_images < mlp_images
    and conv_elbo.negative < mlp_elbo.negative - 10
    and distances["convolutional"] < distances["MLP"],
    every_seed=True,
)

# %% [markdown]
# ## Nats of what?
#
# A likelihood is a statement about data. The same network, on the same digits, in three forms:

# %%
forms = {
    "binarised once, by chance": test_binary,
    "thresholded at one half": test_grey.sign() + (test_grey == 0),
    "left grey": test_grey,
}
nats = {name: measured(conv, images=images).negative for name, images in forms.items()}
for name, value in nats.items():
    print(f"{name:26s} {value:6.1f} nats")

levels = torch.arange(256) / 255  # of one grey pixel, in [0, 1]
white = torch.logspace(-6, math.log10(0.5), 99)[
    :, None
]  # the decoder's probability that it is white, up to one half
grey_numbers = white**levels * (1 - white) ** (1 - levels)  # exp(−cross-entropy)
sums, integrals = grey_numbers.sum(1), torch.trapezoid(grey_numbers, levels, dim=1)
print(f"of one grey pixel: sum over 256 levels {sums.min():.0f} … {sums.max():.0f}, ", end="")
print(f"integral over [0, 1] {integrals.min():.2f} … {integrals.max():.2f}")

# %% [markdown]
# The network has not changed, only what it is asked. Thresholded digits have no ragged edges, and
# cost less.
#
# For grey pixels the number is a cross-entropy and no $-\log p$ at all. Read as probabilities of
# 256 grey levels, its exponentials add up to far more than 1 at a pixel; read as a density over
# [0, 1], they integrate to at most one half. (Loaiza-Ganem and Cunningham, 2019, call it a
# pervasive error, and give the missing normalisation.) Before you compare nats of two papers,
# compare their pixels.

# %% tags=["claim"]
claim(
    "Read as probabilities of 256 grey levels, its exponentials add up to far more than 1 at a pixel; read as a "
    "density over [0, 1], they integrate to at most one half",
    sums.min() > 10 and integrals.max() < 0.501,
    every_seed=True,
    values={"levels": len(levels)},
)
claim(
    "Thresholded digits have no ragged edges, and cost less",
    nats["thresholded at one half"] < nats["binarised once, by chance"] - 5,
    every_seed=True,
)

# %% [markdown]
# ### A squared error has a variance, stated or not
#
# For grey pixels the honest choice is a density, say a Gaussian around the decoder's output:
#
# $$
# -\log \mathcal N(x; \mu, \sigma^2 I) = \frac{1}{2\sigma^2} \sum_{i=1}^{D} (x_i - \mu_i)^2 + \frac{D}{2} \log(2\pi\sigma^2) .
# $$
#
# Many programs write `F.mse_loss(output, images) + kl_weight * kl`. There is no $\sigma$ in it,
# and yet it has chosen one: multiplied by a suitable number, it *is* distortion + rate of some
# Gaussian.
#
# ### Exercise 10.4 — The variance that nobody stated (●●○, 10 min)
#
# Which? `F.mse_loss` is the mean of the squared errors over all `pixels` of an image (and over the
# batch), `kl` the sum over the latent dimensions. Return the $\sigma^2$ for which the loss is
# proportional to $-\text{ELBO}$, up to a constant. For the loss of PyTorch-VAE (A. K. Subramanian,
# `models/vanilla_vae.py`, in Further reading), with images of 3·64·64 numbers and a weight of
# 0.00025, as configurations for it have, you should get 1.536.
# <!-- numbers: the cell below works them out -->


# %%
def implied_variance(pixels: int, kl_weight: float) -> float:
    """σ² of the Gaussian for which mse_loss + kl_weight·KL is proportional to −ELBO, up to a constant."""
    ### BEGIN SOLUTION
    return pixels * kl_weight / 2
    ### END SOLUTION


# %%
variance_of = check("10.4", implied_variance, otherwise=variance_of_mse)

# %%
unstated = float(variance_of(784, 1.0))
print(
    f"PyTorch-VAE, pixels in [0, 1], a weight of 0.00025: σ² = {float(variance_of(3 * 64 * 64, 0.00025)):.3f}"
)
print(f"MNIST in [0, 1], F.mse_loss + KL:            σ² = {unstated:.0f}")
print(f"MNIST in [0, 1], squares summed + KL:        σ² = {float(variance_of(784, 1 / 784)):.2f}")

# %% [markdown]
# A pixel in [0, 1] differs from its mean by at most 1. A variance of 392 says that the noise is
# about twenty times as large as the whole range. What will such a VAE learn? And what will it learn
# from summed squares, with the pixels in [0, 1] or in [−1, 1]? A program that changes the scale of
# its pixels and nothing else changes the variance too: in [−1, 1] all distances are twice as large.
#
# | what the program says | scale of the pixels | σ², in units of [−1, 1] |
# | --- | --- | --- |
# | `F.mse_loss(…) + kl` | [0, 1] | 4 · 392 = 1568 |
# | summed squares + `kl` | [0, 1] | 4 · ½ = 2 |
# | summed squares + `kl` | [−1, 1] | ½ |
# | variance stated | [−1, 1] | 0.1 |
# <!-- numbers: worked out by the printed lines above -->

# %%
gaussian_images = by_scale(ci=640, cpu=40_000, gpu=400_000)
programs = {
    "mean of squares, [0, 1]": 4 * unstated,
    "sum of squares, [0, 1]": 2.0,
    "sum of squares, [−1, 1]": 0.5,
    "variance stated": 0.1,
}
gaussians, gaussian_bounds, errors = {}, {}, {}
for name, variance in programs.items():
    run = trained(gaussian_images, draw_grey, likelihood=gaussian(variance))
    bound = measured(run, gaussian(variance), test_grey)
    with torch.no_grad():
        means = run.average.encode(test_grey.to(device))[0]
        errors[name] = (run.average(means).cpu() - test_grey).square().mean().sqrt().item()
    gaussians[name], gaussian_bounds[name] = run, bound
    print(
        f"{name:24s} σ² = {variance:7.1f}: rate {bound.rate:5.2f} nats, active units {active_units(means):2d}, "
        f"error of a pixel {errors[name]:.3f}, log p ≥ {-bound.negative:.0f} nats"
    )

# %% jupyter={"source_hidden": true}
with torch.no_grad():
    rows = [
        run.average(run.average.encode(test_grey[:12].to(device))[0]).clamp(-1, 1).cpu()
        for run in gaussians.values()
    ]
plots.show(
    plots.image_grid(
        torch.cat([test_grey[:12], *rows]),
        columns=12,
        row_labels=["test digit", *(f"σ² = {variance:g}" for variance in programs.values())],
        title="What a decoder keeps, by the variance of its noise",
        note=test.note,
        alt="Five rows of twelve. Grey test digits, then their reconstructions. With the largest variance all twelve "
        "are the same grey blur; with 2 they are blurred; with a half and with 0.1 "
        "most resemble their digits.",
    )
)

# %% [markdown]
# With the mean of squares every reconstruction is the same: the average of all digits. The noise
# is so loud that no pixel tells anything, the rate is 0, and no unit is active. Nothing is broken
# in the code: the optimum of this objective *is* to say nothing. A factor of four in the variance,
# from the scale of the pixels alone, multiplies the rate by more than three.
#
# One can read the right variance from the data. At the optimum of the ELBO, σ² is the mean squared
# error itself, of what is decoded from draws of $q$ (Rybkin, Daniilidis and Levine, 2021). And do
# not compare these nats with a Bernoulli's: they are of a density, and a background that is
# exactly −1 lets a density grow without bound as its variance shrinks.

# %% tags=["claim"]
_rates = [bound.rate for bound in gaussian_bounds.values()]
with torch.no_grad():
    loudest = gaussians["mean of squares, [0, 1]"].average
    same_for_all = loudest(loudest.encode(test_grey[:500].to(device))[0]).cpu()
claim(
    "A variance of 392 says that the noise is about twenty times as large as the whole range",
    about(unstated**0.5, 20) and about(unstated, 392, rel=1e-6),
    every_seed=True,
    values={"times": 20, "variance": 392},
)
claim(
    "With the mean of squares every reconstruction is the same: the average of all digits",
    _rates[0] < 0.05
    and same_for_all.std(0).max() < 0.02
    and (same_for_all.mean(0) - test_grey.mean(0)).abs().mean() < 0.05,
    every_seed=True,
)
claim(
    "A factor of four in the variance, from the scale of the pixels alone, multiplies the rate by more than three",
    _rates[2] > 3 * _rates[1],
    every_seed=True,
    values={"factor": 4, "times": 3},
)

# %% [markdown]
# ## What β buys
#
# Weigh the rate with β and you choose a point on a curve (**β-VAE**: Higgins et al., 2017): more
# rate for less distortion, or the other way round. Only at β = 1 is what you minimise −ELBO; but
# for any β one can *measure* −ELBO afterwards.
#
# One of these is in print without the letter β. The VAE example on Keras's own site averaged the
# KL over the latent dimensions (`tf.reduce_mean(kl_loss)`), as a reader found ([keras-io, issue
# 270](https://github.com/keras-team/keras-io/issues/270), 2020); the copies of it that circulate
# multiply the averaged reconstruction back to a sum (`reconstruction_loss *= 28 * 28`), and not
# the KL. Today the example sums both. An average over $K$ dimensions is β = 1/K: one half with the
# two dimensions of that example, 0.05 with our 20. <!-- numbers: 20 dimensions, one over that -->
#
# **Predict.** Compared with β = 1, a β of 0.05 gives: (a) worse reconstructions and worse samples,
# (b) better reconstructions and worse samples, (c) better of both?

# %%
beta_images = by_scale(ci=640, cpu=60_000, gpu=400_000)
betas = [0.05, 0.25, 1.0, 4.0, 16.0]
swept, beta_distances = {}, {}
for beta in betas:
    run = trained(beta_images, beta=beta)
    swept[beta] = measured(run)
    beta_distances[beta] = evaluate(run.average, samples=sample_count)
    print(
        f"β = {beta:5.2f}: distortion {swept[beta].distortion:6.1f} + rate {swept[beta].rate:5.1f} = −ELBO "
        f"{swept[beta].negative:6.1f} nats; Fréchet distance of samples {beta_distances[beta]:6.1f}"
    )

# %% jupyter={"source_hidden": true}
figure, axes = plots.new_figure(height=4.0, note=test.note)
rates, distortions = ([getattr(swept[beta], part) for beta in betas] for part in ("rate", "distortion"))
for total in (120, 160, 200):
    axes.plot([0, total], [total, 0], ":", color=plots.COLORS["reference"], linewidth=1)
axes.plot(rates, distortions, "o-", color=MODEL, label="β from 16 (left) to 0.05 (right)")
for beta, across, up in zip(betas, rates, distortions, strict=True):
    axes.annotate(f"β = {beta:g}", (across, up), xytext=(6, 6), textcoords="offset points", fontsize=10)
axes.set(
    xlabel="rate (nats)",
    ylabel="distortion (nats)",
    xlim=(0, 1.2 * max(rates)),
    ylim=(0.9 * min(distortions), 1.08 * max(distortions)),
    title="Dotted lines: equal −ELBO",
)
plots.show(
    plots.describe(
        figure,
        "A curve of distortion over rate, a point for each β. From β = 16 at the upper left it falls to β = 0.05 at "
        "the lower right. Dotted lines of equal −ELBO fall from the upper left to the lower right.",
    )
)

# %% [markdown]
# The answer is (b). With β = 0.05 the encoder may spend: the rate is several times that of β = 1,
# and the distortion lower. But −ELBO is worse, and so are the samples: the latents that the
# encoder uses lie far from where the prior draws. A better-looking reconstruction proves nothing
# about a generator. At the other end, with β = 16, next to nothing is sent.
#
# In this run β = 0.25 has a better −ELBO than β = 1, although only the latter minimises it. The
# training is short, and the full price of the rate seems to keep a slow network from starting to
# use its latent. Keep that in mind for the next section.

# %% tags=["claim"]
claim(
    "the rate is several times that of β = 1, and the distortion lower",
    swept[0.05].rate > 2 * swept[1.0].rate and swept[0.05].distortion < swept[1.0].distortion,
    every_seed=True,
)
claim(
    "But −ELBO is worse, and so are the samples",
    swept[0.05].negative > swept[1.0].negative + 3 and beta_distances[0.05] > beta_distances[1.0],
    every_seed=True,
)
claim("In this run β = 0.25 has a better −ELBO than β = 1", swept[0.25].negative < swept[1.0].negative)
claim(
    "At the other end, with β = 16, next to nothing is sent",
    swept[16.0].rate < 0.35 * swept[1.0].rate,
    every_seed=True,
    values={"beta": 16},
)

# %% [markdown]
# ## Posterior collapse, and what helps
#
# A latent dimension for which $q(z_j \mid x)$ is the prior, whatever $x$, costs nothing and says
# nothing. It has **collapsed**. Look at how far its mean moves with the data: a unit is **active**
# if $\operatorname{Var}_x[\mu_j(x)] > 0.01$ (Burda, Grosse and Salakhutdinov, 2016).
# <!-- number 0.01: the paper's threshold, the default of active_units -->
#
# You have provoked it already: under a variance of 1568 all twenty units collapsed. That is no
# accident. In a *linear* VAE a direction of the data is kept if the data's variance along it
# exceeds σ², and dropped otherwise (Lucas, Tucker, Grosse and Norouzi, 2019).

# %%
pixels = test_grey.flatten(1).double()
spectrum = torch.linalg.svdvals(pixels - pixels.mean(0)).square() / (len(pixels) - 1)
print(f"largest variance of the digits along any direction: {spectrum[0]:.1f}")
for name, variance in programs.items():
    most = spectrum.sum().item() / (2 * variance)
    print(
        f"{name:24s} σ² = {variance:7.1f}: {int((spectrum > variance).sum()):3d} directions exceed it; "
        f"a code can save at most {most:.2f} nats"
    )

# %% [markdown]
# And whatever the decoder: a code can save at most the squared error that the average image makes,
# divided by 2σ². Under the variance of 1568 that is less than a tenth of a nat a digit. So the
# objective wanted this collapse. A warm-up, which lets the rate count for nothing at first and
# then more and more, cannot help: at its end stands the same objective. What helps is to state a
# variance that fits.
#
# There is another kind. Make the decoder deep, six hidden layers instead of two, and it is slow to
# hear its latent: early on $z$ is noise to it, sending costs, so the encoder falls silent before
# the decoder has learnt to listen. Here the objective is the right one, and the *way* to it is the
# problem. Warm-up (Bowman et al., 2016; Sønderby et al., 2016) is made for that.

# %% tags=["claim"]
claim(
    "Under the variance of 1568 that is less than a tenth of a nat a digit",
    spectrum.sum().item() / (2 * 4 * unstated) < 0.1 and about(4 * unstated, 1568, rel=1e-6),
    every_seed=True,
    values={"variance": 1568},
)

# %%
collapse_images = by_scale(ci=640, cpu=60_000, gpu=60_000)
unhurried = by_scale(ci=320, cpu=30_000, gpu=30_000)
cases = {
    "σ² of 1568": gaussians["mean of squares, [0, 1]"],
    "the same, with warm-up": trained(
        gaussian_images, draw_grey, likelihood=gaussian(4 * unstated), warm_up=gaussian_images // 2
    ),
    "the same, σ² of 0.1": gaussians["variance stated"],
    "deep decoder": trained(collapse_images, decoder_layers=6),
    "deep decoder, with warm-up": trained(collapse_images, decoder_layers=6, warm_up=unhurried),
}
activity, active, deep_bounds = {}, {}, {}
for name, run in cases.items():
    images = (test_binary if "deep" in name else test_grey).to(device)
    with torch.no_grad():
        means = run.average.encode(images)[0].cpu()
    activity[name], active[name] = unit_activity(means).sort(descending=True).values, active_units(means)
    if "deep" in name:
        deep_bounds[name] = measured(run)
    bound = ""
    if "deep" in name:
        bound = f", rate {deep_bounds[name].rate:.1f}, −ELBO {deep_bounds[name].negative:.1f} nats"
    print(f"{name:27s} {active[name]:2d} of 20 units are active{bound}")

# %% jupyter={"source_hidden": true}
figure, panels = plots.new_figure(columns=2, width=7.5, height=3.6, sharey=True)
looks = [("o", MODEL), ("s", plots.COLORS["second"]), ("^", DATA)]
for axes, title in zip(panels, ("σ", "deep"), strict=True):
    chosen = [name for name in cases if ("deep" in name) == (title == "deep")]
    for (marker, color), name in zip(looks, chosen, strict=False):
        axes.plot(range(1, 21), activity[name].clamp(min=1e-7), marker, color=color, label=name)
    axes.axhline(0.01, color=plots.COLORS["reference"], linewidth=1, linestyle=":", label="threshold")
    axes.set(xlabel="unit, by activity", yscale="log", xticks=[1, 5, 10, 15, 20])
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22))
panels[0].set(ylabel="Var of its mean", title="the objective's collapse")
panels[1].set(title="the optimiser's collapse")
plots.show(
    plots.describe(
        figure,
        "Two panels of the activity of 20 units on a logarithmic axis, with a dotted line at the threshold of 0.01. "
        "Left: with a variance of 1568 all units lie far below the line, with and without warm-up; with 0.1 all lie "
        "above it. Right: the units of the deep decoder lie on either side of it, with warm-up and without.",
    )
)

# %% [markdown]
# Two diseases with one symptom. Where the objective asks for silence, no unit is active with or
# without warm-up, and all are once the variance fits. Where the way was the problem, warm-up
# leaves a higher rate and a better bound. It eases the trouble and does not end it: the decoder
# with two hidden layers did better after as many images, in the sweep above. Ask which collapse
# you have before you reach for a cure.

# %% tags=["claim"]
claim(
    "Where the objective asks for silence, no unit is active with or without warm-up, and all are once the variance "
    "fits",
    active["σ² of 1568"] == active["the same, with warm-up"] == 0 and active["the same, σ² of 0.1"] == 20,
    every_seed=True,
)
_plain, _warm = "deep decoder", "deep decoder, with warm-up"
claim(
    "warm-up leaves a higher rate and a better bound",
    deep_bounds[_warm].rate > deep_bounds[_plain].rate
    and deep_bounds[_warm].negative < deep_bounds[_plain].negative,
    every_seed=True,
)

# %% [markdown]
# ## A tighter bound
#
# The ELBO averages *logarithms*. Jensen's loss shrinks if you average first. Draw $K$ latents of
# $q(z \mid x)$; each has an **importance weight**
#
# $$ w_k = \frac{p(x \mid z_k)\, p(z_k)}{q(z_k \mid x)}, \qquad \mathbb E_q[w_k] = p(x) . $$
#
# Their average is an estimate of $p(x)$ that is right on average, and steadier the more draws it
# has. The expected logarithm of that average is a bound on $\log p(x)$ again, by Jensen once more,
# and it rises with $K$: the **importance-weighted** bound (IWAE; Burda, Grosse and Salakhutdinov,
# 2016).
#
# ### Exercise 10.5 — A tighter bound (●●○, 12 min)
#
# Estimate it: from `log_weights`, whose entry $(k, n)$ is $\log w_k$ of image $n$, compute the
# bound, averaged over the images. One number. An image of 784 pixels can have $\log w = -1500$:
# mind what the computer makes of $e^{-1500}$. <!-- numbers: of the question -->


# %%
def importance_bound(log_weights: Tensor) -> Tensor:
    """The bound on log p(x) by K draws, averaged over N images. Shape (K, N) in, () out."""
    ### BEGIN SOLUTION
    return (log_weights.logsumexp(0) - math.log(len(log_weights))).mean()
    ### END SOLUTION


# %%
bound_of = check(
    "10.5",
    importance_bound,
    otherwise=lambda log_weights: torch.tensor(iwae_bound(log_weights, len(log_weights)).nats),
)

# %% [markdown]
# First where the truth is known: the linear model of the beginning, with an encoder whose means are
# deliberately off.

# %%
rng = torch.Generator().manual_seed(seed(4))
points = truth.sample(200, rng)
exact = truth.log_evidence(points).mean().item()
off_mean, log_variance = truth.best_diagonal(points)
off_mean = off_mean + 0.3
noise = torch.randn(500, 200, 2, generator=rng, dtype=torch.float64)
z = reparameterise(off_mean, log_variance, noise)
log_likelihood = (
    gaussian(0.5)
    .log_likelihood((z @ truth.weight.T).flatten(0, 1), points.expand(500, 200, 5).flatten(0, 1))
    .view(500, 200)
)
log_weights = log_likelihood + gaussian_log_density(z) - gaussian_log_density(z, off_mean, log_variance)
draws_used = [1, 5, 50, 500]
linear_bounds = [iwae_bound(log_weights, k).nats for k in draws_used]
for k, value in zip(draws_used, linear_bounds, strict=True):
    print(f"K = {k:3d}: {value:.3f} nats, {exact - value:6.3f} below log p(x)")
print(f"all 500 draws by your formula: {float(bound_of(log_weights)):.3f}; log p(x) = {exact:.3f}")

# %% [markdown]
# Now the digits. Nobody knows their $\log p(x)$, but the bounds rise towards it. (Few digits: the
# numbers differ from those of the whole test set by chance.)

# %%
judged = by_scale(ci=4, cpu=100, gpu=1_000)
draws = by_scale(ci=50, cpu=500, gpu=500)
digit_weights = log_importance_weights(conv.average, test_binary[:judged].to(device), draws=draws).cpu()
digit_bounds = {k: iwae_bound(digit_weights, k) for k in draws_used if draws % k == 0}
for k, value in digit_bounds.items():
    print(f"K = {k:3d}: log p(x) ≥ {value.nats:.2f} ± {value.standard_error:.2f} nats ({judged} digits)")
largest = max(digit_bounds)

# %% jupyter={"source_hidden": true}
plots.show(
    plots.lines(
        torch.tensor(list(digit_bounds)).log10(),
        {"convolutional VAE": torch.tensor([value.nats for value in digit_bounds.values()])},
        points={
            "K draws": (
                torch.tensor(list(digit_bounds)).log10(),
                torch.tensor([value.nats for value in digit_bounds.values()]),
            )
        },
        colors={"convolutional VAE": MODEL, "K draws": MODEL},
        x_label="draws K (log₁₀)",
        y_label="bound on log p(x) (nats)",
        note=test.note,
        alt="The bound on log p(x) of test digits rises with the number of draws, steeply at first and then less.",
    )
)

# %% [markdown]
# In the linear model the bound rises to log p(x), and never above it beyond its error. On the
# digits 500 draws find several nats more than one: at least that much of −ELBO is the gap of the
# second derivation, the encoder's part. So a comparison of decoders by ELBO is also one of
# encoders.

# %% tags=["claim"]
_spread = (log_weights.logsumexp(0) - math.log(500) - truth.log_evidence(points)).std().item() / 200**0.5
claim(
    "In the linear model the bound rises to log p(x), and never above it beyond its error",
    all(low < high for low, high in pairwise(linear_bounds))
    and linear_bounds[-1] < exact + 4 * _spread
    and exact - linear_bounds[-1] < 0.1 * (exact - linear_bounds[0]),
    every_seed=True,
)
claim(
    "On the digits 500 draws find several nats more than one",
    digit_bounds[largest].nats - digit_bounds[1].nats > 2,
    every_seed=True,
    values={"draws": largest},
)

# %% [markdown]
# ## Misconceptions
#
# ### "Decode noise, and you have the reconstruction"
#
# A possible slip: the decoder is handed fresh noise, its image is put beside the digit, and the
# caption says "reconstruction". Measure it. How far is the result from its digit, and how far is
# *any other* test digit?

# %%
batch = test_binary[:2_000]  # more at once would take much memory
others = batch.roll(1, 0)
with torch.no_grad():
    codes = conv.average.encode(batch.to(device))[0]
    noise = torch.randn(codes.shape, generator=torch.Generator().manual_seed(seed(6))).to(device)
    drawn = {
        "its code decoded": conv.average(codes).cpu(),
        "fresh noise decoded": conv.average(noise).cpu(),
        "another test digit": others,
    }
wrong_pixels = {
    name: ((images.sign() != batch).float().mean() * 784).item() for name, images in drawn.items()
}
for name, value in wrong_pixels.items():
    print(f"{name:20s} {value:6.1f} of 784 pixels on the wrong side")

# %% [markdown]
# Noise is as far from the digit as another digit is: it is a sample. Only what has passed through
# the encoder is a reconstruction.

# %% tags=["claim"]
claim(
    "Noise is as far from the digit as another digit is",
    about(wrong_pixels["fresh noise decoded"], wrong_pixels["another test digit"], rel=0.25)
    and wrong_pixels["its code decoded"] < 0.6 * wrong_pixels["another test digit"],
    every_seed=True,
)

# %% [markdown]
# ### "The KL term compares the encoder with the decoder"
#
# A possible slip, too. The encoder's distribution is one of latents, the decoder's one of images:
# no KL divergence between them exists. Exchange the decoder for one that has never been trained,
# and see what happens to the rate:

# %%
stranger = VAE(conv.average.encoder, MNIST_VAE.vae().decoder.to(device).eval()).autoencoder
exchanged_elbo = elbo(stranger, test_binary.to(device))
print(f"rate with the trained decoder   {conv_elbo.rate:.4f}, distortion {conv_elbo.distortion:6.1f}")
print(
    f"rate with an untrained decoder  {exchanged_elbo.rate:.4f}, distortion {exchanged_elbo.distortion:6.1f}"
)

# %% [markdown]
# The rate is the same number: it has never met the decoder. It compares $q(z \mid x)$ with the
# prior. The divergence that connects encoder and decoder is the *gap* of the second derivation,
# from $q(z \mid x)$ to the posterior $p(z \mid x)$, and that one appears in no loss.

# %% tags=["claim"]
claim(
    "The rate is the same number: it has never met the decoder",
    abs(conv_elbo.rate - exchanged_elbo.rate) < 1e-3 and exchanged_elbo.distortion > 2 * conv_elbo.distortion,
    every_seed=True,
)

# %% [markdown]
# ### "The number of latents decides how much is sent"
#
# The MLP has 20 latent dimensions, the convolutional VAE 32. What is sent is the rate, in nats, and
# it is bounded by no dimension: with β = 0.05 the same 20 dimensions sent several times what they
# sent with β = 1. You saw that in the sweep above. <!-- numbers: settings -->
#
# ## A plane full of digits
#
# Last, a VAE with a latent of two dimensions. Its bound is worse, and it has one great merit: its
# whole latent space fits on a page. Walk through the prior's plane in steps of equal probability,
# and let the decoder draw at each crossing:

# %%
plane_images = by_scale(ci=640, cpu=150_000, gpu=1_000_000)
plane = trained(plane_images, latent_dim=2)
plane_elbo = measured(plane)
print(f"two latent dimensions: −ELBO {plane_elbo.negative:.1f} nats, rate {plane_elbo.rate:.1f}")

side = 16
quantiles = torch.special.ndtri((torch.arange(side) + 0.5) / side)  # equal probability from one to the next
crossings = (
    torch.stack(torch.meshgrid(quantiles.flip(0), quantiles, indexing="ij"), dim=-1).flip(-1).reshape(-1, 2)
)
with torch.no_grad():
    page = plane.average(crossings.to(device)).cpu()
plots.show(
    plots.image_grid(
        page,
        columns=side,
        width=7.0,
        title="The latent plane, z₁ to the right, z₂ upwards",
        note=mnist.note,
        alt="Sixteen rows of sixteen images that the decoder draws on a grid of the latent plane. Digits turn into "
        "one another from place to place: neighbours look alike, and most of the ten digits have a region.",
    )
)

# %% [markdown]
# Nobody told it that a four and a nine are alike, or that a one can lean. The
# encoder had two numbers for each digit, and put neighbours where the decoder could use them.
#
# Now move through the plane yourself. The small digits are test digits, each at the place where the
# encoder puts it. **Drop test digits into it**: choose one, and an ellipse shows its $q(z \mid x)$
# (two standard deviations). Which digits get large ellipses? Which ones land in foreign territory,
# and what does their reconstruction look like?

# %% tags=["claim"]
claim(
    "Its bound is worse, and it has one great merit",
    plane_elbo.negative > mlp_elbo.negative + 5,
    every_seed=True,
)

# %%
shown = by_scale(ci=50, cpu=400, gpu=400)
latent_map(plane.average.cpu(), test_binary[:shown], test_labels[:shown])

# %% [markdown]
# ## Summary
#
# - log p(x) = ELBO + KL(q ‖ posterior): a bound whose gap is known by name. −ELBO is distortion
#   plus rate, both summed over their dimensions, averaged over the batch.
# - The reparameterisation trick moves the randomness out of the way of the gradient. Its variance
#   does not grow with the dimensions of the latent; the score function's does.
# - Every squared error has a variance, every mean in place of a sum a β. Read them off before you
#   compare, and state them.
# - Nats belong to pixels: say how they were binarised, or on which scale a density was measured.
# - A silent unit has collapsed. Ask whether the objective wants it (change the objective) or the
#   optimiser fell into it (warm up).
# - More draws make a tighter bound. What the ELBO lacks is the encoder's part.
#
# And which is better, a GAN or a VAE? Here they had different tasks. The comparison on equal
# terms, the same decoder, the same seconds, the same measures, is the next notebook's.
#
# ## Further reading
#
# - D. P. Kingma, M. Welling, *Auto-Encoding Variational Bayes*, ICLR 2014,
#   [arXiv:1312.6114](https://arxiv.org/abs/1312.6114)
# - D. J. Rezende, S. Mohamed, D. Wierstra, *Stochastic Backpropagation and Approximate Inference
#   in Deep Generative Models*, ICML 2014, [arXiv:1401.4082](https://arxiv.org/abs/1401.4082)
# - R. J. Williams, *Simple Statistical Gradient-Following Algorithms for Connectionist
#   Reinforcement Learning*, Machine Learning 8, 1992
# - R. Salakhutdinov, I. Murray, *On the Quantitative Analysis of Deep Belief Networks*, ICML 2008
# - A. A. Alemi, B. Poole, I. Fischer, J. V. Dillon, R. A. Saurous, K. Murphy, *Fixing a Broken
#   ELBO*, ICML 2018, [arXiv:1711.00464](https://arxiv.org/abs/1711.00464)
# - I. Higgins et al., *beta-VAE: Learning Basic Visual Concepts with a Constrained Variational
#   Framework*, ICLR 2017
# - S. R. Bowman, L. Vilnis, O. Vinyals, A. M. Dai, R. Jozefowicz, S. Bengio, *Generating Sentences
#   from a Continuous Space*, CoNLL 2016, [arXiv:1511.06349](https://arxiv.org/abs/1511.06349)
# - C. K. Sønderby, T. Raiko, L. Maaløe, S. K. Sønderby, O. Winther, *Ladder Variational
#   Autoencoders*, NeurIPS 2016, [arXiv:1602.02282](https://arxiv.org/abs/1602.02282)
# - Y. Burda, R. Grosse, R. Salakhutdinov, *Importance Weighted Autoencoders*, ICLR 2016,
#   [arXiv:1509.00519](https://arxiv.org/abs/1509.00519)
# - J. Lucas, G. Tucker, R. Grosse, M. Norouzi, *Don't Blame the ELBO! A Linear VAE Perspective on
#   Posterior Collapse*, NeurIPS 2019, [arXiv:1911.02469](https://arxiv.org/abs/1911.02469)
# - G. Loaiza-Ganem, J. P. Cunningham, *The continuous Bernoulli: fixing a pervasive error in
#   variational autoencoders*, NeurIPS 2019, [arXiv:1907.06845](https://arxiv.org/abs/1907.06845)
# - O. Rybkin, K. Daniilidis, S. Levine, *Simple and Effective VAE Training with Calibrated
#   Decoders*, ICML 2021, [arXiv:2006.13202](https://arxiv.org/abs/2006.13202)
# - A. K. Subramanian, *PyTorch-VAE*, [source](https://github.com/AntixK/PyTorch-VAE)
# - F. Chollet, *Variational AutoEncoder*, a code example of Keras, 2020,
#   [source](https://github.com/keras-team/keras-io/blob/master/examples/generative/vae.py)
