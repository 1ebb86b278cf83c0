"""The learning rate of an epoch, also of one that a resumed run begins with."""

import math
from numbers import Real
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from lt_lightning.errors import UserError
from lt_lightning.inputs import told_value
from lt_lightning.schedule import Schedule


def apply_factors(optimizer: Optimizer) -> None:
    """Multiply the learning rate of each group by its "lr_factor", where it has one."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get("lr_factor", 1.0)


class EpochRate(LambdaLR):
    """Multiplies each group's learning rate by a factor that depends on the epoch.

    Args:
        optimizer: each of its parameter groups has its own learning rate.
        schedule: the factor.
        epochs: length of the stretch that the schedule is laid over.
    """

    def __init__(self, optimizer: Optimizer, schedule: Schedule, epochs: int) -> None:
        super().__init__(optimizer, lambda epoch: _factor(schedule, epoch, epochs))

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from the epoch of `state_dict`, with the rates of this schedule.

        The checkpoint holds the rates of the run that wrote it, which may have been a shorter one:
        at its end they are near 0. The optimizer is restored before.
        """
        super().load_state_dict(state_dict)
        rates = [
            base * factor(self.last_epoch)
            for base, factor in zip(self.base_lrs, self.lr_lambdas, strict=True)
        ]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
        self._last_lr = rates


def _factor(schedule: Schedule, epoch: int, epochs: int) -> float:
    """Return the factor of an epoch; a rate below 0 would climb the loss, and NaN ends it."""
    factor = schedule(epoch, epochs)
    if not isinstance(factor, Real) or not 0 <= factor < math.inf:
        raise UserError(
            f"{type(schedule).__name__} gave {told_value(factor)} for epoch {epoch} of {epochs}: "
            "return a finite number of at least 0, the factor of the learning rate."
        )
    return float(factor)
