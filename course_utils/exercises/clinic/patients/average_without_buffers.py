"""Patient 6: the average of the generator has the statistics of an untrained network."""

import copy

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits
from course_utils.metrics import sample_diversity


def patient_6(draw, rounds, start, watch):
    """A GAN that keeps an average of its generator for the samples, on digits of 8×8 pixels."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    for layer in generator[0], generator[3]:
        nn.init.normal_(layer.weight, 0, 0.02)
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    average = copy.deepcopy(generator).eval()
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        real = draw(64, rng)[0].float() / 127.5 - 1
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

        with torch.no_grad():
            for mean, latest in zip(average.parameters(), generator.parameters(), strict=True):
                mean.lerp_(latest, 0.05)
            saved = average(torch.randn(64, 16))
        watch(
            real=real,
            fake=fake,
            saved=saved,
            real_logits=real_logits,
            fake_logits=fake_logits,
            discriminator=discriminator,
            generator=generator,
            average=average,
            discriminator_loss=d_loss,
            generator_loss=g_loss,
        )


# --- the patient's file: symptom, diagnosis, cure ---


def symptom(recording):
    average, generator = recording.shown.get("average"), recording.shown.get("generator")
    if average is None or average is generator:
        return "the generator itself is no average of it: keep `average`, and show it to the watch."
    if average.training:
        return (
            "the samples are good now, but made in training mode, where each depends on the batch that it "
            "is in: a single image, or another batch, would look different. Which numbers does evaluation "
            "mode use?"
        )
    with torch.no_grad():
        samples = average(torch.randn(64, 16, generator=torch.Generator().manual_seed(0)))
    kept = sample_diversity(samples) / recording.late("fake_diversity")
    if kept < 0.7:
        return (
            f"still ill: the samples of `average` are {100 * kept:.0f} % as different from each other as "
            "those that G trains with. `average` has G's weights. What else does batch normalisation "
            "need, in evaluation mode?"
        )
    return ""


PATIENT = Patient(
    number=6,
    title="good in training, grey in the file",
    difficulty=2,
    minutes=12,
    program=patient_6,
    cure={
        "            saved =": (
            "            for kept, latest in zip(average.buffers(), generator.buffers(), strict=True):\n"
            "                kept.copy_(latest)\n"
            "            saved ="
        ),
    },
    source=(
        "odegeasslbc/FastGAN-pytorch, issues #4 and #34, 2021: an average of the parameters, without "
        "batch norm's buffers"
    ),
    draw=digits,
    diagnosis="c",
    finding=(
        "In evaluation mode, batch normalisation uses a mean and a variance that it has gathered in "
        "training. The average has none but those of an untrained network."
    ),
    otherwise={
        "a": "then the samples that G trains with would be alike, too. Their diversity is drawn beside: "
        "it is nearly the data's.",
        "b": "then the average would be the generator of a while ago: its samples would look like G's "
        "from then. But in training the distance of pairs was never below 3, and the grey run has the "
        "same average.",
        "d": "then the saved samples would look like those that G trains with: that is the mode they are "
        "made in.",
    },
    where_to_look=(
        "Losses, accuracy, gradients, and the samples in training: all as in the grey run. What is left?",
    ),
    symptom=symptom,
    hints=(
        "In training mode a batch norm layer uses its batch's mean and variance. In evaluation mode?",
        "`parameters()` are what an optimiser moves. The running mean and variance are `buffers()`.",
    ),
    praise="The average has the statistics that belong to its weights.",
    rounds=300,
    rounds_to_tell=100,
    charts=[
        Chart(
            "mean distance of pairs",
            [
                Curve("fake_diversity", "in training", "model"),
                Curve("saved_diversity", "saved", "value", "--"),
            ],
        ),
    ],
)
