"""The checkers of notebook 08: right answers in several forms, untouched stubs, typical mistakes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import relu, softplus

from course_utils.checks import run_check
from course_utils.losses import LOSSES, GANLoss
from course_utils.training.objectives import OBJECTIVES, Objective
from course_utils.training.penalties import gradient_penalty, r1


def stub(*arguments):
    raise NotImplementedError("your code here")


# --- 8.1 and 8.2: pairs of losses ---


def hinge(real, fake):
    return relu(1 - real).mean() + relu(1 + fake).mean(), -fake.mean()


def hinge_by_hand(real, fake):
    zero = torch.zeros_like(real)
    of_real = -torch.minimum(zero, real - 1).mean()  # as Miyato et al. write it
    return of_real - torch.minimum(zero, -fake - 1).mean(), fake.neg().mean()


def d_with(value):
    return lambda real, fake: (value(real, fake), -fake.mean())


def g_with(value):
    return lambda real, fake: (hinge(real, fake)[0], value(real, fake))


def pairs(real, fake):
    return softplus(fake - real).mean(), softplus(real - fake).mean()


def pairs_by_cross_entropy(real, fake):
    ones = torch.ones_like(real)
    return tuple(F.binary_cross_entropy_with_logits(side, ones) for side in (real - fake, fake - real))


def pd_with(value):
    return lambda real, fake: (value(real, fake), pairs(real, fake)[1])


def pg_with(value):
    return lambda real, fake: (pairs(real, fake)[0], value(real, fake))


# --- 8.4: the gradient penalty ---


def penalise(
    critic,
    real,
    fake,
    weight,
    *,
    epsilon=lambda x: torch.rand(len(x), *[1] * (x.ndim - 1)),
    norm=lambda slope: slope.flatten(1).norm(dim=1),
    cost=lambda norms: (norms - 1).square().mean(),
    create_graph=True,
    total=torch.Tensor.sum,
):
    e = epsilon(real)
    between = (e * real + (1 - e) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(total(critic(between)), between, create_graph=create_graph)
    return weight * cost(norm(slope))


def spoilt(**options):
    return lambda *arguments: penalise(*arguments, **options)


def penalise_by_hand(critic, real, fake, weight):
    total, n = 0, len(real)
    for x, made in zip(real, fake, strict=True):
        between = made + torch.rand(()) * (x - made)
        between = between[None].detach().clone().requires_grad_()
        slope = torch.autograd.grad(critic(between).sum(), between, create_graph=True)[0]
        total = total + (slope.norm() - 1) ** 2
    return weight * total / n


def penalise_all_at_once(critic, real, fake, weight):
    return gradient_penalty(weight)(critic, (real,), (fake,))


def one_epsilon_for_ever():
    kept = {}

    def epsilon(x):
        if x.shape not in kept:
            kept[x.shape] = torch.rand(len(x), *[1] * (x.ndim - 1))
        return kept[x.shape]

    return spoilt(epsilon=epsilon)


def steps_the_critic(critic, real, fake, weight):
    found = penalise(critic, real, fake, weight)
    with torch.no_grad():
        for parameter in critic.parameters():
            parameter.add_(1)
    return found


def with_backward(critic, real, fake, weight):
    e = torch.rand(len(real), *[1] * (real.ndim - 1))
    between = (e * real + (1 - e) * fake).detach().requires_grad_()
    critic(between).sum().backward(create_graph=True)
    return weight * (between.grad.flatten(1).norm(dim=1) - 1).square().mean()


def without_detach(critic, real, fake, weight):
    e = torch.rand(len(real), *[1] * (real.ndim - 1))
    between = e * real + (1 - e) * fake
    between = between if between.requires_grad else between.requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return weight * (slope.flatten(1).norm(dim=1) - 1).square().mean()


def quotient_of_differences(critic, real, fake, weight):
    slope = (critic(real) - critic(fake)) / (real - fake).flatten(1).norm(dim=1)
    return weight * (slope - 1).square().mean()


def around_the_data(critic, real, fake, weight):
    points = (real + 0.5 * torch.randn_like(real)).requires_grad_()
    (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
    return weight * (slope.flatten(1).norm(dim=1) - 1).square().mean()


# --- 8.5: an objective of one's own ---


def objective(discriminator, generator, **more):
    return lambda: Objective(GANLoss(discriminator, generator, **more))


def d_squared(real, fake):
    return relu(1 - real).square().mean() + relu(1 + fake).square().mean()


def g_up(real, fake):
    return -fake.mean()


def codes(real, fake):  # least squares with −1 and 1
    return (real - 1).square().mean() + (fake + 1).square().mean()


def sqrt_wasserstein(t):  # like t near 0, like √t far out
    return t.sign() * ((1 + t.abs()).sqrt() - 1)


RIGHT = [
    ("8.1", hinge),
    ("8.1", hinge_by_hand),
    ("8.2", pairs),
    ("8.2", pairs_by_cross_entropy),
    ("8.3", "c"),
    ("8.3", " C "),
    ("8.4", penalise),
    ("8.4", penalise_all_at_once),
    ("8.4", penalise_by_hand),
    ("8.5", objective(d_squared, g_up)),
    ("8.5", objective(codes, lambda real, fake: (fake - 1).square().mean())),
    (
        "8.5",
        objective(
            lambda real, fake: relu(1 + fake - real).square().mean(),
            lambda real, fake: relu(1 + real - fake).square().mean(),
            generator_sees_real=True,
            undecided=None,
        ),
    ),
]

WRONG = [
    ("8.1", lambda r, f: hinge(r, f)[0], "two losses"),
    ("8.1", lambda r, f: hinge(r, f)[::-1], "wrong order"),
    ("8.1", d_with(lambda r, f: relu(-r).mean() + relu(f).mean()), "margin of 0"),
    ("8.1", d_with(lambda r, f: relu(1 + r).mean() + relu(1 - f).mean()), "exchanged"),
    ("8.1", d_with(lambda r, f: d_squared(r, f)), "squared"),
    ("8.1", d_with(lambda r, f: relu(1 - r.mean()) + relu(1 + f.mean())), "before the margin"),
    ("8.1", d_with(lambda r, f: 2 - r.mean() + f.mean()), "before the margin"),
    ("8.1", d_with(lambda r, f: relu(1 - r.sigmoid()).mean() + relu(1 + f.sigmoid()).mean()), "sigmoid"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean()), "fake samples are missing"),
    ("8.1", d_with(lambda r, f: hinge(r, f)[0] / 2), "add them up"),
    ("8.1", d_with(lambda r, f: relu(1 - r).sum() + relu(1 + f).sum()), "sum over the batch"),
    ("8.1", d_with(lambda r, f: -hinge(r, f)[0]), "sign"),
    ("8.1", d_with(lambda r, f: relu(1 - r) + relu(1 + f)), "one number"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() + relu(1 + f.detach()).mean()), "lost its history"),
    ("8.1", d_with(lambda r, f: relu(3 - r).mean() + relu(3 + f).mean()), "of one real sample"),
    ("8.1", d_with(lambda r, f: relu(2 - r).mean() + relu(2 + f).mean()), "margins lie at ±2"),
    ("8.1", d_with(lambda r, f: relu(-r).mean() + relu(1 + f).mean()), "real samples have no margin"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() - relu(1 + f).mean()), "subtracted"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() + relu(1 - f).mean()), "treated as real"),
    ("8.1", d_with(lambda r, f: relu(1 + r).mean() + relu(1 + f).mean()), "treated as fake"),
    ("8.1", d_with(lambda r, f: relu(r - 1).mean() + relu(-1 - f).mean()), "*beyond* their margin pay"),
    ("8.1", d_with(lambda r, f: -relu(r - 1).mean() - relu(-1 - f).mean()), "rewarded"),
    ("8.1", d_with(lambda r, f: (1 - r).abs().mean() + (1 + f).abs().mean()), "absolute value"),
    ("8.1", d_with(lambda r, f: (1 - r).square().mean() + (1 + f).square().mean()), "codes ±1"),
    ("8.1", d_with(lambda r, f: F.leaky_relu(1 - r).mean() + F.leaky_relu(1 + f).mean()), "exactly 0"),
    ("8.1", d_with(lambda r, f: relu(1 - (r - f)).mean()), "for the *pair*"),
    ("8.1", d_with(lambda r, f: f.mean() - r.mean()), "Wasserstein"),
    ("8.1", d_with(lambda r, f: relu(1 - r).max() + relu(1 + f).max()), "largest cost"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() + relu(1 + f).mean() / 2), "count half"),
    ("8.1", g_with(lambda r, f: -r.mean()), "*real* logits"),
    ("8.1", g_with(lambda r, f: (r - f).mean()), "are in G's loss"),
    ("8.1", g_with(lambda r, f: relu(-f).mean()), "where the logit is 0"),
    ("8.1", g_with(lambda r, f: (f - 1).square().mean()), "least-squares"),
    ("8.1", g_with(lambda r, f: -f.sigmoid().mean()), "sigmoid too many"),
    ("8.1", g_with(lambda r, f: -softplus(f).mean()), "minimax"),
    ("8.1", g_with(lambda r, f: (1 - f).mean()), "what does the 1 do"),
    ("8.1", g_with(lambda r, f: f.mean()), "climbs down"),
    ("8.1", g_with(lambda r, f: relu(1 - f).mean()), "G has no margin"),
    ("8.1", g_with(lambda r, f: softplus(-f).mean()), "non-saturating"),
    ("8.1", g_with(lambda r, f: -relu(1 + f).mean()), "stops at D's margin"),
    ("8.2", lambda r, f: pairs(r, f)[::-1], "wrong order"),
    ("8.2", pd_with(lambda r, f: softplus(f.mean() - r).mean()), "*average* fake"),
    ("8.2", pd_with(lambda r, f: softplus(f.mean() - r.mean())), "averaged first"),
    (
        "8.2",
        pd_with(lambda r, f: softplus(f.mean() - r).mean() + softplus(f - r.mean()).mean()),
        "*average* relativistic",
    ),
    ("8.2", pd_with(lambda r, f: softplus(f[None] - r[:, None]).mean()), "every fake one"),
    ("8.2", pd_with(lambda r, f: softplus(r - f).mean()), "Which difference"),
    ("8.2", pd_with(lambda r, f: softplus(f.sigmoid() - r.sigmoid()).mean()), "not probabilities"),
    ("8.2", pd_with(lambda r, f: softplus(-r).mean() + softplus(f).mean()), "about the *pair*"),
    ("8.2", pd_with(lambda r, f: (f - r).mean()), "Wasserstein"),
    ("8.2", pd_with(lambda r, f: -torch.log(torch.sigmoid(r - f)).mean()), "stays finite"),
    ("8.2", pd_with(lambda r, f: softplus(f - r).mean() + softplus(r - f).mean()), "*both* answers"),
    ("8.2", pd_with(lambda r, f: (r - f).sigmoid().mean()), "probability of the right answer"),
    ("8.2", pd_with(lambda r, f: (f - r).exp().mean()), "n exponential"),
    ("8.2", pd_with(lambda r, f: (r - f - 1).square().mean()), "squared error"),
    ("8.2", pd_with(lambda r, f: relu(f - r).mean()), "corner at 0"),
    ("8.2", pd_with(lambda r, f: softplus(-r * f).mean()), "not their product"),
    ("8.2", pd_with(lambda r, f: -torch.stack([r, f]).log_softmax(1)[0].mean()), "runs over the batch"),
    ("8.2", pd_with(lambda r, f: softplus(f.flip(0) - r).mean()), "yours meet others"),
    ("8.2", pd_with(lambda r, f: F.binary_cross_entropy_with_logits(r - f, 0.9 + 0 * r)), "target is 0.9"),
    ("8.2", pd_with(lambda r, f: softplus(2 * (f - r)).mean()), "counts twice"),
    ("8.2", pd_with(lambda r, f: softplus(-r).mean()), "nly the real logits"),
    ("8.2", pg_with(lambda r, f: -(f - r).sigmoid().mean()), "logarithm is missing"),
    ("8.2", pg_with(lambda r, f: relu(1 + r - f).mean()), "hinge loss on the pair"),
    ("8.2", pg_with(lambda r, f: (r - f).mean()), "Wasserstein"),
    ("8.2", pg_with(lambda r, f: -softplus(f).mean()), "minimax"),
    ("8.2", pg_with(lambda r, f: softplus(f - r).mean()), "helps D"),
    ("8.2", pg_with(lambda r, f: -softplus(f - r).mean()), "saturates"),
    ("8.2", pg_with(lambda r, f: softplus(-f).mean()), "fake samples alone"),
    ("8.2", pg_with(lambda r, f: softplus(r.detach() - f).mean()), "lost its history"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() + relu(f - 1).mean()), "may stand at 1"),
    ("8.1", d_with(lambda r, f: relu(1 - r).mean() + relu(f).mean()), "have no margin"),
    ("8.1", d_with(lambda r, f: softplus(1 - r).mean() + softplus(1 + f).mean()), "has a corner"),
    ("8.1", d_with(lambda r, f: relu(1 - r).clamp(max=50).mean() + relu(1 + f).mean()), "cut off"),
    ("8.1", g_with(lambda r, f: -hinge(r, f)[0]), "stops where D's margin does"),
    ("8.2", pd_with(lambda r, f: -torch.log(torch.sigmoid(r - f) + 1e-8).mean()), "cut off"),
    ("8.2", pg_with(lambda r, f: softplus((r - f).clamp(-50, 50)).mean()), "cut off"),
    ("8.2", pd_with(lambda r, f: relu(1 + f - r).mean()), "hinge loss on the pair"),
    ("8.3", "a", "more than one layer"),
    ("8.3", "b", "two layers"),
    ("8.3", "d", "depends on c"),
    ("8.4", spoilt(norm=lambda slope: slope.norm(dim=1)), "every *pixel*"),
    ("8.4", spoilt(norm=lambda slope: slope.abs()), "single number"),
    ("8.4", spoilt(norm=lambda slope: slope.flatten(1).square().sum(1)), "root is missing"),
    ("8.4", spoilt(norm=lambda slope: slope.norm()), "whole batch"),
    ("8.4", spoilt(cost=lambda norms: norms.square().mean()), "pulled to 0"),
    ("8.4", spoilt(cost=lambda norms: relu(norms - 1).square().mean()), "one-sided"),
    ("8.4", spoilt(cost=lambda norms: (norms - 1).abs().mean()), "squared"),
    ("8.4", spoilt(cost=lambda norms: (norms - 1).square().sum()), "sum over the batch"),
    ("8.4", spoilt(cost=lambda norms: (norms.mean() - 1).square()), "averaged before"),
    ("8.4", spoilt(cost=lambda norms: (norms - 1).square()), "one number"),
    ("8.4", spoilt(total=torch.Tensor.mean), "averaged before the derivative"),
    ("8.4", lambda critic, x, f, weight: penalise(critic, x, f, 1.0), "λ is missing"),
    ("8.4", spoilt(create_graph=False), "create_graph"),
    ("8.4", spoilt(epsilon=lambda x: torch.ones(len(x), *[1] * (x.ndim - 1))), "real samples only"),
    ("8.4", spoilt(epsilon=lambda x: torch.zeros(len(x), *[1] * (x.ndim - 1))), "generated samples only"),
    ("8.4", spoilt(epsilon=torch.rand_like), "every pixel"),
    ("8.4", spoilt(epsilon=lambda x: torch.rand(())), "share one ε"),
    ("8.4", spoilt(epsilon=lambda x: torch.full((len(x), *[1] * (x.ndim - 1)), 0.5)), "share one ε"),
    ("8.4", spoilt(epsilon=lambda x: torch.randn(len(x), *[1] * (x.ndim - 1))), "beyond the samples"),
    ("8.4", spoilt(epsilon=lambda x: torch.rand(len(x), *[1] * (x.ndim - 1)) / 2), "not uniform"),
    ("8.4", one_epsilon_for_ever(), "same at each call"),
    (
        "8.4",
        spoilt(epsilon=lambda x: torch.randint(2, (len(x), *[1] * (x.ndim - 1))).float()),
        "not uniform",
    ),
    ("8.4", spoilt(epsilon=lambda x: torch.rand(len(x), 1, 1, 1)), "line up"),
    ("8.4", with_backward, "`.grad` has changed"),
    ("8.4", lambda critic, x, f, weight: (critic.zero_grad(), penalise(critic, x, f, weight))[1], "`.grad`"),
    ("8.4", without_detach, "into the generator"),
    ("8.4", lambda critic, x, f, weight: penalise(critic, x.requires_grad_(), f, weight), "left with"),
    ("8.4", lambda critic, x, f, weight: penalise(critic, x, f, 10.0), "always 10"),
    ("8.4", lambda critic, x, f, weight: -penalise(critic, x, f, weight), "sign"),
    ("8.4", lambda critic, x, f, weight: penalise(critic, x, f.flip(0), weight), "mixed up"),
    ("8.4", spoilt(norm=lambda s: s.flatten(1).square().mean(1).sqrt()), "root of the *mean* square"),
    ("8.4", spoilt(norm=lambda s: s.flatten(1).abs().amax(1)), "largest number of a slope"),
    ("8.4", spoilt(norm=lambda s: s.flatten(1).sum(1)), "with their signs"),
    ("8.4", spoilt(norm=lambda s: (s.flatten(1).square().sum(1) + 0.1).sqrt()), "under the root"),
    ("8.4", spoilt(cost=lambda n: n.log().square().mean()), "square of a logarithm"),
    ("8.4", spoilt(cost=lambda n: (n - 1).square().max()), "largest cost pays"),
    ("8.4", quotient_of_differences, "quotient of differences"),
    ("8.4", around_the_data, "DRAGAN"),
    ("8.4", steps_the_critic, "weights have changed"),
    ("8.4", lambda critic, x, f, weight: torch.tensor(3.0, requires_grad=True), "never asked"),
    ("8.5", lambda: GANLoss(d_squared, g_up), "Wrap it"),
    ("8.5", lambda: "hinge", "an `Objective`; you return"),
    ("8.5", Objective(GANLoss(d_squared, g_up)), "without calling it"),
    ("8.5", objective(lambda r, f: relu(2 - r).mean() + relu(2 + f).mean(), g_up), "that is the hinge loss"),
    (
        "8.5",
        objective(
            lambda r, f: softplus(-2 * r).mean() + softplus(2 * f).mean(),
            lambda r, f: softplus(-2 * f).mean(),
        ),
        "non-saturating",
    ),
    (
        "8.5",
        objective(lambda r, f: (-r).exp().mean() + f.exp().mean(), lambda r, f: (-f).exp().mean()),
        "infinite",
    ),
    ("8.5", objective(codes, lambda r, f: f.square().mean()), "undecided"),
    ("8.5", lambda: OBJECTIVES["hinge"], "that is the hinge loss"),
    ("8.5", lambda: Objective(LOSSES["minimax"], r1(1.0)), "that is the minimax loss"),
    ("8.5", objective(lambda r, f: -d_squared(r, f), g_up), "*lower* the logits of real"),
    ("8.5", objective(lambda r, f: d_squared(r, -f), g_up), "*raise* the logits of fake"),
    ("8.5", objective(d_squared, lambda r, f: f.mean()), "*lower* the logits of its"),
    ("8.5", objective(lambda r, f: 64 * d_squared(r, f) / 64 * len(r), g_up), "is it a sum"),
    ("8.5", objective(d_squared, lambda r, f: (r - f).mean()), "generator_sees_real"),
    ("8.5", objective(lambda r, f: d_squared(r, f).detach(), g_up), "lost its history"),
    ("8.5", objective(d_squared, g_up, undecided=0.5), "`undecided` is 0.5"),
    ("8.5", objective(d_squared, g_up, undecided=None), "only differences"),
    ("8.5", objective(lambda r, f: relu(1 - r).square() + relu(1 + f).square(), g_up), "one number"),
    ("8.5", objective(d_squared, lambda r, f: -1e-9 * (fake_cube(f))), "does not teach"),
]


def fake_cube(fake):
    """Rises with the logit, so slowly that Adam's ε swallows the step."""
    return fake.mean()


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_each_mistake_gets_its_own_message(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message, verdict.message
    assert verdict.hints


@pytest.mark.parametrize(
    ("number", "answer"), [("8.1", stub), ("8.2", stub), ("8.3", ...), ("8.4", stub), ("8.5", stub)]
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


def test_a_frozen_critic_is_refused():
    def freezing(critic: nn.Module, real, fake, weight):
        found = penalise(critic, real, fake, weight)
        critic.requires_grad_(False)
        return found

    assert "left frozen" in run_check("8.4", freezing).message
