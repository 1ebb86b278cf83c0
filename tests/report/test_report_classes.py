"""Tables of the classes, for a terminal and for the page."""

import re

import pytest

from lt_lightning.report.cell import Grid
from lt_lightning.report.classes import class_rows, told
from lt_lightning.report.command import report
from lt_lightning.report.page import page
from lt_lightning.report.page.classes import class_tables
from lt_lightning.report.run import Run

ODD = ["<script>x</script>", "two\nlines", "日本語", "é" * 100]


def with_numbers(content, *rows):
    """Give the classes of the test (predicted, precision, f1), as a newer version writes them."""
    evaluation = content["evaluations"]["last"]
    for row, (predicted, precision, f1) in zip(evaluation["classes"], rows, strict=True):
        row |= {"predicted": predicted, "precision": precision, "f1": f1}
    evaluation["overall"] |= {"acc_top5": 0.75, "f1_macro": 0.5, "auc": 0.875}
    return content


@pytest.fixture
def odd(results):
    """A class without test images, one that was never predicted, and names of every kind."""
    content = results((6, 300, 120, 50), names=ODD)
    found = with_numbers(content, (0, None, None), (90, 0.5, 0.4), (0, None, 0.0), (4, 1.0, 0.25))
    empty = found["evaluations"]["last"]["classes"][0]
    empty |= {"test_images": 0, "correct": 0, "accuracy": None}
    return found


def test_rows_are_means_over_the_seeds_that_have_a_number(results, odd):
    other = with_numbers(results((6, 300, 120, 50), names=ODD), *[(1, 0.1, 0.2)] * 4)
    rows = class_rows([test["evaluations"]["last"] for test in (odd, other)])
    assert [row.training_images for row in rows] == [300, 120, 50, 6]
    accuracy = [row["accuracy"] for row in other["evaluations"]["last"]["classes"]]
    assert rows[3].shares == pytest.approx((100 * accuracy[0], 10, 20))
    assert rows[0].shares[1:] == pytest.approx((30, 30))
    assert rows[1].shares[1:] == pytest.approx((10, 10))


def test_the_terminal_has_a_row_for_each_class_and_a_dash_for_what_is_not(write, odd):
    folder = write("ce/0", odd)
    text, status = report([str(folder), "--classes"])
    assert status == 0
    assert told([folder]) in text
    _, head, _, *lines = told([folder]).splitlines()
    assert head.split("  ")[0] == "class"
    assert [line.split()[-2:] for line in lines] == [
        ["50.0", "40.0"],
        ["-", "0.0"],
        ["100.0", "25.0"],
        ["-", "-"],
    ]
    assert lines[3].split()[-4:-2] == ["0", "-"]
    assert "-" not in [line.split()[-3] for line in lines[:3]]
    assert lines[0].startswith("two\\nlines ")
    assert lines[2].startswith("é" * 39 + "…")
    assert all(part in text for part in ("top-5 %", "F1 %", "AUC %", "87.50"))


def test_results_of_an_earlier_version_have_a_dash(write, results):
    folder = write("ce/0", results())
    text, status = report([str(folder), "--classes"])
    assert status == 0
    assert not any(part in text.splitlines()[0] for part in ("top-5", "F1", "AUC"))
    assert all(line.split()[-2:] == ["-", "-"] for line in told([folder]).splitlines()[3:])


def test_the_page_has_the_names_escaped_and_one_table_for_each_method(write, odd):
    text = page([Run.read(write("ce/0", odd))])
    assert "<script" not in text
    assert text.count("&lt;script&gt;x&lt;/script&gt;") > 0
    assert "ce: 4 classes" in text
    assert re.search("é{100}", text)


def test_of_a_thousand_classes_the_page_shows_the_lowest(write, results):
    content = results([1000 - k for k in range(1000)])
    run = Run.read(write("ce/0", content))
    (found,) = class_tables(list(Grid.of([run]).cells.values()))
    assert found.heading == "ce: the 50 of 1,000 classes with the lowest recall"
    shown = [float(row[4].text) for row in found.table.rows]
    assert len(shown) == 50
    all_of_them = [100 * row["accuracy"] for row in content["evaluations"]["last"]["classes"]]
    assert shown == pytest.approx(sorted(all_of_them)[:50])
    assert len(told([run.folder]).splitlines()) == 1003


def test_classes_are_for_a_terminal_alone(write, results, tmp_path):
    folder = write("ce/0", results())
    text, status = report([str(folder), "--classes", "--out", str(tmp_path / "x.html")])
    assert status == 2
    assert "--classes is for text and not for html" in text


def test_the_title_is_the_folder_of_ones_own_pictures(write, results):
    folder = write(
        "ce/0", results(source="ImageFolder"), config={"data": {"root": "/a/traffic <signs>/"}}
    )
    text = page([Run.read(folder)])
    assert "<title>traffic &lt;signs&gt;, ratio 50: 1 runs</title>" in text
    assert "<h1>traffic &lt;signs&gt;, ratio 50</h1>" in text
