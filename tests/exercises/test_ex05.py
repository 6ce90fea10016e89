"""Notebook 05's checkers, with right answers, right ones in another form, stubs, and typical mistakes."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import models
from course_utils.checks import run_check
from course_utils.training.average import update_average
from course_utils.training.gan import discriminator_step, generator_step


def stub(*_):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize("number", ["5.1", "5.2", "5.3", "5.5", "5.6"])
def test_an_untouched_stub_is_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


def test_an_unanswered_prediction_is_not_attempted():
    assert run_check("5.4", ...).status == "not attempted"


# --- 5.1: the size of a transposed convolution -------------------------------------------------------------


def by_pytorch(size, kernel, stride, padding):
    return torch.nn.ConvTranspose1d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, size)).shape[-1]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda s, k, stride, p: (s + 2 * p - k) // stride + 1, "ordinary convolution"),
        (lambda s, k, stride, p: s * stride, "not in general"),
        (lambda s, k, stride, p: s * stride + k - 2 * p, "one stride too many"),
        (lambda s, k, stride, p: (s - 1) * stride + k - p, "both ends, not at one"),
        (lambda s, k, stride, p: (s - 1) * stride + k + 2 * p, "not added"),
        (lambda s, k, stride, p: (s - 1) * stride + k, "padding is missing"),
        (lambda s, k, stride, p: (s - 1) * stride - 2 * p + 2 * k, "look at `kernel`"),
        (lambda s, k, stride, p: (s - 1) * stride - 2 * p + k + 1, "fixed number is wrong"),
        (lambda s, k, stride, p: 14, "does not change when the arguments do"),
        (lambda s, k, stride, p: None, "None"),
    ],
)
def test_mistakes_about_sizes_are_told_apart(answer, words):
    verdict = run_check("5.1", answer)
    assert verdict.status == "wrong"
    assert words.lower() in verdict.message.lower(), verdict


# --- 5.2: one round ----------------------------------------------------------------------------------------


def written(
    *,
    d_loss=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
    g_loss=lambda fake: F.softplus(-fake).mean(),
    d_clear=True,
    g_clear=True,
    d_step=True,
    g_step=True,
    fake_for_d=lambda fake: fake.detach(),
    fake_for_g=lambda fake: fake,
    clear_both_first=False,
    draw_again=False,
    see_again=True,
    returned=lambda d, g: (d.item(), g.item()),
):
    def one_round(generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents):
        if clear_both_first:
            generator_optimizer.zero_grad()
            discriminator_optimizer.zero_grad()
        fake = generator(latents)
        early_logits = discriminator(fake)
        d = d_loss(discriminator(real), discriminator(fake_for_d(fake)))
        if d_clear:
            discriminator_optimizer.zero_grad()
        d.backward()
        if d_step:
            discriminator_optimizer.step()
        if draw_again:
            fake = generator(latents)
        g = g_loss(discriminator(fake_for_g(fake)) if see_again else early_logits)
        if g_clear:
            generator_optimizer.zero_grad()
        g.backward()
        if g_step:
            generator_optimizer.step()
        return returned(d, g)

    return one_round


def cleared_at_the_end(generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents):
    optimizers = generator_optimizer, discriminator_optimizer
    fake = generator(latents)
    d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    d.backward()
    discriminator_optimizer.step()
    g = F.softplus(-discriminator(fake)).mean()
    g.backward()
    generator_optimizer.step()
    for optimizer in optimizers:
        optimizer.zero_grad()
    return d.item(), g.item()


def both_backward_before_a_step(
    generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents
):
    generator_optimizer.zero_grad()
    discriminator_optimizer.zero_grad()
    fake = generator(latents)
    d = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake.detach())).mean()
    g = F.softplus(-discriminator(fake)).mean()
    d.backward()
    g.backward()
    discriminator_optimizer.step()
    generator_optimizer.step()
    return d.item(), g.item()


def frozen_in_the_generators_step(generator, discriminator, *rest):
    losses = written()(generator, discriminator, *rest)
    discriminator.requires_grad_(False)
    return losses


def by_the_package(generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents):
    fake = generator(latents)
    d, _, _ = discriminator_step(discriminator, discriminator_optimizer, real, fake)
    return d.item(), generator_step(discriminator, generator_optimizer, real, fake).item()


def all_at_once_and_frozen(
    generator, discriminator, generator_optimizer, discriminator_optimizer, real, latents
):
    """D sees both in one batch; for G's step it is frozen, and set free again."""
    fake = generator(latents)
    logits = discriminator(torch.cat([real, fake.detach()]))
    real_logits, fake_logits = logits.chunk(2)
    d = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    discriminator.zero_grad()
    d.backward()
    discriminator_optimizer.step()
    discriminator.requires_grad_(False)
    g = F.softplus(-discriminator(fake)).mean()
    generator.zero_grad()
    g.backward()
    generator_optimizer.step()
    discriminator.requires_grad_(True)
    return d.item(), g.item()


def made_without_history_for_d(generator, discriminator, g_optimizer, d_optimizer, real, latents):
    with torch.no_grad():
        fake = generator(latents)
    d, _, _ = discriminator_step(discriminator, d_optimizer, real, fake)
    return d.item(), generator_step(discriminator, g_optimizer, real, generator(latents)).item()


def in_evaluation_mode(generator, discriminator, *rest):
    generator.eval()
    losses = by_the_package(generator, discriminator, *rest)
    generator.train()
    return losses


def statistics_put_back(generator, discriminator, *rest):
    kept = {name: buffer.clone() for name, buffer in generator.named_buffers()}
    losses = by_the_package(generator, discriminator, *rest)
    generator.load_state_dict(kept, strict=False)
    return losses


def other_latents_for_g(generator, discriminator, g_optimizer, d_optimizer, real, latents):
    d, _, _ = discriminator_step(discriminator, d_optimizer, real, generator(latents))
    fake = generator(torch.randn(latents.shape))
    return d.item(), generator_step(discriminator, g_optimizer, real, fake).item()


def binary_cross_entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def by_targets(real, fake):
    targets = torch.ones(len(real), device=real.device), torch.zeros(len(fake), device=fake.device)
    return sum(map(F.binary_cross_entropy_with_logits, (real, fake), targets))


def by_cross_entropy(real, fake):
    return binary_cross_entropy(real, 1.0) + binary_cross_entropy(fake, 0.0)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (written(fake_for_d=lambda fake: fake), "used up the graph"),
        (
            written(
                fake_for_d=lambda fake: fake,
                draw_again=True,
                clear_both_first=True,
                g_clear=False,
            ),
            "along D's gradient *and* its own",
        ),
        (written(see_again=False), "see the fakes again"),
        (written(fake_for_g=lambda fake: fake.detach()), "G has not moved"),
        (written(g_step=False), "G has not moved"),
        (written(d_step=False), "D has not moved"),
        (written(d_step=False, g_step=False), "neither network has moved"),
        (written(d_clear=False), "discriminator_optimizer.zero_grad()"),
        (written(g_clear=False), "generator_optimizer.zero_grad()"),
        (
            written(d_loss=lambda real, fake: F.softplus(real).mean() + F.softplus(-fake).mean()),
            "labels swapped",
        ),
        (written(d_loss=lambda real, fake: F.softplus(-real).mean()), "only seen the real"),
        (written(d_loss=lambda real, fake: F.softplus(fake).mean()), "only seen the fakes"),
        (
            written(d_loss=lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2),
            "half as long",
        ),
        (
            written(d_loss=lambda r, f: F.softplus(-r.sigmoid()).mean() + F.softplus(f.sigmoid()).mean()),
            "sigmoid before D's loss",
        ),
        (written(g_loss=lambda fake: F.softplus(-fake.sigmoid()).mean()), "sigmoid before G's loss"),
        (written(g_loss=lambda fake: F.softplus(fake).mean()), "*more* fake"),
        (written(g_loss=lambda fake: -F.softplus(fake).mean()), "saturating"),
        (written(g_loss=lambda fake: fake.square().mean()), "G's is not the one asked for"),
        (written(d_loss=lambda real, fake: (real - fake).mean()), "D's step is not the one asked for"),
        (both_backward_before_a_step, "d's step holds gradients of g's loss"),
        (frozen_in_the_generators_step, "d is left frozen"),
        # the formula is wrong, too, but what is left over from the round before comes first
        (
            written(d_clear=False, d_loss=lambda real, fake: (real - fake).mean()),
            "gradients of a former step",
        ),
        # the weights are right, and the running statistics are not
        (written(draw_again=True), "made twice"),
        (written(fake_for_d=lambda fake: fake, draw_again=True), "made twice"),
        (made_without_history_for_d, "made twice"),
        (in_evaluation_mode, "with G in evaluation mode"),
        (statistics_put_back, "one pass in training mode"),
        (other_latents_for_g, "latents of its own"),
        (written(returned=lambda d, g: None), "return"),
        (written(returned=lambda d, g: (g.item(), d.item())), "swapped"),
        (written(returned=lambda d, g: (d.item() / 2, g.item())), "D's loss is"),
    ],
)
def test_mistakes_in_a_round_are_told_apart(answer, words):
    verdict = run_check("5.2", answer)
    assert verdict.status == "wrong"
    assert words.lower() in verdict.message.lower(), verdict


# --- 5.3: the running average ------------------------------------------------------------------------------


def by_lerp(average, network, decay):
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - decay)


def by_data(average, network, decay):
    mine = average.state_dict()
    for name, new in network.state_dict().items():
        mine[name].copy_(decay * mine[name] + (1 - decay) * new if new.is_floating_point() else new)


def by_the_course(average, network, decay):
    # many images seen: the correction for the first steps is gone
    update_average(average, network, images_seen=10**9, batch_size=64, half_life=64 * math.log(0.5, decay))


@torch.no_grad()
def weights_only(average, network, decay):
    for old, new in zip(average.parameters(), network.parameters(), strict=True):
        old.mul_(decay).add_(new, alpha=1 - decay)


def buffers_copied(average, network, decay):
    weights_only(average, network, decay)
    for old, new in zip(average.buffers(), network.buffers(), strict=True):
        old.copy_(new)


def counter_too(average, network, decay):
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        old.mul_(decay).add_(new, alpha=1 - decay)


def not_in_place(average, network, decay):
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        old = decay * old + (1 - decay) * new


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda average, network, decay: by_lerp(average, network, 1 - decay), "changed places"),
        (lambda average, network, decay: by_lerp(network, average, decay), "only the average may"),
        (lambda average, network, decay: average.load_state_dict(network.state_dict()), "copies the network"),
        (weights_only, "buffers, not parameters"),
        (buffers_copied, "buffers are copied"),
        (counter_too, "num_batches_tracked"),
        (not_in_place, "in place"),
        (lambda average, network, decay: by_lerp(average, network, decay**2), "0.81·old"),
        (lambda average, network, decay: by_lerp(average, network, 0.9), "use `decay`"),
    ],
)
def test_mistakes_in_averaging_are_told_apart(answer, words):
    verdict = run_check("5.3", answer)
    assert verdict.status == "wrong"
    assert words.lower() in verdict.message.lower(), verdict


# --- 5.4: the prediction -----------------------------------------------------------------------------------


def test_the_prediction():
    messages = {run_check("5.4", letter).message for letter in "acd"}
    assert len(messages) == 3
    assert run_check("5.4", "x").status == "wrong"


# --- 5.5: the walk -----------------------------------------------------------------------------------------


def slerp(start, end, steps, angle_of=torch.arccos, divide=True, unit=False):
    angle = angle_of((start @ end) / (start.norm() * end.norm()))
    rows = []
    for t in torch.linspace(0, 1, steps, dtype=start.dtype):
        row = torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end
        row = row / torch.sin(angle) if divide else row
        rows.append(row / row.norm() if unit else row)
    return torch.stack(rows)


def eased(start, end, steps):
    t = ((1 - torch.cos(torch.linspace(0, math.pi, steps))) / 2)[:, None]
    angle = torch.arccos(F.cosine_similarity(start, end, dim=0))
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)


def without_lengths(start, end, steps):
    angle = torch.arccos(start @ end)
    t = torch.linspace(0, 1, steps)[:, None]
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)


def stretched_line(start, end, steps):
    rows = []
    for t in torch.linspace(0, 1, steps, dtype=start.dtype):
        row = (1 - t) * start + t * end
        rows.append(row / row.norm() * ((1 - t) * start.norm() + t * end.norm()))
    return torch.stack(rows)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda a, b, n: torch.stack([torch.lerp(a, b, i / (n - 1)) for i in range(n)]), "straight line"),
        (lambda a, b, n: slerp(b, a, n), "wrong way"),
        (lambda a, b, n: slerp(a, b, n, divide=False), "division by sin ω"),
        (lambda a, b, n: slerp(a, b, n, angle_of=lambda cosine: cosine), "arccos"),
        (lambda a, b, n: slerp(a, b, n, unit=True), "length 1"),
        (lambda a, b, n: slerp(a, b, n, angle_of=lambda c: torch.rad2deg(torch.arccos(c))), "degrees"),
        (stretched_line, "stretched"),
        (eased, "steps are not equal"),
        (without_lengths, "*both* lengths"),
        (lambda a, b, n: slerp(a, b, n).numpy(), "`ndarray`"),
        (lambda a, b, n: slerp(a, b, n).double(), "float64"),
        (lambda a, b, n: slerp(a, b, 7), "four steps between two others"),
        (lambda a, b, n: slerp(a, b, n).T, "shape"),
        (lambda a, b, n: slerp(a, b, n + 1)[:-1], "last row"),
    ],
)
def test_mistakes_on_the_walk_are_told_apart(answer, words):
    verdict = run_check("5.5", answer)
    assert verdict.status == "wrong"
    assert words.lower() in verdict.message.lower(), verdict


# --- 5.6: build the generator ------------------------------------------------------------------------------


def normal_weights(network, std=0.02):
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def own_weights(network):
    """PyTorch's."""


def uniform_weights(network):
    normal_weights(network)
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.uniform_(layer.weight, -0.02 * 3**0.5, 0.02 * 3**0.5)


def only_convolutions(network):
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def built(
    *,
    first_weights=normal_weights,
    kernel=(4, 2, 1),
    last_kernel=None,
    middle=3,
    bias=False,
    last_bias=True,
    norm=nn.BatchNorm2d,
    norms=(True, True, True),
    activation=nn.ReLU,
    relu_first=False,
    end=(nn.Tanh,),
    unflatten=True,
    latent_dim_attribute=True,
    first_shape=None,
    start=4,
    finish=lambda network: network,
    channels_of=lambda channels: channels,
):
    def build_generator(image_shape, latent_dim, width):
        channels, height, breadth = first_shape or image_shape
        h, w = height // start, breadth // start

        def after(outputs, place):
            layers = [norm(outputs)] * norms[place] + [activation()]
            return layers[::-1] if relu_first else layers

        k, stride, padding = kernel
        last_k, last_stride, last_padding = last_kernel or kernel
        network = nn.Sequential(
            nn.Linear(latent_dim, 2 * width * h * w, bias=bias),
            *[nn.Unflatten(1, (2 * width, h, w))] * unflatten,
            *after(2 * width, 0),
            nn.ConvTranspose2d(2 * width, width, k, stride, padding, output_padding=k % 2, bias=bias),
            *after(width, 1),
            nn.Conv2d(width, width, middle, padding=middle // 2, bias=bias),
            *after(width, 2),
            nn.ConvTranspose2d(
                width,
                channels_of(channels),
                last_k,
                last_stride,
                last_padding,
                output_padding=last_k % 2 if last_stride > 1 else 0,
                bias=last_bias,
            ),
            *[layer() for layer in end],
        )
        first_weights(network)
        if latent_dim_attribute:
            network.latent_dim = latent_dim
        return finish(network)

    return build_generator


class Written(nn.Module):
    """The same, as a class with functions in between, and a transposed convolution of 1×1 at the start."""

    def __init__(self, image_shape, latent_dim, width):
        super().__init__()
        channels, height, breadth = image_shape
        self.latent_dim = latent_dim
        self.start = nn.ConvTranspose2d(latent_dim, 2 * width, (height // 4, breadth // 4), bias=False)
        self.first_norm = nn.BatchNorm2d(2 * width)
        self.up = nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(width)
        self.refine = nn.Conv2d(width, width, 3, padding="same", bias=False)
        self.third_norm = nn.BatchNorm2d(width)
        self.last = nn.ConvTranspose2d(width, channels, 4, 2, 1)
        normal_weights(self)
        for norm in (self.first_norm, self.second_norm, self.third_norm):
            nn.init.normal_(norm.weight, 1.0, 0.02)  # as the PyTorch tutorial has it

    def forward(self, latents):
        maps = F.relu(self.first_norm(self.start(latents[:, :, None, None])))
        maps = F.relu(self.second_norm(self.up(maps)))
        maps = F.relu(self.third_norm(self.refine(maps)))
        return torch.tanh(self.last(maps))


class WithoutHistory(Written):
    def forward(self, latents):
        return super().forward(latents).detach()


class HalfUsed(Written):
    def forward(self, latents):
        maps = F.relu(self.first_norm(self.start(latents[:, :, None, None])))
        maps = F.relu(self.second_norm(self.up(maps)))
        return torch.tanh(self.last(maps))


class InAPlainList(nn.Module):
    def __init__(self, image_shape, latent_dim, width):
        super().__init__()
        self.latent_dim = latent_dim
        self.layers = list(built()(image_shape, latent_dim, width))

    def forward(self, maps):
        for layer in self.layers:
            maps = layer(maps)
        return maps


class ForgetfulNorm(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, track_running_stats=False)


def seeded(*case):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return built()(*case)


ONE = built()((1, 28, 28), 32, 32)


def resized(image_shape, latent_dim, width):
    """Upsampling that is no transposed convolution."""
    network = models.dcgan_generator(image_shape, latent_dim, width, upsampling="resize")
    return network


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *case: Written, "that is a class"),
        (lambda *case: torch.zeros(1, 28, 28), "should return a network"),
        (lambda *case: None, "returns nothing"),
        (lambda *case: ONE, "one and the same network"),
        (seeded, "manual_seed"),
        (built(latent_dim_attribute=False), "lacks the attribute `latent_dim`"),
        (built(unflatten=False), "nn.Unflatten"),
        (built(start=2), "56×56"),
        (built(kernel=(4, 2, 0)), "which layer does not double"),
        (built(last_kernel=(3, 1, 1)), "14×14"),
        (built(kernel=(5, 2, 2)), "kernel of 5"),
        (built(kernel=(2, 2, 0)), "kernel of 2"),
        (built(middle=5), "kernel of 5, not of 3"),
        (built(end=(nn.Tanh, nn.Flatten)), "rows of numbers"),
        (built(channels_of=lambda channels: 1), "1 channels"),
        (built(first_shape=(1, 28, 28)), "28×28 for every"),
        (built(end=()), "nothing bounds"),
        (built(end=(nn.Sigmoid,)), "sigmoid ends"),
        (built(end=(nn.Hardtanh,)), "cut off"),
        (built(end=(nn.ReLU, nn.Tanh)), "ReLU stands at the end"),
        (built(end=(nn.Tanh, nn.Tanh)), "twice"),
        (built(bias=True), "subtracted again"),
        (built(last_bias=False), "last layer has no bias"),
        (built(norms=(False, False, False)), "no batch normalisation"),
        (built(norms=(True, False, True)), "stands 2 times"),
        (built(norm=lambda n: nn.GroupNorm(1, n)), "GroupNorm"),
        (built(norm=ForgetfulNorm), "running statistics"),
        (built(activation=lambda: nn.LeakyReLU(0.2)), "LeakyReLU is D's"),
        (built(activation=nn.Identity), "a ReLU follows"),
        (built(relu_first=True), "ReLU stands before"),
        (built(first_weights=own_weights), "those that PyTorch draws"),
        (built(first_weights=only_convolutions), "first weights of Linear"),
        (
            built(first_weights=lambda network: normal_weights(network, 0.0004)),
            "the standard deviation, 0.02",
        ),
        (built(first_weights=uniform_weights), "uniformly"),
        (built(finish=lambda network: network.eval()), "evaluation mode"),
        (built(finish=lambda network: network.requires_grad_(False)), "frozen"),
        (built(finish=lambda network: network.double()), "float64"),
        (WithoutHistory, "have no history"),
        (HalfUsed, "not every layer is used"),
        (InAPlainList, "plain list"),
        (resized, "another way to enlarge"),
        (built(norm=lambda n: nn.BatchNorm2d(n, 0.8)), "is not normalised"),
        (built(norm=lambda n: nn.BatchNorm2d(n, affine=False)), "batch normalisation of n channels has 2n"),
        (built(finish=lambda network: nn.Sequential(network, nn.Dropout(0.1))), "lacks the attribute"),
        (built(activation=lambda: nn.Sequential(nn.ReLU(), nn.Dropout(0.1))), "there is dropout"),
        (lambda *case: models.dcgan_generator(*case, extra_convs=1), "5 layers with weights"),
        (lambda image_shape, latent_dim, width: built()(image_shape, 32, 32), "latent_dim"),
    ],
)
def test_mistakes_in_a_generator_are_told_apart(answer, words):
    verdict = run_check("5.6", answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict


def test_the_formula_of_the_generator_is_the_text_s():
    generator = models.dcgan_generator((1, 28, 28), 32, 32)
    assert models.count_parameters(generator) == 143_105


# --- right answers, in several forms; `test_mutations.py` reads them, too ----------------------------------

RIGHT = [
    ("5.1", lambda s, k, stride, p: stride * (s - 1) + k - 2 * p),
    ("5.1", by_pytorch),
    ("5.2", written()),
    ("5.2", by_the_package),
    ("5.2", written(d_loss=by_targets)),
    ("5.2", written(returned=lambda d, g: [d.item(), g.item()])),
    ("5.2", written(d_loss=by_cross_entropy, g_loss=lambda fake: binary_cross_entropy(fake, 1.0))),
    ("5.2", written(g_loss=lambda fake: -torch.log(torch.sigmoid(fake)).mean())),
    ("5.2", cleared_at_the_end),
    ("5.2", all_at_once_and_frozen),
    ("5.3", by_lerp),
    ("5.3", by_data),
    ("5.3", by_the_course),
    ("5.4", "b"),
    ("5.4", " B "),
    ("5.5", slerp),
    ("5.5", models.slerp),
    ("5.6", models.dcgan_generator),
    ("5.6", built()),
    ("5.6", Written),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass_in_every_form(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict
