"""From image to image without pairs: two generators that undo each other, and what that does not ensure.

Zhu, Park, Isola and Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
2017, arXiv:1703.10593.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_utils.models import CyclePair, TwoDiscriminators
from course_utils.training.gan import GAN, Shown, unpaired
from course_utils.training.translation import absolute_error
from course_utils.training.validation import check_least


def cycle_term(
    discriminator: nn.Module, real: Shown, fake: Shown, *, pair: CyclePair, cycle: float, identity: float
) -> Tensor:
    """λ·(E|F(G(s)) − s| + E|G(F(t)) − t|) + μ·(E|G(t) − t| + E|F(s) − s|): a term of the generators' loss.

    The first bracket wants each generator to undo the other (eq. 2), the second that each leaves alone what
    has the style already that it shall give (section 5.2).

    Args:
        discriminator: not used.
        real, fake: (t, s) and (G(s), F(t)), as `unpaired` shows them.
        pair: G is pair.there, F is pair.back.
        cycle, identity: λ and μ.
    """
    (target, source), (as_target, as_source) = real, fake
    term = cycle * (
        absolute_error(pair.back(as_target), source) + absolute_error(pair.there(as_source), target)
    )
    if identity:
        alone = absolute_error(pair.there(target), target) + absolute_error(pair.back(source), source)
        term = term + identity * alone
    return term


def cyclegan(
    there: nn.Module,
    back: nn.Module,
    of_target: nn.Module,
    of_source: nn.Module,
    *,
    cycle: float = 10.0,
    identity: float = 0.0,
    **game,
) -> GAN:
    """Two generators and two discriminators as one game, on batches of (target, source) drawn independently.

    `run.average` is a `CyclePair`: run.average(s) is G(s), run.average.back(t) is F(t).

    Args:
        there: G, sources → targets.
        back: F, targets → sources.
        of_target, of_source: the discriminators, images → logits.
        cycle: λ ≥ 0, 10 in the paper. 0 leaves two GANs that know nothing of each other.
        identity: μ ≥ 0; the paper takes 0, and λ/2 for paintings.
        **game: other arguments of `GAN`; the paper's loss is "least_squares".
    """
    check_least(0, cycle=cycle, identity=identity)
    pair = CyclePair(there, back)
    term = partial(cycle_term, pair=pair, cycle=cycle, identity=identity)
    return GAN(pair, TwoDiscriminators(of_target, of_source), shown=unpaired, generator_term=term, **game)


class CycleErrors(NamedTuple):
    """Mean absolute errors of pixels that range from −1 to 1."""

    cycle: float  # |F(G(s)) − s|: what the training makes small
    truth: float  # |G(s) − true target of s|: what it never sees
    disturbed: float  # |F(disturbed G(s)) − s|


@torch.no_grad()
def cycle_errors(
    pair: CyclePair,
    sources: Tensor,
    truth: Callable[[Tensor], Tensor],
    disturb: Callable[[Tensor], Tensor] = lambda images: images,
) -> CycleErrors:
    """Is the way there and back closed, is it the true one, and does it hang on what nobody sees?

    A large `disturbed` beside a small `cycle` says that G hides the source in its output, where the eye and D
    do not look, for F to find (Chu, Zhmoginov and Sandler 2017, arXiv:1712.02950).

    Args:
        pair: trained, in evaluation mode.
        sources: s (N, C, H, W).
        truth: s → the target that belongs to it.
        disturb: changes G(s) so little that it looks the same, such as by a little noise; nothing by default.
    """
    targets = pair(sources)
    return CycleErrors(
        absolute_error(pair.back(targets), sources).item(),
        absolute_error(targets, truth(sources)).item(),
        absolute_error(pair.back(disturb(targets)), sources).item(),
    )


def noisy(std: float, seed: int = 0) -> Callable[[Tensor], Tensor]:
    """x ↦ clamp(x + ε), ε ~ N(0, std²) for each pixel; the same noise at each call."""

    def disturb(images: Tensor) -> Tensor:
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
        return (images + std * noise).clamp(-1, 1)

    return disturb
