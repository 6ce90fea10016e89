"""Where the evidence is known, every bound is held against it."""

import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from course_utils.theory import LinearGaussian


def model(variance: float = 0.3) -> LinearGaussian:
    rng = torch.Generator().manual_seed(0)
    weight = torch.randn(5, 2, generator=rng, dtype=torch.float64)
    return LinearGaussian(weight, torch.randn(5, generator=rng, dtype=torch.float64), variance)


def test_the_evidence_is_the_average_of_the_likelihood_over_the_prior():
    line = LinearGaussian(torch.tensor([[1.5]]).double(), torch.tensor([0.2]).double(), 0.4)
    z = torch.linspace(-12, 12, 20_001, dtype=torch.float64)
    x = torch.tensor([[0.7], [-2.0]], dtype=torch.float64)
    joint = torch.exp(-0.5 * z**2 - 0.5 * (x - 1.5 * z - 0.2) ** 2 / 0.4) / (2 * torch.pi * 0.4**0.5)
    torch.testing.assert_close(line.log_evidence(x), torch.trapezoid(joint, z).log())


def test_bayes_rule_holds_at_every_latent():
    """log p(x) = log p(x|z) + log p(z) − log p(z|x), whatever z."""
    pca = model()
    x = pca.sample(3, torch.Generator().manual_seed(1))
    mean, covariance = pca.posterior(x)
    z = torch.randn(3, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    noise = pca.variance * torch.eye(5, dtype=torch.float64)
    likelihood = MultivariateNormal(z @ pca.weight.T + pca.bias, noise).log_prob(x)
    prior = MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double()).log_prob(z)
    posterior = MultivariateNormal(mean, covariance).log_prob(z)
    torch.testing.assert_close(likelihood + prior - posterior, pca.log_evidence(x))


def test_samples_have_the_evidences_mean_and_covariance():
    pca = model()
    samples = pca.sample(200_000, torch.Generator().manual_seed(1))
    covariance = pca.weight @ pca.weight.T + pca.variance * torch.eye(5).double()
    torch.testing.assert_close(samples.mean(0), pca.bias, atol=0.02, rtol=0)
    torch.testing.assert_close(samples.T.cov(), covariance, atol=0.05, rtol=0)


def test_the_elbo_is_the_evidence_minus_the_kl_to_the_posterior():
    pca = model()
    x = pca.sample(4, torch.Generator().manual_seed(1))
    rng = torch.Generator().manual_seed(2)
    mean, log_variance = torch.randn(2, 4, 2, generator=rng, dtype=torch.float64)
    posterior_mean, covariance = pca.posterior(x)
    q = MultivariateNormal(mean, torch.diag_embed(log_variance.exp()))
    gap = kl_divergence(q, MultivariateNormal(posterior_mean, covariance.expand(4, 2, 2)))
    torch.testing.assert_close(pca.elbo(x, mean, log_variance), pca.log_evidence(x) - gap)


def test_the_best_diagonal_posterior_beats_its_neighbours_and_the_naive_variances():
    pca = model()
    x = pca.sample(4, torch.Generator().manual_seed(1))
    mean, log_variance = pca.best_diagonal(x)
    best = pca.elbo(x, mean, log_variance)
    for step in (-0.1, 0.1):
        assert (pca.elbo(x, mean, log_variance + step) < best).all()
        assert (pca.elbo(x, mean + step, log_variance) < best).all()
    variances_of_posterior = pca.posterior(x)[1].diagonal().log().expand_as(mean)
    assert (pca.elbo(x, mean, variances_of_posterior) < best).all()
    assert (best < pca.log_evidence(x)).all()


def test_with_orthogonal_columns_the_diagonal_posterior_is_exact():
    weight = torch.tensor([[2.0, 0.0], [0.0, 0.5], [0.0, 0.0]]).double()
    pca = LinearGaussian(weight, torch.zeros(3).double(), 0.2)
    x = pca.sample(4, torch.Generator().manual_seed(1))
    torch.testing.assert_close(pca.elbo(x, *pca.best_diagonal(x)), pca.log_evidence(x))


@pytest.mark.parametrize("variance", [0.1, 10.0])
def test_a_noisier_model_has_a_posterior_nearer_to_the_prior(variance):
    covariance = model(variance).posterior(torch.zeros(1, 5).double())[1]
    assert (covariance.trace() < 1) == (variance < 1)
