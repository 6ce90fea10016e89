"""Whether numbers that should have been drawn one by one were."""

import torch
from torch import Tensor


def go_together(numbers: Tensor) -> bool:
    """Whether some two of (N,) numbers of mean 0 and deviation 1 depend on each other by their places.

    Asked of numbers at each distance, and of those on both sides of each place, as where −ε follows ε in a
    batch. N should be 1,000 at least: of independent numbers such a mean product stays below 6/√N.
    """
    n = len(numbers)
    waves = torch.fft.fft(numbers.double(), 2 * n)
    apart = torch.fft.ifft(waves * waves.conj()).real[1 : n - n // 20]
    about = torch.fft.ifft(waves * waves).real[n // 20 : 2 * n - n // 20 - 1]
    return max(apart.abs().max(), about.abs().max()).item() > 0.25 * n
