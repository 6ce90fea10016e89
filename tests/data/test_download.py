"""The download path, against a server on this machine that serves, stalls, truncates, lies and dies."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest
import requests

from course_utils import data
from course_utils.data import download as downloading

STRANGE = [
    "length_in_words",
    "length_below_zero",
    "two_lengths",
    "part_in_words",
    "chunks_in_words",
    "no_http",
    "header_without_end",
    "redirects_nowhere",
    "redirects_to_a_file",
    "redirects_to_itself",
]
BIG = "train-images-idx3-ubyte.gz"
PATIENCE = 0.6


def fetch(folder, sources):
    return data.fetch("mnist", folder, sources=sources, patience=PATIENCE, progress=False)


def part(folder):
    return folder / ".downloading" / "mnist" / (BIG + ".part")


def wait_for_part(folder, size):
    for _ in range(3_000):
        if part(folder).exists() and part(folder).stat().st_size >= size:
            return
        time.sleep(0.01)
    raise AssertionError(f"{part(folder)} has not reached {size} bytes in 30 s")


def begin(folder, content):
    """Leaves behind what an interrupted download leaves."""
    partial = part(folder)
    partial.parent.mkdir(parents=True)
    partial.write_bytes(content)
    return partial


def assert_whole(folder, files):
    """Every file is there, byte for byte, and nothing else but the workplace with its lock."""
    for file, content in files.items():
        assert (folder / "mnist" / file).read_bytes() == content, file
    assert {path.name for path in (folder / "mnist").iterdir()} == set(files)
    assert {path.name for path in (folder / ".downloading" / "mnist").iterdir()} <= {"lock"}


def test_fetches_each_file_once_and_then_reads_them(server, tmp_path, mnist_files):
    assert fetch(tmp_path, server.sources("serves")) == tmp_path / "mnist"
    assert_whole(tmp_path, mnist_files)
    fetch(tmp_path, server.sources("serves"))
    assert sorted(file for _, file, _, _ in server.requests) == sorted(mnist_files)
    assert data.load("mnist", "test", tmp_path).images.shape == (20, 1, 28, 28)


@pytest.mark.parametrize(
    "behaviour",
    ["missing", "html", "html_without_length", "wrong", "truncates", "dies", "stalls", "drips", "silent"],
)
def test_a_bad_mirror_leads_to_the_next(server, tmp_path, mnist_files, behaviour):
    server.files = {BIG: mnist_files[BIG]}
    start = time.monotonic()
    fetch(tmp_path, server.sources(behaviour, "serves"))
    assert time.monotonic() - start < 10 * PATIENCE
    assert_whole(tmp_path, server.files)
    assert server.asked(behaviour=behaviour)[0] == 0  # it was asked first


@pytest.mark.parametrize("behaviour", ["dies", "stalls"])
def test_the_next_mirror_goes_on_where_the_first_stopped(server, tmp_path, mnist_files, behaviour):
    server.files = {BIG: mnist_files[BIG]}
    fetch(tmp_path, server.sources(behaviour, "serves"))
    assert server.asked(behaviour="serves") == [len(mnist_files[BIG]) // 2]


def test_a_mirror_that_keeps_dying_is_asked_again_while_that_brings_more(server, tmp_path, mnist_files):
    server.files = {BIG: mnist_files[BIG]}
    with pytest.raises(data.DownloadError, match="broke off"):  # the last byte never comes
        fetch(tmp_path, server.sources("dies"))
    asked = server.asked()
    assert len(asked) > 10
    assert asked == sorted(asked)
    fetch(tmp_path, server.sources("serves"))
    assert_whole(tmp_path, server.files)


def test_what_a_wrong_mirror_began_does_not_spoil_the_right_one(server, tmp_path, mnist_files):
    server.files = {BIG: mnist_files[BIG]}
    begin(tmp_path, b"not the beginning of that file")
    fetch(tmp_path, server.sources("serves"))
    assert server.asked() == [30, 0]  # resumed, found wrong by its sum, fetched whole
    assert_whole(tmp_path, server.files)


@pytest.mark.parametrize("behaviour", ["html", "html_without_length", "missing", "silent", "another_part"])
def test_a_bad_answer_does_not_cost_what_was_fetched_before(server, tmp_path, mnist_files, behaviour):
    server.files = {BIG: mnist_files[BIG]}
    begun = mnist_files[BIG][:100_000]
    partial = begin(tmp_path, begun)
    with pytest.raises(data.DownloadError):
        fetch(tmp_path, server.sources(behaviour))
    assert partial.read_bytes() == begun


@pytest.mark.parametrize("behaviour", STRANGE)
def test_a_strange_answer_is_one_sentence_and_leads_to_the_next_mirror(
    server, tmp_path, mnist_files, behaviour
):
    server.files = {BIG: mnist_files[BIG]}
    with pytest.raises(
        data.DownloadError, match=f"{BIG} could not be fetched: .*/{behaviour}/ [a-z].*"
    ) as caught:
        fetch(tmp_path, server.sources(behaviour))
    assert "\n" not in str(caught.value)
    fetch(tmp_path, server.sources(behaviour, "serves"))
    assert_whole(tmp_path, server.files)


def test_a_server_that_drips_does_not_hold_the_lock(server, tmp_path, mnist_files):
    server.files = {BIG: mnist_files[BIG]}
    start = time.monotonic()
    with pytest.raises(data.DownloadError, match=r"sends only 1?[0-9] bytes/s"):
        fetch(tmp_path, server.sources("drips_from_the_start"))  # something comes in each round: too little
    assert time.monotonic() - start < 5 * PATIENCE
    fetch(tmp_path, server.sources("serves"))
    assert_whole(tmp_path, server.files)


def test_a_server_that_cannot_resume_sends_the_whole_file(server, tmp_path, mnist_files):
    server.files = {BIG: mnist_files[BIG]}
    fetch(tmp_path, server.sources("dies", "no_range"))
    assert_whole(tmp_path, server.files)


def test_when_no_mirror_serves_it_the_error_says_what_each_did_and_no_file_appears(server, tmp_path):
    with pytest.raises(data.DownloadError) as caught:
        fetch(tmp_path, server.sources("missing", "html", "wrong", "silent"))
    message = str(caught.value)
    assert "answered 404" in message
    assert "offers 680 bytes where" in message
    assert "sha256 is wrong" in message
    assert "stopped answering" in message or "did not answer" in message
    assert not (tmp_path / "mnist").exists()


def test_a_workshop_mirror_is_asked_first_and_checked_like_any_other(
    server, tmp_path, mnist_files, monkeypatch
):
    server.files = {BIG: mnist_files[BIG]}
    monkeypatch.setenv("COURSE_MIRROR", server.mirror("wrong").rstrip("/"))
    fetch(tmp_path, server.sources("serves"))
    assert [behaviour for behaviour, *_ in server.requests] == ["wrong", "serves"]
    assert_whole(tmp_path, server.files)


def test_a_name_that_cannot_be_looked_up_in_time_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(requests, "get", lambda *args, **kwargs: time.sleep(30))
    start = time.monotonic()
    with pytest.raises(data.DownloadError, match="did not answer within"):
        fetch(tmp_path, server.sources("serves"))
    assert time.monotonic() - start < 3 * PATIENCE


def test_too_full_a_disk_is_said_before_anything_is_fetched(server, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    with pytest.raises(data.DownloadError, match=r"needs 21 MB .* but 1 MB are free; make room"):
        fetch(tmp_path, server.sources("serves"))
    assert server.requests == []


def test_what_is_there_already_needs_no_room(server, tmp_path, mnist_files, monkeypatch):
    server.files, big = {BIG: mnist_files[BIG]}, mnist_files[BIG]
    begin(tmp_path, big[:-10_000])
    usage = type("Usage", (), {"free": 20_000_000 + len(big) + 10_000})  # the rest, and the unpacked file
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    fetch(tmp_path, server.sources("serves"))
    assert server.asked() == [len(big) - 10_000]


def test_a_disk_that_fills_up_is_a_sentence_and_what_came_is_kept(server, tmp_path, mnist_files, monkeypatch):
    server.files = {BIG: mnist_files[BIG]}
    full = OSError(errno.ENOSPC, "No space left on device")

    def stop_half_way(url, size, partial, patience, progress):
        partial.write_bytes(mnist_files[BIG][:1000])
        raise full

    monkeypatch.setattr(downloading, "_append_rest", stop_half_way)
    with pytest.raises(data.DownloadError, match=r"MNIST could not be written to .*No space left.*make room"):
        fetch(tmp_path, server.sources("serves"))
    assert part(tmp_path).stat().st_size == 1000


@pytest.mark.parametrize("address", ["my-laptop/data", "file:///data", "http://[broken/", "http://"])
def test_a_workshop_mirror_that_is_no_address_is_told_and_the_official_ones_serve(
    server, tmp_path, mnist_files, monkeypatch, address
):
    server.files = {BIG: mnist_files[BIG]}
    monkeypatch.setenv("COURSE_MIRROR", address)
    with pytest.raises(data.DownloadError, match="is not the address of a web server; "):
        fetch(tmp_path, server.sources("missing"))
    fetch(tmp_path, server.sources("serves"))
    assert_whole(tmp_path, server.files)


def test_a_folder_that_cannot_be_written_to_is_one_sentence(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(data.DownloadError, match=r"cannot be used: .*file is not a folder; set COURSE_DATA"):
        fetch(tmp_path / "file", server.sources("serves"))


def test_the_learner_sees_size_speed_and_time_left(server, tmp_path, capsys):
    data.fetch("mnist", tmp_path, sources=server.sources("slow"))
    shown = capsys.readouterr().out
    assert BIG in shown
    assert "/392k" in shown  # size
    assert "B/s]" in shown  # speed
    assert "<00:0" in shown  # time left


# --- what load does with it


def test_load_fetches_what_is_missing(server, tmp_path, mnist_files):
    loaded = data.load("mnist", "train", tmp_path, sources=server.sources("html", "serves"))
    assert loaded.images.shape == (500, 1, 28, 28)
    assert not loaded.is_stand_in
    assert_whole(tmp_path, mnist_files)


def test_without_a_network_the_stand_in_comes_quickly_and_is_announced_once(tmp_path, online, capsys):
    nobody = {"mnist": tuple(s._replace(mirrors=("http://127.0.0.1:9/",)) for s in data.SOURCES["mnist"])}
    start = time.monotonic()
    train = data.load("mnist", "train", tmp_path, sources=nobody)
    assert time.monotonic() - start < 5
    test = data.load("mnist", "test", tmp_path, sources=nobody)
    assert train.is_stand_in and test.is_stand_in
    shown = capsys.readouterr().out
    assert shown.count("stand-in") == 1
    assert "cannot be reached" in shown
    assert "course_utils.data.fetch('mnist')" in shown


def test_a_failure_is_remembered_so_that_nobody_waits_twice(server, tmp_path):
    for split in ("train", "test", "train"):
        assert data.load("mnist", split, tmp_path, sources=server.sources("missing")).is_stand_in
    assert len(server.requests) == 1


@pytest.mark.parametrize("offline, download", [("1", True), (None, False)])
def test_offline_means_no_request(server, tmp_path, monkeypatch, offline, download, capsys):
    if offline:
        monkeypatch.setenv("COURSE_OFFLINE", offline)
    loaded = data.load("mnist", "train", tmp_path, download, sources=server.sources("serves"))
    assert loaded.is_stand_in
    assert server.requests == []
    assert ("COURSE_OFFLINE=1" if offline else "download=False") in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals to a thread need POSIX")
def test_an_interrupted_download_leads_to_the_stand_in_and_is_resumed(server, tmp_path, mnist_files, capsys):
    server.files = {BIG: mnist_files[BIG]}

    def press_ctrl_c():
        wait_for_part(tmp_path, 100_000)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    server.on_half = press_ctrl_c
    loaded = data.load("mnist", "train", tmp_path, sources=server.sources("stalls"))
    assert loaded.is_stand_in
    assert "interrupted" in capsys.readouterr().out
    server.requests.clear()
    fetch(tmp_path, server.sources("serves"))
    [resumed_at] = server.asked()
    assert resumed_at >= 100_000
    assert_whole(tmp_path, server.files)


# --- several processes

EIGHT = """
import os, sys
from course_utils import data
folder, mirror, *files = sys.argv[1:]
sources = {"mnist": tuple(
    data.Source(file, (mirror,), sha256, int(size))
    for file, sha256, size in (entry.split(":") for entry in files)
)}
children = []
for _ in range(8):
    child = os.fork()
    if child == 0:
        try:
            data.fetch("mnist", folder, sources=sources, progress=False)
            read = data.load("mnist", "train", folder, download=False)
            os._exit(0 if len(read.images) == 500 else 3)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(4)
    children.append(child)
print(*children, flush=True)
print(*[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def start_eight(server, folder, behaviour):
    sources = server.sources(behaviour)["mnist"]
    entries = [f"{source.file}:{source.sha256}:{source.size}" for source in sources]
    return subprocess.Popen(
        [sys.executable, "-c", EIGHT, folder, server.mirror(behaviour), *entries],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def exit_codes(stdout):
    return [int(code) for code in stdout.strip().splitlines()[-1].split()]


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@needs_fork
def test_eight_processes_fetch_a_file_once(server, tmp_path, mnist_files):
    eight = start_eight(server, tmp_path, "slow")
    stdout, stderr = eight.communicate(timeout=60)
    assert exit_codes(stdout) == [0] * 8, stderr
    assert_whole(tmp_path, mnist_files)
    assert sorted(file for _, file, _, _ in server.requests) == sorted(mnist_files)


@needs_fork
def test_if_the_fetching_process_is_killed_another_goes_on_where_it_stopped(server, tmp_path, mnist_files):
    eight = start_eight(server, tmp_path, "slow")
    children = [int(child) for child in eight.stdout.readline().split()]
    wait_for_part(tmp_path, 50_000)
    port = server.requests[0][3]
    [fetching] = [
        child
        for child in children
        if any(c.laddr.port == port for c in psutil.Process(child).net_connections("tcp"))
    ]
    os.kill(fetching, signal.SIGKILL)
    stdout, stderr = eight.communicate(timeout=60)
    assert sorted(exit_codes(stdout)) == [-signal.SIGKILL] + [0] * 7, stderr
    assert_whole(tmp_path, mnist_files)
    first, second = server.asked(BIG)
    assert first == 0
    assert second >= 50_000  # what the killed process had is not fetched again
    assert len(server.requests) == len(mnist_files) + 1
