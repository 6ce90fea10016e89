"""Files: checkpoints that a run resumes from, and weights that ship."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path; its content replaces `path` in one move, or, after an error, not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def save_checkpoint(path: str | Path, state: dict) -> None:
    """Writes everything that a run needs to go on (tensors, numbers, strings, lists and dicts of these)."""
    with replacing(path) as partial:
        torch.save(state, partial)


def load_checkpoint(path: str | Path) -> dict:
    """Reads what `save_checkpoint` wrote; executes no code from the file (`weights_only=True`).

    Raises:
        ValueError: the file is no checkpoint, or a damaged one.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # torch raises half a dozen types here, by what is wrong with the file
        raise ValueError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); delete it to start afresh"
        ) from error


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
