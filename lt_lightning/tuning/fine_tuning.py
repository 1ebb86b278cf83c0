"""Fine-tuning of all or of the last layers, with learning rates by depth."""

from typing import Any

from torch import nn

from lt_lightning.engine.freezing import BNMode, Freezing
from lt_lightning.engine.layer_decay import by_depth
from lt_lightning.errors import UserError
from lt_lightning.tuning.base import Tuning


class FineTuning(Tuning):
    """Trains the backbone from a layer on; lower layers more slowly: rate * lr_factor * decay^k.

    k counts the blocks between the layer and the classifier: 0 for what follows the last block,
    1 for the last block, 12 for the first of 12, 13 for what stands before it.

    Paper: layer-wise decay: Clark et al., ELECTRA, ICLR 2020; for images: Bao et al., BEiT, ICLR
    2022, appendix.

    Args:
        trained_from: the first part that is trained, by its name in the network ("layer4",
            "blocks.10"); "all" is the whole network, none is the classifier alone.
        bn_mode: batch norm of frozen layers: "eval" keeps the statistics of the weights,
            "update_stats" moves them, "train_affine" trains gamma and beta too.
        layer_decay: in (0, 1]; 1 is the same rate for all layers, 0.65 to 0.8 are usual for a ViT.
        lr_factor: above 0, of the learning rate of the backbone; that of the classifier is the
            optimizer's.

    Raises:
        UserError: if a number is out of its range; later, if there is no such part, or no depth to
            decay by.
    """

    def __init__(
        self,
        trained_from: str | None = "all",
        bn_mode: BNMode = "eval",
        layer_decay: float = 1.0,
        lr_factor: float = 1.0,
    ) -> None:
        if not 0 < layer_decay <= 1:
            raise UserError(f"layer_decay is {layer_decay}: give a number above 0, at most 1.")
        if not lr_factor > 0:
            raise UserError(f"lr_factor is {lr_factor}: give a number above 0.")
        self.freezing = Freezing(bn_mode, trained_from)
        self.layer_decay, self.lr_factor = layer_decay, lr_factor

    def prepare(self, backbone: nn.Module, num_classes: int) -> None:
        """Freeze what stays as it is."""
        if self.layer_decay < 1 and len(by_depth(backbone)) < 2:
            raise UserError(
                f"layer_decay is {self.layer_decay} but {type(backbone).__name__} has no rows of "
                "blocks to tell depths by: leave it out."
            )
        self.freezing.apply(backbone)

    def set_modes(self, backbone: nn.Module) -> None:
        """Set the modes of a training step: frozen layers are as in evaluation."""
        self.freezing.set_modes(backbone)

    def groups(self, backbone: nn.Module) -> list[dict[str, Any]]:
        """Return a group per depth."""
        found = []
        for distance, parameters in by_depth(backbone):
            trained = [p for p in parameters if p.requires_grad]
            factor = self.lr_factor * self.layer_decay**distance
            if trained:
                found.append({"params": trained, "lr_factor": factor})
        return found
