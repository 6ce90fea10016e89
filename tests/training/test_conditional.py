"""What D is asked beside real or fake: closed forms, who learns from it, and games that need it."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Categorical, Normal
from torch.nn import functional as F

from course_utils.data import labelled_modes, ring
from course_utils.models import (
    WAYS,
    AnsweringDiscriminator,
    CodedGenerator,
    conditional_mlp,
    features_of,
    mlp_discriminator,
    mlp_generator,
    sample,
)
from course_utils.theory import information_bound, log_joint
from course_utils.training import (
    GAN,
    auxiliary_classifier,
    code_entropy,
    code_information,
    code_log_likelihood,
    coded,
    conditional,
    toy_conditional,
    train,
)
from course_utils.training.gan import Auxiliary, Shown

RING = ring()
DRAW = labelled_modes(RING)
QUIET = {"progress": False, "device": "cpu", "threads": 1, "batch_size": 256}


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_auxiliary_loss_is_the_cross_entropy_of_the_answers():
    answers, labels = normal(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    found = auxiliary_classifier(0.5).loss(answers, Shown((normal(6, 2), labels)))
    torch.testing.assert_close(found, -0.5 * Categorical(logits=answers).log_prob(labels).mean())


def test_codes_are_read_with_a_categorical_and_normal_densities():
    answers, categories, numbers = normal(6, 3 + 2 * 2), torch.tensor([0, 1, 2] * 2), normal(6, 2, seed=1)
    found = code_log_likelihood(answers, categories, numbers)
    means, log_variances = answers[:, 3:5], answers[:, 5:]
    expected = Categorical(logits=answers[:, :3]).log_prob(categories)
    expected = expected + Normal(means, (log_variances / 2).exp()).log_prob(numbers).sum(1)
    torch.testing.assert_close(found, expected)
    shown = Shown((normal(6, 2), categories, numbers))
    torch.testing.assert_close(code_information(3, 2.0).loss(answers, shown), -2 * expected.mean())


def test_a_code_that_is_read_exactly_is_worth_a_bounded_number_of_nats():
    sure = torch.tensor([[0.0, 0.3, -100.0]])  # one category, mean 0.3, hardly any variance
    found = code_log_likelihood(sure, torch.tensor([0]), torch.tensor([[0.3]]))
    assert found.item() == pytest.approx(Normal(0.0, math.exp(-3)).log_prob(torch.tensor(0.0)).item())


def test_entropy_and_log_likelihood_make_the_bound_of_the_theory():
    """The category alone: mean log Q + H = `information_bound`, by draws of the joint distribution."""
    points, modes = DRAW(50_000, torch.Generator().manual_seed(0))
    answers = -0.5 * torch.cdist(points, RING.modes).square()  # a Q that is too unsure
    found = code_log_likelihood(answers, modes, points[:, :0]).mean().item() + code_entropy(8, 0)
    line = torch.linspace(-3, 3, 301, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    log_q = (-0.5 * torch.cdist(grid, RING.modes.double()).square()).log_softmax(1)
    bound = information_bound(log_joint(grid, RING.modes, RING.std), log_q, 0.02**2).item()
    assert found == pytest.approx(bound, abs=0.01)
    assert code_entropy(10, 2) == pytest.approx(math.log(10) + 2 * math.log(2))


class Spy(nn.Module):
    """A discriminator that says the same of all, and notes how often it is asked."""

    def __init__(self):
        super().__init__()
        self.weight, self.asked = nn.Parameter(torch.zeros(2, 3)), []

    def answers(self, samples, *conditions):
        self.asked.append((samples, conditions))
        return (samples @ self.weight).sum(1) * 0, samples @ self.weight

    def forward(self, samples, *conditions):
        return self.answers(samples, *conditions)[0]


@pytest.mark.parametrize("on", [("real", "fake"), ("fake",), ("real",)])
def test_each_player_follows_the_answers_that_are_its_own(on):
    """D's gradient is that of the sides in `on`, G's that of its fakes; no pass of D is made for it."""
    sides = []

    def loss(answers, shown):
        sides.append(shown[0])
        return (answers - 1).square().mean()

    generator = mlp_generator((2,), 2, hidden=(4,))
    spy = Spy()
    gan = GAN(_Labelled(generator), spy, shown=conditional, auxiliary=Auxiliary(loss, on))
    run = train(gan, DRAW, images=256, **QUIET)
    real, fake, again = (samples for samples, _ in spy.asked[-3:])
    seen = {"real": real, "fake": fake}
    assert len(sides) == len(on) + 1
    for side, shown in zip(on, sides, strict=False):
        assert torch.equal(shown, seen[side])
    assert torch.equal(sides[-1], again) and again.requires_grad and not fake.requires_grad
    slope = sum((-2 / 3 * seen[side].mean(0))[:, None].expand(2, 3) for side in on)  # at weights 0
    length = run.history["discriminator_gradient"][0]
    assert length == pytest.approx(slope.norm().item(), rel=1e-4)
    assert run.history["auxiliary_loss"][0] == pytest.approx(
        (again.detach() @ run.networks["discriminator"].weight.detach() - 1).square().mean().item(), rel=1e-3
    )


class _Labelled(nn.Module):
    def __init__(self, generator):
        super().__init__()
        self.generator, self.latent_dim = generator, generator.latent_dim

    def forward(self, latents, labels):
        return self.generator(latents)


def test_without_a_second_question_nothing_is_added():
    gan = toy_conditional("projection")
    assert gan.auxiliary is None and "auxiliary_loss" not in gan.measured
    asking = toy_conditional("auxiliary classifier")
    assert asking.measured == (*gan.measured, "auxiliary_loss")


def test_penalties_see_the_logits_of_a_discriminator_that_answers():
    from course_utils.training.penalties import r1

    run = train(toy_conditional("auxiliary classifier", penalty=r1(1.0)), DRAW, images=512, **QUIET)
    assert run.images_seen == 512


def test_a_discriminator_that_cannot_answer_is_refused():
    generator, discriminator = conditional_mlp("projection")
    gan = GAN(generator, discriminator, shown=conditional, auxiliary=auxiliary_classifier())
    with pytest.raises(TypeError, match=r"AnsweringDiscriminator, got ProjectionDiscriminator"):
        train(gan, DRAW, images=256, **QUIET)
    for wrong in ((), ("reel",)):
        with pytest.raises(ValueError, match="real"):
            auxiliary_classifier(on=wrong)
    with pytest.raises(ValueError, match="at least 0"):
        code_information(weight=-1.0)


@pytest.mark.parametrize("way", WAYS)
def test_every_way_puts_points_where_they_are_asked_for(way):
    torch.manual_seed(0)
    run = train(toy_conditional(way), DRAW, images=256 * 500, ema_half_life=2_000, **QUIET)
    asked = torch.arange(8).repeat(50)
    points = sample(run.average, 400, labels=asked)
    distances = torch.cdist(points, RING.modes)
    assert (distances.argmin(1) == asked).float().mean() > 0.95
    assert (distances.min(1).values < 4 * RING.std).float().mean() > 0.9


def test_asked_about_fakes_alone_the_players_agree_on_labels_of_their_own():
    """D answers, G pleases: without real samples nobody says which mode is which."""
    right = {}
    for on in (("real", "fake"), ("fake",)):
        torch.manual_seed(0)
        gan = toy_conditional("auxiliary classifier", auxiliary=auxiliary_classifier(on=on))
        run = train(gan, DRAW, images=256 * 500, ema_half_life=2_000, **QUIET)
        asked = torch.arange(8).repeat(50)
        points = sample(run.average, 400, labels=asked)
        right[on] = (torch.cdist(points, RING.modes).argmin(1) == asked).float().mean().item()
        answers = run.networks["discriminator"].answers(points)[1]
        assert (answers.argmax(1) == asked).float().mean() > 0.8  # they do understand each other
    assert right["real", "fake"] > 0.95 and right["fake",] < 0.5


def test_a_number_that_is_asked_for_can_be_read_back_from_the_samples():
    """InfoGAN on a ring: after training the bound is far above 0, and Q reads the codes of new samples."""
    torch.manual_seed(0)
    generator = CodedGenerator(mlp_generator((2,), 2 + 8, (64, 64)), 8, 0)
    discriminator = AnsweringDiscriminator(*features_of(mlp_discriminator((2,), (64, 64))), 8)
    gan = GAN(generator, discriminator, shown=coded, auxiliary=code_information(8))
    run = train(gan, DRAW, images=256 * 500, ema_half_life=2_000, **QUIET)
    bound = code_entropy(8, 0) - sum(run.history["auxiliary_loss"][-50:]) / 50
    assert 1.0 < bound < math.log(8)
    latents = normal(400, generator.latent_dim)
    with torch.no_grad():
        answers = discriminator.answers(run.average(latents))[1]
    assert (answers.argmax(1) == run.average.codes(latents)[0]).float().mean() > 0.6
    assert F.cross_entropy(answers, run.average.codes(latents)[0]) < math.log(8)
