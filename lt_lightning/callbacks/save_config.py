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
    config.yaml it began with; where the new one differs it is written beside it as
    config-resumed-<n>.yaml.
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
        file, number = self.folder / "config.yaml", 0
        while file.is_file():
            if file.read_text(encoding="utf-8") == text:
                return
            number += 1
            file = self.folder / f"config-resumed-{number}.yaml"
        write_whole(file, text.encode(), "start the run again")
