"""Weights in shards: each process holds its part of every tensor (FSDP2)."""

from collections.abc import Iterator
from typing import Any

import lightning as L
import torch
import torch.distributed as dist
from lightning.pytorch.callbacks import Callback, WeightAveraging
from lightning.pytorch.strategies import FSDPStrategy, ModelParallelStrategy
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from lt_lightning.engine.freezing import batch_norms
from lt_lightning.errors import Agreed
from lt_lightning.processes import processes

PRECISIONS = ("32-true", "bf16-mixed")
SAVED_IN_PARTS = (
    "save_distributed_checkpoint is true: a run keeps one whole last.ckpt, so give "
    "--trainer.strategy.save_distributed_checkpoint false."
)
FSDP1 = (
    "its checkpoints and evaluation are not those of a run here, give "
    "lightning.pytorch.strategies.ModelParallelStrategy (configs/trainer/sharded.yaml), or ddp."
)
_LEAST = 0.01  # of the weights of the network: what is smaller is gathered with its surroundings


def shard(module: Any, trainer: L.Trainer) -> None:
    """Part backbone and classifier among the processes where the strategy asks for it.

    Each large block of the backbone is gathered by itself when it computes, then what is left.

    Args:
        module: the method; once in shards it is left as it is.
        trainer: whose processes are connected.

    Raises:
        Agreed: if the method, or the trainer, cannot work so.
    """
    strategy = trainer.strategy
    if isinstance(strategy, FSDPStrategy):
        raise Agreed(f"trainer.strategy is {type(strategy).__name__}: {FSDP1}")
    if not isinstance(strategy, ModelParallelStrategy):
        return
    _check_trainer(trainer, strategy)
    if is_sharded(module):
        return
    _check_method(module)
    _begin_alike(module, strategy.root_device)
    module.backbone.to(memory_format=torch.contiguous_format)  # FSDP takes no other
    mesh = strategy.device_mesh["data_parallel"]
    for part in (*blocks(module.backbone), module.backbone, module.head):
        fully_shard(part, mesh=mesh)


def is_sharded(module: nn.Module) -> bool:
    """Return whether the weights of `module` are in shards."""
    return any(isinstance(part, FSDPModule) for part in module.modules())


class GatheredEvaluation(Callback):
    """Lets each process hold all weights while it evaluates; nothing where they are in no shards.

    So it can have another number of batches than the others, who would wait for it.
    """

    def on_validation_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Gather."""
        _gather(pl_module)

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Part again, after the callbacks that look at the weights, and before a checkpoint."""
        _part(pl_module)

    on_test_epoch_start = on_predict_epoch_start = on_validation_epoch_start
    on_test_epoch_end = on_predict_epoch_end = on_validation_epoch_end


def placed_as(value: Tensor, own: Any) -> Tensor:
    """Return a whole tensor as it can be copied into `own`, which may be in shards.

    Args:
        value: the same on every process.
        own: a parameter or buffer.
    """
    if not isinstance(own, DTensor):
        return value
    placed: Tensor = distribute_tensor(value.to(own.device), own.device_mesh, own.placements)
    return placed


def _gather(module: nn.Module) -> None:
    # In inference mode the gathered tensors would be none that can be trained on afterwards.
    with torch.inference_mode(False), torch.no_grad():
        for inner in _sharded(module):
            inner.set_reshard_after_forward(False, recurse=False)
            inner.unshard()


def _part(module: Any) -> None:
    outer = module.backbone, module.head
    for inner in _sharded(module):
        # The outermost ones are needed again at once, in the backward pass.
        inner.set_reshard_after_forward(inner not in outer, recurse=False)
        inner.reshard()


def _sharded(module: nn.Module) -> list[FSDPModule]:
    return [inner for inner in module.modules() if isinstance(inner, FSDPModule)]


def blocks(network: nn.Module) -> Iterator[nn.Module]:
    """Yield the large ones of modules of one kind in a row, inner ones first."""
    least = _LEAST * _size(network)
    seen: set[nn.Module] = {network}
    for row in reversed(list(network.modules())):
        if not isinstance(row, nn.Sequential | nn.ModuleList) or len(row) < 2:
            continue
        if len({type(block) for block in row}) > 1:
            continue
        for block in row:
            callable_ = not isinstance(block, nn.ModuleList | nn.ModuleDict)
            if callable_ and block not in seen and _size(block) >= max(least, 1):
                seen.add(block)
                yield block


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@torch.no_grad()
def _begin_alike(module: nn.Module, device: torch.device) -> None:
    """Take the tensors of the first process, as DDP does; each would else keep parts of its own."""
    if processes() == 1:
        return
    for tensor in (*module.parameters(), *module.buffers()):
        whole = tensor.detach().to(device, memory_format=torch.contiguous_format)
        dist.broadcast(whole, 0)
        tensor.copy_(whole)


def _check_trainer(trainer: L.Trainer, strategy: ModelParallelStrategy) -> None:
    name, mesh = type(strategy).__name__, strategy.device_mesh
    over, within = mesh["data_parallel"].size(), mesh["tensor_parallel"].size()
    if within > 1:
        raise Agreed(
            f"{name} has tensor_parallel_size {within}: weights are sharded over the data_parallel "
            f"dimension alone, give data_parallel_size {over * within} and tensor_parallel_size 1."
        )
    if strategy._save_distributed_checkpoint:
        raise Agreed(f"{name}.{SAVED_IN_PARTS}")
    if str(trainer.precision) not in PRECISIONS:
        raise Agreed(
            f"trainer.precision is {trainer.precision!r}: with {name} give "
            f"{' or '.join(PRECISIONS)}."
        )
    if any(isinstance(c, WeightAveraging) for c in trainer.callbacks):  # type: ignore[attr-defined]
        raise Agreed(
            f"{name} cannot average weights that are in shards: leave the callback out, or set "
            "--trainer.strategy ddp."
        )


def _check_method(module: Any) -> None:
    name = type(module).__name__
    if module.num_stages > 1:
        raise Agreed(
            f"{name} has two stages, which weights in shards cannot change between: train stage 1 "
            "by ERM (configs/ce.yaml), then this one with --model.stage1_ckpt RUN and "
            "--trainer.strategy ddp."
        )
    kept = [*module.backbone.parameters(), *module.head.parameters()]
    more = {id(p) for p in module.parameters()} - {id(p) for p in kept}
    if not module.shards or more:
        raise Agreed(
            f"{name} computes with more than its backbone and its classifier as a whole, which "
            "weights in shards do not allow: set --trainer.strategy ddp."
        )
    if any(True for _ in batch_norms(module)):
        raise Agreed(
            f"{type(module.backbone).__name__} has batch norm, whose statistics would be others "
            "on each process: with weights in shards give a network without, such as a ViT, or "
            "set --trainer.strategy ddp."
        )
    if module.hparams["compile"]:
        raise Agreed("model.compile is true: leave it out where weights are in shards.")
