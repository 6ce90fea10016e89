"""The checkers of notebook 03: right answers pass in any form, each typical mistake gets its own message."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import softplus

from course_utils.checks import run_check
from course_utils.metrics import generator_pull, mode_coverage
from course_utils.training import toy_gan, train
from course_utils.training.gan import discriminator_step, generator_step


def stub(*_arguments):
    raise NotImplementedError("your code here")


# --- 3.1, D's step: D the discriminator, o the optimiser, x data, f fakes with their graph ---


def d_step(D, o, x, f, loss):
    return discriminator_step(D, o, x, f, loss)


def finish(value, optimizer, *logits):
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    return (value, *logits) if logits else value


def d_by_hand(D, o, x, f, loss):
    o.zero_grad(set_to_none=False)
    real, fake = D(x), D(f.detach())
    value = loss.discriminator(real, fake)
    value.backward()
    o.step()
    return [value.item(), real.detach().numpy(), fake.tolist()]


def d_without_detach(D, o, x, f, loss):
    return finish(loss.discriminator(D(x), D(f)), o, D(x), D(f))


def d_without_zero_grad(D, o, x, f, loss):
    value = loss.discriminator(D(x), D(f.detach()))
    value.backward()
    o.step()
    return value, D(x), D(f)


def d_with(value):
    """A step down value(real_logits, fake_logits, loss)."""

    def answer(D, o, x, f, loss):
        real, fake = D(x), D(f.detach())
        return finish(value(real, fake, loss), o, real, fake)

    return answer


def d_no_step(D, o, x, f, loss):
    value = loss.discriminator(D(x), D(f.detach()))
    value.backward()
    return value, D(x), D(f)


def d_cleared_too_late(D, o, x, f, loss):
    value = loss.discriminator(D(x), D(f.detach()))
    value.backward()
    o.zero_grad()
    o.step()
    return value, D(x), D(f)


def d_step_first(D, o, x, f, loss):
    value = loss.discriminator(D(x), D(f.detach()))
    o.step()
    o.zero_grad()
    value.backward()
    return value, D(x), D(f)


def d_moves_the_fakes(D, o, x, f, loss):
    found = d_step(D, o, x, f, loss)
    f.detach().add_(1)
    return found


def d_logits_after(D, o, x, f, loss):
    value = d_step(D, o, x, f, loss)[0]
    return value, D(x), D(f)


def d_returns_nothing(D, o, x, f, loss):
    d_step(D, o, x, f, loss)


# --- 3.2, G's step ---


def g_step(D, o, x, f, loss):
    return generator_step(D, o, x, f, loss)


def g_by_hand(D, o, x, f, loss):
    D.requires_grad_(False)
    value = finish(loss.generator(D(x), D(f)), o)
    D.requires_grad_(True)
    return value.item()


def g_left_frozen(D, o, x, f, loss):
    D.requires_grad_(False)
    return finish(loss.generator(D(x), D(f)), o)


def g_detached(D, o, x, f, loss):
    return finish(loss.generator(D(x), D(f.detach())), o)


def g_detached_without_zero_grad(D, o, x, f, loss):
    value = loss.generator(D(x), D(f.detach()))
    value.backward()
    o.step()
    return value


def g_without_zero_grad(D, o, x, f, loss):
    value = loss.generator(D(x), D(f))
    value.backward()
    o.step()
    return value


def g_with(value):
    """A step down value(real_logits, fake_logits, loss)."""

    def answer(D, o, x, f, loss):
        return finish(value(D(x), D(f), loss), o)

    return answer


def g_without_real_logits(D, o, x, f, loss):
    return finish(loss.generator(None, D(f)), o)


def g_one_argument(D, o, x, f, loss):
    return finish(loss.generator(D(f)), o)


def g_no_step(D, o, x, f, loss):
    o.zero_grad()
    value = loss.generator(D(x), D(f))
    value.backward()
    return value


def g_moves_the_discriminator(D, o, x, f, loss):
    finish(loss.generator(D(x), D(f.detach())), torch.optim.SGD(D.parameters(), 0.1))
    return g_step(D, o, x, f, loss)


def then(step, change):
    """The step, and afterwards something done to D that nobody asked for."""

    def answer(D, *rest):
        value = step(D, *rest)
        change(D)
        return value

    return answer


# --- 3.3, the whole GAN ---


def whole(
    draw,
    dim,
    rounds,
    start,
    *,
    seeded=True,
    latents_seeded=True,
    d_values=lambda D, x, f: softplus(-D(x)).mean() + softplus(D(f.detach())).mean(),
    g_value=lambda D, f: softplus(-D(f)).mean(),
    last_of_g=None,
    last_of_d=lambda: nn.Flatten(0),
    lr=2e-3,
    d_moves=True,
    one_batch=False,
    latents=torch.randn,
    reseeded=False,
):
    if seeded:
        torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    G = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))
    D = nn.Sequential(nn.Linear(dim, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2))
    D = nn.Sequential(D, nn.Linear(64, 1), *([last_of_d()] if last_of_d else []))
    G = nn.Sequential(G, last_of_g()) if last_of_g else G
    of_g = torch.optim.Adam(G.parameters(), lr=lr, betas=(0.0, 0.99))
    of_d = torch.optim.Adam(D.parameters(), lr=lr, betas=(0.0, 0.99))
    x = draw(256, rng) if one_batch else None
    if not latents_seeded:
        torch.seed()
    for _ in range(rounds):
        if reseeded:
            rng.manual_seed(start)
        x = x if one_batch else draw(256, rng)
        f = G(latents(256, dim, generator=rng if latents_seeded else None))
        if d_moves:
            finish(d_values(D, x, f), of_d)
        finish(g_value(D, f), of_g)
    return G, D


def spoilt(**options):
    return lambda *arguments: whole(*arguments, **options)


def drawn_once():
    """Draws latents when it is first called."""
    kept = []

    def latents(*shape, generator):
        kept.extend([torch.randn(*shape, generator=generator)] * (not kept))
        return kept[0]

    return latents


def whole_by_the_course(draw, dim, rounds, start):
    torch.manual_seed(start)
    gan = toy_gan(dim)
    if rounds:
        train(
            gan,
            draw,
            images=256 * rounds,
            batch_size=256,
            ema_half_life=0,
            seed=start,
            snapshot_every=256 * rounds,
            threads=1,
            progress=False,
        )
    return gan.generator.train(), gan.discriminator.train()


def changed_after(change):
    def answer(*arguments):
        return change(*whole(*arguments))

    return answer


def evaluating(G, D):
    return G.eval(), D.eval()


# --- 3.4 to 3.7 ---


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
    covered, good = set(), 0
    for sample in samples:
        distances = [(sample - mode).norm().item() for mode in modes]
        if min(distances) <= 3 * std:
            covered.add(distances.index(min(distances)))
            good += 1
    return len(covered), good / len(samples)


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
    ("3.1", d_by_hand),
    ("3.2", g_step),
    ("3.2", g_by_hand),
    ("3.3", whole),
    ("3.3", whole_by_the_course),
    ("3.4", generator_pull),
    ("3.4", pull_by_hand),
    ("3.5", counted),
    ("3.5", count_in_loops),
    ("3.6", "b"),
    ("3.6", " B "),
    ("3.7", lambda x, m: x.reshape(-1, m * x.shape[1])),
    ("3.7", lambda x, m: torch.cat(x.chunk(m), dim=1)),
]

WRONG = [
    ("3.1", d_without_detach, "reached the generator"),
    ("3.1", d_without_zero_grad, "earlier step are still in there"),
    ("3.1", d_with(lambda real, fake, loss: -loss.discriminator(real, fake)), "sign is turned"),
    ("3.1", d_with(lambda real, fake, loss: loss.discriminator(fake, real)), "labels are swapped"),
    ("3.1", d_with(lambda real, fake, loss: loss.discriminator(real, fake.detach())), "*logits* are cut off"),
    (
        "3.1",
        d_with(lambda real, fake, loss: loss.discriminator(real.sigmoid(), fake.sigmoid())),
        "sigmoid too many",
    ),
    ("3.1", d_with(lambda real, fake, loss: loss.generator(real, fake)), "generator's loss"),
    (
        "3.1",
        d_with(lambda real, fake, loss: softplus(-real).mean() + softplus(fake).mean()),
        "still follows log D",
    ),
    ("3.1", d_no_step, "has to `step`"),
    ("3.1", d_cleared_too_late, "*before* `backward`"),
    ("3.1", d_step_first, "*old* gradient"),
    ("3.1", d_moves_the_fakes, "changes `fake` itself"),
    ("3.1", d_logits_after, "*before* the step"),
    ("3.1", lambda *a: d_step(*a)[0], "three things"),
    ("3.1", lambda *a: (lambda v, r, f: (v, f, r))(*d_step(*a)), "the data's first"),
    ("3.1", d_with(lambda real, fake, loss: 2 * loss.discriminator(real, fake)), "2 times as far"),
    ("3.2", lambda D, o, x, f, loss: g_step(D, o, x, f + 1, loss), "samples that were handed in"),
    ("3.4", lambda D, points: 0.3 * generator_pull(D, points), "right direction, but not the right length"),
    ("3.5", count_within(lambda distance, std: distance <= 2 * std), "within 2 σ"),
    ("3.5", lambda *a: (counted(*a)[0], 100 * counted(*a)[1]), "in percent"),
    ("3.1", d_returns_nothing, "returns nothing"),
    ("3.1", lambda *a: (0 * d_step(*a)[0], a[2], a[3]), "returned loss"),
    ("3.1", then(d_step, lambda D: D.requires_grad_(False)), "discriminator is left frozen"),
    ("3.1", then(d_step, lambda D: D.eval()), "discriminator is left in evaluation"),
    ("3.2", then(g_step, lambda D: D.eval()), "D is left in evaluation mode"),
    ("3.2", g_left_frozen, "left frozen"),
    ("3.2", g_detached, "fakes were detached"),
    ("3.2", g_detached_without_zero_grad, "fakes were detached"),
    ("3.2", g_with(lambda real, fake, loss: loss.generator(fake, real)), "other logits in their place"),
    ("3.2", g_with(lambda real, fake, loss: loss.generator(real, fake.detach())), "no way back"),
    ("3.2", g_without_zero_grad, "earlier step are still in there"),
    ("3.2", g_with(lambda real, fake, loss: -loss.generator(real, fake)), "sign is turned"),
    ("3.2", g_with(lambda real, fake, loss: -softplus(fake).mean()), "saturating loss"),
    ("3.2", g_with(lambda real, fake, loss: softplus(-fake).mean()), "follows log D"),
    (
        "3.2",
        g_with(lambda real, fake, loss: loss.generator(real.sigmoid(), fake.sigmoid())),
        "sigmoid too many",
    ),
    ("3.2", g_with(lambda real, fake, loss: loss.discriminator(real, fake)), "D's loss"),
    ("3.2", g_without_real_logits, "relativistic loss compares"),
    ("3.2", g_one_argument, "two arguments"),
    ("3.2", g_no_step, "has to `step`"),
    ("3.2", g_moves_the_discriminator, "discriminator's weights moved"),
    ("3.3", lambda *a: whole(*a)[0], "two networks"),
    ("3.3", changed_after(lambda G, D: (D, G)), "generator first"),
    ("3.3", changed_after(evaluating), "evaluation mode"),
    ("3.3", spoilt(last_of_d=None), "(64, 1)"),
    ("3.3", spoilt(last_of_d=lambda: nn.Sequential(nn.Flatten(0), nn.Sigmoid())), "probabilities"),
    ("3.3", spoilt(last_of_g=nn.Tanh), "`tanh`"),
    ("3.3", spoilt(seeded=False), "torch.manual_seed(start)"),
    ("3.3", lambda draw, dim, rounds, start: whole(draw, dim, rounds, 0), "nother `start`"),
    ("3.3", spoilt(latents_seeded=False), "go different ways"),
    ("3.3", lambda draw, dim, rounds, start: whole(draw, 2, rounds, start), "on a line"),
    ("3.3", lambda draw, dim, rounds, start: whole(draw, dim, 60, start), "come back untrained"),
    ("3.3", lambda draw, dim, rounds, start: whole(draw, dim, 20 * rounds, start), "`rounds` is 3"),
    ("3.3", spoilt(one_batch=True), "fresh data"),
    ("3.3", lambda draw, *a: whole(lambda n, rng: draw(n, None), *a), "`draw(256, rng)`"),
    ("3.3", lambda draw, *a: whole(lambda n, rng: draw(1, rng).expand(n, -1), *a), "batch is of 256 samples"),
    ("3.3", spoilt(d_moves=False), "discriminator is still what it was"),
    (
        "3.3",
        spoilt(d_values=lambda D, x, f: softplus(D(x)).mean() + softplus(-D(f.detach())).mean()),
        "labels swapped",
    ),
    ("3.3", spoilt(g_value=lambda D, f: softplus(D(f)).mean()), "or up?"),
    ("3.3", spoilt(lr=1e-5), "too little is learnt"),
    ("3.3", lambda *a: whole(*a, latents=drawn_once()), "he latents are the same in each round"),
    ("3.3", spoilt(latents=torch.rand), "No latent is ever negative"),
    ("3.3", spoilt(latents=lambda *a, generator: torch.randn(*a, generator=generator) / 2), "deviation 0.50"),
    ("3.3", spoilt(reseeded=True), "he latents are the same in each round"),
    ("3.3", spoilt(reseeded=True, latents=lambda *a, generator: torch.randn(*a)), "sees the same batch"),
    ("3.3", changed_after(lambda G, D: (G.to("meta"), D)), "he generator comes back on the device `meta`"),
    ("3.3", changed_after(lambda G, D: (G, D.to("meta"))), "he discriminator comes back on the device"),
    ("3.4", lambda D, points: -generator_pull(D, points), "wrong way"),
    ("3.4", slope_of(lambda t: -F.softplus(-t).mean()), "divided by N"),
    ("3.4", slope_of(lambda t: F.softplus(-t).mean()), "wo things"),
    ("3.4", slope_of(lambda t: t.sum()), "∇t"),
    ("3.4", slope_of(lambda t: t.sigmoid().sum()), "slope of the probability"),
    ("3.4", slope_of(lambda t: F.softplus(t).sum()), "saturating loss"),
    ("3.4", lambda D, points: generator_pull(D, points)[:, 0], "shape"),
    ("3.4", lambda D, points: generator_pull(D, points).sum(), "The array of arrows"),
    ("3.4", lambda D, points: generator_pull(D, points).tolist(), "`list`"),
    ("3.4", lambda D, points: generator_pull(D, points).double(), "float64"),
    ("3.4", pull_of_the_first_call(), "shape (16, 2)"),
    ("3.4", lambda D, points: F.normalize(generator_pull(D, points)), "length 1"),
    ("3.5", count_of_the_ring, "ight for the ring"),
    ("3.5", count_all_nearest, "Only *good* samples"),
    ("3.5", count_within(lambda distance, std: distance <= std), "one σ"),
    ("3.5", count_within(lambda distance, std: distance**2 <= 3 * std), "*squared*"),
    ("3.5", count_box, "square of ±3σ"),
    ("3.5", lambda *a: counted(*a)[::-1], "wrong order"),
    ("3.5", lambda *a: (counted(*a)[0] / 8, counted(*a)[1]), "fraction of the modes"),
    ("3.5", lambda *a: (counted(*a)[0], counted(*a)[1] * len(a[0])), "is a count"),
    ("3.5", lambda *a: (counted(*a)[0], 1 - counted(*a)[1]), "bad samples"),
    ("3.5", lambda *a: counted(*a)[0], "two things"),
    ("3.6", "a", "G only knows"),
    ("3.6", "c", "surer"),
    ("3.6", "d", "variety"),
    ("3.6", "x", "Answer with one of"),
    ("3.7", lambda x, m: x.reshape(m * x.shape[1], -1), "transpose"),
    ("3.7", lambda x, m: x.reshape(-1, 2 * m), "*three* numbers"),
    ("3.7", lambda x, m: torch.arange(1.0, 49.0).reshape(-1, 2 * m), "*three* numbers"),
    ("3.7", lambda x, m: x.reshape(-1, 2 * x.shape[1]), "packs 2 whatever"),
    ("3.7", lambda x, m: x.repeat(1, m), "as many rows"),
    ("3.7", lambda x, m: x[: len(x) // m].repeat(1, m), "copies of one sample"),
    ("3.7", lambda x, m: x.T.reshape(-1, m * x.shape[1]), "mixed up"),
    ("3.7", lambda x, m: x[: len(x) // m * m].unfold(0, m, 1)[: len(x) // m].mT.flatten(1), "in two packs"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(
    ("number", "answer", "words"),
    [pytest.param(*one, marks=pytest.mark.slow) if one[0] == "3.3" else one for one in WRONG],  # trainings
)
def test_each_mistake_gets_its_own_message(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong"
    assert words in verdict.message
    assert verdict.hints


@pytest.mark.parametrize("number", ["3.1", "3.2", "3.3", "3.4", "3.5", "3.7"])
def test_a_stub_is_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


def test_an_ellipsis_is_no_prediction():
    assert run_check("3.6", ...).status == "not attempted"
