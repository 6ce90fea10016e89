"""The conditional game without networks: its best discriminator, the projection inside it, and codes' bound.

Joint distributions are tables of logarithms (N, K): log p(xᵢ, y) at N points and for K labels. All in float64
and in nats.
"""

import math

import torch
from torch import Tensor


def log_joint(points: Tensor, means: Tensor, std: float) -> Tensor:
    """log p(x, y) = −log K + log N(x; μ_y, σ²I): equal Gaussians, equally often, each with its label.

    Args:
        points: x, (N, d).
        means: μ, (K, d), such as `data.ring().modes`.
        std: σ > 0.

    Returns:
        (N, K).
    """
    points, means = points.double(), means.double()
    squares = (points[:, None] - means).square().sum(-1) / std**2
    dims = means.shape[1]
    return -0.5 * squares - dims * (math.log(std) + 0.5 * math.log(2 * math.pi)) - math.log(len(means))


def conditional_logit(log_data: Tensor, log_model: Tensor) -> Tensor:
    """t*(x, y) = log p(x, y) − log q(x, y): the logit of D*, which sees pairs of samples and labels.

    The game of pairs is the game of Goodfellow et al. (2014, arXiv:1406.2661, proposition 1) with x replaced
    by (x, y): D*(x, y) = p(x, y) / (p(x, y) + q(x, y)) = σ(t*).

    Args:
        log_data, log_model: log p and log q of the data's and the generator's pairs, (N, K).

    Returns:
        (N, K).
    """
    return log_data - log_model


def split_logit(log_data: Tensor, log_model: Tensor) -> tuple[Tensor, Tensor]:
    """t*(x, y) = log p(x)/q(x) + log p(y|x)/q(y|x): is it real, and does it fit its label?

    Miyato and Koyama 2018, arXiv:1802.05637, equation 2.

    Args:
        log_data, log_model: log p(x, y) and log q(x, y), (N, K).

    Returns:
        The first part (N,), the same for each label, and the second (N, K).
    """
    ratio = log_data.logsumexp(1) - log_model.logsumexp(1)
    return ratio, log_data.log_softmax(1) - log_model.log_softmax(1)


def class_weights(means: Tensor, std: float) -> Tensor:
    """V with p(y|x) = softmax over y of V_y·(x, 1): the labels of equal Gaussians, equally often.

    log p(x, y) = −‖x‖²/2σ² + μ_y·x/σ² − ‖μ_y‖²/2σ² + constant, and what is the same for all y drops out of
    p(y|x). With V of the data and U of a generator of such Gaussians, the second part of `split_logit` is
    (V_y − U_y)·φ(x) − log Z_p(x) + log Z_q(x), φ(x) = (x, 1): an inner product of the label's vector with
    the features, and a rest without a label. That is why `ProjectionDiscriminator` has one.

    Args:
        means: μ, (K, d).
        std: σ > 0.

    Returns:
        (K, d + 1): μ_y / σ², and −‖μ_y‖² / 2σ².
    """
    means = means.double()
    return torch.cat([means, -0.5 * means.square().sum(1, keepdim=True)], dim=1) / std**2


def mutual_information(log_joint: Tensor, weights: Tensor | float) -> Tensor:
    """I(x; y) = E[log p(x, y) − log p(x) − log p(y)] ≥ 0: what samples and labels tell about each other.

    Args:
        log_joint: log p(x, y), (N, K), at the points of a quadrature.
        weights: of the quadrature, (N,), or one number for all.
    """
    return information_bound(log_joint, log_joint.log_softmax(1), weights)  # with Q = p(y|x) it is tight


def information_bound(log_joint: Tensor, log_answers: Tensor, weights: Tensor | float) -> Tensor:
    """E[log Q(y|x)] + H(y) = I(x; y) − E KL(p(y|x) ‖ Q(y|x)) ≤ I(x; y), for any Q  (Barber and Agakov 2003).

    InfoGAN raises it by moving both Q and the generator (Chen et al. 2016, arXiv:1606.03657, equations 4, 5).

    Args:
        log_joint: log p(x, y), (N, K), at the points of a quadrature.
        log_answers: log Q(y|x), (N, K).
        weights: of the quadrature, (N,), or one number for all.
    """
    mass = torch.as_tensor(weights, dtype=torch.float64).reshape(-1, 1) * log_joint.exp()
    labels = mass.sum(0)
    return (mass * log_answers).sum() - torch.special.xlogy(labels, labels).sum()
