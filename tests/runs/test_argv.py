"""The one scanner of the command line, and the order in which its words count."""

import pytest

from lt_lightning.runs import argv


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("fit --a.b 1", [("", "fit"), ("--a.b", "1")]),
        ("--a.b=1 --c=", [("--a.b", "1"), ("--c", "")]),
        ("--a -1", [("--a", "-1")]),
        ("--a --b 1", [("--a", None), ("--b", "1")]),
        ("-c x -c=y -cz --config w", [("--config", w) for w in "xyzw"]),
        ("RUN --best --device cpu", [("", "RUN"), ("--best", None), ("--device", "cpu")]),
        ("--config", [("--config", None)]),
        ("--a x=y z", [("--a", "x=y"), ("", "z")]),
    ],
)
def test_a_word_is_a_flag_or_a_value(line, read):
    assert [(item.flag, item.value) for item in argv.items(line.split())] == read
    assert [word for item in argv.items(line.split()) for word in item.words] == line.split()


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("fit --config x --a 1", "fit --config=x --a 1"),
        ("fit --a 1 --config x", "fit --config=x --a 1"),
        ("fit --a 1 -c x --b=2 --config=y --d 3", "fit --config=x --config=y --a 1 --b=2 --d 3"),
        ("fit --model ERM -cx", "fit --model ERM --config=x --model ERM"),
        ("fit --a 1 --b 2", "fit --a 1 --b 2"),
        ("fit --calls+ X --config y", "fit --config=y --calls+ X"),
        ("fit --model.help BBN --config y", "fit --config=y --model.help BBN"),
    ],
)
def test_files_come_first_and_in_their_order(line, first):
    assert " ".join(argv.files_first(line.split())) == first


PART = "--model.loss X"


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("--model.loss X -c ce", "--config=ce --model.loss X --model.loss X"),
        ("--model.loss X -c d -c ce -c o", f"--config=d --config=ce {PART} --config=o {PART}"),
        ("--model.loss X -c d", "--config=d --model.loss X"),
        ("--model M --model.loss X -c d", f"--model M {PART} --config=d --model M {PART}"),
        ("-c ce --model.loss X -c o", "--config=ce --model.loss X --config=o --model.loss X"),
        ("--data.sampler S -c ce", "--data.sampler S --config=ce --data.sampler S"),
    ],
)
def test_a_part_of_the_method_stays_behind_what_names_it(line, first):
    """Trap: the parser knows no parts without the method, and refuses them."""
    assert " ".join(argv.files_first(line.split(), {"ce"})) == first


def test_options_of_a_group_are_split_off():
    line = "RUN --data.root D --out O --data.source.size=8 --best --datasets 1"
    assert argv.apart(line.split(), "data") == (
        ["RUN", "--out", "O", "--best", "--datasets", "1"],
        ["--data.root", "D", "--data.source.size=8"],
    )
