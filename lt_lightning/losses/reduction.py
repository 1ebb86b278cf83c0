"""From per-sample values to one number, the same on one process and on many."""

import torch
import torch.distributed as dist
from torch import Tensor

from lt_lightning.processes import processes


def reduce(
    values: Tensor, weights: Tensor, reduction: str, share: Tensor | float | None = None
) -> Tensor:
    """Weighted mean or mean of per-sample losses, or each of them.

    weighted_mean: sum_i share_i w_i l_i / sum_i w_i;  mean: sum_i share_i w_i l_i / N;
    none: share_i w_i l_i.

    On several processes the sum of weights (or N) is averaged over them, so that the gradient
    that DDP averages is the one of the whole batch and not a mean of per-process means. This
    happens only where gradients are recorded, and then every process must call the loss equally
    often; an evaluation loss is that of its own process.

    Args:
        values: (N,) unweighted losses.
        weights: (N,) class weight of each sample's target, non-negative.
        reduction: "weighted_mean", "mean" or "none".
        share: (N,) or a number; the part of this label in a two-label mix.

    Returns:
        A scalar, 0 where all weights of the batch are 0; (N,) for "none".
    """
    weights = weights.to(values.dtype)
    total = values * weights
    if share is not None:
        total = total * (share.to(values.dtype) if isinstance(share, Tensor) else share)
    if reduction == "none":
        return total
    mass = weights.sum() if reduction == "weighted_mean" else weights.new_full((), len(values))
    mass, count = batch_sum(mass)
    mass = mass / count
    return total.sum() / mass.clamp_min(torch.finfo(values.dtype).tiny)


def batch_sum(mine: Tensor) -> tuple[Tensor, int]:
    """Return the sum of a count over the batches of all processes, and how many processes.

    The sum has no gradient. Where no gradients are recorded, a process is alone: an evaluation
    loss is that of its own batch.
    """
    if processes() == 1 or not torch.is_grad_enabled():
        return mine, 1
    found = mine.detach().clone()
    dist.all_reduce(found)
    return found, processes()
