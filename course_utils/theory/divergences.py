"""The GAN game without networks: value, optimal discriminator and divergences of known distributions.

One definition serves dice and densities. `p_data` and `p_model` are tensors of the same shape:

- a *discrete* distribution: the probabilities of its outcomes, with `weights=1` (the default);
- a *density*: its values at the points of `quadrature(low, high, points)`, with the weights it returns.

Every sum below is Σ weights · (…), which is the integral in the second case. Logarithms are natural (results
in nats), arithmetic is float64, and gradients flow through everything.
"""

import torch
from torch import Tensor

LOG_2 = 0.6931471805599453  # the largest Jensen–Shannon divergence there is
MASS_TOLERANCE = 1e-3  # how far from 1 the total probability may be: room for what an interval cuts off


def quadrature(low: float, high: float, points: int = 2001) -> tuple[Tensor, Tensor]:
    """Trapezoidal rule: ∫ f(x) dx ≈ Σ weights · f(x).

    For a smooth density that vanishes at both ends, the error falls faster than any power of the spacing
    (Trefethen and Weideman 2014, The exponentially convergent trapezoidal rule, SIAM Review 56). A density
    with jumps gets an error of the order of the spacing.

    Args:
        low, high: the interval; choose it so wide that no probability lies outside.
        points: number of equally spaced points, at least 2.

    Returns:
        x, weights: float64, both of shape (points,).

    Raises:
        ValueError: the interval is empty, or there are fewer than 2 points.
    """
    if not low < high or points < 2:
        raise ValueError(
            f"quadrature needs low < high and at least 2 points, got {low}, {high} and {points}; "
            "give an interval that holds both densities."
        )
    x = torch.linspace(low, high, points, dtype=torch.float64)
    weights = torch.full((points,), (high - low) / (points - 1), dtype=torch.float64)
    weights[0] /= 2
    weights[-1] /= 2
    return x, weights


def optimal_discriminator(p_data: Tensor, p_model: Tensor) -> Tensor:
    """D*(x) = p_data(x) / (p_data(x) + p_model(x)): the best answer to a fixed generator.

    Goodfellow et al. 2014, arXiv:1406.2661, proposition 1.

    Args:
        p_data, p_model: probabilities or density values, same shape, non-negative.

    Returns:
        Same shape, in [0, 1]; NaN where both densities are 0: nothing ever falls there, and any answer is as
        good as another.

    Raises:
        ValueError: shapes differ, or a value is negative or not finite.
    """
    p_data, p_model = _same_shape(p_data=p_data, p_model=p_model)
    return p_data / (p_data + p_model)


def value(discriminator: Tensor, p_data: Tensor, p_model: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """V(D, G) = E_{x~p_data}[log D(x)] + E_{x~p_model}[log(1 − D(x))].

    Goodfellow et al. 2014, arXiv:1406.2661, equation 1. Never above 0, and at its
    largest, with D = D*, equal to 2·JS(p_data, p_model) − log 4 (the same paper's theorem 1).

    Args:
        discriminator: D(x), probabilities in [0, 1] (not logits), same shape as the densities.
        p_data, p_model: probabilities or density values, same shape.
        weights: quadrature weights; 1 for a discrete distribution.

    Returns:
        Scalar; −inf if D is certain and wrong somewhere.

    Raises:
        ValueError: shapes differ, the distributions are not normalised, or D leaves [0, 1].
    """
    p_data, p_model, weights = _distributions(weights, p_data=p_data, p_model=p_model)
    discriminator = _probabilities(discriminator, where=p_data + p_model > 0)
    on_data = _times_log(p_data, discriminator, p_model)
    on_model = _times_log(p_model, 1 - discriminator, p_data)
    return (weights * (on_data + on_model)).sum()


def minimax_game(p_data: Tensor, rounds: int, rate: float) -> Tensor:
    """The game of two perfect players: D* answers at once, p_model = softmax(θ) steps down V's slope in θ.

    Alternating descent as in algorithm 1 of Goodfellow et al. 2014, arXiv:1406.2661, with the inner maximum
    in closed form. D* is held still during a step: it is the maximum, so that V does not change with it.

    Args:
        p_data: probabilities of a discrete distribution, (N,).
        rounds: steps of the generator.
        rate: of these steps; θ ← θ − rate · ∂V/∂θ.

    Returns:
        (rounds + 1, N): p_model before the first step, where it is uniform, and after each.
    """
    theta = torch.zeros_like(p_data, requires_grad=True)
    history = []
    for step in range(rounds + 1):
        p_model = theta.softmax(dim=0)
        history.append(p_model.detach())
        if step < rounds:
            discriminator = optimal_discriminator(p_data, p_model.detach())
            (slope,) = torch.autograd.grad(value(discriminator, p_data, p_model), theta)
            theta = (theta - rate * slope).detach().requires_grad_()
    return torch.stack(history)


def kl(p: Tensor, q: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """KL(p ‖ q) = E_{x~p}[log p(x) − log q(x)]  (Kullback and Leibler 1951).

    Args:
        p, q: probabilities or density values, same shape. Not symmetric: the expectation is over p.
        weights: quadrature weights; 1 for a discrete distribution.

    Returns:
        Scalar ≥ 0 in nats; inf if p has probability where q has none.

    Raises:
        ValueError: shapes differ, or the distributions are not normalised.
    """
    p, q, weights = _distributions(weights, p=p, q=q)
    return (weights * (torch.xlogy(p, p) - torch.xlogy(p, q))).sum()


def js(p: Tensor, q: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """JS(p, q) = ½·KL(p ‖ m) + ½·KL(q ‖ m) with m = (p + q) / 2  (Lin 1991).

    Args:
        p, q: probabilities or density values, same shape.
        weights: quadrature weights; 1 for a discrete distribution.

    Returns:
        Scalar in [0, log 2]: 0 if p = q, log 2 if their supports do not meet.

    Raises:
        ValueError: shapes differ, or the distributions are not normalised.
    """
    p, q, weights = _distributions(weights, p=p, q=q)
    middle = ((p + q) / 2).clamp(min=5e-324)  # half of the smallest number would be 0, and log 0 infinite
    return 0.5 * kl(p, middle, weights) + 0.5 * kl(q, middle, weights)


def generator_slopes(logits: Tensor) -> tuple[Tensor, Tensor]:
    """d/dt log(1 − σ(t)) = −σ(t) and d/dt (−log σ(t)) = −(1 − σ(t)): how each generator's loss falls.

    Goodfellow et al. 2014, arXiv:1406.2661, section 3: where D rejects a sample, the first vanishes and the
    second does not.

    Args:
        logits: t, the discriminator's output on generated samples, any shape; D = σ(t).

    Returns:
        saturating, non_saturating: the two slopes at each logit, same shape, in [−1, 0].
    """
    return -logits.sigmoid(), -(-logits).sigmoid()  # 1 − σ(t) = σ(−t), without rounding to 0


def total_variation(p: Tensor, q: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """TV(p, q) = ½·Σ|p − q|: the largest difference in probability that any event can show.

    The best discriminator's accuracy on a balanced mix of the two is (1 + TV) / 2.

    Args:
        p, q: probabilities or density values, same shape.
        weights: quadrature weights; 1 for a discrete distribution.

    Returns:
        Scalar in [0, 1].

    Raises:
        ValueError: shapes differ, or the distributions are not normalised.
    """
    p, q, weights = _distributions(weights, p=p, q=q)
    return 0.5 * (weights * (p - q).abs()).sum()


def wasserstein_1d(x: Tensor, p: Tensor, q: Tensor, weights: Tensor | float = 1.0) -> Tensor:
    """W₁(p, q) = ∫ |F_p(x) − F_q(x)| dx: the least work that moves the heap p onto q, on a line.

    F are the cumulative distributions. Only in one dimension is it this simple (Vallender 1974); the role of
    W₁ in GANs is Arjovsky et al. 2017, arXiv:1701.07875.

    Args:
        x: positions, increasing, shape (N,).
        p, q: probabilities or density values at x, shape (N,).
        weights: quadrature weights; 1 for a discrete distribution.

    Returns:
        Scalar ≥ 0, in the units of x.

    Raises:
        ValueError: shapes differ, x does not increase, or the distributions are not normalised.
    """
    p, q, weights = _distributions(weights, p=p, q=q)
    x = torch.as_tensor(x, dtype=torch.float64)
    if x.ndim != 1 or x.shape != p.shape or (x.diff() <= 0).any():
        raise ValueError(
            f"x must be increasing and of the densities' shape {tuple(p.shape)}, got shape {tuple(x.shape)}; "
            "sort x, and p and q with it."
        )
    cumulative_difference = (weights * (p - q)).cumsum(0)
    return (cumulative_difference[:-1].abs() * x.diff()).sum()


def _same_shape(**named: Tensor) -> list[Tensor]:
    tensors = [torch.as_tensor(tensor, dtype=torch.float64) for tensor in named.values()]
    if len({tensor.shape for tensor in tensors}) > 1:
        shapes = " and ".join(str(tuple(tensor.shape)) for tensor in tensors)
        raise ValueError(
            f"{' and '.join(named)} must have the same shape, got {shapes}; evaluate them at the same x."
        )
    for name, tensor in zip(named, tensors, strict=True):
        wrong = ~((tensor >= 0) & tensor.isfinite())
        if wrong.any():
            raise ValueError(
                f"{name} must be finite and non-negative, got {tensor[wrong][0].item():.4g}; "
                "pass probabilities or density values, not their logarithms."
            )
    return tensors


def _distributions(weights: Tensor | float, **named: Tensor) -> list[Tensor]:
    tensors = _same_shape(**named)
    weights = torch.as_tensor(weights, dtype=torch.float64)
    for name, tensor in zip(named, tensors, strict=True):
        mass = (weights * tensor).sum().item()
        if abs(mass - 1) > MASS_TOLERANCE:
            raise ValueError(
                f"{name} must have total probability 1, got {mass:.4g}; normalise it, and for a density "
                "pass the weights of a quadrature whose interval holds all of it."
            )
    return [*tensors, weights]


def _probabilities(discriminator: Tensor, where: Tensor) -> Tensor:
    discriminator = torch.as_tensor(discriminator, dtype=torch.float64)
    if discriminator.shape != where.shape:
        raise ValueError(
            f"discriminator must have the densities' shape {tuple(where.shape)}, got "
            f"{tuple(discriminator.shape)}; give D(x) at each x."
        )
    outside = where & ~((discriminator >= 0) & (discriminator <= 1))
    if outside.any():
        raise ValueError(
            f"discriminator must be a probability in [0, 1], got {discriminator[outside][0].item():.4g}; "
            "pass logits through a sigmoid first, and a density ratio r through r / (1 + r)."
        )
    return discriminator


def _times_log(p: Tensor, probability: Tensor, other: Tensor) -> Tensor:
    """p·log(probability), with 0·log 0 = 0; the same where p is so rare that the probability is rounded to 0.

    Without that, D* = 1 − 1e-99 would be stored as 1, and cost p·log 0 = −inf.
    """
    counts = p > torch.finfo(torch.float64).eps * other
    return p * torch.where(counts, probability, 1).log()
