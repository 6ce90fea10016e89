"""Generators and discriminators, each written as the list of its layers.

One convention for all of them: a generator maps latents (N, latent_dim) to samples (N, *shape), images in
[-1, 1], and knows its `latent_dim`; a discriminator maps samples to *logits* (N,), never to probabilities.
"""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import prod
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from course_utils.runtime import pick_device

ASSETS = Path(__file__).parent / "assets"
UPSAMPLING = ("transposed", "resize", "pixel_shuffle")


def mlp_generator(
    sample_shape: Sequence[int], latent_dim: int, hidden: Sequence[int] = (128, 128)
) -> nn.Sequential:
    """Fully connected generator: z → hidden layers with ReLU → a sample.

    Args:
        sample_shape: (2,) for points of the plane, (1, 28, 28) for images; images end in tanh, points do not.
        latent_dim: size of the latent z.
        hidden: the widths of the hidden layers.

    Returns:
        Network from (N, latent_dim) to (N, *sample_shape), with the attribute `latent_dim`.
    """
    sizes = _positive("latent_dim and hidden", (latent_dim, *hidden))
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    layers += [nn.Linear(sizes[-1], prod(sample_shape))]
    if len(sample_shape) == 3:
        layers += [nn.Tanh()]
    generator = nn.Sequential(*layers, nn.Unflatten(1, tuple(sample_shape)))
    generator.latent_dim = latent_dim
    return generator


def mlp_discriminator(sample_shape: Sequence[int], hidden: Sequence[int] = (128, 128)) -> nn.Sequential:
    """Fully connected discriminator: a sample → hidden layers with LeakyReLU(0.2) → one logit.

    Args:
        sample_shape: (2,) for points of the plane, (1, 28, 28) for images.
        hidden: the widths of the hidden layers.

    Returns:
        Network from (N, *sample_shape) to logits (N,).
    """
    sizes = _positive("sample_shape and hidden", (prod(sample_shape), *hidden))
    layers = [nn.Flatten()]
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 1), nn.Flatten(0))


def dcgan_generator(
    image_shape: Sequence[int] = (1, 28, 28),
    latent_dim: int = 32,
    width: int = 32,
    upsampling: str = "transposed",
    refinements: int = 0,
) -> nn.Sequential:
    """A small DCGAN generator: z → a quarter-size map of 2·width channels → doubled twice → an image.

    After Radford, Metz and Chintala (2016, arXiv:1511.06434): no fully connected hidden layer, batch
    normalisation and ReLU after every layer but the last, tanh at the end.

    Args:
        image_shape: (channels, height, width) of the images; height and width divisible by 4, so that (1, 28,
            28) and (3, 32, 32) are two calls of one description.
        latent_dim: size of the latent z.
        width: channels of the half-size maps; everything else follows from it.
        upsampling: how a map is doubled, "transposed", "resize" or "pixel_shuffle" (see `doubling`).
        refinements: 3×3 convolutions on the quarter-size map.

    Returns:
        Network from (N, latent_dim) to (N, *image_shape) in [-1, 1], with the attribute `latent_dim`.

    Raises:
        ValueError: a shape that cannot be halved twice, or an unknown upsampling.
    """
    channels, height, breadth = _image_shape(image_shape)
    _positive("latent_dim and width", (latent_dim, width))
    h, w = height // 4, breadth // 4
    refined = []
    for _ in range(refinements):
        refined += [
            nn.Conv2d(2 * width, 2 * width, 3, padding=1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(),
        ]
    generator = nn.Sequential(  # shapes for (1, 28, 28) and width 32
        nn.Linear(latent_dim, 2 * width * h * w, bias=False),  # 32 → 3136
        nn.Unflatten(1, (2 * width, h, w)),  # 64×7×7
        nn.BatchNorm2d(2 * width),
        nn.ReLU(),
        *refined,  # 64×7×7
        doubling(2 * width, width, upsampling, bias=False),  # 32×14×14
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=False),  # 32×14×14
        nn.BatchNorm2d(width),
        nn.ReLU(),
        doubling(width, channels, upsampling),  # 1×28×28
        nn.Tanh(),
    )
    generator.latent_dim = latent_dim
    return initialised(generator)


def dcgan_discriminator(
    image_shape: Sequence[int] = (1, 28, 28), width: int = 32, refinements: int = 0
) -> nn.Sequential:
    """A small DCGAN discriminator: an image → halved twice → one logit.

    Args:
        image_shape: (channels, height, width) of the images; height and width divisible by 4.
        width: channels of the half-size maps; everything else follows from it.
        refinements: 3×3 convolutions on the quarter-size map.

    Returns:
        Network from (N, *image_shape) to logits (N,).

    Raises:
        ValueError: a shape that cannot be halved twice.
    """
    channels, height, breadth = _image_shape(image_shape)
    _positive("width", (width,))
    refined = []
    for _ in range(refinements):
        refined += [nn.Conv2d(2 * width, 2 * width, 3, padding=1), nn.LeakyReLU(0.2)]
    discriminator = nn.Sequential(  # shapes for (1, 28, 28) and width 32
        nn.PixelUnshuffle(2),  # 4×14×14: halves the map without losing a pixel
        nn.Conv2d(4 * channels, width, 3, padding=1),  # 32×14×14
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # 64×7×7
        nn.LeakyReLU(0.2),
        *refined,  # 64×7×7
        nn.Flatten(),
        nn.Linear(2 * width * (height // 4) * (breadth // 4), 1),
        nn.Flatten(0),  # (N, 1) → (N,)
    )
    return initialised(discriminator)


def mnist_dcgan() -> tuple[nn.Sequential, nn.Sequential]:
    """The generator and the discriminator of notebook 05, which train with `training.MNIST_DCGAN`.

    One refinement in each, and spectral normalisation of the discriminator (Miyato et al. 2018,
    arXiv:1802.05957). What each choice buys is measured in docs/benchmarks.md.
    """
    generator = dcgan_generator((1, 28, 28), latent_dim=32, width=32, refinements=1)
    discriminator = dcgan_discriminator((1, 28, 28), width=32, refinements=1)
    return generator, spectrally_normalised(discriminator)


def cifar10_dcgan() -> tuple[nn.Sequential, nn.Sequential]:
    """The generator and the discriminator of notebook 06, which train with `training.CIFAR10_DCGAN`.

    They start from PyTorch's own first weights, not from DCGAN's.
    """
    generator = dcgan_generator((3, 32, 32), latent_dim=64, width=48)
    discriminator = dcgan_discriminator((3, 32, 32), width=48)
    return pytorch_initialised(generator), pytorch_initialised(discriminator)


def initialised(network: nn.Sequential, std: float = 0.02) -> nn.Sequential:
    """DCGAN's first weights: w ~ N(0, 0.02²), biases 0  (Radford et al. 2016, arXiv:1511.06434, section 4).

    `dcgan_generator` and `dcgan_discriminator` call it themselves: an initialisation that is defined and then
    not called is a bug that no error shows.

    Args:
        network: its convolutions and linear layers are changed in place.
        std: standard deviation of the weights.

    Returns:
        The same network.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(layer.weight, 0.0, std)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def pytorch_initialised(network: nn.Module) -> nn.Module:
    """PyTorch's own first weights, drawn anew by each layer's rule, in place. Returns the same network."""
    for layer in network.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return network


def spectrally_normalised(network: nn.Module) -> nn.Module:
    """W ← W / σ(W) in every convolution and linear layer, σ the largest singular value.

    Miyato, Kataoka, Koyama and Yoshida (2018, arXiv:1802.05957): no layer stretches any vector, so the
    discriminator's slope stays bounded. A kernel counts as a matrix of (outputs) × (all else); σ is followed
    by a step of power iteration at each forward pass in training mode.

    Args:
        network: changed in place; it keeps its layers, its `state_dict` gets other names.

    Returns:
        The same network.
    """
    for layer in list(network.modules()):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            spectral_norm(layer)
    return network


def largest_singular_value(weight: Tensor, steps: int, rng: torch.Generator | None = None) -> Tensor:
    """σ(W) = max ‖Wv‖ / ‖v‖, by power iteration: u ← Wv / ‖Wv‖, v ← Wᵀu / ‖Wᵀu‖, σ ≈ uᵀWv.

    What `spectrally_normalised` divides by (Miyato et al., 2018, arXiv:1802.05957, algorithm 1). It comes
    from below, the slower the closer the second singular value is to the first.

    Args:
        weight: a matrix (outputs, inputs).
        steps: of the iteration, at least 1.
        rng: draws the first v; None takes torch's own generator.

    Returns:
        A number, shape ().

    Raises:
        ValueError: no matrix, or no step.
    """
    if weight.dim() != 2 or steps < 1:
        raise ValueError(
            f"needs a matrix and at least 1 step, got shape {tuple(weight.shape)} and {steps}; "
            "flatten a kernel with weight.flatten(1)"
        )
    v = torch.randn(weight.shape[1], generator=rng, dtype=weight.dtype, device=weight.device)
    for _ in range(steps):
        u = F.normalize(weight @ v, dim=0)
        v = F.normalize(weight.T @ u, dim=0)
    return u @ weight @ v


def doubling(inputs: int, outputs: int, method: str = "transposed", bias: bool = True) -> nn.Module:
    """A layer that doubles height and width: (N, inputs, H, W) → (N, outputs, 2H, 2W).

    - "transposed": DCGAN's own, a 4×4 transposed convolution with stride 2.
    - "resize": repeat every pixel 2×2, then a 3×3 convolution (Odena et al. 2016,
      doi:10.23915/distill.00003).
    - "pixel_shuffle": a 3×3 convolution to four times the channels, which are then interleaved
      (Shi et al. 2016, arXiv:1609.05158).

    Raises:
        ValueError: an unknown method.
    """
    if method == "transposed":
        return TransposedConvolution(inputs, outputs, bias)
    if method == "resize":
        return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias))
    if method == "pixel_shuffle":
        return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=bias), nn.PixelShuffle(2))
    raise ValueError(f"upsampling must be one of {', '.join(UPSAMPLING)}, got {method!r}")


class TransposedConvolution(nn.ConvTranspose2d):
    """`nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1)`, in whichever of two forms is the faster.

    Measured on two CPU cores, forward and backward: with one channel out, `transposed_by_convolution` takes
    three quarters of the time of PyTorch's own; with 32 channels out, nearly twice the time.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True):
        super().__init__(inputs, outputs, kernel_size=4, stride=2, padding=1, bias=bias)

    def forward(self, maps: Tensor) -> Tensor:
        if self.out_channels > 4:
            return super().forward(maps)
        return transposed_by_convolution(maps, self.weight, self.bias)


def transposed_by_convolution(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A 4×4 transposed convolution with stride 2 and padding 1, as a 2×2 convolution and an interleave.

    An output pixel of the transposed convolution meets only 2×2 of its 4×4 weights, and which ones depends on
    whether its row and its column are odd or even. So a 2×2 convolution computes the four kinds as four times
    the channels, and `pixel_shuffle` puts each where it belongs; a border of one pixel is left over. Same
    numbers, up to rounding; on a CPU in less time where few channels come out.

    Args:
        maps: (N, inputs, H, W).
        weight: (inputs, outputs, 4, 4), as in `nn.ConvTranspose2d`.
        bias: (outputs,) or None.

    Returns:
        (N, outputs, 2H, 2W).
    """
    inputs, outputs = weight.shape[:2]
    # For an output row of this parity, tap 0 or 1 of the 2×2 weights is row 2·(1 − tap) + parity of the 4×4.
    taps = weight.reshape(inputs, outputs, 2, 2, 2, 2).flip(2, 4)  # (…, tap, parity, tap, parity)
    taps = taps.permute(1, 3, 5, 0, 2, 4).reshape(4 * outputs, inputs, 2, 2)
    bias = None if bias is None else bias.repeat_interleave(4)
    return F.pixel_shuffle(F.conv2d(maps, taps, bias, padding=1), 2)[..., 1:-1, 1:-1]


@cache
def load_generator(name: str) -> nn.Sequential:
    """A generator that the course trained and ships: "mnist", "cifar10" or "cifar10_minutes".

    "mnist" has the recipe of notebook 05, trained for longer; those of CIFAR-10 are described in notebook 06.

    The file's metadata tells how to build it ("network": the arguments of `dcgan_generator`, as JSON) and how
    it was made ("made_by"). Kept in memory: the second call returns the same network.

    Returns:
        Network in evaluation mode, without gradients, from latents (N, latent_dim) to images in [-1, 1]; its
        attribute `made_by` says from which data and with which command it was trained.

    Raises:
        ValueError: no such generator.
    """
    known = sorted(path.name.removesuffix("_generator.safetensors") for path in ASSETS.glob("*_generator.*"))
    if name not in known:
        raise ValueError(f"generator must be one of {', '.join(known)}, got {name!r}")
    with safe_open(ASSETS / f"{name}_generator.safetensors", framework="pt") as file:
        generator = dcgan_generator(**json.loads(file.metadata()["network"]))
        # stored in half precision, computed in float32
        generator.load_state_dict({key: file.get_tensor(key).float() for key in file.keys()})  # noqa: SIM118
        generator.made_by = file.metadata()["made_by"]
    return generator.eval().requires_grad_(False)


def draw_latents(n: int, latent_dim: int, rng: torch.Generator | None = None) -> Tensor:
    """z ~ N(0, I): n latents of independent standard normal numbers.

    Args:
        n: how many.
        latent_dim: numbers in each.
        rng: where the randomness comes from, on the CPU; None for PyTorch's own generator.

    Returns:
        float32 on the CPU, (n, latent_dim).
    """
    return torch.randn(n, latent_dim, generator=rng)


def sample(
    generator: nn.Module,
    n: int,
    *,
    seed: int = 0,
    device: str | torch.device | None = None,
    batch_size: int = 100,
) -> Tensor:
    """G(z), z ~ N(0, I): n samples of a generator in evaluation mode, the same for the same seed.

    The latents are drawn on the CPU, so that every device shows the same samples.

    Args:
        generator: maps (N, generator.latent_dim) to samples; its mode is left as it was.
        n: how many.
        seed: of the latents.
        device: where to compute; None for where the generator is.
        batch_size: how many at a time, which bounds the memory; 500 at a time take twice as long on a CPU.

    Returns:
        float32 samples on the CPU, (n, ...).
    """
    if device is not None:
        generator = generator.to(pick_device(device))
    where = next(generator.parameters()).device
    latents = draw_latents(n, generator.latent_dim, torch.Generator().manual_seed(seed))
    training = generator.training
    generator.eval()
    try:
        with torch.no_grad():
            return torch.cat([generator(z.to(where)).float().cpu() for z in latents.split(batch_size)])
    finally:
        generator.train(training)


def spherical_walk(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """z(t) = [sin((1 − t)·ω)·start + sin(t·ω)·end] / sin ω, where ω is the angle between start and end.

    Keeps the lengths of latents that a straight line would shorten (White 2016, arXiv:1609.04468).

    Args:
        start, end: two latents (latent_dim,), not on one line through the origin.
        steps: how many latents, both ends included.

    Returns:
        (steps, latent_dim), from start to end.

    Raises:
        ValueError: start and end lie on one line through the origin, so that no arc is the shortest.
    """
    angle = torch.arccos(F.cosine_similarity(start, end, dim=0).clamp(-1, 1))
    if torch.sin(angle) < 1e-3:
        raise ValueError(
            f"start and end must not lie on one line through the origin, got an angle of {angle:.4f}; "
            "choose another end."
        )
    t = torch.linspace(0, 1, steps, dtype=start.dtype, device=start.device)[:, None]
    return (torch.sin((1 - t) * angle) * start + torch.sin(t * angle) * end) / torch.sin(angle)


def count_parameters(network: nn.Module) -> int:
    """The number of trainable weights."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _positive(name: str, sizes: Sequence[int]) -> tuple[int, ...]:
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ValueError(f"{name} must be positive integers, got {tuple(sizes)}")
    return tuple(sizes)


def _image_shape(shape: Sequence[int]) -> tuple[int, int, int]:
    if len(shape) != 3 or any(side % 4 for side in shape[1:]) or min(shape) < 1:
        raise ValueError(
            "image_shape must be (channels, height, width), height and width divisible by 4, "
            f"got {tuple(shape)}; pad or resize the images."
        )
    return tuple(shape)
