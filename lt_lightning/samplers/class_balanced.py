"""Every class equally often."""

from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class ClassBalanced(ClassRule):
    """Class-balanced sampling (q = 0): every class with the same probability 1 / C.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 3.
    """

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return 1 / C."""
        return shares(wide_counts(class_counts) ** 0)
