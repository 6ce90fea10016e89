"""The GAN's losses, one definition each, on logits.

A discriminator returns logits; the probability is D(x) = σ(logit). Two identities keep everything stable,
without a sigmoid or a log that could overflow: −log σ(t) = softplus(−t) and −log(1 − σ(t)) = softplus(t).
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor
from torch.nn.functional import softplus


class GANLoss(NamedTuple):
    """The two players' objectives. Both take logits of shape (N,) and return a scalar to *minimise*."""

    discriminator: Callable[[Tensor, Tensor], Tensor]  # (real_logits, fake_logits) -> ()
    generator: Callable[[Tensor], Tensor]  # (fake_logits) -> ()
    undecided: float = 0.0  # the logit of a discriminator that cannot tell real from fake


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


def minimax_generator(fake_logits: Tensor) -> Tensor:
    """E[log(1 − D(G(z)))]: the generator minimises V itself (Goodfellow et al. 2014, arXiv:1406.2661).

    The derivative by a logit is −D(G(z)): it *saturates*, that is, vanishes, on samples that D rejects.

    Args:
        fake_logits: discriminator's output on generated samples, shape (N,).

    Returns:
        Scalar ≤ 0, unbounded below.
    """
    _check_logits(fake_logits=fake_logits)
    return -softplus(fake_logits).mean()


def non_saturating_generator(fake_logits: Tensor) -> Tensor:
    """−E[log D(G(z))]  (Goodfellow et al. 2014, arXiv:1406.2661, section 3).

    The derivative by a logit is −(1 − D(G(z))): strongest on samples that D rejects.

    Args:
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


def least_squares_generator(fake_logits: Tensor) -> Tensor:
    """½·E[(D(G(z)) − 1)²]  (Mao et al. 2017, arXiv:1611.04076, with c = 1).

    Args:
        fake_logits: critic's output on generated samples, shape (N,).

    Returns:
        Scalar ≥ 0; 0 at D(G(z)) = 1.
    """
    _check_logits(fake_logits=fake_logits)
    return 0.5 * (fake_logits - 1).square().mean()


LOSSES = {
    "minimax": GANLoss(minimax_discriminator, minimax_generator),
    "non_saturating": GANLoss(minimax_discriminator, non_saturating_generator),
    "least_squares": GANLoss(least_squares_discriminator, least_squares_generator, undecided=0.5),
}


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
