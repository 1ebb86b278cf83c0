"""A classifier that starts from the means of the classes."""

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead


def means_of(features: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Return the mean feature of each class, of length 1, (C, D).

    Args:
        features: (N, D).
        targets: int64 (N,); every class has an image.
        num_classes: C.
    """
    sums = torch.zeros(num_classes, features.shape[1], device=features.device)
    return F.normalize(sums.index_add_(0, targets, features.float()), dim=1)


def check_start(head: object) -> None:
    """Refuse a head that class means are no weights of.

    Raises:
        UserError: if it is no cosine head.
    """
    if not isinstance(head, CosineHead):
        raise UserError(
            f"head_start class_means needs rows that features are compared with by their cosine, "
            f"and the head is {type(head).__name__}: set --model.head CosineHead."
        )
