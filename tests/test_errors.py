"""What a terminal gets of a sentence."""

from lt_lightning.errors import shown


def test_a_sentence_is_one_line_and_no_value_of_it_is_endless() -> None:
    assert shown("There is no a\nb\x1b[2J: give another.") == (
        "There is no a\\nb\\x1b[2J: give another."
    )
    told = shown(f"There is no /{'a' * 5000}.csv: give another.")
    assert len(told) < 200
    assert told.endswith("a.csv: give another.")
    assert shown(f"It has {'ab, ' * 300}").count("ab") == 300
