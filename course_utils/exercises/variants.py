"""The variants of exercises: the same piece of work with a number that is drawn for each learner.

Each function gives the right answer, a function or a value, to the question above it. How learners get
theirs: `course_utils/checks/variants.py`. A variant is another question, not a harder one; what follows in
the notebook goes on with the printed one's reference.
"""

import math

import torch
from torch.nn.functional import relu, softplus

from course_utils.checks import variant
from course_utils.theory import kl

LOADED = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
ODD = torch.tensor([0.3, 0.05, 0.25, 0.05, 0.3, 0.05], dtype=torch.float64)
SAYS = torch.tensor([0.2, 0.3, 0.4, 0.35, 0.45, 0.7], dtype=torch.float64)
REAL = torch.tensor([1.4, -0.7, 2.2, 0.1, -1.9], dtype=torch.float64)
FAKE = torch.tensor([-1.2, 0.6, -2.4, 3.1], dtype=torch.float64)
WEIGHTS = (0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 1.5, 2, 2.5, 3)  # none is the printed 1


def _each(name: str, values) -> tuple[dict, ...]:
    return tuple({name: value} for value in values)


@variant(
    "0.1",
    question="your images come from a scanner with more or fewer shades: 0 is black and {white} is white. "
    "Map 0 to −1 and {white} to 1.",
    choices=_each("white", (15, 31, 63, 127, 511, 1023, 2047, 4095, 8191, 16383)),
    cases=[
        (torch.tensor([[0, 1, 5], [9, 12, 15]], dtype=torch.int32),),
        (torch.arange(12).reshape(1, 3, 2, 2),),
    ],
)
def to_network_range(white):
    return lambda pixels: 2 * pixels.double() / white - 1


@variant(
    "0.4",
    question="your discriminator is not undecided. It says D(x) = {says} of a real image. What is its loss "
    "on that image?",
    choices=_each("says", (0.2, 0.25, 0.3, 0.35, 0.4, 0.6, 0.65, 0.7, 0.8, 0.9)),
)
def loss_of_guessing(says):
    return -math.log(says)


@variant(
    "1.1",
    question="weigh the second average with {weight}: V = E[log D(x)] + {weight} · E[log(1 − D(x))].",
    choices=_each("weight", WEIGHTS),
    cases=[(SAYS, LOADED, ODD), (SAYS.flip(0), ODD, LOADED)],
)
def value_on_a_die(weight):
    return lambda d, p, q: (p * d.log()).sum() + weight * (q * (1 - d).log()).sum()


@variant(
    "1.2",
    question="real samples are labelled {label} in place of 1 (smoothing on one side), so that D climbs "
    "π · E_data[{label} · log D + (1 − {label}) · log(1 − D)] + (1 − π) · E_g[log(1 − D)].",
    choices=_each("label", (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)),
    cases=[(LOADED, ODD), (LOADED, ODD, 0.2), (3 * ODD, LOADED, 0.7)],
)
def best_discriminator(label):
    return lambda p, q, real=0.5: label * real * p / (real * p + (1 - real) * q)


@variant(
    "1.3",
    question="the generated samples count {weight} times: the loss is the mean over the real ones plus "
    "{weight} times the mean over the generated ones.",
    choices=_each("weight", WEIGHTS),
    cases=[(REAL, FAKE), (10 * FAKE, 10 * REAL)],
)
def discriminator_loss(weight):
    return lambda real, fake: softplus(-real).mean() + weight * softplus(fake).mean()


@variant(
    "1.4",
    question="write the skewed divergence α · KL(p ‖ m) + (1 − α) · KL(q ‖ m) with m = α · p + (1 − α) · q, "
    "for α = {alpha}.",
    choices=_each("alpha", (0.1, 0.15, 0.2, 0.25, 0.3, 0.7, 0.75, 0.8, 0.85, 0.9)),
    cases=[(LOADED, ODD), (ODD, LOADED), (LOADED / 0.2, ODD / 0.2, 0.2)],
)
def jensen_shannon(alpha):
    def skewed(p, q, weights=1.0):
        middle = alpha * p + (1 - alpha) * q
        return alpha * kl(p, middle, weights) + (1 - alpha) * kl(q, middle, weights)

    return skewed


@variant(
    "1.6",
    question="your discriminator has a temperature, D = σ(t / {temperature}). Differentiate both losses with "
    "respect to t, as before.",
    choices=_each("temperature", (0.5, 0.8, 1.25, 1.5, 2, 2.5, 3, 4)),
    cases=[(REAL,), (FAKE,)],
)
def generator_slopes(temperature):
    def slopes(logits):
        d = torch.sigmoid(logits / temperature)
        return -d / temperature, (d - 1) / temperature

    return slopes


@variant(
    "2.1",
    question="the data lie at {place}, not at 0, so that L_D = softplus(−{place}·ψ) + softplus(ψθ). "
    "L_G stays as it is.",
    choices=_each("place", (0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3)),
    cases=[
        (torch.tensor(0.7, dtype=torch.float64), torch.tensor(-1.3, dtype=torch.float64)),
        (torch.tensor(-0.4, dtype=torch.float64), torch.tensor(0.9, dtype=torch.float64)),
    ],
)
def dirac_field(place):
    def field(theta, psi):
        for_psi = place * torch.sigmoid(-place * psi) - theta * torch.sigmoid(psi * theta)
        return psi * torch.sigmoid(-psi * theta), for_psi

    return field


@variant(
    "2.5",
    question="look {ahead} times as far ahead: w′ = w + {ahead} · h · v(w), and then w⁺ = w + h · v(w′).",
    choices=_each("ahead", (0.25, 0.5, 0.75, 1.5, 2, 2.5, 3, 4)),
    cases=[
        (torch.tensor([1j, -1j], dtype=torch.complex128), 0.1),
        (torch.tensor([-0.3 + 0.8j, -0.3 - 0.8j], dtype=torch.complex128), 0.5),
    ],
)
def looking_ahead(ahead):
    return lambda values, step: (1 + step * values * (1 + ahead * step * values)).abs().max()


@variant(
    "2.6",
    question="your discriminator is D(x) = {scale} · ψ · x, and the penalty γ/2 · (dD/dx)² is taken of that: "
    "J has {scale}/2 and −{scale}/2 off its diagonal, and −γ · {scale}² in the corner. Which γ "
    "arrives fastest?",
    choices=_each("scale", (0.25, 0.4, 0.5, 0.8, 1.25, 1.6, 2, 2.5, 4, 5)),
)
def best_gamma(scale):
    return 1 / scale  # the root of γ²·scale⁴/4 − scale²/4 vanishes


def _plane() -> tuple[torch.Tensor, torch.Tensor]:
    """Samples at known distances, in standard deviations of 0.1, from three modes; and the modes."""
    modes = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]], dtype=torch.float64)
    distances = [[0.1, 0.3, 0.5, 0.7, 0.9, 1.5, 2.2, 2.7, 3.5], [0.2, 0.4, 0.6], [0.3, 0.8], [0.5, 5.0]]
    samples = [
        mode + torch.tensor([0.1 * distance, 0.0], dtype=torch.float64)
        for mode, around in zip(modes, distances, strict=True)
        for distance in around
    ]
    return torch.stack(samples), modes


@variant(
    "3.5",
    question="a sample is good within {reach} standard deviations, and a mode is covered from {needed} good "
    "samples on.",
    choices=tuple({"reach": reach, "needed": needed} for reach in (1, 2, 2.5, 4) for needed in (2, 3, 4)),
    cases=[(*_plane(), 0.1)],
)
def count_modes(reach, needed):
    def count(samples, modes, std):
        distance, nearest = torch.cdist(samples, modes).min(dim=1)
        good = distance <= reach * std
        at_each = torch.bincount(nearest[good], minlength=len(modes))
        return int((at_each >= needed).sum()), good.double().mean().item()

    return count


@variant(
    "5.1",
    question="the kernel has a dilation of {dilation}, which leaves {dilation} − 1 gaps between two of its "
    "numbers, and there is an output padding of {extra}, which adds so many places at the end.",
    choices=tuple(
        {"dilation": dilation, "extra": extra}
        for dilation, extra in ((2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 0), (4, 1), (4, 2), (4, 3))
    ),
    cases=[(7, 4, 2, 1), (3, 5, 3, 2), (11, 2, 1, 0), (4, 3, 2, 0)],
)
def transposed_size(dilation, extra):
    return lambda size, kernel, stride, padding: (
        (size - 1) * stride + dilation * (kernel - 1) + extra + 1 - 2 * padding
    )


@variant(
    "6.1",
    question="in every layer the kernel has a dilation of {dilation}, which leaves {dilation} − 1 gaps "
    "between two of its numbers.",
    choices=_each("dilation", (2, 3, 4, 5, 6, 7, 8, 9)),
    cases=[(1, [(4, 2, 0, 0), (4, 2, 1, 1)]), (4, [(3, 2, 1, 1), (5, 1, 2, 0), (4, 2, 1, 0)])],
)
def final_side(dilation):
    def side_after(start, layers):
        side = start
        for kernel, stride, padding, output_padding in layers:
            side = (side - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding + output_padding
        return side

    return side_after


@variant(
    "8.1",
    question="the margin is {margin}: a real sample wants its logit at {margin} or above, a fake one at "
    "−{margin} or below.",
    choices=_each("margin", (0.25, 0.5, 0.75, 1.5, 2, 2.5, 3, 4)),
    cases=[(REAL, FAKE), (2 * FAKE, 3 * REAL)],
)
def margin_losses(margin):
    return lambda real, fake: (
        relu(margin - real).mean() + relu(margin + fake).mean(),
        -fake.mean(),
    )


@variant(
    "10.1",
    question="your prior is N(0, {std}² · I): its standard deviation is {std} in every dimension.",
    choices=_each("std", (0.25, 0.5, 0.75, 1.5, 2, 2.5, 3, 4)),
    cases=[
        (
            torch.tensor([[0.3, -1.2, 2.0], [0.0, 0.7, -0.4]], dtype=torch.float64),
            torch.tensor([[-0.5, 0.4, -2.0], [0.0, 1.1, -1.3]], dtype=torch.float64),
        )
    ],
)
def kl_to_prior(std):
    def rate(mean, log_variance):
        over_prior = (log_variance.exp() + mean.square()) / std**2
        return 0.5 * (over_prior - 1 - log_variance + 2 * math.log(std)).sum(1)

    return rate


@variant(
    "10.4",
    question="the loss is {weight} · F.mse_loss + kl_weight · KL.",
    choices=_each("weight", WEIGHTS),
    cases=[(784, 0.001), (3072, 0.00025), (100, 2.0)],
)
def implied_variance(weight):
    return lambda pixels, kl_weight: pixels * kl_weight / (2 * weight)
