"""Mistakes of notebooks 00–05 that once passed, or got numbers or a shape alone for an answer, by kind."""

import itertools

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import softplus

from course_utils.checks import run_check
from course_utils.models import slerp
from course_utils.theory import js, kl, optimal_discriminator

# --- 0 -----------------------------------------------------------------------------------------------------


def marked_with(mark, figures=lambda number: number):
    def images_for(number, p):
        left, places = p.clone(), []
        for figure in figures(number):
            places.append(int(left[:, int(figure)].argmax()))
            left[places[-1]] = mark
        return places

    return images_for


def by_position(number, p):
    order = p.argsort(dim=0, descending=True)
    return [int(order[place, int(figure)]) for place, figure in enumerate(number)]


# --- 1 -----------------------------------------------------------------------------------------------------


def jensen_shannon(middle, first=lambda p: p):
    def answer(p, q, weights=1.0):
        p, q = first(p), first(q)
        m = middle(p, q, weights)
        return (kl(p, m, weights) + kl(q, m, weights)) / 2

    return answer


def by_logarithms(t):
    t = t.detach().clone().requires_grad_()
    (one,) = torch.autograd.grad((1 - t.sigmoid()).log().sum(), t)
    (other,) = torch.autograd.grad(-t.sigmoid().log().sum(), t)
    return one, other


def game(p, rounds, rate, *, kind="right"):
    theta, p_g, d = torch.zeros_like(p), torch.full_like(p, 1 / len(p)), torch.full_like(p, 0.5)
    rows = [p_g if kind == "one tensor" else p_g.clone()]
    for _ in range(rounds):
        if kind != "late":
            d = optimal_discriminator(p, p_g)
        worth = (1 - d).log()
        if kind == "late":
            d = optimal_discriminator(p, p_g)
        if kind == "softmax of p":
            p_g = (p_g - rate * worth).softmax(0)
        else:
            theta = theta - rate * p_g * (worth - p_g @ worth)
            p_g.copy_(theta.softmax(0))
        rows.append(p_g if kind == "one tensor" else p_g.clone())
    return torch.stack(rows)


# --- 2 -----------------------------------------------------------------------------------------------------


def field_that_adds_up(theta, psi):
    theta.requires_grad_(), psi.requires_grad_()
    (of_theta,) = torch.autograd.grad(softplus(-psi * theta), theta)
    softplus(psi * theta).backward(inputs=[psi])
    return -of_theta, -psi.grad


def new_theta_alone(field, w, h, n):
    psi = w[1]
    for _ in range(n):
        psi = psi + h * field(torch.stack([w[0], psi]))[1]
    return torch.stack([w[0] + h * field(torch.stack([w[0], psi]))[0], w[1]])


def bound_of(which):
    def largest_step(values):
        bounds = -2 * values.real / values.abs() ** 2
        return bounds[which(values)].clamp(min=0)

    return largest_step


def factor_of(which):
    return lambda values, h: (1 + h * values + (h * values) ** 2).abs()[which(values)]


def fate(*, eigenvalues=torch.linalg.eigvals, own=1, start=1e-6, together=False, steps=300, measure=None):
    def answer(generator_loss, discriminator_loss, h):
        of_theta = torch.func.grad(generator_loss, argnums=0)
        of_psi = torch.func.grad(discriminator_loss, argnums=own)

        def move(w, together=False):
            psi = w[1] - h * of_psi(w[0], w[1])
            return torch.stack([w[0] - h * of_theta(w[0], w[1] if together else psi), psi])

        w, lengths = torch.tensor([start, 0.0], dtype=torch.float64), [start]
        for _ in range(steps):
            w = move(w, together)
            lengths.append(w.norm().item())
        growth = (lengths[-1] / lengths[0]) ** (1 / steps) if measure is None else measure(lengths)
        return eigenvalues(torch.func.jacrev(move)(torch.zeros(2).double())), growth

    return answer


# --- 3 -----------------------------------------------------------------------------------------------------


def g_step(D, optimizer, x, f, loss):
    g_loss = loss.discriminator(D(f), D(x))
    optimizer.zero_grad()
    g_loss.backward()
    optimizer.step()
    return g_loss.detach()


class Squeezed(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x):
        return self.body(x).squeeze()


def untrained(draw, dim, rounds, start):
    torch.manual_seed(start)
    return nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, dim)), Squeezed(dim)


def pull_on_the_callers(D, points):
    points.requires_grad_()
    softplus(-D(points)).sum().backward()
    return -points.grad


def pull_squeezed(D, points):
    points = points.detach().clone().requires_grad_()
    (slope,) = torch.autograd.grad(softplus(-D(points)).sum(), points)
    return -slope.squeeze()


def near_any(samples, modes, std):
    near = torch.cdist(samples, modes) <= 3 * std
    return int(near.any(dim=0).sum()), near.any(dim=1).double().mean().item()


def near_each(samples, modes, std):
    near = torch.cdist(samples, modes) <= 3 * std
    return int(near.any(dim=0).sum()), near.sum().item() / len(samples)


# --- 4 -----------------------------------------------------------------------------------------------------


def batch(convert=lambda x: x.float() / 127.5 - 1, below=lambda count, n: count, after=lambda x: x):
    def draw_batch(images, labels, n, rng):
        places = torch.randint(below(len(images), n), (n,), generator=rng)
        return after(convert(images[places])), labels[places]

    return draw_batch


def fresh_numbers(images, labels, n, rng):
    places = torch.randint(len(images), (n,), generator=torch.Generator().manual_seed(rng.initial_seed()))
    return images[places] / 127.5 - 1, labels[places]


def loss_of(terms):
    return lambda G, D, x, z: terms(D(x), D(G(z).detach()))


def two_deviations(table):
    def mean(runs):
        return sum(runs) / len(runs)

    best = min(table, key=lambda size: mean(table[size]))
    spread = torch.tensor(table[best]).std(correction=0).item()
    return min(size for size in table if mean(table[size]) <= mean(table[best]) + 2 * spread)


def script(*, sliced=False):
    """A training script whose gradients come from `torch.autograd.grad`."""

    def train_on(images, rounds, n):
        pixels, shape = images[0].numel(), images.shape[1:]
        G = nn.Sequential(
            nn.Linear(8, 96), nn.ReLU(), nn.Linear(96, pixels), nn.Tanh(), nn.Unflatten(1, shape)
        )
        D = nn.Sequential(
            nn.Flatten(), nn.Linear(pixels, 96), nn.LeakyReLU(0.2), nn.Linear(96, 1), nn.Flatten(0)
        )
        of_g, of_d = (torch.optim.Adam(one.parameters(), lr=2e-3, betas=(0.0, 0.99)) for one in (G, D))

        def step(network, optimizer, loss):
            slopes = torch.autograd.grad(loss, network.parameters())
            for weight, slope in zip(network.parameters(), slopes, strict=True):
                weight.grad = slope
            optimizer.step()

        for k in range(rounds):
            places = range(64 * k, min(64 * k + 64, len(images))) if sliced else None
            drawn = torch.randint(len(images), (64,)) if places is None else torch.tensor(places).long()
            x = images[drawn].float() / 127.5 - 1
            fake = G(torch.randn(64, 8))
            step(D, of_d, softplus(-D(x)).mean() + softplus(D(fake.detach())).mean())
            step(G, of_g, softplus(-D(fake)).mean())
        G.eval()
        with torch.no_grad():
            return G, D, G(torch.randn(n, 8))

    return train_on


# --- 5 -----------------------------------------------------------------------------------------------------


def quaternions(start, end, steps):
    return slerp(start, end if start @ end >= 0 else -end, steps)


def by_an_angle_without_sign(start, end, steps):
    omega = F.cosine_similarity(start, end, dim=0).abs().arccos()
    s = torch.linspace(0, 1, steps)[:, None]
    return (((1 - s) * omega).sin() * start + (s * omega).sin() * end) / omega.sin()


def apart(start, end, steps):
    s = torch.linspace(0, 1, steps, dtype=start.dtype)[:, None]
    arc = slerp(F.normalize(start, dim=0), F.normalize(end, dim=0), steps)
    return arc * ((1 - s) * start.norm() + s * end.norm())


def in_matrices(start, end, steps):
    s = torch.linspace(0, 1, steps)
    omega = torch.acos(F.cosine_similarity(start, end, dim=0))
    weights = torch.stack([(1 - s) * omega, s * omega], dim=1).sin() / omega.sin()
    return weights @ torch.stack([start, end])


def generator(*, order=(1, 2)):
    def build_generator(image_shape, latent_dim, width):
        high, wide = (image_shape[place] // 4 for place in order)
        network = nn.Sequential(
            nn.Linear(latent_dim, 2 * width * high * wide, bias=False),
            nn.Unflatten(1, (2 * width, high, wide)),
            *(nn.BatchNorm2d(2 * width), nn.ReLU()),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
            *(nn.BatchNorm2d(width), nn.ReLU()),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            *(nn.BatchNorm2d(width), nn.ReLU()),
            nn.ConvTranspose2d(width, image_shape[0], 4, 2, 1),
            nn.Tanh(),
        )
        for layer in network:
            if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.normal_(layer.weight, 0.0, 0.02)
        nn.init.zeros_(network[-2].bias)
        network.latent_dim = latent_dim
        return network

    return build_generator


MISTAKES = [
    ("0.1", lambda x: (x / 127.5 - 1).tanh(), "go through tanh"),
    ("0.1", lambda x: x / 255 - 0.5, "half as long"),
    ("0.2", lambda n, dim: torch.randn(n, dim, 1, 1), "without the axes of length 1"),
    ("0.1", lambda x: x.half() / 127.5 - 1, "half precision"),
    ("0.2", lambda n, dim: torch.randn(n, dim).squeeze(), "squeezed out"),
    ("0.2", lambda n, dim: torch.distributions.StudentT(5.0).sample((n, dim)) * 0.6**0.5, "the tails"),
    ("0.5", marked_with(1e-9), "only made smaller"),
    ("0.5", marked_with(0), "marked with 0"),
    ("0.5", marked_with(-1, lambda number: str(int(number))), "zeros in front"),
    ("0.5", by_position, "the second surest"),
    ("1.1", lambda d, p, q: (p * d.log() + q * (1 - d.log())).sum(), "1 − log D stands"),
    ("1.1", lambda d, p, q: ((p + q) / 2 * (d.log() + (1 - d).log())).sum(), "mixture"),
    ("1.1", lambda d, p, q: (p * d.log() + (1 - p) * (1 - d).log()).sum(), "weighted with 1 − p_data"),
    ("1.1", lambda d, p, q: (p * d.log() - q * (1 - d).log()).sum(), "subtracted"),
    ("1.2", lambda p, q, share=0.5: share * p / (share * p + (1 - share) * q + 1e-12), "below the line"),
    ("1.3", lambda r, f: (0.9 * softplus(-r) + 0.1 * softplus(r)).mean() + softplus(f).mean(), "smoothed"),
    ("1.3", lambda r, f: softplus(-r.mean()) + softplus(f.mean()), "averaged first"),
    ("1.3", lambda r, f: -r.sigmoid().mean().log() - (1 - f.sigmoid().mean()).log(), "mean of probabilities"),
    ("1.3", lambda r, f: softplus(-r).mean() + 0.5 * softplus(f).mean(), "multiplied by 0.5"),
    ("1.3", lambda r, f: softplus(-r).median() + softplus(f).median(), "median"),
    ("1.4", lambda p, q, weights=1.0: js(p, q, weights) * torch.as_tensor(weights).sum(), "once more"),
    ("1.4", jensen_shannon(lambda p, q, w: (p * w + q * w) / 2), "weights are in m"),
    ("1.4", jensen_shannon(lambda p, q, w: (p + q) / 2, first=lambda p: p / p.sum()), "plain sums"),
    ("1.6", lambda t: (-t.clamp(-10, 10).sigmoid(), -(-t.clamp(-10, 10)).sigmoid()), "cut off"),
    ("1.6", by_logarithms, "the slope of log 0"),
    ("1.6", lambda t: (-t.sigmoid().squeeze(), -(-t).sigmoid().squeeze()), "leave the shape alone"),
    ("1.7", lambda *a: game(*a, kind="one tensor"), "overwritten in place"),
    ("1.7", lambda *a: game(*a, kind="late"), "a round behind"),
    ("1.7", lambda *a: game(*a, kind="softmax of p"), "probabilities stand where θ belongs"),
    ("2.1", lambda t, p: (-p * (-p * t).sigmoid(), t * (-p * t).sigmoid()), "a paper's notation"),
    ("2.1", lambda t, p: (p * (p * t).sigmoid(), -t * (-p * t).sigmoid()), "changed places"),
    ("2.1", lambda t, p: ((b := (-p * t).sigmoid() - (p * t).sigmoid()) * p, b * t), "losses are added"),
    ("2.1", lambda t, p: (p / 2, -t / 2), "near (0, 0) only"),
    ("2.1", field_that_adds_up, "add up in their `.grad`"),
    ("2.3", bound_of(lambda values: values.real.argmax()), "largest real part"),
    ("2.3", bound_of(lambda values: values.abs().argmax()), "largest modulus"),
    ("2.2", lambda field, w, h, n: new_theta_alone(field, w, h, n), "back where it was"),
    ("2.3", lambda values: (2 / values.real.abs()).min(), "divide by Re λ"),
    ("2.4", dict.fromkeys("ABCDE", "in"), "no prediction for F"),
    ("2.5", factor_of(lambda values: values.real.argmax()), "largest real part"),
    ("2.6", 0.25, "under the root"),
    ("2.7", fate(eigenvalues=lambda m: torch.linalg.eigvalsh(m).to(torch.complex128)), "symmetric"),
    ("2.7", fate(eigenvalues=lambda m: torch.linalg.eigvals(m - torch.eye(2))), "the 1 is missing"),
    ("2.7", fate(eigenvalues=lambda m: torch.linalg.svdvals(m).to(torch.complex128)), "singular values"),
    ("2.7", fate(own=0), "ψ moves by ∂L_D/∂θ"),
    ("2.7", fate(start=1.0), "starts at a distance of 1"),
    ("2.7", fate(together=True), "simultaneous"),
    ("2.7", fate(measure=lambda r: r[-1] / r[-2]), "two last distances"),
    ("2.7", fate(measure=lambda r: r[-1] / r[0]), "per step it is a root"),
    ("2.7", fate(measure=lambda r: (r[0] / r[-1]) ** (1 / 300)), "divide later by earlier"),
    ("2.7", fate(measure=lambda r: (r[-1] / r[0]) ** (1 / 100)), "root of order 100"),
    ("2.7", fate(measure=lambda r: max(b / a for a, b in itertools.pairwise(r))), "one single ratio"),
    ("2.7", fate(eigenvalues=lambda m: torch.linalg.eigvals(m + torch.eye(2))), "a 1 too many"),
    ("3.2", g_step, "each other's place"),
    ("3.3", untrained, "takes out *every* axis"),
    ("3.4", pull_on_the_callers, "add up in their `.grad`"),
    ("3.4", pull_squeezed, "squeezed out"),
    ("3.5", near_any, "covers both"),
    ("3.5", near_each, "counts twice"),
    ("4.1", batch(convert=lambda x: (x - 127) / 128), "turned bright"),
    ("4.1", batch(below=lambda count, n: n), "the first n images"),
    ("4.1", batch(below=lambda count, n: count - 1), "without −1"),
    ("4.1", batch(after=torch.squeeze), "squeezed out"),
    ("4.1", fresh_numbers, "has not moved on"),
    ("4.3", loss_of(lambda real, fake: softplus(-real).mean() - softplus(-fake).mean()), "no lower end"),
    (
        "4.3",
        loss_of(lambda real, fake: (softplus(-real.clamp(-90, 90)) + softplus(fake.clamp(-90, 90))).mean()),
        "cut off",
    ),
    ("4.4", two_deviations, "standard deviations of the best mean"),
    (
        "4.4",
        lambda t: min(s for s in t if min(t[s]) <= 1.1 * max(t[min(t, key=lambda s: sum(t[s]) / len(t[s]))])),
        "without a share on top",
    ),
    (
        "4.3",
        loss_of(lambda real, fake: softplus(-real).mean() + 2 * softplus(fake).mean()),
        "multiplied by 2",
    ),
    ("5.5", by_an_angle_without_sign, "sign of the cosine is lost"),
    ("5.5", quaternions, "as with quaternions"),
    ("5.5", apart, "interpolated apart"),
    ("5.6", generator(order=(1, 1)), "taken for the width"),
    ("5.6", generator(order=(2, 1)), "exchanged"),
]


@pytest.mark.parametrize(("number", "answer", "words"), MISTAKES)
def test_each_is_refused_with_words_of_its_own(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower()


@pytest.mark.slow
def test_a_script_that_runs_past_the_end_of_the_images_is_told_so():
    assert "run past the end" in run_check("4.6", script(sliced=True)).message


@pytest.mark.slow
def test_gradients_may_come_from_autograd_grad():
    assert run_check("4.6", script()).status == "right"


def test_what_these_answers_are_without_their_slip_passes():
    for number, answer in [
        ("0.5", marked_with(-1)),
        ("1.4", jensen_shannon(lambda p, q, w: (p + q) / 2)),
        ("1.7", game),
        ("2.7", fate()),
        ("4.1", batch()),
        ("5.5", in_matrices),  # float32, as the notebook's latents are
        ("5.6", generator()),
    ]:
        assert run_check(number, answer).status == "right", run_check(number, answer)
