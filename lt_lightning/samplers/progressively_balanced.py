"""From instance-balanced to class-balanced over the run."""

from typing import Literal

from torch import Tensor

from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class ProgressivelyBalanced(ClassRule):
    """Progressive sampling: P_j(t) = (1 - t) n_j / N + t / C, t from 0 to 1 over the run.

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, Eq. 2.

    Args:
        progress: t in the 0-based epoch e of T. "to_last" is e / (T - 1), pure at both ends (the
            code of Decoupling); "counting_from_one" is (e + 1) / T, never purely
            instance-balanced (the code of Bag of Tricks); "counting_from_zero" is e / T, never
            purely class-balanced.
    """

    changes_over_run = True

    def __init__(
        self,
        progress: Literal["to_last", "counting_from_one", "counting_from_zero"] = "to_last",
    ) -> None:
        self.progress = progress

    def share_of_balanced(self, epoch: int, max_epochs: int) -> float:
        """Return t."""
        if self.progress == "counting_from_one":
            return min((epoch + 1) / max_epochs, 1.0)
        if self.progress == "counting_from_zero":
            return min(epoch / max_epochs, 1.0)
        return min(epoch / max(max_epochs - 1, 1), 1.0)

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the mix of both sets of shares."""
        t = self.share_of_balanced(epoch, max_epochs)
        return (1 - t) * shares(wide_counts(class_counts)) + t / len(class_counts)
