"""Which weights a network starts from, and how far a discriminator's may grow."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def initialised(network: nn.Sequential, std: float = 0.02) -> nn.Sequential:
    """DCGAN's initialisation: w ~ N(0, 0.02²), biases 0  (Radford et al. 2016, arXiv:1511.06434, section 4).

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
    """PyTorch's own initialisation, drawn anew by each layer's rule, in place. Returns the same network."""
    for layer in network.modules():
        if hasattr(layer, "reset_parameters"):
            layer.reset_parameters()
    return network


def spectrally_normalised(network: nn.Module) -> nn.Module:
    """W ← W / σ(W) in every convolution and linear layer, σ the largest singular value.

    Miyato, Kataoka, Koyama and Yoshida (2018, arXiv:1802.05957): the discriminator's slope stays bounded. A
    kernel counts as a matrix of (outputs) × (all else), and that matrix stretches no vector any more; the
    convolution itself, whose windows overlap, may stretch further: 1.3 to 2 times in this course's networks.
    σ is followed by a step of power iteration at each forward pass in training mode.

    Args:
        network: changed in place; it keeps its layers, its `state_dict` gets other names.

    Returns:
        The same network.
    """
    for layer in list(network.modules()):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            spectral_norm(layer)
    return network


def weight_clipped(network: nn.Module, bound: float = 0.01) -> nn.Module:
    """w ← min(max(w, −c), c) for every number w of the network, before each use of it.

    Arjovsky, Chintala and Bottou (2017, arXiv:1701.07875, algorithm 1): a critic whose numbers all lie in a
    box has a bounded slope. How steep it may be depends on its widths and its depth, not on c alone.

    Args:
        network: it clips itself from now on, in place, at each forward pass that finds a number outside: so
            an optimiser may step where it likes, and nobody computes with the result.
        bound: c > 0.

    Returns:
        The same network.

    Raises:
        ValueError: c is not positive.
    """
    if not bound > 0:
        raise ValueError(f"bound must be positive, got {bound}; 0 would leave no weights.")
    network.register_forward_pre_hook(partial(_clip, bound))
    return network


@torch.no_grad()
def _clip(bound: float, network: nn.Module, inputs: tuple) -> None:
    for weights in network.parameters():
        # Not where nothing is to be done: between a forward pass and its `backward` weights must stay as
        # they are.
        if weights.abs().max() > bound:
            weights.clamp_(-bound, bound)


def convolution_norm(
    layer: nn.Conv2d, image_shape: Sequence[int], steps: int, rng: torch.Generator | None = None
) -> Tensor:
    """max ‖k ∗ x‖ / ‖x‖ of a convolution without its bias: how far it really stretches an image.

    Power iteration with the convolution and its transpose, which is what `autograd` runs backwards. It comes
    from below. For a k×k kernel with stride s it is at most ⌈k/s⌉ times the largest singular value of the
    kernel taken as a matrix, since a pixel lies in at most ⌈k/s⌉² windows.

    Args:
        layer: the convolution.
        image_shape: (C, H, W) of what it is applied to; the norm grows a little with H and W.
        steps: of the iteration, at least 1.
        rng: draws the first image; None takes torch's own generator.

    Returns:
        A number, shape ().
    """
    weight = layer.weight.detach()
    how = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    image = torch.randn(1, *image_shape, generator=rng, dtype=weight.dtype, device=weight.device)
    for _ in range(steps):
        image = (image / image.norm()).requires_grad_()
        maps = F.conv2d(image, weight, groups=layer.groups, **how)
        (image,) = torch.autograd.grad(maps, image, maps.detach())  # kᵀ ∗ k ∗ x
    return maps.detach().norm()


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
