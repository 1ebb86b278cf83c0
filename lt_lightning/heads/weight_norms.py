"""How long each class's weight vector is: classifiers trained on a long tail favour long ones."""

import torch
from torch import Tensor, nn

from lt_lightning.heads.calibrated import CalibratedHead
from lt_lightning.heads.causal_norm import CausalNormHead
from lt_lightning.heads.cosine import CosineHead
from lt_lightning.heads.parts import weight_of
from lt_lightning.heads.scaled import ScaledHead


def weight_norms(head: nn.Module, num_classes: int) -> Tensor | None:
    """Return the L2 norm of each class's weights, (C,), or none where that means nothing.

    It means nothing for a head without one weight vector per class, or one that normalises them.
    """
    with torch.no_grad():
        if isinstance(head, ScaledHead):
            inner = weight_norms(head.inner, num_classes)
            return None if inner is None else inner * head.scales.detach().abs().double().cpu()
        if isinstance(head, CalibratedHead):
            return weight_norms(head.inner, num_classes)
        weight = weight_of(head)
        if weight is None or isinstance(head, CausalNormHead | CosineHead):
            return None
        if weight.ndim != 2 or len(weight) != num_classes:
            return None
        norms: Tensor = weight.detach().double().norm(dim=1).cpu()
        return norms if bool(norms.isfinite().all()) else None
