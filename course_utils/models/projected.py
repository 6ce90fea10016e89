"""A discriminator that looks at images through the frozen features of a trained network."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from course_utils.models.normalisation import spectrally_normalised


class ClassHead(nn.Module):
    """Maps → a small convolutional network → h → w·h + b + v_y·h + u·σ_y, a logit for each sample.

    w·h asks whether it is real, and v_y·h whether it fits its class: the projection discriminator (Miyato and
    Koyama 2018, arXiv:1802.05637), with a vector v_y for each class. u·σ_y asks whether the samples of its
    class differ from each other as real ones do: σ_y is the standard deviation of h over those of class y in
    the batch. Karras et al. (2018, arXiv:1710.10196) take that of the whole batch; here the classes would
    hide that each of them has collapsed to one image.

    Args:
        layers: from the maps to `channels` maps of any size, over which h is the sum, scaled.
        channels: of these.
        classes: how many there are.
    """

    def __init__(self, layers: nn.Module, channels: int, classes: int):
        super().__init__()
        self.layers = layers
        self.real = nn.Linear(channels, 1)
        self.fits = nn.Linear(classes, channels, bias=False)  # a table, as a matrix that can be normalised
        self.varied = nn.Linear(channels, 1, bias=False)

    def forward(self, maps: Tensor, labels: Tensor) -> Tensor:
        """Maps (N, C, H, W) and labels (N,) → logits (N,)."""
        maps = self.layers(maps).float()
        h = maps.sum((2, 3)) / (maps.shape[2] * maps.shape[3]) ** 0.5
        one_hot = F.one_hot(labels, self.fits.in_features).to(h.dtype)
        alike = self.real(h).flatten() + (self.fits(one_hot) * h).sum(1)
        return alike + self.varied(spread_within(h, labels, self.fits.in_features)).flatten()


def spread_within(h: Tensor, labels: Tensor, classes: int) -> Tensor:
    """σ_y: for each sample the standard deviation of each number of h over its class's samples in the batch.

    Args:
        h: (N, C).
        labels: (N,), below `classes`.
        classes: how many there are.

    Returns:
        (N, C); nearly 0 where a class has one sample.
    """
    nothing = h.new_zeros(classes, h.shape[1])
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)[:, None]
    means = nothing.index_add(0, labels, h) / counts
    variances = nothing.index_add(0, labels, (h - means[labels]).square()) / counts
    return (variances + 1e-6).sqrt()[labels]  # the root of 0 itself would have no slope


FEATURE_CHANNELS = (64, 128, 192)  # of the maps that `feature_stages` leaves


def feature_stages() -> nn.ModuleList:
    """32×32 colour → maps of 64×16×16, 128×8×8 and 192×4×4: six convolutions, in three parts.

    The first convolution works on pixels taken 2×2. Normalisation is part of the weights. Trained, they are
    `load_feature_stages()`.
    """
    small, middle, large = FEATURE_CHANNELS
    return nn.ModuleList(
        [
            nn.Sequential(nn.PixelUnshuffle(2), *_rectified(12, small), *_rectified(small, small)),
            nn.Sequential(*_rectified(small, middle, stride=2), *_rectified(middle, middle)),
            nn.Sequential(*_rectified(middle, large, stride=2), *_rectified(large, large)),
        ]
    )


def _rectified(inputs: int, outputs: int, stride: int = 1) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1), nn.ReLU()]


class ProjectedDiscriminator(nn.Module):
    """The logits of several heads: one on the pixels, one on the maps after each frozen stage.

    After "Projected GANs Converge Faster" (Sauer, Chitta, Müller and Geiger 2021, arXiv:2111.01007): the
    features of a trained network tell from the first step what a discriminator of its own learns slowly. Here
    there are no random projections of the features, and one head sees the pixels. The stages never change;
    the heads are spectrally normalised. Each head plays for itself, and the loss is the mean of
    theirs: in a sum, the sure ones would speak for all, and what only the pixels' head sees would pass.

    Args:
        stages: three parts of a trained network, each taking the maps of the one before; they leave maps of
            16×16, 8×8 and 4×4 pixels, and are frozen here.
        channels: of the maps after each of them.
        classes: how many there are.
        width: channels of the heads.
    """

    def __init__(
        self, stages: Sequence[nn.Module], channels: Sequence[int], classes: int = 10, width: int = 64
    ):
        super().__init__()
        self.stages = nn.ModuleList(stages).requires_grad_(False).eval()
        looks = [nn.Sequential(nn.PixelUnshuffle(2), *_layers(12, width, strides=(1, 2, 2)))]
        looks += [
            nn.Sequential(*_layers(inputs, width, strides))
            for inputs, strides in zip(channels, ((2, 2), (2, 1), (1, 1)), strict=True)  # all down to 4×4
        ]
        heads = nn.ModuleList(ClassHead(look, width, classes) for look in looks)
        self.heads = spectrally_normalised(heads)
        self.logits_per_sample = len(heads)

    def train(self, mode: bool = True) -> "ProjectedDiscriminator":
        """Training mode for the heads; the stages stay in evaluation mode."""
        super().train(mode)
        self.stages.eval()
        return self

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (N, 3, 32, 32) in [-1, 1] and labels (N,) → logits (4N,), head after head."""
        maps, logits = images, [self.heads[0](images, labels)]
        for stage, head in zip(self.stages, self.heads[1:], strict=True):
            maps = stage(maps)
            logits.append(head(maps, labels))
        return torch.cat(logits)


def _layers(inputs: int, width: int, strides: Sequence[int]) -> list[nn.Module]:
    """A convolution and its activation for each stride: 3×3 windows, or 4×4 where they halve the map."""
    layers = []
    for stride in strides:
        layers += [
            nn.Conv2d(inputs, width, kernel_size=2 + stride, stride=stride, padding=1),
            nn.LeakyReLU(0.2),
        ]
        inputs = width
    return layers
