"""Evaluation in float32, whatever the precision of the training."""

from collections.abc import Iterator, Mapping, Sequence
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
    """Hold the weights in float32 within; what was changed there stays changed.

    Other tensors stand in their places, for DDP hears of a gradient through a parameter, and would
    no longer after its type had been another one.
    """
    parts = list(module.modules())
    with torch.inference_mode(False):  # else they could not be parameters
        wide = {own: _wide(own) for part in parts for _, own in _floats(part)}
        before = {own: other.detach().clone() for own, other in wide.items()}
    _replace(parts, wide)
    try:
        yield
    finally:
        for own, other in wide.items():
            if not torch.equal(other.detach().to(before[own].device), before[own]):
                own.data.copy_(other.detach())  # loaded, or fitted
        _replace(parts, {other: own for own, other in wide.items()})


def _replace(parts: Sequence[nn.Module], others: Mapping[Tensor, Tensor]) -> None:
    """Put another tensor in the place of each that has one; one may lie in several places."""
    for part in parts:
        for name, tensor in list(_floats(part)):
            if tensor in others:
                setattr(part, name, others[tensor])


def _floats(part: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of floats of a module itself, by their names."""
    for named in (part.named_parameters, part.named_buffers):
        for name, tensor in named(recurse=False, remove_duplicate=False):
            if tensor.is_floating_point():
                yield name, tensor


def _wide(tensor: Tensor) -> Tensor:
    wide = tensor.detach().to(torch.float32, copy=True)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(wide, requires_grad=tensor.requires_grad)
    return wide


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
