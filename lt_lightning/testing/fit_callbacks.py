"""What is noted in a fit, and what may disturb one."""

import random
from dataclasses import dataclass, field
from typing import Any

import lightning as L
import numpy as np
import torch


@dataclass
class Watch(L.Callback):
    """Notes the batch, the gradients and the terms of every step."""

    batches: dict[int, list[Any]] = field(default_factory=dict)  # of each epoch
    losses: list[float] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    with_graph: set[str] = field(default_factory=set)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the batch."""
        self.batches.setdefault(trainer.current_epoch, []).append(batch)

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what has no gradient."""
        held = {id(p) for o in trainer.optimizers for g in o.param_groups for p in g["params"]}
        named = pl_module.named_parameters()
        self.missing |= {name for name, p in named if id(p) in held and p.grad is None}

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss, and the terms that keep the graph; the module refuses a step without."""
        if not outputs:
            return
        terms = outputs if isinstance(outputs, dict) else {"loss": outputs}
        self.losses.append(float(terms["loss"]))
        self.with_graph |= {k for k, v in terms.items() if k != "loss" and v.requires_grad}


class Disturb(L.Callback):
    """Draws from the generators that a method may not rely on."""

    def on_train_batch_start(self, *args: Any) -> None:
        """Draw from all of them."""
        torch.rand(3)
        np.random.random()  # noqa: NPY002  the legacy generator is what is disturbed
        random.random()


class StopAfterFirst(L.Callback):
    """Stops after one epoch."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Stop."""
        trainer.should_stop = True
