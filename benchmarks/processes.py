"""One process for each measurement."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch


def alone(call: Callable, *arguments, threads: int | None = None):
    """Calls it in a process of its own: clean memory, nothing left over from the run before."""
    start = {"initializer": prepare, "initargs": (threads,)}
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), **start) as pool:
        return pool.submit(call, *arguments).result()


def prepare(threads: int | None) -> None:
    """Sets torch's threads. What a measuring process would print, about stand-ins say, is for learners."""
    if threads:
        torch.set_num_threads(threads)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
