import os
import signal
import sys
import threading
import types

import pytest

from course_utils.training.interrupt import stop_button
from course_utils.training.progress import clock, progress


class Clock:
    """Seconds that pass when told to."""

    now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def seconds(monkeypatch):
    clock = Clock()
    # course_utils.training.progress is the function; the module of that name stands in sys.modules.
    monkeypatch.setattr(sys.modules["course_utils.training.progress"], "time", clock)
    return clock


@pytest.fixture
def notebook(monkeypatch):
    """A running kernel that notes what is displayed: (display_id, bundle) for each drawing."""
    drawn = []

    class Handle:
        def update(self, bundle, raw):
            drawn.append(("update", bundle))

    def display(bundle, raw, display_id):
        drawn.append(("display", bundle))
        return Handle()

    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    shell.display = types.ModuleType("IPython.display")
    shell.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", shell.display)
    return drawn


def test_a_terminal_line_is_rewritten_with_the_time_left(seconds, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress(1000, "training") as update:
        seconds.now += 10
        update(250, "D 50 %")
    lines = capsys.readouterr().err.split("\r")
    assert "training: 25% · 250 of 1,000 images · 25 images/s · 0:30 left · D 50 %" in lines[-2]
    assert "stopped after 0:10" in lines[-1]
    assert lines[-1].endswith("\n")


def test_a_file_gets_only_the_last_line(seconds, capsys):
    with progress(10, "executing", unit="notebooks") as update:
        for done in range(1, 11):
            seconds.now += 2
            update(done)
    assert (
        capsys.readouterr().err
        == "executing: 100% · 10 of 10 notebooks · 0.5 notebooks/s · finished after 0:20\n"
    )


def test_a_notebook_shows_one_display_that_ends_as_static_text(seconds, notebook, capsys):
    with progress(100, "<b>") as update:
        seconds.now += 1
        update(50)
        update(51)  # too soon after the last: not drawn
        seconds.now += 1
        update(100)
    assert [kind for kind, _ in notebook] == ["display", "update", "update", "update", "update"]
    last = notebook[-1][1]
    assert "finished after 0:02" in last["text/html"] and "finished after 0:02" in last["text/plain"]
    assert 'value="1.0000"' in last["text/html"] and "<b>" not in last["text/html"]
    assert capsys.readouterr().err == ""


def test_an_error_passes_through_and_the_line_says_how_far_it_came(seconds, capsys):
    with pytest.raises(RuntimeError), progress(10, "training") as update:
        update(3)
        raise RuntimeError
    assert "training: 30% · 3 of 10 images · stopped" in capsys.readouterr().err


def test_a_resumed_run_counts_only_its_own_speed(seconds, capsys):
    with progress(1000, "training", start=900) as update:
        seconds.now += 10
        update(1000)
    assert "10 images/s" in capsys.readouterr().err


def test_hidden_progress_is_silent(seconds, notebook, capsys):
    with progress(10, "training", hidden=True) as update:
        seconds.now += 5
        update(10)
    assert notebook == [] and capsys.readouterr().err == ""


def test_the_clock_is_read_as_on_a_wall():
    assert [clock(seconds) for seconds in (0, 59.6, 75, 3700)] == ["0:00", "1:00", "1:15", "1:01:40"]


# --- the stop button -------------------------------------------------------------------------------------


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_the_first_press_is_told_the_second_interrupts():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stop_button() as stopped:
        assert not stopped()
        press()
        assert stopped()
        press()
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_it_does_nothing():
    answers = []

    def work():
        with stop_button() as stopped:
            answers.append(stopped())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert answers == [False]
