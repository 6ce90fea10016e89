"""Where a training computes: device, memory layout, number format, threads, processes, random numbers."""

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import torch
from torch import Tensor, nn

from course_utils.data.convention import Sampler
from course_utils.runtime import autocast_dtype, pick_device
from course_utils.training.distributed import broadcast_state, data_parallel, shard, shard_augmentation
from course_utils.training.threads import ThreadChoice
from course_utils.training.validation import as_batch, check_seed

Batch = tuple[Tensor, ...]  # samples (N, ...), and what belongs to them
Augmentation = Callable[[Tensor, torch.Generator], Tensor]  # (images, rng) -> images


class Machine:
    """One training's place: a model asks it for everything that depends on where it runs.

    Args:
        device: where to train; None chooses (`pick_device`).
        precision: "auto" (bfloat16 where it is faster), "float32" or "bfloat16".
        compiled: whether networks run through `torch.compile`; or the name of a backend.
        threads: how many on the CPU; None leaves it to `ThreadChoice`.
        batch_size: samples in a batch, of all processes together.
        seed: of the random numbers that the training draws.

    Raises:
        ValueError: no such device, precision or seed, or threads below 1.
    """

    def __init__(
        self,
        device: str | torch.device | None = None,
        precision: str = "auto",
        compiled: bool | str = False,
        threads: int | None = None,
        batch_size: int = 64,
        seed: int = 0,
    ):
        check_seed(seed)
        self.device = pick_device(device)
        self.precision, self.compiled, self.batch_size = precision, compiled, batch_size
        self.rng = torch.Generator(self.device).manual_seed(seed)
        self.batches_drawn = 0
        self.low_precision: torch.dtype | None = None  # chosen in `place`, by the networks
        self.threads = ThreadChoice(self.device, threads)

    def place(self, networks: dict[str, nn.Module]) -> None:
        """Moves the networks to the device, in training mode; all processes get the same weights."""
        self.low_precision = autocast_dtype(self.device, *networks.values(), precision=self.precision)
        for network in networks.values():
            broadcast_state(network.to(self.device).train())
            if prefers_channels_last(self.device):
                network.to(memory_format=torch.channels_last)

    def wrap(self, network: nn.Module) -> Callable[..., Tensor]:
        """The network as the loop calls it: compiled if asked for, gradients averaged over processes.

        The parameters that move are the network's own. On CUDA, compiled=True replays each pass as a CUDA
        graph, which saves the time of launching its kernels one by one.
        """
        if not self.compiled:
            return data_parallel(network)
        if self.compiled is True:
            options = {"mode": "reduce-overhead"} if self.device.type == "cuda" else {}
        else:
            options = {"backend": self.compiled}
        return data_parallel(torch.compile(network, **options))

    def autocast(self) -> AbstractContextManager:
        """Inside, networks multiply in the low precision, if one was chosen."""
        return torch.autocast(self.device.type, self.low_precision, enabled=self.low_precision is not None)

    def draw(self, draw_real: Sampler) -> Batch:
        """This process's shard of a batch that all of them draw; images in the device's layout."""
        self.batches_drawn += 1
        return tuple(map(self._laid_out, map(shard, as_batch(draw_real(self.batch_size, self.rng)))))

    def latents(self, latent_dim: int) -> Tensor:
        """This process's shard of batch_size latents z ~ N(0, I): (shard, latent_dim)."""
        if self.compiled:
            # A CUDA graph writes to the same memory each time: what the last step left is needed no more.
            torch.compiler.cudagraph_mark_step_begin()
        return shard(torch.randn(self.batch_size, latent_dim, generator=self.rng, device=self.device))

    def augmenting(self, augment: Augmentation) -> Callable[[Tensor], Tensor]:
        """The augmentation, with this machine's random numbers and for this process's shard."""
        sharded = shard_augmentation(augment)
        return lambda images: sharded(images, self.rng)

    def for_trial(self) -> "Machine":
        """The same machine with random numbers of its own: what is tried on it changes nothing here."""
        trial = copy.copy(self)
        trial.compiled, trial.rng = False, torch.Generator(self.device).manual_seed(0)
        return trial

    def _laid_out(self, samples: Tensor) -> Tensor:
        if samples.ndim == 4 and prefers_channels_last(self.device):
            return samples.contiguous(memory_format=torch.channels_last)
        return samples


def prefers_channels_last(device: torch.device) -> bool:
    """Whether convolutions want the channels of a pixel side by side in memory: tensor cores do."""
    return device.type == "cuda"


@contextmanager
def fast_matmuls(device: torch.device, precision: str) -> Iterator[None]:
    """On CUDA, float32 matrices are multiplied as TF32 inside, unless the caller insists on "float32"."""
    before = torch.get_float32_matmul_precision()
    if device.type == "cuda" and precision != "float32":
        torch.set_float32_matmul_precision("high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def own_randomness(device: torch.device, seed: int | None = None) -> Iterator[None]:
    """torch's own random numbers (dropout's) inside do not depend on those outside, nor disturb them."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        if seed is not None:
            torch.manual_seed(seed)
        yield


def match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Lays the optimiser's moments out as its weights are: a checkpoint may come from another device."""
    for weights, state in optimizer.state.items():
        for name, tensor in state.items():
            if tensor.shape == weights.shape and tensor.stride() != weights.stride():
                state[name] = torch.empty_like(weights).copy_(tensor)
