"""Learnable weight scaling."""

from typing import Any

from torch import nn

from lt_lightning.errors import UserError
from lt_lightning.heads.classifier import ClassifierRule
from lt_lightning.heads.scaled import ScaledHead


class LWS(ClassifierRule):
    """Learnable weight scaling: z = s * (x W^T + b), one factor per class.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 4.1; with W
    trained on: Zhong et al., MiSLAS, CVPR 2021, section 4.2.

    Args:
        lr_factor: of the learning rate of W and b; 0 freezes them, which is LWS proper. MiSLAS
            has 0.05 to 0.5 by data set.

    Raises:
        UserError: if it is negative.
    """

    def __init__(self, lr_factor: float = 0.0) -> None:
        if not lr_factor >= 0:
            raise UserError(f"lr_factor is {lr_factor}: give 0 or more.")
        self.lr_factor = lr_factor

    def build(self, first: nn.Module, in_features: int, num_outputs: int) -> nn.Module:
        """Return `first` with factors of 1."""
        return ScaledHead(first, num_outputs, frozen=self.lr_factor == 0)

    def groups(self, head: nn.Module) -> list[dict[str, Any]]:
        """Return the factors at the full rate, W and b at their own."""
        assert isinstance(head, ScaledHead)
        groups: list[dict[str, Any]] = [{"params": [head.scales]}]
        if self.lr_factor:
            groups.append({"params": list(head.inner.parameters()), "lr_factor": self.lr_factor})
        return groups
