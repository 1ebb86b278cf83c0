"""What a head may have beside its outputs; any module of torch can be one."""

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Cosine(Protocol):
    """A head that tells whether its logits are s cos(x, w), or any linear ones.

    Attributes:
        scale: s; none is a linear classifier.
    """

    scale: float | None


def scale_of(head: nn.Module) -> float | None:
    """Return the scale of a cosine classifier, none for another."""
    return head.scale if isinstance(head, Cosine) else None


def weight_of(head: nn.Module) -> Tensor | None:
    """Return the weights of a classifier, (C, D) mostly, or none where it has no such tensor."""
    return _tensor(head, "weight")


def bias_of(head: nn.Module) -> Tensor | None:
    """Return the bias of a classifier, or none."""
    return _tensor(head, "bias")


def _tensor(head: nn.Module, name: str) -> Tensor | None:
    # Torch declares no type for it, and keeps parameters where no Protocol finds them.
    found = getattr(head, name, None)
    return found if isinstance(found, Tensor) else None
