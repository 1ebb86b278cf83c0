"""Which class a label of a list to predict means."""

from pathlib import Path

import pytest

from lt_lightning.errors import UserError
from lt_lightning.predictions.pictures import Picture, label_index


def index(label, *names):
    place = {name: k for k, name in enumerate(names)}
    return label_index(Picture("a.png", Path("a.png"), label), names, place)


@pytest.mark.parametrize(
    ("label", "names", "found"),
    [
        ("1", ("cat", "dog"), 1),
        ("dog", ("cat", "dog"), 1),
        ("1", ("1", "0"), 0),
        ("-1", ("-1", "2.5"), 0),
        ("", ("cat", "dog"), None),
    ],
)
def test_a_label_is_a_name_or_a_number_where_no_class_has_a_number_for_a_name(label, names, found):
    assert index(label, *names) == found


@pytest.mark.parametrize("names", [("1.0", "2.0"), ("-1", "-2"), ("+1", "+2"), (".5", "1.")])
def test_no_number_is_a_place_where_classes_are_called_by_numbers(names):
    with pytest.raises(UserError, match="is '0', which is no class of the run"):
        index("0", *names)
