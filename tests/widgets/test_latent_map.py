"""The latent map, headless: cross and ellipse stand where they should, pictures follow the controls."""

import numpy as np
import pytest
import torch

from course_utils.likelihoods import bernoulli_mean
from course_utils.models import Autoencoder, mlp_decoder, mlp_encoder
from course_utils.plots import alt_text
from course_utils.widgets.latent_map import STANDARD_DEVIATIONS, latent_map, new_stage, render


@pytest.fixture
def autoencoder():
    torch.manual_seed(0)
    return Autoencoder(mlp_encoder((1, 8, 8), 2), mlp_decoder((1, 8, 8), 2), bernoulli_mean).eval()


IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
LABELS = [0, 1, 2, 0, 1, 9]


def test_the_ellipse_is_the_posterior_of_the_dropped_digit(autoencoder):
    stage = new_stage(autoencoder, IMAGES, LABELS)
    rendering = render(autoencoder, IMAGES, LABELS, z_1=1.0, z_2=-2.0, dropped=3, stage=stage)
    with torch.no_grad():
        mean, log_variance = autoencoder.encode(IMAGES[3:4])
        drawn = autoencoder(torch.tensor([[1.0, -2.0]]))
    ellipse, std = stage.moving["posterior"], (log_variance[0] / 2).exp()
    assert ellipse.get_center() == pytest.approx(mean[0].tolist())
    assert ellipse.get_width() == pytest.approx(2 * STANDARD_DEVIATIONS * std[0].item())
    assert ellipse.get_height() == pytest.approx(2 * STANDARD_DEVIATIONS * std[1].item())
    assert [*np.ravel(stage.moving["here"].get_data())] == [1, -2]
    shown = stage.moving["drawn"].get_array()
    assert np.allclose(shown, (drawn[0, 0] + 1) / 2, atol=1e-6)
    assert np.allclose(stage.moving["digit"].get_array(), (IMAGES[3, 0] + 1) / 2, atol=1e-6)
    assert "a 0" in alt_text(rendering.figure) and "(1.0, -2.0)" in alt_text(rendering.figure)
    assert rendering.numbers["σ₁"] == pytest.approx(std[0].item())


def test_every_control_changes_the_picture(autoencoder):
    shown = latent_map(autoencoder, IMAGES, LABELS)
    for name, value in {"z_1": 1.5, "z_2": -1.0, "dropped": 5}.items():
        before = shown.picture.value
        shown.controls[name].value = value
        assert shown.picture.value != before and shown.problem.value == ""
    assert "text/html" in shown._repr_mimebundle_()[0]


def test_a_latent_of_another_size_is_refused():
    network = Autoencoder(mlp_encoder((1, 8, 8), 3), mlp_decoder((1, 8, 8), 3), bernoulli_mean)
    with pytest.raises(ValueError, match="2 dimensions, got 3"):
        latent_map(network, IMAGES, LABELS)
