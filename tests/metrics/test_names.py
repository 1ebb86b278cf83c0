import torch

from lt_lightning.metrics import ClassStats
from lt_lightning.metrics.names import group_acc, logged


def test_names():
    assert group_acc("many") == "acc_many"
    assert logged("val", "acc") == "val/acc"


def test_these_are_the_names_that_class_stats_gives():
    stats = ClassStats(3, groups={"many": [0], "medium": [1], "few": [2]})
    stats.update(9 * torch.eye(3), torch.arange(3))
    assert list(stats.compute()) == [
        *("acc", "acc_macro", "acc_many", "acc_medium", "acc_few", "acc_worst"),
        *("f1_macro", "nll", "ece", "mce", "brier"),
    ]
