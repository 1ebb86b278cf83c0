"""Class probabilities as a power of the class size."""

import math

from torch import Tensor

from lt_lightning.errors import UserError
from lt_lightning.inputs import ClassCounts, wide_counts
from lt_lightning.samplers.base import ClassRule, shares


class Power(ClassRule):
    """Sampling with P_j = n_j^q / sum_i n_i^q, the image uniform within its class.

    q = 1 has the expectation of InstanceBalanced, drawn with replacement; q = 0.5 is SquareRoot,
    q = 0 ClassBalanced; q below 0 favours the tail (q = -1 is Reversed).

    Paper: Kang et al., Decoupling Representation and Classifier, ICLR 2020, Eq. 1.

    Args:
        q: the exponent, any finite number.

    Raises:
        UserError: if q is not finite.
    """

    def __init__(self, q: float = 0.5) -> None:
        if not math.isfinite(q):
            raise UserError(f"q is {q}: give a finite number, such as 0, 0.5 or 1.")
        self.q = q

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return n_j^q / sum_i n_i^q."""
        # Relative to the largest class, so that no power overflows.
        counts = wide_counts(class_counts)
        return shares((counts / counts.max()) ** self.q)
