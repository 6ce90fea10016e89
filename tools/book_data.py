"""What the page's explorers need of Python: trained weights, initial weights, constants.

Scripts that set a variable, so that a page opened as a file, where nothing can be fetched, has them too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks import picture, report
from course_utils import plots
from course_utils.data.toy import grid, ring, spiral, two_moons
from course_utils.metrics import load_classifier
from course_utils.metrics.cells import data_cells
from course_utils.models import load_generator
from course_utils.models.upsampling import TransposedConvolution
from course_utils.plots.toy import latent_lines
from course_utils.theory.game_dynamics import standard_normal_points
from course_utils.training import toy_gan
from course_utils.widgets.latent_slider import strongest_directions

STARTS = 100  # latents that the slider can start from, as in the notebook
DIRECTIONS = 4


def singles(values: Tensor) -> str:
    """Numbers as float32, little-endian, in base64."""
    return base64.b64encode(values.detach().float().contiguous().numpy().astype("<f4").tobytes()).decode()


def network(layers: nn.Module) -> dict:
    """A trained network in evaluation mode: its layers' kinds and sizes, and all weights in their order.

    The weights are given in half precision where they were stored so, which loses nothing, else in single.
    """
    described, weights = [], []
    for layer in layers.modules():
        take = DESCRIBED.get(type(layer))
        if take is not None:
            kind, tensors = take(layer)
            described.append(kind)
            weights += [tensor.detach().flatten() for tensor in tensors if tensor is not None]
        elif not list(layer.children()):
            raise TypeError(f"the page cannot compute a {type(layer).__name__}; teach book/static/numbers.js")
    together = torch.cat(weights).float()
    if torch.equal(together, together.half().float()):
        return {"layers": described, "weights": {"half": _halves(together)}}
    return {"layers": described, "weights": {"single": singles(together)}}


def _halves(values: Tensor) -> str:
    return base64.b64encode(values.half().numpy().astype("<f2").tobytes()).decode()


def _linear(layer: nn.Linear) -> tuple[dict, list]:
    sizes = {"inputs": layer.in_features, "outputs": layer.out_features, "bias": layer.bias is not None}
    return {"kind": "linear", **sizes}, [layer.weight, layer.bias]


def _norm(layer: nn.BatchNorm2d) -> tuple[dict, list]:
    kind = {"kind": "norm", "channels": layer.num_features, "eps": layer.eps}
    return kind, [layer.weight, layer.bias, layer.running_mean, layer.running_var]


def _conv(layer: nn.Conv2d) -> tuple[dict, list]:
    if (layer.kernel_size, layer.stride, layer.padding, layer.bias) != ((3, 3), (1, 1), (1, 1), None):
        raise TypeError("the page computes 3×3 convolutions with padding 1, without a bias")
    return {"kind": "conv", "inputs": layer.in_channels, "outputs": layer.out_channels}, [layer.weight]


def _transposed(layer: TransposedConvolution) -> tuple[dict, list]:
    sizes = {"inputs": layer.in_channels, "outputs": layer.out_channels, "bias": layer.bias is not None}
    return {"kind": "transposed", **sizes}, [layer.weight, layer.bias]


def _unflatten(layer: nn.Unflatten) -> tuple[dict, list]:
    return {
        "kind": "reshape",
        **dict(zip(("channels", "height", "width"), layer.unflattened_size, strict=True)),
    }, []


def _kind(name: str) -> Callable[[nn.Module], tuple[dict, list]]:
    return lambda layer: ({"kind": name}, [])


DESCRIBED: dict[type, Callable[[nn.Module], tuple[dict, list]]] = {
    nn.Linear: _linear,
    nn.BatchNorm2d: _norm,
    nn.Conv2d: _conv,
    TransposedConvolution: _transposed,
    nn.Unflatten: _unflatten,
    nn.ReLU: _kind("relu"),
    nn.Tanh: _kind("tanh"),
    nn.MaxPool2d: _kind("maxpool"),
    nn.Flatten: lambda layer: ({"kind": "reshape", "channels": 1, "height": 1, "width": 1}, []),
}


def digits() -> dict:
    """The shipped digits generator, the classifier that looks at its images, latents and directions."""
    generator, classifier = load_generator("mnist"), load_classifier("mnist")
    seeds = (torch.Generator().manual_seed(start) for start in range(STARTS))
    starts = torch.stack([torch.randn(generator.latent_dim, generator=seed) for seed in seeds])
    return {
        "generator": network(generator),
        "classifier": network(classifier),
        "latentDim": generator.latent_dim,
        "starts": singles(starts),
        "directions": singles(strongest_directions(generator)[:DIRECTIONS]),
        "madeBy": generator.made_by,
    }


def plane() -> dict:
    """What the game explorer and the playground need: constants, the data's cells, untrained networks."""
    made = {"ring of eight": ring(), "5 × 5 grid": grid(), "two moons": two_moons(), "spiral": spiral()}
    networks = {}
    for packing in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # as `gan_playground()` begins
            gan = toy_gan(2, packing=packing)
        networks[packing] = {
            "generator": [singles(weight.flatten()) for weight in gan.generator.parameters()],
            "discriminator": [singles(weight.flatten()) for weight in gan.discriminator.parameters()],
        }
    return {
        "normalPoints": standard_normal_points(64).tolist(),
        "latentLines": singles(latent_lines().flatten()),
        "cells": {name: singles(data_cells(density)) for name, density in made.items()},
        "networks": networks,
    }


def benchmark_card() -> bytes:
    """The benchmark's picture for the front page, where there is room for MNIST's curves alone, as PNG."""
    runs = report.on_cpu(report.all_records())["mnist"]
    figure, panel = plots.new_figure(width=3.0, height=3.0)
    ends = {name: picture.draw_runs(panel, name, several) for name, several in runs.items()}
    panel.set(xscale="log", yscale="log", xlabel="seconds of training")
    panel.set_title("Fréchet distance, MNIST", loc="left", fontsize=11, fontweight="bold")
    panel.set_xticks([5, 30, 300], ["5", "30", "300"])
    panel.set_yticks([0.5, 5, 50, 500], ["0.5", "5", "50", "500"])
    panel.minorticks_off()
    panel.annotate("ours", ends["ours"], (0, 8), textcoords="offset points", ha="right", fontweight="bold",
                   color=plots.PALETTE[picture.STYLES["ours"][0]])  # fmt: skip
    return plots.to_png(figure)


def write(folder: Path) -> None:
    """Both scripts, and the picture that the front page shows."""
    (folder / "benchmark.png").write_bytes(benchmark_card())
    for name, content in (("plane", plane()), ("digits", digits())):
        text = (
            f"var courseData = globalThis.courseData ?? {{}};\ncourseData.{name} = {json.dumps(content)};\n"
        )
        (folder / f"data-{name}.js").write_text(text, encoding="utf-8")
