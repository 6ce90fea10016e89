import os
import pickle
import random
import time
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_all_start_methods, get_context

import pytest
import torch

from course_utils.files import replacing
from course_utils.losses import LOSSES, GANLoss
from course_utils.training import checkpoint, constant_then_linear
from course_utils.training.augmentation import augment, flip
from course_utils.training.checkpoint import describe_setting, load_checkpoint, save_checkpoint
from course_utils.training.penalties import r1


def test_a_checkpoint_returns_what_was_saved(tmp_path):
    state = {
        "weights": torch.arange(3.0),
        "history": {"loss": [1.5, float("inf")]},
        "snapshots": [(0, torch.ones(2))],
    }
    save_checkpoint(tmp_path / "deep" / "run.pt", state)
    found = load_checkpoint(tmp_path / "deep" / "run.pt")
    assert torch.equal(found["weights"], state["weights"])
    assert found["history"] == state["history"]
    assert found["snapshots"][0][0] == 0


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = tmp_path / "run.pt"
    save_checkpoint(path, {"images": 1})

    @contextmanager
    def dying(path):
        with replacing(path) as partial:
            yield partial
            assert partial.stat().st_size > 0
            raise error

    monkeypatch.setattr(checkpoint, "replacing", dying)
    with pytest.raises(type(error)):
        save_checkpoint(path, {"images": 2})
    monkeypatch.undo()
    assert load_checkpoint(path) == {"images": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


def test_no_code_in_a_file_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.pt").write_bytes(pickle.dumps(Bomb(), protocol=2))
    torch.save({"bomb": Bomb()}, tmp_path / "zip.pt")
    for name in ("run.pt", "zip.pt"):
        with pytest.raises(ValueError, match=f"{name} is not a readable checkpoint"):
            load_checkpoint(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_a_missing_checkpoint_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt")


# --- damage --------------------------------------------------------------------------------------------


def test_a_flipped_bit_anywhere_is_noticed(tmp_path):
    path = tmp_path / "run.pt"
    save_checkpoint(path, {"weights": torch.arange(1000.0)})
    content = path.read_bytes()
    rng = random.Random(0)
    for place in [0, 40, len(content) - 1, *(rng.randrange(len(content)) for _ in range(50))]:
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not a readable checkpoint"):
            load_checkpoint(path)


@pytest.mark.parametrize("state", [[1, 2], "text", 5])
def test_a_checkpoint_that_is_no_dictionary_is_told(tmp_path, state):
    save_checkpoint(tmp_path / "run.pt", state)
    with pytest.raises(ValueError, match="not a readable checkpoint, but a"):
        load_checkpoint(tmp_path / "run.pt")


def write_for_ever(path):
    for number in range(10**6):
        save_checkpoint(path, {"number": number, "weights": torch.full((250_000,), float(number))})


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="needs processes that start at once")
def test_twenty_kills_at_random_moments_of_writing_tear_no_checkpoint(tmp_path):
    """A megabyte is written again and again, so that nearly every kill comes in the middle of a write."""
    path, rng, left_behind, seen = tmp_path / "run.pt", random.Random(0), 0, set()
    for _ in range(20):
        before = path.stat().st_mtime_ns if path.exists() else 0
        writer = get_context("fork").Process(target=write_for_ever, args=(path,), daemon=True)
        writer.start()
        deadline = time.monotonic() + 30
        while not path.exists() or path.stat().st_mtime_ns == before:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.05))
        writer.kill()
        writer.join()
        state = load_checkpoint(path)
        assert (state["weights"] == state["number"]).all()
        seen.add(state["number"])
        left_behind += len(list(tmp_path.glob(".run.pt.*.partial")))
    assert left_behind > 0 and len(seen) > 1  # some kills did come while a file was half written
    save_checkpoint(path, {"number": -1})
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]  # and what they left behind is removed


# --- settings as words ---------------------------------------------------------------------------------


def test_equal_settings_have_equal_descriptions_and_others_have_not():
    def other_r1(gamma):
        return r1(gamma)

    described = [
        describe_setting(setting)
        for setting in (
            None,
            r1(1.0),
            r1(2.0),
            flip,
            augment,
            constant_then_linear,
            partial(constant_then_linear, constant=0.5),
            partial(constant_then_linear, constant=0.6),
            LOSSES["hinge"],
            LOSSES["hinge"]._replace(undecided=1.0),
            GANLoss(lambda real, fake: fake.mean() - real.mean(), lambda real, fake: -fake.mean()),
            GANLoss(lambda real, fake: fake.mean() - 2 * real.mean(), lambda real, fake: -fake.mean()),
            torch.zeros(2),
            torch.ones(2),
            (0.0, 0.99),
            (0.5, 0.99),
            "hinge",
        )
    ]
    assert len(set(described)) == len(described)
    assert describe_setting(other_r1(1.0)) == describe_setting(r1(1.0))
    assert describe_setting([0.0, 0.99]) == describe_setting((0.0, 0.99))
    assert describe_setting(object()) == describe_setting(object())  # no address in it
