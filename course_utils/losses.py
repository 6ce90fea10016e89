"""The GAN's losses, one definition each, on logits.

A discriminator returns logits; the probability is D(x) = σ(logit). Two identities keep everything stable,
without a sigmoid or a log that could overflow: −log σ(t) = softplus(−t) and −log(1 − σ(t)) = softplus(t).
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import relu, softplus


class GANLoss(NamedTuple):
    """The two players' objectives, each a function (real_logits, fake_logits) -> () to *minimise*.

    Logits have shape (N,). Most generators' losses use the fake logits only: those are called with None for
    the real ones, so that nobody computes them in vain.
    """

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor | None, Tensor], Tensor]
    generator_sees_real: bool = False  # whether the generator's loss uses the real logits
    undecided: float | None = 0.0  # the logit that says neither; None where only differences mean something


def minimax_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """−E[log D(x)] − E[log(1 − D(G(z)))] = −V(D, G)  (Goodfellow et al. 2014, arXiv:1406.2661, equation 1).

    Args:
        real_logits: discriminator's output on data, shape (N,).
        fake_logits: discriminator's output on generated samples, shape (M,).

    Returns:
        Scalar ≥ 0; log 4 where the discriminator cannot tell (all logits 0).
    """
    _check_logits(real_logits=real_logits, fake_logits=fake_logits)
    return softplus(-real_logits).mean() + softplus(fake_logits).mean()


def minimax_generator(real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
    """E[log(1 − D(G(z)))]: the generator minimises V itself (Goodfellow et al. 2014, arXiv:1406.2661).

    The derivative with respect to a logit is −D(G(z)): it *saturates*, that is, vanishes, on samples that D
    rejects.

    Args:
        real_logits: not used.
        fake_logits: discriminator's output on generated samples, shape (N,).

    Returns:
        Scalar ≤ 0, unbounded below.
    """
    _check_logits(fake_logits=fake_logits)
    return -softplus(fake_logits).mean()


def non_saturating_generator(real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
    """−E[log D(G(z))]  (Goodfellow et al. 2014, arXiv:1406.2661, section 3).

    The derivative with respect to a logit is −(1 − D(G(z))): strongest on samples that D rejects.

    Args:
        real_logits: not used.
        fake_logits: discriminator's output on generated samples, shape (N,).

    Returns:
        Scalar ≥ 0; log 2 where the discriminator cannot tell.
    """
    _check_logits(fake_logits=fake_logits)
    return softplus(-fake_logits).mean()


def least_squares_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """½·E[(D(x) − 1)²] + ½·E[D(G(z))²]  (Mao et al. 2017, arXiv:1611.04076, with a = 0, b = 1).

    Here D is the raw output, without a sigmoid.

    Args:
        real_logits: critic's output on data, shape (N,).
        fake_logits: critic's output on generated samples, shape (M,).

    Returns:
        Scalar ≥ 0; 0 at D(x) = 1, D(G(z)) = 0.
    """
    _check_logits(real_logits=real_logits, fake_logits=fake_logits)
    return 0.5 * ((real_logits - 1).square().mean() + fake_logits.square().mean())


def least_squares_generator(real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
    """½·E[(D(G(z)) − 1)²]  (Mao et al. 2017, arXiv:1611.04076, with c = 1).

    Args:
        real_logits: not used.
        fake_logits: critic's output on generated samples, shape (N,).

    Returns:
        Scalar ≥ 0; 0 at D(G(z)) = 1.
    """
    _check_logits(fake_logits=fake_logits)
    return 0.5 * (fake_logits - 1).square().mean()


def hinge_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[max(0, 1 − t(x))] + E[max(0, 1 + t(G(z)))]  (Lim and Ye 2017, arXiv:1705.02894).

    A sample that is on its side by a margin of 1 counts no more. Where p_data and p_g are the densities, the
    best logit is sign(p_data − p_g).

    Args:
        real_logits: discriminator's output t on data, shape (N,).
        fake_logits: discriminator's output t on generated samples, shape (M,).

    Returns:
        Scalar ≥ 0; 2 where the discriminator cannot tell (all logits 0).
    """
    _check_logits(real_logits=real_logits, fake_logits=fake_logits)
    return relu(1 - real_logits).mean() + relu(1 + fake_logits).mean()


def wasserstein_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[t(G(z))] − E[t(x)]  (Arjovsky et al. 2017, arXiv:1701.07875).

    Its minimum over all critics with slope ≤ 1 is −W₁(p_data, p_g). Nothing in this function bounds the
    slope, and without a bound there is no minimum.

    Args:
        real_logits: critic's output t on data, shape (N,).
        fake_logits: critic's output t on generated samples, shape (M,).

    Returns:
        Scalar, unbounded.
    """
    _check_logits(real_logits=real_logits, fake_logits=fake_logits)
    return fake_logits.mean() - real_logits.mean()


def critic_generator(real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
    """−E[t(G(z))], the generator's side of the hinge and of the Wasserstein loss (sources: see those).

    Args:
        real_logits: not used.
        fake_logits: critic's output t on generated samples, shape (N,).

    Returns:
        Scalar, unbounded; its derivative with respect to a logit is −1/N everywhere.
    """
    _check_logits(fake_logits=fake_logits)
    return -fake_logits.mean()


def relativistic_discriminator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[−log σ(t(x) − t(G(z)))] over pairs: is this sample more real than that one?

    Jolicoeur-Martineau 2018, arXiv:1807.00734; with gradient penalties on data and on samples, the loss of
    R3GAN (Huang et al. 2024, arXiv:2501.05441). Only differences of logits count.

    Args:
        real_logits: discriminator's output t on data, shape (N,).
        fake_logits: discriminator's output t on generated samples, shape (N,): one for each real sample.

    Returns:
        Scalar ≥ 0; log 2 where the discriminator cannot tell (all differences 0).
    """
    _check_pairs(real_logits, fake_logits)
    return softplus(fake_logits - real_logits).mean()


def relativistic_generator(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """E[−log σ(t(G(z)) − t(x))]: the discriminator's loss with the roles exchanged (sources: see there).

    Args:
        real_logits: discriminator's output t on data, shape (N,).
        fake_logits: discriminator's output t on generated samples, shape (N,): one for each real sample.

    Returns:
        Scalar ≥ 0; log 2 where the discriminator cannot tell (all differences 0).
    """
    return relativistic_discriminator(fake_logits, real_logits)


LOSSES = {
    "minimax": GANLoss(minimax_discriminator, minimax_generator),
    "non_saturating": GANLoss(minimax_discriminator, non_saturating_generator),
    "least_squares": GANLoss(least_squares_discriminator, least_squares_generator, undecided=0.5),
    "hinge": GANLoss(hinge_discriminator, critic_generator),
    "wasserstein": GANLoss(wasserstein_discriminator, critic_generator, undecided=None),
    "relativistic": GANLoss(
        relativistic_discriminator, relativistic_generator, generator_sees_real=True, undecided=None
    ),
}


def exchanged(loss: GANLoss) -> GANLoss:
    """The generator minimises the discriminator's loss with real and fake exchanged, both logits in use.

    For the cross-entropy this is the non-saturating loss on both sides. A bidirectional game needs it, where
    the encoder stands in what D sees as real (Donahue, Krähenbühl, Darrell 2017, arXiv:1605.09782).
    """
    return loss._replace(
        generator=lambda real_logits, fake_logits: loss.discriminator(fake_logits, real_logits),
        generator_sees_real=True,
    )


def weighted(loss: GANLoss, weight: float) -> GANLoss:
    """The generator's side times the weight; the discriminator's stays.

    For a generator that has a second aim (`GAN(generator_term=…)`): with Adam, a weight on its only loss
    would change nothing. 0 leaves a discriminator that learns and is not listened to.

    Args:
        loss: to be weighted.
        weight: at least 0.

    Raises:
        ValueError: the weight is negative.
    """
    if not weight >= 0:
        raise ValueError(f"weight must be at least 0, got {weight}; a negative one turns G against its aim.")
    return loss._replace(
        generator=lambda real_logits, fake_logits: weight * loss.generator(real_logits, fake_logits)
    )


def get_loss(loss: str | GANLoss) -> GANLoss:
    """The loss of that name in LOSSES; a GANLoss of your own is returned as it is.

    Args:
        loss: a name, or a GANLoss.

    Returns:
        The pair of the two players' losses.

    Raises:
        ValueError: no loss has that name.
    """
    if isinstance(loss, GANLoss):
        return loss
    if loss not in LOSSES:
        raise ValueError(
            f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}, or pass a GANLoss of your own."
        )
    return LOSSES[loss]


def _check_logits(**named: Tensor) -> None:
    for name, logits in named.items():
        if logits.ndim != 1 or len(logits) == 0:
            raise ValueError(
                f"{name} must have shape (N,) with N ≥ 1, got {tuple(logits.shape)}; "
                "flatten the discriminator's output to one logit per sample."
            )


def _check_pairs(real_logits: Tensor, fake_logits: Tensor) -> None:
    _check_logits(real_logits=real_logits, fake_logits=fake_logits)
    if len(real_logits) != len(fake_logits):
        raise ValueError(
            f"a relativistic loss compares pairs, got {len(real_logits)} real and {len(fake_logits)} fake "
            "logits; take equally many."
        )
