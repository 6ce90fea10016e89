"""Notebook 04's checkers, with right answers, right ones in another form, stubs, and typical mistakes."""

import statistics

import pytest
import torch
from torch.nn import functional as F

from course_utils import data
from course_utils.checks import run_check


def stub(*_):
    raise NotImplementedError("your code here")


@pytest.mark.parametrize("number", ["4.1", "4.3", "4.4"])
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
        (loss(real_target=0.8), "term of the fakes is right, but not the term of the real"),
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
        (lambda distances: sorted(distances)[1], "is another"),
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

RIGHT = [
    ("4.1", batch()),
    ("4.1", batch(places=without_repetition)),
    ("4.1", batch(convert=lambda images: images / 127.5 - 1)),
    ("4.1", batch(convert=lambda images: ((images.double() - 127.5) / 127.5).float())),
    ("4.1", batch(places=lambda *arguments: random_places(*arguments).tolist())),
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
