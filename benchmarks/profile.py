"""Where does each microsecond of a round go, and what did we try? `python -m benchmarks.profile`

A round is a step of D, a step of G and the average, of 64 images, on one thread. Its time is shared among
groups of operators by their self time (torch.profiler). What was tried is measured against the recipe as it
is, in turns, in seconds of the processor: only ratios, so that the hour of a shared machine matters little.
Both go to benchmarks/results/profile.json, and `python -m benchmarks report` puts them into docs/speed.md.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks import flops
from benchmarks.records import QUICK, RESULTS, add, circumstances
from course_utils import data
from course_utils.training import CIFAR10_CLASSES, CIFAR10_DCGAN, MNIST_DCGAN, Recipe
from course_utils.training.average import averaged_copy, update_average
from course_utils.training.machine import Machine

RECIPES = {
    "05_dcgan_mnist": (MNIST_DCGAN, "mnist"),
    "06_dcgan_cifar10": (CIFAR10_DCGAN, "cifar10"),
    "cifar10_classes": (CIFAR10_CLASSES, "cifar10"),
}
# The first group whose word an operator's name holds has its time.
GROUPS = {
    "convolutions, backward": ("convolution_backward",),
    "convolutions, forward": ("aten::mkldnn_convolution", "aten::_convolution", "aten::conv", "slow_conv"),
    "matrix products": ("aten::mm", "aten::addmm", "aten::bmm", "aten::mv", "aten::addmv", "linear"),
    "batch normalisation": ("batch_norm",),
    "Adam": ("adam",),
    "casts and copies": ("aten::copy_", "aten::_to_copy", "aten::to", "aten::clone", "aten::contiguous"),
    "activations": ("leaky_relu", "relu", "tanh", "threshold"),
}
REST = "the rest"


def rounds(
    recipe: Recipe, name: str, *, precision="auto", compiled=False, batch_size=64, fused=True, layout=None
) -> Callable[[], object]:
    """A function that plays one round, with one thing changed.

    Args:
        recipe, name: networks and settings, and the data set they are for.
        precision, compiled, batch_size: of `Machine`.
        fused: whether Adam moves all weights in one call.
        layout: memory format of networks and images; None leaves the usual one.
    """
    torch.manual_seed(0)
    model, machine = recipe.gan(), Machine("cpu", precision, compiled, 1, batch_size, 0)
    machine.place(model.networks)
    photographs = data.load(name, "train")
    images, labels = photographs.images[:10_000], photographs.labels[:10_000]
    draw = data.image_sampler(images)
    if recipe is CIFAR10_CLASSES:
        draw = data.labelled_sampler(images, labels)
    if layout is not None:
        for network in model.networks.values():
            network.to(memory_format=layout)
        draw = laid_out(draw, layout)
    model.prepare(machine)
    for optimizer in model.optimizers.values():
        for group in optimizer.param_groups:
            group["fused"] = fused
    average = averaged_copy(model.generator)

    def play() -> None:
        model.training_step(partial(machine.draw, draw), machine)
        update_average(average, model.generator, machine.batches_drawn * batch_size, batch_size, 5_000)

    return play


def laid_out(draw: data.Sampler, layout: torch.memory_format) -> data.Sampler:
    """A sampler of images in that memory format."""

    def changed(n: int, rng: torch.Generator):
        drawn = draw(n, rng)
        if isinstance(drawn, tuple):
            return drawn[0].contiguous(memory_format=layout), *drawn[1:]
        return drawn.contiguous(memory_format=layout)

    return changed


def group_of(operator: str) -> str:
    """The group of `GROUPS` that an operator's time belongs to."""
    name = operator.lower()
    found = (group for group, words in GROUPS.items() if any(word in name for word in words))
    return next(found, REST)


def shares(play: Callable[[], object], count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Microseconds of a round in each group, and in the longest operators of the rest."""
    for _ in range(3):
        play()
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        for _ in range(count):
            play()
    groups, rest = dict.fromkeys([*GROUPS, REST], 0.0), {}
    for event in profiler.key_averages():
        group, microseconds = group_of(event.key), event.self_cpu_time_total / count
        groups[group] += microseconds
        if group == REST:
            rest[event.key] = microseconds
    longest = sorted(rest, key=rest.get, reverse=True)[:8]
    return groups, {name: rest[name] for name in longest}


TRIED = {
    "float32": {"precision": "float32"},
    "channels_last": {"layout": torch.channels_last},
    "torch.compile": {"compiled": True},
    "batches of 128": {"batch_size": 128},
    "batches of 256": {"batch_size": 256},
    "Adam, a weight at a time": {"fused": False},
}


def seconds_an_image(play: Callable[[], object], count: int, batch_size: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        play()
    return (time.process_time() - begin) / (count * batch_size)


def ratio(recipe: Recipe, name: str, change: dict, count: int, turns: int) -> dict[str, float]:
    """Time for an image over that of the recipe as it is: as it is, changed, as it is, …; the median."""
    batch_size = change.get("batch_size", 64)
    base, changed = rounds(recipe, name), rounds(recipe, name, **change)
    fewer = max(1, count * 64 // batch_size)
    for play in (base, changed):
        for _ in range(3):
            play()  # the first rounds do not count: they compile
    pairs = [
        (seconds_an_image(base, count, 64), seconds_an_image(changed, fewer, batch_size))
        for _ in range(turns)
    ]
    ratios = sorted(after / before for before, after in pairs)
    return {"ratio": median(ratios), "lowest": ratios[0], "highest": ratios[-1]}


def measure(key: str, count: int, turns: int, quick: bool) -> dict:
    torch.set_num_threads(1)
    recipe, name = RECIPES[key]
    play = rounds(recipe, name)
    groups, longest = shares(play, count)
    record = {
        "kind": "profile",
        "name": key,
        "rounds": count,
        "microseconds": {group: round(value, 1) for group, value in groups.items()},
        "longest_of_the_rest": {name: round(value, 1) for name, value in longest.items()},
        "gflop": flops.count(play) / 1e9,
        "tried": {},
    }
    for what, change in TRIED.items():
        try:
            record["tried"][what] = ratio(recipe, name, change, count, turns)
        except Exception as error:  # a compiler that is not there is a result, too
            record["tried"][what] = {"failed": str(error).splitlines()[0][:200]}
        print(key, what, record["tried"][what], flush=True)
    return {**record, **circumstances(torch.device("cpu"), quick)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", choices=[[], *RECIPES], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=20, help="of 64 images (20)")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help=QUICK)
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.turns = 1, 1
    for key in options.names or RECIPES:
        record = measure(key, options.rounds, options.turns, options.quick)
        print(key, record["microseconds"], record["longest_of_the_rest"], flush=True)
        if not options.quick:
            add(RESULTS / "profile.json", key, record)


if __name__ == "__main__":
    main()
