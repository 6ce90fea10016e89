"""A data folder that cannot be used: one sentence from load, status, fetch, `course data` and the doctor."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from course_utils import cli, data
from course_utils.cli import doctor
from course_utils.data import download  # noqa: F401  imported while this process may still read everything


@pytest.fixture
def place(monkeypatch):
    """A folder of somebody who is not root: root may look into everything."""
    folder = Path(tempfile.mkdtemp(prefix="course-tests-"))
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        data.load("mnist", "test", folder, download=False)  # scikit-learn, too, is imported as root
        data.images._announced.clear()
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o700)
    for inside, folders, _ in os.walk(folder):
        for name in folders:
            if not os.path.islink(os.path.join(inside, name)):
                os.chmod(os.path.join(inside, name), 0o700)
    shutil.rmtree(folder)


def forbidden(place):
    (place / "data" / "mnist").mkdir(parents=True)
    (place / "data").chmod(0)
    return place / "data", place / "data"


def half_forbidden(place):
    """May be listed, not entered."""
    forbidden(place)
    (place / "data").chmod(0o600)
    return place / "data", place / "data"


def forbidden_below(place):
    for folder in ("mnist", "cifar-10-batches-bin"):
        (place / "data" / folder).mkdir(parents=True)
    (place / "data" / "mnist").chmod(0)
    return place / "data", place / "data" / "mnist"


def a_file(place):
    (place / "data").write_text("not a folder")
    return place / "data", place / "data"


def below_a_file(place):
    (place / "file").write_text("not a folder")
    return place / "file" / "data", place / "file"


def a_link_to_nowhere(place):
    (place / "data").symlink_to(place / "gone")
    return place / "data", place / "data"


def a_loop(place):
    (place / "data").symlink_to(place / "data")
    return place / "data", place / "data"


ALL = [forbidden, half_forbidden, forbidden_below, a_file, below_a_file, a_link_to_nowhere, a_loop]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions and links as POSIX has them")


@pytest.mark.parametrize("make", ALL)
def test_load_goes_on_with_the_stand_in_and_says_what_is_wrong_with_the_folder(make, place, capsys):
    folder, culprit = make(place)
    assert data.load("mnist", "train", folder).is_stand_in
    assert data.load("mnist", "test", folder).is_stand_in
    said = capsys.readouterr().out
    assert said.count(f"The data folder {folder} cannot be used: {culprit} ") == 1
    assert ("chmod" in said) == ("forbidden" in make.__name__)
    assert "COURSE_DATA" in said


@pytest.mark.parametrize("make", ALL)
def test_status_and_fetch_say_the_same(make, place):
    folder, culprit = make(place)
    status = data.status("mnist", folder)
    assert status.state == "unusable"
    assert status.sentence.startswith(f"The data folder {folder} cannot be used: {culprit} ")
    with pytest.raises(data.DownloadError) as caught:
        data.fetch("mnist", folder)
    assert status.sentence in str(caught.value)


@pytest.mark.parametrize("make", ALL)
def test_course_data_and_the_doctor_say_it_and_do_not_advise_to_install_anew(
    make, place, monkeypatch, capsys
):
    folder, _ = make(place)
    monkeypatch.setenv("COURSE_DATA", str(folder))
    for action in ("show", "fetch"):
        assert cli.main(["data", action, "mnist"]) == 1
        assert "mnist: unusable. The data folder" in capsys.readouterr().out
    report = doctor.report()
    mnist = next(one for one in report.findings if one.name == "MNIST")
    assert mnist.broken and "cannot be used" in mnist.value and "COURSE_DATA" in mnist.remedy
    assert not report.healthy and "Nothing to fix" not in str(report)
    assert doctor.REINSTALL not in str(report)


def test_a_file_without_permission_is_not_to_be_deleted(place, mnist_files):
    (place / "mnist").mkdir()
    for name, content in mnist_files.items():
        (place / "mnist" / name).write_bytes(content)
    labels = place / "mnist" / "train-labels-idx1-ubyte.gz"
    labels.chmod(0)
    with pytest.raises(
        data.DataError, match=rf"{labels} cannot be used: you may not read it; .*chmod"
    ) as caught:
        data.load("mnist", "train", place)
    assert "delete" not in str(caught.value)
    assert data.status("mnist", place).state == "corrupt"


def test_a_folder_that_may_be_read_but_not_written_to_serves_what_it_has(place, mnist_files, online):
    (place / "mnist").mkdir()
    for name, content in mnist_files.items():
        (place / "mnist" / name).write_bytes(content)
    (place / "mnist").chmod(0o500)
    place.chmod(0o500)
    assert not data.load("mnist", "train", place).is_stand_in
    assert data.load("cifar10", "train", place).is_stand_in
    with pytest.raises(data.DownloadError, match="cannot be written to"):
        data.fetch("cifar10", place)


def test_a_home_that_does_not_exist_is_just_a_folder_that_does_not(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", "~nobody-has-this-name/data")
    assert data.status("mnist").state == "missing"
    assert doctor.report()


def test_a_name_that_no_disk_takes_is_told(monkeypatch, tmp_path):
    status = data.status("mnist", tmp_path / ("x" * 5000))
    assert status.state == "unusable" and "too long" in status.sentence
