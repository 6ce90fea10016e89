"""Patient 9: the Kullback-Leibler divergence is averaged over the latents, where it is a sum."""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from course_utils.exercises.clinic.patient import Chart, Curve, Patient
from course_utils.exercises.clinic.samples import digits


def patient_9(draw, rounds, start, watch):
    """A variational autoencoder with 16 latents, on digits of 8×8 pixels."""
    torch.manual_seed(start)
    rng = torch.Generator().manual_seed(start)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 2 * 16))
    decoder = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 64), nn.Unflatten(1, (1, 8, 8)))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    for _ in range(rounds):
        images, _ = draw(64, rng)
        real = images.float() / 255
        mean, log_variance = encoder(real).chunk(2, dim=1)
        latents = mean + (log_variance / 2).exp() * torch.randn(64, 16)
        logits = decoder(latents)
        reconstruction = (
            binary_cross_entropy_with_logits(logits, real, reduction="none").sum(dim=(1, 2, 3)).mean()
        )
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        loss = reconstruction + kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

        with torch.no_grad():
            fake = decoder(torch.randn(64, 16)).sigmoid()
        watch(
            real=real,
            fake=fake,
            encoder=encoder,
            decoder=decoder,
            reconstruction_loss=reconstruction,
            kl_loss=kl,
            spread_of_codes=(log_variance / 2).exp().mean(),
        )


# --- the patient's file: symptom, diagnosis, cure ---


def symptom(recording):
    spread, kl = recording.late("spread_of_codes"), recording.late("kl_loss")
    shown = recording.shown.get("kl_loss")
    if not spread > 0.7 and isinstance(shown, torch.Tensor) and not shown.requires_grad:
        return (
            f"still ill: the encoder's σ is {spread:.2f} on average, where the prior has 1. `kl` has no "
            "history: "
            "its value is in the loss, and no gradient comes from it. Is it detached?"
        )
    if spread < 0.5 and kl > 8:
        return (
            f"still ill: the `kl` that is shown is {kl:.1f} nats, as of 16 latents, and the encoder's σ "
            "still is "
            f"{spread:.2f}. Is it this number that stands in `loss`?"
        )
    if not spread > 0.7:
        return (
            f"still ill: the encoder's σ is {spread:.2f} on average, where the prior has 1: the codes fill "
            "little of the room that samples are drawn from. How many latents are there, and how many "
            "does `kl` count?"
        )
    if spread > 0.98:
        return (
            f"now the codes say nothing: σ is {spread:.3f} and KL {kl:.2g} nats. It weighs too much "
            "against the reconstruction. Per image, both are sums: over pixels there, over latents here; "
            "the mean is over images."
        )
    return ""


PATIENT = Patient(
    number=9,
    title="better than it should be",
    difficulty=3,
    minutes=15,
    program=patient_9,
    cure={"- 1 - log_variance).mean()": "- 1 - log_variance).sum(dim=1).mean()"},
    source=(
        "keras-team/keras-io, issue #270, 2020, and maxhodak/keras-molecules, issue #59, 2017: a mean "
        "over the latents"
    ),
    draw=digits,
    diagnosis="b",
    finding=(
        "The codes are as narrow as σ = 0.33. Even with mean 0, that is ½(0.33² − 1 − 2·log 0.33) = 0.66 "
        "nats for each latent, 10.6 for all 16; the program counts 1.3. So the codes fill little of the "
        "prior that samples are drawn from."
    ),
    otherwise={
        "a": "then σ would be 1 and all samples the same grey digit: the codes would say nothing. Here "
        "they say too much.",
        "c": "then the reconstruction would be worse than in health. It is better.",
        "d": "then nothing would hold σ down, and the KL would bring it to 1. Here it falls to a third.",
    },
    where_to_look=(
        "σ = 0.33 in place of 1. How many nats does that cost at least, in one latent, and in 16?",
    ),
    symptom=symptom,
    hints=(
        "A Gaussian of σ = 0.35 and mean 0 is at least ½(0.35² − 1 − 2·log 0.35) = 0.6 nats from N(0, 1). "
        "16 of them?",
        "The KL of 16 independent latents is the *sum* of 16; the mean is over the images alone.",
    ),
    praise="The codes fill the prior, and samples from it are decoded as digits are.",
    rounds=600,
    rounds_to_tell=250,
    black=0.0,
    charts=[
        Chart("reconstruction loss, nats", [Curve("reconstruction_loss", "", "discriminator")]),
        Chart("KL as reported, nats", [Curve("kl_loss", "", "model")]),
        Chart("σ of the codes (prior: 1)", [Curve("spread_of_codes", "", "value")], level=(1, "")),
    ],
)
