"""Gram matrices: closed forms, and that places are forgotten while co-occurrence is not."""

import pytest
import torch

from course_utils import data
from course_utils.metrics import feature_maps, gram_matrix, load_classifier, style_distance


def test_a_gram_matrix_is_the_mean_of_products_over_places():
    maps = torch.tensor([[[[1.0, 2.0]], [[3.0, -1.0]]]])  # two channels, two places
    expected = torch.tensor([[[(1 + 4) / 2, (3 - 2) / 2], [(3 - 2) / 2, (9 + 1) / 2]]])
    torch.testing.assert_close(gram_matrix(maps), expected)
    maps = torch.randn(3, 4, 5, 6)
    torch.testing.assert_close(gram_matrix(maps), torch.einsum("nchw,ndhw->ncd", maps, maps) / 30)


def test_where_things_are_is_forgotten():
    maps = torch.randn(2, 3, 4, 5)
    order = torch.randperm(20)
    shuffled = maps.flatten(2)[..., order].view_as(maps)
    torch.testing.assert_close(gram_matrix(shuffled), gram_matrix(maps))
    alone = torch.stack([maps[:, 0], maps[:, 1], maps[:, 2].flip(1, 2)], 1)  # one channel moved by itself
    assert not torch.allclose(gram_matrix(alone), gram_matrix(maps))


@pytest.mark.parametrize(("name", "channels"), [("mnist", [16, 32, 64]), ("cifar10", [32, 64, 64, 128, 128])])
def test_features_are_taken_after_each_rectifier(name, channels):
    classifier = load_classifier(name)
    images = torch.rand(2, *classifier.image_shape) * 2 - 1
    maps = feature_maps(classifier, images)
    assert [each.shape[1] for each in maps] == channels
    assert all((each >= 0).all() for each in maps)
    with torch.no_grad():
        last = (
            classifier.layers[-2](classifier.layers[-3](maps[-1]))
            if name == "mnist"
            else maps[-1].mean((2, 3))
        )
        rest = torch.relu(last) if name == "mnist" else last
    torch.testing.assert_close(rest, classifier.features(images))


def test_sets_of_equal_style_are_near_and_thicker_strokes_are_not():
    digits = data.to_model_range(data.load_mnist("test").images[:600])
    classifier = load_classifier("mnist")
    first, second = digits[:300], digits[300:]
    assert style_distance(classifier, first, first) == 0
    same = style_distance(classifier, first, second)
    assert same < 0.1 * style_distance(classifier, data.thickened(first), second)
    assert same < 0.1 * style_distance(classifier, data.enlarge(data.downsample(first, 4), 4), second)
    finest = style_distance(classifier, data.thickened(first), second, weights=[1, 0, 0])
    rest = style_distance(classifier, data.thickened(first), second, weights=[0, 0.5, 0.5])
    assert style_distance(classifier, data.thickened(first), second) == pytest.approx(
        finest / 3 + rest * 2 / 3
    )
