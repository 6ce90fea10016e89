"""Labels in networks: what each way computes, against the plain networks that it wraps."""

import pytest
import torch
from torch import nn

from course_utils.models import (
    WAYS,
    AnsweringDiscriminator,
    ClassNormGenerator,
    CodedGenerator,
    ConcatenatedDiscriminator,
    ConcatenatedGenerator,
    ProjectionDiscriminator,
    conditional_dcgan,
    conditional_mlp,
    count_parameters,
    dcgan_generator,
    features_of,
    infogan_dcgan,
    mlp_discriminator,
    mlp_generator,
    mnist_dcgan,
    with_labels,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


LABELS = torch.tensor([2, 0, 1, 2])


def test_concatenation_is_the_plain_network_of_longer_latents_and_wider_samples():
    generator, discriminator = mlp_generator((2,), 3 + 4), mlp_discriminator((2 + 4,))
    told = torch.tensor([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]).float()
    z, x = normal(4, 3), normal(4, 2)
    labelled = ConcatenatedGenerator(generator, 4)
    assert labelled.latent_dim == 3
    torch.testing.assert_close(labelled(z, LABELS), generator(torch.cat([z, told], 1)))
    found = ConcatenatedDiscriminator(discriminator, 4)(x, LABELS)
    torch.testing.assert_close(found, discriminator(torch.cat([x, told], 1)))


def test_beside_an_images_channels_stands_a_map_for_each_class():
    seen = []
    reads = ConcatenatedDiscriminator(_Notes(seen), 3)
    images = normal(4, 2, 5, 6)
    reads(images, LABELS)
    (shown,) = seen
    assert shown.shape == (4, 2 + 3, 5, 6)
    assert torch.equal(shown[:, :2], images)
    assert torch.equal(shown[:, 2:].mean((2, 3)), torch.eye(3)[LABELS])
    assert torch.equal(shown[:, 2:].unique(), torch.tensor([0.0, 1.0]))


class _Notes(nn.Module):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def forward(self, samples):
        self.seen.append(samples)
        return samples.flatten(1)[:, 0]


def test_a_class_norm_generator_starts_as_the_plain_one_told_the_embedding():
    """Before training every class has scale 1 and shift 0: what remains is G([z, e_y])."""
    torch.manual_seed(0)
    plain = dcgan_generator((1, 8, 8), 3 + 2, width=4, extra_convs=1)
    labelled = ClassNormGenerator(plain, classes=3, label_dim=2)
    z = normal(4, 3)
    told = torch.cat([z, labelled.label(LABELS)], 1)
    torch.testing.assert_close(labelled(z, LABELS), plain(told))
    assert labelled.latent_dim == 3
    norms = sum(isinstance(layer, nn.BatchNorm2d) for layer in plain)
    channels = [layer.num_features for layer in plain if isinstance(layer, nn.BatchNorm2d)]
    assert norms == 4
    more = 3 * 2 + 2 * (3 - 1) * sum(channels)  # the embedding; scale and shift of three classes, not of one
    assert count_parameters(labelled) == count_parameters(plain) + more


def test_the_class_reaches_every_normalisation():
    torch.manual_seed(0)
    labelled = ClassNormGenerator(dcgan_generator((1, 8, 8), 5, width=4), classes=3, label_dim=2).eval()
    z = normal(1, 3)
    with torch.no_grad():
        labelled.label.weight.zero_()  # the latent says nothing about the class any more
        same = labelled(z.expand(3, -1), torch.arange(3))
        torch.testing.assert_close(same[0], same[2])
        scales = [layer.scale for layer in labelled.layers if hasattr(layer, "scale")]
        for scale in scales:
            scale.weight[2] = 2.0
            other = labelled(z.expand(3, -1), torch.arange(3))
            assert (other[0] - other[2]).abs().max() > 1e-5
            torch.testing.assert_close(other[0], same[0])
            scale.weight[2] = 1.0


def test_the_projection_is_a_linear_head_plus_an_inner_product():
    features, width = features_of(mlp_discriminator((2,), hidden=(8, 5)))
    judge = ProjectionDiscriminator(features, width, 3)
    x = normal(4, 2)
    h, table = features(x), judge.fits.weight.T  # (classes, width)
    expected = [
        h[i] @ judge.real.weight[0] + judge.real.bias[0] + table[y] @ h[i] for i, y in enumerate(LABELS)
    ]
    torch.testing.assert_close(judge(x, LABELS), torch.stack(expected))
    assert width == 5


def test_answers_come_of_the_same_features_as_the_logit_and_the_label_is_not_looked_at():
    features, width = features_of(mlp_discriminator((2,), hidden=(8, 5)))
    judge = AnsweringDiscriminator(features, width, 7)
    x = normal(4, 2)
    logits, answers = judge.answers(x, LABELS)
    torch.testing.assert_close(answers, judge.answer(features(x)))
    torch.testing.assert_close(logits, judge(x, LABELS))
    torch.testing.assert_close(judge(x), judge(x, 2 - LABELS))
    assert answers.shape == (4, 7)


def test_features_and_the_last_layer_make_the_discriminator():
    whole = mlp_discriminator((2,), hidden=(8, 5))
    features, _ = features_of(whole)
    x = normal(4, 2)
    torch.testing.assert_close(whole[-2](features(x)).flatten(), whole(x))
    with pytest.raises(ValueError, match=r"last layer but one is nn.Linear, got ReLU"):
        features_of(nn.Sequential(nn.Linear(2, 1), nn.ReLU(), nn.Flatten(0)))


def test_codes_are_uniform_independent_and_found_again():
    generator = CodedGenerator(mlp_generator((2,), 3 + 5 + 2), classes=5, continuous=2)
    assert (generator.noise_dim, generator.latent_dim) == (3, 6)
    categories, numbers = generator.codes(normal(50_000, 6))
    fractions = torch.bincount(categories, minlength=5) / 50_000
    torch.testing.assert_close(fractions, torch.full((5,), 0.2), atol=0.01, rtol=0)
    assert numbers.abs().max() <= 1
    torch.testing.assert_close(numbers.mean(0), torch.zeros(2), atol=0.01, rtol=0)
    torch.testing.assert_close(numbers.var(0), torch.full((2,), 1 / 3), atol=0.01, rtol=0)
    both = torch.cat([numbers, categories[:, None].float()], 1)
    assert torch.corrcoef(both.T).triu(1).abs().max() < 0.02

    asked = torch.arange(5), torch.linspace(-0.9, 0.9, 10).view(5, 2)
    noise = normal(5, 3)
    latents = generator.latents(noise, *asked)
    assert torch.equal(latents[:, :3], noise)
    found = generator.codes(latents)
    assert torch.equal(found[0], asked[0])
    torch.testing.assert_close(found[1], asked[1])


def test_a_coded_generator_hands_noise_category_and_numbers_on():
    plain = mlp_generator((2,), 1 + 3 + 1)
    generator = CodedGenerator(plain, classes=3, continuous=1)
    latents = generator.latents(torch.tensor([[0.7]]), torch.tensor([1]), torch.tensor([[-0.5]]))
    torch.testing.assert_close(generator(latents), plain(torch.tensor([[0.7, 0.0, 1.0, 0.0, -0.5]])))
    extremes = torch.tensor([[0.0, 40.0, -40.0]])  # no latent is too far out
    assert generator.codes(extremes)[0].tolist() == [2] and generator(extremes).isfinite().all()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_makes_a_pair_for_digits_and_one_for_the_plane(way):
    for (generator, discriminator), shape in (
        (conditional_dcgan(way), (1, 28, 28)),
        (conditional_mlp(way, classes=10), (2,)),
    ):
        generator.eval(), discriminator.eval()
        z = normal(1, generator.latent_dim).expand(3, -1)
        samples = generator(z, torch.tensor([0, 0, 9]))
        assert samples.shape == (3, *shape)
        torch.testing.assert_close(samples[0], samples[1])
        assert (samples[0] - samples[2]).abs().max() > 1e-6
        logits = discriminator(samples[:1].expand(3, *shape), torch.tensor([0, 0, 9]))
        assert logits.shape == (3,)
        torch.testing.assert_close(logits[0], logits[1])
        told = (logits[0] - logits[2]).abs() > 1e-7
        assert told == (way != "auxiliary classifier")  # that one has to say the class, not to hear it
        assert generator.latent_dim == (32 if shape == (1, 28, 28) else 2)


def test_digits_cost_few_weights_more_than_without_labels():
    plain = sum(map(count_parameters, mnist_dcgan()))
    for way in WAYS:
        assert plain < sum(map(count_parameters, conditional_dcgan(way))) < 1.5 * plain
    generator, discriminator = infogan_dcgan(10, 2)
    assert generator.latent_dim == 32 + 1 + 2
    images = generator(normal(2, generator.latent_dim))
    assert discriminator.answers(images)[1].shape == (2, 10 + 2 * 2)


def test_what_cannot_be_built_is_refused():
    with pytest.raises(ValueError, match=r"must exceed the 10 numbers.*got 10"):
        ConcatenatedGenerator(mlp_generator((2,), 10), 10)
    with pytest.raises(ValueError, match=r"concatenation, embedding.*got 'hope'"):
        with_labels("hope", lambda n: mlp_generator((2,), n), lambda m: mlp_discriminator((2 + m,)), 2)
