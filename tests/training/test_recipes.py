"""What the notebooks train is what `models` and `training.recipes` name, which the benchmarks measure."""

import ast
from inspect import signature
from pathlib import Path

import pytest
import torch

from course_utils.models import cifar10_dcgan, load_generator, mnist_dcgan
from course_utils.training import CIFAR10_DCGAN, MNIST_DCGAN, train_gan
from course_utils.training import __main__ as command
from tools.ship_colour_generator import TRAININGS, networks

SOLUTIONS = Path(__file__).parents[2] / "solutions"
RECIPES = {
    "05_dcgan_mnist": (mnist_dcgan, MNIST_DCGAN),
    "06_dcgan_cifar10": (cifar10_dcgan, CIFAR10_DCGAN),
}
NETWORKS = {"NETWORK", "generator", "discriminator"}
LENGTH = {"images", "snapshot_every", "on_snapshot", "seed"}  # no part of a recipe


def main_training(notebook: str) -> tuple[tuple, dict]:
    """((G, D), settings) of `run = train_gan(...)`: runs the notebook's own lines that make the networks."""
    file = SOLUTIONS / f"{notebook}.py"
    names = {"device": torch.device("cpu")}
    for statement in ast.parse(file.read_text(encoding="utf-8")).body:
        if "run" in defined(statement):
            call = statement.value
            break
        if isinstance(statement, (ast.Import, ast.ImportFrom)) or defined(statement) & NETWORKS:
            exec(compile(ast.Module([statement], []), file, "exec"), names)
    assert call.func.id == "train_gan"
    assert [argument.id for argument in call.args] == ["generator", "discriminator", "draw_real"]
    settings = {}
    for keyword in call.keywords:
        if keyword.arg not in LENGTH:
            value = eval(compile(ast.Expression(keyword.value), file, "eval"), names)
            settings.update(value if keyword.arg is None else {keyword.arg: value})
    return (names["generator"], names["discriminator"]), settings


def defined(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value."""
    if isinstance(statement, ast.FunctionDef):
        return {statement.name}
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)}


@pytest.mark.parametrize("notebook", RECIPES)
def test_a_notebook_trains_with_its_recipe(notebook):
    build, recipe = RECIPES[notebook]
    torch.manual_seed(0)
    networks, settings = main_training(notebook)
    for found, expected in zip(networks, build(), strict=True):
        assert repr(found) == repr(expected)  # the layers, with their sizes
        for weights, others in zip(found.parameters(), expected.parameters(), strict=True):
            if weights.numel() > 1000:  # initial weights of one kind
                assert weights.std().item() == pytest.approx(others.std().item(), rel=0.1)
    defaults = {name: parameter.default for name, parameter in signature(train_gan).parameters.items()}
    assert {**defaults, **settings} == {**defaults, **recipe}


def test_the_command_and_the_benchmarks_take_the_notebooks_recipes():
    assert list(command.RECIPES.values()) == list(RECIPES.values())


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("mnist", mnist_dcgan),
        ("cifar10_minutes", cifar10_dcgan),
        ("cifar10", lambda: networks(TRAININGS["cifar10"])),
    ],
)
def test_a_shipped_generator_has_the_layers_of_its_recipe(name, build):
    assert repr(load_generator(name)) == repr(build()[0])
