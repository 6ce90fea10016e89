"""The way back into a GAN: by search, and by an encoder that plays along."""

import pytest
import torch
from torch import nn

from course_utils.losses import LOSSES
from course_utils.models import (
    EncodingGenerator,
    PairDiscriminator,
    count_parameters,
    dcgan_generator,
    mlp_generator,
    point_encoder,
)
from course_utils.training import bidirectional, bidirectional_gan, invert, train

QUIET = {"progress": False, "device": "cpu", "threads": 1}


def linear_generator() -> nn.Module:
    """G(z) = tanh(W·z), two latents, images of 2×2."""
    torch.manual_seed(0)
    return mlp_generator((1, 2, 2), 2, ()).eval()


def test_what_the_generator_made_is_found_again():
    generator = linear_generator()
    latents = torch.randn(20, 2, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = invert(generator, generator(latents), steps=300, prior_weight=0.0)
    torch.testing.assert_close(found, latents, atol=0.02, rtol=0)


def test_a_strong_prior_keeps_latents_near_zero_and_more_steps_come_nearer():
    generator = linear_generator()
    images = generator(torch.randn(20, 2, generator=torch.Generator().manual_seed(1))).detach()

    def found(**options):
        return invert(generator, images, **options)

    def error(latents):
        return (generator(latents) - images).square().mean().item()

    assert found(prior_weight=100.0, steps=300).abs().max() < 0.05
    assert error(found(steps=60)) < error(found(steps=1)) / 5
    assert torch.equal(found(steps=5), found(steps=5))


def test_the_search_starts_from_the_best_of_the_random_latents():
    generator = linear_generator()
    tried = torch.randn(50, 2, generator=torch.Generator().manual_seed(3))
    image = generator(tried[17:18]).detach()
    found = invert(generator, image, steps=1, lr=0.0, starts=50, seed=3)
    torch.testing.assert_close(found, tried[17:18])


def test_the_generator_is_left_as_it_was():
    generator = linear_generator()
    before = [weight.clone() for weight in generator.parameters()]
    invert(generator, torch.zeros(3, 1, 2, 2), steps=3)
    assert all(torch.equal(*pair) for pair in zip(before, generator.parameters(), strict=True))
    assert all(weight.grad is None and weight.requires_grad for weight in generator.parameters())


@pytest.mark.parametrize(
    ("options", "name"), [({"steps": 0}, "steps"), ({"prior_weight": -1}, "prior_weight")]
)
def test_odd_settings_are_refused(options, name):
    with pytest.raises(ValueError, match=f"{name} must be at least"):
        invert(linear_generator(), torch.zeros(1, 1, 2, 2), **options)


# --- learnt ------------------------------------------------------------------------------------------------


def test_the_networks_of_pairs_fit_each_other():
    torch.manual_seed(0)
    encoder, discriminator = point_encoder((1, 8, 8), 3, 4), PairDiscriminator((1, 8, 8), 3, 4, hidden=16)
    images, latents = torch.randn(5, 1, 8, 8), torch.randn(5, 3)
    assert encoder(images).shape == (5, 3)
    assert discriminator(images, latents).shape == (5,)
    # 4 → 4 and 4 → 8 channels; 8·2·2 features and 3 latents to 16 numbers; 16 to 16, 16 to 1
    assert (
        count_parameters(discriminator)
        == (4 * 9 + 1) * 4 + (4 * 16 + 1) * 8 + 33 * 16 + 4 * 16 + 17 * 16 + 17
    )


def test_the_discriminator_sees_image_and_latent_together():
    """No sum of one number for the image and one for the latent could tell pairs apart."""
    torch.manual_seed(0)
    discriminator = PairDiscriminator((1, 8, 8), 3, 4)
    nn.init.normal_(discriminator.see[-1].weight)
    nn.init.normal_(discriminator.read.weight)
    images, latents = torch.randn(2, 1, 8, 8), torch.randn(2, 3)
    both = torch.stack([discriminator(images, latents), discriminator(images, latents.flip(0))])
    crossed = both[0, 0] - both[1, 0], both[1, 1] - both[0, 1]
    assert (crossed[0] - crossed[1]).abs() > 1e-3


def test_a_bidirectional_gan_moves_generator_and_encoder_and_averages_both():
    torch.manual_seed(0)
    generator, encoder = dcgan_generator((1, 8, 8), 3, 4), point_encoder((1, 8, 8), 3, 4)
    gan = bidirectional_gan(
        generator, encoder, PairDiscriminator((1, 8, 8), 3, 4, hidden=8), generator_lr=1e-3
    )
    assert gan.shown is bidirectional and gan.generator_lr == 1e-3
    assert gan.loss.generator_sees_real and gan.loss.discriminator is LOSSES["non_saturating"].discriminator
    before = [network[0 if network is generator else -1].weight.clone() for network in (generator, encoder)]

    def draw(n, rng):
        return torch.rand(n, 1, 8, 8, generator=rng) * 2 - 1

    run = train(gan, draw, images=96, batch_size=32, snapshot_samples=4, **QUIET)
    assert isinstance(run.average, EncodingGenerator)
    assert not torch.equal(before[0], generator[0].weight) and not torch.equal(before[1], encoder[-1].weight)
    assert run.average.encode(torch.zeros(2, 1, 8, 8)).shape == (2, 3)
    assert run.snapshots[-1][1].shape == (4, 1, 8, 8)
