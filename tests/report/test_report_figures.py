"""The numbers behind each figure, and where they stand in the drawing."""

import math
import re
from xml.etree import ElementTree

import pytest

from lt_lightning.figures.chart import Chart, Point, Series
from lt_lightning.figures.class_size import borders
from lt_lightning.figures.scale import Scale, around, percent, wide
from lt_lightning.figures.svg import draw
from lt_lightning.report.charts.class_size import accuracies, by_size, relative_norms
from lt_lightning.report.charts.cost import MINUTES, PARAMETERS, cost
from lt_lightning.report.charts.curves import Panel, curves, panels
from lt_lightning.report.charts.single import reliability_of
from lt_lightning.report.charts.tau import tau_chart, tau_curves

FEW, *_, LOSS = panels(["few"])


def places(svg, tag="path", kind="dot"):
    """The places of the parts of a class, as (x, y)."""
    found = []
    for part in ElementTree.fromstring(svg).iter(tag):
        if part.get("class") == kind:
            found.append(tuple(map(float, re.findall(r"-?[\d.]+", part.get("transform")))))
    return found


def test_few_classes_stand_for_themselves(cells_of, results):
    cells = cells_of((results((300, 50, 6), 0.5, slope=0.4), {}))
    (series,) = by_size(cells, accuracies, " %")
    assert series.name == "ce"
    assert [(round(p.x), round(p.y)) for p in series.points] == [(6, 30), (50, 50), (300, 70)]
    assert series.points[0].text == "ce: class 2, 6 images, 30 %"


def test_many_classes_are_averaged_in_bins_of_equal_number(cells_of, results):
    counts = [1000 - k for k in range(120)]
    cells = cells_of((results(counts, 0.5, slope=0.6), {}))
    (series,) = by_size(cells, accuracies, " %")
    assert len(series.points) == 12
    lowest = sorted(zip(counts, accuracies(cells[0][1]), strict=True))[:10]
    mean = sum(value for _, value in lowest) / 10
    size = math.prod(count for count, _ in lowest) ** (1 / 10)
    assert series.points[0].y == pytest.approx(mean)
    assert series.points[0].x == pytest.approx(size)
    assert [p.x for p in series.points] == sorted(p.x for p in series.points)


def test_accuracies_are_means_over_the_seeds(cells_of, results):
    cells = cells_of(
        *((results((300, 6), a, slope=0, seed=k), {}) for k, a in enumerate((0.4, 0.6)))
    )
    assert accuracies(cells[0][1]) == pytest.approx([50.0, 50.0])


def test_classes_without_test_or_training_images_are_left_out(cells_of, results):
    content = results((300, 50, 0), 0.5, slope=0)
    content["evaluations"]["last"]["classes"][0]["accuracy"] = None
    (series,) = by_size(cells_of((content, {})), accuracies, " %")
    assert [point.x for point in series.points] == [pytest.approx(50)]


def test_borders_lie_between_the_groups(cells_of, results):
    ((_, cell),) = cells_of((results((300, 120, 80, 30, 6)), {}))
    facts = cell.first.run.content["data"]
    assert borders(facts["class_counts"], facts["groups"]) == [
        (pytest.approx(math.sqrt(6 * 30)), "few", "medium"),
        (pytest.approx(math.sqrt(80 * 120)), "medium", "many"),
    ]


def test_weight_norms_are_relative_to_their_mean(cells_of, results):
    content = results((300, 50, 6))
    content["evaluations"]["last"]["weight_norms"] = [3.0, 2.0, 1.0]
    cells = cells_of((content, {}), (results((300, 50, 6), method="bbn"), {}))
    assert relative_norms(cells[0][1]) == pytest.approx([1.5, 1.0, 0.5])
    assert relative_norms(cells[1][1]) is None
    assert [series.name for series in by_size(cells, relative_norms, "")] == ["ce"]


def test_curves_are_mean_and_spread_of_the_seeds(cells_of, results):
    cells = cells_of(
        (results(seed=0), {"curves": {"val/acc_few": [0.1, 0.2], "train/loss": [2.0, 1.0]}}),
        (results(seed=1), {"curves": {"val/acc_few": [0.3, 0.2], "train/loss": [4.0, 1.0]}}),
    )
    (series,) = curves(cells, FEW)
    first, second = series.points
    assert (first.x, first.y) == (1.0, pytest.approx(20.0))
    assert first.high - first.y == pytest.approx(math.sqrt(200))
    assert (second.x, second.y, second.low, second.high) == (2.0, *[pytest.approx(20.0)] * 3)
    (loss,) = curves(cells, LOSS)
    assert [point.y for point in loss.points] == pytest.approx([3.0, 1.0])
    assert curves(cells, Panel("val/acc_many", "many")) == []


def test_the_curve_of_a_run_is_not_called_by_one_of_its_checkpoints(cells_of, results):
    """Trap: the weights of stage 1 were the more accurate ones, and gave the curve their name."""
    content = results(method="crt", accuracy=0.5)
    better = results(accuracy=0.9)["evaluations"]["last"]
    content["evaluations"] = {"stage1": better, **content["evaluations"], "best": better}
    cells = cells_of((content, {"curves": {"train/loss": [2.0, 1.0]}}))
    (series,) = curves(cells, LOSS)
    (last,) = [style for style, cell in cells if cell.method == "crt"]
    assert (series.name, series.style) == ("crt", last)
    assert [point.text for point in series.points] == ["crt: 2 at 1", "crt: 1 at 2"]


def test_curves_leave_gaps_where_nothing_was_logged(cells_of, results):
    files = {"curves": {"val/acc": [None, 0.5, None, 0.7], "train/loss": [1.0] * 4}}
    (series,) = curves(cells_of((results(), files)), Panel("val/acc", "all"))
    assert [(p.x, p.y) for p in series.points] == [(2.0, 50.0), (4.0, pytest.approx(70.0))]


def test_curves_end_where_the_first_seed_ends(cells_of, results):
    cells = cells_of(
        (results(seed=0), {"curves": {"train/loss": [1.0, 2.0]}}),
        (results(seed=1), {"curves": {"train/loss": [1.0, 2.0, 9.0]}}),
    )
    (series,) = curves(cells, LOSS)
    assert [point.x for point in series.points] == [1.0, 2.0]


def test_curves_of_one_training_are_drawn_once(cells_of, results):
    content = results()
    content["evaluations"]["last+tau_norm_1"] = content["evaluations"]["last"]
    cells = cells_of((content, {"curves": {"train/loss": [1.0, 0.5]}}))
    assert len(cells) == 2
    assert [series.name for series in curves(cells, LOSS)] == ["ce"]


def test_reliability_sums_the_seeds(cells_of, results):
    contents = [results(seed=k) for k in range(2)]
    for content, (total, correct, sure) in zip(
        contents, ((10, 5, 0.9), (30, 27, 0.95)), strict=True
    ):
        table = content["evaluations"]["last"]["reliability"]
        table["total"], table["correct"] = [0] * 14 + [total], [0] * 14 + [correct]
        table["confidence"] = [None] * 14 + [sure]
    (_, cell), *_ = cells_of(*((content, {}) for content in contents))
    diagram = reliability_of(cell)
    (found,) = diagram.bins
    assert (found.images, found.accuracy) == (40, pytest.approx(0.8))
    assert found.confidence == pytest.approx((10 * 0.9 + 30 * 0.95) / 40)
    assert diagram.ece == pytest.approx(found.confidence - 0.8)


def test_bars_of_reliability_reach_accuracy_and_confidence(cells_of, results):
    ((_, cell),) = cells_of((results(), {}))
    diagram = reliability_of(cell)
    found = diagram.bins
    svg = ElementTree.fromstring(draw(diagram))
    bars = [part for part in svg.iter("rect") if part.get("class") == "bar"]
    assert len(bars) == len(found) == 2
    whole = 280 - 14 - 44  # the height of 100 %
    for bar, one in zip(bars, found, strict=True):
        assert float(bar.get("height")) == pytest.approx(whole * one.accuracy, abs=0.1)
    kinds = {part.get("class") for part in svg.iter("rect")} - {"bar"}
    assert kinds <= {"over", "under"}


def test_cost_and_accuracy_are_means(cells_of, results):
    cells = cells_of(*((results(accuracy=a, seed=k), {}) for k, a in enumerate((0.4, 0.6))))
    (series,) = cost(cells, MINUTES)
    (point,) = series.points
    assert (point.x, point.y) == (pytest.approx(10.5), pytest.approx(50.0))
    assert point.high - point.y == pytest.approx(math.sqrt(200))
    assert cost(cells, PARAMETERS)[0].points[0].x == pytest.approx(0.464154)


def test_unknown_minutes_leave_the_method_out(cells_of, results):
    content = results()
    content["training"]["seconds"] = None
    cells = cells_of((content, {}), (results(method="bbn"), {}))
    assert [series.name for series in cost(cells, MINUTES)] == ["bbn"]


def test_points_stand_where_the_axes_say():
    x, y = Scale("x", 10, 1000, log=True), Scale("y", 0, 100)
    series = [Series("a", 0, [Point(10, 0), Point(100, 50), Point(1000, 100)])]
    left, right, top, bottom = 54, 440 - 14, 14, 300 - 44
    assert places(draw(Chart("t", x, y, series))) == [
        (left, bottom),
        ((left + right) / 2, (top + bottom) / 2),
        (right, top),
    ]


def test_each_method_has_its_own_shape_and_colour():
    x, y = Scale("x", 0, 10), Scale("y", 0, 10)
    series = [Series(f"m{k}", k, [Point(1, k), Point(9, k)]) for k in range(7)]
    svg = ElementTree.fromstring(draw(Chart("t", x, y, series)))
    groups = [g.get("class") for g in svg.iter("g") if "series" in (g.get("class") or "")]
    assert sorted(groups) == [f"series s{k}" for k in range(7)]
    assert groups[-1] == "series s0"  # the baseline lies on top
    assert len({part.get("d") for part in svg.iter("path") if part.get("class") == "dot"}) == 7


def test_axes_have_names_and_ticks_that_do_not_overlap():
    svg = draw(Chart("t", Scale("epoch", 0, 200), Scale("accuracy (%)", 0, 100), []))
    texts = [text.text for text in ElementTree.fromstring(svg).iter("text")]
    assert {"epoch", "accuracy (%)", "0", "200", "100"} <= set(texts)


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale("", 0, 100), [0, 20, 40, 60, 80, 100]),
        (Scale("", 0, 30), [0, 5, 10, 15, 20, 25, 30]),
        (Scale("", 5, 500, log=True), [5, 10, 20, 50, 100, 200, 500]),
        (Scale("", 1, 10_000, log=True), [1, 10, 100, 1000, 10_000]),
        (Scale("", 3.1, 3.4, log=True), [3.1, 3.4]),
    ],
)
def test_ticks_are_round(scale, ticks):
    assert scale.ticks() == pytest.approx(ticks)


@pytest.mark.parametrize("make", [around, wide, percent])
@pytest.mark.parametrize("values", [[5.0], [5.0, 5.0], [0.001, 9000.0]])
def test_every_axis_holds_its_values(make, values):
    scale = make("", [min(v, 100.0) for v in values] if make is percent else values)
    assert scale.low < scale.high
    for value in values:
        if value <= 100 or make is not percent:
            assert -1e-9 <= scale.share(value) <= 1 + 1e-9
    assert len(scale.ticks()) >= 2


def test_tau_is_drawn_where_it_was_chosen(cells_of, results):
    def tried(content, *points):
        content["evaluations"]["last+tau_norm_1"] = {
            **content["evaluations"]["last"], "tau_curve": [list(point) for point in points],
        }  # fmt: skip
        return content

    cells = cells_of(
        (tried(results(), (0.0, 0.5), (1.0, 0.75), (2.0, 0.25)), {}),
        (tried(results(seed=1), (0.0, 0.25), (1.0, 0.25)), {}),
    )
    (series,) = tau_curves(cells)
    assert series.name.endswith("+ tau_norm")
    assert [(point.x, point.y) for point in series.points] == [(0.0, 37.5), (1.0, 50.0)]
    assert series.points[1].low == pytest.approx(50 - math.sqrt(2) * 25)
    chart = tau_chart(cells)
    assert chart.title == "Choice of tau after training"
    assert len(places(draw(chart))) == 2
    assert tau_chart(cells[:1]) is None
