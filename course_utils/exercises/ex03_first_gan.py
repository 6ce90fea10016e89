"""The exercises of notebook 03: a GAN on a line and on a plane."""

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
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.data.toy import ring
from course_utils.losses import LOSSES
from course_utils.metrics import generator_pull, mode_coverage
from course_utils.models import mlp_discriminator, mlp_generator

RATE = 0.5  # of plain gradient descent: a step then shows which gradient it took


def _players():
    """Two small networks and a batch; the same ones at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        generator = mlp_generator((2,), latent_dim=2, hidden=(8,))
        discriminator = mlp_discriminator((2,), hidden=(8,))
        return generator, discriminator, torch.randn(16, 2) + 1, torch.randn(16, 2)


def _optimizer(network):
    """Plain gradient descent, with gradients of 1 left over from an earlier step."""
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    return torch.optim.SGD(network.parameters(), RATE)


def _slope(value, network):
    slopes = torch.autograd.grad(value, [*network.parameters()], retain_graph=True)
    return torch.cat([slope.flatten() for slope in slopes])


def _take(answer, *arguments, name):
    """Let the answer take its step; two of torch's errors are mistakes with a name."""
    try:
        return call_unchanged(answer, *arguments, name=name)
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "the loss has no way back to a weight: a `detach` or `no_grad` has cut the graph. A gradient "
                "has to reach the weights of the player whose step it is."
            ) from None
        if "modified by an inplace operation" in str(error):
            raise Wrong(
                "the weights moved before `backward`, along an *old* gradient. First `backward`, then `step`."
            ) from None
        raise


def _check_step(change, network, slope, mistakes, who) -> None:
    """Raise Wrong unless the network changed by −RATE·slope; `mistakes`: other slopes, and what to say."""
    if not change.any():
        if all(parameter.grad is None or not parameter.grad.any() for parameter in network.parameters()):
            raise Wrong(
                f"{who} has not moved: `step` found no gradient. Call `zero_grad` *before* `backward`."
            )
        raise Wrong(f"{who} has not moved: after `backward`, the optimiser has to `step`.")
    mistakes = [
        *mistakes,
        (
            slope + 1,
            "gradients of an earlier step are still in there; clear them first.",
        ),
        (torch.ones_like(slope), f"{who} moved along an *old* gradient: `backward` comes before `step`."),
        (-slope, "the sign is turned: this climbs the loss. An optimiser goes downhill by itself."),
    ]
    if matches(change, -RATE * slope, tolerance=1e-5):
        return
    for mistake, message in mistakes:
        if matches(change, -RATE * mistake, tolerance=1e-5):
            raise Wrong(message)
    times = (change @ slope) / (-RATE * slope @ slope)  # how many steps along the right slope, at best
    if matches(change, -RATE * times * slope, tolerance=1e-5):
        raise Wrong(
            f"{who} went in the right direction, but {times:.3g} times as far as one step goes. Is there "
            "a second "
            "step, a factor before the loss, or a gradient that is clipped?"
        )
    alike = torch.nn.functional.cosine_similarity(change, -slope, dim=0)
    raise Wrong(
        f"{who} moved, but not down the gradient of its loss (the cosine between the two is "
        f"{alike:.4f}). Were all "
        "the samples that were handed in, and no others, in a loss of the kind that was handed in?"
    )


def _expect_loss(returned, right) -> None:
    returned = as_tensor(returned, "the returned loss")
    expect_shape(returned, (), "the returned loss", "return the loss as one number: the mean over the batch.")
    if not matches(returned, right.detach()):
        raise Wrong(
            f"the step is right, but the returned loss is {returned.item():.4g}. Return the value that you "
            "went `backward` from, as it was before the step."
        )


@exercise(
    "3.1",
    title="The discriminator's step",
    difficulty=2,
    minutes=12,
    hints=[
        "In this order: make fakes, show D both batches, compute the loss, clear, go backward, step.",
        "`loss.discriminator(real_logits, fake_logits)` wants the data's logits first.",
        "`generator(latents).detach()` cuts the fakes off the generator: no gradient flows back into it.",
    ],
)
def discriminator_step(answer):
    for loss in (LOSSES["non_saturating"], LOSSES["least_squares"]):
        generator, discriminator, real, latents = _players()
        before = weights_of(generator), weights_of(discriminator)
        real_logits, fake_logits = discriminator(real), discriminator(generator(latents))
        right = loss.discriminator(real_logits, fake_logits)
        slope = _slope(right, discriminator)
        mistakes = [
            (
                loss.discriminator(fake_logits, real_logits),
                "the labels are swapped: D learns to call the *data* generated. Which logits come first?",
            ),
            (
                loss.discriminator(real_logits, fake_logits.detach()),
                "the fakes' *logits* are cut off, so D learns nothing from them. Cut the graph earlier.",
            ),
            (
                loss.generator(None, fake_logits),
                "that is the generator's loss: D helps the generator. D minimises `loss.discriminator`.",
            ),
            (
                loss.discriminator(real_logits.sigmoid(), fake_logits.sigmoid()),
                "a sigmoid too many: the losses of this course take logits.",
            ),
            (
                LOSSES["non_saturating"].discriminator(real_logits, fake_logits),
                "with least squares, the step still follows log D. Use the `loss` that is handed in.",
            ),
        ]
        mistakes = [(_slope(value, discriminator), message) for value, message in mistakes]

        arguments = (generator, discriminator, _optimizer(discriminator), real, latents, loss)
        returned = _take(answer, *arguments, name="`discriminator_step`")
        expect_trainable(generator, "the generator")
        expect_trainable(discriminator, "the discriminator")
        if moved(before[0], weights_of(generator)):
            raise Wrong("the generator's weights moved; in this step only D learns.")
        if any(parameter.grad is not None for parameter in generator.parameters()):
            raise Wrong(
                "gradients have reached the generator. That costs time, and its own next step may find them "
                "there. Where can you cut the graph between the generator and D?"
            )
        _check_step(
            weights_of(discriminator) - before[1], discriminator, slope, mistakes, "the discriminator"
        )
        _expect_loss(returned, right)
    return "D has moved, and the generator has felt nothing of it."


@exercise(
    "3.2",
    title="The generator's step",
    difficulty=2,
    minutes=8,
    hints=[
        "The data play no part in it. What does the generator's loss need to know?",
        "The gradient has to travel from the loss through D into the fakes, and on into G.",
        "`loss.generator(None, discriminator(generator(latents)))`, then the same three lines as for D.",
    ],
)
def generator_step(answer):
    for loss in (LOSSES["non_saturating"], LOSSES["least_squares"]):
        generator, discriminator, real, latents = _players()
        before = weights_of(generator), weights_of(discriminator)
        fake_logits = discriminator(generator(latents))
        right = loss.generator(None, fake_logits)
        slope = _slope(right, generator)
        mistakes = [
            (
                loss.discriminator(discriminator(real), fake_logits),
                "that is D's loss, which G would make small: it helps D to tell them apart.",
            ),
            (
                loss.generator(None, fake_logits.sigmoid()),
                "a sigmoid too many: the losses of this course take logits.",
            ),
            (
                LOSSES["minimax"].generator(None, fake_logits),
                "that is the saturating loss, log(1 − D). Use the `loss` that is handed in.",
            ),
            (
                LOSSES["non_saturating"].generator(None, fake_logits),
                "with least squares, the step still follows log D. Use the `loss` that is handed in.",
            ),
        ]
        mistakes = [(_slope(value, generator), message) for value, message in mistakes]

        optimizer, heard = _optimizer(generator), []
        next(generator.parameters()).register_hook(heard.append)  # called when a gradient arrives
        arguments = (generator, discriminator, optimizer, latents, loss)
        returned = _take(answer, *arguments, name="`generator_step`")
        if moved(before[1], weights_of(discriminator)):
            raise Wrong("the discriminator's weights moved; in this step only G learns.")
        expect_trainable(discriminator, "D")
        expect_trainable(generator, "the generator")
        if not heard and any(parameter.grad is not None for parameter in discriminator.parameters()):
            raise Wrong(
                "no gradient has reached the generator, though D got one: the fakes were detached. Nothing "
                "may be cut between G and the loss here."
            )
        _check_step(weights_of(generator) - before[0], generator, slope, mistakes, "the generator")
        _expect_loss(returned, right)
    return "two steps, and you have every line of a GAN that learns."


@exercise(
    "3.3",
    title="Where D pulls",
    difficulty=2,
    minutes=10,
    hints=[
        "The samples are now what you differentiate by: `points.detach().requires_grad_()`.",
        "`torch.autograd.grad(value, points)` returns a tuple with one gradient.",
        "The mean over N samples divides each arrow by N. Take the sum of softplus(−t), and turn the sign.",
    ],
)
def pull(answer):
    _, discriminator, points, more_points = _players()
    _check_pull(answer, discriminator, points)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        another = mlp_discriminator((2,), hidden=(8,))
    return _check_pull(answer, another, 2 * more_points[:5])


def _check_pull(answer, discriminator, points):
    count, before = len(points), weights_of(discriminator)
    right = generator_pull(discriminator, points)
    d = discriminator(points).sigmoid().detach()[:, None]
    uphill = right / (1 - d)  # ∇t
    result = call_unchanged(answer, discriminator, points, name="`pull`")
    if moved(before, weights_of(discriminator)):
        raise Wrong("D's weights have changed: `pull` only asks where D would send the points.")
    expect_trainable(discriminator, "D")
    arrows = as_tensor(result, "the array of arrows")
    expect_shape(arrows, (count, 2), "the array of arrows")
    mistakes = [
        (-right, "the arrows point the wrong way: they show the slope of the loss, and G goes downhill."),
        (
            right / count,
            "each arrow is divided by N, the number of its neighbours. Sum, not mean.",
        ),
        (
            -right / count,
            "two things: the arrows should go downhill, and be a sum's slope, not a mean's.",
        ),
        (uphill, "that is ∇t, the slope of D's logit. The loss weighs it: by how much, where D is sure?"),
        (d * (1 - d) * uphill, "that is the slope of the probability D(x), not of −log D(x)."),
        (d * uphill, "that is the pull of the saturating loss, log(1 − D). Here the loss is −log D."),
        (
            torch.nn.functional.normalize(right, dim=1),
            "all arrows have length 1: their lengths say how hard D pulls, so leave them as they are.",
        ),
    ]
    for mistake, message in mistakes:
        if matches(arrows, mistake, tolerance=1e-6):
            raise Wrong(message)
    if not matches(arrows, right, tolerance=1e-5):
        alike = torch.nn.functional.cosine_similarity(arrows, right.double(), dim=1)
        if (alike > 0.999).all():
            times = (arrows.norm(dim=1) / right.norm(dim=1))[:2]
            raise Wrong(
                "all arrows have the right direction, but not the right length: the first is "
                f"{times[0]:.3g} times as long as it should be, the second {times[1]:.3g} times. Which "
                "weight is it?"
            )
        raise Wrong(
            "these are not the arrows of −log D: softplus(−t), t being D's logits at the points, summed, and "
            "differentiated with respect to the points. Where does yours depart from that?"
        )
    expect_like(result, dtype=points.dtype, name="the array of arrows")
    return "by the chain rule these arrows are all that the generator ever hears about the data."


@exercise(
    "3.4",
    title="Count the modes",
    difficulty=2,
    minutes=10,
    hints=[
        "`torch.cdist(samples, modes)` holds all distances, (N, K). Which mode is nearest to a sample?",
        "`distance, nearest = torch.cdist(samples, modes).min(dim=1)`; good is `distance <= 3 * std`.",
        "Only good samples cover a mode: `nearest[good].unique()`.",
    ],
)
def count_modes(answer):
    rng = torch.Generator().manual_seed(0)
    modes, std = ring().modes, 0.1
    angle = 6.283 * torch.rand(60, 1, generator=rng)
    strays = 1.3 * torch.cat([angle.cos(), angle.sin()], dim=1)
    near = modes[[1, 1, 4]].repeat(30, 1) + std * torch.randn(90, 2, generator=rng)
    edge = modes[6:7] + torch.tensor([[0.25, 0.25]])  # inside the square of ±3σ, outside the circle
    middle = modes[2:3] + torch.tensor([[0.0, 0.2]])  # at 2σ: good
    far = modes[7:8] + torch.tensor([[0.4, 0.0]])  # at 4σ, and 0.4² < 3σ
    samples = torch.cat([strays, near, edge, middle, far])
    right = mode_coverage(samples, modes, std)
    found = call_unchanged(answer, samples, modes, std, name="`count_modes`")
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise Wrong("return two things: the number of covered modes, and the fraction of good samples.")
    covered, fraction = (
        as_tensor(part, name) for part, name in zip(found, ("the count", "the fraction"), strict=True)
    )
    expect_shape(covered, (), "the count")
    expect_shape(fraction, (), "the fraction")

    distance, nearest = torch.cdist(samples, modes).min(dim=1)
    if matches(covered, right.good_fraction) and matches(fraction, right.covered):
        raise Wrong("the two are in the wrong order: first the count, then the fraction.")
    if matches(covered, right.covered / len(modes)):
        raise Wrong("the first number is a fraction of the modes; return how many there are.")
    if matches(fraction, 100 * right.good_fraction):
        raise Wrong("the second number is in percent: leave it a fraction, between 0 and 1.")
    if matches(fraction, right.good_fraction) and covered < right.covered:
        raise Wrong(
            "the fraction is right, but a mode is missing from the count: one good sample is enough to "
            "cover it."
        )
    if matches(covered, nearest.unique().numel()):
        raise Wrong("every sample has a nearest mode, however far away. Only *good* samples cover one.")
    squared = torch.cdist(samples, modes).square().min(dim=1).values <= 3 * std
    box = ((samples[:, None] - modes).abs() <= 3 * std).all(-1)
    for within, message in (
        (distance <= std, "that counts samples within one σ of a mode; good is within three."),
        (squared, "that compares a *squared* distance with 3σ: square both, or neither."),
        (box.any(dim=1), "that looks for samples in a square of ±3σ; a mode is round: take the distance."),
    ):
        if matches(fraction, within.double().mean()):
            raise Wrong(message)
    if matches(fraction, right.good_fraction * len(samples)):
        raise Wrong("the second number is a count; divide it by the number of samples.")
    if matches(fraction, 1 - right.good_fraction):
        raise Wrong("that is the fraction of the bad samples.")
    if not matches(fraction, right.good_fraction):
        expect_varied("the pair")
        reach = distance.sort().values[max(0, min(len(distance), round(fraction.item() * len(distance))) - 1)]
        raise Wrong(
            f"of these samples {fraction.item():.1%} are good for you, as many as lie within "
            f"{reach / std:.2g} σ of "
            "a mode. Good are those within three."
        )
    expect_close(covered, right.covered, name="the number of covered modes")
    corners = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    for samples, std in ((torch.cat([corners + 0.9, corners[:1] - 0.3]), 0.5), (corners[:2] + 2, 0.2)):
        right = mode_coverage(samples, corners, std)
        found = call_unchanged(answer, samples, corners, std, name="`count_modes`")
        if not matches(found, [right.covered, right.good_fraction]):
            raise Wrong(
                f"right for the ring, but not for {len(samples)} samples, three other modes and σ = {std}: "
                f"{right.covered} covered and {right.good_fraction:.0%} good, and you find {shown(found)}."
            )
    return "of a perfect generator's samples, 98.9 % are good: 1 − e^(−9/2) of a Gaussian lies within 3σ."


@exercise(
    "3.5",
    title="Predict what ten steps do",
    difficulty=1,
    minutes=3,
    hints=["While D stands still, where on the plane would a greedy generator send all of its samples?"],
)
def ten_generator_steps(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "more steps of G are not more learning: G only knows what D says *now*, and D stands still.",
            "c": "G's steps do not make D surer. It is D that hardly gets a turn.",
            "d": "nothing in G's loss asks for variety: each sample alone follows D's arrows. To where?",
        },
    )
    return "run the next cell, and watch where the crowd goes."


@exercise(
    "3.6",
    title="Pack two samples",
    difficulty=1,
    minutes=5,
    hints=[
        "Two rows of (N, dim) become one row of (N / 2, 2·dim). No number changes its place in memory.",
        "`reshape(-1, …)` works out the number of rows.",
    ],
)
def pack(answer):
    wide = torch.linspace(-1, 1, 36).reshape(12, 3)  # samples of three numbers
    for packing in (2, 4):
        samples = torch.arange(48.0).reshape(24, 2)
        found = as_tensor(call(answer, samples, packing, name="`pack`"), "the packed samples")
        shape = (24 // packing, 2 * packing)
        if packing != 2 and tuple(found.shape) == (12, 4):
            raise Wrong(f"this packs 2 whatever `packing` is: for `packing` = {packing} expect {shape}.")
        if tuple(found.shape) == shape[::-1]:
            raise Wrong(f"{tuple(found.shape)} is the transpose: one row for each pack, {shape}.")
        if tuple(found.shape) == (24, 2 * packing):
            raise Wrong("there are as many rows as before: a sample may be in one pack only.")
        expect_shape(found, shape, "the result")
        points = found.reshape(-1, 2)
        if not (points[:, 1] - points[:, 0] == 1).all():
            raise Wrong("the coordinates got mixed up: x₁ and x₂ of one sample have to stay side by side.")
        first = points[:, 0].reshape(shape[0], packing)
        if any(len(row.unique()) < packing for row in first):
            raise Wrong(
                "a pack holds copies of one sample. Then D sees no more than before: pack different ones."
            )
        if len(points[:, 0].unique()) < 24:
            raise Wrong("some samples are in two packs, and others in none.")
    found = as_tensor(call(answer, wide, 3, name="`pack`"), "the packed samples")
    expect_shape(
        found,
        (4, 9),
        "the result",
        "right for samples of two numbers, but twelve samples of *three* numbers, three to a pack, must have "
        f"shape (4, 9), and have {tuple(found.shape)}. Take the sizes from `samples`.",
    )
    if not matches(found.reshape(12, 3)[found[:, ::3].flatten().argsort()], wide):
        raise Wrong("right for samples of two numbers, but those of three come out mixed up, or as others.")
    return "any way of pairing is fine, as the samples are independent."
