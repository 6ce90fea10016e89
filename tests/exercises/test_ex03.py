"""The checkers of notebook 03: right answers pass in any form, each typical mistake gets its own message."""

import pytest
import torch
from torch.nn import functional as F

from course_utils.checks import run_check
from course_utils.metrics import generator_pull, mode_coverage


def stub(*_arguments):
    raise NotImplementedError("your code here")


def finish(value, optimizer):
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return value


# --- 3.1, D's step: G the generator, D the discriminator, o the optimiser, x data, z latents ---


def d_step(G, D, o, x, z, loss):
    return finish(loss.discriminator(D(x), D(G(z).detach())), o).detach()


def d_with_no_grad(G, D, o, x, z, loss):
    with torch.no_grad():
        fake = G(z)
    o.zero_grad(set_to_none=False)
    value = loss.discriminator(D(x), D(fake))
    value.backward()
    o.step()
    return value.item()


def d_without_detach(G, D, o, x, z, loss):
    return finish(loss.discriminator(D(x), D(G(z))), o)


def d_without_zero_grad(G, D, o, x, z, loss):
    value = loss.discriminator(D(x), D(G(z).detach()))
    value.backward()
    o.step()
    return value


def d_uphill(G, D, o, x, z, loss):
    return finish(-loss.discriminator(D(x), D(G(z).detach())), o)


def d_swapped(G, D, o, x, z, loss):
    return finish(loss.discriminator(D(G(z).detach()), D(x)), o)


def d_cut_too_late(G, D, o, x, z, loss):
    return finish(loss.discriminator(D(x), D(G(z)).detach()), o)


def d_sigmoid(G, D, o, x, z, loss):
    return finish(loss.discriminator(D(x).sigmoid(), D(G(z).detach()).sigmoid()), o)


def d_with_generator_loss(G, D, o, x, z, loss):
    return finish(loss.generator(None, D(G(z).detach())), o)


def d_own_loss(G, D, o, x, z, loss):
    return finish(F.softplus(-D(x)).mean() + F.softplus(D(G(z).detach())).mean(), o)


def d_no_step(G, D, o, x, z, loss):
    value = loss.discriminator(D(x), D(G(z).detach()))
    value.backward()
    return value


def d_cleared_too_late(G, D, o, x, z, loss):
    value = loss.discriminator(D(x), D(G(z).detach()))
    value.backward()
    o.zero_grad()
    o.step()
    return value


def d_step_first(G, D, o, x, z, loss):
    value = loss.discriminator(D(x), D(G(z).detach()))
    o.step()
    o.zero_grad()
    value.backward()
    return value


def d_moves_the_generator(G, D, o, x, z, loss):
    finish(loss.generator(None, D(G(z))), torch.optim.SGD(G.parameters(), 0.1))
    return d_step(G, D, o, x, z, loss)


def d_twice_the_loss(G, D, o, x, z, loss):
    return finish(2 * loss.discriminator(D(x), D(G(z).detach())), o)


def d_returns_nothing(G, D, o, x, z, loss):
    d_step(G, D, o, x, z, loss)


# --- 3.2, G's step ---


def g_step(G, D, o, z, loss):
    return finish(loss.generator(None, D(G(z))), o).detach()


def g_frozen_and_thawed(G, D, o, z, loss):
    D.requires_grad_(False)
    value = finish(loss.generator(None, D(G(z))), o)
    D.requires_grad_(True)
    return value.item()


def g_left_frozen(G, D, o, z, loss):
    D.requires_grad_(False)
    return finish(loss.generator(None, D(G(z))), o)


def g_detached(G, D, o, z, loss):
    return finish(loss.generator(None, D(G(z).detach())), o)


def g_detached_without_zero_grad(G, D, o, z, loss):
    value = loss.generator(None, D(G(z).detach()))
    value.backward()
    o.step()
    return value


def g_cut_logits(G, D, o, z, loss):
    return finish(loss.generator(None, D(G(z)).detach()), o)


def g_without_zero_grad(G, D, o, z, loss):
    value = loss.generator(None, D(G(z)))
    value.backward()
    o.step()
    return value


def g_uphill(G, D, o, z, loss):
    return finish(-loss.generator(None, D(G(z))), o)


def g_saturating(G, D, o, z, loss):
    return finish(-F.softplus(D(G(z))).mean(), o)


def g_own_loss(G, D, o, z, loss):
    return finish(F.softplus(-D(G(z))).mean(), o)


def g_sigmoid(G, D, o, z, loss):
    return finish(loss.generator(None, D(G(z)).sigmoid()), o)


def g_no_step(G, D, o, z, loss):
    o.zero_grad()
    value = loss.generator(None, D(G(z)))
    value.backward()
    return value


def g_moves_the_discriminator(G, D, o, z, loss):
    finish(loss.generator(None, D(G(z))), torch.optim.SGD(D.parameters(), 0.1))
    return g_step(G, D, o, z, loss)


def then(step, change):
    """The step, and afterwards something done to G or D that nobody asked for."""

    def answer(G, D, *rest):
        value = step(G, D, *rest)
        change(G, D)
        return value

    return answer


# --- 3.3 to 3.6 ---


def pull_of_the_first_call():
    first = []

    def answer(D, points):
        first.append(generator_pull(D, points))
        return first[0]

    return answer


def count_of_the_ring(samples, modes, std):
    found = mode_coverage(samples, modes, 0.1)
    return found.covered, found.good_fraction


def pull_by_hand(D, points):
    points.requires_grad_()
    logits = D(points)
    (uphill,) = torch.autograd.grad(logits.sum(), points)
    return (1 - logits.sigmoid())[:, None] * uphill


def slope_of(value):
    def answer(D, points):
        points.requires_grad_()
        return torch.autograd.grad(value(D(points)), points)[0]

    return answer


def counted(samples, modes, std):
    found = mode_coverage(samples, modes, std)
    return found.covered, found.good_fraction


def count_in_loops(samples, modes, std):
    hits = [[(sample - mode).norm() <= 3 * std for mode in modes] for sample in samples]
    return sum(any(column) for column in zip(*hits, strict=True)), torch.tensor(
        [any(row) for row in hits]
    ).float().mean()


def count_all_nearest(samples, modes, std):
    return torch.cdist(samples, modes).argmin(1).unique().numel(), counted(samples, modes, std)[1]


def count_within(how_near):
    def answer(samples, modes, std):
        distance, nearest = torch.cdist(samples, modes).min(1)
        good = how_near(distance, std)
        return nearest[good].unique().numel(), good.float().mean()

    return answer


def count_box(samples, modes, std):
    inside = ((samples[:, None] - modes).abs() <= 3 * std).all(-1)
    return inside.any(0).sum(), inside.any(1).float().mean()


RIGHT = [
    ("3.1", d_step),
    ("3.1", d_with_no_grad),
    ("3.2", g_step),
    ("3.2", g_frozen_and_thawed),
    ("3.3", generator_pull),
    ("3.3", pull_by_hand),
    ("3.4", counted),
    ("3.4", count_in_loops),
    ("3.5", "b"),
    ("3.5", " B "),
    ("3.6", lambda x, m: x.reshape(-1, m * x.shape[1])),
    ("3.6", lambda x, m: torch.cat(x.chunk(m), dim=1)),
]

WRONG = [
    ("3.1", d_without_detach, "reached the generator"),
    ("3.1", d_without_zero_grad, "earlier step are still in there"),
    ("3.1", d_uphill, "sign is turned"),
    ("3.1", d_swapped, "labels are swapped"),
    ("3.1", d_cut_too_late, "*logits* are cut off"),
    ("3.1", d_sigmoid, "sigmoid too many"),
    ("3.1", d_with_generator_loss, "generator's loss"),
    ("3.1", d_own_loss, "still follows log D"),
    ("3.1", d_no_step, "has to `step`"),
    ("3.1", d_cleared_too_late, "*before* `backward`"),
    ("3.1", d_step_first, "*old* gradient"),
    ("3.1", d_moves_the_generator, "generator's weights moved"),
    ("3.1", d_twice_the_loss, "2 times as far"),
    ("3.2", lambda G, D, o, z, loss: g_step(G, D, o, z + 1, loss), "samples that were handed in"),
    ("3.3", lambda D, points: 0.3 * generator_pull(D, points), "right direction, but not the right length"),
    ("3.4", count_within(lambda distance, std: distance <= 2 * std), "within 2 σ"),
    ("3.4", lambda *a: (counted(*a)[0], 100 * counted(*a)[1]), "in percent"),
    ("3.1", d_returns_nothing, "returns nothing"),
    ("3.1", lambda *a: d_step(*a) * 0, "returned loss"),
    ("3.1", then(d_step, lambda G, D: G.requires_grad_(False)), "generator is left frozen"),
    ("3.1", then(d_step, lambda G, D: D.eval()), "discriminator is left in evaluation"),
    ("3.2", then(g_step, lambda G, D: D.eval()), "D is left in evaluation mode"),
    ("3.2", g_left_frozen, "left frozen"),
    ("3.2", g_detached, "fakes were detached"),
    ("3.2", g_detached_without_zero_grad, "fakes were detached"),
    ("3.2", g_cut_logits, "no way back"),
    ("3.2", g_without_zero_grad, "earlier step are still in there"),
    ("3.2", g_uphill, "sign is turned"),
    ("3.2", g_saturating, "saturating loss"),
    ("3.2", g_own_loss, "still follows log D"),
    ("3.2", g_sigmoid, "sigmoid too many"),
    ("3.2", g_no_step, "has to `step`"),
    ("3.2", g_moves_the_discriminator, "discriminator's weights moved"),
    ("3.3", lambda D, points: -generator_pull(D, points), "wrong way"),
    ("3.3", slope_of(lambda t: -F.softplus(-t).mean()), "divided by N"),
    ("3.3", slope_of(lambda t: F.softplus(-t).mean()), "wo things"),
    ("3.3", slope_of(lambda t: t.sum()), "∇t"),
    ("3.3", slope_of(lambda t: t.sigmoid().sum()), "slope of the probability"),
    ("3.3", slope_of(lambda t: F.softplus(t).sum()), "saturating loss"),
    ("3.3", lambda D, points: generator_pull(D, points)[:, 0], "shape"),
    ("3.3", lambda D, points: generator_pull(D, points).sum(), "The array of arrows"),
    ("3.3", lambda D, points: generator_pull(D, points).tolist(), "`list`"),
    ("3.3", lambda D, points: generator_pull(D, points).double(), "float64"),
    ("3.3", pull_of_the_first_call(), "shape (16, 2)"),
    ("3.3", lambda D, points: F.normalize(generator_pull(D, points)), "length 1"),
    ("3.4", count_of_the_ring, "ight for the ring"),
    ("3.4", count_all_nearest, "Only *good* samples"),
    ("3.4", count_within(lambda distance, std: distance <= std), "one σ"),
    ("3.4", count_within(lambda distance, std: distance**2 <= 3 * std), "*squared*"),
    ("3.4", count_box, "square of ±3σ"),
    ("3.4", lambda *a: counted(*a)[::-1], "wrong order"),
    ("3.4", lambda *a: (counted(*a)[0] / 8, counted(*a)[1]), "fraction of the modes"),
    ("3.4", lambda *a: (counted(*a)[0], counted(*a)[1] * len(a[0])), "is a count"),
    ("3.4", lambda *a: (counted(*a)[0], 1 - counted(*a)[1]), "bad samples"),
    ("3.4", lambda *a: counted(*a)[0], "two things"),
    ("3.5", "a", "G only knows"),
    ("3.5", "c", "surer"),
    ("3.5", "d", "variety"),
    ("3.5", "x", "Answer with one of"),
    ("3.6", lambda x, m: x.reshape(m * x.shape[1], -1), "transpose"),
    ("3.6", lambda x, m: x.reshape(-1, 2 * m), "*three* numbers"),
    ("3.6", lambda x, m: torch.arange(48.0).reshape(-1, 2 * m), "*three* numbers"),
    ("3.6", lambda x, m: x.reshape(-1, 2 * x.shape[1]), "packs 2 whatever"),
    ("3.6", lambda x, m: x.repeat(1, m), "as many rows"),
    ("3.6", lambda x, m: x[: len(x) // m].repeat(1, m), "copies of one sample"),
    ("3.6", lambda x, m: x.T.reshape(-1, m * x.shape[1]), "mixed up"),
    ("3.6", lambda x, m: x[: len(x) // m * m].unfold(0, m, 1)[: len(x) // m].mT.flatten(1), "in two packs"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_each_mistake_gets_its_own_message(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message
    assert verdict.hints


@pytest.mark.parametrize("number", ["3.1", "3.2", "3.3", "3.4", "3.6"])
def test_a_stub_is_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


def test_an_ellipsis_is_no_prediction():
    assert run_check("3.5", ...).status == "not attempted"
