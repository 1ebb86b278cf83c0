"""Class-activation maps: what a class is recognised by, place by place."""

import torch
from torch import Tensor, nn

from lt_lightning.engine import LongTailModule
from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead, LinearHead


def class_weight(head: nn.Module, num_classes: int) -> Tensor:
    """Return the weights W (C, D) of a linear classifier.

    Those of a cosine classifier are as good: its logits are W x times a number above 0, which
    the scale of a map does not show.

    Raises:
        UserError: if the classifier has no such weights.
    """
    if not isinstance(head, LinearHead | CosineHead) or len(head.weight) != num_classes:
        raise UserError(
            f"Class-activation maps need one row of linear weights for each class but the run has "
            f"{type(head).__name__}: use a run with LinearHead, such as that of configs/ce.yaml."
        )
    if isinstance(head, CosineHead):
        return nn.functional.normalize(head.weight.detach(), dim=1)
    return head.weight.detach()


def activation_maps(model: LongTailModule, images: Tensor, targets: Tensor) -> Tensor:
    """Return the map of its own class for each image, float32 (N, h, w), from 0 to 1.

    M[i] = sum_d W[y_i, d] maps[i, d], less its least value, over its range. A map without any
    range is 0 everywhere. The network is in evaluation mode, and so must the images be.

    Paper: Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016, Eq. 2.

    Args:
        model: a trained run; its mode is kept.
        images: normalised (N, 3, H, W).
        targets: int64 (N,).

    Raises:
        UserError: if backbone or classifier have no such maps.
    """
    weight = class_weight(model.head, model.num_classes)
    was = model.training
    model.eval()
    with torch.inference_mode():
        maps = model.backbone.maps(model.arrange(images)).float()
        found = torch.einsum("nd,ndhw->nhw", weight.float()[targets], maps)
    model.train(was)
    low, high = found.amin(dim=(1, 2), keepdim=True), found.amax(dim=(1, 2), keepdim=True)
    return torch.where(high > low, (found - low) / (high - low), 0.0)
