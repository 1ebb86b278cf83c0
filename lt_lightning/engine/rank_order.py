"""Gradients are added in the order of the processes, whatever order DDP lays them out in."""

from contextlib import suppress
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch.strategies import Strategy
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel

_ANY_ORDER = 2  # processes: a + b is b + a


def add_in_order(strategy: Strategy) -> None:
    """Let the gradients of DDP be added in the order of the processes.

    gloo and NCCL begin the sum of each piece of a buffer at another process, and DDP lays its
    gradients out anew after its first step. So in the first step of a run that goes on they would
    be added in another order, and from three processes on its weights would differ in the last
    bit from those of a run that was never cut. GPUs add in any order anyway, as long as
    `trainer.deterministic` does not forbid it, and are left alone.

    Args:
        strategy: of the trainer, set up; any other than DDP is left as it is.
    """
    model = strategy.model
    if not isinstance(model, DistributedDataParallel) or dist.get_world_size() <= _ANY_ORDER:
        return
    on_cpu = strategy.root_device.type == "cpu"
    if on_cpu or torch.are_deterministic_algorithms_enabled():
        with suppress(RuntimeError):  # the user has given the strategy a hook
            model.register_comm_hook(None, average)


def average(
    state: Any,
    bucket: dist.GradBucket,  # type: ignore[name-defined]
) -> torch.futures.Future[Tensor]:
    """Return the mean of a bucket over all processes: each adds up its share of the places.

    What is sent is as much as for the sum that it takes the place of.
    """
    processes, own = dist.get_world_size(), bucket.buffer()
    share = -(-own.numel() // processes)
    places = own.new_zeros(processes, share)
    places.view(-1)[: own.numel()] = own / processes  # before the sum, which could overflow
    received = torch.empty_like(places)
    dist.all_to_all_single(received, places)
    total = received[0].clone()
    for part in received[1:]:
        total += part
    dist.all_gather_into_tensor(places.view(-1), total)
    devices = [own.device] if own.is_cuda else None
    done: torch.futures.Future[Tensor] = torch.futures.Future(devices=devices)
    done.set_result(places.view(-1)[: own.numel()])
    return done
