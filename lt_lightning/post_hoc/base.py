"""What `lt test RUN --post_hoc NAME` may apply."""

from abc import ABC, abstractmethod

from torch import Tensor


class PostHoc(ABC):
    """A change of the logits (N, C) after training.

    A knob is given, or fitted on held-out images; never on the test split.
    """

    needs_held_out: bool = False

    @abstractmethod
    def fit(self, class_counts: Tensor, logits: Tensor | None, targets: Tensor | None) -> None:
        """Take what is known of the training images, and of held-out ones where they are needed.

        Args:
            class_counts: training images per class, (C,).
            logits: of held-out images, (N, C); none where `needs_held_out` is false.
            targets: of held-out images, int64 (N,).
        """

    @abstractmethod
    def __call__(self, logits: Tensor) -> Tensor:
        """Return the changed logits, (N, C)."""

    @abstractmethod
    def describe(self) -> str:
        """Return the name and the values used, for the record of the results."""
