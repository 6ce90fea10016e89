"""Feature matching: inside the discriminator, generated samples shall look like the data on average."""

from torch import Tensor, nn

from course_utils.training.gan import GeneratorTerm, Shown


def feature_matching(weight: float = 1.0) -> GeneratorTerm:
    """λ · ‖E[f(x)] − E[f(G(z))]‖²  (Salimans et al. 2016, arXiv:1606.03498, section 3.1), for G's side.

    f(x) is what the discriminator's last linear layer sees, (N, d). Salimans et al. put it in the place of
    the generator's loss; `GAN(generator_term=…)` adds it.

    Args:
        weight: λ ≥ 0.

    Raises:
        ValueError: λ is negative.
    """
    if weight < 0:
        raise ValueError(
            f"weight must be at least 0, got {weight}; a negative one drives the features apart."
        )

    def term(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        difference = last_features(discriminator, real).mean(0) - last_features(discriminator, fake).mean(0)
        return weight * difference.square().sum()

    return term


def last_features(discriminator: nn.Module, shown: Shown) -> Tensor:
    """What the discriminator's last linear layer sees of these samples, (N, d), as part of their graph."""
    *_, last = (layer for layer in discriminator.modules() if isinstance(layer, nn.Linear))
    seen = []
    hook = last.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    try:
        discriminator(*shown)
    finally:
        hook.remove()
    return seen[0]
