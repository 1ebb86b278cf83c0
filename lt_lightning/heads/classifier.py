"""What all rules for the classifier of stage 2 share."""

from abc import ABC, abstractmethod
from typing import Any

from torch import nn


class ClassifierRule(ABC):
    """From the classifier of stage 1 to that of stage 2; a rule stores its parameters only."""

    needs_first: bool = True  # whether it builds on the classifier of stage 1

    @abstractmethod
    def build(self, first: nn.Module, in_features: int, num_outputs: int) -> nn.Module:
        """Return the classifier of stage 2.

        Args:
            first: the classifier of stage 1.
            in_features: feature width D.
            num_outputs: outputs that the loss of stage 2 needs, mostly C.
        """

    def groups(self, head: nn.Module) -> list[dict[str, Any]]:
        """Return the parameter groups of that classifier; "lr_factor" is allowed in a group."""
        return [{"params": [p for p in head.parameters() if p.requires_grad]}]
