"""Answers that would fail on a GPU are told apart without one."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.checks import Wrong, devices
from course_utils.checks.devices import call_anywhere, try_elsewhere

X = torch.linspace(-1, 1, 6).reshape(3, 2)
ANYWHERE = {
    "of the same kind": lambda x: x + torch.ones_like(x),
    "new, from it": lambda x: x * x.new_zeros(3, 1),
    "on its device": lambda x: x + torch.rand(3, 1, device=x.device),
    "moved there": lambda x: torch.rand(3, 1).to(x.device) * x,
    "moved to the tensor": lambda x: x * torch.rand(3, 1).to(x),
    "a single number": lambda x: x * torch.tensor(2.0) + torch.rand(()),
    "places to look at": lambda x: x[torch.randint(3, (2,))],
    "on the CPU for Python": lambda x: torch.stack([row if torch.rand(1) < 0.5 else -row for row in x]),
    "copied into it": lambda x: torch.zeros_like(x).copy_(torch.rand(3, 2)),
    "of targets": lambda x: F.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.9)),
}
AT_HOME_ONLY = {
    "ones": lambda x: x + torch.ones(3, 2),
    "drawn with its own generator": lambda x: (
        x * torch.rand(3, 1, generator=torch.Generator().manual_seed(0))
    ),
    "after a calculation": lambda x: torch.where(torch.rand(3, 1) < 0.5, x, -x),
    "another type only": lambda x: x + torch.ones(3, 2).to(torch.float32),
    "the word": lambda x: x + torch.ones(3, 2, device="cpu"),
    "of targets": lambda x: F.binary_cross_entropy_with_logits(x, torch.ones(3, 2)),
    "put together": lambda x: torch.cat([x, torch.zeros(1, 2)]),
    "from a list": lambda x: torch.tensor(x.tolist()),
    "filled": lambda x: _filled(torch.zeros(3, 2), x),
}


def _filled(target, source):
    target[1:] = source[1:]
    return target


@pytest.fixture
def on_a_gpu(monkeypatch):
    monkeypatch.setattr(devices, "pick_device", lambda: torch.device("cuda"))


@pytest.mark.parametrize("answer", ANYWHERE.values(), ids=ANYWHERE)
def test_what_runs_on_any_device_passes(answer, on_a_gpu):
    assert call_anywhere(answer, X) == ""


@pytest.mark.parametrize("answer", AT_HOME_ONLY.values(), ids=AT_HOME_ONLY)
def test_what_stays_behind_on_the_cpu_is_named(answer, on_a_gpu):
    with pytest.raises(Wrong, match=r"`torch\.\w+`.* CPU"):
        call_anywhere(answer, X)


@pytest.mark.parametrize("answer", AT_HOME_ONLY.values(), ids=AT_HOME_ONLY)
def test_where_there_is_no_gpu_it_is_told_and_passes(answer):
    assert "On a machine with a GPU it would fail" in call_anywhere(answer, X)


class Blur(nn.Module):
    """A layer with a kernel that is no weight."""

    def __init__(self, buffer):
        super().__init__()
        kernel = torch.ones(1, 1, 3, 3) / 9
        if buffer:
            self.register_buffer("kernel", kernel)
        else:
            self.kernel = kernel

    def forward(self, images):
        return F.conv2d(images, self.kernel)


class Noisy(nn.Module):
    def forward(self, images):
        return images + 0.1 * torch.randn(len(images), 1, 1, 1)


def test_a_network_that_would_leave_a_tensor_behind_is_named(on_a_gpu):
    images = torch.zeros(2, 1, 5, 5)
    assert (
        try_elsewhere(nn.Sequential(nn.Conv2d(1, 1, 3), nn.BatchNorm2d(1), Blur(buffer=True)), images) == ""
    )
    with pytest.raises(Wrong, match=r"`self\.kernel` lies on .*register_buffer"):
        try_elsewhere(nn.Sequential(nn.Conv2d(1, 1, 1), Blur(buffer=False)), images)
    with pytest.raises(Wrong, match=r"what `torch\.randn` makes lies on"):
        try_elsewhere(nn.Sequential(nn.Conv2d(1, 1, 1), Noisy()), images)
