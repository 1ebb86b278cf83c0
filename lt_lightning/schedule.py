"""Values that depend on the epoch, as one small object each.

BBN's alpha, the start of deferred re-weighting, progressive sampling and the end of mixup
all are a `Schedule`: a pure function of (epoch, max_epochs), so a resumed run reads the same
value as an uninterrupted one.
"""

import math
from abc import ABC, abstractmethod

from lt_lightning.errors import UserError


class Schedule(ABC):
    """A value as a function of the 0-based epoch and the number of epochs."""

    @abstractmethod
    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return the value of `epoch` (0-based) in a run of `max_epochs` epochs."""


class Constant(Schedule):
    """The same value in every epoch."""

    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return the constant."""
        return self.value


class ParabolicDecay(Schedule):
    """BBN's cumulative learning: 1 - (epoch / max_epochs)^2, from 1 down, never 0.

    Paper: Zhou et al., BBN: Bilateral-Branch Network with Cumulative Learning, CVPR 2020, Eq. 5.

    Differs from the authors' code in that T is always `max_epochs`; their code replaces 90 by 100
    and 180 by 200.
    """

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return 1 - (epoch / max_epochs)^2."""
        return 1.0 - (epoch / max_epochs) ** 2


class ParabolicIncrement(Schedule):
    """(epoch / max_epochs)^2, from 0 up; one of BBN's ablations.

    Paper: Zhou et al., BBN, CVPR 2020, ablation of the adaptor strategies.
    """

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return (epoch / max_epochs)^2."""
        return (epoch / max_epochs) ** 2


class LinearDecay(Schedule):
    """1 - epoch / max_epochs; one of BBN's ablations.

    Paper: Zhou et al., BBN, CVPR 2020, ablation of the adaptor strategies.
    """

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return 1 - epoch / max_epochs."""
        return 1.0 - epoch / max_epochs


class CosineDecay(Schedule):
    """cos(pi/2 * epoch / max_epochs); one of BBN's ablations.

    Paper: Zhou et al., BBN, CVPR 2020, ablation of the adaptor strategies.
    """

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return cos(pi/2 * epoch / max_epochs)."""
        return math.cos(math.pi / 2 * epoch / max_epochs)


class StepAt(Schedule):
    """`before` until an epoch, then `after`; the switch of DRW, DRS and BBN's hard ablation.

    Args:
        at: where the switch is: below 1 a fraction of the run (0.8 of 200 epochs is 0-based epoch
            160), from 1 on an epoch number (0-based: the first epoch that has `after`). In a run
            that ends before it, the last epoch has `after`.
        before: the value before the switch.
        after: the value from the switch on.

    Raises:
        UserError: if `at` is negative or no number.
    """

    def __init__(self, at: float = 0.8, before: float = 0.0, after: float = 1.0) -> None:
        if not at >= 0:
            raise UserError(f"at is {at}: give a fraction below 1 or an epoch number from 1 on.")
        self.at, self.before, self.after = at, before, after

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return `before` or `after`."""
        wanted = round(self.at * max_epochs) if self.at < 1 else self.at
        # 0.8 of 2 epochs is an epoch that the run has not: what comes late would never come.
        first = min(wanted, max_epochs - 1)
        return self.after if epoch >= first else self.before
