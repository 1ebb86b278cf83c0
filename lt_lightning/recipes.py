"""The published learning-rate tables of CIFAR-LT, as factors of the base learning rate."""

import math

from lt_lightning.errors import UserError
from lt_lightning.schedule import Schedule


def _check_warmup(warmup_epochs: int) -> int:
    if warmup_epochs < 0:
        raise UserError(f"warmup_epochs is {warmup_epochs}: give 0 for none, or more.")
    return warmup_epochs


class WarmupSteps(Schedule):
    """Linear warm-up, then a factor from each milestone on.

    Milestones are fractions of the run, so that a shorter run keeps the shape of the table.

    Args:
        warmup_epochs: epochs of warm-up; 0 is none.
        warmup_start: the factor before the first epoch; epoch e (1-based) of the warm-up has
            start + (1 - start) * e / warmup_epochs.
        milestones: fractions of the run in (0, 1), ascending.
        factors: the factor from each milestone on.
        early: epochs by which the drops come before the milestone; the codes that count epochs
            from 1 and compare with >= drop one epoch earlier. The first epoch of a very short run
            is never behind a drop.

    Raises:
        UserError: if the milestones are not ascending fractions, one per factor, or the epochs of
            warm-up are negative.
    """

    def __init__(
        self,
        warmup_epochs: int = 5,
        warmup_start: float = 0.0,
        milestones: list[float] | None = None,
        factors: list[float] | None = None,
        early: int = 0,
    ) -> None:
        self.milestones = [0.8, 0.9] if milestones is None else milestones
        self.factors = [0.01, 0.0001] if factors is None else factors
        ordered = sorted(self.milestones) == self.milestones
        if not ordered or not all(0 < m < 1 for m in self.milestones):
            raise UserError(
                f"milestones is {self.milestones}: give ascending fractions of the run, such as "
                "[0.8, 0.9]."
            )
        if len(self.milestones) != len(self.factors):
            raise UserError(
                f"There are {len(self.milestones)} milestones and {len(self.factors)} factors: "
                "give as many."
            )
        self.warmup_epochs = _check_warmup(warmup_epochs)
        self.warmup_start, self.early = warmup_start, early

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return the factor of `epoch` (0-based)."""
        factor = 1.0
        if epoch < self.warmup_epochs:
            factor = self.warmup_start + (1 - self.warmup_start) * (epoch + 1) / self.warmup_epochs
        for milestone, value in zip(self.milestones, self.factors, strict=True):
            if epoch >= max(round(milestone * max_epochs) - self.early, 1):
                factor = value
        return factor


class LDAMRecipe(WarmupSteps):
    """Of 200 epochs: warm-up e/5 in 1-5, x0.01 from epoch 161, x0.0001 from 181.

    Paper: Cao et al., LDAM-DRW, NeurIPS 2019 (its code).

    Args:
        warmup_epochs: epochs of warm-up.
    """

    def __init__(self, warmup_epochs: int = 5) -> None:
        super().__init__(warmup_epochs=warmup_epochs)


class MiSLASRecipe(WarmupSteps):
    """Of 200 epochs: warm-up e/5 in 1-5, x0.1 from epoch 161, x0.01 from 181.

    Paper: Zhong et al., Improving Calibration for Long-Tailed Recognition, CVPR 2021 (its code).

    Args:
        warmup_epochs: epochs of warm-up.
    """

    def __init__(self, warmup_epochs: int = 5) -> None:
        super().__init__(warmup_epochs=warmup_epochs, factors=[0.1, 0.01])


class BBNRecipe(WarmupSteps):
    """Of 200 epochs: warm-up from 1/3 in 1-5, x0.01 from epoch 120, x0.0001 from 160.

    Paper: Zhou et al., BBN, CVPR 2020 (its code).

    Args:
        warmup_epochs: epochs of warm-up.
    """

    def __init__(self, warmup_epochs: int = 5) -> None:
        super().__init__(
            warmup_epochs=warmup_epochs, warmup_start=1 / 3, milestones=[0.6, 0.8], early=1
        )


class BoTRecipe(WarmupSteps):
    """Of 200 epochs: warm-up from 1/3 in 1-5, x0.01 from epoch 160, x0.0001 from 180.

    Paper: Zhang et al., Bag of Tricks for Long-Tailed Visual Recognition, AAAI 2021 (its code).

    Args:
        warmup_epochs: epochs of warm-up.
    """

    def __init__(self, warmup_epochs: int = 5) -> None:
        super().__init__(warmup_epochs=warmup_epochs, warmup_start=1 / 3, early=1)


class CosineRecipe(Schedule):
    """Half a cosine from 1 to 0 over the run: (1 + cos(pi * e / T)) / 2 at 0-based epoch e.

    Paper: Loshchilov and Hutter, SGDR, ICLR 2017; Kang et al., Decoupling, ICLR 2020.

    Differs from the authors' code in that the first epoch has the full learning rate; the code of
    Decoupling steps before each epoch, so its last epoch has the learning rate 0.

    Args:
        warmup_epochs: epochs of linear warm-up before the cosine; 0 is none.
    """

    def __init__(self, warmup_epochs: int = 0) -> None:
        self.warmup_epochs = _check_warmup(warmup_epochs)

    def __call__(self, epoch: int, max_epochs: int) -> float:
        """Return the factor of `epoch` (0-based)."""
        if epoch < self.warmup_epochs:
            return (epoch + 1) / self.warmup_epochs
        length = max(max_epochs - self.warmup_epochs, 1)
        return (1 + math.cos(math.pi * (epoch - self.warmup_epochs) / length)) / 2
