"""EM: one step by hand, never downhill, the same optimum as scikit-learn, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture

from course_utils.training import fit_image_mixture, fit_mixture
from course_utils.training.mixture import maximised


def clouds(n=600):
    rng = torch.Generator().manual_seed(0)
    centres = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 7.0]])
    return centres[torch.arange(n) % 3] + torch.randn(n, 2, generator=rng) @ torch.tensor(
        [[1.0, 0.4], [0.0, 0.5]]
    )


def test_the_maximisation_is_weighted_means_and_covariances():
    points = clouds(60).double()
    shares = torch.rand(60, 2, generator=torch.Generator().manual_seed(1)).double()
    shares = shares / shares.sum(1, keepdim=True)
    found = maximised(points, shares, floor=0.0)
    for k in range(2):
        weight = shares[:, k].numpy()
        mean = np.average(points.numpy(), axis=0, weights=weight)
        covariance = np.cov(points.numpy().T, aweights=weight, ddof=0)
        np.testing.assert_allclose(found.means[k], mean)
        np.testing.assert_allclose(found.scales[k] @ found.scales[k].T, covariance)
    np.testing.assert_allclose(found.weights, shares.mean(0))


def test_the_likelihood_never_falls_without_a_floor():
    reached = []
    fit_mixture(
        clouds().double(),
        3,
        floor=0.0,
        tolerance=-1,
        iterations=30,
        watch=lambda _, value: reached.append(value),
    )
    assert len(reached) == 30
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(reached))
    assert reached[-1] > reached[0] + 0.5


def test_it_ends_where_scikit_learns_does():
    points = clouds().double()
    patient = {"floor": 0.0, "tolerance": 1e-9, "iterations": 300}
    fits = [fit_mixture(points, 3, seed=seed, **patient) for seed in range(5)]  # some end in a local maximum
    ours = max(fits, key=lambda fit: fit.log_prob(points).mean())
    theirs = SklearnMixture(3, n_init=5, tol=1e-9, max_iter=500, reg_covar=0.0, random_state=0).fit(points)
    assert ours.log_prob(points).mean().item() == pytest.approx(theirs.score(points), abs=1e-4)
    order, their_order = ours.means.sum(1).argsort(), theirs.means_.sum(1).argsort()
    np.testing.assert_allclose(ours.means[order], theirs.means_[their_order], atol=1e-2)


def test_a_floor_keeps_a_component_from_shrinking_to_a_point():
    found = maximised(torch.ones(10, 2), torch.ones(10, 1), floor=0.01)
    torch.testing.assert_close(found.scales[0], 0.1 * torch.eye(2))
    with pytest.raises(RuntimeError, match="positive-definite"):
        maximised(torch.ones(10, 2), torch.ones(10, 1), floor=0.0)


def test_who_watches_can_stop_and_the_seed_decides():
    seen = []
    stopped = fit_mixture(clouds(), 3, watch=lambda *found: seen.append(found) or len(seen) == 2)
    assert len(seen) == 2 and seen[-1][0] is stopped
    one, same, other = (fit_mixture(clouds(), 3, iterations=2, seed=seed) for seed in (0, 0, 5))
    assert torch.equal(one.means, same.means) and not torch.equal(one.means, other.means)


def test_too_few_points_are_refused():
    with pytest.raises(ValueError, match=r"at least as many points as the 4 components, got \(3, 2\)"):
        fit_mixture(clouds(3), 4)


def test_images_become_a_generator_of_images():
    images = torch.randint(256, (80, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen = []
    model = fit_image_mixture(
        images, dims=3, components=2, iterations=3, watch=lambda mixture, _: seen.append(mixture) and None
    )
    assert model.latent_dim == 4 and model(torch.randn(5, 4)).shape == (5, 1, 4, 4)
    assert all(each.image_shape == (1, 4, 4) for each in seen) and len(seen) >= 1
