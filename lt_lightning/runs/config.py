"""The config of a finished run."""

from pathlib import Path
from typing import Any

from lt_lightning.errors import Refused, UserError
from lt_lightning.runs import class_path
from lt_lightning.runs.kept_configs import BEGAN, last_file, later_files
from lt_lightning.runs.yaml_file import check_value, read_yaml, walk

_KEPT = ("seed_everything", "trainer", "model", "data")
_GROUPS = ("trainer", "model", "data")


def began_with(folder: Path) -> dict[str, Any]:
    """Return the config that a run began with.

    Raises:
        UserError: if it is gone or damaged.
    """
    return _read(folder / BEGAN)


def ended_with(folder: Path) -> dict[str, Any]:
    """Return the config of the last command that trained a run: it may have been trained on.

    Raises:
        UserError: if it is gone or damaged.
    """
    return _read(last_file(folder))


def went_on_with(folder: Path) -> list[dict[str, Any]]:
    """Return the configs of the commands that went on with a run by other options, in their order.

    Raises:
        UserError: if one is damaged.
    """
    return [_read(file) for _, file in sorted(later_files(folder))]


def _read(file: Path) -> dict[str, Any]:
    try:
        content = read_yaml(file)
    except (OSError, ValueError) as error:
        raise _damaged(file) from error
    if not isinstance(content, dict):
        raise _damaged(file)
    return content


def _damaged(file: Path) -> UserError:
    return UserError(
        f"{file} is gone or damaged: it is the config that `lt fit` wrote, without which the run "
        "cannot go on."
    )


def config_of(folder: Path) -> dict[str, Any]:
    """Return the part of a run's config that another command needs.

    Raises:
        UserError: if the config is damaged.
    """
    try:
        content = read_yaml(folder / "config.yaml")
        kept = {key: content[key] for key in _KEPT}
        bad = next((key for key in _GROUPS if not isinstance(kept[key], dict)), None)
        if bad is not None:
            raise TypeError(f"{bad} holds no options")
        walk(kept, check_value)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder / 'config.yaml'} is damaged: it is the config that `lt fit` wrote."
        ) from error
    try:
        class_path.look(kept)
    except Refused as refused:
        raise Refused(f"{folder / 'config.yaml'}: {refused.sentence}", refused.key) from refused
    # What watches a training, or writes beside it, has nothing to do with what is asked now.
    # The precision is that of training; what is asked of a finished run is computed in float32.
    idle = {"logger": False, "callbacks": None, "profiler": None, "precision": None}
    kept["trainer"] = {**kept["trainer"], **idle}
    return kept
