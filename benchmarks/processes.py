"""One process for each measurement."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def alone(call: Callable, *arguments):
    """Calls it in a process of its own: clean memory, nothing left over from the run before."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=hush) as pool:
        return pool.submit(call, *arguments).result()


def hush() -> None:
    """What a measuring process would print, such as the words about stand-ins, is for learners."""
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
