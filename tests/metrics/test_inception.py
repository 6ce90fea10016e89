"""Inception's features: a clear sentence where they cannot be had, and the right pixels where they can."""

import sys
import types

import pytest
import torch

from course_utils.metrics.inception import load_inception

MODULE = "torch_fidelity.feature_extractor_inceptionv3"


@pytest.fixture(autouse=True)
def nothing_kept():
    load_inception.cache_clear()
    yield
    load_inception.cache_clear()


def install(monkeypatch, network):
    """A package torch_fidelity that builds the given network: the real one would download its weights."""
    module = types.ModuleType(MODULE)
    module.FeatureExtractorInceptionV3 = network
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, MODULE, module)


def test_without_the_package_it_says_what_is_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(RuntimeError, match=r"pip install torch-fidelity.*The course does without"):
        load_inception()


def test_without_the_weights_it_says_so(monkeypatch):
    def no_network(*arguments, **keywords):
        raise OSError("no route to host")

    install(monkeypatch, no_network)
    with pytest.raises(RuntimeError, match="The weights could not be had: no route to host"):
        load_inception()


def test_it_hands_over_bytes_in_three_channels(monkeypatch):
    class Network(torch.nn.Module):
        def __init__(self, name, features, feature_extractor_weights_path):
            super().__init__()
            assert features == ["2048", "logits_unbiased"]
            self.seen = []

        def forward(self, images):
            self.seen.append(images)
            return images.float().flatten(1), torch.zeros(len(images), 1008)

    install(monkeypatch, Network)
    inception = load_inception()
    grey = torch.tensor([-1.0, 1.0]).reshape(1, 1, 1, 2)
    assert inception.features(grey).tolist() == [[0, 255] * 3]
    assert inception.network.seen[0].dtype == torch.uint8
    assert inception.logits(grey).shape == (1, 1008)
    assert load_inception() is inception
