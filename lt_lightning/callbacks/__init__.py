"""What watches a run: its record, its figures, its log, its guards and checkpoints."""

from lt_lightning.callbacks.checkpoints import BestCheckpoint, LastCheckpoint
from lt_lightning.callbacks.class_weights import ClassWeights
from lt_lightning.callbacks.epoch_lines import EpochLines
from lt_lightning.callbacks.epoch_metrics import EpochMetrics
from lt_lightning.callbacks.non_finite import NonFiniteGuard
from lt_lightning.callbacks.requeue import Requeue
from lt_lightning.callbacks.run_logger import RunLogger
from lt_lightning.callbacks.run_record import RunRecord
from lt_lightning.callbacks.save_config import SaveConfig
from lt_lightning.runs.results import read_results
from lt_lightning.wandb_.media import WandbMedia

__all__ = [
    "BestCheckpoint",
    "ClassWeights",
    "EpochLines",
    "EpochMetrics",
    "LastCheckpoint",
    "NonFiniteGuard",
    "Requeue",
    "RunLogger",
    "RunRecord",
    "SaveConfig",
    "WandbMedia",
    "read_results",
]
