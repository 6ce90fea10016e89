"""Patient 1: critic and generator want the same."""

import torch
from torch import nn

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import points


def patient_1(draw, rounds, start, watch):
    """A Wasserstein GAN with clipped weights, on points of the plane."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    g_optimizer = torch.optim.RMSprop(generator.parameters(), lr=1e-3)
    c_optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
    for _ in range(rounds):
        for _ in range(4):
            real, fake = draw(128, rng), generator(torch.randn(128, 2)).detach()
            c_loss = critic(real).mean() - critic(fake).mean()
            c_optimizer.zero_grad()
            c_loss.backward()
            c_optimizer.step()
            for weight in critic.parameters():
                weight.data.clamp_(-0.1, 0.1)

        fake = generator(torch.randn(128, 2))
        g_loss = -critic(fake).mean()
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        watch(
            real=real,
            fake=fake,
            discriminator=critic,
            generator=generator,
            discriminator_loss=c_loss,
            generator_loss=g_loss,
        )


# --- the patient's file: symptom, diagnosis, cure ---


def reach(shown):
    """Mean distance of the samples from the origin; the data's is 2."""
    return shown["fake"].norm(dim=1).mean()


def symptom(recording):
    distance = recording.late("reach")
    if distance > 6:
        return (
            f"still ill: after {recording.rounds} rounds the samples lie {distance:.0f} from the origin, "
            "the data 2. What does the critic give a high value, and which value does the generator look "
            "for?"
        )
    if distance < 0.7:
        still = recording.last("generator_moved") < 0.05
        why = (
            "The generator's weights hardly move: a slower generator is no cure of a wrong direction. "
            if still
            else "The generator moves, and not towards the data: does it look for values near 0, or for high "
            "ones, where the data have *low* ones? "
        )
        return (
            f"now the samples stay where they started, {distance:.2g} from the origin, and the data lie 2 "
            f"from it. {why}Only a sign was turned."
        )
    if recording.late("fake_diversity") < 0.6:
        return (
            "now the samples cannot leave, and have gathered in one place, where the critic's value is "
            "highest for them. Where is it highest for the data? Compare what the two losses make small."
        )
    return ""


PATIENT = Patient(
    number=1,
    title="the samples leave",
    difficulty=2,
    minutes=10,
    program=patient_1,
    cure={"g_loss = -critic(fake).mean()": "g_loss = critic(fake).mean()"},
    source=(
        "Zeleni9/pytorch-wgan, pull request #53, 2025: a fix turned the sign of a loss that had been right"
    ),
    draw=points,
    diagnosis="b",
    finding=(
        "Both losses are made small, and here one does not rise when the other falls: what helps the "
        "critic helps the generator. The critic gives *fakes* the high values, which is one of two ways "
        "to write a Wasserstein GAN, and no mistake; then the generator has to look for *low* ones."
    ),
    otherwise={
        "a": "then the generator's gradient would shrink towards 0, and the samples would stand still. "
        "Here it grows a thousandfold and more, and the samples leave.",
        "c": "then the samples would gather on one hill, and their diversity would fall. Here it grows "
        "far past the data's.",
        "d": "then the losses would jump up and down, one at the other's expense. Here both fall without "
        "a bump: what helps one player helps the other. How can that be, in a game?",
    },
    where_to_look=(
        "Compare the two losses with each other. In a game, what should one do when the other falls?",
    ),
    symptom=symptom,
    hints=(
        "Two lines say what the players want: `c_loss` and `g_loss`. Both are made small.",
        "`c_loss` is small where the critic gives data *low* values and fakes *high* ones. So what should "
        "G look for?",
    ),
    praise="Now one player's gain is the other's loss.",
    rounds=150,
    rounds_to_tell=60,
    charts=[
        Chart("distance from the origin", [Curve("reach", "samples", "model")], log=True, level=(2, "data")),
    ],
    measures={"reach": reach},
)
