"""The exercises of notebook 08: losses and penalties."""

import itertools
import math
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as bce
from torch.nn.functional import elu, gelu, leaky_relu, relu, silu, softplus

from course_utils.checks import (
    Wrong,
    as_tensor,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    shown,
    weights_of,
)
from course_utils.checks.devices import call_anywhere
from course_utils.data.toy import gaussian_mixture
from course_utils.losses import LOSSES, GANLoss
from course_utils.metrics import data_cells, measure
from course_utils.models import sample
from course_utils.training.objectives import Objective, compare
from course_utils.training.recipes import GAME, toy_gan


def _logits(n: int, start: int) -> tuple[Tensor, Tensor]:
    """Real and fake logits on both sides of every margin; never the same twice."""
    rng = torch.Generator().manual_seed(start)
    real = 2 * torch.randn(n, generator=rng) + 0.7
    fake = 2 * torch.randn(n, generator=rng) - 0.4
    return real.requires_grad_(), fake.requires_grad_()


def _check_pair(answer, right, mistakes, name) -> None:
    """Raise Wrong unless answer(real_logits, fake_logits) gives both right losses, with their history.

    Args:
        right: (real, fake) -> (L_D, L_G).
        mistakes: player -> [(another value(real, fake), what to say)].
    """
    for n, start in ((64, 2), (7, 1), (10, 3)):
        real, fake = _logits(n, start)
        try:
            found = call_unchanged(answer, real, fake, name=name)
        except RuntimeError as error:
            if "used in an in-place operation" in str(error):
                raise Wrong(
                    "something is written into the logits, in place, as a function does whose name ends in a "
                    "stroke, such as `add_`. They are needed as they were: make something new, `logits + 1`."
                ) from None
            raise
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            raise Wrong("return two losses: D's, then G's.")
        expected = right(real, fake)
        players = ("D's loss", "G's loss")
        found_values = [as_tensor(value, player) for value, player in zip(found, players, strict=True)]
        for value, player in zip(found_values, players, strict=True):
            expect_shape(
                value,
                (),
                player,
                f"{player} should be one number, the mean over the batch; its shape is {tuple(value.shape)}.",
            )
        if matches(found_values[0], expected[1].detach()) and matches(found_values[1], expected[0].detach()):
            raise Wrong("the two are in the wrong order, or each is turned round: D's loss comes first.")
        for value, wanted, player in zip(found_values, expected, players, strict=True):
            wanted = wanted.detach()
            if matches(value, wanted):
                continue
            expect_varied(player)
            general = [
                (n * wanted, "a sum over the batch: then the step grows with the batch."),
                (-wanted, "turned in its sign: both players *minimise*."),
                (wanted / 2, "half of what it should be."),
                (2 * wanted, "twice what it should be."),
            ]
            for mistake, message in mistakes[player]:
                if matches(value, mistake(real, fake).detach()):
                    raise Wrong(message)
            for mistake, message in general:
                if matches(value, mistake):
                    raise Wrong(f"{player} is {message}")
            for other in (3, 4, 5, 8, 10, 16, 32, 100, n - 1, n + 1, 2 * n):
                if matches(value, n * wanted / other) and other != n:
                    raise Wrong(
                        f"{player} is a sum over the batch, divided by {other}, and here are {n} samples. "
                        "Take "
                        "the mean, however large the batch is."
                    )
            if matches(value, n * wanted / 2):
                raise Wrong(
                    f"{player} is a sum over the batch, divided by 2, and here are {n} samples. Take the "
                    "mean."
                )
            if matches(value, wanted, tolerance=0.02):
                raise Wrong(
                    f"{player} is nearly right, and off by {abs(value - wanted).item():.2g}. Is something "
                    "rounded, cut off, or added lest it be 0?"
                )
            _tell_by_single_logits(answer, right, player)
            raise Wrong(
                f"{player} is right for a single real and a single fake sample, and of {n} logits it is "
                f"{value.item():.4g}, where {wanted.item():.4g} is right: each sample costs what it costs "
                "alone, and the mean is over the batch. Which samples do you leave out, or mix?"
            )
        for value, player in zip(found, players, strict=True):
            expect_like(value, dtype=torch.float32, requires_grad=True, name=player)
        _same_slopes(found, expected, (real, fake))
    real = torch.tensor([200.0, -200.0, 30.0, -30.0]).requires_grad_()
    fake = torch.tensor([-200.0, 200.0, 30.0, -30.0]).requires_grad_()
    found, expected = call_unchanged(answer, real, fake, name=name), right(real, fake)
    for value, wanted, player in zip(found, expected, ("D's loss", "G's loss"), strict=True):
        if isinstance(value, Tensor) and not value.isfinite().all():
            raise Wrong(
                f"{player} is right for small logits, and {value.item():.3g} where a difference is large: at "
                "logits of ±200 an exponential is too large for float32, or a σ becomes 0, and its logarithm "
                "−∞. `softplus` of the logits stays finite."
            )
        value = as_tensor(value, f"at logits of ±200, {player}")
        if not matches(value, wanted.detach(), tolerance=1e-3):
            raise Wrong(
                f"{player} is right for small logits, and cut off for large ones: at logits of ±200 it is "
                f"{value.item():.4g}, and should be {wanted.item():.4g}. Is there a sigmoid, a clamp or a "
                "small number inside a logarithm?"
            )
    _same_slopes(found, expected, (real, fake))


def _tell_by_single_logits(answer, right, player: str) -> None:
    """Raise Wrong: the first pair of single logits, from a few simple ones, that costs something else."""
    place = 0 if player == "D's loss" else 1

    def costs(*pair):
        logits = [torch.tensor([float(logit)]) for logit in pair]
        return [float(losses(*logits)[place]) for losses in (answer, right)]

    for real, fake in ((0, 0), (2, -2), (-2, -2), (2, 2), (-2, 2), (0.5, 0), (0, -0.5), (-30, 0), (0, 30)):
        try:
            found, wanted = costs(real, fake)
            more_real, more_fake = costs(real + 1, fake), costs(real, fake + 1)
        except Exception:  # an answer may fail on a batch of one
            return
        if matches(found, wanted):
            continue
        slopes = [
            f"raise the {kind} logit by 1, and it changes by {after[0] - found:.3g} in place of "
            f"{after[1] - wanted:.3g}"
            for kind, after in (("real", more_real), ("fake", more_fake))
            if not matches(after[0] - found, after[1] - wanted)
        ]
        why = " and ".join(slopes).capitalize() or "Its slopes are right there: is a constant wrong, such "
        "as the place of a margin?"
        raise Wrong(
            f"{player} of one real sample with the logit {real:g} and one fake with {fake:g} is {found:.4g}, "
            f"and should be {wanted:.4g}. {why.rstrip('?')}{'?' if why.endswith('?') else '.'}"
        )


def _same_slopes(found, expected, logits) -> None:
    """A right value can hide a cut graph: only part of it may have a history."""
    for value, right, player in zip(found, expected, ("D's loss", "G's loss"), strict=True):
        # `call_unchanged` hands over copies, so the slopes are asked of the sum over what has a history.
        graph, reference = _leaf_slopes(value), torch.autograd.grad(right, logits, allow_unused=True)
        wanted = sum(slope.square().sum().item() for slope in reference if slope is not None)
        if not matches(torch.tensor(graph), torch.tensor(wanted), tolerance=1e-3):
            raise Wrong(
                f"{player} has the right value, but not the right slope: a part of it has lost its history, "
                "by a `detach` or a `no_grad`."
            )


def _leaf_slopes(value: Tensor) -> float:
    """Sum of the squares of the slopes of all leaves that a value depends on."""
    leaves, waiting, seen = [], [value.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            leaves.append(node.variable)
        waiting.extend(parent for parent, _ in node.next_functions)
    slopes = torch.autograd.grad(value, leaves, retain_graph=True, allow_unused=True) if leaves else []
    return sum(slope.square().sum().item() for slope in slopes if slope is not None)


@exercise(
    "8.1",
    title="A loss with a margin",
    difficulty=1,
    minutes=10,
    hints=[
        "Draw the cost of one real sample against its logit: 0 from 1 on, and rising to the left.",
        "`torch.relu` cuts off what is negative. Of which expression, for a real sample? For a fake one?",
        "A real sample with logit t lacks 1 − t of the margin. A fake one wants to be at −1 or below.",
    ],
)
def margin(answer):
    def right(real, fake):
        return relu(1 - real).mean() + relu(1 + fake).mean(), -fake.mean()

    mistakes = {
        "D's loss": [
            (
                lambda r, f: relu(-r).mean() + relu(f).mean(),
                "a margin of 0: a sample that is barely on its right side costs nothing here. It should be "
                "there by 1.",
            ),
            (
                lambda r, f: relu(1 + r).mean() + relu(1 - f).mean(),
                "real and fake are exchanged: D is made to give *real* samples low logits.",
            ),
            (
                lambda r, f: relu(1 - r).square().mean() + relu(1 + f).square().mean(),
                "the shortfall is squared. It should cost as much as is missing, no more.",
            ),
            (
                lambda r, f: relu(1 - r.mean()) + relu(1 + f.mean()),
                "the logits are averaged before the margin is applied, so that one sample far on its right "
                "side pays for another. Each sample has its own margin.",
            ),
            (
                lambda r, f: (1 - r).mean() + (1 + f).mean(),
                "nothing stops at the margin: a sample far on its right side must cost 0, not less.",
            ),
            (
                lambda r, f: relu(1 - r.sigmoid()).mean() + relu(1 + f.sigmoid()).mean(),
                "a sigmoid too many: margins are of logits.",
            ),
            (
                lambda r, f: relu(1 - r).mean() + relu(f - 1).mean(),
                "a fake sample wants its logit at −1 or below; here it may stand at 1.",
            ),
            (
                lambda r, f: relu(1 - r).mean() + relu(f).mean(),
                "the fake samples have no margin: they want to be at −1 or below, not at 0.",
            ),
            (
                lambda r, f: softplus(1 - r).mean() + softplus(1 + f).mean(),
                "a softplus bends where the margin has a corner: beyond it a sample still costs something.",
            ),
            (
                lambda r, f: softplus(-r).mean() + softplus(f).mean(),
                "that is the cross-entropy, which has no margin.",
            ),
            (
                lambda r, f: (relu(1 - r).mean() + relu(1 + f).mean()) / 2,
                "D's two means are averaged; add them up.",
            ),
            (lambda r, f: relu(1 - r).mean(), "the fake samples are missing."),
            (lambda r, f: relu(1 + f).mean(), "the real samples are missing."),
            *(
                (
                    lambda r, f, at=at: relu(at - r).mean() + relu(at + f).mean(),
                    f"the margins lie at ±{at:g}; they should be at 1 and −1.",
                )
                for at in (0.5, 2.0, 10.0)
            ),
            (
                lambda r, f: relu(-r).mean() + relu(1 + f).mean(),
                "the real samples have no margin: they want to be at 1 or above, not at 0.",
            ),
            (
                lambda r, f: relu(1 - r).mean() - relu(1 + f).mean(),
                "the fake samples' cost is subtracted: D would gain by being wrong about them.",
            ),
            (
                lambda r, f: relu(1 - r).mean() + relu(1 - f).mean(),
                "fake samples are treated as real ones: they should have *low* logits.",
            ),
            (
                lambda r, f: relu(1 + r).mean() + relu(1 + f).mean(),
                "real samples are treated as fake ones: they should have *high* logits.",
            ),
            (
                lambda r, f: relu(r - 1).mean() + relu(-1 - f).mean(),
                "samples *beyond* their margin pay. Those that have not reached it should.",
            ),
            (
                lambda r, f: -relu(r - 1).mean() - relu(-1 - f).mean(),
                "samples *beyond* their margin are rewarded. There the cost should be 0, not less.",
            ),
            (
                lambda r, f: (1 - r).clamp(max=0).mean() + (1 + f).clamp(max=0).mean(),
                "min(0, ·) stands where max(0, ·) should: samples beyond their margin are rewarded.",
            ),
            (
                lambda r, f: (1 - r).abs().mean() + (1 + f).abs().mean(),
                "an absolute value: a sample far on its right side pays, too. There it should cost 0.",
            ),
            (
                lambda r, f: (1 - r).square().mean() + (1 + f).square().mean(),
                "that is least squares with codes ±1, which punishes logits that are too good.",
            ),
            (
                lambda r, f: 0.5 * (r - 1).square().mean() + 0.5 * f.square().mean(),
                "that is the least-squares loss, which punishes logits that are too good.",
            ),
            *(
                (
                    lambda r, f, bend=bend: bend(1 - r).mean() + bend(1 + f).mean(),
                    "below the margin's corner the cost goes on falling: beyond it a sample should cost "
                    "exactly 0.",
                )
                for bend in (
                    leaky_relu,
                    partial(leaky_relu, negative_slope=0.1),
                    partial(leaky_relu, negative_slope=0.2),
                    elu,
                    gelu,
                    silu,
                )
            ),
            *(
                (
                    lambda r, f, at=at: relu(at - (r - f)).mean(),
                    "that is a margin for the *pair*: a real sample that is too good pays for its fake "
                    "neighbour. Each sample has its own.",
                )
                for at in (1, 2)
            ),
            (
                lambda r, f: relu((1 - r).mean() + (1 + f).mean()),
                "one max around both means: a real sample that is too good pays for a fake one. Each sample "
                "has "
                "its own margin.",
            ),
            (
                lambda r, f: torch.maximum(relu(1 - r), relu(1 + f)).mean(),
                "of each pair only the larger cost counts. Add both up.",
            ),
            *(
                (
                    lambda r, f, ends=ends: (
                        (1 - r).clamp(0, ends[0]).mean() + (1 + f).clamp(0, ends[1]).mean()
                    ),
                    "costs are cut off from above, too: a sample far on its *wrong* side pays no more, and "
                    "has "
                    "no slope, though most is missing there.",
                )
                for ends in itertools.product((1, 2, 3, 5, 10, math.inf), repeat=2)
                if ends != (math.inf, math.inf)
            ),
            (
                lambda r, f: (1 - r)[r < 1].mean() + (1 + f)[f > -1].mean(),
                "the mean is over those samples only that cost something. It is over the whole batch: who is "
                "past the margin counts with 0.",
            ),
            (
                lambda r, f: relu(torch.cat([1 - r, 1 + f])).mean(),
                "one mean over both kinds halves the loss: take the mean of each kind, and add them up.",
            ),
            (
                lambda r, f: relu(1 - r).norm() + relu(1 + f).norm(),
                "that is the root of a sum of squares. Average what is missing.",
            ),
            (
                lambda r, f: relu(1 - r.clamp(-1, 1)).mean() + relu(1 + f.clamp(-1, 1)).mean(),
                "the logits are cut off at ±1: a sample far on its *wrong* side pays no more than 2.",
            ),
            (
                lambda r, f: torch.exp(1 - r).mean() + torch.exp(1 + f).mean(),
                "an exponential. What is missing should cost in proportion, and nothing beyond the margin.",
            ),
            (lambda r, f: f.mean() - r.mean(), "that is the Wasserstein loss: nothing stops at a margin."),
            (
                lambda r, f: relu(1 - r).max() + relu(1 + f).max(),
                "the largest cost of each batch is taken. Average over the batch.",
            ),
            (
                lambda r, f: relu(1 - r).median() + relu(1 + f).median(),
                "the median cost of each batch is taken. Average over the batch.",
            ),
            (
                lambda r, f: relu(1 - r.tanh()).mean() + relu(1 + f.tanh()).mean(),
                "a tanh too many: margins are of logits.",
            ),
            (
                lambda r, f: (r < 1).float().mean() + (f > -1).float().mean(),
                "that counts the samples short of their margin. They cost *what is missing*, in proportion.",
            ),
            (
                lambda r, f: relu(1 - r).sqrt().mean() + relu(1 + f).sqrt().mean(),
                "a root of what is missing. It should cost as much as is missing.",
            ),
            (lambda r, f: relu(1 - r).mean() + 0.5 * relu(1 + f).mean(), "the fake samples count half."),
            (lambda r, f: 0.5 * relu(1 - r).mean() + relu(1 + f).mean(), "the real samples count half."),
            (
                lambda r, f: 2 * relu(1 - r).mean(),
                "the fake samples are missing, and the real ones count twice.",
            ),
        ],
        "G's loss": [
            (
                lambda r, f: -relu(1 - r).mean() - relu(1 + f).mean(),
                "minus D's loss: then G stops where D's margin does. G raises all its logits alike.",
            ),
            (
                lambda r, f: f.mean(),
                "G climbs down: it minimises, and wants the logits of its samples *high*.",
            ),
            (
                lambda r, f: relu(1 - f).mean(),
                "G has no margin: it pulls at every sample alike, however good the logit is already.",
            ),
            (
                lambda r, f: softplus(-f).mean(),
                "that is the non-saturating loss, which pulls at some samples more.",
            ),
            (
                lambda r, f: relu(1 + f).mean(),
                "that is D's part of the fake samples, and G wants the opposite.",
            ),
            (
                lambda r, f: -relu(1 + f).mean(),
                "G stops at D's margin: samples below −1 get no gradient at all.",
            ),
            (
                lambda r, f: -r.mean() - f.mean(),
                "the real logits are in G's loss. It can move the fake ones only.",
            ),
            (lambda r, f: -r.mean(), "G's loss looks at the *real* logits. It can move the fake ones only."),
            (
                lambda r, f: r.mean() - f.mean(),
                "the real logits are in G's loss. It can move the fake ones only.",
            ),
            (
                lambda r, f: relu(-f).mean(),
                "G stops pulling where the logit is 0. It pulls at every sample alike.",
            ),
            (
                lambda r, f: (f - 1).square().mean(),
                "that is G's least-squares loss, which pulls at some samples more, and at some back.",
            ),
            (
                lambda r, f: 0.5 * (f - 1).square().mean(),
                "that is G's least-squares loss, which pulls at some samples more, and at some back.",
            ),
            (lambda r, f: -f.sigmoid().mean(), "a sigmoid too many: where D is sure, it pulls no longer."),
            (lambda r, f: -f.tanh().mean(), "a tanh too many: where D is sure, it pulls no longer."),
            (
                lambda r, f: -softplus(f).mean(),
                "that is the minimax loss, which hardly pulls at rejected samples.",
            ),
            (lambda r, f: (1 - f).mean(), "G has no margin: what does the 1 do?"),
            *(
                (
                    lambda r, f, at=at: -f.clamp(max=at).mean(),
                    f"G stops at {at}: samples beyond it are pulled no longer. G has no margin, and raises "
                    "all "
                    "with the same strength.",
                )
                for at in (1, 0, 2, 5, 10)
            ),
            *(
                (
                    lambda r, f, at=at: -f.clamp(min=at).mean(),
                    f"G gives up what lies below {at}: it pulls at every sample alike.",
                )
                for at in (-1, 0, -2, -5, -10)
            ),
            (lambda r, f: -f[f < 1].mean(), "only some of the samples are averaged. G raises all of them."),
            (lambda r, f: -f[f < 0].mean(), "only some of the samples are averaged. G raises all of them."),
            (lambda r, f: -f.max(), "only the best sample counts. G raises all of them: take the mean."),
            (lambda r, f: -f.min(), "only the worst sample counts. G raises all of them: take the mean."),
            (lambda r, f: -f.median(), "the median sample. G raises all of them: take the mean."),
            (lambda r, f: f.square().mean(), "G would bring its logits to 0. It wants them high."),
            (lambda r, f: (-f).exp().mean(), "an exponential: it pulls at rejected samples more. All alike."),
            (
                lambda r, f: relu(1 - r).mean() - f.mean(),
                "the real logits are in G's loss. It can move the fake ones only.",
            ),
            (
                lambda r, f: f.abs().mean(),
                "an absolute value: G would bring logits to 0. It wants them high.",
            ),
            (
                lambda r, f: relu(1 - f).mean() + relu(1 + r).mean(),
                "that is D's loss with the roles exchanged. G has no margin, and moves the fake logits only.",
            ),
        ],
    }
    _check_pair(answer, right, mistakes, "margin_losses")
    return "this is the hinge loss of Lim and Ye."


@exercise(
    "8.2",
    title="Which of the two is real?",
    difficulty=2,
    minutes=12,
    hints=[
        "What is the logit of the question? A difference of two numbers that you have.",
        "−log σ(s) is `softplus(-s)`, and cannot overflow.",
        "G plays for the opposite answer: exchange the roles of the two logits.",
    ],
)
def pairing(answer):
    def right(real, fake):
        return softplus(fake - real).mean(), softplus(real - fake).mean()

    mistakes = {
        "D's loss": [
            (
                lambda r, f: softplus(f.mean() - r).mean(),
                "each real sample is compared with the *average* fake. Here it meets one, its partner in the "
                "pair.",
            ),
            (
                lambda r, f: softplus(f.mean() - r).mean() + softplus(f - r.mean()).mean(),
                "that is the *average* relativistic loss: each sample against the other side's mean. Here "
                "samples meet in pairs.",
            ),
            (
                lambda r, f: softplus(f.mean() - r.mean()),
                "the logits are averaged first. Each pair has its own loss; average these.",
            ),
            (
                lambda r, f: softplus(f[None] - r[:, None]).mean(),
                "that compares every real sample with every fake one. Each meets its own partner only.",
            ),
            (
                lambda r, f: (softplus(f.mean() - r).mean() + softplus(f - r.mean()).mean()) / 2,
                "that is the *average* relativistic loss, halved. Here samples meet in pairs.",
            ),
            (
                lambda r, f: relu(1 + f - r).mean(),
                "that is a hinge loss on the pair. The cross-entropy of the answer is asked for.",
            ),
            (
                lambda r, f: softplus(r - f).mean(),
                "D is paid for calling the *fake* one real. Which difference should be large?",
            ),
            (
                lambda r, f: softplus(f.sigmoid() - r.sigmoid()).mean(),
                "a sigmoid too many: compare logits, not probabilities.",
            ),
            (
                lambda r, f: softplus(-r).mean() + softplus(f).mean(),
                "that judges each sample alone. What does D say about the *pair*?",
            ),
            (
                lambda r, f: (f - r).mean(),
                "that is the Wasserstein loss. The cross-entropy of the answer is missing.",
            ),
            (
                lambda r, f: softplus(f - r).mean() + softplus(r - f).mean(),
                "that is the cross-entropy of *both* answers. D minimises that of the right one.",
            ),
            (
                lambda r, f: (softplus(f - r).mean() + softplus(r - f).mean()) / 2,
                "that is the cross-entropy of *both* answers, averaged. D minimises that of the right one.",
            ),
            (
                lambda r, f: (r - f).sigmoid().mean(),
                "that is the probability of the right answer. −log of it is asked for.",
            ),
            (
                lambda r, f: (f - r).sigmoid().mean(),
                "that is the probability of the wrong answer. A cross-entropy is −log p.",
            ),
            (lambda r, f: -(r - f).sigmoid().mean(), "the logarithm is missing: a cross-entropy is −log p."),
            (
                lambda r, f: (f - r).exp().mean(),
                "an exponential: a cross-entropy of a logit s is log(1 + e^(−s)).",
            ),
            (
                lambda r, f: (r - f - 1).square().mean(),
                "that is a squared error. The cross-entropy of the answer is asked for.",
            ),
            (
                lambda r, f: (r - f).square().mean(),
                "that is a squared error. The cross-entropy of the answer is asked for.",
            ),
            (
                lambda r, f: relu(f - r).mean(),
                "that has a corner at 0. The cross-entropy of the answer is asked for.",
            ),
            (
                lambda r, f: softplus(-r * f).mean(),
                "the logit of the question is the *difference* of the two logits, not their product.",
            ),
            (
                lambda r, f: softplus(-r / f).mean(),
                "the logit of the question is the *difference* of the two logits, not their ratio.",
            ),
            (
                lambda r, f: softplus(-(r + f)).mean(),
                "the logit of the question is the *difference* of the two logits, not their sum.",
            ),
            (
                lambda r, f: softplus(-(r - f).abs()).mean(),
                "an absolute value: D would be paid for being sure, right or wrong.",
            ),
            (
                lambda r, f: -torch.stack([r, f]).log_softmax(1)[0].mean(),
                "the softmax runs over the batch. A pair is one real and one fake logit: over which axis "
                "does it run?",
            ),
            (
                lambda r, f: -torch.log(r.sigmoid() / (r.sigmoid() + f.sigmoid())).mean(),
                "that compares the two *probabilities*. The logit of the answer is the difference of the "
                "logits.",
            ),
            (
                lambda r, f: softplus(f.flip(0) - r).mean(),
                "sample number i meets sample number i; yours meet others.",
            ),
            (
                lambda r, f: softplus(f.sort().values - r.sort().values).mean(),
                "the logits are sorted first: sample number i meets sample number i.",
            ),
            (
                lambda r, f: softplus(f - r).mean() / math.log(2),
                "that is in bits: take the natural logarithm.",
            ),
            (
                lambda r, f: softplus(f - r).mean() / math.log(10),
                "that is with base 10: take the natural logarithm.",
            ),
            *(
                (
                    lambda r, f, at=at: bce(r - f, torch.full_like(r, at)),
                    f"the target is {at:g}: the right answer has probability 1.",
                )
                for at in (0.5, 0.8, 0.9, 0.95)
            ),
            (lambda r, f: softplus(2 * (f - r)).mean(), "the difference counts twice."),
            (lambda r, f: softplus((f - r) / 2).mean(), "the difference counts half."),
            (
                lambda r, f: softplus(-r).mean(),
                "only the real logits are in it. What does D say about the *pair*?",
            ),
            (
                lambda r, f: softplus(f).mean(),
                "only the fake logits are in it. What does D say about the *pair*?",
            ),
        ],
        "G's loss": [
            *(
                (
                    lambda r, f, more=more: more - softplus(f - r).mean(),
                    "minus D's loss, and a constant: that saturates where D is sure. G wants the opposite "
                    "*answer*: the cross-entropy of that.",
                )
                for more in (math.log(2), math.log(4), 1, 2)
            ),
            (
                lambda r, f: softplus(f - r).mean() / softplus(f - r).mean().square(),
                "one divided by D's loss. G wants the cross-entropy of the opposite answer.",
            ),
            (
                lambda r, f: softplus((r - f).sigmoid()).mean(),
                "a sigmoid inside the softplus: it takes the difference of the logits itself.",
            ),
            (
                lambda r, f: softplus(r - f.flip(0)).mean(),
                "sample number i meets sample number i; yours meet others.",
            ),
            (
                lambda r, f: softplus(r.sort().values - f.sort().values).mean(),
                "the logits are sorted first: sample number i meets sample number i.",
            ),
            (
                lambda r, f: softplus(2 * (r - f)).mean(),
                "the difference counts twice.",
            ),
            (
                lambda r, f: (r - f - 1).square().mean(),
                "that is a squared error. The cross-entropy of the opposite answer is asked for.",
            ),
            (
                lambda r, f: (f - r - 1).square().mean(),
                "that is a squared error. The cross-entropy of the opposite answer is asked for.",
            ),
            (
                lambda r, f: (softplus(f - r).mean() + softplus(r - f).mean()) / 2,
                "that is the cross-entropy of *both* answers, averaged. G wants the opposite one.",
            ),
            (
                lambda r, f: softplus(f - r).mean() + softplus(r - f).mean(),
                "that is the cross-entropy of *both* answers. G wants the opposite one.",
            ),
            (
                lambda r, f: softplus(r).mean(),
                "G's loss looks at the real samples alone, which it cannot move. It plays about the pair.",
            ),
            (
                lambda r, f: softplus(f - r).mean(),
                "G minimises D's loss: it helps D. What answer does G want?",
            ),
            (
                lambda r, f: -softplus(f - r).mean(),
                "minus D's loss: that saturates where D is sure. G wants the opposite *answer*: the "
                "cross-entropy of that.",
            ),
            (
                lambda r, f: softplus(-f).mean(),
                "G's loss looks at the fake samples alone. It plays about the pair.",
            ),
            (
                lambda r, f: -f.mean(),
                "that is the generator of the hinge loss. What answer about the pair does G want?",
            ),
            (
                lambda r, f: softplus(r.mean() - f).mean(),
                "each fake sample is compared with the *average* real one. Here it meets its partner.",
            ),
            (
                lambda r, f: softplus(r[:, None] - f[None]).mean(),
                "that compares every fake sample with every real one. Each meets its own partner only.",
            ),
            (lambda r, f: -(f - r).sigmoid().mean(), "the logarithm is missing: a cross-entropy is −log p."),
            (
                lambda r, f: (r - f).sigmoid().mean(),
                "that is a probability. The cross-entropy of the wrong answer is −log p.",
            ),
            (
                lambda r, f: relu(1 + r - f).mean(),
                "that is a hinge loss on the pair. The cross-entropy of the answer is asked for.",
            ),
            (
                lambda r, f: (r - f).mean(),
                "that is the Wasserstein loss of the pair. The cross-entropy of the answer is missing.",
            ),
            (
                lambda r, f: -softplus(f).mean(),
                "that is the minimax loss. It looks at the fake samples alone, and saturates.",
            ),
            (
                lambda r, f: softplus(-f).mean() + softplus(r).mean(),
                "that judges each sample alone. G plays about the pair.",
            ),
            (lambda r, f: softplus(r.sigmoid() - f.sigmoid()).mean(), "a sigmoid too many: compare logits."),
            (
                lambda r, f: softplus(r - f).mean() / math.log(2),
                "that is in bits: take the natural logarithm.",
            ),
            (
                lambda r, f: softplus(r.mean() - f).mean() + softplus(f.mean() - r).mean(),
                "that is the *average* relativistic loss. Here samples meet in pairs.",
            ),
            (
                lambda r, f: softplus(r.mean() - f.mean()),
                "the logits are averaged first. Each pair has its own loss.",
            ),
        ],
    }
    _check_pair(answer, right, mistakes, "pair_losses")
    return "relativistic pairing: only differences of logits count."


@exercise(
    "8.3",
    title="Predict what the box does",
    difficulty=1,
    minutes=4,
    hints=["Through how many layers of weights does a number run on its way from x to t(x)?"],
)
def box(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "the critic has more than one layer, and each of them may now be larger.",
            "b": "that would be two layers. Count the matrices between x and t(x).",
            "d": "the estimate is measured by a critic, and what the critic may do depends on c.",
        },
    )
    return "the slope grows with the number of layers, as c³ here."


# --- the gradient penalty ----------------------------------------------------------------------------------


class _Slope(nn.Module):
    """t(x) = w·x: its slope is w everywhere."""

    def __init__(self, w: Tensor):
        super().__init__()
        self.w = nn.Parameter(w.clone())
        self.shown: list[Tensor] = []

    def forward(self, x):
        self.shown.append(x.detach().clone())
        return (x * self.w).flatten(1).sum(1)


class _Bowl(_Slope):
    """t(x) = ½·‖w·x‖², w a number: its slope at x is w²·x, so that it tells where it was asked."""

    def forward(self, x):
        self.shown.append(x.detach().clone())
        return 0.5 * (x * self.w).square().flatten(1).sum(1)


def _penalty_of(answer, critic, real, fake, weight):
    before = weights_of(critic)
    left_over = torch.full_like(critic.w, 0.5)  # as if D's step had begun
    critic.w.grad = left_over.clone()
    try:
        found = call_unchanged(answer, critic, real, fake, weight, name="my_gradient_penalty")
    except RuntimeError as error:
        if "INTERNAL ASSERT" in str(error) or "functorch" in str(error) or "vmap" in str(error):
            raise Wrong(
                "the check notes where the critic is asked, and cannot do so inside `torch.func`. Use "
                "`torch.autograd.grad` here."
            ) from None
        if "must match the size" in str(error) and real.ndim > 2:
            raise Wrong(
                f"right for points, but images {tuple(real.shape)} fail: ε does not line up with them. It "
                "needs an axis of length 1 for each axis after the first."
            ) from error
        raise
    if critic.w.grad is None or not torch.equal(critic.w.grad, left_over):
        raise Wrong(
            "the critic's `.grad` has changed: D's next step would go along it. Ask `torch.autograd.grad` "
            "for the slopes, which leaves `.grad` alone; no `backward`, no `zero_grad`."
        )
    if moved(before, weights_of(critic)):
        raise Wrong(
            "the critic's weights have changed. A penalty only computes a number; the optimiser steps."
        )
    expect_trainable(critic, "the critic")
    value = as_tensor(found, "the penalty")
    expect_shape(
        value,
        (),
        "the penalty",
        f"return one number, the mean over the batch; the shape is {tuple(value.shape)}.",
    )
    if not critic.shown:
        raise Wrong("the critic was never asked: whose slope is this?")
    return found, value.item()


@exercise(
    "8.4",
    title="The gradient penalty",
    difficulty=2,
    minutes=20,
    hints=[
        "In this order: an ε for each sample, the points between, their logits, the slopes, the norms, "
        "the mean.",
        "`torch.autograd.grad(logits.sum(), points, create_graph=True)` gives the slopes of all points at "
        "once.",
        "For images the ε need the shape (N, 1, 1, 1), and the slopes `flatten(1)` before `norm(dim=1)`.",
    ],
)
def penalty(answer):
    rng = torch.Generator().manual_seed(4)
    for shape, weight, length in (((2,), 3.0, 5.0), ((3, 4, 4), 10.0, 3.0), ((1, 6, 6), 0.5, 0.4)):
        w = torch.randn(shape, generator=rng)
        w = length * w / w.norm()
        real, fake = (torch.randn(12, *shape, generator=rng) + shift for shift in (1, -1))
        critic = _Slope(w)
        found, value = _penalty_of(answer, critic, real, fake, weight)
        if critic.shown[-1].shape[1:] != real.shape[1:]:
            raise Wrong(
                f"the critic was shown points of shape {shown(tuple(critic.shown[-1].shape))}; one for each "
                f"sample would be {tuple(real.shape)}. How does ε line up with the samples?"
            )
        _check_linear(value, w, weight, len(real), critic, answer)
        if not isinstance(found, Tensor) or not found.requires_grad:
            raise Wrong(
                "the value is right, but no gradient flows from it to the critic's weights, so D never "
                "feels it. Ask `autograd.grad` to `create_graph`, and cut nothing afterwards."
            )
        expect_like(found, dtype=torch.float32, requires_grad=True, name="the penalty")
        slope = torch.autograd.grad(found, critic.w, allow_unused=True)[0]
        right = 2 * weight * (length - 1) * w / length
        if slope is None or not matches(slope, right, tolerance=1e-3):
            raise Wrong(
                "the value is right, but its derivative with respect to the critic's weights is not: a "
                "part of it has lost its history."
            )
    _check_places(answer)
    real, fake = (torch.randn(8, 2, generator=rng) + shift for shift in (1, -1))
    note = call_anywhere(
        answer,
        _Slope(torch.tensor([3.0, 4.0])),
        real,
        fake,
        10.0,
        hint="`device=real.device`",
        name="my_gradient_penalty",
    )
    _check_flat(answer)
    return f"no slip: a norm and a uniform ε for each image.{note}"


def _check_flat(answer) -> None:
    """Where a critic is flat its slope has the length 0, and a bare root has no slope there."""
    critic = _Slope(torch.zeros(1, 4, 4))
    real, fake = torch.ones(6, 1, 4, 4), torch.zeros(6, 1, 4, 4)
    found, _ = _penalty_of(answer, critic, real, fake, 10.0)
    (slope,) = torch.autograd.grad(found, critic.w, allow_unused=True)
    if slope is not None and not slope.isfinite().all():
        raise Wrong(
            "right, but where the critic is flat its step becomes NaN: a square root has an infinite slope "
            "at 0, as in keras-io's issue 624. `norm` has the slope 0 there; or add something tiny under "
            "the root."
        )


def _check_linear(value: float, w: Tensor, weight: float, n: int, critic: _Slope, answer) -> None:
    """The slope is w wherever it is asked for, so the value has a closed form."""
    length = w.norm()
    right = weight * (length - 1).square()
    if matches(value, right, tolerance=1e-3):
        return
    if w.dim() > 1:  # an image
        in_parts = (
            w.norm(dim=0),
            "a norm for every *pixel*: that asks each pixel for a slope of 1. An image has one slope, of "
            "all its numbers together.",
        )
    else:
        in_parts = (
            w.abs(),
            "each single number of the slope is held against 1. A sample's slope has one length.",
        )
    mistakes = [
        (weight * (in_parts[0] - 1).square().mean(), in_parts[1]),
        (
            weight * (length.square() - 1).square(),
            "the *squared* length is held against 1: the root is missing.",
        ),
        (
            (weight * length - 1).square(),
            "λ stands inside the square: that asks for slopes of 1/λ. It multiplies the mean of the squares.",
        ),
        (
            (weight * (length - 1)).square(),
            "λ stands inside the square, and counts twice. It multiplies the mean of the squares.",
        ),
        (
            weight * length.square() - 1,
            "the −1 stands outside of the square: (length − 1)².",
        ),
        (weight * (length.square() - 1), "length² − 1 is not (length − 1)²."),
        (weight * (length.square() - 1).abs(), "|length² − 1| is not (length − 1)²."),
        (weight + (length - 1).square(), "λ is added. It multiplies the mean of the squares."),
        ((length - 1).square() / weight, "the mean of the squares is divided by λ. Multiply it."),
        (
            weight * (length - 1).square().clamp(max=1),
            "the cost is cut off at 1: a slope far too steep should pay most.",
        ),
        (weight * (length.sqrt() - 1).square(), "a root too many: ‖slope‖ itself is held against 1."),
        (
            weight * (length / w.numel() - 1).square(),
            "the length is divided by the number of its entries. Leave it whole.",
        ),
        (weight * length.square(), "the length is pulled to 0, as in R1. Here it should be 1."),
        (weight * length, "the length itself is penalised, not its distance from 1."),
        (weight * (length - 1).abs(), "the distance from 1 should be squared."),
        (weight * (length - 1), "the distance from 1 should be squared."),
        (
            weight * (length - 1).clamp(min=0).square(),
            "slopes below 1 cost nothing: a one-sided penalty. Here both sides count.",
        ),
        (-right, "turned in its sign: D would be paid for steep slopes."),
        (
            weight * (w.abs().sum() - 1).square(),
            "the sum of the absolute values is no length: take the root of the sum of squares.",
        ),
        (weight * (1 - length).clamp(min=0).square(), "slopes above 1 cost nothing. Here both sides count."),
        (
            weight * (length / w.numel() ** 0.5 - 1).square(),
            "that is the root of the *mean* square of a slope. Its length is the root of the sum of squares.",
        ),
        (weight * (w.abs().max() - 1).square(), "that is the largest number of a slope. Take its length."),
        (
            weight * (w.sum() - 1).square(),
            "the numbers of a slope are added up with their signs. Take its length.",
        ),
        (weight * (w.mean() - 1).square(), "that is the mean of a slope's numbers. Take its length."),
        (weight * length.log().square(), "that is the square of a logarithm. Take (length − 1)²."),
        (weight * (length - 1).abs() ** 3, "a cube: the distance from 1 should be squared."),
        (weight * (length - 1).abs().sqrt(), "a root: the distance from 1 should be squared."),
        (weight / 2 * length.square(), "that is R1, which pulls the length to 0. Here it should be 1."),
        (weight * (length + 1).square(), "the length is held against −1. It should be 1."),
        (10 * (length - 1).square(), "λ is always 10: take the `weight` that is handed in."),
        ((length - 1).square(), "the weight λ is missing."),
        (weight / 2 * (length - 1).square(), "half of what it should be."),
        (weight * weight * (length - 1).square(), "λ is multiplied in twice."),
        (n * right, "a sum over the batch instead of its mean."),
        (weight * (n**0.5 * length - 1).square(), "one norm for the whole batch: each sample has its own."),
        (
            weight * (length / n - 1).square(),
            "the logits were averaged before the derivative, which makes every slope 1/N of what it is. "
            "Take their sum.",
        ),
    ]
    for mistake, message in mistakes:
        if matches(value, mistake, tolerance=1e-3):
            raise Wrong(message)
    by_weights = critic.shown[-1].sum(0).norm()
    if matches(value, weight * (by_weights - 1).square(), tolerance=1e-3):
        raise Wrong("that is the slope with respect to the critic's *weights*. Ask for that at the points.")
    for epsilon in (0.5, 0.1, 0.01, 1e-3):
        if matches(value, weight * ((length.square() + epsilon).sqrt() - 1).square(), tolerance=1e-4):
            raise Wrong(f"a small number is added under the root, and is not small: {epsilon:g}.")
    if all(place.shape == critic.shown[0].shape for place in critic.shown) and len(critic.shown) > 1:
        raise Wrong(
            "the critic is asked twice: is that a quotient of differences? The penalty is on the slope "
            "itself, which `torch.autograd.grad` gives, at points between."
        )
    raise Wrong(
        f"for a critic whose slope has the length {length:.3g} everywhere, and λ = {weight:g}, your penalty "
        f"is {value:.4g}, and λ·(length − 1)² is {right:.4g}. {_by_lengths(answer)}"
    )


def _by_lengths(answer) -> str:
    """What slopes of a few lengths cost, and what λ makes of it."""
    real, fake = torch.ones(4, 2), torch.zeros(4, 2)

    def cost(length: float, weight: float) -> float:
        found = answer(_Slope(length * torch.tensor([0.6, 0.8])), real, fake, weight)
        return as_tensor(found, "the penalty").item()

    try:
        for length in (1.0, 2.0, 0.5, 1.25, 4.0):
            if not matches(cost(length, 1.0), (length - 1) ** 2, tolerance=1e-3):
                return (
                    f"With λ = 1 a slope of the length {length:g} should cost {(length - 1) ** 2:.3g}, and "
                    "costs "
                    f"{cost(length, 1.0):.3g}."
                )
        return (
            f"With λ = 1 it is right; λ = 4 should make it 4 times as large, and makes it "
            f"{cost(3.0, 4.0) / cost(3.0, 1.0):.3g} times as large."
        )
    except Exception:  # an answer may fail on critics so simple
        return ""


def _check_places(answer) -> None:
    """Where did it look? At random points between a real and a generated sample."""
    rng = torch.Generator().manual_seed(5)
    fractions = []
    for shape in ((2,), (1, 4, 4), (1, 4, 4)):
        real, fake = (torch.randn(400, *shape, generator=rng) + shift for shift in (3, -3))
        critic = _Bowl(torch.tensor(1.2))
        _, value = _penalty_of(answer, critic, real, fake, 10.0)
        places = torch.cat(critic.shown)[-len(real) :]  # one by one, or all at once
        if places.shape != real.shape:
            raise Wrong(
                f"the critic was shown points of shape {shown(tuple(places.shape))}; one for each sample "
                "would be "
                f"{tuple(real.shape)}."
            )
        epsilon = ((places - fake) / (real - fake)).flatten(1)  # real and fake are 6 apart: no division by 0
        own = epsilon.median(dim=1).values
        if matches(own, torch.ones(len(own)), tolerance=1e-2):
            raise Wrong("the slope is taken at the real samples only: the points should lie *between*.")
        if matches(own, torch.zeros(len(own)), tolerance=1e-2):
            raise Wrong("the slope is taken at the generated samples only: the points should lie *between*.")
        if (
            matches(places.mean(0), real.mean(0), tolerance=0.3)
            and (epsilon - own[:, None]).abs().max() > 0.01
        ):
            raise Wrong(
                "the points lie around the real samples, as in DRAGAN, and not on the line to a partner. Is "
                "there noise in the place of the generated sample, or a minus where a plus belongs?"
            )
        if (epsilon - own[:, None]).abs().max() > 0.01 and _on_lines_of_others(places, real, fake):
            raise Wrong(
                "the points are not between sample i of the one batch and sample i of the other. Are the "
                "partners mixed up?"
            )
        if (epsilon - own[:, None]).abs().max() > 0.01:
            raise Wrong(
                "the points do not lie on the line between a real and a generated sample: is there an ε for "
                "every pixel? Each sample has one."
            )
        if own.std() < 0.01:
            raise Wrong("all samples share one ε. Each should have its own, so that all places are seen.")
        if own.min() < -0.01 or own.max() > 1.01:
            raise Wrong(
                f"ε runs from {own.min():.1f} to {own.max():.1f}, so that points lie beyond the samples. "
                "Is it drawn from a normal distribution? It should be uniform from 0 to 1."
            )
        quarters = torch.histc(own, 4, 0, 1) / len(own)
        if quarters.min() < 0.15 or quarters.max() > 0.35:
            raise Wrong("ε is not uniform from 0 to 1: some places between the samples are never seen.")
        norms = 1.2**2 * places.flatten(1).norm(dim=1)
        right = 10 * (norms - 1).square().mean()
        if matches(value, 10 * (norms.mean() - 1).square(), tolerance=1e-3):
            raise Wrong("the norms are averaged before they are held against 1. Each sample pays for itself.")
        for mistake, message in (
            (10 * (norms - 1).square().max(), "only the sample with the largest cost pays. Take the mean."),
            (10 * (norms - 1).square().median(), "the median is taken. Take the mean over the batch."),
            (10 * (norms - 1).square()[0], "only the first sample pays. Take the mean over the batch."),
        ):
            if matches(value, mistake, tolerance=1e-3):
                raise Wrong(message)
        if not matches(value, right, tolerance=1e-3):
            raise Wrong(
                "on a critic that is not a straight line the value is another one. Is the norm of each "
                "sample's own slope held against 1, and then averaged?"
            )
        fractions.append(own)
    if matches(fractions[1], fractions[2]):
        raise Wrong("ε is the same at each call: draw it anew.")
    _check_history(answer)


def _on_lines_of_others(places: Tensor, real: Tensor, fake: Tensor) -> bool:
    """Whether most points lie between some real and some generated sample, though not between partners."""
    few = [part.flatten(1)[:400] for part in (places, real, fake)]
    points, ends, starts = few
    hits = 0
    for point in points[:20]:
        line = ends[:, None] - starts[None]  # (real, fake, numbers)
        share = ((point - starts)[None] * line).sum(-1) / line.square().sum(-1)
        distance = (starts[None] + share[..., None] * line - point).norm(dim=-1)
        hits += bool((distance < 1e-3).any())
    return hits > 15


def _check_history(answer) -> None:
    """The fakes may still hang on the generator: the penalty must not reach it, nor mark the data."""
    rng = torch.Generator().manual_seed(6)
    scale, critic = nn.Parameter(torch.tensor(1.0)), _Bowl(torch.tensor(1.0))
    real, latents = torch.randn(8, 2, generator=rng), torch.randn(8, 2, generator=rng)
    found = answer(critic, real, scale * latents, 10.0)
    if real.requires_grad:
        raise Wrong(
            "`real` is left with `requires_grad`: ask for the slope at a new tensor, the points between."
        )
    (slope,) = torch.autograd.grad(found, scale, allow_unused=True)
    if slope is not None and slope.abs() > 0:
        raise Wrong(
            "the penalty's gradient runs on into the generator, through the points between. `detach` them "
            "before they ask for a gradient of their own."
        )


# --- an objective of the learner's own ---------------------------------------------------------------------

HIDDEN = gaussian_mixture([(-1.2, 0.7), (1.1, -0.4)], 0.4)  # data that no text shows
ROUNDS = 400


@exercise(
    "8.5",
    title="An objective of your own",
    difficulty=3,
    minutes=35,
    seconds=150,
    hints=[
        "Start from the cost of one real sample as a function of its logit t: it should fall as t grows. "
        "Mirror it for fakes.",
        "Ideas: a squared margin; least squares with codes −1 and 1, where G aims for 1; a Wasserstein loss "
        "that grows more slowly far out.",
        "`Objective(GANLoss(discriminator, generator))`; both functions take (real_logits, fake_logits).",
    ],
)
def own_objective(answer):
    if isinstance(answer, (Objective, GANLoss)):
        raise Wrong("hand over the function `my_objective` itself, without calling it.")
    objective = call_unchanged(answer, name="my_objective")
    if isinstance(objective, GANLoss):
        raise Wrong("that is the loss. Wrap it: `Objective(GANLoss(…))`, so that a penalty could go with it.")
    if not isinstance(objective, Objective):
        raise Wrong(f"return an `Objective`; you return {shown(objective)}.")
    loss = LOSSES.get(objective.loss) if isinstance(objective.loss, str) else objective.loss
    if not isinstance(loss, GANLoss):
        raise Wrong(
            f"its loss should be a `GANLoss`, a pair of two functions; it is {shown(objective.loss)}."
        )
    _check_form(loss)
    _check_new(loss)
    _check_undecided(loss)
    try:
        js = _learnt(objective)
    except TypeError as error:
        if "argument" in str(error) and objective.penalty is not None:
            raise Wrong(
                f"the penalty cannot be called as one: {error}. A penalty is what `r1(1.0)` or "
                "`gradient_penalty(10.0)` *returns*: give the function its weight."
            ) from error
        raise
    if js is None:
        raise Wrong(
            "in the harness it diverges: a loss or a weight is no longer finite. Does a cost grow without "
            "bound, faster than a straight line?"
        )
    if js > 0.35:
        raise Wrong(
            f"it is in form, but it does not teach: after {ROUNDS} rounds on two wide hills JS is {js:.2f} "
            "(0.69 is nothing learnt). Does G get a gradient where D rejects its samples?"
        )
    return f"it learns: JS {js:.2f} on data that the text does not show."


def _values(loss: GANLoss, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    found = {"D's loss": loss.discriminator(real, fake)}
    try:
        found["G's loss"] = loss.generator(real if loss.generator_sees_real else None, fake)
    except (TypeError, AttributeError) as error:
        if not loss.generator_sees_real:
            raise Wrong(
                "G's loss needs the real logits, and gets `None` for them: say `generator_sees_real=True`."
            ) from error
        raise
    for player, value in found.items():
        expect_shape(
            as_tensor(value, player), (), player, f"{player} should be one number, a mean over the batch."
        )
        expect_like(value, dtype=real.dtype, requires_grad=True, name=player)
    return found


def _slopes(loss: GANLoss, real: Tensor, fake: Tensor) -> list[Tensor]:
    """N times the slopes of D's loss by the real and the fake logits, and of G's loss by the fake ones."""
    values = _values(loss, real, fake)
    of_d = torch.autograd.grad(values["D's loss"], (real, fake), allow_unused=True)
    of_g = torch.autograd.grad(values["G's loss"], fake, allow_unused=True)
    return [torch.zeros(len(real)) if slope is None else len(real) * slope for slope in (*of_d, *of_g)]


def _check_form(loss: GANLoss) -> None:
    for far in (50.0, 100.0, 200.0):
        logits = [torch.tensor([-far, far], requires_grad=True) for _ in range(2)]
        try:
            total = sum(_values(loss, *logits).values())
        except Wrong as wrong:
            if "infinite" not in str(wrong) and "NaN" not in str(wrong):
                raise
            raise Wrong(
                f"at logits of ±{far:g} {str(wrong)[:8].strip()} is infinite, or no number: is there an "
                "exponential, or the logarithm of a probability that is 0 to a computer? Let a cost grow no "
                "faster than a straight line or a square, and take logarithms by `softplus`."
            ) from None
        found = torch.autograd.grad(total, logits, allow_unused=True)
        if not all(slope is None or slope.isfinite().all() for slope in found):
            raise Wrong(f"at logits of ±{far:g} a slope is no longer finite. What happens where D is sure?")
    real, fake = _logits(64, 6)
    values = _values(loss, real, fake)
    twice = _values(loss, real.repeat(2), fake.repeat(2))
    for player, value in values.items():
        if not matches(twice[player].detach(), value.detach(), tolerance=1e-3):
            raise Wrong(f"{player} changes when every sample is shown twice: is it a sum? Take the mean.")
    near = torch.linspace(-0.9, 0.9, 64) + (loss.undecided or 0.0)
    for_real, for_fake, for_g = _slopes(
        loss, near.clone().requires_grad_(), near.flip(0).clone().requires_grad_()
    )
    if for_real.sum() >= 0:
        raise Wrong(
            "D's step would *lower* the logits of real samples, on average, or leave them, near "
            f"{loss.undecided or 0.0:g}, which you call undecided. Is a sign turned in D's loss, or does the "
            "middle between real and fake lie elsewhere?"
        )
    if for_fake.sum() <= 0:
        raise Wrong(
            "D's step would *raise* the logits of fake samples, on average, or leave them, near "
            f"{loss.undecided or 0.0:g}, which you call undecided (`GANLoss(…, undecided=0)`). Where is the "
            "middle between what D wants of a real sample and of a fake one?"
        )
    if for_g.sum() >= 0:
        raise Wrong(
            "G's step would *lower* the logits of its samples, on average, or leave them. Does it aim at "
            "what is undecided, where it should aim above?"
        )


def _check_new(loss: GANLoss) -> None:
    real, fake = _logits(256, 7)
    own = torch.cat([slope / slope.norm() for slope in _slopes(loss, real, fake)])
    for scale in (0.25, 1 / 3, 0.5, 1.0, 2.0, 3.0, 4.0):  # t ↦ c·t: the same loss in another unit
        scaled = [(scale * logits.detach()).requires_grad_() for logits in (real, fake)]
        for name, known in LOSSES.items():
            theirs = torch.cat([slope / slope.norm() for slope in _slopes(known, *scaled)])
            if torch.allclose(own, theirs, atol=1e-4):
                raise Wrong(
                    f"up to factors, that is the {name.replace('_', '-')} loss. Find one of your own."
                )


def _check_undecided(loss: GANLoss) -> None:
    middle = loss.undecided
    same = torch.full((8,), 0.0 if middle is None else float(middle), requires_grad=True)
    value = loss.discriminator(same, same.clone())
    (slope,) = torch.autograd.grad(loss.discriminator(same, same), same)
    if middle is None:
        if not matches(loss.discriminator(same + 5, same + 5).detach(), value.detach()):
            raise Wrong(
                "`undecided=None` says that only differences of logits count, and D's loss changes when all "
                "logits grow by 5. Which logit says neither?"
            )
    elif abs(slope.sum().item()) > 1e-3:
        raise Wrong(
            f"`undecided` is {middle:g}, but a D that cannot tell, and says {middle:g} of everything, "
            "could still lower its loss by saying something else. Which one logit is best for it?"
        )


def _learnt(objective: Objective) -> float | None:
    cells = data_cells(HIDDEN)

    def networks():
        gan = toy_gan(2)
        return gan.generator, gan.discriminator

    (trained,) = compare(
        {"yours": objective},
        networks,
        HIDDEN.sample,
        lambda generator: {"js": measure(sample(generator, 4_000), HIDDEN, cells).js},
        seeds=[0],
        game={name: value for name, value in GAME.items() if name != "loss"},
        images=256 * ROUNDS,
        batch_size=256,
        ema_half_life=0,
        snapshot_every=256 * ROUNDS,
        snapshot_samples=1,
        device="cpu",
        threads=1,
        hidden=True,
    )
    return None if trained.found is None else trained.found["js"]
