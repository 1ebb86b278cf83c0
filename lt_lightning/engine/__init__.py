"""What the methods stand on: the base module, stages, freezing, loading, key encoder, teacher."""

from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.self_supervised import SelfSupervised
from lt_lightning.engine.two_stage import TwoStage

__all__ = ["LongTailModule", "SelfSupervised", "TwoStage"]
