"""The HTML page: whole, self-contained, and right for runs of every kind."""

import itertools
import re
from html.parser import HTMLParser

import pytest

from lt_lightning.report.features_file import Features, write_features
from lt_lightning.report.page import page
from lt_lightning.report.run import Run

_VOID = {"meta", "link", "br", "input"}


class Reader(HTMLParser):
    """Keeps text, tables and links, and sees to it that each tag is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.words, self.ids = [], [], [], []
        self.tables, self.cell = [], None
        self.tags, self.attributes = set(), set()

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes |= given.keys()
        self.links += [value for name, value in attrs if name in ("href", "src", "xlink:href")]
        self.ids += [given["id"]] if "id" in given else []
        if tag not in _VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.cell = ""
        if tag == "br" and self.cell is not None:
            self.cell += " / "

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag in ("td", "th"):
            self.tables[-1][-1].append(" ".join(self.cell.split()))
            self.cell = None

    def handle_data(self, data):
        self.words.append(data)
        if self.cell is not None:
            self.cell += data


@pytest.fixture
def read(write):
    """The page of runs given as (content, files), parsed."""
    pages = itertools.count()

    def one(*runs):
        page_number = next(pages)
        folders = [
            write(f"{page_number}-run{k}/0", content, **files)
            for k, (content, files) in enumerate(runs)
        ]
        reader = Reader()
        reader.feed(page([Run.read(folder) for folder in folders]))
        assert reader.open == []
        reader.text = " ".join(" ".join(reader.words).split())
        return reader

    return one


@pytest.fixture
def full(cifar):
    """Two methods of two seeds with everything that can be drawn."""
    runs = []
    for method, accuracy in (("ce", 0.70), ("bbn", 0.80)):
        for seed in (0, 1):
            content = cifar(method=method, accuracy=accuracy + 0.02 * seed, seed=seed)
            evaluation = content["evaluations"]["last"]
            evaluation["weight_norms"] = [2.0 - k / 10 for k in range(10)]
            evaluation["confusion"] = [f"{k}:1000" for k in range(10)]
            names = ("train/loss", "val/acc", "val/acc_many", "val/acc_medium")
            curves = {name: [0.1 * k for k in range(1, 8)] for name in names}
            runs.append((content, {"curves": curves}))
    return runs


def test_nothing_is_asked_from_outside(read, full):
    reader = read(*full)
    for link in reader.links:
        assert link.startswith(("#", "data:"))
    anchors = {link[1:] for link in reader.links if link.startswith("#")}
    assert anchors <= set(reader.ids)
    assert not re.search(r"url\(|@import|https?://", reader.text)


def test_every_figure_is_there_with_title_axes_and_legend(read, full, write):
    text = read(*full).text
    for title in (
        "Accuracy over class size", "Accuracy of the group many, on held-out images",
        "Accuracy of the group medium", "Accuracy of all images", "Training loss",
        "Classifier weight norms over class size", "Accuracy over minutes",
        "Accuracy over parameters", "Reliability", "Confusion",
    ):  # fmt: skip
        assert title in text
    for axis in (
        "training images of the class (log scale)", "test accuracy (%)", "loss (nats)",
        "minutes of training", "million parameters", "confidence (%)", "epoch",
    ):  # fmt: skip
        assert axis in text
    assert "group few" not in text  # CIFAR-10-LT has no such class


def test_tables_hold_the_numbers(read, full):
    reader = read(*full)
    survey, numbers, differences = reader.tables[:3]
    assert survey[2][0] == "ce"
    assert survey[2][4] == "71.00 ± 1.41 / 70.36, +0.64"
    heads = numbers[0]
    assert [row[0] for row in numbers[1:]] == ["bbn", "ce"]
    row = dict(zip(heads, numbers[1], strict=True))
    assert row["all %"] == "81.00 ± 1.41"
    assert row["seeds"] == "2"
    assert row["minutes"] == "10.5"
    assert "few %" not in heads
    assert differences[1][:6] == ["bbn", "ce", "2", "+10.00", "+10.00 to +10.00", "better"]


def test_the_mean_over_classes_is_shown_where_it_differs(read, cifar):
    content, other = cifar(), cifar(method="bbn")
    content["evaluations"]["last"]["overall"]["acc_macro"] += 1e-12
    assert "macro %" not in read((content, {}), (other, {})).tables[1][0]
    other["evaluations"]["last"]["overall"]["acc_macro"] += 0.01
    assert "macro %" in read((content, {}), (other, {})).tables[1][0]


def test_best_and_second_are_marked(write, cifar):
    runs = [cifar(method=m, accuracy=a) for m, a in (("ce", 0.5), ("bbn", 0.7), ("mixup", 0.6))]
    text = page([Run.read(write(f"{k}/0", run)) for k, run in enumerate(runs)])
    assert '<b title="best">70.00</b>' in text
    assert '<u title="second">60.00</u>' in text
    assert '<b title="best">50.00' not in text


def test_oracles_and_test_seen_are_marked(read, cifar):
    text = read(
        (cifar(), {}),
        (cifar(method="bound", accuracy=0.9, flags=("oracle",)), {}),
        (cifar(method="mixup", flags=("test_seen",)), {"curves": {"val/acc": [0.1, 0.2]}}),
    ).text
    assert "bound oracle" in text
    assert "bound (oracle)" in text
    assert "mixup test seen" in text
    assert "Accuracy of all images, on TEST images" in text


def test_names_cannot_break_the_page(read, results):
    def parsed(name):
        contents = []
        for seed, method in enumerate(("ce", name, name)):
            content = results(
                (300, 6), method=method, names=(name, "b"), source=name, seed=seed % 2
            )
            content["evaluations"]["last"]["confusion"] = ["0:1", "1:1"]
            content["hardware"]["device"] = name
            contents.append((content, {"curves": {"train/loss": [1.0, 0.5]}}))
        return read(*contents)

    evil = "<img src=x>&\"'"
    plain, reader = parsed("plain"), parsed(evil)
    assert reader.text.count(evil) > 20
    assert reader.tags == plain.tags
    assert reader.attributes == plain.attributes


def test_no_name_and_no_value_is_markup(write, results):
    script = "<script>alert(1)<script>\"'&"  # a folder has no slash
    command = ["lt", "fit", "--config", "configs/ce.yaml", f"--model.loss={script}"]
    folders = []
    for seed, options in enumerate((command, None)):
        content = results((300, 6), names=(script, "b"), seed=seed, command=options)
        evaluation = content["evaluations"]["last"]
        evaluation["confusion"] = ["0:1", "1:1"]
        config = {"model": {"class_path": "ERM", "init_args": {"loss": options and script}}}
        folders.append(write(f"{script}{seed}/0", content, config=config))
        write_features(folders[-1], Features("f00d", "last.ckpt", [0, 0, 1], [0.0] * 3, [0.0] * 3))
    text = page([Run.read(folder) for folder in folders])
    assert "<script" not in text
    reader = Reader()
    reader.feed(text)
    words = " ".join(reader.words)
    for shown in (
        f"ce, loss {script}: {script}, 300 ",
        f"{script}0/0",
        f"{script[:12]}… taken for b",
    ):
        assert shown in words
    assert reader.words.count(script) == 4  # amid its features, and in the tables of classes


def test_many_methods_are_all_in_the_table_and_seven_drawn(read, cifar):
    runs = [(cifar(method=f"m{k}", accuracy=0.5 + k / 100), {}) for k in range(12)]
    reader = read(*runs, (cifar(accuracy=0.1), {}))
    assert "7 of 13 rows are drawn" in reader.text
    assert len(reader.tables[1]) == 14
    assert "Lines shown: ce m11 m10 m9 m8 m7 m6" in reader.text


def test_one_run_of_one_seed(read, results):
    reader = read((results(), {}))
    assert "1 run, 1 method, 1 data set" in reader.text
    assert "Differences" not in reader.text
    assert "±" not in reader.tables[0][2][1]


def test_one_pair_has_no_interval(read, results):
    reader = read((results(), {}), (results(method="bbn", accuracy=0.6), {}))
    assert reader.tables[2][1][:5] == ["bbn", "ce", "1", "+10.00", "one pair"]


def test_one_class(read, results):
    content = results((50,))
    content["evaluations"]["last"]["confusion"] = ["0:100"]
    content["evaluations"]["last"]["weight_norms"] = [1.0]
    reader = read((content, {}), (results((50,), method="bbn"), {}))
    assert "50 training images of 1 class" in reader.text


def test_an_empty_group_is_absent_not_zero(read, results):
    reader = read((results((300, 120)), {}))
    assert "medium %" not in reader.tables[1][0]
    assert "classes in the groups: many 2;" in reader.text


def test_a_group_of_some_methods_only_is_a_dash(read, results):
    lacking = results(method="bbn")
    del lacking["evaluations"]["last"]["groups"]["few"]
    numbers = read((results(), {}), (lacking, {})).tables[1]
    rows = {row[0]: dict(zip(numbers[0], row, strict=True)) for row in numbers[1:]}
    assert rows["bbn"]["few %"] == "-"
    assert rows["ce"]["few %"] != "-"


@pytest.mark.parametrize("metric", ["acc", "acc_macro", "acc_worst", "ece", "nll"])
def test_a_missing_metric_is_a_gap(read, results, metric):
    content = results()
    del content["evaluations"]["last"]["overall"][metric]
    reader = read((content, {}), (results(method="bbn"), {}))
    assert "bbn" in reader.text


def test_a_run_without_any_test_image(read, results):
    content = results()
    evaluation = content["evaluations"]["last"]
    evaluation.update(images=0, overall={}, groups={})
    for row in evaluation["classes"]:
        row.update(test_images=0, correct=0, accuracy=None)
    evaluation["reliability"].update(
        total=[0] * 15, correct=[0] * 15, accuracy=[None] * 15, confidence=[None] * 15
    )
    assert "Reliability" not in read((content, {})).text


def test_8142_classes(read, results):
    counts = [max(2, int(1000 * 0.998**k)) for k in range(8142)]
    contents = [results(counts, method=m, per_class=3) for m in ("ce", "bbn")]
    for content in contents:
        content["evaluations"]["last"]["weight_norms"] = [1.0 + k / 8142 for k in range(8142)]
    reader = read(*((content, {}) for content in contents))
    assert "8,142 classes" in reader.text
    assert "8142 classes in 12 bins" in reader.text


def test_results_of_before_norms_and_confusion_were_kept(read, results):
    text = read((results(), {})).text
    assert "Confusion" not in text
    assert "weight norms" not in text


def test_minutes_of_a_stage_2_alone_are_marked(write, cifar):
    """Trap: a classifier that took 2 minutes stands beside runs of 20 as if it were cheap."""
    config = {"model": {"class_path": "Decoupled", "init_args": {"stage1_ckpt": "runs/ce/0"}}}
    folders = [
        write("ce/0", cifar(), config={"model": {"class_path": "ERM"}}),
        write("crt/0", cifar(method="crt", accuracy=0.6), config=config),
    ]
    text = page([Run.read(folder) for folder in folders])
    assert text.count("+ 10.0") == 1
    assert "Minutes after a plus are those of the last stage alone" in text
    assert "Of the last stage alone, after another run: crt." in text
    assert "plus are those" not in page([Run.read(folders[0])])
