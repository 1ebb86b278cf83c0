"""What a checkpoint keeps of the training for a results.json that a later test makes.

A test knows the options that it was given, which may be others than those of the training.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lt_lightning.errors import UserError
from lt_lightning.runs import environment, origin
from lt_lightning.runs.checkpoint import RECORD, trained_epochs
from lt_lightning.runs.config import ended_with

_KEY = "training"


def keep(checkpoint: dict[str, Any], told: Mapping[str, Any]) -> None:
    """Write into a checkpoint what `about.about_training` returned."""
    if told:
        checkpoint.setdefault(RECORD, {})[_KEY] = dict(told)


def kept_in(checkpoint: Mapping[str, Any], path: str | Path | None) -> dict[str, Any]:
    """Return what is known of the training that a checkpoint is of; nothing where nothing tells.

    Args:
        checkpoint: its content.
        path: the file; of an earlier version, which kept nothing, the folder of its run tells.
    """
    kept: dict[str, Any] | None = checkpoint.get(RECORD, {}).get(_KEY)
    if kept is not None:
        return kept
    file = None if path is None else Path(path).resolve()
    if file is None or file.parent.name != "checkpoints":
        return {}
    return _of_folder(file.parent.parent, checkpoint)


def _of_folder(folder: Path, checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the folder of a run tells; its device and versions nobody knows any more."""
    try:
        config = ended_with(folder)
    except UserError:
        return {}
    data, trainer = _part(config, "data"), _part(config, "trainer")
    planned, steps = trainer.get("max_epochs"), trainer.get("max_steps")
    training = {"planned_epochs": planned if isinstance(planned, int) else None}
    training |= _part(_part(checkpoint, "callbacks"), "RunRecord")  # the seconds
    if _reached(trained_epochs(checkpoint), planned) or _reached(checkpoint["global_step"], steps):
        training["ended"] = True
    seed, subset = config.get("seed_everything"), data.get("subset_seed")
    seeds = {"training": seed, "subset": subset}
    found: dict[str, Any] = {
        "training": training,
        "seeds": {key: value if type(value) is int else None for key, value in seeds.items()},
        "versions": {"lightning": str(checkpoint["pytorch-lightning_version"])},
        "hardware": {},
    }
    if trainer.get("precision") is not None:
        found["hardware"]["precision"] = str(trainer["precision"])
    command = origin.command_of(folder)
    if command is not None:
        found |= {"command": command, "config": environment.config_names(command)}
    return found


def _reached(done: int | None, limit: Any) -> bool:
    return done is not None and isinstance(limit, int) and 0 <= limit <= done


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}
