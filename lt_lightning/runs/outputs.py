"""The file that a command is told to write: none of the records of a run, none without asking."""

from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import lock, origin
from lt_lightning.runs.metrics_file import FILE_NAME as METRICS_FILE

_RECORDS = (".json", ".yaml", ".ckpt", ".png")
_OF_MANY = ("sweep.json", "auto.json")  # of `lt sweep` and `lt auto`, beside their runs


def take_file(out: Path, force: bool) -> None:
    """Keep the file of --out for this command until the lock is released.

    Args:
        out: the file.
        force: whether it may be written over.

    Raises:
        UserError: as `check_file`, or if another command writes it.
    """
    check_file(out, force=True)
    lock.take_output(out)
    check_file(out, force)  # once more, for another command may have written it meanwhile


def check_file(out: Path, force: bool, option: str = "--out") -> None:
    """Refuse a file that is not to be written.

    Args:
        out: the file.
        force: whether it may be written over.
        option: that named it.

    Raises:
        UserError: if it is a folder, a record of `lt`, or there already.
    """
    if out.is_dir():
        raise UserError(f"{option} {out} is a folder: give the name of a file.")
    if is_record(out):
        raise UserError(f"{option} {out} is the record of a run: give another name.")
    if out.exists() and not force:
        raise UserError(f"{option} {out} exists: add --force, or give another name.")


def is_record(file: Path) -> bool:
    """Return whether a file is what `lt` keeps of a run, in its folder or one below, or of many."""
    file = file.resolve()
    if file.name in _OF_MANY and file.exists():
        return True
    if not any((folder / origin.FILE).is_file() for folder in file.parents[:2]):
        return False
    return file.name == METRICS_FILE or (file.exists() and file.suffix in _RECORDS)
