"""What every figure keeps to: one definition, which needs nothing but plain Python."""

import ast
from pathlib import Path

import pytest

import lt_lightning.figures as room
from lt_lightning.figures.clouds import clouds
from lt_lightning.figures.confusion import Confusion, head_to_tail, read_sparse
from lt_lightning.figures.png import draw_clouds, draw_confusion, draw_reliability
from lt_lightning.figures.reliability import reliability
from lt_lightning.figures.svg import draw

FOLDER = Path(room.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))


def imported(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.relative_to(FOLDER).as_posix())
def test_figures_stand_on_nothing_above_them(file):
    names = set(imported(file))
    own = {name for name in names if name.startswith("lt_lightning")}
    assert all(name.startswith("lt_lightning.figures") for name in own)
    if file.parent.name != "png":
        heavy = ("torch", "matplotlib", "numpy", "lt_lightning.figures.png")
        assert not [name for name in names if name.startswith(heavy)]


TABLE = {
    "edges": [0.0, 0.5, 1.0], "total": [4, 6], "correct": [1, 6],
    "accuracy": [0.25, 1.0], "confidence": [0.5, 0.75],
}  # fmt: skip


def test_the_page_and_the_file_show_the_same_bars():
    found = reliability("T", [TABLE])
    assert [one.gap for one in found.bins] == ["over", "under"]
    assert found.ece == pytest.approx(0.4 * 0.25 + 0.6 * 0.25)
    bars = [bar for c in draw_reliability(found, {}).axes[0].containers for bar in c]
    drawn = draw(found)
    assert drawn.count("<rect") == len(bars) == 4
    assert drawn.count('class="over"') == drawn.count('class="under"') == 1


def test_the_page_and_the_file_show_the_same_shares():
    counts = read_sparse([["0:3 1:1", ""], ["0:4", ""]], 2)
    found = Confusion("T", ["<a>", "b"], counts).ordered(head_to_tail([1, 5]))
    assert found.counts == [[0, 0], [1, 7]]
    assert found.shares == [[None, None], [12.5, 87.5]]
    written = [text.get_text() for text in draw_confusion(found).axes[0].texts]
    assert written == ["12", "88"]
    drawn = draw(found)
    assert all(f">{number}</text>" in drawn for number in written)
    assert "&lt;a&gt; taken for b: 12.5 %" in drawn


def test_neighbours_are_summed_where_there_are_many_classes():
    found = Confusion("T", list("abc"), [[1, 2, 3], [4, 5, 6], [7, 8, 9]]).coarse(2)
    assert found.counts == [[12, 9], [15, 9]]


def test_the_page_and_the_file_name_the_same_classes():
    found = clouds("T", [(0, 0.0, 0.0), (1, 4.0, 4.0)], ["<a>", "b"], {"many": [0]}, ["many"])
    assert [(one.group, len(one.points)) for one in found.groups] == [("many", 1), ("no group", 1)]
    assert [text.get_text() for text in draw_clouds(found).axes[0].texts] == ["<a>", "b"]
    assert draw(found).count('class="place"') == 2
    assert ">&lt;a&gt;</text>" in draw(found)
