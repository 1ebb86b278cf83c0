"""Classifier re-training."""

from collections.abc import Callable

from torch import nn

from lt_lightning.heads.classifier import ClassifierRule
from lt_lightning.heads.linear import LinearHead


class CRT(ClassifierRule):
    """Classifier re-training (cRT): a new, randomly initialised classifier on frozen features.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 4.1.

    Args:
        head: makes the new classifier; CosineHead is the cosine variant.
    """

    needs_first = False

    def __init__(self, head: Callable[[int, int], nn.Module] = LinearHead) -> None:
        self.head = head

    def build(self, first: nn.Module, in_features: int, num_outputs: int) -> nn.Module:
        """Return a new classifier."""
        return self.head(in_features, num_outputs)
