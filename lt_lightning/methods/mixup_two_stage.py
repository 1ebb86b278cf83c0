"""Mixup, then label-aware smoothing with a scaled classifier."""

from typing import Any

from torch import nn

from lt_lightning.augment import Mixing, Mixup
from lt_lightning.engine.base import LossFactory
from lt_lightning.engine.two_stage import TwoStage
from lt_lightning.heads import LWS
from lt_lightning.losses import LabelAwareSmoothing

# (up to so many classes, lr_factor at an imbalance ratio up to 50, lr_factor above it)
_PUBLISHED_LR = ((50, 0.2, 0.5), (200, 0.1, 0.2))
_LARGE_LR = 0.05


def recommended_lr_factor(num_classes: int, imbalance_ratio: float) -> float:
    """Return the rate factor of W that MiSLAS's configs have for such data.

    >>> recommended_lr_factor(10, 100), recommended_lr_factor(100, 10)
    (0.5, 0.1)
    """
    for classes, low, high in _PUBLISHED_LR:
        if num_classes <= classes:
            return high if imbalance_ratio > 50 else low
    return _LARGE_LR


class MixupTwoStage(TwoStage):
    """MiSLAS: mixup in stage 1; label-aware smoothing, scaled classifier, shifted BN in stage 2.

    Stage 1: share CE(z, y_a) + (1 - share) CE(z, y_b) on mixed images.
    Stage 2: z = s * (x W^T + b), s learned, W and b at lr_factor times the rate, on class-balanced
    draws; the statistics of batch norm follow these draws where shift_bn is set.

    Paper: Zhong et al., Improving Calibration for Long-Tailed Recognition, CVPR 2021, section 4.

    Differs from the authors' code in nothing that is on by default. With null, eps, lr_factor and
    shift_bn have the values of their configs for the number of classes and the ratio at hand.

    Args:
        mixing: mixes the batches of stage 1; none is no mixing.
        stage2_loss: makes the loss of stage 2.
        lr_factor: of the learning rate of W and b in stage 2; none is by rule, 0 freezes them.
        shift_bn: whether stage 2 moves the statistics of batch norm; none is by rule: not for
            10 classes or fewer.
        stage2_epochs: length of stage 2.
        kwargs: see TwoStage.
    """

    def __init__(
        self,
        *,
        mixing: Mixing | None = Mixup(),
        stage2_loss: LossFactory = LabelAwareSmoothing,
        lr_factor: float | None = None,
        shift_bn: bool | None = None,
        stage2_epochs: int = 10,
        **kwargs: Any,
    ) -> None:
        counts = kwargs["class_counts"]
        if shift_bn is None:
            shift_bn = len(counts) > 10
        super().__init__(
            mixing=mixing,
            stage2_loss=stage2_loss,
            stage2_epochs=stage2_epochs,
            bn_mode="update_stats" if shift_bn else "eval",
            **kwargs,
        )
        if lr_factor is None:
            ratio = float(max(counts)) / float(min(counts))
            lr_factor = recommended_lr_factor(len(counts), ratio)
        self.classifier = LWS(lr_factor)

    def second_head(self, first: nn.Module) -> nn.Module:
        """Return the classifier with a factor per class."""
        return self.classifier.build(first, self.backbone.out_features, self.num_classes)

    def second_groups(self) -> list[dict[str, Any]]:
        """Return the factors, and W and b with their own rate."""
        return self.classifier.groups(self.head)
