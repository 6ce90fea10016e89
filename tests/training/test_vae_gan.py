"""The VAE-GAN: what D is shown, whose gradients go where, and the features as a likelihood."""

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal, kl_divergence

from course_utils.likelihoods import unchanged
from course_utils.models import Autoencoder, mlp_discriminator, mlp_encoder, mlp_generator
from course_utils.training import VAE, feature_likelihood, train, vae_gan
from course_utils.training.gan import Shown
from course_utils.training.machine import Machine
from course_utils.training.vae_gan import feature_elbo, priors_and_reconstructions

SHAPE = (1, 4, 4)
QUIET = {"progress": False, "device": "cpu", "threads": 1}


def networks(seed: int = 0) -> tuple[nn.Module, nn.Module, nn.Module]:
    torch.manual_seed(seed)
    return mlp_encoder(SHAPE, 2, (8,)), mlp_generator(SHAPE, 2, (8,)), mlp_discriminator(SHAPE, (8, 6))


def images(n, rng=None):
    rng = rng or torch.Generator().manual_seed(0)
    return torch.rand(n, *SHAPE, generator=rng) * 2 - 1


def flat(network):
    return torch.cat([tensor.flatten() for tensor in network.state_dict().values()])


def features(discriminator, samples):
    return discriminator[:-2](samples)  # without the last linear layer and the flattening


def test_the_likelihood_is_a_normal_density_of_the_features():
    _, _, discriminator = networks()
    likelihood = feature_likelihood(discriminator, variance=0.5)
    samples, output = images(5), images(5).flip(0)
    exact = Independent(Normal(features(discriminator, output), 0.5**0.5), 1)
    found = likelihood.log_likelihood(output, samples)
    torch.testing.assert_close(found, exact.log_prob(features(discriminator, samples)))
    assert torch.equal(likelihood.mean(output), output)
    assert not discriminator.training and not any(
        weight.requires_grad for weight in discriminator.parameters()
    )


def test_a_vae_learns_with_features_for_pixels():
    encoder, generator, discriminator = networks()
    before = [weight.clone() for weight in discriminator.parameters()]
    likelihood = feature_likelihood(discriminator, 0.005)
    two = torch.stack([torch.full(SHAPE, -0.9), torch.full(SHAPE, 0.9)])

    def draw(n, rng):
        return two[torch.randint(2, (n,), generator=rng)]

    model = VAE(encoder, generator, likelihood=likelihood, lr=5e-3)
    run = train(model, draw, images=64 * 200, batch_size=64, **QUIET)
    history = run.history["distortion"]
    assert history[-1] < history[0] - 1
    assert all(torch.equal(*pair) for pair in zip(before, discriminator.parameters(), strict=True))


def test_the_term_is_distortion_in_features_plus_rate():
    encoder, generator, discriminator = networks()
    players, samples = Autoencoder(encoder, generator, unchanged), images(7)
    torch.manual_seed(3)
    found = feature_elbo(
        discriminator, Shown((samples,)), Shown((samples,)), players=players, reconstruction=2.0, rate=3.0
    )
    mean, log_variance = encoder(samples).unbind(1)
    torch.manual_seed(3)
    codes = mean + (log_variance / 2).exp() * torch.randn(7, 2)
    distances = features(discriminator, samples) - features(discriminator, generator(codes))
    prior = Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    rate = kl_divergence(Independent(Normal(mean, (log_variance / 2).exp()), 1), prior)
    torch.testing.assert_close(found, (distances.square().sum(1) + 3 * rate).mean())


def test_the_discriminator_is_shown_samples_and_reconstructions_and_moves_no_code():
    encoder, generator, _ = networks()
    players, latents = Autoencoder(encoder, generator, unchanged), torch.randn(6, 2)
    (real,), (fake,) = priors_and_reconstructions(players, (images(6),), latents)
    torch.testing.assert_close(real, images(6))
    mean, log_variance = encoder(images(6)[:3]).unbind(1)
    torch.testing.assert_close(fake[:3], generator(mean + (log_variance / 2).exp() * latents[:3]))
    torch.testing.assert_close(fake[3:], generator(latents[3:]))
    fake.sum().backward()
    assert all(weight.grad is None for weight in encoder.parameters())
    assert all(weight.grad is not None for weight in generator.parameters())


def test_all_three_networks_move_and_the_average_encodes():
    encoder, generator, discriminator = networks()
    before = [network.state_dict() for network in (encoder, generator, discriminator)]
    before = [{name: tensor.clone() for name, tensor in state.items()} for state in before]
    gan = vae_gan(encoder, generator, discriminator, rate=0.5, generator_lr=1e-3)
    run = train(gan, images, images=64, batch_size=32, snapshot_samples=4, **QUIET)
    for old, network in zip(before, (encoder, generator, discriminator), strict=True):
        assert all(not torch.equal(old[name], tensor) for name, tensor in network.state_dict().items())
    mean, log_variance = run.average.encode(images(3))
    assert mean.shape == log_variance.shape == (3, 2)
    assert run.average(torch.randn(5, 2)).shape == (5, *SHAPE)


def test_a_copy_trains_apart_from_the_original_in_its_term_too():
    gan = vae_gan(*networks())
    twin = gan.copy()
    assert twin.generator_term.keywords["players"] is twin.generator is not gan.generator
    machine = Machine("cpu", batch_size=8)
    before = flat(gan.generator)
    twin.prepare(machine)
    twin.training_step(lambda: machine.draw(images), machine)
    assert torch.equal(
        before, torch.cat([tensor.flatten() for tensor in gan.generator.state_dict().values()])
    )


def test_several_processes_are_refused(monkeypatch):
    monkeypatch.setattr("course_utils.training.gan.world_size", lambda: 2)
    with pytest.raises(ValueError, match="a generator with an encoder trains on one process"):
        vae_gan(*networks()).prepare(Machine("cpu", batch_size=8))


@pytest.mark.parametrize("weight", ["reconstruction", "rate"])
def test_another_weight_is_refused_when_a_run_is_resumed(tmp_path, weight):
    options = {
        "images": 64,
        "batch_size": 32,
        "snapshot_samples": 4,
        "checkpoint": tmp_path / "run.pt",
        **QUIET,
    }
    train(vae_gan(*networks()), images, **options)
    with pytest.raises(ValueError, match="generator_term"):
        train(vae_gan(*networks(), **{weight: 2.0}), images, resume=True, **options)


def test_of_a_single_sample_a_reconstruction_is_shown():
    encoder, generator, _ = networks()
    players = Autoencoder(encoder, generator, unchanged)
    seen = []
    encoder.register_forward_pre_hook(lambda _, arguments: seen.append(len(arguments[0])))
    (real,), (fake,) = priors_and_reconstructions(players, (images(1),), torch.randn(1, 2))
    assert seen == [1] and fake.shape == real.shape  # convolutions fail on a batch without images
