"""Games as vector fields on the plane: two players, one number each, all of it visible.

θ is the generator's number, ψ the discriminator's. A game is the two losses; a point of the plane is a tensor
(θ, ψ) of shape (2,); a run is a tensor of points, shape (steps + 1, 2). Everything is float64.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.func import grad, jacrev, vmap

from course_utils.losses import GANLoss, get_loss

Field = Callable[[Tensor], Tensor]  # (2,) -> (2,)
Rule = Callable[[Field, Tensor, Tensor, float | Tensor], Tensor]  # field, now, before, step size -> next


class Game(NamedTuple):
    """Two losses of the same two numbers. The generator moves θ only, the discriminator moves ψ only."""

    generator_loss: Callable[[Tensor, Tensor], Tensor]  # (θ, ψ) -> (), minimised over θ
    discriminator_loss: Callable[[Tensor, Tensor], Tensor]  # (θ, ψ) -> (), minimised over ψ


def bilinear() -> Game:
    """min over θ, max over ψ of θ·ψ: the smallest game that does not settle.

    Source: Goodfellow 2016, arXiv:1701.00160, section 8.2.
    """
    return Game(
        generator_loss=lambda theta, psi: theta * psi,
        discriminator_loss=lambda theta, psi: -theta * psi,
    )


def dirac_gan(loss: str | GANLoss = "non_saturating", r1: float = 0.0, noise_std: float = 0.0) -> Game:
    """All data at 0, all samples at θ, logit t(x) = ψ·x (Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406).

    Args:
        loss: a name in `course_utils.losses.LOSSES`, or a GANLoss.
        r1: strength γ ≥ 0 of the penalty γ/2·E[‖∇t(x)‖²] on data (R1, same paper), here γ/2·ψ².
        noise_std: standard deviation σ ≥ 0 of the Gaussian noise added to data and samples alike
            (instance noise: Sønderby et al. 2017, arXiv:1610.04490).

    Returns:
        The game. Its equilibrium is (θ, ψ) = (0, 0) for the logistic and the Wasserstein losses.

    Raises:
        ValueError: r1 or noise_std is negative, or no loss has that name.
    """
    if r1 < 0 or noise_std < 0:
        raise ValueError(f"r1 and noise_std must be ≥ 0, got {r1} and {noise_std}; 0 switches either off")
    gan_loss = get_loss(loss)
    noise = noise_std * standard_normal_points(64) if noise_std else torch.zeros(1, dtype=torch.float64)

    def generator_loss(theta: Tensor, psi: Tensor) -> Tensor:
        return gan_loss.generator(psi * noise, psi * (theta + noise))

    def discriminator_loss(theta: Tensor, psi: Tensor) -> Tensor:
        return gan_loss.discriminator(psi * noise, psi * (theta + noise)) + r1 / 2 * psi**2

    return Game(generator_loss, discriminator_loss)


def standard_normal_points(count: int) -> Tensor:
    """Equally likely points that stand for N(0, 1), so that a mean over them is the expectation."""
    probabilities = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    points = torch.special.ndtri(probabilities)
    return points / points.square().mean().sqrt()  # variance exactly 1: it decides the eigenvalues


GAMES: dict[str, Callable[..., Game]] = {
    "bilinear": bilinear,
    "Dirac-WGAN": partial(dirac_gan, "wasserstein"),
    "minimax Dirac-GAN": partial(dirac_gan, "minimax"),
    "non-saturating Dirac-GAN": partial(dirac_gan, "non_saturating"),
}


def vector_field(game: Game) -> Field:
    """v(θ, ψ) = −(∂L_G/∂θ, ∂L_D/∂ψ): where each player wants to go.

    Source: Mescheder, Nowozin, Geiger 2017, arXiv:1705.10461.

    Returns:
        The field: a function from a point, shape (2,), to an arrow, shape (2,).
    """
    generator_slope = grad(game.generator_loss, argnums=0)
    discriminator_slope = grad(game.discriminator_loss, argnums=1)

    def field(point: Tensor) -> Tensor:
        theta, psi = point
        return -torch.stack([generator_slope(theta, psi), discriminator_slope(theta, psi)])

    return field


def field_on_grid(game: Game, radius: float = 2.0, points: int = 17) -> tuple[Tensor, Tensor]:
    """The field at points² places of the square [−radius, radius]².

    Returns:
        places and arrows, both of shape (points², 2).
    """
    ticks = torch.linspace(-radius, radius, points, dtype=torch.float64)
    places = torch.cartesian_prod(ticks, ticks)
    return places, vmap(vector_field(game))(places)


# --- update rules: (field, where we are, where we were, step size) -> where we go -----------------
# A step size is one number for both players, or a tensor (generator's, discriminator's).


def simultaneous(field: Field, now: Tensor, before: Tensor, step_size: float | Tensor) -> Tensor:
    """w⁺ = w + h·v(w): both players step from the same place."""
    return now + step_size * field(now)


def alternating(
    field: Field, now: Tensor, before: Tensor, step_size: float | Tensor, discriminator_steps: int = 1
) -> Tensor:
    """ψ⁺ = ψ + h·v_ψ(θ, ψ), then θ⁺ = θ + h·v_θ(θ, ψ⁺): the generator answers the discriminator's new ψ."""
    only_psi = torch.tensor([0.0, 1.0], dtype=now.dtype)
    only_theta = torch.tensor([1.0, 0.0], dtype=now.dtype)
    for _ in range(discriminator_steps):
        now = now + only_psi * step_size * field(now)
    return now + only_theta * step_size * field(now)


def extragradient(field: Field, now: Tensor, before: Tensor, step_size: float | Tensor) -> Tensor:
    """w⁺ = w + h·v(w + h·v(w)): look a step ahead, step from here with what you saw (Korpelevich 1976)."""
    ahead = now + step_size * field(now)
    return now + step_size * field(ahead)


def optimistic(field: Field, now: Tensor, before: Tensor, step_size: float | Tensor) -> Tensor:
    """w⁺ = w + 2h·v(w) − h·v(w⁻): the arrow, and its change (Daskalakis et al. 2018, arXiv:1711.00141)."""
    return now + 2 * step_size * field(now) - step_size * field(before)


def heavy_ball(
    field: Field, now: Tensor, before: Tensor, step_size: float | Tensor, momentum: float = 0.5
) -> Tensor:
    """w⁺ = w + h·v(w) + m·(w − w⁻): simultaneous steps with momentum m (Polyak 1964)."""
    return now + step_size * field(now) + momentum * (now - before)


RULES: dict[str, Rule] = {
    "simultaneous": simultaneous,
    "alternating": alternating,
    "extragradient": extragradient,
    "optimistic": optimistic,
    "momentum 0.5": heavy_ball,
}


def play(
    game: Game, rule: Rule, step_size: float | Tensor, steps: int, start: tuple[float, float] = (1.0, 0.0)
) -> Tensor:
    """The run w₀, w₁, …: the rule applied `steps` times from `start`.

    Returns:
        Points of shape (steps + 1, 2). A run that leaves the numbers of float64 continues as inf or nan.
    """
    field = vector_field(game)
    now = before = torch.tensor(start, dtype=torch.float64)  # at rest: the step before the first is the first
    points = [now]
    for _ in range(steps):
        now, before = rule(field, now, before, step_size), now
        points.append(now)
    return torch.stack(points)


# --- prediction and measurement -------------------------------------------------------------------


def jacobian(game: Game, point: tuple[float, float] = (0.0, 0.0)) -> Tensor:
    """J = ∂v/∂(θ, ψ), by automatic differentiation; shape (2, 2), row i is the slope of component i of v."""
    return jacrev(vector_field(game))(torch.tensor(point, dtype=torch.float64))


def eigenvalues(game: Game) -> Tensor:
    """λ of J at the equilibrium (0, 0), complex, shape (2,)."""
    return torch.linalg.eigvals(jacobian(game))


def update_eigenvalues(game: Game, rule: Rule, step_size: float | Tensor) -> Tensor:
    """μ of one update (w, w⁻) ↦ (w⁺, w) at the equilibrium; for simultaneous steps 1 + h·λ, and two zeros.

    Returns:
        Complex, shape (4,), the largest modulus first: the memory of the last point doubles the dimensions.
    """
    field = vector_field(game)
    equilibrium = torch.zeros(2, dtype=torch.float64)
    by_now, by_before = jacrev(lambda now, before: rule(field, now, before, step_size), argnums=(0, 1))(
        equilibrium, equilibrium
    )
    identity, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, 2, dtype=torch.float64)
    one_update = torch.cat([torch.cat([by_now, by_before], dim=1), torch.cat([identity, zero], dim=1)])
    values = torch.linalg.eigvals(one_update)
    return values[values.abs().argsort(descending=True)]


def predicted_growth(game: Game, rule: Rule, step_size: float | Tensor) -> float:
    """max |μ|: the factor on the distance to the equilibrium per update, to first order and in the long run.

    Above 1 a run leaves, below 1 it arrives. At 1 only a linear game is settled by it.
    """
    return update_eigenvalues(game, rule, step_size)[0].abs().item()


def measured_growth(points: Tensor) -> float:
    """The same factor from a run: exp of the slope of log ‖w‖ over its second half (least squares).

    Args:
        points: a run, shape (steps + 1, 2), some turns long; all of it finite.
    """
    if not torch.isfinite(points).all():
        raise ValueError(
            "points must be finite, got inf or nan; measure a shorter run or a smaller step size"
        )
    log_distance = points[len(points) // 2 :].norm(dim=1).clamp_min(1e-300).log()
    step = torch.arange(len(log_distance), dtype=torch.float64)
    step = step - step.mean()
    return ((step * log_distance).sum() / step.square().sum()).exp().item()


def alternating_fate(
    generator_loss: Callable[[Tensor, Tensor], Tensor],
    discriminator_loss: Callable[[Tensor, Tensor], Tensor],
    step_size: float,
    steps: int = 300,
) -> tuple[Tensor, float]:
    """What alternating steps do near (0, 0): the μ of one step, and the growth per step measured in a run.

    Returns:
        μ, complex, shape (2,), the largest modulus first; and the factor, from a run that starts 10⁻⁶ away.
    """
    game = Game(generator_loss, discriminator_loss)
    run = play(game, alternating, step_size, steps, start=(1e-6, 0.0))
    return update_eigenvalues(game, alternating, step_size)[:2], measured_growth(run)


# --- averages of a run ----------------------------------------------------------------------------


def running_mean(points: Tensor) -> Tensor:
    """w̄_t = (w₀ + … + w_t)/(t + 1), shape of `points`."""
    counts = torch.arange(1, len(points) + 1, dtype=points.dtype)
    return points.cumsum(dim=0) / counts[:, None]


def moving_average(points: Tensor, half_life: float) -> Tensor:
    """EMA: w̄_t = β·w̄_{t−1} + (1 − β)·w_t with β = ½^(1/half-life), from w̄₀ = w₀; shape of `points`.

    Args:
        points: a run, shape (steps + 1, 2).
        half_life: after so many steps a point's weight has halved; > 0.
    """
    if not half_life > 0:
        raise ValueError(f"half_life must be a positive number of steps, got {half_life}; 50 is a good start")
    decay = 0.5 ** (1 / half_life)
    average = points[0]
    averages = [average]
    for point in points[1:]:
        average = decay * average + (1 - decay) * point
        averages.append(average)
    return torch.stack(averages)


def moving_average_gain(half_life: float, angle: float) -> float:
    """(1 − β)/|1 − β·e^{−iφ}|: what an EMA leaves of a circle that turns by φ radians a step.

    The formula is a geometric sum; the idea is from Yazıcı et al. 2019, arXiv:1806.04498.
    """
    decay = 0.5 ** (1 / half_life)
    return (1 - decay) / abs(1 - decay * torch.exp(torch.tensor(-1j * angle, dtype=torch.complex128))).item()
