"""A finished run that classifies images: what `lt predict` and `lt_lightning.load_run` share."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor

from lt_lightning.augment import Normalize
from lt_lightning.data.reading import Reading
from lt_lightning.engine.base import LongTailModule
from lt_lightning.engine.changes import Added, check_added, names_of
from lt_lightning.engine.float32 import exact
from lt_lightning.engine.load import load_model
from lt_lightning.errors import UserError
from lt_lightning.metrics.prediction import NO_CLASS, predicted_class
from lt_lightning.runs import checkpoint as checkpoint_file
from lt_lightning.runs.checkpoint import DATA_STATE

Name = TypeVar("Name")


@dataclass(frozen=True)
class Classified(Generic[Name]):
    """What a run says of one image.

    Attributes:
        name: of the image, as it was given.
        place: of its class in label order.
        probabilities: float64 (C,), where a chance of e^-500 is not 0.
    """

    name: Name
    place: int
    probabilities: Tensor


@dataclass(frozen=True)
class Predictor:
    """The model of a run, and what is done to an image before it.

    A change of the outputs without training is one of `model` and belongs to `read`, so that all
    who predict get it.

    Attributes:
        model: in evaluation mode, on its device.
        normalize: with mean and standard deviation of the training.
        image_size: pixels a side that the model sees.
        reading: how image files were read in training.
        changes: what was changed after training, in their order.
        added: those of them that the checkpoint does not keep, with their values.
    """

    model: LongTailModule
    normalize: Normalize
    image_size: int
    reading: Reading
    changes: tuple[str, ...] = ()
    added: tuple[Added, ...] = ()

    @classmethod
    def read(
        cls,
        checkpoint: Path,
        device: torch.device,
        added: Sequence[Added] = (),
    ) -> "Predictor":
        """Return the predictor of a checkpoint; none of its training data are asked for.

        Args:
            checkpoint: the file.
            device: where it predicts.
            added: changes without training, on top of those that the checkpoint keeps, in order.

        Raises:
            UserError: if it is damaged, holds NaN, or its method cannot be built; if a change
                does not go with it.
        """
        content = checkpoint_file.read(checkpoint)
        names = names_of(content)
        for one in added:
            check_added(content, checkpoint, one.change)
        model = load_model(content, checkpoint)
        made = tuple(one.put(model) for one in added)
        names += [one.change.describe() for one in made]
        model.to(device).eval()
        state = content[DATA_STATE]
        normalize = Normalize(state["mean"], state["std"])
        reading = Reading.of(state)
        return cls(model, normalize, state["image_size"], reading, tuple(names), made)

    @property
    def class_names(self) -> list[str]:
        """C names in label order."""
        return self.model.class_names

    def classify(
        self, images: Iterable[tuple[Name, Tensor]], batch_size: int
    ) -> Iterator[Classified[Name]]:
        """Yield what the run says of each image, in their order, in float32.

        Args:
            images: a name, and uint8 (3, image_size, image_size), as `read_image` returns it.
            batch_size: images that are looked at together.

        Raises:
            UserError: if the run gives no finite numbers for one; the message has its name.
        """
        batch: list[tuple[Name, Tensor]] = []
        for image in images:
            batch.append(image)
            if len(batch) == batch_size:
                yield from self._batch(batch)
                batch = []
        if batch:
            yield from self._batch(batch)

    def _batch(self, batch: list[tuple[Name, Tensor]]) -> Iterator[Classified[Name]]:
        device = self.model.device
        images = self.normalize(torch.stack([image for _, image in batch]).to(device))
        self.model.eval()
        with torch.inference_mode(), exact(device):
            logits = self.model.predict_logits(images).float().cpu()
        places = predicted_class(logits).tolist()
        for (name, _), place, row in zip(batch, places, logits, strict=True):
            if place == NO_CLASS:
                raise UserError(
                    f"The run gives no finite numbers for the image {name}: use another run."
                )
            yield Classified(name, place, row.double().softmax(dim=0))
