"""Train one of the course's GANs from the command line, on one process or on several.

python -m course_utils.training --data mnist --output digits.safetensors
torchrun --standalone --nproc-per-node=2 -m course_utils.training --data mnist --checkpoint digits.pt

The batch size is that of all processes together: their number changes the speed, not the result.
"""

import argparse
import shlex
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors import SafetensorError
from torch import nn

from course_utils import data
from course_utils.files import check_writable, save_weights
from course_utils.models import count_parameters
from course_utils.runtime import PRECISIONS, pick_device
from course_utils.training import CIFAR10_DCGAN, MNIST_DCGAN, TrainingDiverged, train
from course_utils.training.checkpoint import load_checkpoint
from course_utils.training.distributed import leave, process_group, rank, world_size
from course_utils.training.validation import check_seed

TOLD_TO_GO_ON = 130  # the exit status of a program that Ctrl-C has ended


RECIPES = {"mnist": MNIST_DCGAN, "cifar10": CIFAR10_DCGAN}


class EndedFromOutside(BaseException):
    """SIGTERM: `torchrun` sends it to the processes that are left when one has ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Trains as the command line says.

    Returns:
        The exit status: 0 after the last image, 130 where Ctrl-C came before it, 1 after an error,
        with one sentence that says which.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parse(words)
    store = None
    try:
        device = pick_device(arguments.device)
        with process_group(device) as store, redirect_stdout(sys.stdout if rank() == 0 else None):
            if store is not None:
                signal.signal(signal.SIGTERM, _end)
            status = _train(arguments, words, device)
        if store is not None:
            leave(status)
        return status
    except (ValueError, TrainingDiverged) as error:
        sentence = str(error)
    except (EndedFromOutside, RuntimeError) as error:
        if store is None or not _is_end_of_another(error):
            raise
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has been heard
        sentence = (
            f"Training ended, because one of its {world_size()} processes was killed or failed: "
            + _go_on(arguments, words)
        )
    if _is_first(store):
        print(f"\n{sentence}", file=sys.stderr, flush=True)
    if store is not None:
        leave(1)
    return 1


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", choices=RECIPES, default="mnist")
    parser.add_argument("--images", type=int, default=200_000, help="how many to train on (%(default)s)")
    parser.add_argument("--batch-size", type=int, default=64, help="of all processes together (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cuda, mps or cpu; by default the best there is")
    parser.add_argument("--precision", choices=PRECISIONS, default="auto")
    parser.add_argument("--compiled", action="store_true", help="run the networks through torch.compile")
    parser.add_argument("--checkpoint", type=Path, metavar="FILE", help="where to keep the state")
    parser.add_argument("--checkpoint-every", type=int, default=20_000, metavar="IMAGES")
    parser.add_argument("--resume", action="store_true", help="continue from the checkpoint, if there is one")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the generator's weights, as safetensors")
    arguments = parser.parse_args(words)
    if arguments.resume and not arguments.checkpoint:
        parser.error("--resume needs --checkpoint FILE, the file to continue from")
    return arguments


def _train(arguments: argparse.Namespace, words: Sequence[str], device: torch.device) -> int:
    if arguments.checkpoint and arguments.checkpoint.exists() and not arguments.resume:
        raise ValueError(
            f"{arguments.checkpoint} exists: add --resume to continue from it, or delete it first."
        )
    recipe = RECIPES[arguments.data]
    check_seed(arguments.seed)
    # One process may fetch what is missing; several would wait for one another for as long as that takes.
    images = data.load(arguments.data, download=world_size() == 1)
    torch.manual_seed(arguments.seed)
    gan = recipe.gan()
    if arguments.output and rank() == 0:
        check_writable(arguments.output, size=4 * count_parameters(gan.generator))
    run = train(
        gan,
        data.image_sampler(images.images, device),
        images=arguments.images,
        device=device,
        precision=arguments.precision,
        compiled=arguments.compiled,
        seed=arguments.seed,
        snapshot_every=arguments.checkpoint_every,
        checkpoint=arguments.checkpoint,
        resume=arguments.resume,
        **{**recipe.training, "batch_size": arguments.batch_size},
    )
    if run.interrupted:
        print(f"Stopped after {run.images_seen:,} of {arguments.images:,} images: {_go_on(arguments, words)}")
        return TOLD_TO_GO_ON
    if arguments.output and rank() == 0:
        made_by = f"{_command(words)}, on {images.note or 'the full training set'}"
        _write(run.average, arguments.output, {"made_by": made_by, "images": str(run.images_seen)})
    count = "one process" if world_size() == 1 else f"{world_size()} processes"
    print(f"{run.images_seen:,} images in {run.seconds:.0f} s on {count} ({device.type})")
    return 0


def _write(generator: nn.Module, path: Path, metadata: dict[str, str]) -> None:
    """Writes the weights; if the place has become unwritable meanwhile, somewhere else, and says where."""
    try:
        save_weights(generator, path, metadata)
    except (OSError, SafetensorError) as error:
        other = Path(tempfile.mkdtemp(prefix="gan-course-")) / path.name
        save_weights(generator, other, metadata)
        raise ValueError(f"{path} could not be written ({error}); the weights are in {other}") from error


def _end(signal_number: int, frame: object) -> None:
    raise EndedFromOutside


def _is_end_of_another(error: BaseException) -> bool:
    """Whether a talk between the processes broke off. gloo raises plain RuntimeErrors that name its files."""
    return isinstance(error, (EndedFromOutside, dist.DistError)) or "gloo" in str(error)


def _is_first(store: "dist.Store | None") -> bool:
    try:
        return store is None or store.add("course_utils.training/ended", 1) == 1
    except RuntimeError:  # torchrun itself is gone
        return True


def _go_on(arguments: argparse.Namespace, words: Sequence[str]) -> str:
    """What the checkpoint holds, and the command that continues from there."""
    file = arguments.checkpoint
    if file is None:
        return f"no checkpoint was kept; begin again with {_command([*words, '--checkpoint', 'run.pt'])}"
    if not file.exists():
        return f"{file} was not written yet; begin again with {_command(words)}"
    images = load_checkpoint(file)["images_seen"]
    resume = [] if arguments.resume else ["--resume"]
    return f"{file} holds the state after {images:,} images; continue with {_command([*words, *resume])}"


def _command(words: Sequence[str]) -> str:
    start = "python" if world_size() == 1 else f"torchrun --standalone --nproc-per-node={world_size()}"
    return f"{start} -m course_utils.training {shlex.join(words)}"


if __name__ == "__main__":
    sys.exit(main())
