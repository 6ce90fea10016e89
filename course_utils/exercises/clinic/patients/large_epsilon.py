"""Patient 7: batch normalisation's second argument is not its momentum."""

import copy
from functools import partial

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits


def patient_7(draw, rounds, start, watch):
    """A GAN with DCGAN's initialisation, on digits of 8×8 pixels."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128, 0.8), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    discriminator = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    for layer in [*generator, *discriminator]:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 0.02)
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.99))
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


@torch.no_grad()
def widths(network):
    """The standard deviation behind each batch normalisation, in training mode: 1 where it does its work."""
    values, found = torch.randn(128, 16, generator=torch.Generator().manual_seed(0)), []
    for layer in copy.deepcopy(network).train():
        values = layer(values)
        if isinstance(layer, nn.BatchNorm1d):
            scaled = values / layer.weight if layer.affine else values
            found.append(scaled.std(dim=0).mean().item())
    return found


def symptom(recording):
    found = widths(recording.shown["generator"])
    if len(found) < 3:
        return f"the generator has {len(found)} batch normalisations left of 3: cure them, and keep them."
    narrow = [place for place, width in enumerate(found, start=1) if width < 0.9]
    if narrow:
        return (
            f"still ill: behind batch normalisation {narrow[0]} the values have a standard deviation of "
            f"{found[narrow[0] - 1]:.2g}, and it should make that 1. It divides by √(variance + ε)."
        )
    return ""


def width(place, shown):
    found = widths(shown["generator"])
    return found[place] if place < len(found) else 0.0


PATIENT = Patient(
    number=7,
    title="a slow start",
    difficulty=2,
    minutes=12,
    program=patient_7,
    cure={"nn.BatchNorm1d(128, 0.8)": "nn.BatchNorm1d(128)"},
    source=(
        "eriklindernoren/PyTorch-GAN, issue #116, 2020, on infogan.py (dcgan.py has it, too): "
        "nn.BatchNorm2d(128, 0.8)"
    ),
    draw=digits,
    diagnosis="a",
    finding=(
        "Behind a batch normalisation the spread should be 1, whatever came in; here it is a tenth of "
        "that, and less from layer to layer."
    ),
    otherwise={
        "b": "then the weights would stay small, and batch normalisation would make 1 of their outputs' "
        "spread all the same: that is what it is for. Here it does not.",
        "c": "then D's accuracy would be near 1. Here it swings around ½: D can hardly tell either.",
        "d": "then the first layer's outputs would be small, and the batch normalisation behind it would "
        "divide that out again. Something in it does not let it.",
    },
    where_to_look=("What is batch normalisation for? Which spread do you expect behind each?",),
    symptom=symptom,
    hints=(
        "Keras writes `BatchNormalization(momentum=0.8)`. What is the second argument of PyTorch's?",
        "`nn.BatchNorm1d(num_features, eps=1e-05, momentum=0.1, …)`.",
    ),
    praise="Each layer passes on values of spread 1, from the first round on.",
    rounds=300,
    rounds_to_tell=20,
    charts=[
        Chart(
            "spread after the batch norms",
            [
                Curve("width_1", "1st", "model"),
                Curve("width_2", "2nd", "value", "--"),
                Curve("width_3", "3rd", "highlight", "-."),
            ],
            log=True,
        ),
    ],
    measures={f"width_{place + 1}": partial(width, place) for place in range(3)},
)
