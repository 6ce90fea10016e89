"""The checkers of notebook 11: right answers pass in any form, each typical mistake gets its own message."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from course_utils.checks import run_check
from course_utils.exercises.ex11_gan_vs_vae import BLIND
from course_utils.likelihoods import aggregate_posterior
from course_utils.models import integrate
from course_utils.training.inverse import bidirectional_round, nearest_latents


def stub(*_arguments):
    raise NotImplementedError("your code here")


# --- 11.1 ---


def swapped(one, other):
    """The right answer with two columns exchanged."""
    return {**BLIND, one: BLIND[other], other: BLIND[one]}


def column(family):
    return next(name for name, found in BLIND.items() if found == family)


# --- 11.3: m means, v log variances, n how many, r random numbers ---


def posterior(m, v, n, r):
    chosen = torch.randint(len(m), (n,), generator=r)
    return m[chosen] + (0.5 * v[chosen]).exp() * torch.randn(n, m.shape[1], generator=r)


def posterior_by_weights(m, v, n, r):
    chosen = torch.multinomial(torch.ones(len(m)), n, replacement=True, generator=r)
    return torch.normal(m.index_select(0, chosen), v.index_select(0, chosen).exp().sqrt(), generator=r)


def posterior_by_loop(m, v, n, r):
    rows = []
    for _ in range(n):
        i = int(torch.randint(0, len(m), (), generator=r))
        rows.append(torch.normal(m[i], torch.exp(v[i] / 2), generator=r))
    return torch.stack(rows)


def with_noise(scale, noise=lambda n, d, r: torch.randn(n, d, generator=r)):
    """Latents of images that are drawn rightly, with a spread of one's own; scale(v) of the drawn rows."""

    def answer(m, v, n, r):
        chosen = torch.randint(len(m), (n,), generator=r)
        return m[chosen] + scale(v[chosen]) * noise(n, m.shape[1], r)

    return answer


def with_images(choose):
    """Latents with right noise, of images that are chosen in one's own way: choose(N, n, r)."""

    def answer(m, v, n, r):
        chosen = choose(len(m), n, r)
        return m[chosen] + (v[chosen] / 2).exp() * torch.randn(len(chosen), m.shape[1], generator=r)

    return answer


def one_gaussian(m, v, n, r):
    centre, spread = m.mean(0), (m.var(0) + v.exp().mean(0)).sqrt()
    return centre + spread * torch.randn(n, m.shape[1], generator=r)


def mixed_coordinates(m, v, n, r):
    chosen = torch.randint(len(m), (n, m.shape[1]), generator=r)
    return m.gather(0, chosen) + (v.gather(0, chosen) / 2).exp() * torch.randn(n, m.shape[1], generator=r)


def noise_before_the_image(m, v, n, r):
    z = m + (v / 2).exp() * torch.randn(m.shape, generator=r)
    return z[torch.randint(len(m), (n,), generator=r)]


def seeded_anew(m, v, n, r):
    return posterior(m, v, n, torch.Generator().manual_seed(0))


def in_place(m, v, n, r):
    z = posterior(m, v, n, r)
    m += 1
    return z


def sigma_of_others(m, v, n, r):
    chosen, other = (torch.randint(len(m), (n,), generator=r) for _ in range(2))
    return m[chosen] + (v[other] / 2).exp() * torch.randn(n, m.shape[1], generator=r)


# --- 11.4: g generator, x images, s start, n steps, lr ---


def search(
    error=lambda made, x: (made - x).square().sum(),
    weights=lambda g, z: [z],
    begin=lambda s: s.clone(),
    back=lambda g, z: z.detach(),
    sign=1,
    make=lambda g, z: g(z),
):
    def answer(g, x, s, n, lr):
        z = begin(s).requires_grad_()
        optimizer = torch.optim.Adam(weights(g, z), lr)
        for _ in range(n):
            optimizer.zero_grad()
            of = [weight for weight in weights(g, z) if weight.requires_grad]  # nobody else gets a gradient
            (sign * error(make(g, z), x)).backward(inputs=of)
            optimizer.step()
        return back(g, z)

    return answer


def search_with_grad(g, x, s, n, lr):
    """Another form: an nn.Parameter, a mean over pixels, gradients asked for by name."""
    z = torch.nn.Parameter(s.detach().clone())
    optimizer = torch.optim.Adam([z], lr=lr)
    for _ in range(n):
        (z.grad,) = torch.autograd.grad(F.mse_loss(g(z), x), [z])
        optimizer.step()
    return z.data


def search_one_by_one(g, x, s, n, lr):
    return torch.cat([search()(g, x[i : i + 1], s[i : i + 1], n, lr) for i in range(len(x))])


def search_frozen_and_back(g, x, s, n, lr):
    wanted = [weight.requires_grad for weight in g.parameters()]
    g.requires_grad_(False)
    z = search()(g, x, s, n, lr)
    for weight, flag in zip(g.parameters(), wanted, strict=True):
        weight.requires_grad_(flag)
    return z


def search_frozen(g, x, s, n, lr):
    g.requires_grad_(False)
    return search()(g, x, s, n, lr)


def search_in_training_mode(g, x, s, n, lr):
    g.train()
    z = search()(g, x, s, n, lr)
    g.eval()
    return z


def search_left_in_training_mode(g, x, s, n, lr):
    z = search()(g, x, s, n, lr)
    g.train()
    return z


def search_cut(g, x, s, n, lr):
    z = s.clone()
    optimizer = torch.optim.Adam([z], lr)
    for _ in range(n):
        optimizer.zero_grad()
        (g(z).detach() - x).square().sum().backward()
        optimizer.step()
    return z


def search_non_leaf(g, x, s, n, lr):
    return search(begin=lambda s: s.clone().requires_grad_() * 1.0)(g, x, s, n, lr)


def search_without_step(g, x, s, n, lr):
    z = s.clone().requires_grad_()
    for _ in range(n):
        (g(z) - x).square().sum().backward()
    return z.detach()


def search_of_the_first(g, x, s, n, lr):
    z = s.clone()
    z[:1] = search()(g, x[:1], s[:1], n, lr)
    return z


def search_with_one_latent(g, x, s, n, lr):
    z = s[:1].clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr)
    for _ in range(n):
        optimizer.zero_grad()
        (g(z) - x).square().sum().backward()
        optimizer.step()
    return z.detach().expand(len(s), -1) if n else s.clone()


# --- 11.5: g generator, e encoder, d discriminator, op and od optimisers, x images, z latents ---


def judge(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def game(
    d_loss=judge,
    loss=lambda real, fake: judge(fake, real),
    d_pairs=lambda g, e, d, x, z: (d(x, e(x).detach()), d(g(z).detach(), z)),
    pairs=lambda g, e, d, x, z: (d(x, e(x)), d(g(z), z)),
    back=lambda one, other: (one.detach(), other.detach()),
):
    """A round, with other losses of (real, fake) logits, or of other pairs."""

    def answer(g, e, d, op, od, x, z):
        first = d_loss(*d_pairs(g, e, d, x, z))
        od.zero_grad()
        first.backward()
        od.step()
        second = loss(*pairs(g, e, d, x, z))
        op.zero_grad()
        second.backward()
        op.step()
        return back(first, second)

    return answer


def game_with_history(g, e, d, op, od, x, z):
    """Another form: the pairs are made once, and cross-entropies with targets."""
    codes, fakes = e(x), g(z)
    ones, zeros = torch.ones(len(x)), torch.zeros(len(x))
    bce = F.binary_cross_entropy_with_logits
    first = bce(d(x, codes.detach()), ones) + bce(d(fakes.detach(), z), zeros)
    for parameter in d.parameters():
        parameter.grad = None
    first.backward()
    od.step()
    second = bce(d(x, codes), zeros) + bce(d(fakes, z), ones)
    op.zero_grad()
    second.backward()
    op.step()
    return first.item(), second.item()


def game_all_at_once(g, e, d, op, od, x, z):
    """Two batches of pairs in one call of D each."""

    def logits(codes, fakes):
        return d(torch.cat([x, fakes]), torch.cat([codes, z])).split(len(x))

    with torch.no_grad():
        pairs = e(x), g(z)
    first = judge(*logits(*pairs))
    od.zero_grad()
    first.backward()
    od.step()
    real, fake = logits(e(x), g(z))
    second = -F.logsigmoid(-real).mean() - F.logsigmoid(fake).mean()
    op.zero_grad()
    second.backward(inputs=[*g.parameters(), *e.parameters()])
    op.step()
    return torch.stack([first.detach(), second.detach()])


def players_first(g, e, d, op, od, x, z):
    second = judge(d(g(z), z), d(x, e(x)))
    op.zero_grad()
    second.backward()
    op.step()
    first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
    od.zero_grad()
    first.backward()
    od.step()
    return first, second


def old_discriminator(g, e, d, op, od, x, z):
    old = copy.deepcopy(d)
    first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
    od.zero_grad()
    first.backward()
    od.step()
    second = judge(old(g(z), z), old(x, e(x)))
    op.zero_grad()
    second.backward()
    op.step()
    return first, second


def logits_kept(g, e, d, op, od, x, z):
    real, fake = d(x, e(x)), d(g(z), z)
    first = judge(real, fake)
    od.zero_grad()
    first.backward(retain_graph=True)
    od.step()
    second = judge(fake, real)
    op.zero_grad()
    second.backward()
    op.step()
    return first, second


def graph_used_up(g, e, d, op, od, x, z):
    codes, fakes = e(x), g(z)
    first = judge(d(x, codes), d(fakes, z))
    od.zero_grad()
    first.backward()
    od.step()
    second = judge(d(fakes, z), d(x, codes))
    op.zero_grad()
    second.backward()
    op.step()
    return first, second


def without_clearing(d_clears, p_clears):
    def answer(g, e, d, op, od, x, z):
        first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
        if d_clears:
            od.zero_grad()
        first.backward()
        od.step()
        second = judge(d(g(z), z), d(x, e(x)))
        if p_clears:
            op.zero_grad()
        second.backward()
        op.step()
        return first, second

    return answer


def not_detached_nor_cleared(g, e, d, op, od, x, z):
    op.zero_grad()
    od.zero_grad()
    first = judge(d(x, e(x)), d(g(z), z))
    first.backward()
    od.step()
    second = judge(d(g(z), z), d(x, e(x)))
    second.backward()
    op.step()
    return first, second


def both_losses_in_d(g, e, d, op, od, x, z):
    od.zero_grad()
    op.zero_grad()
    first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
    second = judge(d(g(z), z), d(x, e(x)))
    first.backward()
    second.backward()
    od.step()
    op.step()
    return first, second


def forgets(which):
    def answer(g, e, d, op, od, x, z):
        first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
        od.zero_grad()
        first.backward()
        if which != "d":
            od.step()
        second = judge(d(g(z), z), d(x, e(x)))
        op.zero_grad()
        second.backward()
        if which != "players":
            op.step()
        return first, second

    return answer


def own_latents(g, e, d, op, od, x, z):
    return game()(g, e, d, op, od, x, torch.randn_like(z))


def encoder_detached(g, e, d, x, z):
    return d(x, e(x).detach()), d(g(z), z)


def with_reconstruction(g, e, d, op, od, x, z):
    first = judge(d(x, e(x).detach()), d(g(z).detach(), z))
    od.zero_grad()
    first.backward()
    od.step()
    second = judge(d(g(z), z), d(x, e(x))) + F.mse_loss(g(e(x)), x)
    op.zero_grad()
    second.backward()
    op.step()
    return first, second


def frozen_after(g, e, d, op, od, x, z):
    result = game()(g, e, d, op, od, x, z)
    d.requires_grad_(False)
    return result


# --- 11.7: v velocity, s start, n steps ---


def heun(v, s, n):
    x, h = s, 1 / n
    for i in range(n):
        t = s.new_full((len(s),), i * h)
        a = v(x, t)
        x = x + h / 2 * (a + v(x + h * a, t + h))
    return x


def heun_by_linspace(v, s, n):
    times = torch.linspace(0, 1, n + 1, device=s.device)
    x = s.clone()
    for t, after in pairwise(times):
        first = v(x, t.expand(len(x)))
        second = v(x + (after - t) * first, after.repeat(len(x)))
        x += (after - t) * (first + second) / 2
    return x


def heun_with_ones(v, s, n):
    x = s
    for i in range(n):
        t = torch.full((len(s),), i / n, device=s.device)
        a = v(x, t)
        b = v(x + a / n, torch.full((len(s),), (i + 1) / n, device=s.device))
        x = torch.lerp(x + a / n, x + b / n, 0.5)
    return x


def heun_in_place(v, s, n):
    for i in range(n):
        t = s.new_full((len(s),), i / n)
        a = v(s, t)
        s += (a + v(s + a / n, t + 1 / n)) / (2 * n)
    return s


def rule(step, steps=lambda n: n, times=lambda i, n: i / n):
    """x ← step(x, v at (x, t), h, t) for each step."""

    def answer(v, s, n):
        x, n = s, steps(n)
        for i in range(n):
            x = step(x, lambda x, t: v(x, x.new_full((len(x),), t)), 1 / n, times(i, n))
        return x

    return answer


def one_step_too_few(v, s, n):
    times = torch.linspace(0, 1, n)
    x = s
    for t, after in pairwise(times):
        a = v(x, t.expand(len(x)))
        x = x + (after - t) * (a + v(x + (after - t) * a, after.expand(len(x)))) / 2
    return x


def whole_way(v, s, n):
    return torch.stack([heun(v, s, n)] * (n + 1))


RIGHT = [
    ("11.1", dict(BLIND)),
    ("11.1", {name: family.upper() for name, family in BLIND.items()}),
    (
        "11.1",
        {name: family.replace("Gaussian ", "").replace(" matching", "") for name, family in BLIND.items()},
    ),
    ("11.2", "b"),
    ("11.2", " B "),
    ("11.3", posterior),
    ("11.3", posterior_by_weights),
    ("11.3", aggregate_posterior),
    ("11.3", posterior_by_loop),
    ("11.4", search()),
    ("11.4", search_with_grad),
    ("11.4", search_frozen_and_back),
    ("11.4", search_one_by_one),
    ("11.4", nearest_latents),
    ("11.5", game()),
    ("11.5", game_with_history),
    ("11.5", game_all_at_once),
    ("11.5", bidirectional_round),
    ("11.6", math.log(100)),
    ("11.6", -math.log(0.01)),
    ("11.6", torch.tensor(0.01).log().neg()),
    ("11.6", 4.6),
    ("11.7", heun),
    ("11.7", heun_by_linspace),
    ("11.7", heun_with_ones),
    ("11.7", lambda v, s, n: integrate(v, s, steps=n)[-1]),
]


def euler(x, v, h, t):
    return x + h * v(x, t)


WRONG = [
    ("11.1", "GAN", "dictionary"),
    ("11.1", {"A": "GAN"}, "columns are A, B, C and D"),
    ("11.1", {**BLIND, "A": "diffusion"}, "the families are"),
    ("11.1", {**BLIND, "A": BLIND["B"]}, "more than one column"),
    ("11.1", swapped(column("GAN"), column("VAE")), "2 of four"),
    ("11.1", swapped(column("flow matching"), column("VAE")), "2 of four"),
    ("11.1", swapped(column("Gaussian mixture"), column("GAN")), "2 of four"),
    ("11.1", dict(zip("ABCD", [*BLIND.values()][1:] + [*BLIND.values()][:1], strict=True)), "0 of four"),
    ("11.2", "a", "does not tell"),
    ("11.2", "c", "by itself"),
    ("11.2", "d", "broad shape"),
    ("11.2", "e", "one of"),
    ("11.3", lambda m, v, n, r: torch.randn(n, m.shape[1], generator=r), "the prior"),
    ("11.3", one_gaussian, "*one* Gaussian"),
    ("11.3", lambda m, v, n, r: m.mean(0) + torch.randn(n, m.shape[1], generator=r), "averaged"),
    ("11.3", lambda m, v, n, r: m.mean(0).expand(n, -1).clone(), "all latents are the same"),
    ("11.3", mixed_coordinates, "several images"),
    ("11.3", noise_before_the_image, "two latents of one image"),
    ("11.3", with_noise(lambda v: 0 * v), "those are the means"),
    ("11.3", with_noise(torch.exp), "multiplied by the variance"),
    ("11.3", with_noise(lambda v: v), "multiplied by log σ²"),
    ("11.3", with_noise(lambda v: v / 2), "½ log σ². The standard deviation is its exponential"),
    ("11.3", with_noise(torch.ones_like), "same spread"),
    ("11.3", with_noise(lambda v: (-v / 2).exp()), "which is 1/σ"),
    ("11.3", with_noise(lambda v: 2 * (v / 2).exp()), "has the mean"),
    (
        "11.3",
        with_noise(lambda v: (v / 2).exp(), lambda n, d, r: torch.rand(n, d, generator=r)),
        "ever negative",
    ),
    (
        "11.3",
        with_noise(lambda v: (v / 2).exp(), lambda n, d, r: torch.randn(n, 1, generator=r)),
        "all coordinates",
    ),
    ("11.3", sigma_of_others, "other images"),
    ("11.3", with_images(lambda N, n, r: torch.randperm(N, generator=r)[:n]), "more than once"),
    ("11.3", with_images(lambda N, n, r: torch.arange(n) % N), "in turn"),
    ("11.3", with_images(lambda N, n, r: torch.randint(N - 1, (n,), generator=r)), "the last"),
    ("11.3", with_images(lambda N, n, r: torch.randint(1, N, (n,), generator=r)), "the first"),
    ("11.3", with_images(lambda N, n, r: torch.randint(N // 2, (n,), generator=r)), "are ever drawn"),
    (
        "11.3",
        with_images(lambda N, n, r: (N * torch.rand(n, generator=r).sqrt()).long()),
        "more often than others",
    ),
    ("11.3", with_images(lambda N, n, r: torch.randint(N, (n,))), "pass `generator=rng`"),
    ("11.3", with_noise(lambda v: (v / 2).exp(), lambda n, d, r: torch.randn(n, d)), "pass `generator=rng`"),
    ("11.3", seeded_anew, "seeded anew"),
    ("11.3", in_place, "in place"),
    ("11.3", lambda m, v, n, r: posterior(m, v, n, r).double(), "float64"),
    ("11.3", lambda m, v, n, r: posterior(m, v, n, r).numpy(), "PyTorch tensor"),
    ("11.3", lambda m, v, n, r: posterior(m, v, n, r).T, "a latent is a row"),
    ("11.3", lambda m, v, n, r: torch.randint(len(m), (n,), generator=r), "Its code is wanted"),
    ("11.3", lambda m, v, n, r: m + (v / 2).exp() * torch.randn(n, *m.shape, generator=r), "for each image"),
    ("11.4", search(sign=-1), "rises"),
    ("11.4", search(weights=lambda g, z: [z, *g.parameters()]), "The latents move, and nothing else"),
    ("11.4", search(back=lambda g, z: g(z)), "those are images"),
    ("11.4", search(back=lambda g, z: z), "still carries its history"),
    ("11.4", search(back=lambda g, z: z.detach().numpy()), "PyTorch tensor"),
    ("11.4", search(back=lambda g, z: z.detach().double()), "float64"),
    ("11.4", search(begin=lambda s: s), "in place"),
    ("11.4", search(begin=torch.zeros_like), "should still be those of `start`"),
    ("11.4", search(error=lambda made, x: made.square().sum()), "nothing else"),
    ("11.4", search(error=lambda made, x: (made - x).sum()), "squared error"),
    ("11.4", lambda g, x, s, n, lr: search()(g, x, s, 100, lr), "is `steps` used"),
    ("11.4", lambda g, x, s, n, lr: search()(g, x, s, n, 0.1), "is `lr` used"),
    ("11.4", search_frozen, "left frozen"),
    ("11.4", search_in_training_mode, "running statistics"),
    ("11.4", search_left_in_training_mode, "training mode"),
    ("11.4", search_cut, "no way back"),
    ("11.4", search_non_leaf, "not itself the result"),
    ("11.4", search_without_step, "what it was at the start"),
    ("11.4", search_of_the_first, "only the first image"),
    ("11.4", search_with_one_latent, "the same latent"),
    ("11.5", game(d_loss=lambda r, f: judge(f, r)), "wrong way round"),
    ("11.5", game(d_loss=lambda r, f: -judge(r, f)), "climbs"),
    ("11.5", game(d_loss=lambda r, f: F.softplus(-r).mean()), "the real pairs alone"),
    ("11.5", game(d_loss=lambda r, f: F.softplus(f).mean()), "the fake pairs alone"),
    ("11.5", game(d_loss=lambda r, f: F.softplus(-r).sum() + F.softplus(f).sum()), "D's loss is summed"),
    ("11.5", game(d_loss=lambda r, f: f.mean() - r.mean()), "D's loss is a difference"),
    ("11.5", game(d_loss=lambda r, f: judge(r.sigmoid(), f.sigmoid())), "a sigmoid too many: D"),
    ("11.5", game(d_loss=lambda r, f: judge(r, f) / 2), "0.5 times as far"),
    ("11.5", game(d_loss=lambda r, f: (r - 1).square().mean() + f.square().mean()), "D moved, but not down"),
    (
        "11.5",
        game(d_pairs=lambda g, e, d, x, z: (d(x, z), d(g(z).detach(), e(x).detach()))),
        "crossed",
    ),
    (
        "11.5",
        game(d_pairs=lambda g, e, d, x, z: (d(x, e(x).detach()), d(g(z).detach(), e(g(z)).detach()))),
        "E(G(z))",
    ),
    (
        "11.5",
        game(d_pairs=lambda g, e, d, x, z: (d(x, e(x).detach()), d(g(e(x)).detach(), e(x).detach()))),
        "a reconstruction",
    ),
    ("11.5", game(d_pairs=lambda g, e, d, x, z: (d(e(x), x), d(z, g(z)))), "images first"),
    ("11.5", game(loss=lambda r, f: F.softplus(-f).mean()), "G moves, E does not"),
    ("11.5", game(loss=lambda r, f: F.softplus(r).mean()), "E moves, G does not"),
    ("11.5", game(loss=judge), "*help* D"),
    ("11.5", game(loss=lambda r, f: -judge(r, f)), "minus D's loss"),
    ("11.5", game(loss=lambda r, f: F.softplus(-f).mean() + F.softplus(-r).mean()), "E pulls the wrong way"),
    ("11.5", game(loss=lambda r, f: F.softplus(f).mean() + F.softplus(r).mean()), "G pulls the wrong way"),
    ("11.5", game(loss=lambda r, f: F.softplus(r).sum() + F.softplus(-f).sum()), "players' loss is summed"),
    ("11.5", game(loss=lambda r, f: r.mean() - f.mean()), "players' loss is a difference"),
    ("11.5", game(loss=lambda r, f: judge(f.sigmoid(), r.sigmoid())), "sigmoid too many in the players"),
    ("11.5", game(loss=lambda r, f: 2 * judge(f, r)), "2 times as far"),
    ("11.5", game(pairs=encoder_detached), "is E(x) detached"),
    ("11.5", game(pairs=lambda g, e, d, x, z: (d(x, e(x)), d(g(z).detach(), z))), "is G(z) detached"),
    ("11.5", game(pairs=lambda g, e, d, x, z: (d(x, z), d(g(z), e(x)))), "in the players' step the pairs"),
    ("11.5", game(back=lambda one, other: (other, one)), "D's loss first"),
    ("11.5", game(back=lambda one, other: one + other), "Return two numbers"),
    ("11.5", game(back=lambda one, other: (6 * one, other)), "D's loss is given as"),
    ("11.5", game(back=lambda one, other: (one, 6 * other)), "the players' loss is given as"),
    ("11.5", game(back=lambda one, other: (one.expand(2), other)), "as one number"),
    ("11.5", players_first, "D's step comes first"),
    ("11.5", old_discriminator, "the *new* D"),
    ("11.5", logits_kept, "again after it"),
    ("11.5", graph_used_up, "used up the graph"),
    ("11.5", without_clearing(False, True), "earlier round are still in D's step"),
    ("11.5", without_clearing(True, False), "earlier round are still in the players' step"),
    ("11.5", not_detached_nor_cleared, "D's loss is in the players' step"),
    ("11.5", both_losses_in_d, "players' loss is in D's step"),
    ("11.5", forgets("d"), "D has not moved"),
    ("11.5", forgets("players"), "G and E have not moved"),
    ("11.5", own_latents, "latents of its own"),
    ("11.5", with_reconstruction, "squared error of the reconstruction"),
    ("11.5", frozen_after, "left frozen"),
    ("11.6", -math.log(100), "the sign"),
    ("11.6", -math.log(0.99), "what 1 % of noise would cost"),
    ("11.6", 2, "base 10"),
    ("11.6", math.log2(100), "bits"),
    ("11.6", 99, "in percent"),
    ("11.6", 100, "its logarithm"),
    ("11.6", 0.99, "is a share"),
    ("11.6", 0.01, "what is left"),
    ("11.6", 3, "whatever the noise"),
    ("11.6", [4.6, 4.6], "one number"),
    ("11.7", rule(euler), "Euler's rule"),
    ("11.7", rule(lambda x, v, h, t: x + h * v(x + h * v(x, t), t + h)), "is taken alone"),
    ("11.7", rule(lambda x, v, h, t: x + h * v(x + h / 2 * v(x, t), t + h / 2)), "midpoint rule"),
    ("11.7", rule(lambda x, v, h, t: x + h * (v(x, t) + v(x + h * v(x, t), t + h))), "are added"),
    (
        "11.7",
        rule(lambda x, v, h, t: x + h * v(x, t) + h / 2 * (v(x, t) + v(x + h * v(x, t), t + h))),
        "where the trial ended",
    ),
    ("11.7", rule(lambda x, v, h, t: x + h / 2 * (v(x, t) + v(x + h * v(x, t), t))), "at the old time"),
    ("11.7", rule(lambda x, v, h, t: x + h / 2 * (v(x, t) + v(x, t + h))), "at the old place"),
    (
        "11.7",
        rule(lambda x, v, h, t: x - h / 2 * (v(x, t) + v(x + h * v(x, t), t + h))),
        "against the velocity",
    ),
    (
        "11.7",
        rule(
            lambda x, v, h, t: x - h / 2 * (v(x, t) + v(x - h * v(x, t), t - h)),
            times=lambda i, n: 1 - i / n,
        ),
        "from data to noise",
    ),
    ("11.7", rule(lambda x, v, h, t: x + (v(x, t) + v(x + h * v(x, t), t + h)) / 2), "length of a step"),
    ("11.7", one_step_too_few, "that is 2 steps"),
    (
        "11.7",
        rule(lambda x, v, h, t: x + h / 2 * (v(x, t) + v(x + h * v(x, t), t + h)), times=lambda i, n: 0.0),
        "stays at 0",
    ),
    (
        "11.7",
        rule(lambda x, v, h, t: x + h / 2 * (v(x, t) + v(x + h * v(x, t), t + h)), steps=lambda n: 2 * n),
        "that is 6 steps",
    ),
    ("11.7", lambda v, s, n: heun(v, s, 1), "a single step"),
    ("11.7", lambda v, s, n: s.clone(), "where they started"),
    ("11.7", whole_way, "the whole way"),
    ("11.7", heun_in_place, "in place"),
    ("11.7", lambda v, s, n: heun(lambda x, t: v(x, t[0]), s, n), "a time for each point"),
    ("11.7", lambda v, s, n: heun(lambda x, t: v(x, 0.5), s, n), "a time for each point"),
    ("11.7", lambda v, s, n: heun(v, s, n).double(), "float64"),
    ("11.7", lambda v, s, n: heun(v, s, n).numpy(), "PyTorch tensor"),
    ("11.7", lambda v, s, n: heun(v, s, n) + 0.3, "should end at 3 and 0"),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict.message


@pytest.mark.parametrize(("number", "answer", "message"), WRONG)
def test_typical_mistakes_are_told_apart(number, answer, message):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict.message
    assert message.lower() in verdict.message.lower()


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("11.1", dict.fromkeys("ABCD", ...)),
        ("11.1", ...),
        ("11.2", ...),
        *((number, stub) for number in ("11.3", "11.4", "11.5", "11.7")),
        ("11.6", ...),
    ],
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


def test_more_calls_of_the_velocity_than_needed_are_told_but_accepted():
    def wasteful(v, s, n):
        for _ in range(n):
            v(s, s.new_zeros(len(s)))
        return heun(v, s, n)

    verdict = run_check("11.7", wasteful)
    assert verdict.status == "right"
    assert "asked" in verdict.message
