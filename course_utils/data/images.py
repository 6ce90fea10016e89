"""MNIST and CIFAR-10 as tensors: from the data folder, else fetched, else a stand-in that says so."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from course_utils.data import cifar10, mnist, stand_ins
from course_utils.data.formats import exists, how_to_be_allowed
from course_utils.data.locking import one_at_a_time
from course_utils.data.sources import SOURCES, DownloadError, Source
from course_utils.folders import CHECKOUT

DATA_SETS = {"mnist": mnist, "cifar10": cifar10}
SPLITS = ("train", "test")
WORKPLACE = ".downloading"  # in the data folder: partial downloads, and the locks
Sources = Mapping[str, tuple[Source, ...]]

_gave_up: dict[
    tuple[str, Path], str
] = {}  # what this process could not fetch, and why: it does not wait again
_announced: set[str] = set()  # the notes that this process has spoken of


class ImageData(NamedTuple):
    """A labelled set of images, and where it came from."""

    images: Tensor  # uint8 (N, C, H, W) in [0, 255]
    labels: Tensor  # int64 (N,)
    classes: tuple[str, ...]  # the name of each label
    name: str  # "mnist" or "cifar10"
    note: str  # "" for the full official set; otherwise words for the captions of figures

    @property
    def is_stand_in(self) -> bool:
        """Whether these images only stand in for the data set that they are named after."""
        return self.note.startswith("stand-in")


class Status(NamedTuple):
    """What there is of a data set: found, partial, missing, corrupt or unusable; and a sentence."""

    name: str
    state: str
    sentence: str


def data_folder() -> Path:
    """Where the course keeps its data: ``COURSE_DATA`` if that is set, else ``data/`` beside the package."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(os.path.expanduser(chosen)) if chosen else CHECKOUT / "data"


def load_mnist(split: str = "train", folder: Path | str | None = None, download: bool = True) -> ImageData:
    """MNIST: 60,000 training and 10,000 test digits, 28×28, white on black.

    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998 (CC BY-SA 3.0,
    says the documentation of Keras; their own page states no licence).
    A training set shorter than the official one is taken too; the note then says how long it is.

    Args:
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`. The files lie in its ``mnist/``.
        download: fetch what is missing. Where that cannot be (no network, ``COURSE_OFFLINE=1``), a stand-in
            is returned: scikit-learn's 8×8 digits, upsampled.

    Returns:
        ImageData with images uint8 (N, 1, 28, 28).

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: the split is unknown.
    """
    return load("mnist", split, folder, download)


def load_cifar10(split: str = "train", folder: Path | str | None = None, download: bool = True) -> ImageData:
    """CIFAR-10: 50,000 training and 10,000 test photographs in ten classes, 32×32, in colour.

    A. Krizhevsky, V. Nair, G. Hinton, in "Learning Multiple Layers of Features from Tiny Images", 2009, the
    report that they ask to be cited. Read from the binary version: its files, or ``cifar-10-binary.tar.gz``.

    Args:
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`. The files are in ``cifar-10-batches-bin/``.
        download: fetch what is missing (170 MB from a slow host; you may interrupt it, and it is resumed).
            Where that cannot be (no network, ``COURSE_OFFLINE=1``), a stand-in is returned: drawn shapes.

    Returns:
        ImageData with images uint8 (N, 3, 32, 32).

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: the split is unknown.
    """
    return load("cifar10", split, folder, download)


def load(
    name: str,
    split: str = "train",
    folder: Path | str | None = None,
    download: bool = True,
    *,
    sources: Sources = SOURCES,
) -> ImageData:
    """The data set of that name: "mnist" (:func:`load_mnist`) or "cifar10" (:func:`load_cifar10`).

    Args:
        name: the data set.
        split: "train" or "test".
        folder: the data folder; None means :func:`data_folder`.
        download: fetch what is missing.
        sources: where the files can be had, and their sums.

    Returns:
        The data, or their stand-in.

    Raises:
        DataError: a file is corrupt, truncated or mislabelled.
        ValueError: the name or the split is unknown.
    """
    _check_known("data set", name, DATA_SETS)
    _check_known("split", split, SPLITS)
    root = data_folder() if folder is None else Path(folder)
    if why := _unusable(name, root):
        return _stand_in(name, split, why)
    found = DATA_SETS[name].read(root, split)
    if found is None:
        why = _try_to_obtain(name, root, sources, download)
        found = DATA_SETS[name].read(root, split)
    if found is None:
        missing, remedy = _what_is_missing(name, root), _how_to_get(name, root)
        return _stand_in(name, split, f"{missing}. {why}", f"\nFor the real data: {remedy}.")
    images, labels, note = found
    if note:
        _say_once(note, f"The data here are not known to be the full official set: {note}. Figures say so.")
    return _image_data(images, labels, DATA_SETS[name].CLASSES, name, note)


def fetch(
    name: str,
    folder: Path | str | None = None,
    *,
    sources: Sources = SOURCES,
    patience: float = 10.0,
    progress: bool = True,
) -> Path:
    """Fetches what is missing of a data set; continues with a download that was interrupted.

    Any number of processes may ask at once: one fetches, the others wait; if it is killed, another goes
    on where it stopped. If ``COURSE_MIRROR`` is set to the address of a folder with the official files (a
    workshop's own server), it is asked before the official hosts.

    Args:
        name: "mnist" or "cifar10".
        folder: the data folder; None means :func:`data_folder`.
        sources: where the files can be had, and their sums.
        patience: seconds without an answer or data after which the next mirror is tried.
        progress: show size, speed and time left.

    Returns:
        The folder that holds the files.

    Raises:
        DownloadError: it could not be fetched; what came is kept for the next time.
        DataError: an archive that was placed by hand is corrupt.
        ValueError: the name is unknown.
    """
    _check_known("data set", name, DATA_SETS)
    root = data_folder() if folder is None else Path(folder)
    _obtain(name, root, sources, _network_forbidden(), patience, progress)
    return DATA_SETS[name].place(root)


def status(name: str, folder: Path | str | None = None) -> Status:
    """What there is of a data set, for the doctor: checks the files, asks no network, changes nothing.

    Args:
        name: "mnist" or "cifar10".
        folder: the data folder; None means :func:`data_folder`.

    Returns:
        Status "found", "partial", "missing", "corrupt" (a file is) or "unusable" (the folder is), with a
        sentence that says what to do where needed.

    Raises:
        ValueError: the name is unknown. Nothing that the files hold raises.
    """
    _check_known("data set", name, DATA_SETS)
    root, data_set = data_folder() if folder is None else Path(folder), DATA_SETS[name]
    if why := _unusable(name, root):
        return Status(name, "unusable", why)
    if data_set.packed(root):
        return Status(name, "found", f"{data_set.packed(root)} will be unpacked when it is first loaded.")
    sizes, notes = [], []
    try:
        for split in SPLITS:
            found = data_set.read(root, split)
            if found is not None:
                sizes.append(f"{len(found[0]):,} {split} images")
                notes += [found[2]] if found[2] and found[2] not in notes else []
    except (OSError, ValueError) as error:
        return Status(name, "corrupt", str(error))
    if not data_set.missing(root):
        remark = f"; {'; '.join(notes)}" if notes else ""
        return Status(name, "found", f"{' and '.join(sizes)} in {data_set.place(root)}{remark}.")
    state = "missing" if _has_nothing(name, root) else "partial"
    return Status(name, state, f"{_what_is_missing(name, root)}: {_how_to_get(name, root)}.")


def _obtain(
    name: str, root: Path, sources: Sources, forbidden: str, patience: float = 10.0, progress: bool = True
) -> None:
    """Unpacks or downloads what is missing. ``forbidden``: why the network may not be used, "" if it may."""
    data_set = DATA_SETS[name]
    if why := _unusable(name, root):
        raise DownloadError(why)
    if not data_set.missing(root):
        return
    if forbidden and not data_set.packed(root):
        raise DownloadError(f"{data_set.TITLE} may not be fetched: {forbidden} forbids it.")
    with one_at_a_time(root / WORKPLACE / name) as workplace:
        try:
            if data_set.packed(root):
                data_set.unpack(data_set.packed(root), root)
            elif data_set.missing(root):  # another process may have fetched it while this one waited
                data_set.fetch(root, workplace, sources[name], patience, progress)
        except DownloadError:
            raise
        except OSError as error:  # the disk is full, say; what came is kept
            raise DownloadError(
                f"{data_set.TITLE} could not be written to {root} ({error.strerror or error}); "
                "make room there, or set COURSE_DATA to another folder."
            ) from error


def _try_to_obtain(name: str, root: Path, sources: Sources, download: bool) -> str:
    """Why what is missing cannot be had, or "". A failure is remembered: nobody waits twice."""
    forbidden = _network_forbidden() if download else "download=False"
    if (name, root) not in _gave_up or forbidden:
        try:
            _obtain(name, root, sources, forbidden)
            return ""
        except KeyboardInterrupt:  # the learner does not want to wait
            _gave_up[name, root] = "the download was interrupted (what came is kept, and it can be resumed)"
        except OSError as error:
            if forbidden:
                return str(error)
            _gave_up[name, root] = str(error)
    return _gave_up[name, root]


def _network_forbidden() -> str:
    return "COURSE_OFFLINE=1" if os.environ.get("COURSE_OFFLINE", "0") not in ("", "0") else ""


def _stand_in(name: str, split: str, why: str, remedy: str = "") -> ImageData:
    images, labels, classes, note = (stand_ins.digits if name == "mnist" else stand_ins.shapes)(split)
    continues = f"The course continues with its {note}; every figure drawn from it says so.{remedy}"
    _say_once(note, f"{why}\n{continues}")
    return _image_data(images, labels, classes, name, note)


def _say_once(note: str, sentence: str) -> None:
    if note not in _announced:
        _announced.add(note)
        print(sentence)


def _unusable(name: str, root: Path) -> str:
    """Why nothing can be kept in the data folder, with what to do about it; "" where it can."""
    there = _deepest_seen(root)
    if not os.path.isdir(there):
        return f"The data folder {root} cannot be used: {there} is not a folder; set COURSE_DATA to a folder."
    try:
        DATA_SETS[name].missing(root)  # looks into each folder that may hold the files
        exists(root / WORKPLACE / name)
    except OSError as error:
        there = _deepest_seen(Path(error.filename))
        remedy = (
            how_to_be_allowed(there) if isinstance(error, PermissionError) else "set COURSE_DATA to another"
        )
        return (
            f"The data folder {root} cannot be used: {there} cannot be opened ({error.strerror}); {remedy}."
        )
    return ""


def _deepest_seen(path: Path) -> Path:
    """The path itself, or the last folder on the way to it that can be seen."""
    while not os.path.lexists(path):
        path = path.parent
    return path


def _has_nothing(name: str, root: Path) -> bool:
    return len(DATA_SETS[name].missing(root)) == sum(map(len, DATA_SETS[name].FILES.values()))


def _what_is_missing(name: str, root: Path) -> str:
    title, place = DATA_SETS[name].TITLE, DATA_SETS[name].place(root)
    if _has_nothing(name, root):
        return f"{title} is not in {place}"
    return f"{title} is not whole in {place} ({', '.join(DATA_SETS[name].missing(root))} not found)"


def _how_to_get(name: str, root: Path) -> str:
    where = DATA_SETS[name].place(root) if name == "mnist" else root
    return (
        f"run course_utils.data.fetch({name!r}) where there is a network, "
        f"or put {DATA_SETS[name].BY_HAND} into {where}, then restart the kernel"
    )


def _image_data(
    images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], name: str, note: str
) -> ImageData:
    return ImageData(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), classes, name, note)


def _check_known(what: str, given: str, known: Iterable[str]) -> None:
    if given not in known:
        raise ValueError(f"unknown {what} {given!r}; choose one of {', '.join(map(repr, known))}.")
