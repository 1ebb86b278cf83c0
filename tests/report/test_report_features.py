"""Test features of finished runs: the file, the figure, and `lt report --features`."""

import json
import re

import pytest
from lt_runs import in_process, tiny

from lt_lightning.errors import UserError
from lt_lightning.figures.clouds import clouds
from lt_lightning.figures.png import draw_clouds
from lt_lightning.report.charts.single import clouds_of
from lt_lightning.report.command import report
from lt_lightning.report.features_file import Features, read_features, write_features

GROUPS = ("many", "medium", "few")
LABELS = [0, 0, 0, 1, 1, 3]
X = [0.0, 2.0, 10.0, -1.0, -3.0, 5.0]
Y = [1.0, 1.0, 4.0, 2.0, 4.0, -5.0]


def made(folder, labels=LABELS, x=X, y=Y):
    write_features(folder, Features("f00d", "last.ckpt", labels, x, y))


def test_points_are_sorted_by_group_and_classes_named_in_their_middle(cells_of, results, tmp_path):
    cells = cells_of((results((300, 120, 50, 6)), {}))
    assert clouds_of(cells[0][1], GROUPS) is None
    made(cells[0][1].first.run.folder)
    _, found = clouds_of(cells[0][1], GROUPS)
    assert len(found.points) == 6
    assert [(one.group, one.style, len(one.points)) for one in found.groups] == [
        ("many", 0, 5),
        ("few", 2, 1),  # the medium class has no image among them
    ]
    assert found.groups[1].points == [(5.0, -5.0)]
    assert found.names == [("class 0", 2.0, 1.0), ("class 1", -2.0, 3.0), ("class 3", 5.0, -5.0)]


@pytest.mark.parametrize(
    ("weights", "fingerprint", "shown"),
    [(None, None, True), ("f00d", "cafe", True), ("beef", "cafe", False), ("f00d", "beef", False)],
)
def test_features_of_other_weights_or_images_are_not_drawn(
    cells_of, results, weights, fingerprint, shown
):
    content = results((300, 120, 50, 6))
    one = content["evaluations"]["last"]
    one["test"] = {"fingerprint": fingerprint}
    one["checkpoint"] |= {} if weights is None else {"weights": weights}
    cell = cells_of((content, {}))[0][1]
    features = Features("f00d", "last.ckpt", LABELS, X, Y, fingerprint="cafe")
    write_features(cell.first.run.folder, features)
    assert (clouds_of(cell, GROUPS) is not None) == shown


def test_the_page_draws_every_point_once(write, results, tmp_path):
    folder = write("ce/0", results((300, 120, 50, 6)))
    out = tmp_path / "report.html"
    report([str(folder), "--out", str(out)])
    assert "Test features" not in out.read_text("utf-8")
    made(folder)
    report([str(folder), "--out", str(out)])
    text = out.read_text("utf-8")
    section = text[text.index("<h3>Test features") :]
    paths = re.findall(r'class="cloud (g\d)" d="([^"]*)"', section)
    drawn = {kind: path.count("h0") for kind, path in paths if path != "M0 0h0"}
    assert drawn == {"g0": 5, "g2": 1}
    assert "6 test images, as many of each class; seed 0." in section
    assert section.count('class="place"') == 3


def test_more_than_12_classes_are_not_named(cells_of, results):
    cells = cells_of((results(tuple(range(13, 0, -1))), {}))
    labels = list(range(13))
    values = [float(k) for k in labels]
    made(cells[0][1].first.run.folder, labels, values, values)
    assert clouds_of(cells[0][1], GROUPS)[1].names == []


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"labels": [0, 0, 0, 1, 1, 4]},
        {"labels": [0, 1]},
        {"x": [float("nan")] * 6},
        {"x": ["0"] * 6},
        {"more": 1},
        {"evaluation": 3},
        {"fingerprint": 3},
    ],
)
def test_a_broken_file_is_one_sentence(tmp_path, change):
    made(tmp_path)
    file = tmp_path / "features.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(UserError, match="delete it and make it again by `lt report") as caught:
        read_features(tmp_path, 4)
    assert "\n" not in str(caught.value)


def test_the_figure_holds_each_group_and_names_the_classes():
    points = list(zip(LABELS, X, Y, strict=True))
    names = ["cat", "dog", "eel", "fox"]
    figure = draw_clouds(clouds("t", points, names, {"many": [0, 1]}, ["many"]))
    (axes,) = figure.axes
    assert [(line.get_label(), len(line.get_xdata())) for line in axes.lines] == [
        ("many: 5 images", 5),
        ("no group: 1 images", 1),
    ]
    assert {text.get_text(): text.get_position() for text in axes.texts} == {
        "cat": (2.0, 1.0),
        "dog": (-2.0, 3.0),
        "fox": (5.0, -5.0),
    }
    assert axes.get_title() == "t"
    assert "no unit" in axes.get_xlabel()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("lt_lightning.callbacks.RunRecord._draw", lambda *_: None)
        answer = in_process(tiny("ce", "--name", "ce", "--trainer.max_epochs", "1"))
        assert answer.status == 0, answer.err
    return folder


@pytest.fixture
def few_images(monkeypatch):
    from lt_lightning.metrics.embedding import choose_shown

    monkeypatch.setattr(
        "lt_lightning.cli.commands.features.choose_shown", lambda y: choose_shown(y, 30)
    )


def test_lt_report_features_makes_them_once(finished, monkeypatch, few_images):
    monkeypatch.chdir(finished)
    answer = in_process(["report", "runs", "--features", "--out", "report.html"])
    assert answer.status == 0, answer.err
    folder = finished / "runs" / "ce" / "0"
    assert answer.out.splitlines() == ["report.html: 1 run", "  runs/ce/0/features_last.png"]
    found = read_features(folder, 10)
    assert sorted(found.labels) == sorted(list(range(10)) * 3)
    assert "<h3>Test features" in (finished / "report.html").read_text("utf-8")
    before = (folder / "features.json").stat().st_mtime_ns
    monkeypatch.setattr(
        "lt_lightning.cli.commands.features.tsne", lambda _: pytest.fail("made again")
    )
    answer = in_process(["report", "runs/ce", "--features"])
    assert answer.status == 0, answer.err
    assert "features_last.png" in answer.out
    assert (folder / "features.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["report", "--features"], 2, "required: RUN"),
        (["report", "nowhere", "--features"], 1, "nowhere holds no finished run"),
        (["report", "runs", "--features", "--format", "pdf"], 2, "'pdf'"),
        (["report", "runs", "--features", "--data.subset_seed", "5"], 1, "was trained on"),
    ],
)
def test_a_mistake_is_one_sentence(finished, monkeypatch, words, status, says):
    monkeypatch.chdir(finished)
    for file in finished.glob("runs/ce/0/features*"):
        file.unlink()
    answer = in_process(words)
    assert answer.status == status, answer.err
    told = ("features of run", "training images, fingerprint")
    lines = [line for line in answer.err.splitlines() if not any(word in line for word in told)]
    assert len(lines) == 1
    assert says in lines[0]


def test_a_file_that_is_no_report_is_kept_before_any_image_is_looked_at(finished, monkeypatch):
    monkeypatch.chdir(finished)
    notes = finished / "notes.html"
    notes.write_text("mine", encoding="utf-8")
    monkeypatch.setattr(
        "lt_lightning.cli.commands.report._make", lambda *_: pytest.fail("looked at images")
    )
    for look in ("--features", "--mistakes"):
        answer = in_process(["report", "runs", look, "--out", "notes.html"])
        assert answer.status == 1
        assert "notes.html exists and is no page of lt report: add --force" in answer.err
    assert notes.read_text("utf-8") == "mine"


def test_a_run_without_its_checkpoint_is_one_sentence(write, cifar):
    folder = write("ce/0", cifar(), config={"data": {}})
    answer = in_process(["report", str(folder), "--features"])
    assert answer.status == 1
    assert "has no last.ckpt: it was tested and has lost it, put it back or train" in answer.err
