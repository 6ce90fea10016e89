"""The doctor: right on a healthy machine, and on its feet where things are broken."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from course_utils import runtime
from course_utils.cli import doctor


def finding(name):
    return next(one for one in doctor.report().findings if one.name == name)


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    """Data that other tests, or the developer, have at hand must not decide what the doctor says here."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def test_report_examines_everything_once():
    names = [one.name for one in doctor.report().findings]
    machine = ["Python", "Packages", "PyTorch", "Device", "Threads", "Memory", "Disk"]
    assert names == [*machine, "MNIST", "CIFAR-10"]


def test_missing_data_is_told_with_its_stand_in_but_is_no_disease():
    mnist = finding("MNIST")
    assert "stand-in" in mnist.value
    assert "course data fetch mnist" in mnist.remedy
    assert not mnist.broken


def test_corrupt_data_is_a_disease_and_names_the_file(no_data):
    (no_data / "mnist").mkdir()
    for stem in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (no_data / "mnist" / f"{stem}-ubyte").write_bytes(b"<html>not found</html>")
    report = doctor.report()
    mnist = next(one for one in report.findings if one.name == "MNIST")
    assert mnist.broken and "idx" in mnist.value and mnist.remedy
    assert not report.healthy
    assert "✘ MNIST" in str(report) and "1 to fix" in str(report)


def test_real_data_is_found(no_data, monkeypatch):
    said = SimpleNamespace(state="found", sentence="60,000 train images in mnist.")
    monkeypatch.setattr("course_utils.data.status", lambda name: said)
    assert finding("MNIST") == doctor.Finding("MNIST", said.sentence)


def test_without_torch_the_doctor_says_so_and_goes_on():
    program = (
        "import sys; sys.modules['torch'] = None\n"  # an import of torch now raises ModuleNotFoundError
        "from course_utils.cli import main; sys.exit(main(['doctor']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "✘ PyTorch   missing" in done.stdout
    assert "Memory" in done.stdout and "make setup" in done.stdout


def test_an_examination_that_breaks_becomes_a_finding(monkeypatch):
    def broken():
        raise OSError("libcudart.so.13: cannot open shared object file")

    monkeypatch.setitem(doctor.EXAMINATIONS, "PyTorch", broken)
    torch_finding = finding("PyTorch")
    assert torch_finding.broken and "libcudart" in torch_finding.value
    assert finding("Memory")


def test_versions_are_compared_with_what_is_pinned_and_what_is_allowed(monkeypatch):
    version = metadata.version
    changed = {"numpy": "2.0.1", "pooch": "1.0.0"}
    monkeypatch.setattr(metadata, "version", lambda name: changed.get(name) or version(name))
    packages = finding("Packages")
    assert packages.broken and "pooch 1.0.0 is not >=1.8" in packages.value  # pyproject.toml forbids it
    del changed["pooch"]
    packages = finding("Packages")
    assert (
        not packages.broken
        and f"numpy 2.0.1 instead of {doctor.pinned_versions()['numpy']}" in packages.value
    )


def test_the_cpu_build_of_torch_counts_as_the_pinned_version(monkeypatch):
    version = metadata.version
    pinned = doctor.pinned_versions()["torch"]
    monkeypatch.setattr(
        metadata, "version", lambda name: f"{pinned}+cpu" if name == "torch" else version(name)
    )
    assert "torch" not in finding("Packages").value


@pytest.mark.parametrize(
    "variable, value, known", [("COURSE_DEVICE", "tpu", "mps"), ("COURSE_SCALE", "xl", "gpu")]
)
def test_a_wrong_environment_variable_is_a_disease_and_gets_the_known_values(
    variable, value, known, monkeypatch
):
    monkeypatch.setenv(variable, value)
    device = finding("Device")
    assert device.broken and value in device.value and known in device.value


def test_the_device_is_the_one_that_training_takes(monkeypatch):
    assert finding("Device").value.startswith(f"{runtime.pick_device()}:")
    monkeypatch.setattr(runtime, "has_fast_bfloat16", lambda device: False)
    assert "float32" in finding("Device").value


def test_an_nvidia_gpu_that_torch_cannot_use_gets_a_remedy(monkeypatch):
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: "nvidia" in str(path) or exists(path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    assert "make setup" in finding("PyTorch").remedy
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert "update the driver" in finding("PyTorch").remedy


def test_little_memory_and_a_full_disk_are_told(monkeypatch):
    gigabyte = 1_000_000_000
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: SimpleNamespace(total=8 * gigabyte, available=gigabyte)
    )
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda folder: SimpleNamespace(free=gigabyte // 20))
    assert "close other programs" in finding("Memory").remedy
    assert finding("Disk").broken and "free some space" in finding("Disk").remedy


def test_paths_are_said_from_the_course_folder_or_from_home():
    inside = f"{doctor.CHECKOUT}/data/mnist is empty"
    assert doctor._short(inside) == "data/mnist is empty"
    assert doctor._short(f"{Path.home()}/elsewhere/x") == "~/elsewhere/x"
    assert doctor._short(f"/mnt{Path.home()}/x") == f"/mnt{Path.home()}/x"


def test_the_doctor_tells_the_load_and_how_many_threads_a_training_would_choose(monkeypatch):
    monkeypatch.setenv("COURSE_THREADS", "3")
    (finding,) = doctor._threads()
    assert " cores free, load " in finding.value
    assert finding.value.endswith("; COURSE_THREADS fixes 3 for every training")
    monkeypatch.delenv("COURSE_THREADS")
    monkeypatch.setattr("course_utils.training.threads.free_cores", lambda: 1)
    monkeypatch.setattr("course_utils.runtime.free_cores", lambda: 1)
    monkeypatch.setattr("course_utils.runtime.usable_cores", lambda: 2)
    (finding,) = doctor._threads()
    assert finding.value.startswith("1 of 2 cores free, load ")
    assert finding.value.endswith("a training would now compute on 1 thread")
    assert "other programs compute" in finding.remedy
