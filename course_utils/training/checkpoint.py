"""Checkpoints: what a run resumes from."""

from pathlib import Path

import torch

from course_utils.files import replacing


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
