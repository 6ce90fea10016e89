"""The exercises of notebook 13: repair, enlarge, translate; what a discriminator adds, and its price."""

import math
import re

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_close,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.checks.devices import call_anywhere, try_elsewhere


def _recognise(found, mistakes) -> None:
    """Raises Wrong with the message of the first typical mistake that the value found agrees with."""
    for message, value in mistakes.items():
        if matches(found, value):
            raise Wrong(message)


# --- 13.1: known pixels stay -------------------------------------------------------------------------------


class _Painter(nn.Module):
    """A small network from what is left and where the hole is to an image; notes what it was shown."""

    def __init__(self, channels: int, seed: int):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.layer = nn.Conv2d(channels + 1, channels, 3, padding=1)
        self.shown: list = []

    def forward(self, inputs):
        if not isinstance(inputs, torch.Tensor) or inputs.dim() != 4:
            raise Wrong(f"the network is given {shown(inputs)}. It wants one tensor (N, C + 1, H, W).")
        if inputs.shape[1] != self.layer.in_channels:
            raise Wrong(
                f"the network is given {inputs.shape[1]} channels; it wants {self.layer.in_channels}: those "
                "of the damaged images, then the hole. `torch.cat` joins channels along `dim=1`."
            )
        self.shown.append(inputs.detach().clone())
        return self.layer(inputs).tanh()


def _holes(n: int, side: int, rng) -> torch.Tensor:
    """A rectangle of its own in each image, True where a pixel is missing: (n, 1, side, side)."""
    hole = torch.zeros(n, 1, side, side, dtype=torch.bool)
    for one in hole[:, 0]:
        top, left = torch.randint(0, side // 2, (2,), generator=rng).tolist()
        one[top : top + side // 2, left : left + side // 3] = True
    return hole


@exercise(
    "13.1",
    title="Paint only what is missing",
    difficulty=1,
    minutes=8,
    hints=[
        "Three steps: take out what is missing, ask the network, put its paint into the hole.",
        "`torch.where(hole, one, other)` takes `one` where the hole is and `other` around it; a single "
        "number may stand for either.",
        "The mask as a channel of numbers: `torch.where(hole, 1.0, -1.0)`, or `2.0 * hole - 1`.",
    ],
)
def complete(answer):
    notes = ""
    for channels, n, side, seed in ((1, 3, 6, 0), (3, 2, 9, 1)):
        rng = torch.Generator().manual_seed(seed)
        images = 2 * torch.rand(n, channels, side, side, generator=rng) - 1
        hole = _holes(n, side, rng)
        network = _Painter(channels, seed)
        before = weights_of(network)
        try:
            result = call_unchanged(answer, network, images, hole, name="complete")
        except IndexError as error:
            if "shape of the mask" in str(error) and channels > 1:
                raise Wrong(
                    "right for grey images, but these have three channels, and `hole` has one: a mask in "
                    "brackets must have the shape of what it chooses from. `torch.where` lines the two up by "
                    "itself."
                ) from None
            raise
        expect_trainable(network)
        found = as_tensor(result, "the completed images")
        expect_shape(found, tuple(images.shape), "what `complete` returns")
        _expect_paint(found, network, images, hole)
        expect_like(result, dtype=torch.float32, requires_grad=True, name="what `complete` returns")
        if moved(before, weights_of(network)):
            raise Wrong("the network's weights are others than before. It is only asked here, not trained.")
        notes = call_anywhere(answer, network, images, hole, name="`complete`", hint="`device=images.device`")
    return f"what is known stays known, whatever the network thinks of it.{notes}"


def _expect_paint(found, network, images, hole) -> None:
    """Raises Wrong unless known pixels are kept, and the hole is what the network paints of the rest."""
    if not network.shown:
        raise Wrong("the network is never asked. Who paints what is missing?")
    inside = hole.expand_as(images)
    around = ~inside
    right = torch.cat([images * ~hole, 2.0 * hole - 1], 1)
    with torch.no_grad():
        painted = network(right)
    seen = network.shown[0]
    if matches(found[inside], images[inside]):
        raise Wrong("inside the hole the original pixels are back: they would be unknown.")
    if matches(found, images * ~hole):
        raise Wrong("the holes are still empty.")
    if matches(found, painted * ~hole + images * hole):
        raise Wrong("the two sides are exchanged. `hole` is True where a pixel is *missing*.")
    if not torch.equal(seen, right):
        _expect_shown(seen, images, hole, right)
    expect_varied("what `complete` returns")
    if not matches(found[around], images[around]):
        if matches(found, painted):
            raise Wrong(
                "the network paints the known pixels, too. They are known: put them back as they were."
            )
        raise Wrong("known pixels have changed. Outside the hole the image stays exactly as it was.")
    if not matches(found[inside], painted[inside]):
        raise Wrong("inside the hole it is not what the network paints there, as it is.")


def _expect_shown(seen, images, hole, right) -> None:
    """Raises Wrong: what the network was shown in place of damaged images and hole."""
    if torch.equal(seen[:, :-1], images):
        raise Wrong("the network sees what it should paint: take out the pixels of the hole first.")
    if torch.equal(seen[:, 1:], right[:, :-1]) and torch.equal(seen[:, :1] > 0, hole):
        raise Wrong("the hole comes first. The damaged images are the first channels, the hole is the last.")
    if torch.equal(seen[:, :-1], images * hole):
        raise Wrong(
            "the network sees only what is missing. `hole` is True where a pixel is to be taken *out*."
        )
    if torch.equal(seen[:, -1:] > 0, ~hole):
        raise Wrong(
            "the last channel is 1 where pixels are *known*. It is 1 where they are missing, else −1."
        )
    if torch.equal(seen[:, -1:], hole.float()) and torch.equal(seen[:, :-1], right[:, :-1]):
        raise Wrong("the last channel is 0 where pixels are known. Channels run from −1 to 1: −1 there.")
    inside = hole.expand_as(images)
    fill = seen[:, :-1][inside]
    if torch.equal(seen[:, :-1][~inside], images[~inside]) and (fill == fill[0]).all():
        raise Wrong(f"missing pixels are shown as {fill[0]:.2g}. They are 0, mid-grey, here.")
    raise Wrong("the network is shown something else than the damaged images, 0 in the hole, and the hole.")


# --- 13.2: the safest completion ---------------------------------------------------------------------------


def _world(kinds: int, side: int, seed: int):
    """Images, their probabilities, one of them with a hole, the hole: many of them agree around it."""
    rng = torch.Generator().manual_seed(seed)
    hole = torch.zeros(1, side, side, dtype=torch.bool)
    hole[:, 1 : side - 1, side // 2 :] = True
    frames = torch.rand(3, 1, side, side, generator=rng) * 2 - 1
    inside = torch.randint(0, 3, (kinds, 1, side, side), generator=rng) - 1.0
    images = torch.where(hole, inside, frames[torch.arange(kinds) % 3])
    order = torch.randperm(kinds, generator=rng)
    weights = torch.rand(kinds, generator=rng) + 0.1
    images, weights = images[order], weights / weights.sum()
    damaged = images[int(weights.argmin())] * ~hole
    return images, weights, damaged, hole


def _single_bets(some, odds) -> dict:
    """Single ones of the images that fit, and what is said of them."""
    expected = ((some[:, None] - some[None]).square().flatten(2).sum(2) @ odds.flatten()).argmin()
    probable = odds.argmax()
    best = (
        "that is the best of the images that fit. The answer may be any image: is there one, between them, "
        "that costs less?"
    )
    often = (
        "that is the *most probable* of the images that fit. It is right most often, and where it is wrong "
        "it is far off: not the least squared error."
    )
    if expected == probable:
        return {f"{often} And the answer need not be one of them.": some[probable]}
    return {often: some[probable], best: some[expected]}


def _weighted_median(some, odds):
    """Pixel by pixel, the first value up to which half of the probability lies."""
    values, order = some.sort(0)
    mass = odds.flatten()[order].cumsum(0)
    return values.gather(0, (mass < 0.5).sum(0, keepdim=True))[0]


def _agreeing(images, damaged, hole):
    return (((images - damaged) * ~hole).abs() < 1e-6).flatten(1).all(1)


@exercise(
    "13.2",
    title="The safest completion",
    difficulty=2,
    minutes=15,
    hints=[
        "Which images can it still be? Those that agree with `damaged` at every pixel outside the hole.",
        "Once you know that it is one of these, how probable is each of them? Their weights no longer add up "
        "to 1.",
        "Which c makes Σ pᵢ (c − xᵢ)² least? Differentiate, for one pixel.",
    ],
)
def safest_completion(answer):
    name = "`safest_completion`"
    for kinds, side, seed in ((12, 5, 0), (15, 6, 1), (9, 5, 2)):
        images, weights, damaged, hole = _world(kinds, side, seed)
        result = call_unchanged(answer, images, weights, damaged, hole, name="safest_completion")
        found = as_tensor(result, "the completion")
        if found.shape == (1, *damaged.shape):
            found = found[0]
        expect_shape(found, tuple(damaged.shape), f"what {name} returns")
        fit = _agreeing(images, damaged, hole)
        some, odds = images[fit], (weights[fit] / weights[fit].sum()).view(-1, 1, 1, 1)
        right = (some * odds).sum(0)
        if not matches(found, right):
            share = weights.view(-1, 1, 1, 1)
            _recognise(
                found,
                {
                    "that is the mean over all images. Most of them cannot be it: they differ from the "
                    "pixels that are known.": (images * share).sum(0),
                    "all images count alike, whether they fit or not, and whether they are probable or "
                    "not.": images.mean(0),
                    "the images that fit count alike. Some are more probable than others.": some.mean(0),
                    "the weights of the images that fit do not add up to 1. What is the probability of "
                    "each, once the others are out?": (some * share[fit]).sum(0),
                    **_single_bets(some, odds),
                    "the known pixels are right. In the hole that is the mean over all images, those "
                    "included that differ from the known pixels: which of them can it still be?": torch.where(
                        hole, (images * share).sum(0), damaged
                    ),
                    "the mean is rounded in the hole. Is a grey that is none of the possible values "
                    "forbidden?": torch.where(hole, right.sign(), damaged),
                    "that is the median, weighted: it has the least *absolute* error.": _weighted_median(
                        some, odds
                    ),
                    "that is the first image that fits.": some[0],
                    "that is the last image that fits.": some[-1],
                    "the hole is still empty.": damaged,
                    "that is the median: it has the least *absolute* error.": some.median(0).values,
                },
            )
            if not found.any():
                raise Wrong("no image fits, it seems. Compare around the hole: inside nothing is known.")
            kept = ((found - damaged) * ~hole).abs().max() < 1e-4
            if not kept:
                expect_varied(name)
                raise Wrong(
                    "pixels outside the hole have changed. All images that fit agree there: so does their "
                    "mean."
                )
            for i in range(len(some)):
                if matches(found, some[i]):
                    raise Wrong(
                        "that is one of the images that fit. One image is a bet; a weighted mean of all that "
                        "fit has a smaller expected squared error."
                    )
            expect_varied(name)
            raise Wrong(
                "the known pixels are right; in the hole another image has a smaller expected squared error. "
                "For one pixel: which c makes Σ pᵢ (c − xᵢ)² least?"
            )
        expect_like(result, dtype=torch.float32, name=f"what {name} returns")
    return "no completion has a smaller expected squared error, and it need not be a possible image."


# --- 13.3: what a sample costs -----------------------------------------------------------------------------


@exercise(
    "13.3",
    title="The price of a sample",
    difficulty=2,
    minutes=10,
    hints=[
        "Given what is known, let the truth X and your draw X̂ be independent, with the same mean m and the "
        "same variance. What is E(X̂ − X)²?",
        "E(X̂ − X)² = E(X̂ − m)² + E(X − m)² = twice the variance, and the variance is the error of the mean.",
        "In decibels a ratio r is 10·log10(r).",
    ],
)
def price_of_a_sample(answer):
    found = as_tensor(answer, "the number of decibels")
    expect_shape(found, (), message="one number is asked for: by how many decibels the PSNR falls.")
    right = 10 * math.log10(2)
    typical = [
        (-right, "right but for the sign: a *fall* by so many decibels is a positive number."),
        (20 * math.log10(2), "a ratio of squared errors is a ratio of powers: 10, not 20, times its log10."),
        (10 * math.log(2), "a decibel goes with the logarithm to base 10."),
        (10 * math.log2(2), "a decibel goes with the logarithm to base 10."),
        (2.0, "that is the factor by which the squared error grows. How many decibels is it?"),
        (math.log10(2), "that is in bels. A decibel is a tenth of one."),
        (math.log(2), "that is in nats. In decibels: ten times the logarithm to base 10."),
        (0.0, "a draw that misses costs more than the mean that hedges. How much more?"),
        (
            5 * math.log10(2),
            "the squared error itself is what the PSNR takes the logarithm of, not its root.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=5e-3):
            raise Wrong(message)
    if not matches(found, right, tolerance=2e-2):
        raise Wrong(
            "compare the two expected squared errors, of the mean and of an independent draw with the same "
            "distribution as the truth. Then their ratio in decibels."
        )
    return "whatever the distribution is. The next cell draws and measures."


# --- 13.4: the curve of a Gaussian -------------------------------------------------------------------------


def _curve(perception, correlation):
    spread = torch.maximum(1 - perception, torch.full_like(perception, correlation))
    return 1 + spread.square() - 2 * correlation * spread


@exercise(
    "13.4",
    title="The least distortion for a given distance",
    difficulty=2,
    minutes=20,
    hints=[
        "E(X̂ − X)² = E X̂² + E X² − 2 E[X̂X]. Write s for the deviation of X̂. What is the most that E[X̂X] can "
        "be? Any noise of your own uses up a part of s and correlates with nothing.",
        "So X̂ is a multiple of Y, and the error is s² + 1 − 2·s·ρ. Which s makes it least, if you are free?",
        "You are free only within |1 − s| ≤ P. If the best s is too small for that, take the nearest one "
        "that is allowed. `torch.clamp` takes a smallest value.",
    ],
)
def least_distortion(answer):
    name = "`least_distortion`"
    for correlation, count in ((0.6, 9), (0.25, 6), (0.9, 5)):
        perception = torch.linspace(0, 1, count)
        result = call_unchanged(answer, perception, correlation, name="least_distortion")
        found = as_tensor(result, "the least distortion")
        expect_shape(
            found,
            (count,),
            message=f"{name} returns shape {tuple(found.shape)}; one number for each of the {count} P.",
        )
        p, c = perception.double(), correlation
        right = _curve(p, c)
        if not matches(found, right):
            at_limit = 1 + (1 - p).square() - 2 * c * (1 - p)
            _recognise(
                found,
                {
                    "it rises again for large P. A bound that is loose forbids nothing: you may stay at the "
                    "best s.": at_limit,
                    "that is the least error of all, whatever P is: its estimates are too narrow for small "
                    "P. What if s has to be within P of 1?": torch.full_like(p, 1 - c * c),
                    "that is the error at P = 0 for every P. A little distance allowed makes it smaller.": (
                        torch.full_like(p, 2 - 2 * c)
                    ),
                    "s may also be 1 + P, but that is on the wrong side: it is farther from ρ.": (
                        1 + (1 + p).square() - 2 * c * (1 + p)
                    ),
                    "that is what drawing from the posterior costs, twice the least error. It is one way to "
                    "P = 0, and not the cheapest.": torch.full_like(p, 2 * (1 - c * c)),
                    "that is E(X̂ − X)² without its mixed term: X̂ and X are correlated.": (
                        1 + torch.maximum(1 - p, torch.full_like(p, c)).square()
                    ),
                    "the root is taken. The distortion is the *squared* error.": right.sqrt(),
                    "the mixed term counts twice in a square: −2·s·ρ.": (
                        1
                        + torch.maximum(1 - p, torch.full_like(p, c)).square()
                        - c * torch.maximum(1 - p, torch.full_like(p, c))
                    ),
                    "that has ρ² where ρ is the correlation itself.": _curve(p, c * c),
                    "s is kept below ρ, where it is free to be ρ; and it may not be below 1 − P. Which of "
                    "the two is then the nearest to ρ that is allowed?": (
                        1 + (1 - p).clamp(max=c).square() - 2 * c * (1 - p).clamp(max=c)
                    ),
                    "that keeps the conditional mean, ρ·Y, and adds noise until it is wide enough. Noise "
                    "correlates with nothing: to stretch ρ·Y is cheaper.": (
                        1 - c * c + (torch.maximum(1 - p, torch.full_like(p, c)).square() - c * c)
                    ),
                    "the least error is right, 1 − ρ². What is lost on top of it enters by its *square*.": (
                        1 - c * c + (1 - c - p).clamp(min=0)
                    ),
                    "that lets the *square* of the distance be P. The distance itself is |1 − s|.": _curve(
                        p.sqrt(), c
                    ),
                    "that lets the distance be P². It is |1 − s|, and may be P.": _curve(p.square(), c),
                    "the deviation of the conditional mean, ρ·Y, is ρ, not ρ²: so much is it away from 1, "
                    "and from there P is taken off.": 1 - c * c + (1 - c * c - p).clamp(min=0).square(),
                    "only what is lost on top of the least error is there. Add the error that nobody can "
                    "avoid, 1 − ρ².": right - (1 - c * c),
                },
            )
            expect_varied(name)
            if (found[1:] > found[:-1] + 1e-6).any():
                raise Wrong("it rises with P somewhere. Who is allowed more can always do what was allowed.")
            if found[-1] < 1 - c * c - 1e-4:
                raise Wrong(
                    f"at P = 1 it is {found[-1]:.3g}; nobody gets below 1 − ρ² = {1 - c * c:.3g}, the error "
                    "of the conditional mean."
                )
            where = int((found - right).abs().argmax())
            raise Wrong(
                f"for ρ = {c} and P = {p[where]:.2f} you say {found[where]:.4g}. Try a few s between 1 − P "
                "and 1 + P in s² + 1 − 2·s·ρ: one of them does better, or none reaches it."
            )
        expect_like(result, dtype=torch.float32, name=f"what {name} returns")
    notes = call_anywhere(answer, torch.linspace(0, 1, 4), 0.5, name=name, hint="`device=perception.device`")
    return f"a curve that falls, is convex, and then stays: at P ≥ 1 − ρ nothing is left to gain.{notes}"


# --- 13.5: what becomes of the latent ----------------------------------------------------------------------


@exercise(
    "13.5",
    title="Predict what becomes of the latent",
    difficulty=1,
    minutes=5,
    hints=[
        "Split E (G(x, z) − y)², over z, into the error of the mean over z and the variance over z. Which of "
        "the two does a large weight on the squared error want to be 0?",
    ],
)
def what_becomes_of_the_latent(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "for each hole the training set knows one answer, the digit that was there. What does the "
            "squared error say of a completion that is another one, however likely?",
            "b": "noise costs squared error, pixel by pixel, and D tells noise at a glance. Who of the two "
            "would ask for it?",
            "d": "more weight on the squared error: does that pull apart what one hole gets from two "
            "latents, or together?",
        },
    )
    return "run the next cell to see how much is left."


# --- 13.6: the U-Net ---------------------------------------------------------------------------------------

JOINS = {"cat", "concat", "concatenate", "hstack"}
ADDS = {"add", "__add__", "add_", "__iadd__", "__radd__"}


class _Ways(TorchFunctionMode):
    """Notes for each map the smallest side on its way from the source, and where maps are joined."""

    def __init__(self, source):
        super().__init__()
        self.lowest = {id(source): (source, source.shape[-1])}  # the tensor has to live, or its id is reused
        self.joined: list = []  # (side, [(part, lowest side on its way), …]) of each torch.cat of channels
        self.added: set = set()  # sides at which a short way and a long way were added
        self.weights: dict = {}  # id → weight of a convolution that was used
        self.clamped = False

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        result = function(*arguments, **keywords)
        name = getattr(function, "__name__", "")
        handed = [*_maps([*arguments, *keywords.values()])]
        known = [self.lowest[id(one)][1] for one in handed if id(one) in self.lowest]
        if name.startswith("conv") and len(arguments) > 1 and isinstance(arguments[1], torch.Tensor):
            self.weights[id(arguments[1])] = arguments[1]
        if isinstance(result, torch.Tensor) and result.dim() == 4 and known:
            side = result.shape[-1]
            if name in JOINS and _along(arguments, keywords) in (1, -3):
                self.joined.append((side, [(one, self._lowest(one)) for one in handed]))
            elif name in ADDS and len(known) == 2 and min(known) < side == max(known):
                self.added.add(side)
            elif name in ("clamp", "clamp_", "clip", "hardtanh", "clip_", "hardtanh_"):
                self.clamped = True
            self.lowest[id(result)] = result, min([*known, side])
        return result

    def _lowest(self, one):
        return self.lowest[id(one)][1] if id(one) in self.lowest else None


def _maps(values):
    for value in values:
        if isinstance(value, torch.Tensor) and value.dim() == 4:
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _maps(value)


def _along(arguments, keywords):
    axis = keywords.get("dim", keywords.get("axis", arguments[1] if len(arguments) > 1 else 0))
    return axis if isinstance(axis, int) else 0


def _first_line(error) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ") + "."


def _picture(network, source, out_channels: int):
    try:
        image = network(source)
    except NotImplementedError:
        raise
    except (RuntimeError, TypeError, IndexError, AttributeError, ValueError) as error:
        taken = re.search(r"Module\.(\w+)\(\) takes", str(error))
        if taken:
            raise Wrong(
                f"`{taken[1]}` is the name of a method of `nn.Module`, and `self.{taken[1]} = …` does not "
                "replace it. Call your layer otherwise."
            ) from None
        sizes = "Sizes of tensors must match" in str(error)
        advice = (
            "It worked for 28×28: is a size written into it, such as `nn.Upsample(size=14)`? "
            "`scale_factor=2` fits all."
            if sizes and source.shape[-1] != 28
            else "Maps that are joined have one size: which map of the way down is as large as that of the "
            "way up?"
            if sizes
            else "Do the channels of each layer meet those of the next? After a join there are those of both "
            "parts."
        )
        raise Wrong(
            f"the network fails on a source of shape {tuple(source.shape)}: {_first_line(error)} {advice}"
        ) from None
    wanted = (len(source), out_channels, *source.shape[-2:])
    if not isinstance(image, torch.Tensor) or image.shape != wanted:
        got = tuple(image.shape) if isinstance(image, torch.Tensor) else shown(image)
        raise Wrong(f"a source of shape {tuple(source.shape)} should give {wanted}, but gives {got}.")
    if not image.isfinite().all():
        raise Wrong("some values of the image are not finite numbers. What are the first weights?")
    return image


@exercise(
    "13.6",
    title="Build the U-Net",
    difficulty=3,
    minutes=35,
    hints=[
        "A small function `block(inputs, outputs)`: a 3×3 convolution with padding 1, batch normalisation, "
        "ReLU. Five of them, and a last convolution.",
        "Down: `first = block(in_channels, width)` on the full size; then halve, `block(width, 2 * width)`; "
        "halve, `block(2 * width, 4 * width)`. `nn.MaxPool2d(2)` or a stride of 2 halves.",
        "Up: enlarge the deepest map by `nn.Upsample(scale_factor=2)`, `torch.cat` it with the map of the "
        "same size from the way down, along dim 1, and let a block have both: `block(6 * width, 2 * width)`.",
        "Once more at the full size, `block(3 * width, width)`; then a convolution to out_channels and tanh.",
    ],
)
def unet(answer):
    notes = ""
    built = []
    for in_channels, out_channels, width, side in ((1, 1, 8, 28), (3, 2, 6, 32), (1, 1, 4, 28)):
        if isinstance(answer, nn.Module):
            raise Wrong(
                "that is a network that you have built. Hand over the class itself, without brackets."
            )
        network = call(answer, in_channels, out_channels, width, name="`UNet`")
        if not isinstance(network, nn.Module):
            raise Wrong("`UNet(in_channels, out_channels, width)` should be a network, an `nn.Module`.")
        if network in built:
            raise Wrong("every call returns one and the same network. Build a new one each time.")
        built.append(network)
        expect_trainable(network, "the network")
        if not any(True for _ in network.parameters()):
            raise Wrong(
                "the network has no weights of its own. Layers belong to `self`, made in `__init__`; a list "
                "of them is an `nn.ModuleList`."
            )
        rng = torch.Generator().manual_seed(side + width)
        source = torch.randn(4, in_channels, side, side, generator=rng)
        ways = _Ways(source)
        with ways:
            image = _picture(network, source, out_channels)
        _expect_range(network, ways, source, image, out_channels)
        _expect_depth(ways, side)
        _expect_joins(ways, source, image, side)
        _expect_channels(ways, side, width)
        _expect_learning(network, ways, image)
        _expect_bends(network, source)
        notes = try_elsewhere(network, source, name="your network")
    counts = [sum(weight.numel() for weight in network.parameters()) for network in built]
    if counts[0] < 2 * counts[2]:
        raise Wrong(
            f"with width 8 it has {counts[0]:,} weights, with width 4 {counts[2]:,}. Is `width` used in "
            "every layer?"
        )
    deep = max(weight.shape[0] for weight in built[0].parameters() if weight.dim() == 4)
    if deep > 8 * 16:
        raise Wrong(f"one layer has {deep} channels; the widest, of 4·width, has 32 here.")
    return f"{counts[0]:,} weights with width 8. What the skips are good for, the next cells show.{notes}"


def _expect_range(network, ways, source, image, out_channels: int) -> None:
    """Raises Wrong unless the values lie in [-1, 1], on both sides of 0, by a tanh."""
    with torch.no_grad():
        loud = _picture(network, 50 * source, out_channels)
    if max(image.abs().max(), loud.abs().max()) > 1:
        raise Wrong("some values lie outside [-1, 1]. Is there a tanh at the end?")
    if ways.clamped:
        raise Wrong("values are cut off at ±1, and where that happens no gradient is left. Use a tanh.")
    if (image - image.flatten()[0]).abs().max() < 1e-6:
        raise Wrong("every pixel of every image is the same number: no gradient would get past that.")
    if (image.abs() > 0.999).float().mean() > 0.5:
        raise Wrong("most values are at −1 or 1: the first weights are far too large for the tanh.")
    if min(image.min(), loud.min()) > -1e-3:
        raise Wrong("no value is ever below 0. Images run from −1 to 1: is the last layer the tanh?")
    if (image - image[:1]).abs().max() < 1e-5:
        raise Wrong("the images do not depend on the source.")
    network.eval()
    with torch.no_grad():
        one, other, turned = network(source), network(source), network(source.flip(0))
    network.train()
    if torch.equal(one, other) and not matches(turned, one.flip(0), tolerance=1e-3):
        raise Wrong(
            "asked for other sources, the network still answers with maps of the first ones. Is there a list "
            "that every call adds to, and none empties? Keep the maps in `forward`, not in `self`."
        )
    if not torch.equal(one, other):
        raise Wrong(
            "in evaluation mode two calls with one source give two images. Is a layer made in `forward`? "
            "Make all of them in `__init__`."
        )


def _expect_depth(ways, side: int) -> None:
    """Raises Wrong unless the smallest maps are a quarter as wide as the source."""
    smallest = min(lowest for _, lowest in ways.lowest.values())
    if smallest == side:
        raise Wrong(f"nothing is ever halved: all maps are {side}×{side}. How far does each pixel see?")
    if smallest != side // 4:
        raise Wrong(
            f"the smallest maps are {smallest}×{smallest}. Two halvings of {side}×{side} lead to "
            f"{side // 4}×{side // 4}."
        )


def _expect_joins(ways, source, image, side: int) -> None:
    """Raises Wrong unless at both sizes a map of the way down is joined to one of the way up, and used."""
    for size in (side, side // 2):
        found = [parts for at, parts in ways.joined if at == size]
        skips = [
            part
            for parts in found
            for part, lowest in parts
            if lowest == size and any(other is not None and other < size for _, other in parts)
        ]
        if skips and all(one is source for one in skips):
            raise Wrong(
                f"at {size}×{size} the source itself is joined, not what the first block has made of it."
            )
        if skips and not all(one.requires_grad for one in skips):
            raise Wrong(f"at {size}×{size} something without a history is joined: a detached map, or zeros.")
        if skips:
            slopes = torch.autograd.grad(image.square().sum(), skips, retain_graph=True, allow_unused=True)
            if not any(slope is not None and slope.any() for slope in slopes):
                raise Wrong(f"at {size}×{size} two maps are joined, and the result is not used.")
            continue
        if found:
            raise Wrong(
                f"at {size}×{size} two maps are joined that have taken the same way. One comes from the way "
                "*down*, before the halving; one from the way up."
            )
        if size in ways.added:
            raise Wrong(
                f"at {size}×{size} the two maps are added, as in a residual network. Join them by "
                "`torch.cat`: then the next layer decides what to take from which."
            )
        other = side // 2 if size == side else side
        joined = {at for at, parts in ways.joined}
        if other in joined:
            raise Wrong(
                f"there is a skip connection at {other}×{other}, and none at {size}×{size}. The U has two."
            )
        raise Wrong(
            f"nothing is joined at {size}×{size} by `torch.cat`: all that the image knows of the source has "
            f"been through maps of {side // 4}×{side // 4}. Where do fine lines get through?"
        )


def _expect_channels(ways, side: int, width: int) -> None:
    """Raises Wrong unless the way down has maps of width, 2·width and 4·width channels."""
    wanted = (
        "On the way down `width`, 2·`width`, 4·`width` are asked for, here "
        f"{width}, {2 * width}, {4 * width}.{'' if width == 8 else ' Is `width` used in every layer?'}"
    )
    for size, channels in ((side, width), (side // 2, 2 * width)):
        skips = [
            part.shape[1]
            for at, parts in ways.joined
            for part, lowest in parts
            if at == size == lowest and any(other is not None and other < size for _, other in parts)
        ]
        if channels not in skips:
            raise Wrong(f"the map that is joined at {size}×{size} has {skips[0]} channels. {wanted}")
    deep = [one.shape[1] for one, _ in ways.lowest.values() if one.shape[-1] == side // 4]
    if 4 * width not in deep:
        raise Wrong(f"at {side // 4}×{side // 4} the maps have {max(deep)} channels at most. {wanted}")


def _expect_learning(network, ways, image) -> None:
    """Raises Wrong unless every weight is the network's own and gets a gradient."""
    if not image.requires_grad:
        raise Wrong("the image has lost its history: leave out `no_grad` and `detach`.")
    mine = {id(one) for one in network.parameters()}
    if any(id(weight) not in mine and weight.is_leaf for weight in ways.weights.values()):
        raise Wrong(
            "some layers are not the network's own, so nobody would train them: are they in a plain list, or "
            "made in `forward`? Give them to `self`, lists as `nn.ModuleList`."
        )
    weights = list(network.parameters())
    slopes = torch.autograd.grad(image.square().sum(), weights, allow_unused=True)
    if any(slope is None for slope in slopes):
        raise Wrong("some weights have no part in the image. Is every layer that you make also used?")


def _expect_bends(network, source) -> None:
    """Raises Wrong where the network before its tanh is a linear map."""
    network.eval()
    with torch.no_grad():
        zero, one, two = (network(factor * source).double().atanh() for factor in (0.0, 0.2, 0.4))
    network.train()
    bent, change = (two - 2 * one + zero).abs().mean(), (two - zero).abs().mean()
    if torch.isfinite(bent) and bent < 1e-4 * change:
        raise Wrong(
            "before its tanh the network is linear: twice the source is twice the map. What stands between "
            "two convolutions?"
        )


# --- 13.7: how far a patch's judge sees --------------------------------------------------------------------


def _field(layers) -> int:
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field


def _field_forwards(layers) -> int:
    field = 1
    for kernel, stride in layers:
        field = (field - 1) * stride + kernel
    return field


def _field_by_steps(layers, step_first: bool) -> int:
    field, step = 1, 1
    for kernel, stride in layers:
        if step_first:
            step *= stride
        field += (kernel - 1) * step
        if not step_first:
            step *= stride
    return field


@exercise(
    "13.7",
    title="How far does one logit see?",
    difficulty=2,
    minutes=12,
    hints=[
        "Go backwards from one logit. One place of the last map: how many places of the map before it does a "
        "kernel of size k cover?",
        "r places next to each other, in a layer with stride s: the first kernel covers k, each further one "
        "s more. So (r − 1)·s + k.",
    ],
)
def receptive_field(answer):
    cases = [
        [(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)],
        [(3, 1)],
        [(3, 2), (5, 1)],
        [(5, 1), (3, 2), (2, 2)],
        [(4, 2), (3, 1), (3, 1)],
        [(1, 1), (7, 3), (3, 1), (2, 2)],
    ]
    for layers in cases:
        result = call_unchanged(answer, layers, name="receptive_field")
        found = as_tensor(result, "the receptive field")
        expect_shape(found, (), message="one whole number is asked for: the side, in pixels.")
        right = _field(layers)
        if found != right:
            total = 1
            for _, stride in layers:
                total *= stride
            mistakes = {
                "that is its area. The side is asked for.": right**2,
                "the strides play no part in it: a place of a later map stands for several pixels.": (
                    1 + sum(kernel - 1 for kernel, _ in layers)
                ),
                "the kernels are added up. Neighbouring kernels overlap, and strides spread them.": (
                    sum(kernel for kernel, _ in layers)
                ),
                "the kernels are multiplied: that would be so if no two of them overlapped.": math.prod(
                    kernel for kernel, _ in layers
                ),
                "that is how far apart two logits look, the product of the strides, not how far one "
                "sees.": total,
                "the layers are gone through from the first to the last by a rule that starts at the logit. "
                "Turn the order round.": _field_forwards(layers),
                "a layer's own stride moves its *next* place; it does not spread its own kernel.": (
                    _field_by_steps(layers, True)
                ),
                "r places take r·s + k at most if the last one stepped on, too; there are r − 1 steps.": (
                    _with_one_step_too_many(layers)
                ),
                "that is the last layer's kernel, times all strides. What do the kernels before it add?": (
                    total * layers[-1][0]
                ),
                "the padding is taken off. It moves the window, and does not change its size.": _field(
                    [(kernel - 2 * (stride > 1), stride) for kernel, stride in layers]
                ),
                "padding is taken off in every layer. It moves the window, and does not change its size.": (
                    _field([(kernel - 2, stride) for kernel, stride in layers])
                ),
                "kernel and stride are exchanged: each layer is (kernel, stride).": _field(
                    [(stride, kernel) for kernel, stride in layers]
                ),
            }
            for message, value in mistakes.items():
                if found == value and value != right:
                    raise Wrong(message)
            expect_varied("`receptive_field`")
            if abs(found - right) == 1:
                raise Wrong(f"for {layers} it is {right}, one off: do you count both ends?")
            raise Wrong(
                f"for {layers} you say {found.item():.6g}. Take one logit, and ask layer by layer, from the "
                "last back to the first, how many places it rests on."
            )
        if isinstance(result, (list, tuple)) or getattr(result, "ndim", 0):
            raise Wrong("a single number is asked for.")
    return "70 pixels for the first of them, the discriminator of pix2pix."


def _with_one_step_too_many(layers) -> int:
    field = 1
    for kernel, stride in reversed(layers):
        field = field * stride + kernel
    return field


# --- 13.8: consistent and wrong ----------------------------------------------------------------------------

SHIFT = torch.tensor([4.0, 0.0])


def _distance_of_clouds(one, other) -> float:
    """The largest distance between the sorted shadows of two clouds of equally many points, over 12 lines."""
    worst = 0.0
    for turn in torch.arange(12) * math.pi / 12:
        line = torch.stack([turn.cos(), turn.sin()]).double()
        gap = ((one @ line).sort().values - (other @ line).sort().values).abs().mean()
        worst = max(worst, gap.item())
    return worst


@exercise(
    "13.8",
    title="Consistent, and wrong",
    difficulty=2,
    minutes=12,
    hints=[
        "Which maps take a round cloud onto itself, and can be undone? Think of what you can do with a disc "
        "of paper so that nobody sees it.",
        "Turn it, or turn it over, and only then shift it. On the way back: shift back first, then undo the "
        "turn.",
    ],
)
def impostor(answer):
    name = "`impostor`"
    rng = torch.Generator().manual_seed(138)  # not the program's own, or fresh noise would be these points
    a = torch.randn(3_000, 2, generator=rng)
    b = torch.randn(3_000, 2, generator=rng) + SHIFT
    there, back = (
        call_unchanged(answer, points, forward, name="impostor")
        for points, forward in ((a, True), (b, False))
    )
    for result, points, words in ((there, a, "A to B"), (back, b, "B to A")):
        found = as_tensor(result, f"the translation from {words}")
        expect_shape(found, tuple(points.shape), f"the translation from {words}")
    y, x = as_tensor(there), as_tensor(back)
    if matches(y, a):
        raise Wrong("from A to B the points stay where they are, in A. B lies around (4, 0).")
    if (y - y[0]).abs().max() < 1e-4:
        raise Wrong("all points go to one place: D would see that at once.")
    if matches(y, a + SHIFT):
        raise Wrong("that is the right correspondence. Find one that is wrong, and that nobody can tell.")
    again = as_tensor(call_unchanged(answer, a, True, name="impostor"))
    if not matches(again, y):
        raise Wrong("a point goes to another place at each call: that cannot be undone. Leave out chance.")
    half = as_tensor(call_unchanged(answer, a[:50], True, name="impostor"))
    if not matches(half, y[:50]):
        raise Wrong(
            "where a point goes depends on which others are in the batch. A translator sees one at a time."
        )
    for found, target, words in ((y, b.double(), "A to B"), (x, a.double(), "B to A")):
        gap = _distance_of_clouds(found, target)
        if gap > 0.12:
            centre, spread = found.mean(0).tolist(), found.std(0).tolist()
            raise Wrong(
                f"what comes from {words} does not look like the other set: its mean is "
                f"({centre[0]:.2f}, {centre[1]:.2f}), its deviations {spread[0]:.2f} and {spread[1]:.2f}; "
                f"wanted are ({target.mean(0)[0]:.0f}, 0), with 1 and 1, and round. D would see that."
            )
    for result in (there, back):  # before it is handed over again
        expect_like(result, dtype=torch.float32, name=f"what {name} returns")
    for result, start, words in ((there, a, "A to B and back"), (back, b, "B to A and back")):
        home = call(answer, result, words.startswith("B"), name="impostor")
        found = as_tensor(home, f"the way from {words}")
        expect_shape(found, tuple(start.shape), f"the way from {words}")
        if not matches(found, start, tolerance=1e-3):
            off = (found - start).norm(dim=1).mean()
            raise Wrong(
                f"the way from {words} ends {off:.2g} away from where it began. Each way has to undo the "
                "other, step by step in reverse order."
            )
    right = ((y - a - SHIFT).norm(dim=1) < 0.1).double().mean()
    if right > 0.2:
        raise Wrong(f"{right:.0%} of the points find their true partner. Nearly all should miss it.")
    if ((y - a - SHIFT).norm(dim=1)).mean() < 0.5:
        raise Wrong("the partners are nearly the true ones. Miss them by more.")
    notes = call_anywhere(answer, a[:50], True, name=name, hint="`device=points.device`")
    return f"no discriminator and no cycle can object. What else could?{notes}"


# --- 13.9: style without places ----------------------------------------------------------------------------


@exercise(
    "13.9",
    title="What fires together",
    difficulty=2,
    minutes=10,
    hints=[
        "Flatten the places: `features.flatten(2)` is (N, C, H·W).",
        "A sum of products over places is a matrix product with the transpose, for each image: `@`.",
    ],
)
def gram_matrix(answer):
    name = "`gram_matrix`"
    for n, channels, height, width, seed in ((3, 4, 5, 6, 0), (2, 3, 7, 2, 1)):
        features = (
            torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(seed)) + 0.5
        )
        features.requires_grad_()
        result = call_unchanged(answer, features, name="gram_matrix")
        found = as_tensor(result, "the Gram matrices")
        flat = features.detach().double().flatten(2)
        places = height * width
        right = flat @ flat.mT / places
        if found.shape == (n, places, places):
            raise Wrong(
                "those are products of *places*, summed over channels: where, not what. Turn it round."
            )
        if found.shape == (channels, channels):
            raise Wrong("one matrix for the whole batch. Each image has a style of its own.")
        expect_shape(found, (n, channels, channels), f"what {name} returns")
        if not matches(found, right):
            centred = flat - flat.mean(2, keepdim=True)
            _recognise(
                found,
                {
                    "the products are summed over places: a larger map would have a larger style. Take "
                    "the mean.": right * places,
                    "divided by the number of channels, too. The mean over places is asked for.": (
                        right / channels
                    ),
                    "divided by the number of channels, not by that of places.": right * places / channels,
                    "divided by the height alone, or by the width alone: the places are H·W.": (
                        right * width
                    ),
                    "divided by the width alone: the places are H·W.": right * height,
                    "that is the covariance: the means are taken off. How strongly a feature is there at all "
                    "belongs to the style.": centred @ centred.mT / places,
                    "that is the correlation of channels, each scaled to length 1: how strongly it is there "
                    "is lost.": nn.functional.normalize(flat, dim=2)
                    @ nn.functional.normalize(flat, dim=2).mT,
                    "averaged over the batch. Each image has a style of its own.": right.mean(
                        0, keepdim=True
                    ).expand_as(right),
                    "divided by the number of images, too.": right / n,
                    "`reshape` reads the numbers off in their order, and moves no axis: channels and places "
                    "got mixed up. `flatten(2)` keeps the channels apart.": (
                        features.detach().double().reshape(n, places, channels).mT
                        @ features.detach().double().reshape(n, places, channels)
                        / places
                    ),
                    "divided by the width squared: right for square maps only. The places are H·W.": (
                        right * places / width**2
                    ),
                    "divided by the height squared: right for square maps only. The places are H·W.": (
                        right * places / height**2
                    ),
                    "that multiplies the *means* of the maps. Whether two features fire at the same places "
                    "is lost: first the products, then the mean.": flat.mean(2)[:, :, None]
                    * flat.mean(2)[:, None, :],
                },
            )
            expect_varied(name)
            expect_close(
                found,
                right,
                "that is not the mean over all places of the products of every two channels, for each image.",
                name=name,
            )
        expect_like(result, dtype=torch.float32, requires_grad=True, name=f"what {name} returns")
    return "places are averaged away: what is left is which features come together, and how strongly."
