"""Ctrl-C and the notebook's stop button, heard between two steps instead of inside one."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from course_utils.training.distributed import world_size


@contextmanager
def stop_button() -> Iterator[Callable[[], bool]]:
    """Defers Ctrl-C: `with stop_button() as stopped: while not stopped(): step()`.

    The first interrupt only makes `stopped()` true, so that no step is torn in two; a second one, for whoever
    cannot wait, raises KeyboardInterrupt at once, unless several processes train together: they must stop in
    the same step. Outside the main thread, where Python delivers no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return

    pressed = False

    def press(signal_number, frame):
        nonlocal pressed
        if pressed and world_size() == 1:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
