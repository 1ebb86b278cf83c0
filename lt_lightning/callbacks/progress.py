"""The progress bar of a terminal."""

from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar


class StageBar(RichProgressBar):
    """Lightning's bar on the error output; it names the stage of a run in several stages."""

    def __init__(self) -> None:
        # Standard output is for the answer alone.
        super().__init__(console_kwargs={"stderr": True})

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict[str, Any]:
        """Return what stands behind the bar, the stage first."""
        metrics: dict[str, Any] = super().get_metrics(trainer, pl_module)
        stages: int = getattr(pl_module, "num_stages", 1)
        if stages == 1:
            return metrics
        stage = pl_module.stage_at(trainer.current_epoch)  # type: ignore[operator]
        return {"stage": f"{stage.number} of {stages}", **metrics}
