import pytest
import torch
from torch import nn

from course_utils import runtime
from course_utils.models import dcgan_generator, mlp_generator
from course_utils.runtime import autocast_dtype, by_scale, pick_device, scale, seed

CPU = torch.device("cpu")


def with_devices(monkeypatch, *, cuda: bool, mps: bool):
    monkeypatch.delenv("COURSE_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: int(cuda))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "kind"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_fastest_device_is_chosen(monkeypatch, cuda, mps, kind):
    with_devices(monkeypatch, cuda=cuda, mps=mps)
    assert pick_device().type == kind


def test_the_environment_overrides_the_choice_and_an_argument_the_environment(monkeypatch):
    with_devices(monkeypatch, cuda=True, mps=True)
    monkeypatch.setenv("COURSE_DEVICE", "mps")
    assert pick_device().type == "mps"
    assert pick_device("cpu").type == "cpu"
    assert pick_device(CPU) == CPU


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "tpu"])
def test_an_unknown_device_lists_the_known_ones(name):
    with pytest.raises(ValueError, match=f"one of cuda, mps, cpu.*{name}"):
        pick_device(name)


def test_a_device_that_is_not_there_names_those_that_are(monkeypatch):
    with_devices(monkeypatch, cuda=False, mps=True)
    with pytest.raises(ValueError, match=r"'cuda'.* only: mps, cpu"):
        pick_device("cuda")
    with_devices(monkeypatch, cuda=True, mps=False)
    with pytest.raises(ValueError, match="'cuda:1'"):
        pick_device("cuda:1")


def test_the_scale_follows_the_device_unless_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv("COURSE_SCALE", raising=False)
    with_devices(monkeypatch, cuda=False, mps=True)
    assert scale() == "cpu"
    with_devices(monkeypatch, cuda=True, mps=False)
    assert scale() == "gpu"
    monkeypatch.setenv("COURSE_SCALE", "ci")
    assert by_scale(ci=1, cpu=2, gpu=3) == 1


def test_an_unknown_scale_lists_the_known_ones(monkeypatch):
    monkeypatch.setenv("COURSE_SCALE", "huge")
    with pytest.raises(ValueError, match="one of ci, cpu, gpu, got 'huge'"):
        scale()


def test_bfloat16_is_taken_for_convolutions_on_a_machine_that_has_it(monkeypatch):
    points, images = mlp_generator((2,), 2), dcgan_generator(width=4)
    monkeypatch.setattr(runtime, "has_fast_bfloat16", lambda device: True)
    assert autocast_dtype(CPU, points, images) is torch.bfloat16
    assert autocast_dtype(CPU, points, nn.Linear(2, 1)) is None  # casts would cost more than they save
    monkeypatch.setattr(runtime, "has_fast_bfloat16", lambda device: False)
    assert autocast_dtype(CPU, points, images) is None


def test_precision_can_be_insisted_on():
    images = dcgan_generator(width=4)
    assert autocast_dtype(CPU, images, precision="float32") is None
    assert autocast_dtype(CPU, mlp_generator((2,), 2), precision="bfloat16") is torch.bfloat16
    with pytest.raises(ValueError, match="one of auto, float32, bfloat16, got 'half'"):
        autocast_dtype(CPU, images, precision="half")


def test_a_processor_without_the_instructions_or_an_unknown_device_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False, raising=False)
    assert not runtime.has_fast_bfloat16(CPU)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True, raising=False)
    assert runtime.has_fast_bfloat16(CPU)
    assert not runtime.has_fast_bfloat16(torch.device("mps"))


def test_seeds_are_what_they_say_unless_the_environment_chooses_others(monkeypatch):
    monkeypatch.delenv("COURSE_SEED", raising=False)
    assert (seed(), seed(3)) == (0, 3)
    monkeypatch.setenv("COURSE_SEED", "2")
    assert (seed(), seed(3)) == (2000, 2003)


@pytest.mark.parametrize("nonsense", ["one", "1.5", "-1", "²"])
def test_a_seed_that_is_no_whole_number_is_refused_in_a_sentence(monkeypatch, nonsense):
    monkeypatch.setenv("COURSE_SEED", nonsense)
    with pytest.raises(
        ValueError, match=f"COURSE_SEED must be a whole number such as 0, 1 or 2, got '{nonsense}'"
    ):
        seed(0)
