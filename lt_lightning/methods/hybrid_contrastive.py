"""Hybrid networks: contrastive learning of features, cumulative learning of the classifier."""

from typing import Any

from torch import Tensor

from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.branches import (
    STREAMS,
    ContrastiveFactory,
    ProjectionFactory,
    branch_features,
    log_skipped,
    without_decay,
)
from lt_lightning.engine.scale import check_reduction
from lt_lightning.heads import ProjectionHead
from lt_lightning.losses import SupervisedContrastive
from lt_lightning.schedule import ParabolicDecay, Schedule

Stream = tuple[Tensor, Tensor]


class HybridContrastive(LongTailModule):
    """Hybrid contrastive network: features learned by contrast, the classifier on balanced draws.

    L = alpha feature_loss(g(x_f), y_f) + (1 - alpha) loss(z(x_c), y_c),
    x_f from the stream `features`, which draws the images as they are, x_c from the stream
    `classifier`, which draws the classes equally often; the backbone is shared, g is the
    projection. With SupervisedContrastive this is Hybrid-SC, which wants two views of each image
    of `features` (data.views), with PrototypicalContrastive Hybrid-PSC. At test the projection is
    not used.

    A batch of features without any positive pair has no contrastive loss; train/skipped_batches
    counts them, train/dropped_anchors is the share of anchors without a positive.

    Paper: Wang et al., Contrastive Learning based Hybrid Networks for Long-Tailed Image
    Classification, CVPR 2021.

    Differs from the paper in nothing known; no code of the authors was found. The widths of the
    projection, the batch norm of the two batches and the mean over anchors in the place of a sum
    are ours.

    Args:
        feature_loss: makes the contrastive loss; called with class_counts and the width of the
            embeddings. What it learns itself has no weight decay.
        projection: makes the projection; called with D.
        alpha: alpha as a function of the epoch; both terms are computed in every step.
        joint_pass: pass both batches through the backbone as one; else the features first.
        kwargs: see LongTailModule.
    """

    streams = STREAMS

    def __init__(
        self,
        *,
        feature_loss: ContrastiveFactory = SupervisedContrastive,
        projection: ProjectionFactory = ProjectionHead,
        alpha: Schedule = ParabolicDecay(),
        joint_pass: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.projection = projection(self.backbone.out_features)
        self.feature_loss = feature_loss(self.loss.class_counts, self.projection.out_features)
        check_reduction(self.feature_loss)
        self.alpha, self.joint_pass = alpha, joint_pass

    def training_step(self, batch: dict[str, Stream], batch_idx: int) -> dict[str, Tensor]:
        """Return the mixed loss of one pair of batches."""
        (images_f, targets_f), (images_c, targets_c) = batch["features"], batch["classifier"]
        alpha = self.alpha(self.current_epoch, self.max_epochs)
        features_f, features_c = branch_features(self, images_f, images_c, self.joint_pass)
        contrasted, dropped = self.feature_loss(self.projection(features_f), targets_f)
        classified = self.loss(self.head(features_c), targets_c, features=features_c)
        # The largest of equal values has no rounding, also in an epoch resumed in its middle.
        self.log("alpha", alpha, on_step=False, on_epoch=True, sync_dist=True, reduce_fx="max")
        log_skipped(self, dropped)
        return self.log_train(
            len(targets_c),
            loss=alpha * contrasted + (1 - alpha) * classified,
            loss_features=contrasted,
            loss_classifier=classified,
            dropped_anchors=dropped,
        )

    def trained_parameters(self) -> list[Any]:
        """Return all parameters, those of the contrastive loss in a group without decay."""
        return without_decay(super().trained_parameters(), self.feature_loss.parameters())
