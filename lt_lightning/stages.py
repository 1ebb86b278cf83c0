"""Which part of a run an epoch belongs to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor


@dataclass(frozen=True)
class Stage:
    """A stretch of epochs that is trained in one way.

    What is drawn in a stage depends on its number and on the epoch within it, so one run of two
    stages draws what two separate runs draw.

    Args:
        number: 1, 2 ...
        first_epoch: its first epoch in the run, 0-based.
        epochs: its length.
        name: the sampler of `data.samplers` it draws with; empty in a run of one stage.
        augment: whether its training images are augmented.
        full_data: whether it sees all training images of the source, before the profile; only an
            oracle does.
        features: whether its training images are replaced by their features, computed once.
    """

    number: int
    first_epoch: int
    epochs: int
    name: str = ""
    augment: bool = True
    full_data: bool = False
    features: bool = False


@runtime_checkable
class Staged(Protocol):
    """A module whose run has stages, be it one; every `LongTailModule` is.

    Attributes:
        num_stages: of a run.
    """

    num_stages: int

    def stage_at(self, epoch: int) -> Stage:
        """Return the stage of `epoch`, 0-based."""

    def stage_features(self, loader: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
        """Return the features of all images of `loader`, (N, D), as evaluation sees them."""
