"""The two file formats: MNIST's IDX and CIFAR-10's binary records. Plain bytes; no pickle is ever loaded."""

import gzip
import math
import zlib
from pathlib import Path

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
        raise broken(path, f"it cannot be read ({error.strerror})") from error
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
        raise broken(path, f"it cannot be read ({error.strerror})") from error
    expected = CIFAR10_RECORDS * CIFAR10_RECORD_BYTES
    if len(found) != expected:
        what = "truncated" if len(found) < expected else "too long"
        raise broken(path, f"it is {what}: {len(found):,} bytes, expected {expected:,}")
    records = found.reshape(CIFAR10_RECORDS, CIFAR10_RECORD_BYTES)
    check_labels(path, records[:, 0])
    return records


def check_labels(path: Path, labels: np.ndarray) -> None:
    """Raises DataError unless all labels lie in [0, 9]."""
    if labels.max() > 9:
        where = int(labels.argmax())
        raise broken(path, f"item {where:,} has label {labels[where]}, expected 0 to 9")


def broken(path: Path, what: str) -> DataError:
    """The error for a file that cannot be used: which, what is wrong, how to fix it, in one sentence."""
    return DataError(
        f"{path} cannot be used: {what}; delete it and run again (with a network, the course fetches it), "
        "or put an intact copy in its place."
    )
