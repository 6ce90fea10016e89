"""Answers that harm: a check stops them, says so in a sentence, and leaves the notebook as it was."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course_utils.checks import call, choose, exercise, expect_close, guard, run_check
from course_utils.checks import verdict as machinery
from course_utils.checks.guard import PRINTED, TookTooLong, _watchdog, within


@pytest.fixture(autouse=True)
def exercises(monkeypatch):
    """90.1 asks for a function that squares, 90.2 for a letter; both within a quarter of a second."""
    monkeypatch.setattr(machinery, "_EXERCISES", {})

    @exercise("90.1", title="Square", difficulty=1, minutes=1, seconds=0.25)
    def square(answer):
        x = torch.tensor([-3.0, 0.0, 2.0])
        expect_close(call(answer, x), x.square())
        return "right."

    @exercise("90.2", title="Letter", difficulty=1, minutes=1, seconds=0.25)
    def letter(answer):
        choose(answer, right="b", wrong={"a": "no"})
        return "right."


class Untouchable:
    """Fails at every touch."""

    def _fail(self, *arguments, **keywords):
        raise RuntimeError("do not touch")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __float__ = _fail
    __getattribute__ = __getattr__ = __getitem__ = __array__ = _fail


class Agreeable(str):
    """Equals everything, and says so."""

    __hash__ = str.__hash__

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False


# --- what it says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["90.1", "90.2"])
@pytest.mark.parametrize(
    "make",
    [
        Untouchable,
        lambda: Agreeable("a"),
        lambda: (Untouchable(),),
        lambda: {"a": Untouchable()},
        lambda: lambda x: Untouchable(),
        lambda: lambda x: [Untouchable()],
    ],
)
def test_a_value_that_fails_at_every_touch_or_equals_everything_is_wrong(number, make):
    verdict = run_check(number, make())
    assert verdict.status == "wrong"
    assert "could not use" not in verdict.message


class Leaves(BaseException):
    def __str__(self):
        raise ValueError("no words")


class StubWithoutWords(NotImplementedError):
    __str__ = Leaves.__str__


@pytest.mark.parametrize(
    "error", [GeneratorExit, Leaves, SystemExit, StubWithoutWords("a", "b"), MemoryError]
)
def test_no_exception_leaves_a_check(error):
    def answer(x):
        raise error

    verdict = run_check("90.1", answer)
    assert verdict.status == "wrong"
    assert verdict.code == "raise error"


def test_the_stop_button_stops():
    def answer(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_check("90.1", answer)


def test_long_messages_are_cut():
    def answer(x):
        raise ValueError("x" * 5_000_000)

    for verdict in (run_check("90.1", answer), run_check("90.2", "x" * 5_000_000)):
        assert verdict.status == "wrong"
        assert len(verdict._repr_html_()) < 5_000


# --- what it leaves behind --------------------------------------------------------------------------------


def surroundings():
    return {
        "gradients": torch.is_grad_enabled(),
        "type": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "anomalies": torch.is_anomaly_enabled(),
        "filters": list(warnings.filters),
        "numpy": np.geterr(),
        "folder": os.getcwd(),
        "streams": (sys.stdout, sys.stderr),
        "closed": sys.stdout.closed,
        "random": (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()),  # noqa: NPY002
        "threads alive": threading.active_count(),
        "alarm": signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None,
    }


def close_and_lose_stdout():
    sys.stdout.close()
    sys.stdout = None


MISCHIEF = [
    lambda: torch.set_grad_enabled(False),
    lambda: torch.set_default_dtype(torch.float64),
    lambda: torch.set_default_device("meta"),
    lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    lambda: torch.use_deterministic_algorithms(True),
    lambda: torch.autograd.set_detect_anomaly(True),
    lambda: warnings.simplefilter("error"),
    lambda: np.seterr(all="raise"),
    lambda: os.chdir("/"),
    lambda: close_and_lose_stdout(),
    lambda: (random.seed(9), np.random.seed(9), torch.manual_seed(9)),  # noqa: NPY002
]


@pytest.mark.parametrize("mischief", MISCHIEF)
@pytest.mark.parametrize("ending", ["right", "wrong", "error", "endless"])
def test_a_check_leaves_the_notebook_as_it_was(mischief, ending):
    def answer(x):
        mischief()
        if ending == "error":
            raise ValueError
        while ending == "endless":
            pass
        return x * x if ending == "right" else x

    before = surroundings()
    verdict = run_check("90.1", answer)
    after = surroundings()
    print("the notebook can still print")
    assert verdict.status in {"wrong", ending}, verdict
    assert after == before


def test_a_check_starts_from_the_same_surroundings_whatever_the_notebook_has_set():
    seen = []

    def answer(x):
        seen.append((torch.is_grad_enabled(), torch.get_default_dtype()))
        return x * x

    with torch.no_grad():
        run_check("90.1", answer)
    assert seen == [(True, torch.float32)]


def test_what_an_answer_prints_is_seen_and_not_without_end(capsys):
    def answer(x):
        print("I was here")
        print("y" * 5_000_000)
        return x * x

    assert run_check("90.1", answer).status == "right"
    printed = capsys.readouterr().out
    assert printed.startswith("I was here")
    assert len(printed) < PRINTED + 100
    assert "more than 20,000 characters" in printed


# --- endless loops ----------------------------------------------------------------------------------------


def endless(x):
    while True:
        pass


def endless_and_stubborn(x):
    while True:
        try:
            x = x + 1
        except BaseException:
            continue


def asleep(x):
    time.sleep(60)


@pytest.mark.parametrize("answer", [endless, endless_and_stubborn, asleep])
def test_an_answer_without_end_is_stopped_with_a_sentence(answer):
    started = time.monotonic()
    verdict = run_check("90.1", answer)
    assert time.monotonic() - started < 10
    assert verdict.status == "wrong"
    assert f"was stopped after 0.25 seconds, in `{answer.__name__}`, line" in verdict.message
    assert verdict.code


@pytest.mark.parametrize("answer", [endless, endless_and_stubborn])
def test_in_another_thread_too(answer):
    verdicts, threads = [], threading.active_count()
    thread = threading.Thread(target=lambda: verdicts.append(run_check("90.1", answer)))
    thread.start()
    thread.join(30)
    assert "was stopped after 0.25 seconds" in verdicts[0].message
    assert threading.active_count() == threads


def test_where_others_have_the_processor_the_time_is_up_later(monkeypatch):
    now = {"monotonic": 100.0, "process_time": 5.0}
    monkeypatch.setattr(guard, "time", SimpleNamespace(**{name: lambda name=name: now[name] for name in now}))
    is_up = guard._clock(20)
    for waited, worked, expected in ((10, 10, False), (25, 2, False), (25, 11, True), (61, 0, True)):
        now.update(monotonic=100.0 + waited, process_time=5.0 + worked)
        assert is_up() == expected


@pytest.mark.parametrize("limited", [within, _watchdog])
def test_a_limit_passes_on_what_comes_in_time(limited):
    assert limited(5, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        limited(5, divmod, 7, 0)
    for _ in range(100):  # at every point of its own end, the limit may strike, and nothing strikes later
        with contextlib.suppress(TookTooLong):
            limited(2e-5, sum, range(2_000))
    time.sleep(0.3)


@pytest.mark.parametrize("limited", [within, _watchdog])
def test_an_import_is_not_torn_in_two(limited, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nfor _ in range(30): time.sleep(0.01)\nwhole = True\n"
    )
    monkeypatch.delitem(sys.modules, "slow_to_import", raising=False)
    with pytest.raises(TookTooLong):
        limited(0.1, lambda: (__import__("slow_to_import"), endless(1)))
    assert sys.modules["slow_to_import"].whole


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarms on Windows")
def test_somebody_elses_alarm_rings_when_it_was_due():
    rung = []
    listener = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    waiting = signal.setitimer(signal.ITIMER_REAL, 1.0)
    started = time.monotonic()
    try:
        run_check("90.1", endless)
        while not rung and time.monotonic() - started < 5:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, *waiting)
        signal.signal(signal.SIGALRM, listener)
    assert 0.9 < rung[0] - started < 2


@pytest.mark.slow
def test_in_a_notebook_an_endless_answer_is_stopped_and_the_next_cell_runs(tmp_path):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    cells = [
        "from course_utils.checks import check, verdict\n"
        "def to_network_range(pixels):\n    while True: pass\n"
        "verdict.exercises_of(0)\n"
        "verdict._EXERCISES['0.1'] = verdict._EXERCISES['0.1']._replace(seconds=0.25)",
        "check('0.1', to_network_range, otherwise=1)",
        "print(1 + 1)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert "was stopped after 0.25 seconds" in str(notebook.cells[1].outputs)
    assert notebook.cells[2].outputs[0]["text"] == "2\n"


def test_the_limit_is_kept_without_importing_torch():
    code = (
        "import sys; from course_utils.checks.guard import within\n"
        "print(within(1, len, 'ab'), 'torch' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["2", "False"]
