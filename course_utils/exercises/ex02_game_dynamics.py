"""The exercises of notebook 02: why gradient descent–ascent does not settle."""

import contextlib
import itertools
import math

import torch
from torch.nn.functional import softplus

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    exercise,
    expect_close,
    expect_like,
    expect_same_again,
    expect_shape,
    expect_varied,
    matches,
    shown,
)
from course_utils.theory.game_dynamics import (
    Game,
    alternating,
    dirac_gan,
    eigenvalues,
    jacobian,
    simultaneous,
    update_eigenvalues,
    vector_field,
)

PLACES = torch.tensor([[0.7, -1.3], [1.5, 0.4], [-2.0, -0.5]], dtype=torch.float64)


def _everywhere(function, name):
    """The answer's arrow at each of PLACES, shape (3, 2)."""
    arrows = []
    for theta, psi in PLACES:
        arrow = as_tensor(call_unchanged(function, theta, psi, name=name), "the arrow")
        expect_shape(arrow, (2,), "the arrow", "return two numbers: θ's velocity first, then ψ's.")
        arrows.append(arrow)
    return torch.stack(arrows)


@exercise(
    "2.1",
    title="The field of the Dirac-GAN",
    difficulty=2,
    minutes=10,
    hints=[
        "The derivative of softplus(t) is σ(t). Mind the inner derivative: t = ψ·θ depends on both numbers.",
        "For the generator: ∂/∂θ softplus(−ψθ) = −ψ·σ(−ψθ). Its velocity is minus that.",
        "For the discriminator: ∂/∂ψ softplus(ψθ) = θ·σ(ψθ). Its velocity is minus that.",
    ],
)
def dirac_field(answer):
    arrows = _everywhere(answer, "dirac_field")
    theta, psi = PLACES.T
    up, down = torch.sigmoid(psi * theta), torch.sigmoid(-psi * theta)
    right = torch.stack([psi * down, -theta * up], dim=1)
    typical = [
        (-right, "both arrows point uphill: those are the slopes of the losses, and players go downhill."),
        (
            right * torch.tensor([1, -1]),
            "the arrow of ψ climbs its loss: the discriminator minimises L_D too.",
        ),
        (right * torch.tensor([-1, 1]), "the arrow of θ climbs its loss: the generator minimises L_G."),
        (
            torch.stack([psi * up, -theta * up], dim=1),
            "the velocity of θ is that of the saturating generator, which minimises log(1 − σ(ψθ)). The "
            "non-saturating one minimises softplus(−ψθ).",
        ),
        (
            torch.stack([-psi * down, theta * down], dim=1),
            "that is the field of a game in which D's logit has the other sign, and the generator the "
            "saturating "
            "loss, as in a paper's notation. Here the logit is +ψx: a positive one means real.",
        ),
        (
            torch.stack([-psi * up, theta * down], dim=1),
            "that is the field of a game in which D's logit has the other sign, as in a paper's notation. "
            "Here "
            "the logit is +ψx: a positive one means real.",
        ),
        (
            torch.stack([psi * up, -theta * down], dim=1),
            "the two sigmoids have changed places: softplus(−ψθ) has the slope σ(−ψθ), and softplus(ψθ) has "
            "σ(ψθ).",
        ),
        (
            torch.stack([psi * (down - up), theta * (down - up)], dim=1),
            "both losses are added, and each player goes down the sum. Each has a loss of its own: θ goes "
            "down "
            "L_G alone, ψ down L_D alone.",
        ),
        (right / 2, "both arrows are half as long as they should be: is a loss averaged, or a ½ left over?"),
        (right * 2, "both arrows are twice as long as they should be."),
        (
            torch.stack(
                [
                    psi * torch.log(torch.sigmoid(-psi * theta)),
                    -theta * torch.log(torch.sigmoid(psi * theta)),
                ],
                dim=1,
            ),
            "log σ stands where σ belongs: the slope of softplus(t) is σ(t), without a logarithm.",
        ),
        (
            torch.stack([psi * torch.tanh(-psi * theta), -theta * torch.tanh(psi * theta)], dim=1),
            "tanh stands where σ belongs: the slope of softplus(t) is σ(t).",
        ),
        (
            torch.stack([psi / 2, -theta / 2], dim=1),
            "those are the arrows near (0, 0) only, where every σ is ½. Farther out the slope of "
            "softplus(±t) "
            "is σ(±t), whatever ψθ is.",
        ),
        (
            torch.stack([psi * torch.exp(-psi * theta), -theta * torch.exp(psi * theta)], dim=1),
            "an exponential stands where σ belongs: the slope of softplus(t) = log(1 + eᵗ) is eᵗ/(1 + eᵗ).",
        ),
        (
            torch.stack([down, -up], dim=1),
            "the inner derivative is missing: by the chain rule, ψθ has to be differentiated too.",
        ),
        (
            torch.stack([theta * down, -psi * up], dim=1),
            "each loss is differentiated with respect to the other player's number. θ moves by "
            "∂L_G/∂θ, ψ by ∂L_D/∂ψ.",
        ),
        (right.flip(1), "the two velocities are in the wrong order: θ's first, then ψ's."),
        (
            torch.stack([psi, -theta], dim=1),
            "that is the field of the Wasserstein game, whose losses are ∓ψθ. Here they are softplus(∓ψθ): "
            "where is their slope σ?",
        ),
        (
            torch.stack([psi * up * down, -theta * up * down], dim=1),
            "that is the slope of the sigmoid, σ·(1 − σ). The slope of softplus, the losses, is σ itself.",
        ),
        (
            torch.stack([softplus(-psi * theta), math.log(2) + softplus(psi * theta)], dim=1),
            "those are the two losses themselves. A velocity is minus the slope of a loss.",
        ),
        (
            torch.stack([psi * torch.sigmoid(-psi - theta), -theta * torch.sigmoid(psi + theta)], dim=1),
            "under σ stands the sum ψ + θ, and D's logit is the product, ψ·θ.",
        ),
        (
            torch.stack([psi * softplus(-psi * theta), -theta * softplus(psi * theta)], dim=1),
            "softplus itself stands where its derivative belongs: the slope of softplus(t) is σ(t).",
        ),
    ]
    for mistake, message in typical:
        if matches(arrows, mistake):
            raise Wrong(message)
    of_one = [  # (whose, what else it may be, what to say): where the other velocity is right
        (0, -psi * up, "θ goes down L_D, the loss of the other player. It has one of its own: L_G."),
        (0, -psi * down, "θ climbs its loss."),
        (0, psi * softplus(-psi * theta), "softplus stands where its derivative, σ, belongs."),
        (0, psi * down * up, "that is the slope of σ(−ψθ); the loss is softplus(−ψθ), and its slope is σ."),
        (0, down, "the inner derivative is missing: ψθ has to be differentiated, too."),
        (1, -theta * down, "the sign under σ is turned: L_D has softplus(*plus* ψθ), whose slope is σ(ψθ)."),
        (1, theta * down, "ψ goes down L_G, the loss of the other player. It has one of its own: L_D."),
        (1, theta * up, "ψ climbs its loss."),
        (1, -theta * softplus(psi * theta), "softplus stands where its derivative, σ, belongs."),
        (1, -theta * up * down, "that is the slope of σ(ψθ); the loss is softplus(ψθ), and its slope is σ."),
        *(
            (
                1,
                -theta * up + sign * math.log(2),
                "a log 2 is left in it. L_D's log 2 is a constant, and its slope is 0.",
            )
            for sign in (1, -1)
        ),
        (1, -up, "the inner derivative is missing: ψθ has to be differentiated, too."),
    ]
    for part, mistake, message in of_one:
        if matches(arrows[:, part], mistake) and matches(arrows[:, 1 - part], right[:, 1 - part]):
            raise Wrong(f"the velocity of {'ψθ'[part]} is right. The other: {message}")
    if not matches(arrows[:, 0], right[:, 0]) and not matches(arrows[:, 1], right[:, 1]):
        expect_varied("the arrow")
        _at_the_axes(answer)
    for part, player in enumerate(["θ", "ψ"]):
        other = ["θ", "ψ"][1 - part]
        if not matches(arrows[:, part], right[:, part]):
            fine = matches(arrows[:, 1 - part], right[:, 1 - part])
            if fine:
                raise Wrong(
                    f"the velocity of {other} is right, but the velocity of {player} at (θ, ψ) = (0.7, "
                    "−1.3) is "
                    f"{arrows[0, part]:.4f}, and should be {right[0, part]:.4f}. Which derivative is it?"
                )
            expect_close(
                arrows[:, part],
                right[:, part],
                name=f"{f'the velocity of {other} is right, but ' if fine else ''}the velocity of {player} "
                "at (θ, ψ) = (0.7, −1.3), (1.5, 0.4), (−2, −0.5)",
            )
    expect_same_again(answer, *PLACES[0], name="dirac_field")
    return "these are the arrows of the figures that follow, the same as automatic differentiation gives."


def _at_the_axes(answer) -> None:
    """On the axes ψθ = 0 and σ = ½, so that only the inner derivative is left."""
    zero, one = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    arrows = [
        as_tensor(call(answer, *point, name="dirac_field"), "the arrow")
        for point in ((zero, one), (one, zero))
    ]
    if matches(torch.stack(arrows), [[0.5, 0.0], [0.0, -0.5]]):
        raise Wrong(
            "your arrows are right only where ψθ = 0, where the slope of softplus is ½. Elsewhere it is "
            "σ(±ψθ): with "
            "which sign for θ's arrow, and with which for ψ's?"
        )
    raise Wrong(
        f"at (θ, ψ) = (0, 1) your arrow is ({arrows[0][0]:.3g}, {arrows[0][1]:.3g}), and at (1, 0) it is "
        f"({arrows[1][0]:.3g}, {arrows[1][1]:.3g}). There, ψθ = 0: try the two derivatives at these "
        "places first."
    )


@exercise(
    "2.2",
    title="The steps of a training loop",
    difficulty=2,
    minutes=8,
    hints=[
        "Move ψ and keep θ; ask the field again; as often as asked. What is left for θ to do then?",
        "`field(point)` gives (v_θ, v_ψ). For each of D's steps take its second entry at the point of that "
        "moment; at the end, take the first entry, once.",
    ],
)
def training_round(answer):
    _check_round(answer, dirac_gan("minimax"), [1.2, 0.7], 0.3, 1)
    _check_round(answer, dirac_gan("minimax", r1=0.5), [-0.4, 1.1], 0.4, 2)
    return _check_round(answer, dirac_gan("non_saturating", r1=0.4), [0.9, -0.6], 0.25, 3)


def _check_round(answer, game, point, h, count):
    field, point = vector_field(game), torch.tensor(point, dtype=torch.float64)
    only_theta, only_psi = torch.eye(2, dtype=torch.float64)

    def discriminator_moves(where, times, size=h):
        for _ in range(times):
            where = where + size * only_psi * field(where)
        return where

    def generator_moves(where, size=h):
        return where + size * only_theta * field(where)

    def all_of_it(where, times, size=h):
        return generator_moves(discriminator_moves(where, times, size), size)

    right = all_of_it(point, count)
    new_psi = discriminator_moves(point, count)
    together, rounds, crosswise = point, point, point
    for _ in range(count):
        together, rounds = together + h * field(together), all_of_it(rounds, 1)
        crosswise = crosswise + h * only_psi * field(crosswise).flip(0)

    result = call_unchanged(answer, field, point, h, count, name="training_round")
    found = as_tensor(result, "the new point")
    expect_shape(found, (2,), "the new point")
    typical = [
        (
            new_psi + h * only_theta * field(point),
            "θ follows the arrow at the old ψ. The generator answers the discriminator as it is now.",
        ),
        (
            discriminator_moves(generator_moves(point), count),
            "the generator moved first; here, as in a training loop, the discriminator does.",
        ),
        (together, "that is the simultaneous step: both players moved at once, from the same place."),
        (rounds, "the generator moved after each of the discriminator's steps: it moves once, at the end."),
        (
            all_of_it(point, 1),
            "the discriminator took one step only, and `discriminator_steps` were asked for.",
        ),
        (all_of_it(point, count + 1), "the discriminator took a step too many."),
        (all_of_it(point, count - 1), "the discriminator took a step too few."),
        (
            generator_moves(point + count * h * only_psi * field(point)),
            "all of the discriminator's steps follow the same arrow. After each, ask the field again.",
        ),
        (
            new_psi + h * field(new_psi),
            "in the generator's step ψ moves, too: a step too many for it. Only θ moves there.",
        ),
        (
            generator_moves(discriminator_moves(point, count, h / count)),
            "each of the discriminator's steps is h / discriminator_steps long. Each is h.",
        ),
        (new_psi, "θ has not moved: the generator's half is missing."),
        (
            torch.stack([right[0], point[1]]),
            "θ is right, and ψ is back where it was: return both as they are now.",
        ),
        (all_of_it(point, count, h * h), "each step is h·h long. Each is h."),
        (all_of_it(point, count, h / 2), "each step is half of h long. Each is h."),
        (right.flip(0), "the two are in the wrong order: (θ, ψ)."),
        (all_of_it(point, count, -h), "both went backwards: the arrows already point downhill, so add them."),
        (point, "the point has not moved."),
        (right - point, "that is by how much the point moves; the new point itself is asked for."),
        (
            generator_moves(together),
            "θ moves in the discriminator's steps, too. Only ψ moves there; θ waits for its own step.",
        ),
        (
            generator_moves(new_psi, count * h),
            "the generator's step is `discriminator_steps` times as long. It takes one step, of length h.",
        ),
        (
            crosswise + h * only_theta * field(crosswise).flip(0),
            "ψ moves by v_θ, and θ by v_ψ: `field(point)` gives (v_θ, v_ψ), in this order.",
        ),
        (
            point - h * field(point),
            "that is a step against the arrows: they already point downhill, so add them.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-6) and not matches(mistake, right, tolerance=1e-6):
            raise Wrong(message)
    if matches(found, right, tolerance=1e-6):
        expect_like(result, dtype=point.dtype, name="the new point")
        return "first ψ, then θ with the new ψ: this is the order of every GAN training loop in this course."
    expect_varied("the new point (θ, ψ)")
    if matches(found[1], right[1], tolerance=1e-6):
        raise Wrong(
            f"ψ = {found[1]:.4f} is right, and θ = {found[0]:.4f} is not. θ takes one step of length h along "
            "v_θ: at which place does it look at the field?"
        )
    raise Wrong(
        f"after {count} of the discriminator's steps ψ should have moved by {right[1] - point[1]:.4f}; in "
        f"your round it moves by {found[1] - point[1]:.4f}. Each step is h·v_ψ at the point of that moment."
    )


_SPECTRA = [
    [-0.3 + 1j, -0.3 - 1j],
    [-2.0 + 0j, -0.5 + 0j],
    [-0.5 + 0j, -4.0 + 0j],
    [-1.0 + 2j, -1.0 - 2j],
    [1j, -1j],
    [0.2 + 1j, 0.2 - 1j],
    [-1.0 + 0j, 0.5 + 0j],
    [-0.05 + 0j, -0.02 + 0j],  # steps up to 40
]


def _bound(answer, values) -> torch.Tensor:
    result = call_unchanged(answer, torch.tensor(values, dtype=torch.complex128), name="largest_step")
    if isinstance(result, (float, torch.Tensor)) and torch.as_tensor(result).abs().max() == math.inf:
        if values == _SPECTRA[0]:
            raise Wrong(
                f"for λ = {values} you give ∞, as if every step settled. Re λ < 0 is the flow's condition; "
                "a step of length h needs |1 + hλ| < 1."
            )
        if all(value.real == 0 for value in values):
            raise Wrong(
                f"for λ = {values} you give ∞. Do you divide by Re λ, which is 0 there? No step settles "
                "this game, "
                "so the bound is 0."
            )
        raise Wrong(
            f"for λ = {values} you give ∞. Do you divide by Im λ, which is 0 there? The denominator is |λ|², "
            "and that is (Re λ)² + (Im λ)²."
        )
    found = as_tensor(result, "the largest step")
    if found.shape == (2,):
        raise Wrong("that is a bound for each eigenvalue. Both have to settle: which one counts?")
    return expect_shape(found, (), "the largest step", "return one number.")


def _right_bound(eigenvalues) -> torch.Tensor:
    return (-2 * eigenvalues.real / eigenvalues.abs() ** 2).min().clamp(min=0)


def _typical_bounds(eigenvalues) -> list:
    """(bound, message): what typical mistakes give for these two λ."""
    real, squared = eigenvalues.real, eigenvalues.abs() ** 2
    bounds = -2 * real / squared
    return [
        (bounds.min(), "the bound is negative here, and a step is not: no step settles this game."),
        (bounds.max(), "that is the larger of the two bounds; with such a step the other one leaves."),
        (
            bounds.max().clamp(min=0),
            "that is the larger of the two bounds; with such a step the other one leaves.",
        ),
        *(
            (
                bound,
                "that is the bound of the λ with the largest real part alone. The other one, far to the "
                "left, may "
                "leave with a smaller step: take the smaller of the two bounds.",
            )
            for bound in (bounds[real.argmax()], bounds[real.argmax()].clamp(min=0))
        ),
        *(
            (
                bound,
                "that is the bound of the λ with the largest modulus alone. The other one may have the "
                "smaller "
                "bound, or none: take the smaller of the two bounds.",
            )
            for bound in (bounds[squared.argmax()], bounds[squared.argmax()].clamp(min=0))
        ),
        (bounds[0], "that is the bound of the first eigenvalue alone: both have to settle."),
        (bounds[0].clamp(min=0), "that is the bound of the first eigenvalue alone: both have to settle."),
        (bounds[1].clamp(min=0), "that is the bound of the last eigenvalue alone: both have to settle."),
        (
            (-2 * real / eigenvalues.imag**2).min().clamp(min=0),
            "nearly: the denominator is |λ|², and that is (Re λ)² + (Im λ)².",
        ),
        (
            (-2 * real / (real + eigenvalues.imag) ** 2).min().clamp(min=0),
            "nearly: the denominator is |λ|², and that is (Re λ)² + (Im λ)², not (Re λ + Im λ)².",
        ),
        *(
            (
                bound,
                "that is the mean of the two bounds (which minus the sum of the λ over their product gives, "
                "too); with such a step one of the two leaves.",
            )
            for bound in (bounds.mean(), bounds.mean() * (real < 0).all())
        ),
        (
            (bounds / 2).min().clamp(min=0),
            "that is half of it: there |1 + hλ| is smallest, and "
            "beyond it the game still settles. How does (1 + h·Re λ)² multiply out?",
        ),
        ((1 / squared.sqrt()).min(), "that is 1/|λ|, which does not look where λ points: left, or up?"),
        ((-2 / real).min().clamp(min=0), "the imaginary part counts too: take the modulus of 1 + hλ."),
        ((2 / squared.sqrt()).min(), "that is right for negative real λ only: where does Im λ enter?"),
        (
            (-2 * real / squared.sqrt()).min().clamp(min=0),
            "nearly: the denominator is |λ|², the square of the modulus.",
        ),
        (
            (2 * real / squared).max(),
            "the sign is wrong: it is the games with Re λ < 0 that settle.",
        ),
        (
            (2 * real / squared).min().clamp(min=0),
            "the sign is wrong: it is the games with Re λ < 0 that settle.",
        ),
        (
            bounds.abs().min(),
            "the sign of Re λ is lost: where it is not negative, no step settles, and the bound is 0.",
        ),
        (
            bounds.min().clamp(min=0).sqrt(),
            "that is the root of the bound: h stands unsquared in 2h·Re λ + h²|λ|².",
        ),
        (bounds.min().clamp(min=0).square(), "that is the square of the bound."),
        (
            (1 + eigenvalues).abs().max(),
            "that is |1 + λ|, the factor of a step of length 1. For which h is |1 + hλ| just 1?",
        ),
    ]


@exercise(
    "2.3",
    title="Which steps settle?",
    difficulty=2,
    minutes=10,
    hints=[
        "A step settles where |1 + hλ| < 1 for both λ. Square it: (1 + h·Re λ)² + (h·Im λ)² < 1. Solve that.",
        "Each λ allows the steps below −2·Re λ / |λ|². And what if Re λ is not negative?",
        "Both have to settle, so the smaller bound counts, and 0 where there is no bound above 0.",
    ],
)
def largest_step(answer):
    found, typical = [], []
    for values in _SPECTRA:
        found.append(_bound(answer, values))
        typical.append(_typical_bounds(torch.tensor(values, dtype=torch.complex128)))
    right = [_right_bound(torch.tensor(values, dtype=torch.complex128)) for values in _SPECTRA]
    # A mistake is told by all games together where it can be: in a single one, two mistakes may agree.
    for same in zip(*typical, strict=True):
        if matches(found, [bound for bound, _ in same]):
            raise Wrong(same[0][1])
    for values, wanted, others in zip(_SPECTRA, right, typical, strict=True):
        bound = _bound(answer, values)
        if values == _SPECTRA[-1] and 0 < bound < wanted:  # all others are right
            raise Wrong(
                f"right for the others, but for λ = {values} you stop at {bound:.4g}, and all steps up to "
                f"{wanted:.4g} settle. Does a search end too early? Solve |1 + hλ| = 1 for h."
            )
        for mistake, message in others:
            if matches(bound, mistake) and not matches(mistake, wanted):
                raise Wrong(message)
        if not matches(bound, wanted):
            if all(matches(one, found[0]) for one in found):
                expect_varied("the largest step")
            growth = (1 + bound * torch.tensor(values, dtype=torch.complex128)).abs().max()
            if 0 < bound < wanted:
                raise Wrong(
                    f"for λ = {values} you stop at {bound:.4g}, where the larger |1 + hλ| is {growth:.4g}: "
                    "larger steps settle, too. Solve |1 + hλ| = 1 for h; a search may end too early."
                )
            raise Wrong(
                f"for λ = {values} your bound is {bound:.4g}, and with such a step the larger |1 + hλ| "
                f"is {growth:.4g}. At the bound it is just 1; 0 stands for games in which no step settles."
            )
    return (
        "the less damping and the faster the turning, the smaller the step has to be; and with λ = ±i none "
        "is small enough."
    )


PREDICTIONS = {
    "A": ("out", "λ = ±i. What is |1 + 0.1·i|: above 1, or exactly 1?"),
    "B": ("circle", "one step has determinant 1 and complex eigenvalues. What are their moduli, then?"),
    "C": ("out", "put h = 0.01 into √(1 + h²). A hundred times slower; but which way?"),
    "D": ("in", "work out (1 + h·Re λ)² + (h·Im λ)². Does the damping win over h²?"),
    "E": ("out", "work out (1 + h·Re λ)² + (h·Im λ)². Does the damping still win over h²?"),
    "F": (
        "circle",
        "five steps of ψ with θ at rest are one step, five times as long. What is the determinant?",
    ),
}


@exercise(
    "2.4",
    title="Out, round, or in?",
    difficulty=2,
    minutes=8,
    hints=[
        "For simultaneous steps, work out |1 + h·λ|² = (1 + h·Re λ)² + (h·Im λ)².",
        "For alternating steps on these games, the determinant of one step is 1.",
    ],
)
def prediction(answer):
    if isinstance(answer, dict) and set(answer) < set(PREDICTIONS) and answer:
        missing = ", ".join(sorted(set(PREDICTIONS) - set(answer)))
        raise Wrong(f"no prediction for {missing}: give one for each of A–F.")
    if not isinstance(answer, dict) or set(answer) != set(PREDICTIONS):
        raise Wrong('give a dictionary with the keys A–F, such as {"A": "in", "B": "in", …}.')
    for name, choice in answer.items():
        if not isinstance(choice, str) or choice.strip().lower() not in ("out", "circle", "in"):
            raise Wrong(f'{name}: answer "out", "circle" or "in"; you gave {shown(choice)}.')
    misses = {
        name: why for name, (right, why) in PREDICTIONS.items() if str(answer[name]).strip().lower() != right
    }
    if misses:
        name, why = next(iter(misses.items()))
        rest = f" {len(PREDICTIONS) - len(misses)} of {len(PREDICTIONS)} are right."
        raise Wrong(f"{name} does something else: {why}{rest}")
    return (
        "all six: small steps alone do not help, and damping helps only small steps. The next cell runs them."
    )


_AHEAD = [  # (the two λ, step size)
    ([-0.3 + 1j, -0.3 - 1j], 0.2),
    ([-2.0 + 0j, 0.5 + 0j], 0.3),
    ([0.5 + 0j, -2.0 + 0j], 0.3),
    ([0.4 + 1j, 0.4 - 1j], 0.3),
    ([1j, -1j], 0.5),
    ([-5.0 + 0j, -0.3 + 0j], 0.3),  # the larger factor belongs to the smaller real part
]


def _right_factor(eigenvalues, h) -> torch.Tensor:
    return (1 + h * eigenvalues + (h * eigenvalues) ** 2).abs().max()


def _factor(answer, values, h) -> torch.Tensor:
    eigenvalues = torch.tensor(values, dtype=torch.complex128)
    result = call_unchanged(answer, eigenvalues, h, name="looking_ahead")
    found = as_tensor(result, "the growth factor")
    if matches(found, (1 + h * eigenvalues + (h * eigenvalues) ** 2).abs()):
        raise Wrong("that is the factor of each eigenvalue; which one decides in the long run?")
    return expect_shape(found, (), "the growth factor", "return one number, the largest factor.")


def _typical_factors(values_of_j, h) -> list:
    """(factor, message): what typical mistakes give for these two λ."""
    step = h * values_of_j
    moduli = (1 + step + step**2).abs()
    right = moduli.max()
    return [
        ((1 + step).abs().max(), "that is the simultaneous step: the arrow is taken one step ahead."),
        (
            ((1 + step) ** 2).abs().max(),
            "that is two simultaneous steps. The second arrow is applied to w, not to w′.",
        ),
        (
            (1 + step + step**2 / 2).abs().max(),
            "that is the arrow half a step ahead (the midpoint method), which follows the flow closely. "
            "Look a whole step ahead.",
        ),
        ((1 + step**2).abs().max(), "a term is missing: v(w′) = J·w′, and w′ = w + h·J·w."),
        (
            (1 + 2 * step + step**2).abs().max(),
            "both arrows are used there. Use the one found ahead, alone.",
        ),
        (
            (1 + h * (values_of_j + values_of_j**2)).abs().max(),
            "J comes in twice, and so does h: once in looking ahead, once in stepping.",
        ),
        ((1 + step.abs() + step.abs() ** 2).max(), "take the modulus at the end: λ is complex."),
        (
            (1 + step.real + step.real**2).abs().max(),
            "the imaginary part counts too: (hλ)² is not (h·Re λ)².",
        ),
        (
            moduli[values_of_j.real.argmax()],
            "that is the factor of the λ with the largest real part. With steps as long as these the other "
            "one's "
            "may be larger: work out both factors, and take the larger one.",
        ),
        (
            moduli[values_of_j.abs().argmax()],
            "that is the factor of the λ with the largest modulus. The other one's may be larger: work out "
            "both "
            "factors, and take the larger one.",
        ),
        (
            moduli[(1 + step).abs().argmax()],
            "that is the factor of the λ that grows fastest in simultaneous steps. Looking ahead may turn "
            "the "
            "order round: work out both factors, and take the larger one.",
        ),
        (moduli[0], "that is the factor of the first eigenvalue; which one decides in the long run?"),
        (moduli.min(), "that is the smallest factor; the largest one decides in the long run."),
        (right**2, "that is the squared modulus; take its root."),
        (moduli[-1], "that is the factor of the last eigenvalue; which one decides in the long run?"),
        (moduli.mean(), "that is the mean of the factors. In the long run, which of them is left?"),
        (moduli.prod(), "that is the product of the factors, by which areas grow. Which factor wins?"),
        (moduli.sum(), "that is the sum of the factors. In the long run, which of them is left?"),
        ((1 + step + step**2).real.abs().max(), "that is the real part. How long is a complex number?"),
        ((1 + step + step**2).real.max(), "that is the real part. How long is a complex number?"),
        (
            moduli.prod().sqrt(),
            "that is the geometric mean of the factors. In the long run, which of them is left?",
        ),
        (
            (1 - step.abs() ** 2 + 1j * step.abs()).abs().max(),
            "|λ| stands for λ: right for λ = ±i only. Keep λ complex, and take the modulus at the very end.",
        ),
        ((1 - step + step**2).abs().max(), "a sign is wrong: J already points downhill, so add."),
        ((1 + step - step**2).abs().max(), "a sign is wrong: J already points downhill, so add."),
        (
            (step * (1 + step)).abs().max(),
            "the 1 is missing: w⁺ is w *plus* h·J·w′.",
        ),
        (
            (1 / (1 - step)).abs().max(),
            "that is the implicit step, whose arrow is taken where it arrives. Here the arrow is taken at "
            "w′ = w + h·J·w.",
        ),
        (right - 1, "that is by how much it grows; the factor itself is asked for."),
        (right.log(), "that is the factor's logarithm; the factor itself is asked for."),
    ]


@exercise(
    "2.5",
    title="What does looking ahead do?",
    difficulty=2,
    minutes=10,
    hints=[
        "Near the equilibrium v(w) = J·w. Put w′ = w + h·J·w into v(w′), and multiply out.",
        "One step is I + h·J + h²·J². What are its eigenvalues, if those of J are λ?",
    ],
)
def looking_ahead(answer):
    # As in 2.3: by all games together where it can be, then by single ones.
    found = [_factor(answer, values, h) for values, h in _AHEAD]
    typical = [_typical_factors(torch.tensor(values, dtype=torch.complex128), h) for values, h in _AHEAD]
    right = [_right_factor(torch.tensor(values, dtype=torch.complex128), h) for values, h in _AHEAD]
    for same in zip(*typical, strict=True):
        if matches(found, [factor for factor, _ in same]):
            raise Wrong(same[0][1])
    for (values, h), wanted, others in zip(_AHEAD, right, typical, strict=True):
        factor = _factor(answer, values, h)
        for mistake, message in others:
            if matches(factor, mistake) and not matches(mistake, wanted):
                raise Wrong(message)
        if not matches(factor, wanted):
            expect_varied("the growth factor")
            raise Wrong(
                f"for λ = {values} and h = {h} you found {factor:.4g}. Along an eigenvector J is the number "
                "λ: then w = 1 leads to w′ = 1 + hλ, and w⁺ = 1 + hλw′. What is that here?"
            )
    return "one arrow more, and the term h²λ² turns the spiral inwards: for λ = ±i it is −h²."


@exercise(
    "2.6",
    title="How much damping?",
    difficulty=3,
    minutes=10,
    hints=[
        "You want the larger of the two real parts of λ to be as far to the left as possible.",
        "While the root is imaginary, both real parts are −γ/2. Once it is real, the `+` one goes back to 0.",
        "The best place is where the root vanishes: γ²/4 = 1/4.",
    ],
)
def best_gamma(answer):
    if isinstance(answer, float) and answer == math.inf:
        raise Wrong(
            "with a penalty beyond all bounds the discriminator cannot move, and gives no direction: the "
            "slow "
            "eigenvalue goes back to 0. There is a best γ in between."
        )
    gamma = as_tensor(answer, "`best_gamma`")
    expect_shape(gamma, (), "`best_gamma`", "give one number.")
    gamma = gamma.item()
    if gamma < 0:
        raise Wrong("a negative γ rewards steep discriminators: the eigenvalues move to the right.")
    if gamma == 0:
        raise Wrong("without penalty the real parts are 0: the flow goes round for ever.")
    if matches(gamma, 2.0):
        raise Wrong("2 is best for the WGAN, whose λ = −γ/2 ± √(γ²/4 − 1). Here ±i/2 takes the place of ±i.")
    if gamma < 0.99:
        slips = {
            0.25: "¼ is a number under the root, not the γ for which the root vanishes: ",
            0.5: "½ is the modulus of λ without damping, or the fastest rate, and no γ: ",
            0.5**0.5: "0.707 squared is ½; what stands under the root is γ²/4 − ¼: ",
        }
        slip = next((words for value, words in slips.items() if matches(gamma, value, tolerance=5e-3)), "")
        raise Wrong(
            f"{slip}with γ = {gamma:g} both real parts are {-gamma / 2:g}. More damping still helps; up to "
            "where?"
        )
    if gamma > 1.01:
        slow = -gamma / 2 + (gamma**2 / 4 - 0.25) ** 0.5
        raise Wrong(
            f"with γ = {gamma:g} both eigenvalues are real, the slow one is {slow:.3f}: too much damping. "
            "A discriminator that may hardly move gives the generator hardly a direction."
        )
    return "critical damping: as fast as it gets, e^(−t/2), and no more turning."


def _decaying(theta, psi):
    return 0.5 * theta**2 + 0.2 * theta * psi


# (generator's loss, discriminator's loss, step size): linear and not, turning and not, inward and outward
FATES = [
    (
        lambda theta, psi: theta * psi + 0.05 * theta**2,
        lambda theta, psi: -theta * psi + 0.15 * psi**2,
        0.2,
    ),
    (
        lambda theta, psi: theta * psi - 0.2 * theta**2 + 0.3 * theta**4,
        lambda theta, psi: -theta * psi,
        0.1,
    ),
    (*dirac_gan("non_saturating", r1=0.6), 0.3),
    (_decaying, lambda theta, psi: 0.4 * psi**2 + 0.5 * theta * psi + 0.1 * psi**4, 0.25),
    (  # a long ellipse, on which single steps shrink and grow by turns
        lambda theta, psi: 3**0.5 * theta * psi + 0.06 * theta**2,
        lambda theta, psi: -theta * psi / 3**0.5 + 0.06 * psi**2,
        0.5,
    ),
]
FEWEST_CALLS = 30  # of a loss, in an answer that runs the game


@exercise(
    "2.7",
    title="From two losses to a fate",
    difficulty=3,
    minutes=35,
    hints=[
        "Four parts: the field (`torch.autograd.grad`, or `torch.func.grad`), one alternating step, its "
        "matrix, and a run. Write and print them one after another.",
        "The matrix of one step at (0, 0): `torch.func.jacrev(step)(torch.zeros(2).double())`. Or "
        "by hand: with J = ((a, b), (c, d)), first ψ⁺ = ψ + h(cθ + dψ), then θ⁺ = θ + h(aθ + bψ⁺).",
        "For the measurement start very near (0, 0), at 10⁻⁶, say, take a few hundred steps, and look at the "
        "distances r. A growth by μ per step is a factor μⁿ in n steps.",
    ],
)
def fate(answer):
    for number, (generator_loss, discriminator_loss, h) in enumerate(FATES):
        _check_fate(answer, Game(generator_loss, discriminator_loss), h, after_the_linear_one=number > 0)
    return (
        "two losses in, and out comes what a run will do, before it runs. Try it on a game of your own in "
        "the next cell."
    )


def _check_fate(answer, game, h, after_the_linear_one):
    calls, points = [0], []

    def counted(theta, psi):
        calls[0] += 1
        return game.generator_loss(theta, psi)

    def noted(theta, psi):
        with contextlib.suppress(Exception):  # inside `torch.func`'s transforms a value may be out of reach
            points.append((float(theta.detach()), float(psi.detach())))
        return game.discriminator_loss(theta, psi)

    result = call(answer, counted, noted, h, name="fate")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong(
            f"return two things, the eigenvalues μ and the measured growth; you gave {shown(result)}."
        )
    values, growth = result
    field_values, one_by_one = eigenvalues(game), update_eigenvalues(game, simultaneous, h)[:2]
    right = update_eigenvalues(game, alternating, h)[:2]
    if not isinstance(values, torch.Tensor) or values.shape != (2,):
        raise Wrong(
            f"the eigenvalues should be a tensor of shape (2,), but you gave {shown(values)}. "
            "`torch.linalg.eigvals` gives one."
        )
    if not values.is_complex():
        raise Wrong(
            "the eigenvalues should be complex, as `torch.linalg.eigvals` gives them (`eigvalsh` is for "
            "symmetric matrices, and this one is not)."
        )
    typical = [
        (
            field_values,
            "those are the λ of J. The μ are those of one step: w⁺ = M w, with M for an alternating one.",
        ),
        (one_by_one, "those are the μ of a simultaneous step. In an alternating one θ moves with the new ψ."),
        (1 / right, "those are the inverses: the step goes backwards."),
    ]
    typical += _other_steps(game, h)
    for mistake, message in typical:
        if _same_values(values, mistake) and not _same_values(mistake, right):
            raise Wrong(f"the eigenvalues: {message}")
    if not _same_values(values, right):
        if after_the_linear_one:
            raise Wrong(
                "the eigenvalues are right for a linear game, but this one bends, and there they are not: J "
                "is the "
                "slope at (0, 0) itself. Are your differences too wide, or taken at another place?"
            )
        _about_sum_and_product(values, right, h, jacobian(game))

    growth = as_tensor(growth, "the measured growth")
    expect_shape(growth, (), "the measured growth", "the measured growth should be one number.")
    if calls[0] < FEWEST_CALLS:
        raise Wrong(
            "the growth is not measured: your function looks at the losses too seldom to have run the game."
        )
    growth, predicted = growth.item(), right.abs().max().item()
    if growth <= 0:
        raise Wrong(
            f"the measured growth is {growth:.4g}; it is a factor per step, and positive. Did you return its "
            "logarithm?"
        )
    close = 0.1 * abs(math.log(predicted)) + 1e-3
    if abs(math.log(growth) - math.log(predicted)) > close:
        simultaneous_growth = one_by_one.abs().max().item()
        told = _about_growth(growth, predicted, simultaneous_growth, points, vector_field(game), h)
        raise Wrong(f"the measured growth {told}")


def _about_sum_and_product(values, right, h, j) -> None:
    """Two wrong eigenvalues: which of the matrix's two invariants is another one, trace or determinant?"""
    mine, wanted = (torch.stack([two.sum(), two.prod()]).real.tolist() for two in (values, right))
    if abs(mine[0] - wanted[0]) < 1e-3:
        told = (
            "their sum, the trace, is right, and their product, the determinant, should be "
            f"{wanted[1]:.4g}: is "
            "an entry beside the diagonal wrong, or missing?"
        )
    elif abs(mine[1] - wanted[1]) < 1e-3:
        told = (
            f"their product, the determinant, is right, and their sum, the trace, should be {wanted[0]:.4g}: "
            "look at the diagonal. θ moves with the new ψ, which θ itself has pushed."
        )
    else:
        told = (
            f"their sum should be {wanted[0]:.4g}, and their product {wanted[1]:.4g}. First ψ moves by h "
            "times "
            "row 2 of J, then θ by h times row 1, at the new ψ: two matrices, one after the other."
        )
    raise Wrong(
        f"the eigenvalues are not those of one step. For h = {h} and J = {j.tolist()} yours are "
        f"{shown([complex(round(v.real, 3), round(v.imag, 3)) for v in values.tolist()])}; {told}"
    )


def _states(points, field, h) -> list[tuple[float, float]]:
    """(θ, ψ) at the beginning of each step of a run, from all places where D's loss was asked."""
    states = []
    for point in points:
        if point != (0.0, 0.0) and (not states or point[0] != states[-1][0]):
            states.append(point)
    if states:  # where the last step arrives
        theta, psi = (torch.tensor(value, dtype=torch.float64) for value in states[-1])
        after = alternating(field, torch.stack([theta, psi]), torch.stack([theta, psi]), h)
        states.append(tuple(after.tolist()))
    return states


def _about_growth(growth, predicted, simultaneous_growth, points, field, h) -> str:
    """What is wrong with a measured growth, by the run that it was measured on."""

    def near(value) -> bool:
        return value > 0 and abs(math.log(growth / value)) < 1e-3 + 0.02 * abs(math.log(value))

    if near(predicted**2):
        return "is the square of the factor: take distances, not their squares."
    if near(predicted**h):
        return "is the factor to the power of h: the step's length is in the logarithm once too often."
    if near(predicted ** (1 / h)):
        return f"is the factor for a time of 1, that is 1/h = {1 / h:.3g} steps. One step's is asked for."
    if near(1 / predicted):
        return "is turned: it is how much *longer* the distance was a step before. Divide later by earlier."
    states = _states(points, field, h)
    lengths = [math.hypot(*state) for state in states]
    if len(lengths) < 3 or min(lengths) == 0:
        return _of_other_steps(growth, predicted, simultaneous_growth)
    steps, first, last = len(lengths) - 1, lengths[0], lengths[-1]
    ratios = [later / earlier for earlier, later in itertools.pairwise(lengths)]
    if near(ratios[-1]) or near(ratios[0]):
        which = "last" if near(ratios[-1]) else "first"
        return (
            f"is {growth:.4g}, the ratio of the two {which} distances alone. On an ellipse single ratios "
            "swing from "
            "step to step: take the root of one that spans the whole run."
        )
    if steps < 20:
        return f"is {growth:.4g} over {steps} steps: too few, on an ellipse. Take a few hundred."
    if max(lengths) > 0.02 and not near(simultaneous_growth):
        if first > 0.02:
            return (
                f"is {growth:.4g}, in a run that starts at a distance of {first:.2g}, where the game bends. "
                "The "
                "eigenvalues speak of the nearest neighbourhood of (0, 0): start at 10⁻⁶."
            )
        return (
            f"is {growth:.4g}: the run grows from {first:.0e} to {max(lengths):.2g}, where the game bends, "
            "and goes "
            "on there. Stop while it is still near (0, 0), or start nearer."
        )
    over_all = (last / first) ** (1 / steps)
    if abs(math.log(over_all / predicted)) > 0.1 * abs(math.log(predicted)) + 1e-3:
        return _of_other_steps(growth, predicted, simultaneous_growth, over_all)
    if near(over_all**steps):
        return (
            f"is {growth:.4g}, the growth of the whole run of {steps} steps. Per step it is a root of that."
        )
    if near(sum(ratios) / steps):
        return (
            f"is {growth:.4g}, the mean of all single ratios. On an ellipse they swing, and their mean "
            "misleads: "
            "factors multiply, so take the mean of their logarithms, or one root over the whole run."
        )
    if near(max(ratios)) or near(min(ratios)) or near(sorted(ratios)[steps // 2]):
        return (
            f"is {growth:.4g}, one single ratio of the run, the largest, smallest or middle one. On an "
            "ellipse they "
            "swing: take a root over the whole run."
        )
    order = math.log(last / first) / math.log(growth)
    if abs(order - round(order)) < 2e-3 * abs(order) and 1 < order != steps:
        return (
            f"is {growth:.4g}, the root of order {round(order)} of the whole run's growth; but the run has "
            f"{steps} "
            "steps. As many roots as steps."
        )
    for number, name in enumerate("θψ"):
        parts = [abs(state[number]) for state in states]
        if parts[0] > 0 and parts[-1] > 0 and near((parts[-1] / parts[0]) ** (1 / steps)):
            return (
                f"is {growth:.4g}, measured on {name} alone. A single coordinate passes 0 on its way round: "
                "take "
                "the distance from (0, 0)."
            )
    return (
        f"is {growth:.4g}, on a run that is right: in {steps} steps its distance goes from {first:.2e} to "
        f"{last:.2e}, "
        f"which is {over_all:.4g} per step. How do you make one factor of the distances?"
    )


def _of_other_steps(growth, predicted, simultaneous_growth, over_all=None) -> str:
    """What to say where the run itself grows otherwise than alternating steps do."""
    if abs(math.log(growth / simultaneous_growth)) < 1e-3 + 0.02 * abs(math.log(simultaneous_growth)):
        return (
            f"is {growth:.4g}, that of *simultaneous* steps. In the run, too, ψ moves first, and θ then "
            "asks for "
            "its slope at the new ψ."
        )
    run = "" if over_all is None else f"the run itself changes its distance by {over_all:.4g} per step. "
    return (
        f"is {growth:.4g} per step, where the eigenvalues say {predicted:.4g}; {run}Are its steps "
        "alternating ones "
        "(first ψ, then θ with the new ψ), of the length that is handed in, each player down its own loss?"
    )


def _other_steps(game, h):
    """The μ of alternating steps on other fields, as mistakes make them, and what to say."""
    zero = torch.zeros((), dtype=torch.float64)
    of_g, of_d = (
        torch.autograd.functional.hessian(lambda *point, loss=loss: loss(*point), (zero, zero))
        for loss in (game.generator_loss, game.discriminator_loss)
    )
    g, d = (torch.tensor([[float(part) for part in row] for row in rows]).double() for rows in (of_g, of_d))
    right = jacobian(game)
    wrong = [
        (-right, "both players climb their losses. A velocity is *minus* the slope."),
        (
            torch.stack([-right[0], right[1]]),
            "the generator climbs its loss. A velocity is *minus* the slope.",
        ),
        (torch.stack([right[0], -right[1]]), "the discriminator climbs its loss: it minimises L_D, too."),
        (-g, "both players go down the generator's loss. ψ has a loss of its own."),
        (-d, "both players go down the discriminator's loss. θ has a loss of its own."),
        (
            -torch.stack([g[1], d[0]]),
            "each loss is differentiated with respect to the other player's number: θ moves by ∂L_G/∂θ.",
        ),
        (
            -torch.stack([g[0], d[0]]),
            "ψ moves by ∂L_D/∂θ, the slope for the other player's number. D's own is the second argument.",
        ),
        (
            -torch.stack([g[1], d[1]]),
            "θ moves by ∂L_G/∂ψ, the slope for the other player's number. G's own is the first argument.",
        ),
        (-(g + d), "both losses are added, and both players go down the sum. Each has a loss of its own."),
        (
            torch.diag(right.diagonal()),
            "only the second derivatives by each player's own number are there. What the other one does to "
            "the "
            "slope, ∂²L/∂θ∂ψ, is missing.",
        ),
        (
            right - torch.diag(right.diagonal()),
            "only the mixed derivatives ∂²L/∂θ∂ψ are there. Those by each player's own number are missing.",
        ),
        (
            right.T,
            "the matrix is transposed: rows belong to the players, columns to what they are differentiated "
            "by.",
        ),
    ]
    steps = [(_of_a_step(matrix, h), message) for matrix, message in wrong]
    return (
        steps
        + [
            (
                _of_a_step(right, other),
                f"those belong to h = {other:g}, and h is {h:g}: use the step that is handed in.",
            )
            for other in (0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
            if other != h
        ]
        + _other_matrices(right, h)
    )


def _other_matrices(j, h):
    """(two numbers, message): what else may be made of the right slopes, J, than one step's eigenvalues."""
    eye, zero = torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    of_psi, of_theta = eye + h * torch.stack([zero, j[1]]), eye + h * torch.stack([j[0], zero])
    step = of_theta @ of_psi
    of_a_step = torch.linalg.eigvals(step)

    def eigenvalues_of(matrix):
        return torch.linalg.eigvals(matrix)

    symmetric = (
        "`eigvalsh` is for symmetric matrices, and reads one half of this one. `torch.linalg.eigvals`."
    )
    return [
        (torch.linalg.eigvalsh(step, UPLO="L").to(of_a_step.dtype), symmetric),
        (torch.linalg.eigvalsh(step, UPLO="U").to(of_a_step.dtype), symmetric),
        (
            torch.linalg.svdvals(step).to(of_a_step.dtype),
            "those are the singular values of the step: by how much it stretches at most, once. In the long "
            "run "
            "its eigenvalues count.",
        ),
        (
            eigenvalues_of(torch.linalg.matrix_exp(h * j)),
            "those are e^(hλ), of the flow during a time h. A step goes straight along the arrow: w + "
            "h·v(w).",
        ),
        (of_a_step + 1, "a 1 too many: the identity is in the step already, and is added again."),
        (of_a_step - 1, "the 1 is missing: those are of what a step adds. M is the identity plus that."),
        (eigenvalues_of(step @ step), "those belong to two steps, one after the other."),
        (of_a_step**2, "those are squared."),
        (of_a_step.abs().to(of_a_step.dtype), "those are the moduli |μ|; the complex μ are asked for."),
        (
            eigenvalues_of(of_theta @ of_psi @ of_psi),
            "ψ moves twice in your step. In an alternating step each player moves once.",
        ),
        (
            eigenvalues_of(of_theta @ of_theta @ of_psi),
            "θ moves twice in your step. In an alternating step each player moves once.",
        ),
        (eigenvalues_of(of_psi), "those are of ψ's half of the step alone: θ moves, too."),
        (eigenvalues_of(of_theta), "those are of θ's half of the step alone: ψ moves, too."),
        (
            eigenvalues_of(of_theta + of_psi),
            "the two halves of the step are added. They come one after the other: their matrices multiply.",
        ),
        (
            eigenvalues_of(torch.linalg.inv(eye - h * j)),
            "those are of the implicit step, whose arrow is taken where it arrives.",
        ),
    ]


def _of_a_step(matrix, h):
    """The eigenvalues of an alternating step, ψ first, on a linear field."""
    (a, b), (c, d) = matrix.tolist()
    of_psi = torch.tensor([[1.0, 0.0], [h * c, 1 + h * d]], dtype=torch.float64)
    of_theta = torch.tensor([[1 + h * a, h * b], [0.0, 1.0]], dtype=torch.float64)
    return torch.linalg.eigvals(of_theta @ of_psi)


def _same_values(found, expected) -> bool:
    """Whether two pairs of complex numbers agree, in either order."""
    return any(
        torch.allclose(found.detach().to(expected.dtype), order, atol=1e-4, rtol=1e-4)
        for order in (expected, expected.flip(0))
    )
