"""A finished run in Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from lt_lightning.api.changed import Changed
from lt_lightning.api.predictions import Images, Predictions, pixels
from lt_lightning.api.results import Results
from lt_lightning.engine.device import device_of
from lt_lightning.engine.predictor import Predictor
from lt_lightning.errors import UserError
from lt_lightning.methods import LongTailModule
from lt_lightning.post_hoc import PostHoc
from lt_lightning.post_hoc.finished import Calibration, changes_of
from lt_lightning.runs import folder as run_folder
from lt_lightning.runs.config import began_with


@dataclass(frozen=True)
class Run:
    """A run that `lt fit` or `lt_lightning.fit` made.

    Attributes:
        folder: of the run, runs/NAME/VERSION.
        checkpoint: the file of its weights.
        predictor: its model with the preprocessing.
    """

    folder: Path
    checkpoint: Path
    predictor: Predictor
    _kept: Changed = field(default_factory=Changed, init=False, repr=False, compare=False)

    @property
    def model(self) -> LongTailModule:
        """The trained method, in evaluation mode."""
        return self.predictor.model

    @property
    def class_names(self) -> tuple[str, ...]:
        """C names in label order."""
        return tuple(self.predictor.class_names)

    @cached_property
    def config(self) -> dict[str, Any]:
        """All options of the run, as in its config.yaml.

        Raises:
            UserError: if the file is gone or damaged.
        """
        return began_with(self.folder)

    @property
    def results(self) -> Results:
        """What the run reports, read from results.json now: a later test adds to it.

        Raises:
            UserError: if the run was not tested, or the file is damaged.
        """
        return Results.read(self.folder)

    def predict(
        self,
        images: Images,
        *,
        batch_size: int = 128,
        post_hoc: PostHoc | None = None,
        calibrated: Calibration | None = None,
        target_prior: str | Path | Mapping[str, float] | None = None,
    ) -> Predictions:
        """Classify images as `lt predict` does: the same preprocessing, in float32.

        Args:
            images: a path, a folder (its images at any depth, sorted), a PIL image, a tensor
                (N, 3, H, W) or (3, H, W) of uint8 or of floats from 0 to 1, or a list of these.
                A tensor of another size than the run's is resized as a file would be.
            batch_size: images that are looked at together.
            post_hoc: a change without training, such as `LogitAdjuster()`; a knob that is null is
                taken from a test of the run that fitted it.
            calibrated: "temperature" or "vector", as `lt calibrate` fitted it.
            target_prior: the share of each class among these images by its name, or a file of
                them; none leaves the shares that the run assumes.

        Raises:
            UserError: if one is no image or cannot be read, or gets no finite numbers, or a change
                was not fitted, or the shares are not those of the classes.
        """
        if batch_size < 1:
            raise UserError(f"batch_size is {batch_size}: give 1 or more.")
        run = self.predictor
        added = changes_of(self.folder, self.checkpoint, post_hoc, calibrated, target_prior)
        if added:
            run = self._kept.of(added, self.checkpoint, run.model.device)
        given = pixels(images, run.image_size, run.reading)
        rows = list(run.classify(given, batch_size))
        shape, names = (len(rows), len(self.class_names)), self.class_names
        found = torch.zeros(shape, dtype=torch.float64)
        for place, row in enumerate(rows):
            found[place] = row.probabilities
        return Predictions(
            probabilities=found,
            classes=torch.tensor([row.place for row in rows], dtype=torch.int64),
            names=tuple(names[row.place] for row in rows),
            files=tuple(row.name.file for row in rows),
        )


def load_run(run: str | Path, *, best: bool = False, device: str | None = None) -> Run:
    """Load a finished run; none of its training data are asked for.

    Args:
        run: its folder, the folder of its name (the newest version is taken), or a checkpoint.
        best: take the weights that did best on held-out images, not those of the last epoch.
        device: such as cpu or cuda:1; none is the GPU where there is one.

    Raises:
        UserError: if there is no such run, its checkpoint is damaged or holds NaN, or there is no
            such device.
    """
    folder, checkpoint = run_folder.of_run(str(run), best)
    name = device or ("cuda" if torch.cuda.is_available() else "cpu")
    return Run(folder, checkpoint, Predictor.read(checkpoint, device_of(name, "device")))
