"""A progress bar with the time left: HTML that updates in place in a notebook, one line in a terminal.

The last state stays behind as a static text, in the notebook's file too.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape


@contextmanager
def progress(
    total: int, label: str, *, unit: str = "images", start: int = 0, every: float = 0.25, hidden: bool = False
) -> Iterator[Callable[[int, str], None]]:
    """Shows how far a long piece of work is: `with progress(len(jobs), "jobs") as update: update(3)`.

    Args:
        total: what "done" will be at the end.
        label: what is being done.
        unit: what is being counted.
        start: what was done before (a resumed run), so that the speed is that of this call.
        hidden: show nothing at all.
        every: seconds between two redraws at least; updates in between cost nothing.

    Yields:
        update(done, note=""): call it as often as you like; `note` is shown behind the numbers.
    """
    draw = (lambda *_: None) if hidden else _notebook_line(label) or _terminal_line(label)
    began = drawn = time.perf_counter()
    state = (start, "")

    def share(done: int) -> float:
        return min(done / total, 1.0) if total else 1.0

    def text(done: int, note: str, ended: str = "") -> str:
        seconds = time.perf_counter() - began
        speed = (done - start) / seconds if seconds > 0 else 0.0
        parts = [f"{done:,} of {total:,} {unit}"]
        if speed > 0:
            parts.append(f"{speed:,.0f} {unit}/s" if speed >= 10 else f"{speed:.1f} {unit}/s")
        if ended:
            parts.append(f"{ended} after {clock(seconds)}")
        elif speed > 0:
            parts.append(f"{clock((total - done) / speed)} left")
        return " · ".join([*parts, note] if note else parts)

    def update(done: int, note: str = "") -> None:
        nonlocal drawn, state
        state = (done, note)
        if time.perf_counter() - drawn >= every:
            drawn = time.perf_counter()
            draw(share(done), text(done, note), False)

    draw(share(start), text(start, ""), False)
    try:
        yield update
    finally:
        done, note = state
        draw(share(done), text(done, note, "finished" if done >= total else "stopped"), True)


def clock(seconds: float) -> str:
    """75 → "1:15"; 3,700 → "1:01:40"."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


Draw = Callable[[float, str, bool], None]  # (share done, text, is it the last?)


def _notebook_line(label: str) -> Draw | None:
    """Draws into one display of a running Jupyter kernel; None where there is none."""
    ipython = sys.modules.get("IPython")  # there in a kernel; elsewhere training needs no IPython
    if not hasattr(getattr(ipython, "get_ipython", lambda: None)(), "kernel"):
        return None

    def content(share: float, text: str) -> dict[str, str]:
        bar = f'<progress value="{share:.4f}" max="1" aria-label="{escape(label, quote=True)}"></progress>'
        html = f"<div>{escape(label)} {bar} {share:.0%} · {escape(text)}</div>"
        return {"text/html": html, "text/plain": f"{label}: {share:.0%} · {text}"}

    handle = ipython.display.display(content(0.0, "starting"), raw=True, display_id=True)
    return lambda share, text, last: handle.update(content(share, text), raw=True)


def _terminal_line(label: str) -> Draw:
    """Rewrites one line of the terminal; where the output goes into a file, only the last line is written."""
    live = sys.stderr.isatty()

    def draw(share: float, text: str, last: bool) -> None:
        if live or last:
            begin, end = ("\r\033[K", "\n" if last else "") if live else ("", "\n")
            print(f"{begin}{label}: {share:.0%} · {text}", end=end, file=sys.stderr, flush=True)

    return draw
