import numpy as np
import pytest
import torch

from lt_lightning.callbacks.outcome import plain
from lt_lightning.figures import png
from lt_lightning.figures.class_size import ClassAccuracy
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.knob import knob_chart
from lt_lightning.figures.png import to_png
from lt_lightning.figures.reliability import reliability
from lt_lightning.metrics import ClassStats

COUNTS = [500, 200, 50, 5]
GROUPS = {"many": [0, 1], "medium": [2], "few": [3]}


def accuracy_per_class(accuracy, groups, title="T"):
    rows = [
        {"name": f"class {k}", "training_images": count, "accuracy": value}
        for k, (count, value) in enumerate(zip(COUNTS, accuracy, strict=True))
    ]
    return png.draw_class_accuracy(ClassAccuracy.of(title, rows, groups))


def confusion_matrix(counts, names, title="T"):
    return png.draw_confusion(Confusion(title, names, torch.as_tensor(counts).tolist()))


def diagram(stats, title="T"):
    return reliability(title, [{name: plain(v) for name, v in stats.reliability().items()}])


def legend_texts(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def tick_labels(axis):
    """Return the labels that are drawn; matplotlib keeps some outside of the view as well."""
    low, high = sorted(axis.get_view_interval())
    where = "xy".index(axis.axis_name)
    labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
    return [t for t in labels if t.get_text() and low <= t.get_position()[where] <= high]


def overlaps(figure):
    """Return the pairs of texts that lie over each other."""
    figure.draw_without_rendering()  # a bare figure's canvas draws nothing
    texts = [*figure.legends]
    for axes in figure.axes:
        texts += [axes.title, axes.xaxis.label, axes.yaxis.label]
        texts += [*tick_labels(axes.xaxis), *tick_labels(axes.yaxis)]
    # The boxes of slanted labels overlap although the letters do not.
    straight = [t for t in texts if getattr(t, "get_rotation", lambda: 0)() in (0, 90)]
    boxes = [(t, t.get_window_extent().shrunk(0.98, 0.9)) for t in straight]
    boxes = [(t, box) for t, box in boxes if box.width > 0]
    return [
        (a, b)
        for k, (a, box) in enumerate(boxes)
        for b, other in boxes[k + 1 :]
        if box.overlaps(other)
    ]


def test_accuracy_points_lines_and_legend():
    figure = accuracy_per_class([0.9, 0.7, None, 0.1], GROUPS)
    (axes,) = figure.axes
    points = {line.get_label(): line.get_xydata().tolist() for line in axes.lines}
    assert points == {
        "many: 80.0 %, 2 classes": [[500, 90], [200, 70]],
        "few: 10.0 %, 1 class": [[5, 10]],
    }
    means = [c.get_segments()[0].tolist() for c in axes.collections]
    assert means == [[[200, 80], [500, 80]], [[5, 10], [5, 10]]]
    assert axes.get_xscale() == "log"
    assert axes.get_title() == "T"
    assert axes.get_xlabel() == "training images of the class (log scale)"
    assert axes.get_ylabel() == "test accuracy (%)"
    assert legend_texts(figure) == list(points)


def test_accuracy_groups_have_own_colours_and_markers():
    figure = accuracy_per_class([0.5] * 4, GROUPS)
    styles = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines}
    assert len({colour for colour, _ in styles}) == len({marker for _, marker in styles}) == 3


def test_accuracy_of_classes_without_group_and_without_test_images():
    figure = accuracy_per_class([0.5] * 4, {"many": [0]})
    assert legend_texts(figure) == ["many: 50.0 %, 1 class", "no group: 50.0 %, 3 classes"]
    empty = accuracy_per_class([None] * 4, GROUPS)
    assert len(empty.axes[0].lines) == 0
    assert to_png(empty)[:4] == b"\x89PNG"


def test_confusion_is_normalised_by_row():
    counts = torch.tensor([[3, 1, 0], [0, 0, 0], [1, 0, 1]])
    figure = confusion_matrix(counts, ["a", "b", "c"])
    axes = figure.axes[0]
    drawn = axes.images[0].get_array()
    np.testing.assert_array_equal(drawn.filled(-1), [[75, 25, 0], [-1, -1, -1], [50, 0, 50]])
    assert [t.get_text() for t in axes.get_xticklabels()] == ["a", "b", "c"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b", "c"]
    written = {t.get_position(): t.get_text() for t in axes.texts}
    assert written == {(0, 0): "75", (1, 0): "25", (0, 2): "50", (2, 2): "50"}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    assert figure.axes[1].get_ylabel() == "share of the true class (%)"


@pytest.mark.parametrize(("classes", "ticks"), [(20, 20), (60, 60), (61, 25), (1000, 25)])
def test_confusion_ticks_have_names_as_far_as_there_is_room(classes, ticks):
    counts = torch.eye(classes, dtype=torch.int64)
    names = [f"class {k} with a name that is as long as 50 letters" for k in range(classes)]
    axes = confusion_matrix(counts, names).axes[0]
    for axis in (axes.xaxis, axes.yaxis):
        places, texts = axis.get_ticklocs(), [t.get_text() for t in axis.get_ticklabels()]
        assert len(places) == ticks
        assert texts == [f"{names[int(place)][:19]}…" for place in places]
        assert (places[0], places[-1]) == (0, classes - 1)
    assert ("named)" in axes.get_xlabel()) == (ticks < classes)


def test_a_large_confusion_sums_neighbours_at_their_places():
    counts = torch.zeros(1000, 1000, dtype=torch.int64)
    counts[990:, 10] = 1
    axes = confusion_matrix(counts, list(map(str, range(1000)))).axes[0]
    drawn = axes.images[0].get_array()
    assert drawn.shape == (200, 200)
    assert [tuple(map(int, place)) for place in np.argwhere(drawn.filled(0) > 0)] == [
        (198, 2),
        (199, 2),
    ]
    assert axes.images[0].get_extent() == [-0.5, 999.5, 999.5, -0.5]


def test_strange_class_names():
    names = ["$x", "猫", "a" * 50, "two\nlines"]
    figure = confusion_matrix(torch.eye(4, dtype=torch.int64), names, "$T")
    assert to_png(figure)[:4] == b"\x89PNG"  # warnings are errors
    assert figure.axes[0].get_xticklabels()[2].get_text() == "a" * 19 + "…"
    assert figure.axes[0].get_xticklabels()[3].get_text() == "two lines"


def stats():
    # bin 10: 0.7 right and 0.7 wrong; bin 13: 0.9 right
    found = ClassStats(2, groups={})
    found.update(torch.tensor([[0.7, 0.3], [0.7, 0.3], [0.9, 0.1]]).log(), torch.tensor([0, 1, 0]))
    return found


def test_reliability_bars_and_gaps():
    figure = png.draw_reliability(diagram(stats()), stats().compute())
    axes, below = figure.axes
    bars = {c.get_label(): [(p.get_x(), p.get_y(), p.get_height()) for p in c]
            for c in axes.containers}  # fmt: skip
    left = [pytest.approx(100 * 10 / 15), pytest.approx(100 * 13 / 15)]
    assert bars["accuracy"] == [(left[0], 0, 50), (left[1], 0, 100)]
    assert bars["gap: too confident"] == [(left[0], 50, pytest.approx(20, abs=1e-4))]
    low, gap = pytest.approx(90, abs=1e-4), pytest.approx(10, abs=1e-4)
    assert bars["gap: not confident enough"] == [(left[1], low, gap)]
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [100, 100]]
    assert [p.get_height() for p in below.patches] == pytest.approx([200 / 3, 100 / 3])
    assert axes.get_title() == "T\naccuracy 66.7 %, ECE 16.7 %, 3 images, 15 bins"
    assert below.get_xlabel() == "confidence (%)"
    assert legend_texts(figure) == [
        "calibrated", "accuracy", "gap: too confident", "gap: not confident enough"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "shape"), [(2, (1, 2)), pytest.param(5, (2, 4), marks=pytest.mark.slow)]
)
def test_reliability_side_by_side_shares_one_scale(parts, shape):
    found = [(diagram(stats(), f"part {k}"), stats().compute()) for k in range(parts)]
    figure = png.draw_side_by_side(found, title="T")
    drawn = [axes for axes in figure.axes if axes.containers]
    assert figure.axes[0].get_gridspec().get_geometry() == shape
    assert [axes.get_title() for axes in drawn] == [
        f"part {k}\naccuracy 66.7 %, ECE 16.7 %" for k in range(parts)
    ]
    assert {axes.get_xlim() + axes.get_ylim() for axes in drawn} == {(0, 100, 0, 100)}
    assert len(legend_texts(figure)) == 4  # each name once
    labelled = [bool(axes.get_xlabel()) for axes in drawn]
    assert labelled == [False] * (parts - shape[1]) + [True] * shape[1]
    assert overlaps(figure) == []


def test_the_curve_of_a_knob_marks_what_was_chosen():
    figure = png.draw_chart(knob_chart({0.0: 0.5, 0.5: 0.75, 1.0: 0.75}, 1.0, "tau", "held-out"))
    (axes,) = figure.axes
    assert axes.lines[0].get_xydata().tolist() == [[0, 50], [0.5, 75], [1, 75]]
    assert axes.lines[1].get_xydata().tolist() == [[1, 75]]
    assert axes.get_legend().get_texts()[0].get_text() == "chosen: 1"
    assert axes.get_ylabel() == "macro accuracy on held-out images (%)"


def test_reliability_of_nothing():
    empty = ClassStats(2, groups={})
    figure = png.draw_reliability(diagram(empty), empty.compute())
    assert figure.axes[0].get_title() == "T\n0 images, 15 bins"
    assert to_png(figure)[:4] == b"\x89PNG"


def figures():
    long = [f"a long class name {k}" for k in range(20)]
    return {
        "accuracy": accuracy_per_class([1.0] * 4, GROUPS, "A title"),
        "named": confusion_matrix(torch.eye(20, dtype=torch.int64), long, "A title"),
        "many": confusion_matrix(torch.eye(365, dtype=torch.int64), ["x"] * 365, "A title"),
        "reliability": png.draw_reliability(diagram(stats()), stats().compute()),
    }


@pytest.mark.parametrize(
    "name",
    [
        "named",
        "reliability",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("accuracy", "many")),
    ],
)
def test_no_text_lies_over_another(name):
    assert overlaps(figures()[name]) == []


def test_overlaps_are_found():
    figure = figures()["accuracy"]
    figure.axes[0].set_xticks([100, 101], ["a long label", "another long label"])
    assert overlaps(figure) != []
