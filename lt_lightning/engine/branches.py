"""What the methods with a contrastive and a classifier branch share."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from lt_lightning.engine.base import LongTailModule
from lt_lightning.heads import ProjectionHead
from lt_lightning.losses import ContrastiveLoss

ProjectionFactory = Callable[[int], ProjectionHead]
ContrastiveFactory = Callable[[Tensor, int], ContrastiveLoss]
STREAMS = ("classifier", "features")


def branch_features(
    module: LongTailModule, contrasted: Tensor, classified: Tensor, joint_pass: bool
) -> tuple[Tensor, Tensor]:
    """Return the features of both batches, from one pass of the shared backbone or from two.

    One pass normalises both batches together and moves the running statistics once; of two passes
    each has its own statistics, and that of the classifier comes last.
    """
    if joint_pass:
        features = module.features(torch.cat([contrasted, classified]))
        return features[: len(contrasted)], features[len(contrasted) :]
    return module.features(contrasted), module.features(classified)


def without_decay(parameters: list[Any], own: Iterable[nn.Parameter]) -> list[Any]:
    """Return `parameters` in one group, and those of them that are in `own` in one without decay.

    For vectors that are divided by their length: decay would shorten them, and so raise the
    learning rate of their directions.
    """
    free = list(own)
    if not free:
        return parameters
    names = {id(parameter) for parameter in free}
    others = [parameter for parameter in parameters if id(parameter) not in names]
    return [{"params": others}, {"params": free, "weight_decay": 0.0}]


def log_skipped(module: LongTailModule, dropped: Tensor) -> None:
    """Count the batches without any positive pair, whose share of dropped anchors is 1."""
    if module.attached:  # all processes see the same batch
        count = (dropped == 1).float() / module.trainer.world_size
        module.log_count("skipped_batches", count)
