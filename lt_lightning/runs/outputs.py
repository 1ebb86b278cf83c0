"""The file that a command is told to write: none of the records of a run, none without asking."""

from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import origin
from lt_lightning.runs.metrics_file import FILE_NAME as METRICS_FILE

_RECORDS = (".json", ".yaml", ".ckpt", ".png")


def check_file(out: Path, force: bool, option: str = "--out") -> None:
    """Refuse a file that is not to be written.

    Args:
        out: the file.
        force: whether it may be written over.
        option: that named it.

    Raises:
        UserError: if it is a folder, a record of a run, or there already.
    """
    if out.is_dir():
        raise UserError(f"{option} {out} is a folder: give the name of a file.")
    if is_record(out):
        raise UserError(f"{option} {out} is the record of a run: give another name.")
    if out.exists() and not force:
        raise UserError(f"{option} {out} exists: add --force, or give another name.")


def is_record(file: Path) -> bool:
    """Return whether a file is what `lt` keeps of a run, in the run's folder or one below it."""
    file = file.resolve()
    if not any((folder / origin.FILE).is_file() for folder in file.parents[:2]):
        return False
    return file.name == METRICS_FILE or (file.exists() and file.suffix in _RECORDS)
