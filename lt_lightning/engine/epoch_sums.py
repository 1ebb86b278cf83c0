"""The sums behind the means of an epoch, so that one that is resumed in its middle keeps them."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.processes import own_rank, processes

Sums = dict[str, tuple[Tensor, int]]  # of each term: the sum over the images so far, and how many
_PRECISE = (torch.float32, torch.float64)


class EpochSums:
    """Sums of the logged terms over the images that this process had of an epoch so far.

    Lightning keeps its own, but not in a checkpoint. These have their bits.
    """

    def __init__(self) -> None:
        self._epoch = -1
        self._sums: Sums = {}
        self._earlier: Sums = {}

    def add(self, epoch: int, count: int, terms: dict[str, Tensor]) -> None:
        """Add the means over one batch of `count` images; another epoch begins anew."""
        if epoch != self._epoch:
            self._epoch, self._sums, self._earlier = epoch, {}, {}
        for name, value in terms.items():
            added = _precise(value.detach()) * count
            before, images = self._sums.get(name, (_precise(torch.zeros(())), 0))
            self._sums[name] = before.to(added.device) + added, images + count

    def take_earlier(self, epoch: int) -> Sums:
        """Return, once, the sums of the part before the run was stopped."""
        found, self._earlier = self._earlier, {}
        return found if epoch == self._epoch else {}

    def state(self) -> dict[str, Any]:
        """Return the sums of every process, each of which must ask."""
        mine = {name: (total.cpu(), count) for name, (total, count) in self._sums.items()}
        parts: list[Any] = [mine] * processes()
        if processes() > 1:
            dist.all_gather_object(parts, mine)
        return {"epoch": self._epoch, "processes": parts}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`: with the sums of this process, if there are as many as there were.

        Else the first process has those of all, and the others begin with nothing.
        """
        parts = state["processes"] if "processes" in state else [_of_all(state)]
        if len(parts) == processes():
            mine = [parts[own_rank()]]
        else:
            mine = parts if own_rank() == 0 else []
        self._epoch, self._sums = int(state["epoch"]), _total(mine, parts)
        self._earlier = dict(self._sums)


def _precise(value: Tensor) -> Tensor:
    """Return a number in the precision in which Lightning adds it."""
    if value.dtype in _PRECISE:
        return value
    default = torch.get_default_dtype()
    return value.to(default if default in _PRECISE else torch.float32)


def _of_all(state: dict[str, Any]) -> Sums:
    """Return the sums of an earlier version, which were already those of all processes."""
    return {name: (torch.tensor(total), state["count"]) for name, total in state["sums"].items()}


def _total(mine: list[Sums], parts: list[Sums]) -> Sums:
    """Return the sums over `mine`, with all terms of `parts`: each process must log the same."""
    found: Sums = {k: (torch.zeros_like(v), 0) for part in parts for k, (v, _) in part.items()}
    for part in mine:
        for name, (total, count) in part.items():
            before, images = found[name]
            found[name] = before + total.detach(), images + count
    return found
