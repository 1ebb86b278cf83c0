"""Classifiers: features (N, D) to logits (N, C)."""

from lt_lightning.heads.calibrated import CalibratedHead
from lt_lightning.heads.causal_norm import (
    CausalNormHead,
    causal_cosines,
    causal_logits,
    moved_feature,
    total_direct_effect,
)
from lt_lightning.heads.classifier import ClassifierRule
from lt_lightning.heads.cosine import CosineHead
from lt_lightning.heads.crt import CRT
from lt_lightning.heads.keep import KeepClassifier
from lt_lightning.heads.linear import LinearHead
from lt_lightning.heads.lws import LWS
from lt_lightning.heads.nearest_mean import NearestMeanHead
from lt_lightning.heads.projection import ProjectionHead
from lt_lightning.heads.scaled import ScaledHead, scaled_logits
from lt_lightning.heads.squashed_cosine import SquashedCosineHead, squashed_cosine_logits
from lt_lightning.heads.tau_norm import TauNormHead

__all__ = [
    "CRT",
    "LWS",
    "CalibratedHead",
    "CausalNormHead",
    "ClassifierRule",
    "CosineHead",
    "KeepClassifier",
    "LinearHead",
    "NearestMeanHead",
    "ProjectionHead",
    "ScaledHead",
    "SquashedCosineHead",
    "TauNormHead",
    "causal_cosines",
    "causal_logits",
    "moved_feature",
    "scaled_logits",
    "squashed_cosine_logits",
    "total_direct_effect",
]
