# %% [markdown]
# # DCGAN on CIFAR-10: colour
#
# You take networks like those of notebook 05 to photographs, learn the tools that keep a
# discriminator fair, measure what a generator has understood of colour, edges and texture, and
# build one of your own that you test by its spectrum.
#
# | | |
# | --- | --- |
# | Reading time | 55 min, and 75 min for the exercises |
# | Running time | about 7.5 min on two CPU cores; the `gpu` scale has not been run yet |
# | You need | notebook 05 (transposed convolutions, the training loop, the Fréchet distance); what an eigenvalue is |
# | You will be able to | find a generator's wrong size by arithmetic; augment without teaching the generator the augmentation; bound a discriminator's slope; recognise a checkerboard by its spectrum, and build a generator without one; compare colours and edges with those of the data |

# %%
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils import data, plots
from course_utils.checks import check
from course_utils.metrics import (
    agreement,
    channel_correlations,
    checkerboard_fraction,
    classifier_score,
    colour_histograms,
    diversity_within,
    edge_strengths,
    frechet_evaluator,
    in_batches,
    load_classifier,
    nearest,
    power_spectrum,
    radial_spectrum,
)
from course_utils.metrics.referee import load_referee
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
from course_utils.runtime import by_scale, pick_device, seed
from course_utils.training import CIFAR10_CLASSES, CIFAR10_DCGAN, GAN, augmentation, progress, train

device = pick_device()
print(f"computing on: {device}")

# One meaning, one colour: photographs blue, and a colour for each way to double a map. Your run
# doubles by
# transposed convolutions, the generator of an hour by pixel shuffles.
REAL, TRANSPOSED, RESIZE, SHUFFLE, OWN = (
    plots.COLORS[name] for name in ("data", "model", "reference", "value", "optimum")
)

# %% [markdown]
# ## What do we have to draw?
#
# CIFAR-10 has 50,000 small photographs: airplanes, cars, birds, cats, deer, dogs, frogs, horses,
# ships, trucks. A picture is 32×32 pixels in three colours, 3,072 numbers.

# %%
cifar = data.load_cifar10("train")
draw_real = data.image_sampler(cifar.images, device)  # draw_real(n, rng): n random images in [-1, 1]

rng = torch.Generator(device).manual_seed(seed(0))
some_real = draw_real(32, rng).cpu()
print(f"{len(cifar.images):,} images of shape {tuple(cifar.images.shape[1:])}: {', '.join(cifar.classes)}")
plots.show(plots.image_grid(some_real, columns=8, width=6, title="Real photographs", note=cifar.note))

# %% [markdown]
# Compare with digits. All digits are strokes in the middle of a black page. Here every picture
# has its own background, light, distance and angle. No two cats sit alike. It is a much harder
# set, and this notebook does not pretend otherwise: **in a minute on two CPU cores such networks
# get colours and a grain, in five minutes something like photographs from afar, and no object that
# you could name.** You will measure how far that goes. Then you give D a head start, and objects
# appear.
#
# The numbers and pictures kept in `solutions/`, and the shipped generators further down, come
# from a copy of CIFAR-10 that went through JPEG once: the same photographs, slightly softer. With
# the official files you will see slightly other numbers.
#
# As [for digits](05_dcgan_mnist.ipynb#How-good-is-a-picture?), the measure is a Fréchet distance on
# the features of a small classifier that the course ships. First its scale:

# %%
with progress(1, "features of the real test images", unit="set") as update:
    evaluate = frechet_evaluator("cifar10")
    update(1)
sample_count = by_scale(ci=100, cpu=1_000, gpu=10_000)  # images for each distance: compare only equal numbers
chosen = torch.randperm(len(cifar.images), generator=torch.Generator().manual_seed(seed(0)))
real_images = data.to_model_range(cifar.images[chosen[:sample_count]])

torch.manual_seed(seed(0))
known = {
    "other real photographs": real_images,
    "real photographs, blurred 3×3": F.avg_pool2d(
        real_images, 3, stride=1, padding=1, count_include_pad=False
    ),
    "real photographs, without colour": real_images.mean(1, keepdim=True).expand(-1, 3, -1, -1),
    "red and blue exchanged": real_images.flip(1),
    "an untrained generator": sample(dcgan_generator((3, 32, 32)), sample_count),
}
scale = {}
with progress(len(known), "known images", unit="sets") as update:
    for done, (what, images) in enumerate(known.items(), start=1):
        scale[what] = evaluate(images)
        update(done)
for what, distance in scale.items():
    print(f"{what:38s} Fréchet distance {distance:6.2f}")

# %% [markdown]
# Of the three changes to photographs, this measure penalises blur most, and wrong or missing
# colours less than you might. Keep the row of the blurred photographs in mind: you will meet
# generators with a distance like that, for other reasons.

# %% tags=["claim"]
_blur, _grey, _exchanged = (scale[name] for name in list(scale)[1:4])
claim("this measure penalises blur most", _blur > 2 * max(_grey, _exchanged), every_seed=True)

# %% [markdown]
# ## Why is the picture too small?
#
# [TensorFlow's tutorial for MNIST](https://www.tensorflow.org/tutorials/generative/dcgan) (*Deep
# Convolutional Generative Adversarial Network*, 2019) starts from maps of 7×7, and its three
# transposed convolutions have strides 1, 2, 2. Here is a possible slip, in PyTorch's words:
# somebody takes it to CIFAR-10, starts from 4×4, as many generators do, makes three colours, and
# leaves the strides as they were.
#
# You have the arithmetic from
# [notebook 05](05_dcgan_mnist.ipynb#How-does-a-network-make-a-map-larger?), with one addition:
# `output_padding` is a number of pixels added at *one* end. It is there because several input
# sizes of a strided convolution lead to the same output size, and going backwards you have to say
# which one you mean.


# %%
def adapted_generator() -> nn.Sequential:
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
too_small = adapted_generator()(torch.randn(2, 100))
averaging = nn.Sequential(  # a discriminator that ends in the average over its last map
    nn.Conv2d(3, 32, 4, stride=2, padding=1),
    nn.LeakyReLU(0.2),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(32, 1),
)
print("the adapted generator makes:", tuple(too_small.shape))
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

# %% tags=["claim"]
claim(
    "what comes out is a quarter of a picture's pixels",
    4 * too_small[0].numel() == some_real[0].numel(),
    every_seed=True,
)

# %% [markdown]
# ### Exercise 6.2 — Mend the generator (●●○, 10 min)
#
# Write the generator again so that it paints 32×32 pixels. Keep what is good: latents of 100
# numbers, a start of 256 maps of 4×4, three transposed convolutions, the tanh. One layer has to
# change, and mind its `output_padding`. No other layer makes the picture larger, and every pixel
# depends on the latents, up to the edge.


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
# From here on we use the two functions from which [notebook
# 05](05_dcgan_mnist.ipynb#What-did-DCGAN-get-right?) builds its networks, `dcgan_generator` and
# `dcgan_discriminator`. The shape is (3, 32, 32), so the start is 8×8. The extra convolutions and
# the spectral normalisation are left out; the normalisation has a section of its own below. Here
# they are with the sizes of this notebook, 48 channels at half size and latents of 64 numbers,
# where digits had 32. (On [the page of measurements](../docs/ablations.md), latents of 32 do as
# well for colour, within what seeds differ.)
# <!-- numbers: settings of notebook 05, and of that page -->

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
# | transposed convolution | from 2×2 inputs, with kernel 4 and stride 2; odd and even rows and columns use different weights of the kernel | DCGAN <!-- numbers: of that layer --> |
# | resize-convolution | every pixel is repeated 2×2, then a 3×3 convolution, the same weights everywhere | Odena et al., 2016 |
# | pixel shuffle | a convolution makes four maps, which are interleaved: one for each pixel of a 2×2 block | Shi et al., 2016 |
#
# In [notebook 05](05_dcgan_mnist.ipynb#How-does-a-network-make-a-map-larger?) you counted stamps.
# Now look at what comes out. A checkerboard is a pattern that
# repeats every *two* pixels. In the Fourier transform of a picture it has a place of its own: the
# frequency ½, in rows, in columns, or in both. So measure the **power spectrum**,
#
# $$P(u, v) = \frac{1}{HW}\,\mathbb E\,\Bigl|\sum_{x, y} I(x, y)\, e^{-2\pi i (ux + vy)}\Bigr|^2,$$
#
# where $I$ is the brightness less its mean, and take the fraction of all the power that lies at
# $(½, 0)$, $(0, ½)$ and $(½, ½)$. White noise has the same power at all 1,023 frequencies, so its
# fraction is 3/1023 ≈ 0.003. <!-- numbers: 32 · 32 − 1 frequencies -->

# %%
show_source(power_spectrum, checkerboard_fraction)

# %%
rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
board = ((rows + columns) % 2 * 2.0 - 1).expand(1, 1, 32, 32)
white_noise = torch.randn(500, 1, 32, 32, generator=torch.Generator().manual_seed(seed(0)))
at_period_two = {}
for what, images in {
    "a checkerboard": board,
    "white noise": white_noise,
    "real photographs": real_images,
}.items():
    at_period_two[what] = checkerboard_fraction(images)
    print(f"{what:18s} fraction of power at period 2: {at_period_two[what]:.4f}")

# %% [markdown]
# Photographs have far less than noise: neighbouring pixels are alike, and most of the power is in
# the coarse.

# %% tags=["claim"]
claim(
    "Photographs have far less than noise",
    at_period_two["real photographs"] < at_period_two["white noise"] / 3,
    every_seed=True,
)

# %% [markdown]
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


def untrained_images(upsampling: str, count: int = 4) -> Tensor:
    """Images of a few generators that have learnt nothing; training mode, for the batch's own statistics."""
    images = []
    for number in range(count):
        torch.manual_seed(seed(number))
        untrained = dcgan_generator(**NETWORK, upsampling=upsampling).train()
        with torch.no_grad():
            images.append(untrained(torch.randn(64, untrained.latent_dim)))
    return torch.cat(images)


untrained = {method: untrained_images(method) for method in UPSAMPLING}
before = {method: checkerboard_fraction(untrained[method]) for method in UPSAMPLING}
for method in UPSAMPLING:
    print(f"{NAMES[method]:24s} fraction of power at period 2: {before[method]:.4f}")
plots.show(
    plots.image_grid(
        torch.cat([untrained[method][:8] for method in UPSAMPLING]),
        columns=8,
        width=7.2,
        row_labels=["transposed", "resize", "pixel shuffle"],
        title="Generators before any training",
        alt="Three rows of images from untrained generators: fine grids and specks from the transposed "
        "convolution and the "
        "pixel shuffle, smooth blotches from the resize-convolution.",
    )
)

# %% jupyter={"source_hidden": true}
figure, panels = plots.new_figure(rows=2, columns=2, width=7.2, height=6.4)
spectra = {**{NAMES[method]: untrained[method] for method in UPSAMPLING}, "photographs": real_images}
for axes, (name, images) in zip(panels.flat, spectra.items(), strict=True):
    relative = power_spectrum(images)
    relative = (relative / relative.mean()).log10()
    picture = axes.imshow(relative, cmap="cividis", vmin=-2, vmax=2, extent=(-0.5, 0.5, 0.5, -0.5))
    axes.set(title=name, xticks=(-0.5, -0.25, 0, 0.25, 0.5), yticks=(-0.5, -0.25, 0, 0.25, 0.5))
    axes.set(xlabel="cycles a pixel, across", ylabel="cycles a pixel, down")
    axes.label_outer()
    axes.grid(False)
figure.colorbar(picture, ax=panels, label="log₁₀ (power / mean power)", shrink=0.6)
plots.show(
    plots.describe(
        figure,
        "Power spectra, one to a panel. Transposed convolution and pixel shuffle: nearly flat, with bright "
        "dots at the middle of the edges and in the corners, which are the period of two pixels, and half "
        "way to them. Resize-convolution and photographs: bright in the middle, dark at the edges. "
        + cifar.note,
    )
)

# %% tags=["claim"]
claim(
    "it is (c)",
    min(before["transposed"], before["pixel_shuffle"]) > 20 * at_period_two["real photographs"]
    and before["resize"] < 10 * at_period_two["real photographs"],
    every_seed=True,
)

# %% [markdown]
# You predicted which layers make a grid: it is (c), because in a pixel shuffle and in a transposed
# convolution alike the four pixels of a block come from four sets of random weights. One set
# happens to add up to more than another, so each of the four kinds of pixel has a brightness of
# its own: a pattern of period 2, the bright dots at the corners and at the middles of the edges.
#
# Not (b): the resize-convolution repeats pixels, but then uses the same weights for every one of
# them, and its spectrum even resembles that of photographs. Smooth is its habit. Not (d): the
# weights are random, but they are the *same* random weights in every block.
#
# The dots at ¼ are a period of four: the checkerboard of the *first* upsampling, made twice as
# coarse by the second.
#
# And after training? A checkerboard that D can see is a mistake that G can unlearn. Train each
# for a short while, everything else equal. (The initial weights are PyTorch's own, here and
# below. The networks come with DCGAN's, which
# [notebook 05](05_dcgan_mnist.ipynb#What-did-DCGAN-get-right?) keeps; for colour they are behind,
# on [the page of measurements](../docs/ablations.md).)

# %%
show_source(pytorch_initialised)

# %%
brief_images = by_scale(ci=128, cpu=20_000, gpu=200_000)


def unchanged(network: nn.Module) -> nn.Module:
    return network


def short_run(upsampling="transposed", normalise=unchanged, own=None, sampler=draw_real, images=brief_images,
              augment=None):  # fmt: skip
    """A short training from the same seed each time; `own` builds a generator of your own."""
    torch.manual_seed(seed(0))
    if own is None:
        generator = pytorch_initialised(dcgan_generator(**NETWORK, upsampling=upsampling))
    else:
        generator = own()
    discriminator = normalise(pytorch_initialised(dcgan_discriminator((3, 32, 32), width=48)))
    return train(
        GAN(generator, discriminator, augment=augment),
        sampler,
        images=images,
        snapshot_every=images,
        ema_half_life=2_500,
        seed=seed(0),
        progress=False,
    )


short = {}
with progress(len(UPSAMPLING), "three short trainings", unit="runs") as update:
    for done, method in enumerate(UPSAMPLING, start=1):
        short[method] = short_run(method)
        update(done)

# %%
made = {method: sample(short[method].average, sample_count, seed=seed(0)) for method in UPSAMPLING}
after = {method: checkerboard_fraction(made[method]) for method in UPSAMPLING}
print(f"after {brief_images:,} images each, one seed:")
for method in UPSAMPLING:
    print(
        f"{NAMES[method]:24s} fraction of power at period 2: {after[method]:.4f}   "
        f"Fréchet distance {evaluate(made[method]):5.2f}   "
        f"{short[method].images_seen / short[method].seconds:,.0f} images/s"
    )
print(f"{'photographs':24s} fraction of power at period 2: {at_period_two['real photographs']:.4f}")
frequencies, real_power = radial_spectrum(real_images)
plots.show(
    plots.lines(
        frequencies,
        {
            "photographs": real_power,
            **{NAMES[method]: radial_spectrum(made[method])[1] for method in UPSAMPLING},
        },
        colors={
            "photographs": REAL,
            NAMES["transposed"]: TRANSPOSED,
            NAMES["resize"]: RESIZE,
            NAMES["pixel_shuffle"]: SHUFFLE,
        },
        x_label="frequency, cycles a pixel",
        y_label="mean power",
        log=True,
        title="From coarse to fine, after a short training",
        note=cifar.note,
        alt="Mean power against frequency, on a logarithmic axis, for photographs and three kinds of "
        "generator. All fall from coarse to fine.",
    )
)

# %% tags=["claim"]
claim(
    "less than a tenth of what they were",
    max(after["transposed"] / before["transposed"], after["pixel_shuffle"] / before["pixel_shuffle"])
    < 1 / 10,
    every_seed=True,
)

# %% [markdown]
# D sees the checkerboard, and G unlearns it: with transposed convolutions and with pixel shuffles,
# the fractions fall to less than a tenth of what they were before training.
#
# The curves say more than the one number. Where a curve lies below the photographs', detail of
# that fineness is missing; where it lies above, there is a grain. Which does what is of this run,
# and so are the distances: do not read them as a ranking. On [the page of
# measurements](../docs/ablations.md), after more images and over three seeds, the transposed
# convolution and the pixel shuffle are level, and the resize-convolution's seeds differ by more
# than that. It also takes the most time for an image.
#
# We continue with the transposed convolution. Try `upsampling="resize"` yourself; and at the end
# of this notebook you build a fourth way.
#
# ## What may the discriminator memorise?
#
# The discriminator sees the same 50,000 photographs again and again. Given time, it can memorise
# them instead of learning what a photograph looks like. Then it no longer teaches: every
# generated picture is wrong, whatever is on it. <!-- numbers: CIFAR-10's size -->
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
# everything, and on the images' device. Don't change the images you are given, and let gradients
# through.


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
# a shift by up to an eighth of the picture.

# %%
show_source(augmentation.colour, augmentation.translate)

# %%
rng = torch.Generator().manual_seed(seed(1))
ten_photographs = some_real[:10]
steps = {
    "as it is": ten_photographs,
    "mirrored?": mirror_or_reference(ten_photographs, rng),
    "colour": augmentation.colour(ten_photographs, rng).clamp(-1, 1),
    "moved": augmentation.translate(ten_photographs, rng),
    "all three": augmentation.augment(ten_photographs, rng).clamp(-1, 1),
}
plots.show(
    plots.image_grid(
        torch.cat(list(steps.values())),
        columns=len(ten_photographs),
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
# A singular value decomposition in each training step would be expensive. The largest one alone is
# cheap: $W^\top W$ stretches the longest direction by $\sigma^2$, and every other direction by
# less. Multiply a random vector by it again and again, and it turns into that direction. This is
# **power iteration**:
#
# $$u \leftarrow \frac{Wv}{\lVert Wv\rVert}, \qquad v \leftarrow \frac{W^\top u}{\lVert W^\top u\rVert}, \qquad \sigma \approx u^\top W v .$$
#
# ### Exercise 6.5 — How far does a matrix stretch? (●●○, 12 min)
#
# Write it. Start from a random $v$, take `steps` steps, return the spectral norm as one number.
# Here `weight` lies on the CPU, and $\sigma$ may be taken with the last $v$ or with the one before
# it.


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
# of shape (outputs, inputs, k, k) counts as a matrix of outputs × (inputs · k · k).
#
# That is the convention of the paper. The convolution itself, with its overlapping windows, can
# stretch further: here the first layer's nearly twice as far, the second's about 1.3 times. The
# bound on D's slope is larger by that.

# %%
torch.manual_seed(seed(0))
discriminator = dcgan_discriminator((3, 32, 32), width=48)
kernels = [layer.weight.detach().flatten(1) for layer in discriminator if hasattr(layer, "weight")]
for number, weight in enumerate(kernels, start=1):
    exact = torch.linalg.svdvals(weight)[0]
    by_iteration = "  ".join(f"{steps:3d} steps {largest(weight, steps):.4f}" for steps in (1, 10, 100))
    print(f"layer {number}, {weight.shape[0]:3d}×{weight.shape[1]:4d}:  {by_iteration}   exact {exact:.4f}")

# %% tags=["claim"]


def _stretch(layer, shape, **how):
    """How far the convolution itself stretches, over how far its kernel does as a matrix."""
    kernel, image = layer.weight.detach(), torch.randn(1, *shape)
    for _ in range(100):
        image = image / image.norm()
        maps = F.conv2d(image, kernel, **how)
        image = F.conv_transpose2d(maps, kernel, **how)
    return image.norm().sqrt() / torch.linalg.svdvals(kernel.flatten(1))[0]


claim(
    "here the first layer's nearly twice as far, the second's about 1.3 times",
    about(_stretch(discriminator[1], (12, 16, 16), padding=1), 1.9)
    and about(_stretch(discriminator[3], (48, 16, 16), stride=2, padding=1), 1.3),
    every_seed=True,
)

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
normalised_values = [
    torch.linalg.svdvals(layer.weight.detach().flatten(1))[0]
    for layer in normalised
    if hasattr(layer, "weight")
]
print("largest singular values, normalised: ", "  ".join(f"{value:.4f}" for value in normalised_values))
trained = short["transposed"].networks["discriminator"].cpu()
slopes = {
    "untrained, as it is": mean_slope(discriminator, some_real),
    "untrained, normalised": mean_slope(normalised, some_real),
    "after the short training": mean_slope(trained, some_real),
}
for what, slope in slopes.items():
    print(f"mean slope, {what + ':':26s} {slope:.3f}")

# %% tags=["claim"]
claim(
    "Steeper, here: the three σ of the untrained D multiply to less than 1",
    torch.stack([torch.linalg.svdvals(weight)[0] for weight in kernels]).prod() < 1
    and slopes["untrained, normalised"] > slopes["untrained, as it is"],
    every_seed=True,
)
claim(
    "Training lets the plain D's weights grow",
    slopes["after the short training"] > 2 * slopes["untrained, as it is"],
    every_seed=True,
)

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
}
with progress(len(tools), "three short trainings", unit="runs") as update:
    for done, (name, train_with_it) in enumerate(tools.items(), start=1):
        short[name] = train_with_it()
        update(done)

# %%
print(f"after {brief_images:,} images each, one seed:")
by_tool = {}
for name in ("transposed", *tools):
    made_by_tool = sample(short[name].average, sample_count, seed=seed(0))
    slope = mean_slope(short[name].networks["discriminator"].cpu(), some_real)
    accuracies = short[name].history["real_accuracy"][-50:] + short[name].history["fake_accuracy"][-50:]
    right = sum(accuracies) / len(accuracies)
    by_tool[name] = (evaluate(made_by_tool), slope)
    print(
        f"{'plain' if name == 'transposed' else name:26s} Fréchet distance {by_tool[name][0]:5.2f}   "
        f"D is right in {right:.0%} of cases   its mean slope {slope:.2f}"
    )

# %% [markdown]
# | tool | what it changes here | what it is for |
# | --- | --- | --- |
# | mirroring | see above: in one run this short, hardly more than chance | doubles the photographs that D would have to learn, at next to no cost |
# | mirroring, colour, shift | the samples are further from photographs | long trainings, where D would memorise the photographs; here it has not seen each of them once, and the task is only made harder |
# | spectral normalisation | D's slope is less than the plain one's | a bound on the slope, whatever comes; whether that pays off, a run this short cannot show |
#
# Single runs differ by half a point with nothing but the seed, so none of this is a ranking.
# [The page of measurements](../docs/ablations.md) has these rows after 50,000 images and over
# three seeds: there mirroring is ahead of no augmentation at all, the full augmentation is level
# with mirroring, and mirroring with a normalised D is behind. <!-- number 50,000: of that page -->
# We continue with mirroring alone.

# %% tags=["claim"]
claim(
    "the samples are further from photographs",
    by_tool["mirroring, colour, shift"][0] > by_tool["transposed"][0],
    every_seed=True,
)
claim(
    "D's slope is less than the plain one's",
    by_tool["spectral normalisation"][1] < by_tool["transposed"][1],
    every_seed=True,
)

# %% [markdown]
# ## The real training
#
# The recipe of this notebook, then: the networks above with transposed convolutions, mirroring,
# the average of the generator with a half-life of 2,500 images, and Adam with the rates
# [of notebook 05](05_dcgan_mnist.ipynb#The-real-training). You can stop it at any time.
# <!-- number 2,500: in CIFAR10_DCGAN -->

# %%
torch.manual_seed(seed(0))
gan = CIFAR10_DCGAN.gan()
untrained_filters = gan.discriminator[1].weight.detach().clone()

images = by_scale(ci=256, cpu=60_000, gpu=5_000_000)  # the one knob: how many images to train on
distances = {"images": [], "Fréchet distance": []}
samples_so_far = plots.Live()


def look(run):
    """Called at every snapshot, while training waits."""
    distances["images"].append(run.images_seen)
    distances["Fréchet distance"].append(evaluate(run.average, samples=sample_count, seed=seed(0)))
    title = (
        f"{run.images_seen:,} images, {run.seconds:.0f} s of training: "
        f"Fréchet distance {distances['Fréchet distance'][-1]:.2f}"
    )
    samples_so_far.show(plots.sample_evolution(run.snapshots, columns=12, title=title, note=cifar.note))


run = train(
    gan,
    draw_real,
    images=images,
    snapshot_every=-(-images // 5),
    on_snapshot=look,
    seed=seed(0),
    **CIFAR10_DCGAN.training,
)

# %%
epochs = run.images_seen / len(cifar.images)
print(f"{run.images_seen:,} images ({epochs:.1f} times the training set) in {run.seconds:.0f} s on {device}")
print(f"{run.images_seen / max(run.seconds, 1e-9):,.0f} images a second")
discriminator = run.networks["discriminator"].cpu()
final_slope = mean_slope(discriminator, some_real)
falling = distances["Fréchet distance"]
last = evaluate(run.networks["generator"], samples=sample_count, seed=seed(0))
print(f"D's mean slope at the end: {final_slope:.1f}")
print(f"Fréchet distance at the snapshots: {'  '.join(f'{distance:.2f}' for distance in falling)}")
print(f"of the generator as it is after the last step, without the average: {last:.2f}")
print(f"of blurred photographs: {scale['real photographs, blurred 3×3']:.2f}")
plots.show(
    plots.curve(
        distances, "Fréchet distance", label="Fréchet distance (log scale)", log=True, note=cifar.note
    )
)

# %% [markdown]
# Light and dark, some blue, green, red and brown, a grain that runs through the picture: that is
# what the first minute brings. Some are blue or white above, like a sky. There is no object.
#
# - The distance falls to less than half in the first fifth of the training, and slowly after that.
#   It does not fall steadily, either: from one snapshot to the next it may rise. The last snapshot
#   need not be the best, and it is level with blurred photographs or above them.
# - The average brings little or nothing here. For digits, [see notebook
#   05](05_dcgan_mnist.ipynb#Was-the-average-worth-it?); for colour the generator after the last
#   step is as good, also on [the page of measurements](../docs/ablations.md) over three seeds. We
#   keep it because it does no harm, and shows fewer accidents of the last step.
# - D's slope is many times that of the untrained D.

# %% tags=["claim"]
claim(
    "The distance falls to less than half in the first fifth of the training",
    falling[1] < falling[0] / 2,
    every_seed=True,
)
claim(
    "it is level with blurred photographs or above them",
    falling[-1] > 0.9 * scale["real photographs, blurred 3×3"],
    every_seed=True,
)
claim("The average brings little or nothing here", falling[-1] > 0.75 * last, every_seed=True)
claim(
    "D's slope is many times that of the untrained D",
    final_slope > 8 * slopes["untrained, as it is"],
    every_seed=True,
)

# %% [markdown]
# ### What would more time bring?
#
# The course ships two generators that were trained for longer. The first is your run with 280,000
# images, five minutes of one core. The second saw 2.1 million, an hour of one core, and differs
# in more than time: G doubles its maps by pixel shuffle, it has one 3×3 convolution more
# (`extra_convs`) and D two, D is spectrally normalised, the learning rate falls in the second
# half, and the generator's average has a half-life of 50,000 images. How much each of these
# brings is not measured here. Each file says how it was made:
# <!-- numbers: of the files' own descriptions, printed below -->

# %%
minutes, shipped = load_generator("cifar10_minutes"), load_generator("cifar10")
trained_for = {"your run": run.average, "five minutes": minutes, "an hour": shipped}
by_time = {what: evaluate(longer, sample_count, seed=seed(0)) for what, longer in trained_for.items()}
for what, longer in trained_for.items():
    print(f"{what + ':':14s} Fréchet distance of {sample_count:,} samples {by_time[what]:.2f}")
    if longer is not run.average:
        print(f"               {longer.made_by}")
        plots.show(
            plots.image_grid(
                sample(longer, 24, seed=seed(0)),
                columns=12,
                title=f"Samples after {what}, none chosen",
                alt=f"Two rows of samples of the generator that was trained for {what}: coloured scenes "
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
# Compare both distances with the row "blurred 3×3" at the beginning. The five minutes are level
# with it, give or take a tenth; the hour is well below it. Would you rather have these pictures or
# blurred photographs?
#
# A Fréchet distance sees what its features see. These
# features come from a small classifier, and it is sensitive to the texture that blurring takes
# away more than to the animal that is not there. One number is not a verdict.
#

# %% tags=["claim"]
claim(
    "The five minutes are level with it",
    about(by_time["five minutes"] / scale["real photographs, blurred 3×3"], 1),
    every_seed=True,
)
claim(
    "the hour is well below it",
    by_time["an hour"] < 0.7 * scale["real photographs, blurred 3×3"],
    every_seed=True,
)

# %% [markdown]
# **What has not been run.** This notebook has a `gpu` scale: more images, the same recipe. It has
# not been run on a GPU, so there is no picture of what ten minutes on one would bring, and you
# find no number for it here.

# %% [markdown]
# ## What if D had seen photographs before?
#
# Your D began with random weights. For minutes it learns what a photograph is made of, and G can
# learn no faster. So let it begin with eyes. The course ships the six convolutions of a small
# network that learnt to sort these photographs. They are **frozen**: D trains only small *heads*,
# on their maps of 16×16, 8×8 and 4×4 pixels and on the pixels themselves. This is the idea of
# Projected GANs (Sauer et al., 2021). <!-- numbers: of course_utils/models/projected.py -->
#
# And tell both players what the picture is to be. G gets a class $y$ beside $z$. Each head turns
# an image into a vector $h$, and its logit adds three answers:
#
# $$t(x, y) = \underbrace{w^\top h(x) + b}_{\text{is it real?}} +
# \underbrace{v_y^\top h(x)}_{\text{does it fit its class?}} +
# \underbrace{u^\top \sigma_y}_{\text{does its class vary?}} .$$
#
# The second is the *projection* of Miyato and Koyama (2018). In the third, $\sigma_y$ is the
# standard deviation of $h$ over the samples of class $y$ in the batch. Features that were trained
# to sort see the class of an image, and little else of it: without the third answer, each class
# may collapse to one image that D has nothing against.
#
# To see something soon, ask for four classes only.
#
# **Predict.** This run sees about a quarter of the images of the one before. What will recognise
# its samples first: you, or a *classifier*?

# %%
FOUR = torch.tensor([cifar.classes.index(name) for name in ("airplane", "automobile", "horse", "ship")])
of_the_four = torch.isin(cifar.labels, FOUR)
draw_labelled = data.labelled_sampler(cifar.images[of_the_four], cifar.labels[of_the_four], device)
classifier, second_classifier = load_classifier("cifar10"), load_referee("cifar10")
asked = FOUR.repeat(sample_count // 4)  # the classes of the samples that are measured

torch.manual_seed(seed(0))
gan = CIFAR10_CLASSES.gan()
images = by_scale(ci=128, cpu=16_000, gpu=1_000_000)
read_as_asked = []  # at each snapshot, the fraction of samples that the classifier reads as asked
classes_so_far = plots.Live()


def look(run):
    """Called at every snapshot: how many samples does the classifier read as the class asked for?"""
    drawn = sample(run.average, len(asked), labels=asked, seed=seed(0))
    read_as_asked.append(agreement(in_batches(classifier, drawn), asked))
    title = f"Planes, cars, horses, ships? {read_as_asked[-1]:.0%} are read as asked"
    classes_so_far.show(plots.sample_evolution(run.snapshots, columns=12, title=title, note=cifar.note))


with_eyes = train(
    gan,
    draw_labelled,
    images=images,
    snapshot_every=-(-images // 5),
    snapshot_samples=12,
    conditions=FOUR.repeat_interleave(3),
    on_snapshot=look,
    seed=seed(0),
    **CIFAR10_CLASSES.training,
)

# %%
print(f"{with_eyes.images_seen:,} images in {with_eyes.seconds:.0f} s")
print(f"read as asked, at the snapshots: {'  '.join(f'{share:.0%}' for share in read_as_asked)}")
drawn = sample(with_eyes.average, len(asked), labels=asked, seed=seed(0))
second_share = agreement(in_batches(second_classifier, drawn), asked)
print(
    f"by a second classifier, at the end: {second_share:.0%} "
    f"(of photographs of ten classes it reads {second_classifier.test_accuracy:.0%} rightly)"
)

# %% [markdown]
# Planes against the sky, cars that stand in a street, horses on a meadow, ships on water: from a
# quarter of the images, on the same processor. They are crooked and grainy, and some are nothing.
# But of many you can say what they are meant to be.
#
# The classifier saw them long before you. At the first snapshot it already reads most samples as
# the class asked for; look at that row of pictures again. G learns from the features of one
# classifier, and what pleases one pleases another that was trained on the same photographs, before
# it pleases an eye. So a share of samples that are read rightly is no proof of an object. As much
# as at the number, look at the pictures.
#
# Is this the best use of a few minutes? [A page of its own](../docs/colour.md) has others, measured
# at equal seconds of the processor.

# %% tags=["claim"]
claim(
    "At the first snapshot it already reads most samples as the class asked for",
    read_as_asked[1] > 1 / 2,
    every_seed=True,
)
claim("what pleases one pleases another", second_share > 1 / 2, every_seed=True)

# %% [markdown]
# ### The same for half an hour
#
# The course ships a generator of this recipe for all ten classes. Here it draws each class twice;
# nothing is chosen. Under each sample stands the training photograph that is nearest to it, by the
# colours of an 8×8 picture. <!-- number 8: settings of the next cell -->


# %%
def coarse(images: Tensor) -> Tensor:
    """Images (N, 3, 32, 32) as vectors (N, 192): the mean of every 4×4 pixels."""
    return F.avg_pool2d(images, 4).flatten(1)


ten = load_generator("cifar10_classes")
print(ten.made_by)
every_class = torch.arange(10)
short_names = [{"airplane": "plane", "automobile": "car"}.get(name, name) for name in cifar.classes]
twenty = sample(ten, 20, labels=every_class.repeat(2), seed=seed(0))
# In parts that are large enough for the system to take back their memory at once.
photographs = torch.cat([coarse(data.to_model_range(part)) for part in cifar.images.split(5_000)])
places = nearest(coarse(twenty), photographs).places
plots.show(
    plots.beside_nearest(
        twenty,
        data.to_model_range(cifar.images[places]),
        column_labels=short_names,
        title="Two of each class, none chosen, above the nearest photographs",
        note=cifar.note,
        alt="Ten columns, one for each class of CIFAR-10. Two rows of generated images, many of which can "
        "be recognised as a plane, a car, a horse, a ship or a truck; below each the training photograph "
        "that is nearest to it, with like colours and another object.",
    )
)

# %%
real_labels = cifar.labels[chosen[:sample_count]]
asked = every_class.repeat(sample_count // 10)
drawn = sample(ten, len(asked), labels=asked, seed=seed(0))
ten_distance = evaluate(drawn)
print(f"Fréchet distance, by the course's classifier: {ten_distance:.2f} (an hour: {by_time['an hour']:.2f})")
judged = {}
for judge, one in (("the course's classifier", classifier), ("a second classifier", second_classifier)):
    logits, real_logits = in_batches(one, drawn), in_batches(one, real_images)
    spread = diversity_within(
        in_batches(one.features, drawn), asked, in_batches(one.features, real_images), real_labels
    )
    judged[judge] = (agreement(logits, asked), classifier_score(logits), spread)
    print(
        f"{judge}: reads {judged[judge][0]:.0%} as asked, score {judged[judge][1]:.2f} "
        f"(photographs: {agreement(real_logits, real_labels):.0%} as labelled, "
        f"score {classifier_score(real_logits):.2f}), spread within a class {spread:.2f}"
    )

# %% [markdown]
# The distance of the ten classes is far below the hour's, and three quarters of the samples or more
# are read as asked, by a classifier that nothing was chosen by, too. (The *score* is high where
# samples are surely of a class, and of all classes alike.) The spread of the features within a
# class is near that of photographs, which is 1: no class has collapsed to one picture. And the
# nearest photographs are other pictures.
#
# Most of the credit goes to the frozen features, which have seen every label of the training set.
# Whoever compares generators should say what each of them was given. The command, the time and the
# quality along the way stand on [the same page](../docs/colour.md).

# %% tags=["claim"]
claim(
    "The distance of the ten classes is far below the hour's",
    ten_distance < 0.7 * by_time["an hour"],
    every_seed=True,
)
claim(
    "three quarters of the samples or more are read as asked",
    all(share > 3 / 4 for share, _, _ in judged.values()),
    every_seed=True,
)
claim(
    "The spread of the features within a class is near that of photographs",
    all(3 / 4 < spread < 5 / 4 for _, _, spread in judged.values()),
    every_seed=True,
)

# %% [markdown]
# ## Are the colours right?
#
# Look away from the objects, at things that you can count. How often does each brightness occur
# in red, green and blue?

# %%
sources = {
    "photographs": real_images,
    "your run": sample(run.average, sample_count, seed=seed(0)),
    "an hour": sample(shipped, sample_count, seed=seed(0)),
}
SOURCE_COLORS = {"photographs": REAL, "your run": TRANSPOSED, "an hour": SHUFFLE}
histograms = {name: colour_histograms(images) for name, images in sources.items()}
brightness = torch.linspace(-1, 1, 33)[:-1] + 1 / 32
figure, panels = plots.new_figure(rows=3, width=7.2, height=7.2, note=cifar.note, sharex=True)
for channel, (axes, colour) in enumerate(zip(panels, ("red", "green", "blue"), strict=True)):
    for name, dashes in zip(sources, plots.DASHES, strict=False):
        axes.plot(
            brightness, histograms[name][channel], color=SOURCE_COLORS[name], linestyle=dashes, label=name
        )
    axes.set(title=colour, ylabel="fraction of pixels", ylim=(0, None))
panels[2].set_xlabel("value of the channel")
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plots.show(
    plots.describe(
        figure,
        "Three histograms, of red, green and blue values, for photographs, your run and the generator of an "
        f"hour. All are broad, with a rise at the bright end. {cifar.note}",
    )
)
elsewhere, together = {}, {}
for name, images in sources.items():
    elsewhere[name] = (histograms[name] - histograms["photographs"]).abs().sum(1).mean() / 2
    between = channel_correlations(images)
    together[name] = (between[0, 1], between[1, 2], between[0, 2])
    print(
        f"{name:12s} pixels in another interval: {elsewhere[name]:5.1%}    correlation red–green "
        f"{between[0, 1]:.2f}, green–blue {between[1, 2]:.2f}, red–blue {between[0, 2]:.2f}"
    )

# %% [markdown]
# The histograms of the hour's generator lie close to those of photographs: fewer than one pixel in
# ten would have to move to another interval. Red and blue go together a little more closely in
# what it paints than in photographs, which are a bit more colourful. In your run they go together
# more closely still.

# %% tags=["claim"]
claim("fewer than one pixel in ten would have to move", elsewhere["an hour"] < 1 / 10, every_seed=True)
claim(
    "Red and blue go together a little more closely in what it paints than in photographs",
    together["an hour"][2] > together["photographs"][2],
    every_seed=True,
)
claim(
    "In your run they go together more closely still",
    together["your run"][2] > together["an hour"][2],
    every_seed=True,
)

# %% [markdown]
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
        colors=SOURCE_COLORS,
        title="How often is an edge at least that strong?",
        note=cifar.note,
        alt="Fraction of pixels whose brightness gradient exceeds a threshold, for photographs, your run and "
        "the generator of an hour, on a logarithmic axis; all fall as the threshold grows.",
    )
)
flat = {name: (strength < 0.02).float().mean() for name, strength in edges.items()}
strong = {name: (strength > 0.5).float().mean() for name, strength in edges.items()}
for name, strength in edges.items():
    print(
        f"{name:12s} mean edge strength {strength.mean():.3f}   flat (below 0.02): {flat[name]:5.1%}   "
        f"strong (above 0.5): {strong[name]:5.1%}"
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
        colors=SOURCE_COLORS,
        title="The spectrum of photographs and of generated pictures",
        note=cifar.note,
        alt="Mean power against frequency for photographs, your run and the generator of an hour, on a "
        "logarithmic axis. All fall from coarse to fine, close together.",
    )
)
for name, images in sources.items():
    power = radial_spectrum(images)[1]
    print(
        f"{name:12s} finest over coarsest frequency: {power[-1] / power[0]:.5f}   "
        f"fraction of power at period 2: {checkerboard_fraction(images):.4f}"
    )

# %% [markdown]
# Your samples have fewer strong edges than photographs. How many of their surfaces are flat depends
# on the seed. The hour's generator has nearly as many of both. Its spectrum is close to theirs over
# the whole range, and little is left of the checkerboard with which its pixel shuffles began.

# %% tags=["claim"]
claim(
    "Your samples have fewer strong edges than photographs",
    strong["your run"] < 0.9 * strong["photographs"],
    every_seed=True,
)
claim(
    "nearly as many of both",
    about(strong["an hour"] / strong["photographs"], 1, rel=0.2)
    and about(flat["an hour"] / flat["photographs"], 1, rel=0.25),
    every_seed=True,
)
claim(
    "little is left of the checkerboard",
    checkerboard_fraction(sources["an hour"]) < before["pixel_shuffle"] / 50,
    every_seed=True,
)

# %% [markdown]
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


scrambled = scramble_phases(real_images, torch.Generator().manual_seed(seed(0)))
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
        torch.cat([real_images[:10], scrambled[:10]]),
        columns=10,
        row_labels=["real", "scrambled"],
        title="The same power at every frequency",
        note=cifar.note,
        alt="Photographs, and below each a cloudy picture in similar colours, without objects or flat "
        "surfaces.",
    )
)

# %% [markdown]
# Clouds. The power is exactly the same (before clamping to [−1, 1]), and everything that one would
# call a picture is gone. An edge is a place where many waves rise *together*; that is a matter of
# their phases, and the spectrum does not see phases.
#
# The scrambled photographs have less than half of the flat surfaces. The hour's generator has
# nearly as many as photographs, so it has learnt more than a spectrum: also something about where
# the fine waves belong. What it lacks, the objects, none of these statistics can see.

# %% tags=["claim"]
claim("The power is exactly the same", about(ratio.median(), 1, rel=0.01), every_seed=True)
claim(
    "The scrambled photographs have less than half of the flat surfaces",
    (strength < 0.02).float().mean() < flat["photographs"] / 2,
    every_seed=True,
)

# %% [markdown]
# ## What does D look at?
#
# The first layers of our D are `PixelUnshuffle(2)` and a 3×3 convolution: each of its 48 units
# sees a window of 6×6 pixels. Put the weights back to where their pixels were (a pixel shuffle of
# the *kernel*), and you can look at them as little pictures.
# <!-- number 48: the width in NETWORK -->

# %%
filters = F.pixel_shuffle(discriminator[1].weight.detach(), 2)  # (48, 12, 3, 3) → (48, 3, 6, 6)
with torch.no_grad():
    by_layers = discriminator[1](discriminator[0](some_real))
    by_filters = F.conv2d(some_real, filters, discriminator[1].bias, stride=2, padding=2)
assert torch.allclose(by_layers, by_filters, atol=1e-4)  # the same layer


def grey_share(filters: Tensor) -> Tensor:
    """How much of a filter's energy is the same in red, green and blue. A third for random weights."""
    grey = filters.mean(1, keepdim=True).expand_as(filters)
    return grey.square().sum((1, 2, 3)) / filters.square().sum((1, 2, 3))


def striped_share(filters: Tensor) -> Tensor:
    """How much of its energy alternates from row to row or column to column. A third for random weights."""
    signs = torch.tensor([1.0, -1.0] * 3)
    rows = (filters * signs[:, None]).mean(2).square().sum((1, 2)) * 6
    columns = (filters * signs).mean(3).square().sum((1, 2)) * 6
    return (rows + columns) / filters.square().sum((1, 2, 3))


strongest_first = filters.flatten(1).norm(dim=1).argsort(descending=True)
shown = filters[strongest_first]
shown = shown / shown.abs().amax((1, 2, 3), keepdim=True)
shown = F.interpolate(shown, scale_factor=4)  # every weight is drawn 4×4 pixels large
plots.show(
    plots.image_grid(
        shown[:32],
        columns=8,
        width=7.2,
        title="The 32 strongest filters of D's first layer, strongest first",
        note=cifar.note,
        alt="32 filters of 6×6 pixels as little colour pictures, each scaled to its own largest weight.",
    )
)
start = F.pixel_shuffle(untrained_filters, 2)
for what, share in {"grey": grey_share, "striped": striped_share}.items():
    print(
        f"{what:8s} fraction of a filter's energy, mean: untrained {share(start).mean():.2f}, "
        f"trained {share(filters).mean():.2f};   mostly {what} (above ½): untrained "
        f"{int((share(start) > 0.5).sum())} of 48, trained {int((share(filters) > 0.5).sum())} of 48"
    )

# %% [markdown]
# After such a short training most filters still look like their random start. What has changed
# shows in the counts: the filters are greyer than they were. A grey filter sees brightness, where
# most of a photograph's power is. A striped filter, with opposite signs in neighbouring rows or
# columns, answers to the period of two pixels; the last line counts them in this run.

# %% tags=["claim"]
claim(
    "the filters are greyer than they were",
    grey_share(filters).mean() > grey_share(start).mean(),
    every_seed=True,
)

# %% [markdown]
# ## A generator of your own
#
# You have seen a grid before training, seen D take most of it away, and measured what is left. Now
# build a generator that starts without one. Some ways that others have gone:
#
# | idea | source |
# | --- | --- |
# | enlarge by bilinear interpolation, then a convolution with the same weights everywhere | Odena et al., 2016 |
# | a pixel shuffle whose four sets of weights start equal | Aitken et al., 2017 |
# | after each upsampling, a fixed blur with [1, 2, 1] in both directions | Karras et al., 2019 |
#
# ### Exercise 6.6 — A generator without a grid (●●●, 30 min)
#
# Write a whole generator, layer by layer, from `torch.nn` and its functions alone, and test it by
# its spectrum:
#
# - 64 random numbers in, pictures (3, 32, 32) in [−1, 1] out, and the attribute `latent_dim`, for
#   which `train` and `sample` ask. A new network, with new random weights, at every call.
# - Maps are doubled by *another* layer than the three of the table above as they stand: by one of
#   these ideas, or by one of your own. The last doubling has to have weights to learn, the same at
#   every place; what has none, such as a blur, may stand before and after it.
# - **Before any training**, its pictures have no more power at period 2 than white noise, which has
#   3/1023 of its own, nor has one of their three colours. The check averages over four
#   starts. <!-- numbers: settings of the exercise -->
# - Not more than 600,000 weights, so that the comparison with ours is a fair one.
#
# Try it before you ask for the verdict:
# `checkerboard_fraction(own_generator()(torch.randn(64, 64)))`.


# %%
def own_generator() -> nn.Sequential:
    """64 random numbers → a picture (3, 32, 32) in [-1, 1], without a grid before training."""

    ### BEGIN SOLUTION
    def doubled(inputs: int, outputs: int) -> nn.Sequential:
        """A pixel shuffle from an equal start: channels 4c, …, 4c + 3 become the four pixels of a block."""
        convolution = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=False)
        with torch.no_grad():
            convolution.weight.copy_(convolution.weight[::4].repeat_interleave(4, dim=0))
        return nn.Sequential(convolution, nn.PixelShuffle(2))

    generator = nn.Sequential(
        nn.Linear(64, 96 * 8 * 8, bias=False),
        nn.Unflatten(1, (96, 8, 8)),
        nn.BatchNorm2d(96),
        nn.ReLU(),
        doubled(96, 48),  # 48×16×16
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.Conv2d(48, 48, 3, padding=1, bias=False),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        doubled(48, 3),  # 3×32×32
        nn.Tanh(),
    )
    generator.latent_dim = 64
    return generator
    ### END SOLUTION


# %%
def smoothest_of_the_three() -> nn.Sequential:
    """What the next cell trains as long as yours is not ready."""
    return pytorch_initialised(dcgan_generator(**NETWORK, upsampling="resize"))


own = check("6.6", own_generator, otherwise=smoothest_of_the_three)

# %% [markdown]
# **Predict.** Nothing but the start keeps your generator from a grid; D takes it away from those
# that start with one. Where will the two meet, above the photographs' fraction or below it?

# %%
torch.manual_seed(seed(0))
own_start = own().train()
with torch.no_grad():
    own_before = checkerboard_fraction(own_start(torch.randn(256, 64)))
with progress(1, "a short training of your generator", unit="run") as update:
    short["own"] = short_run(own=own)
    update(1)
made["own"] = sample(short["own"].average, sample_count, seed=seed(0))
after["own"] = checkerboard_fraction(made["own"])
print(f"your generator: {count_parameters(own_start):,} weights")
print(f"fraction of power at period 2 before training {own_before:.4f}, after {after['own']:.4f}")
for method in ("transposed", "pixel_shuffle"):
    print(f"{NAMES[method]:24s}      before training {before[method]:.4f}, after {after[method]:.4f}")
print(f"{'photographs':24s}                                      {at_period_two['real photographs']:.4f}")
print(f"Fréchet distance after {brief_images:,} images: {evaluate(made['own']):.2f}")

# %% jupyter={"source_hidden": true}
figure, (above, below) = plots.new_figure(rows=2, width=7.2, height=7.0, note=cifar.note)
for name, images, colour, dashes in (
    ("photographs", real_images, REAL, "-"),
    (NAMES["pixel_shuffle"], untrained["pixel_shuffle"], SHUFFLE, "--"),
    ("your own", own_start(torch.randn(256, 64)).detach(), OWN, "-."),
):
    power = radial_spectrum(images)[1]
    above.plot(frequencies, power / power.mean(), color=colour, linestyle=dashes, label=name)
for name, images, colour, dashes in (
    ("photographs", real_images, REAL, "-"),
    (NAMES["pixel_shuffle"], made["pixel_shuffle"], SHUFFLE, "--"),
    ("your own", made["own"], OWN, "-."),
):
    power = radial_spectrum(images)[1]
    below.plot(frequencies, power / power.mean(), color=colour, linestyle=dashes, label=name)
above.set(title="Before training", yscale="log", ylabel="power / mean")
below.set(title=f"After {brief_images:,} images", yscale="log", ylabel="power / mean")
below.set_xlabel("frequency, cycles a pixel")
figure.legend(*above.get_legend_handles_labels(), loc="outside upper center", ncols=3)
plots.show(
    plots.describe(
        figure,
        "Power against frequency, on a logarithmic axis, for photographs, a plain pixel shuffle and your own "
        "generator. Before training the pixel shuffle stays high at the fine end, where your own falls like "
        f"photographs. After training all three fall. {cifar.note}",
    )
)

# %% tags=["claim"]
claim(
    "Before training, the pixel shuffle from an equal start has no grid at all",
    own_before < 1e-6,
    every_seed=True,
)
claim(
    "In this run it has something of one afterwards, far less than the plain one began with",
    0 < after["own"] < before["pixel_shuffle"] / 10,
)
claim(
    "its fraction at period two is of the photographs' size",
    1 / 3 < after["own"] / at_period_two["real photographs"] < 3,
)

# %% [markdown] tags=["solution"]
# Before training, the pixel shuffle from an equal start has no grid at all: every
# block of four pixels is of one colour. An equal start is only a start, though. Nothing keeps the
# four sets equal, and training moves them apart, as it must, or the finest detail would be missing.
# In this run it has something of one afterwards, far less than the plain one began with. Neither
# above nor below, then: its fraction at period two is of the photographs' size. D lets pass what
# photographs have, too, and the generators come to it from both sides.
#
# Not every run is so kind. With one of three seeds, the short training left a grid about half as
# strong as the plain one began with ([claims](../docs/claims.md) has the numbers). An equal start
# is no promise.

# %% [markdown]
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
    fair = short_run(augment=shift, images=brief_images // 2)
    update(1)
    leaky = short_run(sampler=shifted_photographs, images=brief_images // 2)
    update(2)
shifted = {
    "real": real_images,
    "real, shifted": shift(real_images, torch.Generator().manual_seed(seed(0))),
    "all that D sees is shifted": sample(fair.average, sample_count, seed=seed(0)),
    "only the real ones shifted": sample(leaky.average, sample_count, seed=seed(0)),
}


def border_strength(images: Tensor) -> float:
    """How far from grey (0) the four outermost rows and columns are, relative to all pixels."""
    size = images.abs().mean((0, 1))
    inside = size[4:-4, 4:-4]
    border = (size.sum() - inside.sum()) / (size.numel() - inside.numel())
    return (border / size.mean()).item()


borders = {name: border_strength(images) for name, images in shifted.items()}
for name, strength in borders.items():
    print(f"{name:28s} distance of the border from grey, relative to the whole: {strength:.2f}")
plots.show(
    plots.image_grid(
        torch.cat([images[:10] for images in shifted.values()]),
        columns=10,
        row_labels=["real", "real, shifted", "both sides", "real only"],
        title="Augmentation that leaks",
        note=cifar.note,
        alt="Four rows: real photographs, the same shifted, samples of a generator whose D saw real and "
        "generated images shifted, and samples with grey borders of a "
        "generator that was trained on shifted photographs.",
    )
)

# %% [markdown]
# Grey. The generator that was shown shifted photographs has a greyer border than the one of which D
# saw everything shifted. It has made no mistake: it matches what it was given as data. Where *all*
# that D sees is shifted, the border comes close to that of unshifted photographs, though D has seen
# shifted images only.

# %% tags=["claim"]
claim(
    "has a greyer border than the one of which D saw everything shifted",
    borders["only the real ones shifted"] < borders["all that D sees is shifted"],
    every_seed=True,
)
claim(
    "the border comes close to that of unshifted photographs",
    borders["all that D sees is shifted"] > 0.85 * borders["real"],
    every_seed=True,
)

# %% [markdown]
# ### "A Fréchet distance is a property of the generator"
#
# It is a property of the generator, of the features *and of the number of samples*. The same
# generator, measured with few and with many:

# %%
counts = by_scale(ci=(50, 100), cpu=(250, 500, 1_000, 2_000), gpu=(500, 2_000, 10_000, 50_000))
many = sample(shipped, counts[-1], seed=seed(0))
by_count = {n: evaluate(many[:n]) for n in counts}
for n, distance in by_count.items():
    print(f"{n:6,} samples: Fréchet distance {distance:6.2f}")

# %% [markdown]
# Fewer samples tend to give a larger distance: their mean and covariance are less certain, and
# what is off by chance counts as distance. The usual FID has 2,048 features where this classifier
# has 128, and is taken of 50,000 samples for the same reason. And it has another scale: no
# distance in this notebook can be compared with a published FID.
# <!-- numbers: the usual FID's, and the classifier's width -->

# %% tags=["claim"]
claim(
    "Fewer samples tend to give a larger distance",
    by_count[counts[0]] > by_count[counts[-1]],
    every_seed=True,
)

# %% [markdown]
# ### "Red, green and blue are learnt one by one"
#
# What would pictures be like if the three channels were drawn independently of each other? Take
# the red of one photograph, the green of another and the blue of a third. Each channel's
# histogram stays exactly as it was:

# %%
n = len(real_images) // 3
mixed = torch.stack([real_images[k * n : (k + 1) * n, k] for k in range(3)], dim=1)
mixed_distance, unmixed_distance = evaluate(mixed), evaluate(real_images[:n])
print(
    f"correlation red–green: {channel_correlations(mixed)[0, 1]:+.2f}, real "
    f"{channel_correlations(real_images)[0, 1]:+.2f}"
)
print(f"Fréchet distance: mixed channels {mixed_distance:.2f}, as many real ones {unmixed_distance:.2f}")
plots.show(
    plots.image_grid(
        mixed[:20], columns=10, title="Each channel from another photograph", note=cifar.note,
        alt="Twenty pictures in which red, green and blue come from three photographs: ghosts in false "
        "colours.",
    )
)  # fmt: skip

# %% [markdown]
# Right histograms are not enough: these pictures are further from photographs than blurred ones
# are. A colour lies in how the channels go together, and the same weights of G make all three from
# the same maps.

# %% tags=["claim"]
claim(
    "these pictures are further from photographs than blurred ones are",
    mixed_distance > 1.3 * scale["real photographs, blurred 3×3"],
    every_seed=True,
)

# %% [markdown]
# ## Something to show
#
# A poster, then: six of each class from the generator of ten classes. Nobody has chosen them.

# %%
poster = sample(ten, 60, labels=every_class.repeat_interleave(6), seed=seed(6))
plots.show(
    plots.image_grid(
        poster,
        columns=6,
        width=5.6,
        row_labels=short_names,
        title="Ten classes, none chosen",
        alt="Ten rows of six generated pictures, a row for each class of CIFAR-10: most planes, cars, "
        "horses, ships and trucks can be recognised at a glance, cats and frogs less often.",
    )
)

# %% [markdown]
# Show the poster to somebody, and say how it was made: by two networks that played, one of which
# looked through a third that had seen the labels. And when somebody shows you theirs, ask how many
# there were to choose from, and what D knew before it began.
#
# ## Summary
#
# - Size first: to get from 4×4 to 32×32 with layers that exactly multiply by their stride, the
#   strides multiply up to 8. An assertion on the shape costs nothing.
#   <!-- number 8: 32 over 4 -->
# - A layer that makes neighbouring pixels by different weights brings a pattern of two pixels'
#   period. The power spectrum shows it at frequency ½. Training takes most of it away.
# - Augment everything that D sees, differentiably; or G learns the augmentation.
# - Spectral normalisation divides each weight by its largest singular value, found by power
#   iteration, and so bounds D's slope.
# - Whether a tool helps depends on the budget. Measure it, with the same number of images, before
#   you believe it.
# - A generator can start without a grid: bilinear interpolation, a pixel shuffle from an equal
#   start, a blur. Test it before training.
# - A D that looks through the frozen features of a trained classifier shows G objects within
#   minutes. A classifier then reads the samples rightly before you do: look at them.
# - Colours, edges and spectra are statistics that you can compare without any network, and they
#   show *what* is wrong, where a Fréchet distance only says how much.
#
# [Notebook 07](07_when_training_fails.ipynb#A-field-guide-of-failures) is about what to do when
# training fails.
#
# ## Further reading
#
# - A. Odena, V. Dumoulin, C. Olah, *Deconvolution and Checkerboard Artifacts*, Distill 2016,
#   [doi:10.23915/distill.00003](https://doi.org/10.23915/distill.00003)
# - W. Shi et al., *Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel
#   Convolutional Neural Network*, CVPR 2016, [arXiv:1609.05158](https://arxiv.org/abs/1609.05158)
# - A. Aitken, C. Ledig, L. Theis, J. Caballero, Z. Wang, W. Shi, *Checkerboard artifact free
#   sub-pixel convolution: A note on sub-pixel convolution, resize convolution and convolution
#   resize*, 2017, [arXiv:1707.02937](https://arxiv.org/abs/1707.02937)
# - T. Karras, S. Laine, T. Aila, *A Style-Based Generator Architecture for Generative Adversarial
#   Networks*, CVPR 2019, [arXiv:1812.04948](https://arxiv.org/abs/1812.04948)
# - T. Miyato, T. Kataoka, M. Koyama, Y. Yoshida, *Spectral Normalization for Generative
#   Adversarial Networks*, ICLR 2018, [arXiv:1802.05957](https://arxiv.org/abs/1802.05957)
# - S. Zhao, Z. Liu, J. Lin, J.-Y. Zhu, S. Han, *Differentiable Augmentation for Data-Efficient
#   GAN Training*, NeurIPS 2020, [arXiv:2006.10738](https://arxiv.org/abs/2006.10738)
# - R. Durall, M. Keuper, J. Keuper, *Watch your Up-Convolution: CNN Based Generative Deep Neural
#   Networks are Failing to Reproduce Spectral Distributions*, CVPR 2020,
#   [arXiv:2003.01826](https://arxiv.org/abs/2003.01826)
# - A. Sauer, K. Chitta, J. Müller, A. Geiger, *Projected GANs Converge Faster*, NeurIPS 2021,
#   [arXiv:2111.01007](https://arxiv.org/abs/2111.01007)
# - T. Miyato, M. Koyama, *cGANs with Projection Discriminator*, ICLR 2018,
#   [arXiv:1802.05637](https://arxiv.org/abs/1802.05637)
# - TensorFlow, *Deep Convolutional Generative Adversarial Network*, tutorial, 2019,
#   [tensorflow.org](https://www.tensorflow.org/tutorials/generative/dcgan)
# - A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009
