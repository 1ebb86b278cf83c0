"""Self-supervised pre-training by predicting rotations."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lt_lightning.augment.places import randperm
from lt_lightning.engine.self_supervised import SelfSupervised
from lt_lightning.errors import UserError
from lt_lightning.heads import LinearHead
from lt_lightning.metrics import ClassStats, predicted_class

_TURNS = 4


class RotationSSP(SelfSupervised):
    """Pre-training without labels: how many quarter turns an image was rotated by.

    L = -log softmax(W f(rot90(x, k)) + b)[k], one k in {0, 1, 2, 3} per image, after the other
    augmentations; each k is drawn equally often in a batch, up to one image. The backbone with its
    batch norm statistics is what another run takes by `backbone_init`.

    Paper: Gidaris et al., Unsupervised Representation Learning by Predicting Image Rotations, ICLR
    2018; on long-tailed data Yang and Xu, Rethinking the Value of Labels for Improving
    Class-Imbalanced Learning (SSP), NeurIPS 2020.

    Differs from the authors' code in that the last epoch's weights are kept; theirs keeps the
    epoch that predicts the rotations of the test images best.

    Args:
        kwargs: see SelfSupervised.

    Raises:
        UserError: while training, if the images are not square.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rotation_head = LinearHead(self.backbone.out_features, _TURNS)
        self.rotation_stats = ClassStats(_TURNS, groups={})

    def rotation_logits(self, images: Tensor) -> Tensor:
        """Return one logit per number of quarter turns, (N, 4)."""
        logits: Tensor = self.rotation_head(self.features(images))
        return logits

    def unlabelled_step(self, images: Tensor, batch_idx: int) -> dict[str, Tensor]:
        """Return the loss of one batch of rotated images."""
        turns = draw_turns(len(images), self.step_generator(batch_idx, len(images)))
        logits = self.rotation_logits(rotate(images, turns))
        hits = (predicted_class(logits) == turns).float().mean()
        return {"loss": F.cross_entropy(logits, turns), "rotation_acc": hits}

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Count one batch, and its images in all four rotations."""
        super().test_step(batch, batch_idx)
        images, _ = batch
        for turn in range(_TURNS):
            turns = torch.full((len(images),), turn, device=images.device)
            self.rotation_stats.update(self.rotation_logits(rotate(images, turns)), turns)

    def on_test_epoch_start(self) -> None:
        """Forget the counts of an earlier test."""
        super().on_test_epoch_start()
        self.rotation_stats.reset()

    def pretext_values(self) -> dict[str, float]:
        """Return accuracy and loss on all four rotations of the test images."""
        values = self.rotation_stats.compute()
        return {f"rotation_{name}": values[name] for name in ("acc", "nll") if name in values}


def draw_turns(count: int, generator: torch.Generator) -> Tensor:
    """Return 0, 1, 2 or 3 per image in random order, each equally often up to one, int64 (N,).

    Equally often in the batch of all processes.
    """
    order = randperm(count, generator=generator)
    return order % _TURNS


def rotate(images: Tensor, turns: Tensor) -> Tensor:
    """Return each image rotated counter-clockwise by its number of quarter turns.

    Args:
        images: (N, C, H, H).
        turns: int64 (N,), from 0 to 3.

    Raises:
        UserError: if the images are not square.
    """
    height, width = images.shape[-2:]
    if height != width:
        raise UserError(
            f"The images have {height}x{width} pixels: rotations need square ones, see "
            "data.source.image_size."
        )
    # All four, then one gather: choosing the images of each turn would wait for the device.
    rotated = torch.stack([images.rot90(turn, (2, 3)) for turn in range(_TURNS)])
    return rotated[turns, torch.arange(len(images), device=images.device)]
