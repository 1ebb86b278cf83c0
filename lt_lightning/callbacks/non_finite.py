"""A run whose loss is no number any more is stopped, not finished."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from lt_lightning.engine.sharded import is_sharded
from lt_lightning.errors import UserError
from lt_lightning.runs.checkpoint import not_finite

_REMEDY = (
    "lower the learning rate, or use --trainer.gradient_clip_val 1 or --trainer.precision 32-true."
)


class NonFiniteGuard(Callback):
    """Stops the training when the loss, or a term of it, is NaN or infinite.

    It looks at what `training_step` returns: a tensor, or a dict with "loss" and further numbers.
    On an accelerator the first bad step of each term is kept on the device and fetched every
    `every_n_steps` batches and at the end of the epoch, so that no step waits; the message names
    the exact step all the same. On a CPU every step is looked at. All processes stop together.
    No checkpoint is written after such a step, nor with weights that are not finite, so that the
    last one is a good one.

    Args:
        every_n_steps: batches between two looks on an accelerator.

    Raises:
        UserError: while training, if a term or a weight is not finite.
    """

    def __init__(self, every_n_steps: int = 50) -> None:
        if every_n_steps < 1:
            raise UserError(f"every_n_steps is {every_n_steps}: give 1 or more.")
        self.every_n_steps = every_n_steps
        self._first_bad: dict[str, Tensor] = {}  # term -> first bad step, -1 for none

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Note the terms of this step, and look where it is due."""
        for name, value in _terms(outputs):
            value = value.detach()
            none = torch.full((), -1, dtype=torch.int64, device=value.device)
            seen = self._first_bad.get(name, none)
            self._first_bad[name] = torch.where(
                (seen < 0) & ~value.isfinite().all(), batch_idx, seen
            )
        if self._look_now(trainer, batch_idx):
            self._look(trainer)

    def _look_now(self, trainer: Trainer, batch_idx: int) -> bool:
        on_cpu = trainer.strategy.root_device.type == "cpu"
        return on_cpu or (batch_idx + 1) % self.every_n_steps == 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Forget an earlier run."""
        self._first_bad = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at what is left of the epoch; the next one may have other terms."""
        self._look(trainer)
        self._first_bad = {}

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Keep the checkpoint before this one; called on every process before it is written."""
        self._look(trainer)
        # Every process holds the same weights, so all come to the same end without asking. What is
        # saved is what is looked at when it is read: batch norm statistics too.
        if is_sharded(pl_module):  # the first process alone has the whole weights
            bad = trainer.strategy.broadcast(not_finite(checkpoint["state_dict"]))
        else:
            bad = not_finite(pl_module.state_dict())
        if bad is not None:
            raise UserError(
                f"The weight {bad} became NaN or infinite in epoch {trainer.current_epoch}, by "
                f"step {trainer.global_step} of the run: {_REMEDY}"
            )

    def _look(self, trainer: Trainer) -> None:
        # A term that is a plain number lives on the CPU.
        device = trainer.strategy.root_device
        names, steps = list(self._first_bad), [v.to(device) for v in self._first_bad.values()]
        values = torch.stack(steps).tolist() if steps else []
        bad = [(step, name) for name, step in zip(names, values, strict=True) if step >= 0]
        # Every process must come to the same end, or the others wait for it for ever.
        anywhere = bool(bad)
        if trainer.world_size > 1:
            anywhere = trainer.strategy.reduce_boolean_decision(anywhere, all=False)
        if not anywhere:
            return
        where = f"epoch {trainer.current_epoch}"
        if bad:
            step, _ = min(bad)
            terms = ", ".join(name for at, name in bad if at == step)
            what = f"{terms} was NaN or infinite in {where}, step {step} of it (both count from 0)"
        else:
            what = f"The loss was NaN or infinite on another process in {where}"
        raise UserError(f"{what}: {_REMEDY}")


def _terms(outputs: Any) -> list[tuple[str, Tensor]]:
    """Return the scalar terms of what `training_step` gave."""
    if isinstance(outputs, Tensor):
        outputs = {"loss": outputs}
    if not isinstance(outputs, dict):
        return []
    found = []
    for name, value in outputs.items():
        if isinstance(value, float):
            value = torch.tensor(value)
        if isinstance(value, Tensor) and value.numel() == 1 and value.is_floating_point():
            found.append((str(name), value))
    return found
