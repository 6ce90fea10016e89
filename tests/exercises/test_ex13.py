"""The checkers of notebook 13: right answers pass in any form, each typical mistake gets its own message."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks import run_check


def stub(*_arguments):
    raise NotImplementedError("your code here")


# --- 13.1: g network, x images, h hole ---


def completed(g, x, h):
    paint = g(torch.cat([x * ~h, 2.0 * h - 1], 1))
    return torch.where(h, paint, x)


def completed_by_products(g, x, h):
    missing = h.to(x.dtype)
    damaged = x.masked_fill(h, 0.0)
    paint = g(torch.cat((damaged, missing - (1 - missing)), dim=1))
    return missing * paint + (1 - missing) * x


def completed_by_index(g, x, h):
    mask = torch.where(h, 1.0, -1.0)
    out = g(torch.cat([torch.where(h, 0.0, x), mask], 1)).clone()
    known = ~h.expand_as(x)
    out[known] = x[known]
    return out


def painted(
    source=lambda x, h: [x * ~h, 2.0 * h - 1], join=lambda paint, x, h: torch.where(h, paint, x), dim=1
):
    def answer(g, x, h):
        return join(g(torch.cat(source(x, h), dim)), x, h)

    return answer


def in_place(g, x, h):
    x *= ~h
    return torch.where(h, g(torch.cat([x, 2.0 * h - 1], 1)), x)


def frozen_painter(g, x, h):
    g.requires_grad_(False)
    return completed(g, x, h)


def without_history(g, x, h):
    with torch.no_grad():
        return completed(g, x, h)


# --- 13.2: i images, w weights, d damaged, h hole ---


def safest(i, w, d, h):
    fits = (torch.where(h, 0.0, i) == d).flatten(1).all(1)
    p = w * fits
    return (i * (p / p.sum())[:, None, None, None]).sum(0)


def safest_by_loop(i, w, d, h):
    total, mean = 0.0, torch.zeros_like(d)
    for image, weight in zip(i, w.tolist(), strict=True):
        if torch.equal(image[~h], d[~h]):
            total += weight
            mean = mean + weight * image
    return mean / total


def safest_in_the_hole(i, w, d, h):
    fits = [k for k in range(len(i)) if bool(((i[k] - d).abs() * ~h).max() < 1e-5)]
    p = w[fits] / w[fits].sum()
    return torch.where(h, torch.einsum("k,kchw->chw", p, i[fits]), d)


def fitting(i, d, h):
    return (torch.where(h, 0.0, i) == d).flatten(1).all(1)


def over_all(i, w, d, h):
    return (i * w[:, None, None, None]).sum(0)


def alike(i, w, d, h):
    return i[fitting(i, d, h)].mean(0)


def not_renormalised(i, w, d, h):
    return (i * (w * fitting(i, d, h))[:, None, None, None]).sum(0)


def most_probable(i, w, d, h):
    return i[(w * fitting(i, d, h)).argmax()]


def all_in_the_hole(i, w, d, h):
    return torch.where(h, over_all(i, w, d, h), d)


def inside_compared(i, w, d, h):
    fits = ((i - d) * h).flatten(1).abs().sum(1) < 1e-5
    p = w * fits
    return (i * (p / p.sum().clamp(min=1e-9))[:, None, None, None]).sum(0)


# --- 13.4: p perception, r correlation ---


def least(p, r):
    s = (1 - p).clamp(min=r)
    return 1 + s**2 - 2 * r * s


def least_by_excess(p, r):
    return 1 - r**2 + torch.relu(1 - r - p) ** 2


def least_by_where(p, r):
    return torch.where(p < 1 - r, (1 - p) ** 2 + 1 - 2 * r * (1 - p), torch.full_like(p, 1 - r * r))


def least_on_a_grid(p, r):
    s = torch.linspace(0, 2, 20_001)
    error = torch.where((1 - s).abs() <= p[:, None] + 1e-6, s**2 + 1 - 2 * s * r, torch.inf)
    return error.min(1).values


def curve(change):
    def answer(p, r):
        s = (1 - p).clamp(min=r)
        return change(p, r, s)

    return answer


# --- 13.6 ---


def block(inputs, outputs, norm=nn.BatchNorm2d, activation=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), norm(outputs), activation())


class Net(nn.Module):
    """A U-Net; its variants below spoil one thing."""

    last = staticmethod(torch.tanh)

    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.first, self.second = block(inputs, width), block(width, 2 * width)
        self.deep = block(2 * width, 4 * width)
        self.middle, self.full = block(6 * width, 2 * width), block(3 * width, width)
        self.out = nn.Conv2d(width, outputs, 3, padding=1)
        self.down, self.up = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)

    def join(self, up, skip):
        return torch.cat([up, skip], 1)

    def join_full(self, up, skip):
        return self.join(up, skip)

    def join_half(self, up, skip):
        return self.join(up, skip)

    def forward(self, x):
        one = self.first(x)
        two = self.second(self.down(one))
        three = self.deep(self.down(two))
        up = self.middle(self.join_half(self.up(three), two))
        up = self.full(self.join_full(self.up(up), one))
        return self.last(self.out(up))


class Strided(nn.Module):
    """Another form: strides, transposed convolutions, lists, leaky ReLU, functional joins by name."""

    def __init__(self, inputs, outputs, width):
        super().__init__()
        sizes = [width, 2 * width, 4 * width]
        self.stem = nn.Conv2d(inputs, width, 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(sizes))
        self.up = nn.ModuleList(
            [nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1), nn.ConvTranspose2d(4 * width, width, 4, 2, 1)]
        )
        self.head = nn.Conv2d(2 * width, outputs, 1)

    def forward(self, source):
        kept = [F.leaky_relu(self.stem(source), 0.2)]
        for layer in self.down:
            kept.append(F.leaky_relu(layer(kept[-1]), 0.2))
        x = kept.pop()
        for layer in self.up:
            x = torch.cat((kept.pop(), F.leaky_relu(layer(x), 0.2)), dim=1)
        return self.head(x).tanh()


class Recursive(nn.Module):
    """Another form: each level holds the one below; average pooling, bilinear enlargement."""

    class Level(nn.Module):
        def __init__(self, inputs, width, inner):
            super().__init__()
            self.before = block(inputs, width, nn.InstanceNorm2d, nn.LeakyReLU)
            self.inner = inner
            self.after = nn.Conv2d(3 * width, width, 3, padding=1) if inner else None

        def forward(self, x):
            x = self.before(x)
            if self.inner is None:
                return x
            deeper = F.interpolate(self.inner(F.avg_pool2d(x, 2)), scale_factor=2, mode="bilinear")
            return F.silu(self.after(torch.concat([deeper, x], dim=-3)))

    def __init__(self, inputs, outputs, width):
        super().__init__()
        deep = self.Level(2 * width, 4 * width, None)
        self.levels = self.Level(inputs, width, self.Level(width, 2 * width, deep))
        self.out = nn.Sequential(nn.Conv2d(width, outputs, 3, padding=1), nn.Tanh())

    def forward(self, x):
        return self.out(self.levels(x))


class NoSkips(Net):
    def join(self, up, skip):
        return torch.cat([up, torch.zeros_like(skip)], 1)


class AddedSkips(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.first, self.second = block(inputs, width), block(width, 2 * width)
        self.deep = block(2 * width, 2 * width)
        self.middle, self.full = block(2 * width, width), block(width, width)
        self.out = nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x):
        one = self.first(x)
        two = self.second(F.max_pool2d(one, 2))
        up = F.interpolate(self.deep(F.max_pool2d(two, 2)), scale_factor=2.0) + two
        up = F.interpolate(self.middle(up), scale_factor=2.0) + one
        return torch.tanh(self.out(self.full(up)))


class Plain(nn.Module):
    """An autoencoder of that shape: nothing is joined at all."""

    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.all = nn.Sequential(
            block(inputs, width), nn.MaxPool2d(2), block(width, 2 * width), nn.MaxPool2d(2),
            block(2 * width, 4 * width), nn.Upsample(scale_factor=2), block(4 * width, 2 * width),
            nn.Upsample(scale_factor=2), block(2 * width, width), nn.Conv2d(width, outputs, 3, padding=1),
            nn.Tanh(),
        )  # fmt: skip

    def forward(self, x):
        return self.all(x)


class OneSkip(Net):
    def join_full(self, up, skip):
        return torch.cat([up, up[:, : skip.shape[1]]], 1)


class Twins(Net):
    def join(self, up, skip):
        return torch.cat([up, up[:, : skip.shape[1]]], 1)


class SourceJoined(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, outputs, width)
        self.full = block(2 * width + inputs, width)

    def forward(self, x):
        two = self.second(self.down(self.first(x)))
        three = self.deep(self.down(two))
        up = self.middle(self.join(self.up(three), two))
        return torch.tanh(self.out(self.full(torch.cat([self.up(up), x], 1))))


class Shallow(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.first, self.second = block(inputs, width), block(width, 4 * width)
        self.full, self.out = block(5 * width, width), nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x):
        one = self.first(x)
        two = F.interpolate(self.second(F.max_pool2d(one, 2)), scale_factor=2.0)
        return torch.tanh(self.out(self.full(torch.cat([one, two], 1))))


class Flat(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.layers = nn.Sequential(block(inputs, 4 * width), nn.Conv2d(4 * width, outputs, 3, padding=1))

    def forward(self, x):
        return torch.tanh(self.layers(x))


class NoTanh(Net):
    last = staticmethod(lambda x: x)


class Sigmoid(Net):
    last = staticmethod(torch.sigmoid)


class Clamped(Net):
    last = staticmethod(lambda x: x.clamp(-1, 1))


class Unbent(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.net = Net(inputs, outputs, width)
        for name in ("first", "second", "deep", "middle", "full"):
            old = getattr(self.net, name)[0]
            setattr(self.net, name, nn.Sequential(nn.Conv2d(old.in_channels, old.out_channels, 3, padding=1)))
        self.net.down = nn.AvgPool2d(2)

    def forward(self, x):
        return self.net(x)


class InAList(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.blocks = [block(inputs, width), block(width, 2 * width), block(2 * width, 4 * width)]
        self.middle, self.full = block(6 * width, 2 * width), block(3 * width, width)
        self.out = nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x):
        one = self.blocks[0](x)
        two = self.blocks[1](F.max_pool2d(one, 2))
        three = self.blocks[2](F.max_pool2d(two, 2))
        up = self.middle(torch.cat([F.interpolate(three, scale_factor=2.0), two], 1))
        return torch.tanh(self.out(self.full(torch.cat([F.interpolate(up, scale_factor=2.0), one], 1))))


class MadeInForward(Net):
    def forward(self, x):
        self.deep = block(self.deep[0].in_channels, self.deep[0].out_channels)
        self.deep.train(self.training)
        return super().forward(x)


class Unused(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, outputs, width)
        self.spare = nn.Linear(2, 2)


class FixedWidth(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, outputs, 8)


class WrongSize(Net):
    def forward(self, x):
        one = self.first(x)
        two = self.second(self.down(one))
        three = self.deep(self.down(two))
        return torch.tanh(self.out(self.full(self.join(self.up(three), one))))


class WrongChannels(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, outputs, width)
        self.middle = block(4 * width, 2 * width)


class Grey(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, 1, width)


class TakenName(nn.Module):
    def __init__(self, inputs, outputs, width):
        super().__init__()
        self.first, self.half = block(inputs, width), block(width, outputs)

    def forward(self, x):
        return self.half(self.first(x))


class Enlarged(Net):
    def forward(self, x):
        return F.interpolate(super().forward(x), scale_factor=2)


class Zero(Net):
    def __init__(self, inputs, outputs, width):
        super().__init__(inputs, outputs, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)


ONE = Net(1, 1, 8)


# --- 13.7 ---


def field(layers):
    size = 1
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return size


def field_forwards(layers):
    size = step = 1
    for kernel, stride in layers:
        size += (kernel - 1) * step
        step *= stride
    return size


def field_recursive(layers):
    if not layers:
        return torch.tensor(1)
    kernel, stride = layers[0]
    return kernel + stride * (field_recursive(layers[1:]) - 1)


def field_from(change):
    def answer(layers):
        size = 1
        for kernel, stride in reversed(layers):
            size = change(size, kernel, stride)
        return size

    return answer


# --- 13.8 ---

CENTRE = torch.tensor([4.0, 0.0])


def turned_over(points, forward):
    return CENTRE - points


def turned(points, forward):
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    return points @ turn.T + CENTRE if forward else (points - CENTRE) @ turn


def mirrored(points, forward):
    flip = torch.tensor([1.0, -1.0])
    return points * flip + CENTRE if forward else (points - CENTRE) * flip


def swirled(points, forward):
    """Turns each point by an angle that grows with its distance from the centre."""
    here = points if forward else points - CENTRE
    angle = (2 + here.norm(dim=1)) * (1 if forward else -1)
    x, y = here.T
    there = torch.stack([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y], 1)
    return there + CENTRE if forward else there


# --- 13.9 ---


def gram(f):
    flat = f.flatten(2)
    return flat @ flat.transpose(1, 2) / flat.shape[2]


def gram_by_einsum(f):
    return torch.einsum("nchw,ndhw->ncd", f, f) / (f.shape[2] * f.shape[3])


def gram_by_mean(f):
    return (f[:, :, None] * f[:, None]).mean((-2, -1))


RIGHT = [
    ("13.1", completed),
    ("13.1", completed_by_products),
    ("13.1", completed_by_index),
    ("13.2", safest),
    ("13.2", safest_by_loop),
    ("13.2", safest_in_the_hole),
    ("13.3", 10 * math.log10(2)),
    ("13.3", 3.01),
    ("13.3", torch.tensor(3.0103)),
    ("13.4", least),
    ("13.4", least_by_excess),
    ("13.4", least_by_where),
    ("13.4", least_on_a_grid),
    ("13.5", "c"),
    ("13.5", " C "),
    ("13.6", Net),
    ("13.6", Strided),
    ("13.6", Recursive),
    ("13.7", field),
    ("13.7", field_forwards),
    ("13.7", field_recursive),
    ("13.8", turned_over),
    ("13.8", turned),
    ("13.8", mirrored),
    ("13.8", swirled),
    ("13.9", gram),
    ("13.9", gram_by_einsum),
    ("13.9", gram_by_mean),
]

WRONG = [
    ("13.1", lambda g, x, h: g(torch.cat([x * ~h, 2.0 * h - 1], 1)), "paints the known pixels"),
    ("13.1", painted(join=lambda p, x, h: torch.where(h, x, p)), "original pixels are back"),
    ("13.1", painted(lambda x, h: [x, 2.0 * h - 1]), "sees what it should paint"),
    ("13.1", painted(lambda x, h: [x * h, 2.0 * h - 1]), "sees only what is missing"),
    ("13.1", painted(lambda x, h: [x * ~h, 1 - 2.0 * h]), "where pixels are *known*"),
    ("13.1", painted(lambda x, h: [x * ~h, h.float()]), "is 0 where pixels are known"),
    ("13.1", painted(lambda x, h: [2.0 * h - 1, x * ~h]), "hole comes first"),
    ("13.1", painted(lambda x, h: [x.masked_fill(h, -1), 2.0 * h - 1]), "are shown as -1"),
    ("13.1", lambda g, x, h: torch.where(h, g(x * ~h), x), "channels; it wants"),
    ("13.1", painted(dim=0), "channels; it wants"),
    ("13.1", lambda g, x, h: x * ~h, "never asked"),
    ("13.1", lambda g, x, h: (g(torch.cat([x * ~h, 2.0 * h - 1], 1)), x * ~h)[1], "still empty"),
    ("13.1", painted(join=lambda p, x, h: torch.where(h, p, x) / 2), "known pixels have changed"),
    ("13.1", painted(join=lambda p, x, h: torch.where(h, p / 2, x)), "not what the network paints"),
    ("13.1", painted(join=lambda p, x, h: torch.where(h, x, x * 0 + p) * h + x * ~h), "original pixels"),
    ("13.1", in_place, "in place"),
    ("13.1", frozen_painter, "frozen"),
    ("13.1", without_history, "lost its history"),
    ("13.2", over_all, "mean over all images"),
    ("13.2", lambda i, w, d, h: i.mean(0), "count alike, whether they fit"),
    ("13.2", alike, "more probable than others"),
    ("13.2", not_renormalised, "do not add up to 1"),
    ("13.2", most_probable, "most probable"),
    ("13.2", lambda i, w, d, h: i[fitting(i, d, h)][0], "that fit"),
    ("13.2", lambda i, w, d, h: i[fitting(i, d, h)].median(0).values, "median"),
    ("13.2", lambda i, w, d, h: d, "still empty"),
    ("13.2", inside_compared, "no image fits"),
    ("13.2", all_in_the_hole, "those included"),
    ("13.2", lambda i, w, d, h: safest(i, w, d, h)[None, None], "shape"),
    ("13.3", 6.02, "10, not 20"),
    ("13.3", -3.0103, "sign"),
    ("13.3", 2, "factor"),
    ("13.3", 10 * math.log(2), "base 10"),
    ("13.3", math.log10(2), "bels"),
    ("13.3", 1.505, "not its root"),
    ("13.3", 0, "costs more"),
    ("13.3", 5.0, "compare the two expected squared errors"),
    ("13.3", [3.01, 3.01], "one number"),
    ("13.4", lambda p, r: 1 + (1 - p) ** 2 - 2 * r * (1 - p), "rises again"),
    ("13.4", lambda p, r: torch.full_like(p, 1 - r * r), "whatever P is"),
    ("13.4", lambda p, r: torch.full_like(p, 2 - 2 * r), "P = 0 for every P"),
    ("13.4", lambda p, r: torch.full_like(p, 2 - 2 * r * r), "not the cheapest"),
    ("13.4", lambda p, r: 1 + (1 + p) ** 2 - 2 * r * (1 + p), "wrong side"),
    ("13.4", curve(lambda p, r, s: (1 + s * s - 2 * r * s).sqrt()), "root"),
    ("13.4", curve(lambda p, r, s: 1 + s * s), "mixed term"),
    ("13.4", curve(lambda p, r, s: 1 + s * s - r * s), "twice"),
    ("13.4", lambda p, r: torch.relu(1 - r - p) ** 2, "nobody can avoid"),
    ("13.4", lambda p, r: least(p, r)[0], "one number for each"),
    ("13.5", "a", "knows one answer"),
    ("13.5", "b", "noise costs"),
    ("13.5", "d", "apart"),
    ("13.6", Plain, "nothing is joined at 28"),
    ("13.6", AddedSkips, "are added"),
    ("13.6", NoSkips, "without a history"),
    ("13.6", Twins, "taken the same way"),
    ("13.6", OneSkip, "taken the same way"),
    ("13.6", SourceJoined, "source itself"),
    ("13.6", Shallow, "two halvings"),
    ("13.6", Flat, "nothing is ever halved"),
    ("13.6", NoTanh, "outside [-1, 1]"),
    ("13.6", Sigmoid, "below 0"),
    ("13.6", Clamped, "cut off"),
    ("13.6", Unbent, "linear"),
    ("13.6", InAList, "plain list"),
    ("13.6", MadeInForward, "two images"),
    ("13.6", Unused, "no part"),
    ("13.6", FixedWidth, "`width` used"),
    ("13.6", WrongSize, "fails on a source"),
    ("13.6", WrongChannels, "fails on a source"),
    ("13.6", Grey, "should give"),
    ("13.6", Enlarged, "should give"),
    ("13.6", TakenName, "name of a method"),
    ("13.6", Zero, "same number"),
    ("13.6", lambda i, o, w: ONE, "one and the same"),
    ("13.6", lambda i, o, w: Net(i, o, w).eval(), "evaluation mode"),
    ("13.6", lambda i, o, w: Net(i, o, w).requires_grad_(False), "frozen"),
    ("13.6", Net(1, 1, 8), "the class itself"),
    ("13.7", field_from(lambda r, k, s: r - 1 + k), "strides play no part"),
    ("13.7", lambda layers: sum(k for k, _ in layers), "kernels are added"),
    ("13.7", lambda layers: math.prod(s for _, s in layers), "how far apart"),
    ("13.7", lambda layers: field(layers[::-1]), "order"),
    ("13.7", field_from(lambda r, k, s: r * s + k), "r − 1 steps"),
    ("13.7", lambda layers: field([(s, k) for k, s in layers]), "exchanged"),
    ("13.7", lambda layers: field(layers) ** 2, "area"),
    ("13.7", lambda layers: field(layers) + 1, "one off"),
    ("13.7", lambda layers: 70, "does not change when the arguments do"),
    ("13.8", lambda p, forward: p + CENTRE if forward else p - CENTRE, "right correspondence"),
    ("13.8", lambda p, forward: p, "stay where they are"),
    ("13.8", lambda p, forward: -p, "does not look like the other set"),
    ("13.8", lambda p, forward: 2 * p + CENTRE if forward else (p - CENTRE) / 2, "does not look like"),
    ("13.8", lambda p, forward: CENTRE - p if forward else p - CENTRE, "undo the other"),
    ("13.8", lambda p, forward: p * 0 + CENTRE, "one place"),
    ("13.8", lambda p, forward: p[torch.randperm(len(p))] + (CENTRE if forward else -CENTRE), "at each call"),
    ("13.8", lambda p, forward: p.flip(0) + (CENTRE if forward else -CENTRE), "which others"),
    ("13.8", lambda p, forward: turned_over(p, forward).sum(1), "shape"),
    ("13.9", lambda f: gram(f) * f.shape[2] * f.shape[3], "summed over places"),
    ("13.9", lambda f: gram(f) / f.shape[1], "number of channels, too"),
    ("13.9", lambda f: gram(f - f.mean((2, 3), keepdim=True)), "covariance"),
    ("13.9", lambda f: f.flatten(2).mT @ f.flatten(2), "products of *places*"),
    ("13.9", lambda f: torch.einsum("nchw,ndhw->cd", f, f), "whole batch"),
    ("13.9", lambda f: gram(f).mean(0, keepdim=True).expand(len(f), -1, -1), "averaged over the batch"),
    ("13.9", lambda f: gram(F.normalize(f.flatten(2), dim=2)[..., None]) * f[0, 0].numel(), "correlation"),
    ("13.9", lambda f: gram(f).detach(), "lost its history"),
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
        ("13.3", ...),
        ("13.5", ...),
        *((number, stub) for number in ("13.1", "13.2", "13.4", "13.6", "13.7", "13.8", "13.9")),
    ],
)
def test_untouched_stubs_are_not_attempted(number, answer):
    assert run_check(number, answer).status == "not attempted"


def test_a_class_whose_stubs_are_untouched_is_not_attempted():
    class Untouched(nn.Module):
        def __init__(self, inputs, outputs, width):
            super().__init__()
            raise NotImplementedError("your code here")

    class Half(nn.Module):
        def __init__(self, inputs, outputs, width):
            super().__init__()
            self.layer = nn.Conv2d(inputs, outputs, 1)

        def forward(self, source):
            raise NotImplementedError("your code here")

    assert run_check("13.6", Untouched).status == "not attempted"
    assert run_check("13.6", Half).status == "not attempted"
