import os
import pickle

import pytest
import torch

from course_utils.training.checkpoint import load_checkpoint, save_checkpoint


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

    def die(state, file):
        file.write_bytes(b"half")
        raise error

    monkeypatch.setattr(torch, "save", die)
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
