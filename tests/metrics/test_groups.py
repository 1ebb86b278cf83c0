import inspect

import pytest
import torch

import lt_lightning.metrics as package
from lt_lightning.errors import UserError
from lt_lightning.metrics import ClassStats, GroupRule, PositionalGroups, ShotGroups

RULES = [
    value
    for value in vars(package).values()
    if inspect.isclass(value) and issubclass(value, GroupRule) and not inspect.isabstract(value)
]


def exponential(images, classes, ratio):
    return torch.tensor([int(images * (1 / ratio) ** (j / (classes - 1))) for j in range(classes)])


@pytest.mark.parametrize(
    ("images", "classes", "ratio", "sizes"),
    [
        (5000, 10, 200, (7, 3, 0)),
        (5000, 10, 100, (8, 2, 0)),
        (5000, 10, 10, (10, 0, 0)),
        (500, 100, 200, (30, 31, 39)),
        (500, 100, 100, (35, 35, 30)),
        (500, 100, 50, (41, 41, 18)),
        (500, 100, 10, (69, 31, 0)),
    ],
)
def test_shot_groups_of_cifar_lt(images, classes, ratio, sizes):
    groups = ShotGroups()(exponential(images, classes, ratio))
    assert tuple(len(groups.get(name, [])) for name in ("many", "medium", "few")) == sizes
    assert [] not in groups.values()


def test_shot_groups_edges():
    groups = ShotGroups()(torch.tensor([101, 100, 20, 19, 500]))
    assert groups == {"many": [0, 4], "medium": [1, 2], "few": [3]}


def test_shot_groups_thresholds():
    groups = ShotGroups(many_above=10, few_below=11)(torch.tensor([10, 11]))
    assert groups == {"many": [1], "few": [0]}
    with pytest.raises(UserError, match="few_below is 12"):
        ShotGroups(many_above=10, few_below=12)


def test_positional_groups():
    assert PositionalGroups()(exponential(5000, 10, 100)) == {
        "many": [0, 1, 2],
        "medium": [3, 4, 5, 6],
        "few": [7, 8, 9],
    }


def test_positional_groups_rank_by_count_and_drop_empty_groups():
    rule = PositionalGroups({"many": 1, "medium": 0, "few": 3})
    assert rule(torch.tensor([5, 9, 7, 7])) == {"many": [1], "few": [0, 2, 3]}


@pytest.mark.parametrize("sizes", [{"many": 3}, {"many": 5}])
def test_positional_groups_must_cover_all_classes(sizes):
    with pytest.raises(UserError, match="add up to"):
        PositionalGroups(sizes)(torch.tensor([4, 3, 2, 1]))


def test_positional_groups_refuse_negative_sizes():
    with pytest.raises(UserError, match="negative"):
        PositionalGroups({"many": 5, "few": -1})


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_puts_each_class_into_one_group(rule):
    counts = exponential(500, 10, 100)
    members = [index for group in rule()(counts).values() for index in group]
    assert sorted(members) == list(range(10))


def test_repr_shows_the_parameters():
    assert repr(ShotGroups()) == "ShotGroups(many_above=100, few_below=20)"


@pytest.mark.parametrize("name", ["macro", "worst", "top5", "", " ", "a\nb"])
def test_a_group_has_a_name_of_its_own(name):
    with pytest.raises(UserError, match="give it another name"):
        PositionalGroups({name: 1})
    with pytest.raises(UserError, match="give it another name"):
        ClassStats(1, groups={name: [0]})
