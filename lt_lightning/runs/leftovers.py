"""Folders that a command leaves with nothing of worth: they would keep a name for nothing."""

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from lt_lightning.errors import UserError
from lt_lightning.runs import launch, lock, metrics_file, origin

_PART = ".part"  # of a file that is being written
START = ("config.yaml", origin.FILE, lock.LOCK)  # what a run has before it has anything of worth
_METRICS = metrics_file.FILE_NAME


def give_back() -> None:
    """Remove the folder of a run that ended with nothing of worth, and what is empty above.

    A run that is refused while it is set up has its config there already; it would keep the name.
    """
    folder = launch.known()
    if folder is None or not launch.is_first() or lock.is_gone(folder):
        return
    if is_unborn(folder) and forget(folder, (*START, _METRICS)):
        with suppress(OSError):
            for level in (folder.parent, folder.parent.parent):
                level.rmdir()


def is_unborn(folder: Path) -> bool:
    """Return whether a run was cut before it had anything to go on from: no checkpoint, no results.

    A folder with a file that no run begins with is none, nor is one with metrics of a second epoch
    or one in which no command has left its mark: whoever wrote there may want it.
    """
    files = _inside(folder)[1]
    if not _are_of(files, (*START, _METRICS)) or any(map(_has_more_epochs, files)):
        return False
    return origin.is_known(folder) or _are_of(files, (lock.LOCK,))


def empty(folder: Path) -> None:
    """Take away what an unborn run left in a folder that this command has locked."""
    for path in _inside(folder)[1]:
        if path.name != lock.LOCK:
            path.unlink(missing_ok=True)


def _has_more_epochs(file: Path) -> bool:
    if file.name != _METRICS:
        return False
    try:
        return any(row.get("epoch", 0) >= 1 for row in metrics_file.read_metrics(file, ""))
    except UserError:
        return True


def _inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return all in a folder, what is in a folder before the folder, and the files of it."""
    inside = sorted(folder.rglob("*"), reverse=True)
    return inside, [path for path in inside if path.is_symlink() or not path.is_dir()]


def _are_of(files: Collection[Path], known: Collection[str]) -> bool:
    return all(path.name in known or path.suffix == _PART for path in files)


def forget(folder: Path, known: Collection[str]) -> bool:
    """Remove a folder that holds nothing else than what a command begins with.

    Args:
        folder: to remove; one that holds another file stays as it is, whoever made that.
        known: names of such files, at any level; half-written ones count too.

    Returns:
        Whether it is gone.
    """
    inside, files = _inside(folder)
    if not _are_of(files, known):
        return False
    with suppress(OSError):
        for path in inside:
            path.unlink() if path in files else path.rmdir()
        folder.rmdir()
    return not folder.exists()
