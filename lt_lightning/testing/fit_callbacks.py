"""What is noted in a fit, and what may disturb one."""

import random
from dataclasses import dataclass, field
from typing import Any

import lightning as L
import numpy as np
import torch


@dataclass
class Watch(L.Callback):
    """Notes the batch, the gradients, the terms and the modes of every step."""

    batches: dict[int, list[Any]] = field(default_factory=dict)  # of each epoch
    losses: list[float] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    still: list[int] = field(default_factory=list)  # steps whose gradients are all 0
    turned: set[str] = field(default_factory=set)  # parts whose mode a step changed
    modes: dict[str, bool] = field(default_factory=dict)  # before the step
    with_graph: set[str] = field(default_factory=set)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the batch, and which parts train."""
        self.modes = _modes(pl_module)
        self.batches.setdefault(trainer.current_epoch, []).append(batch)

    def on_after_backward(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what has no gradient, or whether all are 0."""
        held = {id(p) for o in trainer.optimizers for g in o.param_groups for p in g["params"]}
        grads = {name: p.grad for name, p in pl_module.named_parameters() if id(p) in held}
        self.missing |= {name for name, grad in grads.items() if grad is None}
        if not any(grad is not None and bool(grad.any()) for grad in grads.values()):
            self.still.append(trainer.global_step)

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Note the loss, the terms that keep the graph, and the parts whose mode is another.

        The module refuses a step without a loss.
        """
        now = _modes(pl_module)
        self.turned |= {name for name, mode in self.modes.items() if now.get(name, mode) != mode}
        if not outputs:
            return
        terms = outputs if isinstance(outputs, dict) else {"loss": outputs}
        self.losses.append(float(terms["loss"]))
        self.with_graph |= {k for k, v in terms.items() if k != "loss" and v.requires_grad}


def _modes(module: L.LightningModule) -> dict[str, bool]:
    """Return whether each part is in training mode, the whole among them."""
    return {name or "the module": part.training for name, part in module.named_modules()}


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
