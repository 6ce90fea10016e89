"""From image to image with pairs: regression alone, and a GAN that also keeps near to the target.

A batch is (target, source), as `data.translation_sampler` draws it; a generator is called with sources, and
with latents too where it has any.
"""

import copy
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields, replace
from statistics import fmean

import torch
from torch import Tensor, nn

from course_utils.losses import get_loss, weighted
from course_utils.training.gan import GAN, GeneratorTerm, Shown, translation
from course_utils.training.machine import Batch, Machine
from course_utils.training.validation import check_latent_dim, check_least, check_samples


def absolute_error(images: Tensor, targets: Tensor) -> Tensor:
    """E|G − y|, the mean over pixels: least at the median of the targets that fit a source. → ()"""
    return (images - targets).abs().mean()


def squared_error(images: Tensor, targets: Tensor) -> Tensor:
    """E(G − y)², the mean over pixels: least at the mean of the targets that fit a source. → ()"""
    return (images - targets).square().mean()


def error_of_mean(images: Tensor, targets: Tensor) -> Tensor:
    """E[(G(x, z₁) − y)·(G(x, z₂) − y)]: the squared error of the *mean* of G over z, from two samples of it.

    Given x, z₁ and z₂ are independent, so the expectation is (E_z G − y)², averaged over y: least where the
    mean of the completions is the mean of the targets, however far apart the completions are. Ohayon et al.
    2021 (arXiv:2103.04192) penalise that error of the mean; the estimate from two samples, a product in
    place of a square, has no bias. Single products may be negative.

    Args:
        images: G(x, z) (N, ...), N even; images 2k and 2k + 1 belong to one source.
        targets: y, each twice in a row, as `translation_sampler(…, repeats=2)` draws them.

    Returns:
        Scalar, the mean over pixels.

    Raises:
        ValueError: targets that do not come in pairs.
    """
    if len(targets) % 2 or not torch.equal(targets[::2], targets[1::2]):
        raise ValueError(
            "the error of the mean needs each target twice in a row; draw batches of an even size with "
            "translation_sampler(…, repeats=2)."
        )
    return ((images[::2] - targets[::2]) * (images[1::2] - targets[1::2])).mean()


ERRORS = {"absolute": absolute_error, "squared": squared_error, "mean": error_of_mean}


def get_error(error: str) -> Callable[[Tensor, Tensor], Tensor]:
    """The error of that name in `ERRORS`: (images, targets) → ().

    Raises:
        ValueError: no error has that name.
    """
    if error not in ERRORS:
        raise ValueError(f"error must be one of {', '.join(ERRORS)}, got {error!r}; choose one of them.")
    return ERRORS[error]


def reconstruction_term(weight: float = 1.0, error: str = "absolute") -> GeneratorTerm:
    """λ · error(G(source), target), for `GAN(generator_term=…)`.

    Args:
        weight: λ ≥ 0.
        error: a name in `ERRORS`.

    Raises:
        ValueError: λ is negative, or no error has that name.
    """
    check_least(0, weight=weight)
    of = get_error(error)

    def term(discriminator: nn.Module, real: Shown, fake: Shown) -> Tensor:
        return weight * of(fake[0], real[0])

    return term


def pix2pix(
    generator: nn.Module,
    discriminator: nn.Module,
    *,
    adversarial: float = 1.0,
    reconstruction: float = 1.0,
    error: str = "absolute",
    loss: str = "non_saturating",
    **game,
) -> GAN:
    """G minimises a·(GAN's loss) + λ·error(G(source), target); D sees pairs of image and source.

    Isola, Zhu, Zhou and Efros (2017, arXiv:1611.07004, eq. 4) take a = 1, λ = 100 and the absolute error.
    With a = 0 what is left is `Regression`, and a discriminator that looks on.

    Args:
        generator: sources, and latents where it has any → targets.
        discriminator: (targets, sources) → logits.
        adversarial: a ≥ 0.
        reconstruction: λ ≥ 0.
        error: "absolute", "squared", or "mean" (`error_of_mean`), which wants latents.
        loss: as in `GAN`.
        **game: other arguments of `GAN`.
    """
    return GAN(
        generator,
        discriminator,
        loss=weighted(get_loss(loss), adversarial),
        shown=translation,
        generator_term=reconstruction_term(reconstruction, error),
        **game,
    )


@dataclass(eq=False)
class Regression:
    """A network that learns targets by their error alone: `train(Regression(generator), draw_pairs)`.

    `run.average` is the network: called with sources it returns targets.

    Args:
        generator: sources, and latents where it has any → targets.
        error: a name in `ERRORS`.
        lr, betas: Adam's.
    """

    generator: nn.Module
    _: KW_ONLY
    error: str = "squared"
    lr: float = 2e-3
    betas: tuple[float, float] = (0.9, 0.99)

    averaged = "generator"
    measured = ("error",)

    def __post_init__(self):
        get_error(self.error)
        check_least(0, lr=self.lr)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator}

    @property
    def settings(self) -> dict[str, object]:
        """All that decides about the training beside the network's weights."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}

    @property
    def latent_dim(self) -> int:
        return check_latent_dim(self.generator)

    def copy(self) -> "Regression":
        """The same model with a copy of its network."""
        return replace(self, generator=copy.deepcopy(self.generator))

    def prepare(self, machine: Machine) -> None:
        """The optimiser, and the network as the step calls it."""
        self.generate = machine.wrap(self.generator)
        fused = machine.device.type in ("cpu", "cuda")  # Adam for all weights in one call
        adam = torch.optim.Adam(self.generator.parameters(), self.lr, self.betas, fused=fused)
        self.optimizers = {"generator": adam}

    @torch.no_grad()
    def check(self, batch: Batch, device: torch.device) -> None:
        """One pass of an example, in evaluation mode; raises where network and data do not fit."""
        mode = self.generator.training
        self.generator.eval()
        latents = torch.zeros(len(batch[0]), self.latent_dim, device=device)
        check_samples(self.sample(self.generator, latents, batch), batch)
        self.generator.train(mode)

    def training_step(self, draw: Callable[[], Batch], machine: Machine) -> dict[str, Tensor]:
        """One step down the error. `draw()` gives a batch of (target, source)."""
        batch = draw()
        with machine.autocast():
            images = self.sample(self.generate, machine.latents(self.latent_dim), batch)
        error = get_error(self.error)(images.float(), batch[0])
        optimizer = self.optimizers["generator"]
        optimizer.zero_grad()  # PyTorch adds a new gradient to what an earlier step has left
        error.backward()
        optimizer.step()
        return {"error": error.detach()}

    def sample(self, network: Callable, latents: Tensor, batch: Batch) -> Tensor:
        """What the network makes of the batch's sources, and of these latents where it has any."""
        return translation(network, batch, latents)[1][0]

    def summary(self, history: dict[str, list[float]], steps: int = 100) -> str:
        """The error over the last steps."""
        return f"{self.error} error {fmean(history['error'][-steps:]):.4f}" if history["images"] else ""
