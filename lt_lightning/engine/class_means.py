"""A classifier that starts from the means of the classes."""

import torch.nn.functional as F
from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.heads import CosineHead, NearestMeanHead


def means_of(features: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Return the mean feature of each class, of length 1, (C, D).

    Args:
        features: (N, D).
        targets: int64 (N,).
        num_classes: C.

    Raises:
        UserError: if a class has no image.
    """
    nearest = NearestMeanHead(features.float(), targets, num_classes, form="raw")
    return F.normalize(nearest.centroids, dim=1)


def check_start(head: object, outputs: int, num_classes: int) -> None:
    """Refuse a head that class means are no weights of.

    Args:
        head: the classifier.
        outputs: its outputs.
        num_classes: C.

    Raises:
        UserError: if it is no cosine head, or has other rows than the classes.
    """
    if not isinstance(head, CosineHead):
        raise UserError(
            f"head_start class_means needs rows that features are compared with by their cosine, "
            f"and the head is {type(head).__name__}: set --model.head CosineHead."
        )
    if outputs != num_classes:
        raise UserError(
            f"head_start class_means gives {num_classes} rows, one a class, and the loss asks for "
            f"{outputs} outputs: leave out --model.head_start, or take another loss."
        )
