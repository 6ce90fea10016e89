"""Notebooks 06 to 11: kinds of mistakes that once passed, or were told by a number only."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.functional import normalize, relu, softplus

from course_utils.checks import run_check

# --- 6.1, 6.2 ----------------------------------------------------------------------------------------------


def side(layer):
    def final_side(start, layers):
        for description in layers:
            start = layer(start, *description)
        return start

    return final_side


def larger(n, kernel, stride, padding, extra):
    return (n - 1) * stride + kernel - 2 * padding + extra


def without_stride_one(start, layers):
    return side(larger)(start, [layer for layer in layers if layer[1] > 1])


def doubling(inputs, outputs, stride, last=False):
    layer = nn.ConvTranspose2d(inputs, outputs, 5, stride, 2, output_padding=stride - 1, bias=False)
    return [layer] if last else [layer, nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]


def painter(strides, between=(), behind=()):
    """The generator of exercise 6.2, with layers after the first transposed convolution, and at the end."""
    return lambda: nn.Sequential(
        nn.Linear(100, 256 * 4 * 4, bias=False),
        *(nn.Unflatten(1, (256, 4, 4)), nn.BatchNorm2d(256), nn.LeakyReLU(0.2)),
        *doubling(256, 128, strides[0]),
        *between,
        *doubling(128, 64, strides[1]),
        *doubling(64, 3, strides[2], last=True),
        *behind,
        nn.Tanh(),
    )


class Corner(nn.Module):
    def forward(self, images):
        return images[..., :32, :32]


# --- 6.4, 6.5 ----------------------------------------------------------------------------------------------


def mirrored(coins):
    """x images, r random numbers; coins(n, r) says who is mirrored."""
    return lambda x, r: torch.where(coins(len(x), r).view(-1, 1, 1, 1), x.flip(3), x)


def tossed(n, r):
    return torch.rand(n, generator=r) < 0.5


def by_first_seed(n, r):
    return tossed(n, torch.Generator().manual_seed(r.initial_seed()))


def put_back(n, r):
    state = r.get_state()
    coins = tossed(n, r)
    r.set_state(state)
    return coins


def opposite(n, r):
    half = tossed(n // 2, r)
    return torch.cat([half, ~half])


def with_the_one_before(weight, steps):
    v = normalize(torch.randn(weight.shape[1], 1), dim=0)
    for _ in range(steps):
        u = normalize(weight @ v, dim=0)
        v, before = normalize(weight.T @ u, dim=0), v
    return (u * (weight @ before)).sum()


def forth_only(weight, steps):
    square = torch.zeros(max(weight.shape), max(weight.shape))
    square[: weight.shape[0], : weight.shape[1]] = weight
    v = torch.randn(len(square))
    for _ in range(steps):
        v = normalize(square @ v, dim=0)
    return (square @ v).norm()


# --- 7.4, 7.5 ----------------------------------------------------------------------------------------------


def with_spread(spread):
    def minibatch_std(features, group):
        groups = features.unflatten(0, (-1, group))
        channel = spread(groups).repeat_interleave(group)[:, None, None, None]
        return torch.cat([features, channel.expand(-1, 1, *features.shape[2:])], 1)

    return minibatch_std


def counted(modes):
    def modes_and_kl(digits):
        codes = digits @ torch.tensor([100, 10, 1])
        f = torch.bincount(codes, minlength=1000).double() / len(digits)
        return modes(digits, codes), torch.special.xlogy(f, 1000 * f).sum().item()

    return modes_and_kl


# --- 8: r real logits, f fake ones -------------------------------------------------------------------------


def margins(d_loss=lambda r, f: relu(1 - r).mean() + relu(1 + f).mean(), g_loss=lambda f: -f.mean()):
    return lambda r, f: (d_loss(r, f), g_loss(f))


def penalty(cost):
    def gradient_penalty(critic, real, fake, weight):
        share = torch.rand(len(real), *[1] * (real.ndim - 1))
        points = (share * real + (1 - share) * fake).detach().requires_grad_()
        (slope,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
        return cost(slope.flatten(1).norm(dim=1), weight)

    return gradient_penalty


# --- 9 -----------------------------------------------------------------------------------------------------


def ordered(a):
    return a.sort().values


def moved(a, b):
    return (a - b).square().mean()


def frechet(real, fake, mean=lambda x: x.mean(0), mixed=None):
    real, fake = real.double(), fake.double()
    a, b = torch.cov(real.T), torch.cov(fake.T)
    overlap = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum() if mixed is None else mixed(a, b)
    return (mean(real) - mean(fake)).square().sum() + (a + b).trace() - 2 * overlap


def pooled(real, fake):
    both = torch.cov(torch.cat([real, fake]).double().T)
    return frechet(real, fake, mixed=lambda a, b: both.trace())


def by_cholesky(a, b):
    eye = 1e-3 * torch.eye(len(a))
    return torch.linalg.cholesky((a @ b) @ (a @ b).T + eye).diagonal().sqrt().sum()


def voted(logits):
    p = logits.softmax(1)
    votes = F.one_hot(p.argmax(1), p.shape[1]).double().mean(0).clamp(min=1e-12)
    return (p * (p.clamp(min=1e-12) / votes).log()).sum(1).mean().exp()


def kid(real, fake, inner=None, prepare=lambda x, y: (x, y)):
    x, y = prepare(real.double(), fake.double())

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def others(table):
        return (table.sum() - table.trace()) / (len(table) * (len(table) - 1))

    inner = inner or others
    return inner(kernel(x, x)) + inner(kernel(y, y)) - 2 * kernel(x, y).mean()


def centred(x, y):
    middle = torch.cat([x, y]).mean(0)
    return x - middle, y - middle


def distances(a, b):
    return (a.double()[:, None] - b.double()).norm(dim=2)


def kth(x, k):
    return distances(x, x).kthvalue(k + 1, dim=1).values


def beyond_zero(x, k):
    table = distances(x, x)
    return torch.where(table > 0, table, math.inf).kthvalue(k, dim=1).values


def precision_recall(real, fake, k, radius=kth):
    between = distances(real, fake)
    in_real, in_fake = between <= radius(real, k)[:, None], between <= radius(fake, k)
    return in_real.any(0).double().mean(), in_fake.any(1).double().mean()


def held_by_both(real, fake, k):
    between = distances(real, fake)
    held = (between <= kth(real, k)[:, None]) & (between <= kth(fake, k))
    return held.any(0).double().mean(), held.any(1).double().mean()


def among_all(real, fake, k):
    radii, between = kth(torch.cat([real, fake]), k), distances(real, fake)
    inside = between <= radii[: len(real), None], between <= radii[len(real) :]
    return inside[0].any(0).double().mean(), inside[1].any(1).double().mean()


def density_coverage(real, fake, k, radius=kth, each=lambda counts: counts):
    inside = distances(real, fake) <= radius(real, k)[:, None]
    return each(inside.sum(0) / k).mean(), inside.any(1).double().mean()


def copied(fake, fresh, training, whole=lambda x: x, table=None):
    made, new = (distances(whole(side), training).amin(1) for side in (fake, fresh))
    if table is not None:
        return table(made[:, None], new)
    return ((made[:, None] < new).double() + (made[:, None] == new) / 2).mean()


def strictly(made, new):
    return (made < new).sum() / ((made < new) | (made > new)).sum()


def ssim(x, y, middle=5.0, second=None):
    weights = torch.exp(-((torch.arange(11.0) - middle) ** 2) / 4.5)
    window = torch.outer(weights, weights)[None, None] / weights.sum() ** 2
    x, y = (x + 1) / 2, (y + 1) / 2

    def mean(maps):
        return F.conv2d(maps, window)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    if second is not None:
        vx, vy, vxy = second(x, y, vx, vy, vxy)
    likeness = (2 * mx * my + 1e-4) * (2 * vxy + 9e-4)
    return (likeness / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4))).mean()


def whole_images(x, y, *_):
    dx, dy = (side - side.mean((2, 3), keepdim=True) for side in (x, y))
    return tuple(part.mean((2, 3), keepdim=True) for part in (dx * dx, dy * dy, dx * dy))


def product_of_spreads(x, y, vx, vy, vxy):
    return vx, vy, (vx.clamp(min=0) * vy.clamp(min=0)).sqrt()


def guess(image, error=None):
    return lambda t: (image(t), (t - t.mean(0)).square().mean() if error is None else error(t))


def halfway(targets):
    image = torch.zeros_like(targets[0])
    for _ in range(20):
        image = image + 0.05 * (targets.mean(0) - image)
    return image


def wilson(p, n, z):
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def in_turns(errors, answers, z=1.96):
    low = high = errors / answers
    for _ in range(2):
        low = errors / answers - z * math.sqrt(max(low * (1 - low), 0) / answers)
        high = errors / answers + z * math.sqrt(max(high * (1 - high), 0) / answers)
    return low, high


def by_arcsine(errors, answers, z=1.96):
    angle = math.asin(math.sqrt(errors / answers))
    ends = (min(max(angle + sign * z / (2 * math.sqrt(answers)), 0), math.pi / 2) for sign in (-1, 1))
    return tuple(math.sin(end) ** 2 for end in ends)


# --- 10: m mean, v log variance ----------------------------------------------------------------------------


def parts(m, v):
    return 0.5 * (v.exp() + m**2 - 1 - v)


def by_product(m, v):
    return 0.5 * ((m**2 + v.exp()).sum(1) - m.shape[1] - v.exp().prod(1).log())


def step(loss=lambda d, r: d + r, cross_entropy=None, rate=None, steps=None):
    def take_step(encoder, decoder, optimizer, images, noise):
        m, v = encoder(images).unbind(1)
        z = m + (v / 2).exp() * noise
        logits, bits = decoder(z), (images + 1) / 2
        pixels = (cross_entropy or F.binary_cross_entropy_with_logits)(logits, bits, reduction="sum")
        d, r = pixels / len(images), (rate or (lambda m, v, z, n: parts(m, v).sum(1)))(m, v, z, noise).mean()
        optimizer.zero_grad()
        loss(d, r).backward()
        for _ in range(steps or 1):
            optimizer.step()
        return d.detach(), r.detach()

    return take_step


def with_small_number(logits, bits, reduction):
    p = logits.sigmoid()
    return -(bits * (p + 1e-7).log() + (1 - bits) * (1 - p + 1e-7).log()).sum()


def in_halves(log_weights):
    first, second = log_weights.chunk(2)
    return (first.logsumexp(0) + second.logsumexp(0)).mean() / 2 - math.log(len(log_weights) // 2)


# --- 11 ----------------------------------------------------------------------------------------------------


def posterior(scale=lambda v: (v / 2).exp(), noise=lambda n, d, rng: torch.randn(n, d, generator=rng)):
    def aggregate_posterior(mean, log_variance, n, rng):
        i = torch.randint(len(mean), (n,), generator=rng)
        return mean[i] + scale(log_variance[i]) * noise(n, mean.shape[1], rng)

    return aggregate_posterior


def uniform(n, d, rng):
    return (torch.rand(n, d, generator=rng) - 0.5) * 12**0.5


def in_opposite_pairs(n, d, rng):
    noise = torch.randn((n + 1) // 2, d, generator=rng)
    return torch.cat([noise, -noise])[:n]


def search(
    error=lambda made, x: (made - x).square().sum(),
    optimizer=torch.optim.Adam,
    then=lambda z: None,
    before=lambda g: None,
    after=lambda g: None,
    **settings,
):
    def find_latents(generator, images, start, steps, lr):
        before(generator)
        latents = start.clone().requires_grad_()
        descent = optimizer([latents], lr, **settings)
        for _ in range(steps):
            (latents.grad,) = torch.autograd.grad(error(generator(latents), images), [latents])
            descent.step()
            with torch.no_grad():
                then(latents)
        after(generator)
        return latents.detach()

    return find_latents


def best_before_each_step(generator, images, start, steps, lr):
    latents = start.clone().requires_grad_()
    descent = torch.optim.Adam([latents], lr)
    best, least = start.clone(), torch.full((len(start),), math.inf)
    for _ in range(steps):
        errors = (generator(latents) - images).square().flatten(1).sum(1)
        better = errors.detach() < least
        best[better], least[better] = latents.detach()[better], errors.detach()[better]
        (latents.grad,) = torch.autograd.grad(errors.sum(), [latents])
        descent.step()
    return best


def new_adam_each_step(generator, images, start, steps, lr):
    latents = start
    for _ in range(steps):
        latents = search()(generator, images, latents, 1, lr)
    return latents.clone()


def judged(real, fake):
    return softplus(-real).mean() + softplus(fake).mean()


def with_epsilon(real, fake):
    return -(real.sigmoid() + 1e-8).log().mean() - (1 - fake.sigmoid() + 1e-8).log().mean()


def played(d_loss=judged, loss=judged, steps=1, drawn=lambda z: z):
    def play_round(generator, encoder, discriminator, players, d_optimizer, x, z):
        d_value = d_loss(discriminator(x, encoder(x).detach()), discriminator(generator(z).detach(), z))
        d_optimizer.zero_grad()
        d_value.backward()
        d_optimizer.step()
        value = loss(discriminator(generator(drawn(z)), z), discriminator(x, encoder(x)))
        players.zero_grad()
        value.backward()
        for _ in range(steps):
            players.step()
        return d_value.detach(), value.detach()

    return play_round


def one_after_the_other(generator, encoder, discriminator, players, d_optimizer, x, z):
    codes, fakes = encoder(x), generator(z)
    d_value = judged(discriminator(x, codes.detach()), discriminator(fakes.detach(), z))
    d_optimizer.zero_grad()
    d_value.backward()
    d_optimizer.step()
    of_g, of_e = softplus(-discriminator(fakes, z)).mean(), softplus(discriminator(x, codes)).mean()
    for loss in (of_g, of_e):
        players.zero_grad(set_to_none=False)
        loss.backward(retain_graph=True)
        players.step()
    return d_value.detach(), (of_g + of_e).detach()


def heun(mean=lambda a, b: (a + b) / 2, after=lambda t, h: t + h, last=False, kept=False):
    def from_noise(velocity, start, steps):
        x, h, second = start, 1 / steps, None
        for step in range(steps):
            first = second if kept and step else velocity(x, start.new_full((len(start),), step * h))
            trial = x + h * first
            second = velocity(trial, start.new_full((len(start),), after(step * h, h)))
            x = trial if last and step == steps - 1 else x + h * mean(first, second)
        return x

    return from_noise


WRONG = [
    ("6.1", side(lambda n, k, s, p, o: (n + o - 1) * s + k - 2 * p), "counts `stride` times"),
    ("6.1", side(lambda n, k, s, p, o: larger(n, k, p, s, o)), "in another order"),
    ("6.1", side(lambda n, *layer: min(32, larger(n, *layer))), "cut off at 32"),
    ("6.1", side(lambda n, k, s, p, o: larger(n, k, s, 0, o)), "`padding` is missing"),
    ("6.1", lambda start, layers: side(larger)(start, layers) // 2 * 2, "look at `start`"),
    ("6.1", without_stride_one, "counts in full"),
    ("6.2", painter((1, 2, 2), behind=[nn.ReflectionPad2d(8)]), "draws 16×16 pixels: the rest is filled"),
    ("6.2", painter((2, 2, 4), behind=[Corner()]), "is cut off"),
    ("6.2", painter((1, 2, 2), between=[nn.Upsample(scale_factor=2)]), "what changes their size in between"),
    ("6.4", mirrored(by_first_seed), "has not moved on"),
    ("6.4", mirrored(put_back), "has not moved on"),
    ("6.4", mirrored(lambda n, r: tossed((n + 1) // 2, r).repeat_interleave(2)[:n]), "go together"),
    ("6.5", forth_only, "the way back, Wᵀ u"),
    ("7.4", with_spread(lambda g: g.mean((2, 3, 4)).std(1, correction=0)), "*where* their strokes lie"),
    ("7.4", with_spread(lambda g: g.std(1, correction=0).flatten(1).median(1).values), "*median*"),
    ("7.4", with_spread(lambda g: g.flatten(2).norm(dim=2).std(1, correction=0)), "of the samples [[0.0"),
    ("7.5", counted(lambda d, codes: math.prod(len(one.unique()) for one in d.T)), "counted by itself"),
    ("7.5", counted(lambda d, codes: len((codes % 256).unique())), "wrap round"),
    ("8.1", lambda r, f: (relu(1 - r).sum() / 2 + relu(1 + f).sum() / 2, -f.mean()), "divided by 2"),
    ("8.1", margins(lambda r, f: (1 - r).clamp(0, 1).mean() + (1 + f).clamp(0, 2).mean()), "from above"),
    ("8.1", margins(lambda r, f: (1 - r)[r < 1].mean() + (1 + f)[f > -1].mean()), "only that cost something"),
    ("8.1", margins(lambda r, f: relu(2 - r + f).mean()), "pays for its fake neighbour"),
    ("8.1", margins(g_loss=lambda f: -f.clamp(max=1).mean()), "G stops at 1"),
    ("8.1", margins(lambda r, f: relu(0.5 - r).mean() + relu(1 + f).mean()), "Raise the real logit by 1"),
    ("8.1", margins(lambda r, f: relu(1 - r[-5:]).mean() + relu(1 + f[-5:]).mean()), "leave out, or mix"),
    ("8.2", lambda r, f: (softplus(f - r).mean(), math.log(4) - softplus(f - r).mean()), "and a constant"),
    ("8.4", penalty(lambda length, w: (w * length - 1).square().mean()), "inside the square"),
    ("8.4", penalty(lambda length, w: w**0.5 * (length - 1).square().mean()), "makes it 2 times as large"),
    (
        "8.4",
        penalty(lambda length, w: w * F.smooth_l1_loss(length, torch.ones(len(length)))),
        "should cost 1",
    ),
    ("9.1", lambda a, b: moved(a[b.argsort()], b[a.argsort()]), "places of the one list"),
    ("9.1", lambda a, b: (ordered(a) - ordered(b)).abs().pow(3).mean(), "costs 3² = 9, and costs 27"),
    ("9.1", lambda a, b: moved(a.roll(1), b), "in another order"),
    ("9.2", pooled, "both sets *together*"),
    ("9.2", lambda r, f: frechet(r, f, mixed=by_cholesky), "Cholesky"),
    ("9.2", lambda r, f: frechet(r, f, mean=lambda x: x.median(0).values), "*medians*"),
    ("9.3", voted, "one vote for each image"),
    ("9.4", lambda r, f: kid(r, f, lambda t: t[t != t.diagonal()[:, None]].mean()), "by their *value*"),
    (
        "9.4",
        lambda r, f: kid(r, f, lambda t: t.triu().sum() / (len(t) * (len(t) + 1) / 2)),
        "`triu` keeps the diagonal",
    ),
    ("9.4", lambda r, f: kid(r, f, prepare=centred), "centred before the kernel"),
    ("9.4", lambda r, f: kid(r, f, prepare=lambda x, y: (normalize(x), normalize(y))), "by their lengths"),
    ("9.4", lambda r, f: kid(r, f, prepare=lambda x, y: (x.abs(), y)), "at that average"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, beyond_zero), "the twins of a sample"),
    ("9.5", held_by_both, "both balls are asked at once"),
    ("9.5", among_all, "in both sets together"),
    ("9.5", lambda r, f, k: precision_recall(r.unique(dim=0), f.unique(dim=0), k), "thrown away first"),
    ("9.5", lambda r, f, k: precision_recall(r, f, k, lambda x, k: 0.9 * kth(x, k)), "An example on a line"),
    ("9.6", lambda f, n, t: copied(f, n, t, table=strictly), "they count *half*"),
    ("9.6", lambda f, n, t: copied(f, n, t, whole=lambda x: x.unique(dim=0)), "thrown away first"),
    ("9.7", lambda x, y: ssim(x, y, middle=5.5), "leans to one side"),
    ("9.7", lambda x, y: ssim(x, y, second=product_of_spreads), "the *covariance* belongs"),
    ("9.7", lambda x, y: ssim(x, y, second=whole_images), "those of the whole images"),
    ("9.8", guess(lambda t: t.mean(0, keepdim=True)), "an axis too many"),
    ("9.8", guess(halfway), "64% of the way"),
    ("9.8", guess(lambda t: t[1:].mean(0)), "has no say in the guess"),
    ("9.8", guess(lambda t: F.avg_pool2d(t.mean(0)[None], 3, 1, 1)[0]), "at *other* pixels"),
    ("9.8", guess(lambda t: t.mean(0), lambda t: (t - t.median(0).values).square().mean()), "another image"),
    ("9.11", lambda n, d: in_order(n, d, slice(1, None)), "has no say in your limit"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, beyond_zero), "the twins of a sample"),
    ("9.12", lambda r, f, k: density_coverage(r, f, k, each=lambda c: c.clamp(max=1)), "cut off at 1"),
    ("9.13", in_turns, "a few times over"),
    ("9.13", lambda e, n, z=1.96: wilson((e + 0.5) / (n + 1), n, z), "smoothed before the formula"),
    ("9.13", by_arcsine, "into the equation"),
    ("10.1", by_product, "*product* of 400 variances"),
    ("10.1", lambda m, v: parts(m, v.clamp(-5, 5)).sum(1), "cut off at ±5"),
    ("10.1", lambda m, v: parts(m, v.clamp(min=-12)).sum(1), "cut off on one side"),
    ("10.1", lambda m, v: 0.5 * (m.sum(1) ** 2 + (v.exp() - 1 - v).sum(1)), "before they are squared"),
    ("10.1", lambda m, v: parts(m, v).flatten().reshape(m.shape[1], -1).sum(0), "`reshape` deals"),
    ("10.1", lambda m, v: parts(m - m.mean(0), v).sum(1), "for μ ="),
    ("10.3", step(rate=lambda m, v, z, n: 0.5 * (z**2 - n**2 - v).sum(1)), "at the one draw of z"),
    ("10.3", step(steps=2), "two steps were taken"),
    ("10.3", step(lambda d, r: d + 0.3 * r), "1·distortion + 0.3·rate"),
    ("10.3", step(cross_entropy=with_small_number), "where the decoder is sure"),
    ("10.4", lambda pixels, weight: pixels // 2 * weight, "an integer division"),
    ("10.4", lambda pixels, weight: 3 * int((pixels / 3) ** 0.5) ** 2 * weight / 2, "whatever their shape"),
    ("10.4", lambda pixels, weight: pixels * weight / (1 + weight) / 2, "Twice the weight"),
    ("10.5", lambda w: (w.amax(0) - math.log(len(w))).mean(), "only the largest weight of each image"),
    ("10.5", in_halves, "the draws are split"),
    ("11.1", {"flow": "A", "GAN": "B", "mixture": "C", "VAE": "D"}, "wrong way round"),
    ("11.3", posterior(lambda v: (v / 2).exp().sqrt()), "the root is taken twice"),
    ("11.3", posterior(noise=uniform), "is not normal"),
    ("11.3", posterior(noise=in_opposite_pairs), "ε and −ε"),
    ("11.4", search(then=lambda z: z.clamp_(-2, 2)), "cut off at ±2"),
    ("11.4", search(after=lambda g: g.requires_grad_(True)), "came frozen are left trainable"),
    ("11.4", search(after=lambda g: g.zero_grad()), "have been cleared"),
    ("11.4", search(then=lambda z: z.clamp_(-1, 1)), "cut off at ±1"),
    ("11.4", best_before_each_step, "those of `start`"),
    ("11.4", search(optimizer=torch.optim.SGD, momentum=0.9), "no step of Adam"),
    ("11.4", new_adam_each_step, "a new Adam is made in each step"),
    ("11.4", search(lambda made, x: (made.mean(0) - x.mean(0)).square().sum()), "*mean* images"),
    ("11.5", played(d_loss=with_epsilon), "where D is sure"),
    ("11.5", played(loss=with_epsilon), "where D is sure"),
    ("11.5", played(steps=2), "takes 2 steps"),
    ("11.5", one_after_the_other, "One step of both together"),
    ("11.5", played(drawn=torch.randn_like), "new noise in their step"),
    ("11.5", played(loss=lambda f, r: softplus(-f).mean() + 2 * softplus(r).mean()), "2 times as far"),
    ("11.6", math.log(99), "log *odds*"),
    ("11.7", heun(kept=True), "asked at the *trial* point"),
    ("11.7", heun(last=True), "the last step is Euler's"),
    ("11.7", heun(lambda a, b: 1.5 * b - 0.5 * a), "with the velocity t"),
    ("11.7", heun(after=lambda t, h: min(t + h, 1 - h)), "never gets to 1"),
]


def in_order(sizes, values, some):
    pairs = sorted(zip(sizes, values, strict=True))[some]
    x, y = (
        torch.tensor(side).double()
        for side in zip(*((1 / size, value) for size, value in pairs), strict=True)
    )
    slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
    return y.mean() - slope * x.mean()


@pytest.mark.parametrize(("number", "answer", "words"), WRONG)
def test_what_passed_or_got_a_number_only_is_told_by_name(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower()


RIGHT = [
    ("6.1", side(larger)),
    ("6.2", painter((2, 2, 2))),
    ("6.4", mirrored(tossed)),
    ("6.5", with_the_one_before),
    ("8.1", margins()),
    ("8.4", penalty(lambda length, w: w * (length - 1).square().mean())),
    ("9.1", lambda a, b: moved(ordered(a), ordered(b))),
    ("9.2", frechet),
    ("9.4", kid),
    ("9.5", precision_recall),
    ("9.6", copied),
    ("9.7", ssim),
    ("9.8", guess(lambda t: t.mean(0))),
    ("9.11", lambda n, d: in_order(n, d, slice(None))),
    ("9.12", density_coverage),
    ("9.13", lambda e, n, z=1.96: wilson(e / n, n, z)),
    ("10.1", lambda m, v: parts(m, v).sum(1)),
    ("10.3", step()),
    ("11.3", posterior()),
    ("11.4", search()),
    ("11.5", played()),
    ("11.7", heun()),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass(number, answer):
    assert run_check(number, answer).status == "right"
