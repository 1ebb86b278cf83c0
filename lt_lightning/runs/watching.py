"""Callbacks that look on at a training, and those that touch its weights."""

from collections.abc import Mapping
from typing import Any

_ENDING = "EarlyStopping"
_WATCHERS = (  # callbacks that leave the weights as they are, but for when the training ends
    "DeviceStatsMonitor", _ENDING, "LearningRateMonitor", "ModelCheckpoint",
    "ModelSummary", "RichModelSummary", "RichProgressBar", "TQDMProgressBar", "ThroughputMonitor",
)  # fmt: skip


def compared(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config of which the callbacks are those that touch the weights."""
    trainer = config.get("trainer")
    if not isinstance(trainer, Mapping):
        return dict(config)
    given = trainer.get("callbacks")
    listed = given if isinstance(given, list) else [given]
    touching = [callback for callback in listed if callback is not None and not _watches(callback)]
    return {**config, "trainer": {**trainer, "callbacks": touching}}


def ends_early(config: Mapping[str, Any]) -> bool:
    """Return whether one of the callbacks that look on may end the training before its length."""
    trainer = config.get("trainer")
    callbacks = trainer.get("callbacks") if isinstance(trainer, Mapping) else None
    return _ENDING in str(callbacks)


def _watches(callback: Any) -> bool:
    path = callback.get("class_path") if isinstance(callback, Mapping) else callback
    name = str(path)
    return name.startswith("lt_lightning.") or name.rsplit(".", 1)[-1] in _WATCHERS
