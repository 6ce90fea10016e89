"""The exercises of notebook 05: convolutional networks, the training loop, the average, the walk."""

import copy

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
    expect_close,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    weights_of,
)
from course_utils.models import slerp


@exercise(
    "5.1",
    title="How large is the enlarged map?",
    difficulty=1,
    minutes=8,
    hints=[
        "Where does the stamp of the first pixel begin, and where does the stamp of the last one begin?",
        "The last of `size` stamps begins at (size − 1)·stride, and it is `kernel` long.",
        "At the end, `padding` pixels are cut off at *both* ends.",
    ],
)
def transposed_size(answer):
    cases = [(7, 4, 2, 1), (14, 5, 2, 2), (1, 7, 1, 0), (5, 3, 3, 1)]
    found = [as_tensor(call(answer, *case, name="`transposed_size`"), "the size") for case in cases]
    right = [(s - 1) * stride - 2 * padding + kernel for s, kernel, stride, padding in cases]
    typical = [
        (
            lambda s, k, stride, p: (s + 2 * p - k) // stride + 1,
            "that is the size after an ordinary convolution. A transposed one goes the other way: it "
            "enlarges.",
        ),
        (
            lambda s, k, stride, p: s * stride,
            "that holds for kernel 4, stride 2, padding 1, but not in general: try a stamp of 7 on a "
            "single pixel.",
        ),
        (
            lambda s, k, stride, p: s * stride - 2 * p + k,
            "one stride too many: between `size` stamps there are only size − 1 steps.",
        ),
        (
            lambda s, k, stride, p: (s - 1) * stride - p + k,
            "padding is cut off at both ends, not at one.",
        ),
        (
            lambda s, k, stride, p: (s - 1) * stride + 2 * p + k,
            "padding makes the result smaller here: it is cut off, not added.",
        ),
        (lambda s, k, stride, p: (s - 1) * stride + k, "the padding is missing: it is cut off at both ends."),
    ]
    for mistake, message in typical:
        if matches(torch.stack(found).flatten(), [mistake(*case) for case in cases]):
            raise Wrong(message)
    if not matches(torch.stack(found).flatten(), right):
        expect_varied("the size")
        _which_argument(answer)
    for case, size, expected in zip(cases, found, right, strict=True):
        expect_close(size, expected, name="`transposed_size({}, {}, {}, {})`".format(*case))
    return "PyTorch agrees, as the next cell shows. 7 → 14 → 28 is how a DCGAN grows a digit."


def _which_argument(answer) -> None:
    """Each argument by itself: what one more of it changes."""
    before = as_tensor(call(answer, 9, 6, 3, 1, name="`transposed_size`"), "the size")
    for argument, other, wanted, why in (
        ("kernel", (9, 7, 3, 1), 1, "the last stamp is longer by one"),
        ("padding", (9, 6, 3, 2), -2, "at both ends one more is cut off"),
        ("size", (10, 6, 3, 1), 3, "one more stamp, a stride further on"),
        ("stride", (9, 6, 4, 1), 8, "each of the 8 steps between 9 stamps is longer by one"),
    ):
        change = as_tensor(call(answer, *other, name="`transposed_size`"), "the size") - before
        if not matches(change, wanted):
            raise Wrong(
                f"look at `{argument}`: with one more of it, the result should change by {wanted} "
                f"({why}); yours "
                f"changes by {change.flatten()[0]:g}."
            )
    raise Wrong(
        "each argument changes the result as it should, but a fixed number is wrong: 9 pixels, kernel "
        "6, stride 3 "
        f"and padding 1 give 28, and you say {before.flatten()[0]:g}."
    )


def _players(stale=0.3):
    """A small game with stale gradients in both networks, as a former round leaves them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 3))
        discriminator = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0))
    generator.latent_dim = 2
    for parameter in [*generator.parameters(), *discriminator.parameters()]:
        parameter.grad = torch.full_like(parameter, stale) if stale else None
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.5) for net in (generator, discriminator)]
    return generator, discriminator, *optimizers


def _round(d_loss, g_loss, *, clear=("g", "d"), detach=True, order="dg"):
    """A round, right or with a mistake: which losses, which gradients are cleared, who moves first."""

    def play(generator, discriminator, g_optimizer, d_optimizer, real, latents):
        if not detach and "g" in clear:
            g_optimizer.zero_grad()
        losses = {}
        for player in order:
            fake = generator(latents)
            if player == "d":
                if "d" in clear:
                    d_optimizer.zero_grad()
                losses["d"] = d_loss(discriminator(real), discriminator(fake.detach() if detach else fake))
                losses["d"].backward()
                d_optimizer.step()
            else:
                if "g" in clear and detach:
                    g_optimizer.zero_grad()
                losses["g"] = g_loss(discriminator(fake))
                losses["g"].backward()
                g_optimizer.step()
        return losses["d"].item(), losses["g"].item()

    return play


def _d_loss(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def _g_loss(fake):
    return F.softplus(-fake).mean()


def _with_sigmoid(loss):
    return lambda *logits: loss(*(torch.sigmoid(each) for each in logits))


_RIGHT = _round(_d_loss, _g_loss)
_STALE = "{}'s step used gradients of a former step too: clear them with `{}_optimizer.zero_grad()` first."
_D_MISTAKES = [
    (
        _round(lambda real, fake: _d_loss(fake, real), _g_loss),
        "D's step has its labels swapped: it pushes the logits of the fakes up. Which of the two is "
        "to be called real?",
    ),
    (
        _round(_with_sigmoid(_d_loss), _g_loss),
        "there is a sigmoid before D's loss, but D returns logits and the loss takes logits: leave "
        "the sigmoid out.",
    ),
    (
        _round(lambda real, fake: F.softplus(-real).mean(), _g_loss),
        "D has only seen the real images. Its loss has two terms: real up, fakes down.",
    ),
    (
        _round(lambda real, fake: F.softplus(fake).mean(), _g_loss),
        "D has only seen the fakes. Its loss has two terms: real up, fakes down.",
    ),
    (
        _round(lambda real, fake: _d_loss(real, fake) / 2, _g_loss),
        "D's step is half as long as asked for: its loss here is the sum of the two means, not their "
        "average.",
    ),
    (
        _round(_d_loss, _g_loss, clear=("g",)),
        _STALE.format("D", "discriminator"),
    ),
]
_G_MISTAKES = [
    (
        _round(_d_loss, _g_loss, clear=("d",)),
        _STALE.format("G", "generator"),
    ),
    (
        _round(_d_loss, _g_loss, detach=False),
        "D's loss has reached the generator: G moved along D's gradient *and* its own. Detach the "
        "fakes in D's step.",
    ),
    (
        _round(_d_loss, lambda fake: F.softplus(fake).mean()),
        "G's labels are swapped: it makes its samples look *more* fake. G wants D to call them real.",
    ),
    (
        _round(_d_loss, lambda fake: -F.softplus(fake).mean()),
        "that is the saturating loss, log(1 − D): its gradient is small where the samples are worst "
        "(notebook 01). "
        "Write the non-saturating one.",
    ),
    (
        _round(_d_loss, _with_sigmoid(_g_loss)),
        "there is a sigmoid before G's loss, but D returns logits and the loss takes logits: leave "
        "the sigmoid out.",
    ),
    (
        _round(_d_loss, _g_loss, order="gd"),
        "G has moved before D. D goes first; then G plays against the D that has just learnt.",
    ),
]


def _steps_together(generator, discriminator, g_optimizer, d_optimizer, real, latents):
    """Both go backward before either steps, so that D's gradients hold those of G's loss, too."""
    g_optimizer.zero_grad()
    d_optimizer.zero_grad()
    fake = generator(latents)
    _d_loss(discriminator(real), discriminator(fake.detach())).backward()
    _g_loss(discriminator(fake)).backward()
    d_optimizer.step()
    g_optimizer.step()


_D_MISTAKES.append(
    (
        _steps_together,
        "D's step holds gradients of G's loss: G's `backward` runs through D and leaves its own there. Let D "
        "step right after its own `backward`, before G's loss.",
    )
)


def _weights_after(play, name="", *, stale=0.3, seed=1):
    """Both networks' weights after one round, and what the round returns."""
    players = _players(stale)
    rng = torch.Generator().manual_seed(seed)
    real, latents = torch.randn(8, 3, generator=rng) + 1, torch.randn(8, 2, generator=rng)
    if not name:
        losses = play(*players, real, latents)
    else:
        losses = call_unchanged(play, *players, real, latents, name=name)
        expect_trainable(players[0], "the generator")
        expect_trainable(players[1], "D")
    return weights_of(players[0]), weights_of(players[1]), losses


def _clears_at_its_end(answer) -> bool:
    """Whether a round moves both networks and leaves no gradient in either."""
    *networks, g_optimizer, d_optimizer = _players(stale=0)
    before = [weights_of(network) for network in networks]
    try:
        answer(*networks, g_optimizer, d_optimizer, torch.ones(4, 3), torch.ones(4, 2))
    except RuntimeError:
        return False
    weights = [weight for network in networks for weight in network.parameters()]
    return all(
        moved(old, weights_of(network)) for old, network in zip(before, networks, strict=True)
    ) and not any(weight.grad is not None and weight.grad.any() for weight in weights)


@exercise(
    "5.2",
    title="One round of the game",
    difficulty=2,
    minutes=15,
    hints=[
        "Write two blocks. Each has the same four lines: the loss, zero_grad(), backward(), step().",
        "D's loss: F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean(), on fakes that "
        "are detached.",
        "After D's step, let D see the fakes *again*, not detached: G's loss is "
        "`F.softplus(-logits).mean()`.",
    ],
)
def one_round(answer):
    started, right = _players(), _weights_after(_RIGHT)
    # A round that clears at its end finds nothing stale; any other has to clear at its beginning.
    stale = 0 if _clears_at_its_end(answer) else 0.3
    try:
        found = _weights_after(answer, "`one_round`", stale=stale)
    except RuntimeError as error:
        if "second time" in str(error):
            raise Wrong(
                "D's step has used up the graph of the fakes, so nothing is left for G's. In D's step, show "
                "D fake.detach(): the graph then stays for G."
            ) from None
        if "inplace operation" in str(error):
            raise Wrong(
                "G's loss uses logits from before D's step, and D has changed since: let D see the fakes "
                "again after it."
            ) from None
        if "does not require grad" in str(error):
            raise Wrong(
                "a loss has no way back to the weights it should move: is something detached, or under "
                "no_grad, that should not be?"
            ) from None
        raise
    generator, discriminator, losses = found
    without_stale = _weights_after(answer, "`one_round`", stale=0)
    if matches(generator, weights_of(started[0])) and matches(discriminator, weights_of(started[1])):
        raise Wrong("neither network has moved: both optimisers have to take a step.")
    if matches(discriminator, weights_of(started[1])):
        raise Wrong(
            "D has not moved: is discriminator_optimizer.step() there, after backward(), with no zero_grad() "
            "between the two?"
        )
    # G's step depends on the D it plays against, so D is checked first.
    if not matches(discriminator, right[1]):
        if not matches(discriminator, without_stale[1]):
            raise Wrong(_STALE.format("D", "discriminator"))
        for mistake, message in _D_MISTAKES:
            if matches(discriminator, _weights_after(mistake)[1]):
                raise Wrong(message)
        for mistake, message in _G_MISTAKES:  # such as G going first, which changes D's step too
            if matches(discriminator, _weights_after(mistake)[1]):
                raise Wrong(message)
        change, wanted = (after - weights_of(started[1]) for after in (discriminator, right[1]))
        if torch.nn.functional.cosine_similarity(change, wanted, dim=0) > 0.9999:
            raise Wrong(
                f"D goes in the right direction, but {change.norm() / wanted.norm():.3g} times as far as "
                "one step "
                "goes. Is there a second step, or a factor before the loss?"
            )
        raise Wrong(
            "D's step is not the one asked for: −log D(real) − log(1 − D(fake)), each a mean, added up."
        )
    if matches(generator, weights_of(started[0])):
        raise Wrong(
            "G has not moved. Is generator_optimizer.step() there? And are the fakes in G's step "
            "*not* detached?"
        )
    if not matches(generator, right[0]):
        if not matches(generator, without_stale[0]):
            raise Wrong(_STALE.format("G", "generator"))
        for mistake, message in _G_MISTAKES:
            if matches(generator, _weights_after(mistake)[0]):
                raise Wrong(message)
        change, wanted = (after - weights_of(started[0]) for after in (generator, right[0]))
        if torch.nn.functional.cosine_similarity(change, wanted, dim=0) > 0.9999:
            raise Wrong(
                "D's step is right, and G goes in the right direction, but "
                f"{change.norm() / wanted.norm():.3g} times "
                "as far as one step goes. Is there a second step, or a factor before the loss?"
            )
        raise Wrong(
            "D's step is right, but G's is not the one asked for: −log D(G(z)), a mean. (New latents "
            "for G's step "
            "are fine in a training loop; here use `latents` in both, so that the check can compare.)"
        )
    if not isinstance(losses, (tuple, list)) or len(losses) != 2:
        raise Wrong("both networks move as they should; now return the two losses: D's, then G's.")
    if matches(losses[0], right[2][1]) and matches(losses[1], right[2][0]):
        raise Wrong("both networks move as they should; the two losses are swapped: return D's first.")
    for returned, wanted, who in zip(losses, right[2], "DG", strict=True):
        returned = as_tensor(returned, f"{who}'s loss")
        expect_shape(
            returned, (), f"{who}'s loss", f"{who}'s loss should be one number, a mean over the batch."
        )
        if not matches(returned, wanted):
            raise Wrong(
                f"both networks move as they should, but {who}'s loss is given as {returned.item():.4g}. "
                "Return what you went `backward` from, as it was before the step."
            )
    again, right = (
        _weights_after(answer, stale=stale, seed=2),
        _weights_after(_RIGHT, seed=2),
    )
    if not (matches(again[0], right[0]) and matches(again[1], right[1])):
        raise Wrong(
            "the first round is right, but the second, with another batch, is not: does it play again?"
        )
    return "that is the whole algorithm. Everything else in a training loop is book-keeping."


def _networks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        average = copy.deepcopy(network)
        for _ in range(3):  # the network moves on, its running statistics too
            network(torch.randn(16, 3) * 2 + 1)
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.add_(torch.randn_like(parameter))
    return average, network


def _state(network):
    return torch.cat([value.flatten().double() for value in network.state_dict().values()])


def _average(average, network, decay, *, weights=True, buffers=True):
    olds = [*average.parameters()] * weights + [
        b for b in average.buffers() if b.is_floating_point()
    ] * buffers
    news = [*network.parameters()] * weights + [
        b for b in network.buffers() if b.is_floating_point()
    ] * buffers
    with torch.no_grad():
        for old, new in zip(olds, news, strict=True):
            old.mul_(decay).add_(new, alpha=1 - decay)


@exercise(
    "5.3",
    title="The running average of the generator",
    difficulty=2,
    minutes=10,
    hints=[
        "`state_dict()` of both networks has the same keys; its tensors share memory with the network.",
        "`old.lerp_(new, weight)` computes old + weight·(new − old) in place. What is the weight, in "
        "terms of decay?",
        "Skip what is not floating point (batch normalisation's counter): `if old.is_floating_point():`.",
    ],
)
def update_average(answer):
    average, network = _networks()
    before = _state(network)
    try:
        answer(average, network, 0.9)
    except RuntimeError as error:
        if "cast to Long" in str(error) or "type Long" in str(error) or "integer" in str(error):
            raise Wrong(
                "one of the tensors is a counter of whole numbers (`num_batches_tracked`), of which "
                "there is no "
                "average: take only those with `is_floating_point()`."
            ) from None
        raise
    found = _state(average)

    def outcome(decay, copy_buffers=False, **parts):
        fresh, _ = _networks()
        _average(fresh, network, decay, **parts)
        if copy_buffers:
            for old, new in zip(fresh.buffers(), network.buffers(), strict=True):
                old.copy_(new)
        state = _state(fresh)
        state[-1] = found[-1]  # the counter of batch normalisation may be copied or left
        return state

    if not torch.equal(_state(network), before):
        raise Wrong("the network itself has changed: only the average may, in place.")
    expect_trainable(network, "the network that is being trained")
    typical = [
        (
            outcome(1.0),
            "the average has not changed: it has to be changed in place, old.mul_(…) or old.lerp_(…).",
        ),
        (
            outcome(0.1),
            "old and new have changed places: with decay 0.9 the average keeps 90 % of the *old* value.",
        ),
        (outcome(0.0), "that copies the network: nothing is left of the old average."),
        (
            outcome(0.9, buffers=False),
            "the weights are right, but the running mean and variance of batch normalisation stayed "
            "behind. They "
            "are buffers, not parameters: the averaged generator would normalise with another "
            "network's statistics.",
        ),
        (
            outcome(0.9, copy_buffers=True),
            "the weights are averaged, but the buffers are copied. Many do that; here average them "
            "too, so that "
            "they belong to the averaged weights.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-5):
            raise Wrong(message)
    if not matches(found, outcome(0.9), tolerance=1e-5):
        fresh, _ = _networks()
        both = torch.stack([_state(fresh)[:-1], before[:-1]], dim=1)
        old, new = torch.linalg.lstsq(both, found[:-1, None]).solution.flatten().tolist()
        if matches(both @ torch.tensor([old, new], dtype=torch.float64), found[:-1], tolerance=1e-3):
            raise Wrong(
                f"with decay 0.9, the average has become {old:.3g}·old + {new:.3g}·new. What should the "
                "two factors "
                "be, at that decay?"
            )
        raise Wrong(
            "the average is not decay·old + (1 − decay)·new everywhere: are some tensors averaged "
            "otherwise, or left?"
        )
    average, _ = _networks()
    answer(average, network, 0.6)
    found = _state(average)
    if not matches(found, outcome(0.6), tolerance=1e-5):
        raise Wrong(
            "right for the decay 0.9 and the first call, but not for 0.6 in a second one: use `decay`."
        )
    return "weights and buffers: the average is a complete network of its own."


@exercise(
    "5.4",
    title="Predict the generator's loss",
    difficulty=1,
    minutes=3,
    hints=[
        "Against whom is the generator's loss measured?",
        "Both players learn. Think of two chess players who train together and play each other: who "
        "wins more?",
    ],
)
def loss_of_the_generator(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "that would be so if D stood still. But D learns as well, and G's loss is measured "
            "against it.",
            "c": "then D would take every sample for real. D is trained at every step not to.",
            "d": "that happens where D wins clearly. Here both learn, and neither runs away.",
        },
    )
    return "the loss says how the match stands; the distance says how well G plays."


@exercise(
    "5.5",
    title="Walk on the sphere",
    difficulty=2,
    minutes=12,
    hints=[
        "The angle: the cosine is the dot product of start and end, divided by both lengths.",
        "t runs from 0 to 1: `torch.linspace(0, 1, steps)`. Give it the shape (steps, 1) and broadcast.",
        "The two weights are sin((1 − s)·ω)/sin ω and sin(s·ω)/sin ω.",
    ],
)
def walk(answer):
    rng = torch.Generator().manual_seed(3)
    start, end = torch.randn(2, 32, generator=rng, dtype=torch.float64)
    result = call_unchanged(answer, start, end, 7, name="`walk`")
    if isinstance(result, torch.Tensor) and result.isnan().any() and (start @ end).abs() > 1:
        raise Wrong(
            "the walk is NaN. Was arccos given something beyond 1? The cosine is the dot product divided by "
            "*both* lengths."
        )
    found = as_tensor(result, "the walk").double()
    expect_shape(
        found, (7, 32), "the walk", "the walk must have one latent in each row: shape (steps, latent_dim)."
    )
    right = slerp(start, end, 7)
    t = torch.linspace(0, 1, 7, dtype=torch.float64)[:, None]
    straight = (1 - t) * start + t * end
    cosine = (start @ end) / (start.norm() * end.norm())
    angle = torch.arccos(cosine)

    def arc(omega):
        return (torch.sin((1 - t) * omega) * start + torch.sin(t * omega) * end) / torch.sin(omega)

    typical = [
        (
            straight,
            "that is the straight line: in its middle the latent is about 0.7 times as long as it should be.",
        ),
        (right.flip(0), "the walk goes the wrong way: the first row should be `start`."),
        (
            arc(angle) * torch.sin(angle),
            "the division by sin ω is missing, so the walk does not begin at `start`.",
        ),
        (
            arc(torch.rad2deg(angle)),
            "the angle is in degrees, and `torch.sin` takes radians: leave it as arccos gives it.",
        ),
        (
            F.normalize(straight, dim=1) * (start.norm() + t * (end.norm() - start.norm())),
            "that is the straight line, stretched to the right length: its steps are longer in the "
            "middle than at "
            "the ends. Use the two sines.",
        ),
        (arc(cosine), "that uses the cosine as if it were the angle: ω = arccos of it."),
        (
            F.normalize(right, dim=1),
            "all latents have length 1. The generator has been trained on latents of length about √32 ≈ 5.7: "
            "divide by the lengths only to find the angle.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-3):
            raise Wrong(message)
    if not torch.allclose(found[0], start, atol=1e-3):
        raise Wrong("the first row is not `start`.")
    if not torch.allclose(found[-1], end, atol=1e-3):
        raise Wrong("the last row is not `end`.")
    if not matches(found, right, tolerance=1e-3):
        if not matches(found.norm(dim=1), right.norm(dim=1), tolerance=1e-2):
            middle = found[3].norm().item()
            raise Wrong(
                f"both ends are right, but the middle latent has the length {middle:.3g}, between two of "
                "lengths "
                f"{start.norm():.3g} and {end.norm():.3g}: an arc stays as far out as its ends."
            )
        steps = F.cosine_similarity(found[1:], found[:-1], dim=1).clamp(-1, 1).arccos()
        if steps.max() > 1.05 * steps.min():
            raise Wrong(
                "the way lies on the arc, but its steps are not equal: the first turns by "
                f"{steps[0]:.3f}, the middle "
                f"one by {steps[3]:.3f}. Let s go from 0 to 1 in equal steps."
            )
        raise Wrong(
            "both ends are right, but not the way between them. Are the two weights sin((1 − s)·ω)/sin ω and "
            "sin(s·ω)/sin ω, with s in equal steps?"
        )
    start, end = torch.randn(2, 5, generator=rng)
    result = call_unchanged(answer, start, end, 4, name="`walk`")
    if not matches(result, slerp(start, end, 4), tolerance=1e-3):
        raise Wrong(
            "right for seven steps between the first two latents, but not for four steps between two others, "
            "of five numbers. Does every size come from the arguments?"
        )
    expect_like(result, dtype=start.dtype, name="the walk")
    return "every step of this walk has a length that the generator knows."
