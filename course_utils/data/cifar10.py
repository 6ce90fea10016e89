"""CIFAR-10's six binary files: find them, read them, unpack them, fetch them.

A. Krizhevsky, V. Nair, G. Hinton, the CIFAR-10 data set, in A. Krizhevsky, "Learning Multiple Layers of
Features from Tiny Images", 2009. Its authors state no licence; they ask that the report be cited.
"""

import hashlib
from pathlib import Path

import numpy as np

from course_utils.data.formats import (
    CIFAR10_RECORD_BYTES,
    CIFAR10_RECORDS,
    broken,
    exists,
    read_cifar10_batch,
    tar_files,
)
from course_utils.data.sources import Source

TITLE = "CIFAR-10"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "cifar-10-binary.tar.gz"
BY_HAND = ARCHIVE
FOLDER = "cifar-10-batches-bin"
FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
# sha1 of the files in the official archive, as Apache MXNet's gluon.data.vision.CIFAR10 checks them.
OFFICIAL = {
    "aadd24acce27caa71bf4b10992e9e7b2d74c2540": "data_batch_1.bin",
    "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795": "data_batch_2.bin",
    "1dd00a74ab1d17a6e7d73e185b69dbf31242f295": "data_batch_3.bin",
    "aab85764eb3584312d3c7f65fd2fd016e36a258e": "data_batch_4.bin",
    "26e2849e66a845b7f1e4614ae70f4889ae604628": "data_batch_5.bin",
    "67eb016db431130d61cd03c7ad570b013799c88c": "test_batch.bin",
}
UNPACKED = 250_000_000  # bytes that an archive may unpack to; the six files are 184,380,000
NOTE = "CIFAR-10, files placed by hand (not verified as the official ones)"


def place(root: Path) -> Path:
    """The folder of the files: ``cifar-10-batches-bin/``, or the data folder itself."""
    for folder in (root / FOLDER, root):
        if any(exists(folder / file) for file in FILES["train"] + FILES["test"]):
            return folder
    return root / FOLDER


def missing(root: Path, split: str | None = None) -> list[str]:
    """The files that are not there, of one split or of both."""
    files = FILES["train"] + FILES["test"] if split is None else FILES[split]
    return [file for file in files if not exists(place(root) / file)]


def read(root: Path, split: str) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Images uint8 (N, 3, 32, 32), labels uint8 (N,), and a note; None where a file is missing.

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
    """
    if missing(root, split):
        return None
    paths = [place(root) / file for file in FILES[split]]
    images = np.empty((len(paths), CIFAR10_RECORDS, 3 * 32 * 32), np.uint8)
    labels = np.empty((len(paths), CIFAR10_RECORDS), np.uint8)
    official = []  # which of them
    for k, path in enumerate(paths):
        records = read_cifar10_batch(path)
        name = OFFICIAL.get(hashlib.sha1(records, usedforsecurity=False).hexdigest())
        if name not in (None, path.name):
            raise broken(path, f"it is mislabelled: its content is that of {name}")
        official += [path] if name else []
        labels[k], images[k] = records[:, 0], records[:, 1:]
        for earlier in range(k):
            if (labels[earlier] == labels[k]).all():
                raise broken(path, f"it is mislabelled: it is a copy of {paths[earlier].name}")
    if 0 < len(official) < len(paths):
        bad = next(path for path in paths if path not in official)
        raise broken(bad, f"its content is not CIFAR-10's, while that of {official[0].name}, beside it, is")
    return images.reshape(-1, 3, 32, 32), labels.reshape(-1), "" if official else NOTE


def packed(root: Path) -> Path | None:
    """The archive, where somebody placed it and it waits to be unpacked."""
    return root / ARCHIVE if missing(root) and exists(root / ARCHIVE) else None


def fetch(root: Path, workplace: Path, sources: tuple[Source, ...], patience: float, progress: bool) -> None:
    """Downloads the archive, unpacks it and removes it; call it inside ``one_at_a_time``."""
    from course_utils.data.download import download  # imported here: who has the data needs no network code

    archive = workplace / ARCHIVE
    if not archive.exists():  # it is there already if a process was killed while it unpacked
        download(sources[0], workplace, workplace, patience=patience, progress=progress)
    unpack(archive, root)
    archive.unlink()


def unpack(archive: Path, root: Path) -> None:
    """Takes the six files, and nothing else, out of the archive; they appear when all of them are whole.

    Args:
        archive: a ``.tar.gz``, as published or made by hand.
        root: the data folder.

    Raises:
        DataError: the archive is unreadable, corrupt, truncated or lacks a file.
        OSError: the files cannot be written.
    """
    print(f"Unpacking {archive.name}: a few seconds, once.")
    folder, wanted, found = root / FOLDER, FILES["train"] + FILES["test"], set()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for file, content in tar_files(archive, UNPACKED):
            if file not in wanted:
                continue
            if len(content) != CIFAR10_RECORDS * CIFAR10_RECORD_BYTES:
                raise broken(archive, f"its {file} has {len(content):,} bytes")
            (folder / f"{file}.part").write_bytes(content)
            found.add(file)
        lacking = [file for file in wanted if file not in found]
        if lacking:
            raise broken(archive, f"it lacks {', '.join(lacking)}")
        for file in wanted:
            (folder / f"{file}.part").replace(folder / file)
    finally:
        for part in folder.glob("*.bin.part"):
            part.unlink()
