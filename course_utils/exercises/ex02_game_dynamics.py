"""The exercises of notebook 02: why gradient descent–ascent does not settle."""

import torch

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    exercise,
    expect_close,
    expect_shape,
    expect_varied,
    matches,
    shown,
)
from course_utils.theory.game_dynamics import bilinear, dirac_gan, vector_field

PLACES = torch.tensor([[0.7, -1.3], [1.5, 0.4], [-2.0, -0.5]], dtype=torch.float64)


def _everywhere(function, name):
    """The answer's arrow at each of PLACES, shape (3, 2)."""
    arrows = []
    for theta, psi in PLACES:
        arrow = as_tensor(call(function, theta, psi, name=name), "the arrow")
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
            torch.stack([down, -up], dim=1),
            "the inner derivative is missing: by the chain rule, ψθ has to be derived too.",
        ),
        (
            torch.stack([theta * down, -psi * up], dim=1),
            "each loss is derived by the other player's number. θ moves by ∂L_G/∂θ, ψ by ∂L_D/∂ψ.",
        ),
        (right.flip(1), "the two velocities are in the wrong order: θ's first, then ψ's."),
    ]
    for mistake, message in typical:
        if matches(arrows, mistake):
            raise Wrong(message)
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
    title="One alternating step",
    difficulty=1,
    minutes=5,
    hints=[
        "Move ψ, keep θ. Then ask the field again, at the new point.",
        "`field(point)` gives (v_θ, v_ψ). First you need its second entry; then, at the new point, its first",
    ],
)
def alternating_step(answer):
    _check_alternating(answer, dirac_gan("minimax"), [1.2, 0.7], 0.3)
    return _check_alternating(answer, bilinear(), [-0.4, 1.1], 0.2)


def _check_alternating(answer, game, point, h):
    field, point = vector_field(game), torch.tensor(point, dtype=torch.float64)
    theta, psi = point
    new_psi = psi + h * field(point)[1]
    right = torch.stack([theta + h * field(torch.stack([theta, new_psi]))[0], new_psi])
    new_theta = theta + h * field(point)[0]
    generator_first = torch.stack([new_theta, psi + h * field(torch.stack([new_theta, psi]))[1]])
    once = point + h * field(point)

    found = as_tensor(call_unchanged(answer, field, point, h, name="alternating_step"), "the new point")
    expect_shape(found, (2,), "the new point")
    typical = [
        (once, "that is the simultaneous step: θ has to move along the arrow at the new ψ."),
        (generator_first, "the generator moved first; here, as in a training loop, the discriminator does."),
        (once + h * field(once), "both players moved twice: in each half, only one of them moves."),
        (torch.stack([theta, new_psi]), "θ has not moved: the generator's half is missing."),
        (right.flip(0), "the two are in the wrong order: (θ⁺, ψ⁺)."),
        (point, "the point has not moved."),
        (
            point - h * field(point),
            "that is a step against the arrows: they already point downhill, so add them.",
        ),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-6):
            raise Wrong(message)
    if not matches(found, right, tolerance=1e-6):
        expect_varied("the new point (θ, ψ)")
    if matches(found[1], right[1], tolerance=1e-6) and not matches(found, right, tolerance=1e-6):
        raise Wrong(
            f"ψ⁺ = {found[1]:.4f} is right, and θ⁺ = {found[0]:.4f} is not. θ takes a step of length h "
            "along v_θ: at "
            "which place does it look at the field?"
        )
    if matches(found[0], right[0], tolerance=1e-6) and not matches(found, right, tolerance=1e-6):
        raise Wrong(
            f"θ⁺ is right, and ψ⁺ = {found[1]:.4f} is not: one step of length h along v_ψ at `point`."
        )
    if not matches(found, right, tolerance=1e-6):
        raise Wrong(
            f"neither is right. First ψ moves by h·v_ψ = {h * field(point)[1]:.4f}, with the arrow at "
            "`point`; in your "
            f"step it moves by {found[1] - psi:.4f}. Then θ moves along the arrow at the place where ψ "
            "now is."
        )
    return "first ψ, then θ with the new ψ: this is the order of every GAN training loop in this course."


@exercise(
    "2.3",
    title="How much does one step grow?",
    difficulty=2,
    minutes=8,
    hints=[
        "One step maps w to (I + h·J)·w. What are the eigenvalues of I + h·J, if those of J are λ?",
        "In the long run the largest factor wins. `abs()` of a complex tensor is the modulus.",
    ],
)
def growth_factor(answer):
    cases = [
        ([-0.3 + 1j, -0.3 - 1j], 0.2),
        ([-2.0 + 0j, -0.5 + 0j], 1.4),
        ([-0.5 + 0j, -2.0 + 0j], 1.4),
        ([1j, -1j], 0.1),
    ]
    for values, h in cases:
        eigenvalues = torch.tensor(values, dtype=torch.complex128)
        moduli = (1 + h * eigenvalues).abs()
        found = as_tensor(call(answer, eigenvalues, h, name="growth_factor"), "the growth factor")
        if matches(found, moduli):
            raise Wrong("that is the factor of each eigenvalue; which one decides in the long run?")
        expect_shape(found, (), "the growth factor", "return one number, the largest factor.")
        typical = [
            (eigenvalues.abs().max(), "that is max |λ|, of the field. One step multiplies by 1 + h·λ."),
            (
                (1 + h * eigenvalues.real).abs().max(),
                "the imaginary part counts too: take the modulus of 1 + h·λ.",
            ),
            (1 + h * eigenvalues.abs().max(), "take the modulus of the whole 1 + h·λ, not of λ alone."),
            ((1 + eigenvalues).abs().max(), "the step size is missing: one step is I + h·J."),
            (
                (h * eigenvalues.real).exp().max(),
                "that is e^(h·Re λ), the growth of the flow; a step leaves the flow along its tangent.",
            ),
            (moduli[0], "that is the factor of the first eigenvalue; which one decides in the long run?"),
            (moduli.min(), "that is the smallest factor; the largest one decides in the long run."),
            (moduli.max() ** 2, "that is the squared modulus; take its root."),
            (moduli.mean(), "that is the mean of the factors. In the long run, which of them is left?"),
            (moduli.prod(), "that is the product of the factors, by which areas grow. Which factor wins?"),
            (moduli.sum(), "that is the sum of the factors. In the long run, which of them is left?"),
            (moduli[-1], "that is the factor of the last eigenvalue; which one decides in the long run?"),
            ((1 - h * eigenvalues).abs().max(), "that is 1 − h·λ: J already points downhill, so add."),
            (moduli.max() - 1, "that is by how much it grows; the factor itself is asked for."),
            (moduli.max().log(), "that is the factor's logarithm; the factor itself is asked for."),
            (moduli.max().log() / h, "that is a rate per unit of time; the factor per step is asked for."),
            (
                torch.linalg.vector_norm(1 + h * eigenvalues),
                "that is the length of the vector of both; take the modulus of each, and the larger one.",
            ),
        ]
        for mistake, message in typical:
            if matches(found, mistake) and not matches(mistake, moduli.max()):
                raise Wrong(message)
        expect_close(found, moduli.max(), name=f"the growth factor for λ = {values}, h = {h}")
    return "with λ = ±i this is √(1 + h²): above 1 for every step size, however small."


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


@exercise(
    "2.5",
    title="Look a step ahead",
    difficulty=1,
    minutes=5,
    hints=[
        "Two arrows are needed: at `point`, to find out where a step would lead, and there.",
        "The second arrow is applied at `point`, not where you looked.",
    ],
)
def extragradient_step(answer):
    for game, point, h in ((bilinear(), [1.0, 0.5], 0.3), (dirac_gan(), [0.8, -1.1], 0.5)):
        praise = _check_extragradient(answer, game, point, h)
    return praise


def _check_extragradient(answer, game, point, h):
    field, point = vector_field(game), torch.tensor(point, dtype=torch.float64)
    ahead = point + h * field(point)
    found = as_tensor(call(answer, field, point, h, name="extragradient_step"), "the new point")
    expect_shape(found, (2,), "the new point")
    typical = [
        (ahead, "that is where you look, the simultaneous step; now use the arrow that you find there."),
        (
            ahead + h * field(ahead),
            "you stepped on from the place you looked at: two simultaneous steps. Step from `point`.",
        ),
        (
            point + h / 2 * (field(point) + field(ahead)),
            "that is the arrow half a step ahead, or the mean of the two arrows (midpoint or Heun's method). "
            "It follows the circle closely, and that is not wanted: use the arrow a whole step ahead, alone.",
        ),
        (
            point + h * field(point + h / 2 * field(point)),
            "that is the arrow half a step ahead (the midpoint method): look a whole step ahead.",
        ),
        (point + h * (field(point) + field(ahead)), "use the arrow ahead alone, not the sum of both."),
        (point - h * field(ahead), "the step goes backwards: the field already holds the minus sign."),
    ]
    for mistake, message in typical:
        if matches(found, mistake, tolerance=1e-6):
            raise Wrong(message)
    if not matches(found, point + h * field(ahead), tolerance=1e-6):
        expect_varied("the new point (θ, ψ)")
        arrow, wanted = (found - point) / h, field(ahead)
        raise Wrong(
            f"from ({point[0]:g}, {point[1]:g}) with h = {h:g} you go along ({arrow[0]:.4g}, "
            f"{arrow[1]:.4g}). The arrow "
            f"one step ahead, at ({ahead[0]:.4g}, {ahead[1]:.4g}), is ({wanted[0]:.4g}, {wanted[1]:.4g})."
        )
    return "two arrows a step, and the spiral turns inwards."


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
        raise Wrong(
            f"with γ = {gamma:g} both real parts are {-gamma / 2:g}. More damping still helps; up to where?"
        )
    if gamma > 1.01:
        slow = -gamma / 2 + (gamma**2 / 4 - 0.25) ** 0.5
        raise Wrong(
            f"with γ = {gamma:g} both eigenvalues are real, the slow one is {slow:.3f}: too much damping. "
            "A discriminator that may hardly move gives the generator hardly a direction."
        )
    return "critical damping: as fast as it gets, e^(−t/2), and no more turning."
