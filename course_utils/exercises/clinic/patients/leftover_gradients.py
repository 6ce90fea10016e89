"""Patient 2: what the generator's pass leaves in the discriminator is stepped along with."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import points


def patient_2(draw, rounds, start, watch):
    """A GAN with the non-saturating loss, on points of the plane."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=3e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=3e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        real = draw(128, rng)
        fake = generator(torch.randn(128, 2))
        g_loss = softplus(-discriminator(fake)).mean()
        g_loss.backward()
        g_optimizer.step()
        g_optimizer.zero_grad()

        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_loss.backward()
        d_optimizer.step()
        d_optimizer.zero_grad()
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


def symptom(recording):
    real, fake = recording.late("real_output"), recording.late("fake_output")
    if recording.last("discriminator_moved") < 1e-3:
        return (
            "now D does not learn at all: its weights stand still. Are its gradients cleared between "
            "`backward` and `step`, so that there is nothing to step along?"
        )
    if fake > 0.15:
        return (
            f"still ill: D's logits are {real:.2f} for data and {fake:.2f} for fakes: it takes both for "
            "real. Whose gradients are in D's `grad` when `d_optimizer` steps?"
        )
    return ""


PATIENT = Patient(
    number=2,
    title="D takes everything for real",
    difficulty=3,
    minutes=15,
    program=patient_2,
    cure={"        d_loss.backward()": "        d_optimizer.zero_grad()\n        d_loss.backward()"},
    source=(
        "Lightning-AI/pytorch-lightning, issue #591, 2019: zero_grad right after each optimiser's own step"
    ),
    draw=points,
    diagnosis="c",
    finding=(
        "Where samples and data agree, D's own loss pulls its logit up with 1 − D on data and down with D "
        "on fakes. G's loss, whose gradient runs through D, pulls up with 1 − D on fakes. Stepped along "
        "together they are at rest where 2(1 − D) = D: at D = ⅔, a logit of log 2 = 0.69, with losses of "
        "log 3/2 + log 3 = 1.50 and log 3/2 = 0.41."
    ),
    otherwise={
        "a": "then D's best answer would be 0.9 · p_data / (p_data + p_g): where samples and data agree, "
        "0.45. The logits would settle *below* 0.",
        "b": "then D would answer ½, a logit of 0, and the losses would be 1.39 and 0.69. Here D says ⅔ "
        "to everything: somebody pushes it *up*.",
        "d": "then data and fakes would count the same for D as ever: where both agree its logits would "
        "be 0. A generator that is ahead makes D wrong about the fakes only, not surer of the data.",
    },
    where_to_look=(
        "The samples get better: somebody learns. Which value do both logits settle at, and which "
        "probability is that?",
        "Where samples and data agree, D's own loss pulls the logits to 0. Which other loss wants D's "
        "logits of the fakes to *rise*?",
    ),
    symptom=symptom,
    hints=(
        "`g_loss.backward()` runs through D. What does it leave there?",
        "`zero_grad` right after a player's own step does not clear what the *other* player's backward "
        "brings later.",
    ),
    praise="D's gradient is D's own again, and it settles at ½.",
    rounds=500,
    rounds_to_tell=220,
    charts=[
        Chart(
            "D's logits",
            [Curve("real_output", "real", "data"), Curve("fake_output", "fake", "model", "--")],
            level=(0, ""),
        ),
    ],
)
