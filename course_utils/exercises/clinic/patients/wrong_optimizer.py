"""Patient 3: the discriminator's step is taken by the generator's optimiser."""

import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import points


def patient_3(draw, rounds, start, watch):
    """A GAN with the non-saturating loss, on points of the plane."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    discriminator = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    optimizers = {
        "generator": torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99)),
        "discriminator": torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99)),
    }

    def one_round(real, g_optimizer, d_optimizer):
        fake = generator(torch.randn(128, 2))
        g_loss = softplus(-discriminator(fake)).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()

        real_logits, fake_logits = discriminator(real), discriminator(fake.detach())
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
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

    for _ in range(rounds):
        one_round(draw(128, rng), optimizers["generator"], optimizers["generator"])


# --- the patient's file: symptom, diagnosis, cure ---


def symptom(recording):
    steps, rounds = recording.steps, recording.rounds
    if recording.last("discriminator_moved") == 0:
        return (
            f"still ill: in {rounds} rounds D's weights have not moved at all. Which optimiser holds D's "
            "weights, and who calls its `step`?"
        )
    if recording.last("generator_moved") == 0:
        return (
            "now D learns, and the generator's weights have not moved: each optimiser moves its own "
            "player. Which of the two belongs where?"
        )
    if steps["discriminator"] > rounds:
        return (
            f"in {rounds} rounds D's weights were moved {steps['discriminator']} times: an optimiser of "
            "the generator's holds them, too, and moves D for G's sake. Each optimiser has one network's "
            "weights."
        )
    if steps["generator"] > rounds:
        return (
            f"D learns now. But in {rounds} rounds the generator's optimiser took {steps['generator']} "
            "steps: it still moves in D's turn."
        )
    return ""


PATIENT = Patient(
    number=3,
    title="a loss of nothing",
    difficulty=1,
    minutes=8,
    program=patient_3,
    cure={
        'optimizers["generator"], optimizers["generator"])': (
            'optimizers["generator"], optimizers["discriminator"])'
        )
    },
    source="Lornatang/SRGAN-PyTorch, train_gan.py and issue #85, 2023: `g_optimizer, g_optimizer` in a call",
    draw=points,
    diagnosis="a",
    finding=(
        "D's logits of the data stay as they were in the first round, and its weights do not move at all, "
        "though gradients reach them and pile up. The generator climbs a hill that stands still."
    ),
    otherwise={
        "b": "then D would be right about the fakes, and G's loss would grow. Here D takes every fake for "
        "real, and G's loss is as good as 0.",
        "c": "then D would learn, in the wrong direction: its weights would move, and its logits of the "
        "data fall. Here they stay what they were in the first round.",
        "d": "then the samples would sit together *on the data*. Here they leave, and nothing calls them "
        "back.",
    },
    where_to_look=(
        "Two panels have a line that is quite flat. What would D's logits of the data do, if D learnt "
        "anything?",
    ),
    symptom=symptom,
    hints=(
        "Inside `one_round` all is well. How is it called?",
        "Two optimisers are made. How often does each appear after that?",
    ),
    praise="D learns again, and each optimiser moves its own player.",
    rounds=300,
    rounds_to_tell=40,
    charts=[
        Chart(
            "weights: distance from start",
            [
                Curve("discriminator_moved", "D", "discriminator"),
                Curve("generator_moved", "G", "generator", "--"),
            ],
        ),
        Chart(
            "D's logits",
            [Curve("real_output", "real", "data"), Curve("fake_output", "fake", "model", "--")],
            level=(0, ""),
        ),
    ],
)
