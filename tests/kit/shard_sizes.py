"""A callback that writes how many numbers of the weights, and of the momentum, a process holds."""

import json
from pathlib import Path

from lightning.pytorch import Callback
from torch.distributed.tensor import DTensor


class ShardSizes(Callback):
    def on_train_end(self, trainer, pl_module):
        momenta = [state["momentum_buffer"] for state in trainer.optimizers[0].state.values()]
        sizes = [_numbers(tensors) for tensors in (pl_module.parameters(), momenta)]
        Path(f"sizes-{trainer.global_rank}.json").write_text(json.dumps(sizes))


def _numbers(tensors):
    return sum((t.to_local() if isinstance(t, DTensor) else t).numel() for t in tensors)
