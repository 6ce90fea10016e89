"""Patient 8: the data lie in [0, 1], the samples in [−1, 1]."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits


def patient_8(draw, rounds, start, watch):
    """A GAN on digits of 8×8 pixels."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
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
    for _ in range(rounds):
        images, _ = draw(64, rng)
        real = images.float() / 255
        fake = generator(torch.randn(64, 16))
        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# --- the patient's file: symptom, diagnosis, cure ---


def was_judged(shown):
    """Whether D was shown the very images that the watch was shown."""
    return any(torch.equal(shown["real"], images) for images in shown["judged"])


def symptom(recording):
    real, fake = (
        (recording.late(f"{side}_lowest"), recording.late(f"{side}_highest")) for side in ("real", "fake")
    )
    if fake[0] < real[0] - 0.15 or fake[1] > real[1] + 0.15:
        return (
            f"still ill: the data lie in [{real[0]:.2g}, {real[1]:.2g}], the samples in [{fake[0]:.2g}, "
            f"{fake[1]:.2g}]. D has only to look for values that no image has."
        )
    if fake[1] - fake[0] < 0.7 * (real[1] - real[0]):
        return (
            f"now the data lie in [{real[0]:.2g}, {real[1]:.2g}], and the samples reach over "
            f"[{fake[0]:.2g}, {fake[1]:.2g}] only: they cannot be black and white. Both ranges have to be "
            "the same."
        )
    lowest = recording.history["fake_lowest"]
    if min(lowest) == max(lowest):  # to the last digit, from the first round on
        return (
            f"the samples are cut off at {lowest[0]:.2g}, from the first round on. The ranges agree, but "
            "half of what tanh gives lies below, and is dead: no gradient passes a pixel that is cut off, so "
            "that G does not learn from it. Bring one range onto the other, rather than cut."
        )
    if not recording.last("was_judged"):
        return (
            "the images that the watch is shown are not those that D was shown: the range is changed for "
            "the picture only, and training goes on as before."
        )
    return ""


PATIENT = Patient(
    number=8,
    title="dark spots",
    difficulty=1,
    minutes=8,
    program=patient_8,
    cure={"real = images.float() / 255": "real = images.float() / 127.5 - 1"},
    source=(
        "fchollet/deep-learning-with-python-notebooks, 8.5-introduction-to-gans.ipynb and issue #7, 2017: "
        "/ 255. and tanh"
    ),
    draw=digits,
    diagnosis="d",
    finding=(
        "The data begin at 0, and the samples at −1: half of what G can say never occurs in an image. D "
        "needs no digits to tell them apart, and G has to unlearn half of its range first."
    ),
    otherwise={
        "a": "then the samples would be alike. Their diversity is the data's and more.",
        "b": "then its accuracy would be near 1, and G's loss would grow. It is no better here than in "
        "the grey run.",
        "c": "then the samples would become black where the data are black. Look at the values: the "
        "samples' lowest stays where no image ever has one.",
    },
    where_to_look=("Compare the panel of values with the last row, the data.",),
    symptom=symptom,
    hints=(
        "Which values does `nn.Tanh` give? Which values does `images.float() / 255`?",
        "0 … 255 becomes −1 … 1 by `/ 127.5 - 1`.",
    ),
    praise="Both lie in one range, and D has to look at the digits.",
    rounds=300,
    rounds_to_tell=60,
    charts=[
        Chart(
            "lowest and highest value",
            [
                Curve("real_lowest", "data", "data"),
                Curve("fake_lowest", "samples", "model", "--"),
                Curve("real_highest", "", "data"),
                Curve("fake_highest", "", "model", "--"),
            ],
        ),
    ],
    measures={
        "real_lowest": lambda shown: shown["real"].min(),
        "real_highest": lambda shown: shown["real"].max(),
        "fake_lowest": lambda shown: shown["fake"].min(),
        "fake_highest": lambda shown: shown["fake"].max(),
        "was_judged": was_judged,
    },
)
