"""Diversity and balance: closed forms, and what a collapsed generator scores."""

import math

import pytest
import torch
from scipy.spatial.distance import pdist
from scipy.stats import entropy

from course_utils import data
from course_utils.metrics import (
    class_coverage,
    kl_to_uniform,
    load_classifier,
    sample_diversity,
    stacked_coverage,
)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("dim", [1, 2, 50])
def test_the_diversity_of_a_gaussian_has_a_closed_form(dim):
    """x − y ~ N(0, 2σ²I), and the mean length of N(0, I) in d dimensions is √2·Γ((d + 1)/2)/Γ(d/2)."""
    expected = 2 * 0.7 * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))
    assert sample_diversity(0.7 * normal(2_000, dim) + 3) == pytest.approx(expected, rel=0.05)


def test_it_is_scipys_mean_pairwise_distance_of_images_too():
    images = normal(12, 1, 5, 4)
    assert sample_diversity(images) == pytest.approx(pdist(images.flatten(1).numpy()).mean())


def test_a_collapsed_generator_has_none_and_two_points_have_their_distance():
    assert sample_diversity(torch.ones(30, 2)) == 0
    assert sample_diversity(torch.tensor([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5)
    with pytest.raises(ValueError, match="at least two"):
        sample_diversity(torch.ones(1, 2))


def test_the_divergence_to_uniform_is_scipys_and_knows_its_ends():
    counts = torch.tensor([5, 0, 1, 14])
    assert kl_to_uniform(counts) == pytest.approx(entropy(counts.numpy(), [0.25] * 4))
    assert kl_to_uniform(torch.full((1_000,), 7)) == pytest.approx(0, abs=1e-12)
    assert kl_to_uniform(torch.eye(1_000)[3]) == pytest.approx(math.log(1_000))
    for wrong in (torch.zeros(4), torch.tensor([-1, 2]), torch.ones(2, 2)):
        with pytest.raises(ValueError, match="counts must be"):
            kl_to_uniform(wrong)


def test_fair_samples_have_the_divergence_that_chance_gives_them():
    """N·2·KL of truly uniform samples is about χ² with K − 1 degrees of freedom."""
    samples, modes = 20_000, 1_000
    codes = torch.randint(modes, (samples,), generator=torch.Generator().manual_seed(0))
    found = kl_to_uniform(torch.bincount(codes, minlength=modes))
    degrees = modes - 1
    assert abs(2 * samples * found - degrees) < 4 * math.sqrt(2 * degrees) + 0.05 * degrees


def test_a_stack_is_read_channel_by_channel_in_its_order():
    """Each channel is what the classifier says of it alone; 123 and 321 are two modes."""
    mnist = data.load_mnist("test")
    digits = data.to_model_range(mnist.images[:40])
    classifier = load_classifier("mnist")
    read = [int(class_coverage(digit[None], classifier).counts.argmax()) for digit in digits]
    a, b, c = (read.index(number) for number in sorted(set(read))[:3])
    stacks = torch.stack([digits[[a, b, c], 0], digits[[c, b, a], 0], digits[[a, b, c], 0]])
    found = stacked_coverage(stacks, classifier)
    forwards, backwards = 100 * read[a] + 10 * read[b] + read[c], 100 * read[c] + 10 * read[b] + read[a]
    assert found.covered == 2 and len(found.counts) == 1_000
    assert found.counts[forwards] == 2 and found.counts[backwards] == 1
    assert found.entropy == pytest.approx(entropy([2, 1]))


def test_real_stacks_cover_most_of_a_thousand_modes():
    draw = data.stacked_sampler(data.load_mnist("test").images)
    images = draw(1_500, torch.Generator().manual_seed(0))
    assert images.shape == (1_500, 3, 28, 28)
    found = stacked_coverage(images, load_classifier("mnist"))
    expected = 1_000 * (1 - (1 - 1 / 1_000) ** 1_500)  # of equally frequent modes, 777
    assert abs(found.covered - expected) < 60
    with pytest.raises(ValueError, match="grey images"):
        data.stacked_sampler(torch.zeros(2, 3, 4, 4, dtype=torch.uint8))
