"""Files: whole or not at all, weights as safetensors, and where those that ship with the course lie."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

ASSETS = Path(__file__).parent / "assets"  # what ships: networks, and the widgets' scripts


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path; its content replaces `path` in one move, or, after an error, not at all.

    What processes that were killed while writing the same file left behind is removed first.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Removes partial files whose process is gone. One that is still there may be writing at this moment."""
    partial = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.partial")
    for file in path.parent.iterdir():
        match = partial.fullmatch(file.name)
        if match and not psutil.pid_exists(int(match[1])):
            file.unlink(missing_ok=True)  # another process may have removed it in the meantime


def check_writable(path: str | Path, size: int = 4096) -> None:
    """Writes and removes `size` bytes beside `path`: a place that cannot be written is known before the work.

    Raises:
        ValueError: it cannot be written, or `path` is a folder.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path} is a folder; name a file in it")
    trial = Path(path).with_name(f".{Path(path).name}.trial")
    try:
        with replacing(trial) as partial:
            partial.write_bytes(bytes(size))
        trial.unlink()
    except OSError as error:
        raise ValueError(f"{path} cannot be written ({error.strerror}); choose another place") from error


def save_weights(
    network: nn.Module, path: str | Path, metadata: dict[str, str] | None = None, half: bool = False
) -> None:
    """Writes a network's weights and buffers as safetensors; `half` stores 16 bits, in half the space."""
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in network.state_dict().items()
    }
    with replacing(path) as partial:
        save_file(tensors, partial, metadata)
        partial.chmod(0o644)  # safetensors writes files that only their owner may read


def load_weights(network: nn.Module, path: str | Path) -> nn.Module:
    """Fills the network with the weights of a safetensors file, and returns it.

    The network keeps its own number format: half-precision files are computed with in float32.

    Raises:
        ValueError: the file is damaged, or holds another network's weights.
    """
    try:
        network.load_state_dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"{path} is not a readable safetensors file ({error}); fetch it again") from error
    except RuntimeError as error:
        raise ValueError(f"{path} holds the weights of another network: {error}") from error
    return network


def read_metadata(path: str | Path) -> dict[str, str]:
    """What `save_weights` was given as metadata; empty where it was given none."""
    with safe_open(path, framework="pt") as file:
        return file.metadata() or {}
