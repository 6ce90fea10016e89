"""The report: real images are its measure, failures show in their rows, features are an argument."""

import pytest
import torch
from torch import nn

from course_utils import data
from course_utils.metrics import METRICS, evaluate, frechet_evaluator, load_classifier, report_table
from course_utils.metrics import evaluate as evaluate_function
from course_utils.models import load_generator, mlp_generator

SAMPLES = 150


@pytest.fixture(autouse=True, scope="module")
def stand_in(tmp_path_factory):
    """The scanned digits that scikit-learn ships, whatever data this machine has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_DATA", str(tmp_path_factory.mktemp("none")))
        yield


@pytest.fixture(scope="module")
def digits(stand_in):
    return data.to_model_range(data.load_mnist("train").images)


@pytest.fixture(scope="module")
def report(digits):
    return evaluate(digits, "mnist", samples=SAMPLES)


def test_training_images_have_a_perfect_report_but_for_copying(report):
    assert report.scores["copying"] > 0.99
    assert report.real["copying"] == pytest.approx(0.5, abs=0.15)
    for key in METRICS.keys() - {"copying", "kernel", "unlimited"}:
        assert report.scores[key] == pytest.approx(report.real[key], rel=0.25), key


def test_the_frechet_distance_is_the_evaluators(report, digits):
    rng = torch.Generator().manual_seed(0)
    same = digits[torch.randperm(len(digits), generator=rng)[:SAMPLES]]
    assert report.scores["frechet"] == pytest.approx(frechet_evaluator("mnist")(same), rel=1e-6)


def test_failures_show_where_they_belong(digits, report):
    labels = data.load_mnist("train").labels
    noisy = (digits + 0.5 * torch.randn(digits.shape, generator=torch.Generator().manual_seed(0))).clamp(
        -1, 1
    )
    noise = evaluate(noisy, "mnist", samples=SAMPLES).scores
    ones = evaluate(digits[labels == 1], "mnist", samples=100)
    assert noise["precision"] < 0.7 * report.real["precision"]
    assert noise["frechet"] > 2 * report.real["frechet"]
    assert noise["kernel"] > 3 * abs(report.scores["kernel"])  # that of 150 real images is far from exact
    assert ones.scores["classes"] <= 2
    assert ones.scores["recall"] < 0.3 * ones.real["recall"]
    assert ones.scores["precision"] > 0.8 * ones.real["precision"]
    assert ones.scores["score"] < 1.5


def test_a_generator_a_function_and_images_are_the_same_to_it():
    generator = load_generator("mnist")

    def draw(n, rng):
        with torch.no_grad():
            return generator(torch.randn(n, generator.latent_dim, generator=rng))

    by_generator = evaluate(generator, "mnist", samples=SAMPLES, seed=3)
    by_function = evaluate(draw, "mnist", samples=SAMPLES, seed=3)
    images = draw(SAMPLES, torch.Generator().manual_seed(3))
    for other in (by_function, evaluate(images, "mnist", samples=SAMPLES)):
        for key in METRICS.keys() - {"unlimited", "copying"}:  # these depend on the order of the samples
            assert other.scores[key] == pytest.approx(by_generator.scores[key], rel=1e-3, abs=1e-2), key
    assert evaluate(generator, "mnist", samples=SAMPLES, seed=3) == by_generator
    assert evaluate(generator, "mnist", samples=SAMPLES, seed=4) != by_generator


def test_another_classifier_and_a_function_can_be_the_features(digits):
    torch.manual_seed(0)
    other = type(load_classifier("mnist"))(
        (1, 28, 28), nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.ReLU()), num_features=16
    ).eval()

    def pixels(images):
        return nn.functional.avg_pool2d(images, 4).flatten(1)

    for features, label in ((other, "Classifier"), (pixels, "pixels")):
        report = evaluate(digits, "mnist", samples=SAMPLES, features=features)
        assert report.features == label
        assert report.scores["precision"] > 0.5
    assert report.scores["classes"] == 10  # a function knows no classes: the course's classifier says them


def test_fewer_images_than_samples_are_compared_with_as_many_real_ones(digits):
    report = evaluate(digits[:80], "mnist", samples=SAMPLES)
    assert report.samples == 80
    assert report.real["frechet"] > evaluate(digits, "mnist", samples=SAMPLES).real["frechet"]


def test_reports_make_a_table_with_every_metric_and_say_that_they_are_of_a_stand_in(report):
    table = report_table({"mine": report})
    assert all(metric.title in table for metric in METRICS.values())
    assert "mine" in table.splitlines()[1]
    assert "stand-in" in table
    assert str(report).count("\n") == table.count("\n")


def test_reports_that_do_not_compare_are_refused(report):
    with pytest.raises(ValueError, match="samples of 'b' is 80, of the first 150"):
        report_table({"a": report, "b": report._replace(samples=80)})
    with pytest.raises(ValueError, match="no report to show"):
        report_table({})


@pytest.mark.parametrize(
    ("subject", "error", "words"),
    [
        (nn.Linear(2, 2), TypeError, "generator with `latent_dim`"),
        (3, TypeError, "got int"),
        (torch.zeros(60, 1, 8, 8), ValueError, "must be a float tensor \\(N, 1, 28, 28\\)"),
        (torch.zeros(10, 1, 28, 28), ValueError, "at least 50 images"),
        (mlp_generator((2,), latent_dim=2), ValueError, "must be a float tensor"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(subject, error, words):
    with pytest.raises(error, match=words):
        evaluate_function(subject, "mnist", samples=SAMPLES)


def test_too_few_samples_and_unknown_data_are_refused(digits):
    with pytest.raises(ValueError, match="samples must be at least 50"):
        evaluate(digits, "mnist", samples=20)
    with pytest.raises(ValueError, match="imagenet"):
        evaluate(digits, "imagenet")
