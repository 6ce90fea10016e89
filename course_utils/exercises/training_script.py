"""The checker of exercise 4.6: a training script, judged by what it does inside and by what it learns."""

import copy
import itertools

import torch
from torch import nn

from course_utils.checks import Wrong, as_tensor, call, call_unchanged, expect_like, expect_shape
from course_utils.checks.watching import Seen, expect_new_latents, expect_own_gradients, used_by, watching


def which(found, stored):
    """For each row of `found`, the index of the stored image that it is; −1 for none."""
    same = ((found.flatten(1)[:, None] - stored.double().flatten(1)).abs() < 1e-3).all(2)
    return torch.where(same.any(1), same.int().argmax(1), -1)


RANGES = [  # what a mistake makes of the stored pixels, and what to say to it
    (
        lambda images: images / 255,
        "the pixels run from 0 to 1, but the generator's tanh answers in [−1, 1]. What has to happen to "
        "0 … 255 so that black becomes −1 and white becomes 1?",
    ),
    (
        lambda images: images.float(),
        "the pixels still run from 0 to 255. The networks expect [−1, 1].",
    ),
    (
        lambda images: 2 * images / 255 - 1,  # uint8 · 2 overflows
        "bright pixels have turned dark: 2·200 does not fit into a byte, and uint8 starts again from 0. "
        "Convert to floating point before you multiply.",
    ),
    (
        lambda images: (images - 128) / 127.5,  # uint8 − 128 wraps around
        "dark pixels have turned bright: uint8 has no numbers below 0, and starts again from 255. Convert to "
        "floating point before you subtract.",
    ),
    (
        lambda images: images / 255 - 0.5,
        "the pixels run from −½ to ½; tanh reaches from −1 to 1.",
    ),
    (
        lambda images: 1 - images.float() / 127.5,
        "black and white have changed places: 0 should become −1, and 255 should become 1.",
    ),
    (
        lambda images: images.float() / 128 - 1,
        "nearly: divided by 128, white becomes 0.99 and should become 1. What is half of 255?",
    ),
    (
        lambda images: (images.float() / 127.5 - 1).round(),
        "whole numbers only: every grey between black and white is rounded away. Leave it floating point.",
    ),
    (
        lambda images: (images.float() / 127.5 - 1).trunc(),
        "whole numbers only: every grey between black and white is cut off. Leave it floating point.",
    ),
]

_ROUNDS, _SAMPLES = 200, 100


def _bars(count=120, height=8, width=12):
    """Black images with a white bar, left, in the middle or right, and grey pixels that tell them apart."""
    rng = torch.Generator().manual_seed(3)
    images = torch.zeros(count, 1, height, width, dtype=torch.uint8)
    for number in range(count):
        left = (width // 3) * (number % 3)
        images[number, :, :, left + 1 : left + width // 3] = 255
    grey = torch.randint(0, 60, images.shape, generator=rng, dtype=torch.uint8)
    return torch.where(images == 255, images - grey // 2 * (grey > 30), grey * (grey > 30))


def judge(answer) -> str:
    """Praise, or Wrong: see exercise 4.6."""
    torch.set_num_threads(1)  # for networks as small as these
    images = _bars()
    with watching() as seen:
        try:
            result = call_unchanged(answer, images, _ROUNDS, _SAMPLES, name="`train_on`")
        except RuntimeError as error:
            if not any(
                words in str(error) for words in ("cannot be multiplied", "invalid for input", "must match")
            ):
                raise
            height, width = images.shape[2:]
            raise Wrong(
                f"with images of {height}×{width} it stops: {str(error).splitlines()[0]}. Is a size fixed, "
                "or the height taken for the width? Take all sizes from `images.shape`."
            ) from None
    generator, discriminator, samples = _three(result)
    _both_are_trained(seen, generator, discriminator, images)
    expect_own_gradients(seen, generator, discriminator)
    _steps_are_counted(seen, generator, discriminator, _ROUNDS)
    if not _ids(discriminator) & set(seen.steps[0].weights):
        raise Wrong(
            "the generator takes its step first. In each round the discriminator learns, then the generator."
        )
    _modes_are_right(seen, generator, discriminator)
    _data_arrive(seen, discriminator, images)
    expect_new_latents(seen, generator)
    if seen.sigmoid_twice:
        raise Wrong(
            "a sigmoid's output goes into a loss that applies a sigmoid itself (bug 1): hand it the logits."
        )
    _look_like_samples(samples, images, _SAMPLES)
    if not any(one.steps == len(seen.steps) for one in seen.calls):
        raise Wrong(
            "after the last step no network is called, so the samples come from elsewhere, or from the "
            "training. Make new ones at the end: new latents, evaluation mode, no gradients."
        )
    last = seen.calls_of(generator)[-1]
    training = torch.cat([one.inputs for one in seen.calls_of(generator) if one.graph][-3:])
    if last.steps == len(seen.steps) and last.inputs.shape[1:] == training.shape[1:]:
        again = (last.inputs[:, None] == training).flatten(2).all(2)
        if again.any():
            raise Wrong(
                "the samples are made of latents of the last rounds, which G was trained on. Draw new ones."
            )
    _has_learnt(seen, generator, discriminator, samples.detach(), images)

    with watching() as seen:  # other sizes, so that nothing of the first call can be left
        other = _bars(40, 16, 8)
        generator, discriminator, samples = _three(call(answer, other, 3, 7, name="`train_on`"))
    if tuple(getattr(samples, "shape", ())) != (7, 1, 16, 8):
        raise Wrong(
            f"asked for 7 samples of images of 16×8, it returned {tuple(getattr(samples, 'shape', ()))}, not "
            "(7, 1, 16, 8). Take all sizes from `images` and `n`, anew in each call."
        )
    _both_are_trained(seen, generator, discriminator, other)
    _steps_are_counted(seen, generator, discriminator, 3)
    _data_arrive(seen, discriminator, other)
    with watching() as seen:  # the same number of samples again, of other images
        generator, discriminator, samples = _three(call(answer, images, 2, 7, name="`train_on`"))
    if tuple(getattr(samples, "shape", ())) != (7, *images.shape[1:]) or len(seen.steps) < 4:
        raise Wrong(
            "a later call gives the result of an earlier one. Train anew in each call, on its own images."
        )
    spare = any(seen.reached[source - 1] & _ids(generator) for source in used_by(seen, discriminator))
    return (
        "two networks, two losses, two optimisers, and nobody's gradient in the other's step. "
        + (
            "(D's `backward` works out the generator's gradient, too, for nobody: `detach` saves the time.) "
            * spare
        )
        + "Now give it digits."
    )


def _three(result):
    if not isinstance(result, (tuple, list)) or len(result) != 3:
        raise Wrong("return three things: the generator, the discriminator, the samples.")
    if sum(isinstance(one, nn.Module) for one in result) == 2 and isinstance(result[2], nn.Module):
        raise Wrong("another order is asked for: the generator, the discriminator, and last the samples.")
    for network, name in zip(result, ("the generator", "the discriminator"), strict=False):
        if not isinstance(network, nn.Module):
            raise Wrong(
                f"the first two results are networks, but {name} is none: return the trained networks."
            )
    return result


def _ids(network):
    return {id(weight) for weight in network.parameters()}


def _both_are_trained(seen: Seen, generator, discriminator, images) -> None:
    latents = [one.inputs for one in seen.calls_of(generator)][:1]
    with torch.no_grad():
        if any(copy.deepcopy(generator).eval()(z[:2])[0].numel() != images[0].numel() for z in latents):
            raise Wrong(
                "the first network, the generator, does not make images of the size of those given. Have the "
                "two changed places?"
            )
    if _ids(generator) & _ids(discriminator):
        raise Wrong("the two players share weights: each needs a network of its own.")
    for network, name, own in ((generator, "the generator", "G"), (discriminator, "the discriminator", "D")):
        if seen.steps_of(network):
            continue
        if any(_ids(network) & step.without for step in seen.steps):
            raise Wrong(
                f"{name} never moves: its optimiser takes steps, but no gradient reaches its weights. "
                + ("Are the fakes detached in the *generator's* step, too?" if own == "G" else "Detach less.")
            )
        if not seen.steps:
            raise Wrong("no optimiser has taken a step, so nobody has learnt anything.")
        raise Wrong(
            f"the network that you return as {name} has not taken a step. Does an optimiser hold its "
            "weights, and is it the network that you trained? (An average may make the samples; return the "
            "two that played.)"
        )


def _steps_are_counted(seen: Seen, generator, discriminator, rounds: int) -> None:
    for network, name in ((generator, "the generator"), (discriminator, "the discriminator")):
        steps = len(seen.steps_of(network))
        if steps < rounds or (network is generator and steps > rounds):
            raise Wrong(f"asked for {rounds} rounds, {name} took {steps} steps: a round is one step of each.")


def _modes_are_right(seen: Seen, generator, discriminator) -> None:
    for network, name in ((generator, "the generator"), (discriminator, "the discriminator")):
        if any(
            one.graph and not one.training and one.steps < len(seen.steps) for one in seen.calls_of(network)
        ):
            raise Wrong(
                f"{name} is in evaluation mode while it trains, where batch normalisation and dropout stand "
                "still. Call `train()` before the loop, and after every look at samples."
            )
    last = [one for one in seen.calls_of(generator) if one.steps == len(seen.steps)]
    if last and last[-1].training:
        raise Wrong(
            "the samples are made in training mode: batch normalisation would let them depend on each other. "
            "`generator.eval()` comes before them."
        )


def _data_arrive(seen: Seen, discriminator, images) -> None:
    empty = [one for one in seen.calls_of(discriminator) if one.graph and one.inputs.numel() == 0]
    if empty:
        raise Wrong(
            f"D is shown a batch without a single image in it, for the first time after {empty[0].steps} "
            "steps: "
            "there a loss is NaN, or a term of it missing. Do slices run past the end of the images? Draw "
            "places, "
            "or begin again at the first."
        )
    shown = [one.inputs.flatten(1) for one in seen.calls_of(discriminator) if one.inputs.dim() > 1]
    if not shown or any(rows.shape[1] != images[0].numel() for rows in shown):
        return  # D is called in a way of its own; what it learns is looked at later
    stored = images.flatten(1)
    converted = stored.float() / 127.5 - 1
    near = [torch.cdist(rows.float(), converted) < 0.05 for rows in shown]
    found = [same.int().argmax(1)[same.any(1)] for same in near]
    if not any(len(places) for places in found):
        first = torch.cat(shown[:8])
        for mistake, message in RANGES:
            if (which(first, mistake(stored)) >= 0).any():
                raise Wrong("what D is shown as real: " + message)
        raise Wrong("D has seen none of the images, as they are in [−1, 1]: 0 becomes −1, and 255 becomes 1.")
    if max(len(places.unique()) for places in found) == 1 and sum(map(len, found)) > 1:
        raise Wrong(
            "each batch holds a single real image (bug 5). Draw many places at once: `images[places]`."
        )
    everything = torch.cat(found).unique()
    if len(everything) < 0.9 * len(images) and sum(map(len, found)) > 20 * len(images):
        raise Wrong(
            f"in all rounds together, D has seen {len(everything)} of the {len(images)} images: draw new "
            "places in each round, from all of them."
        )


def _look_like_samples(samples, images, count: int) -> None:
    shape = (count, *images.shape[1:])
    found = as_tensor(samples, "the samples")
    expect_shape(
        found, shape, "the samples", f"{count} samples have shape {shape}, yours {tuple(found.shape)}."
    )
    if getattr(samples, "requires_grad", False):
        raise Wrong(
            "the samples still carry the graph that made them: make them under `torch.no_grad()`, or "
            "`detach()`."
        )
    if isinstance(samples, torch.Tensor) and not samples.is_floating_point():
        raise Wrong("the samples are whole numbers, as images are stored. Leave them float32, in [−1, 1].")
    if found.min() >= 0:
        raise Wrong(
            "no pixel of the samples is below 0, and the data's black is −1. Leave them in [−1, 1], as tanh "
            "makes them."
        )
    if found.abs().max() > 1.001:
        raise Wrong(
            f"the samples lie in [{found.min():.3g}, {found.max():.3g}]; images lie in [−1, 1], as by a tanh."
        )
    expect_like(samples, dtype=torch.float32, name="the tensor of samples")
    if (which(found, images.double().flatten(1) / 127.5 - 1) >= 0).any():
        raise Wrong("among the samples are images of the data: they should come from the generator.")
    if len(found) > 1 and found.flatten(1).std(0).mean() < 1e-3:
        raise Wrong("all samples are the same image: does each get a latent of its own?")


def _has_learnt(seen: Seen, generator, discriminator, samples, images) -> None:
    """Much nearer to some image of the data than the average of all of them is."""
    for network, name in ((generator, "the generator"), (discriminator, "the discriminator")):
        if not all(weight.isfinite().all() for weight in network.parameters()):
            raise Wrong(
                f"weights of {name} are NaN or infinite after {_ROUNDS} rounds. Is there a logarithm of 0 "
                "in a "
                "loss, a mean of nothing, or a learning rate that is too large?"
            )
    data = images.float().flatten(1) / 127.5 - 1
    to_nearest = torch.cdist(samples.flatten(1), data).amin(1).mean()
    near = to_nearest / torch.cdist(data.mean(0, keepdim=True), data).min()
    if near < 0.8:
        return
    if not any(seen.through[one - 1] & _ids(discriminator) for one in used_by(seen, generator)):
        raise Wrong(
            "the generator's loss does not go through D. What D says of the fakes is all that G may learn "
            "from."
        )
    latents = [one.inputs for one in seen.calls_of(generator) if one.graph][-1:]
    with torch.no_grad():
        made = [copy.deepcopy(generator).eval()(z).flatten(1) for z in latents]
    if made and torch.cdist(made[0], data).amin(1).mean() < 0.8 * to_nearest:
        raise Wrong(
            "the generator has learnt, but the samples that you return are not what it makes of latents: do "
            "they come from another place, or from an average that is far behind?"
        )
    separates, fools = _directions(seen, generator, discriminator, data)
    if separates > 0 > fools:
        raise Wrong(
            "the generator walks the wrong way: after its steps D gives its samples a *lower* logit. "
            "Which target belongs into the generator's loss?"
        )
    if separates < 0 < fools:
        raise Wrong(
            "the discriminator learns to give the *fakes* the higher logit, and the generator wants "
            "the same: have D's two targets changed places?"
        )
    raise Wrong(
        f"both players have moved, but after {_ROUNDS} rounds the samples do not look like the images: to "
        f"the nearest image it is {near:.2f} times as far as from the average of all images, and should be "
        "less than 0.8. Look at Adam's momentum (β₁ = 0 or 0.5; its default of 0.9 lets them circle) and its "
        "learning rates (1e-3 will do), at the batch, at what each loss asks for."
    )


@torch.no_grad()
def _directions(seen: Seen, generator, discriminator, data) -> tuple[float, float]:
    """What the first steps did: of D to D(real) − D(fake), of G to D(G(z)); both should grow."""
    separates = fools = 0.0
    judge, maker = copy.deepcopy(discriminator).eval(), copy.deepcopy(generator).eval()
    moves = {id(network): _moves(seen, network) for network in (generator, discriminator)}
    for before, after, number in moves[id(discriminator)][:20]:
        shown = [one.inputs for one in seen.calls_of(discriminator) if one.steps in (number - 1, number)]
        real = [rows[which(rows.flatten(1), data.double()) >= 0] for rows in shown]
        fake = [rows[which(rows.flatten(1), data.double()) < 0] for rows in shown]
        for weights, sign in ((after, 1), (before, -1)):
            _put(judge, weights)
            separates += sign * sum(judge(rows).mean().item() for rows in real if len(rows))
            separates -= sign * sum(judge(rows).mean().item() for rows in fake if len(rows))
    for before, after, number in moves[id(generator)][:20]:
        latents = [one.inputs for one in seen.calls_of(generator) if one.steps <= number][-1:]
        judges = [weights for weights, _, when in moves[id(discriminator)] if when <= number][-1:]
        for weights, sign in ((after, 1), (before, -1)):
            _put(maker, weights)
            for some in judges:
                _put(judge, some)
                fools += sign * sum(judge(maker(z)).mean().item() for z in latents)
    return separates, fools


def _moves(seen: Seen, network) -> list[tuple[list, list, int]]:
    """(weights before, weights after, number of the step), for each step of the network but the last."""
    mine = [id(weight) for weight in network.parameters()]
    steps = [(number, step) for number, step in enumerate(seen.steps) if set(mine) & set(step.weights)]
    return [
        ([step.weights.get(name) for name in mine], [later.weights.get(name) for name in mine], number)
        for (number, step), (_, later) in itertools.pairwise(steps)
    ]


def _put(network, weights) -> None:
    for weight, value in zip(network.parameters(), weights, strict=True):
        if value is not None:
            weight.copy_(value)
