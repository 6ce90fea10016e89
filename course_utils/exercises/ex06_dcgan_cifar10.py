"""The exercises of notebook 06: sizes, checkerboards, mirrored images, spectral norms, a generator."""

import itertools

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
)
from course_utils.checks.devices import call_anywhere, try_elsewhere
from course_utils.exercises.chance import go_together
from course_utils.metrics import checkerboard_fraction

# (start, layers as (kernel, stride, padding, output_padding)): no two typical mistakes agree on all three
GENERATORS = [
    (4, [(5, 1, 2, 0), (5, 2, 2, 1), (5, 2, 2, 1)]),
    (1, [(4, 1, 0, 0), (4, 2, 1, 0), (4, 3, 0, 0)]),
    (7, [(5, 2, 2, 1), (6, 4, 1, 2), (3, 2, 2, 1)]),
]
OTHERS = [(3, [(4, 2, 1, 0)]), (2, [(3, 2, 1, 1), (5, 1, 2, 0), (4, 2, 1, 0), (2, 2, 0, 0)]), (9, [])]


def _walk(layer):
    """The side after all layers, by a rule for one layer."""

    def side(start, layers):
        for description in layers:
            start = layer(start, *description)
        return start

    return side


_right_side = _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o)

_SIDES = [
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p),
        "`output_padding` is missing: it is added at one end, once a layer.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + 2 * o),
        "`output_padding` is added at one end only, not at both.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - p + o),
        "`padding` is cut off at both ends, not at one.",
    ),
    (
        _walk(lambda n, k, s, p, o: n * s),
        "that multiplies the strides: the answer for this generator's layers, but not for every "
        "kernel and padding. Take the formula of exercise 5.1 for each layer.",
    ),
    (
        _walk(lambda n, k, s, p, o: n * s + k - 2 * p + o),
        "one stride too many in each layer: between n stamps there are n − 1 steps.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n + 2 * p - k) // s + 1 + o),
        "that is the size after ordinary convolutions. These layers are transposed: they enlarge.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n + 2 * p - k) // s + 1),
        "that is the size after ordinary convolutions. These layers are transposed: they enlarge.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n + o - 1) * s + k - 2 * p),
        "`output_padding` is added to the pixels that come in, so that each counts `stride` times. It is "
        "added "
        "at the end, once a layer.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p - o),
        "`output_padding` is subtracted: it makes the picture larger.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k + 2 * p + o),
        "`padding` is added. In a transposed convolution it is cut off, at both ends.",
    ),
    (_walk(lambda n, k, s, p, o: (n - 1) * s + k + o), "`padding` is missing: it is cut off at both ends."),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s - 2 * p + o),
        "the kernel is missing: the last stamp has its width.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o + 1),
        "one pixel too many in each layer: the + 1 of an ordinary convolution has no place here.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o - 1),
        "one pixel too few in each layer: the last stamp is as wide as the kernel, not as k − 1.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * k + s - 2 * p + o),
        "kernel and stride have changed places: the stamps are `stride` apart, and `kernel` wide.",
    ),
    (
        _walk(lambda n, k, s, p, o: (n - 1) * (s + k) - 2 * p + o),
        "the kernel is counted at every step. The stamps overlap: only the last one adds its whole width.",
    ),
    (
        _walk(lambda n, k, s, p, o: n * s + o),
        "that multiplies the strides, and adds `output_padding`. Kernel and padding come in as well.",
    ),
    *(
        (
            _walk(
                lambda n, *layer, order=order: (
                    (n - 1) * layer[order[1]] + layer[order[0]] - 2 * layer[order[2]] + layer[order[3]]
                )
            ),
            "the four numbers of a layer are unpacked in another order: they are (kernel, stride, padding, "
            "output_padding).",
        )
        for order in itertools.permutations(range(4))
        if order != (0, 1, 2, 3)
    ),
    *(
        (
            lambda start, layers, end=end: min(_right_side(start, layers), end),
            f"the side is cut off at {end}: it is as large as the layers make it.",
        )
        for end in (28, 32, 64)
    ),
    *(
        (
            _walk(lambda n, k, s, p, o, end=end: min((n - 1) * s + k - 2 * p + o, end)),
            f"the side is cut off at {end}: it is as large as the layers make it.",
        )
        for end in (28, 32, 64)
    ),
    (
        lambda start, layers: _right_side(start, layers) ** 2,
        "that is the number of pixels. The side of the picture is asked for.",
    ),
    (
        lambda start, layers: start + sum(_right_side(start, [layer]) - start for layer in layers),
        "each layer is given `start`, and what they add is summed. A layer gets what the one before it made.",
    ),
    (
        lambda start, layers: _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o)(start, layers[::-1]),
        "the layers are taken from the last to the first: go through the list as it stands.",
    ),
    (
        lambda start, layers: _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o)(start, layers[:1]),
        "that is the side after the first layer. What came out of it goes into the next one.",
    ),
    (
        lambda start, layers: _walk(lambda n, k, s, p, o: (n - 1) * s + k - 2 * p + o)(start, layers[-1:]),
        "the last layer was given `start`, but it gets what the layers before it made.",
    ),
]


@exercise(
    "6.1",
    title="Where does the picture end?",
    difficulty=1,
    minutes=8,
    hints=[
        "One layer: side = (n − 1)·stride − 2·padding + kernel + output_padding, from n pixels.",
        "Go through the layers in a loop, and let the side of one be the start of the next.",
        "for kernel, stride, padding, output_padding in layers: side = (side - 1) * stride + …",
    ],
)
def final_side(answer):
    found = [
        as_tensor(call_unchanged(answer, start, list(layers), name="`final_side`"), "the side")
        for start, layers in GENERATORS
    ]
    if any(side.numel() > 1 for side in found):
        raise Wrong("return one number: the side after the last layer, not the sides after each.")
    right = _right_side
    for mistake, message in _SIDES:
        if all(
            matches(side.flatten()[0], right(*case)) for case, side in zip(GENERATORS, found, strict=True)
        ):
            break
        if matches(torch.stack([f.flatten()[0] for f in found]), [mistake(*case) for case in GENERATORS]):
            raise Wrong(message)
    if not matches(torch.stack([f.flatten()[0] for f in found]), [right(*case) for case in GENERATORS]):
        expect_varied("the side")
        _which_number(answer)
    for case, side in zip(GENERATORS, found, strict=True):
        expect_close(side, right(*case), name=f"`final_side({case[0]}, {case[1]})`")
    for case in OTHERS:
        try:
            side = as_tensor(call(answer, case[0], list(case[1])), "the side")
        except (IndexError, ValueError, UnboundLocalError):
            side = None
        if side is None or not matches(side, right(*case)):
            raise Wrong(
                f"right for three layers, but not for {len(case[1])}: `final_side({case[0]}, {case[1]})` "
                f"should be {right(*case)}. Go through the list, however long it is."
            )
    return "4 → 4 → 8 → 16: that generator paints a quarter of a CIFAR-10 picture's pixels."


def _which_number(answer) -> None:
    """A single layer, and each of its numbers by itself: what one more of it changes."""

    def side(start, *layer):
        return as_tensor(call(answer, start, [layer]), "the side").flatten()[0]

    try:
        before = side(9, 6, 3, 1, 0)
        for name, other, wanted in (
            ("start", (10, 6, 3, 1, 0), 3),
            ("kernel", (9, 7, 3, 1, 0), 1),
            ("padding", (9, 6, 3, 2, 0), -2),
            ("stride", (9, 6, 4, 1, 0), 8),
            ("output_padding", (9, 6, 3, 1, 1), 1),
        ):
            change = side(*other) - before
            if change != wanted:
                raise Wrong(
                    f"look at `{name}`: of a single layer on 9 pixels, (kernel 6, stride 3, padding 1), "
                    "one more of "
                    f"it should change the side by {wanted}; yours changes by {change:g}."
                )
    except (IndexError, ValueError):
        return
    if before == 28:
        for start, layers in GENERATORS:
            for number in range(1, len(layers) + 1):
                some, wanted = layers[:number], _right_side(start, layers[:number])
                found = as_tensor(call(answer, start, list(some)), "the side").flatten()[0]
                if number > 1 and not matches(found, wanted):
                    raise Wrong(
                        f"right for a single layer, but not for {number}: `final_side({start}, {some})` "
                        "should be "
                        f"{wanted}, and you say {found:g}. The layer {some[-1]} gets "
                        f"{_right_side(start, some[:-1])} "
                        "pixels from the one before it, and counts in full: what do you make of it?"
                    )
        raise Wrong("right for a single layer, but not for three: what comes out of one goes into the next.")
    raise Wrong(
        f"a layer with kernel 6, stride 3 and padding 1 makes 28 pixels of 9, and you say {before:g}."
    )


class _Layers(TorchFunctionMode):
    """Notes the maps that go into and come out of every transposed convolution, however it is written."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        if function is torch.conv_transpose2d:
            self.seen.append((tuple(arguments[0].shape[1:]), tuple(result.shape[1:])))
        return result


def _is_repeated(images, side: int) -> bool:
    """Whether neighbouring pixels are equal, as where a picture was enlarged without weights."""
    return 32 % side == 0 and torch.allclose(
        images[..., :: 32 // side, :: 32 // side], images[..., 1 :: 32 // side, 1 :: 32 // side]
    )


@exercise(
    "6.2",
    title="Mend the generator",
    difficulty=2,
    minutes=10,
    hints=[
        "From 4 to 32 is a factor of 8. Strides multiply: which three make 8?",
        "Three layers, three strides: which of 1, 2, 2 is the one that does not enlarge?",
        "With kernel 5 and padding 2, stride 2 needs output_padding=1. Stride 1 needed none.",
    ],
)
def fixed_generator(answer):
    generator = answer
    if not isinstance(generator, nn.Module):
        generator = call(answer, name="`fixed_generator`")
    if not isinstance(generator, nn.Module):
        raise Wrong("`fixed_generator()` should return a network, such as an nn.Sequential.")
    latents = torch.randn(6, 100, generator=torch.Generator().manual_seed(0))
    layers = _Layers()
    try:
        with torch.no_grad(), layers:
            images = generator(latents)
    except RuntimeError as error:
        first = next((layer for layer in generator.modules() if isinstance(layer, nn.Linear)), None)
        if first is not None and first.in_features != 100:
            raise Wrong(
                f"the first layer takes {first.in_features} numbers, and a latent has 100, as in the "
                "generator that you "
                "mend."
            ) from None
        raise Wrong(
            f"the generator fails on latents of shape (6, 100): {str(error).splitlines()[0]}. "
            "Do the channels of each layer meet those of the next?"
        ) from None
    if not isinstance(images, torch.Tensor):
        raise Wrong("the generator should give a tensor of pictures.")
    side = images.shape[-1] if images.ndim == 4 else 0
    if images.ndim != 4 or images.shape[:2] != (6, 3) or images.shape[2] != side:
        raise Wrong(
            f"six latents should give (6, 3, 32, 32), six colour pictures, but give {tuple(images.shape)}."
        )
    if side == 16:
        raise Wrong(
            "the pictures are still 16×16. What do the three strides multiply up to, and what should they?"
        )
    short = [number for number, (given, made) in enumerate(layers.seen, 1) if made[-1] == 2 * given[-1] - 1]
    if side != 32 and short:
        given, made = layers.seen[short[0] - 1]
        raise Wrong(
            f"the side is {side}: transposed convolution number {short[0]} makes {made[-1]} of {given[-1]}, "
            "one pixel short of doubling, as stride 2, kernel 5, padding 2 does. What is output_padding for?"
        )
    if side != 32:
        raise Wrong(f"the side is {side}, and it should be 32. Go through the layers with `final_side`.")
    drawn = layers.seen[-1][1][-1] if layers.seen else 0
    if 0 < drawn < 32:
        times = (
            {2: "four", 4: "16", 8: "64"}.get(32 // drawn, "more than once")
            if _is_repeated(images, drawn)
            else ""
        )
        how = f"every pixel stands there {times} times" if times else "the rest is filled up"
        raise Wrong(
            f"the pictures are 32×32, but the last transposed convolution draws {drawn}×{drawn} pixels: "
            f"{how}. "
            "Is another layer behind it, that pads or repeats? Let the three of them make all of the size."
        )
    if drawn > 32:
        raise Wrong(
            f"the pictures are 32×32, but the last transposed convolution draws {drawn}×{drawn} pixels, and "
            "the "
            "rest is cut off, or averaged away: drawn for nothing. Choose the strides so that they make 32."
        )
    for number, ((_, made), (given, _)) in enumerate(itertools.pairwise(layers.seen), 1):
        if made[-2:] != given[-2:]:
            raise Wrong(
                f"transposed convolution number {number} makes maps of {made[-1]}×{made[-1]}, and the next "
                "one "
                f"gets {given[-1]}×{given[-1]}: what changes their size in between? Only the three layers "
                "should."
            )
    constant = (images - images[:1]).abs().amax(dim=(0, 1)) < 1e-6
    if constant[-1].all() and constant[:, -1].all() and not constant[:-1, :-1].any():
        raise Wrong(
            "the pictures are 32×32, but the last row and the last column are the same in each: no stamp of "
            "the last layer reaches them. More `output_padding` than the kernel covers is an empty edge: "
            "double in three layers."
        )
    if 0 < constant.sum() < constant.numel():
        raise Wrong(
            f"the pictures are 32×32, but {int(constant.sum())} of {constant.numel()} pixels are the same "
            "in each: is "
            "something padded, or filled up? Let a layer *learn* the last doubling."
        )
    even, odd = images[..., ::2, ::2], images[..., 1::2, 1::2]
    if torch.allclose(even, odd):
        raise Wrong(
            "the pictures are 32×32, but every pixel stands there four times: the details are those of "
            "16×16. Let a layer *learn* the last doubling."
        )
    if len(layers.seen) != 3:
        raise Wrong(
            f"the pictures are 32×32, but {len(layers.seen)} transposed convolutions make them. Keep the "
            "three that were there, and change one."
        )
    if layers.seen[0][0] != (256, 4, 4):
        channels, height, width = layers.seen[0][0]
        raise Wrong(
            f"the pictures are 32×32, but the first transposed convolution gets {channels} maps of "
            f"{height}×{width}. Keep the start of 256 maps of 4×4: which stride has to change, then?"
        )
    if images.abs().max() > 1:
        raise Wrong("some values lie outside [-1, 1]: is the tanh at the end still there?")
    with torch.no_grad():  # the larger the latents, the further a tanh swings to both sides
        loud = generator(50 * latents)
    if min(images.min(), loud.min()) > -0.05:
        raise Wrong(
            "no value is below 0: is the last layer still the tanh? The photographs run from −1 to 1."
        )
    with torch.no_grad():  # the same random numbers for both, should there be any in the network
        torch.manual_seed(0)
        once = generator(latents)
        torch.manual_seed(0)
        others = generator(latents.flip(1))
    if torch.allclose(once, others):
        raise Wrong("the pictures do not depend on the latents: what does the network do with its input?")
    expect_trainable(generator, "the generator")
    return "32×32. The arithmetic takes a minute, and a wrong size costs a whole training."


@exercise(
    "6.3",
    title="Predict the checkerboard",
    difficulty=1,
    minutes=3,
    hints=[
        "In which of the three are neighbouring pixels made by *different* weights?",
        "In a pixel shuffle, the four pixels of a block come from four filters, each for itself.",
    ],
)
def checkerboard(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "its odd and even pixels are made by different weights, that is right. In which other layer "
            "do neighbours have different weights?",
            "b": "repeating a pixel makes blocks of 2×2, but the 3×3 convolution after it has the same "
            "weights for every pixel, and smooths. Where do neighbours have different weights?",
            "d": "noise would have the same power at all frequencies. But the four pixels of a 2×2 block do "
            "not get the same weights in every layer; in which do they?",
        },
    )
    return "where neighbours have weights of their own, they have a brightness of their own."


def _how_mixed(x, result) -> str:
    """What may have made a batch of which some images are neither as they were nor mirrored."""
    flipped, same = x.flip(3), lambda part, other: part == other
    by_channel = same(result, x).flatten(2).all(2) | same(result, flipped).flatten(2).all(2)
    if by_channel.all():
        return "each *channel* has a coin of its own: colours come apart. One for each image, (N, 1, 1, 1)."
    by_row = same(result, x).all(3) | same(result, flipped).all(3)
    if by_row.all():
        return "each *row of pixels* has a coin of its own. One coin for each image: (N, 1, 1, 1)."
    if (same(result, x) | same(result, flipped)).all():
        return "each *pixel* has a coin of its own. One coin for each image: (N, 1, 1, 1)."
    if (same(result, -x) | same(result, x)).flatten(1).all(1).all():
        return "the colours are turned to their opposites, −x. Mirroring leaves them, and moves the pixels."
    if (same(result, -flipped) | same(result, x)).flatten(1).all(1).all():
        return "the mirrored images are turned to their negatives, too. Mirroring leaves the colours."
    everything = torch.cat([x, flipped]).flatten(1)
    if (torch.cdist(result.flatten(1).double(), everything.double()).amin(1) < 1e-6).all():
        return "every image is there, as it was or mirrored, but the order of the batch has changed."
    between = (result >= torch.minimum(x, flipped) - 1e-6) & (result <= torch.maximum(x, flipped) + 1e-6)
    if between.all():
        return "images are *mixed* with their mirror images. A coin is heads or tails, nothing in between."
    turned = [x.transpose(2, 3).flip(axes) for axes in ((), (2,), (3,), (2, 3))]
    if any(
        (same(result, other).flatten(1).all(1) | same(result, x).flatten(1).all(1)).all() for other in turned
    ):
        return "the images are transposed, or turned by 90°: rows have become columns."
    for shift in range(1, x.shape[3]):
        other = flipped.roll(shift, 3)
        if (same(result, other).flatten(1).all(1) | same(result, x).flatten(1).all(1)).all():
            return "the mirrored ones are shifted, too, round the edge. `images.flip(3)` does not shift."
    return "some images are neither as they were nor mirrored left for right, nor any mixture of the two."


def _mirrored(x, result):
    as_it_was = (result == x).flatten(1).all(1)
    mirrored = (result == x.flip(3)).flatten(1).all(1)
    return as_it_was, mirrored


@exercise(
    "6.4",
    title="Mirror half of them",
    difficulty=2,
    minutes=8,
    hints=[
        "`images.flip(3)` mirrors left for right: the axes are (N, C, H, W).",
        "One coin for each image: torch.rand(len(images), 1, 1, 1, generator=rng) < 0.5. Why the three ones?",
        "torch.where(coin, mirrored, images) chooses image by image, and gradients go through it.",
    ],
)
def mirror(answer):
    pixels = torch.rand(2000, 3, 4, 4, generator=torch.Generator().manual_seed(6)) * 2 - 1
    before = pixels.clone()

    def tossed(seed):
        return answer(pixels, torch.Generator().manual_seed(seed))

    try:
        found = tossed(0)
    except (IndexError, RuntimeError) as error:
        if _fits_photographs(answer):
            raise Wrong(
                "it mirrors images of 32×32 pixels only, and fails on smaller ones: take the width from the "
                "images, or let `flip` do it."
            ) from error
        raise
    if found is None or found is ...:
        call(lambda: found, name="`mirror`")  # says what it means that there is nothing
    if not isinstance(found, torch.Tensor):
        raise Wrong("`mirror` should return a tensor of images.")
    if not torch.equal(pixels, before):
        raise Wrong(
            "your function has changed the images that it was given. Make new ones: torch.where does."
        )
    expect_shape(found, tuple(pixels.shape), "the result")
    all_alike = torch.equal(found, pixels) or torch.equal(found, pixels.flip(3))
    if all_alike and any(not torch.equal(tossed(seed), found) for seed in range(1, 12)):
        raise Wrong("one coin decides for the whole batch. Each image needs a coin of its own.")
    if torch.equal(found, pixels.flip(3)):
        raise Wrong("all images are mirrored. Each should be with probability ½, by a coin of its own.")
    if torch.equal(found, pixels):
        raise Wrong("no image has changed.")
    as_it_was, mirrored = _mirrored(pixels, found)
    if not (as_it_was | mirrored).all():
        for axes, message in [
            ((2,), "the images are upside down: axis 2 is the height. Left and right are along the width."),
            ((1,), "the *channels* are reversed: red and blue have changed places. Mirror along the width."),
            ((2, 3), "the images are turned by 180°. Mirror along the width alone."),
            ((0,), "the *batch* is reversed. Mirror each image along its width."),
        ]:
            if ((found == pixels.flip(axes)).flatten(1).all(1) | as_it_was).all():
                raise Wrong(message)
        raise Wrong(_how_mixed(pixels, found))
    fraction = mirrored.float().mean().item()
    if not 0.45 < fraction < 0.55:  # over four standard deviations of a fair coin
        raise Wrong(f"{fraction:.0%} of the images are mirrored, where half of them should be.")
    if not torch.equal(found, tossed(0)):
        raise Wrong(
            "the same `rng` gives another result the second time: draw the coins with `generator=rng`."
        )
    if torch.equal(found, tossed(1)):
        raise Wrong("another `rng` gives the same coins: draw them with `generator=rng`.")
    rng = torch.Generator().manual_seed(0)
    if torch.equal(answer(pixels, rng), answer(pixels, rng)):
        raise Wrong(
            "two calls with one `rng` toss the same coins: it has not moved on, and every batch is mirrored "
            "alike. "
            "Draw from `rng` itself, and don't seed it, or another generator by it."
        )
    counts = {int(_mirrored(pixels, tossed(seed))[1].sum()) for seed in range(5)}
    if len(counts) == 1:
        raise Wrong(
            f"always exactly {counts.pop()} of 2,000 are mirrored, whatever the seed. Each image should have "
            "a coin of its own, and coins do not count along."
        )
    if go_together(2 * mirrored.double() - 1):
        raise Wrong(
            "coins of two images go together: where one is mirrored the other one is, or never is. Toss one "
            "coin "
            "for each image, by itself: torch.rand(len(images), 1, 1, 1)."
        )
    expect_like(found, dtype=pixels.dtype, name="the result")
    images = pixels.clone().requires_grad_()
    result = answer(images, torch.Generator().manual_seed(0))
    if not result.requires_grad:
        raise Wrong(
            "the result has lost its history: no gradient of D could reach the generator. "
            "Leave out detach, no_grad, numpy and .data."
        )
    pulls = torch.rand(images.shape, generator=torch.Generator().manual_seed(7))
    (slope,) = torch.autograd.grad((result * pulls).sum(), images, allow_unused=True)
    flipped = _mirrored(pixels, result)[1][:, None, None, None]
    if slope is None or not torch.equal(slope, torch.where(flipped, pulls.flip(3), pulls)):
        raise Wrong(
            "the gradient does not come back to the pixels that the images were made of: no gradient of "
            "D could reach "
            "the generator. Was a new tensor made, or some of it detached?"
        )
    note = call_anywhere(
        answer, pixels, torch.Generator().manual_seed(0), hint="`device=images.device`", name="`mirror`"
    )
    return f"and the gradient comes back mirrored, to the pixel that it belongs to.{note}"


def _fits_photographs(answer) -> bool:
    try:
        return answer(torch.zeros(2, 3, 32, 32), torch.Generator().manual_seed(0)).shape == (2, 3, 32, 32)
    except Exception:
        return False


def _sigma(answer, weight, steps):
    found = call_unchanged(answer, weight, steps, name="`largest_singular_value`")
    if isinstance(found, (float, torch.Tensor)) and not torch.as_tensor(found).isfinite().all():
        raise Wrong(
            "the result is not a number: v has grown beyond all bounds. Divide it by its length in each step."
        )
    sigma = as_tensor(found, "your σ")
    if sigma.dim() and sigma.numel() == 1:
        raise Wrong(
            f"return a single number: yours has the shape {tuple(sigma.shape)}, and cannot be printed as "
            "one. `.squeeze()` takes the axes away."
        )
    return sigma


@exercise(
    "6.5",
    title="How far does a matrix stretch?",
    difficulty=2,
    minutes=12,
    hints=[
        "WᵀW stretches the longest direction by σ² and all others by less. Multiply by it again and again.",
        "One step: u = W v, divided by its length; v = Wᵀ u, divided by its length.",
        "At the end σ = uᵀ W v, or simply the length of W v.",
    ],
)
def spectral_norm(answer):
    rng = torch.Generator().manual_seed(4)
    left, _ = torch.linalg.qr(torch.randn(12, 12, generator=rng))
    right, _ = torch.linalg.qr(torch.randn(27, 12, generator=rng))
    first_right = right[:, 0]
    weight = left @ torch.diag(torch.tensor([3.0, 2.7, *torch.linspace(2, 0.1, 10).tolist()])) @ right.T
    try:
        found = _sigma(answer, weight, 200)
    except RuntimeError as error:
        if "shape" in str(error) or "size" in str(error):
            raise Wrong(
                "the shapes do not fit. W is (12, 27) here: W v takes v of length 27 and gives u of length "
                "12, and the way back is Wᵀ u."
            ) from None
        raise
    expect_shape(found, (), "your σ", "return a single number, σ.")
    if found > 3.0 * 1.002 and not any(matches(found, one, tolerance=2e-3) for one in (9.0, weight.norm())):
        unit = (
            weight.abs().sum(1).max(),
            weight.abs().sum(0).max(),
            torch.linalg.svdvals(weight).sum(),
            3 * 27**0.5,
        )
        if not any(matches(found, one, tolerance=2e-3) for one in unit):
            raise Wrong(
                f"you find {found:.3g}, more than W can stretch anything. Have v and u the length 1, that of "
                "Pythagoras, where you measure?"
            )
    if not matches(found, _sigma(answer, weight, 200), tolerance=2e-3):
        symmetric = torch.tensor([[2.0, 1.0], [1.0, 3.0]])
        if all(matches(_sigma(answer, symmetric, 200), 3.618, tolerance=2e-3) for _ in range(2)):
            raise Wrong(
                "two calls, from two random starts, give two results, and for the symmetric matrix [[2, 1], "
                "[1, 3]] they agree. There W is its own transpose: is the way back, Wᵀ u, taken with W?"
            )
        raise Wrong(
            "two calls, from two random starts, give two results: after 200 steps the start should be "
            "forgotten. Have you taken all `steps`, each from the v that the step before left?"
        )
    typical = [
        (9.0, "that is σ², the largest eigenvalue of WᵀW. σ is its square root, the length of W v."),
        (
            weight.norm(),
            "that is the Frobenius norm: *all* singular values, squared, added, and the root of it.",
        ),
        (weight.abs().max(), "that is the largest entry of W, not how far W can stretch a vector."),
        (0.1, "that is the *smallest* singular value: did you divide where you should multiply?"),
        (
            1.0,
            "that 1 is the length of a vector just divided by its length. Measure W v before that.",
        ),
        (
            weight.norm(dim=1).max(),
            "that is the length of the longest *row*: how far W stretches in one of the outputs alone.",
        ),
        (
            weight.norm(dim=0).max(),
            "that is the length of the longest *column*: how far W stretches one of the "
            "axes. Another direction may be stretched further.",
        ),
        (1 / 3, "that is 1/σ: it is upside down."),
        (weight.abs().sum(1).max(), "that is the largest row sum, another norm of the matrix."),
        (weight.abs().sum(0).max(), "that is the largest column sum, another norm of the matrix."),
        (torch.linalg.svdvals(weight).sum(), "that is the sum of all singular values; the largest one is σ."),
        (
            torch.linalg.svdvals(weight).mean(),
            "that is the mean of the singular values; the largest one is σ.",
        ),
        (torch.linalg.svdvals(weight)[1], "that is the *second* largest singular value."),
        (27**0.5 * 3.0, "v has not the length 1 when you measure W v: a vector of ones is √27 long here."),
        (-3.0, "it is turned in its sign: a singular value is a length, and never negative."),
        (3.0**0.5, "that is the root of σ: is one root too many?"),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=2e-3):
            raise Wrong(message)
    if not matches(found, 3.0, tolerance=2e-3):
        if 0 < found < 3.0 and matches(found / _sigma(answer, weight, 1_000), 1.0, tolerance=1e-3):
            raise Wrong(
                f"you find {found:.3g}, and more steps do not change it, so the direction is found, and its "
                "measure is not. Have v and u the length 1, the root of the sum of their squares? Is "
                "uᵀW v a sum, not a mean?"
            )
        if 1.0 < found < 3.0:
            raise Wrong(
                f"after 200 steps you find {found:.3f}, which is too small: have you taken all `steps`, "
                "each from the v that the step before left?"
            )
        expect_close(found, 3.0, tolerance=2e-3, name="your σ")
    diagonal = torch.diag(torch.tensor([-5.0, 1.0, 0.5]))
    try:
        again = _sigma(answer, diagonal, 200)
    except RuntimeError as error:
        raise Wrong(
            f"right for a matrix (12, 27), but for one of (3, 3) after it: {str(error).splitlines()[0]}. "
            "Is a v kept "
            "from call to call, or a size fixed?"
        ) from None
    if matches(again, -5.0, tolerance=2e-3) or matches(again, 1.0, tolerance=2e-3):
        raise Wrong("for diag(−5, 1, ½) it is 5: a singular value is a length, and is never negative.")
    expect_close(again, 5.0, tolerance=2e-3, name="your σ of diag(−5, 1, ½)")
    if not matches(_sigma(answer, torch.tensor([[1.0, 4.0], [0.0, 1.0]]), 200), 4.23607, tolerance=2e-3):
        raise Wrong(
            "for the square matrix [[1, 4], [0, 1]] it is 4.236. There W fits on both sides of u, but what "
            "is the way back from u to v?"
        )
    for rows, right in [([[2.0, -2.0], [1.0, 1.0]], 8**0.5), ([[1.0, 0.0], [0.0, 3.0]], 3.0)]:
        if not matches(_sigma(answer, torch.tensor(rows), 200), right, tolerance=2e-3):
            raise Wrong(
                f"for {rows} it is {right:.3f}. Its longest direction is at a right angle to the v that you "
                "start from, and no step can turn v there: start from a *random* v."
            )
    # A matrix with a single direction: there one step is enough, and none is not.
    single = torch.outer(left[:, 0], first_right) * 3
    if not all(matches(_sigma(answer, single, 2), 3.0, tolerance=2e-3) for _ in range(3)):
        raise Wrong(
            "for a matrix that stretches a single direction, two steps find it, even with the v from before "
            "the "
            "last one. Yours do not: is there a step too few, or is a new v drawn in each step?"
        )
    torch.manual_seed(20_140_610)
    _sigma(answer, weight, 1)
    if torch.initial_seed() != 20_140_610:
        raise Wrong(
            "`manual_seed` inside sets the chance of the whole program. Seeds belong to the caller; draw "
            "from the "
            "generator as it stands."
        )
    if getattr(answer(weight.clone(), 1), "dtype", None) in (torch.float16, torch.bfloat16):
        raise Wrong(
            "the result is rounded to half precision, three digits. Leave it in the type of `weight`."
        )
    if _sigma(answer, weight, 1) > 3 * (1 - 1e-3):
        raise Wrong(
            "after a single step you already find all of σ. Power iteration comes closer with every step: "
            "take as many as `steps` says."
        )
    return "PyTorch's spectral_norm takes *one* such step in each forward pass: the weights move slowly."


# --- 6.6: a generator without a grid -----------------------------------------------------------------------

MOST_WEIGHTS = 600_000
WHITE_NOISE = 3 / 1023  # its fraction of power at period 2, in pictures of 32×32


class _Enlarging(TorchFunctionMode):
    """Notes what enlarges maps, and the largest side that a layer with weights makes."""

    def __init__(self):
        super().__init__()
        self.kinds, self.learnt_side = set(), 0

    def __torch_function__(self, function, types, arguments=(), keywords=None):
        keywords = keywords or {}
        result = function(*arguments, **keywords)
        name = getattr(function, "__name__", "")
        if name == "interpolate":
            mode = keywords.get("mode", arguments[3] if len(arguments) > 3 else "nearest")
            self.kinds.add("nearest" if mode.startswith("nearest") else "interpolation")
        elif name in ("repeat_interleave", "repeat", "kron"):
            self.kinds.add("nearest")
        elif name in ("conv_transpose2d", "pixel_shuffle"):
            self.kinds.add(name)
        if name in ("conv2d", "conv_transpose2d", "pixel_shuffle") and isinstance(result, torch.Tensor):
            self.learnt_side = max(self.learnt_side, result.shape[-1])
        return result


def _pictures(generator, latents):
    try:
        images = generator(latents)
    except (RuntimeError, TypeError) as error:
        raise Wrong(
            f"the generator fails on latents of shape {tuple(latents.shape)}: {str(error).splitlines()[0]}. "
            "Do the channels of each layer meet those of the next, and does it take float32?"
        ) from None
    if not isinstance(images, torch.Tensor) or images.shape != (len(latents), 3, 32, 32):
        shape = tuple(images.shape) if isinstance(images, torch.Tensor) else type(images).__name__
        raise Wrong(f"{len(latents)} latents should give {(len(latents), 3, 32, 32)}, but give {shape}.")
    if not images.isfinite().all():
        raise Wrong("some values of the pictures are not finite numbers. What are the first weights?")
    return images


def _grid(kinds) -> str:
    """What may have made it, by what the network enlarges with."""
    if "pixel_shuffle" in kinds:
        return (
            "In a pixel shuffle four channels become the four pixels of a block: which four? Do their "
            "weights *and* their biases start equal, in every layer, and does nothing change them afterwards?"
        )
    if "conv_transpose2d" in kinds:
        return (
            "A transposed convolution stamps odd and even pixels with different weights: what comes after it "
            "that evens them out, also after the last one?"
        )
    return "Where do neighbouring pixels get different weights?"


@exercise(
    "6.6",
    title="A generator without a grid",
    difficulty=3,
    minutes=30,
    hints=[
        "Begin with what notebook 05 has: nn.Linear, nn.Unflatten to 8×8, batch normalisation, ReLU. Only "
        "the doubling is new. Write it as a small function doubled(inputs, outputs), and use it twice.",
        'The simplest: nn.Upsample(scale_factor=2, mode="bilinear"), and a 3×3 convolution after it.',
        "The pixel shuffle: channels 4c to 4c + 3 become one block. Under torch.no_grad(), copy the first of "
        "each four to all of them: weight[::4].repeat_interleave(4, dim=0). And the bias? Leave it out.",
        "Don't forget generator.latent_dim = 64 before the return.",
    ],
)
def own_generator(answer):
    generator = call(answer, name="`own_generator`")
    if not isinstance(generator, nn.Module):
        raise Wrong("`own_generator()` should return a network, such as an nn.Sequential.")
    if getattr(generator, "latent_dim", None) != 64:
        raise Wrong(
            "the network has no attribute `latent_dim` that says 64, and `train` and `sample` ask for it: "
            "set it before you return the network."
        )
    expect_trainable(generator, "the generator")
    count = sum(weight.numel() for weight in generator.parameters())
    if count > MOST_WEIGHTS:
        raise Wrong(
            f"it has {count:,} weights, and {MOST_WEIGHTS:,} are the most. Which layer has most of them?"
        )
    latents = torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    layers = _Enlarging()
    with layers:
        images = _pictures(generator, latents)
    if images.abs().max() > 1:
        raise Wrong("some values lie outside [-1, 1]: is there a tanh at the end?")
    if (images.abs() > 0.999).float().mean() > 0.5:
        raise Wrong("most values are at −1 or 1: the first weights are far too large for the tanh.")
    if (images - images.flatten()[0]).abs().max() < 1e-6:
        raise Wrong(
            "every pixel of every picture is the same number: do the last layer's weights begin at 0? "
            "Then no "
            "gradient gets past it, either."
        )
    if images.min() > -1e-3:
        raise Wrong("no value is below 0: is the last layer the tanh? The photographs run from −1 to 1.")
    if (images - images[:1]).abs().max() < 1e-4:
        raise Wrong("the pictures do not depend on the latents: what does the network do with its input?")
    if layers.learnt_side < 32:
        raise Wrong(
            "no convolution works on maps of 32×32: what enlarges last has no weights, or every pixel has "
            "weights of its own. Let a layer with shared weights make the full size."
        )
    if layers.kinds == {"nearest"}:
        raise Wrong(
            "that is the resize-convolution of the table: every pixel repeated, then a convolution. It is "
            "smooth indeed. Now build another one."
        )
    _expect_gradients(generator, images)
    pictures = [images.detach()]
    torch.manual_seed(0)
    for _ in range(3):
        another = call(answer, name="`own_generator`")
        with torch.no_grad():
            pictures.append(_pictures(another, latents))
    if torch.equal(pictures[1], pictures[2]):
        torch.manual_seed(20_140_610)
        call(answer, name="`own_generator`")
        why = (
            "There is a `manual_seed` inside, which also resets the caller's random numbers: leave it out."
            if torch.initial_seed() != 20_140_610
            else "Is one network kept and handed out again, or are its weights no random ones?"
        )
        raise Wrong(
            f"two calls give networks with the same weights. {why} Build a new network, with new random "
            "weights, at "
            "every call."
        )
    brightness = checkerboard_fraction(torch.cat(pictures))
    colour = checkerboard_fraction(torch.cat(pictures).flatten(0, 1).unsqueeze(1))  # each channel by itself
    fraction = max(brightness, colour)
    if fraction > WHITE_NOISE:
        raise Wrong(
            f"a grid{'' if brightness > WHITE_NOISE else ' of colours'}: {fraction:.4f} of the power lies at "
            f"period 2, where white noise has {WHITE_NOISE:.4f} and photographs 0.0007. {_grid(layers.kinds)}"
        )
    note = try_elsewhere(generator, latents, name="your generator")
    return f"{fraction:.5f} of the power at period 2 before any training; photographs have 0.0007.{note}"


def _expect_gradients(generator, images):
    if not images.requires_grad:
        raise Wrong(
            "the pictures have lost their history, so nothing could be learnt: leave out no_grad and detach."
        )
    weights = list(generator.parameters())
    gradients = torch.autograd.grad(images.square().sum(), weights, allow_unused=True)
    if any(gradient is None for gradient in gradients):
        raise Wrong(
            "some weights have no part in the pictures: no gradient reaches them. Is every layer that you "
            "make also used?"
        )
