"""Both estimators have the true gradient as their mean; only their variance differs."""

import pytest
import torch

from course_utils.theory import reparameterised_gradient, score_function_gradient

MEAN, LOG_STD = torch.tensor([0.5, -1.0]).double(), torch.tensor([-0.5, 0.2]).double()
DRAWS = 200_000
NOISE = torch.randn(DRAWS, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def quadratic(z):
    """E_q = Σ aⱼ(μⱼ² + σⱼ²) + c: gradients 2aμ and 2aσ²."""
    return (z.square() * torch.tensor([1.0, 0.5])).sum(1) + 3.0


TRUE = torch.stack([2 * MEAN, 2 * (2 * LOG_STD).exp()]) * torch.tensor([1.0, 0.5])


@pytest.mark.parametrize("baseline", [None, 0.0, 3.0, 10.0])
def test_estimators_are_unbiased(baseline):
    if baseline is None:
        estimates = reparameterised_gradient(quadratic, MEAN, LOG_STD, NOISE)
    else:
        estimates = score_function_gradient(quadratic, MEAN, LOG_STD, NOISE, baseline)
    assert estimates.shape == (DRAWS, 2, 2) and not estimates.requires_grad
    errors = (estimates.mean(0) - TRUE) / (estimates.std(0) / DRAWS**0.5)
    assert errors.abs().max() < 4  # 4 standard errors: a bias of 2 % of the gradient would show
    assert (estimates.std(0) / DRAWS**0.5 / TRUE.abs()).max() < 0.05


def test_the_reparameterised_one_varies_less_and_a_baseline_helps_the_other():
    through = reparameterised_gradient(quadratic, MEAN, LOG_STD, NOISE).var(0)
    score = score_function_gradient(quadratic, MEAN, LOG_STD, NOISE).var(0)
    centred = score_function_gradient(
        quadratic, MEAN, LOG_STD, NOISE, baseline=quadratic(MEAN[None]).item()
    ).var(0)
    assert (through < centred).all() and (centred < score).all()


def test_only_the_score_function_sees_a_step():
    """E[1(z > 0)] rises with μ by the density at 0; the slope of a step is 0 wherever one looks."""
    mean, log_std = torch.tensor([0.3]).double(), torch.zeros(1).double()

    def step(z):
        return (z[:, 0] > 0).double() + 0 * z[:, 0]

    assert reparameterised_gradient(step, mean, log_std, NOISE[:, :1]).abs().max() == 0
    estimates = score_function_gradient(step, mean, log_std, NOISE[:, :1])[:, 0, 0]
    density_at_0 = torch.distributions.Normal(0.3, 1.0).log_prob(torch.tensor(0.0)).exp().item()
    assert estimates.mean().item() == pytest.approx(density_at_0, abs=0.01)
