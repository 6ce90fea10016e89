"""The fast path: the same numbers in another layout or compiled, and no waiting for the device in the loop.

The tests marked `gpu` need a GPU for themselves: `python -m pytest -m gpu tests`. The others prove what can
be proved on a CPU.
"""

from contextlib import AbstractContextManager, ExitStack, contextmanager

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from course_utils.data import image_sampler
from course_utils.losses import GANLoss, get_loss
from course_utils.models import dcgan_discriminator, dcgan_generator, spectrally_normalised
from course_utils.training import MNIST_DCGAN, machine, train
from course_utils.training.augmentation import augment
from course_utils.training.history import Recorder
from course_utils.training.machine import fast_matmuls, match_layout
from tests.training.games import train_gan

GPU = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine"),
]
DEVICES = ["cpu", pytest.param("cuda", marks=GPU)]
SHORT = {"images": 160, "batch_size": 16, "snapshot_samples": 4, "progress": False}
# Losses that wander little: a GAN at its usual rates doubles a difference in rounding every few steps.
SLOW = {"generator_lr": 2e-4, "discriminator_lr": 2e-4}


def players() -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    generator = dcgan_generator((3, 8, 8), latent_dim=4, width=8, extra_convs=1)  # batch normalisation
    return generator, spectrally_normalised(dcgan_discriminator((3, 8, 8), width=8))  # power iteration


def images(device: str):
    rng = torch.Generator().manual_seed(0)
    return image_sampler(torch.randint(0, 256, (100, 3, 8, 8), dtype=torch.uint8, generator=rng), device)


def r1(discriminator: nn.Module, real: tuple[Tensor], fake: tuple[Tensor]) -> Tensor:
    assert not hasattr(discriminator, "_orig_mod"), "the penalty must see the network, not its compiled form"
    real = real[0].detach().requires_grad_()
    (slope,) = torch.autograd.grad(discriminator(real).sum(), real, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


def close(run, other, tolerance: float) -> None:
    """Same losses in every step, and in the end the same samples, within the tolerance."""
    for name in ("discriminator_loss", "generator_loss"):
        torch.testing.assert_close(
            torch.tensor(run.history[name]), torch.tensor(other.history[name]), rtol=tolerance, atol=tolerance
        )
    torch.testing.assert_close(run.snapshots[-1][1], other.snapshots[-1][1], rtol=tolerance, atol=tolerance)


# --- no waiting in the loop ----------------------------------------------------------------------------

WAITING = {"item", "tolist", "numpy", "cpu", "__bool__", "__float__", "__int__", "__index__", "__array__"}
FROM_THE_HOST = {"tensor", "as_tensor", "from_numpy"}  # on CUDA each is a copy that the host waits for


class Calls(TorchFunctionMode):
    """What Python asks of tensors that makes the host wait for a device, or the device for the host."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        if name in WAITING | FROM_THE_HOST:
            self.found.append(name)
        return function(*args, **(kwargs or {}))


class Operations(TorchDispatchMode):
    """The same, asked inside PyTorch."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        if operation in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default):
            self.found.append(str(operation))
        return operation(*args, **(kwargs or {}))


def while_training(watch: AbstractContextManager, device: str, monkeypatch, **options) -> None:
    """Trains; inside `watch` from the second batch to the one before the last, with no fetch between."""
    monkeypatch.setattr(Recorder, "due", lambda self: False)
    draw, calls = images(device), 0
    steps = SHORT["images"] // SHORT["batch_size"]

    def watched(n, rng):
        nonlocal calls
        calls += 1  # call 1 is the check before training
        if calls == 3:
            watching.enter_context(watch)
        if calls == 1 + steps:
            watching.close()
        return draw(n, rng)

    with ExitStack() as watching:  # an error in training ends the watch, too
        run = train_gan(*players(), watched, device=device, **SHORT, **options)
    assert len(run.history["images"]) == steps


def waits(monkeypatch, **options) -> list[str]:
    calls, operations = Calls(), Operations()

    @contextmanager
    def watch():
        with calls, operations:
            yield

    while_training(watch(), "cpu", monkeypatch, **options)
    return calls.found + operations.found


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_nothing_is_read_from_the_device_between_two_fetches(monkeypatch, precision):
    assert waits(monkeypatch, precision=precision, penalty=r1, augment=augment) == []


@pytest.mark.parametrize("read", [Tensor.item, Tensor.cpu, lambda loss: torch.tensor(1.0), bool])
def test_the_watch_sees_a_loss_that_is_read(monkeypatch, read):
    own = get_loss("non_saturating")

    def nosy(real_logits, fake_logits):
        loss = own.discriminator(real_logits, fake_logits)
        read(loss)
        return loss

    assert waits(monkeypatch, loss=GANLoss(nosy, own.generator))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine")
def test_a_gpu_is_never_waited_for_between_two_fetches(monkeypatch):
    @contextmanager
    def waiting_is_an_error():
        torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            torch.cuda.set_sync_debug_mode("default")

    while_training(waiting_is_an_error(), "cuda", monkeypatch, penalty=r1, augment=augment)


# --- memory layout -------------------------------------------------------------------------------------


def test_channels_last_changes_the_layout_and_not_the_numbers(monkeypatch):
    plain = train_gan(*players(), images("cpu"), device="cpu", precision="float32", **SHORT, **SLOW)
    monkeypatch.setattr(machine, "prefers_channels_last", lambda device: True)
    generator, discriminator = players()
    seen = []
    discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(channels_last(inputs[0])))
    run = train_gan(
        generator, discriminator, images("cpu"), device="cpu", precision="float32", **SHORT, **SLOW
    )
    for network in (generator, discriminator, run.average):
        assert all(channels_last(weights) for weights in network.parameters() if weights.ndim == 4)
    assert all(seen[1:])  # the first call is the check before training
    close(run, plain, 1e-4)


def channels_last(tensor: Tensor) -> bool:
    return tensor.is_contiguous(memory_format=torch.channels_last)


def test_a_checkpoint_of_one_layout_goes_on_in_the_other(monkeypatch, tmp_path):
    options = {**SHORT, **SLOW, "device": "cpu", "precision": "float32"}
    straight = train_gan(*players(), images("cpu"), **options)
    path = tmp_path / "run.pt"
    train_gan(*players(), images("cpu"), checkpoint=path, **{**options, "images": 80})
    monkeypatch.setattr(machine, "prefers_channels_last", lambda device: True)
    resumed = train_gan(*players(), images("cpu"), checkpoint=path, resume=True, **options)
    close(resumed, straight, 1e-4)


def test_the_optimisers_moments_take_the_layout_of_their_weights():
    convolution = nn.Conv2d(4, 4, 3)
    optimizer = torch.optim.Adam(convolution.parameters())
    convolution(torch.ones(1, 4, 5, 5)).sum().backward()
    optimizer.step()
    before = {name: tensor.clone() for name, tensor in optimizer.state[convolution.weight].items()}
    convolution.to(memory_format=torch.channels_last)
    match_layout(optimizer)
    after = optimizer.state[convolution.weight]
    assert channels_last(after["exp_avg"]) and channels_last(after["exp_avg_sq"])
    assert all(torch.equal(before[name], after[name]) for name in before)


# --- compiled ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("device", DEVICES)
def test_compiled_and_eager_have_the_same_losses_over_a_hundred_steps(monkeypatch, tmp_path, device):
    """On the CPU without a code generator, which would need a C++ compiler: what is traced is what runs."""
    compiled = []
    compile_network = torch.compile
    monkeypatch.setattr(
        torch, "compile", lambda net, **how: compiled.append(net) or compile_network(net, **how)
    )
    options = {**SHORT, **SLOW, "images": 1600, "device": device, "precision": "float32", "penalty": r1}
    plain, (generator, discriminator) = players(), players()
    eager = train_gan(*plain, images(device), **options)
    assert not compiled
    path = tmp_path / "run.pt"
    run = train_gan(
        generator,
        discriminator,
        images(device),
        compiled="aot_eager" if device == "cpu" else True,
        checkpoint=path,
        **options,
    )
    assert compiled == [generator, discriminator]
    assert len(run.history["images"]) == 100
    tolerance = 1e-4 if device == "cpu" else 1e-2
    close(run, eager, tolerance)
    for expected, network in zip(plain, (generator, discriminator), strict=True):
        assert list(network.state_dict()) == list(expected.state_dict())  # no _orig_mod
        for name, buffer in network.named_buffers():  # batch statistics, power iterations
            torch.testing.assert_close(buffer, expected.get_buffer(name), rtol=tolerance, atol=tolerance)
    again = train_gan(*players(), images(device), checkpoint=path, resume=True, **options)  # not compiled
    torch.testing.assert_close(again.snapshots[-1][1], run.snapshots[-1][1])


# --- number format -------------------------------------------------------------------------------------


def test_tf32_is_for_cuda_and_ends_with_the_training():
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    assert torch.get_float32_matmul_precision() == "highest"
    with pytest.raises(KeyError), fast_matmuls(cuda, "auto"):
        assert torch.get_float32_matmul_precision() == "high"
        raise KeyError
    assert torch.get_float32_matmul_precision() == "highest"
    for device, precision in ((cuda, "float32"), (cpu, "auto")):
        with fast_matmuls(device, precision):
            assert torch.get_float32_matmul_precision() == "highest"


# --- speed ---------------------------------------------------------------------------------------------


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU on this machine")
def test_an_epoch_of_mnist_takes_less_than_a_second():
    """60,000 images, in batches of 512: small batches leave a data-centre GPU waiting for its launches."""
    rng = torch.Generator().manual_seed(0)
    digits = torch.randint(0, 256, (60_000, 1, 28, 28), dtype=torch.uint8, generator=rng)
    draw = image_sampler(digits, "cuda")
    options = {"batch_size": 512, "device": "cuda", "progress": False, "snapshot_every": 60_000}
    options = {**MNIST_DCGAN.training, **options}
    train(MNIST_DCGAN.gan(), draw, images=5_120, **options)  # warm-up: kernels are loaded and chosen
    assert train(MNIST_DCGAN.gan(), draw, images=60_000, **options).seconds < 1
