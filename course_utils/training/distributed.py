"""One training on several processes: what `train` asks when `torchrun` has started more than one.

Every process holds both networks with the same weights, draws the same batch from the same random numbers,
and keeps its shard of it; `DistributedDataParallel` averages the gradients, so that all take the same step.
That is one process with the whole batch, but for rounding. With one process, all of this does nothing.
"""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel


def world_size() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """This process's number. Only number 0 writes files, shows progress and calls callbacks."""
    return dist.get_rank() if world_size() > 1 else 0


@contextmanager
def process_group(device: torch.device) -> Iterator["dist.Store | None"]:
    """Joins the processes that `torchrun` has started: NCCL between GPUs, gloo between CPUs.

    Yields:
        Where the processes can leave each other notes; None where nobody has called `torchrun`.

    Raises:
        ValueError: more processes than GPUs.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield None
        return
    if device.type == "cuda":
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise ValueError(
                f"process {local} of this machine found no GPU of its own, there are {gpus}; "
                f"call torchrun with --nproc-per-node={gpus}."
            )
        torch.cuda.set_device(local)
    store, number, count = next(dist.rendezvous("env://"))
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=store, rank=number, world_size=count)
    yield store
    dist.destroy_process_group()  # not after an error: it could wait for a process that is gone


def leave(status: int) -> NoReturn:
    """Ends this process at once, when all is written.

    At a usual exit gloo's threads may abort a process that has finished its work, and NCCL would wait for one
    that is gone; `torchrun` would take either for a failure.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def check_divisible(batch_size: int) -> None:
    """Every process must get as large a shard as the others."""
    if batch_size % world_size():
        n = world_size()
        fitting = ", ".join(str(size) for size in (batch_size // n * n, -(-batch_size // n) * n) if size)
        raise ValueError(
            f"batch_size must be divisible by the number of processes, got {batch_size} and {n}; "
            f"choose {fitting.replace(', ', ' or ')}."
        )


def shard(batch: Tensor) -> Tensor:
    """This process's shard of a batch that all have drawn: (N, ...) → (N / world_size, ...)."""
    return batch.chunk(world_size())[rank()]


def shard_augmentation(
    augment: Callable[[Tensor, torch.Generator], Tensor],
) -> Callable[[Tensor, torch.Generator], Tensor]:
    """The augmentation, drawing for the whole batch: an image meets the change it would meet in one process.

    The places of the other processes' images are filled with zeros. The work is small beside the networks'.
    """
    if world_size() == 1:
        return augment

    def augmented(images: Tensor, rng: torch.Generator) -> Tensor:
        parts = [torch.zeros_like(images)] * world_size()
        parts[rank()] = images
        return shard(augment(torch.cat(parts), rng))

    return augmented


def broadcast_state(network: nn.Module) -> nn.Module:
    """Gives all processes the weights and buffers of number 0, and batch normalisation the whole batch."""
    if world_size() == 1:
        return network
    for tensor in network.state_dict().values():
        dist.broadcast(tensor, 0)
    if next(network.parameters()).is_cuda:
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for layer in network.modules():
        if isinstance(layer, _BatchNorm):
            layer.__class__ = GlobalBatchNorm  # the same layer, weights and names; another forward pass
    return network


def data_parallel(network: nn.Module) -> nn.Module:
    """The network to call in the loop: in its backward pass, gradients become the mean over the processes.

    Buffers are not sent round before each call: they are the same everywhere already.
    """
    if world_size() == 1:
        return network
    with warnings.catch_warnings():
        # Newer versions have another name for the option, which the oldest that the course takes do not know.
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(network, broadcast_buffers=False)


def mean_over_ranks(numbers: Tensor) -> Tensor:
    """The mean of each number over the processes: what the whole batch would have given."""
    if world_size() > 1:
        dist.all_reduce(numbers)
        numbers /= world_size()
    return numbers


def any_rank(question: Callable[[], bool], every: float = 0.25) -> Callable[[], bool]:
    """The same answer on every process, in the same step: yes, as soon as it is yes on one of them.

    They ask each other only after as many calls as take `every` seconds, since asking makes all of them wait;
    in between the answer is no. All must call it equally often.
    """
    if world_size() == 1:
        return question
    calls, asked, ask_at, clock = 0, 0, 1, time.perf_counter()

    def answer() -> bool:
        nonlocal calls, asked, ask_at, clock
        calls += 1
        if calls < ask_at:
            return False
        a_call = (time.perf_counter() - clock) / (calls - asked)
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        votes = torch.tensor([float(question()), a_call], device=device)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        yes, a_call = votes.tolist()
        steps = max(1, min(int(every / a_call), 2 * (calls - asked)))  # the first calls are slow: grow gently
        asked, ask_at, clock = calls, calls + steps, time.perf_counter()
        return bool(yes)

    return answer


class SumOverRanks(torch.autograd.Function):
    """Σ x over the processes, as part of the graph.

    Each process's x is in the sum that every process goes on with, so its gradient is the sum of theirs.
    """

    @staticmethod
    def forward(context, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        return SumOverRanks.apply(gradient)


class GlobalBatchNorm(_BatchNorm):
    """y = (x − μ) / √(σ² + ε) · weight + bias, with μ and σ² over the batches of *all* processes.

    What `nn.SyncBatchNorm` does on GPUs only (Ioffe and Szegedy 2015, arXiv:1502.03167, for one process).
    """

    def _check_input_dim(self, x: Tensor) -> None:
        pass  # (N, C), (N, C, L), (N, C, H, W): all are meant

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, ...) → the same shape; every process must hold as many samples as the others."""
        if not self.training or world_size() == 1:
            return super().forward(x)
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1] + [1] * (x.ndim - 2)
        values = x.float()
        mean = SumOverRanks.apply(values.mean(axes)) / world_size()
        centred = values - mean.view(shape)
        variance = SumOverRanks.apply(centred.square().mean(axes)) / world_size()
        normalised = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            normalised = normalised * self.weight.view(shape) + self.bias.view(shape)
        if self.track_running_stats:
            self._remember(mean.detach(), variance.detach(), count=world_size() * x.numel() // len(mean))
        return normalised.to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Moves the running statistics towards this batch's; the variance is the unbiased one there."""
        self.num_batches_tracked += 1
        momentum = 1 / self.num_batches_tracked if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance * count / (count - 1), momentum)
