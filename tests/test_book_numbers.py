"""The page's explorers compute what Python computes: book/static/numbers.js in Node, against course_utils."""

import json
import subprocess
from itertools import product

import numpy as np
import pytest
import torch

from course_utils.data.toy import grid, ring, spiral, two_moons
from course_utils.losses import LOSSES, get_loss
from course_utils.metrics import load_classifier
from course_utils.metrics.cells import data_cells, measure
from course_utils.metrics.pull import generator_pull
from course_utils.models import load_generator
from course_utils.theory import cell_frequencies, js
from course_utils.theory.game_dynamics import GAMES, RULES, moving_average
from course_utils.training import toy_gan
from course_utils.training.gan import discriminator_step, generator_step
from course_utils.widgets import discriminator_explorer, game_explorer, latent_slider
from tools import book_data
from tools.book_check import node
from tools.run import ROOT

NUMBERS = ROOT / "book" / "static" / "numbers.js"


def compute(script, **given):
    """What a script leaves in `result`, with `N` for numbers.js and the given values by name."""
    names = ", ".join(given) or "_"
    program = (
        f"const N = require({json.dumps(str(NUMBERS))});\n"
        f"const {{{names}}} = JSON.parse(require('fs').readFileSync(0));\n"
        f"let result;\n{script}\n"
        "const plain = (_, value) => ArrayBuffer.isView(value) ? [...value] : value;"
        "process.stdout.write(JSON.stringify(result, plain));"
    )
    done = subprocess.run([node(), "-e", program], input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_explorer_of_the_discriminator_shows_pythons_numbers():
    names = ("data_mean", "data_std", "data_gap", "model_mean", "model_std")
    settings = [
        dict(zip(names, values, strict=True))
        for values in product((-4.0, 0.3), (0.4, 2.0), (0.0, 6.0), (-0.5, 4.0), (0.4, 1.7))
    ]
    shown = compute("result = settings.map((one) => N.discriminator(one).numbers);", settings=settings)
    for setting, numbers in zip(settings, shown, strict=True):
        expected = discriminator_explorer.render(**setting).numbers
        assert numbers.keys() == expected.keys()
        assert numbers == pytest.approx(dict(expected), rel=1e-9, abs=1e-9), setting


def test_its_curves_are_pythons():
    setting = {"data_mean": -1.0, "data_std": 0.7, "data_gap": 2.5, "model_mean": 0.5, "model_std": 1.2}
    shown = compute("const d = N.discriminator(one); result = [d.x, d.pData, d.pModel, d.best];", one=setting)
    stage = discriminator_explorer._new_stage()
    discriminator_explorer.render(**setting, stage=stage)
    visible = discriminator_explorer.VISIBLE.numpy()
    for curve, artist in zip(shown[1:], ("data line", "model line", "discriminator"), strict=True):
        np.testing.assert_allclose(np.array(curve)[visible], stage.moving[artist].get_ydata(), atol=1e-12)


@pytest.mark.parametrize("game", GAMES)
def test_the_game_explorer_shows_pythons_numbers(game):
    cures = [(0.0, 0.0)] if game == "bilinear" else [(0.0, 0.0), (0.5, 0.0), (0.0, 1.2), (0.3, 0.7)]
    settings = [
        {"game": game, "rule": rule, "step_size": h, "r1": r1, "noise_std": noise, "steps": steps}
        for rule, h, (r1, noise), steps in product(RULES, (0.04, 0.6), cures, (0, 130))
    ]
    points = book_data.plane()["normalPoints"]
    script = "result = settings.map((one) => { const g = N.game(one, points); return [g.numbers, g.run]; });"
    for setting, (numbers, run) in zip(
        settings, compute(script, settings=settings, points=points), strict=True
    ):
        stage = game_explorer._new_stage()
        expected = game_explorer.render(**setting, stage=stage).numbers
        assert numbers == pytest.approx(dict(expected), rel=1e-5, abs=1e-5), setting
        np.testing.assert_allclose(np.array(run).T, stage.moving["run"].get_data(), rtol=1e-5, atol=1e-5)


def test_its_moving_average_and_its_field_are_pythons():
    points = torch.tensor([[1.0, 0.5], [0.2, -0.3], [-0.7, 0.1]], dtype=torch.float64)
    shown = compute("result = N.movingAverage(points, 3);", points=points.tolist())
    np.testing.assert_allclose(shown, moving_average(points, 3))
    _, arrows, *_ = game_explorer._about("minimax Dirac-GAN", "simultaneous", 0.2, 0.4, 0.9)
    script = """
        const field = N.vectorField("minimax Dirac-GAN", 0.4, 0.9, points), ticks = N.linspace(-2, 2, 15);
        result = [...ticks].flatMap((x) => [...ticks].map((y) => field([x, y])));"""
    shown = compute(script, points=book_data.plane()["normalPoints"])
    np.testing.assert_allclose(shown, arrows, atol=1e-9)


def test_the_latent_slider_draws_pythons_digits_and_sees_what_pythons_classifier_sees():
    steered = [(0, [0.0, 0.0, 0.0, 0.0]), (7, [1.5, -2.0, 0.0, 4.0]), (99, [-4.0, 3.0, 2.0, -1.0])]
    script = """
        const G = N.network(digits.generator), C = N.network(digits.classifier);
        const starts = N.floats(digits.starts), lines = N.floats(digits.directions), size = digits.latentDim;
        const directions = [0, 1, 2, 3].map((k) => lines.subarray(k * size, (k + 1) * size));
        result = steered.map(([start, steps]) => {
            const z = N.steered(starts.subarray(start * size, (start + 1) * size), directions, steps);
            const image = G({values: z, channels: size, height: 1, width: 1});
            return [z, image.values, N.softmax(C(image).values)];
        });"""
    generator, classifier = load_generator("mnist"), load_classifier("mnist")
    for (start, steps), (latent, image, probabilities) in zip(
        steered, compute(script, digits=book_data.digits(), steered=steered), strict=True
    ):
        z = latent_slider.steered_latent(generator, start, steps)
        np.testing.assert_allclose(latent, z[0], atol=1e-5)
        with torch.no_grad():
            expected = generator(z)
            seen = classifier(expected).softmax(dim=1)[0]
        np.testing.assert_allclose(image, expected.flatten(), atol=2e-4)
        np.testing.assert_allclose(probabilities, seen, atol=1e-3)


@pytest.mark.parametrize("packing", [1, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_playgrounds_networks_learn_as_pythons_do(loss, packing):
    """The same batches and the same first weights: the same networks after three rounds."""
    rng = torch.Generator().manual_seed(3)
    rounds = [
        {
            "real": ring().sample(32, rng),
            "first": torch.randn(32, 2, generator=rng),
            "second": torch.randn(32, 2, generator=rng),
        }
        for _ in range(3)
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        gan = toy_gan(2, packing=packing)
    networks = {"generator": gan.generator, "discriminator": gan.discriminator}
    weights = {
        name: [weight.flatten().tolist() for weight in network.parameters()]
        for name, network in networks.items()
    }
    adam = {name: torch.optim.Adam(one.parameters(), 2e-3, (0.0, 0.99)) for name, one in networks.items()}
    objective = get_loss(loss)
    for one in rounds:
        discriminator_step(
            gan.discriminator, adam["discriminator"], one["real"], gan.generator(one["first"]), objective
        )
        generator_step(
            gan.discriminator, adam["generator"], one["real"], gan.generator(one["second"]), objective
        )
    script = """
        const gan = new N.PlaneGan(weights, packing);
        gan.loss = loss;
        for (const one of rounds) {
            gan.moveDiscriminator(Float32Array.from(one.real), Float32Array.from(one.first));
            gan.moveGenerator(Float32Array.from(one.real), Float32Array.from(one.second));
        }
        const points = Float32Array.from(rounds[0].real);
        result = [gan.sample(Float32Array.from(rounds[0].first)), gan.logits(points), gan.pulls(points)];"""
    given = [{name: part.flatten().tolist() for name, part in one.items()} for one in rounds]
    samples, logits, pulls = compute(script, weights=weights, packing=packing, loss=loss, rounds=given)
    with torch.no_grad():
        np.testing.assert_allclose(samples, gan.generator(rounds[0]["first"]).flatten(), atol=2e-3)
        expected = gan.discriminator(rounds[0]["real"]).numpy()
    if loss in ("hinge", "wasserstein", "relativistic"):
        # The slopes of D's last bias cancel exactly, but for rounding, and Adam makes steps of what is left:
        # all logits move together, which nothing in these losses sees.
        expected, logits = expected - expected.mean(), np.array(logits) - np.mean(logits)
    np.testing.assert_allclose(logits, expected, atol=2e-3)
    expected = generator_pull(gan.discriminator, rounds[0]["real"], objective)
    # an arrow jumps where a point crosses one of D's kinks: one of a hundred may lie just beside it
    assert np.quantile(np.abs(pulls - expected.flatten().numpy()), 0.95) < 2e-3


@pytest.mark.parametrize("packing", [1, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_the_playgrounds_gradients_are_autograds(loss, packing):
    """Adam hides a factor that all gradients share, so they are held against autograd's by themselves."""
    rng = torch.Generator().manual_seed(5)
    real, first, second = ring().sample(64, rng), *torch.randn(2, 64, 2, generator=rng)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        gan = toy_gan(2, packing=packing)
    G, D, objective = gan.generator, gan.discriminator, get_loss(loss)
    weights = {
        name: [weight.flatten().tolist() for weight in network.parameters()]
        for name, network in (("generator", G), ("discriminator", D))
    }
    script = """
        const gan = new N.PlaneGan(weights, packing);
        gan.loss = loss;
        gan.rates = {generator: 0, discriminator: 0};
        const [x, z1, z2] = [real, first, second].map((all) => Float32Array.from(all));
        gan.moveDiscriminator(x, z1);
        gan.moveGenerator(x, z2);
        result = [gan.discriminator.gradients, gan.generator.gradients];"""
    given = {"real": real, "first": first, "second": second}
    given = {name: points.flatten().tolist() for name, points in given.items()}
    found = compute(script, weights=weights, packing=packing, loss=loss, **given)
    losses = (
        objective.discriminator(D(real), D(G(first).detach())),
        objective.generator(D(real), D(G(second))),
    )
    for network, player_loss, gradients in zip((D, G), losses, found, strict=True):
        expected = torch.autograd.grad(player_loss, list(network.parameters()))
        for gradient, right in zip(gradients, expected, strict=True):
            np.testing.assert_allclose(gradient, right.flatten(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("density, name", [(ring(), "ring of eight"), (grid(), "5 × 5 grid")])
def test_the_playground_measures_what_python_measures(density, name):
    samples = density.sample(500, torch.Generator().manual_seed(1))
    samples[::3] *= 1.4
    script = """
        const data = N.DATA[name], points = Float32Array.from(samples);
        const p = N.floats(cells), q = N.cellFrequencies(points);
        result = [N.discreteJs(p, q), N.modeCoverage(points, data.modes, data.std), q];"""
    cells = book_data.plane()["cells"][name]
    found, coverage, frequencies = compute(script, samples=samples.flatten().tolist(), name=name, cells=cells)
    expected = measure(samples, density, data_cells(density))
    edges = torch.linspace(-3, 3, 31, dtype=torch.float64)
    np.testing.assert_allclose(frequencies, cell_frequencies(samples, edges), atol=1e-12)
    assert found == pytest.approx(expected.js, abs=1e-6)
    assert coverage == {"covered": expected.covered, "good": pytest.approx(expected.good_fraction)}


@pytest.mark.parametrize(
    "density, name",
    [(ring(), "ring of eight"), (grid(), "5 × 5 grid"), (two_moons(), "two moons"), (spiral(), "spiral")],
)
def test_the_pages_data_lie_where_pythons_lie(density, name):
    """As far from Python's cells as a sample of Python's own of that size is, or hardly farther."""
    script = "result = N.cellFrequencies(N.draw(N.DATA[name], 20000, N.random(3)));"
    cells = data_cells(density)
    of_page = torch.tensor(compute(script, name=name), dtype=torch.float64)
    edges = torch.linspace(-3, 3, 31, dtype=torch.float64)
    own = density.sample(20_000, torch.Generator().manual_seed(3))
    assert js(of_page, cells) < 1.5 * js(cell_frequencies(own, edges), cells)


def test_the_pages_random_numbers_have_the_right_mean_spread_and_modes():
    script = """
        const rng = N.random(5), z = rng.normals(20000);
        result = {z: z, ring: N.draw(N.DATA["ring of eight"], 2000, rng), again: N.random(5).normals(3)};"""
    found = compute(script)
    z = np.array(found["z"])
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    assert abs((z**4).mean() - 3) < 0.2
    assert found["again"] == found["z"][:3]  # same seed, same numbers
    measured = measure(torch.tensor(found["ring"]).reshape(-1, 2), ring(), data_cells(ring()))
    assert measured.covered == 8
    assert measured.good_fraction > 0.97
