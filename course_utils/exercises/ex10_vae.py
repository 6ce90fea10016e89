"""The exercises of notebook 10: the ELBO, its gradient, and what losses in circulation silently say."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

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
    for n, dims, seed in ((5, 3, 0), (4, 6, 1)):
        rng = torch.Generator().manual_seed(seed)
        mean = (2 * torch.randn(n, dims, generator=rng)).requires_grad_()
        log_variance = torch.randn(n, dims, generator=rng).requires_grad_()
        handed = []

        def recorded(mean, log_variance, handed=handed):
            handed[:] = [mean, log_variance]
            return answer(mean, log_variance)

        function = recorded if callable(answer) else answer
        result = call_unchanged(function, mean, log_variance, name="kl_to_prior")
        found = as_tensor(result, "`kl_to_prior(mean, log_variance)`")
        right = gaussian_kl(mean, log_variance).detach()
        parts = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).detach()
        if not matches(found, right):
            _kl_mistakes(found, right, parts, mean.detach(), log_variance.detach())
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


def _kl_mistakes(found, right, parts, mean, log_variance):
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
    ]
    for mistake, message in typical:
        if matches(found, mistake):
            raise Wrong(message)
    expect_varied("`kl_to_prior(mean, log_variance)`")
    raise Wrong(
        "that is not E[log q(z) − log p(z)] under q. Try it with mean 0 and log_variance 0, where it must "
        "be 0, and with mean 2 and log_variance 0, where it must be 2 for each dimension."
    )


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
        return encoder, decoder


def _parts(encoder, decoder, images, noise, change=""):
    """Distortion and rate of a batch, (N,) each; or those of a typical mistake."""
    mean, log_variance = encoder(images).unbind(1)
    if change == "swapped":
        mean, log_variance = log_variance, mean
    latents = {
        "detached": reparameterise(mean, log_variance, noise).detach(),
        "no noise": mean,
        "fresh": noise,
        "variance": mean + log_variance.exp() * noise,
    }.get(change, reparameterise(mean, log_variance, noise))
    logits = decoder(latents)
    bits = (images + 1) / 2
    if change == "range":
        distortion = binary_cross_entropy_with_logits(logits, images, reduction="none").flatten(1).sum(1)
    elif change == "sigmoid":
        distortion = (
            binary_cross_entropy_with_logits(logits.sigmoid(), bits, reduction="none").flatten(1).sum(1)
        )
    elif change == "squares":
        distortion = (torch.sigmoid(logits) - bits).square().flatten(1).sum(1)
    else:
        distortion = -bernoulli_log_likelihood(logits, -images if change == "flipped" else images)
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
    "squares": (
        lambda d, r, p, k: d.mean() + r.mean(),
        "squares",
        "that is a squared error. The likelihood here is Bernoulli: minus the logarithm of the probability.",
    ),
}


def _gradient(loss, encoder, decoder):
    weights = [*encoder.parameters(), *decoder.parameters()]
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
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
        slope = _gradient(distortion + rate, encoder, decoder)
        mistakes = {
            message: _gradient(
                loss(*_parts(encoder, decoder, images, noise, change), pixels, latent_dim), encoder, decoder
            )
            for loss, change, message in STEP_MISTAKES.values()
        }
        parameters = [*encoder.parameters(), *decoder.parameters()]
        for parameter in parameters:
            parameter.grad = torch.ones_like(parameter)  # left over from an earlier step
        optimizer = torch.optim.SGD(parameters, RATE)
        returned = _take(answer, encoder, decoder, optimizer, images, noise)
        expect_trainable(encoder, "the encoder")
        expect_trainable(decoder, "the decoder")
        change = (_all_weights(encoder, decoder) - before) / -RATE
        _check_change(change, slope, mistakes, len(weights_of(encoder)))
        _check_parts(returned, distortion.detach(), rate.detach())
    return "a VAE is these lines, in a loop."


def _take(answer, encoder, decoder, optimizer, images, noise):
    """Let the answer take its step; some errors are mistakes with a name."""
    try:
        return call_unchanged(answer, encoder, decoder, optimizer, images, noise, name="take_step")
    except NotImplementedError:
        raise
    except RuntimeError as error:
        if "does not require grad" in str(error):
            raise Wrong(
                "the loss has no way back to a weight: a `detach`, `no_grad` or `.item()` has cut the graph."
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


def _check_change(change, slope, mistakes, encoder_size):
    """Raises Wrong unless the weights moved along −slope."""
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
    for message, mistake in mistakes.items():
        if matches(change, mistake, tolerance=1e-3):
            raise Wrong(message)
    of_encoder = change[:encoder_size]
    if not of_encoder.any():
        raise Wrong("the encoder has not moved: is its output detached, or z drawn without a way back?")
    if matches(of_encoder, slope[:encoder_size], tolerance=1e-3):
        raise Wrong("the encoder's step is right, the decoder's is not. Did the decoder change meanwhile?")
    times = ((change @ slope) / (slope @ slope)).item()
    if matches(change, times * slope, tolerance=1e-3):
        raise Wrong(f"the right direction, but {times:.3g} times as far as one step down −ELBO goes.")
    raise Wrong(
        "the weights moved, but not along the gradient of E[distortion + rate] of these images and this "
        "noise. Is z = μ + σ·ε with the `noise` that was handed in, and are distortion and rate each summed "
        "over their dimensions and averaged over the batch?"
    )


def _check_parts(returned, distortion, rate):
    if isinstance(returned, torch.Tensor) and returned.shape == (2,):
        returned = [*returned]
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise Wrong("the step is right. Return two numbers: the distortion and the rate, before the step.")
    found = [as_tensor(one, name) for one, name in zip(returned, ("the distortion", "the rate"), strict=True)]
    for one, name in zip(found, ("the distortion", "the rate"), strict=True):
        expect_shape(one, (), message=f"return {name} as one number: the average over the batch.")
    if matches(found[0], rate) and matches(found[1], distortion):
        raise Wrong("the step is right; return the distortion first, then the rate.")
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
    for pixels, weight in ((3 * 64 * 64, 0.00025), (100, 0.02), (784, 1.0)):
        found = as_tensor(call(answer, pixels, weight, name="implied_variance"), "the variance")
        expect_shape(found, (), message="one number is asked for: σ².")
        right = variance_of_mse(pixels, weight)
        typical = [
            (math.sqrt(right), "that is the standard deviation σ. The variance is asked for."),
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
        if matches(found / right, 1.0, tolerance=1e-3):
            continue
        for mistake, message in typical:
            if matches(found / mistake, 1.0, tolerance=1e-3):
                raise Wrong(message)
        expect_varied("`implied_variance(pixels, kl_weight)`")
        raise Wrong(
            f"for {pixels} pixels and weight {weight:g} you get {found.item():.4g}. Put it into "
            "−log N(x; μ, σ²·I) + KL, and compare with the loss: is one a multiple of the other?"
        )
    return "for a generator of 28×28 images and a weight of 1, noise that drowns every digit."


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
            (-each.mean(), "the sign is turned: a bound on log p(x), not on its negative."),
            (each.exp().mean(), "that is an estimate of p(x). The bound is on its logarithm."),
            (wide.max(0).values.mean(), "that is the largest weight of each image. All K draws count."),
            ((each / draws).mean(), "divided by K outside of the logarithm. Inside, it is − log K."),
        ]
        for mistake, message in typical:
            if mistake != 0 and matches(found / mistake, 1.0, tolerance=1e-5):
                raise Wrong(message)
        expect_varied("`importance_bound(log_weights)`")
        raise Wrong(
            "that is not the average over the images of log (1/K)Σ w. Try it with one draw, where it is the "
            "average of the log weights, and with K equal draws, where it is the same."
        )
    return "tighter with each draw, and never above log p(x) on average."
