"""Counts per class and what derives from them: accuracies of groups, calibration, confusion."""

from lt_lightning.metrics.class_stats import ClassStats
from lt_lightning.metrics.confusion import ConfusionCounts
from lt_lightning.metrics.groups import GroupRule, PositionalGroups, ShotGroups

__all__ = ["ClassStats", "ConfusionCounts", "GroupRule", "PositionalGroups", "ShotGroups"]
