"""config.yaml: exactly what ran."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import SaveConfigCallback

from lt_lightning.runs.files import write_whole
from lt_lightning.runs.kept_configs import BEGAN, last_file, next_file


class SaveConfig(SaveConfigCallback):
    """Writes the parsed config into the run folder before training, once the run is not refused.

    `lt fit --config RUN/config.yaml` starts the same run again in a new folder: the version of
    the run and the checkpoint it was resumed from are left out. A resumed run keeps the
    config.yaml it began with; where the new one differs from the last it is written beside it as
    config-resumed-<n>.yaml, so that the one of the highest number is what the run ended with.
    """

    def __init__(self, parser: Any, config: Any, folder: Path) -> None:
        super().__init__(parser, config, overwrite=True, save_to_log_dir=False)
        self.folder = folder

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the file of a run that begins; called on the first process only."""
        if stage == "fit" and not (self.folder / BEGAN).is_file():
            self._write(self.folder / BEGAN)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the file of a run that goes on, which may have been refused until now."""
        self._save_later(trainer)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write it where there was nothing left to train."""
        self._save_later(trainer)

    def _save_later(self, trainer: Trainer) -> None:
        if not trainer.is_global_zero:
            return
        last = last_file(self.folder)
        if last.is_file() and last.read_text(encoding="utf-8") != self._text():
            self._write(next_file(self.folder))

    def _write(self, file: Path) -> None:
        write_whole(file, self._text().encode(), "start the run again")

    def _text(self) -> str:
        config = self.config.clone()
        config.version = config.ckpt_path = None
        return str(self.parser.dump(config, skip_none=False))
