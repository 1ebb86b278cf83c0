"""Losses: a pure formula per file, class weights apart from them."""

from lt_lightning.inputs import check_class_counts
from lt_lightning.losses.ala import ALA, ala_loss, quantity_factors
from lt_lightning.losses.balanced_contrastive import (
    BalancedContrastive,
    balanced_contrastive_loss,
)
from lt_lightning.losses.balanced_group_softmax import (
    BalancedGroupSoftmax,
    balanced_group_softmax_loss,
    class_groups,
)
from lt_lightning.losses.balanced_softmax import BalancedSoftmax
from lt_lightning.losses.base import Loss, Reduction
from lt_lightning.losses.bilateral import bilateral_logits, bilateral_loss
from lt_lightning.losses.cdt import CDT
from lt_lightning.losses.contrastive import ContrastiveLoss
from lt_lightning.losses.cross_entropy import CrossEntropy
from lt_lightning.losses.deltas import AdjustmentDelta, DeltaRule, EqualizedDelta, MarginDelta
from lt_lightning.losses.gather import gather
from lt_lightning.losses.influence_balanced import InfluenceBalanced, influence_balanced_loss
from lt_lightning.losses.label_aware_smoothing import (
    LabelAwareSmoothing,
    class_smoothing,
    recommended_smoothing,
)
from lt_lightning.losses.label_over_smoothing import LabelOverSmoothing
from lt_lightning.losses.label_smoothing import LabelSmoothing, smoothed_cross_entropy
from lt_lightning.losses.ldam import LDAM, ldam_loss, ldam_margins
from lt_lightning.losses.logit_adjustment import LogitAdjustment, log_prior, logit_adjusted_loss
from lt_lightning.losses.pairwise import Pairwise, pairwise_loss
from lt_lightning.losses.parametric_contrastive import parametric_contrastive_loss
from lt_lightning.losses.prototypical_contrastive import (
    PrototypicalContrastive,
    prototypical_contrastive_loss,
    recommended_temperature,
)
from lt_lightning.losses.reduction import reduce
from lt_lightning.losses.sigmoid_focal import (
    SigmoidFocal,
    recommended_gamma,
    sigmoid_bias_init,
    sigmoid_focal_loss,
)
from lt_lightning.losses.softmax_focal import SoftmaxFocal, softmax_focal_loss
from lt_lightning.losses.supervised_contrastive import (
    SupervisedContrastive,
    supervised_contrastive_loss,
)
from lt_lightning.losses.vector_scaling import VectorScaling, vector_scaling_loss
from lt_lightning.losses.weights import (
    EffectiveNumber,
    GeneralizedReweight,
    InverseFrequency,
    WeightRule,
    recommended_beta,
    recommended_focal_beta,
)

__all__ = [
    "ALA",
    "CDT",
    "LDAM",
    "AdjustmentDelta",
    "BalancedContrastive",
    "BalancedGroupSoftmax",
    "BalancedSoftmax",
    "ContrastiveLoss",
    "CrossEntropy",
    "DeltaRule",
    "EffectiveNumber",
    "EqualizedDelta",
    "GeneralizedReweight",
    "InfluenceBalanced",
    "InverseFrequency",
    "LabelAwareSmoothing",
    "LabelOverSmoothing",
    "LabelSmoothing",
    "LogitAdjustment",
    "Loss",
    "MarginDelta",
    "Pairwise",
    "PrototypicalContrastive",
    "Reduction",
    "SigmoidFocal",
    "SoftmaxFocal",
    "SupervisedContrastive",
    "VectorScaling",
    "WeightRule",
    "ala_loss",
    "balanced_contrastive_loss",
    "balanced_group_softmax_loss",
    "bilateral_logits",
    "bilateral_loss",
    "check_class_counts",
    "class_groups",
    "class_smoothing",
    "gather",
    "influence_balanced_loss",
    "ldam_loss",
    "ldam_margins",
    "log_prior",
    "logit_adjusted_loss",
    "pairwise_loss",
    "parametric_contrastive_loss",
    "prototypical_contrastive_loss",
    "quantity_factors",
    "recommended_beta",
    "recommended_focal_beta",
    "recommended_gamma",
    "recommended_smoothing",
    "recommended_temperature",
    "reduce",
    "sigmoid_bias_init",
    "sigmoid_focal_loss",
    "smoothed_cross_entropy",
    "softmax_focal_loss",
    "supervised_contrastive_loss",
    "vector_scaling_loss",
]
