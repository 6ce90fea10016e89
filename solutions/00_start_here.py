# %% [markdown]
# # Start here: your first digits
#
# You see digits that nobody wrote, steer one with a slider, write a number in them, and know how
# this course works.
#
# | | |
# | --- | --- |
# | Reading time | 15 min, and 25 min for the exercises |
# | Running time | about 10 s on two CPU cores; a GPU is not needed |
# | You need | Python; the rudiments of PyTorch: tensors, their shapes, a network as a function |
# | You will be able to | draw samples from a generator and steer them; do an exercise, have it checked, and ask for hints; say what your machine will run, and how long it takes |
#
# You work in `notebooks/`. Press **Shift+Enter** to run a cell and go to the next, or choose *Run
# → Run All Cells*. That always works, whether you have solved the exercises or not.

# %%
import itertools
import math

import torch
from torch import Tensor

from course_utils import data, models, plots
from course_utils.checks import check
from course_utils.cli import doctor
from course_utils.data import to_model_range
from course_utils.metrics import class_coverage, classifier_confidence, load_classifier, surest_images
from course_utils.models import load_generator, sample
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, scale, seed
from course_utils.widgets.latent_slider import latent_slider, steered_latent, strongest_directions

# %% [markdown]
# ## Who made these digits?
#
# The next cell loads a **generator**: a small network that this course trained, and shipped with
# it. You will train one like it yourself, in [notebook
# 05](05_dcgan_mnist.ipynb#The-real-training).
#
# A generator $G$ is a function from random numbers to images. Its input is a list of 32 numbers,
# the **latent** $z$. Its output is an image of 28×28 pixels, $G(z)$. Before you look: how many of
# the 40 images will you take for handwriting?

# %%
generator = load_generator("mnist")
digits = sample(generator, 40, seed=seed(0))  # draws 40 latents, and runs them through the network

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
# does not close. Nothing was picked out; write `seed(1)` in the cell and look at 40 others.
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
# <!-- number 255: the format of image files -->
#
# Write the function that does it: 0 becomes −1, 255 becomes 1, and what lies between stays in
# proportion. The shape stays as it is.
# <!-- number 255: the format of image files -->


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
# Compare the two pictures. Where can you tell the difference: in the thickness of the strokes,
# in the edges, in the shapes? The course's answer in numbers uses a small **classifier**, which
# was trained to name digits. For each image it gives ten probabilities, one for each digit; the
# largest says how sure it is.

# %%
classifier = load_classifier("mnist")
many_latents = models.draw_latents(1_000, generator.latent_dim, torch.Generator().manual_seed(seed(1)))
real_many = to_model_range(real.images[:1_000])

with torch.no_grad():
    many = generator(many_latents)
    readings = classifier(many).softmax(dim=1)  # (1000, 10): for each image, the probability of each digit

found = class_coverage(many, classifier)
sure_of_real = classifier_confidence(real_many, classifier)
sure_of_generated = classifier_confidence(many, classifier)
print(f"the classifier names {classifier.test_accuracy:.1%} of MNIST's test digits rightly")
print(f"how sure it is, on average: {sure_of_real:.2f} on real digits")
print(f"                            {sure_of_generated:.2f} on generated ones")
print(f"among {len(many):,} generated ones, how often it sees 0, 1, … 9: {found.counts.tolist()}")

# %% [markdown]
# The classifier is surer of real digits than of generated ones: the scribbles tell. All ten
# digits occur, though nobody told the generator that there are ten. How to measure a generator
# better than by eye is the subject of
# [notebook 09](09_judging_generators.ipynb#Which-number-sees-which-failure?).

# %% tags=["claim"]
claim(
    "The classifier is surer of real digits than of generated ones",
    sure_of_real > sure_of_generated + 0.03,
    every_seed=True,
)
claim("All ten digits occur", (found.counts >= 50).all() and len(found.counts) == 10, every_seed=True)

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
# has one row for each sample. The generator's weights are of type float32, and so should the
# latents be: PyTorch's own default.


# %%
def draw_latents(n: int, latent_dim: int) -> Tensor:
    """z ~ N(0, I): n latents, shape (n, latent_dim)."""
    ### BEGIN SOLUTION
    return torch.randn(n, latent_dim)
    ### END SOLUTION


# %%
latents_for = check("0.2", draw_latents, otherwise=models.draw_latents)

# %% [markdown]
# Draw ten latents with it. Then use the same ten again, and then the first of them, ten times,
# with only its first number changed.

# %%
torch.manual_seed(seed(3))
z = latents_for(10, generator.latent_dim)
first_number_changed = z[:1].repeat(10, 1)
first_number_changed[:, 0] = torch.linspace(-4, 4, 10)

with torch.no_grad():
    images, again = generator(z), generator(z)
    changed = generator(first_number_changed)

print("the same latents give the same images:", torch.equal(images, again))
plots.show(
    plots.image_grid(
        torch.cat([images, changed]),
        columns=10,
        row_labels=["ten z", "one of z changed"],
        title="Latents and what becomes of them",
        alt="Above, ten generated images, all different. Below, the first of them ten times, while one "
        "number of its latent goes from −4 to 4: the shape changes little by little.",
    )
)

# %% [markdown]
# A single number of $z$ changes the image step by step. There are stronger levers. Some
# *directions* in latent space, a little of many numbers at once, change the image more than
# others, and the weights of the network's first layer show which [2].

# %%
directions = strongest_directions(generator)  # (32, 32): one direction a row, of length 1, strongest first


def change_of_image(direction: Tensor) -> float:
    """How far two steps along a direction move the image, on average: Euclidean distance between pixels."""
    with torch.no_grad():
        moved = generator(many_latents[:200] + 2 * direction)
    return (moved - many[:200]).flatten(1).norm(dim=1).mean().item()


single_numbers = [change_of_image(number) for number in torch.eye(generator.latent_dim)]
along_directions = [change_of_image(direction) for direction in directions]
print(f"one number of z:               {sum(single_numbers) / len(single_numbers):.1f} on average")
print("the four strongest directions:", *(f"{change:.1f}" for change in along_directions[:4]))
print(f"the weakest direction:         {along_directions[-1]:.1f}")

# %% [markdown]
# Each of the four strongest directions changes the image more than a single number does on
# average, and the weakest one changes it much less. They are strong in the first *layer*, so
# their order need not be that of the images. The next picture walks along the four, from the
# same start.

# %% tags=["claim"]
claim(
    "Each of the four strongest directions changes the image more than a single number does on average",
    min(along_directions[:4]) > 1.25 * sum(single_numbers) / 32,
    every_seed=True,
)
claim(
    "the weakest one changes it much less",
    along_directions[-1] < 0.5 * sum(single_numbers) / 32,
    every_seed=True,
)
claim(
    "their order need not be that of the images",
    sorted(along_directions, reverse=True) != along_directions,
    every_seed=True,
)

# %%
steps = [-4, -3, -2, -1, 0, 1, 2, 3, 4]
walks = []
for direction in range(4):
    for step in steps:
        along = [0.0] * 4
        along[direction] = float(step)
        walks.append(steered_latent(generator, seed(0), along))

with torch.no_grad():
    walked = generator(torch.cat(walks))
    read_as = classifier(walked).argmax(dim=1).reshape(4, len(steps))
plots.show(
    plots.image_grid(
        walked,
        columns=len(steps),
        row_labels=[f"direction {number}" for number in (1, 2, 3, 4)],
        column_labels=[f"{step:+d}" if step else "start" for step in steps],
        alt="Four rows: the same generated digit in the middle, pushed up to four steps to either "
        "side along one of the four strongest directions. Towards the ends it turns into other shapes.",
    )
)
print("what the classifier reads:", *read_as.tolist(), sep="\n")

# %% [markdown]
# Eight walks from one start: in this run, each row ends in another digit on one side at least.

# %% tags=["claim"]
claim(
    "in this run, each row ends in another digit on one side at least",
    (read_as[:, [0, -1]] != read_as[:, 4:5]).any(dim=1).all(),
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
# Answer with the letter in quotation marks: `prediction = "a"`, say. Decide before you run the cell
# below. Predicting first is the best way to learn from an experiment, so this course often asks for
# it.

# %%
### BEGIN SOLUTION
prediction = "b"
### END SOLUTION

# %%
check("0.3", prediction)


# %%
def first_read_as(digit: int) -> int:
    """By rule, not by hand: the first of the 1,000 images that the classifier takes for it, 90 % sure."""
    return int((readings[:, digit] > 0.9).nonzero()[0])


fractions = torch.tensor([0, 1 / 4, 1 / 2, 3 / 4, 1])
nothing = torch.ones(1, 1, 28, 28)  # white, like the page
pairs = [(0, 5), (1, 6), (2, 7), (3, 8), (4, 9)]
rows = []
for one, other in pairs:
    z_0, z_1 = many_latents[first_read_as(one)], many_latents[first_read_as(other)]
    with torch.no_grad():
        image_0, image_1 = generator(torch.stack([z_0, z_1]))
        of_mixed_latents = generator(torch.stack([(1 - f) * z_0 + f * z_1 for f in fractions]))
    mixed_images = torch.stack([(1 - f) * image_0 + f * image_1 for f in fractions])
    rows.append(torch.cat([of_mixed_latents, nothing, mixed_images]))

plots.show(
    plots.image_grid(
        torch.cat(rows),
        columns=11,
        row_labels=[f"{one} to {other}" for one, other in pairs],
        column_labels=["0", "¼", "½", "¾", "1", "", "0", "¼", "½", "¾", "1"],
        title="Left: G of mixed latents. Right: mixed images",
        alt="Five rows, each from one digit to another: 0 to 5, 1 to 6, 2 to 7, 3 to 8, 4 to 9. On the left, "
        "made from mixed latents: one digit bends into the other, with clear strokes all the way. On the "
        "right, mixed images: one fades out while the other fades in, and halfway both are seen, in grey.",
    )
)

# %% [markdown]
# Five pairs are a small sample. Here are all pairs of two digits out of ten, halfway only.
# *Grey* is the share of the pixels that are neither dark nor bright.


# %%
def grey(images: Tensor) -> float:
    """Share of pixels between −0.5 and 0.5."""
    return (images.abs() < 0.5).float().mean().item()


chosen = [first_read_as(digit) for digit in range(10)]
all_pairs = list(itertools.combinations(range(10), 2))
first_z, second_z = (many_latents[[chosen[pair[k]] for pair in all_pairs]] for k in (0, 1))
first_image, second_image = (many[[chosen[pair[k]] for pair in all_pairs]] for k in (0, 1))
halfway_z, halfway_images = (first_z + second_z) / 2, (first_image + second_image) / 2

with torch.no_grad():
    halfway = generator(halfway_z)
    read_halfway = classifier(halfway).argmax(dim=1).tolist()
third = sum(digit not in pair for digit, pair in zip(read_halfway, all_pairs, strict=True))
sure_halfway = classifier_confidence(halfway, classifier)
sure_of_mixed = classifier_confidence(halfway_images, classifier)

print(f"{len(all_pairs)} pairs             grey    the classifier's confidence")
print(
    f"the ten ends         {grey(many[chosen]):5.1%}   {classifier_confidence(many[chosen], classifier):.2f}"
)
print(f"G of mixed latents   {grey(halfway):5.1%}   {sure_halfway:.2f}")
print(f"mixed images         {grey(halfway_images):5.1%}   {sure_of_mixed:.2f}")
print(f"halfway the classifier reads a third digit in {third} of the {len(all_pairs)} pairs")

# %% [markdown]
# You predicted what lies halfway: it is (b), because $G$ makes *one* image of any $z$, and has
# learnt to make strokes. Halfway there is about as little grey as at the ends. Mixed images,
# which are what (a) describes, have at least four times as much, and the classifier is far less
# sure of them. (c) would be grey all over. And (d)? The classifier mostly reads one of the two
# digits halfway, but the image is another one than at either end: $G$ is continuous, and moves
# all the way.
#
# "Between" has its surprises: on the way from one digit to another you may pass a third. In this
# run that is so in 14 of the 45 pairs. And halfway latents are short: they have about 0.7 times
# the length of those that $G$ was trained on. [Notebook
# 05](05_dcgan_mnist.ipynb#What-lies-between-two-digits?) takes another way.

# %% tags=["claim"]
claim(
    "Halfway there is about as little grey as at the ends",
    grey(halfway) < 1.25 * grey(many[chosen]),
    every_seed=True,
)
claim("have at least four times as much", grey(halfway_images) >= 4 * grey(halfway), every_seed=True)
to_ends = [(halfway - end).flatten(1).norm(dim=1) for end in (first_image, second_image)]
claim("image is another one than at either end", torch.stack(to_ends).min() > 1, every_seed=True)
claim("The classifier mostly reads one of the two digits halfway", third < 45 / 2, every_seed=True)
claim("the classifier is far less sure of them", sure_of_mixed < sure_halfway - 0.2, every_seed=True)
claim("In this run that is so in 14 of the 45 pairs", third == 14 and len(all_pairs) == 45)
claim("you may pass a third", third > 0, every_seed=True)
claim(
    "they have about 0.7 times the length of those that $G$ was trained on",
    about(halfway_z.norm(dim=1).mean() / many_latents.norm(dim=1).mean(), 0.7),
    every_seed=True,
)

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
# Its formulas and results are checked by programs: formulas where they stand, the course's
# functions against closed forms or other libraries, each exercise's check with right and wrong
# answers. What a sentence says of a run is held against that run, and against others with other
# seeds; a sentence that says "in this run" holds for the one shown.
#
# <!-- numbers: times that were measured, written by tools/readme.py -->
# | notebook | the question | for reading and exercises | to run, two CPU cores |
# | --- | --- | --- | --- |
# | 00 Start here | what does a generator do, and how does the course work? | 40 min | 10 s |
# | 01 The minimax objective | what do the two players play for? | 125 min | 15 s |
# | 02 Game dynamics | why do they go round in circles? | 145 min | 30 s |
# | 03 A first GAN | what does a GAN look like from inside, on a plane? | 130 min | 55 s |
# | 04 An MLP GAN on MNIST | what do five bugs look like in the samples? | 125 min | 150 s |
# | 05 DCGAN on MNIST | how do you get good digits in a minute? | 130 min | 3 min |
# | 06 DCGAN on CIFAR-10 | what changes with colour? | 130 min | 7.5 min |
# | 07 When training fails | what went wrong, and how do you see it? | 245 min | 75 s |
# | 08 Losses and penalties | which loss, which penalty, and why? | 140 min | 155 s |
# | 09 Judging generators | how good is it, in numbers? | 220 min | 65 s |
# | 10 Variational autoencoders | what if you maximise a likelihood instead? | 130 min | 110 s |
# | 11 GAN vs. VAE | which of the two, and when? | 146 min | 150 s |
# | 12 Asking for a digit | how do you tell a generator what to draw? | 131 min | 3 min |
# | 13 From image to image | how does one picture become another? | 187 min | 6 min |
#
# Notebooks without times are still to come. None will run for more than 8 minutes on two CPU
# cores. Take them in this order.
#
# Most go the same way: a question, an idea, the mathematics, the code, an experiment, and what
# we saw. At the end stand the misconceptions (what is easily believed, and false), a summary,
# and what to read next.

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
# <!-- number 5: a rule of the course -->

# %% [markdown]
# ## Misconceptions
#
# **"The generator is random: you never get the same image twice."** You saw it above: the same
# latents gave the same images, equal in every pixel. Chance is in $z$ only.
#
# **"It has memorised the training images and hands them out again."** Then each generated digit
# would lie close to some training digit. How close is close? Real test digits set the scale: no
# training has seen them, so they cannot be copies. How far is it from each to the *nearest*
# training digit? (Distance between pixels is a crude measure;
# [notebook 09](09_judging_generators.ipynb#Has-it-only-learnt-by-heart?) has better ones.)

# %%
train = data.load_mnist("train")
trained_on = to_model_range(train.images[:10_000])  # the digits that this generator was shown


def nearest_trained_on(images: Tensor) -> tuple[Tensor, Tensor]:
    """Euclidean distance of each image to its nearest training digit, (N,), and which one that is, (N,)."""
    return torch.cdist(images.flatten(1), trained_on.flatten(1)).min(dim=1)


generated_distance, nearest = nearest_trained_on(many)
real_distance, _ = nearest_trained_on(real_many)
seen = readings.argmax(dim=1)  # which digit the classifier sees in each generated image

print("distance to the nearest training digit    median   smallest")
print(f"{len(many):,} generated digits {generated_distance.median():23.1f} {generated_distance.min():10.1f}")
print(f"{len(real_many):,} real test digits {real_distance.median():23.1f} {real_distance.min():10.1f}")
print(f"generated ones only    {generated_distance[seen == 1].median():23.1f}")

# %% jupyter={"source_hidden": true}
of_each_digit = torch.tensor(
    [generated_distance.masked_fill(seen != digit, math.inf).argmin() for digit in range(10)]
)
shown = [many[of_each_digit], trained_on[nearest[of_each_digit]], many[:10], trained_on[nearest[:10]]]
plots.show(
    plots.image_grid(
        torch.cat(shown),
        columns=10,
        row_labels=["most alike", "training", "first ten", "training"],
        title="Generated digits, and below each its nearest training digit",
        note=train.note,
        alt="First row: for each of the ten digits, the one of 1,000 generated images that lies nearest to a "
        "training digit; below it that training digit. They resemble each other, and differ in slant, length "
        "or thickness. Third row: the first ten generated images, with larger differences from the training "
        "digits below them.",
    )
)

# %% [markdown]
# The first row was chosen *for* copies: of each digit, the one that comes nearest to a training
# digit. Even these differ from it in slant, length or thickness. In this run the nearest one to
# the 2 is even a 1: pixels know no digits. The third row was not chosen at all.
#
# In the middle of the order, generated digits lie about as near to the training digits as real
# test digits do: the medians differ by less than 5 %. Ones lie nearest, at less than half the
# distance of the others, because one stroke looks much like another. So a small distance alone
# proves nothing.

# %% tags=["claim"]
claim(
    "the medians differ by less than 5 %",
    (generated_distance.median() / real_distance.median() - 1).abs() < 0.05,
    every_seed=True,
)
claim(
    "Ones lie nearest, at less than half the distance of the others",
    generated_distance[seen == 1].median() < 0.5 * generated_distance[seen != 1].median()
    and all(
        generated_distance[seen == 1].median() < generated_distance[seen == digit].median()
        for digit in (0, 2, 3, 4, 5, 6, 7, 8, 9)
    ),
    every_seed=True,
)
claim("Even these differ from it", generated_distance.min() > 1, every_seed=True)
claim(
    "In this run the nearest one to the 2 is even a 1",
    train.labels[nearest[of_each_digit[2]]] == 1,
    values={"the generated one": 2},
)

# %% [markdown]
# **"A GAN needs a GPU."** For large images, yes. A generator like the one above trains in
# minutes on two CPU cores: [notebook 05](05_dcgan_mnist.ipynb#The-real-training) does it before
# your eyes.

# %% [markdown]
# ## Something to keep
#
# This generator cannot be told which digit to draw; [notebook
# 12](12_asking_for_a_digit.ipynb#Write-a-number) builds one that can. But you can draw many and
# choose, and you have all that it takes: 1,000 images, and for each the classifier's ten
# probabilities.
#
# ### Exercise 0.5 — A number that nobody wrote (●●○, 10 min)
#
# Write the function that chooses an image for each figure of a number, such as "2014": the one
# that the classifier is surest of, which gives this figure the largest probability of all. An image
# is used once. Where a figure comes again, take the next surest that is left, whatever else it may
# be read as.
#
# `probabilities` has a row for each image and ten columns, as `readings` above. Hand back the
# rows' places, counted from 0 as always, in the order of the figures. Leave `probabilities` as
# it is.


# %%
def images_for(number: str, probabilities: Tensor) -> list[int]:
    """For each figure of `number`, the row of `probabilities`, (N, 10), that is surest of it; none twice."""
    ### BEGIN SOLUTION
    left = probabilities.clone()
    places = []
    for figure in number:
        place = int(left[:, int(figure)].argmax())
        left[place] = -1  # used: no longer the surest of anything
        places.append(place)
    return places
    ### END SOLUTION


# %%
images_for_or_ours = check("0.5", images_for, otherwise=surest_images)

# %% [markdown]
# Now your own: a birthday, a house, a telephone. It is a picture that nobody drew of a number
# that only you chose. (2014 is the year of the first paper on GANs.)

# %%
my_number = "2014"

places = [int(place) for place in images_for_or_ours(my_number, readings)]
plots.show(
    plots.image_grid(
        many[places],
        columns=len(places),
        width=min(7.0, 1.2 * len(places)),
        alt=f"The number {my_number} in large generated digits, white on black.",
    )
)

# %% [markdown]
# ## Summary
#
# - A generator is a function $G$ from a latent $z \sim \mathcal N(0, I)$ to an image. The same
#   $z$ gives the same image.
# - Pixels lie in $[-1, 1]$ in the networks, and in whole numbers from 0 to 255 on the disk.
# - Between two latents lie images of clear strokes; between two images lies a fade.
# - A discriminator that only guesses has the loss $\log 2 \approx 0.693$ on each image.
# - Exercises are checked when you run the check. Hints unfold, answers are remembered, and Run
#   All always works.
#
# Go on with [01_minimax_objective](01_minimax_objective.ipynb): what exactly do the two networks
# play for?

# %% [markdown]
# ## Further reading
#
# 1. I. Goodfellow, J. Pouget-Abadie, M. Mirza, B. Xu, D. Warde-Farley, S. Ozair, A. Courville,
#    Y. Bengio. *Generative Adversarial Nets.* NeurIPS 2014. arXiv:1406.2661. The paper that
#    began it; [notebook 01](01_minimax_objective.ipynb#Two-players,-one-number) works through
#    its theory.
# 2. Y. Shen, B. Zhou. *Closed-Form Factorization of Latent Semantics in GANs.* CVPR 2021.
#    arXiv:2007.06600. Where the slider's directions come from.
# 3. I. Goodfellow. *NIPS 2016 Tutorial: Generative Adversarial Networks.* 2016. arXiv:1701.00160.
#    A long and friendly introduction.
# 4. A. Radford, L. Metz, S. Chintala. *Unsupervised Representation Learning with Deep
#    Convolutional Generative Adversarial Networks.* ICLR 2016. arXiv:1511.06434. Walks through
#    latent space, and the architecture of
#    [notebook 05](05_dcgan_mnist.ipynb#What-did-DCGAN-get-right?).
