"""The exercises of notebook 00: warm-ups, to meet the checks on ground that you know."""

import math

import torch

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
    expect_varied,
    matches,
)
from course_utils.data import to_model_range


@exercise(
    "0.1",
    title="Pixels for a network",
    difficulty=1,
    minutes=5,
    hints=[
        "A straight line through two points: 0 becomes −1, and 255 becomes 1. How long is each way?",
        "Convert first, then calculate: `pixels.float()`. In uint8, 2 · 200 is 144.",
        "Dividing by 127.5 gives [0, 2]. What is left to do?",
    ],
)
def to_network_range(answer):
    pixels = torch.arange(256, dtype=torch.uint8).reshape(2, 1, 8, 16)
    try:
        result = call_unchanged(answer, pixels, name="to_network_range")
    except RuntimeError as error:
        if "invalid for input of size" in str(error) or "multiply up to" in str(error):
            raise Wrong(
                "images of 8×16 pixels stop it: is another size written into your function? The shape stays "
                "as it is, whatever it is."
            ) from None
        raise
    if isinstance(result, torch.Tensor) and not result.is_floating_point():
        raise Wrong(
            f"the result is {result.dtype}, which has no place for −0.5. Networks take floating point."
        )
    found, x = as_tensor(result, "the result"), pixels.double()
    expect_shape(
        found, (2, 1, 8, 16), "the result", "the shape should stay (2, 1, 8, 16): change values only."
    )
    wrapped = torch.arange(0, 512, 2, dtype=torch.uint8).reshape(pixels.shape).double()  # 2·x in uint8
    typical = [
        (x / 255, "that is [0, 1]. The generator ends in tanh, which reaches from −1 to 1: use all of it."),
        (x / 127.5, "that is [0, 2]: the right length, in the wrong place."),
        (1 - x / 127.5, "black and white have changed places: 0 should become −1."),
        (x - 127.5, "that is centred, but it reaches from −127.5 to 127.5: divide, too."),
        (
            (x / 255 - 0.1307) / 0.3081,
            "those are MNIST's mean and deviation, for classifiers. White becomes 2.82: no tanh gets there.",
        ),
        (
            (x / 127.5 - 1).tanh(),
            "the data go through tanh, too, and reach only from −0.76 to 0.76. Tanh ends the generator; the "
            "data are put onto a straight line.",
        ),
        (
            (x / 255).sigmoid(),
            "the data go through a sigmoid. They are put onto a straight line, from −1 to 1.",
        ),
        (
            x / 255 - 0.5,
            "that is [−½, ½]: centred, and half as long as it should be. Tanh reaches from −1 to 1.",
        ),
        (
            wrapped / 255 - 1,
            "uint8 has no 256: 2 · 200 overflowed to 144. Convert to floating point before you calculate.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-3):
            raise Wrong(message)
    for divisor in (127.0, 128.0):
        if matches(found, x / divisor - 1, tolerance=1e-6):
            top = 255 / divisor - 1
            raise Wrong(f"nearly: 255 becomes {top:.4f} and should become exactly 1. What is half of 255?")
    if not matches(found, to_model_range(pixels), tolerance=1e-5):
        expect_varied("the result")
        steps = found.flatten().diff()
        if (steps > 0).sum() > 200 and (steps < 0).any():
            place = int((steps < 0).nonzero()[0])
            raise Wrong(
                f"from {place} to {place + 1} it jumps back, as uint8 does where a number leaves 0 … 255: "
                "it starts "
                "again at the other end. Convert to floating point before you calculate."
            )
        if matches([found.min(), found.max()], [-1.0, 1.0]) and found.unique().numel() <= 3:
            raise Wrong(
                f"of 256 greys, {found.unique().numel()} are left: is something rounded, or compared? Every "
                "grey "
                "needs its own number."
            )
        if abs(found.mean()) < 1e-3 and abs(found.std() - 1) < 1e-2:
            raise Wrong(
                "this has the mean 0 and the deviation 1, whatever the batch: the same grey becomes another "
                "number "
                "in another batch, and no tanh reaches beyond 1. Use 0 and 255, not the batch's own numbers."
            )
        if matches(found, to_model_range(pixels), tolerance=0.02):
            off = (found - to_model_range(pixels)).abs().max()
            raise Wrong(
                f"nearly: it is off by up to {off:.2g}. Is something rounded, or calculated in half "
                "precision?"
            )
        black, grey, white = found.flatten()[[0, 128, 255]].tolist()
        raise Wrong(
            f"black (0) becomes {black:.4g}, and white (255) becomes {white:.4g}: they should become −1 "
            "and 1."
            if not matches([black, white], [-1.0, 1.0])
            else f"both ends are right, but between them it is no straight line: 128 becomes {grey:.4g}."
        )
    faint = torch.arange(50, 201, dtype=torch.uint8)  # no black and no white in this batch
    found = as_tensor(call(answer, faint, name="to_network_range"), "the result")
    expect_close(
        found,
        to_model_range(faint),
        "right for a batch that holds black and white. But where it runs from 50 to 200, its darkest and "
        "brightest pixels should not become −1 and 1. The same grey is the same number in every batch.",
        tolerance=1e-5,
    )
    expect_like(result, name="the result")  # of any type: the notebook makes float32 of it
    return (
        "that is what `course_utils.data.to_model_range` does, and the only place where the course does it."
    )


@exercise(
    "0.2",
    title="Draw latents",
    difficulty=1,
    minutes=3,
    hints=[
        "`torch.randn` draws from the standard normal distribution; `torch.rand` draws something else.",
        "One row for each image that you want, one column for each number in a latent.",
    ],
)
def draw_latents(answer):
    n, latent_dim = 4_000, 8
    result = call(answer, n, latent_dim, name="draw_latents")
    found = as_tensor(result, "the latents")
    if found.shape == (latent_dim, n):
        raise Wrong("rows and columns are swapped: one row a latent, (n, latent_dim).")
    if found.shape == (n,) or found.shape == (latent_dim,):
        raise Wrong(f"that is one row of {len(found)} numbers. Draw n latents of latent_dim numbers each.")
    if found.dim() > 2 and found.shape[:2] == (n, latent_dim):
        raise Wrong(
            f"the latents have shape {tuple(found.shape)}, as maps for a convolution. One row a latent: "
            f"({n}, {latent_dim}), without the axes of length 1 behind."
        )
    if found.numel() == n * latent_dim and found.dim() != 2:
        raise Wrong(
            f"as many numbers as asked for, but in the shape {tuple(found.shape)}: one row a latent, "
            f"({n}, {latent_dim})."
        )
    expect_shape(found, (n, latent_dim), "the result")
    if (found[1:] == found[0]).all():
        raise Wrong(
            "all rows are the same latent, so all images would be the same. Draw each number by itself."
        )
    mean, std, low, high = found.mean().item(), found.std().item(), found.min().item(), found.max().item()
    different = found.unique().numel()
    if different <= n // 10:  # of 32,000 draws from a continuous distribution nearly all differ
        raise Wrong(
            f"only {different} different numbers come up. N(0, 1) is continuous: is something rounded, "
            "reduced to its sign, or drawn from whole numbers?"
        )
    if found.norm(dim=1).std() < 0.1:  # of N(0, I) in 8 dimensions: 0.69
        raise Wrong(
            "all latents have the same length: is there a normalisation? Of N(0, I), some are longer than "
            "others."
        )
    if low >= 0 and high <= 1:
        raise Wrong(
            "these lie between 0 and 1: none is negative. The generator was trained on latents from N(0, 1)."
        )
    if low >= -1 and high <= 1:
        raise Wrong("these lie between −1 and 1. N(0, 1) has no bounds: a third of its numbers lie outside.")
    if low >= 0:
        raise Wrong("none of these is negative: is there a square, or an absolute value? Half of N(0, 1) is.")
    if (torch.corrcoef(found.T) - torch.eye(latent_dim)).abs().max() > 0.08:  # by chance, about 0.016
        raise Wrong("the numbers of a latent move together: each of them should be drawn by itself.")
    # A normal distribution of any deviation reaches to more than three of them in 32,000 draws.
    if found.abs().max() < 2.05 and found.abs().max() < 3 * std and abs(std - 1) > 0.02:
        raise Wrong(
            f"none of them lies beyond ±{found.abs().max():.2f}: N(0, 1) has no bounds. Is something cut off?"
        )
    # Of 4,000 draws a column's mean varies by 0.016, its deviation by 0.011: to be exact is no chance.
    if (
        4_000 * found.mean(dim=0).square().sum() < 1e-3
        or 8_000 * (found.std(dim=0) - 1).square().sum() < 1e-3
    ):
        raise Wrong(
            "each column has exactly the mean 0, or exactly the deviation 1. Draws by chance miss them a "
            "little: are "
            "the rows balanced against each other, by standardising the batch or by signs?"
        )
    # The mean of 32,000 draws varies by 0.0056, their deviation by 0.004: five times as much is allowed.
    if abs(mean) > 0.028 or abs(std - 1) > 0.02:
        raise Wrong(f"their mean is {mean:.2f} and their deviation {std:.2f}; N(0, 1) has 0 and 1.")
    # The fraction of 32,000 numbers beyond ±2, 4.6 %, varies by 0.12 %.
    fraction = (found.abs() > 2).double().mean().item()
    if abs(fraction - 0.0455) > 0.006:
        raise Wrong(
            f"mean and deviation are right, the shape is not: {fraction:.1%} of the numbers lie beyond ±2, "
            "and of a normal distribution 4.6 % do."
        )
    far = (found.abs() > 3).double().mean().item()  # 0.27 %, which varies by 0.03 %
    if abs(far - 0.0027) > 0.0015:
        raise Wrong(
            f"mean and deviation are right, the tails are not: {far:.2%} of the numbers lie beyond ±3, and "
            "of a "
            "normal distribution 0.27 % do."
        )
    expect_like(result, dtype=torch.float32, name="the batch of latents")
    few = call(answer, 3, 5, name="draw_latents")
    expect_shape(few, (3, 5), "the result", "right for n = 4000 and latent_dim = 8 only. Use both arguments.")
    for size in ((1, 5), (3, 1), (1, 1)):
        alone = call(answer, *size, name="draw_latents")
        if tuple(getattr(alone, "shape", ())) != size:
            raise Wrong(
                f"right for many, but for n = {size[0]} and latent_dim = {size[1]} the shape is "
                f"{tuple(getattr(alone, 'shape', ()))}, where {size} belongs: is an axis of length 1 "
                "squeezed "
                "out?"
            )
        if not as_tensor(alone, "the latents").any():
            raise Wrong(
                "a single latent is all 0: is the mean of the batch taken off? Each is drawn by itself."
            )
    if torch.equal(as_tensor(call(answer, n, latent_dim)), found):
        raise Wrong(
            "the second call gives the same latents: is there a seed inside? Seeds belong to the caller."
        )
    return "a row is all that the generator knows about the image it is to make."


@exercise(
    "0.3",
    title="Predict the walk",
    difficulty=1,
    minutes=2,
    hints=[
        "G never sees an image, only z. What does it make of any z: one image, or two on top of each other?"
    ],
)
def halfway(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "that is a mean of two *images*. Here the *latents* are averaged; G makes one image of it.",
            "c": "G has learnt to make strokes of nearly every z, and z half-way is not far from those it "
            "was trained on.",
            "d": "G is continuous: it cannot jump. What must lie between the two ends?",
        },
    )
    return "run the next cell to see it."


@exercise(
    "0.4",
    title="What guessing costs",
    difficulty=1,
    minutes=3,
    hints=[
        "The discriminator says D(x) = ½. Its loss on an image is −log of what it gave to the truth.",
        "The truth is “real” or “generated”; it gave ½ to either. So: −log ½. `math.log` is the natural one.",
    ],
)
def loss_of_guessing(answer):
    right = math.log(2)
    found = as_tensor(answer, "the loss")
    expect_shape(found, (), "the loss", "one number is enough: every image costs the same.")
    typical = [
        (-right, "the sign: log ½ is negative, and a loss is −log."),
        (0.5, "that is the probability. The loss is its negative logarithm."),
        (
            math.log10(2),
            "that is the logarithm to base 10. PyTorch's losses use the natural one, and so do we.",
        ),
        (
            1.0,
            "that is one *bit*: the logarithm to base 2. PyTorch's losses use the natural one, and so do we.",
        ),
        (
            2 * right,
            "that is for two images, a real and a generated one: log 4. What does one of them cost?",
        ),
        (0.0, "that is the loss of somebody who is right and sure: −log 1."),
        (
            right / 2,
            "half of it: is the loss weighted with the probability, as an entropy's terms are? It is −log ½ "
            "alone.",
        ),
        (0.25, "that is the squared error, (1 − ½)². The loss is −log of what D gave to the truth."),
        (math.exp(-0.5), "that is e^(−½): the exponential stands where the logarithm belongs."),
        (math.log(1.5), "that is log(1 + ½). The loss is −log ½: D gave ½ to the truth."),
        (
            math.log1p(math.exp(-0.5)),
            "that takes ½ for a logit: −log σ(½). Here ½ is the probability already.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=5e-3):
            raise Wrong(message)
    if found < 0:
        raise Wrong("a loss like this is never negative: −log of a number between 0 and 1.")
    if not matches(found, right, tolerance=5e-3):
        raise Wrong(
            f"that is the loss of somebody who gave {math.exp(-found):.3g} to the truth. Who guesses gives ½."
        )
    return (
        "0.693 on one image. D's training loss adds a real and a generated term: there, guessing shows as "
        "2·0.693 = 1.386."
    )


@exercise(
    "0.5",
    title="A number that nobody wrote",
    difficulty=2,
    minutes=10,
    hints=[
        "Which row is surest of a 7? That is a question to one column: `probabilities[:, 7]`.",
        "`.argmax()` of a column is the place of its largest entry. `int(…)` makes a number of a figure.",
        "Work on `probabilities.clone()`: set a row that is used to −1, and it is never the largest again.",
    ],
)
def images_for(answer):
    for n, number in ((40, "2014"), (25, "0775557"), (60, "9"), (8, "47"), (6, "121"), (30, "888888808888")):
        rng = torch.Generator().manual_seed(n)
        probabilities = torch.randn(n, 10, generator=rng).mul(2).softmax(dim=1)
        if number == "47":  # one image that is the surest of both
            probabilities[3] = torch.eye(10)[[4, 7]].mean(dim=0)
            probabilities[:3, [4, 7]] /= 10
            probabilities[4:, [4, 7]] /= 10
        if number == "121":  # what is second for the 1 is first for the 2, which comes before the second 1
            probabilities[:, 1] = torch.tensor([0.9, 0.8, 0.7, 0.1, 0.1, 0.1])
            probabilities[:, 2] = torch.tensor([0.05, 0.15, 0.1, 0.1, 0.1, 0.1])
        try:
            result = call_unchanged(answer, number, probabilities, name="images_for")
        except (StopIteration, IndexError, ValueError) as error:
            raise Wrong(
                f"for “{number}” and {n} images it stops with `{type(error).__name__}`. There is an image "
                "for every figure, also where no image *looks* most like it: search down a figure's whole "
                "column, as many figures as the number has."
            ) from None
        found = as_tensor(result, "the list of rows")
        if not matches(found, call(answer, number, probabilities, name="images_for")):
            raise Wrong(
                f"“{number}”, asked a second time, gets other rows. Are used rows remembered from call to "
                "call? Every "
                "call begins with none."
            )
        _judge_places(found, number, probabilities)
    _judge_ties(answer)
    return "run the next cells, and write a number of your own."


def _judge_ties(answer):
    """Where all but one image have the probability 0, any of them may be the next; a used one may not."""
    probabilities = torch.zeros(6, 10)
    probabilities[2, 3] = 1.0
    probabilities[[0, 1, 3, 4, 5], [0, 1, 2, 4, 5]] = 1.0
    number = "3333"
    found = as_tensor(call_unchanged(answer, number, probabilities, name="images_for"), "the list of rows")
    if found.shape != (4,) or found.unique().numel() < 4:
        raise Wrong(
            f"nearly: for “{number}”, where all images but one have exactly the probability 0 of a 3, you "
            "find "
            f"{[int(row) for row in found.flatten().tolist()]}. Is a used row marked with 0, or only made "
            "smaller? Then it is as "
            "good "
            "as they are, and may come again. Mark it with what is below every probability."
        )


def _judge_places(found, number, probabilities):
    columns = [probabilities[:, int(figure)] for figure in number]
    if number.startswith("0") and found.shape == (len(number.lstrip("0")),):
        raise Wrong(
            f"“{number}” has {len(number)} figures, and you find {found.numel()} rows: the zeros in front "
            "are "
            "lost, as `int(number)` loses them. Go through the figures of the text, one by one."
        )
    expect_shape(
        found,
        (len(number),),
        "the list of rows",
        f"“{number}” has {len(number)} figures, so {len(number)} rows are asked for; your list has the shape "
        f"{tuple(found.shape)}.",
    )
    if matches(found, [column.max().item() for column in columns]):
        raise Wrong("those are the largest probabilities themselves. Which *rows* do they stand in?")
    if (found != found.round()).any() or found.min() < 0 or found.max() >= len(probabilities):
        expect_varied("the list of rows")
        raise Wrong(f"places are whole numbers from 0 to {len(probabilities) - 1} here, one for each image.")
    if matches(found, [probabilities[int(figure)].argmax().item() for figure in number]):
        raise Wrong(
            "you look along a row: what image number 2 shows. Look down a column: which image is surest "
            "of a 2?"
        )
    if matches(found, [column.argmin().item() for column in columns]):
        raise Wrong("those are the images that the classifier is *least* sure of.")
    if len(set(number)) < len(number) and matches(found, [column.argmax().item() for column in columns]):
        raise Wrong(f"nearly: in “{number}” a figure comes again, and gets the same image. Use each once.")
    right = _greedy(columns)
    others = [
        ([row + 1 for row in right], "the rows are counted from 1, and Python counts from 0."),
        (
            _greedy([probabilities[:, place % 10] for place in range(len(number))]),
            "the columns are taken in order, 0, 1, 2, …: whatever the figures are. Which column belongs to "
            "a figure?",
        ),
        (
            [
                int(column.argsort(descending=True, stable=True)[min(place, len(column) - 1)])
                for place, column in enumerate(columns)
            ],
            "the second figure gets the second surest image, the third the third surest, whether the figure "
            "has come before or not. Begin at the surest for each, and pass over those that are used.",
        ),
        (
            [
                int(column.argsort(descending=True, stable=True)[number[:place].count(number[place])])
                for place, column in enumerate(columns)
            ],
            "what is used is counted for each figure by itself: an image that another figure has got is out, "
            "too.",
        ),
        (
            _greedy([probabilities[:, (int(figure) - 1) % 10] for figure in number]),
            "each figure is looked up one column too far to the left: the column of the 0 is number 0.",
        ),
        (
            _greedy([probabilities[:, (int(figure) + 1) % 10] for figure in number]),
            "each figure is looked up one column too far to the right: the column of the 0 is number 0.",
        ),
        (
            _shifted(columns),
            "a row that is taken out shifts all that come after it, and their places are no longer those in "
            "`probabilities`. Leave it in, and rule it out.",
        ),
    ]
    for mistake, message in others:
        if matches(found, mistake) and mistake != right:
            raise Wrong(message)
    if sorted(found.tolist()) == sorted(right) and found.tolist() != right:
        raise Wrong(
            f"the right rows for “{number}”, but not in the order of its figures. (Where a figure comes "
            "again, its first place gets the surest image, the next place the next.)"
        )
    used: list[int] = []
    for figure, column, place in zip(number, columns, found.long().tolist(), strict=True):
        if place in used:
            raise Wrong(
                f"in “{number}” row {place} stands for two figures. Once an image is used, it is out for all."
            )
        best = right[len(used)]
        if place != best:
            raise Wrong(
                f"for the figure {figure} of “{number}” you choose an image with the probability "
                f"{column[place]:.3f}, and one that is not used yet has {column[best]:.3f}: number {best}. "
                "Is a used image ruled out, and every other one looked at?"
            )
        used.append(place)


def _greedy(columns) -> list[int]:
    """For each column, one after another, its largest row that is not used yet."""
    used: list[int] = []
    for column in columns:
        used.append(
            max((row for row in range(len(column)) if row not in used), key=lambda row: column[row].item())
        )
    return used


def _shifted(columns) -> list[int]:
    """The same, where a used row is taken out, so that the places of those after it change."""
    left, places = torch.stack(list(columns), dim=1), []
    for figure in range(len(columns)):
        place = int(left[:, figure].argmax())
        left = torch.cat([left[:place], left[place + 1 :]])
        places.append(place)
    return places
