"""What the command says of an error."""

import pytest

from lt_lightning.cli.words.errors import explain


def sentence_of(act):
    """Return the one sentence that is said of what `act` raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  of any class
        act()
    sentence = explain(caught.value)
    assert sentence is not None
    assert "\n" not in sentence
    return sentence
