"""What a sweep is asked for: files and groups, and what is refused."""

from pathlib import Path

import pytest

from lt_lightning.cli.commands.sweep import asked
from lt_lightning.errors import Refused
from lt_lightning.sweep.spec import Row, groups_of, read_spec


def test_keys_beside_the_groups_hold_for_all_of_them() -> None:
    first, second = groups_of(
        {
            "data": "digits",
            "ratios": [100, 10.0],
            "over": "recipe/short",
            "set": {"trainer.max_epochs": None, "trainer.deterministic": True},
            "groups": [
                {"rows": ["ce", {"config": "crt", "name": "c", "set": {"model.bn_mode": "eval"}}]},
                {"rows": "bbn", "seeds": [3, 3, 1], "ratios": 20},
            ],
        }
    )
    options = (("trainer.max_epochs", "null"), ("trainer.deterministic", "true"))
    assert first.rows == (
        Row("ce", ("ce", "recipe/short"), options),
        Row("c", ("crt", "recipe/short"), (*options, ("model.bn_mode", "eval"))),
    )
    assert first.data == second.data == ("data/digits",)
    assert (first.ratios, first.seeds) == (("100", "10"), (0,))
    assert (second.ratios, second.seeds) == (("20",), (3, 1))


def test_a_key_with_a_plus_can_be_given_several_times() -> None:
    """Trap: the last callback of three was kept alone."""
    (group,) = groups_of({"rows": "ce", "set": {"a.b+": ["X", "Y"], "a.c": 1}})
    assert group.rows[0].options == (("a.b+", "X"), ("a.b+", "Y"), ("a.c", "1"))
    words = ["--set", "a.b+=X", "--set", "a.c=1", "--set", "a.b+=Y", "--set", "a.c=2"]
    _, (group,) = asked(["--configs", "ce", *words])
    assert group.rows[0].options == (("a.b+", "X"), ("a.b+", "Y"), ("a.c", "2"))
    with pytest.raises(Refused) as refused:
        groups_of({"rows": "ce", "set": {"a.b": ["X", "Y"]}})
    assert "give a dotted key and one value" in refused.value.sentence


def test_what_a_group_repeats_of_the_shared_part_counts_once() -> None:
    """Trap: a file that repeated it, as was needed before, asked for other runs than those begun.

    A key with a plus adds to a list, so both are kept.
    """
    (group,) = groups_of(
        {
            "over": ["recipe/short", "trainer/cpu"],
            "set": {"data.workers": 2, "trainer.callbacks+": "A"},
            "groups": [
                {
                    "rows": ["crt"],
                    "over": ["recipe/short", "recipe/short_stage2"],
                    "set": {"data.workers": 2, "trainer.callbacks+": "B"},
                }
            ],
        }
    )
    (row,) = group.rows
    assert row.configs == ("crt", "trainer/cpu", "recipe/short", "recipe/short_stage2")
    callbacks = [("trainer.callbacks+", name) for name in "AB"]
    assert sorted(row.options) == [("data.workers", "2"), *callbacks]


def test_over_and_set_of_a_group_lie_over_those_beside_the_groups() -> None:
    row = {"config": "bbn", "over": "trainer/quick", "set": {"model.bn_mode": "eval"}}
    first, second = groups_of(
        {
            "over": ["recipe/short"],
            "set": {"trainer.precision": "16-mixed", "data.batch_size": 8, "data.profile": "Step"},
            "seeds": [0, 1],
            "groups": [
                {
                    "rows": ["ce", row],
                    "over": ["trainer/cpu"],
                    "set": {"data.batch_size": 32, "data.profile": "Exponential"},
                    "seeds": 4,
                },
                {"rows": ["ce"], "over": None, "set": None},
            ],
        }
    )
    precision = ("trainer.precision", "16-mixed")
    shared = (precision, ("data.batch_size", "8"), ("data.profile", "Step"))
    own = (("data.batch_size", "32"), ("data.profile", "Exponential"))
    files = ("recipe/short", "trainer/cpu")
    assert first.rows == (
        Row("ce", ("ce", *files), (precision, *own)),
        Row("bbn", ("bbn", *files, "trainer/quick"), (precision, *own, ("model.bn_mode", "eval"))),
    )
    assert second.rows == (Row("ce", ("ce", "recipe/short"), shared),)
    assert (first.seeds, second.seeds) == ((4,), (0, 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "A sweep is []"),
        ({}, "rows names no config"),
        ({"rows": []}, "rows names no config"),
        ({"rows": ["ce"], "seed": 1}, "did you mean seeds"),
        ({"rows": ["ce", "ce"]}, "Two rows are called ce"),
        ({"rows": ["cee"]}, "did you mean ce?"),
        ({"rows": [{"name": "a"}]}, "A row has the config None"),
        ({"rows": [{"config": "ce", "name": "../x"}]}, "A row is called '../x'"),
        ({"rows": [7]}, "A row is 7"),
        ({"rows": ["ce"], "data": "cifar"}, "There is no config cifar"),
        ({"rows": ["ce"], "ratios": 0.5}, "A ratio is 0.5"),
        ({"rows": ["ce"], "ratios": [True]}, "A ratio is True"),
        ({"rows": ["ce"], "ratios": "nan"}, "A ratio is 'nan'"),
        ({"rows": ["ce"], "ratios": "inf"}, "A ratio is 'inf'"),
        ({"rows": ["ce"], "ratios": 10**400}, "A ratio is a number of more than 80 digits"),
        ({"rows": ["ce"], "ratios": -(10**400)}, "A ratio is a number of more than 80 digits"),
        ({"rows": ["ce"], "ratios": 10**5000}, "A ratio is a number of more than 80 digits"),
        ({"rows": ["ce"], "ratios": "9" * 400}, "A ratio is '999"),
        ({"rows": ["ce"], "ratios": float("inf")}, "A ratio is inf"),
        ({"rows": ["ce"], "ratios": float("nan")}, "A ratio is nan"),
        ({"rows": ["ce"], "ratios": 0}, "A ratio is 0"),
        ({"rows": ["ce"], "ratios": -3}, "A ratio is -3"),
        ({"rows": ["ce"], "ratios": "many"}, "A ratio is 'many'"),
        ({"rows": ["ce"], "ratios": [None]}, "A ratio is None"),
        ({"rows": ["ce"], "ratios": [[5]]}, "A ratio is [5]"),
        ({"rows": ["ce"], "ratios": {"a": 5}}, "A ratio is {'a': 5}"),
        ({"rows": ["ce"], "seeds": 10**5000}, "A seed is a number of more than 80 digits"),
        ({"rows": ["ce"], "seeds": "'3"}, "A seed is"),
        ({"rows": ["ce"], "seeds": "9" * 5000}, "A seed is '999"),
        ({"rows": ["ce"], "seeds": -1}, "A seed is -1"),
        (
            {"rows": ["ce"], "seeds": 2**32},
            "A seed is 4294967296: give a whole number from 0, of 9",
        ),
        ({"rows": ["ce"], "seeds": 0.5}, "A seed is 0.5"),
        ({"rows": ["ce"], "set": ["a"]}, "set is ['a']"),
        ({"rows": ["ce"], "set": {"a": {"b": 1}}}, "set has a"),
        ({"rows": ["ce"], "set": {"a b": 1}}, "give a dotted key"),
        ({"rows": ["ce"], "set": {"": 1}}, "give a dotted key"),
        ({"rows": ["ce"], "set": {"runs": "/x"}}, "give --runs"),
        ({"rows": ["ce"], "set": {"name": "x"}}, "or the row a name"),
        ({"rows": ["ce"], "set": {"version": 1}}, "give seeds"),
        ({"rows": ["ce"], "set": {"seed_everything": 3}}, "give seeds"),
        ({"rows": ["ce"], "set": {"ckpt_path": "last"}}, "start the sweep again"),
        ({"rows": ["ce"], "set": {"config+": "bbn"}}, "name it as a row"),
        ({"rows": ["ce"], "set": {"print_config": ""}}, "set has print_config, which shows"),
        ({"rows": ["ce"], "set": {"model.help": "ERM"}}, "set has model.help, which shows"),
        ({"rows": ["ce"], "set": {"help": 1}}, "set has help, which shows"),
        (
            {"rows": ["ce"], "ratios": 20, "set": {"data.profile.imbalance_ratio": 50}},
            "set beside ratios",
        ),
        ({"rows": [{"config": "ce", "name": []}]}, "A row is called '[]'"),
        ({"rows": [{"config": "ce", "name": "-x"}]}, "A row is called '-x'"),
        ({"rows": [{"config": "ce", "name": ""}]}, "A row is called ''"),
        ({"rows": [{"config": "ce", "post_hoc": [[1]]}]}, "post_hoc has '[1]'"),
        ({"rows": [{"config": "ce", "post_hoc": "--x"}]}, "post_hoc has '--x'"),
        (
            {"rows": ["ce"], "seeds": [*range(200)], "ratios": [*range(1, 102)]},
            "It asks for 20,200 runs",
        ),
        ({"groups": {}}, "groups holds no list"),
        ({"groups": [{"rows": "ce", "groups": []}]}, "A group has no 'groups'"),
    ],
)
def test_what_is_not_understood_is_refused_in_words(content: object, said: str) -> None:
    with pytest.raises(Refused) as refused:
        groups_of(content)
    assert said in refused.value.sentence
    assert len(refused.value.sentence) < 400


def test_a_ratio_is_trained_as_it_was_written() -> None:
    (group,) = groups_of({"rows": "ce", "ratios": [123.4567, "1234567.5", 100, "1e2"]})
    assert group.ratios == ("123.4567", "1234567.5", "100")


@pytest.mark.parametrize("name", ["short", "survey"])
def test_the_sweeps_of_the_package_are_understood(name: str) -> None:
    assert read_spec(name) == read_spec(f"{name}.yaml")


def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        read_spec("surveys")
    assert "did you mean survey" in refused.value.sentence
    (tmp_path / "a.yaml").write_text("rows: [ce", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_spec(str(tmp_path / "a.yaml"))
    assert "a.yaml cannot be read" in refused.value.sentence


def test_a_row_that_has_its_name_from_a_file_is_told_what_the_command_line_can_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trap: it asked for a `name`, which --configs cannot give."""
    monkeypatch.chdir(tmp_path)
    Path("my cfg.yaml").touch()
    with pytest.raises(Refused) as refused:
        groups_of({"rows": ["my cfg.yaml"]})
    assert refused.value.sentence.endswith(
        "rename my cfg.yaml, or give the row a `name` in a sweep file."
    )
