"""Which class a label of a list to predict means."""

from pathlib import Path

import pytest

from lt_lightning.errors import UserError
from lt_lightning.predictions.pictures import Picture, label_index, pictures


def index(label, *names, numbered=False):
    place = {name: k for k, name in enumerate(names)}
    return label_index(Picture("a.png", Path("a.png"), label, numbered), names, place)


@pytest.mark.parametrize(
    ("label", "names", "found"),
    [
        ("1", ("cat", "dog"), 1),
        ("dog", ("cat", "dog"), 1),
        ("1", ("1", "0"), 0),
        ("-1", ("-1", "2.5"), 0),
        ("", ("cat", "dog"), None),
        (" ", ("cat", "dog"), None),
        (" dog ", ("cat", "dog"), 1),
        (" 1", ("cat", "dog"), 1),
        ("Cat ", ("Cat", "Cat ", " c"), 1),
        ("Cat", ("Cat", "Cat ", " c"), 0),
        (" c", ("Cat", "Cat ", " c"), 2),
    ],
)
def test_a_label_is_a_name_or_a_number_where_no_class_has_a_number_for_a_name(label, names, found):
    assert index(label, *names) == found


@pytest.mark.parametrize("names", [("1.0", "2.0"), ("-1", "-2"), ("+1", "+2"), (".5", "1.")])
def test_no_number_is_a_place_where_classes_are_called_by_numbers(names):
    with pytest.raises(UserError, match="is '0', which is no class of the run"):
        index("0", *names)


def test_a_cell_keeps_the_blanks_of_the_name_of_a_class(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text('file , label\n a.png ,"Cat "\nb.png, Cat\n', encoding="utf-8")
    rows = list(pictures(file).stream)
    assert [row.name for row in rows] == ["a.png", "b.png"]
    names = ("Cat", "Cat ")
    place = {name: k for k, name in enumerate(names)}
    assert [label_index(row, names, place) for row in rows] == [1, 0]


def test_a_label_of_a_text_list_is_a_number_whatever_the_classes_are_called():
    assert index("2", "cat", "dog", "owl", numbered=True) == 2
    assert index("1", "0", "1", "2", numbered=True) == 1  # both readings are one
    assert index("0", "1", "10", "2", numbered=True) == 0  # no class is called so
    with pytest.raises(UserError, match="'7', which is no class of the run: the run has 2 classes"):
        index("7", "cat", "dog", numbered=True)


@pytest.mark.parametrize(("label", "of"), [("2", "'10'"), ("10", "no class"), ("1", "'2'")])
def test_a_number_of_a_text_list_that_is_the_name_of_another_class_is_refused(label, of):
    """Trap: 2 was counted as class 10, and 10 was no class: did you mean 10?"""
    with pytest.raises(UserError, match=rf"in a text list \(that of {of}\), .* give a CSV"):
        index(label, "1", "2", "10", numbered=True)


def test_a_name_in_another_form_of_unicode_is_told_as_such():
    with pytest.raises(UserError, match="in its Unicode form alone: write it as the run does"):
        index("cafe\u0301", "caf\u00e9", "bar")
