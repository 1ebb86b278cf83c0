"""The sums behind the means of an epoch, so that one that is resumed in its middle keeps them."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.processes import own_rank, processes

Sums = dict[str, tuple[Tensor, int]]  # of each term: the sum over the images so far, and how many
MAX, MIN = ">", "<"  # before the name of what is the largest or smallest so far, and no sum
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
            added = _precise(value.detach()) * (1 if name[0] in (MAX, MIN) else count)
            before, images = self._sums.get(name, (_nothing(name, added), 0))
            self._sums[name] = _both(name, before.to(added.device), added), images + count

    def take_earlier(self, epoch: int, name: str | None = None) -> Sums:
        """Return, once, the sums of the part before the run was stopped: that of `name`, or all."""
        found = self._earlier
        if name is not None:
            found = {name: found[name]} if name in found else {}
        self._earlier = {k: v for k, v in self._earlier.items() if k not in found}
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
    found: Sums = {k: (_nothing(k, v), 0) for part in parts for k, (v, _) in part.items()}
    for part in mine:
        for name, (total, count) in part.items():
            before, images = found[name]
            found[name] = _both(name, before, total.detach()), images + count
    return found


def _both(name: str, first: Tensor, second: Tensor) -> Tensor:
    if name[0] == MAX:
        return torch.maximum(first, second)
    return torch.minimum(first, second) if name[0] == MIN else first + second


def _nothing(name: str, like: Tensor) -> Tensor:
    """Return what changes nothing where it is taken together with other values."""
    return torch.full_like(like, {MAX: -torch.inf, MIN: torch.inf}.get(name[0], 0.0))
