"""Fetch a file from the first mirror that serves it whole: checked, resumed, and once for all processes.

``pooch`` checks the sum and moves the file into place. It knows one address for a file, so it is given a
downloader that tries the mirrors in turn and checks the sum inside the loop: an HTML page must not end it.
"""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pooch
import requests
import urllib3
from tqdm import tqdm

from course_utils.data.sources import DownloadError, Source

PATIENCE = 10.0  # seconds without an answer, or without data, after which the next mirror is tried
CONNECT = 4.0  # seconds for the connection alone: where there is no network, nobody should wait for it
SLOWEST = 10_000  # bytes/s that still count as data; the slowest official host was seen at 55,000
CHUNK = 1 << 16


def download(
    source: Source, folder: Path, workplace: Path, *, patience: float = PATIENCE, progress: bool = True
) -> Path:
    """Fetches one file from the first mirror that serves it whole. Call it inside ``one_at_a_time``.

    It continues with what an earlier call began, even one that was killed. Ctrl-C or the stop button
    ends it with KeyboardInterrupt, and what came is kept.

    Args:
        source: the file's name, mirrors, sha256 and size.
        folder: where the file belongs; made if missing.
        workplace: where its parts lie until it is whole; on the same disk, so that it then appears at once.
        patience: seconds without an answer or data after which the next mirror is tried.
        progress: show size, speed and time left.

    Returns:
        Path of the file in ``folder``.

    Raises:
        DownloadError: no mirror served it, or the disk is too full.
    """
    partial = workplace / (source.file + ".part")
    for leftover in workplace.glob("tmp*"):  # pooch's scratch file, if a process was killed in here
        leftover.unlink()
    _check_disk(source, _size(partial), workplace)

    def from_first_good_mirror(_url: str, output_file: str, _pooch: object) -> None:
        _fetch_partial(source, partial, patience, progress)
        partial.replace(output_file)

    pooch.get_logger().setLevel("WARNING")  # its "Downloading data from …" names the first mirror only
    fetched = pooch.retrieve(
        url=source.mirrors[0] + source.file,
        known_hash="sha256:" + source.sha256,
        fname=source.file,
        path=workplace,
        downloader=from_first_good_mirror,
    )
    folder.mkdir(parents=True, exist_ok=True)
    return Path(fetched).replace(folder / source.file)


def _check_disk(source: Source, have: int, workplace: Path) -> None:
    rest = max(source.size - have, 0)
    needed = rest + source.size + 20_000_000  # unpacked, as much again
    free = shutil.disk_usage(workplace).free
    if free < needed:
        raise DownloadError(
            f"{source.file} needs {needed / 1e6:,.0f} MB in {workplace}, but {free / 1e6:,.0f} MB are free; "
            "make room, or set COURSE_DATA to a folder on another disk."
        )


class Refused(Exception):
    """A mirror answered, but not with the file."""


def _fetch_partial(source: Source, partial: Path, patience: float, progress: bool) -> None:
    """Leaves the whole file, its sum checked, at ``partial``; a mirror continues where another stopped."""
    mirrors = list(source.mirrors)
    if os.environ.get("COURSE_MIRROR"):  # a workshop's own server: asked first, checked like any other
        mirrors.insert(0, os.environ["COURSE_MIRROR"].rstrip("/") + "/")
    while True:
        start, begun, reasons = _size(partial), time.monotonic(), []
        for mirror in mirrors:
            reason = _ask_mirror(mirror, source, partial, patience, progress)
            if reason is None:
                return
            reasons.append(f"{mirror} {reason}")
        if _size(partial) - start <= SLOWEST * (time.monotonic() - begun):  # a round brought next to nothing
            raise DownloadError(f"{source.file} could not be fetched: {'; '.join(reasons)}.")


def _ask_mirror(mirror: str, source: Source, partial: Path, patience: float, progress: bool) -> str | None:
    """None if ``partial`` is now the whole file; else what was wrong with the mirror's answer."""
    while True:
        resumed = _size(partial) > 0
        try:
            _append_rest(mirror + source.file, source.size, partial, patience, progress)
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, Refused) as error:
            return _in_words(error)
        if pooch.file_hash(str(partial)) == source.sha256:
            return None
        partial.unlink()
        if not resumed:
            return "sent another file (its sha256 is wrong)"
        # else what lay there may have spoilt it: ask once more, for the whole file


def _append_rest(url: str, size: int, partial: Path, patience: float, progress: bool) -> None:
    """Appends to ``partial`` what is missing. Raises Refused or an HTTP error, and keeps what came."""
    have = _size(partial)
    if have >= size:  # complete, or longer than it can be: the sum decides
        return
    with _open(url, {"Range": f"bytes={have}-"} if have else {}, patience) as response:
        if response.status_code not in (200, 206):
            raise Refused(f"answered {response.status_code} {response.reason}")
        if response.status_code == 200:
            have = 0  # this server does not resume: it sends the whole file
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise Refused("answered with another part of the file than asked for")
        length = response.headers.get("Content-Length")
        if length is not None and not length.strip().isdecimal():
            raise Refused(f"answered with a length that is no number ({length[:20]!r})")
        if length is not None and int(length) != size - have:
            raise Refused(f"offers {int(length):,} bytes where {size - have:,} are missing")
        if length is None and "html" in response.headers.get("Content-Type", ""):
            raise Refused("answered with a web page")
        with (
            open(partial, "ab" if have else "wb") as file,
            tqdm(
                desc=url.rsplit("/", 1)[-1],
                total=size,
                initial=have,
                unit="B",
                unit_scale=True,
                file=sys.stdout,  # a notebook paints standard error red
                disable=not progress,
            ) as bar,
        ):
            for chunk in _chunks(response, patience):
                file.write(chunk)
                bar.update(len(chunk))
                have += len(chunk)
                if have > size:
                    break
    if have < size:
        raise Refused(f"ended after {have:,} of {size:,} bytes")


def _open(url: str, headers: dict[str, str], patience: float) -> requests.Response:
    """The response's header, within ``patience`` seconds even where looking up the name hangs."""
    outcome: list[requests.Response | Exception] = []

    def ask() -> None:
        try:
            outcome.append(
                requests.get(
                    url,
                    headers={"Accept-Encoding": "identity", **headers},
                    stream=True,
                    timeout=(min(CONNECT, patience), patience),
                )
            )
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


def _chunks(response: requests.Response, patience: float) -> Iterator[bytes]:
    """The body as it comes; Refused if it comes more slowly than ``SLOWEST`` for ``patience`` seconds."""
    start, came = time.monotonic(), 0
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        yield chunk
        came += len(chunk)
        elapsed = time.monotonic() - start
        if elapsed > patience:
            if came < SLOWEST * elapsed:
                raise Refused(f"sends only {came / elapsed:,.0f} bytes/s")
            start, came = time.monotonic(), 0


ADDRESS_ERRORS = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    urllib3.exceptions.LocationValueError,
)


def _in_words(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError)):
        return "stopped answering"
    if isinstance(error, requests.exceptions.SSLError):
        return "has no certificate that this machine trusts"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, ADDRESS_ERRORS):
        return "is not the address of a web server"
    if isinstance(error, ValueError):  # Python's own parts raise these: a redirection to http://[::1/, say
        return "answered with something that cannot be understood"
    return "broke off"


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
