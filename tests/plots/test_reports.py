"""Reports as pictures: a panel for each metric, a cell for each failure, and all of it in words, too."""

import pytest

from course_utils.metrics import METRICS, HumanScore, Report
from course_utils.plots import alt_text, failure_matrix, human_scores, metric_report
from course_utils.plots.reports import BETTER, SAME, VERDICTS, WORSE


def report(value, **changes):
    scores = {key: value + place for place, key in enumerate(METRICS)}
    return Report("mnist", 500, "the course's classifier", scores, dict.fromkeys(METRICS, 1.0), "")._replace(
        **changes
    )


def test_bars_are_the_reports_values_and_the_line_is_the_real_images():
    figure = metric_report({"a": report(2.0), "b": report(3.0)})
    assert len(figure.axes) == 9
    keys = [key for key in METRICS if key != "classes"]
    for axes, key in zip(figure.axes, keys, strict=True):
        place = [*METRICS].index(key)
        assert [bar.get_width() for bar in axes.patches] == [2.0 + place, 3.0 + place]
        assert axes.lines[0].get_xdata()[0] == 1.0
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["a", "b"]
    assert all(metric.title in alt_text(figure) for metric in METRICS.values())


def test_values_below_zero_stay_in_the_picture():
    axes = metric_report({"a": report(-8.0)}).axes[2]  # the kernel distance
    assert axes.get_xlim()[0] <= -6.0


def test_reports_that_do_not_compare_are_not_drawn():
    with pytest.raises(ValueError, match="name of 'b'"):
        metric_report({"a": report(1.0), "b": report(1.0, name="cifar10")})


def test_every_cell_has_its_value_and_the_colour_of_its_verdict():
    values = {"blur": {"x": -1.25, "y": 30.0}, "copies": {"x": 0.0, "y": 1.0}}
    verdicts = {"blur": {"x": WORSE, "y": SAME}, "copies": {"x": BETTER, "y": SAME}}
    figure = failure_matrix(values, verdicts, digits={"x": 2, "y": 0}, alt="blur is seen by x")
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["● −1.25", "30", "▲ 0.00", "1"]
    from matplotlib.colors import to_hex

    colours = [to_hex(cell.get_facecolor()).upper() for cell in axes.patches]
    assert colours == [VERDICTS[one][0] for one in (WORSE, SAME, BETTER, SAME)]
    assert alt_text(figure) == "blur is seen by x"


def test_human_scores_have_a_point_and_an_interval_each():
    scores = {
        "me": HumanScore(20, 5, 0.25, 0.11, 0.47, 0.2, 0.3),
        "you": HumanScore(10, 5, 0.5, 0.24, 0.76, 0, 1),
    }
    (axes,) = human_scores(scores).axes
    assert [list(line.get_xdata()) for line in axes.lines[:4]] == [[0.11, 0.47], [0.25], [0.24, 0.76], [0.5]]
    assert "me: 5 of 20 wrong, 25%" in alt_text(axes.figure)
