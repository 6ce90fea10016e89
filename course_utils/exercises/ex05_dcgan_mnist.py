"""The exercises of notebook 05: convolutional networks, the training loop, the average, the walk."""

import contextlib
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
    expect_same_again,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    weights_of,
)
from course_utils.checks.devices import call_anywhere, try_elsewhere
from course_utils.models import slerp
from course_utils.training.gan import discriminator_step, generator_step


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
    cases = [(7, 4, 2, 1), (14, 5, 2, 2), (1, 7, 1, 0), (5, 3, 3, 1), (4, 2, 3, 0)]
    found = [as_tensor(call(answer, *case, name="`transposed_size`"), "the size") for case in cases]
    for size in found:
        expect_shape(size, (), "the size", "return one number: the size along one axis.")
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
    if matches(torch.stack(found[:4]).flatten(), right[:4]) and not matches(found[4], right[4]):
        raise Wrong(
            "right where the stamps touch or overlap. With stride 3 and kernel 2 there are gaps between "
            "them, which "
            f"are pixels of the map, too: of 4 pixels it makes {right[4]}, and you say "
            f"{found[4].flatten()[0]:g}."
        )
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
        generator = nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 3))
        discriminator = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1), nn.Flatten(0))
    generator.latent_dim = 2
    for parameter in [*generator.parameters(), *discriminator.parameters()]:
        parameter.grad = torch.full_like(parameter, stale) if stale else None
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.5) for net in (generator, discriminator)]
    for optimizer in optimizers:
        optimizer.register_step_pre_hook(_count)
    return generator, discriminator, *optimizers


def _count(optimizer, *_):
    optimizer.steps = getattr(optimizer, "steps", 0) + 1


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


def _round_of_the_package(generator, discriminator, g_optimizer, d_optimizer, real, latents):
    """The two steps of the course's own loop, one after the other."""
    fake = generator(latents)
    d_loss, _, _ = discriminator_step(discriminator, d_optimizer, real, fake)
    return d_loss, generator_step(discriminator, g_optimizer, real, fake)


def _with_confident_d(play, stale=0.3):
    """The changes of both networks, and the losses, where D's logits lie at 150 for everything."""
    players = _players(stale)
    with torch.no_grad():
        players[1][2].bias.fill_(150.0)
    before = [weights_of(network) for network in players[:2]]
    losses = play(*players, torch.ones(8, 3), torch.linspace(-1, 1, 16).reshape(8, 2))
    changes = [weights_of(network) - old for network, old in zip(players[:2], before, strict=True)]
    return [torch.as_tensor(value) for value in (*changes, *losses)]


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


def _in_evaluation_mode(generator, *rest):
    generator.eval()
    losses = _round_of_the_package(generator, *rest)
    generator.train()
    return losses


_D_MISTAKES.append(
    (
        _in_evaluation_mode,
        "the fakes are made with G in evaluation mode. It trains in training mode, in which batch "
        "normalisation "
        "takes the mean and variance of this batch.",
    )
)


def _weights_after(play, name="", *, stale=0.3, seed=1):
    """Both networks' weights after one round, what it returns, and the generator's running statistics."""
    players = _players(stale)
    begun = [weights_of(network) for network in players[:2]]
    rng = torch.Generator().manual_seed(seed)
    real, latents = torch.randn(8, 3, generator=rng) + 1, torch.randn(8, 2, generator=rng)
    if not name:
        losses = play(*players, real, latents)
    else:
        losses = call_unchanged(play, *players, real, latents, name=name)
        expect_trainable(players[0], "the generator")
        expect_trainable(players[1], "D")
        for optimizer, who, network, before in (
            (players[3], "D", players[1], begun[1]),
            (players[2], "G", players[0], begun[0]),
        ):
            steps = getattr(optimizer, "steps", 0)
            if not steps and moved(before, weights_of(network)):
                raise Wrong(
                    f"{who} has moved, but the optimiser that was handed in for it took no step: use that "
                    "one. A new one in each round has forgotten all that Adam remembers from step to step."
                )
            if steps > 1:
                raise Wrong(
                    f"{who}'s optimiser takes {steps} steps. A round is one step of D, and after it one "
                    "step of G, "
                    "each by its own optimiser."
                )
    statistics = {name: buffer.double() for name, buffer in players[0][1].named_buffers()}
    return weights_of(players[0]), weights_of(players[1]), losses, statistics


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


def _first_to_step(answer) -> str:
    """Whose optimiser steps first, in a round that may stop on its way."""
    players, order = _players(), []
    for optimizer, who in ((players[2], "G"), (players[3], "D")):
        optimizer.register_step_pre_hook(lambda *_, who=who: order.append(who))
    with contextlib.suppress(RuntimeError):
        answer(*players, torch.ones(4, 3), torch.linspace(-1, 1, 8).reshape(4, 2))
    return order[0] if order else ""


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


@exercise(
    "5.2",
    title="One round of the game",
    difficulty=2,
    minutes=15,
    seconds=60,  # the first optimiser of a kernel is slow to load
    hints=[
        "Make the fakes first, once. Then write two blocks, each of the same four lines: the loss, "
        "zero_grad(), "
        "backward(), step().",
        "D's loss: F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean(), on fakes that "
        "are detached.",
        "After D's step, let D see the fakes *again*, not detached: G's loss is "
        "`F.softplus(-logits).mean()`.",
    ],
)
def one_round(answer):
    started, right = _players(), _weights_after(_round_of_the_package)
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
            if _first_to_step(answer) == "G":
                raise Wrong(
                    "`generator_optimizer` steps first. Does each player's own optimiser step after its own "
                    "`backward()`? D's loss moves D, by `discriminator_optimizer`; then G's loss moves G."
                ) from None
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
    generator, discriminator, losses, statistics = found
    without_stale = _weights_after(answer, "`one_round`", stale=0)
    if matches(generator, weights_of(started[0])) and matches(discriminator, weights_of(started[1])):
        raise Wrong("neither network has moved: both optimisers have to take a step.")
    if matches(discriminator, weights_of(started[1])):
        raise Wrong(
            "D has not moved: is discriminator_optimizer.step() there, after backward(), with no zero_grad() "
            "between the two?"
        )
    again = _weights_after(answer, stale=stale)
    if not (matches(again[0], generator) and matches(again[1], discriminator)):
        raise Wrong(
            "two rounds from the same start end differently. Does your round draw latents of its own? "
            "The fakes of both steps come from `latents`."
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
            "D's step is right, but G's is not the one asked for: −log D(G(z)), a mean, on the fakes that "
            "D has "
            "just seen. Are there new latents in it?"
        )
    if not all(matches(statistics[name], right[3][name]) for name in statistics):
        made = int(statistics["num_batches_tracked"])
        if made > 1:
            raise Wrong(
                f"both networks move as they should, but the fakes are made {_times(made)}, and each time "
                "batch "
                "normalisation's running mean and variance move, too. Make them once, before D's step, "
                "and let "
                "G's step go on with the same ones."
            )
        raise Wrong(
            "both networks move as they should, but the running mean and variance of G's batch "
            "normalisation are "
            "others than after one pass in training mode. Is G called in evaluation mode, or its state "
            "put back?"
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
    if any(isinstance(one, torch.Tensor) for one in losses):
        raise Wrong(
            "everything is right but the type: return the losses as numbers, by `.item()`. A tensor keeps "
            "its graph "
            "for as long as somebody keeps the tensor."
        )
    again, right = (
        _weights_after(answer, stale=stale, seed=2),
        _weights_after(_round_of_the_package, seed=2),
    )
    if not (matches(again[0], right[0]) and matches(again[1], right[1])):
        raise Wrong(
            "the first round is right, but the second, with another batch, is not: does it play again?"
        )
    confident, wanted = _with_confident_d(answer, stale), _with_confident_d(_round_of_the_package)
    if not all(
        one.isfinite().all() and matches(one, other, tolerance=1e-3)
        for one, other in zip(confident, wanted, strict=True)
    ):
        raise Wrong(
            "right for moderate logits, but not where D is confident: with all logits at 150 the losses "
            f"should be {wanted[2]:.4g} and {wanted[3]:.4g}, and yours are {confident[2]:.4g} and "
            f"{confident[3]:.4g}. σ has become 1 there, and log(1 − σ) infinite: `softplus` on the logits."
        )
    batch = torch.ones(8, 3), torch.ones(8, 2)
    note = call_anywhere(answer, *_players(stale), *batch, name="`one_round`", hint="`device=real.device`")
    return f"that is the whole algorithm. Everything else in a training loop is book-keeping.{note}"


def _networks():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)))
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
        said = str(error)
        if "Long" in said or "integer" in said:
            raise Wrong(
                "one of the tensors is a counter of whole numbers (`num_batches_tracked`), of which "
                "there is no "
                "average: take only those with `is_floating_point()`."
            ) from None
        raise
    found = _state(average)
    storages = {value.data_ptr() for value in network.state_dict().values()}
    if any(value.data_ptr() in storages for value in average.state_dict().values()):
        raise Wrong(
            "the average holds the network's own tensors now, and will change with every step. Change the "
            "values "
            "of its own: `old.lerp_(new, …)`, or `old.copy_(…)`."
        )

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
        raise Wrong(_tensor_by_tensor(fresh.state_dict(), average.state_dict(), network.state_dict()))
    average, _ = _networks()
    average.requires_grad_(False).eval()  # as `averaged_copy` makes it
    answer(average, network, 0.6)
    found = _state(average)
    if not matches(found, outcome(0.6), tolerance=1e-5):
        if not matches(found[:-1], outcome(0.9)[:-1], tolerance=1e-5):
            raise Wrong(
                "right for an average whose weights may have gradients, but not for one that needs none, as "
                "`averaged_copy` makes it: all weights belong to it, whatever `requires_grad` says."
            )
        raise Wrong(
            "right for the decay 0.9 and the first call, but not for 0.6 in a second one: use `decay`."
        )
    if average.training:
        raise Wrong("the average was in evaluation mode, and is in training mode now. Leave its mode alone.")
    if any(weight.grad_fn is not None or weight.requires_grad for weight in average.parameters()):
        raise Wrong("the average carries a history now, or takes gradients. Work under `torch.no_grad()`.")
    average, _ = _networks()
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.add_(1.0)  # as a step of training does
    answer(average, network, 0.6)
    found = _state(average)
    if not matches(found, outcome(0.6), tolerance=1e-5):
        raise Wrong(
            "right in the first calls, but when the network has moved on, the average still follows the "
            "network as it was. Take `network`'s tensors anew in each call, and keep no copies of them."
        )
    return "weights and buffers: the average is a complete network of its own."


def _tensor_by_tensor(old, found, new) -> str:
    """Which of the average's tensors are not right after a decay of 0.9, and what they are."""
    kinds = {
        "is as it was before": 1.0,
        "is the network's own": 0.0,
        "is averaged twice": 0.81,
        "has old and new in each other's place": 0.1,
    }
    told = []
    for name, value in found.items():
        if not value.is_floating_point() or matches(value, 0.9 * old[name] + 0.1 * new[name], tolerance=1e-5):
            continue
        is_ = [
            words
            for words, decay in kinds.items()
            if matches(value, decay * old[name] + (1 - decay) * new[name], tolerance=1e-5)
        ]
        told.append(f"`{name}` {is_[0] if is_ else 'is neither 0.9·old + 0.1·new nor one of them'}")
    return (
        f"some tensors are right, but {', '.join(told[:3])}. Which tensors do you go through, and how often?"
    )


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
    start, end = torch.randn(2, 32, generator=rng, dtype=torch.float64).float()  # as the notebook's latents
    result = call_unchanged(answer, start, end, 7, name="`walk`")
    if isinstance(result, torch.Tensor) and result.isnan().any() and (start @ end).abs() > 1:
        raise Wrong(
            "the walk is NaN. Was arccos given something beyond 1? The cosine is the dot product divided by "
            "*both* lengths."
        )
    found = as_tensor(result, "the walk").double()
    if found.shape == (8, 32):
        raise Wrong("8 latents for 7 steps: `steps` counts the latents, both ends among them.")
    if found.dim() == 2 and found.shape[1] == 32 and len(found) != 7:
        another = as_tensor(call(answer, start, end, 9, name="`walk`"), "the walk")
        if len(another) == len(found):
            raise Wrong(f"{len(found)} latents, whatever `steps` is. It says how many there should be.")
    expect_shape(
        found, (7, 32), "the walk", "the walk must have one latent in each row: shape (steps, latent_dim)."
    )
    start, end = start.double(), end.double()
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
        (
            F.normalize(right, dim=1) * (start.norm() + t * (end.norm() - start.norm())),
            "directions and lengths are interpolated apart: the direction goes along the arc, the length in "
            "equal "
            "steps. In the formula the two weights are those of `start` and `end` themselves, lengths and "
            "all.",
        ),
        (
            slerp(F.normalize(start, dim=0), F.normalize(end, dim=0), 7)
            * (start.norm() + t * (end.norm() - start.norm())),
            "directions and lengths are interpolated apart: an arc on the sphere of radius 1, stretched to "
            "a length "
            "that goes from one end's to the other's in equal steps. In the formula the two weights are "
            "those of "
            "`start` and `end` themselves, lengths and all.",
        ),
        (
            torch.cos(t * torch.pi / 2) * start + torch.sin(t * torch.pi / 2) * end,
            "ω is taken as a right angle: cos and sin of a quarter turn. Between these two latents it is "
            "another one.",
        ),
        (
            arc(torch.tensor(torch.pi / 2)),
            "ω is taken as a right angle: cos and sin of a quarter turn. Between these two latents it is "
            "another one.",
        ),
        (
            torch.cos(t * angle) * start + torch.sin(t * angle) * end,
            "the first weight is a cosine, and nothing is divided by sin ω: right for a right angle only. "
            "The two weights are sin((1 − s)·ω)/sin ω and sin(s·ω)/sin ω.",
        ),
        (
            arc(angle - 2 * torch.pi),
            "that is the long way round the sphere, all but back to the start. Take the angle below π.",
        ),
        (
            arc(torch.arccos((start @ end / len(start)).clamp(-1, 1))),
            "the dot product is divided by the number of entries. Its cosine is over *both lengths*.",
        ),
        (
            arc(torch.arccos((start @ end).clamp(-1, 1))),
            "the dot product is not the cosine yet: divide it by both lengths.",
        ),
        (
            slerp(F.normalize(start, dim=0), F.normalize(end, dim=0), 7),
            "the latents have lost their lengths: they lie on a sphere of radius 1. Divide by the lengths "
            "only to "
            "find the angle.",
        ),
        (arc(cosine), "that uses the cosine, or its arcsine, as if it were the angle: ω = arccos of it."),
        (
            F.normalize(right, dim=1),
            "all latents have length 1. The generator has been trained on latents of length about √32 ≈ 5.7: "
            "divide by the lengths only to find the angle.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-3):
            raise Wrong(message)
    if not matches(found, right, tolerance=1e-3):
        expect_varied("the walk")
    lengths = found.norm(dim=1)
    if matches(lengths, lengths[:1].expand(7), tolerance=1e-3):
        raise Wrong(
            f"all latents have the length {lengths[0]:.3g}. `start` has {start.norm():.3g} and `end` "
            f"{end.norm():.3g}, "
            "and so should the walk at its ends."
        )
    if not torch.allclose(found[0], start, atol=1e-3):
        raise Wrong("the first row is not `start`.")
    if not torch.allclose(found[-1], end, atol=1e-3):
        raise Wrong("the last row is not `end`.")
    if not matches(found, right, tolerance=1e-3):
        s = _places_on_the_arc(found, start, end, angle)
        if s is not None:
            raise Wrong(
                f"the way lies on the arc, but its steps are not equal: s is {s[1]:.3g} in the second row "
                f"and {s[3]:.3g} in the middle one, where {1 / 6:.3g} and 0.5 belong. Let s go from 0 to 1 "
                "in equal steps."
            )
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
    try:
        result = call_unchanged(answer, start, end, 4, name="`walk`")
    except RuntimeError as error:
        if "must match" not in str(error) and "invalid for input" not in str(error):
            raise
        raise Wrong(
            f"right for latents of 32 numbers, but for those of five it stops: {error}. Take every size from "
            "`start`."
        ) from None
    centred = torch.corrcoef(torch.stack([start, end]))[0, 1].arccos()
    pearson = torch.sin((1 - torch.linspace(0, 1, 4))[:, None] * centred) * start
    pearson = (pearson + torch.sin(torch.linspace(0, 1, 4)[:, None] * centred) * end) / torch.sin(centred)
    if matches(result, pearson, tolerance=1e-3):
        raise Wrong(
            "that is the angle between the latents after each one's own mean is taken off, as in a "
            "correlation. The cosine is the dot product of the two as they are, over both lengths."
        )
    if not matches(result, slerp(start, end, 4), tolerance=1e-3):
        raise Wrong(
            "right for seven steps between the first two latents, but not for four steps between two others, "
            "of five numbers. Does every size come from the arguments?"
        )
    expect_like(result, dtype=start.dtype, name="the walk")
    _farther_apart(answer, rng)
    return "every step of this walk has a length that the generator knows."


def _farther_apart(answer, rng) -> None:
    """Latents more than a right angle apart, of unlike lengths, nearly alike; and the ends alone."""
    start, other = torch.randn(2, 6, generator=rng)
    pairs = ((-start + 0.5 * other, 5), (0.3 * other - 2 * start, 4), (start + 0.05 * other, 5), (other, 2))
    for end, steps in pairs:
        right, name = slerp(start, end, steps), "`walk`"
        found = as_tensor(call_unchanged(answer, start, end, steps, name=name), "the walk")
        expect_shape(found, tuple(right.shape), "the walk")
        angle = torch.rad2deg(F.cosine_similarity(start, end, dim=0).arccos()).item()
        if matches(found, right, tolerance=1e-2):
            continue
        if matches(found, slerp(start, -end, steps), tolerance=1e-2):
            raise Wrong(
                f"right for latents less than 90° apart. These are {angle:.0f}° apart, and your walk ends "
                "at minus "
                "`end`, as with quaternions, where b and −b mean the same. As latents they are two images: "
                "take "
                "the angle as arccos gives it, up to 180°."
            )
        sharp = F.cosine_similarity(start, end, dim=0).abs().arccos()
        s = torch.linspace(0, 1, steps)[:, None]
        folded = (torch.sin((1 - s) * sharp) * start + torch.sin(s * sharp) * end) / torch.sin(sharp)
        if matches(found, folded, tolerance=1e-2):
            raise Wrong(
                f"right for latents less than 90° apart. These are {angle:.0f}° apart, and you take "
                f"{180 - angle:.0f}°: "
                "the sign of the cosine is lost."
            )
        if not matches(found[-1], end, tolerance=1e-2):
            raise Wrong(
                f"right for latents less than 90° apart, but where they are {angle:.0f}° apart the last row "
                "is not "
                "`end`. Is the sign of the cosine lost, or the angle cut off?"
            )
        raise Wrong(
            f"right for other latents, but not for two that are {angle:.0f}° apart, of lengths "
            f"{start.norm():.3g} and "
            f"{end.norm():.3g}: the middle row has the length {found[steps // 2].norm():.3g}, where "
            f"{right[steps // 2].norm():.3g} belongs. Is a straight line taken where the angle is small, or "
            "the angle "
            "cut off?"
        )
    expect_same_again(answer, start, other, 3, name="`walk`")


def _places_on_the_arc(found, start, end, angle):
    """s of each row, if it is sin((1 − s)·ω)/sin ω · start + sin(s·ω)/sin ω · end for some s; or None."""
    weights = torch.linalg.lstsq(torch.stack([start, end], dim=1), found.T).solution  # (2, rows)
    s = torch.atan2(weights[1] * angle.sin(), weights[0] + weights[1] * angle.cos()) / angle
    again = torch.sin((1 - s)[:, None] * angle) * start + torch.sin(s[:, None] * angle) * end
    return s if matches(again / angle.sin(), found, tolerance=1e-3) else None


# --- 5.6: build the generator ------------------------------------------------------------------------------


CASES = [((1, 28, 28), 32, 32), ((3, 32, 32), 5, 8), ((2, 20, 12), 7, 4)]
_WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Conv1d, nn.ConvTranspose1d)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm)


def _weights_by_formula(image_shape, latent_dim, width) -> list[int]:
    """Of each layer in order, the biases of the last included; without batch normalisation's."""
    channels, height, breadth = image_shape
    return [
        2 * width * (height // 4) * (breadth // 4) * latent_dim,
        2 * width * width * 16,
        width * width * 9,
        width * channels * 16 + channels,
    ]


def _built(answer, case):
    """A network for this case, of which only the type is known."""
    try:
        network = call(answer, *case, name="`build_generator`")
    except (RuntimeError, ValueError, TypeError) as error:
        if case == CASES[0] or isinstance(error, Wrong):
            raise
        raise Wrong(
            f"right for images (1, 28, 28), but `build_generator{case}` stops with: {error}. Does every "
            "size come "
            "from the arguments?"
        ) from None
    if isinstance(network, type) and issubclass(network, nn.Module):
        raise Wrong("that is a class. Return a network, an object of it: call the class.")
    if not isinstance(network, nn.Module):
        raise Wrong(
            "`build_generator` should return a network, such as an `nn.Sequential` of layers; this is "
            f"{type(network).__name__!r}."
        )
    return network


def _images_of(network, latents, case):
    """The network's images; sentences where the latents do not go through."""
    try:
        images = network(latents)
    except (RuntimeError, ValueError, TypeError) as error:
        words = str(error).splitlines()[0]
        hint = "Follow the shape from layer to layer, with the formula of exercise 5.1."
        if "3D" in words or "4D" in words or "2D" in words:
            hint = "A linear map makes rows of numbers, a convolution wants maps: `nn.Unflatten` in between."
        raise Wrong(
            f"latents of shape {tuple(latents.shape)} do not go through your network for {case}: {words} "
            f"{hint}"
        ) from None
    if not isinstance(images, torch.Tensor):
        raise Wrong(f"the network should give a tensor of images; it gives {type(images).__name__!r}.")
    return images


def _check_images(images, count, case):
    wanted = (count, *case[0])
    found = tuple(images.shape)
    if found == wanted:
        return
    if len(found) == 2 and found == (count, case[0][0] * case[0][1] * case[0][2]):
        raise Wrong("the images come out as rows of numbers. Shape them, (N, channels, height, width).")
    if case != CASES[0] and found[-2:] == (28, 28):
        raise Wrong(f"the images are 28×28 for every `image_shape`; for {case[0]} they should not be.")
    if len(found) == 4 and found[:2] == wanted[:2] and found[2] != found[3] and found[2:] == wanted[:1:-1]:
        raise Wrong(
            f"height and width are exchanged: the images are {found[2]}×{found[3]}, and `image_shape` = "
            f"{case[0]} "
            "says (channels, height, width)."
        )
    if len(found) == 4 and found[:2] == wanted[:2] and wanted[2] != wanted[3] and found[2] == found[3]:
        side, name = ("height", "width") if found[2] == wanted[2] else ("width", "height")
        if found[2] in wanted[2:]:
            raise Wrong(
                f"the images are {found[2]}×{found[3]}, and for {case[0]} they should be "
                f"{wanted[2]}×{wanted[3]}: the "
                f"{side} is taken for the {name}. Right for square images only; each has its own quarter."
            )
    if len(found) == 4 and found[:2] == wanted[:2]:
        raise Wrong(
            f"the images are {found[2]}×{found[3]}; for {case[0]} they should be {wanted[2]}×{wanted[3]}. "
            "Which "
            "layer does not double its map? Take the formula of exercise 5.1."
        )
    if len(found) == 4 and found[2:] == wanted[2:]:
        raise Wrong(f"the images have {found[1]} channels, and `image_shape` says {wanted[1]}.")
    raise Wrong(f"the images have shape {found}; expected (N, channels, height, width), here {wanted}.")


def _check_layers(network, case):
    """Number, kind and sizes of the layers with weights, by formula."""
    layers = [layer for layer in network.modules() if isinstance(layer, _WEIGHTED)]
    if not list(network.parameters()):
        raise Wrong(
            "the network has no weights that an optimiser could find. Layers in a plain list are "
            "invisible: put "
            "them into `nn.Sequential` or `nn.ModuleList`."
        )
    norms = [layer for layer in network.modules() if isinstance(layer, _NORMS)]
    odd = [layer for layer in norms if not isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d))]
    if odd:
        raise Wrong(f"DCGAN's guideline says batch normalisation; here is {type(odd[0]).__name__}.")
    if not norms:
        raise Wrong("there is no batch normalisation. DCGAN's guideline: after every layer but the last.")
    formula = _weights_by_formula(*case)
    if any(isinstance(layer, nn.Dropout | nn.Dropout2d) for layer in network.modules()):
        raise Wrong(
            "there is dropout in the network. The table has none: noise comes from the latents alone."
        )
    if any(isinstance(layer, nn.Upsample) for layer in network.modules()):
        raise Wrong(
            "here `nn.Upsample` repeats pixels, and a convolution follows. That is another way to enlarge; "
            "the table asks for transposed convolutions, which learn it: kernel 4, stride 2, padding 1."
        )
    if len(layers) != 4:
        raise Wrong(
            f"the network has {len(layers)} layers with weights, and the table has four: a linear map, an "
            "upsampling "
            "layer, a 3×3 convolution, an upsampling layer."
        )
    *hidden, last = layers
    if any(layer.bias is not None for layer in hidden) and len(norms) >= 3:
        raise Wrong(
            "a layer before batch normalisation has a bias, which is subtracted again at once: `bias=False`."
        )
    if last.bias is None:
        raise Wrong("the last layer has no bias. No batch normalisation follows it, so give it one.")
    found = [sum(weight.numel() for weight in layer.parameters()) for layer in layers]
    for place, (layer, mine, wanted) in enumerate(zip(layers, found, formula, strict=True), start=1):
        if mine != wanted:
            kernel = getattr(layer, "kernel_size", None)
            if place in (2, 4) and kernel is not None and tuple(kernel) != (4, 4):
                raise Wrong(
                    f"the upsampling layer number {place // 2} has a kernel of {kernel[0]}. Which kernel "
                    "doubles a map "
                    "without a checkerboard of stamps?"
                )
            if place == 3 and kernel is not None and tuple(kernel) != (3, 3):
                raise Wrong(
                    f"the convolution between the two upsampling layers has a kernel of {kernel[0]}, not "
                    "of 3."
                )
            linear = layers[0]
            if (
                place == 1
                and case == CASES[0]
                and getattr(linear, "out_features", 0) == 4 * wanted // case[1]
            ):
                raise Wrong(
                    "the linear map makes maps of half the image's height and width. They should begin "
                    "with a quarter of it, and be doubled twice."
                )
            raise Wrong(
                f"for {case} the layer number {place} with weights, {type(layer).__name__}, has {mine:,} "
                "of them; by the "
                f"formula it should have {wanted:,}. How many channels go in, how many come out?"
            )
    scales = sum(weight.numel() for layer in norms for weight in layer.parameters())
    if len(norms) > 3:
        raise Wrong(
            "there are more than three layers of batch normalisation. It goes after every layer but the "
            "last: an "
            "image must not be normalised."
        )
    if len(norms) < 3:
        raise Wrong(
            f"batch normalisation goes after three of the four layers; here it stands {len(norms)} times."
        )
    total = sum(formula) + 8 * case[2]
    if scales != 8 * case[2] or sum(weight.numel() for weight in network.parameters()) != total:
        raise Wrong(
            f"for {case} the network has {sum(weight.numel() for weight in network.parameters()):,} "
            "weights, by the "
            f"formula {total:,}. Batch normalisation of n channels has 2n; is there one of another size, "
            "or weights "
            "that no layer uses?"
        )


def _check_first_weights(network):
    for layer in network.modules():
        if isinstance(layer, _NORMS) and not (
            layer.affine and (layer.weight - 1).abs().max() < 0.15 and layer.bias.abs().max() < 0.01
        ):
            raise Wrong(
                "batch normalisation should begin with scales of 1 and shifts of 0, as PyTorch makes it."
            )
        if not isinstance(layer, _WEIGHTED):
            continue
        kind, weight = type(layer).__name__, layer.weight.detach()
        std = weight.std().item()
        if abs(std - 0.0004) < 1e-4:
            raise Wrong(
                "the weights have a standard deviation of 0.0004. N(0, 0.02²) names the variance; "
                "PyTorch's functions "
                "take the standard deviation, 0.02."
            )
        chance = 0.02 * weight.numel() ** -0.5  # one standard error of a mean of so many
        if abs(std - 0.02 / 3**0.5) < 0.0003 and weight.abs().max() <= 0.0201:
            raise Wrong(
                f"the first weights of {kind} are drawn uniformly from −0.02 to 0.02. Draw them from a "
                "normal distribution of standard deviation 0.02."
            )
        if abs(std - 0.02) > max(0.0004, 5 * chance):
            raise Wrong(
                f"the first weights of {kind} have a standard deviation of {std:.3g}, not of 0.02. Are "
                "they still those "
                "that PyTorch draws? Set each layer's, before you return the network."
            )
        if weight.mean().abs() > 6 * chance:
            raise Wrong(f"the first weights of {kind} have the mean {weight.mean().item():.3g}, not 0.")
        if weight.numel() > 400 and weight.abs().max() < 0.0355:
            raise Wrong(
                f"the first weights of {kind} are drawn uniformly. Draw them from a normal distribution."
            )
        if layer.bias is not None and layer.bias.abs().max() > 0:
            raise Wrong(f"the biases of {kind} should begin at 0.")


def _check_activations(network, latents):
    """What flows into and out of each layer, in training mode: is it normalised, rectified, squashed?"""
    entering, normalised, hooks = [], [], []
    for layer in network.modules():
        if isinstance(layer, _WEIGHTED):
            hooks.append(layer.register_forward_pre_hook(lambda _, maps: entering.append(maps[0].detach())))
        if isinstance(layer, _NORMS):
            hooks.append(layer.register_forward_pre_hook(lambda _, maps: normalised.append(maps[0].detach())))
    network(latents)
    for hook in hooks:
        hook.remove()
    if len(normalised) < 3 or len(entering) < 4:
        raise Wrong("not every layer is used: some stand in the network, and no image passes through them.")
    if any(maps.min() >= 0 for maps in normalised):
        raise Wrong("ReLU stands before batch normalisation. DCGAN normalises first and rectifies then.")
    for place, maps in enumerate(entering[1:], start=2):
        if maps.min() < 0:
            share = (-maps.min() / maps.max()).item()
            kind = "LeakyReLU is D's; in" if share < 0.6 else "In"
            raise Wrong(
                f"negative numbers reach the layer number {place} with weights. {kind} G, a ReLU follows "
                "each batch "
                "normalisation."
            )
        if not 0.5 < maps[maps > 0].mean() < 1.2:  # half of a standard normal: about 0.8
            raise Wrong(
                f"what reaches the layer number {place} with weights is not normalised. Batch "
                "normalisation goes after "
                "every layer but the last, before its ReLU."
            )


def _check_end(network, latents):
    """With the last layer's weights at 0, every pixel is the end's function of its bias: is that tanh?"""
    last = [layer for layer in network.modules() if isinstance(layer, _WEIGHTED)][-1]
    kept = copy.deepcopy(network.state_dict())
    ends = {}
    with torch.no_grad():
        last.weight.zero_()
        for bias in (-2.0, 0.5, 1.5):
            last.bias.fill_(bias)
            ends[bias] = network(latents).double()
    network.load_state_dict(kept)
    b = torch.tensor(list(ends), dtype=torch.float64)
    found = torch.stack([images.mean() for images in ends.values()])
    if matches(found, b):
        raise Wrong("nothing bounds the images: what squashes them into −1 to 1 at the end?")
    if matches(found, b.sigmoid()):
        raise Wrong(
            "a sigmoid ends the network, so its images lie between 0 and 1. The data's lie between −1 and 1."
        )
    if matches(found, b.clamp(-1, 1)):
        raise Wrong("the images are cut off at −1 and 1, where no gradient is left. Squash them: tanh.")
    if matches(found, b.clamp(min=0)) or matches(found, b.clamp(min=0).tanh()):
        raise Wrong(
            "a ReLU stands at the end: all that is darker than grey is lost. Tanh alone ends the network."
        )
    if matches(found, b.tanh().tanh()):
        raise Wrong("the images go through tanh twice.")
    if not matches(found, b.tanh()):
        raise Wrong(
            "the last layer's numbers should go through tanh, and through nothing else, to be an image."
        )


def _check_modes(network, latents):
    """Training mode: an image depends on its batch. Evaluation mode: on its latent alone."""
    network.train()
    with torch.no_grad():
        first, again = network(latents), network(latents)
        if not torch.allclose(first, again, atol=1e-5):
            raise Wrong(
                "the same latents give different images each time. Is there noise, or dropout, in the "
                "network?"
            )
        if torch.allclose(network(latents[:3]), first[:3], atol=1e-6):
            raise Wrong(
                "in training mode the images do not depend on their batch. Is batch normalisation held in "
                "evaluation "
                "mode?"
            )
        network.eval()
        whole, alone = network(latents), network(latents[:1])
        if not torch.allclose(alone, whole[:1], atol=1e-5):
            raise Wrong(
                "in evaluation mode an image still depends on its batch. Batch normalisation needs its "
                "running "
                "statistics there: `track_running_stats`, and no `train()` inside `forward`."
            )
        if torch.allclose(whole, whole[:1].expand_as(whole), atol=1e-7):
            raise Wrong("the same image comes out for every latent.")
    network.train()


def _check_gradients(network, latents):
    """A loss at the end has to reach every weight, and the latents."""
    latents = latents.clone().requires_grad_()
    network.zero_grad()
    images = network(latents)
    if not images.requires_grad:
        raise Wrong(
            "the images have no history, so G could never learn: is there a `detach` or `no_grad` inside?"
        )
    target = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    (images * target).sum().backward()
    for name, weight in network.named_parameters():
        if weight.grad is None or not weight.grad.any():
            raise Wrong(
                f"no gradient reaches `{name}`: an image does not depend on it, or its history is cut."
            )
    if latents.grad is None or not latents.grad.any():
        raise Wrong("no gradient reaches the latents.")
    network.zero_grad()


@exercise(
    "5.6",
    title="Build the generator",
    difficulty=3,
    minutes=30,
    hints=[
        "Begin with `nn.Linear(latent_dim, 2 * width * h * w, bias=False)` and `nn.Unflatten(1, (2 * "
        "width, h, w))`, "
        "where h and w are a quarter of the height and of the width.",
        "Kernel 4, stride 2, padding 1 doubles. A 3×3 convolution keeps the size with padding 1. After "
        "each layer but "
        "the last: `nn.BatchNorm2d(channels)`, `nn.ReLU()`.",
        "At the end: `for layer in network.modules()`, and `nn.init.normal_(layer.weight, 0.0, 0.02)` for "
        "linear maps, "
        "convolutions and transposed convolutions.",
    ],
)
def build_generator(answer):
    rng = torch.Generator().manual_seed(0)
    for case in CASES:
        network = _built(answer, case)
        latent_dim = case[1]
        if network is _built(answer, case):
            raise Wrong("two calls return one and the same network. Make a new one at each call.")
        if not list(network.parameters()):
            _check_layers(network, case)
        expect_trainable(network, "the network")
        if not hasattr(network, "latent_dim"):
            raise Wrong("the network lacks the attribute `latent_dim`: `generator.latent_dim = latent_dim`.")
        if not matches(network.latent_dim, latent_dim):
            raise Wrong(
                f"the network's `latent_dim` is {network.latent_dim!r}; for {case} it should be {latent_dim}."
            )
        latents = torch.randn(12, latent_dim, generator=rng)
        images = _images_of(network, latents, case)
        _check_images(images, len(latents), case)
        _check_layers(network, case)
        _check_end(network, latents)
        _check_first_weights(_built(answer, case))
        _check_activations(network, latents)
        _check_modes(network, latents)
        _check_gradients(network, latents)
        expect_like(network(latents), dtype=torch.float32, requires_grad=True, name="an image")
        note = try_elsewhere(network, latents)
        if not moved(weights_of(_built(answer, case)), weights_of(_built(answer, case))):
            raise Wrong("two calls draw the same first weights. Is there a `manual_seed` inside?")
        copy.deepcopy(network)
    return f"143,105 weights, each in its place. Below, it learns to write.{note}"
