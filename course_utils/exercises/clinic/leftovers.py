"""Whether a program's steps start from empty gradients."""

from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from course_utils.exercises.clinic.recording import Watch, record


def gradients_that_add_up(program: Callable, draw: Callable, start: int) -> list[str]:
    """The networks whose next step still has the last one's gradient in it, because nobody emptied it.

    What stands in `grad` right after a step is replaced by something large. Where the weights of a later
    round are others by that, the next `backward` has added to it.
    """
    rounds, found = 3, []
    plain, again = (record(program, draw, rounds, start).shown for _ in range(2))
    if not _same_weights(plain, again):
        return []  # chance that no seed governs: nothing can be compared
    for name in (name for name, value in plain.items() if isinstance(value, nn.Module)):
        if not _same_weights(plain, _record_with_large_leftovers(program, draw, rounds, start, name)):
            found.append(name)
    return found


def _same_weights(one: Mapping, other: Mapping) -> bool:
    networks = [name for name, value in one.items() if isinstance(value, nn.Module)]
    return all(
        torch.equal(*(parameters_to_vector(shown[name].parameters()) for shown in (one, other)))
        for name in networks
    )


def _record_with_large_leftovers(
    program: Callable, draw: Callable, rounds: int, start: int, name: str
) -> Mapping:
    """What a program shows last, if the gradients of one of its networks are large after each step."""
    watch = Watch()

    def enlarge(optimizer: Optimizer, arguments: tuple, keywords: dict) -> None:
        of_the_network = {id(weight) for weight in watch.recording.shown.get(name, nn.Module()).parameters()}
        for weight in (weight for group in optimizer.param_groups for weight in group["params"]):
            if id(weight) in of_the_network and weight.grad is not None:
                weight.grad.fill_(1_000.0)

    hook = register_optimizer_step_post_hook(enlarge)
    try:
        with watch.listening():
            program(draw, rounds, start, watch)
    finally:
        hook.remove()
    return watch.recording.shown
