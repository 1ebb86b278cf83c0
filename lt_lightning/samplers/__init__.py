"""Samplers: which images make up an epoch, the same on any number of processes."""

from lt_lightning.samplers.base import ClassRule, SamplingRule
from lt_lightning.samplers.class_aware import ClassAware
from lt_lightning.samplers.class_balanced import ClassBalanced
from lt_lightning.samplers.class_index import ClassIndex
from lt_lightning.samplers.effective_number import EffectiveNumberBalanced
from lt_lightning.samplers.epoch_sampler import EpochSampler
from lt_lightning.samplers.instance_balanced import InstanceBalanced
from lt_lightning.samplers.over_sampling import OverSampling
from lt_lightning.samplers.power import Power
from lt_lightning.samplers.progressively_balanced import ProgressivelyBalanced
from lt_lightning.samplers.reversed import Reversed
from lt_lightning.samplers.square_root import SquareRoot
from lt_lightning.samplers.step_switch import StepSwitch
from lt_lightning.samplers.under_sampling import UnderSampling
from lt_lightning.samplers.with_added import WithAdded

__all__ = [
    "ClassAware",
    "ClassBalanced",
    "ClassIndex",
    "ClassRule",
    "EffectiveNumberBalanced",
    "EpochSampler",
    "InstanceBalanced",
    "OverSampling",
    "Power",
    "ProgressivelyBalanced",
    "Reversed",
    "SamplingRule",
    "SquareRoot",
    "StepSwitch",
    "UnderSampling",
    "WithAdded",
]
