"""Knobs between quality and diversity: truncated latents, and samples that the discriminator lets through."""

import math

import pytest
import torch
from scipy.stats import kstest, truncnorm
from torch import nn

from course_utils.models import rejection_sample, truncated_latents


@pytest.mark.parametrize("threshold", [0.3, 1.0, 2.5])
def test_truncated_latents_have_scipys_distribution(threshold):
    drawn = truncated_latents(2_000, 5, threshold, torch.Generator().manual_seed(0))
    assert drawn.shape == (2_000, 5) and drawn.dtype == torch.float32
    assert drawn.abs().max() <= threshold
    assert kstest(drawn.flatten().numpy(), truncnorm(-threshold, threshold).cdf).pvalue > 0.01


def test_without_a_threshold_latents_are_normal():
    drawn = truncated_latents(5_000, 4, math.inf, torch.Generator().manual_seed(0))
    assert kstest(drawn.flatten().numpy(), "norm").pvalue > 0.01
    with pytest.raises(ValueError, match="positive, got 0"):
        truncated_latents(1, 1, 0)


class Line(nn.Module):
    """x = 2z + shift_y: N(shift_y, 4)."""

    latent_dim = 1

    def __init__(self, shifts=(0.0,)):
        super().__init__()
        self.shifts = nn.Parameter(torch.tensor(shifts))

    def forward(self, latents, labels=None):
        return 2 * latents + (0.0 if labels is None else self.shifts[labels, None])


class Ratio(nn.Module):
    """The logit of the best discriminator: log N(x; centre_y, 1) − log N(x; shift_y, 4)."""

    def __init__(self, centres=(0.0,), shifts=(0.0,)):
        super().__init__()
        self.centres, self.shifts = (nn.Parameter(torch.tensor(numbers)) for numbers in (centres, shifts))

    def forward(self, samples, labels=None):
        labels = torch.zeros(len(samples), dtype=torch.long) if labels is None else labels
        data = torch.distributions.Normal(self.centres[labels], 1.0)
        model = torch.distributions.Normal(self.shifts[labels], 2.0)
        return data.log_prob(samples[:, 0]) - model.log_prob(samples[:, 0])


def test_what_a_perfect_discriminator_lets_through_is_distributed_as_the_data():
    """exp(t) = p/q ≤ 2 here, so that half of the candidates are accepted."""
    samples, accepted = rejection_sample(Line(), Ratio(), 5_000, pilot=5_000, seed=1)
    assert samples.shape == (5_000, 1)
    assert kstest(samples[:, 0].numpy(), "norm").pvalue > 0.01
    assert accepted == pytest.approx(0.5, abs=0.02)


def test_each_sample_has_the_label_that_was_asked_for():
    labels = torch.tensor([0, 1, 1] * 1_000)
    generator, discriminator = Line((-5.0, 5.0)), Ratio((-5.5, 5.5), (-5.0, 5.0))
    samples, _ = rejection_sample(generator, discriminator, 3_000, labels=labels, pilot=3_000)
    for label, centre in ((0, -5.5), (1, 5.5)):
        own = samples[labels == label, 0]
        assert own.mean().item() == pytest.approx(centre, abs=0.1)
        assert own.std().item() == pytest.approx(1, abs=0.1)


def test_a_lower_percentile_accepts_more_and_chooses_less():
    found = [rejection_sample(Line(), Ratio(), 2_000, percentile=p, seed=2) for p in (100, 50, 0)]
    rates = [accepted for _, accepted in found]
    assert rates[0] < rates[1] < rates[2] and rates[2] > 0.99
    spreads = [samples.std().item() for samples, _ in found]
    assert spreads[0] < spreads[1] < spreads[2] and spreads[2] == pytest.approx(2, abs=0.1)


def test_a_sharper_choice_is_the_density_q_times_the_ratio_to_the_power_of_the_sharpness():
    """N(0, 4)·(N(0, 1) / N(0, 4))² ∝ N(0, 1/1.75)."""
    samples, accepted = rejection_sample(Line(), Ratio(), 4_000, sharpness=2.0, pilot=4_000, seed=3)
    assert kstest(samples[:, 0].numpy() * math.sqrt(1.75), "norm").pvalue > 0.01
    everything, all_of_them = rejection_sample(Line(), Ratio(), 2_000, sharpness=0.0)
    assert all_of_them == 1 and everything.std().item() == pytest.approx(2, abs=0.1)
    assert accepted < 0.5
