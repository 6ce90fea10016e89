"""Files: written whole or not at all, weights there and back."""

import os
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from torch import nn

from course_utils.files import load_weights, read_metadata, replacing, save_weights


def test_what_a_killed_run_left_behind_is_removed_and_what_a_living_one_writes_stays(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()  # its number belongs to nobody now
    path = tmp_path / "run.pt"
    (tmp_path / f".run.pt.{child.pid}.partial").write_bytes(b"half")
    (tmp_path / f".run.pt.{os.getppid()}.partial").write_bytes(b"being written")
    (tmp_path / f".other.pt.{child.pid}.partial").write_bytes(b"another file's")
    with replacing(path) as partial:
        partial.write_bytes(b"whole")
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(
        ["run.pt", f".run.pt.{os.getppid()}.partial", f".other.pt.{child.pid}.partial"]
    )


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
    assert read_metadata(path) == {"images": "5"}
    with safe_open(path, "pt") as file:
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
