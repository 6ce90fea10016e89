"""The exercises of notebook 03: a GAN on a line and on a plane."""

import copy

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
    expect_same_again,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.checks.watching import expect_new_latents, expect_own_gradients, used_by, watching
from course_utils.data.toy import gaussian_mixture, ring
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
    optimizer = torch.optim.SGD(network.parameters(), RATE)
    optimizer.steps = 0

    def count(*_):
        optimizer.steps += 1

    optimizer.register_step_pre_hook(count)
    return optimizer


def _slope(value, network):
    slopes = torch.autograd.grad(value, [*network.parameters()], retain_graph=True)
    return torch.cat([slope.flatten() for slope in slopes])


def _take(answer, discriminator, optimizer, real, fake, loss, name):
    """Let the answer take its step; some errors are mistakes with a name.

    The fakes are handed over as they are, part of the generator's graph: a copy would be cut off from it.
    """
    fakes_before = fake.detach().clone()

    def with_the_graph(discriminator, optimizer, real, loss):
        return answer(discriminator, optimizer, real, fake, loss)

    function = with_the_graph if callable(answer) else answer
    try:
        returned = call_unchanged(function, discriminator, optimizer, real, loss, name=name)
    except NotImplementedError:
        raise
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        said = str(error)
        if "detach views in-place" in said:
            raise Wrong(
                "`fake.detach_()` would cut the *caller's* fakes off the generator, whose own step still "
                "needs their history. `fake.detach()`, without the stroke, makes another tensor."
            ) from None
        if "does not require grad" in said:
            raise Wrong(
                "the loss has no way back to a weight: a `detach` or `no_grad` has cut the graph. A gradient "
                "has to reach the weights of the player whose step it is."
            ) from None
        if "modified by an inplace operation" in said:
            raise Wrong(
                "the weights moved before `backward`, along an *old* gradient. First `backward`, then `step`."
            ) from None
        if "missing 1 required positional argument: 'fake_logits'" in said:
            raise Wrong(
                "the losses take two arguments, first D's logits of the data, then those of the fakes; the "
                "generator's too, though most of them do not look at the first."
            ) from None
        if loss.generator_sees_real and ("real" in said or "NoneType" in said):
            raise Wrong(
                "right for losses that look at the fakes only. The relativistic loss compares: G's step has "
                "to hand it D's logits of the data as well."
            ) from None
        raise
    if moved(fakes_before, fake):
        raise Wrong(f"{name} changes `fake` itself, in place. Leave it as it was, and make something new.")
    return returned


def _check_step(change, network, optimizer, slope, mistakes, who, again, heard) -> None:
    """Raise Wrong unless the network changed by −RATE·slope.

    `mistakes` are other slopes, and what to say; `again()` is the change that a second try makes; `heard`
    holds the gradients that have arrived at the network's first weights.
    """
    if not change.any():
        if not heard:
            raise Wrong(
                f"{who} has not moved: no gradient has come as far as its weights. Does the step go "
                "`backward()` from the loss, and is nothing cut off on the way?"
            )
        if not any(gradient.any() for gradient in heard):
            raise Wrong(
                f"{who} has not moved: the gradient that reaches it is 0, so the loss does not depend on it. "
                "Are the two kinds of logits in each other's place, or one kind in both places?"
            )
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
    if not optimizer.steps:
        raise Wrong(
            f"{who} has moved, but the `optimizer` that was handed in took no step: use that one, which "
            "remembers "
            "from step to step."
        )
    for mistake, message in mistakes:
        if matches(change, -RATE * mistake, tolerance=1e-5):
            raise Wrong(message)
    if not matches(again(), change, tolerance=1e-6):
        raise Wrong(
            f"{who} moves in another way each time, from the same start and with the same batches: is "
            "there a random "
            "number in its step? It has to see the samples as they are."
        )
    times = (change @ slope) / (-RATE * slope @ slope)  # how many steps along the right slope, at best
    if matches(change, -RATE * times * slope, tolerance=1e-5):
        raise Wrong(
            f"{who} went in the right direction, but {times:.3g} times as far as one step goes. Is there "
            "a second step, a factor before the loss, or a gradient that is clipped?"
        )
    alike = torch.nn.functional.cosine_similarity(change, -slope, dim=0)
    raise Wrong(
        f"{who} moved, but not down the gradient of its loss (the cosine between the two is "
        f"{alike:.4f}). Were all "
        "the samples that were handed in, and no others, in a loss of the kind that was handed in?"
    )


def _expect_loss(returned, right, others=()) -> None:
    """Raise Wrong unless the loss is returned; `others` are values that mistakes return, and what to say."""
    returned = as_tensor(returned, "the returned loss")
    expect_shape(returned, (), "the returned loss", "return the loss as one number: the mean over the batch.")
    if not matches(returned, right.detach()):
        for value, message in others:
            if matches(returned, value.detach()):
                raise Wrong(message)
        if matches(returned, -right.detach()):
            raise Wrong("the step is right, but the returned loss is turned in its sign.")
        raise Wrong(
            f"the step is right, but the returned loss is {returned.item():.4g}. Return the value that you "
            "went `backward` from, as it was before the step."
        )


@exercise(
    "3.1",
    title="The discriminator's step",
    difficulty=2,
    minutes=12,
    seconds=60,  # the first optimiser of a kernel is slow to load
    hints=[
        "In this order: cut the fakes off, show D both batches, compute the loss, clear, go backward, step.",
        "`loss.discriminator(real_logits, fake_logits)` wants the data's logits first.",
        "`fake.detach()` cuts the fakes off the generator: no gradient flows back into it, and its graph is "
        "still there for G's step.",
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
                loss.generator(real_logits, fake_logits),
                "that is the generator's loss: D helps the generator. D minimises `loss.discriminator`.",
            ),
            (
                loss.discriminator(real_logits.sigmoid(), fake_logits.sigmoid()),
                "a sigmoid too many: the losses of this course take logits.",
            ),
            (
                loss.discriminator(real_logits, real_logits),
                "the fakes are not in it: both of the loss's arguments are D's logits of the data.",
            ),
            (
                loss.discriminator(fake_logits, fake_logits),
                "the data are not in it: both of the loss's arguments are D's logits of the fakes.",
            ),
            (
                LOSSES["non_saturating"].discriminator(real_logits, fake_logits),
                "with least squares, the step still follows log D. Use the `loss` that is handed in.",
            ),
        ]
        mistakes = [(_slope(value, discriminator), message) for value, message in mistakes]

        optimizer, fake, heard = _optimizer(discriminator), generator(latents), []
        next(discriminator.parameters()).register_hook(heard.append)  # called when a gradient arrives
        returned = _take(answer, discriminator, optimizer, real, fake, loss, name="`discriminator_step`")
        expect_trainable(generator, "the generator")
        expect_trainable(discriminator, "the discriminator")
        if moved(before[0], weights_of(generator)):
            raise Wrong("the generator's weights moved; in this step only D learns.")
        if any(parameter.grad is not None for parameter in generator.parameters()):
            raise Wrong(
                "gradients have reached the generator, and its graph is used up: its own step, which goes on "
                "with the same fakes, would fail. Where can you cut the graph between the generator and D?"
            )

        def again(loss=loss):
            generator, discriminator, real, latents = _players()
            answer(discriminator, _optimizer(discriminator), real, generator(latents), loss)
            return weights_of(discriminator) - before[1]  # noqa: B023, used in this round only

        change = weights_of(discriminator) - before[1]
        _check_step(change, discriminator, optimizer, slope, mistakes, "the discriminator", again, heard)
        if not isinstance(returned, (tuple, list)) or len(returned) != 3:
            raise Wrong(
                "the step is right. Return three things: the loss, D's logits of the data, and those of the "
                "fakes, all as they were before the step."
            )
        after = (
            loss.discriminator(discriminator(real), discriminator(fake)),
            (
                "the step is right, but the returned loss was worked out anew, after the step. Return the "
                "value "
                "that "
                "you went `backward` from."
            ),
        )
        _expect_loss(returned[0], right, [after])
        names = [f"the logits of the {whose}" for whose in ("data", "fakes")]
        found = [as_tensor(logits, name) for logits, name in zip(returned[1:], names, strict=True)]
        for logits, expected, name in zip(found, (real_logits, fake_logits), names, strict=True):
            expect_shape(logits, (len(real),), name)
            if matches(logits, expected.detach().sigmoid()):
                raise Wrong(
                    f"the step is right, but {name} come back as probabilities: leave the sigmoid out."
                )
            if matches(found[0], fake_logits.detach()) and matches(found[1], real_logits.detach()):
                raise Wrong("the step is right; of the logits, return the data's first, then the fakes'.")
            if not matches(logits, expected.detach()):
                raise Wrong(
                    f"the step is right, but what you return as {name} is not what D said *before* the step."
                )
    return "D has moved, and the generator has felt nothing of it."


@exercise(
    "3.2",
    title="The generator's step",
    difficulty=2,
    minutes=8,
    seconds=60,  # the first optimiser of a kernel is slow to load
    hints=[
        "The fakes are there already. What does D say of them, and what does the loss make of that?",
        "The gradient has to travel from the loss through D into the fakes, and on into G.",
        "`loss.generator(discriminator(real), discriminator(fake))`, then three lines as in D's step.",
    ],
)
def generator_step(answer):
    for name in ("non_saturating", "least_squares", "relativistic"):
        loss = LOSSES[name]
        generator, discriminator, real, latents = _players()
        before = weights_of(generator), weights_of(discriminator)
        real_logits, fake_logits = discriminator(real), discriminator(generator(latents))
        right = loss.generator(real_logits, fake_logits)
        slope = _slope(right, generator)
        mistakes = [
            (
                loss.discriminator(real_logits, fake_logits),
                "that is D's loss, which G would make small: it helps D to tell them apart.",
            ),
            (
                loss.generator(real_logits.sigmoid(), fake_logits.sigmoid()),
                "a sigmoid too many: the losses of this course take logits.",
            ),
            (
                LOSSES["minimax"].generator(None, fake_logits),
                "that is the saturating loss, log(1 − D). Use the `loss` that is handed in.",
            ),
            (
                LOSSES["non_saturating"].generator(None, fake_logits),
                f"the step follows log D, though the loss is {name}. Use the `loss` that is handed in"
                + (", and hand it what D says of the data: it compares." if name == "relativistic" else "."),
            ),
        ]
        mistakes = [(_slope(value, generator), message) for value, message in mistakes]

        optimizer, heard = _optimizer(generator), []
        next(generator.parameters()).register_hook(heard.append)  # called when a gradient arrives
        fake = generator(latents)
        returned = _take(answer, discriminator, optimizer, real, fake, loss, name="`generator_step`")
        if moved(before[1], weights_of(discriminator)):
            raise Wrong("the discriminator's weights moved; in this step only G learns.")
        expect_trainable(discriminator, "D")
        expect_trainable(generator, "the generator")
        if not heard and any(parameter.grad is not None for parameter in discriminator.parameters()):
            raise Wrong(
                "no gradient has reached the generator, though D got one: the fakes were detached, or the "
                "loss got other logits in their place. Nothing may be cut between G and the loss here."
            )

        def again(loss=loss):
            generator, discriminator, real, latents = _players()
            answer(discriminator, _optimizer(generator), real, generator(latents), loss)
            return weights_of(generator) - before[0]  # noqa: B023, used in this round only

        change = weights_of(generator) - before[0]
        _check_step(change, generator, optimizer, slope, mistakes, "the generator", again, heard)
        exchanged = (
            loss.discriminator(fake_logits, real_logits),
            (
                "that is D's loss with the data and the fakes in each other's place. For this loss its slope "
                "happens to "
                "be the same; its value is another, and for other losses the step is. Use `loss.generator`."
            ),
        )
        after = (
            loss.generator(discriminator(real), discriminator(generator(latents))),
            (
                "the step is right, but the returned loss was worked out anew, after the step. Return the "
                "value "
                "that "
                "you went `backward` from."
            ),
        )
        _expect_loss(returned, right, [exchanged, after])
    return "two steps, and the rest is a loop around them."


# --- the whole GAN -----------------------------------------------------------------------------------------

HIDDEN = gaussian_mixture([(-1.6, 0.8), (1.4, -0.6)], 0.4)  # data that no text shows
ROUNDS = 400


class _Draws:
    """A sampler that notes how it is called."""

    def __init__(self, density):
        self.density, self.count, self.given = density, 0, []

    def __call__(self, n=None, rng=None, *others):
        self.count += 1
        if not isinstance(rng, torch.Generator):
            raise Wrong(
                "call it as `draw(256, rng)`, with a `torch.Generator` of yours that was seeded with `start`."
            )
        if not isinstance(n, int) or n < 16:  # a batch of another size, such as 64, may learn as well
            raise Wrong(f"a batch is of 256 samples: `draw(256, rng)`; you asked for {shown(n)}.")
        if self.count > 2 * ROUNDS + 40:
            raise Wrong("the loop goes on and on: it should stop after `rounds` rounds.")
        batch = self.density.sample(n, rng)
        self.given = [*self.given[:1], batch]
        return batch.clone()


def _whole(answer, dim, rounds, start):
    """(generator, discriminator, draws) of one call, both networks looked at from outside."""
    draws = _Draws(HIDDEN if dim == 2 else gaussian_mixture([-1.0, 2.0], 0.3))
    with watching() as seen:
        found = call(answer, draws, dim, rounds, start, name="`whole_gan`")
    if not (
        isinstance(found, (tuple, list))
        and len(found) == 2
        and all(isinstance(one, torch.nn.Module) for one in found)
    ):
        raise Wrong("return two networks: `generator, discriminator`.")
    generator, discriminator = found
    for network, who in ((generator, "the generator"), (discriminator, "the discriminator")):
        expect_trainable(network, who)
        places = {weight.device.type for weight in network.parameters()} - {"cpu"}
        if places:
            raise Wrong(
                f"{who} comes back on the device `{places.pop()}`; in this notebook everything is on the "
                "CPU: "
                "leave it there, or bring it back with `.cpu()`."
            )
    draws.seen = seen
    expect_own_gradients(seen, generator, discriminator)
    expect_new_latents(seen, generator)
    if len(draws.given) == 2 and torch.equal(*draws.given):
        raise Wrong(
            "each round sees the same batch: the generator of random numbers starts anew every time. Make "
            "and "
            "seed it once, before the loop."
        )
    rng = torch.Generator().manual_seed(1)
    samples = _through(generator, torch.randn(64, dim, generator=rng), "the generator", dim)
    if samples.shape == (64,) and dim > 1:
        raise Wrong(
            "what comes first gives one number for each point: that is D. Return the generator first."
        )
    expect_shape(
        samples,
        (64, dim),
        "the generator's output",
        f"64 latents ({dim} numbers each) become samples of shape {tuple(samples.shape)}; it should be (64, "
        f"{dim}).",
    )
    logits = _through(discriminator, 30 * torch.randn(64, dim, generator=rng), "the discriminator", dim)
    expect_shape(
        logits,
        (64,),
        "the discriminator's output",
        f"D's logits of 64 points have shape {tuple(logits.shape)}; it should be (64,): one number for each. "
        "`nn.Flatten(0)` as its last layer does that.",
    )
    if ((logits >= 0) & (logits <= 1)).all() and logits.unique().numel() > 1:
        raise Wrong(
            "D returns probabilities, between 0 and 1. Return the logit: leave out the sigmoid at its end."
        )
    alone = torch.ones(1, dim)
    for network, shape, who in (
        (generator, (1, dim), "the generator"),
        (discriminator, (1,), "the discriminator"),
    ):
        # in evaluation mode, since batch normalisation cannot train on one
        found = tuple(_through(copy.deepcopy(network).eval(), alone, who, dim).shape)
        if found != shape:
            raise Wrong(
                f"right for a batch, but for a single point {who} gives the shape {found}, where {shape} "
                "belongs. "
                "`squeeze()` takes out *every* axis of length 1, the batch's too: name the axis, or use "
                "`nn.Flatten(0)`."
            )
    wide = _through(generator, 1_000 * torch.randn(256, dim, generator=rng), "the generator", dim)
    if wide.abs().max() <= 1 and wide.unique().numel() > 1:
        raise Wrong(
            "no sample of your generator can leave the square from −1 to 1: is there a `tanh` at its end? "
            "The data go farther out."
        )
    return generator, discriminator, draws


def _through(network, inputs, who, dim):
    try:
        with torch.no_grad():
            result = network(inputs)
    except Exception as error:
        raise Wrong(f"{who} does not take {dim} numbers for each point: {str(error)[:200]}") from None
    if not isinstance(result, torch.Tensor):
        raise Wrong(f"{who} should return a tensor, and returns {shown(result)}.")
    if not result.isfinite().all():
        raise Wrong(f"{who} returns NaN or infinite values.")
    return result


@exercise(
    "3.3",
    title="The whole GAN, from an empty cell",
    difficulty=3,
    minutes=30,
    seconds=180,  # it trains
    hints=[
        "First seed everything, then in this order: two networks, two optimisers (each holds the weights of "
        "*one* network), a loop. In the loop: a batch, fakes, D's step, G's step.",
        "Networks: `nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, "
        "dim))`; D's last layer gives 1 number, then `nn.Flatten(0)`. Optimisers: "
        "`torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.0, 0.99))`.",
        "With logits t, −log D(x) is `softplus(-t)` and −log(1 − D(x)) is `softplus(t)`. D's loss has one of "
        "each, G's loss is `softplus(-discriminator(fake)).mean()`.",
    ],
)
def whole_gan(answer):
    try:
        untrained = _whole(answer, 2, 0, 1)
    except (UnboundLocalError, NameError, IndexError, ZeroDivisionError) as error:
        raise Wrong(
            f"with `rounds` = 0 it stops: {error}. What the loop makes is not there when no round is played; "
            "the two networks should come back untrained."
        ) from None
    start = weights_of(untrained[0]), weights_of(untrained[1])
    if untrained[2].count > 20 or untrained[2].seen.steps:
        raise Wrong("with `rounds` = 0 the networks should come back untrained, and yours have played.")
    again, other = _whole(answer, 2, 0, 1), _whole(answer, 2, 0, 2)
    if moved(start[0], weights_of(again[0])) or moved(start[1], weights_of(again[1])):
        raise Wrong(
            "two calls with the same `start` begin with different weights. Call `torch.manual_seed(start)` "
            "before you make the networks."
        )
    if not (moved(start[0], weights_of(other[0])) and moved(start[1], weights_of(other[1]))):
        raise Wrong("another `start`, and a network begins with the same weights. All chance comes from it.")
    generator, discriminator, draws = _whole(answer, 2, 3, 1)
    if draws.count < 3:
        raise Wrong(
            f"in 3 rounds your loop has drawn {draws.count} batches. Each round has to see fresh data: "
            "`draw(256, rng)` belongs into the loop."
        )
    if draws.count > 30:
        raise Wrong(f"`rounds` is 3, and your loop has drawn {draws.count} batches.")
    for before, network, who in (
        (start[0], generator, "generator"),
        (start[1], discriminator, "discriminator"),
    ):
        if not moved(before, weights_of(network)):
            raise Wrong(
                f"after 3 rounds the {who} is still what it was before. {_why_it_rests(network, draws)}"
            )
    again = _whole(answer, 2, 3, 1)
    if moved(weights_of(generator), weights_of(again[0])):
        raise Wrong(
            "two games with the same `start` go different ways. Draw data *and* latents from a generator of "
            "random numbers that was seeded with `start`."
        )
    try:
        _whole(answer, 1, 2, 1)
    except RuntimeError as error:
        raise Wrong(f"right on the plane, but on a line (`dim` = 1) it stops: {str(error)[:200]}") from None
    try:
        return _what_it_learns(*_whole(answer, 2, ROUNDS, 3))
    except Wrong as first:  # a right one may miss a hill from one start, and hardly from two
        try:
            return _what_it_learns(*_whole(answer, 2, ROUNDS, 4))
        except Wrong:
            raise first from None


def _why_it_rests(network, draws) -> str:
    """Why a network has not moved, from the steps that were taken."""
    mine = {id(weight) for weight in network.parameters()}
    if any(mine & step.without for step in draws.seen.steps):
        return (
            "Its optimiser takes steps, but no gradient comes: is something detached in its *own* step, too?"
        )
    if draws.seen.steps_of(network):
        return "Its optimiser takes steps, and they move nothing: is the learning rate 0?"
    networks = {id(call.network) for call in draws.seen.calls}
    if id(network) not in networks:
        return "It has not been called in any round: is the one that you return another than the one trained?"
    return "No optimiser that holds its weights takes a step."


def _is_linear(network) -> bool:
    """Whether it bends nowhere: f(a) + f(b) = f(a + b) + f(0)."""
    a, b = 5 * torch.randn(2, 64, 2, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return torch.allclose(
            network(a) + network(b), network(a + b) + network(torch.zeros_like(a)), rtol=1e-3, atol=1e-3
        )


def _without_d(seen, generator, discriminator) -> bool:
    """Whether no backward pass that feeds G's steps has come through D, whose weights are not frozen."""
    judge = {id(weight) for weight in discriminator.parameters()}
    passes = used_by(seen, generator)
    return bool(passes) and not any(seen.through[one - 1] & judge for one in passes)


def _what_it_learns(generator, discriminator, draws):
    rng = torch.Generator().manual_seed(2)
    real = HIDDEN.sample(2_000, rng)
    with torch.no_grad():
        samples = generator(torch.randn(2_000, 2, generator=rng))
        on_data, on_samples = discriminator(real).mean(), discriminator(samples).mean()
    found = mode_coverage(samples, HIDDEN.modes, HIDDEN.std, at_least=100)
    good = f"{found.good_fraction:.0%}"
    if found.covered == 2 and found.good_fraction > 0.5:
        return f"on two hills that you have not seen, {good} of its samples lie on one after {ROUNDS} rounds."
    state = (
        f"after {ROUNDS} rounds on two hills, {good} of the samples lie on one, and {found.covered} of the "
        "two are found."
    )
    for network, who in ((generator, "generator"), (discriminator, "discriminator")):
        if _is_linear(network):
            raise Wrong(
                f"{state} The {who} is linear: layers with nothing that bends between them are one layer. "
                "Put a ReLU after each but the last."
            )
    if _without_d(draws.seen, generator, discriminator):
        raise Wrong(
            f"{state} The generator's loss does not go through D. What D says of the fakes is all that G may "
            "learn from: −log D."
        )
    if on_data < on_samples - 1:
        raise Wrong(f"{state} D takes the *fakes* for real: in its loss, are the labels swapped?")
    if samples.norm(dim=1).mean() > 5 or on_data > on_samples + 4:
        raise Wrong(
            f"{state} D tells them apart with ease, and the samples do not come nearer: does G walk down "
            "−log D of its fakes, or up?"
        )
    raise Wrong(
        f"{state} Both players move, but too little is learnt. What decides is momentum: Adam with a "
        "learning rate of about 2·10⁻³ and β₁ = 0 or 0.5, not its default of 0.9. Then: one step each in "
        "every round, gradients cleared before each."
    )


@exercise(
    "3.4",
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
    praise = _check_pull(answer, another, 2 * more_points[:5])
    with torch.no_grad():
        [*another.parameters()][-1].fill_(-300.0)  # the bias of the logit: D is sure that all are generated
    found = torch.as_tensor(call(answer, another, more_points, name="`pull`"))
    if not found.isfinite().all() or not matches(found, generator_pull(another, more_points)):
        raise Wrong(
            "right for moderate logits, but not where D is sure: at t = −300 the arrow should be ∇t, and "
            f"yours is {[round(value, 3) for value in found[0].tolist()]}. σ(t) has become 0 there, and its "
            "logarithm with it: use `softplus(-t)` or `logsigmoid(t)`."
        )
    alone = call(answer, another, more_points[:1], name="`pull`")
    if tuple(getattr(alone, "shape", ())) != (1, 2):
        raise Wrong(
            "right for many points, but for a single one the array of arrows has the shape "
            f"{tuple(getattr(alone, 'shape', ()))}, where (1, 2) belongs: is an axis of length 1 squeezed "
            "out?"
        )
    expect_same_again(answer, discriminator, points, name="`pull`")
    return praise


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
        (-d * uphill, "those lead down −log(1 − D), D's own loss on fakes: away from the data."),
        ((1 - d) * right, "the weight 1 − D is in there twice: autograd brings it along already."),
        (points + right, "those are the points after the move; the arrows themselves are asked for."),
        (
            right.mean(dim=0).expand_as(right),
            "that is one arrow for all points, their mean. Each point has an arrow of its own.",
        ),
        (right / 0.6931472, "that is the slope of log₂ D; natural logarithms, please."),
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
            if matches(times[0], times[1]):
                raise Wrong(
                    f"all arrows have the right direction, but not the right length: {times[0]:.3g} times "
                    "what it should be. Is something divided by a fixed number, such as a batch's size?"
                )
            raise Wrong(
                "all arrows have the right direction, but not the right length: the first is "
                f"{times[0]:.3g} times as long as it should be, the second {times[1]:.3g} times. Which "
                "weight is it?"
            )
        for mixed in (right, uphill):  # (N, 2) read off in the order of (2, N)
            if matches(arrows, mixed.T.reshape(count, 2), tolerance=1e-5):
                raise Wrong(
                    "the coordinates got mixed up: x₁ and x₂ of one arrow have to stay side by side. "
                    "`reshape` and `view` read the numbers off row by row; they do not transpose."
                )
        nearest = torch.cdist(arrows, right.double()).argmin(dim=1)
        if matches(arrows, right[nearest], tolerance=1e-5) and nearest.unique().numel() == count:
            raise Wrong("those are the right arrows, but at other points: in which order do they come back?")
        lengths, others = arrows.norm(dim=1).sort().values, right.norm(dim=1).double().sort().values
        if matches(lengths, others, tolerance=1e-4):
            raise Wrong("the arrows have the right lengths, but in other directions, or at other points.")
        if alike.mean() > 0.7:
            off = (arrows - right).norm(dim=1).max() / right.norm(dim=1).max()
            raise Wrong(
                f"nearly: the arrows point roughly the right way, and are off by up to {off:.0%} of the "
                "longest. Are they differences, taken too far apart, or so near each other that float32 "
                "rounds "
                "them off? `torch.autograd.grad` is exact. Or does another point's weight get in?"
            )
        raise Wrong(
            "these are not the arrows of −log D: softplus(−t), t being D's logits at the points, summed, and "
            "differentiated with respect to the points. Where does yours depart from that?"
        )
    expect_like(result, dtype=points.dtype, name="the array of arrows")
    return "by the chain rule these arrows are all that the generator ever hears about the data."


@exercise(
    "3.5",
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
    strays = strays[torch.cdist(strays, modes).argmin(dim=1) != 3]  # nobody is nearest to mode 3
    near = modes[[1, 1, 6]].repeat(30, 1) + std * torch.randn(90, 2, generator=rng)
    edge = modes[4:5] + torch.tensor([[0.25, 0.25]])  # inside the square of ±3σ, outside the circle
    middle = modes[2:3] + torch.tensor([[0.0, 0.2]])  # at 2σ: good
    far = modes[7:8] + torch.tensor([[0.4, 0.0]])  # at 4σ, and 0.4² < 3σ
    between = modes[0:1].norm() * torch.nn.functional.normalize(modes[0:1] + modes[1:2])  # on the circle
    samples = torch.cat([strays, near, edge, middle, far, between.repeat(2, 1)])
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
    if matches(fraction, 1 - right.good_fraction):
        raise Wrong("that is the fraction of the bad samples.")
    if matches(covered, len(modes)):
        raise Wrong(f"{len(modes)} is the number of *all* modes. Count those that have a good sample.")
    if matches(fraction, right.covered / len(modes)):
        raise Wrong("the second number is a fraction of the modes. Of all *samples*, how many are good?")
    if matches(covered, nearest.unique().numel()):
        raise Wrong("every sample has a nearest mode, however far away. Only *good* samples cover one.")
    squared = torch.cdist(samples, modes).square().min(dim=1).values <= 3 * std
    box = ((samples[:, None] - modes).abs() <= 3 * std).all(-1)
    for within, message in (
        (distance <= std, "that counts samples within one σ of a mode; good is within three."),
        (squared, "that compares a *squared* distance with 3σ: square both, or neither."),
        (
            distance <= 3 * std**2,
            "that goes by the variance, 3σ². `std` is σ itself, and good is within 3σ.",
        ),
        (
            torch.cdist(samples, modes, p=1).amin(dim=1) <= 3 * std,
            "that adds the distances along both axes. Good is what lies within 3σ in a straight line.",
        ),
        (
            (samples.norm(dim=1) - modes.norm(dim=1).mean()).abs() <= 3 * std,
            "that looks how far a sample is from the circle. Between two modes lies nothing: how far is it "
            "from the nearest *mode*?",
        ),
        (
            torch.cdist(samples - samples.mean(dim=0), modes).amin(dim=1) <= 3 * std,
            "the samples are moved by their own mean first. Compare them as they are.",
        ),
        (box.any(dim=1), "that looks for samples in a square of ±3σ; a mode is round: take the distance."),
    ):
        if matches(fraction, within.double().mean()):
            raise Wrong(message)
    if matches(fraction, right.good_fraction * len(samples)):
        raise Wrong("the second number is a count; divide it by the number of samples.")
    for count in (100, 1_000, 10_000):
        if matches(fraction, right.good_fraction * len(samples) / count, tolerance=1e-6):
            raise Wrong(
                f"the good samples are divided by {count:,}. Here are {len(samples)}: `len(samples)`."
            )
    if not matches(fraction, right.good_fraction):
        expect_varied("the pair")
        reach = distance.sort().values[max(0, min(len(distance), round(fraction.item() * len(distance))) - 1)]
        raise Wrong(
            f"of these samples {fraction.item():.1%} are good for you, as many as lie within "
            f"{reach / std:.2g} σ of "
            "a mode. Good are those within three."
        )
    if matches(covered, len(modes) - right.covered):
        raise Wrong("the first number is that of the modes that nobody covers.")
    if matches(covered, right.covered + 1):
        raise Wrong(
            "the first number is one too many. Are all bad samples together counted as one more mode, or is "
            "something added?"
        )
    highest = nearest[distance <= 3 * std].max()
    if matches(covered, highest) or matches(covered, highest + 1):
        raise Wrong(
            "the first number is the highest number of a covered mode. How many different ones are there?"
        )
    expect_close(covered, right.covered, name="the number of covered modes")
    corners = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    for samples, std in ((torch.cat([corners + 0.9, corners[:1] - 0.3]), 0.5), (corners[:2] + 2, 0.2)):
        right = mode_coverage(samples, corners, std)
        found = call_unchanged(answer, samples, corners, std, name="`count_modes`")
        if not matches(found, [right.covered, right.good_fraction]):
            fixed = mode_coverage(samples, corners, 0.1)
            if matches(found, [fixed.covered, fixed.good_fraction]):
                raise Wrong("right for the ring, whose σ is 0.1; another σ you do not look at: use `std`.")
            expect_varied("the pair")
            raise Wrong(
                f"right for the ring, but not for {len(samples)} samples, three other modes and σ = {std}: "
                f"{right.covered} covered and {right.good_fraction:.0%} good, and you find {shown(found)}."
            )
    _where_modes_overlap(answer)
    return "of a perfect generator's samples, 98.9 % are good: 1 − e^(−9/2) of a Gaussian lies within 3σ."


def _where_modes_overlap(answer) -> None:
    """A sample near to two modes is one good sample, and covers the nearer one; a single sample will do."""
    modes = torch.tensor([[0.0, 0.0], [0.5, 0.0], [5.0, 0.0]])
    samples = torch.tensor([[0.1, 0.0], [0.2, 0.0], [0.15, 0.1], [5.0, 2.5]])
    for few in (samples, samples[:1]):
        right = mode_coverage(few, modes, 0.2)
        found = call_unchanged(answer, few, modes, 0.2, name="`count_modes`")
        covered, fraction = (as_tensor(part) for part in found)
        within = torch.cdist(few, modes) <= 0.6
        if matches(fraction, within.double().sum() / len(few)) and not matches(fraction, right.good_fraction):
            raise Wrong(
                f"right for modes that lie apart. Where two overlap, {right.good_fraction:.0%} of "
                f"{len(few)} samples "
                f"are good, and you find {fraction:.0%}: a sample that is near to two modes counts twice. "
                "Ask for "
                "its *nearest* mode, first."
            )
        if matches(covered, int(within.any(dim=0).sum())) and not matches(covered, right.covered):
            raise Wrong(
                f"right for modes that lie apart. Where two overlap, {right.covered} is covered here, and "
                "you find "
                f"{covered:g}: a sample near to two modes covers both. It counts for one of them, the "
                "nearest."
            )
        if not matches(found, [right.covered, right.good_fraction]):
            raise Wrong(
                f"right for modes that lie apart, but not for {len(few)} samples where two of three overlap: "
                f"{right.covered} covered and {right.good_fraction:.0%} good, and you find {shown(found)}."
            )


@exercise(
    "3.6",
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
    "3.7",
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
        samples = torch.arange(1.0, 49.0).reshape(24, 2)
        result = call_unchanged(answer, samples, packing, name="`pack`")
        found = as_tensor(result, "the packed samples")
        shape = (24 // packing, 2 * packing)
        if packing != 2 and tuple(found.shape) == (12, 4):
            raise Wrong(f"this packs 2 whatever `packing` is: for `packing` = {packing} expect {shape}.")
        if tuple(found.shape) == shape[::-1]:
            raise Wrong(f"{tuple(found.shape)} is the transpose: one row for each pack, {shape}.")
        if tuple(found.shape) == (24, 2 * packing):
            raise Wrong("there are as many rows as before: a sample may be in one pack only.")
        if tuple(found.shape) == (packing, 48 // packing):
            raise Wrong(
                f"{packing} rows: as many as a pack has samples. It is one row for each *pack*, {shape}."
            )
        if found.dim() == 2 and len(found) == 24 - packing + 1:
            raise Wrong("the packs overlap: a sample may be in one pack only.")
        if tuple(found.shape) == (24 // packing, packing, 2):
            raise Wrong(
                "one axis too many: the samples of a pack stand side by side in *one* row, as if one sample."
            )
        if tuple(found.shape) == (24, 2):
            raise Wrong(f"nothing stands side by side: 24 rows of 2 as before, and {shape} is asked for.")
        if tuple(found.shape) == (24 // packing, 2):
            raise Wrong(
                f"a pack has become a single sample, by a mean or a choice. All {packing} stand side by "
                f"side: {shape}."
            )
        if tuple(found.shape) == (24 // packing - 1, 2 * packing):
            raise Wrong(f"a pack is missing: 24 samples make {24 // packing} packs of {packing}.")
        expect_shape(found, shape, "the result")
        if (found == 0).any():  # the samples begin with 1
            raise Wrong(
                "packs are filled up with zeros, and other samples left out: each goes into one pack."
            )
        if not set(found.flatten().tolist()) <= set(range(1, 49)):
            raise Wrong(
                "some numbers are none of the samples': put samples side by side, and don't calculate."
            )
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
    result = call(answer, wide, 3, name="`pack`")
    found = as_tensor(result, "the packed samples")
    expect_shape(
        found,
        (4, 9),
        "the result",
        "right for samples of two numbers, but twelve samples of *three* numbers, three to a pack, must have "
        f"shape (4, 9), and have {tuple(found.shape)}. Take the sizes from `samples`.",
    )
    if (found == found.round()).all():
        raise Wrong("right for whole numbers only: samples such as 0.5 come out rounded. Leave their type.")
    if not matches(found.reshape(12, 3)[found[:, ::3].flatten().argsort()], wide):
        raise Wrong("right for samples of two numbers, but those of three come out mixed up, or as others.")
    expect_like(
        call(answer, wide.clone().requires_grad_(), 3, name="`pack`"),
        requires_grad=True,
        name="the pack",
    )  # in G's step the gradient comes back through the packs
    return "any way of pairing is fine, as the samples are independent."
