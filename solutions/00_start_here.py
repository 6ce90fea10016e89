# %% [markdown]
# # Start here: your first digits
#
# In a quarter of an hour you see digits that nobody wrote, steer one with a slider, and know how
# this course works.
#
# | | |
# | --- | --- |
# | Reading time | 15 min, and 15 min for the exercises |
# | Running time | about 5 s on two CPU cores; a GPU is not needed |
# | You need | Python; the rudiments of PyTorch: tensors, their shapes, a network as a function |
# | You will be able to | draw samples from a generator and steer them; do an exercise, have it checked, and ask for hints; say what your machine will run, and how long it takes |
#
# You work in `notebooks/`. Press **Shift+Enter** to run a cell and go to the next, or choose *Run
# → Run All Cells*. That always works, whether you have solved the exercises or not.

# %%
import math

import torch
from torch import Tensor

from course_utils import data, models, plots
from course_utils.checks import check
from course_utils.cli import doctor
from course_utils.data import to_model_range
from course_utils.metrics import class_coverage, classifier_confidence, load_classifier
from course_utils.models import load_generator, sample
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, scale
from course_utils.widgets.latent_slider import latent_slider, steered_latent

# %% [markdown]
# ## Who made these digits?
#
# The next cell loads a **generator**: a small network that this course trained, and shipped with
# it. You will train one like it yourself, in notebook 05.
#
# A generator $G$ is a function from random numbers to images. Its input is a list of 32 numbers,
# the **latent** $z$. Its output is an image of 28×28 pixels, $G(z)$. Before you look: how many of
# the 40 images will you take for handwriting?

# %%
generator = load_generator("mnist")
digits = sample(generator, 40, seed=0)  # draws 40 latents, and runs them through the network

weights = sum(weight.numel() for weight in generator.parameters())
print(f"{weights:,} weights, from {generator.latent_dim} numbers to {28 * 28} pixels")
print(f"trained by: {generator.made_by}")
plots.show(
    plots.image_grid(
        digits,
        columns=10,
        title="40 images that the generator made",
        alt="Four rows of ten generated images. Most are white handwritten digits on black; "
        "a few are scribbles.",
    )
)

# %% [markdown]
# Nobody wrote these. Most pass for handwriting, and some do not: a stroke too many, a loop that
# does not close. Nothing was picked out; change `seed` and look at 40 others.
#
# How did the network learn this? It was never told what a digit is. It played a game against a
# second network, the **discriminator** $D$, which is shown real digits and generated ones and has
# to tell them apart. $D$ learns to see what is wrong with the generated images. $G$ learns to
# make images about which $D$ is wrong. Out of that game came the picture above. It is called a
# *generative adversarial network*, a GAN [1].

# %% [markdown]
# ## How an exercise goes
#
# You write a few lines, run them, and run the **check** below. The check tells you what is right
# or what is wrong, and never stops the notebook. As long as you have not tried, it says "not
# attempted yet". When you are stuck, open a **hint** under the verdict: the first one is a nudge,
# the last one nearly the answer.
#
# The heading says how hard an exercise is, from ●○○ to ●●●, and how many minutes to give it. Here
# is one to warm up.
#
# ### Exercise 0.1 — Pixels for a network (●○○, 5 min)
#
# Images lie on the disk as whole numbers: 0 is black, 255 is white. The generator speaks another
# language. It ends in a $\tanh$, so its pixels lie between −1 and 1. Real images have to be
# brought there before a discriminator may compare the two.
#
# Write the function that does it: 0 becomes −1, 255 becomes 1, and what lies between stays in
# proportion. The shape stays as it is.


# %%
def to_network_range(pixels: Tensor) -> Tensor:
    """Pixels uint8 in [0, 255], any shape → floating point in [-1, 1], the same shape."""
    ### BEGIN SOLUTION
    return pixels.float() / 127.5 - 1
    ### END SOLUTION


# %%
to_range = check("0.1", to_network_range, otherwise=to_model_range)

# %% [markdown]
# What you saw is all that there is to it. A right answer is ticked and remembered: in a terminal,
# `course progress` lists what you have solved in all notebooks. (If the terminal does not know
# `course`, say `.venv/bin/course` in the course's folder.)
#
# The line above did one thing more. `check(…, otherwise=…)` hands on your function if it passed,
# and the course's own if it did not. So the cells that follow work either way: an exercise never
# blocks the rest of the notebook.
#
# The course's own functions are short, and written to be read. Here is the one that does what you
# just wrote:

# %%
show_source(to_model_range)

# %% [markdown]
# Now the real digits, through your function if it passed. Where MNIST cannot be had, for lack of
# a network, the course uses a stand-in and says so in every figure.

# %%
real = data.load_mnist("test")
real_digits = to_range(real.images[:40]).float()

plots.show(
    plots.image_grid(
        real_digits,
        columns=10,
        title="40 real digits",
        note=real.note,
        alt="Four rows of ten real handwritten digits from the test set, white on black.",
    )
)

# %% [markdown]
# Compare the two pictures. Where can you tell the difference: in the thickness of the strokes, in
# the edges, in the shapes? The course's answer in numbers uses a small **classifier**, which was
# trained to name digits. It is surer of real ones:

# %%
classifier = load_classifier("mnist")
many = sample(generator, 1_000, seed=1)
real_many = to_model_range(real.images[:1_000])

found = class_coverage(many, classifier)
print(f"the classifier names {classifier.test_accuracy:.1%} of MNIST's test digits rightly")
print(f"its mean confidence: {classifier_confidence(real_many, classifier):.2f} on real digits")
print(f"                     {classifier_confidence(many, classifier):.2f} on generated ones")
print(f"among {len(many):,} generated ones, how often it sees 0, 1, … 9: {found.counts.tolist()}")

# %% [markdown]
# All ten digits occur, though nobody told the generator that there are ten. How to measure a
# generator better than by eye is the subject of notebook 09.

# %% [markdown]
# ## What goes in: the latent
#
# $G$ is a function: the same $z$ gives the same image. All the variety comes from $z$, which is
# drawn from a **normal distribution**, $z \sim \mathcal N(0, I)$: 32 numbers around 0 and mostly
# between −2 and 2, each drawn independently. (That is what $I$, the identity matrix, says: every
# number has the variance 1, and no two of them move together.)
#
# ### Exercise 0.2 — Draw latents (●○○, 3 min)
#
# Write the function that draws `n` latents at once. The course keeps to one convention: a batch
# has one row for each sample.


# %%
def draw_latents(n: int, latent_dim: int) -> Tensor:
    """z ~ N(0, I): n latents, shape (n, latent_dim)."""
    ### BEGIN SOLUTION
    return torch.randn(n, latent_dim)
    ### END SOLUTION


# %%
latents_for = check("0.2", draw_latents, otherwise=models.draw_latents)

# %% [markdown]
# Draw 20 latents with it. Then use the same 20 again, and then the first of them, 20 times, with
# only its first number changed.

# %%
torch.manual_seed(3)
z = latents_for(20, generator.latent_dim)
first_number_changed = z[:1].repeat(20, 1)
first_number_changed[:, 0] = torch.linspace(-4, 4, 20)

with torch.no_grad():
    images, again = generator(z), generator(z)
    changed = generator(first_number_changed)

print("the same latents give the same images:", torch.equal(images, again))
plots.show(
    plots.image_grid(
        torch.cat([images[:10], changed[::2]]),
        columns=10,
        row_labels=["ten z", "one of z changed"],
        title="Latents and what becomes of them",
        alt="Above, ten different generated digits. Below, the first of them ten times, while one "
        "number of its latent goes from −4 to 4: the shape changes little by little.",
    )
)

# %% [markdown]
# One number of 32 does little over most of its range: a stroke bends, or grows. There are
# stronger levers. Some *directions* in latent space, a little of many numbers at once, change the
# image more than others, and the network's first layer shows which [2]. The next picture walks
# along the four strongest, from the same start.

# %%
steps = [-4, -3, -2, -1, 0, 1, 2, 3, 4]
walks = []
for direction in range(4):
    for step in steps:
        along = [0.0] * 4
        along[direction] = float(step)
        walks.append(steered_latent(generator, 0, along))

with torch.no_grad():
    walked = generator(torch.cat(walks))
plots.show(
    plots.image_grid(
        walked,
        columns=len(steps),
        row_labels=[f"direction {number}" for number in (1, 2, 3, 4)],
        column_labels=[f"{step:+d}" if step else "start" for step in steps],
        alt="Four rows: the same generated digit in the middle, pushed up to four steps to either "
        "side along one of the four strongest directions. Towards the ends it turns into other digits.",
    )
)

# %% [markdown]
# Now it is your turn. **start** draws another $z$. The directions push it. On the right you see
# what the classifier makes of the image.
#
# Can you turn the digit into another one with a single slider? Can you find a place where the
# classifier cannot decide? Where it is sure of something that you would not call a digit?

# %%
latent_slider(generator, classifier)

# %% [markdown]
# ### Exercise 0.3 — Predict the walk (●○○, 2 min)
#
# Take two latents, $z_0$ and $z_1$, that give two different digits. Feed the generator with the
# latent halfway between them, $\tfrac12 (z_0 + z_1)$. What do you expect to see?
#
# - (a) both digits at once, each half transparent
# - (b) a single shape of clear strokes, somewhere between the two digits
# - (c) grey noise
# - (d) one of the two digits, exactly
#
# Decide before you run the cell below. Predicting first is the best way to learn from an
# experiment, so this course often asks for it.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("0.3", prediction)

# %%
z_0, z_1 = steered_latent(generator, 0, [0.0]), steered_latent(generator, 4, [0.0])
fractions = torch.linspace(0, 1, 9)

with torch.no_grad():
    between_latents = torch.cat([generator((1 - fraction) * z_0 + fraction * z_1) for fraction in fractions])
    image_0, image_1 = generator(z_0), generator(z_1)
between_images = torch.cat([(1 - fraction) * image_0 + fraction * image_1 for fraction in fractions])

plots.show(
    plots.image_grid(
        torch.cat([between_latents, between_images]),
        columns=9,
        row_labels=["G of mixed z", "mixed images"],
        column_labels=[f"{k}/8" for k in range(9)],
        alt="Above, generated from mixtures of two latents: one digit turns into the other, with clear "
        "strokes all the way. Below, mixtures of the two images: one fades out, the other fades in.",
    )
)

# %% [markdown]
# The upper row has no grey: its strokes move. The lower row is what (a) describes, and it is no
# digit. The generator has learnt which images are digits, and the straight line between two
# latents stays among them, or close to them.

# %% [markdown]
# ## A number that you will meet everywhere
#
# A discriminator answers with a probability, $D(x)$: how likely it thinks that $x$ is real. Its
# **loss** on one image is $-\log$ of the probability that it gave to the truth: $-\log D(x)$ if
# $x$ is real, and $-\log(1 - D(x))$ if it was generated. Being right and sure costs nearly
# nothing. Being wrong and sure costs a lot.
#
# ### Exercise 0.4 — What guessing costs (●○○, 3 min)
#
# A discriminator that cannot tell the difference says $D(x) = \tfrac12$, whatever it is shown.
# What is its loss on one image? Calculate it with Python; `math.log` is the natural logarithm.

# %%
### BEGIN SOLUTION
loss_of_guessing = -math.log(1 / 2)
### END SOLUTION

# %%
check("0.4", loss_of_guessing)

# %% [markdown]
# ## The course and its map
#
# The course is for you if you know Python, a little calculus and the rudiments of PyTorch, and
# want to get from "what does the minimax objective say?" to "I can train a GAN, debug it,
# evaluate it and extend it, and I know when to take a VAE instead". You don't need a GPU.
#
# Its formulas and the numbers it claims are checked by programs: formulas are verified where they
# stand, the course's functions are tested against closed forms or other libraries, and each
# exercise's check is itself tested with right and wrong answers.
#
# | notebook | the question | for reading and exercises | to run, two CPU cores |
# | --- | --- | --- | --- |
# | 00 Start here | what does a generator do, and how does the course work? | 30 min | 5 s |
# | 01 The minimax objective | what do the two players play for? | 125 min | 30 s |
# | 02 Game dynamics | why do they go round in circles? | 95 min | 20 s |
# | 03 A first GAN | what does a GAN look like from inside, on a plane? | 95 min | 45 s |
# | 04 An MLP GAN on MNIST | how do the well-known tutorials go wrong? | 80 min | 100 s |
# | 05 DCGAN on MNIST | how do you get good digits in a minute? | 95 min | 110 s |
# | 06 DCGAN on CIFAR-10 | what changes with colour? | 95 min | 3.5 min |
# | 07 When training fails | what went wrong, and how do you see it? | | |
# | 08 Losses and penalties | which loss, which penalty, and why? | | |
# | 09 Judging generators | how good is it, in numbers? | | |
# | 10 Variational autoencoders | what if you maximise a likelihood instead? | | |
# | 11 GAN vs. VAE | which of the two, and when? | | |
# | 12 Asking for a digit | how do you tell a generator what to draw? | | |
# | 13 From image to image | how does one picture become another? | | |
#
# Notebooks without times are still to come. None will run for more than 8 minutes on two CPU
# cores. Take them in this order.
#
# Most go the same way: a question, an idea, the mathematics, the code, an experiment, and what we
# saw. At the end stand the misconceptions (mistakes that people really make and publish, each
# refuted by a run), a summary, and what to read next.

# %% [markdown]
# ## What your machine can do
#
# The *doctor* looks at Python, PyTorch, memory, disk and data, and says what to do about anything
# that is wrong. (In a terminal: `course doctor`.)

# %%
print(doctor.report())

# %% [markdown]
# How long the notebooks train follows your machine. There are three **scales**:
#
# | scale | for | chosen |
# | --- | --- | --- |
# | `ci` | a test that the code runs; nothing is learnt | by hand |
# | `cpu` | two CPU cores: minutes | where there is no GPU |
# | `gpu` | a GPU: more images | where PyTorch finds CUDA |
#
# You always see the numbers in the cell that trains, like this. To insist on a scale, set the
# environment variable `COURSE_SCALE` before you start JupyterLab: `COURSE_SCALE=cpu make lab`.

# %%
images_to_train_on = by_scale(ci=256, cpu=200_000, gpu=2_000_000)
print(f"this machine runs at the scale {scale()!r}: a training would see {images_to_train_on:,} images")

# %% [markdown]
# Cells that take longer than 5 seconds show a bar with the time left. You can stop them with the
# ■ button at the top: what was trained so far stays usable.

# %% [markdown]
# ## Misconceptions
#
# **"The generator is random: you never get the same image twice."** You saw it above: the same
# latents gave the same images, equal in every pixel. Chance is in $z$ only.
#
# **"It has memorised the training images and hands them out again."** Then each generated digit
# would lie close to some training digit. Compare with real test digits, which no training has
# seen: how far is it from each to the *nearest* training digit?

# %%
train = data.load_mnist("train")
training_pixels = to_model_range(train.images).flatten(1)


def distance_to_nearest(images: Tensor) -> tuple[Tensor, Tensor]:
    """Euclidean distance of each image to its nearest training image, (N,), and which one that is, (N,)."""
    return torch.cdist(images.flatten(1), training_pixels).min(dim=1)


generated_distance, nearest = distance_to_nearest(many[:200])
real_distance, _ = distance_to_nearest(real_many[:200])
print("median distance to the nearest training digit:")
print(f"  {generated_distance.median():.1f} for generated digits")
print(f"  {real_distance.median():.1f} for real test digits")

closest = generated_distance.argsort()[:10]  # the ten that look most like copies
plots.show(
    plots.image_grid(
        torch.cat([many[:200][closest], to_model_range(train.images[nearest[closest]])]),
        columns=10,
        row_labels=["generated", "nearest real"],
        title="The ten of 200 that lie nearest to a training digit",
        note=train.note,
        alt="Ten generated digits, and below each the training digit nearest to it. They resemble each "
        "other, and differ in slant, length or thickness.",
    )
)

# %% [markdown]
# Even the ten nearest are no copies. All ten are ones, because one stroke looks much like
# another. And at the median a generated digit is no nearer to the training digits than a new real
# one is: a test digit, which nobody could have copied. (Distance between pixels is a crude
# measure. Notebook 09 has better ones.)
#
# **"A GAN needs a GPU."** For large images, yes. A generator like the one above trains in minutes
# on two CPU cores, and in notebook 05 you watch digits appear within a minute.

# %% [markdown]
# ## Summary
#
# - A generator is a function $G$ from a latent $z \sim \mathcal N(0, I)$ to an image. The same
#   $z$ gives the same image.
# - Pixels lie in $[-1, 1]$ in the networks, and in whole numbers from 0 to 255 on the disk.
# - Between two latents lie images that are nearly digits too; between two images lies a fade.
# - A discriminator that only guesses has the loss $\log 2 \approx 0.693$ on each image.
# - Exercises are checked when you run the check. Hints unfold, answers are remembered, and Run
#   All always works.
#
# Go on with [01_minimax_objective](01_minimax_objective.ipynb): what exactly do the two networks
# play for?

# %% [markdown]
# ## Further reading
#
# 1. I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville, Y.
#    Bengio. *Generative Adversarial Nets.* NeurIPS 2014. arXiv:1406.2661. The paper that began
#    it: eight pages, and notebook 01 works through them.
# 2. Y. Shen, B. Zhou. *Closed-Form Factorization of Latent Semantics in GANs.* CVPR 2021.
#    arXiv:2007.06600. Where the slider's directions come from.
# 3. I. Goodfellow. *NIPS 2016 Tutorial: Generative Adversarial Networks.* 2016. arXiv:1701.00160.
#    A long and friendly introduction.
# 4. A. Radford, L. Metz, S. Chintala. *Unsupervised Representation Learning with Deep
#    Convolutional Generative Adversarial Networks.* ICLR 2016. arXiv:1511.06434. Walks through
#    latent space, and the architecture of notebook 05.
