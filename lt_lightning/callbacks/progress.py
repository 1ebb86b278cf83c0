"""The progress bar of a terminal, with the accuracy of each group below it."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from rich.console import RenderableType

from lt_lightning.callbacks.group_table import GroupTable
from lt_lightning.runs.reported import ReportedData
from lt_lightning.stages import Staged
from lt_lightning.trainer_parts import data_of


class StageBar(RichProgressBar):
    """Lightning's bar on the error output; it names the stage of a run in several stages.

    While it trains, the accuracy of each group on held-out images stands below it, newest and best
    so far, where there are held-out images.
    """

    def __init__(self) -> None:
        # Standard output is for the answer alone.
        super().__init__(console_kwargs={"stderr": True})
        self.groups: GroupTable | None = None
        self._with_table: Any = None  # the display that shows them

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return what stands behind the bar, the stage first."""
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        if not isinstance(pl_module, Staged) or pl_module.num_stages == 1:
            return metrics
        stage = pl_module.stage_at(trainer.current_epoch)
        return {"stage": f"{stage.number} of {pl_module.num_stages}", **metrics}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the new numbers of the groups."""
        data = data_of(trainer)
        if not trainer.sanity_checking and isinstance(data, ReportedData):
            if self.groups is None:
                self.groups = GroupTable(data.groups, data.monitor_test)
            metrics = {name: float(v) for name, v in trainer.callback_metrics.items()}
            self.groups.add(trainer.current_epoch, metrics)
        super().on_validation_end(trainer, pl_module)

    def _init_progress(self, trainer: Trainer) -> None:
        """Begin the display; Lightning makes it anew for each part of a run."""
        super()._init_progress(trainer)
        progress: Any = self.progress
        if progress is None or progress is self._with_table or trainer.testing:
            return
        self._with_table, bars, table = progress, progress.get_renderables, self._table

        def renderables() -> list[RenderableType]:
            return [*bars(), *table()]

        progress.get_renderables = renderables

    def _table(self) -> list[RenderableType]:
        found = None if self.groups is None else self.groups.table()
        return [] if found is None else [found]
