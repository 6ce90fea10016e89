"""Loading: real files where they are, one clear sentence where they are broken, stand-ins that say so."""

import errno
import gzip
import hashlib
import io
import os
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from course_utils import data
from course_utils.data import cifar10, formats, mnist, stand_ins

RECORDS = 20  # a small CIFAR-10: the same format with 20 instead of 10,000 records a file


# --- MNIST


@pytest.fixture
def folder(tmp_path, mnist_files):
    """A data folder with the small MNIST of conftest.py in it."""
    (tmp_path / "mnist").mkdir()
    for file, content in mnist_files.items():
        (tmp_path / "mnist" / file).write_bytes(content)
    return tmp_path


def contents(file_bytes):
    return gzip.decompress(file_bytes)


def rewrite(path, change, compress=True):
    """Replaces the (uncompressed) content of a file by change(content)."""
    content = change(contents(path.read_bytes()))
    path.write_bytes(gzip.compress(content, mtime=0) if compress else content)


def test_a_folder_filled_by_hand_is_read(folder, mnist_files):
    train = data.load_mnist("train", folder)
    assert train.images.dtype == torch.uint8 and train.images.shape == (500, 1, 28, 28)
    assert train.labels.dtype == torch.int64 and train.labels.shape == (500,)
    assert train.images.numpy().tobytes() == contents(mnist_files["train-images-idx3-ubyte.gz"])[16:]
    assert train.labels.tolist() == list(contents(mnist_files["train-labels-idx1-ubyte.gz"])[8:])
    assert train.name == "mnist" and train.classes == tuple("0123456789")
    assert train.note == "MNIST, 500 training digits, not the official files (checksum differs)"
    assert not train.is_stand_in


@pytest.mark.parametrize("layout", ["", "MNIST/raw"])
@pytest.mark.parametrize("compressed", [True, False])
def test_other_layouts_and_uncompressed_files_are_read_too(tmp_path, mnist_files, layout, compressed):
    (tmp_path / layout).mkdir(parents=True, exist_ok=True)
    for file, content in mnist_files.items():
        name = file if compressed else file.removesuffix(".gz")
        (tmp_path / layout / name).write_bytes(content if compressed else contents(content))
    assert data.load_mnist("test", tmp_path).images.shape == (20, 1, 28, 28)
    assert data.status("mnist", tmp_path).state == "found"


def sums_of(folder, split):
    """What mnist.OFFICIAL would hold if these files were the official ones."""
    return {
        hashlib.sha256(contents((folder / "mnist" / f"{file}.gz").read_bytes())).hexdigest(): file
        for file in mnist.FILES[split]
    }


def test_a_shorter_training_set_whose_sums_are_known_says_how_long_it_is(folder, monkeypatch):
    monkeypatch.setattr(mnist, "FIRST_DIGITS", sums_of(folder, "train"))
    assert data.load_mnist("train", folder).note == "MNIST, first 500 training digits"


def test_a_shorter_training_set_that_only_begins_like_the_official_one_is_not_called_its_first_digits(folder):
    begin = bytes(mnist.FIRST_LABELS["train"])
    rewrite(folder / "mnist" / LABELS, lambda content: content[:8] + begin + content[18:])
    note = data.load_mnist("train", folder).note
    assert note == "MNIST, 500 training digits, not the official files (checksum differs)"


@pytest.mark.parametrize("known", ["OFFICIAL", "FIRST_DIGITS"])
def test_a_label_altered_within_0_to_9_is_found_where_the_images_are_known(folder, monkeypatch, known):
    monkeypatch.setattr(mnist, known, sums_of(folder, "train"))
    rewrite(folder / "mnist" / LABELS, lambda content: set_byte(408, (content[408] + 1) % 10)(content))
    with pytest.raises(data.DataError, match=f"{LABELS} cannot be used: its content is not MNIST's"):
        data.load_mnist("train", folder)


def test_data_that_are_not_the_official_ones_are_named_once(folder, capsys):
    for _ in range(2):
        note = data.load_mnist("train", folder).note
    assert capsys.readouterr().out.count(note) == 1


def test_of_the_official_data_nothing_is_said(folder, monkeypatch, capsys):
    monkeypatch.setattr(mnist, "OFFICIAL", sums_of(folder, "train"))
    data.load_mnist("train", folder)
    assert capsys.readouterr().out == ""


def test_how_the_official_content_is_compressed_does_not_matter(folder, monkeypatch):
    official = {
        hashlib.sha256(contents(path.read_bytes())).hexdigest(): path.stem
        for path in (folder / "mnist").iterdir()
    }
    monkeypatch.setattr(mnist, "OFFICIAL", official)
    for path in (folder / "mnist").iterdir():
        path.write_bytes(gzip.compress(contents(path.read_bytes()), compresslevel=9, mtime=1))
    assert data.load_mnist("train", folder).note == ""


def set_byte(position, value):
    return lambda content: content[:position] + bytes([value]) + content[position + 1 :]


IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.mark.parametrize(
    "file, spoil, words",
    [
        (IMAGES, lambda path: path.write_bytes(path.read_bytes()[:-5000]), "truncated: the compressed data"),
        (IMAGES, lambda path: path.write_bytes(path.read_bytes()[:20]), "truncated"),
        (IMAGES, lambda path: (path.unlink(), path.mkdir()), r"cannot be read \(Is a directory\)"),
        (LABELS, lambda path: path.write_bytes(b""), "does not begin as an IDX file of labels"),
        (LABELS, lambda path: path.write_bytes(b"<html>404</html>"), "not an intact gzip file"),
        (LABELS, lambda path: rewrite(path, lambda c: c, compress=False), "not an intact gzip file"),
        (LABELS, lambda path: rewrite(path, lambda c: c[:3]), "does not begin as an IDX file"),
        (IMAGES, lambda path: rewrite(path, lambda c: c[:10]), "ends inside its header"),
        (IMAGES, lambda path: rewrite(path, lambda c: c[:-1]), "truncated: 391,999 bytes .* says 392,000"),
        (IMAGES, lambda path: rewrite(path, lambda c: c + b"x"), "longer than the 392,000 bytes"),
        (IMAGES, lambda path: rewrite(path, set_byte(2, 0x0D)), r"IDX file of images .*'00000d03'"),
        (IMAGES, lambda path: rewrite(path, set_byte(11, 29)), r"shape \(29, 28\), expected \(28, 28\)"),
        (
            IMAGES,
            lambda path: rewrite(path, set_byte(4, 255)),
            "says 4,278,190,580 items, expected 1 to 60,000",
        ),
        (LABELS, lambda path: rewrite(path, lambda c: c[:4] + bytes(4)), "says 0 items"),
        (LABELS, lambda path: rewrite(path, set_byte(8 + 7, 10)), "item 7 has label 10, expected 0 to 9"),
        (LABELS, lambda path: path.write_bytes(path.with_name(IMAGES).read_bytes()), "IDX file of labels"),
        (IMAGES, lambda path: path.write_bytes(path.with_name(LABELS).read_bytes()), "IDX file of images"),
        (
            LABELS,
            lambda path: path.write_bytes(path.with_name("t10k-labels-idx1-ubyte.gz").read_bytes()),
            "has 20 labels, train-images-idx3-ubyte.gz 500 images",
        ),
        (
            LABELS,
            lambda path: rewrite(path, lambda c: c[:8] + bytes(mnist.FIRST_LABELS["test"]) + c[18:]),
            "mislabelled: it begins as MNIST's test labels do",
        ),
    ],
)
def test_a_broken_mnist_file_is_named_with_what_is_wrong_and_how_to_mend_it(folder, file, spoil, words):
    path = folder / "mnist" / file
    spoil(path)
    with pytest.raises(data.DataError, match=words) as caught:
        data.load_mnist("train", folder)
    message = str(caught.value)
    assert message.startswith(f"{path} cannot be used: it")
    assert message.endswith(
        "delete it and run again (with a network, the course fetches it), or put an intact copy in its place."
    )
    assert "\n" not in message
    found = data.status("mnist", folder)
    assert (found.state, found.sentence) == ("corrupt", message)
    data.load_mnist("test", folder)  # the other split is not concerned


def test_a_flipped_bit_in_the_compressed_data_is_found(folder):
    path = folder / "mnist" / IMAGES
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(data.DataError, match=IMAGES):
        data.load_mnist("train", folder)


def test_official_content_under_another_name_is_found(folder, monkeypatch):
    test_images = folder / "mnist" / "t10k-images-idx3-ubyte.gz"
    official = {hashlib.sha256(contents(test_images.read_bytes())).hexdigest(): "t10k-images-idx3-ubyte"}
    monkeypatch.setattr(mnist, "OFFICIAL", official)
    (folder / "mnist" / IMAGES).write_bytes(test_images.read_bytes())
    with pytest.raises(
        data.DataError,
        match=f"{IMAGES} cannot be used: it is mislabelled: its content is that of t10k-images",
    ):
        data.load_mnist("train", folder)
    with pytest.raises(
        data.DataError, match=r"t10k-labels.* its content is not MNIST's, while that of t10k-images"
    ):
        data.load_mnist("test", folder)


# --- CIFAR-10


@pytest.fixture
def small_cifar10(monkeypatch):
    monkeypatch.setattr(formats, "CIFAR10_RECORDS", RECORDS)
    monkeypatch.setattr(cifar10, "CIFAR10_RECORDS", RECORDS)
    rng = np.random.default_rng(0)
    batches = {}
    for file in cifar10.FILES["train"] + cifar10.FILES["test"]:
        records = rng.integers(0, 256, (RECORDS, 3073), dtype=np.uint8)
        records[:, 0] %= 10
        batches[file] = records
    return batches


@pytest.fixture
def official(small_cifar10, monkeypatch):
    """The small CIFAR-10 counts as the official one."""
    sums = {hashlib.sha1(records.tobytes()).hexdigest(): file for file, records in small_cifar10.items()}
    monkeypatch.setattr(cifar10, "OFFICIAL", sums)
    return small_cifar10


def write_batches(folder, batches):
    (folder / cifar10.FOLDER).mkdir(parents=True, exist_ok=True)
    for file, records in batches.items():
        records.tofile(folder / cifar10.FOLDER / file)


def archive_of(batches):
    """A .tar.gz as published: the files in a folder, others that nobody needs, and one that wants out."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in [("readme.html", b"hello"), ("../escaped.txt", b"out")]:
            add(tar, f"{cifar10.FOLDER}/{name}", content)
        for file, records in batches.items():
            add(tar, f"{cifar10.FOLDER}/{file}", records.tobytes())
    return buffer.getvalue()


def add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def cifar10_sources(archive, mirror="http://127.0.0.1:9/"):
    return {
        "cifar10": (
            data.Source(cifar10.ARCHIVE, (mirror,), hashlib.sha256(archive).hexdigest(), len(archive)),
        )
    }


@pytest.mark.parametrize("layout", [cifar10.FOLDER, ""])
def test_cifar10_files_placed_by_hand_are_read(tmp_path, small_cifar10, layout):
    write_batches(tmp_path, small_cifar10)
    train = data.load_cifar10("train", tmp_path / ("" if layout else cifar10.FOLDER))
    assert train.images.shape == (5 * RECORDS, 3, 32, 32) and train.images.dtype == torch.uint8
    third = small_cifar10["data_batch_3.bin"]
    assert train.labels[2 * RECORDS : 3 * RECORDS].tolist() == third[:, 0].tolist()
    red, green, blue = train.images[2 * RECORDS + 4].numpy()
    assert red.tobytes() == third[4, 1:1025].tobytes()
    assert green.tobytes() == third[4, 1025:2049].tobytes()
    assert blue.tobytes() == third[4, 2049:].tobytes()
    assert train.classes[3] == "cat" and len(train.classes) == 10
    assert train.note == "CIFAR-10, files placed by hand (not verified as the official ones)"
    assert data.load_cifar10("test", tmp_path).images.shape == (RECORDS, 3, 32, 32)


@pytest.mark.parametrize(
    "file, spoil, words",
    [
        (
            "data_batch_2.bin",
            lambda path: os.truncate(path, 61_459),
            "truncated: 61,459 bytes, expected 61,460",
        ),
        ("data_batch_2.bin", lambda path: path.write_bytes(b""), "truncated: 0 bytes"),
        ("data_batch_2.bin", lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
        (
            "data_batch_5.bin",
            lambda path: path.write_bytes(path.read_bytes() + b"x"),
            "too long: 61,461 bytes",
        ),
        (
            "data_batch_1.bin",
            lambda path: path.write_bytes(set_byte(3 * 3073, 10)(path.read_bytes())),
            "item 3 has label 10, expected 0 to 9",
        ),
        (
            "data_batch_4.bin",
            lambda path: path.write_bytes(path.with_name("data_batch_2.bin").read_bytes()),
            "mislabelled: it is a copy of data_batch_2.bin",
        ),
    ],
)
def test_a_broken_cifar10_file_is_named_with_what_is_wrong(tmp_path, small_cifar10, file, spoil, words):
    write_batches(tmp_path, small_cifar10)
    spoil(tmp_path / cifar10.FOLDER / file)
    with pytest.raises(data.DataError, match=f"{file} cannot be used: .*{words}.*; delete it and run again"):
        data.load_cifar10("train", tmp_path)
    assert data.status("cifar10", tmp_path).state == "corrupt"
    data.load_cifar10("test", tmp_path)


def test_an_archive_placed_by_hand_is_unpacked_even_offline(tmp_path, small_cifar10):
    (tmp_path / cifar10.ARCHIVE).write_bytes(archive_of(small_cifar10))
    assert "unpacked when it is first loaded" in data.status("cifar10", tmp_path).sentence
    train = data.load_cifar10("train", tmp_path, download=False)
    assert train.labels[:RECORDS].tolist() == small_cifar10["data_batch_1.bin"][:, 0].tolist()
    assert train.note == cifar10.NOTE  # its sum is not the official one
    assert {path.name for path in (tmp_path / cifar10.FOLDER).iterdir()} == set(small_cifar10)
    assert not list(tmp_path.rglob("escaped.txt"))


def test_the_official_files_are_known_as_such_and_one_that_is_not_is_found(tmp_path, official, capsys):
    (tmp_path / cifar10.ARCHIVE).write_bytes(archive_of(official))
    assert data.load("cifar10", "train", tmp_path).note == ""
    assert data.load("cifar10", "test", tmp_path).note == ""
    assert "full official set" not in capsys.readouterr().out
    path = tmp_path / cifar10.FOLDER / "data_batch_3.bin"
    label = path.read_bytes()[3073]
    path.write_bytes(set_byte(3073, (label + 1) % 10)(path.read_bytes()))
    with pytest.raises(
        data.DataError, match=r"data_batch_3\.bin cannot be used: its content is not CIFAR-10's"
    ):
        data.load("cifar10", "train", tmp_path)
    path.with_name("test_batch.bin").write_bytes(official["data_batch_1.bin"].tobytes())
    with pytest.raises(data.DataError, match=r"mislabelled: its content is that of data_batch_1\.bin"):
        data.load("cifar10", "test", tmp_path)


def test_cifar10_that_is_not_known_is_named_once(tmp_path, small_cifar10, capsys):
    write_batches(tmp_path, small_cifar10)
    for split in ("train", "test", "train"):
        data.load_cifar10(split, tmp_path)
    assert capsys.readouterr().out.count(cifar10.NOTE) == 1


@pytest.mark.parametrize("seal", ["{", "[" * 100_000, '{"data_batch_1.bin": null}', "\0\ufffd"])
def test_a_broken_official_json_of_an_earlier_version_does_no_harm(tmp_path, official, seal):
    write_batches(tmp_path, official)
    (tmp_path / cifar10.FOLDER / "official.json").write_text(seal)
    assert data.load_cifar10("train", tmp_path).note == ""


@pytest.mark.parametrize(
    "spoil, words",
    [
        (lambda archive, batches: archive[: len(archive) // 2], "not an intact archive"),
        (lambda archive, batches: b"<html>not found</html>", "not an intact archive"),
        (
            lambda archive, batches: archive_of({"test_batch.bin": batches["test_batch.bin"]}),
            "lacks data_batch_1.bin",
        ),
        (
            lambda archive, batches: archive_of(
                batches | {"data_batch_2.bin": batches["test_batch.bin"][:5]}
            ),
            "its data_batch_2.bin has 15,365 bytes",
        ),
    ],
)
def test_a_broken_archive_is_named_and_leaves_no_data_behind(tmp_path, small_cifar10, spoil, words):
    (tmp_path / cifar10.ARCHIVE).write_bytes(spoil(archive_of(small_cifar10), small_cifar10))
    with pytest.raises(data.DataError, match=f"{cifar10.ARCHIVE} cannot be used: .*{words}"):
        data.load_cifar10("train", tmp_path, download=False)
    assert not list((tmp_path / cifar10.FOLDER).glob("*.bin"))


def header(name, size, kind):
    """A block of a tar file that announces a member of that type."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.USTAR_FORMAT)


def bomb_of_digits():
    """An extended header that keeps tarfile's search for a number followed by a blank busy for hours."""
    return header("bomb", 3_000_000 // 512 * 512, tarfile.XHDTYPE) + b"1" * (3_000_000 // 512 * 512)


def bomb_of_zeros():
    """An extended header that takes a thousandth of its size on the disk."""
    return header("bomb", 10_000 * 512, tarfile.XHDTYPE) + bytes(10_000 * 512)


def bomb_of_headers():
    """Members without end, all of them empty."""
    return header("bomb", 0, tarfile.REGTYPE) * 10_000


def promise_of_terabytes():
    return header("bomb", 8**11 - 512, tarfile.XHDTYPE)


@pytest.mark.parametrize(
    "bomb, words",
    [
        (bomb_of_digits, "lacks data_batch_1.bin"),
        (bomb_of_zeros, "unpacks to far more"),
        (bomb_of_headers, "unpacks to far more"),
        (promise_of_terabytes, "unpacks to far more"),
    ],
)
def test_an_archive_made_to_hurt_is_refused_at_once(tmp_path, small_cifar10, monkeypatch, bomb, words):
    monkeypatch.setattr(cifar10, "UNPACKED", 4_000_000)
    (tmp_path / cifar10.ARCHIVE).write_bytes(gzip.compress(bomb(), compresslevel=1))
    start = time.monotonic()
    with pytest.raises(data.DataError, match=f"{cifar10.ARCHIVE} cannot be used: it {words}"):
        data.load_cifar10("train", tmp_path, download=False)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("compress", [gzip.compress, lambda content: content])
def test_archives_as_other_programs_write_them_are_read(tmp_path, official, format, compress):
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=format, pax_headers={"comment": "made by hand"}
    ) as tar:
        folder = tarfile.TarInfo("./cifar-10-batches-bin/")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        add(tar, "./cifar-10-batches-bin/._data_batch_1.bin", b"what macOS adds")
        for file, records in official.items():
            member = tarfile.TarInfo(f"./cifar-10-batches-bin/{file}")
            member.size, member.mtime, member.uname = records.nbytes, 1243900000.5, "Ünïcode"
            tar.addfile(member, io.BytesIO(records.tobytes()))
    (tmp_path / cifar10.ARCHIVE).write_bytes(compress(buffer.getvalue()))
    assert data.load_cifar10("train", tmp_path, download=False).note == ""


def test_an_archive_whose_last_bytes_were_altered_is_found(tmp_path, official):
    content = bytearray(archive_of(official))
    content[-6] ^= 1  # in gzip's own sum
    (tmp_path / cifar10.ARCHIVE).write_bytes(content)
    with pytest.raises(data.DataError, match="not an intact archive"):
        data.load_cifar10("train", tmp_path, download=False)
    assert not list((tmp_path / cifar10.FOLDER).iterdir())


def test_a_disk_that_fills_up_while_unpacking_is_a_sentence_and_leaves_nothing_half_done(
    tmp_path, official, monkeypatch, capsys
):
    (tmp_path / cifar10.ARCHIVE).write_bytes(archive_of(official))
    write_bytes = Path.write_bytes

    def fill_up(path, content):
        write_bytes(path, content[:100])
        if path.name == "data_batch_4.bin.part":
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    assert data.load_cifar10("train", tmp_path, download=False).is_stand_in
    said = capsys.readouterr().out
    assert f"CIFAR-10 could not be written to {tmp_path} (No space left on device); make room" in said
    assert not list((tmp_path / cifar10.FOLDER).iterdir())
    monkeypatch.undo()
    assert data.status("cifar10", tmp_path).state == "found"  # the archive is still there


def test_cifar10_is_fetched_unpacked_and_its_archive_removed(tmp_path, official, server):
    archive = archive_of(official)
    server.files = {cifar10.ARCHIVE: archive}
    sources = server.sources("dies", "serves", name="cifar10")
    loaded = data.load("cifar10", "test", tmp_path, sources=sources)
    assert loaded.note == "" and loaded.images.shape == (RECORDS, 3, 32, 32)
    assert not list(tmp_path.rglob("*.tar.gz")) and not list(tmp_path.rglob("*.part"))
    assert len(server.asked()) == 2
    data.fetch("cifar10", tmp_path, sources=sources)
    assert len(server.asked()) == 2


def test_cifar10_is_fetched_once_for_all_who_ask_at_the_same_time(tmp_path, official, server):
    server.files = {cifar10.ARCHIVE: archive_of(official)}
    sources = server.sources("slow", name="cifar10")
    with ThreadPoolExecutor(4) as four:
        loaded = list(four.map(lambda _: data.load("cifar10", "test", tmp_path, sources=sources), range(4)))
    assert [part.note for part in loaded] == [""] * 4
    assert len(server.requests) == 1


def test_an_archive_that_was_fetched_but_not_unpacked_is_not_fetched_again(tmp_path, official, online):
    archive = archive_of(official)
    workplace = tmp_path / ".downloading" / "cifar10"
    workplace.mkdir(parents=True)
    (workplace / cifar10.ARCHIVE).write_bytes(archive)
    assert data.load("cifar10", "train", tmp_path, sources=cifar10_sources(archive)).note == ""


# --- Stand-ins, status, names


@pytest.mark.parametrize("name, shape", [("mnist", (1, 28, 28)), ("cifar10", (3, 32, 32))])
def test_a_stand_in_is_announced_once_and_says_that_it_is_one(tmp_path, name, shape, capsys):
    train, test = (data.load(name, split, tmp_path, download=False) for split in ("train", "test"))
    for part in (train, test):
        assert part.is_stand_in and part.note.startswith("stand-in: ") and part.name == name
        assert part.images.dtype == torch.uint8 and part.images.shape[1:] == shape
        assert part.labels.dtype == torch.int64 and len(part.labels) == len(part.images)
        assert set(part.labels.tolist()) == set(range(10)) and len(part.classes) == 10
    flat = torch.cat([train.images, test.images]).flatten(1)
    assert len(torch.unique(flat, dim=0)) == len(flat)  # no image is in both splits, nor twice in one
    shown = capsys.readouterr().out
    assert shown.count(train.note) == 1
    assert str(tmp_path) in shown and f"course_utils.data.fetch('{name}')" in shown


def test_the_digits_are_framed_as_mnist_frames_them(tmp_path):
    digits = data.load_mnist("train", tmp_path, download=False).images
    inside = digits[:, :, 4:24, 4:24]
    assert digits.sum() == inside.sum()
    assert inside.flatten(1).amax(dim=1).min() > 200  # ink is white on black


def test_the_shapes_are_the_same_every_time_and_their_classes_can_be_told_apart():
    images, labels, _, _ = stand_ins.shapes("train")
    again, _, _, _ = stand_ins.shapes("train")
    assert (images == again).all()
    assert np.bincount(labels).tolist() == [500] * 10
    cover = silhouettes(images)
    test_images, test_labels, _, _ = stand_ins.shapes("test")
    means = np.stack([cover[labels == k].mean(axis=0) for k in range(10)])
    distance = ((silhouettes(test_images)[:, None] - means) ** 2).sum(axis=(2, 3))
    assert (distance.argmin(axis=1) == test_labels).mean() > 0.5  # chance is 0.1


def silhouettes(images):
    """How far each pixel's colour is from the corner's, scaled to [0, 1]."""
    distance = np.abs(images.astype(float) - images[:, :, :1, :1]).sum(axis=1)
    return distance / distance.max(axis=(1, 2), keepdims=True)


def test_status_tells_missing_partial_and_found_apart(folder):
    assert data.status("mnist", folder).state == "found"
    assert "500 train images and 20 test images" in data.status("mnist", folder).sentence
    (folder / "mnist" / LABELS).unlink()
    found = data.status("mnist", folder)
    assert (
        found.state == "partial"
        and f"({LABELS} not found): run" in found.sentence
        and "fetch('mnist')" in found.sentence
    )
    assert data.load_mnist("test", folder).images.shape == (20, 1, 28, 28)
    assert data.load_mnist("train", folder, download=False).is_stand_in
    found = data.status("cifar10", folder)
    assert found.state == "missing" and str(folder) in found.sentence
    assert sorted(path.name for path in folder.iterdir()) == ["mnist"]  # asking changes nothing


def test_unknown_names_get_the_list_of_known_ones():
    with pytest.raises(ValueError, match="unknown data set 'minst'; choose one of 'mnist', 'cifar10'"):
        data.load("minst")
    with pytest.raises(ValueError, match="unknown split 'validation'; choose one of 'train', 'test'"):
        data.load_mnist("validation")
    with pytest.raises(ValueError, match="unknown data set"):
        data.fetch("imagenet")
    with pytest.raises(ValueError, match="unknown data set"):
        data.status("imagenet")


def test_the_data_folder_can_be_chosen(monkeypatch, folder):
    monkeypatch.setenv("COURSE_DATA", str(folder))
    assert data.data_folder() == folder
    assert len(data.load_mnist("test").images) == 20
    monkeypatch.delenv("COURSE_DATA")
    assert data.data_folder().name == "data"


def test_the_sources_are_complete_and_reached_over_https():
    for sources in data.SOURCES.values():
        for source in sources:
            assert len(bytes.fromhex(source.sha256)) == 32 and source.size > 0
            assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in source.mirrors)


# --- The real files, where they are


def real(data_set):
    missing = data_set.missing(data.data_folder())
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not in {data.data_folder()}")


@real(mnist)
def test_the_real_training_digits_are_known_and_an_altered_label_among_them_is_found(tmp_path):
    train = data.load_mnist("train")
    assert train.note in ("", f"MNIST, first {len(train.images):,} training digits")
    labels = train.labels.numpy().astype(np.uint8)
    labels[1000] = (labels[1000] + 1) % 10
    (tmp_path / "mnist").mkdir()
    for file, values in zip(mnist.FILES["train"], (train.images[:, 0].numpy(), labels), strict=True):
        (tmp_path / "mnist" / file).write_bytes(formats.idx_header(values) + values.tobytes())
    with pytest.raises(data.DataError, match="its content is not MNIST's"):
        data.load_mnist("train", tmp_path)


@real(mnist)
def test_the_official_test_digits_are_recognised_as_such():
    test = data.load_mnist("test")
    assert test.note == ""
    assert torch.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]


@real(cifar10)
def test_the_real_photographs_are_balanced_and_have_the_published_mean_and_std():
    train = data.load_cifar10("train")
    assert torch.bincount(train.labels).tolist() == [5000] * 10
    sample = train.images[::10].double() / 255
    mean, std = sample.mean(dim=(0, 2, 3)), sample.std(dim=(0, 2, 3))
    torch.testing.assert_close(mean, torch.tensor([0.4914, 0.4822, 0.4465]).double(), atol=0.01, rtol=0)
    torch.testing.assert_close(std, torch.tensor([0.2470, 0.2435, 0.2616]).double(), atol=0.01, rtol=0)
