"""The batches of all processes as one, with a gradient for each."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.processes import own_rank, processes


class _Gather(torch.autograd.Function):
    """Concatenates over the processes; the gradient of each part goes back to where it is from."""

    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        ctx.rows = len(mine)
        parts = [torch.empty_like(mine) for _ in range(processes())]
        dist.all_gather(parts, mine.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        total = slope.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        first = own_rank() * ctx.rows
        return total[first : first + ctx.rows]


def gather(rows: Tensor) -> Tensor:
    """Return the rows of all processes, (R N, ...) of R processes with N rows each.

    Where every process computes the same value from them, the gradient that DDP averages is that
    of the whole batch: each process gets the sum of the R equal gradients of its own rows, and
    DDP divides by R. On one process, and where no gradients are recorded, `rows` is returned as
    it is. Every process must have equally many rows.
    """
    if processes() == 1 or not torch.is_grad_enabled():
        return rows
    gathered: Tensor = _Gather.apply(rows)
    return gathered


def own_rows(gathered: Tensor, count: int) -> Tensor:
    """Return the `count` rows of this process among those of all, (count, ...)."""
    first = own_rank() * count if len(gathered) > count else 0
    return gathered[first : first + count]
