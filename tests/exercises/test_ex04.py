"""Notebook 04's checkers, with right answers, right ones in another form, stubs, and typical mistakes."""

import copy
import statistics

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils import data
from course_utils.checks import run_check
from course_utils.models import mlp_discriminator, mlp_generator, sample
from course_utils.training.gan import discriminator_step, generator_step


def stub(*_):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize("number", ["4.1", "4.3", "4.4", "4.6"])
def test_an_untouched_stub_is_not_attempted(number):
    assert run_check(number, stub).status == "not attempted"


@pytest.mark.parametrize("number", ["4.2", "4.5"])
def test_an_unanswered_question_is_not_attempted(number):
    assert run_check(number, ...).status == "not attempted"


def expect_wrong(number, answer, words):
    verdict = run_check(number, answer)
    assert verdict.status == "wrong", verdict
    assert words.lower() in verdict.message.lower(), verdict


# --- 4.1: a batch ------------------------------------------------------------------------------------------


def random_places(count, n, rng):
    return torch.randint(count, (n,), generator=rng)


def without_repetition(count, n, rng):
    return torch.randperm(count, generator=rng)[:n]


def batch(places=random_places, convert=data.to_model_range, places_of_labels=None):
    def draw_batch(images, labels, n, rng):
        chosen = places(len(images), n, rng)
        named = chosen if places_of_labels is None else places_of_labels(len(images), n, rng)
        return convert(images[chosen]), labels[named]

    return draw_batch


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (batch(convert=lambda images: images / 255), "from 0 to 1"),
        (batch(convert=lambda images: images.float()), "0 to 255"),
        (batch(convert=lambda images: images), "0 to 255"),
        (batch(convert=lambda images: 2 * images / 255 - 1), "byte"),
        (batch(convert=lambda images: images / 255 - 0.5), "−½"),
        (batch(convert=lambda images: 1 - images / 127.5), "black and white"),
        (batch(convert=lambda images: images / 100 - 1), "not the stored images"),
        (batch(convert=lambda images: images.double() / 127.5 - 1), "float32"),
        (batch(places=lambda count, n, rng: random_places(count - 1, n, rng)), "never drawn"),
        (batch(places=lambda count, n, rng: 1 + random_places(count - 1, n, rng)), "never drawn"),
        (batch(places_of_labels=random_places), "another one's label"),
        (batch(places=lambda count, n, rng: torch.arange(n)), "first one again"),
        (batch(places=lambda count, n, rng: torch.randperm(count)[:n]), "same `rng`"),
        (
            batch(places=lambda count, n, rng: torch.arange(n) + random_places(count - n, 1, rng)),
            "one after another",
        ),
        (
            lambda images, labels, n, rng: (data.to_model_range(images[3, :n]), labels[:n]),
            "slices *inside* it",
        ),
        (batch(convert=lambda images: data.to_model_range(images).flatten(1)), "shape (16, 784)"),
        (lambda images, labels, n, rng: batch()(images, labels, n, rng)[0], "return two things"),
        (lambda images, labels, n, rng: None, "None"),
    ],
)
def test_mistakes_in_a_batch_are_told_apart(answer, words):
    expect_wrong("4.1", answer, words)


# --- 4.3: the loss with three bugs -------------------------------------------------------------------------


def cross_entropy(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def loss(
    real_target=1.0, fake_target=0.0, seen=lambda logits: logits, fakes=torch.Tensor.detach, end=lambda x: x
):
    def fixed_loss(generator, discriminator, real, latents):
        fake = fakes(generator(latents))
        return end(
            cross_entropy(seen(discriminator(real)), real_target)
            + cross_entropy(seen(discriminator(fake)), fake_target)
        )

    return fixed_loss


def by_softplus(generator, discriminator, real, latents):
    with torch.no_grad():
        fake = generator(latents)
    return F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()


def by_probabilities(generator, discriminator, real, latents):
    real_probability = discriminator(real).sigmoid()
    fake_probability = discriminator(generator(latents).detach()).sigmoid()
    return -real_probability.log().mean() - (1 - fake_probability).log().mean()


def by_binary_cross_entropy(generator, discriminator, real, latents):
    real_probability = discriminator(real).sigmoid()
    fake_probability = discriminator(generator(latents).detach()).sigmoid()
    ones, zeros = torch.ones_like(real_probability), torch.zeros_like(fake_probability)
    return F.binary_cross_entropy(real_probability, ones) + F.binary_cross_entropy(fake_probability, zeros)


def by_logsigmoid(generator, discriminator, real, latents):
    fake = generator(latents).detach()
    return -(F.logsigmoid(discriminator(real)) + F.logsigmoid(-discriminator(fake))).mean()


def attached(fake):
    return fake


def per_image(generator, discriminator, real, latents):
    return F.softplus(-discriminator(real)) + F.softplus(discriminator(generator(latents).detach()))


def without_graph(*players):
    with torch.no_grad():
        return by_softplus(*players)


def fake_logits_detached(generator, discriminator, real, latents):
    fake_logits = discriminator(generator(latents)).detach()
    return F.softplus(-discriminator(real)).mean() + F.softplus(fake_logits).mean()


def fake_logits_without_graph(generator, discriminator, real, latents):
    with torch.no_grad():
        fake_logits = discriminator(generator(latents))
    return F.softplus(-discriminator(real)).mean() + F.softplus(fake_logits).mean()


def real_logits_detached(generator, discriminator, real, latents):
    fake_logits = discriminator(generator(latents).detach())
    return F.softplus(-discriminator(real).detach()).mean() + F.softplus(fake_logits).mean()


def in_evaluation_mode(generator, discriminator, real, latents):
    discriminator.eval()
    return by_softplus(generator, discriminator, real, latents)


def with_frozen_generator(generator, discriminator, real, latents):
    generator.requires_grad_(False)
    return by_softplus(generator, discriminator, real, latents)


def sums(generator, discriminator, real, latents):
    return len(real) * by_softplus(generator, discriminator, real, latents)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (loss(fake_target=1.0, seen=torch.sigmoid, fakes=attached), "nothing has been fixed"),
        (loss(seen=torch.sigmoid), "a sigmoid is still there"),
        (loss(fake_target=1.0), "call the fakes real"),
        (loss(real_target=0.0, fake_target=1.0), "changed places"),
        (loss(fakes=attached), "reaches the generator"),
        (loss(end=lambda value: value / 2), "half of the loss"),
        (loss(end=lambda value: value.item()), "no gradient can flow"),
        (without_graph, "no gradient can flow"),
        (fake_logits_detached, "never reaches the discriminator"),
        (fake_logits_without_graph, "never reaches the discriminator"),
        (real_logits_detached, "never reaches the discriminator"),
        (by_probabilities, "confident logits"),
        (by_binary_cross_entropy, "confident logits"),
        (sums, "sums over the batch"),
        (per_image, "one number"),
        (loss(real_target=0.9), "label smoothing"),
        (loss(real_target=0.8), "label smoothing"),
        (loss(end=lambda value: -value), "the sign is turned"),
        (in_evaluation_mode, "left in evaluation mode"),
        (with_frozen_generator, "left frozen"),
        (loss(end=lambda value: value.double()), "float64"),
    ],
)
def test_mistakes_in_the_loss_are_told_apart(answer, words):
    expect_wrong("4.3", answer, words)


# --- 4.4: the size of the latent ---------------------------------------------------------------------------


def mean(values):
    return sum(values) / len(values)


def best(distances):
    return min(distances, key=lambda size: mean(distances[size]))


def reaching_the_best(distances):
    return [size for size in distances if min(distances[size]) <= max(distances[best(distances)])]


def by_loop(distances):
    for size in sorted(distances):
        if not min(distances[size]) > max(distances[best(distances)]):
            return torch.tensor(size)


def reaching_the_best_by(rank):
    def choose_latent_dim(distances):
        winner = min(distances, key=lambda size: rank(distances[size]))
        return min(size for size in distances if min(distances[size]) <= max(distances[winner]))

    return choose_latent_dim


def strictly(distances):
    winner = best(distances)
    return min(size for size in distances if size == winner or min(distances[size]) < max(distances[winner]))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (best, "whatever the spread"),
        (lambda distances: min(distances, key=lambda size: min(distances[size])), "luckiest run"),
        (lambda distances: max(distances), "largest size"),
        (lambda distances: min(distances), "smallest size"),
        (lambda distances: max(distances, key=lambda size: mean(distances[size])), "*lower*"),
        (lambda distances: max(reaching_the_best(distances)), "take the *smallest*"),
        (
            lambda distances: min(
                size for size in distances if mean(distances[size]) <= max(distances[best(distances)])
            ),
            "you compare the size's mean",
        ),
        (reaching_the_best_by(min), "luckiest"),
        (reaching_the_best_by(max), "worst run"),
        (reaching_the_best_by(statistics.median), "median"),
        (reaching_the_best_by(sum), "sum"),
        (strictly, "*no worse*"),
        (lambda distances: 64, "not one of the sizes"),
        (lambda distances: sorted(distances)[1], "does not reach the best"),
        (lambda distances: list(distances), "return one size"),
    ],
)
def test_mistakes_in_the_choice_are_told_apart(answer, words):
    expect_wrong("4.4", answer, words)


def test_the_choice_may_not_lean_on_the_order_of_the_sizes():
    def first_that_reaches(distances):
        return reaching_the_best(distances)[0]

    assert run_check("4.4", first_that_reaches).status == "wrong"


# --- 4.2 and 4.5: explain, predict -------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "right", "others"), [("4.2", "b", "acd"), ("4.5", "c", "abd")])
def test_every_letter_has_its_own_message(number, right, others):
    assert run_check(number, right).status == run_check(number, f" {right.upper()} ").status == "right"
    messages = {run_check(number, letter).message for letter in others}
    assert len(messages) == 3
    assert run_check(number, "x").status == "wrong"


# --- right answers, in several forms; `test_mutations.py` reads them, too ----------------------------------

# --- 4.6: a training script --------------------------------------------------------------------------------


def softplus_losses(real_logits, fake_logits):
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def script(
    *,
    convert=data.to_model_range,
    networks=lambda shape: (mlp_generator(shape, 16), mlp_discriminator(shape)),
    rate=2e-3,
    betas=(0.0, 0.99),
    batch_size=64,
    places=lambda count, size, number: torch.randint(count, (size,)),
    latents=lambda size, number: torch.randn(size, 16),
    play=None,
    detach=torch.Tensor.detach,
    clear=("discriminator", "generator"),
    discriminator_loss=softplus_losses,
    generator_loss=lambda fake_logits: F.softplus(-fake_logits).mean(),
    before_round=lambda generator, discriminator: None,
    rounds_played=lambda rounds: rounds,
    make=lambda generator, n: sample(generator, n),
    hand_back=lambda generator, discriminator, samples: (generator, discriminator, samples),
):
    """A training script with a place for each slip."""

    def train_on(images, rounds, n):
        real_images = convert(images)
        generator, discriminator = networks(images.shape[1:])
        g_optimizer = torch.optim.Adam(generator.parameters(), rate, betas)
        d_optimizer = torch.optim.Adam(discriminator.parameters(), rate, betas)
        for number in range(rounds_played(rounds)):
            before_round(generator, discriminator)
            real = real_images[places(len(images), batch_size, number)]
            fake = generator(latents(batch_size, number))
            if play is not None:
                play(generator, discriminator, g_optimizer, d_optimizer, real, fake)
                continue
            if "discriminator" in clear:
                d_optimizer.zero_grad()
            if "both at the top" in clear:
                d_optimizer.zero_grad()
                g_optimizer.zero_grad()
            discriminator_loss(discriminator(real), discriminator(detach(fake))).backward(retain_graph=True)
            d_optimizer.step()
            if "generator" in clear:
                g_optimizer.zero_grad()
            fake = generator(latents(batch_size, number))
            generator_loss(discriminator(fake)).backward()
            g_optimizer.step()
        return hand_back(generator, discriminator, make(generator, n))

    return train_on


class Judge(nn.Module):
    """A discriminator as a class, with dropout, that returns (N, 1)."""

    def __init__(self, pixels, end=nn.Identity):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(pixels, 128), nn.LeakyReLU(0.2), nn.Dropout(0.1), nn.Linear(128, 1), end()
        )

    def forward(self, images):
        return self.layers(images.flatten(1))


def normalised(shape, end=nn.Identity):
    pixels = shape[0] * shape[1] * shape[2]
    generator = nn.Sequential(
        nn.Linear(16, 128),
        nn.BatchNorm1d(128),
        nn.ReLU(),
        nn.Linear(128, pixels),
        nn.Tanh(),
        nn.Unflatten(1, shape),
    )
    return generator, Judge(pixels, end)


def without_gradients(generator, n):
    generator.eval()
    with torch.no_grad():
        return generator(torch.randn(n, 16))


def dcgan_style(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    """Two backward passes for D, targets, and cross-entropy, as in PyTorch's tutorial."""
    cross = nn.BCEWithLogitsLoss()
    discriminator.zero_grad()
    logits = discriminator(real)
    cross(logits, torch.ones_like(logits)).backward()
    logits = discriminator(fake.detach())
    cross(logits, torch.zeros_like(logits)).backward()
    d_optimizer.step()
    generator.zero_grad()
    logits = discriminator(fake)
    cross(logits, torch.ones_like(logits)).backward()
    g_optimizer.step()


def generator_first(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    generator_step(discriminator, g_optimizer, real, fake)
    discriminator_step(discriminator, d_optimizer, real, fake)


def simultaneous(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    g_optimizer.zero_grad(set_to_none=False)
    d_optimizer.zero_grad(set_to_none=False)
    softplus_losses(discriminator(real), discriminator(fake.detach())).backward()
    F.softplus(-discriminator(fake)).mean().backward(inputs=list(generator.parameters()))
    d_optimizer.step()
    g_optimizer.step()


def one_backward(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    g_optimizer.zero_grad()
    d_optimizer.zero_grad()
    fake_logits = discriminator(fake)
    (softplus_losses(discriminator(real), fake_logits) + F.softplus(-fake_logits).mean()).backward()
    g_optimizer.step()
    d_optimizer.step()


def cleared_too_early(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    """D's gradients are cleared before the generator's `backward()`, which runs through D."""
    d_optimizer.zero_grad()
    g_optimizer.zero_grad()
    F.softplus(-discriminator(fake)).mean().backward()
    g_optimizer.step()
    softplus_losses(discriminator(real), discriminator(fake.detach())).backward()
    d_optimizer.step()


def two_judgements(generator, discriminator, g_optimizer, d_optimizer, real, fake):
    for _ in range(2):
        discriminator_step(discriminator, d_optimizer, real, fake)
    generator_step(discriminator, g_optimizer, real, fake)


SCRIPTS = [
    script(),
    script(networks=normalised, make=without_gradients, play=dcgan_style),
    script(rate=1e-3, betas=(0.5, 0.999), batch_size=32),
    script(rate=2e-4, betas=(0.5, 0.999), batch_size=100),
    script(detach=lambda fake: fake),
    script(play=simultaneous),
    script(play=two_judgements, rate=1e-3),
    script(places=lambda count, size, number: (torch.arange(size) + size * number) % count),
    script(
        discriminator_loss=lambda real, fake: (real - 1).square().mean() + fake.square().mean(),
        generator_loss=lambda fake: (fake - 1).square().mean(),
    ),
    script(hand_back=lambda *three: list(three)),
]


@pytest.mark.slow
@pytest.mark.parametrize("answer", SCRIPTS)
def test_a_right_training_script_is_accepted_in_every_form(answer):
    verdict = run_check("4.6", answer)
    assert verdict.status == "right", verdict


@pytest.mark.slow
def test_a_gradient_that_nobody_uses_is_pointed_out():
    assert "saves the time" in run_check("4.6", script(detach=lambda fake: fake)).message
    assert "saves the time" not in run_check("4.6", script()).message


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (script(clear=("generator",)), "the discriminator steps with gradients of earlier rounds"),
        (script(clear=("discriminator",)), "the generator steps with gradients of earlier rounds"),
        (
            script(clear=("both at the top",), detach=lambda fake: fake),
            "discriminator's loss is in the generator",
        ),
        (script(play=generator_first), "takes its step first"),
        (script(play=one_backward), "one and the same `backward()`"),
        (script(play=cleared_too_early), "generator's loss is in the discriminator"),
        (
            script(before_round=lambda generator, discriminator: generator.eval()),
            "generator is in evaluation mode",
        ),
        (
            script(before_round=lambda generator, discriminator: discriminator.eval()),
            "discriminator is in evaluation",
        ),
        (script(make=lambda generator, n: generator(torch.randn(n, 16)).detach()), "made in training mode"),
        (script(make=lambda generator, n: generator.eval()(torch.randn(n, 16))), "still carry the graph"),
        (script(make=lambda generator, n: sample(generator, n).double()), "float64"),
        (script(make=lambda generator, n: sample(generator, n) * 127.5 + 127.5), "leave them in [−1, 1]"),
        (script(make=lambda generator, n: sample(generator, n).flatten(1)), "samples have shape"),
        (script(make=lambda generator, n: sample(generator, 1).expand(n, -1, -1, -1)), "the same image"),
        (script(make=lambda generator, n: sample(generator, 64)), "100 samples have shape"),
        (script(convert=lambda images: images / 255), "from 0 to 1"),
        (script(convert=lambda images: images.float()), "0 to 255"),
        (script(convert=lambda images: images / 200 - 1), "seen none of the images"),
        (script(places=lambda count, size, number: torch.randint(count, (1,))), "a single real image"),
        (script(places=lambda count, size, number: torch.arange(size // 2)), "of the 120 images"),
        (
            script(latents=lambda size, number: torch.linspace(-1, 1, 16 * size).view(size, 16)),
            "same in each round",
        ),
        (script(rounds_played=lambda rounds: rounds // 2), "took 100 steps"),
        (script(rounds_played=lambda rounds: 200), "asked for 3 rounds"),
        (script(networks=lambda shape: normalised(shape, nn.Sigmoid), make=without_gradients), "(bug 1)"),
        (script(generator_loss=lambda fake: F.softplus(fake).mean()), "walks the wrong way"),
        (script(discriminator_loss=lambda real, fake: softplus_losses(-real, -fake)), "changed places"),
        (script(rate=1e-6), "do not look like the images"),
        (
            script(generator_loss=lambda fake: F.softplus(-fake.detach()).mean().requires_grad_()),
            "never moves",
        ),
        (
            script(hand_back=lambda g, d, s: (copy.deepcopy(g), d, s)),
            "return as the generator has not taken a step",
        ),
        (script(hand_back=lambda g, d, s: (d, g, s)), "changed places"),
        (script(hand_back=lambda g, d, s: (g, d)), "return three things"),
        (script(hand_back=lambda g, d, s: (g.parameters(), d, s)), "is none"),
        (script(play=lambda *_: None), "no optimiser has taken a step"),
        (lambda images, rounds, n: None, "returns nothing"),
    ],
)
def test_mistakes_in_a_training_script_are_told_apart(answer, words):
    expect_wrong("4.6", answer, words)


RIGHT = [
    ("4.1", batch()),
    ("4.1", batch(places=without_repetition)),
    ("4.1", batch(convert=lambda images: images / 127.5 - 1)),
    ("4.1", batch(convert=lambda images: ((images.double() - 127.5) / 127.5).float())),
    ("4.1", batch(places=lambda *arguments: random_places(*arguments).tolist())),
    ("4.6", SCRIPTS[0]),
    ("4.2", "b"),
    ("4.2", " B "),
    ("4.3", loss()),
    ("4.3", by_softplus),
    ("4.3", by_logsigmoid),
    ("4.4", lambda distances: min(reaching_the_best(distances))),
    ("4.4", by_loop),
    ("4.5", "c"),
    ("4.5", " C "),
]


@pytest.mark.parametrize(("number", "answer"), RIGHT)
def test_right_answers_pass_in_every_form(number, answer):
    verdict = run_check(number, answer)
    assert verdict.status == "right", verdict
