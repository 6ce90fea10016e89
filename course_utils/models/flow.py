"""Velocity fields, and the generator that follows one from noise to a sample.

A velocity maps points x (N, ...) and times t (N,) in [0, 1] to velocities (N, ...). Time 0 is noise, time 1 data.
"""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.sizes import positive, quarterable

Velocity = Callable[[Tensor, Tensor], Tensor]  # (x (N, ...), t (N,)) -> (N, ...)
NEAREST = 0.05  # to time 1: how short a rest of the way is divided by


# --- the ordinary differential equation -------------------------------------------------------------------


def euler_step(velocity: Velocity, points: Tensor, time: float, length: float) -> Tensor:
    """x + h·v(x, t): one evaluation; the error of a whole path falls as h."""
    return points + length * velocity(points, _times(points, time))


def heun_step(velocity: Velocity, points: Tensor, time: float, length: float) -> Tensor:
    """x + h·½·[v(x, t) + v(x + h·v(x, t), t + h)]: two evaluations; the error falls as h²."""
    first = velocity(points, _times(points, time))
    second = velocity(points + length * first, _times(points, time + length))
    return points + length * (first + second) / 2


METHODS = {"euler": euler_step, "heun": heun_step}


def integrate(
    velocity: Velocity,
    start: Tensor,
    steps: int,
    method: str = "heun",
    span: tuple[float, float] = (0.0, 1.0),
) -> Tensor:
    """dx/dt = v(x, t) from one time to the other, in equal steps.

    Args:
        velocity: (x, t) → v(x, t).
        start: x at the first time, (N, ...).
        steps: how many.
        method: "euler" or "heun".
        span: the first and the last time; (1, 0) goes from data to noise.

    Returns:
        x at all times, (steps + 1, N, ...), the start first.

    Raises:
        ValueError: no such method, or less than one step.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}; choose one of them.")
    positive("steps", (steps,))
    begin, end = span
    length = (end - begin) / steps
    path = [start]
    for step in range(steps):
        path.append(METHODS[method](velocity, path[-1], begin + step * length, length))
    return torch.stack(path)


def _times(points: Tensor, time: float) -> Tensor:
    return torch.full((len(points),), time, dtype=points.dtype, device=points.device)


# --- the generator -----------------------------------------------------------------------------------------


class Flow(nn.Module):
    """A generator: the latent is noise, and is carried along the velocity to time 1.

    Args:
        velocity: (x (N, *sample_shape), t (N,)) → (N, *sample_shape).
        sample_shape: of one sample; the latent has as many numbers.
        steps, method: of the integration, as in `integrate`. They may be changed after training.
        bounded: whether samples are clamped to [-1, 1], as images must be.
    """

    def __init__(
        self,
        velocity: nn.Module,
        sample_shape: Sequence[int],
        steps: int = 16,
        method: str = "heun",
        bounded: bool = True,
    ):
        super().__init__()
        self.velocity, self.sample_shape = velocity, positive("sample_shape", sample_shape)
        self.steps, self.method, self.bounded = steps, method, bounded
        self.latent_dim = math.prod(self.sample_shape)

    def forward(self, latents: Tensor) -> Tensor:
        """Noise (N, latent_dim) → samples (N, *sample_shape)."""
        samples = self.path(latents)[-1]
        return samples.clamp(-1, 1) if self.bounded else samples

    def path(self, latents: Tensor) -> Tensor:
        """All points on the way, (steps + 1, N, *sample_shape), none of them clamped."""
        return integrate(self.velocity, latents.unflatten(1, self.sample_shape), self.steps, self.method)

    def encode(self, samples: Tensor) -> Tensor:
        """The noise that the flow takes to these samples: the same way backwards. (N, ...) → (N, latent_dim)."""
        return integrate(self.velocity, samples, self.steps, self.method, span=(1.0, 0.0))[-1].flatten(1)

    def with_steps(self, steps: int, method: str = "heun") -> "Flow":
        """The same velocity, the same weights, another number of steps."""
        return Flow(self.velocity, self.sample_shape, steps, method, self.bounded).train(self.training)

    def log_prob(self, samples: Tensor, *, probes: int = 1, seed: int = 0) -> Tensor:
        """log p(x) = log N(ε; 0, I) − ∫₀¹ div v(x_t, t) dt, with the ε that the flow takes to x.

        The divergence is estimated as E[rᵀ (∂v/∂x) r], r of random signs (Hutchinson; for flows Grathwohl et
        al. 2019, arXiv:1810.01367), with the same r along a path. For a Jacobian that is diagonal it is exact.
        What is left is the error of the integration, which falls with the steps.

        Args:
            samples: x (N, *sample_shape).
            probes: how many r are averaged.
            seed: of the signs.

        Returns:
            (N,) nats, the logarithm of a density on the scale of the samples.
        """
        rng = torch.Generator().manual_seed(seed)
        signs = torch.randint(2, (probes, *samples.shape), generator=rng).to(samples) * 2 - 1

        def both(state: Tensor, times: Tensor) -> Tensor:
            """Velocity of the points, and of log p along the way: one number more in each row."""
            with torch.enable_grad():
                points = state[:, :-1].unflatten(1, self.sample_shape).detach().requires_grad_()
                velocity = self.velocity(points, times).float()
                slopes = [
                    torch.autograd.grad((velocity * sign).sum(), points, retain_graph=True)[0]
                    for sign in signs
                ]
            divergence = (torch.stack(slopes) * signs).flatten(2).sum(2).mean(0)
            return torch.cat([velocity.detach().flatten(1), divergence[:, None]], dim=1)

        start = torch.cat([samples.flatten(1), samples.new_zeros(len(samples), 1)], dim=1)
        end = integrate(both, start, self.steps, self.method, span=(1.0, 0.0))[-1]
        noise, lost = end[:, :-1], end[:, -1]  # lost is ∫ from 1 to 0, so −∫ from 0 to 1
        return -0.5 * (noise.square() + math.log(2 * math.pi)).sum(1) + lost


# --- networks ----------------------------------------------------------------------------------------------


class TimeFeatures(nn.Module):
    """Sines and cosines of t at frequencies from 1 to 100, and a layer above them: (N,) → (N, features).

    The features of positions in Vaswani et al. 2017, arXiv:1706.03762, section 3.5.
    """

    def __init__(self, features: int = 64, frequencies: int = 16):
        super().__init__()
        self.register_buffer("frequencies", torch.logspace(0, 2, frequencies))
        self.layer = nn.Linear(2 * frequencies, features)

    def forward(self, times: Tensor) -> Tensor:
        angles = times[:, None] * self.frequencies
        return F.silu(self.layer(torch.cat([angles.sin(), angles.cos()], dim=1)))


class TowardsPrediction(nn.Module):
    """v(x, t) = (x̂(x, t) − x) / (1 − t): the velocity of the straight path to a predicted sample.

    A network that predicts the clean sample says the same as one that predicts v, since x_t + (1 − t)·v is
    where the straight path ends; but clean images are simple and noise is not. Close to t = 1 the rest of the
    way is taken as 0.05, so that nothing is divided by 0 (Li and He 2025, arXiv:2511.13720).

    Args:
        predict: (x (N, ...), t (N,)) → x̂ (N, ...).
    """

    def __init__(self, predict: nn.Module):
        super().__init__()
        self.predict = predict

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        rest = (1 - times).clamp_min(NEAREST).view(-1, *[1] * (points.ndim - 1))
        return (self.predict(points, times).float() - points) / rest


class MLPPrediction(nn.Module):
    """Fully connected: (x, t) → x̂, through hidden layers with SiLU."""

    def __init__(self, sample_shape: Sequence[int], hidden: Sequence[int]):
        super().__init__()
        sizes = positive("sample_shape and hidden", (math.prod(sample_shape), *hidden))
        self.time, layers = TimeFeatures(64), []
        for inputs, outputs in pairwise((sizes[0] + 64, *sizes[1:])):
            layers += [nn.Linear(inputs, outputs), nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], sizes[0]))

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        return self.layers(torch.cat([points.flatten(1), self.time(times)], dim=1)).view_as(points)


def mlp_velocity(sample_shape: Sequence[int], hidden: Sequence[int] = (64, 64)) -> MLPPrediction:
    """A fully connected velocity, for points of the plane: (x (N, *sample_shape), t (N,)) → (N, *sample_shape)."""
    return MLPPrediction(sample_shape, hidden)


class ConvPrediction(nn.Module):
    """An image halved twice, convolved, and doubled twice, with the half-size maps passed across.

    Args:
        image_shape: (C, H, W), H and W divisible by 4.
        width: channels of the half-size maps.
        blocks: 3×3 convolutions on the quarter-size maps.
    """

    def __init__(self, image_shape: Sequence[int], width: int, blocks: int):
        super().__init__()
        channels, *_ = quarterable(image_shape)
        self.time = TimeFeatures(64)
        self.enter = nn.Conv2d(4 * channels, width, 3, padding=1)  # on maps of half the size
        self.down = nn.Sequential(
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1, bias=False), nn.BatchNorm2d(2 * width)
        )
        self.shifts = nn.ModuleList(nn.Linear(64, 2 * width) for _ in range(blocks))
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(),
                nn.Conv2d(2 * width, 2 * width, 3, padding=1, bias=False),
                nn.BatchNorm2d(2 * width),
            )
            for _ in range(blocks)
        )
        self.up = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.leave = nn.Sequential(
            nn.Conv2d(2 * width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
        )

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        time = self.time(times)
        half = F.relu(self.enter(F.pixel_unshuffle(points, 2)))
        quarter = self.down(half)
        for shift, block in zip(self.shifts, self.blocks, strict=True):
            quarter = quarter + block(quarter + shift(time)[:, :, None, None])
        together = torch.cat([half, self.up(quarter)], dim=1)
        return F.pixel_shuffle(self.leave(together), 2)


def conv_velocity(
    image_shape: Sequence[int] = (1, 28, 28), width: int = 32, blocks: int = 4
) -> TowardsPrediction:
    """A small convolutional velocity for images: (x (N, C, H, W), t (N,)) → (N, C, H, W)."""
    return TowardsPrediction(ConvPrediction(image_shape, width, blocks))
