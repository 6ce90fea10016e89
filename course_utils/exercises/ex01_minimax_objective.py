"""The exercises of notebook 01: the minimax objective."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import softplus

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_close,
    expect_like,
    expect_shape,
    expect_varied,
    matches,
)
from course_utils.theory import js, kl, minimax_game, optimal_discriminator, quadrature, value

FAIR = torch.full((6,), 1 / 6, dtype=torch.float64)
LOADED = torch.tensor([0.1, 0.1, 0.1, 0.1, 0.1, 0.5], dtype=torch.float64)
ODD = torch.tensor([0.3, 0.05, 0.25, 0.05, 0.3, 0.05], dtype=torch.float64)


def _tell(found, mistakes, tolerance: float = 1e-4, right=None) -> None:
    """Raise Wrong with the message of the first typical mistake that gives what was found, and is none."""
    for mistake, message in mistakes:
        if right is not None and matches(mistake, right, tolerance=tolerance):
            continue
        if matches(found, mistake, tolerance=tolerance):
            raise Wrong(message)


@exercise(
    "1.1",
    title="The value on a die",
    difficulty=1,
    minutes=8,
    hints=[
        "An expectation over a die is a sum over its faces: the face's probability times what you average.",
        "Two expectations: of log D under the data's probabilities, of log(1 − D) under the generator's.",
        "`(p_data * torch.log(discriminator)).sum()` is the first of the two terms.",
    ],
)
def value_on_a_die(answer):
    for p, q in ((LOADED, FAIR), (ODD, LOADED)):
        d = torch.tensor([0.2, 0.3, 0.4, 0.35, 0.45, 0.7], dtype=torch.float64)
        right, log_d, log_not_d = value(d, p, q), d.log(), (1 - d).log()
        found = as_tensor(call_unchanged(answer, d, p, q, name="value_on_a_die"), "V")
        if found.shape == (6,):
            raise Wrong("that is one number for each face; V is their sum, a single number.")
        expect_shape(found, (), "V", "V is a single number: return a scalar.")
        mistakes = [
            (-right, "the sign is turned: that is what D would minimise. V itself is what D maximises."),
            (
                (p * log_not_d + q * log_d).sum(),
                "the two logarithms are swapped: D should say a large probability on the data's rolls.",
            ),
            (
                ((p + q) * log_d).sum(),
                "both terms use log D. On the generator's rolls, D earns by a small number: log(1 − D).",
            ),
            (
                (p * (log_d + log_not_d)).sum(),
                "both terms are averaged over the data. The second is over the generator's rolls: `p_model`.",
            ),
            (
                (log_d + log_not_d).sum(),
                "the faces are not weighted: multiply each by the probability that it comes up.",
            ),
            (
                (log_d + log_not_d).mean(),
                "that is a plain mean over the faces, as if each were as likely: weight by the probability.",
            ),
            (
                right / 6,
                "divided by the number of faces: the probabilities are the weights already; use `sum`.",
            ),
            (
                right / math.log(2),
                "that is in bits (log₂); this course, like the paper, uses natural logarithms.",
            ),
            (
                (p * d).sum().log() + (q * (1 - d)).sum().log(),
                "those are logarithms of averages: take the logarithm of each face's number first, then "
                "average.",
            ),
            (
                value(d.sigmoid(), p, q),
                "a sigmoid too many: `discriminator` holds probabilities already, not logits.",
            ),
            (
                (p * log_d + q * (1 - log_d)).sum(),
                "1 − log D stands where log(1 − D) belongs: the logarithm is one of the whole of 1 − D.",
            ),
            *(
                (
                    share * ((p + q) * (log_d + log_not_d)).sum(),
                    "both logarithms are averaged over a mixture of the two dice. Each has a die of its own: "
                    "log D the data's, log(1 − D) the generator's.",
                )
                for share in (1, 1 / 2)
            ),
            (
                (p * log_d + (1 - p) * log_not_d).sum(),
                "the second term is weighted with 1 − p_data. It is averaged over the generator's rolls: "
                "`p_model`.",
            ),
            (
                (p * log_d - q * log_not_d).sum(),
                "the generator's term is subtracted. V is the sum of both: D earns on either kind of roll.",
            ),
            (
                (p * d + q * (1 - d)).sum(),
                "the logarithms are missing: averaged are log D and log(1 − D), not D and 1 − D.",
            ),
            (
                (d * p.log() + (1 - d) * q.log()).sum(),
                "D and the probabilities have changed places: averaged are logarithms of D's numbers, and "
                "the "
                "dice's probabilities are the weights.",
            ),
            (
                (p * log_d + q * (1 - d)).sum(),
                "the second logarithm is missing: it is log(1 − D), not 1 − D.",
            ),
            ((p * d + q * log_not_d).sum(), "the first logarithm is missing: it is log D, not D."),
            (right / math.log(10), "that is in log₁₀; this course, like the paper, uses natural logarithms."),
            ((p * log_d).sum(), "only the data's term is there; the generator's is missing."),
            ((q * log_not_d).sum(), "only the generator's term is there; the data's is missing."),
        ]
        _tell(found, mistakes)
        if not matches(found, right):
            expect_varied("V")
            _which_term(answer, d, p, q, found)
        expect_close(found, right, name="V")
    certain = torch.tensor(
        [0.4, 0.4, 0.4, 0.4, 0.4, 1.0], dtype=torch.float64
    )  # as in the notebook's next cell
    try:
        found = torch.as_tensor(call(answer, certain, LOADED, FAIR, name="value_on_a_die"))
    except ValueError:
        raise Wrong(
            "right for a cautious D, but where D says exactly 1 it stops: `math.log(0)` is an error, while "
            "`torch.log` gives −∞, which is what being certain and wrong costs."
        ) from None
    if not (found == -math.inf).all():
        raise Wrong(
            "right for a cautious D, but where D says exactly 1 of a face that the generator rolls too, V is "
            f"{found.item():.4g}. Being certain and wrong costs log 0 = −∞: is something clipped, or added?"
        )
    return "two averages of logarithms, and that is all of the objective."


def _which_term(answer, d, p, q, found) -> None:
    """V is a sum of two terms: with one distribution at 0, only the other one's is left."""
    nothing = torch.zeros_like(p)
    try:
        on_data, on_model = (
            as_tensor(answer(d.clone(), *pair)) for pair in ((p.clone(), nothing), (nothing, q.clone()))
        )
    except Exception:
        return
    if not (on_data.shape == on_model.shape == () and matches(found, on_data + on_model)):
        return
    terms = []
    if not matches(on_data, (p * d.log()).sum()):
        terms.append(f"the data's term is {on_data:.4g}, where Σ p_data·log D is {(p * d.log()).sum():.4g}")
    if not matches(on_model, (q * (1 - d).log()).sum()):
        terms.append(
            f"the generator's is {on_model:.4g}, where Σ p_model·log(1 − D) is "
            f"{(q * (1 - d).log()).sum():.4g}"
        )
    right = "" if len(terms) > 1 else "One of the two terms is right, but "
    raise Wrong(f"{right}{' and '.join(terms)}. What stands under its logarithm, and what weights it?")


@exercise(
    "1.2",
    title="The best discriminator",
    difficulty=2,
    minutes=8,
    hints=[
        "Each place again: π·a·log y + (1 − π)·b·log(1 − y). That is f(y) with other numbers for a and b.",
        "f(y) = a·log y + b·log(1 − y) is largest at a / (a + b). What stands in the place of a and b now?",
        "Of all that is shown at x, π·p_data is real and (1 − π)·p_model is not. D* is the real fraction.",
    ],
)
def best_discriminator(answer):
    a_density = torch.linspace(0.01, 2.5, 40, dtype=torch.float64)  # density values may exceed 1
    for p, q in ((LOADED, FAIR), (ODD, LOADED), (a_density, a_density.flip(0).square())):
        right, ratio = optimal_discriminator(p, q), p / q
        result = call_unchanged(answer, p, q, name="best_discriminator")
        found = as_tensor(result, "D*")
        expect_shape(
            found, tuple(p.shape), "D*", "D* has one number for each place: return the shape of p_data."
        )
        mistakes = [
            (
                ratio,
                "that is the density ratio; it exceeds 1, and D is a probability. What do you divide by?",
            ),
            (
                ratio.clamp(max=1),
                "that is the density ratio, capped: it says 1 wherever the data are the likelier ones. Is D "
                "so sure there?",
            ),
            (
                ratio.clamp(max=0.999),
                "that is the density ratio, capped at 0.999. Is D so sure where the data are likelier?",
            ),
            (
                1 - right,
                "the labels are swapped: this is large where the generator's density is.",
            ),
            (
                right / 2,
                "half of it: the fraction π weights both terms of the sum below, not only what stands above.",
            ),
            (
                (p > q).double(),
                "that is a verdict, not a probability: being certain and wrong costs log 0 = −∞.",
            ),
            (p, "that looks at the data alone; whether a roll is real depends on both dice."),
            (
                p.clamp(max=1) / (p.clamp(max=1) + q.clamp(max=1)),
                "the densities are cut off at 1. A density may exceed 1; only its integral is 1.",
            ),
            (
                p / p.sum() / (p / p.sum() + q / q.sum()),
                "both are divided by their sums first. D* compares them as they are, place by place.",
            ),
            (
                torch.ones_like(p),
                "that is 1 everywhere. With π = ½ half of all that is shown is generated: which weight do "
                "those have?",
            ),
            (
                p / p + q,
                "the parentheses are missing: `a / a + b` is 1 + b in Python.",
            ),
            (
                (p - q) / (p + q),
                "that runs from −1 to 1; a probability runs from 0 to 1.",
            ),
            *(
                (
                    torch.sigmoid(difference),
                    "a sigmoid of the difference? The logit of D* is the *logarithm* of the ratio. Set the "
                    "derivative a/y − b/(1 − y) to 0 and solve for y.",
                )
                for difference in (p - q, (p - q) / 2)
            ),
            (
                p**2 / (p**2 + q**2),
                "the densities are squared. Set the derivative a/y − b/(1 − y) to 0 and solve for y.",
            ),
            (
                p / (p + 2 * q),
                "p_data is weighted with π and p_model is not: it wants the weight 1 − π.",
            ),
            (
                2 * p / (2 * p + q),
                "p_model is weighted with 1 − π and p_data is not: it wants the weight π.",
            ),
            *(
                (
                    part / (p + q).sum(),
                    "that is divided by one sum over all places. D* compares the two place by place: no "
                    "`sum` at all.",
                )
                for part in (p, q)
            ),
        ]
        _tell(found, mistakes, right=right)
        if matches(found, right):
            expect_like(result, dtype=p.dtype, name="D*")
        if (found < 0).any() or (found > 1).any():
            raise Wrong("D* leaves [0, 1] somewhere; it is a probability.")
        if not matches(found, right):
            expect_varied("D*")
            if matches(found, right, tolerance=0.02):
                expect_close(found, right, name="D*")
            _still_a_slope(p, q, found, right)
    for fraction in (0.2, 0.7):
        _best_for_a_fraction(answer, fraction)
    table, small = (LOADED.reshape(2, 3), FAIR.reshape(2, 3)), (1e-14 * LOADED, 1e-14 * FAIR)
    for p, q in (table, (1e-6 * LOADED, 1e-6 * FAIR), small):
        found = as_tensor(call_unchanged(answer, p, q, name="best_discriminator"), "D*")
        expect_shape(
            found, tuple(p.shape), "D*", "right in a row, but places in rows and columns should keep theirs."
        )
        if not matches(found, optimal_discriminator(p, q)):
            raise Wrong(
                "right for ordinary densities, but not where both are very small, such as "
                f"{p.max():.0e}, as between two hills: is something added below the line?"
            )
    return "the fraction of real ones in everything that lands on x, however many of them are shown."


def _still_a_slope(p, q, found, right) -> None:
    place = int(((found - right).abs() > 1e-4).flatten().nonzero()[0])
    a, b, y = (values.flatten()[place].item() for values in (p, q, found))
    slope = f"{a / y - b / (1 - y):.3g}" if 0 < y < 1 else "infinite"
    raise Wrong(
        f"where p_data is {a:.3g} and p_model is {b:.3g}, you say {y:.4g}. There the slope a/y − b/(1 − "
        "y) is still "
        f"{slope}, and at the top it is 0."
    )


def _best_for_a_fraction(answer, fraction: float) -> None:
    p, q = LOADED, ODD
    right = fraction * p / (fraction * p + (1 - fraction) * q)
    found = as_tensor(call(answer, p, q, fraction, name="best_discriminator"), "D*")
    expect_shape(found, (6,), "D*", "D* has one number for each place: return the shape of p_data.")
    mistakes = [
        (
            p / (p + q),
            "right where as many real samples are shown as generated ones; but yours does not look at "
            "`real_fraction`.",
        ),
        (
            (1 - fraction) * p / ((1 - fraction) * p + fraction * q),
            "right for equal numbers; but `real_fraction` is the fraction of the real ones, and you give it "
            "to the others.",
        ),
        (
            fraction * p / (fraction * p + q),
            "the real samples are weighted with π, and the generated ones should be with 1 − π.",
        ),
        (
            2 * fraction * p / (p + q),
            "the fraction belongs into the sum below, too: the real ones among *everything that is shown*.",
        ),
        (
            fraction * p / (p + q),
            "the fraction belongs into the sum below, too: the real ones among *everything that is shown*.",
        ),
    ]
    _tell(found, mistakes)
    expect_close(found, right, name=f"D* for real_fraction={fraction}")


@exercise(
    "1.3",
    title="The discriminator's loss, from logits",
    difficulty=2,
    minutes=12,
    hints=[
        "The loss is −V, with means over the samples in place of expectations.",
        "`torch.nn.functional.softplus(t)` is log(1 + eᵗ), computed so that it cannot overflow.",
        "−log σ(t) = log(1 + e⁻ᵗ) = softplus(−t). And 1 − σ(t) = σ(−t), so −log(1 − σ(t)) = ?",
    ],
)
def discriminator_loss(answer):
    rng = torch.Generator().manual_seed(1)
    real = 2 * torch.randn(7, generator=rng, dtype=torch.float64) + 1
    fake = 2 * torch.randn(4, generator=rng, dtype=torch.float64) - 1
    on_real, on_fake = softplus(-real), softplus(fake)
    right = on_real.mean() + on_fake.mean()
    try:
        result = call_unchanged(answer, real, fake, name="discriminator_loss")
    except RuntimeError as error:
        if "must match" not in str(error):
            raise
        raise Wrong(
            "with 7 real logits and 4 of generated samples it stops: something pairs them, one with one, as "
            "if there were as many. Each batch has a mean of its own; then the two means are added."
        ) from None
    if isinstance(result, torch.Tensor) and result.isnan().any():
        raise Wrong("the loss is NaN: is there a log of a logit? Logits may be negative; log needs σ(logit).")
    found = as_tensor(result, "the loss")
    expect_shape(found, (), "the loss", "the loss is a single number: take the mean over each batch.")
    together = torch.cat([on_real, on_fake]).mean()
    twice = cross_entropy(real.sigmoid(), torch.ones_like(real)) + cross_entropy(
        fake.sigmoid(), torch.zeros_like(fake)
    )
    mistakes = [
        (-right, "that is V, which D *maximises*; an optimiser minimises, so turn the sign."),
        (
            softplus(real).mean() + softplus(-fake).mean(),
            "the labels are swapped: this teaches D to call the generator's samples real.",
        ),
        (right / 2, "that is half of −V: the two means are added, not averaged."),
        (
            together,
            "one mean over both batches together: V has a mean over the real ones plus one over the others.",
        ),
        (
            on_real.sum() + on_fake.sum(),
            "that is a sum over the samples; an expectation is estimated by a mean.",
        ),
        (right / math.log(2), "that is in bits (log₂); natural logarithms, please."),
        (
            softplus(-real.mean()) + softplus(fake.mean()),
            "the logits are averaged first, and the loss is that of their mean. The loss is a mean of "
            "losses: "
            "one for each sample, then the mean.",
        ),
        (
            -real.sigmoid().mean().log() - (1 - fake.sigmoid()).mean().log(),
            "that is the logarithm of a mean of probabilities. −V is the mean of logarithms: first log, then "
            "the mean.",
        ),
        *(
            (
                (high * on_real + (1 - high) * softplus(real)).mean()
                + (low * softplus(-fake) + (1 - low) * on_fake).mean(),
                f"the targets are smoothed, {high:g} in place of 1 and {low:g} for 0. Label smoothing is a "
                "remedy "
                "of its own, and another loss; −V has the targets 1 and 0.",
            )
            for high in (1, 0.95, 0.9, 0.8, 0.7)
            for low in (0, 0.05, 0.1, 0.2, 0.3)
            if (high, low) != (1, 0)
        ),
        (
            fake.mean() - real.mean(),
            "those are means of the logits themselves, the Wasserstein loss. Here a logarithm is averaged: "
            "−log σ(t) and −log(1 − σ(t)).",
        ),
        (
            (1 - real).relu().mean() + (1 + fake).relu().mean(),
            "that is the hinge loss. Here −log σ(t) and −log(1 − σ(t)) are averaged.",
        ),
        (
            (1 - real).square().mean() + fake.square().mean(),
            "those are squares, as in least squares. Here −log σ(t) and −log(1 − σ(t)) are averaged.",
        ),
        (twice, "a sigmoid too many: `binary_cross_entropy_with_logits` applies it already."),
        (
            2 * together,
            "twice the mean over all logits: right only for as many real samples as generated ones. Each "
            "batch has a "
            "mean of its own.",
        ),
        (
            on_real.mean() + on_fake.sum() / len(real),
            "the generated samples' sum is divided by the number of the *real* ones: each batch has its own "
            "mean.",
        ),
        (
            on_real.sum() / len(fake) + on_fake.mean(),
            "the real samples' sum is divided by the number of the *generated* ones: each batch has its own "
            "mean.",
        ),
        (
            softplus(fake[None] - real[:, None]).mean(),
            "that compares each real logit with each generated one (a relativistic loss). V looks at each "
            "by itself.",
        ),
        (
            2 * softplus(fake[None] - real[:, None]).mean(),
            "that compares each real logit with each generated one (a relativistic loss). V looks at each "
            "by itself.",
        ),
        (on_real.max() + on_fake.max(), "that is the largest loss of each batch. An expectation is a mean."),
        (on_real.median() + on_fake.median(), "that is the median of each batch. An expectation is a mean."),
        (
            softplus(-real.tanh()).mean() + softplus(fake.tanh()).mean(),
            "the logits go through tanh first. A logit may be of any size: leave it as it is.",
        ),
        (on_real.mean(), "only the real samples count here; the generated ones are missing."),
        (on_fake.mean(), "only the generated samples count here; the real ones are missing."),
        (
            softplus(-real).mean() + softplus(-fake).mean(),
            "the generated samples are treated as real: for them the term is −log(1 − σ(t)) = softplus(t).",
        ),
    ]
    _tell(found, mistakes)
    if not matches(found, right):
        expect_varied("the loss")
        _which_part(answer, real, fake)
    expect_close(found, right, name="the loss")

    extreme = torch.tensor([-300.0, 300.0])
    found = torch.as_tensor(call(answer, extreme, extreme, name="discriminator_loss"))
    if not found.isfinite():
        raise Wrong(
            "right for small logits, but at a logit of 300 the loss is not finite: σ rounds to 1, and then "
            "comes log 0. Use `softplus` or `logsigmoid` on the logits themselves."
        )
    expect_close(
        found, 300.0, "for logits of ±300 the loss should be 300; is something clipped?", tolerance=1e-3
    )
    logits = (
        real.clone().requires_grad_(),
        fake.clone().requires_grad_(),
    )  # no copies: the gradient is asked for
    result = call(lambda: answer(*logits), name="discriminator_loss")
    expect_like(result, requires_grad=True, name="the loss")
    slopes = torch.autograd.grad(result, logits, allow_unused=True)
    for slope, wanted, which in zip(
        slopes, (-torch.sigmoid(-real) / 7, torch.sigmoid(fake) / 4), ("real", "generated"), strict=True
    ):
        if slope is None or not matches(slope, wanted):
            raise Wrong(
                f"the value is right, but not its gradient for the logits of the {which} samples: D would "
                "not learn from them. Is something detached on the way?"
            )
    return "−V, estimated from samples, and safe for every logit."


def _which_part(answer, real, fake) -> None:
    """The loss is a sum of two parts: moving one batch by 1 changes one part only."""
    try:
        here, real_moved, fake_moved = (
            as_tensor(answer(*pair)) for pair in ((real, fake), (real + 1, fake), (real, fake + 1))
        )
    except Exception:
        return
    real_right = matches(real_moved - here, softplus(-real - 1).mean() - softplus(-real).mean())
    fake_right = matches(fake_moved - here, softplus(fake + 1).mean() - softplus(fake).mean())
    if real_right and fake_right:
        raise Wrong(
            "both parts change with the logits as they should, but a fixed number is added to their sum."
        )
    if real_right or fake_right:
        moved, unit = (
            (fake_moved - here, softplus(fake + 1).mean() - softplus(fake).mean())
            if real_right
            else (real_moved - here, softplus(-real - 1).mean() - softplus(-real).mean())
        )
        times = (moved / unit).item()
        if any(matches(times, simple, tolerance=1e-3) for simple in (-1, 0, 0.1, 0.25, 0.5, 2, 3, 4, 10)):
            whose, other = ("generated", "real") if real_right else ("real", "generated")
            raise Wrong(
                f"the part of the {other} samples is right, and that of the {whose} ones is multiplied by "
                f"{times:.3g}. "
                "In −V both have the weight 1."
            )
        raise Wrong(
            f"the part of the {'real' if real_right else 'generated'} samples is right, and that of the "
            "others is "
            f"not: with t for their logits, it is the mean of −log {'(1 − σ(t))' if real_right else 'σ(t)'}."
        )
    raise Wrong(
        "neither part is right: they are the means of −log σ(t) over the real logits and of −log(1 − "
        "σ(t)) over the "
        "others. At t = 0 each of them is log 2."
    )


@exercise(
    "1.4",
    title="Jensen–Shannon",
    difficulty=2,
    minutes=8,
    hints=[
        "First the half-way distribution m = (p + q) / 2.",
        "Then `kl(p, m, weights)` and `kl(q, m, weights)`, and the mean of the two.",
    ],
)
def jensen_shannon(answer):
    for p, q in ((LOADED, FAIR), (ODD, LOADED)):
        middle = (p + q) / 2
        right = js(p, q)
        try:
            result = call_unchanged(answer, p, q, name="jensen_shannon")
        except ValueError as error:
            if "total probability 1, got 2" in str(error):
                raise Wrong(
                    "p + q has total probability 2; the half-way distribution is half of that."
                ) from None
            raise
        found = as_tensor(result, "JS")
        expect_shape(found, (), "JS", "JS is a single number.")
        mistakes = [
            (
                (kl(p, q) + kl(q, p)) / 2,
                "that is the mean of the two KLs, without the half-way m: infinite where a die cannot land.",
            ),
            (2 * right, "twice too large: JS is the mean of the two KLs to m."),
            (
                (kl(middle, p) + kl(middle, q)) / 2,
                "the order is turned: KL(p ‖ m) averages over p. Yours averages over m.",
            ),
            (kl(p, middle), "only p's half is there: q's distance to m is missing."),
            (kl(q, middle), "only q's half is there: p's distance to m is missing."),
            (right / math.log(2), "that is in bits; natural logarithms, please."),
            (right.sqrt(), "that is the root of JS, the Jensen–Shannon distance; leave the root out."),
            (2 * right - math.log(4), "that is V(D*, G) already: JS is the divergence inside it."),
            (
                (kl(p, middle) + kl(middle, q)) / 2,
                "one of the two is turned: both KLs go from a die *to* m, KL(p ‖ m) and KL(q ‖ m).",
            ),
            (
                (kl(middle, p) + kl(q, middle)) / 2,
                "one of the two is turned: both KLs go from a die *to* m, KL(p ‖ m) and KL(q ‖ m).",
            ),
            (right.square(), "that is the square of JS."),
            ((p - q).abs().sum() / 2, "that is the total variation, half of the sum of |p − q|."),
            (
                (p.sqrt() - q.sqrt()).square().sum() / 2,
                "that is the squared Hellinger distance, near JS only.",
            ),
            (kl(p, q), "that is KL(p ‖ q), without the half-way distribution m."),
            (kl(q, p), "that is KL(q ‖ p), without the half-way distribution m."),
            (kl(p, q) / 2, "that is half of KL(p ‖ q), without the half-way distribution m."),
            (kl(q, p) / 2, "that is half of KL(q ‖ p), without the half-way distribution m."),
            *(
                (
                    sign * (kl(p, middle) - kl(q, middle)) / 2,
                    "that is the difference of the two halves: JS is their sum.",
                )
                for sign in (1, -1)
            ),
            (
                math.log(2) - right,
                "log 2 minus JS: right would be 0 for equals and log 2 for strangers, and yours is turned.",
            ),
            (_kl_to_geometric_mean(p, q), "m is the *mean* of p and q, not the root of their product."),
        ]
        _tell(found, mistakes, tolerance=1e-6)
        if not matches(found, right, tolerance=1e-6):
            expect_varied("JS")
            if matches(found, right, tolerance=0.02):
                expect_close(found, right, name="JS", tolerance=1e-6)
            _at_both_ends(answer, p)
        expect_close(found, right, name="JS", tolerance=1e-6)

    x, weights = quadrature(-8, 8, 401)
    p, q = (torch.exp(-0.5 * (x - mean) ** 2) / math.sqrt(2 * math.pi) for mean in (-0.5, 1.0))
    _with_weights(answer, p, q, weights)

    apart = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=torch.float64)
    result = torch.as_tensor(call(answer, apart, apart.flip(0), name="jensen_shannon"))
    if not matches(result, math.log(2)):
        raise Wrong(
            "right for dice that share all faces, but for dice that share none JS is log 2, and yours gives "
            f"{result.item():.4g}: 0·log 0 counts as 0. `kl` of this course takes care of that."
        )
    return "0 for equals, log 2 for strangers, finite always."


def _with_weights(answer, p, q, weights) -> None:
    """Densities on a grid: the weights belong into both KLs, and nowhere else."""
    twice = (
        "right for dice, but not for densities: the weights are in m as well. m is a density like p and q, "
        "their plain mean; the weights belong to the sums in `kl`."
    )
    divided = (
        "right for dice, but not for densities: p and q are divided by their plain sums. They are densities "
        "already; on a grid the weights make their total 1."
    )
    lacking = "right for dice, but not for densities: hand `weights` on to both calls of `kl`."
    try:
        found = as_tensor(call(answer, p, q, weights, name="jensen_shannon"), "JS")
    except ValueError as error:
        words, narrow = str(error), f"{weights[len(weights) // 2]:.2g}"
        if narrow in words:  # something is as much too small as a cell of the grid is narrow
            raise Wrong(divided if words.startswith("p ") else twice) from None
        raise Wrong(lacking) from None

    def plain(a, b, w):
        return (w * (torch.xlogy(a, a) - torch.xlogy(a, b))).sum()

    middle, right = (p + q) / 2, js(p, q, weights)
    one, other = plain(p, middle, weights), plain(q, middle, weights)
    by_sums = [part / part.sum() for part in (p, q)]
    mistakes = [
        ((plain(p, middle * weights, weights) + plain(q, middle * weights, weights)) / 2, twice),
        (js(*by_sums, 1.0), divided),
        (js(*by_sums, 1.0) * weights.mean(), divided),
        ((one + plain(q, middle, 1.0)) / 2, lacking),
        ((other + plain(p, middle, 1.0)) / 2, lacking),
        ((plain(p, middle, 1.0) + plain(q, middle, 1.0)) / 2, lacking),
        *(
            (
                right * factor,
                "right for dice, but not for densities: JS is multiplied once more by weights, which are in "
                "the sums "
                "of `kl` already.",
            )
            for factor in (weights.sum(), weights.mean(), 1 / weights.sum())
        ),
        (
            js(*((part * weights) / (part * weights).sum() for part in (p, q)), 1.0) * weights.mean(),
            "right for dice, but not for densities: the weights are in the densities and in the sums. Once "
            "is "
            "enough.",
        ),
    ]
    _tell(found, mistakes, right=right)
    if not matches(found, right):
        raise Wrong(
            f"{lacking} Two Gaussians 1.5 apart have JS = {right:.4g} on this grid, and yours is {found:.4g}."
        )


def _kl_to_geometric_mean(p, q):
    middle = (p * q).sqrt() / (p * q).sqrt().sum()
    return (kl(p, middle) + kl(q, middle)) / 2


def _at_both_ends(answer, p) -> None:
    one, other = torch.eye(6, dtype=torch.float64)[:2] * 0.98 + 0.02 / 6  # nearly without a common face
    same, apart = (as_tensor(answer(*pair), "JS") for pair in ((p.clone(), p.clone()), (one, other)))
    if not matches(same, 0.0, tolerance=1e-6):
        raise Wrong(f"of a die and itself you give {same:.4g}: equal distributions have the divergence 0.")
    raise Wrong(
        f"of two dice that have next to nothing in common you give {apart:.4g}, where nearly log 2 "
        "belongs: is m the "
        "mean of the two, and are both KLs to m counted with ½?"
    )


@exercise(
    "1.5",
    title="Predict: who still has a slope?",
    difficulty=1,
    minutes=3,
    hints=[
        "Both KLs average a log ratio of two Gaussians. How does the logarithm of one depend on its mean?",
        "Wasserstein is mass times the way it is carried. One unit further: how much more work?",
    ],
)
def who_has_a_slope(answer):
    choose(
        answer,
        right="c",
        wrong={
            "a": "the log of a Gaussian falls as the square of the distance from its mean: twice as far is "
            "more than twice the KL. (The width 0.6 instead of 1 changes how steeply, no more.)",
            "b": "this one averages −log of the data's density, which is (x² + log 2π)/2, over a hill at s: "
            "that grows as the square of s. Does its slope stay the same?",
            "d": "JS flattens because it has a ceiling, log 2. Which of these three has a ceiling?",
        },
    )
    return "mass times distance: each further unit costs the same, near and far. The next figures show it."


@exercise(
    "1.6",
    title="Two slopes",
    difficulty=2,
    minutes=10,
    hints=[
        "The derivative of softplus(t) = log(1 + eᵗ) is σ(t).",
        "log(1 − σ(t)) = −softplus(t), and −log σ(t) = softplus(−t). Mind the inner derivative there.",
        "With D = σ(t), one of the slopes is −D and the other is −(1 − D). Which is which?",
    ],
)
def generator_slopes(answer):
    logits = torch.tensor([-6.0, -2.0, -0.5, 0.0, 1.0, 4.0], dtype=torch.float64)
    d = logits.sigmoid()
    result = call_unchanged(answer, logits, name="generator_slopes")
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Wrong("return the two slopes as a pair: `return saturating, non_saturating`.")
    found = torch.stack([as_tensor(result[0], "the first slope"), as_tensor(result[1], "the second slope")])
    expect_shape(found, (2, 6), "the pair", "each slope has one number for each logit.")
    right = torch.stack([-d, d - 1])
    mistakes = [
        (
            right.flip(0),
            "the two are swapped: log(1 − D) is flat where D is near 0.",
        ),
        (-right, "the sign is turned: both losses fall as the logit rises, so both slopes are negative."),
        (
            torch.stack([-1 / (1 - d), -1 / d]),
            "those are derivatives by D; here it is by the logit t: multiply by dD/dt = D·(1 − D).",
        ),
        (
            torch.stack([-d, 1 - d]),
            "the inner derivative of −log σ(t) = softplus(−t) is missing: its slope is −σ(−t).",
        ),
        (
            torch.stack([-d, d]),
            "the second slope is the first with the other sign. It is the slope of another function: "
            "differentiate "
            "−log σ(t) = softplus(−t).",
        ),
        (
            torch.stack([(1 - d).log(), -d.log()]),
            "those are the losses themselves; their derivatives are asked for.",
        ),
        (
            right[:1].expand(2, -1),
            "both are the slope of the saturating loss. Differentiate −log σ(t) for the second.",
        ),
        (
            right[1:].expand(2, -1),
            "both are the slope of the non-saturating loss. Differentiate log(1 − σ(t)) for the first.",
        ),
        (
            torch.stack([-(2 * logits).sigmoid(), (2 * logits).sigmoid() - 1]),
            "right for a logit twice as large: σ(t) is (1 + tanh(t/2))/2.",
        ),
        (
            right / len(logits),
            "each slope is divided by the number of logits: these are slopes at single logits, not of a "
            "mean.",
        ),
        (
            right * d * (1 - d),
            "the sigmoid's own slope, D·(1 − D), is in there twice: −D is by the logit t already.",
        ),
        *(
            (
                torch.stack(pair),
                "the logits are taken for probabilities: D = σ(t) first.",
            )
            for pair in ((-logits, logits - 1), (-1 / (1 - logits), -1 / logits))
        ),
        (
            torch.stack([-d * (1 - d), -d * (1 - d)]),
            "that is the slope of the sigmoid alone; the logarithm's own derivative multiplies it.",
        ),
    ]
    _tell(found, mistakes, tolerance=1e-6)
    for part, name in enumerate(("saturating", "non-saturating")):
        if matches(found[part], right[part], tolerance=0.05) and not matches(found[part], right[part]):
            raise Wrong(
                f"the {name} slope is nearly right: an approximation? Write the derivative in closed form."
            )
        if not matches(found[part], right[part]) and matches(found[part, 3], -0.5):
            raise Wrong(
                f"the {name} slope is right at t = 0 only, where both are −½; at t = −6 it should be "
                f"{right[part, 0]:.4f}, and yours is {found[part, 0]:.4f}. A straight line, or another curve?"
            )
        expect_close(found[part], right[part], name=f"the {name} slope")
        expect_like(result[part], dtype=logits.dtype, name=f"the {name} slope")
    other = torch.tensor([2.0, -3.0, 0.25], dtype=torch.float64)
    again = call_unchanged(answer, other, name="generator_slopes")
    for part, slope in enumerate((-other.sigmoid(), other.sigmoid() - 1)):
        expect_close(again[part], slope, name="the slope for three other logits")
    _far_out(answer)
    return "−D and −(1 − D): they add up to −1, so where one is asleep the other is awake."


def _far_out(answer) -> None:
    """Large logits: nothing overflows, and a small slope is a small number of its own."""
    for alone in (torch.tensor([0.7]), torch.tensor([[0.7, -1.0], [2.0, 0.1]])):
        slopes = call(answer, alone.double(), name="generator_slopes")
        for slope, wanted in zip(slopes, (-alone.sigmoid(), alone.sigmoid() - 1), strict=True):
            expect_shape(
                slope,
                tuple(alone.shape),
                "a slope",
                f"right for a row of logits; of logits in the shape {tuple(alone.shape)} the slopes have the "
                f"shape {tuple(getattr(slope, 'shape', ()))}. Each logit has its own: leave the shape alone.",
            )
            if not matches(slope, wanted):
                raise Wrong(
                    f"right for a row of logits; of logits in the shape {tuple(alone.shape)} slopes stand "
                    "at other places, or are others. Each logit has its own slope, at its own place."
                )
    sure = torch.tensor([-20.0, 20.0], dtype=torch.float64)
    for slope, wanted, place in zip(
        call(answer, sure, name="generator_slopes"),
        (-sure.sigmoid(), -(-sure).sigmoid()),
        (0, 1),
        strict=True,
    ):
        small, right = torch.as_tensor(slope)[place].item(), wanted[place].item()
        if math.isfinite(small) and abs(small - right) > 0.01 * abs(right):
            raise Wrong(
                f"right to four places, but at t = {sure[place]:g} the small one of the two slopes should be "
                f"{right:.3g}, and yours is {small:.3g}. Are the logits, or D, cut off, or is something "
                "added? "
                "`torch.sigmoid` needs no help."
            )
    far = torch.tensor([-800.0, 800.0], dtype=torch.float64)
    slopes = [torch.as_tensor(slope) for slope in call(answer, far, name="generator_slopes")]
    if not (
        torch.stack(slopes).isfinite().all() and matches(torch.stack(slopes), [[0.0, -1.0], [-1.0, 0.0]])
    ):
        # At ±50 no exponential is infinite yet, but σ has become 1 − 0, and its logarithm 0.
        nearer = call(answer, torch.tensor([-50.0, 50.0], dtype=torch.float64), name="generator_slopes")
        of_a_logarithm = not all(torch.as_tensor(slope).isfinite().all() for slope in nearer)
        reason = (
            "σ rounds to 0 or 1 there, and the slope of log 0 is infinite. Write the derivatives down in "
            "closed "
            "form: no logarithm is left in them."
            if of_a_logarithm
            else "eᵗ is infinite there. `torch.sigmoid` takes care of that."
        )
        raise Wrong(
            f"right for moderate logits, but at t = ±800 the slopes are "
            f"{[slope.tolist() for slope in slopes]}, not [[0, −1], [−1, 0]]: {reason}"
        )


@exercise(
    "1.7",
    title="The whole game",
    difficulty=3,
    minutes=25,
    hints=[
        "Before the loop θ = 0, and the first row is `theta.softmax(dim=0)`. In the loop: p_g, D*, V, its "
        "slope, the step, the new row.",
        "`torch.autograd.grad(V, theta)` gives the slope if `theta.requires_grad_()` came before the "
        "softmax. After the step, `theta = (theta - rate * slope).detach()` begins a new round.",
        "D* may be held still (the envelope argument): `theory.optimal_discriminator(p_data, p_g).detach()`.",
    ],
)
def play_the_game(answer):
    rounds, rate = 12, 1.5
    for p in (LOADED, torch.tensor([0.45, 0.2, 0.25, 0.1], dtype=torch.float64)):
        found = _rows(answer, p, rounds, rate)
        if not found[0].any() and not matches(found.sum(dim=1), torch.ones(rounds + 1)):
            raise Wrong("the rows hold θ. What is asked for is the generator, p_g = softmax(θ).")
        if matches(found, p.expand_as(found), tolerance=1e-3):
            raise Wrong("that jumps to the data's distribution at once: let θ find it, step by step.")
        if matches(found, found[:1].expand_as(found)) and not matches(found[0], 1 / len(p) + 0 * p):
            raise Wrong(
                f"all {rounds + 1} rows are one and the same distribution. Is it one tensor that is "
                "overwritten in "
                "place, and stands in the list many times? Keep a new one in each round, or a `.clone()`."
            )
        if not matches(found[0], torch.full_like(p, 1 / len(p))):
            raise Wrong(
                "the first row must be the generator before the first round: θ = 0, each outcome alike."
            )
        _tell(found, _other_games(p, rounds, rate), tolerance=1e-6)
        if matches(found[1:], p.expand(rounds, -1), tolerance=1e-3):
            raise Wrong("that jumps to the data's distribution at once: let θ find it, step by step.")
        if (found < 0).any() or not matches(found.sum(dim=1), torch.ones(rounds + 1)):
            raise Wrong("some rows are no distributions: each is softmax(θ), positive and with sum 1.")
        right = minimax_game(p, rounds, rate)
        if not matches(found, right, tolerance=1e-6):
            moves = found[1].log() - found[1].log().min()
            if matches(moves.clamp(max=rate), 0 * moves + (moves > rate) * rate) and moves.max() > 1.9 * rate:
                raise Wrong(
                    "in the first round every entry of θ moves by the same amount, up or down, however "
                    "large its "
                    "slope is: as with Adam, or a sign. A plain step is rate times the slope."
                )
            expect_varied("the history")
            steps = [
                (rows[1].log() - rows[0].log())[1:] - (rows[1].log() - rows[0].log())[0]
                for rows in (found, right)
            ]
            times = (steps[0] @ steps[1]) / (steps[1] @ steps[1])
            if matches(found[1], right[1], tolerance=1e-6):
                raise Wrong(
                    "the first round is right, and from the second one on the steps are others. Does the "
                    "rate change from round to round, or does something stay over from the round before?"
                )
            if matches(times * len(p), 1.0):
                raise Wrong("each step is divided by the number of outcomes: the slope is V's, a sum's.")
            if matches(steps[0], 0 * steps[0], tolerance=1e-6):
                late = found[2].log() - found[2].log()[0] if len(found) > 2 else 0 * p
                behind = matches(late[1:], steps[1], tolerance=1e-6)
                raise Wrong(
                    "in the first round the generator stands still, and moves later. "
                    + (
                        "D is a round behind: it answers after the generator's step. In each round D answers "
                        "first, to the generator as it is now."
                        if behind
                        else "Does D answer to the generator as it is now, before each of its steps?"
                    )
                )
            if matches(found[1], right[2], tolerance=1e-6):
                raise Wrong(
                    "in each round the generator takes two steps. One is asked for, and then a new row."
                )
            theta = found[1].log() - found[1].log().mean()
            if matches(theta.norm(), rate, tolerance=1e-3):
                raise Wrong(
                    "each step has the length `rate`: the slope is divided by its own length. A plain step "
                    "is rate "
                    "times the slope, and grows small with it."
                )
            again = (found[0] - rate * (1 - optimal_discriminator(p, found[0])).log()).softmax(dim=0)
            if matches(found[1], again, tolerance=1e-6):
                raise Wrong(
                    "the step is taken from p_g, and its softmax is the new p_g: probabilities stand where θ "
                    "belongs. θ is a vector of its own, kept from round to round; p_g = softmax(θ)."
                )
            if matches(steps[0], times * steps[1], tolerance=1e-6):
                raise Wrong(
                    f"the first step has the right direction, but is {times:.3g} times as long as it "
                    "should be."
                )
            first = int(((found - right).abs() > 1e-6).any(dim=1).nonzero()[0])
            raise Wrong(
                f"the rows are right up to round {first - 1}, and after round {first} p_g is "
                f"{[round(value, 4) for value in found[first].tolist()]}, where "
                f"{[round(value, 4) for value in right[first].tolist()]} was expected."
            )
    missing = torch.tensor([0.5, 0.0, 0.3, 0.2, 0.0], dtype=torch.float64)
    found = _rows(answer, missing, rounds, rate)
    if found.isnan().any():
        raise Wrong(
            "right for dice on which every face can come up. Where the data have probability 0, yours gives "
            "NaN: 0·log 0 counts as 0, and `theory.value` takes care of that."
        )
    expect_close(
        found,
        minimax_game(missing, rounds, rate),
        name="the game on a die with impossible faces",
        tolerance=1e-6,
    )
    return "a GAN without networks: what is left is the game."


def _rows(answer, p, rounds: int, rate: float) -> torch.Tensor:
    try:
        result = call_unchanged(answer, p, rounds, rate, name="play_the_game")
    except RuntimeError as error:
        if "does not require grad" not in str(error) and "unused" not in str(error):
            raise
        raise Wrong(
            "V has no way back to θ, so it has no slope there: is `p_g` detached? D* may be held still, and "
            "p_g in V may not."
        ) from None
    except (ValueError, IndexError):
        if len(p) == 6:
            raise
        raise Wrong(
            f"right for six outcomes, but with {len(p)} it stops. Take the number from `p_data`: "
            "`torch.zeros_like(p_data)`."
        ) from None
    if isinstance(result, (list, tuple)):
        raise Wrong("return one tensor: `torch.stack(history)` makes one of a list of rows.")
    found = expect_like(result, name="the history").detach().double()  # NaN is told apart by the caller
    shape = (rounds + 1, len(p))
    if found.shape == (rounds, len(p)):
        raise Wrong(
            f"{rounds} rounds make {rounds + 1} rows, and yours has {rounds}: the generator *before* the "
            "first round is one, and the one after the last is one, too."
        )
    if found.shape == shape[::-1]:
        raise Wrong(f"rows and columns are exchanged: a row for each time, {shape}, not {shape[::-1]}.")
    if found.dim() == 2 and found.shape[1] == len(p) and len(found) != rounds + 1:
        raise Wrong(
            f"{rounds} rounds make {rounds + 1} rows, one before the first round and one after each; yours "
            f"has {len(found)}. Does the loop go by `rounds`?"
        )
    if found.shape == (len(p),):
        raise Wrong(
            "that is one distribution; return all of them, a row before the first round and after each."
        )
    expect_shape(
        found, shape, "the history", "a row before the first round and after each, a column for each outcome."
    )
    return found


def _other_games(p, rounds: int, rate: float):
    """What typical mistakes give, and what to say about them."""

    def play(slope_in_p_g, step=rate, first_answer_only=False, late=False, added_up=False, softmax=True):
        theta, total = torch.zeros_like(p), torch.zeros_like(p)
        rows, answer, former = [], None, theta.softmax(dim=0)
        for _ in range(rounds + 1):
            p_g = theta.softmax(dim=0)
            rows.append(p_g)
            if answer is None or not first_answer_only:
                answer = optimal_discriminator(p, former if late else p_g)
            former, slope = p_g, slope_in_p_g(answer)
            if softmax:
                slope = p_g * (slope - (p_g * slope).sum())  # the softmax's own derivative
            total = total + slope
            theta = theta - step * (total if added_up else slope)
        return torch.stack(rows)

    def down(other_loss):
        """Steps in θ down a loss that knows no D, by automatic differentiation."""
        theta = torch.zeros_like(p)
        rows = [theta.softmax(dim=0)]
        for _ in range(rounds):
            theta.requires_grad_()
            (slope,) = torch.autograd.grad(other_loss(theta.softmax(dim=0)), theta)
            theta = (theta - rate * slope).detach()
            rows.append(theta.softmax(dim=0))
        return torch.stack(rows)

    def on_the_probabilities():
        rows = [torch.full_like(p, 1 / len(p))]
        for _ in range(rounds):
            moved = rows[-1] - rate * saturating(optimal_discriminator(p, rows[-1]))
            rows.append(moved.clamp(min=1e-12) / moved.clamp(min=1e-12).sum())
        return torch.stack(rows)

    def saturating(d):
        return (1 - d).log()

    return [
        (
            play(saturating, step=-rate),
            "that climbs V: the generator moves away from the data. It wants V small, and goes *down*.",
        ),
        (
            play(lambda d: -d.log()),
            "those are steps down the non-saturating loss −log D. The slope of V is asked for.",
        ),
        (
            play(lambda d: d.log()),
            "that pushes D *down* on what the generator makes: its part of V is log(1 − D).",
        ),
        (
            play(saturating, first_answer_only=True),
            "D answers once and then stands still. It must answer each round, to the generator as it is now.",
        ),
        (
            play(saturating, step=rate / 2),
            "each step is half as long as it should be. Is that the slope of JS? V is 2·JS − log 4.",
        ),
        (play(saturating, step=2 * rate), "each step is twice as long as it should be."),
        (
            play(saturating, added_up=True),
            "the slopes of earlier rounds are still in each step: `backward()` adds to `.grad`. Clear it, "
            "or use "
            "`torch.autograd.grad`.",
        ),
        (
            play(saturating, late=True),
            "D is a round behind: it answers the generator of the round before. It must know the present "
            "one.",
        ),
        (
            play(saturating, softmax=False),
            "the step in θ uses ∂V/∂p_g. V depends on θ by way of the softmax: its derivative is missing.",
        ),
        *(
            (
                torch.stack([p + (1 - share) ** k * (1 / len(p) - p) for k in range(rounds + 1)]),
                "p_g moves straight towards the data, a fixed part of the way in each round. The step is one "
                "of θ, down the slope of V.",
            )
            for share in (0.1 * rate, 0.5 * rate, rate, 0.1, 0.5)
        ),
        (
            on_the_probabilities(),
            "the probabilities themselves take the step, and are made to add up to 1 again. The step is one "
            "of θ.",
        ),
        (play(saturating, step=1.0), "the steps do not depend on `rate`."),
        (
            down(lambda p_g: kl(p, p_g)),
            "those are steps down KL(p_data ‖ p_g), as in maximum likelihood. The slope of V is asked for.",
        ),
        (
            down(lambda p_g: kl(p_g, p)),
            "those are steps down KL(p_g ‖ p_data). The slope of V is asked for.",
        ),
        (
            down(lambda p_g: (p_g - p).square().sum()),
            "those are steps down the squared distance from the data. The slope of V is asked for.",
        ),
        (
            torch.full((rounds + 1, len(p)), 1 / len(p), dtype=p.dtype),
            "the generator never moves: is θ replaced?",
        ),
    ]
