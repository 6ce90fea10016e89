"""Bounds held against the exact evidence of a linear-Gaussian model; activity of known latents."""

import pytest
import torch

from course_utils.likelihoods import gaussian, unchanged
from course_utils.metrics import active_units, elbo, iwae_bound, log_importance_weights, unit_activity
from course_utils.models import Autoencoder, mlp_decoder, mlp_encoder
from course_utils.theory import LinearGaussian

VARIANCE = 0.3
SEEDS = 5


def linear_autoencoder(offset: float = 0.0) -> tuple[Autoencoder, LinearGaussian]:
    """A model with W, and an encoder that holds its best diagonal posterior, its means moved by `offset`."""
    weight = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    model = LinearGaussian(weight, torch.zeros(5), VARIANCE)
    encoder, decoder = mlp_encoder((5,), 2, ()), mlp_decoder((5,), 2, ())
    mean, log_variance = model.best_diagonal(torch.eye(5))
    with torch.no_grad():
        decoder[0].weight.copy_(weight)
        decoder[0].bias.zero_()
        encoder[1].weight.copy_(torch.cat([mean.T, torch.zeros(2, 5)]))
        encoder[1].bias.copy_(torch.cat([torch.full((2,), offset), log_variance[0]]))
    return Autoencoder(encoder, decoder, unchanged), model


def test_the_elbo_is_that_of_the_closed_form():
    for offset in (0.0, 0.5):
        network, model = linear_autoencoder(offset)
        x = model.sample(400, torch.Generator().manual_seed(1))
        measured = elbo(network, x, gaussian(VARIANCE), draws=200)
        exact = -model.elbo(x, *network.encode(x))
        assert measured.negative == pytest.approx(exact.mean().item(), abs=0.05)
        assert measured.negative == pytest.approx(measured.distortion + measured.rate, rel=1e-5)
        assert measured.standard_error == pytest.approx((exact.std() / 20).item(), rel=0.1)


def test_iwae_rises_with_k_and_stays_below_the_evidence():
    """With an encoder whose means are off: the ELBO misses 0.9 nats, 500 samples miss hardly any."""
    network, model = linear_autoencoder(offset=0.2)
    x = model.sample(100, torch.Generator().manual_seed(1))
    evidence = model.log_evidence(x)
    per_seed = {1: [], 5: [], 50: [], 500: []}
    for seed in range(SEEDS):
        log_weights = log_importance_weights(network, x, gaussian(VARIANCE), draws=500, seed=seed)
        assert log_weights.shape == (500, 100)
        nats = {k: iwae_bound(log_weights, k).nats for k in per_seed}
        assert nats[1] < nats[5] < nats[50] < nats[500]
        for k, value in nats.items():
            per_seed[k].append(value)
    exact = evidence.mean().item()
    for values in map(torch.tensor, per_seed.values()):
        assert values.mean() < exact + 3 * values.std() / SEEDS**0.5
    assert exact - sum(per_seed[1]) / SEEDS > 0.8
    assert exact - sum(per_seed[500]) / SEEDS < 0.05


def test_the_bound_of_one_sample_is_the_elbo():
    network, model = linear_autoencoder(0.3)
    x = model.sample(200, torch.Generator().manual_seed(1))
    one = iwae_bound(log_importance_weights(network, x, gaussian(VARIANCE), draws=500), 1)
    assert one.nats == pytest.approx(model.elbo(x, *network.encode(x)).mean().item(), abs=0.03)
    assert one.standard_error == pytest.approx(
        (model.elbo(x, *network.encode(x)).std() / 200**0.5).item(), rel=0.1
    )


def test_importance_weights_average_to_the_evidence():
    network, model = linear_autoencoder()
    x = model.sample(10, torch.Generator().manual_seed(1))
    log_weights = log_importance_weights(network, x, gaussian(VARIANCE), draws=20_000)
    average = log_weights.logsumexp(0) - torch.tensor(20_000.0).log()
    torch.testing.assert_close(average, model.log_evidence(x), atol=0.05, rtol=0)


def test_a_perfect_posterior_makes_every_bound_the_evidence():
    weight = torch.tensor([[2.0, 0.0], [0.0, 0.5], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    network, _ = linear_autoencoder()
    model = LinearGaussian(weight, torch.zeros(5), VARIANCE)
    mean, log_variance = model.best_diagonal(torch.eye(5))
    with torch.no_grad():
        network.decoder[0].weight.copy_(weight)
        network.encoder[1].weight.copy_(torch.cat([mean.T, torch.zeros(2, 5)]))
        network.encoder[1].bias.copy_(torch.cat([torch.zeros(2), log_variance[0]]))
    x = model.sample(10, torch.Generator().manual_seed(1))
    log_weights = log_importance_weights(network, x, gaussian(VARIANCE), draws=10)
    torch.testing.assert_close(log_weights, model.log_evidence(x).expand(10, 10), atol=1e-4, rtol=1e-4)


def test_batches_change_nothing_but_the_draws_and_a_seed_repeats_them():
    network, model = linear_autoencoder()
    x = model.sample(7, torch.Generator().manual_seed(1))
    first = log_importance_weights(network, x, gaussian(VARIANCE), draws=6, batch_size=12)
    assert torch.equal(first, log_importance_weights(network, x, gaussian(VARIANCE), draws=6, batch_size=12))
    assert first.shape == (6, 7)
    assert elbo(network, x, gaussian(VARIANCE), seed=1) == elbo(network, x, gaussian(VARIANCE), seed=1)
    assert elbo(network, x, gaussian(VARIANCE), seed=1) != elbo(network, x, gaussian(VARIANCE), seed=2)


def test_a_k_that_does_not_divide_the_draws_is_refused():
    with pytest.raises(ValueError, match="k must divide the 10 draws, got 3"):
        iwae_bound(torch.zeros(10, 2), 3)


def test_collapsed_units_are_not_active():
    rng = torch.Generator().manual_seed(0)
    means = torch.randn(5_000, 4, generator=rng) * torch.tensor([1.0, 0.5, 0.05, 0.0]) + 7.0
    torch.testing.assert_close(
        unit_activity(means), torch.tensor([1.0, 0.25, 0.0025, 0.0]), rtol=0.1, atol=1e-5
    )
    assert active_units(means) == 2  # a constant offset of 7 is no activity
    assert active_units(means, threshold=0.001) == 3
