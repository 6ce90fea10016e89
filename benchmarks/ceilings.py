"""What the machine can do at best: matrix products, a convolution, a copy. Medians of several."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

from benchmarks.quality import wait
from benchmarks.records import circumstances
from course_utils.runtime import pick_device


def run(threads: int | None = None, quick: bool = False) -> dict:
    """A product of 2048 × 2048 matrices and a 3×3 convolution of 64 channels, in both formats; a copy."""
    if threads:
        torch.set_num_threads(threads)
    device = pick_device()
    size, images, megabytes, repeats = (256, 4, 16, 3) if quick else (2048, 64, 256, 15)
    record = {"matrix_gflops": {}, "convolution_gflops": {}}
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a = torch.randn(size, size, device=device, dtype=dtype)
        seconds = median_seconds(lambda a=a: a @ a, repeats, device)
        record["matrix_gflops"][precision] = 2 * size**3 / seconds / 1e9

        maps = torch.randn(images, 64, 32, 32, device=device, dtype=dtype)
        layer = nn.Conv2d(64, 64, 3, padding=1, device=device, dtype=dtype)
        with torch.no_grad():
            seconds = median_seconds(lambda maps=maps, layer=layer: layer(maps), repeats, device)
        record["convolution_gflops"][precision] = 2 * images * 32 * 32 * 64 * 64 * 9 / seconds / 1e9
    source = torch.ones(megabytes * 2**20, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = median_seconds(lambda: target.copy_(source), repeats, device)
    record["copy_gigabytes_per_second"] = megabytes * 2**20 / seconds / 1e9
    return {**record, **circumstances(device, quick)}


def median_seconds(call: Callable[[], object], repeats: int, device: torch.device) -> float:
    """The median of several calls, after one that does not count."""
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        call()
        wait(device)
        times.append(time.perf_counter() - begin)
    return median(times[1:])
