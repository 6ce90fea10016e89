"""What `test_distributed.py` runs under `torchrun`: each scenario's result goes to FOLDER/scenario.rank.pt.

torchrun --standalone --nproc-per-node=2 tests/training/distributed_worker.py FOLDER
"""

import os
import signal
import sys
from pathlib import Path

import torch
from torch import nn

from course_utils.models import dcgan_discriminator, dcgan_generator, spectrally_normalised
from course_utils.training.augmentation import augment
from course_utils.training.distributed import SumOverRanks, broadcast_state, leave, process_group, rank, shard
from course_utils.training.penalties import r1

sys.path.insert(0, str(Path(__file__).parents[2]))  # torchrun starts this file by its path

from tests.training.games import train_gan

TRAIN = {
    "images": 192,
    "batch_size": 12,
    "generator_lr": 2e-4,
    "discriminator_lr": 2e-4,
    "discriminator_steps": 2,
    "augment": augment,
    "snapshot_every": 96,
    "snapshot_samples": 4,
    "precision": "float32",
    "device": "cpu",
    "progress": False,
}


def players(seed: int = 0) -> tuple[nn.Module, nn.Module]:
    """Batch normalisation in the generator, power iteration in the discriminator."""
    torch.manual_seed(seed)
    generator = dcgan_generator((3, 8, 8), latent_dim=4, width=4)
    return generator, spectrally_normalised(dcgan_discriminator((3, 8, 8), width=4))


def noise(n, rng):
    return torch.rand(n, 3, 8, 8, generator=rng) * torch.rand(n, 1, 1, 1, generator=rng) * 2 - 1


PENALTY = r1(2.0)


def result(run, generator, discriminator) -> dict:
    return {
        "history": run.history,
        "samples": run.snapshots[-1][1],
        "images": run.images_seen,
        "interrupted": run.interrupted,
        **{
            f"{name} {key}": tensor
            for name, network in (("G", generator), ("D", discriminator), ("average", run.average))
            for key, tensor in network.state_dict().items()
        },
    }


def train(seed: int = 0, draw=noise, **options) -> dict:
    generator, discriminator = players(seed)
    return result(train_gan(generator, discriminator, draw, **{**TRAIN, **options}), generator, discriminator)


def normalisation(momentum: float | None, shape: tuple[int, ...], layer: nn.Module) -> dict:
    """Two batches through a layer: outputs, first and second derivatives, running statistics."""
    torch.manual_seed(1)
    layer.momentum = momentum
    nn.init.uniform_(layer.weight), nn.init.uniform_(layer.bias)
    layer = broadcast_state(layer)
    outputs = []
    for _ in range(2):
        x = shard(3 + 2 * torch.randn(8, 4, *shape)).requires_grad_()
        y = layer(x)
        loss = y.sin().sum()  # a sum: what each process adds is its part of the whole batch's
        (slope,) = torch.autograd.grad(loss, x, create_graph=True)
        slope.square().sum().backward()
        outputs += [y.detach(), slope.detach(), x.grad]
    weights = [layer.weight.grad, layer.bias.grad]
    statistics = [layer.running_mean, layer.running_var, layer.num_batches_tracked]
    layer.eval()
    return {"outputs": [*outputs, layer(x).detach()], "weights": weights, "statistics": statistics}


LAYERS = {
    "maps": lambda: normalisation(0.1, (3, 3), nn.BatchNorm2d(4)),
    "vectors": lambda: normalisation(None, (), nn.BatchNorm1d(4)),
}


def interrupted() -> dict:
    calls = 0

    def draw(n, rng):
        nonlocal calls
        calls += 1
        if rank() == 1 and calls in (12, 13):  # twice: a second one must not tear a step in two
            os.kill(os.getpid(), signal.SIGINT)
        return noise(n, rng)

    return train(draw=draw, images=10_000_000)


def indivisible() -> str:
    try:
        train(batch_size=13)
    except ValueError as error:
        return str(error)
    return "no error"


def main(folder: Path) -> None:
    callbacks = []
    scenarios = {
        # The processes begin with other weights, and must all continue with those of number 0.
        "trained": lambda: train(
            seed=rank(), penalty=PENALTY, checkpoint=folder / f"two.{rank()}.checkpoint"
        ),
        "resumed": lambda: train(penalty=PENALTY, checkpoint=folder / "one.checkpoint", resume=True),
        "interrupted": interrupted,
        "indivisible": indivisible,
        "callbacks": lambda: train(images=24, on_snapshot=lambda run: callbacks.append(1)) and len(callbacks),
        **LAYERS,
        "sum": lambda: SumOverRanks.apply(torch.tensor(rank() + 1.0)).item(),
    }
    with process_group(torch.device("cpu")):
        for name, scenario in scenarios.items():
            torch.save(scenario(), folder / f"{name}.{rank()}.pt")
        print("finished")
    leave(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
