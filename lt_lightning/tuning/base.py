"""What a method may ask of a way of tuning."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import nn


class Tuning(ABC):
    """Chooses what of a backbone is trained; the classifier always is.

    It holds settings alone: the parts that it adds belong to the backbone, so a checkpoint has
    them.

    Attributes:
        adds: whether it adds parts to the backbone, inside which the backbone's own get other
            names.
    """

    adds: ClassVar[bool] = False

    @abstractmethod
    def prepare(self, backbone: nn.Module, num_classes: int) -> None:
        """Add what is added to the backbone, and freeze what stays as it is."""

    def set_modes(self, backbone: nn.Module) -> None:
        """Set the modes of a training step; here all of the backbone is as in evaluation."""
        backbone.eval()

    def groups(self, backbone: nn.Module) -> list[dict[str, Any]]:
        """Return the parameters of the backbone that are trained, as groups of an optimizer.

        "lr_factor" of a group multiplies its learning rate.
        """
        trained = [p for p in backbone.parameters() if p.requires_grad]
        return [{"params": trained}] if trained else []
