"""What the words of a command line are taken for."""

import pytest

from lt_lightning.cli.words.arguments import CommandParser
from lt_lightning.errors import Refused


@pytest.fixture
def parser():
    made = CommandParser("lt data --out DIR", None)
    made.add_argument("--out")
    made.add_argument("--per_class", dest="count", type=int)
    made.add_argument("--seeds", nargs="+", type=int)
    return made


@pytest.mark.parametrize("value", ["runs/lr=", "a=--", "=", "x="])
def test_a_value_may_end_as_an_empty_one_does(parser, value):
    for words in ([f"--out={value}"], ["--out", value]):
        assert parser.parse_args(words).out == value


@pytest.mark.parametrize("words", [["--out="], ["--out=--"], ["--out", ""]])
def test_an_empty_value_is_refused(parser, words):
    with pytest.raises(Refused) as refused:
        parser.parse_args(words)
    assert "--out has " in refused.value.sentence


@pytest.mark.parametrize(
    "words", [["--per_class", str(2**63)], ["--seeds", "1", str(-(2**63) - 1)]]
)
def test_a_number_beyond_64_bits_is_refused(parser, words):
    with pytest.raises(Refused) as refused:
        parser.parse_args(words)
    said = f"{words[0]} is {words[-1]}: give a number of at most 64 bits."
    assert refused.value.sentence.endswith(said)
    assert parser.parse_args(["--seeds", str(2**63 - 1)]).seeds == [2**63 - 1]
