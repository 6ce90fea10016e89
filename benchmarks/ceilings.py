"""What the machine can do at best: matrix products, a convolution, a copy. Medians of several."""

import time
from collections.abc import Callable
from statistics import median

import torch
from torch import nn

from benchmarks.quality import wait
from benchmarks.records import circumstances
from course_utils.runtime import pick_device


def run(quick: bool = False) -> dict:
    """A product of large square matrices and a 3×3 convolution, in both formats; a copy.

    Some libraries multiply slower than they convolve, so the product is timed as a 1×1 convolution too, and
    the faster of the two counts.
    """
    device = pick_device()
    now = circumstances(device, quick)
    size, images, channels, megabytes, calls = (2048, 64, 64, 256, 1)
    if device.type == "cuda":  # larger, and many calls for each time that the processor waits
        size, images, channels, megabytes, calls = (8192, 256, 256, 1024, 20)
    if quick:
        size, images, channels, megabytes = (256, 4, 64, 16)
    repeats = 3 if quick else 15
    record = {"matrix_gflops": {}, "convolution_gflops": {}}
    for precision, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        kind = {"device": device, "dtype": dtype}
        a = torch.randn(size, size, **kind)
        pixels = torch.randn(1, size, 32, size // 32, **kind)
        pointwise = nn.Conv2d(size, size, 1, bias=False, **kind)
        maps = torch.randn(images, channels, 32, 32, **kind)
        layer = nn.Conv2d(channels, channels, 3, padding=1, **kind)

        def gflops(flop: int, call: Callable[[], object]) -> float:
            return flop / median_seconds(call, repeats, calls, device) / 1e9

        with torch.no_grad():
            record["matrix_gflops"][precision] = max(
                gflops(2 * size**3, lambda a=a: a @ a),
                gflops(2 * size**3, lambda pointwise=pointwise, pixels=pixels: pointwise(pixels)),
            )
            record["convolution_gflops"][precision] = gflops(
                2 * images * 32 * 32 * channels * channels * 9, lambda layer=layer, maps=maps: layer(maps)
            )
    source = torch.ones(megabytes * 2**20, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    seconds = median_seconds(lambda: target.copy_(source), repeats, calls, device)
    record["copy_gigabytes_per_second"] = megabytes * 2**20 / seconds / 1e9
    return {**record, **now}


def median_seconds(call: Callable[[], object], repeats: int, calls: int, device: torch.device) -> float:
    """A call's time: the median of several rounds of `calls` calls, after a round that does not count."""
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        wait(device)
        times.append((time.perf_counter() - begin) / calls)
    return median(times[1:])
