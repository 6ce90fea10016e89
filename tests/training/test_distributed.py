"""Two processes with half the batch do what one does with the whole; one that dies ends all in a sentence.

Real processes, started by `torchrun` on this machine, with tiny networks.
"""

import importlib.util
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import torch
from safetensors import safe_open

from course_utils.training import __main__ as command
from course_utils.training.checkpoint import load_checkpoint
from tests.training.games import train_gan

WORKER = Path(__file__).with_name("distributed_worker.py")
_spec = importlib.util.spec_from_file_location("distributed_worker", WORKER)
worker = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(worker)

PATIENCE = 120  # seconds until a job that hangs is ended; alone on two cores, each takes about ten
SMALL = ["--data", "mnist", "--batch-size", "16", "--device", "cpu", "--precision", "float32"]


@contextmanager
def torchrun(*words: object, data: Path | None = None, processes: int = 2):
    """Processes on this machine, which are gone at the end, whatever happens."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "COURSE_DATA": str(data or "")}
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    job = subprocess.Popen(
        [*start, *map(str, words)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield job
    finally:
        family = [*psutil.Process(job.pid).children(recursive=True), job] if job.poll() is None else [job]
        for process in family:
            process.kill()
        job.communicate()


def finish(job: subprocess.Popen) -> tuple[int, str, str]:
    out, err = job.communicate(timeout=PATIENCE)
    return job.returncode, out, err


def process_of(job: subprocess.Popen, rank: int) -> psutil.Process:
    for process in psutil.Process(job.pid).children(recursive=True):
        if process.environ().get("RANK") == str(rank):
            return process
    raise AssertionError(f"there is no process {rank}")


def wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.05)


# --- the same training ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The scenarios of the worker, on two processes: (result of process 0, result of process 1) by name."""
    folder, logs = tmp_path_factory.mktemp("together"), tmp_path_factory.mktemp("logs")
    worker.train(penalty=worker.PENALTY, checkpoint=folder / "one.checkpoint", images=96)
    before = (folder / "one.checkpoint").read_bytes()
    with torchrun("--log-dir", logs, "--redirects", "3", WORKER, folder) as job:
        status, out, err = finish(job)
    assert status == 0, out + err + "".join(path.read_text() for path in logs.rglob("std*.log"))
    assert (folder / "one.checkpoint").read_bytes() != before  # process 0 has gone on with it
    return folder


def both(together, name: str) -> list:
    return [torch.load(together / f"{name}.{rank}.pt", weights_only=True) for rank in (0, 1)]


def assert_same_run(found: dict, expected: dict) -> None:
    assert found.keys() == expected.keys()
    for name in ("images", "discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy"):
        assert found["history"][name] == pytest.approx(expected["history"][name], abs=1e-4), name
    for name, tensor in expected.items():
        if isinstance(tensor, torch.Tensor):
            torch.testing.assert_close(
                found[name], tensor, rtol=1e-3, atol=1e-4, msg=lambda text, n=name: n + text
            )


def test_two_processes_with_half_the_batch_are_one_with_the_whole(together):
    """Losses, accuracies, weights, running statistics, power iterations, the average: all of it."""
    alone = worker.train(penalty=worker.PENALTY)
    first, second = both(together, "trained")
    assert_same_run(first, alone)
    assert all(
        torch.equal(first[name], second[name]) for name in first if isinstance(first[name], torch.Tensor)
    )
    assert first["history"]["discriminator_loss"] == second["history"]["discriminator_loss"]


def test_a_checkpoint_of_one_process_goes_on_with_two(together):
    assert_same_run(both(together, "resumed")[0], worker.train(penalty=worker.PENALTY))


def test_a_checkpoint_of_two_processes_goes_on_with_one(together):
    file = together / "two.0.checkpoint"
    assert load_checkpoint(file)["images_seen"] == worker.TRAIN["images"]
    resumed = worker.train(penalty=worker.PENALTY, images=288, checkpoint=file, resume=True)
    assert resumed["images"] == 288
    first = both(together, "trained")[0]
    assert resumed["history"]["images"][:8] == first["history"]["images"]
    assert resumed["history"]["generator_loss"][:8] == first["history"]["generator_loss"]


def test_only_process_0_writes(together):
    folder = together
    assert (folder / "two.0.checkpoint").exists()
    assert not (folder / "two.1.checkpoint").exists()
    assert both(together, "callbacks") == [3 - 1, 0]  # at the start and at the end


def test_the_stop_button_of_one_process_stops_all_after_the_same_step(together):
    first, second = both(together, "interrupted")
    assert first["interrupted"] and second["interrupted"]
    assert first["images"] == second["images"] == first["history"]["images"][-1]
    assert torch.equal(first["G 0.weight"], second["G 0.weight"])


def test_a_batch_that_cannot_be_shared_is_refused_in_a_sentence(together):
    assert (
        both(together, "indivisible")
        == ["batch_size must be divisible by the number of processes, got 13 and 2; choose 12 or 14."] * 2
    )


@pytest.mark.parametrize("name", ["maps", "vectors"])
def test_batch_normalisation_over_all_processes_is_that_of_the_whole_batch(together, name):
    whole, halves = worker.LAYERS[name](), both(together, name)
    for expected, *found in zip(whole["outputs"], *(half["outputs"] for half in halves), strict=True):
        torch.testing.assert_close(torch.cat(found), expected, rtol=1e-4, atol=1e-4)
    for expected, *found in zip(whole["weights"], *(half["weights"] for half in halves), strict=True):
        torch.testing.assert_close(sum(found), expected, rtol=1e-4, atol=1e-3)
    for half in halves:
        torch.testing.assert_close(half["statistics"], whole["statistics"])


def test_a_sum_over_processes_counts_each_once(together):
    assert both(together, "sum") == [3.0, 3.0]


# --- the command ---------------------------------------------------------------------------------------


def test_the_command_on_two_processes_speaks_and_writes_once(tmp_path):
    files, logs = tmp_path / "files", tmp_path / "logs"
    output = files / "digits.safetensors"
    words = [*SMALL, "--images", "64", "--output", output, "--checkpoint", files / "run.pt"]
    with torchrun(
        "--log-dir", logs, "--redirects", "3", "-m", "course_utils.training", *words, data=tmp_path
    ) as job:
        status, _, _ = finish(job)
    said = {path.parent.name + path.name: path.read_text() for path in logs.rglob("std*.log")}
    assert status == 0, said
    assert "64 images in" in said["0stdout.log"] and "on 2 processes (cpu)" in said["0stdout.log"]
    assert "stand-in" in said["0stdout.log"]  # there is no data in that folder
    assert "100%" in said["0stderr.log"]
    assert (said["1stdout.log"], said["1stderr.log"]) == ("", "")
    assert sorted(path.name for path in files.iterdir()) == ["digits.safetensors", "run.pt"]
    with safe_open(output, "pt") as weights:
        assert weights.metadata()["images"] == "64"
        launched = "torchrun --standalone --nproc-per-node=2 -m course_utils.training"
        assert launched in weights.metadata()["made_by"]


def kill(folder: Path, rank: int, processes: int) -> tuple[Path, str]:
    """Kills one of several processes when there is a checkpoint: the checkpoint, and the command to go on."""
    path = folder / "run of digits.pt"
    words = [*SMALL, "--batch-size", "12", "--checkpoint", path, "--checkpoint-every", "32"]
    words += ["--images", "10000000"]
    with torchrun("-m", "course_utils.training", *words, data=folder, processes=processes) as job:
        wait_for(path)
        process_of(job, rank).kill()
        killed = time.monotonic()
        status, _, err = finish(job)
    assert time.monotonic() - killed < 60
    assert status != 0
    (sentence,) = re.findall(r"^Training ended.*$", err, re.MULTILINE)  # said once, by whoever is left
    held, go_on = re.fullmatch(
        f"Training ended, because one of its {processes} processes was killed or failed: "
        rf"{re.escape(str(path))} holds the state after ([\d,]+) images; continue with (.*)",
        sentence,
    ).groups()
    assert load_checkpoint(path)["images_seen"] == int(held.replace(",", "")) > 0
    assert sorted(file.name for file in folder.iterdir()) == [path.name]
    return path, go_on


def test_a_killed_process_ends_the_job_with_one_sentence_and_a_checkpoint(tmp_path):
    kill(tmp_path, rank=0, processes=3)


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> tuple[Path, str]:
    return kill(tmp_path_factory.mktemp("killed"), rank=1, processes=2)


def test_the_command_in_that_sentence_goes_on_from_the_checkpoint(killed):
    path, go_on = killed
    before = load_checkpoint(path)
    images = before["images_seen"] + 24
    words = shlex.split(go_on.replace("10000000", str(images)))  # to a nearer end
    assert words[:3] == ["torchrun", "--standalone", "--nproc-per-node=2"]
    with torchrun(*words[3:], data=path.parent) as job:
        status, out, err = finish(job)
    assert status == 0, err
    assert f"{images:,} images in" in out
    after = load_checkpoint(path)
    assert after["images_seen"] == images
    steps = len(before["history"]["generator_loss"])
    assert after["history"]["generator_loss"][:steps] == before["history"]["generator_loss"]


def test_ctrl_c_ends_the_job_with_a_checkpoint_and_says_how_to_go_on(tmp_path):
    path = tmp_path / "run.pt"
    words = [*SMALL, "--checkpoint", path, "--checkpoint-every", "32", "--images", "10000000"]
    with torchrun("-m", "course_utils.training", *words, data=tmp_path) as job:
        wait_for(path)
        job.send_signal(signal.SIGINT)
        status, out, _ = finish(job)
    assert status != 0
    (held,) = re.findall(r"Stopped after ([\d,]+) of 10,000,000 images", out)
    assert load_checkpoint(path)["images_seen"] == int(held.replace(",", ""))
    assert "--resume" in out


# --- one process ---------------------------------------------------------------------------------------


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))


def test_without_torchrun_the_command_is_one_process(tmp_path, capsys, offline):
    output = tmp_path / "digits.safetensors"
    assert command.main([*SMALL, "--images", "32", "--output", str(output)]) == 0
    assert "32 images in" in capsys.readouterr().out and output.exists()


def test_colour_has_a_recipe_too(tmp_path, capsys, offline):
    assert command.main(["--data", "cifar10", *SMALL[2:], "--images", "16"]) == 0
    assert "16 images in" in capsys.readouterr().out


def test_a_checkpoint_is_neither_overwritten_nor_taken_up_unasked(tmp_path, capsys, offline):
    path = tmp_path / "run.pt"
    words = [*SMALL, "--checkpoint", str(path)]
    assert command.main([*words, "--images", "16"]) == 0
    assert command.main([*words, "--images", "32"]) == 1
    assert f"{path} exists: add --resume" in capsys.readouterr().err
    assert command.main([*words, "--images", "32", "--resume"]) == 0
    assert load_checkpoint(path)["images_seen"] == 32


def test_mistakes_of_the_command_line_end_in_a_sentence(capsys, offline):
    with pytest.raises(SystemExit):
        command.main(["--resume"])
    assert "--resume needs --checkpoint FILE" in capsys.readouterr().err
    assert command.main([*SMALL, "--images", "0"]) == 1
    assert "images must be at least 1, got 0" in capsys.readouterr().err
    assert command.main(["--device", "tpu"]) == 1
    assert "device must be one of cuda, mps, cpu" in capsys.readouterr().err


def test_one_process_needs_no_torchrun_to_train():
    assert train_gan(*worker.players(), worker.noise, **{**worker.TRAIN, "batch_size": 13}).images_seen >= 192
