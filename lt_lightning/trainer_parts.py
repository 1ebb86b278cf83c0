"""What Lightning's Trainer always has and does not declare; asked for here alone."""

from lightning.pytorch import LightningDataModule, Trainer


def data_of(trainer: Trainer) -> LightningDataModule | None:
    """Return the data module that the trainer works on, or none."""
    found: LightningDataModule | None = trainer.datamodule  # type: ignore[attr-defined]
    return found


def is_trial(trainer: Trainer) -> bool:
    """Return whether only a few batches are run (fast_dev_run), whose numbers say nothing."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]
