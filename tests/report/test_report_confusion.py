"""Confusion matrices: the counts, the named cells, the pixels."""

import base64
import re
import struct
import zlib
from xml.etree import ElementTree

import pytest

from lt_lightning.figures import ramp
from lt_lightning.figures.confusion import Confusion
from lt_lightning.figures.svg import draw
from lt_lightning.report.charts.gallery import gallery
from lt_lightning.report.charts.single import confusion_of


def test_confusion_is_ordered_from_head_to_tail_and_summed(cells_of, results):
    contents = [results((6, 300, 50), seed=k) for k in range(2)]
    for content in contents:  # class 0 is the tail, class 1 the head
        content["evaluations"]["last"]["confusion"] = ["0:1 1:9", "1:10", "1:4 2:6"]
    (_, cell), *_ = cells_of(*((content, {}) for content in contents))
    found = confusion_of(cell)
    assert found.counts == [[20, 0, 0], [8, 12, 0], [18, 0, 2]]
    assert found.names == ["class 1", "class 2", "class 0"]
    assert Confusion("", ["a", "b"], [[20, 0], [0, 0]]).shares == [[100.0, 0.0], [None, None]]


def test_no_confusion_where_a_run_has_none(cells_of, results):
    ((_, cell),) = cells_of((results(), {}))
    assert confusion_of(cell) is None


def test_cells_of_confusion_have_names_and_numbers(cells_of, results):
    content = results((300, 6), names=("cat & dog", "eel"))
    content["evaluations"]["last"]["confusion"] = ["0:3 1:1", "0:2 1:2"]
    ((_, cell),) = cells_of((content, {}))
    svg = ElementTree.fromstring(draw(confusion_of(cell)))
    texts = [text.text for text in svg.iter("text")]
    assert [text for text in texts if text.isdigit()] == ["75", "25", "50", "50"]
    assert texts.count("cat & dog") == 2
    titles = [title.text for title in svg.iter("title")]
    assert titles[1] == "cat & dog taken for eel: 25.0 %"
    colours = [rect.get("style") for rect in svg.iter("rect")]
    assert colours[0] == f"fill:{ramp.colour(75)}"


def pixels_of(svg):
    """Decode the picture in a figure: size, rows of places in the palette, the palette."""
    data = base64.b64decode(re.search(r"base64,([^\"]+)", svg).group(1))
    assert data.startswith(b"\x89PNG")
    place, found = 8, {}
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        found[data[place + 4 : place + 8]] = data[place + 8 : place + 8 + length]
        place += 12 + length
    size = struct.unpack(">I", found[b"IHDR"][:4])[0]
    raw = zlib.decompress(found[b"IDAT"])
    rows = [list(raw[k * (size + 1) + 1 : (k + 1) * (size + 1)]) for k in range(size)]
    return size, rows, list(found[b"PLTE"])


@pytest.mark.parametrize(("classes", "size"), [(21, 21), (450, 150)])
def test_many_classes_become_pixels(cells_of, results, classes, size):
    content = results([2 * classes - k for k in range(classes)])
    content["evaluations"]["last"]["confusion"] = [f"{k}:4" for k in range(classes)]
    content["evaluations"]["last"]["confusion"][0] = ""
    ((_, cell),) = cells_of((content, {}))
    found, rows, palette = pixels_of(draw(confusion_of(cell)))
    assert found == size
    assert [rows[k][k] for k in range(1, size)] == [254] * (size - 1)
    assert rows[1][0] == 0
    assert palette == [part for colour in ramp.PALETTE for part in colour]
    assert rows[0] == ([255] * size if classes == 21 else [254] + [0] * (size - 1))


def test_many_classes_have_some_names_and_the_frequent_mistakes_all_of_theirs():
    names = [f"<b>{k}</b> " + "long " * 20 for k in range(1000)]
    counts = [[0] * 1000 for _ in range(1000)]
    counts[7][9], counts[7][7], counts[8][7], counts[9][1] = 3, 1, 20, 1
    found = Confusion("T", names, counts)
    svg = ElementTree.fromstring(draw(found))
    texts = [text.text for text in svg.iter("text")]
    assert len(texts) == 2 * 15 + 2
    assert texts[0] == names[0][:12] + "…"
    assert texts[-4] == names[-1][:12] + "…"
    slow = sorted(
        ((counts[t][p] / sum(counts[t]), sum(counts[t]), t, p)
         for t in range(1000) for p in range(1000) if counts[t][p] and t != p),
        key=lambda one: (-one[0], -one[1]),
    )  # fmt: skip
    wanted = [(names[t], names[p], counts[t][p], images) for _, images, t, p in slow]
    assert found.mistakes(8) == wanted
    assert found.mistakes(1) == [(names[8], names[7], 20, 20)]


def test_ramp_grows_lighter_all_the_way():
    light = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in ramp.PALETTE[:-1]]
    assert light == sorted(light)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["0:3", "1:4"], "7 images. None was mistaken."),
        (["0:3 1:1", "1:4"], "8 images. The most frequent mistakes, by their share of the class:"),
    ],
)
def test_mistakes_are_announced_where_there_are_any(grid_of, results, rows, told):
    content = results(counts=(9, 4))
    content["evaluations"]["last"]["confusion"] = rows
    grid = grid_of(content)
    (data,) = grid.data_labels
    (picture,) = gallery(grid, data).confusion
    assert picture.caption == told
    assert bool(picture.lines) == ("most frequent" in told)
