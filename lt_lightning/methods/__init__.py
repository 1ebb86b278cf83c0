"""One LightningModule per remedy; a method only holds the order of events."""

from lt_lightning.methods.base import LongTailModule
from lt_lightning.methods.bbn import BBN
from lt_lightning.methods.cmo import CMO
from lt_lightning.methods.erm import ERM

__all__ = ["BBN", "CMO", "ERM", "LongTailModule"]
