import pytest
import torch

from course_utils.models import ResidualGenerator, count_parameters, sample
from course_utils.models.residual import ClassBatchNorm, UpBlock


def test_every_class_has_its_own_scale_and_shift_of_the_same_normalised_maps():
    norm = ClassBatchNorm(channels=2, classes=3)
    with torch.no_grad():
        norm.scale.weight[1], norm.shift.weight[1] = 3.0, -1.0
    maps = 5 + 2 * torch.randn(64, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(64) % 3
    out = norm(maps, labels)
    plain = (maps - maps.mean((0, 2, 3), keepdim=True)) / maps.std((0, 2, 3), unbiased=False, keepdim=True)
    torch.testing.assert_close(out[labels == 0], plain[labels == 0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out[labels == 1], 3 * plain[labels == 1] - 1, atol=1e-4, rtol=1e-4)


def test_a_block_doubles_the_map_and_keeps_what_its_skip_passes_where_the_branch_is_zero():
    block = UpBlock(4, 6, classes=2)
    torch.nn.init.zeros_(block.conv2.weight)
    torch.nn.init.zeros_(block.conv2.bias)
    maps = torch.randn(3, 4, 5, 5)
    out = block(maps, torch.tensor([0, 1, 1]))
    assert out.shape == (3, 6, 10, 10)
    torch.testing.assert_close(out[:, :, ::2, ::2], block.skip(maps))
    torch.testing.assert_close(out[:, :, 1::2, 1::2], block.skip(maps))


def test_images_have_the_right_shape_range_and_depend_on_class_and_latent():
    generator = ResidualGenerator(latent_dim=5, classes=3, widths=(8, 6, 4), label_dim=2)
    labels = torch.tensor([0, 0, 1])
    images = sample(generator, 3, labels=labels)
    assert images.shape == (3, 3, 32, 32)
    assert images.abs().max() <= 1
    same_latent = generator.eval()(torch.ones(3, 5), labels)
    torch.testing.assert_close(same_latent[0], same_latent[1])
    assert (same_latent[0] - same_latent[2]).abs().max() > 1e-4
    assert (images[0] - images[1]).abs().max() > 1e-4


def test_the_number_of_weights_is_the_sum_over_the_layers():
    def block(i, o):  # two convolutions, skip, and two normalisations for 10 classes
        return (9 * i * o + o) + (9 * o * o + o) + (i * o + o) + 2 * 10 * (i + o)

    a, b, c = 256, 192, 64
    expected = 10 * 32 + (64 + 32 + 1) * a * 16 + block(a, b) + block(b, c) + 20 * c + (9 * c + 1) * 12
    assert count_parameters(ResidualGenerator()) == expected
    assert 2 * expected < 3_000_000  # bytes in half precision


@pytest.mark.parametrize("wrong", [{"latent_dim": 0}, {"widths": (8, 0, 4)}, {"classes": 0}])
def test_sizes_must_be_positive(wrong):
    with pytest.raises(ValueError, match="positive"):
        ResidualGenerator(**wrong)
