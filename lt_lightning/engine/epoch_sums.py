"""The sums behind the means of an epoch, so that one that is resumed in its middle keeps them."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor


class EpochSums:
    """Sums of the logged terms over the images of an epoch so far.

    Lightning keeps its own, but not in a checkpoint.
    """

    def __init__(self) -> None:
        self._epoch = -1
        self._sums: dict[str, Tensor] = {}
        self._count = 0
        self._earlier: dict[str, float] = {}

    def add(self, epoch: int, count: int, terms: dict[str, Tensor]) -> None:
        """Add the means over one batch of `count` images; another epoch begins anew."""
        if epoch != self._epoch:
            self._epoch, self._sums, self._count, self._earlier = epoch, {}, 0, {}
        self._count += count
        for name, value in terms.items():
            added = value.detach().float() * count
            before = self._sums.get(name)
            self._sums[name] = added if before is None else before.to(added.device) + added

    def take_earlier(self, epoch: int) -> tuple[int, dict[str, float]]:
        """Return, once, the images and means of the part before the run was stopped."""
        found, self._earlier = self._earlier, {}
        count = self._count if found and epoch == self._epoch else 0
        return count, found if count else {}

    def state(self, trainer: Trainer) -> dict[str, Any]:
        """Return plain values, summed over the processes, each of which must ask."""
        names = sorted(self._sums)
        mine = [float(self._sums[name]) for name in names]
        values = torch.tensor([*mine, self._count], dtype=torch.float64)
        if trainer.world_size > 1:
            device = trainer.strategy.root_device
            values = trainer.strategy.reduce(values.to(device), reduce_op="sum").cpu()
        *sums, count = values.tolist()
        return {
            "epoch": self._epoch,
            "count": int(count),
            "sums": dict(zip(names, sums, strict=True)),
        }

    def load(self, state: dict[str, Any], first: bool) -> None:
        """Go on from `state`, on the first process; the others begin with nothing."""
        self._epoch, self._sums, self._count, self._earlier = int(state["epoch"]), {}, 0, {}
        if first and state["count"]:
            self._count = int(state["count"])
            self._sums = {name: torch.tensor(value) for name, value in state["sums"].items()}
            self._earlier = {name: v / self._count for name, v in state["sums"].items()}
