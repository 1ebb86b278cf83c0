"""config.yaml: exactly what ran."""

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import SaveConfigCallback

from lt_lightning.runs.files import write_whole


class SaveConfig(SaveConfigCallback):
    """Writes the parsed config into the run folder before training.

    `lt fit --config RUN/config.yaml` starts the same run again in a new folder: the version of
    the run and the checkpoint it was resumed from are left out. A resumed run keeps the
    config.yaml it began with; where the new one differs from the last it is written beside it as
    config-resumed-<n>.yaml, so that the one of the highest number is what the run ended with.
    """

    def __init__(self, parser: Any, config: Any, folder: Path) -> None:
        super().__init__(parser, config, overwrite=True, save_to_log_dir=False)
        self.folder = folder

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the file; called on the first process only."""
        if stage != "fit":
            return
        config = self.config.clone()
        config.version = config.ckpt_path = None
        text = self.parser.dump(config, skip_none=False)
        last, number = None, 0
        file = self.folder / "config.yaml"
        while file.is_file():
            last, number = file, number + 1
            file = self.folder / f"config-resumed-{number}.yaml"
        if last is None or last.read_text(encoding="utf-8") != text:
            write_whole(file, text.encode(), "start the run again")
