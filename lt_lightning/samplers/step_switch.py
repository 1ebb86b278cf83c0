"""One rule, then another: deferred re-sampling."""

import torch
from torch import Tensor

from lt_lightning.inputs import ClassCounts
from lt_lightning.samplers.base import SamplingRule
from lt_lightning.samplers.class_balanced import ClassBalanced
from lt_lightning.samplers.class_index import ClassIndex
from lt_lightning.samplers.instance_balanced import InstanceBalanced
from lt_lightning.schedule import StepAt


class StepSwitch(SamplingRule):
    """Deferred re-sampling (DRS): one rule until an epoch, then another.

    Paper: Cao et al., LDAM-DRW, NeurIPS 2019; Zhang et al., Bag of Tricks, AAAI 2021 (epoch 160 of
    200).

    The epoch has N images under both rules, whatever length they have alone.

    Args:
        at: where the switch is: below 1 a fraction of the run, from 1 on a 0-based epoch; the last
            epoch at the latest.
        before: the rule until then.
        after: the rule from then on.
    """

    changes_over_run = True

    def __init__(
        self,
        at: float = 0.8,
        before: SamplingRule = InstanceBalanced(),
        after: SamplingRule = ClassBalanced(),
    ) -> None:
        self.switch, self.before, self.after = StepAt(at), before, after

    @property
    def draws_added(self) -> bool:
        """Whether one of the rules draws added images."""
        return self.before.draws_added or self.after.draws_added

    @property
    def leaves_images_out(self) -> bool:  # type: ignore[override]
        """Whether both rules leave images out; what one leaves out, the other draws."""
        return self.before.leaves_images_out and self.after.leaves_images_out

    def _rule(self, epoch: int, max_epochs: int) -> SamplingRule:
        return self.after if self.switch(epoch, max_epochs) else self.before

    def class_probabilities(self, class_counts: ClassCounts, epoch: int, max_epochs: int) -> Tensor:
        """Return the shares of the rule of this epoch."""
        return self._rule(epoch, max_epochs).class_probabilities(class_counts, epoch, max_epochs)

    def draw(
        self, index: ClassIndex, size: int, generator: torch.Generator, epoch: int, max_epochs: int
    ) -> Tensor:
        """Return the draw of the rule of this epoch."""
        return self._rule(epoch, max_epochs).draw(index, size, generator, epoch, max_epochs)
