"""Time to quality: train for so many seconds, and judge the samples while the clock stands still."""

import math
import resource
import sys
import time
from collections.abc import Callable, Sequence
from inspect import signature
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import flops
from benchmarks.peers import PEERS, Peer
from benchmarks.records import circumstances
from course_utils import data
from course_utils.metrics import frechet_evaluator
from course_utils.metrics.classifiers import in_batches
from course_utils.metrics.frechet import feature_statistics
from course_utils.models import count_parameters, sample
from course_utils.runtime import autocast_dtype, pick_device
from course_utils.train import RECIPES
from course_utils.training import TrainingDiverged, train_gan

MARKS = (5, 15, 20, 30, 60, 120, 180, 300)  # seconds of training after which a run is judged
# Our learning rate falls towards the end of a run, so that "after T seconds" is a run of its own.
BUDGETS = (2, 5, 10, 15, 20, 30, 60, 120, 180, 300)
LATENTS_SEED = 12_345


class Plan(NamedTuple):
    """One run: who, from which first weights, for how long, and how it is judged."""

    data: str
    name: str  # "ours", or a key of PEERS
    seed: int
    seconds: float
    marks: tuple[float, ...] = MARKS
    budgets: tuple[float, ...] = BUDGETS
    samples: int = 5_000  # drawn for each judgement, the same number for everybody
    warm_up: int = 5  # steps on throw-away networks, before the clock starts
    quick: bool = False


def names(data_name: str) -> list[str]:
    """Who competes on a data set, ours first."""
    return ["ours", *(name for name, peer in PEERS.items() if peer.data == data_name)]


def label(name: str) -> str:
    return "ours" if name == "ours" else PEERS[name].label


def key(plan: Plan, device: str) -> str:
    return f"{plan.name}/seed {plan.seed}/{device}"


def run(plan: Plan) -> dict:
    """Carries out a plan, in a process of its own: the peak of memory is a process's, and never falls."""
    device = pick_device()
    now = circumstances(device, plan.quick)  # before the run: the code may be edited while it lasts
    images = training_images(plan.data, plan.quick)
    record = {"data": plan.data, "name": plan.name, "label": label(plan.name), "seed": plan.seed}
    measure = run_ours if plan.name == "ours" else run_peer
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
    """One run, judged at every mark up to `plan.seconds`."""
    peer = PEERS[plan.name]
    draw = data.image_sampler(resized(images, peer.image_size), device)
    baseline = peak_megabytes(device)
    begin = time.perf_counter()
    step, _, _ = playing(peer, draw, device, plan.seed)
    for _ in range(plan.warm_up):
        step()
    warm_up = time.perf_counter() - begin

    step, generator, discriminator = playing(peer, draw, device, plan.seed)
    judge = Judge(plan, peer.image_size, device)
    marks = up_to(plan.marks, plan.seconds)
    points = timed(step, marks, lambda: judge(generator), lambda: wait(device))
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
        "memory_megabytes": {"before": baseline, "peak": judge.peak},
        "apart": {"warm_up_seconds": warm_up, "evaluation_seconds": judge.seconds},
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
    """The notebook's recipe through `train_gan`, with as many images as fit into each budget."""
    networks, settings = RECIPES[plan.data]
    batch_size = settings.get("batch_size", signature(train_gan).parameters["batch_size"].default)
    draw = data.image_sampler(images, device)
    precision = autocast_dtype(device, *networks()) or torch.float32
    baseline = peak_megabytes(device)

    def train(number: int, **more):
        torch.manual_seed(plan.seed)
        more = {"snapshot_every": number, **settings, **more}
        return train_gan(
            *networks(),
            draw,
            images=number,
            device=device,
            seed=plan.seed,
            progress=False,
            **more,
        )

    begin = time.perf_counter()
    train(plan.warm_up * batch_size)
    warm_up = time.perf_counter() - begin
    speed = images_per_second(train(4 * plan.warm_up * batch_size))

    judge = Judge(plan, images.shape[-1], device)
    points = []
    for budget in up_to(plan.budgets, plan.seconds):
        room = 0.94  # the machine's speed varies: leave some of the budget unused
        while True:
            path = []

            def look(trained, path=path):
                if trained.images_seen:
                    judged = judge(trained.generator)
                    path.append({"seconds": trained.seconds, "images": trained.images_seen, **judged})

            number = max(int(room * budget * speed) // batch_size, 1) * batch_size
            shown = plan.seed == 0 and budget >= 30  # the way there, for the picture
            every = number // 5 if shown else number
            try:
                trained = train(number, snapshot_every=max(every, 1), on_snapshot=look)
            except TrainingDiverged:
                path.append({"seconds": budget, "images": number, "frechet": None})  # what it was to be
                break
            speed = images_per_second(trained)
            if trained.seconds <= budget or number == batch_size:
                break
            room *= 0.9  # too slow for the budget: such a run does not count
        points.append({"mark": budget, **path[-1], "path": path[:-1]})
    one = flops.count(lambda: train(batch_size))
    two = flops.count(lambda: train(2 * batch_size))
    generator, discriminator = networks()
    return {
        "source": f"course_utils.training.train_gan, with course_utils.train.RECIPES[{plan.data!r}]",
        "batch_size": batch_size,
        "image_size": images.shape[-1],
        "precision": str(precision).removeprefix("torch."),
        "parameters": {
            "generator": count_parameters(generator),
            "discriminator": count_parameters(discriminator),
        },
        "points": points,
        "images_per_second": speed,
        "flop_per_image": (two - one) / batch_size,  # what a snapshot takes falls out
        "flop_per_step": two - one,
        "memory_megabytes": {"before": baseline, "peak": judge.peak},
        "apart": {"warm_up_seconds": warm_up, "evaluation_seconds": judge.seconds},
    }


def up_to(marks: Sequence[float], end: float) -> list[float]:
    """The marks before the end, and the end."""
    return [*(mark for mark in marks if mark < end), end]


def images_per_second(trained) -> float:
    return trained.images_seen / max(trained.seconds, 1e-9)


def timed(
    step: Callable[[], object],
    marks: Sequence[float],
    judge: Callable[[], dict],
    wait: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.perf_counter,
) -> list[dict]:
    """Steps until each mark, in seconds of training; judges there, while the clock stands still.

    Args:
        step: one step of training.
        marks: increasing.
        judge: what is to be noted of the present state.
        wait: returns when the device has finished what it was given.
        clock: seconds.

    Returns:
        For each mark what `judge` returned, with the steps so far and the seconds that they took.
    """
    points, steps, seconds = [], 0, 0.0
    for mark in marks:
        begin = clock()
        while seconds + clock() - begin < mark:
            step()
            steps += 1
        wait()
        seconds += clock() - begin
        points.append({"mark": mark, "seconds": seconds, "steps": steps, **judge()})
    return points


class Judge:
    """judge(generator) → its Fréchet distance; notes the time that this takes, and the memory *before* it."""

    def __init__(self, plan: Plan, image_size: int, device: torch.device):
        self.plan, self.image_size, self.device = plan, image_size, device
        self.seconds, self.peak = 0.0, None

    def __call__(self, generator: nn.Module) -> dict:
        if self.peak is None:
            self.peak = peak_megabytes(self.device)  # of training alone: nothing has been judged so far
        begin = time.perf_counter()
        evaluate = frechet_evaluator(self.plan.data)
        size = evaluate.classifier.image_shape[-1]
        samples = shrunk(sample(generator, self.plan.samples, seed=LATENTS_SEED), size)
        finite = bool(samples.isfinite().all())
        judged = {"frechet": evaluate(samples) if finite else None}
        if finite and self.image_size != size:
            judged["frechet_size_matched"] = size_matched(evaluate, self.image_size)(samples)
        self.seconds += time.perf_counter() - begin
        return judged


MATCHED = {}


def size_matched(evaluate, image_size: int):
    """The evaluator whose real images went to the network's size and back, so that resizing costs nothing."""
    if image_size not in MATCHED:
        real = data.load(evaluate.name, "test").images
        size = real.shape[-1]
        back = shrunk(data.to_model_range(resized(real, image_size)), size)
        MATCHED[image_size] = evaluate._replace(
            real=feature_statistics(in_batches(evaluate.classifier.features, back))
        )
    return MATCHED[image_size]


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
            share = math.log(above / distance) / math.log(above / reached)
            return start * (place / start) ** share
        before = (place, reached)
    return None
