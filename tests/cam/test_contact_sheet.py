"""What the contact sheet shows."""

import io

import numpy as np
import torch
from PIL import Image

from lt_lightning.cam.contact_sheet import Shown, choose_shown, class_titles, contact_sheet
from lt_lightning.figures.png import to_png


def labels(*counts):
    return torch.repeat_interleave(torch.tensor(counts))


def test_first_three_images_of_each_class_with_new_ones_are_shown():
    chosen = choose_shown(labels(0, 5, 3, 0, 9))
    assert chosen.tolist() == [0, 1, 2, 5, 6, 7, 8, 9, 10]


def test_class_with_fewer_images_shows_its_last_one_again():
    assert choose_shown(labels(1, 4, 2)).tolist() == [0, 0, 0, 1, 2, 3, 5, 6, 6]
    assert choose_shown(labels(1, 1)).tolist() == [0, 1]


def test_twelve_of_many_classes_are_shown_with_the_first_and_the_last():
    chosen = choose_shown(labels(*[0, *[4] * 99]))
    shown = labels(*[0, *[4] * 99])[chosen]
    assert len(set(shown.tolist())) == 12
    assert {1, 99} <= set(shown.tolist())


def test_titles_hold_name_and_numbers():
    titles = class_titles(["cat", "x" * 40], torch.tensor([1234, 5]), torch.tensor([0, 5678]))
    assert titles == ["cat\n1,234 + 0", "x" * 23 + "…\n5 + 5,678"]


def sheet(size, **changes):
    kinds = torch.tensor([0, 1, 2, 0])
    parts = {
        "labels": torch.tensor([1, 1, 2, 2]),
        "kinds": kinds,
        "originals": torch.full((4, 3, *size), 51, dtype=torch.uint8),
        "maps": torch.zeros(4, 4, 4),
        "generated": torch.full((4, 3, *size), 204, dtype=torch.uint8),
    }
    return contact_sheet(Shown(**{**parts, **changes}), ["a", "cat", "$dog_"], 0.75)


def test_rows_are_classes_and_columns_say_what_they_show():
    figure = sheet((8, 8))
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["original", "map", "new"] * 2
    assert [t.get_text() for t in axes.get_yticklabels()] == ["cat", "$dog_"]
    assert [t.get_text() for t in axes.texts] == ["turn", "shift", "flip", "turn"]
    with Image.open(io.BytesIO(to_png(figure))) as picture:
        assert min(picture.size) > 200


def test_pictures_are_in_the_cells_that_the_titles_name():
    (axes,) = sheet((8, 8)).axes
    picture = np.asarray(axes.images[0].get_array())
    where = [(round(y), round(x)) for y in axes.get_yticks() for x in axes.get_xticks()]
    found = [float(picture[y, x].mean()) for y, x in where]
    np.testing.assert_allclose(found[0::3], 51 / 255, atol=1e-6)
    np.testing.assert_allclose(found[2::3], 204 / 255, atol=1e-6)


def test_outline_is_drawn_around_the_foreground():
    maps = torch.zeros(4, 4, 4)
    maps[:, 1:3, 1:3] = 1.0
    (axes,) = sheet((128, 128), maps=maps).axes
    picture = np.asarray(axes.images[0].get_array())
    y, x = round(axes.get_yticks()[0]), round(axes.get_xticks()[1])
    cell = picture[y - 48 : y + 48, x - 48 : x + 48]
    white = (cell == 1).all(axis=2)
    assert not white[48, 48]
    assert not white[:6].any()
    assert white[48, :48].sum() in (1, 2)
    assert white[48, 48:].sum() in (1, 2)
