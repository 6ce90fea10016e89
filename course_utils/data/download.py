"""Fetch a file from the first mirror that serves it whole: checked, resumed, and once for all processes.

``pooch`` does the book-keeping (check the sum, move into place). It asks one address only, so it gets a downloader of
ours that tries the mirrors in turn and checks the sum inside the loop: a mirror's HTML error page must not end it.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pooch
import requests
import urllib3
from filelock import FileLock, Timeout
from tqdm import tqdm

WORKPLACE = ".downloading"  # folder beside the files: partial downloads, and the lock
PATIENCE = 10.0  # seconds without an answer, or without data, after which a mirror is left for the next
SLOWEST = (
    1_000  # bytes/s over that time that still count as data; the slowest official host was seen at 55,000
)
CHUNK = 1 << 16


class Source(NamedTuple):
    """One official file: its name, where it can be had, and how to know that it is whole."""

    file: str
    mirrors: tuple[str, ...]  # folders; the address is mirror + file
    sha256: str
    size: int  # bytes


class DownloadError(OSError):
    """A file could not be fetched; the message says why and what to do."""


def fetch_file(source: Source, folder: Path, *, patience: float = PATIENCE, progress: bool = True) -> Path:
    """The file of that name in ``folder``: as it lies there, or fetched from the first mirror that serves it whole.

    Any number of processes may ask at once: one fetches, the others wait for it; if that one is killed, the next goes
    on where it stopped. An interrupted download (Ctrl-C, the notebook's stop button) is kept and resumed.

    Args:
        source: name, mirrors, sha256 and size.
        folder: where the file belongs; made if missing.
        patience: seconds without an answer or data after which the next mirror is tried.
        progress: show size, speed and time left.

    Returns:
        Path of the complete file. A file that was there already is not checked: it may have been placed by hand.

    Raises:
        DownloadError: no mirror served it, the disk is too full, or the folder cannot be written to.
    """
    target = folder / source.file
    if target.exists():
        return target
    if os.environ.get("COURSE_OFFLINE") == "1":
        raise DownloadError(
            f"{source.file} is not in {folder} and COURSE_OFFLINE=1 forbids to fetch it; unset it."
        )
    workplace = folder / WORKPLACE
    with one_at_a_time(workplace):
        if not target.exists():  # another process may have fetched it while this one waited
            for leftover in workplace.glob("tmp*"):  # pooch's scratch file, if a process was killed in here
                leftover.unlink()
            _check_disk(source, workplace)

            def download(_url: str, output_file: str, _pooch: object) -> None:
                partial = workplace / (source.file + ".part")
                _from_first_good_mirror(source, partial, patience, progress)
                partial.replace(output_file)

            pooch.get_logger().setLevel("WARNING")
            fetched = pooch.retrieve(
                url=source.mirrors[0] + source.file,
                known_hash="sha256:" + source.sha256,
                fname=source.file,
                path=workplace,
                downloader=download,
            )
            os.replace(fetched, target)  # same disk: the file appears whole or not at all
    return target


@contextmanager
def one_at_a_time(workplace: Path) -> Iterator[None]:
    """Holds the lock of this folder. The system frees it when a process ends, however it ends.

    Raises:
        DownloadError: the folder cannot be written to.
    """
    try:
        workplace.mkdir(parents=True, exist_ok=True)
        lock = FileLock(workplace / "lock")
        try:
            lock.acquire(timeout=1)
        except Timeout:
            print(
                f"Another process is filling {workplace.parent}: waiting for it (interrupt to go on without)."
            )
            lock.acquire()
    except OSError as error:
        raise DownloadError(
            f"{workplace.parent} cannot be written to ({error.strerror or error}); "
            "set COURSE_DATA to a folder of yours."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _check_disk(source: Source, workplace: Path) -> None:
    needed, free = source.size + 10_000_000, shutil.disk_usage(workplace).free
    if free < needed:
        raise DownloadError(
            f"{source.file} needs {needed / 1e6:,.0f} MB in {workplace.parent} and {free / 1e6:,.0f} MB are free; "
            "make room, or set COURSE_DATA to a folder on another disk."
        )


def _from_first_good_mirror(source: Source, partial: Path, patience: float, progress: bool) -> None:
    """Leaves the whole file, its sum checked, at ``partial``; what one mirror began, the next goes on with."""
    mirrors = list(source.mirrors)
    if os.environ.get("COURSE_MIRROR"):  # a workshop's own server: asked first, checked like any other
        mirrors.insert(0, os.environ["COURSE_MIRROR"].rstrip("/") + "/")
    while True:
        start, reasons = _size(partial), []
        for mirror in mirrors:
            for _ in range(2):  # a second time if what was fetched earlier spoilt it
                resumed = _size(partial) > 0
                try:
                    _download(mirror + source.file, source, partial, patience, progress)
                except (requests.RequestException, urllib3.exceptions.HTTPError, Refused) as error:
                    reasons.append(f"{mirror} {_in_words(error)}")
                    break
                if pooch.file_hash(str(partial)) == source.sha256:
                    return
                partial.unlink()
                if not resumed:
                    reasons.append(f"{mirror} sent another file (its sha256 is wrong)")
                    break
        if _size(partial) <= start:  # a whole round brought nothing
            raise DownloadError(f"{source.file} could not be fetched: {'; '.join(reasons)}.")


class Refused(Exception):
    """A mirror answered, but not with the file."""


def _download(url: str, source: Source, partial: Path, patience: float, progress: bool) -> None:
    """Appends to ``partial`` what is missing. Raises Refused or an HTTP error; what came is kept either way."""
    have = _size(partial)
    if have >= source.size:  # complete, or longer than it can be: the sum decides
        return
    response = _open(url, {"Range": f"bytes={have}-"} if have else {}, patience)
    with response:
        if response.status_code not in (200, 206):
            raise Refused(f"answered {response.status_code} {response.reason}")
        if response.status_code == 200:
            have = 0  # this server does not resume: it sends the whole file
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise Refused("answered with another part of the file than asked for")
        length = response.headers.get("Content-Length")
        if length is not None and int(length) != source.size - have:
            raise Refused(f"offers {int(length):,} bytes where {source.size - have:,} are missing")
        if length is None and "html" in response.headers.get("Content-Type", ""):
            raise Refused("answered with a web page")
        with (
            open(partial, "ab" if have else "wb") as file,
            tqdm(
                desc=source.file,
                total=source.size,
                initial=have,
                unit="B",
                unit_scale=True,
                disable=not progress,
            ) as bar,
        ):
            window_start, window_bytes = time.monotonic(), 0
            while chunk := response.raw.read1(CHUNK, decode_content=False):
                file.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))
                if have > source.size:
                    break
                window_bytes += len(chunk)
                elapsed = time.monotonic() - window_start
                if elapsed > patience:
                    if window_bytes < SLOWEST * elapsed:
                        raise Refused(f"slowed down to {window_bytes / elapsed:,.0f} bytes/s")
                    window_start, window_bytes = time.monotonic(), 0
    if have < source.size:
        raise Refused(f"ended after {have:,} of {source.size:,} bytes")


def _open(url: str, headers: dict[str, str], patience: float) -> requests.Response:
    """The response's header, within ``patience`` seconds whatever hangs (a look-up of the name has no time-out)."""
    outcome: list[requests.Response | Exception] = []

    def ask() -> None:
        try:
            headers_sent = {"Accept-Encoding": "identity", **headers}
            outcome.append(requests.get(url, headers=headers_sent, stream=True, timeout=patience))
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(patience)
    if not outcome:
        raise Refused(f"did not answer within {patience:g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _in_words(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "stopped sending data"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return f"broke off ({type(error).__name__})"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
