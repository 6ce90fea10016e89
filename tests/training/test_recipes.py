"""The course's recipes: each builds a game that trains, and what ships was made by one of them."""

import pytest
import torch

from course_utils.data import labelled_sampler
from course_utils.models import load_feature_stages, load_generator, mnist_dcgan
from course_utils.training import (
    CIFAR10_CLASSES,
    CIFAR10_DCGAN,
    MNIST_CONDITIONAL,
    MNIST_DCGAN,
    MNIST_MLP,
    MNIST_QUICK,
    MNIST_VAE,
    toy_gan,
    train,
)
from course_utils.training import __main__ as command
from tools.ship_colour_generator import TRAININGS, networks

RECIPES = {"04": MNIST_MLP, "05": MNIST_DCGAN, "quick": MNIST_QUICK, "06": CIFAR10_DCGAN}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_from_the_initialisation_of_the_seed(name):
    recipe, shape = RECIPES[name], (3, 32, 32) if name == "06" else (1, 28, 28)
    first = []
    for _ in range(2):
        torch.manual_seed(3)
        gan = recipe.gan()
        first.append(next(gan.generator.parameters()).clone())
    assert torch.equal(*first)
    assert gan.settings == {**gan.settings, **recipe.game}

    def draw(n, rng):
        return torch.rand(n, *shape, generator=rng) * 2 - 1

    run = train(gan, draw, images=128, device="cpu", progress=False, **recipe.training)
    assert run.snapshots[-1][1].shape == (64, *shape)


def test_the_vae_trains_from_the_initialisation_of_the_seed():
    first = []
    for _ in range(2):
        torch.manual_seed(3)
        vae = MNIST_VAE.vae()
        first.append(next(vae.encoder.parameters()).clone())
    assert torch.equal(*first)
    assert vae.settings == {**vae.settings, **MNIST_VAE.game}

    def draw(n, rng):
        return torch.randint(2, (n, 1, 28, 28), generator=rng).float() * 2 - 1

    run = train(vae, draw, images=128, device="cpu", progress=False, **MNIST_VAE.training)
    assert run.snapshots[-1][1].shape == (64, 1, 28, 28)


def test_the_recipe_of_classes_trains_both_networks_and_leaves_the_features_as_they_ship():
    torch.manual_seed(3)
    gan = CIFAR10_CLASSES.gan()
    shipped = load_feature_stages().state_dict()
    images = torch.randint(256, (40, 3, 32, 32), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    draw = labelled_sampler(images, torch.arange(40) % 4)  # fewer classes than it has
    before = {name: next(network.parameters()).clone() for name, network in gan.networks.items()}
    heads = gan.discriminator.heads[0].real.parametrizations.weight.original.clone()
    run = train(
        gan,
        draw,
        images=128,
        device="cpu",
        progress=False,
        snapshot_samples=4,
        conditions=torch.arange(4),
        **CIFAR10_CLASSES.training,
    )
    assert run.snapshots[-1][1].shape == (4, 3, 32, 32)
    trained = run.networks["discriminator"]
    assert not torch.equal(trained.heads[0].real.parametrizations.weight.original, heads)
    assert all(torch.equal(value, shipped[name]) for name, value in trained.stages.state_dict().items())
    assert not torch.equal(next(run.networks["generator"].parameters()), before["generator"])


def test_the_command_takes_the_notebooks_recipes():
    assert command.RECIPES == {"mnist": MNIST_DCGAN, "cifar10": CIFAR10_DCGAN}


def test_a_toy_gan_maps_the_line_or_the_plane_onto_itself():
    for dim in (1, 2):
        gan = toy_gan(dim, packing=2, loss="hinge")
        assert gan.generator(torch.zeros(4, dim)).shape == (4, dim)
        assert gan.discriminator(torch.zeros(4, dim)).shape == (2,)
        assert gan.loss == "hinge"


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("mnist", mnist_dcgan),
        ("mnist_classes", MNIST_CONDITIONAL.networks),
        ("cifar10_minutes", CIFAR10_DCGAN.networks),
        ("cifar10", lambda: networks(TRAININGS["cifar10"])),
    ],
)
def test_a_shipped_generator_has_the_layers_of_its_recipe(name, build):
    assert repr(load_generator(name)) == repr(build()[0])
