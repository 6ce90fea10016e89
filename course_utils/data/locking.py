"""One process at a time fills a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from course_utils.data.sources import DownloadError


@contextmanager
def one_at_a_time(workplace: Path) -> Iterator[Path]:
    """Makes the folder and holds its lock. The system frees the lock when a process ends, however it ends.

    Args:
        workplace: where partial downloads lie.

    Yields:
        The same folder.

    Raises:
        DownloadError: the folder cannot be written to.
    """
    try:
        workplace.mkdir(parents=True, exist_ok=True)
        lock = FileLock(workplace / "lock")
        try:
            lock.acquire(timeout=1)
        except Timeout:
            print(f"Another process is fetching {workplace.name}: waiting for it (interrupt to go without).")
            lock.acquire()
    except OSError as error:
        raise DownloadError(
            f"{workplace} cannot be written to ({error.strerror or error}); "
            "set COURSE_DATA to a folder that you may write to."
        ) from error
    try:
        yield workplace
    finally:
        lock.release()
