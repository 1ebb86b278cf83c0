"""What is odd about a user's own pictures, said at the start of a fit."""

import logging
from functools import cache

from lightning.pytorch import Callback, LightningModule, Trainer

from lt_lightning.data import LongTailDataModule
from lt_lightning.data.picture_source import PictureSource
from lt_lightning.inspection.at_fit import odd_at_fit, unlabelled_but_tested

log = logging.getLogger("lt_lightning")


class OddPictures(Callback):
    """Warns in one line of what `lt data check` would find, as far as it is known anyway."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at the pictures, on the first process."""
        data = LongTailDataModule.of(trainer)
        if data is None or not trainer.is_global_zero:
            return
        if isinstance(data.source, PictureSource):
            _say(odd_at_fit(data.source, data.root, data.chosen.given))
        if data.unlabelled is not None:
            _say(unlabelled_but_tested(data.find_unlabelled(), data.evaluated()))


@cache
def _say(sentence: str) -> None:
    """Say it once: a run and its pre-training are two fits on the same pictures."""
    if sentence:
        log.warning("%s", sentence)
