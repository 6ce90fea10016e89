"""The ELBO's parts against torch.distributions, summed over the dimensions of a sample."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from course_utils.likelihoods import (
    BERNOULLI,
    aggregate_posterior,
    bernoulli_log_likelihood,
    bernoulli_mean,
    gaussian,
    gaussian_kl,
    gaussian_log_density,
    gaussian_log_likelihood,
    get_likelihood,
    reparameterise,
    variance_of_mse,
)


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_bernoulli_is_that_of_torch_distributions_summed_over_pixels():
    logits, images = 3 * numbers(5, 1, 4, 6), numbers(5, 1, 4, 6, seed=1).sign()
    expected = Independent(Bernoulli(logits=logits), 3).log_prob((images + 1) / 2)
    torch.testing.assert_close(bernoulli_log_likelihood(logits, images), expected)
    torch.testing.assert_close(bernoulli_mean(logits), 2 * torch.sigmoid(logits) - 1)


def test_bernoulli_probabilities_of_all_images_sum_to_one_and_those_of_grey_images_mean_nothing():
    logits = numbers(1, 3)
    all_images = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    total = bernoulli_log_likelihood(logits.expand(8, 3), all_images).exp().sum()
    assert total.item() == pytest.approx(1)
    grey = torch.cartesian_prod(*[torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)] * 3)
    assert bernoulli_log_likelihood(logits.expand(27, 3), grey).exp().sum() > 1.5


@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_bernoulli_stays_finite_where_a_sigmoid_is_0_or_1(logit):
    logits = torch.full((1, 2), logit, requires_grad=True)
    value = bernoulli_log_likelihood(logits, torch.tensor([[1.0, -1.0]]))
    value.sum().backward()
    assert value.item() == pytest.approx(-200) and logits.grad.isfinite().all()


@pytest.mark.parametrize("variance", [0.05, 1.0, 4.0])
def test_gaussian_is_that_of_torch_distributions_with_its_constant(variance):
    mean, samples = numbers(5, 3, 2), numbers(5, 3, 2, seed=1)
    expected = Independent(Normal(mean, variance**0.5), 2).log_prob(samples)
    torch.testing.assert_close(gaussian_log_likelihood(mean, samples, variance), expected)
    torch.testing.assert_close(gaussian(variance).log_likelihood(mean, samples), expected)
    assert gaussian(variance).mean(mean) is mean


def test_half_the_pixel_scale_at_a_quarter_of_the_variance_is_log_2_more_a_dimension():
    mean, samples = numbers(4, 6), numbers(4, 6, seed=1)
    gain = gaussian_log_likelihood(mean / 2, samples / 2, 0.1 / 4) - gaussian_log_likelihood(
        mean, samples, 0.1
    )
    torch.testing.assert_close(gain, torch.full((4,), 6 * math.log(2), dtype=torch.float64))


def test_kl_is_that_of_torch_distributions_to_the_prior_and_to_any_other():
    mean, log_variance, to_mean, to_log_variance = (numbers(7, 3, seed=seed) for seed in range(4))
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    other = Independent(Normal(to_mean, (to_log_variance / 2).exp()), 1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), kl_divergence(q, prior))
    torch.testing.assert_close(
        gaussian_kl(mean, log_variance, to_mean, to_log_variance), kl_divergence(q, other)
    )
    torch.testing.assert_close(
        gaussian_kl(mean, log_variance, 0.5, 1.0),
        gaussian_kl(mean, log_variance, torch.full_like(mean, 0.5), torch.ones_like(mean)),
    )
    assert gaussian_kl(mean, log_variance, mean, log_variance).abs().max() < 1e-12


def test_log_density_and_samples_agree_with_torch_distributions():
    mean, log_variance, points = numbers(4, 3), numbers(4, 3, seed=1), numbers(9, 4, 3, seed=2)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    torch.testing.assert_close(gaussian_log_density(points, mean, log_variance), q.log_prob(points))
    torch.testing.assert_close(gaussian_log_density(points), Normal(0.0, 1.0).log_prob(points).sum(-1))
    draws = reparameterise(mean, log_variance, numbers(20_000, 4, 3, seed=3))
    errors = (draws.mean(0) - mean) / (draws.std(0) / 20_000**0.5)
    assert errors.abs().max() < 4.5
    torch.testing.assert_close(draws.var(0), log_variance.exp(), rtol=0.06, atol=0)


def test_a_mean_of_squares_with_a_weighted_kl_is_the_elbo_of_the_variance_that_it_does_not_state():
    """Up to a factor and a constant: differences between outputs are in proportion."""
    samples, output, other = numbers(1, 12), numbers(1, 12, seed=1), numbers(1, 12, seed=2)
    kl, other_kl, weight = 3.0, 0.5, 0.02
    loss = (output - samples).square().mean() + weight * kl
    other_loss = (other - samples).square().mean() + weight * other_kl
    variance = variance_of_mse(12, weight)
    elbo = gaussian_log_likelihood(output, samples, variance) - kl
    other_elbo = gaussian_log_likelihood(other, samples, variance) - other_kl
    assert (other_elbo - elbo).item() == pytest.approx((loss - other_loss).item() / weight)


def test_shapes_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"both must have one shape"):
        bernoulli_log_likelihood(torch.zeros(4, 1, 28, 28), torch.zeros(4, 28, 28))
    with pytest.raises(ValueError, match=r"both must have one shape"):
        gaussian_log_likelihood(torch.zeros(4), torch.zeros(4), 1.0)
    with pytest.raises(ValueError, match=r"both must have one shape"):
        gaussian_kl(torch.zeros(4, 2), torch.zeros(2))


@pytest.mark.parametrize("variance", [0.0, -1.0, float("nan"), float("inf")])
def test_a_variance_that_is_none_is_refused(variance):
    with pytest.raises(ValueError, match="variance must be a positive number"):
        gaussian(variance)


def test_a_gaussian_without_a_variance_says_nothing():
    assert get_likelihood("bernoulli") is BERNOULLI
    assert get_likelihood(BERNOULLI) is BERNOULLI
    with pytest.raises(ValueError, match="a Gaussian needs its variance"):
        get_likelihood("gaussian")


def test_the_aggregate_posterior_has_the_moments_of_all_codes_together():
    mean, log_variance = 2 * numbers(30, 3), numbers(30, 3, seed=1)
    rng = torch.Generator().manual_seed(0)
    latents = aggregate_posterior(mean, log_variance, 40_000, rng)
    covariance = torch.cov(mean.T, correction=0) + torch.diag(log_variance.exp().mean(0))
    assert (latents.mean(0) - mean.mean(0)).abs().max() < 0.06  # 4 standard errors of the widest
    assert (torch.cov(latents.T) - covariance).abs().max() < 0.2
    few = aggregate_posterior(mean, torch.full_like(mean, -60.0), 500, rng)  # no noise: the codes themselves
    assert len(few.round(decimals=6).unique(dim=0)) == 30
