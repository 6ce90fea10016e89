"""Flow matching where everything is known: data N(m, diag s²), noise N(0, I), straight paths between them."""

from typing import NamedTuple

import torch
from torch import Tensor


class GaussianFlow(NamedTuple):
    """x_t = (1 − t)·ε + t·x with x ~ N(m, diag s²) and ε ~ N(0, I), drawn independently."""

    mean: Tensor  # m (D,)
    std: Tensor  # s (D,), > 0

    def marginal(self, time: float | Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of x_t: t·m and √((1 − t)² + t²·s²), both (D,)."""
        return time * self.mean, ((1 - time) ** 2 + time**2 * self.std.square()).sqrt()

    def velocity(self, points: Tensor, times: Tensor) -> Tensor:
        """u(x, t) = E[x − ε | x_t = x] = m + (t·s² − (1 − t)) / ((1 − t)² + t²·s²) · (x − t·m).

        The regression of one Gaussian on another: covariance of x − ε and x_t, over the variance of x_t.
        It is what the loss of flow matching has its minimum at.

        Args:
            points: x (N, D).
            times: t (N,), in [0, 1].

        Returns:
            (N, D).
        """
        t = times[:, None]
        variance = (1 - t) ** 2 + t**2 * self.std.square()
        slope = (t * self.std.square() - (1 - t)) / variance
        return self.mean + slope * (points - t * self.mean)

    def transport(self, noise: Tensor) -> Tensor:
        """Where the flow takes noise: m + s·ε, the increasing map in each dimension. (N, D) → (N, D)."""
        return self.mean + self.std * noise

    def least_loss(self, time: float | Tensor) -> Tensor:
        """E‖x − ε − u(x_t, t)‖² / D at the time t: what is left of the target's variance. A number.

        Var(x − ε) − Cov(x − ε, x_t)² / Var(x_t), averaged over the dimensions. It is not 0: a path that
        passes through a point does not say where it came from.
        """
        variance = (1 - time) ** 2 + time**2 * self.std.square()
        covariance = time * self.std.square() - (1 - time)
        return torch.mean(1 + self.std.square() - covariance.square() / variance)
