"""Time to quality: train for so many seconds, and evaluate the samples while the clock stands still."""

import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import flops
from benchmarks.peers import PEERS, Peer
from benchmarks.recipes import RECIPES, gan, settings
from benchmarks.records import circumstances
from course_utils import data
from course_utils.metrics import frechet_evaluator
from course_utils.metrics.classifiers import in_batches
from course_utils.metrics.frechet import feature_statistics
from course_utils.metrics.referee import referee
from course_utils.models import count_parameters, sample
from course_utils.runtime import autocast_dtype, pick_device
from course_utils.training import TrainingDiverged
from course_utils.training import train as train_model

MARKS = (2, 3, 5, 7, 10, 15, 20, 30, 60, 120, 180, 300)  # seconds of training after which a run is evaluated
OURS = {  # data set → our competitors on it → which of RECIPES, most of them a notebook's
    "mnist": {
        "ours": "05_dcgan_mnist",
        "ours_quick": "quick_dcgan_mnist",
        "ours_mlp": "04_mlp_gan_mnist",
    },
    "cifar10": {"ours": "06_dcgan_cifar10"},
}
LABELS = {"ours": "ours", "ours_quick": "ours, quick start", "ours_mlp": "ours, fully connected"}
LATENTS_SEED = 12_345
LOOK_EVERY = 10  # steps of ours: `train` counts images, so the seconds are read so often
ENDLESS = 10**12  # images


class Plan(NamedTuple):
    """One run: who, from which initial weights, for how long, and how it is evaluated."""

    data: str
    name: str  # a key of OURS[data], or of PEERS
    seed: int
    seconds: float
    marks: tuple[float, ...] = MARKS
    samples: int = 5_000  # drawn for each evaluation, the same number for everybody
    warm_up: int = 5  # steps on throw-away networks, before the clock starts
    quick: bool = False


def names(data_name: str) -> list[str]:
    """Who competes on a data set, ours first."""
    return [*OURS[data_name], *(name for name, peer in PEERS.items() if peer.data == data_name)]


def label(name: str) -> str:
    return PEERS[name].label if name in PEERS else LABELS[name]


def key(plan: Plan, device: str) -> str:
    return f"{plan.name}/seed {plan.seed}/{device}"


def run(plan: Plan) -> dict:
    """Carries out a plan, in a process of its own: the peak of memory is a process's, and never falls."""
    device = pick_device()
    now = circumstances(device, plan.quick)  # before the run: the code may be edited while it lasts
    images = training_images(plan.data, plan.quick)
    record = {"data": plan.data, "name": plan.name, "label": label(plan.name), "seed": plan.seed}
    measure = run_peer if plan.name in PEERS else run_ours
    record.update(measure(plan, images.images, device))
    record["training_data"] = images.note or f"{plan.data}, full training set"
    record["evaluator"] = {
        "name": f"course_utils.metrics.frechet_evaluator({plan.data!r})",
        "samples": plan.samples,
        "note": frechet_evaluator(plan.data).note,
    }
    return {**record, **now}


def training_images(data_name: str, quick: bool) -> data.ImageData:
    """The real training images: a stand-in will do for nothing but a quick run."""
    images = data.load(data_name, "train")
    if images.is_stand_in and not quick:
        raise SystemExit(f"the benchmark needs the real data, but there is only: {images.note}")
    return images


def run_peer(plan: Plan, images: Tensor, device: torch.device) -> dict:
    """One run, evaluated at every mark up to `plan.seconds`."""
    peer = PEERS[plan.name]
    draw = data.image_sampler(resized(images, peer.image_size), device)
    baseline = peak_megabytes(device)
    begin = time.perf_counter()
    step, _, _ = playing(peer, draw, device, plan.seed)
    for _ in range(plan.warm_up):
        step()
    warm_up = time.perf_counter() - begin

    step, generator, discriminator = playing(peer, draw, device, plan.seed)
    evaluation = Evaluation(plan, peer.image_size, device)
    marks = up_to(plan.marks, plan.seconds)
    points = timed(step, marks, lambda: evaluation(generator), lambda: wait(device))
    for point in points:
        point["images"] = point.pop("steps") * peer.batch_size
    flop = flops.count(playing(peer, draw, device, plan.seed)[0])
    return {
        "source": peer.source,
        "batch_size": peer.batch_size,
        "image_size": peer.image_size,
        "precision": "float32",
        "parameters": {
            "generator": count_parameters(generator),
            "discriminator": count_parameters(discriminator),
        },
        "points": points,
        "images_per_second": points[-1]["images"] / points[-1]["seconds"],
        "flop_per_image": flop / peer.batch_size,
        "flop_per_step": flop,
        "memory_megabytes": {"before": baseline, "peak": evaluation.peak},
        "apart": {"warm_up_seconds": warm_up, "evaluation_seconds": evaluation.seconds},
    }


def playing(peer: Peer, draw: data.Sampler, device: torch.device, seed: int):
    """A step without arguments, and the two networks that it trains."""
    torch.manual_seed(seed)
    generator, discriminator, step = peer.build()
    generator.to(device)
    discriminator.to(device)
    rng = torch.Generator(device).manual_seed(seed)
    return lambda: step(draw(peer.batch_size, rng), rng), generator, discriminator


def run_ours(plan: Plan, images: Tensor, device: torch.device) -> dict:
    """One run of one of our recipes through `train`, evaluated at every mark up to `plan.seconds`."""
    chosen = OURS[plan.data][plan.name]
    recipe = RECIPES[chosen]
    batch_size = recipe.options["batch_size"]
    draw = data.image_sampler(images, device)
    generator, discriminator = recipe.build(recipe.options)
    precision = autocast_dtype(device, generator, discriminator) or torch.float32
    baseline, threads = peak_megabytes(device), torch.get_num_threads()

    def train(number: int, **more):
        torch.manual_seed(plan.seed)
        more = {"snapshot_every": number, "snapshot_samples": 1, **settings(recipe.options), **more}
        more = {"device": device, "seed": plan.seed, "progress": False, "threads": threads, **more}
        return train_model(gan(recipe, recipe.options), draw, images=number, **more)

    begin = time.perf_counter()
    train(plan.warm_up * batch_size)
    warm_up = time.perf_counter() - begin

    evaluation = Evaluation(plan, images.shape[-1], device)
    marks, points = up_to(plan.marks, plan.seconds), []

    def look(trained):
        mark, now = marks[len(points)], {"seconds": trained.seconds, "images": trained.images_seen}
        if trained.seconds >= mark:
            points.append({"mark": mark, **now, **evaluation(trained.average)})
        if len(points) == len(marks):
            raise TimeIsUp

    try:
        train(ENDLESS, snapshot_every=LOOK_EVERY * batch_size, on_snapshot=look)
    except TimeIsUp:
        pass
    except TrainingDiverged as diverged:
        now = {"seconds": diverged.run.seconds, "images": diverged.run.images_seen}
        points += [{"mark": mark, **now, "frechet": None} for mark in marks[len(points) :]]
    one = flops.count(lambda: train(batch_size))
    two = flops.count(lambda: train(2 * batch_size))
    return {
        "source": f"course_utils.training.train, recipe {chosen}",
        "batch_size": batch_size,
        "image_size": images.shape[-1],
        "precision": str(precision).removeprefix("torch."),
        "parameters": {
            "generator": count_parameters(generator),
            "discriminator": count_parameters(discriminator),
        },
        "points": points,
        "images_per_second": points[-1]["images"] / max(points[-1]["seconds"], 1e-9),
        "flop_per_image": (two - one) / batch_size,  # what a snapshot takes falls out
        "flop_per_step": two - one,
        "memory_megabytes": {"before": baseline, "peak": evaluation.peak},
        "apart": {"warm_up_seconds": warm_up, "evaluation_seconds": evaluation.seconds},
    }


class TimeIsUp(Exception):
    """The last mark is evaluated: nothing went wrong."""


def up_to(marks: Sequence[float], end: float) -> list[float]:
    """The marks before the end, and the end."""
    return [*(mark for mark in marks if mark < end), end]


def timed(
    step: Callable[[], object],
    marks: Sequence[float],
    evaluation: Callable[[], dict],
    wait: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[dict]:
    """Steps until each mark, in seconds of training; evaluates there, while the clock stands still.

    Args:
        step: one step of training.
        marks: increasing.
        evaluation: what is to be noted of the present state.
        wait: returns when the device has finished what it was given.
        clock: seconds.

    Returns:
        For each mark what `evaluation` returned, with the steps so far and the seconds that they took.
    """
    points, steps, seconds = [], 0, 0.0
    for mark in marks:
        begin = clock()
        while seconds + clock() - begin < mark:
            step()
            steps += 1
        wait()
        seconds += clock() - begin
        points.append({"mark": mark, "seconds": seconds, "steps": steps, **evaluation()})
    return points


class Evaluation:
    """evaluation(generator) → Fréchet distances by both judges; notes seconds, and the memory *before* it."""

    def __init__(self, plan: Plan, image_size: int, device: torch.device):
        self.plan, self.image_size, self.device = plan, image_size, device
        self.seconds, self.peak = 0.0, None

    def __call__(self, generator: nn.Module) -> dict:
        if self.peak is None:
            self.peak = peak_megabytes(self.device)  # of training alone: nothing has been evaluated so far
        begin = time.perf_counter()
        found = {}
        for name, load_judge in JUDGES.items():
            evaluate = load_judge(self.plan.data)
            size = evaluate.classifier.image_shape[-1]
            samples = shrunk(sample(generator, self.plan.samples, seed=LATENTS_SEED), size)
            finite = bool(samples.isfinite().all())
            found[name] = evaluate(samples) if finite else None
            if finite and self.image_size != size:
                found[f"{name}_size_matched"] = size_matched(name, evaluate, self.image_size)(samples)
        self.seconds += time.perf_counter() - begin
        return found


JUDGES = {"frechet": frechet_evaluator, "frechet_referee": referee}  # by the second, nothing was chosen
MATCHED = {}


def size_matched(name: str, evaluate, image_size: int):
    """The evaluator whose real images went to the network's size and back, so that resizing costs nothing."""
    if (name, image_size) not in MATCHED:
        real = data.load(evaluate.name, "test").images
        size = real.shape[-1]
        back = shrunk(data.to_model_range(resized(real, image_size)), size)
        MATCHED[name, image_size] = evaluate._replace(
            real=feature_statistics(in_batches(evaluate.classifier.features, back))
        )
    return MATCHED[name, image_size]


def resized(images: Tensor, size: int) -> Tensor:
    """uint8 images enlarged to size × size, bilinearly, as the peers' loaders do it."""
    if images.shape[-1] == size:
        return images
    larger = [
        F.interpolate(part.float(), size=(size, size), mode="bilinear").round().to(torch.uint8)
        for part in images.split(1_000)
    ]
    return torch.cat(larger)


def shrunk(images: Tensor, size: int) -> Tensor:
    """Samples reduced to size × size, bilinearly and with anti-aliasing."""
    if images.shape[-1] == size:
        return images
    parts = [
        F.interpolate(part, size=(size, size), mode="bilinear", antialias=True)
        for part in images.split(1_000)
    ]
    return torch.cat(parts).clamp(-1, 1)


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_megabytes(device: torch.device) -> float:
    """The most memory that this process, or its GPU, has held so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes here
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def seconds_to(points: Sequence[tuple[float, float]], distance: float) -> float | None:
    """When the distance is first reached: on a straight line between marks, in the logarithms of both.

    Args:
        points: (seconds or images, Fréchet distance), in order of time.
        distance: > 0.

    Returns:
        None if it is never reached; the first mark's place if it is reached there already.
    """
    before = None
    for place, reached in points:
        if reached <= distance:
            if before is None:
                return place
            (start, above) = before
            fraction = math.log(above / distance) / math.log(above / reached)
            return start * (place / start) ** fraction
        before = (place, reached)
    return None
