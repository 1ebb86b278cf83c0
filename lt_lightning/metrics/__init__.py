"""Counts per class and what derives from them: accuracies of groups, calibration, confusion."""

from lt_lightning.metrics.auc import OneVsRestAUC
from lt_lightning.metrics.class_stats import ClassStats
from lt_lightning.metrics.confusion import ConfusionCounts
from lt_lightning.metrics.groups import GroupRule, PositionalGroups, ShotGroups
from lt_lightning.metrics.prediction import predicted_class

__all__ = [
    "ClassStats",
    "ConfusionCounts",
    "GroupRule",
    "OneVsRestAUC",
    "PositionalGroups",
    "ShotGroups",
    "predicted_class",
]
