"""The upper bound of what a classifier can make of long-tailed features."""

from typing import Any

from torch import nn

from lt_lightning.engine.base import HeadFactory
from lt_lightning.engine.two_stage import TwoStage
from lt_lightning.heads import LinearHead


class ClassifierBound(TwoStage):
    """The bound "cls-bound": frozen long-tailed features, classifier trained on ALL images.

    An oracle: stage 2 sees the training images that the profile left out. Its rows are stamped
    and never ranked with those of methods.

    Paper: the bound of Zhang et al., Distribution Alignment, CVPR 2021, Figure 1.

    Args:
        stage2_head: makes the new classifier.
        kwargs: see TwoStage; batch norm keeps the statistics of stage 1, else the features would
            no longer be those of the long-tailed run.
    """

    needs_first_head = False
    oracle = True

    def __init__(self, *, stage2_head: HeadFactory = LinearHead, **kwargs: Any) -> None:
        super().__init__(bn_mode="eval", trained_from=None, **kwargs)
        self.stage2_head = stage2_head

    def second_head(self, first: nn.Module) -> nn.Module:
        """Return a new classifier."""
        return self.stage2_head(self.backbone.out_features, self.num_classes)
