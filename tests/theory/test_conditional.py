"""The conditional game in closed form, on a ring of Gaussians: held against scipy, quadrature and search."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from course_utils.data import ring
from course_utils.theory import (
    class_weights,
    conditional_logit,
    information_bound,
    log_joint,
    mutual_information,
    split_logit,
)

DATA, MODEL = ring(8, radius=2.0).modes.double(), 0.8 * ring(8, radius=2.0).modes.double() + 0.3
STD = 0.7  # the Gaussians overlap: labels are not certain


def points(n=200, seed=0):
    return 2 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def plane(half=7.0, side=281):
    line = torch.linspace(-half, half, side, dtype=torch.float64)
    return torch.cartesian_prod(line, line), (2 * half / (side - 1)) ** 2


def test_the_joint_density_is_scipys():
    x = points()
    expected = [multivariate_normal(mean.numpy(), STD**2).logpdf(x.numpy()) - math.log(8) for mean in DATA]
    torch.testing.assert_close(log_joint(x, DATA, STD), torch.from_numpy(np.stack(expected, 1)))
    grid, area = plane()
    assert log_joint(grid, DATA, STD).exp().sum().item() * area == pytest.approx(1, abs=1e-6)


def test_no_logit_beats_the_optimal_one_in_the_game_of_pairs():
    """E_p[log σ(t)] + E_q[log σ(−t)] by quadrature, with random changes of t*."""
    grid, area = plane(side=101)
    log_p, log_q = log_joint(grid, DATA, STD), log_joint(grid, MODEL, STD)
    best = conditional_logit(log_p, log_q)

    def value(t):
        logsigmoid = torch.nn.functional.logsigmoid
        return area * (log_p.exp() * logsigmoid(t) + log_q.exp() * logsigmoid(-t)).sum()

    for seed in range(5):
        change = torch.randn(best.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert value(best + 0.1 * change) < value(best)
    unconditional = split_logit(log_p, log_q)[0]
    assert value(unconditional[:, None].expand_as(best)) < value(best) - 1e-3  # labels tell D something


def test_the_logit_splits_into_is_it_real_and_does_it_fit():
    x = points()
    log_p, log_q = log_joint(x, DATA, STD), log_joint(x, MODEL, STD)
    ratio, fits = split_logit(log_p, log_q)
    torch.testing.assert_close(ratio[:, None] + fits, conditional_logit(log_p, log_q))
    p, q = log_p.exp(), log_q.exp()
    torch.testing.assert_close(ratio, (p.sum(1) / q.sum(1)).log())
    torch.testing.assert_close(fits, ((p / p.sum(1, True)) / (q / q.sum(1, True))).log())
    # a generator that gets p(x) right, and the labels wrong, is betrayed by the second part alone
    wrong = log_p.roll(1, dims=1)
    ratio, fits = split_logit(log_p, wrong)
    torch.testing.assert_close(ratio, torch.zeros_like(ratio))
    assert fits.abs().max() > 1


def test_the_part_with_the_label_is_an_inner_product_of_features_and_a_vector_of_the_label():
    x = points()
    features = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], 1)
    log_p, log_q = log_joint(x, DATA, STD), log_joint(x, MODEL, STD)
    torch.testing.assert_close((features @ class_weights(DATA, STD).T).softmax(1), log_p.softmax(1))
    _, fits = split_logit(log_p, log_q)
    projection = features @ (class_weights(DATA, STD) - class_weights(MODEL, STD)).T
    rest = fits - projection
    torch.testing.assert_close(rest, rest[:, :1].expand_as(rest))  # the rest does not depend on the label


def test_the_bound_is_tight_for_the_true_posterior_and_lower_by_the_divergence_for_another():
    grid, area = plane()
    joint = log_joint(grid, DATA, STD)
    information = mutual_information(joint, area)
    # I(x; y) = H(x) − H(x | y), both differential entropies
    mass = area * joint.exp()
    entropy = -(mass.sum(1) * joint.logsumexp(1)).sum()
    of_one = math.log(2 * math.pi * math.e * STD**2)
    assert information.item() == pytest.approx(entropy.item() - of_one, abs=1e-6)
    assert 0 < information < math.log(8)

    flat = joint.log_softmax(1) * 0.5
    another = flat.log_softmax(1)
    divergence = (mass * (joint.log_softmax(1) - another)).sum()
    bound = information_bound(joint, another, area)
    assert bound.item() == pytest.approx((information - divergence).item(), abs=1e-9)
    assert bound < information
    blind = torch.full_like(joint, -math.log(8))
    assert information_bound(joint, blind, area).item() == pytest.approx(0, abs=1e-6)


def test_far_modes_tell_their_label_for_certain():
    grid, area = plane()
    joint = log_joint(grid, 2 * DATA, 0.3)
    assert mutual_information(joint, area).item() == pytest.approx(math.log(8), abs=1e-4)
