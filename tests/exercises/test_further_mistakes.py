"""Mistakes that the checkers once let pass, or answered with nothing but a number, kind by kind."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import normalize, softplus

from course_utils.checks import run_check
from course_utils.metrics import generator_pull, mode_coverage
from course_utils.models import slerp
from course_utils.theory import optimal_discriminator, value

# --- 0.5 ---------------------------------------------------------------------------------------------------


def chosen(columns):
    used = []
    for column in columns:
        order = column.argsort(descending=True).tolist()
        used.append(next(row for row in order if row not in used))
    return used


def by_figure(number, p):
    return chosen([p[:, int(figure)] for figure in number])


def with_rows_removed(number, p):
    places = []
    for figure in number:
        places.append(int(p[:, int(figure)].argmax()))
        p = torch.cat([p[: places[-1]], p[places[-1] + 1 :]])
    return places


def figure_by_figure(number, p):
    places = {}
    for figure in dict.fromkeys(number):
        for place, other in enumerate(number):
            if other == figure:
                order = p[:, int(figure)].argsort(descending=True).tolist()
                places[place] = next(row for row in order if row not in places.values())
    return [places[place] for place in range(len(number))]


def remembering_rows():
    used = []

    def answer(number, p):
        mine = []
        for figure in number:
            order = p[:, int(figure)].argsort(descending=True).tolist()
            mine.append(next((row for row in order if row not in used), 0))
            used.append(mine[-1])
        return mine

    return answer


# --- 1.7 ---------------------------------------------------------------------------------------------------


def game(
    p,
    rounds,
    rate,
    *,
    late=False,
    total=False,
    softmax=True,
    sign=False,
    rows_of=lambda theta: theta.softmax(0),
):
    theta, former, kept = torch.zeros_like(p), None, torch.zeros_like(p)
    rows = [rows_of(theta)]
    for _ in range(rounds):
        q = theta.softmax(0)
        d = optimal_discriminator(p, q if former is None or not late else former)
        former, slope = q, (1 - d).log()
        slope = q * (slope - q @ slope) if softmax else slope
        kept = kept + slope
        theta = theta - rate * (slope.sign() if sign else kept if total else slope)
        rows.append(rows_of(theta))
    return torch.stack(rows)


def on_the_probabilities(p, rounds, rate):
    rows = [torch.full_like(p, 1 / len(p))]
    for _ in range(rounds):
        q = (rows[-1] - rate * (rows[-1] / (p + rows[-1])).log()).clamp(min=1e-12)
        rows.append(q / q.sum())
    return torch.stack(rows)


# --- 2 -----------------------------------------------------------------------------------------------------


def both_in_the_second_half(field, w, h, n):
    for _ in range(n):
        w = w + h * field(w) * torch.tensor([0, 1])
    return w + h * field(w)


def shorter_steps(field, w, h, n):
    for _ in range(n):
        w = w + h / n * field(w) * torch.tensor([0, 1])
    return w + h * field(w) * torch.tensor([1, 0])


def fate(*, sign=1.0, both_on_one=False, swapped=False, step=None, measure=None):
    def answer(generator_loss, discriminator_loss, h):
        h = step or h
        other = generator_loss if both_on_one else discriminator_loss
        numbers = (1, 0) if swapped else (0, 1)
        of_theta = torch.func.grad(generator_loss, argnums=numbers[0])
        of_psi = torch.func.grad(other, argnums=numbers[1])

        def move(w):
            psi = w[1] - sign * h * of_psi(w[0], w[1])
            return torch.stack([w[0] - sign * h * of_theta(w[0], psi), psi])

        w, lengths = torch.tensor([1e-6, 0.0], dtype=torch.float64), []
        for _ in range(200):
            w = move(w)
            lengths.append(w.norm().item())
        ratios = torch.tensor(lengths[1:]) / torch.tensor(lengths[:-1])
        growth = (lengths[-1] / lengths[0]) ** (1 / 199) if measure is None else measure(ratios)
        return torch.linalg.eigvals(torch.func.jacrev(move)(torch.zeros(2).double())), growth

    return answer


# --- 3 -----------------------------------------------------------------------------------------------------


def d_step(D, optimizer, x, f, loss, *, own=False, noise=0.0, change=lambda logits: logits):
    if own:
        optimizer = torch.optim.Adam(D.parameters(), 2e-3)
    logits = D(x), D(f.detach() + noise * torch.randn(f.shape))
    d_loss = loss.discriminator(*logits)
    optimizer.zero_grad()
    d_loss.backward()
    optimizer.step()
    return d_loss.detach(), *(change(one).detach() for one in logits)


def g_step_with_noise(D, optimizer, x, f, loss):
    g_loss = loss.generator(D(x), D(f + 0.1 * torch.randn(f.shape)))
    optimizer.zero_grad()
    g_loss.backward()
    optimizer.step()
    return g_loss.detach()


def by_differences(D, points, width=0.5):
    with torch.no_grad():
        columns = [
            (softplus(-D(points - width * unit)) - softplus(-D(points + width * unit))) / (2 * width)
            for unit in torch.eye(2)
        ]
    return torch.stack(columns, dim=1)


def counted(samples, modes, std):
    distance, nearest = torch.cdist(samples, modes).min(dim=1)
    good = distance <= 3 * std
    return nearest[good], good.double().mean().item()


def with_other_sigma(samples, modes, std):
    found = mode_coverage(samples, modes, 0.1)
    return found.covered, found.good_fraction


# --- 4 -----------------------------------------------------------------------------------------------------


def batch(
    places=lambda count, n, rng: torch.randint(count, (n,), generator=rng),
    convert=None,
    labels_as=lambda x: x,
):
    def draw_batch(images, labels, n, rng):
        drawn = places(len(images), n, rng)
        return (convert or (lambda x: x.float() / 127.5 - 1))(images[drawn]), labels_as(labels[drawn])

    return draw_batch


def of_a_thousand(count, n, rng):
    drawn = torch.randint(60_000, (n,), generator=rng) % count
    return drawn[drawn < 1_000]


def gone_backward(G, D, x, z):
    loss = softplus(-D(x)).mean() + softplus(D(G(z).detach())).mean()
    loss.backward()
    return loss


def in_pairs(G, D, x, z):
    return softplus(D(G(z).detach()) - D(x)).mean()


def mean(runs):
    return sum(runs) / len(runs)


def size_by(rule):
    def choose(table):
        best = min(table, key=lambda size: mean(table[size]))
        return rule(table, table[best])

    return choose


def sorting_in_place(table):
    for runs in table.values():
        runs.sort()
    best = min(table, key=lambda size: mean(table[size]))
    return min(size for size in table if table[size][0] <= table[best][-1])


def own_script(*, places=None, samples_of="new", remember=None):
    """A training script with a batch, latents of its samples, and a memory of its own."""
    kept = {}

    def train_on(images, rounds, n):
        if remember and remember(images, n) in kept:
            return kept[remember(images, n)]
        pixels, shape = images[0].numel(), images.shape[1:]
        G = nn.Sequential(
            nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, pixels), nn.Tanh(), nn.Unflatten(1, shape)
        )
        D = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1), nn.Flatten(0)
        )
        of_g, of_d = (torch.optim.Adam(one.parameters(), lr=2e-3, betas=(0.0, 0.99)) for one in (G, D))
        for _ in range(rounds):
            drawn = torch.randint(len(images), (64,)) if places is None else places(len(images))
            x, z = images[drawn].float() / 127.5 - 1, torch.randn(64, 8)
            fake = G(z)
            for player in "dg":
                loss = (
                    softplus(-D(x)).mean() + softplus(D(fake.detach())).mean()
                    if player == "d"
                    else softplus(-D(fake)).mean()
                )
                optimizer = of_d if player == "d" else of_g
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        G.eval()
        with torch.no_grad():
            result = G, D, G(torch.randn(n, 8) if samples_of == "new" else z.repeat(n, 1)[:n])
        if remember:
            kept[remember(images, n)] = result
        return result

    return train_on


# --- 5 and 6 -----------------------------------------------------------------------------------------------


def one_round(generator, discriminator, of_g, of_d, x, z, *, again=False, as_tensors=False):
    fake = generator(z)
    d_loss = softplus(-discriminator(x)).mean() + softplus(discriminator(fake.detach())).mean()
    of_d.zero_grad()
    d_loss.backward()
    of_d.step()
    g_loss = softplus(-discriminator(fake)).mean()
    of_g.zero_grad()
    g_loss.backward()
    of_g.step()
    if again:
        of_d.step()
    return (d_loss, g_loss) if as_tensors else (d_loss.item(), g_loss.item())


def update(*, only=lambda name, old: True, times=1, after=lambda average, network: None):
    def update_average(average, network, decay):
        news = network.state_dict()
        weights = dict(average.named_parameters())
        with torch.no_grad():
            for name, old in average.state_dict().items():
                if old.is_floating_point() and only(name, weights.get(name)):
                    for _ in range(times):
                        old.lerp_(news[name], 1 - decay)
        after(average, network)

    return update_average


def share_weights(average, network):
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.data = new.data


def with_history(average, network, decay):
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        if old.requires_grad:
            old.data.lerp_(new.data, 1 - decay)
        else:
            old.mul_(decay).add_((1 - decay) * new)
    for old, new in zip(average.buffers(), network.buffers(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)


def arc(start, end, steps, omega=None, ends=True):
    omega = torch.arccos(F.cosine_similarity(start, end, dim=0)) if omega is None else omega(start, end)
    t = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    return (torch.sin((1 - t) * omega) * start + torch.sin(t * omega) * end) / torch.sin(omega)


def side(start, layers):
    for kernel, stride, padding, output_padding in layers:
        start = (start - 1) * stride - 2 * padding + kernel + output_padding
    return start


def side_using_up(start, layers):
    while layers:
        start = side(start, [layers.pop(0)])
    return start


def mirror_by(coins):
    """coins(x, rng) → a tensor of truth values that fits x."""
    return lambda x, rng: torch.where(coins(x, rng), x.flip(3), x)


def heads(x, rng, *shape):
    return torch.rand(*shape, generator=rng) < 0.5


def in_another_order(x, rng):
    coin = heads(x, rng, len(x))
    return torch.cat([x[coin].flip(3), x[~coin]])


def mixed(x, rng):
    share = torch.rand(len(x), 1, 1, 1, generator=rng)
    return share * x.flip(3) + (1 - share) * x


def iterated(
    weight, steps, *, start=None, length=torch.linalg.vector_norm, fewer=0, seed=None, as_=lambda s: s
):
    if seed is not None:
        torch.manual_seed(seed)
    v = torch.randn(weight.shape[1], dtype=weight.dtype) if start is None else start(weight)
    v = v / length(v)
    for _ in range(steps - fewer):
        u = weight @ v
        v = weight.T @ (u / length(u))
        v = v / length(v)
    return as_((weight @ v).norm())


def start_once():
    kept = []

    def answer(weight, steps):
        kept.extend([torch.randn(weight.shape[1])] * (not kept))
        return iterated(weight, steps, start=lambda weight: kept[0])

    return answer


MISTAKES = [
    ("0.1", lambda x: (x - 128) / 127, "it jumps back"),
    ("0.1", lambda x: (x.float() - x.float().mean()) / x.float().std(), "deviation 1, whatever the batch"),
    ("0.1", lambda x: (x > 127).float() * 2 - 1, "2 are left"),
    ("0.2", lambda n, dim: (z := torch.randn(n, dim)) - z.mean(dim=0), "exactly the mean 0"),
    ("0.2", lambda n, dim: torch.cat([z := torch.randn((n + 1) // 2, dim), -z])[:n], "exactly the mean 0"),
    ("0.2", lambda n, dim: torch.randn(n, dim).clamp(-2, 2), "cut off"),
    ("0.5", lambda number, p: [row + 1 for row in by_figure(number, p)], "counted from 1"),
    ("0.5", lambda number, p: sorted(by_figure(number, p)), "not in the order of its figures"),
    ("0.5", lambda number, p: chosen([p[:, place % 10] for place in range(len(number))]), "taken in order"),
    ("0.5", with_rows_removed, "shifts all that come after it"),
    ("0.5", figure_by_figure, "not in the order of its figures"),
    ("0.5", remembering_rows(), "remembered from call to call"),
    ("1.1", lambda d, p, q: value(d, p, torch.full_like(p, 1 / len(p))), "whatever `q` is"),
    ("1.1", lambda d, p, q: value(d.sigmoid(), p, q), "sigmoid too many"),
    ("1.2", lambda p, q, share=0.5: share * p / (share * p + (1 - share) * q + 1e-8), "added below the line"),
    ("1.2", lambda p, q, share=0.5: (share * p / (share * p + (1 - share) * q)).flatten(), "keep theirs"),
    ("1.2", lambda p, q: p.clamp(max=1) / (p.clamp(max=1) + q.clamp(max=1)), "cut off at 1"),
    (
        "1.2",
        lambda p, q: normalize(p, p=1, dim=0) / (normalize(p, p=1, dim=0) + normalize(q, p=1, dim=0)),
        "divided by",
    ),
    ("1.2", lambda p, q: (p / (p + q) * 500).round() / 500, "nearly right"),
    ("1.2", lambda p, q, share=0.5: torch.ones_like(p), "1 everywhere"),
    ("1.3", lambda r, f: 2 * torch.cat([softplus(-r), softplus(f)]).mean(), "as many real samples"),
    ("1.3", lambda r, f: softplus(-r).mean() + softplus(f).sum() / len(r), "the number of the *real* ones"),
    (
        "1.3",
        lambda r, f: softplus(-r).sum() / len(f) + softplus(f).mean(),
        "the number of the *generated* ones",
    ),
    ("1.3", lambda r, f: softplus(f[None] - r[:, None]).mean(), "relativistic"),
    ("1.6", lambda t: (-t.exp() / (1 + t.exp()), -1 / (1 + t.exp())), "±800"),
    ("1.6", lambda t: (-t.sigmoid(), -t.sigmoid()), "both are the slope of the saturating loss"),
    ("1.6", lambda t: (-(1 + t.tanh()) / 2, (t.tanh() - 1) / 2), "twice as large"),
    ("1.6", lambda t: (-t.sigmoid() / len(t), (t.sigmoid() - 1) / len(t)), "divided by the number of logits"),
    ("1.6", lambda t: (-(0.5 + t / 4).clamp(0, 1), -(0.5 - t / 4).clamp(0, 1)), "at t = 0 only"),
    ("1.7", lambda p, n, rate: game(p, n, 2.0), "whatever `rate` is"),
    ("1.7", lambda p, n, rate: game(p, n, rate, late=True), "a round behind"),
    ("1.7", lambda p, n, rate: game(p, n, rate, total=True), "slopes of earlier rounds"),
    ("1.7", lambda p, n, rate: game(p, n, rate, softmax=False), "its derivative is missing"),
    ("1.7", lambda p, n, rate: game(p, n, rate, sign=True), "moves by the same amount"),
    ("1.7", lambda p, n, rate: game(p, n, rate, rows_of=lambda theta: theta), "the rows hold θ"),
    ("1.7", on_the_probabilities, "made to add up to 1 again"),
    ("2.1", lambda t, p: (-p * (p * t).sigmoid(), -t * (p * t).sigmoid()), "θ goes down L_D"),
    ("2.1", lambda t, p: (p * (-p * t).sigmoid(), -t * (-p * t).sigmoid()), "sign under σ"),
    ("2.1", lambda t, p: (p * softplus(-p * t), -t * softplus(p * t)), "softplus itself"),
    ("2.2", both_in_the_second_half, "in the generator's step ψ moves"),
    ("2.2", shorter_steps, "h / discriminator_steps long"),
    ("2.3", lambda e: (-2 * e.real / e.imag**2).min().clamp(min=0), "(Re λ)² + (Im λ)²"),
    (
        "2.3",
        lambda e: (10 * (-2 * e.real / e.abs() ** 2).min()).floor().clamp(min=0) / 10,
        "larger steps settle, too",
    ),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).real.abs().max(), "the real part"),
    ("2.5", lambda e, h: (1 + h * e + (h * e) ** 2).abs().prod().sqrt(), "geometric mean"),
    ("2.5", lambda e, h: (1 + 1j * h * e.abs() - (h * e.abs()) ** 2).abs().max(), "|λ| stands for λ"),
    ("2.6", math.inf, "beyond all bounds"),
    ("2.7", fate(sign=-1.0), "both players climb"),
    ("2.7", fate(both_on_one=True), "down the generator's loss"),
    ("2.7", fate(swapped=True), "other player's number"),
    ("2.7", fate(step=0.1), "belong to h = 0.1"),
    ("2.7", fate(measure=lambda ratios: ratios.mean()), "on an ellipse"),
    ("3.1", lambda *a: d_step(*a, own=True), "took no step"),
    ("3.1", lambda *a: d_step(*a, noise=0.1), "random number"),
    ("3.1", lambda *a: d_step(*a, change=torch.sigmoid), "come back as probabilities"),
    ("3.2", g_step_with_noise, "random number"),
    ("3.4", lambda D, points: generator_pull(D, points).flip(0), "at other points"),
    ("3.4", by_differences, "too far apart"),
    ("3.5", lambda s, m, std: (len(m), counted(s, m, std)[1]), "number of *all* modes"),
    (
        "3.5",
        lambda s, m, std: (len((c := counted(s, m, std))[0].unique()), len(c[0].unique()) / len(m)),
        "of the modes",
    ),
    ("3.5", lambda s, m, std: (int((c := counted(s, m, std))[0].max()), c[1]), "highest number"),
    ("3.5", with_other_sigma, "use `std`"),
    ("3.7", lambda x, m: x.unfold(0, m, 1).transpose(1, 2).reshape(len(x) - m + 1, -1), "overlap"),
    ("3.7", lambda x, m: x.reshape(m, -1), "one row for each *pack*"),
    ("3.7", lambda x, m: x.reshape(-1, m, x.shape[1]), "one axis too many"),
    ("3.7", lambda x, m: x.reshape(-1, m, x.shape[1]).sum(1).repeat(1, m), "don't calculate"),
    ("3.7", lambda x, m: x.detach().reshape(len(x) // m, -1), "lost its history"),
    ("4.1", batch(convert=lambda x: (x - 128) / 127.5), "no numbers below 0"),
    (
        "4.1",
        batch(places=lambda count, n, rng: torch.randint(count, (1,), generator=rng).expand(n)),
        "the same image",
    ),
    ("4.1", batch(places=of_a_thousand), "of 2,000 images"),
    ("4.1", batch(convert=lambda x: 2 * x.float() / x.max() - 1), "the batch's own maximum"),
    ("4.1", batch(labels_as=lambda x: x.float()), "floating point"),
    ("4.3", gone_backward, "gone `backward()` itself"),
    ("4.3", in_pairs, "relativistic"),
    ("4.4", sorting_in_place, "in place"),
    ("4.4", size_by(lambda t, best: min(s for s in t if max(t[s]) <= max(best))), "*worst* run"),
    ("4.4", size_by(lambda t, best: min(s for s in t if min(t[s]) <= min(best))), "*best* run"),
    ("4.4", size_by(lambda t, best: next(s for s in t if min(t[s]) <= max(best))), "dictionary's order"),
    ("4.4", size_by(lambda t, best: min(s for s in t if mean(t[s]) <= 1.1 * mean(best))), "within 10%"),
    ("4.4", lambda table: 8, "from every table"),
    (
        "5.1",
        lambda s, k, stride, p: len({a * stride + b for a in range(s) for b in range(k)}) - 2 * p,
        "gaps",
    ),
    ("5.2", lambda *a: one_round(*a, again=True), "optimiser takes 2 steps"),
    ("5.2", lambda *a: one_round(*a, as_tensors=True), "as numbers"),
    ("5.3", update(only=lambda name, weight: "bias" not in name), "is as it was before"),
    ("5.3", update(times=2), "old + 0.19"),
    ("5.3", update(only=lambda name, weight: weight is None or weight.requires_grad), "one that needs none"),
    ("5.3", update(only=lambda name, weight: name.count(".") == 1), "is as it was before"),
    ("5.3", update(after=lambda average, network: average.train()), "is in training mode now"),
    ("5.3", update(after=share_weights), "the network's own tensors"),
    ("5.3", with_history, "history"),
    ("5.5", lambda a, b, n: arc(a, b, n, omega=lambda a, b: torch.tensor(math.pi / 2)), "right angle"),
    ("5.5", lambda a, b, n: arc(a, b, n, omega=lambda a, b: (a @ b / len(a)).arccos()), "number of entries"),
    ("5.5", lambda a, b, n: slerp(normalize(a, dim=0), normalize(b, dim=0), n), "radius 1"),
    ("5.5", lambda a, b, n: 32**0.5 * normalize(slerp(a, b, n), dim=1), "all latents have the length"),
    ("5.5", lambda a, b, n: slerp(a, b, n + 1), "counts the latents"),
    ("5.5", lambda a, b, n: slerp(a, b, 5), "whatever `steps` is"),
    ("6.1", side_using_up, "in place"),
    ("6.1", lambda start, layers: [side(start, layers[: n + 1]) for n in range(len(layers))], "one number"),
    ("6.4", mirror_by(lambda x, rng: heads(x, rng, *x.shape[:2], 1, 1)), "each *channel*"),
    ("6.4", mirror_by(lambda x, rng: heads(x, rng, *x.shape[:3], 1)), "each *row of pixels*"),
    ("6.4", mirror_by(lambda x, rng: heads(x, rng, *x.shape)), "each *pixel*"),
    ("6.4", in_another_order, "order of the batch"),
    ("6.4", mixed, "*mixed*"),
    ("6.4", lambda x, rng: torch.where(heads(x, rng, len(x), 1, 1, 1), x.mT, x), "transposed"),
    ("6.4", lambda x, rng: torch.where(heads(x, rng, len(x), 1, 1, 1), x.flip(3).roll(1, 3), x), "shifted"),
    ("6.5", lambda w, n: iterated(w, n, fewer=2), "a step too few"),
    ("6.5", lambda w, n: iterated(w, n, seed=1), "manual_seed"),
    ("6.5", lambda w, n: iterated(w, n, length=lambda v: v.abs().max()), "more than W can stretch"),
    ("6.5", lambda w, n: iterated(w, n, as_=torch.Tensor.half), "half precision"),
    ("6.5", start_once(), "kept from call to call"),
]


@pytest.mark.parametrize(("number", "answer", "words"), MISTAKES)
def test_each_is_refused_with_words_of_its_own(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower()


SCRIPTS = [
    (own_script(places=lambda count: torch.arange(64) % count), "new places in each round"),
    (own_script(samples_of="the last batch"), "latents of the last rounds"),
    (own_script(remember=lambda images, n: n), "result of an earlier one"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "words"), SCRIPTS)
def test_scripts_with_a_slip_are_refused(answer, words):
    assert words in run_check("4.6", answer).message


@pytest.mark.slow
def test_the_script_without_a_slip_passes():
    assert run_check("4.6", own_script()).status == "right"


def test_what_these_answers_are_without_their_slip_passes():
    for number, answer in [
        ("0.5", by_figure),
        ("1.7", game),
        ("2.7", fate()),
        ("3.1", d_step),
        ("4.1", batch()),
        ("5.2", one_round),
        ("5.3", update()),
        ("5.5", arc),
        ("6.1", side),
        ("6.4", mirror_by(lambda x, rng: heads(x, rng, len(x), 1, 1, 1))),
        ("6.5", iterated),
    ]:
        assert run_check(number, answer).status == "right", run_check(number, answer)
