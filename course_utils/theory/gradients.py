"""Two unbiased estimators of ∇ E_q[f(z)] for q = N(μ, diag σ²), draw by draw: their variance shows.

Differentiate with respect to μ and to log σ; f must not depend on them other than through z.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Objective = Callable[[Tensor], Tensor]  # z (S, D) -> f(z) (S,), each draw by itself


def reparameterised_gradient(objective: Objective, mean: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
    """∂f/∂μ = f'(z) and ∂f/∂log σ = f'(z)·σ·ε at z = μ + σ·ε: the gradient goes through the sample.

    Kingma and Welling 2014, arXiv:1312.6114, section 2.4. Needs the derivative of f.

    Args:
        objective: f.
        mean, log_std: (D,).
        noise: ε ~ N(0, I), (S, D).

    Returns:
        (S, 2, D): one estimate a draw, of the gradients with respect to mean and log_std.
    """
    step = log_std.exp() * noise
    points = (mean + step).detach().requires_grad_()
    (slope,) = torch.autograd.grad(objective(points).sum(), points)
    return torch.stack([slope, slope * step], dim=1).detach()


def score_function_gradient(
    objective: Objective, mean: Tensor, log_std: Tensor, noise: Tensor, baseline: float = 0.0
) -> Tensor:
    """(f(z) − b)·∇ log q(z), where ∂log q/∂μ = ε/σ and ∂log q/∂log σ = ε² − 1, at z = μ + σ·ε.

    REINFORCE (Williams 1992, Machine Learning 8). Needs only values of f, so that f may have jumps. A
    baseline b that does not depend on z leaves the mean as it is, because E[∇ log q] = 0, and can lower the
    variance.

    Args:
        objective: f.
        mean, log_std: (D,).
        noise: ε ~ N(0, I), (S, D).
        baseline: b.

    Returns:
        (S, 2, D): one estimate a draw, of the gradients with respect to mean and log_std.
    """
    std = log_std.exp()
    with torch.no_grad():
        advantage = (objective(mean + std * noise) - baseline)[:, None]
        return torch.stack([advantage * noise / std, advantage * (noise.square() - 1)], dim=1)
