"""MNIST's four files: find them, read them, fetch them.

Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998. Their
page states no licence; the documentation of Keras says CC BY-SA 3.0.
"""

import hashlib
from pathlib import Path

import numpy as np

from course_utils.data.formats import broken, check_labels, exists, idx_header, read_idx
from course_utils.data.sources import Source

TITLE = "MNIST"
CLASSES = tuple("0123456789")
BY_HAND = "the four *-ubyte.gz files"  # what to place in the folder by hand
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
SIZES = {"train": 60_000, "test": 10_000}
# sha256 of the uncompressed files, so that it does not matter who compressed them, and how.
OFFICIAL = {
    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": "train-images-idx3-ubyte",
    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": "train-labels-idx1-ubyte",
    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": "t10k-images-idx3-ubyte",
    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": "t10k-labels-idx1-ubyte",
}
# The same of a shorter training set that is in use: the first 10,000 official digits, in their order.
FIRST_DIGITS = {
    "2889698e6bc3614913e76901316712919d1998fc2b44512451bfe65bc1e668b1": "train-images-idx3-ubyte",
    "651e38e2ac0632f5113ec18f1df4977117f953197819034009971a6675a0df78": "train-labels-idx1-ubyte",
}
# How the official labels begin: it distinguishes the splits in any other files.
FIRST_LABELS = {"train": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "test": [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]}


def place(root: Path) -> Path:
    """The folder of the files: ``mnist/``, or torchvision's ``MNIST/raw/``, or the data folder itself."""
    for folder in (root / "mnist", root / "MNIST" / "raw", root):
        if any(_find(folder, file) for file in FILES["train"] + FILES["test"]):
            return folder
    return root / "mnist"


def missing(root: Path, split: str | None = None) -> list[str]:
    """The files that are not there, of one split or of both."""
    files = FILES["train"] + FILES["test"] if split is None else FILES[split]
    return [file + ".gz" for file in files if _find(place(root), file) is None]


def read(root: Path, split: str) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Images uint8 (N, 1, 28, 28), labels uint8 (N,), and a note; None where a file is missing.

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
    """
    images_path, labels_path = (_find(place(root), file) for file in FILES[split])
    if images_path is None or labels_path is None:
        return None
    images = read_idx(images_path, (28, 28), SIZES[split])
    labels = read_idx(labels_path, (), SIZES[split])
    check_labels(labels_path, labels)
    sums = [_sum_of_content(images_path, images), _sum_of_content(labels_path, labels)]
    first, other = labels[:10].tolist(), "test" if split == "train" else "train"
    if first == FIRST_LABELS[other]:
        raise broken(labels_path, f"it is mislabelled: it begins as MNIST's {other} labels do")
    if len(images) != len(labels):
        raise broken(labels_path, f"it has {len(labels):,} labels, {images_path.name} {len(images):,} images")
    for known in (OFFICIAL, FIRST_DIGITS):
        if (sums[0] in known) != (sums[1] in known):
            good, bad = (images_path, labels_path) if sums[0] in known else (labels_path, images_path)
            raise broken(
                bad, f"its content is not MNIST's, while that of {good.name}, which belongs to it, is"
            )
    digits = "training digits" if split == "train" else "test digits"
    if sums[0] in OFFICIAL:
        note = ""
    elif sums[0] in FIRST_DIGITS:
        note = f"MNIST, first {len(images):,} {digits}"
    else:
        note = f"MNIST, {len(images):,} {digits}, not the official files (checksum differs)"
    return images[:, None], labels, note


def packed(root: Path) -> Path | None:
    """An archive that only needs to be unpacked: MNIST has none, its files are read as they are."""
    return None


def fetch(root: Path, workplace: Path, sources: tuple[Source, ...], patience: float, progress: bool) -> None:
    """Downloads the files that are missing; call it inside ``one_at_a_time``."""
    from course_utils.data.download import download  # imported here: who has the data needs no network code

    folder = place(root)
    for source in sources:
        if source.file in missing(root):
            download(source, folder, workplace, patience=patience, progress=progress)


def _find(folder: Path, file: str) -> Path | None:
    """The file, compressed or not."""
    return next((path for path in (folder / f"{file}.gz", folder / file) if exists(path)), None)


def _sum_of_content(path: Path, values: np.ndarray) -> str:
    """sha256 of the uncompressed file. Raises DataError if it is known as that of another file."""
    digest = hashlib.sha256(idx_header(values))
    digest.update(values.data)
    name = {**OFFICIAL, **FIRST_DIGITS}.get(digest.hexdigest())
    if name not in (None, path.name.removesuffix(".gz")):
        raise broken(path, f"it is mislabelled: its content is that of {name}")
    return digest.hexdigest()
