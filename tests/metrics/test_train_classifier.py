"""The recipe that made the shipped classifiers: it learns, it moves and mirrors, its files round-trip."""

import torch

from course_utils.files import load_weights, save_weights
from course_utils.metrics.classifiers import cifar10_classifier, mnist_classifier
from course_utils.metrics.train_classifier import RECIPES, accuracy, augment, train

RNG = torch.Generator


def test_augmentation_only_moves_the_picture():
    dot = -torch.ones(200, 1, 9, 9)
    dot[:, 0, 4, 4] = 1.0
    moved = augment(dot, RECIPES["mnist"]._replace(shift=2), RNG().manual_seed(0))
    positions = (moved[:, 0] == 1).nonzero()
    assert len(positions) == 200  # each picture still has its one dot …
    assert (
        set(positions[:, 1].tolist()) == set(positions[:, 2].tolist()) == {2, 3, 4, 5, 6}
    )  # … all shifts occur


def test_mirroring_flips_about_half_of_the_pictures_and_only_where_the_recipe_says_so():
    left = -torch.ones(400, 3, 8, 8)
    left[..., :4] = 1.0
    recipe = RECIPES["cifar10"]._replace(shift=0)
    mirrored = (augment(left, recipe, RNG().manual_seed(0))[:, 0, 0, 0] == -1).sum()
    assert 150 < mirrored < 250  # five standard deviations around 200
    assert torch.equal(augment(left, recipe._replace(flip=False), RNG().manual_seed(0)), left)


def test_it_learns_what_can_be_learnt():
    rng = RNG().manual_seed(0)
    labels = torch.randint(10, (512,), generator=rng)
    images = torch.randint(60, (512, 1, 28, 28), generator=rng, dtype=torch.uint8)
    for index, label in enumerate(labels):  # class k is a bar in row 2k + 4
        images[index, 0, 2 * label + 4, 4:24] = 255
    torch.manual_seed(0)
    recipe = RECIPES["mnist"]._replace(epochs=6, batch_size=64, shift=0)
    classifier = train(mnist_classifier(), images, labels, recipe)
    assert not classifier.training
    assert accuracy(classifier, images, labels) > 0.95


def test_saved_weights_are_half_as_big_and_hardly_different(tmp_path):
    torch.manual_seed(0)
    classifier = cifar10_classifier().eval()
    save_weights(classifier, tmp_path / "weights.safetensors", half=True)
    loaded = load_weights(cifar10_classifier().eval(), tmp_path / "weights.safetensors")
    images = 2 * torch.rand(4, 3, 32, 32) - 1
    assert torch.allclose(classifier.features(images), loaded.features(images), atol=2e-2)
    parameters = sum(p.numel() for p in classifier.parameters())
    assert (tmp_path / "weights.safetensors").stat().st_size < 2.05 * parameters + 10_000
