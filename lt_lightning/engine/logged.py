"""A module whose record of an epoch is right also where the epoch was cut and gone on with."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from lt_lightning.engine.own_loop import OwnLoopModule
from lt_lightning.engine.train_log import TrainLog


class LoggedModule(OwnLoopModule):
    """Logs the terms of a step, and what a method logs by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._train_log = TrainLog()

    def log(self, name: str, value: Any, *args: Any, **options: Any) -> None:
        """Log one value, as Lightning does; in an epoch that was cut, go on from what it had."""
        if self.attached:
            self._train_log.keep(self, name, value, args, options)
        self.tell(name, value, *args, **options)

    def tell(self, *args: Any, **options: Any) -> None:
        """Log one value by Lightning, which knows nothing of an epoch before it was cut."""
        super().log(*args, **options)

    def log_train(
        self, count: int, also: Mapping[str, Tensor] | None = None, /, **terms: Tensor
    ) -> dict[str, Tensor]:
        """Log the mean of each term over the epoch, and its learning rate, and return the terms.

        Only "loss" keeps its graph: the others would hold that of the whole step. An epoch that
        was cut goes on with its sums, bit for bit.

        Args:
            count: images of the step on this process.
            also: what is no part of the loss, numbers (); it is logged by its own name, the terms
                below `train/`.
            terms: numbers (), one of them "loss".
        """
        if self.attached:
            self._train_log.log(self, count, terms, also or {})
        return {name: v if name == "loss" else v.detach() for name, v in terms.items()}

    def log_count(self, name: str, value: Tensor) -> None:
        """Log below `train/` the sum of `value`, (), over the epoch and all processes."""
        if self.attached:
            self._train_log.count(self, name, value)
