"""Evaluation in float32, whatever the precision of the training."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.precision import (
    DoublePrecision,
    HalfPrecision,
    MixedPrecision,
    Precision,
)
from torch import Tensor, nn

PRECISION = "32-true"
_WEIGHTS_TOO = (HalfPrecision, DoublePrecision)  # these convert the weights themselves


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Compute in float32 proper: without autocast, and without TF32 in convolutions."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def float32(trainer: Trainer, module: LightningModule) -> Iterator[None]:
    """Let the trainer compute in float32 within; the weights are afterwards as they were.

    A strategy that shards the weights keeps its own precision, which `trainer.precision` names.
    """
    strategy, plugin = trainer.strategy, trainer.strategy.precision_plugin
    if not isinstance(plugin, (MixedPrecision, *_WEIGHTS_TOO)):
        with exact(strategy.root_device):
            yield
        return
    strategy.precision_plugin = Precision()
    try:
        with exact(strategy.root_device), ExitStack() as stack:
            if isinstance(plugin, _WEIGHTS_TOO):
                stack.enter_context(_as_float32(module))
            yield
    finally:
        strategy.precision_plugin = plugin


@contextmanager
def _as_float32(module: nn.Module) -> Iterator[None]:
    """Hold the weights in float32 within; what was changed there stays changed."""
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    with torch.inference_mode(False):  # else they could not be data of a parameter
        for tensor in tensors:
            own, wide = tensor.data, tensor.data.float()
            kept.append((tensor, own, wide.clone()))
            tensor.data = wide
    try:
        yield
    finally:
        for tensor, own, before in kept:
            if not torch.equal(tensor.data.to(before.device), before):  # loaded, or fitted
                own.copy_(tensor.data)
            tensor.data = own


class Float32Evaluation(Callback):
    """Validates and tests in float32, so that `lt predict` says of an image what the test counted.

    Args:
        tests: whether tests too; not where a test was asked for in another precision.
    """

    def __init__(self, tests: bool = True) -> None:
        self.tests = tests
        self._open = ExitStack()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Begin, before the strategy converts the module, where nothing is trained."""
        if stage in ("test", "validate", "predict") and self.tests:
            self._open.enter_context(float32(trainer, pl_module))

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """End."""
        self._open.close()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin, within a training."""
        if trainer.state.fn == "fit":
            self._open.enter_context(float32(trainer, pl_module))

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End, before a checkpoint is written."""
        if trainer.state.fn == "fit":
            self._open.close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """End."""
        self._open.close()
