"""The loss of one batch, plain or mixed."""

from torch import Tensor

from lt_lightning.augment import Mixed
from lt_lightning.engine.base import LongTailModule
from lt_lightning.losses import Loss


def plain_loss(
    module: LongTailModule, images: Tensor, targets: Tensor, loss: Loss | None = None
) -> Tensor:
    """Return loss(head(backbone(x)), y); `loss` none is the module's own."""
    features = module.features(images)
    value: Tensor = (loss or module.loss)(module.head(features), targets, features=features)
    return value


def mixed_loss(module: LongTailModule, mixed: Mixed, loss: Loss | None = None) -> Tensor:
    """Return share loss(z, y_a) + (1 - share) loss(z, y_b), z of the mixed images."""
    loss = loss or module.loss
    with mixed.inside(module.backbone):
        features = module.features(mixed.images)
    logits = module.head(features)
    first: Tensor = loss(logits, mixed.targets_a, mixed.share, features=features)
    second: Tensor = loss(logits, mixed.targets_b, 1 - mixed.share, features=features)
    return first + second
