"""What makes `train_gan` fast on a GPU: memory layout, number format, compilation. The algorithm is not here.

The loop calls what `callables` returns; the networks themselves stay as they were built, and it is these that
are averaged, penalised, saved and returned.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from course_utils.data.convention import Sampler
from course_utils.training.distributed import averaging_gradients, same_everywhere, share


def prefers_channels_last(device: torch.device) -> bool:
    """Whether convolutions want the channels of a pixel side by side in memory: tensor cores do."""
    return device.type == "cuda"


def placed(network: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device, in its memory layout, in training mode, and the same on every process."""
    network = same_everywhere(network.to(device).train())
    if prefers_channels_last(device):
        network.to(memory_format=torch.channels_last)
    return network


def placed_samples(draw_real: Sampler, device: torch.device) -> Sampler:
    """The sampler: draws the whole batch, gives this process's share, images in the device's layout."""

    def draw(n: int, rng: torch.Generator) -> Tensor:
        samples = share(draw_real(n, rng))
        if samples.ndim == 4 and prefers_channels_last(device):
            return samples.contiguous(memory_format=torch.channels_last)
        return samples

    return draw


def callables(
    generator: nn.Module, discriminator: nn.Module, device: torch.device, compiled: bool | str = False
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """(G, D) as the loop calls them: compiled if that was asked for, averaging gradients over processes.

    Args:
        generator, discriminator: the networks; their parameters are those that move.
        device: where they are.
        compiled: False, True, or the name of a backend of `torch.compile`. On CUDA, True replays each pass as
            a CUDA graph, which saves the time of launching its kernels one by one.
    """
    if not compiled:
        return averaging_gradients(generator), averaging_gradients(discriminator)
    if compiled is True:
        options = {"mode": "reduce-overhead"} if device.type == "cuda" else {}
    else:
        options = {"backend": compiled}
    compiled_generator, compiled_discriminator = (
        averaging_gradients(torch.compile(network, **options)) for network in (generator, discriminator)
    )

    def generate(latents: Tensor) -> Tensor:
        # A CUDA graph writes to the same memory each time: what the last step left there is needed no more.
        torch.compiler.cudagraph_mark_step_begin()
        return compiled_generator(latents)

    return generate, compiled_discriminator


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


def match_layout(optimizer: torch.optim.Optimizer) -> None:
    """Lays the optimiser's moments out as its weights are: a checkpoint may come from another device."""
    for weights, state in optimizer.state.items():
        for name, tensor in state.items():
            if tensor.shape == weights.shape and tensor.stride() != weights.stride():
                state[name] = torch.empty_like(weights).copy_(tensor)
