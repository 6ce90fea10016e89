"""Patient 4: cross-entropy is given probabilities where it wants logits."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot, softplus

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits

LEAST = 1.461  # log(1 + 9/e): cross-entropy of the best that softmax makes of one 1 and nine 0


def patient_4(draw, rounds, start, watch):
    """A GAN with labels (AC-GAN), on digits of 8×8 pixels: D tells real from fake, and which digit it is."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16 + 10, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    trunk = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)
    )
    validity = nn.Sequential(nn.Linear(128, 1), nn.Flatten(0))
    classes = nn.Sequential(nn.Linear(128, 10), nn.Softmax(dim=1))
    discriminator = nn.ModuleList([trunk, validity, classes])
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    d_optimizer = torch.optim.Adam(discriminator.parameters(), lr=2e-3, betas=(0.5, 0.99))
    for _ in range(rounds):
        images, labels = draw(64, rng)
        real = images.float() / 127.5 - 1
        wanted = torch.randint(10, (64,))
        fake = generator(torch.cat([torch.randn(64, 16), one_hot(wanted, 10)], dim=1))

        of_real, of_fake = trunk(real), trunk(fake.detach())
        real_logits, fake_logits = validity(of_real), validity(of_fake)
        scores = classes(of_real)
        class_loss = cross_entropy(scores, labels)
        d_loss = softplus(-real_logits).mean() + softplus(fake_logits).mean() + class_loss
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()

        of_fake = trunk(fake)
        g_loss = softplus(-validity(of_fake)).mean() + cross_entropy(classes(of_fake), wanted)
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
            class_loss=class_loss,
            class_accuracy=(scores.argmax(dim=1) == labels).float().mean(),
        )


# --- the patient's file: symptom, diagnosis, cure ---


def symptom(recording):
    loss, accuracy = recording.late("class_loss"), recording.late("class_accuracy")
    if not accuracy > 0.6:
        return (
            f"the classifier is right for {100 * accuracy:.0f} % of the digits only: the class loss no "
            "longer teaches it. Leave it in both players' losses."
        )
    if (first := recording.history["class_loss"][0]) < 1.8:
        return (
            f"in the first round, before anything is learnt, the class loss is {first:.2f}. Ten classes, "
            "guessed, cost log 10 = 2.3: it is not to be shifted or scaled, but to be given what it wants."
        )
    if loss <= 1.2 and recording.late("generator_loss") > 1.9:
        return (
            f"D's class loss is cured, and G's loss still is {recording.late('generator_loss'):.2f}: it is "
            "more than log(1 + 9/e) = 1.46, since G's part of the class loss gets probabilities. One "
            "place serves both players."
        )
    if loss > 1.2:
        return (
            f"still ill: {100 * accuracy:.0f} % of the digits are classified correctly, and the class loss "
            f"is {loss:.2f}. It cannot get below {LEAST}. What does `cross_entropy` do with its first "
            "argument?"
        )
    return ""


PATIENT = Patient(
    number=4,
    title="right, and still punished",
    difficulty=2,
    minutes=10,
    program=patient_4,
    cure={"classes = nn.Sequential(nn.Linear(128, 10), nn.Softmax(dim=1))": "classes = nn.Linear(128, 10)"},
    source=(
        "eriklindernoren/PyTorch-GAN, acgan.py and pull request #98, 2020: nn.Softmax before "
        "nn.CrossEntropyLoss"
    ),
    draw=digits,
    diagnosis="d",
    finding=(
        "A cross-entropy of ten classes that cannot get below log(1 + 9/e) = 1.461 has been handed "
        "numbers from 0 to 1: at best one 1 and nine 0."
    ),
    otherwise={
        "a": "then the accuracy would still be low, too. Here nearly all digits are classified correctly, "
        "and the loss lies flat at 1.5, as if the right digit got a probability of e^−1.5 = 22 %.",
        "b": "then the classifier would learn slowly, and be wrong often. Here it is right, and is "
        "charged as if it were not: a weight does not change what the class loss *is*.",
        "c": "then it would name one digit in ten rightly, and the loss would stay at log 10 = 2.3.",
    },
    where_to_look=(
        "The class loss stays at 1.5. What would you expect from a classifier that is right 97 times in 100?",
        "What is the loss of a classifier that gives one class the score 1, and the other nine 0?",
    ),
    symptom=symptom,
    hints=(
        "Cross-entropy of ten classes that is never under 1.46 = log(1 + 9/e): ten numbers between 0 and "
        "1, taken for logits, give that at best.",
        "`cross_entropy` applies a log-softmax itself. Where is the other one?",
    ),
    praise="A sure classifier's loss is near 0 again, and G learns from it which digit is wanted.",
    rounds=300,
    rounds_to_tell=100,
    charts=[
        Chart("class loss", [Curve("class_loss", "D", "discriminator")]),
        Chart("classified correctly", [Curve("class_accuracy", "D", "discriminator")]),
    ],
)
