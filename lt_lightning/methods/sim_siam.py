"""Siamese pre-training without negatives."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lt_lightning.data.datamodule import LongTailDataModule
from lt_lightning.engine.two_views import TwoViews
from lt_lightning.errors import UserError
from lt_lightning.inputs import wide


class SimSiam(TwoViews):
    """Two views predict each other, one of the two always without a gradient.

    L = -(cos(h(z_1), z_2') + cos(h(z_2), z_1')) / 2, z = g(f(x)), ' without gradient, so L is in
    [-1, 1]. g has two layers with batch norm, h is a bottleneck of a quarter of its width.
    train/spread is the standard deviation of z / |z|, times sqrt(d): near 1 where all is well, 0
    where all images have become one.

    Paper: Chen and He, Exploring Simple Siamese Representation Learning, CVPR 2021, Algorithm 1;
    the two layers of g are those of its CIFAR experiments (recalled).

    Differs from the paper in the width of g, 512 and not 2,048, for backbones of 64 features.

    Args:
        width: d, outputs of g, a multiple of 4.
        kwargs: see SelfSupervised.

    Raises:
        UserError: if `width` is no multiple of 4 above 0.
    """

    def __init__(self, *, width: int = 512, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if width < 4 or width % 4:
            raise UserError(f"width is {width}: give a multiple of 4, such as 512.")
        self.projection = nn.Sequential(
            nn.Linear(self.backbone.out_features, width, bias=False),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Linear(width, width, bias=False),
            nn.BatchNorm1d(width, affine=False),
        )
        self.predictor = nn.Sequential(
            nn.Linear(width, width // 4, bias=False),
            nn.BatchNorm1d(width // 4),
            nn.ReLU(),
            nn.Linear(width // 4, width),
        )

    def setup(self, stage: str) -> None:
        """Refuse batches of one image, which batch norm cannot work on.

        Raises:
            UserError: with the option to set.
        """
        super().setup(stage)
        data = LongTailDataModule.of(self.trainer)
        if stage != "fit" or data is None:
            return
        share = data.batch_size // self.trainer.world_size
        if share < 2:
            raise UserError(
                f"data.batch_size is {data.batch_size} and SimSiam has batch norm over the images "
                "of a process: give 2 or more for each."
            )
        if not data.drop_last:
            raise UserError(
                "The last batch may hold one image, which batch norm of SimSiam cannot work on: "
                "set --data.drop_last true."
            )

    def unlabelled_step(self, images: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of first and second views, (2 N, 3, H, W)."""
        first, second = images.chunk(2)
        z_1, z_2 = (self.projection(self.features(view)) for view in (first, second))
        p_1, p_2 = self.predictor(z_1), self.predictor(z_2)
        loss = -(alignment(p_1, z_2) + alignment(p_2, z_1)) / 2
        near = F.normalize(wide(z_1.detach()), dim=1)
        spread = near.std(dim=0, correction=0).mean() * near.shape[1] ** 0.5
        return {"loss": loss, "spread": spread}


def alignment(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean cosine of the rows of two batches (N, d); the second has no gradient."""
    with torch.autocast(predicted.device.type, enabled=False):
        return F.cosine_similarity(wide(predicted), wide(target.detach()), dim=1).mean()
