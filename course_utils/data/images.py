"""MNIST and CIFAR-10 as tensors: from the data folder, else fetched, else a stand-in that says that it is one."""

import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_utils.data import stand_ins
from course_utils.data.download import WORKPLACE, DownloadError, Source, fetch_file, one_at_a_time
from course_utils.data.formats import (
    CIFAR10_RECORDS,
    DataError,
    broken,
    check_labels,
    read_cifar10_batch,
    read_idx,
)

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
SOURCES: dict[str, tuple[Source, ...]] = {
    "mnist": (
        Source(
            "train-images-idx3-ubyte.gz",
            _MNIST_MIRRORS,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            9_912_422,
        ),
        Source(
            "train-labels-idx1-ubyte.gz",
            _MNIST_MIRRORS,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            28_881,
        ),
        Source(
            "t10k-images-idx3-ubyte.gz",
            _MNIST_MIRRORS,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            1_648_877,
        ),
        Source(
            "t10k-labels-idx1-ubyte.gz",
            _MNIST_MIRRORS,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            4_542,
        ),
    ),
    "cifar10": (
        Source(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/",),
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            170_052_171,
        ),
    ),
}
SPLITS = ("train", "test")

MNIST_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
MNIST_SIZES = {"train": 60_000, "test": 10_000}
# The official order begins so; it tells the two splits apart in files whose sum is not the official one.
MNIST_FIRST_LABELS = {"train": [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "test": [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]}

CIFAR10_FOLDER = "cifar-10-batches-bin"
CIFAR10_FILES = {"train": tuple(f"data_batch_{k}.bin" for k in range(1, 6)), "test": ("test_batch.bin",)}
CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_SEAL = "official.json"  # written when the checked archive is unpacked: the files' sums

_given_up: dict[
    tuple[str, Path], str
] = {}  # what could not be had in this process, and why: not asked for again
_said: set[str] = set()


class ImageData(NamedTuple):
    """A labelled set of images, and where it came from."""

    images: Tensor  # uint8 (N, C, H, W)
    labels: Tensor  # int64 (N,)
    classes: tuple[str, ...]  # the name of each label
    name: str  # "mnist" or "cifar10"
    note: str  # "" for the full official set; otherwise words for the figures' captions

    @property
    def is_stand_in(self) -> bool:
        """Whether these images only stand in for the data set they are named after."""
        return self.note.startswith("stand-in")


class Status(NamedTuple):
    """What is in the data folder: one of "found", "partial", "missing", "corrupt", and a sentence about it."""

    name: str
    state: str
    sentence: str


def data_folder() -> Path:
    """Where the course keeps its data: ``COURSE_DATA`` if it is set, else ``data/`` in the course's folder."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser() if chosen else Path(__file__).resolve().parents[2] / "data"


def load_mnist(split: str = "train", folder: Path | str | None = None, download: bool = True) -> ImageData:
    """MNIST: 60,000 training and 10,000 test digits, 28×28, white on black.

    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998. Licence CC BY-SA 3.0.
    A training set that is shorter than the official one is taken too; the note then says how long it is.

    Args:
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`. The files lie in its ``mnist/``.
        download: fetch what is missing. Without a network, or with ``COURSE_OFFLINE=1``, a stand-in is returned:
            scikit-learn's 8×8 digits, upsampled.

    Returns:
        ImageData with images uint8 (N, 1, 28, 28).

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: an unknown split.
    """
    return load("mnist", split, folder, download)


def load_cifar10(split: str = "train", folder: Path | str | None = None, download: bool = True) -> ImageData:
    """CIFAR-10: 50,000 training and 10,000 test photographs in ten classes, 32×32, in colour.

    A. Krizhevsky, V. Nair, G. Hinton, in "Learning Multiple Layers of Features from Tiny Images", 2009. Free to use;
    cite the report. Read from the binary version, unpacked or as ``cifar-10-binary.tar.gz``.

    Args:
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`. The files lie in its ``cifar-10-batches-bin/``.
        download: fetch what is missing (170 MB, often slow; it can be interrupted and is resumed). Without a
            network, or with ``COURSE_OFFLINE=1``, a stand-in is returned: drawn shapes in ten classes.

    Returns:
        ImageData with images uint8 (N, 3, 32, 32).

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: an unknown split.
    """
    return load("cifar10", split, folder, download)


def load(
    name: str,
    split: str = "train",
    folder: Path | str | None = None,
    download: bool = True,
    *,
    sources: Mapping[str, tuple[Source, ...]] = SOURCES,
) -> ImageData:
    """The data set of that name, "mnist" or "cifar10"; see :func:`load_mnist` and :func:`load_cifar10`.

    Args:
        name: the data set.
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`.
        download: fetch what is missing.
        sources: where the files come from and what their sums are.

    Returns:
        The data, or its stand-in.

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: an unknown name or split.
    """
    _check_known("data set", name, SOURCES)
    _check_known("split", split, SPLITS)
    root = data_folder() if folder is None else Path(folder)
    data = _read(name, split, root, sources)
    if data is not None:
        return data
    why = _try_to_fetch(name, root, sources) if download else "download=False was given"
    data = _read(name, split, root, sources)
    if data is not None:
        return data
    return _stand_in(name, split, root, why)


def fetch(
    name: str,
    folder: Path | str | None = None,
    *,
    sources: Mapping[str, tuple[Source, ...]] = SOURCES,
    progress: bool = True,
) -> Path:
    """Fetches what is missing of a data set, resuming what was interrupted, and unpacks it.

    Args:
        name: "mnist" or "cifar10".
        folder: the data folder; None means :func:`data_folder`.
        sources: where the files come from and what their sums are.
        progress: show size, speed and time left.

    Returns:
        The folder that holds the files.

    Raises:
        DownloadError: it could not be fetched; what came is kept for the next time.
        ValueError: an unknown name.
    """
    _check_known("data set", name, SOURCES)
    root = data_folder() if folder is None else Path(folder)
    place = _place(name, root)
    if not _missing(name, place):
        return place
    if name == "cifar10":
        archive = fetch_file(sources[name][0], root, progress=progress)
        _unpack_cifar10(archive, place, sources[name][0])
    else:
        for source in sources[name]:
            if not _find(place, source.file.removesuffix(".gz")):
                fetch_file(source, place, progress=progress)
    return place


def status(name: str, folder: Path | str | None = None) -> Status:
    """What there is of a data set, in one sentence, for the doctor. Reads the files, asks no network, never raises.

    Args:
        name: "mnist" or "cifar10".
        folder: the data folder; None means :func:`data_folder`.

    Returns:
        Status "found", "partial", "missing" or "corrupt".
    """
    root = data_folder() if folder is None else Path(folder)
    try:
        _check_known("data set", name, SOURCES)
        parts = {split: _read(name, split, root, SOURCES) for split in SPLITS}
    except (OSError, ValueError) as error:
        return Status(name, "corrupt", str(error))
    place, found = _place(name, root), [split for split in SPLITS if parts[split] is not None]
    if not found:
        files = _missing(name, place)
        return Status(name, "missing", f"{place} lacks {', '.join(files)}; {_how_to_get(name, root)}.")
    sizes = " and ".join(f"{len(parts[split].images):,} {split} images" for split in found)
    if len(found) < len(SPLITS):
        files = _missing(name, place)
        return Status(
            name, "partial", f"{place} holds {sizes} but lacks {', '.join(files)}; {_how_to_get(name, root)}."
        )
    notes = sorted({part.note for part in parts.values()} - {""})
    return Status(name, "found", f"{sizes} in {place}" + (f" ({'; '.join(notes)})." if notes else "."))


# ---------------------------------------------------------------------------------------------------------------------
# Reading what is there


def _read(name: str, split: str, root: Path, sources: Mapping[str, tuple[Source, ...]]) -> ImageData | None:
    """The data set from its files; None where files are missing."""
    place = _place(name, root)
    return (
        _read_mnist(split, place, sources) if name == "mnist" else _read_cifar10(split, root, place, sources)
    )


def _read_mnist(split: str, place: Path, sources: Mapping[str, tuple[Source, ...]]) -> ImageData | None:
    images_file, labels_file = (_find(place, stem) for stem in MNIST_FILES[split])
    if images_file is None or labels_file is None:
        return None
    official = {source.sha256: source.file for source in sources["mnist"]}
    really = [official.get(_sha256(file)) for file in (images_file, labels_file)]
    for file, official_file in zip((images_file, labels_file), really, strict=True):
        if official_file not in (None, file.name):
            raise broken(file, f"it is mislabelled: its content is that of {official_file}")
    images = read_idx(images_file, (28, 28), MNIST_SIZES[split])
    labels = read_idx(labels_file, (), MNIST_SIZES[split])
    if len(images) != len(labels):
        raise broken(
            labels_file, f"it has {len(labels):,} labels and {images_file.name} {len(images):,} images"
        )
    check_labels(labels_file, labels)
    other = "test" if split == "train" else "train"
    first = labels[:10].tolist()
    if first == MNIST_FIRST_LABELS[other]:
        raise broken(labels_file, f"it is mislabelled: it begins as MNIST's {other} labels do")
    note = ""
    if None in really:
        what = "training digits" if split == "train" else "test digits"
        if len(images) < MNIST_SIZES[split] and first == MNIST_FIRST_LABELS[split]:
            note = f"MNIST, first {len(images):,} {what}"
        else:
            note = (
                f"MNIST, {len(images):,} {what} from files that are not the official ones (checksum differs)"
            )
    return _image_data(images[:, None], labels, tuple("0123456789"), "mnist", note)


def _read_cifar10(
    split: str, root: Path, place: Path, sources: Mapping[str, tuple[Source, ...]]
) -> ImageData | None:
    archive = root / sources["cifar10"][0].file
    if _missing("cifar10", place) and archive.exists():
        _unpack_cifar10(archive, place, sources["cifar10"][0])
    files = [place / file for file in CIFAR10_FILES[split]]
    if not all(file.exists() for file in files):
        return None
    count = len(files) * CIFAR10_RECORDS
    images, labels = np.empty((count, 3, 32, 32), np.uint8), np.empty(count, np.int64)
    for k, file in enumerate(files):
        part = slice(k * CIFAR10_RECORDS, (k + 1) * CIFAR10_RECORDS)
        read_cifar10_batch(file, images[part], labels[part])
    batches = labels.reshape(len(files), -1)
    for k in range(1, len(files)):
        for earlier in range(k):
            if (batches[k] == batches[earlier]).all():
                raise broken(files[k], f"it is mislabelled: it is a copy of {files[earlier].name}")
    note = (
        "" if _sealed(place, files) else "CIFAR-10, files placed by hand (not verified as the official ones)"
    )
    return _image_data(images, labels, CIFAR10_CLASSES, "cifar10", note)


def _image_data(
    images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], name: str, note: str
) -> ImageData:
    return ImageData(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), classes, name, note)


def _place(name: str, root: Path) -> Path:
    """The folder of the data set's files: the course's own layout, torchvision's, or the data folder itself."""
    own = root / ("mnist" if name == "mnist" else CIFAR10_FOLDER)
    candidates = (own, root / "MNIST" / "raw", root) if name == "mnist" else (own, root)
    return next((place for place in candidates if len(_missing(name, place)) < len(_all_files(name))), own)


def _all_files(name: str) -> list[str]:
    files = MNIST_FILES if name == "mnist" else CIFAR10_FILES
    return [file for split in SPLITS for file in files[split]]


def _missing(name: str, place: Path) -> list[str]:
    return [file for file in _all_files(name) if _find(place, file) is None]


def _find(place: Path, file: str) -> Path | None:
    """The file, compressed or not."""
    return next((path for path in (place / (file + ".gz"), place / file) if path.exists()), None)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# CIFAR-10's archive


def _unpack_cifar10(archive: Path, place: Path, source: Source) -> None:
    """Takes the six files, and nothing else, out of the archive. Seals them if the archive is the official one."""
    with one_at_a_time(archive.parent / WORKPLACE):
        if not _missing("cifar10", place) or not archive.exists():
            return  # another process unpacked it while this one waited
        official = _file_sha256(archive) == source.sha256
        place.mkdir(parents=True, exist_ok=True)
        sums = {}
        try:
            with tarfile.open(archive) as tar:
                for member in tar:
                    file = Path(member.name).name
                    if file in _all_files("cifar10") and member.isfile():
                        content = tar.extractfile(member).read()
                        sums[file] = zlib.crc32(content)
                        _write_atomically(place / file, content)
        except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
            raise broken(archive, f"it is not an intact archive ({error})") from error
        missing = [file for file in _all_files("cifar10") if file not in sums]
        if missing:
            raise broken(archive, f"it lacks {', '.join(missing)}")
        if official:
            _write_atomically(place / CIFAR10_SEAL, json.dumps(sums, indent=1).encode())


def _sealed(place: Path, files: list[Path]) -> bool:
    """Whether the files were unpacked from the official archive. Sealed files that changed since are broken."""
    try:
        sums = json.loads((place / CIFAR10_SEAL).read_text())
    except (OSError, ValueError):
        return False
    for file in files:
        if zlib.crc32(file.read_bytes()) != sums.get(file.name):
            raise broken(file, "it has changed since it was unpacked from the official archive")
    return True


def _write_atomically(path: Path, content: bytes) -> None:
    scratch = path.with_name(path.name + ".part")
    scratch.write_bytes(content)
    scratch.replace(path)


def _file_sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# What is not there


def _try_to_fetch(name: str, root: Path, sources: Mapping[str, tuple[Source, ...]]) -> str:
    """Fetches the data set; returns why it could not, or "". A failure is remembered: the next call does not wait."""
    key = (name, root)
    if key not in _given_up:
        try:
            fetch(name, root, sources=sources)
            return ""
        except DownloadError as error:
            _given_up[key] = str(error)
        except KeyboardInterrupt:  # the learner does not want to wait: what came is kept
            _given_up[key] = "the download was interrupted; what came is kept"
    return _given_up[key]


def _stand_in(name: str, split: str, root: Path, why: str) -> ImageData:
    if name == "mnist":
        images, labels = stand_ins.digits(split)
        data = _image_data(images, labels, tuple("0123456789"), name, stand_ins.DIGITS_NOTE)
    else:
        images, labels = stand_ins.shapes(split)
        data = _image_data(images, labels, stand_ins.SHAPES, name, stand_ins.SHAPES_NOTE)
    if name not in _said:
        _said.add(name)
        print(
            f"{_title(name)} is not here: {why.rstrip('.')}.\n"
            f"The course goes on with a stand-in ({data.note.removeprefix('stand-in: ')}); its figures say so.\n"
            f"For the real data, {_how_to_get(name, root)}."
        )
    return data


def _how_to_get(name: str, root: Path) -> str:
    place = _place(name, root)
    what = "the four *-ubyte.gz files" if name == "mnist" else "cifar-10-binary.tar.gz"
    where = place if name == "mnist" else root
    return f"run course_utils.data.fetch({name!r}) with a network, or put {what} into {where} and start again"


def _title(name: str) -> str:
    return {"mnist": "MNIST", "cifar10": "CIFAR-10"}[name]


def _check_known(what: str, given: str, known: Mapping | tuple) -> None:
    if given not in known:
        raise ValueError(f"unknown {what} {given!r}; choose one of {', '.join(map(repr, known))}.")
