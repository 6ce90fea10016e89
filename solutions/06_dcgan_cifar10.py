# %% [markdown]
# # DCGAN on CIFAR-10: colour
#
# You take networks like those of notebook 05 to photographs, learn the tools that keep a
# discriminator fair, and measure what the generator has understood of colour, edges and texture,
# and what it has not.
#
# | | |
# | --- | --- |
# | Reading time | 50 min, and 45 min for the exercises |
# | Running time | about 3.5 min on two CPU cores; the `gpu` scale has not been run yet |
# | You need | notebook 05 (transposed convolutions, the training loop, the Fréchet distance); what an eigenvalue is |
# | You will be able to | find a generator's wrong size by arithmetic; augment without teaching the generator the augmentation; bound a discriminator's slope; recognise a checkerboard by its spectrum; compare colours and edges with those of the data |

# %%
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils import data, plots
from course_utils.checks import check
from course_utils.metrics import (
    channel_correlations,
    checkerboard_fraction,
    colour_histograms,
    edge_strengths,
    frechet_evaluator,
    power_spectrum,
    radial_spectrum,
)
from course_utils.models import (
    UPSAMPLING,
    count_parameters,
    dcgan_discriminator,
    dcgan_generator,
    load_generator,
    pytorch_initialised,
    sample,
    spectrally_normalised,
)
from course_utils.models import largest_singular_value as reference_singular_value
from course_utils.notebook import show_source
from course_utils.runtime import by_scale, pick_device
from course_utils.training import augmentation, progress, train_gan

device = pick_device()
print(f"computing on: {device}")

# %% [markdown]
# ## What do we have to draw?
#
# CIFAR-10 has 50,000 small photographs: airplanes, cars, birds, cats, deer, dogs, frogs, horses,
# ships, trucks. A picture is 32×32 pixels in three colours, 3,072 numbers.

# %%
cifar = data.load_cifar10("train")
draw_real = data.image_sampler(cifar.images, device)  # draw_real(n, rng): n random images in [-1, 1]

rng = torch.Generator(device).manual_seed(0)
some_real = draw_real(32, rng).cpu()
print(f"{len(cifar.images):,} images of shape {tuple(cifar.images.shape[1:])}: {', '.join(cifar.classes)}")
plots.show(plots.image_grid(some_real, columns=16, title="Real photographs", note=cifar.note))

# %% [markdown]
# Compare with digits. All digits are strokes in the middle of a black page. Here every picture
# has its own background, light, distance and angle. No two cats sit alike. It is a much harder
# set, and this notebook does not pretend otherwise: **in a minute on two CPU cores you get
# colours and a grain, in five minutes something like photographs from afar, and no object that
# you could name.** You will measure how far that goes.
#
# The numbers and pictures kept in `solutions/`, and the shipped generators further down, come
# from a copy of CIFAR-10 that went through JPEG once: the same photographs, slightly softer. With
# the official files you will see slightly other numbers.
#
# As in notebook 05, the measure is a Fréchet distance on the features of a small classifier that
# the course ships. First its scale:

# %%
with progress(1, "features of the real test images", unit="set") as update:
    evaluate = frechet_evaluator("cifar10")
    update(1)
sample_count = by_scale(ci=100, cpu=1_000, gpu=10_000)  # images for each distance: compare only equal numbers
chosen = torch.randperm(len(cifar.images), generator=torch.Generator().manual_seed(0))
real_images = data.to_model_range(cifar.images[chosen[:sample_count]])

torch.manual_seed(0)
known = {
    "other real photographs": real_images,
    "real photographs, blurred 3×3": F.avg_pool2d(
        real_images, 3, stride=1, padding=1, count_include_pad=False
    ),
    "real photographs, without colour": real_images.mean(1, keepdim=True).expand(-1, 3, -1, -1),
    "red and blue exchanged": real_images.flip(1),
    "an untrained generator": sample(dcgan_generator((3, 32, 32)), sample_count),
}
with progress(len(known), "known images", unit="sets") as update:
    for done, (what, images) in enumerate(known.items(), start=1):
        print(f"{what:38s} Fréchet distance {evaluate(images):6.2f}")
        update(done)

# %% [markdown]
# Of the three changes to photographs, this measure penalises blur most, and wrong or missing
# colours less than you might. Keep the row of the blurred photographs in mind: you will meet a
# generator with a distance like that, for other reasons.
#
# ## Why is the picture too small?
#
# Here, in PyTorch's words, is a generator for CIFAR-10 that is in circulation. It resembles
# TensorFlow's tutorial for MNIST, which starts from 7×7 and has strides 1, 2, 2. Only, it starts
# from 4×4. You have the arithmetic from notebook 05, with one addition: `output_padding` is a
# number of pixels added at *one* end. It is there because several input sizes of a strided
# convolution lead to the same output size, and going backwards you have to say which one you
# mean.


# %%
def circulating_generator() -> nn.Sequential:
    """100 random numbers → a colour picture, but of what size?"""
    return nn.Sequential(
        nn.Linear(100, 256 * 4 * 4, bias=False),
        nn.Unflatten(1, (256, 4, 4)),
        nn.BatchNorm2d(256),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(256, 128, kernel_size=5, stride=1, padding=2, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 64, kernel_size=5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(64, 3, kernel_size=5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )


# %% [markdown]
# ### Exercise 6.1 — Where does the picture end? (●○○, 8 min)
#
# Give the side of the picture that comes out of a chain of transposed convolutions. Each layer is
# described by (kernel, stride, padding, output_padding). Don't run the generator: do the
# arithmetic. For the layers above you should find a number that is not 32.


# %%
def final_side(start: int, layers: list[tuple[int, int, int, int]]) -> int:
    """The side of the map after all layers; each is (kernel, stride, padding, output_padding)."""
    ### BEGIN SOLUTION
    side = start
    for kernel, stride, padding, output_padding in layers:
        side = (side - 1) * stride + kernel - 2 * padding + output_padding
    return side
    ### END SOLUTION


# %%
check("6.1", final_side)

# %% [markdown]
# Now run it, and see whether anything complains:

# %%
too_small = circulating_generator()(torch.randn(2, 100))
averaging = nn.Sequential(  # a discriminator that ends in the average over its last map
    nn.Conv2d(3, 32, 4, stride=2, padding=1),
    nn.LeakyReLU(0.2),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(32, 1),
)
print("the circulating generator makes:", tuple(too_small.shape))
print("an averaging discriminator on it:", tuple(averaging(too_small).shape), "and on real images:",
      tuple(averaging(some_real[:2]).shape))  # fmt: skip
try:
    dcgan_discriminator((3, 32, 32))(too_small)
except RuntimeError as error:
    print(f"ours: {str(error).splitlines()[0]}")

# %% [markdown]
# A discriminator whose last layer fixes the size refuses. One that averages takes both sizes
# without a word. The training runs, the losses move, and what comes out is a quarter of a
# picture's pixels. So the size is worth an assertion, or a minute of arithmetic.
#
# ### Exercise 6.2 — Mend the generator (●●○, 10 min)
#
# Write the generator again so that it paints 32×32 pixels. Keep what is good: latents of 100
# numbers, a start of 256 maps of 4×4, three transposed convolutions, the tanh. One layer has to
# change, and mind its `output_padding`.


# %%
def fixed_generator() -> nn.Sequential:
    """100 random numbers → a picture (3, 32, 32) in [-1, 1]."""
    ### BEGIN SOLUTION
    return nn.Sequential(
        nn.Linear(100, 256 * 4 * 4, bias=False),
        nn.Unflatten(1, (256, 4, 4)),
        nn.BatchNorm2d(256),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(256, 128, kernel_size=5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(128, 64, kernel_size=5, stride=2, padding=2, output_padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2),
        nn.ConvTranspose2d(64, 3, kernel_size=5, stride=2, padding=2, output_padding=1, bias=False),
        nn.Tanh(),
    )
    ### END SOLUTION


# %%
check("6.2", fixed_generator)

# %% [markdown]
# From here on we use the two functions from which notebook 05 builds its networks,
# `dcgan_generator` and `dcgan_discriminator`. The shape is (3, 32, 32), so the start is 8×8. The
# extra convolutions and the spectral normalisation are left out; the normalisation has a section
# of its own below. Here they are with the sizes of this notebook, 48 channels at half size and
# latents of 64 numbers:

# %%
NETWORK = {"image_shape": (3, 32, 32), "latent_dim": 64, "width": 48}
generator = dcgan_generator(**NETWORK)
discriminator = dcgan_discriminator((3, 32, 32), width=48)
fake = generator(torch.randn(4, 64))
assert fake.shape == (4, 3, 32, 32)
print(f"generator:     {count_parameters(generator):7,} weights → {tuple(fake.shape)}")
print(f"discriminator: {count_parameters(discriminator):7,} weights → {tuple(discriminator(fake).shape)}")

# %% [markdown]
# ## Where does a checkerboard come from?
#
# A generator has to make maps larger. There are three usual layers that double a map:
#
# | layer | how an output pixel is made | source |
# | --- | --- | --- |
# | transposed convolution, kernel 4, stride 2 | from 2×2 inputs; odd and even rows and columns use different weights of the kernel | DCGAN |
# | resize-convolution | every pixel is repeated 2×2, then a 3×3 convolution, the same weights everywhere | Odena et al., 2016 |
# | pixel shuffle | a convolution makes four maps, which are interleaved: one for each pixel of a 2×2 block | Shi et al., 2016 |
#
# In notebook 05 you counted stamps. Now look at what comes out. A checkerboard is a pattern that
# repeats every *two* pixels. In the Fourier transform of a picture it has a place of its own: the
# frequency ½, in rows, in columns, or in both. So measure the **power spectrum**,
#
# $$P(u, v) = \frac{1}{HW}\,\mathbb E\,\Bigl|\sum_{x, y} I(x, y)\, e^{-2\pi i (ux + vy)}\Bigr|^2,$$
#
# where $I$ is the brightness less its mean, and take the fraction of all the power that lies at
# $(½, 0)$, $(0, ½)$ and $(½, ½)$. White noise has the same power at all 1,023 frequencies, so its
# fraction is 3/1023 ≈ 0.003.

# %%
show_source(power_spectrum, checkerboard_fraction)

# %%
rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
board = ((rows + columns) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
white_noise = torch.randn(500, 1, 32, 32, generator=torch.Generator().manual_seed(0))
for what, images in {
    "a checkerboard": board,
    "white noise": white_noise,
    "real photographs": real_images,
}.items():
    print(f"{what:18s} fraction of power at period 2: {checkerboard_fraction(images):.4f}")

# %% [markdown]
# Photographs have far less than noise: neighbouring pixels are alike, and most of the power is in
# the coarse.
#
# ### Exercise 6.3 — Predict the checkerboard (●○○, 3 min)
#
# Take the three kinds of generator *before any training*. Which of them have far more power at
# period 2 than photographs have?
#
# - (a) Only the transposed convolution: its stamps overlap.
# - (b) Only the resize-convolution: it repeats every pixel 2×2.
# - (c) The transposed convolution and the pixel shuffle, not the resize-convolution.
# - (d) None of them: random weights make noise, which has no pattern.

# %%
### BEGIN SOLUTION
prediction = "c"
### END SOLUTION

# %%
check("6.3", prediction)

# %%
NAMES = {
    "transposed": "transposed convolution",
    "resize": "resize-convolution",
    "pixel_shuffle": "pixel shuffle",
}


def untrained_images(upsampling: str, seeds: int = 4) -> Tensor:
    """Images of a few generators that have learnt nothing; training mode, for the batch's own statistics."""
    images = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        untrained = dcgan_generator(**NETWORK, upsampling=upsampling).train()
        with torch.no_grad():
            images.append(untrained(torch.randn(64, untrained.latent_dim)))
    return torch.cat(images)


untrained = {method: untrained_images(method) for method in UPSAMPLING}
for method in UPSAMPLING:
    print(
        f"{NAMES[method]:24s} fraction of power at period 2: {checkerboard_fraction(untrained[method]):.4f}"
    )
plots.show(
    plots.image_grid(
        torch.cat([untrained[method][:8] for method in UPSAMPLING]),
        columns=8,
        row_labels=["transposed", "resize", "pixel shuffle"],
        title="Generators before any training",
        alt="Three rows of images from untrained generators: fine grids and specks from the transposed "
        "convolution and the "
        "pixel shuffle, smooth blotches from the resize-convolution.",
    )
)

# %%
figure, panels = plots.new_figure(columns=4, width=7.5, height=2.7)
spectra = {**{NAMES[method]: untrained[method] for method in UPSAMPLING}, "real": real_images}
for axes, (name, images) in zip(panels, spectra.items(), strict=True):
    relative = power_spectrum(images)
    relative = (relative / relative.mean()).log10()
    picture = axes.imshow(relative, cmap="cividis", vmin=-2, vmax=2, extent=(-0.5, 0.5, 0.5, -0.5))
    axes.set(title=name, xlabel="cycles a pixel, across", ylabel="down", xticks=(-0.5, 0, 0.5))
    axes.title.set_fontsize(9)
    axes.xaxis.label.set_fontsize(9)
    axes.label_outer()
    axes.grid(False)
figure.colorbar(picture, ax=panels, label="log₁₀ power / mean", shrink=0.8)
plots.show(
    plots.describe(
        figure,
        "Power spectra. Transposed convolution and pixel shuffle: nearly flat, with bright dots at the "
        "middle of the edges and in the "
        "corners, which are the period of two pixels, and at a quarter. Resize-convolution and real "
        "photographs: bright in the middle, dark at the edges. " + cifar.note,
    )
)

# %% [markdown]
# The bright dots at the corners and at the middles of the edges are the checkerboard, the period
# of two pixels. The dots at ¼ are a period of four: the checkerboard of the *first* upsampling,
# made twice as coarse by the second. The four pixels of a block come from four sets of random
# weights, in a pixel shuffle and in a transposed convolution alike. One set happens to add up to
# more than another, so each of the four kinds of pixel has a brightness of its own: a pattern of
# period 2. (Aitken et al., 2017, propose to start the four sets of a pixel shuffle equal.) The
# resize-convolution uses the same weights for every pixel, and its spectrum even resembles that
# of photographs: smooth is its habit.
#
# And after training? A checkerboard that D can see is a mistake that G can unlearn. Train each
# for a short while, everything else equal. (The initial weights are PyTorch's own, here and
# below. The networks come with DCGAN's, which notebook 05 uses; a later section compares the
# two.)

# %%
show_source(pytorch_initialised)

# %%
brief_images = by_scale(ci=128, cpu=20_000, gpu=200_000)
brief = {
    "images": brief_images,
    "snapshot_every": brief_images,
    "ema_half_life": 2_500,
    "progress": False,
}


def unchanged(network: nn.Module) -> nn.Module:
    return network


def short_run(
    upsampling="transposed",
    initialisation=pytorch_initialised,
    normalise=unchanged,
    sampler=draw_real,
    **settings,
):
    """A short training, the same seed and the same number of images each time."""
    torch.manual_seed(0)
    generator = initialisation(dcgan_generator(**NETWORK, upsampling=upsampling))
    discriminator = normalise(initialisation(dcgan_discriminator((3, 32, 32), width=48)))
    return train_gan(generator, discriminator, sampler, **brief, **settings)


short = {}
with progress(len(UPSAMPLING), "three short trainings", unit="runs") as update:
    for done, method in enumerate(UPSAMPLING, start=1):
        short[method] = short_run(method)
        update(done)

# %%
made = {method: sample(short[method].generator, sample_count) for method in UPSAMPLING}
print(f"after {brief_images:,} images each, one seed:")
for method in UPSAMPLING:
    print(
        f"{NAMES[method]:24s} fraction of power at period 2: {checkerboard_fraction(made[method]):.4f}   "
        f"Fréchet distance {evaluate(made[method]):5.2f}   "
        f"{short[method].images_seen / short[method].seconds:,.0f} images/s"
    )
print(f"{'real photographs':24s} fraction of power at period 2: {checkerboard_fraction(real_images):.4f}")
frequencies, real_power = radial_spectrum(real_images)
plots.show(
    plots.lines(
        frequencies,
        {"real": real_power, **{NAMES[method]: radial_spectrum(made[method])[1] for method in UPSAMPLING}},
        x_label="frequency, cycles a pixel",
        y_label="mean power",
        log=True,
        title="From coarse to fine, after a short training",
        note=cifar.note,
        alt="Mean power against frequency, on a logarithmic axis, for real photographs and three kinds "
        "of generator. All fall from "
        "coarse to fine. In the middle all generators lie below the real ones; at the fine end the "
        "transposed convolution and the pixel "
        "shuffle come back to them.",
    )
)

# %% [markdown]
# D sees the checkerboard, and G unlearns it: the fractions have fallen to the size of the
# photographs'. What is left shows in the curves. All three generators have too little power in
# the middle: too little detail. From 0.4 to 0.47, where the photographs' curve keeps falling,
# those of the transposed convolution and of the pixel shuffle are nearly level: a remnant of the
# grid. The resize-convolution errs on the smooth side, and it takes the most time for an image.
# It also has the smallest distance here, but one seed and a short training make no law.
#
# We continue with the transposed convolution, as in notebook 05: per image it takes much less
# time than the resize-convolution. Try `upsampling="resize"` yourself;
# [docs/benchmarks.md](../docs/benchmarks.md) has all three after more images.
#
# ## What may the discriminator memorise?
#
# The discriminator sees the same 50,000 photographs again and again. Given time, it can memorise
# them instead of learning what a photograph looks like. Then it no longer teaches: every
# generated picture is wrong, whatever is on it.
#
# In classification one augments the data: mirrored, moved and recoloured pictures are still cats.
# In a GAN there is a trap. Whatever the real images look like *to D* is what G will learn to
# make. Augment only the real ones, and G paints mirrored, shifted, wrongly coloured pictures,
# because these are the data now. So (Zhao et al., 2020):
#
# 1. augment **all** that D sees, real and generated, in D's step and in G's;
# 2. use operations that are **differentiable**, so that the gradient finds its way back through
#    them to G.
#
# With $T$ for the random augmentation and logits $D$,
#
# $$L_D = \mathbb E\,\operatorname{softplus}(-D(T(x))) + \mathbb E\,\operatorname{softplus}(D(T(G(z)))), \qquad L_G = \mathbb E\,\operatorname{softplus}(-D(T(G(z)))).$$
#
# ### Exercise 6.4 — Mirror half of them (●●○, 8 min)
#
# Write the simplest augmentation. Every image of the batch is mirrored, left for right, with
# probability ½, by a coin of its own. Draw the coins with the given `rng`, so that a seed decides
# everything. Don't change the images you are given, and let gradients through.


# %%
def mirror(images: Tensor, rng: torch.Generator) -> Tensor:
    """Images (N, C, H, W); each comes back as it was, or mirrored."""
    ### BEGIN SOLUTION
    coin = torch.rand(len(images), 1, 1, 1, generator=rng, device=images.device) < 0.5
    return torch.where(coin, images.flip(3), images)
    ### END SOLUTION


# %%
mirror_or_reference = check("6.4", mirror, otherwise=augmentation.flip)

# %% [markdown]
# The course has this one and two more, as in the paper: brightness, saturation and contrast; and
# a shift by up to 4 pixels.

# %%
show_source(augmentation.colour, augmentation.translate)

# %%
rng = torch.Generator().manual_seed(1)
twelve = some_real[:12]
steps = {
    "as it is": twelve,
    "mirrored?": mirror_or_reference(twelve, rng),
    "colour": augmentation.colour(twelve, rng).clamp(-1, 1),
    "moved": augmentation.translate(twelve, rng),
    "all three": augmentation.augment(twelve, rng).clamp(-1, 1),
}
plots.show(
    plots.image_grid(
        torch.cat(list(steps.values())),
        columns=len(twelve),
        row_labels=list(steps),
        title="What D sees instead",
        note=cifar.note,
        alt="Five rows of the same photographs: as they are, some mirrored, with other colours, moved by "
        "a few pixels with a grey border, and all "
        "of it together.",
    )
)

# %% [markdown]
# ## How steep may a discriminator be?
#
# The gradient that G learns from is D's slope, ∂D/∂x. If D is very steep, G's steps are wild; and
# a D that separates real from generated perfectly can be made ever steeper without changing a
# single classification. So bound the slope. A layer $y = Wx$ stretches a vector at most by $W$'s
# largest singular value, the **spectral norm** $\sigma(W)$. LeakyReLU never stretches. Divide
# every layer's weight by its own $\sigma$, and no layer, taken as a matrix, stretches (Miyato et
# al., 2018):
#
# $$\bar W = W / \sigma(W), \qquad \sigma(W) = \max_{\lVert v\rVert = 1} \lVert W v \rVert .$$
#
# A singular value decomposition in each training step would be dear. The largest one alone is
# cheap: $W^\top W$ stretches the longest direction by $\sigma^2$, and every other direction by
# less. Multiply a random vector by it again and again, and it turns into that direction. This is
# **power iteration**:
#
# $$u \leftarrow \frac{Wv}{\lVert Wv\rVert}, \qquad v \leftarrow \frac{W^\top u}{\lVert W^\top u\rVert}, \qquad \sigma \approx u^\top W v .$$
#
# ### Exercise 6.5 — How far does a matrix stretch? (●●○, 12 min)
#
# Write it. Start from a random $v$, take `steps` steps, return the spectral norm.


# %%
def largest_singular_value(weight: Tensor, steps: int) -> Tensor:
    """σ(W) of a matrix (outputs, inputs), by power iteration."""
    ### BEGIN SOLUTION
    v = torch.randn(weight.shape[1], dtype=weight.dtype)
    v = v / v.norm()
    for _ in range(steps):
        u = weight @ v
        u = u / u.norm()
        v = weight.T @ u
        v = v / v.norm()
    return u @ weight @ v
    ### END SOLUTION


# %%
largest = check("6.5", largest_singular_value, otherwise=reference_singular_value)

# %% [markdown]
# Compare with PyTorch's singular value decomposition, on the kernels of a discriminator. A kernel
# of shape (outputs, inputs, k, k) counts as a matrix of outputs × (inputs · k · k). That is the
# convention of the paper; the convolution itself, with its overlapping windows, can stretch more:
# in the first layer here nearly twice as far, in the second about 1.3 times. The bound on D's
# slope is larger by that.

# %%
torch.manual_seed(0)
discriminator = dcgan_discriminator((3, 32, 32), width=48)
kernels = [layer.weight.detach().flatten(1) for layer in discriminator if hasattr(layer, "weight")]
for number, weight in enumerate(kernels, start=1):
    exact = torch.linalg.svdvals(weight)[0]
    by_iteration = "  ".join(f"{steps:3d} steps {largest(weight, steps):.4f}" for steps in (1, 10, 100))
    print(f"layer {number}, {weight.shape[0]:3d}×{weight.shape[1]:4d}:  {by_iteration}   exact {exact:.4f}")

# %% [markdown]
# **Predict.** Spectral normalisation sets each σ to 1. Look at the numbers above: does that make
# an *untrained* D less steep, or steeper?


# %%
def mean_slope(discriminator: nn.Module, images: Tensor) -> float:
    """The mean length of ∂D/∂x over the images."""
    images = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(images).sum(), images)
    return slope.flatten(1).norm(dim=1).mean().item()


normalised = spectrally_normalised(dcgan_discriminator((3, 32, 32), width=48))
with torch.no_grad():
    for _ in range(30):  # each forward pass in training mode is a step of power iteration
        normalised(some_real[:1])
after = [
    torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
    for layer in normalised
    if hasattr(layer, "weight")
]
print("largest singular values, normalised: ", "  ".join(f"{value:.4f}" for value in after))
trained = short["transposed"].discriminator.cpu()
print(f"mean slope, untrained, as it is:       {mean_slope(discriminator, some_real):.3f}")
print(f"mean slope, untrained, normalised:     {mean_slope(normalised, some_real):.3f}")
print(f"mean slope after the short training:   {mean_slope(trained, some_real):.3f}")

# %% [markdown]
# Steeper, here: the three σ of the untrained D multiply to less than 1, and dividing by them
# takes that away. The bound matters later. Training lets the plain D's weights grow (that one
# started from PyTorch's), and its slope with them. A normalised D cannot follow: whatever its
# weights become, each layer's σ is put back to 1.
#
# ## What does each of them buy?
#
# Tools cost something, too. Train once more with each, as briefly as above and with the same
# seed, and compare with the plain run:

# %%
tools = {
    "mirroring": lambda: short_run(augment=augmentation.flip),
    "mirroring, colour, shift": lambda: short_run(augment=augmentation.augment),
    "spectral normalisation": lambda: short_run(normalise=spectrally_normalised),
    "DCGAN's initialisation": lambda: short_run(initialisation=unchanged),
}
with progress(len(tools), "four short trainings", unit="runs") as update:
    for done, (name, train) in enumerate(tools.items(), start=1):
        short[name] = train()
        update(done)

# %%
print(f"after {brief_images:,} images each, one seed:")
for name in ("transposed", *tools):
    made_by_tool = sample(short[name].generator, sample_count)
    slope = mean_slope(short[name].discriminator.cpu(), some_real)
    accuracies = short[name].history["real_accuracy"][-50:] + short[name].history["fake_accuracy"][-50:]
    right = sum(accuracies) / len(accuracies)
    print(
        f"{'plain' if name == 'transposed' else name:26s} Fréchet distance {evaluate(made_by_tool):5.2f}   "
        f"D is right in {right:.0%} of cases   its mean slope {slope:.2f}"
    )

# %% [markdown]
# In this one seed the plain run and the mirrored one are level. Half a point between single runs
# is little, but the full augmentation and DCGAN's initialisation are far behind. Look at D. In
# the plain run it is right in two cases of three, and its slope is eight times that of the
# untrained D. Mirrored pictures slow down both. Spectrally normalised, D's slope is less than
# half of the plain one's, and it is bounded, whatever comes. Whether that pays off, a run this
# short cannot show. The full augmentation was made for long trainings, where D would memorise the
# photographs; here it has not even seen each of them once, and the task is only made harder. We
# continue with mirroring alone. It costs next to nothing, and doubles the photographs that D
# would have to learn. After more images the order can be another one:
# [docs/benchmarks.md](../docs/benchmarks.md) has these rows after 50,000.
#
# ## The real training
#
# The recipe of this notebook, then: the networks above with transposed convolutions, mirroring,
# the average of the generator with a half-life of 2,500 images, and Adam as in notebook 05. You
# can stop it at any time.

# %%
torch.manual_seed(0)
generator = pytorch_initialised(dcgan_generator(**NETWORK))
discriminator = pytorch_initialised(dcgan_discriminator((3, 32, 32), width=48))
untrained_filters = discriminator[1].weight.detach().clone()

images = by_scale(ci=256, cpu=100_000, gpu=5_000_000)  # the one knob: how many images to train on
distances = {"images": [], "Fréchet distance": []}
samples_so_far = plots.Live()


def look(run):
    """Called at every snapshot, while training waits."""
    distances["images"].append(run.images_seen)
    distances["Fréchet distance"].append(evaluate(run.generator, samples=sample_count))
    title = (
        f"{run.images_seen:,} images, {run.seconds:.0f} s of training: "
        f"Fréchet distance {distances['Fréchet distance'][-1]:.2f}"
    )
    samples_so_far.show(plots.image_grid(run.snapshots[-1][1], columns=16, title=title, note=cifar.note))


run = train_gan(
    generator,
    discriminator,
    draw_real,
    images=images,
    augment=augmentation.flip,
    ema_half_life=2_500,
    snapshot_every=-(-images // 5),
    on_snapshot=look,
    seed=0,
)

# %%
epochs = run.images_seen / len(cifar.images)
print(f"{run.images_seen:,} images ({epochs:.1f} times the training set) in {run.seconds:.0f} s on {device}")
print(f"{run.images_seen / max(run.seconds, 1e-9):,.0f} images a second")
print(f"D's mean slope at the end: {mean_slope(run.discriminator.cpu(), some_real):.1f}")
plots.show(plots.curve(distances, "Fréchet distance", label="Fréchet distance", note=cifar.note))
plots.show(
    plots.sample_evolution(
        run.snapshots, columns=12, title="The same latents as training continues", note=cifar.note
    )
)

# %% [markdown]
# Light and dark, some blue, green, red and brown, a grain that runs through the picture: that is
# what 100,000 images bring, each photograph drawn twice on average. Some are blue or white above,
# like a sky. There is no object. The distance falls fast at first, and after 40,000 images it
# hardly moves. D's slope is many times that of the untrained D.
#
# ### What would more time bring?
#
# The course ships two generators that were trained for longer. The first is your run with 280,000
# images, five minutes of one core. The second saw 2.1 million, an hour of one core, and differs
# in more than time: G doubles its maps by pixel shuffle, it has one 3×3 convolution more
# (`extra_convs`) and D two, D is spectrally normalised, the learning rate falls in the second
# half, and the generator's average has a half-life of 50,000 images. How much each of these
# brings is not measured here. Each file says how it was made:

# %%
minutes, shipped = load_generator("cifar10_minutes"), load_generator("cifar10")
print(
    f"your run:        Fréchet distance of {sample_count:,} samples "
    f"{evaluate(run.generator, sample_count):.2f}"
)
for what, longer in {"five minutes": minutes, "an hour": shipped}.items():
    print(
        f"{what + ':':16s} Fréchet distance of {sample_count:,} samples {evaluate(longer, sample_count):.2f}"
    )
    print(f"                 {longer.made_by}")
    plots.show(
        plots.image_grid(
            sample(longer, 48),
            columns=16,
            title=f"Samples after {what}, none chosen",
            alt=f"Three rows of samples of the generator that was trained for {what}: coloured scenes "
            "with skies and ground"
            + (
                ", and outlines; a few resemble ships, cars or animals."
                if longer is shipped
                else " and blobs."
            ),
        )
    )

# %% [markdown]
# After five minutes these are photographs from afar: something light above and something dark
# below, streaks like water, spots of red and green, each picture with a palette that goes
# together. From near there is a grain, and no object. After an hour the grain is gone, and things
# have outlines. Now and then you will believe in a ship, a car or an animal; few of them stand a
# second look.
#
# Compare both distances with the row "blurred 3×3" at the beginning: the numbers are smaller, but
# would you rather have these pictures or blurred photographs? A Fréchet distance sees what its
# features see. These features come from a small classifier, and it is sensitive to the texture
# that blurring takes away more than the animal that is not there. One number is not a verdict.
#
# **What has not been run.** This notebook has a `gpu` scale: more images, the same recipe. It has
# not been run on a GPU, so there is no picture of what ten minutes on one would bring, and you
# find no number for it here. Networks with published results on CIFAR-10 have millions of
# weights, and train for hours on a GPU.
#
# ## Are the colours right?
#
# Look away from the objects, at things that you can count. How often does each brightness occur
# in red, green and blue?

# %%
sources = {
    "real": real_images,
    "your run": sample(run.generator, sample_count),
    "shipped": sample(shipped, sample_count),
}
histograms = {name: colour_histograms(images) for name, images in sources.items()}
brightness = torch.linspace(-1, 1, 33)[:-1] + 1 / 32
figure, panels = plots.new_figure(columns=3, width=7.5, height=3.0, note=cifar.note, sharey=True)
for channel, (axes, colour) in enumerate(zip(panels, ("red", "green", "blue"), strict=True)):
    for name, dashes in zip(sources, plots.DASHES, strict=False):
        axes.plot(brightness, histograms[name][channel], linestyle=dashes, label=name)
    axes.set(title=colour, xlabel="value")
panels[0].set_ylabel("fraction of pixels")
panels[2].legend()
plots.show(
    plots.describe(
        figure,
        "Histograms of red, green and blue values, for real photographs, your run and the shipped generator. "
        f"{cifar.note}",
    )
)
for name, images in sources.items():
    distance = (histograms[name] - histograms["real"]).abs().sum(1).mean() / 2
    between = channel_correlations(images)
    print(
        f"{name:9s} pixels in another interval: {distance:5.1%}    correlation red–green "
        f"{between[0, 1]:.2f}, "
        f"green–blue {between[1, 2]:.2f}, red–blue {between[0, 2]:.2f}"
    )

# %% [markdown]
# The histograms of the shipped generator (the one of an hour) lie close to the real ones. Its
# channels go together a little more closely than they should: photographs are a bit more
# colourful than what it paints. Your run is further away: it has too many middle values, too few
# dark ones, and too many pixels that are fully bright.
#
# ## Are the edges sharp?
#
# At an edge the brightness changes within one pixel. Take the length of the brightness's gradient
# at each pixel, and look at how often it is small (flat surfaces) and how often large (edges):

# %%
edges = {name: edge_strengths(images) for name, images in sources.items()}
thresholds = torch.linspace(0, 1.2, 61)
curves = {
    name: torch.stack([(strength > threshold).float().mean() for threshold in thresholds])
    for name, strength in edges.items()
}
plots.show(
    plots.lines(
        thresholds,
        curves,
        x_label="edge strength",
        y_label="fraction of pixels above",
        log=True,
        title="How often is an edge at least that strong?",
        note=cifar.note,
        alt="Share of pixels whose brightness gradient exceeds a threshold, for real photographs, your "
        "run and the shipped generator, on a "
        "logarithmic axis; all fall as the threshold grows.",
    )
)
for name, strength in edges.items():
    print(
        f"{name:9s} mean edge strength {strength.mean():.3f}   flat (below 0.02): "
        f"{(strength < 0.02).float().mean():5.1%}   "
        f"strong (above 0.5): {(strength > 0.5).float().mean():5.1%}"
    )

# %%
frequencies, _ = radial_spectrum(real_images)
plots.show(
    plots.lines(
        frequencies,
        {name: radial_spectrum(images)[1] for name, images in sources.items()},
        x_label="frequency, cycles a pixel",
        y_label="mean power",
        log=True,
        title="The spectrum of real and generated",
        note=cifar.note,
        alt="Mean power against frequency for real photographs, your run and the shipped generator, on a "
        "logarithmic axis.",
    )
)
for name, images in sources.items():
    power = radial_spectrum(images)[1]
    print(
        f"{name:9s} finest over coarsest frequency: {power[-1] / power[0]:.5f}   "
        f"fraction of power at period 2: {checkerboard_fraction(images):.4f}"
    )

# %% [markdown]
# Your run has about three fifths of the photographs' strong edges, and two thirds of their flat
# surfaces. Its spectrum is nearly theirs, a little above it at the coarse end. But at the fine
# end it stops falling, and at the period of two pixels it has about twice their power: what is
# left of the grid with which its transposed convolutions began. The shipped generator has nearly
# as many strong edges as photographs, and their spectrum over the whole range; little is left of
# the checkerboard with which its pixel shuffles began.
#
# **Predict.** Is a generator with the right spectrum a good generator? Take photographs, keep the
# power of every frequency exactly, and give every wave a random phase, that is, move it to a
# random place. What will you see?


# %%
def scramble_phases(images: Tensor, rng: torch.Generator) -> Tensor:
    """The same power at every frequency and the same colours; but every wave is moved to a random place."""
    waves = torch.fft.fft2(torch.randn(len(images), 1, *images.shape[2:], generator=rng))
    phases = waves / waves.abs()
    phases[:, :, 0, 0] = 1  # frequency 0 is the mean, which stays
    return torch.fft.ifft2(torch.fft.fft2(images) * phases).real


scrambled = scramble_phases(real_images, torch.Generator().manual_seed(0))
ratio = power_spectrum(scrambled) / power_spectrum(real_images).clamp(min=1e-6)
print(f"power, scrambled over real, median over all frequencies: {ratio.median():.3f}")
scrambled = scrambled.clamp(-1, 1)
strength = edge_strengths(scrambled)
print(
    f"scrambled mean edge strength {strength.mean():.3f}   flat (below 0.02): "
    f"{(strength < 0.02).float().mean():5.1%}   "
    f"strong (above 0.5): {(strength > 0.5).float().mean():5.1%}   Fréchet distance {evaluate(scrambled):.2f}"
)
plots.show(
    plots.image_grid(
        torch.cat([real_images[:12], scrambled[:12]]),
        columns=12,
        row_labels=["real", "scrambled"],
        title="The same power at every frequency",
        note=cifar.note,
        alt="Photographs, and below each a cloudy picture in similar colours, without objects or flat "
        "surfaces.",
    )
)

# %% [markdown]
# The power is exactly the same (before clamping to [−1, 1]), and everything that one would call a
# picture is gone. An edge is a place where many waves rise *together*; that is a matter of their
# phases, and the spectrum does not see phases. The scrambled photographs have about a quarter of
# the flat surfaces. The shipped generator has nearly as many as photographs, and nearly as many
# strong edges. So it has learnt more than a spectrum: also something about where the fine waves
# belong. What it lacks, the objects, none of these statistics can see.
#
# ## What does D look at?
#
# The first layers of our D are `PixelUnshuffle(2)` and a 3×3 convolution: each of its 48 units
# sees a window of 6×6 pixels. Put the weights back to where their pixels were (a pixel shuffle of
# the *kernel*), and you can look at them as little pictures.

# %%
discriminator = discriminator.cpu()
filters = F.pixel_shuffle(discriminator[1].weight.detach(), 2)  # (48, 12, 3, 3) → (48, 3, 6, 6)
with torch.no_grad():
    by_layers = discriminator[1](discriminator[0](some_real))
    by_filters = F.conv2d(some_real, filters, discriminator[1].bias, stride=2, padding=2)
assert torch.allclose(by_layers, by_filters, atol=1e-4)  # the same layer


def grey_share(filters: Tensor) -> Tensor:
    """How much of a filter's energy is the same in red, green and blue. A third for random weights."""
    grey = filters.mean(1, keepdim=True).expand_as(filters)
    return grey.square().sum((1, 2, 3)) / filters.square().sum((1, 2, 3))


strongest_first = filters.flatten(1).norm(dim=1).argsort(descending=True)
shown = filters[strongest_first]
shown = shown / shown.abs().amax((1, 2, 3), keepdim=True)
plots.show(
    plots.image_grid(
        shown,
        columns=16,
        title="The first layer of D after training, strongest filters first",
        note=cifar.note,
        alt="48 filters of 6×6 pixels as little colour pictures, each scaled to its own largest weight.",
    )
)
before, after = grey_share(F.pixel_shuffle(untrained_filters, 2)), grey_share(filters)
print(f"grey fraction of a filter's energy, mean: untrained {before.mean():.2f}, trained {after.mean():.2f}")
print(
    f"mostly grey filters (above ½): {int((after > 0.5).sum())} of 48;  mostly colour: "
    f"{int((after <= 0.5).sum())}"
)

# %% [markdown]
# After such a short training most filters still look like their random start. But the very
# strongest are striped: yellow rows and blue rows alternate, so rows next to each other have
# opposite signs. Such a filter answers to a pattern of two pixels, of which G makes more than
# photographs have. The mostly grey filters see mainly brightness, where most of a photograph's
# power is.
#
# ## Misconceptions
#
# ### "Augment the real images; the generated ones are fine as they are"
#
# **Predict.** Zeros (grey) move in when an image is shifted. What will G paint at the border, if
# only the real images are shifted?


# %%
def shift(images: Tensor, rng: torch.Generator) -> Tensor:
    """Moved by up to 8 pixels, up, down, left or right."""
    return augmentation.translate(images, rng, fraction=0.25)


def shifted_photographs(n: int, rng: torch.Generator) -> Tensor:
    """A sampler of shifted photographs: for the players, these *are* the data."""
    return shift(draw_real(n, rng), rng)


with progress(2, "two short trainings on shifted images", unit="runs") as update:
    fair = short_run(augment=shift)
    update(1)
    leaky = short_run(sampler=shifted_photographs)
    update(2)
shifted = {
    "real": real_images,
    "real, shifted": shift(real_images, torch.Generator().manual_seed(0)),
    "all that D sees is shifted": sample(fair.generator, sample_count),
    "only the real ones shifted": sample(leaky.generator, sample_count),
}


def border_strength(images: Tensor) -> float:
    """How far from grey (0) the four outermost rows and columns are, relative to all pixels."""
    size = images.abs().mean((0, 1))
    inside = size[4:-4, 4:-4]
    border = (size.sum() - inside.sum()) / (size.numel() - inside.numel())
    return (border / size.mean()).item()


for name, images in shifted.items():
    print(
        f"{name:28s} distance of the border from grey, relative to the whole: {border_strength(images):.2f}"
    )
plots.show(
    plots.image_grid(
        torch.cat([images[:12] for images in shifted.values()]),
        columns=12,
        row_labels=["real", "real, shifted", "both sides", "real only"],
        title="Augmentation that leaks",
        note=cifar.note,
        alt="Four rows: real photographs, the same shifted, samples of a generator whose D saw real and "
        "generated images shifted, and samples with grey borders of a "
        "generator that was trained on shifted photographs.",
    )
)

# %% [markdown]
# Grey. The generator that was shown shifted photographs has a border as grey as theirs. It has
# made no mistake: it matches what it was given as data. Where all that D sees is shifted, the
# border is nearly as strong as that of the unshifted photographs, though D has seen shifted
# images only. (What is grey there is a rim of one pixel.)
#
# ### "A Fréchet distance is a property of the generator"
#
# It is a property of the generator, of the features *and of the number of samples*. The same
# generator, measured with few and with many:

# %%
counts = by_scale(ci=(50, 100), cpu=(250, 500, 1_000, 2_000), gpu=(500, 2_000, 10_000, 50_000))
many = sample(shipped, counts[-1])
for n in counts:
    print(f"{n:6,} samples: Fréchet distance {evaluate(many[:n]):6.2f}")

# %% [markdown]
# Fewer samples tend to give a larger distance: their mean and covariance are less certain, and
# what is off by chance counts as distance. Here, with 128 features, 250 samples give a distance a
# sixth larger than 2,000, and 1,000 samples one that is two percent larger. The usual FID has
# 2,048 features, and needs 50,000 samples for the same reason. And it has another scale: no
# distance in this notebook can be compared with a published FID.
#
# ### "Red, green and blue are learnt one by one"
#
# What would pictures be like if the three channels were drawn independently of each other? Take
# the red of one photograph, the green of another and the blue of a third. Each channel's
# histogram stays exactly as it was:

# %%
n = len(real_images) // 3
mixed = torch.stack([real_images[k * n : (k + 1) * n, k] for k in range(3)], dim=1)
print(
    f"correlation red–green: {channel_correlations(mixed)[0, 1]:+.2f}, real "
    f"{channel_correlations(real_images)[0, 1]:+.2f}"
)
print(
    f"Fréchet distance: mixed channels {evaluate(mixed):.2f}, as many real ones "
    f"{evaluate(real_images[:n]):.2f}"
)
plots.show(
    plots.image_grid(
        mixed[:16], columns=16, title="Each channel from another photograph", note=cifar.note,
        alt="Sixteen pictures in which red, green and blue come from three photographs: ghosts in false "
        "colours.",
    )
)  # fmt: skip

# %% [markdown]
# Right histograms are not enough. A colour lies in how the channels go together, and the same
# weights of G make all three from the same maps.
#
# ## Summary
#
# - Size first: to get from 4×4 to 32×32 with layers that exactly multiply by their stride, the
#   strides multiply up to 8. An assertion on the shape costs nothing.
# - A layer that makes neighbouring pixels by different weights brings a pattern of period 2. The
#   power spectrum shows it at frequency ½, before training and after.
# - Augment everything that D sees, differentiably; or G learns the augmentation.
# - Spectral normalisation divides each weight by its largest singular value, found by power
#   iteration, and so bounds D's slope.
# - Whether a tool helps depends on the budget. Measure it, with the same number of images, before
#   you believe it.
# - Colours, edges and spectra are statistics that you can compare without any network, and they
#   show *what* is wrong, where a Fréchet distance only says how much.
#
# Notebook 07 is about what to do when training fails.
#
# ## Further reading
#
# - A. Odena, V. Dumoulin, C. Olah, *Deconvolution and Checkerboard Artifacts*, Distill 2016,
#   [doi:10.23915/distill.00003](https://doi.org/10.23915/distill.00003)
# - W. Shi et al., *Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
#   Convolutional Neural Network*, CVPR 2016, [arXiv:1609.05158](https://arxiv.org/abs/1609.05158)
# - A. Aitken et al., *Checkerboard artifact free sub-pixel convolution*, 2017,
#   [arXiv:1707.02937](https://arxiv.org/abs/1707.02937)
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, *Spectral Normalization for Generative
#   Adversarial Networks*, ICLR 2018, [arXiv:1802.05957](https://arxiv.org/abs/1802.05957)
# - S. Zhao, Z. Liu, J. Lin, J.-Y. Zhu, S. Han, *Differentiable Augmentation for Data-Efficient
#   GAN Training*, NeurIPS 2020, [arXiv:2006.10738](https://arxiv.org/abs/2006.10738)
# - R. Durall, M. Keuper, J. Keuper, *Watch your Up-Convolution: CNN Based Generative Deep Neural
#   Networks are Failing to Reproduce Spectral Distributions*, CVPR 2020,
#   [arXiv:2003.01826](https://arxiv.org/abs/2003.01826)
# - A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009
