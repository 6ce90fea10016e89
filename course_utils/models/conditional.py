"""Labels and codes for the course's networks: each class wraps an ordinary one, of points or of images."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.dcgan import dcgan_discriminator, dcgan_generator
from course_utils.models.mlp import mlp_discriminator, mlp_generator
from course_utils.models.normalisation import initialised, spectrally_normalised
from course_utils.models.residual import ClassBatchNorm
from course_utils.models.sizes import positive

# --- generators: (latents, labels) → samples ---------------------------------------------------------------


class ConcatenatedGenerator(nn.Module):
    """(z, y) ↦ G([z, one-hot y]): the label as K more numbers of the latent  (Mirza and Osindero 2014,
    arXiv:1411.1784).

    Args:
        generator: takes latents of latent_dim + classes numbers.
        classes: K; labels are 0 … K − 1.
    """

    def __init__(self, generator: nn.Module, classes: int = 10):
        super().__init__()
        self.latent_dim = _without(generator.latent_dim, classes)
        self.generator, self.classes = generator, classes

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, latent_dim) and labels (N,) → samples (N, ...)."""
        return self.generator(torch.cat([latents, one_hot(labels, self.classes, latents)], dim=1))


class ClassNormGenerator(nn.Module):
    """(z, y) ↦ G([z, e_y]), with a scale and a shift for each class in every batch normalisation.

    e_y is a learnt vector, an embedding of the class. For class-conditional normalisation see
    `ClassBatchNorm`; where the generator has no batch normalisation, e_y is all that tells it the class.

    Args:
        generator: an nn.Sequential that takes latents of latent_dim + label_dim numbers; each of its
            nn.BatchNorm2d is replaced by a `ClassBatchNorm`.
        classes: K; labels are 0 … K − 1.
        label_dim: size of e_y.
    """

    def __init__(self, generator: nn.Sequential, classes: int = 10, label_dim: int = 16):
        super().__init__()
        self.latent_dim = _without(generator.latent_dim, label_dim)
        self.label = nn.Embedding(classes, label_dim)
        self.layers = nn.ModuleList(
            ClassBatchNorm(layer.num_features, classes) if isinstance(layer, nn.BatchNorm2d) else layer
            for layer in generator
        )

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, latent_dim) and labels (N,) → samples (N, ...)."""
        maps = torch.cat([latents, self.label(labels)], dim=1)
        for layer in self.layers:
            maps = layer(maps, labels) if isinstance(layer, ClassBatchNorm) else layer(maps)
        return maps


class CodedGenerator(nn.Module):
    """z ↦ G([noise, one-hot c, u]): the latent holds a category c and some numbers u that can be asked for.

    InfoGAN's generator (Chen et al. 2016, arXiv:1606.03657). The latent stays z ~ N(0, I), so that everything
    that samples a generator samples this one: with Φ the normal distribution's cumulative distribution, the
    last numbers of z give c = ⌊K·Φ(z)⌋, uniform on K categories, and u = 2·Φ(z) − 1, uniform on [−1, 1].

    Args:
        generator: takes latents of noise + classes + continuous numbers.
        classes: K, how many categories.
        continuous: how many numbers u.
    """

    def __init__(self, generator: nn.Module, classes: int = 10, continuous: int = 2):
        super().__init__()
        positive("classes", (classes,))
        self.noise_dim = _without(generator.latent_dim, classes + continuous)
        self.latent_dim = self.noise_dim + 1 + continuous
        self.generator, self.classes = generator, classes

    def codes(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (N, latent_dim) → their categories (N,) and numbers (N, continuous) in [−1, 1]."""
        uniform = torch.special.ndtr(latents[:, self.noise_dim :])
        categories = (self.classes * uniform[:, 0]).long().clamp(max=self.classes - 1)
        return categories, 2 * uniform[:, 1:] - 1

    def latents(self, noise: Tensor, categories: Tensor, continuous: Tensor) -> Tensor:
        """The latents (N, latent_dim) that have these codes.

        Args:
            noise: (N, noise_dim), what the codes leave open.
            categories: (N,), below K.
            continuous: (N, continuous) in (−1, 1).
        """
        middle = (categories[:, None] + 0.5) / self.classes
        return torch.cat([noise, torch.special.ndtri(torch.cat([middle, (continuous + 1) / 2], 1))], dim=1)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents (N, latent_dim) → samples (N, ...)."""
        categories, continuous = self.codes(latents)
        parts = [latents[:, : self.noise_dim], one_hot(categories, self.classes, latents), continuous]
        return self.generator(torch.cat(parts, dim=1))


# --- discriminators: (samples, labels) → logits (N,) -------------------------------------------------------


class ConcatenatedDiscriminator(nn.Module):
    """(x, y) ↦ D([x, one-hot y])  (Mirza and Osindero 2014, arXiv:1411.1784).

    Beside the numbers of a point stand K more; beside the channels of an image K more maps, of which that of
    its class is 1 everywhere and the others are 0.

    Args:
        discriminator: takes points of d + classes numbers, or images of C + classes channels.
        classes: K; labels are 0 … K − 1.
    """

    def __init__(self, discriminator: nn.Module, classes: int = 10):
        super().__init__()
        self.discriminator, self.classes = discriminator, classes

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Samples (N, d) or (N, C, H, W) and labels (N,) → logits (N,)."""
        told = one_hot(labels, self.classes, samples)
        told = told[(..., *[None] * (samples.ndim - 2))].expand(-1, -1, *samples.shape[2:])
        return self.discriminator(torch.cat([samples, told], dim=1))


class ProjectionDiscriminator(nn.Module):
    """(x, y) ↦ w·φ(x) + b + v_y·φ(x)  (Miyato and Koyama 2018, arXiv:1802.05637).

    w·φ(x) + b asks whether x is real, v_y·φ(x) whether it fits its class. Why an inner product:
    `theory.class_weights`.

    Args:
        features: φ, samples (N, ...) → (N, width).
        width: of the features.
        classes: K; labels are 0 … K − 1.
    """

    def __init__(self, features: nn.Module, width: int, classes: int = 10):
        super().__init__()
        self.features = features
        self.real = nn.Linear(width, 1)
        self.fits = nn.Linear(classes, width, bias=False)  # a table, as a matrix that can be normalised

    def forward(self, samples: Tensor, labels: Tensor) -> Tensor:
        """Samples (N, ...) and labels (N,) → logits (N,)."""
        h = self.features(samples)
        asked = self.fits(one_hot(labels, self.fits.in_features, h))  # v_y, (N, width)
        return self.real(h).flatten() + (asked * h).sum(1)


class AnsweringDiscriminator(nn.Module):
    """x ↦ w·φ(x) + b, and beside it answers A·φ(x) + a: to which class does x belong, from which code was it?

    It is not told the label: it has to say it. `GAN(auxiliary=…)` asks for the answers: logits of the classes
    in an AC-GAN (Odena et al. 2017, arXiv:1610.09585), what is known of the codes in an InfoGAN (Chen et al.
    2016, arXiv:1606.03657).

    Args:
        features: φ, samples (N, ...) → (N, width).
        width: of the features.
        answers: how many numbers it says beside the logit.
    """

    def __init__(self, features: nn.Module, width: int, answers: int):
        super().__init__()
        self.features = features
        self.real, self.answer = nn.Linear(width, 1), nn.Linear(width, answers)

    def answers(self, samples: Tensor, *conditions: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (N, ...) → logits (N,) and answers (N, answers); conditions are not looked at."""
        h = self.features(samples)
        return self.real(h).flatten(), self.answer(h)

    def forward(self, samples: Tensor, *conditions: Tensor) -> Tensor:
        """Samples (N, ...) → logits (N,); conditions are not looked at."""
        return self.real(self.features(samples)).flatten()


def features_of(discriminator: nn.Sequential) -> tuple[nn.Sequential, int]:
    """A discriminator without its last linear layer: φ, and how many features it has.

    Args:
        discriminator: ends in nn.Linear and nn.Flatten(0), as those of this course.

    Raises:
        ValueError: it does not.
    """
    *layers, last, _ = discriminator
    if not isinstance(last, nn.Linear):
        raise ValueError(
            f"needs a discriminator whose last layer but one is nn.Linear, got {type(last).__name__}; pass "
            "the layers and their width yourself."
        )
    return nn.Sequential(*layers), last.in_features


def one_hot(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """(N,) → (N, classes), in the number format of `like`."""
    return F.one_hot(labels, classes).to(like.dtype)


# --- pairs of them, by what they do with the label ---------------------------------------------------------

WAYS = ("concatenation", "embedding", "auxiliary classifier", "projection")


def with_labels(
    way: str,
    generator: Callable[[int], nn.Sequential],
    discriminator: Callable[[int], nn.Sequential],
    latent_dim: int,
    classes: int = 10,
    label_dim: int = 16,
) -> tuple[nn.Module, nn.Module]:
    """One pair of networks in one of four ways to tell them the label.

    | way | generator | discriminator |
    | --- | --- | --- |
    | concatenation | `ConcatenatedGenerator` | `ConcatenatedDiscriminator` |
    | embedding | `ClassNormGenerator` | `ConcatenatedDiscriminator` |
    | auxiliary classifier | `ClassNormGenerator` | `AnsweringDiscriminator` |
    | projection | `ClassNormGenerator` | `ProjectionDiscriminator` |

    Args:
        way: of `WAYS`.
        generator: generator(n) builds one that takes latents of n numbers.
        discriminator: discriminator(more) builds one of samples with so many more channels, or numbers.
        latent_dim: of the latents without the label.
        classes: K.
        label_dim: of the label's embedding.

    Raises:
        ValueError: no such way.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}, got {way!r}; choose one of them.")
    if way == "concatenation":
        labelled = ConcatenatedGenerator(generator(latent_dim + classes), classes)
    else:
        labelled = ClassNormGenerator(generator(latent_dim + label_dim), classes, label_dim)
    if way in ("concatenation", "embedding"):
        return labelled, ConcatenatedDiscriminator(discriminator(classes), classes)
    head = AnsweringDiscriminator if way == "auxiliary classifier" else ProjectionDiscriminator
    return labelled, head(*features_of(discriminator(0)), classes)


def conditional_dcgan(way: str = "projection", classes: int = 10) -> tuple[nn.Module, nn.Module]:
    """The generator and the discriminator of notebook 05 (`mnist_dcgan`), told the label in one of four ways.

    Args:
        way: as in `with_labels`.
        classes: K.
    """
    generator, discriminator = with_labels(way, _generator, _discriminator, 32, classes)
    return generator, spectrally_normalised(initialised(discriminator))


def conditional_mlp(
    way: str = "projection", classes: int = 8, hidden: tuple[int, ...] = (64, 64)
) -> tuple[nn.Module, nn.Module]:
    """The same for points of the plane, with the networks of notebook 03 (`toy_gan`)."""
    return with_labels(
        way,
        lambda inputs: mlp_generator((2,), inputs, hidden),
        lambda more: mlp_discriminator((2 + more,), hidden),
        latent_dim=2,
        classes=classes,
        label_dim=classes,
    )


def infogan_dcgan(classes: int = 10, continuous: int = 2) -> tuple[CodedGenerator, AnsweringDiscriminator]:
    """The networks of notebook 05 for an InfoGAN: a category and some numbers to ask for.

    D answers with K logits, and a mean and a log variance for each number.
    """
    generator = CodedGenerator(_generator(32 + classes + continuous), classes, continuous)
    discriminator = AnsweringDiscriminator(*features_of(_discriminator(0)), classes + 2 * continuous)
    return generator, spectrally_normalised(initialised(discriminator))


def _generator(inputs: int) -> nn.Sequential:
    return dcgan_generator((1, 28, 28), inputs, width=32, extra_convs=1)


def _discriminator(more: int) -> nn.Sequential:
    return dcgan_discriminator((1 + more, 28, 28), width=32, extra_convs=1)


def _without(inputs: int, told: int) -> int:
    if inputs <= told:
        raise ValueError(
            f"the generator's latent_dim must exceed the {told} numbers that the label takes, got {inputs}; "
            "build it with more."
        )
    return inputs - told
