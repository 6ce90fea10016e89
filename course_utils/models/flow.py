"""Velocity fields, and the generator that follows one from noise to a sample.

A velocity maps points x (N, ...) and times t (N,) in [0, 1] to velocities (N, ...). At time 0 there is noise,
at time 1 data.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.sizes import positive

Velocity = Callable[[Tensor, Tensor], Tensor]  # (x (N, ...), t (N,)) -> (N, ...)


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
        """The noise (N, latent_dim) that the flow takes to these samples (N, ...): the same way backwards."""
        return integrate(self.velocity, samples, self.steps, self.method, span=(1.0, 0.0))[-1].flatten(1)

    def with_steps(self, steps: int, method: str = "heun") -> "Flow":
        """The same velocity, the same weights, another number of steps."""
        return Flow(self.velocity, self.sample_shape, steps, method, self.bounded).train(self.training)

    def log_prob(self, samples: Tensor, *, probes: int = 1, seed: int = 0) -> Tensor:
        """log p(x) = log N(ε; 0, I) − ∫₀¹ div v(x_t, t) dt, with the ε that the flow takes to x.

        The divergence is estimated as E[rᵀ (∂v/∂x) r], r of random signs, the same along a path (Grathwohl et
        al. 2019, arXiv:1810.01367, with Hutchinson's estimator). For a diagonal Jacobian that is exact. What
        is left is the error of the integration, which falls with the steps.

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


class GaussianCorrected(nn.Module):
    """v(x, t) = u(x, t) + s/√V(t) · c(x/√V(t), t), with V(t) = (1 − t)² + t²·s²: a closed form, corrected.

    u is the velocity that carries noise to N(0, diag s²) (`theory.GaussianFlow`). What it leaves of the
    target has the standard deviation s/√V; so input and output of the network c have a variance of 1 at all
    times, the principle of Karras et al. 2022, arXiv:2206.00364. With c = 0 the flow samples the Gaussian.

    Args:
        correct: (x (N, d), t (N,)) → c (N, d).
        std: s (d,), of the data, whose mean is 0.
    """

    def __init__(self, correct: nn.Module, std: Tensor):
        super().__init__()
        self.correct = correct
        self.register_buffer("std", std)

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        t, variance = times[:, None], self.std.square()
        spread = (1 - t) ** 2 + t**2 * variance
        gaussian = (t * variance - (1 - t)) / spread * points
        return gaussian + self.std / spread.sqrt() * self.correct(points / spread.sqrt(), times)


class MLPVelocity(nn.Module):
    """Fully connected: x and features of t → layers h + W·SiLU(h) of one width → like x."""

    def __init__(self, sample_shape: Sequence[int], width: int, layers: int):
        super().__init__()
        positive("width and layers", (width, layers))
        numbers = math.prod(positive("sample_shape", sample_shape))
        self.time = TimeFeatures(64)
        # Two layers, not one of both: beside 64 features of t a few coordinates would hardly be heard, and a
        # network that is almost linear in x has nothing to begin with where the linear part is known.
        self.enter, self.hear = nn.Linear(numbers, width), nn.Linear(64, width, bias=False)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.leave = nn.Linear(width, numbers)
        nn.init.zeros_(self.leave.weight)  # it begins with 0 everywhere
        nn.init.zeros_(self.leave.bias)

    def forward(self, points: Tensor, times: Tensor) -> Tensor:
        hidden = self.enter(points.flatten(1)) + self.hear(self.time(times))
        for layer in self.layers:
            hidden = hidden + layer(F.silu(hidden))
        return self.leave(F.silu(hidden)).view_as(points)


def mlp_velocity(sample_shape: Sequence[int], width: int = 64, layers: int = 2) -> MLPVelocity:
    """A fully connected velocity, for points and vectors: (x (N, *sample_shape), t (N,)) → like x."""
    return MLPVelocity(sample_shape, width, layers)
