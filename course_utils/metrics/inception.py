"""Features of the Inception network that published FIDs are measured in, where it can be had."""

import importlib
from functools import cache

import torch
from torch import Tensor

from course_utils.data import check_images, to_uint8

HOW = (
    "FID proper needs the Inception network of torch-fidelity (`pip install torch-fidelity`), and internet "
    "access once, to fetch its weights. The course does without: its own classifiers' features serve every "
    "comparison that it makes"
)


class Inception:
    """2,048 features of Inception-v3, with the weights that the FIDs of papers were measured with.

    Pass it as `features=` to `evaluate`, and call its method `features` for a Fréchet distance by hand.
    """

    label = "Inception-v3"

    def __init__(self, network):
        self.network = network

    def features(self, images: Tensor) -> Tensor:
        """Images (N, 1 or 3, H, W) in [-1, 1] → (N, 2048). Enlarged to 299×299 as the original does."""
        return self._outputs(images)[0]

    def logits(self, images: Tensor) -> Tensor:
        """Inception's 1,008 outputs, of which the Inception score is the `classifier_score`, (N, 1008)."""
        return self._outputs(images)[1]

    @torch.no_grad()
    def _outputs(self, images: Tensor) -> tuple[Tensor, Tensor]:
        check_images(images)
        return self.network(to_uint8(images).expand(-1, 3, -1, -1))


@cache
def load_inception(weights: str | None = None) -> Inception:
    """Inception-v3 by torch-fidelity, on the CPU.

    Args:
        weights: a file of its weights; None fetches them at the first use.

    Raises:
        RuntimeError: torch-fidelity or the weights are not there; the message says what is needed.
    """
    try:
        # By name: it is no dependency of the course.
        module = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    except ImportError as error:
        raise RuntimeError(f"{HOW}. What is missing: {error}") from error
    try:
        network = module.FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=weights
        )
    except OSError as error:  # URLError is one
        raise RuntimeError(f"{HOW}. The weights could not be had: {error}") from error
    return Inception(network.eval())
