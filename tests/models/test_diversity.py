"""Minibatch standard deviation: the number it appends, and who hears of it."""

import pytest
import torch

from course_utils.models import MinibatchStd, dcgan_discriminator, mlp_discriminator, with_minibatch_std


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", [(8, 3), (8, 2, 4, 5)])
def test_the_new_channel_is_the_mean_standard_deviation_of_each_group(shape):
    features = normal(*shape)
    found = MinibatchStd(group=4)(features)
    assert found.shape == (8, shape[1] + 1, *shape[2:])
    assert torch.equal(found[:, :-1], features)
    for first in (0, 4):
        spread = features[first : first + 4].numpy().std(axis=0).mean()  # NumPy divides by N
        expected = torch.full_like(found[first : first + 4, -1], float(spread))
        torch.testing.assert_close(found[first : first + 4, -1], expected)


def test_copies_have_no_spread_and_a_finite_slope():
    features = torch.ones(4, 3, 2, 2, requires_grad=True)
    found = MinibatchStd(4)(features)
    assert (found[:, -1] < 1e-3).all()
    (slope,) = torch.autograd.grad(found.sum(), features)
    assert slope.isfinite().all()


def test_every_sample_of_a_group_and_no_other_hears_of_its_spread():
    features = normal(8, 3).requires_grad_()
    (slope,) = torch.autograd.grad(MinibatchStd(4)(features)[0, -1], features)
    assert (slope[:4].abs().sum(1) > 0).all() and not slope[4:].any()


def test_a_smaller_batch_is_one_group_and_others_must_be_divisible():
    assert MinibatchStd(4)(normal(3, 2)).shape == (3, 3)
    with pytest.raises(ValueError, match="divide the batch"):
        MinibatchStd(4)(normal(6, 2))
    with pytest.raises(ValueError):
        MinibatchStd(0)


@pytest.mark.parametrize(
    ("discriminator", "samples"),
    [(mlp_discriminator((2,), (8,)), normal(8, 2)), (dcgan_discriminator((1, 8, 8), 4), normal(8, 1, 8, 8))],
)
def test_a_discriminator_gets_one_input_more_and_says_the_same_until_it_has_learnt(discriminator, samples):
    wider = with_minibatch_std(discriminator)
    torch.testing.assert_close(wider(samples), discriminator(samples))
    count = sum(weight.numel() for weight in wider.parameters())
    assert count == sum(weight.numel() for weight in discriminator.parameters()) + 1
    wider(samples).sum().backward()
    assert wider[-2].weight.grad[0, -1] != 0  # it will have a say
    assert discriminator[-2].weight.grad is None
    with pytest.raises(ValueError, match="last layer but one"):
        with_minibatch_std(torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Flatten(0)))
