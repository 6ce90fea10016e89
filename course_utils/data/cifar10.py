"""CIFAR-10's six binary files: find them, read them, unpack them, fetch them.

A. Krizhevsky, V. Nair, G. Hinton, the CIFAR-10 data set, in A. Krizhevsky, "Learning Multiple Layers of
Features from Tiny Images", 2009. Its authors state no licence; they ask that the report be cited.
"""

import gzip
import hashlib
import json
import tarfile
import zlib
from pathlib import Path

import numpy as np

from course_utils.data.formats import CIFAR10_RECORD_BYTES, CIFAR10_RECORDS, broken, read_cifar10_batch
from course_utils.data.sources import Source

TITLE = "CIFAR-10"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
ARCHIVE = "cifar-10-binary.tar.gz"
BY_HAND = ARCHIVE
FOLDER = "cifar-10-batches-bin"
FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
SEAL = "official.json"  # written when the archive with the official sum is unpacked: the sums of its files
NOTE = "CIFAR-10, files placed by hand (not verified as the official ones)"


def place(root: Path) -> Path:
    """The folder of the files: ``cifar-10-batches-bin/``, or the data folder itself."""
    for folder in (root / FOLDER, root):
        if any((folder / file).exists() for file in FILES["train"] + FILES["test"]):
            return folder
    return root / FOLDER


def missing(root: Path, split: str | None = None) -> list[str]:
    """The files that are not there, of one split or of both."""
    files = FILES["train"] + FILES["test"] if split is None else FILES[split]
    return [file for file in files if not (place(root) / file).exists()]


def read(root: Path, split: str) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Images uint8 (N, 3, 32, 32), labels uint8 (N,), and a note; None where a file is missing.

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
    """
    if missing(root, split):
        return None
    paths = [place(root) / file for file in FILES[split]]
    seal = _read_seal(place(root))
    images = np.empty((len(paths), CIFAR10_RECORDS, 3 * 32 * 32), np.uint8)
    labels = np.empty((len(paths), CIFAR10_RECORDS), np.uint8)
    for k, path in enumerate(paths):
        records = read_cifar10_batch(path)
        if seal and zlib.crc32(records) != seal.get(path.name):
            raise broken(path, "it has changed since it was unpacked from the official archive")
        labels[k], images[k] = records[:, 0], records[:, 1:]
        for earlier in range(k):
            if (labels[earlier] == labels[k]).all():
                raise broken(path, f"it is mislabelled: it is a copy of {paths[earlier].name}")
    return images.reshape(-1, 3, 32, 32), labels.reshape(-1), "" if seal else NOTE


def packed(root: Path) -> Path | None:
    """The archive, where somebody placed it and it waits to be unpacked."""
    return root / ARCHIVE if missing(root) and (root / ARCHIVE).exists() else None


def fetch(root: Path, workplace: Path, sources: tuple[Source, ...], patience: float, progress: bool) -> None:
    """Downloads the archive, unpacks it and removes it; call it inside ``one_at_a_time``."""
    from course_utils.data.download import download  # imported here: who has the data needs no network code

    archive = workplace / ARCHIVE
    if not archive.exists():  # it is there already if a process was killed while it unpacked
        download(sources[0], workplace, workplace, patience=patience, progress=progress)
    unpack(archive, root, sources[0].sha256)
    archive.unlink()


def unpack(archive: Path, root: Path, official_sha256: str) -> None:
    """Takes the six files, and nothing else, out of the archive; they appear when all of them are whole.

    Args:
        archive: a ``.tar.gz``, as published or made by hand.
        root: the data folder.
        official_sha256: the sum of the official archive; files from another one count as placed by hand.

    Raises:
        DataError: the archive is corrupt, truncated or lacks a file.
    """
    print(f"Unpacking {archive.name}: a few seconds, once.")
    folder, wanted, sums = root / FOLDER, FILES["train"] + FILES["test"], {}
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                file = Path(member.name).name
                if file not in wanted or not member.isfile():
                    continue
                if member.size != CIFAR10_RECORDS * CIFAR10_RECORD_BYTES:
                    raise broken(archive, f"its {file} has {member.size:,} bytes")
                content = tar.extractfile(member).read()
                sums[file] = zlib.crc32(content)
                (folder / f"{file}.part").write_bytes(content)
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise broken(archive, f"it is not an intact archive ({error})") from error
    lacking = [file for file in wanted if file not in sums]
    if lacking:
        raise broken(archive, f"it lacks {', '.join(lacking)}")
    (folder / SEAL).unlink(missing_ok=True)
    if _sha256(archive) == official_sha256:
        (folder / SEAL).write_text(json.dumps(sums, indent=1))
    for file in wanted:
        (folder / f"{file}.part").replace(folder / file)


def _read_seal(folder: Path) -> dict[str, int] | None:
    try:
        sums = json.loads((folder / SEAL).read_text())
    except (OSError, ValueError):
        return None
    return sums if isinstance(sums, dict) else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
