"""One LightningModule per remedy; a method only holds the order of events."""

from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.self_supervised import SelfSupervised
from lt_lightning.engine.two_stage import TwoStage
from lt_lightning.methods.bbn import BBN
from lt_lightning.methods.bcl import BCL
from lt_lightning.methods.causal_tde import CausalTDE
from lt_lightning.methods.classifier_bound import ClassifierBound
from lt_lightning.methods.cmo import CMO
from lt_lightning.methods.decoupled import Decoupled
from lt_lightning.methods.dis_align import DisAlign
from lt_lightning.methods.erm import ERM
from lt_lightning.methods.hybrid_contrastive import HybridContrastive
from lt_lightning.methods.mixup_two_stage import MixupTwoStage
from lt_lightning.methods.moco import MoCo
from lt_lightning.methods.paco import PaCo
from lt_lightning.methods.pseudo_label import PseudoLabel
from lt_lightning.methods.rotation_ssp import RotationSSP
from lt_lightning.methods.sim_siam import SimSiam

__all__ = [
    "BBN",
    "BCL",
    "CMO",
    "ERM",
    "CausalTDE",
    "ClassifierBound",
    "Decoupled",
    "DisAlign",
    "HybridContrastive",
    "LongTailModule",
    "MixupTwoStage",
    "MoCo",
    "PaCo",
    "PseudoLabel",
    "RotationSSP",
    "SelfSupervised",
    "SimSiam",
    "TwoStage",
]
