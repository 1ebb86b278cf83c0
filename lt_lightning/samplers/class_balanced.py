"""Every class equally often."""

from torch import Tensor

from lt_lightning.samplers.base import ClassRule, shares


class ClassBalanced(ClassRule):
    """Class-balanced sampling (q = 0): every class with the same probability 1 / C.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, section 3.
    """

    def class_probabilities(self, class_counts: Tensor, epoch: int, max_epochs: int) -> Tensor:
        """Return 1 / C."""
        return shares(class_counts.double() ** 0)
