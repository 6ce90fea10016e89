import pytest
import torch
from torch import nn

from course_utils.models import ProjectedDiscriminator
from course_utils.models.projected import ClassHead


@pytest.fixture
def discriminator():
    torch.manual_seed(0)
    stages = [
        nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.ReLU()),
        nn.Sequential(nn.Conv2d(4, 6, 4, 2, 1), nn.ReLU()),
        nn.Sequential(nn.Conv2d(6, 8, 4, 2, 1), nn.ReLU()),
    ]
    return ProjectedDiscriminator(stages, channels=(4, 6, 8), classes=3, width=5)


def test_logits_depend_on_image_and_class_and_lead_back_to_the_pixels(discriminator):
    images = torch.rand(4, 3, 32, 32).requires_grad_()
    logits = discriminator(images, torch.tensor([0, 1, 2, 2]))
    assert logits.shape == (4,)
    logits.sum().backward()
    assert images.grad.abs().sum() > 0
    same = discriminator.eval()(images[:1].expand(3, -1, -1, -1), torch.tensor([0, 1, 2]))
    assert len(same.unique()) == 3


def test_training_moves_the_heads_and_never_the_stages(discriminator):
    before = {name: value.clone() for name, value in discriminator.state_dict().items()}
    discriminator.train()
    optimizer = torch.optim.Adam(discriminator.parameters(), 0.1)
    for _ in range(2):
        discriminator(torch.randn(8, 3, 32, 32), torch.arange(8) % 3).sum().backward()
        optimizer.step()
    after = discriminator.state_dict()
    for name, value in before.items():
        if name.startswith("stages."):
            assert torch.equal(after[name], value), name  # the statistics of batch normalisation as well
    for number in range(4):
        original = f"heads.{number}.layers.{'1' if number == 0 else '0'}.parametrizations.weight.original"
        assert not torch.equal(after[original], before[original])


def test_a_head_is_linear_in_the_class_vector():
    """w·h + b + v_y·h: with v = 0 the class does not count."""
    head = ClassHead(nn.Identity(), channels=4, classes=3)
    maps = torch.randn(3, 4, 2, 2)
    h = maps.sum((2, 3)) / 2
    with torch.no_grad():
        expected = head.real(h).flatten() + torch.stack([h[k] @ head.fits.weight[:, k] for k in range(3)])
        torch.testing.assert_close(head(maps, torch.arange(3)), expected)
        head.fits.weight.zero_()
        torch.testing.assert_close(head(maps, torch.arange(3)), head.real(h).flatten())


def test_heads_are_spectrally_normalised_and_stages_are_not(discriminator):
    names = [name for name in discriminator.state_dict() if "parametrizations" in name]
    assert names and all(name.startswith("heads.") for name in names)
