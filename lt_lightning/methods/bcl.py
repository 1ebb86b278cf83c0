"""Balanced contrastive learning: a contrastive and a classifier branch, both balanced."""

from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.engine.base import LongTailModule, LossFactory
from lt_lightning.engine.branches import (
    STREAMS,
    ContrastiveFactory,
    ProjectionFactory,
    branch_features,
    log_skipped,
    without_decay,
)
from lt_lightning.engine.scale import check_reduction
from lt_lightning.errors import UserError
from lt_lightning.heads import ProjectionHead
from lt_lightning.heads.parts import weight_of
from lt_lightning.losses import BalancedContrastive, LogitAdjustment
from lt_lightning.losses.checks import check_choice, check_range

Stream = tuple[Tensor, Tensor]


class BCL(LongTailModule):
    """Balanced contrastive learning: balanced contrast of features, logit-adjusted classifier.

    L = classifier_weight loss(z(x_c), y_c) + feature_weight feature_loss(g(x_f), y_f, p),
    x_c from the stream `classifier`, x_f from the stream `features`, two views of each image;
    both streams draw the images as they are. g is the projection, and p_c = h(w_c), one prototype
    per class, another projection h of the classifier's weights. At test only the classifier is
    used, without the adjustment.

    Paper: Zhu et al., Balanced Contrastive Learning for Long-Tailed Visual Recognition, CVPR 2022.

    Differs from the authors' code in that the two branches draw their images independently; there
    the three views are of the same images. The authors published no code for CIFAR-LT.

    Args:
        loss: makes the loss of the classifier; called with class_counts.
        feature_loss: makes the contrastive loss; called with class_counts and the width of the
            embeddings. It must take prototypes, as BalancedContrastive does.
        projection: makes g, and h in the same form; called with D.
        prototypes: "classifier" are h of the classifier's weights, as in the authors' code;
            "learned" are parameters, kept on the unit sphere by dividing by their length, without
            weight decay.
        classifier_weight: at least 0; 2 on CIFAR-LT (recalled; also in the code of others that
            reproduces it), 1 in the authors' code for ImageNet-LT.
        feature_weight: at least 0; 0.6 on CIFAR-LT (the same), 0.35 for ImageNet-LT.
        joint_pass: pass both batches through the backbone as one, as the authors' code does.
        kwargs: see LongTailModule.

    Raises:
        UserError: if a weight is negative, the contrastive loss takes no prototypes, or the
            classifier has no weights that prototypes could come from.
    """

    streams = STREAMS

    def __init__(
        self,
        *,
        loss: LossFactory = LogitAdjustment,
        feature_loss: ContrastiveFactory = BalancedContrastive,
        projection: ProjectionFactory = ProjectionHead,
        prototypes: Literal["classifier", "learned"] = "classifier",
        classifier_weight: float = 2.0,
        feature_weight: float = 0.6,
        joint_pass: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(loss=loss, **kwargs)
        check_choice("prototypes", prototypes, ("classifier", "learned"))
        self.classifier_weight = check_range("classifier_weight", classifier_weight)
        self.feature_weight = check_range("feature_weight", feature_weight)
        self.projection = projection(self.backbone.out_features)
        width = self.projection.out_features
        self.feature_loss = feature_loss(self.loss.class_counts, width)
        check_reduction(self.feature_loss)
        if not self.feature_loss.takes_prototypes:
            raise UserError(
                f"{type(self.feature_loss).__name__} takes no prototypes of the classes: use "
                "BalancedContrastive, or the method HybridContrastive."
            )
        self.joint_pass = joint_pass
        self.prototypes: nn.Parameter | None = None
        self.prototype_head: ProjectionHead | None = None
        if prototypes == "learned":
            start = F.normalize(torch.randn(self.num_classes, width), dim=1)
            self.prototypes = nn.Parameter(start)
        else:
            self._check_head()
            self.prototype_head = projection(self.backbone.out_features)

    def _check_head(self) -> None:
        weight = weight_of(self.head)
        want = (self.num_classes, self.backbone.out_features)
        if weight is None or tuple(weight.shape) != want:
            raise UserError(
                f"{type(self.head).__name__} of {self.loss.num_outputs} outputs has no weights of "
                f"the shape {want} to make prototypes from: set --model.head LinearHead and a loss "
                "of as many outputs as classes, or --model.prototypes learned."
            )

    def class_prototypes(self) -> Tensor:
        """Return one prototype per class, (C, d), each of length 1."""
        if self.prototypes is not None:
            return F.normalize(self.prototypes, dim=1)
        assert self.prototype_head is not None
        found: Tensor = self.prototype_head(self.head.weight)
        return found

    def training_step(self, batch: dict[str, Stream], batch_idx: int) -> dict[str, Tensor]:
        """Return the weighted sum of both losses of one pair of batches."""
        (images_f, targets_f), (images_c, targets_c) = batch["features"], batch["classifier"]
        features_f, features_c = branch_features(self, images_f, images_c, self.joint_pass)
        contrasted, dropped = self.feature_loss(
            self.projection(features_f), targets_f, self.class_prototypes()
        )
        classified = self.loss(self.head(features_c), targets_c, features=features_c)
        log_skipped(self, dropped)
        return self.log_train(
            len(targets_c),
            loss=self.classifier_weight * classified + self.feature_weight * contrasted,
            loss_features=contrasted,
            loss_classifier=classified,
            dropped_anchors=dropped,
        )

    def trained_parameters(self) -> list[Any]:
        """Return all parameters, learned prototypes in a group without decay."""
        learned = [] if self.prototypes is None else [self.prototypes]
        return without_decay(super().trained_parameters(), learned)
