"""Patient 5: the gradient penalty takes the norm at each pixel."""

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.recording import record
from course_utils.exercises.clinic.samples import digits


def patient_5(draw, rounds, start, watch):
    """A Wasserstein GAN with gradient penalty, on digits of 8×8 pixels."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    generator = nn.Sequential(
        *(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()),
        *(nn.Linear(128, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8))),
    )
    critic = nn.Sequential(
        *(nn.Flatten(), nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 128), nn.LeakyReLU(0.2)),
        nn.Linear(128, 1),
    )
    g_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.0, 0.9))
    c_optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
    for _ in range(rounds):
        for _ in range(2):
            real = draw(64, rng)[0].float() / 127.5 - 1
            fake = generator(torch.randn(64, 16)).detach()
            share = torch.rand(64, 1, 1, 1)
            between = (share * real + (1 - share) * fake).requires_grad_()
            (gradients,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = (gradients.norm(2, dim=1) - 1).square().mean()
            c_loss = critic(fake).mean() - critic(real).mean() + 10 * penalty
            c_optimizer.zero_grad()
            c_loss.backward()
            c_optimizer.step()

        fake = generator(torch.randn(64, 16))
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
            penalty=penalty,
        )


# --- the patient's file: symptom, diagnosis, cure ---


def lengths(critic, images):
    """How long the critic's gradient is at each image, over all its pixels: (N, 1, 8, 8) → (N,)."""
    images = images.detach().requires_grad_()
    (gradients,) = torch.autograd.grad(critic(images).sum(), images)
    return gradients.flatten(1).norm(dim=1)


def slope(shown):
    """The mean length of the critic's gradient at an image."""
    return lengths(shown["discriminator"], shown["real"]).mean()


def penalises_the_mean(program):
    """Says so where the penalty is (mean length − 1)², and not the mean of (length − 1)².

    In the last round the optimisers' steps are left out. So the critic that the watch gets is still the one
    whose gradients were penalised, and each of the two can be worked out, for all that it was called with.
    """
    rounds, trained, found = 60, 0, []

    def leave_out_the_last_steps(optimizer, arguments, keywords):
        if trained == rounds - 1:
            optimizer.zero_grad()  # a weight without a gradient is not moved

    def compare(shown):
        nonlocal trained
        trained += 1
        if trained == rounds:
            found[:] = [lengths(shown["discriminator"], images) for images in shown["judged"]]
        return 0

    hook = register_optimizer_step_pre_hook(leave_out_the_last_steps)
    try:
        run = record(program, digits, rounds, start=0, measures={"compared": compare})
    finally:
        hook.remove()
    reported = run.last("penalty")
    of_each = [(some - 1).square().mean().item() for some in found]
    of_the_mean = [(some.mean() - 1).square().item() for some in found]
    if is_among(reported, of_the_mean) and not is_among(reported, of_each):
        return (
            "the penalty is taken of the mean of the lengths: a critic with length 0 at half of the images "
            "and 2 at the others would pay nothing. Each image's length is to be 1: first (length − 1)² for "
            "each image, and then the mean."
        )
    return ""


def is_among(number, others):
    return any(abs(number - other) < 1e-6 + 1e-3 * other for other in others)


def symptom(recording):
    length, penalty = recording.late("slope"), recording.shown.get("penalty")
    if length > 2 and isinstance(penalty, torch.Tensor) and not penalty.requires_grad:
        return (
            f"still ill: at an image, the critic's gradient is {length:.1f} long, and should be about 1. The "
            "penalty has no history: it is reported, and never felt. Is `create_graph=True` still there, and "
            "nothing detached?"
        )
    if length > 5 and abs(recording.late("penalty") - (length / 64 - 1) ** 2) < 0.1:
        return (
            f"still ill: at an image, the critic's gradient is {length:.1f} long. The penalty takes it for "
            "a 64th "
            "of that, and asks for a length of 64: is the slope that of the *mean* of 64 logits? Take their "
            "sum."
        )
    if length > 2:
        return (
            f"still ill: at an image, the critic's gradient is {length:.1f} long, and should be about 1. "
            "Of `gradients`, (64, 1, 8, 8), which numbers belong to one image, and over which does the "
            "norm run?"
        )
    if length < 0.5:
        return (
            f"the critic's gradient is only {length:.2f} long, and should be about 1: the penalty's target "
            "is the length 1, for each image."
        )
    if "penalty" not in recording.history:
        return "the program no longer shows its `penalty` to the watch. Leave that in."
    return ""


PATIENT = Patient(
    number=5,
    title="losses that run away",
    difficulty=2,
    minutes=12,
    program=patient_5,
    cure={"gradients.norm(2, dim=1)": "gradients.flatten(1).norm(2, dim=1)"},
    source=(
        "eriklindernoren/PyTorch-GAN, issue #20, 2018, and caogang/wgan-gp, issue #25, 2017: "
        "gradients.norm(2, dim=1)"
    ),
    draw=digits,
    diagnosis="b",
    finding=(
        "A slope of 12 would cost (12 − 1)² = 121, and the program reports less than 1. It takes one norm "
        "for each *pixel*, and pulls each of the 64 towards 1: together they have length √64 = 8 then, "
        "and more where it fails."
    ),
    otherwise={
        "a": "then the penalty would be large, and be outvoted. Here it is small: a gradient of length 12 "
        "would cost (12 − 1)² = 121, and it is charged less than 1. Somebody measures something else.",
        "c": "then its slope would be too small rather than too large, and its loss flat.",
        "d": "then the critic would lose: its two means would come together, and its loss go to 0. Here "
        "it falls to −10.",
    },
    where_to_look=("The penalty is the mean of (length − 1)². Put the measured slope in.",),
    symptom=symptom,
    hints=(
        "√64 = 8: if each of the 64 pixels' parts has length 1, how long is the whole gradient?",
        "`norm(2, dim=1)` of a (64, 1, 8, 8) runs over the one channel, and gives (64, 8, 8). Flatten first.",
    ),
    praise="The critic's slope is 1, and the generator learns from it.",
    rounds=200,
    rounds_to_tell=60,
    charts=[
        Chart("penalty, as reported", [Curve("penalty", "", "discriminator")], log=True),
        Chart("slope of the critic", [Curve("slope", "", "discriminator")], level=(1, "")),
    ],
    measures={"slope": slope},
    probe=penalises_the_mean,
)
