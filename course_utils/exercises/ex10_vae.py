"""The exercises of notebook 10: the ELBO, its gradient, and what losses in circulation silently say."""

import math

import torch
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

from course_utils.checks import (
    Wrong,
    as_tensor,
    call,
    call_unchanged,
    choose,
    exercise,
    expect_like,
    expect_shape,
    expect_trainable,
    expect_varied,
    matches,
    moved,
    weights_of,
)
from course_utils.likelihoods import bernoulli_log_likelihood, gaussian_kl, reparameterise, variance_of_mse
from course_utils.models import mlp_decoder, mlp_encoder

RATE = 0.1  # of plain gradient descent: a step then shows which gradient it took


@exercise(
    "10.1",
    title="How far from the prior?",
    difficulty=2,
    minutes=12,
    hints=[
        "Write out log q(z) − log p(z) for one dimension: two squares, and one logarithm. The log 2π cancel.",
        "Under q, E[(z − μ)²/σ²] = 1 and E[z²] = μ² + σ². The dimensions are independent: their KLs add up.",
        "σ² is `log_variance.exp()`. Sum over the last axis, not over the batch.",
    ],
)
def kl_to_prior(answer):
    # The third is near the prior; then variances from e⁻²⁰ to e²⁰, and as many dimensions as some VAEs have.
    for n, dims, seed, scale in (
        (5, 3, 0, 1.0),
        (4, 6, 1, 1.0),
        (6, 2, 2, 0.1),
        (7, 4, 3, 20.0),
        (3, 400, 4, 1.0),
    ):
        rng = torch.Generator().manual_seed(seed)
        mean = (2 * min(scale, 1.0) * torch.randn(n, dims, generator=rng)).requires_grad_()
        log_variance = scale * torch.randn(n, dims, generator=rng).clamp(-1, 1) - float(dims > 100)
        if scale > 10:  # a sample of narrow dimensions, or of wide ones, that the others do not drown
            log_variance = log_variance.abs() * torch.tensor([-1.0, 1.0]).repeat(n)[:n, None]
        log_variance.requires_grad_()
        handed = []

        def recorded(mean, log_variance, handed=handed):
            handed[:] = [mean, log_variance]
            return answer(mean, log_variance)

        function = recorded if callable(answer) else answer
        result = call_unchanged(function, mean, log_variance, name="kl_to_prior")
        try:
            found = as_tensor(result, "`kl_to_prior(mean, log_variance)`")
        except Wrong as wrong:
            if seed < 3 or not ("infinite" in str(wrong) or "NaN" in str(wrong)):
                raise
            raise Wrong(
                "right for few dimensions and moderate variances; but the *product* of 400 variances is 0 "
                "to a "
                "computer, or infinite, and so is its logarithm. Add up the logarithms that are given."
                if dims > 100
                else "right for moderate variances; with log σ² from −20 to 20 the result is not finite. The "
                "logarithm is given: is it taken back from something rounded?"
            ) from None
        right = gaussian_kl(mean, log_variance).detach()
        parts = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).detach()
        if not matches(found, right):
            _kl_mistakes(answer, found, right, parts, mean.detach(), log_variance.detach())
        expect_like(result, dtype=torch.float32, requires_grad=True, name="`kl_to_prior(mean, log_variance)`")
        _expect_slopes(result, handed)
    return "in nats: what it costs to send z to somebody who knows only the prior."


def _expect_slopes(result, handed):
    """Raises Wrong unless training can go through it: slopes μ and ½(σ² − 1)."""
    mean, log_variance = handed
    slopes = torch.autograd.grad(result.sum(), handed, allow_unused=True)
    right = (mean, 0.5 * (log_variance.exp() - 1))
    for slope, expected, name in zip(slopes, right, ("mean", "log_variance"), strict=True):
        if slope is None or not matches(slope, expected.detach(), tolerance=1e-3):
            raise Wrong(
                f"the numbers are right, but the gradient with respect to `{name}` is not that of the KL: "
                "a part of it is cut off by `detach`, `.data`, `no_grad` or a new tensor."
            )


def _kl_mistakes(answer, found, right, parts, mean, log_variance):
    """Raises Wrong: what the wrong result is the result of."""
    if found.shape == parts.shape and matches(found, parts):
        raise Wrong("right for each dimension. They are independent: what becomes of their KLs?")
    if found.shape == () and (matches(found, right.sum()) or matches(found, right.mean())):
        raise Wrong(
            "that is one number for the whole batch. Return one for each sample, (N,); whoever averages can."
        )
    if matches(found, parts.mean(1)):
        raise Wrong(
            "that is the *average* over the dimensions. The KL of independent dimensions is the sum; the "
            "average weighs the KL less, the more dimensions there are."
        )
    if matches(found, parts.sum(0)):
        raise Wrong("that is summed over the batch. Sum over the latent's dimensions, the last axis.")
    if found.shape != right.shape:
        expect_varied("`kl_to_prior(mean, log_variance)`")
    expect_shape(
        found,
        tuple(right.shape),
        message=f"the shape is {tuple(found.shape)}; return one number for each of the {len(right)} samples.",
    )
    typical = [
        (-right, "the sign is turned: a KL divergence is never negative."),
        (2 * right, "twice too much: the density of a Gaussian has a ½ in its exponent."),
        (
            0.5 * (log_variance + mean.square() - 1 - log_variance.exp().log()).sum(1),
            "log σ² stands where σ² should: `log_variance.exp()` is the variance.",
        ),
        (
            0.5 * ((0.5 * log_variance).exp() + mean.square() - 1 - log_variance).sum(1),
            "σ stands where σ² should. What is E[z²] under q?",
        ),
        (
            0.5 * (log_variance.exp().square() + mean.square() - 1 - 2 * log_variance).sum(1),
            "that takes exp(log_variance) for the standard deviation; it is the variance already.",
        ),
        (
            0.5 * (log_variance.exp() + mean.square() - log_variance).sum(1),
            "a constant is missing: of q = p it should be 0, and yours is ½ for each dimension.",
        ),
        (
            0.5 * (log_variance.exp() + mean - 1 - log_variance).sum(1),
            "the mean has to be squared: a mean of −1 is as far away as one of 1.",
        ),
        (
            0.5 * (log_variance.exp() - 1 - log_variance).sum(1),
            "only the variances are in it. Two Gaussians also differ by their means.",
        ),
        (
            gaussian_kl(torch.zeros_like(mean), torch.zeros_like(mean), mean, log_variance),
            "that is KL(p ‖ q). The expectation is over q: under which of the two do you draw z?",
        ),
        *_other_terms(right, parts, mean, log_variance),
    ]
    for mistake, message in typical:
        if matches(found, mistake) and not matches(mistake, right):
            raise Wrong(message)
    expect_varied("`kl_to_prior(mean, log_variance)`")
    off = found - right
    if matches(off, off.mean().expand_as(off)):
        raise Wrong(
            f"you are off by {off.mean():.3g} for each sample, whatever q is, so only a constant is wrong. "
            f"For {mean.shape[1]} dimensions it is −½·{mean.shape[1]}: do you take their number from the "
            "tensors?"
        )
    raise Wrong(_by_terms(answer))


def _by_terms(answer) -> str:
    """What simple cases tell of a KL that is none of the known slips."""
    zeros = torch.zeros(1, 2)
    try:
        for mean, log_variance, wanted, why in (
            (zeros, zeros, 0.0, "q is the prior itself there"),
            (zeros + torch.tensor([1.0, 3.0]), zeros, 5.0, "only ½ Σ μ² is left there, with σ² = 1"),
            (zeros, zeros + 2, math.exp(2) - 3, "only ½ Σ (σ² − 1 − log σ²) is left there, with μ = 0"),
            (zeros, zeros - 2, math.exp(-2) + 1, "only ½ Σ (σ² − 1 − log σ²) is left there, with μ = 0"),
        ):
            found = float(answer(mean, log_variance).sum())
            if not matches(found, wanted):
                return (
                    f"that is not E[log q(z) − log p(z)] under q. For μ = {tuple(mean[0].tolist())} and log "
                    "σ² = "
                    f"{tuple(log_variance[0].tolist())} it is {wanted:.4g}, and you find {found:.4g}: {why}."
                )
    except Exception:  # an answer may fail on a single sample
        pass
    return (
        "right for a single sample, but not for several: the samples are mixed, or the axis is the wrong "
        "one. "
        "Each row is a sample: the sum runs along its own numbers."
    )


def _other_terms(right, parts, mean, log_variance):
    """Other slips in ½ Σ (σ² + μ² − 1 − log σ²): (value, message)."""
    variance, square = log_variance.exp(), mean.square()

    def half_sum(terms):
        return 0.5 * terms.sum(1)

    cut = "log_variance is cut off at ±{:g}: beyond, your KL is another one, and has no gradient."
    one = "the −1 belongs to every dimension: subtracted once, it is too little."
    signs = "look at the signs: under q, E[z²] = μ² + σ² and E[(z − μ)²/σ²] = 1, each with ½."
    halves = "the ½ belongs to all four terms: σ², μ², −1 and −log σ²."
    return [
        (
            half_sum(variance.square() + square - 1 - log_variance),
            "exp(log_variance) is σ² already; you squared it.",
        ),
        (
            half_sum(log_variance + square - 1 - log_variance.abs().log()),
            "`log_variance` is taken for the variance: σ² is its exponential, and its logarithm is itself.",
        ),
        (
            half_sum(variance.exp() + square - 1 - variance),
            "two exponentials, one in the other: σ² is exp(log_variance), and log σ² is log_variance itself.",
        ),
        *(
            (
                half_sum(
                    variance.clamp(math.exp(-end), math.exp(end)) + square - 1 - log_variance.clamp(-end, end)
                ),
                cut.format(end),
            )
            for end in (0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15)
        ),
        *(
            (
                half_sum(cut_off.exp() + square - 1 - cut_off),
                "log_variance is cut off on one side: beyond, your KL is another one, and has no gradient.",
            )
            for end in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15)
            for cut_off in (log_variance.clamp(min=-end), log_variance.clamp(max=end))
        ),
        *(
            (
                half_sum(variance.clamp(min=low, max=high) + square - 1 - log_variance),
                "the variances are cut off: beyond, your KL is another one, and has no gradient.",
            )
            for low in (0, 1e-4, 1e-3, 1e-2, 0.1)
            for high in (math.exp(5), math.exp(10), 100.0, 1e3, 1e4, math.inf)
            if (low, high) != (0, math.inf)
        ),
        *(
            (
                half_sum(variance + square - 1 - (variance + small).log()),
                "a small number is added to the variance, lest its logarithm be −∞. Take `log_variance` "
                "itself.",
            )
            for small in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
        ),
        *(
            (value, "the means are added up before they are squared. Square each mean, then sum.")
            for value in (
                half_sum(variance - 1 - log_variance) + 0.5 * mean.sum(1).square(),
                half_sum(variance - 1 - log_variance) + 0.5 * mean.mean(1).square(),
                half_sum(variance - 1 - log_variance) + 0.5 * mean.shape[1] * mean.mean(1).square(),
            )
        ),
        (
            0.5 * (variance.sum(1) + square.sum(1) - mean.shape[1] - variance.sum(1).log()),
            "the logarithm of the *sum* of the variances stands where the sum of the logarithms belongs.",
        ),
        (
            parts.flatten().reshape(mean.shape[1], -1).sum(0),
            "`reshape` deals the numbers out anew, and mixes the samples. `.T` would exchange rows and "
            "columns; "
            "`sum(1)` adds up each sample's own.",
        ),
        (
            parts.flatten().cumsum(0)[mean.shape[1] - 1 :: mean.shape[1]],
            "each sample's sum holds those of the samples before it, too.",
        ),
        (parts.sum(1).flip(0), "the samples come back in reverse order."),
        (parts.prod(1), "the dimensions' KLs are multiplied. Of independent ones they add up."),
        (parts.norm(dim=1), "a root of a sum of squares. The KLs of independent dimensions add up."),
        (parts.median(1).values, "that is the median dimension's KL. They add up."),
        (
            half_sum((0.5 * log_variance).exp() + square - 1 - 0.5 * log_variance),
            "σ and log σ stand where σ² and log σ² should: the variance is exp(log_variance).",
        ),
        (
            half_sum(variance + square - 1 - log_variance / math.log(2)),
            "log σ² is in bits there, and the rest in nats.",
        ),
        (
            half_sum(variance + (mean - 1).square() - 1 - log_variance),
            "the prior's mean is 0, not 1.",
        ),
        (
            half_sum(1 / variance + square / variance - 1 + log_variance),
            "that is KL(p ‖ q). The expectation is over q: under which of the two do you draw z?",
        ),
        (
            half_sum(variance + square / variance - 1 - log_variance),
            "μ² is divided by σ²: that is of KL(p ‖ q). Under q, E[z²] = μ² + σ².",
        ),
        (half_sum(variance * square - 1 - log_variance), "σ² and μ² are multiplied: E[z²] = μ² + σ²."),
        (half_sum(variance + mean.abs() - 1 - log_variance), "μ² stands in the formula, not |μ|."),
        (half_sum(variance + square - log_variance) - 0.5, one),
        (half_sum(variance + square - log_variance) - 1, one),
        (
            right.mean().expand_as(right),
            "that is the average of the batch, again and again. Keep each sample's own.",
        ),
        (half_sum(variance + square - 1 + log_variance), f"log σ² counts negative. {signs}"),
        (half_sum(variance + square + 1 - log_variance), f"the 1 counts negative. {signs}"),
        (half_sum(variance - square - 1 - log_variance), f"μ² counts positive. {signs}"),
        (half_sum(-variance + square - 1 - log_variance), f"σ² counts positive. {signs}"),
        (half_sum(-variance + square - 1 + log_variance), f"σ² counts positive, log σ² negative. {signs}"),
        (half_sum(variance + square - 1), "the logarithm is missing: where has log q(z) its log σ?"),
        (half_sum(square - 1 - log_variance), "σ² is missing: what is E[z²] under q?"),
        (
            half_sum(variance + square - 1 - 0.5 * log_variance),
            "½·log σ² is log σ; the formula has ½ of log σ² in all.",
        ),
        (half_sum(variance + square - 1 - 2 * log_variance), "log σ² counts once, not twice."),
        ((variance + 0.5 * square - 1 - log_variance).sum(1), halves),
        ((0.5 * variance + square - 0.5 - 0.5 * log_variance).sum(1), halves),
        ((0.5 * variance + 0.5 * square - 1 - 0.5 * log_variance).sum(1), halves),
        ((0.5 * variance + 0.5 * square - 0.5 - log_variance).sum(1), halves),
        (
            half_sum(variance + square + math.log(2 * math.pi)),
            "that is −E[log p(z)] alone. E[log q(z)] is missing.",
        ),
        (
            -half_sum(1 + log_variance + math.log(2 * math.pi)),
            "that is E[log q(z)] alone. −E[log p(z)] is missing.",
        ),
        (right / 2, "half of what it should be."),
        (right / math.log(2), "that is in bits: take the natural logarithm."),
        (
            parts.amax(1),
            "that is the largest dimension's KL. They are independent: what becomes of their KLs?",
        ),
        (parts[:, 0], "that is the first dimension's KL only."),
        (
            half_sum(variance - 1 - log_variance) + 0.5 * mean.norm(dim=1),
            "μ² is the *square* of the length of μ; the norm takes a root.",
        ),
        (
            half_sum(mean.exp() + log_variance.square() - 1 - mean),
            "mean and log_variance have changed places.",
        ),
        (right.clamp(min=0.5), _CUT),
        (right.clamp(min=1.0), _CUT),
        (parts.clamp(min=0.1).sum(1), _CUT),
        (half_sum(variance + square - 1 - log_variance.clamp(min=0)), _CUT),
    ]


_CUT = 'small values are cut off ("free bits"?). Here the KL itself is asked for, down to 0.'


@exercise("10.2", title="Predict the noise of two gradients", difficulty=1, minutes=3)
def noise_of_gradients(answer):
    choose(
        answer,
        right="b",
        wrong={
            "a": "for one of the two. The other multiplies the *whole* f(z), all dimensions of it, by ε₁.",
            "c": "for one of the two. The other looks at the slope of f along z₁: who else has a say in it?",
            "d": "the other way round: which of the two multiplies by all of f(z)?",
        },
    )
    return "run the next cell to see by how much."


# --- the whole step ----------------------------------------------------------------------------------------


def _networks(latent_dim: int, shape: tuple[int, int, int]):
    """A small encoder and decoder, the same ones at each call."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(latent_dim)
        encoder, decoder = mlp_encoder(shape, latent_dim, (8,)), mlp_decoder(shape, latent_dim, (8,))
        for network in (encoder, decoder):
            for parameter in network.parameters():
                parameter.data.mul_(1.5)
        decoder[-2 if isinstance(decoder[-1], torch.nn.Unflatten) else -1].weight.data.mul_(
            4
        )  # sure of pixels
        return encoder, decoder


def _parts(encoder, decoder, images, noise, change=""):
    """Distortion and rate of a batch, (N,) each; or those of a typical mistake."""
    encoded = encoder((images + 1) / 2 if change == "bright" else images)
    mean, log_variance = encoded.unbind(1)
    if change == "swapped":
        mean, log_variance = log_variance, mean
    if change == "strided":
        mean, log_variance = encoded.flatten(1)[:, ::2], encoded.flatten(1)[:, 1::2]
    spread = (0.5 * log_variance).exp()
    latents = {
        "detached": reparameterise(mean, log_variance, noise).detach(),
        "no noise": mean,
        "fresh": noise,
        "variance": mean + log_variance.exp() * noise,
        "log variance": mean + log_variance * noise,
        "variance squared": mean + (2 * log_variance).exp() * noise,
        "root of the logarithm": mean + log_variance.abs().sqrt() * noise,
        "minus": mean - spread * noise,
        "no mean": spread * noise,
        "unit": mean + noise,
        "mean detached": mean.detach() + spread * noise,
        "spread detached": mean + spread.detach() * noise,
        "other noise": mean + spread * noise.flip(0),
    }.get(change, reparameterise(mean, log_variance, noise))
    logits = decoder(latents)
    bits = (images + 1) / 2
    other_distortions = {
        "half targets": binary_cross_entropy_with_logits(logits, images / 2, reduction="none"),
        "squares of logits": (logits - bits).square(),
        "absolute": (logits.sigmoid() - bits).abs(),
        "tanh": binary_cross_entropy_with_logits(logits.tanh(), bits, reduction="none"),
        "smoothed": binary_cross_entropy_with_logits(logits, 0.8 * bits + 0.1, reduction="none"),
        **{
            f"clamped {end}": binary_cross_entropy(
                logits.sigmoid().clamp(end, 1 - end), bits, reduction="none"
            )
            for end in (0.1, 0.05, 0.01)
        },
    }
    if change in other_distortions:
        distortion = other_distortions[change].flatten(1).sum(1)
    elif change == "range":
        distortion = binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)
    elif change == "sigmoid":
        distortion = (
            binary_cross_entropy_with_logits(logits.sigmoid(), bits, reduction="none").flatten(1).sum(1)
        )
    elif change == "squares":
        distortion = (torch.sigmoid(logits) - bits).square().flatten(1).sum(1)
    else:
        distortion = -bernoulli_log_likelihood(logits, -images if change == "flipped" else images)
    if change == "one draw":
        return distortion, 0.5 * (latents.square() - noise.square() - log_variance).sum(1)
    return distortion, gaussian_kl(mean, log_variance)


STEP_MISTAKES = {  # name of the mistake -> (loss of (distortion, rate, pixels, latent_dim), change, message)
    "pixels averaged": (
        lambda d, r, p, k: d.mean() / p + r.mean(),
        "",
        "the distortion is averaged over the pixels and the rate is not: the rate weighs as many times too "
        "much as there are pixels. Sum both over their dimensions, average both over the batch.",
    ),
    "KL averaged": (
        lambda d, r, p, k: d.mean() + r.mean() / k,
        "",
        "the KL is averaged over the latent's dimensions and the distortion is summed. Which β is that?",
    ),
    "both averaged": (
        lambda d, r, p, k: d.mean() / p + r.mean() / k,
        "",
        "both are averaged over their dimensions, and there are more pixels than latents: sum them.",
    ),
    "KL subtracted": (
        lambda d, r, p, k: d.mean() - r.mean(),
        "",
        "the step drives q(z|x) *away* from the prior: the KL has the wrong sign in what is minimised.",
    ),
    "batch summed": (
        lambda d, r, p, k: d.sum() + r.sum(),
        "",
        "summed over the batch: the step grows with the number of images. Average over the batch.",
    ),
    "batch summed in one": (
        lambda d, r, p, k: d.sum() + r.mean(),
        "",
        "the distortion is summed over the batch, and the rate averaged: the rate hardly counts.",
    ),
    "distortion halved": (
        lambda d, r, p, k: d.mean() / 2 + r.mean(),
        "",
        "the distortion counts half: that is another β. −ELBO is distortion + rate.",
    ),
    "half targets": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "half targets",
        "the targets are −½ and ½. A Bernoulli variable is 0 or 1: shift them as well, (images + 1) / 2.",
    ),
    "no KL": (lambda d, r, p, k: d.mean(), "", "the KL takes no part in the step: that is an autoencoder."),
    "no distortion": (lambda d, r, p, k: r.mean(), "", "the likelihood takes no part in the step."),
    "no noise": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "no noise",
        "the decoder gets the mean of q(z|x), and no noise. The ELBO's expectation is over draws of q.",
    ),
    "fresh noise": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "fresh",
        "the decoder gets the noise itself: it never hears of the image. Where do mean and σ come in?",
    ),
    "variance for std": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "variance",
        "the noise is multiplied by the variance. A draw of N(μ, σ²) is μ + σ·ε: the standard deviation.",
    ),
    "range": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "range",
        "the images lie in [−1, 1], and a Bernoulli variable is 0 or 1: convert the targets.",
    ),
    "sigmoid": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "sigmoid",
        "a sigmoid too many: the decoder returns logits, and this cross-entropy takes logits.",
    ),
    "KL summed": (
        lambda d, r, p, k: d.mean() + r.sum(),
        "",
        "the rate is summed over the batch, and the distortion averaged: it weighs as many times too much as "
        "there are images.",
    ),
    "detached": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "detached",
        "z is detached: the encoder hears only of the rate, and nothing of the distortion.",
    ),
    "flipped": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "flipped",
        "the targets are turned round: white pixels are taught as black ones.",
    ),
    "swapped": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "swapped",
        "mean and log variance have changed places: the encoder gives the mean first.",
    ),
    **{
        f"β = {beta}": (
            lambda d, r, p, k, beta=beta: d.mean() + beta * r.mean(),
            "",
            f"the rate is weighted {beta:g} times: that is a β-VAE. The ELBO has both parts with weight 1.",
        )
        for beta in (0.1, 0.25, 0.5, 2, 4, 5, 10)
    },
    "784": (
        lambda d, r, p, k: d.mean() / 784 + r.mean(),
        "",
        "the distortion is divided by 784, whatever the images' size; and it should not be divided at all.",
    ),
    "784 for the mean": (
        lambda d, r, p, k: 784 * d.mean() / p + r.mean(),
        "",
        "784 pixels are written into the step. Images may have other sizes: sum over the axes instead.",
    ),
    "largest": (
        lambda d, r, p, k: (d + r).max(),
        "",
        "that is the worst image only. Average over the batch.",
    ),
    "median": (lambda d, r, p, k: (d + r).median(), "", "that is the median image. Average over the batch."),
    "first": (lambda d, r, p, k: (d + r)[0], "", "only the first image counts. Average over the batch."),
    "last dropped": (lambda d, r, p, k: (d + r)[:-1].mean(), "", "the last image does not count."),
    "distortion climbs": (
        lambda d, r, p, k: r.mean() - d.mean(),
        "",
        "the step makes reconstructions *worse*: the distortion has the wrong sign in what is minimised.",
    ),
    **{
        f"free bits {bits}": (
            lambda d, r, p, k, bits=bits: d.mean() + r.clamp(min=bits).mean(),
            "",
            'small rates are cut off ("free bits"?). The ELBO has the whole rate.',
        )
        for bits in (0.25, 0.5, 1.0)
    },
    **{
        change: (lambda d, r, p, k: d.mean() + r.mean(), change, message)
        for change, message in {
            "one draw": "the rate is taken at the one draw of z, log q(z) − log p(z): right on average, and "
            "noisy, "
            "even negative at times. The rate has a formula: exercise 10.1.",
            "log variance": "the noise is multiplied by log σ². A draw of N(μ, σ²) is μ + σ·ε, and σ is the "
            "root of exp(log σ²).",
            "variance squared": "the noise is multiplied by σ⁴ = exp(2·log σ²). The standard deviation is "
            "exp(½·log σ²).",
            "root of the logarithm": "the root is taken of log σ². Take the exponential first.",
            "minus": "the noise is subtracted: z = μ − σ·ε has the right distribution, but this noise was "
            "handed in to be *added*.",
            "no mean": "μ is missing in z: the decoder hears only of σ and of the noise.",
            "unit": "the noise is added as it is: σ is missing in z.",
            "mean detached": "μ is detached where z is drawn, so that the encoder's mean hears nothing of "
            "the distortion.",
            "spread detached": "σ is detached where z is drawn, so that it hears nothing of the distortion.",
            "other noise": "the noise goes to the wrong images: `noise[i]` belongs to image i.",
            "squares of logits": "that is a squared error, and of logits. The likelihood here is Bernoulli: "
            "minus the logarithm of the probability.",
            "absolute": "that is an absolute error. The likelihood here is Bernoulli: minus the logarithm "
            "of the probability.",
            "tanh": "a tanh too many: the decoder returns logits, and this cross-entropy takes logits.",
            "smoothed": "the targets are smoothed. The ELBO takes the pixels as they are, 0 or 1.",
            "bright": "the encoder gets images from 0 to 1. It is made for images from −1 to 1; only the "
            "cross-entropy's targets are converted.",
            "strided": "mean and log variance are mixed up: the encoder's output is (N, 2, latent), the "
            "mean first.",
        }.items()
    },
    **{
        f"clamped {end}": (
            lambda d, r, p, k: d.mean() + r.mean(),
            f"clamped {end}",
            "the probabilities are clamped, so that sure pixels teach nothing. A cross-entropy that takes "
            "logits needs no clamp.",
        )
        for end in (0.1, 0.05, 0.01)
    },
    "squares": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "squares",
        "that is a squared error. The likelihood here is Bernoulli: minus the logarithm of the probability.",
    ),
}


def _gradient(loss, encoder, decoder):
    weights = [*encoder.parameters(), *decoder.parameters()]
    slopes = torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(weight) if slope is None else slope).flatten()
            for weight, slope in zip(weights, slopes, strict=True)
        ]
    )


def _all_weights(encoder, decoder):
    return torch.cat([weights_of(encoder), weights_of(decoder)])


@exercise(
    "10.3",
    title="The whole training step",
    difficulty=3,
    minutes=25,
    seconds=60,  # the first optimiser of a kernel is slow to load
    hints=[
        "In this order: encode, draw z with the noise, decode, distortion, rate; then clear, backward, step.",
        "`mean, log_variance = encoder(images).unbind(1)`; σ is the root of the variance: "
        "`(0.5 * log_variance).exp()`.",
        "`F.binary_cross_entropy_with_logits(logits, (images + 1) / 2, reduction='none')` gives −log p for "
        "each pixel. Sum over all axes but the first, then average.",
    ],
)
def vae_step(answer):
    for latent_dim, shape, n in ((3, (1, 4, 4), 6), (2, (1, 4, 8), 4)):
        rng = torch.Generator().manual_seed(n)
        images = torch.randint(2, (n, *shape), generator=rng).float() * 2 - 1
        noise = torch.randn(n, latent_dim, generator=rng)
        encoder, decoder = _networks(latent_dim, shape)
        before = _all_weights(encoder, decoder)
        pixels = math.prod(shape)
        distortion, rate = (part.mean() for part in _parts(encoder, decoder, images, noise))
        slopes = [_gradient(part, encoder, decoder) for part in (distortion, rate)]
        slope = sum(slopes)
        mistakes = [
            (
                message,
                _gradient(
                    loss(*_parts(encoder, decoder, images, noise, change), pixels, latent_dim),
                    encoder,
                    decoder,
                ),
            )
            for loss, change, message in STEP_MISTAKES.values()
        ]
        twice = _two_steps(latent_dim, shape, images, noise)
        mistakes.append(("two steps were taken. The function takes one.", twice))
        parameters = [*encoder.parameters(), *decoder.parameters()]
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)  # left over from an earlier step
        optimizer, steps = torch.optim.SGD(parameters, RATE), []
        optimizer.register_step_post_hook(lambda *_, steps=steps: steps.append(1))
        returned = _take(answer, encoder, decoder, optimizer, images, noise)
        if len(steps) > 1:
            raise Wrong(
                f"{'two' if len(steps) == 2 else len(steps)} steps were taken. One is asked for, down the "
                "sum "
                "of distortion and rate."
            )
        expect_trainable(encoder, "the encoder")
        expect_trainable(decoder, "the decoder")
        after = _all_weights(encoder, decoder)
        change, largest = (after - before) / -RATE, after.abs().max()
        if not matches(change, slope, tolerance=1e-3):
            if (after.abs() == largest).sum() > 3:
                raise Wrong(
                    f"after the step {int((after.abs() == largest).sum())} weights stand at ±{largest:.2g}: "
                    "are they cut off? One step of the optimiser is asked for, and nothing after it."
                )
            _expect_the_given_noise(answer, latent_dim, shape, images, noise, change)
        _check_change(change, slope, mistakes, len(weights_of(encoder)), slopes)
        _check_parts(returned, distortion.detach(), rate.detach(), n, pixels)
    _check_where_sure(answer)
    return "a VAE is these lines, in a loop."


def _check_where_sure(answer) -> None:
    """Raises Wrong unless the step is right where the decoder's logits are far beyond ±20."""
    rng = torch.Generator().manual_seed(5)
    images = torch.randint(2, (5, 1, 4, 4), generator=rng).float() * 2 - 1
    noise = torch.randn(5, 3, generator=rng)
    encoder, decoder = _networks(3, (1, 4, 4))
    for layer in decoder.modules():
        last = layer if isinstance(layer, torch.nn.Linear) else None
        if last is not None and last.out_features == 16:
            last.weight.data.mul_(40)
    before = _all_weights(encoder, decoder)
    distortion, rate = (part.mean() for part in _parts(encoder, decoder, images, noise))
    mean, log_variance = encoder(images).unbind(1)
    pixels = decoder(reparameterise(mean, log_variance, noise)).sigmoid(), (images + 1) / 2
    # PyTorch's cross-entropy of probabilities cuts its logarithm off at -100: not as good, and no mistake.
    right = [
        (one, _gradient(one + rate, encoder, decoder))
        for one in (distortion, binary_cross_entropy(*pixels, reduction="sum") / len(images))
    ]
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], RATE)
    returned = _take(answer, encoder, decoder, optimizer, images, noise)
    change, found = (
        (_all_weights(encoder, decoder) - before) / -RATE,
        as_tensor(returned[0], "the distortion"),
    )
    for value, slope in right:
        if matches(found / value.detach(), 1.0, tolerance=1e-2) and matches(
            change, slope, tolerance=1e-2 * max(1.0, slope.abs().max().item())
        ):
            return
    raise Wrong(
        "right for moderate logits; but where the decoder is sure, at logits far beyond ±20, the distortion "
        "is "
        f"{found.item():.4g}, and should be {distortion.item():.4g}, with a slope. To a computer the "
        "sigmoid is 0 "
        "or 1 there: take the cross-entropy that takes logits."
    )


def _two_steps(latent_dim, shape, images, noise):
    """How far two right steps move the weights, divided by −RATE."""
    encoder, decoder = _networks(latent_dim, shape)
    before = _all_weights(encoder, decoder)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], RATE)
    for _ in range(2):
        optimizer.zero_grad()
        sum(part.mean() for part in _parts(encoder, decoder, images, noise)).backward()
        optimizer.step()
    return (_all_weights(encoder, decoder) - before) / -RATE


def _expect_the_given_noise(answer, latent_dim, shape, images, noise, change):
    """Raise Wrong where a second step from the same weights, with the same noise, goes another way."""
    encoder, decoder = _networks(latent_dim, shape)
    before = _all_weights(encoder, decoder)
    optimizer = torch.optim.SGD([*encoder.parameters(), *decoder.parameters()], RATE)
    for parameter in [*encoder.parameters(), *decoder.parameters()]:
        parameter.grad = torch.ones_like(parameter)
    _take(answer, encoder, decoder, optimizer, images, noise)
    if not matches((_all_weights(encoder, decoder) - before) / -RATE, change, tolerance=1e-3):
        raise Wrong(
            "two steps from the same weights, with the same images and the same `noise`, differ: you draw "
            "noise of your own. Use the one that is handed in."
        )


def _take(answer, encoder, decoder, optimizer, images, noise):
    """Let the answer take its step; some errors are mistakes with a name."""
    handed = []

    def recorded(*arguments):
        handed[:] = arguments
        return answer(*arguments)

    try:
        function = recorded if callable(answer) else answer
        return call_unchanged(function, encoder, decoder, optimizer, images, noise, name="take_step")
    except NotImplementedError:
        raise
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "the loss has no way back to a weight: a `detach`, `no_grad` or `.item()` has cut the graph."
            ) from None
        if handed and not (torch.equal(handed[3], images) and torch.equal(handed[4], noise)):
            raise Wrong(
                "the images, or the noise, are changed in place, and `backward` needs them as they were. "
                "Make new tensors: `(images + 1) / 2`, without an underscore."
            ) from None
        if "modified by an inplace operation" in str(error):
            raise Wrong(
                "the weights moved before `backward`, along an *old* gradient. First `backward`, then `step`."
            ) from None
        if "backward through the graph a second time" in str(error):
            raise Wrong(
                "two `backward` through one graph: add distortion and rate, and go back once."
            ) from None
        raise


def _check_change(change, slope, mistakes, encoder_size, slopes):
    """Raises Wrong unless the weights moved along −slope, the sum of those of distortion and rate."""
    if matches(change, slope, tolerance=1e-3):
        return
    if not moved(change, torch.zeros_like(change)):
        raise Wrong(
            "no weight has moved. In this order: `zero_grad`, `backward`, `step`; and that at each call."
        )
    if matches(change, torch.ones_like(slope), tolerance=1e-3):
        raise Wrong("the weights moved along an *old* gradient: `backward` comes before `step`.")
    if matches(change - 1, slope, tolerance=1e-3):
        raise Wrong("gradients of an earlier step are still in there: clear them first.")
    if matches(change, -slope, tolerance=1e-3):
        raise Wrong("the sign is turned: the step climbs. An optimiser minimises: hand it −ELBO.")
    for message, mistake in mistakes:
        if matches(change, mistake, tolerance=1e-3):
            raise Wrong(message)
    of_encoder = change[:encoder_size]
    if not of_encoder.any():
        raise Wrong("the encoder has not moved: is its output detached, or z drawn without a way back?")
    if not change[encoder_size:].any():
        raise Wrong("the decoder has not moved: does the optimiser that steps know its weights?")
    signs, agree = change.sign(), (change.sign() == slope.sign())[slope.abs() > 1e-4]
    if matches(change.abs()[change != 0], change.abs().max().expand_as(change[change != 0]), tolerance=0.05):
        raise Wrong(
            "all weights moved equally far, as in a first step of Adam: take the `optimizer` that is handed "
            "in."
            if agree.float().mean() > 0.9
            else f"all weights moved equally far, {signs.abs().sum():.0f} of them. Take the `optimizer` "
            f"handed in."
        )
    if matches(of_encoder, slope[:encoder_size], tolerance=1e-3):
        raise Wrong("the encoder's step is right, the decoder's is not. Did the decoder change meanwhile?")
    times = ((change @ slope) / (slope @ slope)).item()
    if matches(change, times * slope, tolerance=1e-3):
        raise Wrong(f"the right direction, but {times:.3g} times as far as one step down −ELBO goes.")
    columns = torch.stack(slopes, dim=1)
    weights = torch.linalg.lstsq(columns, change[:, None]).solution[:, 0]
    if matches(change, columns @ weights, tolerance=1e-3):
        raise Wrong(
            "the weights moved, but not along the gradient of distortion + rate: it is that of "
            f"{weights[0]:.3g}·distortion + {weights[1]:.3g}·rate. Which of the two is divided, or "
            "multiplied, by "
            "something?"
        )
    if matches(change[encoder_size:], slope[encoder_size:], tolerance=1e-3):
        raise Wrong(
            "the decoder's step is right, so z and the distortion's value are; the encoder's is not. Look at "
            "the rate, and at what of μ and σ is cut off on the way to z."
        )
    raise Wrong(
        "the weights moved, but not along the gradient of E[distortion + rate] of these images and this "
        "noise. Is z = μ + σ·ε with the `noise` that was handed in, and are distortion and rate each summed "
        "over their dimensions and averaged over the batch?"
    )


def _check_parts(returned, distortion, rate, images, pixels):
    if isinstance(returned, torch.Tensor) and returned.shape == (2,):
        returned = [*returned]
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise Wrong("the step is right. Return two numbers: the distortion and the rate, before the step.")
    found = [as_tensor(one, name) for one, name in zip(returned, ("the distortion", "the rate"), strict=True)]
    for one, name in zip(found, ("the distortion", "the rate"), strict=True):
        expect_shape(one, (), message=f"return {name} as one number: the average over the batch.")
    if matches(found[0], rate) and matches(found[1], distortion):
        raise Wrong("the step is right; return the distortion first, then the rate.")
    total = distortion + rate
    for value, message in (
        ((-total, rate), "that is the ELBO and the rate. Return the *distortion* and the rate."),
        ((total, rate), "that is their sum and the rate. Return the *distortion* and the rate."),
        ((distortion, total), "that is the distortion and the sum. Return the distortion and the *rate*."),
        ((-distortion, rate), "that is E[log p(x|z)]. The distortion is *minus* that."),
        ((distortion * images, rate * images), "those are sums over the batch. Return averages."),
        ((distortion * images, rate), "that distortion is a sum over the batch. Return averages."),
        ((distortion, rate * images), "that rate is a sum over the batch. Return averages."),
        ((distortion / pixels, rate), "that distortion is an average over the pixels. Sum over them."),
    ):
        if matches(found[0], value[0], tolerance=1e-3) and matches(found[1], value[1], tolerance=1e-3):
            raise Wrong(f"the step is right; but what you return is not: {message}")
    for one, right, name in zip(found, (distortion, rate), ("distortion", "rate"), strict=True):
        if not matches(one, right, tolerance=1e-3):
            raise Wrong(
                f"the step is right, but the returned {name} is {one.item():.4g}, and before the step it was "
                f"{right.item():.4g} nats."
            )


# --- what a loss silently says -----------------------------------------------------------------------------


@exercise(
    "10.4",
    title="The variance that nobody stated",
    difficulty=2,
    minutes=10,
    hints=[
        "Which multiple of this loss has the KL with weight 1? Multiply all of it by that.",
        "Then the squared errors of all pixels together have a factor. In −log N(x; μ, σ²·I) it is 1/(2σ²).",
    ],
)
def implied_variance(answer):
    for pixels, weight in ((3 * 64 * 64, 0.00025), (100, 0.02), (784, 1.0), (1_001, 0.00123457)):
        found = as_tensor(call(answer, pixels, weight, name="implied_variance"), "the variance")
        expect_shape(found, (), message="one number is asked for: σ².")
        right = variance_of_mse(pixels, weight)
        typical = [
            (math.sqrt(right), "that is the standard deviation σ. The variance is asked for."),
            (-right, "a variance is not negative."),
            (3 * right, "the three channels count twice: `pixels` are all numbers of an image already."),
            (right / 3, "the channels do not come in by themselves: `pixels` are all numbers of an image."),
            (right**2, "that is the square of the variance."),
            *(
                (
                    pixels // 2 * weight,
                    "an integer division: `//` loses half a pixel where their number is odd.",
                )
                for _ in range(pixels % 2)
                if pixels == 1_001
            ),
            *(
                (
                    channels * int(round_off((pixels / channels) ** 0.5)) ** 2 * weight / 2,
                    "the number of "
                    "pixels "
                    "is worked out anew, from a side and channels of its own. `pixels` are all numbers of an "
                    "image already, whatever their shape.",
                )
                for channels in (1, 3)
                for round_off in (math.floor, math.ceil, round)
            ),
            (3 * 64 * 64 * weight / 2, "12,288 pixels are the example's. Take `pixels`."),
            (pixels * 0.00025 / 2, "0.00025 is the example's weight. Take `kl_weight`."),
            (math.sqrt(pixels * weight), "that is a root. The variance is asked for, and what of the ½?"),
            (pixels * math.sqrt(weight) / 2, "the root of the weight stands where the weight belongs."),
            (pixels**2 * weight / 2, "the pixels' number is squared, and comes in once."),
            (1 - right, "that is 1 − σ²."),
            (1 + right, "1 is added."),
            (right + 0.5, "½ is added. Where does the ½ of the exponent belong?"),
            (math.exp(right), "that is an exponential. The variance is a factor, not an exponent."),
            ((pixels - 1) * weight / 2, "D − 1 stands where D belongs: a mean divides by D."),
            ((pixels + 1) * weight / 2, "D + 1 stands where D belongs: a mean divides by D."),
            (
                4 * right,
                "four times too much: the ½ in the exponent of the Gaussian makes it σ² = …/2, not …·2.",
            ),
            (
                right / 4,
                "a quarter of it: the images' range does not come in, the squares are what they are.",
            ),
            (right * weight, "the weight counts twice."),
            (right * pixels, "the pixels count twice."),
            (
                right / math.pi,
                "the π of the density's constant does not come in: it is no factor of the squares.",
            ),
            (right / (2 * math.pi), "the 2π of the density's constant is no factor of the squares."),
            (math.sqrt(2 * right), "that is a root. The variance is asked for, and what of the ½?"),
            (math.sqrt(pixels) * weight / 2, "the root of the pixels stands where their number belongs."),
            (math.log(right), "that is the logarithm of the variance."),
            (pixels / weight, "a larger weight of the KL should mean a *larger* variance."),
            (weight / pixels, "the pixels stand on the wrong side: a mean makes the squares *cheaper*."),
            (1 / math.sqrt(right), "upside down, and a root: that is the root of the precision."),
            (784 * weight / 2, "784 is the number of pixels of a digit. Take `pixels`."),
            (2 * right, "twice too much: where is the ½ in the exponent of the Gaussian?"),
            (weight / 2, "that is for *summed* squares. `F.mse_loss` divides by the number of pixels."),
            (
                1 / (2 * weight),
                "that is for summed squares, and upside down: does a larger weight mean more noise?",
            ),
            (weight * pixels / 4, "half of it: count the factors of two again."),
            (pixels / (2 * weight), "a larger weight of the KL should mean a *larger* variance."),
            (
                1 / right,
                "upside down: a larger weight of the KL makes squares cheap, so the variance is large.",
            ),
            (
                weight / (2 * pixels),
                "the pixels stand on the wrong side: a mean makes the squares *cheaper*.",
            ),
        ]
        if matches(found / right, 1.0, tolerance=1e-5):
            continue
        for mistake, message in typical:
            if matches(mistake / right, 1.0, tolerance=1e-5):  # as σ and σ², where both are 1
                continue
            if matches(found / mistake, 1.0, tolerance=1e-5):
                raise Wrong(message)
        if matches(found / right, 1.0, tolerance=1e-2) and matches(
            float(answer(784, 1.0)), 392.0, tolerance=1e-2
        ):
            raise Wrong(
                f"nearly right: for {pixels} pixels and weight {weight:g} it is {right:.7g}, and you get "
                f"{found.item():.7g}. Is something rounded?"
            )
        if found == found.round() and right != round(right):
            raise Wrong(
                f"a whole number, {found.item():g}, where it is {right:.6g}: is it rounded, or is there a "
                "`//`?"
            )
        expect_varied("`implied_variance(pixels, kl_weight)`")
        raise Wrong(_how_it_grows(answer, pixels, weight, found.item(), right))
    return "for a generator of 28×28 images and a weight of 1, noise that drowns every digit."


def _how_it_grows(answer, pixels: int, weight: float, found: float, right: float) -> str:
    """What twice the weight and twice the pixels make of a variance that is none of the known slips."""
    wrong = f"for {pixels} pixels and weight {weight:g} you get {found:.4g}, and σ² is {right:.4g}."
    try:
        before = float(answer(100, 0.5))
        for name, other in (
            ("weight of the KL", float(answer(100, 1.0))),
            ("number of pixels", float(answer(200, 0.5))),
        ):
            if not matches(other / before, 2.0, tolerance=1e-2):
                return (
                    f"{wrong} Twice the {name} means twice the variance; yours is multiplied by "
                    f"{other / before:.3g}. How does it come in where the loss is multiplied until the KL "
                    "has "
                    "weight 1?"
                )
    except Exception:  # an answer may divide by 0
        return wrong
    return (
        f"{wrong} It grows as it should with both, and only a factor is wrong: {found / right:.4g}. In "
        "−log N(x; μ, σ²·I) the squares have the factor 1/(2σ²)."
    )


@exercise(
    "10.5",
    title="A tighter bound",
    difficulty=2,
    minutes=12,
    hints=[
        "Average the weights of one image first, then take the logarithm, then average over the images.",
        "exp(−100) is nearly 0, exp(−1000) is 0 to a computer: `torch.logsumexp(log_weights, dim=0)` never "
        "leaves the logarithms.",
        "The logarithm of an average of K numbers is the logarithm of their sum, minus log K.",
    ],
)
def importance_bound(answer):
    for draws, levels, seed in (
        (8, [-2.0] * 3, 0),
        (5, [-1_500.0] * 6, 1),
        (4, [-90.0, -1_500.0, -250.0], 2),
    ):
        rng = torch.Generator().manual_seed(seed)
        n = len(levels)
        log_weights = torch.tensor(levels) + 2 * torch.randn(draws, n, generator=rng)
        if seed == 2:
            log_weights[0, 0] += 250  # one draw far above the others of its image
        result = call_unchanged(answer, log_weights, name="importance_bound")
        wide = log_weights.double()
        each = wide.logsumexp(0) - math.log(draws)
        try:
            found = as_tensor(result, "the bound")
        except Wrong as wrong:
            if seed > 0 and ("infinite" in str(wrong) or "NaN" in str(wrong)):
                raise Wrong(
                    "right as a formula, but exp(−1500) is 0 to a computer, and its logarithm −∞; log p(x) "
                    "of an image can be that small. Stay with logarithms, each image with its own: "
                    "which function of PyTorch does?"
                ) from None
            raise
        if matches(found, each):
            raise Wrong("that is a bound for each image. Average them: one number is asked for.")
        expect_shape(
            found, (), message=f"the shape is {tuple(found.shape)}; one number is asked for, for all images."
        )
        if matches(found / each.mean(), 1.0, tolerance=1e-5):
            continue
        typical = [
            (wide.mean(), "that is the ELBO: the average of the logarithms. Average the *weights* first."),
            (
                wide.logsumexp(0).mean(),
                "the logarithm of the *sum* of the weights: it grows with K for ever. Where is the average?",
            ),
            (
                wide.flatten().logsumexp(0) - math.log(draws * n),
                "all images went into one average of weights. Each image has its own p(x): logarithm first, "
                "then the average over the images.",
            ),
            (
                (wide.logsumexp(1) - math.log(n)).mean(),
                "averaged along the wrong axis: the draws of one image stand in a column.",
            ),
            (each.sum(), "summed over the images: average them."),
            (
                wide.logsumexp(0).sum() - math.log(draws),
                "summed over the images, and log K is taken off once: it belongs to each image. Average over "
                "the images.",
            ),
            (-each.mean(), "the sign is turned: a bound on log p(x), not on its negative."),
            (each.exp().mean(), "that is an estimate of p(x). The bound is on its logarithm."),
            (wide.max(0).values.mean(), "that is the largest weight of each image. All K draws count."),
            ((each / draws).mean(), "divided by K outside of the logarithm. Inside, it is − log K."),
            (
                (wide.logsumexp(0) / draws).mean(),
                "divided by K outside of the logarithm. Inside, it is − log K.",
            ),
            (
                wide.logsumexp(0).mean() - math.log(n),
                "log N is subtracted, the number of images. The average is over the K draws of each.",
            ),
            (
                wide.logsumexp(0).mean() + math.log(draws),
                "log K has the wrong sign: an average *divides* by K.",
            ),
            (wide.logsumexp(0).mean() - math.log(draws - 1), "divided by K − 1; an average divides by K."),
            (wide.logsumexp(0).mean() - math.log(draws + 1), "divided by K + 1; an average divides by K."),
            (wide.logsumexp(0).mean() - math.log2(draws), "log K with base 2; take the natural logarithm."),
            (wide.logsumexp(0).mean() - math.log10(draws), "log K with base 10; take the natural logarithm."),
            (each.median(), "that is the *median* image's bound. Average over the images."),
            (each.max(), "that is the best image's bound. Average over the images."),
            (each.mean() / 2, "half of what it should be."),
            (wide.max(), "that is the largest weight of all. All K draws of each image count."),
            (wide[0].mean(), "only the first draw counts. Average the weights of all K."),
            (
                wide.median(0).values.mean(),
                "that is the median weight of each image. Average the *weights* of all K.",
            ),
            (
                wide.mean(1).logsumexp(0) - math.log(draws),
                "first averaged over the images, then over the draws: each image has its own p(x).",
            ),
            (
                (wide.softmax(0) * wide).sum(0).mean(),
                "those are log weights, averaged with the weights. Average the weights, then take the "
                "logarithm.",
            ),
            (
                (wide.mean(0) + wide.var(0) / 2).mean(),
                "that is right for normally distributed log weights only. Average the weights themselves.",
            ),
            (
                ((wide - wide.amax(0)).logsumexp(0) - math.log(draws)).mean(),
                "the largest log weight is taken off, lest exp be too small, and not put back.",
            ),
            (
                ((wide - wide.max()).logsumexp(0) - math.log(draws)).mean(),
                "the largest log weight is taken off, lest exp be too small, and not put back.",
            ),
            (
                (wide.amax(0) - math.log(draws)).mean(),
                "only the largest weight of each image is kept: a bound, but a looser one. All K draws are "
                "added "
                "up.",
            ),
            *(
                (
                    (wide.logsumexp(0) - math.log(draws)).mean() + sign * math.log(n),
                    "the number of images, N, comes in as a logarithm. The average over images is a plain "
                    "one, "
                    "after the logarithm.",
                )
                for sign in (1, -1)
            ),
            *(
                (
                    torch.stack(
                        [part.logsumexp(0) - math.log(below(part)) for part in wide.split(size)]
                    ).mean(),
                    "the draws are split in parts, each with a bound of its own, and those averaged: not as "
                    "tight as that of all K draws together.",
                )
                for size in {draws // 2, 2, 3} - {0}
                for below in (len, lambda part, size=size: size)
            ),
            (
                sum(part.logsumexp(0).mean() / 2 for part in (wide[: draws // 2], wide[draws // 2 :]))
                - math.log(draws // 2),
                "the draws are split in halves, each with a bound of its own, and those averaged: not as "
                "tight "
                "as that of all K draws together.",
            ),
            (each.min(), "that is the worst image's bound. Average over the images."),
            (each[0], "that is the first image's bound. Average over the images."),
            (wide.amin(0).mean(), "that is the smallest weight of each image. All K draws count."),
            (
                wide.logsumexp(0).mean() - math.log(draws) / draws,
                "log K is divided by K. An average divides the *sum* by K: minus log K.",
            ),
            (
                2 * wide.logsumexp(0).mean() - (2 * wide).logsumexp(0).mean(),
                "that is the logarithm of the effective number of draws. The average of the weights is asked "
                "for.",
            ),
            (
                (2 * wide).logsumexp(0).mean() / 2 - math.log(draws) / 2,
                "the weights are squared before their average. Average the weights themselves.",
            ),
            (
                2 * (wide / 2).logsumexp(0).mean() - 2 * math.log(draws),
                "roots of the weights are averaged. Average the weights themselves.",
            ),
            (
                (wide.sort(0).values[1:-1].logsumexp(0) - math.log(max(draws - 2, 1))).mean(),
                "the extremes are left out. The largest weight counts most: keep all.",
            ),
            (wide.logsumexp(0).exp().mean(), "that is a sum of weights. Where are average and logarithm?"),
        ]
        for mistake, message in typical:
            if mistake != 0 and matches(found / mistake, 1.0, tolerance=1e-5):
                raise Wrong(message)
        if seed > 0:
            raise Wrong(
                "right where weights are large; but exp(−1500) is 0 to a computer, and adding a small "
                "number, or cutting off, puts that number in the place of log p(x). Stay with logarithms: "
                "which function of PyTorch does?"
            )
        expect_varied("`importance_bound(log_weights)`")
        if found == found.round():
            raise Wrong(f"a whole number, {found.item():g}: is it rounded, or cut off, at the end?")
        divisor = math.exp(min((wide.logsumexp(0).mean() - found).item(), 100.0))
        if 1.5 < divisor < 1e5 and abs(divisor - round(divisor)) < 1e-3:
            raise Wrong(
                f"your average divides by {divisor:.0f}, and there are {draws} draws. Take K from the tensor."
            )
        raise Wrong(_of_simple_weights(answer))
    return "tighter with each draw, and never above log p(x) on average."


def _of_simple_weights(answer) -> str:
    """What simple log weights tell of a bound that is none of the known slips."""
    for rows, wanted, why in (
        ([[-3.0, -5.0]], -4.0, "with one draw it is the average of the log weights"),
        ([[-3.0, -5.0]] * 4, -4.0, "with four equal draws it is the same as with one"),
        ([[0.0], [math.log(3)]], math.log(2), "weights of 1 and 3 have the average 2"),
        ([[0.0, 0.0], [math.log(3), 0.0]], math.log(2) / 2, "log 2 for the first image, 0 for the second"),
    ):
        try:
            found = float(answer(torch.tensor(rows)))
        except Exception:  # an answer may fail on so few
            continue
        if not matches(found, wanted):
            shown = [[round(one, 2) for one in row] for row in rows]
            return (
                f"that is not the average over the images of log (1/K)Σ w: for {shown} it is {wanted:.4g}, "
                "since "
                f"{why}, and you find {found:.4g}."
            )
    return (
        "right for one and for two draws, and not for more. Do all K of them go into one average, and do all "
        "images count alike?"
    )
