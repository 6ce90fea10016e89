"""The exercises of notebook 04.

Batches, one loss for two, a loss with three bugs, z_dim, shuffled pixels, a training script.
"""

import statistics

import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    weights_of,
)
from course_utils.exercises import training_script

_COUNT, _BATCH = 60, 16


def _stored():
    """Sixty random "images" whose labels tell them apart."""
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (_COUNT, 1, 28, 28), generator=rng, dtype=torch.uint8)
    return images, torch.randperm(_COUNT, generator=rng)


@exercise(
    "4.1",
    title="Draw a batch",
    difficulty=1,
    minutes=8,
    hints=[
        "Draw n places first, once: torch.randint(len(images), (n,), generator=rng).",
        "Index both tensors with the same places: images[places], labels[places].",
        "`.float()` first; then divide by 127.5 and subtract 1, or call data.to_model_range.",
    ],
)
def draw_batch(answer):
    images, labels = _stored()
    rng = torch.Generator().manual_seed(1)
    try:
        result = call_unchanged(answer, images, labels, _BATCH, rng, name="`draw_batch`")
    except IndexError as error:
        raise Wrong(
            f"of {_COUNT} images it asks for one that is not there: {error}. Draw the places below "
            "`len(images)`, not below a fixed number."
        ) from None
    except RuntimeError as error:
        if "num_classes" not in str(error):
            raise
        raise Wrong(
            "the labels are turned into another form, one-hot. Return them as they are stored."
        ) from None
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("return two things: the images, then their labels.")
    found, names = as_tensor(result[0], "the images"), as_tensor(result[1], "the labels")
    if tuple(found.shape) == (1, 28, 28):
        raise Wrong(
            "that is a single image. In `images[i, :n]` the first index has chosen one image already, and "
            "`:n` slices *inside* it. The batch lies along the first axis."
        )
    if found.shape == (_BATCH,) and names.shape == (_BATCH, 1, 28, 28):
        raise Wrong("the two are in the wrong order: return the images first, then their labels.")
    if found.shape == (_BATCH, 28, 28):
        raise Wrong(
            "the channel's axis of length 1 is squeezed out: images are (1, 28, 28), a batch (n, 1, 28, 28)."
        )
    expect_shape(found, (_BATCH, 1, 28, 28), "the batch of images")
    expect_shape(names, (_BATCH,), "the tensor of labels")
    for mistake, message in training_script.RANGES:
        if (training_script.which(found, mistake(images)) >= 0).all():
            raise Wrong(message)
    if abs(found.mean()) < 0.01 and abs(found.std() - 1) < 0.02:
        raise Wrong(
            "the batch has the mean 0 and the deviation 1, so the same grey becomes another number in "
            "another batch. Use 0 and 255: black becomes −1, white becomes 1."
        )
    places = training_script.which(found, images.double() / 127.5 - 1)
    for half, divisor in ((127, 127), (127, 127.5), (127, 128), (128, 127), (128, 128)):
        if (training_script.which(found, (images - half) / divisor) >= 0).all():
            raise Wrong(
                f"dark pixels have turned bright: in uint8, 0 − {half} starts again from the other end. "
                "Convert to "
                "floating point before you subtract; and of 0 … 255 the middle is 127.5."
            )
        if (training_script.which(found, images.double() / divisor - half / divisor) >= 0).all():
            raise Wrong(
                f"nearly: with {half} subtracted, then divided by {divisor:g}, 0 becomes "
                f"{-half / divisor:.4f} and 255 "
                f"becomes {(255 - half) / divisor:.4f}; −1 and 1 are asked for. What is the middle of 0 … "
                "255?"
            )
    for other, message in (
        (images / 127.5, "the pixels run from 0 to 2: the right length, and 1 too high."),
        (
            (images / 255 - 0.1307) / 0.3081,
            "those are MNIST's mean and deviation, for classifiers. White becomes 2.82: no tanh gets there.",
        ),
        (images.float() - 127.5, "the pixels are centred, and reach from −127.5 to 127.5: divide, too."),
    ):
        if (training_script.which(found, other) >= 0).all():
            raise Wrong(message)
    if (places < 0).any():
        raise Wrong(
            "these are not the stored images in [−1, 1]: 0 should become −1, and 255 should become 1."
        )
    expect_like(result[0], name="the batch of images")
    if result[0].dtype != torch.float32:
        raise Wrong(
            "the values are right, but their type is not: the networks' weights are float32, so the images "
            "should be too."
        )
    if matches(names, places) and not matches(labels[places], places):
        raise Wrong("the second result holds the images' places, not their labels: `labels[places]`.")
    if matches(names, labels[places] / 127.5 - 1):
        raise Wrong("the labels are scaled, as if they were pixels. They are numbers of classes: leave them.")
    if not matches(names, labels[places]):
        raise Wrong(
            "images and labels do not belong together: an image has got another one's label. Draw the places "
            "*once*, and index both with them."
        )
    state = rng.get_state()
    again, _ = call(answer, images, labels, _BATCH, rng, name="`draw_batch`")
    if torch.equal(training_script.which(as_tensor(again), images.double() / 127.5 - 1), places):
        raise Wrong(
            "the second batch is the first one again: the discriminator would see only these images."
            + (
                " `rng` has not moved on: do you seed a generator of your own anew in each call, or draw "
                "without "
                "it? Draw from `rng` itself."
                if torch.equal(rng.get_state(), state)
                else " Is `rng` seeded anew in each call? Its seed belongs to the caller."
            )
        )
    repeated, _ = call(answer, images, labels, _BATCH, torch.Generator().manual_seed(1), name="`draw_batch`")
    if not matches(repeated, found):
        raise Wrong(
            "the same `rng` should give the same batch: hand it to torch's function as `generator=rng`."
        )
    if places.unique().numel() == 1:
        raise Wrong(
            f"all {_BATCH} are the same image. Draw as many places as images: `(n,)` of them, not one."
        )
    if places.unique().numel() <= 2 or (places.diff() == 1).all():
        raise Wrong("these places are not random: they lie one after another.")
    few, places = images[:5], set()
    for _ in range(50):  # 200 draws: a fair one misses one of five images once in 10¹⁸ times
        try:
            drawn, _ = call(answer, few, labels[:5], 4, rng, name="`draw_batch`")
        except IndexError as error:
            raise Wrong(
                f"of five images it asks for one that is not there: {error}. Draw the places below "
                "`len(images)`, not below a fixed number."
            ) from None
        places |= set(training_script.which(as_tensor(drawn), few.double() / 127.5 - 1).tolist())
    alone = call(answer, images, labels, 1, rng, name="`draw_batch`")
    for part, shape, name in zip(alone, ((1, 1, 28, 28), (1,)), ("images", "labels"), strict=True):
        if tuple(getattr(part, "shape", ())) != shape:
            raise Wrong(
                f"right for a batch of {_BATCH}, but for n = 1 the {name} have the shape "
                f"{tuple(getattr(part, 'shape', ()))}, where {shape} belongs: a batch of one is a batch."
            )
    if places != set(range(len(few))):
        pairs = {
            place
            for _ in range(40)
            for place in training_script.which(
                as_tensor(call(answer, few, labels[:5], 2, rng)[0]), few.double() / 127.5 - 1
            ).tolist()
        }
        if pairs == {0, 1}:
            raise Wrong(
                "some images are never drawn: a batch of n comes from the first n images alone. Places go "
                "up to "
                "`len(images)`, however many are drawn."
            )
        if places == {0, 1, 2, 3}:
            raise Wrong(
                "some images are never drawn: the last one has not come in 200 draws from five. The upper "
                "end of "
                "`torch.randint` is left out already: `len(images)`, without −1."
            )
        raise Wrong(
            "some images are never drawn: of five, 200 draws brought only the places "
            f"{sorted(places)}. Where do your places begin, and which is the last that can come?"
        )
    _other_batches(answer, rng)
    return "one draw of places for both, one conversion, and the same rng gives the same batch."


def _other_batches(answer, rng) -> None:
    """A large set, faint images, and the labels' type."""
    images, labels = _stored()
    many = torch.arange(2_000).remainder(256).to(torch.uint8)[:, None, None, None].expand(-1, 1, 2, 2)
    drawn, names = call(answer, many, torch.arange(2_000), 64, rng, name="`draw_batch`")
    if len(drawn) != 64 or as_tensor(names).max() < 1_000:
        raise Wrong(
            f"of 2,000 images, 64 were asked for; {len(drawn)} came, none of them beyond place "
            f"{int(as_tensor(names).max())}. Does every number come from `len(images)` and `n`?"
        )
    faint, _ = call(answer, images // 4, labels, _BATCH, rng, name="`draw_batch`")
    if as_tensor(faint).max() > 0:
        raise Wrong(
            "right where a batch holds black and white. In faint images, of 63 at most, nothing should "
            "become "
            "brighter than −0.5: 255 becomes 1, not the batch's own maximum."
        )
    if not isinstance(names, torch.Tensor) or names.is_floating_point():
        raise Wrong("the labels have become floating point. They are numbers of classes: leave their type.")


@exercise(
    "4.2",
    title="Explain what a common loss wants",
    difficulty=2,
    minutes=5,
    hints=[
        "Only the terms with t matter: softplus(t) + softplus(−t).",
        "Put in t = −2, t = 0 and t = 2.",
    ],
)
def common_loss(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "that is the right game, where each player has a loss of its own. Here both move down the "
            "*same* sum: which t makes softplus(t) + softplus(−t) small?",
            "c": "softplus(−t) is small for positive t, but softplus(t) is large there. What of the sum?",
            "d": "softplus(t) is small for negative t, but softplus(−t) is large there. What of the sum?",
        },
    )
    return "the sum is smallest at t = 0, for both. Nobody wants the fakes to look real any more."


def _players():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(2, 3), nn.Tanh())
        discriminator = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0))
        real, latents = torch.randn(6, 3) + 1, torch.randn(6, 2)
    generator.latent_dim = 2
    return generator, discriminator, real, latents


class _Confident(nn.Module):
    """A discriminator that takes everything for real."""

    def __init__(self, logit: float):
        super().__init__()
        self.logit = nn.Parameter(torch.tensor(logit))

    def forward(self, images):
        return self.logit.expand(len(images))


def _of_probabilities(real, fake):
    return F.binary_cross_entropy(real, torch.ones_like(real)) + F.binary_cross_entropy(
        fake, torch.zeros_like(fake)
    )


_UP, _DOWN = (lambda logits: F.softplus(-logits)), F.softplus  # −log D, −log(1 − D)
_LOSSES = [  # (real logits, fake logits) → a loss with a bug, and what to say to it
    (
        lambda real, fake: _UP(real.sigmoid()).mean() + _UP(fake.sigmoid()).mean(),
        "nothing has been fixed yet: this is the loss as it was.",
    ),
    (
        lambda real, fake: _UP(real.sigmoid()).mean() + _DOWN(fake.sigmoid()).mean(),
        "a sigmoid is still there. `binary_cross_entropy_with_logits` applies its own: "
        "what does it get here?",
    ),
    (
        lambda real, fake: _UP(real).mean() + _UP(fake).mean(),
        "the discriminator is still told to call the fakes real: look at the targets of the second term.",
    ),
    (
        lambda real, fake: _DOWN(real).mean() + _UP(fake).mean(),
        "the targets have changed places: now the real images are to be called fake.",
    ),
    (
        lambda real, fake: (_UP(real).mean() + _DOWN(fake).mean()) / 2,
        "that is half of the loss asked for: the sum of two means, not their average.",
    ),
    (
        lambda real, fake: _UP(real).sum() + _DOWN(fake).sum(),
        "that sums over the batch: then the step would grow with the batch. Take means.",
    ),
    (
        lambda real, fake: _UP(real).mean(),
        "only the real images are in it: the second term is about the fakes.",
    ),
    (
        lambda real, fake: _DOWN(fake).mean(),
        "only the fakes are in it: the first term is about the real images.",
    ),
    (
        lambda real, fake: F.softplus(fake - real).mean(),
        "that compares a real image with a fake, pair by pair (a relativistic loss). Here each has its "
        "own term.",
    ),
    (
        lambda real, fake: 2 * F.softplus(fake - real).mean(),
        "that compares a real image with a fake, pair by pair (a relativistic loss). Here each has its "
        "own term.",
    ),
    (
        lambda real, fake: (_UP(real).mean() + _DOWN(fake).mean()) / 0.6931472,
        "that is in bits, log₂. PyTorch's losses, and ours, take natural logarithms.",
    ),
    (
        lambda real, fake: _of_probabilities(real.clamp(0, 1), fake.clamp(0, 1)),
        "the logits themselves are taken for probabilities, cut off at 0 and 1. Use the loss that takes "
        "logits: `…_with_logits`.",
    ),
    (
        lambda real, fake: (real - 1).square().mean() + fake.square().mean(),
        "those are squared errors, as in least squares. Here the terms are −log D and −log(1 − D).",
    ),
    (
        lambda real, fake: fake.mean() - real.mean(),
        "those are means of the logits, the Wasserstein loss. Here the terms are −log D and −log(1 − D).",
    ),
    (
        lambda real, fake: _UP(real).mean() - _UP(fake).mean(),
        "the fakes' term has the target 1 still, and a minus before it: + log D(G(z)), which has no lower "
        "end. The "
        "term of the fakes is −log(1 − D(G(z))): another target, and no minus.",
    ),
    (
        lambda real, fake: _UP(real).mean() - _DOWN(fake).mean(),
        "the fakes' term is subtracted. The loss is the sum of both.",
    ),
    (
        lambda real, fake: _DOWN(fake).mean() - _UP(real).mean(),
        "the term of the real images is subtracted. The loss is the sum of both.",
    ),
    (
        lambda real, fake: _DOWN(real).mean() + _DOWN(fake).mean(),
        "both kinds of images are to be called fake: look at the target of the first term.",
    ),
    (
        lambda real, fake: _UP(real.mean()) + _DOWN(fake.mean()),
        "the logits are averaged first. The loss is a mean of losses: one for each image, then the mean.",
    ),
    (
        lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(),
        "that is the hinge loss. Here the terms are −log D and −log(1 − D).",
    ),
    (
        lambda real, fake: _UP(real.sigmoid()).mean() + _DOWN(fake).mean(),
        "a sigmoid is still there, in the term of the real images. `…_with_logits` applies its own.",
    ),
    (
        lambda real, fake: _UP(real).mean() + _DOWN(fake.sigmoid()).mean(),
        "a sigmoid is still there, in the term of the fakes. `…_with_logits` applies its own.",
    ),
    *(
        (
            lambda real, fake, high=high, low=low: (
                high * _UP(real).mean()
                + (1 - high) * _DOWN(real).mean()
                + low * _UP(fake).mean()
                + (1 - low) * _DOWN(fake).mean()
            ),
            f"the targets are {high:g} and {low:g}: label smoothing is a remedy of its own. Here they are 1 "
            "and 0.",
        )
        for high in (1, 0.95, 0.9, 0.8, 0.7)
        for low in (0, 0.05, 0.1, 0.2, 0.3)
        if (high, low) != (1, 0)
    ),
    (lambda real, fake: -_UP(real).mean() - _DOWN(fake).mean(), "the sign is turned: a loss is −log."),
]


@torch.no_grad()
def _which_batch(answer, generator, discriminator, real, latents, value) -> None:
    """The loss is a sum of two terms: another real batch changes only one, other latents only the other."""

    def loss(x, z):
        return as_tensor(answer(generator, discriminator, x.clone(), z.clone()), "the loss")

    if not matches(loss(real, latents), value):
        raise Wrong(
            "the same batch gives another loss the second time: are there random numbers beside the latents, "
            "or in the fakes' place? The fakes are `generator(latents)`."
        )
    units = {
        "real images": (
            loss(real + 1, latents) - value,
            _UP(discriminator(real + 1)).mean() - _UP(discriminator(real)).mean(),
        ),
        "fakes": (
            loss(real, latents + 1) - value,
            _DOWN(discriminator(generator(latents + 1))).mean()
            - _DOWN(discriminator(generator(latents))).mean(),
        ),
    }
    right = {batch: matches(*pair) for batch, pair in units.items()}
    for batch, other in (("real images", "fakes"), ("fakes", "real images")):
        if right[batch] and not right[other]:
            moved_by, unit = units[other]
            times = (moved_by / unit).item()
            if any(matches(times, simple, tolerance=1e-3) for simple in (-1, 0.1, 0.25, 0.5, 2, 3, 4, 10)):
                raise Wrong(
                    f"the term of the {batch} is right, and that of the {other} is multiplied by "
                    f"{times:.3g}. Both have the weight 1."
                )
            raise Wrong(
                f"the term of the {batch} is right, but not the term of the {other}: which target, which "
                "weight "
                "and which logits has it?"
            )


@exercise(
    "4.3",
    title="Three bugs in one loss",
    difficulty=2,
    minutes=12,
    hints=[
        "Read the name of the loss function: which of D's outputs does it want?",
        'The second term is about fakes. Which target says "fake"?',
        "After `loss.backward()`, whose weights have a gradient? D's step should leave the generator alone.",
    ],
)
def fixed_loss(answer):
    generator, discriminator, real, latents = _players()
    before = weights_of(generator), weights_of(discriminator)
    loss = call_unchanged(answer, generator, discriminator, real, latents, name="`fixed_loss`")
    for network, weights, who in ((generator, before[0], "the generator"), (discriminator, before[1], "D")):
        expect_trainable(network, who)
        if moved(weights, weights_of(network)):
            raise Wrong(f"the weights of {who} have changed: a loss is worked out, and the step comes later.")
        if any(weight.grad is not None for weight in network.parameters()):
            raise Wrong(
                f"gradients are left behind in {who}: your function has gone `backward()` itself. It is "
                "asked for the "
                "loss alone; the loop goes backward from it."
            )
    if isinstance(loss, torch.Tensor) and loss.shape == real.shape[:1]:
        raise Wrong("return one number for the batch: the mean over its images.")
    with torch.no_grad():
        real_logits, fake_logits = discriminator(real), discriminator(generator(latents))
    value = as_tensor(loss, "the loss")
    for mistake, message in _LOSSES:
        if matches(value, mistake(real_logits, fake_logits)):
            raise Wrong(message)
    expect_shape(value, (), "the loss", "return one number for the batch: the mean over its images.")
    on_real, on_fake = _UP(real_logits).mean(), _DOWN(fake_logits).mean()
    if not matches(value, on_real + on_fake):
        expect_varied("the loss")
        _which_batch(answer, generator, discriminator, real, latents, value)
        raise Wrong(
            f"the loss is {value.item():.4g} on a batch where −mean log D(x) is {on_real:.4g} and "
            f"−mean log(1 − D(G(z))) is {on_fake:.4g}. Which of the two is another one in yours?"
        )
    if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
        raise Wrong(
            "the value is right, but no gradient can flow from it: return the tensor, with its graph."
        )
    expect_like(loss, dtype=real.dtype, name="the loss")
    try:
        loss.backward()
    except RuntimeError as error:
        raise Wrong(
            f"the value is right, but `backward()` fails on it: {str(error).splitlines()[0]}"
        ) from None
    if any(weight.grad is None for weight in discriminator.parameters()):
        raise Wrong("the value is right, but the discriminator's weights get no gradient: detach less.")
    if any(weight.grad is not None and weight.grad.any() for weight in generator.parameters()):
        raise Wrong(
            "the value is right, but `backward()` reaches the generator's weights too. Which method "
            "gives the same fakes without their history?"
        )
    reference = _UP(discriminator(real)).mean() + _DOWN(discriminator(generator(latents).detach())).mean()
    weights = list(discriminator.parameters())
    for weight, gradient in zip(weights, torch.autograd.grad(reference, weights), strict=True):
        if not matches(weight.grad, gradient):
            raise Wrong(
                "the value is right, but the gradient of one term never reaches the discriminator: detach "
                "the fakes *before* they go into D, not its logits."
            )
    confident = _Confident(40.0)
    first, loss = loss, call(answer, generator, confident, real, latents, name="`fixed_loss`")
    if loss is first:
        raise Wrong(
            "for another discriminator, the loss is that of the first call: work it out in each call."
        )
    loss.backward()  # softplus(−40) + softplus(40) = 40, and its slope is 1
    found = torch.stack([loss.detach().float(), confident.logit.grad])
    if not torch.allclose(found, torch.tensor([40.0, 1.0]), rtol=1e-3):
        raise Wrong(
            "right on paper, but not for confident logits: where D gives a fake the logit 40, the loss is "
            f"{found[0]:.4g} with slope {found[1]:.4g}, and should be 40 with slope 1. Use `…_with_logits` "
            "or softplus."
        )
    confident = _Confident(400.0)
    found = as_tensor(call(answer, generator, confident, real, latents, name="`fixed_loss`"), "the loss")
    if not matches(found, 400.0):
        raise Wrong(
            f"right for moderate logits, but where D gives a fake the logit 400 the loss is {found:.4g}, "
            "and should "
            "be 400. Are logits, or losses, cut off? `…_with_logits` needs no help."
        )
    alone = call(answer, *_players()[:2], real[:1], latents[:1], name="`fixed_loss`")
    expect_shape(alone, (), "the loss", "right for a batch; of a single image the loss is one number, too.")
    return "logits into the loss, 0 for fakes, and the generator left alone."


_TABLES = [
    {100: [40.0, 44.0, 42.0], 2: [90.0, 95.0, 93.0], 32: [39.0, 43.0, 41.5], 8: [43.0, 47.0, 50.0]},
    {2: [80.0, 84.0], 8: [31.0, 30.0], 32: [20.0, 24.0], 100: [19.0, 22.0]},
    {4: [10.0, 60.0], 16: [12.0, 13.0], 64: [30.0, 31.0]},
    {2: [50.0, 51.0], 8: [52.0, 53.0], 32: [54.0, 55.0]},
    {8: [21.5, 26.5, 27.0], 32: [20.0, 21.0, 22.0], 100: [11.0, 30.0, 40.0]},
    {2: [50.0, 52.0], 4: [30.0, 31.0], 8: [10.0, 70.0]},  # the lowest run is not the best mean's
    {2: [34.5, 40.0], 4: [33.0, 34.0], 8: [10.0, 10.0, 35.0]},  # nor the lowest worst run
    {2: [41.0, 42.0], 4: [30.0, 31.0, 32.0], 8: [20.0, 29.0, 90.0]},  # nor the lowest median
    {2: [30.5, 40.0], 4: [20.0, 21.0, 22.0], 8: [30.0, 31.0]},  # nor the lowest sum
    {2: [50.0, 52.0], 4: [31.0, 40.0], 8: [29.0, 31.0]},  # a run that equals the best size's worst
    {2: [45.0, 30.0], 8: [20.0, 31.0]},  # its first run is not its best
    {2: [50.0, 52.0], 4: [34.0, 40.0], 8: [30.0, 33.0]},  # a run that is a little worse than the worst
    {2: [31.0, 50.0], 4: [60.0, 62.0], 8: [20.0, 32.0]},  # a size between that is worse than both
]


def _mean(values):
    return sum(values) / len(values)


def _standard_error(values):
    return statistics.stdev(values) / len(values) ** 0.5


def _best(table):
    return min(table, key=lambda size: _mean(table[size]))


def _smallest_that_overlaps(table, rank=_mean):
    best = min(table, key=lambda size: rank(table[size]))
    return min(size for size in table if min(table[size]) <= max(table[best]))


def _smallest_strictly_inside(table):
    best = _best(table)
    return min(size for size in table if size == best or min(table[size]) < max(table[best]))


def _down_from_the_best(table):
    best = chosen = _best(table)
    for size in sorted((size for size in table if size < best), reverse=True):
        if min(table[size]) > max(table[best]):
            break
        chosen = size
    return chosen


_CHOICES = [
    (
        _best,
        "that takes the best mean, whatever the spread: a difference that another seed would turn round is "
        "none. Which sizes can you not tell apart from the best?",
    ),
    (
        lambda table: min(table, key=lambda size: min(table[size])),
        "that takes the single luckiest run. The best size is the one with the best *mean*.",
    ),
    (max, "that takes the largest size, without a look at the distances."),
    (
        min,
        "that is the smallest size in every table: are the distances looked at? Or is every size compared "
        "with the *worst* one? A Fréchet distance is better when it is lower.",
    ),
    (
        lambda table: max(table, key=lambda size: _mean(table[size])),
        "a Fréchet distance is better when it is *lower*.",
    ),
    (
        lambda table: max(size for size in table if min(table[size]) <= max(table[_best(table)])),
        "of the sizes that cannot be told apart from the best, take the *smallest*.",
    ),
    (
        lambda table: min(size for size in table if _mean(table[size]) <= max(table[_best(table)])),
        "you compare the size's mean with the best size's worst run. Ranges overlap as soon as its *best* "
        "run is no worse than that.",
    ),
    (
        lambda table: _smallest_that_overlaps(table, min),
        "you take the size with the single luckiest run for the best. The best has the lowest *mean*.",
    ),
    (
        lambda table: _smallest_that_overlaps(table, max),
        "you take the size with the lowest worst run for the best. The best has the lowest *mean*.",
    ),
    (
        lambda table: _smallest_that_overlaps(table, statistics.median),
        "you take the size with the lowest median for the best. The rule above goes by the *mean*.",
    ),
    (
        lambda table: _smallest_that_overlaps(table, sum),
        "you take the size with the lowest sum for the best. Sizes with fewer runs have smaller sums: "
        "take the *mean*.",
    ),
    (
        lambda table: min(size for size in table if max(table[size]) <= max(table[_best(table)])),
        "you compare the size's *worst* run with the best size's worst. Ranges overlap as soon as its "
        "best run is "
        "no worse than that.",
    ),
    (
        lambda table: min(size for size in table if min(table[size]) <= min(table[_best(table)])),
        "you compare with the best size's *best* run. Its range reaches up to its worst.",
    ),
    (
        lambda table: min(size for size in table if min(table[size]) <= _mean(table[_best(table)])),
        "you compare with the best size's *mean*. Its range reaches up to its worst run.",
    ),
    (
        lambda table: min(
            size
            for size in table
            if min(table[size]) <= max(table[_best(table)][-1], min(table[_best(table)]))
        ),
        "you take the best size's *last* run for its worst. The runs stand in the order of their seeds.",
    ),
    (
        lambda table: min(
            size for size in table if table[size][0] <= max(table[_best(table)]) or size == _best(table)
        ),
        "you take each size's *first* run for its best. The runs stand in the order of their seeds.",
    ),
    (
        lambda table: _down_from_the_best(table),
        "you go down from the best size, and stop at the first one that fails. A still smaller one may "
        "overlap again: look at all.",
    ),
    *(
        (
            lambda table, share=share: min(
                size for size in table if min(table[size]) <= (1 + share) * _mean(table[_best(table)])
            ),
            "you let a run be a fixed share worse than the best *mean*. How far two sizes may differ is for "
            "their own runs to say: up to the best size's worst.",
        )
        for share in (0.05, 0.1, 0.2)
    ),
    *(
        (
            lambda table, share=share: min(
                size for size in table if min(table[size]) <= (1 + share) * max(table[_best(table)])
            ),
            "you let a run be a little worse than the best size's worst. *No worse* is ≤, without a share "
            "on top.",
        )
        for share in (0.05, 0.1, 0.2)
    ),
    (
        lambda table: next(size for size in table if min(table[size]) <= max(table[_best(table)])),
        "that takes the first such size in the dictionary's order, which need not be the smallest.",
    ),
    (
        lambda table: _smallest_that_overlaps({size: runs[:2] for size, runs in table.items()}),
        "you look at two runs of each size. There may be more: take all.",
    ),
    (
        lambda table: _smallest_that_overlaps({size: runs[:3] for size, runs in table.items()}),
        "you look at three runs of each size. There may be more: take all.",
    ),
    *(
        (
            lambda table, share=share: min(
                size for size in table if _mean(table[size]) <= (1 + share) * _mean(table[_best(table)])
            ),
            f"you take all within {share:.0%} of the best mean. How far two sizes may differ is for their "
            "own runs "
            "to say: do their ranges overlap?",
        )
        for share in (0.05, 0.1, 0.2)
    ),
    *(
        (
            lambda table, times=times, spread=spread: min(
                size
                for size in table
                if _mean(table[size]) <= _mean(table[_best(table)]) + times * spread(table[_best(table)])
            ),
            "you take all whose mean lies within some standard deviations of the best mean. The rule above "
            "compares "
            "runs: a size's *best* run, and the best size's worst.",
        )
        for times in (1, 2, 3)
        for spread in (statistics.pstdev, statistics.stdev, _standard_error)
    ),
    *(
        (
            lambda table, times=times, spread=spread: min(
                size
                for size in table
                if min(table[size]) <= _mean(table[_best(table)]) + times * spread(table[_best(table)])
            ),
            "you let a run be some standard deviations worse than the best mean. The rule above goes up to "
            "the best "
            "size's worst run.",
        )
        for times in (1, 2, 3)
        for spread in (statistics.pstdev, statistics.stdev, _standard_error)
    ),
    (
        _smallest_strictly_inside,
        "a run that equals the best size's worst run is *no worse*: use ≤.",
    ),
]


@exercise(
    "4.4",
    title="Choose z_dim by data",
    difficulty=2,
    minutes=10,
    hints=[
        "First the best size: the one whose mean distance is lowest.",
        "Two ranges overlap where the lower end of one is not above the upper end of the other.",
        "min(size for size in distances if min(distances[size]) <= max(distances[best]))",
    ],
)
def choose_latent_dim(answer):
    found = []
    for table in _TABLES:
        handed = {size: list(runs) for size, runs in table.items()}
        try:
            result = call_unchanged(answer, handed, name="`choose_latent_dim`")
        except (ValueError, StopIteration, IndexError) as error:
            raise Wrong(
                f"for {table} it finds no size at all: {error}. The best size itself reaches the best, so "
                "there is always one. Is it left out, or ≤ turned round?"
            ) from None
        found.append(as_tensor(result, "the chosen size"))
    if any(one.dim() for one in found):
        raise Wrong("return one size, a whole number: a key of the dictionary.")
    found = [one.item() for one in found]
    right = [_smallest_that_overlaps(table) for table in _TABLES]
    if found == right:
        return "no larger than the data can justify. Now ask your own runs."
    if len(set(found)) == 1 and found[0] in _TABLES[0]:
        raise Wrong(f"from every table you choose {found[0]:g}: what do you do with `distances`?")
    for mistake, message in _CHOICES:
        if found == [mistake(table) for table in _TABLES]:
            raise Wrong(message)
    for table, chosen, wanted in zip(_TABLES, found, right, strict=True):
        if any(chosen == run for runs in table.values() for run in runs):
            raise Wrong(
                f"from {table} it chose {chosen:g}: a distance. Return the *size*, a key of the table."
            )
        if chosen not in table and chosen in range(len(table)):
            raise Wrong(
                f"from {table} it chose {chosen:g}: a place in a list. Return the *size* itself, a key."
            )
        if chosen not in table:
            raise Wrong(f"from {table} it chose {chosen:g}, which is not one of the sizes.")
        if chosen != wanted:
            raise Wrong(
                f"from {table} it chose {chosen:g}. There the best mean is that of {_best(table)}, whose "
                "runs reach "
                f"up to {max(table[_best(table)]):g}, and the best run of {chosen:g} is "
                f"{min(table[chosen]):g}: "
                + (
                    "its range does not reach the best."
                    if min(table[chosen]) > max(table[_best(table)])
                    else "its range reaches the best, but so does a smaller size's."
                )
            )


@exercise(
    "4.5",
    title="Predict what shuffled pixels do",
    difficulty=1,
    minutes=4,
    hints=[
        "A fully connected unit is a weighted sum over all pixels. Does it know which pixels are neighbours?"
    ],
)
def shuffled_pixels(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "look at the first layer of an MLP: a weighted sum over all 784 pixels. What changes in a "
            "sum when its terms are written in another order?",
            "b": "a 4×4 filter sees 16 neighbours. What have 16 pixels to do with each other that were "
            "drawn from all over the digit?",
            "d": "one of the two networks takes its weights to the shuffled places, and nothing else "
            "changes. Which one is not free to do that?",
        },
    )
    return "for the one, the order of the pixels only numbers its weights; for the other it is the point."


@exercise(
    "4.6",
    title="A training script from an empty cell",
    difficulty=3,
    minutes=40,
    hints=[
        "In this order: the images in [−1, 1], two networks, two optimisers, the loop, the samples. In the "
        "loop: places, a batch, new latents, fakes; D's step on `fake.detach()`, then G's step on `fake`.",
        "A step is `loss = …`, `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`, for each "
        "player with its own loss and optimiser. `F.softplus(-t)` is −log D, `F.softplus(t)` is −log(1 − D).",
        "`mlp_generator(images.shape[1:], latent_dim=32)`, Adam with lr 2e-3 and betas (0, 0.99), batches of "
        "64; at the end `generator.eval()` and `with torch.no_grad():`, or `sample(generator, n)`.",
    ],
    seconds=120,
)
def train_on(answer):
    return training_script.judge(answer)
