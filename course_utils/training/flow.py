"""Flow matching on the training loop: one network, one regression, one step.

A velocity that carries noise to data is learnt by least squares on straight paths between the two; no
differential equation is solved (Lipman, Chen, Ben-Hamu, Nickel, Le 2023, arXiv:2210.02747).
"""

import copy
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields, replace
from statistics import fmean

import torch
from torch import Tensor, nn

from course_utils.models.flow import Flow, Velocity
from course_utils.training.machine import Batch, Machine
from course_utils.training.validation import check_least, check_samples


def flow_matching_loss(velocity: Velocity, samples: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """E‖v(x_t, t) − (x − ε)‖² / D with x_t = (1 − t)·ε + t·x  (arXiv:2210.02747, eq. 23, with σ_min = 0).

    The conditional loss: the target is the velocity of the straight path from one ε to one x. Its gradient
    is that of the distance to E[x − ε | x_t], which nobody could compute (theorem 2).

    Args:
        velocity: (x, t) → v(x, t).
        samples: x (N, ...).
        noise: ε ~ N(0, I), of the samples' shape.
        times: t (N,), uniform in [0, 1].

    Returns:
        Scalar ≥ 0, the mean over samples and their D dimensions.

    Raises:
        ValueError: shapes that do not agree.
    """
    if noise.shape != samples.shape or times.shape != samples.shape[:1]:
        raise ValueError(
            f"noise must have the samples' shape {tuple(samples.shape)} and times "
            f"{tuple(samples.shape[:1])}, got {tuple(noise.shape)} and {tuple(times.shape)}; change them: "
            "broadcasting would mix samples."
        )
    t = times.view(-1, *[1] * (samples.ndim - 1))
    points = (1 - t) * noise + t * samples
    return (velocity(points, times).float() - (samples - noise)).square().mean()


@dataclass(eq=False)
class FlowMatching:
    """A velocity; `train(FlowMatching(velocity, (1, 28, 28)), draw_real)` trains it in place.

    `run.average` is a `Flow`: called with latents it returns samples; its `encode(x)` returns latents.

    Args:
        velocity: maps points (N, *sample_shape) and times (N,) to velocities (N, *sample_shape).
        sample_shape: of one sample.
        bounded: whether samples are clamped to [-1, 1]; None for images only.
        steps, method: how the flow makes samples (`integrate`); the training does not use them.
        lr, betas: Adam's.
    """

    velocity: nn.Module
    sample_shape: tuple[int, ...]
    _: KW_ONLY
    bounded: bool | None = None
    steps: int = 16
    method: str = "heun"
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.99)

    averaged = "flow"
    measured = ("flow_matching_loss",)

    def __post_init__(self):
        check_least(0, lr=self.lr)
        bounded = len(self.sample_shape) == 3 if self.bounded is None else self.bounded
        self.flow = Flow(self.velocity, self.sample_shape, self.steps, self.method, bounded)

    @property
    def networks(self) -> dict[str, nn.Module]:
        return {"flow": self.flow}

    @property
    def settings(self) -> dict[str, object]:
        """All that decides about the training beside the network's weights."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}

    @property
    def latent_dim(self) -> int:
        return self.flow.latent_dim

    def copy(self) -> "FlowMatching":
        """The same model with a copy of its network."""
        return replace(self, velocity=copy.deepcopy(self.velocity))

    def prepare(self, machine: Machine) -> None:
        """The optimiser, and the network as the step calls it."""
        self.call_velocity = machine.wrap(self.velocity)
        fused = machine.device.type in ("cpu", "cuda")  # Adam for all weights in one call
        self.optimizers = {"flow": torch.optim.Adam(self.flow.parameters(), self.lr, self.betas, fused=fused)}

    @torch.no_grad()
    def check(self, batch: Batch, device: torch.device) -> None:
        """One evaluation on an example, in evaluation mode; raises where network and data do not fit."""
        mode = self.velocity.training
        self.velocity.eval()
        if tuple(batch[0].shape[1:]) != tuple(self.sample_shape):
            raise ValueError(
                f"sample_shape is {tuple(self.sample_shape)}, but draw_real returns samples of "
                f"{tuple(batch[0].shape[1:])}; change one of them."
            )
        check_samples(self.velocity(batch[0], torch.zeros(len(batch[0]), device=device)), batch, "velocity")
        self.velocity.train(mode)

    def training_step(self, draw: Callable[[], Batch], machine: Machine) -> dict[str, Tensor]:
        """One step down the flow matching loss. `draw()` gives a batch of the data."""
        samples, *_ = draw()
        noise = machine.latents(self.latent_dim).view_as(samples)
        times = torch.special.ndtr(machine.latents(1)).squeeze(1)  # Φ of a normal number is uniform
        with machine.autocast():
            loss = flow_matching_loss(self.call_velocity, samples, noise, times)
        optimizer = self.optimizers["flow"]
        optimizer.zero_grad()  # PyTorch adds a new gradient to what an earlier step has left
        loss.backward()
        optimizer.step()
        return {"flow_matching_loss": loss.detach()}

    def sample(self, network: nn.Module, latents: Tensor, batch: Batch) -> Tensor:
        """Where the flow takes these latents."""
        return network(latents)

    def summary(self, history: dict[str, list[float]], steps: int = 100) -> str:
        """The loss over the last steps. It does not fall to 0: see `flow_matching_loss`."""
        if not history["images"]:
            return ""
        return f"flow matching loss {fmean(history['flow_matching_loss'][-steps:]):.3f}"
