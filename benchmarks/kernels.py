"""Several notebooks at once on one machine: images a second, with threads measured and with threads fixed.

Each kernel is a process of its own that trains the digits' recipe on noise, all for the same seconds.
"""

import os
import subprocess
import sys
import time
from statistics import median

import torch

from benchmarks.records import ROOT, circumstances
from course_utils.data import image_sampler
from course_utils.runtime import pick_device, usable_cores
from course_utils.training import MNIST_DCGAN, train

KERNELS = (1, 2, 4)  # at once
ENDLESS = 10**9
LOOK_EVERY = 5  # steps


class TimeIsUp(Exception):
    """The seconds are over: nothing went wrong."""


def run(seconds: float = 20.0, rounds: int = 3, quick: bool = False) -> dict:
    """For each number of kernels and each way to choose threads, the median images a second of one kernel.

    Args:
        seconds: that the kernels train, in each round.
        rounds: in which every combination has its turn; medians are over kernels and rounds.
        quick: only whether it runs.

    Returns:
        "images_per_second": kernels → {"measured", "1", "2", …: images a second of one kernel}, and
        "against_best": kernels → what measuring reaches of the best fixed count.
    """
    if quick:
        seconds, rounds = 0.5, 1
    now = circumstances(torch.device("cpu"), quick)
    counts = [count for count in (1, 2, 4, 8, 16) if count <= usable_cores()]
    ways, kernels = ["measured", *map(str, counts)], (1, 2) if quick else KERNELS
    found = {number: {way: [] for way in ways} for number in kernels}
    for _ in range(rounds):
        for number in kernels:
            for way in ways:
                found[number][way] += together(number, way, seconds)
    speeds = {str(number): {way: median(found[number][way]) for way in ways} for number in kernels}
    best = {
        number: max(value for way, value in by.items() if way != "measured") for number, by in speeds.items()
    }
    ratios = {number: speeds[number]["measured"] / best[number] for number in speeds}
    return {"images_per_second": speeds, "against_best": ratios, "seconds": seconds, "rounds": rounds, **now}


def together(number: int, way: str, seconds: float) -> list[float]:
    """Images a second of each of so many kernels that start together."""
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    environment["COURSE_THREADS"] = "" if way == "measured" else way
    command = [sys.executable, "-m", "benchmarks.kernels", str(seconds)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    jobs = [subprocess.Popen(command, cwd=ROOT, env=environment, **pipes) for _ in range(number)]
    for job in jobs:
        job.stdout.readline()  # it is ready
    for job in jobs:
        job.stdin.write("go\n")
        job.stdin.flush()
    return [float(job.communicate()[0]) for job in jobs]


def kernel(seconds: float) -> float:
    """One kernel: trains for so many seconds; images a second, the choice of threads included."""
    rng = torch.Generator().manual_seed(0)
    digits = torch.randint(0, 256, (1_000, 1, 28, 28), dtype=torch.uint8, generator=rng)
    torch.manual_seed(0)
    gan, draw = MNIST_DCGAN.gan(), image_sampler(digits, pick_device("cpu"))
    print("ready", flush=True)
    sys.stdin.readline()
    begin, images = time.perf_counter(), 0

    def look(run) -> None:
        nonlocal images
        images = run.images_seen
        if images and time.perf_counter() - begin > seconds:
            raise TimeIsUp

    every = LOOK_EVERY * MNIST_DCGAN.training["batch_size"]
    try:
        options = {"images": ENDLESS, "snapshot_every": every, "snapshot_samples": 1, "progress": False}
        train(gan, draw, on_snapshot=look, device="cpu", **options, **MNIST_DCGAN.training)
    except TimeIsUp:
        pass
    return images / (time.perf_counter() - begin)


if __name__ == "__main__":
    print(kernel(float(sys.argv[1])))
