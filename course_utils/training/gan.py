"""The GAN on the training loop: the two steps, and what the discriminator is shown.

min over G of max over D of V(D, G), by alternating steps (Goodfellow et al. 2014, arXiv:1406.2661).
"""

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import KW_ONLY, dataclass, fields, replace
from statistics import fmean as mean
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim import Optimizer

from course_utils.losses import LOSSES, GANLoss, get_loss
from course_utils.training.distributed import world_size
from course_utils.training.machine import Augmentation, Batch, Machine
from course_utils.training.validation import check_latent_dim, check_least, check_logits, check_samples

NON_SATURATING = LOSSES["non_saturating"]
FULL_PRECISION = nullcontext()  # in place of an autocast


class Shown(tuple):
    """What D is shown as real, or as fake: samples (N, ...), and what belongs to them (labels, sources)."""

    def detach(self) -> "Shown":
        """The same numbers without their history."""
        return Shown(part.detach() for part in self)

    def float(self) -> "Shown":
        """Floating-point parts in float32; labels stay whole numbers."""
        return Shown(part.float() if part.is_floating_point() else part for part in self)


Penalty = Callable[[nn.Module, Shown, Shown], Tensor]  # (discriminator, real, fake) -> ()
GeneratorTerm = Penalty  # the same on the generator's side: `fake` is part of the generator's graph


class Auxiliary(NamedTuple):
    """A second question to D, beside real or fake, whose answers both players want to be right.

    D needs a method `answers` that returns (logits, answers), such as `AnsweringDiscriminator`'s.
    """

    loss: Callable[[Tensor, Shown], Tensor]  # (answers (N, ...), what D was shown) -> ()
    on: tuple[str, ...] = ("real", "fake")  # whose answers D learns from; G learns from those on its fakes


# --- the two steps -----------------------------------------------------------------------------------------


def discriminator_step(
    discriminator: Callable[[Tensor | Shown], Tensor],
    optimizer: Optimizer,
    real: Tensor | Shown,
    fake: Tensor | Shown,
    loss: GANLoss = NON_SATURATING,
    *,
    penalty: Callable[[Shown, Shown], Tensor] | None = None,
    autocast: AbstractContextManager = FULL_PRECISION,
) -> tuple[Tensor, Tensor, Tensor]:
    """One step of D down its loss, with G held fixed.

    Args:
        discriminator: maps what it is shown to logits (N,); it moves.
        optimizer: of the discriminator's weights.
        real: samples of the data (N, ...).
        fake: generated samples (N, ...), still part of the generator's graph.
        loss: the two players' losses.
        penalty: penalty(real, fake) is added to the loss.
        autocast: the number format of D's forward passes.

    Returns:
        D's loss before the step, without the penalty, and its logits of the real and of the fake samples.
    """
    real, fake = real.detach(), fake.detach()  # this step must not reach the generator
    with autocast:
        real_logits, fake_logits = discriminator(real).float(), discriminator(fake).float()
    value = loss.discriminator(real_logits, fake_logits)
    total = value if penalty is None else value + penalty(real, fake)
    optimizer.zero_grad()  # PyTorch adds a new gradient to what an earlier step has left
    total.backward()
    optimizer.step()
    return value.detach(), real_logits.detach(), fake_logits.detach()


def generator_step(
    discriminator: Callable[[Tensor | Shown], Tensor],
    optimizer: Optimizer,
    real: Tensor | Shown,
    fake: Tensor | Shown,
    loss: GANLoss = NON_SATURATING,
    *,
    term: Callable[[Shown, Shown], Tensor] | None = None,
    autocast: AbstractContextManager = FULL_PRECISION,
) -> Tensor:
    """One step of G down its loss, through D, with D held fixed.

    Args:
        discriminator: maps what it is shown to logits (N,); gradients run through it, it does not change.
        optimizer: of the generator's weights.
        real: samples of the data (N, ...), for losses that compare (`loss.generator_sees_real`).
        fake: generated samples (N, ...), part of the generator's graph.
        loss: the two players' losses.
        term: term(real, fake) is added to the loss.
        autocast: the number format of D's forward passes.

    Returns:
        G's loss before the step, without the term.
    """
    with autocast:  # no detach: D tells each sample where to go
        real_logits = discriminator(real).float() if loss.generator_sees_real else None
        fake_logits = discriminator(fake).float()
    value = loss.generator(real_logits, fake_logits)
    total = value if term is None else value + term(real, fake)
    optimizer.zero_grad()
    total.backward(inputs=weights_of(optimizer))  # G's weights alone: D's need no gradient here
    optimizer.step()
    return value.detach()


def weights_of(optimizer: Optimizer) -> list[Tensor]:
    """All the weights that it moves."""
    return [weight for group in optimizer.param_groups for weight in group["params"]]


def gradient_norm(optimizer: Optimizer) -> Tensor:
    """‖g‖, the length of all gradients of an optimiser's weights together, as the latest step found them."""
    return get_total_norm([weight.grad for weight in weights_of(optimizer) if weight.grad is not None])


# --- what D is shown: (generator, batch, latents) -> (real, fake) ------------------------------------------


def plain(generator: Callable, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """x against G(z)  (Goodfellow et al. 2014, arXiv:1406.2661)."""
    (real,) = batch
    return (real,), (generator(latents),)


def conditional(generator: Callable, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """(x, y) against (G(z, y), y): does a sample fit its label? (Mirza and Osindero 2014, arXiv:1411.1784)"""
    real, labels = batch
    return (real, labels), (generator(latents, labels), labels)


def translation(generator: Callable, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """(target, source) against (G(source), source): pairs of images (Isola et al. 2017, arXiv:1611.07004).

    Where the generator has latents, G(source, z): several targets may fit one source.
    """
    target, source = batch
    translated = generator(source, latents) if latents.shape[1] else generator(source)
    return (target, source), (translated, source)


def unpaired(pair: Callable, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """(t, s) against (G(s), F(t)), s and t drawn independently  (Zhu et al. 2017, arXiv:1703.10593).

    `pair` is one network: pair(s, t) returns G(s), which looks like a target, and F(t), which looks like a
    source. The discriminator sees both, for example a `TwoDiscriminators`.
    """
    target, source = batch
    return (target, source), pair(source, target)


def bidirectional(players: nn.Module, batch: Batch, latents: Tensor) -> tuple[Batch, Batch]:
    """(x, E(x)) against (G(z), z)  (Donahue et al. 2017, arXiv:1605.09782).

    `players` is one network: players(z) is G(z), players.encode(x) is E(x). It needs a loss that pulls on
    both sides, `losses.exchanged`.
    """
    (real,) = batch
    return (real, players.encode(real)), (players(latents), latents)


# --- the model ---------------------------------------------------------------------------------------------


@dataclass(eq=False)
class GAN:
    """A generator and a discriminator, and how they play; `train(GAN(G, D), draw_real)` trains them in place.

    A round is `discriminator_steps` steps of D, then `generator_steps` steps of G against the D that has just
    learnt; the first of these on the fakes that D has just seen.

    Args:
        generator: maps latents (N, generator.latent_dim) to samples, or what `shown` passes it.
        discriminator: maps samples, and what `shown` adds, to logits (N,).
        loss: a name in `course_utils.losses.LOSSES`, or a GANLoss.
        shown: what D is shown as real and as fake: `plain`, `conditional`, `translation`, `unpaired`,
            `bidirectional`.
        penalty: penalty(discriminator, real, fake) is added to D's loss; computed in float32, on tuples as D
            is shown them, without augmentation.
        penalty_every: the penalty is computed in every k-th step of D only, and counts k times there (lazy
            regularisation: Karras et al. 2020, arXiv:1912.04958, appendix B).
        generator_term: generator_term(discriminator, real, fake) is added to G's loss, such as
            `feature_matching`; computed as the penalty is, on what D is shown.
        auxiliary: what D is asked beside real or fake, such as `auxiliary_classifier`; its loss is added to
            those of both players. It comes of the same passes through D, with their augmentation.
        augment: augment(images, rng) is applied to all images that D sees, real and fake, differentiably.
        discriminator_steps, generator_steps: in one round.
        generator_lr, discriminator_lr: Adam's learning rates.
        betas: Adam's decay rates; the first is 0, since momentum makes the game circle.
    """

    generator: nn.Module
    discriminator: nn.Module
    _: KW_ONLY
    loss: str | GANLoss = "non_saturating"
    shown: Callable[[Callable, Batch, Tensor], tuple[Batch, Batch]] = plain
    penalty: Penalty | None = None
    penalty_every: int = 1
    generator_term: GeneratorTerm | None = None
    auxiliary: Auxiliary | None = None
    augment: Augmentation | None = None
    discriminator_steps: int = 1
    generator_steps: int = 1
    generator_lr: float = 2e-3
    discriminator_lr: float = 2e-3
    betas: tuple[float, float] = (0.0, 0.99)

    averaged = "generator"

    def __post_init__(self):
        get_loss(self.loss)
        check_least(1, penalty_every=self.penalty_every)
        check_least(1, discriminator_steps=self.discriminator_steps, generator_steps=self.generator_steps)
        check_least(0, generator_lr=self.generator_lr, discriminator_lr=self.discriminator_lr)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def measured(self) -> tuple[str, ...]:
        return (
            *("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy"),
            *("discriminator_gradient", "generator_gradient"),
            *(("auxiliary_loss",) if self.auxiliary else ()),  # of the fakes, in G's step
        )

    @property
    def settings(self) -> dict[str, object]:
        """All that decides about the training beside the networks' weights."""
        return {field.name: getattr(self, field.name) for field in fields(self)[2:]}

    @property
    def latent_dim(self) -> int:
        return check_latent_dim(self.generator)

    def copy(self) -> "GAN":
        """The same game between copies of the networks, and of those that the generator's term holds."""
        parts, known = {**self.networks, "generator_term": self.generator_term}, {}
        return replace(self, **{name: copy.deepcopy(part, known) for name, part in parts.items()})

    def prepare(self, machine: Machine) -> None:
        """Optimisers, and the networks as the steps call them."""
        if world_size() > 1:  # DistributedDataParallel passes forward alone on
            for part, says in (("encode", "an encoder"), ("back", "a way back"), ("codes", "codes")):
                if hasattr(self.generator, part):
                    raise ValueError(
                        f"a generator with {says} trains on one process; start it without torchrun."
                    )
            if self.auxiliary:
                raise ValueError(
                    "a discriminator that answers trains on one process; start it without torchrun."
                )
        if self.auxiliary and not hasattr(self.discriminator, "answers"):
            raise TypeError(
                "auxiliary needs a discriminator with a method answers(samples, …) -> (logits, answers), "
                f"such as models.AnsweringDiscriminator, got {type(self.discriminator).__name__}; take that."
            )
        packing = getattr(self.discriminator, "packing", 1)
        if machine.batch_size % packing:
            raise ValueError(
                f"packing must divide batch_size, got {packing} and {machine.batch_size}; change one of them."
            )
        self.objective = get_loss(self.loss)
        self.generate = machine.wrap(self.generator)
        call_discriminator = (
            self.discriminator.answers if self.auxiliary else machine.wrap(self.discriminator)
        )
        augment = self.augment and machine.augmenting(self.augment)

        def discriminate(shown: Shown) -> Tensor:
            samples, *conditions = shown
            return call_discriminator(augment(samples) if augment else samples, *conditions)

        self.discriminate = discriminate
        fused = machine.device.type in ("cpu", "cuda")  # Adam for all weights in one call
        rates = {"generator": self.generator_lr, "discriminator": self.discriminator_lr}
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), rates[name], self.betas, fused=fused)
            for name, network in self.networks.items()
        }

    @torch.no_grad()
    def check(self, batch: Batch, device: torch.device) -> None:
        """One pass of an example through both networks, in evaluation mode; raises where they do not fit."""
        modes = {network: network.training for network in self.networks.values()}
        for network in modes:
            network.eval()
        rng = torch.Generator(device).manual_seed(0)
        latents = torch.randn(len(batch[0]), self.latent_dim, generator=rng, device=device)
        real, fake = self.shown(self.generator, batch, latents)
        check_samples(fake[0], batch)
        packs = len(batch[0]) // getattr(self.discriminator, "packing", 1)
        if packs:
            whole = packs * getattr(self.discriminator, "packing", 1)
            expected = packs * getattr(self.discriminator, "logits_per_sample", 1)
            check_logits(self.discriminator(*(part[:whole] for part in real)), expected)
        for network, mode in modes.items():
            network.train(mode)

    def training_step(self, draw: Callable[[], Batch], machine: Machine) -> dict[str, Tensor]:
        """One round. `draw()` gives a batch of the data."""
        for _ in range(self.discriminator_steps):
            batch = draw()
            real, fake = self.show(batch, machine)
            numbers = self.move_discriminator(real, fake, machine)
        for step in range(self.generator_steps):
            if step > 0:
                real, fake = self.show(batch, machine)
            numbers |= self.move_generator(real, fake, machine)
        for player, optimizer in self.optimizers.items():
            numbers[f"{player}_gradient"] = gradient_norm(optimizer)
        return numbers

    def show(self, batch: Batch, machine: Machine) -> tuple[Shown, Shown]:
        """(real, fake): a batch, and samples of new latents, as D is shown them."""
        with machine.autocast():
            real, fake = self.shown(self.generate, batch, machine.latents(self.latent_dim))
        return Shown(real).float(), Shown(fake).float()

    def move_discriminator(self, real: Shown, fake: Shown, machine: Machine) -> dict[str, Tensor]:
        """D's step; returns its loss and how often it was right."""
        discriminate, heard = self._hearing()

        def asked(real: Shown, fake: Shown) -> Tensor:
            sides = zip(("real", "fake"), heard, strict=True)
            return sum(self.auxiliary.loss(*each) for side, each in sides if side in self.auxiliary.on)

        loss, real_logits, fake_logits = discriminator_step(
            discriminate,
            self.optimizers["discriminator"],
            real,
            fake,
            self.objective,
            penalty=_added(self._penalty_of_this_step(machine), self.auxiliary and asked),
            autocast=machine.autocast(),
        )
        middle = self.objective.undecided
        if middle is None:  # only differences mean something: which of the two is the more real?
            middle = (real_logits + fake_logits) / 2
        return {
            "discriminator_loss": loss,
            "real_accuracy": (real_logits > middle).float().mean(),
            "fake_accuracy": (fake_logits < middle).float().mean(),
        }

    def move_generator(self, real: Shown, fake: Shown, machine: Machine) -> dict[str, Tensor]:
        """G's step; returns its loss, and that of D's answers on the fakes."""
        discriminate, heard = self._hearing()
        term, said = self.generator_term, {}

        def asked(real: Shown, fake: Shown) -> Tensor:
            loss = self.auxiliary.loss(*heard[-1])  # the fakes come last
            said["auxiliary_loss"] = loss.detach()
            return loss

        loss = generator_step(
            discriminate,
            self.optimizers["generator"],
            real,
            fake,
            self.objective,
            term=_added(
                term and (lambda real, fake: term(self.discriminator, real, fake)), self.auxiliary and asked
            ),
            autocast=machine.autocast(),
        )
        return {"generator_loss": loss, **said}

    def _hearing(self) -> tuple[Callable[[Shown], Tensor], list[tuple[Tensor, Shown]]]:
        """D as the steps call it, who want its logits, and a list that its answers gather in meanwhile."""
        heard = []
        if self.auxiliary is None:
            return self.discriminate, heard

        def discriminate(shown: Shown) -> Tensor:
            logits, answers = self.discriminate(shown)
            heard.append((answers.float(), shown))
            return logits

        return discriminate, heard

    def sample(self, network: nn.Module, latents: Tensor, batch: Batch) -> Tensor:
        """What D would be shown as fake: samples of these latents, and of the batch's conditions."""
        return self.shown(network, batch, latents)[1][0]

    def summary(self, history: dict[str, list[float]], steps: int = 100) -> str:
        """D's accuracy over the last steps: the one number that says how the game stands."""
        if not history["images"]:
            return ""
        real, fake = (mean(history[side][-steps:]) for side in ("real_accuracy", "fake_accuracy"))
        return f"D is right about {real:.0%} of the real, {fake:.0%} of the fakes"

    def _penalty_of_this_step(self, machine: Machine) -> Callable[[Shown, Shown], Tensor] | None:
        if self.penalty is None or machine.batches_drawn % self.penalty_every:
            return None
        return lambda real, fake: self.penalty_every * self.penalty(self.discriminator, real, fake)


def _added(*terms: Callable[[Shown, Shown], Tensor] | None) -> Callable[[Shown, Shown], Tensor] | None:
    """The sum of those that are there; None where none is."""
    there = [term for term in terms if term is not None]
    return (lambda real, fake: sum(term(real, fake) for term in there)) if there else None
