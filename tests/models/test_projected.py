import pytest
import torch
from torch import nn

from course_utils.models import ProjectedDiscriminator
from course_utils.models.projected import ClassHead, spread_within


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
    assert logits.shape == (16,) and discriminator.logits_per_sample == 4  # a logit of each head
    logits.sum().backward()
    assert images.grad.abs().sum() > 0
    same = discriminator.eval()(images[:1].expand(3, -1, -1, -1), torch.tensor([0, 1, 2]))
    assert len(same.unique()) == 12  # 4 heads, 3 classes


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


def test_a_head_adds_what_is_real_what_fits_and_what_is_varied():
    """w·h + b + v_y·h + u·σ_y: with v = 0 and u = 0 the class does not count."""
    head = ClassHead(nn.Identity(), channels=4, classes=3)
    maps, labels = torch.randn(6, 4, 2, 2), torch.arange(6) % 3
    h = maps.sum((2, 3)) / 2
    with torch.no_grad():
        fits = torch.stack([h[k] @ head.fits.weight[:, labels[k]] for k in range(6)])
        varied = torch.stack([h[labels == label].std(0, unbiased=False) for label in labels])
        expected = head.real(h).flatten() + fits + head.varied(varied).flatten()
        torch.testing.assert_close(head(maps, labels), expected, atol=1e-4, rtol=1e-4)
        head.fits.weight.zero_()
        head.varied.weight.zero_()
        torch.testing.assert_close(head(maps, labels), head.real(h).flatten())


def test_the_spread_within_a_class_does_not_see_how_the_classes_differ():
    labels = torch.tensor([0, 1, 0, 1, 2])
    h = 100.0 * labels[:, None] + torch.tensor([[1.0], [0.0], [-1.0], [0.0], [7.0]])
    h.requires_grad_()
    spread = spread_within(h, labels, classes=4)
    torch.testing.assert_close(spread.flatten(), torch.tensor([1.0, 0, 1, 0, 0]), atol=2e-3, rtol=0)
    spread.sum().backward()
    assert h.grad.isfinite().all()  # where a class has collapsed to a point, too


def test_heads_are_spectrally_normalised_and_stages_are_not(discriminator):
    names = [name for name in discriminator.state_dict() if "parametrizations" in name]
    assert names and all(name.startswith("heads.") for name in names)
