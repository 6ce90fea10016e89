import os
import pickle

import pytest
import torch
from safetensors import safe_open
from torch import nn

from course_utils.training import load_weights, save_weights
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


def network(width: int = 3) -> nn.Module:
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width))


@pytest.mark.parametrize(("half", "tolerance"), [(False, 0), (True, 1e-3)])
def test_weights_go_to_a_safetensors_file_and_back(tmp_path, half, tolerance):
    path, source, target = tmp_path / "net.safetensors", network(), network()
    save_weights(source, path, {"images": "5"}, half=half)
    load_weights(target, path)
    for name, tensor in source.state_dict().items():
        torch.testing.assert_close(target.state_dict()[name], tensor, rtol=tolerance, atol=tolerance)
    assert path.stat().st_mode & 0o044 == 0o044  # others may read it
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"images": "5"}
        assert file.get_tensor("0.weight").dtype == (torch.float16 if half else torch.float32)
        assert file.get_tensor("1.num_batches_tracked").dtype == torch.int64


def test_a_damaged_file_and_anothers_weights_are_told_apart(tmp_path):
    path = tmp_path / "net.safetensors"
    save_weights(network(), path)
    with pytest.raises(ValueError, match="holds the weights of another network"):
        load_weights(network(4), path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match="not a readable safetensors file"):
        load_weights(network(), path)
