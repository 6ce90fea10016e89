"""Where and how big to compute: the device, the scale, the number format.

The questions that every training run answers, in one place:

- `pick_device`: CUDA, Apple's MPS or the CPU?           (COURSE_DEVICE overrides)
- `scale`, `by_scale`: how long may this notebook train?  (COURSE_SCALE overrides)
- `seed`: which random numbers does this run draw?         (COURSE_SEED chooses others)
- `autocast_dtype`: do this network's convolutions run faster in bfloat16 here?
- `fixed_threads`, `free_cores`: on how many threads?     (COURSE_THREADS overrides)
"""

import os
from typing import TypeVar

import psutil
import torch
from torch import nn

DEVICES = ("cuda", "mps", "cpu")
SCALES = ("ci", "cpu", "gpu")
PRECISIONS = ("auto", "float32", "bfloat16")

T = TypeVar("T")


def pick_device(name: str | None = None) -> torch.device:
    """The device to compute on: CUDA if there is one, else Apple's MPS, else the CPU.

    Args:
        name: "cuda", "cuda:1", "mps" or "cpu" to insist on one; None reads the environment variable
            COURSE_DEVICE and, where that is not set, chooses.

    Raises:
        ValueError: the name is unknown, or this machine has no such device.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    name = name or os.environ.get("COURSE_DEVICE")
    if not name:
        return torch.device(next(kind for kind in DEVICES if available[kind]))
    kind, _, index = str(name).partition(":")
    if kind not in DEVICES or (index and not index.isdigit()):
        raise ValueError(f"device must be one of {', '.join(DEVICES)} (or cuda:1, …), got {str(name)!r}")
    if not available[kind] or (kind == "cuda" and int(index or 0) >= torch.cuda.device_count()):
        usable = ", ".join(kind for kind in DEVICES if available[kind])
        raise ValueError(f"device {str(name)!r} was asked for, but this machine has only: {usable}")
    return torch.device(str(name))


def scale() -> str:
    """How long notebooks train: "ci" (seconds; nothing is learnt), "cpu" (minutes on two cores) or "gpu".

    COURSE_SCALE overrides; otherwise the scale follows the device: "gpu" where `pick_device` finds CUDA,
    "cpu" elsewhere.

    Raises:
        ValueError: COURSE_SCALE is none of the three.
    """
    name = os.environ.get("COURSE_SCALE") or ("gpu" if pick_device().type == "cuda" else "cpu")
    if name not in SCALES:
        raise ValueError(f"COURSE_SCALE must be one of {', '.join(SCALES)}, got {name!r}")
    return name


def by_scale(*, ci: T, cpu: T, gpu: T) -> T:
    """The value for the current `scale`: `images = by_scale(ci=256, cpu=200_000, gpu=2_000_000)`."""
    return {"ci": ci, "cpu": cpu, "gpu": gpu}[scale()]


def seed(number: int = 0) -> int:
    """number + 1000 · COURSE_SEED: what a notebook hands to `manual_seed` and to arguments `seed=`.

    With COURSE_SEED=1, 2, … the same notebook runs with other random numbers; that is how `make claims` finds
    out which of its sentences hold for every seed.

    Args:
        number: tells the random numbers of one notebook apart, below 1000; 0 will do for most.

    Raises:
        ValueError: COURSE_SEED is no whole number of 0 or more.
    """
    offset = os.environ.get("COURSE_SEED") or "0"
    if not offset.isascii() or not offset.isdigit():
        raise ValueError(f"COURSE_SEED must be a whole number such as 0, 1 or 2, got {offset!r}")
    return number + 1000 * int(offset)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device has bfloat16 in hardware: CUDA since Ampere, CPUs with AVX512-BF16 or AMX."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu":
        # These probes are torch's own but not public: a version without them computes in float32.
        probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, probe, lambda: False)() for probe in probes)
    return False


def autocast_dtype(device: torch.device, *networks: nn.Module, precision: str = "auto") -> torch.dtype | None:
    """The format in which `torch.autocast` should multiply for these networks; None leaves float32 alone.

    "auto" takes bfloat16 where it pays: the device has it in hardware, and the networks have convolutions. A
    small fully connected network spends its time on calling operations, not in them, and the casts would make
    it slower.

    Args:
        device: where the networks run.
        networks: the modules that will run under autocast.
        precision: "auto", "float32" or "bfloat16".

    Raises:
        ValueError: an unknown precision.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    if precision == "auto":
        convolutional = any(
            isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)) for net in networks for layer in net.modules()
        )
        precision = "bfloat16" if convolutional and has_fast_bfloat16(device) else "float32"
    return torch.bfloat16 if precision == "bfloat16" else None


def fixed_threads(threads: int | None = None) -> int | None:
    """The number of threads that is insisted on: the argument, else COURSE_THREADS; None where neither is.

    Raises:
        ValueError: not a positive whole number.
    """
    given = os.environ.get("COURSE_THREADS") if threads is None else threads
    if given in (None, ""):
        return None
    if not str(given).isdecimal() or int(given) < 1:
        name = "COURSE_THREADS" if threads is None else "threads"
        raise ValueError(
            f"{name} must be a positive whole number, got {given!r}; unset it to have it measured"
        )
    return int(given)


def usable_cores() -> int:
    """How many cores this process may use; OMP_NUM_THREADS, where somebody has set it, is a limit too."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(limit)) if limit.isdecimal() and int(limit) else cores


def free_cores(seconds: float = 0.1) -> int:
    """How many of the usable cores nobody is computing on, at least 1; looks for so many seconds."""
    cores = usable_cores()
    if cores == 1:
        return 1
    busy = psutil.cpu_percent(seconds) / 100 * (os.cpu_count() or cores)
    return max(1, min(cores, round((os.cpu_count() or cores) - busy)))


def _start_with_few_threads() -> None:
    """One thread, for all that runs outside `training.train`, which measures how many are fastest.

    On a machine where several notebooks compute, two threads that wait for each other are many times slower
    than one. Who has set OMP_NUM_THREADS is left alone.
    """
    if not os.environ.get("OMP_NUM_THREADS"):
        wanted = os.environ.get("COURSE_THREADS", "")
        torch.set_num_threads(int(wanted) if wanted.isdecimal() and int(wanted) else 1)


_start_with_few_threads()
