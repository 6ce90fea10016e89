"""What keeps an answer from harming the notebook: a time limit, and surroundings put back afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator

PRINTED = 20_000  # characters: what an answer may print during one check
_AGAIN = 0.1  # seconds: an answer that catches everything is stopped again, until it lets itself be stopped


class TookTooLong(BaseException):
    """Raised inside an answer whose time is up; no Exception, so that `except Exception` lets it through."""


def within(seconds: float, function: Callable, *arguments):
    """function(*arguments), with TookTooLong raised inside it once the seconds are over (see `_clock`).

    In the main thread an alarm does it, where the system has one (Linux, macOS). Elsewhere a second thread
    asks the interpreter to raise it. Both act between two steps of Python only: a single call into a library
    that does not return is not stopped, and neither is anything where the interpreter offers neither way.
    """
    try:
        alarm_is_python = signal.getsignal(signal.SIGALRM) is not None  # None: code in C listens to it
    except AttributeError:  # Windows
        alarm_is_python = False
    in_main_thread = threading.current_thread() is threading.main_thread()
    stopped_by = _alarm if alarm_is_python and in_main_thread else _watchdog
    return stopped_by(seconds, function, *arguments)


def _clock(seconds: float) -> Callable[[], bool]:
    """Whether the time is up: on a busy machine, which lends no processor, up to three times as late."""
    begun, worked = time.monotonic(), time.process_time()

    def is_up() -> bool:
        waited = time.monotonic() - begun
        return waited >= 3 * seconds or (waited >= seconds and time.process_time() - worked >= seconds / 2)

    return is_up


def _alarm(seconds: float, function: Callable, *arguments):
    here, is_up = sys._getframe(), _clock(seconds)

    def ring(_signal, frame):
        # `here`, the function is over, and what follows has to run to its end.
        if frame is not here and not _imports(frame) and is_up():
            raise TookTooLong

    started = time.monotonic()
    listener = signal.signal(signal.SIGALRM, ring)
    waiting, interval = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        return function(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, listener)
        if waiting:  # somebody else's alarm, such as a test's time limit
            left = waiting - (time.monotonic() - started)
            signal.setitimer(signal.ITIMER_REAL, max(left, 1e-3), interval)


def _imports(frame) -> bool:
    """Whether an import is going on: stopped half-way, it would leave a broken module behind."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _watchdog(seconds: float, function: Callable, *arguments):
    raise_in = getattr(ctypes.pythonapi, "PyThreadState_SetAsyncExc", None)
    if raise_in is None:
        return function(*arguments)
    this_thread, over, turn = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()

    is_up = _clock(seconds)

    def watch():
        pause = seconds
        while not over.wait(pause):
            with turn:
                if (
                    not over.is_set()
                    and is_up()
                    and not _imports(sys._current_frames().get(this_thread.value))
                ):
                    raise_in(this_thread, ctypes.py_object(TookTooLong))
            pause = _AGAIN

    def call_off():
        with turn:
            over.set()
        raise_in(this_thread, None)  # takes back what was raised and has not arrived yet
        watcher.join()

    watcher = threading.Thread(target=watch, name="time limit of a check", daemon=True)
    try:
        try:
            watcher.start()
            return function(*arguments)
        finally:
            call_off()
    except TookTooLong:
        call_off()  # once more, for the case that it arrived in there
        raise


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """The same surroundings in every check, and the notebook's own afterwards, whatever the answer changes.

    Inside: fixed seeds, gradients on, float32, a standard output that cannot be closed. Put back: all of
    these, and device, number of threads, determinism, warnings, NumPy's errors, working directory.
    """
    import numpy
    import torch

    def set_default_device(device):
        if torch.get_default_device() != device:  # None for the CPU: only that takes torch's own hook away
            torch.set_default_device(None if device.type == "cpu" else device)

    with contextlib.ExitStack() as put_back:
        for read, write in (
            (random.getstate, random.setstate),
            (numpy.random.get_state, numpy.random.set_state),
            (torch.get_default_device, set_default_device),
            (torch.get_default_dtype, torch.set_default_dtype),
            (torch.is_grad_enabled, torch.set_grad_enabled),
            (torch.get_num_threads, torch.set_num_threads),
            (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
            (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
            (os.getcwd, os.chdir),
        ):
            put_back.callback(write, read())
        put_back.enter_context(torch.random.fork_rng(devices=range(torch.cuda.device_count())))
        put_back.enter_context(warnings.catch_warnings())
        put_back.enter_context(numpy.errstate())
        put_back.enter_context(contextlib.redirect_stdout(_Unclosable(sys.stdout)))
        put_back.enter_context(contextlib.redirect_stderr(_Unclosable(sys.stderr)))
        random.seed(0)
        numpy.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        yield


class _Unclosable:
    """A stream for an answer: what it prints appears, up to PRINTED characters, and `close` does nothing."""

    def __init__(self, stream):
        self._stream, self._left = stream, PRINTED

    def write(self, text: str) -> int:
        if self._left > 0 and self._stream is not None:
            self._stream.write(text[: self._left])
            if len(text) > self._left:
                self._stream.write(f"\n… (more than {PRINTED:,} characters were printed)\n")
        self._left -= len(text)
        return len(text)

    def close(self) -> None:
        pass

    def __getattr__(self, name: str):
        return getattr(self._stream, name)
