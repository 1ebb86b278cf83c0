"""A LightningModule whose steps run in a loop without a Trainer too, and keep what is frozen."""

from typing import Any

import lightning as L
from torch import Tensor

from lt_lightning.engine.parts import check_loss


class OwnLoopModule(L.LightningModule):
    """Knows the epoch with a Trainer and without one, where a loop tells it by `set_epoch`."""

    def __init__(self) -> None:
        super().__init__()
        self._own_epoch, self._own_epochs = 0, 1

    @property
    def attached(self) -> bool:
        """Whether a Trainer runs this module."""
        return self._trainer is not None

    def set_epoch(self, epoch: int, max_epochs: int) -> None:
        """Begin an epoch in a loop without a Trainer.

        Where this begins another stage the optimizer is to be made anew, for the parameters that
        are trained are others.

        Args:
            epoch: 0-based.
            max_epochs: epochs of the run, at least 1.
        """
        self._own_epoch, self._own_epochs = epoch, max_epochs

    @property
    def current_epoch(self) -> int:
        """The epoch, 0-based."""
        return super().current_epoch if self.attached else self._own_epoch

    @property
    def max_epochs(self) -> int:
        """Epochs of the run, at least 1."""
        return max(self.trainer.max_epochs or 1, 1) if self.attached else self._own_epochs

    def set_frozen_modes(self) -> None:
        """Set the modes of frozen layers for a training step; here nothing is frozen.

        Called by `train`, which a method that freezes calls at the start of each epoch too:
        Lightning undoes the modes after a validation.
        """

    def train(self, mode: bool = True) -> "OwnLoopModule":
        """Set the mode; what is frozen has its own."""
        super().train(mode)
        if mode:
            self.set_frozen_modes()
        return self

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Log one value, as Lightning does; nothing in a loop without a Trainer."""
        if self.attached:
            super().log(*args, **kwargs)

    def on_before_backward(self, loss: Tensor) -> None:
        """Refuse a loss of which nothing is learned."""
        check_loss(type(self).__name__, loss)
