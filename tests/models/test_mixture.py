"""Mixtures against torch.distributions and scipy; their latents; images by way of principal components."""

import pytest
import torch
from scipy.stats import multivariate_normal
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from course_utils.models import GaussianMixture, PrincipalImages, PrincipalSpace, principal_space, sample

WEIGHTS = torch.tensor([0.2, 0.5, 0.3])
MEANS = torch.tensor([[0.0, 0.0], [5.0, 1.0], [-4.0, 2.0]])
SCALES = torch.tensor([[[1.0, 0.0], [0.5, 0.3]], [[0.2, 0.0], [0.0, 2.0]], [[1.0, 0.0], [-1.0, 1.0]]])


def mixture() -> GaussianMixture:
    return GaussianMixture(WEIGHTS, MEANS, SCALES)


def points(n=50):
    return 4 * torch.randn(n, 2, generator=torch.Generator().manual_seed(0))


def test_the_density_is_that_of_torch_and_of_scipy():
    theirs = MixtureSameFamily(Categorical(WEIGHTS), MultivariateNormal(MEANS, scale_tril=SCALES))
    torch.testing.assert_close(mixture().log_prob(points()), theirs.log_prob(points()))
    by_scipy = sum(
        weight * multivariate_normal(mean, scale @ scale.T).pdf(points().numpy())
        for weight, mean, scale in zip(WEIGHTS.numpy(), MEANS.numpy(), SCALES.numpy(), strict=True)
    )
    torch.testing.assert_close(
        mixture().log_prob(points()).exp().double(), torch.as_tensor(by_scipy).double()
    )


def test_responsibilities_are_bayes_rule():
    normal = MultivariateNormal(MEANS.double(), scale_tril=SCALES.double())
    each = normal.log_prob(points().double()[:, None]).exp() * WEIGHTS.double()
    shares = mixture().double().responsibilities(points().double())
    torch.testing.assert_close(shares, each / each.sum(1, keepdim=True))


def test_latents_of_a_normal_distribution_become_samples_of_the_mixture():
    made = sample(mixture(), 40_000)
    nearest = torch.cdist(made, MEANS)  # only the far one can be told apart by distance
    assert ((made[:, 0] > 4).float().mean() - 0.5).abs() < 0.01
    third = made[(nearest.argmin(1) == 2) & (made[:, 0] < -2.5)]
    assert ((made[:, 0] < -2.5).float().mean() - 0.3 * 0.933).abs() < 0.015  # Φ(1.5) = 0.933
    second = made[made[:, 0] > 4]
    torch.testing.assert_close(second.std(0), torch.tensor([0.2, 2.0]), atol=0.03, rtol=0)
    assert torch.corrcoef(third.T)[0, 1] < -0.4


def test_a_point_is_found_again_from_its_latent():
    latents = mixture().encode(points())
    assert latents.shape == (50, mixture().latent_dim) == (50, 3)
    torch.testing.assert_close(mixture()(latents), points(), atol=1e-4, rtol=1e-4)


def test_the_numbers_that_can_be_chosen_are_counted():
    assert mixture().free_numbers == 2 + 3 * 2 + 3 * 3


def test_odd_shapes_and_weights_are_refused():
    with pytest.raises(ValueError, match=r"need weights \(3,\) and scales \(3, 2, 2\), got \(2,\)"):
        GaussianMixture(WEIGHTS[:2], MEANS, SCALES)
    with pytest.raises(ValueError, match=r"must be probabilities, got a sum of 2"):
        GaussianMixture(2 * WEIGHTS, MEANS, SCALES)


# --- images ------------------------------------------------------------------------------------------------


def few_pixels(n=400):
    """Images of 2×2 pixels that vary in two directions, and a little in all."""
    rng = torch.Generator().manual_seed(0)
    directions = torch.tensor([[0.3, 0.3, -0.3, 0.3], [0.1, -0.1, 0.1, 0.1]])
    values = torch.randn(n, 2, generator=rng) @ directions + 0.02 * torch.randn(n, 4, generator=rng) + 0.1
    return values.view(n, 1, 2, 2)


def test_principal_components_are_those_of_the_singular_value_decomposition():
    images = few_pixels()
    space = principal_space(images, 2)
    flat = images.flatten(1)
    _, singular, directions = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    torch.testing.assert_close((directions[:2] @ space.basis).abs(), torch.eye(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(space.coordinates(images).var(0), singular[:2] ** 2 / 399, rtol=1e-3, atol=0)
    assert space.rest == pytest.approx((singular[2:] ** 2 / 400).mean().item(), rel=1e-3)


@pytest.mark.parametrize("dims", [0, 4])
def test_none_or_all_of_the_directions_are_refused(dims):
    with pytest.raises(ValueError, match=f"dims must be from 1 to 3, got {dims}"):
        principal_space(few_pixels(), dims)


def test_the_density_of_images_is_that_of_one_gaussian_in_all_pixels():
    """With one component the model is probabilistic PCA: N(m, B·S·Bᵀ + s²·(I − B·Bᵀ))."""
    space = principal_space(few_pixels(), 2)
    scale = torch.tensor([[[0.6, 0.0], [0.1, 0.2]]])
    model = PrincipalImages(GaussianMixture(torch.ones(1), torch.ones(1, 2), scale), space, (1, 2, 2))
    covariance = scale[0] @ scale[0].T
    projection = space.basis @ space.basis.T
    whole = space.basis @ covariance @ space.basis.T + space.rest * (torch.eye(4) - projection)
    exact = MultivariateNormal(space.centre + space.basis @ torch.ones(2), whole).log_prob(
        few_pixels(9).flatten(1)
    )
    torch.testing.assert_close(model.log_prob(few_pixels(9)), exact, rtol=1e-3, atol=1e-2)


def test_images_come_back_as_their_projections_and_never_leave_the_range():
    space = principal_space(few_pixels(), 2)
    scale = torch.diag(torch.tensor([0.6, 0.2]))[None]
    model = PrincipalImages(GaussianMixture(torch.ones(1), torch.zeros(1, 2), scale), space, (1, 2, 2))
    images = few_pixels(20)
    again = model(model.encode(images))
    expected = (space.centre + space.coordinates(images) @ space.basis.T).view(20, 1, 2, 2)
    torch.testing.assert_close(again, expected.clamp(-1, 1), atol=1e-4, rtol=1e-3)
    assert sample(model, 500).abs().max() <= 1
    assert model.latent_dim == 3 and isinstance(model.space, PrincipalSpace)
