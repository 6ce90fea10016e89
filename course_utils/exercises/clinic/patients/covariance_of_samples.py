"""Patient 10: the Fréchet distance works with the covariance of the wrong axis."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits
from course_utils.metrics import frechet_distance as reference_distance


def patient_10(draw, rounds, start, watch):
    """A GAN on digits of 8×8 pixels that measures how far its samples are from the data."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)

    def root(matrix):
        values, vectors = torch.linalg.eigh(matrix)
        return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T

    def frechet_distance(one, other):
        one, other = one.flatten(1), other.flatten(1)
        between_means = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
        first, second = torch.cov(one), torch.cov(other)
        mixed = root(root(first) @ second @ root(first))
        return between_means + first.trace() + second.trace() - 2 * mixed.trace()

    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    for played in range(rounds):
        real = draw(128, rng)[0].float() / 127.5 - 1
        fake = generator(torch.randn(128, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        if played % 10 == 0:
            others = draw(128, rng)[0].float() / 127.5 - 1
            distance, distance_of_data = frechet_distance(fake.detach(), real), frechet_distance(others, real)
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
            distance=distance,
            distance_of_data=distance_of_data,
        )


# --- the patient's file: symptom, diagnosis, cure ---


def reference(shown):
    """The Fréchet distance of the same samples, as the course computes it."""
    return reference_distance(shown["fake"].detach().flatten(1), shown["real"].flatten(1))


def slips(shown):
    """(what a slip makes of the distance, what to say to it) for the samples at hand."""
    fake, real = shown["fake"].detach().flatten(1).double(), shown["real"].flatten(1).double()
    means = (fake.mean(dim=0) - real.mean(dim=0)).square().sum().item()
    traces = (fake.var(dim=0) + real.var(dim=0)).sum().item()
    mixed = (means + traces - reference(shown)) / 2
    alone = (fake.std(dim=0) - real.std(dim=0)).square().sum().item()
    first, second = torch.cov(fake.T), torch.cov(real.T)
    one_triangle = (
        "of Σ₁Σ₂, half is read: `eigh` takes its matrix for symmetric, and the product of two symmetric ones "
        "is not. Σ₁^½Σ₂Σ₁^½ is, and has the same eigenvalues."
    )
    no_covariances = "those are correlations: each pixel's spread is divided out. Covariances are meant."
    not_centred = (
        "those are second *moments*, from which the means are not taken off, so that they count twice: "
        "`torch.cov` subtracts them."
    )
    rows = tuple(torch.cov(one.sort(dim=0).values) for one in (fake, real))
    mean_pixels = (
        (fake.mean(dim=1) - real.mean(dim=1)).square().sum().item() if len(fake) == len(real) else means
    )
    return [
        (
            mean_pixels + traces - 2 * mixed,
            "the covariances are those of the pixels now, and the means are those of each *image*, over its "
            "pixels: turned once for all, `mean(dim=0)` runs over the wrong axis.",
        ),
        *(
            (means + distance_of(*(correlate(one) for one in (fake, real))), no_covariances)
            for correlate in (lambda one: torch.corrcoef(one.T).nan_to_num(),)
        ),
        *(
            (means + distance_of(*(one.T @ one / (len(one) - less) for one in (fake, real))), not_centred)
            for less in (0, 1)
        ),
        (
            means + distance_of(*rows),
            "sorted, and still of the rows: each *image* is taken for a variable. Turn the matrix, and "
            "leave the "
            "order.",
        ),
        (
            means + distance_of(*(torch.cov(one) for one in (fake, real)), by_root=trace_of_root),
            "each *image* is still taken for a variable; and of Σ₁Σ₂, which is not symmetric, `eigh` reads "
            "half.",
        ),
        (means + traces - mixed, "the traces are right, and the mixed term counts twice: − 2·tr((Σ₁Σ₂)^½)."),
        (means + traces, "the mixed term, − 2·tr((Σ₁Σ₂)^½), is gone: equal sets would not be at distance 0."),
        (means, "only the means are compared: sets of another spread would be at distance 0."),
        (means + alone, "each pixel's own variance is compared. Σ has as well how pixels vary *together*."),
        (means + traces - 2 * trace_of_root(first @ second), one_triangle),
        (means + traces - 2 * trace_of_root(second @ first), one_triangle),
        (
            means + traces - 2 * (root(first) @ root(second)).trace().item(),
            "(Σ₁Σ₂)^½ is not Σ₁^½Σ₂^½, unless the two matrices commute. Multiply first, as in "
            "(Σ₁^½Σ₂Σ₁^½)^½, and then take the root.",
        ),
    ]


def distance_of(first, second, by_root=None) -> float:
    """tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), or with another root of the product."""
    if by_root is None:
        mixed = root(root(first) @ second @ root(first)).trace().item()
    else:
        mixed = by_root(first @ second)
    return (first.trace() + second.trace()).item() - 2 * mixed


def root(matrix):
    """The symmetric root, as the program takes it: of what is not symmetric, the lower triangle is read."""
    values, vectors = torch.linalg.eigh(matrix)
    return vectors @ values.clamp(min=0).sqrt().diag() @ vectors.T


def trace_of_root(matrix):
    return root(matrix).trace().item()


def _which_part(shown, measured: float) -> str:
    """What the parts of the right distance are, where a measured one is no known slip."""
    fake, real = shown["fake"].detach().flatten(1).double(), shown["real"].flatten(1).double()
    means = (fake.mean(dim=0) - real.mean(dim=0)).square().sum().item()
    traces = (fake.var(dim=0) + real.var(dim=0)).sum().item()
    mixed = means + traces - reference(shown)
    return (
        f"Print your three parts: |μ₁ − μ₂|² is {means:.1f} there, tr(Σ₁ + Σ₂) {traces:.1f}, and "
        f"2·tr((Σ₁Σ₂)^½) {mixed:.1f}."
    )


def symptom(recording):
    shown, floor = recording.shown, recording.late("distance_of_data")
    still_ill = (
        f"still ill: two sets of *real* digits are {floor:.0f} apart. `torch.cov` takes each *row* for "
        "a variable; what are the rows of `one`?"
    )
    if not shown:  # a recording of the data set keeps the curves alone
        return still_ill if floor > 6 else ""
    measured, right = float(shown["distance"]), reference(shown)
    off = abs(measured - right) > 0.02 * right
    mistake, message = min(slips(shown), key=lambda slip: abs(measured - slip[0]))  # some are close together
    if off and abs(measured - mistake) < 0.01 * right:
        return message
    if floor > 6:
        return still_ill
    if off:
        return (
            "real digits are close to real digits now, but the samples of the last round are at "
            f"{measured:.1f}, and should be at {right:.1f}. {_which_part(shown, measured)}"
        )
    return ""


PATIENT = Patient(
    number=10,
    title="far from itself",
    difficulty=2,
    minutes=10,
    program=patient_10,
    cure={
        "first, second = torch.cov(one), torch.cov(other)": "first, second = torch.cov(one.T), "
        "torch.cov(other.T)"
    },
    source=(
        "lucidrains/denoising-diffusion-pytorch, issue #213, 2023: torch.cov(features), which takes rows "
        "for variables"
    ),
    draw=digits,
    diagnosis="c",
    finding=(
        "Real digits are as far from real digits as the samples are: 50. No two halves of one data set "
        "are that far apart. Something is compared row by row, and the rows of a sample have no order."
    ),
    otherwise={
        "a": "then the samples would look worse from picture to picture. They look better, and the losses "
        "are those of the grey run. Is it the samples that are ill?",
        "b": "then data would be a little too far from data: 2, in the grey run, with as many samples. "
        "Here it is twenty times that.",
        "d": "then data would still be near data: the grey run has the same features.",
    },
    where_to_look=(
        "Look at the samples first, and at the losses. Then at the dashed line of the last panel.",
    ),
    symptom=symptom,
    hints=(
        "Shuffle one of two equal sets: which distances of *sets* may change by that?",
        "Σ is (64, 64): how the 64 pixels vary together over the images. `torch.cov` wants its variables "
        "as rows.",
    ),
    praise=(
        "Data are near data, and the distance falls as the samples improve. Ask each metric for real "
        "against real."
    ),
    rounds=300,
    rounds_to_tell=31,
    charts=[
        Chart(
            "Fréchet distance",
            [
                Curve("distance", "samples to data", "model"),
                Curve("distance_of_data", "data to data", "data", "--"),
            ],
        ),
    ],
    measures={"reference": reference},  # for the data set's readers
)
