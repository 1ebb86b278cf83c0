"""What changes a finished run without training."""

from lt_lightning.post_hoc.base import PostHoc
from lt_lightning.post_hoc.calibration import TemperatureScaling, VectorScalingCalibration
from lt_lightning.post_hoc.functions import adjust_logits, fit_tau, macro_accuracy
from lt_lightning.post_hoc.logit_adjuster import LogitAdjuster
from lt_lightning.post_hoc.multiplicative_logit_adjuster import (
    MultiplicativeLogitAdjuster,
    multiply_logits,
)
from lt_lightning.post_hoc.nearest_mean import NearestMean
from lt_lightning.post_hoc.target_prior import TargetPrior
from lt_lightning.post_hoc.tau_normalization import TauNormalization
from lt_lightning.post_hoc.total_direct_effect import TotalDirectEffect

__all__ = [
    "LogitAdjuster",
    "MultiplicativeLogitAdjuster",
    "NearestMean",
    "PostHoc",
    "TargetPrior",
    "TauNormalization",
    "TemperatureScaling",
    "TotalDirectEffect",
    "VectorScalingCalibration",
    "adjust_logits",
    "fit_tau",
    "macro_accuracy",
    "multiply_logits",
]
