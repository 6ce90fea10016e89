"""How much arithmetic a step takes: counted, not guessed."""

from collections.abc import Callable

from torch.utils.flop_counter import FlopCounterMode


def count(call: Callable[[], object]) -> int:
    """FLOP of the matrix products and convolutions that `call` makes, backward passes included.

    A multiply-add counts as two. Elementwise operations, normalisation, optimisers and matrix-vector products
    are not counted: they take time, but hardly any arithmetic.
    """
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()
