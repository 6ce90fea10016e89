"""`python -m course_utils.training`: what it cannot do is said before the first step, and nothing is lost."""

import os
from pathlib import Path

import pytest

from course_utils.training import __main__ as command

SMALL = [
    "--data",
    "mnist",
    "--batch-size",
    "16",
    "--device",
    "cpu",
    "--precision",
    "float32",
    "--images",
    "32",
]


@pytest.fixture(autouse=True)
def stand_ins(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "data"))


@pytest.fixture
def steps(monkeypatch):
    """How many images were trained on."""
    counted, train = [], command.train

    def counting(*arguments, **options):
        run = train(*arguments, **options)
        counted.append(run.images_seen)
        return run

    monkeypatch.setattr(command, "train", counting)
    return counted


@pytest.mark.parametrize("option", ["--output", "--checkpoint"])
def test_a_place_that_cannot_be_written_is_told_before_training(tmp_path, steps, capsys, option):
    (tmp_path / "file").write_text("no folder")
    for path in (tmp_path, tmp_path / "file" / "weights"):
        assert command.main([*SMALL, option, str(path)]) == 1
        said = capsys.readouterr().err
        assert str(path) in said and (
            "name a file in it" in said or "cannot be written" in said or "exists" in said
        )
    assert steps == []


def test_weights_whose_place_became_unwritable_are_written_elsewhere(tmp_path, monkeypatch, capsys):
    save, asked = command.save_weights, []

    def full(generator, path, metadata):
        asked.append(Path(path))
        if len(asked) == 1:
            raise OSError(28, os.strerror(28))
        save(generator, path, metadata)

    monkeypatch.setattr(command, "save_weights", full)
    output = tmp_path / "digits.safetensors"
    assert command.main([*SMALL, "--output", str(output)]) == 1
    assert f"{output} could not be written" in (said := capsys.readouterr().err)
    assert str(asked[1]) in said and asked[1].exists() and not output.exists()


def test_a_seed_that_no_generator_takes_is_told(capsys):
    assert command.main([*SMALL, "--seed", str(2**64)]) == 1
    assert "seed must be a whole number from 0" in capsys.readouterr().err


def test_a_checkpoint_that_is_no_checkpoint_is_told(tmp_path, capsys):
    path = tmp_path / "run.pt"
    path.write_text("[1, 2]")
    assert command.main([*SMALL, "--checkpoint", str(path), "--resume"]) == 1
    assert "run.pt is not a readable checkpoint" in capsys.readouterr().err


def test_progress_ends_at_100_percent_where_the_batch_is_larger_than_the_images(capsys):
    assert command.main([*SMALL[:-1], "10"]) == 0
    said = capsys.readouterr().err
    assert "training: 100%" in said and "160%" not in said
