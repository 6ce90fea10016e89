"""MNIST's IDX, CIFAR-10's binary records and their archive. Plain bytes; no pickle is ever loaded."""

import gzip
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

IDX_UINT8 = 0x08  # the third byte of an IDX file: its values are unsigned bytes
CIFAR10_RECORDS = 10_000  # in each of the six files
CIFAR10_RECORD_BYTES = 1 + 3 * 32 * 32  # one label, then the red, the green and the blue plane


class DataError(ValueError):
    """A data file is corrupt, truncated or mislabelled: which, what is wrong, how to fix it."""


def read_idx(path: Path, item_shape: tuple[int, ...], max_items: int) -> np.ndarray:
    """An IDX file: two zero bytes, the type, the number of axes, their lengths (big-endian), then the values.

    Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", file formats.

    Args:
        path: the file, gzip-compressed where its name ends in ``.gz``.
        item_shape: the expected shape of one item: (28, 28) for images, () for labels.
        max_items: the number of items in the official file; a shorter file is read too.

    Returns:
        uint8 array (N,) + item_shape with 1 ≤ N ≤ max_items.

    Raises:
        DataError: unreadable, not gzip, wrong magic number, wrong shape, too short, too long.
    """
    axes = 1 + len(item_shape)
    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            magic = file.read(4)
            if magic != bytes([0, 0, IDX_UINT8, axes]):
                kind = "images" if item_shape else "labels"
                raise broken(path, f"it does not begin as an IDX file of {kind} does (bytes {magic.hex()!r})")
            header = file.read(4 * axes)
            if len(header) < 4 * axes:
                raise broken(path, "it is truncated: it ends inside its header")
            count, *shape = np.frombuffer(header, dtype=">u4").tolist()
            if tuple(shape) != item_shape:
                raise broken(path, f"its header says items of shape {tuple(shape)}, expected {item_shape}")
            if not 1 <= count <= max_items:
                raise broken(path, f"its header says {count:,} items, expected 1 to {max_items:,}")
            size = count * math.prod(item_shape)
            values = file.read(size + 1)  # one byte more: gzip reads to the end and checks its own sum
    except (gzip.BadGzipFile, zlib.error) as error:
        raise broken(path, f"it is not an intact gzip file ({error})") from error
    except OSError as error:
        raise unreadable(path, error) from error
    except EOFError as error:
        raise broken(path, "it is truncated: the compressed data end too early") from error
    if len(values) < size:
        raise broken(path, f"it is truncated: {len(values):,} bytes of data where its header says {size:,}")
    if len(values) > size:
        raise broken(path, f"it is longer than the {size:,} bytes of data that its header says")
    return np.frombuffer(bytearray(values), dtype=np.uint8).reshape(count, *item_shape)


def idx_header(values: np.ndarray) -> bytes:
    """The header that an IDX file of these uint8 values has."""
    return bytes([0, 0, IDX_UINT8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()


def read_cifar10_batch(path: Path) -> np.ndarray:
    """One file of CIFAR-10's binary version: 10,000 records, a label byte and 3,072 pixels (R, G, B) each.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009, and its web page.

    Args:
        path: ``data_batch_1.bin`` … ``data_batch_5.bin`` or ``test_batch.bin``.

    Returns:
        uint8 array (10000, 3073); column 0 holds the labels, in [0, 9].

    Raises:
        DataError: unreadable, wrong length, or a label above 9.
    """
    try:
        found = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise unreadable(path, error) from error
    expected = CIFAR10_RECORDS * CIFAR10_RECORD_BYTES
    if len(found) != expected:
        what = "truncated" if len(found) < expected else "too long"
        raise broken(path, f"it is {what}: {len(found):,} bytes, expected {expected:,}")
    records = found.reshape(CIFAR10_RECORDS, CIFAR10_RECORD_BYTES)
    check_labels(path, records[:, 0])
    return records


TAR_BLOCK = 512  # bytes: a header takes one, contents are filled up to whole ones
TAR_FILE = (b"0", b"\0")  # the type of an ordinary file, as newer and older programs write it
TAR_BARE = (b"1", b"2", b"3", b"4", b"5", b"6")  # links, devices, folders, pipes: they have no content


def tar_files(path: Path, most: int) -> Iterator[tuple[str, bytearray]]:
    """The ordinary files of a ``.tar.gz``, one after the other: name without folder, and content.

    Python's own ``tarfile`` reads any archive that there is, extended headers of any size included, and one
    made to hurt keeps it busy for hours inside a single call. Here a header is 512 bytes, everything else is
    content, and no more than ``most`` bytes are unpacked.

    Source: POSIX.1-1988, "ustar" interchange format: name at byte 0, size (octal) at 124, checksum at 148,
    type at 156.

    Args:
        path: the archive; one that a browser unzipped, and that kept its name, is read too.
        most: the number of bytes that its contents may have together.

    Raises:
        DataError: it cannot be read, is no such archive, is truncated, or has more content than ``most``.
    """
    try:
        with open(path, "rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else open(path, "rb") as archive:
            while header := archive.read(TAR_BLOCK):  # to the end, where gzip checks its own sum
                name, size, kind = _tar_header(path, header)
                most -= TAR_BLOCK + size
                if most < 0:
                    raise broken(path, "it unpacks to far more than its six files")
                content = _read_exactly(path, archive, size + -size % TAR_BLOCK)
                if kind in TAR_FILE:
                    yield name, content[:size]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise broken(path, f"it is not an intact archive ({error})") from error
    except OSError as error:
        raise unreadable(path, error) from error


def _tar_header(path: Path, header: bytes) -> tuple[str, int, bytes]:
    """Name (without folder), size and type of what this block announces, its checksum verified."""
    if header == bytes(TAR_BLOCK):  # these fill up the end
        return "", 0, b""
    try:
        told = int(header[148:156].strip(b"\0 "), 8)
        size = int(header[124:136].strip(b"\0 ") or b"0", 8)
    except ValueError as error:
        raise broken(path, "it is not an intact archive (a header is damaged)") from error
    if told != sum(header[:148]) + 8 * ord(" ") + sum(header[156:]) or size < 0:
        raise broken(path, "it is not an intact archive (a header is damaged)")
    name, kind = header[:100].partition(b"\0")[0].decode(errors="replace"), header[156:157]
    return name.rsplit("/", 1)[-1], 0 if kind in TAR_BARE else size, kind


def _read_exactly(path: Path, file: BinaryIO, size: int) -> bytearray:
    """That many bytes, a piece at a time: between two pieces an interruption gets through."""
    content = bytearray()
    while len(content) < size:
        piece = file.read(min(size - len(content), 1 << 20))
        if not piece:
            raise broken(path, "it is not an intact archive (it ends inside a file)")
        content += piece
    return content


def exists(path: Path) -> bool:
    """Whether there is such a file. Raises OSError where that cannot be told."""
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def check_labels(path: Path, labels: np.ndarray) -> None:
    """Raises DataError unless all labels lie in [0, 9]."""
    if labels.max() > 9:
        where = int(labels.argmax())
        raise broken(path, f"item {where:,} has label {labels[where]}, expected 0 to 9")


def unreadable(path: Path, error: OSError) -> DataError:
    """The error for a file that is there and does not open."""
    if isinstance(error, PermissionError):  # an intact file: nobody should delete it
        return DataError(f"{path} cannot be used: you may not read it; {how_to_be_allowed(path)}.")
    return broken(path, f"it cannot be read ({error.strerror})")


def how_to_be_allowed(path: Path | str) -> str:
    """What to do about a file or a folder that the system does not let this user read."""
    return f"allow it (`chmod u+rwX {path}`, or whoever owns it does), or set COURSE_DATA to another folder"


def broken(path: Path, what: str) -> DataError:
    """The error for a file that cannot be used: which, what is wrong, how to fix it, in one sentence."""
    return DataError(
        f"{path} cannot be used: {what}; delete it and run again (with a network, the course fetches it), "
        "or put an intact copy in its place."
    )
