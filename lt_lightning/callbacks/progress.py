"""The progress bar of a terminal, with the accuracy of each group below it."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar
from rich.console import RenderableType

from lt_lightning.callbacks.group_table import GroupTable


class StageBar(RichProgressBar):
    """Lightning's bar on the error output; it names the stage of a run in several stages.

    While it trains, the accuracy of each group on held-out images stands below it, newest and best
    so far, where there are held-out images.
    """

    def __init__(self) -> None:
        # Standard output is for the answer alone.
        super().__init__(console_kwargs={"stderr": True})
        self.groups: GroupTable | None = None

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return what stands behind the bar, the stage first."""
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        stages: int = getattr(pl_module, "num_stages", 1)
        if stages == 1:
            return metrics
        stage = pl_module.stage_at(trainer.current_epoch)  # type: ignore[operator]
        return {"stage": f"{stage.number} of {stages}", **metrics}

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the new numbers of the groups."""
        data: Any = getattr(trainer, "datamodule", None)
        if not trainer.sanity_checking and hasattr(data, "groups"):
            if self.groups is None:
                self.groups = GroupTable(data.groups, bool(data.monitor_test))
            metrics = {name: float(v) for name, v in trainer.callback_metrics.items()}
            self.groups.add(trainer.current_epoch, metrics)
        super().on_validation_end(trainer, pl_module)

    def _init_progress(self, trainer: Trainer) -> None:
        """Begin the display; Lightning makes it anew for each part of a run."""
        super()._init_progress(trainer)
        progress: Any = self.progress
        if progress is None or hasattr(progress, "bars_alone") or trainer.testing:
            return
        bars = progress.bars_alone = progress.get_renderables
        table = self._table

        def renderables() -> list[RenderableType]:
            return [*bars(), *table()]

        progress.get_renderables = renderables

    def _table(self) -> list[RenderableType]:
        found = None if self.groups is None else self.groups.table()
        return [] if found is None else [found]
